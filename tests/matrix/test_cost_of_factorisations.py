"""How many operations the factorisations in a value and in its Jacobian take: those of LAPACK, counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.linalg
from scipy.linalg import lapack

import jacobians as jac

_OF_LAPACK = {"dgetrf": 2 / 3, "dgetri": 4 / 3, "dtrtri": 1 / 3, "dpotrf": 1 / 3}
_OF_NUMPY = {"inv": 8 / 3, "det": 2 / 3, "slogdet": 2 / 3, "svd": 20.0, "solve": 2 / 3, "cholesky": 1 / 3, "eigh": 9.0}


@pytest.fixture
def cubes(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Operations of every factorisation from now on, as multiples of n³; what takes n² for each column is left out."""
    counted: list[float] = []

    def counting(function: Callable[..., Any], cost: float) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            counted.append(cost)
            return function(*given, **named)

        return call

    for home, costs in ((lapack, _OF_LAPACK), (np.linalg, _OF_NUMPY)):
        for name, cost in costs.items():
            monkeypatch.setattr(home, name, counting(getattr(home, name), cost))
    monkeypatch.setattr(scipy.linalg, "inv", counting(scipy.linalg.inv, 2.0))
    return counted


def test_logdet_of_500_rows_takes_the_operations_of_one_product(cubes: list[float]) -> None:
    """2n³ with its gradient A⁻ᵀ, as many as one product of two matrices; the value alone takes a third of them."""
    A = np.random.default_rng(0).normal(size=(500, 500)) / 500 + np.eye(500)
    (value_alone,) = jac.values(A=A)
    jac.matrix.logdet(value_alone)
    assert sum(cubes) == pytest.approx(2 / 3)
    cubes.clear()
    _, J = jac.matrix.logdet(A)
    np.testing.assert_allclose(J.gradient @ A.T, np.eye(500), atol=1e-10)
    assert sum(cubes) == pytest.approx(2)


@pytest.mark.parametrize(
    ("cost", "name", "more"),
    [
        (2, "det", ()),
        (8 / 3, "inverse", ()),
        (8 / 3, "slogdet", ()),
        (2, "solve", (np.ones(6),)),
        (2 / 3, "cholesky", ()),
        (1 / 3, "mahalanobis", ()),
        (2 / 3, "gaussian", ()),
    ],
)
def test_no_operation_factors_its_matrix_twice(
    cubes: list[float], cost: float, name: str, more: tuple[np.ndarray, ...]
) -> None:
    """The value and every Jacobian; slogdet is two operations, of which the sign has no Jacobian."""
    A = np.random.default_rng(1).normal(size=(6, 6))
    S = A @ A.T + 6 * np.eye(6)
    function = getattr(jac.matrix, name)
    if name in ("mahalanobis", "gaussian"):
        J = function(np.ones(6), np.zeros(6), S)[1]
        assert [J.X.domain, J.mean.domain, J.S.domain] == [(6,), (6,), (6, 6)]
    elif name == "solve":
        J = function(S, *more)[1]
        assert [J.A.domain, J.B.domain] == [(6, 6), (6,)]
    else:
        function(S)
    assert sum(cubes) == pytest.approx(cost)
