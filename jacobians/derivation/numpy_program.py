"""NumPy programs out of equations: what is given, the functions that they call, and one line for each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from jacobians.arrays import Array
from jacobians.derivation.equations import Equation
from jacobians.errors import LayoutError
from jacobians.symbols.explicit_matrices import source as matrices_source
from jacobians.symbols.expressions import Call, Expr, Symbol, WithOnes
from jacobians.symbols.named_functions import source_of
from jacobians.symbols.numpy import NumpyNotation, ones_name


def program(
    equations: Sequence[Equation], values: Mapping[str, Array], lines: Iterable[str], *, with_matrices: bool
) -> str:
    """Return lines of code with what they need before them.

    Parameters
    ----------
    equations : sequence of Equation
        All that the lines are written from.
    values : dict
        The arrays behind the symbols; those that no equation defines are given.
    lines : iterable of str
    with_matrices : bool
        Whether the lines write Jacobians as explicit matrices.
    """
    calls = [e.function for equation in equations for e in equation.inside if isinstance(e, Call)]
    taken = {"np", *values} & {call.name for call in calls}
    if taken:
        raise LayoutError(
            f"to_numpy: a function and an array are called {min(taken)}; give the function's class another `name`"
        )
    defined = {equation.left.name for equation in equations if isinstance(equation.left, Symbol)}
    given = [
        f"# {name}: {'number' if array.ndim == 0 else array.shape}"
        for name, array in values.items()
        if name.partition("_by_")[0] not in defined
    ]
    parts = ["import numpy as np", ""]
    parts += ["", matrices_source(), "", ""] if with_matrices else []
    parts += ["", source_of(calls), "", ""] if calls else []
    return "\n".join([*parts, "# given, with shapes:", *given, "", *lines]) + "\n"


def definition_lines(named: Sequence[Equation], others: Iterable[Equation]) -> Iterator[str]:
    """Yield the lines that compute every named array, each array with its ones before its first use."""
    with_ones = augmented([*named, *others])
    defined = {e.left.name for e in named if isinstance(e.left, Symbol)}
    for name in [n for n in with_ones if n not in defined]:
        yield ones_line(with_ones[name])
    for equation in named:
        right, notation = equation.right, NumpyNotation()
        if isinstance(right, WithOnes) and isinstance(equation.left, Expr):
            yield notation.equation(notation.expr(equation.left), notation.with_ones_code(right))
        else:
            yield equation.numpy
        if isinstance(equation.left, Symbol) and equation.left.name in with_ones:
            yield ones_line(with_ones[equation.left.name])


def augmented(equations: Iterable[Equation]) -> dict[str, WithOnes]:
    """By name, the arrays that equations use with an entry of ones; not those that are one's whole right side."""
    found: dict[str, WithOnes] = {}
    for equation in equations:
        for expr in equation.inside:
            if isinstance(expr, WithOnes) and isinstance(expr.of, Symbol) and expr is not equation.right:
                found.setdefault(expr.of.name, expr)
    return found


def ones_line(expr: WithOnes) -> str:
    """Return the line that gives an array with its ones a name."""
    of = expr.of
    if not isinstance(of, Symbol):
        raise TypeError("only a named array gets a name with its ones")
    return f"{ones_name(of)} = {NumpyNotation().with_ones_code(expr)}"
