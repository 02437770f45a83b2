"""Which lines of the subject's store code ran: counters for the fuzzer, shared by all processes.

Lines are numbered by (file, line, qualified name) of every code object of the watched modules, so
that parent and children agree. `sys.monitoring` (PEP 669) reports a line once and then costs
nothing, until `restart` asks anew.
"""

from __future__ import annotations

import importlib
import sys
import types
from typing import Any

_TOOL = sys.monitoring.COVERAGE_ID
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


def _code_objects(module: types.ModuleType) -> list[types.CodeType]:
    """Every code object of a module, by walking its compiled source."""
    try:
        with open(module.__file__ or "", "rb") as file:
            pending = [compile(file.read(), module.__file__ or "", "exec")]
    except OSError:
        return []
    found = []
    while pending:
        code = pending.pop()
        found.append(code)
        pending += [const for const in code.co_consts if isinstance(const, types.CodeType)]
    return found


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


def watch(counters: Any, ever: Any) -> int:
    """Count lines into `counters` and `ever` (writable buffers); returns how many are watched."""
    places = numbers()
    files = {place[0] for place in places}
    limit = len(counters)
    disable = sys.monitoring.DISABLE

    def line(code: types.CodeType, number: int) -> Any:
        if code.co_filename in files:
            index = places.get((code.co_filename, number))
            if index is not None and index < limit:
                counters[index] = 1
                ever[index] = 1
        return disable

    sys.monitoring.use_tool_id(_TOOL, "storefuzz")
    sys.monitoring.register_callback(_TOOL, sys.monitoring.events.LINE, line)
    sys.monitoring.set_events(_TOOL, sys.monitoring.events.LINE)
    return min(len(places), limit)


def restart() -> None:
    """Report every line again."""
    sys.monitoring.restart_events()
