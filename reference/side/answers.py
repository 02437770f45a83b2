"""What a side lets us see: values as JSON, exceptions as refusals, states, files, descriptors.

Nothing here judges. An answer is shown(value), refused(exception) or absent.
"""

from __future__ import annotations

import faulthandler
import functools
import gc
import logging
import os
import pathlib
import re
import time
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import zarr

from operations import declared
from vocabulary import HELD, compiled, run_by_caller, run_in_loop, words

Answer = dict[str, Any]
SHOWN_BYTES = 64  # longer values are shown as size, checksum and first bytes
TEXT_LIMIT = 300  # characters of an exception's text that are kept

# Nanoseconds that this request spent, by the name of the phase in harness/journey/phases.h.
TOOK: dict[str, int] = {}

_SUBJECT = os.path.dirname(os.path.dirname(os.path.abspath(zarr.__file__))) + os.sep
_STDLIB = os.path.dirname(os.path.abspath(os.__file__)) + os.sep


def note(phase: str, since: int) -> None:
    """What passed since `since`, of time.perf_counter_ns, was this phase."""
    TOOK[phase] = TOOK.get(phase, 0) + time.perf_counter_ns() - since


def hide_paths(text: str) -> str:
    """Equal texts for equal cases: folder, object addresses and thread numbers taken out."""
    return _hidden(text, HELD["folder"])


@functools.lru_cache(4096)  # one case asks for the same names and refusals again and again
def _hidden(text: str, folder: str) -> str:
    text = text.replace(folder, "<case>").replace(_SUBJECT, "").replace(_STDLIB, "")
    text = re.sub(r" \([0-9]+ sub-exceptions?\)", "", text)  # how many got that far, is chance
    text = re.sub(r"(current_size|cached_keys)=[0-9]+", r"\1=…", text)  # looking changes them
    text = re.sub(r"\bprocess [0-9]+", "process …", text)
    # Addresses, numbers of threads, and the names of LocalStore's temporary files.
    return re.sub(r"0x[0-9a-f]{6,}|\b[0-9]{9,}\b|\b[0-9a-f]{32}\b", "0x…", text)


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
    if isinstance(value, logging.Logger):
        kinds = [type(handler).__name__ for handler in value.handlers]
        return {"logger": hide_paths(value.name), "level": value.level, "handlers": kinds}
    if isinstance(value, type):
        return {"type": value.__name__}
    if hasattr(value, "storage_args"):  # a file system of fsspec is what it was made of
        made = {"arguments": list(value.storage_args), **value.storage_options}
        return {type(value).__name__: {name: plain(part) for name, part in made.items()}}
    return {"object": type(value).__name__}


def last_frame(error: BaseException) -> str:
    """The file and function of the subject that is nearest to where it was raised, or nothing."""
    # traceback.extract_tb would look for the source line of every frame.
    own = None
    step = error.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        if code.co_filename.startswith(_SUBJECT):
            own = code
        step = step.tb_next
    return f"{hide_paths(own.co_filename)}:{own.co_name}" if own else ""


def refused(error: BaseException) -> Answer:
    """What an exception of the subject tells: type, text, its last frame in the subject."""
    answer = {
        "answer": "refused",
        "type": type(error).__name__,
        "text": hide_paths(str(error))[:TEXT_LIMIT],
        "kinds": [kind.__name__ for kind in type(error).__mro__[:-1]],
    }
    if own := last_frame(error):
        answer["frame"] = own
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


def is_store(value: Any) -> bool:
    """Whether this is a store, of zarr or of somebody else, or a path in one."""
    kinds = type(value).__mro__
    return any(kind.__module__.startswith("zarr.") for kind in kinds) and hasattr(value, "exists")


def state_of(store: Any, within: str = "") -> dict[str, Answer]:
    """Every attribute and property of a store, and of what it wraps: name → answer."""
    names = set(vars(store)) if hasattr(store, "__dict__") else set()
    names |= declared(type(store))
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
    key, value = step.get("key", ""), (step.get("value", "") * step.get("repeat", 1)).encode()
    start, end = step.get("start", 0), step.get("end", 0)
    function = compiled(name, line)
    try:  # as ask and call, but LoggingStore pays in each of its calls for every frame above
        found = function(store, run, key, value, start, end, None, None, None)
        return {"answer": "shown", "value": plain(found)}
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as error:  # a refusal by the subject is data
        return refused(error)


def mark(previous: dict[str, Any] | None = None) -> dict[str, Any]:
    """What lies in the case's folder now: name → size and checksum; entries where those changed."""
    since = time.perf_counter_ns()
    try:
        return mark_unless(previous)
    finally:
        note("marks", since)


def files_below(folder: str) -> dict[str, Any]:
    """Every file below `folder`: name → size and checksum.

    In our own processes one in C++ (marks.h) takes the place of this one; the workers of a real
    pool are started by Python's multiprocessing, and have no C++.
    """
    files: dict[str, Any] = {}
    for here, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(here, name)
            with open(path, "rb") as file:
                content = file.read()
            files[os.path.relpath(path, folder)] = [len(content), zlib.crc32(content)]
    return files


def mark_unless(previous: dict[str, Any] | None) -> dict[str, Any]:
    files = files_below(HELD["folder"])
    seen: dict[str, Any] = {"files": files}
    if previous is not None and previous["files"] == files:
        return previous
    try:
        with zipfile.ZipFile(os.path.join(HELD["folder"], "store.zip")) as archive:
            seen["entries"] = archive.namelist()
    except Exception:  # whatever zipfile makes of an archive that is wrong
        seen["entries"] = None
    return seen


def mark_at_home() -> dict[str, Any]:
    """The mark, in the parent. Where no file changed, its entries are not read again."""
    HELD["mark"] = mark(HELD.get("mark"))
    return HELD["mark"]


_LEAKY: set[str] = set()  # kinds of stores that left a file open


def open_descriptors(thrifty: bool) -> list[str]:
    """Files of the case that this process holds open, and still does a moment later.

    `thrifty`: the moment is waited until a store of this kind has left a file open after it.
    """
    if not held_descriptors():
        return []
    gc.collect()
    held = held_descriptors()
    if held and not (thrifty and HELD["kind"] in _LEAKY):
        time.sleep(0.05)  # a thread of the subject may be about to close one
        held = held_descriptors()
        if held:
            _LEAKY.add(HELD["kind"])
    return held


def held_descriptors() -> list[str]:
    found = []
    for number in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{number}")
        except OSError:
            continue
        if target.startswith(HELD["folder"] + os.sep):
            found.append(hide_paths(target))
    return sorted(found)


def stacks() -> str:
    """The Python stacks of every thread of this process."""
    with open(os.memfd_create("stacks"), "w+b", buffering=0) as file:
        faulthandler.dump_traceback(file, all_threads=True)
        file.seek(0)
        return hide_paths(file.read().decode(errors="replace"))
