"""The comparison of a given derivative with the reference, and the verdict on it: for gradients and Jacobians."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from jacobians.arrays import Shape
from jacobians.checking.complex_step import ComplexStep
from jacobians.checking.derivatives import Given
from jacobians.checking.directions import (
    DirectionsCheck,
    along_directions,
    direction_count,
    localise,
)
from jacobians.checking.entries import EntryCheck
from jacobians.checking.outcome import ParameterCheck, Verdict
from jacobians.checking.probe import Probe
from jacobians.checking.progress import Progress, Reporter
from jacobians.checking.tally import Tally
from jacobians.checking.trees import Tree
from jacobians.errors import DomainError

__all__ = ["ENTRY_LIMIT", "Options", "compare_values"]

ENTRY_LIMIT = 5000
"""More parameters than this are checked along random directions, unless told otherwise."""

_CELLS = 20_000_000
"""More entries of a Jacobian than this are not written out column by column."""

_ALL_REFINED = 100


@dataclass(frozen=True)
class Options:
    """How a check is done; see `check_gradient`."""

    directions: int | None
    failure_probability: float
    protocol: bool
    complex_step: bool
    seed: int
    progress: Progress

    def __post_init__(self) -> None:
        if not 0.0 < self.failure_probability < 1.0:
            raise DomainError(f"check: failure_probability={self.failure_probability} must lie between 0 and 1")
        if self.directions is not None and self.directions < 1:
            raise DomainError(f"check: directions={self.directions} must be at least 1")


def compare_values(
    probe: Probe, given: Given, tree: Tree, options: Options
) -> tuple[list[ParameterCheck], DirectionsCheck | None, list[str]]:
    """Return what was found of every parameter, along directions, and the reasons why it is no pass."""
    rng = np.random.default_rng(options.seed)
    probe.measure_noise(rng)
    arbiter = ComplexStep(probe, rng) if options.complex_step else None
    entries, along = EntryCheck(probe, given, tree, arbiter), None
    n = tree.size
    sampled = options.directions is not None or n > ENTRY_LIMIT or n * probe.value.size > _CELLS
    if sampled or n > _ALL_REFINED:
        count = options.directions or direction_count(options.failure_probability)
        along = along_directions(probe, given, count, options.failure_probability, rng, arbiter, alone=sampled)
    if sampled:
        entries.spots(rng)
        if along is not None and not along.passed:
            _find_wrong(probe, given, tree, entries, rng)
    else:
        reporter = Reporter(options.progress)
        try:
            entries.all_entries(reporter)
        finally:
            reporter.close()
    parameters = _parameters(probe, tree, entries.tallies, along if sampled else None)
    return parameters, along, _reasons(parameters, along, sampled)


def _find_wrong(probe: Probe, given: Given, tree: Tree, entries: EntryCheck, rng: np.random.Generator) -> None:
    for start, stop in zip(tree.offsets[:-1], tree.offsets[1:], strict=True):
        entry = localise(probe, given, start, stop, rng) if stop > start else None
        if entry is not None:
            entries.examine(entry)


def _parameters(probe: Probe, tree: Tree, tallies: list[Tally], along: DirectionsCheck | None) -> list[ParameterCheck]:
    found = []
    scales = [
        float(probe.scale[a:b].max(initial=0.0)) for a, b in zip(tree.offsets[:-1], tree.offsets[1:], strict=True)
    ]
    whole = max((float(t.size.max(initial=0.0)) * s for t, s in zip(tallies, scales, strict=True)), default=0.0)
    for leaf, (tally, scale) in enumerate(zip(tallies, scales, strict=True)):
        worst, index = tally.worst, None
        output: Shape = ()
        given = expected = tolerance = math.nan
        if worst is not None:
            index = tree.place(worst.entry)[1]
            output = _place(worst.output, probe.shape)
            given, expected, tolerance = worst.given, worst.value, worst.tolerance
        a, b = tree.offsets[leaf : leaf + 2]
        smallest = tally.smallest
        if along is not None and a < b:
            smallest = along.smallest / float(probe.scale[a:b].min())
        found.append(
            ParameterCheck(
                tree.names[leaf],
                tree.shapes[leaf],
                _verdict(probe, tally, scale, whole),
                tally.checked,
                tally.wrong,
                tally.kinks,
                tally.suspects,
                index,
                output,
                given,
                expected,
                tolerance,
                smallest,
            )
        )
    return found


def _place(output: int, shape: Shape) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(output, shape)) if shape else ()


def _verdict(probe: Probe, tally: Tally, scale: float, whole: float) -> Verdict:
    if tally.wrong:
        return "fail"
    if tally.unseen:
        return "inconclusive"
    size = float(tally.size.max(initial=0.0))
    # what changes the function by a few units of rounding at most is zero to it, and so is a derivative of zero
    dust = 16.0 * probe.eps * max(float(np.abs(probe.value).max(initial=0.0)), whole)
    if size * scale <= dust or tally.smallest * scale <= 1e-6 * whole:
        return "pass"
    return "inconclusive" if tally.smallest > 0.1 * size and tally.coarsest > 0.1 else "pass"


def _reasons(parameters: list[ParameterCheck], along: DirectionsCheck | None, sampled: bool) -> list[str]:
    reasons = []
    for p in parameters:
        where = f"{p.name}[{', '.join(map(str, p.index))}]" if p.index else p.name
        if p.output:
            where = f"output {p.output} by {where}"
        if p.verdict == "fail":
            more = f"; {p.wrong + p.suspects} of {p.checked} entries differ" if p.wrong + p.suspects > 1 else ""
            kink = " (the nearest slope at a kink)" if p.kinks == p.wrong else ""
            reasons.append(
                f"{where} is {p.given:.10g}, the reference {p.expected:.10g}{kink}: they differ by "
                f"{p.difference:.2g}, allowed {p.tolerance:.2g}{more}"
            )
        elif p.verdict == "inconclusive":
            reasons.append(
                f"{p.name}: errors below {p.smallest:.1g} cannot be seen: the function is too noisy, jumps, or is not "
                "defined on both sides of x"
            )
    if along is not None and not along.passed:
        reasons.append(
            f"along {along.directions} random directions it is off by {along.error:.1e} of its size, "
            f"allowed {along.resolved:.1e}"
        )
    if sampled and along is not None and along.passed:
        if along.unresolved == along.directions:
            reasons.append(
                "every random direction meets kinks or undefined values: check fewer parameters, entry by entry"
            )
        elif along.resolved > 0.1:
            reasons.append(f"along random directions errors below {along.resolved:.1e} of its size cannot be seen")
    return reasons
