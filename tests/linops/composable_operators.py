"""Operators between a few common shapes, so that most pairs compose; made as the cases are."""

from __future__ import annotations

from functools import cache

import numpy as np

from tests.linops import makers as make
from tests.linops.cases import EVERY, Case
from tests.linops.dense_twins import Numbers
from tests.linops.makers import Pair

A, B = (3, 4), (4, 3)
THREE, FOUR, SIX, TWELVE = (3,), (4,), (6,), (12,)
SMALL = (2, 3)

ON_A = [
    Case("identity", make.identity(*A)),
    Case("diagonal", make.diagonal(*A)),
    Case("zero", make.zero(A, A)),
    Case("kronecker left", make.kronecker(3, (4, 4))),
    Case("kronecker right", make.kronecker((3, 3), 4)),
    Case("kronecker full", make.kronecker((3, 3), (4, 4))),
    Case("kronecker identities", make.kronecker(3, 4)),
    Case("softmax in rows", make.minus_outer(A, -1)),
    Case("softmax in columns", make.minus_outer(A, 0)),
    Case("blocks in rows", make.blocks((3, 4, 4), A, A)),
    Case("blocks in columns", make.blocks((4, 3, 3), A, A, -1)),
    Case("sparse", make.sparse(A, A)),
    Case("dense", make.dense(A, A)),
    Case("low rank", make.low_rank(A, A, 2)),
    Case("scaled identity", make.scaled(-0.5, make.identity(*A))),
    Case("scaled kronecker", make.scaled(2.0, make.kronecker((3, 3), 4))),
    Case(
        "scaled chain", make.scaled(0.5, make.product(make.diagonal(*A), make.kronecker(3, (4, 4)), make.diagonal(*A)))
    ),
    Case("chain", make.product(make.diagonal(*A), make.kronecker(3, (4, 4)), make.diagonal(*A))),
    Case("sum", make.total(make.diagonal(*A), make.kronecker((3, 3), 4))),
    Case("gather", make.gather([[3, 3, 0, 11], [5, 1, 2, 3], [7, 7, 7, 0]], A)),
    Case("placement", make.transposed(make.gather([[3, 3, 0, 11], [5, 1, 2, 3], [7, 7, 7, 0]], A))),
]
ACROSS = [
    Case("transpose", make.commutation(*A)),
    Case("transpose back", make.commutation(*B)),
    Case("reshape", make.reshape(B, A)),
    Case("reshape back", make.reshape(A, B)),
    Case("kronecker across", make.kronecker((4, 3), (3, 4))),
    Case("kronecker back", make.kronecker((3, 4), (4, 3))),
    Case("diagonal on B", make.diagonal(*B)),
    Case("blocks on B, in columns", make.blocks((3, 4, 4), B, B, -1)),
    Case("identity on B", make.identity(*B)),
    Case("zero across", make.zero(B, A)),
    Case("scaled transpose", make.scaled(4.0, make.commutation(*A))),
]
UNROLLED = [
    Case("unroll", make.reshape(TWELVE, A)),
    Case("roll", make.reshape(A, TWELVE)),
    Case("roll to B", make.reshape(B, TWELVE)),
    Case("diagonal 1-d", make.diagonal(12)),
    Case("row-wise kronecker", make.khatri_rao((12, 3), (12, 4))),
    Case("row-wise kronecker on B", make.khatri_rao((12, 4), (1, 3))),
    Case("row-wise kronecker, its transpose", make.transposed(make.khatri_rao((12, 3), (12, 4)))),
    Case("row C", make.block_row("C", make.kronecker((3, 2), 4), make.dense(A, THREE), make.zero(A, (1,)))),
    Case("row F", make.block_row("F", make.kronecker((3, 2), 4), make.kronecker((3, 1), (4, 4)))),
    Case("row of diagonals", make.block_row("F", make.diagonal(6), make.diagonal(6))),
    Case("row, its transpose", make.transposed(make.block_row("F", make.kronecker((3, 2), 4), make.dense(A, FOUR)))),
    Case("dense 1-d", make.dense(TWELVE, TWELVE)),
    Case("scaled 1-d", make.scaled(0.5, make.reshape(TWELVE, B))),
]
NARROW = [
    Case("one number a row", make.blocks((3, 1, 4), THREE, A)),
    Case("one number a column", make.blocks((4, 1, 3), FOUR, A, -1)),
    Case("one number a column of B", make.blocks((3, 1, 4), THREE, B, -1)),
    Case("row sums", make.transposed(make.ones_column(4, 3))),
    Case("a row each", make.blocks((3, 4, 1), A, THREE)),
    Case("a column each", make.blocks((4, 3, 1), A, FOUR, -1)),
    Case("column to matrix", make.dense(A, THREE)),
    Case("three to four", make.dense(FOUR, THREE)),
    Case("softmax of three", make.minus_outer(THREE, 0)),
    Case("diagonal of three", make.diagonal(3)),
    Case("low rank to four", make.low_rank(FOUR, A, 1)),
    Case("per-example gradients", make.khatri_rao((3, 3), (3, 4))),
    Case("broadcast over nodes", make.khatri_rao((1, 4, 3), (3, 1, 4))),
    Case("sum of three", make.transposed(make.blocks((3, 1, 1), THREE, (3, 1)))),
    Case("column of three", make.blocks((3, 1, 1), THREE, (3, 1))),
    Case("bias", make.ones_column(3, 4)),
    Case("bias of B", make.product(make.ones_column(4, 3), make.reshape((1, 3), THREE))),
]
SELECTED = [
    Case("without the first column", make.slices((EVERY, slice(1, None)), A)),
    Case("with a zero column", make.transposed(make.slices((EVERY, slice(1, None)), A))),
    Case("without the first row", make.slices((slice(1, None), EVERY), A)),
    Case("with a zero row", make.transposed(make.slices((slice(1, None), EVERY), A))),
    Case("every other column", make.slices((slice(2), slice(None, None, 2)), A)),
    Case("between zeros", make.transposed(make.slices((slice(2), slice(None, None, 2)), A))),
    Case("two of three rows", make.kronecker((2, 3), (3, 4))),
    Case("back from two rows", make.kronecker((3, 2), (4, 3))),
    Case("six of A", make.gather([0, 5, 5, 11, 2, 7], A)),
    Case("diagonal of six", make.diagonal(6)),
    Case("small to six", make.reshape(SIX, SMALL)),
]
SCALARS = [
    Case("row", make.dense((), A)),
    Case("row of B", make.dense((), B)),
    Case("row of twelve", make.dense((), TWELVE)),
    Case("row of three", make.dense((), THREE)),
    Case("low rank row", make.low_rank((), A, 2)),
    Case("sparse row", make.sparse((), A)),
    Case("packed row", make.block_row("F", make.dense((), SMALL), make.dense((), (2, 3)))),
    Case("number", make.dense((), ())),
    Case("diagonal number", make.diagonal()),
    Case("identity number", make.identity()),
    Case("scaled number", make.scaled(3.0, make.identity())),
    Case("zero row", make.zero((), A)),
    Case("zero column", make.zero(A, ())),
    Case("column", make.dense(A, ())),
    Case("column of three", make.dense(THREE, ())),
    Case("low rank column", make.low_rank(A, (), 1)),
    Case("one entry", make.gather(5, A)),
    Case("one entry placed", make.transposed(make.gather(5, A))),
]
BANK = [*ON_A, *ACROSS, *UNROLLED, *NARROW, *SELECTED, *SCALARS]


@cache
def entry(place: int, dtype: str = "float64") -> Pair:
    """The operator at this place of the bank, with its twin; each place has numbers of its own."""
    return BANK[place].make(Numbers(dtype, "C", seed=place))


def signature(place: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    operator, _ = entry(place)
    return operator.codomain, operator.domain


@cache
def composable() -> dict[int, list[int]]:
    """For each place, the places whose operators may stand to its right."""
    return {
        left: [right for right in range(len(BANK)) if signature(left)[1] == signature(right)[0]]
        for left in range(len(BANK))
    }


def chains(length: int, count: int, seed: int) -> list[list[int]]:
    """Random chains of places; ends are drawn among operators that something fits."""
    rng = np.random.default_rng(seed)
    out: list[list[int]] = []
    while len(out) < count:
        chain = [int(rng.integers(len(BANK)))]
        while len(chain) < length and composable()[chain[-1]]:
            chain.append(int(rng.choice(composable()[chain[-1]])))
        if len(chain) == length:
            out.append(chain)
    return out
