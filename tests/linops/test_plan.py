"""The cheapest bracketing, against every bracketing tried one by one."""

from __future__ import annotations

import itertools
import tracemalloc
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jacobians.linops import (
    Dense,
    Diagonal,
    DiagonalMinusOuter,
    Jacobian,
    KhatriRao,
    Kronecker,
    LowRank,
    Product,
    Selection,
)
from jacobians.linops.plan import execute, largest_bytes, make_plan
from tests.linops.tools import draw, same

Factors = tuple[Jacobian, ...]


def dense(rows: int, columns: int) -> Jacobian:
    return Dense(draw(rows, columns, seed=rows + 100 * columns), (rows,))


def written(factor: Jacobian) -> int:
    rows, columns = factor.shape
    return 0 if sum(a.size for a in factor.arrays) >= rows * columns else rows * columns


def all_costs(factors: Factors) -> Iterator[tuple[int, str]]:
    """What every bracketing costs, by every way to act; an acting factor is not written out, a lone one is."""
    if len(factors) == 1:
        yield written(factors[0]), "leaf"
        return
    m, n = factors[0].shape[0], factors[-1].shape[1]
    for cut in range(1, len(factors)):
        left, right = factors[:cut], factors[cut:]
        if len(left) == 1:
            for cost, _ in all_costs(right):
                yield cost + n * left[0].flops + m * n, "columns"
        if len(right) == 1:
            for cost, _ in all_costs(left):
                yield cost + m * right[0].flops + m * n, "rows"
        if len(left) > 1 and len(right) > 1:
            inner = left[-1].shape[1]
            rights = [cost for cost, _ in all_costs(right)]
            for cost, _ in all_costs(left):
                for other in rights:
                    yield cost + other + 2 * m * inner * n + m * n, "gemm"


def step(draw_: st.DrawFn, rows: int) -> Jacobian:
    """A factor with this many outputs, a vector of examples times features among them where they divide."""
    kind = draw_(st.sampled_from(["dense", "dense", "diagonal", "low rank", "outer", "kept", "placed"]))
    columns = draw_(st.integers(1, 12))
    match kind:
        case "diagonal":
            return Diagonal(draw(rows))
        case "outer":
            return DiagonalMinusOuter(draw(rows), draw(rows), draw(rows), 0)
        case "low rank":
            return LowRank(draw(rows, 2), draw(columns, 2))
        case "kept":
            return Selection(np.arange(rows) % columns, (columns,))
        case "placed":
            return Selection(np.arange(columns) % rows, (rows,)).T
    return dense(rows, columns)


@st.composite
def products(draw_: st.DrawFn, longest: int) -> Factors:
    factors = [step(draw_, draw_(st.integers(1, 12)))]
    for _ in range(draw_(st.integers(2, longest)) - 1):
        factors.append(step(draw_, factors[-1].shape[1]))
    return tuple(factors)


@settings(deadline=None)
@given(factors=products(6))
def test_the_plan_is_the_optimum(factors: Factors) -> None:
    plan = make_plan(factors)
    costs = list(all_costs(factors))
    assert plan.operations == min(cost for cost, _ in costs)
    assert plan.operations <= min(plan.forward, plan.reverse)
    assert {plan.forward, plan.reverse} <= {cost for cost, _ in costs}


@pytest.mark.parametrize("seed", range(4))
def test_the_plan_is_the_optimum_of_eight(seed: int) -> None:
    sizes = np.random.default_rng(seed).integers(1, 40, size=9)
    factors = tuple(dense(int(a), int(b)) for a, b in itertools.pairwise(sizes))
    assert make_plan(factors).operations == min(cost for cost, _ in all_costs(factors))


@settings(deadline=None)
@given(factors=products(8))
def test_what_is_executed_is_the_product(factors: Factors) -> None:
    matrix = factors[0].to_dense()
    bound = np.abs(matrix)
    for factor in factors[1:]:
        matrix, bound = matrix @ factor.to_dense(), bound @ np.abs(factor.to_dense())
    size = max(bound.max(initial=0.0), 1.0)
    same(execute(factors, make_plan(factors)) / size, matrix / size)
    same(Product(factors).to_dense() / size, matrix / size)


def test_a_waist_is_multiplied_outward() -> None:
    factors = tuple(dense(a, b) for a, b in [(60, 50), (50, 2), (2, 50), (50, 60)])
    plan = make_plan(factors)
    assert plan.bracket == ((0, 1, "columns"), (2, 3, "columns"), "gemm")
    assert 2 * plan.operations < min(plan.forward, plan.reverse)
    assert str(plan) == ("((0 1) (2 3)): 42,240 operations, peak 30.0 KiB (forward 390,720, reverse 390,720)")
    expected = factors[0].to_dense() @ factors[1].to_dense() @ (factors[2].to_dense() @ factors[3].to_dense())
    same(Product(factors).to_dense(), expected)


def test_pure_modes_are_chosen_where_they_are_cheapest() -> None:
    square = [dense(20, 20)] * 3
    reverse, forward = make_plan((dense(1, 20), *square)), make_plan((*square, dense(20, 1)))
    assert str(reverse).startswith("(((0 1) 2) 3): ")
    assert reverse.operations == reverse.reverse < reverse.forward
    assert str(forward).startswith("(0 (1 (2 3))): ")
    assert forward.operations == forward.forward < forward.reverse


def test_prices_know_structure() -> None:
    """As dense matrices both orders cost the same; a Kronecker product is worth applying to the columns."""
    weights, narrow = Kronecker(20, draw(3, 3)), Dense(draw(20, 3, 5), (20, 3))
    plan = Product((weights, narrow)).plan()
    assert plan.bracket == (0, 1, "columns")
    assert plan.operations == 5 * weights.flops + 60 * 5
    assert plan.forward == plan.operations
    assert plan.reverse == 60 * 60 + 60 * narrow.flops + 60 * 5


def test_peak_and_largest_bytes_by_hand() -> None:
    factors = (dense(60, 50), dense(50, 2), dense(2, 70))
    plan = make_plan(factors)
    assert plan.bracket == ((0, 1, "columns"), 2, "rows")
    # the last step holds 60×2, what the factor stores, and 60×70; the first held 60×50, 50×2 and 60×2
    assert plan.peak_bytes == 8 * (60 * 2 + 2 * 70 + 60 * 70)
    assert largest_bytes(factors, plan) == 8 * 60 * 70


def test_free_factors_are_not_applied_to_a_written_out_square() -> None:
    """Selecting costs nothing, but the 10⁵ × 10⁵ entries of a diagonal would have to be there first."""
    n = 100_000
    product = Selection(np.arange(3), (n,)) @ Diagonal(np.ones(n)) @ Selection(np.arange(4), (n,)).T
    tracemalloc.start()
    matrix = product.to_dense()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.array_equal(matrix, np.eye(3, 4))
    assert peak < 64 << 20


def test_steps_are_as_wide_as_the_widest_factor() -> None:
    """A float64 factor that acts on a float32 block does not round its result to float32 on the way."""
    narrow = Dense(draw(5, 3, 2, dtype=np.float32), (5, 3))
    wide = KhatriRao(draw(7, 5), draw(7, 3))
    for factors in ((wide, narrow), (narrow.T, wide.T)):
        expected = factors[0].to_dense().astype(np.float64) @ factors[1].to_dense().astype(np.float64)
        same(Product(factors).to_dense(), expected)


def test_the_plan_is_made_once() -> None:
    product = Product((dense(3, 4), dense(4, 5)))
    assert product.plan() is product.plan()
