"""Products of variable matrices: A X B, XᵀMX, XᵀX and XXᵀ, x yᵀ, A ⊗ B, and the quotient entry by entry."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, final, get_args

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, Shape, as_array
from jacobians.errors import DomainError, LayoutError, ShapeError
from jacobians.first_tries import written
from jacobians.graphs import Value
from jacobians.linops import Commutation, Dense, Jacobian, Kronecker, Reshape
from jacobians.linops.kronecker_with import KroneckerWith
from jacobians.matrix.matrix_operation import OfMatrices, OfOneMatrix, square, with_mirror
from jacobians.operations import Jacobians
from jacobians.operations.broadcasting import Divided, Slopes
from jacobians.operations.on_values import of_one, of_two
from jacobians.operations.operation import UNNAMED, Naming
from jacobians.operations.record import Makers, Second
from jacobians.presets import AnyLayout, find_layout
from jacobians.symbols.expressions import Expr

__all__ = [
    "Congruence",
    "Division",
    "Gram",
    "KroneckerProduct",
    "Outer",
    "TripleProduct",
    "congruence",
    "divide",
    "gram",
    "kron",
    "outer",
    "triple_product",
]

Lines = Literal["columns", "rows"]


@final
class TripleProduct(OfMatrices):
    r"""(A, X, B) ↦ A X B: :math:`\operatorname{vec}(A X B) = (A \otimes B^\top) \operatorname{vec} X` in C order.

    Examples
    --------
    >>> TripleProduct()(np.ones((2, 3)), np.ones((3, 4)), np.ones((4, 5)))[1].X
    Kronecker(2×3, 5×4): 10×12 float64, (3, 4) → (2, 5), 208 B
    """

    inputs: ClassVar[tuple[str, ...]] = ("A", "X", "B")
    name = "triple_product"
    lapack = False

    def _shape(self, *shapes: Shape) -> Shape:
        A, X, B = shapes
        if not len(A) == len(X) == len(B) == 2 or A[1] != X[0] or X[1] != B[0]:
            raise ShapeError(
                f"triple_product: A has shape {A}, X has {X}, B has {B}; expected three matrices whose inner "
                "sizes agree"
            )
        return A[0], B[1]

    def _of_one(self, *arrays: Array) -> tuple[Array, Makers]:
        A, X, B = arrays
        AX = A @ X
        return AX @ B, {
            "A": lambda: Kronecker(A.shape[0], (X @ B).T),
            "X": lambda: Kronecker(A, B.T),
            "B": lambda: Kronecker(AX, B.shape[1]),
        }

    def _in_values(self, *inputs: Value) -> Value:
        A, X, B = inputs
        return A @ X @ B


@final
class Congruence(OfMatrices):
    r"""(X, M) ↦ XᵀMX: :math:`d = dX^\top M X + X^\top M\, dX + X^\top dM\, X`.

    Examples
    --------
    >>> Congruence()(np.ones((3, 2)), np.eye(3))[0]
    array([[3., 3.],
           [3., 3.]])
    """

    inputs: ClassVar[tuple[str, ...]] = ("X", "M")
    lapack = False

    def _shape(self, *shapes: Shape) -> Shape:
        X, M = shapes
        n = square("congruence", M, "M")
        if len(X) != 2 or X[0] != n:
            raise ShapeError(f"congruence: X has shape {X}, M has {M}; Xᵀ M X needs X with {n} rows")
        return X[1], X[1]

    def _of_one(self, *arrays: Array) -> tuple[Array, Makers]:
        X, M = arrays
        (n, k), MX = X.shape, M @ X

        def by_x() -> Jacobian:
            return Kronecker(X.T @ M, k) + Kronecker(k, MX.T) @ Commutation(n, k, X.dtype)

        return X.T @ MX, {"X": by_x, "M": lambda: Kronecker(X.T, X.T)}

    def _in_values(self, *inputs: Value) -> Value:
        X, M = inputs
        return X.T @ M @ X


@final
class Gram(OfOneMatrix):
    """X ↦ XᵀX, the inner products of the columns, or XXᵀ, those of the rows.

    Parameters
    ----------
    of : {"columns", "rows"}
    layout : Layout, Convention or str, optional

    Examples
    --------
    >>> Gram()(np.arange(6.0).reshape(3, 2))[0]
    array([[20., 26.],
           [26., 35.]])
    """

    inputs: ClassVar[tuple[str, ...]] = ("X",)
    lapack = False

    def __init__(self, of: Lines = "columns", layout: AnyLayout | None = None) -> None:
        if of not in get_args(Lines):
            raise LayoutError(f"gram: of={of!r} is unknown; choose 'columns' (XᵀX) or 'rows' (XXᵀ)")
        self.of = of
        super().__init__(layout)

    def _shape(self, *shapes: Shape) -> Shape:
        size = shapes[0][1 if self.of == "columns" else 0]
        return size, size

    def _of_one(self, *arrays: Array) -> tuple[Array, Makers]:
        (X,) = arrays
        n, k = X.shape
        # one product: the other term of the sum is its transpose
        if self.of == "columns":
            return X.T @ X, {"X": lambda: with_mirror(k, X.dtype) @ Kronecker(X.T, k)}
        return X @ X.T, {"X": lambda: with_mirror(n, X.dtype) @ Kronecker(n, X)}

    def _second_of_one(self, cotangent: Array, *arrays: Array) -> Second:
        """X̄ = X (Ḡ + Ḡᵀ) of the columns, (Ḡ + Ḡᵀ) X of the rows."""
        (X,), both = arrays, as_array(cotangent + cotangent.T)
        n, k = X.shape
        return {("X", "X"): Kronecker(n, both) if self.of == "columns" else Kronecker(both, k)}


@final
class Outer(OfMatrices):
    """(x, y) ↦ x yᵀ.

    Examples
    --------
    >>> Outer()([1.0, 2.0], [3.0, 4.0, 5.0])[0]
    array([[ 3.,  4.,  5.],
           [ 6.,  8., 10.]])
    """

    inputs: ClassVar[tuple[str, ...]] = ("x", "y")
    rank = 1
    lapack = False

    def _shape(self, *shapes: Shape) -> Shape:
        x, y = shapes
        if len(x) != 1 or len(y) != 1:
            raise ShapeError(f"outer: x has shape {x}, y has {y}; expected two vectors")
        return x + y

    def _of_one(self, *arrays: Array) -> tuple[Array, Makers]:
        x, y = arrays
        m, n = len(x), len(y)
        column, row = x.reshape(m, 1), y.reshape(1, n)
        return column @ row, {
            "x": lambda: Kronecker(m, row.T) @ Reshape((m, 1), (m,), x.dtype),
            "y": lambda: Kronecker(column, n) @ Reshape((1, n), (n,), y.dtype),
        }

    def _second_of_one(self, cotangent: Array, *arrays: Array) -> Second:
        """x̄ = Ḡ y."""
        return {("x", "y"): Dense(cotangent, arrays[0].shape)}


@final
class KroneckerProduct(OfMatrices):
    r"""(A, B) ↦ A ⊗ B: the entries of (vec A)(vec B)ᵀ in other places.

    Examples
    --------
    >>> KroneckerProduct()([[1.0, 2.0]], [[1.0], [3.0]])[0]
    array([[1., 2.],
           [3., 6.]])
    """

    inputs: ClassVar[tuple[str, ...]] = ("A", "B")
    name = "kron"
    lapack = False

    def _shape(self, *shapes: Shape) -> Shape:
        A, B = shapes
        if len(A) != 2 or len(B) != 2:
            raise ShapeError(f"kron: A has shape {A}, B has {B}; expected two matrices")
        return A[0] * B[0], A[1] * B[1]

    def _of_one(self, *arrays: Array) -> tuple[Array, Makers]:
        A, B = arrays
        return np.kron(A, B), self._makers(A, B)

    @staticmethod
    def _makers(A: Array, B: Array) -> Makers:
        return {
            "A": lambda: KroneckerWith(B, A.shape, first=False),
            "B": lambda: KroneckerWith(A, B.shape, first=True),
        }

    def in_symbols(self, *inputs: Expr, name: Naming = UNNAMED) -> tuple[Expr, Makers]:
        """Return A ⊗ B, and the makers of dA ↦ dA ⊗ B and dB ↦ A ⊗ dB."""
        A, B = inputs
        self._shape(A.shape, B.shape)
        value: Any = np.kron(A, B)  # type: ignore[call-overload]
        return value, self._makers(A, B)  # type: ignore[arg-type]

    def _second_of_one(self, cotangent: Array, *arrays: Array) -> Second:
        """Ā is linear in B: the cotangent's entries by those of both."""
        A, B = arrays
        (m, n), (p, q) = A.shape, B.shape
        by_entries = cotangent.reshape(m, p, n, q).transpose(0, 2, 1, 3)
        return {("A", "B"): Dense(as_array(by_entries), A.shape)}


