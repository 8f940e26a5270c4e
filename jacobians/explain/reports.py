"""A derivation as plain text, and as LaTeX."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from jacobians.explain.derivation import Derivation, ParameterDerivation, Step
from jacobians.explain.equation import ChainOfMaps, Equation
from jacobians.explain.expressions import show
from jacobians.explain.operation_derivation import OperationDerivation
from jacobians.explain.text_notation import TextNotation

__all__ = [
    "as_latex",
    "as_text",
    "chain_lines",
    "latex_text",
    "operation_as_latex",
    "operation_as_text",
    "parameter_lines",
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
