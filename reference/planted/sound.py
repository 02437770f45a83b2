"""Five small stores that keep every promise: a run over them must find nothing.

Each family of the model has one: live (files), archive (a zip file, written when it is closed),
an archive that truncates its file when it is opened, copied (content in the object) and bound
(content in the process). `ADAPTERS` says how they are made, as reference/stores.json does.
"""

from __future__ import annotations

import contextlib
import os
import zipfile
from pathlib import Path
from typing import Any, ClassVar

from zarr.abc.store import OffsetByteRequest, RangeByteRequest, Store, SuffixByteRequest
from zarr.core.buffer import Buffer


def cut(value: bytes, request: Any) -> bytes:
    if isinstance(request, RangeByteRequest):
        return value[request.start : request.end]
    if isinstance(request, OffsetByteRequest):
        return value[request.offset :]
    if isinstance(request, SuffixByteRequest):
        return value[-request.suffix :] if request.suffix else b""
    return value


def bytes_of(value: Any) -> bytes:
    if not isinstance(value, Buffer):
        raise TypeError(f"{value!r} is no Buffer")
    return value.to_bytes()


class Sound(Store):
    """All of the interface, over three things a family has: `_read`, `_write`, `_named`."""

    supports_writes = supports_deletes = supports_listing = True

    def _read(self) -> dict[str, bytes]:
        """Key → value, as this store sees them."""
        raise NotImplementedError

    def _write(self, key: str, value: bytes | None) -> None:
        """Sets a key, or deletes it."""
        raise NotImplementedError

    def _named(self) -> tuple:
        """The arguments of the constructor but for `read_only`."""
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        return (
            type(self) is type(other)
            and self._named() == other._named()
            and self.read_only == other.read_only
        )

    __hash__ = None

    def with_read_only(self, read_only: bool = False) -> Sound:
        return type(self)(*self._named(), read_only=read_only)

    async def get(self, key: str, prototype: Any = None, byte_range: Any = None) -> Any:
        value = self._read().get(key)
        return None if value is None else prototype.buffer.from_bytes(cut(value, byte_range))

    async def get_partial_values(self, prototype: Any, key_ranges: Any) -> list[Any]:
        return [await self.get(key, prototype, byte_range) for key, byte_range in key_ranges]

    async def exists(self, key: str) -> bool:
        return key in self._read()

    async def set(self, key: str, value: Any) -> None:
        self._check_writable()
        self._write(key, bytes_of(value))

    async def set_if_not_exists(self, key: str, value: Any) -> None:
        self._check_writable()
        value = bytes_of(value)
        if key not in self._read():
            self._write(key, value)

    async def delete(self, key: str) -> None:
        self._check_writable()
        if key in self._read():
            self._write(key, None)

    async def delete_dir(self, prefix: str) -> None:
        self._check_writable()
        for key in list(self._below(prefix)):
            self._write(key, None)

    async def clear(self) -> None:
        await self.delete_dir("")

    def _below(self, prefix: str) -> dict[str, bytes]:
        start = prefix.rstrip("/") + "/" if prefix else ""
        return {key: value for key, value in self._read().items() if key.startswith(start)}

    async def is_empty(self, prefix: str) -> bool:
        return not self._below(prefix)

    async def getsize(self, key: str) -> int:
        if key not in self._read():
            raise FileNotFoundError(key)
        return len(self._read()[key])

    async def getsize_prefix(self, prefix: str) -> int:
        return sum(map(len, self._below(prefix).values()))

    async def list(self) -> Any:
        for key in list(self._read()):
            yield key

    async def list_prefix(self, prefix: str) -> Any:
        for key in list(self._read()):
            if key.startswith(prefix):
                yield key

    async def list_dir(self, prefix: str) -> Any:
        start = len(prefix.rstrip("/")) + 1 if prefix else 0
        for name in {key[start:].partition("/")[0] for key in self._below(prefix)} - {""}:
            yield name


class Live(Sound):
    """A key is a file below a folder; a write is a new file, renamed."""

    def __init__(self, root: str, *, read_only: bool = False) -> None:
        super().__init__(read_only=read_only)
        self.root = os.path.abspath(root)

    def _named(self) -> tuple:
        return (self.root,)

    def _read(self) -> dict[str, bytes]:
        files = (path for path in Path(self.root).rglob("*") if path.is_file())
        return {str(path.relative_to(self.root)): path.read_bytes() for path in files}

    def _write(self, key: str, value: bytes | None) -> None:
        if any(part in ("", ".", "..") or "\0" in part for part in key.split("/")):
            raise ValueError(f"{key!r} is no key")
        path = Path(self.root, key)
        if value is None:
            path.unlink()
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(self.root + ".unfinished")
        unfinished.write_bytes(value)
        try:
            unfinished.replace(path)
        except OSError:  # a folder has that name
            unfinished.unlink()
            raise


