"""A sum of Jacobians: residual branches and shared weights."""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any

import numpy as np

from jacobians.arrays import Array, as_array
from jacobians.layout import Order
from jacobians.linops.jacobian import Jacobian

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["Sum"]


class Sum(Jacobian):
    """J₁ + J₂ + … between the same arrays; made by ``+``, and flat.

    Parameters
    ----------
    terms : tuple of Jacobian
        At least two, none a sum.

    Examples
    --------
    >>> from jacobians.linops import Diagonal, Identity
    >>> (Identity((2,)) + Diagonal(np.array([1.0, 2.0]))).to_dense()
    array([[2., 0.],
           [0., 3.]])
    """

    __slots__ = ("terms",)
    _rule = ("sum of paths", "Each path passes its share")

    def __init__(self, terms: tuple[Jacobian, ...]) -> None:
        self.terms = terms
        super().__init__(
            terms[0].codomain,
            terms[0].domain,
            np.result_type(*(t.dtype for t in terms)),
        )

    def _jvp(self, tangent: Array) -> Array:
        return as_array(reduce(add, (t._jvp(tangent) for t in self.terms)))

    def _vjp(self, cotangent: Array) -> Array:
        return as_array(reduce(add, (t._vjp(cotangent) for t in self.terms)))

    def _written(self, write: Any, order: Order) -> str | None:
        texts = [term._written(write, order) for term in self.terms]
        return None if None in texts else str(write.bracket(write.plus(texts)))

    def _dense_bytes(self) -> int:
        first, *others = (t._dense_bytes() for t in self.terms)
        return max(first, super()._dense_bytes() + max(others))

    def _transpose(self) -> Jacobian:
        return Sum(tuple(t.T for t in self.terms))

    def _keeps_examples(self, axis: int) -> bool:
        return all(t._keeps_examples(axis) for t in self.terms)

    def _fill(self, out: Array) -> None:
        self.terms[0]._fill(out)
        for term in self.terms[1:]:
            out += term._dense().reshape(out.shape)

    def _sparse(self) -> csr_array:
        return reduce(add, (t._sparse() for t in self.terms))

    def _diagonal(self) -> Array:
        return as_array(reduce(add, (t._diagonal() for t in self.terms)))

    @property
    def structure(self) -> str:
        return " + ".join(t.structure for t in self.terms)

    @property
    def flops(self) -> int:
        return sum(t.flops for t in self.terms) + (len(self.terms) - 1) * self.shape[0]

    @property
    def arrays(self) -> tuple[Array, ...]:
        return tuple(a for t in self.terms for a in t.arrays)
