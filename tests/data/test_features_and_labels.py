"""read_dataset: which array is what, and whether they fit; encode_labels: the ways people store labels."""

import re

import numpy as np
import pytest
from scipy.io import savemat

from jacobians.data import read_dataset
from jacobians.data.features_and_labels import encode_labels
from jacobians.errors import DataError


def npz(tmp_path, **arrays):
    np.savez(tmp_path / "d.npz", **arrays)
    return tmp_path / "d.npz"


def csv(tmp_path, text):
    (tmp_path / "d.csv").write_text(text)
    return tmp_path / "d.csv"


def refused(text):
    return pytest.raises(DataError, match=f"^{re.escape(text)}$")


X = np.arange(12.0).reshape(4, 3)
LABELS = np.array([1, 0, 2, 1])


@pytest.mark.parametrize("features", ["X", "x", "data", "features", "images"])
@pytest.mark.parametrize("labels", ["y", "Y", "label", "labels", "target", "targets"])
def test_usual_names_are_found(tmp_path, features, labels):
    data = read_dataset(npz(tmp_path, **{features: X, labels: LABELS}))
    assert np.array_equal(data.X, X)
    assert np.array_equal(data.y, LABELS)
    assert (data.source, data.classes, data.label_offset) == ("d.npz", 3, 0)


def test_other_names_are_chosen(tmp_path):
    path = npz(tmp_path, X=X, y=LABELS, Xval=X + 1, yval=LABELS[::-1])
    data = read_dataset(path, features="Xval", labels="yval")
    assert np.array_equal(data.X, X + 1)
    assert np.array_equal(data.y, LABELS[::-1])


def test_several_features_are_put_side_by_side(tmp_path):
    data = read_dataset(npz(tmp_path, a=X, b=np.ones(4, int), y=LABELS), features=["b", "a"])
    assert np.array_equal(data.X, np.column_stack([np.ones(4), X]))


def test_images_are_flattened(tmp_path):
    images = np.arange(4 * 2 * 3, dtype=np.uint8).reshape(4, 2, 3)
    data = read_dataset(npz(tmp_path, images=images, labels=LABELS))
    assert np.array_equal(data.X, images.reshape(4, 6))


def test_octave_labels_in_a_column(tmp_path):
    savemat(tmp_path / "d.mat", {"X": X, "y": np.array([[10], [1], [2], [10]], np.uint8)})
    data = read_dataset(tmp_path / "d.mat")
    assert data.y.tolist() == [9, 0, 1, 9]
    assert (data.classes, data.label_offset) == (10, 1)


@pytest.mark.parametrize("y", [LABELS, LABELS[:, None], LABELS[None, :], np.eye(3)[LABELS]])
def test_shapes_of_labels(tmp_path, y):
    data = read_dataset(npz(tmp_path, X=X, y=y))
    assert data.y.tolist() == LABELS.tolist()
    assert data.classes == 3


def test_minus_one_and_one(tmp_path):
    data = read_dataset(npz(tmp_path, X=X, y=[-1, 1, 1, -1]))
    assert (data.y.tolist(), data.classes) == ([0, 1, 1, 0], 2)


@pytest.mark.parametrize("y", [np.ones(4), np.ones((1, 4)), np.ones((4, 1)), np.ones(4, int)])
def test_real_targets_are_a_matrix(tmp_path, y):
    data = read_dataset(npz(tmp_path, X=X, y=y), task="regress")
    assert np.array_equal(data.y, np.ones((4, 1)))
    assert data.y.dtype == np.float64
    assert data.classes is None


def test_several_real_targets(tmp_path):
    assert read_dataset(npz(tmp_path, X=X, y=np.ones((4, 2))), task="regress").y.shape == (4, 2)
    assert read_dataset(npz(tmp_path, X=X[:1], y=np.ones((1, 5))), task="regress").y.shape == (1, 5)


def test_a_table_with_names(tmp_path):
    path = csv(tmp_path, "age,vote,educ\n36,1,3\n20,0,2\n")
    last = read_dataset(path)
    assert (last.X.tolist(), last.y.tolist()) == ([[36, 1], [20, 0]], [3, 2])
    chosen = read_dataset(path, labels="vote")
    assert (chosen.X.tolist(), chosen.y.tolist()) == ([[36, 3], [20, 2]], [1, 0])
    only = read_dataset(path, labels="vote", features="educ")
    assert only.X.tolist() == [[3], [2]]


def test_a_column_called_label_is_the_label(tmp_path):
    data = read_dataset(csv(tmp_path, "label,p1,p2\n1,5,6\n0,7,8\n"))
    assert (data.X.tolist(), data.y.tolist()) == ([[5, 6], [7, 8]], [1, 0])


def test_a_table_without_names(tmp_path):
    path = csv(tmp_path, "1,5,6\n0,7,8\n")
    assert read_dataset(path, task="regress").y.tolist() == [[6], [8]]
    numbered = read_dataset(path, labels="1", features=["3"])
    assert (numbered.X.tolist(), numbered.y.tolist()) == ([[6], [8]], [1, 0])


