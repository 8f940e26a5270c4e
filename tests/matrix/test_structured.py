"""vech, skew and their kin in both vec orders, the named matrices, and the two gradients of a symmetric matrix."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from jacobians import matrix as jm
from jacobians.errors import LayoutError, ShapeError
from jacobians.layout import Layout, Order, vec
from jacobians.operations import Operation
from jacobians.testing import assert_operation_laws

ORDERS: tuple[Order, Order] = ("C", "F")
N = 4
rng = np.random.default_rng(0)


def places(order: Order, diagonal: bool = True) -> list[tuple[int, int]]:
    """The entries on and below the diagonal, rows or columns one after the other."""
    found = [(i, j) for i in range(N) for j in range(N) if j < i + diagonal]
    return found if order == "C" else sorted(found, key=lambda place: place[::-1])


def placed(x: np.ndarray, order: Order, mirrored: float, diagonal: bool = True) -> np.ndarray:
    """A matrix with x below the diagonal and a multiple of it above."""
    out = np.zeros((N, N))
    for number, (i, j) in zip(x, places(order, diagonal), strict=True):
        out[j, i] = mirrored * number
        out[i, j] = number
    return out


BY_VECTOR: dict[str, tuple[type[Operation], int, Callable[[np.ndarray, Order], np.ndarray]]] = {
    "unvech": (jm.Unvech, 10, lambda x, order: placed(x, order, 1.0)),
    "triangular": (jm.Triangular, 10, lambda x, order: placed(x, order, 0.0)),
    "skew": (jm.Skew, 6, lambda x, order: placed(x, order, -1.0, diagonal=False)),
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", BY_VECTOR)
def test_matrices_of_a_vector(name: str, order: Order) -> None:
    kind, size, by_hand = BY_VECTOR[name]
    operation, x = kind(Layout(vec=order)), rng.normal(size=size)
    twin = np.stack([by_hand(column, order).ravel() for column in np.eye(size)], axis=1)
    np.testing.assert_array_equal(operation(x)[0], by_hand(x, order))
    assert_operation_laws(operation, [x], twins={"x": twin}, directions=1, coordinates=0)
    assert_operation_laws(operation, [rng.normal(size=(3, size))], axes=(0,), out_axis=0, directions=1, coordinates=0)


@pytest.mark.parametrize("order", ORDERS)
def test_vech(order: Order) -> None:
    A = rng.normal(size=(N, N))
    value, J = jm.vech(A, Layout(vec=order))
    assert value.tolist() == [A[place] for place in places(order)]
    assert_operation_laws(jm.Vech(Layout(vec=order)), [A], directions=1, coordinates=0)
    x, _ = jm.unvech(value, Layout(vec=order))
    np.testing.assert_array_equal(x, np.tril(A) + np.tril(A, -1).T)
    assert J.order == order


@pytest.mark.parametrize("order", ORDERS)
def test_orthogonal_matrices(order: Order) -> None:
    x = rng.normal(size=6)
    Q, _ = jm.orthogonal(x, Layout(vec=order))
    np.testing.assert_allclose(Q @ Q.T, np.eye(N), atol=1e-14)
    assert_operation_laws(jm.Orthogonal(Layout(vec=order)), [x], directions=1, coordinates=0, integers=False)


@pytest.mark.parametrize("order", ORDERS)
def test_duplication_elimination_and_commutation_are_the_books(order: Order) -> None:
    """Magnus & Neudecker 2019, ch. 3: what the three matrices are defined by, and theorem 12 (a) and (b)."""
    D, L = (made(N, order).to_dense() for made in (jm.duplication, jm.elimination))
    K = jm.commutation(N, N, order).to_dense()
    A = rng.normal(size=(N, N))
    S = A + A.T
    half = np.array([S[place] for place in places(order)])
    np.testing.assert_array_equal(D @ half, vec(S, order))
    np.testing.assert_array_equal(L @ vec(S, order), half)
    np.testing.assert_array_equal(K @ vec(A, order), vec(A.T, order))
    np.testing.assert_array_equal(L @ D, np.eye(10))
    np.testing.assert_array_equal(K @ D, D)
    np.testing.assert_allclose(D @ np.linalg.pinv(D), (np.eye(16) + K) / 2, atol=1e-14)


def test_the_two_gradients_of_a_symmetric_matrix() -> None:
    """By the entries on and below the diagonal G + Gᵀ − G∘I; within the symmetric matrices (G + Gᵀ)/2."""
    C = rng.normal(size=(N, N))
    S, D = jm.unvech(rng.normal(size=10))
    _, by_all = jm.bilinear(np.ones(N), C * S, np.ones(N))
    G = C * by_all.A.gradient  # of Σ C∘S by S
    from jacobians.linops import Dense

    full = G + G.T - G * np.eye(N)
    np.testing.assert_allclose((Dense(G) @ D).gradient, full[np.tril_indices(N)])
    _, sym = jm.symmetrised(S)
    np.testing.assert_allclose((Dense(G) @ sym).gradient, (G + G.T) / 2)


def test_the_hessian_of_logdet_and_the_fisher_information_of_a_covariance() -> None:
    """−(X⁻ᵀ ⊗ X⁻¹) K is the Jacobian of X⁻ᵀ; ½ Dᵀ (S⁻¹ ⊗ S⁻¹) D (Magnus & Neudecker 2019, ch. 15, section 3)."""
    from jacobians.linops import Commutation

    X = rng.normal(size=(3, 3)) + 3 * np.eye(3)
    Y, J = jm.inverse(X)
    hessian = Commutation(3, 3) @ J
    np.testing.assert_allclose(hessian.to_dense(), hessian.to_dense().T, atol=1e-15)
    K = Commutation(3, 3).to_dense()
    np.testing.assert_allclose(hessian.to_dense(), -np.kron(Y.T, Y) @ K, atol=1e-14)
    S = X @ X.T
    Si, J = jm.inverse(S)
    D = jm.duplication(3)
    fisher = (-0.5 * (D.T @ J.ordered("F") @ D)).to_dense()
    book = D.to_dense()
    np.testing.assert_allclose(fisher, book.T @ np.kron(Si, Si) @ book / 2, rtol=1e-12)


def test_refusals() -> None:
    with pytest.raises(
        ShapeError, match=r"unvech: x has 4 entries; a matrix of side n has n\(n \+ 1\)/2 of them, such"
    ):
        jm.unvech(np.ones(4))
    with pytest.raises(ShapeError, match=r"such as 3 or 6$"):
        jm.unvech(np.ones(4))
    with pytest.raises(
        ShapeError, match=r"skew: x has 4 entries; a matrix of side n has n\(n - 1\)/2 of them, such as 3 or"
    ):
        jm.skew(np.ones(4))
    with pytest.raises(ShapeError, match="toeplitz: x has 4 entries; a matrix of side n has 2n − 1 diagonals"):
        jm.toeplitz(np.ones(4))
    with pytest.raises(ShapeError, match=r"vech: A has shape \(2, 3\); expected a square matrix"):
        jm.vech(np.ones((2, 3)))
    with pytest.raises(ShapeError, match=r"diag: x has shape \(\); expected a vector, or a batch along leading axes"):
        jm.diag(1.0)
    with pytest.raises(LayoutError, match="order='B' is unknown"):
        jm.duplication(3, "B")  # type: ignore[arg-type]
