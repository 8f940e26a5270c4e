"""One example's Jacobian for every example: I ⊗ J. Only J is stored, and it acts on a few examples at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from jacobians.arrays import Array, as_shape, size_of
from jacobians.errors import ArgumentError, ShapeError
from jacobians.linops.by_example import for_each
from jacobians.linops.jacobian import Jacobian
from jacobians.linops.kernels import empty, matmul
from jacobians.linops.nonzeros import Nonzeros
from jacobians.linops.unrolling import diagonal_view, slabs
from jacobians.linops.wrappers import Denominator, Transposed

if TYPE_CHECKING:
    from scipy.sparse import csr_array

FEW_BYTES = 1 << 20
"""Bytes of the largest array of one step on several examples: what a step makes is still in cache in the next one."""


class ForEachExample(Jacobian):
    r"""yₙ = J xₙ for every example n, with one J for all of them: :math:`I_N \otimes J` in C order.

    The arrays of J, such as an index or a kernel, are stored once for any number of examples. A chain J acts on a few
    examples at a time. So the arrays between its factors, such as a convolution's columns, take about a megabyte, and
    not N times those of one example.

    Parameters
    ----------
    count : int
        N, the number of examples.
    inner : Jacobian
        Of one example, in numerator layout.
    axis : {0, -1}
        Where the examples are counted: before the axes of one example, or after them.

    Raises
    ------
    ShapeError
        If the axis is neither 0 nor -1, or the count is none.
    ArgumentError
        If `inner` is no Jacobian in numerator layout.

    Examples
    --------
    >>> from jacobians.linops import Selection
    >>> J = ForEachExample(2, Selection(np.array([2, 0, 2]), (3,)))     # one index for both examples
    >>> J
    ForEachExample(2 of Selection(3 of 3)): 6×6 float64, (2, 3) → (2, 3), 24 B
    >>> J.jvp(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
    array([[3., 1., 3.],
           [6., 4., 6.]])
    """

    __slots__ = ("axis", "count", "inner")
    _shares_block = True
    _rule = ("each example by itself", "Every example passes the same map")

    def __init__(self, count: int, inner: Jacobian, axis: int = 0) -> None:
        (self.count,) = as_shape((count,), "the count", "ForEachExample")
        given: object = inner
        if not isinstance(given, Jacobian) or isinstance(given, Denominator):
            raise ArgumentError("ForEachExample: inner must be a Jacobian in numerator layout, such as Selection(…)")
        if axis not in (0, -1):
            raise ShapeError(f"ForEachExample: axis={axis}; examples are counted along axis 0 or -1")
        self.inner, self.axis = inner, axis
        shapes = (inner.codomain, inner.domain)
        codomain, domain = ((self.count, *s) if axis == 0 else (*s, self.count) for s in shapes)
        super().__init__(codomain, domain, inner.dtype)

    def _jvp(self, tangent: Array) -> Array:
        return self._act(tangent, forward=True)

    def _vjp(self, cotangent: Array) -> Array:
        return self._act(cotangent, forward=False)

    def _act(self, value: Array, *, forward: bool) -> Array:
        """The image of every example: the examples are one more axis of the stack that the inner map acts on."""
        act = self.inner._jvp if forward else self.inner._vjp
        rank = len(self.inner.domain if forward else self.inner.codomain)
        if self.axis == -1:
            image = self._of_examples(np.moveaxis(value, -1, -1 - rank), act, rank)
            return np.moveaxis(image, image.ndim - 1 - len(self._shape_of_one(forward)), -1)
        return self._of_examples(value, act, rank)

    def _shape_of_one(self, forward: bool) -> tuple[int, ...]:
        return self.inner.codomain if forward else self.inner.domain

    def _of_examples(self, value: Array, act: Any, rank: int) -> Array:
        lead = value.shape[: value.ndim - rank]
        steps = [*slabs(size_of(lead), self._largest() * value.itemsize, FEW_BYTES)]
        if len(steps) <= 1 or len(self.inner._factors()) == 1:
            return cast(Array, act(value))
        flat = value.reshape(size_of(lead), *value.shape[len(lead) :])
        first = act(flat[steps[0]])
        out = empty((len(flat), *first.shape[1:]), first.dtype, value)
        out[steps[0]] = first
        for step in steps[1:]:
            out[step] = act(flat[step])
        return out.reshape(lead + first.shape[1:])

    def _largest(self) -> int:
        """Entries of the largest array on the way through the inner map, of one example."""
        return max(max(size_of(f.domain), size_of(f.codomain)) for f in self.inner._factors())

    def _transpose(self) -> Jacobian:
        inner = self.inner.T
        return Transposed(self) if isinstance(inner, Transposed) else ForEachExample(self.count, inner, self.axis)

    def _is_symmetric(self) -> bool:
        return self.inner._is_symmetric()

    def _keeps_examples(self, axis: int) -> bool:
        return axis == self.axis

    def _blocks(self, axis: int) -> Array:
        return self.inner._dense()[None]

    def _times_blocks(self, blocks: Array, axis: int) -> Array:
        # one product in all only where there is one block in all
        if len(blocks) == 1:
            return matmul(self._blocks(axis), blocks)
        columns = for_each(blocks, self.count).swapaxes(1, 2).reshape(self.count, blocks.shape[2], *self.inner.domain)
        return self.inner._jvp(columns).reshape(self.count, blocks.shape[2], self.inner.shape[0]).swapaxes(1, 2)

    def _fill(self, out: Array) -> None:
        p, q = len(self.inner.codomain), len(self.inner.domain)
        rows, columns = [*range(1, p + 1)], [*range(p + 1, p + q + 1)]
        left, right = ([0, *rows], [0, *columns]) if self.axis == 0 else ([*rows, 0], [*columns, 0])
        out[...] = 0
        blocks = diagonal_view(out, left, right, [0, *rows, *columns])
        blocks[...] = self.inner._dense().reshape(self.inner.codomain + self.inner.domain)

    def _sparse(self) -> csr_array:
        from scipy.sparse import csr_array, eye_array, kron

        pair = (eye_array(self.count, dtype=self.dtype), self.inner._in_one_dtype()._sparse())
        return csr_array(kron(*pair[:: 1 if self.axis == 0 else -1]), dtype=self.dtype)

    def _nonzeros(self) -> Nonzeros:
        return Nonzeros.of(self.count).kron(self.inner._nonzeros())

    def _row_norms(self) -> Array:
        each = self.inner._row_norms()
        return np.broadcast_to(each if self.axis == 0 else each[..., None], self.codomain)

    def _diagonal(self) -> Array:
        if self.codomain != self.domain:
            return super()._diagonal()
        of_one = self.inner._diagonal()
        return np.tile(of_one, self.count) if self.axis == 0 else np.repeat(of_one, self.count)

    @property
    def structure(self) -> str:
        return f"ForEachExample({self.count} of {self.inner.structure})"

    @property
    def flops(self) -> int:
        return self.count * self.inner.flops

    @property
    def arrays(self) -> tuple[Array, ...]:
        return self.inner.arrays
