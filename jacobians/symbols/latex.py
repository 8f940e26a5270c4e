r"""Formulas as LaTeX, in the commands that MathJax, KaTeX and matplotlib's mathtext all know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from jacobians.arrays import Shape
from jacobians.symbols.named_functions import Function
from jacobians.symbols.notation import GREEK, Notation, is_gradient, split_name, with_greek

_GREEK = {letter: f"\\{name}" for name, letter in GREEK.items()} | {"λ": r"\lambda"}
_ESCAPES = str.maketrans({c: f"\\{c}" for c in "#$%&_{}"} | {"\\": r"\backslash ", "~": r"\sim ", "^": r"\wedge "})


class LatexNotation(Notation):
    """LaTeX math, without dollars."""

    bars = reshapes_closely = True
    forms: ClassVar[dict[str, str]] = {
        "identity": "I_{{{0}}}",
        "ones": r"\mathbf{{1}}",
        "row of ones": r"\mathbf{{1}}^{{\top}}",
        "zeros": r"\mathbf{{0}}",
        "bracket": r"\left({0}\right)",
        "transpose": r"{{{0}}}^{{\top}}",
        "matrix product": r"{0} \, {1}",
        "elementwise product": r"{0} \circ {1}",
        "scale": r"{0} \, {1}",
        "plus": "{0} + {1}",
        "minus": "{0} - {1}",
        "negative": "-{0}",
        "fraction": r"\frac{{{0}}}{{{1}}}",
        "power": "{{{0}}}^{{{1}}}",
        "part": "{{{0}}}_{{[{1}]}}",
        "gathered": "{{{0}}}_{{[{1}]}}",
        "scattered": r"\left({0} \to {{{1}}}_{{[{2}]}}\right)",
        "sum over indices": r"\sum_{{{0}}} ",
        "indexed": "{{{0}}}_{{{1}}}",
        "moved": r"{{{0}}}_{{{1} \to {2}}}",
        "einsum": "{1}{0}",
        "beside": r"\left[{0}\right]",
        "below": r"\left[{0}\right]",
        "reshaped": r"{{{0}}}_{{\mathrm{{as}} \, {1}}}",
        "repeated column": r"{0} \, \mathbf{{1}}^{{\top}}",
        "repeated row": r"\mathbf{{1}} \, {{{0}}}^{{\top}}",
        "repeated": r"{{{0}}}_{{\mathrm{{to}} \, {2}}}",
        "at step": "{{{0}}}_{{{1}}}",
        "sum over steps": r"\sum_{{t={1}}}^{{{2}}} {0}",
        "column sums": r"\mathbf{{1}}^{{\top}} {0}",
        "row sums": r"{0} \, \mathbf{{1}}",
        "Kronecker product": r"{0} \otimes {1}",
        "commutation": "K_{{{0},{1}}}",
        "diagonal": r"\mathrm{{diag}}\left({0}\right)",
        "selection": "S",
        "reshaping": r"R_{{{0} \to {1}}}",
        "diagonal minus outer": (
            r"\bigoplus_n \left(\mathrm{{diag}}\,{{{0}}}_n - {{{1}}}_n \, {{{2}}}_n^{{\top}}\right)"
        ),
        "examples as rows": r"\bigoplus_n {{{0}}}_n^{{\top}}",
        "examples as columns": r"\bigoplus_n {{{0}}}_n",
        "multiple of ones": r"{0} \, {1}",
        "vec": r"\mathrm{{vec}}\left({0}\right)",
        "row": r"\mathrm{{vec}}\left({0}\right)^{{\top}}",
        "chain": "{0}",
        "sum": "{0}",
        "Jacobian": r"\frac{{\partial \, \mathrm{{vec}} \, {0}}}{{\partial \, \mathrm{{vec}} \, {1}}}",
        "gradient": r"\frac{{\partial {0}}}{{\partial \, \mathrm{{vec}} \, {1}}}",
        "Hessian": (
            r"\frac{{\partial^2 {0}}}{{\partial \, \mathrm{{vec}} \, {1} \, "
            r"\partial \, (\mathrm{{vec}} \, {2})^{{\top}}}}"
        ),
        "equation": "{0} = {1}",
    }
    between: ClassVar[dict[str, str]] = {
        "einsum": r" \, ",
        "beside": r" \; ",
        "below": r" \, ; \, ",
        "chain": r" \, ",
        "sum": " + ",
    }

    def symbol(self, name: str) -> str:
        found = split_name(name)
        if found.ending and not is_gradient(found.ending):  # a name of programs, in one piece
            return rf"\mathrm{{{name.translate(_ESCAPES)}}}"
        own, below = with_greek(found.letters)
        letters = _GREEK.get(own) or own.translate(_ESCAPES)
        if own not in _GREEK and len(own) > 1:
            letters = rf"\mathrm{{{letters}}}"
        below = " ".join(filter(None, (_GREEK.get(below), found.index)))
        before = rf"\mathrm{{{found.before}}}" if found.before else ""
        above = r"^{\mathrm{grad}}" if found.ending else ""
        return f"{before}{letters}" + (f"_{{{below}}}" if below else "") + above

    def transpose(self, text: str) -> str:
        # within braces the sign would stand beside a subscript, not above it; two superscripts do need them
        return super().transpose(text) if "^" in text or "'" in text else rf"{text}^{{\top}}"

    def step(self, after: int) -> str:
        return super().step(after).replace("−", "-")

    def number(self, value: float) -> str:
        return f"{value:g}"

    def call(self, function: Function, arguments: Sequence[str]) -> str:
        name = function.shown
        if not name:  # what is only an array's number
            return self.bracket(", ".join(arguments))
        shown = {"σ": r"\sigma", "Φ": r"\Phi"}.get(name) or rf"\mathrm{{{name.replace(' ', chr(92) + ' ')}}}"
        prime = "'" * function.prime
        return rf"{shown}{prime}\left({', '.join(arguments)}\right)"

    def size(self, dims: Shape) -> str:
        return r" \times ".join(map(str, dims))
