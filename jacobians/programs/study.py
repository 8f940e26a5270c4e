"""A subject with its gradients and its loss: each gradient against the slopes and the derivative of the loss."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jacobians.programs.adjoints import Chain, chain_of, gradient_of, slope_of
from jacobians.programs.data import random_of
from jacobians.programs.gradients import Claim
from jacobians.programs.loss import Loss
from jacobians.programs.recording import Event, Run
from jacobians.programs.reference import Changes, Derivative, agreed, agreed_together, both, derivative, loss_at
from jacobians.programs.subject import Subject, Tables
from jacobians.programs.values import Limits

_NEAR = 3e-6
"""A difference by the largest entry that is rounding, or an epsilon within a logarithm, and no slip."""
_STEPS = 500_000
"""About how many steps the derivatives of one subject may take; where one run is long, fewer entries are looked at."""


@dataclass(eq=False)
class Study:
    """A subject that ran, its gradients, its loss, and what they were at the random parameters.

    Attributes
    ----------
    subject : Subject
    run : Run
        With updates that leave the parameters as they are.
    claims : list of Claim
    loss : Loss
    base : mapping
        The changes that put random numbers in the place of parameters that start at zero.
    values : dict
        The parameters' values, by their origins.
    true : list of Derivative
        Of each claim; empty before it was judged.
    plain : list of ndarray
        The same without the regulariser; empty where there is none, and where nobody asked.
    adjoints : dict
        The loss's derivative with respect to arrays of the forward pass, by events.
    chain : Chain or None
        What the chain rule gave of all of them; None before anybody asked.
    bad : frozenset of int
        The places of the gradients that were judged wrong.
    """

    subject: Subject
    run: Run
    claims: list[Claim]
    loss: Loss
    base: Changes
    values: dict[Any, Any]
    true: list[Derivative] = field(default_factory=list)
    plain: list[Any] = field(default_factory=list)
    adjoints: dict[int, Any] = field(default_factory=dict)
    chain: Chain | None = None
    bad: frozenset[int] = frozenset()
    settings: Settings | None = None

    @property
    def steps(self) -> int:
        """Steps of the evaluator in one run."""
        return self.subject.steps


def differs(given: Any, true: Derivative) -> bool:
    """Return whether a gradient is not the derivative, beyond what rounding and the reference's error explain."""
    claimed, wanted = fitted(given, true.value)
    if claimed is None:
        return True
    known = np.isfinite(wanted)
    if not np.isfinite(claimed[known]).all():
        return True
    size = float(np.abs(wanted[known]).max(initial=0.0))
    tolerance = np.where(np.isfinite(true.tolerance), true.tolerance, np.inf)
    far = np.abs(claimed - wanted) > tolerance + _NEAR * size + 1e-12
    return bool(far[known].any())


def fitted(given: Any, wanted: Any) -> tuple[Any, Any]:
    """Return a gradient in the derivative's shape, where only axes of length 1 differ; None in another shape."""
    given, wanted = np.asarray(given, dtype=float), np.asarray(wanted, dtype=float)
    if given.shape == wanted.shape:
        return given, wanted
    if given.size == wanted.size and given.ndim <= 1 and wanted.ndim == 2 and wanted.shape[0] == 1:
        # what an update adds to the parameter: (H,) to (1, H) is no other shape, (H,) to (H, 1) is
        return given.reshape(wanted.shape), wanted
    if given.size == wanted.size == 1 or (given.size == wanted.size and given.shape == (1, *wanted.shape)):
        return given.reshape(wanted.shape), wanted
    return None, wanted


@dataclass(frozen=True, eq=False)
class Settings:
    """What a caller may choose.

    Attributes
    ----------
    loss : str or None
    wrt : mapping
    seed : int
    limits : Limits
    seconds : float
        Of the whole audit.
    tables : tuple
    """

    loss: str | None = None
    wrt: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0
    limits: Limits = field(default_factory=Limits)
    seconds: float = 20.0
    tables: tuple[Tables, ...] = ()


def _direction(claim: Claim, values: Mapping[Any, Any], place: int = 0) -> Any:
    return random_of(7 + place, claim.parameter).normal(size=np.shape(values[claim.origin.key]))


def moved_along(claim: Claim, values: Mapping[Any, Any], step: float, place: int = 0) -> dict[int, Any]:
    """Return the change that moves a gradient's parameter along a direction."""
    start = np.asarray(values[claim.origin.key])
    return {claim.origin.index: claim.origin.setter(start + step * _direction(claim, values, place))}


def along(claim: Claim, values: Mapping[Any, Any], slope: float) -> bool:
    """Return whether a gradient agrees with the loss's slope along one random direction."""
    direction = _direction(claim, values)
    given, _ = fitted(claim.value, direction)
    if given is None or not np.isfinite(slope) or slope == 0.0:
        return False
    size = float(np.linalg.norm(given) * np.linalg.norm(direction)) + abs(slope)
    return abs(said(claim, values) - slope) <= 1e-6 * size + 1e-9


def said(claim: Claim, values: Mapping[Any, Any]) -> float:
    """Return the slope along a random direction that a gradient says; NaN where it has another shape."""
    direction = _direction(claim, values)
    given, _ = fitted(claim.value, direction)
    return float("nan") if given is None else claim.sign * float(np.sum(given * direction))


