"""Numerical directional derivatives with an error estimate, and a gradient's check against them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from jacobians.arrays import Array

__all__ = ["DirectionalCheck", "check_directions", "directional_derivative"]

_STEPS = 10
"""Halvings from 10⁻³ of the argument's size on: near kinks the smallest steps decide, elsewhere the largest."""


def directional_derivative(fun: Callable[[Array], float], x: Array, direction: Array) -> tuple[float, float]:
    """Return the derivative of `fun` at x along a direction, and an estimate of its error.

    Central differences at halved steps, extrapolated to step 0 (Richardson; Ridders 1982, Adv. Eng. Softw. 4); the
    entry of the table whose neighbours differ least is taken. SciPy's `differentiate.derivative` does the same for
    functions that take arrays of points at once; an objective takes one.

    Parameters
    ----------
    fun : callable
    x, direction : ndarray, shape (n,)
        float64; the direction need not have unit length.

    Examples
    --------
    >>> slope, error = directional_derivative(lambda x: float(np.sin(x[0])), np.zeros(1), np.ones(1))
    >>> bool(abs(slope - 1) < 1e-9), bool(error < 1e-9)
    (True, True)
    """
    length = math.sqrt(float(direction @ direction))
    if length == 0.0:
        return 0.0, 0.0
    step = 1e-3 * max(math.sqrt(x.size), math.sqrt(float(x @ x))) / length
    table: list[list[float]] = []
    best, error = math.nan, math.inf
    for i in range(_STEPS):
        ahead, behind = fun(x + step * direction), fun(x - step * direction)
        noise = 4.0 * np.finfo(np.float64).eps * max(abs(ahead), abs(behind)) / step
        row = [(ahead - behind) / (2.0 * step)]
        for k in range(i):
            power = 4.0 ** (k + 1)
            row.append((power * row[k] - table[-1][k]) / (power - 1.0))
            spread = max(abs(row[k + 1] - row[k]), abs(row[k + 1] - table[-1][k])) + noise
            if spread < error:
                best, error = row[k + 1], spread
        table.append(row)
        step /= 2.0
    return best, error


@dataclass(frozen=True, slots=True)
class DirectionalCheck:
    """What a gradient's comparison with numerical directional derivatives gave.

    Attributes
    ----------
    directions : int
    error : float
        The largest difference, relative to the largest derivative.
    resolved : float
        The largest estimated error of the numerical derivatives, on the same scale.
    passed : bool
        Whether every difference lies within ten times its estimate.
    """

    directions: int
    error: float
    resolved: float
    passed: bool


def check_directions(
    fun: Callable[[Array], float], gradient: Array, x: Array, *, directions: int = 6, seed: int = 0
) -> DirectionalCheck:
    """Return how a gradient compares with numerical derivatives of `fun` along Gaussian directions.

    Examples
    --------
    >>> x = np.arange(3.0)
    >>> check_directions(lambda v: float(v @ v), 2 * x, x).passed
    True
    >>> check_directions(lambda v: float(v @ v), 2.001 * x, x).passed
    False
    """
    rng = np.random.default_rng(seed)
    exact, numerical, errors = np.zeros(directions), np.zeros(directions), np.zeros(directions)
    for i in range(directions):
        direction = rng.normal(size=x.size)
        exact[i] = gradient @ direction
        numerical[i], errors[i] = directional_derivative(fun, x, direction)
    scale = float(np.abs(numerical).max(initial=0.0)) or 1.0
    difference = np.abs(exact - numerical)
    return DirectionalCheck(
        directions=directions,
        error=float(difference.max(initial=0.0)) / scale,
        resolved=float(errors.max(initial=0.0)) / scale,
        passed=bool((difference <= 10.0 * errors).all()),
    )
