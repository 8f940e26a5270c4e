"""A matrix with a row or column of ones beside it, multiplied without being put together."""

from __future__ import annotations

from typing import final

import numpy as np

from jacobians.arrays import Array, DType
from jacobians.linops.kernels import matmul

__all__ = ["Bordered"]


@final
class Bordered:
    """[1 X] or [X 1] (axis 1), or with the ones above or below (axis 0): what a bias absorbed in a weight meets.

    Putting it together copies the data in every call, and a batch is larger than its gradient: on 5000 × 400 float64
    the copy takes as long as the two products of the first layer's pass. So its products are those of X, with the
    bias's row or column beside them.

    Parameters
    ----------
    array : ndarray, shape (n, d)
    first : bool
        Whether the ones come before the array.
    axis : {0, 1}
        The axis along which they are joined.
    """

    __slots__ = ("array", "axis", "first")

    def __init__(self, array: Array, *, first: bool, axis: int) -> None:
        self.array = array
        self.first = first
        self.axis = axis

    @property
    def shape(self) -> tuple[int, int]:
        n, d = self.array.shape
        return (n, d + 1) if self.axis else (n + 1, d)

    @property
    def dtype(self) -> DType:
        return self.array.dtype

    @property
    def T(self) -> Bordered:
        return Bordered(self.array.T, first=self.first, axis=1 - self.axis)

    def filled(self) -> Array:
        """Return the matrix itself, as a new array."""
        n, d = self.array.shape
        return self._joined(np.ones((n, 1) if self.axis else (1, d), self.dtype), self.array, self.axis)

    def times(self, right: Array) -> Array:
        """Return ``self @ right``, over a stack of matrices on the right."""
        if self.axis == 0:
            return self._joined(self._summed(right), matmul(self.array, right), -2)
        bias, rest = (right[..., :1, :], right[..., 1:, :]) if self.first else (right[..., -1:, :], right[..., :-1, :])
        return matmul(self.array, rest) + bias

    def after(self, left: Array) -> Array:
        """Return ``left @ self``, over a stack of matrices on the left."""
        return self.T.times(left.swapaxes(-1, -2)).swapaxes(-1, -2)

    def _summed(self, right: Array) -> Array:
        """The row of sums: 1ᵀ right."""
        return matmul(np.ones((1, self.array.shape[1]), self.dtype), right)

    def _joined(self, ones: Array, array: Array, axis: int) -> Array:
        return np.concatenate((ones, array) if self.first else (array, ones), axis=axis)
