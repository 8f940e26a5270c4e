"""Arrays out of a file that nobody vouches for: the suffix picks the reader, every reader obeys one byte limit.

A header promises how many bytes follow, and a compressed part may be a thousand times its stored size. NumPy and SciPy
allocate what is promised, so each promise is checked first. Nothing is ever unpickled.
"""

from __future__ import annotations

import gzip
import os
from io import BytesIO
from pathlib import Path
from typing import IO

from jacobians.arrays import Array, as_float, check_finite
from jacobians.data.guards import DEFAULT_LIMIT, check_limit, describe, printable, refused_as
from jacobians.data.matlab_files import read_mat
from jacobians.data.numpy_files import read_npy, read_npz
from jacobians.data.tables import read_table
from jacobians.errors import ArgumentError, DataError

_PIECE = 1 << 16

_READERS = {
    ".csv": read_table,
    ".dat": read_table,
    ".data": read_table,
    ".mat": read_mat,
    ".npy": read_npy,
    ".npz": read_npz,
    ".tsv": read_table,
    ".txt": read_table,
}


def kind_of(path: str | os.PathLike[str]) -> str:
    """Return the suffix that says how a file is read: the one before ``.gz`` where it is compressed.

    Examples
    --------
    >>> kind_of("IRIS.CSV"), kind_of("train.csv.gz")
    ('.csv', '.csv')
    """
    file = Path(path)
    return (Path(file.stem) if file.suffix.lower() == ".gz" else file).suffix.lower()


def is_table(path: str | os.PathLike[str]) -> bool:
    """Whether a file holds one table, whose columns are features and labels."""
    return _READERS.get(kind_of(path)) in (read_table, read_npy)


def read_arrays(path: str | os.PathLike[str], *, limit: int = DEFAULT_LIMIT) -> dict[str, Array]:
    r"""Return the arrays of a file by name: ``.npz``, ``.npy``, ``.mat``, or a table in text.

    Tables end in ``.csv``, ``.tsv``, ``.txt``, ``.dat`` or ``.data``. Any of these files may be compressed by gzip, and
    then ends in ``.gz`` besides.

    Parameters
    ----------
    path : str or path
        A file; nothing is ever unpickled from it.
    limit : int
        The bytes that its arrays may need; checked before they are allocated.

    Returns
    -------
    dict
        Names to arrays in native byte order. A ``.npy`` file and a table of numbers without names have one
        array, "data"; a table with a line of names, or with a column of words, has one array a column. In a
        ``.mat`` file the arrays in structs and cells have longer names (``params.W1``, ``coefs_.1``); char and sparse
        variables are left out.

    Raises
    ------
    DataError
        If the file is missing, unreadable, damaged, pickled, of an unknown kind, or over the limit.
    MissingExtraError
        If a ``.mat`` file is of version 7.3, and h5py is not installed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "points.csv"
    ...     _ = path.write_text("age,vote\n36,1\n20,0\n")
    ...     read_arrays(path)
    {'age': array([36., 20.]), 'vote': array([1., 0.])}
    """
    if not isinstance(path, (str, os.PathLike)):
        raise ArgumentError(f"read_arrays: path is {type(path).__name__}; expected the name of a file")
    file = Path(path)
    kind = kind_of(file)
    if file.is_dir():
        raise DataError(f"read_arrays: {file} is a directory; name a file in it")
    if not file.exists():
        raise DataError(f"read_arrays: there is no file {file}")
    if kind not in _READERS:
        raise DataError(
            f"read_arrays: {file.name} has the unknown suffix {kind!r}; known are {', '.join(_READERS)}, and these "
            "with .gz"
        )
    if not file.is_file():
        raise DataError(f"read_arrays: {file} is not a regular file")
    try:
        with file.open("rb") as opened:
            whole = _inflated(opened, file.name, limit) if file.suffix.lower() == ".gz" else opened
            arrays = _READERS[kind](whole, file.name, limit)
    except OSError as error:
        raise DataError(f"read_arrays: {file} cannot be read: {error.strerror or error}") from error
    return {printable(name): array.astype(array.dtype.newbyteorder("="), copy=False) for name, array in arrays.items()}


def _inflated(file: IO[bytes], name: str, limit: int) -> IO[bytes]:
    whole = BytesIO()
    with refused_as(f"{name} is not a readable .gz file"), gzip.GzipFile(fileobj=file) as packed:
        while piece := packed.read(_PIECE):
            check_limit(whole.tell() + len(piece), limit, f"read_arrays: {name}")
            whole.write(piece)
    whole.seek(0)
    return whole


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
