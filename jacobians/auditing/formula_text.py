"""`Source`: a formula's text, the limits on it, and errors that mark a place; `Tokens`: the text cut into pieces."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from jacobians.errors import FormulaError

_T = TypeVar("_T")


Span: TypeAlias = tuple[int, int]
"""The first character, and the one after the last."""

MAX_LENGTH = 10_000
MAX_NESTING = 50
"""Of brackets."""
MAX_DEPTH = 120
"""Of the tree: a sum of n terms is a tree of depth n."""

_WINDOW = 72
_CLOSING = {")": "(", "]": "[", "}": "{"}


@dataclass(frozen=True)
class Source:
    """A formula as it was given, one character for one character, in one line; `lines` keeps the ends of lines.

    Errors begin with the name of the `reader`.

    Examples
    --------
    >>> print(Source.of("dW1 = X.T @ Z9").error("'Z9' is unknown", (12, 14)))
    audit: 'Z9' is unknown
        dW1 = X.T @ Z9
                    ^^
    """

    text: str
    lines: str = ""
    reader: str = "audit"

    @classmethod
    def of(cls, formula: str, comment: str = "", *, reader: str = "audit", example: str = "dW1 = X.T @ dZ1") -> Source:
        """Return the source of a formula; what follows a comment's sign in a line is left out.

        Errors begin with the reader's name; two of them show an example.

        Raises
        ------
        FormulaError
            If it is empty, too long, holds a control character, or its brackets do not match or lie too deep.
        """
        if not isinstance(formula, str):
            raise FormulaError(f"{reader}: a formula is a text such as {example!r}, not {type(formula).__name__}")
        if len(formula) > MAX_LENGTH:
            raise FormulaError(f"{reader}: the formula has {len(formula)} characters; at most {MAX_LENGTH} are read")
        if comment:
            formula = re.sub(rf"{comment}[^\n]*", lambda found: " " * len(found.group()), formula)
        text = "".join(" " if c in "\n\r\t" else c for c in formula)
        source = cls(text, formula, reader)
        if not text.strip():
            raise FormulaError(f"{reader}: the formula is empty; write one such as {example!r}")
        for place, c in enumerate(text):
            if unicodedata.category(c) in ("Cc", "Cs", "Cf"):
                raise source.error(
                    f"the control character U+{ord(c):04X} has no place in a formula", (place, place + 1)
                )
        source._check_brackets()
        return source

    def error(self, message: str, span: Span) -> FormulaError:
        """Return an error that shows the formula, or a part of a long one, with a caret under the place."""
        start, stop = max(0, min(span[0], len(self.text))), min(span[1], len(self.text))
        first = max(0, start - _WINDOW // 2) if len(self.text) > _WINDOW else 0
        shown = self.text[first : first + _WINDOW]
        shown = "".join(c if c.isprintable() else "�" for c in shown)
        before = "…" if first else ""
        after = "…" if first + _WINDOW < len(self.text) else ""
        carets = "^" * max(1, min(stop, first + _WINDOW) - start)
        return FormulaError(
            f"{self.reader}: {message}\n    {before}{shown}{after}\n    {' ' * (start - first + len(before))}{carets}"
        )

    def part(self, span: Span) -> str:
        """Return the text of a span."""
        return self.text[span[0] : span[1]]

    def _check_brackets(self) -> None:
        open_: list[tuple[str, int]] = []
        for place, c in enumerate(self.text):
            if c in _CLOSING.values():
                open_.append((c, place))
                if len(open_) > MAX_NESTING:
                    raise self.error(f"brackets lie more than {MAX_NESTING} deep", (place, place + 1))
            elif c in _CLOSING:
                if not open_ or open_[-1][0] != _CLOSING[c]:
                    raise self.error(f"{c!r} closes no bracket", (place, place + 1))
                open_.pop()
        if open_:
            raise self.error(f"{open_[-1][0]!r} is never closed", (open_[-1][1], open_[-1][1] + 1))


@dataclass(frozen=True)
class Token:
    """A piece of a formula: its kind, which is a group of the pattern, or "end" after the last; its text and place."""

    kind: str
    text: str
    span: Span


class Tokens:
    """Tokens of one span of a source, read from left to right.

    Parameters
    ----------
    source : Source
    span : (int, int)
    pattern : re.Pattern
        With a named group for each kind of token; what is called "space" is left out.

    Attributes
    ----------
    place : int
        The cursor, among the tokens.
    end : int
        Where the last piece that was taken ends in the source.

    Raises
    ------
    FormulaError
        If a character begins no token.
    """

    def __init__(self, source: Source, span: Span, pattern: re.Pattern[str]) -> None:
        self.source, self.place, self.end = source, 0, span[0]
        self._tokens: list[Token] = []
        at, stop = span
        while at < stop:
            found = pattern.match(source.text, at, stop)
            if found is None:
                raise source.error(f"{source.text[at]!r} is not read here", (at, at + 1))
            if found.lastgroup != "space":
                self._tokens.append(Token(found.lastgroup or "", found.group(), found.span()))
            at = found.end()
        self._tokens.append(Token("end", "", (stop, stop + 1)))

    @property
    def next(self) -> Token:
        """The token under the cursor."""
        return self._tokens[self.place]

    def peek(self, ahead: int) -> Token:
        """Return a later token, or with -1 the one before."""
        return self._tokens[min(self.place + ahead, len(self._tokens) - 1)]

    def take(self) -> Token:
        """Return the token under the cursor, and move on."""
        token = self.next
        self.place, self.end = min(self.place + 1, len(self._tokens) - 1), token.span[1]
        return token

    def accept(self, *texts: str) -> Token | None:
        """Take the next token if it is one of these."""
        return self.take() if self.next.text in texts and self.next.kind != "end" else None

    def expect(self, text: str, why: str = "") -> Token:
        """Take the next token, which must be this one."""
        found = self.accept(text)
        if found is None:
            raise self.error(f"{text!r} is wanted here{why}")
        return found

    def listed(self, one: Callable[[], _T], closing: str) -> tuple[_T, ...]:
        """Read one or more, with commas between them, and the closing bracket."""
        found = [one()]
        while self.accept(","):
            found.append(one())
        self.expect(closing)
        return tuple(found)

    def error(self, message: str, token: Token | None = None) -> FormulaError:
        """Return an error that marks a token, or the next one."""
        return self.source.error(message, (token or self.next).span)

    def split(self, length: int) -> Token:
        """Take only the first characters of the next token, and leave the rest."""
        token = self.next
        start, stop = token.span
        if length == len(token.text):
            return self.take()
        self.end = start + length
        self._tokens[self.place] = Token(token.kind, token.text[length:], (self.end, stop))
        return Token(token.kind, token.text[:length], (start, self.end))
