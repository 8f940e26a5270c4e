"""NumPy programs as JavaScript: the same lines as calls of a runtime, which a browser or node runs as it stands."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from importlib.resources import files

from jacobians.errors import LayoutError

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
    "sqrt",
    "abs",
    "sign",
    "where",
    "maximum",
    "minimum",
    "logaddexp",
    "ones",
    "zeros",
    "column_stack",
    "vstack",
}
"""The functions of NumPy that the runtime has."""
_OF_ARRAYS = {"sum", "max"}
"""The methods of arrays that a program calls."""
_OF_SCIPY = {"ndtr"}
"""What a program imports from elsewhere and the runtime has."""
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
    computed = dict.fromkeys(_name(line.targets[0]) for line in lines)
    read = [n.id for line in lines for n in ast.walk(line.value) if isinstance(n, ast.Name)]
    called = {n.func.id for n in ast.walk(module) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    given = dict.fromkeys(name for name in map(_safe, read) if name not in {"np_", *computed, *map(_safe, called)})
    inner = "\n".join([*body, f"return {{ {', '.join(computed)} }};"]).replace("\n", "\n  ")
    return f"function program({{ {', '.join(given)} }}) {{\n  {inner}\n}}"


def _lines(module: ast.Module) -> Iterator[str]:
    for statement in module.body:
        match statement:
            case ast.Import(names=[ast.alias(name="numpy", asname="np")]):
                pass
            case ast.FunctionDef(name=name, args=ast.arguments(args=arguments), body=body):
                inner = "\n".join(f"  {_statement(each)}" for each in body if not _is_docstring(each))
                yield f"function {_safe(name)}({', '.join(_safe(a.arg) for a in arguments)}) {{\n{inner}\n}}"
            case _:
                yield _statement(statement)


def _statement(statement: ast.stmt) -> str:
    match statement:
        case ast.Assign(targets=[target], value=value):
            return f"const {_name(target)} = {_expression(value)};"
        case ast.ImportFrom(module="scipy.special", names=[ast.alias(name=name, asname=None)]) if name in _OF_SCIPY:
            return f"const {name} = np.{name};"
        case ast.Return(value=ast.expr() as value):
            return f"return {_expression(value)};"
    raise _unknown(statement)


def _expression(node: ast.expr) -> str:
    match node:
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return f"np.{_BINARY[type(op)]}({_expression(left)}, {_expression(right)})"
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return json.dumps(-value)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return f"np.negative({_expression(operand)})"
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARED:
            return f"np.{_COMPARED[type(op)]}({_expression(left)}, {_expression(right)})"
        case ast.Name(id=name):
            return _safe(name)
        case ast.Constant(value=int() | float() as value):
            return json.dumps(value)
        case ast.List(elts=members):
            return f"[{', '.join(map(_expression, members))}]"
        case ast.Attribute(value=ast.Name(id="np"), attr="pi"):
            return "np.pi"
        case ast.Attribute(value=value, attr="T"):
            return f"np.transpose({_expression(value)})"
        case ast.Subscript(value=value, slice=ast.Tuple(elts=parts)):
            return f"np.part({_expression(value)}, [{', '.join(map(_range, parts))}])"
        case ast.Call(func=ast.Attribute(value=ast.Name(id="np"), attr=name), args=arguments, keywords=[]) if (
            name in _FUNCTIONS
        ):
            return f"np.{name}({', '.join(map(_expression, arguments))})"
        case ast.Call(func=ast.Attribute(value=value, attr=name), args=[], keywords=how) if name in _OF_ARRAYS:
            options = ", ".join(f"{each.arg}: {json.dumps(ast.literal_eval(each.value))}" for each in how)
            return f"np.{name}({_expression(value)}, {{ {options} }})"
        case ast.Call(func=ast.Attribute(value=value, attr="reshape"), args=lengths, keywords=[]):
            return f"np.reshape({_expression(value)}, [{', '.join(map(_expression, lengths))}])"
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            return f"{_safe(name)}({', '.join(map(_expression, arguments))})"
    raise _unknown(node)


def _range(part: ast.expr) -> str:
    match part:
        case ast.Slice(lower=lower, upper=upper, step=None):
            return json.dumps([None if end is None else ast.literal_eval(end) for end in (lower, upper)])
    raise _unknown(part)


def _name(target: ast.expr) -> str:
    if isinstance(target, ast.Name):
        return _safe(target.id)
    raise _unknown(target)


def _safe(name: str) -> str:
    """A name that JavaScript keeps for itself, and the runtime's, get an underscore."""
    return f"{name}_" if name in _RESERVED or name in ("np", "program") else name


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _unknown(node: ast.AST) -> LayoutError:
    return LayoutError(f"to_javascript: the runtime has nothing for {ast.unparse(node).splitlines()[0]}")
