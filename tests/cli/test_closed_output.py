"""A verdict is an exit code, and survives an output that nobody reads to its end: ``jacobians check … | head -2``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from jacobians import Network

JACOBIANS = [sys.executable, "-m", "jacobians"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a right and a wrong homework, and with functions to check."""
    path = tmp_path_factory.mktemp("homework")
    net = Network.dense((3, 4, 2), convention="cs231n", activation="relu")
    rng = np.random.default_rng(0)
    params, X, y = net.init(rng), rng.normal(size=(6, 3)), np.array([0, 1, 1, 0, 1, 0])
    gradient = net.gradient(params, X, y)
    for name, factor in (("right", 1), ("wrong", 2)):
        given = {f"d{key}": factor * array for key, array in gradient.items()}
        np.savez(path / f"{name}.npz", X=X, y=y, **params, **given)
    (path / "model.py").write_text(
        "def loss(x):\n    print('at', 'work ' * 50000)\n    return (x * x).sum()\n"
        "def right(x):\n    return 2 * x\ndef wrong(x):\n    return 3 * x\n"
    )
    return path


CHECK = ["--convention", "cs231n", "--activation", "relu", "--loss", "cross_entropy"]
COMMANDS = [
    (["check", "wrong.npz", *CHECK], 1),
    (["check", "missing.npz"], 2),
]
OTHERS = [
    (["check", "right.npz", *CHECK], 0),
    (["check", "model:loss", "model:wrong", "--shape", "3"], 1),
    (["audit", "dW1 = X.T @ dZ2 * 3"], 1),
    (["check", "model:loss", "model:right", "--shape", "3"], 0),
    (["compare"], 0),
    (["explain", "ng-ml-2011"], 0),
    (["conventions"], 0),
    (["translate", "right.npz", "--from", "cs231n", "--to", "pytorch", "-o", "out.npz"], 0),
    (["explore", "-o", "-"], 0),
    (["--help"], 0),
    (["compare", "--nonsense"], 2),
]


@pytest.mark.parametrize(
    ("command", "code"),
    [*COMMANDS, *(pytest.param(*other, marks=pytest.mark.slow) for other in OTHERS)],
    ids=lambda c: " ".join(c) if isinstance(c, list) else str(c),
)
def test_a_reader_that_leaves_at_once(folder: Path, command: list[str], code: int) -> None:
    process = subprocess.Popen(
        [*JACOBIANS, *command],
        cwd=folder,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=60) == code, said
    assert "Traceback" not in said
    assert "Broken pipe" not in said
    assert bool(said) == (code == 2)


@pytest.mark.parametrize(
    ("command", "code"),
    [pytest.param(["check", "wrong.npz", *CHECK], 1, marks=pytest.mark.slow), (["audit", "dW1 = ("], 2)],
)
def test_a_reader_of_both_streams_that_leaves(folder: Path, command: list[str], code: int) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        found = subprocess.run([*JACOBIANS, *command], cwd=folder, stdout=write, stderr=write, timeout=60)
    finally:
        os.close(write)
    assert found.returncode == code


@pytest.mark.skipif(os.name != "posix", reason="a shell's pipe")
@pytest.mark.parametrize(("name", "code"), [pytest.param("right", 0, marks=pytest.mark.slow), ("wrong", 1)])
def test_in_a_shell(folder: Path, name: str, code: int) -> None:
    line = f'"{sys.executable}" -m jacobians check {name}.npz {" ".join(CHECK)} | head -2; echo ${{PIPESTATUS[0]}}'
    found = subprocess.run(["bash", "-c", line], cwd=folder, capture_output=True, text=True, timeout=60)
    assert found.stdout.splitlines()[-1] == str(code)
    assert found.stderr == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize(
    "unbuffered", [pytest.param("", id="whole", marks=pytest.mark.slow), pytest.param("1", id="line by line")]
)
def test_an_output_that_cannot_be_written_is_no_verdict(folder: Path, unbuffered: str) -> None:
    with open("/dev/full", "w") as full:
        found = subprocess.run(
            [*JACOBIANS, "check", "right.npz", *CHECK],
            cwd=folder,
            env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    assert found.returncode == 2
    assert found.stderr == "jacobians: error: standard output cannot be written: No space left on device\n"


@pytest.mark.skipif(os.name != "posix", reason="a shell closes the stream")
def test_an_output_that_is_closed_from_the_start(folder: Path) -> None:
    """Code 1 means wrong and nothing else: here nothing can be said."""
    line = f'"{sys.executable}" -m jacobians check wrong.npz {" ".join(CHECK)} >&-'
    found = subprocess.run(["bash", "-c", line], cwd=folder, capture_output=True, text=True, timeout=60)
    told = "standard output is closed; send it to /dev/null where only the exit code is wanted"
    assert (found.returncode, found.stderr) == (2, f"jacobians: error: {told}\n")
