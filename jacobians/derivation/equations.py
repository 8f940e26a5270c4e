"""Equations of expressions and of chains of Jacobians, written on request as text, LaTeX, MathML or NumPy code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from jacobians.layout import Derivative, Order
from jacobians.linops import Jacobian
from jacobians.symbols.expressions import Expr, Symbol, Zeros
from jacobians.symbols.latex import LatexNotation
from jacobians.symbols.mathml import MathmlNotation
from jacobians.symbols.notation import Notation
from jacobians.symbols.numpy import NumpyNotation
from jacobians.symbols.text import TextNotation


@dataclass(frozen=True)
class Partial:
    """∂L/∂vec W as the left side of an equation."""

    of: Symbol
    wrt: Symbol
    vector: bool = False
    """Whether it is the Jacobian of an array and not a scalar's gradient."""
    gradient: str = ""
    """What the gradient is called as an array, by which a program calls it; dW unless given."""

    def written(self, notation: Notation) -> str:
        """Return it in a notation."""
        gradient = notation.symbol(self.gradient or f"d{self.wrt.name}")
        return notation.partial(notation.expr(self.of), notation.expr(self.wrt), gradient, self.vector)


@dataclass(frozen=True, repr=False)
class JacobianChain:
    """c·vec(Δ)ᵀ J₁ J₂ …, or its transpose in denominator layout.

    Attributes
    ----------
    factor : Expr or None
        A scalar c that has not been multiplied in yet.
    row : Expr or None
        Δ; None where the chain's first factor is the loss's own row, or the chain is no row.
    jacobians : tuple of Jacobian
        Structures of expressions, from the outermost to the innermost, in numerator layout.
    order, derivative
        As in a `Layout`.
    """

    factor: Expr | None
    row: Expr | None
    jacobians: tuple[Jacobian, ...]
    order: Order
    derivative: Derivative

    @property
    def factors(self) -> tuple[tuple[Jacobian | None, tuple[int, int]], ...]:
        """Each factor from left to right, with the size of its matrix; None is the row itself."""
        found: list[tuple[Jacobian | None, tuple[int, int]]] = []
        if self.row is not None:
            found.append((None, (1, self.row.size)))
        found += [(j, j.shape) for j in self.jacobians]
        if self.derivative == "numerator":
            return tuple(found)
        return tuple((None if j is None else j.T, size[::-1]) for j, size in reversed(found))

    def written(self, notation: Notation) -> str:
        """Return the product in a notation."""
        text = notation.join([self._written_factor(jacobian, notation) for jacobian, _ in self.factors])
        return text if self.factor is None else notation.scale(notation.expr(self.factor), text)

    def __repr__(self) -> str:
        return f"JacobianChain({self.written(TextNotation())})"

    def factor_text(self, position: int, notation: Notation) -> str:
        """Return one of `factors` in a notation."""
        return self._written_factor(self.factors[position][0], notation)

    def _written_factor(self, jacobian: Jacobian | None, notation: Notation) -> str:
        if jacobian is not None:
            return notation.matrix(jacobian, self.order)
        if self.row is None:
            raise ValueError("a chain without a row has no such factor")
        text = notation.expr(self.row)
        write = notation.row if self.derivative == "numerator" else notation.vec
        return write(text, self.order)


@dataclass(frozen=True)
class SecondPartial:
    """∂²L/∂vec W ∂(vec V)ᵀ as the left side of an equation."""

    of: Symbol
    rows: Symbol
    columns: Symbol

    @property
    def name(self) -> str:
        """What a program calls the matrix."""
        return f"H_{self.rows.name}_{self.columns.name}"

    def written(self, notation: Notation) -> str:
        """Return it in a notation."""
        of, rows, columns = map(notation.expr, (self.of, self.rows, self.columns))
        return notation.second_partial(of, rows, columns, notation.symbol(self.name))


