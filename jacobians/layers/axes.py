"""Where the axes of a layer's arrays lie: a rule is stated for one order of axes, and moved to the layout's."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any

import numpy as np

from jacobians.arrays import Array, DType, Shape, as_array, inverse_axes
from jacobians.errors import ArgumentError, ShapeError
from jacobians.linops import Jacobian, PermutedAxes, Selection
from jacobians.linops.kernels import empty
from jacobians.operations import Operation
from jacobians.presets import AnyLayout, find_layout

Pads = tuple[tuple[int, int], ...]
"""By axis, how many zeros are put before and after the entries."""


def moved_copy(operation: Operation, layout: AnyLayout) -> Operation:
    """Return the same layer, of the same options, in another layout."""
    other = copy(operation)
    vars(other)["layout"] = find_layout(layout)
    return other


def moved(axes: Sequence[int], jacobian: Jacobian, shape: Shape) -> Jacobian:
    """Return a Jacobian with respect to an array in its own order of axes, from that by the array moved by `axes`."""
    return jacobian if is_in_order(axes) else jacobian @ PermutedAxes(tuple(axes), shape, jacobian.dtype)


def given_back(axes: Sequence[int], jacobian: Jacobian) -> Jacobian:
    """Return the Jacobian of a value that is moved back from the order of axes that it was computed in."""
    if is_in_order(axes):
        return jacobian
    return PermutedAxes(inverse_axes(axes), jacobian.codomain, jacobian.dtype) @ jacobian


def is_in_order(axes: Sequence[int]) -> bool:
    """Return whether an order of axes is the one that they have."""
    return tuple(axes) == tuple(range(len(axes)))


def as_mask(given: Any, operation: str) -> Array:
    """Return a mask as booleans, from these or from zeros and one other number.

    Raises
    ------
    ArgumentError
        If it has several other numbers: weights, or scores' additions, and no mask.
    """
    array = as_array(given, "the mask", operation)
    kept = array != 0
    if array.dtype.kind != "b" and not (array[kept] == array[kept][:1]).all():
        raise ArgumentError(
            f"{operation}: the mask has the entries {array[kept].min():g} to {array[kept].max():g} beside 0; expected "
            "booleans, or zeros and one other number: write mask != 0, or mask > 0"
        )
    return as_array(kept)


def is_whole(number: Any) -> bool:
    """Return whether something is a whole number, and no truth value."""
    return isinstance(number, (int, np.integer)) and not isinstance(number, bool)


def as_steps(given: Any, places: int, name: str, operation: str, least: int = 1) -> tuple[int, ...]:
    """Return one whole number for each axis of places, from one for all or one for each.

    Raises
    ------
    ShapeError
        If it is neither, or one is too small.
    """
    try:
        steps = (given,) * places if isinstance(given, (int, np.integer)) else tuple(given)
        fits = len(steps) == places and all(is_whole(s) and s >= least for s in steps)
    except TypeError:
        fits = False
    if not fits:
        several = f", or one for each of {places} axes" if places > 1 else ""
        raise ShapeError(f"{operation}: {name}={given!r}; expected a whole number of at least {least}{several}")
    return tuple(int(s) for s in steps)


def as_pads(
    given: Any, lengths: Shape, kernel: Shape, stride: Shape, dilation: Shape, operation: str, called: str = "pad"
) -> Pads:
    """Return the padding of each axis: from one number, one or a pair for each axis, or "same".

    "same" gives ⌈length / stride⌉ places, and of an odd number of zeros one more after than before, as TensorFlow and
    Keras have it.

    Raises
    ------
    ShapeError
        If it is none of these.
    """
    places = len(lengths)
    if isinstance(given, str) and given == "same":
        pads = []
        for n, k, s, d in zip(lengths, kernel, stride, dilation, strict=True):
            needed = max((-(-n // s) - 1) * s + d * (k - 1) + 1 - n, 0)
            pads.append((needed // 2, needed - needed // 2))
        return tuple(pads)
    if isinstance(given, (tuple, list)) and len(given) == places and all(isinstance(p, (tuple, list)) for p in given):
        pairs = tuple(as_steps(p, 2, called, operation, least=0) for p in given)
        return tuple((before, after) for before, after in pairs)
    if isinstance(given, (str, float)):
        raise ShapeError(
            f"{operation}: {called}={given!r}; expected 'same', a number of zeros (0 for Keras's 'valid'), one for "
            "each axis, or pairs (before, after)"
        )
    return tuple((p, p) for p in as_steps(given, places, called, operation, least=0))


def within_padding(lead: Shape, lengths: Shape, pads: Pads, dtype: DType) -> Selection:
    """Return the selection of an array's entries among the padding around it; its transpose pads with zeros."""
    padded = tuple(before + n + after for n, (before, after) in zip(lengths, pads, strict=True))
    key = (*(slice(None),) * len(lead), *(slice(b, b + n) for n, (b, _) in zip(lengths, pads, strict=True)))
    return Selection(key, (*lead, *padded), dtype)


def padded(array: Array, pads: Pads) -> Array:
    """Return the array with zeros around its last axes; itself without padding."""
    if not any(map(any, pads)):
        return array
    lead, lengths = array.shape[: array.ndim - len(pads)], array.shape[array.ndim - len(pads) :]
    return within_padding(lead, lengths, pads, array.dtype)._vjp(array)


def padded_with(array: Array, inside: Selection, fill: float) -> Array:
    """Return the array with a number around it, where a selection finds it again."""
    out = empty(inside.domain, array.dtype, array)
    out.fill(fill)
    out[inside.key] = array
    return out
