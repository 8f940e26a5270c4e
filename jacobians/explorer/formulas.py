"""`keep_mathml` and `keep_equation`: formulas as nodes of MathML, each kept once; `roles_of` a run's arrays."""

from __future__ import annotations

from xml.etree import ElementTree

from jacobians.derivation import Derivation, Equation
from jacobians.explorer.distinct_values import DistinctValues
from jacobians.network import Run
from jacobians.symbols.mathml import MathmlNotation


def keep_mathml(markup: str, distinct: DistinctValues) -> int:
    """Return the place of a node ``[tag, text or places of children, attributes if any]``; equal parts are kept once.

    Examples
    --------
    >>> distinct = DistinctValues()
    >>> keep_mathml('<mrow><mi>Z</mi><mo stretchy="false">=</mo><mi>Z</mi></mrow>', distinct)
    2
    >>> distinct.values
    [['mi', 'Z'], ['mo', '=', {'stretchy': 'false'}], ['mrow', [0, 1, 0]]]
    """
    return distinct.once(markup, lambda: _keep(ElementTree.fromstring(markup), distinct))


def _keep(element: ElementTree.Element, distinct: DistinctValues) -> int:
    children = [_keep(child, distinct) for child in element]
    attributes = [dict(element.attrib)] if element.attrib else []
    return distinct.keep([element.tag, children or element.text or "", *attributes])


def roles_of(run: Run, derivation: Derivation) -> dict[str, str]:
    """Return the common name of an array in all conventions: W for weights, else the library's name."""
    network = run.network
    gradient_of = network.convention.names.gradient_of
    roles = {**network.names, **{gradient_of(name): f"d{own}" for name, own in network.names.items()}}
    for definition in (*derivation.forward, *derivation.cotangents):
        roles[definition.symbol.name] = "X with its ones" if definition.name == "X" else definition.name
    return {**roles, gradient_of("X"): "dX"}


def keep_equation(equation: Equation, distinct: DistinctValues) -> int:
    """Return the place of an equation's MathML. Equal equations have equal places."""
    return keep_mathml(equation.written(MathmlNotation()), distinct)
