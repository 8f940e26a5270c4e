"""The bracketing of least cost for the dense matrix of a chain, priced by structure.

A chain's dense matrix can be grown from the right (forward mode: factors act on columns), from the left
(reverse mode: factors act on rows), or outward from a waist. Dynamic programming over all brackets, with what
each structure really costs, finds the cheapest (the matrix-chain problem: Cormen et al., 4th ed., §14.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from jacobians.arrays import Array, format_bytes, size_of

if TYPE_CHECKING:
    from jacobians.linops.base import Jacobian

__all__ = ["Plan", "execute", "make_plan"]

Bracket: TypeAlias = "int | tuple[Bracket, Bracket, str]"
"""A factor's position, or (left, right, action): which side acts on the other's rows or columns."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a chain will be multiplied out, and what it costs.

    Attributes
    ----------
    bracket : nested tuple
        Positions of factors, bracketed, each pair with its action: "columns" (the left factor acts on the
        columns of the right), "rows" (the right acts on the rows of the left) or "gemm" (both are dense).
    operations : int
        Arithmetic operations, a multiplication and an addition counting two.
    peak_bytes : int
        The most that operands and result of one step take together.
    forward, reverse : int
        Operations of the two pure modes, for comparison.
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


def make_plan(factors: tuple[Jacobian, ...]) -> Plan:
    """Return the plan of least operations over all bracketings of `factors`.

    Examples
    --------
    >>> from jacobians.linops import Dense
    >>> wide, narrow = Dense(np.ones((9, 2)), (9,)), Dense(np.ones((2, 9)), (2,))
    >>> print(make_plan((wide, narrow, wide)))
    (0 (1 2)): 144 operations, peak 320 B (forward 144, reverse 648)
    """
    count = len(factors)
    rows = [f.shape[0] for f in factors]
    columns = [f.shape[1] for f in factors]
    best: dict[tuple[int, int], tuple[int, Bracket]] = {(i, i): (0, i) for i in range(count)}
    for length in range(2, count + 1):
        for i in range(count - length + 1):
            j = i + length - 1
            options = []
            for k in range(i, j):
                left, right = best[i, k], best[k + 1, j]
                spent = left[0] + right[0]
                for price, action in _actions(factors, i, k, j):
                    options.append((spent + price, (left[1], right[1], action)))
            best[i, j] = min(options, key=lambda option: option[0])
    operations, bracket = best[0, count - 1]
    item = max(f.dtype.itemsize for f in factors)
    return Plan(
        bracket=bracket,
        operations=operations,
        peak_bytes=_peak(bracket, factors) * item,
        forward=columns[-1] * sum(f.flops for f in factors[:-1]),
        reverse=rows[0] * sum(f.flops for f in factors[1:]),
    )


def _actions(factors: tuple[Jacobian, ...], i: int, k: int, j: int) -> list[tuple[int, str]]:
    """Ways to multiply bracket [i..k] by bracket [k+1..j]; only a single factor can act by its structure."""
    m, n = factors[i].shape[0], factors[j].shape[1]
    actions = []
    if i == k:
        actions.append((n * factors[k].flops, "columns"))
    if k + 1 == j:
        actions.append((m * factors[j].flops, "rows"))
    return actions or [(2 * m * factors[k].shape[1] * n, "gemm")]


def _span(bracket: Bracket) -> tuple[int, int]:
    if isinstance(bracket, int):
        return bracket, bracket
    return _span(bracket[0])[0], _span(bracket[1])[1]


def _peak(bracket: Bracket, factors: tuple[Jacobian, ...]) -> int:
    """Entries of the largest (left, right, result) of one step; a structured factor counts what it stores."""
    if isinstance(bracket, int):
        return 0
    left, right, action = bracket
    sizes = [_entries(bracket, factors)]
    for side, acting in ((left, "columns"), (right, "rows")):
        if isinstance(side, int) and action == acting:
            sizes.append(sum(a.size for a in factors[side].arrays))
        else:
            sizes.append(_entries(side, factors))
    return max(sum(sizes), _peak(left, factors), _peak(right, factors))


def _entries(bracket: Bracket, factors: tuple[Jacobian, ...]) -> int:
    first, last = _span(bracket)
    return factors[first].shape[0] * factors[last].shape[1]


def execute(factors: tuple[Jacobian, ...], plan: Plan) -> Array:
    """Return the dense matrix in C order, multiplied out as planned."""
    return _execute(factors, plan.bracket)


def _execute(factors: tuple[Jacobian, ...], bracket: Bracket) -> Array:
    if isinstance(bracket, int):
        return factors[bracket]._dense()
    left, right, action = bracket
    if action == "columns" and isinstance(left, int):
        factor, block = factors[left], _execute(factors, right)
        stack = np.ascontiguousarray(block.T).reshape(block.shape[1], *factor.domain)
        return factor._jvp(stack).reshape(block.shape[1], size_of(factor.codomain)).T
    if action == "rows" and isinstance(right, int):
        factor, block = factors[right], _execute(factors, left)
        stack = block.reshape(block.shape[0], *factor.codomain)
        return factor._vjp(stack).reshape(block.shape[0], size_of(factor.domain))
    return np.matmul(_execute(factors, left), _execute(factors, right))


def _show(bracket: Bracket) -> str:
    if isinstance(bracket, int):
        return str(bracket)
    return f"({_show(bracket[0])} {_show(bracket[1])})"
