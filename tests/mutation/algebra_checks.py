"""Products of two and of more structured Jacobians, sums and multiples, in every dtype, vec order and layout."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np

import jacobians.linops as linops
from jacobians.linops import Denominator, Scaled
from jacobians.testing import assert_association
from tests.linops import making, test_algebra, test_merge
from tests.linops.bank import BANK, chains, composable
from tests.linops.chain_laws import association
from tests.linops.tools import same
from tests.linops.twins import Numbers
from tests.mutation.checks import Check
from tests.mutation.curvature_checks import merges_taken_back
from tests.mutation.plan_checks import (
    blocks_of_more_axes,
    every_plan,
    every_plan_by_blocks,
    limits,
    reordered,
    slabs_of_what_acts,
)
from tests.mutation.sum_checks import in_denominator_layout, kind, sums_and_multiples

PLANNED = ("execute", "per_example")
"""What multiplies out a product."""

CLASSES = {
    "block_diagonal": ["BlockDiagonal"],
    "block_row": ["BlockRow"],
    "bordered": ["Kronecker bordered", "Transposed Kronecker bordered"],
    "commutation": ["Commutation"],
    "denominator": ["Denominator"],
    "diagonal": ["Diagonal"],
    "diagonal_minus_outer": ["DiagonalMinusOuter"],
    "identity": ["Identity", "Reshape", "Zero"],
    "khatri_rao": ["KhatriRao"],
    "kronecker": ["Kronecker"],
    "leaves": ["Dense", "LowRank", "Sparse"],
    "product": ["Product"],
    "scaled": ["Scaled"],
    "selection": ["Selection", "Transposed Selection"],
    "sum": ["Sum"],
    "transposed": ["Transposed", "KhatriRao", "BlockRow"],
    **{module: ["Product"] for module in PLANNED},
}


@cache
def pairs() -> list[tuple[int, int]]:
    """Places that compose: a few of every two kinds, and all between which a rule may hold."""
    seen: Counter[Any] = Counter()
    out = []
    for left in range(len(BANK)):
        for right in composable()[left]:
            kinds = kind(left), kind(right)
            seen[kinds] += 1
            if seen[kinds] <= (6 if set(kinds) <= RULED else 1):
                out.append((left, right))
    return out


RULED = {"Kronecker", "BlockDiagonal", "Diagonal", "Commutation", "Reshape", "KhatriRao", "Transposed"}


def algebra_checks(module: str) -> Iterator[Check]:
    """Products of two and of more, sums and multiples; those of the module's own structures first."""
    if module == "merge":
        yield Check("merging", "taken back", merges_taken_back)
    if module in ("algebra", "merge"):
        for rule in test_algebra.RULES:
            yield Check("merging", rule[0], lambda r=rule: test_algebra.test_rule(*r))
        yield Check("merging", "at the limits", merging_limits)
        yield Check("merging", "flat chains", flat_chains)
    if module in PLANNED:
        yield Check("association", "every plan", every_plan)
        yield Check("association", "every plan by blocks", every_plan_by_blocks)
        yield Check("association", "reordered at its ends", reordered)
        yield Check("association", "slabs of what acts", slabs_of_what_acts)
        yield Check("one source", "blocks of arrays of three axes", blocks_of_more_axes)
    if module == "product":
        yield Check("memory", "a chain's limit", limits)
    own = CLASSES.get(module, [])
    every = random.Random(1).sample(pairs(), len(pairs()))
    every.sort(key=lambda p: not any(kind(i) in own for i in p))
    if own and module not in ("product", "sum", "scaled", "transposed"):
        every = [p for p in every if any(kind(i) in own for i in p)]
    for left, right in every:
        what = f"{BANK[left].name} @ {BANK[right].name}"
        yield Check("association", what, lambda p=(left, right): _pair(*p))
    if module in ("algebra", "merge", "denominator", "orders", "scaled", "sum", "product"):
        yield Check("association", "mixed dtypes", mixed_dtypes)
        yield Check("association", "chains of three to five", longer_chains)
    if module in ("algebra", "denominator", "orders", "scaled", "sum", "product"):
        yield Check("association", "in denominator layout", denominators)
        yield Check("association", "vec orders", vec_orders)
        yield Check("dense twin", "sums and multiples", sums_and_multiples)


def _pair(left: int, right: int, dtypes: tuple[str, str] = ("float64", "float64")) -> None:
    x, y = (BANK[p].make(Numbers(t, "C", seed=p)) for p, t in zip((left, right), dtypes, strict=True))
    joint = x[0] @ y[0]
    stored = sum({id(a): a.size for f in (x[0], y[0]) for a in f.arrays}.values())
    held = sum({id(a): a.size for a in joint.arrays}.values())
    pushed = () in (joint.codomain, joint.domain)
    assert pushed or held <= stored, f"law merging: {joint.structure} stores {held} entries, its factors {stored}"
    association(*zip(x, y, strict=True))


def mixed_dtypes() -> None:
    """A wider dtype is not lost in a merge."""
    for case in test_algebra.WIDE:
        test_algebra.test_a_wider_dtype_is_not_lost_in_a_merge(*case)
    for left, right in pairs():
        _pair(left, right, ("float64", "float32"))
        _pair(left, right, ("float32", "float64"))


