"""`read_numpy`: NumPy code as a term, through `ast` and a list of what is allowed; nothing is executed."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Sequence

from jacobians.auditing.formula_text import MAX_DEPTH, Source, Span
from jacobians.auditing.names import Scope
from jacobians.auditing.terms import Kind, Term, call
from jacobians.errors import FormulaError
from jacobians.symbols.expressions import Slices

_MODULES = ("np", "numpy", "jnp")
_BINARY: dict[type[ast.operator], Kind] = {
    ast.Add: "plus",
    ast.Sub: "minus",
    ast.Mult: "star",
    ast.Div: "divide",
    ast.MatMult: "matmul",
}
_PRODUCTS: dict[str, Kind] = {"dot": "product", "matmul": "matmul", "multiply": "star"}
_TOTALS: dict[str, Kind] = {"sum": "sum", "mean": "mean"}
_ALLOWED = (
    "allowed are names, numbers, + - * / @, small whole powers, .T, slices, .sum(axis=…), np.dot and the functions "
    "such as sigmoid_prime"
)
_ALLOWED_CALLS = (
    "allowed are sigmoid, sigmoid_prime and the other functions, np.dot, np.matmul, np.multiply, np.sum, np.transpose, "
    "np.maximum(Z, 0), np.ones, np.pad, np.column_stack and np.vstack with ones, .sum, .dot, .reshape"
)
_WHAT = {
    ast.Lambda: "a lambda",
    ast.IfExp: "an 'if'",
    ast.NamedExpr: "an assignment",
    ast.JoinedStr: "an f-string",
    **dict.fromkeys((ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp), "a comprehension"),
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


def read_numpy(source: Source, span: Span, scope: Scope) -> Term:
    """Return the term of the right side of a formula.

    Parameters
    ----------
    source : Source
    span : (int, int)
        Where the right side stands.
    scope : Scope
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
        raise source.error("the right side is empty", span)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "1is" warns, and is refused below
            tree = ast.parse(text, mode="eval")
    except SyntaxError as error:
        place = start + max(0, min((error.offset or 1) - 1, len(text) - 1))
        raise source.error(f"this is no NumPy expression ({error.msg}); {_ALLOWED}", (place, place + 1)) from None
    except (ValueError, RecursionError, MemoryError, OverflowError):
        raise source.error(f"this is too deep or too large; {_ALLOWED}", (start, start + len(text))) from None
    return _PythonReader(source, start, text, scope).term(tree.body, 0)


