"""The diagonal of square chains: right for every chain, and by structure for JᵀMJ of a network's Jacobians."""

from __future__ import annotations

from functools import reduce
from unittest import mock

import numpy as np
import pytest

from jacobians.linops import BlockRow, Diagonal, Jacobian, Kronecker, Product, Selection, by_example, chain_views
from jacobians.linops.matrix_views import MatrixViews
from tests.linops import makers as make
from tests.linops.comparing import draw, same
from tests.linops.composable_operators import BANK, chains, composable, entry
from tests.linops.dense_twins import Numbers, packed, permutation
from tests.linops.makers import Make, Pair
from tests.linops.test_chain_views_rows import BY_STRUCTURE, joined


def check(operator: Jacobian, twin: np.ndarray) -> None:
    """The twin's diagonal in the operator's dtype; in order F too, where domain and codomain agree."""
    found = operator.diagonal()
    assert found.dtype == operator.dtype
    scale = max(np.abs(twin).max(initial=0.0), 1.0)
    same(found / scale, np.diagonal(twin) / scale, operator.dtype, repr(operator))
    if operator.codomain == operator.domain:
        p = permutation(operator.domain)
        same(operator.diagonal("F") / scale, np.diagonal(p @ twin @ p.T) / scale, operator.dtype, "in order F")


def diagonals_of(chain: list[int], dtype: str = "float64") -> None:
    """Of P where it is square, of PᵀP and of PPᵀ, lazy and as the algebra has it."""
    operators, twins = zip(*(entry(place, dtype) for place in chain), strict=True)
    lazy, merged = Product(operators), operators[0]
    for operator in operators[1:]:
        merged = merged @ operator
    twin = np.linalg.multi_dot(twins)
    for P in (lazy, merged):
        if P.shape[0] == P.shape[1]:
            check(P, twin)
        check(Product((*P.T._factors(), *P._factors())), twin.T @ twin)
        check(P @ P.T, twin @ twin.T)
        check(P.T @ P, twin.T @ twin)


@pytest.mark.parametrize("place", range(len(BANK)), ids=[c.name for c in BANK])
def test_diagonals_of_pairs_of_the_bank(place: int) -> None:
    """Every other pair: each operator stands on either side."""
    for right in composable()[place][place % 2 :: 2]:
        diagonals_of([place, right])


@pytest.mark.slow
@pytest.mark.parametrize("place", range(len(BANK)), ids=[c.name for c in BANK])
def test_diagonals_of_every_pair_of_the_bank(place: int) -> None:
    for right in composable()[place]:
        diagonals_of([place, right])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_diagonals_of_longer_chains(dtype: str) -> None:
    for chain in [*chains(3, 80, seed=32), *chains(4, 20, seed=42)]:
        diagonals_of(chain, dtype)


# --- by structure --------------------------------------------------------------------------------------

MIDDLES: dict[str, Make] = {
    "softmax": make.minus_outer((5, 4), -1),
    "blocks": make.blocks((5, 4, 4), (5, 4), (5, 4)),
    "numbers": make.diagonal(5, 4),
    "a multiple": make.scaled(0.25, make.identity(5, 4)),
    "softmax of a matrix": make.product(make.diagonal(5, 4), make.minus_outer((5, 4), -1), make.kronecker(5, (4, 4))),
    "two softmaxes": make.product(make.minus_outer((5, 4), -1), make.diagonal(5, 4), make.minus_outer((5, 4), -1)),
    "a sum": make.total(make.minus_outer((5, 4), -1), make.blocks((5, 4, 4), (5, 4), (5, 4))),
}
SIDES = {
    name: BY_STRUCTURE[name] for name in ("layer", "layer, one node a row", "bias", "two layers in one", "parameters")
}
SIDES["two hidden layers"] = make.product(
    make.kronecker(5, (4, 3)), make.diagonal(5, 3), make.kronecker(5, (3, 2)), make.diagonal(5, 2),
    make.kronecker((5, 3), 2),
)  # fmt: skip
SIDES["scaled weights"] = make.product(BY_STRUCTURE["layer"], make.diagonal(3, 2))
SIDES["some weights"] = make.product(
    BY_STRUCTURE["layer"], make.transposed(make.slices((slice(None), slice(1)), (3, 2)))
)
SIDES["gathered weights"] = make.product(BY_STRUCTURE["layer"], make.transposed(make.gather([[4, 0], [4, 1]], (3, 2))))
SIDES["two layers in one, one node a row"] = make.product(BY_STRUCTURE["two layers in one"], make.commutation(2, 3))
SIDES["inputs"] = make.product(make.kronecker(5, (4, 2)), make.diagonal(5, 2), make.kronecker(5, (2, 3)))
SIDES["inputs without ones"] = make.product(
    make.kronecker(5, (4, 3)), make.transposed(make.slices((slice(None), slice(1, None)), (5, 3)))
)


