"""`audit_program`: is this file's backward pass right, and if not, which line slipped?"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from jacobians.errors import DataError
from jacobians.programs.causes import Cause, causes_of
from jacobians.programs.derived import derivation_of
from jacobians.programs.elsewhere import wrong_elsewhere
from jacobians.programs.entries import arguments_of, entries_of
from jacobians.programs.failing import (
    Repair,
    explained,
    gradients_after,
    is_by_itself,
    is_gradient_name,
    is_own,
    repaired,
)
from jacobians.programs.gradients import Claim
from jacobians.programs.judge import Failed, Reading, read_program, studied
from jacobians.programs.lists import of_no_parameter, unmatched
from jacobians.programs.naming import is_gradient
from jacobians.programs.octave_fragments import forward_passes
from jacobians.programs.reference import Derivative
from jacobians.programs.result import EntryAudit, Failure, Fault, GradientVerdict, ProgramAudit, Verdict
from jacobians.programs.smaller import smaller
from jacobians.programs.source import Source, read_source
from jacobians.programs.study import Settings, Study, fitted, judge, right_along, wrong_ones
from jacobians.programs.subject import Subject
from jacobians.programs.updated import Stale, stale
from jacobians.programs.uses import uses_of
from jacobians.programs.values import LimitError, ProgramError

_RUNS = 3000
"""Runs of the program in which the causes of one entry's wrong gradients are sought."""
_STEPS = 2_000_000
"""The evaluator's steps in those runs, about; a program of long loops is run less often."""


def audit_program(
    text: str,
    name: str = "program.py",
    *,
    loss: str | None = None,
    wrt: Mapping[str, str] | None = None,
    seed: int = 0,
) -> ProgramAudit:
    r"""Return whether a program's hand-written gradients are right, and if not, which line slipped.

    The text is parsed and evaluated by the library's own evaluator on small random data; it is never imported,
    compiled or executed. Each gradient G of a parameter W is compared with the derivative of the program's own loss,

    .. math:: G_{ij} = \lim_{h \to 0} \frac{L(W + h E_{ij}) - L(W - h E_{ij})}{2h},

    which is found by evaluating the program again with other numbers in W's place, with its error under control.

    Parameters
    ----------
    text : str
        The whole file: Python, or a notebook's JSON.
    name : str
        Its name; the suffix says what it is: ``.py``, ``.ipynb``, or ``.m`` of Octave and MATLAB.
    loss : str, optional
        The loss's name in the program. Unless given: the number that is returned with the gradients, or a name such
        as ``loss``, ``cost`` and ``J``; else the usual loss under which most gradients are right. Where the program
        computes no loss, a usual one by its name: ``"half squared error"``, ``"squared error"``,
        ``"binary cross-entropy"``, ``"cross-entropy"``, and ``"mean …"`` of each.
    wrt : mapping of str to str, optional
        Which parameter a gradient belongs to, by their names, such as ``{"dW1": "W1"}``, where the names do not say it.
    seed : int
        Of the random data.

    Raises
    ------
    FormulaError
        If the text cannot be parsed.
    DataError
        If the program needs more steps, memory, depth or time than is allowed.

    Notes
    -----
    Published finite-difference checks take one step size; this one extrapolates over several and keeps an estimate of
    its own error (Richardson 1911; the policy of `check_gradient`).

    Examples
    --------
    >>> found = audit_program('''
    ... def loss_and_grad(W, X, y):
    ...     E = X @ W - y
    ...     loss = (E ** 2).sum() / len(X)
    ...     dW = X.T @ E
    ...     return loss, dW
    ... ''')
    >>> found.verdict, found.first_wrong_line
    ('wrong', 5)
    """
    source = read_source(text, name)
    settings = Settings(loss, dict(wrt or {}), seed)
    small = _of_smaller(source, text, settings)
    if small is not None:
        return small
    try:
        reading, mended = _read(source, text, settings)
    except LimitError as error:
        at = f", line {error.line}" if error.line else ""
        raise DataError(f"audit_program: {name}{at}: {error.message}; it is not evaluated") from None
    found = _result(source, reading, mended, settings.wrt)
    if source.language == "Octave" and found.verdict == "not judged":
        completed = _with_forward_pass(source, text, settings)
        return found if completed is None else completed
    return found


