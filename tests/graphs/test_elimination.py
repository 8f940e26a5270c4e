"""Orders of elimination: against all orders, against counts by hand, and what is left against any other order."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jacobians.errors import TooLargeError
from jacobians.graphs.elimination import Cost, Edge, State, eliminated, plan_elimination, price_of
from jacobians.linops import Commutation, Dense, Diagonal, Identity, Jacobian, Kronecker, Product
from jacobians.linops.pattern import Pattern, pattern_of
from tests.linops.comparing import draw
from tests.linops.test_planning import nets, products

Graph = tuple[dict[Edge, Jacobian], list[int]]
EXAMPLES = 2


def drawn(rng: random.Random, inner: int) -> Graph:
    """A graph with some inputs and outputs, in which every value is an array of 2 examples, and edges of every kind."""
    inputs, outputs = rng.randint(1, 3), rng.randint(1, 2)
    total = inputs + inner + outputs
    widths = [rng.randint(1, 4) for _ in range(total)]
    edges: dict[Edge, Jacobian] = {}
    for value in range(inputs, total):
        for source in range(min(value, inputs + inner)):
            if rng.random() < 0.5 or source == value - 1:
                edges[value, source] = edge(rng, widths[value], widths[source])
    return edges, list(range(inputs, inputs + inner))


def edge(rng: random.Random, p: int, q: int) -> Jacobian:
    kinds = ["dense", "blocks", "weights", "inputs", "factors"]
    if p == q:
        kinds += ["diagonal", "unit", "minus", "twice", *(["turned"] if p == EXAMPLES else [])]
    seed = rng.randrange(1000)
    match rng.choice(kinds):
        case "diagonal":
            return Diagonal(draw(EXAMPLES, p, seed=seed))
        case "unit":
            return Identity((EXAMPLES, p))
        case "minus":
            return -Identity((EXAMPLES, p))
        case "twice":
            return 2.0 * Identity((EXAMPLES, p))
        case "turned":
            return Commutation(p, EXAMPLES)
        case "dense":
            return Dense(draw(EXAMPLES, p, EXAMPLES, q, seed=seed), (EXAMPLES, p))
        case "weights":
            return Kronecker(EXAMPLES, draw(p, q, seed=seed))
        case "inputs" if p == q:
            return Kronecker(draw(EXAMPLES, EXAMPLES, seed=seed), p)
        case "factors":
            return -1.0 * Kronecker(draw(EXAMPLES, EXAMPLES, seed=seed), draw(p, q, seed=seed + 1))
    return Product((Kronecker(EXAMPLES, draw(p, q, seed=seed)), Diagonal(draw(EXAMPLES, q, seed=seed))))


def patterns(edges: dict[Edge, Jacobian]) -> dict[Edge, Pattern]:
    return {ends: pattern_of(jacobian) for ends, jacobian in edges.items()}


def spent(edges: dict[Edge, Pattern], order: Any) -> tuple[Cost, State]:
    state, cost = State(edges), Cost()
    for v in order:
        cost = cost.then(state.price(v))
        state.eliminate(v)
    return cost, state


def all_orders(state: State, left: tuple[int, ...], cost: Cost) -> Iterator[Cost]:
    """What every order costs."""
    if not left:
        yield cost
    for v in left:
        after = state.copy()
        after.eliminate(v)
        yield from all_orders(after, tuple(u for u in left if u != v), cost.then(state.price(v)))


graphs = st.builds(drawn, st.randoms(use_true_random=False), st.integers(0, 4))


@given(graphs)
def test_the_best_of_all_orders(graph: Graph) -> None:
    edges, inner = patterns(graph[0]), graph[1]
    least = min(all_orders(State(edges), tuple(inner), Cost()))
    best, forward, reverse, exact = plan_elimination(edges, inner)
    assert exact
    assert Cost(best.operations, best.multiplications, best.bytes_built, best.peak_bytes) == least
    assert spent(edges, best.order)[0] == least
    assert best.operations <= min(forward.operations, reverse.operations)


@pytest.mark.parametrize("seed", range(2))
def test_seven_inner_values_against_all_orders(seed: int) -> None:
    graph, inner = drawn(random.Random(seed), 7)
    edges = patterns(graph)
    # what is left does not depend on the order (see below), so each set is priced once for all that end with it
    priced = {
        gone: {v: spent(edges, [*gone])[1].price(v).operations for v in inner if v not in gone}
        for size in range(7)
        for gone in itertools.combinations(inner, size)
    }
    costs = (
        sum(priced[tuple(sorted(order[:k]))][order[k]] for k in range(7)) for order in itertools.permutations(inner)
    )
    assert plan_elimination(edges, inner).best.operations == min(costs)


@given(graphs, st.randoms(use_true_random=False))
def test_what_is_left_does_not_depend_on_the_order(graph: Graph, rng: random.Random) -> None:
    """Neither what a set's elimination leaves to be priced, nor the Jacobians that it leaves."""
    edges, inner = patterns(graph[0]), graph[1]
    gone = [v for v in inner if rng.random() < 0.6]
    other = rng.sample(gone, len(gone))
    one, two = spent(edges, gone)[1], spent(edges, other)[1]
    assert one.edges() == two.edges()
    assert one.held == two.held
    first, second = eliminated(graph[0], gone), eliminated(graph[0], other)
    assert first.keys() == second.keys() == one.edges().keys()
    for ends, jacobian in first.items():
        matrix = jacobian.to_dense()
        np.testing.assert_allclose(second[ends].to_dense(), matrix, rtol=0, atol=1e-9 * max(1, abs(matrix).max()))


