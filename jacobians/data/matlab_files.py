"""``.mat`` files of MATLAB and Octave: versions 4, 6 and 7 by SciPy, and 7.3, which is HDF5, by h5py."""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import IO, Any

import numpy as np

from jacobians.arrays import Array, DType
from jacobians.data.guards import bytes_in, check_limit, refused_as
from jacobians.data.matlab_structs import members
from jacobians.errors import DataError, MissingExtraError

_HDF5 = b"\x89HDF\r\n\x1a\n"
_MAT_HEADER_BYTES = 128
_MAT_COMPRESSED = 15
_MAT_PIECE = 1 << 16
_MAT_CHECKED_CLASSES = {4, *range(6, 16)}
"""Characters and numbers."""
_MAT_STORED_KINDS = {*range(1, 8), 9, 12, 13, 16, 17, 18}
TEXT = "convention"
"""The one variable of characters that is read: in which convention the others are."""

_SPARSE = "MATLAB_sparse"
_BUILT_IN = {1, 2, 3}
"""The HDF5 filters deflate, shuffle and checksum, which MATLAB and h5py use; others are loaded as plug-ins."""
_MAT_DTYPES: dict[str, DType] = {
    "double": np.dtype(np.float64),
    "single": np.dtype(np.float32),
    "logical": np.dtype(np.bool_),
    **{f"{sign}int{bits}": np.dtype(f"{sign}int{bits}") for sign in ("", "u") for bits in (8, 16, 32, 64)},
}


def read_mat(file: IO[bytes], name: str, limit: int) -> dict[str, Array]:
    """Return the numeric arrays, in structs and cell arrays too, and `TEXT`; other variables are left out."""
    head = file.read(512 + len(_HDF5))
    if head.startswith((_HDF5, b"MATLAB 7.3")) or head[512:] == _HDF5:
        return _read_hdf5(file, name, limit)
    from scipy.io import loadmat, whosmat  # costs more than numpy itself, so only when a .mat file is read

    arrays: dict[str, Array] = {}
    others, needed = [], 0
    for variables in _mat_variables(file, name, limit):
        with refused_as(f"{name} is not a readable .mat file (save it with: save -v7 FILE, or -v6)"):
            listed = [variable for variable in whosmat(variables) if variable[0]]  # SciPy finds nameless ones in zeros
        numeric = {key: _MAT_DTYPES[kind] for key, _, kind in listed if kind in _MAT_DTYPES}
        texts = [key for key, _, kind in listed if key == TEXT and kind == "char"]
        others += [f"{key} ({kind})" for key, _, kind in listed if kind not in _MAT_DTYPES and key not in texts]
        needed += sum(math.prod(shape) * _item_bytes(kind) for key, shape, kind in listed if key in (*numeric, *texts))
        check_limit(needed, limit, f"read_arrays: {name}")
        with refused_as(f"{name} is damaged"):
            loaded = loadmat(variables, variable_names=[*numeric, *texts]) if numeric or texts else {}
            arrays |= {key: loaded[key] for key in texts}
            for key, dtype in numeric.items():
                # MATLAB stores doubles that happen to be whole as bytes; version 4 has no other class.
                found = loaded[key]
                arrays[key] = found if found.dtype.kind == "c" else found.astype(dtype, copy=False)
    if not arrays:
        raise DataError(f"read_arrays: {name} has no numeric arrays, only {', '.join(others) or 'nothing'}")
    return arrays


def _item_bytes(kind: str) -> int:
    return 4 if kind == "char" else _MAT_DTYPES[kind].itemsize


def _mat_variables(file: IO[bytes], name: str, limit: int) -> Iterator[BytesIO]:
    """Yield each variable, and each array in a struct or a cell array, as a file of its own, inflated under the limit.

    A version 5 file (what ``-v6`` and ``-v7`` write) is a list of elements: an 8-byte tag (type, byte count) and its
    bytes; type 15 is a zlib stream of one element. A version 4 file has no compression and is yielded whole. SciPy
    reads from memory here, because there a forged byte count allocates no more than there is.
    """
    size = bytes_in(file)
    check_limit(size, limit, f"read_arrays: {name}")
    file.seek(0)
    header = file.read(_MAT_HEADER_BYTES)
    endian = {b"IM": "<", b"MI": ">"}.get(header[126:])
    if 0 in header[:4]:  # version 4 begins with a small number
        yield BytesIO(header + file.read())
        return
    if endian is None:
        raise DataError(
            f"read_arrays: {name} is not a readable .mat file: its first {_MAT_HEADER_BYTES} bytes are damaged"
        )
    total = 0
    while tag := file.read(8):
        kind, count = struct.unpack(f"{endian}II", tag.ljust(8, b"\0"))
        past = file.tell() + 8 - len(tag) + count - size
        if past > 0:
            raise DataError(f"read_arrays: {name} is damaged: an element ends {past} bytes past its end")
        variable = BytesIO()
        variable.write(header)
        with refused_as(f"{name} is damaged"):
            for piece in _inflated(file, count) if kind == _MAT_COMPRESSED else (tag, file.read(count)):
                total += len(piece)
                check_limit(total, limit, f"read_arrays: {name}")
                variable.write(piece)
            whole = variable.getvalue()[_MAT_HEADER_BYTES:]
            for element in members(whole, endian):
                _check_mat_parts(header + element, endian)
                yield BytesIO(header + element)


