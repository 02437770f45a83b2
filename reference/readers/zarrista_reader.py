"""Reads zip files with zarrs, the Rust implementation, through its Python package zarrista.

Its ZipStore loops for ever where an entry of the archive's directory says that it is longer than
the directory, so every request is answered in a child.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import protocol
import zarrista
from zarrista.exceptions import ArrayCreateError
from zarrista.store import FilesystemStore, ZipStore

# What says that there is nothing, or a node that is no array.
NO_ARRAY = ("array metadata is missing", 'invalid value: string "group", expected string "array"')


class RustArchive(protocol.Archive):
    def __init__(self, request: dict) -> None:
        file = Path(request["file"])
        self.store = ZipStore(FilesystemStore(file.parent), file.name)

    def array(self, path: str) -> np.ndarray | None:
        try:
            array = zarrista.Array.open(self.store, f"/{path}")
        except ArrayCreateError as error:
            if any(words in str(error) for words in NO_ARRAY):
                return None
            raise
        chunk = array.chunk_shape([0] * array.ndim)
        protocol.check_array(array.shape, chunk, array.dtype.size or 8)
        return array[...].to_numpy()

    def close(self) -> None:
        del self.store


if __name__ == "__main__":
    protocol.serve("zarrista", zarrista.__version__, ["arrays"], RustArchive, loops=True)
