"""``.csv`` and ``.txt`` tables: separators, names, and errors that name the line."""

import gzip
import io
import re
import tracemalloc

import numpy as np
import pytest
from scipy.io import savemat

from jacobians.data import read_arrays, tables
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
        ("a;b\n1,5;2\n", "read_arrays: t.csv, line 2, column 1: '1,5' is not a number; write 1.5, with a point"),
        ('a,b\n"1,5",2\n', "read_arrays: t.csv, line 2, column 1: '1,5' is not a number"),
        ('1,2\n"3,4\n', "read_arrays: t.csv, line 2 has 1 cells, the lines before it have 2"),
        ("1,2\n1,2,3\n", "read_arrays: t.csv, line 2 has 3 cells, the lines before it have 2"),
        ("a,b\n1\n", "read_arrays: t.csv, line 2 has 1 cells, the lines before it have 2"),
        ("a,b,a\n1,2,3\n", "read_arrays: t.csv, line 1 names 'a' twice; give every column its own name"),
        ("a,b\n", "read_arrays: t.csv has no rows of numbers"),
        ("", "read_arrays: t.csv has no rows of numbers"),
        (b"1,2\n\xff\xfe,3\n", "read_arrays: t.csv is not UTF-8 text near line 1; save it as UTF-8"),
        ("1,2\n1," + "z" * 50, f"read_arrays: t.csv, line 2, column 2: '{'z' * 40}…' is not a number"),
        (
            "1,?\n2,3\n",
            "read_arrays: t.csv, line 1, column 2: '?' is not a number; leave such lines out or fill them in",
        ),
        (
            "1,2\n2,NA\n",
            "read_arrays: t.csv, line 2, column 2: 'NA' is not a number; leave such lines out or fill them",
        ),
        ("1,red\n2,?\n", "read_arrays: t.csv, line 2, column 2: '?' is no word; leave such lines out or fill them in"),
        ("1,red\n2,\n", "read_arrays: t.csv, line 2, column 2: an empty cell is no word; leave such lines out or"),
        ("a,b\n1,red\n2,3\n", "read_arrays: t.csv, line 2, column 2: 'red' is not a number"),
        ("1,red\n2,3.5\n", "read_arrays: t.csv, line 1, column 2: 'red' is not a number (a line of names has no"),
        ("red,1,blue\nred,1,3\n", "read_arrays: t.csv, line 1, column 3: 'blue' is not a number"),
        ("a;b\n1,200;2\n", "read_arrays: t.csv, line 2, column 1: '1,200' is not a number; write 1200 or 1.200, which"),
        ('a,b\n"0,200",2\n', "read_arrays: t.csv, line 2, column 1: '0,200' is not a number"),
        ('a,b\n"1,20",2\n', "read_arrays: t.csv, line 2, column 1: '1,20' is not a number"),
        ('a,b\n"1,2000",2\n', "read_arrays: t.csv, line 2, column 1: '1,2000' is not a number"),
        (
            "a,b\n7,2\n1,200,2\n",
            'read_arrays: t.csv, line 3 has 3 cells, the lines before it have 2; quote a number such as "1,200", or',
        ),
        ("3rd,1\n4th,2\n", "read_arrays: t.csv, line 1, column 1: '3rd' is not a number"),
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
    monkeypatch.setattr(tables, "_LONGEST_LINE", 100)
    with pytest.raises(DataError, match=r"^read_arrays: t\.csv, line 2 is longer than 100 characters$"):
        table(tmp_path, "1,1\n" + "1," * 200)


# --- words, quotes, thousands --------------------------------------------------------------------------


def columns(read):
    return {name: column.tolist() for name, column in read.items()}


@pytest.mark.parametrize(
    "text",
    [
        "5.1,3.5,Iris-setosa\n6.2,2.9,Iris-virginica\n",
        '5.1;3.5;"Iris-setosa"\n6.2;2.9;"Iris-virginica"\n',
        "5.1 3.5 Iris-setosa\n6.2 2.9 Iris-virginica\n",
    ],
)
def test_a_column_of_words(tmp_path, text):
    words = ["Iris-setosa", "Iris-virginica"]
    assert columns(table(tmp_path, text, "iris.data")) == {"1": [5.1, 6.2], "2": [3.5, 2.9], "3": words}
    mark = ";" if ";" in text else "," if "," in text else " "
    named = columns(table(tmp_path, mark.join(["length", "width", "species"]) + "\n" + text))
    assert named == {"length": [5.1, 6.2], "width": [3.5, 2.9], "species": words}


