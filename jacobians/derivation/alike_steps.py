"""Equal steps of a recurrence: their lines are written once, for every step t, with sums as Σₜ."""

from __future__ import annotations

import itertools
import operator
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce

from jacobians.derivation.equations import Definition, Equation, Recurrence
from jacobians.symbols.expressions import Add, AtStep, Expr, Joined, Placed, SumOverSteps, Symbol, as_entry, parts_of

_LEAST = 3
"""Steps that are said one by one, if there are fewer."""

_LETTERS = "ZAHGSUVQRFBDEKMTOC"


@dataclass(frozen=True)
class Member:
    """An array's place in a sequence.

    Attributes
    ----------
    sequence : str
    step : int
    """

    sequence: str
    step: int


@dataclass
class Sequences:
    """The sequences of arrays that alike steps work on.

    Attributes
    ----------
    members : dict
        By an array's name, its place in a sequence.
    together : list of set of str
        For each row of alike steps, the sequences that move on with it.
    others : dict
        By the name of an array that would look like a member of a sequence and is none, another name.
    """

    members: dict[str, Member] = field(default_factory=dict)
    together: list[set[str]] = field(default_factory=list)
    others: dict[str, str] = field(default_factory=dict)

    def renamed(self, name: str) -> str:
        """Return an array's new name."""
        own = self.members.get(name)
        return self.others.get(name, name) if own is None else f"{own.sequence}{own.step}"

    def add_cotangents(self, cotangents: Mapping[str, str]) -> None:
        """Make a sequence of the cotangents of each sequence's members, given what each is called."""
        for name, own in list(self.members.items()):
            if name in cotangents:
                self.members[cotangents[name]] = Member(f"d{own.sequence}", own.step)
        self.others |= {cotangents[name]: f"d{new}" for name, new in self.others.items() if name in cotangents}
        for moving in self.together:
            moving |= {f"d{sequence}" for sequence in moving}

    def said(self, expr: Expr) -> Expr:
        """Return an expression with members of sequences in the place of their symbols."""
        symbols = {part for part in parts_of(expr) if isinstance(part, Symbol)}
        own = {s: self.members[s.name] for s in symbols if s.name in self.members}
        table: dict[Expr, Expr] = {s: AtStep(m.sequence, s.shape, m.step, moving=False) for s, m in own.items()}
        table |= {s: replace(s, name=self.others[s.name]) for s in symbols if s.name in self.others}
        return expr.replaced(table)

    # --- what is said of every step --------------------------------------------------------------

    def folded(self, lines: Sequence[Definition]) -> list[Definition | Recurrence]:
        """Return lines with those of alike steps said once."""
        found: list[Definition | Recurrence] = []
        chunks = [(step, list(group)) for step, group in itertools.groupby(lines, _step_of)]
        while chunks:
            count = self._alike(chunks)
            step, own = chunks[0]
            if step is not None and count >= _LEAST:
                moving = [self._of_every_step(line, step) for line in own]
                last = chunks[count - 1][0]
                assert last is not None
                found.append(Recurrence(step, last, tuple(moving)))
                del chunks[:count]
            else:
                found += own
                del chunks[:1]
        return found

    def _alike(self, chunks: Sequence[tuple[int | None, list[Definition]]]) -> int:
        """How many steps from the first on say the same of their own t."""
        step, lines = chunks[0]
        if step is None or len(chunks) < _LEAST or chunks[1][0] not in (step - 1, step + 1):
            return 0
        by = (chunks[1][0] or 0) - step
        said = [self._of_every_step(line, step) for line in lines]
        count = 1
        for place, (other, its) in enumerate(chunks[1:], 1):
            if other != step + place * by or [self._of_every_step(line, other) for line in its] != said:
                break
            count += 1
        return count

    def _of_every_step(self, line: Definition, step: int) -> Definition:
        left = line.equation.left
        assert isinstance(left, AtStep)
        moving = next((own for own in self.together if left.name in own), set[str]())
        name = line.name.removesuffix(str(left.at))
        entry = as_entry(line.value)
        right = _moving(line.value, step, moving) if entry is None else replace(entry, at=entry.at - step, moving=True)
        equation = Equation(_moving(left, step, moving), right)
        return Definition(name, equation, tuple(_moving(use, step, moving) for use in line.uses))

    def total(self, terms: Iterable[Expr]) -> Expr:
        """Return the sum of terms, those that are alike as Σₜ."""
        # by what is said of every step, and how often it was said of the same step before, the terms by step
        groups: dict[tuple[Expr, int], dict[int, Expr]] = {}
        for term in terms:
            members = [part for part in parts_of(term) if isinstance(part, AtStep)]
            cotangents = [
                part for part in members if any(part.name in own and part.name[1:] in own for own in self.together)
            ]
            leading = cotangents or members
            step = max((part.at for part in leading), default=0)
            moving = next((own for own in self.together if leading and leading[0].name in own), set[str]())
            said = _moving(term, step, moving)
            again = next(n for n in itertools.count() if step not in groups.get((said, n), {}))
            groups.setdefault((said, again), {})[step] = term
        sums = [part for (said, _), own in groups.items() for part in _summed(said, own)]
        return _side_by_side(sums) or reduce(operator.add, sums)


