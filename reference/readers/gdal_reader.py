"""Reads zip files with GDAL: /vsizip for the keys, its Zarr driver for the arrays.

The wheel of rasterio has a GDAL with that driver inside; its C functions are called as they are,
since rasterio itself knows neither keys nor arrays that are no rasters.
"""

from __future__ import annotations

import ctypes
import json
import os
from collections.abc import Iterator
from ctypes import byref, c_char_p, c_int, c_size_t, c_uint64, c_void_p
from pathlib import Path
from typing import Any

import numpy as np
import protocol

# Nothing is written beside an archive, and nothing is kept for later.
os.environ |= {
    "GDAL_PAM_ENABLED": "NO",
    "GDAL_NUM_THREADS": "1",
    "GDAL_CACHEMAX": "1",
    "VSI_CACHE": "NO",
}

# GDAL reads the settings when it is loaded.
import rasterio

MULTIDIMENSIONAL = 0x10
VERBOSE = 0x40
DIRECTORY = 0o040000
NUMERIC = 0

# By number, as in gdal.h and cpl_error.h; a dash where numpy has no such type.
ELEMENTS = """
- uint8 uint16 int16 uint32 int32 float32 float64 - - complex64 complex128 uint64 int64 int8 float16
"""
ERRORS = """
None AppDefined OutOfMemory FileIO OpenFailed IllegalArg NotSupported AssertionFailed NoWriteAccess
UserInterrupt ObjectNull
"""

# What returns a pointer or 64 bits; all others return an int or nothing.
WIDE = """
CPLGetLastErrorMsg VSIOpenDir VSIGetNextDirEntry VSIFOpenExL VSIFTellL VSIFReadL GDALOpenEx
GDALDatasetGetRootGroup GDALGroupGetMDArrayNames GDALGroupOpenMDArray GDALMDArrayGetDimensions
GDALMDArrayGetDataType GDALMDArrayGetBlockSize GDALDimensionGetSize
"""


def named(names: str, number: int) -> str:
    return dict(enumerate(names.split())).get(number, "-")


def load() -> ctypes.CDLL:
    libraries = Path(rasterio.__file__).parents[1] / "rasterio.libs"
    gdal = ctypes.CDLL(str(next(libraries.glob("libgdal-*.so*"))))
    for name in WIDE.split():
        getattr(gdal, name).restype = c_void_p
    gdal.CPLGetLastErrorMsg.restype = c_char_p
    gdal.CPLPushErrorHandler(gdal.CPLQuietErrorHandler)
    gdal.GDALAllRegister()
    return gdal


GDAL = load()


def call(name: str, *arguments: Any) -> Any:
    return getattr(GDAL, name)(*arguments)


def failure(what: str) -> protocol.Refused:
    number = call("CPLGetLastErrorNo")
    text = call("CPLGetLastErrorMsg").decode("utf-8", "backslashreplace")
    return protocol.Refused(f"CPLE_{named(ERRORS, number)}", text or what)


