"""SciPy's solvers take the operators as they are."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import scipy.linalg
from scipy.optimize import least_squares, lsq_linear, minimize, root
from scipy.sparse import csr_array
from scipy.sparse.linalg import aslinearoperator, cg, eigsh, gmres, lsmr, lsqr, svds

from jacobians import tanh
from jacobians.errors import ShapeError, TooLargeError
from jacobians.linops import Denominator, Diagonal, Identity, Jacobian, Kronecker
from tests.linops.comparing import draw, same


def chain(order: str) -> Jacobian:
    return (Diagonal(draw(6, 5)) @ Kronecker(6, draw(5, 3)) @ Diagonal(draw(6, 3))).ordered(order)


ORDERS = pytest.mark.parametrize("order", ["C", "F"])


@ORDERS
def test_conjugate_gradients_on_the_normal_equations(order: str) -> None:
    J, b = chain(order), draw(18)
    damped = J.T @ J + Identity((6, 3))
    x, info = cg(damped, b, rtol=1e-12)
    assert info == 0
    assert np.allclose(x, np.linalg.solve(J.to_dense().T @ J.to_dense() + np.eye(18), b))
    x, info = gmres(damped, b, rtol=1e-12)
    assert info == 0
    assert np.allclose(damped @ x, b)


@ORDERS
@pytest.mark.parametrize("solve", [lsqr, partial(lsmr, maxiter=500)], ids=["lsqr", "lsmr"])
def test_least_squares(order: str, solve: object) -> None:
    J, b = chain(order), draw(30)
    x = solve(J, b, atol=1e-14, btol=1e-14, conlim=0)[0]  # type: ignore[operator]
    assert np.allclose(x, np.linalg.lstsq(J.to_dense(), b)[0])


@ORDERS
@pytest.mark.parametrize("wrap", [lambda J: J, Denominator], ids=["numerator", "denominator"])
def test_singular_values(order: str, wrap: object) -> None:
    J = wrap(chain(order))  # type: ignore[operator]
    u, s, vt = svds(J, k=4, v0=np.ones(min(J.shape)))
    assert np.allclose(np.sort(s)[::-1], np.linalg.svd(J.to_dense(), compute_uv=False)[:4])
    assert np.allclose(J @ vt.T, u * s)


@ORDERS
def test_eigenvalues(order: str) -> None:
    J = chain(order)
    gram = J.T @ J
    values, vectors = eigsh(gram, k=3, v0=np.ones(18))
    assert np.allclose(values, np.linalg.eigvalsh(gram.to_dense())[-3:])
    assert np.allclose(gram @ vectors, vectors * values)


@ORDERS
def test_as_linear_operator(order: str) -> None:
    J = chain(order)
    wrapped = aslinearoperator(J)
    assert wrapped.shape == J.shape
    assert wrapped.dtype == J.dtype
    same(wrapped @ np.eye(18), J.to_dense())
    same(wrapped.H @ np.eye(30), J.to_dense().T)
    same(wrapped.T.matmat(np.ones((30, 1))), J.to_dense().T @ np.ones((30, 1)))
    same((wrapped @ wrapped.T).matvec(np.ones(30)), J.to_dense() @ J.to_dense().T @ np.ones(30))


# --- functions that take matrices ------------------------------------------------------------------------


@ORDERS
@pytest.mark.parametrize("wrap", [lambda J: J, Denominator], ids=["numerator", "denominator"])
def test_as_an_array(order: str, wrap: object) -> None:
    J = wrap(chain(order))  # type: ignore[operator]
    dense = J.to_dense()
    assert (J.ndim, np.ndim(J), np.shape(J), np.size(J)) == (2, 2, dense.shape, dense.size)
    for given in (np.asarray(J), np.array(J), np.array(J, copy=True), J.toarray(), np.atleast_2d(J)):
        assert given.dtype == J.dtype
        assert np.array_equal(given, dense)
    assert np.asarray(J, dtype=np.float32).dtype == np.float32
    assert np.array_equal(np.asarray(J, dtype=np.float32), dense.astype(np.float32))
    assert np.asarray(J) is not np.asarray(J)
    assert np.array_equal(np.stack([J, J]), [dense, dense])


def test_an_array_is_new_and_guarded() -> None:
    J = Diagonal(np.ones(3))
    np.asarray(J)[:] = 7
    assert np.array_equal(J.to_dense(), np.eye(3))
    with pytest.raises(ValueError, match=r"Diagonal\(3\) is no array yet, and cannot become one without a copy"):
        np.array(J, copy=False)
    for use in (np.asarray, lambda J: J.toarray(), lambda J: np.dot(J, np.ones(10**6))):
        with pytest.raises(TooLargeError, match=r"to_dense: Identity\(1000000\) is 1000000×1000000, 7.3 TiB dense"):
            use(Identity((10**6,)))


@ORDERS
def test_products_by_other_names(order: str) -> None:
    J, v = chain(order), draw(18)
    for given in (np.dot(J, v), J.dot(v), J.dot(list(v)), np.inner(J, v), np.einsum("ij,j", J, v)):
        same(given, J @ v)
    same(np.dot(draw(30), J), draw(30) @ J)
    same(J.dot(np.eye(18)), J.to_dense())
    inner = Identity((6, 3)).ordered(order)
    assert isinstance(J.dot(inner), Jacobian)
    same(np.dot(J, inner), J.to_dense())
    with pytest.raises(ShapeError, match=r"matmat: the matrix is 30×18 .*, the operand has shape \(\); expected"):
        J.dot(2.0)


def test_ufuncs_are_still_refused() -> None:
    """An entrywise function of a matrix is no Jacobian."""
    J = Diagonal(np.ones(3))
    for use in (np.sin, lambda J: np.add(J, np.eye(3)), lambda J: np.ones(3) * J, lambda J: np.matmul(J, np.eye(3))):
        with pytest.raises(TypeError):
            use(J)


@ORDERS
def test_dense_solvers(order: str) -> None:
    J, b = chain(order), draw(18)
    H = J.T @ J + Identity((6, 3))
    expected = np.linalg.solve(H.to_dense(), b)
    for solve in (np.linalg.solve, scipy.linalg.solve):
        same(solve(H, b), expected)
    same(np.linalg.svd(J)[1], np.linalg.svd(J.to_dense())[1])
    same(lsq_linear(J, draw(30)).x, np.linalg.lstsq(J.to_dense(), draw(30))[0])
    same(csr_array(J).toarray(), J.to_dense())


def target(x: np.ndarray) -> np.ndarray:
    return np.tanh(x) * 2 - 0.5


def slope(x: np.ndarray) -> Jacobian:
    return 2 * tanh(x)[1]


ROOT = np.full(3, np.arctanh(0.25))


@pytest.mark.parametrize("method", ["trf", "dogbox", "lm"])
def test_nonlinear_least_squares(method: str) -> None:
    assert np.allclose(least_squares(target, np.full(3, 0.5), jac=slope, method=method).x, ROOT)


@pytest.mark.parametrize("method", ["hybr", "lm"])
def test_roots(method: str) -> None:
    found = root(target, np.full(3, 0.5), jac=slope, method=method)
    assert found.success
    assert np.allclose(found.x, ROOT)


@pytest.mark.parametrize("method", ["trust-exact", "dogleg", "Newton-CG", "trust-ncg", "trust-krylov"])
def test_minima(method: str) -> None:
    def fun(x: np.ndarray) -> tuple[float, np.ndarray]:
        return float(np.sum(np.log(np.cosh(x - 1)))), np.tanh(x - 1)

    def hess(x: np.ndarray) -> Jacobian:
        return tanh(x - 1)[1]

    ways: list[dict[str, object]] = [{"hess": hess}]
    if method in ("Newton-CG", "trust-ncg", "trust-krylov"):
        ways.append({"hessp": lambda x, v: hess(x) @ v})
    for way in ways:
        found = minimize(fun, np.full(3, 0.5), jac=True, method=method, **way)
        assert found.success
        assert np.allclose(found.x, 1.0, atol=1e-6)
