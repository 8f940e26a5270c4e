"""The rules of the algebra: what a product, a sum and a multiple of structured Jacobians become.

`compose` tries the rules in order, and the first match wins. Without a match the product stays lazy. A rule merges two
factors only where the result stores no more than they do, or has one row per example. No rule multiplies out a dense
matrix. Every rule's identity is in its comment, in C order.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np

from jacobians.arrays import Array, DType, as_array, as_float, size_of
from jacobians.errors import LayoutError, ShapeError
from jacobians.linops.batch import BlockDiagonal, KhatriRao, blocks_times_inputs
from jacobians.linops.block_row import BlockRow
from jacobians.linops.convolutions import PickedFromWindows, SharedKernel
from jacobians.linops.diagonal import Diagonal
from jacobians.linops.direct_sum import DirectSum
from jacobians.linops.for_each_example import ForEachExample
from jacobians.linops.jacobian import Jacobian
from jacobians.linops.kernels import matmul
from jacobians.linops.khatri_rao_sum import KhatriRaoSum, summed
from jacobians.linops.kronecker import Kronecker
from jacobians.linops.leaves import Dense, leaf_of_matrix
from jacobians.linops.parts import joint_order
from jacobians.linops.permutations import Commutation, Identity, PermutedAxes, Reshape, Selection
from jacobians.linops.products_and_sums import Product, Sum
from jacobians.linops.wrappers import Denominator, Scaled, Transposed, Zero


def compose(left: Jacobian, right: Jacobian) -> Jacobian:
    """Return the Jacobian of left ∘ right: ``left @ right`` in numerator layout.

    Raises
    ------
    ShapeError
        If left's domain is not right's codomain.
    LayoutError
        If the operands are in different derivative layouts or vec orders.
    """
    both = _numerators(left, right, "multiply")
    if both is not None:
        if both[0].codomain != both[1].domain:
            raise ShapeError(_misfit(left, right, both[0].codomain, both[1].domain, denominator=True))
        return Denominator(compose(both[1], both[0]))
    if left.domain != right.codomain:
        raise ShapeError(_misfit(left, right, left.domain, right.codomain))
    order = left.order if left.order == right.order else joint_order(left, right)
    if left.codomain == () and isinstance(left, Dense):
        return Dense(pull_row(left.array, right))._with_order(order)
    if right.domain == () and isinstance(right, Dense):
        # a column pushed through: forward mode, one jvp a factor
        column = right.array.astype(np.result_type(left.dtype, right.dtype), copy=False)
        return Dense(as_array(left._jvp(column)), left.codomain)._with_order(order)
    return _chain(left, right)._with_order(order)


def compose_all(jacobians: Sequence[Jacobian]) -> Jacobian:
    """Return J₁ J₂ … Jₖ, all in numerator layout, as ``J₁ @ J₂ @ … @ Jₖ`` gives it, in time linear in k."""
    if isinstance(jacobians[0], Dense) and jacobians[0].codomain == ():
        return reduce(compose, jacobians)
    if isinstance(jacobians[-1], Dense) and jacobians[-1].domain == ():
        return reduce(lambda right, left: compose(left, right), reversed(jacobians))
    return _joined([factor for jacobian in jacobians for factor in jacobian._factors()])


def pull_row(row: Array, right: Jacobian) -> Array:
    """Return a scalar's row, kept as an array, times `right`: reverse mode, one vjp a factor."""
    if row.dtype != right.dtype:
        row = row.astype(np.result_type(row.dtype, right.dtype), copy=False)
    return right._vjp(row)


def _chain(left: Jacobian, right: Jacobian) -> Jacobian:
    """Join two flat chains. Where neighbours merge, their product may merge again with its own neighbours."""
    return _joined(right._factors(), list(left._factors()))


def _joined(added: Sequence[Jacobian], factors: list[Jacobian] | None = None) -> Jacobian:
    """A flat chain, to which factors are added one after the other."""
    factors = factors or []
    waiting = [*reversed(added)]
    while waiting:
        pending = waiting.pop()
        merged = _merge(factors[-1], pending) if factors else None
        if merged is None:
            factors.append(pending)
        else:
            factors.pop()
            waiting.extend(reversed(merged._factors()))
    return factors[0] if len(factors) == 1 else Product(tuple(factors))


