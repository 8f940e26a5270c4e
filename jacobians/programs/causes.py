"""The first wrong line of a backward pass, what slipped in it, and what the line should be."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from jacobians.programs import naming
from jacobians.programs.edits import Around, Edit, edits_of
from jacobians.programs.judge import Study, differs, fitted
from jacobians.programs.octave.text import octave_text
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


def causes_of(study: Study, wrong: Sequence[int], end: int) -> list[Cause]:
    """Return what explains wrong gradients, each gradient once.

    Parameters
    ----------
    study : Study
        Judged.
    wrong : sequence of int
        The places of the gradients that are wrong.
    end : int
        How many runs of the program there may have been in the end.
    """
    found: list[Cause] = []
    left = list(wrong)
    study.bad = frozenset(wrong)
    for how in (_unused, _regulariser, _disagreement):
        for cause in how(study, left):
            found.append(cause)
            left = [i for i in left if i not in cause.gradients]
    while left and not _spent(study, end):
        slipped = _slipped(study, left, end)
        if slipped is None:
            break
        found.append(slipped)
        left = [i for i in left if i not in slipped.gradients]
    for place in left:
        claim = study.claims[place]
        found.append(Cause("", _plainly(study, place), claim.line, "", (place,)))
    return found


def stale(study: Study) -> Iterator[Cause]:
    """Yield gradients that change where updates are made: they read a weight that was moved before."""
    run, _ = study.subject.run(study.base, freeze=False)
    for place, claim in enumerate(study.claims):
        at = (claim.event.key, claim.event.line, claim.event.kind)
        first = next(e.index for e in study.run.events if (e.key, e.line, e.kind) == at)
        if first >= len(run.events) or run.events[first].key != claim.event.key:
            continue
        one, other = np.asarray(run.events[first].copy), np.asarray(study.run.events[first].copy)
        if one.shape != other.shape or one.dtype.kind not in "fiu":
            continue
        size = float(np.abs(other).max(initial=0.0))
        if float(np.abs(one - other).max(initial=0.0)) <= 1e-9 * size + 1e-14:
            continue
        named = [e for e in run.events if e.node is not None and e.index < first]
        if not named:
            continue
        line = _reader(study, named[-1].shown, named[-1].key, claim.line, named[-1].line)
        words = f"it reads {named[-1].shown} after {study.subject.source.where(named[-1].line)} has moved it"
        yield Cause("updated-weights", words, line, "", (place,), named[-1].line)


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
            words = (
                f"{claim.parameter} has a gradient, but the loss does not depend on it: the forward pass leaves it out"
            )
            yield Cause("not-used-in-the-forward-pass", words, claim.line, "", (place,))


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
    return ratio if wanted.size > 1 or simple else None


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
        named = number != other and any(re.search(rf"(?<!\w){re.escape(n)}(?!\w)", text) for n in names)
        squares = re.search(r"(?i)\*\*\s*2|square|\*\s*np\.sum|sum\(|norm|loss|cost|J", text) is not None
        if named and squares and "def " not in text:
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
    value = study.loss.value(study.run.events[study.loss.index].copy)
    for event in study.run.events[: study.loss.index]:
        if event.kind in ("assign", "write") and scalar(event.copy) == value:
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


def _slipped(study: Study, wrong: Sequence[int], end: int) -> Cause | None:
    """The first line whose result has to be replaced for wrong gradients to become right, and its edit.

    The true value is the loss's derivative with respect to an array of the forward pass, or to the parameter. Put in
    the place of what a line before the slip gives, it mends nothing; at the slip and after it, it does.
    """
    lines = list(_backward(study, wrong, end))
    found = [_first(study, wrong, lines, end, in_proportion=there) for there in (False, True)]
    named = [one for one in found if one is not None]
    best = max(named, key=lambda one: (len(one[0].gradients), -one[1]))[0] if named else None
    if best is None or len(best.gradients) < len(wrong) or not (best.name or best.should_be):
        edited = _edited(study, wrong, lines, end)
        # the last line of a gradient can always be replaced: a line that an edit mends says more
        least = 0 if best is None else len(best.gradients) + bool(best.name or best.should_be)
        if edited is not None and len(edited.gradients) >= max(least, 1):
            return edited
    return best


def _first(
    study: Study, wrong: Sequence[int], lines: Sequence[tuple[int, ast.stmt, Event]], end: int, *, in_proportion: bool
) -> tuple[Cause, int] | None:
    """The first line that has to be replaced, and its event: among multiples of a true derivative, or the others."""
    best: Cause | None = None
    at = 0
    tried: set[int] = set()
    for line, statement, event in lines:
        if _spent(study, end):
            break
        truths = list(_true_values(study, wrong, event, end))
        value = np.asarray(event.copy, dtype=float).ravel()
        if in_proportion != any(_multiple(value, truth) for truth, _ in truths):
            continue
        right, true = _replaced(study, wrong, event, truths, end)
        # what is a true derivative is handed on until a line takes it for another: the last such line is meant
        taken = in_proportion and right and not _multiple(value, true)
        if not right or (best is not None and len(right) < len(best.gradients) + (not taken)):
            continue
        if event.kind == "return":
            # a function of the file hands on what it was given: its line is named where an edit of it mends
            if id(statement) in tried:
                continue
            tried.add(id(statement))
            found = _mended(study, wrong, statement, event, study.subject.runs + _EDITS)
            if found is not None and len(found[1]) >= len(right):
                best = Cause(found[0].cause, found[0].words, line, _as_line(study, statement, found[0]), found[1])
                at = event.index
                if len(best.gradients) == len(wrong) and not taken:
                    break
            continue
        name, words = _what(study, event, right, true)
        best, at = Cause(name, words, line, "", right), event.index
        if id(statement) in tried:
            continue
        tried.add(id(statement))
        found = _mended(study, wrong, statement, event, study.subject.runs + _EDITS)
        if found is not None and len(found[1]) >= len(right):
            edit, mended = found
            best = Cause(edit.cause, edit.words, line, _as_line(study, statement, edit), mended)
        if len(best.gradients) == len(wrong) and not taken:
            break
    return None if best is None else (best, at)


def _multiple(value: Any, truth: Any) -> bool:
    return np.size(truth) == value.size and ratio_of(value, np.asarray(truth, dtype=float).ravel()) is not None


def _what(study: Study, event: Event, right: Sequence[int], true: Any) -> tuple[str, str]:
    value = np.asarray(event.copy, dtype=float).ravel()
    ratio = ratio_of(value, np.asarray(true, dtype=float).ravel()) if value.size == np.size(true) else None
    if ratio is not None:
        n, k = float(study.subject.guess.examples), float(study.subject.guess.outputs)
        kinds = {
            -1.0: "sign",
            2.0: "scale-half",
            0.5: "scale-half",
            n: "scale-n",
            1.0 / n: "scale-n",
            k: "scale-classes",
        }
        kind = next((name for at, name in kinds.items() if abs(ratio / at - 1.0) < 1e-5), "scale")
        return kind, f"{event.shown} is {_number(ratio, study)} times what the lines after it need"
    if any(study.claims[i].event.index == event.index or study.claims[i].line == event.line for i in right):
        return "", _plainly(study, right[0])
    return "", f"{event.shown} is not the derivative that the lines after it need"


_EDITS = 500
"""Edits of one line that are tried."""


def _spent(study: Study, end: int) -> bool:
    """Whether as many runs were made as may be; they are counted, so that a verdict does not depend on the machine."""
    return study.subject.runs >= end


def _edited(study: Study, wrong: Sequence[int], lines: Sequence[tuple[int, ast.stmt, Event]], end: int) -> Cause | None:
    """The earliest line of the backward pass with an edit that makes wrong gradients right, and as many as any."""
    best: Cause | None = None
    seen: set[int] = set()
    for line, statement, event in lines:
        if _spent(study, end):
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


def _replaced(
    study: Study, wrong: Sequence[int], event: Event, truths: Sequence[tuple[Any, bool]], end: int
) -> tuple[tuple[int, ...], Any]:
    """The wrong gradients that become right where a true value stands in a line's place, and that value."""
    best: tuple[tuple[int, ...], Any] = ((), None)
    n = float(study.subject.guess.examples)
    for value, exact in truths:
        for scale in (1.0,) if exact else (1.0, n, 1.0 / n, -1.0, 2.0, 0.5):
            if _spent(study, end):
                return best
            new = (scale * value).reshape(np.shape(value) if exact else np.shape(event.copy))
            change = {event.index: (lambda _old, new=new: new.copy() if new.ndim else float(new))}
            run, _ = study.subject.run(both(study.base, change), stop=_last(study))
            right = _right_after(study, wrong, run.events)
            if len(right) > len(best[0]):
                best = right, new
                if len(right) == len(wrong):
                    return best
    return best


