"""Diagonals, the Jacobians of elementwise operations, and a diagonal minus an outer product per example: softmax."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from jacobians.arrays import Array, Symbolic, as_array, as_float, format_bytes, show_shape, size_of
from jacobians.errors import ShapeError
from jacobians.layout import Order
from jacobians.linops.by_example import split
from jacobians.linops.jacobian import Jacobian, Leaf
from jacobians.linops.matrix_views import DENSE_LIMIT
from jacobians.linops.nonzeros import Nonzeros
from jacobians.linops.unrolling import diagonal_view

if TYPE_CHECKING:
    from scipy.sparse import csr_array


class Diagonal(Jacobian):
    r"""V ↦ d∘V, with the matrix :math:`\operatorname{diag}(\operatorname{vec} d)`.

    Parameters
    ----------
    values : ndarray, shape `domain`
        The derivative at each entry.

    Examples
    --------
    >>> Diagonal(np.array([1.0, 2.0])) @ Diagonal(np.array([3.0, 4.0]))
    Diagonal(2): 2×2 float64, (2,) → (2,), 16 B
    """

    __slots__ = ("values",)
    _rule = ("diagonal", "A diagonal matrix multiplies entry by entry")

    def __init__(self, values: Array) -> None:
        self.values = as_float(values, "values", "Diagonal")
        super().__init__(self.values.shape, self.values.shape, self.values.dtype)

    def _jvp(self, tangent: Array) -> Array:
        return as_array(tangent * self.values)

    def _vjp(self, cotangent: Array) -> Array:
        return as_array(cotangent * self.values)

    def _transpose(self) -> Jacobian:
        return self

    def _makes_new(self) -> bool:
        return True

    def _is_symmetric(self) -> bool:
        return True

    def _written(self, write: Any, order: Order) -> str:
        if self.domain == ():
            return str(write.single(self.values))
        flat = len(self.domain) == 2 and 1 in self.domain
        return str(write.diag(write.expr(self.values), order, flat))

    def _keeps_examples(self, axis: int) -> bool:
        return bool(self.domain)

    def _by_example(self, axis: int) -> Array:
        """(N, entries of one example)."""
        return split(self.values[None], self.domain, axis)[0]

    def _blocks(self, axis: int) -> Array:
        entries = self._by_example(axis)
        return as_array(entries[:, :, None] * np.eye(entries.shape[1], dtype=self.dtype))

    def _times_blocks(self, blocks: Array, axis: int) -> Array:
        """diag(dₙ) Bₙ for blocks Bₙ, or one B for all examples."""
        columns = _in_order(blocks.transpose(2, 0, 1), 1)
        return as_array(self._by_example(axis) * columns).transpose(1, 2, 0)

    def _blocks_times(self, blocks: Array, axis: int) -> Array:
        """Bₙ diag(dₙ)."""
        return as_array(self._by_example(axis)[:, None, :] * _in_order(blocks, 0))

    def _fill(self, out: Array) -> None:
        axes = [*range(len(self.domain))]
        out[...] = 0
        diagonal_view(out, axes, axes, axes)[...] = self.values

    def _sparse(self) -> csr_array:
        from scipy.sparse import csr_array, diags_array

        return csr_array(diags_array(self.values.ravel()))

    def _nonzeros(self) -> Nonzeros:
        return Nonzeros.of(self.values.size)

    def _row_norms(self) -> Array:
        return np.abs(self.values)

    def _diagonal(self) -> Array:
        return self.values.ravel()

    @property
    def structure(self) -> str:
        return f"Diagonal({show_shape(self.domain)})"

    @property
    def flops(self) -> int:
        return self.values.size

    @property
    def arrays(self) -> tuple[Array, ...]:
        return (self.values,)


def _in_order(blocks: Array, examples: int) -> Array:
    """A block that all examples share is read N times, so it is laid out along memory: 0.04 ms in place of 0.1."""
    return blocks.copy() if blocks.shape[examples] == 1 and not blocks.flags.c_contiguous else blocks


_SHORT = 1 << 12
"""Terms up to which products are added up as they are made, without an array of them."""


class DiagonalMinusOuter(Jacobian):
    """diag(d) − u vᵀ along one axis: softmax has d = u = v = p, log-softmax d = u = 1 and v = p.

    Parameters
    ----------
    d, u, v : ndarray, shape `domain`
    axis : int
        The axis along which one outer product runs; the classes' axis.

    Raises
    ------
    ShapeError
        If the three arrays differ in shape, or have no such axis.

    Examples
    --------
    >>> p = np.array([[0.5, 0.25, 0.25]])
    >>> DiagonalMinusOuter(p, p, p, axis=-1).to_dense()
    array([[ 0.25  , -0.125 , -0.125 ],
           [-0.125 ,  0.1875, -0.0625],
           [-0.125 , -0.0625,  0.1875]])
    """

    __slots__ = ("axis", "d", "u", "v")
    _rule = ("softmax", "diag(p) − p pᵀ for each example")

    def __init__(self, d: Array, u: Array, v: Array, axis: int) -> None:
        self.d, self.u, self.v = (as_float(a, n, "DiagonalMinusOuter") for a, n in ((d, "d"), (u, "u"), (v, "v")))
        if not self.d.shape == self.u.shape == self.v.shape or not -self.d.ndim <= axis < self.d.ndim:
            raise ShapeError(
                f"DiagonalMinusOuter: d {self.d.shape}, u {self.u.shape}, v {self.v.shape} must agree and have axis "
                f"{axis}"
            )
        # counted from the end, so that leading stack axes do not move it
        self.axis = axis if axis < 0 else axis - self.d.ndim
        super().__init__(self.d.shape, self.d.shape, np.result_type(self.d, self.u, self.v))

    def _jvp(self, tangent: Array) -> Array:
        return self._act(tangent, self.v, self.u)

    def _vjp(self, cotangent: Array) -> Array:
        return self._act(cotangent, self.u, self.v)

    def _act(self, value: Array, met: Array, along: Array) -> Array:
        """d∘V less the sums of what V and one array give together, along the other; of p p pᵀ, p∘(V − the sums)."""
        if self.d is self.u is self.v:
            apart = value - self._sums(value, met)
            return as_array(self.d * apart if isinstance(value, Symbolic) else np.multiply(apart, self.d, out=apart))
        return value * self.d - self._sums(value, met) * along

    def _sums(self, value: Array, met: Array) -> Array:
        """The sums along the axis, which keeps length 1; short float32 sums are computed in float32."""
        last = self.axis == -1 and met.dtype == value.dtype and met.shape[-1] <= _SHORT
        if isinstance(value, Symbolic) or not last:
            return as_array(np.sum(value * met, axis=self.axis, keepdims=True))
        return as_array(np.einsum("...i,...i->...", value, met))[..., None]

    def _transpose(self) -> Jacobian:
        return DiagonalMinusOuter(self.d, self.v, self.u, self.axis)

    def positive(self, leaf: Leaf) -> Jacobian:
        """Return diag(f(d)) + f(u) f(v)ᵀ: what is subtracted is added."""
        d, u, v = leaf(self.d), leaf(self.u), leaf(self.v)
        return DiagonalMinusOuter(d, -u, v, self.axis)._with_order(self.order)

    def _written(self, write: Any, order: Order) -> str | None:
        return None if self.d.ndim != 2 else str(write.minus_outer(self.d, self.u, self.v, self.axis % 2, order))

    def blocks(self, *, limit: int = DENSE_LIMIT) -> Array:
        """Return the blocks, shape (groups, K, K): a new array with one matrix for each slice along `axis`.

        Parameters
        ----------
        limit : int
            Bytes above which nothing is allocated.

        Raises
        ------
        TooLargeError
            If they would take more than `limit` bytes.
        """
        needed = self._nonzeros().total * self.dtype.itemsize
        self._refuse_over(limit, needed, "blocks", f"{format_bytes(needed)} in blocks")
        d, u, v = (self._last(a) for a in (self.d, self.u, self.v))
        out = as_array(-u[:, :, None] * v[:, None, :]).astype(self.dtype, copy=False)
        k = np.arange(d.shape[1])
        out[:, k, k] += d
        return out

    def _last(self, array: Array) -> Array:
        moved = np.moveaxis(array, self.axis, -1)
        return moved.reshape(size_of(moved.shape[:-1]), moved.shape[-1])

    def _keeps_examples(self, axis: int) -> bool:
        return self.axis not in (axis, axis - self.d.ndim)

    def _fill(self, out: Array) -> None:
        axes = [*range(self.d.ndim)]
        last, along = len(axes), axes[self.axis]
        columns = [last if i == along else i for i in axes]
        out[...] = 0
        blocks = diagonal_view(out, axes, columns, [*axes, last])
        v = np.expand_dims(np.moveaxis(self.v, self.axis, -1), along)
        np.multiply(-self.u[..., None], v, out=blocks)
        diagonal_view(out, axes, axes, axes)[...] += self.d

    def _sparse(self) -> csr_array:
        from scipy.sparse import coo_array

        places = self._last(np.arange(self.shape[0]).reshape(self.domain))
        rows, columns = np.broadcast_arrays(places[:, :, None], places[:, None, :])
        values = self.blocks(limit=self._sparse_bytes())
        return coo_array((values.ravel(), (rows.ravel(), columns.ravel())), shape=self.shape).tocsr()

    def _nonzeros(self) -> Nonzeros:
        k = self.domain[self.axis]
        return Nonzeros(self.d.size * k, k, k)

    def _diagonal(self) -> Array:
        return np.ravel(self.d - self.u * self.v)

    @property
    def structure(self) -> str:
        k = self.domain[self.axis]
        return f"DiagonalMinusOuter({self.d.size // max(k, 1)} of {k}×{k})"

    @property
    def flops(self) -> int:
        return 5 * self.d.size

    @property
    def arrays(self) -> tuple[Array, ...]:
        return (self.d, self.u, self.v)
