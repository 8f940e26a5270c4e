"""Losses and targets at the limits of what they take, with the numbers written out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from jacobians import operations as ops
from jacobians.layout import Layout
from jacobians.operations import (
    BinaryCrossEntropy,
    CrossEntropy,
    Logistic,
    MulticlassHinge,
    ProbabilityCrossEntropy,
    SquaredError,
)
from jacobians.testing import assert_operation_laws

INF = math.inf


def _equal(actual: Any, expected: Any, what: str) -> None:
    actual, expected = np.asarray(actual), np.asarray(expected, dtype=np.float64)
    assert actual.shape == expected.shape, f"{what}: shape {actual.shape}, expected {expected.shape}"
    assert np.allclose(actual, expected, rtol=1e-6, atol=1e-300), f"{what}: {actual}, expected {expected}"


def test_infinite_logits_and_probabilities_of_0_and_1() -> None:
    """Infinite logits and probabilities of 0 and 1: what the limit is, without a warning."""
    with np.errstate(invalid="raise", over="raise"):
        for logits, p in (([INF, 0.0], [1.0, 0.0]), ([0.0, -INF], [1.0, 0.0]), ([INF, INF, 0.0], [0.5, 0.5, 0.0])):
            _equal(ops.softmax([logits])[0], [p], f"softmax of {logits}")
        mixed = ops.softmax([[INF, 0.0], [math.log(3), 0.0]])[0]
        _equal(mixed, [[1.0, 0.0], [0.75, 0.25]], "softmax of an infinite example beside a finite one")
        _equal(ops.log_softmax([[INF, 0.0]])[0][0, 0], 0.0, "log-softmax of ∞ beside 0")
    with np.errstate(all="raise"):
        ops.softmax([[0.0, 0.0, 0.0, *np.arange(-740.0, -710.0)]])  # some are no normal numbers
        value, J = CrossEntropy("sum")(np.array([[-INF, 0.0, 0.0]]), np.array([[0.0, 1.0, 0.0]]))
        _equal(value, math.log(2), "cross entropy with a logit of −∞")
        _equal(J.gradient, [[0.0, -0.5, 0.5]], "its gradient")
        value, J = CrossEntropy("sum")(np.array([[1000.0, 0.0]]), np.array([1]))
        _equal(value, 1000.0, "cross entropy of a sure mistake")
        _equal(J.gradient, [[1.0, -1.0]], "its gradient")
        X, Y = np.array([[INF, -INF, 0.0, 800.0, -800.0]]), np.array([[1.0, 0.0, 1.0, 0.0, 1.0]])
        value, J = BinaryCrossEntropy("sum")(X, Y)
        _equal(value, math.log(2) + 1600, "binary cross entropy at ±∞")
        _equal(J.gradient, [[0.0, 0.0, -0.5, 1.0, -1.0]], "its gradient")
        value, J = ProbabilityCrossEntropy("sum")(np.array([[0.0, 1.0, 0.25]]), np.array([[0.0, 1.0, 1.0]]))
        _equal(value, math.log(4), "binary cross entropy at probabilities of 0 and 1")
        _equal(J.gradient, [[1.0, -1.0, -4.0]], "its gradient")
        value, J = Logistic("sum")(np.array([[800.0, -800.0, 0.0]]), np.array([[1.0, 1.0, -1.0]]))
        _equal(value, 800 + math.log(2), "logistic loss far out")
        _equal(J.gradient, [[0.0, -1.0, 0.5]], "its gradient")
        value, J = MulticlassHinge(reduction="sum")(np.array([[INF, -INF, 0.0]]), np.array([0]))
        _equal(value, 0.0, "hinge with infinite scores")
        value, J = CrossEntropy("sum")(np.array([[0.0, 1.0]]), np.array([[2.0, 1.0]]))
        _equal(J.gradient, 3 * np.exp([[0.0, 1.0]]) / (1 + math.e) - [[2.0, 1.0]], "targets that add up to 3")
        for loss in (SquaredError, Logistic, BinaryCrossEntropy):
            value, J = loss(reduction="sum")(np.zeros((0, 2)), np.zeros((0, 2)))
            _equal(value, 0.0, f"{loss.__name__} of nothing")
        _refused(BinaryCrossEntropy(), np.zeros((3, 1)), np.zeros(3))  # labels (N,) of one output are no classes


def test_targets_of_every_kind() -> None:
    """Lists, floats that are integers, and float64 beside float32 are taken; what is no class or no number is not."""
    X = np.arange(6.0).reshape(3, 2)
    for loss in (CrossEntropy("sum"), CrossEntropy("none")):
        expected = loss(X, np.array([0, 1, 1]))
        for labels in (
            [0, 1, 1],
            np.array([0.0, 1.0, 1.0]),
            np.int32([0, 1, 1]),
            np.array([[0], [1], [1]]),
            [[1, 0], [0, 1], [0, 1]],
        ):
            value, J = loss(X, labels)
            _equal(value, expected[0], "labels of another kind")
            _equal(J.to_dense(), expected[1].to_dense(), "labels of another kind")
        for labels in ([0, 1, 2], [0, -1, 1], [0, 0.5, 1], [0, math.nan, 1]):
            _refused(loss, X, np.array(labels))
    value, J = SquaredError()(X.astype(np.float32), X + 1)
    assert value.dtype == J.dtype == np.float32, f"{value.dtype}, {J.dtype}"
    _refused(SquaredError(), X, X + 1j)
    for reduction, weight in (("none", 1.0), ("sum", 1.0), ("mean", 1 / 3), ("mean-all", 1 / 6)):
        assert SquaredError(reduction=reduction).scale(X) == weight
        part = weight if reduction in ("none", "sum") else weight / 4
        assert SquaredError(reduction=reduction).scale(X, whole=12) == part, f"a quarter of a batch, {reduction}"
    for reduction in ("mean", "mean-all"):
        _refused(SquaredError(reduction=reduction), X[:0], X[:0])
        with pytest.raises(ValueError):  # noqa: PT011
            SquaredError(reduction=reduction).scale(X[:0], whole=12)
    for layout, shape in ((Layout(), (4, 2, 3)), (Layout(batch="columns"), (2, 3, 4))):
        rng = np.random.default_rng(8)
        X, Y = rng.normal(size=shape), rng.normal(size=shape)
        axis = layout.batch_axis
        losses, _ = SquaredError(reduction="none", layout=layout)(X, Y)
        _equal(losses, [np.sum((np.take(X, n, axis) - np.take(Y, n, axis)) ** 2) for n in range(4)], "a 3-array")
        loss = SquaredError(reduction="none", layout=layout)
        assert_operation_laws(loss, [X, Y], coordinates=0, axes=(axis, axis), out_axis=0)


def _refused(loss: Any, X: np.ndarray, Y: np.ndarray) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        loss(X, Y)


def test_the_hinge_at_its_kink() -> None:
    """An argument of exactly 0: the subgradient 0. A tie with the true class, and several classes ahead of it."""
    value, J = MulticlassHinge(1.0, "sum")(np.array([[2.0, 2.0, 3.0, 0.5]]), np.array([0]))
    _equal(value, 3.0, "value at a tie")
    _equal(J.gradient, [[-2.0, 1.0, 1.0, 0.0]], "gradient at a tie")
    value, J = MulticlassHinge(1.0, "sum")(np.array([[0.0, 1.0, 0.5]]), np.array([1]))
    _equal(value, 0.5, "value")
    _equal(J.gradient, [[0.0, -1.0, 1.0]], "subgradient")
