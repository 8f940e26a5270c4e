"""What the operations of matrices share: one rule for one matrix, batches along leading axes, and what they refuse."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar, NoReturn

import numpy as np

from jacobians.arrays import Array, Shape, StandIn, as_array, counted, first_not_finite, size_of
from jacobians.errors import DomainError, DTypeError, ShapeError
from jacobians.graphs import Value
from jacobians.graphs.second_by_values import second_by_values
from jacobians.layout import DEFAULT_LAYOUT, Layout
from jacobians.linops import Commutation, DirectSum, Identity, Jacobian, Zero
from jacobians.operations import Primitive, Unary
from jacobians.operations.record import Makers, Second
from jacobians.presets import AnyLayout, find_layout

__all__ = ["OfMatrices", "OfOneMatrix", "OfVectors"]


class _Numeric(Primitive):
    """An operation with a layout for what it writes, which LAPACK may compute."""

    lapack: ClassVar[bool] = True
    """Whether LAPACK computes it: in float32 or float64, and of finite numbers only."""

    def __init__(self, layout: AnyLayout | None = None) -> None:
        self.layout = None if layout is None else find_layout(layout)

    @property
    def _own_layout(self) -> Layout:
        return self.layout or DEFAULT_LAYOUT

    def _accepted(self, arrays: Sequence[Array]) -> list[Array]:
        """The inputs in their common dtype, if LAPACK knows it, and finite."""
        dtype = np.result_type(*arrays)
        if self.lapack and not any(isinstance(a, StandIn) for a in arrays):
            for array, name in zip(arrays, self.names, strict=True):
                if array.dtype.itemsize > 8:
                    raise DTypeError(
                        f"{self.name}: {name} has dtype {array.dtype}; LAPACK computes in float32 and float64: pass "
                        f"{name}.astype(np.float64)"
                    )
                if (bad := first_not_finite(array)) is not None:
                    place, count = bad
                    raise DomainError(
                        f"{self.name}: {name} holds {array[place]} at {place} "
                        f"({counted(count, 'entry is', 'entries are')} not "
                        "finite); fill them in, or leave that matrix out"
                    )
        return [array.astype(dtype, copy=False) for array in arrays]

    def _second(self, cotangent: Array, *arrays: Array) -> Second:
        """That of the value as a function of values."""
        return second_by_values(self._in_values, self.names, self._accepted(arrays), cotangent)

    def _in_values(self, *inputs: Value) -> Value:
        """The value as a function of values, from which the second derivative follows.

        Raises
        ------
        DomainError
            If there is none.
        """
        raise DomainError(
            f"{self.name}: the operation states no second derivative, which a Hessian needs; its first derivative is "
            "right in J"
        )


class OfMatrices(_Numeric):
    """An operation that is stated for one example; a batch of examples lies along leading axes of every input.

    A subclass states `_shape`, which checks the shapes of one example, and `_of_one`. The Jacobian of a batch is the
    `DirectSum` of the examples'.

    Attributes
    ----------
    rank : int
        The axes of one example's first input.
    """

    rank: ClassVar[int] = 2

    @abstractmethod
    def _shape(self, *shapes: Shape) -> Shape:
        """The value's shape by those of one example's inputs, or a ShapeError."""

    @abstractmethod
    def _of_one(self, *arrays: Array) -> tuple[Array, Makers]:
        """Value and makers of the Jacobians of one example, all of one dtype; the value may share memory."""

    def _linearize(self, *arrays: Array) -> tuple[Array, Makers]:
        first = arrays[0]
        if first.ndim < self.rank:
            what = "a matrix" if self.rank == 2 else "a vector"
            raise ShapeError(
                f"{self.name}: {self.names[0]} has shape {first.shape}; expected {what}, or a batch along leading axes"
            )
        lead = first.shape[: first.ndim - self.rank]
        for name, array in zip(self.names, arrays, strict=True):
            if array.shape[: len(lead)] != lead:
                raise ShapeError(
                    f"{self.name}: {self.names[0]} has shape {first.shape}, a batch with leading axes {lead}, {name} "
                    f"has {array.shape}; every input needs the same leading axes: repeat {name} for each example"
                )
        own = [a.shape[len(lead) :] for a in arrays]
        shape = self._shape(*own)
        arrays = tuple(self._accepted(arrays))
        dtype = np.result_type(*arrays)
        if not lead:
            value, makers = self._of_one(*arrays)
            return as_array(value).astype(dtype, order="C"), makers  # a copy: the makers may keep the value
        values = np.empty((size_of(lead), *shape), dtype)
        flat = [a.reshape(size_of(lead), *s) for a, s in zip(arrays, own, strict=True)]
        examples: list[Makers] = []
        for i in range(size_of(lead)):
            try:
                values[i], makers = self._of_one(*(a[i] for a in flat))
            except DomainError as error:
                raise DomainError(f"{error} (in {_place(i, lead)})") from None
            examples.append(makers)
        made: Makers = {
            name: partial(self._together, examples, name, lead, lead + shape, array.shape, dtype)
            for name, array in zip(self.names, arrays, strict=True)
        }
        return values.reshape(lead + shape), made

    def _second(self, cotangent: Array, *arrays: Array) -> Second:
        """That of each example, side by side."""
        if self.piecewise_linear:
            return {}
        lead = arrays[0].shape[: arrays[0].ndim - self.rank]
        arrays = tuple(self._accepted(arrays))
        if not lead:
            return self._second_of_one(cotangent, *arrays)
        count = size_of(lead)
        shapes = {name: array.shape[len(lead) :] for name, array in zip(self.names, arrays, strict=True)}
        flat = [a.reshape(count, *shape) for a, shape in zip(arrays, shapes.values(), strict=True)]
        rows = cotangent.reshape(count, *cotangent.shape[len(lead) :])
        examples = [self._second_of_one(rows[i], *(a[i] for a in flat)) for i in range(count)]
        found: Second = {}
        for a, b in dict.fromkeys(pair for example in examples for pair in example):
            parts = [example.get((a, b)) or Zero(shapes[a], shapes[b], cotangent.dtype) for example in examples]
            found[a, b] = DirectSum(parts, lead + shapes[a], lead + shapes[b], cotangent.dtype)
        return found

    def _second_of_one(self, cotangent: Array, *arrays: Array) -> Second:
        """The second derivative of one example; here, that of the value as a function of values."""
        return second_by_values(self._in_values, self.names, arrays, cotangent)

    @staticmethod
    def _together(examples: list[Makers], name: str, lead: Shape, codomain: Shape, domain: Shape, dtype: Any) -> Any:
        parts = []
        for i, makers in enumerate(examples):
            try:
                parts.append(makers[name]())
            except DomainError as error:
                raise DomainError(f"{error} (in {_place(i, lead)})") from None
        return DirectSum(parts, codomain, domain, dtype)


def _place(number: int, lead: Shape) -> str:
    place = tuple(int(i) for i in np.unravel_index(number, lead))
    return f"example {place[0] if len(place) == 1 else place}"


class OfOneMatrix(OfMatrices, Unary):
    """An operation of one matrix, or of each of a batch; called, it returns the Jacobian itself."""

    inputs: ClassVar[tuple[str, ...]] = ("A",)


class OfVectors(_Numeric):
    """An operation of vectors, one or a batch in rows or in columns by the layout, and of matrices that all share."""

    def _rows(self, X: Array, name: str) -> Array:
        """One vector a row; one vector alone is a batch of one."""
        if X.ndim not in (1, 2):
            raise ShapeError(
                f"{self.name}: {name} has shape {X.shape}; expected one vector, or a batch of them ({self._own_layout})"
            )
        if X.ndim == 1:
            return X.reshape(1, X.shape[0])
        return X if self._own_layout.batch == "rows" else X.T

    def _given(self, rows: Array, X: Array) -> Array:
        """Rows for each vector in the shape of the batch."""
        if X.ndim == 1:
            return rows.reshape(X.shape)
        return rows if self._own_layout.batch == "rows" else rows.T

    def _rows_of(self, X: Value) -> Value:
        """One vector a row, as values."""
        if X.ndim == 1:
            return X.reshape(1, X.size)
        return X if self._own_layout.batch == "rows" else X.T


# --- what is checked, and how it is said ---------------------------------------------------------------


def square(operation: str, shape: Shape, name: str = "A") -> int:
    """Return the size of a square matrix.

    Raises
    ------
    ShapeError
        If it is none.
    """
    if len(shape) != 2 or shape[0] != shape[1]:
        mend = "; of one that is not square, take pinv or least_squares" if operation in ("inverse", "solve") else ""
        raise ShapeError(f"{operation}: {name} has shape {shape}; expected a square matrix{mend}")
    return shape[0]


def symmetric(operation: str, A: Array, name: str = "A") -> Array:
    """Return a matrix that is symmetric up to rounding, as one that is exactly so.

    Raises
    ------
    DomainError
        If two entries differ by more than √ε of the largest, with their places.
    """
    gap = np.abs(A - A.T)
    if not A.size:
        return A
    i, j = (int(k) for k in np.unravel_index(int(np.argmax(gap)), gap.shape))
    if gap[i, j] > np.sqrt(np.finfo(A.dtype).eps) * np.abs(A).max():
        raise DomainError(
            f"{operation}: {name} is not symmetric: {name}[{i}, {j}] = {A[i, j]:.6g}, {name}[{j}, {i}] = {A[j, i]:.6g}"
            f"; take symmetrised({name}) first, whose Jacobian says how both entries count"
        )
    return as_array((A + A.T) / 2)


def symmetriser(n: int, dtype: Any) -> Jacobian:
    """Return V ↦ (V + Vᵀ)/2: how a function of symmetric matrices reads an entry and its mirror image."""
    return 0.5 * with_mirror(n, dtype)


def with_mirror(n: int, dtype: Any) -> Jacobian:
    """Return V ↦ V + Vᵀ."""
    return Identity((n, n), dtype) + Commutation(n, n, dtype)


def refuse_tie(operation: str, of: str, values: Array, first: int, second: int, what: str, instead: str) -> NoReturn:
    """Raise the DomainError that names two values, their gap, and what is well defined in place of `what`."""
    gap = abs(float(values[first]) - float(values[second]))
    raise DomainError(
        f"{operation}: the {of} {first} and {second}, {values[first]:.10g} and {values[second]:.10g}, are equal up to "
        f"rounding (gap {gap:.2g}): {what}; {instead}"
    )


def closest(values: Array) -> tuple[int, int, float] | None:
    """Return the places of the two nearest of several values, in order, and their gap; None of fewer than two."""
    if values.size < 2:
        return None
    gaps = np.abs(np.diff(values))
    i = int(np.argmin(gaps))
    return i, i + 1, float(gaps[i])


def is_tied(gap: float, values: Array) -> bool:
    """Whether two of several values are equal up to the rounding of computing them."""
    return not gap > 8 * values.size * float(np.finfo(values.dtype).eps) * float(np.abs(values).max())
