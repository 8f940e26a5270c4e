"""From a file's arrays to a data set: which are the features, which the labels, and do they fit.

People store labels as 0..K-1, 1..K, ±1 or one-hot rows; all become classes 0..K-1.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from jacobians.arrays import Array, as_float
from jacobians.data.dataset import Dataset, check_finite
from jacobians.data.files import read_arrays
from jacobians.data.guards import DEFAULT_LIMIT, check_limit, describe
from jacobians.errors import DataError

_FEATURES = ("X", "x", "data", "features", "images")
_LABELS = ("y", "Y", "label", "labels", "target", "targets")

# A year or an identifier taken for a label would otherwise ask for a network with that many outputs.
_MOST_CLASSES = 1 << 16


def read_dataset(
    path: str | os.PathLike[str],
    *,
    features: str | Sequence[str] | None = None,
    labels: str | None = None,
    task: Literal["classify", "regress"] = "classify",
    limit: int = DEFAULT_LIMIT,
) -> Dataset:
    """Return the data set in a file.

    Parameters
    ----------
    path : str or path
        As for `read_arrays`.
    features : str or sequence of str, optional
        The array of examples; several are put side by side. By default the first there is of X, x,
        data, features, images; in a table every column but the labels. Examples lie along the first
        axis, and images are flattened.
    labels : str, optional
        By default the first there is of y, Y, label, labels, target, targets; in a table else the last
        column. The columns of a table without names (and of a ``.npy`` matrix) are "1", "2", ….
    task : {"classify", "regress"}
        Whether the labels are classes or real targets. Labels 0..K-1, 1..K, -1 and +1, and one-hot rows
        are all understood as classes 0..K-1.
    limit : int
        The bytes that the file's arrays, and the features as float64, may need.

    Raises
    ------
    DataError
        As `read_arrays`, or if a name is missing, the numbers of examples differ, an entry is not
        finite, or a label is no class.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez(f"{folder}/toy.npz", X=np.ones((5, 2, 2)), y=[1, 2, 3, 1, 2])
    ...     toy = read_dataset(f"{folder}/toy.npz")
    >>> toy
    Dataset(toy.npz: 5 examples × 4 features, 3 classes)
    >>> toy.y, toy.label_offset
    (array([0, 1, 2, 0, 1]), 1)
    """
    if task not in ("classify", "regress"):
        raise DataError(f"read_dataset: task={task!r} is unknown; choose 'classify' or 'regress'")
    file = Path(path).name
    arrays = read_arrays(path, limit=limit)
    is_table = Path(path).suffix.lower() in (".csv", ".txt", ".npy")
    if is_table:
        arrays = _columns(arrays)
    label_name, feature_names = _choose(arrays, file, features, labels, is_table)

    operation = f"read_dataset: {file}"
    y = _numbers(arrays, label_name, operation)
    chosen = {name: _numbers(arrays, name, operation) for name in feature_names}
    if is_table:
        chosen = {f"column {name}": column for name, column in chosen.items()}
        label_name = f"column {label_name}"
    for name, array in chosen.items():
        y = _fit(array, y, name, label_name, operation)
        check_finite(array, name, operation)
    check_finite(y, label_name, operation)
    check_limit(8 * sum(array.size for array in chosen.values()), limit, f"{operation} as float64")
    X = np.hstack([_as_matrix(array) for array in chosen.values()])
    if not X.size:
        raise DataError(f"read_dataset: {file} has no examples or no features: X is {X.shape}")

    y = _as_matrix(y)
    if task == "regress":
        return Dataset(X, y.astype(np.float64), source=file)
    y, classes, offset = encode_labels(y[:, 0] if y.shape[1] == 1 else y, label_name, operation)
    return Dataset(X, y, source=file, classes=classes, label_offset=offset)


def _as_matrix(array: Array) -> Array:
    return array.reshape(len(array), math.prod(array.shape[1:]))


def _columns(arrays: dict[str, Array]) -> dict[str, Array]:
    table = arrays.get("data")
    if len(arrays) != 1 or table is None or table.ndim != 2:
        return arrays
    return {str(place): table[:, place - 1] for place in range(1, table.shape[1] + 1)}


def _choose(
    arrays: dict[str, Array], file: str, features: str | Sequence[str] | None, labels: str | None, is_table: bool
) -> tuple[str, list[str]]:
    """Return the name of the labels and the names of the features, all of which the file has."""
    has = f"read_dataset: {file} has {describe(arrays)}"
    if labels is None:
        labels = next((name for name in _LABELS if name in arrays), list(arrays)[-1] if is_table else None)
    if labels is None:
        raise DataError(f"{has}; none is called {', '.join(_LABELS)}: choose the labels with --labels NAME")
    if features is not None:
        names = [features] if isinstance(features, str) else list(features)
    elif is_table:
        names = [name for name in arrays if name != labels]
    else:
        names = [name for name in _FEATURES if name in arrays][:1]
    for name, option in [(labels, "labels"), *((name, "features") for name in names)]:
        if name not in arrays:
            raise DataError(f"{has}; not {name!r}: choose with --{option} NAME")
    if not names:
        what = "a table needs a second column" if is_table else f"none is called {', '.join(_FEATURES)}"
        raise DataError(f"{has}; {what}: choose the features with --features NAME")
    if labels in names:
        raise DataError(f"read_dataset: {file}: {labels!r} is chosen both as features and as labels")
    return labels, names


def _numbers(arrays: dict[str, Array], name: str, operation: str) -> Array:
    array = arrays[name]
    if array.dtype.kind not in "buif" or array.ndim == 0:
        raise DataError(
            f"{operation}: {name} {array.shape} has dtype {array.dtype}; expected an array of real numbers "
            "(text labels: number them from 0)"
        )
    return as_float(array, name, operation) if array.dtype.kind == "f" else array


def _fit(array: Array, y: Array, name: str, label_name: str, operation: str) -> Array:
    """Return y with one label a row, having checked that it has as many as `array` has examples."""
    count = len(array)
    if y.ndim == 2 and y.shape[0] == 1 and y.shape[1] == count:
        y = y.T
    if len(y) == count:
        return y
    hint = ""
    if array.shape[-1] == len(y):
        hint = f"; {name} seems to have one example a column: transpose it (examples come first)"
    elif y.shape[-1] == count:
        hint = f"; {label_name} seems to have one example a column: transpose it (examples come first)"
    raise DataError(
        f"{operation}: {name} {array.shape} has {count} examples, {label_name} {y.shape} has {len(y)}{hint}"
    )


def encode_labels(labels: Array, name: str, operation: str) -> tuple[Array, int, int]:
    """Return the classes 0..K-1 (N,), K, and the offset that was taken from the labels.

    Labels that begin at 1 are counted from 1, as Octave does, and get the offset 1; -1 and +1 become
    classes 0 and 1; an (N, K) matrix of one-hot rows gives the column of each row's one.

    Parameters
    ----------
    labels : ndarray, (N,) or (N, K)
        Finite numbers, whole ones of any dtype; N ≥ 1.

    Raises
    ------
    DataError
        If a label is not whole or is negative, if there are more than 65536 classes, or if a row of a
        matrix is not one-hot.

    Examples
    --------
    >>> encode_labels(np.array([1, 10, 3]), "y", "example")
    (array([0, 9, 2]), 10, 1)
    >>> encode_labels(np.array([-1.0, 1.0]), "y", "example")
    (array([0, 1]), 2, 0)
    >>> encode_labels(np.array([[0, 0, 1], [1, 0, 0]]), "y", "example")
    (array([2, 0]), 3, 0)
    """

    def refusal(reason: str) -> DataError:
        return DataError(f"{operation}: {name}{reason}; for real targets choose task 'regress'")

    if labels.ndim == 2:
        wrong = np.flatnonzero(~((labels == 0) | (labels == 1)).all(axis=1) | ((labels == 1).sum(axis=1) != 1))
        if wrong.size:
            raise refusal(f" {labels.shape} is not one-hot: row {wrong[0]} has other than a single 1 among zeros")
        return labels.argmax(axis=1).astype(np.int64), labels.shape[1], 0
    broken = np.flatnonzero(labels != np.floor(labels))
    if broken.size:
        raise refusal(f"[{broken[0]}] is {labels[broken[0]]}, and labels are whole numbers")
    if labels.min() == -1 and np.isin(labels, (-1, 1)).all():
        return (labels > 0).astype(np.int64), 2, 0
    negative = np.flatnonzero(labels < 0)
    if negative.size:
        raise refusal(f"[{negative[0]}] is {labels[negative[0]]}; labels are 0..K-1, 1..K, or -1 and +1")
    offset, highest = int(labels.min() == 1), labels.max()
    if highest - offset >= _MOST_CLASSES:
        raise refusal(f" has the label {highest}, and labels count classes (at most {_MOST_CLASSES})")
    return labels.astype(np.int64) - offset, int(highest) - offset + 1, offset
