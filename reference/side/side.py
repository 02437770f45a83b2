"""One side of a journey, parent or child: builds the store, packs it, receives it, looks at it.

The C++ harness calls `answer(request)` with one JSON text and gets one JSON text back; both sides
run this very file, so that a difference between their answers is a difference between their
stores. Nothing here judges: an exception of the subject is an answer, `refused`. Looks, operations
and carriers are lines of vocabulary.json; how a store is made is a text of the request, by
stores.json. What it does not do: decide the order of the steps (journey.cc), or what must come back
(expectation.cc).
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
import gc
import json
import multiprocessing
import os
import pickle
import select
import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import zarr
import zarr.storage

import pools
from answers import (
    TOOK,
    Answer,
    ask,
    mark,
    mark_at_home,
    note,
    open_descriptors,
    perform,
    refused,
    stacks,
    state_of,
)
from vocabulary import (
    HELD,
    NAMES,
    VOCABULARY,
    ZARR_2,
    bring,
    call,
    let_go,
    make_store,
    runner,
    set_warmth,
    words,
)

if not ZARR_2:
    from zarr.core.buffer import cpu


def enter(request: dict[str, Any]) -> None:
    """Begin a case. A forked child keeps what it inherited: dropping it would close it for good."""
    os.chdir(request["folder"])
    about = request["store"]
    if not request.get("forked"):
        HELD.clear()
        for line in about["imports"]:
            with contextlib.suppress(ImportError):
                bring(line)
        if about["clean"]:
            with contextlib.suppress(NameError, AttributeError):  # a release may lack the store
                call("clean", about["clean"])
        if about["before"]:
            with contextlib.suppress(NameError):
                call("before", about["before"])
    HELD["folder"] = request["folder"]
    HELD["interface"], HELD["waits"] = about["interface"], about["waits"]
    HELD["kind"] = about["kind"]


def build(request: dict[str, Any]) -> dict[str, Any]:
    """Make the store as the case says and bring it into its lifecycle state."""
    enter(request)
    warm = request["warm"]
    set_warmth(warm)
    run = runner("loop" if warm else "caller")
    reply: dict[str, Any] = {"operations": []}

    def make() -> None:
        HELD["store"] = make_store(request["store"])

    reply["constructed"] = ask(make)
    if "store" not in HELD:
        return reply
    store = HELD["store"]
    for operation in request["operations"]:
        reply["operations"].append(perform("operations", store, run, operation))
    reply["state"] = state_of(store)
    reply["mark"] = mark_at_home()
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
    store = HELD["store"]
    line = VOCABULARY["carriers"][request["carrier"]]
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
            HELD["carried"] = packed

    reply["packed"] = ask(put)
    reply["state"] = state_of(store)
    reply["mark"] = mark_at_home()
    return reply


def meanwhile(request: dict[str, Any]) -> dict[str, Any]:
    """What the parent does while its store is under way."""
    store = HELD["store"]
    line = words()["meanwhile"].get(request["what"])
    if line is None:
        return {"done": {"answer": "absent"}}
    if request["what"] == "forgets the store":
        del store, HELD["store"]
        gc.collect()
        return {"done": ask(lambda: None)}
    run = runner("loop" if request["warm"] else "caller")
    reply = {
        "done": ask(lambda: call("meanwhile", line, store=store, run=run, place=request["place"]))
    }
    return reply | {"mark": mark_at_home()}


def receive(request: dict[str, Any], reply: dict[str, Any]) -> Any:
    """Take the store out of its carrier."""
    if request["carrier"] == "made anew":
        return make_store(request["store"])
    if request["carrier"] == "inherited":
        return HELD["store"]
    if "cargo itself" in request:
        cargo = request["cargo itself"].pop()
        if same := words()["cargo"][request["cargo"]].get("same"):
            reply["same object"] = ask(lambda: call("cargo", same, cargo=cargo))
        return take_cargo(request, cargo)
    packed = base64.b64decode(request["pickle"]) if "pickle" in request else HELD["carried"]
    cargo = call("receiving", VOCABULARY["carriers"][request["carrier"]]["receive"], packed=packed)
    if same := words()["cargo"][request["cargo"]].get("same"):
        reply["same object"] = ask(lambda: call("cargo", same, cargo=cargo))
    return take_cargo(request, cargo)


def look(store: Any, request: dict[str, Any]) -> dict[str, Any]:
    """The state of `store`, then every look of the plan, in order."""
    run = runner(request["driver"])
    since = time.perf_counter_ns()
    reply: dict[str, Any] = {"state": state_of(store)} if request["look at state"] else {}
    note("looks: state", since)
    reply["looks"] = []
    for step in request["plan"]:
        since = time.perf_counter_ns()
        reply["looks"].append(perform("looks", store, run, step))
        note("looks: " + step["family"], since)
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
        os.chdir(HELD["folder"])


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
        reply["descriptors"] = open_descriptors(request["thrifty"])
    reply["mark after leaving"] = mark(reply["mark after receiving"])
    return reply


def stay(store: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Look at the store, send it on, close it; afterwards nobody holds it any more."""
    reply: dict[str, Any] = {"arrived with": sorted(getattr(store, "__dict__", {}))}
    reply |= look(store, request)
    own = HELD.get("store")
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
    let_go()
    reply: dict[str, Any] = {}
    cargo: list[Any] = []
    reply["received"] = ask(lambda: cargo.append(pickle.loads(base64.b64decode(request["pickle"]))))
    if not cargo:
        return reply
    if request["comes back"] == "array":
        reply["array"] = ask(lambda: cargo[0][:].tolist())
        return reply
    reply |= look(cargo[0], request)
    own = HELD.get("store")
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
    held = HELD["interface"]
    HELD["interface"] = ""
    reply = look(store, request)
    HELD["interface"] = held
    return reply


