"""Functions of a matrix in formulas: expm, logm and sqrtm by name, and their derivatives in a direction.

Each is plain NumPy and SciPy, since a printed program carries its source.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jacobians.arrays import Array, Shape
from jacobians.linops import Jacobian
from jacobians.symbols.expressions import Call, Expr
from jacobians.symbols.named_functions import Function

__all__ = ["ALONG", "MATRIX_EXPONENTIAL", "MATRIX_LOGARITHM", "MATRIX_ROOT", "SYLVESTER", "InDirection"]


def matrix_exponential(A: Array) -> Array:
    from scipy.linalg import expm

    return np.asarray(expm(A))


def matrix_logarithm(A: Array) -> Array:
    from scipy.linalg import logm

    return np.real(logm(A))


def matrix_root(A: Array) -> Array:
    from scipy.linalg import sqrtm

    return np.real(sqrtm(A))


def expm_frechet(A: Array, E: Array) -> Array:
    from scipy.linalg import expm_frechet

    return np.asarray(expm_frechet(A, E, compute_expm=False))


def logm_frechet(A: Array, E: Array) -> Array:
    from scipy.linalg import logm

    n = len(A)
    return np.real(logm(np.block([[A, E], [np.zeros((n, n)), A]])))[:n, n:]


def sylvester(A: Array, B: Array, C: Array) -> Array:
    from scipy.linalg import solve_sylvester

    return np.asarray(solve_sylvester(A, B, C))


MATRIX_EXPONENTIAL = Function("expm", "expm", matrix_exponential)
MATRIX_LOGARITHM = Function("logm", "logm", matrix_logarithm)
MATRIX_ROOT = Function("sqrtm", "sqrtm", matrix_root)
SYLVESTER = Function("sylvester", "sylvester", sylvester)
"""sylvester(A, B, C) is the X with A X + X B = C."""
ALONG = {
    MATRIX_EXPONENTIAL.name: Function("expm_frechet", "dexpm", expm_frechet),
    MATRIX_LOGARITHM.name: Function("logm_frechet", "dlogm", logm_frechet),
}
"""By a function's name, its derivative at A in the direction E: L(A, E), as SciPy calls it."""


class InDirection(Jacobian):
    """E ↦ f(A, …, E), linear in E, of square matrices; its transpose is that of the transposed matrices.

    Parameters
    ----------
    function : Function
    *matrices : Expr
    shape : tuple of int, optional
        Of E; that of A, unless given.
    """

    __slots__ = ("function", "matrices")

    def __init__(self, function: Function, *matrices: Any, shape: Shape | None = None) -> None:
        shape = matrices[0].shape if shape is None else shape
        super().__init__(shape, shape, Expr.dtype)
        self.function, self.matrices = function, matrices

    def _jvp(self, tangent: Any) -> Any:
        return Call(self.function, (*self.matrices, tangent), self.codomain)

    def _vjp(self, cotangent: Any) -> Any:
        return self._transpose()._jvp(cotangent)

    def _transpose(self) -> InDirection:
        return InDirection(self.function, *(matrix.T for matrix in self.matrices), shape=self.domain)

    @property
    def structure(self) -> str:
        return f"InDirection({self.function.name})"

    @property
    def flops(self) -> int:
        return 0

    @property
    def arrays(self) -> Any:
        return self.matrices
