"""Options that several commands share: what a network minimises, lists of numbers, formats."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any, get_args

from jacobians.arrays import format_bytes, size_of
from jacobians.conventions import PENALTIES, Convention, Reduction
from jacobians.data.guards import DEFAULT_LIMIT
from jacobians.errors import DataError
from jacobians.operations import ACTIVATIONS, LOSSES, full_name

Commands = argparse._SubParsersAction  # argparse has no public name for it


def add_command(
    commands: Commands[argparse.ArgumentParser], name: str, *, summary: str, description: str, epilog: str | None = None
) -> argparse.ArgumentParser:
    """Add a subcommand. Indented lines of its epilog are printed as they are; the others are wrapped."""
    return commands.add_parser(
        name,
        help=summary,
        description=description,
        epilog=epilog,
        formatter_class=_Help,
    )


class _Help(argparse.RawDescriptionHelpFormatter):
    """Help that fits the terminal: lines that are not indented are paragraphs, and are wrapped."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        lines: list[str] = []
        for kept, block in groupby(text.splitlines(), lambda line: not line or line.startswith(" ")):
            own = list(block)
            lines += own if kept else textwrap.wrap(" ".join(own), width)
        return "\n".join(lines)


_OBJECTIVE = ("task", "activation", "loss", "factor", "reduction")


def add_objective(parser: argparse._ActionsContainer, l2: str = "default: 0") -> None:
    """Add the options that say what a network minimises; what is not given is the convention's.

    Parameters
    ----------
    parser : ArgumentParser or a group of one
    l2 : str
        What the regulariser's strength is unless given.
    """
    parser.add_argument(
        "--task", metavar="KIND", help="classification, yes/no, regression or margin (default: the convention's first)"
    )
    parser.add_argument(
        "--activation",
        choices=list(ACTIVATIONS),
        metavar="NAME",
        help=f"of the hidden layers: {one_of(ACTIVATIONS)} (default: the task's)",
    )
    parser.add_argument(
        "--loss",
        type=full_name,
        choices=list(LOSSES),
        metavar="NAME",
        help=f"{one_of(LOSSES)} (default: the task's)",
    )
    parser.add_argument("--factor", type=float, metavar="c", help="before every example's loss, such as 0.5")
    parser.add_argument(
        "--reduction",
        choices=[name for name in get_args(Reduction) if name != "none"],
        help="of the examples' losses to one number (default: the task's)",
    )
    parser.add_argument("--l2", type=float, metavar="λ", help=f"the regulariser's strength ({l2})")
    parser.add_argument(
        "--regulariser", choices=list(PENALTIES), help="λ/2N·ΣW², ½λΣW² or λΣW² (default: the convention's)"
    )


def objective_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the options of the objective as `Network.dense` takes them, without the regulariser."""
    return {name: getattr(arguments, name) for name in _OBJECTIVE}


def with_regulariser(convention: Convention, arguments: argparse.Namespace) -> Convention:
    """Return a convention with the regulariser of the options, or its own where they name none."""
    return convention if arguments.regulariser is None else convention.replace(l2=arguments.regulariser)


def one_of(names: Iterable[str]) -> str:
    """Return names as one says them: a, b or c."""
    *others, last = names
    return f"{', '.join(others)} or {last}"


def add_format(parser: argparse._ActionsContainer, *notations: str) -> None:
    """Add ``--format``, and ``--json``, which is short for ``--format json``."""
    parser.add_argument(
        "--format", choices=["text", *notations, "json"], default="text", help="of what is printed (default: text)"
    )
    parser.add_argument("--json", dest="format", action="store_const", const="json", help="short for --format json")


MOST_LAYERS = 20


def check_layers(sizes: Sequence[int], what: str) -> None:
    """Raise if a network has more than `MOST_LAYERS` layers.

    A chain has a factor or two a layer, and every step towards each parameter writes it: with 20 layers the texts take
    seconds, with 40 a minute.

    Raises
    ------
    DataError
        With both numbers.
    """
    if len(sizes) - 1 > MOST_LAYERS:
        raise DataError(
            f"{what}: {len(sizes) - 1} layers are over the limit of {MOST_LAYERS}; from the third layer on the "
            "formulas are those of the layer before"
        )


def check_memory(shape: Sequence[int], what: str) -> None:
    """Raise where an array of this shape takes more memory than the arrays of a file may.

    Raises
    ------
    DataError
        With the bytes.
    """
    needed = 8 * size_of(tuple(shape))
    if needed > DEFAULT_LIMIT:
        raise DataError(f"{what} takes {format_bytes(needed)}, over the limit of {format_bytes(DEFAULT_LIMIT)}")


def whole_numbers(text: str, example: str) -> tuple[int, ...]:
    """Return the numbers in a list such as ``4,3,2``.

    Raises
    ------
    argparse.ArgumentTypeError
        If it is no such list, with an example of one.
    """
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no list of widths such as {example}") from None
