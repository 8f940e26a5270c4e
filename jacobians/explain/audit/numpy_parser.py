"""`parse_numpy`: NumPy code as a term, through `ast` and a list of what is allowed; nothing is executed."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Sequence

from jacobians.errors import FormulaError
from jacobians.explain.audit.numpy_calls import read_call
from jacobians.explain.audit.reading import Reading
from jacobians.explain.audit.source import MAX_DEPTH, Source, Span
from jacobians.explain.audit.terms import Kind, Term, call, negative
from jacobians.explain.expressions import Slices

__all__ = ["NumpyReading", "parse_numpy"]

_ALLOWED = (
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
        raise source.error(f"this is no NumPy expression ({error.msg}); {_ALLOWED}", (offset, offset + 1)) from None
    except (ValueError, RecursionError, MemoryError, OverflowError):
        raise source.error(f"this is too deep or too large; {_ALLOWED}", (start, start + len(text))) from None
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
                raise self.error(f".{attribute} is not read, of attributes only .T; {_ALLOWED}", node)
            case ast.Subscript(value=value, slice=key):
                return Term("part", (self.term(value, depth),), self._slices(key), span)
            case ast.Call():
                return read_call(self, node, depth)
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
