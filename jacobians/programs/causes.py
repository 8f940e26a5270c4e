"""The first wrong line of a backward pass, what slipped in it, and what the line should be."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from jacobians.programs.adjoints import put
from jacobians.programs.explained import explained, number, scale_kind
from jacobians.programs.line_parts import Edit, name_of
from jacobians.programs.lines import (
    Look,
    Site,
    Suspect,
    backward_sites,
    is_backward_name,
    look_at,
    may_slip,
    ratio_of,
    right_among,
    statements_of,
)
from jacobians.programs.recording import Event, scalar
from jacobians.programs.reference import both
from jacobians.programs.regulariser import disagreements, lines_of, ratio_without, strengths_of, study_without
from jacobians.programs.study import Study, differs, fitted
from jacobians.programs.trials import as_line, tried_in_place


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
    for how in (_unused, _uphill, _regulariser):
        for cause in how(study, left):
            found.append(cause)
            left = [i for i in left if i not in cause.gradients]
    ratio = _common_ratio(study) if len(left) == len(study.claims) else None
    if ratio is None and len(left) == len(study.claims) and not study.loss.inferred:
        ratio = ratio_without(study)
        if ratio is not None and abs(ratio - 1.0) > 1e-6:
            found.append(_of_loss(study, ratio, left, end))
            return found
    plain = study_without(study) if left and strengths_of(study) else None
    study.plain = [] if plain is None else [true.value for true in plain.true]
    while left and not _spent(study, end):
        slipped = _slipped(study, left, end, ratio)
        if ratio is not None and (slipped is None or len(slipped.gradients) < len(left)):
            # no line of the backward pass explains it, and the loss's factor does
            slipped = _of_the_loss(study, ratio, left, "")
        if slipped is None:
            break
        found.append(slipped if ratio is None else _of_both(study, slipped, ratio, left))
        left = [i for i in left if i not in slipped.gradients]
    for place in left:
        name, words = _plainly(study, place)
        found.append(Cause(name, words, study.claims[place].line, "", (place,)))
    return found


# --- what the numbers say ----------------------------------------------------------------------------


def _difference(study: Study, place: int) -> tuple[Any, Any] | None:
    """A gradient and the derivative in one shape, without what was not looked at."""
    claim, true = study.claims[place], study.true[place]
    given, wanted = fitted(claim.sign * np.asarray(claim.value, dtype=float), true.value)
    if given is None:
        return None
    known = np.isfinite(wanted) & np.isfinite(given)
    return given[known], wanted[known]


def _unused(study: Study, wrong: Sequence[int]) -> Iterator[Cause]:
    for place in wrong:
        parts = _difference(study, place)
        if parts is None or parts[1].size == 0:
            continue
        given, wanted = parts
        if np.abs(wanted).max() <= 1e-9 * max(np.abs(given).max(), 1e-12):
            claim = study.claims[place]
            words = (
                f"{claim.parameter} has a gradient, but the loss does not depend on it: the forward pass leaves it out"
            )
            yield Cause("not-used-in-the-forward-pass", words, claim.line, "", (place,))


def _uphill(study: Study, wrong: Sequence[int]) -> Iterator[Cause]:
    """An update that goes the other way than those beside it."""
    for place in wrong:
        parts, claim = _difference(study, place), study.claims[place]
        others = [c.sign for n, c in enumerate(study.claims) if n not in wrong and c.event.kind == "update"]
        if parts is None or claim.event.kind != "update" or ratio_of(*parts) is None or not others:
            continue
        if abs((ratio_of(*parts) or 0.0) + 1.0) < 1e-6 and all(sign == -claim.sign for sign in others):
            line = _update_line(study, place)
            yield Cause("sign", f"{claim.parameter} is moved up the loss, and the others down", line, "", (place,))


def _update_line(study: Study, place: int) -> int:
    event = study.claims[place].event
    return next((e.line for e in study.run.events[event.index + 1 :] if e.node is not None), event.line)


def _regulariser(study: Study, wrong: Sequence[int]) -> Iterator[Cause]:
    """Gradients that are wrong in the regulariser alone: neither line alone is to blame."""
    found: dict[str, list[int]] = {}
    for place, words in disagreements(study, wrong):
        found.setdefault(words.replace(study.claims[place].parameter, "…"), []).append(place)
    for words, places in found.items():
        line, beside = lines_of(study, places[0])
        words = words.replace("…", study.claims[places[0]].parameter)
        yield Cause("sign" if " -λ" in words else "regulariser", words, line, "", tuple(places), beside)


def _common_ratio(study: Study) -> float | None:
    """By how much every gradient is the derivative, where that is one number: the loss's own scale may have slipped."""
    if study.loss.inferred:
        return None
    ratios = []
    for place in range(len(study.claims)):
        parts = _difference(study, place)
        ratios.append(None if parts is None or not parts[0].size else ratio_of(*parts))
    first = ratios[0]
    if first is None or any(r is None or abs(r / first - 1.0) > 1e-5 for r in ratios):
        return None
    return first


