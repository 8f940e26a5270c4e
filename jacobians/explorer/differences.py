"""`difference_table`: how far gradients of two conventions are apart, once the library has translated one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from jacobians.arrays import Array
from jacobians.conventions import Convention
from jacobians.explorer.distinct_values import DistinctValues
from jacobians.explorer.example_nets import PLAIN
from jacobians.translate import translate_batch, translate_gradients


def difference_table(
    conventions: Sequence[Convention],
    gradients: Sequence[Mapping[str, Array]],
    wrt: Sequence[str],
    distinct: DistinctValues,
) -> tuple[list[int], dict[str, list[list[int | None]]]]:
    """Return each convention's kind, and for every parameter the largest difference between each two kinds.

    Sides with the same gradients, bit for bit and place for place, are of one kind: `vec` and `derivative` change how
    a Jacobian is written and not what the gradient is.

    Parameters
    ----------
    conventions : sequence of Convention
    gradients : sequence of dict
        One convention's gradients by its own names, X included.
    wrt : sequence of str
        The parameters by their names in `PLAIN`.
    distinct : DistinctValues
        Where the numbers go.

    Returns
    -------
    kinds : list of int
    table : dict
        ``table[parameter][first][second]`` is a place in ``distinct.numbers``, or None where one of the two has no such
        parameter.
    """
    members: dict[object, int] = {}
    kinds, chosen = [], []
    for convention, gradient in zip(conventions, gradients, strict=True):
        layout = (convention.layout.batch, convention.layout.weights, convention.layout.bias)
        bits = (layout, *((name, array.tobytes()) for name, array in gradient.items()))
        if bits not in members:
            members[bits] = len(members)
            chosen.append((convention, gradient))
        kinds.append(members[bits])
    pairs = [[_differences(first, second) for second in chosen] for first in chosen]
    return kinds, {
        name: [[distinct.keep_number(pair[name]) if name in pair else None for pair in row] for row in pairs]
        for name in wrt
    }


_Own = tuple[Convention, Mapping[str, Array]]


def _differences(first: _Own, second: _Own) -> dict[str, float]:
    """By the names of `PLAIN`; without biases where one of the two has none."""
    without = [convention for convention, _ in (first, second) if convention.layout.bias == "none"]
    frame = PLAIN.replace(layout=PLAIN.layout.replace(bias="none")) if without else PLAIN
    a, b = (_translated(own, frame) for own in (first, second))
    return {name: float(np.abs(a[name] - b[name]).max(initial=0.0)) for name in a}


def _translated(own: _Own, frame: Convention) -> dict[str, Array]:
    convention, gradient = own
    parameters = {name: array for name, array in gradient.items() if name != "X"}
    moved = translate_gradients(parameters, convention, frame)
    return {**moved, "X": translate_batch(gradient["X"], convention, frame)}
