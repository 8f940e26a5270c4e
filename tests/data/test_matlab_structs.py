"""Structs and cell arrays of .mat files: each array in one is a variable of its own; forged ones are refused."""

import struct

import numpy as np
import pytest
from scipy.io import savemat

from jacobians.data import read_arrays
from jacobians.errors import DataError

PARAMETERS = {"W1": np.arange(6.0).reshape(2, 3), "b1": np.zeros((2, 1)), "count": 3, "a_longer_name": np.eye(2)}


@pytest.mark.parametrize("compressed", [False, True])
def test_the_fields_of_a_struct(tmp_path, compressed):
    savemat(tmp_path / "w.mat", {"params": PARAMETERS, "X": np.eye(2)}, do_compression=compressed)
    arrays = read_arrays(tmp_path / "w.mat")
    assert list(arrays) == ["params.W1", "params.b1", "params.count", "params.a_longer_name", "X"]
    assert np.array_equal(arrays["params.W1"], PARAMETERS["W1"])
    assert np.array_equal(arrays["params.a_longer_name"], np.eye(2))


def test_the_cells_of_a_cell_array(tmp_path):
    coefs = np.empty(3, dtype=object)
    coefs[:] = [np.ones((2, 3)), np.zeros((0, 0)), np.full((3, 1), 7.0)]
    savemat(tmp_path / "w.mat", {"coefs_": coefs})
    arrays = read_arrays(tmp_path / "w.mat")
    assert {name: array.shape for name, array in arrays.items() if array.size} == {
        "coefs_.1": (2, 3),
        "coefs_.3": (3, 1),
    }
    assert np.array_equal(arrays["coefs_.3"], coefs[2])


def test_structs_in_structs(tmp_path):
    savemat(tmp_path / "w.mat", {"a": {"b": {"c": np.eye(2), "text": "no number"}}})
    assert list(read_arrays(tmp_path / "w.mat")) == ["a.b.c"]
    deep = {"x": 1.0}
    for _ in range(30):
        deep = {"d": deep}
    savemat(tmp_path / "deep.mat", {"d": deep, "X": np.eye(2)})
    assert list(read_arrays(tmp_path / "deep.mat")) == ["X"]


def test_an_array_of_structs_is_left_out(tmp_path):
    many = np.zeros(2, dtype=[("a", float)])
    savemat(tmp_path / "w.mat", {"many": many, "X": np.eye(2)})
    assert list(read_arrays(tmp_path / "w.mat")) == ["X"]


def test_a_forged_struct_is_refused(tmp_path):
    savemat(tmp_path / "w.mat", {"params": PARAMETERS}, do_compression=False)
    content = bytearray((tmp_path / "w.mat").read_bytes())
    rng = np.random.default_rng(0)
    refusals = 0
    for _ in range(300):
        forged = bytearray(content)
        place = int(rng.integers(136, len(forged) - 4)) & ~3
        forged[place : place + 4] = struct.pack("<i", int(rng.choice([-1, 0, 7, 1 << 30, (1 << 31) - 1])))
        (tmp_path / "forged.mat").write_bytes(forged)
        try:
            read_arrays(tmp_path / "forged.mat")
        except DataError:
            refusals += 1
    assert refusals > 20


def test_fewer_members_than_promised(tmp_path):
    cells = np.empty((1, 2), dtype=object)
    cells[0, :] = [np.eye(2), np.eye(3)]
    savemat(tmp_path / "w.mat", {"c": cells}, do_compression=False)
    content = (tmp_path / "w.mat").read_bytes()
    forged = content.replace(struct.pack("<ii", 1, 2), struct.pack("<ii", 1 << 30, 1 << 30), 1)
    (tmp_path / "w.mat").write_bytes(forged)
    with pytest.raises(DataError, match="c has 2 members, its header promises 1152921504606846976"):
        read_arrays(tmp_path / "w.mat")
