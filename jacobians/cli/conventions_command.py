"""``jacobians conventions``: the presets and where they come from."""

from __future__ import annotations

import argparse
from typing import Any

from jacobians.cli.options import Commands, add_command, add_format
from jacobians.cli.output import make_console, print_json
from jacobians.presets import REFERENCES, all_conventions, convention


def add_to(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the subcommand to a parser."""
    parser = add_command(
        commands,
        "conventions",
        summary="list the presets with their citations",
        description="List the presets with their citations.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these presets")
    add_format(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the presets, and the books that are cited without one."""
    chosen = [convention(name) for name in arguments.names] or list(all_conventions())
    if arguments.format == "json":
        print_json([{**c.describe(), "title": c.title, "citation": c.citation, "notes": c.notes} for c in chosen])
        return 0
    console = make_console()
    for found in chosen:
        row = found.describe()
        console.print(f"[bold]{found.name}[/bold]  {found.title}")
        console.print(_indented(f"X and W: batch in {row['batch']}, weights in {row['weights']}, bias {row['bias']}"))
        console.print(_indented(f"vec {row['vec']}, {row['derivative']} layout; packing {row['packing']}"))
        console.print(_indented(f"loss: {row['reduction']}; l2: {row['l2']}, on the bias: {row['l2 on bias']}"))
        console.print(_indented(f"source [{row['evidence']}]: {found.citation}"), markup=False)
        if found.notes:
            console.print(_indented(found.notes), markup=False)
        console.print()
    console.print("* assumed: the source leaves it open.  – the source does not say.")
    console.print("[P] read in the original, [S] in a secondary copy, [M] from memory.", markup=False)
    if not arguments.names:
        console.print("\n[bold]Cited without a preset[/bold]")
        for reference in REFERENCES:
            console.print(_indented(f"{reference.name} [{reference.evidence}]: {reference.citation}"), markup=False)
            console.print(_indented(f"no preset: {reference.reason}"), markup=False)
    return 0


def _indented(text: str) -> Any:
    from rich.padding import Padding
    from rich.text import Text

    return Padding(Text(text), (0, 0, 0, 2))
