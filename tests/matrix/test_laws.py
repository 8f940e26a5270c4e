"""Every law over every operation of matrices, and its derivatives against twins in 50 digits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import jacobians as jac
import jacobians.matrix as jm
from jacobians.errors import DomainError
from jacobians.layout import Layout
from jacobians.linops import DirectSum
from jacobians.testing import assert_operation_laws, assert_second
from tests.matrix import twins
from tests.matrix.cases import CASES, Case

WRITTEN = Layout(vec="F", derivative="denominator")

EVERYDAY_BATCHES = {"trace", "kron", "solve a vector", "det", "cholesky", "qr: R", "expm of a symmetric matrix", "diag"}
"""Batches share one loop over their examples: of the others the laws are run with the slow tests."""

TWINS_ALONE = {
    "gram of rows", "quadratic", "bilinear", "p_norm 1", "p_norm inf", "solve", "logdet", "logabsdet", "sign",
    "pinv of a wide matrix", "lyapunov", "ldl: L", "ldl: d", "qr: Q of a square matrix", "eigh",
    "svd: U of a wide matrix", "svd: Vᵀ of a wide matrix", "logm", "logm of a symmetric matrix",
    "sqrtm of a symmetric matrix", "matrix_power 1", "matrix_power -2", "triu", "covariance", "correlation",
    "gaussian_by_cholesky",
}  # fmt: skip
"""Their structures are those of others, or other tests run their laws: every day, the twins alone are compared."""

LONG = {"logm", "logm of a symmetric matrix", "sqrtm", "spectral_function"}
"""In 50 digits, or by SciPy's logarithm, these take most of the time of all."""


def names(everyday: set[str], chosen: Callable[[Case], bool] = lambda case: True) -> list[Any]:
    """Cases, those that are not for every day marked as slow."""
    return [
        pytest.param(name, marks=() if name in everyday else pytest.mark.slow)
        for name, case in CASES.items()
        if chosen(case)
    ]


@pytest.mark.parametrize("name", names(set(CASES) - TWINS_ALONE))
def test_laws(name: str) -> None:
    case = CASES[name]
    arrays = case.draw(np.random.default_rng(1))
    assert_operation_laws(case.make(None), arrays, directions=1, coordinates=0, integers=False)


@pytest.mark.parametrize("name", names(EVERYDAY_BATCHES, lambda case: case.batches))
def test_laws_of_a_batch(name: str) -> None:
    case, rng = CASES[name], np.random.default_rng(2)
    arrays = [np.stack(examples) for examples in zip(*(case.draw(rng) for _ in range(2)), strict=True)]
    operation, places = case.make(WRITTEN), (0,) * len(arrays)
    assert_operation_laws(operation, arrays, axes=places, out_axis=0, directions=1, coordinates=0, integers=False)
    value, jacobians = operation.evaluate(*arrays)
    for i, (name, jacobian) in enumerate((n, jacobians.numerator(n)) for n in jacobians):
        assert isinstance(jacobian, DirectSum)
        for n in range(2):
            alone, one = case.make(None).evaluate(*(a[n] for a in arrays))
            np.testing.assert_array_equal(value[n], alone)
            np.testing.assert_array_equal(jacobian.parts[n].to_dense("C"), one[name].to_dense("C"))


@pytest.mark.parametrize("name", sorted(CASES))
def test_second_derivatives(name: str) -> None:
    case, rng = CASES[name], np.random.default_rng(4)
    assert_second(case.make(None), case.draw(rng), rng)


@pytest.mark.parametrize("name", names({"solve", "kron", "cholesky", "expm"}, lambda case: case.batches))
def test_second_derivatives_of_a_batch(name: str) -> None:
    """Of batches in any layout."""
    case, rng = CASES[name], np.random.default_rng(5)
    arrays = [np.stack(examples) for examples in zip(*(case.draw(rng) for _ in range(2)), strict=True)]
    assert_second(case.make(WRITTEN), arrays, rng)


@pytest.mark.parametrize("w", [[2.0, 2.0, 2.0], [2.0, 2.0, 3.0], [1.0, 1.0 + 1e-9, 1.0 + 1e-4], [1.0, 1.049, 1.06]])
def test_second_derivative_of_a_spectral_function_at_near_and_equal_eigenvalues(w: list[float]) -> None:
    """Against expm's own, which is an exponential of four times the size."""
    rng = np.random.default_rng(6)
    V = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    S, G, E = (V * w) @ V.T, rng.normal(size=(3, 3)), rng.normal(size=(3, 3))
    S, E = (S + S.T) / 2, E + E.T
    ours = jm.SpectralFunction(np.exp, np.exp, second=np.exp)._second(G, S)["A", "A"]
    own = jm.MatrixExponential()._second(G, S)["A", "A"]
    np.testing.assert_allclose(ours.jvp(E), own.jvp(E), rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(ours.to_dense(), ours.to_dense().T, rtol=1e-12, atol=1e-12)


def test_a_spectral_function_without_its_second_derivative() -> None:
    (S,) = jac.values(S=np.diag([1.0, 2.0]))
    with pytest.raises(DomainError, match="spectral_function: f″ is not given, which a Hessian needs; pass it as sec"):
        jm.trace(jm.spectral_function(S, np.sin, np.cos)).hessian(S)
    H = jm.trace(jm.spectral_function(S, np.sin, np.cos, second=lambda w: -np.sin(w))).hessian(S)
    np.testing.assert_allclose(H.jvp(np.eye(2)), -np.diag(np.sin([1.0, 2.0])), atol=1e-14)


@pytest.mark.parametrize("name", names(set(CASES) - LONG))
def test_derivatives_in_50_digits(name: str) -> None:
    case = CASES[name]
    arrays = case.draw(np.random.default_rng(3))
    value, jacobians = case.make(None).evaluate(*arrays)
    np.testing.assert_allclose(value.ravel(), twins.value(case.twin, arrays), rtol=1e-12, atol=1e-13)
    for i, wrt in enumerate(jacobians):
        expected = twins.jacobian(case.twin, arrays, i)
        np.testing.assert_allclose(jacobians[wrt].to_dense(), expected, rtol=1e-11, atol=1e-12, err_msg=wrt)
