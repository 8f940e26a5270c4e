"""``python -m tests.programs.python_proof NAME``: runs one Python program of the corpus, right and slipped, as JSON.

This executes the corpus's own files, and nothing else. Every gradient is compared with central differences of the
program's own loss. The library under test takes no part.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import io
import json
import re
import sys
import warnings
from types import CodeType
from typing import Any
from unittest import mock

import numpy as np

from tests.programs.cases import Check, Program, programs

Space = dict[str, Any]


def errors_of(program: Program, code: str) -> dict[str, float | str]:
    """Per gradient, its largest error, relative to the larger of the two; or what the program raised."""
    if program.head.get("python") == "2":
        code = _from_python_2(code)
    code = re.sub(r"^[%!].*$", "", code, flags=re.MULTILINE)  # a notebook's magics
    errors: dict[str, float | str] = {}
    for check in program.checks:
        try:
            # a program may overflow, and OpenBLAS sets flags of its own: the numbers are compared
            with np.errstate(all="ignore"):
                errors |= _errors(check, ast.parse(code))
        except Exception as problem:
            errors[check.name or "raises"] = f"{type(problem).__name__}: {problem}"
    return errors


def _errors(check: Check, tree: ast.Module) -> dict[str, float | str]:
    before, once = _parts(check, tree)
    found: dict[str, float | str] = {}
    start = _prepared(check, before)
    ran = _ran(check, start, once)
    for name, parameter, gradient in check.gradients:
        value = np.array(eval(parameter, start), dtype=float)
        claimed = np.asarray(eval(gradient, ran), dtype=float)
        true = np.zeros(value.shape)
        for index in np.ndindex(*value.shape):
            sides = []
            for step in (1e-5, -1e-5):
                moved = value.copy()
                moved[index] += step
                space = _copied(start)
                space["moved_"] = moved if value.ndim else float(moved)
                exec(f"{parameter} = moved_", space)
                sides.append(float(np.squeeze(eval(check.loss, _ran(check, space, once)))))
            true[index] = (sides[0] - sides[1]) / 2e-5
        found[name] = _difference(claimed, true)
    return found


def _difference(claimed: np.ndarray, true: np.ndarray) -> float | str:
    lost = claimed.ndim != true.ndim  # an axis of size 1 may be kept or left out
    if (np.squeeze(claimed).shape != np.squeeze(true).shape) if lost else (claimed.shape != true.shape):
        return f"shape {claimed.shape} for {true.shape}"
    claimed = claimed.reshape(true.shape)
    scale = max(np.abs(claimed).max(), np.abs(true).max())
    return float(np.abs(claimed - true).max() / scale) if scale > 1e-8 else 0.0


def _prepared(check: Check, before: CodeType) -> Space:
    space: Space = {"__name__": "corpus", "xrange": range, "divided_": _divided}
    exec(before, space)
    space["rng"] = np.random.default_rng(1)
    space["np"] = np
    exec("\n".join(check.set), space)
    return space


def _ran(check: Check, start: Space, once: CodeType | None) -> Space:
    space = _copied(start)
    exec(once if once is not None else "\n".join(check.run), space)
    return space


def _copied(space: Space) -> Space:
    """The same functions, copies of all data. Functions look up globals where they were made, so those are kept."""
    kinds = np.ndarray | list | dict | float | int | tuple
    # what Python puts there is no data, and holds the last value that a doctest has shown
    data = {k: v for k, v in space.items() if k != "__builtins__" and isinstance(v, kinds)}
    made = {k: v for k, v in space.items() if type(v).__module__ == "corpus"}
    copies = copy.deepcopy(data | made)
    fresh = {**space, **copies}
    for name, value in space.items():  # a function of the program sees the fresh globals
        if getattr(value, "__globals__", None) is space:
            function = type(value)(value.__code__, fresh, name, value.__defaults__, value.__closure__)
            function.__kwdefaults__ = value.__kwdefaults__
            fresh[name] = function
    return fresh


def _parts(check: Check, tree: ast.Module) -> tuple[CodeType, CodeType | None]:
    """What is run before, and the body of the loop that is run once."""
    if not check.loop:
        return compile(tree, "corpus", "exec"), None
    before: list[ast.stmt] = []
    found = _cut(tree.body, check.loop, before)
    if found is None:
        raise ValueError(f"no loop reads {check.loop!r}")
    return _compiled(before), _compiled([found])


def _cut(body: list[ast.stmt], text: str, before: list[ast.stmt]) -> ast.stmt | None:
    for statement in body:
        if isinstance(statement, ast.For | ast.While):
            if ast.unparse(statement).split("\n")[0] == ast.unparse(ast.parse(f"{text}\n  pass")).split("\n")[0]:
                return _once(statement)
            inner: list[ast.stmt] = []
            found = _cut(statement.body, text, inner)
            if found is not None:
                statement.body = inner or [ast.Pass()]
                before.append(_once(statement))
                return found
        elif isinstance(statement, ast.If):
            inner = []
            found = _cut(statement.body, text, inner)
            if found is not None:
                before.extend(inner)
                return found
        before.append(statement)
    return None


def _once(loop: ast.For | ast.While) -> ast.stmt:
    if isinstance(loop, ast.While):
        return ast.For(ast.Name("once_", ast.Store()), ast.parse("(0,)", mode="eval").body, loop.body, [])
    first = ast.parse("[next(iter(x))]", mode="eval").body
    first.elts[0].args[0].args[0] = loop.iter  # type: ignore[attr-defined]
    return ast.For(loop.target, first, loop.body, [])


def _compiled(body: list[ast.stmt]) -> CodeType:
    return compile(ast.fix_missing_locations(ast.Module(body, [])), "corpus", "exec")


def _divided(a: Any, b: Any) -> Any:
    return a // b if isinstance(a, int) and isinstance(b, int) else a / b


class _Division(ast.NodeTransformer):
    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        if not isinstance(node.op, ast.Div):
            return node
        return ast.Call(ast.Name("divided_", ast.Load()), [node.left, node.right], [])


def _from_python_2(code: str) -> str:
    code = re.sub(r"^(\s*)print .*$", r"\1pass", code, flags=re.MULTILINE)
    return ast.unparse(ast.fix_missing_locations(_Division().visit(ast.parse(code))))


def main() -> None:
    (program,) = (p for p in programs() if p.name == sys.argv[1])
    warnings.simplefilter("ignore")
    for name in ("matplotlib", "matplotlib.pyplot"):  # programs plot what they found; nothing is drawn here
        sys.modules[name] = mock.MagicMock()
    with contextlib.redirect_stdout(io.StringIO()):
        results = [errors_of(program, "\n".join(program.lines))]
        results += [errors_of(program, program.slipped(slip)[0]) for slip in program.slips]
    print(json.dumps(results))


if __name__ == "__main__":
    main()
