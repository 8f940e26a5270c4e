"""`differentiate`: an expression as one writes it, its Jacobian by structure, and its derivative's formula."""

from __future__ import annotations

from jacobians.differentiation.derivative import Derivative
from jacobians.differentiation.differentiate import differentiate

__all__ = ["Derivative", "differentiate"]
