"""``.mat`` files: what is read, and what is measured first."""

import re
import struct
import sys
import tracemalloc
import zlib

import numpy as np
import pytest
from scipy.io import savemat
from scipy.sparse import csc_array

from jacobians.data import read_arrays
from jacobians.errors import DataError, MissingExtraError


@pytest.mark.parametrize("options", [{"format": "4"}, {"format": "5"}, {"format": "5", "do_compression": True}])
def test_round_trip(tmp_path, options):
    X = np.arange(6.0).reshape(3, 2) / 7
    savemat(tmp_path / "toy.mat", {"X": X, "y": np.array([1.0, 2.0, 3.0])}, **options)
    read = read_arrays(tmp_path / "toy.mat")
    assert list(read) == ["X", "y"]
    assert np.array_equal(read["X"], X)
    assert sorted(read["y"].shape) == [1, 3]
    assert read["y"].dtype == np.float64


def test_doubles_that_matlab_stored_as_integers_are_doubles(tmp_path):
    # MATLAB stores whole doubles in a smaller type; an eight-byte one leaves the sizes of scipy's file as they are.
    savemat(tmp_path / "toy.mat", {"X": np.arange(4).view(np.float64)})
    content = (tmp_path / "toy.mat").read_bytes()
    as_double, as_int64 = struct.pack("<II", 9, 32), struct.pack("<II", 12, 32)
    assert content.count(as_double) == 1
    (tmp_path / "toy.mat").write_bytes(content.replace(as_double, as_int64))
    X = read_arrays(tmp_path / "toy.mat")["X"]
    assert X.dtype == np.float64
    assert X.tolist() == [[0, 1, 2, 3]]


def test_a_version_4_file_is_known_by_its_first_bytes(tmp_path):
    X = np.frombuffer(b"IM" * 400, np.float64)[None, :]  # where version 5 says its byte order
    savemat(tmp_path / "toy.mat", {"X": X}, format="4")
    assert (tmp_path / "toy.mat").read_bytes()[126:128] == b"IM"
    assert np.array_equal(read_arrays(tmp_path / "toy.mat")["X"], X)


def test_the_suffix_may_be_in_capitals(tmp_path):
    savemat(tmp_path / "TOY.MAT", {"X": np.eye(2)}, appendmat=False)
    assert list(read_arrays(tmp_path / "TOY.MAT")) == ["X"]


def test_other_kinds_of_variables_are_left_out(tmp_path):
    variables = {
        "X": np.eye(2),
        "flags": np.array([True, False]),
        "bytes": np.array([1, 2], np.uint8),
        "text": "hello",
        "cell": np.array([1, "a"], dtype=object),
        "struct": {"a": 1},
        "S": csc_array(np.eye(3)),
    }
    savemat(tmp_path / "toy.mat", variables)
    assert list(read_arrays(tmp_path / "toy.mat")) == ["X", "flags", "bytes", "cell.1", "struct.a"]


def test_nothing_numeric(tmp_path):
    savemat(tmp_path / "toy.mat", {"name": "hello", "s": {"a": "b"}})
    text = "read_arrays: toy.mat has no numeric arrays, only name (char), s.a (char)"
    with pytest.raises(DataError, match=f"^{re.escape(text)}$"):
        read_arrays(tmp_path / "toy.mat")


@pytest.mark.parametrize(
    "content",
    [
        b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(512) + b"\x89HDF\r\n\x1a\n" + bytes(100),
        b"\x89HDF\r\n\x1a\n" + bytes(600),  # Octave's save -hdf5
    ],
)
def test_version_7_3_without_h5py_is_refused_with_the_mend(tmp_path, content, monkeypatch):
    (tmp_path / "big.mat").write_bytes(content)
    text = (
        "read_arrays: big.mat is a version 7.3 (HDF5) file, which needs h5py: pip install h5py, or "
        "load it in MATLAB or Octave and save it again with: save -v7 FILE (or -v6)"
    )
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingExtraError, match=f"^{re.escape(text)}$"):
        read_arrays(tmp_path / "big.mat")


@pytest.mark.parametrize("content", [b"", b"# Created by Octave 8\n# name: X\n", b"\x00" * 300, b"x" * 1000])
def test_what_is_no_mat_file(tmp_path, content):
    (tmp_path / "a.mat").write_bytes(content)
    with pytest.raises(DataError, match=r"^read_arrays: a\.mat (is not a readable|has no numeric|is damaged)"):
        read_arrays(tmp_path / "a.mat")


def test_the_limit_by_the_headers_of_the_variables(tmp_path):
    savemat(tmp_path / "a.mat", {"X": np.zeros((100, 100), np.float64)}, format="4")
    text = (
        "read_arrays: a.mat needs 78.1 KiB, over the limit of 9.8 KiB; pass limit=80022 or more if you trust the file"
    )
    with pytest.raises(DataError, match=f"^{re.escape(text)}$"):
        read_arrays(tmp_path / "a.mat", limit=10_000)


