"""The zero map, and wrappers of one Jacobian: scaled, transposed, written in denominator layout."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import TYPE_CHECKING, Any, final

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, Shape, as_array, as_shape, show_shape
from jacobians.errors import DomainError, LayoutError
from jacobians.layout import Order
from jacobians.linops.jacobian import Jacobian, Leaf
from jacobians.linops.kernels import zeros
from jacobians.linops.matrix_views import DENSE_LIMIT
from jacobians.linops.nonzeros import Nonzeros
from jacobians.linops.parts import a_jacobian
from jacobians.linops.unrolling import exchanged

if TYPE_CHECKING:
    from scipy.sparse import csr_array


class Zero(Jacobian):
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
        codomain, domain = as_shape(codomain, "codomain", "Zero"), as_shape(domain, "domain", "Zero")
        super().__init__(codomain, domain, np.dtype(dtype))

    def _jvp(self, tangent: Array) -> Array:
        stack = tangent.shape[: tangent.ndim - len(self.domain)]
        return zeros(stack + self.codomain, tangent)

    def _vjp(self, cotangent: Array) -> Array:
        stack = cotangent.shape[: cotangent.ndim - len(self.codomain)]
        return zeros(stack + self.domain, cotangent)

    def _transpose(self) -> Jacobian:
        return Zero(self.domain, self.codomain, self.dtype)

    def _keeps_examples(self, axis: int) -> bool:
        return bool(self.domain and self.codomain) and self.codomain[axis] == self.domain[axis]

    def _fill(self, out: Array) -> None:
        out[...] = 0

    def _sparse(self) -> csr_array:
        from scipy.sparse import csr_array

        return csr_array(self.shape, dtype=self.dtype)

    def _nonzeros(self) -> Nonzeros:
        return Nonzeros(0, 0, 0)

    def _row_norms(self) -> Array:
        return np.zeros(self.codomain, dtype=self.dtype)

    def _diagonal(self) -> Array:
        return np.zeros(self.shape[0], dtype=self.dtype)

    @property
    def structure(self) -> str:
        return f"Zero({show_shape(self.domain)} to {show_shape(self.codomain)})"

    @property
    def flops(self) -> int:
        return 0

    @property
    def arrays(self) -> tuple[Array, ...]:
        return ()


class Wrapper(Jacobian):
    """A Jacobian around another one; it passes on whatever it does not define."""

    __slots__ = ("inner",)

    def __init__(self, codomain: Shape, domain: Shape, inner: Jacobian) -> None:
        super().__init__(codomain, domain, inner.dtype)
        self.inner = inner
        self.order = inner.order

    def _dense_bytes(self) -> int:
        return self.inner._dense_bytes()

    def _nonzeros(self) -> Nonzeros:
        return self.inner._nonzeros()

    def _sparse_bytes(self) -> int:
        return self.inner._sparse_bytes()

    def _blocks_bytes(self, axis: int) -> int:
        return self.inner._blocks_bytes(axis)

    def _keeps_examples(self, axis: int) -> bool:
        return self.inner._keeps_examples(axis)

    def _diagonal(self) -> Array:
        return self.inner._diagonal()

    @property
    def flops(self) -> int:
        return self.inner.flops

    @property
    def arrays(self) -> tuple[Array, ...]:
        return self.inner.arrays


class Scaled(Wrapper):
    """V ↦ α·J(V); `Scaled(2.0, Identity(shape))` is 2·I.

    Parameters
    ----------
    factor : float
        Applied in the inner Jacobian's dtype.
    inner : Jacobian

    Raises
    ------
    DomainError
        If the factor is NaN or infinite.
    ArgumentError, LayoutError
        If `inner` is no Jacobian in numerator layout.

    Examples
    --------
    >>> from jacobians.linops import Identity
    >>> (3 * Identity((2,))).to_dense()
    array([[3., 0.],
           [0., 3.]])
    """

    __slots__ = ("factor",)

    def __init__(self, factor: float, inner: Jacobian) -> None:
        inner = a_jacobian(inner, "Scaled", "what is scaled")
        super().__init__(inner.codomain, inner.domain, inner)
        self.factor = float(factor)
        if not isfinite(self.factor):
            raise DomainError(f"Scaled: the factor {self.factor:g} of {inner.structure} is not finite")

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

    def _transpose(self) -> Jacobian:
        return Scaled(self.factor, self.inner.T)

    def _makes_new(self) -> bool:
        return True

    def _is_symmetric(self) -> bool:
        return self.inner._is_symmetric()

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


class Transposed(Wrapper):
    """Jᵀ, with the two actions of J exchanged.

    Parameters
    ----------
    inner : Jacobian

    Examples
    --------
    >>> import numpy as np
    >>> from jacobians.linops import Broadcast
    >>> Broadcast((2, 3, 4), (3, 1)).T
    Broadcast(3×1 to 2×3×4)ᵀ: 3×24 float64, (2, 3, 4) → (3, 1), 0 B
    """

    __slots__ = ()

    def __init__(self, inner: Jacobian) -> None:
        inner = a_jacobian(inner, "Transposed", "what is transposed")
        super().__init__(inner.domain, inner.codomain, inner)

    def _jvp(self, tangent: Array) -> Array:
        return self.inner._vjp(tangent)

    def _vjp(self, cotangent: Array) -> Array:
        return self.inner._jvp(cotangent)

    def _transpose(self) -> Jacobian:
        return self.inner

    def _written(self, write: Any, order: Order) -> str | None:
        inner = self.inner._written(write, order)
        return None if inner is None else str(write.transpose(inner))

    def _step(self, row: str, image: str, write: Any, order: Order) -> tuple[str, str]:
        return self.inner._step_back(row, image, write, order)

    def _step_back(self, row: str, image: str, write: Any, order: Order) -> tuple[str, str]:
        return self.inner._step(row, image, write, order)

    def _blocks(self, axis: int) -> Array:
        return self.inner._blocks(axis).swapaxes(1, 2)

    def _fill(self, out: Array) -> None:
        self.inner._fill(exchanged(out, len(self.codomain)))

    def _sparse(self) -> csr_array:
        return self.inner._sparse().T.tocsr()

    def _nonzeros(self) -> Nonzeros:
        return self.inner._nonzeros().T

    @property
    def structure(self) -> str:
        inner = self.inner.structure
        return f"({inner})ᵀ" if " + " in inner or " @ " in inner else f"{inner}ᵀ"


@final
class Denominator(Wrapper):
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

    __slots__ = ()

    def __init__(self, numerator: Jacobian) -> None:
        if isinstance(numerator, Denominator):
            raise LayoutError(f"Denominator: {numerator.structure} is in denominator layout already")
        numerator = a_jacobian(numerator, "Denominator", "the numerator")
        super().__init__(numerator.codomain, numerator.domain, numerator)

    @property
    def numerator(self) -> Jacobian:
        """The same map in numerator layout."""
        return self.inner

    def _with_order(self, order: Order | None) -> Denominator:
        return self if order == self.order else Denominator(self.inner._with_order(order))

    @property
    def shape(self) -> tuple[int, int]:
        """The matrix's shape in denominator layout: (size of domain, size of codomain)."""
        return self.inner.shape[::-1]

    def _as_arrays(self, matrix: Array, order: Order) -> Array:
        return self.inner._as_arrays(matrix.T, order)

    def _fill_within(self, out: Array, limit: int) -> None:
        self.inner._fill_within(out, limit)

    def to_sparse(self, order: Order | None = None, *, limit: int = DENSE_LIMIT) -> csr_array:
        """Return the matrix (inputs × outputs) as a SciPy sparse array."""
        return self.inner.to_sparse(self._order(order, "to_sparse"), limit=limit).T.tocsr()

    def _matrix_action(self, x: Array, *, transposed: bool) -> Array:
        return self.inner._matrix_action(x, transposed=not transposed)

    def _row_norms(self) -> Array:
        return self.inner._row_norms()

    def _gram(self) -> Array:
        return self.inner._gram()

    def _least_bytes(self) -> int:
        return self.inner._least_bytes()

    def _jvp(self, tangent: Array) -> Array:
        return self.inner._jvp(tangent)

    def _vjp(self, cotangent: Array) -> Array:
        return self.inner._vjp(cotangent)

    def _transpose(self) -> Jacobian:
        return Denominator(self.inner.T)

    def _sparse(self) -> csr_array:
        return self.inner._sparse()

    @property
    def structure(self) -> str:
        return f"Denominator[{self.inner.structure}]"
