"""Maps that act on each example by itself, seen through stacks: one basis vector for all examples at once.

Such a map is a block-diagonal matrix up to order. Its N blocks of p rows are p images of stacks, and not N·p images of
the whole matrix's basis: what one example does not mix with another can be asked of all of them in one go.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from jacobians.arrays import Array, DType, Shape, size_of
from jacobians.linops.kernels import norms
from jacobians.linops.per_example import common_axes, example_basis, one_example, split

if TYPE_CHECKING:
    from jacobians.linops.base import Jacobian

__all__ = [
    "STEP_BYTES",
    "example_axes",
    "example_row_norms",
    "example_rows",
    "example_size",
    "example_steps",
]

STEP_BYTES = 1 << 24
"""Bytes of the largest array of one step, where rows are taken in several."""


def example_axes(factors: Sequence[Jacobian]) -> frozenset[int]:
    """The axes, among 0 and -1, along which every factor acts on each example by itself; without factors both."""
    return frozenset((0, -1)).intersection(*map(common_axes, factors))


def example_size(shape: Shape, axis: int) -> int:
    """Entries of one example of an array of this shape."""
    return size_of(one_example(shape, axis))


def example_steps(size: int, entries: int, dtype: DType) -> Iterator[tuple[int, int]]:
    """(start, stop) over `size` stacked arrays of so many entries each, below `STEP_BYTES` together or one by one."""
    step = max(1, STEP_BYTES // max(1, entries * dtype.itemsize))
    for start in range(0, size, step):
        yield start, min(start + step, size)


def example_rows(factors: Sequence[Jacobian], axis: int, start: int, stop: int) -> Array:
    """Rows start … stop of every example's block of F₁F₂…: an array (stop − start, N, entries of one input)."""
    dtype = np.result_type(*(f.dtype for f in factors))
    stack = example_basis(factors[0].codomain, axis, start, stop, dtype)
    for factor in factors:
        stack = factor._vjp(stack)
    return split(stack, factors[-1].domain, axis)


def example_row_norms(factors: Sequence[Jacobian], axis: int) -> Array:
    """The norms of the rows of F₁F₂…, which keep the examples along `axis` apart, in steps of `STEP_BYTES`."""
    codomain, dtype = factors[0].codomain, np.result_type(*(f.dtype for f in factors))
    size = example_size(codomain, axis)
    each = np.empty((size, codomain[axis]), dtype=dtype)
    entries = size_of(codomain) + max(size_of(f.domain) for f in factors)
    for start, stop in example_steps(size, entries, dtype):
        each[start:stop] = norms(example_rows(factors, axis, start, stop))
    return (each.T if axis == 0 else each).reshape(codomain)
