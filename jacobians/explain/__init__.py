"""Formulas: the derivation of a gradient in any convention, out of the Jacobians that compute it."""

from jacobians.explain.derivation import Definition, Derivation, ParameterDerivation, Step
from jacobians.explain.equation import Equation
from jacobians.explain.explaining import explain
from jacobians.explain.network_derivation import derive
from jacobians.explain.operation_derivation import InputDerivation, OperationDerivation

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
