"""``jacobians audit --program``: whole files, or a folder of them, judged and not run."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jacobians.cli.output import json_lines, print_json
from jacobians.data.guards import printable
from jacobians.errors import DataError, FormulaError
from jacobians.programs import ProgramAudit, audit_program

_SUFFIXES = (".py", ".ipynb", ".m")
_LARGEST_FILE = 4_000_000
"""Bytes."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what an audit of a program asks for."""
    group = parser.add_argument_group("a whole program")
    group.add_argument(
        "--program",
        metavar="FILE",
        help="judge every gradient of a .py, .ipynb or .m file, or of each file in a folder; nothing of it is run",
    )
    group.add_argument(
        "--wrt",
        action="append",
        default=[],
        metavar="dW1=W1",
        help="of a --program: which parameter a gradient belongs to; may be repeated",
    )
    group.add_argument(
        "--loss-name",
        metavar="NAME",
        help="of a --program: what it calls its loss; where it computes none, such as 'mean squared error'",
    )


def run(arguments: argparse.Namespace) -> int:
    """Audit the file or the folder, print, and return the exit code."""
    path, wrt = Path(arguments.program), _pairs(arguments.wrt)
    loss, seed = arguments.loss_name or arguments.loss, arguments.seed
    if path.is_dir():
        return _folder(path, loss, wrt, seed, as_json=arguments.format == "json")
    found = audit_program(_read(path), path.name, loss=loss, wrt=wrt, seed=seed)
    if arguments.format == "json":
        print_json(found.to_dict())
    else:
        print(printable(str(found)))
    return _code([found])


def _folder(folder: Path, loss: str | None, wrt: Mapping[str, str], seed: int, *, as_json: bool) -> int:
    """One line for each file, as JSON too, and what cannot be read as well."""
    found: list[ProgramAudit] = []
    records: list[Any] = []
    for path in sorted(p for p in folder.iterdir() if p.suffix in _SUFFIXES):
        try:
            one = audit_program(_read(path), path.name, loss=loss, wrt=wrt, seed=seed)
        except (FormulaError, DataError) as error:
            message = " ".join(str(error).split())
            records.append({"name": path.name, "verdict": "not judged", "summary": message})
            if not as_json:
                print(printable(f"{path.name}: not judged: {message}"))
            continue
        found.append(one)
        records.append(one.to_dict())
        if not as_json:
            print(printable(one.summary))
    if not records:
        raise DataError(f"audit: {folder} holds no file that ends in {' or '.join(_SUFFIXES)}")
    if as_json:
        print(json_lines(records))
    return _code(found)


def _code(found: list[ProgramAudit]) -> int:
    verdicts = {one.verdict for one in found}
    return 1 if "wrong" in verdicts else 0 if "right" in verdicts else 2


def _read(path: Path) -> str:
    if not path.is_file():
        raise DataError(f"audit: {path} is no file")
    if path.suffix not in _SUFFIXES:
        raise DataError(f"audit: {path} does not end in {' or '.join(_SUFFIXES)}")
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise DataError(f"audit: {path} has more than {_LARGEST_FILE} bytes")
        held = path.read_bytes()
    except OSError as error:
        raise DataError(f"audit: cannot read {path}: {error.strerror}") from None
    if held.startswith((b"\xff\xfe", b"\xfe\xff")):
        return held.decode("utf-16", errors="replace")
    try:
        return held.decode("utf-8-sig")
    except UnicodeDecodeError:
        return held.decode("cp1252", errors="replace")  # of an older editor


def _pairs(given: list[str]) -> dict[str, str]:
    found = {}
    for text in given:
        name, equals, parameter = text.partition("=")
        if not equals or not name.strip() or not parameter.strip():
            raise DataError(f"audit: --wrt {text!r}; write it as in --wrt dW1=W1")
        found[name.strip()] = parameter.strip()
    return found
