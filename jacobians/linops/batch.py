"""One block per example, and the row-wise Kronecker product of things that each belong to one example."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from jacobians.arrays import Array, Shape, as_array, as_float, as_shape, format_bytes, show_shape, size_of
from jacobians.errors import LayoutError, ShapeError
from jacobians.layout import Order
from jacobians.linops.by_example import common_axes, example_size, split
from jacobians.linops.jacobian import Jacobian
from jacobians.linops.kernels import matmul, norms, one_by_one, outer, total
from jacobians.linops.kronecker import Kronecker
from jacobians.linops.matrix_views import DENSE_LIMIT
from jacobians.linops.nonzeros import Nonzeros
from jacobians.linops.unrolling import diagonal_view
from jacobians.linops.wrappers import Denominator, Transposed

if TYPE_CHECKING:
    from scipy.sparse import csr_array


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
    _stores_blocks = True

    def __init__(self, blocks: Array, codomain: Shape, domain: Shape, axis: int = 0) -> None:
        self.blocks = as_float(blocks, "blocks", "BlockDiagonal")
        codomain, domain = (
            as_shape(shape, name, "BlockDiagonal") for shape, name in ((codomain, "codomain"), (domain, "domain"))
        )
        self.axis = axis
        fits = axis in (0, -1) and self.blocks.ndim == 3 and codomain and domain
        if fits:
            count, p, q = self.blocks.shape
            fits = codomain[axis] == domain[axis] == count
            fits = fits and example_size(codomain, axis) == p and example_size(domain, axis) == q
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
            image = rows * blocks[:, :, 0]
        else:
            image = (blocks @ rows[..., None])[..., 0]
        return image.reshape(stack + out) if self.axis == 0 else image.swapaxes(-1, -2).reshape(stack + out)

    def _jvp(self, tangent: Array) -> Array:
        return self._act(self.blocks, tangent, self.domain, self.codomain)

    def _vjp(self, cotangent: Array) -> Array:
        return self._act(self.blocks.transpose(0, 2, 1), cotangent, self.codomain, self.domain)

    def _written(self, write: Any, order: Order) -> str | None:
        if 1 not in self.blocks.shape[1:]:
            return None
        # told by rank: with one output and one input for each example both sides of a block are 1
        column = len(self.codomain) > len(self.domain)
        return str(write.of_examples(self._as_batch(), self.axis % 2, order, column))

    def _as_batch(self) -> Array:
        """The rows, or the columns, of all examples in the layout of the batch."""
        count, p, q = self.blocks.shape
        rows, shape = self.blocks.reshape(count, p * q), max(self.domain, self.codomain, key=len)
        return (rows if self.axis == 0 else rows.swapaxes(0, 1)).reshape(shape)

    def _step(self, row: str, image: str, write: Any, order: Order) -> tuple[str, str]:
        own = write.row(write.expr(self._as_batch()), order)
        return (
            "one loss per example",
            f"Example n's loss depends on example n alone: 1ᵀ {write.matrix(self, order)} = {own}.",
        )

    def _row_norms(self) -> Array:
        each = norms(self.blocks)
        return (each if self.axis == 0 else each.T).reshape(self.codomain)

    def _gram(self) -> Array:
        """One block Bₙ Bₙᵀ for each example."""
        products = np.matmul(self.blocks, self.blocks.transpose(0, 2, 1))
        return BlockDiagonal(products, self.codomain, self.codomain, self.axis)._dense()

    def _transpose(self) -> Jacobian:
        return BlockDiagonal(self.blocks.transpose(0, 2, 1), self.domain, self.codomain, self.axis)

    def _by_example(self, entries: Array, shape: Shape) -> Array:
        """The entries of an array of this shape, (N, entries of one example)."""
        return split(entries[None], shape, self.axis)[0]

    def _keeps_examples(self, axis: int) -> bool:
        return axis == self.axis

    def _blocks(self, axis: int) -> Array:
        return self.blocks

    def _times_blocks(self, blocks: Array, axis: int) -> Array:
        return matmul(self.blocks, blocks)

    def _blocks_times(self, blocks: Array, axis: int) -> Array:
        return matmul(blocks, self.blocks)

    def _fill(self, out: Array) -> None:
        rows = [*range(1, len(self.codomain))]
        columns = [*range(len(self.codomain), out.ndim - 1)]
        left, right = ([0, *rows], [0, *columns]) if self.axis == 0 else ([*rows, 0], [*columns, 0])
        blocks = diagonal_view(out, left, right, [0, *rows, *columns])
        out[...] = 0
        blocks[...] = self.blocks.reshape(blocks.shape)

    def _sparse(self) -> csr_array:
        from scipy.sparse import coo_array

        index = (self._by_example(np.arange(size_of(shape)), shape) for shape in (self.codomain, self.domain))
        rows, columns = np.broadcast_arrays(next(index)[:, :, None], next(index)[:, None, :])
        return coo_array((self.blocks.ravel(), (rows.ravel(), columns.ravel())), shape=self.shape).tocsr()

    def _nonzeros(self) -> Nonzeros:
        _, p, q = self.blocks.shape
        return Nonzeros(self.blocks.size, q, p)

    def _diagonal(self) -> Array:
        if self.codomain != self.domain:
            return super()._diagonal()
        out = np.empty(self.shape[0], dtype=self.dtype)
        out[self._by_example(np.arange(out.size), self.domain)] = np.diagonal(self.blocks, axis1=1, axis2=2)
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


class KhatriRao(Jacobian):
    r"""V ↦ (lᵣᵀ V rᵣ) for every row r: the matrix whose row r is :math:`l_r \otimes r_r`.

    For per-example losses with respect to a weight matrix, row n is δₙ ⊗ xₙ: per-example gradients, held as two factors
    of size N·(out + in) in place of N·out·in (Goodfellow 2015, arXiv:1510.01799).

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
        self.left, self.right, codomain = paired_factors(left, right, "KhatriRao", rank=1)
        domain = (self.left.shape[-1], self.right.shape[-1])
        super().__init__(codomain, domain, np.result_type(self.left, self.right))

    def _jvp(self, tangent: Array) -> Array:
        return one_by_one(self._paired, tangent, self.domain, self.codomain)

    def _paired(self, matrix: Array) -> Array:
        """lᵣᵀ V rᵣ for every row r."""
        return as_array((self.left * matmul(self.right, matrix.T)).sum(axis=-1))

    def _vjp(self, cotangent: Array) -> Array:
        return one_by_one(self._weighted, cotangent, self.codomain, self.domain)

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

    @property
    def structure(self) -> str:
        return f"KhatriRao({show_shape(self.left.shape)}, {show_shape(self.right.shape)})"

    @property
    def flops(self) -> int:
        (a, b), rows = self.domain, self.shape[0]
        return 2 * a * b * size_of(self.right.shape[:-1]) + 2 * a * rows

    @property
    def arrays(self) -> tuple[Array, ...]:
        return (self.left, self.right)


