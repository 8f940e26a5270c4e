r"""`parse_latex`: a small part of LaTeX as a term: juxtaposed products, ∘, fractions, blocks, scripts, functions."""

from __future__ import annotations

from jacobians.auditing.latex_names import PATTERN, NameReader, Script
from jacobians.auditing.reading import Reading
from jacobians.auditing.source import MAX_DEPTH, Source, Span
from jacobians.auditing.terms import Kind, Term, block_of, negative
from jacobians.auditing.tokens import Tokens

__all__ = ["LatexReading", "parse_latex"]


_ENTRYWISE = ("\\circ", "\\odot", "⊙", "∘")
_PRODUCTS = ("\\cdot", "\\times", "\\ast", "*", "·")
_ALLOWED = (
    r"allowed are names such as \delta^{(3)} and W_1, ^T, \circ, \odot, \frac, +, -, /, brackets, [\mathbf{1} \; X], "
    r"\sigma'(Z_1), \mathbf{1}"
)


def parse_latex(source: Source, span: Span, reading: Reading) -> Term:
    """Return the term of the right side of a formula in LaTeX.

    Parameters
    ----------
    source : Source
    span : (int, int)
        Where the right side stands.
    reading : Reading
        What names mean.

    Raises
    ------
    FormulaError
        Where the text is not of the small language.
    """
    parser = LatexReading(Tokens(source, span, PATTERN), reading)
    return parser.tokens.whole(parser.sum, _ALLOWED)


