"""Arrays out of a file that nobody vouches for: the suffix picks the reader, every reader obeys one byte limit.

A header promises how many bytes follow, and a compressed part may be a thousand times its stored size. NumPy and SciPy
allocate what is promised, so each promise is checked first. Nothing is ever unpickled.
"""

from __future__ import annotations

import csv
import math
import os
import re
import struct
import zipfile
import zlib
from array import array
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import IO

import numpy as np
import numpy.lib.format as npy

from jacobians.arrays import Array, DType, as_float, format_bytes
from jacobians.data.dataset import check_finite
from jacobians.errors import DataError

DEFAULT_LIMIT = 1 << 30

_MOST_SHOWN = 12

# NumPy refuses longer headers too; reading no more than this keeps a lying header length harmless.
_NPY_HEAD_BYTES = 10_000 + 12

# Splitting a line makes one string a cell, some fifty times its text: one endless line must not be split.
_LONGEST_LINE = 1 << 22

_HDF5 = b"\x89HDF\r\n\x1a\n"
_MAT_HEADER_BYTES = 128
_MAT_COMPRESSED = 15
_MAT_PIECE = 1 << 16
_MAT_NUMERIC_CLASSES = range(6, 16)
_MAT_STORED_KINDS = {*range(1, 8), 9, 12, 13, 16, 17, 18}
_MAT_DTYPES: dict[str, DType] = {
    "double": np.dtype(np.float64),
    "single": np.dtype(np.float32),
    "logical": np.dtype(np.bool_),
    **{f"{sign}int{bits}": np.dtype(f"{sign}int{bits}") for sign in ("", "u") for bits in (8, 16, 32, 64)},
}


def read_arrays(path: str | os.PathLike[str], *, limit: int = DEFAULT_LIMIT) -> dict[str, Array]:
    r"""Return the arrays of a ``.npz``, ``.npy``, ``.mat``, ``.csv`` or ``.txt`` file by name.

    Parameters
    ----------
    path : str or path
        A file; nothing is ever unpickled from it.
    limit : int
        The bytes that its arrays may need; checked before they are allocated.

    Returns
    -------
    dict
        Names to arrays in native byte order. A ``.npy`` file and a table without names have one array,
        "data"; a table with a line of names has one array a column. In a ``.mat`` file cell, struct,
        char and sparse variables are left out.

    Raises
    ------
    DataError
        If the file is missing, unreadable, damaged, pickled, of an unknown kind, or over the limit.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "points.csv"
    ...     _ = path.write_text("age,vote\n36,1\n20,0\n")
    ...     read_arrays(path)
    {'age': array([36., 20.]), 'vote': array([1., 0.])}
    """
    file = Path(path)
    readers = {".csv": _read_table, ".mat": _read_mat, ".npy": _read_npy, ".npz": _read_npz, ".txt": _read_table}
    read = readers.get(file.suffix.lower())
    if file.is_dir():
        raise DataError(f"read_arrays: {file} is a directory; name a file in it")
    if not file.exists():
        raise DataError(f"read_arrays: there is no file {file}")
    if read is None:
        raise DataError(
            f"read_arrays: {file.name} has the unknown suffix {file.suffix!r}; known are {', '.join(readers)}"
        )
    if not file.is_file():
        raise DataError(f"read_arrays: {file} is not a regular file")
    try:
        with file.open("rb") as opened:
            arrays = read(opened, file.name, limit)
    except OSError as error:
        raise DataError(f"read_arrays: {file} cannot be read: {error.strerror or error}") from error
    return {name: array.astype(array.dtype.newbyteorder("="), copy=False) for name, array in arrays.items()}