def _of_smaller(source: Source, text: str, settings: Settings) -> ProgramAudit | None:
    """The audit with the program's large sizes taken small; None where it writes none, or does not run with others."""
    small = smaller(source)
    if small is None:
        return None
    try:
        reading, mended = _read(small, text, settings)
    except LimitError:
        return None
    if not reading.studies or reading.failures or mended:
        return None
    found = _result(small, reading, [], settings.wrt)
    sizes = tuple((f"the size {size}", f"taken as {taken}") for taken, size in small.sizes.items())
    return None if found.verdict == "not judged" else replace(found, assumed=(*found.assumed, *sizes))


_MOST_MENDED = 3
"""Lines of one program that are mended, so that what comes after them can be judged."""


def _read(source: Source, text: str, settings: Settings) -> tuple[Reading, list[Repair]]:
    """Read a program; where it fails in its backward pass, with that line mended, or up to there."""
    mended: list[Repair] = []
    while True:
        reading = read_program(source, uses_of(source.tree, text), settings)
        own = [failed for failed in reading.failures if _stops(source, failed, reading)]
        if reading.studies:
            beside = [failed for failed in reading.failures if failed not in own and _is_beside(failed, reading)]
            reading.beside = [_with_unread(source, failed, reading) for failed in beside]
        reading.failures = own or ([] if reading.studies else reading.failures)
        if not own:
            return reading, mended
        tried = own if len(mended) < _MOST_MENDED else []
        repair = next((found for failed in tried if (found := repaired(source, failed, settings)) is not None), None)
        if repair is not None:
            mended.append(repair)
            continue
        for failed in own:
            assert failed.subject is not None
            assert failed.run is not None
            before = studied(failed.subject, failed.run, settings)
            # the guess of the data may be at fault: what is right before the failure is said, and nothing is blamed
            if before is not None and right_along(before) == len(before.claims):
                reading.studies.append(before)
                break
        return reading, mended


def _stops(source: Source, failed: Failed, reading: Reading) -> bool:
    """Whether a program fails of itself where no other way into it got through."""
    error = failed.run.error if failed.run is not None else None
    if not is_own(failed) or not isinstance(error, ProgramError):
        return False
    done = {event.function for study in reading.studies for event in study.run.events}
    if not reading.studies or (failed.subject is not None and not failed.subject.given and _in_update(failed)):
        return True  # on its own data, it fails where it moves its parameters
    if _after_loss(failed) and not {function.name for function in failed.entry.functions} & done:
        return True  # its forward pass fits the data, and its backward pass does not
    return error.function not in done and bool(list(gradients_after(source, failed)))


def _after_loss(failed: Failed) -> bool:
    """Whether a program fails when its loss has its value."""
    run = failed.run
    return run is not None and run.has_loss()


def _in_update(failed: Failed) -> bool:
    """Whether the line at which a program fails moves a parameter."""
    assert failed.subject is not None
    return any(update.node.lineno == failed.line for update in failed.subject.plan.updates.values())


