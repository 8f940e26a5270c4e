"""`parse_numpy`: NumPy code as a term, through `ast` and a list of what is allowed; nothing is executed."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Sequence

from jacobians.auditing.reading import Reading
from jacobians.auditing.source import MAX_DEPTH, Source, Span
from jacobians.auditing.terms import Kind, Term, call, negative
from jacobians.errors import FormulaError
from jacobians.symbols.expressions import Slices

__all__ = ["NumpyReading", "parse_numpy", "read_call"]


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


_numpy_parser_ALLOWED = (
    "allowed are names, numbers, + - * / @, small whole powers, .T, slices, .sum(axis=…), np.dot and the functions "
    "such as sigmoid_prime"
)
_BINARY: dict[type[ast.operator], Kind] = {
    ast.Add: "plus",
    ast.Sub: "minus",
    ast.Mult: "star",
    ast.Div: "divide",
    ast.MatMult: "matmul",
}
_WHAT = {
    ast.Lambda: "a lambda",
    ast.IfExp: "an 'if'",
    ast.NamedExpr: "an assignment",
    ast.JoinedStr: "an f-string",
    ast.ListComp: "a comprehension",
    ast.SetComp: "a comprehension",
    ast.DictComp: "a comprehension",
    ast.GeneratorExp: "a comprehension",
    ast.Compare: "a comparison other than Z > 0",
    ast.BoolOp: "'and' or 'or'",
    ast.Await: "'await'",
    ast.Yield: "'yield'",
    ast.Starred: "a star",
    ast.Dict: "a dict",
    ast.Set: "a set",
    ast.List: "a list",
    ast.Tuple: "a tuple",
}


def parse_numpy(source: Source, span: Span, reading: Reading) -> Term:
    """Return the term of the right side of a formula.

    Parameters
    ----------
    source : Source
    span : (int, int)
        Where the right side stands.
    reading : Reading
        What names mean.

    Raises
    ------
    FormulaError
        For everything that is not on the list of what is allowed.
    """
    text = source.part(span)
    start = span[0] + len(text) - len(text.lstrip())
    # λ is a keyword of Python, and a typographic minus none of its operators
    text = re.sub(r"\blambda\b", "lambdA", text.strip()).replace("−", "-")
    if not text:
        raise source.error("the right side is empty", (span[0], span[1]))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "1is" warns, and is refused below
            tree = ast.parse(text, mode="eval")
    except SyntaxError as error:
        offset = start + max(0, min((error.offset or 1) - 1, len(text) - 1))
        raise source.error(
            f"this is no NumPy expression ({error.msg}); {_numpy_parser_ALLOWED}", (offset, offset + 1)
        ) from None
    except (ValueError, RecursionError, MemoryError, OverflowError):
        raise source.error(
            f"this is too deep or too large; {_numpy_parser_ALLOWED}", (start, start + len(text))
        ) from None
    return NumpyReading(source, start, text, reading).term(tree.body, 0)


class NumpyReading:
    """One formula being read.

    Parameters
    ----------
    source : Source
    start : int
        Where `text` begins in the source.
    text : str
    reading : Reading
    """

    def __init__(self, source: Source, start: int, text: str, reading: Reading) -> None:
        self.source, self.start, self.reading = source, start, reading
        self._bytes = text.encode()

    def span(self, node: ast.AST) -> Span:
        """Return where a node stands in the source; Python counts bytes."""
        places = [
            len(self._bytes[:offset].decode(errors="ignore"))
            for offset in (getattr(node, "col_offset", 0), getattr(node, "end_col_offset", len(self._bytes)))
        ]
        return self.start + places[0], self.start + places[1]

    def error(self, message: str, node: ast.AST) -> FormulaError:
        """Return an error that marks a node."""
        return self.source.error(message, self.span(node))

    def terms(self, nodes: Sequence[ast.expr], depth: int) -> list[Term]:
        """Return the terms of several nodes."""
        return [self.term(node, depth) for node in nodes]

    def term(self, node: ast.expr, depth: int) -> Term:
        """Return the term of a node."""
        depth += 1
        if depth > MAX_DEPTH:
            raise self.error("the formula is too deep", node)
        span = self.span(node)
        match node:
            case ast.Constant(value=value):
                return self.reading.number(value, self.source, span)
            case ast.Name(id=name):
                return self.reading.name(name, self.source, span)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return negative(self.term(operand, depth), span)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.term(operand, depth)
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                return Term("power", (self.term(left, depth),), self._exponent(right), span)
            case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _BINARY:
                return Term(_BINARY[type(operator)], tuple(self.terms((left, right), depth)), None, span)
            case ast.Attribute(value=value, attr="T"):
                return Term("transpose", (self.term(value, depth),), None, span)
            case ast.Attribute(attr=attribute):
                raise self.error(f".{attribute} is not read, of attributes only .T; {_numpy_parser_ALLOWED}", node)
            case ast.Subscript(value=value, slice=key):
                return Term("part", (self.term(value, depth),), self._slices(key), span)
            case ast.Call():
                return read_call(self, node, depth)
            case ast.Compare(left=left, ops=[ast.Gt()], comparators=[ast.Constant(value=0)]):
                return call("relu_prime", (self.term(left, depth),), span)
        what = next((text for kind, text in _WHAT.items() if isinstance(node, kind)), type(node).__name__)
        raise self.error(f"{what} is not read; {_numpy_parser_ALLOWED}", node)

    def _exponent(self, node: ast.expr) -> int:
        match node:
            case ast.Constant(value=int(value)) if value in (1, 2, 3) and value is not True:
                return value
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(value))) if value in (1, 2, 3):
                return -value
        raise self.error("an exponent is one of -3, -2, -1, 1, 2, 3; no towers of powers", node)

    def _slices(self, node: ast.expr) -> Slices:
        keys = node.elts if isinstance(node, ast.Tuple) else [node]
        found = []
        for key in keys:
            if not isinstance(key, ast.Slice) or key.step is not None:
                raise self.error("an index is a slice such as [:, 1:], [1:] or [:, :-1]", key)
            found.append((self._bound(key.lower), self._bound(key.upper)))
        return tuple(found)

    def _bound(self, node: ast.expr | None) -> int | None:
        return None if node is None else self.integer(node)

    def integer(self, node: ast.expr) -> int:
        """Return a small whole number, which may be written as N, m or another size."""
        match node:
            case ast.Constant(value=bool()):
                pass
            case ast.Constant(value=int(value)) if value < 10**6:
                return value
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(value))) if value < 10**6:
                return -value
            case ast.Name(id=name) if (size := self.reading.size(name)) is not None:
                return size
        raise self.error("a small whole number is wanted here", node)
