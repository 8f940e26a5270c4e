"""Formulas as plain text: Θ₂ᵀ, ∘, ⊗."""

from __future__ import annotations

from collections.abc import Sequence

from jacobians.arrays import Shape
from jacobians.layout import Order
from jacobians.symbols.expressions import Expr, Slices, show
from jacobians.symbols.functions import Function
from jacobians.symbols.notation import GREEK, Notation, split_name

__all__ = ["TextNotation", "places_text", "slices_text", "summed_indices"]


_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


class TextNotation(Notation):
    """Unicode text."""

    def symbol(self, name: str) -> str:
        found = split_name(name)
        letters = GREEK.get(found.letters, found.letters)
        return "d" * found.differential + letters + found.index.translate(_SUBSCRIPTS)

    def number(self, value: float) -> str:
        return f"{value:g}".replace("-", "−")

    def eye(self, size: int) -> str:
        return f"I{str(size).translate(_SUBSCRIPTS)}"

    def ones(self, dims: Sequence[int]) -> str:
        return "1ᵀ" if len(dims) == 2 and dims[0] == 1 else "1"

    def zeros(self, dims: Sequence[int]) -> str:
        return "0"

    def gathered(self, text: str, index: Sequence[int], dims: Sequence[int]) -> str:
        return f"{text}[{places_text(index)}]" + (f" as {show(tuple(dims))}" if len(dims) > 1 else "")

    def scattered(self, text: str, index: Sequence[int], dims: Sequence[int]) -> str:
        return f"({text} added to {show(tuple(dims))} at {places_text(index)})"

    def einsum(self, spec: str, parts: Sequence[str]) -> str:
        summed, indices = summed_indices(spec)
        sign = f"Σ_{summed} " if summed else ""
        return sign + " ".join(f"{part}_{own}" for part, own in zip(parts, indices, strict=True))

    def bracket(self, text: str) -> str:
        return f"({text})"

    def transpose(self, text: str) -> str:
        return f"{text}ᵀ"

    def matmul(self, left: str, right: str) -> str:
        return f"{left} {right}"

    def hadamard(self, left: str, right: str) -> str:
        return f"{left} ∘ {right}"

    def scale(self, factor: str, text: str) -> str:
        return f"{self.bracket(factor) if ' / ' in factor else factor} {text}"

    def add(self, left: str, right: str, minus: bool) -> str:
        return f"{left} {'−' if minus else '+'} {right}"

    def negative(self, text: str) -> str:
        return f"−{text}"

    def fraction(self, above: str, below: str) -> str:
        return f"{above} / {below}"

    def power(self, text: str, exponent: int) -> str:
        return f"{text}{str(exponent).translate(_SUPERSCRIPTS)}"

    def part(self, text: str, key: Slices) -> str:
        return f"{text}[{slices_text(key)}]"

    def block_of_ones(self, axis: int) -> str:
        return "1"

    def joined(self, parts: Sequence[str], axis: int) -> str:
        return "[" + ("; " if axis == 0 else " ").join(parts) + "]"

    def reshaped(self, text: str, dims: Sequence[int]) -> str:
        return f"{text} as {show(tuple(dims))}"

    def repeated(self, text: str, dims: Sequence[int], own: Sequence[int]) -> str:
        return f"{text} 1ᵀ" if len(own) == 2 and own[0] == dims[0] else f"1 {text}ᵀ"

    def sum_over(self, text: str, axis: int, keep: bool) -> str:
        return f"1ᵀ{text}" if axis == 0 else f"{text}1"

    def call(self, function: Function, arguments: Sequence[str]) -> str:
        return f"{function.shown}{'′' * function.prime}({', '.join(arguments)})"

    def kron(self, left: str, right: str) -> str:
        return f"({left} ⊗ {right})"

    def commutation(self, rows: int, columns: int, order: Order) -> str:
        first, second = (rows, columns) if order == "F" else (columns, rows)
        return f"K{str(first).translate(_SUBSCRIPTS)},{str(second).translate(_SUBSCRIPTS)}"

    def diag(self, text: str, order: Order) -> str:
        return f"diag(vec {self.bracket(text) if ' ' in text else text})"

    def selection(self, key: Slices, dims: Sequence[int], order: Order) -> str:
        return "S"

    def reshaping(self, before: Shape, after: Shape, order: Order) -> str:
        return f"R({show(before)} to {show(after)})"

    def minus_outer(self, d: Expr, u: Expr, v: Expr, axis: int, order: Order) -> str:
        first, left, right = (self.expr(e) for e in (d, u, v))
        return f"⊕ₙ(diag {first}ₙ − {left}ₙ {right}ₙᵀ)"

    def per_example(self, delta: str, axis: int, order: Order, column: bool) -> str:
        return f"⊕ₙ{delta}ₙ" + "ᵀ" * (not column)

    def uniform(self, factor: str | None, count: int, column: bool) -> str:
        ones = "1" if column else "1ᵀ"
        return ones if factor is None else f"({factor}) {ones}"

    def vec(self, text: str, order: Order) -> str:
        return f"vec {text}" if text.isalnum() or len(text) < 3 else f"vec({text})"

    def row(self, text: str, order: Order) -> str:
        return f"vec({text})ᵀ"

    def join(self, factors: Sequence[str]) -> str:
        return " ".join(factors)

    def plus(self, terms: Sequence[str]) -> str:
        return " + ".join(terms)

    def partial(self, of: str, wrt: str, vector: bool) -> str:
        return f"∂{'vec ' * vector}{of}/∂vec {wrt}"

    def equation(self, left: str, right: str) -> str:
        return f"{left} = {right}"


def slices_text(key: Slices) -> str:
    """Return slices as Python writes them: ``:, 1:``."""
    return ", ".join(f"{'' if a is None else a}:{'' if b is None else b}" for a, b in key)


def places_text(index: Sequence[int]) -> str:
    """Return flat places as text, long lists with their ends only."""
    shown = [*map(str, index[:3]), "…", str(index[-1])] if len(index) > 5 else map(str, index)
    return ", ".join(shown)


def summed_indices(spec: str) -> tuple[str, list[str]]:
    """Return the indices that an einsum sums over, and those of each array."""
    inputs, _, output = spec.partition("->")
    return "".join(sorted({*inputs} - {*output, ","})), inputs.split(",")
