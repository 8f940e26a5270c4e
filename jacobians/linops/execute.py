"""A chain multiplied out as planned, into a given array."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

import numpy as np

from jacobians.arrays import Array, DType, Shape, size_of
from jacobians.linops.block_diagonal import BlockDiagonal
from jacobians.linops.commutation import Commutation
from jacobians.linops.entries import exchanged, slabs
from jacobians.linops.kernels import matmul
from jacobians.linops.kronecker import Kronecker
from jacobians.linops.leaves import Dense
from jacobians.linops.merge import example_rows
from jacobians.linops.per_example import joined, split

if TYPE_CHECKING:
    from jacobians.linops.base import Jacobian
    from jacobians.linops.bracketing import Bracket

__all__ = ["fill", "multiplied_blocks"]

Factors = tuple["Jacobian", ...]


def fill(factors: Factors, bracket: Bracket, out: Array) -> None:
    """Write the product of the bracket's factors into an array of shape (*codomain, *domain), in its dtype throughout.

    What acts is computed a slab at a time and then written, so that `out` may have any strides.
    """
    if isinstance(bracket, int):
        factors[bracket]._fill(out)
        return
    if len(bracket) == 2:
        _block_diagonal(factors, bracket, out.dtype)._fill(out)
        return
    left, right, action = bracket
    if action == "column view" and isinstance(left, int):
        fill(factors, right, _before(factors[left], out))
    elif action == "row view" and isinstance(right, int):
        rank = len(factors[right].domain)
        turned = exchanged(out, out.ndim - rank)
        fill(factors, left, exchanged(_before(factors[right].T, turned), len(factors[right].codomain)))
    elif action == "outer" and not isinstance(left, int) and isinstance(right, int):
        inputs = cast(Kronecker, factors[right])
        blocks = _block_diagonal(factors, cast("tuple[Bracket, int]", left), out.dtype)
        example_rows(blocks, cast(Array, inputs.left if blocks.axis == 0 else inputs.right))._fill(out)
    elif action == "columns" and isinstance(left, int):
        factor = factors[left]
        columns = exchanged(_built(factors, right, out.dtype, by_columns=True), len(factor.domain))
        _write(factor._jvp, columns, exchanged(out, len(factor.codomain)), factor.domain)
    elif action == "rows" and isinstance(right, int):
        factor = factors[right]
        _write(factor._vjp, _built(factors, left, out.dtype), out, factor.codomain)
    else:
        middle = _ends(factors, left)[1]
        by = _built(factors, right, out.dtype).reshape(size_of(middle), -1)
        domain = _ends(factors, right)[1]

        def times(rows: Array) -> Array:
            kept = rows.shape[: rows.ndim - len(middle)]
            return matmul(rows.reshape(size_of(kept), size_of(middle)), by).reshape(kept + domain)

        _write(times, _built(factors, left, out.dtype), out, middle)


def _write(act: Callable[[Array], Array], source: Array, out: Array, shape: Shape) -> None:
    """Write act(source) into `out`; `act` takes stacks of arrays of this shape, the trailing axes of `source`."""
    if source.ndim == len(shape):
        out[...] = act(source)
        return
    for part in slabs(len(source), (source[:1].size + out[:1].size) * out.itemsize):
        out[part] = act(source[part])


def _before(factor: Jacobian, out: Array) -> Array:
    """A view of `out`, a product that begins with this Commutation or Reshape, as the product of the rest."""
    if isinstance(factor, Commutation):
        return out.swapaxes(0, 1)
    return out.reshape(factor.domain + out.shape[len(factor.codomain) :])


def _ends(factors: Factors, bracket: Bracket) -> tuple[Shape, Shape]:
    """Codomain and domain of the bracket's product."""
    first = last = bracket
    while not isinstance(first, int):
        first = first[0]
    while not isinstance(last, int):
        last = last[0] if len(last) == 2 else last[1]
    return factors[first].codomain, factors[last].domain


def _built(factors: Factors, bracket: Bracket, dtype: DType, *, by_columns: bool = False) -> Array:
    """The bracket's matrix as an array (*codomain, *domain); one that is stored is not copied."""
    codomain, domain = _ends(factors, bracket)
    if isinstance(bracket, int) and isinstance(factors[bracket], Dense):
        return factors[bracket]._dense().astype(dtype, copy=False).reshape(codomain + domain)
    room = np.empty(domain + codomain if by_columns else codomain + domain, dtype)
    out = exchanged(room, len(domain)) if by_columns else room
    fill(factors, bracket, out)
    return out


def _block_diagonal(factors: Factors, bracket: tuple[Bracket, int], dtype: DType) -> BlockDiagonal:
    inside, axis = bracket
    codomain, domain = _ends(factors, inside)
    blocks = multiplied_blocks(factors, inside, axis, dtype)
    return BlockDiagonal(_for_each(blocks, codomain[axis]), codomain, domain, axis)


def _for_each(blocks: Array, count: int) -> Array:
    """Blocks for `count` examples, where all may share one."""
    return blocks if len(blocks) == count else np.broadcast_to(blocks, (count, *blocks.shape[1:]))


def multiplied_blocks(factors: Factors, bracket: Bracket, axis: int, dtype: DType) -> Array:
    """Return the bracket's blocks, (N, p, q), or (1, p, q) where all examples have the same one."""
    if isinstance(bracket, int):
        return factors[bracket]._blocks(axis).astype(dtype, copy=False)
    left, right, action = cast("tuple[Bracket, Bracket, str]", bracket)
    single = left if action == "columns" else right
    if action == "gemm" or not isinstance(single, int) or isinstance(factors[single], BlockDiagonal):
        return matmul(*(multiplied_blocks(factors, side, axis, dtype) for side in (left, right)))
    factor = factors[single]
    inside = multiplied_blocks(factors, right if action == "columns" else left, axis, dtype)
    if isinstance(factor, Kronecker) and len(inside) == 1:
        own = factor._blocks(axis)
        return matmul(own, inside) if action == "columns" else matmul(inside, own)
    taken, given = (factor.domain, factor.codomain) if action == "columns" else (factor.codomain, factor.domain)
    act = factor._jvp if action == "columns" else factor._vjp
    rows = _for_each(inside, taken[axis]).transpose((2, 0, 1) if action == "columns" else (1, 0, 2))
    images = split(act(joined(rows, taken, axis)), given, axis)
    return images.transpose((1, 2, 0) if action == "columns" else (1, 0, 2))