def _step_of(line: Definition) -> int | None:
    left = line.equation.left
    return left.at if isinstance(left, AtStep) else None


def _moving(expr: Expr, step: int, sequences: set[str]) -> Expr:
    """What is said of a step as it is said of every step t."""
    members = {p for p in parts_of(expr) if isinstance(p, AtStep) and not p.moving and p.name in sequences}
    return expr.replaced({part: replace(part, at=part.at - step, moving=True) for part in members})


def _summed(said: Expr, terms: Mapping[int, Expr]) -> Iterator[Expr]:
    first, last = min(terms), max(terms)
    if len(terms) < _LEAST or len(terms) != last - first + 1:
        yield from terms.values()
    else:
        yield SumOverSteps(said, first, last)


def _side_by_side(terms: Sequence[Expr]) -> Expr | None:
    """Terms that are zero where the others are not, as one array; None where the terms are not of this kind."""
    found: dict[int, Placed] = {}
    axes = set[int]()
    for term in terms:
        if not isinstance(term, Placed) or len(terms) == 1:
            return None
        cut = [(axis, key) for axis, key in enumerate(term.key) if key != (None, None)]
        if len(cut) != 1:
            return None
        ((axis, (start, _)),) = cut
        axes.add(axis)
        found[start or 0] = term
    (axis, *others) = axes
    parts = [found[start] for start in sorted(found)]
    ends = list(itertools.accumulate((part.of.shape[axis] for part in parts), initial=0))
    if others or ends[:-1] != sorted(found) or ends[-1] != parts[0].dims[axis] or len(parts) < len(terms):
        return None
    return Joined(tuple(part.of for part in parts), axis)


def addends(expr: Expr) -> list[Expr]:
    """Return the terms of a sum."""
    if isinstance(expr, Add) and not expr.minus and expr.left.shape == expr.right.shape:
        return [*addends(expr.left), *addends(expr.right)]
    return [expr]


# --- which steps are alike -----------------------------------------------------------------------------


def find_sequences(lines: Sequence[Definition], made_up: Mapping[str, str]) -> Sequences:
    """Return the sequences of arrays in a forward pass.

    A group of lines that repeats with the same formulas is a recurrence. Each array in it is the same in every step, or
    comes from the same step or the step before, or is given for each step.

    Parameters
    ----------
    lines : sequence of Definition
    made_up : mapping
        By name, the letter of the arrays that the user gave no name; others belong to a sequence if they are numbered.
    """
    return _Search(lines, made_up).found()


