"""Formulas of several conventions for a notebook: `as_html`, tables of MathML, and `as_latex`, the compact formulas."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from jacobians.comparison.alignment import AlignedStep
from jacobians.comparison.formulas import Formulas, ParameterFormulas
from jacobians.explain import Equation, Step
from jacobians.explain.reports import latex_text

__all__ = ["as_html", "as_latex", "table"]

_NONE = "–"


def as_html(formulas: Formulas) -> str:
    """Return an HTML fragment: compact formulas, one sentence for each difference, and the aligned steps folded."""
    groups = formulas.groups
    header = ["", "", *(escape(", ".join(formulas.conventions[p] for p in group)) for group in groups)]
    rows = [[_mark(row.differs), escape(row.label), *(_math(row.cells[g[0]]) for g in groups)] for row in formulas.rows]
    parts = [table(header, rows)]
    if formulas.differences:
        parts.append("<ul>" + "".join(f"<li>{escape(d.text)}</li>" for d in formulas.differences) + "</ul>")
    parts += [_folded(found, header, [g[0] for g in groups]) for found in formulas.parameters.values()]
    return "".join(parts)


def as_latex(formulas: Formulas) -> str:
    """Return the compact gradients as one LaTeX array, a column for each group of conventions."""
    groups = formulas.groups
    names = [", ".join(formulas.conventions[p] for p in group) for group in groups]
    lines = [" & ".join(rf"\text{{{latex_text(name)}}}" for name in names)]
    for found in formulas.parameters.values():
        cells = (found.formula.cells[group[0]] for group in groups)
        lines.append(" & ".join(r"\text{--}" if c is None else c.latex for c in cells))
    body = " \\\\ ".join(lines)
    return rf"$\displaystyle \begin{{array}}{{{'l' * len(groups)}}} {body} \end{{array}}$"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return an HTML table of cells that are HTML already."""
    head = "".join(f"<th>{c}</th>" for c in header)
    body = "".join("<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _folded(found: ParameterFormulas, header: Sequence[str], places: Sequence[int]) -> str:
    factors = [
        [
            _mark(row.differs),
            escape(row.label),
            *(
                _NONE if c is None else f"{c.mathml} {c.matrix[0]}×{c.matrix[1]}"
                for c in (row.cells[p] for p in places)
            ),
        ]
        for row in found.factors
    ]
    steps = [[_mark(row.differs), escape(row.label), *(_step(row, p) for p in places)] for row in found.steps]
    title = escape(" / ".join(dict.fromkeys(name for name in found.names if name is not None)))
    return (
        f"<details><summary>The chain to {title}, and its steps</summary>"
        f"{table(header, factors)}{table(header, steps)}</details>"
    )


def _step(row: AlignedStep, place: int) -> str:
    step: Step | None = row.cells[place]
    return _NONE if step is None else f"<em>{escape(step.rule)}</em><br/>{step.equation.mathml}"


def _math(equation: Equation | None) -> str:
    return _NONE if equation is None else equation.mathml


def _mark(differs: bool) -> str:
    return "≠" if differs else ""
