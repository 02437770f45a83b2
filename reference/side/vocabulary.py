"""The vocabulary, ready to run: lines of Python about a store, and who drives their coroutines.

Lines of vocabulary.json and texts of stores.json are compiled once. What the running case's store
is like, and what this side holds of it, lies in `HELD`.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import inspect
import json
import os
import shutil
import threading
import warnings
from collections.abc import Callable
from typing import Any

warnings.simplefilter("ignore")  # zarr warns a lot; a warning is no finding


from inline_loop import InlineLoop  # noqa: E402
from line_names import COMMON, ZARR_2  # noqa: E402

if not ZARR_2:
    import zarr.core.sync as zarr_sync

HELD: dict[str, Any] = {"folder": "."}  # this side's store, copies made of it, the case's folder
_LOOPS: dict[tuple[int, int], asyncio.AbstractEventLoop] = {}


def runner(driver: str) -> Callable[[Any], Any]:
    """Who runs coroutines: zarr's own event loop, or the calling thread."""
    return zarr_sync.sync if driver == "loop" and not ZARR_2 else run_by_caller


def run_by_caller(coroutine: Any) -> Any:
    """Run `coroutine` in the calling thread: by hand, or in a loop of ours when its store waits."""
    if not HELD["waits"]:
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
        _LOOPS[place] = InlineLoop()
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
    HELD["let go"] = done.set


def let_go() -> None:
    HELD.pop("let go", lambda: None)()


NAMES: dict[str, Any] = COMMON | {
    "contextlib": contextlib,
    "collect": collect,
    "data": data,
    "gc": gc,
    "holding": holding,
    "shutil": shutil,
    "threading": threading,
}

_ARGUMENTS = ("store", "run", "key", "value", "start", "end", "cargo", "packed", "place")


@functools.lru_cache(4096)
def compiled(name: str, line: str) -> Callable[..., Any]:
    """A vocabulary line as a function; its name shows in stacks, so that a hang tells its look."""
    for argument in _ARGUMENTS:
        line = line.replace(f"{{{argument}}}", argument)
    source = f"lambda {', '.join(_ARGUMENTS)}: ({line})"
    place = f"<look {name}>"
    # LoggingStore asks for the module of every frame: of one without a file, all are searched.
    inspect.modulesbyfile[place] = __name__
    return eval(compile(source, place, "eval"), NAMES)


def call(name: str, line: str, **arguments: Any) -> Any:
    """What a vocabulary line gives for these arguments; the others are None."""
    return compiled(name, line)(*(arguments.get(argument) for argument in _ARGUMENTS))


_REFERENCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
with open(os.path.join(_REFERENCE, "vocabulary.json")) as _file:
    VOCABULARY = json.load(_file)


def words() -> dict[str, Any]:
    """The vocabulary of the case's store."""
    return VOCABULARY["zarr 2" if ZARR_2 else HELD["interface"] or "zarr 3"]


@functools.cache
def bring(line: str) -> None:
    """Run an import of an adapter, once."""
    exec(line, NAMES)


def make_store(about: dict[str, Any]) -> Any:
    """Call the constructor as the case says; `about` is the `store` of a request."""
    for line in about["imports"]:
        bring(line)
    return call("constructor", about["make"])
