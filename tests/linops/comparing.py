"""What the laws are written with: random arrays, comparison up to rounding, and the twin's own views and images."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from jacobians.linops import Denominator, Jacobian
from tests.linops.dense_twins import reordered


def draw(*shape: int, dtype: Any = np.float64, seed: int = 1) -> np.ndarray:
    return np.asarray(np.random.default_rng(seed).standard_normal(shape).astype(dtype))


def same(actual: Any, expected: Any, dtype: Any = None, what: str = "values") -> None:
    """Assert equal shapes, and values up to the rounding of `dtype` (of `actual` unless given)."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape, f"{what}: shape {actual.shape}, expected {expected.shape}"
    scale = np.abs(expected).max(initial=1.0)
    slack = 400 * np.finfo(np.dtype(dtype or actual.dtype)).eps * scale
    error = np.abs(actual - expected).max(initial=0.0)
    assert error <= slack, f"{what}: off by {error:.3g}, allowed {slack:.3g}"


def matrix_of(operator: Jacobian, twin: np.ndarray, order: str | None = None) -> np.ndarray:
    """The twin, which is in C order, as the operator's views must show it in this order."""
    if isinstance(operator, Denominator):
        return reordered(twin.T, operator.codomain, operator.domain, order).T
    return reordered(twin, operator.codomain, operator.domain, order)


def images(operator: Jacobian, twin: np.ndarray, given: np.ndarray, *, back: bool = False) -> np.ndarray:
    """The twin applied to a stack of tangents, or of cotangents."""
    into, out = operator.domain, operator.codomain
    if back:
        twin, into, out = twin.T, out, into
    stack = given.shape[: given.ndim - len(into)]
    return np.asarray((given.reshape(math.prod(stack), math.prod(into)) @ twin.T).reshape(stack + out))
