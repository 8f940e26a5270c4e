"""The bracketing of least cost for the dense matrix of a chain, priced by structure.

A chain's dense matrix can be grown from the right (forward mode: factors act on columns), from the left
(reverse mode: factors act on rows), or outward from a waist. Dynamic programming over all brackets, with what
each structure really costs, finds the cheapest (the matrix-chain problem: Cormen et al., 4th ed., §14.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from jacobians.arrays import Array, DType, format_bytes, size_of
from jacobians.linops.kernels import matmul

if TYPE_CHECKING:
    from jacobians.linops.base import Jacobian

__all__ = ["Plan", "execute", "largest_bytes", "make_plan"]

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
        Arithmetic operations, a multiplication and an addition counting two, and one for each entry written.
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
    (0 (1 2)): 166 operations, peak 320 B (forward 166, reverse 747)
    """
    count = len(factors)
    rows = [f.shape[0] for f in factors]
    columns = [f.shape[1] for f in factors]
    flops = [f.flops for f in factors]
    best: dict[tuple[int, int], tuple[int, Bracket]] = {(i, i): (_written(f), i) for i, f in enumerate(factors)}
    for length in range(2, count + 1):
        for i in range(count - length + 1):
            j = i + length - 1
            m, n = rows[i], columns[j]
            options: list[tuple[int, Bracket]] = []
            for k in range(i, j):
                (spent_left, left), (spent_right, right) = best[i, k], best[k + 1, j]
                # only a single factor acts by its structure, and then it is never written out
                if k == i:
                    options.append((spent_right + n * flops[i], (i, right, "columns")))
                if k + 1 == j:
                    options.append((spent_left + m * flops[j], (left, j, "rows")))
                if i < k < j - 1:
                    options.append((spent_left + spent_right + 2 * m * columns[k] * n, (left, right, "gemm")))
            spent, bracket = min(options, key=lambda option: option[0])
            best[i, j] = spent + m * n, bracket
    operations, bracket = best[0, count - 1]
    m, n = rows[0], columns[-1]
    item = max(f.dtype.itemsize for f in factors)
    return Plan(
        bracket=bracket,
        operations=operations,
        peak_bytes=_peak(bracket, factors) * item,
        forward=_written(factors[-1]) + n * (sum(flops[:-1]) + sum(rows[:-1])),
        reverse=_written(factors[0]) + m * (sum(flops[1:]) + sum(columns[1:])),
    )


def _written(factor: Jacobian) -> int:
    """Entries to write before other factors can act on this one; none where it stores its matrix.

    Without this price a factor that costs nothing to apply, such as a selection, would be applied to the
    written-out N² entries of a diagonal.
    """
    entries = factor.shape[0] * factor.shape[1]
    return 0 if sum(a.size for a in factor.arrays) >= entries else entries


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


def largest_bytes(factors: tuple[Jacobian, ...], plan: Plan) -> int:
    """Return the bytes of the largest array that the plan builds, its result included."""
    return _largest(plan.bracket, factors, max(f.dtype.itemsize for f in factors))


def _largest(bracket: Bracket, factors: tuple[Jacobian, ...], item: int) -> int:
    if isinstance(bracket, int):
        return factors[bracket]._largest_bytes()
    left, right, action = bracket
    built = [side for side, acting in ((left, "columns"), (right, "rows")) if action != acting]
    return max(_entries(bracket, factors) * item, *(_largest(side, factors, item) for side in built))


def execute(factors: tuple[Jacobian, ...], plan: Plan) -> Array:
    """Return the dense matrix in C order, multiplied out as planned, in the widest factor's dtype throughout."""
    return _execute(factors, plan.bracket, np.result_type(*(f.dtype for f in factors)))


def _execute(factors: tuple[Jacobian, ...], bracket: Bracket, dtype: DType) -> Array:
    if isinstance(bracket, int):
        return factors[bracket]._dense().astype(dtype, copy=False)
    left, right, action = bracket
    if action == "columns" and isinstance(left, int):
        factor, block = factors[left], _execute(factors, right, dtype)
        stack = np.ascontiguousarray(block.T).reshape(block.shape[1], *factor.domain)
        return factor._jvp(stack).reshape(block.shape[1], size_of(factor.codomain)).T
    if action == "rows" and isinstance(right, int):
        factor, block = factors[right], _execute(factors, left, dtype)
        stack = block.reshape(block.shape[0], *factor.codomain)
        return factor._vjp(stack).reshape(block.shape[0], size_of(factor.domain))
    return matmul(_execute(factors, left, dtype), _execute(factors, right, dtype))


def _show(bracket: Bracket) -> str:
    if isinstance(bracket, int):
        return str(bracket)
    return f"({_show(bracket[0])} {_show(bracket[1])})"
