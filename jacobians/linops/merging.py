"""Products of two structures that are again one structure; each returns None where merging would store more."""

from __future__ import annotations

import numpy as np

from jacobians.arrays import Array, DType
from jacobians.linops.batch import BlockDiagonal, KhatriRao
from jacobians.linops.diagonal import Diagonal
from jacobians.linops.jacobian import Jacobian
from jacobians.linops.kernels import matmul
from jacobians.linops.kronecker import Kronecker
from jacobians.linops.permutations import Selection

__all__ = [
    "diagonal_block",
    "example_rows",
    "khatri_rao",
    "kronecker_product",
    "scaled_blocks",
    "stored",
    "unmerged",
    "widened",
    "without_zeros",
]


def widened(jacobian: Jacobian, dtype: DType) -> Jacobian | None:
    """`jacobian` if a factor of this dtype does not widen its own, else None."""
    return jacobian if np.result_type(jacobian.dtype, dtype) == jacobian.dtype else None


def stored(jacobian: Jacobian) -> int:
    """Entries of the arrays that the Jacobian stores, each array counted once."""
    return sum({id(a): a.size for a in jacobian.arrays}.values())


def kronecker_product(left: Kronecker, right: Kronecker) -> Kronecker | None:
    """(A ⊗ B)(C ⊗ D) = AC ⊗ BD."""
    outer = _factor_product(left.left, right.left)
    inner = _factor_product(left.right, right.right)
    if outer is None or inner is None:
        return None
    dtype = np.result_type(left.dtype, right.dtype)
    product = Kronecker(outer, inner, dtype)
    # identities of a wider dtype leave no array to carry it
    return product if product.dtype == dtype else None


def _factor_product(a: Array | int, b: Array | int) -> Array | int | None:
    if isinstance(a, int):
        return b
    if isinstance(b, int):
        return a
    if a.shape[0] * b.shape[1] > a.size + b.size:
        return None
    return matmul(a, b)


def diagonal_block(left: BlockDiagonal, right: BlockDiagonal | Diagonal) -> BlockDiagonal | None:
    """Bₙ Cₙ, or Bₙ diag(dₙ): columns scaled."""
    if isinstance(right, Diagonal):
        scaled = right._scaled_columns(left.blocks, left.axis)
        return BlockDiagonal(scaled, left.codomain, right.domain, left.axis)
    count, p, _ = left.blocks.shape
    if left.axis != right.axis or count * p * right.blocks.shape[2] > left.blocks.size + right.blocks.size:
        return None
    return BlockDiagonal(matmul(left.blocks, right.blocks), left.codomain, right.domain, left.axis)


def scaled_blocks(left: Diagonal, right: BlockDiagonal) -> BlockDiagonal:
    """diag(dₙ) Bₙ: rows scaled."""
    scaled = left._scaled_rows(right.blocks, right.axis)
    return BlockDiagonal(scaled, right.codomain, right.domain, right.axis)


def khatri_rao(left: BlockDiagonal, right: Kronecker) -> Jacobian | None:
    """Blocks times a Kronecker product with one identity factor.

    With examples in rows: Bₙ against I ⊗ W is Bₙ W, and against X ⊗ I it has the rows xₙ ⊗ b. With examples in
    columns the factors change places. One number for each
    example, as its loss, has one row for each, which is pushed through as a scalar's row is: what it stores is an
    array of activations, and that keeps per-example gradients in two factors, however wide the layers.
    """
    count, p, _ = left.blocks.shape
    across, along = (right.left, right.right) if left.axis == 0 else (right.right, right.left)
    if isinstance(across, int) and not isinstance(along, int):
        if len(left.codomain) > 1 and count * p * along.shape[1] > left.blocks.size + along.size:
            return None
        return BlockDiagonal(matmul(left.blocks, along), left.codomain, right.domain, left.axis)
    if isinstance(along, int) and not isinstance(across, int) and len(left.codomain) in (1, 2):
        return example_rows(left, across)
    return None


def unmerged(rows: KhatriRao) -> tuple[BlockDiagonal, Kronecker] | None:
    """The blocks and the X ⊗ I, or I ⊗ X with examples in columns, that `khatri_rao` would merge to these rows.

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


def example_rows(left: BlockDiagonal, inputs: Array) -> KhatriRao:
    """Bₙ times X ⊗ I, or I ⊗ X in columns, for inputs X of shape (N, …) and a codomain of one or two axes."""
    # rows are indexed by (n, i) or (i, n); the factor that belongs to the example alone is broadcast over i
    delta, data = left.blocks, inputs[:, None, :]
    if len(left.codomain) == 1:
        delta, data = delta[:, 0], data[:, 0]
    elif left.axis == -1:
        delta, data = delta.swapaxes(0, 1), data.swapaxes(0, 1)
    return KhatriRao(data, delta) if left.axis == 0 else KhatriRao(delta, data)


def without_zeros(left: Kronecker | BlockDiagonal, kept: Selection) -> Jacobian | None:
    """`left` after the placement of whole rows or columns among zeros: only the entries that meet them stay.

    This is how a weight matrix loses its bias column on the way back: Ng's "drop δ₀".
    """
    if not isinstance(kept.key, tuple) or len(kept.key) != 2 or widened(left, kept.dtype) is None:
        return None
    rows, columns = kept.key
    if isinstance(left, BlockDiagonal):
        across, along = (rows, columns) if left.axis == 0 else (columns, rows)
        if across != slice(None):
            return None
        return BlockDiagonal(left.blocks[:, :, along], left.codomain, kept.codomain, left.axis)
    if rows == slice(None) and not isinstance(left.right, int):
        return Kronecker(left.left, left.right[:, columns])
    if columns == slice(None) and not isinstance(left.left, int):
        return Kronecker(left.left[:, rows], left.right)
    return None
