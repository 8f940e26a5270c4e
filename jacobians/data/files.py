"""Arrays out of a file that nobody vouches for: the suffix picks the reader, every reader obeys one byte limit."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from jacobians.arrays import Array, as_float
from jacobians.data.finite import check_finite
from jacobians.data.matlab_files import read_mat
from jacobians.data.numpy_files import read_npy, read_npz
from jacobians.data.size_limit import DEFAULT_LIMIT
from jacobians.data.text_tables import read_table
from jacobians.errors import DataError

__all__ = ["describe", "read_arrays", "read_weights"]

_READERS: dict[str, Callable[[Path, int], dict[str, Array]]] = {
    ".csv": read_table,
    ".mat": read_mat,
    ".npy": read_npy,
    ".npz": read_npz,
    ".txt": read_table,
}

_MOST_SHOWN = 12


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
    read = _READERS.get(file.suffix.lower())
    if file.is_dir():
        raise DataError(f"read_arrays: {file} is a directory; name a file in it")
    if not file.exists():
        raise DataError(f"read_arrays: there is no file {file}")
    if read is None:
        raise DataError(
            f"read_arrays: {file.name} has the unknown suffix {file.suffix!r}; known are {', '.join(_READERS)}"
        )
    if not file.is_file():
        raise DataError(f"read_arrays: {file} is not a regular file")
    try:
        arrays = read(file, limit)
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
