"""The dense matrix of (A ⊗ B) diag(D) (E ⊗ F), entry by entry: what factorisations and functions of matrices have.

With Gₚ = A diag(D's column p) E it is J[i, j, k, l] = Σₚ B[j, p] F[p, l] Gₚ[i, k]: n⁴ multiplications where A or B is
an identity, and n⁵ elsewhere, where products of the factors' matrices take n⁶. A last factor I + K, by which a function
reads a symmetric matrix, adds the same with k and l exchanged.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from jacobians.arrays import Array
from jacobians.linops.diagonal import Diagonal
from jacobians.linops.jacobian import Jacobian
from jacobians.linops.kronecker import Kronecker

__all__ = ["fill_kronecker_diagonal"]


def fill_kronecker_diagonal(factors: Sequence[Jacobian], out: Array, *, mirrored: bool = False) -> bool:
    """Write the product into an array of shape (*codomain, *domain); return whether the factors have this form.

    Parameters
    ----------
    factors : sequence of Jacobian
    out : array
    mirrored : bool
        Whether the product is multiplied by I + K.
    """
    match factors:
        case [Kronecker() as left, Diagonal() as middle, Kronecker(left=np.ndarray() as E, right=np.ndarray() as F)]:
            pass
        case _:
            return False
    A, B, D = left.left, left.right, middle.values
    if D.ndim != 2 or out.ndim != 4:
        return False
    if isinstance(A, int):
        for i, row in enumerate(D):
            _outer(E[i], row[:, None] * F if isinstance(B, int) else (B * row) @ F, out[i], mirrored=mirrored)
    elif isinstance(B, int):
        G = (A * D.T[:, None, :]) @ E
        for i in range(len(A)):
            _rows(G[:, i], F, out[i], mirrored=mirrored)
    else:
        across = (B.T[:, :, None] * F[:, None, :]).reshape(len(F), -1)
        for i, row in enumerate(A):
            of_one = ((row[:, None] * D).T @ E).T @ across
            slab = of_one.reshape(E.shape[1], len(B), F.shape[1]).swapaxes(0, 1)
            if mirrored:
                np.add(slab, slab.swapaxes(1, 2), out=out[i])
            else:
                np.copyto(out[i], slab)
    return True


def _rows(left: Array, right: Array, out: Array, *, mirrored: bool) -> None:
    """Write l[j, k] r[j, l] at [j, k, l]; mirrored, plus the same with k and l exchanged."""
    np.multiply(left[:, :, None], right[:, None, :], out=out)
    if mirrored:
        out += left[:, None, :] * right[:, :, None]


def _outer(vector: Array, matrix: Array, out: Array, *, mirrored: bool) -> None:
    """Write v[k] m[j, l] at [j, k, l]; mirrored, plus the same with k and l exchanged."""
    np.multiply(vector[:, None], matrix[:, None, :], out=out)
    if mirrored:
        out += vector * matrix[:, :, None]
