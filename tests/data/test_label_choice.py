"""Which column is the label, as files have it: by name, first or last, of words; what is said; and when is it asked."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from jacobians.cli import main
from jacobians.data import Dataset, read_dataset
from jacobians.errors import DataError

RNG = np.random.default_rng(0)
LENGTHS = RNG.normal(5, 1, size=(30, 2)).round(1)
KINDS = np.arange(30) % 3


def table(columns: dict[str, object], *, names: bool = True, mark: str = ",") -> str:
    lines = [mark.join(columns)] if names else []
    rows = zip(*(np.asarray(column).tolist() for column in columns.values()), strict=True)
    return "\n".join([*lines, *(mark.join(map(str, row)) for row in rows)]) + "\n"


def read(folder: Path, text: str, name: str = "d.csv", **options: object) -> Dataset:
    (folder / name).write_text(text)
    return read_dataset(folder / name, **options)  # type: ignore[arg-type]


def asked(text: str):
    return pytest.raises(DataError, match=f"^read_dataset: d\\.csv: {re.escape(text)}")


FEATURES = {"length": LENGTHS[:, 0], "width": LENGTHS[:, 1]}


@pytest.mark.parametrize(
    "name", ["class", "Class", "label", "labels", "target", "y", "Y", "species", "Species", " class "]
)
@pytest.mark.parametrize("first", [True, False])
def test_by_its_name(tmp_path: Path, name: str, first: bool) -> None:
    columns = {name: KINDS} | FEATURES if first else FEATURES | {name: KINDS}
    data = read(tmp_path, table(columns))
    assert np.array_equal(data.X, LENGTHS)
    assert np.array_equal(data.y, KINDS)
    assert data.notes == (f"labels: column {name.strip()}, by its name; 3 classes, 0 … 2",)


def test_the_name_wins_over_what_looks_like_labels(tmp_path: Path) -> None:
    data = read(tmp_path, table({"rooms": KINDS, "class": KINDS + 1, "floor": KINDS % 2}))
    assert np.array_equal(data.y, KINDS)
    assert data.notes == ("labels: column class, by its name; 1 … 3 are classes 0 … 2",)


def test_two_such_names_are_in_doubt(tmp_path: Path) -> None:
    text = table(FEATURES | {"target": KINDS, "species": KINDS})
    with asked("target and species may all be the labels: choose with --labels NAME"):
        read(tmp_path, text)
    with pytest.raises(DataError, match="both"):
        read(tmp_path, text, labels="species", features=["species"])
    assert read(tmp_path, text, labels="species").notes[0] == "labels: column species, as chosen; 3 classes, 0 … 2"


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("names", [True, False])
def test_words(tmp_path: Path, place: int, names: bool) -> None:
    words = np.array(["setosa", "versicolor", "virginica"])[KINDS]
    items = list(FEATURES.items())
    items.insert(place, ("kind", words))
    data = read(tmp_path, table(dict(items), names=names), "iris.data")
    assert np.array_equal(data.X, LENGTHS)
    assert np.array_equal(data.y, KINDS)
    column = "kind" if names else place + 1
    words_said = "setosa, versicolor, virginica are classes 0 … 2"
    assert data.notes == (f"labels: column {column}, the only one of words; {words_said}",)


def test_many_words_are_listed_in_part(tmp_path: Path) -> None:
    letters = np.array(list("abcdefgh"))[np.arange(30) % 8]
    data = read(tmp_path, table(FEATURES | {"species": letters}))
    assert data.notes == ("labels: column species, by its name; a, b, c, …, h are classes 0 … 7",)


def test_words_with_a_comma_are_told_apart(tmp_path: Path) -> None:
    towns = np.array(['"Bern, CH"', "Rome"])[np.arange(30) % 2]
    data = read(tmp_path, table(FEATURES | {"species": towns}))
    assert data.notes == ("labels: column species, by its name; 'Bern, CH', Rome are classes 0 … 1",)


def test_names_of_people_are_no_labels(tmp_path: Path) -> None:
    people = [f"Person {i}" for i in range(30)]
    data = read(tmp_path, table({"name": people} | FEATURES | {"class": KINDS}))
    assert np.array_equal(data.X, LENGTHS)
    assert data.notes[1] == "features: left out name: no numbers"
    with asked("column name of words may be the labels, and so may the last, vote: choose with --labels NAME"):
        read(tmp_path, table({"name": people} | FEATURES | {"vote": KINDS}))


def test_the_last_column(tmp_path: Path) -> None:
    for names in (True, False):
        data = read(tmp_path, table(FEATURES | {"vote": KINDS}, names=names))
        assert np.array_equal(data.y, KINDS)
        column = "vote" if names else 3
        said = f"labels: column {column}, the last one; --labels NAME chooses another; 3 classes, 0 … 2"
        assert data.notes == (said,)


def test_a_label_that_comes_first_without_names(tmp_path: Path) -> None:
    data = read(tmp_path, table({"kind": KINDS + 1} | FEATURES, names=False), "wine.data")
    assert np.array_equal(data.X, LENGTHS)
    assert np.array_equal(data.y, KINDS)
    assert data.notes == (
        "labels: column 1, the first one, since the last holds no classes; --labels NAME chooses another; "
        "1 … 3 are classes 0 … 2",
    )


def test_digits_with_the_label_first(tmp_path: Path) -> None:
    """The last pixel may be 0 throughout, or any grey level; amounts such as 1065 are no classes either."""
    labels, pixels = np.arange(40) % 10, RNG.integers(0, 256, size=(40, 3))
    for last in (np.zeros(40, int), RNG.integers(278, 1680, size=40)):
        columns = {"l": labels, **{str(i): pixels[:, i] for i in range(3)}, "last": last}
        data = read(tmp_path, table(columns, names=False))
        assert np.array_equal(data.y, labels)
        assert data.X.shape == (40, 4)


@pytest.mark.parametrize("names", [True, False])
def test_classes_at_both_ends_are_in_doubt(tmp_path: Path, names: bool) -> None:
    text = table({"a": KINDS, "b": LENGTHS[:, 0], "c": np.arange(30) % 2}, names=names)
    first, last = ("a", "c") if names else ("1", "3")
    with asked(f"the first column, {first}, may be the labels, and so may the last, {last}: choose with --labels NAME"):
        read(tmp_path, text)
    assert np.array_equal(read(tmp_path, text, labels=first).y, KINDS)


def test_a_label_that_comes_first_with_names_is_asked_for(tmp_path: Path) -> None:
    """The last column is the usual place, and a name may mean anything."""
    with asked("the first column, digit, may be the labels, and so may the last, width: choose with --labels NAME"):
        read(tmp_path, table({"digit": KINDS} | FEATURES))
    with pytest.raises(DataError, match=r"column width\[0\] is 4\.9, and labels are whole numbers; for real targets"):
        read(tmp_path, table(FEATURES))


@pytest.mark.parametrize("name", ["target", "y", "progression"])
def test_whole_numbers_that_are_no_classes(tmp_path: Path, name: str) -> None:
    amounts = RNG.integers(25, 347, size=30)
    different = len(np.unique(amounts))
    text = table(FEATURES | {name: amounts})
    with asked(
        f"column {name} holds {different} different whole numbers from {amounts.min()} to {amounts.max()} in 30 "
        f"examples; for real targets choose task 'regress', for classes choose it with --labels {name}"
    ):
        read(tmp_path, text)
    assert read(tmp_path, text, task="regress").y[:, 0].tolist() == amounts.tolist()
    chosen = read(tmp_path, text, labels=name)
    assert chosen.classes == amounts.max() + 1
    assert f"{chosen.classes} classes, 0 … {amounts.max()}, of which {different} occur" in chosen.notes[0]


def test_arrays_that_are_no_classes(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", X=LENGTHS, y=RNG.integers(1900, 2026, size=(30, 1)))
    with pytest.raises(DataError, match=r"y holds \d+ different whole numbers from 19\d+ to 20\d+ in 30 examples"):
        read_dataset(tmp_path / "d.npz")


@pytest.mark.parametrize(
    "labels",
    [
        np.arange(300) % 100,  # CIFAR-100
        np.arange(400) // 10,  # faces of forty people
        np.arange(52) % 26 + 1,
        np.array([10, 1, 9, 9]),
        np.array([0, 19]),
        np.array([2, 4, 2, 4]),
    ],
)
def test_classes_are_no_amounts(tmp_path: Path, labels: np.ndarray) -> None:
    np.savez(tmp_path / "d.npz", X=np.ones((len(labels), 2)), y=labels)
    assert read_dataset(tmp_path / "d.npz").classes == labels.max() + (0 if labels.min() == 1 else 1)


def test_what_labels_became_is_said(tmp_path: Path) -> None:
    said = {
        "labels: y, by its name; 3 classes, 0 … 2": [0, 1, 2],
        "labels: y, by its name; 1 … 3 are classes 0 … 2": [1, 2, 3],
        "labels: y, by its name; 1 … 9 are classes 0 … 8, of which 2 occur": [1, 9, 1],
        "labels: y, by its name; 6 classes, 0 … 5, of which 1 occurs": [5, 5, 5],
        "labels: y, by its name; 5 classes, 0 … 4, of which 2 occur": [2, 4, 2],
        "labels: y, by its name; one class, 0": [0, 0, 0],
        "labels: y, by its name; -1 and 1 are classes 0 and 1": [-1, 1, 1],
        "labels: y, by its name; one-hot rows, 2 classes": [[0, 1], [1, 0], [1, 0]],
        "labels: y, by its name; no, yes are classes 0 … 1": ["yes", "no", "yes"],
    }
    for text, labels in said.items():
        np.savez(tmp_path / "d.npz", X=np.ones((3, 2)), y=labels)
        assert read_dataset(tmp_path / "d.npz").notes == (text,)


def test_targets_are_said(tmp_path: Path) -> None:
    assert read(tmp_path, table(FEATURES | {"y": KINDS}), task="regress").notes == ("targets: column y, by its name",)
    data = read(tmp_path, table(FEATURES, names=False), task="regress")
    assert data.notes == ("targets: column 2, the last one; --labels NAME chooses another",)
    assert len(data.batch(3, seed=0).notes) == 1


@pytest.mark.parametrize("start", [0, 1])
def test_a_column_that_numbers_the_rows_is_said(tmp_path: Path, start: int) -> None:
    data = read(tmp_path, table({"Id": np.arange(30) + start} | FEATURES | {"class": KINDS}))
    assert data.notes[1] == "features: Id only numbers the rows; choose others with --features"


@pytest.mark.parametrize(("labels", "expected"), [([2, 3, 4], [1, 2, 3]), ([2, 3], [2, 3]), ([1, 2], [0, 1])])
def test_labels_that_reach_the_number_of_classes_count_from_one(
    tmp_path: Path, labels: list[int], expected: list[int]
) -> None:
    np.savez(tmp_path / "d.npz", X=np.ones((len(labels), 2)), y=labels)
    assert read_dataset(tmp_path / "d.npz", classes=4).y.tolist() == expected


def test_labels_from_0_to_the_number_of_classes_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", X=np.ones((3, 2)), y=[0, 1, 4])
    with pytest.raises(DataError, match=r"y reaches from 0 to 4; 4 classes are 0\.\.3 or 1\.\.4"):
        read_dataset(tmp_path / "d.npz", classes=4)


# --- as a user runs it ---------------------------------------------------------------------------------


def compare(capsys: pytest.CaptureFixture[str], *argv: object) -> tuple[int, str, str]:
    code = main(["compare", "cs231n", "pytorch", "--hidden", "4", *map(str, argv)])
    found = capsys.readouterr()
    return code, found.out, found.err


def test_compare_says_what_the_labels_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = np.array(["setosa", "versicolor", "virginica"])[KINDS]
    (tmp_path / "iris.csv").write_text(table(FEATURES | {"species": words}))
    code, out, _ = compare(capsys, "--data", tmp_path / "iris.csv")
    assert code == 0
    assert out.splitlines()[2].startswith("labels: column species, by its name; setosa, versicolor, virginica are")
    code, out, _ = compare(capsys, "--data", tmp_path / "iris.csv", "--json")
    assert '"labels: column species, by its name; setosa, versicolor, virginica are classes 0 … 2"' in out


def test_compare_asks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "d.csv").write_text(table({"a": KINDS, "b": LENGTHS[:, 0], "c": np.arange(30) % 2}))
    code, out, err = compare(capsys, "--data", tmp_path / "d.csv")
    assert (code, out) == (2, "")
    assert err.endswith("may be the labels, and so may the last, c: choose with --labels NAME\n")
    assert compare(capsys, "--data", tmp_path / "d.csv", "--labels", "a")[0] == 0


def test_compare_says_what_to_do_with_amounts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "d.csv").write_text(table(FEATURES | {"target": RNG.integers(25, 347, size=30)}))
    code, _, err = compare(capsys, "--data", tmp_path / "d.csv")
    assert code == 2
    assert "for real targets choose --loss squared_error, for classes choose it with --labels target" in err


def test_compare_takes_several_features(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "d.csv").write_text(
        table({"Id": np.arange(30), "a,b": LENGTHS[:, 0]} | FEATURES | {"class": KINDS}).replace("a,b", '"a,b"')
    )
    assert "network 2-4-3" in compare(capsys, "--data", tmp_path / "d.csv", "--features", "length, width")[1]
    assert "network 1-4-3" in compare(capsys, "--data", tmp_path / "d.csv", "--features", "a,b")[1]


def test_compare_counts_labels_from_one_where_the_weights_say_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.savez(tmp_path / "d.npz", X=LENGTHS, y=np.where(KINDS == 0, 2, KINDS + 1))
    np.savez(tmp_path / "w.npz", W1=np.ones((2, 3)), b1=np.zeros(3))
    code = main(
        ["compare", "cs231n", "pytorch", "--data", str(tmp_path / "d.npz"), "--weights", str(tmp_path / "w.npz")]
    )
    assert code == 0
    assert "1 … 3 are classes 0 … 2, of which 2 occur" in capsys.readouterr().out
