"""``jacobians check``: a gradient against a numerical derivative, from two functions or from a file."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np

from jacobians.checking import check_gradient, check_jacobian
from jacobians.cli.options import (
    Commands,
    add_command,
    add_format,
    add_objective,
    check_memory,
    objective_of,
    whole_numbers,
    with_regulariser,
)
from jacobians.cli.output import apart_from_output, print_json
from jacobians.data import read_arrays
from jacobians.data.files import kind_of
from jacobians.data.guards import printable
from jacobians.errors import DataError
from jacobians.file_verdict import Objective, verdict_on
from jacobians.presets import convention as find_convention

_FILES = (".npz", ".mat")
_PROGRAMS = (".py", ".ipynb", ".m")
_MOST_DIRECTIONS = 10_000
_CODES = {"pass": 0, "fail": 1, "undecided": 1, "inconclusive": 2}
_EPILOG = """\
MODULE:FUNCTION is imported and called: it runs your own code, from the current folder or wherever Python finds it.
A FILE never runs anything: arrays are read, and nothing is unpickled.

exit code: 0 the gradient is right, 1 it is wrong, right only under what is asked for, or undecided, 2 it could not be
judged, or bad input

examples:
  jacobians check model:loss model:gradient --shape 5,3 --seed 0
  jacobians check model:loss_and_gradient --at parameters.npz
  jacobians check homework.mat --convention ng-ml-2011
  jacobians check homework.npz --convention cs231n --l2 0.05

