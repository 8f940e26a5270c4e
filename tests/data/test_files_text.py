"""``.csv`` and ``.txt`` tables: separators, names, and errors that name the line."""

import re

import numpy as np
import pytest

from jacobians.data import files, read_arrays
from jacobians.errors import DataError


def table(tmp_path, text, name="t.csv", **options):
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_arrays(tmp_path / name, **options)


@pytest.mark.parametrize(
    "text",
    [
        "1,2\n3,-4e1\n",
        "1;2\n3;-4e1",
        "1\t2\r\n3\t-4e1\r\n",
        "  1   2\n  3   -4e1  \n",
        "1, 2\n3, -40\n",
        "\ufeff1,2\n3,-40\n",
        "# made by hand\n\n1 2\n% and a remark\n3 -40\n\n",
        '"1","2"\n"3","-40"\n',
        "'1','2'\n'3','-40'\n",
        "1 2\n3\t-40\n",
    ],
)
def test_without_names(tmp_path, text):
    read = table(tmp_path, text, "t.txt")
    assert list(read) == ["data"]
    assert np.array_equal(read["data"], [[1, 2], [3, -40]])


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("age,vote\n36,1\n20,0\n", ["age", "vote"]),
        ('"age, years";"vote"\n36;1\n20;0\n', ["age, years", "vote"]),
        ("'age'\t'vote'\n36\t1\n20\t0\n", ["age", "vote"]),
        ("'age' 'vote'\n36 1\n20 0\n", ["age", "vote"]),
        ('"age in years" "vote"\n36 1\n20 0\n', ["age in years", "vote"]),
        (",vote\n36,1\n20,0\n", ["column1", "vote"]),
    ],
)
def test_with_names(tmp_path, text, names):
    read = table(tmp_path, text)
    assert list(read) == names
    assert [column.tolist() for column in read.values()] == [[36, 20], [1, 0]]


def test_one_column(tmp_path):
    assert table(tmp_path, "1\n2\n")["data"].shape == (2, 1)
    assert table(tmp_path, "y\n1\n2\n")["y"].shape == (2,)


def test_columns_share_no_memory(tmp_path):
    a, b = table(tmp_path, "a,b\n1,2\n").values()
    assert not np.shares_memory(a, b)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n3,x\n", "read_arrays: t.csv, line 3, column 2: 'x' is not a number"),
        ("1,2\n\n3,\n", "read_arrays: t.csv, line 3, column 2: an empty cell is not a number"),
        ("a,b\n1_0,2\n", "read_arrays: t.csv, line 2, column 1: '1_0' is not a number"),
        (
            "1.5,x\n2,3\n",
            "read_arrays: t.csv, line 1, column 2: 'x' is not a number (a line of names has no numbers among them)",
        ),
        ("a;b\n1,5;2\n", "read_arrays: t.csv, line 2, column 1: '1,5' is not a number"),
        ('a,b\n"1,5",2\n', "read_arrays: t.csv, line 2, column 1: '1,5' is not a number"),
        ('1,2\n"3,4\n', "read_arrays: t.csv, line 2 has 1 cells, the lines before it have 2"),
        ("1,2\n1,2,3\n", "read_arrays: t.csv, line 2 has 3 cells, the lines before it have 2"),
        ("a,b\n1\n", "read_arrays: t.csv, line 2 has 1 cells, the lines before it have 2"),
        ("a,b,a\n1,2,3\n", "read_arrays: t.csv, line 1 names 'a' twice; give every column its own name"),
        ("a,b\n", "read_arrays: t.csv has no rows of numbers"),
        ("", "read_arrays: t.csv has no rows of numbers"),
        (b"1,2\n\xff\xfe,3\n", "read_arrays: t.csv is not UTF-8 text near line 1; save it as UTF-8"),
        ("1," + "z" * 50, f"read_arrays: t.csv, line 1, column 2: '{'z' * 40}…' is not a number"),
    ],
)
def test_refusals(tmp_path, text, message):
    with pytest.raises(DataError, match=f"^{re.escape(message)}"):
        table(tmp_path, text)


def test_the_limit_counts_the_file_and_the_numbers(tmp_path):
    with pytest.raises(DataError, match=r"^read_arrays: t\.csv needs 2\.0 KiB, over the limit of 1\.0 KiB"):
        table(tmp_path, "1\n" * 1024, limit=1024)
    with pytest.raises(DataError, match=r"^read_arrays: t\.csv needs 4\.0 KiB, over the limit of 4\.0 KiB"):
        table(tmp_path, "1\n" * 1024, limit=4095)


def test_an_endless_line_is_not_split(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_LONGEST_LINE", 100)
    with pytest.raises(DataError, match=r"^read_arrays: t\.csv, line 2 is longer than 100 characters$"):
        table(tmp_path, "1,1\n" + "1," * 200)
