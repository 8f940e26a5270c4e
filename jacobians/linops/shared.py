"""Chains that begin with the same factors, as the parameters of one network: each shared factor is applied once.

Σ F Gᵢ tᵢ = F Σ Gᵢ tᵢ, and Fᵀc is every Gᵢ's cotangent. So the Jacobian by all parameters costs one sweep forward or
one sweep backward, and not one sweep for each parameter.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import add
from typing import TypeAlias, TypeVar

from jacobians.arrays import Array, as_array
from jacobians.linops.base import Jacobian

__all__ = ["shared_flops", "spread", "summed"]

_T = TypeVar("_T")
Branch: TypeAlias = tuple[Sequence[Jacobian], _T]
"""The factors that are left to apply, and what the chain carries."""


def _by_first(branches: Sequence[Branch[_T]]) -> list[tuple[Jacobian | None, list[Branch[_T]]]]:
    """The branches by their first factor, which is taken off them; None for those without one."""
    groups: dict[int, tuple[Jacobian | None, list[Branch[_T]]]] = {}
    for factors, carried in branches:
        first = factors[0] if factors else None
        groups.setdefault(id(first), (first, []))[1].append((factors[1:], carried))
    return list(groups.values())


def summed(branches: Sequence[Branch[Array]]) -> Array:
    """Σ F₁F₂…(t) over branches (factors, t)."""
    images: list[Array] = []
    for first, inner in _by_first(branches):
        images += [t for _, t in inner] if first is None else [first._jvp(summed(inner))]
    return as_array(reduce(add, images))


def spread(branches: Sequence[Branch[int]], cotangent: Array, out: list[Array]) -> None:
    """Write …F₂ᵀF₁ᵀ(cotangent) to out[place] for every branch (factors, place)."""
    for first, inner in _by_first(branches):
        if first is None:
            for _, place in inner:
                out[place] = cotangent
        else:
            spread(inner, first._vjp(cotangent), out)


def shared_flops(branches: Sequence[Branch[None]], size: int) -> int:
    """Operations of `summed`, `size` entries in the sum."""
    groups = _by_first(branches)
    count = sum(len(inner) if first is None else 1 for first, inner in groups)
    inside = sum(f.flops + shared_flops(inner, f.shape[1]) for f, inner in groups if f is not None)
    return inside + (count - 1) * size
