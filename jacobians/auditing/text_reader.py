r"""`TextReader`: a formula's right side as a term, by one parser for each notation that states a table for it.

A `Grammar` is the table: the tokens, and the operators with how closely each binds.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

from jacobians.auditing.formula_text import MAX_DEPTH, Source, Span, Token, Tokens
from jacobians.auditing.terms import Kind, Term
from jacobians.auditing.words import Words
from jacobians.errors import FormulaError
from jacobians.symbols.expressions import Number


@dataclass(frozen=True)
class Grammar:
    """What a notation writes.

    Attributes
    ----------
    tokens : re.Pattern
        With a named group for each kind of token; what is called "space" is left out.
    levels : tuple of dict
        The operators between two terms, those that bind least first; operators of one level go from left to right. The
        operator "" is the product of what stands side by side.
    signs : dict of int to (int, int)
        The levels at which a sign may stand first, each with the level of what the sign is for, and with how much
        deeper that lies in the tree.
    plus : bool
        Whether + may be such a sign.
    nesting : int
        How much deeper in the tree the inside of a bracket lies.
    separators : tuple of str
        Between the parts of a block.
    block : str
        An example of a block.
    allowed : str
        What may be written, for the errors.
    """

    tokens: re.Pattern[str]
    levels: tuple[Mapping[str, Kind], ...]
    signs: Mapping[int, tuple[int, int]]
    plus: bool
    nesting: int
    separators: tuple[str, ...]
    block: str
    allowed: str


SUMS: Mapping[str, Kind] = {"+": "plus", "-": "minus", "−": "minus"}

CLOSING = {"(": ")", "{": "}", "[": "]"}


Script: TypeAlias = tuple[
    Literal[
        "index", "transpose", "power", "matrix_power", "prime", "part", "reshape", "entries", "example", "elements"
    ],
    object,
    Span,
]
"""What is attached to a name or a bracket, with its value and its place."""


class TextReader(ABC):
    """Reads one right side: each level of the table reads its operators between terms of the next closer level."""

    grammar: ClassVar[Grammar]

    def __init__(self, source: Source, span: Span, scope: Words) -> None:
        self.source, self.span, self.scope = source, span, scope
        self.tokens = Tokens(source, span, self.grammar.tokens)
        self._in_block = False

    def whole(self) -> Term:
        """Return what all tokens make."""
        if self.tokens.next.kind == "end":
            raise self.source.error("the right side is empty", self.span)
        found = self._expression(0)
        if self.tokens.next.kind != "end":
            raise self._unread(self.tokens.next)
        return found

    def _expression(self, depth: int, level: int = 0) -> Term:
        grammar, start = self.grammar, self.tokens.next.span[0]
        closest = level == len(grammar.levels)
        if closest:
            depth = self._deeper(depth)
        if level in grammar.signs and (sign := self.tokens.accept("-", "−", *["+"] * grammar.plus)):
            operand, deeper = grammar.signs[level]
            found = self._expression(self._deeper(depth, deeper), operand)
            found = found if sign.text == "+" else Term("negative", (found,), None, self._since(start))
        else:
            found = self._factor(depth) if closest else self._expression(depth, level + 1)
        while not closest and (kind := self._operator(level)):
            depth += 1
            found = Term(kind, (found, self._expression(depth, level + 1)), None, self._since(start))
        return found

    def _operator(self, level: int) -> Kind | None:
        """Take an operator of a level, if one is next."""
        while not self._in_block and self.tokens.accept("\\;"):
            pass
        operators, token = self.grammar.levels[level], self.tokens.next
        if token.text == "*" and "" in self.grammar.levels[-1]:  # in LaTeX it is either product
            self.scope.asked["*"] = ("a matrix product", "a product entry by entry")
            if self.scope.choices.get("*", "a matrix product") != "a matrix product":
                return "hadamard" if "\\circ" in operators and self.tokens.accept("*") else None
        if operators.get(token.text) == "kron" and self.scope.function("kron") is None:
            return None  # no formula of a network has one
        if self.tokens.accept(*operators):
            return self._of_entries(operators[token.text])
        if (
            not self._begins(token)
            or "" not in operators
            or any(token.text in others for others in self.grammar.levels)
        ):
            return None
        return self._of_entries(operators[""])

    def _begins(self, token: Token) -> bool:
        """Whether a token begins a factor, and so a product without a sign."""
        return token.kind in ("number", "letters", "command", "opening")

    def _of_entries(self, kind: Kind) -> Kind:
        """Between entries, every product is one of numbers."""
        return "star" if self.scope.elements and kind in ("product", "hadamard") else kind

    @abstractmethod
    def _factor(self, depth: int) -> Term:
        """Read what no operator divides, with all that is attached to it."""

    def _attached(self, of: Term, scripts: list[Script], start: int) -> Term:
        self._deeper(0, len(scripts))
        for kind, value, place in scripts:
            if kind == "prime":
                raise self.source.error("a prime marks the derivative of a function", place)
            if kind == "elements":
                of = self._elements_of(of, str(value), (start, place[1]))
                continue
            if kind == "example" and value is None:
                of = self._one_example(of, (start, place[1]))
                continue
            if kind != "index":
                of = Term(kind, (of,), value, (start, place[1]))
            elif of.kind != "leaf":
                raise self.source.error("an index belongs to a name", place)
        return of

    def _elements_of(self, of: Term, letters: str, span: Span) -> Term:
        """w_{jk} and a_k, laid along the axes that the left side gives its letters."""
        whole = self.scope.elements
        if not whole or not set(letters) <= set(whole) or len(letters) > 2:
            raise self.source.error(
                f"the entries {letters} are not those of the left side, and no sum is over them", span
            )
        if len(letters) == 2:
            return of if letters == whole else Term("transpose", (of,), None, span)
        return Term("reshape", (of,), (-1, 1) if whole[0] == letters else (1, -1), span)

    def _one_example(self, of: Term, span: Span) -> Term:
        """x^{(i)}, as a column."""
        axis = 1 - self.scope.feature_axis % 2
        one = Term("example", (of,), (axis, True), span)
        return one if axis else Term("transpose", (one,), None, span)

    def _bracketed(self, opening: str, depth: int) -> Term:
        self.tokens.expect(opening)
        found = self._inside(depth)
        self.tokens.expect(CLOSING[opening])
        return found

    def _inside(self, depth: int, *, in_block: bool = False) -> Term:
        """Read a sum within brackets."""
        outside, self._in_block = self._in_block, in_block
        found = self._expression(self._deeper(depth, self.grammar.nesting))
        self._in_block = outside
        return found

    def _block(self, depth: int) -> Term:
        """[1 A] or [0 A], side by side or one above the other; where no product is without a sign, a space will do."""
        opening = self.tokens.expect("[")
        parts, down, spaced = [self._inside(depth, in_block=True)], False, "" not in self.grammar.levels[-1]
        while (mark := self.tokens.accept(*self.grammar.separators)) or (spaced and self.tokens.next.text != "]"):
            down = down or (mark is not None and mark.text in (";", "\\\\"))
            parts.append(self._inside(depth, in_block=True))
        self.tokens.expect("]")
        found = block_of(parts, 0 if down else 1, self._since(opening.span[0]))
        if found is None:
            raise self.tokens.error(f"a block is a matrix beside ones or zeros, as in {self.grammar.block}", opening)
        return found

    def _deeper(self, depth: int, by: int = 1) -> int:
        if by and depth + by > MAX_DEPTH:
            raise self.tokens.error("the formula is too deep")
        return depth + by

    def _unread(self, token: Token) -> FormulaError:
        what = "the formula ends here too early" if token.kind == "end" else f"{token.text!r} is not read here"
        return self.tokens.error(f"{what}; {self.grammar.allowed}", token)

    def _since(self, start: int) -> Span:
        return start, max(self.tokens.end, start + 1)


def block_of(parts: list[Term], axis: int, span: Span) -> Term | None:
    """Return [1 A], [A 1], [0 A] or [A 0] along an axis, or None for any other block."""
    if len(parts) != 2:
        return None
    for edge, of, first in ((parts[0], parts[1], True), (parts[1], parts[0], False)):
        plain = edge.parts[0] if edge.kind == "transpose" else edge
        value = plain.detail.value if isinstance(plain.detail, Number) else None
        if plain.kind == "ones" or value == 1:
            return Term("with_ones", (of,), (axis, first), span)
        if value == 0:
            margins = [(0, 0), (0, 0)]
            margins[axis] = (1, 0) if first else (0, 1)
            return Term("placed", (of,), tuple(margins), span)
    return None
