"""What standardising a batch does to a change of it: m times the change, less its sums, less its part along x̂."""

from __future__ import annotations

from typing import Any

import numpy as np

from jacobians.arrays import Array, as_array, as_float, show_shape
from jacobians.layout import Order
from jacobians.linops.jacobian import Jacobian


class Standardised(Jacobian):
    r"""V ↦ m V − Σ V − x̂ ∘ Σ(V ∘ x̂), with sums along one axis: :math:`m I - 1 1^\top - \hat x \hat x^\top`.

    With x̂ of mean 0 it is m times the product of two brackets, :math:`(I - \hat x \hat x^\top / m)(I - 1 1^\top / m)`,
    through the variance and through the mean.

    Parameters
    ----------
    hat : ndarray
        x̂.
    axis : int
        Along which it was standardised.

    Examples
    --------
    >>> Standardised(np.array([[-1.0], [1.0]]), 0).to_dense()
    array([[0., 0.],
           [0., 0.]])
    """

    __slots__ = ("axis", "hat")
    _rule = ("standardised", "The mean and the variance move with every entry")

    def __init__(self, hat: Array, axis: int) -> None:
        self.hat = as_float(hat, "hat", "Standardised")
        self.axis = axis if axis < 0 else axis - self.hat.ndim
        super().__init__(self.hat.shape, self.hat.shape, self.hat.dtype)

    def _jvp(self, tangent: Array) -> Array:
        m = self.hat.shape[self.axis]
        sums, along = (np.sum(v, axis=self.axis, keepdims=True) for v in (tangent, tangent * self.hat))
        return as_array(m * tangent - sums - self.hat * along)

    def _vjp(self, cotangent: Array) -> Array:
        return self._jvp(cotangent)

    def _transpose(self) -> Jacobian:
        return self

    def _is_symmetric(self) -> bool:
        return True

    def _keeps_examples(self, axis: int) -> bool:
        return self.axis not in (axis, axis - self.hat.ndim)

    def _written(self, write: Any, order: Order) -> str | None:
        return None

    @property
    def structure(self) -> str:
        return f"Standardised({show_shape(self.domain)})"

    @property
    def flops(self) -> int:
        return 6 * self.hat.size

    @property
    def arrays(self) -> tuple[Array, ...]:
        return (self.hat,)
