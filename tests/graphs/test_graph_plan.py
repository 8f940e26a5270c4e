"""A graph's plan: what it shows, that carrying it out gives the sweeps' Jacobians, and what it takes then."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians.errors import GraphError, LayoutError, TooLargeError
from jacobians.graphs import Graph, GraphJacobian, Value, graph_jacobian
from jacobians.linops import BlockDiagonal, Dense, Zero
from jacobians.testing import assert_jacobian_laws
from jacobians.testing.random_graphs import random_graph
from tests.counted_products import note_products
from tests.linops.comparing import draw


def tied(examples: int = 6, features: int = 5, hidden: int = 3) -> tuple[Value, ...]:
    """A tied autoencoder: its inputs, and its output."""
    arrays = {"X": draw(examples, features), "W": draw(features, hidden), "b": draw(hidden), "c": draw(features)}
    X, W, b, c = jac.values(**arrays)
    return X, W, b, c, (jac.tanh(X @ W + b) @ W.T + c).named("Y")


def check(graph: Graph) -> None:
    """In the best order, forward, reverse and in another, what comes out is what sweeps give."""
    swept = [[of.jacobian(by).numerator.to_dense("C") for by in graph.inputs] for of in graph.outputs]
    expected = np.block(swept)
    room = 1e-3 if expected.dtype == np.float32 else 1e-9
    bound = {"rtol": 0, "atol": room * (1 + abs(expected).max(initial=0))}
    plan = graph.plan()
    np.testing.assert_allclose(plan.dense(), expected, **bound)
    mixed = np.random.default_rng(len(plan.names)).permutation(list(plan.names)).tolist()
    for order in (plan.forward.order, plan.reverse.order, mixed):
        found = np.block([[j.to_dense() for j in row] for row in plan.jacobians(order)])
        np.testing.assert_allclose(found, expected, **bound)
    assert plan.operations <= min(plan.forward.operations, plan.reverse.operations)


@pytest.mark.parametrize("start", range(0, 40, 10))
def test_random_graphs_in_every_order(start: int) -> None:
    for seed in range(start, start + 10):
        case = random_graph(seed)
        inputs = jac.values(**case.arrays)
        results = case.results(inputs)
        with np.errstate(all="ignore"):
            check(Graph([results[-1], results[len(results) // 2]], inputs))


def test_outputs_and_inputs_may_lie_between() -> None:
    """An output that goes on to another, an input that came from another, one that is both, and one apart."""
    X, W, b, c, Y = tied()
    H = jac.tanh(X @ W)
    Z = (H * 2.0 + X @ W) @ W.T
    check(Graph([Z, H], [W, X]))
    check(Graph([Z], [H, W]))
    check(Graph([Z, H], [H, X]))
    plan = Graph([Z, H], [H, b]).plan()
    assert isinstance(plan.jacobians()[0][1], Zero)
    np.testing.assert_array_equal(plan.jacobians()[1][0].to_dense(), np.eye(H.size))
    assert Y.plan(Y).dense().shape == (30, 30)
    assert Y.plan(c, b, "W", X).dense().shape == (30, 5 + 3 + 15 + 30)


def test_structures_are_kept() -> None:
    X, _, _, _, Y = tied()
    (blocks,) = Y.plan(X).jacobians()[0]
    assert isinstance(blocks, BlockDiagonal)
    assert blocks.blocks.shape == (6, 5, 5)


def test_a_value_used_twice_in_one_operation() -> None:
    (A,) = jac.values(A=draw(3, 3))
    for twice in (A @ A, A * A, A.T @ A, (A * A) @ A - A):
        np.testing.assert_allclose(twice.plan(A).dense(), twice.jacobian(A).to_dense(), atol=1e-12)


def test_what_it_shows() -> None:
    _, W, _, c, Y = tied()
    assert str(Y.plan(W, c)).splitlines() == [
        "Y with respect to W, c: 5 inner values, 8 edges",
        "         operations  multiplications     built      peak",
        "forward       3,960            1,440  11.2 KiB  10.5 KiB",
        "reverse       1,440              540   8.4 KiB  11.2 KiB",
        "best          1,440              540   7.7 KiB  10.5 KiB",
        "the best of all orders: matmul_4, matmul_8, tanh_6, plus_5, transpose_7",
    ]


@pytest.mark.parametrize(
    "make",
    [
        lambda X, W, b, c: jac.cross_entropy(jac.tanh(X @ W + b), [0, 1, 2, 0, 1, 2]),
        lambda X, W, b, c: jac.squared_error(jac.tanh(X @ W) @ W.T, X.array, reduction="none"),
    ],
    ids=["a number", "one for each example"],
)
def test_losses(make: Callable[..., Value]) -> None:
    X, W, b, c, _ = tied()
    L = make(X, W, b, c)
    np.testing.assert_allclose(L.plan(W, X).dense(), L.jacobian(W, X).to_dense(), atol=1e-12)
    assert L.plan(W).reverse.operations < L.plan(W).forward.operations


def test_neither_mode_is_best_in_a_residual_net_with_waists() -> None:
    """Two blocks, each narrow in its middle: their own Jacobians first, and then their product."""
    X, A, B, C, D = jac.values(X=draw(1, 30), A=draw(30, 2), B=draw(2, 30), C=draw(30, 2), D=draw(2, 30))
    H = X + jac.tanh(X @ A) @ B
    plan = (H + jac.tanh(H @ C) @ D).plan(X)
    assert plan.exact
    assert 1.3 * plan.operations < min(plan.forward.operations, plan.reverse.operations)
    np.testing.assert_allclose(plan.dense(), (H + jac.tanh(H @ C) @ D).jacobian(X).to_dense(), atol=1e-9)


def test_a_limit_is_kept_or_refused() -> None:
    """The chain of which the same is tested of a `Product`: a bound on bytes costs operations."""
    X, A, B, C, D = jac.values(X=draw(1, 5), A=draw(5, 80), B=draw(80, 10), C=draw(10, 80), D=draw(80, 10))
    Y = X @ A @ B @ C @ D
    free, tight = Y.plan(X), Y.plan(X, limit=2_000)
    assert (free.operations, free.peak_bytes) == (24_000, 3_600)
    assert (tight.operations, tight.peak_bytes) == (25_000, 1_600)
    np.testing.assert_allclose(tight.dense(), free.dense(), atol=1e-9)
    with pytest.raises(TooLargeError, match=r"^plan: no order of elimination that was found stays within .*limit="):
        Y.plan(X, limit=1_000)


def peak_of(call: Callable[[], object]) -> int:
    call()
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("mode", ["forward", "reverse", "best"])
def test_no_more_is_held_than_the_plan_says(mode: str) -> None:
    X, W, _, _, Y = tied(20, 60, 10)
    for wrt in (X, W):
        plan = Y.plan(wrt)
        own = getattr(plan, mode)
        held = peak_of(lambda plan=plan, own=own: plan.jacobians(own.order))
        assert held <= own.peak_bytes + (2 << 20)


@pytest.mark.parametrize("mode", ["forward", "reverse", "best"])
def test_what_is_priced_is_computed(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without activations all multiplications are NumPy's products, and they are counted."""
    X, W, V = jac.values(X=draw(7, 20), W=draw(20, 6), V=draw(6, 20))
    Y = (X @ W) @ V @ W @ V + X @ (W @ V)
    plan = Y.plan(W)
    own, counted = getattr(plan, mode), []
    note_products(monkeypatch, counted.append)
    plan.jacobians(own.order)
    assert sum(counted) == own.multiplications


