"""A small part of what ``python -m tests.data.fuzz`` tries: files with forged bytes are refused, and end no process."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest

from jacobians.data import read_arrays
from jacobians.errors import DataError
from tests.data import fuzz

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="each file is read in a child process")


@pytest.mark.parametrize("kind", fuzz.KINDS)
def test_forged_files_are_refused_in_words(kind):
    assert fuzz.crashes(kind, range(60)) == []


def test_a_crash_is_seen(monkeypatch):
    def read(path):
        number = int.from_bytes(path.read_bytes(), "little")
        if number in (3, 7):
            os.kill(os.getpid(), signal.SIGKILL)
        if number == 5:
            raise AttributeError("not foreseen")

    monkeypatch.setattr(fuzz, "_read", read)
    monkeypatch.setattr(fuzz, "forged", lambda files, number: number.to_bytes(1, "little"))
    expected = [(3, "signal SIGKILL"), (5, "an unforeseen error"), (7, "signal SIGKILL")]
    assert fuzz.crashes(".csv", range(10)) == expected


def test_packing_changes_no_array(tmp_path):
    plain = fuzz.sources(".mat")[0]
    for name, content in (("plain", plain), ("packed", fuzz.packed(plain))):
        (tmp_path / f"{name}.mat").write_bytes(content)
    whole, packed = (read_arrays(tmp_path / f"{name}.mat") for name in ("plain", "packed"))
    assert whole.keys() == packed.keys()
    assert all(np.array_equal(whole[name], packed[name]) for name in whole)


def test_a_forged_mark_of_the_byte_order(tmp_path):
    for place in (126, 127):
        content = bytearray(fuzz.sources(".mat")[0])
        content[place] ^= 1
        (tmp_path / "a.mat").write_bytes(content)
        with pytest.raises(DataError, match=r"^read_arrays: a.mat is not a readable .mat file: its first 128 bytes"):
            read_arrays(tmp_path / "a.mat")


def test_a_table_of_a_million_columns_is_refused(tmp_path):
    (tmp_path / "wide.csv").write_text(",".join(["1"] * 10**6))
    with pytest.raises(
        DataError, match=r"line 1 has 1000000 cells, over the limit of 100000 columns; save the numbers"
    ):
        read_arrays(tmp_path / "wide.csv")


def test_names_with_control_characters_are_written_out(tmp_path):
    np.savez(tmp_path / "a.npz", **{"\x1b[31mW1": np.ones(2)})
    assert list(read_arrays(tmp_path / "a.npz")) == [r"\x1b[31mW1"]
