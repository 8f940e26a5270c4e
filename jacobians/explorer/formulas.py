"""`keep_formulas`: a run's derivation as nodes of MathML, sentences and NumPy code, each kept once."""

from __future__ import annotations

from xml.etree import ElementTree

from jacobians.derivation import Derivation, Equation, ParameterDerivation, derive
from jacobians.explorer.distinct_values import Pool
from jacobians.explorer.names import shown_name, shown_shape
from jacobians.network import Run

__all__ = ["keep_formulas", "keep_mathml"]


_NAMESPACE = "{http://www.w3.org/1998/Math/MathML}"


def keep_mathml(markup: str, pool: Pool) -> int:
    """Return the place of a node ``[tag, attributes, text or places of children]``; equal parts are kept once.

    Examples
    --------
    >>> pool = Pool()
    >>> keep_mathml("<math><mrow><mi>Z</mi><mo>=</mo><mi>Z</mi></mrow></math>", pool)
    3
    >>> pool.values[0], pool.values[2]
    (['mi', {}, 'Z'], ['mrow', {}, [0, 1, 0]])
    """
    return pool.once(markup, lambda: _keep(ElementTree.fromstring(markup), pool))


def _keep(element: ElementTree.Element, pool: Pool) -> int:
    children = [_keep(child, pool) for child in element]
    return pool.keep([element.tag.removeprefix(_NAMESPACE), dict(element.attrib), children or element.text or ""])


def keep_formulas(run: Run, pool: Pool) -> int:
    """Return the place of a run's formulas: both passes, shapes, one derivation a parameter, and NumPy code."""
    derivation = derive(run)
    arrays = [(name, array) for name, array in derivation.values.items() if array.ndim]
    return pool.keep(
        {
            "forward": [[d.name, _equation(d.equation, pool)] for d in derivation.forward],
            "cotangents": [[d.name, _equation(d.equation, pool)] for d in derivation.cotangents],
            "shapes": [[_role(name, derivation), shown_name(name), shown_shape(a.shape)] for name, a in arrays],
            "parameters": {name: _parameter(found, pool) for name, found in derivation.parameters.items()},
            "code": pool.keep(derivation.to_numpy()),
        }
    )


def _role(name: str, derivation: Derivation) -> str:
    """What an array is in every convention: weights are W, and a value on the way has the library's name."""
    for definition in (*derivation.forward, *derivation.cotangents):
        if definition.symbol.name == name:
            return definition.name
    return name.replace(derivation.convention.weight_name, "W")


def _parameter(derivation: ParameterDerivation, pool: Pool) -> int:
    return pool.keep(
        {
            "chain": _equation(derivation.chain, pool),
            "steps": [
                [pool.keep(step.rule), pool.keep(step.reason), _equation(step.equation, pool)]
                for step in derivation.steps
            ],
            "formula": _equation(derivation.formula, pool),
        }
    )


def _equation(equation: Equation, pool: Pool) -> int:
    """The place of its MathML: two equations are the same where their places are."""
    return keep_mathml(equation.mathml, pool)
