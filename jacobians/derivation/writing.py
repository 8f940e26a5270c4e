"""A derivation as plain text, as LaTeX, as HTML with MathML, and as a NumPy program."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from html import escape

from jacobians.derivation.of_operation import OperationDerivation
from jacobians.derivation.result import ChainOfMaps, Derivation, Equation, ParameterDerivation, Step
from jacobians.symbols.expressions import Call, Expr, Symbol, WithOnes, show
from jacobians.symbols.functions import source_of
from jacobians.symbols.matrices import source as matrices_source
from jacobians.symbols.numpy import NumpyNotation, ones_name
from jacobians.symbols.text import TextNotation

__all__ = [
    "as_html",
    "as_latex",
    "as_text",
    "chain_lines",
    "gradient_program",
    "latex_text",
    "operation_as_html",
    "operation_as_latex",
    "operation_as_text",
    "operation_program",
    "parameter_lines",
    "preamble",
    "shape_lines",
]


_WIDTH = 88


def as_text(derivation: Derivation) -> str:
    """Return a whole derivation as plain text."""
    convention = derivation.convention
    lines = [f"{convention.name}: {convention.layout}", ""]
    lines += ["Shapes", *shape_lines(derivation), ""]
    lines += ["Forward", *(f"  {d.equation.text}" for d in derivation.forward), ""]
    lines += ["Backward, by name", *(f"  {d.equation.text}" for d in derivation.cotangents), ""]
    for parameter in derivation.parameters.values():
        lines += [*parameter_lines(parameter), ""]
    lines += ["In short", *(f"  {p.formula.text}" for p in derivation.parameters.values())]
    return "\n".join(lines)


def shape_lines(derivation: Derivation) -> Iterator[str]:
    """Yield the shapes of all named arrays, several a line."""
    cells = [f"{TextNotation().symbol(name)} {show(shape)}" for name, shape in derivation.shapes.items() if shape != ()]
    yield from textwrap.wrap(
        ", ".join(cells), _WIDTH, initial_indent="  ", subsequent_indent="  ", break_long_words=False
    )


def parameter_lines(parameter: ParameterDerivation) -> Iterator[str]:
    """Yield one parameter's derivation as text."""
    yield from _titled(parameter.chain.text.partition(" = ")[0])
    yield from chain_lines(parameter.chain)
    yield from _steps(parameter.steps)
    yield f"  so  {parameter.formula.text}"


def chain_lines(equation: Equation) -> Iterator[str]:
    """Yield a chain, and under each factor its size as a matrix."""
    chain = equation.right
    if not isinstance(chain, ChainOfMaps):
        raise TypeError(f"{equation.text} is no chain")
    notation = TextNotation()
    texts = [chain.factor_text(i, notation) for i in range(len(chain.factors))]
    sizes = [show(size) for _, size in chain.factors]
    upper, lower = "  = ", "    "
    for text, size in zip(texts, sizes, strict=True):
        width = max(len(text), len(size))
        if len(upper) + width > _WIDTH and upper.strip(" ="):
            yield from (upper.rstrip(), lower.rstrip())
            upper, lower = "      ", "      "
        upper += text.center(width) + "  "
        lower += size.center(width) + "  "
    yield from (upper.rstrip(), lower.rstrip())


def operation_as_text(derivation: OperationDerivation) -> str:
    """Return an operation's derivation as plain text."""
    lines = [f"{derivation.name}: {derivation.layout}", ""]
    if derivation.value is not None:
        lines += [f"  {derivation.value.text}", ""]
    for given in derivation.inputs.values():
        lines += [*_titled(given.jacobian.text.partition(" = ")[0]), *chain_lines(given.jacobian)]
        lines += [*_steps(given.merged, "="), "  A cotangent's way:", *_steps(given.steps, "=")]
        lines += [f"  so  {given.pullback.text},  and for a tangent  {given.pushforward.text}", ""]
    return "\n".join(lines).rstrip()


def as_latex(derivation: Derivation) -> str:
    """Return a whole derivation as a LaTeX fragment: paragraphs, and ``align*`` environments of amsmath."""
    convention = derivation.convention
    lines = [rf"\subsection*{{{latex_text(convention.name)}: {latex_text(str(convention.layout))}}}"]
    lines += [r"\paragraph{Forward}", *_align(d.equation for d in derivation.forward)]
    lines += [r"\paragraph{Backward, by name}", *_align(d.equation for d in derivation.cotangents)]
    for name, parameter in derivation.parameters.items():
        lines += [rf"\paragraph{{By {latex_text(name)}}}", *_align([parameter.chain])]
        lines += [*_enumerate(parameter.steps), *_align([parameter.formula])]
    return "\n".join(lines) + "\n"


