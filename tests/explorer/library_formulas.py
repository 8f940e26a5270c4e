"""What the library writes of a run in a source's own names, as the page's scripts give it in node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree

from jacobians.conventions import Convention
from jacobians.derivation import Definition, Equation, derive
from jacobians.explorer.example_nets import Example
from jacobians.explorer.formulas import roles_of
from jacobians.explorer.names import Spelling, shown_name, shown_shape
from jacobians.layout import Layout
from jacobians.symbols.mathml import MathmlNotation


def library_formulas(example: Example, layout: Layout, source: Convention) -> dict[str, Any]:
    """Formulas, shapes, derivation and code of a net in a layout and in a source's names."""
    own = Convention("", layout, reduction="mean", names=source.names)
    run = example.run(own)
    found, roles = derive(run), roles_of(run, derive(run))
    spelled = Spelling(run, example.activation)
    return {
        "forward": _definitions(found.forward),
        "cotangents": _definitions(found.cotangents),
        "shapes": [
            [roles.get(name, name), shown_name(name), shown_shape(array.shape)]
            for name, array in found.values.items()
            if array.ndim
        ],
        "code": found.to_numpy(),
        "parameters": {
            run.network.names[name] if name in run.params else name: {
                "chain": _nodes(parameter.chain),
                "formula": _nodes(parameter.formula),
                "steps": [[step.rule, step.reason, _nodes(step.equation)] for step in parameter.steps],
            }
            for name, parameter in found.parameters.items()
        },
        "shown": {name: spelled.array(name) for name in ("Z1", *(["A1"] if len(example.sizes) > 2 else []))},
    }


def _definitions(definitions: Sequence[Definition]) -> list[list[Any]]:
    return [[found.name, _nodes(found.equation)] for found in definitions]


def _nodes(equation: Equation) -> list[Any]:
    return _node(ElementTree.fromstring(equation.written(MathmlNotation())))


def _node(element: ElementTree.Element) -> list[Any]:
    return [element.tag, [_node(child) for child in element] or element.text or "", dict(element.attrib)]
