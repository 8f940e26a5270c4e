"""`Formulas`: the derivations of several conventions side by side, aligned, with what differs and in which words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

from jacobians.comparison.alignment import AlignedFactor, AlignedStep, align, align_steps
from jacobians.comparison.facts import Facts
from jacobians.comparison.roles import Roles
from jacobians.comparison.sentences import FormulaDifference, differences
from jacobians.derivation import Derivation, Equation, Step, derive
from jacobians.derivation.result import latex_text
from jacobians.symbols.expressions import Expr

if TYPE_CHECKING:
    from jacobians.network import Run

__all__ = ["FormulaRow", "Formulas", "ParameterFormulas", "as_html", "as_latex", "formulas_of", "table"]


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


@dataclass(frozen=True)
class FormulaRow:
    """One line: the same thing in each convention's formulas.

    Attributes
    ----------
    label : str
        What it is in the library's names, such as "Z1", "dZ1" or "weight 1".
    cells : tuple of Equation or None
        None where a convention has no such thing, or does not name it.
    differs : bool
        Whether the formulas differ by more than names.
    """

    label: str
    cells: tuple[Equation | None, ...]
    differs: bool


@dataclass(frozen=True)
class ParameterFormulas:
    """One parameter in each convention.

    Attributes
    ----------
    label : str
        "weight 1", "bias 1", ….
    names : tuple of str or None
        What each convention calls it; None where it is a part of the weight, or absent.
    formula : FormulaRow
    factors : tuple of AlignedFactor
        The chains, from the loss to the parameter.
    steps : tuple of AlignedStep
    """

    label: str
    names: tuple[str | None, ...]
    formula: FormulaRow
    factors: tuple[AlignedFactor, ...]
    steps: tuple[AlignedStep, ...]


@dataclass(frozen=True, eq=False)
class Formulas:
    """The formulas of several conventions, side by side.

    Attributes
    ----------
    roles : tuple of Roles
        One for each convention.
    ratios : tuple of float
        What each objective is multiplied by to be the first's.
    """

    roles: tuple[Roles, ...]
    ratios: tuple[float, ...]

    @property
    def conventions(self) -> tuple[str, ...]:
        """The conventions' names."""
        return tuple(d.convention.name for d in self.derivations)

    @property
    def derivations(self) -> tuple[Derivation, ...]:
        """One derivation for each convention."""
        return tuple(own.derivation for own in self.roles)

    @cached_property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """The places of conventions whose formulas read the same, letter by letter."""
        members: dict[tuple[str, ...], list[int]] = {}
        for place, derivation in enumerate(self.derivations):
            members.setdefault(tuple(e.text for e in derivation.equations), []).append(place)
        return tuple(tuple(places) for places in members.values())

    @cached_property
    def differences(self) -> tuple[FormulaDifference, ...]:
        """In what the conventions differ: one sentence for each difference."""
        return differences([Facts(own) for own in self.roles], self.ratios)

    @cached_property
    def definitions(self) -> tuple[FormulaRow, ...]:
        """The forward pass and the cotangents."""
        found = [own.definitions for own in self.roles]
        equations = [
            {d.symbol: d.equation for d in (*own.derivation.forward, *own.derivation.cotangents)} for own in self.roles
        ]
        labels = _merged([list(named) for named in found])
        return tuple(
            self._row(label, [e[n[label]] if label in n else None for e, n in zip(equations, found, strict=True)])
            for label in labels
        )

    @cached_property
    def parameters(self) -> dict[str, ParameterFormulas]:
        """By the first convention's name of a parameter, or, where it has none, by the next one's that has."""
        found = {}
        for role in _merged([list(own.parameters) for own in self.roles]):
            names = tuple(own.parameters.get(role) for own in self.roles)
            factors = align(self.roles, names)
            label = f"{'bias' if role.startswith('b') else 'weight'} {role[1:]}"
            cells = [n if n is None else own.derivation[n].formula for own, n in zip(self.roles, names, strict=True)]
            steps = align_steps(self.roles, names, factors)
            first = next(name for name in names if name is not None)
            found[first] = ParameterFormulas(label, names, self._row(label, cells), factors, steps)
        return found

    @property
    def rows(self) -> tuple[FormulaRow, ...]:
        """The compact formulas: definitions, then the parameters' gradients."""
        return (*self.definitions, *(p.formula for p in self.parameters.values()))

    def __str__(self) -> str:
        return self.to_text()

    def to_text(self) -> str:
        """Return the compact formulas and the differences as plain text; "≠" marks what differs by more than names."""
        lines = []
        for row in self.rows:
            lines.append(f"{'≠' if row.differs else ' '} {row.label}")
            for group in self.groups:
                cell = row.cells[group[0]]
                names = ", ".join(self.conventions[place] for place in group)
                lines.append(f"      {names}: {cell.text if cell else '–'}")
        return "\n".join([*lines, "", *(f"- {difference}" for difference in self.differences)]).rstrip()

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain strings, numbers and lists, ready for JSON."""
        return {
            "conventions": list(self.conventions),
            "groups": [[self.conventions[place] for place in group] for group in self.groups],
            "definitions": [_row_dict(row) for row in self.definitions],
            "parameters": {
                name: {
                    "names": list(found.names),
                    "formula": _row_dict(found.formula),
                    "factors": [
                        {
                            "of": row.label,
                            "differs": row.differs,
                            "factors": [c and {"text": c.text, "matrix": list(c.matrix)} for c in row.cells],
                        }
                        for row in found.factors
                    ],
                    "steps": [
                        {
                            "of": row.label,
                            "differs": row.differs,
                            "steps": [
                                c and {"rule": c.rule, "reason": c.reason, "text": c.equation.text} for c in row.cells
                            ],
                        }
                        for row in found.steps
                    ],
                }
                for name, found in self.parameters.items()
            },
            "differences": [{"about": d.about, "text": d.text} for d in self.differences],
        }

    def _repr_html_(self) -> str:
        return as_html(self)

    def _repr_latex_(self) -> str:
        return as_latex(self)

    def _row(self, label: str, cells: Sequence[Equation | None]) -> FormulaRow:
        reads = {
            own.reads(cell.right) if cell is not None and isinstance(cell.right, Expr) else None
            for own, cell in zip(self.roles, cells, strict=True)
        }
        return FormulaRow(label, tuple(cells), len(reads) > 1)


def formulas_of(runs: Sequence[Run], ratios: Sequence[float]) -> Formulas:
    """Return the formulas of the same network in several conventions.

    Parameters
    ----------
    runs : sequence of Run
        One for each convention: dense networks of the same sizes.
    ratios : sequence of float
        What each objective is multiplied by to be the first's.

    Examples
    --------
    >>> import numpy as np
    >>> from jacobians import Network
    >>> nets = [Network.dense((2, 3), convention=name) for name in ("pytorch", "cs231n")]
    >>> runs = [net.run(net.init(np.random.default_rng(0)), np.eye(4, 2), [0, 1, 2, 0]) for net in nets]
    >>> for difference in formulas_of(runs, (1.0, 1.0)).differences:
    ...     print(difference)
    pytorch keeps one node a row, so Z₁ = X W₁ᵀ + 1 b₁ᵀ, the commutation K₂,₃ transposes, and dW₁ = dZ₁ᵀ X; cs231n
    keeps one node a column, so Z₁ = X W₁ + 1 b₁ᵀ, no commutation appears, and dW₁ = Xᵀ dZ₁.
    """
    return Formulas(tuple(Roles(run, derive(run)) for run in runs), tuple(ratios))


def _row_dict(row: FormulaRow) -> dict[str, Any]:
    cells = [c and {"text": c.text, "latex": c.latex, "numpy": c.numpy} for c in row.cells]
    return {"label": row.label, "differs": row.differs, "formulas": cells}


def _merged(lists: Sequence[Sequence[str]]) -> list[str]:
    """All labels once, each after those that it follows in the list that brings it."""
    merged: list[str] = []
    for labels in lists:
        place = 0
        for label in labels:
            if label in merged:
                place = merged.index(label) + 1
            else:
                merged.insert(place, label)
                place += 1
    return merged