class Archive(Sound):
    """A zip file, read when it is opened and written when it is closed."""

    truncates = False  # when it is opened

    def __init__(self, path: str, mode: str = "r", read_only: bool | None = None) -> None:
        self.path, self.mode = os.path.abspath(path), mode
        super().__init__(read_only=mode == "r" if read_only is None else read_only)
        self._content: dict[str, bytes] | None = None  # as this store sees it; None: not opened
        self._seen: dict[str, bytes] = {}  # what lay on the disk when it was opened
        self._pending: dict[str, bytes | None] = {}
        self._fresh = False  # nothing of what was seen is kept
        self._asked = False  # to write: then a close leaves an archive, be there nothing to write

    def _named(self) -> tuple:
        return (self.path, "a" if self.mode in "wx" else self.mode)

    def with_read_only(self, read_only: bool = False) -> Archive:
        return type(self)(self.path, "r" if read_only else "a", read_only)

    def __reduce__(self) -> tuple:
        return type(self), (*self._named(), self.read_only)

    def _check_writable(self) -> None:
        super()._check_writable()
        if self.mode == "r":
            raise ValueError("mode r does not write")
        self._read()
        self._asked = True

    def _on_disk(self) -> dict[str, bytes]:
        if not os.path.exists(self.path):
            return {}
        raw = Path(self.path).read_bytes()
        count = raw.rfind(b"PK\5\6") + 10  # of entries, as the end record has it
        with zipfile.ZipFile(self.path) as archive:
            entries = archive.infolist()
            # What zipfile would read otherwise than others, without an error.
            if (
                raw.count(b"PK\5\6") > 1
                or int.from_bytes(raw[count : count + 2], "little") not in (len(entries), 0xFFFF)
                or any("\0" in it.orig_filename for it in entries)
            ):
                raise zipfile.BadZipFile("readers disagree about this archive")
            return {name: archive.read(name) for name in archive.namelist()}

    async def _open(self) -> None:
        self._read()
        await super()._open()

    def _read(self) -> dict[str, bytes]:
        if self._content is None:
            claims = self.mode in "wx" and not self.read_only
            if self.mode == "x" and os.path.exists(self.path):
                raise FileExistsError(self.path)
            if not claims and self.read_only and not os.path.exists(self.path):
                raise FileNotFoundError(self.path)
            self._fresh = claims
            if self._fresh and self.truncates:
                Path(self.path).write_bytes(b"")
            elif zipfile.is_zipfile(self.path) or not self._fresh:
                self._seen = self._on_disk()
            self._content = {} if self._fresh else dict(self._seen)
        return self._content

    def _write(self, key: str, value: bytes | None) -> None:
        if "\0" in key:
            raise ValueError("the name of a zip entry ends at its first NUL")
        self._pending[key] = value
        if value is None:
            del self._content[key]
        else:
            self._content[key] = value

    async def clear(self) -> None:
        self._check_writable()
        self._content, self._pending, self._fresh = {}, {}, True

    def close(self) -> None:
        if self._asked or self._fresh:
            now = self._on_disk() if zipfile.is_zipfile(self.path) else {}
            # What others published since this store was opened is theirs.
            content = {
                key: value
                for key, value in now.items()
                if not self._fresh or self._seen.get(key) != value
            }
            content |= self._pending
            with zipfile.ZipFile(self.path + ".unfinished", "w") as archive:
                for key, value in content.items():
                    if value is not None:
                        archive.writestr(key, value)
            os.replace(self.path + ".unfinished", self.path)
            self.mode = "a"
        self._content, self._seen, self._pending = None, {}, {}
        self._fresh = self._asked = False
        super().close()


class Truncating(Archive):
    """The same, but mode `w` empties the file as soon as it is opened."""

    truncates = True


class Copied(Sound):
    """Content lies in the object; a pickled store takes a copy along, `copy.copy` shares it."""

    def __init__(self, content: dict[str, bytes] | None = None, *, read_only: bool = False) -> None:
        super().__init__(read_only=read_only)
        self.content = {} if content is None else content

    def _named(self) -> tuple:
        return (self.content,)

    def _read(self) -> dict[str, bytes]:
        return self.content

    def _write(self, key: str, value: bytes | None) -> None:
        if value is None:
            del self.content[key]
        else:
            self.content[key] = value


class Bound(Copied):
    """Content lies in the process, which a pickled store does not leave."""

    everything: ClassVar[dict[str, bytes]] = {}

    def __init__(self, *, read_only: bool = False) -> None:
        super().__init__(self.everything, read_only=read_only)

    def _named(self) -> tuple:
        return ()

    def __reduce__(self) -> tuple:
        return arrive, (os.getpid(), self.read_only)


def arrive(process: int, read_only: bool) -> Bound:
    if process != os.getpid():
        raise RuntimeError("the content of a Bound store stays in its process")
    return Bound(read_only=read_only)


_ALIKE = {"imports": ["import sound"], "waits": False}
ADAPTERS = [
    {
        **_ALIKE,
        "kind": "sound live",
        "type": "Live",
        "make": "sound.Live({path}{arguments})",
        "arguments": ["read_only"],
        "files": True,
    },
    *(
        {
            **_ALIKE,
            "kind": f"sound {kind}",
            "type": kind.title(),
            "make": f"sound.{kind.title()}({{path}}{{arguments}})",
            "arguments": ["mode", "read_only"],
            "medium": "zip",
            "any key": True,
        }
        for kind in ("archive", "truncating")
    ),
    {
        **_ALIKE,
        "kind": "sound copied",
        "type": "Copied",
        "make": "sound.Copied({arguments})",
        "arguments": ["read_only"],
        "medium": "memory",
        "shared": "object",
        "any key": True,
    },
    {
        **_ALIKE,
        "kind": "sound bound",
        "type": "Bound",
        "make": "sound.Bound({arguments})",
        "arguments": ["read_only"],
        "clean": "sound.Bound.everything.clear()",
        "medium": "memory",
        "shared": "process",
        "dictionary": "sound",
        "stays": True,
        "any key": True,
    },
]

if __name__ == "__main__":
    import json

    with contextlib.suppress(BrokenPipeError):
        print(json.dumps(ADAPTERS))
