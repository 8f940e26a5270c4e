"""Leaves without better structure: a dense array, a pair of thin factors, a sparse matrix."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from jacobians.arrays import (
    Array,
    Shape,
    Symbolic,
    as_array,
    as_float,
    as_shape,
    is_sparse,
    refuse_masked,
    show_shape,
    size_of,
)
from jacobians.errors import ShapeError
from jacobians.layout import Order
from jacobians.linops.jacobian import Jacobian, Leaf
from jacobians.linops.kernels import matmul, norms, on_rows, sparse_matmul
from jacobians.linops.nonzeros import Nonzeros
from jacobians.linops.unrolling import as_arrays, c_index_of_f, rows_of, slabs

if TYPE_CHECKING:
    from scipy.sparse import csr_array, sparray


class Dense(Jacobian):
    """The array of all partial derivatives, ∂output[i]/∂input[j] at [*i, *j].

    A scalar loss's Jacobian is such a leaf with codomain (): a row, kept as an array in the input's shape.

    Parameters
    ----------
    array : ndarray, shape (*codomain, *domain)
    codomain : tuple of int, optional
        The leading axes; () unless given, which makes the array a row.

    Raises
    ------
    ShapeError
        If the array's shape does not begin with `codomain`.

    Examples
    --------
    >>> Dense(np.ones((2, 3)))
    Row(2×3): 1×6 float64, (2, 3) → (), 48 B
    >>> Dense(np.ones((2, 3)), codomain=(2,))
    Dense(2×3): 2×3 float64, (3,) → (2,), 48 B
    """

    __slots__ = ("array",)
    _stores_matrix = True
    _rule = ("row", "A scalar's Jacobian is one row, which a number multiplies")

    def __init__(self, array: Array, codomain: Shape = ()) -> None:
        self.array = array = as_float(array, "array", "Dense")
        codomain = as_shape(codomain, "codomain", "Dense")
        rank = len(codomain)
        if array.shape[:rank] != codomain:
            raise ShapeError(f"Dense: the array has shape {array.shape}, which does not begin with {codomain}")
        super().__init__(codomain, array.shape[rank:], array.dtype)

    def _jvp(self, tangent: Array) -> Array:
        return on_rows(lambda rows: matmul(rows, self._dense().T), tangent, self.domain, self.codomain)

    def _vjp(self, cotangent: Array) -> Array:
        if self.codomain == ():
            rank = len(self.domain)
            return as_array(cotangent.reshape(cotangent.shape + (1,) * rank) * self.array)
        return on_rows(lambda rows: matmul(rows, self._dense()), cotangent, self.codomain, self.domain)

    def _written(self, write: Any, order: Order) -> str | None:
        if () not in (self.codomain, self.domain):
            return None
        return str(write.weights(self.array, self.domain == (), order))

    def _row_norms(self) -> Array:
        return norms(self._dense()).reshape(self.codomain)

    def _gram(self) -> Array:
        return matmul(self._dense(), self._dense().T)

    def _transpose(self) -> Jacobian:
        out, rank = len(self.codomain), self.array.ndim
        axes = (*range(out, rank), *range(out))
        return Dense(self.array.transpose(axes), self.domain)

    @property
    def gradient(self) -> Array:
        """A copy of the array, where the output is a scalar."""
        return self.array.copy(order="K") if self.codomain == () else super().gradient

    def _fill(self, out: Array) -> None:
        out[...] = self.array

    def _dense(self) -> Array:
        return self.array.reshape(self.shape)

    def _sparse(self) -> csr_array:
        from scipy.sparse import csr_array

        return csr_array(self._dense())

    def _nonzeros(self) -> Nonzeros:
        return Nonzeros.of(self._dense())

    def _diagonal(self) -> Array:
        return np.diagonal(self._dense())

    @property
    def structure(self) -> str:
        return f"{'Row' if self.codomain == () else 'Dense'}({show_shape(self.array.shape)})"

    @property
    def flops(self) -> int:
        return 2 * self.array.size

    @property
    def arrays(self) -> tuple[Array, ...]:
        return (self.array,)


class LowRank(Jacobian):
    """V ↦ L (Rᵀ vec V): a product of two thin matrices that is never multiplied out.

    Parameters
    ----------
    left : ndarray, shape (*codomain, rank)
    right : ndarray, shape (*domain, rank)

    Raises
    ------
    ShapeError
        If the ranks differ.

    Examples
    --------
    >>> LowRank(np.ones((4, 1)), np.ones((2, 3, 1)))
    LowRank(rank 1): 4×6 float64, (2, 3) → (4,), 80 B
    """

    __slots__ = ("left", "right")

    def __init__(self, left: Array, right: Array) -> None:
        self.left = as_float(left, "left", "LowRank")
        self.right = as_float(right, "right", "LowRank")
        if not self.left.ndim or not self.right.ndim or self.left.shape[-1] != self.right.shape[-1]:
            raise ShapeError(f"LowRank: factors {self.left.shape} and {self.right.shape} must agree in their last axis")
        super().__init__(self.left.shape[:-1], self.right.shape[:-1], np.result_type(self.left, self.right))

    def _thin(self) -> tuple[Array, Array]:
        rank = self.left.shape[-1]
        return self.left.reshape(self.shape[0], rank), self.right.reshape(self.shape[1], rank)

    def _jvp(self, tangent: Array) -> Array:
        left, right = self._thin()
        return on_rows(lambda rows: matmul(matmul(rows, right), left.T), tangent, self.domain, self.codomain)

    def _vjp(self, cotangent: Array) -> Array:
        return LowRank(self.right, self.left)._jvp(cotangent)

    def _rotated(self) -> Array:
        """L Tᵀ for R = Q T with orthonormal columns Q: its rows have the norms and the products of L Rᵀ's rows."""
        left, right = self._thin()
        return matmul(left, as_array(np.linalg.qr(right, mode="r")).T)

    def _row_norms(self) -> Array:
        # LAPACK knows no extended precision
        known = self.dtype.itemsize <= 8
        return norms(self._rotated()).reshape(self.codomain) if known else super()._row_norms()

    def _gram(self) -> Array:
        if self.dtype.itemsize > 8:
            return super()._gram()
        rows = self._rotated()
        return matmul(rows, rows.T)

    def _transpose(self) -> Jacobian:
        return LowRank(self.right, self.left)

    def _fill(self, out: Array) -> None:
        left, right = self._thin()
        for part in slabs(len(left), len(right) * self.dtype.itemsize):
            rows = matmul(left[part], right.T).reshape(part.stop - part.start, *self.domain)
            out[rows_of(part, self.codomain)] = rows

    def _diagonal(self) -> Array:
        left, right = self._thin()
        return np.einsum("ir,ir->i", left, right)

    @property
    def structure(self) -> str:
        return f"LowRank(rank {self.left.shape[-1]})"

    @property
    def flops(self) -> int:
        return 2 * (self.left.size + self.right.size)

    @property
    def arrays(self) -> tuple[Array, ...]:
        return (self.left, self.right)


