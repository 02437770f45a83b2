"""What one line of operations.json cannot say, and the names that its lines use."""

from __future__ import annotations

import functools
from typing import Any

from line_names import COMMON, ZARR_2

NAMES: dict[str, Any] = dict(COMMON)  # in which the lines are compiled

if not ZARR_2:
    from zarr.core.buffer import cpu
    from zarr.storage import StorePath

    NAMES["StorePath"] = StorePath


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


async def get_and_overwrite(handle: Any, key: str) -> bytes | None:
    """Get a value, and use the memory that came for something else."""
    found = await handle.get(key, COMMON["prototype"])
    if found is None:
        return None
    taken = found.to_bytes()
    memory = found.as_numpy_array()
    if memory.flags.writeable:
        memory[:] = ord("#")
    return taken


async def delete_listed(handle: Any) -> None:
    """Delete each key as it is listed."""
    async for key in handle.list():
        await handle.delete(key)


async def move_read_only(handle: Any) -> None:
    """Move what only reads away, and back again. What writes may be moved, and stays."""
    if not handle.read_only:
        return
    place = handle.root if hasattr(handle, "root") else handle.path
    await handle.move(f"{place}.moved")
    await handle.move(place)


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


NAMES |= {
    "delete_listed": delete_listed,
    "get_and_overwrite": get_and_overwrite,
    "move_read_only": move_read_only,
    "set_and_overwrite": set_and_overwrite,
    "set_path_and_overwrite": set_path_and_overwrite,
}
