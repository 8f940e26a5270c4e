"""`differentiate`: an expression as one writes it, its Jacobian by structure, and its derivative's formula.

`audit` is the way back: whether a printed formula is right.
"""

from __future__ import annotations

from jacobians.differentiation.derivative import Derivative
from jacobians.differentiation.differentiate import differentiate
from jacobians.differentiation.identity import IdentityAudit
from jacobians.differentiation.printed_formula import audit
from jacobians.differentiation.second_derivative import SecondDerivative

__all__ = ["Derivative", "IdentityAudit", "SecondDerivative", "audit", "differentiate"]
