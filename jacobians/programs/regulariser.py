"""Where loss and gradient disagree about the regulariser alone: both coefficients, and which entries each has."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from jacobians.programs import naming
from jacobians.programs.lines import ratio_of
from jacobians.programs.recording import reals, scalar
from jacobians.programs.reference import agreed, both, derivative
from jacobians.programs.study import Study, agrees_along, differs, fitted, judge, slopes_along


def strengths_of(study: Study) -> dict[int, float]:
    """Return the regulariser's strengths, by the events at which they have their value."""
    return {
        e.index: held for e in study.run.events
        if e.kind in ("assign", "argument", "input") and naming.is_regulariser(e.key) and e.key != "C"
        and (held := scalar(e.copy))
    }  # fmt: skip


def without(study: Study) -> dict[int, Any]:
    """Return the changes under which the regulariser has no strength."""
    return both(study.base, {index: (lambda value: value * 0.0) for index in strengths_of(study)})


def disagreements(study: Study, wrong: Sequence[int]) -> Iterator[tuple[int, str]]:
    """Yield gradients that are right but for the regulariser: their places, and what is wrong.

    A gradient that is right at a strength of 0, and wrong at another, is wrong in its regulariser alone. Where the
    strength has no name, a difference that is a multiple of the parameter says the same.
    """
    strengths = strengths_of(study)
    strength = next(iter(strengths.values()), 0.0)
    plain = run_without(study) if strengths else None
    for place in wrong:
        claim, true = study.claims[place], study.true[place]
        given, wanted = fitted(claim.sign * np.asarray(claim.value, dtype=float), true.value)
        if given is None:
            continue
        parameter = np.asarray(study.values[claim.origin.key], dtype=float).reshape(wanted.shape)
        if plain is None:
            words = _unnamed(claim.parameter, given, wanted, parameter)
        else:
            words = _named(study, plain, place, strength)
        if words:
            yield place, words


def _named(study: Study, plain: Study, place: int, strength: float) -> str:
    """What is wrong with a gradient that is right without its regulariser, with both coefficients."""
    claim, true = study.claims[place], study.true[place]
    if not agrees_along(plain, plain.claims[place]):
        return ""
    at_zero = claim.sign * np.asarray(plain.claims[place].value, dtype=float)
    where = study.subject, study.loss, claim.origin, plain.base, study.values
    given, _ = fitted(at_zero, true.value)
    exact = None if given is None else agreed(*where, given)
    if exact is None:
        exact = derivative(*where, max(np.size(true.value), 1))
    if differs(at_zero, exact):
        return ""
    whole, wanted = fitted(claim.sign * np.asarray(claim.value, dtype=float), true.value)
    none, slope = fitted(at_zero, exact.value)
    parameter = np.asarray(study.values[claim.origin.key], dtype=float).reshape(wanted.shape)
    of_loss, of_gradient = wanted - slope, whole - none
    known = np.isfinite(of_loss)
    if np.abs(of_loss[known] - of_gradient[known]).max(initial=0.0) <= 1e-9:
        return ""
    n = study.subject.guess.examples
    name = claim.parameter
    said = [_said(part, parameter, known, strength, n, name) for part in (of_loss, of_gradient)]
    return (
        "loss and gradient disagree about the regulariser: "
        f"the loss's derivative has {said[0]}, the gradient has {said[1]}"
        + (f" (N is {n})" if any("N" in words for words in said) else "")
    )


def _said(part: Any, parameter: Any, known: Any, strength: float, n: int, name: str) -> str:
    """A regulariser's term in words: ``2 λ/N times W``, and where it is not."""
    size = float(np.abs(part[known]).max(initial=0.0))
    held = known & (np.abs(part) > 1e-7 * max(size, 1e-9))
    if size <= 1e-9 or not held.any():
        return f"none for {name}"
    ratios = part[held] / np.where(parameter[held] == 0.0, np.nan, parameter[held])
    where = _where(held | ~known)
    if np.isfinite(ratios).all() and np.ptp(ratios) <= 1e-5 * np.abs(ratios).max():
        return f"{_times(float(ratios.mean()) / strength, n)} times {name}{where}"
    signs = part[held] / np.sign(parameter[held])
    if np.isfinite(signs).all() and np.ptp(signs) <= 1e-5 * np.abs(signs).max():
        return f"{_times(float(signs.mean()) / strength, n)} times the sign of {name}{where}"
    return f"λ times something that is no multiple of {name}{where}"


def _where(held: Any) -> str:
    """Which entries are left out: the first row or column, as that of the biases in a matrix."""
    if held.all():
        return ""
    if held.ndim == 1 or 1 in held.shape:
        flat = held.ravel()
        return " but for its first entry" if flat[1:].all() else " in some of its entries alone"
    if held[:, 1:].all() and not held[:, 0].any():
        return " but for its first column"
    if held[1:].all() and not held[0].any():
        return " but for its first row"
    return " in some of its entries alone"


def _times(coefficient: float, n: int) -> str:
    """A coefficient of the strength as a text: ``λ``, ``2 λ``, ``λ/N``."""
    for over, after in ((1.0, ""), (float(n), "/N")):
        value = coefficient * over
        for k in (1, 2, 3, 4):
            if abs(value * k - round(value * k)) < 1e-5 * k and round(value * k) and abs(value) < 20:
                front = "" if abs(value - 1) < 1e-5 else "-" if abs(value + 1) < 1e-5 else f"{value:.4g} "
                return f"{front}λ{after}"
    return f"{coefficient:.4g} λ"


