"""The Kronecker product with a known matrix, as a linear map of the other one."""

from __future__ import annotations

import numpy as np

from jacobians.arrays import Array, Shape, Symbolic, as_array, as_float, show_shape
from jacobians.linops.jacobian import Jacobian
from jacobians.linops.wrappers import Transposed


class KroneckerWith(Jacobian):
    r"""V ↦ A ⊗ V, or V ⊗ A: a permutation of (vec A)(vec V)ᵀ (Magnus & Neudecker 2019, ch. 3, theorem 10).

    Parameters
    ----------
    known : ndarray, shape (m, n)
        A.
    domain : (int, int)
        The shape of V.
    first : bool
        Whether A is the factor on the left.

    Examples
    --------
    >>> KroneckerWith(np.array([[1.0, 2.0]]), (1, 1), first=True).jvp(np.array([[3.0]]))
    array([[3., 6.]])
    """

    __slots__ = ("first", "known")

    def __init__(self, known: Array, domain: Shape, *, first: bool) -> None:
        self.known = as_float(known, "known", "KroneckerWith")
        self.first = first
        rows, columns = (m * p for m, p in zip(self.known.shape, domain, strict=True))
        super().__init__((rows, columns), domain, self.known.dtype)

    def _jvp(self, tangent: Array) -> Array:
        if isinstance(tangent, Symbolic):
            return np.kron(self.known, tangent) if self.first else np.kron(tangent, self.known)
        spec = "ab,...pq->...apbq" if self.first else "ab,...pq->...paqb"
        stack = tangent.shape[:-2]
        return np.einsum(spec, self.known, tangent).reshape(stack + self.codomain)

    def _vjp(self, cotangent: Array) -> Array:
        (m, n), (p, q) = self.known.shape, self.domain
        stack = cotangent.shape[:-2]
        parts = cotangent.reshape(*stack, *((m, p, n, q) if self.first else (p, m, q, n)))
        spec = "...apbq,ab->...pq" if self.first else "...paqb,ab->...pq"
        return as_array(np.einsum(spec, parts, self.known))

    def _transpose(self) -> Jacobian:
        return Transposed(self)

    def _makes_new(self) -> bool:
        return True

    @property
    def structure(self) -> str:
        shown = show_shape(self.known.shape)
        return f"KroneckerWith({shown} ⊗)" if self.first else f"KroneckerWith(⊗ {shown})"

    @property
    def flops(self) -> int:
        return 2 * self.shape[0]

    @property
    def arrays(self) -> tuple[Array, ...]:
        return (self.known,)
