"""Formulas and NumPy programs as JavaScript: calls of a runtime, as text that runs, or as trees that it walks."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any, TypeAlias

from jacobians.errors import LayoutError
from jacobians.symbols.explicit_matrices import MATRICES
from jacobians.symbols.numpy import NumpyNotation

_BINARY: dict[type[ast.operator], str] = {
    ast.Add: "add",
    ast.Sub: "subtract",
    ast.Mult: "multiply",
    ast.Div: "divide",
    ast.MatMult: "matmul",
    ast.Pow: "power",
}
_COMPARED: dict[type[ast.cmpop], str] = {ast.Gt: "greater", ast.GtE: "greater_equal", ast.Lt: "less"}
_FUNCTIONS = {
    "exp",
    "log",
    "log1p",
    "tanh",
    "cosh",
    "sinh",
    "tan",
    "arctan",
    "power",
    "outer",
    "sin",
    "cos",
    "sqrt",
    "abs",
    "sign",
    "where",
    "maximum",
    "minimum",
    "logaddexp",
    "ones",
    "zeros",
    "eye",
    "diag",
    "full",
    "kron",
    "column_stack",
    "vstack",
    "trace",
    "broadcast_to",
}
"""The functions of NumPy that the runtime has."""
_OF_LINALG = {"inv", "solve", "det", "norm"}
"""Those of ``np.linalg``."""
_OF_ARRAYS = {"sum", "max"}
"""The methods of arrays that a program calls."""
_OF_SCIPY = {"ndtr"}
"""What a program imports from elsewhere and the runtime has."""
_OF_IMAGES = {
    "im2col",
    "col2im",
    "im2row",
    "row2im",
    "turned",
    "maxpool",
    "maxpick",
    "maxunpool",
    "avgpool",
    "avgunpool",
}
"""The library's functions of images, which a program defines by loops and the runtime has."""
_KNOWN = {*MATRICES, *_OF_SCIPY, *_OF_IMAGES}
"""What a program calls without "np", and the runtime has."""
_RESERVED = {
    "arguments",
    "await",
    "break",
    "case",
    "catch",
    "class",
    "const",
    "continue",
    "debugger",
    "default",
    "delete",
    "do",
    "else",
    "enum",
    "eval",
    "export",
    "extends",
    "false",
    "finally",
    "for",
    "function",
    "if",
    "implements",
    "import",
    "in",
    "instanceof",
    "interface",
    "let",
    "new",
    "null",
    "package",
    "private",
    "protected",
    "public",
    "return",
    "static",
    "super",
    "switch",
    "this",
    "throw",
    "true",
    "try",
    "typeof",
    "var",
    "void",
    "while",
    "with",
    "yield",
}


def runtime() -> str:
    """Return the functions that every program calls, as JavaScript: one object, `np`.

    Examples
    --------
    >>> "matmul" in runtime()
    True
    """
    return files("jacobians.symbols").joinpath("runtime.js").read_text(encoding="utf-8")


class JavascriptNotation(NumpyNotation):
    """JavaScript that calls the runtime; the matrices are those of the runtime too.

    Examples
    --------
    >>> from jacobians.symbols.expressions import MatMul, Symbol
    >>> write = JavascriptNotation()
    >>> write.document(write.expr(MatMul(Symbol("X", (5, 4)), Symbol("W1", (4, 3)))))
    'np.matmul(X, W1)'
    """

    def document(self, text: str) -> str:
        """Return an equation's or an expression's NumPy code as JavaScript.

        Raises
        ------
        LayoutError
            If the runtime lacks a function.
        """
        statement = ast.parse(text).body[0]
        return _written(_tree(statement.value)) if isinstance(statement, ast.Expr) else _statement(statement)