def test_a_forged_shape_is_refused_by_the_limit(tmp_path):
    savemat(tmp_path / "a.mat", {"X": np.zeros((3, 5))}, format="4")
    content = bytearray((tmp_path / "a.mat").read_bytes())
    content[4:12] = struct.pack("<ii", 1 << 30, 1 << 10)  # rows and columns of a version 4 header
    (tmp_path / "a.mat").write_bytes(content)
    with pytest.raises(DataError, match=r"^read_arrays: a\.mat needs 8\.0 TiB, over the limit of 1\.0 GiB"):
        read_arrays(tmp_path / "a.mat")


def test_a_compressed_bomb_is_not_inflated(tmp_path):
    savemat(tmp_path / "a.mat", {"X": np.eye(2)})
    bomb = zlib.compress(bytes(32 << 20))
    with (tmp_path / "a.mat").open("ab") as file:
        file.write(struct.pack("<II", 15, len(bomb)) + bomb)
    with pytest.raises(DataError, match=r"^read_arrays: a\.mat needs 1\.[01] MiB, over the limit of 1\.0 MiB"):
        read_arrays(tmp_path / "a.mat", limit=1 << 20)


def test_a_cut_file(tmp_path):
    savemat(tmp_path / "a.mat", {"X": np.zeros((10, 10))})
    (tmp_path / "a.mat").write_bytes((tmp_path / "a.mat").read_bytes()[:-100])
    text = "read_arrays: a.mat is damaged: an element ends 100 bytes past its end"
    with pytest.raises(DataError, match=f"^{re.escape(text)}$"):
        read_arrays(tmp_path / "a.mat")


def test_a_damaged_compressed_element(tmp_path):
    savemat(tmp_path / "a.mat", {"X": np.arange(100.0)}, do_compression=True)
    content = bytearray((tmp_path / "a.mat").read_bytes())
    content[140:150] = bytes(10)
    (tmp_path / "a.mat").write_bytes(content)
    with pytest.raises(DataError, match=r"^read_arrays: a\.mat is damaged: Error -3 while decompressing"):
        read_arrays(tmp_path / "a.mat")


def test_a_file_that_is_cut_between_two_variables(tmp_path):
    savemat(tmp_path / "a.mat", {"X": np.zeros((2, 2))})
    with (tmp_path / "a.mat").open("ab") as file:
        file.write(b"\x0e\0\0")
    with pytest.raises(DataError, match=r"^read_arrays: a\.mat is damaged: an element ends 5 bytes past its end$"):
        read_arrays(tmp_path / "a.mat")


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize(
    ("kind", "count", "text"),
    [
        (9, 0xFFFFFFF0, "a part of type 9 states 4294967280 bytes, 32 follow"),
        (8, 32, "a part of type 8 states 32 bytes, 32 follow"),  # SciPy reads the dtype of such a part from nowhere
        (1 << 14, 32, "a part of type 16384 states 32 bytes, 32 follow"),
    ],
)
def test_a_forged_part_of_a_variable(tmp_path, kind, count, text, compressed):
    savemat(tmp_path / "a.mat", {"X": np.arange(4.0)})
    content = (tmp_path / "a.mat").read_bytes()
    assert content.count(struct.pack("<II", 9, 32)) == 1
    content = content.replace(struct.pack("<II", 9, 32), struct.pack("<II", kind, count))
    if compressed:
        stream = zlib.compress(content[128:])
        content = content[:128] + struct.pack("<II", 15, len(stream)) + stream
    (tmp_path / "a.mat").write_bytes(content)
    tracemalloc.start()
    with pytest.raises(DataError, match=f"^read_arrays: a\\.mat is damaged: {text}$"):
        read_arrays(tmp_path / "a.mat")
    assert tracemalloc.get_traced_memory()[1] < 8 << 20
    tracemalloc.stop()


@pytest.mark.parametrize("place", [8, 16])
def test_a_version_4_header_allocates_no_more_than_there_is(tmp_path, place):
    savemat(tmp_path / "a.mat", {"X": np.zeros((3, 5))}, format="4")
    content = bytearray((tmp_path / "a.mat").read_bytes())
    content[place : place + 4] = struct.pack("<i", 1 << 24)  # its columns, or the length of its name
    (tmp_path / "a.mat").write_bytes(content)
    tracemalloc.start()
    with pytest.raises(DataError, match=r"^read_arrays: a\.mat is "):
        read_arrays(tmp_path / "a.mat")
    assert tracemalloc.get_traced_memory()[1] < 8 << 20
    tracemalloc.stop()


@pytest.mark.parametrize("options", [{"format": "4"}, {"format": "5"}])
def test_complex_numbers_stay_complex(tmp_path, options):
    savemat(tmp_path / "a.mat", {"Z": np.array([[1 + 2j, 3]])}, **options)
    assert read_arrays(tmp_path / "a.mat")["Z"].tolist() == [[1 + 2j, 3]]


def test_whole_doubles_of_version_4_are_doubles(tmp_path):
    savemat(tmp_path / "a.mat", {"y": np.array([[1, 2]], np.uint8)}, format="4")
    y = read_arrays(tmp_path / "a.mat")["y"]
    assert (y.tolist(), y.dtype) == ([[1, 2]], np.float64)  # version 4 knows no other class
