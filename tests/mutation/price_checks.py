"""Plans of chains against all of their bracketings, tried one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, reduce
from typing import NamedTuple

import numpy as np
from hypothesis import given, settings

import jacobians.linops as linops
from jacobians.errors import TooLargeError
from jacobians.linops.planning import least_bytes, make_plan
from tests.linops import making, test_plan
from tests.linops.brackets import Cost, Factors, every
from tests.linops.tools import same
from tests.linops.twins import Numbers
from tests.mutation.checks import Check

BY_HAND: list[Callable[[], None]] = [
    test_plan.test_pure_modes_are_chosen_where_they_are_cheapest,
    test_plan.test_prices_know_structure,
    test_plan.test_peak_bytes_by_hand,
    test_plan.test_a_limit_costs_operations,
    test_plan.test_a_waist_is_multiplied_outward,
    test_plan.test_a_waist_with_examples_is_multiplied_outward_example_by_example,
]


def price_checks() -> Iterator[Check]:
    """The optimum of many chains, and the prices that are written out."""
    tried()
    yield Check("count", "the plan is the optimum", planned)
    for test in BY_HAND:
        yield Check("count", test.__name__.removeprefix("test_").replace("_", " "), test)
    for widths in ((9, 2, 8, 3, 7), (3, 4, 5, 6, 7), (8, 8, 1, 8, 8)):
        eight = test_plan.test_the_plan_is_the_optimum_of_eight_with_examples
        yield Check("count", f"the optimum of a net of {widths}", lambda w=widths, f=eight: f(w))


class Tried(NamedTuple):
    """A chain, what its bracketings cost, in pure modes too, and its matrix."""

    factors: Factors
    costs: list[Cost]
    forward: int
    reverse: int
    matrix: np.ndarray


@cache
def tried() -> list[Tried]:
    """Chains of two to five factors, tried in all ways once, for all mutants."""
    found: list[Tried] = []

    def note(factors: Factors) -> None:
        pure = (min(c[0] for c in every(factors, mode)) for mode in ("forward", "reverse"))
        found.append(Tried(factors, [*every(factors)], *pure, reduce(np.matmul, [f.to_dense() for f in factors])))

    for chains, count in ((test_plan.products(5), 80), (test_plan.nets(4), 320)):
        settings(derandomize=True, database=None, deadline=None, max_examples=count)(given(factors=chains)(note))()
    for factors in more_chains():
        note(factors)
    return found


def more_chains() -> list[Factors]:
    """Ends that look like those with a way of their own: reshapings, inputs, losses."""
    blocks, kronecker, dense = making.blocks, making.kronecker, making.dense
    makes = [
        [making.diagonal(4), dense((4,), (2, 3)), making.reshape((2, 3), (6,))],
        [making.reshape((6,), (2, 3)), dense((2, 3), (4,)), making.diagonal(4)],
        [blocks((3, 1, 4), (3,), (3, 4)), kronecker((3, 5), 4)],
        [blocks((3, 1, 4), (3,), (4, 3), -1), kronecker(4, (3, 5))],
        [blocks((3, 2, 4), (3, 2), (3, 4)), kronecker((3, 5), (4, 6))],
        [blocks((3, 2, 4), (2, 3), (4, 3), -1), kronecker((4, 6), (3, 5))],
        [blocks((3, 2, 4), (3, 2), (3, 4)), kronecker(3, 4)],
        [dense((3,), (4, 1, 5)), making.reshape((4, 1, 5), (4, 5))],
        [making.reshape((1, 6), (6,)), dense((6,), (4,))],
        [dense((3,), (4, 5)), making.commutation(5, 4)],
        [making.reshape((3, 4), (3, 1, 4)), blocks((3, 4, 5), (3, 1, 4), (3, 5))],
        [making.diagonal(0, 2), kronecker(0, (2, 3)), kronecker(0, (3, 2)), making.diagonal(0, 2)],
        [making.diagonal(1, 2), kronecker(1, (2, 3)), making.minus_outer((1, 3), -1), kronecker(1, (3, 2))],
    ]
    every_row, kept = slice(None), making.slices
    makes += [  # where blocks cost more than a bracket which writes a matrix, or hold more on one side
        [
            kept((every_row, slice(1)), (1, 2)),
            making.transposed(kept((every_row, slice(1)), (1, 2))),
            kronecker(1, (1, 9)),
            kronecker(1, (9, 9)),
        ],
        [
            making.transposed(kept((every_row, slice(2)), (2, 9))),
            *(kronecker(2, size) for size in ((2, 5), (5, 2), (2, 1))),
        ],
        [
            making.transposed(kept((every_row, slice(2)), (3, 9))),
            kept((every_row, slice(2)), (3, 5)),
            kronecker(3, (5, 1)),
            blocks((3, 1, 2), (3, 1), (3, 2)),
        ],
        [kronecker(1, (2, 1)), kept((every_row, slice(1)), (1, 2)), making.diagonal(1, 2)],
        [kronecker(2, size) for size in ((1, 2), (2, 1), (1, 2), (2, 9), (9, 5))],
    ]
    return [tuple(make(Numbers(seed=k))[0] for k, make in enumerate(chain)) for chain in makes]


def planned() -> None:
    """The plan is the optimum, and within a limit too; what is carried out is the product."""
    for factors, costs, forward, reverse, matrix in tried():
        what = linops.Product(factors).structure
        plan = make_plan(factors)
        best = min(c[0] for c in costs), forward, reverse
        assert (plan.operations, plan.forward, plan.reverse) == best, f"{what} by {plan}, at best {best}"
        peaks = sorted({peak for _, peak, _ in costs})
        assert least_bytes(factors) == peaks[0], f"law memory: {what} within {least_bytes(factors)}, at best {peaks[0]}"
        for limit in {peaks[0], peaks[len(peaks) // 2], peaks[-1]}:
            tight, most = make_plan(factors, limit), min(spent for spent, peak, _ in costs if peak <= limit)
            assert tight.peak_bytes <= limit, f"law memory: {what} by {tight}, over {limit}"
            assert tight.operations == most, f"{what} by {tight}, at best {most} within {limit}"
        if peaks[0]:
            text = refusal(factors, peaks[0] - 1)
            assert f"limit={peaks[0]}," in text, f"law memory: {what}: {text}"
        scale = max(1.0, np.abs(matrix).max(initial=0.0))
        same(linops.Product(factors).to_dense() / scale, matrix / scale, what=what)


def refusal(factors: Factors, limit: int) -> str:
    try:
        return str(make_plan(factors, limit))
    except TooLargeError as error:
        return str(error)
