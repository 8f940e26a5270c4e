"""A network's gradient as a sum over blocks of examples, for batches whose intermediates would not fit in memory."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import numpy as np

from jacobians.arrays import Array
from jacobians.errors import LayoutError, ShapeError
from jacobians.layout import Layout
from jacobians.operations import Operation

__all__ = ["gradient_in_blocks"]


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
    _check(parts, block)
    count = X.shape[layout.batch_axis] if X.ndim else 0
    if count <= block:
        return count, share(X, Y, count)
    sums: dict[str, Array] = {}
    for part in _parts(count, block):
        added = share(_along(X, part, layout.batch_axis), _along(Y, part, _target_axis(Y, count, layout)), count)
        by_input = added.pop("X", None)
        if by_input is not None:
            _along(sums.setdefault("X", np.empty_like(X)), part, layout.batch_axis)[...] = by_input
        for name, gradient in added.items():
            if name in sums:
                sums[name] += gradient
            else:
                sums[name] = gradient.astype(np.promote_types(gradient.dtype, np.float64))
    return count, sums


def _check(parts: Sequence[Operation], block: int) -> None:
    try:
        size = operator.index(block)
    except TypeError:
        size = 0
    if size < 1:
        raise ShapeError(f"Network.gradient: block={block!r}; expected a positive number of examples, such as 1024")
    for part in parts:
        if not part.per_example:
            raise LayoutError(
                f"Network.gradient: {part.name} may mix the examples of a batch, so it cannot be cut into blocks; "
                "leave block out, or set per_example = True on the operation if it acts on every example alone"
            )


def _parts(count: int, block: int) -> Iterator[slice]:
    return (slice(start, min(start + block, count)) for start in range(0, count, block))


def _along(array: Array, part: slice, axis: int) -> Array:
    return array[part] if axis == 0 else array[..., part]


def _target_axis(Y: Array, count: int, layout: Layout) -> int:
    """The axis of the targets along which examples lie; labels may also be one row or one column of any layout."""
    if Y.ndim and Y.shape[layout.batch_axis] != count and Y.shape[-1 - layout.batch_axis] == count:
        return -1 - layout.batch_axis
    return layout.batch_axis
