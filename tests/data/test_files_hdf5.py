"""``.mat`` files of version 7.3, which are HDF5: what is read, what is refused, and what is said without h5py."""

import re
import sys
import tracemalloc
from contextlib import suppress

import numpy as np
import pytest

from jacobians.cli import main
from jacobians.data import read_arrays, read_dataset
from jacobians.errors import DataError, MissingExtraError

h5py = pytest.importorskip("h5py")


def mat73(path, **variables):
    """A file as MATLAB writes it: 512 bytes of its own, then datasets, transposed, each with its class."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, array in variables.items():
            array = np.asarray(array)
            kind = {"f8": "double", "f4": "single", "b1": "logical"}.get(array.dtype.str[1:], array.dtype.name)
            stored = array.T.astype(np.uint8) if kind == "logical" else array.T
            packed = {"compression": "gzip", "shuffle": True} if array.size > 100 else {}
            file.create_dataset(name, data=stored, **packed).attrs["MATLAB_class"] = np.bytes_(kind)
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64, Created on: Sun Nov 29 2026 HDF5 schema 1.00 .")
    return path


def change(path, write):
    with h5py.File(path, "r+") as file:
        write(file)
    return path


def refused(path, text, **options):
    with pytest.raises(DataError, match=text):
        read_arrays(path, **options)


def test_arrays_have_matlab_s_shapes_and_classes(tmp_path):
    X, y = np.arange(600.0).reshape(200, 3) / 7, np.arange(200)[:, None] % 3 + 1
    variables = {"X": X, "y": y.astype(np.uint8), "half": X[:2].astype(np.float32), "mask": y == 2}
    read = read_arrays(mat73(tmp_path / "big.mat", **variables))
    assert {name: array.dtype for name, array in read.items()} == {n: a.dtype for n, a in variables.items()}
    for name, array in variables.items():
        assert np.array_equal(read[name], array)
        assert read[name].flags.c_contiguous
    data = read_dataset(tmp_path / "big.mat")
    assert (data.classes, data.label_offset, data.y[0]) == (3, 1, 0)


def test_compare_reads_it(tmp_path, capsys):
    rng = np.random.default_rng(0)
    path = mat73(tmp_path / "big.mat", X=rng.normal(size=(20, 3)), y=np.arange(20.0)[:, None] % 2)
    assert main(["compare", "--data", str(path), "--hidden", "4"]) == 0
    assert "20 of 20 examples of big.mat" in capsys.readouterr().out


def test_other_kinds_are_left_out(tmp_path):
    def write(file):
        file.create_dataset("name", data=np.array([[104, 105]], np.uint16)).attrs["MATLAB_class"] = np.bytes_("char")
        file.create_group("s").attrs["MATLAB_class"] = np.bytes_("struct")
        sparse = file.create_group("sparse")
        sparse.attrs["MATLAB_class"], sparse.attrs["MATLAB_sparse"] = np.bytes_("double"), 3
        cell = file.create_dataset("cell", (1,), dtype=h5py.ref_dtype)
        cell.attrs["MATLAB_class"] = np.bytes_("cell")
        file.create_group("#refs#")

    assert list(read_arrays(change(mat73(tmp_path / "a.mat", X=np.eye(2)), write))) == ["X"]
    refused(
        change(mat73(tmp_path / "b.mat"), write),
        r"^read_arrays: b\.mat has no numeric arrays as MATLAB stores them, only cell \(cell\), name \(char\), "
        r"s \(struct\), sparse \(double\); save it again with: save -v7 FILE$",
    )


def test_empty_and_complex_arrays(tmp_path):
    def write(file):
        empty = file.create_dataset("empty", data=np.array([0, 3], np.uint64))
        empty.attrs["MATLAB_class"], empty.attrs["MATLAB_empty"] = np.bytes_("double"), 1
        pairs = np.array([[(1.0, 2.0), (3.0, 4.0)]], [("real", "f8"), ("imag", "f8")])
        file.create_dataset("z", data=pairs).attrs["MATLAB_class"] = np.bytes_("double")

    read = read_arrays(change(mat73(tmp_path / "a.mat"), write))
    assert read["empty"].shape == (0, 3)
    assert read["z"].tolist() == [[1 + 2j], [3 + 4j]]


def test_a_promise_over_the_limit_is_not_allocated(tmp_path):
    def write(file):  # a dataset without any chunk stored takes a few bytes, and promises a terabyte
        promised = file.create_dataset("X", (1 << 20, 1 << 17), "f8", chunks=(8, 8), compression="gzip")
        promised.attrs["MATLAB_class"] = np.bytes_("double")

    path = change(mat73(tmp_path / "a.mat"), write)
    assert path.stat().st_size < 1 << 20
    tracemalloc.start()
    refused(path, r"^read_arrays: a\.mat needs 1\.0 TiB, over the limit of 1\.0 GiB; pass limit=\d+ or more")
    assert tracemalloc.get_traced_memory()[1] < 1 << 24
    tracemalloc.stop()
    several = mat73(tmp_path / "b.mat", A=np.ones((10, 10)), B=np.ones((10, 10)))
    assert len(read_arrays(several, limit=1600)) == 2
    refused(several, r"^read_arrays: b\.mat needs 1\.6 KiB", limit=1599)


def test_a_chunk_over_the_limit_is_not_unpacked(tmp_path):
    def write(file):
        X = file.create_dataset("X", data=np.ones((2, 2)), chunks=(1 << 9, 1 << 9), maxshape=(None, None))
        X.attrs["MATLAB_class"] = np.bytes_("double")

    refused(change(mat73(tmp_path / "a.mat"), write), r"^read_arrays: a\.mat needs 2\.0 MiB", limit=1 << 20)


def test_nothing_is_read_from_elsewhere(tmp_path):
    (tmp_path / "secret").write_bytes(bytes(32))
    mat73(tmp_path / "other.mat", X=np.eye(2))

    def external(file):
        X = file.create_dataset("X", (2, 2), "f8", external=[(str(tmp_path / "secret"), 0, 32)])
        X.attrs["MATLAB_class"] = np.bytes_("double")

    def virtual(file):
        layout = h5py.VirtualLayout((2, 2), "f8")
        layout[:] = h5py.VirtualSource(str(tmp_path / "other.mat"), "X", (2, 2))
        file.create_virtual_dataset("X", layout).attrs["MATLAB_class"] = np.bytes_("double")

    def link(file):
        file["X"] = h5py.ExternalLink(str(tmp_path / "other.mat"), "/X")

    for write, text in (
        (external, "X in a.mat lies in another file, which is refused"),
        (virtual, "X in a.mat lies in another file, which is refused"),
        (link, "X in a.mat is a link to elsewhere, which is refused"),
    ):
        refused(change(mat73(tmp_path / "a.mat"), write), f"^read_arrays: {re.escape(text)}$")


def test_a_filter_that_would_be_loaded_is_refused(tmp_path):
    def write(file):
        X = file.create_dataset("X", (4, 4), "f8", chunks=(4, 4), compression="lzf")
        X.attrs["MATLAB_class"] = np.bytes_("double")

    refused(change(mat73(tmp_path / "a.mat"), write), r"^read_arrays: X in a\.mat is packed by filter 32000")


def test_a_class_that_does_not_fit_the_numbers(tmp_path):
    def write(file):
        X = file.create_dataset("X", data=np.array([b"ab", b"cd"]))
        X.attrs["MATLAB_class"] = np.bytes_("double")

    refused(
        change(mat73(tmp_path / "a.mat"), write), r"^read_arrays: X in a\.mat has the type \|S2, which is no number$"
    )


@pytest.mark.parametrize("place", [9, 40, 520, 530, 600, 900, 1200, 2000])
def test_damaged_bytes_are_one_error_or_still_read(tmp_path, place):
    path = mat73(tmp_path / "a.mat", X=np.arange(600.0).reshape(200, 3))
    content = bytearray(path.read_bytes())
    content[place : place + 8] = b"\xff" * 8
    path.write_bytes(content)
    with suppress(DataError):
        assert list(read_arrays(path)) in (["X"], [])


def test_a_file_that_is_cut_short(tmp_path):
    path = mat73(tmp_path / "a.mat", X=np.arange(600.0).reshape(200, 3))
    path.write_bytes(path.read_bytes()[:1000])
    refused(path, r"^read_arrays: a\.mat is not a readable \.mat file of version 7\.3: ")


def test_without_h5py(tmp_path, monkeypatch, capsys):
    path = mat73(tmp_path / "a.mat", X=np.eye(2))
    monkeypatch.setitem(sys.modules, "h5py", None)
    text = (
        "read_arrays: a.mat is a version 7.3 (HDF5) file, which needs h5py: pip install h5py, or "
        "load it in MATLAB or Octave and save it again with: save -v7 FILE (or -v6)"
    )
    with pytest.raises(MissingExtraError, match=f"^{re.escape(text)}$"):
        read_arrays(path)
    assert main(["compare", "--data", str(path)]) == 2
    assert capsys.readouterr().err == f"jacobians: error: {text}\n"
