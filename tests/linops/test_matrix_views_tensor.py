"""`J.tensor()`: the examples 5.9 to 5.13 of *Mathematics for Machine Learning* (Deisenroth, Faisal, Ong 2020)."""

from __future__ import annotations

import numpy as np
import pytest

import jacobians as jac
from jacobians.errors import TooLargeError
from jacobians.layout import Layout
from jacobians.linops import Denominator, Kronecker

rng = np.random.default_rng(0)
A, x = rng.normal(size=(2, 3)), rng.normal(size=3)


def test_of_a_vector_by_a_vector() -> None:
    """Example 5.9: d(Ax)/dx = A."""
    _, J = jac.matmul(A, x.reshape(3, 1))
    np.testing.assert_array_equal(J.B.tensor().reshape(2, 3), A)


def test_of_a_chain() -> None:
    """Example 5.10: h(t) = exp(x₁x₂²) with x = (t cos t, t sin t)."""
    t = 0.7
    (T,) = jac.values(t=np.array(t))
    x1, x2 = T * np.cos(T), T * np.sin(T)
    h = np.exp(x1 * x2**2)
    a, b = t * np.cos(t), t * np.sin(t)
    expected = np.exp(a * b**2) * (b**2 * (np.cos(t) - t * np.sin(t)) + 2 * a * b * (np.sin(t) + t * np.cos(t)))
    assert float(h.jacobian(T).tensor()) == pytest.approx(expected)


def test_of_a_least_squares_loss() -> None:
    """Example 5.11: ‖y − Φθ‖² has the derivative −2 (y − Φθ)ᵀ Φ by θ."""
    Phi, y = rng.normal(size=(4, 3)), rng.normal(size=4)
    (theta,) = jac.values(theta=x)
    e = y - Phi @ theta
    np.testing.assert_allclose((e @ e).jacobian(theta).tensor(), -2 * (y - Phi @ x) @ Phi)


def test_of_a_vector_by_a_matrix() -> None:
    """Example 5.12: ∂(Ax)ᵢ/∂Aₖⱼ is xⱼ where i = k, else 0."""
    _, J = jac.matmul(A, x.reshape(3, 1))
    tensor = J.A.tensor()
    assert tensor.shape == (2, 1, 2, 3)
    for i in range(2):
        for k in range(2):
            np.testing.assert_array_equal(tensor[i, 0, k], x if i == k else 0 * x)


@pytest.mark.parametrize("layout", [Layout(), Layout(vec="F", derivative="denominator")])
def test_of_a_matrix_by_a_matrix(layout: Layout) -> None:
    """Example 5.13: ∂(RᵀR)/∂R is the same array of four axes in every layout."""
    R = rng.normal(size=(3, 2))
    _, J = jac.matrix.gram(R, layout=layout)
    tensor = J.tensor()
    assert tensor.shape == (2, 2, 3, 2)
    for p, q, i, j in np.ndindex(2, 2, 3, 2):
        assert tensor[p, q, i, j] == pytest.approx((j == p) * R[i, q] + (j == q) * R[i, p], abs=1e-15)


def test_a_tensor_is_new_writable_and_guarded() -> None:
    J = Kronecker(A, 2)
    first = J.tensor()
    first[...] = 0
    np.testing.assert_array_equal(J.tensor(), Denominator(J).tensor())
    assert J.tensor().any()
    with pytest.raises(TooLargeError, match="to_dense"):
        J.tensor(limit=8)
