"""`MatrixFunction`: the functions of one matrix that the page can show, and a function of the reader's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from jacobians.arrays import Shape

__all__ = ["FUNCTIONS", "MatrixFunction", "function_of"]

_X32: Mapping[str, Shape] = {"X": (3, 2)}
_X33: Mapping[str, Shape] = {"X": (3, 3)}


@dataclass(frozen=True)
class MatrixFunction:
    """One function of X.

    Attributes
    ----------
    key : str
        In the page's address, and after ``--matrix``.
    name : str
        In the list.
    expression : str
        As `differentiate` reads it.
    shapes : mapping of str to tuple of int
    notation : {"numpy", "latex", "octave"} or None
        None where it is seen from the expression.
    """

    key: str
    name: str
    expression: str
    shapes: Mapping[str, Shape] = field(default_factory=dict)
    notation: str | None = "octave"


FUNCTIONS: tuple[MatrixFunction, ...] = (
    MatrixFunction("inverse", "inverse", "inv(X)", _X33),
    MatrixFunction("product", "product A X B", "A X B", {"A": (2, 3), "X": (3, 2), "B": (2, 3)}),
    MatrixFunction("transpose", "transpose", "X'", _X32),
    MatrixFunction("gram", "Gram matrix XᵀX", "X' X", _X32),
    MatrixFunction("rows", "Gram matrix of the rows, XXᵀ", "X X'", _X32),
    MatrixFunction("congruence", "congruence XᵀMX", "X' M X", {"X": (3, 2), "M": (3, 3)}),
    MatrixFunction("square", "square", "X^2", _X33),
    MatrixFunction("cube", "cube", "X^3", _X33),
    MatrixFunction("solve", "solution of X Y = B", "inv(X) B", {"X": (3, 3), "B": (3, 2)}),
    MatrixFunction("between", "A X⁻¹ B", "A inv(X) B", {"A": (2, 3), "X": (3, 3), "B": (3, 2)}),
    MatrixFunction("quadratic", "(AX + B)ᵀ(AX + B)", "(A X + B)' (A X + B)", {"A": (3, 3), "X": (3, 2), "B": (3, 2)}),
    MatrixFunction("squares", "squares of the entries", "X .* X", _X32),
    MatrixFunction("sigmoid", "layer σ(A X)", "sigmoid(A X)", {"A": (2, 3), "X": (3, 2)}),
    MatrixFunction("scaled", "X divided by its norm", "X / norm(X)", _X32),
    MatrixFunction("adjugate", "adjugate det(X) X⁻¹", "det(X) inv(X)", {"X": (2, 2)}),
    MatrixFunction("trace", "trace tr(AᵀXBXᵀ)", "tr(A' X B X')", {"A": (3, 3), "X": (3, 2), "B": (2, 2)}),
    MatrixFunction("bilinear", "bilinear form aᵀXb", "a' X b", {"a": (3, 1), "X": (3, 2), "b": (2, 1)}),
    MatrixFunction("det", "determinant", "det(X)", _X33),
    MatrixFunction("logdet", "log det", "log det X", _X33),
    MatrixFunction("norm", "Frobenius norm", "norm(X)", _X32),
)


def function_of(text: str, functions: Sequence[MatrixFunction] = FUNCTIONS) -> MatrixFunction:
    """Return the function of a key, or one of the reader's own, an expression of X."""
    known = next((function for function in functions if function.key == text), None)
    return known or MatrixFunction("own", text, text, notation=None)
