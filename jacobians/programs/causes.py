"""The first wrong line of a backward pass, what slipped in it, and what the line should be."""

from __future__ import annotations

import ast
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from jacobians.programs import naming
from jacobians.programs.edits import Around, Edit, edits_of
from jacobians.programs.judge import Study, differs, fitted
from jacobians.programs.recording import Event, reals, scalar
from jacobians.programs.reference import both


@dataclass(frozen=True, eq=False)
class Cause:
    """Why gradients are wrong.

    Attributes
    ----------
    name : str
        The slip, such as ``bias-summed-over-all``; empty where no slip of the catalogue explains it.
    words : str
        One clause.
    line : int
        The first wrong line; 0 where none could be named.
    should_be : str
        The line as it should be, in the program's own names; empty where it is not known.
    gradients : tuple of int
        The places of the gradients that it explains.
    beside : int
        A line that disagrees with it, where neither alone is to blame; else 0.
    """

    name: str
    words: str
    line: int
    should_be: str
    gradients: tuple[int, ...]
    beside: int = 0


def causes_of(study: Study, wrong: Sequence[int], end: float) -> list[Cause]:
    """Return what explains wrong gradients, each gradient once.

    Parameters
    ----------
    study : Study
        Judged.
    wrong : sequence of int
        The places of the gradients that are wrong.
    end : float
        When to stop, by the monotonic clock.
    """
    found: list[Cause] = []
    left = list(wrong)
    study.bad = frozenset(wrong)
    for how in (_unused, _regulariser, _disagreement):
        for cause in how(study, left):
            found.append(cause)
            left = [i for i in left if i not in cause.gradients]
    while left and time.monotonic() < end:
        cause = _slipped(study, left, end)
        if cause is None:
            break
        found.append(cause)
        left = [i for i in left if i not in cause.gradients]
    for place in left:
        claim = study.claims[place]
        found.append(Cause("", _plainly(study, place), claim.line, "", (place,)))
    return found


def stale(study: Study) -> Iterator[Cause]:
    """Yield gradients that change where updates are made: they read a weight that was moved before."""
    run, _ = study.subject.run(study.base, freeze=False)
    for place, claim in enumerate(study.claims):
        first = next(
            (e.index for e in study.run.events if (e.key, e.line, e.kind) == (claim.event.key, claim.event.line, claim.event.kind)),
            claim.event.index,
        )  # fmt: skip
        if first >= len(run.events) or run.events[first].key != claim.event.key:
            continue
        one, other = np.asarray(run.events[first].copy), np.asarray(study.run.events[first].copy)
        if one.shape != other.shape or one.dtype.kind not in "fiu":
            continue
        size = float(np.abs(other).max(initial=0.0))
        if float(np.abs(one - other).max(initial=0.0)) <= 1e-9 * size + 1e-14:
            continue
        update = [e for e in run.events if e.node is not None and e.index < first]
        named = [e for e in update if _matters(study, e, place, first)] or update
        if not named:
            continue
        line = _reader(study, named[-1].shown, named[-1].key, claim.line, named[-1].line)
        words = f"it reads {named[-1].shown} after {study.subject.source.where(named[-1].line)} has moved it"
        yield Cause("updated-weights", words, line, "", (place,), named[-1].line)


def _matters(study: Study, update: Event, place: int, first: int) -> bool:
    return True


def _reader(study: Study, shown: str, key: str, claim_line: int, update_line: int) -> int:
    """The first line after an update that reads what was updated."""
    lines = study.subject.source.lines
    pattern = re.compile(rf"(?<![\w]){re.escape(key)}(?!\w)")
    for number in range(update_line + 1, claim_line + 1):
        text = lines[number - 1].split("#")[0]
        if pattern.search(text.partition("=")[2] or text):
            return number
    return claim_line


# --- what the numbers say ----------------------------------------------------------------------------


def _difference(study: Study, place: int) -> tuple[Any, Any, Any] | None:
    """A gradient, the derivative and the parameter, in one shape and without what was not looked at."""
    claim, true = study.claims[place], study.true[place]
    given, wanted = fitted(claim.sign * np.asarray(claim.value, dtype=float), true.value)
    if given is None:
        return None
    parameter = np.asarray(study.values[claim.origin.key], dtype=float).reshape(wanted.shape)
    known = np.isfinite(wanted) & np.isfinite(given)
    return given[known], wanted[known], parameter[known]


