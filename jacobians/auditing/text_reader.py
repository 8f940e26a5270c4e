r"""`read_latex`, `read_octave`: a formula's right side as a term, by one parser and a table for each notation.

A `Grammar` is the table: the tokens, and the operators with how closely each binds. What it does not hold is what the
notations do not share: Octave's ' and (:, 2:end), and LaTeX's names with their scripts, \delta^{(3)} or {W_1}^{\top}.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, TypeAlias

from jacobians.auditing.formula_text import MAX_DEPTH, Source, Span, Token, Tokens
from jacobians.auditing.terms import Kind, Term, mask_of, number, positions
from jacobians.auditing.words import Words
from jacobians.errors import FormulaError
from jacobians.symbols.expressions import Number


def read_latex(source: Source, span: Span, scope: Words) -> Term:
    """Return the term of the right side of a formula in LaTeX.

    Parameters
    ----------
    source : Source
    span : (int, int)
        Where the right side stands.
    scope : Words
        What names mean.

    Raises
    ------
    FormulaError
        Where the text is not of the small language.
    """
    return _LatexReader(source, span, scope).whole()


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


# --- the tables ----------------------------------------------------------------------------------


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


_SUMS: Mapping[str, Kind] = {"+": "plus", "-": "minus", "−": "minus"}

LATEX = Grammar(
    tokens=re.compile(
        r"(?P<space>\s+|~|\\[,:! ]"
        r"|\\(?:left|right|big|Big|bigl|bigr|Bigl|Bigr|displaystyle|limits|quad|qquad)(?![A-Za-z]))"
        r"|(?P<separator>\\;|\\\\|[;,&])"
        r"|(?P<command>\\[A-Za-z]+|\\[_#$%&{}])"
        r"|(?P<number>(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)"
        r"|(?P<letters>[^\W\d_]+)"
        r"|(?P<primes>['′]+)"
        r"|(?P<opening>[({\[])"
        r"|(?P<sign>\.\*|\./|[-−+*/^_})\]:=⊙∘·])"
    ),
    levels=(
        _SUMS,
        {
            **dict.fromkeys(("\\circ", "\\odot", "⊙", "∘", ".*", "\\bullet", "\\star"), "hadamard"),
            **{"./": "divide", "\\otimes": "kron"},
        },
        {
            **dict.fromkeys(("/", "\\div"), "divide"),
            **dict.fromkeys(("", "\\cdot", "\\times", "\\ast", "*", "·"), "product"),
        },
    ),
    signs={0: (1, 0), 2: (2, 2)},
    plus=False,
    nesting=1,
    separators=("\\;", "\\\\", ";", ",", "&"),
    block=r"[\mathbf{1} \; X]",
    allowed=r"allowed are names such as \delta^{(3)} and W_1, ^T, \circ, \odot, \frac, +, -, /, brackets, "
    r"[\mathbf{1} \; X], \sigma'(Z_1), \mathbf{1}",
)

OCTAVE = Grammar(
    tokens=re.compile(
        r"(?P<space>\s+)"
        r"|(?P<number>(?:\d+\.?\d*(?![*/^'])|\d+|\.\d+)(?:[eE][+-]?\d+)?)"
        r"|(?P<name>[^\W\d]\w*)"
        r"|(?P<sign>\.\*|\./|\.\^|\.'|[<>=~!]=|[-−+*/^'()\[\],;:@<>])"
    ),
    levels=(_SUMS, {"*": "product", ".*": "star", "/": "divide", "./": "divide"}),
    signs={2: (2, 0)},
    plus=True,
    nesting=0,
    separators=(",", ";"),
    block="[ones(m, 1) X]",
    allowed="allowed are names, numbers, + - * .* / ./, ', slices such as (:, 2:end), [ones(m, 1) A], sum(A, 1), f(Z)",
)

_OF_OCTAVE = OCTAVE.levels[1]
TEXTBOOK = replace(
    OCTAVE,
    tokens=re.compile(
        r"(?P<space>\s+)"
        r"|(?P<number>(?:\d+\.?\d*(?![*/^'])|\d+|\.\d+)(?:[eE][+-]?\d+)?)"
        r"|(?P<name>[^\W\dᵀ]\w*?(?=ᵀ|\b))"
        r"|(?P<sign>\.\*|\./|\.\^|\.'|⁻¹|[-−+*/^'()\[\],ᵀ²∘·⊗])"
    ),
    levels=(_SUMS, {"∘": "star", "⊗": "kron"}, {"": "product", "·": "product", **_OF_OCTAVE}),
    signs={3: (3, 0)},
    allowed="allowed are names, numbers, products such as A X or A * X, + - / .* ∘, ', ᵀ, ^-1, brackets and functions",
)

_CLOSING = {"(": ")", "{": "}", "[": "]"}


# --- the parser ----------------------------------------------------------------------------------


Script: TypeAlias = tuple[
    Literal[
        "index", "transpose", "power", "matrix_power", "prime", "part", "reshape", "entries", "example", "elements"
    ],
    object,
    Span,
]
"""What is attached to a name or a bracket, with its value and its place."""


class _Reader(ABC):
    """One right side being read: each level of the table reads terms of the next closer level, and its operators."""

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
        self.tokens.expect(_CLOSING[opening])
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
        found = _block_of(parts, 0 if down else 1, self._since(opening.span[0]))
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


def _block_of(parts: list[Term], axis: int, span: Span) -> Term | None:
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


# --- Octave --------------------------------------------------------------------------------------


class _OctaveReader(_Reader):
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
        self.tokens.expect(_CLOSING[opening])
        return found

    def _factor(self, depth: int) -> Term:
        start = self.tokens.next.span[0]
        found = self._atom(depth)
        while script := self._script(found):
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
            sign = -1 if self.tokens.accept("-") else 1
            value = sign * self._integer(1, self.largest_power)
        elif not spaced and self.tokens.accept("("):
            kind, value = self._index(of)
        elif not self.tokens.accept("'", ".'"):
            return None
        return kind, value, self._since(start)

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
        return None if self.tokens.next.text == "(" else super()._script(of)


_ENTRYWISE: dict[str, Kind] = {"times": "star", "plus": "plus", "minus": "minus", "rdivide": "divide"}


# --- LaTeX ---------------------------------------------------------------------------------------


_GREEK = (
    *("alpha", "beta", "gamma", "delta", "epsilon", "eta", "theta", "kappa", "lambda", "mu", "nu", "rho", "sigma"),
    *("tau", "phi", "psi", "omega", "Gamma", "Delta", "Theta", "Lambda", "Sigma", "Phi", "Psi", "Omega"),
)
_ELEMENTS = "ijkpqrs"
_LAYERS = ("l", "L", "k", "i", "j", "n")
_FUNCTIONS = ("tanh", "log", "ln", "exp", "det", "sin", "cos")
_FRACTIONS = ("\\frac", "\\dfrac", "\\tfrac")
_STYLES = (
    *("mathrm", "text", "mathit", "mathbf", "boldsymbol", "bm", "mathsf", "operatorname", "vec", "textbf", "mathbb"),
    *("mathcal", "mathscr"),
)


@dataclass(frozen=True)
class LatexNames:
    r"""Reads names and their scripts: ``\delta^{(3)}``, ``{W_1}^{\top}``, ``\mathrm{d}Z_{1}``, ``g'``."""

    tokens: Tokens
    loops: Container[str] = ()

    @classmethod
    def of(cls, source: Source, span: Span) -> LatexNames:
        """Return a reader of names in a span."""
        return cls(Tokens(source, span, LATEX.tokens))

    def base(self) -> tuple[str, Span] | None:
        r"""Take a name without its scripts: ``\mathrm{d}\Theta`` is dTheta; return None if no name is next."""
        token = self.tokens.next
        word = token.text.removeprefix("\\")
        plain = token.kind == "letters" or (token.kind == "command" and word in (*_GREEK, *_FUNCTIONS))
        if not plain and not (token.kind == "command" and word in ("hat", "widehat", *_STYLES)):
            return None
        self.tokens.take()
        if plain:
            return word, token.span
        inner, end = self._argument()
        if word.endswith("hat"):
            return f"{inner}hat", (token.span[0], end)
        if inner == "d" and self._name_follows() and (following := self.base()) is not None:
            return f"d{following[0]}", (token.span[0], following[1][1])
        return inner, (token.span[0], end)

    def _name_follows(self) -> bool:
        token = self.tokens.next
        word = token.text[1:]
        named = word in (*_GREEK, *_STYLES) or word.endswith("hat")
        return token.kind == "letters" or (token.kind == "command" and named)

    def _argument(self) -> tuple[str, int]:
        """The text of a braced argument, or of one token, without commands; and where it ends."""
        if not self.tokens.accept("{"):
            token = self.tokens.take()
            return token.text.removeprefix("\\"), token.span[1]
        start, depth = self.tokens.next.span[0], 1
        while depth:
            token = self.tokens.take()
            if token.kind == "end":
                raise self.tokens.error("a closing brace is wanted here", token)
            depth += {"{": 1, "}": -1}.get(token.text, 0)
        text = self.tokens.source.part((start, token.span[0]))
        return text.replace("\\ ", " ").replace("\\", "").strip(" {}"), token.span[1]

    def scripts(self) -> list[Script]:
        """Take everything that is attached by ^, _ and primes, in the order in which it stands."""
        found: list[Script] = []
        while True:
            token = self.tokens.next
            if token.kind == "primes":
                self.tokens.take()
                found.append(("prime", len(token.text), token.span))
            elif self.tokens.accept("^"):
                found += self._above()
            elif self.tokens.accept("_"):
                found.append(self._below())
            else:
                return found

    def _above(self) -> list[Script]:
        if not self.tokens.accept("{"):
            return [self._above_one(braced=False)]
        found: list[Script] = []
        while not (brace := self.tokens.accept("}")):
            found.append(self._above_one(braced=True))
        return [*found[:-1], *((kind, value, (span[0], brace.span[1])) for kind, value, span in found[-1:])]

    def _above_one(self, *, braced: bool) -> Script:
        token = self.tokens.next
        if token.kind == "letters" and token.text[0] == "T" and (not braced or token.text == "T"):
            return "transpose", None, self.tokens.split(1).span
        if self.tokens.accept("\\top", "\\intercal"):
            return "transpose", None, token.span
        if token.kind == "command" and token.text[1:] in _STYLES:
            self.tokens.take()
            inner, end = self._argument()
            if inner in ("T", "top"):
                return "transpose", None, (token.span[0], end)
            if inner == "grad":
                return "index", "_grad", (token.span[0], end)
        elif self.tokens.accept("\\prime", "'"):
            return "prime", 1, token.span
        elif self.tokens.accept("(", "["):
            index = self._layer()
            if index.strip("{}") in self.loops:
                return "example", None, (token.span[0], self.tokens.expect(_CLOSING[token.text]).span[1])
            return "index", index, (token.span[0], self.tokens.expect(_CLOSING[token.text]).span[1])
        if token.kind == "letters" and (braced or token.text in ("l", "L")):
            return "index", self._layer(offset=braced), (token.span[0], self.tokens.end)
        sign = -1 if self.tokens.accept("-", "−") else 1
        exponent = int(self._digits())
        if exponent not in (1, 2, 3):
            raise self.tokens.error("an exponent is one of -3, -2, -1, 1, 2, 3", token)
        return "power", sign * exponent, token.span

    def _below(self) -> Script:
        token = self.tokens.next
        if not self.tokens.accept("{"):
            if self._is_element():
                return "elements", self._elements(), token.span
            return "index", self._layer(offset=False), token.span
        kind: Literal["part", "reshape", "index", "elements"] = "index"
        value: object
        if self.tokens.accept("["):
            kind, value = "part", self.tokens.listed(self._slice, "]")
        elif self.tokens.accept("\\mathrm", "\\text"):
            if self._argument()[0] != "as":
                raise self.tokens.error("an index is a number, or slices such as [:, 1:]", token)
            dims = [int(self._digits())]
            while self.tokens.accept("\\times"):
                dims.append(int(self._digits()))
            kind, value = "reshape", tuple(dims)
        else:
            bracket = self.tokens.accept("(", "[")
            if self._is_element():
                kind, value = "elements", self._elements()
            else:
                value = self._layer()
            if bracket:
                self.tokens.expect(_CLOSING[bracket.text])
        return kind, value, (token.span[0], self.tokens.expect("}").span[1])

    def _is_element(self) -> bool:
        """Whether the letters of entries are next, as in w_{jk}; l and L are layers."""
        token = self.tokens.next
        return token.kind == "letters" and set(token.text) <= set(_ELEMENTS)

    def _elements(self) -> str:
        found = self.tokens.take().text
        while self.tokens.accept(",") or self._is_element():
            found += self.tokens.take().text if self._is_element() else ""
        return found

    def _layer(self, *, offset: bool = True) -> str:
        """A number, or a layer of no fixed number, such as {l+1}; or the end of a name, such as _b."""
        token = self.tokens.next
        if token.kind != "letters" and token.text != "\\ell":
            return self._digits()
        name = self.tokens.take().text.replace("\\ell", "l")
        if name not in _LAYERS:
            return f"_{name}"
        if offset and (sign := self.tokens.accept("+", "-", "−")):
            name += sign.text.replace("−", "-") + self._digits()
        return f"{{{name}}}"

    def _digits(self) -> str:
        token = self.tokens.next
        if token.kind != "number" or not token.text.isascii() or not token.text.isdigit() or len(token.text) > 6:
            raise self.tokens.error("an index or an exponent is a small whole number", token)
        return self.tokens.take().text

    def _slice(self) -> tuple[int | None, int | None]:
        start = self._bound()
        self.tokens.expect(":", ", as in [:, 1:]")
        return start, self._bound()

    def _bound(self) -> int | None:
        sign = -1 if self.tokens.accept("-", "−") else 1
        return sign * int(self._digits()) if self.tokens.next.kind == "number" else None


