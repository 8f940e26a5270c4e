"""A file is there whole or not at all, whatever happens while it is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from jacobians.whole_files import whole_file


def full(path: Path) -> None:
    with whole_file(path) as opened:
        opened.write(b"a part")
        raise OSError(28, "No space left on device")


def test_nothing_is_left_of_a_file_that_fails(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left"):
        full(tmp_path / "out.npz")
    assert list(tmp_path.iterdir()) == []


def test_the_old_file_stays_as_it_was_where_the_new_one_fails(tmp_path: Path) -> None:
    path = tmp_path / "out.npz"
    path.write_bytes(b"old")
    with pytest.raises(OSError, match="No space left"):
        full(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_name_is_taken_when_the_file_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "out.npz"
    with whole_file(path) as opened:
        opened.write(b"new")
        assert not path.exists()
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]
