"""Chains of several conventions side by side: `AlignedFactor`, factor by factor, each with its step, and gaps.

Two factors stand in one row where they are the derivative of the same array by the same array, and of one kind there:
an affine layer's Kronecker product beside the other's, and the commutation or the selection beside nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jacobians.comparison.roles import Roles
from jacobians.derivation.equations import Step
from jacobians.factors import Factor
from jacobians.layout import Order
from jacobians.linops import Jacobian, Product, Selection, Transposed
from jacobians.symbols.mathml import MathmlNotation
from jacobians.symbols.text import TextNotation

__all__ = ["AlignedFactor", "AlignedStep", "ChainFactor", "align", "align_steps"]


@dataclass(frozen=True)
class ChainFactor:
    """One factor of one convention's chain.

    Attributes
    ----------
    label : str
        The Jacobian that it belongs to, such as ``∂Z2/∂A1``, in the library's names.
    factor : Jacobian
        As this convention writes it: transposed in denominator layout.
    matrix : (int, int)
        Its size.
    order : {"C", "F"}
    reads : str
        The factor with the names of all conventions, for comparing.
    step : Step
        How the cotangent passes it.
    """

    label: str
    factor: Jacobian
    matrix: tuple[int, int]
    order: Order
    reads: str
    step: Step

    @property
    def text(self) -> str:
        """The factor as plain text."""
        return TextNotation().matrix(self.factor, self.order)

    @property
    def mathml(self) -> str:
        """The factor as a ``<math>`` element."""
        notation = MathmlNotation()
        return notation.document(notation.matrix(self.factor, self.order))


@dataclass(frozen=True)
class AlignedFactor:
    """One row of aligned chains.

    Attributes
    ----------
    label : str
    cells : tuple of ChainFactor or None
        One for each convention; None where it has no such factor, or no such parameter.
    differs : bool
        Whether of the conventions with this parameter one lacks the factor or writes another, names aside.
    """

    label: str
    cells: tuple[ChainFactor | None, ...]
    differs: bool


@dataclass(frozen=True)
class AlignedStep:
    """One row of aligned steps.

    Attributes
    ----------
    label : str
        The Jacobian that is passed, or what is done after all are.
    cells : tuple of Step or None
    differs : bool
        Whether a convention has no such step, or passes another factor, names aside.
    """

    label: str
    cells: tuple[Step | None, ...]
    differs: bool


def align(roles: Sequence[Roles], names: Sequence[str | None]) -> tuple[AlignedFactor, ...]:
    """Return the chains to one parameter, aligned, from the loss to the parameter.

    Parameters
    ----------
    roles : sequence of Roles
        One for each convention.
    names : sequence of str or None
        What each calls the parameter; None where it has none.
    """
    chains = [None if name is None else _slots(own, name) for own, name in zip(roles, names, strict=True)]
    rows = []
    for place in range(max(len(chain) for chain in chains if chain is not None)):
        slots = [chain[place] if chain is not None else [] for chain in chains]
        for kind in dict.fromkeys(_kind(factor.factor) for slot in slots for factor in slot):
            cells = tuple(next((f for f in slot if _kind(f.factor) == kind), None) for slot in slots)
            label = next(cell.label for cell in cells if cell is not None)
            reads = {c and c.reads for c, name in zip(cells, names, strict=True) if name is not None}
            rows.append(AlignedFactor(label, cells, len(reads) > 1))
    return tuple(rows)


def align_steps(
    roles: Sequence[Roles], names: Sequence[str | None], factors: Sequence[AlignedFactor]
) -> tuple[AlignedStep, ...]:
    """Return the steps to one parameter, aligned: those that pass a factor, and those that follow by their rule."""
    rows = [AlignedStep(r.label, tuple(c if c is None else c.step for c in r.cells), r.differs) for r in factors]
    after: dict[str, list[Step | None]] = {}
    for place, (own, name) in enumerate(zip(roles, names, strict=True)):
        if name is not None:
            derivation = own.derivation[name]
            for step in derivation.steps[len(derivation.factors.jacobians) :]:
                after.setdefault(step.rule, [None] * len(roles))[place] = step
    for rule, cells in after.items():
        having = [(own, cell) for own, cell, name in zip(roles, cells, names, strict=True) if name is not None]
        reads = {_ends_in(own, cell) for own, cell in having}
        rows.append(AlignedStep(rule, tuple(cells), len(reads) > 1))
    return tuple(rows)


def _kind(factor: Jacobian) -> type[Jacobian]:
    # in denominator layout a placement is written as the selection that it is the transpose of
    return Transposed if isinstance(factor, Selection) else type(factor)


def _ends_in(roles: Roles, step: Step | None) -> str | None:
    row = None if step is None else getattr(step.equation.right, "row", None)
    return None if row is None else roles.reads(row)


def _slots(roles: Roles, name: str) -> list[list[ChainFactor]]:
    """For each Jacobian from the loss to a parameter, the factors that it is made of."""
    derivation = roles.derivation[name]
    chain = derivation.factors
    backwards = chain.derivative == "denominator"
    shown = list(chain.factors)[::-1] if backwards else list(chain.factors)
    jacobians = roles.run.chain(name)[::-1] if backwards else roles.run.chain(name)
    slots: list[list[ChainFactor]] = []
    place = 0
    for jacobian in jacobians:
        slot = []
        for (factor, matrix), step in list(zip(shown, derivation.steps, strict=False))[
            place : place + _count(jacobian)
        ]:
            if factor is None:
                raise TypeError("a whole chain begins with the loss's own factor")
            reads = roles.reads_factor(factor, chain.order)
            slot.append(ChainFactor(jacobian.label, factor, matrix, chain.order, reads, step))
        place += _count(jacobian)
        slots.append(slot)
    return slots


def _count(factor: Factor) -> int:
    """How many maps a Jacobian became: one for each of its factors."""
    jacobian = factor.jacobian
    plain = jacobian.numerator
    # a bias's change of shape is a factor and no map, but it is the last one of its chain, where the maps end
    return len(plain.factors) if isinstance(plain, Product) else 1
