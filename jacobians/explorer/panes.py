"""What a pane can show: `shown_conventions`, every layout and every preset, with what the page says of each."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
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


def shown_conventions(presets: Sequence[Convention]) -> list[Convention]:
    """Return the 64 layouts in the library's own words, and after them the presets in theirs.

    All reduce by the mean over the examples, so that the gradients of two conventions are one.

    Examples
    --------
    >>> from jacobians import all_conventions
    >>> conventions = shown_conventions(all_conventions())
    >>> conventions[63].name, conventions[64].name
    ('', 'ng-ml-2011')
    """
    layouts = itertools.starmap(Layout, itertools.product(*SWITCHES.values()))
    own = [Convention("", layout) for layout in layouts]
    return [convention.replace(reduction="mean", l2=None) for convention in (*own, *presets)]


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


def convention_record(convention: Convention) -> dict[str, Any]:
    """Return what the page says of a convention; a layout that is no preset has an empty name."""
    return {
        "name": convention.name,
        "title": convention.title,
        "citation": convention.citation,
        "assumed": list(convention.assumed),
        "layout": {field: getattr(convention.layout, field) for field in SWITCHES},
        "summary": str(convention.layout),
        "objective": objective_in_words(convention.task()) if convention.tasks else "",
    }
