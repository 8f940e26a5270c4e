"""Where the entries of a matrix lie in an array of shape (*codomain, *domain), whatever its strides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from jacobians.arrays import Array, Shape
from jacobians.layout import Order
from jacobians.linops.orders import unroll

__all__ = ["as_arrays", "diagonal_view", "exchanged", "places", "rows_of", "slabs"]

_SLAB = 1 << 21
"""Bytes of what is computed at a time and then written: it stays in cache, and nothing larger is held beside `out`."""


def as_arrays(matrix: Array, codomain: Shape, domain: Shape, order: Order) -> Array:
    """View a matrix, its rows and columns unrolled in `order`, as an array of shape (*codomain, *domain)."""
    by_columns = np.moveaxis(unroll(matrix, domain, order), 0, -1)
    return exchanged(unroll(by_columns, codomain, order), len(domain))


def exchanged(array: Array, first: int) -> Array:
    """View an array with its `first` leading axes moved behind the others: the transpose of a matrix of arrays."""
    return array.transpose([*range(first, array.ndim), *range(first)])


def diagonal_view(out: Array, left: list[int], right: list[int], view: list[int]) -> Array:
    """A writable view of the entries where equal labels of `left` and `right` have equal places."""
    return np.einsum(out, [*left, *right], view) if out.ndim else out


def places(flat: Array, shape: Shape) -> tuple[Array, ...]:
    """The index, an array for each axis, of flat C-order places in an array of this shape."""
    return np.unravel_index(flat, shape) if shape else ()


def rows_of(part: slice, shape: Shape) -> tuple[Any, ...]:
    """The index that picks this part of the outputs (or inputs), in C order, as one leading axis."""
    return places(np.arange(part.start, part.stop), shape) or (None,)


def slabs(count: int, each: int) -> Iterator[slice]:
    """Cut `count` things of `each` bytes into runs that take about 2 MiB."""
    step = max(1, _SLAB // max(1, each))
    for start in range(0, count, step):
        yield slice(start, min(start + step, count))
