"""Law 8: what a mini-batch does is what its examples do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array
from jacobians.errors import DomainError
from jacobians.testing.compare import (
    OperationLike,
    agree,
    as_arrays,
    called,
    draw,
    evaluate,
    fail,
    generator,
    largest,
    term_size,
)

__all__ = ["BatchReduction", "assert_batch"]

BatchReduction: TypeAlias = Literal["none", "sum", "mean"]


def assert_batch(
    operation: OperationLike,
    arrays: Sequence[npt.ArrayLike],
    rng: np.random.Generator | None = None,
    *,
    axes: Sequence[int | None],
    out_axis: int | None = None,
    reduction: BatchReduction = "none",
) -> None:
    """Law 8, batch: permuting the examples permutes the result, and the parts of a split batch make up the whole.

    Parts are slices of an unreduced value; they add up to a sum, and a mean is their mean weighted by size. The same
    holds for the gradients: by inputs of the batch they are slices, by shared inputs they add up. The batch is split
    unevenly, into single examples, and, unless a mean is taken, beside an empty part. Of no examples at all, a sum
    is 0, an unreduced value is empty, gradients by shared inputs are 0, and a mean raises `DomainError`.

    Parameters
    ----------
    operation : callable
        Returns a value and its Jacobians, see `OperationLike`.
    arrays : sequence of array_like
        Inputs with at least two examples.
    rng : Generator, optional
    axes : sequence of (int or None)
        For each input the axis along which examples are counted; None for an input that all examples share.
    out_axis : int, optional
        The same for the value, if it is not reduced.
    reduction : {"none", "sum", "mean"}
        What the operation does over the batch.

    Raises
    ------
    AssertionError
        If an example's result depends on its place or on its neighbours, or the reduction is another.

    Examples
    --------
    >>> from jacobians import affine, cross_entropy
    >>> X, W, b = np.arange(6.0).reshape(3, 2), np.ones((2, 4)), np.zeros(4)
    >>> assert_batch(affine, [X, W, b], axes=(0, None, None), out_axis=0)
    >>> assert_batch(lambda X, Y: cross_entropy(X, Y), [X, np.array([0, 1, 1])], axes=(0, 0), reduction="mean")
    """
    if (out_axis is None) == (reduction == "none"):
        raise ValueError(
            f"assert_batch: reduction {reduction!r} goes {'with' if out_axis is None else 'without'} out_axis"
        )
    given = as_arrays(arrays)
    if len(axes) != len(given):
        raise ValueError(f"assert_batch: {len(given)} inputs need as many axes; got {tuple(axes)}")
    batch = _Batch(operation, given, axes, out_axis, reduction, generator(rng))
    count = next(a.shape[axis] for a, axis in zip(given, axes, strict=True) if axis is not None)
    batch.check_permutation(np.roll(np.arange(count), 1))
    for sizes in ([1, count - 1], [count - 1, 1], [1] * count):
        batch.check_split(sizes)
    if reduction != "mean":
        batch.check_split([0, count])
    batch.check_empty()


class _Batch:
    """The whole batch's value and gradients, against which parts are held."""

    def __init__(
        self,
        operation: OperationLike,
        arrays: list[Array],
        axes: Sequence[int | None],
        out_axis: int | None,
        reduction: BatchReduction,
        rng: np.random.Generator,
    ) -> None:
        self.operation, self.arrays, self.axes = operation, arrays, axes
        self.out_axis, self.reduction = out_axis, reduction
        self.value, jacobians = evaluate("batch", operation, arrays)
        self.cotangent = draw(rng, self.value.shape, self.value.dtype)
        self.gradients = {name: j.vjp(self.cotangent) for name, j in jacobians.items()}
        self.scale = max([1.0, *(largest(self.cotangent) * term_size(j) for j in jacobians.values())])

    def taken(self, places: npt.ArrayLike) -> tuple[Array, dict[str, Array]]:
        """Value and gradients of the examples at these places."""
        index = np.asarray(places, dtype=np.intp)
        arrays = [
            a if axis is None else np.take(a, index, axis) for a, axis in zip(self.arrays, self.axes, strict=True)
        ]
        value, jacobians = evaluate("batch", self.operation, arrays)
        cotangent = self.cotangent if self.out_axis is None else np.take(self.cotangent, index, self.out_axis)
        if cotangent.shape != value.shape:
            fail("batch", f"{called(self.operation)} of {index.size} examples", f"the value has shape {value.shape}")
        return value, {name: j.vjp(cotangent) for name, j in jacobians.items()}

    def check_permutation(self, places: Array) -> None:
        value, gradients = self.taken(places)
        what = f"examples in the order {places.tolist()}"
        self._agree(f"{what}, value", value, self._sliced(self.value, self.out_axis, places))
        for (name, gradient), axis in zip(gradients.items(), self.axes, strict=False):
            self._agree(
                f"{what}, gradient with respect to {name}", gradient, self._sliced(self.gradients[name], axis, places)
            )

    def check_split(self, sizes: list[int]) -> None:
        """The parts of the batch, put together, are the whole."""
        count = sum(sizes)
        parts = [self.taken(places) for places in np.split(np.arange(count), np.cumsum(sizes)[:-1])]
        # a mean over N gives every example 1/N, a part's mean 1/size
        weights = [size / count if self.reduction == "mean" else 1.0 for size in sizes]
        what = f"a batch split into {sizes}"
        values = [value for value, _ in parts]
        self._agree(f"{what}, value", self._joined(values, self.out_axis, weights), self.value)
        for (name, whole), axis in zip(self.gradients.items(), self.axes, strict=False):
            pieces = [gradients[name] for _, gradients in parts]
            if axis is not None:
                pieces = [w * piece for w, piece in zip(weights, pieces, strict=True)]
            self._agree(f"{what}, gradient with respect to {name}", self._joined(pieces, axis, weights), whole)

    def check_empty(self) -> None:
        """No examples: nothing, zero, or a DomainError for a mean."""
        what = f"{called(self.operation)} of no examples"
        if self.reduction == "mean":
            try:
                self.taken([])
            except DomainError:
                return
            fail("batch", what, "a mean over nothing is taken; expected DomainError")
        value, gradients = self.taken([])
        for name, array in {
            "the value": value,
            **{f"the gradient with respect to {n}": g for n, g in gradients.items()},
        }.items():
            if np.any(array != 0):
                fail("batch", what, f"{name} is {array.ravel()[:3].tolist()}, expected 0")

    def _sliced(self, array: Array, axis: int | None, places: Array) -> Array:
        return array if axis is None else np.take(array, places, axis)

    def _joined(self, pieces: list[Array], axis: int | None, weights: list[float]) -> Array:
        if axis is not None:
            return np.concatenate(pieces, axis=axis)
        return np.sum([w * piece for w, piece in zip(weights, pieces, strict=True)], axis=0)

    def _agree(self, what: str, actual: Array, expected: Array) -> None:
        whose = f"{called(self.operation)}, {what}"
        agree("batch", whose, actual, expected, dtype=self.value.dtype, scale=self.scale)
