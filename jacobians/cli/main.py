"""The ``jacobians`` command and its subcommands. An error is one line, with exit code 2."""

from __future__ import annotations

import argparse
import importlib
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import numpy as np

from jacobians import __version__
from jacobians.cli.output import standard_streams
from jacobians.data.guards import printable
from jacobians.errors import JacobiansError

_COMMANDS = ("compare", "explain", "derive", "check", "audit", "translate", "train", "explore", "conventions")
"""Each is a module of this room, ``check_command``, which is imported only where it is named or all are listed."""


class _Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one line: the usage of some commands takes ten, and --help shows it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {printable(message)}\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0 right, 1 wrong, 2 no verdict for any other reason, 130 Ctrl-C.

    Parameters
    ----------
    argv : sequence of str, optional
        The process's own arguments unless given.
    """
    if sys.stdout is None:
        return _error("standard output is closed; send it to /dev/null where only the exit code is wanted")
    left: SystemExit | None = None
    code = 0
    with standard_streams() as lost:
        try:
            code = _run(argv)
        except SystemExit as error:  # --help, --version, or what cannot be parsed
            left = error
    unwritten = [error for error in lost if not isinstance(error, BrokenPipeError)]
    if unwritten:
        return _error(f"standard output cannot be written: {unwritten[0].strerror}")
    if left is not None:
        raise left
    return code


def _run(argv: Sequence[str] | None) -> int:
    parser = _Parser(prog="jacobians", description="Mini-batch Jacobian matrix calculus, in any convention.")
    parser.add_argument("--version", action="version", version=f"jacobians {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    words = sys.argv[1:] if argv is None else argv
    for command in words[:1] if words[:1] and words[0] in _COMMANDS else _COMMANDS:
        importlib.import_module(f"jacobians.cli.{command}_command").add_to(commands)
    arguments = parser.parse_args(argv)
    if arguments.command is None:
        parser.print_help()
        return 0
    try:
        # of numbers that overflow the verdict speaks, in place of NumPy's warnings
        with np.errstate(all="ignore"):
            code: int = arguments.run(arguments)
    except JacobiansError as error:
        return _error(str(error))
    except MemoryError as error:
        return _error(f"{arguments.command}: there is not enough memory: {error}".removesuffix(": "))
    except KeyboardInterrupt:
        _error("interrupted")
        return 130
    # sys.exit in a caller's function, or a fault of this library: neither is a verdict
    except BaseException as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        told = f"{type(error).__name__}: {' '.join(str(error).split())}".removesuffix(": ")
        return _error(f"{arguments.command}: {told} (in {last.name}, {Path(last.filename).name} line {last.lineno})")
    return code


def _error(text: str) -> int:
    """Print one line, or a formula with the place that is meant, and return the exit code."""
    print(f"jacobians: error: {printable(text)}", file=sys.stderr)
    return 2
