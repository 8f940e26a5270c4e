"""What merging stores, and when it is declined: at the very sizes where it would start to store more."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians.linops import BlockDiagonal, Dense, Diagonal, DirectSum, Identity, KhatriRao, Kronecker, Selection, Sum
from jacobians.linops.algebra import (
    _diagonal_block,
    _holds,
    _kronecker_product,
    _layer_rows,
    _scaled_blocks,
    _stored,
    _without_zeros,
)
from jacobians.linops.batch import blocks_and_inputs
from tests.linops.comparing import draw, same


def test_stored_counts_each_array_once() -> None:
    d = Diagonal(draw(3))
    assert _stored(d) == 3
    assert _stored(Sum((d, d))) == 3
    assert _stored(Identity((5,))) == 0


def test_a_wider_factor_is_not_held() -> None:
    wide, narrow = Identity((2,)), Identity((2,), np.float32)
    assert _holds(wide, np.dtype(np.float32))
    assert _holds(narrow, np.dtype(np.float32))
    assert not _holds(narrow, np.dtype(np.float64))


@pytest.mark.parametrize(("p", "r", "merges"), [(4, 2, True), (4, 4, True), (4, 5, False), (5, 5, False)])
def test_kronecker_product_at_the_limit(p: int, r: int, merges: bool) -> None:
    """AC has p·r entries, A and C have 2p + 2r."""
    assert (_kronecker_product(Kronecker(draw(p, 2), 3), Kronecker(draw(2, r), 3)) is not None) is merges


@pytest.mark.parametrize(("p", "r", "merges"), [(4, 4, True), (4, 5, False)])
def test_diagonal_block_at_the_limit(p: int, r: int, merges: bool) -> None:
    left = BlockDiagonal(draw(7, p, 2), (7, p), (7, 2))
    right = BlockDiagonal(draw(7, 2, r), (7, 2), (7, r))
    assert (_diagonal_block(left, right) is not None) is merges


@pytest.mark.parametrize(("count", "merges"), [(1, True), (2, True), (3, False)])
def test_one_matrix_for_all_blocks_at_the_limit(count: int, merges: bool) -> None:
    """Bₙ W has 2N entries; the Bₙ have N, and W has 2 for all of them."""
    left = BlockDiagonal(draw(count, 1, 1), (count, 1), (count, 1))
    assert (_layer_rows(left, Kronecker(count, draw(1, 2))) is not None) is merges


@pytest.mark.parametrize("axis", [0, -1])
def test_one_row_for_each_example_is_pushed_through_however_wide_the_layer(axis: int) -> None:
    """Per-example gradients of a net whose hidden layer is wider than its output stay in two factors."""
    n, k, h, d = 6, 2, 9, 4
    rows, hidden, data = ((n, k), (n, h), draw(n, d)) if axis == 0 else ((k, n), (h, n), draw(n, d))
    losses, W, slopes = BlockDiagonal(draw(n, 1, k), (n,), rows, axis), draw(k, h), Diagonal(draw(*hidden))
    back = Kronecker(n, W) if axis == 0 else Kronecker(W, n)
    last = Kronecker(data, h) if axis == 0 else Kronecker(h, data)
    chain = losses @ back @ slopes @ last
    assert type(chain) is KhatriRao
    assert np.allclose(chain.to_dense(), losses.to_dense() @ back.to_dense() @ slopes.to_dense() @ last.to_dense())


@pytest.mark.parametrize("axis", [0, -1])
def test_diagonals_are_taken_into_blocks(axis: int) -> None:
    """For examples of any rank, and for values that lie in columns."""
    codomain, domain = ((3, 2, 2), (3, 5)) if axis == 0 else ((2, 2, 3), (5, 3))
    blocks = BlockDiagonal(draw(3, 4, 5), codomain, domain, axis)
    d, e = Diagonal(np.asfortranarray(draw(*codomain))), Diagonal(np.asfortranarray(draw(*domain)))
    joined = _scaled_blocks(d, _diagonal_block(blocks, e))
    assert np.allclose(joined.to_dense(), np.diag(d.values.ravel()) @ blocks.to_dense() @ np.diag(e.values.ravel()))
    assert _stored(joined) == _stored(blocks)


def test_without_zeros_takes_whole_rows_or_columns_only() -> None:
    left = Kronecker(draw(2, 3), draw(5, 4))
    every, tail = slice(None), slice(1, None)
    assert _without_zeros(left, Selection((every, tail), (3, 4))).structure == "Kronecker(2×3, 5×3)"
    assert _without_zeros(left, Selection((tail, every), (3, 4))).structure == "Kronecker(2×2, 5×4)"
    assert _without_zeros(left, Selection((tail, tail), (3, 4))) is None
    assert _without_zeros(left, Selection(np.arange(12).reshape(3, 4), (3, 4))) is None
    assert _without_zeros(Kronecker(draw(2, 3), 4), Selection((every, tail), (3, 4))) is None
    flat = BlockDiagonal(draw(3, 2, 1), (3, 2), (3,))
    assert _without_zeros(flat, Selection((tail,), (3,))) is None


def test_merges_taken_back() -> None:
    """Rows (row i of Bₙ) ⊗ xₙ as blocks and inputs again, in rows, in columns and one each; other rows are none."""
    for left, right in (((5, 3), (5, 4)), ((5, 1, 3), (5, 2, 4)), ((2, 5, 3), (1, 5, 4))):
        rows = KhatriRao(draw(*left), draw(*right, seed=2))
        parts = blocks_and_inputs(rows)
        assert parts is not None, f"{rows.structure} is not taken back"
        same(parts[0].to_dense() @ parts[1].to_dense(), rows.to_dense(), what=rows.structure)
    neither = (
        ((1, 3), (4, 2)),
        ((5, 2, 3), (5, 2, 4)),
        ((1, 2, 3), (5, 1, 4)),
        ((5, 1, 3), (1, 2, 4)),
        ((5, 1, 2, 3), (5, 2, 2, 4)),
        ((2, 5, 2, 3), (1, 5, 2, 4)),
    )
    for left, right in neither:
        rows = KhatriRao(draw(*left), draw(*right, seed=2))
        assert blocks_and_inputs(rows) is None, f"{rows.structure} are no inputs behind blocks"


def test_direct_sums_merge_part_by_part() -> None:
    left = DirectSum([Kronecker(draw(2, 3), 2) for _ in range(4)], (4, 2, 2), (4, 3, 2))
    right = DirectSum([Kronecker(draw(3, 1), 2) for _ in range(4)], (4, 3, 2), (4, 1, 2))
    product = left @ right
    assert product.structure == "DirectSum(4 of Kronecker(2×1, I₂))"
    same(product.to_dense(), left.to_dense() @ right.to_dense())


def test_direct_sums_of_other_parts_do_not_merge() -> None:
    """Both have one part, but the second counts an axis among those of its examples that the first does not."""
    left = DirectSum([Dense(draw(2, 1, 3), (2,))], (1, 2), (1, 1, 3))
    right = DirectSum([Dense(draw(3, 2), (3,))], (1, 1, 3), (1, 1, 2))
    product = left @ right
    assert len(product._factors()) == 2
    same(product.to_dense(), left.to_dense() @ right.to_dense())