def _merge(left: Jacobian, right: Jacobian) -> Jacobian | None:
    """One structure for left @ right with no more stored entries than both (or one row per example), or None."""
    match left, right:
        # neighbours in a net's chain: most pairs are of this kind, so they are decided first
        case (Kronecker(), Diagonal()) | (Diagonal(), Kronecker()):
            return None
        # 0 J = 0,  J 0 = 0
        case (Zero(), _) | (_, Zero()):
            return Zero(left.codomain, right.domain, np.result_type(left.dtype, right.dtype))
        # I J = J,  J I = J
        case Identity(), _ if _holds(right, left.dtype):
            return right
        case _, Identity() if _holds(left, right.dtype):
            return left
        # (αF)(βG) = αβ (FG)
        case Scaled(), Scaled():
            return scale(left.factor * right.factor, _chain(left.inner, right.inner))
        case Scaled(), _:
            return scale(left.factor, _chain(left.inner, right))
        case _, Scaled():
            return scale(right.factor, _chain(left, right.inner))
        # J [G₁ G₂ …] = [J G₁ J G₂ …], unless J merges with none of them: then J is applied once, to their sum
        case _, BlockRow():
            blocks = tuple(_chain(left, b)._with_order(None) for b in right.blocks)
            if all(len(j._factors()) > len(b._factors()) for j, b in zip(blocks, right.blocks, strict=True)):
                return None
            row = BlockRow(blocks, right.vec)
            return row if _stored(row) <= _stored(left) + _stored(right) else None
        # diag(a) diag(b) = diag(a∘b)
        case Diagonal(), Diagonal():
            return Diagonal(left.values * right.values)
        # K K = I,  reshaping twice is reshaping once
        case Commutation(), Commutation():
            return Identity(right.domain, np.result_type(left.dtype, right.dtype))
        case Reshape(), Reshape():
            dtype = np.result_type(left.dtype, right.dtype)
            if left.codomain == right.domain:
                return Identity(right.domain, dtype)
            return Reshape(left.codomain, right.domain, dtype)
        # moving axes twice is moving them once
        case PermutedAxes(), PermutedAxes():
            axes, dtype = tuple(right.axes[a] for a in left.axes), np.result_type(left.dtype, right.dtype)
            ordered = axes == tuple(range(len(axes)))
            return Identity(right.domain, dtype) if ordered else PermutedAxes(axes, right.domain, dtype)
        # (A ⊗ B)(C ⊗ D) = AC ⊗ BD: the mixed product
        case Kronecker(), Kronecker():
            return _kronecker_product(left, right)
        # K (A ⊗ B) = (B ⊗ A) K: commutations move to the right
        case Commutation(), Kronecker():
            dtype = np.result_type(left.dtype, right.dtype)
            swapped = Kronecker(right.right, right.left, right.dtype)
            return Product((swapped, Commutation(right.domain[0], right.domain[1], dtype)))
        # one map for each example, and another: (I ⊗ J)(I ⊗ K) = I ⊗ JK
        case ForEachExample(), ForEachExample() if left.axis == right.axis and left.count == right.count:
            return ForEachExample(left.count, _chain(left.inner, right.inner), left.axis)
        # the row of a loss against a shared kernel: Σₚ δₙₚ ⊗ xₙₚ
        case BlockDiagonal(), SharedKernel():
            return _kernel_rows(left, right)
        # the row of a loss against what keeps examples apart: the rows bₙ Jₙ, all in one pullback
        case BlockDiagonal(), Reshape() | PermutedAxes() | ForEachExample() | PickedFromWindows():
            return _rows_back(left, right)
        # blocks times blocks, block by block
        case BlockDiagonal(), BlockDiagonal() | Diagonal():
            return _diagonal_block(left, right)
        case Diagonal(), BlockDiagonal():
            return _scaled_blocks(left, right)
        # (J₁ ⊕ J₂)(G₁ ⊕ G₂) = J₁G₁ ⊕ J₂G₂
        case DirectSum(), DirectSum() if [j.domain for j in left.parts] == [g.codomain for g in right.parts]:
            parts = [_chain(j, g)._with_order(None) for j, g in zip(left.parts, right.parts, strict=True)]
            return DirectSum(parts, left.codomain, right.domain, np.result_type(left.dtype, right.dtype))
        # Bₙ (I ⊗ W) = (Bₙ W);  the row bₙ of Bₙ against X ⊗ I is bₙ ⊗ xₙ
        case BlockDiagonal(), Kronecker():
            return _layer_rows(left, right)
        # (A ⊗ B)(I ⊗ Sᵀ) = A ⊗ (B Sᵀ): what multiplies placed zeros is left out
        case (Kronecker() | BlockDiagonal(), Transposed(inner=Selection() as kept)):
            return _without_zeros(left, kept)
        # rows lᵣ ⊗ rᵣ times K exchange their factors
        case (KhatriRao() | KhatriRaoSum(), Commutation()) if _holds(left, right.dtype):
            return type(left)(left.right, left.left)
        # (lᵣ ⊗ rᵣ)(A ⊗ B) = lᵣA ⊗ rᵣB: the gradients of a weight that is a product
        case (KhatriRao() | KhatriRaoSum(), Kronecker()):
            return _rows_through(left, right)
        # (lᵣ ⊗ rᵣ) Sᵀ: what multiplies placed zeros is left out
        case (KhatriRao() | KhatriRaoSum(), Transposed(inner=Selection() as kept)):
            return _rows_without_zeros(left, kept)
        # diag(d) scales row r, one of its factors, by dᵣ
        case (Diagonal(), KhatriRao() | KhatriRaoSum()):
            return _scaled_rows(left, right)
    return None