def javascript(program: str) -> str:
    r"""Return a NumPy program as one JavaScript function of what is given; it returns all that it computes, by name.

    Functions that the program defines stand within it, so none of their names meets one of the runtime.

    Parameters
    ----------
    program : str
        As `Derivation.to_numpy` writes it.

    Raises
    ------
    LayoutError
        If the program has what the runtime lacks: a loop, or a function of another library.

    Examples
    --------
    >>> print(javascript("import numpy as np\nZ = X @ W.T"))
    function program({ X, W }) {
      const Z = np.matmul(X, np.transpose(W));
      return { Z };
    }
    """
    module = ast.parse(program)
    body = list(_lines(module))
    lines = [node for node in module.body if isinstance(node, ast.Assign)]
    computed = dict.fromkeys(_safe(_line(line)[0]) for line in lines)
    read = [n.id for line in lines for n in ast.walk(line.value) if isinstance(n, ast.Name)]
    called = {n.func.id for n in ast.walk(module) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    given = dict.fromkeys(name for name in map(_safe, read) if name not in {"np_", *computed, *map(_safe, called)})
    inner = "\n".join([*body, f"return {{ {', '.join(computed)} }};"]).replace("\n", "\n  ")
    return f"function program({{ {', '.join(given)} }}) {{\n  {inner}\n}}"


def with_runtime(program: str) -> str:
    """Return a NumPy program as JavaScript that stands alone: the runtime ``np``, and one function, ``program``."""
    return f"{runtime()}\n{javascript(program)}\n"


Tree: TypeAlias = "float | str | list[Any] | dict[str, Any]"
"""An expression as JSON: a number; a name; ``[function, *arguments]``; the options of a call, or slices.

A function of the runtime has its name, as in ``["matmul", "X", "W"]``; one of the program's own stands after "call",
and a list after "list".
"""


def tree(code: str) -> Tree:
    """Return an expression of NumPy code as JSON, which the runtime's ``evaluate`` walks: nothing is run as text.

    Raises
    ------
    LayoutError
        If the expression has what the runtime lacks.

    Examples
    --------
    >>> tree("X @ W1.T + b1")
    ['add', ['matmul', 'X', ['transpose', 'W1']], 'b1']
    >>> tree("sigmoid(Z1)[:, 1:]")
    ['part', ['call', 'sigmoid', 'Z1'], {'slices': [[None, None], [1, None]]}]
    """
    return _tree(ast.parse(code, mode="eval").body)


def program_trees(program: str) -> tuple[list[tuple[str, Tree]], dict[str, Any]]:
    r"""Return a program's lines as pairs of a name and a tree, and its functions: by name, ``[arguments, lines]``.

    The last line of a function has no name: it is what the function returns.

    Examples
    --------
    >>> program_trees("def twice(Z):\n    return 2 * Z\n\n\nA = twice(X)")
    ([('A', ['call', 'twice', 'X'])], {'twice': [['Z'], [['', ['multiply', 2, 'Z']]]]})
    """
    lines: list[tuple[str, Tree]] = []
    functions: dict[str, Any] = {}
    for statement in ast.parse(program).body:
        match statement:
            case _ if _needs_no_line(statement):
                pass
            case ast.FunctionDef(name=name, args=ast.arguments(args=arguments), body=body):
                own = [[*_line(each)] for each in body if not _needs_no_line(each)]
                functions[name] = [[a.arg for a in arguments], own]
            case _:
                lines.append(_line(statement))
    return lines, functions


def _line(statement: ast.stmt) -> tuple[str, Tree]:
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return name, _tree(value)
        case ast.Return(value=ast.expr() as value):
            return "", _tree(value)
    raise _unknown(statement)


def _lines(module: ast.Module) -> Iterator[str]:
    for statement in module.body:
        match statement:
            case _ if _needs_no_line(statement):
                pass
            case ast.FunctionDef(name=name, args=ast.arguments(args=arguments), body=body):
                inner = "\n".join(f"  {_statement(each)}" for each in body if not _needs_no_line(each))
                yield f"function {_safe(name)}({', '.join(_safe(a.arg) for a in arguments)}) {{\n{inner}\n}}"
            case _:
                yield _statement(statement)


def _statement(statement: ast.stmt) -> str:
    name, value = _line(statement)
    return f"const {_safe(name)} = {_written(value)};" if name else f"return {_written(value)};"


def _tree(node: ast.expr) -> Tree:
    match node:
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return [_BINARY[type(op)], _tree(left), _tree(right)]
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return -value
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return ["negative", _tree(operand)]
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARED:
            return [_COMPARED[type(op)], _tree(left), _tree(right)]
        case ast.Name(id=name):
            return name
        case ast.Constant(value=int() | float() as value):
            return value
        case ast.Constant(value="C" | "F" as order):
            return {"order": order}
        case ast.List(elts=members) | ast.Tuple(elts=members):
            return ["list", *map(_tree, members)]
        case ast.Attribute(value=ast.Name(id="np"), attr="pi"):
            return ["pi"]
        case ast.Attribute(value=value, attr="T"):
            return ["transpose", _tree(value)]
        case ast.Subscript(value=ast.Attribute(value=ast.Name(id="np"), attr="s_"), slice=ast.Tuple(elts=parts)):
            return {"slices": [*map(_range, parts)]}
        case ast.Subscript(
            value=ast.Call(func=ast.Attribute(attr="slogdet"), args=[of], keywords=[]), slice=ast.Constant(value=1)
        ):
            return ["log", ["abs", ["det", _tree(of)]]]
        case ast.Subscript(value=value, slice=ast.Tuple(elts=parts)):
            return ["part", _tree(value), {"slices": [*map(_range, parts)]}]
        case ast.Call(func=ast.Attribute(value=ast.Name(id="np"), attr=name), args=arguments, keywords=[]) if (
            name in _FUNCTIONS
        ):
            return [name, *map(_tree, arguments)]
        case ast.Call(
            func=ast.Attribute(value=ast.Attribute(value=ast.Name(id="np"), attr="linalg"), attr=name),
            args=arguments,
            keywords=[],
        ) if name in _OF_LINALG:
            return [name, *map(_tree, arguments)]
        case ast.Call(func=ast.Attribute(value=value, attr=name), args=[], keywords=how) if name in _OF_ARRAYS:
            return [name, _tree(value), {str(each.arg): ast.literal_eval(each.value) for each in how}]
        case ast.Call(func=ast.Attribute(value=value, attr="reshape"), args=lengths, keywords=[]):
            return ["reshape", _tree(value), ["list", *map(_tree, _members(lengths))]]
        case ast.Call(func=ast.Attribute(value=value, attr="ravel"), args=[], keywords=[]):
            return ["reshape", _tree(value), ["list", -1]]
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id="np"), attr="einsum"),
            args=[ast.Constant(value=str() as indices), *arguments],
            keywords=[],
        ):
            return ["einsum", {"indices": indices}, *map(_tree, arguments)]
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in _KNOWN:
            return [name, *map(_tree, arguments)]
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            return ["call", name, *map(_tree, arguments)]
    raise _unknown(node)


