"""What a pane can show: the `layouts` of the switches, the presets, and the page's words for each."""

from __future__ import annotations

import itertools
from typing import Any, get_args

from jacobians.conventions import Convention, Task
from jacobians.layout import Bias, Derivative, Layout, Lines, Order
from jacobians.operations import LOSSES

SWITCHES: dict[str, tuple[str, ...]] = {
    "batch": get_args(Lines),
    "weights": get_args(Lines),
    "bias": get_args(Bias),
    "vec": get_args(Order),
    "derivative": get_args(Derivative),
}
"""A layout's fields and their choices, in the order of the page's switches."""


def layouts() -> list[Layout]:
    """Return the 64 layouts that a page's switches can be set to.

    Examples
    --------
    >>> len(layouts()), str(layouts()[0])
    (64, 'batch in rows, weights in rows, bias separate, vec C, numerator layout')
    """
    return list(itertools.starmap(Layout, itertools.product(*SWITCHES.values())))


def objective_in_words(task: Task) -> str:
    """Return what a task's objective is a sum or a mean of.

    Examples
    --------
    >>> from jacobians import convention
    >>> objective_in_words(convention("ng-ml-2011").task()), objective_in_words(convention("mazur").task())
    ('binary cross-entropy of sigmoids', '0.5 × squared error of sigmoids')
    """
    factor = "" if task.factor == 1 else f"{task.factor:g} × "
    loss = LOSSES[task.loss]
    of = loss.prediction or task.output
    text = task.loss.replace("_", " ").replace("cross entropy", "cross-entropy")
    return f"{factor}{text}" + {"softmax": " of a softmax", "sigmoid": " of sigmoids"}.get(of, "")


def layout_record(layout: Layout) -> dict[str, Any]:
    """Return what the page says of a layout."""
    return {"layout": {field: getattr(layout, field) for field in SWITCHES}, "summary": str(layout)}


def preset_record(preset: Convention) -> dict[str, Any]:
    """Return what the page says of a preset."""
    return {
        "name": preset.name,
        "title": preset.title,
        "citation": preset.citation,
        "assumed": list(preset.assumed),
        "objective": objective_in_words(preset.task()) if preset.tasks else "",
    }
