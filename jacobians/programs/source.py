"""A program's text as one syntax tree: Python files, Python 2's among them, code cells of notebooks, Octave files."""

from __future__ import annotations

import ast
import copy
import json
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jacobians.arrays import kind_of
from jacobians.errors import ArgumentError, FormulaError
from jacobians.programs.octave.functions import FUNCTIONS
from jacobians.programs.octave.text import octave_text
from jacobians.programs.octave.tree import octave_tree

LARGEST_TEXT = 200_000
"""Characters of one program."""
LARGEST_NOTEBOOK = 50_000_000
"""Characters of a notebook with its pictures, which are not read."""
DEEPEST = 90
"""How far expressions and blocks may be nested."""

_PRINT = re.compile(r"^(\s*)print\b(?!\s*\()(?!\s*[=.,)\]])")
_PRINT_MORE = re.compile(r"^(\s*(?:if|else|elif|for|while)\b.*:\s*)print\b(?!\s*\().*$")
_PRINT_THEN_MORE = re.compile(r"^(\s*)print\s*\(.*\)\s*(?:%|,).*$")


@dataclass(frozen=True, eq=False)
class Source:
    """A program as it was given, and as one tree.

    Attributes
    ----------
    name : str
        The file's name, or how the text is called.
    tree : ast.Module
        Nodes carry the line numbers of `lines`.
    lines : tuple of str
        The user's own lines; those of a notebook's code cells one after the other.
    language : {"Python", "Octave"}
    whole_division : bool
        Whether integers are divided as in Python 2.
    cells : tuple of (int, int)
        Of a notebook: each code cell's number and its first line.
    sizes : mapping of int to int
        What the program writes where the tree has a smaller size.
    """

    name: str
    tree: ast.Module
    lines: tuple[str, ...]
    language: str = "Python"
    whole_division: bool = False
    cells: tuple[tuple[int, int], ...] = ()
    sizes: Mapping[int, int] = field(default_factory=dict)

    def line(self, number: int) -> str:
        """Return one of the user's lines without its indentation."""
        return self.lines[number - 1].strip() if 0 < number <= len(self.lines) else ""

    def written(self, node: ast.AST) -> str:
        """Return a part of the tree as the program's language has it."""
        if self.sizes:
            node = copy.deepcopy(node)
            for part in ast.walk(node):
                if isinstance(part, ast.Constant) and type(part.value) is int:
                    part.value = self.sizes.get(part.value, part.value)
        if self.language != "Octave":
            return ast.unparse(node)
        if isinstance(node, ast.stmt):
            return octave_text(node)
        return octave_text(ast.Expr(node)).removesuffix(";") if isinstance(node, ast.expr) else ast.unparse(node)

    def expression(self, text: str) -> ast.expr:
        """Return an expression that is written in the program's language, as a part of its tree."""
        if self.language == "Octave":
            line: Any = octave_tree(f"r = {text};", self.name, FUNCTIONS).body[-1]
            return line.value
        return ast.parse(text, mode="eval").body

    def where(self, number: int) -> str:
        """Return what a line is called: its number, in a notebook that of its cell and within it."""
        if not self.cells:
            return f"line {number}"
        cell, first = max((c for c in self.cells if c[1] <= number), key=lambda c: c[1], default=self.cells[0])
        return f"cell {cell}, line {number - first + 1}"


def read_source(text: str, name: str = "program") -> Source:
    """Return a Python or Octave program, or the code cells of a notebook, as one tree; nothing of it is executed.

    Raises
    ------
    FormulaError
        If it cannot be parsed, or is too long or nested too deep; the text names the line.
    """
    if not isinstance(text, str):
        raise ArgumentError(
            f"audit_program: text is {kind_of(text)}; expected a program's text: Path(file).read_text()"
        )
    if "\n" not in text and text.endswith((".py", ".ipynb", ".m")):
        raise ArgumentError(f"audit_program: {text!r} names a file; give its text: Path({text!r}).read_text()")
    if _is_no_text(text[:4000]):
        raise FormulaError(f"{name} is no program: it holds bytes that are no text")
    cells: tuple[tuple[int, int], ...] = ()
    if name.endswith(".ipynb"):
        _no_longer_than(LARGEST_NOTEBOOK, len(text), name)
        lines, cells = _cells(text, name)
        _no_longer_than(LARGEST_TEXT, sum(map(len, lines)), name)
    else:
        _no_longer_than(LARGEST_TEXT, len(text), name)
        lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", " ").split("\n")
    if name.endswith(".m"):
        tree = octave_tree("\n".join(lines), name, FUNCTIONS)
        _check_depth(tree, name)
        return Source(name, tree, tuple(lines), "Octave")
    tabs_out = [line.expandtabs(8) for line in (_without_magic(lines, cells) if cells else lines)]
    tree, old = _parsed(tabs_out, name)
    _check_depth(tree, name)
    modern = any(
        isinstance(node, ast.ImportFrom)
        and node.module == "__future__"
        and any(a.name == "division" for a in node.names)
        for node in tree.body
    )
    old = old or any(isinstance(node, ast.Name) and node.id == "xrange" for node in ast.walk(tree))
    return Source(name, tree, tuple(lines), "Python", old and not modern, cells)