def read_weights(path: str | os.PathLike[str], *, limit: int = DEFAULT_LIMIT) -> dict[str, Array]:
    """Return the matrices and vectors of floating-point numbers in a file, by name.

    Parameters
    ----------
    path, limit
        As for `read_arrays`.

    Raises
    ------
    DataError
        Also if there is no such array, or one holds NaN or infinity.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez(f"{folder}/weights.npz", Theta1=np.zeros((25, 401)), epoch=3)
    ...     {name: weight.shape for name, weight in read_weights(f"{folder}/weights.npz").items()}
    {'Theta1': (25, 401)}
    """
    file = Path(path).name
    arrays = read_arrays(path, limit=limit)
    weights = {
        name: as_float(array, name, "read_weights")
        for name, array in arrays.items()
        if array.dtype.kind == "f" and array.ndim in (1, 2)
    }
    if not weights:
        raise DataError(f"read_weights: {file} has {describe(arrays)}; no matrix or vector of floats")
    for name, weight in weights.items():
        check_finite(weight, name, f"read_weights: {file}")
    return weights


def describe(arrays: dict[str, Array]) -> str:
    """Return the names and shapes as an error shows them.

    Examples
    --------
    >>> import numpy as np
    >>> describe({"X": np.zeros((12, 1)), "y": np.zeros(12)})
    'X (12, 1), y (12,)'
    """
    shown = [f"{name} {array.shape}" for name, array in arrays.items()]
    more = [f"and {len(shown) - _MOST_SHOWN} more"] if len(shown) > _MOST_SHOWN else []
    return ", ".join(shown[:_MOST_SHOWN] + more) or "no arrays"


def check_limit(needed: int, limit: int, what: str) -> None:
    """Raise if `what` needs more bytes than the limit; asked before they are allocated.

    Raises
    ------
    DataError
        Naming both sizes and the argument that raises the limit.
    """
    if needed > limit:
        raise DataError(
            f"{what} needs {format_bytes(needed)}, over the limit of {format_bytes(limit)}; "
            f"pass limit={needed} or more if you trust the file"
        )


def _size(file: IO[bytes]) -> int:
    return os.fstat(file.fileno()).st_size


@contextmanager
def _refused_as(what: str) -> Iterator[None]:
    """Refuse the file, whatever goes wrong while it is read."""
    try:
        yield
    except DataError:
        raise
    # NumPy, SciPy, zipfile and zlib list no errors: each raises what a malformed byte happens to lead to
    except Exception as error:
        raise DataError(f"read_arrays: {what}: {error}") from error


# NumPy's own files: .npy, and .npz, which is a zip archive of them.


def _read_npy(file: IO[bytes], name: str, limit: int) -> dict[str, Array]:
    return {"data": _npy_array(file, _size(file), name, limit)}


def _read_npz(file: IO[bytes], name: str, limit: int) -> dict[str, Array]:
    """Return the members that are ``.npy`` files."""
    with _refused_as(f"{name} is not a .npz file (a zip archive of .npy files)"):
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
        with _refused_as(f"{where} is damaged"), archive.open(info) as member:
            arrays[key] = _npy_array(member, info.file_size, where, limit)
    return arrays


def _npy_array(file: IO[bytes], size: int, where: str, limit: int) -> Array:
    """Return the array of a ``.npy`` file of `size` bytes, having checked that they hold what its header promises."""
    head = BytesIO(file.read(_NPY_HEAD_BYTES))
    with _refused_as(f"{where} is not a readable .npy array"):
        # Version 3 differs only for field names outside latin-1.
        read_header = npy.read_array_header_1_0 if npy.read_magic(head) == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read_header(head)
    if dtype.hasobject:
        raise DataError(
            f"read_arrays: {where} holds pickled Python objects (dtype {dtype}); unpickling can run any code, "
            "so it is refused: save plain numbers, such as numpy.asarray(values, dtype=float)"
        )
    # An itemsize of 0 (empty strings) still costs a byte an entry once it is an array.
    promised, present = math.prod(shape) * max(dtype.itemsize, 1), size - head.tell()
    if promised > present:
        raise DataError(
            f"read_arrays: the header of {where} promises shape {shape} of {dtype}, {format_bytes(promised)}, "
            f"but {format_bytes(max(present, 0))} follow it; the file is cut short or forged"
        )
    check_limit(promised, limit, f"read_arrays: {where}")
    file.seek(0)
    with _refused_as(f"{where} is damaged"):
        return np.asarray(np.load(file, allow_pickle=False))


