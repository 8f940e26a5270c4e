"""Norms of matrices and of vectors, and vectors scaled to length 1; each says where it has no derivative."""

from __future__ import annotations

import math
from typing import Any, ClassVar, final

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, Shape, as_array
from jacobians.errors import DomainError, ShapeError
from jacobians.graphs import Value
from jacobians.linops import BlockDiagonal, Dense, DiagonalMinusOuter, Jacobian
from jacobians.matrix.matrix_functions import MatrixSquareRoot
from jacobians.matrix.matrix_operation import OfOneMatrix, OfVectors, is_tied, refuse_tie
from jacobians.matrix.spectra import SingularValues
from jacobians.matrix.traces_and_forms import Trace
from jacobians.operations.on_values import of_one
from jacobians.operations.operation import UNNAMED, Naming, Unary
from jacobians.operations.record import Makers
from jacobians.presets import AnyLayout
from jacobians.symbols.expressions import Call, Expr
from jacobians.symbols.named_functions import Function

__all__ = [
    "FrobeniusNorm",
    "Normalise",
    "NuclearNorm",
    "PNorm",
    "SpectralNorm",
    "frobenius_norm",
    "normalise",
    "nuclear_norm",
    "p_norm",
    "spectral_norm",
]


def norm(A: Array) -> Any:
    return np.linalg.norm(A)


NORM = Function("norm", "norm", norm)
"""What formulas call the Frobenius norm."""


class _Norm(OfOneMatrix):
    def _shape(self, *shapes: Shape) -> Shape:
        if 0 in shapes[0]:
            raise ShapeError(f"{self.name}: A has shape {shapes[0]}; a matrix without entries has no norm to vary")
        return ()


@final
class FrobeniusNorm(_Norm):
    r"""A ↦ ‖A‖ = √(Σ a²): the row :math:`A / \|A\|`.

    Examples
    --------
    >>> FrobeniusNorm()([[3.0, 4.0]])[1].gradient
    array([[0.6, 0.8]])
    """

    name = "frobenius_norm"

    def _of_one(self, *arrays: Array) -> tuple[Array, Makers]:
        (A,) = arrays
        size = float(np.abs(A).max())
        value = A.dtype.type(size * np.linalg.norm(A / size)) if size else A.dtype.type(0)

        def by_a() -> Jacobian:
            if not size:
                raise DomainError("frobenius_norm: A is zero, where the norm has a kink; take the square, total(A**2)")
            return Dense(as_array(A / value))

        return np.asarray(value), {"A": by_a}

    def _in_values(self, *inputs: Value) -> Value:
        (A,) = inputs
        return (A * A).sum() ** 0.5

    def in_symbols(self, *inputs: Expr, name: Naming = UNNAMED) -> tuple[Expr, Makers]:
        """Return ‖A‖, and the maker of the row A / y, where y is the value's name."""
        (A,) = inputs
        value = Call(NORM, (A,), self._shape(A.shape))
        y: Any = name(value)
        return value, {"A": lambda: Dense(A / y)}


@final
class NuclearNorm(_Norm):
    r"""A ↦ Σ σᵢ: the row :math:`U V^\top`, of a matrix of full rank.

    Examples
    --------
    >>> float(NuclearNorm()([[3.0, 0.0], [0.0, -4.0]])[0])
    7.0
    """

    name = "nuclear_norm"

    def _of_one(self, *arrays: Array) -> tuple[Array, Makers]:
        (A,) = arrays
        U, s, Vt = np.linalg.svd(A, full_matrices=False)

        def by_a() -> Jacobian:
            if not s[-1] > max(A.shape) * np.finfo(A.dtype).eps * s[0]:
                raise DomainError(
                    f"nuclear_norm: A {A.shape} has not full rank: singular value {len(s) - 1} is {s[-1]:.2g}, the "
                    f"largest {s[0]:.6g}; there the norm has a kink"
                )
            return Dense(U @ Vt)

        return as_array(s.sum()), {"A": by_a}

    def _in_values(self, *inputs: Value) -> Value:
        """The trace of the root of AᵀA, or AAᵀ: no singular vector enters, so none need be determined."""
        (A,) = inputs
        return Trace()(MatrixSquareRoot()(A.T @ A if A.shape[0] >= A.shape[1] else A @ A.T))


