"""Runs the code blocks of a Markdown file, in their order and with one namespace a file.

A ``python`` block with prompts is a doctest, without prompts a script. A ``console`` block that starts with
``$ jacobians`` calls the command line in process and compares what it prints, with doctest's ELLIPSIS.
"""

from __future__ import annotations

import doctest
import io
import re
import shlex
import traceback
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import Any, NamedTuple

FENCE = re.compile(r"^```(python|console)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


class Block(NamedTuple):
    language: str
    source: str
    line: int
    """Of its first line of code, counted from 1."""


def blocks(text: str) -> list[Block]:
    return [Block(m[1], m[2], text.count("\n", 0, m.start(2)) + 1) for m in FENCE.finditer(text)]


def failures(path: Path) -> list[str]:
    """Run the file's blocks; return a report for each that fails."""
    namespace: dict[str, Any] = {"__name__": path.stem}
    reports = []
    for block in blocks(path.read_text(encoding="utf-8")):
        if block.language == "console":
            reports += console(block, path)
        elif re.search(r"^>>> ", block.source, re.MULTILINE):
            reports += session(block, path, namespace)
        else:
            reports += script(block, path, namespace)
    return reports


def session(block: Block, path: Path, namespace: dict[str, Any]) -> list[str]:
    test = doctest.DocTestParser().get_doctest(block.source, namespace, path.name, str(path), block.line - 1)
    test.globs = namespace  # get_doctest copied it
    report = io.StringIO()
    doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(test, out=report.write, clear_globs=False)
    return [report.getvalue()] if report.getvalue() else []


def script(block: Block, path: Path, namespace: dict[str, Any]) -> list[str]:
    try:
        exec(compile("\n" * (block.line - 1) + block.source, str(path), "exec"), namespace)
    except Exception:
        return [f"{path.name}, line {block.line}:\n{traceback.format_exc()}"]
    return []


def console(block: Block, path: Path) -> list[str]:
    if not block.source.startswith("$ jacobians "):
        return []
    checker = doctest.OutputChecker()
    reports = []
    for command, expected in commands(block.source):
        found = call(shlex.split(command)[1:])
        if not checker.check_output(expected, found, FLAGS):
            difference = checker.output_difference(doctest.Example(command, expected), found, FLAGS)
            reports.append(f"{path.name}, console block at line {block.line}:\n    $ {command}\n{difference}")
    return reports


def commands(source: str) -> Iterator[tuple[str, str]]:
    """Each ``$ jacobians`` line, joined with its continuations, and what is printed under it."""
    for part in re.split(r"^\$ ", source.replace("\\\n", " "), flags=re.MULTILINE)[1:]:
        command, _, expected = part.partition("\n")
        if command.startswith("jacobians "):
            yield command, expected


def call(argv: list[str]) -> str:
    """What the command line prints, on standard output and then on standard error."""
    from jacobians.cli import main

    out, err = io.StringIO(), io.StringIO()
    # argparse exits after --help or bad arguments
    with redirect_stdout(out), redirect_stderr(err), suppress(SystemExit):
        main(argv)
    return out.getvalue() + err.getvalue()
