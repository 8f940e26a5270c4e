"""What an operation's or a loss's value and derivative are called in a formula: the textbook's own statements."""

from __future__ import annotations

import numpy as np

from jacobians.arrays import Array, as_float
from jacobians.operations import (
    AddOnes,
    BinaryCrossEntropy,
    CrossEntropy,
    LeakyReLU,
    Logistic,
    LogSoftmax,
    Loss,
    MulticlassHinge,
    Operation,
    Power,
    ProbabilityCrossEntropy,
    Reshaping,
    Softmax,
    SquaredError,
    Transpose,
)
from jacobians.operations.losses import class_labels, one_hot
from jacobians.symbols.expressions import (
    Add,
    Call,
    Expr,
    Hadamard,
    Number,
    Quotient,
    Reshaped,
    SumOver,
    WithOnes,
    transposed,
)
from jacobians.symbols.functions import FUNCTIONS

__all__ = ["delta_of", "derivative_of", "prediction_of", "targets_of", "value_of"]


def value_of(operation: Operation, inner: Expr) -> Expr | None:
    """Return an operation's value as an expression of its input, or None where no formula is known."""
    match operation:
        case Softmax() | LogSoftmax():
            return Call(f"{operation.name}_{operation.layout.batch}", (inner,))
        case AddOnes(layout=layout):
            return WithOnes(inner, layout.feature_axis % 2, layout.bias == "first")
        case Transpose():
            return transposed(inner)
        case Reshaping(shape=shape):
            return Reshaped(inner, shape)
    return _call(operation, inner, "")


def derivative_of(operation: Operation, inner: Expr) -> Expr | None:
    """Return the entries of an elementwise operation's Jacobian as an expression of its input, or None."""
    return _call(operation, inner, "_prime")


def _call(operation: Operation, inner: Expr, suffix: str) -> Expr | None:
    more: tuple[Expr, ...] = ()
    match operation:
        case LeakyReLU(slope=slope):
            more = (Number(slope),)
        case Power(exponent=exponent):
            more = (Number(exponent),)
    name = operation.name + suffix
    return Call(name, (inner, *more)) if name in FUNCTIONS else None


def prediction_of(loss: Loss, output: Expr) -> Expr | None:
    """Return the probabilities that a loss compares with its targets, or None where it compares the output itself."""
    match loss:
        case CrossEntropy():
            return Call(f"softmax_{loss.layout.batch}", (output,))
        case BinaryCrossEntropy():
            return Call("sigmoid", (output,))
    return None


def delta_of(loss: Loss, output: Expr, prediction: Expr | None, Y: Expr, targets: Array) -> Expr | None:
    """Return ∂(loss of n)/∂output as an expression, or None where no formula is known."""
    match loss:
        case CrossEntropy() if prediction is not None:
            axis = loss.layout.feature_axis % 2
            sums = targets.sum(axis=axis)
            whole = prediction if (sums == 1).all() else Hadamard(SumOver(Y, axis), prediction)
            return Add(whole, Y, minus=True)
        case BinaryCrossEntropy() if prediction is not None:
            return Add(prediction, Y, minus=True)
        case ProbabilityCrossEntropy():
            difference = Add(output, Y, minus=True)
            return Quotient(difference, Hadamard(output, Add(Number(1), output, minus=True)))
        case SquaredError(factor=factor):
            difference = Add(output, Y, minus=True)
            return difference if factor == 0.5 else Hadamard(Number(2.0 * factor), difference)
        case Logistic():
            against = Call("sigmoid", (Hadamard(Number(-1), Hadamard(Y, output)),))
            return Hadamard(Number(-1), Hadamard(Y, against))
        case MulticlassHinge(margin=margin):
            return Call(f"hinge_{loss.layout.batch}", (output, Y, Number(margin)))
    return None


def targets_of(loss: Loss, Y: Array, output: Array) -> Array:
    """Return the targets in the output's shape: labels become one-hot."""
    if Y.shape == output.shape or output.ndim != 2:
        return as_float(Y, "Y", "explain").astype(output.dtype, copy=False)
    count, classes = output.shape[loss.layout.batch_axis], output.shape[loss.layout.feature_axis]
    return one_hot(class_labels(np.asarray(Y), count, classes, "explain"), output, loss.layout)
