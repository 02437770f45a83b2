"""What one line of operations.json cannot say, and the names that its lines use."""

from __future__ import annotations

import functools
import itertools
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


def parts(start: int, end: int) -> list[Any]:
    """A range in two, or as it is where it is too short."""
    edges = dict.fromkeys([start, (start + end) // 2, end])
    return [COMMON["RangeByteRequest"](*part) for part in itertools.pairwise(edges)]


def joined(found: list[tuple[int, Any]]) -> bytes:
    """Parts come with their number, in any order."""
    return b"".join(buffer.to_bytes() for _, buffer in sorted(found, key=lambda it: it[0]))


def nothing_there(group: BaseExceptionGroup[BaseException]) -> None:
    """A key that is not there is told by a group of errors (PEP 654), any other error as well."""
    if not isinstance(group.exceptions[0], FileNotFoundError):
        raise group.exceptions[0]


async def get_ranges(handle: Any, key: str, start: int, end: int) -> bytes | None:
    """Get a range by its parts."""
    batches = handle.get_ranges(key, parts(start, end), prototype=COMMON["prototype"])
    try:
        return joined([part async for batch in batches for part in batch])
    except BaseExceptionGroup as group:
        return nothing_there(group)


def get_ranges_sync(handle: Any, key: str, start: int, end: int) -> bytes | None:
    """The same without an event loop."""
    asked = parts(start, end)
    try:
        return joined(handle.get_ranges_sync(key, asked, prototype=COMMON["prototype"]))
    except BaseExceptionGroup as group:
        return nothing_there(group)


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
    "get_ranges": get_ranges,
    "get_ranges_sync": get_ranges_sync,
    "move_read_only": move_read_only,
    "set_and_overwrite": set_and_overwrite,
    "set_path_and_overwrite": set_path_and_overwrite,
}
