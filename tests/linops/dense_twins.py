"""Dense twins: matrices in C order, built by loops and `np.kron`, that share no code with `jacobians.linops`."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Index = tuple[int, ...]


@dataclass
class Numbers:
    """Reproducible read-only arrays of one dtype and one memory order; the numbers depend on neither."""

    dtype: str = "float64"
    memory: str = "C"
    seed: int = 5

    def __post_init__(self) -> None:
        self._rng = np.random.default_rng(self.seed)

    def __call__(self, *shape: int) -> np.ndarray:
        return laid(self._rng.standard_normal(shape).astype(self.dtype), self.memory)


def laid(values: np.ndarray, memory: str) -> np.ndarray:
    """A read-only copy that lies in C order, in F order, or with gaps and backwards."""
    if memory == "strided" and values.ndim:
        room = np.zeros((*values.shape[:-1], 2 * values.shape[-1]), dtype=values.dtype)
        out = room[..., ::-2]
        out[...] = values
        room.flags.writeable = out.flags.writeable = False
        return out
    out = np.array(values, order="F" if memory == "F" else "C")
    out.flags.writeable = False
    return out


def indices(shape: Index, order: str = "C") -> list[Index]:
    """All indices of an array, in the order in which vec visits them."""
    every = list(np.ndindex(*shape))
    return every if order == "C" else sorted(every, key=lambda index: index[::-1])


def permutation(shape: Index) -> np.ndarray:
    """The matrix that takes the C-order vec of an array to its F-order vec."""
    place = {index: k for k, index in enumerate(indices(shape))}
    out = np.zeros((len(place), len(place)))
    for row, index in enumerate(indices(shape, "F")):
        out[row, place[index]] = 1
    return out


def reordered(twin: np.ndarray, codomain: Index, domain: Index, order: str | None) -> np.ndarray:
    """The twin for arrays unrolled in `order`: P·M·Qᵀ for "F"."""
    return permutation(codomain) @ twin @ permutation(domain).T if order == "F" else twin


def by_entries(codomain: Index, domain: Index, partial: Callable[[Index, Index], Any]) -> np.ndarray:
    """The matrix of ∂output[i]/∂input[j], entry by entry."""
    out = np.zeros((math.prod(codomain), math.prod(domain)))
    for r, i in enumerate(indices(codomain)):
        for c, j in enumerate(indices(domain)):
            out[r, c] = partial(i, j)
    return out


def by_basis(codomain: Index, domain: Index, action: Callable[[np.ndarray], Any]) -> np.ndarray:
    """The matrix whose columns are a linear map's images of the basis."""
    out = np.zeros((math.prod(codomain), math.prod(domain)))
    for c, j in enumerate(indices(domain)):
        basis = np.zeros(domain)
        basis[j] = 1
        image = np.asarray(action(basis))
        out[:, c] = [image[i] for i in indices(codomain)]
    return out


def wide(array: np.ndarray) -> np.ndarray:
    return array.astype(np.float64)


def block_diagonal(blocks: np.ndarray, codomain: Index, domain: Index, axis: int) -> np.ndarray:
    def split(index: Index) -> tuple[int, Index]:
        return (index[0], index[1:]) if axis == 0 else (index[-1], index[:-1])

    def inner(shape: Index) -> dict[Index, int]:
        return {index: k for k, index in enumerate(indices(shape[1:] if axis == 0 else shape[:-1]))}

    out_places, in_places = inner(codomain), inner(domain)

    def partial(i: Index, j: Index) -> float:
        (n, p), (m, q) = split(i), split(j)
        return float(blocks[n, out_places[p], in_places[q]]) if n == m else 0.0

    return by_entries(codomain, domain, partial)


def diagonal_minus_outer(d: np.ndarray, u: np.ndarray, v: np.ndarray, axis: int) -> np.ndarray:
    axis %= d.ndim

    def partial(i: Index, j: Index) -> float:
        if i[:axis] + i[axis + 1 :] != j[:axis] + j[axis + 1 :]:
            return 0.0
        return (float(d[i]) if i == j else 0.0) - float(u[i]) * float(v[j])

    return by_entries(d.shape, d.shape, partial)


def khatri_rao(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    codomain = tuple(
        max(a, b) if 0 not in (a, b) else 0 for a, b in zip(left.shape[:-1], right.shape[:-1], strict=True)
    )

    def at(array: np.ndarray, row: Index, last: int) -> float:
        return float(array[(*(k if n > 1 else 0 for k, n in zip(row, array.shape[:-1], strict=True)), last)])

    domain = (left.shape[-1], right.shape[-1])
    return by_entries(codomain, domain, lambda i, j: at(left, i, j[0]) * at(right, i, j[1]))


def packed(twins: list[np.ndarray], domains: list[Index], packing: str) -> np.ndarray:
    """Twins side by side, each input unrolled as the packing says."""
    return np.hstack([t @ permutation(d).T if packing == "F" else t for t, d in zip(twins, domains, strict=True)])
