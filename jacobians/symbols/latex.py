r"""Formulas as LaTeX, in the commands that MathJax, KaTeX and matplotlib's mathtext all know."""

from __future__ import annotations

from collections.abc import Sequence

from jacobians.arrays import Shape
from jacobians.layout import Order
from jacobians.symbols.expressions import Expr, Slices
from jacobians.symbols.functions import Function
from jacobians.symbols.notation import GREEK, Notation, split_name
from jacobians.symbols.text import places_text, slices_text, summed_indices

__all__ = ["LatexNotation"]


_GREEK = {letter: f"\\{name}" for name, letter in GREEK.items()} | {"λ": r"\lambda"}
_ESCAPES = str.maketrans({c: f"\\{c}" for c in "#$%&_{}"} | {"\\": r"\backslash ", "~": r"\sim ", "^": r"\wedge "})


class LatexNotation(Notation):
    """LaTeX math, without dollars."""

    bars = True

    def symbol(self, name: str) -> str:
        found = split_name(name)
        greek = GREEK.get(found.letters)
        letters = _GREEK[greek] if greek else found.letters.translate(_ESCAPES)
        if not greek and len(found.letters) > 1:
            letters = rf"\mathrm{{{letters}}}"
        d = r"\mathrm{d}" if found.differential else ""
        return f"{d}{letters}" + (f"_{{{found.index}}}" if found.index else "")

    def number(self, value: float) -> str:
        return f"{value:g}"

    def eye(self, size: int) -> str:
        return f"I_{{{size}}}"

    def ones(self, dims: Sequence[int]) -> str:
        return r"\mathbf{1}^{\top}" if len(dims) == 2 and dims[0] == 1 else r"\mathbf{1}"

    def zeros(self, dims: Sequence[int]) -> str:
        return r"\mathbf{0}"

    def gathered(self, text: str, index: Sequence[int], dims: Sequence[int]) -> str:
        places = rf"{{{text}}}_{{[{places_text(index)}]}}"
        return self.reshaped(places, dims) if len(dims) > 1 else places

    def scattered(self, text: str, index: Sequence[int], dims: Sequence[int]) -> str:
        return rf"\left({text} \to {{{_times(dims)}}}_{{[{places_text(index)}]}}\right)"

    def einsum(self, spec: str, parts: Sequence[str]) -> str:
        summed, indices = summed_indices(spec)
        sign = rf"\sum_{{{summed}}} " if summed else ""
        return sign + r" \, ".join(rf"{{{part}}}_{{{own}}}" for part, own in zip(parts, indices, strict=True))

    def bracket(self, text: str) -> str:
        return rf"\left({text}\right)"

    def transpose(self, text: str) -> str:
        return rf"{{{text}}}^{{\top}}"

    def matmul(self, left: str, right: str) -> str:
        return rf"{left} \, {right}"

    def hadamard(self, left: str, right: str) -> str:
        return rf"{left} \circ {right}"

    def scale(self, factor: str, text: str) -> str:
        return rf"{factor} \, {text}"

    def add(self, left: str, right: str, minus: bool) -> str:
        return f"{left} {'-' if minus else '+'} {right}"

    def negative(self, text: str) -> str:
        return f"-{text}"

    def fraction(self, above: str, below: str) -> str:
        return rf"\frac{{{above}}}{{{below}}}"

    def power(self, text: str, exponent: int) -> str:
        return rf"{{{text}}}^{{{exponent}}}"

    def part(self, text: str, key: Slices) -> str:
        return rf"{{{text}}}_{{[{slices_text(key)}]}}"

    def joined(self, parts: Sequence[str], axis: int) -> str:
        return r"\left[" + (r" \, ; \, " if axis == 0 else r" \; ").join(parts) + r"\right]"

    def reshaped(self, text: str, dims: Sequence[int]) -> str:
        return rf"{{{text}}}_{{\mathrm{{as}} \, {_times(dims)}}}"

    def repeated(self, text: str, dims: Sequence[int], own: Sequence[int]) -> str:
        if len(own) == 2 and own[0] == dims[0]:
            return rf"{text} \, \mathbf{{1}}^{{\top}}"
        return rf"\mathbf{{1}} \, {{{text}}}^{{\top}}"

    def sum_over(self, text: str, axis: int, keep: bool) -> str:
        return rf"\mathbf{{1}}^{{\top}} {text}" if axis == 0 else rf"{text} \, \mathbf{{1}}"

    def call(self, function: Function, arguments: Sequence[str]) -> str:
        name = function.shown
        shown = {"σ": r"\sigma", "Φ": r"\Phi"}.get(name) or rf"\mathrm{{{name.replace(' ', chr(92) + ' ')}}}"
        prime = "'" * function.prime
        return rf"{shown}{prime}\left({', '.join(arguments)}\right)"

    def kron(self, left: str, right: str) -> str:
        return rf"\left({left} \otimes {right}\right)"

    def commutation(self, rows: int, columns: int, order: Order) -> str:
        first, second = (rows, columns) if order == "F" else (columns, rows)
        return f"K_{{{first},{second}}}"

    def diag(self, text: str, order: Order) -> str:
        return rf"\mathrm{{diag}}\left({self.vec(text, order)}\right)"

    def selection(self, key: Slices, dims: Sequence[int], order: Order) -> str:
        return "S"

    def reshaping(self, before: Shape, after: Shape, order: Order) -> str:
        return rf"R_{{{_times(before)} \to {_times(after)}}}"

    def minus_outer(self, d: Expr, u: Expr, v: Expr, axis: int, order: Order) -> str:
        first, left, right = (self.expr(e) for e in (d, u, v))
        return rf"\bigoplus_n \left(\mathrm{{diag}}\,{{{first}}}_n - {{{left}}}_n \, {{{right}}}_n^{{\top}}\right)"

    def per_example(self, delta: str, axis: int, order: Order, column: bool) -> str:
        return rf"\bigoplus_n {{{delta}}}_n" + r"^{\top}" * (not column)

    def uniform(self, factor: str | None, count: int, column: bool) -> str:
        return (rf"{factor} \, " if factor else "") + r"\mathbf{1}" + r"^{\top}" * (not column)

    def vec(self, text: str, order: Order) -> str:
        return rf"\mathrm{{vec}}\left({text}\right)"

    def row(self, text: str, order: Order) -> str:
        return rf"{self.vec(text, order)}^{{\top}}"

    def join(self, factors: Sequence[str]) -> str:
        return r" \, ".join(factors)

    def plus(self, terms: Sequence[str]) -> str:
        return " + ".join(terms)

    def partial(self, of: str, wrt: str, vector: bool) -> str:
        vec = r"\, \mathrm{vec} \, "
        return rf"\frac{{\partial {vec if vector else ''}{of}}}{{\partial {vec}{wrt}}}"

    def equation(self, left: str, right: str) -> str:
        return f"{left} = {right}"


def _times(dims: Sequence[int]) -> str:
    return r" \times ".join(map(str, dims))
