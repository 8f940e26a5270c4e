"""What a type checker says of code with values: a value stays a value, and an array gives a pair."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CODE = """
import numpy as np
import jacobians as jac
from jacobians.operations import Affine, CrossEntropy, Tanh

x, y = np.ones((5, 4)), [0, 1, 1, 0, 1]
X, W, b = jac.values(X=x, W=np.ones((4, 3)), b=np.zeros(3))
reveal_type(jac.relu(X @ W + b))
reveal_type(jac.softmax(X, layout="cs231n"))
reveal_type(jac.matmul(x, W))
reveal_type(jac.affine(x, np.ones((4, 3)), b))
reveal_type(jac.cross_entropy(X @ W, Y=y, reduction="none"))
reveal_type(Tanh()(X))
reveal_type(Affine()(X, W, b))
reveal_type(CrossEntropy()(X, y))
reveal_type(jac.relu(x))
reveal_type(jac.matmul(x, x))
reveal_type(jac.affine(x, np.ones((4, 3))))
reveal_type(jac.cross_entropy(x, y))
reveal_type(jac.relu([1.0, 2.0]))
jac.relu("text", slope=2)
"""
VALUE, PAIR = "jacobians.graphs.value.Value", "tuple[ndarray[tuple[Any, ...], dtype[Any]], Jacobian"


@pytest.mark.slow
def test_a_value_stays_a_value_and_an_array_gives_a_pair(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(CODE)
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--follow-imports=silent", "--cache-dir", str(tmp_path), "program.py"]
    found = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=600)
    lines = found.stdout.splitlines()
    types = [line.split('"')[1] for line in lines if "Revealed type" in line]
    assert types[:8] == [VALUE] * 8
    assert len(types) == 13
    assert all(kind.replace("numpy.", "").startswith(PAIR) or PAIR.split(", J")[0] in kind for kind in types[8:])
    assert [line for line in lines if ": error:" in line and "relu" not in line and "slope" not in line] == []
    assert any("slope" in line for line in lines)
