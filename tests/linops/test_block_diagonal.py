"""BlockDiagonal."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians.errors import ShapeError
from jacobians.linops import BlockDiagonal
from tests.linops.tools import draw, same


@pytest.mark.parametrize(
    ("blocks", "codomain", "domain", "axis"),
    [
        ((4, 2, 3), (4, 3), (4, 2), 0),
        ((4, 2, 3), (4, 2), (4, 3), -1),
        ((4, 2, 3), (2, 4), (3, 4), 0),
        ((4, 2, 3), (4, 2), (4, 3), 1),
        ((4, 2, 3), (), (4, 3), 0),
        ((2, 3), (2,), (2, 3), 0),
        ((4, 2, 3), (5, 2), (4, 3), 0),
    ],
)
def test_blocks_and_shapes_must_fit(
    blocks: tuple[int, ...], codomain: tuple[int, ...], domain: tuple[int, ...], axis: int
) -> None:
    message = (
        r"^BlockDiagonal: blocks \(.*\) do not map \(.*\) to \(.*\) with examples along axis -?\d; expected \(N, out"
    )
    with pytest.raises(ShapeError, match=message):
        BlockDiagonal(np.ones(blocks), codomain, domain, axis)


@pytest.mark.parametrize("axis", [0, -1])
def test_permuting_examples_permutes_rows(axis: int) -> None:
    turn = [2, 0, 3, 1]
    blocks, x = draw(4, 2, 3), draw(4, 3)
    given = x if axis == 0 else x.T
    shapes = ((4, 2), (4, 3)) if axis == 0 else ((2, 4), (3, 4))
    image = BlockDiagonal(blocks, *shapes, axis).jvp(given)
    turned = BlockDiagonal(blocks[turn], *shapes, axis).jvp(np.take(given, turn, axis))
    same(turned, np.take(image, turn, axis))


def test_a_batch_splits() -> None:
    blocks, x = draw(4, 2, 3), draw(4, 3)
    parts = [BlockDiagonal(blocks[s], (2, 2), (2, 3)).jvp(x[s]) for s in (slice(2), slice(2, 4))]
    same(np.concatenate(parts), BlockDiagonal(blocks, (4, 2), (4, 3)).jvp(x))


def test_repr() -> None:
    assert repr(BlockDiagonal(np.ones((4, 2, 3)), (2, 4), (3, 4), -1)) == (
        "BlockDiagonal(4 of 2×3): 8×12 float64, (3, 4) → (2, 4), 192 B"
    )
