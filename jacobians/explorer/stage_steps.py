"""`stage_record`: a parameter's chain, factor by factor, as the stage pushes a row through it.

Factors, rows, rules and reasons are those of the derivation; the matrices are its structures with the run's numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jacobians.arrays import Array, size_of
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
    parts_of,
)
from jacobians.symbols.javascript import tree
from jacobians.symbols.mathml import MathmlNotation
from jacobians.symbols.numpy import NumpyNotation


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
    return _StopsWithNumbers(derivation, name, layout, distinct, places, key).record(chain)


def stage_template(
    derivation: Derivation, name: str, chain: Sequence[Factor], layout: Layout, distinct: DistinctValues
) -> int:
    """Return the place of a parameter's stops with trees in the place of numbers, for the page to compute."""
    return _StopsWithTrees(derivation, name, layout, distinct).record(chain)


class _Stops:
    """Writes the stops of one parameter."""

    def __init__(self, derivation: Derivation, name: str, layout: Layout, distinct: DistinctValues) -> None:
        self.derivation, self.found, self.layout, self.distinct = derivation, derivation[name], layout, distinct
        definitions = (*derivation.forward, *derivation.cotangents)
        self.definitions = {d.symbol.name: d.equation for d in definitions}
        self.roles = {d.symbol.name: d.name.removeprefix("d") for d in definitions}
        rights = [step.equation.right for step in self.found.steps]
        self.chains = [right for right in rights if isinstance(right, JacobianChain)]

    # --- what stands for the numbers ---------------------------------------------------------------

    def _number(self, expr: Expr) -> Any:
        raise NotImplementedError

    def _of_stop(self, position: int, of: str, wrt: str, kind: str, *, ends: bool) -> dict[str, Any]:
        """The matrix of a factor, and the places of the row after it; `ends` if it is the last of its Jacobian's."""
        raise NotImplementedError

    def _of_row(self, row: Expr, wrt: str, *, ends: bool) -> dict[str, Any]:
        raise NotImplementedError

    def _of_table(self, expr: Expr) -> dict[str, Any]:
        raise NotImplementedError

    # --- what is the same for all ------------------------------------------------------------------

    def math(self, expr: Expr) -> int:
        return keep_mathml(MathmlNotation().expr(expr), self.distinct)

    def record(self, chain: Sequence[Factor]) -> int:
        groups = chain if self.layout.derivative == "numerator" else chain[::-1]
        stops = self._stops([(factor.of, factor.wrt) for factor in groups])
        late = next((chain.factor for chain in self.chains if chain.factor is not None), None)
        return self.distinct.keep(
            {
                "stops": [self.distinct.keep(stop) for stop in stops],
                "weight": None if late is None else [self.math(late), self._number(late)],
            }
        )

    def _stops(self, groups: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
        jacobians = self.found.factors.jacobians
        starts = [i for i, j in enumerate(jacobians) if not moves_only(j)]
        if len(starts) != len(groups):
            raise TypeError(f"{len(groups)} Jacobians have {len(starts)} groups of factors")
        stops: list[dict[str, Any]] = []
        for (of, wrt), start, end in zip(groups, starts, [*starts[1:], len(jacobians)], strict=True):
            if end - start == 2:
                kind = "turn" if isinstance(jacobians[start + 1], Commutation) else "drop"
                stops.append(self._stop(start, of, wrt, "", ends=False))
                stops.append(self._stop(start + 1, of, wrt, kind, ends=True))
            else:
                stops.append(self._stop(start, of, wrt, "", ends=True))
        last = self.found.steps[-1]
        if last.rule == "the weight of an example":
            before = {key: stops[-1][key] for key in ("shape", "into", "letter") if key in stops[-1]}
            row = self._row(_row_of(last.equation), groups[-1][1], ends=True)
            said = {"rule": self.distinct.keep(last.rule), "reason": self.distinct.keep(last.reason)}
            stops.append({"at": ["", "", "weight"], **said, **before, **row})
        return stops

    def _stop(self, position: int, of: str, wrt: str, kind: str, *, ends: bool) -> dict[str, Any]:
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
        jacobian = chain.jacobians[position]
        return {
            "at": [of, wrt, kind],
            "symbol": keep_mathml(chain.factor_text(read, MathmlNotation()), distinct),
            "before": list(jacobian.codomain),
            "shape": list(jacobian.domain),
            "letter": letter(wrt),
            "rule": distinct.keep(step.rule),
            "reason": distinct.keep(step.reason),
            **self._of_stop(position, of, wrt, kind, ends=ends),
            **(self._row(_row_of(step.equation), wrt, ends=ends) if position else {}),
        }

    def _row(self, row: Expr | None, wrt: str, *, ends: bool) -> dict[str, Any]:
        """The row as an array: its name or formula, and the operation that makes it of others."""
        if row is None:
            return {}
        made, equation = row, None
        if isinstance(row, Symbol) and row.name in self.definitions:
            equation = self.definitions[row.name]
            made = equation.right if isinstance(equation.right, Expr) else row
        sign, parts = operands(made)
        return {
            "row": self.math(row),
            "equation": None if equation is None else keep_equation(equation, self.distinct),
            "sign": sign,
            "parts": [self.distinct.keep({"math": self.math(part), **self._of_table(part)}) for part in parts],
            **self._of_row(row, wrt, ends=ends),
        }

    def _moved(self, expr: Expr) -> tuple[str, Expr] | None:
        """The array whose entries an expression only moves or adds ones to, and the expression with it."""
        match expr:
            case Symbol(name):
                defined = self.definitions[name].right if name in self.definitions else None
                if isinstance(defined, WithOnes):
                    return self._moved(defined)
                return self.roles.get(name, name), Symbol("entries", expr.shape)
            case WithOnes() | Transposed() | Part() | Reshaped():
                inner = self._moved(expr.parts[0])
                return inner and (inner[0], expr.replaced({expr.parts[0]: inner[1]}))
        return None


class _StopsWithNumbers(_Stops):
    """The stops of a run, with its numbers."""

    def __init__(
        self,
        derivation: Derivation,
        name: str,
        layout: Layout,
        distinct: DistinctValues,
        places: Mapping[str, Array],
        key: str,
    ) -> None:
        super().__init__(derivation, name, layout, distinct)
        self.places = places
        self.key = f"{key} {layout.batch} {layout.weights} {layout.bias}"
        self.jacobians = [with_values(j, derivation.values) for j in self.found.factors.jacobians]

    def value(self, expr: Expr) -> Array:
        return evaluate(expr, self.derivation.values)

    def _number(self, expr: Expr) -> Any:
        return float(self.value(expr))

    def _of_stop(self, position: int, of: str, wrt: str, kind: str, *, ends: bool) -> dict[str, Any]:
        jacobian, into = self.jacobians[position], self.places[wrt]
        if not ends:
            into = _with_ones(np.rint(self.jacobians[position + 1].jvp(into + 1.0)).astype(np.intp) - 1)
        return {
            "shape": list(into.shape),
            "matrix": self.distinct.once(
                f"{self.key} {of} {wrt} {kind}", lambda: self.distinct.keep_numbers(jacobian.to_dense("C"))
            ),
            "into": self.distinct.keep(into.ravel().tolist()),
        }

    def _of_row(self, row: Expr, wrt: str, *, ends: bool) -> dict[str, Any]:
        value = self.value(row)
        same = not ends or value.size == self.places[wrt].size
        return {"numbers": self.distinct.keep_numbers(value)} if same else {}

    def _of_table(self, expr: Expr) -> dict[str, Any]:
        array, places = self.value(expr), self._entries(expr)
        return {
            "shape": list(array.shape),
            "numbers": self.distinct.keep_numbers(array),
            "places": None if places is None else self.distinct.keep(places.ravel().tolist()),
        }

    def _entries(self, expr: Expr) -> Array | None:
        """The places of an expression's entries, where it does no more than move them or add ones."""
        moved = self._moved(expr)
        places = None if moved is None else self.places.get(moved[0])
        if moved is None or places is None or size_of(places.shape) != _entries_of(moved[1]):
            return None
        # ones are told from places, which are two or more here
        found = np.rint(evaluate(moved[1], {"entries": places + 2.0})).astype(np.intp) - 2
        return _with_ones(found)


def _with_ones(within: Array) -> Array:
    """The entries of ones are one for each example, told by numbers below zero; they fill a column or a row."""
    ones = within < 0
    if within.ndim != 2 or not ones.any():
        return within
    rows, columns = np.indices(within.shape)
    return np.where(ones, -1 - (rows if ones.all(axis=0).any() else columns), within)


class _StopsWithTrees(_Stops):
    """The stops of any run of the same layers: expressions for the page to evaluate, as trees."""

    def _number(self, expr: Expr) -> Any:
        return tree(NumpyNotation().expr(expr))

    def _of_stop(self, position: int, of: str, wrt: str, kind: str, *, ends: bool) -> dict[str, Any]:
        text = NumpyNotation().matrix(self.found.factors.jacobians[position], "C")
        return {"matrix": self.distinct.keep(tree(text)), "ends": ends}

    def _of_row(self, row: Expr, wrt: str, *, ends: bool) -> dict[str, Any]:
        return {}

    def _of_table(self, expr: Expr) -> dict[str, Any]:
        moved = self._moved(expr)
        return {
            "shape": list(expr.shape),
            "tree": self._number(expr),
            "moved": None if moved is None else [moved[0], self._number(moved[1])],
        }


def _entries_of(expr: Expr) -> int:
    """How many entries the array has that an expression moves."""
    return next(part.size for part in parts_of(expr) if isinstance(part, Symbol))


def _row_of(equation: Equation) -> Expr | None:
    right = equation.right
    return right.row if isinstance(right, JacobianChain) else right


def operands(expr: Expr) -> tuple[str, tuple[Expr, ...]]:
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
