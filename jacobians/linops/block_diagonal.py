"""One block per example: the shape that a map of single examples gives to its mini-batch Jacobian."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jacobians.arrays import Array, Shape, as_float, size_of
from jacobians.errors import ShapeError
from jacobians.linops.base import Jacobian
from jacobians.linops.entries import diagonal_view
from jacobians.linops.kernels import norms

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["BlockDiagonal"]


class BlockDiagonal(Jacobian):
    """yₙ = Bₙ xₙ for every example n: one (p×q) block each, the arrays that `vmap(jacrev)` returns.

    Parameters
    ----------
    blocks : ndarray, shape (N, p, q)
    codomain, domain : tuple of int
        With the N examples along `axis`; the other axes of one example have p and q entries.
    axis : {0, -1}
        Where the examples are counted: 0 for a batch in rows, -1 in columns.

    Raises
    ------
    ShapeError
        If blocks, shapes and axis do not fit.

    Examples
    --------
    >>> J = BlockDiagonal(np.arange(12.0).reshape(2, 2, 3), (2, 2), (2, 3))
    >>> J
    BlockDiagonal(2 of 2×3): 4×6 float64, (2, 3) → (2, 2), 96 B
    >>> J.jvp(np.ones((2, 3)))
    array([[ 3., 12.],
           [21., 30.]])
    """

    __slots__ = ("axis", "blocks")

    def __init__(self, blocks: Array, codomain: Shape, domain: Shape, axis: int = 0) -> None:
        self.blocks = as_float(blocks, "blocks", "BlockDiagonal")
        codomain, domain = tuple(codomain), tuple(domain)
        self.axis = axis
        fits = axis in (0, -1) and self.blocks.ndim == 3 and codomain and domain
        if fits:
            count, p, q = self.blocks.shape
            fits = codomain[axis] == domain[axis] == count
            fits = fits and _inner(codomain, axis) == p and _inner(domain, axis) == q
        if not fits:
            raise ShapeError(
                f"BlockDiagonal: blocks {self.blocks.shape} do not map {domain} to {codomain} with examples along "
                f"axis {axis}; expected (N, outputs of one example, inputs of one example)"
            )
        super().__init__(codomain, domain, self.blocks.dtype)

    def _act(self, blocks: Array, value: Array, into: Shape, out: Shape) -> Array:
        stack = value.shape[: value.ndim - len(into)]
        count, p, q = blocks.shape
        if self.axis == 0:
            rows = value.reshape(*stack, count, q)
        else:
            rows = value.reshape(*stack, q, count).swapaxes(-1, -2)
        if p == 1:
            image = np.einsum("nq,...nq->...n", blocks[:, 0], rows)[..., None]
        elif q == 1:
            image = blocks[:, :, 0] * rows
        else:
            image = np.matmul(blocks, rows[..., None])[..., 0]
        return image.reshape(stack + out) if self.axis == 0 else image.swapaxes(-1, -2).reshape(stack + out)

    def _jvp(self, tangent: Array) -> Array:
        return self._act(self.blocks, tangent, self.domain, self.codomain)

    def _vjp(self, cotangent: Array) -> Array:
        return self._act(self.blocks.transpose(0, 2, 1), cotangent, self.codomain, self.domain)

    def _row_norms(self) -> Array:
        each = norms(self.blocks)
        return (each if self.axis == 0 else each.T).reshape(self.codomain)

    def _gram(self) -> Array:
        """One block Bₙ Bₙᵀ for each example."""
        products = np.matmul(self.blocks, self.blocks.transpose(0, 2, 1))
        return BlockDiagonal(products, self.codomain, self.codomain, self.axis)._dense()

    def _transpose(self) -> Jacobian:
        return BlockDiagonal(self.blocks.transpose(0, 2, 1), self.domain, self.codomain, self.axis)

    def _places(self) -> tuple[Array, Array]:
        """Flat C-order places of each example's outputs (N, p) and inputs (N, q)."""
        return _places(self.codomain, self.axis), _places(self.domain, self.axis)

    def _keeps_examples(self, axis: int) -> bool:
        return axis == self.axis

    def _blocks(self, axis: int) -> Array:
        return self.blocks

    def _fill(self, out: Array) -> None:
        rows = [*range(1, len(self.codomain))]
        columns = [*range(len(self.codomain), out.ndim - 1)]
        left, right = ([0, *rows], [0, *columns]) if self.axis == 0 else ([*rows, 0], [*columns, 0])
        blocks = diagonal_view(out, left, right, [0, *rows, *columns])
        out[...] = 0
        blocks[...] = self.blocks.reshape(blocks.shape)

    def _sparse(self) -> csr_array:
        from scipy.sparse import coo_array

        rows, columns = np.broadcast_arrays(
            *(p[:, :, None] if i == 0 else p[:, None, :] for i, p in enumerate(self._places()))
        )
        return coo_array((self.blocks.ravel(), (rows.ravel(), columns.ravel())), shape=self.shape).tocsr()

    def _diagonal(self) -> Array:
        if self.codomain != self.domain:
            return super()._diagonal()
        out = np.empty(self.shape[0], dtype=self.dtype)
        out[self._places()[0]] = np.diagonal(self.blocks, axis1=1, axis2=2)
        return out

    @property
    def structure(self) -> str:
        count, p, q = self.blocks.shape
        return f"BlockDiagonal({count} of {p}×{q})"

    @property
    def flops(self) -> int:
        return 2 * self.blocks.size

    @property
    def arrays(self) -> tuple[Array, ...]:
        return (self.blocks,)


def _inner(shape: Shape, axis: int) -> int:
    return size_of(shape[1:] if axis == 0 else shape[:-1])


def _places(shape: Shape, axis: int) -> Array:
    flat = np.arange(size_of(shape)).reshape(shape)
    count = shape[axis]
    inner = _inner(shape, axis)
    return flat.reshape(count, inner) if axis == 0 else flat.reshape(inner, count).T