def between(side: str, middle: str) -> Pair:
    J, twin = joined(SIDES[side])(Numbers(seed=1))
    M, inside = joined(MIDDLES[middle])(Numbers(seed=2))
    return J.T @ M @ J, twin.T @ inside @ twin


@pytest.mark.parametrize("middle", MIDDLES)
@pytest.mark.parametrize("side", SIDES)
def test_no_basis_vector_is_sent_through(side: str, middle: str) -> None:
    G, twin = between(side, middle)
    with mock.patch.object(MatrixViews, "_diagonal", side_effect=AssertionError("basis vectors")):
        check(G, twin)


def test_steps_through_the_waist_are_put_together() -> None:
    with mock.patch.object(by_example, "STEP_BYTES", 1):
        for side in SIDES:
            check(*between(side, "blocks"))


@pytest.mark.parametrize("middle", ["softmax", "numbers"])
@pytest.mark.parametrize("side", ["layer, examples in columns", "two layers in one, examples in columns"])
def test_examples_in_columns(side: str, middle: str) -> None:
    J, twin = joined(BY_STRUCTURE[side])(Numbers(seed=1))
    M, inside = (make.minus_outer((4, 5), 0) if middle == "softmax" else make.diagonal(4, 5))(Numbers(seed=2))
    with mock.patch.object(MatrixViews, "_diagonal", side_effect=AssertionError("basis vectors")):
        check(J.T @ M @ J, twin.T @ inside @ twin)


def test_empirical_fisher() -> None:
    J, twin = make.block_row("F", make.khatri_rao((5, 3), (5, 2)), make.blocks((5, 1, 4), (5,), (5, 4)))(Numbers())
    narrow, small = make.khatri_rao((5, 3), (5, 2))(Numbers("float32"))
    weights = draw(5)
    with mock.patch.object(MatrixViews, "_diagonal", side_effect=AssertionError("basis vectors")):
        check(narrow.T @ narrow, small.T @ small)
        check(narrow.T @ Diagonal(weights) @ narrow, small.T @ np.diag(weights) @ small)
    check(J.T @ J, twin.T @ twin)
    check(J.T @ Diagonal(weights) @ J, twin.T @ np.diag(weights) @ twin)


def test_two_ends_that_are_no_mirror_images() -> None:
    """Chains that look like AᵀMA and are not: other entries kept, another packing, other blocks."""
    M, inside = make.dense((2, 3), (2, 3))(Numbers())
    every, first, second = slice(None), slice(1), slice(1, 2)
    for one, other in (((every, first), (every, second)), ([[0], [4]], [[4], [0]]), ([[0], [4]], (every, first))):
        kept, placed = (Selection(np.array(k) if isinstance(k, list) else k, (2, 3)) for k in (one, other))
        check(Product((kept, M, placed.T)), kept.to_dense() @ inside @ placed.to_dense().T)
        check(Product((placed, M, kept.T)), placed.to_dense() @ inside @ kept.to_dense().T)
    blocks = [make.kronecker((4, 3), 2)(Numbers(seed=s)) for s in (1, 2)]
    rows = {p: BlockRow(tuple(b for b, _ in blocks), p) for p in ("C", "F")}
    twins = {p: packed([t for _, t in blocks], [(3, 2), (3, 2)], p) for p in ("C", "F")}
    for one, other in (("C", "F"), ("F", "F"), ("F", "C"), ("C", "C")):
        check(Product((rows[one].T, rows[other])), twins[one].T @ twins[other])
    for parts in ([make.dense((4, 2), (12,))], [make.dense((4, 2), (2, 3))] * 2, [make.kronecker((4, 6), 2)]):
        row, twin = make.block_row("F", *parts)(Numbers(seed=7))
        check(Product((rows["F"].T, row)), twins["F"].T @ twin)
        check(Product((row.T, rows["F"])), twin.T @ twins["F"])
    for case in (
        make.product(make.reshape((12,), (3, 4)), make.kronecker((3, 4), (4, 3)), make.reshape((4, 3), (12,))),
        make.product(make.kronecker((3, 4), (4, 3)), make.diagonal(4, 3), make.commutation(3, 4)),
        make.product(make.kronecker((3, 4), (4, 3)), make.commutation(3, 4)),
        make.product(make.diagonal(5, 2, 3), make.minus_outer((5, 2, 3), -1), make.minus_outer((5, 2, 3), -1)),
        make.product(make.kronecker(3, (4, 4)), make.minus_outer((3, 4), 0), make.kronecker(3, (4, 4))),
    ):
        check(*case(Numbers()))


