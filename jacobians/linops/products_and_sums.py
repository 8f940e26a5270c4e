"""A chain of Jacobians and a sum of them, lazy and flat."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce
from itertools import pairwise
from operator import add, matmul
from typing import TYPE_CHECKING, Any

from jacobians.arrays import Array, as_array, common_dtype, size_of
from jacobians.errors import ShapeError
from jacobians.layout import Order
from jacobians.linops.batch import BlockDiagonal
from jacobians.linops.by_example import STEP_BYTES, common_axes, for_each
from jacobians.linops.chain_views import chain_diagonal, chain_gram, chain_row_norms
from jacobians.linops.jacobian import Jacobian, Leaf
from jacobians.linops.kronecker_diagonal import fill_kronecker_diagonal
from jacobians.linops.nonzeros import Nonzeros
from jacobians.linops.parts import all_jacobians
from jacobians.linops.permutations import Commutation, Identity
from jacobians.linops.planning import (
    LONG,
    Bracketing,
    Plan,
    Way,
    fill,
    least_bytes,
    make_plan,
    multiplied_blocks,
    patterns_of,
    shorter,
    within,
)
from jacobians.linops.unrolling import slabs

if TYPE_CHECKING:
    from scipy.sparse import csr_array


class Product(Jacobian):
    """J₁ J₂ … Jₖ, never multiplied out unasked: forward and reverse mode are its two ends.

    Made by ``@``, which also merges factors.

    Parameters
    ----------
    factors : iterable of Jacobian
        None of them a product.

    Raises
    ------
    ShapeError
        If neighbours do not fit, or there is no factor.
    ArgumentError
        If one is no Jacobian, or one stands alone, not in a list.
    LayoutError
        If one is in denominator layout.

    Examples
    --------
    >>> import numpy as np
    >>> from jacobians.linops import Diagonal, Kronecker
    >>> J = Diagonal(np.ones((4, 3))) @ Kronecker(4, np.ones((3, 2)))
    >>> J
    Diagonal(4×3) @ Kronecker(I₄, 3×2): 12×8 float64, (4, 2) → (4, 3), 144 B
    """

    __slots__ = ("_parts", "_ways", "factors")

    def __init__(self, factors: Iterable[Jacobian]) -> None:
        self.factors = factors = all_jacobians(factors, "Product")
        dtype = factors[0].dtype
        for left, right in pairwise(factors):
            if left.domain != right.codomain:
                raise ShapeError(
                    f"Product: {left.structure} takes arrays of shape {left.domain}, the next factor "
                    f"{right.structure} gives {right.codomain}"
                )
            if right.dtype != dtype:
                dtype = common_dtype(dtype, right.dtype)
        self._ways: dict[int | None, Way] = {}
        self._parts = factors if len(factors) <= LONG else ()
        super().__init__(factors[0].codomain, factors[-1].domain, dtype)

    def _jvp(self, tangent: Array) -> Array:
        for factor in reversed(self.factors):
            tangent = factor._jvp(tangent)
        return tangent

    def _vjp(self, cotangent: Array) -> Array:
        for factor in self.factors:
            cotangent = factor._vjp(cotangent)
        return cotangent

    def _with_leaves(self, leaf: Leaf, inner: Callable[[Jacobian], Jacobian]) -> Jacobian:
        return Product(tuple(map(inner, self.factors)))

    def _makes_new(self) -> bool:
        return any(factor._makes_new() for factor in self.factors)

    def _written(self, write: Any, order: Order) -> str | None:
        texts = [factor._written(write, order) for factor in self.factors]
        return None if None in texts else str(write.join(texts))

    def plan(self, *, limit: int | None = None) -> Plan:
        """Return the bracketing of least cost for the dense matrix, priced by structure.

        Parameters
        ----------
        limit : int, optional
            Bytes that the arrays which are built, the matrix among them, may take at one time.

        Raises
        ------
        TooLargeError
            If no bracketing stays within the limit.

        Examples
        --------
        >>> import numpy as np
        >>> from jacobians.linops import Diagonal, Kronecker
        >>> J = Kronecker(5, np.ones((2, 3))) @ Diagonal(np.ones((5, 3))) @ Kronecker(np.ones((5, 4)), 3)
        >>> print(J.plan())
        ([0 1] 2): 150 operations, peak 1.2 KiB (forward 960, reverse 150)
        """
        return make_plan(self._planned(), limit, self._way())

    def _planned(self) -> tuple[Jacobian, ...]:
        """What is planned: the factors, or in a long chain shorter ones."""
        if not self._parts:
            self._parts = tuple(part[0] if len(part) == 1 else Product(part) for part in shorter(self.factors))
        return self._parts

    def _way(self, axis: int | None = None) -> Way:
        """The cheapest way to the matrix, or to the blocks along an axis of examples; priced once."""
        if axis not in self._ways:
            parts = patterns_of(self._planned())
            (self._ways[axis],) = Bracketing(parts).ways(0, len(parts) - 1, axis)
        return self._ways[axis]

    def _dense_bytes(self) -> int:
        return self._way().peak

    def _dense_flops(self) -> int:
        return self._way().operations

    def _least_bytes(self) -> int:
        return least_bytes(self._planned())

    def _factors(self) -> tuple[Jacobian, ...]:
        return self.factors

    def _row_norms(self) -> Array:
        found = chain_row_norms(self.factors)
        return super()._row_norms() if found is None else found.astype(self.dtype, copy=False)

    def _gram(self) -> Array:
        found = chain_gram(self.factors)
        return super()._gram() if found is None else found.astype(self.dtype, copy=False)

    def _diagonal(self) -> Array:
        found = chain_diagonal(self.factors)
        return super()._diagonal() if found is None else found.ravel().astype(self.dtype, copy=False)

    def _transpose(self) -> Jacobian:
        return Product(tuple(f.T for f in reversed(self.factors)))

    def _fill(self, out: Array) -> None:
        if not self._fill_by_entries(out):
            fill(self._planned(), self._way().bracket, out)

    def _fill_by_entries(self, out: Array) -> bool:
        """Write a Kronecker · diagonal · Kronecker, also of what reads a symmetric matrix; return whether it is one."""
        *before, last = self.factors
        mirrored = (
            isinstance(last, Sum)
            and len(last.terms) == 2
            and isinstance(last.terms[0], Identity)
            and isinstance(last.terms[1], Commutation)
        )
        return fill_kronecker_diagonal(before if mirrored else self.factors, out, mirrored=mirrored)

    def _fill_within(self, out: Array, limit: int) -> None:
        if self._fill_by_entries(out):
            return
        best = self._way()
        way = best if best.peak <= limit else within(self._planned(), limit)
        fill(self._planned(), way.bracket, out)

    def _keeps_examples(self, axis: int) -> bool:
        return all(f._keeps_examples(axis) for f in self.factors)

    def _blocks(self, axis: int) -> Array:
        return multiplied_blocks(self._planned(), self._way(axis).bracket, axis, self.dtype)

    def _blocks_bytes(self, axis: int) -> int:
        return max(super()._blocks_bytes(axis), self._way(axis).peak)

    def _nonzeros(self) -> Nonzeros:
        first, *rest = self.factors
        found, rows = first._nonzeros(), self.shape[0]
        for factor in rest:
            found = found.times(factor._nonzeros(), (rows, factor.shape[1]))
        for axis in common_axes(self):
            found = found.within(Nonzeros.of_blocks(self.codomain[axis], self.shape))
        return found

    def _axis_of_full_blocks(self) -> int | None:
        """The axis of examples along which no block has a known zero, so that it is best to multiply out."""
        total = self._nonzeros().total
        for axis in common_axes(self):
            if total >= Nonzeros.of_blocks(self.codomain[axis], self.shape).total:
                return axis
        return None

    def _is_full(self) -> bool:
        return self._nonzeros().total >= size_of(self.shape)

    def _sparse_bytes(self) -> int:
        own = super()._sparse_bytes()
        if self._is_full():
            return own
        axis = self._axis_of_full_blocks()
        return own + (sum(f._sparse_bytes() for f in self.factors) if axis is None else self._blocks_bytes(axis))

    def _sparse(self) -> csr_array:
        if self._is_full():
            return super()._sparse()
        axis = self._axis_of_full_blocks()
        if axis is not None:
            return BlockDiagonal(
                for_each(self._blocks(axis), self.domain[axis]), self.codomain, self.domain, axis
            )._sparse()
        return self._sparse_by_rows()

    def _sparse_by_rows(self) -> csr_array:
        """The product of the factors' sparse matrices, some rows at a time: no product on the way is held whole."""
        from scipy.sparse import csr_array, vstack

        first, *rest = (factor._sparse() for factor in self.factors)
        # a row of a product may be as long as the rows between are wide
        widest = max(factor.shape[1] for factor in self.factors)
        parts = [reduce(matmul, rest, first[part]) for part in slabs(self.shape[0], 16 * widest, STEP_BYTES)]
        return csr_array(vstack(parts, format="csr")).astype(self.dtype)

    @property
    def structure(self) -> str:
        count = len(self.factors)
        shown = self.factors if count <= LONG else (*self.factors[:3], *self.factors[-3:])
        texts = [f"({f.structure})" if " + " in f.structure else f.structure for f in shown]
        return " @ ".join(texts if count <= LONG else [*texts[:3], f"… ({count - 6} more)", *texts[3:]])

    @property
    def flops(self) -> int:
        return sum(f.flops for f in self.factors)

    @property
    def arrays(self) -> tuple[Array, ...]:
        return tuple(a for f in self.factors for a in f.arrays)


