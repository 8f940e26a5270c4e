"""A network's gradient as a sum over blocks of examples, for batches whose intermediates would not fit in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from jacobians.arrays import Array
from jacobians.batches.blocks import Blocks, along, positive
from jacobians.batches.tree import TreeSum
from jacobians.errors import LayoutError
from jacobians.layout import DEFAULT_LAYOUT, Layout
from jacobians.operations import Operation

__all__ = ["gradient_in_blocks", "refuse_mixing"]


Share: TypeAlias = Callable[[Array, Array, int], dict[str, Array]]
"""From a block's inputs and targets, and the number of all examples, what the block adds; by X, its own part."""


def gradient_in_blocks(
    share: Share, parts: Sequence[Operation], X: Array, Y: Array, block: int, layout: Layout
) -> tuple[int, dict[str, Array]]:
    """Return the number of examples, and the gradient of the loss as the sum over blocks of `block` examples.

    The weights of the losses, 1/N or 1/(N·K), are the whole batch's. Sums over blocks are carried in float64.

    Raises
    ------
    ShapeError
        If `block` is not a positive integer.
    LayoutError
        If an operation does not act on every example alone.
    """
    positive(block, "Network.gradient: block")
    refuse_mixing(parts, "Network.gradient")
    count = X.shape[layout.batch_axis] if X.ndim else 0
    if count <= block:
        return count, share(X, Y, count)
    axis = layout.batch_axis
    batches = Blocks(X, Y, block, layout.batch)
    total = TreeSum(len(batches))
    by_input: dict[str, Array] = {}
    for index in range(len(batches)):
        x, y = batches[index]
        added = share(x, y, count)
        if "X" in added:
            along(by_input.setdefault("X", np.empty_like(X)), batches.part(index), axis)[...] = added.pop("X")
        total.put(index, added)
    return count, {**total.result(), **by_input}


def refuse_mixing(parts: Sequence[Operation], what: str) -> None:
    """Raise LayoutError where an operation may not act on every example alone."""
    for part in parts:
        if part.time_first:
            axis = (part.layout or DEFAULT_LAYOUT).batch_axis
            raise LayoutError(
                f"{what}: {part.name} reads sequences time-first, so its examples lie along axis 1, and blocks are cut "
                f"along axis {axis}; take the whole batch, or a layout with sequences='batch-first'"
            )
        if not part.per_example:
            raise LayoutError(
                f"{what}: {part.name} may mix the examples of a batch, so it cannot be cut into blocks. "
                "Take the whole batch. If it acts on every example alone, set per_example = True on the operation"
            )