def _unused(study: Study, wrong: Sequence[int]) -> Iterator[Cause]:
    for place in wrong:
        parts = _difference(study, place)
        if parts is None or parts[1].size == 0:
            continue
        given, wanted, _ = parts
        if np.abs(wanted).max() <= 1e-9 * max(np.abs(given).max(), 1e-12):
            claim = study.claims[place]
            words = f"{claim.parameter} has a gradient, but the loss does not depend on it: it is not used in the forward pass"
            yield Cause("not-used-in-the-forward-pass", words, claim.line, "", (place,))


def ratio_of(given: Any, wanted: Any) -> float | None:
    """Return the constant by which a gradient is the derivative; None if there is none."""
    size = float(np.sum(wanted * wanted))
    if size == 0.0 or wanted.size < 2:
        return None if size == 0.0 else float(given.sum() / wanted.sum())
    ratio = float(np.sum(given * wanted)) / size
    if abs(ratio) > 1e-6 and np.abs(given - ratio * wanted).max() <= 1e-6 * max(
        np.abs(given).max(), np.abs(ratio * wanted).max()
    ):
        return ratio
    return None


def _regulariser(study: Study, wrong: Sequence[int]) -> Iterator[Cause]:
    """A difference that is a multiple of the parameter, or of a part of it, is the regulariser's."""
    if study.subject.strength == 0.0:
        return
    strengths = {
        round(float(v), 12) for e in study.run.events if naming.is_regulariser(e.key) and (v := scalar(e.copy))
    }
    if not strengths:
        return
    found: list[int] = []
    words = ""
    for place in wrong:
        parts = _difference(study, place)
        if parts is None:
            continue
        given, wanted, parameter = parts
        gap = given - wanted
        held = np.abs(gap) > 1e-7 * max(np.abs(wanted).max(initial=0.0), 1e-9)
        if not held.any() or (held.sum() < 2 and parameter.size > 2):
            continue
        ratios = gap[held] / np.where(parameter[held] == 0.0, np.nan, parameter[held])
        if not np.isfinite(ratios).all() or np.ptp(ratios) > 1e-5 * np.abs(ratios).max():
            continue
        if ratio_of(given, wanted) is not None and held.size > 1:
            continue
        coefficient = float(ratios.mean())
        found.append(place)
        strength = min(strengths, key=lambda s: abs(abs(coefficient) - s))
        n = study.subject.guess.examples
        parts_words = f"{coefficient / strength:+.4g} λ" if abs(coefficient) > 0 else ""
        where = "" if held.all() else ", in some of its entries alone"
        words = (
            f"loss and gradient disagree about the regulariser: the gradient has {parts_words} times "
            f"{study.claims[place].parameter} more than the loss's derivative{where} (N is {n})"
        )
    if found:
        claim = study.claims[found[0]]
        line = _regularised_line(study, claim.line)
        yield Cause("regulariser", words, claim.line, "", tuple(found), line)


def _regularised_line(study: Study, other: int) -> int:
    """The line of the loss that names the regulariser's strength."""
    names = {e.key for e in study.run.events if naming.is_regulariser(e.key)}
    for number, text in enumerate(study.subject.source.lines, 1):
        if number != other and any(re.search(rf"(?<!\w){re.escape(n)}(?!\w)", text) for n in names):
            if re.search(r"(?i)\*\*\s*2|square|\*\s*np\.sum|sum\(|norm|loss|cost|J", text) and "def " not in text:
                return number
    return study.loss.line


def _disagreement(study: Study, wrong: Sequence[int]) -> Iterator[Cause]:
    """Every gradient is off by the same 2 or 1/2: the loss's own scale may be what slipped."""
    if len(wrong) < len(study.claims) or study.loss.inferred:
        return
    ratios = []
    for place in wrong:
        parts = _difference(study, place)
        ratios.append(None if parts is None else ratio_of(parts[0], parts[1]))
    if any(r is None for r in ratios):
        return
    first = ratios[0]
    if first is None or any(r is None or abs(r / first - 1.0) > 1e-5 for r in ratios):
        return
    for value, words in ((2.0, "twice"), (0.5, "half")):
        if abs(first / value - 1.0) < 1e-5:
            yield Cause(
                "scale-half",
                f"loss and gradients disagree: every gradient is {words} the loss's derivative",
                _made_at(study),
                "",
                tuple(wrong),
                study.claims[wrong[0]].line,
            )