# .mat files of MATLAB and Octave, versions 4, 6 and 7.


def _read_mat(file: IO[bytes], name: str, limit: int) -> dict[str, Array]:
    """Return the numeric arrays; cell, struct, char, sparse and object variables are left out."""
    head = file.read(512 + len(_HDF5))
    if head.startswith((_HDF5, b"MATLAB 7.3")) or head[512:] == _HDF5:
        raise DataError(
            f"read_arrays: {name} is a version 7.3 (HDF5) file, which is not read here; load it in MATLAB or "
            "Octave and save it again with: save -v7 FILE (or -v6)"
        )
    from scipy.io import loadmat, whosmat  # costs more than numpy itself, so only when a .mat file is read

    arrays, others, needed = {}, [], 0
    for variables in _mat_variables(file, name, limit):
        with _refused_as(f"{name} is not a readable .mat file (save it with: save -v7 FILE, or -v6)"):
            listed = whosmat(variables)
        numeric = {key: _MAT_DTYPES[kind] for key, _, kind in listed if kind in _MAT_DTYPES}
        others += [f"{key} ({kind})" for key, _, kind in listed if kind not in _MAT_DTYPES]
        needed += sum(math.prod(shape) * numeric[key].itemsize for key, shape, _ in listed if key in numeric)
        check_limit(needed, limit, f"read_arrays: {name}")
        with _refused_as(f"{name} is damaged"):
            loaded = loadmat(variables, variable_names=list(numeric)) if numeric else {}
            for key, dtype in numeric.items():
                # MATLAB stores doubles that happen to be whole as bytes; version 4 has no other class.
                found = loaded[key]
                arrays[key] = found if found.dtype.kind == "c" else found.astype(dtype, copy=False)
    if not arrays:
        raise DataError(f"read_arrays: {name} has no numeric arrays, only {', '.join(others) or 'nothing'}")
    return arrays


def _mat_variables(file: IO[bytes], name: str, limit: int) -> Iterator[BytesIO]:
    """Yield each variable as a file of its own, inflated under the limit.

    A version 5 file (what ``-v6`` and ``-v7`` write) is a list of elements: an 8-byte tag (type, byte count) and its
    bytes; type 15 is a zlib stream of one element. A version 4 file has no compression and is yielded whole. SciPy
    reads from memory here, because there a forged byte count allocates no more than there is.
    """
    size = _size(file)
    check_limit(size, limit, f"read_arrays: {name}")
    file.seek(0)
    header = file.read(_MAT_HEADER_BYTES)
    endian = {b"IM": "<", b"MI": ">"}.get(header[126:])
    if endian is None or 0 in header[:4]:  # version 4 begins with a small number
        yield BytesIO(header + file.read())
        return
    total = 0
    while tag := file.read(8):
        kind, count = struct.unpack(f"{endian}II", tag.ljust(8, b"\0"))
        past = file.tell() + 8 - len(tag) + count - size
        if past > 0:
            raise DataError(f"read_arrays: {name} is damaged: an element ends {past} bytes past its end")
        variable = BytesIO()
        variable.write(header)
        with _refused_as(f"{name} is damaged"):
            for piece in _inflated(file, count) if kind == _MAT_COMPRESSED else (tag, file.read(count)):
                total += len(piece)
                check_limit(total, limit, f"read_arrays: {name}")
                variable.write(piece)
            _check_mat_parts(variable.getvalue(), endian)
        yield variable


def _inflated(file: IO[bytes], count: int) -> Iterator[bytes]:
    inflate = zlib.decompressobj()
    piece = file.read(count)
    while piece:
        yield inflate.decompress(piece, _MAT_PIECE)
        piece = inflate.unconsumed_tail


