"""An expression of arrays' methods has the value that they have on arrays, and is as short as a reader writes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from jacobians.symbols.evaluate import evaluate
from jacobians.symbols.expressions import Eye, MatMul, Ones, Symbol, Transposed, Zeros
from jacobians.symbols.simplify import times, transposed

A, B, c = Symbol("A", (3, 2)), Symbol("B", (2, 3)), Symbol("c", (1, 3))
_NUMBERS = {s.name: np.random.default_rng(0).normal(size=s.dims) for s in (A, B, c)}

_METHODS: list[Callable[[Any, Any, Any], Any]] = [
    lambda A, B, c: A @ B + c,
    lambda A, B, c: c - (A @ B).T,
    lambda A, B, c: (A.T * B - B)[:, 1:],
    lambda A, B, c: (2 * A.reshape(6) / 4).sum(),
    lambda A, B, c: A.sum(axis=1, keepdims=True).T,
    lambda A, B, c: np.kron(A, B)[None, 2],
    lambda A, B, c: np.einsum("np,pn->np", A, B).swapaxes(0, 1),
    lambda A, B, c: np.concatenate([A, np.ones_like(A), np.zeros_like(A)], axis=1),
    lambda A, B, c: np.broadcast_to(c, (2, 3)) * B,
    lambda A, B, c: A.reshape(3, 1, 2).transpose(2, 1, 0)[..., 0],
]


@pytest.mark.parametrize("number", range(len(_METHODS)))
def test_methods_of_expressions_are_those_of_arrays(number: int) -> None:
    method = _METHODS[number]
    value = method(*_NUMBERS.values())
    expr = method(A, B, c)
    assert expr.shape == value.shape
    np.testing.assert_allclose(evaluate(expr, _NUMBERS), value, rtol=1e-14, atol=1e-14)


def test_identities_ones_and_zeros_drop() -> None:
    assert times(Eye(3), A) == A == times(A, Eye(2))
    assert A * Ones((3, 2)) == A == A + Zeros((3, 2))
    assert transposed(MatMul(A, B)) == MatMul(Transposed(B), Transposed(A))
    assert A.reshape(6).reshape(3, 2) == A
