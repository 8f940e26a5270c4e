"""The inverse, the solution of A X = B, and the determinant with its logarithm."""

from __future__ import annotations

import math
from typing import Any, ClassVar, final

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, Shape, as_array, counted
from jacobians.errors import DomainError, ShapeError
from jacobians.linops import Commutation, Dense, Jacobian, Kronecker, LowRank, Product, Reshape, Zero
from jacobians.linops.lu import factored, factored_or_singular, inverse_of
from jacobians.matrix.matrix_operation import OfMatrices, OfOneMatrix, square
from jacobians.operations import Jacobians
from jacobians.operations.on_values import of_one, of_two
from jacobians.operations.operation import UNNAMED, Naming
from jacobians.operations.record import Makers, Second
from jacobians.presets import AnyLayout
from jacobians.symbols.expressions import Call, Expr
from jacobians.symbols.named_functions import Function

__all__ = [
    "Determinant",
    "Inverse",
    "LogAbsDeterminant",
    "LogDeterminant",
    "Sign",
    "Solve",
    "det",
    "inverse",
    "logdet",
    "slogdet",
    "solve",
]


_WELL_CONDITIONED = 1e4
"""The condition number below which the cofactors are det(A) A⁻ᵀ in nearly all digits of float64."""


def inv(A: Array) -> Array:
    return np.linalg.inv(A)


def determinant(A: Array) -> Any:
    return np.linalg.det(A)


def log_determinant(A: Array) -> Any:
    return np.linalg.slogdet(A)[1]


INVERSE = Function("inv", "inv", inv)
"""What formulas call the inverse."""

DETERMINANT = Function("det", "det", determinant)
"""What formulas call the determinant."""

LOG_DETERMINANT = Function("logdet", "log det", log_determinant)
"""What formulas call the logarithm of the determinant."""


def on_vectors(jacobian: Jacobian, codomain: Shape, domain: Shape) -> Jacobian:
    """Return a map between matrices of one column as one between arrays of other shapes with the same entries."""
    factors = [jacobian]
    if jacobian.codomain != codomain:
        factors.insert(0, Reshape(codomain, jacobian.codomain, jacobian.dtype))
    if jacobian.domain != domain:
        factors.append(Reshape(jacobian.domain, domain, jacobian.dtype))
    return jacobian if len(factors) == 1 else Product(factors)


@final
class Inverse(OfOneMatrix):
    r"""A ↦ A⁻¹: :math:`dY = -Y\, dA\, Y`, so :math:`J = -Y \otimes Y^\top`.

    Examples
    --------
    >>> Inverse()([[2.0, 0.0], [0.0, 4.0]])[0]
    array([[0.5 , 0.  ],
           [0.  , 0.25]])
    """

    def _shape(self, *shapes: Shape) -> Shape:
        n = square("inverse", shapes[0])
        return n, n

    def _of_one(self, *arrays: Array) -> tuple[Array, Makers]:
        (A,) = arrays
        Y = inverse_of("inverse", A)
        return Y, {"A": lambda: -1.0 * Kronecker(Y, Y.T)}

    def _second_of_one(self, cotangent: Array, *arrays: Array) -> Second:
        """Ā = −H with H = Yᵀ Ḡ Yᵀ, so dA ↦ Yᵀ dAᵀ H + H dAᵀ Yᵀ."""
        Y = inverse_of("inverse", arrays[0])
        return {("A", "A"): _both_sides(Y, as_array(Y.T @ cotangent @ Y.T))}

    def in_symbols(self, *inputs: Expr, name: Naming = UNNAMED) -> tuple[Expr, Makers]:
        """Return inv(A), and the maker of −Y ⊗ Yᵀ, where Y is the value's name."""
        (A,) = inputs
        self._shape(A.shape)
        value = Call(INVERSE, (A,))
        Y = name(value)
        return value, {"A": lambda: -1.0 * Kronecker(Y, Y.T)}  # type: ignore[arg-type]


def _both_sides(Y: Array, H: Array) -> Jacobian:
    """dA ↦ Yᵀ dAᵀ H + H dAᵀ Yᵀ."""
    return (Kronecker(Y.T, H.T) + Kronecker(H, Y)) @ Commutation(len(Y), len(Y), Y.dtype)


