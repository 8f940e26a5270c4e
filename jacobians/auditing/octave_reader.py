"""`read_octave`, `read_text`: right sides in Octave or MATLAB, and as books print them in plain text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Literal

from jacobians.auditing.formula_text import Source, Span, Token
from jacobians.auditing.terms import Kind, Term, mask_of, number
from jacobians.auditing.text_reader import CLOSING, SUMS, Grammar, Script, TextReader
from jacobians.auditing.words import Words
from jacobians.symbols.expressions import Number


def read_octave(source: Source, span: Span, scope: Words) -> Term:
    """Return the term of the right side of a formula in Octave or MATLAB; a semicolon may end it.

    Parameters and errors are those of `read_latex`.
    """
    text = source.part(span).rstrip().removesuffix(";")
    return _OctaveReader(source, (span[0], span[0] + len(text)), scope).whole()


def read_text(source: Source, span: Span, scope: Words) -> Term:
    """Return the term of an expression as books print it in plain text, or as Octave writes it.

    A product needs no sign, a function of one name or bracket no brackets of its own: log det X, tr(A' X B X'). The
    signs ᵀ, ⁻¹, ² and ∘ are read.

    Parameters and errors are those of `read_latex`.
    """
    return _TextbookReader(source, span, scope).whole()


OCTAVE = Grammar(
    tokens=re.compile(
        r"(?P<space>\s+)"
        r"|(?P<number>(?:\d+\.?\d*(?![*/^'])|\d+|\.\d+)(?:[eE][+-]?\d+)?)"
        r"|(?P<name>[^\W\d]\w*)"
        r"|(?P<sign>\.\*|\./|\.\^|\.'|[<>=~!]=|[-−+*/^'()\[\],;:@<>])"
    ),
    levels=(SUMS, {"*": "product", ".*": "star", "/": "divide", "./": "divide"}),
    signs={2: (2, 0)},
    plus=True,
    nesting=0,
    separators=(",", ";"),
    block="[ones(m, 1) X]",
    allowed="allowed are names, numbers, + - * .* / ./, ', slices such as (:, 2:end), [ones(m, 1) A], sum(A, 1), f(Z)",
)

_OF_OCTAVE: Mapping[str, Kind] = {**OCTAVE.levels[1], "/": "right_divide"}
TEXTBOOK = replace(
    OCTAVE,
    tokens=re.compile(
        r"(?P<space>\s+)"
        r"|(?P<number>(?:\d+\.?\d*(?![*/^'])|\d+|\.\d+)(?:[eE][+-]?\d+)?)"
        r"|(?P<name>[^\W\dᵀ]\w*?(?=ᵀ|\b))"
        r"|(?P<sign>\.\*|\./|\.\^|\.'|⁻¹|[-−+*/\\^'()\[\],:ᵀ²∘·⊗])"
    ),
    levels=(SUMS, {"∘": "star", "⊗": "kron"}, {"": "product", "·": "product", "\\": "left_divide", **_OF_OCTAVE}),
    signs={3: (3, 0)},
    allowed="allowed are names, numbers, products such as A X or A * X, + - / .* ∘, ', ᵀ, ^-1, brackets and functions",
)


class _OctaveReader(TextReader):
    grammar = OCTAVE
    as_in_books: ClassVar[bool] = False
    """Whether a sum without an axis is one of all entries, and ^ a power of the matrix."""
    largest_power: ClassVar[int] = 3

    def whole(self) -> Term:
        """Return what all tokens make; a comparison with 0 is a mask."""
        if self.tokens.next.kind == "end":
            raise self.source.error("the right side is empty", self.span)
        found = self._compared(self._expression(0), 0)
        if self.tokens.next.kind != "end":
            raise self._unread(self.tokens.next)
        return found

    def _compared(self, left: Term, depth: int) -> Term:
        sign = self.tokens.accept(">", "<", ">=", "<=")
        if sign is None:
            return left
        right = self._expression(self._deeper(depth))
        span = (left.span[0], right.span[1])
        found = mask_of(sign.text, left, right, lambda of: of, lambda of: of.detail == Number(0.0), span)
        if found is None:
            raise self.tokens.error("a comparison is with 0, as in z2 > 0", sign)
        return found

    def _bracketed(self, opening: str, depth: int) -> Term:
        self.tokens.expect(opening)
        found = self._compared(self._inside(depth), depth)
        self.tokens.expect(CLOSING[opening])
        return found

    def _factor(self, depth: int) -> Term:
        start = self.tokens.next.span[0]
        found = self._atom(depth)
        while script := self._script(found):
            depth = self._deeper(depth)
            found = self._attached(found, [script], start)
        return found

    def _atom(self, depth: int) -> Term:
        token = self.tokens.next
        if token.text == "(":
            return self._bracketed("(", depth)
        if token.text == "[":
            return self._block(depth)
        self.tokens.take()
        if token.kind == "number":
            return self.scope.number(float(token.text), self.source, token.span)
        if token.kind != "name":
            raise self._unread(token)
        if self.tokens.next.text == "(" and not self.scope.knows(token.text):
            return self._call(token, depth)
        return self.scope.name(token.text, self.source, token.span)

    def _script(self, of: Term) -> Script | None:
        start = self.tokens.next.span[0]
        kind: Literal["transpose", "power", "matrix_power", "part", "entries", "example", "reshape"] = "transpose"
        value: object = None
        # in a block a space before a bracket begins the next part, as in [zeros(3, 1) (A + B)]
        spaced = self._in_block and self.source.text[start - 1 : start].isspace()
        if power := self.tokens.accept("^", ".^"):
            kind = "matrix_power" if self.as_in_books and power.text == "^" else "power"
            value = self._exponent()
        elif not spaced and self.tokens.accept("("):
            kind, value = self._index(of)
        elif not self.tokens.accept("'", ".'"):
            return None
        return kind, value, self._since(start)

    def _exponent(self) -> object:
        sign = -1 if self.tokens.accept("-") else 1
        return sign * self._integer(1, self.largest_power)

    def _index(self, of: Term) -> tuple[Literal["part", "entries", "example", "reshape"], object]:
        """(:, 2:end), (2:end), (i, :) of a loop, or (:)."""
        keys = self.tokens.listed(self._slice, ")")
        counted = [axis for axis, key in enumerate(keys) if key == "example"]
        if counted:
            if len(counted) > 1 or any(key != (None, None) for axis, key in enumerate(keys) if axis not in counted):
                raise self.tokens.error("one example is a whole row or column, as in X(i, :)", self.tokens.peek(-1))
            return "example", (counted[0], True)
        if keys == ((None, None),):
            return "reshape", (-1, 1)
        return ("entries", keys[0]) if len(keys) == 1 else ("part", keys)

    def _call(self, token: Token, depth: int) -> Term:
        name = token.text
        self.tokens.expect("(")
        if name in ("ones", "zeros"):
            open_ = 1
            while open_:  # ones(m, 1) and zeros(size(A)): its length is the neighbour's
                taken = self.tokens.take()
                if taken.kind == "end" or not (taken.kind in ("name", "number") or taken.text in "(),:"):
                    raise self.tokens.error(f"{name} takes sizes such as ({name}(m, 1))", taken)
                open_ += {"(": 1, ")": -1}.get(taken.text, 0)
            span = self._since(token.span[0])
            return Term("ones", (), None, token.span) if name == "ones" else number(0.0, span)
        if name == "bsxfun":
            return self._bsxfun(token, depth)
        arguments, axis, whole = [self._compared(self._inside(depth), depth)], 0, self.as_in_books
        while self.tokens.accept(","):
            if name in ("sum", "mean", "size"):
                axis, whole = self._integer(1, 2) - 1, False
            else:
                arguments.append(self._inside(depth))
        self.tokens.expect(")")
        span = self._since(token.span[0])
        if name in ("sum", "mean"):
            kind: Kind = "sum" if name == "sum" else "mean"
            return Term(kind, tuple(arguments), (None, False) if whole else (axis, True), span)
        if name in ("size", "rows", "columns", "length", "numel"):
            return self.scope.length(arguments[0], 1 if name == "columns" else axis, self.source, span)
        if name in ("double", "single", "full") and len(arguments) == 1:
            return arguments[0]
        if name in ("transpose", "ctranspose") and len(arguments) == 1:
            return Term("transpose", tuple(arguments), None, span)
        if name in _ENTRYWISE and len(arguments) == 2:
            return Term(_ENTRYWISE[name], tuple(arguments), None, span)
        if name == "power" and len(arguments) == 2 and getattr(arguments[1].detail, "value", 0) in (1, 2, 3):
            return Term("power", (arguments[0],), int(arguments[1].detail.value), span)
        if name == "max" and len(arguments) == 2 and Number(0.0) in (arguments[0].detail, arguments[1].detail):
            of = arguments[1] if arguments[0].detail == Number(0.0) else arguments[0]
            return self.scope.call("relu", (of,), self.source, span)
        function = self.scope.function(name)
        if function is None:
            raise self.tokens.error(self.scope.no_function(name), token)
        return self.scope.call(function, arguments, self.source, span)

    def _bsxfun(self, token: Token, depth: int) -> Term:
        """bsxfun(@times, A, B)."""
        self.tokens.expect("@", ", as in bsxfun(@times, A, B)")
        operator = self.tokens.take()
        if operator.text not in _ENTRYWISE:
            raise self.tokens.error(f"bsxfun takes one of @{', @'.join(_ENTRYWISE)}", operator)
        self.tokens.expect(",")
        first = self._inside(depth)
        self.tokens.expect(",")
        second = self._inside(depth)
        self.tokens.expect(")")
        return Term(_ENTRYWISE[operator.text], (first, second), None, self._since(token.span[0]))

    def _slice(self) -> tuple[int | None, int | None] | Literal["example"]:
        """: or 2:end, counted from 1 with the end included; or the number of the example in a loop."""
        if self.tokens.accept(":"):
            return None, None
        if self.tokens.next.text in self.scope.loops:
            self.tokens.take()
            return "example"
        first = self._integer(1, 10**6)
        start = first - 1 or None
        if self.tokens.next.text in (",", ")"):
            return first - 1, first
        self.tokens.expect(":", ", as in (:, 2:end)")
        if not self.tokens.accept("end"):
            return start, self._integer(0, 10**6)
        return start, -self._integer(1, 10**6) if self.tokens.accept("-") else None

    def _integer(self, least: int, most: int) -> int:
        token = self.tokens.next
        if token.kind != "number" or not token.text.isdigit() or len(token.text) > 7:
            raise self.tokens.error("a small whole number is wanted here")
        if not least <= int(token.text) <= most:
            raise self.tokens.error(f"a whole number from {least} to {most} is wanted here")
        return int(self.tokens.take().text)


class _TextbookReader(_OctaveReader):
    grammar = TEXTBOOK
    as_in_books = True
    largest_power = 9
    _exponents = 0

    def _exponent(self) -> object:
        """A number, or a term: a name or what stands in brackets; a minus may stand before it."""
        start, negative = self.tokens.next.span[0], False
        while self.tokens.accept("-", "−"):
            negative = not negative
        found: Any = self._unsigned_exponent()
        if not negative:
            return found
        return Term("negative", (found,), None, self._since(start)) if isinstance(found, Term) else -found

    def _unsigned_exponent(self) -> object:
        token = self.tokens.next
        if token.kind == "number" and not token.text.isdigit():
            return float(self.tokens.take().text)
        if token.kind != "name" and token.text != "(":
            return self._integer(1, self.largest_power)
        self._exponents += 10  # exponents of exponents are as deep as brackets
        found = self._atom(self._deeper(self._exponents))
        self._exponents -= 10
        return found

    def _begins(self, token: Token) -> bool:
        return token.kind in ("number", "name") or token.text == "("

    def _atom(self, depth: int) -> Term:
        token = self.tokens.next
        if token.kind == "name" and (function := self.scope.function(token.text)) and self.tokens.peek(1).text != "(":
            self.tokens.take()
            if not self._begins(self.tokens.next):
                raise self.tokens.error(f"{token.text} is a function; write {token.text}(X)", token)
            inside = self._factor(self._deeper(depth))
            return self.scope.call(function, (inside,), self.source, self._since(token.span[0]))
        return super()._atom(depth)

    def _script(self, of: Term) -> Script | None:
        start = self.tokens.next.span[0]
        if self.tokens.accept("ᵀ"):
            return "transpose", None, self._since(start)
        if sign := self.tokens.accept("⁻¹", "²"):
            return "matrix_power", 2 if sign.text == "²" else -1, self._since(start)
        if self.tokens.next.text == "(" and [self.tokens.peek(k).text for k in (1, 2)] != [":", ")"]:
            return None
        return super()._script(of)


_ENTRYWISE: dict[str, Kind] = {"times": "star", "plus": "plus", "minus": "minus", "rdivide": "divide"}