class _PythonReader:
    """One right side being read; `start` is where its text begins in the source."""

    def __init__(self, source: Source, start: int, text: str, scope: Scope) -> None:
        self.source, self.start, self.scope = source, start, scope
        self._bytes = text.encode()

    def span(self, node: ast.AST) -> Span:
        """Return where a node stands in the source; Python counts bytes."""
        first, last = (
            len(self._bytes[:offset].decode(errors="ignore"))
            for offset in (getattr(node, "col_offset", 0), getattr(node, "end_col_offset", len(self._bytes)))
        )
        return self.start + first, self.start + last

    def error(self, message: str, node: ast.AST) -> FormulaError:
        """Return an error that marks a node."""
        return self.source.error(message, self.span(node))

    # --- operators -------------------------------------------------------------------------------

    def terms(self, nodes: Sequence[ast.expr], depth: int) -> tuple[Term, ...]:
        """Return the terms of several nodes."""
        return tuple(self.term(node, depth) for node in nodes)

    def term(self, node: ast.expr, depth: int) -> Term:
        """Return the term of a node."""
        depth += 1
        if depth > MAX_DEPTH:
            raise self.error("the formula is too deep", node)
        span = self.span(node)
        match node:
            case ast.Constant(value=value):
                return self.scope.number(value, self.source, span)
            case ast.Name(id=name):
                return self.scope.name(name, self.source, span)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return Term("negative", (self.term(operand, depth),), None, span)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.term(operand, depth)
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                return Term("power", (self.term(left, depth),), self._exponent(right), span)
            case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _BINARY:
                return Term(_BINARY[type(operator)], self.terms((left, right), depth), None, span)
            case ast.Attribute(value=value, attr="T"):
                return Term("transpose", (self.term(value, depth),), None, span)
            case ast.Attribute(attr=attribute):
                raise self.error(f".{attribute} is not read, of attributes only .T; {_ALLOWED}", node)
            case ast.Subscript(value=value, slice=key):
                return Term("part", (self.term(value, depth),), self._slices(key), span)
            case ast.Call():
                return self._call(node, depth)
            case ast.Compare(left=left, ops=[ast.Gt()], comparators=[ast.Constant(value=0)]):
                return call("relu_prime", (self.term(left, depth),), span)
        what = next((text for kind, text in _WHAT.items() if isinstance(node, kind)), type(node).__name__)
        raise self.error(f"{what} is not read; {_ALLOWED}", node)

    def _exponent(self, node: ast.expr) -> int:
        match node:
            case ast.Constant(value=int(value)) if value in (1, 2, 3) and value is not True:
                return value
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(value))) if value in (1, 2, 3):
                return -value
        raise self.error("an exponent is one of -3, -2, -1, 1, 2, 3; no towers of powers", node)

    def _slices(self, node: ast.expr) -> Slices:
        found = []
        for key in node.elts if isinstance(node, ast.Tuple) else [node]:
            if not isinstance(key, ast.Slice) or key.step is not None:
                raise self.error("an index is a slice such as [:, 1:], [1:] or [:, :-1]", key)
            lower, upper = (None if bound is None else self._integer(bound) for bound in (key.lower, key.upper))
            found.append((lower, upper))
        return tuple(found)

    def _integer(self, node: ast.expr) -> int:
        """A small whole number, which may be written as N, m or another size."""
        match node:
            case ast.Constant(value=bool()):
                pass
            case ast.Constant(value=int(value)) if value < 10**6:
                return value
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(value))) if value < 10**6:
                return -value
            case ast.Name(id=name) if (size := self.scope.size(name)) is not None:
                return size
        raise self.error("a small whole number is wanted here", node)

    # --- calls -----------------------------------------------------------------------------------

    def _call(self, node: ast.Call, depth: int) -> Term:
        span, args, bare = self.span(node), node.args, not node.keywords
        if any(k.arg is None for k in node.keywords) or any(isinstance(a, ast.Starred) for a in args):
            raise self.error("stars have no place in a call", node)
        match node.func:
            case ast.Name(id=name):
                function = self.scope.function(name)
                if function is None:
                    raise self.error(self.scope.no_function(name), node.func)
                if not bare:
                    raise self.error(f"{name} takes no keywords", node.keywords[0].value)
                return self._function(function, node, depth)
            case ast.Attribute(value=ast.Name(id=module), attr=name) if module in _MODULES:
                if name in _TOTALS and args:
                    return self._total(name, args[0], args[1:], node, depth)
                found = self._of_numpy(name, node, depth)
                if found is None or not bare:
                    raise self.error(f"np.{name} is not read in this form; {_ALLOWED_CALLS}", node)
                return found
            case ast.Attribute(value=value, attr=("sum" | "mean") as name):
                return self._total(name, value, args, node, depth)
            case ast.Attribute(value=value, attr="dot") if len(args) == 1 and bare:
                return Term("product", self.terms((value, args[0]), depth), None, span)
            case ast.Attribute(value=value, attr="reshape") if args and bare:
                return Term("reshape", self.terms((value,), depth), self._dims(args), span)
            case ast.Attribute(value=value, attr="transpose") if not args and bare:
                return Term("transpose", self.terms((value,), depth), None, span)
        raise self.error(f"this call is not read; {_ALLOWED_CALLS}", node.func)

    def _function(self, function: str, node: ast.Call, depth: int) -> Term:
        return self.scope.call(function, self.terms(node.args, depth), self.source, self.span(node))

    def _of_numpy(self, name: str, node: ast.Call, depth: int) -> Term | None:
        """A call of a function of NumPy, or None where it is not one of those that are read."""
        span, args = self.span(node), node.args
        match name, args:
            case (("dot" | "matmul" | "multiply"), [_, _]):
                return Term(_PRODUCTS[name], self.terms(args, depth), None, span)
            case (("exp" | "log" | "tanh" | "square"), [_]):
                return self._function(name, node, depth)
            case "ones", [_]:
                return self.scope.ones(self._dims(args), self.source, span)
            case "transpose", [_]:
                return Term("transpose", self.terms(args, depth), None, span)
            case "maximum", ([ast.Constant(value=0), of] | [of, ast.Constant(value=0)]):
                return call("relu", self.terms((of,), depth), span)
            case "pad", [of, ast.Tuple(elts=pairs)]:
                widths = tuple(self._dims([pair]) for pair in pairs if isinstance(pair, ast.Tuple))
                if len(widths) == len(pairs) and all(len(w) == 2 and max(w) <= 1 for w in widths):
                    return Term("placed", self.terms((of,), depth), widths, span)
            case (
                ("column_stack" | "hstack" | "vstack"),
                [ast.List(elts=[first, second]) | ast.Tuple(elts=[first, second])],
            ):
                for ones, of, leads in ((first, second, True), (second, first, False)):
                    if _is_ones(ones):
                        self.term(ones, depth)  # its sizes are checked
                        axis = 0 if name == "vstack" else 1
                        return Term("with_ones", self.terms((of,), depth), (axis, leads), span)
        return None

    def _total(self, name: str, of: ast.expr, positional: list[ast.expr], node: ast.Call, depth: int) -> Term:
        """A sum or a mean, with its axis and whether that is kept; axis=None is the whole."""
        term = self.term(of, depth)
        axis, keep = None, False
        given: dict[str | None, ast.expr] = {k.arg: k.value for k in node.keywords}
        if len(positional) == 1:
            given["axis"] = positional[0]
        for key, value in given.items():
            match key, value:
                case "axis", ast.Constant(value=int(number)) if number in (0, 1):
                    axis = int(number)
                case "axis", ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=1)):
                    axis = 1
                case "axis", ast.Constant(value=None):
                    axis = None
                case "keepdims", ast.Constant(value=bool(flag)):
                    keep = flag
                case _:
                    raise self.error("a sum takes axis=0 or axis=1, and keepdims=True", value)
        if len(positional) > 1 or (axis is None and keep):
            raise self.error("a sum takes axis=0 or axis=1, and keepdims=True", node)
        return Term(_TOTALS[name], (term,), (axis, keep), self.span(node))

    def _dims(self, nodes: list[ast.expr]) -> tuple[int, ...]:
        if len(nodes) == 1 and isinstance(nodes[0], ast.Tuple):
            nodes = nodes[0].elts
        dims = tuple(self._integer(node) for node in nodes)
        if not 0 < len(dims) <= 2 or min(dims) < 0:
            raise self.error("a shape has one or two sizes", nodes[0] if nodes else ast.Constant(None))
        return dims


def _is_ones(node: ast.expr) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=module), attr="ones")):
            return module in _MODULES
    return False
