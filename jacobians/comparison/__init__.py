"""The same network in several conventions: what differs, and that the gradients do not."""

from jacobians.comparison.build import compare, convention_of
from jacobians.comparison.formulas import Formulas, formulas_of
from jacobians.comparison.result import Comparison, Difference, FactorRow, Side

__all__ = ["Comparison", "Difference", "FactorRow", "Formulas", "Side", "compare", "convention_of", "formulas_of"]
