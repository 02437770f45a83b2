"""One side of a journey, parent or child: builds the store, packs it, receives it, looks at it.

The C++ harness calls `answer(request)` with one JSON text and gets one JSON text back; both sides
run this very file, so that a difference between their answers is a difference between their
stores. Nothing here judges: an exception of the subject is an answer, `refused`. Looks, operations
and carriers are lines of vocabulary.json; how a store is made is a text of the request, by
stores.json. What it does not do: decide the order of the steps (journey.cc), or what must come back
(expectation.cc).
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import copy
import ctypes
import faulthandler
import functools
import gc
import json
import multiprocessing
import os
import pathlib
import pickle
import re
import select
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
import warnings
import zipfile
import zlib
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing.reduction import ForkingPickler
from typing import Any

warnings.simplefilter("ignore")  # zarr warns a lot; a warning is no finding

import zarr  # noqa: E402
import zarr.storage  # noqa: E402

ZARR_2 = zarr.__version__.startswith("2.")
Answer = dict[str, Any]
SHOWN_BYTES = 64  # longer values are shown as size, checksum and first bytes
TEXT_LIMIT = 300  # characters of an exception's text that are kept

if not ZARR_2:
    import zarr.core.sync as zarr_sync
    from zarr.abc.store import OffsetByteRequest, RangeByteRequest, SuffixByteRequest
    from zarr.core.buffer import cpu, default_buffer_prototype

_SUBJECT = os.path.dirname(os.path.dirname(os.path.abspath(zarr.__file__))) + os.sep
_STDLIB = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
_LOOPS: dict[tuple[int, int], asyncio.AbstractEventLoop] = {}
_HELD: dict[str, Any] = {}  # this side's store, and copies made of it
_folder = "."  # the case's folder, replaced by <case> in whatever is shown


# --- driving coroutines -------------------------------------------------------------------------


def run_by_caller(coroutine: Any) -> Any:
    """Run `coroutine` in the calling thread: by hand, or in a loop of ours when its store waits."""
    if not _HELD["waits"]:
        try:
            coroutine.send(None)
        except StopIteration as stop:
            return stop.value
        raise AssertionError("the store waits; its adapter says that it does not")
    return run_in_loop(coroutine)


def run_in_loop(coroutine: Any) -> Any:
    """Run `coroutine` in a loop of this thread."""
    place = (os.getpid(), threading.get_ident())
    if place not in _LOOPS:
        _LOOPS[place] = asyncio.new_event_loop()
    return _LOOPS[place].run_until_complete(coroutine)


def set_warmth(warm: bool) -> None:
    """Warm: zarr's event loop runs in this process. Cold: it does not, as before its first use."""
    if ZARR_2:
        return
    if warm:
        zarr_sync.sync(asyncio.sleep(0))
    elif zarr_sync.loop[0] is not None:
        zarr_sync.cleanup_resources()


async def collect(method: Any, *of: Any) -> list[Any]:
    """All that `method(*of)` yields; called inside the loop, as zarr itself calls it."""
    return [it async for it in method(*of)]


def data(buffer: Any) -> bytes | None:
    return None if buffer is None else buffer.to_bytes()


def holding(lock: Any) -> None:
    """Let another thread take `lock`; it holds it until `let_go`."""
    taken, done = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            taken.set()
            done.wait()

    threading.Thread(target=hold, daemon=True).start()
    if not taken.wait(1):
        raise TimeoutError("the lock was never free")
    _HELD["let go"] = done.set


def let_go() -> None:
    _HELD.pop("let go", lambda: None)()


_NAMES: dict[str, Any] = {
    "contextlib": contextlib,
    "collect": collect,
    "copy": copy,
    "data": data,
    "ForkingPickler": ForkingPickler,
    "gc": gc,
    "holding": holding,
    "os": os,
    "pickle": pickle,
    "shutil": shutil,
    "threading": threading,
    "zarr": zarr,
    "zipfile": zipfile,
}
if not ZARR_2:
    _NAMES |= {
        "prototype": default_buffer_prototype(),
        "buffer": cpu.Buffer.from_bytes,
        "RangeByteRequest": RangeByteRequest,
        "OffsetByteRequest": OffsetByteRequest,
        "SuffixByteRequest": SuffixByteRequest,
    }
