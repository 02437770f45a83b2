"""The names that lines of Python may use, whichever table they stand in."""

from __future__ import annotations

import contextlib
import copy
import os
import pickle
import zipfile
from multiprocessing.reduction import ForkingPickler
from typing import Any

import zarr
import zarr.storage

ZARR_2 = zarr.__version__.startswith("2.")

COMMON: dict[str, Any] = {
    "copy": copy,
    "ForkingPickler": ForkingPickler,
    "os": os,
    "pickle": pickle,
    "zarr": zarr,
    "zipfile": zipfile,
}
if not ZARR_2:
    from zarr.abc.store import OffsetByteRequest, RangeByteRequest, SuffixByteRequest
    from zarr.core.buffer import cpu, default_buffer_prototype

    COMMON |= {
        "prototype": default_buffer_prototype(),
        "buffer": cpu.Buffer.from_bytes,
        "RangeByteRequest": RangeByteRequest,
        "OffsetByteRequest": OffsetByteRequest,
        "SuffixByteRequest": SuffixByteRequest,
    }
for _optional in ("cloudpickle", "distributed.protocol"):
    with contextlib.suppress(ImportError):
        exec(f"import {_optional}", COMMON)  # a carrier that this environment may lack
