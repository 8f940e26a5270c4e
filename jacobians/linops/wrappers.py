"""The simplest maps, which store nothing, and wrappers of one Jacobian: scaled, transposed, in denominator layout."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, Shape, as_array, size_of
from jacobians.errors import LayoutError, ShapeError
from jacobians.layout import Order
from jacobians.linops.jacobian import Jacobian
from jacobians.linops.unrolling import diagonal_view, exchanged, unravelled

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["Denominator", "Identity", "Reshape", "Scaled", "StoresNothing", "Transposed", "Zero"]


class StoresNothing(Jacobian):
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


class Identity(StoresNothing):
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

    def _is_symmetric(self) -> bool:
        return True

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


class Reshape(StoresNothing):
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
        out[unravelled(every, self.codomain) + unravelled(every, self.domain)] = 1

    def _sparse(self) -> csr_array:
        return Identity(self.domain, self.dtype)._sparse()

    def _diagonal(self) -> Array:
        return np.ones(self.shape[0], dtype=self.dtype)

    @property
    def structure(self) -> str:
        return f"Reshape({_times(self.domain)} to {_times(self.codomain)})"


class Zero(StoresNothing):
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

    def _row_norms(self) -> Array:
        return abs(self.factor) * self.inner._row_norms()

    def _gram(self) -> Array:
        return self.factor**2 * self.inner._gram()

    def _dense_bytes(self) -> int:
        return self.inner._dense_bytes()

    def _transpose(self) -> Jacobian:
        return Scaled(self.factor, self.inner.T)

    def _is_symmetric(self) -> bool:
        return self.inner._is_symmetric()

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


@final
class Denominator(Jacobian):
    """A Jacobian in denominator layout: its matrix is (inputs × outputs), and the chain is `J_f @ J_g`.

    `domain`, `codomain`, `jvp`, `vjp` and `gradient` mean what they mean in numerator layout, since the map is
    the same; `shape`, the matrix views and ``@`` are transposed. Symmetric Jacobians, such as those of
    elementwise operations, are the same in both layouts and join either chain.

    Parameters
    ----------
    numerator : Jacobian
        The same map in numerator layout.

    Raises
    ------
    LayoutError
        If it is in denominator layout already.

    Examples
    --------
    >>> import numpy as np
    >>> from jacobians.linops import Dense
    >>> f = Denominator(Dense(np.ones((2, 3)), codomain=(2,)))   # ∂y/∂x: x has 3 entries, y has 2
    >>> g = Denominator(Dense(np.ones((2,))))                    # ∂L/∂y
    >>> f.shape, (f @ g).shape, (f @ g).gradient
    ((3, 2), (3, 1), array([2., 2., 2.]))
    """

    __slots__ = ("numerator",)
    numerator: Jacobian

    def __init__(self, numerator: Jacobian) -> None:
        if isinstance(numerator, Denominator):
            raise LayoutError(f"Denominator: {numerator.structure} is in denominator layout already")
        super().__init__(numerator.codomain, numerator.domain, numerator.dtype)
        self.numerator = numerator
        self.order = numerator.order

    def _with_order(self, order: Order | None) -> Denominator:
        return self if order == self.order else Denominator(self.numerator._with_order(order))

    @property
    def shape(self) -> tuple[int, int]:
        """The matrix's shape in denominator layout: (size of domain, size of codomain)."""
        return self.numerator.shape[::-1]

    def _as_arrays(self, matrix: Array, order: Order) -> Array:
        return self.numerator._as_arrays(matrix.T, order)

    def _keeps_examples(self, axis: int) -> bool:
        return self.numerator._keeps_examples(axis)

    def _fill_within(self, out: Array, limit: int) -> None:
        self.numerator._fill_within(out, limit)

    def to_sparse(self, order: Order | None = None) -> csr_array:
        """Return the matrix (inputs × outputs) as a SciPy sparse array."""
        return self.numerator.to_sparse(self._order(order, "to_sparse")).T.tocsr()

    def _matrix_action(self, x: Array, *, transposed: bool) -> Array:
        return self.numerator._matrix_action(x, transposed=not transposed)

    def _row_norms(self) -> Array:
        return self.numerator._row_norms()

    def _gram(self) -> Array:
        return self.numerator._gram()

    def _dense_bytes(self) -> int:
        return self.numerator._dense_bytes()

    def _least_bytes(self) -> int:
        return self.numerator._least_bytes()

    def _jvp(self, tangent: Array) -> Array:
        return self.numerator._jvp(tangent)

    def _vjp(self, cotangent: Array) -> Array:
        return self.numerator._vjp(cotangent)

    def _transpose(self) -> Jacobian:
        return Denominator(self.numerator.T)

    def _sparse(self) -> csr_array:
        return self.numerator._sparse()

    def _diagonal(self) -> Array:
        return self.numerator._diagonal()

    @property
    def structure(self) -> str:
        return f"Denominator[{self.numerator.structure}]"

    @property
    def flops(self) -> int:
        return self.numerator.flops

    @property
    def arrays(self) -> tuple[Array, ...]:
        return self.numerator.arrays
