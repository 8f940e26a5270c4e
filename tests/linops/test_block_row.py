"""BlockRow."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from unittest import mock

import numpy as np
import pytest

from jacobians.errors import LayoutError, ShapeError
from jacobians.layout import vec
from jacobians.linops import (
    BlockRow,
    Denominator,
    Dense,
    Diagonal,
    DiagonalMinusOuter,
    Identity,
    Kronecker,
    Product,
    Transposed,
)
from jacobians.linops.unrolling import c_index_of_f
from tests.linops.comparing import draw, same


def test_codomains_must_agree() -> None:
    with pytest.raises(ShapeError, match=r"^BlockRow: the blocks' codomains must agree; got \["):
        BlockRow((Identity((2,)), Identity((3,))))


def test_vec_is_an_order() -> None:
    with pytest.raises(LayoutError, match=r"^BlockRow's vec: order='rows' is unknown; choose 'C' or 'F'$"):
        BlockRow((Identity((2,)),), vec="rows")  # type: ignore[arg-type]


def test_blocks_are_in_numerator_layout() -> None:
    message = r"^BlockRow: number 1 is in denominator layout; take Denominator\(BlockRow\(…\)\) of its numerator$"
    with pytest.raises(LayoutError, match=message):
        BlockRow((Identity((2,)), Denominator(Dense(draw(2, 2), (2,)))))


def test_the_blocks_share_one_vec_order() -> None:
    c, f, free = Identity((2, 2)).ordered("C"), Diagonal(draw(2, 2)).ordered("F"), Identity((2, 2))
    assert BlockRow((free, f)).order == "F"
    assert BlockRow((free, free)).order is None
    with pytest.raises(LayoutError, match="give every operation the same layout"):
        BlockRow((c, f))


@pytest.mark.parametrize("packing", ["C", "F"])
@pytest.mark.parametrize("view", ["C", "F"])
def test_vec_does_not_change_with_the_view(packing: Any, view: Any) -> None:
    W, b, delta = draw(4, 2), draw(2, seed=2), draw(3, 2, seed=3)
    X = draw(3, 4, seed=4)
    row = BlockRow((Kronecker(X, 2), Kronecker(np.ones((3, 1)), 2)), packing)
    tangent = np.concatenate([vec(W, packing), b])
    same(row.jvp(tangent), X @ W + b)
    same(row.vjp(delta), np.concatenate([vec(X.T @ delta, packing), delta.sum(axis=0)]))
    same(row.to_dense(view) @ tangent, vec(X @ W + b, view))
    same((Dense(delta) @ row).gradient, row.vjp(delta))


def test_a_factor_on_the_left_is_spread_over_the_blocks() -> None:
    row = BlockRow((Kronecker(draw(3, 4), 2), Diagonal(draw(3, 2))), "F").ordered("F")
    joined = Diagonal(draw(3, 2)).ordered("F") @ row
    assert joined.structure == "BlockRow[Diagonal(3×2) @ Kronecker(3×4, I₂), Diagonal(3×2)]"
    assert joined.vec == "F"
    assert joined.order == "F"


def test_one_order_for_the_view_though_the_blocks_have_another() -> None:
    row = BlockRow((Identity((2, 2)).ordered("F"), Diagonal(draw(2, 2)).ordered("F"))).ordered("C")
    assert (Diagonal(draw(2, 2)).ordered("C") @ row).order == "C"


def watch(action: Callable[..., np.ndarray], used: list[object]) -> Callable[..., np.ndarray]:
    """The action, noting whose it is."""

    def noted(self: object, value: np.ndarray) -> np.ndarray:
        used.append(self)
        return action(self, value)

    return noted


def test_shared_factors_are_applied_once() -> None:
    """Blocks that begin with the same factors send one tangent, and one cotangent, through them."""
    first, second = Kronecker(3, draw(4, 2)), Diagonal(draw(3, 2))
    ends = Kronecker(draw(3, 5), 2), Kronecker(np.ones((3, 1)), 2)
    blocks = (Product((first, second, ends[0])), Product((first, second, ends[1])), Product((first, second)), first)
    row = BlockRow((*blocks, Kronecker(draw(3, 6), 4)), "F")
    twin = np.hstack([b.to_dense()[:, c_index_of_f(b.domain)] for b in row.blocks])
    tangent, cotangent = draw(2, row.domain[0]), draw(2, 3, 4)
    for action, call, expected in (
        ("_jvp", lambda: row.jvp(tangent), (tangent @ twin.T).reshape(2, 3, 4)),
        ("_vjp", lambda: row.vjp(cotangent), cotangent.reshape(2, 12) @ twin),
    ):
        used: list[object] = []
        with ExitStack() as watched:
            for kind in (Kronecker, Diagonal):
                watched.enter_context(mock.patch.object(kind, action, watch(getattr(kind, action), used)))
            same(call(), expected)
        assert len(used) == len({id(f) for f in used}) == 5
    flops = sum(f.flops for f in (first, second, *ends, row.blocks[-1]))
    assert row.flops == flops + 12 + 2 * 6 + 6  # one sum of two terms at the output, of two before W, of three before d


def test_a_factor_that_merges_with_no_block_stays_one() -> None:
    row = BlockRow((Kronecker(draw(3, 4), 2), Kronecker(np.ones((3, 1)), 2)))
    softmax = DiagonalMinusOuter(*(draw(3, 2, seed=s) for s in (1, 2, 3)), axis=-1)
    joined = softmax @ row
    assert isinstance(joined, Product)
    assert joined.factors == (softmax, row)
    whole = row.T @ softmax @ row
    assert [type(f) for f in whole._factors()] == [Transposed, DiagonalMinusOuter, BlockRow]