@given(graphs)
def test_what_is_built_is_what_was_planned(graph: Graph) -> None:
    """Every edge that is left has the structure and the size that it was priced with."""
    edges, inner = graph
    planned, built = spent(patterns(edges), inner)[1].edges(), eliminated(edges, inner)
    for ends, pattern in planned.items():
        own = pattern_of(built[ends])
        if pattern.kind != "moves":  # a transpose of a transpose is known to be the identity only then
            assert (own.kind or "", own.entries) == (pattern.kind, pattern.entries)
        assert own.flops <= pattern.flops or not pattern.built
        assert (own.rows, own.columns, own.rank) == (pattern.rows, pattern.columns, pattern.rank)


@given(graphs)
def test_what_is_left_in_the_end_is_the_sum_over_paths(graph: Graph) -> None:
    edges, inner = graph
    matrices = {ends: jacobian.to_dense() for ends, jacobian in edges.items()}
    last = max(value for value, _ in edges)
    for (value, source), jacobian in eliminated(edges, inner).items():
        found = {source: np.eye(jacobian.shape[1])}
        for v in range(source + 1, last + 1):
            terms = [matrices[v, u] @ found[u] for u in found if (v, u) in matrices and u in (source, *inner)]
            if terms:
                found[v] = sum(terms)
        expected = found[value]
        bound = 1e-9 * max(1, abs(expected).max())
        np.testing.assert_allclose(jacobian.to_dense(), expected, rtol=0, atol=bound)


@settings(max_examples=5)
@given(st.builds(drawn, st.randoms(use_true_random=False), st.integers(13, 16)))
def test_a_heuristic_order_is_no_worse_than_forward_and_reverse(graph: Graph) -> None:
    edges, inner = patterns(graph[0]), graph[1]
    best, forward, reverse, exact = plan_elimination(edges, inner)
    assert not exact
    assert sorted(best.order) == inner
    for found in (best, forward, reverse):
        cost = spent(edges, found.order)[0]
        assert cost == (found.operations, found.multiplications, found.bytes_built, found.peak_bytes)
    assert forward.order == tuple(inner)
    assert reverse.order == tuple(inner[::-1])
    assert best.operations <= min(forward.operations, reverse.operations)


def matrix(rows: int, columns: int) -> Pattern:
    return pattern_of(Dense(np.ones((rows, columns)), (rows,)))


def test_neither_forward_nor_reverse_is_best() -> None:
    """Lion (Naumann 2004, the counterexample to both modes): a wide middle that narrows at both ends."""
    edges = {(2, 0): (1, 4), (2, 1): (1, 4), (3, 2): (9, 1), (4, 3): (1, 9), (5, 4): (4, 1), (6, 4): (4, 1)}
    best, forward, reverse, _ = plan_elimination({e: matrix(*shape) for e, shape in edges.items()}, [2, 3, 4])
    assert best.order[0] == 3
    assert best.operations < min(forward.operations, reverse.operations)


def test_a_large_graph_is_planned() -> None:
    edges = {(v, v - 1): matrix(3, 3) for v in range(1, 600)}
    best = plan_elimination(edges, range(1, 599)).best
    assert best.multiplications == 598 * 27


