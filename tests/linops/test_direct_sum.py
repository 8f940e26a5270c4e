"""`DirectSum`: what it refuses, its blocks, and what it becomes where examples are few or none."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians.errors import ShapeError
from jacobians.linops import BlockDiagonal, Dense, DirectSum, Kronecker

rng = np.random.default_rng(0)


def test_blocks_are_the_parts_multiplied_out() -> None:
    parts = [Kronecker(rng.normal(size=(2, 3)), rng.normal(size=(4, 1))) for _ in range(3)]
    blocks = DirectSum(parts, (3, 2, 4), (3, 3, 1)).block_diagonal()
    assert isinstance(blocks, BlockDiagonal)
    for block, part in zip(blocks.blocks, parts, strict=True):
        np.testing.assert_array_equal(block, np.kron(part.left, part.right))


def test_parts_of_several_dtypes_have_the_wider() -> None:
    narrow, wide = Dense(np.ones((2, 3), np.float32), (2,)), Dense(np.ones((2, 3)), (2,))
    assert DirectSum([narrow, wide], (2, 2), (2, 3)).dtype == np.float64


@pytest.mark.parametrize(
    ("parts", "codomain", "domain"),
    [
        ([Dense(np.ones((2, 3)), (2,))], (2, 2), (2, 3)),
        ([Dense(np.ones((2, 3)), (2,)), Dense(np.ones((2, 4)), (2,))], (2, 2), (2, 3)),
        ([Dense(np.ones((2, 3)), (2,))] * 2, (2, 3), (2, 3)),
    ],
)
def test_parts_that_do_not_fit(parts: list[Dense], codomain: tuple[int, ...], domain: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=r"DirectSum: \d parts, the first of which maps \(3,\) to \(2,\), do not map"):
        DirectSum(parts, codomain, domain)


def test_nothing_maps_nothing_only() -> None:
    assert DirectSum((), (0, 2), (0, 3)).to_dense().shape == (0, 0)
    with pytest.raises(ShapeError, match=r"DirectSum: no part was given to map \(1, 3\) to \(1, 2\)"):
        DirectSum((), (1, 2), (1, 3))
