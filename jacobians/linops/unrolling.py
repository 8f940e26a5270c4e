"""Vec orders: how arrays become vectors, and where a matrix's entries lie in an array of shape (*codomain, *domain)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from jacobians.arrays import Array, Shape, size_of
from jacobians.errors import LayoutError
from jacobians.layout import Order


def known_order(order: str, operation: str) -> Order:
    """Return `order` if it is one.

    Raises
    ------
    LayoutError
        If it is neither "C" nor "F".
    """
    if order not in ("C", "F"):
        raise LayoutError(f"{operation}: order={order!r} is unknown; choose 'C' or 'F'")
    return order  # type: ignore[return-value]


def unroll(stack: Array, shape: Shape, order: Order | None) -> Array:
    """(*lead, size) → (*lead, *shape), each row un-vec'd in `order`: a view."""
    lead = stack.shape[:-1]
    if order == "F" and len(shape) > 1:
        rank, ahead = len(shape), len(lead)
        return stack.reshape(lead + shape[::-1]).transpose(*range(ahead), *range(ahead + rank - 1, ahead - 1, -1))
    return stack.reshape(lead + shape)


def roll(stack: Array, shape: Shape, order: Order | None) -> Array:
    """(k, *shape) → (k, size), each entry vec'd in `order`."""
    if order == "F" and len(shape) > 1:
        rank = len(shape)
        stack = stack.transpose(0, *range(rank, 0, -1))
    return stack.reshape(stack.shape[0], size_of(shape))


def c_index_of_f(shape: Shape) -> Array:
    """For each place of the F-order vec, its place in the C-order vec."""
    return np.arange(size_of(shape)).reshape(shape).flatten(order="F")


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


def unravelled(flat: Array, shape: Shape) -> tuple[Array, ...]:
    """The index, an array for each axis, of flat C-order places in an array of this shape."""
    return np.unravel_index(flat, shape) if shape else ()


def rows_of(part: slice, shape: Shape) -> tuple[Any, ...]:
    """The index that picks this part of the outputs (or inputs), in C order, as one leading axis."""
    return unravelled(np.arange(part.start, part.stop), shape) or (None,)


def slabs(count: int, each: int, together: int | None = None) -> Iterator[slice]:
    """Cut `count` things of `each` bytes into runs that take about 2 MiB, or so many bytes, together."""
    step = max(1, (together or _SLAB) // max(1, each))
    for start in range(0, count, step):
        yield slice(start, min(start + step, count))
