"""Edits of a line, tried where the line stands, before the whole program is run with one."""

from __future__ import annotations

import ast
import copy
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jacobians.programs import naming
from jacobians.programs.edits import edits_of
from jacobians.programs.evaluator import Evaluator
from jacobians.programs.line_parts import Around, Edit, is_octave_call, name_of, roots_of
from jacobians.programs.octave.text import octave_text
from jacobians.programs.plan import Plan
from jacobians.programs.recording import ReachedError
from jacobians.programs.source import Source
from jacobians.programs.subject import Subject
from jacobians.programs.values import Frame, Function, Instance, LimitError, Unread, is_number

Changes = Any
_MOST_EDITS = 3000
_VISITS = 5
"""Times that a line is run in which its edits are tried."""
_MOST_TESTS = 40
"""Times for a test, whose edits often give the same for most examples."""
_STEPS = 250_000
"""Of the evaluator, for all edits of one line."""
_NAMES = 60
"""Names that an edit may take."""


class _Silent:
    """Is told of stores and notes none."""

    looked_at: frozenset[int] = frozenset()

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def stored(self, kind: str, key: str, shown: str, line: int, frame: Frame, value: Any) -> Any:
        return value

    def keeps_old(self, node: ast.stmt) -> bool:
        return id(node) in self.plan.updates

    def in_update(self) -> bool:
        return False

    def watched(self, node: ast.expr, frame: Frame, value: Any) -> Any:
        return value

    def enters_loop(self, node: ast.stmt, length: int | None) -> int | None:
        return 1 if id(node) in self.plan.training else None

    def left_loop(self, node: ast.stmt) -> None:
        pass

    def lost(self, key: str, shown: str, line: int, frame: Frame, reason: Unread) -> None:
        pass


@dataclass(eq=False)
class _Trial:
    """One edit: what it gave so far, and which wanted values it has met."""

    edit: Edit
    root: int
    given: list[Any] = field(default_factory=list)
    meets: set[int] = field(default_factory=set)
    changes: bool = False


def tried_in_place(
    subject: Subject,
    base: Changes,
    statement: ast.stmt,
    wanted: Sequence[Sequence[Any]],
    factor: float | None = None,
) -> tuple[list[Edit], list[Edit]]:
    """Return the edits of a statement that give the wanted values, and the others that change its value.

    Edits of where the value is stored cannot be looked at in advance, and are with the first. Of edits that give the
    same, the first is kept; those that fail are left out.

    Parameters
    ----------
    subject : Subject
    base : mapping
        Changes of the program's stores.
    statement : ast.stmt
    wanted : sequence of sequences of arrays
        Each: what the statement is to give, each time that it is run.
    factor : float, optional
        By which every value is to be multiplied, or divided as a count is; edits that do something else are left out.
    """
    trials: list[_Trial] = []
    state = {"visit": 0, "plain": 0}
    meets_all = set(range(len(wanted)))
    moves = id(statement) in subject.plan.updates

    def visit(evaluator: Evaluator, frame: Frame) -> None:
        if isinstance(evaluator.recorder, _Silent):
            return  # an edit that calls the function that it stands in
        place = state["visit"]
        state["visit"] += 1
        roots = roots_of(statement)
        recorder, budget = evaluator.recorder, evaluator.budget
        held = (budget.steps, budget.entries, budget.calls, evaluator.line, evaluator.depth)
        evaluator.recorder = _Silent(subject.plan)
        random = subject.random_state()
        budget.restart()
        try:
            originals = [_value(evaluator, part[3], frame) for part in roots]
            index = _index_of(evaluator, statement, frame)
            if place == 0:
                state["plain"] = int(bool(originals) and any(_same(originals[0], each[0][0]) for each in wanted))
                around = _around(subject, evaluator, frame, originals[0] if originals else None)
                trials.extend(
                    # a sum that starts at 0 does not show at first that it is overwritten
                    _Trial(edit, _root_of(edit, roots), changes=edit.cause == "not-accumulated")
                    for edit in itertools.islice(edits_of(statement, around), _MOST_EDITS)
                )
            for trial in list(trials):
                if budget.steps > _STEPS:
                    trials.clear()
                    break
                if trial.root < 0:
                    continue
                trial.edit.put(trial.edit.new)
                try:
                    root = roots_of(statement)[trial.root][3]
                    value = _value(evaluator, root, frame)
                finally:
                    trial.edit.put(trial.edit.old)
                if value is _FAILED:
                    trials.remove(trial)
                    continue
                if factor is not None and not moves and not _is_multiple(value, originals[trial.root], factor):
                    trials.remove(trial)
                    continue
                mark = _mark(value)
                trial.given.append(mark)
                trial.changes = trial.changes or mark != _mark(originals[trial.root])
                if trial.root == 0:
                    plain = bool(state["plain"])
                    met = {
                        k
                        for k, each in enumerate(wanted)
                        if place >= len(each)
                        or _near(value, _needed(statement, originals[0], each[place], index, plain=plain))
                    }
                    trial.meets = met if place == 0 else trial.meets & met
        except LimitError:
            trials.clear()
        finally:
            subject.tried += budget.steps
            evaluator.recorder = recorder
            subject.random_state(random)
            budget.steps, budget.entries, budget.calls, evaluator.line, evaluator.depth = held
        if state["visit"] >= (_MOST_TESTS if isinstance(statement, ast.If) else _VISITS):
            raise ReachedError

    subject.run(base, visits={id(statement): visit})
    met = _plainer_first([t.edit for t in trials if t.meets & meets_all and t.changes])
    others, places, seen = [], [], set()
    for trial in trials:
        key = (trial.root, tuple(trial.given) if trial.root >= 0 else id(trial))
        if (trial.changes or trial.root < 0) and key not in seen:
            seen.add(key)
            others.append(trial.edit)
            if trial.root:
                places.append(trial.edit)
    return met[:_MOST_MET] + places, list(_mixed(others))


