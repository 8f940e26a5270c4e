"""Equations of a derivation, and every way to write them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from jacobians.arrays import size_of
from jacobians.explain.expressions import Expr, Symbol
from jacobians.explain.latex_notation import LatexNotation
from jacobians.explain.maps import Map
from jacobians.explain.mathml_notation import MathmlNotation
from jacobians.explain.notation import Notation
from jacobians.explain.numpy_notation import NumpyNotation
from jacobians.explain.text_notation import TextNotation
from jacobians.layout import Derivative, Order

__all__ = ["ChainOfMaps", "Equation", "Partial"]


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
    >>> from jacobians.explain.expressions import MatMul, Symbol
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
