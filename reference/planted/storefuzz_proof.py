"""A store with a planted loss, by which a run proves that it sees losses. Users never get it.

It packs itself, so whether its loss is seen does not depend on how the zarr under test packs its
own stores.
"""

from __future__ import annotations

from typing import Any

import zarr.storage


class ProofStore(zarr.storage.MemoryStore):
    """Loses `mark` in its pickle, and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.mark = "here"

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "mark"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
