"""How much the derivative changes when x changes in its last digits, as near ties and near singular matrices."""

from __future__ import annotations

import numpy as np

from jacobians.arrays import Array, as_array
from jacobians.checking.derivatives import GivenDerivative

_DIRECTIONS = 3


def close_to(x: Array, eps: float, seed: int) -> Array:
    """Return x with every entry changed by about ε^(2/3) of itself: more than rounding, less than any smooth change."""
    return as_array(x * (1 + eps ** (2 / 3) * np.random.default_rng(seed).normal(size=x.size)))


def conditioning_note(
    here: GivenDerivative, there: GivenDerivative, x: Array, value: Array, *, kinked: bool, seed: int
) -> str | None:
    """Return a note on a derivative that loses a third of its digits to the rounding of x; None for any other.

    It is badly conditioned where its relative change is :math:`ε^{-1/3}` times that of x. The value must be sensitive
    too; otherwise the derivative may only be nearly zero.

    Parameters
    ----------
    here, there : GivenDerivative
        At x, and at `close_to` it.
    x, value : ndarray
        Packed.
    kinked : bool
        Whether entries lie at a kink. Beside one the derivative jumps, whatever its conditioning: then the value has to
        be as sensitive as the derivative.
    seed : int
    """
    eps = here.eps
    bad, rng = eps ** (-1 / 3), np.random.default_rng(seed)
    directions = [x * rng.normal(size=x.size) for _ in range(_DIRECTIONS)]
    along = np.array([here.apply(d) for d in directions])
    change = np.array([there.apply(d) for d in directions]) - along
    size, of_value = float(np.linalg.norm(along)), float(np.linalg.norm(value)) * _DIRECTIONS**0.5
    lost = float(np.linalg.norm(change)) * eps ** (1 / 3)  # by a change of x of one rounding
    if not (np.isfinite(lost) and size) or size < of_value * (bad if kinked else 1) or lost <= size * eps * bad:
        return None
    # beyond a half the whole derivative changes between the two points
    share = f"{'at least ' if lost > size * eps ** (1 / 3) / 2 else ''}{lost / size:.1g}"
    return (
        f"conditioning: a change of x by {eps:.1g} of its size changes the derivative by {share} of its "
        "size, as near two equal eigenvalues or singular values, or near a singular matrix"
    )
