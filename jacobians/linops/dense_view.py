"""The dense matrix of a linear map between arrays, written into a given array, and refused where it is too large."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import numpy as np

from jacobians.arrays import Array, DType, Shape, empty, format_bytes, size_of
from jacobians.errors import DTypeError, ShapeError, TooLargeError
from jacobians.layout import Order
from jacobians.linops.entries import as_arrays, exchanged, rows_of, slabs
from jacobians.linops.orders import known_order

if TYPE_CHECKING:
    from jacobians.linops.bracketing import Bracketing
    from jacobians.linops.execute import Beginning

__all__ = ["DENSE_LIMIT", "DenseView", "is_borrowed"]

DENSE_LIMIT = 1 << 30
"""Bytes above which a dense view is refused unless the caller raises the limit."""


class DenseView(ABC):
    """A linear map between arrays, its two actions, and its matrix."""

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

    def _fill(self, out: Array) -> None:
        """Write the matrix, zeros included, into an array of shape (*codomain, *domain) and any strides.

        Here the map is applied to a basis, from its shorter side, a slab at a time.
        """
        forward = self.shape[0] > self.shape[1]
        shape = self.domain if forward else self.codomain
        side = exchanged(out, len(self.codomain)) if forward else out
        for part in slabs(size_of(shape), sum(self.shape) * self.dtype.itemsize):
            count = part.stop - part.start
            basis = np.zeros((count, size_of(shape)), dtype=self.dtype)
            basis[np.arange(count), np.arange(part.start, part.stop)] = 1
            stack = basis.reshape(count, *shape)
            side[rows_of(part, shape)] = self._jvp(stack) if forward else self._vjp(stack)

    def _dense(self) -> Array:
        """The matrix in C order; may be a view of what is stored."""
        out = empty(self.codomain + self.domain, self.dtype, *self.arrays)
        self._fill(out)
        return out.reshape(self.shape)

    def _fill_after(self, out: Array, begun: Beginning) -> None:
        """`_fill`, after other maps that may begin with the same factors."""
        self._fill(out)

    def _price(self, before: Bracketing | None) -> Bracketing | None:
        """Price the ways to the matrix, with what is known of a map that may begin alike; return what is known then."""
        return before

    def _dense_bytes(self) -> int:
        """Bytes of the arrays, the matrix included, that `_fill` needs at one time."""
        rows, columns = self.shape
        return rows * columns * self.dtype.itemsize

    def _least_bytes(self) -> int:
        """Bytes that `_fill_within` needs at the least."""
        return self._dense_bytes()

    # --- the view --------------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, int]:
        """The matrix's shape in numerator layout: (size of codomain, size of domain)."""
        return size_of(self.codomain), size_of(self.domain)

    def to_dense(self, order: Order | None = None, *, limit: int = DENSE_LIMIT, out: Array | None = None) -> Array:
        """Return the matrix as an array of shape `shape`: a new one, or `out`.

        Parameters
        ----------
        order : {"C", "F"}, optional
            How domain and codomain are unrolled; the operator's own `order` unless given.
        limit : int
            Bytes above which nothing is allocated. The matrix counts, also where it is written into `out`.
        out : ndarray, optional
            An array of this shape and dtype, of any strides, into which the matrix is written. Above some 32 MiB
            filling a new array takes several times as long as filling one that was used before.

        Raises
        ------
        TooLargeError
            If the matrix, with the arrays on the way to it, would take more than `limit` bytes.
        ShapeError
            If `out` has another shape, is read-only, or shares memory with what the Jacobian stores.
        DTypeError
            If `out` has another dtype.

        Examples
        --------
        >>> from jacobians.linops import Diagonal
        >>> room = np.empty((2, 5))
        >>> _ = Diagonal(np.array([3.0, 4.0])).to_dense(out=room[:, ::3])
        >>> room[:, ::3]
        array([[3., 0.],
               [0., 4.]])
        """
        order = self._order(order, "to_dense")
        self._refuse_over(limit)
        matrix = empty(self.shape, self.dtype, *self.arrays) if out is None else self._writable(out)
        self._fill_within(self._as_arrays(matrix, order), limit)
        return matrix

    def _fill_within(self, out: Array, limit: int) -> None:
        """`_fill`, for a structure that has several ways; `limit` counts `out` and is not below `_refuse_over`'s."""
        self._fill(out)

    def _as_arrays(self, matrix: Array, order: Order) -> Array:
        return as_arrays(matrix, self.codomain, self.domain, order)

    def _writable(self, out: Array) -> Array:
        if np.shape(out) != self.shape:
            raise ShapeError(
                f"to_dense: out has shape {np.shape(out)}, the matrix of {self.structure} has {self.shape}; "
                f"make it with np.empty({self.shape}, np.{self.dtype})"
            )
        if out.dtype != self.dtype:
            raise DTypeError(
                f"to_dense: out has dtype {out.dtype}, the matrix of {self.structure} has {self.dtype}; "
                f"make it with np.empty({self.shape}, np.{self.dtype})"
            )
        if is_borrowed(out, self.arrays):
            raise ShapeError(
                f"to_dense: out is read-only, or shares memory with what {self.structure} stores; give an array of "
                "its own"
            )
        return out

    def _refuse_over(self, limit: int, operation: str = "to_dense") -> None:
        rows, columns = self.shape
        dense, needed = rows * columns * self.dtype.itemsize, self._dense_bytes()
        if needed > limit:
            needed = self._least_bytes()
        if needed > limit:
            instead = f"to_sparse(), or pass limit={needed}"
            if operation == "to_sparse":
                instead = f"or csr_array(J.to_dense(limit={needed})): it has no zeros to leave out"
            on_the_way = f" and {format_bytes(needed)} on the way" if needed > dense else ""
            raise TooLargeError(
                f"{operation}: {self.structure} is {rows}×{columns}, {format_bytes(dense)} dense{on_the_way}, over the "
                f"limit of {format_bytes(limit)}; use jvp, vjp, {instead}"
            )

    def _order(self, order: Order | None, operation: str) -> Order:
        return self.order or "C" if order is None else known_order(order, operation)


def is_borrowed(result: Array, owned: tuple[Array, ...]) -> bool:
    """Whether `result` may be a view of the caller's array or of the operator's own."""
    return not result.flags.writeable or any(np.may_share_memory(result, a) for a in owned)
