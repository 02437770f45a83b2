"""The names that lines of operations.json use, and what a class declares."""

from __future__ import annotations

import functools
import inspect
from typing import Any

import helpers
from line_names import COMMON, ZARR_2

# In which the lines are compiled.
NAMES: dict[str, Any] = COMMON | dict(inspect.getmembers(helpers, inspect.isfunction))

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
