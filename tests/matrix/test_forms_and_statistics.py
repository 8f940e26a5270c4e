"""Operations of a batch of vectors, in rows and in columns, against one vector at a time and twins in 50 digits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from jacobians import matrix as jm
from jacobians.errors import DomainError, ShapeError
from jacobians.layout import Layout
from jacobians.linops import Commutation, Identity
from jacobians.testing import assert_layouts, assert_operation_laws
from tests.matrix import twins

COLUMNS = Layout(batch="columns", vec="F", derivative="denominator")
rng = np.random.default_rng(0)
X, Y, A, S0, mean = (rng.normal(size=shape) for shape in ((4, 3), (4, 2), (3, 2), (3, 3), (3,)))
S = S0 @ S0.T + np.eye(3)
L = np.linalg.cholesky(S)


def laid(batch: np.ndarray, layout: Layout | None) -> np.ndarray:
    return batch.T if layout else batch


@pytest.mark.parametrize("layout", [None, COLUMNS], ids=["rows", "columns"])
@pytest.mark.parametrize(
    "name", ["bilinear", "quadratic", "p_norm", "normalise", "covariance", "correlation", "likelihood"]
)
def test_laws_of_a_batch(name: str, layout: Layout | None) -> None:
    axis = -1 if layout else 0
    x, y = laid(X, layout), laid(Y, layout)
    laws: dict[str, Any] = {"directions": 1, "coordinates": 0, "integers": False}
    match name:
        case "bilinear":
            inputs, laws["axes"], laws["out_axis"] = [x, A, y], (axis, None, axis), 0
            operation: Any = jm.Bilinear(layout)
        case "quadratic":
            inputs, laws["axes"], laws["out_axis"] = [x, S0], (axis, None), 0
            operation = jm.Quadratic(layout)
        case "p_norm" | "normalise":
            inputs, laws["axes"], laws["out_axis"] = [x], (axis,), axis if name == "normalise" else 0
            operation = jm.Normalise(layout) if name == "normalise" else jm.PNorm(3, layout)
        case "likelihood":
            inputs, laws["axes"], laws["out_axis"] = [x, mean, L], (axis, None, None), 0
            operation = jm.GaussianByCholesky(layout)
        case _:
            inputs, operation = [x], jm.Covariance(1, layout) if name == "covariance" else jm.Correlation(layout)
    assert_operation_laws(operation, inputs, **laws)


@pytest.mark.parametrize("kind", [jm.Covariance, jm.Correlation, jm.Normalise])
def test_layouts(kind: Callable[..., Any]) -> None:
    """The same batch in rows and in columns; a matrix of features is the same, what is normalised lies as the batch."""
    if kind is jm.Normalise:
        assert_layouts(lambda layout: jm.Normalise(layout), X)
        return
    rows, columns = kind(layout=Layout()), kind(layout=COLUMNS)
    (C, J), (C2, J2) = rows(X), columns(X.T)
    np.testing.assert_array_equal(C, C2)
    cotangent = rng.normal(size=(3, 3))
    np.testing.assert_allclose(J.vjp(cotangent), J2.vjp(cotangent).T, atol=1e-15)


@pytest.mark.parametrize("stacked", [False, True], ids=["one matrix", "one for each"])
def test_forms_are_those_of_single_vectors(stacked: bool) -> None:
    matrices = rng.normal(size=(4, 3, 2)) if stacked else A
    value, J = jm.bilinear(X, matrices, Y)
    for n in range(4):
        one, alone = jm.bilinear(X[n], matrices[n] if stacked else A, Y[n])
        assert value[n] == pytest.approx(float(one), rel=1e-14)
        row = np.eye(4)[n]
        np.testing.assert_allclose(J.x.vjp(row)[n], alone.x.gradient, atol=1e-15)
        np.testing.assert_allclose(J.y.vjp(row)[n], alone.y.gradient, atol=1e-15)
        by_matrix = J.A.vjp(row)
        np.testing.assert_allclose(by_matrix[n] if stacked else by_matrix, alone.A.gradient, atol=1e-15)


def of_symmetric(operation: Any) -> Callable[..., Any]:
    """The operation with (S + Sᵀ)/2 for its last input: of all matrices, and the same at symmetric ones."""

    def symmetrised(*arrays: np.ndarray) -> tuple[np.ndarray, dict[str, Any]]:
        *first, last = arrays
        value, J = operation(*first, (last + last.T) / 2)
        names = list(J)
        half = 0.5 * (Identity((3, 3), J[names[-1]].dtype) + Commutation(3, 3, J[names[-1]].dtype))
        return value, {n: J[n] for n in names[:-1]} | {names[-1]: J[names[-1]] @ half}

    return symmetrised


@pytest.mark.parametrize("name", ["gaussian", "mahalanobis"])
def test_of_a_covariance(name: str) -> None:
    operation = of_symmetric(getattr(jm, name))
    assert_operation_laws(
        operation, [X, mean, S], axes=(0, None, None), out_axis=0, directions=1, coordinates=0, integers=False
    )
    value, J = getattr(jm, name)(X[0], mean, S)

    def twin(x: Any, m: Any, cov: Any) -> Any:
        return getattr(twins, name)(x, m, (cov + cov.T) / 2)

    arrays = [X[0], mean, S]
    assert float(value) == pytest.approx(float(twins.value(twin, arrays)[0]), rel=1e-13)
    for i, wrt in enumerate(J):
        np.testing.assert_allclose(J[wrt].to_dense(), twins.jacobian(twin, arrays, i), rtol=1e-12, atol=1e-13)


def test_a_likelihood_by_its_covariance_and_by_its_factor_are_one() -> None:
    value, J = jm.gaussian(X, mean, S)
    by_factor, K = jm.gaussian_by_cholesky(X, mean, L)
    np.testing.assert_allclose(value, by_factor, rtol=1e-13)
    _, factor = jm.cholesky(S)
    np.testing.assert_allclose((K.L @ factor).to_dense(), J.S.to_dense(), atol=1e-13)


def test_numpy_agrees() -> None:
    np.testing.assert_allclose(jm.covariance(X)[0], np.cov(X.T), rtol=1e-13)
    np.testing.assert_allclose(jm.correlation(X)[0], np.corrcoef(X.T), rtol=1e-13)


def test_a_covariance_of_large_numbers_keeps_its_digits() -> None:
    far = (X + 1e8).astype(np.float64)
    np.testing.assert_allclose(jm.covariance(far)[0], jm.covariance(far - 1e8)[0], rtol=1e-12)


def test_refusals() -> None:
    with pytest.raises(ShapeError, match=r"quadratic: x has shape \(3,\), A has \(2, 2\), y has \(3,\); expected A of"):
        jm.quadratic(np.ones(3), np.eye(2))
    with pytest.raises(
        ShapeError, match=r"bilinear: x has shape \(4, 3\), y has \(3, 2\); there must be as many of each"
    ):
        jm.bilinear(X, A, Y[:3])
    with pytest.raises(
        ShapeError, match=r"normalise: x has shape \(2, 2, 2\); expected one vector, or a batch of them"
    ):
        jm.normalise(np.ones((2, 2, 2)))
    with pytest.raises(
        DomainError, match=r"covariance: X has shape \(1, 3\), 1 example .*with ddof=1 there must be more"
    ):
        jm.covariance(np.ones((1, 3)))
    with pytest.raises(ShapeError, match=r"covariance: X has shape \(3,\); expected a batch of vectors"):
        jm.covariance(np.ones(3))
    with pytest.raises(DomainError, match="correlation: feature 1 has no variance, so no correlation; leave it out"):
        jm.correlation([[1.0, 2.0], [3.0, 2.0]])
    with pytest.raises(
        ShapeError, match=r"gaussian: X has shape \(4, 3\), mean has \(2,\), S has \(3, 3\); expected vect"
    ):
        jm.gaussian(X, mean[:2], S)
    with pytest.raises(
        DomainError, match=r"gaussian: S is not symmetric: S\[0, 1\] = 1, S\[1, 0\] = 0; take symmetrised\(S\)"
    ):
        jm.gaussian(np.ones(2), np.ones(2), [[1.0, 1.0], [0.0, 1.0]])
    with pytest.raises(DomainError, match=r"gaussian: S \(2, 2\) is not positive definite: pivot 1 is -3"):
        jm.gaussian(np.ones(2), np.ones(2), [[1.0, 2.0], [2.0, 1.0]])
    with pytest.raises(
        DomainError, match=r"gaussian_by_cholesky: L\[1, 1\] is -1; the diagonal of a Cholesky factor is"
    ):
        jm.gaussian_by_cholesky(np.ones(2), np.ones(2), np.diag([1.0, -1.0]))
    d, J = jm.mahalanobis(np.ones(2), np.ones(2), np.eye(2))
    assert d == 0
    with pytest.raises(DomainError, match="mahalanobis: vector 0 is the mean, where the distance has a kink"):
        _ = J.mean