class LatexReading:
    """One formula being read.

    Parameters
    ----------
    tokens : Tokens
    reading : Reading
    """

    def __init__(self, tokens: Tokens, reading: Reading) -> None:
        self.tokens, self.reading, self.names = tokens, reading, NameReader(tokens)
        self._in_block = False

    # --- operators -------------------------------------------------------------------------------

    def sum(self, depth: int) -> Term:
        """A + B − C; each is a product entry by entry."""
        start = self.tokens.next.span[0]
        minus = self.tokens.accept("-", "−")
        found = self._entrywise(depth)
        found = negative(found, self._since(start)) if minus else found
        while sign := self.tokens.accept("+", "-", "−"):
            depth += 1
            right = self._entrywise(depth)
            kind: Kind = "plus" if sign.text == "+" else "minus"
            found = Term(kind, (found, right), None, self._since(start))
        return found

    def _entrywise(self, depth: int) -> Term:
        start = self.tokens.next.span[0]
        found = self._product(depth)
        while self.tokens.accept(*_ENTRYWISE):
            depth += 1
            right = self._product(depth)
            found = Term("hadamard", (found, right), None, self._since(start))
        return found

    def _product(self, depth: int) -> Term:
        """What stands side by side: it binds more closely than ∘."""
        start = self.tokens.next.span[0]
        if self.tokens.accept("-", "−"):
            depth += 1
            return negative(self._product(self._deeper(depth)), self._since(start))
        found = self._factor(depth)
        while True:
            while not self._in_block and self.tokens.accept("\\;"):
                pass
            kind: Kind = "divide" if self.tokens.accept("/", "\\div") else "product"
            if kind == "product" and not self.tokens.accept(*_PRODUCTS) and not self._begins_factor():
                return found
            depth += 1
            right = self._factor(depth)
            found = Term(kind, (found, right), None, self._since(start))

    def _begins_factor(self) -> bool:
        token = self.tokens.next
        if token.kind == "command":
            return token.text not in _ENTRYWISE
        return token.kind in ("number", "letters") or token.text in ("(", "[", "{")

    # --- factors ---------------------------------------------------------------------------------

    def _factor(self, depth: int) -> Term:
        depth = self._deeper(depth)
        token = self.tokens.next
        start = token.span[0]
        if token.kind == "number":
            self.tokens.take()
            return self.reading.number(float(token.text), self.tokens.source, token.span)
        if token.text == "\\frac":
            self.tokens.take()
            above, below = self._bracketed("{", "}", depth), self._bracketed("{", "}", depth)
            return Term("divide", (above, below), None, self._since(start))
        if token.text == "(":
            return self._with_scripts(self._bracketed("(", ")", depth), start)
        if token.text == "{":
            return self._with_scripts(self._bracketed("{", "}", depth), start)
        if token.text == "[":
            inner = self._block(depth) if self._is_block() else self._bracketed("[", "]", depth)
            return self._with_scripts(inner, start)
        return self._named(depth)

    def _deeper(self, depth: int) -> int:
        if depth + 1 > MAX_DEPTH:
            raise self.tokens.error("the formula is too deep")
        return depth + 1

    def _bracketed(self, opening: str, closing: str, depth: int) -> Term:
        self.tokens.expect(opening)
        outside, self._in_block = self._in_block, False
        found = self.sum(self._deeper(depth))
        self._in_block = outside
        self.tokens.expect(closing)
        return found

    def _named(self, depth: int) -> Term:
        token, place = self.tokens.next, self.tokens.place
        base = self.names.base()
        if base is None:
            what = "the formula ends here too early" if token.kind == "end" else f"{token.text!r} is not read here"
            raise self.tokens.error(f"{what}; {_ALLOWED}", token)
        name, span = base
        if name == "1":
            return self._with_scripts(Term("ones", (), None, span), span[0])
        scripts = self.names.scripts()
        index = "".join(str(value) for kind, value, _ in scripts if kind == "index")
        primed = any(kind == "prime" for kind, _, _ in scripts)
        function = self.reading.scope.function(name + "_prime" * primed)
        if function and self.tokens.next.text == "(":
            return self._call(function, [s for s in scripts if s[0] not in ("index", "prime")], span[0], depth)
        if primed:
            raise self.tokens.error(f"a prime marks a derivative, as in \\sigma'(Z_1); {name}' is none", token)
        if token.kind == "letters" and self._symbol(name, index, scripts) is None and len(name) > 1:
            self.tokens.place = place
            return self._shorter(token.text)
        found = self._symbol(name, index, scripts) or (name + index, scripts)
        whole = (span[0], scripts[-1][2][1] if scripts else span[1])
        leaf = self.reading.name(found[0], self.tokens.source, whole if index else span)
        return self._scripted(leaf, found[1], span[0])

    def _symbol(self, name: str, index: str, scripts: list[Script]) -> tuple[str, list[Script]] | None:
        """The name with its index; a³ is a third a where no a is known."""
        if self.reading.scope.symbol(name + index) is not None:
            return name + index, scripts
        powers = [s for s in scripts if s[0] == "power"]
        if not index and powers and self.reading.scope.symbol(f"{name}{powers[0][1]}") is not None:
            return f"{name}{powers[0][1]}", [s for s in scripts if s is not powers[0]]
        return None

    def _shorter(self, run: str) -> Term:
        """A run of letters that is no name is a product: its first known name is taken."""
        lengths = [n for n in range(len(run) - 1, 0, -1) if self.reading.scope.symbol(run[:n]) is not None]
        if not lengths:
            token = self.tokens.next
            return self.reading.name(run, self.tokens.source, token.span)  # which says that it is unknown
        head = self.tokens.split(lengths[0])
        return self.reading.name(head.text, self.tokens.source, head.span)

    def _call(self, function: str, scripts: list[Script], start: int, depth: int) -> Term:
        self.tokens.expect("(")
        outside, self._in_block = self._in_block, False
        arguments = [self.sum(self._deeper(depth))]
        while self.tokens.accept(","):
            arguments.append(self.sum(self._deeper(depth)))
        self._in_block = outside
        self.tokens.expect(")")
        found = self.reading.call(function, arguments, self.tokens.source, self._since(start))
        return self._with_scripts(self._scripted(found, scripts, start), start)

    # --- scripts and blocks ----------------------------------------------------------------------

    def _with_scripts(self, of: Term, start: int) -> Term:
        return self._scripted(of, self.names.scripts(), start)

    def _scripted(self, of: Term, scripts: list[Script], start: int) -> Term:
        for kind, value, place in scripts:
            span = (start, place[1])
            match kind:
                case "transpose":
                    of = Term("transpose", (of,), None, span)
                case "power" | "part":
                    of = Term(kind, (of,), value, span)
                case "shape":
                    of = Term("reshape", (of,), value, span)
                case "prime":
                    raise self.tokens.source.error("a prime marks the derivative of a function", place)
                case "index" if of.kind != "leaf":
                    raise self.tokens.source.error("an index belongs to a name", place)
        return of

    def _is_block(self) -> bool:
        depth = 0
        for ahead in range(10**6):
            token = self.tokens.peek(ahead)
            depth += (token.text in ("(", "[", "{")) - (token.text in (")", "]", "}"))
            if depth == 0 or token.kind == "end":
                return False
            if depth == 1 and token.kind == "separator":
                return True
        return False

    def _block(self, depth: int) -> Term:
        """[1 A] or [0 A], side by side or one above the other."""
        opening = self.tokens.expect("[")
        outside, self._in_block = self._in_block, True
        parts, down = [self.sum(self._deeper(depth))], False
        while self.tokens.next.kind == "separator":
            down = down or self.tokens.next.text in (";", "\\\\")
            self.tokens.take()
            parts.append(self.sum(self._deeper(depth)))
        self._in_block = outside
        self.tokens.expect("]")
        found = block_of(parts, 0 if down else 1, self._since(opening.span[0]))
        if found is None:
            raise self.tokens.error(r"a block is a matrix beside ones or zeros, as in [\mathbf{1} \; X]", opening)
        return found

    def _since(self, start: int) -> Span:
        last = self.tokens.peek(-1).span[1] if self.tokens.place else start + 1
        return start, max(last, start + 1)