def _is_beside(failed: Failed, reading: Reading) -> bool:
    """Whether a function that sets gradients is in no run that was judged."""
    run = {event.function for study in reading.studies for event in study.run.events}
    own = failed.entry.functions
    stored = {n.id for f in own for n in ast.walk(f) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return bool(own) and not {f.name for f in own} & run and any(map(is_gradient, stored))


def _with_unread(source: Source, failed: Failed, reading: Reading) -> Failed:
    """The same with the first line of its functions that is not read, where it ran past one."""
    places = [range(f.lineno, (f.end_lineno or f.lineno) + 1) for f in failed.entry.functions]
    found = sorted(unread for unread in reading.unread if any(unread[0] in place for place in places))
    if failed.run is not None or not found:
        return failed
    return replace(failed, why=f"{source.where(found[0][0])} is not read: {found[0][1]}")


def _with_forward_pass(source: Source, text: str, settings: Settings) -> ProgramAudit | None:
    """A fragment with the forward pass before it under which most of its gradients are right; None if none is shown."""
    best: tuple[float, Source, Reading, dict[str, str]] | None = None
    for whole, meanings in forward_passes(source):
        try:
            reading = read_program(whole, uses_of(whole.tree, text), settings)
        except LimitError:
            continue
        share = _share_of_right(reading)
        if share is not None and (best is None or share > best[0]):
            best = (share, whole, reading, meanings)
        if share == 1.0:
            break
    if best is None:
        return None
    _, whole, reading, meanings = best
    found = _result(whole, reading, [], settings.wrt)
    return replace(found, assumed=tuple(sorted({**dict(found.assumed), **meanings}.items())))


def _share_of_right(reading: Reading) -> float | None:
    """The share of the gradients that agree with the loss; None where there is none."""
    count = sum(len(study.claims) for study in reading.studies)
    return sum(right_along(study) for study in reading.studies) / count if count else None


def _result(source: Source, reading: Reading, mended: Sequence[Repair], wrt: Mapping[str, str]) -> ProgramAudit:
    entries = tuple(_entry(study, mended) for study in _distinct(reading.studies))
    verdicts = [g.verdict for entry in entries for g in entry.gradients]
    failures = tuple(_failure(source, failed) for failed in (*reading.failures, *reading.beside))
    failures += (*_misnamed(reading, wrt), *_unmatched(reading))
    nothing = not reading.studies and not failures and not reading.unread
    if nothing:
        failures = (Failure("the file", _without_gradients(source), 0, "", "", "", (), (), ""),)
    fails = any(is_own(failed) for failed in reading.failures)
    verdict: Verdict = "not judged"
    if "wrong" in verdicts or any(entry.faults for entry in entries) or any(map(is_by_itself, reading.failures)):
        verdict = "wrong"
    elif "right" in verdicts and not fails:
        verdict = "right"
    assumed: dict[str, str] = {}
    for study in reading.studies:
        assumed |= {f"the clipping in {source.where(n)}": "left out" for n in study.subject.plan.clipped}
    for study in reading.studies:
        assumed.update(study.run.meanings)
    whole = verdicts and not failures and not any(study.run.lost for study in reading.studies)
    return ProgramAudit(
        source.name, verdict, entries, _unread(reading), failures, tuple(sorted(assumed.items())),
        "" if whole or nothing else _instead(source, reading.beside),
    )  # fmt: skip


def _without_gradients(source: Source) -> str:
    """Why there is nothing to judge."""
    if not source.tree.body:
        return "it holds no code"
    return "it computes no gradient: none has a name such as dW or grads['W'], and no line is W -= lr * …"


def _unmatched(reading: Reading) -> Iterator[Failure]:
    """Say which lists of a judged function may be gradients and were not judged."""
    for study in reading.studies:
        lists = unmatched(study.run.events, {id(claim.event.value) for claim in study.claims})
        if lists:
            yield Failure(study.subject.entry.name, of_no_parameter(lists), 0, "", "", "", (), (), "")


def _misnamed(reading: Reading, wrt: Mapping[str, str]) -> Iterator[Failure]:
    """Say which of the names that a caller gave the program does not set."""
    events = [event for study in reading.studies for event in study.run.events]
    known = {name for event in events for name in (event.key, event.shown)}
    for gradient, parameter in wrt.items() if events else ():
        for name, what in ((gradient, "gradient"), (parameter, "parameter")):
            if name not in known:
                why = f"the program has no {what} that is called {name}"
                yield Failure(f"{gradient}={parameter}", why, 0, "", "", "", (), (), "")


def _distinct(studies: list[Study]) -> list[Study]:
    """Those that say more of a line than those before, or of a weight that is read after its update."""
    kept: list[Study] = []
    said: set[tuple[int, bool]] = set()
    for study in studies:
        judge(study)
        wrong = set(wrong_ones(study))
        lines = {(claim.line, place in wrong) for place, claim in enumerate(study.claims)}
        if not lines <= said or any(True for _ in stale(study)):
            kept.append(study)
        said |= lines
    return kept


def _unread(reading: Reading) -> tuple[tuple[int, str], ...]:
    """The lines that are not read: those on the way to what is judged; of a program that is not, all."""
    judged = {line for study in reading.studies for line in study.run.unread}
    return tuple(sorted(judged if reading.studies else reading.unread))


def _failure(source: Source, failed: Failed) -> Failure:
    """What is said of an entry that was not followed to its end."""
    error = failed.run.error if failed.run is not None else None
    place = (source.where(failed.line), source.line(failed.line)) if failed.line else ("", "")
    if not isinstance(error, ProgramError) or failed.subject is None:
        return Failure(failed.entry.name, failed.why, failed.line, *place, "", (), (), "")
    return Failure(
        failed.entry.name,
        explained(source, error),
        failed.line,
        *place,
        "" if error.node is None else source.written(error.node),
        tuple((source.written(node), shape) for node, shape in error.operands if shape is not None),
        tuple(dict.fromkeys(name for name, _ in gradients_after(source, failed))),
        _words_of_data(failed.subject),
        is_by_itself(failed),
    )


def _instead(source: Source, beside: Sequence[Failed]) -> str:
    """The command that checks a function by running it: the first that is not judged, if one is beside others."""
    if source.language != "Python":
        return ""
    module = source.name.rpartition("/")[2].removesuffix(".py").removesuffix(".ipynb")
    entries = [failed.entry for failed in beside] or entries_of(source.tree)
    names = [e.functions[0].name for e in entries if e.functions and e.owner is None and _returns_value(e.functions[0])]
    if names and not source.name.endswith(".ipynb"):
        return f"jacobians check {module}:{names[0]} (this runs your code)"
    method = next((f"{e.owner.name}.{e.functions[0].name}" for e in entries if e.owner is not None), "")
    what = f"a function of arrays that calls {method} and" if method else "a function of arrays that"
    where = f"{module}.py" if source.name.endswith(".ipynb") else f"{module}"
    command = f"jacobians check {module}:ITS_NAME (this runs your code)"
    return f"put {what} returns loss and gradients into {where}, and give it to {command}"


def _returns_value(function: ast.FunctionDef) -> bool:
    """Whether a function may return a loss: a backward pass by its name, or one that is handed a slope, does not."""
    names = [name for name, _ in arguments_of(function)]
    handed = any(re.fullmatch(r"(?i)dout|\w*cache|d[A-Z]\w*|grad_output|output_gradient", name) for name in names)
    several = any(isinstance(n, ast.Return) and isinstance(n.value, ast.Tuple) for n in ast.walk(function))
    return several and not handed


def _entry(study: Study, mended: Sequence[Repair]) -> EntryAudit:
    judge(study)
    wrong = list(wrong_ones(study))
    end = study.subject.runs + min(_RUNS, _STEPS // max(study.steps, 1))
    causes = [_of_update(study, found) for found in stale(study)]
    moved = {i for cause in causes for i in cause.gradients}
    causes += causes_of(study, [i for i in wrong if i not in moved], end) if wrong else []
    again = {} if wrong else {n: words for n, words in wrong_elsewhere(study).items() if n not in moved}
    causes += [Cause("", words, study.claims[n].line, "", (n,)) for n, words in again.items()]
    bad = set(wrong) | moved | set(again)
    source, entry = study.subject.source, study.subject.entry
    here = [one for one in mended if one.entry == entry.name]
    gradients = []
    for place, (claim, true) in enumerate(zip(study.claims, study.true, strict=True)):
        difference, seen = _distance(claim.sign * np.asarray(claim.value, dtype=float), true)
        verdict, why = _verdict(claim, true, bad=place in bad), ""
        at = next(e.index for e in study.run.events if e.value is claim.event.value)
        first = next((one for one in here if at >= one.before), None)
        if first is not None and verdict == "right":
            verdict, why = "not judged", f"{source.where(first.line)} fails before; right where that is mended"
        gradients.append(
            GradientVerdict(
                _named(study, claim), claim.parameter, claim.line, source.where(claim.line), source.line(claim.line),
                verdict, tuple(np.shape(claim.value)), difference, seen, why,
            )
        )  # fmt: skip
    faults = [_broken(source, one, [g.name for g in gradients if g.why]) for one in here]
    gradients += _not_read(study)
    faults += [_fault(study, cause, gradients) for cause in sorted(_merged(causes), key=lambda c: _order(study, c))]
    return EntryAudit(
        entry.name, study.loss.name, study.loss.line, bool(study.loss.inferred), tuple(gradients), tuple(faults),
        _words_of_data(study.subject), *derivation_of(study),
    )  # fmt: skip


def _named(study: Study, claim: Claim) -> str:
    """A gradient as the program calls it: with its line where more than one sets it."""
    if claim.event.kind == "update" and claim.name == "update":
        return f"the update of {claim.parameter}"
    stores = [e for e in study.run.events if e.shown == claim.name and isinstance(e.copy, (float, np.ndarray))]
    inside = next((e.function for e in stores if e.line == claim.line), claim.event.function)
    lines = {e.line for e in stores if e.function == inside and e.kind in ("assign", "write")}
    return claim.name if len(lines) < 2 else f"{claim.name} ({study.subject.source.where(claim.line)})"


def _not_read(study: Study) -> Iterator[GradientVerdict]:
    """The gradients that have no value, since a line is not read."""
    source, names = study.subject.source, study.subject.plan.names
    known = {claim.name for claim in study.claims}
    for lost in study.run.lost:
        if lost.shown in known or not is_gradient_name(lost.key, lost.shown, names):
            continue
        known.add(lost.shown)
        yield GradientVerdict(
            lost.shown, "", lost.line, source.where(lost.line), source.line(lost.line), "not judged", (), None, 0.0,
            f"{source.where(lost.because)} is not read: {lost.construct}",
        )  # fmt: skip


def _broken(source: Source, repair: Repair, gradients: Sequence[str]) -> Fault:
    """The fault of a line at which the program itself fails."""
    return Fault(
        repair.line, source.where(repair.line), source.line(repair.line), repair.kind, repair.words, repair.should_be,
        0, "", tuple(gradients),
    )  # fmt: skip


def _of_update(study: Study, found: Stale) -> Cause:
    words = f"it reads {found.weight} after {study.subject.source.where(found.moved)} has moved it"
    return Cause("updated-weights", words, found.line, "", (found.place,), found.moved)


def _verdict(claim: Claim, true: Derivative, *, bad: bool) -> Verdict:
    """Zero is no right gradient of a loss that does not depend on the parameter: nothing could have been seen."""
    if not bad and not np.any(claim.value) and not np.any(np.nan_to_num(true.value)):
        return "not judged"
    return "wrong" if bad else "right"


def _order(study: Study, cause: Cause) -> int:
    """When a line is first run."""
    return next((e.index for e in study.run.events if e.line == cause.line), 0)


def _merged(causes: list[Cause]) -> list[Cause]:
    """The same slip of the same line, of several gradients, once."""
    found: dict[tuple[str, int], Cause] = {}
    for cause in causes:
        key = (cause.name or cause.words, cause.line)
        old = found.get(key)
        both = cause.gradients if old is None else (*old.gradients, *cause.gradients)
        first = cause if old is None else old
        found[key] = Cause(first.name, first.words, first.line, first.should_be, both, first.beside)
    return list(found.values())


def _fault(study: Study, cause: Cause, gradients: list[GradientVerdict]) -> Fault:
    source = study.subject.source
    return Fault(
        cause.line, source.where(cause.line), source.line(cause.line), cause.name, cause.words, cause.should_be,
        cause.beside, source.line(cause.beside), tuple(gradients[i].name for i in cause.gradients),
    )  # fmt: skip


def _distance(given: Any, true: Any) -> tuple[float | None, float]:
    claimed, wanted = fitted(given, true.value)
    size = max(float(np.nanmax(np.abs(wanted), initial=0.0)), 1e-300)
    seen = float(np.nanmax(true.tolerance, initial=0.0)) / size
    if claimed is None:
        return None, seen
    return float(np.nanmax(np.abs(claimed - wanted), initial=0.0)) / size, seen


def _words_of_data(subject: Subject) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in subject.shown_data())
