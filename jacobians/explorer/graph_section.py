"""`graph_record`: a residual block, which is no chain: its picture, its formulas and gradients in every layout."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from jacobians.arrays import Array
from jacobians.comparison.graphs import GraphSide, Layer, graph_side
from jacobians.conventions import Convention
from jacobians.derivation import Definition, Recurrence
from jacobians.explorer.distinct_values import DistinctValues
from jacobians.explorer.example_nets import PLAIN, Example, example
from jacobians.explorer.formulas import keep_equation, keep_mathml
from jacobians.explorer.names import shown_name, shown_shape
from jacobians.graphs import Value
from jacobians.layout import Layout
from jacobians.operations import relu

BLOCK: Example = example("a residual block", (4, 3, 4), 6, "relu", "cross_entropy", seed=311)
"""The weights and the mini-batch of the block."""


def residual_block(X: Value, layer: Layer) -> Value:
    """Return X + relu(X W₁ + b₁) W₂ + b₂: X is used twice."""
    hidden: Any = relu(layer(1, X))
    return (X + layer(2, hidden.named("H"))).named("S")


def graph_record(layouts: Sequence[Layout], distinct: DistinctValues) -> dict[str, Any]:
    """Return the block's picture, and what each layout shows of it, in the library's names."""
    kept: dict[Layout, int] = {}
    sides = []
    for layout in layouts:
        # a graph's formulas have no unrolled array in them, so neither choice is seen
        seen = layout.replace(vec="C", derivative="numerator")
        if seen not in kept:
            kept[seen] = _side(_in(Convention("", layout, reduction="mean")), distinct)
        sides.append(kept[seen])
    picture = re.sub(r' (style|xmlns)="[^"]*"', "", str(_in(PLAIN).loss.named("L").picture()))
    return {"title": BLOCK.title, "picture": keep_mathml(picture, distinct), "sides": sides}


def _in(convention: Convention) -> GraphSide:
    run = BLOCK.run(convention)
    return graph_side(residual_block, run.network, run.params, BLOCK.X, BLOCK.labels)


def _side(side: GraphSide, distinct: DistinctValues) -> int:
    arrays = side.derivation.values
    return distinct.keep(
        {
            "forward": _lines(side.derivation.forward, distinct),
            "back": _lines(side.derivation.cotangents, distinct),
            "gradients": [
                [role, keep_equation(line.equation, distinct), _array(line.symbol.name, arrays, distinct)]
                for role, line in side.gradient_lines.items()
            ],
        }
    )


def _lines(lines: Sequence[Definition | Recurrence], distinct: DistinctValues) -> list[int]:
    return [keep_equation(line.equation, distinct) for line in lines if isinstance(line, Definition)]


def _array(name: str, arrays: Mapping[str, Array], distinct: DistinctValues) -> dict[str, Any]:
    array = arrays[name]
    return {
        "shown": shown_name(name),
        "shape": list(array.shape),
        "size": shown_shape(array.shape),
        "numbers": distinct.keep_numbers(array),
    }