# --- a chain is a graph with one path ------------------------------------------------------------------


@settings(max_examples=40)
@given(factors=st.one_of(products(5), nets(4)))
def test_a_product_of_two_costs_what_the_chain_of_two_costs(factors: Any) -> None:
    for left, right in itertools.pairwise(factors):
        one, two = pattern_of(left), pattern_of(right)
        price, chain = price_of(one, two), Product((left, right))
        if price.product.kind == "" and price.product.axis is None:
            assert price.operations == chain.plan().operations
        elif price.product.kind == "":
            assert price.operations == chain._way(price.product.axis).operations


@pytest.mark.parametrize("seed", range(4))
def test_on_a_chain_of_matrices_both_plans_are_one(seed: int) -> None:
    sizes = np.random.default_rng(seed).integers(1, 40, size=9)
    factors = [Dense(draw(int(a), int(b)), (int(a),)) for a, b in itertools.pairwise(sizes)]
    plan = Product(tuple(factors)).plan()
    last = len(factors)
    edges = {(last - k, last - k - 1): pattern_of(factor) for k, factor in enumerate(factors)}
    best, forward, reverse, _ = plan_elimination(edges, range(1, last))
    assert best.operations == plan.operations
    assert (forward.operations, reverse.operations) == (plan.forward, plan.reverse)


# --- limits ------------------------------------------------------------------------------------------


@given(graphs, st.integers(0, 1600))
def test_a_limit_is_kept_or_refused(graph: Graph, limit: int) -> None:
    edges, inner = patterns(graph[0]), graph[1]
    costs = list(all_orders(State(edges), tuple(inner), Cost()))
    within = [cost for cost in costs if cost.peak <= limit]
    if not within:
        with pytest.raises(TooLargeError, match=r"plan: no order of elimination .* stays within .*pass limit="):
            plan_elimination(edges, inner, limit)
        return
    best = plan_elimination(edges, inner, limit).best
    assert best.peak_bytes <= limit
    assert best.operations == min(cost.operations for cost in within)


# --- patterns ----------------------------------------------------------------------------------------


def structures() -> Iterator[Any]:
    rng = np.random.default_rng(0)
    yield Diagonal(rng.normal(size=(3, 4))), 12
    yield Kronecker(3, rng.normal(size=(4, 4))), 16
    yield Kronecker(rng.normal(size=(3, 3)), rng.normal(size=(4, 4))), 25
    yield Dense(rng.normal(size=(12, 12)), (12,)), 144
    yield Identity((3, 4)), 12


@pytest.mark.parametrize(("jacobian", "entries"), list(structures()), ids=lambda x: getattr(x, "structure", ""))
def test_the_entries_that_are_stored(jacobian: Any, entries: int) -> None:
    pattern = pattern_of(jacobian)
    assert (pattern.entries, pattern.bytes_held) == (entries, 0)


@pytest.mark.parametrize(
    ("left", "right", "count"),
    [
        (Diagonal(np.ones((3, 4))), Diagonal(np.ones((3, 4))), 12),
        (Kronecker(3, np.ones((5, 4))), Diagonal(np.ones((3, 4))), 3 * 5 * 4),
        (Kronecker(3, np.ones((5, 4))), Kronecker(3, np.ones((4, 2))), 5 * 4 * 2),
        # one product for each entry of the result
        (
            Product((Diagonal(np.ones((3, 5))), Kronecker(3, np.ones((5, 4))))),
            Kronecker(np.ones((3, 7)), 4),
            3 * 5 * 7 * 4,
        ),
        (
            Kronecker(np.ones((6, 3)), np.ones((5, 4))),
            Kronecker(np.ones((3, 7)), np.ones((4, 2))),
            6 * 3 * 7 + 5 * 4 * 2,
        ),
        (Dense(np.ones((2, 3, 4)), (2,)), Diagonal(np.ones((3, 4))), 24),
        (Dense(np.ones((2, 3, 4)), (2,)), Kronecker(3, np.ones((4, 5))), 2 * 12 * 5),
        (Dense(np.ones((2, 3, 4)), (2,)), Identity((3, 4)), 0),
        (Dense(np.ones((2, 3, 4)), (2,)), Commutation(4, 3), 0),
    ],
    ids=str,
)
def test_multiplications(left: Any, right: Any, count: int) -> None:
    assert price_of(pattern_of(left), pattern_of(right)).multiplications == count
