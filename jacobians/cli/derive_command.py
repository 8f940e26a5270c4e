"""``jacobians derive``: the derivative of an expression of matrices, in any layout and notation."""

from __future__ import annotations

import argparse
from contextlib import suppress

from jacobians.cli.options import Commands, add_command, add_format, one_of
from jacobians.cli.output import json_text
from jacobians.differentiation import Derivative, differentiate
from jacobians.differentiation.derivative import FORMS
from jacobians.errors import LayoutError
from jacobians.symbols import NOTATIONS

_EPILOG = """\
A capital is a matrix, a small letter a column, a small Greek letter a number, I the identity. The expression is read,
never executed. Shapes follow from it; --shape fixes one.

examples:
  jacobians derive "tr(A' X B X')" --wrt X
  jacobians derive "log det X" --wrt X --layout numerator
  jacobians derive "log det X" --wrt X --second
  jacobians derive "A X^-1 B" --wrt X --layout numerator --format latex
  jacobians derive "np.linalg.norm(A @ x - b)" --wrt x --format numpy
"""


def add_to(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the subcommand to a parser."""
    parser = add_command(
        commands,
        "derive",
        summary="an expression's derivative: tr(A' X B X') with respect to X, in any layout",
        description="Derive an expression of matrices, written as in NumPy, LaTeX, Octave or a book.",
        epilog=_EPILOG,
    )
    parser.add_argument("expression", metavar="EXPRESSION", help="such as \"tr(A' X B X')\"")
    parser.add_argument("--wrt", required=True, metavar="NAME", help="with respect to which name")
    parser.add_argument(
        "--shape", action="append", default=[], type=_shape, metavar="X=3,2", help="of one name; c= is a number"
    )
    parser.add_argument("--notation", choices=["numpy", "latex", "octave"], help="of EXPRESSION; seen from it")
    parser.add_argument("--layout", choices=FORMS, metavar="FORM", help=f"only this one: {one_of(FORMS)}")
    parser.add_argument("--order", choices=["C", "F"], default="C", help="vec by rows or by columns (default: C)")
    parser.add_argument("--second", action="store_true", help="the Hessian, of a number")
    parser.add_argument("--steps", action="store_true", help="one line for each value on the way, of a number")
    add_format(parser, *(name for name in NOTATIONS if name != "text"))
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Derive, print, and return 0."""
    shapes = dict(arguments.shape)
    order = 2 if arguments.second else 1
    found = differentiate(arguments.expression, arguments.wrt, order=order, shapes=shapes, notation=arguments.notation)
    print(_written(found, arguments).rstrip("\n"))
    return 0


def _written(found: Derivative, arguments: argparse.Namespace) -> str:
    form = arguments.format
    if form == "json":
        return json_text(_record(found))
    if arguments.layout is not None:
        return found.formula(arguments.layout, form, arguments.order)
    whole = str(getattr(found, f"to_{form}")())
    if not arguments.steps:
        return whole
    return f"{whole}\n\n{getattr(found.steps, f'to_{form}')()}"


def _record(found: Derivative) -> dict[str, object]:
    """Everything as plain strings and lists."""
    formulas: dict[str, dict[str, str]] = {}
    for form in FORMS:
        written = {}
        for notation in NOTATIONS:
            with suppress(LayoutError):  # no matrix is written of this derivative, or JavaScript lacks a function
                written[notation] = found.formula(form, notation)
        if written:
            formulas[form] = written
    shapes = {name: list(shape) for name, shape in found.shapes.items()}
    return {"expression": found.expression, "wrt": found.wrt, "shapes": shapes, "formulas": formulas}


def _shape(text: str) -> tuple[str, tuple[int, ...]]:
    name, sign, sizes = text.partition("=")
    parts = [part for part in sizes.replace("x", ",").split(",") if part]
    if not name or not sign or not all(part.isdecimal() and 0 < int(part) <= 64 for part in parts):
        raise argparse.ArgumentTypeError(f"{text!r}: a shape is X=3,2, of a vector x=3, of a number c=; sizes to 64")
    return name, tuple(map(int, parts))
