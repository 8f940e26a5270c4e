"""Formulas as NumPy code that runs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from jacobians.arrays import Shape
from jacobians.layout import Order
from jacobians.symbols.expressions import Expr, Placed, Repeated, Slices, Symbol, WithOnes
from jacobians.symbols.named_functions import Function
from jacobians.symbols.notation import Notation, slices_text


class NumpyNotation(Notation):
    """Python expressions, which call functions by name; the matrices are those of `explicit_matrices`."""

    reshapes_closely = sums_closely = is_code = True
    forms: ClassVar[dict[str, str]] = {
        "identity": "np.eye({0})",
        "ones": "np.ones({0})",
        "row of ones": "np.ones({0})",
        "zeros": "np.zeros({0})",
        "bracket": "({0})",
        "transpose": "{0}.T",
        "matrix product": "{0} @ {1}",
        "elementwise product": "{0} * {1}",
        "scale": "{0} * {1}",
        "plus": "{0} + {1}",
        "minus": "{0} - {1}",
        "negative": "-{0}",
        "fraction": "{0} / {1}",
        "power": "{0}**{1}",
        "part": "{0}[{1}]",
        "scattered": "np.bincount({3}, {0}.ravel(), {4}).reshape({5})",
        "beside": "np.concatenate([{0}], axis={1})",
        "below": "np.concatenate([{0}], axis={1})",
        "reshaped": "{0}.reshape({2})",
        "repeated column": "np.broadcast_to({0}, {1})",
        "repeated row": "np.broadcast_to({0}, {1})",
        "repeated": "np.broadcast_to({0}, {1})",
        "at step": "{0}[{1}]",
        "sum over steps": "sum({0} for t in range({1}, {5}))",
        "Kronecker product": "np.kron({0}, {1})",
        "commutation": 'commutation({4}, {5}, "{6}")',
        "diagonal": "np.diag({0})",
        "selection": 'selection({0}, np.s_[{1}], "{2}")',
        "reshaping": 'reshaping({2}, {3}, "{4}")',
        "diagonal minus outer": 'diagonal_minus_outer({0}, {1}, {2}, {3}, "{4}")',
        "examples as rows": 'per_example({0}, {1}, "{2}")',
        "examples as columns": 'per_example({0}, {1}, "{2}").T',
        "vec": 'vec({0}, "{1}")',
        "row": 'vec({0}, "{1}")',
        "chain": "{0}",
        "sum": "{0}",
        "Jacobian": "J_{0}_{1}",
        "gradient": "vec_{2}",
        "Hessian": "{3}",
        "equation": "{0} = {1}",
    }
    between: ClassVar[dict[str, str]] = {"beside": ", ", "below": ", ", "chain": " @ ", "sum": " + "}

    def symbol(self, name: str) -> str:
        return re.sub(r"\W", "_", name)

    def at_step(self, name: str, after: int) -> str:
        return self.form("at step", self.symbol(name), self.step(after))

    def step(self, after: int) -> str:
        return super().step(after).replace("−", "-")

    def member(self, name: str, step: int) -> str:
        return self.form("at step", self.symbol(name), step)

    def number(self, value: float) -> str:
        return repr(int(value)) if float(value).is_integer() else repr(value)

    def call(self, function: Function, arguments: Sequence[str]) -> str:
        return f"{function.name}({', '.join(arguments)})"

    def gathered(self, text: str, index: Sequence[int], dims: Shape) -> str:
        return f"{text}.ravel()[{list(index)}].reshape({tuple(dims)})"

    def einsum(self, spec: str, parts: Sequence[str]) -> str:
        return f'np.einsum("{spec}", {", ".join(parts)})'

    def axes_moved(self, text: str, spec: str) -> str:
        return self.einsum(spec, [text])

    def placed(self, expr: Placed, text: str) -> str:
        ends = (slice(*key).indices(n) for key, n in zip(expr.key, expr.dims, strict=True))
        margins = tuple((a, n - b) for (a, b, _), n in zip(ends, expr.dims, strict=True))
        return f"np.pad({text}, {margins})"

    def with_ones(self, expr: WithOnes, text: str) -> str:
        return ones_name(expr.of) if isinstance(expr.of, Symbol) else self.with_ones_code(expr)

    def with_ones_code(self, expr: WithOnes) -> str:
        """Return the code that adds the entry of ones to each example."""
        ones, text = f"np.ones({expr.of.shape[1 - expr.axis]})", self.expr(expr.of)
        stack = "np.column_stack" if expr.axis == 1 else "np.vstack"
        return f"{stack}([{ones}, {text}])" if expr.first else f"{stack}([{text}, {ones}])"

    def _addend(self, expr: Expr) -> Expr:
        return expr.of if isinstance(expr, Repeated) else expr  # NumPy repeats what is added

    def transpose(self, text: str) -> str:
        return super().transpose(self._before_a_dot(text))

    def reshaped(self, text: str, dims: Shape) -> str:
        return super().reshaped(self._before_a_dot(text), dims)

    def _before_a_dot(self, text: str) -> str:
        """A power in brackets: ** binds less than a dot."""
        return self.bracket(text) if re.search(r"\*\*-?\d+$", text) else text

    def sum_over(self, text: str, axis: int, keep: bool) -> str:
        return f"{self._before_a_dot(text)}.sum(axis={axis}{', keepdims=True' if keep else ''})"

    def diag(self, text: str, order: Order, flat: bool = False) -> str:
        return super().diag(text, order)

    def uniform(self, factor: str | None, count: int, column: bool) -> str:
        return f"np.ones({count})" if factor is None else f"np.full({count}, {factor})"

    def selection(self, key: Slices, dims: Shape, order: Order) -> str:
        return self.form("selection", dims, slices_text(key) or "()", order)

    def single(self, entry: Expr) -> str:
        return f"np.diag([{self.expr(entry)}])"

    def of_matrices(self) -> NumpyNotation:
        return _NumpyMatrices()


class _NumpyMatrices(NumpyNotation):
    """A scalar's Jacobian is a matrix of one row; one with respect to a scalar has one column."""

    def weights(self, row: Expr, column: bool, order: Order) -> str:
        size = f"{row.size}, 1" if column else f"1, {row.size}"
        return f"{super().weights(row, column, order)}.reshape({size})"


def ones_name(of: Symbol) -> str:
    """Return the name of an array with its entry of ones added, such as ``A1_ones``."""
    return f"{of.name}_ones"
