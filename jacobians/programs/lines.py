"""Which line of a backward pass is the first wrong one: each against the derivatives of the arrays of the forward pass.

A line that gives the loss's derivative with respect to an array of the forward pass, up to a constant, is right so far.
The true value is put in the place of what a line gives, each time that it is run: where that makes the gradients right,
the line is one that may have slipped.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from jacobians.programs import naming
from jacobians.programs.adjoints import LARGEST_ADJOINT, put
from jacobians.programs.recording import Event, reals
from jacobians.programs.reference import both
from jacobians.programs.study import Study, adjoint, differs, fitted, followed, runs_for


@dataclass(frozen=True, eq=False)
class Site:
    """A line of the backward pass, with every time that it was run.

    Attributes
    ----------
    line : int
    statement : ast.stmt
    events : tuple of Event
    """

    line: int
    statement: ast.stmt
    events: tuple[Event, ...]

    @property
    def last(self) -> Event:
        return self.events[-1]


@dataclass(frozen=True, eq=False)
class Suspect:
    """A line that makes gradients right where the true values stand in its place.

    Attributes
    ----------
    site : Site
    kind : {"unmatched", "scaled", "taken"}
        Whether what it gives is no derivative, a multiple of the one that is needed, or that of another array.
    named : bool
        Whether its name says whose derivative it is, and it is that of another array.
    mended : tuple of int
        The places of the gradients that become right.
    truths : tuple of mappings of int to ndarray
        True values, by the events in whose place they stand.
    """

    site: Site
    kind: Literal["unmatched", "scaled", "taken"]
    named: bool
    mended: tuple[int, ...]
    truths: tuple[dict[int, Any], ...]


@dataclass(frozen=True, eq=False)
class Look:
    """What was seen of a line: whether it gives a derivative, up to a constant, and whether it may have slipped."""

    site: Site
    matched: bool
    suspect: Suspect | None


_MOST_ENTRIES = 420
"""Entries of all arrays that a line gives, one after the other."""
_MOST_SITES = 90
_MOST_TIMES = 40
"""Times that one line is run, of which the true values are put in its place."""


def backward_sites(study: Study, wrong: Sequence[int], end: int) -> list[Site]:
    """Return the lines whose values reach a wrong gradient and not the loss, in the order in which they are run."""
    last = max(study.claims[i].event.index for i in wrong)
    statements = statements_of(study.subject.source.tree)
    groups: dict[Any, list[Event]] = {}
    for event in reals(study.run.events):
        if event.index <= last and event.kind in ("assign", "write", "update", "return") and event.line in statements:
            key = event.key if event.kind != "return" else "return"
            groups.setdefault((event.line, id(statements[event.line]), key.partition("[")[0], event.kind), []).append(
                event
            )
    found: list[Site] = []
    for (line, *_), events in list(groups.items())[-_MOST_SITES:]:
        before = [e for e in events if e.index < study.loss.index]
        after = [e for e in events if e.index > study.loss.index]
        for part in (before, after):
            part = [e for e in part if not reaches_loss(study, e)]
            kept = list(_reaching(study, wrong, part, last, end)) if part else []
            if kept:
                found.append(Site(line, statements[line], tuple(kept)))
    return sorted(found, key=lambda site: site.events[0].index)


def reaches_loss(study: Study, event: Event) -> bool:
    """Return whether the loss is known to depend on what was stored, without a run."""
    chain = followed(study)
    return event.index < study.loss.index and chain.trusted.get(event.index, False)


def _reaching(study: Study, wrong: Sequence[int], events: list[Event], last: int, end: int) -> Iterator[Event]:
    """Those of a line's events that reach a wrong gradient and not the loss; a helper serves both passes."""
    if study.subject.runs >= end:
        return
    whole = study.loss.value(study.run.events[study.loss.index].copy)
    looked = frozenset([study.loss.index, *(study.claims[i].event.index for i in wrong)])
    changes = {e.index: _disturbed for e in events}
    run, _ = study.subject.run(both(study.base, changes), stop=max(last, study.loss.index), only=looked)
    held = {e.index: e for e in run.events}
    if study.loss.index not in held:
        return
    moved = study.loss.value(held[study.loss.index].copy)
    if moved != whole and np.isfinite(moved):
        if 1 < len(events) <= _MOST_TIMES:
            half = len(events) // 2
            yield from _reaching(study, wrong, events[:half], last, end)
            yield from _reaching(study, wrong, events[half:], last, end)
        return
    for i in wrong:
        event = held.get(study.claims[i].event.index)
        if event is None or not np.array_equal(event.copy, study.claims[i].value):
            yield from events
            return


