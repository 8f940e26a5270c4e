"""Files with forged bytes: every reader refuses them in words, and none ends the process.

``python -m tests.data.fuzz`` tries 2000 files of each kind. Each is read in a child process, so that a crash is counted
and not suffered; what is found can be tried again by its number.
"""

from __future__ import annotations

import argparse
import os
import signal
import struct
import sys
import tempfile
import warnings
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import scipy.io
import scipy.sparse

from jacobians.data import read_arrays
from jacobians.errors import JacobiansError

KINDS = (".mat", ".npz", ".csv")
LIMIT = 1 << 26
SECONDS = 20
"""After which a file counts as one that hangs."""


def sources(kind: str) -> list[bytes]:
    """Return whole files of a kind, of all forms that it has."""
    rng = np.random.default_rng(0)
    numbers: dict[str, Any] = {
        "X": rng.normal(size=(4, 3)),
        "y": np.array([[1, 2, 3, 1]], np.uint8),
        "s": rng.normal(size=(2, 2)).astype(np.float32),
        "whole": np.arange(6.0).reshape(2, 3),
        "flag": np.array([[True, False]]),
    }
    if kind == ".csv":
        lines = [
            "sepal,petal,kind",
            *(f"{a:.3f},{b:.3f},{'ab'[n % 2]}" for n, (a, b) in enumerate(rng.normal(size=(9, 2)))),
        ]
        plain = "\n".join(" ".join(f"{v:.2e}" for v in row) for row in rng.normal(size=(5, 4)))
        return ["\n".join(lines).encode(), plain.encode(), b'a;b\n"1,200";-3.5\n4;5\n']
    if kind == ".npz":
        return [_written(save, **numbers) for save in (np.savez, np.savez_compressed)]
    more = {
        **numbers,
        "z": numbers["X"] + 1j,
        "text": "words",
        "sparse": scipy.sparse.csc_array(np.eye(3)),
        "struct": {"W1": numbers["X"], "name": "a", "inner": {"b1": np.ones(3)}},
        "cell": np.fromiter([np.ones(2), np.zeros((2, 2))], dtype=object),
    }
    options: list[tuple[dict[str, Any], dict[str, Any]]] = [
        (more, {}),
        (more, {"do_compression": True}),
        ({key: numbers[key] for key in ("X", "y", "whole")}, {"format": "4"}),
    ]
    return [_written(scipy.io.savemat, arrays, **given) for arrays, given in options]


def _written(write: Any, *arrays: Any, **options: Any) -> bytes:
    file = BytesIO()
    write(file, *arrays, **options)
    return file.getvalue()


def packed(file: bytes) -> bytes:
    """Return a .mat file of version 5, written without compression, with every variable compressed as it is."""
    out, place = bytearray(file[:128]), 128
    while place + 8 <= len(file):
        (count,) = struct.unpack_from("<I", file, place + 4)
        piece = zlib.compress(file[place : place + 8 + count])
        out += struct.pack("<II", 15, len(piece)) + piece
        place += 8 + count
    return bytes(out)


def forged(files: list[bytes], number: int) -> bytes:
    """Return one of the files with one to three bits flipped, or bytes exchanged, inserted or left out.

    Every other file of MATLAB's that can be is compressed afterwards, so that its checksums are right.
    """
    rng = np.random.default_rng(number)
    file = files[number % len(files)]
    data = _forged(bytearray(file), rng)
    return packed(data) if file.startswith(b"MATLAB 5") and rng.integers(2) else data


def _forged(data: bytearray, rng: np.random.Generator) -> bytes:
    for _ in range(int(rng.integers(1, 4))):
        place = int(rng.integers(len(data)))
        match int(rng.integers(8)):
            case 0:
                data[place] = int(rng.integers(256))
            case 1:
                del data[place : place + int(rng.integers(1, 9))]
            case 2:
                data[place:place] = rng.integers(256, size=int(rng.integers(1, 9)), dtype=np.uint8).tobytes()
            case _:
                data[place] ^= 1 << int(rng.integers(8))
    return bytes(data)


def _read(path: Path) -> None:
    """Read a file; a refusal in words is as good as its arrays."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = read_arrays(path, limit=LIMIT)
    except JacobiansError as error:
        if not str(error):
            raise AssertionError("an error without a word") from error
        return
    for array in found.values():
        np.asarray(array).sum() if array.dtype.kind in "bifuc" else str(array)


def _children(kind: str, numbers: range, folder: str) -> Iterator[tuple[int, str]]:
    """Read forged files in child processes; yield the number of each that ended one, and how."""
    files = sources(kind)
    start = numbers.start
    while start < numbers.stop:
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            code = 1
            try:
                # what the libraries below print of a damaged file is nobody's concern here
                os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
                signal.signal(signal.SIGALRM, signal.SIG_DFL)
                for number in range(start, numbers.stop):
                    os.write(write, number.to_bytes(8, "little"))
                    path = Path(folder) / f"{os.getpid()}{kind}"
                    path.write_bytes(forged(files, number))
                    signal.alarm(SECONDS)
                    _read(path)
                code = 0
            finally:
                os._exit(code)
        os.close(write)
        with os.fdopen(read, "rb") as told:
            last = int.from_bytes(told.read()[-8:], "little")
        _, status = os.waitpid(child, 0)
        if status == 0:
            return
        how = f"signal {signal.Signals(os.WTERMSIG(status)).name}" if os.WIFSIGNALED(status) else "an unforeseen error"
        yield last, how
        start = last + 1


def crashes(kind: str, numbers: range) -> list[tuple[int, str]]:
    """Return the forged files of these numbers that end the process, hang, or raise what no reader promises."""
    with tempfile.TemporaryDirectory() as folder:
        return list(_children(kind, numbers, folder))


def main() -> int:
    """Try many files of every kind, print what was found, and return 1 if any of them crashed."""
    parser = argparse.ArgumentParser(prog="python -m tests.data.fuzz", description=__doc__)
    parser.add_argument("--files", type=int, default=2000, help="of each kind (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="the first file's number (default: %(default)s)")
    parser.add_argument("--keep", metavar="FOLDER", help="write the files that crash to a folder")
    given = parser.parse_args()
    total = 0
    for kind in KINDS:
        found = crashes(kind, range(given.seed, given.seed + given.files))
        total += len(found)
        print(
            f"{kind}: {given.files} forged files, {len(found)} crashes",
            *(f"  {n}: {how}" for n, how in found),
            sep="\n",
        )
        if given.keep:
            for number, _ in found:
                Path(given.keep, f"{number}{kind}").write_bytes(forged(sources(kind), number))
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main())
