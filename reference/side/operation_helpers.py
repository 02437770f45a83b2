"""What an operation does beyond one call of zarr.

Lines of operations.json call these functions. A script prints those it needs as they stand here,
so there are no annotations and few lines. harness/findings/script_frame.cc must know what they
import.
"""

import contextlib
import itertools

with contextlib.suppress(ImportError):  # zarr 2 has none of it, and no operation that needs it
    from zarr.abc.store import RangeByteRequest
    from zarr.core.buffer import cpu, default_buffer_prototype

    prototype = default_buffer_prototype()


async def set_and_overwrite(store, key, value):  # who uses the memory again
    mine = bytearray(value)
    await store.set(key, cpu.Buffer.from_bytes(mine))
    mine[:] = b"#" * len(mine)


async def set_path_and_overwrite(path, value):
    mine = bytearray(value)
    await path.set(cpu.Buffer.from_bytes(mine))
    mine[:] = b"#" * len(mine)


async def get_and_overwrite(store, key):  # the memory that came is used for something else
    found = await store.get(key, prototype)
    taken = found and cpu.Buffer.from_bytes(found.to_bytes())
    if found and found.as_numpy_array().flags.writeable:
        found.as_numpy_array()[:] = ord("#")
    return taken


async def get_partial_ranges(store, key, start, end):  # in the order in which they are asked for
    found = await store.get_partial_values(prototype, [(key, it) for it in parts(start, end)])
    if all(it is None for it in found):
        return None
    return cpu.Buffer.from_bytes(b"".join(it.to_bytes() for it in found))


async def get_ranges(store, key, start, end):
    asked = parts(start, end)
    try:
        batches = store.get_ranges(key, asked, prototype=prototype)
        return joined([it async for batch in batches for it in batch])
    except BaseExceptionGroup as group:
        return nothing_there(group)


def get_ranges_sync(store, key, start, end):
    asked = parts(start, end)
    try:
        return joined(store.get_ranges_sync(key, asked, prototype=prototype))
    except BaseExceptionGroup as group:
        return nothing_there(group)


def parts(start, end):  # a range in two, or as it is where it is too short
    edges = sorted({start, (start + end) // 2, end}) if start < end else [start, end]
    return [RangeByteRequest(*it) for it in itertools.pairwise(edges)]


def joined(found):  # parts come with their number, in any order
    found = [it.to_bytes() for _, it in sorted(found, key=lambda it: it[0])]
    return cpu.Buffer.from_bytes(b"".join(found))


def nothing_there(group):  # PEP 654: a key that is not there is told by a group of errors
    error = group.exceptions[0]  # of a file that is not there the system gave it a number
    if not isinstance(error, FileNotFoundError) or error.errno:
        raise error


async def delete_listed(store):
    async for key in store.list():
        await store.delete(key)


async def move_read_only(store):  # what only reads is moved away, and back again
    if store.read_only:
        place = store.root if hasattr(store, "root") else store.path
        await store.move(f"{place}.moved")
        await store.move(place)
