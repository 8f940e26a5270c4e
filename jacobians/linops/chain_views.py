"""Norms and inner products of a chain's rows, and the diagonal of a square chain, by the structures at its two ends."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from jacobians.arrays import Array, DType, Shape, size_of
from jacobians.linops.batch import KhatriRao, blocks_and_inputs
from jacobians.linops.block_row import BlockRow
from jacobians.linops.by_example import (
    example_axes,
    example_basis,
    example_row_norms,
    example_rows,
    example_size,
    example_steps,
)
from jacobians.linops.diagonal import Diagonal, DiagonalMinusOuter
from jacobians.linops.jacobian import Jacobian
from jacobians.linops.kernels import empty, matmul, norms
from jacobians.linops.kronecker import Kronecker
from jacobians.linops.permutations import Commutation, Identity, Reshape, Selection
from jacobians.linops.unrolling import c_index_of_f
from jacobians.linops.wrappers import Transposed

Chain = Sequence[Jacobian]


def chain_row_norms(factors: Chain) -> Array | None:
    """The norms of the rows of F₁ F₂ … Fₖ, or None where no rule applies."""
    if len(factors) == 1:
        return factors[0]._row_norms()
    first, last = factors[0], factors[-1]
    match first, last:
        # row i of diag(d) J is dᵢ times row i of J
        case Diagonal(), _:
            rest = chain_row_norms(factors[1:])
            return None if rest is None else np.abs(first.values) * rest
        # permuted, kept and repeated rows have the norms that they had
        case (Commutation() | Reshape() | Identity() | Selection(), _):
            rest = chain_row_norms(factors[1:])
            return None if rest is None else first._jvp(rest)
        # a permutation of the columns, or columns of zeros among them, change no norm
        case (_, Commutation() | Reshape() | Identity() | Selection(key=tuple())):
            return chain_row_norms(factors[:-1])
        # A ⊗ B with the examples' part to itself
        case _, Kronecker(left=np.ndarray(), right=np.ndarray()) if axes := example_axes(factors[:-1]):
            return chain_row_norms((*factors[:-1], *apart(last, axes)))
        # row i of example n is (row i of Bₙ) ⊗ xₙ
        case _, Kronecker() if (axis := layer_axis(factors[:-1], last)) is not None:
            blocks, data = example_row_norms(factors[:-1], axis), norms(last.single)
            return blocks * (data.reshape(len(data), *(1,) * (blocks.ndim - 1)) if axis == 0 else data)
    return None


def chain_gram(factors: Chain) -> Array | None:
    """J Jᵀ for J = F₁ F₂ … Fₖ, or None where no rule applies."""
    if len(factors) == 1:
        return factors[0]._gram()
    first, last = factors[0], factors[-1]
    match first, last:
        # (diag(d) J)(diag(d) J)ᵀ has the entries dᵢ (JJᵀ)ᵢⱼ dⱼ
        case Diagonal(), _:
            rest = chain_gram(factors[1:])
            d = first.values.ravel()
            return None if rest is None else d[:, None] * rest * d
        # J S (J S)ᵀ = JJᵀ where S has rows of the identity, none of them twice
        case (_, Commutation() | Reshape() | Identity() | Selection(key=tuple())):
            return chain_gram(factors[:-1])
        # A ⊗ B with the examples' part to itself
        case _, Kronecker(left=np.ndarray(), right=np.ndarray()) if axes := example_axes(factors[:-1]):
            return chain_gram((*factors[:-1], *apart(last, axes)))
        # rows (row i of Bₙ) ⊗ xₙ are those of a row-wise Kronecker product
        case _, Kronecker() if (axis := layer_axis(factors[:-1], last)) is not None:
            rows = example_rows(factors[:-1], axis, 0, example_size(first.codomain, axis))
            data = last.single
            if axis == 0:
                return KhatriRao(rows.swapaxes(0, 1), data[:, None])._gram()
            return KhatriRao(rows, data[None])._gram()
    return None


def apart(layer: Kronecker, axes: frozenset[int]) -> tuple[Kronecker, Kronecker]:
    """A ⊗ B = (I ⊗ B)(A ⊗ I) = (A ⊗ I)(I ⊗ B): first what acts on each example along an axis by itself."""
    (p, r), (n, q) = layer.codomain, layer.domain
    if 0 in axes:
        return Kronecker(p, layer.right), Kronecker(layer.left, q)
    return Kronecker(layer.left, r), Kronecker(n, layer.right)


def layer_axis(between: Chain, layer: Kronecker) -> int | None:
    """The examples' axis if `layer` is X ⊗ I (or I ⊗ X with examples in columns), and all before it keep them apart."""
    if isinstance(layer.left, int) == isinstance(layer.right, int):
        return None
    axis = 0 if isinstance(layer.right, int) else -1
    return axis if axis in example_axes(between) else None