def _unnamed(name: str, given: Any, wanted: Any, parameter: Any) -> str:
    """The same for a strength without a name: the difference is a multiple of the parameter, or of a part of it."""
    known = np.isfinite(wanted)
    gap = np.where(known, given - wanted, 0.0)
    held = np.abs(gap) > 1e-6 * max(float(np.abs(wanted[known]).max(initial=0.0)), 1e-9)
    if held.sum() < 2 or ratio_of(given[known], wanted[known]) is not None:
        return ""
    ratios = gap[held] / np.where(parameter[held] == 0.0, np.nan, parameter[held])
    if not np.isfinite(ratios).all() or np.ptp(ratios) > 1e-5 * np.abs(ratios).max():
        return ""
    times = float(ratios.mean())
    what = f"{name}{_where(held | ~known)}" if abs(abs(times) - 1.0) < 1e-5 else f"{abs(times):.4g} times {name}"
    has, lacks = ("the gradient", "the loss's derivative")[:: 1 if times > 0 else -1]
    return f"loss and gradient disagree about the regulariser: {has} has {what} more than {lacks}"


def ratio_without(study: Study) -> float | None:
    """Return the factor of all gradients to the derivatives without the regulariser; None if there is no one factor."""
    if not strengths_of(study):
        return None
    plain = run_without(study)
    if plain is None:
        return None
    found: list[float] = []
    for claim in plain.claims:
        for direction, slope in slopes_along(plain, claim, plain.base, 2):
            given, _ = fitted(claim.value, direction)
            if given is None or slope == 0.0:
                return None
            found.append(claim.sign * float(np.sum(given * direction)) / slope)
    first = found[0]
    return first if first and all(abs(r / first - 1.0) < 1e-5 for r in found) else None


def study_without(study: Study) -> Study | None:
    """Return the same at a strength of 0, judged; None where the program then takes another way."""
    made = run_without(study)
    if made is not None:
        judge(made)
    return made


def run_without(study: Study) -> Study | None:
    """Return the same at a strength of 0, not judged; None where the program then takes another way."""
    base = without(study)
    run, _ = study.subject.run(base)
    claims = []
    for claim in study.claims:
        if claim.event.index >= len(run.events) or run.events[claim.event.index].key != claim.event.key:
            return None
        event = run.events[claim.event.index]
        claims.append(replace(claim, event=event, value=event.copy))
    made = Study(study.subject, run, claims, study.loss, base, study.values)
    made.bad = study.bad
    return made


def lines_of(study: Study, place: int) -> tuple[int, int]:
    """Return the line of a gradient that disagrees about the regulariser, and the loss's.

    Of a gradient that is put together from parts, the line is that of the part in which the difference lies.
    """
    claim, true = study.claims[place], study.true[place]
    line, name = _line_of_gradient(study, place), claim.parameter
    given, wanted = fitted(claim.sign * np.asarray(claim.value, dtype=float), true.value)
    if given is not None and given.ndim and 1 in (given.ndim, *given.shape):
        far = np.flatnonzero(np.abs(given - wanted).ravel() > 1e-6 * np.nanmax(np.abs(wanted)))
        smallest = given.size
        for event in reals(study.run.events[: claim.event.index]):
            part = np.asarray(event.copy)
            if 1 < part.size < smallest and event.kind in ("assign", "write") and far.size:
                for order in ("C", "F"):
                    start = _offset(np.asarray(claim.value).ravel(), part.ravel(order=order), far[0])
                    if start is not None and start <= far[0] and far[-1] < start + part.size:
                        line, smallest = event.line, part.size
                        name = next(iter(naming.parameters_of(event.key)), name)
    return line, _line_of_loss(study, line, name)


def _line_of_gradient(study: Study, place: int) -> int:
    """The line that gives a gradient its regulariser, of several: one that names the strength, or the parameter."""
    claim = study.claims[place]
    names = {name for e in study.run.events if naming.is_regulariser(e.key) for name in (e.key, e.shown)}
    stores = (e for e in study.run.events if e.shown == claim.event.shown and e.function == claim.event.function)
    lines = [e.line for e in stores if e.kind in ("assign", "write") and e.index <= claim.event.index]
    for wanted in (names, {claim.parameter, claim.parameter.rpartition(".")[2]}):
        named = [line for line in lines if _names(study.subject.source.line(line), wanted)]
        if named:
            return claim.line if claim.line in named else named[0]
    return claim.line


def _offset(whole: Any, part: Any, within: int) -> int | None:
    """Where a part lies in a vector, around one of its entries."""
    for start in range(max(within - part.size + 1, 0), min(within, whole.size - part.size) + 1):
        if np.array_equal(whole[start : start + part.size], part):
            return start
    return None


def _line_of_loss(study: Study, other: int, name: str) -> int:
    """The line of the loss that names the regulariser's strength, and if there is one, the parameter."""
    strengths = {e.key for e in study.run.events if naming.is_regulariser(e.key)}
    strengths |= {e.shown for e in study.run.events if naming.is_regulariser(e.key)}
    found: list[tuple[bool, int]] = []
    for line, text in enumerate(study.subject.source.lines, 1):
        code = text.split("#")[0].split("%")[0]
        squares = re.search(r"(?i)\*\*\s*2|\^\s*2|square|\*\s*np\.sum|sum\(|norm|loss|cost|J|pow", code) is not None
        if line == other or not squares or "def " in code or "function" in code or not _names(code, strengths):
            continue
        found.append((not _names(code, {name}), line))
    named = [e.line for e in study.run.events if e.key == study.loss.name and e.kind in ("assign", "write")]
    return min(found, default=(True, (named or [study.loss.line])[-1]))[1]


def _names(code: str, names: set[str]) -> bool:
    return any(re.search(rf"(?<![\w.]){re.escape(n)}(?!\w)", code) for n in names)
