"""`stops_in_pieces`: a parameter's chain, factor by factor, as the stage pushes a row through it.

Factors, rows, rules and reasons are those of the derivation; matrices and arrays are trees that the page evaluates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jacobians.derivation import Derivation
from jacobians.derivation.equations import JacobianChain, Step
from jacobians.explorer.distinct_values import DistinctValues
from jacobians.explorer.formulas import keep_equation, keep_mathml
from jacobians.explorer.forward_steps import ForwardStep, forward_steps, moves_only, tangent_of
from jacobians.explorer.names import letter
from jacobians.factors import Factor
from jacobians.layout import Layout
from jacobians.linops import Commutation
from jacobians.symbols.expressions import (
    Add,
    Expr,
    Hadamard,
    MatMul,
    Ones,
    Part,
    Quotient,
    Reshaped,
    SumOver,
    Symbol,
    Transposed,
    WithOnes,
)
from jacobians.symbols.javascript import tree
from jacobians.symbols.mathml import MathmlNotation
from jacobians.symbols.numpy import NumpyNotation


def stops_in_pieces(
    derivation: Derivation, name: str, chain: Sequence[Factor], layout: Layout, distinct: DistinctValues
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
    distinct : DistinctValues
    """
    return _Stops(derivation, name, layout, distinct).record(chain)


class _Stops:
    """Writes the stops of one parameter."""

    def __init__(self, derivation: Derivation, name: str, layout: Layout, distinct: DistinctValues) -> None:
        self.name, self.layout, self.distinct = name, layout, distinct
        self.derivation, self.found = derivation, derivation[name]
        definitions = (*derivation.forward, *derivation.cotangents)
        self.definitions = {d.symbol.name: d.equation for d in definitions}
        self.roles = {d.symbol.name: d.name.removeprefix("d") for d in definitions}
        rights = [step.equation.right for step in self.found.steps]
        self.chains = [right for right in rights if isinstance(right, JacobianChain)]

    def math(self, expr: Expr) -> int:
        return keep_mathml(MathmlNotation().expr(expr), self.distinct)

    def record(self, chain: Sequence[Factor]) -> int:
        groups = chain if self.layout.derivative == "numerator" else chain[::-1]
        stops = self._stops([(factor.of, factor.wrt) for factor in groups])
        ahead = forward_steps(self.derivation, self.name, [(factor.of, factor.wrt) for factor in groups])
        for stop, step in zip(stops, ahead, strict=False):  # a weight kept in front is a stop of the row alone
            stop["ahead"] = self.distinct.keep(self._ahead(step))
        late = next((chain.factor for chain in self.chains if chain.factor is not None), None)
        if late is not None:  # the first factor's entries are shown without the weight that is kept in front
            stops[0]["row"] = self.math(Ones(tuple(stops[0]["shape"])))
        return self.distinct.keep(
            {
                "stops": [self.distinct.keep(stop) for stop in stops],
                "weight": None if late is None else [self.math(late), tree(NumpyNotation().expr(late))],
            }
        )

    def _ahead(self, step: ForwardStep) -> dict[str, Any]:
        """The name of a change after a factor, its computation, and one sentence."""
        equation = step.equation
        made = self.math(equation) if isinstance(equation, Expr) else keep_equation(equation, self.distinct)
        return {"change": self.math(step.change), "equation": made, "reason": self.distinct.keep(step.reason)}

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
        if last.rule == "the weight of each example":
            before = {key: stops[-1][key] for key in ("shape", "letter", "ends")}
            stops.append({"at": ["", "", "weight"], **before, **self._said(last)})
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
            and s.rule != "the weight of each example"
        ]
        step = steps[-1] if steps else self.found.steps[0]
        jacobian = chain.jacobians[position]
        return {
            "at": [of, wrt, kind],
            "symbol": keep_mathml(chain.factor_text(read, MathmlNotation()), distinct),
            "before": list(jacobian.codomain),
            "shape": list(jacobian.domain),
            "letter": letter(wrt),
            "matrix": distinct.keep(tree(NumpyNotation().matrix(jacobian, "C"))),
            "ends": ends,
            "tangent": self.math(tangent_of(wrt, jacobian.domain, self.derivation.convention)),
            **self._said(step),
        }

    def _said(self, step: Step) -> dict[str, Any]:
        """The rule and its reason; the name or formula of the row after it, and the operation that makes the row."""
        said = {"rule": self.distinct.keep(step.rule), "reason": self.distinct.keep(step.reason)}
        right = step.equation.right
        row = right.row if isinstance(right, JacobianChain) else right
        if not isinstance(row, Expr):
            return said
        made, equation = row, None
        if isinstance(row, Symbol) and row.name in self.definitions:
            equation = self.definitions[row.name]
            made = equation.right if isinstance(equation.right, Expr) else row
        sign, parts = operands(made)
        written = JacobianChain(None, row, (), self.layout.vec, self.layout.derivative)
        return said | {
            "row": self.math(row),
            "written": keep_mathml(written.factor_text(0, MathmlNotation()), self.distinct),
            "equation": None if equation is None else keep_equation(equation, self.distinct),
            "sign": sign,
            "parts": [self.distinct.keep(self._table(part)) for part in parts],
        }

    def _table(self, expr: Expr) -> dict[str, Any]:
        moved = self._moved(expr)
        return {
            "math": self.math(expr),
            "shape": list(expr.shape),
            "tree": tree(NumpyNotation().expr(expr)),
            "moved": None if moved is None else [moved[0], tree(NumpyNotation().expr(moved[1]))],
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


def operands(expr: Expr) -> tuple[str, tuple[Expr, ...]]:
    """The operands of an array, and the sign between them; a matrix product has none."""
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
