"""A chain of Jacobians, lazy and flat."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from jacobians.arrays import Array, common_dtype
from jacobians.layout import Order
from jacobians.linops.chain_views import chain_diagonal, chain_gram, chain_row_norms
from jacobians.linops.jacobian import Jacobian, Leaf
from jacobians.linops.planning import (
    Beginning,
    Bracketing,
    Plan,
    Way,
    fill,
    least_bytes,
    make_plan,
    multiplied_blocks,
    within,
)

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["Product"]


class Product(Jacobian):
    """J₁ J₂ … Jₖ, never multiplied out unasked: forward and reverse mode are its two ends.

    Made by ``@``; the constructor trusts that neighbours fit.

    Parameters
    ----------
    factors : tuple of Jacobian
        At least two, none a product.

    Examples
    --------
    >>> import numpy as np
    >>> from jacobians.linops import Diagonal, Kronecker
    >>> J = Diagonal(np.ones((4, 3))) @ Kronecker(4, np.ones((3, 2)))
    >>> J
    Diagonal(4×3) @ Kronecker(I₄, 3×2): 12×8 float64, (4, 2) → (4, 3), 144 B
    """

    __slots__ = ("_ways", "factors")

    def __init__(self, factors: tuple[Jacobian, ...]) -> None:
        self.factors = factors
        self._ways: dict[int | None, Way] = {}
        super().__init__(
            factors[0].codomain,
            factors[-1].domain,
            common_dtype(*(f.dtype for f in factors)),
        )

    def _jvp(self, tangent: Array) -> Array:
        for factor in reversed(self.factors):
            tangent = factor._jvp(tangent)
        return tangent

    def _vjp(self, cotangent: Array) -> Array:
        for factor in self.factors:
            cotangent = factor._vjp(cotangent)
        return cotangent

    def _with_leaves(self, leaf: Leaf, inner: Callable[[Jacobian], Jacobian]) -> Jacobian:
        return Product(tuple(map(inner, self.factors)))

    def _written(self, write: Any, order: Order) -> str | None:
        texts = [factor._written(write, order) for factor in self.factors]
        return None if None in texts else str(write.join(texts))

    def plan(self, *, limit: int | None = None) -> Plan:
        """Return the bracketing of least cost for the dense matrix, priced by structure.

        Parameters
        ----------
        limit : int, optional
            Bytes that the arrays which are built, the matrix among them, may take at one time.

        Raises
        ------
        TooLargeError
            If no bracketing stays within the limit.

        Examples
        --------
        >>> import numpy as np
        >>> from jacobians.linops import Diagonal, Kronecker
        >>> J = Kronecker(5, np.ones((2, 3))) @ Diagonal(np.ones((5, 3))) @ Kronecker(np.ones((5, 4)), 3)
        >>> print(J.plan())
        ([0 1] 2): 150 operations, peak 1.2 KiB (forward 960, reverse 150)
        """
        return make_plan(self.factors, limit, self._best())

    def _best(self) -> Way:
        self._price(None)
        return self._ways[None]

    def _price(self, before: Bracketing | None) -> Bracketing | None:
        if None not in self._ways:
            before = before.of(self.factors) if before else Bracketing(self.factors)
            (self._ways[None],) = before.ways(0, len(self.factors) - 1)
        return before

    def _dense_bytes(self) -> int:
        return self._best().peak

    def _least_bytes(self) -> int:
        return least_bytes(self.factors)

    def _factors(self) -> tuple[Jacobian, ...]:
        return self.factors

    def _row_norms(self) -> Array:
        found = chain_row_norms(self.factors)
        return super()._row_norms() if found is None else found.astype(self.dtype, copy=False)

    def _gram(self) -> Array:
        found = chain_gram(self.factors)
        return super()._gram() if found is None else found.astype(self.dtype, copy=False)

    def _diagonal(self) -> Array:
        found = chain_diagonal(self.factors)
        return super()._diagonal() if found is None else found.ravel().astype(self.dtype, copy=False)

    def _transpose(self) -> Jacobian:
        return Product(tuple(f.T for f in reversed(self.factors)))

    def _fill(self, out: Array) -> None:
        fill(self.factors, self._best().bracket, out)

    def _fill_after(self, out: Array, begun: Beginning) -> None:
        fill(self.factors, self._best().bracket, out, begun)

    def _fill_within(self, out: Array, limit: int) -> None:
        best = self._best()
        way = best if best.peak <= limit else within(self.factors, limit)
        fill(self.factors, way.bracket, out)

    def _keeps_examples(self, axis: int) -> bool:
        return all(f._keeps_examples(axis) for f in self.factors)

    def _blocks(self, axis: int) -> Array:
        if axis not in self._ways:
            (self._ways[axis],) = Bracketing(self.factors).ways(0, len(self.factors) - 1, axis)
        return multiplied_blocks(self.factors, self._ways[axis].bracket, axis, self.dtype)

    def _sparse(self) -> csr_array:
        result = self.factors[0]._sparse()
        for factor in self.factors[1:]:
            result = result @ factor._sparse()
        return result.astype(self.dtype)

    @property
    def structure(self) -> str:
        return " @ ".join(f"({f.structure})" if " + " in f.structure else f.structure for f in self.factors)

    @property
    def flops(self) -> int:
        return sum(f.flops for f in self.factors)

    @property
    def arrays(self) -> tuple[Array, ...]:
        return tuple(a for f in self.factors for a in f.arrays)