for _optional in ("cloudpickle", "distributed.protocol"):
    with contextlib.suppress(ImportError):
        exec(f"import {_optional}", _NAMES)  # a carrier that this environment may lack

_ARGUMENTS = ("store", "run", "key", "value", "start", "end", "cargo", "packed", "place")


@functools.lru_cache(4096)
def compiled(name: str, line: str) -> Callable[..., Any]:
    """A vocabulary line as a function; its name shows in stacks, so that a hang tells its look."""
    for argument in _ARGUMENTS:
        line = line.replace(f"{{{argument}}}", argument)
    source = f"lambda {', '.join(_ARGUMENTS)}: ({line})"
    return eval(compile(source, f"<look {name}>", "eval"), _NAMES)


def call(name: str, line: str, **arguments: Any) -> Any:
    """What a vocabulary line gives for these arguments; the others are None."""
    return compiled(name, line)(*(arguments.get(argument) for argument in _ARGUMENTS))


with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "vocabulary.json")) as _file:
    _VOCABULARY = json.load(_file)


def words() -> dict[str, Any]:
    """The vocabulary of the case's store."""
    return _VOCABULARY["zarr 2" if ZARR_2 else _HELD["interface"] or "zarr 3"]


@functools.cache
def bring(line: str) -> None:
    """Run an import of an adapter, once."""
    exec(line, _NAMES)


def make_store(about: dict[str, Any]) -> Any:
    """Call the constructor as the case says; `about` is the `store` of a request."""
    for line in about["imports"]:
        bring(line)
    return call("constructor", about["make"])


# --- values and answers -------------------------------------------------------------------------


def hide_paths(text: str) -> str:
    """Equal texts for equal cases: folder, object addresses and thread numbers taken out."""
    text = text.replace(_folder, "<case>").replace(_SUBJECT, "").replace(_STDLIB, "")
    return re.sub(r"0x[0-9a-f]{6,}|\b[0-9]{9,}\b", "0x…", text)


def plain(value: Any) -> Any:
    """`value` as JSON: bytes and odd objects become small, readable stand-ins."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return hide_paths(value)
    if isinstance(value, bytes):
        if len(value) <= SHOWN_BYTES:
            return {"bytes": value.decode("latin-1")}
        head = value[:16].decode("latin-1")
        return {"size": len(value), "crc32": zlib.crc32(value), "head": head}
    if isinstance(value, pathlib.PurePath):
        return {"path": hide_paths(str(value))}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, type):
        return {"type": value.__name__}
    return {"object": type(value).__name__}


def refused(error: BaseException) -> Answer:
    """What an exception of the subject tells: type, text, its last frame in the subject."""
    answer = {
        "answer": "refused",
        "type": type(error).__name__,
        "text": hide_paths(str(error))[:TEXT_LIMIT],
        "kinds": [kind.__name__ for kind in type(error).__mro__[:-1]],
    }
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename.startswith(_SUBJECT)]
    if own:
        answer["frame"] = f"{hide_paths(own[-1].filename)}:{own[-1].name}"
    if isinstance(error, AttributeError) and error.name and error.obj is not None:
        kind = type(error.obj)
        if is_store(error.obj) and error.name not in dir(kind):
            answer["lost"] = error.name
    return answer


def ask(function: Callable[[], Any]) -> Answer:
    """The answer to one question: shown(value) or refused(exception)."""
    try:
        return {"answer": "shown", "value": plain(function())}
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as error:  # a refusal by the subject is data
        return refused(error)


@functools.cache
def names_of(kind: type) -> frozenset[str]:
    """Attributes and properties that a class declares."""
    names = {
        name
        for name in dir(kind)
        if name[:2] != "__" and name != "_abc_impl" and not callable(getattr(kind, name, None))
    }
    for holder in kind.__mro__:
        names |= {name for name in getattr(holder, "__annotations__", {}) if name[:2] != "__"}
    return frozenset(names)


def is_store(value: Any) -> bool:
    """Whether this is a store, of zarr or of somebody else, or a path in one."""
    kinds = type(value).__mro__
    return any(kind.__module__.startswith("zarr.") for kind in kinds) and hasattr(value, "exists")


def state_of(store: Any, within: str = "") -> dict[str, Answer]:
    """Every attribute and property of a store, and of what it wraps: name → answer."""
    names = set(vars(store)) if hasattr(store, "__dict__") else set()
    names |= names_of(type(store))
    state: dict[str, Answer] = {}
    for name in sorted(names):
        held: list[Any] = []
        state[within + name] = ask(lambda name=name, held=held: read_into(held, store, name))
        if held and is_store(held[0]) and within.count(".") < 4:
            state |= state_of(held[0], f"{within}{name}.")
    return state


def read_into(held: list[Any], store: Any, name: str) -> Any:
    held.append(getattr(store, name))
    return held[0]


def perform(table: str, store: Any, run: Any, step: dict[str, Any]) -> Answer:
    """One look or operation on `store`."""
    name = step["do"]
    line = words()[table].get(name)
    needs = words()["needs"].get(name) if table == "looks" else None
    if line is None or (needs and not hasattr(type(store), needs)):
        return {"answer": "absent"}
    if name in words()["gathers"] and run is run_by_caller:
        run = run_in_loop
    value = (step.get("value", "") * step.get("repeat", 1)).encode()
    arguments = {"key": step.get("key", ""), "value": value}
    arguments |= {"start": step.get("start", 0), "end": step.get("end", 0)}
    return ask(lambda: call(name, line, store=store, run=run, **arguments))


def mark(previous: dict[str, Any] | None = None) -> dict[str, Any]:
    """What lies in the case's folder now: name → size and checksum; entries where those changed."""
    files: dict[str, Any] = {}
    for here, _, names in os.walk(_folder):
        for name in names:
            path = os.path.join(here, name)
            with open(path, "rb") as file:
                content = file.read()
            files[os.path.relpath(path, _folder)] = [len(content), zlib.crc32(content)]
    seen: dict[str, Any] = {"files": files}
    if previous is not None and previous["files"] == files:
        return previous
    try:
        with zipfile.ZipFile(os.path.join(_folder, "store.zip")) as archive:
            seen["entries"] = archive.namelist()
    except (OSError, zipfile.BadZipFile):
        seen["entries"] = None
    return seen


