"""A derivative that is the same at two points: right for a linear function, and a stale cache for any other."""

from __future__ import annotations

import numpy as np

from jacobians.arrays import Array
from jacobians.checking.calls import CallFailedError, Calls
from jacobians.checking.derivatives import Given
from jacobians.checking.judgement import judge
from jacobians.checking.probe import Probe
from jacobians.checking.trees import Tree

__all__ = ["stale_faults"]


def stale_faults(fun: Calls, given: Given, tree: Tree, elsewhere: Array | None, seed: int) -> list[str]:
    """Return the fault, if any, of a derivative that was found the same to the bit at another point.

    Parameters
    ----------
    fun, given, tree
        The function, its derivative at x, and the argument's structure.
    elsewhere : ndarray or None
        The other point, packed; None where the derivative differs there.
    seed : int
        Of the direction along which it is compared.
    """
    if elsewhere is None or tree.size == 0:
        return []
    try:
        probe = Probe(fun, tree, elsewhere)
    except CallFailedError:
        return []
    if not np.isfinite(probe.value).all():
        return []
    rng = np.random.default_rng(seed)
    probe.measure_noise(rng)
    direction = rng.normal(size=tree.size) * probe.scale
    claimed = given.apply(direction)
    found = judge(probe, probe.towards(direction), claimed, np.abs(claimed), None, given.eps)
    if not (found.wrong & ~found.kink).any():
        return []
    return ["the derivative is the same at two points, and wrong at the second: it comes from a stale cache"]