def _of_loss(study: Study, ratio: float, wrong: Sequence[int], end: int) -> Cause:
    """Gradients that are all off by one number but for the regulariser: the line is sought without it."""
    plain = study_without(study)
    slipped = None if plain is None else _slipped(plain, wrong, end, ratio)
    made = _of_the_loss(study, ratio, wrong, "but for the regulariser, ")
    if slipped is None or len(slipped.gradients) < len(wrong):
        return made
    return replace(made, line=slipped.line, should_be=slipped.should_be, beside=made.line)


def _of_the_loss(study: Study, ratio: float, wrong: Sequence[int], but: str) -> Cause:
    """Gradients that are all off by one number, which no line of the backward pass explains: the loss's is shown."""
    words = f"loss and gradients disagree: {but}every gradient is {number(ratio, study)} times the loss's derivative"
    only = study.claims[wrong[0]]
    first = only.line
    if ratio < 0.0 and len(study.claims) == 1 and only.sign < 0.0 and only.event.kind == "update":
        words, first = f"{words}, or the update goes up the loss", _update_line(study, 0)
    return Cause(scale_kind(ratio, study), words, _made_at(study), "", tuple(wrong), first)


_SCALES = ("sign", "scale", "scale-n", "scale-half", "scale-classes")


def _of_both(study: Study, cause: Cause, ratio: float, wrong: Sequence[int]) -> Cause:
    """A slip in scale of all gradients, which may as well be the loss's: both lines are shown."""
    if len(cause.gradients) < len(wrong) or cause.beside or cause.name not in _SCALES:
        return cause
    only = study.claims[0]
    if cause.name == "sign" and len(study.claims) == 1 and only.sign < 0 and only.event.kind == "update":
        words = f"{cause.words}, or the update goes up the loss"
        return replace(cause, words=words, beside=_update_line(study, 0))
    words = f"{cause.words}: every gradient is {number(ratio, study)} times the loss's derivative"
    words += ", unless the loss's scale is wrong"
    return replace(cause, words=words, beside=_made_at(study))


def _made_at(study: Study) -> int:
    """The line on which the loss gets its factor: that of the first version of it that is a number."""
    last = study.run.events[study.loss.index]
    value = study.loss.value(last.copy)
    statements = statements_of(study.subject.source.tree)
    for event in reversed(study.run.events[: study.loss.index + 1]):
        statement = statements.get(event.line)
        if (
            study.loss.name in (event.key, event.shown) and isinstance(statement, ast.AugAssign)
            and isinstance(statement.op, (ast.Div, ast.Mult)) and scalar(event.copy) is not None
        ):  # fmt: skip
            return event.line
    for event in study.run.events[: study.loss.index]:
        held = scalar(event.copy) if event.kind in ("assign", "write") else None
        if held and (held == value or study.loss.name in (event.key, event.shown)):
            return event.line
    return study.loss.line


