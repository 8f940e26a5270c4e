"""Deep graphs and long chains: no recursion limit is met, and work is linear in the size of the graph."""

from __future__ import annotations

import copy
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import reduce
from itertools import pairwise
from operator import matmul

import numpy as np
import pytest

import jacobians as jac
from jacobians.graphs import Graph, GraphJacobian, Value
from jacobians.linops import BlockRow, Dense, Diagonal, Jacobian, Kronecker
from jacobians.linops.planning import LONG
from tests.linops.comparing import draw

FRAMES = 150
"""Calls within each other that are enough however deep the graph: NumPy's and the plan's for one of 64 factors."""


@contextmanager
def few_frames(room: int) -> Iterator[None]:
    """Python's recursion limit, lowered to what is in use and some more."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + room)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def calls(run: Callable[[], object]) -> int:
    """How many calls of functions a run makes, those of C among them."""
    count = 0

    def note(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        run()
    finally:
        sys.setprofile(None)
    return count


def recurrence(steps: int) -> tuple[Value, Value, Value]:
    """The state before, the weight of all steps, and the last state."""
    h, W = jac.values(h=draw(2, 3), W=draw(3, 3, seed=1) / 3)
    z = h
    for _ in range(steps):
        z = jac.tanh(z @ W) + 0.1 * z
    return h, W, z


def everything(steps: int) -> None:
    """All that a graph is asked for."""
    h, W, z = recurrence(steps)
    J = z.jacobian(W)
    tangent, cotangent = draw(3, 3, seed=2), draw(2, 3, seed=3)
    pulled = J.vjp(cotangent)
    assert np.isclose((pulled * tangent).sum(), (cotangent * J.jvp(tangent)).sum())
    (gradient,) = (z * cotangent).sum().gradients(W)
    np.testing.assert_allclose(gradient, pulled, rtol=1e-9)
    np.testing.assert_allclose((cotangent.ravel() @ J.to_dense()).reshape(3, 3), pulled, rtol=1e-9)
    np.testing.assert_allclose(cotangent.ravel() @ J.to_sparse(), pulled.ravel(), rtol=1e-9)
    np.testing.assert_allclose(J.T.to_dense(), J.to_dense().T)
    np.testing.assert_allclose(np.diag(J.gram()), J.row_norms().ravel() ** 2)
    assert z.jacobian(h, W).shape == (6, 15)
    assert z.jacobian(h).block_diagonal().blocks.shape == (2, 3, 3)
    assert (z * z).sum(axis=1).jacobian(W).row_norms().shape == (2,)
    assert z.path_count(W) == 2**steps - 1
    assert len(repr(J)) < 120
    path = next(z.paths(W))
    assert len(str(path)) > steps
    assert path.jacobian.domain == (3, 3)
    assert len(Graph([z], [h]).layout() or "none") == 4
    plan = z.plan(W)
    np.testing.assert_allclose(plan.dense(), J.to_dense(), rtol=1e-9)
    assert len(str(plan)) < 1000
    assert len(repr(plan)) < 200
    assert (J + J).jvp(tangent).shape == (2, 3)
    assert (Diagonal(cotangent) @ J).vjp(cotangent).shape == (3, 3)
    assert J.positive(np.abs).to_dense().min() >= 0
    assert copy.deepcopy(z) is z


def test_a_deep_graph_needs_no_deep_recursion() -> None:
    with few_frames(FRAMES):
        everything(200)


@pytest.mark.slow
def test_ten_thousand_steps_hit_no_recursion_limit() -> None:
    everything(10_000)


def test_ten_thousand_steps_are_swept() -> None:
    (x,) = jac.values(x=[0.5, -0.5])
    z = x
    for _ in range(10_000):
        z = 0.99 * z
    np.testing.assert_allclose(z.sum().gradients(x)[0], 0.99**10_000)
    np.testing.assert_allclose(z.jacobian(x).jvp(np.ones(2)), 0.99**10_000)
    assert z.path_count(x) == 1
    assert repr(z) == "Value(times_10000: 2 float64)"


def test_work_is_linear_in_the_size_of_the_graph() -> None:
    """Calls of functions, counted on about 300 and 1200 nodes: to build, to sweep, to count paths and to plan."""
    counts = []
    for steps in (75, 300):
        _, W, z = recurrence(steps)
        J = z.jacobian(W)
        assert isinstance(J, GraphJacobian)
        L = z.sum()
        runs: list[Callable[[], object]] = [
            lambda steps=steps: recurrence(steps),
            lambda L=L, W=W: L.gradients(W),
            lambda z=z, W=W: z.jacobian(W),
            lambda J=J: J.vjp(np.ones((2, 3))),
            lambda J=J: J.jvp(np.ones((3, 3))),
            lambda z=z, W=W: z.path_count(W),
            lambda z=z, W=W: next(z.paths(W)),
            lambda z=z, W=W: z.plan(W),
        ]
        runs[1]()  # the edges are built when they are first asked for
        counts.append([calls(run) for run in runs])
    for few, many in zip(*counts, strict=True):
        assert many <= 4.4 * few


# --- chains that are written with @ --------------------------------------------------------------------


def long_chain(length: int) -> list[Jacobian]:
    """Layers of four examples, alternately weights and slopes."""
    factors: list[Jacobian] = []
    for k in range(length):
        slopes = Diagonal(1 + draw(4, 3, seed=k) / 9)
        factors.append(Kronecker(4, np.linalg.qr(draw(3, 3, seed=k))[0]) if k % 2 else slopes)
    return factors


@pytest.mark.parametrize("length", [LONG + 1, 330])
def test_a_long_chain_by_hand(length: int) -> None:
    factors = long_chain(length)
    expected = reduce(matmul, [factor.to_dense() for factor in factors])
    bound = {"rtol": 0, "atol": 1e-11 * abs(expected).max()}
    with few_frames(FRAMES + 2 * LONG):
        J = reduce(matmul, factors)
        np.testing.assert_allclose(J.to_dense(), expected, **bound)
        np.testing.assert_allclose(J.T.to_dense(), expected.T, **bound)
        np.testing.assert_allclose(J.block_diagonal().to_dense(), expected, **bound)
        np.testing.assert_allclose(J.to_sparse().toarray(), expected, **bound)
        np.testing.assert_allclose(J.to_dense(limit=J._least_bytes()), expected, **bound)
        np.testing.assert_allclose(J.row_norms().ravel(), np.linalg.norm(expected, axis=1), **bound)
        np.testing.assert_allclose(J.diagonal(), np.diagonal(expected), **bound)
        narrow = J @ Dense(draw(4, 3, 2), (4, 3))
        np.testing.assert_allclose(narrow.to_dense(), expected @ narrow._factors()[-1].to_dense(), **bound)
        plan = J.plan()
        assert plan.operations <= min(plan.forward, plan.reverse)
        assert len(str(plan)) < 500
        assert len(repr(J)) < 300
        row = BlockRow((J, J @ factors[1] @ factors[0], Diagonal(np.ones((4, 3)))))
        matrices = (expected, expected @ factors[1].to_dense() @ factors[0].to_dense(), np.eye(12))
        np.testing.assert_allclose(row.to_dense(), np.hstack(matrices), **bound)
        np.testing.assert_allclose(row.jvp(np.ones(36)).ravel(), np.hstack(matrices).sum(1), atol=1e-9)
        np.testing.assert_allclose(row.vjp(np.ones((4, 3))), np.hstack(matrices).sum(0), atol=1e-9)
        assert row.flops <= sum(block.flops for block in row.blocks) + 2 * 12


def test_a_long_chain_is_cut_where_it_is_narrowest() -> None:
    """A hundred factors with a waist of one in the middle: grown from the waist outward, as a short chain is."""
    sizes = [6] * 50 + [1] + [6] * 50
    J = reduce(matmul, [Dense(draw(m, n), (m,)) for m, n in pairwise(sizes)])
    plan = J.plan()
    assert 2 * plan.operations < min(plan.forward, plan.reverse)
    np.testing.assert_allclose(J.to_dense(), reduce(matmul, [f.to_dense() for f in J._factors()]), rtol=1e-9)
