"""A derivation as a NumPy program, and what its single lines need to run."""

from __future__ import annotations

from collections.abc import Iterable

from jacobians.explain.derivation import Derivation
from jacobians.explain.equation import ChainOfMaps, Equation
from jacobians.explain.expressions import Call, Expr, Symbol, WithOnes
from jacobians.explain.functions import source_of
from jacobians.explain.matrices import source as matrices_source
from jacobians.explain.numpy_notation import NumpyNotation, ones_name
from jacobians.explain.operation_derivation import OperationDerivation

__all__ = ["gradient_program", "operation_program", "preamble"]


def gradient_program(derivation: Derivation) -> str:
    """Return a program that defines every gradient, given the inputs, targets, parameters and scalars."""
    formulas = [parameter.formula.numpy for parameter in derivation.parameters.values()]
    return _program(derivation, [*_definition_lines(derivation), *formulas], with_matrices=False)


def preamble(derivation: Derivation) -> str:
    """Return the program that defines everything that the lines of a derivation are written with.

    After it every equation's own NumPy line runs, the chains of explicit matrices included: for small sizes.
    """
    return _program(derivation, _definition_lines(derivation), with_matrices=True)


def operation_program(derivation: OperationDerivation) -> str:
    """Return a program of an operation's value, and by each input its matrix, its pullback and its pushforward."""
    lines = [_with_ones(expr) for expr in _augmented(derivation.equations).values()]
    lines += [] if derivation.value is None else [derivation.value.numpy]
    for name, given in derivation.inputs.items():
        lines += ["", f"# by {name}", given.jacobian.numpy, given.pullback.numpy, given.pushforward.numpy]
    return _program(derivation, lines, with_matrices=True)


def _definition_lines(derivation: Derivation) -> Iterable[str]:
    """The lines that compute every named array, each array with its ones before its first use."""
    named = [d.equation for d in (*derivation.forward, *derivation.cotangents)]
    augmented = _augmented([*named, *(p.formula for p in derivation.parameters.values())])
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


def _augmented(equations: Iterable[Equation]) -> dict[str, WithOnes]:
    """By name, the arrays that equations use with an entry of ones; not those that are one's whole right side."""
    found: dict[str, WithOnes] = {}
    for equation in equations:
        for expr in _inside(equation):
            if isinstance(expr, WithOnes) and isinstance(expr.of, Symbol) and expr is not equation.right:
                found.setdefault(expr.of.name, expr)
    return found


def _with_ones(expr: WithOnes) -> str:
    of = expr.of
    if not isinstance(of, Symbol):
        raise TypeError("only a named array gets a name with its ones")
    return f"{ones_name(of)} = {NumpyNotation().with_ones_code(expr)}"


def _program(derivation: Derivation | OperationDerivation, lines: Iterable[str], *, with_matrices: bool) -> str:
    equations = derivation.equations
    calls = {e.function for equation in equations for e in _inside(equation) if isinstance(e, Call)}
    defined = {equation.left.name for equation in equations if isinstance(equation.left, Symbol)}
    given = [
        f"# {name}: {'number' if array.ndim == 0 else array.shape}"
        for name, array in derivation.values.items()
        if name.partition("_by_")[0] not in defined
    ]
    parts = ["import numpy as np", ""]
    parts += ["", matrices_source(), "", ""] if with_matrices else []
    parts += ["", source_of(calls), "", ""] if calls else []
    return "\n".join([*parts, "# given, with shapes:", *given, "", *lines]) + "\n"


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
