"""Kronecker."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from unittest import mock

import numpy as np
import pytest

from jacobians.errors import ArgumentError, DTypeError, ShapeError
from jacobians.linops import BatchedKronecker, Duplication, Elimination, Kronecker, kernels, kronecker
from tests.linops.comparing import draw, same


@pytest.mark.parametrize(
    ("left", "right", "name"), [((3,), (2, 2), "left"), ((2, 2), (2, 2, 2), "right"), ((), (2, 2), "left")]
)
def test_factors_are_matrices(left: tuple[int, ...], right: tuple[int, ...], name: str) -> None:
    message = rf"^Kronecker: the {name} factor has shape \(.*\); expected a matrix, or an identity's size$"
    with pytest.raises(ShapeError, match=message):
        Kronecker(np.ones(left), np.ones(right))


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda: Kronecker(-1, np.ones((2, 2))), "Kronecker: the left factor is -1"),
        (lambda: BatchedKronecker(np.ones((3, 2, 2)), -2), "BatchedKronecker: the right factor is -2"),
        (lambda: Duplication(-1), "Duplication: n is -1"),
        (lambda: Elimination("two"), "Elimination: n is the text 'two'"),
    ],
)
def test_a_size_is_a_whole_number(call: Callable[[], object], what: str) -> None:
    with pytest.raises(ArgumentError, match=f"^{what}; expected a whole number from 0 on$"):
        call()


def test_factors_are_real() -> None:
    with pytest.raises(DTypeError, match="Kronecker: right has dtype complex128"):
        Kronecker(2, np.ones((2, 2), complex))


def test_f_order_exchanges_the_factors() -> None:
    A, B = draw(2, 3), draw(5, 4)
    J = Kronecker(A, B)
    same(J.to_dense("C"), np.kron(A, B))
    same(J.to_dense("F"), np.kron(B, A))
    same(J.jvp(V := draw(3, 4)), A @ V @ B.T)


def test_identities_cost_and_store_nothing() -> None:
    assert Kronecker(np.int64(5), 3).structure == "Kronecker(I₅, I₃)"
    assert Kronecker(5, 3).nbytes == Kronecker(5, 3).flops == 0
    assert Kronecker(1000, draw(3, 2)).nbytes == 48
    assert Kronecker(10, draw(3, 2)).flops == 2 * 10 * 3 * 2


def test_flops_are_those_of_the_cheaper_side() -> None:
    """A V Bᵀ with A 1×90 and B 80×1: A V first leaves one row."""
    assert Kronecker(draw(1, 90), draw(80, 1)).flops == 2 * 90 + 2 * 80
    assert Kronecker(draw(90, 1), draw(1, 80)).flops == 2 * 80 + 2 * 90


def test_a_wider_factor_decides_the_dtype() -> None:
    J = Kronecker(draw(2, 2, dtype=np.float32), draw(2, 2))
    assert J.dtype == J.to_dense().dtype == J.to_sparse().dtype == J.diagonal().dtype == np.float64
    assert Kronecker(3, draw(2, 2, dtype=np.float32)).dtype == np.float32
    assert Kronecker(3, 2, np.float32).dtype == np.float32


def test_the_order_of_fewer_multiplications_is_taken() -> None:
    """A X Bᵀ in the order of fewer multiplications."""
    for p, n, q, r in itertools.product((1, 2, 3, 20), repeat=4):
        with mock.patch.object(kronecker, "matmul", side_effect=kernels.matmul) as products:
            Kronecker(draw(p, n), draw(r, q)).jvp(draw(n, q))
        spent = sum(left.size * right.shape[1] for left, right in (call.args for call in products.call_args_list))
        assert spent == min(p * n * q + p * q * r, n * q * r + p * n * r), f"{p}×{n} by {n}×{q} by {q}×{r}: {spent}"
