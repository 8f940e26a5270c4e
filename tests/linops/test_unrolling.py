"""Unrolling stacks of arrays, in both orders."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians.errors import LayoutError
from jacobians.linops.unrolling import c_index_of_f, known_order, roll, unroll
from tests.linops.dense_twins import permutation

SHAPES = [(), (3,), (2, 3), (2, 3, 4), (2, 0)]


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("shape", SHAPES)
def test_roll_is_vec_of_each_and_unroll_its_inverse(shape: tuple[int, ...], order: str) -> None:
    stack = np.arange(5 * int(np.prod(shape))).reshape(5, *shape)
    rolled = roll(stack, shape, order)
    assert np.array_equal(rolled, [a.flatten(order) for a in stack])
    assert np.array_equal(unroll(rolled, shape, order), stack)


@pytest.mark.parametrize("shape", SHAPES)
def test_c_index_of_f_is_the_permutation(shape: tuple[int, ...]) -> None:
    entries = np.arange(float(np.prod(shape)))
    assert np.array_equal(entries[c_index_of_f(shape)], permutation(shape) @ entries)


def test_known_order() -> None:
    assert known_order("F", "vec") == "F"
    with pytest.raises(LayoutError, match=r"^vec: order='A' is unknown; choose 'C' or 'F'$"):
        known_order("A", "vec")