@final
class SpectralNorm(_Norm):
    r"""A ↦ σ₁, the largest singular value: the row :math:`u_1 v_1^\top`.

    Examples
    --------
    >>> SpectralNorm()([[3.0, 0.0], [0.0, -4.0]])[1].gradient
    array([[-0., -0.],
           [-0., -1.]])
    """

    name = "spectral_norm"

    def _of_one(self, *arrays: Array) -> tuple[Array, Makers]:
        (A,) = arrays
        U, s, Vt = np.linalg.svd(A, full_matrices=False)

        def by_a() -> Jacobian:
            if s[0] == 0:
                raise DomainError("spectral_norm: A is zero, where the norm has a kink")
            if len(s) > 1 and is_tied(float(s[0] - s[1]), s):
                refuse_tie(
                    "spectral_norm", "singular values", s, 0, 1, "the largest of them has a kink",
                    "their sum, nuclear_norm, has none",
                )  # fmt: skip
            return Dense(as_array(U[:, :1] * Vt[:1]))

        return as_array(s[0]), {"A": by_a}

    def _in_values(self, *inputs: Value) -> Value:
        (A,) = inputs
        return SingularValues()(A)[0]


class _OfEachVector(OfVectors, Unary):
    inputs: ClassVar[tuple[str, ...]] = ("x",)
    per_example = True


@final
class PNorm(_OfEachVector):
    r"""x ↦ :math:`\|x\|_p = (\sum |x_i|^p)^{1/p}` of each vector.

    The row of the Jacobian is :math:`\operatorname{sign}(x)\,|x|^{p-1} / \|x\|_p^{p-1}`.

    Parameters
    ----------
    p : float
        At least 1; infinity takes the largest entry.
    layout : Layout, Convention or str, optional

    Examples
    --------
    >>> PNorm(1)([[3.0, -4.0], [1.0, -1.0]])[0]
    array([7., 2.])
    """

    name = "p_norm"

    def __init__(self, p: float = 2, layout: AnyLayout | None = None) -> None:
        given: object = p
        if not isinstance(given, (int, float, np.number)) or not p >= 1:
            raise DomainError(f"p_norm: p={p!r} gives no norm; take p from 1 on, or math.inf")
        self.p = float(p)
        super().__init__(layout)

    def _linearize(self, *arrays: Array) -> tuple[Array, Makers]:
        (x,) = self._accepted(arrays)
        X = self._rows(x, "x")
        if not X.shape[1]:
            raise ShapeError(f"p_norm: x has shape {x.shape}; a vector without entries has no norm to vary")
        largest = np.abs(X).max(axis=1, keepdims=True)
        scaled = X / np.where(largest == 0, 1, largest)  # |x|ᵖ neither overflows nor vanishes
        if math.isinf(self.p):
            sums = np.ones_like(largest)
        else:
            sums = as_array((np.abs(scaled) ** self.p).sum(axis=1, keepdims=True)) ** (1 / self.p)
        value = (largest * sums)[:, 0].astype(x.dtype, copy=False)

        def by_x() -> Jacobian:
            rows = self._rows_of_derivatives(X, scaled, sums, largest)
            if x.ndim == 1:
                return Dense(rows.reshape(x.shape))
            return BlockDiagonal(rows[:, None, :], value.shape, x.shape, self._own_layout.batch_axis)

        return (value.reshape(()) if x.ndim == 1 else value).copy(), {"x": by_x}

    def _in_values(self, *inputs: Value) -> Value:
        (x,) = inputs
        sizes = abs(self._rows_of(x))
        norms = sizes.max(axis=1) if math.isinf(self.p) else (sizes**self.p).sum(axis=1) ** (1 / self.p)
        return norms if x.ndim == 2 else norms.reshape(())

    def _rows_of_derivatives(self, X: Array, scaled: Array, sums: Array, largest: Array) -> Array:
        if np.count_nonzero(largest) < len(largest):
            raise DomainError(f"p_norm: vector {int(np.argmin(largest))} is zero, where the norm has a kink")
        if math.isinf(self.p):
            tied = np.count_nonzero(np.abs(scaled) == 1, axis=1)
            if (tied > 1).any():
                n = int(np.argmax(tied > 1))
                places = np.flatnonzero(np.abs(scaled[n]) == 1)[:2].tolist()
                raise DomainError(
                    f"p_norm: entries {places[0]} and {places[1]} of vector {n} are equally large (gap 0), where the "
                    "largest has a kink"
                )
            return np.where(np.abs(scaled) == 1, scaled, 0)
        if self.p == 1 and np.count_nonzero(X) < X.size:
            n, i = (int(k) for k in np.argwhere(X == 0)[0])
            raise DomainError(f"p_norm: entry {i} of vector {n} is zero, where the 1-norm has a kink")
        power = np.abs(scaled) ** (self.p - 1)
        return as_array(np.sign(scaled) * power / sums ** (self.p - 1)).astype(X.dtype, copy=False)


