"""Numerical derivatives that share no code with the library: central differences, entry by entry."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def central(f: Callable[[np.ndarray], np.ndarray | float], x: np.ndarray, step: float = 1e-5) -> np.ndarray:
    """∂f/∂x as an array of shape (*f(x).shape, *x.shape), in float64."""
    x = np.array(x, dtype=np.float64)
    columns = []
    for index in np.ndindex(x.shape):
        ends = []
        for sign in (1, -1):
            moved = x.copy()
            moved[index] += sign * step
            ends.append(np.asarray(f(moved), dtype=np.float64))
        columns.append((ends[0] - ends[1]) / (2 * step))
    shape = np.shape(f(x))
    return np.stack(columns, axis=-1).reshape(shape + x.shape)


def matrix(derivative: np.ndarray, rank: int, order: str, layout: str) -> np.ndarray:
    """The matrix of a derivative whose first `rank` axes are the output's, unrolled in `order`."""
    outputs, inputs = derivative.shape[:rank], derivative.shape[rank:]
    rows, columns = int(np.prod(outputs)), int(np.prod(inputs))
    if order == "F":  # the first index runs fastest: unroll the reversed axes in C order
        axes = (*reversed(range(rank)), *reversed(range(rank, derivative.ndim)))
        derivative = derivative.transpose(axes)
    numerator = derivative.reshape(rows, columns)
    return numerator if layout == "numerator" else numerator.T