def _inflated(file: IO[bytes], count: int) -> Iterator[bytes]:
    inflate = zlib.decompressobj()
    piece = file.read(count)
    while piece:
        yield inflate.decompress(piece, _MAT_PIECE)
        piece = inflate.unconsumed_tail


def _check_mat_parts(variable: bytes, endian: str) -> None:
    """Raise if a part of a variable states a type that is not numeric, or a wrong length: SciPy may crash on it."""
    place = flags = _MAT_HEADER_BYTES + 8
    if struct.unpack_from(f"{endian}I", variable, flags + 8)[0] & 0xFF not in _MAT_CHECKED_CLASSES:
        return
    while place + 8 <= len(variable):
        kind, count = struct.unpack_from(f"{endian}II", variable, place)
        if kind > 0xFFFF:  # a part of up to four bytes lies in its own tag
            kind, count = kind & 0xFFFF, 0
        end = place + 8 + count
        if kind not in _MAT_STORED_KINDS or end > len(variable) or (place == flags and count != 8):
            raise ValueError(f"a part of type {kind} states {count} bytes, {len(variable) - place - 8} follow")
        place = end + -end % 8


# Version 7.3: HDF5, where each variable is a dataset, stored transposed, and attributes name its class.


def _read_hdf5(file: IO[bytes], name: str, limit: int) -> dict[str, Array]:
    """Return the numeric arrays, read by the HDF5 library under the limit.

    A dataset may lie in another file, be made up of other datasets, or be unpacked by a plug-in that the file names:
    such ones are refused.
    """
    try:
        import h5py
    except ImportError:
        raise MissingExtraError(
            f"read_arrays: {name} is a version 7.3 (HDF5) file, which needs h5py: pip install h5py, or "
            "load it in MATLAB or Octave and save it again with: save -v7 FILE (or -v6)"
        ) from None
    arrays, others, needed = {}, [], 0
    with refused_as(f"{name} is not a readable .mat file of version 7.3"), h5py.File(file, "r") as variables:
        for key in variables:
            if not isinstance(variables.get(key, getlink=True), h5py.HardLink):
                raise DataError(f"read_arrays: {key} in {name} is a link to elsewhere, which is refused")
            found = variables[key]
            kind = _text(found.attrs.get("MATLAB_class", b"without a class"))
            is_text = key == TEXT and kind == "char"
            if not isinstance(found, h5py.Dataset) or not (kind in _MAT_DTYPES or is_text) or _SPARSE in found.attrs:
                others += [] if key.startswith("#") else [f"{key} ({kind})"]
                continue
            where = f"read_arrays: {key} in {name}"
            _check_dataset(found, where)
            is_complex = found.dtype.names == ("real", "imag")
            dtype = np.dtype(np.complex128) if is_complex else _MAT_DTYPES.get(kind, found.dtype)
            # one chunk is unpacked at a time, whatever part of it is asked for
            stored = found.dtype.itemsize
            needed += found.size * max(stored, dtype.itemsize)
            check_limit(max(needed, math.prod(found.chunks or ()) * stored), limit, f"read_arrays: {name}")
            array = found[()]
            if "MATLAB_empty" in found.attrs:
                shape = [int(size) for size in array.ravel()[::-1]]  # what is stored is the shape
                array = np.zeros(shape if 0 in shape else 0)
            elif is_text:
                arrays[key] = np.array("".join(map(chr, array.ravel().tolist())))
                continue
            elif is_complex:
                array = array["real"] + 1j * array["imag"]
            arrays[key] = np.ascontiguousarray(array.T).astype(dtype, copy=False)
    if not arrays:
        raise DataError(
            f"read_arrays: {name} has no numeric arrays as MATLAB stores them, only {', '.join(others) or 'nothing'}; "
            "save it again with: save -v7 FILE"
        )
    return arrays


def _text(attribute: Any) -> str:
    return attribute.decode(errors="replace") if isinstance(attribute, bytes) else str(attribute)


def _check_dataset(dataset: Any, where: str) -> None:
    """Raise unless a dataset's numbers lie in the file itself, as numbers, packed at most by what HDF5 brings along."""
    filters = dataset.id.get_create_plist()
    methods = [filters.get_filter(place)[0] for place in range(filters.get_nfilters())]
    if dataset.external or dataset.is_virtual:
        raise DataError(f"{where} lies in another file, which is refused")
    if not _BUILT_IN.issuperset(methods):
        raise DataError(
            f"{where} is packed by filter {max(methods)}, which is refused; save it again with: save -v7 FILE"
        )
    names = dataset.dtype.names
    kinds = {dataset.dtype[n].kind for n in names} if names == ("real", "imag") else {dataset.dtype.kind}
    if not kinds <= set("iufb"):
        raise DataError(f"{where} has the type {dataset.dtype}, which is no number")
