"""The transpose as a Jacobian: the commutation matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array
from jacobians.linops.base import Jacobian
from jacobians.linops.dataless import Dataless
from jacobians.linops.entries import diagonal_view

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["Commutation"]


class Commutation(Dataless):
    r"""V ↦ Vᵀ; its matrix K satisfies K·vec(A) = vec(Aᵀ) (Magnus & Neudecker 2019, ch. 3).

    Parameters
    ----------
    rows, columns : int
        The shape of V.
    dtype : dtype, optional

    Examples
    --------
    >>> A = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    >>> Commutation(2, 3) @ A.ravel()
    array([1., 4., 2., 5., 3., 6.])
    >>> Commutation(3, 2) @ Commutation(2, 3)
    Identity(2×3): 6×6 float64, (2, 3) → (2, 3), 0 B
    """

    __slots__ = ()

    def __init__(self, rows: int, columns: int, dtype: npt.DTypeLike = np.float64) -> None:
        super().__init__((columns, rows), (rows, columns), np.dtype(dtype))

    def _jvp(self, tangent: Array) -> Array:
        return tangent.swapaxes(-1, -2)

    def _vjp(self, cotangent: Array) -> Array:
        return self._jvp(cotangent)

    def _transpose(self) -> Jacobian:
        return Commutation(self.codomain[0], self.codomain[1], self.dtype)

    def _source(self) -> Array:
        """For each output entry, the input entry it is taken from."""
        rows, columns = self.domain
        return np.arange(rows * columns).reshape(rows, columns).T.ravel()

    def _fill(self, out: Array) -> None:
        out[...] = 0
        diagonal_view(out, [0, 1], [1, 0], [0, 1])[...] = 1

    def _sparse(self) -> csr_array:
        from scipy.sparse import csr_array

        size = self.shape[0]
        ones = np.ones(size, dtype=self.dtype)
        return csr_array((ones, self._source(), np.arange(size + 1)), shape=self.shape)

    def _diagonal(self) -> Array:
        return (self._source() == np.arange(self.shape[0])).astype(self.dtype)

    @property
    def structure(self) -> str:
        return f"Commutation({self.domain[0]}, {self.domain[1]})"