def test_where_nothing_is_to_be_eliminated() -> None:
    X, W, _, c, _ = tied()
    Z = (X @ W).named("Z")
    assert str(Z.plan(W)).startswith("Z with respect to W: 0 inner values, 1 edge\n")
    assert str(Z.plan(c)).endswith("\nnothing to eliminate")
    for plan in (Z.plan(W), Z.plan(c)):
        assert (plan.operations, plan.peak_bytes, plan.order, plan.exact) == (0, 0, (), True)
    np.testing.assert_array_equal(Z.plan(c).dense(), np.zeros((18, 5)))
    assert repr(Z.plan(W).jacobians()[0][0]) == repr(Z.jacobian(W))
    nobody, V = jac.values(X=draw(0, 3), V=draw(3, 2))
    assert jac.tanh(nobody @ V).plan(V, nobody).dense().shape == (0, 6)


def test_an_order_names_each_inner_value_once() -> None:
    _, W, _, _, Y = tied()
    plan = Y.plan(W)
    with pytest.raises(GraphError, match=r"plan: the order \(4, 4\) does not name each inner value once; they are \("):
        plan.jacobians([4, 4])
    with pytest.raises(
        GraphError, match=r"plan: with respect to which values\? plan\(W, b\) takes values of the graph, or names"
    ):
        Y.plan()


