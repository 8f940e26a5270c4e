"""`Formulas`: the derivations of several conventions, aligned side by side, with a sentence for each difference."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import Any

from jacobians.comparison.aligned_chains import AlignedFactor, AlignedRow, AlignedStep, Cell, align, align_steps
from jacobians.comparison.differences import FormulaDifference, differences
from jacobians.comparison.shared_names import SharedNames
from jacobians.derivation import Derivation, Equation, derive
from jacobians.derivation.writing import latex_text
from jacobians.network import Run
from jacobians.symbols.expressions import Expr, Symbol


@dataclass(frozen=True)
class FormulaRow(AlignedRow[Equation]):
    """An array, or a gradient, in each convention.

    Attributes
    ----------
    absent : tuple of str
        For each convention without such a formula what it has instead, such as "in the weight"; "" for the others.
    """

    absent: tuple[str, ...] = ()

    def text(self, place: int) -> str:
        """Return a convention's formula, or what it has instead."""
        cell = self.cells[place]
        return self.absent[place] if cell is None else cell.text


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
    shared_names : tuple of SharedNames
        One for each convention.
    ratios : tuple of float
        What each objective is multiplied by to be the first's.

    Examples
    --------
    >>> import numpy as np
    >>> from jacobians import compare
    >>> X, y = np.array([[1.0, 2.0], [3.0, 5.0], [0.5, 4.0]]), np.array([0, 1, 1])
    >>> found = compare(["pytorch", "cs231n"], X, y, sizes=(2, 3, 2))
    >>> [difference.about for difference in found.formulas.differences]
    ['weights']
    """

    shared_names: tuple[SharedNames, ...]
    ratios: tuple[float, ...]

    @property
    def conventions(self) -> tuple[str, ...]:
        """The conventions' names."""
        return tuple(d.convention.name for d in self.derivations)

    @property
    def derivations(self) -> tuple[Derivation, ...]:
        """One derivation for each convention."""
        return tuple(side.derivation for side in self.shared_names)

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
        return differences(self.shared_names, self.ratios)

    @cached_property
    def definitions(self) -> tuple[FormulaRow, ...]:
        """The forward pass and the cotangents."""
        labels = _merged([list(side.definitions) for side in self.shared_names])
        equations = [{label: d.equation for label, d in side.definitions.items()} for side in self.shared_names]
        rows = ((label, [own.get(label) for own in equations]) for label in labels)
        return tuple(self._row(called(cells), cells, _without(label)) for label, cells in rows)

    @cached_property
    def parameters(self) -> dict[str, ParameterFormulas]:
        """The parameters by name, as the first convention that has the parameter calls it."""
        found = {}
        for shared in _merged([list(side.parameters) for side in self.shared_names]):
            names = tuple(side.parameters.get(shared) for side in self.shared_names)
            factors = align(self.shared_names, names)
            label = f"{'bias' if shared.startswith('b') else 'weight'} {shared[1:]}"
            cells = [d[n].formula if n else None for n, d in zip(names, self.derivations, strict=True)]
            formula = self._row(label, cells, "")
            steps = align_steps(self.shared_names, names, factors)
            found[next(filter(None, names))] = ParameterFormulas(label, names, formula, factors, steps)
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
            for group, names in zip(self.groups, self._titles, strict=True):
                lines.append(f"      {names}: {row.text(group[0])}")
        return "\n".join([*lines, "", *(f"- {difference}" for difference in self.differences)]).rstrip()

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain strings, numbers and lists, ready for JSON."""
        return {
            "conventions": list(self.conventions),
            "groups": [[self.conventions[place] for place in group] for group in self.groups],
            "definitions": [_formula_dict(row) for row in self.definitions],
            "parameters": {
                name: {
                    "names": list(found.names),
                    "formula": _formula_dict(found.formula),
                    "factors": [
                        _row_dict("of", row, "factors", lambda c: {"text": c.text, "matrix": list(c.matrix)})
                        for row in found.factors
                    ],
                    "steps": [
                        _row_dict(
                            "of", row, "steps", lambda c: {"rule": c.rule, "reason": c.reason, "text": c.equation.text}
                        )
                        for row in found.steps
                    ],
                }
                for name, found in self.parameters.items()
            },
            "differences": [{"about": d.about, "text": d.text} for d in self.differences],
        }

    def _repr_html_(self) -> str:
        """The compact formulas, one sentence for each difference, and the aligned steps folded."""
        places = [group[0] for group in self.groups]
        header = ["", "", *map(escape, self._titles)]
        parts = [_table(header, self.rows, places, lambda c: c.mathml)]
        if self.differences:
            parts.append("<ul>" + "".join(f"<li>{escape(d.text)}</li>" for d in self.differences) + "</ul>")
        for found in self.parameters.values():
            title = escape(" / ".join(dict.fromkeys(filter(None, found.names))))
            factors = _table(header, found.factors, places, lambda c: f"{c.mathml} {c.matrix[0]}×{c.matrix[1]}")
            steps = _table(header, found.steps, places, lambda c: f"<em>{escape(c.rule)}</em><br/>{c.equation.mathml}")
            parts.append(f"<details><summary>The chain to {title}, and its steps</summary>{factors}{steps}</details>")
        return "".join(parts)

    def _repr_latex_(self) -> str:
        """The compact gradients as one LaTeX array, a column for each group of conventions."""
        lines = [[rf"\text{{{latex_text(title)}}}" for title in self._titles]]
        for found in self.parameters.values():
            cells = (found.formula.cells[group[0]] for group in self.groups)
            lines.append([r"\text{--}" if c is None else c.latex for c in cells])
        body = r" \\ ".join(map(" & ".join, lines))
        return rf"$\displaystyle \begin{{array}}{{{'l' * len(self.groups)}}} {body} \end{{array}}$"

    @property
    def _titles(self) -> list[str]:
        """For each group, its conventions' names."""
        return [", ".join(self.conventions[place] for place in group) for group in self.groups]

    def _row(self, label: str, cells: Sequence[Equation | None], without: str) -> FormulaRow:
        """A row; `without` says what a convention has that lacks the array, "" of a parameter."""
        pairs = [*zip(self.shared_names, cells, strict=True)]
        reads = {
            side.reads(cell.right) if isinstance(cell.right, Expr) else None for side, cell in pairs if cell is not None
        }
        absent = []
        for side, cell in pairs:
            absorbed = side.derivation.convention.layout.absorbs_bias
            instead = without or ("in the weight" if absorbed else "none")
            absent.append(instead if cell is None else "")
        # that an array has no name is no difference; that a column of ones stands beside the inputs is one
        missing = any(absent) and without in ("", _AS_THEY_ARE)
        return FormulaRow(label, tuple(cells), len(reads) > 1 or missing, tuple(absent))


