"""The derivative at another point, called after x: what it keeps from an earlier call shows there, not at x."""

from __future__ import annotations

import numpy as np

from jacobians.checking.calls import CallFailedError, Calls
from jacobians.checking.derivatives import Given
from jacobians.checking.directions import along_directions
from jacobians.checking.probe import Probe
from jacobians.checking.protocol import Protocol
from jacobians.checking.trees import Tree

__all__ = ["stale_faults"]

_DIRECTIONS = 2
_UNUSED = 0.5  # the probability that is stated with a pass, which nobody reads here


def stale_faults(fun: Calls, given: Given | None, tree: Tree, protocol: Protocol, seed: int) -> list[str]:
    """Return the fault, if any, of a derivative that was right at x and is wrong at another point.

    Parameters
    ----------
    fun, given, tree
        The function, its derivative at the other point, and the argument's structure.
    protocol : Protocol
        For the other point, and whether the derivative there is the same to the bit.
    seed : int
        Of the directions along which it is compared.
    """
    if protocol.elsewhere is None or given is None or tree.size == 0:
        return []
    try:
        probe = Probe(fun, tree, protocol.elsewhere)
    except CallFailedError:
        return []
    if not np.isfinite(probe.value).all():
        return []
    rng = np.random.default_rng(seed)
    probe.measure_noise(rng)
    if along_directions(probe, given, _DIRECTIONS, _UNUSED, rng, None).passed:
        return []
    if protocol.unchanged:
        return ["the derivative is the same at two points, and wrong at the second: it comes from a stale cache"]
    return [
        "the derivative is right at x and wrong at another point, called after x: it keeps something from an earlier "
        "call, or is right at x by chance"
    ]