def test_in_the_operations_layout() -> None:
    layout = jac.Layout(vec="F", derivative="denominator")
    X, W = jac.values(X=draw(4, 3), W=draw(3, 2))
    Z = jac.sigmoid(jac.linear(X, W, layout=layout))
    np.testing.assert_allclose(Z.plan(W).dense("F"), Z.jacobian(W).to_dense().T, atol=1e-12)
    mixed = jac.cross_entropy(Z, [0, 1, 1, 0])
    with pytest.raises(LayoutError, match="give every operation the same layout"):
        mixed.plan(W)


# --- the matrix is multiplied out in the best order -----------------------------------------------------


def planned_everywhere(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """However small a matrix is, its plan is looked for; returns the plans that were carried out."""
    done: list[Any] = []
    plain = GraphJacobian._in_best_order

    def noting(self: GraphJacobian, vectors: int) -> Any:
        found = plain(self, vectors)
        done.append(found)
        return found

    monkeypatch.setattr(graph_jacobian, "_PLANNED", -1)
    monkeypatch.setattr(GraphJacobian, "_in_best_order", noting)
    return done


def between_waists(*examples: int) -> tuple[Value, Value, Value]:
    """Inputs, a weight and outputs of a net whose residual block lies between two values of one feature."""
    X, A, B, C, D = jac.values(X=draw(*examples, 9), A=draw(9, 1), B=draw(1, 9), C=draw(9, 1), D=draw(1, 9))
    h = jac.tanh(X @ A)
    return X, A, (h + jac.tanh(jac.tanh(h @ B) @ C)) @ D


def test_laws_where_the_matrix_is_multiplied_out(monkeypatch: pytest.MonkeyPatch) -> None:
    X, A, Z = between_waists(2)
    swept = [Z.jacobian(by).to_dense() for by in (X, A)]
    done = planned_everywhere(monkeypatch)
    for by, matrix in zip((X, A), swept, strict=True):
        assert_jacobian_laws(Z.jacobian(by), matrix)
    assert any(found is not None for found in done)


def test_a_limit_is_kept_where_the_matrix_is_multiplied_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Within a limit of the matrix alone sweeps write it, which hold nothing beside it."""
    X, _, Z = between_waists()
    J = Z.jacobian(X)
    swept = J.to_dense()
    done = planned_everywhere(monkeypatch)
    np.testing.assert_allclose(J.to_dense(limit=swept.nbytes), swept, atol=1e-12)
    assert done == []
    np.testing.assert_allclose(J.to_dense(limit=3 * swept.nbytes), swept, atol=1e-12)
    assert isinstance(done[0], Dense)
    with pytest.raises(TooLargeError):
        J.to_dense(limit=swept.nbytes - 1)