a FILE holds X, y, the parameters by the convention's names (Theta1, …, or W1, b1, …; one packed vector nn_params or
theta), and your gradients, one per parameter, named dW1, W1_grad, grad_W1 or W1grad, or as one packed vector grad. λ is
read from lambda, lambd, reg or alpha. An array that is not used is an error, unless it is a cost (J, cost, loss) or its
name begins with _.
"""


def add_to(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the subcommand to a parser."""
    parser = add_command(
        commands,
        "check",
        summary="is a gradient right, and if not, why? of your functions, or in a file",
        description="Check a gradient against numerical derivatives; of a gradient in a file, say also why it "
        "is wrong.",
        epilog=_EPILOG,
    )
    parser.add_argument("target", metavar="MODULE:FUNCTION | FILE", help="a function of arrays, or an .npz or .mat")
    parser.add_argument("gradient", nargs="?", metavar="MODULE:GRADIENT", help="or FUNCTION returns (value, gradient)")
    functions = parser.add_argument_group("functions")
    functions.add_argument("--at", metavar="FILE", help="the point: .npy, or .npz for a dict of arrays")
    functions.add_argument("--shape", metavar="5,3", help="a random point of this shape instead")
    functions.add_argument("--jacobian", action="store_true", help="FUNCTION returns an array, GRADIENT its Jacobian")
    files = parser.add_argument_group("files")
    files.add_argument("--convention", metavar="NAME", help="the arrays' (default: the first preset that fits)")
    add_objective(files, l2="default: λ of the file, or 0")
    files.add_argument("--features", metavar="NAME", help="the array of examples (default: X)")
    files.add_argument("--labels", metavar="NAME", help="the array of labels (default: y or Y)")
    files.add_argument("--first-label", type=int, choices=(0, 1), help="the first class's number, where none shows it")
    files.add_argument(
        "--sizes",
        type=lambda text: whole_numbers(text, "400,25,10"),
        metavar="400,25,10",
        help="widths of the layers, where a packed vector does not tell them",
    )
    parser.add_argument("--directions", type=int, metavar="N", help="random directions instead of all entries")
    parser.add_argument("--seed", type=int, default=0, help="of the point and the directions (default: %(default)s)")
    add_format(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check, print, and return the exit code."""
    if arguments.seed < 0:
        raise DataError("check: --seed must not be negative")
    if arguments.directions is not None and arguments.directions > _MOST_DIRECTIONS:
        raise DataError(f"check: --directions {arguments.directions} is over the limit of {_MOST_DIRECTIONS}")
    if kind_of(arguments.target) in _FILES:
        return _check_file(arguments)
    if ":" not in arguments.target:
        known, there = f"known files are {', '.join(_FILES)}", Path(arguments.target).exists()
        if there and kind_of(arguments.target) in _PROGRAMS:
            known += f"; jacobians audit --program {arguments.target} judges a program"
        what = "is a file, but none of arrays" if there else "is neither MODULE:FUNCTION, such as model:loss, nor there"
        raise DataError(f"check: {arguments.target!r} {what}; {known}")
    return _check_functions(arguments)


# The user's own functions.


def _check_functions(arguments: argparse.Namespace) -> int:
    with apart_from_output(wanted=arguments.format == "json"):
        function = _load_function(arguments.target)
        gradient = _load_function(arguments.gradient) if arguments.gradient else None
        x = _point(arguments.at, arguments.shape, arguments.seed)
        if arguments.jacobian and gradient is None:
            raise DataError("check: --jacobian needs MODULE:JACOBIAN beside MODULE:FUNCTION")
        check: Callable[..., Any] = check_jacobian if arguments.jacobian else check_gradient
        result = check(function, gradient, x, directions=arguments.directions, seed=arguments.seed)
    if arguments.format == "json":
        print_json(result.to_dict())
    else:
        print(printable(str(result)))
    return _CODES[result.verdict]


def _load_function(name: str) -> Callable[..., Any]:
    """Import ``MODULE:FUNCTION`` and return it: this runs the module's code.

    Raises
    ------
    DataError
        If the module cannot be imported, or has no such function.
    """
    module, _, attribute = name.partition(":")
    if not module or not attribute:
        raise DataError(f"check: {name!r} is not MODULE:FUNCTION, such as model:loss")
    if module.endswith(".py"):
        raise DataError(f"check: {name!r} names a file; write its module, {module.removesuffix('.py')}:{attribute}")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        loaded = importlib.import_module(module)
    # the import runs the caller's own code, which may raise anything
    except (Exception, SystemExit) as error:
        raise DataError(f"check: importing {module} raised {type(error).__name__}: {error}") from error
    try:
        found = reduce(getattr, attribute.split("."), loaded)
    except AttributeError:
        names = [n for n, value in vars(loaded).items() if callable(value) and not n.startswith("_")]
        raise DataError(f"check: {module} has no {attribute!r}; it has {', '.join(names) or 'no functions'}") from None
    if not callable(found):
        raise DataError(f"check: {name} is a {type(found).__name__}, and cannot be called")
    return found


def _point(at: str | None, shape: str | None, seed: int) -> Any:
    """Return where to check: an array, or a dict of arrays.

    Raises
    ------
    DataError
        Unless exactly one of `at` and `shape` is given, and usable.
    """
    if (at is None) == (shape is None):
        raise DataError("check: give the point by --at FILE.npy, --at FILE.npz or --shape 5,3: one of them")
    if at is not None:
        arrays = read_arrays(at)
        return next(iter(arrays.values())) if kind_of(at) == ".npy" else arrays
    try:
        sizes = tuple(int(part) for part in (shape or "").split(",") if part.strip())
    except ValueError:
        raise DataError(f"check: --shape {shape!r} is no list of sizes such as 5,3") from None
    if any(size < 0 for size in sizes):
        raise DataError(f"check: --shape {shape!r} has a negative size")
    check_memory(sizes, f"check: --shape {shape}")
    return np.random.default_rng(seed).normal(size=sizes)


# A file: data, parameters and gradients, in a named convention.


def _check_file(arguments: argparse.Namespace) -> int:
    if arguments.gradient or arguments.at or arguments.shape or arguments.jacobian:
        raise DataError("check: a file holds the point and the gradient; leave out GRADIENT, --at, --shape, --jacobian")
    path = arguments.target
    objective = Objective(**objective_of(arguments), l2=arguments.l2, first_label=arguments.first_label)
    if arguments.regulariser and not arguments.convention:
        raise DataError("check: --regulariser changes a convention's; name it with --convention")
    found = verdict_on(
        read_arrays(path),
        with_regulariser(find_convention(arguments.convention), arguments) if arguments.convention else None,
        objective,
        features=arguments.features,
        labels=arguments.labels,
        sizes=arguments.sizes,
        directions=arguments.directions,
        seed=arguments.seed,
        where=Path(path).name,
    )
    if arguments.format == "json":
        print_json({"file": path, **found.to_dict()})
    else:
        print(printable(str(found)))
    return _CODES[found.verdict]
