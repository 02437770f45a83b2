"""What the worker's C++ asks Python for: functions, once each, and what coroutines need.

A line of operations.json, carriers.json or stores.json becomes a function here; C++ (worker/)
keeps the function, calls it, drives what it gives and turns answers and exceptions into frames.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import importlib
import inspect
import json
import logging
import os
import socket
import sys
import types
import warnings
from collections.abc import Callable
from typing import Any

warnings.simplefilter("ignore")  # zarr warns a lot; a warning is no finding

import zarr  # noqa: E402
import zarr.storage  # noqa: E402

from inline_loop import InlineLoop  # noqa: E402
from line_names import ZARR_2  # noqa: E402
from operations import NAMES, declared  # noqa: E402, F401

if not ZARR_2:
    import zarr.core.sync as zarr_sync
    from zarr.abc.store import Store
    from zarr.core.buffer import Buffer

STORE = None if ZARR_2 else Store

# What is never awaited, or raised where nobody listens, is told on standard error otherwise.
sys.unraisablehook = lambda _: None
logging.getLogger("asyncio").setLevel(logging.CRITICAL + 1)

# Prefixes of file names that are no part of an answer, and what is told instead.
SUBJECT = os.path.dirname(os.path.dirname(os.path.abspath(zarr.__file__))) + os.sep
STDLIB = os.path.dirname(os.path.abspath(os.__file__)) + os.sep

_REFERENCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def _table(name: str) -> dict[str, Any]:
    with open(os.path.join(_REFERENCE, name)) as file:
        return json.load(file)


_OPERATIONS = _table("operations.json")
_CARRIERS = _table("carriers.json")

# --- functions


def _compiled(name: str, arguments: str, line: str) -> Callable[..., Any]:
    """A line as a function; its name shows in stacks, so that a hang tells what it was."""
    place = f"<{name}>"
    # LoggingStore asks for the module of every frame: of one without a file, all are searched.
    inspect.modulesbyfile[place] = __name__
    return eval(compile(f"lambda {arguments}: ({line})", place, "eval"), NAMES)


_kept = functools.cache(_compiled)  # of a line that stands in a table
_OPERATION = "handle, key, value, start, end, other, flag"


def _interface(kind: type) -> str:
    if ZARR_2:
        return "zarr 2"
    if issubclass(kind, zarr.Array):
        return "array"
    if issubclass(kind, zarr.Group):
        return "group"
    return "zarr 3 path" if issubclass(kind, zarr.storage.StorePath) else "zarr 3"


def is_buffer(kind: type) -> bool:
    return not ZARR_2 and issubclass(kind, Buffer)


def operation(kind: type, word: str) -> Callable[..., Any] | None:
    """An operation on handles of this class; None: there is none, or this release lacks it."""
    line = _OPERATIONS[_interface(kind)].get(word)
    needs = _OPERATIONS["requires"].get(word, "").split()
    # A StorePath has a key of its own: its line calls the method on another StorePath.
    if line is None or not all(hasattr(kind, name) for name in needs):
        return None
    return _kept(word, _OPERATION, line)


def maker(text: str) -> Callable[..., Any]:
    """A constructor's expression over `path`, `inner` and `server`."""
    return _compiled("make", "path, inner, server", text)


def carrier(word: str) -> tuple[Callable[..., Any], Callable[..., Any]] | None:
    """How a cargo is packed, and how it is received; None: this environment lacks it."""
    lines = _CARRIERS["carriers"].get(word)
    lacks = {"cloudpickle": "cloudpickle", "dask": "distributed"}.get(word)
    if lines is None or (lacks and lacks not in NAMES):
        return None
    pack = _kept("packing", "cargo", lines["pack"].replace("{cargo}", "cargo"))
    receive = _kept("receiving", "packed", lines["receive"].replace("{packed}", "packed"))
    return pack, receive


def put(kind: type, word: str) -> Callable[..., Any] | None:
    """What is put around a handle of this class to travel; None: it does not travel so."""
    # An array or group travels as it is.
    table = _CARRIERS.get(_interface(kind), {"cargo": {"store": {"put": "store"}}})
    lines = table["cargo"].get(word)
    return _kept("cargo", "store", lines["put"]) if lines else None


def take(word: str) -> Callable[..., Any] | None:
    """How the handle is taken out of what travelled: the same for all that can be put there."""
    lines = _CARRIERS["zarr 2" if ZARR_2 else "zarr 3"]["cargo"].get(word)
    return _kept("cargo", "cargo", lines["take"].replace("{cargo}", "cargo")) if lines else None


def bring(line: str) -> None:
    """Run an import of an adapter."""
    with contextlib.suppress(ImportError):
        exec(line, NAMES)


def run(line: str) -> None:
    """Run an adapter's `before` or `clean`; a release may lack the store."""
    with contextlib.suppress(NameError, AttributeError):
        eval(line, NAMES)


def _in_a_copy(function: Callable[[], Any]) -> Any:
    """What `function` gives, as JSON can tell it, in a forked copy of this process.

    An import may start threads (icechunk's does). A worker is born of one thread: it would lack the
    others, and the locks they hold would never be let go.
    """
    reading, writing = os.pipe()
    copy_of_us = os.fork()
    if copy_of_us == 0:
        try:
            os.write(writing, json.dumps(function()).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading) as told:
        answer = told.read()
    os.waitpid(copy_of_us, 0)
    return json.loads(answer) if answer else None


