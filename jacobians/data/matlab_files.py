"""``.mat`` files of MATLAB and Octave (versions 4, 6 and 7), measured before they are loaded.

A version 5 file (what ``-v6`` and ``-v7`` write) is a list of elements, each an 8-byte tag (type, byte
count) and its bytes; type 15 is a zlib stream. Both what the streams inflate to and what the headers of
the variables promise must stay below the limit.
"""

from __future__ import annotations

import math
import os
import struct
import zlib
from pathlib import Path

from jacobians.arrays import Array
from jacobians.data.size_limit import check_limit
from jacobians.errors import DataError

__all__ = ["read_mat"]

_HDF5 = b"\x89HDF\r\n\x1a\n"
_HEADER_BYTES = 128
_COMPRESSED = 15
_CHUNK = 1 << 16

_BYTES = {"double": 8, "single": 4, "logical": 1} | {
    f"{sign}int{bits}": bits // 8 for sign in ("", "u") for bits in (8, 16, 32, 64)
}


def read_mat(path: Path, limit: int) -> dict[str, Array]:
    """Return the numeric arrays by name; cell, struct, char, sparse and object variables are left out."""
    with path.open("rb") as file:
        head = file.read(512 + len(_HDF5))
    if head.startswith((_HDF5, b"MATLAB 7.3")) or head[512:] == _HDF5:
        raise DataError(
            f"read_arrays: {path.name} is a version 7.3 (HDF5) file, which is not read here; load it in MATLAB or "
            "Octave and save it again with: save -v7 FILE (or -v6)"
        )
    _check_inflated(path, limit)

    from scipy.io import loadmat, whosmat  # costs more than numpy itself, so only when a .mat file is read

    # SciPy raises whatever a malformed byte leads to (KeyError, TypeError, MatReadError …): all mean the same.
    try:
        variables = whosmat(path, appendmat=False)
    except Exception as error:
        raise DataError(
            f"read_arrays: {path.name} is not a readable .mat file ({error}); save it with: save -v7 FILE (or -v6)"
        ) from error
    numeric = {name: math.prod(shape) * _BYTES[kind] for name, shape, kind in variables if kind in _BYTES}
    check_limit(sum(numeric.values()), limit, "read_arrays", path.name)
    if not numeric:
        found = ", ".join(f"{name} ({kind})" for name, _, kind in variables) or "nothing"
        raise DataError(f"read_arrays: {path.name} has no numeric arrays, only {found}")
    try:
        # mat_dtype: MATLAB stores doubles that happen to be whole as bytes; give back what was saved.
        loaded = loadmat(path, appendmat=False, mat_dtype=True, variable_names=list(numeric))
    except Exception as error:
        raise DataError(f"read_arrays: {path.name} is damaged: {error}") from error
    return {name: loaded[name] for name in numeric}


def _check_inflated(path: Path, limit: int) -> None:
    """Walk the elements of a version 5 file, inflating without keeping, and stop at the limit."""
    total = 0
    size = path.stat().st_size
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
        endian = {b"IM": "<", b"MI": ">"}.get(header[126:])
        if endian is None or 0 in header[:4]:
            return  # version 4 begins with a small number, and does not compress: the variables' headers tell all
        while len(tag := file.read(8)) == 8:
            kind, count = struct.unpack(f"{endian}II", tag)
            end = file.tell() + count
            if end > size:
                raise DataError(f"read_arrays: {path.name} is damaged: an element ends {end - size} bytes past its end")
            if kind != _COMPRESSED:
                total += count
                check_limit(total, limit, "read_arrays", path.name)
                file.seek(count, os.SEEK_CUR)
                continue
            inflate = zlib.decompressobj()
            while count:
                piece = file.read(min(count, _CHUNK))
                count -= len(piece)
                while piece:
                    try:
                        total += len(inflate.decompress(piece, _CHUNK))
                    except zlib.error as error:
                        raise DataError(f"read_arrays: {path.name} is damaged: {error}") from error
                    check_limit(total, limit, "read_arrays", path.name)
                    piece = inflate.unconsumed_tail