class _Search:
    def __init__(self, lines: Sequence[Definition], made_up: Mapping[str, str]) -> None:
        self.names = [line.symbol.name for line in lines]
        self.made_up = made_up
        self.operands: list[list[str]] = []
        self.forms: list[int] = []
        self.entries: list[int | None] = []
        numbers: dict[object, int] = {}
        for line in lines:
            symbols = list(dict.fromkeys(part for part in parts_of(line.value) if isinstance(part, Symbol)))
            blank: dict[Expr, Expr] = {
                symbol: Symbol(f"#{place}", symbol.shape) for place, symbol in enumerate(symbols)
            }
            self.operands.append([symbol.name for symbol in symbols])
            entry = as_entry(line.value)
            form = (line.value.replaced(blank) if entry is None else entry.of.shape, line.symbol.shape)
            self.entries.append(None if entry is None else entry.at)
            self.forms.append(numbers.setdefault(form, len(numbers)))
        self.place = {name: number for number, name in enumerate(self.names)}
        self.named = {*self.place, *itertools.chain.from_iterable(self.operands)}
        self.letters = {re.sub(r"\d+$", "", name) for name in self.named if name not in made_up} | {"N"}
        self.all = Sequences()

    def found(self) -> Sequences:
        if "t" in self.named:  # which is the step's name
            return self.all
        start = 0
        while start < len(self.names):
            best = max(self._rows(start), key=lambda row: row[0] * row[1], default=None)
            start += best[0] * best[1] if best and self._keep(start, *best) else 1
        self._rename_others()
        return self.all

    def _rename_others(self) -> None:
        """Give what looks like a member of a sequence another letter."""
        sequences = {own.sequence for own in self.all.members.values()}
        new: dict[str, str] = {}
        for name, letter in self.made_up.items():
            if letter not in sequences or name in self.all.members or name == letter:
                continue
            if letter not in new:
                new[letter] = next(other for other in _LETTERS if other not in self.letters)
                self.letters.add(new[letter])
            self.all.others[name] = (
                f"{new[letter]}{1 + sum(o.startswith(new[letter]) for o in self.all.others.values())}"
            )

    def _rows(self, start: int) -> Iterator[tuple[int, int]]:
        """How many lines come again, and how often."""
        forms = self.forms
        for period in range(1, (len(forms) - start) // _LEAST + 1):
            if forms[start] != forms[start + period]:
                continue
            one, count = forms[start : start + period], 1
            while forms[start + count * period : start + (count + 1) * period] == one:
                count += 1
            if count >= _LEAST:
                yield period, count

    def _keep(self, start: int, period: int, count: int) -> bool:
        """Add the sequences of one row of alike steps; return whether it is one."""
        lines = [[self.names[start + step * period + j] for step in range(count)] for j in range(period)]
        given: list[list[str]] = []
        before: dict[int, str] = {}
        for j in range(period):
            places = [self.entries[start + step * period + j] for step in range(count)]
            if places[0] is not None and places != list(range(places[0], places[0] + count)):
                return False
            for column in zip(*(self.operands[start + step * period + j] for step in range(count)), strict=True):
                if len(set(column)) == 1:
                    continue
                offsets = [
                    self.place.get(name, -len(self.names)) - start - step * period for step, name in enumerate(column)
                ]
                if len(set(offsets[1:])) == 1 and -period <= offsets[1] < j:
                    if offsets[0] != offsets[1]:
                        before[offsets[1] % period] = column[0]
                elif len(set(column)) == count and not any(start <= self.place.get(n, -1) for n in column):
                    given.append(list(column))
                else:
                    return False
        sequences = [*lines, *given]
        numbered = [self._numbered(sequence) for sequence in sequences]
        if any(
            found is None and not set(sequence) <= self.made_up.keys()
            for found, sequence in zip(numbered, sequences, strict=True)
        ):
            return False
        first = next((found[1] for found in numbered if found), 1)
        members: dict[str, Member] = {}
        moving: set[str] = set()
        for place, (sequence, own) in enumerate(zip(sequences, numbered, strict=True)):
            known = self.all.members.get(sequence[0])
            if known is not None:
                moving.add(known.sequence)
                continue
            base, number = own or (self._letter(sequence[0], carried=place in before), first)
            self.letters.add(base)
            moving.add(base)
            members |= {name: Member(base, number + step) for step, name in enumerate(sequence)}
            earlier = before.get(place)
            is_free = earlier in self.made_up and earlier not in self.place and number > 0
            if earlier is not None and (
                (is_free and list(before.values()).count(earlier) == 1) or earlier == f"{base}{number - 1}"
            ):
                members.setdefault(earlier, Member(base, number - 1))
        self.all.members |= {name: own for name, own in members.items() if name not in self.all.members}
        self.all.together.append(moving)
        return True

    def _numbered(self, column: Sequence[str]) -> tuple[str, int] | None:
        """The word and the first number of names that are numbered one after another, as the user gave them."""
        found = [re.fullmatch(r"(.*?[^\W\d])(\d+)", name) for name in column]
        if any(name in self.made_up for name in column) or not all(found):
            return None
        words = {match[1] for match in found if match}
        numbers = [int(match[2]) for match in found if match]
        if len(words) != 1 or numbers != list(range(numbers[0], numbers[0] + len(column))):
            return None
        return words.pop(), numbers[0]

    def _letter(self, name: str, *, carried: bool) -> str:
        own = self.made_up[name]
        wanted = ["H"] * carried + ["X"] * (own == "C") + [own, *_LETTERS]
        return next((letter for letter in wanted if letter not in self.letters), f"{own}_")
