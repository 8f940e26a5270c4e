"""Every rule of the algebra: what it merges to, and that it stores no more."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from jacobians.linops import (
    BlockDiagonal,
    BlockRow,
    Commutation,
    Denominator,
    Dense,
    Diagonal,
    Identity,
    Jacobian,
    KhatriRao,
    KhatriRaoSum,
    Kronecker,
    Product,
    Reshape,
    Scaled,
    Selection,
    Sparse,
    Sum,
    Transposed,
    Zero,
)
from tests.linops import makers as make
from tests.linops.cases import EVERY
from tests.linops.comparing import draw, same
from tests.linops.dense_twins import Numbers
from tests.linops.makers import Make

A = (3, 4)
WITHOUT_COLUMN = make.slices((EVERY, slice(1, None)), A)
WITHOUT_ROW = make.slices((slice(1, None), EVERY), A)
WITH_ZERO_COLUMN, WITH_ZERO_ROW = make.transposed(WITHOUT_COLUMN), make.transposed(WITHOUT_ROW)
BOTH = make.kronecker((2, 3), (5, 4))
BLOCKS, COLUMNS = make.blocks((3, 2, 4), (3, 2), A), make.blocks((4, 2, 3), (2, 4), A, -1)

RULES: list[tuple[str, Make, Make, type, str]] = [
    ("0 J", make.zero((2,), A), make.kronecker(3, (4, 4)), Zero, "Zero(3×4 to 2)"),
    ("J 0", make.kronecker((2, 3), 4), make.zero(A, (5,)), Zero, "Zero(5 to 2×4)"),
    ("I J", make.identity(*A), make.kronecker((3, 2), 4), Kronecker, "Kronecker(3×2, I₄)"),
    ("J I", make.sparse((5,), A), make.identity(*A), Sparse, "Sparse("),
    (
        "αF βG",
        make.scaled(2.0, make.diagonal(*A)),
        make.scaled(3.0, make.minus_outer(A, 0)),
        Scaled,
        "6·Diagonal(3×4) @",
    ),
    ("αF G", make.scaled(2.0, make.kronecker((2, 3), 4)), make.kronecker(3, (4, 5)), Scaled, "2·Kronecker(2×3, 4×5)"),
    ("F αG", make.kronecker((2, 3), 4), make.scaled(2.0, make.kronecker(3, (4, 5))), Scaled, "2·Kronecker(2×3, 4×5)"),
    (
        "αF β/α",
        make.scaled(2.0, make.kronecker(3, 4)),
        make.scaled(0.5, make.kronecker(3, 4)),
        Kronecker,
        "Kronecker(I₃, I₄)",
    ),
    (
        "J [G H]",
        make.diagonal(*A),
        make.block_row("F", make.diagonal(*A), make.kronecker(3, (4, 2))),
        BlockRow,
        "BlockRow[Diagonal(3×4), Diagonal(3×4) @ Kronecker(I₃, 4×2)]",
    ),
    ("diag diag", make.diagonal(*A), make.diagonal(*A), Diagonal, "Diagonal(3×4)"),
    ("K K", make.commutation(4, 3), make.commutation(3, 4), Identity, "Identity(3×4)"),
    ("reshape twice", make.reshape((2, 6), (12,)), make.reshape((12,), A), Reshape, "Reshape(3×4 to 2×6)"),
    ("reshape and back", make.reshape(A, (12,)), make.reshape((12,), A), Identity, "Identity(3×4)"),
    ("(A⊗B)(C⊗D)", BOTH, make.kronecker((3, 2), (4, 3)), Kronecker, "Kronecker(2×2, 5×3)"),
    ("(A⊗I)(I⊗D)", make.kronecker((7, 3), 4), make.kronecker(3, (4, 9)), Kronecker, "Kronecker(7×3, 4×9)"),
    ("(I⊗I)(C⊗I)", make.kronecker(3, 4), make.kronecker((3, 2), 4), Kronecker, "Kronecker(3×2, I₄)"),
    ("K (A⊗B)", make.commutation(2, 5), BOTH, Product, "Kronecker(5×4, 2×3) @ Commutation(3, 4)"),
    ("Bₙ Cₙ", BLOCKS, make.blocks((3, 4, 2), A, (3, 2)), BlockDiagonal, "BlockDiagonal(3 of 2×2)"),
    ("Bₙ diag", BLOCKS, make.diagonal(*A), BlockDiagonal, "BlockDiagonal(3 of 2×4)"),
    ("Bₙ diag, columns", COLUMNS, make.diagonal(*A), BlockDiagonal, "BlockDiagonal(4 of 2×3)"),
    ("diag Bₙ", make.diagonal(*A), make.blocks((3, 4, 2), A, (3, 2)), BlockDiagonal, "BlockDiagonal(3 of 4×2)"),
    (
        "diag Bₙ, columns",
        make.diagonal(*A),
        make.blocks((4, 3, 2), A, (2, 4), -1),
        BlockDiagonal,
        "BlockDiagonal(4 of 3×2)",
    ),
    (
        "diag Bₙ to one number",
        make.diagonal(3),
        make.blocks((3, 1, 4), (3,), A),
        BlockDiagonal,
        "BlockDiagonal(3 of 1×4)",
    ),
    ("Bₙ (I⊗W)", BLOCKS, make.kronecker(3, (4, 5)), BlockDiagonal, "BlockDiagonal(3 of 2×5)"),
    ("Bₙ (W⊗I), columns", COLUMNS, make.kronecker((3, 2), 4), BlockDiagonal, "BlockDiagonal(4 of 2×2)"),
    ("bₙ (X⊗I)", make.blocks((3, 1, 4), (3,), A), make.kronecker((3, 5), 4), KhatriRao, "KhatriRao(3×5, 3×4)"),
    ("Bₙ (X⊗I)", BLOCKS, make.kronecker((3, 5), 4), KhatriRao, "KhatriRao(3×1×5, 3×2×4)"),
    (
        "bₙ (I⊗X), columns",
        make.blocks((4, 1, 3), (4,), A, -1),
        make.kronecker(3, (4, 5)),
        KhatriRao,
        "KhatriRao(4×3, 4×5)",
    ),
    ("Bₙ (I⊗X), columns", COLUMNS, make.kronecker(3, (4, 5)), KhatriRao, "KhatriRao(2×4×3, 1×4×5)"),
    ("(A⊗B) placed columns", BOTH, WITH_ZERO_COLUMN, Kronecker, "Kronecker(2×3, 5×3)"),
    ("(A⊗B) placed rows", BOTH, WITH_ZERO_ROW, Kronecker, "Kronecker(2×2, 5×4)"),
    ("Bₙ placed", BLOCKS, WITH_ZERO_COLUMN, BlockDiagonal, "BlockDiagonal(3 of 2×3)"),
    ("Bₙ placed, columns", COLUMNS, WITH_ZERO_ROW, BlockDiagonal, "BlockDiagonal(4 of 2×2)"),
    ("l⊗r K", make.khatri_rao((5, 4), (5, 3)), make.commutation(3, 4), KhatriRao, "KhatriRao(5×3, 5×4)"),
    (
        "(l⊗r)(A⊗B)",
        make.khatri_rao((5, 3), (5, 4)),
        make.kronecker((3, 2), (4, 3)),
        KhatriRao,
        "KhatriRao(5×2, 5×3)",
    ),
    ("(l⊗r)(I⊗B)", make.khatri_rao((5, 3), (1, 4)), make.kronecker(3, (4, 2)), KhatriRao, "KhatriRao(5×3, 1×2)"),
    (
        "Σ(l⊗r)(A⊗I)",
        make.khatri_rao_sum((5, 2, 3), (5, 2, 4)),
        make.kronecker((3, 2), 4),
        KhatriRaoSum,
        "KhatriRaoSum(5×2×2, 5×2×4)",
    ),
    ("l⊗r placed", make.khatri_rao((5, 3), (5, 4)), WITH_ZERO_COLUMN, KhatriRao, "KhatriRao(5×3, 5×3)"),
    (
        "Σl⊗r placed",
        make.khatri_rao_sum((5, 2, 3), (5, 1, 4)),
        WITH_ZERO_ROW,
        KhatriRaoSum,
        "KhatriRaoSum(5×2×2, 5×2×4)",
    ),
    ("diag l⊗r", make.diagonal(5), make.khatri_rao((5, 3), (5, 4)), KhatriRao, "KhatriRao(5×3, 5×4)"),
    ("diag of one l, r", make.diagonal(5), make.khatri_rao((1, 3), (5, 4)), KhatriRao, "KhatriRao(1×3, 5×4)"),
    (
        "diag Σl⊗r",
        make.diagonal(5),
        make.khatri_rao_sum((5, 2, 4), (5, 2, 3)),
        KhatriRaoSum,
        "KhatriRaoSum(5×2×4, 5×2×3)",
    ),
    ("diag l⊗r of rank 2", make.diagonal(5, 2), make.khatri_rao((5, 1, 3), (5, 2, 4)), KhatriRao, "KhatriRao(5×1×3"),
    ("row J", make.dense((), A), make.kronecker(3, (4, 2)), Dense, "Row(3×2)"),
    ("J column", make.kronecker((2, 3), 4), make.dense(A, ()), Dense, "Dense(2×4)"),
]


def entries(operator: Jacobian) -> int:
    return sum({id(a): a.size for a in operator.arrays}.values())


@pytest.mark.parametrize(("name", "left", "right", "kind", "structure"), RULES, ids=[r[0] for r in RULES])
def test_rule(name: str, left: Make, right: Make, kind: type, structure: str) -> None:
    numbers = Numbers()
    (x, twin), (y, other) = left(numbers), right(numbers)
    merged = x @ y
    assert type(merged) is kind
    assert merged.structure.startswith(structure)
    assert entries(merged) <= entries(x) + entries(y)
    same(merged.to_dense(), twin @ other)


LAZY: list[tuple[str, Make, Make]] = [
    ("(A⊗I)(C⊗I) would grow", make.kronecker((9, 1), 4), make.kronecker((1, 9), 4)),
    ("Bₙ Cₙ would grow", make.blocks((3, 9, 1), (3, 9), (3, 1)), make.blocks((3, 1, 9), (3, 1), (3, 9))),
    ("Bₙ (I⊗W) would grow, one W for all", make.blocks((9, 1, 2), (9, 1), (9, 2)), make.kronecker(9, (2, 5))),
    ("blocks along other axes", BLOCKS, make.blocks((4, 3, 5), A, (5, 4), -1)),
    ("Bₙ of any rank", make.blocks((3, 2, 4), (3, 2), (3, 2, 2)), make.reshape((3, 2, 2), A)),
    ("Bₙ (A⊗B)", BLOCKS, make.kronecker((3, 5), (4, 2))),
    ("placed by an index", make.kronecker((2, 3), 4), make.transposed(make.gather([[0, 5], [7, 7]], A))),
    ("placed on the identity's side", make.kronecker((2, 3), 4), WITH_ZERO_COLUMN),
    ("examples placed", BLOCKS, WITH_ZERO_ROW),
    ("J [G H] would grow", make.kronecker((9, 2), 1), make.block_row("C", *[make.kronecker((2, 2), 1)] * 5)),
    ("diag (A⊗B)", make.diagonal(*A), make.kronecker((3, 2), (4, 5))),
    ("(I⊗B)(I⊗D) would grow", make.kronecker(4, (9, 1)), make.kronecker(4, (1, 9))),
    ("(l⊗r)(A⊗B) would grow", make.khatri_rao((9, 1), (9, 4)), make.kronecker((1, 9), (4, 4))),
    ("l⊗r placed by an index", make.khatri_rao((5, 3), (5, 4)), make.transposed(make.gather([[0, 5], [7, 7]], A))),
    ("diag of one l for all r", make.diagonal(5, 2), make.khatri_rao((5, 1, 3), (1, 2, 4))),
    ("Bₙ of rank 3 (X⊗I)", make.blocks((3, 4, 4), (3, 2, 2), (3, 4)), make.kronecker((3, 5), 4)),
    ("Bₙ of rank 3 (I⊗X)", make.blocks((4, 4, 3), (2, 2, 4), (3, 4), -1), make.kronecker(3, (4, 5))),
]


@pytest.mark.parametrize(("name", "left", "right"), LAZY, ids=[r[0] for r in LAZY])
def test_no_rule(name: str, left: Make, right: Make) -> None:
    numbers = Numbers()
    (x, twin), (y, other) = left(numbers), right(numbers)
    lazy = x @ y
    assert type(lazy) is Product
    assert entries(lazy) == entries(x) + entries(y)
    same(lazy.to_dense(), twin @ other)


WIDE: list[tuple[str, Jacobian, Jacobian]] = [
    ("I J", Identity(A), Kronecker(3, draw(4, 2, dtype=np.float32))),
    ("J I", Kronecker(draw(2, 3, dtype=np.float32), 4), Identity(A)),
    ("(A⊗I)(I⊗I)", Kronecker(draw(2, 3, dtype=np.float32), 4), Kronecker(3, 4)),
    ("l⊗r K", KhatriRao(draw(5, 4, dtype=np.float32), draw(5, 3, dtype=np.float32)), Commutation(3, 4)),
    ("(l⊗r)(I⊗I)", KhatriRao(draw(5, 4, dtype=np.float32), draw(5, 3, dtype=np.float32)), Kronecker(4, 3)),
    ("diag l⊗r", Diagonal(draw(5)), KhatriRao(draw(5, 4, dtype=np.float32), draw(5, 3, dtype=np.float32))),
    (
        "l⊗r placed",
        KhatriRao(draw(5, 3, dtype=np.float32), draw(5, 4, dtype=np.float32)),
        Selection((EVERY, slice(1, None)), A).T,
    ),
    ("placed", Kronecker(3, draw(5, 4, dtype=np.float32)), Selection((EVERY, slice(1, None)), A).T),
]


@pytest.mark.parametrize(("name", "left", "right"), WIDE, ids=[r[0] for r in WIDE])
def test_a_wider_dtype_is_not_lost_in_a_merge(name: str, left: Jacobian, right: Jacobian) -> None:
    assert (left @ right).dtype == np.float64
    assert (right.T @ left.T).dtype == np.float64
    assert (left @ right).to_dense().dtype == np.float64


def test_rules_touch_nothing_of_the_size_of_the_matrix() -> None:
    """Operators of 10⁵ × 10⁵ and more compose in a few megabytes."""
    n, k = 1000, 100
    square, wide, blocks = np.ones((k, k)), np.ones((n, k)), np.ones((n, 3, 3))
    tracemalloc.start()
    chain = Kronecker(n, square) @ Kronecker(n, square) @ Diagonal(wide) @ Diagonal(wide)
    turned = Commutation(n, k) @ Kronecker(n, square) @ Commutation(k, n)
    per_example = BlockDiagonal(np.ones((n, 1, k)), (n,), (n, k)) @ Kronecker(wide, k)
    spread = BlockDiagonal(blocks, (n, 3), (n, 3)) @ Diagonal(np.ones((n, 3))) @ BlockDiagonal(blocks, (n, 3), (n, 3))
    total = chain + Identity((n, k)) - 2 * chain
    transposed = (total @ chain).T
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20
    assert repr(chain).startswith("Kronecker(I₁₀₀₀, 100×100) @ Diagonal(1000×100): 100000×100000")
    assert turned.structure == "Kronecker(100×100, I₁₀₀₀)"
    assert type(per_example) is KhatriRao
    assert type(spread) is BlockDiagonal
    assert transposed.shape == (100_000, 100_000)


def test_a_commutation_travels_on_and_merges_behind() -> None:
    """B (K (A ⊗ I)) becomes one row-wise Kronecker product, as ((B K) (A ⊗ I)) does in value."""
    blocks, weights = draw(4, 1, 3), draw(4, 5)
    turned = Commutation(4, 3) @ Kronecker(weights, 3)
    row = BlockDiagonal(blocks, (4,), (3, 4), -1)
    assert type(row @ turned) is KhatriRao
    same((row @ turned).to_dense(), ((row @ Commutation(4, 3)) @ Kronecker(weights, 3)).to_dense())


def test_factors_that_cancel_leave_the_chain_whole() -> None:
    """2F · ½G is a chain of more than two factors where F is one, and none of them may be lost."""
    d, k = Diagonal(draw(3, 4)), Kronecker(draw(3, 3), draw(4, 4))
    chain = (2 * (k @ d @ k)) @ (0.5 * (d @ k))
    assert isinstance(chain, Product)
    assert len(chain.factors) == 5
    same(chain.to_dense(), (k @ d @ k @ d @ k).to_dense())


def test_chains_are_flat_and_multiples_stand_in_front() -> None:
    d, k = Diagonal(draw(3, 4)), Kronecker(draw(3, 3), draw(4, 4))
    chain = (d @ k) @ (3 * (d @ k)) @ (2 * (d @ k))
    assert chain.structure == "6·" + " @ ".join(["Diagonal(3×4)", "Kronecker(3×3, 4×4)"] * 3)
    sums = (k + d @ k) + (k + k)
    assert isinstance(sums, Sum)
    assert len(sums.terms) == 4


@pytest.mark.parametrize(
    ("left", "right", "kind"),
    [
        (Zero(A, A), Kronecker(3, draw(4, 4)), Kronecker),
        (Kronecker(3, draw(4, 4)), Zero(A, A), Kronecker),
        (Diagonal(draw(*A)), Diagonal(draw(*A)), Diagonal),
        (Dense(draw(*A)), Dense(draw(*A)), Dense),
        (Zero(A, A), Kronecker(3, draw(4, 4, dtype=np.float32)), Sum),
        (Identity(A), Diagonal(draw(*A)), Sum),
    ],
)
def test_sums_merge(left: Jacobian, right: Jacobian, kind: type) -> None:
    result = left + right
    assert type(result) is kind
    assert result.dtype == np.float64
    same(result.to_dense(), left.to_dense() + right.to_dense())


def test_multiples_are_taken_into_leaves_that_own_their_numbers() -> None:
    assert type(3 * Diagonal(draw(2))) is Diagonal
    assert type(3 * Dense(draw(2))) is Dense
    assert type(3 * Zero((2,), (2,))) is Zero
    assert (2 * (3 * Identity((2,)))).structure == "6·Identity(2)"
    assert (3 * Selection((EVERY,), (2,)).T).structure == "3·Selection([:] of 2)ᵀ"
    assert (2 * (Identity((2,)) + Diagonal(draw(2)))).structure == "2·(Identity(2) + Diagonal(2))"
    assert 1 * (kept := Identity((2,))) is kept
    assert type(2 * Denominator(Diagonal(draw(2)))) is Denominator


def test_transposed_selections_stay_one_leaf() -> None:
    kept = Selection((EVERY, slice(1, None)), A)
    assert type(kept.T) is Transposed
    assert type(kept.T.T) is Selection
    assert (kept @ kept.T).shape == (9, 9)


def test_one_row_for_each_example_is_merged_whatever_it_stores() -> None:
    row = make.blocks((9, 1, 2), (9,), (9, 2))(Numbers())[0] @ Kronecker(9, np.ones((2, 5)))
    assert type(row) is BlockDiagonal
    left, right = make.blocks((3, 1, 1), (3, 1), (3, 1)), make.blocks((3, 1, 5), (3, 1), (3, 5))
    assert type(left(Numbers())[0] @ right(Numbers())[0]) is BlockDiagonal


def test_a_factor_joins_a_row_of_blocks_or_is_applied_once_to_their_sum() -> None:
    kept = make.kronecker(3, (4, 4))(Numbers())[0] @ BlockRow((Identity(A),) * 2)
    assert type(kept) is BlockRow
    beside = BlockRow([make.kronecker((3, n), 4)(Numbers())[0] for n in (2, 5)])
    assert type(make.minus_outer(A, -1)(Numbers())[0] @ beside) is Product
