"""The outcome of a check: a verdict, the reasons, and for every parameter the entry that is worst."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

from jacobians.arrays import Shape
from jacobians.checking.directions import DirectionsCheck
from jacobians.checking.outcome_text import as_html, as_text

__all__ = ["GradientCheck", "ParameterCheck", "Verdict"]

Verdict: TypeAlias = Literal["pass", "fail", "inconclusive"]


@dataclass(frozen=True)
class ParameterCheck:
    """What was found of one parameter.

    Attributes
    ----------
    name, shape
        Of the parameter.
    verdict : {"pass", "fail", "inconclusive"}
    checked : int
        Entries compared one by one.
    wrong, kinks : int
        Entries confirmed wrong; entries at which the function has a kink.
    suspects : int
        Entries that differ at first sight and were not examined, since enough wrong ones were found.
    index : tuple of int or None
        The worst entry: that whose difference is largest against its tolerance.
    output : tuple of int
        The output that it belongs to; () for a gradient.
    given, expected : float
        The caller's value there, and the reference; at a kink the nearest value that is right.
    tolerance : float
        What the reference leaves open there.
    smallest : float
        The smallest error that would have been seen in every entry compared; along directions, in the norm.
    """

    name: str
    shape: Shape
    verdict: Verdict
    checked: int
    wrong: int
    kinks: int
    suspects: int
    index: tuple[int, ...] | None
    output: tuple[int, ...]
    given: float
    expected: float
    tolerance: float
    smallest: float

    @property
    def difference(self) -> float:
        """The absolute difference at the worst entry."""
        return abs(self.given - self.expected)


@dataclass(frozen=True, eq=False)
class GradientCheck:
    """The outcome of `check_gradient` or `check_jacobian`.

    It is true only if the verdict is "pass", so ``assert check_gradient(…)`` refuses what is inconclusive too.

    Attributes
    ----------
    verdict : {"pass", "fail", "inconclusive"}
    reasons : tuple of str
        Why it is not a pass; empty for a pass.
    notes : tuple of str
        What is worth knowing and no fault.
    parameters : tuple of ParameterCheck
        Empty if nothing could be compared.
    along : DirectionsCheck or None
        The comparison along random directions.
    evaluations, derivative_evaluations : int
        Calls of the function and of its derivative.
    seconds : float

    Examples
    --------
    >>> from jacobians.checking import check_gradient
    >>> import numpy as np
    >>> check = check_gradient(lambda x: float(x @ x), lambda x: 2 * x, np.arange(3.0))
    >>> check.verdict, bool(check), check.reasons
    ('pass', True, ())
    """

    verdict: Verdict
    reasons: tuple[str, ...]
    notes: tuple[str, ...]
    parameters: tuple[ParameterCheck, ...]
    along: DirectionsCheck | None
    evaluations: int
    derivative_evaluations: int
    seconds: float

    def __bool__(self) -> bool:
        return self.verdict == "pass"

    @property
    def worst(self) -> ParameterCheck | None:
        """The parameter whose difference is largest against its tolerance."""
        compared = [p for p in self.parameters if p.index is not None]
        return max(compared, key=lambda p: p.difference / p.tolerance if p.tolerance else 0.0, default=None)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain numbers, strings and lists, ready for JSON."""
        found = asdict(self)
        for parameter, own in zip(found["parameters"], self.parameters, strict=True):
            parameter["difference"] = own.difference
        return found

    def __str__(self) -> str:
        return as_text(self)

    def __repr__(self) -> str:
        return f"<GradientCheck: {self.verdict}{': ' + self.reasons[0] if self.reasons else ''}>"

    def _repr_html_(self) -> str:
        return as_html(self)
