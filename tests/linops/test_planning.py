"""The cheapest bracketing, against every bracketing tried one by one."""

from __future__ import annotations

import itertools
import tracemalloc
from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jacobians.errors import TooLargeError
from jacobians.linops import (
    BlockDiagonal,
    Commutation,
    Denominator,
    Dense,
    Diagonal,
    DiagonalMinusOuter,
    Jacobian,
    KhatriRao,
    Kronecker,
    LowRank,
    Product,
    Reshape,
    Scaled,
    Selection,
)
from jacobians.linops.planning import Plan, Way, fill, least_bytes, make_plan, within
from tests.linops import makers
from tests.linops.all_bracketings import Factors, every
from tests.linops.comparing import draw, same
from tests.linops.dense_twins import Numbers


def dense(rows: int, columns: int) -> Jacobian:
    return Dense(draw(rows, columns, seed=rows + 100 * columns), (rows,))


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


def layer(draw_: st.DrawFn, examples: int, outputs: int, axis: int) -> Jacobian:
    """A factor that keeps examples apart, with this many outputs of each."""
    kind = draw_(st.sampled_from(["weights", "weights", "diagonal", "outer", "blocks", "kept", "placed"]))
    inputs = draw_(st.integers(1, 9))

    def shape(width: int) -> tuple[int, int]:
        return (examples, width) if axis == 0 else (width, examples)

    key = (slice(None), slice(0, outputs)) if axis == 0 else (slice(0, outputs), slice(None))
    match kind:
        case "weights":
            W = draw(outputs, inputs)
            return Kronecker(examples, W) if axis == 0 else Kronecker(W, examples)
        case "diagonal":
            return Diagonal(draw(*shape(outputs)))
        case "outer":
            return DiagonalMinusOuter(*(draw(*shape(outputs), seed=k) for k in range(3)), -1 - axis)
        case "blocks":
            return BlockDiagonal(draw(examples, outputs, inputs), shape(outputs), shape(inputs), axis)
        case "kept":
            return Selection(key, shape(outputs + inputs))
    place = (slice(None), slice(0, max(1, outputs - 1))) if axis == 0 else (slice(0, max(1, outputs - 1)), slice(None))
    return Selection(place, shape(outputs)).T


@st.composite
def nets(draw_: st.DrawFn, longest: int) -> Factors:
    """Layers of a net that act on one example at a time, and at the end perhaps a weight's own Jacobian."""
    examples, axis = draw_(st.integers(1, 6)), draw_(st.sampled_from([0, -1]))
    outputs = draw_(st.integers(1, 9))
    factors = [layer(draw_, examples, outputs, axis)]
    for _ in range(draw_(st.integers(2, longest)) - 1):
        shape = factors[-1].domain
        factors.append(layer(draw_, examples, shape[1] if axis == 0 else shape[0], axis))
    width = factors[-1].domain[1 if axis == 0 else 0]
    if draw_(st.booleans()):
        flat = Reshape((examples, 1, outputs) if axis == 0 else (outputs, 1, examples), factors[0].codomain)
        factors.insert(0, flat)
    match draw_(st.sampled_from(["inputs", "weights", "turned", "bias"])):
        case "weights" | "turned" as end:
            X = draw(examples, draw_(st.integers(1, 9)))
            factors.append(Kronecker(X, width) if axis == 0 else Kronecker(width, X))
            if end == "turned":
                factors.append(Commutation(*factors[-1].domain[::-1]))
        case "bias":
            ones = np.ones((examples, 1))
            factors.append(Kronecker(ones, width) if axis == 0 else Kronecker(width, ones))
            factors.append(Reshape(factors[-1].domain, (width,)))
    return tuple(factors)


@settings(deadline=None)
@given(factors=st.one_of(products(6), nets(5)))
def test_the_plan_is_the_optimum(factors: Factors) -> None:
    plan = make_plan(factors)
    costs = list(every(factors))
    assert plan.operations == min(spent for spent, _, _ in costs)
    assert plan.operations <= min(plan.forward, plan.reverse)
    for mode, operations in (("forward", plan.forward), ("reverse", plan.reverse)):
        assert operations == min(spent for spent, _, _ in every(factors, mode)), mode


@settings(deadline=None)
@given(factors=st.one_of(products(5), nets(4)), share=st.floats(0, 1))
def test_the_plan_stays_within_its_limit_or_says_what_is_least(factors: Factors, share: float) -> None:
    costs = list(every(factors))
    least, most = min(peak for _, peak, _ in costs), max(peak for _, peak, _ in costs)
    limit = int(least + share * (most - least))
    plan = make_plan(factors, limit)
    assert plan.peak_bytes <= limit
    assert plan.operations == min(spent for spent, peak, _ in costs if peak <= limit)
    if least:
        with pytest.raises(TooLargeError, match=rf"^plan: no bracketing of .* stays within .*: pass limit={least}, or"):
            make_plan(factors, least - 1)


