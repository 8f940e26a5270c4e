"""The shipped data set: handwritten digits of the UCI repository (see DIGITS.md)."""

from __future__ import annotations

from importlib import resources

import numpy as np

from jacobians.data.dataset import Dataset

__all__ = ["load_digits"]


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
