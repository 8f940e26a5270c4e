"""From the labels people store (0..K-1, 1..K, ±1, one-hot rows) to classes 0..K-1."""

from __future__ import annotations

import numpy as np

from jacobians.arrays import Array
from jacobians.errors import DataError

__all__ = ["encode_labels"]

# A year or an identifier taken for a label would otherwise ask for a network with that many outputs.
_MOST_CLASSES = 1 << 16


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
    if labels.ndim == 2:
        return _from_one_hot(labels, name, operation), labels.shape[1], 0
    broken = np.flatnonzero(labels != np.floor(labels))
    if broken.size:
        raise DataError(
            f"{operation}: {name}[{broken[0]}] is {labels[broken[0]]}, and labels are whole numbers; "
            "for real targets choose task 'regress'"
        )
    lowest, highest = labels.min(), labels.max()
    if lowest == -1 and np.all((labels == -1) | (labels == 1)):
        return (labels > 0).astype(np.int64), 2, 0
    if lowest < 0:
        place = np.flatnonzero(labels < 0)[0]
        raise DataError(
            f"{operation}: {name}[{place}] is {labels[place]}; labels are 0..K-1, 1..K, or -1 and +1; "
            "for real targets choose task 'regress'"
        )
    offset = 1 if lowest == 1 else 0
    if highest - offset >= _MOST_CLASSES:
        raise DataError(
            f"{operation}: {name} has the label {highest}, and labels count classes (at most {_MOST_CLASSES}); "
            "for real targets choose task 'regress'"
        )
    return labels.astype(np.int64) - offset, int(highest) - offset + 1, offset


def _from_one_hot(rows: Array, name: str, operation: str) -> Array:
    wrong = np.flatnonzero(~(((rows == 0) | (rows == 1)).all(axis=1) & ((rows == 1).sum(axis=1) == 1)))
    if wrong.size:
        raise DataError(
            f"{operation}: {name} {rows.shape} is not one-hot: row {wrong[0]} has other than a single 1 among zeros; "
            "for real targets choose task 'regress'"
        )
    return np.asarray(rows.argmax(axis=1), dtype=np.int64)
