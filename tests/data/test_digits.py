"""The shipped digits are the published ones."""

import hashlib
import runpy
from pathlib import Path

import numpy as np
import pytest

from jacobians.data import load_digits


def test_shape_and_range():
    digits = load_digits()
    assert digits.X.shape == (1797, 64)
    assert digits.X.dtype == np.float64
    assert (digits.X.min(), digits.X.max()) == (0, 16)
    assert np.array_equal(digits.X, np.round(digits.X))
    assert (digits.classes, digits.label_offset) == (10, 0)


def test_every_digit_has_its_count():
    assert np.bincount(load_digits().y).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_the_stored_values_have_not_changed():
    digits = load_digits()
    stored = digits.X.astype(np.uint8).tobytes() + digits.y.astype(np.uint8).tobytes()
    assert hashlib.sha256(stored).hexdigest() == "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"


def test_each_call_gives_arrays_of_its_own():
    load_digits().X[:] = 0
    assert load_digits().X.any()


def test_the_file_is_what_make_digits_makes():
    pytest.importorskip("sklearn", reason="compares with scikit-learn's copy")
    X, y = runpy.run_path(str(Path(__file__).with_name("make_digits.py")))["digits"]()
    digits = load_digits()
    assert np.array_equal(digits.X, X)
    assert np.array_equal(digits.y, y)
