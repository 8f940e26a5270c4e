"""Solutions of matrix equations that are linear in X: Sylvester's A X + X B = C and Lyapunov's A X + X Aᵀ = Q."""

from __future__ import annotations

from typing import Any, ClassVar, final

import numpy.typing as npt

from jacobians.arrays import Array, Shape
from jacobians.errors import DomainError, ShapeError
from jacobians.first_tries import written
from jacobians.graphs import Value
from jacobians.linops import Commutation, Jacobian, Kronecker, SylvesterInverse
from jacobians.matrix.functions_in_symbols import SYLVESTER, InDirection
from jacobians.matrix.matrix_operation import OfMatrices, square
from jacobians.operations import Jacobians
from jacobians.operations.on_values import of_two
from jacobians.operations.operation import UNNAMED, Naming
from jacobians.operations.record import Makers, Second
from jacobians.presets import AnyLayout
from jacobians.symbols.expressions import Call, Expr

__all__ = ["Lyapunov", "Sylvester", "lyapunov", "sylvester"]


def _inverse(operation: str, A: Array, B: Array) -> SylvesterInverse:
    try:
        return SylvesterInverse(A, B)
    except DomainError as error:
        raise DomainError(f"{operation}: {str(error).partition(': ')[2]}") from None


@final
class Sylvester(OfMatrices):
    r"""(A, B, C) ↦ X with A X + X B = C.

    With S⁻¹ the map from C to X, :math:`dX = S^{-1}(dC - dA\, X - X\, dB)`.

    Examples
    --------
    >>> Sylvester()([[1.0]], [[2.0]], [[6.0]])[0]
    array([[2.]])
    """

    inputs: ClassVar[tuple[str, ...]] = ("A", "B", "C")

    def _shape(self, *shapes: Shape) -> Shape:
        A, B, C = shapes
        sizes = square("sylvester", A), square("sylvester", B, "B")
        if sizes != C:
            raise ShapeError(f"sylvester: A has shape {A}, B has {B}, C has {C}; expected C of shape {sizes}")
        return C

    def _of_one(self, *arrays: Array) -> tuple[Array, Makers]:
        A, B, C = arrays
        inverse = _inverse("sylvester", A, B)
        X = inverse.jvp(C)
        return X, {
            "A": lambda: inverse @ (-1.0 * Kronecker(len(A), X.T)),
            "B": lambda: inverse @ (-1.0 * Kronecker(X, len(B))),
            "C": lambda: inverse,
        }

    def in_symbols(self, *inputs: Expr, name: Naming = UNNAMED) -> tuple[Expr, Makers]:
        """Return sylvester(A, B, C), and the makers of its Jacobians, where X is the value's name."""
        A, B, C = inputs
        self._shape(A.shape, B.shape, C.shape)
        value = Call(SYLVESTER, (A, B, C), C.shape)
        X: Any = name(value)
        inverse = InDirection(SYLVESTER, A, B, shape=C.shape)
        return value, {
            "A": lambda: inverse @ (-1.0 * Kronecker(A.shape[0], X.T)),
            "B": lambda: inverse @ (-1.0 * Kronecker(X, B.shape[0])),
            "C": lambda: inverse,
        }

    def _second_of_one(self, cotangent: Array, *arrays: Array) -> Second:
        """C̄ = Λ = S⁻ᵀ Ḡ, Ā = −Λ Xᵀ and B̄ = −Xᵀ Λ, where S⁻ᵀ gives dΛ = −S⁻ᵀ (dAᵀ Λ + Λ dBᵀ)."""
        A, B, C = arrays
        inverse, m, n = _inverse("sylvester", A, B), len(A), len(B)
        X, multipliers = inverse.jvp(C), inverse.vjp(cotangent)
        turned = {"A": Commutation(m, m, C.dtype), "B": Commutation(n, n, C.dtype)}
        # what dA and dB change of the multipliers, and of X
        of_multipliers = {
            "A": -1.0 * inverse.T @ Kronecker(m, multipliers.T) @ turned["A"],
            "B": -1.0 * inverse.T @ Kronecker(multipliers, n) @ turned["B"],
        }
        of_x = {"A": -1.0 * inverse @ Kronecker(m, X.T), "B": -1.0 * inverse @ Kronecker(X, n)}
        transposing = Commutation(m, n, C.dtype)

        def of_a(by: str) -> Jacobian:
            return -1.0 * (Kronecker(m, X) @ of_multipliers[by] + Kronecker(multipliers, m) @ transposing @ of_x[by])

        by_b = Kronecker(X.T, n) @ of_multipliers["B"] + Kronecker(n, multipliers.T) @ transposing @ of_x["B"]
        return {
            ("C", "A"): of_multipliers["A"],
            ("C", "B"): of_multipliers["B"],
            ("A", "A"): of_a("A"),
            ("A", "B"): of_a("B"),
            ("B", "B"): -1.0 * by_b,
        }


