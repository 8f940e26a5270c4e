"""Batches in blocks: where they come from, what a copy in another process holds, and what is refused."""

from __future__ import annotations

import os
import pickle
import re
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jacobians import in_blocks
from jacobians.batches import Batches, Blocks, ParquetBlocks
from jacobians.errors import ArgumentError, DataError, MissingExtraError, ShapeError

X = np.arange(30.0).reshape(10, 3)
Y = np.arange(10)


@given(count=st.integers(1, 20), block=st.integers(1, 25), columns=st.booleans())
def test_the_blocks_together_are_the_batch(count: int, block: int, columns: bool) -> None:
    X = np.arange(3.0 * count).reshape(count, 3)
    given, axis = (X.T, 1) if columns else (X, 0)
    batches = in_blocks(given, np.arange(count), block, batch="columns" if columns else "rows")
    parts = [batches[i] for i in range(len(batches))]
    assert isinstance(batches, Batches)
    assert batches.count == count
    np.testing.assert_array_equal(np.concatenate([x for x, _ in parts], axis=axis), given)
    np.testing.assert_array_equal(np.concatenate([y for _, y in parts]), np.arange(count))
    assert [x.shape[axis] for x, _ in parts[:-1]] == [block] * (len(parts) - 1)


def sources(tmp_path: Path) -> dict[str, tuple[object, object]]:
    np.save(tmp_path / "X.npy", X)
    np.save(tmp_path / "F.npy", np.asfortranarray(X))
    np.save(tmp_path / "Y.npy", Y)
    file = h5py.File(tmp_path / "both.h5", "w")
    file["X"], file["Y"] = X, Y
    file.flush()
    return {
        "path": (tmp_path / "X.npy", str(tmp_path / "Y.npy")),
        "map": (np.load(tmp_path / "X.npy", mmap_mode="r"), np.load(tmp_path / "Y.npy", mmap_mode="r")),
        "fortran": (tmp_path / "F.npy", tmp_path / "Y.npy"),
        "hdf5": (file["X"], file["Y"]),
    }


def test_what_lies_in_a_file_travels_as_its_name(tmp_path: Path) -> None:
    for name, (x, y) in sources(tmp_path).items():
        batches = in_blocks(x, y, 4)
        assert not batches.in_memory, name
        sent = pickle.dumps(batches)
        assert X.tobytes() not in sent
        for copy in (batches, pickle.loads(sent)):
            for i in range(3):
                np.testing.assert_array_equal(copy[i][0], X[4 * i : 4 * i + 4], err_msg=name)
                np.testing.assert_array_equal(copy[i][1], Y[4 * i : 4 * i + 4], err_msg=name)


@pytest.mark.parametrize("kind", ["zarr", "dask.array"])
def test_arrays_of_other_libraries(kind: str, tmp_path: Path) -> None:
    library = pytest.importorskip(kind)
    if kind == "zarr":
        given = library.open(str(tmp_path / "X.zarr"), mode="w", shape=X.shape, chunks=(4, 3), dtype=X.dtype)
        given[:] = X
    else:
        given = library.from_array(X, chunks=(4, 3))
    for batches in (in_blocks(given, Y, 4), pickle.loads(pickle.dumps(in_blocks(given, Y, 4)))):
        np.testing.assert_array_equal(np.concatenate([batches[i][0] for i in range(3)]), X)


def test_a_view_of_a_map_travels_with_its_own_entries(tmp_path: Path) -> None:
    """Its offset is its parent's, so the file's name would give other rows."""
    np.save(tmp_path / "X.npy", X)
    batches = in_blocks(np.load(tmp_path / "X.npy", mmap_mode="r")[2:], Y[2:], 4)
    assert batches.in_memory
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(batches))[0][0], X[2:6])


def test_a_file_that_changes_under_way_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "X.npy", X)
    batches = in_blocks(tmp_path / "X.npy", Y, 4)
    os.utime(tmp_path / "X.npy", (1, 1))
    with pytest.raises(DataError, match=re.escape("X.npy, which holds X, changed while it was in use")):
        batches[0]
    (tmp_path / "X.npy").unlink()
    with pytest.raises(DataError, match="No such file"):
        batches[0]


@pytest.mark.parametrize(
    ("x", "y", "block", "text"),
    [
        (X, Y[:9], 4, "X (10, 3) holds 10 examples in rows, Y (9,) holds 9"),
        (X.T, Y, 4, "X (3, 10) holds 3 examples in rows, Y (10,) holds 10; are examples in columns?"),
        (X, Y, 0, "in_blocks: block=0; expected a positive number of examples"),
        (X, Y, 2.5, "in_blocks: block=2.5; expected a positive number of examples"),
    ],
)
def test_sizes_that_do_not_fit(x: object, y: object, block: object, text: str) -> None:
    with pytest.raises(ShapeError, match=re.escape(text)):
        in_blocks(x, y, block)  # type: ignore[arg-type]


def test_what_gives_no_slices(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"X is a float64 of shape \(\)"):
        in_blocks(np.float64(1.0), Y)
    (tmp_path / "X.npy").write_bytes(b"no array")
    with pytest.raises(DataError, match=r"X\.npy is no \.npy file that can be mapped"):
        in_blocks(tmp_path / "X.npy", Y)
    np.savez(tmp_path / "X.npz", X=X)
    with pytest.raises(DataError, match="holds several arrays"):
        in_blocks(tmp_path / "X.npz", Y)
    with pytest.raises(IndexError, match="there is no block 3; there are 3"):
        in_blocks(X, Y, 4)[3]


class Short:
    """Says it has ten rows, and gives nine."""

    shape = (10, 3)

    def __getitem__(self, part: slice) -> np.ndarray:
        return X[:9][part]


def test_a_source_that_gives_fewer_examples_than_it_says() -> None:
    with pytest.raises(DataError, match="X gave 1 example for 8 to 9; expected 2"):
        Blocks(Short(), Y, 4)[2]


# --- Parquet -----------------------------------------------------------------------------------------


def test_parquet_row_groups(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    table = pyarrow.table({"a": X[:, 0], "b": X[:, 1], "y": Y, "word": ["x"] * 10})
    parquet.write_table(table, tmp_path / "t.parquet", row_group_size=4)
    batches = ParquetBlocks(tmp_path / "t.parquet", "y", ["b", "a"])
    assert (len(batches), batches.count) == (3, 10)
    copy = pickle.loads(pickle.dumps(batches))
    np.testing.assert_array_equal(copy[2][0], X[8:, [1, 0]])
    np.testing.assert_array_equal(copy[2][1], Y[8:])
    assert ParquetBlocks(tmp_path / "t.parquet", ["a", "b"], ["y"])[0][1].shape == (4, 2)
    with pytest.raises(DataError, match="has no column 'c'; it has a, b, y, word"):
        ParquetBlocks(tmp_path / "t.parquet", "c")
    with pytest.raises(DataError, match="column 'word' holds object; expected numbers"):
        ParquetBlocks(tmp_path / "t.parquet", "y")[0]
    os.utime(tmp_path / "t.parquet", (1, 1))
    with pytest.raises(DataError, match="changed while it was in use"):
        batches[0]
    (tmp_path / "t.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(DataError, match="cannot be read"):
        ParquetBlocks(tmp_path / "t.parquet", "y")


def test_without_pyarrow_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match="pip install pyarrow"):
        ParquetBlocks("t.parquet", "y")
