"""NumPy's broadcasting as a linear map: what is repeated along an axis is summed along it on the way back."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, Shape, as_shape, ones, show_shape, size_of
from jacobians.errors import ShapeError
from jacobians.linops.jacobian import Jacobian
from jacobians.linops.kernels import total
from jacobians.linops.kronecker import Kronecker
from jacobians.linops.permutations import Identity, MovedEntries, Reshape
from jacobians.linops.products_and_sums import Product
from jacobians.linops.wrappers import Transposed


class Broadcast(MovedEntries):
    """V ↦ V repeated along new axes and along axes of length 1: a Kronecker product of identities and columns of ones.

    Its transpose sums over those axes.

    Parameters
    ----------
    codomain, domain : tuple of int
        By NumPy's rules the domain broadcasts to the codomain.
    dtype : dtype, optional

    Raises
    ------
    ShapeError
        If it does not.

    Examples
    --------
    >>> J = Broadcast((2, 3, 4), (3, 1))
    >>> J
    Broadcast(3×1 to 2×3×4): 24×3 float64, (3, 1) → (2, 3, 4), 0 B
    >>> J.vjp(np.ones((2, 3, 4))).ravel()
    array([8., 8., 8.])
    """

    __slots__ = ()
    _rule = ("ones make the sum", "What was repeated is summed")

    def __init__(self, codomain: Shape, domain: Shape, dtype: npt.DTypeLike = np.float64) -> None:
        codomain, domain = as_shape(codomain, "codomain", "Broadcast"), as_shape(domain, "domain", "Broadcast")
        if not _spreads(domain, codomain):
            raise ShapeError(f"Broadcast: arrays of shape {domain} do not broadcast to {codomain}")
        super().__init__(codomain, domain, np.dtype(dtype))

    def _padded(self) -> Shape:
        return (1,) * (len(self.codomain) - len(self.domain)) + self.domain

    def _jvp(self, tangent: Array) -> Array:
        stack = tangent.shape[: tangent.ndim - len(self.domain)]
        return np.broadcast_to(tangent.reshape(stack + self._padded()), stack + self.codomain)

    def _vjp(self, cotangent: Array) -> Array:
        stack = cotangent.shape[: cotangent.ndim - len(self.codomain)]
        repeated = [i for i, (n, to) in enumerate(zip(self._padded(), self.codomain, strict=True)) if n != to]
        sums = total(cotangent, tuple(len(stack) + i for i in repeated)) if repeated else cotangent
        return sums.reshape(stack + self.domain)

    def _transpose(self) -> Jacobian:
        return Transposed(self)

    def _source(self) -> Array:
        places = np.arange(self.shape[1]).reshape(self._padded())
        return np.broadcast_to(places, self.codomain).ravel()

    def _keeps_examples(self, axis: int) -> bool:
        if not self.domain or self.domain[axis] != self.codomain[axis]:
            return False
        return axis == -1 or len(self.domain) == len(self.codomain)

    def _repeats(self) -> int:
        return size_of(self.codomain) // max(size_of(self.domain), 1)

    @property
    def structure(self) -> str:
        return f"Broadcast({show_shape(self.domain)} to {show_shape(self.codomain)})"


def _spreads(domain: Shape, codomain: Shape) -> bool:
    try:
        return np.broadcast_shapes(domain, codomain) == codomain
    except ValueError:
        return False


def spread(domain: Shape, codomain: Shape, like: Array) -> Jacobian:
    """Return the Jacobian of broadcasting an array to another shape, as the most specific structure.

    Its dtype is that of `like`; its ones are symbols where `like` is an expression.

    A layer's bias is broadcast to a matrix: a Kronecker product with a column of ones. Where nothing is repeated, it is
    the identity. Otherwise it is a `Broadcast`.
    """
    dtype = like.dtype
    if domain == codomain:
        return Identity(codomain, dtype)
    if size_of(domain) == size_of(codomain):
        return Reshape(codomain, domain, dtype)
    if len(codomain) != 2:
        return Broadcast(codomain, domain, dtype)
    (n, m), padded = codomain, (1,) * (2 - len(domain)) + domain
    left = n if padded[0] == n else ones((n, 1), like)
    right = m if padded[1] == m else ones((m, 1), like)
    repeated = Kronecker(left, right, dtype)
    return repeated if domain == padded else Product((repeated, Reshape(padded, domain, dtype)))
