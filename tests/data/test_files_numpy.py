"""``.npy`` and ``.npz`` files whose headers and archives cannot be trusted."""

import io
import pickle
import re
import struct
import tracemalloc
import zipfile
from contextlib import contextmanager

import numpy as np
import pytest

from jacobians.data import read_arrays
from jacobians.errors import DataError


@contextmanager
def allocating_less_than(limit):
    """Check that the block never holds more bytes than this; numpy reports its arrays too."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < limit
    finally:
        tracemalloc.stop()


def npy(array):
    """Return the bytes of an honest .npy file."""
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def forged(header, body=b"", version=1):
    """Return the bytes of a .npy file with a header of our own."""
    text = header.encode() + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(text)) + text + body


def header(shape, descr="'<f8'"):
    return f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}"


def pack(path, members, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz_round_trip(tmp_path, save):
    given = {"X": np.arange(6.0).reshape(2, 3), "y": np.array([1, 0]), "F": np.asfortranarray(np.eye(2)), "s": 3}
    save(tmp_path / "toy.npz", **given)
    read = read_arrays(tmp_path / "toy.npz")
    assert list(read) == list(given)
    for name, value in given.items():
        assert np.array_equal(read[name], value)


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_npy_round_trip_in_native_byte_order(tmp_path, version):
    with (tmp_path / "toy.npy").open("wb") as file:
        np.lib.format.write_array(file, np.array([[1, 2]], ">i4"), version=version)
    data = read_arrays(tmp_path / "toy.npy")["data"]
    assert data.tolist() == [[1, 2]]
    assert data.dtype == np.dtype("=i4")


def test_other_members_of_an_archive_are_left_out(tmp_path):
    pack(tmp_path / "a.npz", {"X.npy": npy(np.ones(2)), "notes.txt": b"hello"})
    assert list(read_arrays(tmp_path / "a.npz")) == ["X"]


@pytest.mark.parametrize(("name", "where"), [("a.npy", "a.npy"), ("a.npz", "X in a.npz")])
class TestForgedArrays:
    """The same bytes as a file of their own and as a member of an archive."""

    def refusal(self, tmp_path, name, content, **options):
        if name.endswith(".npy"):
            (tmp_path / name).write_bytes(content)
        else:
            pack(tmp_path / name, {"X.npy": content})
        with pytest.raises(DataError) as caught:
            read_arrays(tmp_path / name, **options)
        return str(caught.value)

    def test_pickled_objects(self, tmp_path, name, where):
        content = npy(np.array([{"run": "me"}], dtype=object))
        assert self.refusal(tmp_path, name, content) == (
            f"read_arrays: {where} holds pickled Python objects (dtype object); unpickling can run any code, "
            "so it is refused: save plain numbers, such as numpy.asarray(values, dtype=float), and each array of a "
            "list by its own name, such as W1, W2, …"
        )

    def test_a_pickled_dict(self, tmp_path, name, where):
        err = self.refusal(tmp_path, name, npy(np.array({"W1": 1}, dtype=object)))
        assert err.endswith(f", as in numpy.savez(FILE, X=X, y=y, **{where.partition(' in ')[0]})")

    def test_objects_inside_a_structure(self, tmp_path, name, where):
        content = forged(header("(1,)", "[('a', '<f8'), ('b', '|O')]"), pickle.dumps([1]))
        assert f"{where} holds pickled Python objects" in self.refusal(tmp_path, name, content)

    def test_promise_of_more_than_there_is(self, tmp_path, name, where):
        content = forged(header("(1024, 1024, 1024)"), bytes(800))
        assert self.refusal(tmp_path, name, content, limit=1 << 60) == (
            f"read_arrays: the header of {where} promises shape (1024, 1024, 1024) of float64, 8.0 GiB, "
            "but 800 B follow it; the file is cut short or forged"
        )

    def test_only_the_header_is_read_before_it_is_believed(self, tmp_path, name, where):
        content = forged(header("(1024, 1024, 1024)"), bytes(16 << 20))
        with allocating_less_than(8 << 20):
            assert "16.0 MiB follow it" in self.refusal(tmp_path, name, content)

    @pytest.mark.parametrize(
        "header_text",
        [
            header("(10**9,)"),  # an expression
            header("(" + "9" * 5000 + ",)"),
            header("(1000000000000,)", "'<U0'"),  # entries of no size
            header("(-1,)"),
            header("(-1, -1)"),
            header("(0, " + "9" * 30 + ")"),  # no entries, but no array either
            header("(3,)", "'<q99'"),
            header("(3,)", "('<f8', (1000000000,))"),
            header("(True,)"),
            "(" * 200,
            "{}",
            "",
            " " * 20_000,
        ],
    )
    @pytest.mark.parametrize("version", [1, 2, 9])
    def test_broken_headers_are_refused_cheaply(self, tmp_path, name, where, header_text, version):
        content = forged(header_text, bytes(2), version)
        with allocating_less_than(8 << 20):
            assert where in self.refusal(tmp_path, name, content)

    def test_a_header_length_of_gigabytes(self, tmp_path, name, where):
        content = b"\x93NUMPY\x02\x00" + struct.pack("<I", 0xFFFFFFFF) + bytes(1 << 16)
        assert self.refusal(tmp_path, name, content).startswith(
            f"read_arrays: {where} is not a readable .npy array: EOF: reading array header"
        )

    def test_a_bare_pickle(self, tmp_path, name, where):
        text = self.refusal(tmp_path, name, pickle.dumps({"X": [1]}))
        assert text.startswith(f"read_arrays: {where} is not a readable .npy array: the magic string is not correct")

    def test_an_empty_file(self, tmp_path, name, where):
        assert f"{where} is not a readable .npy array" in self.refusal(tmp_path, name, b"")


def test_the_limit_counts_all_arrays(tmp_path):
    np.savez(tmp_path / "a.npz", X=np.zeros(100), y=np.zeros(100))
    total = 2 * (800 + 128)
    assert len(read_arrays(tmp_path / "a.npz", limit=total)) == 2
    text = f"read_arrays: a.npz needs 1.8 KiB, over the limit of 1.8 KiB; pass limit={total} or more if you"
    with pytest.raises(DataError, match=re.escape(text)):
        read_arrays(tmp_path / "a.npz", limit=total - 1)


def test_the_limit_of_a_npy_file(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros(1000))
    text = "read_arrays: a.npy needs 7.8 KiB, over the limit of 100 B; pass limit=8000 or more if you trust the file"
    with pytest.raises(DataError, match=f"^{re.escape(text)}$"):
        read_arrays(tmp_path / "a.npy", limit=100)


def test_a_zip_bomb_is_not_inflated(tmp_path):
    bomb = forged(header("(8388608,)"), bytes(64 << 20))
    path = pack(tmp_path / "bomb.npz", {"X.npy": bomb})
    assert path.stat().st_size < 100_000
    del bomb
    text = "read_arrays: bomb.npz needs 64.0 MiB, over the limit of 1.0 MiB; pass limit="
    with allocating_less_than(4 << 20), pytest.raises(DataError, match=f"^{re.escape(text)}"):
        read_arrays(path, limit=1 << 20)


def test_a_zip_that_lies_about_the_size_of_a_member(tmp_path):
    path = pack(tmp_path / "a.npz", {"X.npy": forged(header("(1000,)"), bytes(8000))}, zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    size = struct.pack("<I", 8000 + len(forged(header("(1000,)"))))
    for at in (content.index(size), content.rindex(size)):
        content[at : at + 4] = struct.pack("<I", 200)
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"^read_arrays: X in a\.npz is damaged: Bad CRC-32"):
        read_arrays(path)


def test_damaged_contents(tmp_path):
    path = pack(tmp_path / "a.npz", {"X.npy": npy(np.ones(100))}, zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    content[content.index(np.ones(3).tobytes())] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"^read_arrays: X in a\.npz is damaged: Bad CRC-32"):
        read_arrays(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_other_compression_is_refused(tmp_path, method):
    path = pack(tmp_path / "a.npz", {"X.npy": npy(np.ones(3))}, method)
    text = f"read_arrays: X in a.npz uses zip compression {method}; save it with numpy.savez_compressed"
    with pytest.raises(DataError, match=f"^{re.escape(text)}$"):
        read_arrays(path)


def test_what_is_no_archive(tmp_path):
    (tmp_path / "a.npz").write_bytes(pickle.dumps({"X": 1}))
    text = "read_arrays: a.npz is not a .npz file (a zip archive of .npy files): File is not a zip file"
    with pytest.raises(DataError, match=f"^{re.escape(text)}$"):
        read_arrays(tmp_path / "a.npz")


def test_nothing_is_unpickled(tmp_path):
    class Bait:
        def __reduce__(self):
            return (tmp_path.joinpath("ran").write_text, ("x",))

    np.savez(tmp_path / "bait.npz", X=np.array([Bait()], dtype=object))
    np.save(tmp_path / "bait.npy", np.array([Bait()], dtype=object))
    for name in ("bait.npz", "bait.npy"):
        with pytest.raises(DataError, match="pickled Python objects"):
            read_arrays(tmp_path / name)
    assert not (tmp_path / "ran").exists()
