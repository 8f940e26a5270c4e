"""The verdict from the protocol's faults and the values' reasons."""

from __future__ import annotations

from collections.abc import Sequence

from jacobians.checking.calls import Calls
from jacobians.checking.directions import DirectionsCheck
from jacobians.checking.outcome import GradientCheck, ParameterCheck, Verdict
from jacobians.checking.protocol import Protocol

__all__ = ["concluded", "failed"]


def failed(parameters: Sequence[ParameterCheck], along: DirectionsCheck | None) -> bool:
    """Return whether a value was found wrong."""
    return any(p.verdict == "fail" for p in parameters) or (along is not None and not along.passed)


def concluded(
    protocol: Protocol,
    fun: Calls,
    derivative: Calls,
    seconds: float,
    parameters: Sequence[ParameterCheck] = (),
    along: DirectionsCheck | None = None,
    reasons: Sequence[str] = (),
) -> GradientCheck:
    """Return the outcome: a fault or a wrong value fails; what could not be compared is inconclusive."""
    wrong = protocol.faults or failed(parameters, along)
    verdict: Verdict = "fail" if wrong else "inconclusive" if reasons else "pass"
    kinks = sum(p.kinks for p in parameters)
    notes = list(protocol.notes)
    if kinks:
        notes.append(
            f"kink: {kinks} entries lie at a kink of the function; any value between the one-sided slopes is right"
        )
    if along is not None and along.unresolved:
        notes.append(f"{along.unresolved} of {along.directions} random directions meet kinks and say nothing")
    return GradientCheck(
        verdict,
        tuple(dict.fromkeys((*protocol.faults, *reasons))),
        tuple(dict.fromkeys(notes)),
        tuple(parameters),
        along,
        fun.count,
        derivative.count,
        seconds,
    )
