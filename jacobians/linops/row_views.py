"""What follows of a matrix's rows: their norms and inner products, without the matrix.

A row is the gradient of one output. For per-example losses these are the norms that private training clips and the
Gram matrix of per-example gradients; for a network's outputs J Jᵀ is the empirical neural tangent kernel.
"""

from __future__ import annotations

import numpy as np

from jacobians.arrays import Array, as_array, format_bytes, size_of
from jacobians.errors import TooLargeError
from jacobians.layout import Order
from jacobians.linops.dense_view import DENSE_LIMIT
from jacobians.linops.examples import example_steps
from jacobians.linops.kernels import norms
from jacobians.linops.matrix_views import MatrixViews
from jacobians.linops.orders import c_index_of_f

__all__ = ["RowViews"]


class RowViews(MatrixViews):
    """Norms and inner products of the outputs' gradients, from the two actions or from the structure."""

    __slots__ = ()

    def row_norms(self) -> Array:
        r"""Return the Euclidean norm of each output's gradient: :math:`\lVert J_{i,:} \rVert_2`, by structure.

        In numerator layout a gradient is a row of the matrix, in denominator layout a column; the result is the same.

        Returns
        -------
        ndarray, shape `codomain`
            A new array.

        References
        ----------
        Goodfellow (2015), *Efficient per-example gradient computations*, arXiv:1510.01799.

        Examples
        --------
        >>> from jacobians import affine, cross_entropy
        >>> X, W, b = np.array([[3.0, 4.0], [0.0, 1.0]]), np.zeros((2, 2)), np.zeros(2)
        >>> Z, J1 = affine(X, W, b)
        >>> losses, J2 = cross_entropy(Z, [0, 1], reduction="none")
        >>> np.allclose((J2 @ J1.W).row_norms(), [5 * np.sqrt(0.5), np.sqrt(0.5)])
        True
        """
        return as_array(self._row_norms()).copy()

    def gram(self, order: Order | None = None, *, limit: int = DENSE_LIMIT) -> Array:
        r"""Return the inner products of the outputs' gradients, :math:`J J^\top`, by structure.

        In denominator layout, where J is inputs × outputs, the same matrix is JᵀJ. For per-example losses it is the
        Gram matrix of per-example gradients, for a network's outputs its empirical neural tangent kernel.

        Parameters
        ----------
        order : {"C", "F"}, optional
            How the codomain is unrolled; the operator's own `order` unless given.
        limit : int
            Bytes above which nothing is allocated.

        Returns
        -------
        ndarray, shape (m, m), m the size of `codomain`
            A new symmetric array.

        Raises
        ------
        TooLargeError
            If it would take more than `limit` bytes.

        References
        ----------
        Jacot, Gabriel & Hongler (2018), *Neural tangent kernel*, arXiv:1806.07572.

        Examples
        --------
        >>> from jacobians.linops import Kronecker
        >>> Kronecker(np.array([[1.0, 2.0]]), 2).gram()
        array([[5., 0.],
               [0., 5.]])
        """
        order = self._order(order, "gram")
        size = size_of(self.codomain)
        needed = size * size * self.dtype.itemsize
        if needed > limit:
            raise TooLargeError(
                f"gram: {self.structure} has {size} outputs, so J Jᵀ takes {format_bytes(needed)}, over the limit of "
                f"{format_bytes(limit)}; use (J @ J.T).matvec, take fewer outputs, or pass limit={needed}"
            )
        products = self._gram()
        if order == "F":
            places = c_index_of_f(self.codomain)
            products = products[np.ix_(places, places)]
        return products

    def _row_norms(self) -> Array:
        """The norms from rows in steps."""
        out = np.empty(size_of(self.codomain), dtype=self.dtype)
        for start, stop in self._steps():
            rows = self._vjp(self._basis(start, stop))
            out[start:stop] = norms(rows.reshape(stop - start, size_of(self.domain)))
        return out.reshape(self.codomain)

    def _gram(self) -> Array:
        """J (Jᵀ eᵢ) for every basis vector, in steps."""
        size = size_of(self.codomain)
        out = np.empty((size, size), dtype=self.dtype)
        for start, stop in self._steps():
            out[start:stop] = self._jvp(self._vjp(self._basis(start, stop))).reshape(stop - start, size)
        return out

    def _steps(self) -> list[tuple[int, int]]:
        size = size_of(self.codomain)
        return list(example_steps(size, size + size_of(self.domain), self.dtype))

    def _basis(self, start: int, stop: int) -> Array:
        return np.eye(stop - start, size_of(self.codomain), start, dtype=self.dtype).reshape(
            stop - start, *self.codomain
        )
