"""The maps without data: the identity, zero, and the identity between two shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, Shape, size_of
from jacobians.errors import ShapeError
from jacobians.linops.base import Jacobian
from jacobians.linops.dataless import Dataless
from jacobians.linops.entries import diagonal_view, places

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["Identity", "Reshape", "Zero"]


class Identity(Dataless):
    """V ↦ V.

    Parameters
    ----------
    domain : tuple of int
    dtype : dtype, optional

    Examples
    --------
    >>> Identity((2, 3))
    Identity(2×3): 6×6 float64, (2, 3) → (2, 3), 0 B
    """

    __slots__ = ()

    def __init__(self, domain: Shape, dtype: npt.DTypeLike = np.float64) -> None:
        super().__init__(tuple(domain), tuple(domain), np.dtype(dtype))

    def _jvp(self, tangent: Array) -> Array:
        return tangent

    def _vjp(self, cotangent: Array) -> Array:
        return self._jvp(cotangent)

    def _transpose(self) -> Jacobian:
        return self

    def _keeps_examples(self, axis: int) -> bool:
        return bool(self.domain)

    def _fill(self, out: Array) -> None:
        axes = [*range(len(self.domain))]
        out[...] = 0
        diagonal_view(out, axes, axes, axes)[...] = 1

    def _sparse(self) -> csr_array:
        from scipy.sparse import csr_array, eye_array

        return csr_array(eye_array(self.shape[0], dtype=self.dtype))

    def _diagonal(self) -> Array:
        return np.ones(self.shape[0], dtype=self.dtype)

    @property
    def structure(self) -> str:
        return f"Identity({_times(self.domain)})"


class Reshape(Dataless):
    """The same entries, in C order, in another shape; in F order its matrix is a permutation.

    Parameters
    ----------
    codomain, domain : tuple of int
        Of equal size.
    dtype : dtype, optional

    Raises
    ------
    ShapeError
        If the sizes differ.

    Examples
    --------
    >>> Reshape((3, 2), (6,)).to_dense("F").argmax(axis=1)
    array([0, 2, 4, 1, 3, 5])
    """

    __slots__ = ()

    def __init__(self, codomain: Shape, domain: Shape, dtype: npt.DTypeLike = np.float64) -> None:
        codomain, domain = tuple(codomain), tuple(domain)
        if size_of(codomain) != size_of(domain):
            raise ShapeError(f"Reshape: {domain} has {size_of(domain)} entries, {codomain} has {size_of(codomain)}")
        super().__init__(codomain, domain, np.dtype(dtype))

    def _jvp(self, tangent: Array) -> Array:
        return tangent.reshape(tangent.shape[: tangent.ndim - len(self.domain)] + self.codomain)

    def _vjp(self, cotangent: Array) -> Array:
        return cotangent.reshape(cotangent.shape[: cotangent.ndim - len(self.codomain)] + self.domain)

    def _transpose(self) -> Jacobian:
        return Reshape(self.domain, self.codomain, self.dtype)

    def _keeps_examples(self, axis: int) -> bool:
        return bool(self.domain and self.codomain) and self.codomain[axis] == self.domain[axis]

    def _fill(self, out: Array) -> None:
        every = np.arange(self.shape[0])
        out[...] = 0
        out[places(every, self.codomain) + places(every, self.domain)] = 1

    def _sparse(self) -> csr_array:
        return Identity(self.domain, self.dtype)._sparse()

    def _diagonal(self) -> Array:
        return np.ones(self.shape[0], dtype=self.dtype)

    @property
    def structure(self) -> str:
        return f"Reshape({_times(self.domain)} to {_times(self.codomain)})"


class Zero(Dataless):
    """V ↦ 0.

    Parameters
    ----------
    codomain, domain : tuple of int
    dtype : dtype, optional

    Examples
    --------
    >>> Zero((2,), (3,)).to_dense()
    array([[0., 0., 0.],
           [0., 0., 0.]])
    """

    __slots__ = ()

    def __init__(self, codomain: Shape, domain: Shape, dtype: npt.DTypeLike = np.float64) -> None:
        super().__init__(tuple(codomain), tuple(domain), np.dtype(dtype))

    def _jvp(self, tangent: Array) -> Array:
        stack = tangent.shape[: tangent.ndim - len(self.domain)]
        return np.zeros_like(tangent, order="C", shape=stack + self.codomain)

    def _vjp(self, cotangent: Array) -> Array:
        stack = cotangent.shape[: cotangent.ndim - len(self.codomain)]
        return np.zeros_like(cotangent, order="C", shape=stack + self.domain)

    def _transpose(self) -> Jacobian:
        return Zero(self.domain, self.codomain, self.dtype)

    def _keeps_examples(self, axis: int) -> bool:
        return bool(self.domain and self.codomain) and self.codomain[axis] == self.domain[axis]

    def _fill(self, out: Array) -> None:
        out[...] = 0

    def _sparse(self) -> csr_array:
        from scipy.sparse import csr_array

        return csr_array(self.shape, dtype=self.dtype)

    def _diagonal(self) -> Array:
        return np.zeros(self.shape[0], dtype=self.dtype)

    @property
    def structure(self) -> str:
        return f"Zero({_times(self.domain)} to {_times(self.codomain)})"


def _times(shape: Shape) -> str:
    return "×".join(map(str, shape)) or "scalar"