def _plainly(study: Study, place: int) -> tuple[str, str]:
    """The slip's name, or "", and what is wrong, where no edit of a line mends it."""
    claim, true = study.claims[place], study.true[place]
    parts = _difference(study, place)
    turned = claim.sign * np.asarray(claim.value, dtype=float).T
    transposed = np.ndim(true.value) == 2 and turned.shape == np.shape(true.value) and not differs(turned, true)
    if parts is None:
        words = f"its shape is {np.shape(claim.value)}, that of {claim.parameter} is {np.shape(true.value)}"
        return ("transposed", f"{words}: it is the transpose of the derivative") if transposed else ("", words)
    given, wanted = parts
    ratio = ratio_of(given, wanted)
    if ratio is not None:
        return "", f"it is {number(ratio, study)} times the derivative of the loss"
    if transposed:
        return "transposed", "it is the transpose of the derivative"
    gap = float(np.abs(given - wanted).max() / max(np.abs(wanted).max(), 1e-300))
    return "", f"it differs from the derivative of the loss by {gap:.2g} of its largest entry"


# --- lines -------------------------------------------------------------------------------------------

_MOST_TRIED = 3_000_000
"""Steps of the evaluator for edits that are tried where their lines stand."""
_OTHERS = 80
"""Edits of one line with which the whole program is run."""


def _spent(study: Study, end: int) -> bool:
    """Whether as many runs were made as may be; they are counted, so that a verdict does not depend on the machine."""
    return study.subject.runs >= end or study.subject.tried > _MOST_TRIED


def _slipped(study: Study, wrong: Sequence[int], end: int, ratio: float | None = None) -> Cause | None:
    """The first line whose result has to be replaced for wrong gradients to become right, and its edit.

    Where every gradient is one multiple of the derivative, `ratio`, a line is sought that gives that multiple.

    Of lines that do equally much, one whose result is no derivative comes before one that hands on the derivative of
    another array: of these, the last has taken it for its own.
    """
    sites = backward_sites(study, wrong, end)
    suspects: list[Suspect] = []
    looks: list[Look] = []
    chosen: Cause | None = None
    failed = 0
    for place, site in enumerate(sites):
        if _spent(study, end) or failed > _FURTHER:
            break
        if _is_copied(study, site, sites[place + 1 :]):
            continue
        looks.append(look_at(study, wrong, site, end))
        found = looks[-1].suspect
        if found is None:
            continue
        suspects.append(found)
        if found.kind != "taken" and len(found.mended) == len(wrong):
            chosen = _edited_suspect(study, wrong, _best(study, suspects), end)
            if chosen is not None:
                chosen = _before(study, wrong, chosen, looks, end)
                return _as_its_siblings(study, wrong, chosen, sites, end)
            failed += 1
    best = _best(study, suspects)
    if not failed:
        chosen = _edited_suspect(study, wrong, best, end)
    most = len(best[0].mended) if best else 0
    if chosen is not None and len(chosen.gradients) == len(wrong):
        return _before(study, wrong, chosen, looks, end)
    upto = best[0].site.last.index if best and most == len(wrong) else None
    looks += [look_at(study, wrong, site, end) for site in sites[len(looks) :] if upto is None]
    searched = _searched(study, wrong, looks, end, upto, ratio)
    if searched is not None and len(searched.gradients) > (most if chosen is not None else most - 1):
        return searched
    if chosen is not None:
        return _before(study, wrong, chosen, looks, end)
    if not best:
        return None
    suspect = _likeliest(study, best)
    name, words = explained(study, suspect)
    return Cause(name, words, suspect.site.line, "", suspect.mended)


