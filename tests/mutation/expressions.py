"""What a slip of the pen makes of an expression."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from typing import Any

SIGNS: dict[type, list[type]] = {
    ast.Add: [ast.Sub],
    ast.Sub: [ast.Add],
    ast.Mult: [ast.Div, ast.Add],
    ast.Div: [ast.Mult],
    ast.Pow: [ast.Mult],
    ast.Mod: [ast.FloorDiv],
    ast.FloorDiv: [ast.Mult],
    ast.BitAnd: [ast.BitOr],
    ast.BitOr: [ast.BitAnd],
}
COMPARISONS: dict[type, type] = {
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_PAIRS = """left right, codomain domain, batch_axis feature_axis, _jvp _vjp, jvp vjp, matvec rmatvec, matmat rmatmat,
maximum minimum, max min, any all, exp expm1, log log1p, multiply divide, add subtract, ones zeros,
ones_like zeros_like, sum max, rows columns, argmax argmin, matmul multiply, square abs, isneginf isposinf,
across along, row column"""
NAMES = {a: b for pair in _PAIRS.replace("\n", " ").split(",") for a, b in (pair.split(), pair.split()[::-1])}
TEXTS = {"rows": "columns", "columns": "rows", "C": "F", "F": "C", "first": "last", "last": "first", "sum": "mean",
         "mean": "sum", "none": "sum", "separate": "none", "denominator": "numerator", "mean-all": "mean"}  # fmt: skip
TURNS = {"swapaxes", "transpose", "copy", "astype", "ravel", "tocsr"}
"""Methods that are dropped."""
WRAPS = {"reversed", "array", "ascontiguousarray", "asarray", "tuple", "bool", "abs", "exp", "log", "sorted"}
"""Functions of which the argument alone is left."""
SYMMETRIC = {"result_type", "maximum", "minimum", "max", "min", "joint_order", "isinstance", "may_share_memory",
             "multiply", "add", "promote_types", "broadcast_shapes", "swapaxes"}  # fmt: skip
"""Functions whose arguments may change places."""
KEYWORDS = {"axis", "keepdims", "where", "dtype", "order", "initial", "minlength", "layout", "packing"}


def replacements(node: Any) -> Iterator[ast.expr]:
    """Yield wrong expressions in place of one; the parts that they share with it are not copied."""
    match node:
        case ast.BinOp():
            for operator in SIGNS.get(type(node.op), []):
                yield ast.BinOp(node.left, operator(), node.right)
            if isinstance(node.op, ast.MatMult):
                yield ast.BinOp(node.right, ast.MatMult(), node.left)
            yield node.left
            if not isinstance(node.op, (ast.Pow, ast.Mod, ast.FloorDiv, ast.LShift)):
                yield node.right
        case ast.UnaryOp():
            yield node.operand
        case ast.Compare(ops=[operator]):
            yield ast.Compare(node.left, [COMPARISONS[type(operator)]()], node.comparators)
        case ast.Compare():
            for i, operator in enumerate(node.ops):
                ops = [*node.ops[:i], COMPARISONS[type(operator)](), *node.ops[i + 1 :]]
                yield ast.Compare(node.left, ops, node.comparators)
        case ast.BoolOp():
            yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
            for i in range(len(node.values)):
                rest = node.values[:i] + node.values[i + 1 :]
                yield rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
        case ast.IfExp():
            yield node.body
            yield node.orelse
        case ast.Attribute():
            if node.attr in ("T", "shape") and node.attr == "T":
                yield node.value
            if node.attr in NAMES:
                yield ast.Attribute(node.value, NAMES[node.attr], node.ctx)
        case ast.Name(ctx=ast.Load()) if node.id in {"left", "right", "rows", "columns", "across", "along"}:
            yield ast.Name(NAMES[node.id], ast.Load())
        case ast.Subscript():
            yield from _places(node)
        case ast.Call():
            yield from _calls(node)
        case ast.Constant():
            yield from _constants(node)
        case ast.Tuple(ctx=ast.Load(), elts=[first, second]) if ast.dump(first) != ast.dump(second):
            yield ast.Tuple([second, first], ast.Load())
        case ast.Dict(values=[first, second, *rest]) if None not in node.keys:
            yield ast.Dict(node.keys, [second, first, *rest])
        case (
            ast.ListComp(generators=[ast.comprehension(ifs=[_, *_])])
            | ast.GeneratorExp(generators=[ast.comprehension(ifs=[_, *_])])
        ):
            yield _unfiltered(node)
        case ast.DictComp(generators=[ast.comprehension(ifs=[_, *_])]):
            yield _unfiltered(node)


def _unfiltered(node: Any) -> Any:
    other, part = copy.copy(node), copy.copy(node.generators[0])
    part.ifs = []
    other.generators = [part]
    return other


def _places(node: ast.Subscript) -> Iterator[ast.expr]:
    """The whole in place of a part, and parts that are shifted or exchanged."""
    part = node.slice
    if isinstance(part, ast.Slice):
        yield node.value
    if isinstance(part, ast.Constant) and part.value in (0, 1):
        yield ast.Subscript(node.value, ast.Constant(1 - part.value), node.ctx)
    if isinstance(part, ast.Tuple) and len(part.elts) > 1:
        if ast.dump(part.elts[0]) != ast.dump(part.elts[-1]):
            yield ast.Subscript(node.value, ast.Tuple(part.elts[::-1], ast.Load()), node.ctx)
        if len(part.elts) > 2 and ast.dump(part.elts[1]) != ast.dump(part.elts[2]):
            swapped = [part.elts[0], part.elts[2], part.elts[1], *part.elts[3:]]
            yield ast.Subscript(node.value, ast.Tuple(swapped, ast.Load()), node.ctx)


def _calls(node: ast.Call) -> Iterator[ast.expr]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if isinstance(node.func, ast.Attribute) and name in TURNS:
        yield node.func.value
    if name in WRAPS and node.args and not isinstance(node.args[0], ast.GeneratorExp):
        yield node.args[0]
    if isinstance(node.func, ast.Name) and name in ("max", "min", "any", "all"):
        yield ast.Call(ast.Name(NAMES[name], ast.Load()), node.args, node.keywords)
    first = [a for a in node.args[:2] if not isinstance(a, ast.Starred)]
    if name not in SYMMETRIC and len(first) == 2 and ast.dump(first[0]) != ast.dump(first[1]):
        yield ast.Call(node.func, [first[1], first[0], *node.args[2:]], node.keywords)
    for i, keyword in enumerate(node.keywords):
        if keyword.arg in KEYWORDS:
            yield ast.Call(node.func, node.args, node.keywords[:i] + node.keywords[i + 1 :])


def _constants(node: ast.Constant) -> Iterator[ast.expr]:
    match node.value:
        case bool():
            yield ast.Constant(not node.value)
        case int():
            yield ast.Constant(node.value + 1)
            if node.value == 0:
                yield ast.UnaryOp(ast.USub(), ast.Constant(1))
            else:
                yield ast.Constant(0)
        case float():
            yield ast.Constant(2 * node.value if node.value else 1.0)
            yield ast.Constant(0.0 if node.value else -1.0)
        case str() if node.value in TEXTS:
            yield ast.Constant(TEXTS[node.value])
