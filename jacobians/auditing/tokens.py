"""`Tokens`: a formula cut into tokens, and the cursor that the parsers of LaTeX and Octave move over it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from jacobians.auditing.source import Source, Span
from jacobians.auditing.terms import Term
from jacobians.errors import FormulaError

__all__ = ["Token", "Tokens"]


@dataclass(frozen=True)
class Token:
    """A piece of a formula.

    Attributes
    ----------
    kind : str
        The group of the pattern that found it; "end" after the last.
    text : str
    span : (int, int)
    """

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
        With a named group for each kind; what is called "space" is left out.

    Raises
    ------
    FormulaError
        If a character begins no token.
    """

    def __init__(self, source: Source, span: Span, pattern: re.Pattern[str]) -> None:
        self.source, self._span = source, span
        self.place = 0
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

    def peek(self, ahead: int = 1) -> Token:
        """Return a later token."""
        return self._tokens[min(self.place + ahead, len(self._tokens) - 1)]

    def take(self) -> Token:
        """Return the token under the cursor, and move on."""
        token = self.next
        self.place = min(self.place + 1, len(self._tokens) - 1)
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

    def error(self, message: str, token: Token | None = None) -> FormulaError:
        """Return an error that marks a token, or the next one."""
        return self.source.error(message, (token or self.next).span)

    def whole(self, read: Callable[[int], Term], allowed: str) -> Term:
        """Return what `read` makes of all tokens, from depth 0.

        Raises
        ------
        FormulaError
            If there is none, or one is left over.
        """
        if self.next.kind == "end":
            raise self.source.error("the right side is empty", self._span)
        found = read(0)
        if self.next.kind != "end":
            raise self.error(f"{self.next.text!r} is not read here; {allowed}")
        return found

    def split(self, length: int) -> Token:
        """Take only the first characters of the next token, and leave the rest."""
        token = self.next
        start, stop = token.span
        head = Token(token.kind, token.text[:length], (start, start + length))
        if length == len(token.text):
            return self.take()
        self._tokens[self.place] = Token(token.kind, token.text[length:], (start + length, stop))
        return head