def _check_mat_parts(variable: bytes, endian: str) -> None:
    """Raise if a part of a numeric variable states a type that no numbers have, or a false length: SciPy may crash."""
    place = flags = _MAT_HEADER_BYTES + 8
    if struct.unpack_from(f"{endian}I", variable, flags + 8)[0] & 0xFF not in _MAT_NUMERIC_CLASSES:
        return
    while place + 8 <= len(variable):
        kind, count = struct.unpack_from(f"{endian}II", variable, place)
        if kind > 0xFFFF:  # a part of up to four bytes lies in its own tag
            kind, count = kind & 0xFFFF, 0
        end = place + 8 + count
        if kind not in _MAT_STORED_KINDS or end > len(variable) or (place == flags and count != 8):
            raise ValueError(f"a part of type {kind} states {count} bytes, {len(variable) - place - 8} follow")
        place = end + -end % 8


# Tables of numbers in text, with or without a line of names.


def _read_table(file: IO[bytes], name: str, limit: int) -> dict[str, Array]:
    """Return the columns by name, or all of a table without names as one (N, C) array "data".

    Cells are separated by tabs, semicolons, commas or blanks, whichever the first line has, in this
    order. Empty lines and lines that begin with ``#`` or ``%`` are skipped. The first line is a line of
    names if none of its cells is a number.
    """
    check_limit(_size(file), limit, f"read_arrays: {name}")
    names: list[str] = []
    width, separator, values = 0, " ", array("d")
    with TextIOWrapper(file, encoding="utf-8-sig") as text:
        for number, line in _lines(text, name):
            where = f"read_arrays: {name}, line {number}"
            first = not width
            if first:
                separator = next((mark for mark in "\t;," if mark in line), " ")
            cells = _cells(line, separator, where)
            if first:
                width = len(cells)
                if not any(map(_is_number, cells)):
                    names = _names(cells, where)
                    continue
            if len(cells) != width:
                raise DataError(f"{where} has {len(cells)} cells, the lines before it have {width}")
            try:
                # float() takes 1_000 for a number, a table does not.
                values.extend(map(float, cells if "_" not in line else [cell.replace("_", "?") for cell in cells]))
            except ValueError:
                column, cell = next(
                    (place, cell.strip()) for place, cell in enumerate(cells, 1) if not _is_number(cell)
                )
                shown = repr(cell if len(cell) <= 40 else cell[:40] + "…") if cell else "an empty cell"
                hint = " (a line of names has no numbers among them)" if first else ""
                raise DataError(f"{where}, column {column}: {shown} is not a number{hint}") from None
            check_limit(values.itemsize * len(values), limit, f"read_arrays: {name}")
    if not values:
        raise DataError(f"read_arrays: {name} has no rows of numbers")
    table = np.frombuffer(values, dtype=np.float64).reshape(-1, width)
    return {name: table[:, column].copy() for column, name in enumerate(names)} or {"data": table}


def _lines(file: TextIOWrapper, name: str) -> Iterator[tuple[int, str]]:
    number = 0
    try:
        while line := file.readline(_LONGEST_LINE):
            number += 1
            if len(line) == _LONGEST_LINE and not line.endswith("\n"):
                raise DataError(f"read_arrays: {name}, line {number} is longer than {_LONGEST_LINE} characters")
            line = line.rstrip("\r\n")
            if line.strip() and not line.lstrip().startswith(("#", "%")):
                yield number, line
    except UnicodeDecodeError as error:
        raise DataError(f"read_arrays: {name} is not UTF-8 text near line {number + 1}; save it as UTF-8") from error


def _cells(line: str, separator: str, where: str) -> list[str]:
    if separator == " ":
        line = re.sub(r"\s", " ", line.strip())
    quote = '"' if '"' in line else "'"
    try:
        return next(csv.reader([line], delimiter=separator, quotechar=quote, skipinitialspace=True))
    except csv.Error as error:
        raise DataError(f"{where} has no readable cells: {error}") from error


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell


def _names(cells: list[str], where: str) -> list[str]:
    names = [cell.strip() or f"column{place}" for place, cell in enumerate(cells, 1)]
    name, count = Counter(names).most_common(1)[0]
    if count > 1:
        raise DataError(f"{where} names {name!r} twice; give every column its own name")
    return names
