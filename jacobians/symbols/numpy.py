"""Formulas as NumPy code that runs."""

from __future__ import annotations

import re
from collections.abc import Sequence

from jacobians.arrays import Shape, size_of
from jacobians.layout import Order
from jacobians.symbols.expressions import Expr, Placed, Repeated, Slices, Symbol, WithOnes
from jacobians.symbols.functions import Function
from jacobians.symbols.notation import Notation
from jacobians.symbols.text import slices_text

__all__ = ["NumpyNotation", "ones_name"]


class NumpyNotation(Notation):
    """Python expressions; functions are called by name, and the matrices are those of `jacobians.symbols.matrices`."""

    def symbol(self, name: str) -> str:
        return re.sub(r"\W", "_", name)

    def number(self, value: float) -> str:
        return repr(int(value)) if float(value).is_integer() else repr(value)

    def eye(self, size: int) -> str:
        return f"np.eye({size})"

    def ones(self, dims: Sequence[int]) -> str:
        return f"np.ones({tuple(dims)})"

    def zeros(self, dims: Sequence[int]) -> str:
        return f"np.zeros({tuple(dims)})"

    def gathered(self, text: str, index: Sequence[int], dims: Sequence[int]) -> str:
        return f"{text}.ravel()[{list(index)}].reshape({tuple(dims)})"

    def scattered(self, text: str, index: Sequence[int], dims: Sequence[int]) -> str:
        size = size_of(tuple(dims))
        return f"np.bincount({list(index)}, {text}.ravel(), {size}).reshape({tuple(dims)})"

    def einsum(self, spec: str, parts: Sequence[str]) -> str:
        return f'np.einsum("{spec}", {", ".join(parts)})'

    def bracket(self, text: str) -> str:
        return f"({text})"

    def transpose(self, text: str) -> str:
        return f"{text}.T"

    def matmul(self, left: str, right: str) -> str:
        return f"{left} @ {right}"

    def hadamard(self, left: str, right: str) -> str:
        return f"{left} * {right}"

    def scale(self, factor: str, text: str) -> str:
        return f"{factor} * {text}"

    def add(self, left: str, right: str, minus: bool) -> str:
        return f"{left} {'-' if minus else '+'} {right}"

    def negative(self, text: str) -> str:
        return f"-{text}"

    def fraction(self, above: str, below: str) -> str:
        return f"{above} / {below}"

    def power(self, text: str, exponent: int) -> str:
        return f"{text}**{exponent}"

    def part(self, text: str, key: Slices) -> str:
        return f"{text}[{slices_text(key)}]"

    def placed(self, expr: Placed, text: str) -> str:
        margins = []
        for (start, stop), n in zip(expr.key, expr.dims, strict=True):
            a, b, _ = slice(start, stop).indices(n)
            margins.append((a, n - b))
        return f"np.pad({text}, {tuple(margins)})"

    def with_ones(self, expr: WithOnes, text: str) -> str:
        return ones_name(expr.of) if isinstance(expr.of, Symbol) else self.with_ones_code(expr)

    def joined(self, parts: Sequence[str], axis: int) -> str:
        return f"np.concatenate([{', '.join(parts)}], axis={axis})"

    def with_ones_code(self, expr: WithOnes) -> str:
        """Return the code that adds the entry of ones to each example."""
        ones, text = f"np.ones({expr.of.shape[1 - expr.axis]})", self.expr(expr.of)
        stack = "np.column_stack" if expr.axis == 1 else "np.vstack"
        return f"{stack}([{ones}, {text}])" if expr.first else f"{stack}([{text}, {ones}])"

    def reshaped(self, text: str, dims: Sequence[int]) -> str:
        return f"{text}.reshape({', '.join(map(str, dims)) or '()'})"

    def repeated(self, text: str, dims: Sequence[int], own: Sequence[int]) -> str:
        return f"np.broadcast_to({text}, {tuple(dims)})"

    def _addend(self, expr: Expr) -> Expr:
        return expr.of if isinstance(expr, Repeated) else expr  # NumPy repeats what is added

    def sum_over(self, text: str, axis: int, keep: bool) -> str:
        return f"{text}.sum(axis={axis}{', keepdims=True' if keep else ''})"

    def call(self, function: Function, arguments: Sequence[str]) -> str:
        return f"{function.name}({', '.join(arguments)})"

    def kron(self, left: str, right: str) -> str:
        return f"np.kron({left}, {right})"

    def commutation(self, rows: int, columns: int, order: Order) -> str:
        return f'commutation({rows}, {columns}, "{order}")'

    def diag(self, text: str, order: Order) -> str:
        return f"np.diag({self.vec(text, order)})"

    def selection(self, key: Slices, dims: Sequence[int], order: Order) -> str:
        return f'selection({tuple(dims)}, np.s_[{slices_text(key)}], "{order}")'

    def reshaping(self, before: Shape, after: Shape, order: Order) -> str:
        return f'reshaping({before}, {after}, "{order}")'

    def minus_outer(self, d: Expr, u: Expr, v: Expr, axis: int, order: Order) -> str:
        first, left, right = (self.expr(e) for e in (d, u, v))
        return f'diagonal_minus_outer({first}, {left}, {right}, {axis}, "{order}")'

    def per_example(self, delta: str, axis: int, order: Order, column: bool) -> str:
        return f'per_example({delta}, {axis}, "{order}")' + ".T" * column

    def uniform(self, factor: str | None, count: int, column: bool) -> str:
        return f"np.ones({count})" if factor is None else f"np.full({count}, {factor})"

    def vec(self, text: str, order: Order) -> str:
        return f'vec({text}, "{order}")'

    def row(self, text: str, order: Order) -> str:
        return self.vec(text, order)

    def join(self, factors: Sequence[str]) -> str:
        return " @ ".join(factors)

    def plus(self, terms: Sequence[str]) -> str:
        return " + ".join(terms)

    def partial(self, of: str, wrt: str, vector: bool) -> str:
        return f"J_{of}_{wrt}" if vector else f"vec_d{wrt}"

    def equation(self, left: str, right: str) -> str:
        return f"{left} = {right}"


def ones_name(of: Symbol) -> str:
    """Return the name of an array with its entry of ones added, such as ``A1_ones``."""
    return f"{of.name}_ones"