@dataclass(frozen=True, repr=False)
class SumOfChains:
    """A sum of products of Jacobians, or 0.

    Attributes
    ----------
    chains : tuple of JacobianChain
    size : (int, int)
        Of the matrix.
    """

    chains: tuple[JacobianChain, ...]
    size: tuple[int, int]

    def written(self, notation: Notation) -> str:
        """Return the sum in a notation."""
        if not self.chains:
            return notation.expr(Zeros(self.size))
        matrices = notation.of_matrices()
        return notation.plus([chain.written(matrices) for chain in self.chains])

    def __repr__(self) -> str:
        return f"SumOfChains({self.written(TextNotation())})"


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

    left: Expr | Partial | SecondPartial
    right: Expr | JacobianChain | SumOfChains

    def written(self, notation: Notation) -> str:
        """Return the equation in a notation."""
        sides = [notation.expr(s) if isinstance(s, Expr) else s.written(notation) for s in (self.left, self.right)]
        return notation.equation(sides[0], sides[1])

    def alone(self, notation: Notation) -> str:
        """Return the equation in a notation as it stands alone: MathML gets its outer element."""
        return notation.document(self.written(notation))

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
        return self.alone(MathmlNotation())

    @cached_property
    def numpy(self) -> str:
        """The equation as one line of NumPy code."""
        return self.written(NumpyNotation())

    @property
    def inside(self) -> Iterator[Expr]:
        """Every expression on the right side."""
        right, open_ = self.right, list[Any]()
        if isinstance(right, Expr):
            open_.append(right)
        for chain in (right,) if isinstance(right, JacobianChain) else getattr(right, "chains", ()):
            open_ += [expr for expr in (chain.factor, chain.row) if expr is not None]
            open_ += [array for jacobian in chain.jacobians for array in jacobian.arrays]
        while open_:
            expr = open_.pop()
            yield expr
            open_ += expr.parts

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
        What the library calls it, such as "Z1"; "dZ1" is the cotangent of Z1, "P" what the loss makes of the output,
        and X or an activation keeps its name where its ones are added.
    equation : Equation
        In the names of the convention's source.
    uses : tuple of Expr
        Of a cotangent that is a sum with one term for each use of a value: the symbols of what it is used in.

    Examples
    --------
    >>> from jacobians import Network, explain
    >>> found = explain(Network.dense((4, 3, 2)), "cs231n")
    >>> [line.name for line in found.forward]
    ['Z1', 'A1', 'Z2', 'P']
    """

    name: str
    equation: Equation
    uses: tuple[Expr, ...] = ()

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
class Recurrence:
    """Lines that hold for every step t, in the order of the steps.

    Attributes
    ----------
    first, last : int
        The steps; back where the first is the larger one.
    lines : tuple of Definition
    """

    first: int
    last: int
    lines: tuple[Definition, ...]

    @property
    def steps(self) -> range:
        """Every step."""
        by = 1 if self.first <= self.last else -1
        return range(self.first, self.last + by, by)

    @property
    def equations(self) -> tuple[Equation, ...]:
        """What is said of every step."""
        return tuple(line.equation for line in self.lines)

    @property
    def header(self) -> str:
        """For which t it is said, as plain text."""
        return f"for t = {self.first} … {self.last}"

    @property
    def numpy(self) -> str:
        """The loop as NumPy code."""
        steps = self.steps
        ends = f"{steps.start}, {steps.stop}" + (f", {steps.step}" if steps.step < 0 else "")
        return "\n    ".join([f"for t in range({ends}):", *(equation.numpy for equation in self.equations)])


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

    Examples
    --------
    >>> from jacobians import Network, explain
    >>> found = explain(Network.dense((4, 3, 2)), "cs231n")
    >>> [step.rule for step in found["W1"].steps]
    ['where 1 / N enters', 'one loss per example', 'vec trick', 'diagonal', 'vec trick']
    """

    rule: str
    reason: str
    equation: Equation


def with_names(jacobian: Jacobian, table: Mapping[Expr, Expr]) -> Jacobian:
    """Return the same structure with some of its expressions replaced."""

    def leaf(array: Any) -> Any:
        return array.replaced(table)

    return jacobian._with_leaves(leaf, lambda part: with_names(part, table))
