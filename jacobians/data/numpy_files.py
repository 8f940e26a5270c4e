"""NumPy's own files, read without trust: sizes are checked before anything is allocated, nothing is unpickled.

A ``.npy`` header is a promise about how many bytes follow. NumPy allocates what is promised before it
reads, and a ``.npz`` member is compressed a thousandfold at will, so both promises are checked first.
numpy, zipfile, zlib and tokenize raise whatever a malformed byte leads to, hence each ``except Exception``.
"""

from __future__ import annotations

import math
import os
import zipfile
from io import BytesIO
from pathlib import Path
from typing import IO

import numpy.lib.format as npy

from jacobians.arrays import Array, format_bytes
from jacobians.data.size_limit import check_limit
from jacobians.errors import DataError

__all__ = ["read_npy", "read_npz"]

# NumPy refuses longer headers too; reading no more than this keeps a lying header length harmless.
_HEAD_BYTES = 10_000 + 12


def read_npy(path: Path, limit: int) -> dict[str, Array]:
    """Return the one array of a ``.npy`` file, named "data"."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        check_limit(_promised_bytes(file.read(_HEAD_BYTES), size, path.name), limit, "read_arrays", path.name)
        file.seek(0)
        return {"data": _read(file, path.name)}


def read_npz(path: Path, limit: int) -> dict[str, Array]:
    """Return the arrays of a ``.npz`` file by name; members that are no ``.npy`` are left out."""
    with path.open("rb") as file, _archive(file, path.name) as archive:
        members = {info.filename[: -len(".npy")]: info for info in archive.infolist() if info.filename.endswith(".npy")}
        check_limit(sum(info.file_size for info in members.values()), limit, "read_arrays", path.name)
        for name, info in members.items():
            where = f"{name} in {path.name}"
            _promised_bytes(_head(archive, info, where), info.file_size, where)
        arrays = {}
        for name, info in members.items():
            with archive.open(info) as member:
                arrays[name] = _read(member, f"{name} in {path.name}")
    return arrays


def _archive(file: IO[bytes], name: str) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except Exception as error:
        raise DataError(f"read_arrays: {name} is not a .npz file (a zip archive of .npy files): {error}") from error


def _head(archive: zipfile.ZipFile, info: zipfile.ZipInfo, where: str) -> bytes:
    # Other methods (LZMA) state their own working memory, which can be gigabytes.
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataError(
            f"read_arrays: {where} uses zip compression {info.compress_type}; save it with numpy.savez_compressed"
        )
    try:
        with archive.open(info) as file:
            return file.read(_HEAD_BYTES)
    except Exception as error:
        raise DataError(f"read_arrays: {where} is damaged: {error}") from error


def _promised_bytes(head: bytes, size: int, where: str) -> int:
    """Return the bytes that a .npy header promises, having checked that `size` bytes of file can hold them."""
    stream = BytesIO(head)
    try:
        version = npy.read_magic(stream)
        # Version 3 differs only for field names outside latin-1.
        read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read_header(stream)
    except Exception as error:
        raise DataError(f"read_arrays: {where} is not a readable .npy array: {error}") from error
    if dtype.hasobject:
        raise DataError(
            f"read_arrays: {where} holds pickled Python objects (dtype {dtype}); unpickling can run any code, "
            "so it is refused: save plain numbers, such as numpy.asarray(values, dtype=float)"
        )
    # An itemsize of 0 (empty strings) still costs a byte an entry once it is an array.
    promised = math.prod(shape) * max(dtype.itemsize, 1)
    present = size - stream.tell()
    if promised > present:
        raise DataError(
            f"read_arrays: the header of {where} promises shape {shape} of {dtype}, {format_bytes(promised)}, "
            f"but {format_bytes(max(present, 0))} follow it; the file is cut short or forged"
        )
    return promised


def _read(file: IO[bytes], where: str) -> Array:
    try:
        return npy.read_array(file, allow_pickle=False)
    except Exception as error:
        raise DataError(f"read_arrays: {where} is damaged: {error}") from error
