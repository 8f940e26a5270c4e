"""The gradient of a tall batch, block by block: the memory of one block's intermediates."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from jacobians.arrays import Array
from jacobians.errors import LayoutError, ShapeError
from jacobians.layout import Layout
from jacobians.run import Run

if TYPE_CHECKING:
    from jacobians.network import Network

__all__ = ["gradient_in_blocks"]


def gradient_in_blocks(
    network: Network, params: dict[str, Array], X: Array, Y: Array, block: int, *, inputs: bool = False
) -> dict[str, Array]:
    """Return `Run.gradient` of the whole batch as the sum over blocks of `block` examples.

    The weights of the losses, 1/N or 1/(N·K), are the whole batch's. Sums over blocks are carried in float64.

    Raises
    ------
    ShapeError
        If `block` is not a positive integer.
    LayoutError
        If an operation does not act on every example alone.
    """
    _check(network, block)
    layout = network.layout
    count = X.shape[layout.batch_axis] if X.ndim else 0
    if count <= block:
        return Run(network, params, X, Y).gradient(inputs=inputs)
    sums: dict[str, Array] = {}
    by_input = np.empty_like(X) if inputs else None
    for part in _parts(count, block):
        run = Run(network, params, _along(X, part, layout.batch_axis), _along(Y, part, _target_axis(Y, count, layout)))
        added = run.share(count, inputs=inputs)
        if by_input is not None:
            _along(by_input, part, layout.batch_axis)[...] = added.pop("X")
        for name, gradient in added.items():
            if name in sums:
                sums[name] += gradient
            else:
                sums[name] = gradient.astype(np.promote_types(gradient.dtype, np.float64))
    grads = {name: sums[name].astype(params[name].dtype, copy=False) for name in sums}
    grads = network.penalised(grads, params, count)
    return grads if by_input is None else {**grads, "X": by_input}


def _check(network: Network, block: int) -> None:
    try:
        size = operator.index(block)
    except TypeError:
        size = 0
    if size < 1:
        raise ShapeError(f"Network.gradient: block={block!r}; expected a positive number of examples, such as 1024")
    for part in network.chain.parts:
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
