"""What the library writes of a run in a source's own names, as the page's scripts give it in node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree

from jacobians.array_names import ArrayNames
from jacobians.conventions import Convention
from jacobians.derivation import Definition, Derivation, Equation, derive
from jacobians.explorer.example_nets import Example
from jacobians.explorer.formulas import roles_of
from jacobians.explorer.forward_steps import forward_steps
from jacobians.explorer.names import Spelling, shown_name, shown_shape
from jacobians.explorer.own_words import own_words
from jacobians.layout import Layout
from jacobians.network import Run
from jacobians.symbols.mathml import MathmlNotation


def library_formulas(example: Example, layout: Layout, source: Convention) -> dict[str, Any]:
    """Formulas, shapes, derivation and code of a net in a layout and in a source's names."""
    own = Convention("", layout, reduction="mean", names=source.names)
    run, plain = example.run(own), example.run(own.replace(names=ArrayNames()))
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
                "ahead": _ahead(plain, found, name, own_words(source.names, len(example.sizes) - 1)),
                "steps": [[step.rule, step.reason, _nodes(step.equation)] for step in parameter.steps],
            }
            for name, parameter in found.parameters.items()
        },
        "shown": {name: spelled.array(name) for name in ("Z1", *(["A1"] if len(example.sizes) > 2 else []))},
    }


def _ahead(run: Run, found: Derivation, name: str, words: dict[str, str]) -> list[list[Any]]:
    """A change's way, in the source's names."""
    library = {own: name for name, own in words.items()}
    chain = run.chain(library.get(name, name))
    factors = chain if run.network.layout.derivative == "numerator" else chain[::-1]
    groups = [(words.get(factor.of, factor.of), words.get(factor.wrt, factor.wrt)) for factor in factors]
    write = MathmlNotation()
    return [
        [
            *(
                _node(ElementTree.fromstring(part.written(write) if isinstance(part, Equation) else write.expr(part)))
                for part in (step.change, step.equation)
            ),
            step.reason,
        ]
        for step in forward_steps(found, name, groups)
    ]


def _definitions(definitions: Sequence[Definition]) -> list[list[Any]]:
    return [[found.name, _nodes(found.equation)] for found in definitions]


def _nodes(equation: Equation) -> list[Any]:
    return _node(ElementTree.fromstring(equation.written(MathmlNotation())))


def _node(element: ElementTree.Element) -> list[Any]:
    return [element.tag, [_node(child) for child in element] or element.text or "", dict(element.attrib)]