def operation_as_latex(derivation: OperationDerivation) -> str:
    """Return an operation's derivation as a LaTeX fragment."""
    lines = [rf"\subsection*{{{latex_text(derivation.name)}: {latex_text(str(derivation.layout))}}}"]
    lines += [] if derivation.value is None else _align([derivation.value])
    for name, given in derivation.inputs.items():
        lines += [rf"\paragraph{{By {latex_text(name)}}}", *_align([given.jacobian])]
        lines += [*_enumerate([*given.merged, *given.steps]), *_align([given.pullback, given.pushforward])]
    return "\n".join(lines) + "\n"


def _enumerate(steps: Iterable[Step]) -> list[str]:
    items = [rf"\item \emph{{{latex_text(s.rule)}}}: $\displaystyle {s.equation.latex}$" for s in steps]
    return [r"\begin{enumerate}", *items, r"\end{enumerate}"] if items else []


_LATEX = {c: rf"\{c}" for c in "#$%&_{}"} | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\^{}"}
_LATEX |= {"δ": r"$\delta$", "₀": "$_0$", "λ": r"$\lambda$", "α": r"$\alpha$", "′": "$'$"}


def latex_text(text: str) -> str:
    """Return text as LaTeX outside of math, with what is special there escaped."""
    return "".join(_LATEX.get(c, c) for c in text)


def _align(equations: Iterable[Equation]) -> list[str]:
    lines = [e.latex.replace(" = ", " &= ", 1) for e in equations]
    return [r"\begin{align*}", " \\\\\n".join(lines), r"\end{align*}"]


def _titled(title: str) -> Iterator[str]:
    yield title
    yield "─" * len(title)


def _steps(steps: Iterable[Step], sign: str = "=") -> Iterator[str]:
    for number, step in enumerate(steps, 1):
        text = f"{number}. {step.rule}. {step.reason}"
        yield from textwrap.wrap(text, _WIDTH, initial_indent="  ", subsequent_indent="     ", break_long_words=False)
        left, _, right = step.equation.text.partition(" = ")
        yield f"       {sign} {right}" if not left.startswith("∂J") else f"     {left} = {right}"


def as_html(derivation: Derivation) -> str:
    """Return a whole derivation as an HTML fragment."""
    convention = derivation.convention
    parts = [f"<h4>{escape(convention.name)}: {escape(str(convention.layout))}</h4>"]
    shapes = [(n, s) for n, s in derivation.shapes.items() if s != ()]
    names = "".join(f"<th>{escape(TextNotation().symbol(name))}</th>" for name, _ in shapes)
    sizes = "".join(f"<td>{show(shape)}</td>" for _, shape in shapes)
    parts.append(f"<table><tr>{names}</tr><tr>{sizes}</tr></table>")
    parts += ["<h5>Forward</h5>", *_equations(d.equation for d in derivation.forward)]
    parts += ["<h5>Backward, by name</h5>", *_equations(d.equation for d in derivation.cotangents)]
    for name, parameter in derivation.parameters.items():
        parts.append(f"<details><summary>By {escape(name)}: {escape(parameter.formula.text)}</summary>")
        parts += [
            *_equations([parameter.chain]),
            _html_report_steps(parameter.steps),
            *_equations([parameter.formula]),
            "</details>",
        ]
    return f"<div>{''.join(parts)}</div>"


def operation_as_html(derivation: OperationDerivation) -> str:
    """Return an operation's derivation as an HTML fragment."""
    parts = [f"<h4>{escape(derivation.name)}: {escape(str(derivation.layout))}</h4>"]
    parts += _equations([] if derivation.value is None else [derivation.value])
    for name, given in derivation.inputs.items():
        parts.append(f"<details><summary>By {escape(name)}: {escape(given.pullback.text)}</summary>")
        parts += [*_equations([given.jacobian]), _html_report_steps(given.merged), _html_report_steps(given.steps)]
        parts += [*_equations([given.pullback, given.pushforward]), "</details>"]
    return f"<div>{''.join(parts)}</div>"


def _html_report_steps(steps: Iterable[Step]) -> str:
    items = "".join(
        f"<li><b>{escape(step.rule)}</b>: {escape(step.reason)} {step.equation.mathml}</li>" for step in steps
    )
    return f"<ol>{items}</ol>" if items else ""


def _equations(equations: Iterable[Equation]) -> list[str]:
    return [f"<p>{equation.mathml}</p>" for equation in equations]


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
    calls = [e.function for equation in equations for e in _inside(equation) if isinstance(e, Call)]
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
