"""A chain multiplied out as planned, into a given array."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

import numpy as np

from jacobians.arrays import Array, DType, Shape, empty, size_of
from jacobians.linops.block_diagonal import BlockDiagonal
from jacobians.linops.commutation import Commutation
from jacobians.linops.diagonal import Diagonal
from jacobians.linops.entries import exchanged, slabs
from jacobians.linops.kernels import matmul
from jacobians.linops.kronecker import Kronecker
from jacobians.linops.leaves import Dense
from jacobians.linops.merge import example_rows
from jacobians.linops.per_example import joined, split

if TYPE_CHECKING:
    from jacobians.linops.base import Jacobian
    from jacobians.linops.bracketing import Bracket

__all__ = ["Beginning", "fill", "multiplied_blocks"]

Factors = tuple["Jacobian", ...]


class Beginning:
    """The blocks with which the chain before began, for the next one that begins with the same factors.

    The chains of a deep net's parameters do: together they cost one sweep, and not one sweep each.
    """

    __slots__ = ("_axis", "_blocks", "_bracket", "_factors")

    def __init__(self) -> None:
        self._factors: Factors = ()

    def keep(self, factors: Factors, bracket: Bracket, axis: int, blocks: Array) -> None:
        """Remember blocks, if the bracket is at the chain's beginning; what was remembered before is let go."""
        if _first(bracket) == 0:
            self._factors = factors[: _last(bracket) + 1]
            self._bracket, self._axis, self._blocks = bracket, axis, blocks

    def known(self, factors: Factors, bracket: Bracket, axis: int) -> Array | None:
        """The bracket's blocks, if they are those that are remembered."""
        own = self._factors
        if not own or self._bracket != bracket or self._axis != axis:
            return None
        return self._blocks if all(a is b for a, b in zip(own, factors, strict=False)) else None


def fill(factors: Factors, bracket: Bracket, out: Array, begun: Beginning | None = None) -> None:
    """Write the product of the bracket's factors into an array of shape (*codomain, *domain), in its dtype throughout.

    What acts is computed a slab at a time and then written, so that `out` may have any strides.
    """
    match bracket:
        case int():
            factors[bracket]._fill(out)
        case (inside, int(axis)):
            _block_diagonal(factors, inside, axis, out.dtype, begun)._fill(out)
        case (int(first), right, "column view"):
            fill(factors, right, _before(factors[first], out))
        case (left, int(last), "row view"):
            turned = exchanged(out, out.ndim - len(factors[last].domain))
            fill(factors, left, exchanged(_before(factors[last].T, turned), len(factors[last].codomain)), begun)
        case ((inside, int(axis)), int(last), "outer"):
            inputs = cast(Kronecker, factors[last])
            blocks = _block_diagonal(factors, inside, axis, out.dtype, begun)
            example_rows(blocks, cast(Array, inputs.left if axis == 0 else inputs.right))._fill(out)
        case (int(first), right, "columns"):
            factor = factors[first]
            columns = exchanged(_built(factors, right, out.dtype, by_columns=True), len(factor.domain))
            _write(factor._jvp, columns, exchanged(out, len(factor.codomain)), factor.domain)
        case (left, int(last), "rows"):
            factor = factors[last]
            _write(factor._vjp, _built(factors, left, out.dtype), out, factor.codomain)
        case (left, right, _):
            _write(_times(factors, right, out.dtype), _built(factors, left, out.dtype), out, _ends(factors, left)[1])


def _times(factors: Factors, right: Bracket, dtype: DType) -> Callable[[Array], Array]:
    """Stacks of arrays, as rows, times the bracket's matrix."""
    codomain, domain = _ends(factors, right)
    matrix = _built(factors, right, dtype).reshape(size_of(codomain), size_of(domain))

    def times(rows: Array) -> Array:
        stack = rows.shape[: rows.ndim - len(codomain)]
        return matmul(rows.reshape(size_of(stack), size_of(codomain)), matrix).reshape(stack + domain)

    return times


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
    return factors[_first(bracket)].codomain, factors[_last(bracket)].domain


