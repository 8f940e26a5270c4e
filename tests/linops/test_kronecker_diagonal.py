"""The dense matrix of Kronecker · diagonal · Kronecker, entry by entry, against products of the factors' matrices."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians.linops import Commutation, Diagonal, Identity, Kronecker

SIZES: dict[str, tuple[Any, Any]] = {
    "both": ((5, 2), (4, 3)),
    "left": ((5, 2), 3),
    "right": (2, (4, 3)),
    "neither": (2, 3),
}


def drawn(size: Any, rng: np.random.Generator) -> Any:
    return size if isinstance(size, int) else rng.normal(size=size)


@pytest.mark.parametrize("kind", SIZES)
@pytest.mark.parametrize("order", ["C", "F"])
def test_it_is_the_product_of_the_matrices(kind: str, order: Any) -> None:
    rng = np.random.default_rng(0)
    left = Kronecker(*(drawn(size, rng) for size in SIZES[kind]))
    middle, right = Diagonal(rng.normal(size=(2, 3))), Kronecker(rng.normal(size=(2, 6)), rng.normal(size=(3, 7)))
    expected = left.to_dense(order) @ middle.to_dense(order) @ right.to_dense(order)
    np.testing.assert_allclose((left @ middle @ right).to_dense(order), expected, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose((left @ middle @ right).T.to_dense(order), expected.T, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("kind", SIZES)
def test_of_a_function_of_a_symmetric_matrix_too(kind: str) -> None:
    rng = np.random.default_rng(1)
    A, B = SIZES[kind]
    square = Kronecker(*(drawn(size, rng) for size in (A, B)))
    right = Kronecker(rng.normal(size=(2, 4)), rng.normal(size=(3, 4)))
    symmetriser = Identity((4, 4)) + Commutation(4, 4)
    J = square @ Diagonal(rng.normal(size=(2, 3))) @ right @ symmetriser
    columns = [J.jvp(e.reshape(4, 4)).ravel() for e in np.eye(16)]
    np.testing.assert_allclose(J.to_dense("C"), np.stack(columns, axis=1), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("n", [0, 1, 3])
def test_functions_that_have_it(n: int) -> None:
    rng = np.random.default_rng(2)
    root = rng.normal(size=(n, n))
    for function in (jac.matrix.cholesky, jac.matrix.sqrtm):
        _, J = function(root @ root.T + np.eye(n))
        columns = [J.jvp(e.reshape(n, n)).ravel() for e in np.eye(n * n)]
        np.testing.assert_allclose(J.to_dense("C"), np.array(columns).reshape(n * n, n * n).T, atol=1e-13)
