"""Formulas as presentation MathML, which browsers set by themselves; every name is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from jacobians.arrays import Shape
from jacobians.layout import Order
from jacobians.symbols.expressions import Expr, Slices, show
from jacobians.symbols.functions import Function
from jacobians.symbols.notation import GREEK, Notation, split_name
from jacobians.symbols.text import places_text, slices_text, summed_indices

__all__ = ["MathmlNotation"]


_ONE = '<mn mathvariant="bold">1</mn>'
_TOP = "<mo>⊤</mo>"


class MathmlNotation(Notation):
    """MathML Core without the outer ``<math>``; `document` adds it."""

    bars = True

    def document(self, text: str) -> str:
        """Return a whole ``<math>`` element."""
        return f'<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">{text}</math>'

    def symbol(self, name: str) -> str:
        found = split_name(name)
        letters = f"<mi>{escape(GREEK.get(found.letters, found.letters))}</mi>"
        if found.index:
            letters = f"<msub>{letters}<mn>{found.index}</mn></msub>"
        return _row('<mi mathvariant="normal">d</mi>', letters) if found.differential else letters

    def number(self, value: float) -> str:
        return f"<mn>{value:g}</mn>" if value >= 0 else _row("<mo>−</mo>", f"<mn>{-value:g}</mn>")

    def eye(self, size: int) -> str:
        return f"<msub><mi>I</mi><mn>{size}</mn></msub>"

    def ones(self, dims: Sequence[int]) -> str:
        return self.transpose(_ONE) if len(dims) == 2 and dims[0] == 1 else _ONE

    def zeros(self, dims: Sequence[int]) -> str:
        return '<mn mathvariant="bold">0</mn>'

    def gathered(self, text: str, index: Sequence[int], dims: Sequence[int]) -> str:
        places = f"<msub>{text}<mtext>[{places_text(index)}]</mtext></msub>"
        return self.reshaped(places, dims) if len(dims) > 1 else places

    def scattered(self, text: str, index: Sequence[int], dims: Sequence[int]) -> str:
        where = f"<mtext>added to {show(tuple(dims))} at {places_text(index)}</mtext>"
        return self.bracket(_row(text, _gap(), where))

    def einsum(self, spec: str, parts: Sequence[str]) -> str:
        summed, indices = summed_indices(spec)
        sign = [f"<msub><mo>∑</mo><mi>{summed}</mi></msub>"] if summed else []
        return _row(*sign, *(f"<msub>{p}<mi>{own}</mi></msub>" for p, own in zip(parts, indices, strict=True)))

    def bracket(self, text: str) -> str:
        return _row("<mo>(</mo>", text, "<mo>)</mo>")

    def transpose(self, text: str) -> str:
        return f"<msup>{text}{_TOP}</msup>"

    def matmul(self, left: str, right: str) -> str:
        return _row(left, _gap(), right)

    def hadamard(self, left: str, right: str) -> str:
        return _row(left, "<mo>∘</mo>", right)

    def scale(self, factor: str, text: str) -> str:
        return _row(factor, _gap(), text)

    def add(self, left: str, right: str, minus: bool) -> str:
        return _row(left, f"<mo>{'−' if minus else '+'}</mo>", right)

    def negative(self, text: str) -> str:
        return _row("<mo>−</mo>", text)

    def fraction(self, above: str, below: str) -> str:
        return f"<mfrac>{above}{below}</mfrac>"

    def power(self, text: str, exponent: int) -> str:
        return f"<msup>{text}<mn>{exponent}</mn></msup>"

    def part(self, text: str, key: Slices) -> str:
        return f"<msub>{text}<mtext>[{escape(slices_text(key))}]</mtext></msub>"

    def joined(self, parts: Sequence[str], axis: int) -> str:
        between = "<mo>;</mo>" if axis == 0 else '<mspace width="0.5em"/>'
        return _row("<mo>[</mo>", between.join(parts), "<mo>]</mo>")

    def reshaped(self, text: str, dims: Sequence[int]) -> str:
        return _row(text, _gap(), f"<mtext>as {show(tuple(dims))}</mtext>")

    def repeated(self, text: str, dims: Sequence[int], own: Sequence[int]) -> str:
        if len(own) == 2 and own[0] == dims[0]:
            return _row(text, _gap(), self.transpose(_ONE))
        return _row(_ONE, _gap(), self.transpose(text))

    def sum_over(self, text: str, axis: int, keep: bool) -> str:
        return _row(self.transpose(_ONE), _gap(), text) if axis == 0 else _row(text, _gap(), _ONE)

    def call(self, function: Function, arguments: Sequence[str]) -> str:
        name = f"<mi>{escape(function.shown)}</mi>"
        if function.prime:
            name = f"<msup>{name}<mo>′</mo></msup>"
        return _row(name, self.bracket("<mo>,</mo>".join(arguments)))

    def kron(self, left: str, right: str) -> str:
        return self.bracket(_row(left, "<mo>⊗</mo>", right))

    def commutation(self, rows: int, columns: int, order: Order) -> str:
        first, second = (rows, columns) if order == "F" else (columns, rows)
        return f"<msub><mi>K</mi>{_row(f'<mn>{first}</mn>', '<mo>,</mo>', f'<mn>{second}</mn>')}</msub>"

    def diag(self, text: str, order: Order) -> str:
        return _row("<mi>diag</mi>", self.bracket(self.vec(text, order)))

    def selection(self, key: Slices, dims: Sequence[int], order: Order) -> str:
        return "<mi>S</mi>"

    def reshaping(self, before: Shape, after: Shape, order: Order) -> str:
        return f"<msub><mi>R</mi><mtext>{show(before)} → {show(after)}</mtext></msub>"

    def minus_outer(self, d: Expr, u: Expr, v: Expr, axis: int, order: Order) -> str:
        first, left, right = (f"<msub>{self.expr(e)}<mi>n</mi></msub>" for e in (d, u, v))
        return _row(
            _plus_of_blocks(), self.bracket(_row("<mi>diag</mi>", first, "<mo>−</mo>", left, self.transpose(right)))
        )

    def per_example(self, delta: str, axis: int, order: Order, column: bool) -> str:
        block = f"<msub>{delta}<mi>n</mi></msub>" if column else f"<msubsup>{delta}<mi>n</mi>{_TOP}</msubsup>"
        return _row(_plus_of_blocks(), block)

    def uniform(self, factor: str | None, count: int, column: bool) -> str:
        ones = _ONE if column else self.transpose(_ONE)
        return _row(factor, _gap(), ones) if factor else ones

    def vec(self, text: str, order: Order) -> str:
        return _row("<mi>vec</mi>", self.bracket(text))

    def row(self, text: str, order: Order) -> str:
        return _row("<mi>vec</mi>", self.transpose(self.bracket(text)))

    def join(self, factors: Sequence[str]) -> str:
        return _row(_gap().join(factors))

    def plus(self, terms: Sequence[str]) -> str:
        return _row("<mo>+</mo>".join(terms))

    def partial(self, of: str, wrt: str, vector: bool) -> str:
        d = "<mo>∂</mo>"
        vec = f"<mi>vec</mi>{_gap()}"
        return f"<mfrac>{_row(d, vec if vector else '', of)}{_row(d, vec, wrt)}</mfrac>"

    def equation(self, left: str, right: str) -> str:
        return _row(left, "<mo>=</mo>", right)


def _row(*parts: str) -> str:
    return f"<mrow>{''.join(parts)}</mrow>"


def _gap() -> str:
    return '<mspace width="0.2em"/>'


def _plus_of_blocks() -> str:
    return "<msub><mo>⨁</mo><mi>n</mi></msub>"
