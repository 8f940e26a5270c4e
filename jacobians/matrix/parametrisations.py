"""Matrices that a few numbers fix: skew, Toeplitz, circulant, and orthogonal ones by the Cayley transform."""

from __future__ import annotations

from typing import Any, ClassVar, final

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, Shape, as_array
from jacobians.errors import ShapeError
from jacobians.graphs import Value
from jacobians.linops import Jacobian, Kronecker, Selection
from jacobians.linops.half_vectorisation import half_places
from jacobians.linops.lu import inverse_of
from jacobians.matrix.inverses import Solve
from jacobians.matrix.matrix_operation import OfOneMatrix, square
from jacobians.matrix.structured import OfVector, side_of
from jacobians.operations.on_values import of_one
from jacobians.operations.record import Makers
from jacobians.presets import AnyLayout

__all__ = [
    "Cayley",
    "Circulant",
    "Orthogonal",
    "Skew",
    "Toeplitz",
    "cayley",
    "circulant",
    "orthogonal",
    "skew",
    "toeplitz",
]


@final
class Skew(OfVector):
    """x ↦ the skew-symmetric S = −Sᵀ with the entries x below its diagonal, in the layout's vec order.

    Examples
    --------
    >>> Skew()([5.0])[0]
    array([[ 0., -5.],
           [ 5.,  0.]])
    """

    def _shape(self, *shapes: Shape) -> Shape:
        return (side_of("skew", shapes[0], False),) * 2

    def _structure(self, shape: Shape, dtype: Any) -> Jacobian:
        n = side_of("skew", shape, False)
        rows, columns = half_places(n, self._own_layout.vec, diagonal=False)
        below = Selection(rows * n + columns, (n, n), dtype).T
        return below + (-1.0 * Selection(columns * n + rows, (n, n), dtype).T)


