"""A derivation: definitions of the forward pass and of the cotangents, and for each parameter its chain and steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jacobians.arrays import Array, Shape
from jacobians.conventions import Convention
from jacobians.explain.equation import ChainOfMaps, Equation
from jacobians.explain.expressions import Expr, Symbol

__all__ = ["Definition", "Derivation", "ParameterDerivation", "Step"]


@dataclass(frozen=True)
class Definition:
    """A named array of the forward pass, or a named cotangent.

    Attributes
    ----------
    name : str
        What the library calls it, such as "Z1"; "dZ1" is the cotangent of Z1.
    equation : Equation
        In the names of the convention's source.
    """

    name: str
    equation: Equation

    @property
    def symbol(self) -> Symbol:
        """The left side."""
        if not isinstance(self.equation.left, Symbol):
            raise TypeError(f"{self.name} is not defined by a symbol")
        return self.equation.left

    @property
    def value(self) -> Expr:
        """The right side."""
        if not isinstance(self.equation.right, Expr):
            raise TypeError(f"{self.name} is not defined by an expression")
        return self.equation.right


@dataclass(frozen=True)
class Step:
    """One rewriting of a chain.

    Attributes
    ----------
    rule : str
        Its name, such as "vec trick".
    reason : str
        One sentence: the identity, and what it does here.
    equation : Equation
        The chain after it.
    """

    rule: str
    reason: str
    equation: Equation


@dataclass(frozen=True)
class ParameterDerivation:
    """The gradient by one parameter or by the inputs.

    Attributes
    ----------
    name : str
    chain : Equation
        The product of all Jacobians.
    steps : tuple of Step
    formula : Equation
        What is left: the compact formula.
    """

    name: str
    chain: Equation
    steps: tuple[Step, ...]
    formula: Equation

    @property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """The chain's factors' sizes as matrices, from left to right."""
        return tuple(size for _, size in self.factors.factors)

    @property
    def factors(self) -> ChainOfMaps:
        """The chain's right side."""
        if not isinstance(self.chain.right, ChainOfMaps):
            raise TypeError(f"the chain of {self.name} is no product")
        return self.chain.right

    def _repr_latex_(self) -> str:
        return self.formula._repr_latex_()


@dataclass(frozen=True, eq=False)
class Derivation:
    """How a network's gradient comes out of its Jacobians, in one convention.

    Printing it shows the whole as plain text; `to_latex`, `to_mathml` and `to_numpy` are the other ways.

    Attributes
    ----------
    convention : Convention
    forward : tuple of Definition
        The forward pass.
    cotangents : tuple of Definition
        From the loss backwards.
    parameters : dict
        By parameter, and "X" for the inputs.
    values : dict
        The arrays behind the symbols, so that every formula can be run.
    """

    convention: Convention
    forward: tuple[Definition, ...]
    cotangents: tuple[Definition, ...]
    parameters: Mapping[str, ParameterDerivation]
    values: Mapping[str, Array]

    def __getitem__(self, name: str) -> ParameterDerivation:
        return self.parameters[name]

    @property
    def shapes(self) -> dict[str, Shape]:
        """The shape of every named array."""
        return {name: array.shape for name, array in self.values.items()}

    @property
    def equations(self) -> list[Equation]:
        """Every equation that is shown."""
        found = [d.equation for d in (*self.forward, *self.cotangents)]
        for parameter in self.parameters.values():
            found += [parameter.chain, *(s.equation for s in parameter.steps), parameter.formula]
        return found

    def __str__(self) -> str:
        return self.to_text()

    def to_text(self) -> str:
        """Return the derivation as plain text."""
        from jacobians.explain.reports import as_text

        return as_text(self)

    def to_latex(self) -> str:
        """Return the derivation as a LaTeX fragment: text, and ``align*`` environments (amsmath)."""
        from jacobians.explain.reports import as_latex

        return as_latex(self)

    def to_mathml(self) -> str:
        """Return the derivation as an HTML fragment with MathML."""
        from jacobians.explain.html_report import as_html

        return as_html(self)

    def to_numpy(self) -> str:
        """Return a NumPy program: it takes the inputs, targets and parameters, and computes every gradient."""
        from jacobians.explain.programs import gradient_program

        return gradient_program(self)

    def _repr_html_(self) -> str:
        return self.to_mathml()

    def _repr_latex_(self) -> str:
        lines = " \\\\ ".join(p.formula.latex.replace(" = ", " &= ", 1) for p in self.parameters.values())
        return f"$\\displaystyle \\begin{{aligned}} {lines} \\end{{aligned}}$"
