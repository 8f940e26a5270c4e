"""Runs every formula of a graph's derivation: each equation at each step, and the NumPy program as a whole."""

from __future__ import annotations

from typing import Any

import numpy as np

from jacobians.derivation import GraphDerivation, Recurrence
from jacobians.derivation.numpy_program import all_left_sides
from jacobians.graphs import Value
from jacobians.symbols.evaluate import evaluate
from jacobians.symbols.expressions import AtStep, Call, Expr, Symbol, at_step, parts_of
from jacobians.symbols.named_functions import Function


def close(found: Any, wanted: Any) -> None:
    wanted = np.asarray(wanted)
    assert np.shape(found) == wanted.shape
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-11 * max(1.0, float(np.abs(wanted).max(initial=0))))


def check(derivation: GraphDerivation, value: Value) -> int:
    """Run every formula; return how many equations were run."""
    count = 0
    for line in derivation.lines:
        steps = line.steps if isinstance(line, Recurrence) else range(1)
        for equation in line.equations if isinstance(line, Recurrence) else [line.equation]:
            assert isinstance(equation.left, Expr)
            assert isinstance(equation.right, Expr)
            for step in steps:
                left, right = at_step(equation.left, step), at_step(equation.right, step)
                close(evaluate(right, derivation.values), evaluate(left, derivation.values))
                count += 1
    asked = tuple(derivation.gradients)
    wanted = dict(zip(asked, value.gradients(*asked), strict=True))
    for name, line in derivation.gradients.items():
        close(evaluate(line.value, derivation.values), wanted[name])
    found = run_program(derivation)
    for name, line in derivation.gradients.items():
        left = line.equation.left
        close(found[left.name][left.at] if isinstance(left, AtStep) else found[line.symbol.name], wanted[name])
    return count


def run_program(derivation: GraphDerivation) -> dict[str, Any]:
    """The names that the NumPy program makes out of what is given: what no line computes."""
    made = {
        left.name if isinstance(left, Symbol) else f"{left.name}{left.at}" for left in all_left_sides(derivation.lines)
    }
    given: dict[str, Any] = {function.name: function.run for function in functions(derivation)}
    for name, array in derivation.values.items():
        own = derivation.members.get(name)
        if name in made:
            continue
        if own is None:
            given[name] = array
        else:
            given.setdefault(own.sequence, {})[own.step] = array
    scope = dict(given)
    exec(derivation.to_numpy(), scope)
    return scope


def functions(derivation: GraphDerivation) -> list[Function]:
    parts = (p for e in derivation.equations if isinstance(e.right, Expr) for p in parts_of(e.right))
    return [part.function for part in parts if isinstance(part, Call)]