def _is_no_text(start: str) -> bool:
    """Whether a text holds what is in no text: zero bytes, or one control character in fifty."""
    strange = sum(ord(one) < 32 and one not in "\t\n\r\f\x0b" for one in start)
    return "\0" in start or 50 * strange > len(start)


def _no_longer_than(most: int, characters: int, name: str) -> None:
    if characters > most:
        raise FormulaError(f"{name}: {characters} characters are over the limit of {most}")


def _cells(text: str, name: str) -> tuple[list[str], tuple[tuple[int, int], ...]]:
    try:
        book = json.loads(text)
        # notebooks of before 2015 hold their cells in worksheets, and their code as input
        held = book["cells"] if "cells" in book else [cell for sheet in book["worksheets"] for cell in sheet["cells"]]
        found = [
            (number, "".join(cell["source"] if "source" in cell else cell["input"]))
            for number, cell in enumerate(held, 1)
            if cell["cell_type"] == "code"
        ]
    except (ValueError, TypeError, KeyError, RecursionError):
        what = "it is empty" if not text.strip() else "expected JSON with cells, each with its source"
        raise FormulaError(f"{name} is no notebook: {what}") from None
    lines: list[str] = []
    starts = []
    for number, code in found:
        starts.append((number, len(lines) + 1))
        lines += code.split("\n")
    return lines, tuple(starts)


def _without_magic(lines: list[str], cells: tuple[tuple[int, int], ...]) -> list[str]:
    """A notebook's lines that are no Python, ``%matplotlib inline`` and ``!ls``, left empty."""
    starts = {first for _, first in cells}
    kept, whole = [], False
    for number, line in enumerate(lines, 1):
        whole = line.lstrip().startswith("%%") if number in starts else whole
        kept.append("" if whole or line.lstrip().startswith(("%", "!", "?")) else line)
    return kept


def _parsed(lines: list[str], name: str) -> tuple[ast.Module, bool]:
    """The tree, and whether it needed Python 2's print."""
    try:
        return _parse("\n".join(lines), name), False
    except FormulaError as error:
        changed = _without_print_statements(lines)
        if changed == lines:
            raise
        try:
            return _parse("\n".join(changed), name), True
        except FormulaError:
            raise error from None


def _parse(text: str, name: str) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except SyntaxError as error:
        raise FormulaError(f"{name}, line {error.lineno}: not Python: {error.msg}") from None
    except (RecursionError, MemoryError):
        raise FormulaError(f"{name}: nested too deep to be read") from None
    except ValueError as error:
        raise FormulaError(f"{name}: not Python: {error}") from None


def _without_print_statements(lines: list[str]) -> list[str]:
    """Put ``pass`` for every print statement of Python 2, over as many lines as its brackets stay open."""
    changed, open_ = [], 0
    for line in lines:
        if open_ > 0:
            open_ += _opened(line)
            changed.append("")
            continue
        found = _PRINT.match(line) or _PRINT_MORE.match(line) or _PRINT_THEN_MORE.match(line)
        if found:
            open_ = _opened(line)
            changed.append(f"{found.group(1)}pass")
        else:
            changed.append(line)
    return changed


def _opened(line: str) -> int:
    return sum(c in "([{" for c in line) - sum(c in ")]}" for c in line) + line.rstrip().endswith("\\")


def _check_depth(tree: ast.AST, name: str) -> None:
    left = [(tree, 0)]
    while left:
        node, depth = left.pop()
        if depth > DEEPEST:
            line = getattr(node, "lineno", 0)
            raise FormulaError(f"{name}, line {line}: nested more than {DEEPEST} deep, which is not read")
        left += [(child, depth + 1) for child in ast.iter_child_nodes(node)]
