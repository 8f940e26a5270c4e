"""`Source`: a formula's text, the limits on it, and errors that mark a place in it."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TypeAlias

from jacobians.errors import FormulaError

__all__ = ["MAX_DEPTH", "MAX_LENGTH", "MAX_NESTING", "Source", "Span"]


Span: TypeAlias = tuple[int, int]
"""The first character, and the one after the last."""

MAX_LENGTH = 2000
MAX_NESTING = 50
"""Of brackets."""
MAX_DEPTH = 120
"""Of the tree: a sum of n terms is a tree of depth n."""

_WINDOW = 72
_CLOSING = {")": "(", "]": "[", "}": "{"}


@dataclass(frozen=True)
class Source:
    """A formula as it was given, one character for one character, in one line.

    Examples
    --------
    >>> print(Source.of("dW1 = X.T @ Z9").error("'Z9' is unknown", (12, 14)))
    audit: 'Z9' is unknown
        dW1 = X.T @ Z9
                    ^^
    """

    text: str

    @classmethod
    def of(cls, formula: str) -> Source:
        """Return the source of a formula.

        Raises
        ------
        FormulaError
            If it is empty, too long, holds a control character, or its brackets do not match or lie too deep.
        """
        if not isinstance(formula, str):
            raise FormulaError(f"audit: a formula is a text such as 'dW1 = X.T @ dZ1', not {type(formula).__name__}")
        if len(formula) > MAX_LENGTH:
            raise FormulaError(f"audit: the formula has {len(formula)} characters; at most {MAX_LENGTH} are read")
        text = "".join(" " if c in "\n\r\t" else c for c in formula)
        source = cls(text)
        if not text.strip():
            raise FormulaError("audit: the formula is empty; write one such as 'dW1 = X.T @ dZ1'")
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
            f"audit: {message}\n    {before}{shown}{after}\n    {' ' * (start - first + len(before))}{carets}"
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
