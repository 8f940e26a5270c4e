"""Slips in some lines or entries of a gradient: rows in another order, a row, a column, a unit or an entry alone."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from jacobians.arrays import Array
from jacobians.diagnosis.distances import Distances
from jacobians.diagnosis.slip import (
    Backward,
    Entries,
    Gradients,
    Layer,
    Pullback,
    Setting,
    Slip,
    entries_of_weights,
    multiple,
)

_MOST_LINES = 400
"""Rows or columns beyond which no permutation of them is sought: it compares each with each."""

_MOST_ENTRIES = 20
"""Entries beyond which single entries are no cause; nor are more than one of 50 of all."""

PLAIN = {0.0: "zero", 2.0: "doubled", -1.0: "negated", 0.5: "halved"}
"""The factors that a program makes by itself, and what is said of them."""


def lines(setting: Setting, distances: Distances) -> Iterator[Slip]:
    """Return the best fit of each kind. Each is a candidate, and may still be wrong."""
    yield from _permuted(setting, distances)
    yield from _odd_lines(setting, distances)
    yield from _single_entries(setting, distances)


def plain(factor: float) -> float:
    """Return the factor of `PLAIN` that equals this one up to rounding, or this one."""
    return next((c for c in PLAIN if abs(factor - c) < 1e-6), factor)


def said(factor: float) -> str:
    """Return what has happened to numbers that are multiplied by a factor."""
    return PLAIN.get(factor) or f"{factor:.8g} times what is right"


def listed(what: str, places: Sequence[int], most: int = 5) -> str:
    """Return "row 3", or "rows 3, 5 and 8"."""
    shown = [str(p) for p in places[:most]]
    if len(places) > most:
        return f"{what}s {', '.join(shown)}, and {len(places) - most} more"
    return f"{what} {shown[0]}" if len(places) == 1 else f"{what}s {', '.join(shown[:-1])} and {shown[-1]}"


def _permuted(setting: Setting, distances: Distances) -> Iterator[Slip]:
    """A weight's rows or columns in another order: each wrong line equals another right one."""
    mend = "Check the indices of the loop that fills it."
    for part, axis, early, a, b in _by_line(setting, distances):
        line = ("rows", "columns")[axis]
        if len(a) > _MOST_LINES or np.array_equal(a, b):
            continue
        places = np.array([np.abs(b - g).max(axis=1, initial=0.0) for g in a]).argmin(axis=1)
        if len(set(places.tolist())) < len(places):
            continue
        moved = [f"{p} to {i}" for i, p in enumerate(places) if i != p]
        title = f"the {line} of the gradient with respect to {part.label} are in another order{early}"
        edit = part.changed(partial(np.take, indices=places, axis=axis), data=bool(early))
        scope, evidence = f"{part.label} {line}{early}", f"{len(moved)} {line} moved: {', '.join(moved[:4])}"
        yield Slip("lines-permuted", "layout", title, mend, edit, part.layer, scope, 1, evidence)


def _by_line(setting: Setting, distances: Distances) -> Iterator[tuple[Entries, int, str, Array, Array]]:
    """Each weight, the axis of its lines, a clause, and the lines as given and as right: of all, of the data's part."""
    share = setting.right.penalty
    stages = [("", distances.given, setting.gradient)]
    if setting.penalised:
        given, right = ({n: g - share[n] for n, g in grads.items()} for grads in stages[0][1:])
        stages.append((", before the regulariser was added", given, right))
    for part, axis, (early, given, right) in itertools.product(entries_of_weights(setting), (0, 1), stages):
        if part.layer is not None:
            a, b = (np.moveaxis(part.views(grads)[0], axis, 0) for grads in (given, right))
            yield part, axis, early, a, b


# --- some lines are multiples of the right ones --------------------------------------------------


def _odd_lines(setting: Setting, distances: Distances) -> Iterator[Slip]:
    """Some rows or columns of a weight times one number, the others right; or some units."""
    for part, axis, early, a, b in _by_line(setting, distances):
        scale = float(np.linalg.norm(b))
        found = _odd(a, b, distances.enough * scale)
        if found is None:
            continue
        odd, c = found
        line, rank = ("row", "column")[axis], 1 if c in PLAIN else 2
        are, evidence = "is" if len(odd) == 1 else "are", f"ratio {c:.10g} in every entry of {listed(line, odd)}"
        title = f"{listed(line, odd)} of the gradient with respect to {part.label} {are} {said(c)}{early}"
        mend = "Check the bounds and indices of the loop that fills it."
        edit = part.changed(partial(_scaled, places=odd, axis=axis, factor=c), data=bool(early))
        scope = f"{part.label} {line}{early}"
        yield Slip("line-scaled", "data", title, mend, edit, part.layer, scope, rank, evidence)
    for layer in setting.layers:
        yield from _units(setting, distances, layer)


def _odd(a: Array, b: Array, allowed: float) -> tuple[list[int], float] | None:
    """The lines that differ, if at most half of them do, and the number that they are multiplied by."""
    gaps = np.linalg.norm(a - b, axis=1)
    odd = np.flatnonzero(gaps > allowed)
    # a line of one number is a multiple of any other
    if not len(odd) or 2 * len(odd) > len(a) or a.shape[1] < 2:
        return None
    c = plain(multiple(a[odd].ravel(), b[odd].ravel()))
    if (np.linalg.norm(a[odd] - c * b[odd], axis=1) > allowed).any():
        return None
    return [int(i) for i in odd], c


