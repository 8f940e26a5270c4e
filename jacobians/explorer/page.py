"""`explorer_page`: the data, the styles and the scripts as one HTML file under a strict content-security policy."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from typing import Any

from jacobians import __version__
from jacobians.conventions import Convention
from jacobians.explorer.distinct_values import DistinctValues
from jacobians.explorer.example_nets import EXAMPLES, Example
from jacobians.explorer.graph_section import graph_record
from jacobians.explorer.numbers import net_record
from jacobians.explorer.panes import SWITCHES, convention_record, shown_conventions
from jacobians.presets import all_conventions

_STYLES = ("page.css", "tables.css", "print.css")
_SCRIPTS = (
    "dom",
    "lookup",
    "state",
    "rows",
    "controls",
    "arrays",
    "chain",
    "grid",
    "light",
    "sections",
    "graph",
    "main",
)
_START = ("ng-ml-2011", "cs231n")


def explorer_page(presets: Sequence[Convention] | None = None, examples: Sequence[Example] = EXAMPLES) -> str:
    """Return the explorer as one HTML file that loads nothing.

    Parameters
    ----------
    presets : sequence of Convention, optional
        Offered beside the 64 layouts; all of the library's unless given.
    examples : sequence of Example
        The nets to choose from.

    Examples
    --------
    >>> page = explorer_page()
    >>> page[:15], len(page.encode()) < 1_000_000
    ('<!doctype html>', True)
    """
    style = "\n".join(map(_read, _STYLES))
    script = '(() => {\n"use strict";\n' + "\n".join(_read(f"{name}.js") for name in _SCRIPTS) + "})();\n"
    data = explorer_data(all_conventions() if presets is None else presets, examples)
    parts = {
        "policy": escape(_policy(style, script)),
        "version": escape(__version__),
        "style": style,
        "script": script,
        "data": _json(data),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], _read("page.html"))


def explorer_data(presets: Sequence[Convention], examples: Sequence[Example]) -> dict[str, Any]:
    """Return everything that the page looks up; whole numbers within it are mostly places in ``values``."""
    conventions, distinct = shown_conventions(presets), DistinctValues()
    nets = [net_record(example, conventions, distinct) for example in examples]
    graph = graph_record(conventions, distinct)
    names = [preset.name for preset in presets]
    left, right = _START if set(_START) <= set(names) else (names[0], names[-1])
    return {
        "start": {"net": examples[min(1, len(examples) - 1)].key, "left": left, "right": right},
        "switches": SWITCHES,
        "sides": [convention_record(convention) for convention in conventions],
        "nets": nets,
        "graph": graph,
        "numbers": distinct.numbers,
        "values": distinct.values,
    }


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _json(data: dict[str, Any]) -> str:
    """JSON that cannot end the element it stands in, nor begin another."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _read(name: str) -> str:
    return files("jacobians.explorer").joinpath("static", name).read_text(encoding="utf-8")
