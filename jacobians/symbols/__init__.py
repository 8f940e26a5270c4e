"""Formulas: expressions with the methods of arrays, and every way to write them. No array is in here."""

from __future__ import annotations

from jacobians.symbols.latex import LatexNotation
from jacobians.symbols.mathml import MathmlNotation
from jacobians.symbols.notation import Notation
from jacobians.symbols.numpy import NumpyNotation
from jacobians.symbols.text import TextNotation

NOTATIONS: dict[str, type[Notation]] = {
    "text": TextNotation,
    "latex": LatexNotation,
    "mathml": MathmlNotation,
    "numpy": NumpyNotation,
}
"""Every notation that is shipped, by its name on the command line and in records."""
