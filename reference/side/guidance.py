"""Which lines of the subject's store code ran: counters for the fuzzer, shared by all processes.

Lines are numbered by file and line of every code object of the watched modules, so that parent and
children agree. `sys.monitoring` (PEP 669) is asked about the functions of these modules alone: to
ask about all code slows what is not counted down as well, in each new process anew.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import inspect
import json
import types
from pathlib import Path

_MODULES = (
    "zarr.abc.store",
    "zarr.core.sync",
    "zarr.experimental.cache_store",
    "zarr.storage",
    "zarr.storage._common",
    "zarr.storage._fsspec",
    "zarr.storage._local",
    "zarr.storage._logging",
    "zarr.storage._memory",
    "zarr.storage._obstore",
    "zarr.storage._utils",
    "zarr.storage._wrapper",
    "zarr.storage._zip",
    "zipfile",
)


def _with_inner(codes: list[types.CodeType]) -> list[types.CodeType]:
    """These code objects, and those of what they define."""
    found, pending = {}, list(codes)
    while pending:
        code = pending.pop()
        if id(code) in found:
            continue
        found[id(code)] = code
        pending += [const for const in code.co_consts if isinstance(const, types.CodeType)]
    return list(found.values())


def _code_objects(module: types.ModuleType) -> list[types.CodeType]:
    """Every code object of a module, by walking its compiled source."""
    try:
        with open(module.__file__ or "", "rb") as file:
            return _with_inner([compile(file.read(), module.__file__ or "", "exec")])
    except OSError:
        return []


def _lines(codes: list[types.CodeType]) -> dict[tuple[str, int], int]:
    every = {(code.co_filename, line) for code in codes for _, _, line in code.co_lines() if line}
    return {place: index for index, place in enumerate(sorted(every))}


def _modules() -> list[types.ModuleType]:
    found = []
    for name in _MODULES:
        with contextlib.suppress(ImportError):  # the release has no such module
            found.append(importlib.import_module(name))
    return found


def numbers() -> dict[tuple[str, int], int]:
    """Every line that is watched: (file, line) → its number."""
    return _lines([code for module in _modules() for code in _code_objects(module)])


def functions() -> list[types.CodeType]:
    """The code of every function there is whose lines have numbers."""
    files = {module.__file__ for module in _modules()}
    every = [it.__code__ for it in gc.get_objects() if isinstance(it, types.FunctionType)]
    return [code for code in _with_inner(every) if code.co_filename in files]


def places() -> list[tuple[str, int, bool]]:
    """What each number stands for: a file, relative to its package's place, a line, in a function.

    What stands outside of functions runs once, when zarr is imported: before anybody counts.
    """
    modules = _modules()
    inside = {
        (code.co_filename, line)
        for module in modules
        for code in _code_objects(module)
        if code.co_flags & inspect.CO_OPTIMIZED
        for _, _, line in code.co_lines()
        if line and line != code.co_firstlineno
    }
    tops = [importlib.import_module(module.__name__.split(".")[0]) for module in modules]
    roots = {str(Path(top.__file__ or "").parent.parent) for top in tops}
    numbered = numbers()
    every = sorted(numbered, key=numbered.__getitem__)
    return [(_below(place[0], roots), place[1], place in inside) for place in every]


def _below(file: str, roots: set[str]) -> str:
    for root in roots:
        if file.startswith(root + "/zarr/") or file.startswith(root + "/zipfile"):
            return str(Path(file).relative_to(root))
    return file


if __name__ == "__main__":
    print(json.dumps(places()))
