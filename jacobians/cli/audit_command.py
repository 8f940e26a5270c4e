"""``jacobians audit``: is a printed formula right in a convention, and if not, what slipped?"""

from __future__ import annotations

import argparse
import re
import sys
import textwrap
from pathlib import Path

from jacobians.auditing import names
from jacobians.cli import program_audit
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
from jacobians.cli.output import print_json
from jacobians.conventions import Convention
from jacobians.data.guards import printable
from jacobians.differentiation import audit
from jacobians.differentiation.identity_text import identity_text
from jacobians.errors import DataError
from jacobians.presets import all_conventions
from jacobians.presets import convention as find_convention

_LARGEST = 2000
"""Widths and examples: a formula is right or wrong at any."""
_CONVENTION = "cs231n"
_EPILOG = """\
exit code: 0 the formula is right, 1 it is not, 2 it cannot be read; of a program: 0 all that was judged is right,
1 something is wrong, 2 nothing was judged

examples:
  jacobians audit "dTheta2 = delta3.T @ A2 / m" --convention ng-ml-2011
  jacobians audit "grad = X' * (h - y) / m" --convention ng-ml-2011 --sizes 4,1
  jacobians audit - --convention ng-ml-2011 < nnCostFunction.m
  jacobians audit '\\frac{\\partial L}{\\partial W_1} = \\mathrm{d}Z_1 X^T'
  jacobians audit "dA1 = dZ2 @ V.T" --where "V = W2 - 0.5 * dW2"
  jacobians audit "∂ log det X/∂X = X⁻ᵀ"
  jacobians audit "∂(x'Ax)/∂x = 2Ax, A symmetric" --layout denominator
  jacobians audit --names --convention pytorch
  jacobians audit --program two_layer_net.py
"""


def add_to(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the subcommand to a parser."""
    parser = add_command(
        commands,
        "audit",
        summary="is a formula right in a convention, and if not, what slipped?",
        description="Read a formula in NumPy, LaTeX or Octave without executing it, check its shapes term by term, and "
        "compare its value with the chain of Jacobians on random batches; where it is wrong, name the slip and the "
        "right formula.",
        epilog=_EPILOG,
    )
    parser.add_argument(
        "formula",
        nargs="?",
        metavar="FORMULA",
        help="an equation, such as 'dW1 = X.T @ dZ1', or several lines; - reads standard input",
    )
    parser.add_argument(
        "--convention", metavar="NAME", help=f"a preset (default: {_CONVENTION}, or the first with weights so named)"
    )
    parser.add_argument(
        "--layout", choices=("numerator", "denominator", "mixed"), help="of a derivative of matrices (default: any)"
    )
    parser.add_argument("--batch", choices=("rows", "columns"), help="where one example lies, if not as in the preset")
    parser.add_argument(
        "--sizes",
        type=_sizes,
        metavar="7,5,3",
        help="widths of the layers (default: 7,5,3; more where numbered)",
    )
    add_objective(parser, l2="default: one if the formula names it")
    parser.add_argument("--examples", type=int, metavar="N", help="default: a number that is no layer's width")
    parser.add_argument(
        "--where", action="append", default=[], metavar="'NAME = …'", help="define a name of your own; may be repeated"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the random batches (default: %(default)s)")
    notation = parser.add_mutually_exclusive_group()
    for name in ("numpy", "latex", "octave"):
        notation.add_argument(f"--{name}", dest="notation", action="store_const", const=name, help=f"read it as {name}")
    parser.add_argument("--names", action="store_true", help="list the names that a formula may use, with their shapes")
    program_audit.add_options(parser)
    add_format(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Audit, print, and return the exit code."""
    if arguments.program is not None:
        return program_audit.run(arguments)
    formula = sys.stdin.read() if arguments.formula == "-" and not arguments.names else arguments.formula or ""
    convention = _convention(arguments, formula)
    check_layers(arguments.sizes or (), "audit")
    if arguments.seed < 0 or (arguments.l2 or 0) < 0:
        raise DataError("audit: --seed and --l2 must not be negative")
    if arguments.names:
        return _print_names(arguments, convention)
    if arguments.formula is None:
        raise DataError("audit: give a formula, such as 'dW1 = X.T @ dZ1', or --names")
    if arguments.examples is not None and arguments.examples > _LARGEST:
        raise DataError(f"audit: --examples {arguments.examples} is over the limit of {_LARGEST}")
    if Path(arguments.formula).suffix and Path(arguments.formula).is_file():
        raise DataError(
            f"audit: {arguments.formula} is a file; jacobians check FILE judges gradients in a file, and "
            "jacobians audit --program FILE a program"
        )
    of_matrices = arguments.convention is None and identity_text(formula) is not None
    found = audit(
        formula,
        None if of_matrices else convention,
        layout=arguments.layout,
        sizes=arguments.sizes,
        l2=arguments.l2,
        **objective_of(arguments),
        examples=arguments.examples,
        where=_definitions(arguments.where),
        notation=arguments.notation,
        seed=arguments.seed,
    )
    if arguments.format == "json":
        print_json(found.to_dict())
    else:
        print(printable(str(found)))
        if arguments.convention is None and not of_matrices and not (found and convention.name == _CONVENTION):
            why = "the default" if convention.name == _CONVENTION else "the first with weights of these names"
            note = f"note: read in {convention.name}, {why}; --convention NAME chooses another"
            print("\n" + textwrap.fill(note, 80, subsequent_indent="  ", break_on_hyphens=False))
    return 0 if found else 1


def _convention(arguments: argparse.Namespace, formula: str) -> Convention:
    found = with_regulariser(find_convention(arguments.convention or _named_in(formula)), arguments)
    if arguments.batch is None:
        return found
    return found.replace(layout=found.layout.replace(batch=arguments.batch))


def _named_in(formula: str) -> str:
    """The name of the first convention whose weights a formula names; of the default, if it names none."""
    used = {*re.findall(r"[^\W\d]\w*", formula)}
    for known in (find_convention(_CONVENTION), *all_conventions()):
        weights = {*filter(known.names.is_weight, known.shapes((2,) * 6))}
        if used & {*weights, *map(known.names.gradient_of, weights), *(f"d{name}" for name in weights)}:
            return known.name
    return _CONVENTION


def _definitions(given: list[str]) -> dict[str, str]:
    found = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise DataError(f"audit: --where {text!r} has no equals sign; write it as in 'W2_new = W2 - 0.5 * dW2'")
        found[name.strip()] = value.strip()
    return found


def _print_names(arguments: argparse.Namespace, convention: Convention) -> int:
    sizes = {} if arguments.sizes is None else {"sizes": arguments.sizes}
    found = names(convention, **sizes, **objective_of(arguments))
    if arguments.format == "json":
        print_json({name: {"shape": shape, "meaning": meaning} for name, (shape, meaning) in found.items()})
        return 0
    widths = max(map(len, found)), max(len(shape) for shape, _ in found.values())
    for name, (shape, meaning) in found.items():
        print(f"{name:<{widths[0]}}  {shape:<{widths[1]}}  {meaning}")
    return 0


def _sizes(text: str) -> tuple[int, ...]:
    sizes = whole_numbers(text, "7,5,3")
    if len(sizes) < 2 or not 1 <= min(sizes) <= max(sizes) <= _LARGEST:
        raise argparse.ArgumentTypeError(f"{text!r}: at least two widths, each from 1 to {_LARGEST}")
    return sizes
