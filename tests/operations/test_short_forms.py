"""A function is its class: the same value and Jacobians, and every option reaches it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from jacobians import operations as ops
from jacobians.layout import Layout

RNG = np.random.default_rng(6)
Z, P, W = RNG.normal(size=(3, 4)), RNG.uniform(0.2, 0.8, size=(3, 4)), RNG.normal(size=(4, 2))
A, B, C = Z.T, RNG.normal(size=(2, 5)), RNG.normal(size=2)
LABELS, SIGNS = np.array([0, 2, 1]), np.sign(Z)
TURNED = Layout(batch="columns", vec="F", derivative="denominator")
ODD = TURNED.replace(weights="rows", bias="last")
HOW: dict[str, Any] = {"reduction": "sum", "layout": TURNED}

# fmt: off
FORMS: list[tuple[Callable[..., Any], Callable[..., Any], list[np.ndarray]]] = [
    (lambda X, W: ops.affine(X, W, layout=ODD), ops.Affine(ODD), [A, B]),
    (lambda X, W: ops.affine(X, W, C), lambda X, W: ops.Affine()(X, W, C), [Z, W]),
    (lambda X, W: ops.linear(X, W, ODD), ops.Affine(ODD.replace(bias="none")), [A, B[:, 1:]]),
    (ops.linear, ops.Affine(Layout(bias="none")), [Z, W]),
    (lambda X: ops.add_ones(X, ODD), ops.AddOnes(ODD), [A]),
    (lambda a, b: ops.matmul(a, b, ODD), ops.MatMul(ODD), [Z, W]),
    (lambda a, b: ops.hadamard(a, b, ODD), ops.Hadamard(ODD), [Z, P]),
    (lambda a, b: ops.add(a, b, ODD), ops.Add(ODD), [Z, P]),
    (lambda X: ops.transpose(X, ODD), ops.Transpose(ODD), [Z]),
    (lambda X: ops.reshape(X, (2, 6), ODD), ops.Reshaping((2, 6), ODD), [Z]),
    (lambda X: ops.total(X, 1, ODD), ops.Total(1, ODD), [Z]),
    (lambda X: ops.mean(X, 1, ODD), ops.Mean(1, ODD), [Z]),
    (lambda X: ops.softmax(X, ODD), ops.Softmax(ODD), [Z]),
    (lambda X: ops.log_softmax(X, ODD), ops.LogSoftmax(ODD), [Z]),
    (ops.softmax, ops.Softmax(), [Z]),
    (ops.log_softmax, ops.LogSoftmax(), [Z]),
    (lambda X: ops.l2(X, 0.3, ODD), ops.L2(0.3, ODD), [Z]),
    (lambda X: ops.l2(X, 0.3, ODD, include_bias=True), ops.L2(0.3, ODD, include_bias=True), [Z]),
    (lambda X, Y: ops.squared_error(X, Y, factor=0.3, **HOW), ops.SquaredError(0.3, **HOW), [Z, P]),
    (lambda X, Y: ops.cross_entropy(X, Y, **HOW), ops.CrossEntropy(**HOW), [Z.T, LABELS]),
    (lambda X, Y: ops.binary_cross_entropy(X, Y, **HOW), ops.BinaryCrossEntropy(**HOW), [Z, P]),
    (lambda X, Y: ops.binary_cross_entropy(X, Y, from_logits=False, **HOW),
     ops.ProbabilityCrossEntropy(**HOW), [P, 1 - P**2]),
    (lambda X, Y: ops.logistic_loss(X, Y, **HOW), ops.Logistic(**HOW), [Z, SIGNS]),
    (lambda X, Y: ops.multiclass_hinge(X, Y, margin=0.3, **HOW), ops.MulticlassHinge(0.3, **HOW), [Z.T, LABELS]),
    (ops.squared_error, ops.SquaredError(1.0, "mean"), [Z, P]),
    (ops.cross_entropy, ops.CrossEntropy("mean"), [Z, LABELS]),
    (ops.binary_cross_entropy, ops.BinaryCrossEntropy("mean"), [Z, P]),
    (ops.logistic_loss, ops.Logistic("mean"), [Z, SIGNS]),
    (ops.multiclass_hinge, ops.MulticlassHinge(1.0, "mean"), [Z, LABELS]),
    (ops.sigmoid, ops.Sigmoid(), [Z]),
    (ops.tanh, ops.Tanh(), [Z]),
    (ops.relu, ops.ReLU(), [Z]),
    (ops.leaky_relu, ops.LeakyReLU(0.01), [Z]),
    (lambda X: ops.leaky_relu(X, 0.3), ops.LeakyReLU(0.3), [Z]),
    (ops.softplus, ops.Softplus(), [Z]),
    (ops.silu, ops.SiLU(), [Z]),
    (ops.gelu, ops.GELU(), [Z]),
    (ops.exp, ops.Exp(), [Z]),
    (ops.log, ops.Log(), [P]),
    (ops.square, ops.Square(), [Z]),
    (lambda X: ops.power(X, 2.5), ops.Power(2.5), [P]),
]
# fmt: on


def jacobians(found: Any) -> list[Any]:
    """The Jacobian itself, or all of them."""
    return [found] if hasattr(found, "to_dense") else [found[name] for name in found]


@pytest.mark.parametrize(("function", "operation", "arrays"), FORMS, ids=range(len(FORMS)))
def test_a_function_is_its_class(
    function: Callable[..., Any], operation: Callable[..., Any], arrays: list[np.ndarray]
) -> None:
    (value, found), (expected, wanted) = function(*arrays), operation(*arrays)
    assert np.array_equal(value, expected)
    for one, other in zip(jacobians(found), jacobians(wanted), strict=True):
        assert (one.shape, one.order) == (other.shape, other.order)
        assert np.array_equal(one.to_dense(), other.to_dense())
    if not hasattr(found, "to_dense"):
        assert [*found] == [*wanted] == [*getattr(operation, "names", wanted)]
        assert repr(found) == repr(wanted)