@final
class Toeplitz(OfVector):
    """x of 2n − 1 entries ↦ the matrix with Tᵢⱼ = x[i − j + n − 1]: its diagonals, from the upper right corner.

    Examples
    --------
    >>> Toeplitz()([1.0, 2.0, 3.0])[0]
    array([[2., 1.],
           [3., 2.]])
    """

    def _shape(self, *shapes: Shape) -> Shape:
        (entries,) = shapes[0]
        if entries % 2 == 0:
            raise ShapeError(
                f"toeplitz: x has {entries} entries; a matrix of side n has 2n − 1 diagonals, an odd number"
            )
        return ((entries + 1) // 2,) * 2

    def _structure(self, shape: Shape, dtype: Any) -> Jacobian:
        n = (shape[0] + 1) // 2
        return Selection(np.subtract.outer(np.arange(n), np.arange(n)) + n - 1, shape, dtype)


@final
class Circulant(OfVector):
    """x ↦ the matrix with Cᵢⱼ = x[(i − j) mod n]: column 0 is x, and each column is the one before, shifted down.

    Examples
    --------
    >>> Circulant()([1.0, 2.0, 3.0])[0]
    array([[1., 3., 2.],
           [2., 1., 3.],
           [3., 2., 1.]])
    """

    def _shape(self, *shapes: Shape) -> Shape:
        return shapes[0] * 2

    def _structure(self, shape: Shape, dtype: Any) -> Jacobian:
        (n,) = shape
        return Selection(np.subtract.outer(np.arange(n), np.arange(n)) % max(n, 1), shape, dtype)


@final
class Cayley(OfOneMatrix):
    r"""S ↦ Q = (I + S)⁻¹ (I − S): :math:`dQ = -(I + S)^{-1}\, dS\, (I + Q)`; of a skew S it is orthogonal.

    Examples
    --------
    >>> Cayley()(np.zeros((2, 2)))[0]
    array([[1., 0.],
           [0., 1.]])
    """

    def _shape(self, *shapes: Shape) -> Shape:
        n = square("cayley", shapes[0])
        return n, n

    def _of_one(self, *arrays: Array) -> tuple[Array, Makers]:
        Q, by_s = _cayley(arrays[0])
        return Q, {"A": lambda: by_s}

    def _in_values(self, *inputs: Value) -> Value:
        return _cayley_of_values(*inputs)


def _cayley_of_values(S: Value) -> Value:
    eye = np.eye(S.shape[0], dtype=S.dtype)
    return Solve()(S + eye, -S + eye)


def _cayley(S: Array) -> tuple[Array, Jacobian]:
    eye = np.eye(len(S), dtype=S.dtype)
    M = inverse_of("cayley", as_array(eye + S), "I + A")
    Q = M @ (eye - S)
    return Q, -1.0 * Kronecker(M, as_array(eye + Q).T)


@final
class Orthogonal(OfOneMatrix):
    """x ↦ the orthogonal Q that is the Cayley transform of the skew matrix of x.

    Examples
    --------
    >>> Orthogonal()([1.0])[0]
    array([[ 0.,  1.],
           [-1.,  0.]])
    """

    inputs: ClassVar[tuple[str, ...]] = ("x",)
    rank = 1

    def _shape(self, *shapes: Shape) -> Shape:
        return (side_of("orthogonal", shapes[0], False),) * 2

    def _of_one(self, *arrays: Array) -> tuple[Array, Makers]:
        (x,) = arrays
        inner = Skew(self.layout)._structure(x.shape, x.dtype)
        Q, by_s = _cayley(inner._jvp(x))
        return Q, {"x": lambda: by_s @ inner}

    def _in_values(self, *inputs: Value) -> Value:
        return _cayley_of_values(Skew(self.layout)(*inputs))


@of_one
def skew(x: npt.ArrayLike, layout: AnyLayout | None = None) -> tuple[Array, Jacobian]:
    """Return the skew-symmetric matrix with the entries x below its diagonal, and its Jacobian.

    Examples
    --------
    >>> skew([5.0])[0]
    array([[ 0., -5.],
           [ 5.,  0.]])
    """
    return Skew(layout)(x)


@of_one
def toeplitz(x: npt.ArrayLike, layout: AnyLayout | None = None) -> tuple[Array, Jacobian]:
    """Return the square matrix with constant diagonals x, from the upper right corner on, and its Jacobian.

    Raises
    ------
    ShapeError
        If x has an even number of entries.

    Examples
    --------
    >>> toeplitz([1.0, 2.0, 3.0])[0]
    array([[2., 1.],
           [3., 2.]])
    """
    return Toeplitz(layout)(x)


@of_one
def circulant(x: npt.ArrayLike, layout: AnyLayout | None = None) -> tuple[Array, Jacobian]:
    """Return the matrix of x and its Jacobian: its first column is x, and each column is the one before, shifted down.

    Examples
    --------
    >>> circulant([1.0, 2.0, 3.0])[0]
    array([[1., 3., 2.],
           [2., 1., 3.],
           [3., 2., 1.]])
    """
    return Circulant(layout)(x)


@of_one
def cayley(A: npt.ArrayLike, layout: AnyLayout | None = None) -> tuple[Array, Jacobian]:
    r"""Return Q = (I + A)⁻¹ (I − A) and its Jacobian :math:`-(I + A)^{-1} \otimes (I + Q)^\top`.

    Of a skew-symmetric matrix Q is orthogonal (Wen & Yin 2013, Math. Program. 142).

    Raises
    ------
    DomainError
        If I + A is singular up to rounding.

    Examples
    --------
    >>> cayley([[0.0, -1.0], [1.0, 0.0]])[0]
    array([[ 0.,  1.],
           [-1.,  0.]])
    """
    return Cayley(layout)(A)


@of_one
def orthogonal(x: npt.ArrayLike, layout: AnyLayout | None = None) -> tuple[Array, Jacobian]:
    """Return the orthogonal matrix with parameters x, the Cayley transform of `skew`, and its Jacobian.

    Examples
    --------
    >>> Q, J = orthogonal([1.0])
    >>> Q, J.shape
    (array([[ 0.,  1.],
           [-1.,  0.]]), (4, 1))
    """
    return Orthogonal(layout)(x)
