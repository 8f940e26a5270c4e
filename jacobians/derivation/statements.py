"""What an operation's or a loss's value and derivative are called in a formula: what the classes state themselves."""

from __future__ import annotations

from jacobians.arrays import Array
from jacobians.operations import Elementwise, Loss, Operation
from jacobians.symbols.expressions import Expr

__all__ = ["delta_of", "derivative_of", "prediction_of", "targets_of", "value_of"]


def value_of(operation: Operation, inner: Expr) -> Expr | None:
    """Return an operation's value as an expression of its input, or None where no formula is known."""
    try:
        value: object = operation.in_symbols(inner)[0]
    except (AttributeError, TypeError, ValueError):  # its code does not run on symbols
        return None
    return value if isinstance(value, Expr) else None


def derivative_of(operation: Operation, inner: Expr) -> Expr | None:
    """Return the entries of an elementwise operation's Jacobian as an expression of its input, or None."""
    return operation.derivative_of(inner) if isinstance(operation, Elementwise) else None


def prediction_of(loss: Loss, output: Expr) -> Expr | None:
    """Return the probabilities that a loss compares with its targets, or None where it compares the output itself."""
    found: list[Expr] = []

    def name(prediction: Expr) -> Expr:
        found.append(prediction)
        return prediction

    loss.in_symbols(output, output, name)
    return found[0] if found else None


def delta_of(loss: Loss, output: Expr, prediction: Expr | None, Y: Expr, targets: Array) -> Expr | None:
    """Return ∂(loss of n)/∂output as an expression, or None where no formula is known."""
    return loss.declared_for(targets).in_symbols(output, Y, lambda value: prediction or value)


def targets_of(loss: Loss, Y: Array, output: Array) -> Array:
    """Return the targets in the output's shape: labels become one-hot."""
    return loss.in_shape(Y, output)