_MOST_ALONE = 6
"""Times that a line is run which are looked at one by one."""


def may_slip(study: Study, wrong: Sequence[int], statement: ast.stmt) -> bool:
    """Return whether another value of a statement may make wrong gradients right and leave all else as it is."""
    if isinstance(statement, (ast.If, ast.For)):
        return True
    lines = range(statement.lineno, (statement.end_lineno or statement.lineno) + 1)
    events = [
        e for e in reals(study.run.events) if e.line in lines and e.kind in ("assign", "write", "update", "return")
    ]
    alone = [[e] for e in events] if 1 < len(events) <= _MOST_ALONE else []
    return not events or any(_is_apart(study, wrong, some) for some in (events, *alone))


def _is_apart(study: Study, wrong: Sequence[int], events: Sequence[Event]) -> bool:
    """Whether what is stored reaches a wrong gradient, and neither the loss nor a right one."""
    if any(reaches_loss(study, e) for e in events):
        return False
    looked = frozenset([study.loss.index, *(claim.event.index for claim in study.claims)])
    run, _ = study.subject.run(both(study.base, {e.index: _disturbed for e in events}), stop=max(looked), only=looked)
    held = {e.index: e.copy for e in run.events}
    if study.loss.index not in held:
        return False
    before = study.loss.value(study.run.events[study.loss.index].copy)
    if study.loss.value(held[study.loss.index]) != before:
        return False
    moved = [
        event.index not in held or not np.array_equal(held[event.index], event.copy)
        for event in (claim.event for claim in study.claims)
    ]
    kept = (n for n in range(len(moved)) if n not in wrong and n not in study.bad)
    return any(moved[n] for n in wrong) and not any(moved[n] for n in kept)


def _disturbed(value: Any) -> Any:
    return value * 1.37 + 0.11


def _nothing(value: Any) -> Any:
    return value * 0.0


def statements_of(tree: ast.Module) -> dict[int, ast.stmt]:
    """Return the statement that stores or returns a value on each line."""
    found: dict[int, ast.stmt] = {}
    for node in ast.walk(tree):
        if isinstance(node, (ast.Assign, ast.AugAssign, ast.Return, ast.AnnAssign)):
            for line in range(node.lineno, (node.end_lineno or node.lineno) + 1):
                found.setdefault(line, node)
    return found


# --- true values -------------------------------------------------------------------------------------


