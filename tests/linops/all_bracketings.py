"""Every bracketing of a chain, one by one: what it computes and holds, written down apart from the planner."""

from __future__ import annotations

import math
from collections.abc import Iterator

from jacobians.linops import BlockDiagonal, Commutation, Dense, Jacobian, Kronecker, Reshape

Factors = tuple[Jacobian, ...]
Cost = tuple[int, int, int]
"""Operations; bytes at most; bytes of the result, none where it is stored."""


def every(factors: Factors, mode: str = "any") -> Iterator[Cost]:
    """The matrix of the chain, in all ways; or in those that grow from the right ("forward"), from the left."""
    m, n, item = factors[0].shape[0], factors[-1].shape[1], itemsize(factors)
    if len(factors) == 1:
        yield (0, 0, 0) if isinstance(factors[0], Dense) else (m * n, factors[0]._dense_bytes(), m * n * item)
        return
    size = m * n * item
    axes = [axis for axis in (0, -1) if all(f._keeps_examples(axis) for f in factors)]
    for axis in axes:
        for spent, peak, _ in blocks(factors, axis, mode):
            yield spent + m * n, size + peak, size
    head, tail = factors[0], factors[-1]
    if reorders(tail) and mode != "forward":
        for spent, peak, inner in every(factors[:-1], mode):
            yield spent + (0 if inner else m * n), max(size, peak), size
    for spent, peak, inner in every(factors[1:], mode) if mode != "reverse" else ():
        yield spent + max(head.flops * n, m * n), size + peak, size
        if reorders(head):
            yield spent + (0 if inner else m * n), max(size, peak), size
    for spent, peak, inner in every(factors[:-1], mode) if mode != "forward" else ():
        yield spent + max(tail.flops * m, m * n), size + peak, size
    for axis in (0, -1) if mode != "forward" else ():
        if all(f._keeps_examples(axis) for f in factors[:-1]) and meets_inputs(head, tail, axis):
            for spent, peak, _ in blocks(factors[:-1], axis, mode):
                yield spent + m * n, size + peak, size
    for cut in range(2, len(factors) - 1) if mode == "any" else ():
        rights = list(every(factors[cut:]))
        for spent, peak, held in every(factors[:cut]):
            for other, peak_right, _ in rights:
                work = max(2 * m * factors[cut].shape[0] * n, m * n)
                yield spent + other + work, size + max(peak, held + peak_right), size


def blocks(factors: Factors, axis: int, mode: str = "any") -> Iterator[Cost]:
    """One block for each example, or one for all where every factor has one for all."""
    count = factors[0].codomain[axis]
    p, q = width(factors[0].codomain, axis), width(factors[-1].domain, axis)
    copies = 1 if all(isinstance(f, Kronecker) for f in factors) else count
    entries, item = copies * p * q, itemsize(factors)
    size = entries * item
    head, tail = factors[0], factors[-1]
    if len(factors) == 1:
        stored = isinstance(head, (Kronecker, BlockDiagonal))
        yield (0, 0, 0) if stored else (head.flops * q + entries, size + copies * q * q * item, size)
        return
    for spent, peak, inner in blocks(factors[1:], axis, mode) if mode != "reverse" else ():
        yield spent + max(head.flops * q * copies // max(count, 1), entries), max(peak, 2 * inner + size), size
    for spent, peak, inner in blocks(factors[:-1], axis, mode) if mode != "forward" else ():
        yield spent + max(tail.flops * p * copies // max(count, 1), entries), max(peak, 2 * inner + size), size
    for cut in range(2, len(factors) - 1) if mode == "any" else ():
        rights = list(blocks(factors[cut:], axis))
        for spent, peak, held in blocks(factors[:cut], axis):
            for other, peak_right, held_right in rights:
                work = max(2 * entries * width(factors[cut].codomain, axis), entries)
                yield spent + other + work, max(peak, held + peak_right, held + held_right + size), size


def meets_inputs(head: Jacobian, tail: Jacobian, axis: int) -> bool:
    if not isinstance(tail, Kronecker) or len(head.codomain) not in (1, 2):
        return False
    across, along = (tail.left, tail.right) if axis == 0 else (tail.right, tail.left)
    return isinstance(along, int) and not isinstance(across, int)


def reorders(factor: Jacobian) -> bool:
    if isinstance(factor, Reshape):
        return [n for n in factor.domain if n > 1 or n == 0] == [n for n in factor.codomain if n > 1 or n == 0]
    return isinstance(factor, Commutation)


def width(shape: tuple[int, ...], axis: int) -> int:
    return math.prod(shape[1:] if axis == 0 else shape[:-1])


def itemsize(factors: Factors) -> int:
    return max(f.dtype.itemsize for f in factors)
