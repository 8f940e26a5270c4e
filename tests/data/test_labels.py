"""encode_labels: the ways people store labels."""

import re

import numpy as np
import pytest

from jacobians.data.features_and_labels import encode_labels
from jacobians.errors import DataError


@pytest.mark.parametrize(
    ("labels", "classes", "count", "offset"),
    [
        ([0, 1, 2], [0, 1, 2], 3, 0),
        ([0.0, 2.0], [0, 2], 3, 0),
        ([1, 2, 3], [0, 1, 2], 3, 1),  # Octave's 1..K
        ([10, 1, 9], [9, 0, 8], 10, 1),  # Ng's digits: 10 is the digit 0, class 9
        ([2, 4], [2, 4], 5, 0),  # neither 0..K-1 nor 1..K: taken as they are
        ([-1, 1, 1], [0, 1, 1], 2, 0),
        ([-1, -1], [0, 0], 2, 0),
        ([True, False], [1, 0], 2, 0),
        ([[0, 1, 0], [1, 0, 0]], [1, 0], 3, 0),
    ],
)
@pytest.mark.parametrize("dtype", [None, np.int8, np.int64, np.float32])
def test_encodings(labels, classes, count, offset, dtype):
    array = np.array(labels)
    encoded, found, taken = encode_labels(array if dtype is None else array.astype(dtype), "y", "test")
    assert encoded.tolist() == classes
    assert encoded.dtype == np.int64
    assert (found, taken) == (count, offset)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint64])
def test_unsigned_labels(dtype):
    encoded, count, offset = encode_labels(np.array([1, 3], dtype), "y", "test")
    assert (encoded.tolist(), encoded.dtype, count, offset) == ([0, 2], np.int64, 3, 1)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8])
def test_the_largest_label_of_a_small_dtype(dtype):
    largest = int(np.iinfo(dtype).max)
    assert encode_labels(np.array([0, largest], dtype), "y", "test")[1] == largest + 1


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        ([1, 0.5], "test: y[1] is 0.5, and labels are whole numbers; for real targets choose task 'regress'"),
        (
            [0, -2, 1],
            "test: y[1] is -2; labels are 0..K-1, 1..K, or -1 and +1; for real targets choose task 'regress'",
        ),
        (
            [-1, 0, 1],
            "test: y[0] is -1; labels are 0..K-1, 1..K, or -1 and +1; for real targets choose task 'regress'",
        ),
        (
            [0, 1 << 16],
            "test: y has the label 65536, and labels count classes (at most 65536); "
            "for real targets choose task 'regress'",
        ),
        (
            [[0, 1], [1, 1]],
            "test: y (2, 2) is not one-hot: row 1 has other than a single 1 among zeros; "
            "for real targets choose task 'regress'",
        ),
        (
            [[0, 2], [1, 0]],
            "test: y (2, 2) is not one-hot: row 0 has other than a single 1 among zeros; "
            "for real targets choose task 'regress'",
        ),
    ],
)
def test_refusals(labels, text):
    with pytest.raises(DataError, match=f"^{re.escape(text)}$"):
        encode_labels(np.array(labels), "y", "test")


def test_labels_too_large_for_an_integer_are_refused():
    with pytest.raises(DataError, match=r"y has the label 1e\+300"):
        encode_labels(np.array([0.0, 1e300]), "y", "test")
