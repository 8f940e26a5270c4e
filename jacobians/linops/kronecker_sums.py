r"""A sum of two Kronecker products, A ⊗ B + C ⊗ D, in a basis that makes both diagonal.

Let U and V make :math:`U^\top A U, U^\top C U` and :math:`V^\top B V, V^\top D V` diagonal, with entries a, c, b and d.
Then it is :math:`(U \otimes V)^{-\top} \operatorname{diag}(a b^\top + c d^\top) (U \otimes V)^{-1}`. Damped curvature
in Kronecker factors is such a sum, A ⊗ B + λI.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from jacobians.arrays import Array, as_array
from jacobians.linops.jacobian import Jacobian
from jacobians.linops.kronecker import Kronecker
from jacobians.linops.permutations import Identity
from jacobians.linops.products_and_sums import Sum
from jacobians.linops.wrappers import Scaled

Factor: TypeAlias = Array | int
"""A square matrix, or the size of an identity."""

Term: TypeAlias = tuple[float, Factor, Factor]
"""α, A and B of α·A ⊗ B."""


@dataclass(frozen=True, eq=False)
class CommonBasis:
    """The sum as (U ⊗ V)⁻ᵀ diag(values) (U ⊗ V)⁻¹.

    Attributes
    ----------
    left, right : ndarray or int
        U and V.
    values : ndarray, shape of the domain
    orthonormal : bool
        Whether U and V are, so that the values are eigenvalues.
    """

    left: Factor
    right: Factor
    values: Array
    orthonormal: bool


def kronecker_terms(jacobian: Jacobian) -> list[Term] | None:
    """Return a sum of Kronecker products of square factors as at most two of these; None if it is no such sum.

    Multiples of the identity are one term.
    """
    terms: list[Term] = []
    identity = 0.0
    for part in jacobian.terms if isinstance(jacobian, Sum) else (jacobian,):
        alpha, inner = (part.factor, part.inner) if isinstance(part, Scaled) else (1.0, part)
        if isinstance(inner, Identity) and len(inner.domain) == 2:
            identity += alpha
        elif isinstance(inner, Kronecker) and inner.codomain == inner.domain:
            terms.append((alpha, inner.left, inner.right))
        else:
            return None
    if identity:
        m, n = jacobian.domain
        terms.append((identity, m, n))
    return terms if 1 <= len(terms) <= 2 else None


def common_basis(terms: list[Term]) -> CommonBasis | None:
    """Return the basis of the sum of two symmetric terms; None where no rule finds one."""
    (alpha, A, B), (beta, C, D) = terms
    across, along = _joint(A, C), _joint(B, D)
    if across is None or along is None:
        return None
    U, a, c, left = across
    V, b, d, right = along
    values = as_array(alpha * np.multiply.outer(a, b) + beta * np.multiply.outer(c, d))
    return CommonBasis(U, V, values, left and right)


def is_symmetric(matrix: Array) -> bool:
    """Return whether a square matrix is symmetric up to rounding."""
    if not matrix.size:
        return True
    rounding = 32 * len(matrix) * float(np.finfo(matrix.dtype).eps)
    return bool(np.abs(matrix - matrix.T).max() <= rounding * np.abs(matrix).max())


def _joint(A: Factor, C: Factor) -> tuple[Factor, Array, Array, bool] | None:
    """U, and the diagonals of UᵀAU and UᵀCU, and whether U is orthonormal."""
    if isinstance(A, int):
        if isinstance(C, int):
            return A, np.ones(A), np.ones(A), True
        turned = _joint(C, A)
        return None if turned is None else (turned[0], turned[2], turned[1], turned[3])
    if not is_symmetric(A):
        return None
    if isinstance(C, int):
        a, U = np.linalg.eigh(A)
        return U, a, np.ones_like(a), True
    if not is_symmetric(C):
        return None
    return _shared(A, C) or _congruent(A, C)


def _shared(A: Array, C: Array) -> tuple[Factor, Array, Array, bool] | None:
    """An orthonormal eigenbasis of both matrices, if there is one: that of a combination with distinct eigenvalues."""
    scale = float(np.abs(A).max(initial=0)) / (float(np.abs(C).max(initial=0)) or 1.0)
    _, U = np.linalg.eigh(A + C * np.asarray(0.6180339887 * scale, A.dtype))
    diagonals = []
    for matrix in (A, C):
        turned = U.T @ matrix @ U
        diagonal = np.diagonal(turned).copy()
        rest = np.abs(turned - np.diag(diagonal)).max(initial=0)
        if rest > 64 * len(A) * float(np.finfo(A.dtype).eps) * float(np.abs(matrix).max(initial=0)):
            return None
        diagonals.append(diagonal)
    return U, diagonals[0], diagonals[1], True


def _congruent(A: Array, C: Array) -> tuple[Factor, Array, Array, bool] | None:
    """The generalised eigenvectors, with UᵀCU = I of a positive definite C, or UᵀAU = I of such an A."""
    from scipy.linalg import LinAlgError, eigh

    for first, second, turned in ((A, C, False), (C, A, True)):
        try:
            w, U = eigh(first, second)
        except LinAlgError:
            continue
        ones = np.ones_like(w)
        return (U, ones, w, False) if turned else (U, w, ones, False)
    return None
