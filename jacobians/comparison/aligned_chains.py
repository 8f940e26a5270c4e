"""Chains of several conventions side by side, factor by factor, each with its step; a gap where one has no factor.

Two factors stand in one row where they are the derivative of the same array with respect to the same array, and of one
kind there: an affine layer's Kronecker product beside the other's, and the commutation or the selection beside nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, repeat
from typing import Generic, TypeAlias, TypeVar

from jacobians.comparison.shared_names import SharedNames
from jacobians.derivation import Step
from jacobians.layout import Order
from jacobians.linops import Jacobian, Selection, Transposed
from jacobians.symbols.mathml import MathmlNotation
from jacobians.symbols.text import TextNotation

Cell = TypeVar("Cell")


@dataclass(frozen=True)
class AlignedRow(Generic[Cell]):
    """One line: the same thing in each convention.

    Attributes
    ----------
    label : str
        What each convention calls it, once each: of a formula such as "Z2 / Z1" or "weight 1", of a factor the Jacobian
        that it belongs to, of a step the Jacobian that is passed, or what is done after all are.
    cells : tuple
        One for each convention; None where it has no such thing, or no such parameter.
    differs : bool
        Whether of the conventions with this parameter one lacks it or writes another, names aside.
    """

    label: str
    cells: tuple[Cell | None, ...]
    differs: bool


@dataclass(frozen=True)
class ChainFactor:
    """One factor of one convention's chain.

    Attributes
    ----------
    label : str
        The Jacobian that it belongs to, such as ``∂Z2/∂A1``, in the convention's names.
    factor : Jacobian
        As this convention writes it: transposed in denominator layout.
    order : {"C", "F"}
    reads : str
        The factor with the names of all conventions, for comparing.
    step : Step
        How the cotangent passes it.
    """

    label: str
    factor: Jacobian
    order: Order
    reads: str
    step: Step

    @property
    def matrix(self) -> tuple[int, int]:
        """Its size."""
        return self.factor.shape

    @property
    def text(self) -> str:
        """The factor as plain text."""
        return TextNotation().matrix(self.factor, self.order)

    @property
    def mathml(self) -> str:
        """The factor as a ``<math>`` element."""
        notation = MathmlNotation()
        return notation.document(notation.matrix(self.factor, self.order))


AlignedFactor: TypeAlias = AlignedRow[ChainFactor]
AlignedStep: TypeAlias = AlignedRow[Step]


def align(sides: Sequence[SharedNames], names: Sequence[str | None]) -> tuple[AlignedFactor, ...]:
    """Return the chains to one parameter, aligned, from the loss to the parameter.

    Parameters
    ----------
    sides : sequence of SharedNames
        One for each convention.
    names : sequence of str or None
        What each calls the parameter; None where it has none.
    """
    # one network, so chains of equal length; a convention without the parameter has nothing at any place
    chains = (repeat([]) if name is None else _factors(side, name) for side, name in zip(sides, names, strict=True))
    rows = []
    for place in zip(*chains, strict=False):
        for kind in dict.fromkeys(_kind(factor) for own in place for factor in own):
            cells = tuple(next((f for f in own if _kind(f) == kind), None) for own in place)
            label = ", ".join(dict.fromkeys(cell.label for cell in cells if cell is not None))
            reads = {cell and cell.reads for cell, name in zip(cells, names, strict=True) if name is not None}
            rows.append(AlignedFactor(label, cells, len(reads) > 1))
    return tuple(rows)


def align_steps(
    sides: Sequence[SharedNames], names: Sequence[str | None], factors: Sequence[AlignedFactor]
) -> tuple[AlignedStep, ...]:
    """Return the steps to one parameter, aligned: those that pass a factor, and those that follow by their rule."""
    rows = [AlignedStep(r.label, tuple(None if c is None else c.step for c in r.cells), r.differs) for r in factors]
    after: dict[str, list[Step | None]] = {}
    for place, (side, name) in enumerate(zip(sides, names, strict=True)):
        if name is not None:
            derivation = side.derivation[name]
            for step in derivation.steps[len(derivation.factors.jacobians) :]:
                after.setdefault(step.rule, [None] * len(sides))[place] = step
    for rule, cells in after.items():
        ends = {_end(side, step) for side, step, name in zip(sides, cells, names, strict=True) if name is not None}
        rows.append(AlignedStep(rule, tuple(cells), len(ends) > 1))
    return tuple(rows)


def _kind(factor: ChainFactor) -> type[Jacobian]:
    # in denominator layout a placement is written as the selection that it is the transpose of
    return Transposed if isinstance(factor.factor, Selection) else type(factor.factor)


def _end(side: SharedNames, step: Step | None) -> str | None:
    row = None if step is None else getattr(step.equation.right, "row", None)
    return None if row is None else side.reads(row)


def _factors(side: SharedNames, name: str) -> list[list[ChainFactor]]:
    """For each Jacobian from the loss to a parameter, the factors that it is made of."""
    derivation, layout = side.derivation[name], side.layout
    backwards = layout.derivative == "denominator"
    with_ones = {stop.name for stop in side.run.stops if stop.ones and stop.done}
    passed = zip(derivation.factors.jacobians, derivation.steps, strict=False)
    found = []
    for jacobian in side.run.chain(name)[:: -1 if backwards else 1]:
        # a bias's change of shape is a factor and no step, but it is the last one of its chain, where the steps end
        own = islice(passed, len(jacobian.jacobian.numerator._factors()))
        factors = ((j.T if backwards else j, step) for j, step in own)
        found.append(
            [ChainFactor(jacobian.label, f, layout.vec, side.reads_factor(f, layout.vec), s) for f, s in factors]
        )
        if jacobian.of in with_ones:  # where activations hold no ones, the selection belongs to the layer's Jacobian
            found[-2].append(found[-1].pop(0))
    return found
