"""The factorisation P L U of a square matrix: one for its solutions, its inverse and its determinant.

Whether the matrix is singular is said by LAPACK's estimate of the condition number, which takes n² operations.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from jacobians.arrays import Array, as_array
from jacobians.errors import DomainError


@dataclass(frozen=True, eq=False)
class Factored:
    """A = P L U of a square matrix.

    Attributes
    ----------
    lu : ndarray, shape (n, n)
        U on and above the diagonal, L below it.
    pivots : ndarray, shape (n,)
        With which row each row was exchanged.
    condition : float
        LAPACK's estimate of the condition number in the 1-norm; infinite where a pivot is zero.
    """

    lu: Array
    pivots: Array
    condition: float

    def solve(self, b: Array) -> Array:
        """Return A⁻¹ b for a matrix b."""
        if not b.size:
            return b.copy()
        from scipy.linalg import lapack

        of = lapack.dgetrs if self.lu.dtype == np.float64 else lapack.sgetrs
        found, _ = of(self.lu, self.pivots, b)
        return np.ascontiguousarray(found)

    @cached_property
    def inverse(self) -> Array:
        """A⁻¹, computed once."""
        n = len(self.lu)
        if not n:
            return self.lu.copy()
        from scipy.linalg import lapack

        of = lapack.dgetri if self.lu.dtype == np.float64 else lapack.sgetri
        found, _ = of(self.lu, self.pivots, lwork=64 * n)
        return as_array(found + 0.0)  # LAPACK leaves zeros with a minus

    def slogdet(self) -> tuple[float, float]:
        """Return the sign of the determinant, and the logarithm of its size, in float64."""
        diagonal = np.diagonal(self.lu).astype(np.float64)
        exchanges = np.count_nonzero(self.pivots != np.arange(len(self.pivots)))
        if not diagonal.all():
            return 0.0, -np.inf
        odd = (exchanges + np.count_nonzero(diagonal < 0)) % 2
        return -1.0 if odd else 1.0, float(np.log(np.abs(diagonal)).sum())


def factored(operation: str, A: Array, name: str = "A") -> Factored:
    """Return P L U of a square matrix of float32 or float64.

    Raises
    ------
    DomainError
        If it is singular up to rounding, with its condition number.
    """
    found = factored_or_singular(A)
    if A.size:
        refuse_singular(operation, A, found.condition, name)
    return found


def factored_or_singular(A: Array) -> Factored:
    """Return P L U of a square matrix of float32 or float64, singular or not."""
    if not A.size:
        return Factored(A, np.zeros(0, np.intp), 1.0)
    from scipy.linalg import lapack

    double = A.dtype == np.float64
    lu, pivots, info = (lapack.dgetrf if double else lapack.sgetrf)(A)
    reciprocal = 0.0 if info else float((lapack.dgecon if double else lapack.sgecon)(lu, np.linalg.norm(A, 1))[0])
    return Factored(lu, pivots, 1 / reciprocal if reciprocal else np.inf)


def solved_triangular(operation: str, A: Array, b: Array, name: str, *, lower: bool) -> Array:
    """Return A⁻¹ b of a triangular A and a matrix b; raise DomainError where A is singular up to rounding."""
    if not b.size:
        return b.copy()
    from scipy.linalg import lapack, solve_triangular

    upper = np.tril(A).T if lower else np.triu(A)  # its own U, of which L is the identity: older SciPy lacks trcon
    of = lapack.dgecon if A.dtype == np.float64 else lapack.sgecon
    reciprocal = float(of(upper, np.linalg.norm(upper, 1))[0])
    refuse_singular(operation, A, 1 / reciprocal if reciprocal else np.inf, name)
    return as_array(solve_triangular(A, b, lower=lower, check_finite=False))


def inverse_of(operation: str, A: Array, name: str = "A") -> Array:
    """Return A⁻¹; raise DomainError where A is singular up to rounding, with its condition number."""
    if not A.size:
        return A.copy()
    try:
        found = as_array(np.linalg.inv(A))
    except np.linalg.LinAlgError:
        refuse_singular(operation, A, np.inf, name)
        raise
    with np.errstate(over="ignore"):
        condition = float(np.linalg.norm(A, 1)) * float(np.linalg.norm(found, 1))
    refuse_singular(operation, A, condition, name)
    return found


def refuse_singular(operation: str, A: Array, condition: float, name: str = "A") -> None:
    """Raise where a condition number says that a matrix has no inverse up to rounding.

    Raises
    ------
    DomainError
        With the condition number, and what to do.
    """
    limit = 1 / float(np.finfo(A.dtype).eps)
    if condition < limit:
        return
    raise DomainError(
        f"{operation}: {name} {A.shape} is singular: its condition number is {condition:.2g}, and {A.dtype} carries "
        f"{limit:.2g}; remove dependent rows, add a multiple of the identity (ridge), or take pinv"
    )