def paired_factors(left: Array, right: Array, owner: str, rank: int) -> tuple[Array, Array, Shape]:
    """Return the two factors of row-wise products, and the shape of all axes but the last after broadcasting.

    Parameters
    ----------
    left, right : ndarray
    owner : str
        The structure, for the error.
    rank : int
        The least number of axes.

    Raises
    ------
    ShapeError
        If the ranks differ or are too low, or the leading axes do not broadcast.
    """
    left, right = as_float(left, "left", owner), as_float(right, "right", owner)
    if left.ndim != right.ndim or left.ndim < rank:
        raise ShapeError(f"{owner}: factors {left.shape} and {right.shape} must be of equal rank ≥ {rank}")
    try:
        return left, right, np.broadcast_shapes(left.shape[:-1], right.shape[:-1])
    except ValueError:
        raise ShapeError(
            f"{owner}: factors {left.shape} and {right.shape} must agree in all axes but the last"
        ) from None


def _reduced(weighted: Array, other: Array) -> Array:
    """`weighted` summed over the leading axes in which `other` has length 1."""
    axes = tuple(i for i, n in enumerate(other.shape[:-1]) if n == 1 and weighted.shape[i] != 1)
    return total(weighted, axes) if axes else weighted


def block_diagonal(jacobian: Jacobian, axis: int | None = None, *, limit: int = DENSE_LIMIT) -> BlockDiagonal:
    """Return the same map with its blocks multiplied out, one (p×q) block for each example.

    Its `blocks`, of shape (N, p, q), are what `vmap(jacrev)` returns, and its matrix is written from them.

    Parameters
    ----------
    axis : {0, -1}, optional
        Where the examples are counted; 0 unless given, or -1 where the structure keeps only that axis apart.
    limit : int
        Bytes above which nothing is allocated.

    Raises
    ------
    TooLargeError
        If the blocks, with the arrays on the way to them, would take more than `limit` bytes.
    LayoutError
        If the structure does not keep the examples apart along the axis, or is in denominator layout.

    Examples
    --------
    >>> from jacobians.linops import Diagonal, Kronecker
    >>> J = Kronecker(5, np.ones((2, 3))) @ Diagonal(np.ones((5, 3)))
    >>> J.block_diagonal()
    BlockDiagonal(5 of 2×3): 10×15 float64, (5, 3) → (5, 2), 240 B
    """
    if isinstance(jacobian, Denominator):
        raise LayoutError(
            f"block_diagonal: {jacobian.structure} is in denominator layout; take its numerator.block_diagonal()"
        )
    axes = [a for a in common_axes(jacobian) if axis in (None, a)]
    if not axes:
        where = "axis 0 or -1" if axis is None else f"axis {axis}"
        raise LayoutError(
            f"block_diagonal: {jacobian.structure} maps {jacobian.domain} to {jacobian.codomain}, and its structure "
            f"does not keep examples along {where} apart; only a map of single examples has blocks. Take to_dense() or "
            "to_sparse()"
        )
    if isinstance(jacobian, BlockDiagonal):
        return jacobian
    needed = jacobian._blocks_bytes(axes[0])
    jacobian._refuse_over(limit, needed, "block_diagonal", f"{format_bytes(needed)} in blocks", "to_sparse(), ")
    blocks = jacobian._in_one_dtype()._blocks(axes[0])
    if len(blocks) != jacobian.domain[axes[0]]:
        blocks = np.repeat(blocks, jacobian.domain[axes[0]], axis=0)
    return BlockDiagonal(blocks, jacobian.codomain, jacobian.domain, axes[0])._with_order(jacobian.order)


