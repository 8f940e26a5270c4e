"""The one interface of every structured Jacobian: a linear map between arrays.

A Jacobian maps tangents of shape `domain` to tangents of shape `codomain`, and cotangents the other way.
These *actions* do not depend on how arrays are unrolled; only *matrices* do. So the vec order is an
argument of the matrix views, with a default that the operator carries from its layout.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from html import escape
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from jacobians.arrays import Array, DType, Shape, as_float, format_bytes, size_of
from jacobians.errors import LayoutError, ShapeError, TooLargeError
from jacobians.layout import Order
from jacobians.linops.orders import c_index_of_f, known_order, roll, unroll

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["DENSE_LIMIT", "Jacobian"]

DENSE_LIMIT = 1 << 30
"""Bytes above which a dense view is refused unless the caller raises the limit."""

_NATIVE = (np.dtype(np.float32), np.dtype(np.float64))


class Jacobian(ABC):
    """A structured Jacobian: what it maps, how it acts, and its matrix on request.

    Attributes
    ----------
    codomain, domain : tuple of int
        Shapes of the output's and of the input's array, of any rank.
    dtype : numpy.dtype
        The dtype of the matrix's entries.
    order : {"C", "F"} or None
        The vec order of the matrix views; None fits any chain and is read as "C".
    """

    __slots__ = ("codomain", "domain", "dtype", "order")
    __array_ufunc__ = None

    codomain: Shape
    domain: Shape
    dtype: DType
    order: Order | None

    def __init__(self, codomain: Shape, domain: Shape, dtype: DType) -> None:
        self.codomain = codomain
        self.domain = domain
        self.dtype = dtype if dtype in _NATIVE else as_float(np.empty(0, dtype), "dtype", type(self).__name__).dtype
        self.order = None

    @abstractmethod
    def _jvp(self, tangent: Array) -> Array:
        """J·t for a tangent of shape (*stack, *domain); may return a view of `tangent`."""

    @abstractmethod
    def _vjp(self, cotangent: Array) -> Array:
        """Jᵀ·c for a cotangent of shape (*stack, *codomain); may return a view of `cotangent`."""

    @abstractmethod
    def _transpose(self) -> Jacobian: ...

    def _full_sparse(self) -> csr_array:
        """`_sparse` for a structure whose matrix has no zeros by structure, under the limit of a dense one."""
        from scipy.sparse import csr_array

        self._refuse_over(DENSE_LIMIT, "to_sparse")
        return csr_array(self._dense())

    @abstractmethod
    def _sparse(self) -> csr_array:
        """The matrix in C order as a sparse array."""

    @property
    @abstractmethod
    def structure(self) -> str:
        """The structure and its sizes in one line, such as ``Kronecker(I₅, 3×4)``."""

    @property
    @abstractmethod
    def flops(self) -> int:
        """Arithmetic operations of one `jvp` (an addition and a multiplication count as two)."""

    @property
    @abstractmethod
    def arrays(self) -> tuple[Array, ...]:
        """The arrays that the operator stores."""

    def _dense(self) -> Array:
        """The matrix in C order: the map applied to a basis, from its shorter side."""
        rows, columns = self.shape
        if rows <= columns:
            basis = np.eye(rows, dtype=self.dtype).reshape(rows, *self.codomain)
            return self._vjp(basis).reshape(rows, columns)
        basis = np.eye(columns, dtype=self.dtype).reshape(columns, *self.domain)
        return self._jvp(basis).reshape(columns, rows).T

    def _largest_bytes(self) -> int:
        """Bytes of the largest array that `_dense` builds, its result included."""
        rows, columns = self.shape
        return rows * columns * self.dtype.itemsize

    def _diagonal(self) -> Array:
        """The matrix's diagonal in C order, in blocks of basis vectors that stay below 16 MiB."""
        size = self.shape[0]
        out = np.empty(size, dtype=self.dtype)
        step = max(1, (1 << 24) // max(1, size * self.dtype.itemsize))
        for start in range(0, size, step):
            stop = min(start + step, size)
            basis = np.zeros((stop - start, size), dtype=self.dtype)
            basis[np.arange(stop - start), np.arange(start, stop)] = 1
            image = self._jvp(basis.reshape(-1, *self.domain)).reshape(stop - start, size)
            out[start:stop] = image[np.arange(stop - start), np.arange(start, stop)]
        return out

    # --- sizes and views -------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, int]:
        """The matrix's shape in numerator layout: (size of codomain, size of domain)."""
        return size_of(self.codomain), size_of(self.domain)

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays that are stored, each counted once, whether itself or transposed."""
        return sum(size for _, size in {(a.ctypes.data, a.nbytes) for a in self.arrays})

    @property
    def T(self) -> Jacobian:
        """The transpose, with `domain` and `codomain` exchanged."""
        return self._transpose()._with_order(self.order)

    @property
    def gradient(self) -> Array:
        """The gradient of a scalar: a new array in the input's own shape.

        Raises
        ------
        LayoutError
            If the output is not a scalar.
        """
        if self.codomain != ():
            raise LayoutError(
                f"gradient: the output has shape {self.codomain}; only a scalar's Jacobian is a gradient. "
                "Multiply a loss's Jacobian from the left, or take vjp(cotangent)"
            )
        return self.vjp(np.ones((), dtype=self.dtype))

    def ordered(self, order: Order) -> Self:
        """Return the same map whose matrix views unroll arrays in this order by default.

        A map between vectors and scalars has one matrix for both orders, so it keeps none and fits any chain.
        """
        known_order(order, "ordered")
        return self._with_order(order if max(len(self.codomain), len(self.domain)) > 1 else None)

    def _with_order(self, order: Order | None) -> Self:
        if order == self.order:
            return self
        other = copy.copy(self)
        other.order = order
        return other

    def to_dense(self, order: Order | None = None, *, limit: int = DENSE_LIMIT) -> Array:
        """Return the matrix as a new array of shape `shape`.

        Parameters
        ----------
        order : {"C", "F"}, optional
            How domain and codomain are unrolled; the operator's own `order` unless given.
        limit : int
            Bytes above which nothing is allocated.

        Raises
        ------
        TooLargeError
            If the matrix, or an array on the way to it, would take more than `limit` bytes.
        """
        order = self._order(order, "to_dense")
        self._refuse_over(limit)
        rows, columns = self.shape
        matrix = self._dense()
        if order == "F":
            out, into = len(self.codomain), len(self.domain)
            axes = (*reversed(range(out)), *reversed(range(out, out + into)))
            matrix = matrix.reshape(self.codomain + self.domain).transpose(axes).reshape(rows, columns)
        return matrix.copy() if _is_borrowed(matrix, self.arrays) else np.ascontiguousarray(matrix)

    def _refuse_over(self, limit: int, operation: str = "to_dense") -> None:
        rows, columns = self.shape
        dense, needed = rows * columns * self.dtype.itemsize, self._largest_bytes()
        if needed > limit:
            instead = f"to_sparse(), or pass limit={needed}"
            if operation == "to_sparse":
                instead = f"or csr_array(J.to_dense(limit={needed})): it has no zeros to leave out"
            on_the_way = f" and {format_bytes(needed)} on the way" if needed > dense else ""
            raise TooLargeError(
                f"{operation}: {self.structure} is {rows}×{columns}, {format_bytes(dense)} dense{on_the_way}, over the "
                f"limit of {format_bytes(limit)}; use jvp, vjp, {instead}"
            )

    def to_sparse(self, order: Order | None = None) -> csr_array:
        """Return the matrix as a SciPy sparse array (CSR), unrolled as in `to_dense`."""
        matrix = self._sparse()
        if self._order(order, "to_sparse") == "F":
            matrix = matrix[c_index_of_f(self.codomain)][:, c_index_of_f(self.domain)]
        return matrix

    def diagonal(self, order: Order | None = None) -> Array:
        """Return the diagonal of a square matrix as a new vector, unrolled as in `to_dense`."""
        rows, columns = self.shape
        if rows != columns:
            raise ShapeError(f"diagonal: {self.structure} is {rows}×{columns}; only a square matrix has one")
        if self._order(order, "diagonal") == "F":
            if self.codomain != self.domain:
                raise ShapeError(
                    f"diagonal: codomain {self.codomain} and domain {self.domain} differ, so the F-order diagonal "
                    "pairs other entries than the structure does; take to_dense('F').diagonal()"
                )
            return self._diagonal()[c_index_of_f(self.domain)]
        return np.array(self._diagonal())

    def _order(self, order: Order | None, operation: str) -> Order:
        return self.order or "C" if order is None else known_order(order, operation)

    # --- actions ---------------------------------------------------------------------------------

    def jvp(self, tangent: Array) -> Array:
        """Return J·tangent (the pushforward), for one tangent of shape `domain` or a stack of them.

        Parameters
        ----------
        tangent : ndarray, shape (*stack, *domain)

        Returns
        -------
        ndarray, shape (*stack, *codomain)
            A new array.

        Raises
        ------
        ShapeError
            If the trailing axes are not `domain`.
        """
        image = self._jvp(self._stack(tangent, self.domain, "jvp", "tangent", "domain"))
        return image.copy(order="K") if _is_borrowed(image, (tangent, *self.arrays)) else image

    def vjp(self, cotangent: Array) -> Array:
        """Return Jᵀ·cotangent (the pullback), for one cotangent of shape `codomain` or a stack of them.

        Parameters
        ----------
        cotangent : ndarray, shape (*stack, *codomain)

        Returns
        -------
        ndarray, shape (*stack, *domain)
            A new array.

        Raises
        ------
        ShapeError
            If the trailing axes are not `codomain`.
        """
        image = self._vjp(self._stack(cotangent, self.codomain, "vjp", "cotangent", "codomain"))
        return image.copy(order="K") if _is_borrowed(image, (cotangent, *self.arrays)) else image

    def _stack(self, value: Array, expected: Shape, operation: str, name: str, side: str) -> Array:
        array = as_float(value, name, operation)
        rank = len(expected)
        if array.shape[array.ndim - rank :] != expected or array.ndim < rank:
            hint = ""
            if array.shape == expected[::-1]:
                hint = "; its transpose would fit: is the batch on the other axis?"
            elif array.shape == (size_of(expected),):
                hint = "; it has the size of an unrolled one: matvec and rmatvec take vectors"
            elif array.shape in (self.domain, self.codomain):
                hint = "; it would fit the other side: vjp takes cotangents, jvp takes tangents"
            raise ShapeError(
                f"{operation}: the {name} has shape {array.shape}, {self.structure} has {side} {expected}{hint}"
            )
        return array.astype(np.result_type(array.dtype, self.dtype), copy=False)

    def matvec(self, x: Array) -> Array:
        """Return the matrix times a vector (n,) or a column (n, 1), unrolled in the operator's order."""
        return self._vector_action(x, "matvec", transposed=False)

    def rmatvec(self, x: Array) -> Array:
        """Return the transposed matrix times a vector (m,) or a column (m, 1)."""
        return self._vector_action(x, "rmatvec", transposed=True)

    def matmat(self, x: Array) -> Array:
        """Return the matrix times a matrix (n, k)."""
        return self._matrix_action(self._operand(x, "matmat", transposed=False), transposed=False)

    def rmatmat(self, x: Array) -> Array:
        """Return the transposed matrix times a matrix (m, k)."""
        return self._matrix_action(self._operand(x, "rmatmat", transposed=True), transposed=True)

    def _operand(self, x: Array, operation: str, *, transposed: bool) -> Array:
        array = as_float(x, "operand", operation)
        rows, columns = self.shape
        size = rows if transposed else columns
        fits = array.ndim == 2 and array.shape[0] == size
        if operation.endswith("matvec"):
            fits = array.shape in ((size,), (size, 1))
        if not fits:
            raise ShapeError(
                f"{operation}: the matrix is {rows}×{columns} ({self.structure}), the operand has shape {array.shape}; "
                f"expected ({size},) or ({size}, k). jvp and vjp take arrays of natural shape"
            )
        return array.astype(np.result_type(array.dtype, self.dtype), copy=False)

    def _vector_action(self, x: Array, operation: str, *, transposed: bool) -> Array:
        array = self._operand(x, operation, transposed=transposed)
        image = self._matrix_action(array.reshape(array.shape[0], 1), transposed=transposed)
        return image.reshape(image.shape[0], *array.shape[1:])

    def _matrix_action(self, x: Array, *, transposed: bool) -> Array:
        into, out = (self.codomain, self.domain) if transposed else (self.domain, self.codomain)
        stack = unroll(x.T, into, self.order)
        image = self._vjp(stack) if transposed else self._jvp(stack)
        return np.array(roll(image, out, self.order).T, order="C")

    # --- algebra ---------------------------------------------------------------------------------

    def __matmul__(self, other: Any) -> Any:
        if isinstance(other, Jacobian):
            from jacobians.linops.algebra import (
                compose,
            )  # the one upward arrow: the rules know every class

            return compose(self, other)
        if isinstance(other, np.ndarray):
            return self.matvec(other) if other.ndim == 1 else self.matmat(other)
        return NotImplemented

    def __rmatmul__(self, other: Any) -> Any:
        if isinstance(other, np.ndarray):
            return self.rmatvec(other) if other.ndim == 1 else self.rmatmat(other.T).T
        return NotImplemented

    def __add__(self, other: Any) -> Jacobian:
        if not isinstance(other, Jacobian):
            return NotImplemented
        from jacobians.linops.algebra import add

        return add(self, other)

    def __sub__(self, other: Any) -> Jacobian:
        if not isinstance(other, Jacobian):
            return NotImplemented
        return self + (-other)

    def __mul__(self, factor: Any) -> Jacobian:
        if isinstance(factor, Jacobian) or np.ndim(factor) != 0:
            return NotImplemented
        from jacobians.linops.algebra import scale

        return scale(float(as_float(factor, "factor", "*")), self)

    __rmul__ = __mul__

    def __truediv__(self, factor: Any) -> Jacobian:
        return self * (1.0 / factor)

    def __neg__(self) -> Jacobian:
        return self * -1.0

    # --- display ---------------------------------------------------------------------------------

    def __repr__(self) -> str:
        rows, columns = self.shape
        return (
            f"{self.structure}: {rows}×{columns} {self.dtype}, {self.domain} → {self.codomain}, "
            f"{format_bytes(self.nbytes)}"
        )

    def _repr_html_(self) -> str:
        rows, columns = self.shape
        cells = {
            "structure": self.structure,
            "matrix": f"{rows} × {columns}",
            "maps": f"{self.domain} → {self.codomain}",
            "dtype": str(self.dtype),
            "stored": format_bytes(self.nbytes),
            "dense": format_bytes(rows * columns * self.dtype.itemsize),
        }
        lines = "".join(f"<tr><th>{escape(k)}</th><td>{escape(v)}</td></tr>" for k, v in cells.items())
        return f"<table>{lines}</table>"


def _is_borrowed(result: Array, owned: tuple[Array, ...]) -> bool:
    """Whether `result` may be a view of the caller's array or of the operator's own."""
    return not result.flags.writeable or any(np.may_share_memory(result, a) for a in owned)
