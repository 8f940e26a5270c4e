"""What a network minimises: operations or a function of values, in one convention, with losses and a regulariser."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, Shape
from jacobians.conventions import Convention
from jacobians.errors import ArgumentError, LayoutError, ShapeError
from jacobians.first_tries import written
from jacobians.graphs import Value
from jacobians.linops import Dense, Jacobian
from jacobians.named_parameters import checked, refuse_unnamed
from jacobians.network.agreement import chain_of, check_loss, check_operations, in_convention, strength
from jacobians.network.function_forward import ValueFunction, losses_of
from jacobians.operations import L2, Chain, Loss, Operation, l2
from jacobians.operations.operation import Frozen
from jacobians.presets import convention as find_convention

__all__ = ["Objective"]


class Objective(Frozen):
    """A function of inputs and named parameters, and the objective that is minimised; `Network` evaluates it."""

    @written("Network(operations, loss, convention), or Network.dense((4, 3, 2))")
    def __init__(
        self,
        operations: Sequence[Operation | str] | Callable[..., Any],
        loss: str | Loss | Mapping[str, str | Loss],
        convention: Convention | str,
        *,
        shapes: Mapping[str, Sequence[int]] | None = None,
        l2: float = 0.0,
    ) -> None:
        self.convention = find_convention(convention)
        self.layout = self.convention.layout
        self.l2 = strength(l2)
        self._function: ValueFunction | None = None
        self._chain: Chain | None = None
        if callable(operations) and not isinstance(operations, (Operation, type)):
            if shapes is None:
                raise ArgumentError(
                    f"Network: which arguments of {getattr(operations, '__name__', 'the function')} are parameters? "
                    "Give their shapes, as in shapes={'W': (4, 3), 'b': (3,)}"
                )
            self._function = ValueFunction(operations, shapes)
            self.inputs, self._known = self._function.inputs, self._function.shapes
            self.names = {name: name for name in self._known}
        else:
            if shapes is not None:
                raise ArgumentError("Network: shapes are for a function of values; operations have their own")
            self._chain = chain_of(operations, self.layout)  # type: ignore[arg-type]
            check_operations(self._chain.parts, self.convention)
            # a chain calls weights W1, W2, …; the convention may call them Theta1, Theta2, …
            self.inputs = ("X",)
            self.names = {self.convention.names.parameter(name): name for name in self._chain.names[1:]}
            known = self._chain.parameter_shapes()
            self._known = {name: known[own] for name, own in self.names.items() if own in known}
        if self._chain is not None and isinstance(loss, Mapping):
            raise ArgumentError("Network: loss is a dict; a list of operations has one output, and one loss")
        self._losses = losses_of(loss, self._own_loss)
        self._loss = next(iter(self._losses.values())) if len(self._losses) == 1 else None
        self.convention.l2_scale(self.l2, count=1)  # without a regulariser, the error comes here and not at first use

    _called = "net"

    def _own_loss(self, loss: str | Loss) -> Loss:
        found = loss if isinstance(loss, Loss) else in_convention(loss, self.convention)
        check_loss(found, self.convention)
        if self._chain is None or self._chain.time_first:  # what has three axes are sequences
            return found.replace(layout=found.layout.replace(sequences=self.layout.sequences))
        return found

    @property
    def chain(self) -> Chain:
        """The operations.

        Raises
        ------
        LayoutError
            If the network is a function of values.
        """
        if self._chain is None:
            raise LayoutError(
                f"net.chain: {self!r} is a function of values, not a list of operations; explain, diagnose and "
                "check_gradient take it as it is, and run.objective is its graph"
            )
        return self._chain

    @property
    def function(self) -> Callable[..., Any] | None:
        """The function of values; None where the network is a list of operations."""
        return self._function and self._function.function

    @property
    def loss(self) -> Loss:
        """The loss.

        Raises
        ------
        LayoutError
            If there are several.
        """
        if self._loss is None:
            raise LayoutError(f"net.loss: there are several, of {', '.join(self._losses)}; take net.losses")
        return self._loss

    @property
    def losses(self) -> dict[str, Loss]:
        """The losses by the names of their results; "output" for the only one."""
        return dict(self._losses)

    # --- parameters ------------------------------------------------------------------------------

    def shapes(self) -> dict[str, Shape]:
        """Return the parameters' shapes by name, in the order of the operations."""
        missing = [name for name in self.names if name not in self._known]
        if missing:
            raise ShapeError(f"Network.shapes: {', '.join(missing)}: the operations do not fix their sizes")
        return dict(self._known)

    def _arrays(self, params: Mapping[str, npt.ArrayLike]) -> dict[str, Array]:
        expected = self._known
        if len(expected) < len(self.names):
            refuse_unnamed(params, {}, self.layout, self.convention.names, self.convention.name, "network")
            # an operation that does not fix its sizes checks them itself
            expected = {name: self._known.get(name, np.shape(params.get(name, ()))) for name in self.names}
        return checked(params, expected, self.layout, self.convention.names, self.convention.name, "network")

    # --- the regulariser -------------------------------------------------------------------------

    def is_penalised(self, name: str) -> bool:
        """Whether the regulariser touches this parameter."""
        return self.l2 != 0 and (self.convention.l2_bias or self._is_weight(name))

    def _is_weight(self, name: str) -> bool:
        names = self.convention.names
        if self._function is None or names.is_weight(name):
            return names.is_weight(name)
        return len(self._known[name]) > 1 and not name.startswith(names.bias.partition("{")[0])

    def penalty(self, name: str, array: Array, count: int) -> tuple[Array, Jacobian]:
        """Return the regulariser of one parameter for a batch of `count`, and its row in numerator layout; maybe 0."""
        if not self.is_penalised(name):
            return np.zeros((), array.dtype), Dense(np.zeros_like(array))
        return self.penalty_operation(count)(array)

    def penalty_operation(self, count: int) -> L2:
        """Return the regulariser of a parameter that it touches, for a batch of `count`, as an operation."""
        scale = self.convention.l2_scale(self.l2, count)
        layout = self.layout.replace(derivative="numerator")
        return L2(scale, layout, include_bias=self.convention.l2_bias)

    def penalty_of_value(self, value: Value, count: int) -> Value:
        """Return the regulariser of one parameter as a value. It leaves the bias out, so that it has a formula."""
        whole = self.convention.l2_bias or not self.layout.absorbs_bias
        kept: Any = value if whole else self.layout.weights_of(value)  # type: ignore[arg-type]
        found: Any = l2(kept, self.convention.l2_scale(self.l2, count), include_bias=True)
        return found

    def _penalised(self, grads: dict[str, Array], params: Mapping[str, Array], count: int) -> dict[str, Array]:
        """Return the gradients of the loss plus those of the regulariser; the arrays given are written to."""
        for name in filter(self.is_penalised, params):
            grads[name] += self.penalty(name, params[name], count)[1].gradient
        return grads

    def __repr__(self) -> str:
        parts = self._function.name if self._function else " → ".join(p.name for p in self.chain.parts)
        losses = ", ".join(f"{loss.name} of {name}" for name, loss in self._losses.items())
        return f"Network({parts} → {losses if len(self._losses) > 1 else self.loss.name}, {self.convention.name})"
