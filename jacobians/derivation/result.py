"""A derivation: definitions of the forward pass and of the cotangents, and for each parameter its chain and steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from jacobians.arrays import Array, Shape, size_of
from jacobians.conventions import Convention
from jacobians.layout import Derivative, Order
from jacobians.symbols.expressions import Expr, Symbol
from jacobians.symbols.latex import LatexNotation
from jacobians.symbols.maps import Map
from jacobians.symbols.mathml import MathmlNotation
from jacobians.symbols.notation import Notation
from jacobians.symbols.numpy import NumpyNotation
from jacobians.symbols.text import TextNotation

__all__ = ["ChainOfMaps", "Definition", "Derivation", "Equation", "ParameterDerivation", "Partial", "Step"]


@dataclass(frozen=True)
class Partial:
    """∂L/∂vec W as the left side of an equation."""

    of: Symbol
    wrt: Symbol
    vector: bool = False
    """Whether it is the Jacobian of an array and not a scalar's gradient."""

    def written(self, notation: Notation) -> str:
        """Return it in a notation."""
        return notation.partial(notation.expr(self.of), notation.expr(self.wrt), self.vector)


@dataclass(frozen=True)
class ChainOfMaps:
    """c·vec(Δ)ᵀ J₁ J₂ …, or its transpose in denominator layout.

    Attributes
    ----------
    factor : Expr or None
        A scalar c that has not been multiplied in yet.
    row : Expr or None
        Δ; None where the chain's first map is the loss's own row, or the chain is no row.
    maps : tuple of Map
        From the outermost to the innermost, in numerator layout.
    order, derivative
        As in a `Layout`.
    """

    factor: Expr | None
    row: Expr | None
    maps: tuple[Map, ...]
    order: Order
    derivative: Derivative

    @property
    def factors(self) -> tuple[tuple[Map | None, tuple[int, int]], ...]:
        """Each factor as it is read from the left with its matrix's size; None is the row itself."""
        found: list[tuple[Map | None, tuple[int, int]]] = []
        if self.row is not None:
            found.append((None, (1, size_of(self.row.shape))))
        found += [(m, (size_of(m.codomain), size_of(m.domain))) for m in self.maps]
        if self.derivative == "numerator":
            return tuple(found)
        return tuple((None if m is None else m.T, size[::-1]) for m, size in reversed(found))

    def written(self, notation: Notation) -> str:
        """Return the product in a notation."""
        text = notation.join([self.factor_text(i, notation) for i in range(len(self.factors))])
        return text if self.factor is None else notation.scale(notation.expr(self.factor), text)

    def factor_text(self, position: int, notation: Notation) -> str:
        """Return one of `factors` in a notation."""
        map_, _ = self.factors[position]
        if map_ is not None:
            return notation.map(map_, self.order)
        if self.row is None:
            raise ValueError("a chain without a row has no such factor")
        text = notation.expr(self.row)
        write = notation.row if self.derivative == "numerator" else notation.vec
        return write(text, self.order)


@dataclass(frozen=True, repr=False)
class Equation:
    r"""One line of a derivation, written on request as text, LaTeX, MathML or NumPy code.

    Examples
    --------
    >>> from jacobians.symbols.expressions import MatMul, Symbol
    >>> X, W = Symbol("X", (5, 4)), Symbol("W1", (4, 3))
    >>> line = Equation(Symbol("Z1", (5, 3)), MatMul(X, W))
    >>> line.text, line.numpy, line.latex
    ('Z₁ = X W₁', 'Z1 = X @ W1', 'Z_{1} = X \\, W_{1}')
    """

    left: Expr | Partial
    right: Expr | ChainOfMaps

    def written(self, notation: Notation) -> str:
        """Return the equation in a notation."""
        sides = [
            s.written(notation) if isinstance(s, (Partial, ChainOfMaps)) else notation.expr(s)
            for s in (self.left, self.right)
        ]
        return notation.equation(sides[0], sides[1])

    @cached_property
    def text(self) -> str:
        """The equation as plain text."""
        return self.written(TextNotation())

    @cached_property
    def latex(self) -> str:
        """The equation as LaTeX, without dollars."""
        return self.written(LatexNotation())

    @cached_property
    def mathml(self) -> str:
        """The equation as a ``<math>`` element."""
        notation = MathmlNotation()
        return notation.document(self.written(notation))

    @cached_property
    def numpy(self) -> str:
        """The equation as one line of NumPy code."""
        return self.written(NumpyNotation())

    def __repr__(self) -> str:
        return f"Equation({self.text})"

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex}$"


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
        from jacobians.derivation.writing import as_text

        return as_text(self)

    def to_latex(self) -> str:
        """Return the derivation as a LaTeX fragment: text, and ``align*`` environments (amsmath)."""
        from jacobians.derivation.writing import as_latex

        return as_latex(self)

    def to_mathml(self) -> str:
        """Return the derivation as an HTML fragment with MathML."""
        from jacobians.derivation.writing import as_html

        return as_html(self)

    def to_numpy(self) -> str:
        """Return a NumPy program: it takes the inputs, targets and parameters, and computes every gradient."""
        from jacobians.derivation.writing import gradient_program

        return gradient_program(self)

    def _repr_html_(self) -> str:
        return self.to_mathml()

    def _repr_latex_(self) -> str:
        lines = " \\\\ ".join(p.formula.latex.replace(" = ", " &= ", 1) for p in self.parameters.values())
        return f"$\\displaystyle \\begin{{aligned}} {lines} \\end{{aligned}}$"
