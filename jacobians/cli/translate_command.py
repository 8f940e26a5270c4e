"""``jacobians translate``: a file's parameters and gradients from one convention to another."""

from __future__ import annotations

import argparse

from jacobians.cli.options import Commands, add_command, add_format, whole_numbers
from jacobians.cli.output import OR_FORCE, check_free, print_json
from jacobians.parameter_files import translate_file, write_arrays

_EPILOG = """\
A FILE holds parameters by the convention's names or packed, and may hold gradients, X, y and λ, as for jacobians check.
What is written says its convention, so that check, compare and translate need not be told.

examples:
  jacobians translate weights.mat --from ng-ml-2011 --to pytorch -o weights.npz
  jacobians translate weights.npz --to flax -o flax.npz
  jacobians translate packed.mat --to sklearn-mlp --sizes 400,25,10 -o coefs.npz
"""


def add_to(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the subcommand to a parser."""
    parser = add_command(
        commands,
        "translate",
        summary="a file's parameters and gradients in another convention",
        description="Read a file's parameters in one convention and write them in another: weights, biases, gradients, "
        "packed vectors, examples and targets. Only the arrangement changes.",
        epilog=_EPILOG,
    )
    parser.add_argument("file", metavar="FILE", help="an .npz or .mat")
    parser.add_argument("--from", dest="source", metavar="NAME", help="its convention (default: the one that it says)")
    parser.add_argument("--to", dest="target", metavar="NAME", required=True, help="a preset")
    parser.add_argument("-o", "--output", metavar="FILE", required=True, help="a new .npz or .mat")
    parser.add_argument(
        "--sizes",
        type=lambda text: whole_numbers(text, "400,25,10"),
        metavar="400,25,10",
        help="widths of the layers, where a packed vector does not tell them",
    )
    parser.add_argument("--force", action="store_true", help="write over FILE if it exists")
    add_format(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Translate, write, say what was written, and return 0."""
    check_free(arguments.output, "translate", overwrite=arguments.force, hint=OR_FORCE)
    found = translate_file(arguments.file, arguments.target, arguments.source, sizes=arguments.sizes)
    write_arrays(arguments.output, found.arrays, found.target, "translate", overwrite=arguments.force)
    if arguments.format == "json":
        shapes = {name: list(array.shape) for name, array in found.arrays.items()}
        print_json({"file": arguments.output, "convention": found.target.name, "shapes": shapes, "said": str(found)})
    else:
        print(f"{arguments.output}: {found}")
    return 0
