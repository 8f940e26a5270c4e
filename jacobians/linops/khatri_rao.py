"""The row-wise Kronecker product: Jacobians by a weight of things that each belong to one example."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jacobians.arrays import Array, as_array, as_float, size_of
from jacobians.errors import ShapeError
from jacobians.linops.base import Jacobian
from jacobians.linops.kernels import matmul, norms, outer, total
from jacobians.linops.transposed import Transposed

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["KhatriRao"]


class KhatriRao(Jacobian):
    r"""V ↦ (lᵣᵀ V rᵣ) for every row r: the matrix whose row r is :math:`l_r \otimes r_r`.

    For per-example losses by a weight matrix, row n is δₙ ⊗ xₙ: per-example gradients, held as two factors of
    size N·(out + in) in place of N·out·in (Goodfellow 2015, arXiv:1510.01799).

    Parameters
    ----------
    left : ndarray, shape (*codomain, a)
    right : ndarray, shape (*codomain, b)
        Axes of length 1 are broadcast against the other factor's.

    Raises
    ------
    ShapeError
        If the leading axes do not broadcast.

    Examples
    --------
    >>> delta, X = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 0.0, 5.0], [0.0, 1.0, 6.0]])
    >>> KhatriRao(delta, X)
    KhatriRao(2×2, 2×3): 2×6 float64, (2, 3) → (2,), 80 B
    >>> KhatriRao(delta, X).to_dense()[1]
    array([ 0.,  3., 18.,  0.,  4., 24.])
    """

    __slots__ = ("left", "right")

    def __init__(self, left: Array, right: Array) -> None:
        self.left = as_float(left, "left", "KhatriRao")
        self.right = as_float(right, "right", "KhatriRao")
        if self.left.ndim != self.right.ndim or self.left.ndim < 1:
            raise ShapeError(f"KhatriRao: factors {self.left.shape} and {self.right.shape} must be of equal rank ≥ 1")
        try:
            codomain = np.broadcast_shapes(self.left.shape[:-1], self.right.shape[:-1])
        except ValueError:
            raise ShapeError(
                f"KhatriRao: factors {self.left.shape} and {self.right.shape} must agree in all axes but the last"
            ) from None
        domain = (self.left.shape[-1], self.right.shape[-1])
        super().__init__(codomain, domain, np.result_type(self.left, self.right))

    def _jvp(self, tangent: Array) -> Array:
        stack = tangent.shape[:-2]
        flat = tangent.reshape(size_of(stack), *self.domain)
        out = np.empty_like(tangent, order="C", shape=(flat.shape[0], *self.codomain))
        for i, matrix in enumerate(flat):
            out[i] = (self.left * matmul(self.right, matrix.T)).sum(axis=-1)
        return out.reshape(stack + self.codomain)

    def _vjp(self, cotangent: Array) -> Array:
        stack = cotangent.shape[: cotangent.ndim - len(self.codomain)]
        flat = cotangent.reshape(size_of(stack), *self.codomain)
        out = np.empty_like(cotangent, order="C", shape=(flat.shape[0], *self.domain))
        for i, c in enumerate(flat):
            out[i] = self._weighted(c)
        return out.reshape(stack + self.domain)

    def _weighted(self, c: Array) -> Array:
        """Σᵣ cᵣ lᵣ rᵣᵀ, summed first over the axes along which one factor is constant."""
        left, right, weight = self.left, self.right, c[..., None]
        left = _reduced(weight * left, right)
        rows = size_of(left.shape[:-1])
        return matmul(left.reshape(rows, left.shape[-1]).T, right.reshape(rows, right.shape[-1]))

    def _row_norms(self) -> Array:
        """‖lᵣ ⊗ rᵣ‖ = ‖lᵣ‖ ‖rᵣ‖."""
        return as_array(norms(self.left) * norms(self.right))

    def _gram(self) -> Array:
        """⟨lᵣ ⊗ rᵣ, lₛ ⊗ rₛ⟩ = ⟨lᵣ, lₛ⟩ ⟨rᵣ, rₛ⟩: the entries of LLᵀ ∘ RRᵀ."""
        products: Array | float = 1.0
        for factor in (self.left, self.right):
            rows = factor.reshape(size_of(factor.shape[:-1]), factor.shape[-1])
            inner = matmul(rows, rows.T).reshape(factor.shape[:-1] * 2)
            products = products * inner
        return as_array(products).reshape(self.shape[0], self.shape[0])

    def _transpose(self) -> Jacobian:
        return Transposed(self)

    def _fill(self, out: Array) -> None:
        outer(self.left, self.right, out)

    def _sparse(self) -> csr_array:
        return self._full_sparse()

    @property
    def structure(self) -> str:
        left, right = ("×".join(map(str, a.shape)) for a in (self.left, self.right))
        return f"KhatriRao({left}, {right})"

    @property
    def flops(self) -> int:
        (a, b), rows = self.domain, self.shape[0]
        return 2 * a * b * size_of(self.right.shape[:-1]) + 2 * a * rows

    @property
    def arrays(self) -> tuple[Array, ...]:
        return (self.left, self.right)


def _reduced(weighted: Array, other: Array) -> Array:
    """`weighted` summed over the leading axes in which `other` has length 1."""
    axes = tuple(i for i, n in enumerate(other.shape[:-1]) if n == 1 and weighted.shape[i] != 1)
    return total(weighted, axes) if axes else weighted
