"""Divided differences against mpmath's digits, at gaps of every size."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians import matrix as jm
from jacobians.matrix.divided_differences import divided_differences, second_divided_differences
from tests.matrix import twins


@pytest.mark.parametrize("gap", [0.0, 1e-15, 1e-12, 1e-9, 1e-6, 1e-5, 1e-4, 1e-2])
def test_divided_differences_are_exact_at_every_gap(gap: float) -> None:
    """The closed forms of expm, logm and sqrtm, and what is made of f and f′ alone, near a tie."""
    mp = twins.mp
    a, b = np.float64(0.7), np.float64(0.7 + gap)

    def exact(name: str) -> float:
        x, y, f = mp.mpf(float(a)), mp.mpf(float(b)), getattr(mp, name)
        return float(mp.diff(f, x) if x == y else (f(x) - f(y)) / (x - y))

    kinds = {"exp": jm.MatrixExponential, "log": jm.MatrixLogarithm, "sqrt": jm.MatrixSquareRoot}
    for name, kind in kinds.items():
        assert float(kind._divided(np.asarray(a), np.asarray(b))) == pytest.approx(exact(name), rel=2e-15)
    assert float(divided_differences(np.sin, np.cos, a, b)) == pytest.approx(exact("sin"), rel=2e-10)


@pytest.mark.parametrize("gap", [0.0, 1e-9, 1e-4, 0.02, 0.3])
def test_second_divided_differences_are_exact_at_every_gap(gap: float) -> None:
    """1/x has the second divided difference 1/(xyz)."""
    w = np.array([0.7, 0.7 + gap, 0.7 + 2.5 * gap])
    found = second_divided_differences(lambda x: 1 / x, lambda x: -1 / x**2, lambda x: 2 / x**3, w)
    expected = 1 / (w[:, None, None] * w[None, :, None] * w[None, None, :])
    np.testing.assert_allclose(found, expected, rtol=1e-12)