@final
class Solve(OfMatrices):
    r"""(A, B) ↦ X with A X = B: :math:`dX = A^{-1} (dB - dA\, X)`.

    Examples
    --------
    >>> Solve()([[2.0, 0.0], [0.0, 4.0]], [[2.0], [4.0]])[0]
    array([[1.],
           [1.]])
    """

    inputs: ClassVar[tuple[str, ...]] = ("A", "B")

    def _shape(self, *shapes: Shape) -> Shape:
        A, B = shapes
        n = square("solve", A)
        if len(B) not in (1, 2) or B[0] != n:
            raise ShapeError(
                f"solve: A has shape {A}, B has {B}; expected B with {counted(n, 'row')}, or a vector of "
                f"{counted(n, 'entry', 'entries')}"
            )
        return B

    def _of_one(self, *arrays: Array) -> tuple[Array, Makers]:
        A, B = arrays
        of = factored("solve", A)
        X = of.solve(B.reshape(len(B), 1 if B.ndim == 1 else B.shape[1]))

        def by_a() -> Jacobian:
            return on_vectors(-1.0 * Kronecker(of.inverse, X.T), B.shape, A.shape)

        def by_b() -> Jacobian:
            return Dense(of.inverse, B.shape) if B.ndim == 1 else Kronecker(of.inverse, B.shape[1])

        return X.reshape(B.shape), {"A": by_a, "B": by_b}

    def _second_of_one(self, cotangent: Array, *arrays: Array) -> Second:
        """B̄ = Λ = A⁻ᵀ Ḡ and Ā = −Λ Xᵀ, so dA ↦ −A⁻ᵀ dAᵀ Λ, and with H = Λ Xᵀ, dA ↦ A⁻ᵀ dAᵀ H + H dAᵀ A⁻ᵀ."""
        A, B = arrays
        inverse, n = inverse_of("solve", A), len(B)
        multipliers = inverse.T @ cotangent.reshape(n, -1)
        X = inverse @ B.reshape(n, -1)
        by_a = -1.0 * Kronecker(inverse.T, multipliers.T) @ Commutation(n, n, A.dtype)
        return {
            ("B", "A"): on_vectors(by_a, B.shape, A.shape),
            ("A", "A"): _both_sides(inverse, as_array(multipliers @ X.T)),
        }

    def in_symbols(self, *inputs: Expr, name: Naming = UNNAMED) -> tuple[Expr, Makers]:
        """Return inv(A) B, and the makers of −A⁻¹ ⊗ Xᵀ and A⁻¹ ⊗ I, where X is the value's name."""
        A, B = inputs
        if self._shape(A.shape, B.shape) != B.shape or B.ndim != 2:
            raise TypeError("solve: a formula is known of a matrix B; reshape a vector to one column")
        inverse = Call(INVERSE, (A,))
        value = inverse @ B
        X = name(value)
        return value, {
            "A": lambda: -1.0 * Kronecker(inverse, X.T),  # type: ignore[arg-type]
            "B": lambda: Kronecker(inverse, B.shape[1]),  # type: ignore[arg-type]
        }


class _OfDeterminant(OfOneMatrix):
    def _second_of_one(self, cotangent: Array, *arrays: Array) -> Second:
        """Of a logarithm: Ā = ḡ A⁻ᵀ, so dA ↦ −ḡ A⁻ᵀ dAᵀ A⁻ᵀ."""
        Y = inverse_of(self.name, arrays[0])
        bend = Kronecker(Y.T, Y) @ Commutation(len(Y), len(Y), Y.dtype)
        return {("A", "A"): -float(cotangent) * bend}

    def _shape(self, *shapes: Shape) -> Shape:
        square(self.name, shapes[0])
        return ()


