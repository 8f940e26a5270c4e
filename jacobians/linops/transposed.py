"""The transpose of a structure that has no closed form for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jacobians.arrays import Array
from jacobians.linops.base import Jacobian

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["Transposed"]


class Transposed(Jacobian):
    """Jᵀ, with the two actions of J exchanged.

    Parameters
    ----------
    inner : Jacobian
    """

    __slots__ = ("inner",)

    def __init__(self, inner: Jacobian) -> None:
        super().__init__(inner.domain, inner.codomain, inner.dtype)
        self.inner = inner
        self.order = inner.order

    def _jvp(self, tangent: Array) -> Array:
        return self.inner._vjp(tangent)

    def _vjp(self, cotangent: Array) -> Array:
        return self.inner._jvp(cotangent)

    def _example_axes(self) -> frozenset[int]:
        return self.inner._example_axes()

    def _largest_bytes(self) -> int:
        return self.inner._largest_bytes()

    def _transpose(self) -> Jacobian:
        return self.inner

    def _dense(self) -> Array:
        return self.inner._dense().T

    def _sparse(self) -> csr_array:
        return self.inner._sparse().T.tocsr()

    def _diagonal(self) -> Array:
        return self.inner._diagonal()

    @property
    def structure(self) -> str:
        inner = self.inner.structure
        return f"({inner})ᵀ" if " + " in inner or " @ " in inner else f"{inner}ᵀ"

    @property
    def flops(self) -> int:
        return self.inner.flops

    @property
    def arrays(self) -> tuple[Array, ...]:
        return self.inner.arrays
