"""`octave_text`: a tree of `octave_tree` written as Octave, for the line that should replace a wrong one."""

from __future__ import annotations

import ast
import copy

_SIGNS: dict[type, tuple[str, int]] = {
    ast.Add: (" + ", 7),
    ast.Sub: (" - ", 7),
    ast.Mult: (" .* ", 8),
    ast.Div: (" ./ ", 8),
    ast.MatMult: (" * ", 8),
    ast.Pow: (".^", 10),
    ast.Lt: (" < ", 5),
    ast.LtE: (" <= ", 5),
    ast.Gt: (" > ", 5),
    ast.GtE: (" >= ", 5),
    ast.Eq: (" == ", 5),
    ast.NotEq: (" != ", 5),
    ast.Or: (" || ", 1),
    ast.And: (" && ", 2),
}
_CALLS = {
    "product": (" * ", 8),
    "right divide": (" / ", 8),
    "left divide": (" \\ ", 8),
    "or": (" | ", 3),
    "and": (" & ", 4),
    "power": (".^", 10),
    "matrix power": ("^", 10),
}
_UNSEEN = frozenset(["number", "truth", "first", "old field", "old cell"])
_CLOSEST = 11


def octave_text(node: ast.stmt) -> str:
    """Return a statement as a line of Octave; what no line of Octave can be is written as Python.

    Parameters
    ----------
    node : ast.stmt

    Examples
    --------
    >>> from jacobians.programs.octave.tree import octave_tree
    >>> octave_text(octave_tree("d(:, 2:end) += lambda/m * W';", "line.m", frozenset()).body[1])
    "d(:, 2:end) = d(:, 2:end) + lambda / m * W';"
    """
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        value, target = node.value, _written(node.targets[0])[0]
        kind = _name(value)
        if isinstance(value, ast.Call) and kind in ("store", "store cell") and len(value.args) > 2:
            inside = ", ".join(_written(part)[0] for part in value.args[2:])
            target += f"({inside})" if kind == "store" else f"{{{inside}}}"
            value = value.args[1]
        elif isinstance(value, ast.Call) and kind == "store field" and isinstance(value.args[1], ast.Constant):
            target, value = f"{target}.{value.args[1].value!s}", value.args[2]
        if isinstance(node.targets[0], ast.Tuple):
            target = f"[{target}]"
        return f"{target} = {_written(value)[0]};"
    if isinstance(node, ast.Expr):
        return f"{_written(node.value)[0]};"
    return ast.unparse(node)


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id.removeprefix("octave ")
    return ""


def _written(node: ast.expr) -> tuple[str, int]:
    """An expression's text, and how closely its operator binds."""
    if isinstance(node, ast.BinOp) and type(node.op) in _SIGNS:
        return _between(_SIGNS[type(node.op)], node.left, node.right)
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _SIGNS:
        return _between(_SIGNS[type(node.ops[0])], node.left, node.comparators[0])
    if isinstance(node, ast.BoolOp) and len(node.values) == 2:
        return _between(_SIGNS[type(node.op)], *node.values)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return f"-{_inside(node.operand, 9)}", 9
    if isinstance(node, ast.Attribute) and node.attr == "T":
        return f"{_inside(node.value, 10)}'", 10
    if isinstance(node, ast.Constant):
        return _constant(node.value), _CLOSEST
    if isinstance(node, ast.Name):
        return ("@" if node.id.startswith("octave ") else "") + node.id.removeprefix("octave "), _CLOSEST
    if isinstance(node, ast.Tuple):
        return ", ".join(_written(part)[0] for part in node.elts), 0
    if isinstance(node, ast.List):
        return "{" + ", ".join(_written(part)[0] for part in node.elts) + "}", _CLOSEST
    if isinstance(node, ast.Lambda):
        names = ", ".join(arg.arg for arg in node.args.args)
        return f"@({names}) {_written(node.body)[0]}", 0
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return _call(node, _name(node))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Lambda) and len(node.args) == 1:
        return _written(_Held(node.func.args.args[0].arg, node.args[0]).visit(copy.deepcopy(node.func.body)))
    return ast.unparse(node), 0


class _Held(ast.NodeTransformer):
    """Puts an expression in the place of the name that holds it while its index is read."""

    def __init__(self, name: str, held: ast.expr) -> None:
        self.name, self.held = name, held

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.held if node.id == self.name else node


def _constant(value: object) -> str:
    if isinstance(value, str):
        return value if value == ":" else "'" + value.replace("'", "''") + "'"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def _call(node: ast.Call, name: str) -> tuple[str, int]:
    parts = node.args
    if name in _UNSEEN and len(parts) == 1:
        return _written(parts[0])
    if name in _CALLS and len(parts) == 2:
        return _between(_CALLS[name], parts[0], parts[1])
    if name == "transpose" and len(parts) == 1:
        return f"{_inside(parts[0], 10)}'", 10
    if name == "not" and len(parts) == 1:
        return f"!{_inside(parts[0], 9)}", 9
    if name == "end":
        return "end", _CLOSEST
    if name == "range":
        order = [parts[0], *parts[2:], parts[1]]
        return ":".join(_inside(part, 7) for part in order), 6
    if name in ("index", "cell entry") and parts:
        opening, closing = "()" if name == "index" else "{}"
        inside = ", ".join(_written(part)[0] for part in parts[1:])
        return f"{_inside(parts[0], _CLOSEST)}{opening}{inside}{closing}", _CLOSEST
    if name == "field" and isinstance(parts[1], ast.Constant):
        return f"{_inside(parts[0], _CLOSEST)}.{parts[1].value!s}", _CLOSEST
    if name == "matrix" and not parts:
        return "[]", _CLOSEST
    if name in ("horzcat", "vertcat"):
        return "[" + (", " if name == "horzcat" else "; ").join(_row(part) for part in parts) + "]", _CLOSEST
    if name.endswith(" outputs"):
        name, parts = name.removesuffix(" outputs"), parts[1:]
    return f"{name}({', '.join(_written(part)[0] for part in parts)})", _CLOSEST


def _row(node: ast.expr) -> str:
    """A row of a matrix, whose own brackets are not needed."""
    text = _written(node)[0]
    return text[1:-1] if _name(node) == "horzcat" else text


def _between(sign: tuple[str, int], left: ast.expr, right: ast.expr) -> tuple[str, int]:
    text, level = sign
    return f"{_inside(left, level)}{text}{_inside(right, level + 1)}", level


def _inside(node: ast.expr, level: int) -> str:
    text, own = _written(node)
    return text if own >= level else f"({text})"
