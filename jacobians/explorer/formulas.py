"""`keep_formulas`: a run's derivation as nodes of MathML, sentences and NumPy code, each kept once."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from jacobians.derivation import Definition, Derivation, Equation, ParameterDerivation
from jacobians.explorer.distinct_values import DistinctValues
from jacobians.explorer.names import shown_name, shown_shape
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


def keep_formulas(run: Run, derivation: Derivation, distinct: DistinctValues) -> int:
    """Return the place of a run's formulas: both passes, shapes, one derivation a parameter, and NumPy code."""
    roles = roles_of(run, derivation)
    arrays = [(name, array) for name, array in derivation.values.items() if array.ndim]
    return distinct.keep(
        {
            "forward": _definitions(derivation.forward, distinct),
            "cotangents": _definitions(derivation.cotangents, distinct),
            "shapes": distinct.keep(
                [[roles.get(name, name), shown_name(name), shown_shape(a.shape)] for name, a in arrays]
            ),
            "parameters": distinct.keep(
                {name: _parameter(found, distinct) for name, found in derivation.parameters.items()}
            ),
            "code": distinct.keep(derivation.to_numpy()),
        }
    )


def _definitions(definitions: Sequence[Definition], distinct: DistinctValues) -> int:
    return distinct.keep([[found.name, keep_equation(found.equation, distinct)] for found in definitions])


def roles_of(run: Run, derivation: Derivation) -> dict[str, str]:
    """What an array is in every convention: weights are W, and a value on the way has the library's name."""
    network = run.network
    gradient_of = network.convention.names.gradient_of
    roles = {**network.names, **{gradient_of(name): f"d{own}" for name, own in network.names.items()}}
    for definition in (*derivation.forward, *derivation.cotangents):
        roles[definition.symbol.name] = "X with its ones" if definition.name == "X" else definition.name
    return {**roles, gradient_of("X"): "dX"}


def _parameter(derivation: ParameterDerivation, distinct: DistinctValues) -> int:
    return distinct.keep(
        {
            "chain": keep_equation(derivation.chain, distinct),
            "steps": [
                distinct.keep(
                    [distinct.keep(step.rule), distinct.keep(step.reason), keep_equation(step.equation, distinct)]
                )
                for step in derivation.steps
            ],
            "formula": keep_equation(derivation.formula, distinct),
        }
    )


def keep_equation(equation: Equation, distinct: DistinctValues) -> int:
    """Return the place of its MathML: two equations are the same where their places are."""
    return keep_mathml(equation.written(MathmlNotation()), distinct)
