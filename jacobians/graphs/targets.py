"""A loss as an operation of the outputs alone, with its targets constant."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, OfGraph, as_array
from jacobians.errors import GraphError
from jacobians.linops import Dense, Diagonal, Jacobian
from jacobians.operations import Loss, Operation, SquaredError, Unary
from jacobians.operations.broadcasting import Minus
from jacobians.operations.losses import rows_of_examples
from jacobians.operations.operation import UNNAMED, Naming, called
from jacobians.operations.record import Makers, Second
from jacobians.operations.targets import same_shape_targets
from jacobians.symbols.expressions import Call, Expr, Number, Quotient
from jacobians.symbols.named_functions import Function
from jacobians.symbols.simplify import scaled


class WithTargets(Unary):
    """X ↦ the loss of X and of targets that do not change.

    Parameters
    ----------
    loss : Loss
    targets : array_like
    """

    def __init__(self, loss: Loss, targets: npt.ArrayLike) -> None:
        self.loss = loss
        self.targets = as_array(targets, "Y", loss.name)
        self.layout = loss.layout

    @property
    def name(self) -> str:
        return self.loss.name

    def _linearize(self, *arrays: Array) -> tuple[Array, Makers]:
        (X,) = arrays
        if self.loss.reduction == "none":
            losses, rows = self.loss.per_example(X, self.targets)
            return losses, {"X": lambda: rows}
        value, row = self.loss.total(X, self.targets)
        return value(), {"X": partial(_row, row)}

    def _second(self, cotangent: Array, *arrays: Array) -> Second:
        """The second derivative of the loss. For per-example losses, the cotangent of each example scales its block."""
        (X,) = arrays
        H = self.loss.hessian(X, self.targets).numerator.ordered("C")
        if cotangent.shape == ():
            return {("X", "X"): float(cotangent) * H}
        shape = [1] * X.ndim
        shape[self.loss.layout.examples_axis(X.ndim)] = -1
        weights = Diagonal(np.broadcast_to(cotangent.reshape(shape), X.shape).astype(X.dtype))
        return {("X", "X"): weights @ H}

    def in_symbols(self, *inputs: Expr, name: Naming = UNNAMED) -> tuple[Expr, Makers]:
        """Return a call of the loss, and the maker of its row, δ/N, or of δ's rows by example."""
        (X,) = inputs
        outputs = np.broadcast_to(0.0, X.shape)
        loss = self.loss.declared_for(self.targets, outputs)
        Y = name.constant("Y", loss.in_shape(self.targets, outputs))
        delta = loss.delta_in_symbols(X, Y, name.inside("P"))
        count = X.shape[loss.layout.examples_axis(X.ndim)]
        if loss.reduction == "none":
            value = Call(Function(*called(loss.name), LossValue(loss)), (X, Y), (count,))
            return value, {"X": lambda: rows_of_examples(cast(Array, delta), loss.layout)}
        weight: Expr | None = None
        if loss.reduction != "sum":
            examples = name.constant("N", np.asarray(float(count if loss.reduction == "mean" else X.size)))
            weight = Quotient(Number(1), examples)
        row = Dense(cast(Array, scaled(weight, delta)))
        return Call(Function(*called(loss.name), LossValue(loss)), (X, Y), ()), {"X": lambda: row}


@dataclass(frozen=True, eq=False)
class LossValue:
    """A loss as a function of outputs and targets, for formulas.

    Parameters
    ----------
    loss : Loss
    """

    loss: Loss

    def __call__(self, X: Array, Y: Array) -> Array:
        return as_array(self.loss.per_example(X, Y)[0] if self.loss.reduction == "none" else self.loss.total(X, Y)[0]())

    def __eq__(self, other: object) -> bool:
        same = isinstance(other, LossValue) and type(other.loss) is type(self.loss)
        return same and vars(other.loss) == vars(self.loss)  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash(type(self.loss))


def _row(row: Any) -> Jacobian:
    return row()


def with_targets(loss: Loss, operands: tuple[Any, Any]) -> tuple[Operation, tuple[Any, ...]]:
    """Return a loss as an operation, and its operand: the outputs, or outputs minus targets where the targets vary.

    Raises
    ------
    GraphError
        If the targets are a value, and the loss does not depend on the difference alone.
    """
    X, Y = operands
    if not isinstance(Y, OfGraph):
        return WithTargets(loss, Y), (X,)
    if not isinstance(loss, SquaredError):
        raise GraphError(
            f"{loss.name}: the targets are the value {Y!r}; the loss has no Jacobian with respect to its targets. Pass "
            "them as an array, Y.array, and leave them out of jac.values"
        )
    outputs = X.array if isinstance(X, OfGraph) else as_array(X)
    same_shape_targets(Y.array, outputs, loss.name, loss.layout)
    difference = Y._apply(Minus(), (X if isinstance(X, OfGraph) else outputs, Y))
    return WithTargets(loss, np.zeros_like(outputs)), (difference,)
