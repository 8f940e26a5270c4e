"""What a type checker says of code with values: a value stays a value, and an array gives a pair."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import jacobians as jac

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
VALUE = "jacobians.graphs.value.Value"
ARRAY = "numpy.ndarray[tuple[Any, ...], numpy.dtype[Any]]"
ONE = f"tuple[{ARRAY}, jacobians.linops.jacobian.Jacobian]"
SEVERAL = f"tuple[{ARRAY}, jacobians.operations.record.Jacobians]"


@pytest.mark.slow
def test_a_value_stays_a_value_and_an_array_gives_a_pair(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(CODE)
    options = ["--strict", "--follow-imports=silent", "--config-file=", "--cache-dir", str(tmp_path)]
    found = subprocess.run(
        [sys.executable, "-m", "mypy", *options, "program.py"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=600,
        env={**os.environ, "MYPYPATH": str(Path(jac.__file__).parents[1])},
    )
    lines = found.stdout.splitlines()
    types = [line.split('"')[1] for line in lines if "Revealed type" in line]
    assert types == [VALUE] * 8 + [ONE, SEVERAL, SEVERAL, ONE, ONE]
    (error,) = [line for line in lines if ": error:" in line]
    assert error.startswith(f"program.py:{len(CODE.splitlines())}: ")