@final
class Division(Divided):
    """(A, B) ↦ A/B entry by entry, both broadcast to one shape: the diagonals 1/B and −A/B².

    Examples
    --------
    >>> Division()([1.0, 6.0], [2.0, 3.0])[0]
    array([0.5, 2. ])
    """

    name = "divide"

    def __init__(self, layout: AnyLayout | None = None) -> None:
        self.layout = None if layout is None else find_layout(layout)

    def _of(self, A: Array, B: Array) -> tuple[Array, Slopes]:
        if np.count_nonzero(B) < B.size:
            place = tuple(int(i) for i in np.argwhere(B == 0)[0])
            raise DomainError(f"divide: B is zero at {place}; add an epsilon, or leave that entry out")
        return super()._of(A, B)

    def _of_symbols(self, A: Array, B: Array, name: Naming) -> tuple[Array, Slopes]:
        return super()._of(A, B)


@written
def triple_product(A: Any, X: Any, B: Any, layout: AnyLayout | None = None) -> Any:
    r"""Return A X B and its Jacobians: :math:`I \otimes (X B)^\top`, :math:`A \otimes B^\top`, :math:`A X \otimes I`.

    Magnus & Neudecker 2019, ch. 2, theorem 2; in C order.

    Raises
    ------
    ShapeError
        If the inner sizes differ.

    Examples
    --------
    >>> value, J = triple_product(np.ones((2, 3)), np.ones((3, 4)), np.ones((4, 5)))
    >>> J.X
    Kronecker(2×3, 5×4): 10×12 float64, (3, 4) → (2, 5), 208 B
    """
    return TripleProduct(layout)(A, X, B)


