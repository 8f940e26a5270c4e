"""Dataset: what it accepts, what it refuses, and its mini-batches; the shipped digits are the published ones."""

import hashlib
import re
import runpy
from pathlib import Path

import numpy as np
import pytest

from jacobians.data import Dataset, load_digits
from jacobians.errors import DataError, DTypeError, ShapeError


def refused(error, text):
    return pytest.raises(error, match=f"^{re.escape(text)}$")


def test_labels_are_kept_as_int64_and_features_as_float64():
    data = Dataset(np.ones((3, 2), np.float32), np.array([0, 2, 1], np.uint8), "toy", label_offset=1)
    assert data.X.dtype == np.float64
    assert data.y.dtype == np.int64
    assert (data.classes, data.label_offset, len(data)) == (3, 1, 3)
    assert repr(data) == "Dataset(toy: 3 examples × 2 features, 3 classes)"


def test_a_class_may_be_absent_from_the_labels():
    assert Dataset(np.ones((2, 1)), [0, 1], "toy", classes=5).classes == 5


def test_real_targets():
    data = Dataset(np.ones((1, 1)), np.array([[3]]), "toy")
    assert data.y.dtype == np.float64
    assert data.classes is None
    assert repr(data) == "Dataset(toy: 1 example × 1 feature, 1 target)"


def test_no_examples_are_a_data_set_too():
    data = Dataset(np.ones((0, 4)), np.array([], int), "toy")
    assert (len(data), data.classes) == (0, 0)


@pytest.mark.parametrize(
    ("X", "y", "error", "text"),
    [
        (np.ones(3), [0, 1, 2], ShapeError, "Dataset: X has shape (3,); expected (N, D), one example a row"),
        (np.ones((3, 2)), [0, 1], ShapeError, "Dataset: X (3, 2) has 3 examples, y (2,) has 2"),
        (np.ones((1, 2)), [-1], DataError, "Dataset: y holds the label -1; classes are numbered from 0"),
        (
            np.ones((2, 2)),
            [0.5, 1],
            ShapeError,
            "Dataset: y has shape (2,) and dtype float64; expected integer labels (N,), or real targets (N, M) "
            "such as y[:, None]",
        ),
        (
            [[1.0, np.inf], [np.nan, 1.0]],
            [0, 1],
            DataError,
            "Dataset: X[0, 1] is inf (2 entries are not finite); remove or fill such entries first",
        ),
        (
            np.ones((1, 1)),
            [[np.nan]],
            DataError,
            "Dataset: y[0, 0] is nan; remove or fill such entries first",
        ),
        (
            [["a"]],
            [0],
            DTypeError,
            "Dataset: X has dtype <U1; expected real numbers (float32, float64 or integers)",
        ),
    ],
)
def test_refusals(X, y, error, text):
    with refused(error, text):
        Dataset(X, y, "toy")


def test_a_label_beyond_the_stated_classes_is_refused():
    with refused(DataError, "Dataset: y holds the label 3; 3 classes are numbered 0 to 2"):
        Dataset(np.ones((2, 1)), [0, 3], "toy", classes=3)


def test_classes_of_real_targets_are_refused():
    text = "Dataset: classes=2 needs integer labels of shape (N,); y has shape (2, 1) and dtype float64"
    with refused(DataError, text):
        Dataset(np.ones((2, 1)), np.ones((2, 1)), "toy", classes=2)


def test_a_batch_is_reproducible_without_replacement_and_keeps_pairs_together():
    data = Dataset(np.arange(20.0)[:, None], np.arange(20), "toy", label_offset=1)
    batch = data.batch(12, seed=3)
    assert np.array_equal(batch.X[:, 0], batch.y)
    assert len(set(batch.y.tolist())) == 12
    assert np.array_equal(batch.y, data.batch(12, seed=3).y)
    assert not np.array_equal(batch.y, data.batch(12, seed=4).y)
    assert (batch.classes, batch.label_offset, batch.source) == (20, 1, "toy")
    assert sorted(data.batch(20, seed=0).y.tolist()) == list(range(20))


def test_a_batch_does_not_write_or_share_the_data():
    data = Dataset(np.zeros((4, 2)), [0, 1, 0, 1], "toy")
    data.batch(4, seed=0).X[:] = 1
    assert not data.X.any()


@pytest.mark.parametrize("size", [0, -1, 4])
def test_an_impossible_batch_is_refused(size):
    data = Dataset(np.zeros((3, 2)), [0, 1, 0], "toy")
    with refused(DataError, f"Dataset.batch: size={size} of 3 examples (toy); choose 1 to 3"):
        data.batch(size, seed=0)


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
