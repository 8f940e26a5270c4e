"""What every structure computes with: products and sums, where speed and rounding are decided, and new arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from jacobians.arrays import Array, DType, Shape, StandIn, Symbolic, as_array, size_of

if TYPE_CHECKING:
    from scipy.sparse import csr_array


_SMALL = 1 << 13
"""Entries of both factors and of the result up to which a product costs little beside its call."""

_TALL = 1 << 17
"""Entries of both factors and of the result above which float64 products gain by their orientation; see `_product`."""

_BUFFERED = 1 << 10
"""Bytes of a run from which on it is multiplied through buffers; see `outer`."""

_BLOCK = 1 << 16
"""Bytes of a block from which on a call of its own costs little; see `outer`."""

_LONG = 1 << 12
"""Inner length above which float32 sums are carried in float64 between blocks of this many terms."""


def empty(shape: Shape, dtype: DType, *sources: Any) -> Array:
    """Return a new array; a stand-in while a function is recorded, if one of the operands is a stand-in."""
    for source in sources:
        if isinstance(source, StandIn):
            return np.empty_like(cast(Array, source), dtype, "C", shape=shape)
    return np.empty(shape, dtype)


def zeros(shape: Shape, like: Array) -> Array:
    """Return zeros in an array's dtype: a stand-in or an expression where `like` is one."""
    if isinstance(like, StandIn):
        return np.zeros_like(cast(Array, like), order="C", shape=shape)
    return np.zeros(shape, like.dtype)


def write_by(function: Callable[..., None], *operands: Any) -> None:
    """Call a function that writes into its last operand; it is recorded as one call if that is a stand-in."""
    *given, out = operands
    if isinstance(out, StandIn):
        out.written_by(function, *given)
    else:
        function(*operands)


def on_rows(act: Callable[[Array], Array], value: Array, into: Shape, out: Shape) -> Array:
    """Apply `act` to a stack of arrays of shape `into`, each as one row; return a stack of arrays of shape `out`."""
    stack = value.shape[: value.ndim - len(into)]
    return act(value.reshape(size_of(stack), size_of(into))).reshape(stack + out)


def one_by_one(act: Callable[[Array], Array], value: Array, into: Shape, out: Shape) -> Array:
    """Apply `act` to every array of shape `into` in a stack, one after the other; return a stack."""
    if isinstance(value, Symbolic):
        return act(value)
    stack = value.shape[: value.ndim - len(into)]
    flat = value.reshape(size_of(stack), *into)
    images = empty((flat.shape[0], *out), value.dtype, value)
    for i, array in enumerate(flat):
        images[i] = act(array)
    return images.reshape(stack + out)


def may_alias(result: Array, owned: tuple[Array, ...]) -> bool:
    """Return whether `result` may share memory with one of these arrays, or with a read-only array."""
    if not result.flags.writeable:
        return True
    owner = result if result.base is None else result.base
    if type(owner) is not np.ndarray or owner.base is not None:
        return any(np.may_share_memory(result, a) for a in owned)
    # NumPy's views name the array that owns their memory; what names another kind of owner is asked by its addresses
    for a in owned:
        base = a.base
        same = a is owner or base is owner or not (base is None or type(base) is np.ndarray)
        if same and np.may_share_memory(result, a):
            return True
    return False


def matmul(left: Array, right: Array) -> Array:
    """Return ``left @ right``, over stacks on either side.

    BLAS adds a float32 matrix-vector product in one running float32 sum: over 2·10⁷ random terms the relative
    error was 2·10⁻⁵ on the machine where this was written, and a naive sum of ones stops at 2²⁴. Long float32
    sums are therefore cut into blocks whose sums are added in float64.
    """
    # recordings take the way of the arrays that they stand for
    if (type(left) is np.ndarray or not isinstance(left, Symbolic)) and left.ndim == right.ndim == 2:
        rows, inner = left.shape
        columns = right.shape[1]
        if 1 < inner <= _LONG and rows * inner + (rows + inner) * columns <= _SMALL:
            # the same BLAS behind fewer questions: 0.4 µs in place of 1.0; of strided matrices it makes copies
            return np.dot(left, right)
    if isinstance(left, Symbolic):
        return left @ right
    inner = left.shape[-1]
    if left.ndim != 2 and right.ndim == 2:
        stack = left.shape[:-1]
        return matmul(left.reshape(int(np.prod(stack)), inner), right).reshape(*stack, right.shape[-1])
    if inner <= _LONG or left.dtype != np.float32 or right.dtype != np.float32:
        return _product(left, right)
    sums = np.matmul(left[..., :_LONG], right[..., :_LONG, :]).astype(np.float64)
    for start in range(_LONG, inner, _LONG):
        block = slice(start, start + _LONG)
        sums += np.matmul(left[..., block], right[..., block, :])
    return sums.astype(np.float32)


