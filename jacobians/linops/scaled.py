"""A number times a Jacobian."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jacobians.arrays import Array, as_array
from jacobians.linops.base import Jacobian

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["Scaled"]


class Scaled(Jacobian):
    """V ↦ α·J(V); `Scaled(2.0, Identity(shape))` is 2·I.

    Parameters
    ----------
    factor : float
        Applied in the inner Jacobian's dtype.
    inner : Jacobian

    Examples
    --------
    >>> from jacobians.linops import Identity
    >>> (3 * Identity((2,))).to_dense()
    array([[3., 0.],
           [0., 3.]])
    """

    __slots__ = ("factor", "inner")

    def __init__(self, factor: float, inner: Jacobian) -> None:
        super().__init__(inner.codomain, inner.domain, inner.dtype)
        self.factor = float(factor)
        self.inner = inner
        self.order = inner.order

    def _jvp(self, tangent: Array) -> Array:
        return as_array(self.factor * self.inner._jvp(tangent))

    def _vjp(self, cotangent: Array) -> Array:
        return as_array(self.factor * self.inner._vjp(cotangent))

    def _row_norms(self) -> Array:
        return abs(self.factor) * self.inner._row_norms()

    def _gram(self) -> Array:
        return self.factor**2 * self.inner._gram()

    def _dense_bytes(self) -> int:
        return self.inner._dense_bytes()

    def _transpose(self) -> Jacobian:
        return Scaled(self.factor, self.inner.T)

    def _keeps_examples(self, axis: int) -> bool:
        return self.inner._keeps_examples(axis)

    def _blocks(self, axis: int) -> Array:
        return as_array(self.factor * self.inner._blocks(axis))

    def _fill(self, out: Array) -> None:
        self.inner._fill(out)
        out *= self.factor

    def _sparse(self) -> csr_array:
        return self.inner._sparse() * self.dtype.type(self.factor)

    def _diagonal(self) -> Array:
        return self.factor * self.inner._diagonal()

    @property
    def structure(self) -> str:
        inner = self.inner.structure
        return f"{self.factor:.6g}·({inner})" if " + " in inner else f"{self.factor:.6g}·{inner}"

    @property
    def flops(self) -> int:
        return self.inner.flops + self.shape[0]

    @property
    def arrays(self) -> tuple[Array, ...]:
        return self.inner.arrays
