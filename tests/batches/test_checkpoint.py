"""Checkpoints: whole or not there; a damaged one is refused and the one before serves."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest

from jacobians.batches.checkpoint import Checkpoint
from jacobians.errors import DataError


def saved(tmp_path: Path) -> Checkpoint:
    kept = Checkpoint(tmp_path / "sum.npz")
    for i in range(3):
        kept.save("a sum", {"W": np.full(3, float(i))})
    return kept


def test_the_last_state_comes_back(tmp_path: Path) -> None:
    kept = saved(tmp_path)
    found = kept.load("a sum")
    assert found is not None
    assert found["W"].tolist() == [2, 2, 2]
    assert kept.load("another sum") is None
    assert sorted(p.name for p in tmp_path.iterdir()) == ["sum.before.npz", "sum.npz"]
    kept.remove()
    assert kept.load("a sum") is None
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kept_bytes", [0, 10, 0.5, -1])
def test_a_truncated_one_is_refused_and_the_older_used(tmp_path: Path, kept_bytes: float) -> None:
    kept = saved(tmp_path)
    whole = kept.path.read_bytes()
    kept.path.write_bytes(whole[: int(len(whole) * kept_bytes) if kept_bytes == 0.5 else int(kept_bytes)])
    with pytest.warns(RuntimeWarning, match=r"sum\.npz is not whole and is not used"):
        found = kept.load("a sum")
    assert found is not None
    assert found["W"].tolist() == [1, 1, 1]


def test_a_damaged_one_never_takes_the_place_of_the_older(tmp_path: Path) -> None:
    kept = saved(tmp_path)
    kept.path.write_bytes(b"")
    kept.save("a sum", {"W": np.full(3, 9.0)})
    kept.path.write_bytes(b"")
    with pytest.warns(RuntimeWarning, match="not whole"):
        found = kept.load("a sum")
    assert found is not None
    assert found["W"].tolist() == [1, 1, 1]


def test_a_changed_byte_is_noticed(tmp_path: Path) -> None:
    kept = saved(tmp_path)
    whole = bytearray(kept.path.read_bytes())
    place = whole.find(np.full(3, 2.0).tobytes())
    whole[place] ^= 1
    kept.path.write_bytes(whole)
    with pytest.warns(RuntimeWarning, match="not whole"):
        assert kept.load("a sum") is not None


def test_a_full_disk_leaves_the_last_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = saved(tmp_path)

    def full(file: object, **arrays: object) -> None:
        file.write(b"half")  # type: ignore[attr-defined]
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.warns(RuntimeWarning, match=r"sum\.npz cannot be written: No space left on device; the work goes on"):
        kept.save("a sum", {"W": np.zeros(3)})
    found = kept.load("a sum")
    assert found is not None
    assert found["W"].tolist() == [2, 2, 2]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["sum.before.npz", "sum.npz"]


def test_its_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"must end with \.npz"):
        Checkpoint(tmp_path / "sum.zip")
