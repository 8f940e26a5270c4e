"""A function around one point: its values along lines through x, its scale and its noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from jacobians.arrays import Array
from jacobians.checking.calls import CallFailedError, Calls
from jacobians.checking.trees import Tree

__all__ = ["Probe", "Way"]


@dataclass(frozen=True, eq=False)
class Way:
    """A line through x: along one entry, or along a direction over all of them.

    Attributes
    ----------
    unit : float
        The length that counts as one along this line: steps are multiples of it.
    entry : int or None
        The entry of the packed vector, for a coordinate.
    direction : ndarray or None
        For a direction.
    """

    unit: float
    entry: int | None = None
    direction: Array | None = None


class Probe:
    """The caller's function of the packed argument, around one point.

    Parameters
    ----------
    fun : Calls
    tree : Tree
    x : ndarray, shape (n,)
        Packed, float64.

    Attributes
    ----------
    value : ndarray, shape (m,)
        The function's value at x, float64.
    eps : float
        The unit of rounding in which the function works: the coarsest of x's and of the value's dtype.
    scale : ndarray, shape (n,)
        What counts as a change of one for each entry: its own size, or its array's root mean square, or 1.
    flat : ndarray of bool, shape (m,)
        Whether it did not change at all where its noise was measured.
    noise : ndarray, shape (m,)
        The error with which the function is evaluated, see `measure_noise`.

    Raises
    ------
    CallFailedError
        If the function raises at x.
    """

    def __init__(self, fun: Calls, tree: Tree, x: Array) -> None:
        self._fun, self._tree, self.x = fun, tree, x
        given = np.asarray(fun(tree.rebuild(tree.arrays(x))))
        self.eps = tree.resolution
        if given.dtype.kind == "f" and given.size:
            self.eps = max(self.eps, float(np.finfo(given.dtype).eps))
        self.shape = given.shape
        self.value = given.astype(np.float64).ravel()
        self.scale = _scale(tree, x)
        self.flat = np.zeros(self.value.shape, bool)
        self.noise = np.maximum(self.eps * np.abs(self.value), np.finfo(np.float64).tiny)

    def at(self, flat: Array) -> Array:
        """Return the function's value at a packed point, NaN where it raises or changes its shape."""
        try:
            found = np.asarray(self._fun(self._tree.rebuild(self._tree.arrays(flat))), dtype=np.float64).ravel()
        except (CallFailedError, TypeError, ValueError):
            return np.full(self.value.shape, np.nan)
        return found if found.shape == self.value.shape else np.full(self.value.shape, np.nan)

    def complex_at(self, flat: Array) -> Any:
        """Return the function's value at a complex packed point, as the function gives it."""
        parts = zip(self._tree.offsets[:-1], self._tree.offsets[1:], self._tree.shapes, strict=True)
        return self._fun(self._tree.rebuild([flat[a:b].reshape(shape).copy() for a, b, shape in parts]))

    def coordinate(self, entry: int) -> Way:
        """Return the line along one entry."""
        return Way(float(self.scale[entry]), entry=entry)

    def towards(self, direction: Array) -> Way:
        """Return the line along a direction that is already in each entry's scale."""
        return Way(1.0, direction=direction)

    def along(self, way: Way, t: float) -> tuple[Array, float]:
        """Return the value at x + t·way, and the step really taken after rounding to the entry's dtype."""
        if way.entry is None:
            assert way.direction is not None
            return self.at(self.x + t * way.direction), t
        flat = self.x.copy()
        moved = float(self._tree.dtypes[self._tree.leaf_of(way.entry)].type(flat[way.entry] + t * way.unit))
        step = moved - flat[way.entry]
        flat[way.entry] = moved
        return self.at(flat), step

    def measure_noise(self, rng: np.random.Generator) -> None:
        r"""Raise `noise` to what the function shows along a random direction, if that is more than its rounding.

        Differences of order k at equal, tiny steps of a smooth function vanish, and those of noise of variance σ² have
        variance :math:`\sigma^2 (2k)!/(k!)^2` (Hamming's table; Moré & Wild 2011, SIAM J. Sci. Comput. 33, ECNoise).
        A function that computes in float32 inside, or that solves something iteratively, is found out so.
        """
        direction = rng.normal(size=self.x.size) * self.scale
        step = 128.0 * self.eps
        while step < 1e-3:
            points = np.stack([self.at(self.x + k * step * direction) for k in range(-3, 4)])
            same = (np.diff(points, axis=0) == 0).sum(axis=0)
            # a staircase is seen only at steps that leave it; a function that does not depend on x stays constant
            if not np.isfinite(points).all() or 2 * np.count_nonzero(same <= 3) >= same.size:
                break
            step *= 256.0
        if not np.isfinite(points).all():
            return
        self.flat = (points == points[0]).all(axis=0)
        variances, ratio, differences = [], 1.0, points
        for k in range(1, 6):
            differences = np.diff(differences, axis=0)
            ratio *= k * k / ((2.0 * k) * (2.0 * k - 1.0))
            if k > 1:
                variances.append(ratio * np.mean(differences**2, axis=0))
        self.noise = np.maximum(self.noise, 2.0 * np.sqrt(np.mean(variances, axis=0)))


def _scale(tree: Tree, x: Array) -> Array:
    scale = np.abs(x)
    for a, b in zip(tree.offsets[:-1], tree.offsets[1:], strict=True):
        if a < b:
            mean = float(np.sqrt(np.mean(scale[a:b] ** 2)))
            scale[a:b] = np.maximum(scale[a:b], mean or 1.0)
    return scale
