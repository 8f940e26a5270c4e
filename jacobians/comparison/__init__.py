"""The same network in several conventions: what differs between them, and whether the gradients agree."""

from jacobians.comparison.compare import compare
from jacobians.comparison.comparison import Comparison, Difference, FactorRow, Side
from jacobians.comparison.formulas import Formulas, formulas_of
from jacobians.comparison.graphs import GraphComparison, GraphSide

__all__ = [
    "Comparison",
    "Difference",
    "FactorRow",
    "Formulas",
    "GraphComparison",
    "GraphSide",
    "Side",
    "compare",
    "formulas_of",
]