def _is_copied(study: Study, site: Site, later: Sequence[Site]) -> bool:
    """Whether an array of the forward pass is where a gradient starts from: ``dx = probs.copy()`` is what slipped."""
    if is_backward_name(site.last.key) or np.size(site.last.copy) < 2 or site.last.index > study.loss.index:
        return False
    return any(
        is_backward_name(other.last.key) and np.array_equal(other.events[0].copy, site.events[0].copy)
        for other in later
    )


def _before(study: Study, wrong: Sequence[int], cause: Cause, looks: Sequence[Look], end: int) -> Cause:
    """An earlier line with an edit that does as much, where what it gives is no derivative and is used there."""
    at = next((n for n, look in enumerate(looks) if look.site.line == cause.line), 0)
    # what is stored there is not what is used there
    used = re.split(r"(?<![=<>!+\-*/~])=(?!=)", study.subject.source.line(cause.line), maxsplit=1)[-1]
    for look in looks[max(at - 4, 0) : at]:
        name = look.site.last.key
        if look.matched or look.suspect is not None or not re.search(rf"(?<!\w){re.escape(name)}(?!\w)", used):
            continue
        _, others = tried_in_place(study.subject, study.base, look.site.statement, ())
        # a factor may be put into any of several lines: it is missed where it is needed
        keeps = isinstance(look.site.statement, ast.Assign) and name_of(look.site.statement.value) != ""
        others = [e for e in others if (e.natural and not keeps) or e.cause not in _SCALES]
        found = _confirmed(study, wrong, others[:_OTHERS], end)
        if found is not None and len(found[1]) >= len(cause.gradients):
            return _cause(study, look.site.line, look.site.statement, *found)
    return cause


def _as_its_siblings(study: Study, wrong: Sequence[int], cause: Cause, sites: Sequence[Site], end: int) -> Cause:
    """A later line with an edit of scale that does as much, if it then reads as another line does, and else does not.

    A factor that is missing may be put into any of several lines: ``dW1 = X.T @ d1`` lacks the sign that stands in
    ``dW2 = -A.T @ d2``.
    """
    source = study.subject.source
    if cause.name not in _SCALES:
        return cause
    whole = {id(node): node for node in statements_of(source.tree).values()}
    forms = [_form(source.written(node)) for node in whole.values()]
    if forms.count(_form(cause.should_be)):
        return cause
    for site in sites:
        if site.line <= cause.line or forms.count(_form(source.written(site.statement))) > 1:
            continue
        edits = tried_in_place(study.subject, study.base, site.statement, ())[1]
        alike = [e for e in edits if e.cause in _SCALES and _form(as_line(source, site.statement, e)) in forms]
        found = _confirmed(study, wrong, alike, end)
        if found is not None and len(found[1]) >= len(cause.gradients):
            return _cause(study, site.line, site.statement, *found)
    return cause


def _form(text: str) -> str:
    """A line without its names and numbers."""
    return re.sub(r"\w+", "_", re.sub(r"\s|;", "", text.replace("./", "/").replace(".*", "*")))


_FURTHER = 4
"""Lines after the first that mends all gradients of which an edit is sought, where none of the first is found."""


def _best(study: Study, suspects: Sequence[Suspect]) -> list[Suspect]:
    """Those that make most gradients right; what hands on a function's result counts only without a line in it."""
    most = max((len(s.mended) for s in suspects), default=0)
    best = [s for s in suspects if len(s.mended) == most]
    functions = {f.name: f for f in ast.walk(study.subject.source.tree) if isinstance(f, ast.FunctionDef)}

    def handed_on(suspect: Suspect) -> bool:
        value = getattr(suspect.site.statement, "value", None)
        if isinstance(suspect.site.statement, ast.Return) and isinstance(value, (ast.Name, ast.Tuple)):
            if isinstance(value, ast.Name) and _only_given(study.subject.source.tree, suspect.site.line, value.id):
                return False
            return any(s is not suspect for s in best)
        called = functions.get(name_of(value)) if isinstance(value, ast.Call) else None
        return called is not None and any(
            called.lineno <= s.site.line <= (called.end_lineno or called.lineno) for s in best if s is not suspect
        )

    return [s for s in best if not handed_on(s)] or best


