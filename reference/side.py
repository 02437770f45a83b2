"""One side of a journey, parent or child: builds the store, packs it, receives it, looks at it.

The C++ harness calls `answer(request)` with one JSON text and gets one JSON text back; both sides
run this very file, so that a difference between their answers is a difference between their
stores. Nothing here judges: an exception of the subject is an answer, `refused`. Looks and
operations are lines of vocabulary.json. What it does not do: decide the order of the steps
(journey.cc), or what must come back (expectation.cc).
"""

from __future__ import annotations

import asyncio
import base64
import copy
import faulthandler
import functools
import gc
import json
import os
import pathlib
import pickle
import re
import sys
import threading
import time
import traceback
import warnings
import zipfile
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

warnings.simplefilter("ignore")  # zarr warns a lot; a warning is no finding

import zarr  # noqa: E402

from stores import ADAPTERS, ZARR_2  # noqa: E402

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
    if not ADAPTERS[_HELD["kind"]].waits:
        try:
            coroutine.send(None)
        except StopIteration as stop:
            return stop.value
        raise AssertionError("the store waits; its adapter says that it does not")
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


async def collect(keys: Any) -> list[str]:
    return [key async for key in keys]


def data(buffer: Any) -> bytes | None:
    return None if buffer is None else buffer.to_bytes()


def _compile(name: str, line: str) -> Callable[..., Any]:
    """A vocabulary line as a function; its name shows in stacks, so that a hang tells its look."""
    body = line.replace("{", "").replace("}", "")
    source = f"lambda store, run, key, value, start, end: {body}"
    return eval(compile(source, f"<look {name}>", "eval"), _NAMES)


_NAMES: dict[str, Any] = {"zarr": zarr, "pickle": pickle, "collect": collect, "data": data}
if not ZARR_2:
    _NAMES |= {
        "prototype": default_buffer_prototype(),
        "buffer": cpu.Buffer.from_bytes,
        "RangeByteRequest": RangeByteRequest,
        "OffsetByteRequest": OffsetByteRequest,
        "SuffixByteRequest": SuffixByteRequest,
    }
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "vocabulary.json")) as _file:
    _WORDS = json.load(_file)["zarr 2" if ZARR_2 else "zarr 3"]
_OPERATIONS = {name: _compile(name, line) for name, line in _WORDS["operations"].items()}
_LOOKS = {name: _compile(name, line) for name, line in _WORDS["looks"].items()}


# --- values and answers -------------------------------------------------------------------------


def hide_paths(text: str) -> str:
    """Equal texts for equal cases: folder, object addresses and thread numbers taken out."""
    text = text.replace(_folder, "<case>").replace(_SUBJECT, "").replace(_STDLIB, "")
    return re.sub(r"0x[0-9a-f]{6,}", "0x…", text)


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
        if kind.__module__[:4] == "zarr" and error.name not in dir(kind):
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


def state_of(store: Any) -> dict[str, Answer]:
    """Every attribute and property of a store, without touching it: name → answer."""
    names = set(vars(store)) if hasattr(store, "__dict__") else set()
    names |= names_of(type(store))
    return {name: ask(lambda name=name: getattr(store, name)) for name in sorted(names)}


def perform(table: dict[str, Callable[..., Any]], store: Any, run: Any, step: dict) -> Answer:
    """One look or operation on `store`."""
    function = table.get(step["do"])
    if function is None:
        return {"answer": "absent"}
    value = (step.get("value", "") * step.get("repeat", 1)).encode()
    arguments = (store, run, step.get("key", ""), value, step.get("start", 0), step.get("end", 0))
    return ask(lambda: function(*arguments))


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
    if not request.get("forked"):
        _HELD.clear()
    _HELD["kind"] = request["case"]["store"]


def build(request: dict[str, Any]) -> dict[str, Any]:
    """Make the store as the case says and bring it into its lifecycle state."""
    case = request["case"]
    enter(request)
    warm = case["parent"] == "warm"
    set_warmth(warm)
    run = runner("loop" if warm else "caller")
    reply: dict[str, Any] = {"operations": []}

    def make() -> None:
        _HELD["store"] = ADAPTERS[case["store"]].make(case, _folder)

    reply["constructed"] = ask(make)
    if "store" not in _HELD:
        return reply
    store = _HELD["store"]
    for operation in request["operations"]:
        reply["operations"].append(perform(_OPERATIONS, store, run, operation))
    reply["state"] = state_of(store)
    reply["mark"] = mark()
    return reply