_AS_THEY_ARE = "X as it is"


def _without(array: str) -> str:
    """What a convention has that gives an array no name, by what the library calls the array."""
    if array == "X":
        return _AS_THEY_ARE
    return "the output itself" if array == "P" else "no name for it"


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
    return Formulas(tuple(SharedNames(run, derive(run)) for run in runs), tuple(ratios))


def _row_dict(of: str, row: AlignedRow[Cell], name: str, written: Callable[[Cell], dict[str, Any]]) -> dict[str, Any]:
    return {of: row.label, "differs": row.differs, name: [c and written(c) for c in row.cells]}


def _formula_dict(row: FormulaRow) -> dict[str, Any]:
    found = _row_dict("label", row, "formulas", lambda c: {"text": c.text, "latex": c.latex, "numpy": c.numpy})
    return found | {"absent": list(row.absent)} if any(row.absent) else found


def _table(
    header: Iterable[str], rows: Iterable[AlignedRow[Cell]], places: Sequence[int], written: Callable[[Cell], str]
) -> str:
    """An HTML table of aligned rows, with the cells at these places."""
    lines = []
    for row in rows:
        absent = row.absent if isinstance(row, FormulaRow) else ("–",) * len(row.cells)
        cells = ((row.cells[place], absent[place]) for place in places)
        line = ["≠" * row.differs, escape(row.label), *(instead if c is None else written(c) for c, instead in cells)]
        lines.append("<tr>" + "".join(f"<td>{text}</td>" for text in line) + "</tr>")
    head = "".join(f"<th>{text}</th>" for text in header)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def called(cells: Iterable[Equation | None]) -> str:
    """Return what some conventions call the array that an equation defines, each name once, as in "Z2 / Z1"."""
    names = (cell.left.name for cell in cells if cell is not None and isinstance(cell.left, Symbol))
    return " / ".join(dict.fromkeys(names))


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