def _last(study: Study) -> int:
    """The event at which the last gradient has its value."""
    return max(claim.event.index for claim in study.claims)


def _true_values(study: Study, wrong: Sequence[int], event: Event, end: int) -> Iterator[tuple[Any, bool]]:
    """What a line may be meant to give: a parameter's derivative, and those of arrays of the forward pass."""
    size = np.size(event.copy)
    given: list[Any] = []
    for place in wrong:
        claim, true = study.claims[place], study.true[place]
        same = event.key == claim.event.key or event.value is claim.event.value or event.line == claim.line
        if same and np.isfinite(true.value).all():
            yield claim.sign * true.value, True
    shape = np.shape(event.copy)
    if size > _LARGEST_ADJOINT:
        return
    before = min(study.loss.index, event.index)
    forward = [
        e for e in reals(study.run.events)
        if e.index < before and e.kind in ("assign", "write", "inner") and np.shape(e.copy) == shape
        and not naming.is_parameter(e.key)
    ]  # fmt: skip
    for other in reversed(forward[-16:]):
        if _spent(study, end):
            return
        if other.index not in study.adjoints:
            study.adjoints[other.index] = _adjoint(study, other)
        slope = study.adjoints[other.index]
        if slope is not None and not any(np.allclose(slope, one, 1e-6, 0.0) for one in given):
            given.append(slope)
            yield slope, False


