"""Losses planted into the sound stores: what each oracle of programs must find.

Each breaks one promise of one store. Which oracles catch it stands in sound_losses.json, and a test
keeps that table true.
"""

from __future__ import annotations

import atexit
import os
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sound

_read_key = sound.Sound.get
_write_file = sound.Live._write
_close = sound.Archive.close


def state_drops_read_only() -> None:
    sound.Archive.__reduce__ = lambda self: (type(self), self._named())


def arrival_adds_an_attribute() -> None:
    def getstate(self: sound.Live) -> dict[str, Any]:
        return {**self.__dict__, "arrived": True}

    sound.Live.__getstate__ = getstate


def a_copy_has_another_name() -> None:
    make = sound.Copied.__init__

    def init(self: sound.Copied, *given: Any, **arguments: Any) -> None:
        make(self, *given, **arguments)
        self.name = "first"

    def getstate(self: sound.Copied) -> dict[str, Any]:
        return {**self.__dict__, "name": "second"}

    sound.Copied.__init__, sound.Copied.__getstate__ = init, getstate


def copies_are_not_equal() -> None:
    sound.Sound.__eq__ = lambda self, other: self is other


def last_byte_is_lost() -> None:
    async def get(self: sound.Sound, key: str, prototype: Any = None, request: Any = None) -> Any:
        value = await _read_key(self, key, prototype, request)
        return None if value is None else prototype.buffer.from_bytes(value.to_bytes()[:-1])

    sound.Sound.get = get


def listing_names_twice() -> None:
    async def twice(self: sound.Sound) -> Any:
        for key in self._read():
            yield key
            yield key

    sound.Sound.list = twice


def read_only_is_ignored() -> None:
    sound.Sound._check_writable = lambda self: None


def missing_key_raises_index_error() -> None:
    async def exists(self: sound.Sound, key: str) -> bool:
        if key not in self._read():
            raise IndexError("list index out of range")
        return True

    sound.Sound.exists = exists


def presence_is_turned_round() -> None:
    async def exists(self: sound.Sound, key: str) -> bool:
        return key not in self._read()

    sound.Sound.exists = exists


def present_key_is_refused() -> None:
    async def getsize(self: sound.Sound, key: str) -> int:
        raise OSError("no size today")

    sound.Sound.getsize = getsize


def a_write_is_torn() -> None:
    def write(self: sound.Live, key: str, value: bytes | None) -> None:
        if value is not None and Path(self.root, key).exists():
            Path(self.root, key).write_bytes(value[:1])
        _write_file(self, key, value)

    sound.Live._write = write


def a_close_forgets_what_was_published() -> None:
    def close(self: sound.Archive) -> None:
        if self._pending:
            self._fresh = True
        _close(self)

    sound.Archive.close = close


def reading_writes() -> None:
    async def get(self: sound.Sound, key: str, prototype: Any = None, request: Any = None) -> Any:
        found = await _read_key(self, key, prototype, request)
        if found is None and isinstance(self, sound.Live) and os.path.isdir(self.root):
            Path(self.root, "asked").write_bytes(b"")
        return found

    sound.Sound.get = get


def a_file_lies_beside_the_place() -> None:
    def write(self: sound.Live, key: str, value: bytes | None) -> None:
        _write_file(self, key, value)
        Path(self.root + ".log").write_text(key)

    sound.Live._write = write


def a_file_stays_open() -> None:
    _HELD: list[Any] = []

    def close(self: sound.Archive) -> None:
        _close(self)
        if os.path.exists(self.path):
            _HELD.append(zipfile.ZipFile(self.path) if zipfile.is_zipfile(self.path) else None)

    sound.Archive.close = close


def unpickling_never_ends() -> None:
    def reduce(self: sound.Copied) -> tuple:
        return time.sleep, (1e6,)

    sound.Copied.__reduce__ = reduce


def unpickling_kills() -> None:
    def reduce(self: sound.Copied) -> tuple:
        return os.abort, ()

    sound.Copied.__reduce__ = reduce


def get_takes_half_a_second() -> None:
    async def get(self: sound.Sound, key: str, prototype: Any = None, request: Any = None) -> Any:
        time.sleep(0.5)
        return await _read_key(self, key, prototype, request)

    sound.Sound.get = get


