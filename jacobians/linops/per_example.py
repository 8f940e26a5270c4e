"""Maps that act on one example at a time: a stack of inputs as a stack of rows for each example, and back.

A map keeps the examples apart along an axis (0 for a batch in rows, -1 in columns) if place n of its output depends
on place n of its input alone. Then it is one small block for each example, and q tangents, the same for every
example, show all N·q columns of its matrix.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jacobians.arrays import Array, DType, Shape, size_of

if TYPE_CHECKING:
    from jacobians.linops.matrix_views import MatrixViews

__all__ = ["common_axes", "example_basis", "joined", "one_example", "probed", "split"]


def one_example(shape: Shape, axis: int) -> Shape:
    """The shape of one example of an array of this shape."""
    return shape[1:] if axis == 0 else shape[:-1]


def split(stack: Array, shape: Shape, axis: int) -> Array:
    """(k, *shape) → (k, N, entries of one example)."""
    inner = size_of(one_example(shape, axis))
    if axis == 0:
        return stack.reshape(len(stack), shape[0], inner)
    return stack.reshape(len(stack), inner, shape[-1]).swapaxes(1, 2)


def joined(rows: Array, shape: Shape, axis: int) -> Array:
    """(k, N, entries of one example) → (k, *shape)."""
    return (rows if axis == 0 else rows.swapaxes(1, 2)).reshape(len(rows), *shape)


def common_axes(jacobian: MatrixViews) -> tuple[int, ...]:
    """The axes of 0 and -1 along which the map keeps the examples apart."""
    return tuple(axis for axis in (0, -1) if jacobian._keeps_examples(axis))


def example_basis(shape: Shape, axis: int, start: int, stop: int, dtype: DType) -> Array:
    """A stack (stop − start, *shape): in member k every example has 1 at its entry start + k, and 0 elsewhere."""
    size = size_of(one_example(shape, axis))
    ones = np.eye(stop - start, size, start, dtype=dtype)[:, None, :]
    return joined(np.broadcast_to(ones, (stop - start, shape[axis], size)), shape, axis)


def probed(jacobian: MatrixViews, axis: int) -> Array:
    """The blocks (N, p, q) as images of one basis, the same for every example."""
    q = size_of(one_example(jacobian.domain, axis))
    images = jacobian._jvp(example_basis(jacobian.domain, axis, 0, q, jacobian.dtype))
    return split(images, jacobian.codomain, axis).transpose(1, 2, 0)
