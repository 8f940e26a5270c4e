"""The pseudo-inverse, and least squares with and without a ridge."""

from __future__ import annotations

from typing import Any, ClassVar, final

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, Shape, a_number, as_array
from jacobians.errors import DomainError, ShapeError
from jacobians.graphs import Value
from jacobians.linops import Commutation, Dense, Jacobian, Kronecker
from jacobians.matrix.inverses import Solve, on_vectors
from jacobians.matrix.matrix_operation import OfMatrices, OfOneMatrix
from jacobians.operations import Jacobians
from jacobians.operations.on_values import of_one, of_two
from jacobians.operations.operation import UNNAMED, Naming
from jacobians.operations.record import Makers
from jacobians.presets import AnyLayout
from jacobians.symbols.expressions import Call, Expr, Eye
from jacobians.symbols.named_functions import Function

__all__ = ["LeastSquares", "PseudoInverse", "least_squares", "pinv", "ridge"]


def pseudo_inverse(A: Array) -> Array:
    return np.linalg.pinv(A)


PSEUDO_INVERSE = Function("pinv", "pinv", pseudo_inverse)
"""What formulas call the pseudo-inverse."""


def _refuse_rank(operation: str, s: Array, shape: Shape, why: str) -> None:
    """Raise where the smallest singular value is zero up to rounding."""
    if s.size and not s[-1] > max(shape) * float(np.finfo(s.dtype).eps) * s[0]:
        condition = float(s[0] / s[-1]) if s[-1] else np.inf
        raise DomainError(
            f"{operation}: A {shape} has not full rank: singular value {s.size - 1} is {s[-1]:.2g}, the largest "
            f"{s[0]:.6g} (condition number {condition:.2g}); {why}"
        )


@final
class PseudoInverse(OfOneMatrix):
    r"""A ↦ A⁺ of a matrix of full rank.

    :math:`dA^+ = -A^+ dA\, A^+ + (A^\top A)^+ dA^\top (I - A A^+) + (I - A^+ A)\, dA^\top (A A^\top)^+`, of which the
    second term is left out where A has independent rows, and the third where it has independent columns.

    Examples
    --------
    >>> PseudoInverse()([[1.0], [1.0]])[0]
    array([[0.5, 0.5]])
    """

    name = "pinv"

    def _shape(self, *shapes: Shape) -> Shape:
        return shapes[0][::-1]

    def _of_one(self, *arrays: Array) -> tuple[Array, Makers]:
        (A,) = arrays
        m, n = A.shape
        U, s, Vt = np.linalg.svd(A, full_matrices=False)
        _refuse_rank("pinv", s, A.shape, "where the rank changes, A⁺ jumps; take ridge, or remove dependent columns")
        P = as_array((Vt.T / s) @ U.T)

        def by_a() -> Jacobian:
            found = -1.0 * Kronecker(P, P.T)
            turned = Commutation(m, n, A.dtype)
            if m > n:
                found = found + Kronecker((Vt.T / s**2) @ Vt, np.eye(m, dtype=A.dtype) - U @ U.T) @ turned
            if m < n:
                found = found + Kronecker(np.eye(n, dtype=A.dtype) - Vt.T @ Vt, (U / s**2) @ U.T) @ turned
            return found

        return P, {"A": by_a}

    def in_symbols(self, *inputs: Expr, name: Naming = UNNAMED) -> tuple[Expr, Makers]:
        """Return pinv(A), and the maker of its Jacobian, in which P is the value's name; A has full rank."""
        (A,) = inputs
        m, n = A.shape
        value = Call(PSEUDO_INVERSE, (A,), (n, m))
        P: Any = name(value)

        def by_a() -> Jacobian:
            found = -1.0 * Kronecker(P, P.T)
            turned = Commutation(m, n)
            if m > n:
                found = found + Kronecker(P @ P.T, Eye(m) - A @ P) @ turned
            if m < n:
                found = found + Kronecker(Eye(n) - P @ A, P.T @ P) @ turned
            return found

        return value, {"A": by_a}

    def _in_values(self, *inputs: Value) -> Value:
        (A,) = inputs
        return Solve()(A.T @ A, A.T) if A.shape[0] >= A.shape[1] else Solve()(A @ A.T, A).T


