"""The transpose of a structure that has no closed form for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jacobians.arrays import Array
from jacobians.linops.base import Jacobian
from jacobians.linops.entries import exchanged

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

    def _dense_bytes(self) -> int:
        return self.inner._dense_bytes()

    def _transpose(self) -> Jacobian:
        return self.inner

    def _keeps_examples(self, axis: int) -> bool:
        return self.inner._keeps_examples(axis)

    def _blocks(self, axis: int) -> Array:
        return self.inner._blocks(axis).swapaxes(1, 2)

    def _fill(self, out: Array) -> None:
        self.inner._fill(exchanged(out, len(self.codomain)))

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
