"""`forward_passes`: forward passes to put before an Octave fragment that is a small net's backward pass alone.

A week's exercise often gives the outputs of both layers and asks for the gradients. A loss can then be differentiated
only with a forward pass before it: each of the usual ones is tried, and the report says which was taken.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator
from dataclasses import replace

from jacobians.programs.octave.functions import FUNCTIONS
from jacobians.programs.octave.tree import octave_tree
from jacobians.programs.source import Source

_HIDDEN = re.compile(r"H|hidden|A2|a2|A1|a1")
_OUTPUT = re.compile(r"O|A3|a3|A2|a2|P|out|output|Yhat|Y_hat|pred|probs")
_TARGET = re.compile(r"Y|T|targets?")
_WEIGHT = re.compile(r"(W|Theta|theta|w)_?2")
_COUNT = re.compile(r"m|N|n_?samples|num_?examples")

_UNITS = {
    "sigmoid": "1 ./ (1 + exp(-({z})))",
    "tanh": "tanh({z})",
    "relu": "max({z}, 0)",
}


def forward_passes(source: Source) -> Iterator[tuple[Source, dict[str, str]]]:
    """Yield an Octave fragment with each forward pass before it, and what the names then mean.

    Yields
    ------
    Source
        Its lines are the user's; what was put before them has the line 0.
    dict
        What each name is taken to be.
    """
    free = list(_free(source.tree))
    hidden, weight, target = (_first(free, pattern) for pattern in (_HIDDEN, _WEIGHT, _TARGET))
    output = _first([name for name in free if name != hidden], _OUTPUT)
    if not (hidden and output and weight and target and "X" in free):
        return
    first = weight.replace("2", "1")
    count = _first(free, _COUNT) or "octave_examples"
    for scale, ones, (unit, value) in itertools.product(("", "1 / {m} * "), (True, False), _UNITS.items()):
        before = "[ones({m}, 1) {v}]" if ones else "{v}"
        x = before.format(m=count, v=f"randn({count}, 4)")
        h = before.format(m=count, v=value.format(z=f"X * {first}'"))
        o = _UNITS["sigmoid"].format(z=f"{hidden} * {weight}'")
        loss = f"-{scale.format(m=count)}sum(sum({target} .* log({output}) + (1 - {target}) .* log(1 - {output})))"
        lines = [
            f"{count} = 7;",
            f"{target} = eye(3)(mod(0:6, 3) + 1, :);",
            f"{first} = randn(5, {4 + ones}) / 2;",
            f"{weight} = randn(3, {5 + ones}) / 2;",
            f"X = {x};",
            f"{hidden} = {h};",
            f"{output} = {o};",
            f"J = {loss};",
            *(
                f"{name} = zeros(size({_parameter(name, first, weight)}));"
                for name in free
                if _is_sum(name, first, weight)
            ),
        ]
        made = octave_tree("\n".join(lines), "the forward pass", FUNCTIONS)
        for node in ast.walk(made):
            if hasattr(node, "lineno"):
                node.lineno = node.end_lineno = 0  # type: ignore[attr-defined]
        whole = ast.Module([*made.body, *source.tree.body], [])
        words = {hidden: h, output: o, "J": loss} | ({"X": f"[ones({count}, 1) ...]"} if ones else {})
        yield (
            replace(source, tree=whole),
            {name: f"{meaning}, since no line sets it" for name, meaning in words.items()},
        )


def _free(tree: ast.Module) -> Iterator[str]:
    """The names that the lines outside functions read and do not set before."""
    known: set[str] = set()
    for line in tree.body:
        if isinstance(line, ast.FunctionDef):
            known.add(line.name)
            continue
        names = [node for node in ast.walk(line) if isinstance(node, ast.Name) and " " not in node.id]
        inner = {node.id for node in names if isinstance(node.ctx, ast.Store)}
        first_read: dict[str, int] = {}
        for node in names:
            if isinstance(node.ctx, ast.Load):
                first_read.setdefault(node.id, node.lineno)
        set_at: dict[str, int] = {}
        for node in names:
            if isinstance(node.ctx, ast.Store):
                set_at.setdefault(node.id, node.lineno)
        for name, at in first_read.items():
            if name not in known and not (name in inner and set_at[name] < at):
                yield name
        known |= inner | set(first_read)


def _first(names: list[str], pattern: re.Pattern[str]) -> str:
    return next((name for name in names if pattern.fullmatch(name)), "")


def _parameter(name: str, first: str, weight: str) -> str:
    return first if first in name else weight


def _is_sum(name: str, first: str, weight: str) -> bool:
    """Whether a name is that of a gradient which the lines add to."""
    return name not in (first, weight) and (first in name or weight in name)
