"""The names that lines of operations.json use, and what a class declares."""

from __future__ import annotations

import functools
import inspect
from typing import Any

import operation_helpers
from line_names import COMMON, ZARR_2

NAMES: dict[str, Any] = dict(COMMON)  # in which the lines are compiled
for _name, _function in inspect.getmembers(operation_helpers, inspect.isfunction):
    if _function.__module__ == operation_helpers.__name__:
        NAMES[_name] = _function

if not ZARR_2:
    from zarr.storage import StorePath

    NAMES["StorePath"] = StorePath


@functools.cache
def declared(kind: type) -> frozenset[str]:
    """Attributes and properties that a class declares, also those that an object may lack."""
    names = {
        name
        for name in dir(kind)
        if name[:2] != "__" and name != "_abc_impl" and not callable(getattr(kind, name, None))
    }
    for holder in kind.__mro__:
        names |= {name for name in vars(holder).get("__annotations__", {}) if name[:2] != "__"}
    return frozenset(names)
