"""`statements`: a text cut into assignments and loops, in the order in which they stand, in any notation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from jacobians.auditing.formula_text import Source, Span

_MARKS = re.compile(
    r"(?P<equals>\\(?:leftarrow|gets|coloneqq)(?![A-Za-z])|←|&?(?:\.?[-+*/]|:)?(?<![=<>!~≤≥])=(?!=))|[()\[\]{}]"
)
_SKIPPED = re.compile(r"(?:def|function|return|import|from|assert|pass|print|printf|fprintf|disp|global|clear)\b")
_BRANCHES = re.compile(r"(?:if|elif|else|elseif|while|with|try|switch|class)\b")
_END = re.compile(r"end(?:for|_for|function)?$")
_PYTHON_LOOP = re.compile(r"for\s+(?P<names>[\w\s,()]+?)\s+in\s+(?P<over>.+)$", re.DOTALL)
_OCTAVE_LOOP = re.compile(r"for\s*\(?\s*(?P<names>\w+)\s*=\s*(?P<over>1\s*:\s*(?:[\w.]+\s*\([^()]*\)|\w+))\s*\)?\s*,?")


@dataclass(frozen=True)
class Assignment:
    """One assignment: where its sides stand, and the operator before the equals sign: "", "+", "-", "*" or "/"."""

    left: Span
    operator: str
    right: Span


@dataclass(frozen=True)
class Loop:
    """A loop: the names that it sets, what it runs over, and its body."""

    names: tuple[str, ...]
    over: str
    span: Span
    body: tuple[Statement, ...]


Statement: TypeAlias = Assignment | Loop


@dataclass(frozen=True)
class _Piece:
    """The text between two ends of statements, and the indentation of its line; -1 where it does not begin a line."""

    span: Span
    indent: int


def statements(source: Source, *, latex: bool) -> tuple[Statement, ...]:
    """Return the assignments and loops of a text; definitions of functions and what prints are left out.

    Raises
    ------
    FormulaError
        If there is no assignment, one has two equals signs, or a branch stands in the text.
    """
    pieces = list(_joined(source, _pieces(source, latex=latex), latex=latex))
    found = _Body(source, pieces, latex=latex).read(-1)
    if not any(True for _ in assignments(found)):
        raise source.error("a formula has two sides, as in dW1 = X.T @ dZ1", (0, len(source.text)))
    return found


def assignments(of: tuple[Statement, ...]) -> Iterator[Assignment]:
    """Yield every assignment, those within loops too."""
    for statement in of:
        if isinstance(statement, Loop):
            yield from assignments(statement.body)
        else:
            yield statement


def _pieces(source: Source, *, latex: bool) -> Iterator[_Piece]:
    """Cut at the ends of lines and, except in LaTeX, at semicolons, outside brackets."""
    text = source.lines or source.text
    depth, start, first = 0, 0, True
    for place, c in enumerate(f"{text}\n"):
        depth += (c in "([{") - (c in ")]}")
        if depth or not (c == "\n" or (c == ";" and not latex)):
            continue
        part = text[start:place]
        if part.strip():
            left = start + len(part) - len(part.lstrip())
            yield _Piece((left, left + len(part.strip())), left - start if first else -1)
        first, start = c == "\n", place + 1


def _joined(source: Source, pieces: Iterator[_Piece], *, latex: bool) -> Iterator[_Piece]:
    """Join a piece that begins no statement to the one before."""
    held: _Piece | None = None
    for piece in pieces:
        text = source.part(piece.span)
        if held is not None and not _begins(text, latex=latex):
            held = _Piece((held.span[0], piece.span[1]), held.indent)
            continue
        if held is not None:
            yield held
        held = piece
    if held is not None:
        yield held


def _begins(text: str, *, latex: bool) -> bool:
    if not latex and re.match(r"for\b", text):
        return True
    if not latex and any(pattern.match(text) for pattern in (_SKIPPED, _BRANCHES, _END)):
        return True
    return next(_equals(text), None) is not None


def _equals(text: str) -> Iterator[re.Match[str]]:
    """Yield the equals signs outside of brackets."""
    depth = 0
    for match in _MARKS.finditer(text):
        if match["equals"]:
            if depth == 0:
                yield match
        else:
            depth += 1 if match.group() in "([{" else -1


class _Body:
    """Statements being read, those of a loop at their own indentation or until its end."""

    def __init__(self, source: Source, pieces: list[_Piece], *, latex: bool) -> None:
        self.source, self.pieces, self.latex = source, pieces, latex

    def read(self, indent: int, *, until_end: bool = False) -> tuple[Statement, ...]:
        """Take the statements that are indented deeper, or all until `end`."""
        found: list[Statement] = []
        while self.pieces:
            piece = self.pieces[0]
            if not until_end and 0 <= piece.indent <= indent:
                break
            text = self.source.part(piece.span)
            if not self.latex and _END.match(text):
                self.pieces.pop(0)
                if until_end:
                    break
                continue
            self.pieces.pop(0)
            found += self._statement(piece, text)
        return tuple(found)

    def _statement(self, piece: _Piece, text: str) -> Iterator[Statement]:
        if not self.latex and re.match(r"for\b", text):
            yield self._loop(piece, text)
            return
        if not self.latex and _SKIPPED.match(text):
            return
        if not self.latex and (branch := _BRANCHES.match(text)):
            place = piece.span[0]
            raise self.source.error(
                f"{branch.group()!r} is not read: what it chooses is not known; give the lines that are meant",
                (place, place + branch.end()),
            )
        equals, start = list(_equals(text)), piece.span[0]
        if not equals:
            raise self.source.error("a formula has two sides, as in dW1 = X.T @ dZ1", (0, len(self.source.text)))
        if len(equals) > 1:
            place = start + equals[1].end() - 1
            raise self.source.error("a formula has one equals sign", (place, place + 1))
        mark = equals[0]
        sign = mark.group().strip("&.=:") if mark.group().endswith("=") else ""
        left, right = (start, start + mark.start()), (start + mark.end(), piece.span[1])
        lefts, rights = list(_apart(self.source, left)), list(_apart(self.source, right))
        if self.latex or len(lefts) != len(rights):
            lefts, rights = [left], [right]
        for one, other in zip(lefts, rights, strict=True):
            yield Assignment(one, sign, other)

    def _loop(self, piece: _Piece, text: str) -> Loop:
        if found := _OCTAVE_LOOP.match(text):
            rest, until_end = text[found.end() :], True
            over = found["over"]
        else:
            colon = _colon(text)
            found = _PYTHON_LOOP.match(text[:colon]) if colon else None
            if found is None:
                raise self.source.error("a loop is read as in 'for i in range(m):' or 'for i = 1:m'", piece.span)
            rest, until_end, over = text[colon + 1 :], False, found["over"]
        inline = rest.strip()
        if inline:
            left = piece.span[1] - len(rest.lstrip())
            self.pieces.insert(0, _Piece((left, piece.span[1]), -1))
        names = tuple(re.findall(r"\w+", found["names"]))
        body = self._inline() if inline and not until_end else self.read(max(piece.indent, 0), until_end=until_end)
        return Loop(names, over.strip(), piece.span, body)

    def _inline(self) -> tuple[Statement, ...]:
        """What stands in the line of a loop's head."""
        found: list[Statement] = []
        while self.pieces and self.pieces[0].indent < 0:
            piece = self.pieces.pop(0)
            found += self._statement(piece, self.source.part(piece.span))
        return tuple(found)


def _apart(source: Source, span: Span) -> Iterator[Span]:
    """The spans between the commas outside of brackets."""
    depth, start = 0, span[0]
    for place in range(*span):
        c = source.text[place]
        depth += (c in "([{") - (c in ")]}")
        if c == "," and not depth:
            yield start, place
            start = place + 1
    yield start, span[1]


def _colon(text: str) -> int:
    depth = 0
    for place, c in enumerate(text):
        depth += (c in "([{") - (c in ")]}")
        if c == ":" and not depth:
            return place
    return 0
