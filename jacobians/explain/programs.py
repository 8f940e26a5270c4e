"""A derivation as a NumPy program, and what its single lines need to run."""

from __future__ import annotations

from collections.abc import Iterable

from jacobians.explain.derivation import Derivation
from jacobians.explain.equation import ChainOfMaps, Equation
from jacobians.explain.expressions import Call, Expr, Symbol, WithOnes
from jacobians.explain.functions import source_of
from jacobians.explain.matrices import source as matrices_source
from jacobians.explain.numpy_notation import NumpyNotation, ones_name

__all__ = ["gradient_program", "preamble"]


def gradient_program(derivation: Derivation) -> str:
    """Return a program that defines every gradient, given the inputs, targets, parameters and scalars."""
    lines = list(definition_lines(derivation))
    for parameter in derivation.parameters.values():
        lines.append(parameter.formula.numpy)
    return _header(derivation, with_matrices=False) + "\n" + "\n".join(lines) + "\n"


def preamble(derivation: Derivation) -> str:
    """Return the program that defines everything that the lines of a derivation are written with.

    After it every equation's own NumPy line runs, the chains of explicit matrices included: for small sizes.
    """
    return _header(derivation, with_matrices=True) + "\n" + "\n".join(definition_lines(derivation)) + "\n"


def definition_lines(derivation: Derivation) -> Iterable[str]:
    """Yield the lines that compute every named array, each array with its ones before its first use."""
    named = [d.equation for d in (*derivation.forward, *derivation.cotangents)]
    formulas = [p.formula for p in derivation.parameters.values()]
    augmented: dict[str, WithOnes] = {}
    for equation in (*named, *formulas):
        for expr in _inside(equation):
            if isinstance(expr, WithOnes) and isinstance(expr.of, Symbol) and expr is not equation.right:
                augmented.setdefault(expr.of.name, expr)
    defined = {e.left.name for e in named if isinstance(e.left, Symbol)}
    for name in [n for n in augmented if n not in defined]:
        yield _with_ones(augmented[name])
    for equation in named:
        right, notation = equation.right, NumpyNotation()
        if isinstance(right, WithOnes) and isinstance(equation.left, Expr):
            yield notation.equation(notation.expr(equation.left), notation.with_ones_code(right))
        else:
            yield equation.numpy
        if isinstance(equation.left, Symbol) and equation.left.name in augmented:
            yield _with_ones(augmented[equation.left.name])


def _with_ones(expr: WithOnes) -> str:
    of = expr.of
    if not isinstance(of, Symbol):
        raise TypeError("only a named array gets a name with its ones")
    return f"{ones_name(of)} = {NumpyNotation().with_ones_code(expr)}"


def _header(derivation: Derivation, *, with_matrices: bool) -> str:
    equations = [d.equation for d in (*derivation.forward, *derivation.cotangents)]
    calls = {e.function for equation in derivation.equations for e in _inside(equation) if isinstance(e, Call)}
    defined = {e.left.name for e in equations if isinstance(e.left, Symbol)}
    defined |= {p.formula.left.name for p in derivation.parameters.values() if isinstance(p.formula.left, Symbol)}
    given = [f"# {n}: {'number' if a.ndim == 0 else a.shape}" for n, a in derivation.values.items() if n not in defined]
    parts = ["import numpy as np", ""]
    if with_matrices:
        parts += ["", matrices_source(), "", ""]
    if calls:
        parts += ["", source_of(calls), "", ""]
    return "\n".join([*parts, "# given, with shapes:", *given, ""])


def _inside(equation: Equation) -> Iterable[Expr]:
    """Every expression in an equation."""
    right = equation.right
    open_: list[Expr] = []
    if isinstance(right, ChainOfMaps):
        open_ += [right.row] if right.row is not None else []
        for map_ in right.maps:
            open_ += [value for value in vars(map_).values() if isinstance(value, Expr)]
    else:
        open_.append(right)
    while open_:
        expr = open_.pop()
        yield expr
        open_ += expr.parts
