"""SciPy's solvers take the operators as they are."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from scipy.sparse.linalg import aslinearoperator, cg, eigsh, gmres, lsmr, lsqr, svds

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
    u, s, vt = svds(J, k=4, rng=0)
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
    same(wrapped.T.matvec(np.ones((30, 1))), J.to_dense().T @ np.ones((30, 1)))
    same((wrapped @ wrapped.T).matvec(np.ones(30)), J.to_dense() @ J.to_dense().T @ np.ones(30))