Known = dict[tuple[int, ...], tuple[Chain, Array]]
"""Middles that were met before with their diagonals, by the identities of the factors, which it keeps alive."""


def chain_diagonal(factors: Chain) -> Array | None:
    """The diagonal of F₁ F₂ … Fₖ, shaped like its domain, or None where no rule applies."""
    return _diagonal(factors, factors[-1].domain, np.result_type(*(f.dtype for f in factors)), {})


def _diagonal(factors: Chain, shape: Shape, dtype: DType, known: Known) -> Array | None:
    if not factors:
        return np.ones(shape, dtype=dtype)
    if factors[0].codomain != shape or factors[-1].domain != shape:
        return None
    if len(factors) == 1:
        return factors[0]._diagonal().reshape(shape).astype(dtype, copy=False)
    first, *middle, last = factors
    axes = example_axes(middle)
    match first, last:
        # diag(a) M diag(b) has the diagonal a ∘ m ∘ b
        case Diagonal(), Diagonal():
            inner = _diagonal(middle, shape, dtype, known)
            return None if inner is None else first.values * inner * last.values
        # P M Pᵀ permutes, or keeps entries of, the diagonal
        case (Commutation(), Commutation()) | (Reshape(), Reshape()):
            inner = _diagonal(middle, first.domain, dtype, known)
            return None if inner is None else first._jvp(inner)
        case (Selection() as kept, Transposed(inner=Selection() as again)) if _same_entries(kept, again):
            inner = _diagonal(middle, first.domain, dtype, known)
            return None if inner is None else first._jvp(inner)
        # (A ⊗ B) K = K (B ⊗ A): a commutation that the algebra moved to the right goes back to meet the last
        case Kronecker(), Commutation() if middle and isinstance(middle[0], Commutation):
            swapped = Kronecker(first.right, first.left, first.dtype)
            moved = Commutation(swapped.codomain[0], swapped.codomain[1], first.dtype)
            return _diagonal((moved, swapped, *middle[1:], last), shape, dtype, known)
        # [A₁ A₂ …]ᵀ M [C₁ C₂ …] has the blocks AᵢᵀMCᵢ on its diagonal
        case Transposed(inner=BlockRow() as above), BlockRow():
            return _of_blocks(above, middle, last, dtype, known)
        # row i of example n, (row i of Bₙ) ⊗ xₙ, is that of B (X ⊗ I): the algebra's merge is taken back
        case Transposed(inner=KhatriRao() as above), _ if (parts := blocks_and_inputs(above)) is not None:
            return _diagonal((parts[1].T, parts[0].T, *middle, last), shape, dtype, known)
        case _, KhatriRao() if (parts := blocks_and_inputs(last)) is not None:
            return _diagonal((first, *middle, *parts), shape, dtype, known)
        # (A ⊗ B) = (A ⊗ I)(I ⊗ B) = (I ⊗ B)(A ⊗ I), and the same with examples in columns
        case Kronecker(left=np.ndarray() as outer, right=np.ndarray() as inside), _ if axes:
            single, mixing = apart(Kronecker(outer.T, inside.T), axes)
            return _diagonal((mixing.T, single.T, *middle, last), shape, dtype, known)
        case _, Kronecker(left=np.ndarray(), right=np.ndarray()) if axes:
            return _diagonal((first, *middle, *apart(last, axes)), shape, dtype, known)
        # (Aᵀ ⊗ I) M (C ⊗ I) with Mₙ for each example has the diagonal Σₙ (aₙ ∘ cₙ) ⊗ mₙ
        case Kronecker(), Kronecker() if (axis := layer_axis(middle, last)) is not None:
            if layer_axis(middle, first) != axis:
                return None
            key = tuple(map(id, middle))
            if key not in known:
                inner = _diagonal(middle, last.codomain, dtype, known)
                if inner is None:
                    return None
                known[key] = (middle, inner)
            inner = known[key][1]
            pairs = first.single.T.astype(dtype, copy=False) * last.single
            return matmul(pairs.T, inner) if axis == 0 else matmul(inner, pairs)
    axis = min(example_axes(factors), default=None)
    if axis is None:
        return None
    for place, factor in enumerate(factors):
        if isinstance(factor, DiagonalMinusOuter) and len(factor.domain) == 2:
            return _less_outer(factors[:place], factor, factors[place + 1 :], shape, dtype, known)
    return _by_waist(factors, axis, dtype)


