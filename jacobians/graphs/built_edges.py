"""The product or the sum of two edges of a graph, in the structure that follows from their patterns."""

from __future__ import annotations

import numpy as np

from jacobians.arrays import Array, as_array, common_dtype
from jacobians.linops import BlockDiagonal, Dense, Diagonal, Jacobian, Kronecker, Scaled
from jacobians.linops.algebra import compose, scale
from jacobians.linops.by_example import for_each
from jacobians.linops.kernels import empty, matmul
from jacobians.linops.pattern import pattern_of
from jacobians.linops.planning import Bracketing, fill, multiplied_blocks


def multiplied(left: Jacobian, right: Jacobian) -> Jacobian:
    """Return left @ right multiplied out. Kronecker products, and maps that only move entries, stay factors.

    Examples
    --------
    >>> multiplied(Kronecker(4, np.ones((2, 3))), Diagonal(np.ones((4, 3))))
    BlockDiagonal(4 of 2×3): 8×12 float64, (4, 3) → (4, 2), 192 B
    >>> multiplied(Kronecker(np.ones((4, 5)), np.ones((2, 3))), Kronecker(np.ones((5, 1)), 3))
    Kronecker(4×1, 2×3): 8×3 float64, (1, 3) → (4, 2), 80 B
    """
    first, second = pattern_of(left), pattern_of(right)
    product = first @ second
    dtype = common_dtype(left.dtype, right.dtype)
    if first.kind == "identity":
        return scale(_sign(left), right)
    if second.kind == "identity":
        return scale(_sign(right), left)
    if product.kind == "moves":
        return compose(left, right)
    if product.kind == "diagonal":
        return Diagonal(_entries(left) * _entries(right))
    if product.kind == "kronecker":
        return scale(_sign(left) * _sign(right), _kronecker(_unsigned(left), _unsigned(right), dtype))
    factors, axis = (left, right), product.axis
    (way,) = Bracketing((first, second)).ways(0, 1, axis)
    if axis is None:
        out = empty(left.codomain + right.domain, dtype, *left.arrays, *right.arrays)
        fill(factors, way.bracket, out)
        return Dense(out, left.codomain)
    return _by_blocks(multiplied_blocks(factors, way.bracket, axis, dtype), left, right, axis)


def added(left: Jacobian, right: Jacobian) -> Jacobian:
    """Return left + right as one array.

    Examples
    --------
    >>> added(Kronecker(4, np.ones((3, 3))), Diagonal(np.ones((4, 3))))
    BlockDiagonal(4 of 3×3): 12×12 float64, (4, 3) → (4, 3), 288 B
    """
    total = pattern_of(left) + pattern_of(right)
    if total.kind == "diagonal":
        return Diagonal(as_array(_entries(left) + _entries(right)))
    if total.axis is None:
        matrix = as_array(left._dense() + right._dense())
        return Dense(matrix.reshape(left.codomain + left.domain), left.codomain)
    return _by_blocks(left._blocks(total.axis) + right._blocks(total.axis), left, right, total.axis)


def _by_blocks(blocks: Array, left: Jacobian, right: Jacobian, axis: int) -> Jacobian:
    return BlockDiagonal(for_each(blocks, left.codomain[axis]), left.codomain, right.domain, axis)


def _sign(jacobian: Jacobian) -> float:
    return jacobian.factor if isinstance(jacobian, Scaled) else 1.0


def _unsigned(jacobian: Jacobian) -> Jacobian:
    return jacobian.inner if isinstance(jacobian, Scaled) else jacobian


def _entries(jacobian: Jacobian) -> Array:
    """The factor of each entry: of a diagonal, or of a multiple of a diagonal or of the identity."""
    inner = _unsigned(jacobian)
    values = inner.values if isinstance(inner, Diagonal) else np.ones(inner.domain, inner.dtype)
    return values if inner is jacobian else as_array(_sign(jacobian) * values)


def _kronecker(left: Jacobian, right: Jacobian, dtype: np.dtype) -> Kronecker:
    """(A ⊗ B)(C ⊗ D) = AC ⊗ BD, either of which may be an identity."""
    assert isinstance(left, Kronecker)
    assert isinstance(right, Kronecker)
    return Kronecker(_side(left.left, right.left), _side(left.right, right.right), dtype)


def _side(a: Array | int, b: Array | int) -> Array | int:
    if isinstance(a, int):
        return b
    return a if isinstance(b, int) else matmul(a, b)
