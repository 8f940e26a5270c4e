"""Chains that begin alike, as a deep net's parameters do: what they share is priced once and multiplied out once."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jacobians import Network
from jacobians.linops import BlockDiagonal, BlockRow, Dense, Diagonal, Kronecker, Product
from jacobians.linops.planning import Beginning, Bracketing, Way, patterns_of
from tests.linops.all_bracketings import Factors
from tests.linops.comparing import draw
from tests.linops.conftest import Count
from tests.linops.test_planning import autoencoder, dense


def layers(examples: int, outputs: int, width: int, depth: int) -> list[Product]:
    """∂Z/∂W of every layer of a net of equal widths but the last layer's, the last one first."""
    first = Kronecker(examples, draw(outputs, width))
    sweep: Factors = (first, Diagonal(draw(examples, width)))
    found = []
    for _ in range(depth):
        found.append(Product((*sweep, Kronecker(draw(examples, width), width))))
        sweep = (*sweep, Kronecker(examples, draw(width, width)), Diagonal(draw(examples, width)))
    return found


@pytest.mark.parametrize("depth", [2, 4, 8])
def test_all_layers_together_cost_one_sweep(depth: int, count: Count) -> None:
    """A layer on: 2·K·h² + K·h operations an example; each entry of the matrix is written by one."""
    examples, outputs, width = 6, 3, 20
    row = BlockRow(tuple(reversed(layers(examples, outputs, width, depth))))
    row.to_dense()
    sweep = examples * outputs * ((depth - 1) * 2 * width**2 + depth * width)
    assert count.operations == pytest.approx(sweep + row.shape[0] * row.shape[1], rel=0.03)


@pytest.mark.parametrize("activation", ["sigmoid", "relu"])
@pytest.mark.parametrize("loss", ["squared_error", "cross_entropy"])
@pytest.mark.parametrize("of", ["output", "losses"])
def test_the_blocks_together_are_the_blocks_one_by_one(activation: str, loss: str, of: str) -> None:
    net = Network.dense((5, 4, 6, 4, 3), activation=activation, loss=loss)
    params = net.init(np.random.default_rng(0))
    Y = np.arange(7) % 3 if loss == "cross_entropy" else draw(7, 3)
    run = net.run(params, draw(7, 5), Y)
    apart = [run.jacobian(name, of=of).to_dense() for name in net.convention.packing_order(params)]
    np.testing.assert_allclose(run.parameter_jacobian(of).to_dense(), np.hstack(apart), rtol=1e-12, atol=1e-14)


def test_other_factors_in_the_same_places_are_not_taken_for_the_same() -> None:
    """Two chains with one bracket whose second factors differ, and two that differ in the first."""
    first, last = Kronecker(6, draw(3, 8)), Kronecker(draw(6, 8), 8)
    chains = [Product((first, Diagonal(draw(6, 8, seed=seed)), last)) for seed in (7, 8)]
    chains.append(Product((Kronecker(6, draw(3, 8, seed=9)), chains[0].factors[1], last)))
    row = BlockRow(tuple(chains))
    assert len({str(c.plan()) for c in chains}) == 1
    np.testing.assert_allclose(row.to_dense(), np.hstack([c.to_dense() for c in chains]), rtol=1e-13)


def test_what_is_remembered_is_a_beginning_with_its_bracket_and_axis() -> None:
    factors = autoencoder(5, (6, 4, 6))
    blocks = draw(5, 2, 3)
    begun = Beginning()
    assert begun.known(factors, (0, 1, "rows"), 0) is None
    begun.keep(factors, (1, 2, "rows"), 0, blocks)  # no beginning
    assert begun.known(factors, (1, 2, "rows"), 0) is None
    begun.keep(factors, (0, 1, "rows"), 0, blocks)
    assert begun.known(factors, (0, 1, "rows"), 0) is blocks
    assert begun.known(factors[:2], (0, 1, "rows"), 0) is blocks
    assert begun.known(factors, (0, 1, "rows"), -1) is None
    assert begun.known(factors, (0, 1, "columns"), 0) is None
    assert begun.known(factors[1:], (0, 1, "rows"), 0) is None
    begun.keep(factors, ((0, 1, "rows"), 2, "rows"), 0, blocks[1:])
    assert begun.known(factors, (0, 1, "rows"), 0) is None


@settings(max_examples=60)
@given(
    widths=st.lists(st.integers(1, 30), min_size=4, max_size=7),
    shared=st.integers(1, 5),
    mode=st.sampled_from(["any", "forward", "reverse"]),
    thrifty=st.booleans(),
)
def test_prices_of_a_chain_that_begins_alike(widths: list[int], shared: int, mode: str, thrifty: bool) -> None:
    prices_agree(widths, shared, mode, thrifty)


def prices_agree(widths: list[int], shared: int, mode: str, thrifty: bool) -> None:
    chain = tuple(dense(a, b) for a, b in itertools.pairwise(widths))
    ends = chain[:shared]
    other = (*ends, dense(ends[-1].domain[0], 7), dense(7, 11))
    known = Bracketing(patterns_of(chain), mode, thrifty=thrifty)
    known.ways(0, len(chain) - 1)
    fresh = Bracketing(patterns_of(other), mode, thrifty=thrifty)
    assert known.of(patterns_of(other)).ways(0, len(other) - 1) == fresh.ways(0, len(other) - 1)


def test_only_what_both_begin_with_is_taken_over() -> None:
    first, second, third = dense(9, 8), dense(8, 7), dense(7, 6)
    known = Bracketing(patterns_of((first, second, third)))
    known.ways(0, 2)
    assert set(known.of(patterns_of((first, second, dense(7, 5))))._known) == {(0, 0, None), (1, 1, None), (0, 1, None)}
    narrow = Bracketing(patterns_of([Dense(np.ones((9, 8), np.float32), (9,))]))
    narrow.ways(0, 0)
    # bytes are counted in the widest dtype of a chain
    assert not narrow.of((narrow.factors[0], *patterns_of([second])))._known
    assert narrow.of(narrow.factors)._known


def test_layers_are_priced_once() -> None:
    """Of a stretch of factors that two layers' chains begin with, the second asks for no price."""
    row = BlockRow(tuple(reversed(layers(6, 3, 20, 4))))
    begun: list[tuple[tuple[int, ...], int | None]] = []
    by_matrix, by_blocks = Bracketing._as_matrix, Bracketing._as_blocks

    def note(self: Bracketing, first: int, last: int, axis: int | None) -> None:
        if first == 0:
            begun.append((tuple(map(id, self.factors[: last + 1])), axis))

    def as_matrix(self: Bracketing, first: int, last: int) -> list[Way]:
        note(self, first, last, None)
        return by_matrix(self, first, last)

    def as_blocks(self: Bracketing, first: int, last: int, axis: int) -> list[Way]:
        note(self, first, last, axis)
        return by_blocks(self, first, last, axis)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Bracketing, "_as_matrix", as_matrix)
        patch.setattr(Bracketing, "_as_blocks", as_blocks)
        row.to_dense()
    assert len(begun) > 4
    assert len(set(begun)) == len(begun)


def test_no_blocks_are_shared_by_chains_of_which_one_stores_its_own() -> None:
    """A BlockDiagonal at the beginning is stored; nothing is computed for it, and nothing lost."""
    stored = BlockDiagonal(draw(6, 3, 8), (6, 3), (6, 8))
    chains = tuple(Product((stored, Kronecker(draw(6, 4), 8))) for _ in range(2))
    found = BlockRow(chains).to_dense()
    np.testing.assert_allclose(found, np.hstack([c.to_dense() for c in chains]), rtol=1e-13)
