"""From a file's arrays to a data set: which are the features, which the labels, and do they fit."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from jacobians.arrays import Array, as_float
from jacobians.data.dataset import Dataset
from jacobians.data.files import describe, read_arrays
from jacobians.data.finite import check_finite
from jacobians.data.labels import encode_labels
from jacobians.data.size_limit import DEFAULT_LIMIT, check_limit
from jacobians.errors import DataError

__all__ = ["read_dataset"]

_FEATURES = ("X", "x", "data", "features", "images")
_LABELS = ("y", "Y", "label", "labels", "target", "targets")


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
    check_limit(8 * sum(array.size for array in chosen.values()), limit, "read_dataset", f"{file} as float64")
    X = np.hstack([array.reshape(len(array), math.prod(array.shape[1:])) for array in chosen.values()])
    if not X.size:
        raise DataError(f"read_dataset: {file} has no examples or no features: X is {X.shape}")

    y = y.reshape(len(y), math.prod(y.shape[1:]))
    if task == "regress":
        return Dataset(X, y.astype(np.float64), source=file)
    classes = encode_labels(y[:, 0] if y.shape[1] == 1 else y, label_name, operation)
    return Dataset(X, classes[0], source=file, classes=classes[1], label_offset=classes[2])


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