@final
class LeastSquares(OfMatrices):
    r"""(A, B) ↦ the X that makes ‖A X − B‖² + λ‖X‖² least: X = K AᵀB with :math:`K = (A^\top A + \lambda I)^{-1}`.

    :math:`dX = K\, dA^\top (B - A X) - K A^\top dA\, X + K A^\top dB`.

    Parameters
    ----------
    penalty : float
        λ, from 0 on; a constant.
    layout : Layout, Convention or str, optional

    Examples
    --------
    >>> LeastSquares(2.0)([[1.0], [1.0]], [1.0, 3.0])[0]
    array([1.])
    """

    inputs: ClassVar[tuple[str, ...]] = ("A", "B")

    def __init__(self, penalty: float = 0.0, layout: AnyLayout | None = None) -> None:
        self.penalty = a_number(penalty, "penalty", "ridge")
        if not 0 <= self.penalty < np.inf:
            raise DomainError(f"ridge: the penalty {penalty} must be a finite number from 0 on")
        super().__init__(layout)

    @property
    def name(self) -> str:
        return "ridge" if self.penalty else "least_squares"

    def _shape(self, *shapes: Shape) -> Shape:
        A, B = shapes
        if len(B) not in (1, 2) or B[0] != A[0]:
            raise ShapeError(f"{self.name}: A has shape {A}, B has {B}; expected B with {A[0]} rows")
        return (A[1], *B[1:])

    def _of_one(self, *arrays: Array) -> tuple[Array, Makers]:
        A, B = arrays
        m, n = A.shape
        columns = B.reshape(m, B.size // m if m else (B.shape[1] if B.ndim == 2 else 1))
        if not self.penalty and m < n:
            raise DomainError(
                f"{self.name}: A has shape {A.shape}, with fewer rows than columns: many X are best; take ridge, or "
                "pinv for the shortest"
            )
        U, s, Vt = np.linalg.svd(A, full_matrices=False)
        if not self.penalty:
            _refuse_rank(self.name, s, A.shape, "X is not determined; take ridge, or remove dependent columns")
        KAt = as_array((Vt.T * (s / (s**2 + self.penalty))) @ U.T)
        X = KAt @ columns
        shape = self._shape(A.shape, B.shape)

        def by_a() -> Jacobian:
            K = (Vt.T / (s**2 + self.penalty)) @ Vt
            if m < n:  # outside of the rows of A the penalty alone acts
                K = K + (np.eye(n, dtype=A.dtype) - Vt.T @ Vt) / A.dtype.type(self.penalty)
            left_over = columns - A @ X
            terms = Kronecker(K, left_over.T) @ Commutation(m, n, A.dtype) + (-1.0 * Kronecker(KAt, X.T))
            return on_vectors(terms, shape, A.shape)

        def by_b() -> Jacobian:
            return Dense(KAt, shape) if B.ndim == 1 else Kronecker(KAt, B.shape[1])

        return X.reshape(shape), {"A": by_a, "B": by_b}

    def _in_values(self, *inputs: Value) -> Value:
        A, B = inputs
        return Solve()(A.T @ A + A.dtype.type(self.penalty) * np.eye(A.shape[1], dtype=A.dtype), A.T @ B)


@of_one
def pinv(A: npt.ArrayLike, layout: AnyLayout | None = None) -> tuple[Array, Jacobian]:
    r"""Return the pseudo-inverse A⁺ of a matrix of full rank and its Jacobian, one or two Kronecker products.

    Golub & Pereyra 1973, *The differentiation of pseudo-inverses*, SIAM J. Numer. Anal. 10, equation 4.12.

    Raises
    ------
    DomainError
        If A has not full rank: there A⁺ jumps.

    Examples
    --------
    >>> P, J = pinv([[1.0], [1.0]])
    >>> P
    array([[0.5, 0.5]])
    >>> J.structure
    '-1·Kronecker(1×2, 2×1) + Kronecker(1×1, 2×2) @ Commutation(2, 1)'
    """
    return PseudoInverse(layout)(A)


@of_two
def least_squares(A: npt.ArrayLike, B: npt.ArrayLike, layout: AnyLayout | None = None) -> tuple[Array, Jacobians]:
    r"""Return the X that makes ‖A X − B‖ least, and its Jacobians by A, two Kronecker products, and by B.

    Golub & Pereyra 1973, SIAM J. Numer. Anal. 10. See `LeastSquares`.

    Parameters
    ----------
    A : array_like, shape (…, m, n)
        With independent columns.
    B : array_like, shape (…, m, k) or (…, m)
    layout : Layout, Convention or str, optional

    Raises
    ------
    DomainError
        If the columns of A are dependent up to rounding, with the condition number.

    Examples
    --------
    >>> x, J = least_squares([[1.0], [1.0]], [1.0, 3.0])
    >>> x, J.B.to_dense()
    (array([2.]), array([[0.5, 0.5]]))
    """
    return LeastSquares(0.0, layout)(A, B)


@of_two
def ridge(
    A: npt.ArrayLike, B: npt.ArrayLike, penalty: float, layout: AnyLayout | None = None
) -> tuple[Array, Jacobians]:
    r"""Return the X that makes ‖A X − B‖² + λ‖X‖² least, and its Jacobians by A and by B; see `LeastSquares`.

    Parameters
    ----------
    A : array_like, shape (…, m, n)
    B : array_like, shape (…, m, k) or (…, m)
    penalty : float
        λ > 0, a constant.
    layout : Layout, Convention or str, optional

    Raises
    ------
    DomainError
        If the penalty is negative.

    Examples
    --------
    >>> x, J = ridge([[1.0], [1.0]], [1.0, 3.0], 2.0)
    >>> x, J.A.structure
    (array([1.]), 'Reshape(1×1 to 1) @ (Kronecker(1×1, 1×2) @ Commutation(2, 1) + -1·Kronecker(1×2, 1×1))')
    """
    return LeastSquares(penalty, layout)(A, B)
