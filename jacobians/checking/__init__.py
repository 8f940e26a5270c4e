"""Reference derivatives that share no code with the rules they check; checks, and why a gradient is wrong."""

from jacobians.checking.diagnosis import Cause, Diagnosis, diagnose
from jacobians.checking.directions import DirectionsCheck
from jacobians.checking.gradient import check_gradient
from jacobians.checking.jacobian import check_jacobian
from jacobians.checking.outcome import GradientCheck, ParameterCheck
from jacobians.checking.reference import directional_derivative

__all__ = [
    "Cause",
    "Diagnosis",
    "DirectionsCheck",
    "GradientCheck",
    "ParameterCheck",
    "check_gradient",
    "check_jacobian",
    "diagnose",
    "directional_derivative",
]
