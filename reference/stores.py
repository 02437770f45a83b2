"""The stores a case can name: how each is made, and what it can do.

An adapter is a class with four attributes: `kind` (the word in a case), `type_name`, `waits`
(its coroutines need an event loop), and `make(case, folder)`, which calls the constructor exactly
as the case says. Paths are relative to the case's folder when the case says so.
"""

from __future__ import annotations

import os
import zipfile
from typing import Any

import zarr
import zarr.storage

ZARR_2 = zarr.__version__.startswith("2.")
COMPRESSION = {"stored": zipfile.ZIP_STORED, "deflated": zipfile.ZIP_DEFLATED}


def place(case: dict[str, Any], folder: str, name: str) -> str:
    """The path the constructor is given: `name` itself, or `name` below the case's folder."""
    return name if case["constructor"]["path"] == "relative" else os.path.join(folder, name)


class Zip:
    kind, type_name, waits = "zip", "ZipStore", False

    @staticmethod
    def make(case: dict[str, Any], folder: str) -> Any:
        said = case["constructor"]
        options: dict[str, Any] = {
            "mode": said["mode"],
            "compression": COMPRESSION[said["compression"]],
            "allowZip64": said["allowZip64"],
        }
        if said["read_only"] is not None:
            options["read_only"] = said["read_only"]
        return zarr.storage.ZipStore(place(case, folder, "store.zip"), **options)


class Local:
    kind, type_name, waits = "local", "DirectoryStore" if ZARR_2 else "LocalStore", True

    @staticmethod
    def make(case: dict[str, Any], folder: str) -> Any:
        path = place(case, folder, "store")
        if ZARR_2:
            return zarr.storage.DirectoryStore(path)
        return zarr.storage.LocalStore(path, read_only=bool(case["constructor"]["read_only"]))


ADAPTERS = {adapter.kind: adapter for adapter in (Zip, Local)}