def test_words_and_numbers_in_many_rows(tmp_path):
    read = table(tmp_path, "".join(f"{'abc'[i % 3]},{i},<{i % 2}\n" for i in range(1000)))
    assert read["1"].tolist() == ["abc"[i % 3] for i in range(1000)]
    assert read["2"].tolist() == list(range(1000))
    assert read["3"].tolist() == [f"<{i % 2}" for i in range(1000)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"Smith, Jane",1\n"Doe, John",2\n', {"1": ["Smith, Jane", "Doe, John"], "2": [1, 2]}),
        ('"length, cm",y\n1,2\n', {"length, cm": [1], "y": [2]}),
        ('"length; cm",y\n1,2\n', {"length; cm": [1], "y": [2]}),
        ('"length\tcm",y\n1,2\n', {"length\tcm": [1], "y": [2]}),
        ("'length; cm',y\n1,2\n", {"length; cm": [1], "y": [2]}),
        ('price,rooms\n"1,200",3\n"12,345,678.5",4\n-7,5\n', {"price": [1200, 12345678.5, -7], "rooms": [3, 4, 5]}),
        ("price\trooms\n1,200\t3\n", {"price": [1200], "rooms": [3]}),
        ('a,b\n"-1,200",2\n', {"a": [-1200], "b": [2]}),
    ],
)
def test_commas_within_cells(tmp_path, text, expected):
    assert columns(table(tmp_path, text)) == expected


def test_thousands_without_names(tmp_path):
    assert table(tmp_path, '"1,200","3"\n"5","6,000"\n')["data"].tolist() == [[1200, 3], [5, 6000]]


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.txt", "t.dat", "t.data", "T.DATA"])
def test_suffixes_of_tables(tmp_path, name):
    assert table(tmp_path, "1\t2\n3\t4\n", name)["data"].tolist() == [[1, 2], [3, 4]]


def test_the_limit_counts_words(tmp_path):
    rows = "".join(f"word{i},1\n" for i in range(1000))
    assert len(table(tmp_path, rows, limit=1 << 18)["1"]) == 1000
    with pytest.raises(DataError, match=r"^read_arrays: t\.csv needs .* over the limit of 97\.7 KiB"):
        table(tmp_path, rows, limit=100_000)
    # in an array of strings every entry has room for the longest
    long = "a,1\n" * 1000 + "a" * 10_000 + ",1\n"
    with pytest.raises(DataError, match=r"^read_arrays: t\.csv needs 38\.2 MiB, over the limit of 1\.0 MiB"):
        table(tmp_path, long, limit=1 << 20)


NIST = """NIST/ITL StRD
Dataset Name:  Made up            (Madeup.dat)

File Format:   ASCII
               Starting Values   (lines 9 to 10)
               Certified Values  (lines 9 to 12)
               Data              (lines 14 to 16)

  b1 =   500         250           2.3894212918E+02  2.7070075241E+00
  b2 =     0.0001      0.0005      5.5015643181E-04  7.2668688436E-06

Degrees of Freedom:                                12
Data:   y               x
      10.07E0      77.6E0
      14.73E0     114.9E0
      17.94E0     141.1E0
"""


def test_a_data_set_of_nist(tmp_path):
    assert columns(table(tmp_path, NIST, "Madeup.dat")) == {"y": [10.07, 14.73, 17.94], "x": [77.6, 114.9, 141.1]}
    with pytest.raises(DataError, match=r"^read_arrays: t\.dat, line 2 has \d cells"):
        table(tmp_path, NIST.replace("(lines 14 to 16)", ""), "t.dat")


# --- gzip ------------------------------------------------------------------------------------------------


def gz(path, content):
    path.write_bytes(gzip.compress(content))
    return path


@pytest.mark.parametrize("name", ["t.csv.gz", "t.TSV.GZ", "t.data.gz"])
def test_tables_in_gzip(tmp_path, name):
    assert columns(read_arrays(gz(tmp_path / name, b"a,b\n1,2\n"))) == {"a": [1], "b": [2]}


@pytest.mark.parametrize("name", ["t.npy.gz", "t.npz.gz", "t.mat.gz"])
def test_other_files_in_gzip(tmp_path, name):
    X, whole = np.arange(6.0).reshape(3, 2), io.BytesIO()
    write = {"npy": np.save, "npz": lambda f, a: np.savez(f, data=a), "mat": lambda f, a: savemat(f, {"data": a})}
    write[name.split(".")[1]](whole, X)
    assert np.array_equal(read_arrays(gz(tmp_path / name, whole.getvalue()))["data"], X)


def test_a_bomb_is_not_unpacked(tmp_path):
    path = gz(tmp_path / "t.csv.gz", b"\n" * (1 << 26))
    assert path.stat().st_size < 1 << 17
    tracemalloc.start()
    with pytest.raises(DataError, match=r"^read_arrays: t\.csv\.gz needs 1\.1 MiB, over the limit of 1\.0 MiB"):
        read_arrays(path, limit=1 << 20)
    assert tracemalloc.get_traced_memory()[1] < 1 << 23
    tracemalloc.stop()


@pytest.mark.parametrize(
    "content", [b"1,2\n", gzip.compress(b"1,2\n" * 99, mtime=0)[:-9], gzip.compress(b"1,2\n", mtime=0)[:5], b"\x1f\x8b"]
)
def test_damaged_gzip(tmp_path, content):
    (tmp_path / "t.csv.gz").write_bytes(content)
    with pytest.raises(DataError, match=r"^read_arrays: t\.csv\.gz is not a readable \.gz file: [^\n]*$"):
        read_arrays(tmp_path / "t.csv.gz")
