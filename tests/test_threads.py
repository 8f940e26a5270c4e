"""The gradient does not depend on how many threads BLAS uses, beyond rounding."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

_PROGRAM = """
import sys
import numpy as np
from jacobians import Network, replayed
rng = np.random.default_rng(0)
net = Network.dense((300, 200, 10), activation="relu", convention="ng-ml-2011")
dtype = sys.argv[1]
params, X = net.init(rng, dtype), rng.normal(size=(400, 300)).astype(dtype)
Y = rng.integers(0, 10, 400)
np.savez(sys.argv[2], **net.gradient(params, X, Y))
assert all((g == replayed(net.gradient)(params, X, Y)[n]).all() for n, g in net.gradient(params, X, Y).items())
"""


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_one_thread_and_two(tmp_path: Path, dtype: str) -> None:
    found = []
    for threads in ("1", "2"):
        file = tmp_path / f"{threads}.npz"
        limits = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), threads)
        command = [sys.executable, "-c", _PROGRAM, dtype, str(file)]
        root = Path(__file__).parents[1]
        subprocess.run(command, check=True, env={**os.environ, **limits, "PYTHONPATH": str(root)}, timeout=120)
        with np.load(file) as saved:
            found.append(dict(saved))
    for name, gradient in found[0].items():
        scale = np.abs(gradient).max() * np.finfo(dtype).eps
        np.testing.assert_allclose(found[1][name], gradient, rtol=0, atol=64 * scale)