def _made_at(study: Study) -> int:
    """The line on which the loss gets its factor: that of the first version of it that is a number."""
    line = study.loss.line
    value = scalar(study.run.events[study.loss.index].copy)
    for event in study.run.events[: study.loss.index]:
        if value is not None and event.kind in ("assign", "write") and scalar(event.copy) == value:
            return event.line
    return line


def _plainly(study: Study, place: int) -> str:
    """What is wrong, where no edit of a line mends it."""
    claim, true = study.claims[place], study.true[place]
    parts = _difference(study, place)
    if parts is None:
        return f"its shape is {np.shape(claim.value)}, that of {claim.parameter} is {np.shape(true.value)}"
    given, wanted, _ = parts
    ratio = ratio_of(given, wanted)
    if ratio is not None:
        return f"it is {_number(ratio, study)} times the derivative of the loss"
    square = np.asarray(true.value)
    if square.ndim == 2 and square.shape[0] == square.shape[1]:
        turned = claim.sign * np.asarray(claim.value, dtype=float).T
        if not differs(turned, true):
            return "it is the transpose of the derivative"
    gap = float(np.abs(given - wanted).max() / max(np.abs(wanted).max(), 1e-300))
    return f"it differs from the derivative of the loss by {gap:.2g} of its largest entry"


def _number(ratio: float, study: Study) -> str:
    n, k = study.subject.guess.examples, study.subject.guess.outputs
    names = {-1.0: "-1", 2.0: "2", 0.5: "1/2", float(n): f"N = {n}", 1.0 / n: f"1/N = 1/{n}", float(k): f"K = {k}",
             1.0 / k: f"1/K = 1/{k}", 2.0 * n: f"2N = {2 * n}", 2.0 / n: f"2/N = 2/{n}"}  # fmt: skip
    for value, name in names.items():
        if abs(ratio / value - 1.0) < 1e-5:
            return name
    return f"{ratio:.6g}"


# --- lines -------------------------------------------------------------------------------------------


def _slipped(study: Study, wrong: Sequence[int], end: float) -> Cause | None:
    """The first line whose result has to be replaced for wrong gradients to become right, and its edit.

    The true value is the loss's derivative with respect to an array of the forward pass, or to the parameter. Put in
    the place of what a line before the slip gives, it mends nothing; at the slip and after it, it does.
    """
    lines = list(_backward(study, wrong, end))
    best: tuple[tuple[int, ...], ast.stmt, Event] | None = None
    for line, statement, event in lines:
        if time.monotonic() > end:
            break
        right = _replaced(study, wrong, event, end)
        if right and (best is None or len(right) > len(best[0])):
            best = (right, statement, event)
            if len(right) == len(wrong):
                break
    if best is not None:
        right, statement, event = best
        found = _mended(study, wrong, statement, event, min(end, time.monotonic() + _EDITING))
        if found is not None and len(found[1]) >= len(right):
            edit, right = found
            return Cause(edit.cause, edit.words, event.line, _as_line(study, statement, edit), right)
        words = f"{event.shown} is not the derivative that the lines after it need"
        if any(study.claims[i].event.index == event.index or study.claims[i].line == event.line for i in right):
            words = _plainly(study, right[0])
        return Cause("", words, event.line, "", right)
    return _edited(study, wrong, lines, end)


_EDITING = 4.0
"""Seconds in which an edit of a line is sought that is known to be wrong."""


def _edited(
    study: Study, wrong: Sequence[int], lines: Sequence[tuple[int, ast.stmt, Event]], end: float
) -> Cause | None:
    """The earliest line of the backward pass with an edit that makes wrong gradients right, and as many as any."""
    best: Cause | None = None
    seen: set[int] = set()
    for line, statement, event in lines:
        if time.monotonic() > end:
            break
        if id(statement) in seen:
            continue
        seen.add(id(statement))
        found = _mended(study, wrong, statement, event, end)
        if found is not None and (best is None or len(found[1]) > len(best.gradients)):
            edit, right = found
            best = Cause(edit.cause, edit.words, line, _as_line(study, statement, edit), right)
            if len(right) == len(wrong):
                break
    return best