class VirtualArchive(protocol.Archive):
    def __init__(self, request: dict) -> None:
        call("CPLErrorReset")
        self.root = f"/vsizip/{{{request['file']}}}"
        directory = call("VSIOpenDir", self.root.encode(), -1, None)
        if not directory:
            error = failure("no archive")
            self.close()
            raise error
        self.directory = c_void_p(directory)

    def listed(self) -> Iterator[bytes]:
        while entry := call("VSIGetNextDirEntry", self.directory):
            name, mode = c_char_p.from_address(entry), c_int.from_address(entry + 8)
            if mode.value & 0o170000 != DIRECTORY:
                yield name.value or b""

    def key(self, key: str) -> memoryview | None:
        call("CPLErrorReset")
        file = None if "\0" in key else call("VSIFOpenExL", f"{self.root}/{key}".encode(), b"rb", 1)
        if not file:
            if call("CPLGetLastErrorNo"):
                raise failure("cannot be opened")
            return None
        file = c_void_p(file)
        try:
            call("VSIFSeekL", file, c_uint64(0), 2)
            size = call("VSIFTellL", file) or 0
            protocol.check_value(size)
            call("VSIFSeekL", file, c_uint64(0), 0)
            data = bytearray(size)
            into = (ctypes.c_char * size).from_buffer(data)
            got = call("VSIFReadL", into, c_size_t(1), c_size_t(size), file) or 0
            if got < size:
                raise failure(f"{got} bytes of {size}")
            return memoryview(data)
        finally:
            call("VSIFCloseL", file)

    def is_array(self, path: str) -> bool:
        """GDAL shows an array like the group that it is the only array of."""
        prefix = f"{path}/" if path else ""
        described = self.key(f"{prefix}zarr.json")
        if described is None:
            return self.key(f"{prefix}.zarray") is not None
        try:
            return json.loads(bytes(described))["node_type"] != "group"
        except (ValueError, KeyError, TypeError):
            return True

    def array(self, path: str) -> np.ndarray | None:
        if "\0" in path or not self.is_array(path):
            return None
        try:
            return self.opened_array(path)
        except protocol.Refused as error:
            if "Unsupported codec" in str(error):  # of shards, for one
                raise protocol.NoOpinionError(str(error)) from error
            raise

    def opened_array(self, path: str) -> np.ndarray:
        call("CPLErrorReset")
        place = f"{self.root}/{path}" if path else self.root
        drivers = (c_char_p * 2)(b"Zarr", None)
        flags = MULTIDIMENSIONAL | VERBOSE
        dataset = call("GDALOpenEx", place.encode(), flags, drivers, None, None)
        if not dataset:
            raise failure("no data set")
        held = [("GDALClose", c_void_p(dataset))]
        try:
            return self.read(held)
        finally:
            for release, handle in reversed(held):
                call(release, handle)

    def read(self, held: list[tuple[str, c_void_p]]) -> np.ndarray:
        def hold(release: str, name: str, *arguments: Any) -> c_void_p:
            handle = call(name, *arguments)
            if not handle:
                raise failure(name)
            held.append((release, c_void_p(handle)))
            return held[-1][1]

        group = hold("GDALGroupRelease", "GDALDatasetGetRootGroup", held[0][1])
        names = hold("CSLDestroy", "GDALGroupGetMDArrayNames", group, None)
        name = c_char_p.from_address(names.value)
        array = hold("GDALMDArrayRelease", "GDALGroupOpenMDArray", group, name, None)
        kind = hold("GDALExtendedDataTypeRelease", "GDALMDArrayGetDataType", array)
        element = named(ELEMENTS, call("GDALExtendedDataTypeGetNumericDataType", kind))
        if call("GDALExtendedDataTypeGetClass", kind) != NUMERIC or element == "-":
            raise protocol.Refused("NoPlainElements", "numpy has no such elements")
        count = c_size_t()
        dimensions = call("GDALMDArrayGetDimensions", array, byref(count)) or 0
        handles = (c_void_p * count.value).from_address(dimensions) if count.value else ()
        shape = [call("GDALDimensionGetSize", c_void_p(one)) or 0 for one in handles]
        call("GDALReleaseDimensions", c_void_p(dimensions), count)
        blocks = call("GDALMDArrayGetBlockSize", array, byref(count)) or 0
        chunk = list((c_uint64 * count.value).from_address(blocks)) if count.value else []
        call("VSIFree", c_void_p(blocks))
        protocol.check_array(shape, chunk, np.dtype(element).itemsize)
        found = np.empty(shape, element)
        numbers = c_uint64 * len(shape)
        sizes = (c_size_t * len(shape))(*shape)
        data = found.ctypes.data_as(c_void_p)
        begin = numbers(*[0] * len(shape))
        rest = (None, None, kind, data, None, c_size_t(0))
        if not call("GDALMDArrayRead", array, begin, sizes, *rest):
            raise failure("cannot be read")
        return found

    def close(self) -> None:
        if hasattr(self, "directory"):
            call("VSICloseDir", self.directory)
        # Forgets the directories of archives, which are told apart by path, size and second.
        call("VSICleanupFileManager")


if __name__ == "__main__":
    views = ["keys", "arrays"]
    protocol.serve("gdal", rasterio.__gdal_version__, views, VirtualArchive)