@final
class Determinant(_OfDeterminant):
    r"""A ↦ det A: the row of cofactors, :math:`\det(A)\, A^{-\top}`, which a singular matrix has too.

    With A = U Σ Vᵀ they are det(U) det(V) U Γ Vᵀ, where γᵢ is the product of the other singular values.

    Examples
    --------
    >>> Determinant()([[1.0, 2.0], [2.0, 4.0]])[1].gradient
    array([[ 4., -2.],
           [-2.,  1.]])
    """

    name = "det"

    def _of_one(self, *arrays: Array) -> tuple[Array, Makers]:
        (A,) = arrays
        of = factored_or_singular(A.astype(np.float64, copy=False))
        sign, logarithm = of.slogdet()
        if logarithm > math.log(float(np.finfo(A.dtype).max)):
            raise DomainError(
                f"det: the determinant of A {A.shape} is {'-' if sign < 0 else ''}e^{logarithm:.6g}, too large for "
                f"{A.dtype}; take logdet, or slogdet of any sign"
            )
        value = sign * math.exp(logarithm)

        def by_a() -> Jacobian:
            if of.condition < _WELL_CONDITIONED:
                return Dense((value * of.inverse.T).astype(A.dtype, copy=False))
            U, s, Vt = np.linalg.svd(A.astype(np.float64, copy=False))
            others = [np.prod(np.delete(s, i)) for i in range(len(s))]
            turned = np.linalg.det(U) * np.linalg.det(Vt)
            return Dense((turned * (U * others) @ Vt).astype(A.dtype, copy=False))

        return as_array(value), {"A": by_a}

    def _second_of_one(self, cotangent: Array, *arrays: Array) -> Second:
        """Ā = ḡ det(A) Y of Y = A⁻ᵀ, so dA ↦ ḡ det(A) (⟨Y, dA⟩ Y − Y dAᵀ Y); A is not singular."""
        (A,) = arrays
        (bend,) = super()._second_of_one(cotangent, A).values()
        Y, value = inverse_of(self.name, A).T, float(np.linalg.det(A))
        return {("A", "A"): value * (float(cotangent) * LowRank(Y[..., None], Y[..., None]) + bend)}

    def in_symbols(self, *inputs: Expr, name: Naming = UNNAMED) -> tuple[Expr, Makers]:
        """Return det(A), and the maker of the row y A⁻ᵀ, where y is the value's name and A is not singular."""
        (A,) = inputs
        self._shape(A.shape)
        value = Call(DETERMINANT, (A,), ())
        y: Any = name(value)
        return value, {"A": lambda: Dense(y * Call(INVERSE, (A,)).T)}


@final
class LogAbsDeterminant(_OfDeterminant):
    r"""A ↦ log|det A|: the row :math:`A^{-\top}`.

    Examples
    --------
    >>> LogAbsDeterminant()([[0.0, 1.0], [1.0, 0.0]])[1].gradient
    array([[0., 1.],
           [1., 0.]])
    """

    name = "slogdet"

    def _of_one(self, *arrays: Array) -> tuple[Array, Makers]:
        of = factored(self.name, arrays[0])
        return as_array(of.slogdet()[1]), {"A": lambda: Dense(of.inverse.T)}


@final
class LogDeterminant(_OfDeterminant):
    r"""A ↦ log det A of a matrix with a positive determinant: the row :math:`A^{-\top}`.

    Examples
    --------
    >>> LogDeterminant()([[2.0, 0.0], [0.0, 4.0]])[1].gradient
    array([[0.5 , 0.  ],
           [0.  , 0.25]])
    """

    name = "logdet"

    def _of_one(self, *arrays: Array) -> tuple[Array, Makers]:
        of = factored("logdet", arrays[0])
        sign, value = of.slogdet()
        if sign < 0:
            raise DomainError("logdet: A has a negative determinant, whose logarithm is not real; take slogdet")
        return as_array(value), {"A": lambda: Dense(of.inverse.T)}

    def in_symbols(self, *inputs: Expr, name: Naming = UNNAMED) -> tuple[Expr, Makers]:
        """Return log det A, and the maker of the row A⁻ᵀ."""
        (A,) = inputs
        self._shape(A.shape)
        row: Any = Call(INVERSE, (A,)).T
        return Call(LOG_DETERMINANT, (A,), ()), {"A": lambda: Dense(row)}


@final
class Sign(_OfDeterminant):
    """A ↦ the sign of det A, which is constant around a matrix that is not singular.

    Examples
    --------
    >>> float(Sign()([[0.0, 2.0], [2.0, 0.0]])[0])
    -1.0
    """

    name = "slogdet"
    piecewise_linear = True

    def _of_one(self, *arrays: Array) -> tuple[Array, Makers]:
        (A,) = arrays
        sign, _ = factored("slogdet", A).slogdet()
        return as_array(sign), {"A": lambda: Zero((), A.shape, A.dtype)}


