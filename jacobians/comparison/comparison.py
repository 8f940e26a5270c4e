"""What a comparison of conventions found: one side for each convention, and how far their gradients differ."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from html import escape
from typing import Any

import numpy as np

from jacobians.arrays import Array, Shape
from jacobians.checking import GradientCheck
from jacobians.comparison.formulas import Formulas, formulas_of
from jacobians.conventions import Convention
from jacobians.factors import Factor
from jacobians.linops import Jacobian
from jacobians.network import Network, Run


@dataclass(frozen=True, slots=True)
class FactorRow:
    """One factor of a chain as a table shows it.

    Attributes
    ----------
    label : str
        Such as ``∂Z2/∂A1``.
    structure : str
    matrix : (int, int)
        Its size as a matrix, in the convention's derivative layout.
    stored, dense : int
        Bytes of what the structure keeps, and of the matrix written out.
    """

    label: str
    structure: str
    matrix: tuple[int, int]
    stored: int
    dense: int


@dataclass(frozen=True, eq=False)
class Side:
    """The network, its parameters and the batch in one convention.

    Attributes
    ----------
    network : Network
    run : Run
    seconds : float
        Median time of one gradient.
    check : GradientCheck
        The gradient against numerical derivatives.
    """

    network: Network
    run: Run
    seconds: float
    check: GradientCheck

    @property
    def convention(self) -> Convention:
        """The side's convention."""
        return self.network.convention

    @cached_property
    def gradient(self) -> dict[str, Array]:
        """The objective's gradient with respect to every parameter."""
        return self.run.gradient()

    def arrays(self) -> dict[str, Shape]:
        """Return every array's shape by name: parameters and the forward pass."""
        shapes = {name: value.shape for name, value in self.run.values.items()}
        return {"X": shapes.pop("X"), **{n: a.shape for n, a in self.run.params.items()}, **shapes}

    def weights(self) -> list[str]:
        """Return the names of the weights, layer by layer."""
        return [name for name in self.run.params if self.convention.names.is_weight(name)]

    def biases(self) -> list[str]:
        """Return the names of the separate biases, layer by layer."""
        return [name for name in self.run.params if name not in self.weights()]

    def chain(self, parameter: str) -> list[FactorRow]:
        """Return the factors between the loss and a parameter, in the order in which this convention writes them."""
        return [_row(factor) for factor in self.run.chain(parameter)]

    def to_dict(self) -> dict[str, Any]:
        """Return everything that a report shows of this side, as plain numbers and strings."""
        layout = self.network.layout
        return {
            "convention": self.convention.name,
            "layout": asdict(layout),
            "reduction": self.convention.effective_reduction,
            "factor": self.network.loss.factor,
            "l2": self.network.l2,
            "arrays": {name: list(shape) for name, shape in self.arrays().items()},
            "chains": {
                name: [{**asdict(row), "matrix": list(row.matrix)} for row in self.chain(name)]
                for name in self.run.params
            },
            "loss": self.run.loss,
            "objective": self.run.value,
            "gradients": {
                name: {"shape": list(g.shape), "norm": float(np.linalg.norm(g))} for name, g in self.gradient.items()
            },
            "seconds": self.seconds,
            "numerical_check": self.check.to_dict(),
        }


@dataclass(frozen=True)
class Difference:
    """How far one convention's gradient lies from the first's, after translation.

    Attributes
    ----------
    parameter, gradient : str
        What `frame` calls the parameter, and the gradient with respect to it.
    frame : str
        The convention in which the two were compared.
    largest : float
        The largest absolute difference.
    ulps : float
        The same in units in the last place of the gradient's largest entry.
    allowed : float
        What rounding alone may reach, in the same units.

    Examples
    --------
    >>> import numpy as np
    >>> from jacobians import compare
    >>> X, y = np.array([[1.0, 2.0], [3.0, 5.0], [0.5, 4.0]]), np.array([0, 1, 1])
    >>> found = compare(["pytorch", "cs231n"], X, y, sizes=(2, 3, 2))
    >>> found.formulas.differences[0].about
    'weights'
    """

    parameter: str
    gradient: str
    frame: str
    largest: float
    ulps: float
    allowed: float

    @property
    def agrees(self) -> bool:
        """Whether rounding alone explains the difference."""
        return self.ulps <= self.allowed


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """Several conventions' views of one network on one mini-batch.

    Attributes
    ----------
    sides : tuple of Side
    differences : tuple of tuple of Difference
        For each side but the first, one for each parameter.
    ratios : tuple of float
        For each side, what its objective is multiplied by to be the first's.
    sizes : tuple of int
    activation, loss : str
    notes : tuple of str
        One sentence for each convention whose source would take another loss.

    Examples
    --------
    >>> import numpy as np
    >>> from jacobians import compare
    >>> X, y = np.array([[1.0, 2.0], [3.0, 5.0], [0.5, 4.0]]), np.array([0, 1, 1])
    >>> compare(["pytorch", "cs231n"], X, y, sizes=(2, 3, 2)).agree
    True
    """

    sides: tuple[Side, ...]
    differences: tuple[tuple[Difference, ...], ...]
    ratios: tuple[float, ...]
    sizes: tuple[int, ...]
    activation: str
    loss: str
    notes: tuple[str, ...] = ()

    @cached_property
    def formulas(self) -> Formulas:
        """The formulas side by side: aligned chains and steps, and one sentence for each difference."""
        return formulas_of([side.run for side in self.sides], self.ratios)

    @property
    def agree(self) -> bool:
        """Whether all gradients are equal, up to rounding, and all pass the numerical check."""
        same = all(d.agrees for side in self.differences for d in side)
        return same and all(side.check for side in self.sides)

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as plain numbers and strings, ready for JSON."""
        return {
            "agree": self.agree,
            "sizes": list(self.sizes),
            "activation": self.activation,
            "loss": self.loss,
            "notes": list(self.notes),
            "examples": int(self.sides[0].run.losses.shape[0]),
            "sides": [side.to_dict() for side in self.sides],
            "objective_ratios": list(self.ratios),
            "differences": [
                {
                    "between": [self.sides[0].convention.name, side.convention.name],
                    "parameters": [{**asdict(d), "agrees": d.agrees} for d in found],
                }
                for side, found in zip(self.sides[1:], self.differences, strict=True)
            ],
            "formulas": self.formulas.to_dict(),
        }

    def __repr__(self) -> str:
        names = " against ".join(side.convention.name for side in self.sides)
        found = "one gradient" if self.agree else "NOT one gradient"
        return f"{names}: network {'-'.join(map(str, self.sizes))}, {self.activation}, {self.loss}; {found}"

    def __str__(self) -> str:
        return "\n\n".join([repr(self), *self.notes, str(self.formulas)])

    def _repr_html_(self) -> str:
        said = "".join(f"<p>{escape(text)}</p>" for text in (repr(self), *self.notes))
        return f"{said}{self.formulas._repr_html_()}"

    def _repr_latex_(self) -> str:
        return self.formulas._repr_latex_()


def _row(factor: Factor) -> FactorRow:
    jacobian: Jacobian = factor.jacobian
    rows, columns = jacobian.shape
    plain = jacobian.numerator
    return FactorRow(
        label=factor.label,
        structure=plain.structure,
        matrix=(rows, columns),
        stored=jacobian.nbytes,
        dense=rows * columns * jacobian.dtype.itemsize,
    )