def test_a_narrow_factor_among_wide_ones() -> None:
    """Products and sums are in the joint dtype: nothing is rounded to float32 on the way."""
    g, narrow = Numbers(seed=3), Numbers("float32", seed=4)
    end, end_twin = make.kronecker((5, 3), 2)(narrow)
    later, later_twin = make.kronecker(5, (4, 2))(g)
    for made in (make.minus_outer((5, 4), -1), make.blocks((5, 4, 4), (5, 4), (5, 4)), make.diagonal(5, 4)):
        M, inside = made(narrow)
        J, twin = later @ end, later_twin @ end_twin
        check(J.T @ M @ J, twin.T @ inside @ twin)
    row, row_twin = make.khatri_rao((5, 3), (5, 2))(narrow)
    check(row.T @ Diagonal(draw(5)) @ row, row_twin.T @ np.diag(draw(5)) @ row_twin)


def test_a_middle_is_asked_once() -> None:
    """The weight and the bias of one layer have one middle, and its diagonal is computed once."""
    M, inside = make.minus_outer((5, 4), -1)(Numbers())
    later = (Kronecker(5, draw(4, 2)), Diagonal(draw(5, 2)))
    J = BlockRow(tuple(Product((*later, end)) for end in (Kronecker(draw(5, 3), 2), Kronecker(np.ones((5, 1)), 2))))
    with mock.patch.object(chain_views, "_less_outer", wraps=chain_views._less_outer) as middles:
        check(J.T @ M @ J, J.to_dense().T @ inside @ J.to_dense())
    assert middles.call_count == 2  # `check` asks for both orders


def test_chains_that_look_like_those_of_a_rule_and_are_not() -> None:
    """Chains that look like those of a rule and are not: their diagonals are right all the same."""
    dense, kronecker, blocks = make.dense, make.kronecker, make.blocks
    places = [
        # no commutation stands behind the Kronecker product
        (kronecker((3, 3), (4, 4)), dense((3, 4), (4, 3)), make.commutation(3, 4)),
        (kronecker((3, 4), (4, 3)), make.commutation(3, 4)),
        # several vectors an example
        (blocks((3, 4, 6), (3, 4), (3, 2, 3)), make.minus_outer((3, 2, 3), 2), blocks((3, 6, 4), (3, 2, 3), (3, 4))),
        # blocks of a row, both sides as large together, and not one by one
        (
            make.transposed(make.block_row("C", kronecker(2, (3, 5)), kronecker(2, (3, 4)))),
            make.block_row("C", kronecker(2, (3, 4)), kronecker(2, (3, 5))),
        ),
        # more blocks in one row than in the other, one of them empty
        (
            make.transposed(make.block_row("C", kronecker(2, (3, 4)))),
            make.block_row("C", kronecker(2, (3, 4)), dense((2, 3), (0,))),
        ),
    ]
    for makes in places:
        factors, twins = zip(*(part(Numbers(seed=k)) for k, part in enumerate(makes)), strict=True)
        expected = np.diagonal(reduce(np.matmul, twins))
        same(Product(factors).diagonal(), expected, what=Product(factors).structure)