def merging_limits() -> None:
    """Merging is declined at the very size where it would store more."""
    test_merge.test_stored_counts_each_array_once()
    test_merge.test_widened()
    for p, r, merges in ((4, 2, True), (4, 4, True), (4, 5, False), (5, 5, False)):
        test_merge.test_kronecker_product_at_the_limit(p, r, merges)
    for p, r, merges in ((4, 4, True), (4, 5, False)):
        test_merge.test_diagonal_block_at_the_limit(p, r, merges)
    for count, merges in ((1, True), (2, True), (3, False)):
        test_merge.test_one_matrix_for_all_blocks_at_the_limit(count, merges)
    for axis in (0, -1):
        test_merge.test_diagonals_are_taken_into_blocks(axis)
    test_merge.test_without_zeros_takes_whole_rows_or_columns_only()
    more = (
        ("(I⊗B)(I⊗D) would grow", making.kronecker(4, (9, 1)), making.kronecker(4, (1, 9))),
        ("Bₙ (I⊗W) would grow, three rows each", making.blocks((2, 3, 1), (2, 3), (2, 1)), making.kronecker(2, (1, 2))),
        ("Bₙ of rank 3 (X⊗I)", making.blocks((3, 4, 4), (3, 2, 2), (3, 4)), making.kronecker((3, 5), 4)),
        ("Bₙ of rank 3 (I⊗X)", making.blocks((4, 4, 3), (2, 2, 4), (3, 4), -1), making.kronecker(3, (4, 5))),
    )
    row = making.blocks((9, 1, 2), (9,), (9, 2))(Numbers())[0] @ linops.Kronecker(9, np.ones((2, 5)))
    assert isinstance(row, linops.BlockDiagonal), f"one row for each example is not pushed through: {row.structure}"
    one = (
        making.blocks((3, 1, 1), (3, 1), (3, 1))(Numbers())[0] @ making.blocks((3, 1, 5), (3, 1), (3, 5))(Numbers())[0]
    )
    assert isinstance(one, linops.BlockDiagonal), f"a product that stores no more is not merged: {one.structure}"
    for name, left, right in (*test_algebra.LAZY, *more):
        (x, twin), (y, other) = left(Numbers()), right(Numbers())
        joint = x @ y
        association((x, y), (twin, other))
        held, stored = (sum({id(a): a.size for a in j.arrays}.values()) for j in (joint, linops.Product((x, y))))
        assert held <= stored, f"{name}: {joint.structure}"


def flat_chains() -> None:
    """What merges merges on, multiples stand in front, and leaves take them in."""
    kept = making.kronecker(3, (4, 4))(Numbers())[0] @ linops.BlockRow((linops.Identity((3, 4)),) * 2)
    assert isinstance(kept, linops.BlockRow), f"J [I I] is not [J J]: {kept.structure}"
    beside = linops.BlockRow([making.kronecker((3, n), 4)(Numbers())[0] for n in (2, 5)])
    once = making.minus_outer((3, 4), -1)(Numbers())[0] @ beside
    assert isinstance(once, linops.Product), f"J is not applied once to the sum: {once.structure}"
    test_algebra.test_a_commutation_travels_on_and_merges_behind()
    test_algebra.test_factors_that_cancel_leave_the_chain_whole()
    test_algebra.test_chains_are_flat_and_multiples_stand_in_front()
    test_algebra.test_multiples_are_taken_into_leaves_that_own_their_numbers()
    test_algebra.test_transposed_selections_stay_one_leaf()


def longer_chains() -> None:
    for length, count in ((3, 30), (4, 6), (5, 2)):
        for chain in chains(length, count, seed=length):
            factors, twins = zip(*(BANK[p].make(Numbers(seed=p)) for p in chain), strict=True)
            association(factors, twins)
            if length == 3:
                assert_association(factors)


def denominators() -> None:
    for left, right in pairs()[::9]:
        (x, twin), (y, other) = (BANK[p].make(Numbers(seed=p)) for p in (left, right))
        for order in (None, "C", "F"):
            outer, inner = (Denominator(f if order is None else f.ordered(order)) for f in (x, y))
            joint = inner @ outer
            assert isinstance(joint, Denominator), "law association: the layout is lost"
            assert joint.order == (outer.order or inner.order), "law association: the order is lost"
            scale = max(1.0, float((np.abs(twin) @ np.abs(other)).max(initial=0.0)))
            same(joint.to_dense("C") / scale, (twin @ other).T / scale, what=repr(joint))
    in_denominator_layout()
    mixed_layouts()


def mixed_layouts() -> None:
    """Symmetric structures join either layout, others are refused."""
    g = Numbers()
    d, dense = making.diagonal(3)(g)[0], making.dense((3,), (3,))(g)[0]
    for symmetric in (d, 2.0 * linops.Identity((3,)), linops.Identity((3,)), Scaled(2.0, d)):
        assert isinstance(symmetric @ Denominator(dense), Denominator)
        assert isinstance(Denominator(dense) + symmetric, Denominator)
        same((symmetric @ Denominator(dense)).to_dense(), symmetric.to_dense() @ dense.to_dense().T)
    for other in (dense, Scaled(2.0, dense)):
        try:
            _ = other @ Denominator(dense)
        except ValueError:
            continue
        raise AssertionError("law association: layouts are mixed")


def vec_orders() -> None:
    """The order of one factor is the order of the product, whichever factor carries it; two orders do not mix."""
    for left, right in pairs()[::9]:
        (x, twin), (y, other) = (BANK[p].make(Numbers(seed=p)) for p in (left, right))
        for order in ("C", "F"):
            for a, b in ((x._with_order(order), y), (x, y._with_order(order))):
                association((a, b), (twin, other))
        try:
            _ = x._with_order("C") @ y._with_order("F")
        except ValueError:
            continue
        raise AssertionError("law association: vec orders are mixed")
