"""The bracketing of least cost for the dense matrix of a chain, priced by structure.

A chain's dense matrix can be grown from the right (forward mode: factors act on columns), from the left
(reverse mode: factors act on rows), or outward from a waist; where the factors keep the examples apart, one small block
for each example is grown instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jacobians.arrays import format_bytes
from jacobians.errors import TooLargeError
from jacobians.linops.bracketing import Bracket, Bracketing, Way

if TYPE_CHECKING:
    from jacobians.linops.base import Jacobian

__all__ = ["Plan", "least_bytes", "make_plan", "within"]


@dataclass(frozen=True, slots=True)
class Plan:
    """How a chain will be multiplied out, and what it costs.

    Attributes
    ----------
    bracket : nested tuple
        Positions of factors, bracketed, each pair with its action: "columns" (the left factor acts on the
        columns of the right), "rows" (the right acts on the rows of the left), "gemm" (both are built), "outer" (a
        row of each block times the example's input), "row view" or "column view" (one only reorders the other's rows or
        columns). A pair (inside, axis) is multiplied out example by example, the examples lying along this axis.
    operations : int
        Multiplications and additions; a step that only moves entries counts one for each that it writes.
    peak_bytes : int
        The most that the arrays which are built, the matrix among them, take at one time, but for slabs of 2 MiB.
    forward, reverse : int
        Operations of the two pure modes, for comparison; by blocks too, where the examples stay apart.
    """

    bracket: Bracket
    operations: int
    peak_bytes: int
    forward: int
    reverse: int

    def __str__(self) -> str:
        return (
            f"{_show(self.bracket)}: {self.operations:,} operations, peak {format_bytes(self.peak_bytes)} "
            f"(forward {self.forward:,}, reverse {self.reverse:,})"
        )


def make_plan(factors: tuple[Jacobian, ...], limit: int | None = None, best: Way | None = None) -> Plan:
    """Return the plan of least operations over all bracketings of `factors`, of those that stay within the limit.

    Parameters
    ----------
    factors : tuple of Jacobian
    limit : int, optional
        Bytes that `peak_bytes` must not exceed.
    best : Way, optional
        The way of least operations, where it is known.

    Raises
    ------
    TooLargeError
        If no bracketing stays within the limit.

    Examples
    --------
    >>> import numpy as np
    >>> from jacobians.linops import Dense
    >>> wide, narrow = Dense(np.ones((9, 2)), (9,)), Dense(np.ones((2, 9)), (2,))
    >>> print(make_plan((wide, narrow, wide)))
    (0 (1 2)): 144 operations, peak 176 B (forward 144, reverse 648)
    """
    last = len(factors) - 1
    way = best or Bracketing(factors).ways(0, last)[0]
    if limit is not None and way.peak > limit:
        way = within(factors, limit)
    pure = (Bracketing(factors, mode).ways(0, last)[0].operations for mode in ("forward", "reverse"))
    return Plan(way.bracket, way.operations, way.peak, *pure)


def within(factors: tuple[Jacobian, ...], limit: int) -> Way:
    """Return the way of least operations of those that build no more than `limit` bytes at a time.

    Raises
    ------
    TooLargeError
        If there is none.
    """
    ways = Bracketing(factors, thrifty=True).ways(0, len(factors) - 1)
    for way in ways:
        if way.peak <= limit:
            return way
    least = ways[-1].peak
    raise TooLargeError(
        f"plan: no bracketing of {' @ '.join(f.structure for f in factors)} stays within {format_bytes(limit)}; the "
        f"thriftiest takes {format_bytes(least)}: pass limit={least}, or use jvp, vjp or to_sparse()"
    )


def least_bytes(factors: tuple[Jacobian, ...]) -> int:
    """Return the bytes that the thriftiest bracketing builds at a time."""
    return Bracketing(factors, thrifty=True).ways(0, len(factors) - 1)[-1].peak


def _show(bracket: Bracket) -> str:
    if isinstance(bracket, int):
        return str(bracket)
    if len(bracket) == 2:
        inside = _show(bracket[0])
        return f"[{inside[1:-1]}]" if inside[0] == "(" else f"[{inside}]"
    return f"({_show(bracket[0])} {_show(bracket[1])})"
