"""Scalars that are linear or quadratic: the trace, xᵀAx and xᵀAy, of one vector or of each of a batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, cast, final

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, Shape, as_array, size_of
from jacobians.errors import ShapeError
from jacobians.first_tries import written
from jacobians.graphs import Value
from jacobians.linops import BlockDiagonal, Dense, Jacobian, KhatriRao
from jacobians.matrix.matrix_operation import OfOneMatrix, OfVectors, square
from jacobians.operations import Jacobians
from jacobians.operations.on_values import of_one, of_two
from jacobians.operations.operation import UNNAMED, Naming
from jacobians.operations.record import Makers
from jacobians.presets import AnyLayout
from jacobians.symbols.expressions import Expr, Eye

__all__ = ["Bilinear", "Quadratic", "Trace", "bilinear", "quadratic", "trace"]


@final
class Trace(OfOneMatrix):
    r"""A ↦ tr A: :math:`d \operatorname{tr} A = \langle I, dA \rangle`.

    Examples
    --------
    >>> Trace()([[1.0, 2.0], [3.0, 4.0]])[1].gradient
    array([[1., 0.],
           [0., 1.]])
    """

    lapack = False
    piecewise_linear = True

    def _shape(self, *shapes: Shape) -> Shape:
        square("trace", shapes[0])
        return ()

    def _of_one(self, *arrays: Array) -> tuple[Array, Makers]:
        (A,) = arrays
        return np.trace(A), {"A": lambda: Dense(np.eye(len(A), dtype=A.dtype))}

    def in_symbols(self, *inputs: Expr, name: Naming = UNNAMED) -> tuple[Expr, Makers]:
        """Return Σ I ∘ A, and the maker of the row I."""
        (A,) = inputs
        eye = Eye(square("trace", A.shape))
        return (A * eye).sum(), {"A": lambda: Dense(cast(Array, eye))}


class _Form(OfVectors):
    """Σ xₙᵀ A yₙ for every n, A shared by all vectors or one for each."""

    lapack = False

    def _form(self, x: Array, A: Array, y: Array) -> tuple[Array, dict[str, Callable[[], Array]]]:
        """The values as a vector, and by input its rows: A yₙ, xₙ yₙᵀ as two factors' first, Aᵀ xₙ."""
        X, Y = self._rows(x, "x"), self._rows(y, "y")
        stacked = A.ndim == 3 and x.ndim == 2
        if x.ndim != y.ndim or len(X) != len(Y):
            raise ShapeError(f"{self.name}: x has shape {x.shape}, y has {y.shape}; there must be as many of each")
        if A.shape != ((len(X),) if stacked else ()) + (X.shape[1], Y.shape[1]):
            raise ShapeError(
                f"{self.name}: x has shape {x.shape}, A has {A.shape}, y has {y.shape}; expected A of shape "
                f"{(X.shape[1], Y.shape[1])}, or one for each vector along a leading axis ({self._own_layout})"
            )
        if stacked:
            by_x = as_array((A @ Y[:, :, None])[:, :, 0])
            by_y = lambda: as_array((A.swapaxes(1, 2) @ X[:, :, None])[:, :, 0])  # noqa: E731
        else:
            by_x = Y @ A.T
            by_y = lambda: X @ A  # noqa: E731
        return as_array((X * by_x).sum(axis=1)), {"x": lambda: by_x, "y": by_y}

    def _in_values(self, *inputs: Value) -> Value:
        x, A, y = inputs if len(inputs) == 3 else (*inputs, inputs[0])
        X, Y = self._rows_of(x), self._rows_of(y)
        images = X @ A if A.ndim == 2 else (X.reshape(X.shape[0], 1, X.shape[1]) @ A).reshape(Y.shape)
        forms = (images * Y).sum(axis=1)
        return forms if x.ndim == 2 else forms.reshape(())

    def _row_of(self, rows: Array, x: Array) -> Jacobian:
        """The Jacobian by vectors, whose rows are given."""
        if x.ndim == 1:
            return Dense(rows.reshape(x.shape))
        blocks = rows.reshape(len(rows), 1, rows.shape[1])
        return BlockDiagonal(blocks, (len(rows),), x.shape, self._own_layout.batch_axis)

    def _by_matrix(self, x: Array, A: Array, y: Array) -> Jacobian:
        X, Y = self._rows(x, "x"), self._rows(y, "y")
        if x.ndim == 1:
            return Dense(X.T @ Y)
        if A.ndim == 2:
            return KhatriRao(X, Y)
        outer = as_array(X[:, :, None] * Y[:, None, :])
        return BlockDiagonal(outer.reshape(len(X), 1, size_of(outer.shape[1:])), (len(X),), A.shape)


