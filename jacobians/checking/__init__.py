"""Checks of gradients and Jacobians against reference derivatives that share no code with the rules they check."""

from jacobians.checking.by_direction import DirectionsCheck
from jacobians.checking.check import check_gradient, check_jacobian
from jacobians.checking.hessians import check_hessian
from jacobians.checking.numerical import directional_derivative
from jacobians.checking.report import GradientCheck, ParameterCheck

__all__ = [
    "DirectionsCheck",
    "GradientCheck",
    "ParameterCheck",
    "check_gradient",
    "check_hessian",
    "check_jacobian",
    "directional_derivative",
]