def _less_outer(
    left: Chain, between: DiagonalMinusOuter, right: Chain, shape: Shape, dtype: DType, known: Known
) -> Array | None:
    """Lₙ (diag(dₙ) − uₙvₙᵀ) Rₙ has the diagonal of Lₙ diag(dₙ) Rₙ less (Lₙuₙ) ∘ (Rₙᵀvₙ)."""
    inner = _diagonal((*left, Diagonal(between.d), *right), shape, dtype, known)
    columns, rows = between.u.astype(dtype), between.v.astype(dtype)
    for factor in reversed(left):
        columns = factor._jvp(columns)
    for factor in right:
        rows = factor._vjp(rows)
    return None if inner is None else inner - columns * rows


def _same_entries(one: Selection, other: Selection) -> bool:
    return np.array_equal(one._source(), other._source())


def _of_blocks(above: BlockRow, middle: Chain, beside: BlockRow, dtype: DType, known: Known) -> Array | None:
    if above.vec != beside.vec or len(above.blocks) != len(beside.blocks):
        return None
    turned: dict[int, Jacobian] = {}  # one transpose a factor, so that shared middles are recognised
    parts = []
    for left, right in zip(above.blocks, beside.blocks, strict=True):
        outer = [turned.setdefault(id(f), f.T) for f in reversed(left._factors())]
        part = _diagonal((*outer, *middle, *right._factors()), right.domain, dtype, known)
        if part is None:
            return None
        parts.append(part.ravel()[c_index_of_f(right.domain)] if above.vec == "F" else part.ravel())
    return np.concatenate(parts)


def _by_waist(factors: Chain, axis: int, dtype: DType) -> Array:
    """Σₖ Lₙ[o, k] Rₙ[k, o] for every example n and entry o, with k along the narrowest waist."""
    waists = [example_size(f.domain, axis) for f in factors[:-1]]
    cut = min(range(len(waists)), key=waists.__getitem__)
    at = factors[cut].domain
    total = empty(factors[-1].domain, dtype, *(array for factor in factors for array in factor.arrays))
    total.fill(0)
    for start, stop in example_steps(waists[cut], max(size_of(f.domain) for f in factors), dtype):
        columns = rows = example_basis(at, axis, start, stop, dtype)
        for factor in reversed(factors[: cut + 1]):
            columns = factor._jvp(columns)
        for factor in factors[cut + 1 :]:
            rows = factor._vjp(rows)
        total += np.einsum("k...,k...->...", columns, rows)
    return total