def _compile_early() -> None:
    """Compile every operation, so that no worker has to."""
    for interface in ("zarr 2",) if ZARR_2 else ("zarr 3", "zarr 3 path", "array", "group"):
        for word, line in _OPERATIONS[interface].items():
            _kept(word, _OPERATION, line)


def import_early(adapters: list[dict[str, Any]]) -> None:
    """Import what adapters need, so that no worker has to; but nothing that starts a thread."""
    _compile_early()

    def threads_after(lines: list[str]) -> int:
        for line in lines:
            bring(line)
        return len(os.listdir("/proc/self/task"))

    for lines in {tuple(about["imports"]): 0 for about in adapters if about["imports"]}:
        if _in_a_copy(lambda lines=lines: threads_after(lines)) == 1:
            threads_after(lines)


def lacking(adapters: list[dict[str, Any]]) -> dict[str, Any]:
    """Which stores and carriers cannot be had here, and why."""
    stores = _in_a_copy(lambda: _lacking_stores(adapters))
    carriers = [word for word in _CARRIERS["carriers"] if carrier(word) is None]
    return {"stores": stores or {}, "carriers": carriers}


def _reaches_loopback() -> bool:
    """Whether an http server of ours can be reached: without a network loopback may be off, too."""
    with socket.socket() as server, socket.socket() as client:
        server.settimeout(1)
        client.settimeout(1)
        try:
            server.bind(("127.0.0.1", 0))
            server.listen()
            client.connect(server.getsockname())
        except OSError:
            return False
    return True


def _lacking_stores(adapters: list[dict[str, Any]]) -> dict[str, str]:
    stores: dict[str, str] = {}
    for about in adapters:
        if "{server}" in about["make"] and not _reaches_loopback():
            stores[about["kind"]] = "nothing is reached at 127.0.0.1"
            continue
        needs = [f"import {about['needs']}"] if about["needs"] else []
        try:
            names = dict(NAMES)
            for line in [*about["imports"], *needs]:
                exec(line, names)
            eval(about["make"].partition("(")[0], names)
        except ModuleNotFoundError as error:
            stores[about["kind"]] = f"{error.name} is not there"
        except (ImportError, NameError) as error:
            stores[about["kind"]] = str(error)
        except AttributeError:
            stores[about["kind"]] = f"zarr {zarr.__version__} has none"
    return stores


# --- coroutines

sync = None if ZARR_2 else zarr_sync.sync


def start_loop() -> None:
    """From here on zarr's event loop runs in this process, on a thread of its own."""
    if sync:
        sync(asyncio.sleep(0))


LONGEST_REST = 0.05  # seconds


async def rest() -> None:
    """End what was begun here: of several writes of which one is refused the others go on."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if others:
        await asyncio.wait(others, timeout=LONGEST_REST)


def zarrs_loop() -> asyncio.AbstractEventLoop | None:
    """The loop of zarr's own thread; none where zarr has started none."""
    loop = None if ZARR_2 else zarr_sync.loop[0]
    return loop if loop is not None and loop.is_running() else None


def finish() -> None:
    """Let zarr's loop end what it has yet to end: it closes an iterator that was left some time."""
    if loop := zarrs_loop():
        with contextlib.suppress(TimeoutError):  # a loop that a fork lost never runs
            asyncio.run_coroutine_threadsafe(rest(), loop).result(timeout=2 * LONGEST_REST)


def finish_what_is_left() -> None:
    """The same where something is left: it would write into the folder of the next case."""
    if (loop := zarrs_loop()) and asyncio.all_tasks(loop):
        finish()


async def collect(function: Callable[..., Any], *arguments: Any) -> Any:
    """All items of what a call gives, or gave; where zarr 2 gives no iterator, what it gives."""
    found = function(*arguments) if callable(function) else function
    return [item async for item in found] if hasattr(found, "__aiter__") else found


async def first(function: Callable[..., Any], *arguments: Any) -> Any:
    """The first item. The iterator is left as it is, and forgotten."""
    found = function(*arguments) if callable(function) else function
    if not hasattr(found, "__aiter__"):
        return found
    async for item in found:
        return [item]
    return []


async def awaited(what: Any) -> Any:
    """A coroutine of what is none, but can be awaited."""
    return await what


def wait(loop: InlineLoop, awaited: Any) -> None:
    """A coroutine that is driven by hand waits: run the loop until it can go on."""
    if awaited is None:  # it only lets others go first
        loop.call_soon(loop.stop)
    else:
        awaited._asyncio_future_blocking = False  # as a Task says that it has seen it
        awaited.add_done_callback(lambda _: loop.stop())
    loop.run_forever()


def settle(loop: InlineLoop) -> None:
    """End what a refused call left in the loop."""
    tasks = asyncio.all_tasks(loop) - {loop.caller}
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))


# --- beginning


def lines() -> dict[tuple[str, int], int]:
    """The lines of the subject that are counted: (file, line) → number."""
    return importlib.import_module("guidance").numbers()


def counted() -> list[types.CodeType]:
    """The code that has those lines, as far as it can run again."""
    return importlib.import_module("guidance").functions()


def tidy() -> None:
    """What is here now is never garbage: forks share the memory, and to collect costs little."""
    gc.collect()
    gc.freeze()
    gc.disable()  # so that what a program drops is collected at the same step each time