@pytest.mark.parametrize("seed", range(4))
def test_the_plan_is_the_optimum_of_eight(seed: int) -> None:
    sizes = np.random.default_rng(seed).integers(1, 40, size=9)
    factors = tuple(dense(int(a), int(b)) for a, b in itertools.pairwise(sizes))
    assert make_plan(factors).operations == min(spent for spent, _, _ in every(factors))


@pytest.mark.parametrize("widths", [(9, 2, 8, 3, 7), (3, 4, 5, 6, 7), (8, 8, 1, 8, 8)])
def test_the_plan_is_the_optimum_of_eight_with_examples(widths: tuple[int, ...]) -> None:
    """Four layers and four activations: weights that all examples share, and a diagonal for each example."""
    factors = autoencoder(5, widths)
    assert len(factors) == 8
    assert make_plan(factors).operations == min(spent for spent, _, _ in every(factors))


def autoencoder(examples: int, widths: tuple[int, ...]) -> Factors:
    """∂A/∂X of a net of these widths, with an activation after every layer."""
    factors: list[Jacobian] = []
    for n_in, n_out in itertools.pairwise(widths):
        factors = [Diagonal(draw(examples, n_out)), Kronecker(examples, draw(n_out, n_in)), *factors]
    return tuple(factors)


@settings(deadline=None)
@given(factors=st.one_of(products(8), nets(7)))
def test_what_is_executed_is_the_product(factors: Factors) -> None:
    matrix = factors[0].to_dense()
    bound = np.abs(matrix)
    for factor in factors[1:]:
        matrix, bound = matrix @ factor.to_dense(), bound @ np.abs(factor.to_dense())
    size = max(bound.max(initial=0.0), 1.0)
    same(executed(factors, make_plan(factors)) / size, matrix / size)
    same(Product(factors).to_dense() / size, matrix / size)


def executed(factors: Factors, plan: Plan) -> np.ndarray:
    out = np.empty(factors[0].codomain + factors[-1].domain, np.result_type(*(f.dtype for f in factors)))
    fill(factors, plan.bracket, out)
    return out.reshape(factors[0].shape[0], factors[-1].shape[1])


def test_a_waist_is_multiplied_outward() -> None:
    factors = tuple(dense(a, b) for a, b in [(60, 50), (50, 2), (2, 50), (50, 60)])
    plan = make_plan(factors)
    assert plan.bracket == ((0, 1, "rows"), (2, 3, "rows"), "gemm")
    assert 9 * plan.operations < min(plan.forward, plan.reverse)
    assert str(plan) == ("((0 1) (2 3)): 38,400 operations, peak 30.0 KiB (forward 384,000, reverse 384,000)")
    expected = factors[0].to_dense() @ factors[1].to_dense() @ (factors[2].to_dense() @ factors[3].to_dense())
    same(Product(factors).to_dense(), expected)


def test_a_waist_with_examples_is_multiplied_outward_example_by_example() -> None:
    plan = make_plan(autoencoder(16, (784, 256, 32, 256, 784))[1:])
    assert str(plan).startswith("[(0 (1 2)) ((3 (4 5)) 6)]: 1,198,194,688 operations, peak 1.3 GiB (forward 5,610,")
    assert 4 * plan.operations < min(plan.forward, plan.reverse)


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
    assert plan.operations == 5 * weights.flops
    assert plan.forward == plan.operations
    assert plan.reverse == 60 * 60 + 60 * narrow.flops


def test_peak_bytes_by_hand() -> None:
    factors = (dense(60, 50), dense(50, 2), dense(2, 70))
    plan = make_plan(factors)
    assert plan.bracket == ((0, 1, "rows"), 2, "rows")
    # the factors store theirs; built are 60×2 and 60×70
    assert plan.peak_bytes == 8 * (60 * 2 + 60 * 70)
    assert Product(factors).to_dense(limit=plan.peak_bytes).shape == (60, 70)


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


def test_a_limit_costs_operations() -> None:
    product = Product(tuple(dense(m, n) for m, n in [(10, 80), (80, 10), (10, 80), (80, 5)]))
    free, tight = product.plan(), product.plan(limit=2_000)
    assert (free.operations, free.peak_bytes) == (24_000, 4_000)
    assert (tight.operations, tight.peak_bytes) == (25_000, 1_600)
    expected = product.to_dense()
    for limit in (4_000, 1_600):
        held = product.to_dense(limit=limit)
        same(held, expected)
    with pytest.raises(TooLargeError, match=r"over the limit of 1.6 KiB; use .*, or pass limit=1600$"):
        product.to_dense(limit=1_599)