# --- the steps ----------------------------------------------------------------------------------


def runner(driver: str) -> Callable[[Any], Any]:
    return zarr_sync.sync if driver == "loop" and not ZARR_2 else run_by_caller


def enter(request: dict[str, Any]) -> None:
    """Begin a case. A forked child keeps what it inherited: dropping it would close it for good."""
    global _folder
    _folder = request["folder"]
    os.chdir(_folder)
    about = request["store"]
    if not request.get("forked"):
        _HELD.clear()
        for line in about["imports"]:
            with contextlib.suppress(ImportError):
                bring(line)
        if about["clean"]:
            with contextlib.suppress(NameError, AttributeError):  # a release may lack the store
                call("clean", about["clean"])
        if about["before"]:
            with contextlib.suppress(NameError):
                call("before", about["before"])
    _HELD["interface"], _HELD["waits"] = about["interface"], about["waits"]


def build(request: dict[str, Any]) -> dict[str, Any]:
    """Make the store as the case says and bring it into its lifecycle state."""
    enter(request)
    warm = request["warm"]
    set_warmth(warm)
    run = runner("loop" if warm else "caller")
    reply: dict[str, Any] = {"operations": []}

    def make() -> None:
        _HELD["store"] = make_store(request["store"])

    reply["constructed"] = ask(make)
    if "store" not in _HELD:
        return reply
    store = _HELD["store"]
    for operation in request["operations"]:
        reply["operations"].append(perform("operations", store, run, operation))
    reply["state"] = state_of(store)
    reply["mark"] = mark()
    return reply


def put_cargo(request: dict[str, Any], store: Any) -> tuple[Answer, Any]:
    """What goes into the carrier: the store, or something that holds it."""
    line = words()["cargo"].get(request["cargo"])
    if line is None:
        return {"answer": "absent"}, None
    made: list[Any] = []
    answer = ask(lambda: made.append(call("cargo", line["put"], store=store)))
    return answer, made[0] if made else None


def take_cargo(request: dict[str, Any], cargo: Any) -> Any:
    return call("cargo", words()["cargo"][request["cargo"]]["take"], cargo=cargo)


