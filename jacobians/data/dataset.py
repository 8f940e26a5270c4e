"""A data set in memory: examples in rows, and either class labels or real targets. The shipped digits are one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib import resources

import numpy as np

from jacobians.arrays import Array, as_array, as_float, check_finite, counted
from jacobians.errors import DataError, ShapeError
from jacobians.first_tries import written


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Dataset:
    """Examples in rows with their labels or targets.

    Parameters
    ----------
    X : array_like, (N, D)
        One example a row; kept as float64.
    y : array_like, (N,) or (N, M)
        Integers (N,) are class labels 0..K-1 and are kept as int64; anything else must be (N, M) real
        targets and is kept as float64.
    source : str
        Where the data comes from, for titles and reports.
    classes : int, optional
        K; by default the largest label and one. ``None`` for real targets.
    label_offset : int
        What was taken from the labels of the source: source label = y + label_offset. Octave and MATLAB
        count 1..K, so the offset is 1; label l is simply class l − 1. (In Ng's digits the label 10
        stands for the digit 0: there it is class 9.)
    notes : tuple of str
        What was taken as labels and features, and why; a sentence each.

    Raises
    ------
    ShapeError
        If X is not (N, D), or y has another N.
    DataError
        If an entry is not finite, or a label lies outside 0..K-1.

    Examples
    --------
    >>> data = Dataset([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1], source="by hand")
    >>> data
    Dataset(by hand: 3 examples × 2 features, 2 classes)
    >>> data.batch(2, seed=0).y.shape
    (2,)
    """

    X: Array
    y: Array
    source: str
    classes: int | None = None
    label_offset: int = 0
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        X = as_float(self.X, "X", "Dataset").astype(np.float64, copy=False)
        if X.ndim != 2:
            raise ShapeError(f"Dataset: X has shape {X.shape}; expected (N, D), one example a row")
        check_finite(X, "X", "Dataset")
        y = as_array(self.y, "y", "Dataset")
        if y.ndim == 1 and y.dtype.kind in "iu":
            y, classes = _labels(y, self.classes)
        else:
            y, classes = _targets(y, self.classes), None
        if len(y) != len(X):
            raise ShapeError(f"Dataset: X {X.shape} has {counted(len(X), 'example')}, y {y.shape} has {len(y)}")
        # A frozen dataclass sets its own converted fields this way.
        object.__setattr__(self, "X", X)
        object.__setattr__(self, "y", y)
        object.__setattr__(self, "classes", classes)

    def __len__(self) -> int:
        return len(self.X)

    def __repr__(self) -> str:
        examples, features = self.X.shape
        kind = _count(self.y.shape[1], "target") if self.classes is None else f"{self.classes} classes"
        return f"Dataset({self.source}: {_count(examples, 'example')} × {_count(features, 'feature')}, {kind})"

    def batch(self, size: int, seed: int) -> Dataset:
        """Return a random mini-batch, drawn without replacement; the same seed draws the same batch.

        Raises
        ------
        DataError
            If `size` is less than 1 or more than there are examples.

        Examples
        --------
        >>> data = Dataset([[1.0], [2.0], [3.0]], [0, 1, 0], source="by hand")
        >>> data.batch(4, seed=0)
        Traceback (most recent call last):
        ...
        jacobians.errors.DataError: Dataset.batch: size=4 of 3 examples (by hand); choose 1 to 3
        """
        if not 1 <= size <= len(self):
            raise DataError(
                f"Dataset.batch: size={size} of {len(self)} examples ({self.source}); choose 1 to {len(self)}"
            )
        chosen = np.random.default_rng(seed).choice(len(self), size=size, replace=False)
        return replace(self, X=self.X[chosen], y=self.y[chosen])


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _labels(y: Array, classes: int | None) -> tuple[Array, int]:
    y = y.astype(np.int64, copy=False)
    lowest, highest = int(y.min(initial=0)), int(y.max(initial=-1))
    count = highest + 1 if classes is None else classes
    if lowest < 0:
        raise DataError(f"Dataset: y holds the label {lowest}; classes are numbered from 0")
    if highest >= count:
        raise DataError(f"Dataset: y holds the label {highest}; {count} classes are numbered 0 to {count - 1}")
    return y, count


def _targets(y: Array, classes: int | None) -> Array:
    if classes is not None:
        raise DataError(
            f"Dataset: classes={classes} needs integer labels of shape (N,); y has shape {y.shape} and dtype {y.dtype}"
        )
    targets = as_float(y, "y", "Dataset").astype(np.float64, copy=False)
    if targets.ndim != 2:
        raise ShapeError(
            f"Dataset: y has shape {y.shape} and dtype {y.dtype}; expected integer labels (N,), or real targets (N, M) "
            "such as y[:, None]"
        )
    check_finite(targets, "y", "Dataset")
    return targets


@written
def load_digits() -> Dataset:
    """Return the 1797 handwritten digits, 8 × 8 grey levels 0..16, labels 0..9.

    E. Alpaydin and C. Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine Learning
    Repository, DOI 10.24432/C50P49, CC BY 4.0. Nothing is downloaded: the file is part of the package.

    Examples
    --------
    >>> digits = load_digits()
    >>> digits
    Dataset(UCI optical digits: 1797 examples × 64 features, 10 classes)
    >>> digits.X.min(), digits.X.max()
    (np.float64(0.0), np.float64(16.0))
    """
    with (
        resources.files("jacobians.data").joinpath("digits.npz").open("rb") as file,
        np.load(file, allow_pickle=False) as arrays,
    ):
        return Dataset(arrays["X"], arrays["y"], source="UCI optical digits", classes=10)
