"""Formulas: expressions with the methods of arrays, and every way to write them. No array is in here."""

from __future__ import annotations

from collections.abc import Callable

from jacobians.errors import LayoutError
from jacobians.symbols.expressions import Expr
from jacobians.symbols.javascript import JavascriptNotation
from jacobians.symbols.latex import LatexNotation
from jacobians.symbols.mathml import MathmlNotation
from jacobians.symbols.notation import Notation
from jacobians.symbols.numpy import NumpyNotation
from jacobians.symbols.simplify import (
    FUNCTIONS,
    item,
    matmul,
    minus,
    plus,
    product,
    reshaped,
    summed,
    transposed,
    with_axes,
)
from jacobians.symbols.text import TextNotation

NOTATIONS: dict[str, type[Notation]] = {
    "text": TextNotation,
    "latex": LatexNotation,
    "mathml": MathmlNotation,
    "numpy": NumpyNotation,
    "javascript": JavascriptNotation,
}
"""Every notation that is shipped, by its name on the command line and in records."""


def in_every_notation(written: Callable[[Notation], str]) -> dict[str, str]:
    r"""Return a formula in every notation, by name; JavaScript is left out where its runtime lacks a function.

    Examples
    --------
    >>> from jacobians.symbols.expressions import Symbol, Transposed
    >>> found = in_every_notation(lambda write: write.expr(Transposed(Symbol("W1", (3, 2)))))
    >>> found["text"], found["latex"], found["numpy"], found["javascript"]
    ('W₁ᵀ', 'W_{1}^{\\top}', 'W1.T', 'np.transpose(W1)')
    """
    found = {}
    for name, kind in NOTATIONS.items():
        notation = kind()
        try:
            found[name] = notation.document(written(notation))
        except LayoutError:
            if kind is not JavascriptNotation:
                raise
    return found


# What keeps a formula short knows every node, so the class imports none of it: it is hung on it here, once.
Expr._transposed = transposed
Expr._sum = plus
Expr._difference = minus
Expr._product = product
Expr._matmul = matmul
Expr._item = item
Expr._reshaped = reshaped
Expr._with_axes = with_axes
Expr._summed = summed
Expr._functions = FUNCTIONS
