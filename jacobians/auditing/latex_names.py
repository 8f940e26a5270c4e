r"""`NameReader`: names as LaTeX writes them, with their scripts: \delta^{(3)}, {W_1}^{\top}, \mathrm{d}Z_{1}, g'."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from jacobians.auditing.source import Source, Span
from jacobians.auditing.tokens import Token, Tokens
from jacobians.symbols.expressions import Slices

__all__ = ["GREEK", "PATTERN", "NameReader", "Script"]


PATTERN = re.compile(
    r"(?P<space>\s+|~|\\[,:! ]|\\(?:left|right|big|Big|bigl|bigr|Bigl|Bigr|displaystyle|limits|quad|qquad)(?![A-Za-z]))"
    r"|(?P<separator>\\;|\\\\|[;,&])"
    r"|(?P<command>\\[A-Za-z]+|\\[_#$%&{}])"
    r"|(?P<number>(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)"
    r"|(?P<letters>[^\W\d_]+)"
    r"|(?P<primes>['′]+)"
    r"|(?P<sign>[-−+*/^_{}()\[\]:=⊙∘·])"
)
GREEK = ("alpha", "delta", "Delta", "lambda", "theta", "Theta", "sigma", "Phi", "phi", "eta")
_STYLES = (
    "mathrm",
    "text",
    "mathit",
    "mathbf",
    "boldsymbol",
    "bm",
    "mathsf",
    "operatorname",
    "vec",
    "textbf",
    "mathbb",
)
_TRANSPOSES = ("T", "\\top", "\\intercal")


Script: TypeAlias = tuple[Literal["index", "transpose", "power", "prime", "part", "shape"], object, Span]
"""What is attached to a name or a bracket, in the order in which it stands."""


@dataclass(frozen=True)
class NameReader:
    """Reads names and scripts from tokens."""

    tokens: Tokens

    @property
    def source(self) -> Source:
        """The formula."""
        return self.tokens.source

    def base(self) -> tuple[str, Span] | None:
        r"""Take a name without its scripts: ``\mathrm{d}\Theta`` is dTheta; return None if no name is next."""
        token = self.tokens.next
        if token.kind == "letters":
            self.tokens.take()
            return token.text, token.span
        if token.kind != "command":
            return None
        word = token.text[1:]
        if word in GREEK or word in ("tanh", "log", "ln", "exp"):
            self.tokens.take()
            return word, token.span
        if word in ("hat", "widehat"):
            self.tokens.take()
            inner, end = self._argument()
            return f"{inner}hat", (token.span[0], end)
        if word in _STYLES:
            self.tokens.take()
            inner, end = self._argument()
            if inner in ("d", "1"):
                following = self.base() if inner == "d" and self._name_follows() else None
                if following is not None:
                    return f"d{following[0]}", (token.span[0], following[1][1])
            return inner, (token.span[0], end)
        return None

    def _name_follows(self) -> bool:
        token = self.tokens.next
        word = token.text[1:]
        return token.kind == "letters" or (
            token.kind == "command" and (word in GREEK or word in _STYLES or word.endswith("hat"))
        )

    def _argument(self) -> tuple[str, int]:
        """The text of a braced argument, or of one token, without commands."""
        if not self.tokens.accept("{"):
            token = self.tokens.take()
            return token.text.removeprefix("\\"), token.span[1]
        start = self.tokens.next.span[0]
        depth = 1
        while depth:
            token = self.tokens.take()
            if token.kind == "end":
                raise self.tokens.error("a closing brace is wanted here", token)
            depth += {"{": 1, "}": -1}.get(token.text, 0)
        text = self.source.part((start, token.span[0]))
        return re.sub(r"\\ ", " ", text).replace("\\_", "_").replace("\\", "").strip(" {}"), token.span[1]

    # --- scripts ---------------------------------------------------------------------------------

    def scripts(self) -> list[Script]:
        """Take everything that is attached by ^, _ and primes."""
        found: list[Script] = []
        while True:
            token = self.tokens.next
            if token.kind == "primes":
                self.tokens.take()
                found.append(("prime", len(token.text), token.span))
            elif token.text == "^":
                self.tokens.take()
                found += self._above()
            elif token.text == "_":
                self.tokens.take()
                found.append(self._below())
            else:
                return found

    def _above(self) -> list[Script]:
        if not self.tokens.accept("{"):
            return [self._above_one(braced=False)]
        found: list[Script] = []
        while not self.tokens.accept("}"):
            found.append(self._above_one(braced=True))
        end = self.tokens.peek(-1).span[1]
        return [*found[:-1], *((kind, value, (span[0], end)) for kind, value, span in found[-1:])]

    def _above_one(self, *, braced: bool) -> Script:
        token = self.tokens.next
        if token.kind == "letters" and token.text[0] == "T" and (not braced or token.text == "T"):
            return "transpose", None, self.tokens.split(1).span
        if token.text in _TRANSPOSES:
            return "transpose", None, self.tokens.take().span
        if token.kind == "command" and token.text[1:] in _STYLES:
            self.tokens.take()
            inner, end = self._argument()
            if inner in ("T", "top"):
                return "transpose", None, (token.span[0], end)
        if token.text in ("\\prime", "'"):
            return "prime", 1, self.tokens.take().span
        if token.text in ("(", "["):
            self.tokens.take()
            index = self._digits()
            closing = self.tokens.expect(")" if token.text == "(" else "]")
            return "index", index, (token.span[0], closing.span[1])
        sign = -1 if self.tokens.accept("-", "−") else 1
        digits = self._digits()
        if int(digits) not in (1, 2, 3):
            raise self.tokens.error("an exponent is one of -3, -2, -1, 1, 2, 3", token)
        return "power", sign * int(digits), token.span

    def _below(self) -> Script:
        token = self.tokens.next
        if not self.tokens.accept("{"):
            return "index", self._digits(), token.span
        found: Script
        if self.tokens.accept("["):
            found = "part", self._slices(), token.span
        elif self.tokens.next.text in ("\\mathrm", "\\text"):
            self.tokens.take()
            if self._argument()[0] != "as":
                raise self.tokens.error("an index is a number, or slices such as [:, 1:]", token)
            dims = [int(self._digits())]
            while self.tokens.accept("\\times"):
                dims.append(int(self._digits()))
            found = "shape", tuple(dims), token.span
        elif bracket := self.tokens.accept("(", "["):
            found = "index", self._digits(), token.span
            self.tokens.expect(")" if bracket.text == "(" else "]")
        else:
            found = "index", self._digits(), token.span
        end = self.tokens.expect("}").span[1]
        return found[0], found[1], (token.span[0], end)

    def _digits(self) -> str:
        token: Token = self.tokens.next
        if token.kind != "number" or not token.text.isascii() or not token.text.isdigit() or len(token.text) > 6:
            raise self.tokens.error("an index or an exponent is a small whole number", token)
        return self.tokens.take().text

    def _slices(self) -> Slices:
        slices: list[tuple[int | None, int | None]] = []
        while True:
            start = self._bound()
            self.tokens.expect(":", ", as in [:, 1:]")
            slices.append((start, self._bound()))
            if not self.tokens.accept(","):
                self.tokens.expect("]")
                return tuple(slices)

    def _bound(self) -> int | None:
        sign = -1 if self.tokens.accept("-", "−") else 1
        return sign * int(self._digits()) if self.tokens.next.kind == "number" else None