def test_a_limit_is_passed_through_the_denominator_layout(monkeypatch: pytest.MonkeyPatch) -> None:
    product = Product(tuple(dense(m, n) for m, n in [(10, 80), (80, 10), (10, 80), (80, 5)]))
    taken: list[int] = []

    def noted(factors: Factors, limit: int) -> Way:
        taken.append(limit)
        return within(factors, limit)

    monkeypatch.setattr("jacobians.linops.products_and_sums.within", noted)
    same(Denominator(product).to_dense(limit=1_600), product.to_dense().T)
    assert taken == [1_600]


def chains_like_those_with_a_way_of_their_own() -> list[Factors]:
    """Ends that look like those with a way of their own: reshapings, inputs, losses."""
    blocks, kronecker, dense = makers.blocks, makers.kronecker, makers.dense
    makes = [
        [makers.diagonal(4), dense((4,), (2, 3)), makers.reshape((2, 3), (6,))],
        [makers.reshape((6,), (2, 3)), dense((2, 3), (4,)), makers.diagonal(4)],
        [blocks((3, 1, 4), (3,), (3, 4)), kronecker((3, 5), 4)],
        [blocks((3, 1, 4), (3,), (4, 3), -1), kronecker(4, (3, 5))],
        [blocks((3, 2, 4), (3, 2), (3, 4)), kronecker((3, 5), (4, 6))],
        [blocks((3, 2, 4), (2, 3), (4, 3), -1), kronecker((4, 6), (3, 5))],
        [blocks((3, 2, 4), (3, 2), (3, 4)), kronecker(3, 4)],
        [dense((3,), (4, 1, 5)), makers.reshape((4, 1, 5), (4, 5))],
        [makers.reshape((1, 6), (6,)), dense((6,), (4,))],
        [dense((3,), (4, 5)), makers.commutation(5, 4)],
        [makers.reshape((3, 4), (3, 1, 4)), blocks((3, 4, 5), (3, 1, 4), (3, 5))],
        [makers.diagonal(0, 2), kronecker(0, (2, 3)), kronecker(0, (3, 2)), makers.diagonal(0, 2)],
        [makers.diagonal(1, 2), kronecker(1, (2, 3)), makers.minus_outer((1, 3), -1), kronecker(1, (3, 2))],
    ]
    every_row, kept = slice(None), makers.slices
    makes += [  # where blocks cost more than a bracket which writes a matrix, or hold more on one side
        [
            kept((every_row, slice(1)), (1, 2)),
            makers.transposed(kept((every_row, slice(1)), (1, 2))),
            kronecker(1, (1, 9)),
            kronecker(1, (9, 9)),
        ],
        [
            makers.transposed(kept((every_row, slice(2)), (2, 9))),
            *(kronecker(2, size) for size in ((2, 5), (5, 2), (2, 1))),
        ],
        [
            makers.transposed(kept((every_row, slice(2)), (3, 9))),
            kept((every_row, slice(2)), (3, 5)),
            kronecker(3, (5, 1)),
            blocks((3, 1, 2), (3, 1), (3, 2)),
        ],
        [kronecker(1, (2, 1)), kept((every_row, slice(1)), (1, 2)), makers.diagonal(1, 2)],
        [kronecker(2, size) for size in ((1, 2), (2, 1), (1, 2), (2, 9), (9, 5))],
    ]
    return [tuple(make(Numbers(seed=k))[0] for k, make in enumerate(chain)) for chain in makes]


@pytest.mark.parametrize("factors", chains_like_those_with_a_way_of_their_own(), ids=lambda f: Product(f).structure)
def test_the_plan_is_the_optimum_at_the_ends_too(factors: Factors) -> None:
    """Within every limit, in pure modes, and what is carried out is the product."""
    costs, plan = [*every(factors)], make_plan(factors)
    assert plan.operations == min(spent for spent, _, _ in costs)
    for mode, operations in (("forward", plan.forward), ("reverse", plan.reverse)):
        assert operations == min(spent for spent, _, _ in every(factors, mode)), mode
    peaks = sorted({peak for _, peak, _ in costs})
    assert least_bytes(factors) == peaks[0]
    for limit in peaks:
        tight = make_plan(factors, limit)
        assert tight.peak_bytes <= limit
        assert tight.operations == min(spent for spent, peak, _ in costs if peak <= limit)
    same(Product(factors).to_dense(), reduce(np.matmul, [f.to_dense() for f in factors]))


def test_blocks_meet_a_multiple_of_a_kronecker_product_entry_by_entry() -> None:
    """A random graph found it: the product below a minus sign was taken for a Kronecker product."""
    rng = np.random.default_rng(0)
    blocks = BlockDiagonal(rng.normal(size=(3, 2, 4)), (3, 2), (3, 4))
    for scale in (1.0, -1.0):
        inputs = Scaled(scale, Kronecker(rng.normal(size=(3, 5)), 4))
        out = np.empty((3, 2, 5, 4))
        fill((blocks, inputs), ((0, 0), 1, "outer"), out)
        np.testing.assert_allclose(out.reshape(6, 20), blocks.to_dense() @ inputs.to_dense(), rtol=1e-13, atol=1e-15)