def pack(request: dict[str, Any]) -> dict[str, Any]:
    """Put the held store into its carrier; the state of the store afterwards comes along."""
    store = _HELD["store"]
    line = _VOCABULARY["carriers"][request["carrier"]]
    reply: dict[str, Any] = {}
    reply["cargo"], cargo = put_cargo(request, store)
    if reply["cargo"]["answer"] != "shown":
        return reply
    # Making an array reads, and may open: only what packing changes counts.
    reply["state before"] = state_of(store)

    def put() -> None:
        packed = call("packing", line["pack"], cargo=cargo)
        if request["twice"]:
            packed = call(
                "packing", line["pack"], cargo=call("packing", line["receive"], packed=packed)
            )
        if isinstance(packed, bytes):
            reply["pickle"] = base64.b64encode(packed).decode()
        else:
            _HELD["carried"] = packed

    reply["packed"] = ask(put)
    reply["state"] = state_of(store)
    reply["mark"] = mark()
    return reply


def meanwhile(request: dict[str, Any]) -> dict[str, Any]:
    """What the parent does while its store is under way."""
    store = _HELD["store"]
    line = words()["meanwhile"].get(request["what"])
    if line is None:
        return {"done": {"answer": "absent"}}
    if request["what"] == "forgets the store":
        del store, _HELD["store"]
        return {"done": ask(gc.collect)}
    run = runner("loop" if request["warm"] else "caller")
    reply = {
        "done": ask(lambda: call("meanwhile", line, store=store, run=run, place=request["place"]))
    }
    return reply | {"mark": mark()}


def receive(request: dict[str, Any], reply: dict[str, Any]) -> Any:
    """Take the store out of its carrier."""
    if request["carrier"] == "made anew":
        return make_store(request["store"])
    if request["carrier"] == "inherited":
        return _HELD["store"]
    if "cargo itself" in request:
        cargo = request["cargo itself"].pop()
        if same := words()["cargo"][request["cargo"]].get("same"):
            reply["same object"] = ask(lambda: call("cargo", same, cargo=cargo))
        return take_cargo(request, cargo)
    packed = base64.b64decode(request["pickle"]) if "pickle" in request else _HELD["carried"]
    cargo = call("receiving", _VOCABULARY["carriers"][request["carrier"]]["receive"], packed=packed)
    if same := words()["cargo"][request["cargo"]].get("same"):
        reply["same object"] = ask(lambda: call("cargo", same, cargo=cargo))
    return take_cargo(request, cargo)


def look(store: Any, request: dict[str, Any]) -> dict[str, Any]:
    """The state of `store`, then every look of the plan, in order."""
    run = runner(request["driver"])
    reply: dict[str, Any] = {"state": state_of(store)} if request["look at state"] else {}
    reply["looks"] = [perform("looks", store, run, step) for step in request["plan"]]
    return reply


@contextlib.contextmanager
def surroundings(name: str) -> Any:
    """Another directory, environment or zarr.config around the child, for as long as it looks."""
    line = words()["surroundings"].get(name, "None")
    environment = dict(os.environ)
    undo = call("surroundings", line)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(environment)
        if hasattr(undo, "__exit__"):
            undo.__exit__(None, None, None)
        os.chdir(_folder)


def visit(request: dict[str, Any]) -> dict[str, Any]:
    """The child's whole part: receive, look, send back, leave nothing behind."""
    with surroundings(request["surroundings"]):
        return visit_inside(request)


def visit_inside(request: dict[str, Any]) -> dict[str, Any]:
    reply: dict[str, Any] = {}
    before = request["mark"]
    arrived: dict[str, Any] = {}

    def take() -> None:
        arrived["store"] = receive(request, reply)

    reply["received"] = ask(take)
    reply["mark after receiving"] = mark(before)
    if "store" not in arrived:
        return reply
    reply |= stay(arrived.pop("store"), request)
    # Elsewhere the parent's own open archive would be counted.
    if not request["same process"] and not request.get("forked"):
        reply["descriptors"] = open_descriptors()
    reply["mark after leaving"] = mark(reply["mark after receiving"])
    return reply