def _only_given(tree: ast.Module, line: int, name: str) -> bool:
    """Whether a name on a line is an argument of its function, which sets no other value for it."""
    around = [f for f in ast.walk(tree) if isinstance(f, ast.FunctionDef) and _holds(f, {line})]
    inner = max(around, key=lambda f: f.lineno, default=None)
    if inner is None or name not in {arg.arg for arg in inner.args.args}:
        return False
    return not any(isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Store) for n in ast.walk(inner))


def _likeliest(study: Study, best: Sequence[Suspect]) -> Suspect:
    """A line that by its name gives another array's derivative; the first that gives none; the last that hands on.

    What is computed after the loss comes before what is computed with it.
    """
    named = [s for s in best if s.named]
    own = [s for s in best if s.kind != "taken"]
    own = [s for s in own if s.site.events[0].index > study.loss.index] or own
    return (named or own[:1] or list(best)[-1:])[-1]


def _edited_suspect(study: Study, wrong: Sequence[int], best: Sequence[Suspect], end: int) -> Cause | None:
    """The likeliest of suspected lines of which an edit gives the true value."""
    own = [s for s in best if s.kind != "taken"]
    taken = [s for s in best if s.kind == "taken"]
    named = [s for s in taken if s.named]
    order = [(s, False) for s in named[-1:]]
    if taken and own:
        order.append((own[0], True))
    order += [(s, False) for s in (*taken[-1:], *own, *reversed(taken[:-1]))]
    seen: set[tuple[int, bool]] = set()
    for suspect, natural in order:
        key = id(suspect.site.statement), natural
        if _spent(study, end) or key in seen:
            continue
        seen.add(key)
        found = _mended(study, wrong, suspect.site, suspect.truths, end, natural=natural)
        if found is not None and len(found[1]) >= len(suspect.mended):
            return _cause(study, suspect.site.line, suspect.site.statement, *found)
    return None


def _cause(study: Study, line: int, statement: ast.stmt, edit: Edit, right: tuple[int, ...]) -> Cause:
    return Cause(edit.cause, edit.words, line, as_line(study.subject.source, statement, edit), right)


def _searched(
    study: Study, wrong: Sequence[int], looks: Sequence[Look], end: int, upto: int | None, ratio: float | None
) -> Cause | None:
    """The first statement on the way to wrong gradients with an edit that makes as many right as any.

    First one thing is exchanged for another in all of them, then more is put around a part. A statement on which the
    loss or a right gradient depends is left as it is.
    """
    best: Cause | None = None
    edits: dict[int, list[Edit]] = {}
    way = _on_the_way(study, looks, upto)
    statements = [one for one in way if not _spent(study, end) and may_slip(study, wrong, one[1])]
    for natural in (True, False):
        for line, statement in statements:
            if _spent(study, end):
                return best
            if id(statement) not in edits:
                factor = None if ratio is None else 1.0 / ratio
                edits[id(statement)] = tried_in_place(study.subject, study.base, statement, (), factor)[1]
            some = [e for e in edits[id(statement)] if e.natural == natural]
            found = _confirmed(study, wrong, some[:_OTHERS], end)
            if found is not None and (best is None or len(found[1]) > len(best.gradients)):
                best = _cause(study, line, statement, *found)
                if len(found[1]) == len(wrong):
                    return best
    return best


