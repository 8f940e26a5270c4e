"""Functions of values are replayed where they can be; where not, they run as they stand, and the line is named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians import Network, replayed

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(5, 4)), np.array([0, 1, 1, 0, 1])


def steps(x: Any, W: Any, U: Any) -> Any:
    h = jac.tanh(x @ W)
    for _ in range(3):
        h = jac.tanh(x @ W + h @ U).named(f"h{_}")
    return h[:, :2] * np.where(h[:, 1:] > 0, 1.0, 0.5) + np.where(h[:, :2] > 0, h[:, 1:], 0.0)


def net_of(function: Any) -> Network:
    return Network(function, "cross_entropy", "cs231n", shapes={"W": (4, 3), "U": (3, 3)}, l2=0.1)


def test_the_gradient_of_a_function_of_values_is_replayed() -> None:
    net = net_of(steps)
    fast = replayed(net.gradient)
    for seed in range(4):
        params, given = net.init(seed), X + seed
        found = fast(params, given, Y)
        for name, gradient in net.gradient(params, given, Y).items():
            np.testing.assert_array_equal(found[name], gradient)
    assert (fast.runs, fast.ended) == (1, "")


def test_a_function_of_arrays_that_makes_values_is_replayed() -> None:
    def norms(X: Any, W: Any) -> Any:
        x, w = jac.values(X=X, W=W)
        losses = jac.squared_error(jac.tanh(x @ w) @ w.T, X, reduction="none")
        return losses.jacobian(w).row_norms(), (losses.sum()).gradients(w)[0]

    fast, W = replayed(norms), RNG.normal(size=(4, 3))
    for scale in (1.0, 0.5, 2.0):
        for found, expected in zip(fast(X, scale * W), norms(X, scale * W), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-14)
    assert (fast.runs, fast.ended) == (1, "")


def test_an_if_on_entries_is_decided_again_in_every_call() -> None:
    def program(x: Any, W: Any, U: Any) -> Any:
        h = x @ W
        h = jac.tanh(h) if h[0, 0] > 0 else jac.relu(h)
        return h @ U

    net = net_of(program)
    fast, params = replayed(net.gradient), net.init(0)
    for given in (X, -X, X, 2 * X):
        found = fast(params, given, Y)
        for name, gradient in net.gradient(params, given, Y).items():
            np.testing.assert_array_equal(found[name], gradient)
    assert (fast.runs, fast.ended) == (2, "")  # once to record it, and once on the other branch


def plain_number(x: Any, W: Any, U: Any) -> Any:
    h = x @ W
    return (h / float(abs(h).max())) @ U


def numpy_of_the_array(x: Any, W: Any, U: Any) -> Any:
    return (x @ W) @ U / np.median(x.array)


@pytest.mark.parametrize(
    ("function", "line"),
    [
        (plain_number, "return (h / float(abs(h).max())) @ U"),
        (numpy_of_the_array, "return (x @ W) @ U / np.median(x.array)"),
    ],
)
def test_where_recording_ends_the_function_runs_and_the_line_is_named(function: Any, line: str) -> None:
    net = net_of(function)
    fast = replayed(net.gradient)
    for seed in range(3):
        params, given = net.init(seed), X + seed
        found = fast(params, given, Y)
        for name, gradient in net.gradient(params, given, Y).items():
            np.testing.assert_array_equal(found[name], gradient)
    assert fast.runs == 3
    assert fast.ended.startswith("test_function_of_values.py, line ")
    assert f", {line}: replayed: " in fast.ended


def test_a_value_is_not_returned_by_a_replay() -> None:
    def program(X: Any) -> Any:
        (x,) = jac.values(X=X)
        return (x * x).sum()

    fast = replayed(program)
    assert [float(fast(scale * X)) for scale in (1, 2)] == [float(program(scale * X)) for scale in (1, 2)]
    assert "replayed: the function returns Value(total_" in fast.ended


def test_an_error_of_the_function_is_its_own() -> None:
    fast = replayed(net_of(lambda x, W, U: x @ U @ W).gradient)
    with pytest.raises(jac.JacobiansError, match="matmul: A has shape"):
        fast(net_of(steps).init(0), X, Y)
