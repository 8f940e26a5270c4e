"""``jacobians explain``: how the gradient or the Hessian follows from the Jacobians, step by step."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import Any

from jacobians.cli.options import (
    Commands,
    add_command,
    add_format,
    add_objective,
    check_layers,
    objective_of,
    whole_numbers,
    with_regulariser,
)
from jacobians.cli.output import OR_FORCE, columns, json_text, write_file
from jacobians.conventions import Convention
from jacobians.derivation import (
    BlockDerivation,
    Derivation,
    Equation,
    ParameterDerivation,
    SecondDerivation,
    derive,
    derive_second,
)
from jacobians.errors import DataError
from jacobians.network import Network
from jacobians.network.made_up_inputs import sample_data
from jacobians.presets import convention
from jacobians.symbols import NOTATIONS, in_every_notation

_LARGEST = 64
"""Widths and examples above this only make the program slow: the formulas are the same for any."""
_EPILOG = """\
The operations run on symbols, of the sizes of one small network. No formula depends on numbers.

examples:
  jacobians explain ng-ml-2011 --parameter Theta1
  jacobians explain ng-ml-2011 --task regression --sizes 2,1
  jacobians explain cs231n --activation tanh --l2 0.1
  jacobians explain pytorch --l2 0.1 --regulariser half
  jacobians explain ng-dlai --format numpy -o gradients.py
  jacobians explain ng-dlai --format javascript -o gradients.js
  jacobians explain cs224n-rows --format latex > derivation.tex
  jacobians explain ng-dlai --task yes/no --sizes 4,1 --order 2 --parameter W1
"""


def add_to(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the subcommand to a parser."""
    parser = add_command(
        commands,
        "explain",
        summary="a gradient's derivation in one convention: the chain, every step by name, the formula",
        description="Derive the gradient of a network in one convention: the product of Jacobians, every rewriting by "
        "name and with its reason, and the compact formula that is left. Or its Hessian, one term for each operation.",
        epilog=_EPILOG,
    )
    parser.add_argument("name", metavar="CONVENTION", help="a preset (see: jacobians conventions)")
    parser.add_argument("--sizes", type=_sizes, default=(4, 3, 2), metavar="4,3,2", help="widths from the input on")
    parser.add_argument("--examples", type=_count, default=5, metavar="N", help="in the batch (default: %(default)s)")
    add_objective(parser)
    parser.add_argument("--parameter", metavar="NAME", help="only this one, such as Theta1, b2, or X for the inputs")
    parser.add_argument("--order", type=int, choices=(1, 2), default=1, help="2: the Hessian (default: %(default)s)")
    add_format(parser, *(name for name in NOTATIONS if name != "text"))
    parser.add_argument("-o", "--output", metavar="FILE", help="write to FILE")
    parser.add_argument("--force", action="store_true", help="write over FILE if it exists")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Derive, print or write, and return 0."""
    check_layers(arguments.sizes, "explain")
    found = with_regulariser(convention(arguments.name), arguments)
    strength = arguments.l2 or 0.0
    if strength < 0:
        raise DataError("explain: --l2 must not be negative")
    network = Network.dense(arguments.sizes, convention=found, l2=strength, **objective_of(arguments))
    evaluated = network.run(*sample_data(network, arguments.examples, seed=0))
    name, known = arguments.parameter, [*evaluated.params, "X"]
    if name is not None and name not in known:
        raise DataError(f"explain: {found.name} has no parameter {name!r}; choose from {', '.join(known)}")
    derivation: Derivation | SecondDerivation
    if arguments.order == 2:
        derivation = derive_second(evaluated, () if name is None else (name,))
    else:
        derivation = derive(evaluated) if name is None else _only(derive(evaluated), name)
    text = _written(derivation, found, arguments.format).rstrip("\n") + "\n"
    if arguments.output is None:
        print(text, end="")
    else:
        write_file(arguments.output, text, "explain", overwrite=arguments.force, hint=OR_FORCE)
    return 0


def _sizes(text: str) -> tuple[int, ...]:
    sizes = whole_numbers(text, "4,3,2")
    if len(sizes) < 2 or not all(1 <= size <= _LARGEST for size in sizes):
        raise argparse.ArgumentTypeError(f"{text!r}: give two widths or more, each from 1 to {_LARGEST}")
    return sizes


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _LARGEST:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of examples from 1 to {_LARGEST}")
    return int(text)


def _only(derivation: Derivation, name: str) -> Derivation:
    """One parameter's part, without the other gradients' arrays."""
    others = {derivation.convention.names.gradient_of(n) for n in derivation.parameters if n != name}
    values = {n: array for n, array in derivation.values.items() if n not in others}
    return replace(derivation, parameters={name: derivation[name]}, values=values)


def _written(derivation: Derivation | SecondDerivation, own: Convention, form: str) -> str:
    if form == "json":
        return json_text(_record(derivation, own))
    whole = getattr(derivation, f"to_{form}", None)
    if whole is None:  # a notation without a document of its own: every equation on a line
        return "\n".join(equation.alone(NOTATIONS[form]()) for equation in derivation.equations)
    return str(whole(columns()) if form == "text" else whole())


def _record(derivation: Derivation | SecondDerivation, own: Convention) -> dict[str, Any]:
    """Everything as plain strings and lists."""
    record: dict[str, Any] = {
        "convention": own.name,
        "layout": str(own.layout),
        "shapes": {name: list(shape) for name, shape in derivation.shapes.items()},
        "forward": [{"name": d.name, **_equation(d.equation)} for d in derivation.forward],
        "cotangents": [{"name": d.name, **_equation(d.equation)} for d in derivation.cotangents],
    }
    if isinstance(derivation, SecondDerivation):
        return record | {"blocks": [_block(block) for block in derivation.blocks.values()]}
    return record | {"parameters": {name: _parameter(found) for name, found in derivation.parameters.items()}}


def _block(block: BlockDerivation) -> dict[str, Any]:
    terms = [
        {"operation": term.operation, "part": term.part, "of": list(term.of), **in_every_notation(term.chain.written)}
        for term in block.terms
    ]
    return {"rows": block.rows, "columns": block.columns, "terms": terms, "formula": _equation(block.formula)}


def _parameter(found: ParameterDerivation) -> dict[str, Any]:
    return {
        "chain": _equation(found.chain),
        "sizes": [list(size) for size in found.sizes],
        "steps": [{"rule": s.rule, "reason": s.reason, **_equation(s.equation)} for s in found.steps],
        "formula": _equation(found.formula),
    }


def _equation(equation: Equation) -> dict[str, str]:
    return in_every_notation(equation.written)