def add(left: Jacobian, right: Jacobian) -> Jacobian:
    """Return left + right.

    Raises
    ------
    ShapeError
        If they map between different shapes.
    LayoutError
        If they are in different derivative layouts or vec orders.
    """
    both = _numerators(left, right, "add")
    if both is not None:
        return Denominator(add(*both))
    if (left.codomain, left.domain) != (right.codomain, right.domain):
        raise ShapeError(
            f"+: {left.structure} maps {left.domain} to {left.codomain}, {right.structure} maps {right.domain} to "
            f"{right.codomain}; both must agree"
        )
    order = joint_order(left, right)
    match left, right:
        # 0 + J = J
        case Zero(), _ if _holds(right, left.dtype):
            result = right
        case _, Zero() if _holds(left, right.dtype):
            result = left
        # blocks add up, block by block
        case BlockDiagonal(), BlockDiagonal() if left.axis == right.axis:
            result = BlockDiagonal(left.blocks + right.blocks, left.codomain, left.domain, left.axis)
        # diag(a) + diag(b) = diag(a + b)
        case Diagonal(), Diagonal():
            result = Diagonal(left.values + right.values)
        case Dense(), Dense():
            result = Dense(as_array(left.array + right.array), left.codomain)
        # rows lᵣ ⊗ rᵣ and l'ᵣ ⊗ r'ᵣ add up to rows of two terms
        case (KhatriRao() | KhatriRaoSum(), KhatriRao() | KhatriRaoSum()):
            result = summed((left, right))
        case _:
            terms = tuple(t for s in (left, right) for t in (s.terms if isinstance(s, Sum) else (s,)))
            result = Sum(terms)
    return result._with_order(order)


def beside(jacobian: Jacobian, matrix: Any) -> Jacobian:
    """Return a plain or sparse matrix as a leaf that can be added to a Jacobian, unrolled in the Jacobian's order.

    Raises
    ------
    ShapeError
        If it has another shape than the Jacobian's matrix.
    """
    if matrix.shape != jacobian.shape:
        raise ShapeError(
            f"+: the matrix has shape {matrix.shape}, that of {jacobian.structure} is {jacobian.shape}; both must agree"
        )
    turned = isinstance(jacobian, Denominator)
    multiple = _multiple_of_identity(jacobian, matrix)
    if multiple is not None:
        return Denominator(multiple) if turned else multiple
    leaf = leaf_of_matrix(matrix.T if turned else matrix, jacobian.codomain, jacobian.domain, jacobian.order)
    return Denominator(leaf) if turned else leaf


def _multiple_of_identity(jacobian: Jacobian, matrix: Any) -> Jacobian | None:
    """The plain matrix c·I as a scaled identity, so that the sum can still be solved; None for any other matrix."""
    if type(matrix) is not np.ndarray or jacobian.codomain != jacobian.domain or not matrix.size:
        return None
    entry = matrix[0, 0]
    if entry == 0 or np.count_nonzero(matrix) != len(matrix) or not (np.diagonal(matrix) == entry).all():
        return None
    dtype = as_float(matrix, "the matrix", "+").dtype
    return scale(float(entry), Identity(jacobian.domain, dtype))._with_order(jacobian.order)


