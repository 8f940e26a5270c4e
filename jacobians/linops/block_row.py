"""Several Jacobians of one output side by side: all parameters at once, as one packed vector."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any

import numpy as np

from jacobians.arrays import Array, size_of
from jacobians.errors import ShapeError
from jacobians.layout import Order
from jacobians.linops.jacobian import Jacobian, Leaf
from jacobians.linops.kernels import empty
from jacobians.linops.nonzeros import Nonzeros
from jacobians.linops.parts import all_jacobians, joint_order
from jacobians.linops.planning import Beginning, Way, fill, flops_of_sum, jvp_of_sum, vjp_of_each, ways_together
from jacobians.linops.unrolling import c_index_of_f, known_order, unroll
from jacobians.linops.wrappers import Transposed

if TYPE_CHECKING:
    from scipy.sparse import csr_array


class BlockRow(Jacobian):
    """[J₁ J₂ …], whose domain is the packed vector [vec V₁; vec V₂; …].

    Parameters
    ----------
    blocks : iterable of Jacobian
        With one codomain.
    vec : {"C", "F"}
        How each input is unrolled inside the packed vector. It is data, not a view: it does not change with
        the vec order of the matrix views.

    Raises
    ------
    ShapeError
        If the codomains differ, or there is no block.
    ArgumentError
        If one is no Jacobian.
    LayoutError
        If the blocks' vec orders differ, or one is in denominator layout.

    Examples
    --------
    >>> from jacobians.linops import Dense
    >>> row = BlockRow((Dense(np.array([[1.0, 2.0], [3.0, 4.0]])), Dense(np.array([5.0]))), vec="F")
    >>> row.gradient
    array([1., 3., 2., 4., 5.])
    """

    __slots__ = ("_known_ways", "blocks", "vec")

    def __init__(self, blocks: Iterable[Jacobian], vec: Order = "C") -> None:
        blocks = all_jacobians(blocks, "BlockRow")
        if any(b.codomain != blocks[0].codomain for b in blocks):
            raise ShapeError(f"BlockRow: the blocks' codomains must agree; got {[b.codomain for b in blocks]}")
        self.blocks = blocks
        self.vec = known_order(vec, "BlockRow's vec")
        size = sum(size_of(b.domain) for b in blocks)
        super().__init__(blocks[0].codomain, (size,), np.result_type(*(b.dtype for b in blocks)))
        self.order = joint_order(*blocks)
        self._known_ways: list[Way] = []

    def _packed_sizes(self) -> tuple[Sequence[int], Sequence[int]]:
        return (), [block.shape[1] for block in self.blocks]

    def _with_leaves(self, leaf: Leaf, inner: Callable[[Jacobian], Jacobian]) -> Jacobian:
        return BlockRow(tuple(map(inner, self.blocks)), self.vec)

    def _ways(self) -> list[Way]:
        """The way of least operations to each block's matrix; priced once."""
        if not self._known_ways:
            self._known_ways += ways_together([b._planned() for b in self.blocks])
        return self._known_ways

    def _dense_bytes(self) -> int:
        rows = self.shape[0]
        beside = (
            way.peak - rows * b.shape[1] * b.dtype.itemsize for b, way in zip(self.blocks, self._ways(), strict=True)
        )
        return rows * self.shape[1] * self.dtype.itemsize + max(0, *beside)

    def _parts(self) -> Iterator[tuple[Jacobian, slice]]:
        start = 0
        for block in self.blocks:
            stop = start + size_of(block.domain)
            yield block, slice(start, stop)
            start = stop

    def _jvp(self, tangent: Array) -> Array:
        stack = tangent.shape[:-1]
        flat = tangent.reshape(size_of(stack), self.domain[0])
        parts = [(b, unroll(flat[:, s], b.domain, self.vec)) for b, s in self._parts()]
        branches = [(b._factors(), part if stack else part[0]) for b, part in parts]
        return jvp_of_sum(branches).reshape(stack + self.codomain)

    def _vjp(self, cotangent: Array) -> Array:
        stack = cotangent.shape[: cotangent.ndim - len(self.codomain)]
        flat = cotangent.reshape(size_of(stack), *self.codomain)
        out = empty((flat.shape[0], self.domain[0]), cotangent.dtype, cotangent)
        pulled = [flat] * len(self.blocks)
        vjp_of_each([(b._factors(), place) for place, b in enumerate(self.blocks)], flat if stack else flat[0], pulled)
        for (block, part), array in zip(self._parts(), pulled, strict=True):
            unroll(out[:, part], block.domain, self.vec)[...] = array
        return out.reshape(stack + self.domain)

    def _row_norms(self) -> Array:
        return reduce(np.hypot, (b._row_norms() for b in self.blocks))

    def _gram(self) -> Array:
        """[J₁ J₂ …][J₁ J₂ …]ᵀ = J₁J₁ᵀ + J₂J₂ᵀ + …"""
        return reduce(add, (b._gram() for b in self.blocks))

    def _transpose(self) -> Jacobian:
        return Transposed(self)

    def _columns(self, block: Jacobian) -> Any:
        return c_index_of_f(block.domain) if self.vec == "F" else slice(None)

    def _fill(self, out: Array) -> None:
        begun = Beginning()
        chains = (
            (b._planned(), way, unroll(out[..., part], b.domain, self.vec))
            for (b, part), way in zip(self._parts(), self._ways(), strict=True)
        )
        # each chain after those that it may begin with
        for factors, way, columns in sorted(chains, key=lambda chain: len(chain[0])):
            fill(factors, way.bracket, columns, begun)

    def _nonzeros(self) -> Nonzeros:
        each = [b._nonzeros() for b in self.blocks]
        return Nonzeros(sum(n.total for n in each), sum(n.row for n in each), max(n.column for n in each))

    def _sparse_bytes(self) -> int:
        # once in each block, once side by side
        return 2 * sum(b._sparse_bytes() for b in self.blocks)

    def _sparse(self) -> csr_array:
        from scipy.sparse import csr_array, hstack

        return csr_array(hstack([b._sparse()[:, self._columns(b)] for b in self.blocks]))

    @property
    def structure(self) -> str:
        return f"BlockRow[{', '.join(b.structure for b in self.blocks)}]"

    @property
    def flops(self) -> int:
        return flops_of_sum([(b._factors(), None) for b in self.blocks], self.shape[0])

    @property
    def arrays(self) -> tuple[Array, ...]:
        return tuple(a for b in self.blocks for a in b.arrays)
