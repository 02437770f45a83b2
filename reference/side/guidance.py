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
import os
import sys
import types

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


def numbers() -> dict[tuple[str, int], int]:
    """Every line that is watched: (file, line) → its number."""
    codes: list[types.CodeType] = []
    for name in _MODULES:
        try:
            codes += _code_objects(importlib.import_module(name))
        except ImportError:  # the release has no such module
            continue
    return _lines(codes)


def lines_of_functions() -> list[tuple[str, int] | None]:
    """By number, the file as zarr names it, and the line; None where no function of zarr has it.

    What stands outside of functions runs once, when zarr is imported: before anybody counts.
    """
    codes: list[types.CodeType] = []
    for name in _MODULES:
        with contextlib.suppress(ImportError):
            codes += _code_objects(importlib.import_module(name))
    inside = {
        (code.co_filename, line)
        for code in codes
        if code.co_flags & inspect.CO_OPTIMIZED
        for _, _, line in code.co_lines()
        if line and line != code.co_firstlineno
    }
    root = os.path.dirname(os.path.dirname(sys.modules["zarr"].__file__ or ""))
    return [
        (os.path.relpath(place[0], root), place[1])
        if place in inside and place[0].startswith(root + os.sep + "zarr")
        else None
        for place in sorted(numbers())  # as _lines() numbers them
    ]


def functions() -> list[types.CodeType]:
    """The code of every function there is whose lines have numbers."""
    files = {place[0] for place in numbers()}
    every = [it.__code__ for it in gc.get_objects() if isinstance(it, types.FunctionType)]
    return [code for code in _with_inner(every) if code.co_filename in files]
