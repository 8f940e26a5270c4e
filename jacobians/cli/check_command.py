"""``jacobians check``: a gradient against a numerical derivative, from two functions or from a file."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from jacobians.cli.check_file import Submission, read_submission
from jacobians.cli.check_functions import load_function, point
from jacobians.errors import DataError
from jacobians.operations import ACTIVATIONS, LOSSES, full_name

__all__ = ["add_to"]

_FILES = (".npz", ".mat")
_EPILOG = """\
MODULE:FUNCTION is imported and called: it runs your own code, from the current folder or wherever Python finds it.
A FILE never runs anything: arrays are read, and nothing is unpickled.

exit code: 0 the gradient is right, 1 it is wrong or could not be judged, 2 bad input

examples:
  jacobians check model:loss model:gradient --shape 5,3 --seed 0
  jacobians check model:loss_and_gradient --at parameters.npz
  jacobians check homework.mat --convention ng-ml-2011 --loss binary_cross_entropy --l2 1

a FILE holds X, y, the parameters by the convention's names (Theta1, …, or W1, b1, …), and your gradients as one packed
vector `grad` or by parameter, named dW1, W1_grad, grad_W1 or W1grad.
"""


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand to a parser."""
    parser = commands.add_parser(
        "check",
        help="is a gradient right, and if not, why? of your functions, or in a file",
        description="Check a gradient against numerical derivatives; of a gradient in a file, say also why it "
        "is wrong.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("target", metavar="MODULE:FUNCTION | FILE", help="a function of arrays, or an .npz or .mat")
    parser.add_argument("gradient", nargs="?", metavar="MODULE:GRADIENT", help="or FUNCTION returns (value, gradient)")
    functions = parser.add_argument_group("functions")
    functions.add_argument("--at", metavar="FILE", help="the point: .npy, or .npz for a dict of arrays")
    functions.add_argument("--shape", metavar="5,3", help="a random point of this shape instead")
    functions.add_argument("--jacobian", action="store_true", help="FUNCTION returns an array, GRADIENT its Jacobian")
    files = parser.add_argument_group("files")
    files.add_argument("--convention", metavar="NAME", help="the arrays' (default: the first preset that fits)")
    files.add_argument("--activation", choices=list(ACTIVATIONS), default="sigmoid", help="default: %(default)s")
    files.add_argument(
        "--loss", type=full_name, choices=list(LOSSES), default="cross_entropy", help="default: %(default)s"
    )
    files.add_argument("--l2", type=float, default=0.0, metavar="λ", help="the regulariser's strength (default: 0)")
    files.add_argument("--features", metavar="NAME", help="the array of examples (default: X)")
    files.add_argument("--labels", metavar="NAME", help="the array of labels (default: y or Y)")
    parser.add_argument("--directions", type=int, metavar="N", help="random directions instead of all entries")
    parser.add_argument("--seed", type=int, default=0, help="of the point and the directions (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check, print, and return the exit code."""
    if arguments.seed < 0:
        raise DataError("check: --seed must not be negative")
    if Path(arguments.target).suffix.lower() in _FILES:
        return _check_file(arguments)
    if ":" not in arguments.target:
        raise DataError(
            f"check: {arguments.target!r} is neither MODULE:FUNCTION nor a file; known files are {', '.join(_FILES)}"
        )
    return _check_functions(arguments)


def _check_functions(arguments: argparse.Namespace) -> int:
    from jacobians.checking import check_gradient, check_jacobian

    function = load_function(arguments.target)
    gradient = load_function(arguments.gradient) if arguments.gradient else None
    x = point(arguments.at, arguments.shape, arguments.seed)
    options: dict[str, Any] = {"directions": arguments.directions, "seed": arguments.seed}
    if not arguments.jacobian:
        result = check_gradient(function, gradient, x, **options)
    elif gradient is not None:
        result = check_jacobian(function, gradient, x, **options)
    else:
        raise DataError("check: --jacobian needs MODULE:JACOBIAN beside MODULE:FUNCTION")
    print(json.dumps(result.to_dict(), indent=2, ensure_ascii=False) if arguments.json else result)
    return 0 if result else 1


def _check_file(arguments: argparse.Namespace) -> int:
    from jacobians.checking import check_gradient
    from jacobians.diagnosis import diagnose

    if arguments.gradient or arguments.at or arguments.shape or arguments.jacobian:
        raise DataError("check: a file holds the point and the gradient; leave out GRADIENT, --at, --shape, --jacobian")
    found: Submission = read_submission(
        arguments.target,
        convention=arguments.convention,
        activation=arguments.activation,
        loss=arguments.loss,
        l2=arguments.l2,
        features=arguments.features,
        labels=arguments.labels,
    )
    network, params, X, Y = found.network, found.params, found.X, found.Y
    reading = None
    if found.is_comparable:
        reading = check_gradient(
            lambda p: network.value(p, X, Y),
            lambda p: found.named_gradients(),
            params,
            directions=arguments.directions,
            protocol=False,
            seed=arguments.seed,
        )
    reason = None if reading else diagnose(found.gradients, network, params, X, Y)
    if arguments.json:
        report: dict[str, Any] = {"convention": network.convention.name, "notes": list(found.notes)}
        report["check"] = reading.to_dict() if reading is not None else None
        report["diagnosis"] = reason.to_dict() if reason is not None else None
        print(json.dumps(report, indent=2, ensure_ascii=False))
    else:
        print(f"{arguments.target}: {network}")
        print("\n".join(f"note: {note}" for note in found.notes) + "\n" * bool(found.notes))
        if reading is not None:
            print(reading)
        if reason is not None:
            print(f"\nWhy\n{reason}")
    return 0 if reading else 1