def _written(tree: Tree) -> str:
    """A tree as JavaScript."""
    match tree:
        case str():
            return _safe(tree)
        case ["pi"]:
            return "np.pi"
        case ["list", *members]:
            return f"[{', '.join(map(_written, members))}]"
        case ["call", name, *arguments]:
            return f"{_safe(name)}({', '.join(map(_written, arguments))})"
        case [name, *arguments]:
            return f"np.{name}({', '.join(map(_written, arguments))})"
        case {"slices": ends}:
            return json.dumps(ends)
        case {"order": text} | {"indices": text}:
            return json.dumps(text)
        case dict():
            return f"{{ {', '.join(f'{key}: {json.dumps(value)}' for key, value in tree.items())} }}"
    return json.dumps(tree)


def _members(lengths: list[ast.expr]) -> list[ast.expr]:
    """The lengths of a shape, which may be one tuple."""
    match lengths:
        case [ast.Tuple(elts=members)]:
            return members
    return lengths


def _range(part: ast.expr) -> list[int | None]:
    match part:
        case ast.Slice(lower=lower, upper=upper, step=None):
            return [None if end is None else ast.literal_eval(end) for end in (lower, upper)]
    raise _unknown(part)


def _safe(name: str) -> str:
    """A name that JavaScript keeps for itself, and the runtime's, get an underscore."""
    return f"{name}_" if name in _RESERVED or name in ("np", "program") else name


def _needs_no_line(statement: ast.stmt) -> bool:
    """Whether it is a text for readers, or imports or defines what the runtime has."""
    match statement:
        case ast.Import(names=[ast.alias(name="numpy", asname="np")]) | ast.Expr(value=ast.Constant()):
            return True
        case ast.FunctionDef(name=name):
            return name in {*MATRICES, *_OF_IMAGES, "both_axes", "windows_of", "from_windows"}
        case ast.ImportFrom(module="scipy.special", names=[ast.alias(name=name, asname=None)]):
            return name in _OF_SCIPY
    return False


def _unknown(node: ast.AST) -> LayoutError:
    what = ast.unparse(node).splitlines()[0]
    if isinstance(node, ast.ImportFrom):
        what = f"{', '.join(alias.name for alias in node.names)} of {node.module}"
    return LayoutError(f"to_javascript: the runtime has nothing for {what}")
