"""Rows and diagonals of chains, and second derivatives of losses."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import reduce

import numpy as np
from jacobians.linops.merging import unmerged

from jacobians.layout import Layout
from jacobians.linops import KhatriRao, Product
from jacobians.testing import assert_hessian
from tests.linops import making, test_block_row, test_chain_diagonal, test_chain_rows
from tests.linops.bank import BANK, chains, composable
from tests.linops.tools import draw, same
from tests.linops.twins import Numbers
from tests.mutation.checks import Check
from tests.operations import test_hessians
from tests.operations.drawing import Numbers as Drawn
from tests.operations.loss_cases import LOSSES, loss_case

CURVED = ("chain_rows", "chain_diagonal", "examples", "row_views", "shared", "merge", "product", "block_row")
"""The modules whose rules are about rows, diagonals and shared factors."""


def curvature_checks() -> Iterator[Check]:
    """Rows and diagonals by structure, without a basis vector; then those of many chains."""
    for name in test_chain_rows.BY_STRUCTURE:
        yield Check("rows", name, lambda n=name: test_chain_rows.test_no_row_of_the_whole_matrix_is_built(n))
    for side, middle in itertools.product(test_chain_diagonal.SIDES, test_chain_diagonal.MIDDLES):
        what = f"{side} around {middle}"
        call = test_chain_diagonal.test_no_basis_vector_is_sent_through
        yield Check("diagonals", what, lambda s=side, m=middle, f=call: f(s, m))
    for last in ((4, 2), 4):
        mixed = test_chain_rows.test_a_chain_that_mixes_examples_has_no_rule
        yield Check("rows", f"mixed examples, {last}", lambda x=last, f=mixed: f(x))
    yield Check("rows", "in steps", test_chain_rows.test_steps_of_rows_are_put_together)
    yield Check("rows", "of tiny factors", test_chain_rows.test_norms_of_tiny_and_huge_factors)
    yield Check("rows", "of two dtypes", test_chain_rows.test_mixed_dtypes_widen)
    yield Check("diagonals", "in steps", test_chain_diagonal.test_steps_through_the_waist_are_put_together)
    for side, middle in itertools.product(("layer", "two layers in one"), ("softmax", "numbers")):
        what = f"{side}, examples in columns"
        call = test_chain_diagonal.test_examples_in_columns
        yield Check("diagonals", f"{what}, {middle}", lambda s=what, m=middle, f=call: f(s, m))
    yield Check("diagonals", "of two dtypes", test_chain_diagonal.test_a_narrow_factor_among_wide_ones)
    yield Check("diagonals", "empirical Fisher", test_chain_diagonal.test_empirical_fisher)
    yield Check("diagonals", "no mirror images", test_chain_diagonal.test_two_ends_that_are_no_mirror_images)
    yield Check("diagonals", "no rule", where_no_rule_holds)
    yield Check("diagonals", "once for two", test_chain_diagonal.test_a_middle_is_asked_once)
    yield Check("dtype", "narrow among wide", narrow_among_wide)
    yield Check("rows", "shared factors", test_block_row.test_shared_factors_are_applied_once)
    for left in range(0, len(BANK), 3):
        for right in composable()[left][::3]:
            what = f"{BANK[left].name} @ {BANK[right].name}"
            yield Check("rows", what, lambda p=(left, right): test_chain_rows.rows_of([*p]))
            yield Check("diagonals", what, lambda p=(left, right): test_chain_diagonal.diagonals_of([*p]))
    for chain in chains(3, 12, seed=33):
        yield Check("diagonals", "a chain of three", lambda c=chain: test_chain_diagonal.diagonals_of(c, "float32"))
    for chain in chains(3, 80, seed=31):
        yield Check("rows", "a chain of three", lambda c=chain: test_chain_rows.rows_of(c))


def where_no_rule_holds() -> None:
    """Chains that look like those of a rule and are not: their diagonals are right all the same."""
    dense, kronecker, blocks = making.dense, making.kronecker, making.blocks
    places = [
        # no commutation stands behind the Kronecker product
        (kronecker((3, 3), (4, 4)), dense((3, 4), (4, 3)), making.commutation(3, 4)),
        (kronecker((3, 4), (4, 3)), making.commutation(3, 4)),
        # several vectors an example
        (blocks((3, 4, 6), (3, 4), (3, 2, 3)), making.minus_outer((3, 2, 3), 2), blocks((3, 6, 4), (3, 2, 3), (3, 4))),
        # blocks of a row, both sides as large together, and not one by one
        (
            making.transposed(making.block_row("C", kronecker(2, (3, 5)), kronecker(2, (3, 4)))),
            making.block_row("C", kronecker(2, (3, 4)), kronecker(2, (3, 5))),
        ),
        # more blocks in one row than in the other, one of them empty
        (
            making.transposed(making.block_row("C", kronecker(2, (3, 4)))),
            making.block_row("C", kronecker(2, (3, 4)), dense((2, 3), (0,))),
        ),
    ]
    for makes in places:
        factors, twins = zip(*(make(Numbers(seed=k)) for k, make in enumerate(makes)), strict=True)
        expected = np.diagonal(reduce(np.matmul, twins))
        same(Product(factors).diagonal(), expected, what=Product(factors).structure)


def merges_taken_back() -> None:
    """Rows (row i of Bₙ) ⊗ xₙ as blocks and inputs again, in rows, in columns and one each; other rows are none."""
    for left, right in (((5, 3), (5, 4)), ((5, 1, 3), (5, 2, 4)), ((2, 5, 3), (1, 5, 4))):
        rows = KhatriRao(draw(*left), draw(*right, seed=2))
        parts = unmerged(rows)
        assert parts is not None, f"law merging: {rows.structure} is not taken back"
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
        assert unmerged(rows) is None, f"law merging: {rows.structure} are no inputs behind blocks"


def narrow_among_wide() -> None:
    """What only reorders widens the rows that it leaves as they are."""
    for turn in (making.commutation(4, 3), making.reshape((3, 4), (12,)), making.identity(3, 4)):
        narrow, wide = making.dense((5,), (3, 4))(Numbers("float32"))[0], turn(Numbers())[0]
        chain = Product((narrow, wide))
        for found in (chain.row_norms(), chain.gram()):
            assert found.dtype == chain.dtype, f"law dtype: {chain.structure}: {found.dtype}"


def hessian_checks(names: list[str]) -> Iterator[Check]:
    """Second derivatives against numerical ones."""
    for name, batch in itertools.product(LOSSES, ("rows", "columns")):
        if any(case.startswith(f"{name} ") for case in names):
            yield Check("reference", f"second derivative of {name}, {batch}", lambda n=name, b=batch: _hessian(n, b))
    yield Check("reference", "second derivatives far out", test_hessians.test_far_out_it_is_small_and_not_nan)
    yield Check("reference", "second derivatives refused", test_hessians.test_it_refuses_what_the_loss_refuses)


def _hessian(name: str, batch: str) -> None:
    for reduction, seed in (("sum", 3), ("mean", 4)):
        loss, (X, Y), *_ = loss_case(name, reduction, Layout(batch=batch))(Drawn(seed))
        assert_hessian(loss, X, Y)
