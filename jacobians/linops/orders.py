"""Vec orders: how stacks of arrays become stacks of vectors, and which order a chain of operators shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jacobians.arrays import Array, Shape, size_of
from jacobians.errors import LayoutError
from jacobians.layout import Order

if TYPE_CHECKING:
    from jacobians.linops.base import Jacobian

__all__ = ["c_index_of_f", "joint_order", "known_order", "roll", "unroll"]


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


def joint_order(*operators: Jacobian) -> Order | None:
    """Return the one order that the operators carry; those without one fit any.

    It is the join of all factors' orders, so it is the same, or refused, for every bracketing of a chain.

    Raises
    ------
    LayoutError
        If some are unrolled in "C" and some in "F".
    """
    carrier: Jacobian | None = None
    for operator in operators:
        if operator.order is None:
            continue
        if carrier is None:
            carrier = operator
        elif operator.order != carrier.order:
            raise LayoutError(
                f"{carrier.structure} is unrolled in order {carrier.order!r}, {operator.structure} in order "
                f"{operator.order!r}; give every operation the same layout, or convert one with .ordered('C') or "
                ".ordered('F')"
            )
    return None if carrier is None else carrier.order


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
