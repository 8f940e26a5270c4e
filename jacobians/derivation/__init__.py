"""Formulas: the derivation of a gradient in any convention, out of the Jacobians that compute it."""

from __future__ import annotations

from jacobians.derivation.derive import derive
from jacobians.derivation.equations import Definition, Equation, JacobianChain, Recurrence, Step
from jacobians.derivation.explain import explain
from jacobians.derivation.result import (
    Derivation,
    GraphDerivation,
    InputDerivation,
    OperationDerivation,
    ParameterDerivation,
)
from jacobians.derivation.second_order import derive_second
from jacobians.derivation.second_result import BlockDerivation, SecondDerivation, TermDerivation

__all__ = [
    "BlockDerivation",
    "Definition",
    "Derivation",
    "Equation",
    "GraphDerivation",
    "InputDerivation",
    "JacobianChain",
    "OperationDerivation",
    "ParameterDerivation",
    "Recurrence",
    "SecondDerivation",
    "Step",
    "TermDerivation",
    "derive",
    "derive_second",
    "explain",
]
