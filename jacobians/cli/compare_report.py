"""The report of a comparison: shapes, chains, results, agreement; readable without colour at 80 columns."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

import numpy as np

from jacobians.arrays import format_bytes
from jacobians.checking import GradientCheck
from jacobians.cli.console import make_console, make_table
from jacobians.cli.formula_tables import print_formulas, print_steps
from jacobians.comparison import Comparison, FactorRow, Side
from jacobians.conventions import Convention
from jacobians.data import Dataset

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

__all__ = ["print_report"]

_COLUMN = 30
"""Characters that one convention's column needs for a structure to be read."""

_FORWARD = {
    ("rows", "rows"): "Z = X Wᵀ",
    ("rows", "columns"): "Z = X W",
    ("columns", "rows"): "Z = W X",
    ("columns", "columns"): "Z = Wᵀ X",
}


def print_report(result: Comparison, data: Dataset, seed: int, weights: str | None, *, steps: bool = False) -> None:
    """Print the comparison on standard output, with every step from the chains to the formulas on request."""
    console = make_console()
    names = [side.convention.name for side in result.sides]
    examples = result.sides[0].run.losses.shape[0]
    console.print(f"[bold]{' against '.join(names)}[/bold]")
    console.print(
        f"{examples} of {len(data)} examples of {data.source}; network {'-'.join(map(str, result.sizes))}, "
        f"{result.activation}, {result.loss}; {f'weights from {weights}' if weights else f'seed {seed}'}\n",
        markup=False,
    )
    together = max(1, (console.width - 14) // _COLUMN)
    for start in range(0, len(result.sides), together):
        sides = result.sides[start : start + together]
        _print_conventions(console, sides)
        _print_arrays(console, sides)
        _print_chains(console, sides)
        _print_results(console, sides)
    if steps:
        print_steps(console, result.formulas, together)
    print_formulas(console, result.formulas, together)
    _print_agreement(console, result)


def _print_conventions(console: Console, sides: Sequence[Side]) -> None:
    table = _table("Conventions", sides)
    rows: list[tuple[str, Callable[[Convention], str]]] = [
        ("forward", lambda c: _forward(c)),
        ("batch", lambda c: f"one example a {c.layout.batch[:-1]}"),
        ("weights", lambda c: f"one node a {c.layout.weights[:-1]}"),
        ("bias", lambda c: c.layout.bias),
        ("vec", lambda c: "C: rows stacked" if c.layout.vec == "C" else "F: columns stacked"),
        ("layout", lambda c: f"{c.layout.derivative} layout"),
        ("loss", lambda c: c.effective_reduction),
    ]
    for label, text in rows:
        table.add_row(label, *(text(side.convention) for side in sides))
    if any(side.network.l2 for side in sides):
        table.add_row("λ (l2)", *(f"{s.network.l2:.6g} ({s.convention.l2 or 'none'})" for s in sides))
    console.print(table)


def _forward(convention: Convention) -> str:
    layout = convention.layout
    formula = _FORWARD[layout.batch, layout.weights].replace("W", "W" if convention.weight_name == "W" else "Θ")
    if layout.absorbs_bias:
        ones = "[1 X]" if layout.bias == "first" else "[X 1]"
        ones = ones if layout.batch == "rows" else ones.replace(" ", "; ")
        return formula.replace("X", ones)
    return formula + (" + b" if layout.bias == "separate" else "")


def _print_arrays(console: Console, sides: Sequence[Side]) -> None:
    table = _table("Arrays", sides)
    shapes = [side.arrays() for side in sides]
    table.add_row("X", *(_times(found["X"]) for found in shapes))
    for layer, weights in enumerate(zip(*(side.weights() for side in sides), strict=True)):
        table.add_row(f"weight {layer + 1}", *(f"{n} {_times(s[n])}" for n, s in zip(weights, shapes, strict=True)))
        if any(side.biases() for side in sides):
            table.add_row(
                f"bias {layer + 1}",
                *(
                    f"{side.biases()[layer]} {_times(s[side.biases()[layer]])}" if side.biases() else _absorbed(side, n)
                    for side, n, s in zip(sides, weights, shapes, strict=True)
                ),
            )
    for name in sides[0].run.outputs:
        table.add_row(name, *(_times(found[name]) for found in shapes))
    console.print(table)


def _absorbed(side: Side, weight: str) -> str:
    layout = side.convention.layout
    line = "column" if layout.weights == "rows" else "row"
    return "none" if layout.bias == "none" else f"{layout.bias} {line} of {weight}"


def _print_chains(console: Console, sides: Sequence[Side]) -> None:
    for weights in zip(*(side.weights() for side in sides), strict=True):
        title = f"Chain from the loss back to {' / '.join(dict.fromkeys(weights))} (matrix: bytes stored of dense)"
        table = _table(title, sides)
        chains = [side.chain(weight) for side, weight in zip(sides, weights, strict=True)]
        for place, rows in enumerate(zip_longest(*chains), start=1):
            table.add_row(f"factor {place}", *(_factor(row) for row in rows))
        totals = [(sum(r.stored for r in chain), sum(r.dense for r in chain)) for chain in chains]
        table.add_row("stored", *(f"{format_bytes(s)} of {format_bytes(d)} dense" for s, d in totals))
        biases = [_bias_factor(side, weight) for side, weight in zip(sides, weights, strict=True)]
        if any(biases):
            table.add_section()
            table.add_row("to bias", *(_factor(row) if row else "in the weight" for row in biases))
        console.print(table)


def _bias_factor(side: Side, weight: str) -> FactorRow | None:
    """The factor that stands in the weight's place in the chain to the same layer's separate bias."""
    bias = "b" + weight.removeprefix(side.convention.weight_name)
    if bias not in side.run.params:
        return None
    return side.chain(bias)[0 if side.convention.layout.derivative == "denominator" else -1]


def _factor(row: FactorRow | None) -> str:
    if row is None:
        return ""
    structure = row.structure.replace(" @ ", "\n@ ")
    size = f"{row.matrix[0]}×{row.matrix[1]}"
    return f"{row.label}\n{structure}\n{size}: {format_bytes(row.stored)} of {format_bytes(row.dense)}"


def _print_results(console: Console, sides: Sequence[Side]) -> None:
    table = _table("Results", sides)
    table.add_row("loss", *(f"{side.run.loss:.15g}" for side in sides))
    if any(side.network.l2 for side in sides):
        table.add_row("with l2", *(f"{side.run.value:.15g}" for side in sides))
    for layer, weights in enumerate(zip(*(side.weights() for side in sides), strict=True)):
        table.add_row(f"∂weight {layer + 1}", *(_gradient(s, n) for s, n in zip(sides, weights, strict=True)))
        if any(side.biases() for side in sides):
            cells = (_gradient(s, s.biases()[layer]) if s.biases() else "in the weight" for s in sides)
            table.add_row(f"∂bias {layer + 1}", *cells)
    table.add_row(
        "numerical",
        *(_numerical(side.check) for side in sides),
    )
    table.add_row("time", *(f"{side.seconds * 1e3:.3g} ms a gradient" for side in sides))
    console.print(table)


def _numerical(check: GradientCheck) -> str:
    found = {"pass": "agrees", "fail": "DIFFERS", "inconclusive": "unclear"}[check.verdict]
    if check.along is None:
        return found
    along = check.along
    return f"{found}: off by {along.error:.1e}\n({along.directions} directions, resolved {along.resolved:.0e})"


def _gradient(side: Side, name: str) -> str:
    gradient = side.gradient[name]
    return f"{name} {_times(gradient.shape)}\nnorm {np.linalg.norm(gradient):.12g}"


def _print_agreement(console: Console, result: Comparison) -> None:
    if len(result.sides) > 1:
        first = result.sides[0].convention.name
        table = make_table(
            f"Largest difference from {first}, after translation",
            ["convention", "gradient", "difference", "in ulp", "rounding allows"],
        )
        for side, found in zip(result.sides[1:], result.differences, strict=True):
            for i, difference in enumerate(found):
                table.add_row(
                    side.convention.name if i == 0 else "",
                    difference.parameter,
                    f"{difference.largest:.2g}",
                    _ulps(difference.ulps),
                    _ulps(difference.allowed),
                )
        console.print(table)
    for side, ratio in zip(result.sides[1:], result.ratios[1:], strict=True):
        if ratio != 1:
            console.print(
                f"{side.convention.name} reduces its loss by {side.convention.effective_reduction}: its objective and "
                f"gradient × {ratio:.6g} are {result.sides[0].convention.name}'s."
            )
    console.print(_verdict(result), style="bold")


def _verdict(result: Comparison) -> str:
    wrong = [side.convention.name for side in result.sides if side.check.verdict == "fail"]
    if wrong:
        return f"The numerical derivative disagrees with the gradient of {', '.join(wrong)}."
    unclear = [side.convention.name for side in result.sides if not side.check]
    if unclear:
        return f"The numerical derivative cannot resolve the gradient of {', '.join(unclear)}."
    if result.agree:
        return (
            "One convention: its gradient passes the numerical check."
            if len(result.sides) == 1
            else f"The {len(result.sides)} conventions agree: different formulas, one gradient."
        )
    lines = []
    for side, found in zip(result.sides[1:], result.differences, strict=True):
        names = [d.parameter for d in found if not d.agrees]
        if names:
            lines.append(
                f"{side.convention.name} differs from {result.sides[0].convention.name} in {', '.join(names)}."
            )
    rules = {side.convention.l2_bias for side in result.sides}
    if len(rules) > 1 and any(side.network.l2 for side in result.sides):
        touching = [s.convention.name for s in result.sides if s.convention.l2_bias]
        lines.append(f"Only {', '.join(touching)} regularises the bias, so the objectives themselves differ.")
    return "\n".join(["The conventions do not agree.", *lines])


def _table(title: str, sides: Sequence[Side]) -> Table:
    return make_table(title, ["", *(s.convention.name for s in sides)], first_width=9)


def _times(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape)) or "scalar"


def _ulps(count: float) -> str:
    if not math.isfinite(count):
        return "–"
    if count < 10:
        return f"{count:.1f}"
    return f"{count:.0f}" if count < 1e6 else f"{count:.1e}"