@of_two
def congruence(X: npt.ArrayLike, M: npt.ArrayLike, layout: AnyLayout | None = None) -> tuple[Array, Jacobians]:
    r"""Return XᵀMX and its Jacobians by X and by M.

    They are :math:`X^\top M \otimes I + (I \otimes (M X)^\top) K` and :math:`X^\top \otimes X^\top`, with the
    commutation K: K vec X = vec Xᵀ. The Matrix Cookbook (2012), equation 79, has its entries.

    Raises
    ------
    ShapeError
        If M is not square, or X has another number of rows.

    Examples
    --------
    >>> value, J = congruence(np.ones((3, 2)), np.eye(3))
    >>> J.M
    Kronecker(2×3, 2×3): 4×9 float64, (3, 3) → (2, 2), 48 B
    """
    return Congruence(layout)(X, M)


@of_one
def gram(X: npt.ArrayLike, of: Lines = "columns", layout: AnyLayout | None = None) -> tuple[Array, Jacobian]:
    r"""Return XᵀX, or XXᵀ of the rows, and the Jacobian :math:`X^\top \otimes I + (I \otimes X^\top) K`, or its like.

    Parameters
    ----------
    X : array_like, shape (…, n, k)
    of : {"columns", "rows"}
        Whose inner products: "columns" is XᵀX, "rows" is XXᵀ.
    layout : Layout, Convention or str, optional

    Raises
    ------
    LayoutError
        If `of` is neither.

    Examples
    --------
    The fourth-order tensor ∂(RᵀR)/∂R of *Mathematics for Machine Learning* (2020), example 5.13:

    >>> K, J = gram(np.arange(6.0).reshape(3, 2))
    >>> J.tensor().shape
    (2, 2, 3, 2)
    """
    return Gram(of, layout)(X)


@of_two
def outer(x: npt.ArrayLike, y: npt.ArrayLike, layout: AnyLayout | None = None) -> tuple[Array, Jacobians]:
    r"""Return x yᵀ and its Jacobians, :math:`I \otimes y` and :math:`x \otimes I`.

    Raises
    ------
    ShapeError
        If one is no vector; leading axes are a batch.

    Examples
    --------
    >>> value, J = outer([1.0, 2.0], [3.0, 4.0, 5.0])
    >>> J.x.jvp(np.array([1.0, 0.0]))
    array([[3., 4., 5.],
           [0., 0., 0.]])
    """
    return Outer(layout)(x, y)


@of_two
def kron(A: npt.ArrayLike, B: npt.ArrayLike, layout: AnyLayout | None = None) -> tuple[Array, Jacobians]:
    r"""Return A ⊗ B and its Jacobians, dA ↦ dA ⊗ B and dB ↦ A ⊗ dB.

    Magnus & Neudecker 2019, ch. 3, theorem 10.

    Examples
    --------
    >>> value, J = kron(np.ones((2, 2)), np.ones((1, 3)))
    >>> value.shape, J.A.shape
    ((2, 6), (12, 4))
    """
    return KroneckerProduct(layout)(A, B)


@of_two
def divide(A: npt.ArrayLike, B: npt.ArrayLike, layout: AnyLayout | None = None) -> tuple[Array, Jacobians]:
    r"""Return A/B entry by entry and its Jacobians, diag(1/B) and diag(−A/B²); both are broadcast to one shape.

    Raises
    ------
    ShapeError
        If the shapes do not broadcast to one shape.
    DomainError
        If an entry of B is zero.

    Examples
    --------
    >>> value, J = divide([1.0, 6.0], [2.0, 3.0])
    >>> value, J.B.diagonal()
    (array([0.5, 2. ]), array([-0.25      , -0.66666667]))
    """
    return Division(layout)(A, B)
