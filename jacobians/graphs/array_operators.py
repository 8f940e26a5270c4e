"""Python's operators and an array's methods for a value of a graph: each applies an operation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Self

import numpy as np

from jacobians.arrays import Shape, StandIn, a_whole_number, as_array, show_shape, size_of
from jacobians.errors import FrozenError, GraphError, ShapeError
from jacobians.graphs.contractions import dot
from jacobians.graphs.node import Node
from jacobians.graphs.rearranging import Extreme, Indexed, Permuted
from jacobians.operations import MatMul, Mean, Operation, Power, Reshaping, Total, Transpose
from jacobians.operations.broadcasting import Divided, Minus, OfTwo, Plus, Raised, Times

Other = Any
"""A value, an array or a number."""


class ArrayOperators(Node):
    """A node that behaves like an array in formulas: arithmetic, indices, axes, reductions and comparisons.

    Arithmetic gives nodes of the same graph. Comparisons give plain arrays of booleans. ``bool``, ``float`` and ``len``
    give what they give for an array.
    """

    __slots__ = ()

    # --- operators -------------------------------------------------------------------------------

    def _with(self, operation: OfTwo, left: Other, right: Other) -> Self:
        return self._apply(operation, (self._operand(left), self._operand(right)))

    def _operand(self, other: Other) -> Other:
        """A number is converted to this value's dtype, as it is beside an array."""
        return np.asarray(other, self.dtype) if type(other) in (int, float, bool) else other

    def __add__(self, other: Other) -> Self:
        return self._with(Plus(), self, other)

    def __radd__(self, other: Other) -> Self:
        # sum([v, w]) starts from the number 0
        return self if type(other) is int and other == 0 else self._with(Plus(), other, self)

    def __sub__(self, other: Other) -> Self:
        return self._with(Minus(), self, other)

    def __rsub__(self, other: Other) -> Self:
        return self._with(Minus(), other, self)

    def __mul__(self, other: Other) -> Self:
        return self._with(Times(), self, other)

    def __rmul__(self, other: Other) -> Self:
        return self._with(Times(), other, self)

    def __truediv__(self, other: Other) -> Self:
        return self._with(Divided(), self, other)

    def __rtruediv__(self, other: Other) -> Self:
        return self._with(Divided(), other, self)

    def __pow__(self, exponent: Other) -> Self:
        if not isinstance(exponent, Node) and np.ndim(exponent) == 0:
            return self._apply(Power(float(exponent)), (self,))
        return self._with(Raised(), self, exponent)

    def __rpow__(self, base: Other) -> Self:
        return self._with(Raised(), base, self)

    def __neg__(self) -> Self:
        return self * -1.0

    def __pos__(self) -> Self:
        return self

    def __abs__(self) -> Self:
        return self * np.sign(self.array)

    def __repr__(self) -> str:
        known = self.shape == () and not isinstance(self.array, StandIn)  # of a recording there are no numbers to say
        number = f" = {self.array.item():.6g}" if known else ""
        return f"{type(self).__name__}({self.name}{number}: {show_shape(self.shape)} {self.dtype})"

    def __matmul__(self, other: Other) -> Self:
        return self._product(self, other)

    def __rmatmul__(self, other: Other) -> Self:
        return self._product(other, self)

    def _product(self, left: Other, right: Other) -> Self:
        """``left @ right`` as in NumPy: a vector is a row on the left, else a column."""
        shapes = np.shape(_numbers(left)), np.shape(_numbers(right))
        ranks = tuple(map(len, shapes))
        if 0 in ranks:
            raise ShapeError(f"matmul: A has shape {shapes[0]}, B has {shapes[1]}; a number multiplies by *")
        if ranks[1] > 2:
            found: Self = self._member_by_member(left, right)
            return found
        if ranks == (2, 2):
            return self._apply(MatMul(), (left, right))
        rows = (size_of(shapes[0][:-1]), shapes[0][-1])
        column = shapes[1] if ranks[1] == 2 else (*shapes[1], 1)
        if rows[1] != column[0]:
            raise ShapeError(
                f"matmul: A has shape {shapes[0]}, B has {shapes[1]}; A's last axis must be as long as B's first"
            )
        product = self._apply(MatMul(), (self._reshaped(left, rows), self._reshaped(right, column)))
        return product.reshape(shapes[0][:-1] + shapes[1][1:])

    @staticmethod
    def _member_by_member(left: Other, right: Other) -> Any:
        """The products with a stack of matrices on the right; all products of entries are formed before the sum."""
        rows, stack = (
            operand if isinstance(operand, ArrayOperators) else as_array(operand) for operand in (left, right)
        )
        matrices = rows[None] if rows.ndim == 1 else rows
        try:
            if matrices.shape[-1] != stack.shape[-2]:
                raise ValueError
            np.broadcast_shapes(matrices.shape[:-2], stack.shape[:-2])
        except ValueError:
            raise ShapeError(
                f"matmul: A has shape {rows.shape}, B has {stack.shape}; A's last axis must be as long as B's last but "
                "one, and the axes before these must broadcast"
            ) from None
        product: Any = (matrices[..., None] * stack[..., None, :, :]).sum(axis=-2)
        return product[..., 0, :] if rows.ndim == 1 else product

    @staticmethod
    def _reshaped(operand: Other, shape: Shape) -> Other:
        if isinstance(operand, ArrayOperators):
            return operand if operand.shape == shape else operand.reshape(shape)
        return as_array(operand).reshape(shape)

    # --- entries and axes ------------------------------------------------------------------------

    def __getitem__(self, key: Any) -> Self:
        if any(isinstance(part, Node) for part in (key if isinstance(key, tuple) else (key,))):
            raise GraphError("index: an index is constant, and a value is not; take the .array of the value")
        return self._apply(Indexed(key), (self,))

    def __setitem__(self, key: Any, new: Any) -> None:
        raise FrozenError(
            f"a value does not change: {self!r} cannot be written to. Take np.where(mask, new, old), or put new parts "
            "together with np.concatenate or np.stack"
        )

    @property
    def T(self) -> Self:
        """The transpose; with more than two axes, they are reversed."""
        return self.transpose()

    def transpose(self, *axes: Any) -> Self:
        """Return the array with its axes in another order, reversed unless given."""
        given = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
        order = tuple(range(self.ndim))[::-1] if not given else tuple(int(a) % max(self.ndim, 1) for a in given)
        if sorted(order) != list(range(self.ndim)):
            raise ShapeError(f"transpose: the axes {tuple(given)} are not those of an array of shape {self.shape}")
        if order == tuple(range(self.ndim)):
            return self
        return self._apply(Transpose() if self.ndim == 2 else Permuted(order), (self,))

    def swapaxes(self, first: int, second: int) -> Self:
        """Return the array with two of its axes exchanged."""
        order = list(range(self.ndim))
        order[first], order[second] = order[second], order[first]
        return self.transpose(order)

    def reshape(self, *shape: Any) -> Self:
        """Return the entries, in C order, in another shape; one length may be -1."""
        wanted = shape[0] if len(shape) == 1 and not isinstance(shape[0], (int, np.integer)) else shape
        return self._apply(Reshaping(tuple(a_whole_number(n, "a length of shape", "reshape") for n in wanted)), (self,))

    def ravel(self) -> Self:
        """Return the entries, in C order, as a vector."""
        return self.reshape((self.size,))

    flatten = ravel

    def squeeze(self, axis: Any = None) -> Self:
        """Return the entries without axes of length 1: without all of them, or without those that are asked for."""
        try:
            shape = self.array.squeeze(axis).shape
        except ValueError:
            raise ShapeError(f"squeeze: {self.name} has shape {self.shape}; {axis=} is not of length 1") from None
        return self.reshape(shape)

    def dot(self, other: Other) -> Self:
        """Return the product as `numpy.dot` has it: ``self @ other`` of vectors and matrices."""
        found: Self = dot(self, other)
        return found

    # --- reductions ------------------------------------------------------------------------------

    def sum(self, axis: Any = None, keepdims: bool = False) -> Self:
        """Return the sum over all entries, or along one or several axes; it is accumulated in float64."""
        return self._over(Total, axis, keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> Self:
        """Return the mean over all entries, or along one axis or several."""
        return self._over(Mean, axis, keepdims)

    def var(self, axis: Any = None, keepdims: bool = False, ddof: float = 0) -> Self:
        """Return the mean squared distance from the mean; the sum is divided by the count minus `ddof`."""
        away = self - self.mean(axis, keepdims=True)
        found = (away * away).mean(axis, keepdims)
        if not ddof:
            return found
        count = self.size // max(found.size, 1)
        return found * (count / (count - ddof))

    def max(self, axis: Any = None, keepdims: bool = False) -> Self:
        """Return the largest entries; of equal ones the first takes the whole derivative."""
        return self._over(lambda axis: Extreme("max", axis), axis, keepdims)

    def min(self, axis: Any = None, keepdims: bool = False) -> Self:
        """Return the smallest entries; of equal ones the first takes the whole derivative."""
        return self._over(lambda axis: Extreme("min", axis), axis, keepdims)

    def _over(self, make: Callable[[int | None], Operation], axis: Any, keepdims: bool) -> Self:
        """One axis after another, from the last on; kept axes have length 1."""
        axes: list[int | None]
        if axis is None or isinstance(axis, (int, np.integer)):
            axes = [axis if axis is None else int(axis)]
        else:  # one that is out of range is refused by the operation
            own_axes = [a_whole_number(a, "axis", "a reduction") for a in axis]
            axes = [*sorted({a % self.ndim if -self.ndim <= a < self.ndim else a for a in own_axes}, reverse=True)]
        found = self
        for own in axes:
            found = found._apply(make(own), (found,))
        if not keepdims:
            return found
        gone = range(self.ndim) if axis is None else [a % self.ndim for a in axes if a is not None]
        return found.reshape(tuple(1 if i in gone else n for i, n in enumerate(self.shape)))

    # --- what is constant ------------------------------------------------------------------------

    def __lt__(self, other: Other) -> Any:
        return self.array < _numbers(other)

    def __le__(self, other: Other) -> Any:
        return self.array <= _numbers(other)

    def __gt__(self, other: Other) -> Any:
        return self.array > _numbers(other)

    def __ge__(self, other: Other) -> Any:
        return self.array >= _numbers(other)

    def __eq__(self, other: object) -> Any:
        return self.array == _numbers(other)

    def __ne__(self, other: object) -> Any:
        return self.array != _numbers(other)

    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        return bool(self.array)

    def __float__(self) -> float:
        self._origin.numbers_taken = True
        return float(self.array)

    def __int__(self) -> int:
        self._origin.numbers_taken = True
        return int(self.array)

    def __format__(self, how: str) -> str:
        return format(float(self.array), how) if how else str(self)

    def item(self) -> float:
        """Return the only entry, as a number."""
        self._origin.numbers_taken = True
        return float(self.array.item())

    def __len__(self) -> int:
        return len(self.array)

    def __iter__(self) -> Iterator[Self]:
        for place in range(len(self.array)):
            yield self[place]


def _numbers(operand: Any) -> Any:
    return operand.array if isinstance(operand, Node) else operand
