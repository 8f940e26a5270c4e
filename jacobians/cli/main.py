"""The ``jacobians`` command: subcommands, and errors as one line with exit code 2."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from jacobians import __version__
from jacobians.cli import (
    audit_command,
    check_command,
    compare_command,
    conventions_command,
    explain_command,
    explore_command,
    translate_command,
)
from jacobians.cli.output import standard_streams
from jacobians.errors import JacobiansError

_COMMANDS = (
    compare_command,
    explain_command,
    check_command,
    audit_command,
    translate_command,
    explore_command,
    conventions_command,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0 agreed, 1 did not, 2 bad input.

    Parameters
    ----------
    argv : sequence of str, optional
        The process's own arguments unless given.
    """
    with standard_streams() as lost:
        code = _run(argv)
    unwritten = [error for error in lost if not isinstance(error, BrokenPipeError)]
    if unwritten:
        print(f"jacobians: error: standard output cannot be written: {unwritten[0].strerror}", file=sys.stderr)
        return 2
    return code


def _run(argv: Sequence[str] | None) -> int:
    parser = argparse.ArgumentParser(
        prog="jacobians", description="Mini-batch Jacobian matrix calculus, in any convention."
    )
    parser.add_argument("--version", action="version", version=f"jacobians {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in _COMMANDS:
        command.add_to(commands)
    arguments = parser.parse_args(argv)
    try:
        code: int = arguments.run(arguments)
    except JacobiansError as error:
        print(f"jacobians: error: {error}", file=sys.stderr)
        return 2
    return code
