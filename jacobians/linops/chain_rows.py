"""Norms and inner products of the rows of a chain, by the structures at its two ends."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from jacobians.arrays import Array
from jacobians.linops.base import Jacobian
from jacobians.linops.commutation import Commutation
from jacobians.linops.diagonal import Diagonal
from jacobians.linops.examples import example_axes, example_row_norms, example_rows, example_size
from jacobians.linops.identity import Identity, Reshape
from jacobians.linops.kernels import norms
from jacobians.linops.khatri_rao import KhatriRao
from jacobians.linops.kronecker import Kronecker
from jacobians.linops.selection import Selection

__all__ = ["apart", "chain_gram", "chain_row_norms", "layer_axis"]

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
        # a permutation of the columns changes no norm
        case _, Commutation() | Reshape() | Identity():
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
        # J P (J P)ᵀ = JJᵀ for a permutation P
        case _, Commutation() | Reshape() | Identity():
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
