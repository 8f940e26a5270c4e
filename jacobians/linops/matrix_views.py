"""The matrix of a linear map between arrays: dense, sparse, its diagonal, and its products with vectors.

SciPy's solvers take any object with `shape`, `dtype`, `matvec` and `rmatvec`; these are they.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import numpy as np

from jacobians.arrays import Array, DType, Shape, as_float, format_bytes, size_of
from jacobians.errors import ShapeError, TooLargeError
from jacobians.layout import Order
from jacobians.linops.orders import c_index_of_f, known_order, roll, unroll

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["DENSE_LIMIT", "MatrixViews", "is_borrowed"]

DENSE_LIMIT = 1 << 30
"""Bytes above which a dense view is refused unless the caller raises the limit."""


class MatrixViews(ABC):
    """What follows from the two actions of a linear map, once its arrays are unrolled in an order."""

    __slots__ = ()

    codomain: Shape
    domain: Shape
    dtype: DType
    order: Order | None

    @abstractmethod
    def _jvp(self, tangent: Array) -> Array:
        """J·t for a tangent of shape (*stack, *domain); may return a view of `tangent`."""

    @abstractmethod
    def _vjp(self, cotangent: Array) -> Array:
        """Jᵀ·c for a cotangent of shape (*stack, *codomain); may return a view of `cotangent`."""

    @property
    @abstractmethod
    def structure(self) -> str:
        """The structure and its sizes in one line, such as ``Kronecker(I₅, 3×4)``."""

    @property
    @abstractmethod
    def arrays(self) -> tuple[Array, ...]:
        """The arrays that the operator stores."""

    @abstractmethod
    def _sparse(self) -> csr_array:
        """The matrix in C order as a sparse array."""

    def _full_sparse(self) -> csr_array:
        """`_sparse` for a structure whose matrix has no zeros by structure, under the limit of a dense one."""
        from scipy.sparse import csr_array

        self._refuse_over(DENSE_LIMIT, "to_sparse")
        return csr_array(self._dense())

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

    # --- views -----------------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, int]:
        """The matrix's shape in numerator layout: (size of codomain, size of domain)."""
        return size_of(self.codomain), size_of(self.domain)

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
        return matrix.copy() if is_borrowed(matrix, self.arrays) else np.ascontiguousarray(matrix)

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

    # --- products with vectors and matrices -------------------------------------------------------

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
        act = self._vjp if transposed else self._jvp
        # one vector goes without a stack: the products of matrices are then free in their memory order
        image = act(stack[0])[np.newaxis] if len(stack) == 1 else act(stack)
        return np.array(roll(image, out, self.order).T, order="C")


def is_borrowed(result: Array, owned: tuple[Array, ...]) -> bool:
    """Whether `result` may be a view of the caller's array or of the operator's own."""
    return not result.flags.writeable or any(np.may_share_memory(result, a) for a in owned)