@final
class Lyapunov(OfMatrices):
    r"""(A, Q) ↦ X with A X + X Aᵀ = Q: :math:`dX = S^{-1}(dQ - dA\, X - X\, dA^\top)`.

    Examples
    --------
    >>> import numpy as np
    >>> Lyapunov()(np.eye(2), 2 * np.eye(2))[0]
    array([[1., 0.],
           [0., 1.]])
    """

    inputs: ClassVar[tuple[str, ...]] = ("A", "Q")

    def _shape(self, *shapes: Shape) -> Shape:
        A, Q = shapes
        n = square("lyapunov", A)
        if (n, n) != Q:
            raise ShapeError(f"lyapunov: A has shape {A}, Q has {Q}; expected two square matrices of one size")
        return Q

    def _of_one(self, *arrays: Array) -> tuple[Array, Makers]:
        A, Q = arrays
        n = len(A)
        inverse = _inverse("lyapunov", A, A.T)
        X = inverse.jvp(Q)

        def by_a() -> Jacobian:
            return inverse @ (-1.0 * (Kronecker(n, X.T) + Kronecker(X, n) @ Commutation(n, n, A.dtype)))

        return X, {"A": by_a, "Q": lambda: inverse}

    def _in_values(self, *inputs: Value) -> Value:
        A, Q = inputs
        return Sylvester()(A, A.T, Q)


@written
def sylvester(A: Any, B: Any, C: Any, layout: AnyLayout | None = None) -> Any:
    r"""Return X with A X + X B = C, and its Jacobians by A, B and C.

    By C it is the inverse of :math:`A \otimes I + I \otimes B^\top`, kept as two Schur forms (`SylvesterInverse`). Kao
    & Hennequin 2020, *Automatic differentiation of Sylvester, Lyapunov, and algebraic Riccati equations*,
    arXiv:2011.11430.

    Parameters
    ----------
    A : array_like, shape (…, m, m)
    B : array_like, shape (…, n, n)
    C : array_like, shape (…, m, n)
    layout : Layout, Convention or str, optional

    Raises
    ------
    DomainError
        If an eigenvalue of A is one of −B up to rounding.

    Examples
    --------
    >>> X, J = sylvester([[1.0]], [[2.0]], [[6.0]])
    >>> X, J.C.to_dense()
    (array([[2.]]), array([[0.33333333]]))
    """
    return Sylvester(layout)(A, B, C)


@of_two
def lyapunov(A: npt.ArrayLike, Q: npt.ArrayLike, layout: AnyLayout | None = None) -> tuple[Array, Jacobians]:
    r"""Return X with A X + X Aᵀ = Q, and its Jacobians by A and by Q; see `sylvester`.

    Parameters
    ----------
    A, Q : array_like, shape (…, n, n)
    layout : Layout, Convention or str, optional

    Raises
    ------
    DomainError
        If two eigenvalues of A add up to zero, up to rounding.

    Examples
    --------
    >>> import numpy as np
    >>> X, J = lyapunov(np.eye(2), 2 * np.eye(2))
    >>> X, J.Q
    (array([[1., 0.],
           [0., 1.]]), SylvesterInverse(2, 2): 4×4 float64, (2, 2) → (2, 2), 32 B)
    """
    return Lyapunov(layout)(A, Q)
