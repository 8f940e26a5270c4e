"""A diagonal minus an outer product per example: softmax and its kin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jacobians.arrays import Array, as_array, as_float, size_of
from jacobians.errors import ShapeError
from jacobians.linops.base import Jacobian
from jacobians.linops.entries import diagonal_view

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["DiagonalMinusOuter"]


class DiagonalMinusOuter(Jacobian):
    """diag(d) − u vᵀ along one axis: softmax has d = u = v = p, log-softmax d = u = 1 and v = p.

    Parameters
    ----------
    d, u, v : ndarray, shape `domain`
    axis : int
        The axis along which one outer product runs; the classes' axis.

    Raises
    ------
    ShapeError
        If the three arrays differ in shape, or have no such axis.

    Examples
    --------
    >>> p = np.array([[0.5, 0.25, 0.25]])
    >>> DiagonalMinusOuter(p, p, p, axis=-1).to_dense()
    array([[ 0.25  , -0.125 , -0.125 ],
           [-0.125 ,  0.1875, -0.0625],
           [-0.125 , -0.0625,  0.1875]])
    """

    __slots__ = ("axis", "d", "u", "v")

    def __init__(self, d: Array, u: Array, v: Array, axis: int) -> None:
        self.d, self.u, self.v = (as_float(a, n, "DiagonalMinusOuter") for a, n in ((d, "d"), (u, "u"), (v, "v")))
        if not self.d.shape == self.u.shape == self.v.shape or not -self.d.ndim <= axis < self.d.ndim:
            raise ShapeError(
                f"DiagonalMinusOuter: d {self.d.shape}, u {self.u.shape}, v {self.v.shape} must agree and have axis "
                f"{axis}"
            )
        # counted from the end, so that leading stack axes do not move it
        self.axis = axis if axis < 0 else axis - self.d.ndim
        super().__init__(self.d.shape, self.d.shape, np.result_type(self.d, self.u, self.v))

    def _jvp(self, tangent: Array) -> Array:
        return self.d * tangent - self.u * np.sum(self.v * tangent, axis=self.axis, keepdims=True)

    def _vjp(self, cotangent: Array) -> Array:
        return self.d * cotangent - self.v * np.sum(self.u * cotangent, axis=self.axis, keepdims=True)

    def _transpose(self) -> Jacobian:
        return DiagonalMinusOuter(self.d, self.v, self.u, self.axis)

    def blocks(self) -> Array:
        """Return the blocks, shape (groups, K, K): a new array with one matrix for each slice along `axis`."""
        d, u, v = (self._last(a) for a in (self.d, self.u, self.v))
        out = as_array(-u[:, :, None] * v[:, None, :]).astype(self.dtype, copy=False)
        k = np.arange(d.shape[1])
        out[:, k, k] += d
        return out

    def _last(self, array: Array) -> Array:
        moved = np.moveaxis(array, self.axis, -1)
        return moved.reshape(size_of(moved.shape[:-1]), moved.shape[-1])

    def _entries(self) -> tuple[Array, Array, Array]:
        places = self._last(np.arange(self.shape[0]).reshape(self.domain))
        blocks = self.blocks()
        rows, columns = np.broadcast_arrays(places[:, :, None], places[:, None, :])
        return blocks.ravel(), rows.ravel(), columns.ravel()

    def _keeps_examples(self, axis: int) -> bool:
        return self.axis not in (axis, axis - self.d.ndim)

    def _fill(self, out: Array) -> None:
        axes = [*range(self.d.ndim)]
        last, along = len(axes), axes[self.axis]
        columns = [last if i == along else i for i in axes]
        out[...] = 0
        blocks = diagonal_view(out, axes, columns, [*axes, last])
        v = np.expand_dims(np.moveaxis(self.v, self.axis, -1), along)
        np.multiply(-self.u[..., None], v, out=blocks)
        diagonal_view(out, axes, axes, axes)[...] += self.d

    def _sparse(self) -> csr_array:
        from scipy.sparse import coo_array

        values, rows, columns = self._entries()
        return coo_array((values, (rows, columns)), shape=self.shape).tocsr()

    def _diagonal(self) -> Array:
        return np.ravel(self.d - self.u * self.v)

    @property
    def structure(self) -> str:
        k = self.domain[self.axis]
        return f"DiagonalMinusOuter({self.d.size // max(k, 1)} of {k}×{k})"

    @property
    def flops(self) -> int:
        return 5 * self.d.size

    @property
    def arrays(self) -> tuple[Array, ...]:
        return (self.d, self.u, self.v)