def _replaced(study: Study, wrong: Sequence[int], event: Event, end: float) -> tuple[int, ...]:
    """The wrong gradients that become right where the true value stands in a line's place."""
    best: tuple[int, ...] = ()
    n = float(study.subject.guess.examples)
    for value, exact in _true_values(study, wrong, event, end):
        for scale in (1.0,) if exact else (1.0, n, 1.0 / n, -1.0, 2.0, 0.5, -n, 2.0 / n):
            if time.monotonic() > end:
                return best
            new = (scale * value).reshape(np.shape(event.copy))
            change = {event.index: (lambda _old, new=new: new.copy() if new.ndim else float(new))}
            run, _ = study.subject.run(both(study.base, change))
            right = _right_after(study, wrong, run.events)
            if len(right) > len(best):
                best = right
                if len(best) == len(wrong):
                    return best
    return best


def _true_values(study: Study, wrong: Sequence[int], event: Event, end: float) -> Iterator[tuple[Any, bool]]:
    """What a line may be meant to give: a parameter's derivative, and those of arrays of the forward pass."""
    size = np.size(event.copy)
    for place in wrong:
        claim, true = study.claims[place], study.true[place]
        if event.key == claim.event.key and np.size(true.value) == size and np.isfinite(true.value).all():
            yield claim.sign * true.value, True
    shape = np.shape(event.copy)
    if size > _LARGEST_ADJOINT:
        return
    forward = [
        e for e in reals(study.run.events)
        if e.index < min(study.loss.index, event.index) and e.kind in ("assign", "write") and np.shape(e.copy) == shape
        and not naming.is_parameter(e.key)
    ]  # fmt: skip
    for other in reversed(forward[-12:]):
        if time.monotonic() > end:
            return
        if other.index not in study.adjoints:
            study.adjoints[other.index] = _adjoint(study, other)
        slope = study.adjoints[other.index]
        if slope is not None:
            yield slope, False


_LARGEST_ADJOINT = 120
"""Entries of an array whose derivative is found entry by entry."""


def _backward(study: Study, wrong: Sequence[int], end: float) -> Iterator[tuple[int, ast.stmt, Event]]:
    """Stores whose values reach a wrong gradient and not the loss, in the order in which they are made."""
    last = max(study.claims[i].event.index for i in wrong)
    statements = _statements(study.subject.source.tree)
    events = [
        e for e in reals(study.run.events)
        if e.index <= last and e.kind in ("assign", "write", "update") and e.line in statements
    ]  # fmt: skip
    whole = study.loss.value(study.run.events[study.loss.index].copy)
    for event in events[-_MOST_STORES:]:
        if time.monotonic() > end:
            return
        run, _ = study.subject.run(both(study.base, {event.index: _disturbed}))
        if len(run.events) <= max(last, study.loss.index):
            continue
        moved = study.loss.value(run.events[study.loss.index].copy)
        if moved != whole and np.isfinite(moved):
            continue
        if any(not np.array_equal(run.events[study.claims[i].event.index].copy, study.claims[i].value) for i in wrong):
            yield event.line, statements[event.line], event


_MOST_STORES = 150


def _disturbed(value: Any) -> Any:
    return value * 1.37 + 0.11


def _right_after(study: Study, wrong: Sequence[int], events: Sequence[Event]) -> tuple[int, ...]:
    """The wrong gradients that are right in another run; none where a right one has become wrong."""
    right = []
    for place, (claim, true) in enumerate(zip(study.claims, study.true, strict=True)):
        if claim.event.index >= len(events) or events[claim.event.index].key != claim.event.key:
            return ()
        value = events[claim.event.index].copy
        try:
            good = not differs(claim.sign * np.asarray(value, dtype=float), true)
        except (TypeError, ValueError):
            good = False
        if good and place in wrong:
            right.append(place)
        elif not good and place not in wrong and place not in study.bad:
            return ()
    return tuple(right)


def _statements(tree: ast.Module) -> dict[int, ast.stmt]:
    found: dict[int, ast.stmt] = {}
    for node in ast.walk(tree):
        if isinstance(node, (ast.Assign, ast.AugAssign, ast.Return, ast.AnnAssign)):
            for line in range(node.lineno, (node.end_lineno or node.lineno) + 1):
                found.setdefault(line, node)
    return found


