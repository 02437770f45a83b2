"""Reads zip files with TensorStore: its zip key-value store, and its zarr3 and zarr drivers."""

from __future__ import annotations

import re
from importlib.metadata import version

import numpy as np
import protocol
import tensorstore as ts

# One thread per pool: more of them only cost memory. No bytes of cache: nothing outlives a request.
CONTEXT = {
    "cache_pool": {"total_bytes_limit": 0},
    "data_copy_concurrency": {"limit": 1},
    "file_io_concurrency": {"limit": 1},
}


# A zarr.json that is sound, but no array's.
GROUP_INSTEAD = 'Expected "array", but received: "group"'


def coded(error: ValueError) -> protocol.Refused:
    """The symbolic code that the text begins with; only the most common one is left out."""
    text = re.sub(r"\s*\[(source locations|tensorstore_spec)=.*", "", str(error), flags=re.DOTALL)
    code, _, rest = text.partition(": ")
    if re.fullmatch(r"[A-Z_]+", code):
        return protocol.Refused(code, rest)
    return protocol.Refused("INVALID_ARGUMENT", text)


class KeyValueArchive(protocol.Archive):
    def __init__(self, request: dict) -> None:
        self.base = {"driver": "zip", "base": {"driver": "file", "path": request["file"]}}
        self.context = ts.Context(CONTEXT)
        self.store = ts.KvStore.open(self.base, context=self.context).result()
        # Opening reads nothing; listing reads the archive's directory, as reading any key does.
        try:
            self.names = self.store.list().result()
        except ValueError as error:
            raise coded(error) from error

    def listed(self) -> list[bytes]:
        return self.names

    def key(self, key: str) -> bytes | None:
        try:
            found = self.store.read(key.encode()).result()
        except ValueError as error:
            raise coded(error) from error
        return found.value if found.state == "value" else None

    def array(self, path: str) -> np.ndarray | None:
        place = self.base | {"path": f"{path}/" if path else ""}
        for driver in ("zarr3", "zarr"):
            spec = {"driver": driver, "kvstore": place}
            try:
                array = ts.open(spec, open=True, read=True, context=self.context).result()
                layout = array.chunk_layout.read_chunk.shape or ()
                protocol.check_array(array.shape, layout, array.dtype.numpy_dtype.itemsize)
                return np.asarray(array.read().result())
            except ValueError as error:
                told = coded(error)
                if GROUP_INSTEAD in str(told):
                    return None
                if told.kind != "NOT_FOUND":
                    raise told from error
        return None


if __name__ == "__main__":
    views = ["keys", "arrays"]
    protocol.serve("tensorstore", version("tensorstore"), views, KeyValueArchive)
