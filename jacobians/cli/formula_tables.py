"""The formulas of a comparison as tables: `print_formulas`, and `print_steps`, the chains factor by factor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from jacobians.cli.console import make_table
from jacobians.comparison import Formulas
from jacobians.comparison.alignment import ChainFactor
from jacobians.comparison.formulas import FormulaRow, ParameterFormulas
from jacobians.derivation import Step

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

__all__ = ["print_formulas", "print_steps"]

_FIRST = 10
_ROLES = {"X": "inputs", "P": "output"}


def print_formulas(console: Console, formulas: Formulas, together: int) -> None:
    """Print the compact formulas, and one sentence for each difference.

    Conventions whose formulas are the same share a column.

    Parameters
    ----------
    console : Console
    formulas : Formulas
    together : int
        Columns side by side.
    """
    for groups in _chunks(formulas, together):
        table = _table("Formulas (≠ differs by more than names)", formulas, groups)
        for row in formulas.rows:
            if any(row.cells[group[0]] for group in groups):
                cells = (_formula(formulas, row, group[0]) for group in groups)
                _add(table, _marked(_ROLES.get(row.label, row.label), row.differs), cells)
        console.print(table)
    if formulas.differences:
        console.print("What differs", style="bold")
        for difference in formulas.differences:
            console.print(_item(difference.text))
        console.print()


def print_steps(console: Console, formulas: Formulas, together: int) -> None:
    """Print every parameter's chain, factor by factor, each with the step that passes it."""
    for found in formulas.parameters.values():
        names = " / ".join(dict.fromkeys(name for name in found.names if name is not None))
        for groups in _chunks(formulas, together):
            places = [group[0] for group in groups]
            if not any(found.names[place] for place in places):
                continue
            table = _table(f"Steps to the gradient by {names}", formulas, groups)
            chains = (None if n is None else formulas.derivations[p][n].chain.text for p, n in _named(found, places))
            _add(table, "  chain", chains)
            # the steps that follow the last factor have none
            factors = [*found.factors, *([None] * (len(found.steps) - len(found.factors)))]
            for factor, step in zip(factors, found.steps, strict=True):
                cells = [
                    _passed(None if factor is None else factor.cells[place], step.cells[place]) for place in places
                ]
                if any(cells):
                    table.add_section()
                    label = "then" if factor is None else step.label.replace("/", "\n  /")
                    _add(table, _marked(label, step.differs), cells)
            console.print(table)


def _passed(factor: ChainFactor | None, step: Step | None) -> str | None:
    """A factor with its size, the rule by which it is passed, and the chain after it."""
    if step is None:
        return None
    text = "" if factor is None else f"{factor.text} {factor.matrix[0]}×{factor.matrix[1]}\n"
    return f"{text}{step.rule}:\n= {step.equation.text.partition(' = ')[2]}"


def _chunks(formulas: Formulas, together: int) -> Iterator[tuple[tuple[int, ...], ...]]:
    for start in range(0, len(formulas.groups), together):
        yield formulas.groups[start : start + together]


def _formula(formulas: Formulas, row: FormulaRow, place: int) -> str:
    """A cell of compact formulas; of a bias that is no parameter, where it is."""
    found = row.cells[place]
    if found is not None:
        return found.text
    layout = formulas.derivations[place].convention.layout
    return ("in the weight" if layout.absorbs_bias else "none") if row.label.startswith("bias") else ""


def _named(found: ParameterFormulas, places: Sequence[int]) -> Iterator[tuple[int, str | None]]:
    for place in places:
        yield place, found.names[place]


def _marked(label: str, differs: bool) -> str:
    return f"{'≠' if differs else ' '} {label}"


def _table(title: str, formulas: Formulas, groups: Sequence[Sequence[int]]) -> Table:
    headers = [", ".join(formulas.conventions[place] for place in group) for group in groups]
    return make_table(title, ["", *headers], first_width=_FIRST)


def _add(table: Table, label: str, cells: Iterable[str | None]) -> None:
    """A row of plain text: rich would read [tanh(Z₂) 1] as markup."""
    from rich.text import Text

    table.add_row(label, *(Text(cell or "") for cell in cells))


def _item(text: str) -> Table:
    """A sentence with a hanging dash."""
    from rich.table import Table
    from rich.text import Text

    item = Table.grid(padding=(0, 1))
    item.add_row("-", Text(text))
    return item
