"""Planted losses: known defects put into the subject, so that tests show what a run sees.

`plant(name)` patches zarr in this process. `python planted.py` lists the names. Each is the
smallest change that loses one thing; which oracles catch it stands in planted_losses.json, and a
test keeps that table true.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
import zipfile
from collections.abc import Callable
from typing import Any

from zarr.abc.store import SuffixByteRequest
from zarr.core.buffer import cpu
from zarr.storage import LocalStore, ZipStore

_getstate = ZipStore.__getstate__
_setstate = ZipStore.__setstate__
_get = ZipStore.get
_close = ZipStore.close


def _change_state(change: Callable[[dict[str, Any]], Any]) -> None:
    """The pickled state passes through `change`; the live store does not. 3.0.1 had a tuple."""

    def getstate(self: ZipStore) -> Any:
        state = _getstate(self)
        if isinstance(state, dict):
            state = dict(state)
            change(state)
        return state

    ZipStore.__getstate__ = getstate  # type: ignore[method-assign]


def _after_arrival(act: Callable[[ZipStore], Any]) -> None:
    """`act` on each store that has just been unpickled."""

    def setstate(self: ZipStore, state: dict[str, Any]) -> None:
        _setstate(self, state)
        act(self)

    ZipStore.__setstate__ = setstate  # type: ignore[method-assign]


def state_drops_read_only() -> None:
    _change_state(lambda state: state.pop("_read_only"))


def arrival_changes_compression() -> None:
    def change(store: ZipStore) -> None:
        stored, deflated = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED
        store.compression = stored if store.compression == deflated else deflated

    _after_arrival(change)


def copies_are_not_equal() -> None:
    ZipStore.__eq__ = lambda self, other: self is other  # type: ignore[method-assign,assignment]


def odd_suffix_is_refused_after_arrival() -> None:
    def mark(store: ZipStore) -> None:
        store.arrived = True  # type: ignore[attr-defined]

    async def get(self: ZipStore, key: str, prototype: Any, byte_range: Any = None) -> Any:
        suffix = byte_range.suffix if isinstance(byte_range, SuffixByteRequest) else 0
        if suffix > 4 and hasattr(self, "arrived"):
            raise ValueError("suffix too long")
        return await _get(self, key, prototype, byte_range)

    _after_arrival(mark)
    ZipStore.get = get  # type: ignore[method-assign]


def list_dir_names_twice() -> None:
    list_dir = ZipStore.list_dir

    async def twice(self: ZipStore, prefix: str) -> Any:
        async for name in list_dir(self, prefix):
            yield name
            yield name

    ZipStore.list_dir = twice  # type: ignore[method-assign]


def read_only_ignored_by_set_if_not_exists() -> None:
    async def accept(self: ZipStore, key: str, value: Any) -> None:
        if not self.read_only:
            await self.set(key, value)

    ZipStore.set_if_not_exists = accept  # type: ignore[method-assign]


def arrival_writes_into_the_file() -> None:
    def write(store: ZipStore) -> None:
        if store.path is not None and store.path.exists():
            content = store.path.read_bytes()
            if content[-2:] == b"\0\0":  # no comment yet: give the archive an honest one
                store.path.write_bytes(content[:-2] + b"\x05\0touch")

    _after_arrival(write)


def packing_takes_from_the_parent() -> None:
    def getstate(self: ZipStore) -> Any:
        state = _getstate(self)
        state = dict(state) if isinstance(state, dict) else state
        self.__dict__.pop("allowZip64", None)
        return state

    ZipStore.__getstate__ = getstate  # type: ignore[method-assign]


def missing_key_raises_index_error() -> None:
    exists = ZipStore.exists

    async def checked(self: ZipStore, key: str) -> bool:
        if not await exists(self, key):
            raise IndexError("list index out of range")
        return True

    ZipStore.exists = checked  # type: ignore[method-assign]


def arrival_never_ends() -> None:
    _after_arrival(lambda store: time.sleep(1e6))


def arrival_kills_the_child() -> None:
    def getstate(self: ZipStore) -> Any:
        return {"home": os.getpid(), "state": _getstate(self)}

    def setstate(self: ZipStore, state: dict[str, Any]) -> None:
        if os.getpid() != state["home"]:
            os.abort()
        _setstate(self, state["state"])

    ZipStore.__getstate__ = getstate  # type: ignore[method-assign]
    ZipStore.__setstate__ = setstate  # type: ignore[method-assign]


def folders_exist() -> None:
    exists = ZipStore.exists

    async def claimed(self: ZipStore, key: str) -> bool:
        found = await exists(self, key)  # which opens the archive
        return found or any(name.startswith(f"{key}/") for name in self._zf.namelist())

    ZipStore.exists = claimed  # type: ignore[method-assign]


def last_byte_is_lost() -> None:
    async def get(self: ZipStore, key: str, prototype: Any, byte_range: Any = None) -> Any:
        value = await _get(self, key, prototype, byte_range)
        if value is None or byte_range is not None:
            return value
        return cpu.Buffer.from_bytes(value.to_bytes()[:-1])

    ZipStore.get = get  # type: ignore[method-assign]


def local_state_drops_root() -> None:
    def getstate(self: LocalStore) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "root"}

    LocalStore.__getstate__ = getstate  # type: ignore[method-assign]


def arrival_kills_the_parent() -> None:
    _after_arrival(lambda store: os.abort())


def arrival_deletes_the_victim() -> None:
    def delete(store: ZipStore) -> None:
        with zipfile.ZipFile(store.path) as archive:
            shutil.rmtree(archive.read("victim").decode())

    _after_arrival(delete)


def crc_is_not_checked() -> None:
    zipfile.ZipExtFile._update_crc = lambda self, data: None  # type: ignore[attr-defined]


PLANTED: dict[str, Callable[[], None]] = {
    "state drops _read_only": state_drops_read_only,
    "arrival changes compression": arrival_changes_compression,
    "copies are not equal": copies_are_not_equal,
    "odd suffix is refused after arrival": odd_suffix_is_refused_after_arrival,
    "list_dir names twice": list_dir_names_twice,
    "read-only ignored by set_if_not_exists": read_only_ignored_by_set_if_not_exists,
    "arrival writes into the file": arrival_writes_into_the_file,
    "packing takes from the parent": packing_takes_from_the_parent,
    "missing key raises IndexError": missing_key_raises_index_error,
    "arrival never ends": arrival_never_ends,
    "arrival kills the child": arrival_kills_the_child,
    "last byte is lost": last_byte_is_lost,
    "folders exist": folders_exist,
    "crc is not checked": crc_is_not_checked,
    "local state drops root": local_state_drops_root,
}

# No losses but harm, which no oracle judges: the supervisor sees it, or Landlock stops it. And
# nothing at all, which a run must not claim to have found.
HARM: dict[str, Callable[[], None]] = {
    "nothing": lambda: None,
    "arrival kills the parent": arrival_kills_the_parent,
    "arrival deletes the victim": arrival_deletes_the_victim,
}


def plant(name: str) -> None:
    """Patch zarr in this process; `name` may be a mutant's. KeyError: no such loss."""
    if name in PLANTED | HARM:
        (PLANTED | HARM)[name]()
    elif name.startswith("sound: "):
        import sound_losses

        sound_losses.plant(name)
    else:
        import mutants

        mutants.plant(name)


if __name__ == "__main__":
    sys.stdout.write("".join(f"{name}\n" for name in PLANTED))