_MOST_MET = 8
_AT_ONCE = 8
"""Edits of one kind that are tried before those of the other kinds have had their turn."""


def _plainer_first(edits: Sequence[Edit]) -> list[Edit]:
    """Of edits of one kind, first those that put nothing around a part: a factor left out before its inverse."""
    first = {edit.cause: place for place, edit in reversed(list(enumerate(edits)))}
    return sorted(edits, key=lambda edit: (first[edit.cause], not edit.natural))


def _mixed(edits: Sequence[Edit]) -> Iterator[Edit]:
    """Yield edits in their order, but of each kind a few at a time: a hundred names hide no factor of 2."""
    counts: dict[str, int] = {}
    turns: dict[int, list[Edit]] = {}
    for edit in edits:
        place = counts[edit.cause] = counts.get(edit.cause, -1) + 1
        turns.setdefault(place // _AT_ONCE, []).append(edit)
    for turn in sorted(turns):
        yield from turns[turn]


_FAILED: Any = object()


def _value(evaluator: Evaluator, node: ast.expr, frame: Frame) -> Any:
    depth = evaluator.depth
    try:
        with np.errstate(all="ignore"):
            return evaluator.evaluate(node, frame)
    except LimitError:
        evaluator.budget.look()
        return _FAILED
    except Exception:  # whatever an edit does that the line does not: it is none
        return _FAILED
    finally:
        evaluator.depth = depth


def _root_of(edit: Edit, roots: Sequence[Any]) -> int:
    for place, part in enumerate(roots):
        if edit.old is part[3] or any(node is edit.old for node in ast.walk(part[3])):
            return place
    return -1


def _mark(value: Any) -> Any:
    """What is equal for equal values."""
    if isinstance(value, (tuple, list)):
        return tuple(_mark(part) for part in value[:50])
    if isinstance(value, np.ndarray):
        return value.shape, np.round(np.asarray(value, dtype=float), 9).tobytes() if value.dtype.kind in "fiub" else ""
    if is_number(value):
        return id(value) if isinstance(value, (complex, np.complexfloating)) else round(float(value), 9)
    if isinstance(value, dict):
        return tuple((key, _mark(part)) for key, part in value.items())
    if isinstance(value, slice):
        return ("slice", value.start, value.stop, value.step)
    return value if isinstance(value, (str, range)) else id(value)


def _near(value: Any, wanted: Any) -> bool:
    if wanted is None or value is _FAILED or not (is_number(value) or isinstance(value, np.ndarray)):
        return False
    found = np.asarray(value)
    if found.dtype.kind not in "fiub" or np.shape(found) != np.shape(wanted):
        return False
    size = float(np.nanmax(np.abs(wanted), initial=0.0))
    known = np.isfinite(wanted)
    return bool(np.all(np.abs(found[known] - wanted[known]) <= 3e-6 * size + 1e-12))


def _is_multiple(value: Any, original: Any, factor: float) -> bool:
    if isinstance(value, (tuple, list)):
        return True  # a part of it may be
    try:
        held = np.asarray(original, dtype=float)
        return _near(value, factor * held) or _near(value, held / factor)
    except (TypeError, ValueError):
        return True


def _same(original: Any, stored: Any) -> bool:
    if original is _FAILED or not (is_number(original) or isinstance(original, np.ndarray)):
        return False
    return np.shape(original) == np.shape(stored) and np.allclose(original, stored, equal_nan=True)


def _index_of(evaluator: Evaluator, statement: ast.stmt, frame: Frame) -> Any:
    """Where in an array a statement stores what its expression gives; None where that is no part of an array."""
    target = statement.targets[0] if isinstance(statement, ast.Assign) else None
    if not isinstance(target, ast.Subscript) or not _is_array(_value(evaluator, target.value, frame)):
        return None
    index = _value(evaluator, target.slice, frame)
    return None if index is _FAILED else index


def _needed(statement: ast.stmt, original: Any, wanted: tuple[Any, Any], index: Any, *, plain: bool) -> Any:
    """What an expression is to give so that its statement stores what is wanted in the place of what it stores."""
    stored, new = wanted
    if plain:
        return new
    if index is not None:
        elsewhere = np.array(new, dtype=float)
        try:
            elsewhere[index], needed = stored[index], new[index]
        except (IndexError, TypeError, ValueError):
            return None
        return needed if np.allclose(elsewhere, stored, 1e-5, 1e-9) else None
    if original is _FAILED or not (is_number(original) or isinstance(original, np.ndarray)):
        return None
    if np.shape(original) != np.shape(stored) or np.shape(stored) != np.shape(new):
        return None
    if isinstance(statement, ast.AugAssign):
        if isinstance(statement.op, ast.Add):
            return original + (new - stored)
        if isinstance(statement.op, ast.Sub):
            return original - (new - stored)
        if isinstance(statement.op, ast.Mult) and np.all(stored):
            return original * new / stored
    return None


# --- what a line may use -----------------------------------------------------------------------------

_DERIVATIVES = re.compile(
    r"(?i)prime|deriv|grad|_d$|^d_|backward|der$|relu|sigmoid|tanh|softmax|elu|activation|act|^f$|^sig$|nonlin"
)


def _around(subject: Subject, evaluator: Evaluator, frame: Frame, original: Any) -> Around:
    arrays: dict[str, tuple[int, ...]] = {}
    counts: dict[str, int] = {}
    strengths, factors, others = [], [], []
    functions: dict[str, int] = {}
    examples = subject.guess.examples
    octave = subject.source.language == "Octave"
    for name, value in _visible(frame):
        if isinstance(value, Function):
            names = [arg.arg for arg in value.node.args.args]
            count = len(names) - (names[:1] == ["self"])
            if _DERIVATIVES.search(name) and count in (1, 2) and not _inside(value, evaluator.line):
                functions[name] = count
        elif octave and isinstance(value, (float, np.ndarray)) and np.size(value) == 1:
            held = float(np.ravel(value)[0])
            if naming.is_regulariser(name):
                strengths.append(name)
            elif held == int(held) and held > 1:
                counts[name] = int(held)
            else:
                factors.append(name)
                arrays[name] = ()
        elif isinstance(value, np.ndarray) and value.dtype.kind in "fb":
            arrays[name] = value.shape
        elif isinstance(value, (np.ndarray, tuple, list, dict)):
            others.append(name)
        elif isinstance(value, (int, np.integer)) and not isinstance(value, bool):
            counts[name] = int(value)
        elif isinstance(value, (float, np.floating)):
            if naming.is_regulariser(name.rpartition(".")[2]):
                strengths.append(name)
            else:
                factors.append(name)
                arrays[name] = ()
        if len(arrays) > _NAMES:
            break
    for name in evaluator.assumed:
        # sigmoidGradient is at hand where the file takes sigmoid for known
        base = re.sub(r"_?(prime|derivative|gradient|grad|deriv|der)$", "", name, flags=re.IGNORECASE)
        if octave and name.endswith("Gradient") and base in evaluator.used_meanings:
            functions.setdefault(name, 1)
    for text, value in _in_loops(subject, frame, octave=octave):
        arrays.setdefault(text, value.shape)
    parts = {
        _texts(octave=octave)(node): (np.shape(value), node)
        for node, value in _parts_elsewhere(subject, evaluator, frame)
    }
    if not octave:
        for name, shape in list(arrays.items()):
            if 0 < len(shape) <= 2 and re.search(r"(?i)^(x|y|inputs?|t|targets?|data|labels|a0)\w{0,6}$", name):
                counts.update({f"{name}.shape[{axis}]": int(size) for axis, size in enumerate(shape)})
    elif not any(count == examples for count in counts.values()):
        counts.update({f"size({name}, {axis + 1})": examples for name, shape in arrays.items()
                       for axis, size in enumerate(shape) if size == examples and name in ("X", "y")})  # fmt: skip
    for name, shape in arrays.items():
        for count in counts.values():
            if re.match(_OF_EXAMPLES, name) and len(shape) > 1 and shape[0] == count and subject.guess.batch == "rows":
                examples = count  # a batch of fewer
    return Around(
        arrays, counts, np.shape(original) if isinstance(original, np.ndarray) else (), functions, tuple(strengths),
        examples, (*strengths, *factors[:8]), tuple(others[:12]),
        unused=tuple(name for name in _unused(subject, evaluator.line) if arrays.get(name)),
        loops=tuple(sorted(_loops(subject) & frame.names.keys())), text=_texts(octave=octave), parts=parts,
    )  # fmt: skip


def _loops(subject: Subject) -> set[str]:
    """The variables of the program's loops, also those that count what is run through: ``for i, x in enumerate(X)``."""
    found: set[str] = set()
    for node in ast.walk(subject.source.tree):
        if isinstance(node, ast.For):
            first = node.target.elts[0] if isinstance(node.target, ast.Tuple) else node.target
            found |= {first.id} if isinstance(first, ast.Name) else set()
    return found


def _unused(subject: Subject, line: int) -> set[str]:
    """Names that the function around a line sets and reads nowhere."""
    whole: list[ast.AST] = [f for f in ast.walk(subject.source.tree) if isinstance(f, ast.FunctionDef)
                            and f.lineno <= line <= (f.end_lineno or f.lineno)]  # fmt: skip
    names = [n for n in ast.walk(whole[-1] if whole else subject.source.tree) if isinstance(n, ast.Name)]
    set_ = {n.id for n in names if isinstance(n.ctx, ast.Store)}
    return set_ - {n.id for n in names if isinstance(n.ctx, ast.Load)}


def _in_loops(subject: Subject, frame: Frame, *, octave: bool) -> Iterator[tuple[str, Any]]:
    """Entries of lists and dicts at a loop's variable and beside it: ``zs[l - 1]``, ``cache[f'a{l}']``."""
    if octave:
        return
    loops = [(name, int(frame.names[name])) for name in sorted(_loops(subject) & frame.names.keys())
             if isinstance(frame.names[name], (int, np.integer))]  # fmt: skip
    added = "+ str(" in subject.uses.text
    for (loop, at), (name, held) in itertools.product(loops, list(_visible(frame))):
        places = [(f"{loop}{how}", at + step) for step, how in ((0, ""), (-1, " - 1"), (1, " + 1"))]
        if isinstance(held, (list, tuple)) and len(held) <= _LONGEST:
            places += [(f"-{loop}{how}", step - at) for step, how in ((0, ""), (-1, " - 1"), (1, " + 1"))]
            for text, place in places:
                if -len(held) <= place < len(held) and _is_array(held[place]):
                    yield f"{name}[{text}]", held[place]
        elif isinstance(held, dict) and len(held) <= 2 * _LONGEST:
            for text, place in places:
                if _is_array(held.get(place)):
                    yield f"{name}[{text}]", held[place]
                for key in held:
                    stem = key.removesuffix(str(place)) if isinstance(key, str) else key
                    if stem != key and stem.isidentifier() and _is_array(held[key]):
                        yield f"{name}[{stem!r} + str({text})]" if added else f"{name}[f'{stem}{{{text}}}']", held[key]


_PARTS = 24
"""Parts of arrays, as the file writes them elsewhere, that an edit may take."""


def _parts_elsewhere(subject: Subject, evaluator: Evaluator, frame: Frame) -> Iterator[tuple[ast.expr, Any]]:
    """Parts of arrays that the function writes on other lines, and that have a value here: ``X(j,i)``, ``X[i, :]``."""
    seen: set[str] = set()
    own = [f for f in ast.walk(subject.source.tree) if isinstance(f, ast.FunctionDef) and f.name == frame.function]
    for node in ast.walk(own[0] if own else subject.source.tree):
        octave = name_of(node) == "index" and is_octave_call(node)
        if not (octave or (isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load))):
            continue
        dumped = ast.dump(node)
        inner = [part for part in ast.walk(node) if isinstance(part, ast.Call) and not is_octave_call(part)]
        names = [part.id for part in ast.walk(node) if isinstance(part, ast.Name) and not part.id.startswith("octave ")]
        if dumped in seen or inner or len(names) < 2 or len(seen) >= _PARTS:
            continue
        seen.add(dumped)
        value = _value(evaluator, node, frame)  # type: ignore[arg-type]
        if isinstance(value, (float, np.floating)) or _is_array(value):
            yield copy.deepcopy(node), value  # type: ignore[misc]


