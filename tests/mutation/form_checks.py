"""Short forms: a function is its class; names, ranks and dtypes of inputs that the cases do not have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jacobians import operations as ops
from jacobians.layout import Layout
from jacobians.testing import assert_operation_laws

ELEMENTWISE = ("sigmoidal", "rectifiers", "smooth_rectifiers", "powers", "normal_tail", "base")


def names_of_parameters() -> None:
    """What each parameter is called in a network, whose it is, and its shape."""
    first, second = ops.Affine(sizes=(2, 3)), ops.Affine(Layout(bias="none"), sizes=(3, 2))
    net = ops.Chain(ops.Tanh(), first, ops.Sigmoid(), second)
    assert net.names == ("X", "W1", "b1", "W2"), net.names
    assert [net.owner(n) for n in net.names[1:]] == [(1, "W"), (1, "b"), (3, "W")]
    shapes = {"W1": (2, 3), "b1": (3,), "W2": (3, 2)}
    assert net.parameter_shapes() == shapes
    residual = ops.Residual(net)
    assert residual.names == net.names, residual.names
    assert [residual.owner(n) for n in residual.names[1:]] == [(0, "W1"), (0, "b1"), (0, "W2")]
    assert residual.parameter_shapes() == shapes
    nested = ops.Chain(first, ops.Parallel(net, second))
    _, J = ops.hadamard(np.ones(2), np.ones(2))
    assert J.numerator("A") is J.numerator("A"), "a Jacobian is built twice"
    assert nested.names == ("X", "W1", "b1", "2.1.W1", "2.1.b1", "2.1.W2", "2.W2"), nested.names


def what_keeps_examples_apart() -> None:
    """A composition does if all of its parts do."""
    apart, mixing = ops.ReLU(), ops.Transpose()
    for whole in (ops.Chain, ops.Parallel):
        for parts, expected in (((apart, apart), True), ((apart, mixing), False), ((mixing, apart), False)):
            assert whole(*parts).per_example == expected, f"{whole.__name__} of {[p.name for p in parts]}"
    assert ops.Residual(apart).per_example
    assert not ops.Residual(mixing).per_example


def matmul_first() -> None:
    rng = np.random.default_rng(11)
    assert_operation_laws(ops.Chain(ops.MatMul(), ops.Tanh()), [rng.normal(size=(3, 2)), rng.normal(size=(2, 4))])


def residual_of_a_scalar() -> None:
    assert_operation_laws(ops.Residual(ops.Tanh()), [np.array(0.5)])


def mixed_dtypes() -> None:
    """The widest input decides, whichever it is."""
    rng = np.random.default_rng(9)
    X, W, b = rng.normal(size=(3, 2)), rng.normal(size=(2, 4)), rng.normal(size=4)
    for operation, arrays in ((ops.affine, [X, W, b]), (ops.matmul, [X, W]), (ops.hadamard, [X, X]), (ops.add, [X, X])):
        expected = operation(*arrays)[0]
        for wide in range(len(arrays)):
            mixed = [a if i == wide else a.astype(np.float32) for i, a in enumerate(arrays)]
            value, J = operation(*mixed)
            assert value.dtype == np.float64, f"{operation.__name__} with a wide input {wide}: {value.dtype}"
            assert np.allclose(value, expected, rtol=1e-5, atol=1e-5)
            assert [J[name].codomain for name in J] == [value.shape] * len(arrays)
    batch = Layout(batch="columns")
    assert ops.affine(X.T.astype(np.float32), W.astype(np.float32), b, batch)[0].dtype == np.float64


def short_forms(family: str) -> None:
    """A function is its class: the same value and Jacobians, and every option reaches it."""
    for function, operation, arrays in _forms(family):
        (value, found), (expected, wanted) = function(*arrays), operation(*arrays)
        assert np.array_equal(value, expected), f"{operation}: another value"
        if not hasattr(found, "to_dense"):
            assert [*found] == [*wanted] == [*getattr(operation, "names", wanted)]
            pairs = [(found[name], wanted[name]) for name in wanted]
            assert repr(found) == repr(wanted)
        else:
            pairs = [(found, wanted if hasattr(wanted, "to_dense") else wanted[next(iter(wanted))])]
        for one, other in pairs:
            assert one.shape == other.shape, f"{operation}: {one!r}, not {other!r}"
            assert one.order == other.order, f"{operation}: {one!r}, not {other!r}"
            assert np.array_equal(one.to_dense(), other.to_dense()), f"{operation}: another Jacobian"


def _forms(family: str) -> list[tuple[Callable[..., Any], Callable[..., Any], list[np.ndarray]]]:
    rng = np.random.default_rng(6)
    Z, P, W = rng.normal(size=(3, 4)), rng.uniform(0.2, 0.8, size=(3, 4)), rng.normal(size=(4, 2))
    labels = np.array([0, 2, 1])
    turned = Layout(batch="columns", vec="F", derivative="denominator")
    odd = turned.replace(weights="rows", bias="last")
    signs = np.sign(Z)
    if family in ("affine", "ones"):
        A, B, c = Z.T, rng.normal(size=(2, 5)), rng.normal(size=2)
        return [
            (lambda X, W: ops.affine(X, W, layout=odd), ops.Affine(odd), [A, B]),
            (lambda X, W: ops.affine(X, W, c), lambda X, W: ops.Affine()(X, W, c), [Z, W]),
            (lambda X, W: ops.linear(X, W, odd), ops.Affine(odd.replace(bias="none")), [A, B[:, 1:]]),
            (lambda X, W: ops.linear(X, W), ops.Affine(Layout(bias="none")), [Z, W]),
            (lambda X: ops.add_ones(X, odd), ops.AddOnes(odd), [A]),
        ]
    if family == "products":
        return [
            (lambda a, b: ops.matmul(a, b, odd), ops.MatMul(odd), [Z, W]),
            (lambda a, b: ops.hadamard(a, b, odd), ops.Hadamard(odd), [Z, P]),
            (lambda a, b: ops.add(a, b, odd), ops.Add(odd), [Z, P]),
        ]
    if family == "structure":
        return [
            (lambda X: ops.transpose(X, odd), ops.Transpose(odd), [Z]),
            (lambda X: ops.reshape(X, (2, 6), odd), ops.Reshaping((2, 6), odd), [Z]),
            (lambda X: ops.total(X, 1, odd), ops.Total(1, odd), [Z]),
            (lambda X: ops.mean(X, 1, odd), ops.Mean(1, odd), [Z]),
        ]
    if family == "softmax":
        return [
            (lambda X: ops.softmax(X, odd), ops.Softmax(odd), [Z]),
            (lambda X: ops.log_softmax(X, odd), ops.LogSoftmax(odd), [Z]),
            (ops.softmax, ops.Softmax(), [Z]),
            (ops.log_softmax, ops.LogSoftmax(), [Z]),
        ]
    if family == "regulariser":
        return [
            (lambda X: ops.l2(X, 0.3, odd), ops.L2(0.3, odd), [Z]),
            (lambda X: ops.l2(X, 0.3, odd, include_bias=True), ops.L2(0.3, odd, include_bias=True), [Z]),
        ]
    if family in ("loss_base", "targets", "squared_error", "cross_entropies", "margin_losses"):
        how: dict[str, Any] = {"reduction": "sum", "layout": turned}
        pairs: list[tuple[Callable[..., Any], Callable[..., Any], list[np.ndarray]]] = [
            (
                lambda X, Y: ops.squared_error(X, Y, factor=0.3, **how),
                ops.SquaredError(0.3, **how), [Z, P],
            ),
            (lambda X, Y: ops.cross_entropy(X, Y, **how), ops.CrossEntropy(**how), [Z.T, labels]),
            (lambda X, Y: ops.binary_cross_entropy(X, Y, **how), ops.BinaryCrossEntropy(**how), [Z, P]),
            (
                lambda X, Y: ops.binary_cross_entropy(X, Y, from_logits=False, **how),
                ops.ProbabilityCrossEntropy(**how), [P, 1 - P**2],
            ),
            (lambda X, Y: ops.logistic_loss(X, Y, **how), ops.Logistic(**how), [Z, signs]),
            (
                lambda X, Y: ops.multiclass_hinge(X, Y, margin=0.3, **how),
                ops.MulticlassHinge(0.3, **how), [Z.T, labels],
            ),
        ]  # fmt: skip
        plain = [
            (ops.squared_error, ops.SquaredError(1.0, "mean"), [Z, P]),
            (ops.cross_entropy, ops.CrossEntropy("mean"), [Z, labels]),
            (ops.binary_cross_entropy, ops.BinaryCrossEntropy("mean"), [Z, P]),
            (ops.logistic_loss, ops.Logistic("mean"), [Z, signs]),
            (ops.multiclass_hinge, ops.MulticlassHinge(1.0, "mean"), [Z, labels]),
        ]
        return [*pairs, *plain]
    entries = [
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
    return entries if family in ELEMENTWISE else []