_LARGEST_ADJOINT = 120
"""Entries of an array whose derivative is found entry by entry."""


def _backward(study: Study, wrong: Sequence[int], end: int) -> Iterator[tuple[int, ast.stmt, Event]]:
    """Stores whose values reach a wrong gradient and not the loss, in the order in which they are made."""
    last = max(study.claims[i].event.index for i in wrong)
    statements = _statements(study.subject.source.tree)
    events = [
        e for e in reals(study.run.events)
        if e.index <= last and e.kind in ("assign", "write", "update", "return") and e.line in statements
    ]  # fmt: skip
    whole = study.loss.value(study.run.events[study.loss.index].copy)
    for event in events[-_MOST_STORES:]:
        if _spent(study, end):
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
    study: Study, wrong: Sequence[int], statement: ast.stmt, event: Event, end: int
) -> tuple[Edit, tuple[int, ...]] | None:
    """The edit of a line that makes most wrong gradients right, and none of the right ones wrong."""
    best: tuple[Edit, tuple[int, ...]] | None = None
    for edit in edits_of(statement, _around(study, event)):
        if _spent(study, end):
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
        run, _ = subject.run(study.base, stop=_last(study))
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
    examples = study.subject.guess.examples
    inside, octave = event.frame, study.subject.source.language == "Octave"
    for e in own:
        if not _readable(e.shown) or e.kind in ("return", "update"):
            continue
        if e.frame == 0 and inside != 0 and e.kind == "argument":
            continue
        value = e.copy
        if octave and isinstance(value, (float, np.ndarray)) and np.size(value) == 1 and np.all(value == examples):
            counts[e.shown] = examples  # all numbers of Octave are floats
        elif isinstance(value, np.ndarray):
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
        octave = study.subject.source.language == "Octave"
        return octave_text(statement) if octave else ast.unparse(statement)
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
            ends.append(study.loss.value(recording.last))
        slope[entry] = (ends[0] - ends[1]) / (2.0 * step)
    if not np.isfinite(slope).all() or not slope.any():
        return None
    # differences at one step are good to about seven digits, enough to compare directions
    return slope