@of_one
def inverse(A: npt.ArrayLike, layout: AnyLayout | None = None) -> tuple[Array, Jacobian]:
    r"""Return Y = A⁻¹ and its Jacobian :math:`-Y \otimes Y^\top` (C order), kept as two factors.

    Magnus & Neudecker 2019, ch. 8, theorem 3; the Matrix Cookbook (2012), equation 59.

    Parameters
    ----------
    A : array_like, shape (…, n, n)
        One matrix, or a batch along leading axes.
    layout : Layout, Convention or str, optional

    Returns
    -------
    Y : ndarray, shape of `A`
    J : Jacobian

    Raises
    ------
    ShapeError
        If A is not square.
    DomainError
        If A is singular up to rounding, with its condition number.

    Examples
    --------
    >>> Y, J = inverse([[2.0, 0.0], [0.0, 4.0]])
    >>> J
    -1·Kronecker(2×2, 2×2): 4×4 float64, (2, 2) → (2, 2), 32 B
    >>> J.jvp(np.eye(2))
    array([[-0.25  , -0.    ],
           [-0.    , -0.0625]])
    """
    return Inverse(layout)(A)


@of_two
def solve(A: npt.ArrayLike, B: npt.ArrayLike, layout: AnyLayout | None = None) -> tuple[Array, Jacobians]:
    r"""Return X with A X = B and its Jacobians: :math:`-A^{-1} \otimes X^\top` by A, :math:`A^{-1} \otimes I` by B.

    Giles 2008, NA-08/01, section 2.3.1.

    Parameters
    ----------
    A : array_like, shape (…, n, n)
    B : array_like, shape (…, n, k) or (…, n)
    layout : Layout, Convention or str, optional

    Raises
    ------
    ShapeError
        If A is not square, or B has another number of rows.
    DomainError
        If A is singular up to rounding, with its condition number.

    Examples
    --------
    >>> X, J = solve([[2.0, 0.0], [0.0, 4.0]], [[2.0], [4.0]])
    >>> J.A, J.B
    (-1·Kronecker(2×2, 1×2): 2×4 float64, (2, 2) → (2, 1), 48 B, Kronecker(2×2, I₁): 2×2 float64, (2, 1) → (2, 1), 32 B)
    """
    return Solve(layout)(A, B)


@of_one
def det(A: npt.ArrayLike, layout: AnyLayout | None = None) -> tuple[Array, Jacobian]:
    r"""Return det A and its Jacobian, the row of cofactors :math:`\det(A)\, A^{-\top}`; of a singular matrix too.

    The Matrix Cookbook (2012), equation 49; Magnus & Neudecker 2019, ch. 8, theorem 1.

    Raises
    ------
    ShapeError
        If A is not square.

    Examples
    --------
    >>> value, J = det([[1.0, 2.0], [2.0, 4.0]])
    >>> J.gradient.round(12)
    array([[ 4., -2.],
           [-2.,  1.]])
    """
    return Determinant(layout)(A)


@of_one
def logdet(A: npt.ArrayLike, layout: AnyLayout | None = None) -> tuple[Array, Jacobian]:
    r"""Return log det A and its Jacobian, the row :math:`A^{-\top}`.

    The Matrix Cookbook (2012), equation 57. By all entries, symmetric or not: of a symmetric matrix by its entries on
    and below the diagonal, compose it with `unvech`.

    Raises
    ------
    DomainError
        If the determinant is negative, or A is singular up to rounding.

    Examples
    --------
    >>> value, J = logdet([[2.0, 0.0], [0.0, 4.0]])
    >>> J.gradient
    array([[0.5 , 0.  ],
           [0.  , 0.25]])
    """
    return LogDeterminant(layout)(A)


@of_one
def slogdet(A: npt.ArrayLike, layout: AnyLayout | None = None) -> tuple[tuple[Array, Jacobian], tuple[Array, Jacobian]]:
    r"""Return the sign of det A and log|det A|, each with its Jacobian: zero, and the row :math:`A^{-\top}`.

    Of a value of a graph it returns two values.

    Raises
    ------
    DomainError
        If A is singular up to rounding, with its condition number.

    Examples
    --------
    >>> (sign, _), (value, J) = slogdet([[0.0, 2.0], [2.0, 0.0]])
    >>> sign, value, J.gradient
    (array(-1.), array(1.38629436), array([[0. , 0.5],
           [0.5, 0. ]]))
    """
    return Sign(layout)(A), LogAbsDeterminant(layout)(A)