class Sum(Jacobian):
    """J₁ + J₂ + … between the same arrays; made by ``+``, and flat.

    Parameters
    ----------
    terms : iterable of Jacobian
        Between the same arrays; none a sum.

    Raises
    ------
    ShapeError
        If they map between different shapes, or there is no term.
    ArgumentError
        If one is no Jacobian, or one stands alone, not in a list.
    LayoutError
        If one is in denominator layout.

    Examples
    --------
    >>> import numpy as np
    >>> from jacobians.linops import Diagonal, Identity
    >>> (Identity((2,)) + Diagonal(np.array([1.0, 2.0]))).to_dense()
    array([[2., 0.],
           [0., 3.]])
    """

    __slots__ = ("terms",)
    _rule = ("sum of paths", "Each path passes its share")

    def __init__(self, terms: Iterable[Jacobian]) -> None:
        self.terms = terms = all_jacobians(terms, "Sum")
        first = terms[0]
        other = next((t for t in terms if (t.codomain, t.domain) != (first.codomain, first.domain)), None)
        if other is not None:
            raise ShapeError(
                f"Sum: {first.structure} maps {first.domain} to {first.codomain}, {other.structure} maps "
                f"{other.domain} to {other.codomain}; all terms must agree"
            )
        super().__init__(terms[0].codomain, terms[0].domain, common_dtype(*(t.dtype for t in terms)))

    def _makes_new(self) -> bool:
        return len(self.terms) > 1 or self.terms[0]._makes_new()

    def _jvp(self, tangent: Array) -> Array:
        first, *others = self.terms
        image = first._jvp(tangent)
        for term in others:
            image = as_array(image + term._jvp(tangent))
        return image

    def _vjp(self, cotangent: Array) -> Array:
        first, *others = self.terms
        image = first._vjp(cotangent)
        for term in others:
            image = as_array(image + term._vjp(cotangent))
        return image

    def _dense_bytes(self) -> int:
        first, *others = (t._dense_bytes() for t in self.terms)
        return max(first, super()._dense_bytes() + max(others))

    def _transpose(self) -> Jacobian:
        return Sum(tuple(t.T for t in self.terms))

    def _keeps_examples(self, axis: int) -> bool:
        return all(t._keeps_examples(axis) for t in self.terms)

    def _fill(self, out: Array) -> None:
        self.terms[0]._fill(out)
        for term in self.terms[1:]:
            out += term._dense().reshape(out.shape)

    def _nonzeros(self) -> Nonzeros:
        first, *rest = (t._nonzeros() for t in self.terms)
        for other in rest:
            first = first.plus(other, self.shape)
        return first

    def _sparse_bytes(self) -> int:
        return super()._sparse_bytes() + sum(t._sparse_bytes() for t in self.terms)

    def _sparse(self) -> csr_array:
        return reduce(add, (t._sparse() for t in self.terms))

    def _diagonal(self) -> Array:
        return as_array(reduce(add, (t._diagonal() for t in self.terms)))

    @property
    def structure(self) -> str:
        return " + ".join(t.structure for t in self.terms)

    @property
    def flops(self) -> int:
        return sum(t.flops for t in self.terms) + (len(self.terms) - 1) * self.shape[0]

    @property
    def arrays(self) -> tuple[Array, ...]:
        return tuple(a for t in self.terms for a in t.arrays)

    def _written(self, write: Any, order: Order) -> str | None:
        texts = [term._written(write, order) for term in self.terms]
        return None if None in texts else str(write.bracket(write.plus(texts)))
