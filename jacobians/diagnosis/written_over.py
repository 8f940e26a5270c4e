"""Gradients of layers that are written over where they should be added up: overlapping windows, examples, tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np

from jacobians.arrays import Array, as_array
from jacobians.diagnosis.slip import Pullback
from jacobians.diagnosis.wrong_layer import WrongLayer
from jacobians.layers.axes import Pads
from jacobians.layers.pooling import Embedding

__all__ = ["WindowsOf", "kernels_written_over", "tokens_written_over", "windows_written_over"]

_NAME = "written-over"
_WINDOWS = "Where windows overlap, what arrives is added up: dX[window] += …, with dX = 0 before the loops."
_KERNEL = "Every example and every place adds to the kernel's gradient: dW += …, with dW = 0 before the loops."


@dataclass(frozen=True, slots=True)
class WindowsOf:
    """Where the windows of a layer lie.

    Attributes
    ----------
    axes : tuple of int
        The axes of examples, of channels and of places, in this order.
    lengths, pads : tuple
        Of the images, along each axis of places.
    size, stride, dilation : tuple of int
    """

    axes: tuple[int, ...]
    lengths: tuple[int, ...]
    pads: Pads
    size: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]

    def last_of_each_entry(self, axis: int) -> Array:
        """Return which window along an axis of places is the last that an entry of the images is in; −1 for none."""
        before, after = self.pads[axis]
        length = before + self.lengths[axis] + after
        s, d, k = self.stride[axis], self.dilation[axis], self.size[axis]
        last = np.full(length, -1)
        for place in range((length - d * (k - 1) - 1) // s + 1):
            last[s * place + d * np.arange(k)] = place
        return last[before : length - after]

    @property
    def apart(self) -> tuple[int, ...]:
        """How many places lie between two windows that have no entry in common."""
        every = zip(self.size, self.stride, self.dilation, strict=True)
        return tuple(-(-(d * (k - 1) + 1) // s) for k, s, d in every)

    def only(self, array: Array, kept: Sequence[Array]) -> Array:
        """Return the array with zeros where an axis of places, by a mask for each, is not kept."""
        found = array
        for axis, mask in zip(self.axes[2:], kept, strict=True):
            found = found * mask.reshape([-1 if a == axis else 1 for a in range(array.ndim)])
        return as_array(found)


def windows_written_over(of: WindowsOf, right: Pullback, outputs: int = 1) -> Iterator[WrongLayer]:
    """Return the slips of images whose windows are written over, by the right way back to the images."""
    if max(of.apart) == 1:
        return

    def back(cotangent: Array) -> Array:
        """Windows that have no entry in common go back together; each entry keeps what its last window gave it."""
        places = [np.arange(cotangent.shape[a]) for a in of.axes[2:]]
        found = np.zeros(())
        for which in product(*map(range, of.apart)):
            own = [p % m == r for p, m, r in zip(places, of.apart, which, strict=True)]
            last = [of.last_of_each_entry(axis) for axis in range(len(which))]
            kept = [(p % m == r) & (p >= 0) for p, m, r in zip(last, of.apart, which, strict=True)]
            found = found + of.only(right(of.only(cotangent, own)), kept)
        return as_array(found)

    title = "windows that overlap are written over in the images' gradient (= for +=)"
    yield WrongLayer(_NAME, title, _WINDOWS, {"X": back})
    if outputs > 1:
        title = "windows that overlap, and outputs, are written over in the images' gradient (= for +=)"
        yield WrongLayer(_NAME, title, _WINDOWS, {"X": partial(_of_the_last, back, of.axes[1:2])})


def kernels_written_over(axes: tuple[int, ...], right: Pullback, count: int, places: int) -> Iterator[WrongLayer]:
    """Return the slips of a kernel's gradient that is the last example's or place's, by the right way back to it."""
    for said, own, several in (
        ("example", axes[:1], count > 1),
        ("place", axes[2:], places > 1),
        ("place of the last example", axes[:1] + axes[2:], count > 1 and places > 1),
    ):
        if several:
            title = f"the kernel's gradient is that of the last {said} alone, or written over (= for +=)"
            yield WrongLayer(_NAME, title, _KERNEL, {"W": partial(_of_the_last, right, own)})


def tokens_written_over(op: Embedding, table: Array) -> Iterator[WrongLayer]:
    """Return the slip of a table's gradient in which one of several equal tokens counts."""
    if len(np.unique(op.tokens)) == op.tokens.size:
        return

    def back(cotangent: Array) -> Array:
        found = np.zeros(table.shape)
        found[op.tokens] = cotangent
        return found

    title = "of equal tokens the last alone counts in the table's gradient: dW[tokens] += dout adds only once"
    mend = "Add up what arrives at equal tokens: np.add.at(dW, tokens, dout)."
    yield WrongLayer(_NAME, title, mend, {"W": back})


def _of_the_last(back: Pullback, axes: tuple[int, ...], cotangent: Array) -> Array:
    """What goes back from the last entry along some axes."""
    key = tuple(slice(-1, None) if axis in axes else slice(None) for axis in range(cotangent.ndim))
    kept = np.zeros_like(cotangent)
    kept[key] = cotangent[key]
    return back(kept)