def after(jacobian: Jacobian, matrix: Any) -> Jacobian:
    """Return a sparse matrix as a leaf that a Jacobian can be multiplied with from the left.

    Raises
    ------
    ShapeError
        If it has not as many rows as the Jacobian's matrix has columns.
    """
    rows, columns = matrix.shape
    if rows != jacobian.shape[1]:
        raise ShapeError(
            f"@: the left factor {jacobian.structure} is {jacobian.shape}, the sparse matrix {matrix.shape}; it needs "
            f"{jacobian.shape[1]} rows"
        )
    if isinstance(jacobian, Denominator):
        return Denominator(leaf_of_matrix(matrix.T, (columns,), jacobian.codomain, jacobian.order))
    return leaf_of_matrix(matrix, jacobian.domain, (columns,), jacobian.order)


def scale(factor: float, jacobian: Jacobian) -> Jacobian:
    """Return factor · jacobian. A leaf that owns its numbers is multiplied; anything else is wrapped."""
    if isinstance(jacobian, Denominator):
        return Denominator(scale(factor, jacobian.numerator))
    return _times(factor, jacobian)._with_order(jacobian.order)


def _times(factor: float, jacobian: Jacobian) -> Jacobian:
    match jacobian:
        # 1 J = J,  α 0 = 0
        case _ if factor == 1.0:
            return jacobian
        case Zero():
            return jacobian
        # α (βJ) = (αβ) J
        case Scaled():
            return _times(factor * jacobian.factor, jacobian.inner)
        case Diagonal():
            return Diagonal(as_array(factor * jacobian.values))
        case Dense():
            return Dense(as_array(factor * jacobian.array), jacobian.codomain)
        # α Jᵀ = (αJ)ᵀ
        case Transposed():
            return _times(factor, jacobian.inner).T
    return Scaled(factor, jacobian)


def _misfit(
    left: Jacobian,
    right: Jacobian,
    inner_left: tuple[int, ...],
    inner_right: tuple[int, ...],
    *,
    denominator: bool = False,
) -> str:
    reads = "denominator layout reads J_inner @ J_outer" if denominator else "numerator layout reads J_outer @ J_inner"
    outer, inner = (right, left) if denominator else (left, right)
    takes, gives = ("gives", "takes") if denominator else ("takes", "gives")
    hint = ""
    if inner_left == inner_right[::-1]:
        hint = "; one is the other's transpose: is the batch in rows in one and in columns in the other?"
    elif outer.codomain == inner.domain or outer.domain == inner.domain:
        hint = f"; the other order or a transpose would fit: {reads}"
    return (
        f"@: the left factor {left.structure} {left.shape} {takes} arrays of shape {inner_left}, the right factor "
        f"{right.structure} {right.shape} {gives} {inner_right}{hint}"
    )


def _numerators(left: Jacobian, right: Jacobian, verb: str) -> tuple[Jacobian, Jacobian] | None:
    """Both operands in numerator layout if either is in denominator layout, else None.

    Raises
    ------
    LayoutError
        If one is in denominator layout and the other, in numerator layout, is not symmetric.
    """
    if not isinstance(left, Denominator) and not isinstance(right, Denominator):
        return None
    if all(isinstance(side, Denominator) or side._is_symmetric() for side in (left, right)):
        return left.numerator, right.numerator
    raise LayoutError(
        f"cannot {verb} {left.structure} {left.shape} and {right.structure} {right.shape}: one is in "
        "denominator layout, the other in numerator layout; give every operation the same layout"
    )


# --- products of two structures that are again one; None where merging would store more ---------------------


def _holds(jacobian: Jacobian, dtype: DType) -> bool:
    """Whether a factor of this dtype does not widen the Jacobian's own."""
    return np.result_type(jacobian.dtype, dtype) == jacobian.dtype


def _stored(jacobian: Jacobian) -> int:
    """Entries of the arrays that the Jacobian stores, each array counted once."""
    return sum({id(a): a.size for a in jacobian.arrays}.values())


def _kronecker_product(left: Kronecker, right: Kronecker) -> Kronecker | None:
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


def _diagonal_block(left: BlockDiagonal, right: BlockDiagonal | Diagonal) -> BlockDiagonal | None:
    """Bₙ Cₙ, or Bₙ diag(dₙ): columns scaled."""
    if isinstance(right, Diagonal):
        scaled = right._blocks_times(left.blocks, left.axis)
        return BlockDiagonal(scaled, left.codomain, right.domain, left.axis)
    count, p, _ = left.blocks.shape
    if left.axis != right.axis or count * p * right.blocks.shape[2] > left.blocks.size + right.blocks.size:
        return None
    return BlockDiagonal(matmul(left.blocks, right.blocks), left.codomain, right.domain, left.axis)


