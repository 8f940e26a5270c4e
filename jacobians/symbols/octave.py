"""Formulas as lines of Octave, for a reader who wrote theirs so."""

from __future__ import annotations

from typing import ClassVar

from jacobians.arrays import Shape
from jacobians.errors import LayoutError
from jacobians.symbols.expressions import (
    AtStep,
    Einsum,
    Entry,
    Expr,
    Gathered,
    Part,
    Placed,
    Quotient,
    Scattered,
    Slices,
    SumOverSteps,
    WithOnes,
)
from jacobians.symbols.notation import _POSTFIX, _PRODUCT
from jacobians.symbols.numpy import NumpyNotation
from jacobians.symbols.text import TextNotation


class OctaveNotation(NumpyNotation):
    """Octave's expressions: entries are counted from 1, ``*`` is the matrix product and ``.*`` goes entry by entry.

    Examples
    --------
    >>> from jacobians.symbols.expressions import MatMul, Part, Symbol, Transposed
    >>> delta, A = Symbol("delta3", (5, 2)), Symbol("A2", (5, 4))
    >>> OctaveNotation().expr(MatMul(Transposed(delta), A))
    "delta3' * A2"
    >>> OctaveNotation().expr(Part(A, ((None, None), (1, None))))
    'A2(:, 2:end)'
    """

    forms: ClassVar[dict[str, str]] = {
        **NumpyNotation.forms,
        "identity": "eye({0})",
        "ones": "ones({0})",
        "row of ones": "ones({0})",
        "zeros": "zeros({0})",
        "transpose": "{0}'",
        "matrix product": "{0} * {1}",
        "elementwise product": "{0} .* {1}",
        "power": "{0} .^ {1}",
        "part": "{0}({1})",
        "beside": "[{0}]",
        "below": "[{0}]",
        "repeated column": "repmat({0}, 1, {3})",
        "repeated row": "repmat({0}, {3}, 1)",
        "Kronecker product": "kron({0}, {1})",
    }
    between: ClassVar[dict[str, str]] = {**NumpyNotation.between, "below": "; "}

    def _node(self, expr: Expr) -> tuple[str, int]:
        match expr:
            case Einsum() | Entry() | Gathered() | Placed() | Scattered() | AtStep() | SumOverSteps():
                raise LayoutError(f"Octave has no short form of {TextNotation().expr(expr)}")
            case Part(of, key):
                return self.form("part", self._at(of, _POSTFIX), _counted_from_one(key, of.shape)), _POSTFIX
            case Quotient(left, right) if right.shape != ():
                return f"{self._at(left, _PRODUCT)} ./ {self._at(right, _POSTFIX)}", _PRODUCT
        return super()._node(expr)

    def with_ones_code(self, expr: WithOnes) -> str:
        text = self._at(expr.of, _POSTFIX)
        ones = f"ones(size({text}, 1), 1)" if expr.axis == 1 else f"ones(1, size({text}, 2))"
        parts = [ones, text] if expr.first else [text, ones]
        return self.joined(parts, expr.axis)

    def with_ones(self, expr: WithOnes, text: str) -> str:
        return self.with_ones_code(expr)

    def reshaped(self, text: str, dims: Shape) -> str:
        raise LayoutError(f"Octave reshapes {text} column after column, and NumPy row after row")

    def sum_over(self, text: str, axis: int, keep: bool) -> str:
        return f"sum({text}, {axis + 1})"

    def uniform(self, factor: str | None, count: int, column: bool) -> str:
        raise LayoutError("Octave has no short form of the Jacobian of a sum")


def _counted_from_one(key: Slices, of: Shape) -> str:
    """Slices with both of their ends, as Octave has them."""
    found = []
    for (start, stop), n in zip(key, of, strict=True):
        first, last, _ = slice(start, stop).indices(n)
        if (first, last) == (0, n):
            found.append(":")
        elif last - first == 1:
            found.append(str(last))
        else:
            found.append(f"{first + 1}:{'end' if last == n else last}")
    return ", ".join(found)
