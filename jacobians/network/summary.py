"""The table of a network: each layer's value, parameters, and the structure and bytes of its Jacobians."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from jacobians.arrays import Array, Shape, counted, size_of
from jacobians.operations import Affine

if TYPE_CHECKING:
    from jacobians.network.objective import Objective
    from jacobians.network.run import Run

__all__ = ["Summary", "example_inputs", "summary_of_parameters", "summary_of_run"]


@dataclass(frozen=True, eq=False)
class Summary:
    """A table of a network, to print; in a notebook it shows itself.

    Attributes
    ----------
    title : str
    columns : tuple of str
    rows : tuple of tuple of str
    n_params : int
        How many numbers all parameters hold.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    n_params: int

    @property
    def total(self) -> str:
        """The line below the table."""
        return f"{self.n_params} parameters"

    def __str__(self) -> str:
        widths = [max(map(len, cells)) for cells in zip(self.columns, *self.rows, strict=True)]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in (self.columns, *self.rows)
        ]
        return "\n".join([self.title, *lines, self.total])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        def line(cells: tuple[str, ...], tag: str) -> str:
            return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"

        body = "".join(line(row, "td") for row in self.rows)
        head = f"<caption>{escape(self.title)}: {escape(self.total)}</caption><thead>{line(self.columns, 'th')}</thead>"
        return f"<table>{head}<tbody>{body}</tbody></table>"


def example_inputs(network: Objective, count: int) -> Array | None:
    """Return zeros as inputs of that many examples; None where the operations do not say how wide an example is."""
    for part in network.chain.parts:
        if isinstance(part, Affine):
            return None if part.sizes is None else np.zeros(network.layout.batch_shape(count, part.sizes[0]))
        if part.names[1:]:
            return None
    return None


def summary_of_run(run: Run) -> Summary:
    """Return the table of a list of operations, by what they made of a batch."""
    network, own = run.network, {own: name for name, own in run.network.names.items()}
    rows: list[tuple[str, ...]] = []
    flowing = ["X", *run.outputs]
    for position, (part, mine) in enumerate(zip(network.chain.parts, network.chain._of_part, strict=True)):
        said = part.name, f"{flowing[position + 1]} {run.operation_value(position + 1).shape}"
        for wrt in part.names:
            jacobian, name = run.operation_jacobian(position, wrt), own[mine[wrt]] if wrt in mine else flowing[position]
            numbers = str(size_of(jacobian.domain)) if wrt in mine else ""
            rows.append((*said, name, str(jacobian.domain), numbers, jacobian.structure, str(jacobian.nbytes)))
            said = "", ""
    columns = ("layer", "output", "input", "shape", "numbers", "Jacobian", "bytes")
    shapes = (array.shape for array in run.params.values())
    return Summary(f"{network!r}, {counted(run._forward.count, 'example')}", columns, tuple(rows), _count(shapes))


def summary_of_parameters(network: Objective, shapes: Mapping[str, Shape]) -> Summary:
    """Return the table of a network of which only the parameters' shapes are known."""
    rows = tuple((name, str(shape), str(size_of(shape))) for name, shape in shapes.items())
    return Summary(repr(network), ("parameter", "shape", "numbers"), rows, _count(shapes.values()))


def _count(shapes: Iterable[Shape]) -> int:
    return sum(map(size_of, shapes))
