"""``jacobians train``: a network trained in any convention: a table, a curve, parameters in a file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from jacobians.arrays import counted
from jacobians.cli.data_options import add_data, data_of, targets_of
from jacobians.cli.options import (
    Commands,
    add_command,
    add_format,
    add_objective,
    check_layers,
    objective_of,
    one_of,
    whole_numbers,
    with_regulariser,
)
from jacobians.cli.output import OR_FORCE, check_free, make_console, make_table, print_json
from jacobians.errors import DataError
from jacobians.network import Network
from jacobians.operations import LOSSES
from jacobians.parameter_files import save_parameters
from jacobians.presets import convention as find_convention
from jacobians.training import RULES, fit
from jacobians.training.fit import SOLVERS
from jacobians.translate import translate_batch
from jacobians.whole_files import whole_file

_EPILOG = """\
exit code: 0 it was trained, 2 bad input, 130 it was stopped by Ctrl-C; the parameters reached by then are written

examples:
  jacobians train --data digits --convention ng-ml-2011
  jacobians train --rule adam --rate 0.01 --epochs 20 -o digits.npz --plot a.svg
  jacobians train --data flowers.csv --labels species --rule L-BFGS-B
"""


def add_to(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the subcommand to a parser."""
    parser = add_command(
        commands,
        "train",
        summary="train a network in a convention, and watch its loss",
        description="Train a fully connected network by mini-batches, or by a solver on the whole batch; print the "
        "loss after every epoch. One seed gives the same network, the same mini-batches and so the same curve in every "
        "convention with the same objective.",
        epilog=_EPILOG,
    )
    add_data(parser)
    parser.add_argument("--convention", metavar="NAME", default="cs231n", help="default: %(default)s")
    parser.add_argument(
        "--hidden",
        type=lambda text: () if text == "none" else whole_numbers(text, "25,10"),
        default=(25,),
        metavar="25,10",
        help="nodes of the hidden layers, 'none' for none (default: 25)",
    )
    add_objective(parser)
    parser.add_argument(
        "--rule",
        choices=[*RULES, *SOLVERS],
        default="momentum",
        metavar="NAME",
        help=f"{one_of([*RULES, *SOLVERS])} (default: %(default)s)",
    )
    parser.add_argument("--rate", type=float, metavar="η", help="the learning rate (default: the rule's)")
    parser.add_argument("--decay", type=float, default=0.0, metavar="d", help="weight decay (default: 0)")
    parser.add_argument("--epochs", type=int, default=10, metavar="N", help="default: %(default)s")
    parser.add_argument("--batch", type=int, default=50, metavar="N", help="examples in a step (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of weights and mini-batches (default: %(default)s)")
    parser.add_argument(
        "--held-out",
        type=float,
        default=0.2,
        metavar="PART",
        help="of the data, not trained on (default: %(default)s)",
    )
    parser.add_argument("--patience", type=int, metavar="N", help="stop after N epochs no better on held-out data")
    parser.add_argument("-o", "--output", metavar="FILE", help="write the parameters to this .npz or .mat")
    parser.add_argument("--plot", metavar="FILE", help="draw the curve: .svg, .png or .pdf")
    parser.add_argument("--force", action="store_true", help="write over files that exist")
    add_format(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Train, print, write, and return the exit code."""
    _check(arguments)
    preset = find_convention(arguments.convention)
    own = with_regulariser(preset, arguments)
    objective = objective_of(arguments)
    loss = objective["loss"] or own.task_for(objective["task"], None).loss
    name = loss if isinstance(loss, str) else loss.name
    data = data_of(arguments, "train", name, None)
    outputs = data.classes if data.classes is not None else data.y.shape[1]
    if outputs == 2 and LOSSES[name].takes == "zero-one":
        outputs = 1  # yes or no
    sizes = (data.X.shape[1], *arguments.hidden, outputs)
    check_layers(sizes, "train")
    net = Network.dense(sizes, convention=own, l2=arguments.l2 or 0.0, **objective)

    order = np.random.default_rng(arguments.seed).permutation(len(data))
    kept = round(len(data) * arguments.held_out)
    if kept >= len(data):
        raise DataError(f"train: --held-out {arguments.held_out} leaves none of {len(data)} examples to train on")
    held, used = order[:kept], order[kept:]
    X, Y = translate_batch(data.X, "cs231n", own), targets_of(data, name, outputs)
    if outputs == 1 and Y.ndim == 1:
        Y = Y[:, None].astype(np.float64)
    turned = own.layout.batch == "columns" and Y.ndim == 2
    axis = net.layout.batch_axis

    def part(chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return X.take(chosen, axis), Y[chosen].T if turned else Y[chosen]

    if arguments.rule in RULES:
        given = {} if arguments.rate is None else {"rate": arguments.rate}
        rule = RULES[arguments.rule](weight_decay=arguments.decay, **given)
    fitted = fit(
        net,
        net.init(arguments.seed),
        *part(used),
        rule=rule if arguments.rule in RULES else arguments.rule,
        epochs=arguments.epochs,
        batch=arguments.batch,
        rng=arguments.seed,
        held_out=part(held) if kept else None,
        patience=arguments.patience,
        progress=arguments.format != "json" and sys.stderr is not None and sys.stderr.isatty(),
    )
    if arguments.output:
        save_parameters(arguments.output, fitted.params, preset)
    if arguments.plot:
        _draw(fitted.history.plot(), arguments.plot)
    if arguments.format == "json":
        print_json({"network": repr(net), "data": repr(data), "ended": fitted.ended, **fitted.history.to_dict()})
    else:
        _print(fitted.history.rows(), f"{net!r}, {data.source}: {counted(len(used), 'example')}, {kept} held out")
        for path in filter(None, (arguments.output, arguments.plot)):
            print(f"written: {path}")
        if fitted.ended != "all epochs":
            print(f"ended: {fitted.ended}")
    return 130 if fitted.ended == "interrupted" else 0


def _check(arguments: argparse.Namespace) -> None:
    if arguments.seed < 0 or (arguments.l2 or 0) < 0:
        raise DataError("train: --seed and --l2 must not be negative")
    if not 0 <= arguments.held_out < 1:
        raise DataError(f"train: --held-out {arguments.held_out} is no part of the data; give a number from 0 to 1")
    if arguments.patience is not None and not arguments.held_out:
        raise DataError("train: --patience needs held-out data; leave --held-out 0 out")
    if arguments.rule in SOLVERS and (arguments.rate is not None or arguments.decay):
        raise DataError(f"train: {arguments.rule} has no learning rate; --rate and --decay are for {', '.join(RULES)}")
    for path, suffixes in ((arguments.output, (".npz", ".mat")), (arguments.plot, (".svg", ".png", ".pdf"))):
        if path is None:
            continue
        if Path(path).suffix not in suffixes:
            raise DataError(f"train: {path} must end with {', '.join(suffixes[:-1])} or {suffixes[-1]}")
        if not Path(path).resolve().parent.is_dir():
            raise DataError(f"train: there is no folder {Path(path).parent}")
        check_free(path, "train", overwrite=arguments.force, hint=OR_FORCE)


def _draw(figure: object, path: str) -> None:
    try:
        with whole_file(path) as opened:
            figure.savefig(opened, format=Path(path).suffix[1:])  # type: ignore[attr-defined]
    except OSError as error:
        raise DataError(f"train: cannot write {path}: {error.strerror}") from None


def _print(rows: tuple[list[str], list[list[str]]], title: str) -> None:
    names, lines = rows
    table = make_table(title, names)
    for line in lines:
        table.add_row(*line)
    make_console().print(table)