def look_at(study: Study, wrong: Sequence[int], site: Site, end: int) -> Look:
    """Return whether a line gives a derivative, and which gradients become right with true values in its place."""
    if not any(np.any(e.copy) for e in site.events):
        return Look(site, True, None)  # a sum starts there
    if _of_forward_pass(study, site):
        return Look(site, False, None)  # it is computed or fetched again: perhaps another one is meant
    # a program that goes up hands on the negated derivative
    ascends = all(claim.sign < 0 for claim in study.claims)
    called: list[str] = []
    matched: dict[int, float] = {}
    mending: list[tuple[tuple[int, ...], dict[int, Any], int]] = []
    still = _claims_after(study, {e.index: _nothing for e in site.events})
    for place, (of, truth) in enumerate(_truths(study, wrong, site, end)):
        called.append(of)
        ratio = ratio_of(*_joined(site, truth))
        if ratio is not None:
            matched[place] = ratio
        if study.subject.runs >= end:
            break
        scale = _scale(study, wrong, truth, still)
        if scale is None or (ratio is not None and abs(ratio / scale - 1.0) < 1e-6):
            continue
        scaled = {index: scale * value for index, value in truth.items()}
        right = right_among(study, wrong, _claims_after(study, put(scaled)))
        if right:
            mending.append((right, scaled, place))
    exact = {place for place, ratio in matched.items() if abs(ratio - (-1.0 if ascends else 1.0)) < 1e-6}
    # what is a derivative itself is right: a later line takes it for a multiple
    mending = [one for one in mending if one[2] not in exact]
    most = max((len(right) for right, _, _ in mending), default=0)
    best = [one for one in mending if len(one[0]) == most]
    if not best:
        return Look(site, bool(matched), None)
    known = study.subject.plan.names
    own = site.last.key if naming.is_gradient(site.last.key, known) and "delta" not in site.last.key.lower() else ""
    names = {name.lower() for name in naming.parameters_of(own)}
    needed = {place for _, _, place in best}
    other = [called[place] for place in matched if called[place] and place not in needed]
    in_scale = any(place in needed for place in matched)
    kind: Literal["unmatched", "scaled", "taken"] = "scaled" if in_scale else "taken" if other else "unmatched"
    if kind == "unmatched" and _starts_right(study, site):
        kind = "taken"
    own_array = names & {o.lower() for o in other}
    named = kind == "taken" and bool(names & {called[place].lower() for place in needed}) and not own_array
    if kind == "taken" and own_array and site.last.kind != "write":
        return Look(site, True, None)  # it is what its name says
    return Look(site, bool(matched), Suspect(site, kind, named, best[0][0], tuple(values for _, values, _ in best)))


def _starts_right(study: Study, site: Site) -> bool:
    """Whether a line of a method or a loop gives a derivative when it is run first: what it is given later is wrong."""
    first = site.events[0]
    if len(site.events) < 2 or np.size(first.copy) < 2:
        return False
    given = np.asarray(first.copy, dtype=float).ravel()
    slopes = (adjoint(study, pairs[0][1]) for _, pairs in _partners(study, (first,)))
    return any(slope is not None and ratio_of(given, slope.ravel()) is not None for slope in slopes)


def _of_forward_pass(study: Study, site: Site) -> bool:
    """Whether a line without a gradient's name gives what an array of the forward pass is."""
    last = site.last
    if is_backward_name(last.key) or last.kind in ("update", "return") or np.size(last.copy) < 2:
        return False
    return any(
        e.index < min(last.index, study.loss.index) and e.index not in {o.index for o in site.events}
        and np.shape(e.copy) == np.shape(last.copy) and np.array_equal(e.copy, last.copy)
        for e in reals(study.run.events)
    )  # fmt: skip


def is_backward_name(key: str) -> bool:
    """Return whether a name is that of a gradient, or delta or d3, which are no parameter's."""
    return naming.is_gradient(key) or re.match(r"(?i)delta|d\d+$", key) is not None


def _truths(study: Study, wrong: Sequence[int], site: Site, end: int) -> Iterator[tuple[str, dict[int, Any]]]:
    """What a line may be meant to give, each time: a parameter's derivative, and those of the forward pass's arrays."""
    last = site.last
    layers = _of_layers(study, wrong, site)
    if len(layers) > 1:
        yield "", layers
    for place in wrong:
        claim, true = study.claims[place], study.true[place]
        same = last.key == claim.event.key or last.value is claim.event.value or last.line == claim.line
        shaped = np.shape(last.copy) == np.shape(true.value) and np.ndim(last.copy) > 0
        # the regulariser's part may be added later
        for whole in (true.value, *study.plain[place : place + 1]):
            if (same or shaped) and np.isfinite(whole).all():
                fits = np.size(last.copy) == np.size(whole)
                yield "", {last.index: claim.sign * (whole.reshape(np.shape(last.copy)) if fits else whole)}
    seen: list[tuple[str, Any]] = []
    whole = len(site.events) <= _MOST_TIMES and sum(np.size(e.copy) for e in site.events) <= _MOST_ENTRIES
    # an accumulator has its value after its loop
    ways = [site.events] if whole else []
    ways += [(last,)] if len(site.events) > 1 else []
    for name, pairs in (one for way in ways for one in _partners(study, way)):
        truth: dict[int, Any] = {}
        for event, forward in pairs:
            if study.subject.runs + runs_for(study, forward) > end:
                return
            slope = adjoint(study, forward)
            if slope is None:
                break
            truth[event.index] = slope.reshape(np.shape(event.copy))
        if len(truth) == len(pairs):
            flat = np.concatenate([np.ravel(v) for v in truth.values()])
            alike = [o for o, one in seen if flat.shape == one.shape and np.allclose(flat, one, 1e-6, 0.0)]
            if not alike or (name and name not in alike):
                seen.append((name, flat))
                yield name, truth


