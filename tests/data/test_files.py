"""read_arrays and read_weights: which file, and what is taken from it."""

import errno
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from jacobians.data import read_arrays, read_weights
from jacobians.errors import DataError


def refused(text):
    return pytest.raises(DataError, match=f"^{re.escape(text)}$")


def test_a_missing_file(tmp_path):
    with refused(f"read_arrays: there is no file {tmp_path / 'a.npz'}"):
        read_arrays(tmp_path / "a.npz")


def test_a_directory(tmp_path):
    with refused(f"read_arrays: {tmp_path} is a directory; name a file in it"):
        read_arrays(tmp_path)


@pytest.mark.parametrize("name", ["a.h5", "a.pkl", "a", "a.pkl.gz", "a.gz"])
def test_an_unknown_suffix(tmp_path, name):
    (tmp_path / name).touch()
    suffix = repr(Path(name.removesuffix(".gz")).suffix)
    with refused(
        f"read_arrays: {name} has the unknown suffix {suffix}; known are .csv, .dat, .data, .mat, .npy, .npz, "
        ".tsv, .txt, and these with .gz",
    ):
        read_arrays(str(tmp_path / name))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.npy")
    with refused(f"read_arrays: {tmp_path / 'a.npy'} is not a regular file"):
        read_arrays(tmp_path / "a.npy")


@pytest.mark.parametrize("name", ["a.csv", "a.mat", "a.npy", "a.npz", "a.txt"])
def test_a_file_that_may_not_be_read(tmp_path, name, monkeypatch):
    def refuse(*args, **options):
        raise PermissionError(errno.EACCES, "Permission denied")

    (tmp_path / name).write_text("1,2\n")
    monkeypatch.setattr(Path, "open", refuse)  # a mode of 0 would not stop root
    with refused(f"read_arrays: {tmp_path / name} cannot be read: Permission denied"):
        read_arrays(tmp_path / name)


def test_a_read_only_directory_is_enough(tmp_path):
    np.savez(tmp_path / "a.npz", X=np.eye(2))
    (tmp_path / "a.npz").chmod(0o400)
    tmp_path.chmod(0o500)
    try:
        assert np.array_equal(read_arrays(tmp_path / "a.npz")["X"], np.eye(2))
        assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]
    finally:
        tmp_path.chmod(0o700)


def test_weights_are_the_matrices_and_vectors_of_floats(tmp_path):
    arrays = {
        "W1": np.ones((2, 3)),
        "b1": np.zeros(3, np.float32),
        "half": np.ones(2, np.float16),
        "epochs": np.array([3]),
        "rate": np.array(0.1),
        "images": np.ones((2, 2, 2)),
        "names": np.array(["a", "b"]),
    }
    np.savez(tmp_path / "w.npz", **arrays)
    weights = read_weights(tmp_path / "w.npz")
    assert {name: weight.dtype.name for name, weight in weights.items()} == {
        "W1": "float64",
        "b1": "float32",
        "half": "float32",
    }


def test_a_file_without_weights(tmp_path):
    np.savez(tmp_path / "w.npz", y=np.array([1, 2]), X=np.ones((2, 2, 2)))
    with refused("read_weights: w.npz has y (2,), X (2, 2, 2); no matrix or vector of floats"):
        read_weights(tmp_path / "w.npz")


def test_weights_that_are_not_finite(tmp_path):
    W = np.ones((2, 3))
    W[1, 2] = np.nan
    np.savez(tmp_path / "w.npz", W=W)
    with refused("read_weights: w.npz: W[1, 2] is nan; remove or fill such entries first"):
        read_weights(tmp_path / "w.npz")


def test_a_limit_applies_to_weights_too(tmp_path):
    np.savez(tmp_path / "w.npz", W=np.ones((200, 300)))
    with pytest.raises(DataError, match="over the limit of 1000 B"):
        read_weights(tmp_path / "w.npz", limit=1000)


def test_scipy_is_loaded_on_first_use_only():
    code = "import sys, jacobians.data as d; d.load_digits(); sys.exit(any(m.startswith('scipy') for m in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
