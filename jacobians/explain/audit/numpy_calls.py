"""`read_call`: the calls that NumPy code may contain, each in the forms that are named here and no other."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING

from jacobians.explain.audit.terms import Kind, Term, call

if TYPE_CHECKING:
    from jacobians.explain.audit.numpy_parser import NumpyReading

__all__ = ["read_call"]

_MODULES = ("np", "numpy", "jnp")
_PRODUCTS: dict[str, Kind] = {"dot": "product", "matmul": "matmul", "multiply": "star"}
_TOTALS: dict[str, Kind] = {"sum": "sum", "mean": "mean"}
_ALLOWED = (
    "allowed are sigmoid, sigmoid_prime and the other functions, np.dot, np.matmul, np.multiply, np.sum, np.transpose, "
    "np.maximum(Z, 0), np.ones, np.pad, np.column_stack and np.vstack with ones, .sum, .dot, .reshape"
)


def read_call(own: NumpyReading, node: ast.Call, depth: int) -> Term:
    """Return the term of a call.

    Raises
    ------
    FormulaError
        If it is none of the known ones.
    """
    if any(k.arg is None for k in node.keywords) or any(isinstance(a, ast.Starred) for a in node.args):
        raise own.error("stars have no place in a call", node)
    match node.func:
        case ast.Name(id=name):
            return _function(own, node, name, depth)
        case ast.Attribute(value=ast.Name(id=module), attr=attribute) if module in _MODULES:
            return _numpy(own, node, attribute, depth)
        case ast.Attribute(value=value, attr=("sum" | "mean") as total):
            return Term(_TOTALS[total], (own.term(value, depth),), _axis(own, node, node.args), own.span(node))
        case ast.Attribute(value=value, attr=("dot" | "reshape" | "transpose") as attribute):
            if attribute == "dot" and len(node.args) == 1 and not node.keywords:
                return Term("product", tuple(own.terms((value, node.args[0]), depth)), None, own.span(node))
            if attribute == "reshape" and node.args and not node.keywords:
                return Term("reshape", (own.term(value, depth),), _dims(own, node.args), own.span(node))
            if attribute == "transpose" and not node.args and not node.keywords:
                return Term("transpose", (own.term(value, depth),), None, own.span(node))
    raise own.error(f"this call is not read; {_ALLOWED}", node.func)


def _function(own: NumpyReading, node: ast.Call, name: str, depth: int) -> Term:
    function = own.reading.scope.function(name)
    if function is None:
        near = own.reading.scope.near(name)
        raise own.error(f"{name!r} is no function that is known here; {near}", node.func)
    if node.keywords:
        raise own.error(f"{name} takes no keywords", node.keywords[0].value)
    return _call(own, node, function, depth)


def _call(own: NumpyReading, node: ast.Call, function: str, depth: int) -> Term:
    terms = own.terms(node.args, depth)
    return own.reading.call(function, terms, own.source, own.span(node))


def _numpy(own: NumpyReading, node: ast.Call, name: str, depth: int) -> Term:
    span, args = own.span(node), node.args
    readers: dict[str, Callable[[], Term | None]] = {
        "ones": lambda: own.reading.ones(_dims(own, args), own.source, span) if len(args) == 1 else None,
        "pad": lambda: _pad(own, node, depth),
        "column_stack": lambda: _stack(own, node, 1, depth),
        "hstack": lambda: _stack(own, node, 1, depth),
        "vstack": lambda: _stack(own, node, 0, depth),
        "maximum": lambda: _maximum(own, node, depth),
        "transpose": lambda: Term("transpose", (own.term(args[0], depth),), None, span) if len(args) == 1 else None,
    }
    found: Term | None = None
    if name in _TOTALS and args:
        return Term(_TOTALS[name], (own.term(args[0], depth),), _axis(own, node, args[1:]), span)
    if name in _PRODUCTS and len(args) == 2:
        found = Term(_PRODUCTS[name], tuple(own.terms(args, depth)), None, span)
    elif name in ("exp", "log", "tanh", "square") and len(args) == 1:
        found = _call(own, node, name, depth)
    elif name in readers:
        found = readers[name]()
    if found is None or node.keywords:
        raise own.error(f"np.{name} is not read in this form; {_ALLOWED}", node)
    return found


def _axis(own: NumpyReading, node: ast.Call, positional: list[ast.expr]) -> tuple[int | None, bool]:
    """The axis of a sum, and whether it is kept; axis=None is the whole."""
    axis, keep = None, False
    given: dict[str | None, ast.expr] = {k.arg: k.value for k in node.keywords}
    if len(positional) == 1:
        given["axis"] = positional[0]
    for name, value in given.items():
        match name, value:
            case "axis", ast.Constant(value=int(number)) if number in (0, 1):
                axis = int(number)
            case "axis", ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=1)):
                axis = 1
            case "axis", ast.Constant(value=None):
                axis = None
            case "keepdims", ast.Constant(value=bool(flag)):
                keep = flag
            case _:
                raise own.error("a sum takes axis=0 or axis=1, and keepdims=True", value)
    if len(positional) > 1 or (axis is None and keep):
        raise own.error("a sum takes axis=0 or axis=1, and keepdims=True", node)
    return axis, keep


def _dims(own: NumpyReading, nodes: list[ast.expr]) -> tuple[int, ...]:
    if len(nodes) == 1 and isinstance(nodes[0], ast.Tuple):
        nodes = nodes[0].elts
    dims = tuple(own.integer(node) for node in nodes)
    if not 0 < len(dims) <= 2 or min(dims) < 0:
        raise own.error("a shape has one or two sizes", nodes[0] if nodes else ast.Constant(None))
    return dims


def _pad(own: NumpyReading, node: ast.Call, depth: int) -> Term | None:
    match node.args:
        case [of, ast.Tuple(elts=pairs)]:
            widths = [_dims(own, [pair]) for pair in pairs if isinstance(pair, ast.Tuple)]
            if len(widths) == len(pairs) and all(len(w) == 2 and max(w) <= 1 for w in widths):
                return Term("placed", (own.term(of, depth),), tuple(widths), own.span(node))
    return None


def _stack(own: NumpyReading, node: ast.Call, axis: int, depth: int) -> Term | None:
    """[1 A] or [A 1]: of two blocks, one is np.ones(…)."""
    match node.args:
        case [ast.List(elts=[first, second]) | ast.Tuple(elts=[first, second])]:
            for ones, of, leads in ((first, second, True), (second, first, False)):
                if _is_ones(ones):
                    own.term(ones, depth)  # its sizes are checked
                    return Term("with_ones", (own.term(of, depth),), (axis, leads), own.span(node))
    return None


def _is_ones(node: ast.expr) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=module), attr="ones")):
            return module in _MODULES
    return False


def _maximum(own: NumpyReading, node: ast.Call, depth: int) -> Term | None:
    match node.args:
        case [ast.Constant(value=0), of] | [of, ast.Constant(value=0)]:
            return call("relu", (own.term(of, depth),), own.span(node))
    return None
