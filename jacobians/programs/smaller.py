"""A program that makes its own data, with large sizes made small: 200 examples become 11, everywhere."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import replace

from jacobians.programs import naming
from jacobians.programs.plan import key_of
from jacobians.programs.source import Source

_LARGE = 40
_SMALL = (11, 13, 17, 19, 23)
"""What large sizes are taken as, in their order; they differ from all sizes of random data."""
_FIRST = {
    "randn": 0, "rand": 0, "random": 0, "zeros": 0, "ones": 0, "empty": 0, "eye": 0, "full": 0, "reshape": 0,
    "uniform": 2, "normal": 2, "randint": 2, "linspace": 2, "arange": 0,
}  # fmt: skip
"""Functions that make arrays: which of their arguments is the first size."""


def smaller(source: Source) -> Source | None:
    """Return a program with small numbers in the place of its large sizes; None where it writes none, or many."""
    if source.language != "Python":
        return None
    sizes = list(_sizes(source.tree))
    large = sorted({node.value for node in sizes if isinstance(node.value, int)})
    written = {node.value for node in ast.walk(source.tree) if isinstance(node, ast.Constant)}
    free = [size for size in _SMALL if size not in written]
    if not sizes or len(large) > len(free):
        return None
    bounds = {node.value for node in _bounds(source.tree) if isinstance(node.value, int) and node.value <= large[-1]}
    ordered = sorted({*large, *bounds})
    if len(ordered) > len(free):
        return None
    tree = copy.deepcopy(source.tree)
    taken = dict(zip(ordered, free, strict=False))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and type(node.value) is int and node.value in taken:
            node.value = taken[node.value]
    return replace(source, tree=tree, sizes={small: size for size, small in taken.items()})


def _sizes(tree: ast.Module) -> Iterator[ast.Constant]:
    """Large numbers that are sizes of arrays: written where one is made, or held by a name that is used there."""
    names: set[str] = set()
    own = {n.name for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        first = _FIRST.get(key_of(node.func))
        if first is not None:
            given = [*node.args[first:], *(k.value for k in node.keywords if k.arg in ("size", "shape", "num"))]
            names |= {n.id for part in given for n in ast.walk(part) if isinstance(n, ast.Name)}
            yield from _large([n for part in given for n in ast.walk(part)])
        elif isinstance(node.func, ast.Name) and node.func.id in own:
            yield from _large([*node.args, *(k.value for k in node.keywords if not _is_no_size(k.arg or ""))])
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id in names:
            yield from _large([node.value])


def _is_no_size(name: str) -> bool:
    """Whether an argument says how often, how fast or how strongly, and not how many entries there are."""
    return bool(naming.ROUNDS.fullmatch(name)) or naming.is_step(name) or naming.is_regulariser(name) or "penal" in name


def _bounds(tree: ast.Module) -> Iterator[ast.Constant]:
    """Large numbers at which arrays are cut."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Slice):
            yield from _large([part for part in (node.lower, node.upper) if part is not None])


def _large(nodes: list[ast.AST]) -> Iterator[ast.Constant]:
    for node in nodes:
        if isinstance(node, ast.Constant) and type(node.value) is int and node.value >= _LARGE:
            yield node