def stay(store: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Look at the store, send it on, close it; afterwards nobody holds it any more."""
    reply: dict[str, Any] = {"arrived with": sorted(getattr(store, "__dict__", {}))}
    reply |= look(store, request)
    own = _HELD.get("store")
    if request["same process"] and own is not None:
        reply["equality"] = {
            "copy == store": ask(lambda: store == own),
            "store == copy": ask(lambda: own == store),
            "copy != store": ask(lambda: store != own),
        }
    if request["comes back"] != "nothing":
        reply |= send_on(store, request)
    if request["carrier"] not in ("handed over", "inherited"):
        reply["left"] = perform("looks", store, None, {"do": "close"})
    return reply


def send_on(store: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Pickle the store, or the array opened from it, for the way back or to a grandchild."""
    reply: dict[str, Any] = {"state sent": state_of(store)}

    def put() -> None:
        cargo = store
        if request["comes back"] == "array":
            cargo = zarr.open_array(store, mode="r")
        reply["pickle"] = base64.b64encode(pickle.dumps(cargo)).decode()

    reply["sent back"] = ask(put)
    if request["comes back"] == "grandchild" and "pickle" in reply:
        reply["grandchild"] = ask_grandchild(request | {"pickle": reply.pop("pickle")})
    return reply


def ask_grandchild(request: dict[str, Any]) -> dict[str, Any]:
    """Fork, look at the store there, and bring the answers back."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: it ends with its parent
            with open(writing, "w") as out:
                out.write(json.dumps(returned(request)))
            os._exit(0)
        finally:
            os._exit(70)
    os.close(writing)
    with open(reading) as answers:
        in_time = select.select([answers], [], [], request["deadline"] * 0.6)[0]
        if not in_time:
            os.kill(child, signal.SIGKILL)
        text = answers.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if not in_time:
        return {"died": {"answer": "timed out", "stacks": ""}}
    if status != 0:
        name = signal.Signals(-status).name if status < 0 else f"exit {status}"
        return {"died": {"answer": "crashed", "signal": name, "stacks": ""}}
    return json.loads(text)


def returned(request: dict[str, Any]) -> dict[str, Any]:
    """Look at what was sent on: in the parent, as `future.result()` has it, or in a grandchild."""
    reply: dict[str, Any] = {}
    cargo: list[Any] = []
    reply["received"] = ask(lambda: cargo.append(pickle.loads(base64.b64decode(request["pickle"]))))
    if not cargo:
        return reply
    if request["comes back"] == "array":
        reply["array"] = ask(lambda: cargo[0][:].tolist())
        return reply
    reply |= look(cargo[0], request)
    own = _HELD.get("store")
    if own is not None and request["comes back"] == "store":
        reply["equality"] = {"copy == store": ask(lambda: cargo[0] == own)}
    reply["left"] = perform("looks", cargo[0], None, {"do": "close"})
    return reply


def ask_twin(request: dict[str, Any]) -> dict[str, Any]:
    """A MemoryStore with the same content, asked the same."""
    if ZARR_2:  # its mappings promise no more than a mapping does
        return {}
    content = {
        key: cpu.Buffer.from_bytes(base64.b64decode(value)) for key, value in request["content"]
    }
    store = zarr.storage.MemoryStore(content, read_only=request["read only"])
    held = _HELD["interface"]
    _HELD["interface"] = ""
    reply = look(store, request)
    _HELD["interface"] = held
    return reply


def look_at_own(request: dict[str, Any]) -> dict[str, Any]:
    """The parent's look at the store it kept, once it has nothing else to do."""
    let_go()
    os.chdir(_folder)
    return look(_HELD["store"], request) if "store" in _HELD else {}


def visit_in_thread(request: dict[str, Any]) -> dict[str, Any]:
    """`visit`, in a thread of a pool; a thread past the deadline is reported with its stacks."""
    pool = ThreadPoolExecutor(1)
    future = pool.submit(visit, request)
    try:
        reply = future.result(request["deadline"])
    except TimeoutError:
        return {"timed out": stacks()}
    pool.shutdown()
    return reply


# --- the slow lane: real pools ------------------------------------------------------------------

_POOLS: dict[tuple[str, str], Any] = {}  # kept alive, as a user's pool is
POOL_START = 30.0  # seconds until a new pool must have answered: it starts interpreters
POOL_PATIENCE = 3  # deadlines of a child that a pool's worker may take


def open_pool(name: str, context: str) -> Callable[..., Any]:
    """A pool of one worker: `run(timeout, function, *arguments)`."""
    if name == "ThreadPoolExecutor":
        pool: Any = ThreadPoolExecutor(1)
    elif name == "ProcessPoolExecutor":
        pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(context))
    elif name == "multiprocessing.Pool":
        own = multiprocessing.get_context(context).Pool(1)
        return lambda timeout, *call: own.apply_async(call[0], call[1:]).get(timeout)
    else:
        from distributed import Client, LocalCluster

        cluster = LocalCluster(
            n_workers=1,
            threads_per_worker=1,
            dashboard_address=None,
            local_directory=tempfile.gettempdir(),
        )
        client = Client(cluster)
        return lambda timeout, *call: client.submit(*call, pure=False).result(timeout)
    return lambda timeout, *call: pool.submit(*call).result(timeout)