@final
class Normalise(_OfEachVector):
    r"""x ↦ u = x/‖x‖ for each vector: :math:`du = (I - u u^\top)\, dx / \|x\|`.

    Examples
    --------
    >>> Normalise()([3.0, 4.0])[0]
    array([0.6, 0.8])
    """

    def _linearize(self, *arrays: Array) -> tuple[Array, Makers]:
        (x,) = self._accepted(arrays)
        X = self._rows(x, "x")
        largest = np.abs(X).max(axis=1, initial=0, keepdims=True)
        if np.count_nonzero(largest) < len(largest):
            raise DomainError(
                f"normalise: vector {int(np.argmin(largest))} is zero and has no direction; leave it out, or add an "
                "epsilon to its length"
            )
        scaled = X / largest
        lengths = largest * np.sqrt((scaled * scaled).sum(axis=1, keepdims=True))
        unit = self._given(as_array(X / lengths), x)

        def by_x() -> Jacobian:
            d = self._given(np.broadcast_to(1 / lengths, X.shape).copy(), x)
            return DiagonalMinusOuter(d, as_array(unit * d), unit, self._own_layout.feature_axis if x.ndim > 1 else 0)

        return unit.copy(), {"x": by_x}

    def _in_values(self, *inputs: Value) -> Value:
        (x,) = inputs
        axis = self._own_layout.feature_axis if x.ndim > 1 else 0
        return x * (x * x).sum(axis=axis, keepdims=True) ** -0.5


@of_one
def frobenius_norm(A: npt.ArrayLike, layout: AnyLayout | None = None) -> tuple[Array, Jacobian]:
    r"""Return ‖A‖ = √(Σ a²) and its Jacobian, the row :math:`A / \|A\|`.

    The Matrix Cookbook (2012), equation 131 for its square.

    Raises
    ------
    DomainError
        If A is zero and the Jacobian is asked for.

    Examples
    --------
    >>> value, J = frobenius_norm([[3.0, 4.0]])
    >>> value, J.gradient
    (array(5.), array([[0.6, 0.8]]))
    """
    return FrobeniusNorm(layout)(A)


@of_one
def nuclear_norm(A: npt.ArrayLike, layout: AnyLayout | None = None) -> tuple[Array, Jacobian]:
    r"""Return the sum of the singular values and its Jacobian, the row :math:`U V^\top`.

    Watson 1992, *Characterization of the subdifferential of some matrix norms*, Linear Algebra Appl. 170.

    Raises
    ------
    DomainError
        If A has not full rank.

    Examples
    --------
    >>> value, J = nuclear_norm([[3.0, 0.0], [0.0, -4.0]])
    >>> value, J.gradient + 0.0
    (array(7.), array([[ 1.,  0.],
           [ 0., -1.]]))
    """
    return NuclearNorm(layout)(A)


@of_one
def spectral_norm(A: npt.ArrayLike, layout: AnyLayout | None = None) -> tuple[Array, Jacobian]:
    r"""Return the largest singular value and its Jacobian, the row :math:`u_1 v_1^\top`.

    Watson 1992, Linear Algebra Appl. 170.

    Raises
    ------
    DomainError
        If the two largest singular values are equal up to rounding.

    Examples
    --------
    >>> value, J = spectral_norm([[3.0, 0.0], [0.0, -4.0]])
    >>> value, J.gradient + 0.0
    (array(4.), array([[ 0.,  0.],
           [ 0., -1.]]))
    """
    return SpectralNorm(layout)(A)


@of_one
def p_norm(x: npt.ArrayLike, p: float = 2, layout: AnyLayout | None = None) -> tuple[Array, Jacobian]:
    r"""Return ‖x‖ₚ of one vector, or of each of a batch, and the Jacobian; see `PNorm`.

    Parameters
    ----------
    x : array_like, shape (n,), or (N, n) or (n, N) by the layout
    p : float
        At least 1, or infinity.
    layout : Layout, Convention or str, optional

    Raises
    ------
    DomainError
        If p is below 1; where the norm has a kink, with the vector and the entry.

    Examples
    --------
    >>> value, J = p_norm([[3.0, 4.0], [1.0, -1.0]])
    >>> value, J.structure
    (array([5.        , 1.41421356]), 'BlockDiagonal(2 of 1×2)')
    """
    return PNorm(p, layout)(x)


@of_one
def normalise(x: npt.ArrayLike, layout: AnyLayout | None = None) -> tuple[Array, Jacobian]:
    r"""Return x/‖x‖ of one vector, or of each of a batch, and the Jacobian :math:`(I - u u^\top)/\|x\|`.

    The Matrix Cookbook (2012), equation 130.

    Parameters
    ----------
    x : array_like, shape (n,), or (N, n) or (n, N) by the layout
    layout : Layout, Convention or str, optional

    Raises
    ------
    DomainError
        If a vector is zero.

    Examples
    --------
    >>> u, J = normalise([3.0, 4.0])
    >>> u, J
    (array([0.6, 0.8]), DiagonalMinusOuter(1 of 2×2): 2×2 float64, (2,) → (2,), 48 B)
    """
    return Normalise(layout)(x)
