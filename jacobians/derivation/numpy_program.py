"""NumPy programs out of equations: what is given, the functions that they call, and one line for each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from jacobians.arrays import Array
from jacobians.derivation.alike_steps import Member
from jacobians.derivation.equations import Definition, Equation, Recurrence
from jacobians.errors import LayoutError
from jacobians.symbols.explicit_matrices import source as matrices_source
from jacobians.symbols.expressions import AtStep, Call, Expr, Symbol, WithOnes, at_step
from jacobians.symbols.named_functions import source_of
from jacobians.symbols.numpy import NumpyNotation, ones_name


def program(
    equations: Sequence[Equation],
    values: Mapping[str, Array],
    lines: Iterable[str],
    *,
    with_matrices: bool,
    unused: bool = True,
    functions: bool = True,
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
    unused : bool
        Whether functions that make explicit matrices are defined where these lines do not call them.
    functions : bool
        Whether the functions that the lines call are defined.
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
    lines = list(lines)
    parts = ["import numpy as np", ""]
    called = matrices_source(None if unused else "\n".join(lines)) if with_matrices else ""
    parts += ["", called, "", ""] if called else []
    parts += ["", source_of(calls), "", ""] if calls and functions else []
    return "\n".join([*parts, "# given, with shapes:", *given, "", *lines]) + "\n"


def definition_lines(named: Sequence[Equation | Definition | Recurrence], others: Iterable[Equation]) -> Iterator[str]:
    """Yield the lines that compute every named array, each array with its ones before its first use."""
    inside = [equation for line in named for equation in equations_of(line)]
    with_ones = augmented([*inside, *others])
    defined = {e.left.name for e in inside if isinstance(e.left, Symbol)}
    for name in [n for n in with_ones if n not in defined]:
        yield ones_line(with_ones[name])
    for line in named:
        if isinstance(line, Recurrence):
            yield line.numpy
            continue
        (equation,) = equations_of(line)
        right, notation = equation.right, NumpyNotation()
        if isinstance(right, WithOnes) and isinstance(equation.left, Expr):
            yield notation.equation(notation.expr(equation.left), notation.with_ones_code(right))
        else:
            yield equation.numpy
        if isinstance(equation.left, Symbol) and equation.left.name in with_ones:
            yield ones_line(with_ones[equation.left.name])


def equations_of(line: Equation | Definition | Recurrence) -> tuple[Equation, ...]:
    """Return the equations of a line; a recurrence has several."""
    if isinstance(line, Recurrence):
        return line.equations
    return (line.equation if isinstance(line, Definition) else line,)


# --- programs with sequences ---------------------------------------------------------------------------


def needed(lines: Sequence[Definition | Recurrence], by: Iterable[Equation]) -> list[Definition | Recurrence]:
    """Return the lines that equations need, each with what it needs itself."""
    wanted = set[str]()
    todo = [*by]
    while todo:
        names = {p.name for e in todo for p in e.inside if isinstance(p, (Symbol, AtStep))} - wanted
        wanted |= names
        todo = [e for line in lines for e in equations_of(line) if _name(e) in names]
    kept: list[Definition | Recurrence] = []
    for line in lines:
        if isinstance(line, Recurrence):
            own = tuple(d for d in line.lines if _name(d.equation) in wanted)
            kept += [replace(line, lines=own)] if own else []
        elif _name(line.equation) in wanted:
            kept.append(line)
    return kept


def _name(equation: Equation) -> str:
    return equation.left.name if isinstance(equation.left, (Symbol, AtStep)) else ""


def all_left_sides(lines: Iterable[Definition | Recurrence]) -> Iterator[Symbol | AtStep]:
    """Yield what is computed, step by step."""
    for line in lines:
        for equation in equations_of(line):
            left = equation.left
            assert isinstance(left, (Symbol, AtStep))
            steps = line.steps if isinstance(line, Recurrence) else range(1)
            for step in steps:
                found = at_step(left, step)
                assert isinstance(found, (Symbol, AtStep))
                yield found


def sequence_lines(
    values: Mapping[str, Array], members: Mapping[str, Member], made: Collection[str], used: Collection[str]
) -> Iterator[str]:
    """Yield what a program says of its sequences, which are dicts by step: which members are given."""
    sequences: dict[str, list[str]] = {}
    for name in values:
        if name in members and ((own := members[name].sequence) in used or name in made):
            sequences.setdefault(own, []).append(name)
    for sequence, names in sequences.items():
        given = [name for name in names if name not in made]
        code = NumpyNotation().symbol(sequence)
        if not given:
            yield f"{code} = {{}}"
            continue
        steps = [members[name].step for name in given]
        which = f"{code}[{min(steps)}] to {code}[{max(steps)}]" if len(steps) > 1 else f"{code}[{steps[0]}]"
        yield f"# {which}, a dict by step, each {values[given[0]].shape}"
        if len(given) < len(names):
            yield f"{code} = dict({code})"


# --- arrays with their ones ----------------------------------------------------------------------------


def augmented(equations: Iterable[Equation]) -> dict[str, WithOnes]:
    """By name, the arrays that equations use with an entry of ones, except where [1 A] is the whole right side."""
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
