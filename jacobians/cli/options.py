"""What several commands ask for in the same words: a network's activation and loss, lists of numbers, JSON."""

from __future__ import annotations

import argparse

from jacobians.operations import ACTIVATIONS, LOSSES, full_name

Commands = argparse._SubParsersAction  # argparse has no public name for it


def add_command(
    commands: Commands[argparse.ArgumentParser], name: str, *, summary: str, description: str, epilog: str | None = None
) -> argparse.ArgumentParser:
    """Add a subcommand, whose epilog is printed as it is written."""
    return commands.add_parser(
        name,
        help=summary,
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_activation_and_loss(parser: argparse._ActionsContainer) -> None:
    """Add ``--activation`` and ``--loss``."""
    parser.add_argument("--activation", choices=list(ACTIVATIONS), default="sigmoid", help="default: %(default)s")
    parser.add_argument(
        "--loss", type=full_name, choices=list(LOSSES), default="cross_entropy", help="default: %(default)s"
    )


def add_l2(parser: argparse._ActionsContainer) -> None:
    """Add ``--l2``."""
    parser.add_argument("--l2", type=float, default=0.0, metavar="λ", help="the regulariser's strength (default: 0)")


def add_json(parser: argparse._ActionsContainer) -> None:
    """Add ``--json``."""
    parser.add_argument("--json", action="store_true", help="print JSON")


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
