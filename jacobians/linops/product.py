"""A chain of Jacobians, lazy and flat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jacobians.arrays import Array, common_dtype
from jacobians.linops.base import Jacobian
from jacobians.linops.chain_diagonal import chain_diagonal
from jacobians.linops.chain_rows import chain_gram, chain_row_norms
from jacobians.linops.examples import example_axes
from jacobians.linops.plan import Plan, execute, largest_bytes, make_plan

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
    >>> from jacobians.linops import Diagonal, Kronecker
    >>> J = Diagonal(np.ones((4, 3))) @ Kronecker(4, np.ones((3, 2)))
    >>> J
    Diagonal(4×3) @ Kronecker(I₄, 3×2): 12×8 float64, (4, 2) → (4, 3), 144 B
    """

    __slots__ = ("_plan", "factors")

    def __init__(self, factors: tuple[Jacobian, ...]) -> None:
        self.factors = factors
        self._plan: Plan | None = None
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

    def plan(self) -> Plan:
        """Return the bracketing of least cost for the dense matrix, priced by structure."""
        if self._plan is None:
            self._plan = make_plan(self.factors)
        return self._plan

    def _largest_bytes(self) -> int:
        return largest_bytes(self.factors, self.plan())

    def _factors(self) -> tuple[Jacobian, ...]:
        return self.factors

    def _example_axes(self) -> frozenset[int]:
        return example_axes(self.factors)

    def _row_norms(self) -> Array:
        found = chain_row_norms(self.factors)
        return super()._row_norms() if found is None else found.astype(self.dtype, copy=False)

    def _gram(self) -> Array:
        found = chain_gram(self.factors)
        return super()._gram() if found is None else found.astype(self.dtype, copy=False)

    def _diagonal(self) -> Array:
        found = chain_diagonal(self.factors) if self.codomain == self.domain else None
        return super()._diagonal() if found is None else found.ravel().astype(self.dtype, copy=False)

    def _transpose(self) -> Jacobian:
        return Product(tuple(f.T for f in reversed(self.factors)))

    def _dense(self) -> Array:
        return execute(self.factors, self.plan())

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
