"""One number for each entry: the Jacobian of every elementwise operation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jacobians.arrays import Array, as_array, as_float
from jacobians.linops.base import Jacobian

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["Diagonal"]


class Diagonal(Jacobian):
    r"""V ↦ d∘V, with the matrix :math:`\operatorname{diag}(\operatorname{vec} d)`.

    Parameters
    ----------
    values : ndarray, shape `domain`
        The derivative at each entry.

    Examples
    --------
    >>> Diagonal(np.array([1.0, 2.0])) @ Diagonal(np.array([3.0, 4.0]))
    Diagonal(2): 2×2 float64, (2,) → (2,), 16 B
    """

    __slots__ = ("values",)

    def __init__(self, values: Array) -> None:
        self.values = as_float(values, "values", "Diagonal")
        super().__init__(self.values.shape, self.values.shape, self.values.dtype)

    def _jvp(self, tangent: Array) -> Array:
        return as_array(self.values * tangent)

    def _vjp(self, cotangent: Array) -> Array:
        return self._jvp(cotangent)

    def _example_axes(self) -> frozenset[int]:
        return frozenset((0, -1) if self.domain else ())

    def _transpose(self) -> Jacobian:
        return self

    def _dense(self) -> Array:
        return np.diag(self.values.ravel())

    def _sparse(self) -> csr_array:
        from scipy.sparse import csr_array, diags_array

        return csr_array(diags_array(self.values.ravel()))

    def _diagonal(self) -> Array:
        return self.values.ravel()

    @property
    def structure(self) -> str:
        return f"Diagonal({'×'.join(map(str, self.domain)) or 'scalar'})"

    @property
    def flops(self) -> int:
        return self.values.size

    @property
    def arrays(self) -> tuple[Array, ...]:
        return (self.values,)
