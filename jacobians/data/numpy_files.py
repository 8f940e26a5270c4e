"""NumPy's own files: ``.npy``, and ``.npz``, which is a zip archive of them."""

from __future__ import annotations

import math
import zipfile
from io import BytesIO
from typing import IO

import numpy as np
import numpy.lib.format as npy

from jacobians.arrays import Array, format_bytes
from jacobians.data.guards import bytes_in, check_limit, refused_as
from jacobians.errors import DataError

# NumPy refuses longer headers too; reading no more than this keeps a lying header length harmless.
_NPY_HEAD_BYTES = 10_000 + 12


def read_npy(file: IO[bytes], name: str, limit: int) -> dict[str, Array]:
    """Return the one array of a ``.npy`` file, as "data"."""
    return {"data": _npy_array(file, bytes_in(file), name, limit)}


def read_npz(file: IO[bytes], name: str, limit: int) -> dict[str, Array]:
    """Return the members that are ``.npy`` files."""
    with refused_as(f"{name} is not a .npz file (a zip archive of .npy files)"):
        archive = zipfile.ZipFile(file)
    members = {
        info.filename.removesuffix(".npy"): info for info in archive.infolist() if info.filename.endswith(".npy")
    }
    check_limit(sum(info.file_size for info in members.values()), limit, f"read_arrays: {name}")
    arrays = {}
    for key, info in members.items():
        where = f"{key} in {name}"
        # Other methods (LZMA) state their own working memory, which can be gigabytes.
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise DataError(
                f"read_arrays: {where} uses zip compression {info.compress_type}; save it with numpy.savez_compressed"
            )
        with refused_as(f"{where} is damaged"), archive.open(info) as member:
            arrays[key] = _npy_array(member, info.file_size, where, limit)
    return arrays


def _npy_array(file: IO[bytes], size: int, where: str, limit: int) -> Array:
    """Return the array of a ``.npy`` file of `size` bytes, having checked that they hold what its header promises."""
    head = BytesIO(file.read(_NPY_HEAD_BYTES))
    with refused_as(f"{where} is not a readable .npy array"):
        # Version 3 differs only for field names outside latin-1.
        read_header = npy.read_array_header_1_0 if npy.read_magic(head) == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read_header(head)
    if dtype.hasobject:
        raise DataError(
            f"read_arrays: {where} holds pickled Python objects (dtype {dtype}); unpickling can run any code, "
            f"so it is refused: {_plain(where.partition(' in ')[0], shape)}"
        )
    if any(count < 0 for count in shape):  # NumPy before 2.1 reads as many as there are
        raise DataError(f"read_arrays: the header of {where} promises the negative shape {shape}; the file is forged")
    # An itemsize of 0 (empty strings) still costs a byte an entry once it is an array.
    promised, present = math.prod(shape) * max(dtype.itemsize, 1), size - head.tell()
    if promised > present:
        raise DataError(
            f"read_arrays: the header of {where} promises shape {shape} of {dtype}, {format_bytes(promised)}, "
            f"but {format_bytes(max(present, 0))} follow it; the file is cut short or forged"
        )
    check_limit(promised, limit, f"read_arrays: {where}")
    file.seek(0)
    with refused_as(f"{where} is damaged"):
        return np.asarray(np.load(file, allow_pickle=False))


def _plain(name: str, shape: tuple[int, ...]) -> str:
    """How to save as plain numbers what NumPy pickled: a dict as an object array without axes, a list with one axis."""
    if shape == ():
        return f"if {name} is a dict, save its arrays by name, as in numpy.savez(FILE, X=X, y=y, **{name})"
    return (
        "save plain numbers, such as numpy.asarray(values, dtype=float), and each array of a list by its own name, "
        "such as W1, W2, …"
    )