def matmul_into(left: Array, right: Array, out: Array) -> None:
    """Write ``left @ right`` into an array, as `matmul` sums it."""
    if left.dtype == right.dtype == out.dtype and (left.shape[-1] <= _LONG or out.dtype != np.float32):
        np.matmul(left, right, out=out)
    else:
        out[...] = matmul(left, right)


def _product(left: Array, right: Array) -> Array:
    """``left @ right``; a tall result is computed as its transpose, so that memory runs along the longer axis.

    OpenBLAS keeps its registers along the contiguous axis of the result, and a short one leaves them half empty. In
    float64 with one thread 5000×400 by 400×25 took 3.2 ms in place of 4.9, its weights' gradient 400×5000 by 5000×25
    3.2 in place of 5.8, and 3072×200 by 200×100 2.7 in place of 4.0 (AMD EPYC with AVX-512, OpenBLAS 0.3.31). In
    float32 the gain is 0.7 to 0.95 where the left factor's columns are contiguous, as in a weight's gradient; where
    its rows are, both factors would be read across, and the product takes 1.1 to 1.8 times as long; in float64 it takes
    1.0 to 1.3 times as long then for small factors such as 512×64 by 64×32.
    """
    if left.shape[-1] == 1:
        # one product an entry, which BLAS would prepare for as for many: 0.03 ms in place of 0.2 for 512×128
        return as_array(left * right)
    if right.ndim != 2:
        return np.matmul(left, right)
    rows, columns = left.shape[0], right.shape[1]
    if rows > 2 * columns:
        entries = left.size + right.size + rows * columns
        if left.flags.f_contiguous or (left.dtype == np.float64 and entries > _TALL):
            return np.matmul(right.T, left.T).T
    return np.matmul(left, right)


def outer(left: Array, right: Array, out: Array) -> None:
    """Write ``left[..., :, None] * right[..., None, :]`` into `out`, of whatever strides.

    As one multiplication it takes some 15 ns beside the arithmetic for each run along the last axis: three times the
    filling of the array with runs of 128 entries and more. NumPy's buffers, made as long as a run, bring runs of a
    kilobyte and more to 1.4 to 2 times; of shorter ones `einsum` makes 1.7 to 2.3 times, one block at a time.
    """
    if abs(out.strides[-1]) > abs(out.strides[-2]):
        left, right, out = right, left, out.swapaxes(-1, -2)
    # the one that every run reads, so that it is read along memory
    run, right = out.shape[-1], right if right.flags.c_contiguous else right.copy()
    if run * out.itemsize >= _BUFFERED:
        before = np.setbufsize(16 * -(-min(run, 1 << 12) // 16))
        try:
            np.multiply(left[..., :, None], right[..., None, :], out=out)
        finally:
            np.setbufsize(before)
    elif out.ndim > 2 and out[:1].nbytes >= _BLOCK:
        for n, block in enumerate(out):
            np.einsum("...i,...o->...io", left[n % len(left)], right[n % len(right)], out=block)
    else:
        np.multiply(left[..., :, None], right[..., None, :], out=out)


def sparse_matmul(matrix: csr_array, stack: Array) -> Array:
    """``(matrix @ stackᵀ)ᵀ``: SciPy adds in one running sum too, so a long float32 one is carried in float64."""
    long = stack.dtype == np.float32 and matrix.shape[1] > _LONG
    image = matrix @ (stack.astype(np.float64) if long else stack).T
    return np.asarray(image.T, dtype=stack.dtype)


def total(values: Array, axes: tuple[int, ...]) -> Array:
    """The sum over `axes`, which keep length 1; long float32 sums are computed in float64."""
    long = values.dtype == np.float32 and size_of(tuple(values.shape[a] for a in axes)) > _LONG
    sums = as_array(values.sum(axis=axes, keepdims=True, dtype=np.float64 if long else None))
    return sums.astype(values.dtype, copy=False)


def written_out(view: Array) -> Array:
    """Return the entries of a view in memory of their own, in C order, by one copy."""
    out = empty(view.shape, view.dtype, view)
    out[...] = view
    return out


def norms(values: Array) -> Array:
    """The Euclidean norms along the last axis; for long float32 axes the sums of blocks are added in float64."""
    whole = values.shape[-1] // _LONG * _LONG
    if values.dtype != np.float32 or whole == 0:
        return as_array(np.sqrt(np.einsum("...i,...i->...", values, values)))
    # einsum in float64 takes four times as long: it first converts the values, some at a time
    blocks, rest = values[..., :whole].reshape(*values.shape[:-1], whole // _LONG, _LONG), values[..., whole:]
    squares = np.einsum("...i,...i->...", blocks, blocks).sum(axis=-1, dtype=np.float64)
    squares += np.einsum("...i,...i->...", rest, rest)
    return as_array(np.sqrt(squares)).astype(values.dtype, copy=False)
