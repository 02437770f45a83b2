"""Planted losses: defects put into the subject, so that tests show what a run sees.

`plant(name)` patches zarr in this process. The names are those of LOSSES, of a loss of the sound
stores (sound_losses.py) or of a mutant (mutants.py).
"""

from __future__ import annotations

import os
import shutil
import time
import zipfile
from collections.abc import Callable
from typing import Any

from zarr.storage import ZipStore

_getstate = ZipStore.__getstate__
_setstate = ZipStore.__setstate__


def _after_arrival(act: Callable[[ZipStore], Any]) -> None:
    """`act` on each store that has just been unpickled."""

    def setstate(self: ZipStore, state: dict[str, Any]) -> None:
        _setstate(self, state)
        act(self)

    ZipStore.__setstate__ = setstate  # type: ignore[method-assign]


def state_drops_read_only() -> None:
    """The pickled state lacks it; the live store does not. 3.0.1 had a tuple."""

    def getstate(self: ZipStore) -> Any:
        state = _getstate(self)
        if isinstance(state, dict):
            state = {name: value for name, value in state.items() if name != "_read_only"}
        return state

    ZipStore.__getstate__ = getstate  # type: ignore[method-assign]


def missing_key_raises_index_error() -> None:
    exists = ZipStore.exists

    async def checked(self: ZipStore, key: str) -> bool:
        if not await exists(self, key):
            raise IndexError("list index out of range")
        return True

    ZipStore.exists = checked  # type: ignore[method-assign]


def arrival_forgets_compression() -> None:
    """The default stands where another one was given: it shows only where another one was."""

    def forget(store: ZipStore) -> None:
        store.compression = zipfile.ZIP_STORED

    _after_arrival(forget)


def arrival_never_ends() -> None:
    _after_arrival(lambda store: time.sleep(1e6))


def arrival_kills_its_process() -> None:
    _after_arrival(lambda store: os.abort())


def arrival_deletes_the_victim() -> None:
    def delete(store: ZipStore) -> None:
        with zipfile.ZipFile(store.path) as archive:
            shutil.rmtree(archive.read("victim").decode())

    _after_arrival(delete)


LOSSES: dict[str, Callable[[], None]] = {
    "state drops _read_only": state_drops_read_only,
    "missing key raises IndexError": missing_key_raises_index_error,
    "arrival forgets compression": arrival_forgets_compression,
    "arrival never ends": arrival_never_ends,
    "arrival kills the parent": arrival_kills_its_process,
    "arrival deletes the victim": arrival_deletes_the_victim,
    # A run must not claim to have found it.
    "nothing": lambda: None,
}


def plant(name: str) -> None:
    """Patch zarr in this process. KeyError: no such loss."""
    if name in LOSSES:
        LOSSES[name]()
    elif name.startswith("sound: "):
        import sound_losses

        sound_losses.plant(name)
    else:
        import mutants

        mutants.plant(name)
