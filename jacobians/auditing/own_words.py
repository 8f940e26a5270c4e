"""`in_own_words`: an equation in the notation and the names of the text that was audited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from jacobians.derivation.equations import Equation
from jacobians.errors import LayoutError
from jacobians.symbols.expressions import Expr, Symbol
from jacobians.symbols.named_functions import Function
from jacobians.symbols.numpy import NumpyNotation
from jacobians.symbols.octave import OctaveNotation


@dataclass(frozen=True)
class _Numpy(NumpyNotation):
    names: Mapping[str, str] = field(default_factory=dict)

    def symbol(self, name: str) -> str:
        return self.names.get(name) or super().symbol(name)

    def call(self, function: Function, arguments: Sequence[str]) -> str:
        called = self.names.get(f"{function.name}()", function.name)
        return f"{called}({', '.join(arguments)})"


@dataclass(frozen=True)
class _Octave(OctaveNotation):
    names: Mapping[str, str] = field(default_factory=dict)

    def symbol(self, name: str) -> str:
        return self.names.get(name) or super().symbol(name)

    def call(self, function: Function, arguments: Sequence[str]) -> str:
        called = self.names.get(f"{function.name}()", function.name)
        return f"{called}({', '.join(arguments)})"


def in_own_words(equation: Equation, notation: str, names: Mapping[str, str]) -> str:
    """Return an equation as the reader would write it.

    Parameters
    ----------
    equation : Equation
    notation : {"numpy", "latex", "octave"}
        What has no short form in Octave is written in NumPy; LaTeX keeps the convention's names.
    names : mapping of str to str
        The reader's name for a name of the convention, and for a function's name with ``()``. One that is another
        array of the equation is left out.
    """
    if notation == "latex":
        return equation.latex
    sides = [side for side in (equation.left, *equation.inside) if isinstance(side, Expr)]
    taken = {part.name for part in sides if isinstance(part, Symbol)}
    kept = {name: own for name, own in names.items() if own not in taken - {name}}
    if notation == "octave":
        try:
            return equation.written(_Octave(kept))
        except LayoutError:
            return equation.numpy
    return equation.written(_Numpy(kept))
