"""Wrong rules: every small change of one function's source that a slip of the pen could make.

A change is made in the syntax tree of the module, in place, and taken back after the module was compiled.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.mutation.expressions import replacements

REFUSERS = {"check", "check_matrix", "check_bias", "check_classes", "check_equal", "check_finite", "refuse",
            "refuse_over", "order", "known_order", "as_float", "format_bytes"}  # fmt: skip
"""What gives back its argument, or raises; with or without an underscore before it."""


@dataclass(eq=False)
class Mutant:
    """One change: `change` shows the code before and after, and tells it from the function's other mutants."""

    module: str
    function: str
    change: str
    line: int
    holder: Any
    place: Any
    node: ast.AST

    @property
    def name(self) -> str:
        return f"{self.module}: {self.function}: {self.change}"

    def swap(self) -> None:
        """Make the change, or take it back."""
        if isinstance(self.place, str):
            old = getattr(self.holder, self.place)
            setattr(self.holder, self.place, self.node)
        else:
            old = self.holder[self.place]
            self.holder[self.place] = self.node
        self.node = old


def functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    """Functions and methods by qualified name; functions inside functions belong to the outer ones."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from ((f"{node.name}.{n.name}", n) for n in node.body if isinstance(n, ast.FunctionDef))


def mutants(module: str, name: str, function: ast.FunctionDef) -> list[Mutant]:
    """All mutants of one function; equal changes at several places are numbered."""
    out: list[Mutant] = []
    counts: dict[str, int] = {}
    for holder, place, node, shown in _sites(function):
        before = _text(shown)
        for wrong in _wrong(node):
            ast.copy_location(wrong, node)
            ast.fix_missing_locations(wrong)
            mutant = Mutant(module, name, "", node.lineno, holder, place, wrong)
            mutant.swap()
            after = _text(node if node is not shown and _is_statement(node) else shown) if node is not shown else ""
            mutant.swap()
            after = after or ("" if isinstance(wrong, ast.Pass) else _text(wrong))
            if after == before and not isinstance(node, ast.Match):
                continue
            change = f"{before} → {after}" if after else f"without {before}"
            if isinstance(node, ast.Match):
                change = _cases(node, wrong)
            counts[change] = counts.get(change, 0) + 1
            mutant.change = change if counts[change] == 1 else f"{change} ({counts[change]})"
            out.append(mutant)
    return out


def _cases(node: ast.Match, wrong: ast.Match) -> str:
    """Which case is gone, or which has lost its condition."""
    if len(wrong.cases) < len(node.cases):
        lost = next(c for c in node.cases if c not in wrong.cases)
        return f"without {_text(lost)}"
    bare = next(c for c, w in zip(node.cases, wrong.cases, strict=True) if c is not w)
    return f"{_text(bare)} without its condition"


def _is_statement(node: ast.AST) -> bool:
    return isinstance(node, (ast.stmt, ast.match_case))


def _sites(function: ast.FunctionDef) -> Iterator[tuple[Any, Any, Any, Any]]:
    """Where a node hangs, the node, and the node that shows the change: its parent, where that is an expression."""
    body = function.body
    begin = 1 if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant) else 0
    for i in range(begin, len(body)):
        yield from _walk(body, i, body[i], None)


def _walk(holder: Any, place: Any, node: Any, parent: Any) -> Iterator[tuple[Any, Any, Any, Any]]:
    if isinstance(node, (ast.Raise, ast.Import, ast.ImportFrom, ast.JoinedStr, ast.Global, ast.Nonlocal)):
        return
    if isinstance(node, ast.If) and (isinstance(node.body[-1], ast.Raise) or all(map(_only_refuses, node.body))):
        return  # refusals are tested by their messages
    if _only_refuses(node):
        return
    own = isinstance(node, (ast.expr, ast.stmt, ast.match_case))
    if own:
        yield holder, place, node, parent if isinstance(parent, (ast.expr, ast.keyword)) else node
    skipped = {"annotation", "returns", "args", "decorator_list", "pattern", "optional_vars", "handlers", "op", "ops"}
    if isinstance(node, ast.Call):
        skipped = {"func"} if isinstance(node.func, ast.Name) else set()
    if isinstance(node, ast.Assign):
        skipped |= {"targets"}
    if isinstance(node, (ast.For, ast.AugAssign, ast.AnnAssign, ast.comprehension)):
        skipped |= {"target"}
    for field, value in ast.iter_fields(node):
        if field in skipped or (field == "body" and _starts_with_text(value)):
            continue
        shown = node if own or isinstance(node, ast.keyword) else parent
        if isinstance(value, list):
            for i, item in enumerate(value):
                if isinstance(item, ast.AST):
                    yield from _walk(value, i, item, shown)
        elif isinstance(value, ast.AST):
            yield from _walk(node, field, value, shown)


def _only_refuses(node: Any) -> bool:
    """Calls that give back what they are given, or raise; and options that only do so."""
    if isinstance(node, ast.keyword):
        return node.arg in ("strict", "copy", "casting")
    call = node.value if isinstance(node, ast.Expr) else node
    return isinstance(call, ast.Call) and ast.unparse(call.func).rpartition(".")[2].removeprefix("_") in REFUSERS


def _starts_with_text(body: Any) -> bool:
    return isinstance(body, ast.AST) and isinstance(body, ast.Constant) and isinstance(body.value, str)


def _wrong(node: Any) -> Iterator[Any]:
    if isinstance(node, ast.expr):
        yield from replacements(node)
    elif isinstance(node, (ast.AugAssign, ast.Expr)):
        if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            yield ast.Pass()
        if isinstance(node, ast.AugAssign):
            for operator in {"Add": [ast.Sub], "Sub": [ast.Add], "Mult": [ast.Div, ast.Add], "Div": [ast.Mult]}.get(
                type(node.op).__name__, []
            ):
                other = copy.copy(node)
                other.op = operator()
                yield other
    elif isinstance(node, ast.Assign):
        target = node.targets[0]
        again = isinstance(target, ast.Name) and any(
            isinstance(n, ast.Name) and n.id == target.id for n in ast.walk(node.value)
        )
        if again or isinstance(target, ast.Subscript):
            yield ast.Pass()
    elif isinstance(node, ast.If):
        for truth in (True, False):
            other = copy.copy(node)
            other.test = ast.copy_location(ast.Constant(truth), node)
            yield other
    elif isinstance(node, ast.With):
        other = ast.If(ast.Constant(True), node.body, [])
        yield other
    elif isinstance(node, ast.Match):
        for i in range(len(node.cases)):
            if len(node.cases) > 1:
                other = copy.copy(node)
                other.cases = node.cases[:i] + node.cases[i + 1 :]
                yield other
        for i, case in enumerate(node.cases):
            if case.guard is not None:
                other = copy.copy(node)
                plain = copy.copy(case)
                plain.guard = None
                other.cases = [*node.cases[:i], plain, *node.cases[i + 1 :]]
                yield other


def _text(node: Any) -> str:
    """The node's source in one line; of a compound statement what its head says."""
    if isinstance(node, ast.keyword):
        return f"{node.arg}={ast.unparse(node.value)}"
    if isinstance(node, ast.Match):
        return f"match {ast.unparse(node.subject)}"
    if isinstance(node, ast.match_case):
        return f"case {ast.unparse(node.pattern)}{' if ' + ast.unparse(node.guard) if node.guard else ''}"
    if isinstance(node, ast.If):
        return f"if {ast.unparse(node.test)}: {_text(node.body[0])}"
    if isinstance(node, ast.With):
        return f"with {ast.unparse(node.items[0])}: {_text(node.body[0])}"
    if isinstance(node, (ast.FunctionDef, ast.For)):
        return ast.unparse(node).splitlines()[0]
    return " ".join(ast.unparse(node).split())
