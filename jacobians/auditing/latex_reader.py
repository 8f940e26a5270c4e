r"""`read_latex`: right sides in LaTeX, with the scripts of its names, such as \delta^{(3)} or {W_1}^{\top}."""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass
from typing import Literal

from jacobians.auditing.formula_text import Source, Span, Tokens
from jacobians.auditing.terms import Term, positions
from jacobians.auditing.text_reader import CLOSING, SUMS, Grammar, Script, TextReader
from jacobians.auditing.words import Words


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
        SUMS,
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


_GREEK = (
    *("alpha", "beta", "gamma", "delta", "epsilon", "eta", "theta", "kappa", "lambda", "mu", "nu", "rho", "sigma"),
    *("tau", "phi", "psi", "omega", "Gamma", "Delta", "Theta", "Lambda", "Sigma", "Phi", "Psi", "Omega"),
)
_ELEMENTS = "ijkpqrs"
_LAYERS = ("l", "L", "k", "i", "j", "n")
_FUNCTIONS = ("tanh", "log", "ln", "exp", "det", "sin", "cos", "tan", "sinh", "cosh", "arctan", "max", "min")
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
    exponents: bool = False
    """Whether an exponent may be an expression, which `scripts` leaves to the reader."""

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
            elif self.exponents and token.text == "^" and not self._is_script():
                return found
            elif self.tokens.accept("^"):
                found += self._above()
            elif self.tokens.accept("_"):
                found.append(self._below())
            else:
                return found

    def _is_script(self) -> bool:
        """Whether what ^ raises is a transpose, a prime or a small whole number, and no expression."""
        ahead = 1 + (self.tokens.peek(1).text == "{")
        token = self.tokens.peek(ahead)
        if token.kind == "command":
            return token.text[1:] in ("top", "intercal", "prime", *_STYLES)
        if token.kind == "letters":
            return token.text[0] == "T" and (ahead == 1 or token.text == "T")
        if token.text in CLOSING:  # the index of W^{(1)}
            return self.tokens.peek(ahead + 1).kind == "number" and self.tokens.peek(ahead + 2).text in (")", "]")
        if token.text in ("-", "−"):
            ahead += 1
            token = self.tokens.peek(ahead)
        closed = self.tokens.peek(1).text != "{" or self.tokens.peek(ahead + 1).text == "}"
        return token.text in ("'", "\\prime") or (token.text in ("1", "2", "3") and closed)

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
                return "example", None, (token.span[0], self.tokens.expect(CLOSING[token.text]).span[1])
            return "index", index, (token.span[0], self.tokens.expect(CLOSING[token.text]).span[1])
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
                self.tokens.expect(CLOSING[bracket.text])
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


class _LatexReader(TextReader):
    grammar = LATEX

    def __init__(self, source: Source, span: Span, scope: Words) -> None:
        super().__init__(source, span, scope)
        self.names = LatexNames(self.tokens, scope.loops, scope.function("kron") is not None)

    def _factor(self, depth: int) -> Term:
        start = self.tokens.next.span[0]
        found = self._base(depth)
        while self.names.exponents and self.tokens.accept("^"):
            depth = self._deeper(depth)
            braced = self.tokens.next.text == "{"
            exponent = self._bracketed("{", depth) if braced else self._base(self._deeper(depth))
            found = Term("power", (found,), exponent, self._since(start))
            found = self._attached(found, self.names.scripts(), start)
        return found

    def _base(self, depth: int) -> Term:
        """What stands below an exponent that is an expression, with all that is attached to it before."""
        token = self.tokens.next
        start = token.span[0]
        if token.kind == "number":
            self.tokens.take()
            found = self.scope.number(float(token.text), self.source, token.span)
            return self._attached(found, self.names.scripts(), start) if self.names.exponents else found
        if token.text == "\\sqrt" and (root := self.scope.function("sqrt")):
            self.tokens.take()
            inside = self._bracketed("{", self._deeper(depth))
            found = self.scope.call(root, (inside,), self.source, self._since(start))
            return self._attached(found, self.names.scripts(), start)
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
        if self.names.exponents:
            raise self.source.error(
                "sums over indices are not read; write a product such as x^T x, or sum(X) of all entries",
                (start, start + 4),
            )
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
            depth += (token.kind == "opening") - (token.text in CLOSING.values())
            if depth == 0:
                return False
            if depth == 1 and token.kind == "separator":
                return True
            ahead += 1
        return False