class _LatexReader(_Reader):
    grammar = LATEX

    def __init__(self, source: Source, span: Span, scope: Words) -> None:
        super().__init__(source, span, scope)
        self.names = LatexNames(self.tokens, scope.loops)

    def _factor(self, depth: int) -> Term:
        token = self.tokens.next
        start = token.span[0]
        if token.kind == "number":
            self.tokens.take()
            return self.scope.number(float(token.text), self.source, token.span)
        if self.tokens.accept("\\sum"):
            return self._sum(depth, start)
        if self.tokens.accept("\\nabla"):
            return self._nabla(start)
        if self.tokens.accept(*_FRACTIONS):
            if (of := self._derivative()) is not None:
                return self._attached(of, self.names.scripts(), start)
            fraction = (self._bracketed("{", depth), self._bracketed("{", depth))
            return Term("divide", fraction, None, self._since(start))
        if token.kind != "opening":
            return self._named(depth)
        inner = self._block(depth) if self._is_block() else self._bracketed(token.text, depth)
        return self._attached(inner, self.names.scripts(), start)

    def _sum(self, depth: int, start: int) -> Term:
        r"""\sum_{i=1}^{m}: the sum over the examples of what follows, each example alone."""
        self.tokens.expect("_", ", as in \\sum_{i=1}^{m}")
        braced = self.tokens.accept("{")
        letter = self.tokens.take().text
        if braced:
            if self.tokens.accept("="):
                self.tokens.expect("1", ": the first example")
            self.tokens.expect("}")
        count = self.scope.count_name
        if self.tokens.accept("^"):
            braced = self.tokens.accept("{")
            count = self.tokens.take().text
            if braced:
                self.tokens.expect("}")
        if self.scope.size(count) != self.scope.examples or self.scope.loops:
            raise self.source.error(
                "a sum is read where it goes over the examples, as in \\sum_{i=1}^{m}", (start, start + 4)
            )
        self.scope.loops.add(letter)
        body = self._expression(self._deeper(depth), 1)
        self.scope.loops.discard(letter)
        if not any(at.kind == "example" for _, at in positions(body)):
            raise self.source.error(f"no array has the index ({letter}) of an example", (start, start + 4))
        return Term("examples", (body,), None, self._since(start))

    def _nabla(self, start: int) -> Term:
        r"""\nabla_{a^L} C."""
        self.tokens.expect("_", ", as in \\nabla_{W_1} L")
        braced = self.tokens.accept("{")
        base = self.names.base()
        if base is None:
            raise self.tokens.error("a name is wanted here, as in \\nabla_{W_1} L")
        index = "".join(str(value) for kind, value, _ in self.names.scripts()) if braced else ""
        if braced:
            self.tokens.expect("}")
        of = self.names.base()
        if of is None:
            raise self.tokens.error("a loss is wanted here, as in \\nabla_{W_1} L")
        return self.scope.derivative(of[0], base[0] + (index or "{L}"), self.source, self._since(start))

    def _derivative(self) -> Term | None:
        r"""The gradient {\partial L}{\partial W_1}, or the activation's derivative {\partial A_1}{\partial Z_1}."""
        place, start = self.tokens.place, self.tokens.next.span[0]
        pair = []
        for _ in range(2):
            if not self.tokens.accept("{"):
                break
            partial = self.tokens.accept("\\partial")
            base = self.names.base()
            if base is None or not (partial or base[0].startswith("d")):
                break
            index = "".join(str(value) for kind, value, _ in self.names.scripts() if kind in ("index", "power"))
            pair.append((base[0] if partial else base[0][1:]) + index)
            if not self.tokens.accept("}"):
                break
        else:
            of, wrt = pair
            return self.scope.derivative(of, wrt, self.source, self._since(start))
        self.tokens.place = place
        return None

    def _named(self, depth: int) -> Term:
        token, place = self.tokens.next, self.tokens.place
        base = self.names.base()
        if base is None:
            raise self._unread(token)
        name, span = base
        scripts = self.names.scripts()
        if name == "1":
            return self._attached(Term("ones", (), None, span), scripts, span[0])
        index = "".join(str(value) for kind, value, _ in scripts if kind == "index")
        primed = any(kind == "prime" for kind, _, _ in scripts)
        function = self.scope.function(name + "_prime" * primed)
        if function and self.tokens.next.text == "(":
            return self._call(function, [s for s in scripts if s[0] not in ("index", "prime")], span[0], depth)
        if function and name in (*_FUNCTIONS, "tr", "Tr", "trace") and self._begins(self.tokens.next):
            inside = self._factor(self._deeper(depth))  # log det X: of what stands next
            return self.scope.call(function, (inside,), self.source, self._since(span[0]))
        if primed:
            raise self.tokens.error(f"a prime marks a derivative, as in \\sigma'(Z_1); {name}' is none", token)
        found = self._symbol(name, index, scripts)
        if found is None and token.kind == "letters" and len(name) > 1 and self.scope.symbol(name) is None:
            self.tokens.place = place
            return self._shorter(token.text)
        known, rest = found or (name + index, scripts)
        whole = (span[0], scripts[-1][2][1] if scripts else span[1])
        rest = [script for script in rest if script[0] != "index"]
        return self._attached(self.scope.name(known, self.source, whole if index else span), rest, span[0])

    def _symbol(self, name: str, index: str, scripts: list[Script]) -> tuple[str, list[Script]] | None:
        """The name with its index; a³ is a third a where no a is known."""
        if self.scope.knows(name + index):
            return name + index, scripts
        powers = [s for s in scripts if s[0] == "power"]
        if not index and powers and self.scope.knows(f"{name}{powers[0][1]}"):
            return f"{name}{powers[0][1]}", [s for s in scripts if s is not powers[0]]
        return None

    def _shorter(self, run: str) -> Term:
        """A run of letters that is no name is a product: its first known name is taken, or it is said to be unknown."""
        known = (n for n in range(len(run) - 1, 0, -1) if self.scope.symbol(run[:n]) is not None)
        head = self.tokens.split(next(known, len(run)))
        return self.scope.name(head.text, self.source, head.span)

    def _call(self, function: str, scripts: list[Script], start: int, depth: int) -> Term:
        self.tokens.expect("(")
        arguments = self.tokens.listed(lambda: self._inside(depth), ")")
        found = self.scope.call(function, arguments, self.source, self._since(start))
        return self._attached(found, [*scripts, *self.names.scripts()], start)

    def _is_block(self) -> bool:
        """Whether "[" is next, and a separator stands within it and within no inner bracket."""
        if self.tokens.next.text != "[":
            return False
        depth, ahead = 0, 0
        while (token := self.tokens.peek(ahead)).kind != "end":
            depth += (token.kind == "opening") - (token.text in _CLOSING.values())
            if depth == 0:
                return False
            if depth == 1 and token.kind == "separator":
                return True
            ahead += 1
        return False
