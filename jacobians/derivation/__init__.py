"""Formulas: the derivation of a gradient in any convention, out of the Jacobians that compute it."""

from __future__ import annotations

from jacobians.derivation.derive import explain
from jacobians.derivation.of_network import derive
from jacobians.derivation.of_operation import InputDerivation, OperationDerivation
from jacobians.derivation.result import Definition, Derivation, Equation, ParameterDerivation, Step

__all__ = [
    "Definition",
    "Derivation",
    "Equation",
    "InputDerivation",
    "OperationDerivation",
    "ParameterDerivation",
    "Step",
    "derive",
    "explain",
]