_LONGEST = 12
"""Entries of a list whose entries an edit may take."""


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


_OF_EXAMPLES = r"(?i)(x|inputs?)_?(batch|mini\w*|b)?$"


def _inside(function: Function, line: int) -> bool:
    node = function.node
    return node.lineno <= line <= (node.end_lineno or node.lineno)


def _texts(*, octave: bool) -> Callable[[ast.expr], str]:
    if not octave:
        return ast.unparse
    return lambda node: octave_text(ast.Expr(node)).rstrip(";")


def _visible(frame: Frame) -> Iterator[tuple[str, Any]]:
    """What a line sees: the names of its call, of objects and dicts among them, then those around it."""
    seen: set[str] = set()
    place: Frame | None = frame
    while place is not None:
        for name, value in place.names.items():
            if name in seen or not re.fullmatch(r"[A-Za-z_]\w*", name):
                continue
            seen.add(name)
            if isinstance(value, Instance):
                for part, held in value.names.items():
                    yield f"{name}.{part}", held
                for part, held in value.of.names.items():
                    if isinstance(held, Function):
                        yield f"{name}.{part}", held
            elif isinstance(value, dict) and 0 < len(value) <= 20 and all(isinstance(k, str) for k in value):
                yield name, value
                for part, held in value.items():
                    yield f"{name}[{part!r}]", held
            else:
                yield name, value
        place = place.outer


def as_line(source: Source, statement: ast.stmt, edit: Edit) -> str:
    """Return a statement with an edit, as the program's language has it; of a block, its first line."""
    edit.put(edit.new)
    try:
        return source.written(statement) if source.language == "Octave" else source.written(statement).split("\n")[0]
    finally:
        edit.put(edit.old)