def _on_the_way(study: Study, looks: Sequence[Look], upto: int | None) -> Iterator[tuple[int, ast.stmt]]:
    """Statements that give what the backward pass uses and are no derivatives, and the tests and loops around them."""
    seen: set[int] = set()
    sites = [look.site for look in looks]
    lines = {site.line for site in sites}
    around = [f for f in ast.walk(study.subject.source.tree) if isinstance(f, ast.FunctionDef) and _holds(f, lines)]
    bodies: list[ast.AST] = [*around] or [study.subject.source.tree]
    for node in (n for body in bodies for n in ast.walk(body)):
        # the tests around them first: they have few edits
        if isinstance(node, ast.If) and id(node) not in seen and _holds(node, lines):
            seen.add(id(node))
            yield node.lineno, node
    for look in looks:
        site = look.site
        if upto is not None and site.events[0].index > upto:
            break
        if id(site.statement) not in seen and (not look.matched or look.suspect is not None):
            yield site.line, site.statement
        seen.add(id(site.statement))
    stored = statements_of(study.subject.source.tree)
    for node in (n for body in bodies for n in ast.walk(body)):
        if not isinstance(node, (ast.If, ast.For, ast.Assign, ast.AugAssign)) or id(node) in seen:
            continue
        guard = isinstance(node, (ast.If, ast.For))
        if _holds(node, lines) if guard else stored.get(node.lineno) is node:
            seen.add(id(node))
            yield node.lineno, node


def _holds(node: Any, lines: set[int]) -> bool:
    return any(node.lineno <= line <= (node.end_lineno or node.lineno) for line in lines)


def _mended(
    study: Study, wrong: Sequence[int], site: Site, truths: Sequence[dict[int, Any]], end: int, *, natural: bool
) -> tuple[Edit, tuple[int, ...]] | None:
    """The edit of a line with which it gives a true value, confirmed by running the program with it."""
    others: list[Edit] = []
    found: tuple[Edit, tuple[int, ...]] | None = None
    whole = True
    for truth in truths:
        each = [(np.asarray(e.copy, dtype=float), truth.get(e.index)) for e in site.events]
        if len(each) > 2 and each[-1][1] is None:
            each = each[:-1]  # what the last step hands on is used nowhere
        if any(new is None for _, new in each):
            each, whole = [], False
        # with the true values stored, what is computed from them is right when the line is run again
        base = both(study.base, put(truth)) if each else study.base
        met, others = tried_in_place(study.subject, base, site.statement, [each] if each else [])
        found = _confirmed(study, wrong, [e for e in met if e.natural or not natural][:_OTHERS], end) if each else None
        if found is not None:
            break
    if found is None and not whole:
        found = _confirmed(study, wrong, [e for e in others if e.natural or not natural][:_OTHERS], end)
    return found


def _confirmed(
    study: Study, wrong: Sequence[int], edits: Sequence[Edit], end: int
) -> tuple[Edit, tuple[int, ...]] | None:
    best: tuple[Edit, tuple[int, ...]] | None = None
    for edit in edits:
        if _spent(study, end):
            break
        right = _tried(study, wrong, edit)
        if right and (best is None or len(right) > len(best[1])):
            best = (edit, right)
            if len(right) == len(wrong):
                break
    return best


def _tried(study: Study, wrong: Sequence[int], edit: Edit) -> tuple[int, ...]:
    """The wrong gradients that an edit of a line makes right; the edit may change how many stores there are."""
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
    values = []
    for claim in study.claims:
        at = (claim.event.key, claim.event.line, claim.event.kind)
        before = [e.index for e in study.run.events if (e.key, e.line, e.kind) == at]
        after = [e for e in run.events if (e.key, e.line, e.kind) == at]
        if len(before) == len(after):
            values.append(after[before.index(claim.event.index)].copy)
            continue
        # another branch may store it on another line: what it holds in the end is compared
        own = [e for e in study.run.events if _stores_into(e, claim.event)]
        new = [e for e in run.events if _stores_into(e, claim.event)]
        values.append(new[-1].copy if own and new and own[-1] is claim.event else None)
    return right_among(study, wrong, values)


def _stores_into(event: Event, other: Event) -> bool:
    """Whether an event stores into what another one does, in the same function."""
    return (event.key, event.function) == (other.key, other.function) and event.kind in ("assign", "write")
