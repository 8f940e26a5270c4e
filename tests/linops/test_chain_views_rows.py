"""Norms and inner products of the rows of chains: right for every chain, and by structure where there is one."""

from __future__ import annotations

from functools import reduce
from operator import matmul
from unittest import mock

import numpy as np
import pytest

from jacobians.linops import BlockRow, Diagonal, Jacobian, KhatriRao, Kronecker, Product, Reshape, by_example
from jacobians.linops.matrix_views import MatrixViews
from jacobians.testing import assert_blocks, assert_gram, assert_row_norms
from tests.linops import makers as make
from tests.linops.comparing import draw, same
from tests.linops.composable_operators import BANK, chains, composable, entry
from tests.linops.dense_twins import Numbers
from tests.linops.makers import Make


def row_laws(operator: Jacobian, twin: np.ndarray) -> None:
    assert_row_norms(operator, matrix=twin)
    assert_gram(operator, matrix=twin)
    assert_blocks(operator, matrix=twin)


def rows_of(chain: list[int], dtype: str = "float64") -> None:
    """The laws of rows for the lazy product and for what the algebra makes of it."""
    operators, twins = zip(*(entry(place, dtype) for place in chain), strict=True)
    lazy, merged = Product(operators), operators[0]
    for operator in operators[1:]:
        merged = merged @ operator
    twin = np.linalg.multi_dot(twins)
    for operator in (lazy, merged):
        row_laws(operator, twin)


@pytest.mark.parametrize("place", range(len(BANK)), ids=[c.name for c in BANK])
def test_rows_of_every_pair_of_the_bank(place: int) -> None:
    for right in composable()[place]:
        rows_of([place, right])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_rows_of_longer_chains(dtype: str) -> None:
    for chain in [*chains(3, 80, seed=31), *chains(4, 20, seed=41)]:
        rows_of(chain, dtype)


# --- by structure --------------------------------------------------------------------------------------

X, W = (5, 3), (4, 2)  # 5 examples of 3 inputs; 2 nodes to 4 outputs
LAYER = make.product(make.minus_outer((5, 4), -1), make.kronecker(5, W), make.diagonal(5, 2), make.kronecker(X, 2))
MIRRORED = make.product(make.minus_outer((4, 5), 0), make.kronecker(W, 5), make.diagonal(2, 5), make.kronecker(2, X))
BY_STRUCTURE: dict[str, Make] = {
    "layer": LAYER,
    "layer, examples in columns": MIRRORED,
    "layer, one node a row": make.product(LAYER, make.commutation(2, 3)),
    "layer, unrolled": make.product(make.reshape((20,), (5, 4)), LAYER),
    "layer of two axes": make.product(make.reshape((5, 2, 2), (5, 4)), LAYER),
    "bias": make.product(make.kronecker(5, W), make.ones_column(5, 2), make.reshape((1, 2), (2,))),
    "activation of a layer": make.product(make.diagonal(5, 2), make.kronecker(X, 2)),
    "some of a layer's outputs": make.product(make.slices((slice(None), slice(1)), (5, 2)), make.kronecker(X, 2)),
    "later layers of two in one": make.product(
        make.minus_outer((5, 4), -1), make.kronecker(5, (4, 4)), make.diagonal(5, 4), make.kronecker(X, W)
    ),
    "two layers in one, examples in columns": make.product(make.minus_outer((4, 5), 0), make.kronecker(W, X)),
    "two layers in one": make.product(make.minus_outer((5, 4), -1), make.kronecker(X, W)),
    "parameters": make.block_row("F", LAYER, make.product(make.kronecker(5, W), make.ones_column(5, 2))),
    "per-example gradients": make.product(make.diagonal(5), make.khatri_rao((5, 3), (5, 2)), make.commutation(2, 3)),
}


def joined(make_one: Make) -> Make:
    """The same, multiplied as `@` does it: nested products are one flat chain."""

    def made(g: Numbers) -> tuple[Jacobian, np.ndarray]:
        operator, twin = make_one(g)
        return _joined(operator), twin

    return made


