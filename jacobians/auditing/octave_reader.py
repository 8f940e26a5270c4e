"""`parse_octave`: Octave and MATLAB code as a term: ' transposes, * is the matrix product, .* goes entry by entry."""

from __future__ import annotations

import re

from jacobians.auditing.reading import Reading
from jacobians.auditing.source import MAX_DEPTH, Source, Span
from jacobians.auditing.terms import Kind, Term, block_of, negative, number
from jacobians.auditing.tokens import Token, Tokens
from jacobians.symbols.expressions import Slices

__all__ = ["parse_octave"]


_PATTERN = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<number>(?:\d+\.?\d*(?![*/^'])|\d+|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[^\W\d]\w*)"
    r"|(?P<sign>\.\*|\./|\.\^|\.'|[-−+*/^'()\[\],;:])"
)
_PRODUCTS: dict[str, Kind] = {"*": "product", ".*": "star", "/": "divide", "./": "divide"}
_ALLOWED = "allowed are names, numbers, + - * .* / ./, ', slices such as (:, 2:end), [ones(m, 1) A], sum(A, 1), f(Z)"


def parse_octave(source: Source, span: Span, reading: Reading) -> Term:
    """Return the term of the right side of a formula in Octave.

    Parameters
    ----------
    source : Source
    span : (int, int)
        Where the right side stands; a semicolon may end it.
    reading : Reading
        What names mean.

    Raises
    ------
    FormulaError
        For everything that is not on the list of what is allowed.
    """
    text = source.part(span).rstrip().removesuffix(";")
    parser = _Octave(Tokens(source, (span[0], span[0] + len(text)), _PATTERN), reading)
    return parser.tokens.whole(parser.sum, _ALLOWED)


class _Octave:
    def __init__(self, tokens: Tokens, reading: Reading) -> None:
        self.tokens, self.reading = tokens, reading

    def sum(self, depth: int) -> Term:
        start = self.tokens.next.span[0]
        found = self._product(depth)
        while sign := self.tokens.accept("+", "-", "−"):
            depth += 1
            right = self._product(depth)
            found = Term("plus" if sign.text == "+" else "minus", (found, right), None, self._since(start))
        return found

    def _product(self, depth: int) -> Term:
        """* and .* bind equally closely, from left to right."""
        start = self.tokens.next.span[0]
        found = self._signed(depth)
        while operator := self.tokens.accept(*_PRODUCTS):
            depth += 1
            right = self._signed(depth)
            found = Term(_PRODUCTS[operator.text], (found, right), None, self._since(start))
        return found

    def _signed(self, depth: int) -> Term:
        start = self.tokens.next.span[0]
        depth = self._deeper(depth)
        if self.tokens.accept("-", "−"):
            return negative(self._signed(depth), self._since(start))
        if self.tokens.accept("+"):
            return self._signed(depth)
        found = self._atom(depth)
        while True:
            if self.tokens.accept("'", ".'"):
                found = Term("transpose", (found,), None, self._since(start))
            elif self.tokens.accept("^", ".^"):
                sign = -1 if self.tokens.accept("-") else 1
                found = Term("power", (found,), sign * self._integer(1, 3), self._since(start))
            elif self.tokens.next.text == "(":
                found = Term("part", (found,), self._slices(), self._since(start))
            else:
                return found

    def _atom(self, depth: int) -> Term:
        token = self.tokens.take()
        if token.kind == "number":
            return self.reading.number(float(token.text), self.tokens.source, token.span)
        if token.text == "(":
            found = self.sum(depth)
            self.tokens.expect(")")
            return found
        if token.text == "[":
            return self._block(token, depth)
        if token.kind == "name" and self.tokens.next.text == "(" and self.reading.scope.symbol(token.text) is None:
            return self._call(token, depth)
        if token.kind == "name":
            return self.reading.name(token.text, self.tokens.source, token.span)
        what = "the formula ends here too early" if token.kind == "end" else f"{token.text!r} is not read here"
        raise self.tokens.error(f"{what}; {_ALLOWED}", token)

    def _call(self, token: Token, depth: int) -> Term:
        self.tokens.expect("(")
        if token.text in ("ones", "zeros"):
            while self.tokens.next.text != ")":  # ones(m, 1): its length is the neighbour's
                if self.tokens.next.kind not in ("name", "number") and self.tokens.next.text != ",":
                    raise self.tokens.error(f"{token.text} takes sizes such as ({token.text}(m, 1))")
                self.tokens.take()
            self.tokens.expect(")")
            return Term("ones", (), None, token.span) if token.text == "ones" else number(0.0, token.span)
        arguments = [self.sum(depth)]
        axis = None
        while self.tokens.accept(","):
            if token.text == "sum":
                axis = self._integer(1, 2) - 1
            else:
                arguments.append(self.sum(depth))
        self.tokens.expect(")")
        span = self._since(token.span[0])
        if token.text == "sum":
            return Term("sum", (arguments[0],), (axis or 0, True), span)
        function = self.reading.scope.function(token.text)
        if function is None:
            near = self.reading.scope.near(token.text)
            raise self.tokens.error(f"{token.text!r} is no function that is known here; {near}", token)
        return self.reading.call(function, arguments, self.tokens.source, span)

    def _block(self, opening: Token, depth: int) -> Term:
        parts, down = [self.sum(depth)], False
        while self.tokens.next.text != "]":
            down = down or self.tokens.next.text == ";"
            self.tokens.accept(",", ";")
            parts.append(self.sum(depth))
        self.tokens.expect("]")
        found = block_of(parts, 0 if down else 1, self._since(opening.span[0]))
        if found is None:
            raise self.tokens.error("a block is a matrix beside ones or zeros, as in [ones(m, 1) X]", opening)
        return found

    def _slices(self) -> Slices:
        """(:, 2:end), counted from 1 with the end included."""
        self.tokens.expect("(")
        found: list[tuple[int | None, int | None]] = []
        while True:
            if self.tokens.accept(":"):
                found.append((None, None))
            else:
                start = self._integer(1, 10**6) - 1
                self.tokens.expect(":", ", as in (:, 2:end)")
                found.append((start or None, self._end()))
            if not self.tokens.accept(","):
                self.tokens.expect(")")
                return tuple(found)

    def _end(self) -> int | None:
        if not self.tokens.accept("end"):
            return self._integer(0, 10**6)
        return -self._integer(1, 10**6) if self.tokens.accept("-") else None

    def _integer(self, least: int, most: int) -> int:
        token = self.tokens.next
        if token.kind != "number" or not token.text.isdigit() or len(token.text) > 7:
            raise self.tokens.error("a small whole number is wanted here")
        if not least <= int(token.text) <= most:
            raise self.tokens.error(f"a whole number from {least} to {most} is wanted here")
        return int(self.tokens.take().text)

    def _deeper(self, depth: int) -> int:
        if depth + 1 > MAX_DEPTH:
            raise self.tokens.error("the formula is too deep")
        return depth + 1

    def _since(self, start: int) -> Span:
        return start, max(self.tokens.peek(-1).span[1], start + 1)
