"""Losses against loops over examples: values, reductions, closed forms."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from jacobians import (
    binary_cross_entropy,
    cross_entropy,
    logistic_loss,
    multiclass_hinge,
    sigmoid,
    softmax,
    squared_error,
)
from jacobians.layout import Layout
from jacobians.linops import BlockDiagonal, Denominator, Dense
from jacobians.operations import (
    BinaryCrossEntropy,
    CrossEntropy,
    Logistic,
    MulticlassHinge,
    ProbabilityCrossEntropy,
    SquaredError,
)
from jacobians.testing import assert_dense_twin
from tests.operations.loss_cases import LOSSES, REDUCTIONS, loss_case, made
from tests.operations.random_inputs import WRITTEN, Numbers

G = Numbers(29)
INF = math.inf
COLUMNS = Layout(batch="columns")

# --- values, by their definitions ----------------------------------------------------------------


def squared(x: list[float], y: Any) -> float:
    return math.fsum((a - b) ** 2 for a, b in zip(x, y, strict=True))


def softmax_cross_entropy(x: list[float], y: Any) -> float:
    log_sum = math.log(math.fsum(map(math.exp, x)))
    weights = np.eye(len(x))[y].tolist() if np.ndim(y) == 0 else y
    return math.fsum(w * (log_sum - a) for a, w in zip(x, weights, strict=True))


def binary(x: list[float], y: Any) -> float:
    targets = np.eye(len(x))[y].tolist() if np.ndim(y) == 0 else y
    p = [1 / (1 + math.exp(-a)) for a in x]
    return binary_of_probabilities(p, targets)


def binary_of_probabilities(p: list[float], y: Any) -> float:
    return -math.fsum(b * math.log(a) + (1 - b) * math.log(1 - a) for a, b in zip(p, y, strict=True))


def logistic(x: list[float], y: Any) -> float:
    return math.fsum(math.log(1 + math.exp(-a * b)) for a, b in zip(x, y, strict=True))


def hinge(x: list[float], y: Any, margin: float = 1.0) -> float:
    return sum(max(0.0, x[k] - x[int(y)] + margin) for k in range(len(x)) if k != y)


DEFINITIONS: dict[str, Callable[[list[float], Any], float]] = {
    "squared_error": squared,
    "squared_error halved": lambda x, y: squared(x, y) / 2,
    "cross_entropy labels": softmax_cross_entropy,
    "cross_entropy one-hot": softmax_cross_entropy,
    "cross_entropy soft": softmax_cross_entropy,
    "binary_cross_entropy": binary,
    "binary_cross_entropy labels": binary,
    "binary_cross_entropy of probabilities": binary_of_probabilities,
    "logistic_loss": logistic,
    "multiclass_hinge": hinge,
    "multiclass_hinge margin 0.5": lambda x, y: hinge(x, y, 0.5),
    "cross_entropy soft, quartered": lambda x, y: softmax_cross_entropy(x, y) / 4,
    "binary_cross_entropy, thrice": lambda x, y: 3 * binary(x, y),
    "logistic_loss, halved": lambda x, y: logistic(x, y) / 2,
}


def examples(X: np.ndarray, Y: np.ndarray, batch: str) -> list[tuple[list[float], Any]]:
    if batch == "columns":
        X, Y = X.T, Y.T
    return [(x.tolist(), y.tolist()) for x, y in zip(X, Y, strict=True)]


@pytest.mark.parametrize("batch", ["rows", "columns"])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", LOSSES)
def test_value_by_its_definition(name: str, reduction: str, batch: Any) -> None:
    sample = loss_case(name, reduction, Layout(batch=batch))(Numbers(1))
    X, Y = sample.arrays
    losses = [DEFINITIONS[name](x, y) for x, y in examples(X, Y, batch)]
    total = math.fsum(losses)
    expected = {"none": losses, "sum": total, "mean": total / len(losses), "mean-all": total / X.size}[reduction]
    value, J = sample.operation(X, Y)
    np.testing.assert_allclose(value, expected, rtol=1e-12)
    assert type(value) is np.ndarray
    assert J.codomain == np.shape(expected)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("layout", [*WRITTEN, *(t.replace(batch="columns") for t in WRITTEN)])
def test_a_reduction_weighs_the_rows_of_the_examples(name: str, layout: Layout) -> None:
    """Row n of the unreduced Jacobian has entries in example n alone; the others are its weighted sum."""
    X, Y = loss_case(name, "none", layout)(Numbers(2)).arrays
    loss = LOSSES[name][0]
    losses, rows = made(loss, "none", layout).per_example(X, Y)
    assert isinstance(rows, BlockDiagonal)
    matrix = rows.to_dense().reshape(-1, *X.shape)
    for n, row in enumerate(matrix):
        others = np.delete(row, n, axis=layout.batch_axis)
        assert np.array_equal(others, np.zeros_like(others))
    gradient = matrix.sum(axis=0)
    for reduction, weight in (("sum", 1.0), ("mean", 1 / len(losses)), ("mean-all", 1 / X.size)):
        value, J = made(loss, reduction, layout)(X, Y)
        twin = (weight * gradient).reshape((1, -1), order=layout.vec)
        assert_dense_twin(J, twin if layout.derivative == "numerator" else twin.T, order=layout.vec)
        np.testing.assert_allclose(value, weight * losses.sum(), rtol=1e-13)
        assert isinstance(J, Denominator) == (layout.derivative == "denominator")
        assert isinstance(made(loss, reduction, layout).reduced(X, Y)[1], Dense)


@pytest.mark.parametrize("name", LOSSES)
def test_targets_of_any_dtype_leave_the_dtype_alone(name: str) -> None:
    X, Y = loss_case(name, "mean", Layout())(Numbers(4)).arrays
    for targets in (Y, Y.tolist(), np.round(Y).astype(np.int64)):
        value, J = made(LOSSES[name][0], "mean", Layout())(
            X.astype(np.float32), targets if name != "logistic_loss" else Y
        )
        assert value.dtype == J.dtype == J.gradient.dtype == np.float32


def test_closed_forms() -> None:
    X, labels = G(4, 3), np.array([0, 2, 1, 2])
    one_hot = np.eye(3)[labels]
    np.testing.assert_allclose(cross_entropy(X, labels)[1].gradient, (softmax(X)[0] - one_hot) / 4, rtol=1e-12)
    np.testing.assert_allclose(
        binary_cross_entropy(X, one_hot, reduction="sum")[1].gradient, sigmoid(X)[0] - one_hot, rtol=1e-12, atol=1e-15
    )
    np.testing.assert_allclose(squared_error(X, one_hot, factor=0.5)[1].gradient, (X - one_hot) / 4, rtol=1e-13)
    # nothing is known: log K nats, and log 2 for each output
    np.testing.assert_allclose(cross_entropy(np.zeros((5, 7)), np.arange(5))[0], math.log(7), rtol=1e-14)
    np.testing.assert_allclose(binary_cross_entropy(np.zeros((5, 2)), np.ones((5, 2)))[0], 2 * math.log(2), rtol=1e-14)
    np.testing.assert_allclose(logistic_loss(np.zeros(5), np.ones(5))[0], math.log(2), rtol=1e-14)
    assert multiclass_hinge(np.zeros((5, 7)), np.arange(5))[0] == 6.0  # CS231n's first sanity check: C − 1


def test_two_ways_to_one_loss() -> None:
    X, Y, signs = G(4, 3), G.within(0.0, 1.0, 4, 3), G.rng.choice([-1.0, 1.0], size=(4, 3))
    p, J = sigmoid(X)
    from_p, from_logits = binary_cross_entropy(p, Y, from_logits=False), binary_cross_entropy(X, Y)
    np.testing.assert_allclose(from_p[0], from_logits[0], rtol=1e-13)
    np.testing.assert_allclose((from_p[1] @ J).gradient, from_logits[1].gradient, rtol=1e-11, atol=1e-14)
    for a, b in (
        (logistic_loss(X, signs), binary_cross_entropy(X, (signs + 1) / 2)),
        (cross_entropy(X, [0, 2, 1, 2]), cross_entropy(X, np.eye(3)[[0, 2, 1, 2]])),
        (cross_entropy(X, [[0], [2], [1], [2]]), cross_entropy(X, np.array([0.0, 2, 1, 2]))),
        (cross_entropy(X, np.array([0, 2, 1, 2], dtype=np.uint8)), cross_entropy(X.T, [[0, 2, 1, 2]], layout=COLUMNS)),
        (binary_cross_entropy(X, [0, 2, 1, 2]), binary_cross_entropy(X, np.eye(3, dtype=bool)[[0, 2, 1, 2]])),
        (squared_error(X, Y), squared_error(X[:, :, None], Y[:, :, None])),
    ):
        np.testing.assert_allclose(a[0], b[0], rtol=1e-13)
        gradients = a[1].gradient, b[1].gradient
        if gradients[0].shape == gradients[1].shape[::-1] != gradients[1].shape:
            gradients = gradients[0], gradients[1].T
        np.testing.assert_allclose(gradients[0].ravel(), gradients[1].ravel(), rtol=1e-12, atol=1e-15)


def test_soft_targets_need_not_add_up_to_one() -> None:
    """∂/∂x = (Σy) p − y; it is p − y only for targets that add up to 1."""
    X, Y = G(4, 3), G.within(0.0, 2.0, 4, 3)
    J = cross_entropy(X, Y, reduction="sum")[1]
    np.testing.assert_allclose(J.gradient, Y.sum(axis=1, keepdims=True) * softmax(X)[0] - Y, rtol=1e-12, atol=1e-14)
    value, J = cross_entropy(X, np.zeros((4, 3)))
    assert value == 0.0
    assert not J.gradient.any()


def test_the_kink_of_the_hinge_has_subgradient_0() -> None:
    value, J = multiclass_hinge([[1.0, 0.0, 2.0]], [0], margin=1.0)  # the second argument is exactly 0
    assert value == 2.0
    assert np.array_equal(J.gradient, [[-1.0, 0.0, 1.0]])


def test_the_value_is_there_without_its_gradient() -> None:
    value, row = CrossEntropy().total(G(4, 3), [0, 1, 2, 0])
    assert value().shape == ()
    first, second = row(), row()
    assert not np.shares_memory(first.array, second.array)


def test_names_and_weights() -> None:
    losses = (SquaredError(), CrossEntropy(), BinaryCrossEntropy(), Logistic(), MulticlassHinge())
    names = ["squared_error", "cross_entropy", "binary_cross_entropy", "logistic_loss", "multiclass_hinge"]
    assert [loss.name for loss in losses] == names
    assert ProbabilityCrossEntropy().name == "binary_cross_entropy"
    X = np.ones((4, 3))
    scales = {reduction: CrossEntropy(reduction).scale(X) for reduction in REDUCTIONS}
    assert scales == {"mean": 1 / 4, "sum": 1.0, "mean-all": 1 / 12, "none": 1.0}
    assert CrossEntropy("mean", COLUMNS).scale(X) == 1 / 3
