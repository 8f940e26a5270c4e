"""Orders of elimination: against all orders, against counts by hand, and what is left against any other order."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jacobians.errors import TooLargeError
from jacobians.graphs.elimination import Cost, Edge, EdgePattern, State, pattern_of, plan_elimination
from jacobians.linops import Commutation, Dense, Diagonal, Identity, Kronecker

Graph = tuple[dict[Edge, EdgePattern], list[int]]


def drawn(rng: random.Random, inner: int) -> Graph:
    """A graph with some inputs and outputs, in which every value is an array of 2 examples, and edges of every kind."""
    inputs, outputs = rng.randint(1, 3), rng.randint(1, 2)
    total = inputs + inner + outputs
    sizes = [2 * rng.randint(1, 4) for _ in range(total)]
    edges: dict[Edge, EdgePattern] = {}
    for value in range(inputs, total):
        for source in range(min(value, inputs + inner)):
            if rng.random() < 0.5 or source == value - 1:
                edges[value, source] = edge(rng, sizes[value], sizes[source])
    return edges, list(range(inputs, inputs + inner))


def edge(rng: random.Random, rows: int, columns: int) -> EdgePattern:
    square = rows == columns
    kind = rng.choice(["dense", "blocks", "shared", "factors", *(["diagonal", "unit"] if square else [])])
    match kind:
        case "diagonal":
            return EdgePattern(rows, columns, counts=((0, 2),), diagonal=True)
        case "unit":
            return EdgePattern(rows, columns, counts=((0, 2),), shared=True, diagonal=True, unit=True)
        case "factors":
            return EdgePattern(rows, columns, factors=((2, 2), (rows // 2, columns // 2)))
        case "dense":
            return EdgePattern(rows, columns)
    return EdgePattern(rows, columns, counts=((0, 2),), shared=kind == "shared")


def spent(edges: dict[Edge, EdgePattern], order: Any) -> tuple[Cost, State]:
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
    edges, inner = graph
    least = min(all_orders(State(edges), tuple(inner), Cost()))
    plan = plan_elimination(edges, inner)
    assert plan.exact
    assert Cost(plan.multiplications, plan.additions, plan.peak_bytes) == least
    assert spent(edges, plan.order)[0] == least


@pytest.mark.parametrize("seed", range(2))
def test_seven_inner_values_against_all_orders(seed: int) -> None:
    edges, inner = drawn(random.Random(seed), 7)
    least = min(all_orders(State(edges), tuple(inner), Cost()))
    assert plan_elimination(edges, inner).multiplications == least.multiplications


@given(graphs, st.randoms(use_true_random=False))
def test_what_is_left_does_not_depend_on_the_order(graph: Graph, rng: random.Random) -> None:
    edges, inner = graph
    gone = [v for v in inner if rng.random() < 0.6]
    other = rng.sample(gone, len(gone))
    one, two = spent(edges, gone)[1], spent(edges, other)[1]
    assert edges_of(one) == edges_of(two)
    assert one.held == two.held


def edges_of(state: State) -> dict[Edge, EdgePattern]:
    return {(value, source): p for value, sources in state.before.items() for source, p in sources.items()}


@settings(max_examples=5)
@given(st.builds(drawn, st.randoms(use_true_random=False), st.integers(13, 16)))
def test_a_heuristic_order_is_no_worse_than_forward_and_reverse(graph: Graph) -> None:
    edges, inner = graph
    plan = plan_elimination(edges, inner)
    assert not plan.exact
    assert sorted(plan.order) == inner
    assert plan.multiplications == spent(edges, plan.order)[0].multiplications
    assert plan.forward == spent(edges, inner)[0].multiplications
    assert plan.reverse == spent(edges, inner[::-1])[0].multiplications
    assert plan.multiplications <= min(plan.forward, plan.reverse)


def test_neither_forward_nor_reverse_is_best() -> None:
    """Lion (Naumann 2004, the counterexample to both modes): a wide middle that narrows at both ends."""
    edges = {(2, 0): (1, 4), (2, 1): (1, 4), (3, 2): (9, 1), (4, 3): (1, 9), (5, 4): (4, 1), (6, 4): (4, 1)}
    plan = plan_elimination({e: EdgePattern(*shape) for e, shape in edges.items()}, [2, 3, 4])
    assert plan.order[0] == 3
    assert plan.multiplications < min(plan.forward, plan.reverse)


def test_a_large_graph_is_planned() -> None:
    edges = {(v, v - 1): EdgePattern(3, 3) for v in range(1, 600)}
    plan = plan_elimination(edges, range(1, 599))
    assert plan.multiplications == 598 * 27


# --- limits ------------------------------------------------------------------------------------------


@given(graphs, st.integers(0, 400))
def test_a_limit_is_kept_or_refused(graph: Graph, limit: int) -> None:
    edges, inner = graph
    costs = list(all_orders(State(edges), tuple(inner), Cost()))
    within = [cost for cost in costs if cost.peak <= limit]
    if not within:
        with pytest.raises(TooLargeError, match=r"plan: no order of elimination .* stays within .*pass limit="):
            plan_elimination(edges, inner, limit)
        return
    plan = plan_elimination(edges, inner, limit)
    assert plan.peak_bytes <= limit
    assert plan.multiplications == min(cost.multiplications for cost in within)


# --- patterns ----------------------------------------------------------------------------------------


def structures() -> Iterator[Any]:
    rng = np.random.default_rng(0)
    yield Diagonal(rng.normal(size=(3, 4))), 12, 0
    yield Kronecker(3, rng.normal(size=(4, 4))), 16, 0
    yield Kronecker(rng.normal(size=(3, 3)), rng.normal(size=(4, 4))), 25, 0
    yield Dense(rng.normal(size=(12, 12)), (12,)), 144, 0
    yield Identity((3, 4)), 12, 0


@pytest.mark.parametrize(("jacobian", "entries", "held"), list(structures()), ids=lambda x: getattr(x, "structure", ""))
def test_the_entries_that_are_stored(jacobian: Any, entries: int, held: int) -> None:
    pattern = pattern_of(jacobian)
    assert (pattern.entries, pattern.bytes_held) == (entries, held)


@pytest.mark.parametrize(
    ("left", "right", "count"),
    [
        (Diagonal(np.ones((3, 4))), Diagonal(np.ones((3, 4))), 12),
        (Kronecker(3, np.ones((5, 4))), Diagonal(np.ones((3, 4))), 3 * 5 * 4),
        (Kronecker(3, np.ones((5, 4))), Kronecker(3, np.ones((4, 2))), 5 * 4 * 2),
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
    assert pattern_of(left).multiplications(pattern_of(right)) == count
