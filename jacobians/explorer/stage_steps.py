"""`stage_record`: a parameter's chain, factor by factor, as the stage pushes a row through it.

Factors, rows, rules and reasons are those of the derivation; the matrices are its structures with the run's numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jacobians.arrays import Array
from jacobians.derivation import Derivation, ParameterDerivation
from jacobians.derivation.equations import Equation, JacobianChain
from jacobians.explorer.distinct_values import DistinctValues
from jacobians.explorer.formulas import keep_equation, keep_mathml
from jacobians.explorer.names import letter
from jacobians.factors import Factor
from jacobians.layout import Layout
from jacobians.linops import Commutation, Jacobian, Selection
from jacobians.linops.wrappers import Transposed as TransposedJacobian
from jacobians.symbols.evaluate import evaluate
from jacobians.symbols.expressions import (
    Add,
    Expr,
    Hadamard,
    MatMul,
    Part,
    Quotient,
    Reshaped,
    SumOver,
    Symbol,
    Transposed,
    WithOnes,
)
from jacobians.symbols.mathml import MathmlNotation


def stage_record(
    derivation: Derivation,
    name: str,
    chain: Sequence[Factor],
    layout: Layout,
    places: Mapping[str, Array],
    distinct: DistinctValues,
    key: str,
) -> int:
    """Return the place of a parameter's stops: where the row starts, one a factor, and one for a weight kept in front.

    Parameters
    ----------
    derivation : Derivation
    name : str
        Of the parameter.
    chain : sequence of Factor
        Of the run, with the library's names.
    layout : Layout
    places : dict
        By the library's names, the place of every entry.
    distinct : DistinctValues
    key : str
        Of the net: neither vec nor the derivative layout changes a matrix in C order, so each is computed once.
    """
    found = derivation[name]
    writer = _Stops(derivation, found, layout, places, distinct, key)
    groups = chain if layout.derivative == "numerator" else chain[::-1]
    stops = writer.stops([(factor.of, factor.wrt) for factor in groups])
    late = next((chain.factor for chain in writer.chains if chain.factor is not None), None)
    return distinct.keep(
        {
            "stops": [distinct.keep(stop) for stop in stops],
            "weight": None if late is None else [writer.math(late), float(writer.value(late))],
        }
    )


class _Stops:
    """Writes the stops of one parameter."""

    def __init__(
        self,
        derivation: Derivation,
        found: ParameterDerivation,
        layout: Layout,
        places: Mapping[str, Array],
        distinct: DistinctValues,
        key: str,
    ) -> None:
        self.derivation, self.found, self.layout = derivation, found, layout
        self.places, self.distinct = places, distinct
        self.key = f"{key} {layout.batch} {layout.weights} {layout.bias}"
        definitions = (*derivation.forward, *derivation.cotangents)
        self.definitions = {d.symbol.name: d.equation for d in definitions}
        self.roles = {d.symbol.name: d.name.removeprefix("d") for d in definitions}
        rights = [step.equation.right for step in found.steps]
        self.chains = [right for right in rights if isinstance(right, JacobianChain)]

    def value(self, expr: Expr) -> Array:
        return evaluate(expr, self.derivation.values)

    def math(self, expr: Expr) -> int:
        return keep_mathml(MathmlNotation().expr(expr), self.distinct)

    def stops(self, groups: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
        chain = self.found.factors
        jacobians = [with_values(j, self.derivation.values) for j in chain.jacobians]
        starts = [i for i, j in enumerate(jacobians) if not moves_only(j)]
        if len(starts) != len(groups):
            raise TypeError(f"{len(groups)} Jacobians have {len(starts)} groups of factors")
        stops: list[dict[str, Any]] = []
        for (of, wrt), start, end in zip(groups, starts, [*starts[1:], len(jacobians)], strict=True):
            own = self.places[wrt]
            if end - start == 2:
                within = np.rint(jacobians[start + 1].jvp(own + 1.0)).astype(np.intp) - 1
                self._stop(stops, start, jacobians[start], of, wrt, self._with_ones(within), "")
                kind = "turn" if isinstance(jacobians[start + 1], Commutation) else "drop"
                self._stop(stops, start + 1, jacobians[start + 1], of, wrt, own, kind)
            else:
                self._stop(stops, start, jacobians[start], of, wrt, own, "")
        last = self.found.steps[-1]
        if last.rule == "the weight of an example":
            stops.append(
                {
                    "at": ["", "", "weight"],
                    "rule": self.distinct.keep(last.rule),
                    "reason": self.distinct.keep(last.reason),
                    "shape": stops[-1]["shape"],
                    "into": stops[-1]["into"],
                    "letter": stops[-1]["letter"],
                    **self._row(_row_of(last.equation), self.places[groups[-1][1]]),
                }
            )
        return stops

    def _with_ones(self, within: Array) -> Array:
        """The entries of ones are one for each example, told by numbers below zero."""
        if within.min(initial=0) >= 0 or within.ndim != 2:
            return within
        examples = np.arange(within.shape[self.layout.batch_axis])
        numbers = -1 - (examples[:, None] if self.layout.batch == "rows" else examples)
        return np.where(within < 0, numbers, within)

    def _stop(
        self, stops: list[dict[str, Any]], position: int, jacobian: Jacobian, of: str, wrt: str, into: Array, kind: str
    ) -> None:
        chain, distinct = self.found.factors, self.distinct
        read = position if chain.derivative == "numerator" else len(chain.jacobians) - 1 - position
        remaining = len(chain.jacobians) - position - 1
        steps = [
            s
            for s in self.found.steps
            if isinstance(s.equation.right, JacobianChain)
            and len(s.equation.right.jacobians) == remaining
            and s.rule != "the weight of an example"
        ]
        step = steps[-1] if steps else self.found.steps[0]
        row = _row_of(step.equation)
        stops.append(
            {
                "at": [of, wrt, kind],
                "symbol": keep_mathml(chain.factor_text(read, MathmlNotation()), distinct),
                "before": list(jacobian.codomain),
                "shape": list(into.shape),
                "matrix": distinct.once(
                    f"{self.key} {of} {wrt} {kind}", lambda: distinct.keep_numbers(jacobian.to_dense("C"))
                ),
                "into": distinct.keep(into.ravel().tolist()),
                "letter": letter(wrt),
                "rule": distinct.keep(step.rule),
                "reason": distinct.keep(step.reason),
                **(self._row(row, into) if position else {}),
            }
        )

    def _row(self, row: Expr | None, into: Array) -> dict[str, Any]:
        """The row as an array: its name or formula, and the operation that makes it of others."""
        if row is None:
            return {}
        made, equation = row, None
        if isinstance(row, Symbol) and row.name in self.definitions:
            equation = self.definitions[row.name]
            made = equation.right if isinstance(equation.right, Expr) else row
        sign, parts = _operands(made)
        record: dict[str, Any] = {
            "row": self.math(row),
            "equation": None if equation is None else keep_equation(equation, self.distinct),
            "sign": sign,
            "parts": [self.distinct.keep(self._table(part)) for part in parts],
        }
        if self.value(row).size == into.size:
            record["numbers"] = self.distinct.keep_numbers(self.value(row))
        return record

    def _table(self, expr: Expr) -> dict[str, Any]:
        array = self.value(expr)
        places = self._entries(expr)
        return {
            "math": self.math(expr),
            "shape": list(array.shape),
            "numbers": self.distinct.keep_numbers(array),
            "places": None if places is None else self.distinct.keep(places.ravel().tolist()),
        }

    def _entries(self, expr: Expr) -> Array | None:
        """The places of an expression's entries, where it does no more than move them or add ones."""
        match expr:
            case Symbol(name):
                defined = self.definitions[name].right if name in self.definitions else None
                if isinstance(defined, WithOnes):
                    return self._entries(defined)
                found = self.places.get(self.roles.get(name, name))
                return found if found is not None and found.shape == expr.shape else None
            case WithOnes(of, axis, first):
                inner = self._entries(of)
                if inner is None:
                    return None
                moved = evaluate(WithOnes(Symbol("entries", inner.shape), axis, first), {"entries": inner + 2.0})
                return self._with_ones(np.asarray(np.where(moved == 1, -1, moved - 2), np.intp))
            case Transposed() | Part() | Reshaped():
                inner = self._entries(expr.parts[0])
                if inner is None:
                    return None
                stand_in = expr.replaced({expr.parts[0]: Symbol("entries", inner.shape)})
                return np.asarray(evaluate(stand_in, {"entries": inner}))
        return None


