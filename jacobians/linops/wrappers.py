"""Maps without data, a number times a Jacobian, and the transpose of a structure that has no closed form for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, Shape, as_array, size_of
from jacobians.errors import ShapeError
from jacobians.layout import Order
from jacobians.linops.jacobian import Jacobian, Leaf
from jacobians.linops.unrolling import diagonal_view, exchanged, places

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["Dataless", "Identity", "Reshape", "Scaled", "Transposed", "Zero"]


class Dataless(Jacobian):
    """A Jacobian whose structure is all there is of it."""

    __slots__ = ()

    @property
    def flops(self) -> int:
        """No arithmetic."""
        return 0

    @property
    def arrays(self) -> tuple[Array, ...]:
        """No arrays."""
        return ()


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
    _rule = ("identity", "Nothing changes")

    def __init__(self, domain: Shape, dtype: npt.DTypeLike = np.float64) -> None:
        super().__init__(tuple(domain), tuple(domain), np.dtype(dtype))

    def _jvp(self, tangent: Array) -> Array:
        return tangent

    def _vjp(self, cotangent: Array) -> Array:
        return self._jvp(cotangent)

    def _transpose(self) -> Jacobian:
        return self

    def _written(self, write: Any, order: Order) -> str:
        return str(write.eye(size_of(self.domain)))

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
    _rule = ("reshape", "The same entries in another shape")

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

    def _written(self, write: Any, order: Order) -> str:
        return str(write.reshaping(self.domain, self.codomain, order))

    def _squeezes(self) -> bool:
        return [n for n in self.domain if n != 1] == [n for n in self.codomain if n != 1]

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

    def _with_leaves(self, leaf: Leaf, inner: Callable[[Jacobian], Jacobian]) -> Jacobian:
        return Scaled(self.factor, inner(self.inner))

    def positive(self, leaf: Leaf) -> Jacobian:
        """Return f(α) · J."""
        factor = float(leaf(np.asarray(self.factor)))
        return Scaled(factor, self.inner.positive(leaf))._with_order(self.order)

    def _written(self, write: Any, order: Order) -> str | None:
        inner = self.inner._written(write, order)
        return None if inner is None else str(write.scale(write.number(self.factor), inner))

    def _step(self, row: str, image: str, write: Any, order: Order) -> tuple[str, str]:
        rule, reason = self.inner._step(row, image, write, order)
        return rule, f"{reason.partition(': ')[0]}: {row} {write.matrix(self, order)} = {image}."

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

    def _written(self, write: Any, order: Order) -> str | None:
        inner = self.inner._written(write, order)
        return None if inner is None else str(write.transpose(inner))

    def _step(self, row: str, image: str, write: Any, order: Order) -> tuple[str, str]:
        return self.inner._step_back(row, image, write, order)

    def _step_back(self, row: str, image: str, write: Any, order: Order) -> tuple[str, str]:
        return self.inner._step(row, image, write, order)

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
