"""Maps that act on each example separately: their blocks, from one basis vector for all examples at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np

from jacobians.arrays import Array, DType, Shape, size_of
from jacobians.linops.kernels import norms
from jacobians.linops.unrolling import slabs


class Map(Protocol):
    """What is asked here of a structured Jacobian, which stands above this file."""

    domain: Shape
    codomain: Shape
    dtype: DType

    def _jvp(self, tangent: Array) -> Array: ...
    def _vjp(self, cotangent: Array) -> Array: ...
    def _keeps_examples(self, axis: int) -> bool: ...


def example_size(shape: Shape, axis: int) -> int:
    """Entries of one example of an array of this shape."""
    return size_of(shape[1:] if axis == 0 else shape[:-1])


def split(stack: Array, shape: Shape, axis: int) -> Array:
    """(k, *shape) → (k, N, entries of one example)."""
    inner = example_size(shape, axis)
    if axis == 0:
        return stack.reshape(len(stack), shape[0], inner)
    return stack.reshape(len(stack), inner, shape[-1]).swapaxes(1, 2)


def joined(rows: Array, shape: Shape, axis: int) -> Array:
    """(k, N, entries of one example) → (k, *shape)."""
    return (rows if axis == 0 else rows.swapaxes(1, 2)).reshape(len(rows), *shape)


def common_axes(jacobian: Map) -> tuple[int, ...]:
    """The axes of 0 and -1 along which the map keeps the examples apart."""
    return tuple(axis for axis in (0, -1) if jacobian._keeps_examples(axis))


def example_basis(shape: Shape, axis: int, start: int, stop: int, dtype: DType) -> Array:
    """A stack (stop − start, *shape): in member k every example has 1 at its entry start + k, and 0 elsewhere."""
    size = example_size(shape, axis)
    ones = np.eye(stop - start, size, start, dtype=dtype)[:, None, :]
    return joined(np.broadcast_to(ones, (stop - start, shape[axis], size)), shape, axis)


def probed(jacobian: Map, axis: int) -> Array:
    """The blocks (N, p, q) as images of one basis, the same for every example."""
    q = example_size(jacobian.domain, axis)
    images = jacobian._jvp(example_basis(jacobian.domain, axis, 0, q, jacobian.dtype))
    return split(images, jacobian.codomain, axis).transpose(1, 2, 0)


def for_each(blocks: Array, count: int) -> Array:
    """Blocks for `count` examples, where all may share one."""
    return blocks if len(blocks) == count else np.broadcast_to(blocks, (count, *blocks.shape[1:]))


STEP_BYTES = 1 << 24
"""Bytes of the largest array of one step, where rows are taken in several."""


def example_axes(factors: Sequence[Map]) -> frozenset[int]:
    """The axes, among 0 and -1, along which every factor acts on each example by itself; without factors both."""
    return frozenset((0, -1)).intersection(*map(common_axes, factors))


def example_steps(size: int, entries: int, dtype: DType) -> Iterator[tuple[int, int]]:
    """(start, stop) over `size` stacked arrays of so many entries each, below `STEP_BYTES` together or one by one."""
    for part in slabs(size, entries * dtype.itemsize, STEP_BYTES):
        yield part.start, part.stop


def example_rows(factors: Sequence[Map], axis: int, start: int, stop: int) -> Array:
    """Rows start … stop of every example's block of F₁F₂…: an array (stop − start, N, entries of one input)."""
    dtype = np.result_type(*(f.dtype for f in factors))
    stack = example_basis(factors[0].codomain, axis, start, stop, dtype)
    for factor in factors:
        stack = factor._vjp(stack)
    return split(stack, factors[-1].domain, axis)


def example_row_norms(factors: Sequence[Map], axis: int) -> Array:
    """The norms of the rows of F₁F₂…, which keep the examples along `axis` apart, in steps of `STEP_BYTES`."""
    codomain, dtype = factors[0].codomain, np.result_type(*(f.dtype for f in factors))
    size = example_size(codomain, axis)
    each = np.empty((size, codomain[axis]), dtype=dtype)
    entries = size_of(codomain) + max(size_of(f.domain) for f in factors)
    for start, stop in example_steps(size, entries, dtype):
        each[start:stop] = norms(example_rows(factors, axis, start, stop))
    return (each.T if axis == 0 else each).reshape(codomain)
