"""How far two gradients lie apart, parameter by parameter, and what a wrong one shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from jacobians.arrays import Array
from jacobians.diagnosis.slip import Gradients

TOLERANCE = 1e-10
"""What rounding may do to a float64 gradient, relative to its norm; orders of magnitude above what it does."""


@dataclass(frozen=True, slots=True)
class ParameterFinding:
    """How one parameter's gradient compares with the right one.

    Attributes
    ----------
    name : str
    error : float
        ‖given − right‖ over the larger of the two norms.
    ratio : float or None
        ‖given‖/‖right‖; None where the right one is 0.
    cosine : float or None
        Of the angle between the two; None where one is 0.
    right : bool
        Whether rounding explains the difference, and it came as it should.
    fits : bool
        Whether rounding explains the difference.
    came : str
        How it came otherwise, such as "transposed"; the numbers are those after it was put right.
    """

    name: str
    error: float
    ratio: float | None
    cosine: float | None
    right: bool
    fits: bool
    came: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as plain numbers and strings."""
        return asdict(self)


class Distances:
    """Distances to one given gradient, each parameter on its own scale.

    Parameters
    ----------
    given, right : dict of ndarray
        float64, of equal shapes. Entries of the given one that are not finite are left out of every comparison.
    tolerance : float
        What counts as equal, for each parameter; the default is for float64.
    floor : float
        The least scale of a parameter, relative to the largest norm.

    Notes
    -----
    A parameter's scale is the larger of both norms, so that errors of small and of large gradients count alike. It is
    not below the floor: a gradient that is 0 up to rounding has no digits to compare.
    """

    def __init__(self, given: Gradients, right: Gradients, tolerance: float = TOLERANCE, floor: float = 1e-10) -> None:
        self.finite = {name: np.isfinite(g) for name, g in given.items()}
        self.given = {name: np.where(self.finite[name], g, right[name]) for name, g in given.items()}
        self.right = right
        self.tolerance = tolerance
        floor = floor * max((_norm(g) for g in right.values()), default=0.0) or 1.0
        self.scales = {name: max(_norm(self.given[name]), _norm(right[name]), floor) for name in right}
        self.start = self.to(right)

    def to(self, candidate: Mapping[str, Array]) -> dict[str, float]:
        """Return the relative distance to a candidate by parameter; inf where it is not finite."""
        found = {}
        for name, scale in self.scales.items():
            distance = _norm((self.given[name] - candidate[name])[self.finite[name]]) / scale
            found[name] = distance if np.isfinite(distance) else np.inf
        return found

    def is_right(self, name: str) -> bool:
        """Whether one parameter's gradient is right."""
        return self.start[name] <= self.tolerance

    @property
    def enough(self) -> float:
        """The relative distance up to which a candidate equals the given gradient: both are rounded."""
        return 10 * self.tolerance

    @property
    def all_right(self) -> bool:
        """Whether every parameter's gradient is right."""
        return all(map(self.is_right, self.start))

    def residual(self, distances: Mapping[str, float]) -> float:
        """Return the share that a candidate leaves unexplained: 0 explains all, 1 explains nothing."""
        before = _total(self.start)
        return _total(distances) / before if before else 0.0

    def explains(self, distances: Mapping[str, float]) -> bool:
        """Whether a candidate equals the given gradient: their difference is small beside the error to explain."""
        # near the right gradient the tolerance must shrink, or every small error would explain every other
        return max(distances.values()) <= self.enough and self.residual(distances) <= 1e-2


def findings(distances: Distances, came: Mapping[str, str] | None = None) -> tuple[ParameterFinding, ...]:
    """Return one finding per parameter; `came` says in which wrong form a parameter's gradient was given."""
    came = came or {}
    found = []
    for name, right in distances.right.items():
        given = distances.given[name]
        a, b = _norm(given), _norm(right)
        found.append(
            ParameterFinding(
                name=name,
                error=distances.start[name],
                ratio=a / b if b else None,
                cosine=float(np.vdot(given, right) / (a * b)) if a and b else None,
                right=distances.is_right(name) and name not in came,
                fits=distances.is_right(name),
                came=came.get(name, ""),
            )
        )
    return tuple(found)


_ROUNDING = 1e-13
"""A residual that depends on the machine: the same formulas, evaluated in another order."""


def remainder(residual: float, of: str = "") -> str:
    """Return in words what a cause leaves of the difference; rounding is no number that one could compare."""
    return f"residual{of} 0, up to rounding" if residual < _ROUNDING else f"residual{of} {residual:.1e}"


def pattern(distances: Distances) -> str:
    """Return which parameters are wrong, and whether they are multiples of the right ones."""
    wrong = [n for n in distances.start if not distances.is_right(n)]
    rest = [n for n in distances.start if distances.is_right(n)]
    ratios = {}
    for name in wrong:
        right, given = distances.right[name].ravel(), distances.given[name].ravel()
        length = float(right @ right)
        ratio = float(given @ right) / length if length else np.nan
        if np.linalg.norm(given - ratio * right) <= distances.enough * distances.scales[name]:
            ratios[name] = ratio
    if len(ratios) == len(wrong) and len({f"{r:.8g}" for r in ratios.values()}) == 1:
        ratio = next(iter(ratios.values()))
        return f"{', '.join(wrong)} {'are' if len(wrong) > 1 else 'is'} {ratio:.10g} times the right one in every entry"
    return f"{', '.join(wrong)} wrong, {', '.join(rest) or 'nothing'} right, as this cause has it"


def _norm(array: Array) -> float:
    return float(np.linalg.norm(array.ravel()))


def _total(distances: Mapping[str, float]) -> float:
    return float(np.sqrt(sum(d * d for d in distances.values())))