def test_a_npy_matrix_is_a_table(tmp_path):
    np.save(tmp_path / "d.npy", np.array([[5.0, 6, 1], [7, 8, 0]]))
    assert read_dataset(tmp_path / "d.npy").y.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("arrays", "options", "text"),
    [
        (
            {"Theta1": np.ones((2, 3)), "Theta2": np.ones((1, 3))},
            {},
            "read_dataset: d.npz has Theta1 (2, 3), Theta2 (1, 3); none is called y, Y, label, labels, target, "
            "targets, class, classes, species: choose the labels with --labels NAME",
        ),
        (
            {"A": X, "y": LABELS},
            {},
            "read_dataset: d.npz has A (4, 3), y (4,); none is called X, x, data, features, images: "
            "choose the features with --features NAME",
        ),
        (
            {"X": X, "y": LABELS},
            {"features": "Z"},
            "read_dataset: d.npz has X (4, 3), y (4,); not 'Z': choose with --features NAME",
        ),
        (
            {"X": X, "y": LABELS},
            {"labels": "Z"},
            "read_dataset: d.npz has X (4, 3), y (4,); not 'Z': choose with --labels NAME",
        ),
        (
            {"X": X, "y": LABELS},
            {"features": ["X", "y"]},
            "read_dataset: d.npz: 'y' is chosen both as features and as labels",
        ),
        (
            {"X": X, "y": LABELS[:3]},
            {},
            "HINT X (4, 3) has 4 examples, y (3,) has 3; X seems to have one example a column",
        ),
        ({"X": X, "y": LABELS[:2]}, {}, "read_dataset: d.npz: X (4, 3) has 4 examples, y (2,) has 2"),
        (
            {"X": X, "y": np.eye(3)[LABELS].T},
            {},
            "HINT X (4, 3) has 4 examples, y (3, 4) has 3; X seems to have one example a column",
        ),
        (
            {"X": np.ones((5, 2)), "y": np.ones((3, 5))},
            {"task": "regress"},
            "HINT X (5, 2) has 5 examples, y (3, 5) has 3; y seems to have one example a column",
        ),
        (
            {"X": X, "y": [0, 1, np.nan, np.inf]},
            {},
            "read_dataset: d.npz: y[2] is nan (2 entries are not finite); remove or fill such entries first",
        ),
        (
            {"X": np.where(X == 5, -np.inf, X), "y": LABELS},
            {},
            "read_dataset: d.npz: X[1, 2] is -inf; remove or fill such entries first",
        ),
        (
            {"X": X, "y": [0, 1, 0.5, 1]},
            {},
            "read_dataset: d.npz: y[2] is 0.5, and labels are whole numbers; for real targets choose task 'regress'",
        ),
        (
            {"X": X, "y": ["a", "b", "a", "b"]},
            {"task": "regress"},
            "read_dataset: d.npz: y (4,) has dtype <U1; expected an array of real numbers "
            "(text labels: number them from 0)",
        ),
        (
            {"X": X * 1j, "y": LABELS},
            {},
            "read_dataset: d.npz: X (4, 3) has dtype complex128; expected an array of real numbers "
            "(text labels: number them from 0)",
        ),
        (
            {"X": np.ones((0, 3)), "y": np.ones(0, int)},
            {},
            "read_dataset: d.npz has no examples or no features: X is (0, 3)",
        ),
        (
            {"X": X, "y": LABELS},
            {"task": "cluster"},
            "read_dataset: task='cluster' is unknown; choose 'classify' or 'regress'",
        ),
    ],
)
def test_refusals(tmp_path, arrays, options, text):
    if text.startswith("HINT "):
        text = f"read_dataset: d.npz: {text[5:]}: transpose it (examples come first)"
    with refused(text):
        read_dataset(npz(tmp_path, **arrays), **options)


def test_columns_are_named_in_errors(tmp_path):
    text = "read_dataset: d.csv: column vote[1] is 0.5, and labels are whole numbers; for real targets choose task "
    with refused(text + "'regress'"):
        read_dataset(csv(tmp_path, "age,vote\n3,1\n4,0.5\n"))


def test_one_column_is_no_data_set(tmp_path):
    text = "read_dataset: d.csv has 1 (2,); a table needs a second column: choose the features with --features NAME"
    with refused(text):
        read_dataset(csv(tmp_path, "1\n2\n"))


def test_a_wide_table_is_listed_in_part(tmp_path):
    names = [f"p{place}" for place in range(20)]
    text = ", ".join(f"{name} (1,)" for name in names[:12])
    with refused(f"read_dataset: d.csv has {text}, and 8 more; not 'q': choose with --labels NAME"):
        read_dataset(csv(tmp_path, ",".join(names) + "\n" + ",".join("1" * 20) + "\n"), labels="q")


def test_the_limit_counts_the_features_as_float64(tmp_path):
    path = npz(tmp_path, X=np.zeros((100, 100), np.uint8), y=np.zeros(100, np.uint8))
    assert len(read_dataset(path, limit=80_000)) == 100
    text = (
        "read_dataset: d.npz as float64 needs 78.1 KiB, over the limit of 19.5 KiB; "
        "pass limit=80000 or more if you trust the file"
    )
    with refused(text):
        read_dataset(path, limit=20_000)


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
def test_refusals_of_labels(labels, text):
    with pytest.raises(DataError, match=f"^{re.escape(text)}$"):
        encode_labels(np.array(labels), "y", "test")


def test_labels_too_large_for_an_integer_are_refused():
    with pytest.raises(DataError, match=r"y has the label 1e\+300"):
        encode_labels(np.array([0.0, 1e300]), "y", "test")