def _of_layers(study: Study, wrong: Sequence[int], site: Site) -> dict[int, Any]:
    """The derivatives of several parameters, where a method gives the gradients of one layer after the other."""
    found: dict[int, Any] = {}
    for place in wrong:
        claim, true = study.claims[place], study.true[place]
        for event in site.events:
            if event.value is claim.event.value:
                fits = np.size(event.copy) == np.size(true.value)
                found[event.index] = claim.sign * (true.value.reshape(np.shape(event.copy)) if fits else true.value)
    return found if all(np.isfinite(value).all() for value in found.values()) else {}


_MOST_PARTNERS = 14


def _partners(study: Study, times: Sequence[Event]) -> Iterator[tuple[str, list[tuple[Event, Event]]]]:
    """Arrays of the forward pass with the shapes of what a line gives, one for each time, in order and in reverse."""
    first = study.loss.index
    own = {event.index for event in times}
    claimed = {claim.parameter for claim in study.claims}
    groups: dict[Any, list[Event]] = {}
    shapes = {np.shape(e.copy) for e in times}
    for event in reals(study.run.events):
        if event.index >= first:
            break
        if (
            event.kind in ("assign", "write", "inner") and np.shape(event.copy) in shapes and event.index not in own
            and not (naming.is_parameter(event.key) and {event.key, event.shown} & claimed)
            and np.size(event.copy) <= LARGEST_ADJOINT
        ):  # fmt: skip
            groups.setdefault((event.line, event.key.partition("[")[0], event.kind), []).append(event)
    count = 0
    for (_, name, _), events in (*reversed(groups.items()), *(_over_lines(groups) if len(times) > 1 else ())):
        for reverse, skip in itertools.product((False, True), (0, 1)):
            pairs = _paired(times, events, reverse=reverse, skip=skip)
            if pairs is None or (reverse and len(times) == 1 and len(events) == 1):
                continue
            yield name, pairs
            count += 1
        if count >= _MOST_PARTNERS:
            return


def _over_lines(groups: Mapping[Any, list[Event]]) -> Iterator[tuple[Any, list[Event]]]:
    """What one name holds on several lines: ``out = x`` before ``out = layer.forward(out)`` in a loop over layers."""
    lines: dict[Any, list[list[Event]]] = {}
    for (_, name, kind), events in groups.items():
        lines.setdefault((0, name, kind), []).append(events)
    for key, several in lines.items():
        if len(several) > 1:
            yield key, sorted(itertools.chain(*several), key=lambda event: event.index)


def _paired(
    backward: Sequence[Event], forward: Sequence[Event], *, reverse: bool, skip: int
) -> list[tuple[Event, Event]] | None:
    """Each event of the one with one of the other of its shape; of one shape they follow each other.

    A step of a loop hands its derivative to the step before it: then one end has no partner, the first `skip` of the
    forward events or the last of the backward ones.
    """
    left: dict[tuple[int, ...], list[Event]] = {}
    for event in forward:
        left.setdefault(np.shape(event.copy), []).append(event)
    if len(backward) == 1:
        held = left.get(np.shape(backward[0].copy), [])
        return [(backward[0], held[0 if reverse else -1])] if held and not skip else None
    counts: dict[tuple[int, ...], int] = {}
    for event in backward:
        counts[np.shape(event.copy)] = counts.get(np.shape(event.copy), 0) + 1
    if skip and len(backward) > 2:
        return _paired(backward[:-1], forward[:-1] if reverse else forward[1:], reverse=reverse, skip=0)
    if skip or any(len(left.get(shape, [])) != count for shape, count in counts.items()):
        return None
    ordered = {shape: list(reversed(held)) if reverse else held for shape, held in left.items()}
    taken = dict.fromkeys(counts, 0)
    pairs = []
    for event in backward:
        shape = np.shape(event.copy)
        pairs.append((event, ordered[shape][taken[shape]]))
        taken[shape] += 1
    return pairs