def visit_of_cargo(cargo: Any, request: dict[str, Any]) -> dict[str, Any]:
    """The worker's part: the pool has carried the cargo."""
    if not request["same process"]:
        enter(request)
    return visit(request | {"cargo itself": [cargo]})


def visit_in_pool(request: dict[str, Any]) -> dict[str, Any]:
    """`visit`, by a real pool. What it refuses to carry is told apart from what is seen there."""
    answer, cargo = put_cargo(request, _HELD["store"])
    if answer["answer"] != "shown":
        return {"cargo": answer}
    place = (request["pool"], request["transport"])
    try:
        if place not in _POOLS:
            _POOLS[place] = open_pool(*place)
            _POOLS[place](POOL_START, os.getpid)
        patience = request["deadline"] * POOL_PATIENCE
        return _POOLS[place](patience, visit_of_cargo, cargo, request)
    except (TimeoutError, multiprocessing.TimeoutError):
        _POOLS.pop(place)
        return {"timed out": ""}
    except Exception as error:
        _POOLS.pop(place, None)  # it may be broken
        return {"pool refused": refused(error)}


def leave(request: dict[str, Any]) -> dict[str, Any]:
    """The parent closes and forgets its store."""
    let_go()
    os.chdir(_folder)
    store = _HELD.pop("store", None)
    _HELD.pop("carried", None)
    reply: dict[str, Any] = {}
    if store is not None:
        reply["closed"] = perform("looks", store, None, {"do": "close"})
        del store
    reply["descriptors"] = open_descriptors()
    reply["mark"] = mark()
    return reply


def open_descriptors() -> list[str]:
    """Files of the case that this process holds open, and still does a moment later."""
    if not held_descriptors():
        return []
    gc.collect()
    time.sleep(0.05)  # a thread of the subject may be about to close one
    return held_descriptors()


def held_descriptors() -> list[str]:
    found = []
    for number in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{number}")
        except OSError:
            continue
        if target.startswith(_folder + os.sep):
            found.append(hide_paths(target))
    return sorted(found)


def stacks() -> str:
    """The Python stacks of every thread of this process."""
    with open(os.memfd_create("stacks"), "w+b", buffering=0) as file:
        faulthandler.dump_traceback(file, all_threads=True)
        file.seek(0)
        return hide_paths(file.read().decode(errors="replace"))


def hello(request: dict[str, Any]) -> dict[str, Any]:
    """Who is here: what `run.json` says of the subject."""
    return {"zarr": zarr.__version__, "python": sys.version.split()[0]}


def lacking(request: dict[str, Any]) -> dict[str, Any]:
    """Which of these stores and carriers cannot be had here, and why."""
    lacks: dict[str, str] = {}
    for about in request["stores"]:
        try:
            for line in [
                *about["imports"],
                *([f"import {about['needs']}"] if about["needs"] else []),
            ]:
                bring(line)
            eval(about["make"].partition("(")[0], _NAMES)
        except ImportError as error:
            lacks[about["kind"]] = f"{error.name} is not there"
        except AttributeError:
            lacks[about["kind"]] = f"zarr {zarr.__version__} has none"
    known = {"cloudpickle": "cloudpickle", "dask": "distributed"}
    carriers = [name for name, module in known.items() if module not in _NAMES]
    return {"stores": lacks, "carriers": carriers}


_STEPS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "hello": hello,
    "build": build,
    "lacking": lacking,
    "pack": pack,
    "meanwhile": meanwhile,
    "twin": ask_twin,
    "visit": visit,
    "visit in thread": visit_in_thread,
    "visit in pool": visit_in_pool,
    "look": look_at_own,
    "returned": returned,
    "leave": leave,
}


def answer(request: str) -> str:
    """One request in, one reply out: both are one line of JSON."""
    question = json.loads(request)
    if question["step"] == "visit" and not question["same process"]:
        enter(question)
    return json.dumps(_STEPS[question["step"]](question))
