"""The row-wise Kronecker product summed over uses or positions: per-example gradients of a weight that is shared."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from jacobians.arrays import Array, as_array, show_shape, size_of
from jacobians.linops.batch import KhatriRao, paired_factors
from jacobians.linops.by_example import STEP_BYTES
from jacobians.linops.for_each_example import FEW_BYTES
from jacobians.linops.jacobian import Jacobian
from jacobians.linops.kernels import empty, matmul, norms, one_by_one, written_out
from jacobians.linops.unrolling import slabs
from jacobians.linops.wrappers import Transposed

_CANCELLED = 2.0**-8
"""A squared norm below this part of what its terms could add up to has lost digits by inner products."""


class KhatriRaoSum(Jacobian):
    r"""V ↦ (Σₛ lᵣₛᵀ V rᵣₛ) for every row r: the matrix whose row r is :math:`\sum_s l_{rs} \otimes r_{rs}`.

    A weight that is used several times, in the steps of a recurrence or in two layers, gives each example's loss such
    a gradient: one term a use. Norms and inner products of rows need no row.

    Parameters
    ----------
    left : ndarray, shape (*codomain, S, a)
    right : ndarray, shape (*codomain, S, b)
        Axes of length 1 are broadcast against the other factor's.

    Raises
    ------
    ShapeError
        If the leading axes do not broadcast.

    Examples
    --------
    >>> left = np.array([[[1.0, 0.0], [0.0, 1.0]]])      # one row, two terms
    >>> right = np.array([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]])
    >>> J = KhatriRaoSum(left, right)
    >>> J
    KhatriRaoSum(1×2×2, 1×2×3): 1×6 float64, (2, 3) → (1,), 80 B
    >>> J.to_dense()
    array([[1., 2., 3., 4., 5., 6.]])
    """

    __slots__ = ("_count", "_inner", "_right", "left")

    def __init__(self, left: Array, right: Array) -> None:
        left, right, (*codomain, self._count) = paired_factors(left, right, "KhatriRaoSum", rank=2)
        self.left, self._right = (_in_all_terms(f, self._count) for f in (left, right))
        self._inner: int | None = None
        domain = (self.left.shape[-1], self._right.shape[-1])
        super().__init__(tuple(codomain), domain, np.result_type(self.left, self._right))

    @classmethod
    def of_windows(cls, left: Array, windows: Array, inner: int) -> KhatriRaoSum:
        r"""Return the sum whose right factor is a view of overlapping windows, written out for a few rows at a time.

        Parameters
        ----------
        left : ndarray, shape (R, S, a)
        windows : ndarray, shape (R, \*inner, \*places)
            Of any strides: so many inner axes, of b entries together, then those of the S places.
        inner : int

        Examples
        --------
        >>> windows = np.lib.stride_tricks.sliding_window_view(np.arange(4.0)[None], 2, axis=1).swapaxes(1, 2)
        >>> KhatriRaoSum.of_windows(np.ones((1, 3, 1)), windows, 1).to_dense()
        array([[3., 6.]])
        """
        rows = object.__new__(cls)
        rows.left, rows._right, rows._inner, rows._count = left, windows, inner, left.shape[1]
        domain = (left.shape[2], size_of(windows.shape[1 : 1 + inner]))
        Jacobian.__init__(rows, (len(left),), domain, np.result_type(left, windows))
        return rows

    @property
    def right(self) -> Array:
        """The right factor, whose last axes are S and b; windows are written out."""
        return self._right if self._inner is None else self._columns(slice(None))

    def _columns(self, rows: slice) -> Array:
        """The right factor of some rows, from windows: (few, S, b), with S along memory."""
        few = written_out(self._right[rows])
        return few.reshape(len(few), self.domain[1], self._count).swapaxes(1, 2)

    def _jvp(self, tangent: Array) -> Array:
        return one_by_one(self._paired, tangent, self.domain, self.codomain)

    def _paired(self, matrix: Array) -> Array:
        """Σₛ lᵣₛᵀ V rᵣₛ for every row r."""
        return as_array((self.left * matmul(self.right, matrix.T)).sum(axis=(-2, -1)))

    def _vjp(self, cotangent: Array) -> Array:
        return one_by_one(self._weighted, cotangent, self.codomain, self.domain)

    def _weighted(self, c: Array) -> Array:
        """Σᵣ cᵣ Σₛ lᵣₛ rᵣₛᵀ: each term of each row is a row of a row-wise Kronecker product."""
        weights = np.broadcast_to(c[..., None], (*self.codomain, self._count))
        return KhatriRao(self.left, self.right)._weighted(weights)

    def _flat(self) -> tuple[Array, Array]:
        """Both factors with one axis of rows, (R, S, a) and (R, S, b); views where nothing is broadcast."""
        rows = size_of(self.codomain)
        left, right = (np.broadcast_to(f, (*self.codomain, self._count, f.shape[-1])) for f in (self.left, self.right))
        return left.reshape(rows, *left.shape[-2:]), right.reshape(rows, *right.shape[-2:])

    def _by_inner_products(self) -> bool:
        """Whether S²(a + b) operations by inner products are fewer than S·a·b by rows."""
        a, b = self.domain
        return self._count * (a + b) < a * b

    def _row_norms(self) -> Array:
        """‖Σₛ lₛ ⊗ rₛ‖² = Σₛₜ ⟨lₛ, lₜ⟩⟨rₛ, rₜ⟩, or the norm of LᵀR, whichever takes fewer operations."""
        left, right = self._flat() if self._inner is None else (self.left, None)
        out = empty((len(left),), self.dtype, left)
        inner = self._by_inner_products()
        each = max(self._count**2 if inner else size_of(self.domain), self._count * self.domain[1])
        for part in slabs(len(left), each * self.dtype.itemsize, FEW_BYTES):
            find = _norms_by_inner_products if inner else _norms_by_rows
            out[part] = find(left[part], self._columns(part) if right is None else right[part])
        return out.reshape(self.codomain)

    def _gram(self) -> Array:
        """⟨Σₛ lᵢₛ ⊗ rᵢₛ, Σₜ lⱼₜ ⊗ rⱼₜ⟩ = Σₛₜ ⟨lᵢₛ, lⱼₜ⟩⟨rᵢₛ, rⱼₜ⟩."""
        left, right = self._flat()
        rows, count = len(left), self._count
        if not self._by_inner_products() and rows * size_of(self.domain) * self.dtype.itemsize <= STEP_BYTES:
            matrix = self._dense()
            return matmul(matrix, matrix.T)
        out = empty((rows, rows), self.dtype, left)
        every = [f.reshape(rows * count, f.shape[-1]).T for f in (left, right)]
        for part in slabs(rows, rows * count**2 * self.dtype.itemsize, STEP_BYTES):
            few = part.stop - part.start
            some = [f[part].reshape(few * count, f.shape[-1]) for f in (left, right)]
            products = matmul(some[0], every[0]) * matmul(some[1], every[1])
            out[part] = products.reshape(few, count, rows, count).sum(axis=(1, 3))
        return out

    def _transpose(self) -> Jacobian:
        return Transposed(self)

    def _fill(self, out: Array) -> None:
        out[...] = np.matmul(self.left.swapaxes(-1, -2), self.right)

    @property
    def structure(self) -> str:
        right = (*self.left.shape[:-1], self.domain[1]) if self._inner is not None else self._right.shape
        return f"KhatriRaoSum({show_shape(self.left.shape)}, {show_shape(right)})"

    @property
    def flops(self) -> int:
        a, rows = self.domain[0], self.shape[0] * self._count
        return 2 * a * self._right.size + 2 * a * rows

    @property
    def arrays(self) -> tuple[Array, ...]:
        return (self.left, self._right)


def _in_all_terms(factor: Array, count: int) -> Array:
    """The factor for each term; a view where all terms have the same."""
    *lead, terms, width = factor.shape
    return factor if terms == count else np.broadcast_to(factor, (*lead, count, width))


def _norms_by_rows(left: Array, right: Array) -> Array:
    # RᵀL where R is read along its terms, as columns of windows are: the product takes five sixths of the time
    turned = right.shape[-1] > 1 and right.strides[-2] < right.strides[-1]
    rows = np.matmul(right.swapaxes(-1, -2), left) if turned else np.matmul(left.swapaxes(-1, -2), right)
    return norms(rows.reshape(len(rows), size_of(rows.shape[1:])))


def _norms_by_inner_products(left: Array, right: Array) -> Array:
    """The square roots of Σₛₜ ⟨lₛ, lₜ⟩⟨rₛ, rₜ⟩; computed from the rows where cancelling terms would cost digits."""
    products = np.matmul(left, left.swapaxes(-1, -2)) * np.matmul(right, right.swapaxes(-1, -2))
    squares = products.sum(axis=(-2, -1))
    # what the terms would add up to if all pointed one way
    most = np.sqrt(np.diagonal(products, axis1=-2, axis2=-1)).sum(axis=-1) ** 2
    out = as_array(np.sqrt(np.maximum(squares, 0)))
    (cancelled,) = np.nonzero(squares < _CANCELLED * most)
    for part in slabs(len(cancelled), left.shape[-1] * right.shape[-1] * left.itemsize, STEP_BYTES):
        rows = cancelled[part]
        out[rows] = _norms_by_rows(left[rows], right[rows])
    return out


def summed(terms: Iterable[KhatriRao | KhatriRaoSum]) -> KhatriRaoSum:
    """Return the sum of row-wise Kronecker products with the same rows and the same domain, as one structure."""
    pairs = [(t.left, t.right) if isinstance(t, KhatriRaoSum) else _one_term(t) for t in terms]
    counts = [np.broadcast_shapes(left.shape[:-1], right.shape[:-1])[-1] for left, right in pairs]
    return KhatriRaoSum(*(_side_by_side(list(side), counts) for side in zip(*pairs, strict=True)))


def _one_term(rows: KhatriRao) -> tuple[Array, Array]:
    return rows.left[..., None, :], rows.right[..., None, :]


def _side_by_side(factors: list[Array], counts: list[int]) -> Array:
    """The factors of all terms along one axis; an axis that has length 1 in all terms keeps it."""
    lead = np.broadcast_shapes(*(f.shape[:-2] for f in factors))
    spread = [np.broadcast_to(f, (*lead, n, f.shape[-1])) for f, n in zip(factors, counts, strict=True)]
    return np.concatenate(spread, axis=-2)
