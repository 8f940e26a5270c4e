"""Whether operations and losses agree with a network's convention, and losses adapted to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from jacobians.arrays import as_float
from jacobians.conventions import Convention
from jacobians.errors import ArgumentError, DomainError, LayoutError
from jacobians.layout import Layout
from jacobians.operations import Affine, Chain, Loss, Operation, Parallel, Residual, find_activation, find_loss

__all__ = ["chain_of", "check_loss", "check_operations", "in_convention", "strength"]


def chain_of(operations: Sequence[Operation | str], layout: Layout) -> Chain:
    """Return operations as a chain, those without a layout in the one that is given.

    Named activations are made; an operation with parameters may occur only once.
    """
    if isinstance(operations, (Operation, str)):
        raise ArgumentError(f"Network: operations is one operation; expected a list: [{operations!r}]")
    chain = Chain(*(find_activation(part).moved_to(layout) if isinstance(part, str) else part for part in operations))
    seen: set[int] = set()
    waiting = list(chain.parts)
    for part in waiting:  # grows while it is read
        if isinstance(part, (Chain, Parallel, Residual)):
            waiting.extend(part.parts)
        elif part.names[1:]:
            if id(part) in seen:
                raise ArgumentError(
                    f"Network: one object, {part!r}, stands in two places; it would have its parameters "
                    f"{', '.join(part.names[1:])} twice, since a list shares no weights. Make a second object. To "
                    "share a weight, write a function of values: Network(lambda X, W: …, loss, convention, "
                    "shapes={'W': …})"
                )
            seen.add(id(part))
    return Chain(*(_in_layout(part, layout) for part in chain.parts))


def _in_layout(part: Operation, layout: Layout) -> Operation:
    """An operation that has no layout of its own, in the network's; of parts, each."""
    if isinstance(part, (Chain, Parallel, Residual)):
        parts = [_in_layout(inner, layout) for inner in part.parts]
        if all(new is old for new, old in zip(parts, part.parts, strict=True)):
            return part
        made: Callable[..., Operation] = type(part)
        return made(*parts, layout=part.layout)
    return part if part.layout is not None else part.moved_to(layout)


def check_operations(parts: Sequence[Operation], convention: Convention) -> None:
    """Raise LayoutError where an operation, or a part of one, has another layout than the convention."""
    wanted = convention.layout
    for part in parts:
        if isinstance(part, (Chain, Parallel, Residual)):
            check_operations(part.parts, convention)
        found = part.layout or wanted
        # a layer may do without bias, unless the regulariser would leave out a bias that is not in its weights
        bias = "none" if found.bias == "none" and not wanted.absorbs_bias else wanted.bias
        if found.batch != wanted.batch or (
            isinstance(part, Affine) and (found.weights, found.bias) != (wanted.weights, bias)
        ):
            raise LayoutError(
                f"Network: {part.name} keeps {found}; {convention.name} keeps {wanted}: give it the convention's layout"
            )
        for field in part.reads:
            own, other = getattr(found, field), getattr(wanted, field)
            if own != other:
                raise LayoutError(
                    f"Network: {part.name} keeps {field} {own!r}, {convention.name} {other!r}: give it the "
                    "convention's layout, or none; jac.translate_network moves a whole network with its parameters"
                )


def in_convention(loss: str | Loss, convention: Convention) -> Loss:
    """Return a loss with the convention's layout and reduction; given by name, also with the factor of its source."""
    found, reduction = find_loss(loss), convention.effective_reduction
    if loss is found:
        return found.replace(layout=convention.layout, reduction=reduction)
    task = convention.task_of(found.name)
    return found.replace(layout=convention.layout, reduction=reduction, factor=task.factor if task else 1.0)


def strength(l2: float) -> float:
    """Return the regulariser's strength as a number, if it is one."""
    found = as_float(l2, "l2", "Network")
    if found.ndim or not 0 <= found < np.inf:
        raise DomainError(f"Network: l2={l2!r}; expected the regulariser's strength, one finite number λ ≥ 0")
    return float(found)


def check_loss(loss: Loss, convention: Convention) -> None:
    """Raise LayoutError unless the loss is reduced to one number in the convention's way."""
    if loss.layout.batch != convention.layout.batch:
        raise LayoutError(
            f"Network: {loss.name} keeps its batch in {loss.layout.batch}, {convention.name} in "
            f"{convention.layout.batch}: give it the convention's layout"
        )
    if loss.reduction == "none":
        raise LayoutError(
            f"Network: {loss.name} is not reduced to one number, so there is no objective; choose a reduction, as in "
            "convention.replace(reduction='mean'): a run has its `losses` under every reduction"
        )
    if convention.reduction not in (None, loss.reduction):
        raise LayoutError(
            f"Network: {loss.name} is reduced by {loss.reduction!r}, {convention.name} by {convention.reduction!r}; "
            f"choose one, as in convention.replace(reduction={loss.reduction!r})"
        )
