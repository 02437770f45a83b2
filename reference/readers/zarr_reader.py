"""Reads zip files with zarr-python's own ZipStore: any release of zarr 3, or zarr 2.18.

Besides reading it can pack a store, and read through a store that was packed: that is how a store
reaches another process.
"""

from __future__ import annotations

import asyncio
import pickle
import warnings
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import numpy as np
import protocol
import zarr

ZARR_2 = zarr.__version__.startswith("2.")

if ZARR_2:
    from zarr.errors import ArrayNotFoundError as NotFound
    from zarr.storage import ZipStore
else:
    from zarr.core.buffer import default_buffer_prototype
    from zarr.storage import ZipStore

    NotFound = FileNotFoundError

# What says that there is a node, which is no array.
GROUP_INSTEAD = ("ContainsGroupError", "NodeTypeValidationError")


def drive(coroutine: Coroutine) -> Any:
    """Runs a coroutine that never waits without an event loop, which takes longer than it does."""
    try:
        waiting = coroutine.send(None)
    except StopIteration as done:
        return done.value
    coroutine.close()
    raise asyncio.InvalidStateError(f"the store waits for {waiting!r}")


async def collect(names: AsyncIterator[str]) -> list[str]:
    found = []
    async for name in names:
        found.append(name)
        if len(found) == protocol.MAX_LISTED:
            break
    return found


class ZipArchive(protocol.Archive):
    def __init__(self, request: dict) -> None:
        if "pickle" in request:
            self.store = pickle.loads(bytes.fromhex(request["pickle"]))
        else:
            self.store = ZipStore(request["file"], mode="r")
        if not ZARR_2:
            self.prototype = default_buffer_prototype()
            drive(self.store._ensure_open())

    def listed(self) -> list[str]:
        return list(self.store.keys()) if ZARR_2 else drive(collect(self.store.list()))

    def key(self, key: str) -> bytes | None:
        archive = self.store.zf if ZARR_2 else self.store._zf
        entry = archive.NameToInfo.get(key)
        if entry is not None:
            protocol.check_value(entry.file_size)
        if ZARR_2:
            try:
                return self.store[key]
            except KeyError:
                return None
        value = drive(self.store.get(key, self.prototype))
        return None if value is None else value.to_bytes()

    def array(self, path: str) -> np.ndarray | None:
        try:
            array = zarr.open_array(self.store, path=path, mode="r")
        except NotFound:
            return None
        except Exception as error:
            if type(error).__name__ in GROUP_INSTEAD and "group" in str(error):
                return None
            raise
        # Not every grid of chunks has one shape.
        chunk = getattr(array, "chunks", None) or ()
        protocol.check_array(array.shape, chunk, array.dtype.itemsize)
        return np.asarray(array[...])

    def close(self) -> None:
        self.store.close()


def pack(request: dict) -> dict | None:
    """The bytes that another process gets in place of this store."""
    if not request.get("pack"):
        return None
    file = request["file"]
    made = lambda: pickle.dumps(ZipStore(file, mode="r")).hex()  # noqa: E731
    return {"packed": protocol.attempt(file, made)}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    protocol.serve("zarr", zarr.__version__, ["keys", "arrays"], ZipArchive, pack)
