"""A derivation as an HTML fragment with MathML: for notebooks, without scripts or styles of its own."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from jacobians.explain.derivation import Derivation, Step
from jacobians.explain.equation import Equation
from jacobians.explain.expressions import show
from jacobians.explain.operation_derivation import OperationDerivation
from jacobians.explain.text_notation import TextNotation

__all__ = ["as_html", "operation_as_html"]


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
            _steps(parameter.steps),
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
        parts += [*_equations([given.jacobian]), _steps(given.merged), _steps(given.steps)]
        parts += [*_equations([given.pullback, given.pushforward]), "</details>"]
    return f"<div>{''.join(parts)}</div>"


def _steps(steps: Iterable[Step]) -> str:
    items = "".join(
        f"<li><b>{escape(step.rule)}</b>: {escape(step.reason)} {step.equation.mathml}</li>" for step in steps
    )
    return f"<ol>{items}</ol>" if items else ""


def _equations(equations: Iterable[Equation]) -> list[str]:
    return [f"<p>{equation.mathml}</p>" for equation in equations]
