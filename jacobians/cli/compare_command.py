"""``jacobians compare``: one network and one mini-batch in several conventions, side by side."""

from __future__ import annotations

import argparse
import json
from typing import Literal

import numpy as np

from jacobians.arrays import Array
from jacobians.cli.compare_report import print_report
from jacobians.comparison import compare, convention_of
from jacobians.data import Dataset, load_digits, read_dataset, read_weights
from jacobians.errors import DataError
from jacobians.operations import ACTIVATIONS, LOSSES, full_name
from jacobians.presets import convention

__all__ = ["add_to"]

_DEFAULT_BATCH = 100
_EPILOG = """\
exit code: 0 the conventions agree, 1 they do not, 2 bad input

examples:
  jacobians compare ng-ml-2011 cs231n
  jacobians compare ng-dlai pytorch flax --hidden 50,20 --activation relu
  jacobians compare --data ex5data1.mat --loss squared_error
  jacobians compare --data images.mat --weights ex4weights.mat --loss binary_cross_entropy
"""


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand to a parser."""
    parser = commands.add_parser(
        "compare",
        help="the same gradient in several conventions, factor by factor, and its formulas",
        description="Build one network in each convention from the same weights, on the same mini-batch; show every "
        "factor of the chain from the loss back to each weight, and that the gradients are the same.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "names",
        nargs="*",
        metavar="CONVENTION",
        help="presets (default: ng-ml-2011 cs231n; see: jacobians conventions)",
    )
    parser.add_argument("--hidden", type=_widths, metavar="25,10", help="nodes of the hidden layers, 'none' for none")
    parser.add_argument("--activation", choices=list(ACTIVATIONS), default="sigmoid", help="default: %(default)s")
    parser.add_argument(
        "--loss", type=full_name, choices=list(LOSSES), default="cross_entropy", help="default: %(default)s"
    )
    parser.add_argument("--batch", type=int, metavar="N", help=f"examples (default: {_DEFAULT_BATCH}, or all if fewer)")
    parser.add_argument("--seed", type=int, default=0, help="of the batch and the weights (default: %(default)s)")
    parser.add_argument("--data", metavar="FILE", help=".npz, .mat, .csv or .txt (default: 8×8 handwritten digits)")
    parser.add_argument("--features", metavar="NAME", help="the array or column of examples in FILE (default: X, …)")
    parser.add_argument("--labels", metavar="NAME", help="the array or column of labels in FILE (default: y, …)")
    parser.add_argument("--weights", metavar="FILE", help="parameters to use, such as Theta1 and Theta2 in a .mat")
    parser.add_argument("--l2", type=float, default=0.0, metavar="λ", help="the regulariser's strength (default: 0)")
    parser.add_argument("--steps", action="store_true", help="print every step from the chains to the formulas")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Compare, print, and return the exit code."""
    found = [convention(name) for name in arguments.names or ("ng-ml-2011", "cs231n")]
    if len({c.name for c in found}) < len(found):
        raise DataError("compare: a convention is named twice")
    if arguments.seed < 0 or arguments.l2 < 0:
        raise DataError("compare: --seed and --l2 must not be negative")
    data = _data(arguments)
    size = min(_DEFAULT_BATCH, len(data)) if arguments.batch is None else arguments.batch
    batch = data.batch(size, arguments.seed)
    weights = read_weights(arguments.weights) if arguments.weights else None
    outputs = batch.classes if batch.classes is not None else batch.y.shape[1]
    if weights is None:
        sizes = (batch.X.shape[1], *((25,) if arguments.hidden is None else arguments.hidden), outputs)
    elif arguments.hidden is not None:
        raise DataError("compare: --hidden and --weights cannot both fix the network; leave one out")
    else:
        sizes = convention_of(weights, found).sizes(weights)
        _check_fit(sizes, batch, outputs, arguments)
    result = compare(
        found,
        batch.X,
        _targets(batch, arguments.loss, sizes[-1]),
        sizes=sizes,
        activation=arguments.activation,
        loss=arguments.loss,
        l2=arguments.l2,
        seed=arguments.seed,
        weights=weights,
    )
    if arguments.json:
        print(
            json.dumps({"data": data.source, "seed": arguments.seed, **result.to_dict()}, indent=2, ensure_ascii=False)
        )
    else:
        print_report(result, data, arguments.seed, arguments.weights, steps=arguments.steps)
    return 0 if result.agree else 1


def _widths(text: str) -> tuple[int, ...]:
    if text in ("none", ""):
        return ()
    try:
        widths = tuple(int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no list of widths such as 25 or 50,20") from None
    if min(widths) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: a layer has at least one node")
    return widths


def _data(arguments: argparse.Namespace) -> Dataset:
    """The digits with pixels in [0, 1], or the user's file as it is."""
    if arguments.data is None:
        if arguments.features or arguments.labels:
            raise DataError("compare: --features and --labels name arrays of a file; add --data FILE")
        digits = load_digits()
        return Dataset(digits.X / 16.0, digits.y, source=digits.source, classes=digits.classes)
    task: Literal["regress", "classify"] = "regress" if LOSSES[arguments.loss].takes == "reals" else "classify"
    try:
        return read_dataset(arguments.data, features=arguments.features, labels=arguments.labels, task=task)
    except DataError as error:
        if "regress" in str(error):
            raise DataError(f"{error} (for real targets: --loss squared_error)") from None
        raise


def _targets(batch: Dataset, loss: str, outputs: int) -> Array:
    """What the loss expects: labels, one-hot rows for squared errors, ±1 rows for the logistic loss."""
    takes = LOSSES[loss].takes
    if batch.classes is None or takes in ("labels", "zero-one"):
        return batch.y
    one_hot = np.eye(outputs)[batch.y]
    return one_hot if takes == "reals" else 2.0 * one_hot - 1.0


def _check_fit(sizes: tuple[int, ...], batch: Dataset, outputs: int, arguments: argparse.Namespace) -> None:
    network = "-".join(map(str, sizes))
    if sizes[0] != batch.X.shape[1]:
        raise DataError(
            f"compare: {arguments.weights} holds a {network} network, which takes {sizes[0]} features; "
            f"{batch.source} has {batch.X.shape[1]}"
        )
    if outputs > sizes[-1] or (batch.classes is None and outputs != sizes[-1]):
        raise DataError(
            f"compare: {arguments.weights} holds a {network} network with {sizes[-1]} outputs; "
            f"{batch.source} has {outputs}"
        )
