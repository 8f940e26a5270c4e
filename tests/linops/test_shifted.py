"""Sums with multiples of the identity: which term holds them, in which dtype, and where none does."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians.linops import Dense, DirectSum, Identity, Jacobian, Kronecker, Sum
from jacobians.linops.shifted import folded, plus_identity

A, B = np.array([[2.0, 1.0], [0.0, 3.0]]), np.array([[1.0, 2.0], [3.0, 5.0]])


@pytest.mark.parametrize(
    ("jacobian", "structure"),
    [
        (Kronecker(A, 2) + Kronecker(2, B) + 0.5 * Identity((2, 2)), "Kronecker(2×2, I₂) + Kronecker(I₂, 2×2)"),
        (Kronecker(A, B) + Identity((2, 2)) + Kronecker(2, B), "Kronecker(2×2, 2×2) + Kronecker(I₂, 2×2)"),
        (Kronecker(A, B) + Identity((2, 2)), "Kronecker(2×2, 2×2) + Identity(2×2)"),
        (
            DirectSum([Kronecker(A, B)], (1, 2, 2), (1, 2, 2)) + Identity((1, 2, 2)),
            "DirectSum(1 of Kronecker(2×2, 2×2)) + Identity",
        ),
        (Identity(2) + 2.0 * Identity(2), "3·Identity(2)"),
    ],
)
def test_the_first_term_that_holds_them_takes_them(jacobian: Jacobian, structure: str) -> None:
    assert isinstance(jacobian, Sum)
    found = folded(jacobian)
    assert found.structure.startswith(structure)
    np.testing.assert_allclose(found.to_dense(), jacobian.to_dense())


def test_nothing_is_folded_into_a_map_between_two_shapes() -> None:
    between = Sum((Dense(np.ones((2, 3)), (2,)), Dense(np.ones((2, 3)), (2,))))
    assert folded(between) is between


def test_the_dtype_is_that_of_the_sum() -> None:
    narrow = Kronecker(A.astype(np.float32), 2)
    for dtype in (np.float32, np.float64):
        found = plus_identity(narrow, np.asarray(0.5, dtype))
        assert found is not None
        assert found.dtype == (narrow + Identity((2, 2), dtype)).dtype == dtype