def _joined(site: Site, truth: dict[int, Any]) -> tuple[Any, Any]:
    """What a line gives and what is true, of all times together."""
    given = [np.ravel(np.asarray(e.copy, dtype=float)) for e in site.events if e.index in truth]
    return np.concatenate(given), np.concatenate([np.ravel(v) for v in truth.values()])


def _claims_after(study: Study, changes: dict[int, Any]) -> list[Any]:
    """The gradients of a run with changes; None for one that it does not come to."""
    last = max(claim.event.index for claim in study.claims)
    looked = frozenset(claim.event.index for claim in study.claims)
    run, _ = study.subject.run(both(study.base, changes), stop=last, only=looked)
    held = {e.index: e for e in run.events}
    found = []
    for claim in study.claims:
        event = held.get(claim.event.index)
        found.append(event.copy if event is not None and event.key == claim.event.key else None)
    return found


def right_among(study: Study, wrong: Sequence[int], values: Sequence[Any]) -> tuple[int, ...]:
    """Return the wrong gradients that become right under some changes; none where a right one becomes wrong."""
    right = []
    for place, (claim, true, value) in enumerate(zip(study.claims, study.true, values, strict=True)):
        if value is None:
            return ()
        try:
            good = not differs(claim.sign * np.asarray(value, dtype=float), true)
        except (TypeError, ValueError):
            good = False
        if good and place in wrong:
            right.append(place)
        elif not good and place not in wrong and place not in study.bad:
            return ()
    return tuple(right)


def _scale(study: Study, wrong: Sequence[int], truth: dict[int, Any], still: Sequence[Any]) -> float | None:
    """The constant with which a true value makes most wrong gradients right: they are linear in what a line gives."""
    moved = _claims_after(study, put(truth))
    found: list[float] = []
    for place in wrong:
        claim, true = study.claims[place], study.true[place]
        if moved[place] is None or still[place] is None or np.shape(moved[place]) != np.shape(still[place]):
            continue
        if np.array_equal(moved[place], claim.value):
            continue  # that of another layer, which a line of a method gives as well
        one, wanted = fitted(claim.sign * np.asarray(moved[place], dtype=float), true.value)
        none, _ = fitted(claim.sign * np.asarray(still[place], dtype=float), true.value)
        if one is None or none is None:
            continue
        known = np.isfinite(wanted)
        step, rest = (one - none)[known], (wanted - none)[known]
        size = float(np.sum(step * step))
        if size == 0.0 or not np.isfinite(size):
            continue
        s = float(np.sum(step * rest)) / size
        if s and np.abs(rest - s * step).max() <= 1e-5 * max(np.abs(rest).max(), 1e-12):
            found.append(s)
    if not found:
        return None
    best = max(found, key=lambda s: sum(abs(o / s - 1.0) < 1e-5 for o in found))
    for k in range(1, 61):
        simple = round(best * k) / k
        if simple and abs(best / simple - 1.0) < 1e-6:
            return simple
    return best


def ratio_of(given: Any, wanted: Any) -> float | None:
    """Return the constant by which a gradient is the derivative; None if there is none."""
    size = float(np.sum(wanted * wanted))
    if size == 0.0 or np.size(given) != np.size(wanted):
        return None
    ratio = float(np.sum(given * wanted)) / size
    far = np.abs(given - ratio * wanted).max()
    if abs(ratio) <= 1e-6 or far > 1e-6 * max(np.abs(given).max(), np.abs(ratio * wanted).max()):
        return None
    # one number is a multiple of every other: only a simple one says something
    simple = any(abs(ratio * k - round(ratio * k)) < 1e-6 * k for k in range(1, 31)) and abs(ratio) < 60
    return ratio if np.count_nonzero(wanted) > 1 or simple else None


def is_name(text: str) -> bool:
    """Return whether a text is a name, an attribute or a key of one."""
    return re.fullmatch(r"[A-Za-z_][\w.]*(\['[\w]+'\])?", text) is not None