def right_along(study: Study) -> int:
    """Return how many gradients agree with the loss's slope, each along one random direction."""
    return sum(agrees_along(study, claim) for claim in study.claims)


def agrees_along(study: Study, claim: Claim) -> bool:
    """Return whether a gradient agrees with the loss's slope along a random direction."""
    return any(along(claim, study.values, slope) for _, slope in slopes_along(study, claim, study.base, 1))


def slopes_along(study: Study, claim: Claim, base: Changes, count: int) -> Iterator[tuple[Any, float]]:
    """Yield directions of a gradient's parameter, and the loss's slope along each."""
    step = 1e-5
    for place in range(count):
        direction = _direction(claim, study.values, place)
        ends = [
            loss_at(study.subject, study.loss, both(base, moved_along(claim, study.values, sign * step, place)))
            for sign in (1.0, -1.0)
        ]
        yield direction, (ends[0] - ends[1]) / (2.0 * step)


def judge(study: Study) -> None:
    """Fill in the derivative of the loss with respect to every parameter that has a gradient.

    Gradients that agree with the slopes along random directions are right. For the others, what the chain rule gives is
    compared with these slopes, and where that does not agree either, each entry is looked at.
    """
    if study.true:
        return
    claims = list({claim.origin.key: claim for claim in study.claims}.values())
    given = {claim.origin.key: _given(study, claim) for claim in claims}
    guessed: dict[Any, Any] = {}
    done: dict[Any, Derivative] = {}
    for part in _apart(claims):
        done |= _agreed(study, part, given)
    if len(done) < len(claims):
        guessed = {claim.origin.key: _guessed(study, claim, given[claim.origin.key]) for claim in claims}
        for part in _apart([claim for claim in claims if claim.origin.key not in done]):
            done |= _agreed(study, part, guessed)
    # counted in steps of the evaluator, so that what is looked at does not depend on the machine
    most = int(np.clip(_STEPS / (7.0 * max(study.steps, 1) * len(study.claims)), 6, 48))
    for claim in claims:
        key = claim.origin.key
        where = study.subject, study.loss, claim.origin, study.base, study.values
        for guess in (given[key], guessed[key]) if key not in done else ():
            found = None if guess is None or key in done else agreed(*where, guess)
            if found is not None:
                done[key] = found
        if key not in done:
            done[key] = derivative(*where, most)
    study.true.extend(done[claim.origin.key] for claim in study.claims)


def _given(study: Study, claim: Claim) -> Any:
    """A gradient in its parameter's shape; None in another."""
    return fitted(claim.sign * np.asarray(claim.value, dtype=float), study.values[claim.origin.key])[0]


def _guessed(study: Study, claim: Claim, given: Any) -> Any:
    """The gradient itself where the chain rule gives nearly the same, else what that gives."""
    guess = gradient_of(followed(study), claim.origin)
    if guess is None or given is None:
        return guess if given is None else None
    close = np.abs(given - guess).max(initial=0.0) <= _NEAR * np.abs(guess).max(initial=0.0)
    return given if close else guess


def _apart(claims: Sequence[Claim]) -> list[list[Claim]]:
    """Gradients whose parameters can be moved at once, and that of all parameters in one vector."""
    sizes = [int(np.size(claim.origin.value)) for claim in claims]
    for place, size in enumerate(sizes):
        if len(claims) > 2 and size == sum(sizes) - size:
            return [[claim for n, claim in enumerate(claims) if n != place], [claims[place]]]
    return [list(claims)] if claims else []


def _agreed(study: Study, claims: Sequence[Claim], given: Mapping[Any, Any]) -> dict[Any, Derivative]:
    """The derivatives, by the parameters' origins, where slopes say of all gradients at once that they are right."""
    origins = [claim.origin for claim in claims]
    values = [given[origin.key] for origin in origins]
    if any(value is None for value in values):
        return {}
    found = agreed_together(study.subject, study.loss, origins, study.base, study.values, values)
    return {} if found is None else {origin.key: one for origin, one in zip(origins, found, strict=True)}


def wrong_ones(study: Study) -> Iterator[int]:
    """Yield the places of the gradients that are wrong."""
    for place, (claim, true) in enumerate(zip(study.claims, study.true, strict=True)):
        if differs(claim.sign * np.asarray(claim.value, dtype=float), true):
            yield place


def followed(study: Study) -> Chain:
    """Return what the chain rule gives of a study's run."""
    if study.chain is None:
        study.chain = chain_of(study.subject, study.loss, study.base, study.run.events)
    return study.chain


def runs_for(study: Study, event: Event) -> int:
    """Return about how many runs of the program the derivative with respect to what was stored takes."""
    known = event.index in study.adjoints or followed(study).trusted.get(event.index, False)
    return 1 if known else 2 * int(np.size(event.copy))


def adjoint(study: Study, event: Event) -> Any:
    """Return the loss's derivative with respect to what was stored; None where the loss does not depend on it."""
    if event.index not in study.adjoints:
        study.adjoints[event.index] = slope_of(study.subject, study.loss, study.base, followed(study), event)
    return study.adjoints[event.index]