def look_at_own(request: dict[str, Any]) -> dict[str, Any]:
    """The parent's look at the store it kept, once it has nothing else to do."""
    let_go()
    os.chdir(HELD["folder"])
    return look(HELD["store"], request) if "store" in HELD else {}


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


# --- the slow lane ------------------------------------------------------------------------------


def visit_of_cargo(cargo: Any, request: dict[str, Any]) -> dict[str, Any]:
    """The worker's part: the pool has carried the cargo."""
    if not request["same process"]:
        enter(request)
    return visit(request | {"cargo itself": [cargo]})


def visit_in_pool(request: dict[str, Any]) -> dict[str, Any]:
    """`visit`, by a real pool. What it refuses to carry is told apart from what is seen there."""
    answer, cargo = put_cargo(request, HELD["store"])
    if answer["answer"] != "shown":
        return {"cargo": answer}
    try:
        return pools.run(
            request["pool"],
            request["transport"],
            request["deadline"],
            visit_of_cargo,
            cargo,
            request,
        )
    except (TimeoutError, multiprocessing.TimeoutError):
        pools.drop_all()
        return {"timed out": ""}
    except Exception as error:
        pools.drop_all()  # it may be broken
        return {"pool refused": refused(error)}


def leave(request: dict[str, Any]) -> dict[str, Any]:
    """The parent closes and forgets its store."""
    let_go()
    os.chdir(HELD["folder"])
    store = HELD.pop("store", None)
    HELD.pop("carried", None)
    reply: dict[str, Any] = {}
    if store is not None:
        reply["closed"] = perform("looks", store, None, {"do": "close"})
        del store
    reply["descriptors"] = open_descriptors(request["thrifty"])
    reply["mark"] = mark_at_home()
    return reply


def hello(request: dict[str, Any]) -> dict[str, Any]:
    """Who is here: what `run.json` says of the subject."""
    return {"zarr": zarr.__version__, "python": sys.version.split()[0]}


def try_store(request: dict[str, Any]) -> dict[str, Any]:
    """Whether what a stranger's store needs can be imported and, asked so, the store be made."""
    try:
        enter(request)
        for line in request["store"]["imports"]:
            bring(line)
        if request["make"]:
            make_store(request["store"])
    except BaseException as error:  # SystemExit as well
        HELD["folder"] = request["folder"]
        return {"tried": refused(error)}
    return {"tried": {"answer": "shown", "value": None}}


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
            eval(about["make"].partition("(")[0], NAMES)
        except ModuleNotFoundError as error:
            lacks[about["kind"]] = f"{error.name} is not there"
        except (ImportError, NameError) as error:
            lacks[about["kind"]] = str(error)
        except AttributeError:
            lacks[about["kind"]] = f"zarr {zarr.__version__} has none"
    known = {"cloudpickle": "cloudpickle", "dask": "distributed"}
    carriers = [name for name, module in known.items() if module not in NAMES]
    return {"stores": lacks, "carriers": carriers}


# What the imports left is never garbage: collecting costs a tenth, and forks share the memory.
gc.collect()
gc.freeze()

_STEPS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "hello": hello,
    "build": build,
    "lacking": lacking,
    "try store": try_store,
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
    since = time.perf_counter_ns()
    TOOK.clear()
    question = json.loads(request)
    elsewhere = question["step"] == "visit" and not question["same process"]
    if elsewhere:
        enter(question)
    reply = _STEPS[question["step"]](question)
    if elsewhere:  # the parent counts the time of its own steps
        note("visit", since + sum(TOOK.values()))
    return json.dumps(reply | {"took": TOOK})