def exit_kills() -> None:
    made = sound.Live.__init__

    def init(self: sound.Live, *arguments: Any, **named: Any) -> None:
        made(self, *arguments, **named)
        atexit.register(os.abort)

    sound.Live.__init__ = init


def packing_closes_the_sender() -> None:
    make = sound.Live.__init__

    def init(self: sound.Live, root: str, **arguments: Any) -> None:
        make(self, root, **arguments)
        self._is_open = True

    async def opened(self: sound.Live) -> None:
        self._is_open = True

    def getstate(self: sound.Live) -> dict[str, Any]:
        self._is_open = False
        return self.__dict__

    sound.Live.__init__, sound.Live._open = init, opened
    sound.Live.__getstate__ = getstate


def a_deleted_archive_is_seen_at_times() -> None:
    async def get(
        self: sound.Archive, key: str, prototype: Any = None, byte_range: Any = None
    ) -> Any:
        found = await _read_key(self, key, prototype, byte_range)
        if not self._seen or os.path.exists(self.path):
            return found
        self._asked_without_file = not getattr(self, "_asked_without_file", False)
        return found if self._asked_without_file else None

    sound.Archive.get = get


def an_empty_range_is_refused() -> None:
    async def get(
        self: sound.Bound, key: str, prototype: Any = None, byte_range: Any = None
    ) -> Any:
        found = await _read_key(self, key, prototype, byte_range)
        if byte_range is not None and found is not None and len(found) == 0:
            raise ValueError("a range of no bytes")
        return found

    sound.Bound.get = get


def a_local_header_has_another_crc() -> None:
    def close(self: sound.Archive) -> None:
        _close(self)
        if not os.path.exists(self.path) or not os.path.getsize(self.path):
            return
        # APPNOTE 4.3.7: a file begins with a local header, whose CRC is at 14.
        with open(self.path, "r+b") as file:
            if file.read(4) == b"PK\x03\x04":
                file.seek(14)
                file.write(b"\1\2\3\4")

    sound.Archive.close = close


LOSSES: dict[str, tuple[str, Callable[[], None]]] = {
    "sound: state drops read_only": ("sound archive", state_drops_read_only),
    "sound: arrival adds an attribute": ("sound live", arrival_adds_an_attribute),
    "sound: a copy has another name": ("sound copied", a_copy_has_another_name),
    "sound: copies are not equal": ("sound live", copies_are_not_equal),
    "sound: last byte is lost": ("sound copied", last_byte_is_lost),
    "sound: listing names twice": ("sound live", listing_names_twice),
    "sound: read-only is ignored": ("sound copied", read_only_is_ignored),
    "sound: missing key raises IndexError": ("sound live", missing_key_raises_index_error),
    "sound: presence is turned round": ("sound archive", presence_is_turned_round),
    "sound: present key is refused": ("sound bound", present_key_is_refused),
    "sound: a write is torn": ("sound live", a_write_is_torn),
    "sound: a close forgets": ("sound archive", a_close_forgets_what_was_published),
    "sound: reading writes": ("sound live", reading_writes),
    "sound: a file beside the place": ("sound live", a_file_lies_beside_the_place),
    "sound: a file stays open": ("sound archive", a_file_stays_open),
    "sound: unpickling never ends": ("sound copied", unpickling_never_ends),
    "sound: unpickling kills": ("sound copied", unpickling_kills),
    "sound: exit kills": ("sound live", exit_kills),
    "sound: packing closes the sender": ("sound live", packing_closes_the_sender),
    "sound: a deleted archive is seen at times": (
        "sound archive",
        a_deleted_archive_is_seen_at_times,
    ),
    "sound: a local header has another CRC": ("sound archive", a_local_header_has_another_crc),
    "sound: an empty range is refused": ("sound bound,sound copied", an_empty_range_is_refused),
}


# What breaks no promise, and must not be told.
HARMLESS: dict[str, tuple[str, Callable[[], None]]] = {
    "sound: get takes half a second": ("sound live", get_takes_half_a_second),
}


def plant(name: str) -> None:
    (LOSSES | HARMLESS)[name][1]()