def _scaled_blocks(left: Diagonal, right: BlockDiagonal) -> BlockDiagonal:
    """diag(dₙ) Bₙ: rows scaled."""
    scaled = left._times_blocks(right.blocks, right.axis)
    return BlockDiagonal(scaled, right.codomain, right.domain, right.axis)


def _layer_rows(left: BlockDiagonal, right: Kronecker) -> Jacobian | None:
    """Blocks times a Kronecker product with one identity factor.

    With examples in rows: Bₙ against I ⊗ W is Bₙ W, and against X ⊗ I it has the rows xₙ ⊗ b. With examples in
    columns the factors change places. A per-example loss has one row per example. Each is pushed through like a
    scalar's row, so only an array of activations is stored, and per-example gradients stay two factors for layers of
    any width.
    """
    count, p, _ = left.blocks.shape
    across, along = (right.left, right.right) if left.axis == 0 else (right.right, right.left)
    if isinstance(across, int) and not isinstance(along, int):
        if len(left.codomain) > 1 and count * p * along.shape[1] > left.blocks.size + along.size:
            return None
        return BlockDiagonal(matmul(left.blocks, along), left.codomain, right.domain, left.axis)
    if isinstance(along, int) and not isinstance(across, int) and len(left.codomain) in (1, 2):
        return blocks_times_inputs(left, across)
    return None


def _rows_back(left: BlockDiagonal, right: Jacobian) -> BlockDiagonal | None:
    """One number per example, times a map that keeps each example in its place along the first axis."""
    count, p, _ = left.blocks.shape
    if p != 1 or len(left.codomain) != 1 or left.axis != 0 or not right._keeps_examples(0):
        return None
    rows = right._vjp(left.blocks.reshape(right.codomain).astype(right.dtype, copy=False))
    return BlockDiagonal(rows.reshape(count, 1, right.shape[1] // max(count, 1)), left.codomain, right.domain)


def _kernel_rows(left: BlockDiagonal, right: SharedKernel) -> Jacobian | None:
    """One number per example, times a kernel that all places share: one term per place."""
    if left.blocks.shape[1] != 1 or len(left.codomain) != 1 or left.axis != 0 or right.groups:
        return None
    rows = right.rows(left.blocks)
    return rows if rows.domain == right.domain else _chain(rows, Reshape(rows.domain, right.domain, rows.dtype))


def _rows_through(left: KhatriRao | KhatriRaoSum, right: Kronecker) -> KhatriRao | KhatriRaoSum | None:
    """lᵣA ⊗ rᵣB, unless a factor would grow by more entries than A and B hold."""
    factors = []
    for own, through in ((left.left, right.left), (left.right, right.right)):
        if isinstance(through, int):
            factors.append(own)
            continue
        rows = size_of(own.shape[:-1])
        if rows * through.shape[1] > own.size + through.size:
            return None
        factors.append(matmul(own.reshape(rows, own.shape[-1]), through).reshape(*own.shape[:-1], through.shape[1]))
    product = type(left)(*factors)
    return product if product.dtype == np.result_type(left.dtype, right.dtype) else None


def _rows_without_zeros(left: KhatriRao | KhatriRaoSum, kept: Selection) -> KhatriRao | KhatriRaoSum | None:
    if not isinstance(kept.key, tuple) or len(kept.key) != 2 or not _holds(left, kept.dtype):
        return None
    rows, columns = kept.key
    return type(left)(left.left[..., rows], left.right[..., columns])


def _scaled_rows(left: Diagonal, right: KhatriRao | KhatriRaoSum) -> KhatriRao | KhatriRaoSum | None:
    """diag(d) multiplied into the smaller factor with a row per entry of d; None where several entries share a row."""
    scales = left.values[(..., *(None,) * (1 + isinstance(right, KhatriRaoSum)))]
    whole = [f.shape[: left.values.ndim] == left.values.shape for f in (right.left, right.right)]
    if whole[0] and (right.left.size <= right.right.size or not whole[1]):
        return type(right)(as_array(scales * right.left), right.right)
    return type(right)(right.left, as_array(scales * right.right)) if whole[1] else None


def _without_zeros(left: Kronecker | BlockDiagonal, kept: Selection) -> Jacobian | None:
    """`left` times a placement of whole rows or columns among zeros: only the entries that meet them are kept.

    On the way back this drops the bias column of a weight matrix: Ng's "drop δ₀".
    """
    if not isinstance(kept.key, tuple) or len(kept.key) != 2 or not _holds(left, kept.dtype):
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
