"""`explorer_page`: the data, the styles and the scripts as one HTML file under a strict content-security policy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jacobians.conventions import Convention
from jacobians.errors import ArgumentError
from jacobians.explorer.distinct_values import DistinctValues
from jacobians.explorer.example_nets import EXAMPLES, Example
from jacobians.explorer.graph_section import graph_record
from jacobians.explorer.numbers import net_record
from jacobians.explorer.one_file import one_file
from jacobians.explorer.own_words import LIBRARY, manner_of, manners_of, words_record
from jacobians.explorer.panes import SWITCHES, layout_record, layouts, preset_record
from jacobians.explorer.templates import LAYERS, templates_record
from jacobians.operations import ACTIVATIONS, find_activation
from jacobians.presets import all_conventions, convention
from jacobians.symbols.javascript import runtime

_STYLES = ("page.css", "tables.css", "stage.css", "print.css")
_SCRIPTS = (
    *(
        "dom",
        "data",
        "words",
        "stops",
        "lookup",
        "filler",
        "pieces",
        "live",
        "differences",
        "edit",
        "state",
        "rows",
        "controls",
    ),
    *("arrays", "chain", "grid", "light", "sections", "graph"),
    *("stage", "stage_chain", "stage_step", "stage_moves", "flip", "export", "main"),
)
_START = ("ng-ml-2011", "cs231n")


def explorer_page(presets: Sequence[Convention | str] | None = None, examples: Sequence[Example] = EXAMPLES) -> str:
    """Return the explorer as one HTML file that loads nothing.

    Parameters
    ----------
    presets : sequence of Convention or str, optional
        Or their names. Offered beside the 64 layouts; all of the library's unless given.
    examples : sequence of Example
        The nets to choose from.

    Examples
    --------
    >>> page = explorer_page(examples=EXAMPLES[:1])
    >>> page[:15]
    '<!doctype html>'
    """
    if isinstance(presets, str | Convention):
        name = getattr(presets, "name", presets)
        raise ArgumentError(f"explorer_page: presets is one convention; write a list: explorer_page([{name!r}])")
    offered = all_conventions() if presets is None else [convention(each) for each in presets]
    data = explorer_data(offered, examples)
    return one_file("page.html", _STYLES, _SCRIPTS, data, first=runtime())


def explorer_data(presets: Sequence[Convention], examples: Sequence[Example]) -> dict[str, Any]:
    """Return everything that the page looks up; whole numbers within it are mostly places in ``values``."""
    distinct, manners, found = DistinctValues(), manners_of(presets), layouts()
    nets = [net_record(example, found, distinct) for example in examples]
    activations = [find_activation(each) for each in (*ACTIVATIONS, *(example.activation for example in examples))]
    templates = templates_record(found, manners, {each.name: each for each in activations}, distinct)
    graph = graph_record(found, distinct)
    words = list(dict.fromkeys([LIBRARY, *(preset.names for preset in presets)]))
    names = [preset.name for preset in presets]
    left, right = _START if len(names) != 2 and set(_START) <= set(names) else (names[0], names[-1])
    return {
        "start": {"net": _first(examples).key, "left": left, "right": right},
        "switches": SWITCHES,
        "layouts": [layout_record(layout) for layout in found],
        "presets": [
            preset_record(preset) | {"at": found.index(preset.layout.of_matrices), "words": words.index(preset.names)}
            for preset in presets
        ],
        "words": [
            {
                "manner": manners.index(manner_of(each)),
                "layers": [words_record(each, layers, distinct) for layers in range(1, LAYERS + 1)],
            }
            for each in words
        ],
        "nets": nets,
        "templates": templates,
        "graph": graph,
        "numbers": distinct.numbers,
        "values": distinct.values,
    }


def _first(examples: Sequence[Example]) -> Example:
    """A reader's own, else the middle one."""
    return next((each for each in examples if each.name), examples[min(1, len(examples) - 1)])