def _first(bracket: Bracket) -> int:
    """The position of the bracket's first factor."""
    while not isinstance(bracket, int):
        bracket = bracket[0]
    return bracket


def _last(bracket: Bracket) -> int:
    """The position of the bracket's last factor."""
    while not isinstance(bracket, int):
        bracket = bracket[0] if len(bracket) == 2 else bracket[1]
    return bracket


def _built(factors: Factors, bracket: Bracket, dtype: DType, *, by_columns: bool = False) -> Array:
    """The bracket's matrix as an array (*codomain, *domain); one that is stored is not copied."""
    codomain, domain = _ends(factors, bracket)
    if isinstance(bracket, int) and isinstance(factors[bracket], Dense):
        return factors[bracket]._dense().astype(dtype, copy=False).reshape(codomain + domain)
    stored = (array for factor in factors for array in factor.arrays)
    room = empty(domain + codomain if by_columns else codomain + domain, dtype, *stored)
    out = exchanged(room, len(domain)) if by_columns else room
    fill(factors, bracket, out)
    return out


def _block_diagonal(
    factors: Factors, inside: Bracket, axis: int, dtype: DType, begun: Beginning | None = None
) -> BlockDiagonal:
    codomain, domain = _ends(factors, inside)
    blocks = multiplied_blocks(factors, inside, axis, dtype, begun)
    if begun is not None:
        begun.keep(factors, inside, axis, blocks)
    return BlockDiagonal(_for_each(blocks, codomain[axis]), codomain, domain, axis)


def _for_each(blocks: Array, count: int) -> Array:
    """Blocks for `count` examples, where all may share one."""
    return blocks if len(blocks) == count else np.broadcast_to(blocks, (count, *blocks.shape[1:]))


def multiplied_blocks(
    factors: Factors, bracket: Bracket, axis: int, dtype: DType, begun: Beginning | None = None
) -> Array:
    """Return the bracket's blocks, (N, p, q), or (1, p, q) where all examples have the same one."""
    if begun is not None and (known := begun.known(factors, bracket, axis)) is not None:
        return known
    match bracket:
        case int():
            return factors[bracket]._blocks(axis).astype(dtype, copy=False)
        case (int(first), right, "columns"):
            return _acted(factors[first], multiplied_blocks(factors, right, axis, dtype), axis)
        case (left, int(last), "rows"):
            return _acted_on(multiplied_blocks(factors, left, axis, dtype, begun), factors[last], axis)
    return matmul(*(multiplied_blocks(factors, side, axis, dtype, begun) for side in bracket[:2]))


def _acted(factor: Jacobian, blocks: Array, axis: int) -> Array:
    """Jₙ Bₙ for the factor's Jₙ: by its action on their columns unless its own blocks are there."""
    if isinstance(factor, Diagonal):
        return factor._scaled_rows(blocks, axis)
    if isinstance(factor, BlockDiagonal) or (isinstance(factor, Kronecker) and len(blocks) == 1):
        return matmul(factor._blocks(axis), blocks)
    columns = _for_each(blocks, factor.domain[axis]).transpose(2, 0, 1)
    images = factor._jvp(joined(columns, factor.domain, axis))
    return split(images, factor.codomain, axis).transpose(1, 2, 0)


def _acted_on(blocks: Array, factor: Jacobian, axis: int) -> Array:
    """Bₙ Jₙ for the factor's Jₙ."""
    if isinstance(factor, Diagonal):
        return factor._scaled_columns(blocks, axis)
    if isinstance(factor, Kronecker):  # one block for all examples: all rows times it are one product
        return matmul(blocks, factor._blocks(axis)[0])
    # Bₙ Jₙ = (Jₙᵀ Bₙᵀ)ᵀ
    return _acted(factor.T, blocks.swapaxes(1, 2), axis).swapaxes(1, 2)
