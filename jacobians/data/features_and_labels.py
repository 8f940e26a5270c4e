"""From a file's arrays to a data set: which are the features, which the labels, and do they fit.

People store labels as 0..K-1, 1..K, ±1, words or one-hot rows; all become classes 0..K-1. What was taken as labels, and
why, is said in a sentence; where two choices are as good, the reader is asked.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from jacobians.arrays import Array, as_float, check_finite, counted
from jacobians.data.dataset import Dataset
from jacobians.data.files import is_table, read_arrays
from jacobians.data.guards import DEFAULT_LIMIT, check_limit, describe
from jacobians.errors import DataError

_FEATURES = ("X", "x", "data", "features", "images")
_LABELS = ("y", "Y", "label", "labels", "target", "targets", "class", "classes", "species")

# A year or an identifier taken for a label would otherwise ask for a network with that many outputs.
_MOST_CLASSES = 1 << 16

_FEW_CLASSES = 20
"""So many classes may lack some in a small file; more whole numbers than that, with gaps, are rather amounts."""

_SHOWN_WORDS = 4


def read_dataset(
    path: str | os.PathLike[str],
    *,
    features: str | Sequence[str] | None = None,
    labels: str | None = None,
    task: Literal["classify", "regress"] = "classify",
    classes: int | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Dataset:
    """Return the data set in a file.

    Parameters
    ----------
    path : str or path
        As for `read_arrays`.
    features : str or sequence of str, optional
        The array of examples; several are put side by side. By default the first there is of X, x,
        data, features, images; in a table every column of numbers but the labels. Examples lie along the
        first axis, and images are flattened.
    labels : str, optional
        By default the first there is of y, Y, label, labels, target, targets, class, classes, species. In a
        table the one column with such a name, else the only column of words, else the last column, or the
        first of a table without names where only that one can hold classes; where two columns are as good,
        an error asks. The columns of a table without names (and of a ``.npy`` matrix) are "1", "2", ….
    task : {"classify", "regress"}
        Whether the labels are classes or real targets. Labels 0..K-1, 1..K, -1 and +1, words, and one-hot
        rows are all understood as classes 0..K-1.
    classes : int, optional
        K, where it is known: labels that reach K are then counted from 1, whether or not a 1 occurs.
    limit : int
        The bytes that the file's arrays, and the features as float64, may need.

    Returns
    -------
    Dataset
        Its `notes` say what was taken as labels, and why.

    Raises
    ------
    DataError
        As `read_arrays`, or if a name is missing, the numbers of examples differ, an entry is not
        finite, a label is no class, or the labels are in doubt.

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
    >>> print(*toy.notes)
    labels: y, by its name; 1 … 3 are classes 0 … 2
    """
    if task not in ("classify", "regress"):
        raise DataError(f"read_dataset: task={task!r} is unknown; choose 'classify' or 'regress'")
    file = Path(path).name
    arrays = read_arrays(path, limit=limit)
    table = is_table(path)
    named = not table
    if table:
        columns = _columns(arrays)
        named, arrays = not all(name.isdecimal() for name in columns), columns
    operation = f"read_dataset: {file}"
    found = _label_choice(arrays, file, labels, task, table=table, named=named)
    feature_names, notes = _feature_names(arrays, file, features, found.name, table=table)

    y = _numbers(arrays, found.name, operation, words=task == "classify")
    chosen = {name: _numbers(arrays, name, operation) for name in feature_names}
    label_name = found.name
    if table:
        chosen = {f"column {name}": column for name, column in chosen.items()}
        label_name = f"column {found.name}"
    for name, array in chosen.items():
        y = _fit(array, y, name, label_name, operation)
        check_finite(array, name, operation)
    if y.dtype.kind != "U":
        check_finite(y, label_name, operation)
    check_limit(8 * sum(array.size for array in chosen.values()), limit, f"{operation} as float64")
    X = np.hstack([_as_matrix(array) for array in chosen.values()])
    if not X.size:
        raise DataError(f"read_dataset: {file} has no examples or no features: X is {X.shape}")

    y = _as_matrix(y)
    if task == "regress":
        notes = (f"targets: {label_name}, {found.reason}", *notes)
        return Dataset(X, y.astype(np.float64), source=file, notes=notes)
    y = y[:, 0] if y.shape[1] == 1 else y
    if labels is None and y.ndim == 1 and y.dtype.kind != "U":
        _refuse_amounts(y, label_name, operation, found.name)
    given = y
    y, count, offset = encode_labels(y, label_name, operation, classes)
    notes = (f"labels: {label_name}, {found.reason}; {_meaning(given, y, count, offset)}", *notes)
    return Dataset(X, y, source=file, classes=count, label_offset=offset, notes=notes)


def _as_matrix(array: Array) -> Array:
    return array.reshape(len(array), math.prod(array.shape[1:]))


def _columns(arrays: dict[str, Array]) -> dict[str, Array]:
    table = arrays.get("data")
    if len(arrays) != 1 or table is None or table.ndim != 2:
        return arrays
    return {str(place): table[:, place - 1] for place in range(1, table.shape[1] + 1)}


# Which array holds the labels.


@dataclass(frozen=True, slots=True)
class _Choice:
    """The array of labels, and why it is the one."""

    name: str
    reason: str


def _label_choice(
    arrays: dict[str, Array], file: str, labels: str | None, task: str, *, table: bool, named: bool
) -> _Choice:
    has = f"read_dataset: {file} has {describe(arrays)}"
    if labels is not None:
        if labels not in arrays:
            raise DataError(f"{has}; not {labels!r}: choose with --labels NAME")
        return _Choice(labels, "as chosen")
    if not table:
        name = next((name for name in _LABELS if name in arrays), None)
        if name is None:
            raise DataError(f"{has}; none is called {', '.join(_LABELS)}: choose the labels with --labels NAME")
        return _Choice(name, "by its name")
    usual = [name for name in arrays if name.strip().casefold() in _LABELS]
    if len(usual) > 1:
        raise DataError(f"read_dataset: {file}: {_listed(usual)} may all be the labels: choose with --labels NAME")
    if usual:
        return _Choice(usual[0], "by its name")
    return _by_content(arrays, file, task, named)


def _by_content(arrays: dict[str, Array], file: str, task: str, named: bool) -> _Choice:
    """The column that looks like labels, where no name tells."""
    first, last = next(iter(arrays)), list(arrays)[-1]
    if task == "regress":
        return _Choice(last, "the last one; --labels NAME chooses another")
    words = [name for name, column in arrays.items() if column.dtype.kind == "U"]
    if len(words) == 1 and 2 * len(np.unique(arrays[words[0]])) <= len(arrays[words[0]]):
        return _Choice(words[0], "the only one of words")
    if words and last not in words:
        raise DataError(
            f"read_dataset: {file}: column {_listed(words)} of words may be the labels, and so may the last, {last}: "
            "choose with --labels NAME"
        )
    at_ends = _looks_like_classes(arrays[first]), _looks_like_classes(arrays[last])
    if first != last and at_ends[0] == "surely":
        if at_ends[1] == "no" and not named:
            return _Choice(first, "the first one, since the last holds no classes; --labels NAME chooses another")
        raise DataError(
            f"read_dataset: {file}: the first column, {first}, may be the labels, and so may the last, {last}: choose "
            "with --labels NAME"
        )
    return _Choice(last, "the last one; --labels NAME chooses another")


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _looks_like_classes(column: Array) -> Literal["surely", "perhaps", "no"]:
    """Surely where all of 0..K-1, 1..K or ±1 occur, twice on average; perhaps where they are few whole numbers."""
    if column.dtype.kind == "U":
        return "surely" if 2 * len(np.unique(column)) <= len(column) else "no"
    if not np.isfinite(column).all() or (column != np.floor(column)).any():
        return "no"
    values = np.unique(column)
    if values[0] < 0 and values.tolist() != [-1, 1]:
        return "no"
    if len(values) < 2 or _are_amounts(column):
        return "no"
    full = values.tolist() in (list(range(len(values))), list(range(1, len(values) + 1)), [-1, 1])
    return "surely" if full and 2 * len(values) <= len(column) else "perhaps"


def _are_amounts(labels: Array) -> bool:
    """Whether whole numbers are rather amounts than classes: many, with gaps, or hardly one twice."""
    values = np.unique(labels)
    count = values[-1] - min(values[0], 1) + 1
    return bool(count > _FEW_CLASSES and (len(values) < 0.9 * count or 2 * len(values) > len(labels)))


def _refuse_amounts(y: Array, label_name: str, operation: str, name: str) -> None:
    if (y != np.floor(y)).any() or y.max() - y.min() >= _MOST_CLASSES or not _are_amounts(y):
        return
    raise DataError(
        f"{operation}: {label_name} holds {len(np.unique(y))} different whole numbers from {y.min():g} to {y.max():g} "
        f"in {len(y)} examples; for real targets choose task 'regress', for classes choose it with --labels {name}"
    )


def _meaning(given: Array, y: Array, classes: int, offset: int) -> str:
    """What the labels became."""
    if given.dtype.kind == "U":
        words = [repr(word) if "," in word else word for word in dict.fromkeys(np.unique(given).tolist())]
        shown = words if len(words) <= _SHOWN_WORDS else [*words[: _SHOWN_WORDS - 1], "…", words[-1]]
        return f"{', '.join(shown)} are classes 0 … {classes - 1}"
    if given.ndim == 2:
        return f"one-hot rows, {classes} classes"
    if given.min() == -1:
        return "-1 and 1 are classes 0 and 1"
    occur = len(np.unique(y))
    some = "" if occur == classes else f", of which {occur} occur{'s' * (occur == 1)}"
    if offset:
        return f"1 … {classes} are classes 0 … {classes - 1}{some}"
    return f"{classes} classes, 0 … {classes - 1}{some}" if classes > 1 else "one class, 0"


# Which arrays hold the features.


def _feature_names(
    arrays: dict[str, Array], file: str, features: str | Sequence[str] | None, labels: str, *, table: bool
) -> tuple[list[str], tuple[str, ...]]:
    """Return their names, all of which the file has, and what is to be said about them."""
    has, notes = f"read_dataset: {file} has {describe(arrays)}", []
    if features is not None:
        names = [features] if isinstance(features, str) else list(features)
    elif table:
        others = [name for name in arrays if name != labels]
        names = [name for name in others if arrays[name].dtype.kind != "U"]
        if len(names) < len(others):
            notes.append(f"features: left out {_listed([n for n in others if n not in names])}: no numbers")
        numbering = [name for name in names if _numbers_the_rows(arrays[name])]
        if numbering and len(names) > len(numbering):
            verb = "numbers" if len(numbering) == 1 else "number"
            notes.append(f"features: {_listed(numbering)} only {verb} the rows; choose others with --features")
    else:
        names = [name for name in _FEATURES if name in arrays][:1]
    for name in names:
        if name not in arrays:
            raise DataError(f"{has}; not {name!r}: choose with --features NAME")
    if not names:
        what = "a table needs a second column" if table else f"none is called {', '.join(_FEATURES)}"
        raise DataError(f"{has}; {what}: choose the features with --features NAME")
    if labels in names:
        raise DataError(f"read_dataset: {file}: {labels!r} is chosen both as features and as labels")
    return names, tuple(notes)


def _numbers_the_rows(column: Array) -> bool:
    return len(column) > 2 and column[0] in (0, 1) and bool((np.diff(column) == 1).all())


def _numbers(arrays: dict[str, Array], name: str, operation: str, *, words: bool = False) -> Array:
    array = arrays[name]
    if array.dtype.kind == "U" and words:
        return array
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
        f"{operation}: {name} {array.shape} has {counted(count, 'example')}, {label_name} {y.shape} has {len(y)}{hint}"
    )


def encode_labels(labels: Array, name: str, operation: str, classes: int | None = None) -> tuple[Array, int, int]:
    """Return the classes 0..K-1 (N,), K, and the offset that was taken from the labels.

    Labels that begin at 1 are counted from 1, as Octave does, and get the offset 1, and so do labels that
    reach the number of classes, where it is known; -1 and +1 become classes 0 and 1; words are numbered in
    the order of the alphabet; an (N, K) matrix of one-hot rows gives the column of each row's one.

    Parameters
    ----------
    labels : ndarray, (N,) or (N, K)
        Finite numbers, whole ones of any dtype, or words; N ≥ 1.
    classes : int, optional
        K, where it is known.

    Raises
    ------
    DataError
        If a label is not whole or is negative, if there are more than 65536 classes, if labels reach from 0
        to the number of classes, or if a row of a matrix is not one-hot.

    Examples
    --------
    >>> encode_labels(np.array([1, 10, 3]), "y", "example")
    (array([0, 9, 2]), 10, 1)
    >>> encode_labels(np.array([-1.0, 1.0]), "y", "example")
    (array([0, 1]), 2, 0)
    >>> encode_labels(np.array([[0, 0, 1], [1, 0, 0]]), "y", "example")
    (array([2, 0]), 3, 0)
    >>> encode_labels(np.array(["virginica", "setosa"]), "species", "example")
    (array([1, 0]), 2, 0)
    """

    def refusal(reason: str) -> DataError:
        return DataError(f"{operation}: {name}{reason}; for real targets choose task 'regress'")

    if labels.dtype.kind == "U":
        if labels.ndim == 2:
            raise refusal(f" {labels.shape} has words in several columns")
        different, places = np.unique(labels, return_inverse=True)
        if len(different) > _MOST_CLASSES:
            raise refusal(f" has {len(different)} different words, and labels count classes (at most {_MOST_CLASSES})")
        return places.astype(np.int64), len(different), 0
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
    lowest, highest = labels.min(), labels.max()
    if classes is not None and lowest == 0 and highest == classes:
        raise refusal(f" reaches from 0 to {highest}; {classes} classes are 0..{classes - 1} or 1..{classes}")
    offset = int(lowest == 1 or (lowest > 1 and highest == classes))
    if highest - offset >= _MOST_CLASSES:
        raise refusal(f" has the label {highest}, and labels count classes (at most {_MOST_CLASSES})")
    return labels.astype(np.int64) - offset, int(highest) - offset + 1, offset
