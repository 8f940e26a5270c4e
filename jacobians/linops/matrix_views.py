"""The matrix of a linear map between arrays: sparse, its blocks, its diagonal, and its products with vectors.

SciPy's solvers take any object with `shape`, `dtype`, `matvec` and `rmatvec`; these are they.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

import numpy as np

from jacobians.arrays import Array, as_array, as_float
from jacobians.errors import LayoutError, ShapeError
from jacobians.layout import Order
from jacobians.linops.dense_view import DENSE_LIMIT, DenseView
from jacobians.linops.orders import c_index_of_f, roll, unroll
from jacobians.linops.per_example import common_axes, probed

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from jacobians.linops.block_diagonal import BlockDiagonal

__all__ = ["MatrixViews"]


class MatrixViews(DenseView):
    """What follows from the two actions of a linear map, once its arrays are unrolled in an order."""

    __slots__ = ()

    @abstractmethod
    def _sparse(self) -> csr_array:
        """The matrix in C order as a sparse array."""

    def _full_sparse(self) -> csr_array:
        """`_sparse` for a structure whose matrix has no zeros by structure, under the limit of a dense one."""
        from scipy.sparse import csr_array

        self._refuse_over(DENSE_LIMIT, "to_sparse")
        return csr_array(self._dense())

    def _keeps_examples(self, axis: int) -> bool:
        """Whether place n of the output, along axis 0 or -1, depends on place n of the input alone."""
        return False

    def _blocks(self, axis: int) -> Array:
        """The examples' blocks, (N, p, q), or (1, p, q) where all have the same; may be a view of what is stored."""
        return probed(self, axis)

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

    def to_sparse(self, order: Order | None = None) -> csr_array:
        """Return the matrix as a SciPy sparse array (CSR), unrolled as in `to_dense`."""
        matrix = self._sparse()
        if self._order(order, "to_sparse") == "F":
            matrix = matrix[c_index_of_f(self.codomain)][:, c_index_of_f(self.domain)]
        return matrix

    def block_diagonal(self, axis: int | None = None) -> BlockDiagonal:
        """Return the same map with its blocks multiplied out, one (p×q) block for each example.

        Its `blocks`, of shape (N, p, q), are what `vmap(jacrev)` returns, and its matrix is written from them.

        Parameters
        ----------
        axis : {0, -1}, optional
            Where the examples are counted; 0 unless given, or -1 where the structure keeps only that axis apart.

        Raises
        ------
        LayoutError
            If the structure does not keep the examples apart along the axis, or is in denominator layout.

        Examples
        --------
        >>> from jacobians.linops import Diagonal, Kronecker
        >>> J = Kronecker(5, np.ones((2, 3))) @ Diagonal(np.ones((5, 3)))
        >>> J.block_diagonal()
        BlockDiagonal(5 of 2×3): 10×15 float64, (5, 3) → (5, 2), 240 B
        """
        from jacobians.linops.block_diagonal import BlockDiagonal

        axes = [a for a in common_axes(self) if axis in (None, a)]
        if not axes:
            where = "axis 0 or -1" if axis is None else f"axis {axis}"
            raise LayoutError(
                f"block_diagonal: {self.structure} maps {self.domain} to {self.codomain}, and its structure does not "
                f"keep examples along {where} apart; only a map of single examples has blocks. Take to_dense() or "
                "to_sparse()"
            )
        if isinstance(self, BlockDiagonal):
            return self
        blocks = self._blocks(axes[0])
        if len(blocks) != self.domain[axes[0]]:
            blocks = np.repeat(blocks, self.domain[axes[0]], axis=0)
        return BlockDiagonal(blocks, self.codomain, self.domain, axes[0])._with_order(self.order)

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
        return as_array(self._diagonal()).copy()

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
        return roll(image, out, self.order).T.copy()
