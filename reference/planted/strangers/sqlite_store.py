"""A stranger's store that is right: one SQLite file, a row a key.

A file of its own layout, which only the store itself can read: its adapter says "opaque".
"""

from __future__ import annotations

import os
import sqlite3
from typing import Any

from zarr.abc.store import OffsetByteRequest, RangeByteRequest, Store, SuffixByteRequest


def cut(value: bytes, request: Any) -> bytes:
    if isinstance(request, RangeByteRequest):
        return value[request.start : request.end]
    if isinstance(request, OffsetByteRequest):
        return value[request.offset :]
    if isinstance(request, SuffixByteRequest):
        return value[max(0, len(value) - request.suffix) :]
    return value


class Sqlite(Store):
    supports_writes = supports_deletes = supports_listing = True
    supports_partial_writes = False

    def __init__(self, path: str, *, read_only: bool = False) -> None:
        super().__init__(read_only=read_only)
        self.path = os.path.abspath(path)

    def with_read_only(self, read_only: bool = False) -> Any:
        return type(self)(self.path, read_only=read_only)

    def __eq__(self, other: object) -> bool:
        return (
            type(self) is type(other)
            and self.path == other.path
            and self.read_only == other.read_only
        )

    def _do(self, text: str, *values: Any) -> Any:
        connection = sqlite3.connect(self.path, timeout=30)
        try:
            with connection:
                connection.execute(
                    "CREATE TABLE IF NOT EXISTS store (key BLOB PRIMARY KEY, value BLOB)"
                )
                return connection.execute(
                    text, [it.encode() if isinstance(it, str) else it for it in values]
                ).fetchall()
        finally:
            connection.close()

    def _keys(self) -> Any:
        return [key.decode() for (key,) in self._do("SELECT key FROM store")]

    __hash__ = None

    async def get(self, key: str, prototype: Any, byte_range: Any = None) -> Any:
        rows = self._do("SELECT value FROM store WHERE key = ?", key)
        return prototype.buffer.from_bytes(cut(rows[0][0], byte_range)) if rows else None

    async def get_partial_values(self, prototype: Any, key_ranges: Any) -> list[Any]:
        return [await self.get(key, prototype, part) for key, part in key_ranges]

    async def exists(self, key: str) -> bool:
        return bool(self._do("SELECT 1 FROM store WHERE key = ?", key))

    async def set(self, key: str, value: Any) -> None:
        self._check_writable()
        if not hasattr(value, "to_bytes"):
            raise TypeError("a value is a Buffer")
        self._do("INSERT OR REPLACE INTO store VALUES (?, ?)", key, value.to_bytes())

    async def set_if_not_exists(self, key: str, value: Any) -> None:
        self._check_writable()
        if not hasattr(value, "to_bytes"):
            raise TypeError("a value is a Buffer")
        self._do("INSERT OR IGNORE INTO store VALUES (?, ?)", key, value.to_bytes())

    async def delete(self, key: str) -> None:
        self._check_writable()
        self._do("DELETE FROM store WHERE key = ?", key)

    async def list(self) -> Any:
        for key in self._keys():
            yield key

    async def list_prefix(self, prefix: str) -> Any:
        for key in self._keys():
            if key.startswith(prefix):
                yield key

    async def list_dir(self, prefix: str) -> Any:
        start = prefix.rstrip("/") + "/" if prefix else ""
        for name in {
            key[len(start) :].partition("/")[0] for key in self._keys() if key.startswith(start)
        } - {""}:
            yield name


STORE = {
    "kind": "sqlite",
    "type": "Sqlite",
    "make": "Sqlite({path}{arguments})",
    "imports": ["from sqlite_store import Sqlite"],
    "arguments": ["read_only"],
    "opaque": True,
    "any key": True,
    "views": "yes",
}
