"""A Kronecker product for each place along leading axes: products of matrices by example, by head or by group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from jacobians.arrays import SUBSCRIPTS, Array, Shape, a_whole_number, as_float, as_shape, show_shape, size_of
from jacobians.errors import ShapeError
from jacobians.linops.jacobian import Jacobian
from jacobians.linops.kernels import matmul, matmul_into, norms
from jacobians.linops.nonzeros import Nonzeros
from jacobians.linops.unrolling import diagonal_view

if TYPE_CHECKING:
    from scipy.sparse import csr_array


class BatchedKronecker(Jacobian):
    r"""Vₗ ↦ Aₗ Vₗ Bₗᵀ for every place l along leading axes: one :math:`A_l \otimes B_l` a block on the diagonal.

    A `Kronecker` has one pair of factors for a whole batch. Here each example has its own product, as in attention, or
    each group of channels, as in a grouped convolution.

    Parameters
    ----------
    left : ndarray, shape (*lead, p, n), or int
        A, or the size of an identity.
    right : ndarray, shape (*lead, r, q), or int
        B, or the size of an identity. Leading axes of length 1 are the same for all.
    lead : tuple of int, optional
        The leading axes; those that the factors broadcast to unless given.
    dtype : dtype, optional
        Used where both factors are identities.

    Raises
    ------
    ShapeError
        If a factor is not a stack of matrices, or the leading axes do not broadcast to `lead`.

    Examples
    --------
    >>> K = np.arange(12.0).reshape(2, 3, 2)                  # keys of two examples, three each
    >>> J = BatchedKronecker(4, K)                           # Qₙ ↦ Qₙ Kₙᵀ for four queries each
    >>> J
    BatchedKronecker(2 of I₄, 2×3×2): 24×16 float64, (2, 4, 2) → (2, 4, 3), 96 B
    >>> Q = np.ones((2, 4, 2))
    >>> bool((J.jvp(Q) == Q @ K.transpose(0, 2, 1)).all())
    True
    """

    __slots__ = ("lead", "left", "right")
    _rule = ("products by example", "Every example has its own product")

    def __init__(
        self, left: Array | int, right: Array | int, lead: Shape | None = None, dtype: npt.DTypeLike = np.float64
    ) -> None:
        self.left, self.right = (_stack(f, n) for f, n in ((left, "left"), (right, "right")))
        given = [f for f in (self.left, self.right) if not isinstance(f, int)]
        leads = [f.shape[:-2] for f in given]
        try:
            found = np.broadcast_shapes(*leads)
            self.lead = found if lead is None else as_shape(lead, "lead", "BatchedKronecker")
            fits = np.broadcast_shapes(found, self.lead) == self.lead
        except ValueError:
            fits = False
        if not fits:
            raise ShapeError(
                f"BatchedKronecker: leading axes {' and '.join(map(str, leads))} do not broadcast"
                + (f" to {lead}" if lead is not None else "")
            )
        (p, n), (r, q) = ((f, f) if isinstance(f, int) else f.shape[-2:] for f in (self.left, self.right))
        dtype = np.result_type(*given) if given else np.dtype(dtype)
        super().__init__((*self.lead, p, r), (*self.lead, n, q), dtype)

    def _jvp(self, tangent: Array) -> Array:
        out = tangent
        if not isinstance(self.left, int):
            out = matmul(self.left, out)
        return out if isinstance(self.right, int) else matmul(out, self.right.swapaxes(-1, -2))

    def _vjp(self, cotangent: Array) -> Array:
        out = cotangent
        if not isinstance(self.left, int):
            out = matmul(self.left.swapaxes(-1, -2), out)
        return out if isinstance(self.right, int) else matmul(out, self.right)

    def vjp_into(self, cotangent: Array, out: Array) -> None:
        """Write the vjp into an array; where one factor is an identity, the product is written there itself."""
        if isinstance(self.left, int) and not isinstance(self.right, int):
            matmul_into(cotangent, self.right, out)
        elif isinstance(self.right, int) and not isinstance(self.left, int):
            matmul_into(self.left.swapaxes(-1, -2), cotangent, out)
        else:
            out[...] = self._vjp(cotangent)

    def _transpose(self) -> Jacobian:
        left, right = (f if isinstance(f, int) else f.swapaxes(-1, -2) for f in (self.left, self.right))
        return BatchedKronecker(left, right, self.lead, self.dtype)

    def _keeps_examples(self, axis: int) -> bool:
        return axis == 0 and bool(self.lead)

    def _parts(self) -> tuple[Array, Array]:
        """Both factors of every place, identities written out: (L, p, n) and (L, r, q)."""
        places = size_of(self.lead)
        out = []
        for f in (self.left, self.right):
            matrix = np.eye(f, dtype=self.dtype) if isinstance(f, int) else f
            out.append(np.broadcast_to(matrix, (*self.lead, *matrix.shape[-2:])).reshape(places, *matrix.shape[-2:]))
        return out[0], out[1]

    def _row_norms(self) -> Array:
        left, right = map(norms, self._parts())
        return (left[:, :, None] * right[:, None, :]).reshape(self.codomain)

    def _fill(self, out: Array) -> None:
        k = len(self.lead)
        lead, (p, r, n, q) = [*range(k)], range(k, k + 4)
        out[...] = 0
        blocks = diagonal_view(out, [*lead, p, r], [*lead, n, q], [*lead, p, r, n, q])
        left, right = (f.reshape(*self.lead, *f.shape[1:]) for f in self._parts())
        blocks[...] = left[..., :, None, :, None] * right[..., None, :, None, :]

    def _sparse(self) -> csr_array:
        from scipy.sparse import block_diag, csr_array, kron

        pairs = list(zip(*self._parts(), strict=True))
        if not pairs:
            return csr_array(self.shape, dtype=self.dtype)
        return csr_array(block_diag([kron(csr_array(a), csr_array(b)) for a, b in pairs]), dtype=self.dtype)

    def _nonzeros(self) -> Nonzeros:
        (_, p, n), (_, r, q) = (f.shape for f in self._parts())
        sides = [
            Nonzeros.of(f) if isinstance(f, int) else Nonzeros.full(shape)
            for f, shape in ((self.left, (p, n)), (self.right, (r, q)))
        ]
        return Nonzeros.of(size_of(self.lead)).kron(sides[0].kron(sides[1]))

    @property
    def structure(self) -> str:
        left, right = (
            f"I{f}".translate(SUBSCRIPTS) if isinstance(f, int) else show_shape(f.shape)
            for f in (self.left, self.right)
        )
        return f"BatchedKronecker({show_shape(self.lead)} of {left}, {right})"

    @property
    def flops(self) -> int:
        *_, p, r = self.codomain
        *_, n, q = self.domain
        left = 0 if isinstance(self.left, int) else 2 * p * n * q
        right = 0 if isinstance(self.right, int) else 2 * p * q * r
        return size_of(self.lead) * (left + right)

    @property
    def arrays(self) -> tuple[Array, ...]:
        return tuple(f for f in (self.left, self.right) if not isinstance(f, int))


def _stack(factor: Array | int, name: str) -> Array | int:
    if isinstance(factor, (int, np.integer)):
        return a_whole_number(factor, f"the {name} factor", "BatchedKronecker", 0)
    array = as_float(factor, name, "BatchedKronecker")
    if array.ndim < 2:
        raise ShapeError(
            f"BatchedKronecker: the {name} factor has shape {array.shape}; expected a stack of matrices, or an "
            "identity's size"
        )
    return array