def _row_of(equation: Equation) -> Expr | None:
    right = equation.right
    if isinstance(right, Expr):
        return right
    return right.row if isinstance(right, JacobianChain) else None


def _operands(expr: Expr) -> tuple[str, tuple[Expr, ...]]:
    """What an array is made of, and the sign between: a matrix product has none."""
    match expr:
        case MatMul(left, right):
            return "", (left, right)
        case Hadamard(left, right):
            return "∘" if left.shape else "", (left, right)
        case Add(left, right, minus):
            return "−" if minus else "+", (left, right)
        case Quotient(left, right):
            return "/", (left, right)
        case Part(of) | SumOver(of) | Transposed(of):
            return "→", (of,)
    return "→", (expr,)


def moves_only(jacobian: Jacobian) -> bool:
    """Whether a factor only drops or moves entries: it belongs to the Jacobian before it."""
    inner = jacobian.inner if isinstance(jacobian, TransposedJacobian) else jacobian
    return isinstance(inner, (Selection, Commutation))


def with_values(jacobian: Jacobian, values: Mapping[str, Array]) -> Jacobian:
    """Return a structure of expressions with their values."""

    def leaf(expr: Any) -> Any:
        return evaluate(expr, values) if isinstance(expr, Expr) else expr

    return jacobian._with_leaves(leaf, lambda part: with_values(part, values))
