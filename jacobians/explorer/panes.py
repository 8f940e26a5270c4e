"""What a pane can show: `make_sides`, every layout and every preset, with what the page says of each."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, get_args

from jacobians.conventions import Convention
from jacobians.layout import Bias, Derivative, Layout, Lines, Order

__all__ = ["SWITCHES", "make_sides", "side_record"]


SWITCHES: dict[str, tuple[str, ...]] = {
    "batch": get_args(Lines),
    "weights": get_args(Lines),
    "bias": get_args(Bias),
    "vec": get_args(Order),
    "derivative": get_args(Derivative),
}
"""A layout's fields and their choices, in the order of the page's switches."""


def make_sides(presets: Sequence[Convention]) -> list[Convention]:
    """Return the 64 layouts in the library's own words, and after them the presets in theirs.

    All reduce by the mean over the examples, so that the gradients of two sides are one.

    Examples
    --------
    >>> from jacobians import all_conventions
    >>> sides = make_sides(all_conventions())
    >>> sides[63].name, sides[64].name
    ('', 'ng-ml-2011')
    """
    layouts = itertools.starmap(Layout, itertools.product(*SWITCHES.values()))
    own = [Convention("", layout) for layout in layouts]
    return [side.replace(reduction="mean", l2=None) for side in (*own, *presets)]


def side_record(side: Convention) -> dict[str, Any]:
    """Return what the page says of a side; a layout that is no preset has an empty name."""
    return {
        "name": side.name,
        "title": side.title,
        "citation": side.citation,
        "assumed": list(side.assumed),
        "layout": {field: getattr(side.layout, field) for field in SWITCHES},
        "summary": str(side.layout),
    }
