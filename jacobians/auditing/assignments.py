"""`results_of`: what the assignments and loops of a text compute, each result as one term.

A later line sees the names as the earlier ones have left them. Nothing is executed: a line replaces the term of a name,
a loop over the examples becomes the sum over the examples, and a mask in place a product with the mask.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from jacobians.auditing.claims import Claim
from jacobians.auditing.course_words import STRENGTHS
from jacobians.auditing.formula import Formula, LeftSide, left_side, read
from jacobians.auditing.formula_text import Span
from jacobians.auditing.names import Scope
from jacobians.auditing.statements import Assignment, Loop, Statement, assignments
from jacobians.auditing.terms import Kind, Path, Term, leaf, number, positions, replaced
from jacobians.auditing.what_is_claimed import claim_of, claim_of_own
from jacobians.derivation.names import Names
from jacobians.errors import FormulaError
from jacobians.symbols.expressions import Number, Symbol

STRENGTH = re.compile(rf"(?<![^\W\d_])(?:{'|'.join(STRENGTHS)})(?![^\W\d_])")
_OPERATORS: dict[str, Kind] = {"+": "plus", "-": "minus", "*": "star", "/": "divide"}
_LABELLED = re.compile(r"\s*(?:(?:list\s*\()?\s*(?:range|(?:np\.)?arange)\s*\(.*\)\s*\)?|:)\s*,\s*\w+\s*", re.DOTALL)
_INTEGER = re.compile(r"\s*\d+\s*")
_ONE_HOT = (
    # the labels of one example as a column, or as a row; of all examples
    (re.compile(r"\(?\[?1\s*:\s*[\w.]+(?:\([^()]*\))?\]?\)?'\s*==\s*\w+\(\s*(?P<i>\w+)\s*(?:,\s*:\s*)?\)"), "column"),
    (re.compile(r"\(\[?1\s*:\s*[\w.]+(?:\([^()]*\))?\]?\s*==\s*\w+\(\s*(?P<i>\w+)\s*(?:,\s*:\s*)?\)\)'"), "column"),
    (re.compile(r"\(?\[?1\s*:\s*[\w.]+(?:\([^()]*\))?\]?\s*==\s*\w+\(\s*(?P<i>\w+)\s*(?:,\s*:\s*)?\)\)?"), "row"),
    (re.compile(r"\w+\(\s*\w+\(\s*(?P<i>\w+)\s*(?:,\s*:\s*)?\)\s*,\s*:\s*\)'"), "column"),
    (re.compile(r"(?:np\.)?eye\(\s*\w+\s*\)\s*(?:\(\s*\w+(?:\(:\))?\s*,\s*:\s*\)|\[\s*\w+(?:\.\w+\(\))?\s*\])"), "all"),
    (re.compile(r"\(?\s*\w+\s*==\s*\[?1\s*:\s*[\w.]+(?:\([^()]*\))?\]?\s*\)?"), "all"),
)


@dataclass(frozen=True)
class Result:
    """What a name stands for after the text, and what it claims to be."""

    left: LeftSide
    claim: Claim
    term: Term


def results_of(formula: Formula, scope: Scope) -> list[Result]:
    """Return what is to be judged: gradients, and what no later line uses.

    Raises
    ------
    FormulaError
        If a line that matters cannot be read, or nothing of the text is computed in the convention.
    """
    scope = replace(scope, several=sum(1 for _ in assignments(formula.statements)) > 1)
    lines = _Lines(formula, scope)
    lines.run(formula.statements)
    found, errors = list[Result](), list[FormulaError]()
    for name, left in lines.lefts.items():
        term = scope.terms[name]
        try:
            own = left.of is None and left.wrt in scope.own
            claim = claim_of_own(left.wrt, scope) if own else claim_of(left, scope, formula.source)
        except FormulaError as error:
            # of one line only, what its right side says is no matter; the cost, say, is nobody's derivative
            errors.append(
                term if isinstance(term, FormulaError) and scope.several and name not in scope.used else error
            )
            continue
        if claim.is_forward and name in lines.changed:
            what = f"what {left.wrt} holds after this line has no name; go on to the line that computes a derivative"
            errors.append(formula.source.error(what, left.span))
            continue
        if name in lines.masked:
            claim = _after_the_mask(claim, scope)
        used = name in scope.used
        if used and claim.parameter in (None, "X"):
            continue
        if isinstance(term, FormulaError):
            raise term
        if left.elements:
            term = Term("reshape", (term,), claim.truths[0].shape, term.span) if len(left.elements) == 1 else term
        claim = _summed(claim, name, scope) if name in lines.summed else claim
        found.append(Result(left, claim, term))
    if not found:
        raise errors[0] if errors else lines.nothing()
    return found


def _after_the_mask(claim: Claim, scope: Scope) -> Claim:
    """What held ∂L/∂A holds ∂L/∂Z after it was masked in place, and keeps its name."""
    names = Names(scope.setting.first.run)
    for stop in names.outputs:
        if stop.startswith("A") and names.cotangent(stop) == claim.name:
            return scope.claims.get(names.cotangent(f"Z{stop[1:]}"), claim)
    return claim


def _summed(claim: Claim, name: str, scope: Scope) -> Claim:
    """What a loop adds up may be the sum before it is divided, whatever it is called."""
    totals = [n for n, (parameter, _) in scope.setting.accumulators.items() if parameter == claim.parameter]
    if not totals:
        return claim
    key = f"{name} ="
    scope.asked[key] = (claim.name, *totals)
    return scope.claims[scope.choices.get(key, claim.name)]


class _Lines:
    """A text being followed, line by line; `lefts` are the left sides by the names that they set."""

    def __init__(self, formula: Formula, scope: Scope) -> None:
        self.formula, self.scope, self.source = formula, scope, formula.source
        self.lefts: dict[str, LeftSide] = {}
        self.masked: set[str] = set()
        self.changed: set[str] = set()
        self.summed: set[str] = set()

    def nothing(self) -> FormulaError:
        """Return the error of a text that computes nothing of the convention."""
        return self.source.error("no line computes an array of this convention", (0, len(self.source.text)))

    def run(self, statements: tuple[Statement, ...]) -> None:
        """Follow statements in their order."""
        for statement in statements:
            if isinstance(statement, Loop):
                self._loop(statement)
            else:
                self._assign(statement)

    def _read(self, span: Span, scope: Scope) -> Term:
        if (labels := self._labels(span)) is not None:
            return labels
        return read(self.formula.notation, self.source, span, scope)

    # --- one assignment --------------------------------------------------------------------------

    def _assign(self, line: Assignment) -> None:
        text = self.source.part(line.left).strip()
        if self.formula.notation != "latex" and re.fullmatch(
            r"\(?\[?\s*[\w.]+(?:\s*,\s*[\w.]+|\s+[\w.]+)+\s*,?\s*\]?\)?", text
        ):
            return  # several names take their usual meaning, as in W, b = cache
        left = left_side(self.source, line.left, latex=self.formula.notation == "latex")
        name = left.name
        self.summed.discard(name)
        if left.of is not None and left.is_jacobian:
            self.lefts[name], self.scope.terms[name] = left, self._read(line.right, self.scope)
            return
        before = self.scope.terms.get(name)
        known = before is not None
        if not known:
            if line.operator or left.index:
                self.changed.add(name)
            self.scope.terms[name] = Term("before", (), name, left.span)
        outside = self.scope.used.copy()
        try:
            term = self._value(left, line, before if isinstance(before, Term) else None)
            if not self.scope.loops and any(at.kind == "before" for _, at in positions(term)):
                term = self._begun(term, left, line)
        except FormulaError as error:
            if not known and self._given(name) and not left.index:
                del self.scope.terms[name]  # such as how Y is made from labels: it is what the convention says
                return
            self.scope.terms[name] = error
        else:
            self.scope.terms[name] = term
        if name not in outside:
            self.scope.used.discard(name)
        self.lefts[name] = left

    def _given(self, name: str) -> bool:
        found = self.scope.meanings(name)
        return bool(found) and not any(n in self.scope.claims for n in found)

    def _value(self, left: LeftSide, line: Assignment, before: Term | None) -> Term:
        """What the name stands for after the line."""
        held = self.scope.terms.get(left.name)
        if isinstance(held, FormulaError) and (line.operator or left.index):
            raise held
        old = before or Term("before", (), left.name, left.span)
        whole = (left.span[0], line.right[1])
        if left.index is not None:
            return self._in_part(left, line, old, whole)
        scope = self.scope
        if before is None:
            scope = replace(scope, target=self._target(left), own={n: e for n, e in scope.own.items() if n != left.wrt})
        value = self._read(line.right, replace(scope, elements=left.elements))
        return Term(_OPERATORS[line.operator], (old, value), None, whole) if line.operator else value

    def _target(self, left: LeftSide) -> str:
        """The name that the right side may not use, unless it means another array there."""
        if left.of is None and left.wrt in self.scope.own:
            return claim_of_own(left.wrt, self.scope).name
        wanted = left.wrt if left.of is None else f"d{left.wrt}"
        found = self.scope.canonical(wanted, left=True)
        return str(found) if found in self.scope.claims else ""

    def _in_part(self, left: LeftSide, line: Assignment, old: Term, whole: Span) -> Term:
        """dhidden[hidden <= 0] = 0, dscores[range(N), y] -= 1, grad(:, 2:end) = …, temp(1) = 0."""
        assert left.index is not None
        index = self.source.part(left.index)
        if (
            _LABELLED.fullmatch(index)
            and line.operator == "-"
            and self.source.part(line.right).strip() in ("1", "1.", "1.0")
        ):
            before = self._meant(old, left)
            own = self.scope.claims.get(before.detail.name) if isinstance(before.detail, Symbol) else None
            if own is not None and not own.is_forward and own.name == self._target(left):
                raise self._unset(left)
            return Term("minus", (before, leaf(self.scope.symbols["Y"], left.index)), None, whole)
        named = re.fullmatch(r"\s*(?:self\.)?([^\W\d]\w*)\s*", index)
        if re.search(r"[<>]", index) or (named and self.scope.knows(named[1]) and named[1] not in self.scope.loops):
            mask = self._read(left.index, self.scope)
            self.masked.add(left.name)
            value = self._read(line.right, self.scope)
            old = self._meant(old, left)
            if line.operator == "*":
                keeps = Term("plus", (Term("minus", (number(1.0), mask)), Term("star", (value, mask))))
                return Term("star", (old, keeps), None, whole)
            if line.operator or value.detail != Number(0.0):
                raise self.source.error("in a mask only zeros are assigned, as in dhidden[hidden <= 0] = 0", left.span)
            return Term("star", (old, Term("minus", (number(1.0), mask), None, left.index)), None, whole)
        key = self._key(left)
        value = self._read(line.right, self.scope)
        if line.operator:
            part = Term("entries" if len(key) == 1 else "part", (old,), key[0] if len(key) == 1 else key, left.span)
            value = Term(_OPERATORS[line.operator], (part, value), None, whole)
        return Term("assigned", (old, value), key, whole)

    def _meant(self, old: Term, left: LeftSide) -> Term:
        """What a name of the convention means, where the text has not set it."""
        if old.kind != "before" or self.scope.loops:
            return old
        del self.scope.terms[left.name]
        found = self.scope.name(left.wrt, self.source, left.span)
        self.scope.terms[left.name] = old
        return found

    def _key(self, left: LeftSide) -> tuple[tuple[int | None, int | None], ...]:
        """The slices of a left side, or its one entry."""
        assert left.index is not None
        index = self.source.part(left.index)
        if _INTEGER.fullmatch(index):
            first = int(index) - (self.formula.notation == "octave")
            return ((first, first + 1),)
        end = left.index[1] + 1
        self.scope.terms.setdefault(left.name, Term("before", (), left.name, left.span))
        start = left.span[0] + self.source.text[left.span[0] : end].rindex(left.wrt, 0, left.index[0] - left.span[0])
        part = read(self.formula.notation, self.source, (start, end), self.scope)
        if part.kind == "entries":
            return (part.detail,)
        if part.kind == "part":
            return tuple(part.detail)
        raise self.source.error("a part of an array is named by slices, as in (:, 2:end)", left.index)

    def _labels(self, span: Span) -> Term | None:
        """The usual ways to make Y of labels."""
        text = self.source.part(span).strip().rstrip(";").strip()
        for pattern, lies in _ONE_HOT:
            if not (found := pattern.fullmatch(text)):
                continue
            if lies == "all":
                return leaf(self.scope.symbols["Y"], span)
            if found["i"] in self.scope.loops:
                axis = 1 - self.scope.setting.network.layout.feature_axis % 2
                of = Term("example", (leaf(self.scope.symbols["Y"], span),), (axis, True), span)
                return of if (axis == 0) == (lies == "row") else Term("transpose", (of,), None, span)
        return None

    # --- what a name was before the text -----------------------------------------------------------

    def _begun(self, term: Term, left: LeftSide, line: Assignment) -> Term:
        """A term without "before": X is what was given, a sum begins with 0, a regulariser is added to the gradient."""
        wanted = left.wrt if left.of is None else f"d{left.wrt}"
        meant = self.scope.canonical(wanted, left=True)
        claim = self.scope.claims.get(str(meant))
        if claim is not None and claim.parameter not in (None, "X"):
            if STRENGTH.search(self.source.part(line.right)):
                clause = f"{left.wrt} holds the gradient without its regulariser before"
                self.scope.notes[clause] = None
                data = Term("leaf", (), self.scope.setting.data_gradient(str(claim.parameter)), left.span)
                if claim.truths[0].shape != data.detail.shape:  # as a column
                    data = Term("transpose", (data,), None, left.span)
                return _substituted(term, left.name, data)
            if term.kind == "assigned":
                self.scope.notes[f"{left.wrt} is judged in the parts that the text sets"] = None
                return _substituted(term, left.name, Term("leaf", (), claim.nearest.right, left.span))
            rest = _without(term, left.name)
            if rest is not None:
                return rest
        elif claim is not None and (rest := _without(term, left.name)) is not None:
            return rest
        elif self._given(left.name) or (claim is not None and len(self.scope.meanings(left.name)) > 1):
            del self.scope.terms[left.name]
            meaning = self.scope.name(left.wrt, self.source, left.span)
            if not (isinstance(meaning.detail, Symbol) and meaning.detail.name == meant and claim is not None):
                return _substituted(term, left.name, meaning)
        raise self._unset(left)

    def _unset(self, left: LeftSide) -> FormulaError:
        return self.source.error(
            f"a formula for {left.wrt} cannot use {left.wrt} itself; give the line that sets it first", left.span
        )

    # --- loops -----------------------------------------------------------------------------------

    def _loop(self, loop: Loop) -> None:
        variable, elements = self._over(loop)
        if self.scope.loops:
            raise self.source.error(
                "a loop within a loop is not read; write the inner one as a matrix product", loop.span
            )
        set_inside = list(dict.fromkeys(self._names_of(loop.body)))
        outside = {name: self.scope.terms.get(name) for name in set_inside}
        for name in set_inside:
            self.scope.terms[name] = Term("before", (), name, loop.span)
        self.scope.terms.update(elements)
        self.scope.loops.update(variable)
        self.run(loop.body)
        self.scope.loops.clear()
        for name in set_inside:
            term = self.scope.terms[name]
            if isinstance(term, FormulaError):
                continue
            rest = _without(term, name)
            begun = outside[name]
            if rest is None or any(at.kind == "before" for _, at in positions(rest)):
                message = f"{name!r} is that of the last example; a loop is read where it adds something per example"
                self.scope.terms[name] = self.source.error(message, loop.span)
                continue
            self.summed.add(name)
            total = Term("examples", (self._alone(rest),), None, rest.span)
            zero = begun is None or (isinstance(begun, Term) and begun.detail == Number(0.0))
            if isinstance(begun, FormulaError):
                self.scope.terms[name] = begun
            else:
                self.scope.terms[name] = total if zero else Term("plus", (begun, total), None, rest.span)  # type: ignore[arg-type]

    def _names_of(self, body: tuple[Statement, ...]) -> Iterator[str]:
        latex = self.formula.notation == "latex"
        for line in assignments(body):
            if "," not in self.source.part(line.left) or re.search(r"[\[(]", self.source.part(line.left)):
                yield left_side(self.source, line.left, latex=latex).name

    def _over(self, loop: Loop) -> tuple[list[str], dict[str, Term]]:
        """The names that count examples, and those that are an array's examples one after the other."""
        over, names = loop.over, loop.names
        if over.startswith("1"):
            if self._is_count(over.partition(":")[2]):
                return [names[0]], {}
        elif (found := re.fullmatch(r"x?range\((?:\s*0\s*,)?(.*)\)", over)) and self._is_count(found[1]):
            return [names[0]], {}
        elif found := re.fullmatch(r"(enumerate|zip)\((.*)\)", over):
            counts, arrays = found[1] == "enumerate", re.split(r"\s*,\s*", found[2].strip())
            if len(arrays) == len(names) - counts:
                inside = dict(zip(names[counts:], map(self._element, arrays), strict=True))
                if None not in inside.values():
                    return list(names[:counts]) or ["each example"], inside  # type: ignore[return-value]
        elif len(names) == 1 and (element := self._element(over)) is not None:
            return ["each example"], {names[0]: element}
        raise self.source.error("a loop is read where it goes over the examples, as in 'for i in range(m):'", loop.span)

    def _element(self, name: str) -> Term | None:
        if not re.fullmatch(r"\w+", name):
            return None
        of = self.scope.symbol(name)
        if of is None or not of.shape or of.shape[0] != self.scope.setting.examples:
            return None
        return Term("example", (leaf(of),), (0, False))

    def _is_count(self, text: str) -> bool:
        """Whether a text stands for the number of examples."""
        text = text.strip()
        sized = re.fullmatch(
            r"(?:size|rows|columns|length|len|numel)\(\s*(\w+)\s*(?:,\s*[12]\s*)?\)|(\w+)\.shape\[[01]\]", text
        )
        if sized:
            of = self.scope.symbol(sized[1] or sized[2])
            return of is not None and self.scope.setting.examples in of.shape
        return bool(re.fullmatch(r"\w+", text)) and self.scope.size(text) == self.scope.setting.examples

    def _alone(self, term: Term) -> Term:
        """In a loop, an array of the whole batch that has no index is one example's: a column, a row or a vector."""
        count = self.scope.setting.examples
        axis = 1 - self.scope.setting.network.layout.feature_axis % 2
        found = term
        for path, at in _outside_examples(term):
            if at.kind != "leaf" or len(at.detail.shape) != 2 or at.detail.shape[axis] != count:
                continue
            lies = ("column", "row", "vector") if self.formula.notation == "octave" else ("vector", "column", "row")
            self.scope.asked["one example"] = lies
            how = self.scope.choices.get("one example", lies[0])
            one = Term("example", (at,), (axis, how != "vector"), at.span)
            if (how == "column") == (axis == 0) and how != "vector":
                one = Term("transpose", (one,), None, at.span)
            found = replaced(found, path, one)
        return found


def _outside_examples(term: Term, path: Path = ()) -> Iterator[tuple[Path, Term]]:
    yield path, term
    if term.kind != "example":
        for i, part in enumerate(term.parts):
            yield from _outside_examples(part, (*path, i))


def _without(term: Term, name: str) -> Term | None:
    """Return what is added to a name's own value before; None where it is used in another way."""
    if term.kind in ("plus", "minus"):
        first, second = term.parts
        if _is_before(first, name):
            return second if term.kind == "plus" else Term("negative", (second,), None, term.span)
        if _is_before(second, name) and term.kind == "plus":
            return first
        if (inner := _without(first, name)) is not None:
            return replace(term, parts=(inner, second))
        if (inner := _without(second, name)) is not None:
            return replace(term, parts=(first, inner))
    return None


def _is_before(term: Term, name: str) -> bool:
    return term.kind == "before" and term.detail == name


def _substituted(term: Term, name: str, by: Term) -> Term:
    if _is_before(term, name):
        return by
    return replace(term, parts=tuple(_substituted(part, name, by) for part in term.parts))
