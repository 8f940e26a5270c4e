"""Make jacobians/data/digits.npz from scikit-learn's copy of the UCI optical digits; run by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np

DIGITS = Path(__file__).parents[2] / "jacobians" / "data" / "digits.npz"


def digits() -> tuple[np.ndarray, np.ndarray]:
    """Return X (1797, 64) with grey levels 0..16 and y (1797,) with digits 0..9, both uint8."""
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    return X.astype(np.uint8), y.astype(np.uint8)


if __name__ == "__main__":
    X, y = digits()
    np.savez_compressed(DIGITS, X=X, y=y)
    print(f"{DIGITS.name}: X {X.shape}, y {y.shape}, {DIGITS.stat().st_size} bytes")
