"""Runs the code blocks of a Markdown file, in their order and with one namespace a file.

A ``python`` block with prompts is a doctest, without prompts a script. A ``console`` block that starts with
``$ jacobians`` calls the command line in process and compares what it prints, with doctest's ELLIPSIS. Of a ``sh``
block the lines that start with ``jacobians`` are run: each must exit with 0.
"""

from __future__ import annotations

import doctest
import io
import re
import shlex
import sys
import traceback
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

FENCE = re.compile(r"^```(python|console|sh)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
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
        elif block.language == "sh":
            reports += shell(block, path)
        elif re.search(r"^>>> ", block.source, re.MULTILINE):
            reports += session(block, path, namespace)
        else:
            reports += script(block, path, namespace)
    return reports


def session(block: Block, path: Path, namespace: dict[str, Any]) -> list[str]:
    test = doctest.DocTestParser().get_doctest(block.source, namespace, path.name, str(path), block.line - 1)
    test.globs = namespace  # get_doctest copied it
    report = io.StringIO()
    # verbose: else a -v among pytest's options would count as failures
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.NORMALIZE_WHITESPACE)
    runner.run(test, out=report.write, clear_globs=False)
    return [report.getvalue()] if report.getvalue() else []


def script(block: Block, path: Path, namespace: dict[str, Any]) -> list[str]:
    try:
        exec(compile("\n" * (block.line - 1) + block.source, str(path), "exec"), namespace)
    except Exception:
        return [f"{path.name}, line {block.line}:\n{traceback.format_exc()}"]
    return []


def shell(block: Block, path: Path) -> list[str]:
    reports = []
    for offset, line in enumerate(block.source.splitlines()):
        if not line.startswith("jacobians "):
            continue
        modules, places = set(sys.modules), sys.path[:]
        code, printed = call(shlex.split(line, comments=True)[1:])
        # a page's own modules and those of another may have one name
        here = [name for name in set(sys.modules) - modules if Path.cwd() in Path(_file(name)).parents]
        for name in here:
            del sys.modules[name]
        sys.path[:] = places
        if code:
            reports.append(f"{path.name}, line {block.line + offset}: exit code {code}\n    $ {line}\n{printed}")
    return reports


def _file(module: str) -> str:
    return getattr(sys.modules[module], "__file__", None) or ""


def console(block: Block, path: Path) -> list[str]:
    if not block.source.startswith("$ jacobians "):
        return []
    checker = doctest.OutputChecker()
    reports = []
    for command, expected in commands(block.source):
        _, found = call(shlex.split(command)[1:])
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


def call(argv: list[str]) -> tuple[int, str]:
    """The command line's exit code, and what it prints, on standard output and then on standard error."""
    from jacobians.cli import main

    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code = main(argv)
        except SystemExit as stopped:  # argparse exits after --help or bad arguments
            code = int(stopped.code or 0)
    return code, out.getvalue() + err.getvalue()
