"""``jacobians compare``: one network and one mini-batch in several conventions, side by side.

The report shows the verdict, formulas and what differs, and in full shapes, chains, results and differences too. It is
readable without colour at 80 columns.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from jacobians.array_roles import ArraysByRole, conventions_of
from jacobians.arrays import check_finite, format_bytes, show_shape
from jacobians.checking import GradientCheck
from jacobians.cli.data_options import add_data, data_of, targets_of
from jacobians.cli.options import (
    Commands,
    add_command,
    add_format,
    add_objective,
    check_layers,
    check_memory,
    objective_of,
    whole_numbers,
    with_regulariser,
)
from jacobians.cli.output import make_console, make_table, print_json
from jacobians.comparison import Comparison, FactorRow, Formulas, Side, compare
from jacobians.comparison.aligned_chains import ChainFactor
from jacobians.comparison.compare import common_task
from jacobians.comparison.formulas import called
from jacobians.comparison.of_layers import convolutional_net
from jacobians.conventions import Convention
from jacobians.data import Dataset, read_arrays
from jacobians.derivation import Step
from jacobians.errors import DataError
from jacobians.named_parameters import layer_widths
from jacobians.presets import convention
from jacobians.symbols.text import TextNotation
from jacobians.translate import translate_parameters

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


_DEFAULT_BATCH = 100
_COLUMN = 30
"""Characters that one convention's column needs for a structure to be read."""

_FORWARD = {
    ("rows", "rows"): "Z = X Wᵀ",
    ("rows", "columns"): "Z = X W",
    ("columns", "rows"): "Z = W X",
    ("columns", "columns"): "Z = Wᵀ X",
}

_FIRST = 10
_EPILOG = """\
exit code: 0 the conventions agree, 1 they do not, 2 it could not be judged, or bad input

examples:
  jacobians compare ng-ml-2011 cs231n
  jacobians compare ng-dlai pytorch flax --hidden 50,20 --activation relu
  jacobians compare pytorch keras --kernels 4
  jacobians compare --data flowers.csv --labels species
  jacobians compare --data ex5data1.mat --loss squared_error
  jacobians compare --data images.mat --weights ex4weights.mat
"""