def pack(request: dict[str, Any]) -> dict[str, Any]:
    """Put the held store into its carrier; the state of the store afterwards comes along."""
    carrier, store = request["carrier"], _HELD[request.get("which", "store")]
    reply: dict[str, Any] = {}

    def put() -> None:
        if carrier.startswith("pickle "):
            pickled = pickle.dumps(store, protocol=int(carrier[len("pickle ") :]))
            reply["pickle"] = base64.b64encode(pickled).decode()
        elif carrier in ("copy", "deepcopy"):
            _HELD["carried"] = getattr(copy, carrier)(store)
        elif carrier == "handed over":
            _HELD["carried"] = store

    reply["packed"] = ask(put)
    reply["state"] = state_of(store)
    reply["mark"] = mark()
    return reply


def receive(request: dict[str, Any]) -> Any:
    """Take the store out of its carrier."""
    if request["carrier"] == "made anew":
        return ADAPTERS[request["case"]["store"]].make(request["case"], _folder)
    if "pickle" in request:
        return pickle.loads(base64.b64decode(request["pickle"]))
    return _HELD["carried"]


def look(store: Any, request: dict[str, Any]) -> dict[str, Any]:
    """The state of `store`, then every look of the plan, in order."""
    run = runner(request["driver"])
    reply: dict[str, Any] = {"state": state_of(store)} if request["look at state"] else {}
    reply["looks"] = [perform(_LOOKS, store, run, step) for step in request["plan"]]
    return reply


def visit(request: dict[str, Any]) -> dict[str, Any]:
    """The child's whole part: receive, look, send back, leave nothing behind."""
    reply: dict[str, Any] = {}
    before = request["mark"]
    arrived: dict[str, Any] = {}

    def take() -> None:
        arrived["store"] = receive(request)

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
    """Look at the store, send it back, close it; afterwards nobody holds it any more."""
    reply: dict[str, Any] = {"arrived with": sorted(getattr(store, "__dict__", {}))}
    reply |= look(store, request)
    if request["same process"]:
        own = _HELD["store"]
        reply["equality"] = {
            "copy == store": ask(lambda: store == own),
            "store == copy": ask(lambda: own == store),
            "copy != store": ask(lambda: store != own),
        }
    if request["comes back"] != "nothing":
        reply |= send_back(store, request)
    if request["carrier"] != "handed over":
        reply["left"] = ask(store.close)
    return reply


def send_back(store: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Pickle the store, or the array opened from it, for the way back."""
    reply: dict[str, Any] = {"state sent": state_of(store)}

    def put() -> None:
        cargo = store
        if request["comes back"] == "array":
            cargo = zarr.open_array(store, mode="r")
        reply["pickle"] = base64.b64encode(pickle.dumps(cargo)).decode()

    reply["sent back"] = ask(put)
    return reply


def returned(request: dict[str, Any]) -> dict[str, Any]:
    """The parent's look at what came back, as `future.result()` would have it."""
    reply: dict[str, Any] = {}
    cargo: list[Any] = []
    reply["received"] = ask(lambda: cargo.append(pickle.loads(base64.b64decode(request["pickle"]))))
    if not cargo:
        return reply
    if request["comes back"] == "array":
        reply["array"] = ask(lambda: cargo[0][:].tolist())
        return reply
    reply |= look(cargo[0], request)
    own = _HELD["store"]
    reply["equality"] = {"copy == store": ask(lambda: cargo[0] == own)}
    reply["left"] = ask(cargo[0].close)
    return reply


def look_at_own(request: dict[str, Any]) -> dict[str, Any]:
    """The parent's look at the store it kept."""
    return look(_HELD["store"], request)


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


def leave(request: dict[str, Any]) -> dict[str, Any]:
    """The parent closes and forgets its store."""
    store = _HELD.pop("store", None)
    _HELD.pop("carried", None)
    reply: dict[str, Any] = {}
    if store is not None:
        reply["closed"] = ask(store.close)
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


_STEPS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "hello": hello,
    "build": build,
    "pack": pack,
    "visit": visit,
    "visit in thread": visit_in_thread,
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
