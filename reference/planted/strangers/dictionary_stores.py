"""A stranger's stores: dictionaries of their own, of which a pickled one takes a copy along.

The first is right. Each of the others is wrong in one way, which a run must tell as one cause.
"""

from __future__ import annotations

import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from zarr.abc.store import OffsetByteRequest, RangeByteRequest, Store, SuffixByteRequest

POOL = ThreadPoolExecutor(1)


def cut(value: bytes, request: Any) -> bytes:
    if isinstance(request, RangeByteRequest):
        return value[request.start : request.end]
    if isinstance(request, OffsetByteRequest):
        return value[request.offset :]
    if isinstance(request, SuffixByteRequest):
        return value[max(0, len(value) - request.suffix) :]
    return value


class Dict(Store):
    supports_writes = supports_deletes = supports_listing = True
    supports_partial_writes = False

    def __init__(self, content: Any = None, *, read_only: bool = False) -> None:
        super().__init__(read_only=read_only)
        self.content = {} if content is None else content

    def with_read_only(self, read_only: bool = False) -> Any:
        return type(self)(self.content, read_only=read_only)

    def __eq__(self, other: object) -> bool:
        return (
            type(self) is type(other)
            and self.content == other.content
            and self.read_only == other.read_only
        )

    __hash__ = None

    async def get(self, key: str, prototype: Any, byte_range: Any = None) -> Any:
        value = self.content.get(key)
        return None if value is None else prototype.buffer.from_bytes(cut(value, byte_range))

    async def get_partial_values(self, prototype: Any, key_ranges: Any) -> list[Any]:
        return [await self.get(key, prototype, part) for key, part in key_ranges]

    async def exists(self, key: str) -> bool:
        return key in self.content

    async def set(self, key: str, value: Any) -> None:
        self._check_writable()
        if not hasattr(value, "to_bytes"):
            raise TypeError("a value is a Buffer")
        self.content[key] = value.to_bytes()

    async def set_if_not_exists(self, key: str, value: Any) -> None:
        self._check_writable()
        if not hasattr(value, "to_bytes"):
            raise TypeError("a value is a Buffer")
        self.content.setdefault(key, value.to_bytes())

    async def delete(self, key: str) -> None:
        self._check_writable()
        self.content.pop(key, None)

    async def list(self) -> Any:
        for key in list(self.content):
            yield key

    async def list_prefix(self, prefix: str) -> Any:
        for key in list(self.content):
            if key.startswith(prefix):
                yield key

    async def list_dir(self, prefix: str) -> Any:
        start = prefix.rstrip("/") + "/" if prefix else ""
        names = {
            key[len(start) :].partition("/")[0] for key in self.content if key.startswith(start)
        }
        for name in names - {""}:
            yield name


class Forgetful(Dict):
    """Drops an attribute on its way."""

    def __init__(self, content: Any = None, *, read_only: bool = False) -> None:
        super().__init__(content, read_only=read_only)
        self.label = "mine"

    def __getstate__(self) -> Any:
        return {name: value for name, value in vars(self).items() if name != "label"}


class Heedless(Dict):
    """Deletes whoever asks."""

    async def delete(self, key: str) -> None:
        self.content.pop(key, None)


class Short(Dict):
    """Is off by one at the end of a range."""

    async def get(self, key: str, prototype: Any, byte_range: Any = None) -> Any:
        if isinstance(byte_range, RangeByteRequest) and byte_range.end > byte_range.start:
            byte_range = RangeByteRequest(byte_range.start, byte_range.end - 1)
        return await super().get(key, prototype, byte_range)


class Threaded(Dict):
    """Works by a thread of its own, which a fork does not inherit."""

    def __init__(self, content: Any = None, *, read_only: bool = False) -> None:
        super().__init__(content, read_only=read_only)
        self._begin()

    def _begin(self) -> None:
        self._jobs: Any = queue.SimpleQueue()
        self._thread: Any = None

    def __getstate__(self) -> Any:
        return {it: value for it, value in vars(self).items() if it not in ("_jobs", "_thread")}

    def __setstate__(self, state: Any) -> None:
        vars(self).update(state)
        self._begin()

    def _work(self) -> None:
        while True:
            key, done = self._jobs.get()
            done.put(key in self.content)

    async def get(self, key: str, prototype: Any, byte_range: Any = None) -> Any:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, daemon=True)
            self._thread.start()
        done: Any = queue.SimpleQueue()
        self._jobs.put((key, done))
        return await super().get(key, prototype, byte_range) if done.get() else None


class Pooled(Dict):
    """Works by a pool of its module, whose thread a fork does not inherit."""

    async def get(self, key: str, prototype: Any, byte_range: Any = None) -> Any:
        there = POOL.submit(self.content.__contains__, key).result()
        return await super().get(key, prototype, byte_range) if there else None


class Hungry(Dict):
    """Takes memory without end."""

    async def get(self, key: str, prototype: Any, byte_range: Any = None) -> Any:
        taken = []
        try:
            while True:
                taken.append(bytes(1 << 26))
        except MemoryError:
            raise MemoryError(f"{len(taken) << 6} MiB were given") from None


def adapter(kind: str, store: type) -> dict[str, Any]:
    return {
        "kind": kind,
        "type": store.__name__,
        "make": f"{store.__name__}({{arguments}})",
        "imports": [f"from dictionary_stores import {store.__name__}"],
        "arguments": ["read_only"],
        "medium": "memory",
        "shared": "object",
        "any key": True,
        "views": "yes",
    }


STORE = [
    adapter("dictionary", Dict),
    adapter("forgetful", Forgetful),
    adapter("heedless", Heedless),
    adapter("short", Short),
    adapter("threaded", Threaded),
    adapter("pooled", Pooled),
    adapter("hungry", Hungry),
]
