"""Whether operations and a loss keep their arrays as a network's convention does, checked when it is made.

A layout is an argument of every operation, so it can be forgotten; with as many examples as features nothing else
would notice.
"""

from __future__ import annotations

from collections.abc import Sequence

from jacobians.conventions import Convention
from jacobians.errors import LayoutError
from jacobians.operations import Affine, Chain, Loss, Operation, Parallel, Residual

__all__ = ["check_loss", "check_operations"]


def check_operations(parts: Sequence[Operation], convention: Convention) -> None:
    """Raise LayoutError where an operation, or a part of one, keeps its arrays otherwise than the convention."""
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


def check_loss(loss: Loss, convention: Convention) -> None:
    """Raise LayoutError unless the loss is reduced to one number, as the convention does it."""
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
