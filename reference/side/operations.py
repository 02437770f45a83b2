"""What one line of operations.json cannot say, and the names that its lines use."""

from __future__ import annotations

import functools
from pathlib import PurePath
from typing import Any

from line_names import COMMON, ZARR_2

NAMES: dict[str, Any] = dict(COMMON)  # in which the lines are compiled

if not ZARR_2:
    from zarr.abc.store import Store
    from zarr.core.buffer import cpu
    from zarr.storage import StorePath

    NAMES["StorePath"] = StorePath

MOST_WRAPPERS = 4


async def set_and_overwrite(handle: Any, key: str, value: bytes) -> None:
    """Set a value whose memory belongs to the caller, who uses that memory again afterwards."""
    mine = bytearray(value)
    await handle.set(key, cpu.Buffer.from_bytes(mine))
    mine[:] = b"#" * len(mine)


async def set_path_and_overwrite(path: Any, value: bytes) -> None:
    """The same, by a StorePath, which has its key itself."""
    mine = bytearray(value)
    await path.set(cpu.Buffer.from_bytes(mine))
    mine[:] = b"#" * len(mine)


def state(handle: Any) -> dict[str, str]:
    """Every attribute and property of a store or path, and of the stores that it holds, as text."""
    found: dict[str, str] = {}
    _read_state(handle, "", found)
    return dict(sorted(found.items()))


def _read_state(handle: Any, within: str, found: dict[str, str]) -> None:
    for name in {*getattr(handle, "__dict__", ()), *declared(type(handle))}:
        try:
            value = getattr(handle, name)
        except Exception as error:  # an attribute that is lost shows as its refusal
            found[within + name] = type(error).__name__
            continue
        found[within + name] = _text_of(value)
        if not ZARR_2 and isinstance(value, Store) and within.count(".") < MOST_WRAPPERS:
            _read_state(value, f"{within}{name}.", found)


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


def _text_of(value: Any) -> str:
    """Plain values as they are written; of other objects, whose text may hold addresses, the type.

    Paths are whole: the worker knows the case's folder and takes it out.
    """
    if value is None or isinstance(value, bool | int | float | str | bytes):
        return repr(value)
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_text_of, value))}]"
    return f"<{type(value).__name__}>"


NAMES |= {
    "set_and_overwrite": set_and_overwrite,
    "set_path_and_overwrite": set_path_and_overwrite,
    "state": state,
}