def _joined(operator: Jacobian) -> Jacobian:
    if isinstance(operator, BlockRow):
        return BlockRow(tuple(map(_joined, operator.blocks)), operator.vec)
    factors = operator._factors()
    return operator if len(factors) == 1 else reduce(matmul, map(_joined, factors))


@pytest.mark.parametrize("name", BY_STRUCTURE)
def test_no_row_of_the_whole_matrix_is_built(name: str) -> None:
    operator, twin = joined(BY_STRUCTURE[name])(Numbers())
    with (
        mock.patch.object(MatrixViews, "_norms_in_steps", side_effect=AssertionError("rows in steps")),
        mock.patch.object(MatrixViews, "_gram", side_effect=AssertionError("basis vectors")),
    ):
        assert_row_norms(operator, matrix=twin)
        if not name.startswith(("layer, unrolled", "layer of two", "some of")):
            assert_gram(operator, matrix=twin)


def test_steps_of_rows_are_put_together() -> None:
    """One row at a time, and all at once, give the same."""
    for name in BY_STRUCTURE:
        operator, twin = joined(BY_STRUCTURE[name])(Numbers())
        with mock.patch.object(by_example, "STEP_BYTES", 1):
            row_laws(operator, twin)
            same(operator._norms_in_steps(), operator.row_norms())
            same(MatrixViews._gram(operator), operator.gram("C"))


@pytest.mark.parametrize("last", [(4, 2), 4], ids=["A ⊗ B", "A ⊗ I"])
def test_a_chain_that_mixes_examples_has_no_rule(last: tuple[int, int] | int) -> None:
    mixed = make.product(make.blocks((5, 4, 4), (5, 4), (5, 4)), make.kronecker((5, 5), 4), make.kronecker(X, last))
    operator, twin = mixed(Numbers())
    row_laws(operator, twin)


def test_mixed_dtypes_widen() -> None:
    narrow, wide = draw(5, 3, dtype=np.float32), draw(5, 2)
    for operator in (Product((Diagonal(wide), Kronecker(narrow, 2))), Product((Kronecker(5, np.eye(2)),
                     Diagonal(wide.astype(np.float32)), Kronecker(narrow, 2)))):  # fmt: skip
        matrix = operator.to_dense()
        assert operator.row_norms().dtype == operator.gram().dtype == np.float64
        same(operator.row_norms().ravel(), np.linalg.norm(matrix, axis=1), np.float32)
        same(operator.gram(), matrix @ matrix.T, np.float32)


# --- what stays finite ---------------------------------------------------------------------------------


def test_norms_of_tiny_and_huge_factors() -> None:
    """The squares of the product leave float32's range; the norms of the factors do not."""
    for left, right in ((1e-15, 1e-15), (1e15, 1e15)):
        J = KhatriRao(np.full((3, 2), left, dtype=np.float32), np.full((3, 4), right, dtype=np.float32))
        np.testing.assert_allclose(J.row_norms(), np.sqrt(8) * left * right, rtol=1e-6)
        np.testing.assert_allclose(BlockRow((J, Product((J, Reshape((2, 4), (8,)))))).row_norms(), 4 * left * right,
                                   rtol=1e-6)  # fmt: skip


def test_long_float32_norms_do_not_stall() -> None:
    ones = np.ones((1, 1 << 25), dtype=np.float32)
    assert Kronecker(ones, 1).row_norms().item() == np.float32(np.sqrt(2.0**25))


def test_what_only_reorders_widens_the_rows_that_it_leaves() -> None:
    """What only reorders widens the rows that it leaves as they are."""
    for turn in (make.commutation(4, 3), make.reshape((3, 4), (12,)), make.identity(3, 4)):
        narrow, wide = make.dense((5,), (3, 4))(Numbers("float32"))[0], turn(Numbers())[0]
        chain = Product((narrow, wide))
        for found in (chain.row_norms(), chain.gram()):
            assert found.dtype == chain.dtype, f"{chain.structure}: {found.dtype}"