def _scaled(array: Array, places: list[int], axis: int, factor: float) -> Array:
    out = array.copy()
    np.moveaxis(out, axis, 0)[places] *= factor
    return out


def _units(setting: Setting, distances: Distances, layer: Layer) -> Iterator[Slip]:
    """δ of some units of a layer times one number: in the layer's own parameters, or in all layers before it too."""
    share = setting.right.penalty
    given, right = ({n: g - share[n] for n, g in grads.items()} for grads in (distances.given, setting.gradient))
    a, b = (_of_units(layer, grads) for grads in (given, right))
    found = _odd(a, b, distances.enough * float(np.linalg.norm(b)))
    if found is None:
        return
    odd, c = found
    rank, evidence = 1 if c in PLAIN else 2, f"ratio {c:.10g} in every entry of {listed('unit', odd)}"
    units, p = listed("unit", odd), layer.position
    are, mend = "is" if len(odd) == 1 else "are", "Check the loops and masks over the units."
    own = [n for n, position in setting.right.owner.items() if position == p]
    across = setting.layout.feature_axis

    def local(right: Backward) -> Backward:
        for name in own:
            right = right.with_local(name, _of_scaled(right.local[name], odd, across, c))
        return right

    def whole(right: Backward) -> Backward:
        if p + 1 == len(right.flow):
            return right.with_delta(_scaled(right.delta, odd, across, c))
        pull = right.flow[p + 1]
        return right.with_flow({p + 1: lambda cotangent: _scaled(pull(cotangent), odd, across, c)})

    if len(own) > 1 or layer.layout.absorbs_bias:
        title = f"the gradients of {units} of layer {layer.number}, weights and bias, are {said(c)}"
        yield Slip("unit-scaled", "data", title, mend, local, layer.number, "own", rank, evidence)
    if p:
        title = f"δ of {units} of layer {layer.number} {are} {said(c)}, and so all that is before it"
        yield Slip("unit-scaled", "data", title, mend, whole, layer.number, "whole", rank, evidence)


def _of_units(layer: Layer, gradients: Gradients) -> Array:
    """A layer's weights and bias, one unit a row."""
    weights = layer.weights_of(gradients)
    rows = weights if layer.layout.node_axis == 1 else weights.T
    return np.column_stack([rows, layer.bias_of(gradients).ravel()]) if layer.has_bias else rows


def _of_scaled(pull: Pullback, places: list[int], axis: int, factor: float) -> Pullback:
    return lambda cotangent: pull(_scaled(cotangent, places, axis, factor))


# --- some entries --------------------------------------------------------------------------------


def _single_entries(setting: Setting, distances: Distances) -> Iterator[Slip]:
    """A few entries differ, and all others are right: of all parameters, and of each alone."""
    wrong = {name: _wrong_places(distances, name) for name in setting.gradient}
    wrong = {name: places for name, places in wrong.items() if len(places)}
    groups = [list(wrong), *([name] for name in wrong if len(wrong) > 1)]
    for names in groups:
        count = sum(len(wrong[n]) for n in names)
        size = sum(setting.gradient[n].size for n in (setting.gradient if names == list(wrong) else names))
        if not count or count > max(1, min(_MOST_ENTRIES, size // 50)):
            continue
        places = [(n, tuple(place)) for n in names for place in wrong[n].tolist()]
        values = np.array([distances.given[n][place] for n, place in places])
        ratios = values / np.array([setting.gradient[n][place] or np.nan for n, place in places])
        c = plain(float(ratios[0]))
        known = c in PLAIN and all(plain(float(r)) == c for r in ratios)
        shown = ", ".join(f"{n}[{', '.join(map(str, at))}] = {distances.given[n][at]:.4g}" for n, at in places[:4])
        are = f"{count} entries are" if count > 1 else "one entry is"
        where = "all others right" if names == list(wrong) else f"all others of {names[0]} right"
        title = f"{are} {said(c) if known else 'wrong'}, {where}"
        mend, evidence = "Check the bounds of the loop that fills the gradient.", shown + ", …" * (count > 4)
        name = "entries-zero" if known and c == 0 else "entries-wrong"
        edit = partial(Backward.then, change=_with_entries(places, values))
        yield Slip(name, "data", title, mend, edit, None, " ".join(names), 2 if known else 3, evidence)


def _wrong_places(distances: Distances, name: str) -> Array:
    right = distances.right[name]
    gap = np.abs(distances.given[name] - right)
    return np.argwhere(gap > distances.enough * max(float(np.abs(right).max(initial=0.0)), 1e-300))


def _with_entries(places: list[tuple[str, tuple[int, ...]]], values: Array) -> Callable[[Gradients], Gradients]:
    def change(grads: Gradients) -> Gradients:
        for (name, place), value in zip(places, values.tolist(), strict=True):
            grads[name][place] = value
        return grads

    return change