@final
class Quadratic(_Form):
    r"""(x, A) ↦ xᵀAx: by x the row xᵀ(A + Aᵀ), by A the matrix x xᵀ.

    Examples
    --------
    >>> Quadratic()([1.0, 2.0], [[1.0, 3.0], [0.0, 1.0]])[1].x.gradient
    array([8., 7.])
    """

    inputs: ClassVar[tuple[str, ...]] = ("x", "A")

    def _linearize(self, *arrays: Array) -> tuple[Array, Makers]:
        x, A = self._accepted(arrays)
        value, rows = self._form(x, A, x)
        return value.reshape(() if x.ndim == 1 else value.shape).copy(), {
            "x": lambda: self._row_of(as_array(rows["x"]() + rows["y"]()), x),
            "A": lambda: self._by_matrix(x, A, x),
        }


@final
class Bilinear(_Form):
    r"""(x, A, y) ↦ xᵀAy: by x the row (Ay)ᵀ, by A the matrix x yᵀ, by y the row xᵀA.

    Examples
    --------
    >>> float(Bilinear()([1.0, 2.0], [[1.0, 3.0], [0.0, 1.0]], [1.0, 1.0])[0])
    6.0
    """

    inputs: ClassVar[tuple[str, ...]] = ("x", "A", "y")

    def _linearize(self, *arrays: Array) -> tuple[Array, Makers]:
        x, A, y = self._accepted(arrays)
        value, rows = self._form(x, A, y)
        return value.reshape(() if x.ndim == 1 else value.shape).copy(), {
            "x": lambda: self._row_of(rows["x"](), x),
            "A": lambda: self._by_matrix(x, A, y),
            "y": lambda: self._row_of(rows["y"](), y),
        }


@of_one
def trace(A: npt.ArrayLike, layout: AnyLayout | None = None) -> tuple[Array, Jacobian]:
    r"""Return tr A and its Jacobian, the row of the identity: :math:`\partial \operatorname{tr} A / \partial A = I`.

    Magnus & Neudecker 2019, *Matrix Differential Calculus*, ch. 9, table 9.2.

    Parameters
    ----------
    A : array_like, shape (…, n, n)
        One matrix, or a batch along leading axes.

    Raises
    ------
    ShapeError
        If A is not square.

    Examples
    --------
    >>> value, J = trace([[1.0, 2.0], [3.0, 4.0]])
    >>> value, J.gradient
    (array(5.), array([[1., 0.],
           [0., 1.]]))
    """
    return Trace(layout)(A)


@of_two
def quadratic(x: npt.ArrayLike, A: npt.ArrayLike, layout: AnyLayout | None = None) -> tuple[Array, Jacobians]:
    r"""Return xᵀAx and its Jacobians: :math:`x^\top (A + A^\top)` by x, :math:`x x^\top` by A.

    Magnus & Neudecker 2019, ch. 9, table 9.1.

    Parameters
    ----------
    x : array_like, shape (n,), or (N, n) or (n, N) by the layout
        One vector, or a batch; then there is a value for each.
    A : array_like, shape (n, n), or (N, n, n)
    layout : Layout, Convention or str, optional

    Raises
    ------
    ShapeError
        If the sizes differ.

    Examples
    --------
    >>> value, J = quadratic([1.0, 2.0], [[1.0, 3.0], [0.0, 1.0]])
    >>> value, J.x.gradient, J.A.gradient
    (array(11.), array([8., 7.]), array([[1., 2.],
           [2., 4.]]))
    >>> quadratic(np.ones((5, 2)), np.eye(2))[1].A
    KhatriRao(5×2, 5×2): 5×4 float64, (2, 2) → (5,), 80 B
    """
    return Quadratic(layout)(x, A)


@written
def bilinear(x: Any, A: Any, y: Any, layout: AnyLayout | None = None) -> Any:
    r"""Return xᵀAy and its Jacobians: :math:`(A y)^\top` by x, :math:`x y^\top` by A, :math:`x^\top A` by y.

    The Matrix Cookbook (2012), equations 69 and 70.

    Parameters
    ----------
    x, y : array_like, shapes (n,) and (m,), or batches in rows or columns by the layout
    A : array_like, shape (n, m), or (N, n, m)
    layout : Layout, Convention or str, optional

    Raises
    ------
    ShapeError
        If the sizes differ.

    Examples
    --------
    >>> value, J = bilinear([1.0, 2.0], [[1.0, 3.0], [0.0, 1.0]], [1.0, 1.0])
    >>> value, J.x.gradient, J.y.gradient
    (array(6.), array([4., 1.]), array([1., 5.]))
    """
    return Bilinear(layout)(x, A, y)