def add_to(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the subcommand to a parser."""
    parser = add_command(
        commands,
        "compare",
        summary="the same gradient in several conventions, factor by factor, and its formulas",
        description="Build one network in each convention from the same weights, on the same mini-batch; show every "
        "factor of the chain from the loss back to each weight, and that the gradients are the same.",
        epilog=_EPILOG,
    )
    parser.add_argument(
        "names",
        nargs="*",
        metavar="CONVENTION",
        help="presets (default: ng-ml-2011 cs231n; see: jacobians conventions)",
    )
    parser.add_argument("--hidden", type=_widths, metavar="25,10", help="nodes of the hidden layers, 'none' for none")
    parser.add_argument(
        "--sizes",
        type=lambda text: whole_numbers(text, "400,25,10"),
        metavar="400,25,10",
        help="widths of all layers, where packed weights do not tell them",
    )
    parser.add_argument(
        "--kernels",
        type=int,
        metavar="C",
        help="a convolutional net: C kernels of 3×3 with stride 2, ReLU, one affine layer; examples are square images",
    )
    add_objective(parser, l2="of the first convention; default: 0")
    parser.add_argument("--batch", type=int, metavar="N", help=f"examples (default: {_DEFAULT_BATCH}, or all if fewer)")
    parser.add_argument("--seed", type=int, default=0, help="of the batch and the weights (default: %(default)s)")
    add_data(parser)
    parser.add_argument("--weights", metavar="FILE", help="parameters to use, such as Theta1 and Theta2 in a .mat")
    parser.add_argument(
        "--full", action="store_true", help="print shapes, chains, bytes, norms and the differences in ulp too"
    )
    parser.add_argument("--steps", action="store_true", help="print every step from the chains to the formulas")
    add_format(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Compare, print, and return the exit code."""
    found = [convention(name) for name in arguments.names or ("ng-ml-2011", "cs231n")]
    # a regulariser that is asked for is for those whose source has none: each column keeps its own
    found = [c if c.l2 else with_regulariser(c, arguments) for c in found]
    if len({c.name for c in found}) < len(found):
        raise DataError("compare: a convention is named twice")
    strength = arguments.l2 or 0.0
    if arguments.seed < 0 or strength < 0:
        raise DataError("compare: --seed and --l2 must not be negative")
    if arguments.hidden is not None and (arguments.weights or arguments.sizes):
        other = "--weights" if arguments.weights else "--sizes"
        raise DataError(f"compare: --hidden and {other} cannot both fix the network; leave one out")
    source = _weights(arguments.weights, found, arguments.sizes) if arguments.weights else None
    loss = common_task(found, arguments.task, arguments.loss).loss
    sizes: tuple[int, ...] | None = arguments.sizes and layer_widths(arguments.sizes, "compare")
    if source is not None:
        sizes = source.sizes
    data = data_of(arguments, "compare", loss, None if sizes is None or sizes[-1] < 2 else sizes[-1])
    size = min(_DEFAULT_BATCH, len(data)) if arguments.batch is None else arguments.batch
    batch = data.batch(size, arguments.seed)
    # as the first convention keeps them, in which compare looks first
    weights = None if source is None else translate_parameters(source.parameters, source.convention, found[0])
    outputs = batch.classes if batch.classes is not None else batch.y.shape[1]
    if arguments.kernels is not None:
        return _of_kernels(arguments, found, batch, loss, outputs)
    if sizes is None:
        sizes = (batch.X.shape[1], *((25,) if arguments.hidden is None else arguments.hidden), outputs)
    else:
        holder = f"{arguments.weights} holds a" if arguments.weights else "--sizes asks for a"
        _check_fit(sizes, batch, outputs, holder)
    check_layers(sizes, "compare")
    for widths in pairwise(sizes):
        check_memory(widths, f"compare: a layer of {widths[1]} nodes on {widths[0]} inputs")
    result = compare(
        found,
        batch.X,
        targets_of(batch, loss, sizes[-1]),
        sizes=sizes,
        l2=strength,
        **objective_of(arguments),
        seed=arguments.seed,
        weights=weights,
    )
    if arguments.format == "json":
        notes = [*data.notes, *result.notes]
        print_json({"data": data.source, "seed": arguments.seed, **result.to_dict(), "notes": notes})
    else:
        shown = (result, data, arguments.seed, arguments.weights)
        print_report(*shown, full=arguments.full, steps=arguments.steps)
    return exit_code(result)


def _of_kernels(
    arguments: argparse.Namespace, found: Sequence[Convention], batch: Dataset, loss: str, outputs: int
) -> int:
    """Compare a small convolutional net, print its formulas side by side, and return the exit code."""
    if arguments.hidden is not None or arguments.sizes or arguments.weights or arguments.l2 or arguments.activation:
        raise DataError(
            "compare: --kernels fixes the network; leave out --hidden, --sizes, --weights, --activation and --l2"
        )
    side = math.isqrt(batch.X.shape[1])
    if arguments.kernels < 1 or side**2 != batch.X.shape[1] or side < 2:
        raise DataError(
            f"compare: --kernels {arguments.kernels} needs a positive number, and examples that are square images; "
            f"{batch.source} has {batch.X.shape[1]} features"
        )
    net = convolutional_net(arguments.kernels, side, outputs)
    images = batch.X.reshape(-1, 1, side, side)
    chosen = {name: value for name, value in objective_of(arguments).items() if name != "activation"}
    result = compare(found, images, targets_of(batch, loss, outputs), operations=net, seed=arguments.seed, **chosen)
    if arguments.format == "json":
        print_json({"data": batch.source, "seed": arguments.seed, **result.to_dict()})
    else:
        print(result)
    return 0 if result.agree else 1


def exit_code(result: Comparison) -> int:
    """Return 0 where the conventions agree, 1 where they do not, 2 where a numerical derivative cannot tell."""
    wrong = any(not d.agrees for side in result.differences for d in side)
    wrong = wrong or any(side.check.verdict == "fail" for side in result.sides)
    return 1 if wrong else 0 if result.agree else 2


def _weights(path: str, found: Sequence[Convention], sizes: tuple[int, ...] | None) -> ArraysByRole:
    """The parameters in a file, in the first convention in which every array of it has a role."""
    name = Path(path).name
    read = conventions_of(read_arrays(path), found, sizes=sizes, where=name)[0]
    for parameter, array in read.parameters.items():
        check_finite(array, parameter, f"compare: {name}")
    return read


def _widths(text: str) -> tuple[int, ...]:
    if text in ("none", ""):
        return ()
    widths = whole_numbers(text, "25 or 50,20")
    if min(widths) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: a layer has at least one node")
    return widths


def _check_fit(sizes: tuple[int, ...], batch: Dataset, outputs: int, holder: str) -> None:
    network = "-".join(map(str, sizes))
    hidden = ",".join(map(str, sizes[1:-1])) or "none"
    help = "Give a batch of its widths with --data FILE"
    if holder.startswith("--sizes"):
        help += f", or the widths of the hidden layers alone: --hidden {hidden}"
    if sizes[0] != batch.X.shape[1]:
        raise DataError(
            f"compare: {holder} {network} network, which takes {sizes[0]} features; "
            f"{batch.source} has {batch.X.shape[1]}. {help}"
        )
    if outputs > sizes[-1] or (batch.classes is None and outputs != sizes[-1]):
        raise DataError(
            f"compare: {holder} {network} network with {sizes[-1]} outputs; {batch.source} has {outputs}. {help}"
        )


# The report.


def print_report(
    result: Comparison, data: Dataset, seed: int, weights: str | None, *, full: bool = False, steps: bool = False
) -> None:
    """Print the comparison on standard output: the verdict, the formulas and what differs.

    Parameters
    ----------
    result : Comparison
    data : Dataset
    seed : int
    weights : str or None
        Where the weights come from.
    full : bool
        Print the tables of shapes, chains, results and differences too.
    steps : bool
        Print every step from the chains to the formulas too.
    """
    console = make_console()
    names = [side.convention.name for side in result.sides]
    examples = result.sides[0].run.losses.shape[0]
    console.print(f"[bold]{' against '.join(names)}[/bold]")
    console.print(
        f"{examples} of {len(data)} examples of {data.source}; network {'-'.join(map(str, result.sizes))}, "
        f"{result.activation}, {result.loss}; {f'weights from {weights}' if weights else f'seed {seed}'}",
        markup=False,
    )
    for note in data.notes:
        console.print(note, markup=False)
    console.print()
    _print_verdict(console, result)
    console.print()
    for note in result.notes:
        console.print(f"{note}\n", markup=False)
    together = max(1, (console.width - 14) // _COLUMN)
    if steps:
        print_steps(console, result.formulas, together)
    print_formulas(console, result.formulas, together)
    if full:
        for start in range(0, len(result.sides), together):
            sides = result.sides[start : start + together]
            _print_conventions(console, sides)
            _print_arrays(console, sides)
            _print_chains(console, sides)
            _print_results(console, sides)
        _print_differences(console, result)
    else:
        console.print("--full shows shapes, chains, bytes and norms; --steps every step to the formulas.", markup=False)


def _print_conventions(console: Console, sides: Sequence[Side]) -> None:
    table = _table("Conventions", sides)
    rows: list[tuple[str, Callable[[Convention], str]]] = [
        ("forward", _forward),
        ("batch", lambda c: f"one example a {c.layout.batch[:-1]}"),
        ("weights", lambda c: f"one node a {c.layout.weights[:-1]}"),
        ("bias", lambda c: c.layout.bias),
        ("vec", lambda c: "C: rows stacked" if c.layout.vec == "C" else "F: columns stacked"),
        ("layout", lambda c: f"{c.layout.derivative} layout"),
    ]
    for label, text in rows:
        table.add_row(label, *(text(side.convention) for side in sides))
    table.add_row("loss", *(_weight(side) for side in sides))
    if any(side.network.l2 for side in sides):
        table.add_row("λ (l2)", *(f"{s.network.l2:.6g} ({s.convention.l2 or 'none'})" for s in sides))
    console.print(table)


def _weight(side: Side) -> str:
    """How the losses of the examples become one number."""
    factor = side.network.loss.factor
    return side.convention.effective_reduction + ("" if factor == 1 else f", each × {factor:g}")


def _forward(convention: Convention) -> str:
    layout = convention.layout
    formula = _FORWARD[layout.batch, layout.weights].replace(
        "W", TextNotation().symbol(convention.weight(1)).rstrip("₁")
    )
    if layout.absorbs_bias:
        ones = "[1 X]" if layout.bias == "first" else "[X 1]"
        ones = ones if layout.batch == "rows" else ones.replace(" ", "; ")
        return formula.replace("X", ones)
    return formula + (" + b" if layout.bias == "separate" else "")


def _print_arrays(console: Console, sides: Sequence[Side]) -> None:
    table = _table("Arrays", sides)
    shapes = [side.arrays() for side in sides]
    table.add_row("X", *(show_shape(found["X"]) for found in shapes))
    for number, weights, biases in _layers(sides):
        table.add_row(f"weight {number}", *(f"{n} {show_shape(s[n])}" for n, s in zip(weights, shapes, strict=True)))
        if any(biases):
            cells = zip(sides, weights, biases, shapes, strict=True)
            table.add_row(
                f"bias {number}", *(f"{b} {show_shape(s[b])}" if b else _absorbed(side, n) for side, n, b, s in cells)
            )
    for stops in zip(*(side.run.outputs for side in sides), strict=True):
        row = (f"{name} {show_shape(found[name])}" for name, found in zip(stops, shapes, strict=True))
        table.add_row(" / ".join(dict.fromkeys(stops)), *row)
    console.print(table)


def _layers(sides: Sequence[Side]) -> Iterator[tuple[int, tuple[str, ...], tuple[str | None, ...]]]:
    """The number of each layer, and what each side calls its weight and its separate bias, if it has one."""
    layers = zip(*(side.weights() for side in sides), strict=True)
    biases = [side.biases() for side in sides]
    for place, weights in enumerate(layers):
        yield place + 1, weights, tuple(names[place] if names else None for names in biases)


def _absorbed(side: Side, weight: str) -> str:
    layout = side.convention.layout
    line = "column" if layout.weights == "rows" else "row"
    return "none" if layout.bias == "none" else f"{layout.bias} {line} of {weight}"


def _print_chains(console: Console, sides: Sequence[Side]) -> None:
    for _, weights, separate in _layers(sides):
        title = f"Chain from the loss back to {' / '.join(dict.fromkeys(weights))} (matrix: bytes stored of dense)"
        table = _table(title, sides)
        chains = [side.chain(weight) for side, weight in zip(sides, weights, strict=True)]
        for place, rows in enumerate(zip_longest(*chains), start=1):
            table.add_row(f"factor {place}", *(_factor(row) for row in rows))
        totals = [(sum(r.stored for r in chain), sum(r.dense for r in chain)) for chain in chains]
        table.add_row("stored", *(f"{format_bytes(s)} of {format_bytes(d)} dense" for s, d in totals))
        if any(separate):
            table.add_section()
            table.add_row("to bias", *map(_bias_factor, sides, separate))
        console.print(table)


def _bias_factor(side: Side, bias: str | None) -> str:
    """The factor that stands in the weight's place in the chain to the same layer's separate bias."""
    if bias is None:
        return "in the weight"
    return _factor(side.chain(bias)[0 if side.convention.layout.derivative == "denominator" else -1])


def _factor(row: FactorRow | None) -> str:
    if row is None:
        return ""
    structure = row.structure.replace(" @ ", "\n@ ")
    size = f"{row.matrix[0]}×{row.matrix[1]}"
    return f"{row.label}\n{structure}\n{size}: {format_bytes(row.stored)} of {format_bytes(row.dense)}"


def _print_results(console: Console, sides: Sequence[Side]) -> None:
    table = _table("Results", sides)
    table.add_row("loss", *(f"{side.run.loss:.15g}" for side in sides))
    if any(side.network.l2 for side in sides):
        table.add_row("with l2", *(f"{side.run.value:.15g}" for side in sides))
    for number, weights, biases in _layers(sides):
        table.add_row(f"∂weight {number}", *map(_gradient, sides, weights))
        if any(biases):
            table.add_row(f"∂bias {number}", *map(_gradient, sides, biases))
    table.add_row("numerical", *(_numerical(side.check) for side in sides))
    table.add_row("time", *(f"{side.seconds * 1e3:.3g} ms a gradient" for side in sides))
    console.print(table)


def _numerical(check: GradientCheck) -> str:
    found = {"pass": "agrees", "fail": "DIFFERS", "inconclusive": "unclear"}[check.verdict]
    if check.along is None:
        return found
    along = check.along
    return f"{found}: off by {along.error:.1e}\n({along.directions} directions, resolved {along.resolved:.0e})"


def _gradient(side: Side, name: str | None) -> str:
    if name is None:
        return "in the weight"
    gradient = side.gradient[name]
    own = side.convention.names.gradient_of(name)
    return f"{own} {show_shape(gradient.shape)}\nnorm {np.linalg.norm(gradient):.12g}"


def _print_differences(console: Console, result: Comparison) -> None:
    if len(result.sides) == 1:
        return
    first = result.sides[0].convention.name
    table = make_table(
        f"Largest difference from {first}, after translation",
        ["convention", "gradient", "difference", "in ulp", "rounding allows"],
    )
    for side, found in zip(result.sides[1:], result.differences, strict=True):
        for i, difference in enumerate(found):
            table.add_row(
                side.convention.name if i == 0 else "",
                difference.gradient,
                f"{difference.largest:.2g}",
                _ulps(difference.ulps),
                _ulps(difference.allowed),
            )
    console.print(table)


def _print_verdict(console: Console, result: Comparison) -> None:
    console.print(_verdict(result), style="bold")
    for side, ratio in zip(result.sides[1:], result.ratios[1:], strict=True):
        if ratio != 1:
            console.print(
                f"{side.convention.name} reduces its loss by {_weight(side)}: its objective and "
                f"gradient × {ratio:.6g} are {result.sides[0].convention.name}'s.",
                markup=False,
            )


def _verdict(result: Comparison) -> str:
    wrong = [side.convention.name for side in result.sides if side.check.verdict == "fail"]
    if wrong:
        return f"The numerical derivative disagrees with the gradient of {', '.join(wrong)}."
    unclear = [side.convention.name for side in result.sides if not side.check]
    if unclear:
        return f"The numerical derivative cannot resolve the gradient of {', '.join(unclear)}."
    if result.agree:
        return (
            "One convention: its gradient passes the numerical check."
            if len(result.sides) == 1
            else f"The {len(result.sides)} conventions agree: different formulas, one gradient"
            f" (largest difference {max(d.largest for found in result.differences for d in found):.1g})."
        )
    lines = []
    for side, found in zip(result.sides[1:], result.differences, strict=True):
        names = [d.parameter for d in found if not d.agrees]
        if names:
            lines.append(
                f"{side.convention.name} differs from {result.sides[0].convention.name} in {', '.join(names)}."
            )
    rules = {side.convention.l2_bias for side in result.sides}
    if len(rules) > 1 and any(side.network.l2 for side in result.sides):
        touching = [s.convention.name for s in result.sides if s.convention.l2_bias]
        lines.append(f"Only {', '.join(touching)} regularises the bias, so the objectives themselves differ.")
    return "\n".join(["The conventions do not agree.", *lines])


def _table(title: str, sides: Sequence[Side]) -> Table:
    return make_table(title, ["", *(s.convention.name for s in sides)], first_width=9)


def _ulps(count: float) -> str:
    if not math.isfinite(count):
        return "–"
    if count < 10:
        return f"{count:.1f}"
    return f"{count:.0f}" if count < 1e6 else f"{count:.1e}"


# The formulas, and the steps that lead to them.


def print_formulas(console: Console, formulas: Formulas, together: int) -> None:
    """Print the compact formulas, and one sentence for each difference.

    Conventions whose formulas are the same share a column.

    Parameters
    ----------
    console : Console
    formulas : Formulas
    together : int
        Columns side by side.
    """
    for groups in _chunks(formulas, together):
        table = _formula_table("Formulas (≠ differs by more than names)", formulas, groups)
        for place, row in enumerate(formulas.rows):
            shown = [row.cells[group[0]] for group in groups]
            if any(shown):
                # an array has the names of the columns that are shown
                label = called(shown) if place < len(formulas.definitions) else row.label
                cells = (row.text(group[0]) for group in groups)
                _add(table, _marked(label, row.differs), cells)
        console.print(table)
    if formulas.differences:
        console.print("What differs", style="bold")
        for difference in formulas.differences:
            console.print(_item(difference.text))
        console.print()


def print_steps(console: Console, formulas: Formulas, together: int) -> None:
    """Print every parameter's chain, factor by factor, each with the step that passes it."""
    for found in formulas.parameters.values():
        names = " / ".join(dict.fromkeys(name for name in found.names if name is not None))
        for groups in _chunks(formulas, together):
            places = [group[0] for group in groups]
            if not any(found.names[place] for place in places):
                continue
            table = _formula_table(f"Steps to the gradient with respect to {names}", formulas, groups)
            named = [(formulas.derivations[place], found.names[place]) for place in places]
            chains = (None if name is None else derivation[name].chain.text for derivation, name in named)
            _add(table, "  chain", chains)
            # the steps that follow the last factor have none
            factors = [*found.factors, *([None] * (len(found.steps) - len(found.factors)))]
            for factor, step in zip(factors, found.steps, strict=True):
                cells = [
                    _passed(None if factor is None else factor.cells[place], step.cells[place]) for place in places
                ]
                if any(cells):
                    table.add_section()
                    label = "then" if factor is None else step.label.replace("/", "\n  /").replace(", ", "\n  ")
                    _add(table, _marked(label, step.differs), cells)
            console.print(table)


def _passed(factor: ChainFactor | None, step: Step | None) -> str | None:
    """A factor with its size, the rule by which it is passed, and the chain after it."""
    if step is None:
        return None
    text = "" if factor is None else f"{factor.text} {factor.matrix[0]}×{factor.matrix[1]}\n"
    return f"{text}{step.rule}:\n= {step.equation.text.partition(' = ')[2]}"


def _chunks(formulas: Formulas, together: int) -> Iterator[tuple[tuple[int, ...], ...]]:
    for start in range(0, len(formulas.groups), together):
        yield formulas.groups[start : start + together]


def _marked(label: str, differs: bool) -> str:
    return f"{'≠' if differs else ' '} {label}"


def _formula_table(title: str, formulas: Formulas, groups: Sequence[Sequence[int]]) -> Table:
    headers = [", ".join(formulas.conventions[place] for place in group) for group in groups]
    return make_table(title, ["", *headers], first_width=_FIRST)


def _add(table: Table, label: str, cells: Iterable[str | None]) -> None:
    """A row of plain text: rich would read [tanh(Z₂) 1] as markup."""
    from rich.text import Text

    table.add_row(label, *(Text(cell or "") for cell in cells))


def _item(text: str) -> Table:
    """A sentence with a hanging dash."""
    from rich.table import Table
    from rich.text import Text

    item = Table.grid(padding=(0, 1))
    item.add_row("-", Text(text))
    return item