class Sparse(Jacobian):
    """A SciPy sparse array as a leaf; its rows and columns are unrolled in C order.

    Parameters
    ----------
    matrix : scipy.sparse array, shape (size of codomain, size of domain)
    codomain, domain : tuple of int

    Raises
    ------
    ShapeError
        If the matrix has other sizes.

    Examples
    --------
    >>> from scipy.sparse import eye_array
    >>> Sparse(eye_array(6, format="csr"), (6,), (2, 3))
    Sparse(6 stored): 6×6 float64, (2, 3) → (6,), 100 B
    """

    __slots__ = ("matrix",)

    def __init__(self, matrix: sparray, codomain: Shape, domain: Shape) -> None:
        from scipy.sparse import csr_array

        codomain, domain = as_shape(codomain, "codomain", "Sparse"), as_shape(domain, "domain", "Sparse")
        if matrix.shape != (size_of(codomain), size_of(domain)):
            raise ShapeError(
                f"Sparse: the matrix is {matrix.shape}; {domain} to {codomain} needs "
                f"({size_of(codomain)}, {size_of(domain)})"
            )
        refuse_masked(matrix, "the matrix", "Sparse")
        self.matrix: csr_array = csr_array(matrix)
        as_float(self.matrix.data, "matrix", "Sparse")
        if self.matrix.dtype.kind != "f":
            self.matrix = self.matrix.astype(np.float64)
        super().__init__(codomain, domain, self.matrix.dtype)

    def _jvp(self, tangent: Array) -> Array:
        return on_rows(lambda rows: sparse_matmul(self.matrix, rows), tangent, self.domain, self.codomain)

    def _vjp(self, cotangent: Array) -> Array:
        return on_rows(lambda rows: sparse_matmul(self.matrix.T, rows), cotangent, self.codomain, self.domain)

    def _with_leaves(self, leaf: Leaf, inner: Callable[[Jacobian], Jacobian]) -> Jacobian:
        matrix = self.matrix.copy()
        data = leaf(matrix.data)
        if isinstance(data, Symbolic):
            raise TypeError("Sparse: SciPy's sparse arrays hold numbers only")
        matrix.data = np.array(data)
        return Sparse(matrix, self.codomain, self.domain)

    def _transpose(self) -> Jacobian:
        return Sparse(self.matrix.T.tocsr(), self.domain, self.codomain)

    def _fill(self, out: Array) -> None:
        for part in slabs(self.shape[0], self.shape[1] * self.dtype.itemsize):
            rows = self.matrix[part].toarray().reshape(part.stop - part.start, *self.domain)
            out[rows_of(part, self.codomain)] = rows

    def _sparse(self) -> csr_array:
        return self.matrix.copy()

    def _nonzeros(self) -> Nonzeros:
        row, column = (np.diff(m.indptr).max(initial=0) for m in (self.matrix, self.matrix.tocsc()))
        return Nonzeros(int(self.matrix.nnz), int(row), int(column))

    def _row_norms(self) -> Array:
        squares = self.matrix.copy()
        squares.data **= 2
        return np.sqrt(sparse_matmul(squares, np.ones((1, self.shape[1]), self.dtype))).reshape(self.codomain)

    def _diagonal(self) -> Array:
        return np.asarray(self.matrix.diagonal())

    @property
    def structure(self) -> str:
        return f"Sparse({self.matrix.nnz} stored)"

    @property
    def flops(self) -> int:
        return 2 * int(self.matrix.nnz)

    @property
    def arrays(self) -> tuple[Array, ...]:
        return (self.matrix.data, self.matrix.indices, self.matrix.indptr)


def leaf_of_matrix(matrix: Any, codomain: Shape, domain: Shape, order: Order | None) -> Jacobian:
    """Return a matrix, plain or sparse, whose rows and columns are unrolled in `order`, as a Jacobian."""
    if not is_sparse(matrix):
        plain = as_float(matrix, "the matrix", "Dense")
        return Dense(as_arrays(plain, codomain, domain, order or "C"), codomain)._with_order(order)
    from scipy.sparse import csr_array

    rows = csr_array(matrix)
    if order == "F":
        # the place in F order of each entry in C order
        rows = rows[np.argsort(c_index_of_f(codomain))][:, np.argsort(c_index_of_f(domain))]
    return Sparse(rows, codomain, domain)._with_order(order)