def _mended(
    study: Study, wrong: Sequence[int], statement: ast.stmt, event: Event, end: float
) -> tuple[Edit, tuple[int, ...]] | None:
    """The edit of a line that makes most wrong gradients right, and none of the right ones wrong."""
    best: tuple[Edit, tuple[int, ...]] | None = None
    for edit in edits_of(statement, _around(study, event)):
        if time.monotonic() > end:
            break
        right = _tried(study, wrong, edit)
        if right and (best is None or len(right) > len(best[1])):
            best = (edit, right)
            if len(right) == len(wrong):
                break
    return best


def _tried(study: Study, wrong: Sequence[int], edit: Edit) -> tuple[int, ...]:
    plan, subject = study.subject.plan, study.subject
    edit.put(edit.new)
    try:
        update = plan.gradients.get(id(edit.old))
        if update is not None:
            subject.plan = replace(plan, gradients={**plan.gradients, id(edit.new): update})
        run, _ = subject.run(study.base)
    finally:
        edit.put(edit.old)
        subject.plan = plan
    return _right_after(study, wrong, run.events)


def _around(study: Study, event: Event) -> Around:
    arrays: dict[str, tuple[int, ...]] = {}
    counts: dict[str, int] = {}
    strengths: list[str] = []
    own = [
        e
        for e in study.run.events
        if e.index < event.index and (e.frame in (event.frame, 0) or e.shown.startswith("self."))
    ]
    inside = event.frame
    for e in own:
        if not _readable(e.shown) or e.kind in ("return", "update"):
            continue
        if e.frame == 0 and inside != 0 and e.kind == "argument":
            continue
        value = e.copy
        if isinstance(value, np.ndarray):
            arrays[e.shown] = value.shape
            arrays.pop(e.shown) if value.dtype.kind not in "fb" else None
            if value.ndim and e.kind in ("argument", "input") and value.ndim <= 2:
                for axis, size in enumerate(value.shape):
                    counts.setdefault(f"{e.shown}.shape[{axis}]", int(size))
        elif isinstance(value, (int, np.integer)) and not isinstance(value, bool):
            counts[e.shown] = int(value)
        elif naming.is_regulariser(e.key) and scalar(value) is not None:
            strengths.append(e.shown)
        elif isinstance(value, (float, np.floating)):
            arrays[e.shown] = ()
    # names come before what is read off an array
    counts = dict(sorted(counts.items(), key=lambda item: ".shape" in item[0]))
    functions = tuple(
        f.name
        for f in ast.walk(study.subject.source.tree)
        if isinstance(f, ast.FunctionDef) and re.search(r"(?i)prime|deriv|grad|_d$|^d_|backward|der$", f.name)
        and len(f.args.args) in (1, 2)
    )  # fmt: skip
    return Around(
        arrays, counts, np.shape(event.copy), functions, tuple(dict.fromkeys(strengths)), study.subject.guess.examples
    )


def _readable(shown: str) -> bool:
    return re.fullmatch(r"[A-Za-z_][\w.]*(\['[\w]+'\])?", shown) is not None


def _as_line(study: Study, statement: ast.stmt, edit: Edit) -> str:
    edit.put(edit.new)
    try:
        return ast.unparse(statement)
    finally:
        edit.put(edit.old)


def _adjoint(study: Study, event: Event) -> Any:
    start = np.array(event.copy, dtype=float)
    slope = np.zeros(start.size)
    step = 1e-5
    for entry in range(start.size):
        ends = []
        for sign in (1.0, -1.0):
            moved = start.ravel().copy()
            moved[entry] += sign * step
            new = moved.reshape(start.shape)
            change = {event.index: (lambda _value, new=new: new.copy() if new.ndim else float(new))}
            _, recording = study.subject.run(both(study.base, change), keep=False, stop=study.loss.index)
            ends.append(np.nan if recording.last is None else study.loss.value(recording.last))
        slope[entry] = (ends[0] - ends[1]) / (2.0 * step)
    if not np.isfinite(slope).all() or not slope.any():
        return None
    # differences at one step are good to about seven digits, enough to compare directions
    return slope
