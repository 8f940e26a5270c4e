"""Linear maps between a matrix and its entries: diagonals, triangles, vech and the named matrices of them.

The value of a linear operation is its Jacobian's product with the input, so each states its structure alone.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Any, ClassVar, final

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, Shape, a_whole_number, counted
from jacobians.errors import ShapeError
from jacobians.first_tries import written
from jacobians.layout import Order
from jacobians.linops import (
    Commutation,
    Diagonal,
    Duplication,
    Elimination,
    Jacobian,
    Selection,
)
from jacobians.linops.unrolling import known_order
from jacobians.matrix.matrix_operation import OfOneMatrix, square, symmetriser
from jacobians.operations.on_values import of_one
from jacobians.operations.record import Makers
from jacobians.presets import AnyLayout

__all__ = [
    "DiagonalMatrix",
    "DiagonalOf",
    "Symmetrised",
    "Triangle",
    "Triangular",
    "Unvech",
    "Vech",
    "commutation",
    "diag",
    "diagonal_of",
    "duplication",
    "elimination",
    "symmetrised",
    "triangular",
    "tril",
    "triu",
    "unvech",
    "vech",
]


class Linear(OfOneMatrix):
    """X ↦ J X."""

    lapack = False
    piecewise_linear = True

    @abstractmethod
    def _structure(self, shape: Shape, dtype: Any) -> Jacobian:
        """The Jacobian for an input of this shape."""

    def _of_one(self, *arrays: Array) -> tuple[Array, Makers]:
        (X,) = arrays
        structure = self._structure(X.shape, X.dtype)
        return structure._jvp(X), {self.names[0]: lambda: structure}


class OfVector(Linear):
    inputs: ClassVar[tuple[str, ...]] = ("x",)
    rank = 1


def diagonal_places(n: int) -> Array:
    return np.arange(n) * (n + 1)


@final
class DiagonalOf(Linear):
    """A ↦ its diagonal, a vector.

    Examples
    --------
    >>> DiagonalOf()([[1.0, 2.0], [3.0, 4.0]])[0]
    array([1., 4.])
    """

    name = "diagonal_of"

    def _shape(self, *shapes: Shape) -> Shape:
        return (square(self.name, shapes[0]),)

    def _structure(self, shape: Shape, dtype: Any) -> Jacobian:
        return Selection(diagonal_places(shape[0]), shape, dtype)


@final
class DiagonalMatrix(OfVector):
    """x ↦ the matrix with x on its diagonal and zeros elsewhere.

    Examples
    --------
    >>> DiagonalMatrix()([1.0, 2.0])[0]
    array([[1., 0.],
           [0., 2.]])
    """

    name = "diag"

    def _shape(self, *shapes: Shape) -> Shape:
        return shapes[0] * 2

    def _structure(self, shape: Shape, dtype: Any) -> Jacobian:
        (n,) = shape
        return Selection(diagonal_places(n), (n, n), dtype).T


@final
class Triangle(Linear):
    """A ↦ A with zeros above its k-th diagonal, or below it.

    Parameters
    ----------
    upper : bool
        Whether the part above is kept, the diagonal included.
    k : int
        The diagonal up to which it is kept: 0 is the main one, 1 the next above.
    layout : Layout, Convention or str, optional

    Examples
    --------
    >>> Triangle(upper=True)([[1.0, 2.0], [3.0, 4.0]])[0]
    array([[1., 2.],
           [0., 4.]])
    """

    def __init__(self, upper: bool = False, k: int = 0, layout: AnyLayout | None = None) -> None:
        self.upper, self.k = upper, a_whole_number(k, "k", "triu" if upper else "tril")
        super().__init__(layout)

    @property
    def name(self) -> str:
        return "triu" if self.upper else "tril"

    def _shape(self, *shapes: Shape) -> Shape:
        return shapes[0]

    def _structure(self, shape: Shape, dtype: Any) -> Jacobian:
        return Diagonal((np.triu if self.upper else np.tril)(np.ones(shape, dtype), self.k))


@final
class Vech(Linear):
    """A ↦ vech A, the entries on and below the diagonal, stacked in the layout's vec order.

    Examples
    --------
    >>> Vech()([[1.0, 2.0], [2.0, 3.0]])[0]
    array([1., 2., 3.])
    """

    def _shape(self, *shapes: Shape) -> Shape:
        n = square("vech", shapes[0])
        return (n * (n + 1) // 2,)

    def _structure(self, shape: Shape, dtype: Any) -> Jacobian:
        return Elimination(shape[0], self._own_layout.vec, dtype)


def side_of(operation: str, shape: Shape, diagonal: bool) -> int:
    """The side of a matrix with so many entries below its diagonal, and on it where that counts."""
    (entries,) = shape
    n = (math.isqrt(8 * entries + 1) + (-1 if diagonal else 1)) // 2
    full = n * (n + 1) // 2 if diagonal else n * (n - 1) // 2
    if full != entries:
        sizes = (n * (n + 1) // 2, (n + 1) * (n + 2) // 2) if diagonal else (n * (n - 1) // 2, n * (n + 1) // 2)
        raise ShapeError(
            f"{operation}: x has {counted(entries, 'entry', 'entries')}; a matrix of side n has n(n "
            f"{'+' if diagonal else '-'} 1)/2 of "
            f"them, such as {sizes[0]} or {sizes[1]}"
        )
    return n


@final
class Unvech(OfVector):
    """vech A ↦ the symmetric A, in the layout's vec order.

    Examples
    --------
    >>> Unvech()([2.0, 1.0, 2.0])[0]
    array([[2., 1.],
           [1., 2.]])
    """

    def _shape(self, *shapes: Shape) -> Shape:
        return (side_of("unvech", shapes[0], True),) * 2

    def _structure(self, shape: Shape, dtype: Any) -> Jacobian:
        return Duplication(side_of("unvech", shape, True), self._own_layout.vec, dtype)


@final
class Triangular(OfVector):
    """x ↦ the lower triangular matrix whose vech it is, in the layout's vec order.

    Examples
    --------
    >>> Triangular()([1.0, 2.0, 3.0])[0]
    array([[1., 0.],
           [2., 3.]])
    """

    def _shape(self, *shapes: Shape) -> Shape:
        return (side_of("triangular", shapes[0], True),) * 2

    def _structure(self, shape: Shape, dtype: Any) -> Jacobian:
        return Elimination(side_of("triangular", shape, True), self._own_layout.vec, dtype).T


@final
class Symmetrised(Linear):
    """A ↦ (A + Aᵀ)/2.

    Examples
    --------
    >>> Symmetrised()([[1.0, 2.0], [0.0, 3.0]])[0]
    array([[1., 1.],
           [1., 3.]])
    """

    def _shape(self, *shapes: Shape) -> Shape:
        n = square("symmetrised", shapes[0])
        return n, n

    def _structure(self, shape: Shape, dtype: Any) -> Jacobian:
        return symmetriser(shape[0], dtype)


# --- named matrices --------------------------------------------------------------------------------------


@written
def duplication(n: int, order: Order = "F") -> Jacobian:
    r"""Return :math:`D_n`, with :math:`D_n \operatorname{vech} A = \operatorname{vec} A` for a symmetric A.

    Magnus & Neudecker 2019, ch. 3, section 8.

    Parameters
    ----------
    n : int
    order : {"F", "C"}
        How vec and vech stack: by columns, as the book's, or by rows.

    Examples
    --------
    >>> duplication(2).to_dense()
    array([[1., 0., 0.],
           [0., 1., 0.],
           [0., 1., 0.],
           [0., 0., 1.]])
    """
    return Duplication(n, known_order(order, "duplication(n)")).ordered(order)


@written
def elimination(n: int, order: Order = "F") -> Jacobian:
    r"""Return :math:`L_n`, with :math:`L_n \operatorname{vec} A = \operatorname{vech} A` for any square A.

    Magnus & Neudecker 1980, SIAM J. Algebraic Discrete Methods 1.

    Parameters
    ----------
    n : int
    order : {"F", "C"}

    Examples
    --------
    >>> (elimination(2) @ duplication(2)).to_dense()
    array([[1., 0., 0.],
           [0., 1., 0.],
           [0., 0., 1.]])
    """
    return Elimination(n, known_order(order, "elimination(n)")).ordered(order)


@written
def commutation(m: int, n: int, order: Order = "F") -> Jacobian:
    r"""Return :math:`K_{mn}`, with :math:`K_{mn} \operatorname{vec} A = \operatorname{vec} A^\top` for A of m × n.

    Magnus & Neudecker 2019, ch. 3, section 7.

    Parameters
    ----------
    m, n : int
    order : {"F", "C"}

    Examples
    --------
    >>> commutation(2, 2).to_dense()
    array([[1., 0., 0., 0.],
           [0., 0., 1., 0.],
           [0., 1., 0., 0.],
           [0., 0., 0., 1.]])
    """
    return Commutation(m, n).ordered(known_order(order, "commutation(m, n)"))


# --- functions -------------------------------------------------------------------------------------------


@of_one
def diag(x: npt.ArrayLike, layout: AnyLayout | None = None) -> tuple[Array, Jacobian]:
    """Return the matrix with x on its diagonal and its Jacobian, a placement among zeros.

    Leading axes are a batch; the diagonal of a matrix is `diagonal_of`.

    Examples
    --------
    >>> value, J = diag([1.0, 2.0])
    >>> value, J
    (array([[1., 0.],
           [0., 2.]]), Selection(2 of 2×2)ᵀ: 4×2 float64, (2,) → (2, 2), 16 B)
    """
    return DiagonalMatrix(layout)(x)


@of_one
def diagonal_of(A: npt.ArrayLike, layout: AnyLayout | None = None) -> tuple[Array, Jacobian]:
    """Return the diagonal of a square matrix and its Jacobian, a selection.

    Raises
    ------
    ShapeError
        If A is not square.

    Examples
    --------
    >>> diagonal_of([[1.0, 2.0], [3.0, 4.0]])
    (array([1., 4.]), Selection(2 of 2×2): 2×4 float64, (2, 2) → (2,), 16 B)
    """
    return DiagonalOf(layout)(A)


@of_one
def tril(A: npt.ArrayLike, k: int = 0, layout: AnyLayout | None = None) -> tuple[Array, Jacobian]:
    """Return A with zeros above its k-th diagonal and the Jacobian, a diagonal of ones and zeros.

    Examples
    --------
    >>> tril([[1.0, 2.0], [3.0, 4.0]])[0]
    array([[1., 0.],
           [3., 4.]])
    """
    return Triangle(False, k, layout)(A)


@of_one
def triu(A: npt.ArrayLike, k: int = 0, layout: AnyLayout | None = None) -> tuple[Array, Jacobian]:
    """Return A with zeros below its k-th diagonal and the Jacobian, a diagonal of ones and zeros.

    Examples
    --------
    >>> triu([[1.0, 2.0], [3.0, 4.0]], 1)[0]
    array([[0., 2.],
           [0., 0.]])
    """
    return Triangle(True, k, layout)(A)


@of_one
def vech(A: npt.ArrayLike, layout: AnyLayout | None = None) -> tuple[Array, Jacobian]:
    """Return vech A, the entries on and below the diagonal, and its Jacobian, the elimination matrix.

    The layout's vec order says how they are stacked: "F" by columns, as Magnus and Neudecker's; "C", unless given, by
    rows.

    Raises
    ------
    ShapeError
        If A is not square.

    Examples
    --------
    >>> v, J = vech([[1.0, 2.0], [2.0, 3.0]])
    >>> v, J.structure
    (array([1., 2., 3.]), 'Elimination(2)')
    """
    return Vech(layout)(A)


@of_one
def unvech(x: npt.ArrayLike, layout: AnyLayout | None = None) -> tuple[Array, Jacobian]:
    """Return the symmetric matrix whose vech is x, and its Jacobian, the duplication matrix.

    A function of a symmetric matrix composed with it is one of the entries on and below the diagonal. Its gradient is
    the vech of G + Gᵀ − G∘I, where G is the one by all entries.

    Parameters
    ----------
    x : array_like, shape (…, n(n + 1)/2)
    layout : Layout, Convention or str, optional
        Its vec order says how x is stacked.

    Raises
    ------
    ShapeError
        If no matrix has so many entries on and below its diagonal.

    Examples
    --------
    >>> from jacobians.matrix import logdet
    >>> S, D = unvech([2.0, 1.0, 2.0])
    >>> (logdet(S)[1] @ D).gradient.round(4)
    array([ 0.6667, -0.6667,  0.6667])
    """
    return Unvech(layout)(x)


@of_one
def triangular(x: npt.ArrayLike, layout: AnyLayout | None = None) -> tuple[Array, Jacobian]:
    """Return the lower triangular matrix whose vech is x, and its Jacobian, a transposed elimination matrix.

    Examples
    --------
    >>> triangular([1.0, 2.0, 3.0])[0]
    array([[1., 0.],
           [2., 3.]])
    """
    return Triangular(layout)(x)


@of_one
def symmetrised(A: npt.ArrayLike, layout: AnyLayout | None = None) -> tuple[Array, Jacobian]:
    """Return (A + Aᵀ)/2 and its Jacobian, (I + K)/2: an entry and its mirror image count half each.

    A gradient G comes back as (G + Gᵀ)/2, which is the gradient within the symmetric matrices (Srinivasan & Panda 2019,
    *What is the gradient of a scalar function of a symmetric matrix?*, arXiv:1911.06491). G + Gᵀ − G∘I is another
    thing, the gradient by the entries on and below the diagonal: see `unvech`.

    Examples
    --------
    >>> symmetrised([[1.0, 2.0], [0.0, 3.0]])[0]
    array([[1., 1.],
           [1., 3.]])
    """
    return Symmetrised(layout)(A)
