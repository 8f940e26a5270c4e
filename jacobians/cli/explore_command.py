"""``jacobians explore``: writes the explorer, one HTML file that needs no network."""

from __future__ import annotations

import argparse
import sys
import webbrowser
from pathlib import Path

from jacobians.cli.data_options import data_of
from jacobians.cli.options import Commands, add_command, add_format
from jacobians.cli.output import OR_FORCE, check_free, print_json, write_file
from jacobians.conventions import Convention
from jacobians.errors import DataError, LayoutError
from jacobians.explorer import explorer_page
from jacobians.explorer.example_nets import EXAMPLES, example_of
from jacobians.explorer.matrix_functions import FUNCTIONS, function_of
from jacobians.explorer.matrix_page import matrix_page
from jacobians.presets import convention

_DEFAULT_FILE, _MATRIX_FILE = "jacobians-explorer.html", "jacobians-matrix.html"
_EPILOG = """\
examples:
  jacobians explore
  jacobians explore ng-ml-2011 cs231n -o two.html
  jacobians explore --data batch.csv --labels kind --open
  jacobians explore -o lecture.html --force
  jacobians explore --matrix
  jacobians explore --matrix "tr(A' X B X')"
  jacobians explore -o - > lecture.html
"""


def add_to(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the subcommand to a parser."""
    parser = add_command(
        commands,
        "explore",
        summary="two conventions side by side in the browser, offline",
        description="Write a page that shows one small net in two conventions side by side: formulas, shapes, every "
        "Jacobian of the chain with its numbers, the derivation and NumPy code. The file loads nothing: open it from "
        "disk, or hand it on. The view is kept in the address, after the #.",
        epilog=_EPILOG,
    )
    parser.add_argument(
        "names",
        nargs="*",
        metavar="preset",
        help="offer these alone; of two, the first is on the left (default: every preset)",
    )
    parser.add_argument("--data", metavar="FILE", help="begin with a net on this small batch, arrays or a table")
    parser.add_argument("--features", metavar="NAMES", help="the examples in FILE, or columns a,b (default: X, …)")
    parser.add_argument("--labels", metavar="NAME", help="the array or column of labels in FILE (default: y, class, …)")
    parser.add_argument(
        "--matrix",
        nargs="?",
        const=FUNCTIONS[0].key,
        metavar="FUNCTION",
        help="a page of one function of a matrix X: a name, such as inverse, or an expression",
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", help=f"default: {_DEFAULT_FILE}, {_MATRIX_FILE} of a matrix; - to print"
    )
    parser.add_argument("--force", action="store_true", help="write over FILE if it exists")
    parser.add_argument("--open", action="store_true", help="open the page in the browser")
    add_format(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the page, say where it is, and return 0."""
    output = arguments.output or (_DEFAULT_FILE if arguments.matrix is None else _MATRIX_FILE)
    presets = _presets(arguments)  # a wrong name is told before a file that is in the way
    if output != "-":
        check_free(output, "explore", overwrite=arguments.force, hint=OR_FORCE)
    page = _page(arguments, presets)
    if output == "-":
        sys.stdout.buffer.write(page.encode())  # the page is UTF-8, whatever the terminal is
        return 0
    path = Path(output)
    write_file(output, page, "explore", overwrite=arguments.force, hint=OR_FORCE)
    size = len(page.encode())
    if arguments.format == "json":
        print_json({"file": output, "address": path.resolve().as_uri(), "bytes": size})
    else:
        print(f"{path}: {size / 1000:.0f} kB, no network needed. Open it in a browser:\n  {path.resolve().as_uri()}")
    if arguments.open and not webbrowser.open(path.resolve().as_uri()):
        print("No browser was found to open it with.", file=sys.stderr)
    return 0


def _presets(arguments: argparse.Namespace) -> list[Convention] | None:
    """The conventions that are named; None where none is."""
    if arguments.matrix is not None:
        return None
    try:
        return [convention(name) for name in dict.fromkeys(arguments.names)] or None
    except LayoutError as error:
        raise LayoutError(
            f"{error}. A convention of your own goes on the page in Python: jacobians.explorer.explorer_page([mine])"
        ) from None


def _page(arguments: argparse.Namespace, presets: list[Convention] | None) -> str:
    if arguments.matrix is not None:
        given = [*arguments.names, *(v for v in (arguments.data, arguments.features, arguments.labels) if v)]
        if given:
            raise DataError(f"explore: --matrix shows one function, and takes no {given[0]}; quote an expression")
        return matrix_page(function_of(arguments.matrix))
    examples = EXAMPLES
    if arguments.data is not None:
        examples = (example_of(data_of(arguments, "explore", "cross_entropy", None)), *EXAMPLES)
    elif arguments.features or arguments.labels:
        raise DataError("explore: --features and --labels name arrays of a file; add --data FILE")
    return explorer_page(presets, examples)