def blocks_times_inputs(left: BlockDiagonal, inputs: Array) -> KhatriRao:
    """Bₙ times X ⊗ I, or I ⊗ X in columns, for inputs X of shape (N, …) and a codomain of one or two axes."""
    # rows are indexed by (n, i) or (i, n); the factor that belongs to the example alone is broadcast over i
    delta, data = left.blocks, inputs[:, None, :]
    if len(left.codomain) == 1:
        delta, data = delta[:, 0], data[:, 0]
    elif left.axis == -1:
        delta, data = delta.swapaxes(0, 1), data.swapaxes(0, 1)
    return KhatriRao(data, delta) if left.axis == 0 else KhatriRao(delta, data)


def blocks_and_inputs(rows: KhatriRao) -> tuple[BlockDiagonal, Kronecker] | None:
    """The blocks and the X ⊗ I, or I ⊗ X for examples in columns, whose product the algebra writes as these rows.

    None where neither factor belongs to the example alone.
    """
    left, right = rows.left, rows.right
    (a, b), codomain = rows.domain, rows.codomain
    if len(codomain) == 1 and left.shape[0] == right.shape[0]:
        return BlockDiagonal(right[:, None, :], codomain, (codomain[0], b)), Kronecker(left, b)
    if len(codomain) == 2 and left.shape[:2] == (codomain[0], 1) and right.shape[:2] == codomain:
        return BlockDiagonal(right, codomain, (codomain[0], b)), Kronecker(left[:, 0], b)
    if len(codomain) == 2 and right.shape[:2] == (1, codomain[1]) and left.shape[:2] == codomain:
        return BlockDiagonal(left.swapaxes(0, 1), codomain, (a, codomain[1]), -1), Kronecker(a, right[0])
    return None
