"""`read_numpy`: NumPy code as a term, through `ast` and a list of what is allowed; nothing is executed."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Sequence

from jacobians.auditing.course_words import LISTS
from jacobians.auditing.formula_text import MAX_DEPTH, Source, Span
from jacobians.auditing.terms import Kind, Term, call, mask_of, number
from jacobians.auditing.words import Words
from jacobians.errors import FormulaError
from jacobians.symbols.expressions import Slices, Symbol

_MODULES = ("np", "numpy", "jnp", "cp", "torch", "tf", "special", "scipy")
_CASTS = (
    *("int", "int8", "int32", "int64", "float", "float16", "float32", "float64", "double", "array", "asarray"),
    *("asanyarray", "copy", "ascontiguousarray", "squeeze"),
)
"""What changes an array's type and not its values."""
_SAME = ("copy", "astype", "float", "double", "squeeze", "detach", "clone")
ENTRY_OF_DICT = re.compile(
    r"""(?:\w+\.)*(?P<of>\w+)\s*\[\s*(?P<quote>f?['"])(?P<name>\w+)(?:\{(?P<inside>[^{}]+)\})?['"]"""
    r"""\s*(?:\+\s*str\s*\((?P<layer>[^()]*)\))?\s*\]"""
)


def name_of_entry(found: re.Match[str]) -> str:
    """Return the name that params["W1"] stands for; grads["W1"] is dW1, and "W" + str(l) is the W of layer l."""
    layer = found["layer"] or found["inside"]
    name = found["name"] + (f"{{{layer.replace(' ', '')}}}" if layer else "")
    of = found["of"].lower()
    return f"d{name}" if of.startswith(("grad", "dparam")) and not name.startswith(("d", "grad")) else name


_BINARY: dict[type[ast.operator], Kind] = {
    ast.Add: "plus",
    ast.Sub: "minus",
    ast.Mult: "star",
    ast.Div: "divide",
    ast.MatMult: "matmul",
}
_PRODUCTS: dict[str, Kind] = {
    **{"dot": "product", "matmul": "matmul", "mm": "matmul", "safe_sparse_dot": "matmul", "outer": "outer"},
    **{"multiply": "star", "mul": "star", "divide": "divide", "true_divide": "divide", "div": "divide"},
    **{"subtract": "minus", "sub": "minus", "add": "plus"},
}
_TOTALS: dict[str, Kind] = {"sum": "sum", "mean": "mean"}
_ALLOWED = (
    "allowed are names, numbers, + - * / @, small whole powers, .T, slices, .sum(axis=…), np.dot and the functions "
    "such as sigmoid_prime"
)
_ALLOWED_CALLS = (
    "allowed are sigmoid, sigmoid_prime and the other functions, np.dot, np.matmul, np.outer, np.einsum, np.multiply, "
    "np.divide, np.add, np.subtract, np.power, np.sum, np.mean, np.transpose, np.maximum(Z, 0), np.where(Z > 0, A, 0), "
    "np.ones, np.pad, np.column_stack and np.vstack with ones, .sum, .dot, .reshape, .astype"
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


def read_numpy(source: Source, span: Span, scope: Words) -> Term:
    """Return the term of the right side of a formula.

    Parameters
    ----------
    source : Source
    span : (int, int)
        Where the right side stands.
    scope : Words
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
    text = re.sub(r"(?:d|∂)([A-Z]|loss|cost)\s?/\s?(?:d|∂)(?=\w)", lambda f: f"d{f[1]}_d".ljust(len(f[0]), "_"), text)
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

    def __init__(self, source: Source, start: int, text: str, scope: Words) -> None:
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
                return Term("power", (self.term(left, depth),), self._exponent(right, depth), span)
            case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _BINARY:
                return Term(_BINARY[type(operator)], self.terms((left, right), depth), None, span)
            case ast.Attribute(value=value, attr="T"):
                return Term("transpose", (self.term(value, depth),), None, span)
            case ast.Attribute(value=ast.Name(id="self"), attr=name) if self.scope.knows(name):
                return self.scope.name(name, self.source, span)
            case ast.Attribute(attr=attribute):
                raise self.error(f".{attribute} is not read, of attributes only .T; {_ALLOWED}", node)
            case ast.Subscript() if (found := self._entry_of_dict(node)) is not None:
                return self.scope.name(found, self.source, span)
            case ast.Subscript(value=ast.Name(id=name) | ast.Attribute(attr=name), slice=key) if (
                name in LISTS and not isinstance(key, ast.Slice | ast.Tuple)
            ):
                return self.scope.name(f"{name}[{ast.unparse(key)}]", self.source, span)
            case ast.Subscript(value=value, slice=key) if (example := self._example(key)) is not None:
                return Term("example", (self.term(value, depth),), example, span)
            case ast.Subscript(value=ast.Attribute(value=value, attr="shape"), slice=ast.Constant(value=int(axis))):
                return self.scope.length(self.term(value, depth), axis, self.source, span)
            case ast.Subscript(value=value, slice=ast.Tuple(elts=[first, second])) if _is_new(first) or _is_new(second):
                return Term("reshape", (self.term(value, depth),), (1, -1) if _is_new(first) else (-1, 1), span)
            case ast.Subscript(
                value=ast.Call(func=ast.Attribute(attr="slogdet") | ast.Name(id="slogdet")) as pair,
                slice=ast.Constant(value=1),
            ):
                return call("logdet", self._call(pair, depth).parts, span)
            case ast.Subscript(value=value, slice=key):
                return Term("part", (self.term(value, depth),), self._slices(key), span)
            case ast.Call():
                return self._call(node, depth)
            case ast.Compare(left=left, ops=[operator], comparators=[right]) if type(operator) in _COMPARED:
                sign = _COMPARED[type(operator)]
                if (mask := mask_of(sign, left, right, lambda of: self.term(of, depth), _is_zero, span)) is not None:
                    return mask
        what = next((text for kind, text in _WHAT.items() if isinstance(node, kind)), type(node).__name__)
        raise self.error(f"{what} is not read; {_ALLOWED}", node)

    def _entry_of_dict(self, node: ast.Subscript) -> str | None:
        """The name that params["W1"] stands for, or None where it is no entry of a dict."""
        first, last = self.span(node)
        found = ENTRY_OF_DICT.fullmatch(self.source.text[first:last])
        return name_of_entry(found) if found else None

    def _example(self, key: ast.expr) -> tuple[int, bool] | None:
        """The axis of X[i], X[i, :], X[:, i] or X[i:i+1] in a loop over the examples, and whether it is kept."""
        keys = key.elts if isinstance(key, ast.Tuple) else [key]
        for axis, one in enumerate(keys):
            others = [other for other in keys if other is not one]
            if all(isinstance(other, ast.Slice) and other.lower is other.upper is None for other in others):
                match one:
                    case ast.Name(id=name) if name in self.scope.loops:
                        return axis, False
                    case ast.List(elts=[ast.Name(id=name)]) if name in self.scope.loops:
                        return axis, True
                    case ast.Slice(
                        lower=ast.Name(id=name),
                        upper=ast.BinOp(left=ast.Name(id=same), op=ast.Add(), right=ast.Constant(value=1)),
                    ) if name == same and name in self.scope.loops:
                        return axis, True
        return None

    def _exponent(self, node: ast.expr, depth: int) -> object:
        """A small whole number; in an expression, which has Kronecker products, a term."""
        match node:
            case ast.Constant(value=int(value)) if value in (1, 2, 3) and value is not True:
                return value
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(value))) if value in (1, 2, 3):
                return -value
        if self.scope.function("kron") is not None:
            return self.term(node, depth)
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
            case ast.Subscript(value=ast.Attribute(attr="shape")) | ast.Call(func=ast.Name(id="len")):
                found = self.term(node, 0).detail
                size = self.scope.size(found.name) if isinstance(found, Symbol) else int(found.value)
                if size is not None:
                    return size
        raise self.error("a small whole number is wanted here", node)

    # --- calls -----------------------------------------------------------------------------------

    def _call(self, node: ast.Call, depth: int) -> Term:
        span, args, bare = self.span(node), node.args, not node.keywords
        if any(k.arg is None for k in node.keywords) or any(isinstance(a, ast.Starred) for a in args):
            raise self.error("stars have no place in a call", node)
        match node.func:
            case ast.Name(id=("float" | "int")) if len(args) == 1 and bare:
                return self.term(args[0], depth)
            case ast.Name(id="sum") if len(args) == 1 and isinstance(args[0], ast.GeneratorExp | ast.ListComp):
                return self._over_examples(args[0], depth)
            case ast.Name(id="len") if len(args) == 1 and bare:
                return self.scope.length(self.term(args[0], depth), 0, self.source, span)
            case ast.Name(id="safe_sparse_dot") if len(args) == 2:
                return Term("matmul", self.terms(args, depth), None, span)
            case ast.Name(id=name):
                function = self.scope.function(name)
                if function is None:
                    raise self.error(self.scope.no_function(name), node.func)
                if (along := self._softmax_along(function, node, depth)) is not None:
                    return along
                if not bare:
                    raise self.error(f"{name} takes no keywords", node.keywords[0].value)
                return self._function(function, node, depth)
            case ast.Attribute(value=ast.Attribute(value=ast.Name(id=module), attr="linalg"), attr=name) if (
                module in _MODULES and bare and self.scope.function(name)
            ):
                if name == "norm" and len(args) == 2 and isinstance(args[1], ast.Constant) and args[1].value == "fro":
                    node = ast.copy_location(ast.Call(node.func, args[:1], []), node)
                return self._function(str(self.scope.function(name)), node, depth)
            case (
                ast.Attribute(value=ast.Name(id=module), attr=name)
                | ast.Attribute(
                    value=ast.Attribute(value=ast.Name(id=module), attr=("special" | "functional")),
                    attr=name,
                )
            ) if module in _MODULES and not self.scope.knows(module):
                if name in _TOTALS and args:
                    return self._total(name, args[0], args[1:], node, depth)
                if bare and self.scope.function(name) == "kron":
                    return self._function("kron", node, depth)
                if (along := self._softmax_along(name, node, depth)) is not None:
                    return along
                found = self._of_numpy(name, node, depth)
                if found is None or not (bare or name in ("zeros", "ones", "zeros_like", "max", "amax", *_CASTS)):
                    raise self.error(f"np.{name} is not read in this form; {_ALLOWED_CALLS}", node)
                return found
            case ast.Attribute(value=value, attr=("sum" | "mean") as name):
                return self._total(name, value, args, node, depth)
            case ast.Attribute(value=value, attr=("dot" | "mm" | "matmul" | "mul" | "div" | "add" | "sub") as name) if (
                len(args) == 1 and bare
            ):
                return Term(_PRODUCTS[name], self.terms((value, args[0]), depth), None, span)
            case ast.Attribute(value=value, attr=("reshape" | "view")) if args and bare:
                return Term("reshape", self.terms((value,), depth), self._dims(args, open_=True), span)
            case ast.Attribute(value=value, attr=("transpose" | "t")) if not args and bare:
                return Term("transpose", self.terms((value,), depth), None, span)
            case ast.Attribute(value=value, attr=("ravel" | "flatten")) if bare:
                return Term("reshape", self.terms((value,), depth), (-1,), span)
            case ast.Attribute(value=value, attr="pow") if len(args) == 1 and bare:
                return Term("power", self.terms((value,), depth), self._exponent(args[0], depth), span)
            case ast.Attribute(value=value, attr="clamp") if not args and [k.arg for k in node.keywords] == ["min"]:
                if _is_zero(node.keywords[0].value):
                    return call("relu", self.terms((value,), depth), span)
            case ast.Attribute(value=value, attr=attribute) if attribute in _SAME and len(args) <= 1:
                return self.term(value, depth)
            case ast.Attribute(value=ast.Name(id=("self" | "activations" | "utils")), attr=name) if bare:
                if function := self.scope.function(name):
                    return self._function(function, node, depth)
        raise self.error(f"this call is not read; {_ALLOWED_CALLS}", node.func)

    def _over_examples(self, node: ast.GeneratorExp | ast.ListComp, depth: int) -> Term:
        """The sum of f(i) for i in range(N)."""
        match node.generators:
            case [
                ast.comprehension(target=ast.Name(id=name), iter=ast.Call(ast.Name(id="range"), [count]), ifs=[])
            ] if not self.scope.loops and self._integer(count) == self.scope.examples:
                self.scope.loops.add(name)
                body = self.term(node.elt, depth)
                self.scope.loops.discard(name)
                return Term("examples", (body,), None, self.span(node))
        raise self.error("a sum is read where it goes over the examples, as in sum(… for i in range(N))", node)

    def _function(self, function: str, node: ast.Call, depth: int) -> Term:
        return self.scope.call(function, self.terms(node.args, depth), self.source, self.span(node))

    def _softmax_along(self, function: str, node: ast.Call, depth: int) -> Term | None:
        """softmax(X, axis=1) of an expression of matrices, where it goes along an axis; None for anything else."""
        if function != "softmax" or self.scope.function("kron") is None:
            return None
        given = [*node.args[1:], *(k.value for k in node.keywords if k.arg in ("axis", "dim"))]
        if len(given) != 1 or len(node.args) + len(node.keywords) != 2:
            return None
        axis = self._integer(given[0])
        if axis not in (0, 1, -1, -2):
            raise self.error("a matrix has the axes 0 and 1", given[0])
        along = "columns" if axis in (0, -2) else "rows"
        return call(f"softmax_{along}", (self.term(node.args[0], depth),), self.span(node))

    def _of_numpy(self, name: str, node: ast.Call, depth: int) -> Term | None:
        """A call of a function of NumPy, or None where it is not one of those that are read."""
        span, args = self.span(node), node.args
        match name, args:
            case _, [_, _] if name in _PRODUCTS:
                return Term(_PRODUCTS[name], self.terms(args, depth), None, span)
            case "power", [of, exponent]:
                return Term("power", self.terms((of,), depth), self._exponent(exponent, depth), span)
            case "negative", [_]:
                return Term("negative", self.terms(args, depth), None, span)
            case "reciprocal", [_]:
                return Term("divide", (self.scope.number(1.0, self.source, span), *self.terms(args, depth)), None, span)
            case (("greater" | "less" | "greater_equal" | "less_equal"), [left, right]):
                sign = {"greater": ">", "less": "<", "greater_equal": ">=", "less_equal": "<="}[name]
                return mask_of(sign, left, right, lambda of: self.term(of, depth), _is_zero, span)
            case (("max" | "amax"), [of, *_]) if [k.arg for k in node.keywords] == ["axis", "keepdims"]:
                over = node.keywords[0].value
                along = "columns" if isinstance(over, ast.Constant) and over.value == 0 else "rows"
                return call(f"max_{along}", self.terms((of,), depth), span)
            case "heaviside", [of, _]:
                return call("relu_prime", self.terms((of,), depth), span)
            case "where", [mask, then, other]:
                return _chosen(*(self.term(part, depth) for part in (mask, then, other)), span=span)
            case "einsum", [ast.Constant(value=str(spec)), *of] if _SUBSCRIPTS.fullmatch(spec) and len(of) in (1, 2, 3):
                return Term("einsum", self.terms(of, depth), spec, span)
            case _, [_] if name in _CASTS:
                return self.term(args[0], depth)
            case (("array" | "asarray"), [_, _]):
                return self.term(args[0], depth)
            case (("zeros" | "zeros_like"), [_, *_]):
                return self.scope.number(0.0, self.source, span)
            case (("append" | "insert" | "concatenate" | "hstack" | "r_"), [*_]) if (
                edge := self._vector_with_one(name, args, depth, span)
            ) is not None:
                return edge
            case _, [_] if self.scope.function(name):
                return self._function(str(self.scope.function(name)), node, depth)
            case (("softmax" | "relu" | "expit" | "sigmoid"), [_, *_]):
                return self._function(
                    str(self.scope.function(name)), ast.copy_location(ast.Call(node.func, args[:1], []), node), depth
                )
            case "ones", [_]:
                return self.scope.ones(self._dims(args), self.source, span)
            case "transpose", [_]:
                return Term("transpose", self.terms(args, depth), None, span)
            case _, [_, _] | [_, _, _] if self.scope.function("kron") and name in ("maximum", "minimum", "clip"):
                return self._function(name, node, depth)
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

    def _vector_with_one(self, name: str, args: list[ast.expr], depth: int, span: Span) -> Term | None:
        """np.append(1, x), np.insert(x, 0, 1) and np.concatenate(([1], x)): a vector with its entry of ones."""
        match name, args:
            case "append", [first, second]:
                pair = (first, second)
            case "insert", [of, ast.Constant(value=0), one]:
                pair = (one, of)
            case (("concatenate" | "hstack"), [ast.List(elts=[first, second]) | ast.Tuple(elts=[first, second])]):
                pair = (first, second)
            case _:
                return None
        for one, of, leads in ((*pair, True), (*pair[::-1], False)):
            plain = one.elts[0] if isinstance(one, ast.List) and len(one.elts) == 1 else one
            if isinstance(plain, ast.Constant) and plain.value == 1:
                return Term("with_ones", (self.term(of, depth),), (0, leads), span)
        return None

    def _total(self, name: str, of: ast.expr, positional: list[ast.expr], node: ast.Call, depth: int) -> Term:
        """A sum or a mean, with its axis and whether that is kept; axis=None is the whole."""
        term = self.term(of, depth)
        axis, keep = None, False
        in_torch = {"dim": "axis", "keepdim": "keepdims"}
        given: dict[str | None, ast.expr] = {in_torch.get(k.arg or "", k.arg): k.value for k in node.keywords}
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
        if len(positional) > 1:
            raise self.error("a sum takes axis=0 or axis=1, and keepdims=True", node)
        return Term(_TOTALS[name], (term,), (axis, keep), self.span(node))

    def _dims(self, nodes: list[ast.expr], *, open_: bool = False) -> tuple[int, ...]:
        """Sizes; one of them may be -1 where it follows from the others."""
        if len(nodes) == 1 and isinstance(nodes[0], ast.Tuple):
            nodes = nodes[0].elts
        dims = tuple(self._integer(node) for node in nodes)
        if not 0 < len(dims) <= 2 or min(dims) < -open_ or dims.count(-1) > 1:
            raise self.error("a shape has one or two sizes", nodes[0] if nodes else ast.Constant(None))
        return dims


_COMPARED = {ast.Gt: ">", ast.Lt: "<", ast.GtE: ">=", ast.LtE: "<="}
_SUBSCRIPTS = re.compile(r"[a-zA-Z, ]+(?:->[a-zA-Z ]*)?")


def _chosen(mask: Term, then: Term, other: Term, *, span: Span) -> Term:
    """mask∘then + (1 − mask)∘other."""
    found = []
    for of, where in ((then, mask), (other, Term("minus", (number(1.0), mask), None, mask.span))):
        value = getattr(of.detail, "value", None)
        if value != 0:
            found.append(where if value == 1 else Term("star", (of, where), None, span))
    if not found:
        return number(0.0, span)
    return found[0] if len(found) == 1 else Term("plus", tuple(found), None, span)


def _is_zero(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value == 0 and node.value is not False


def _is_new(node: ast.expr) -> bool:
    """Whether it is None or np.newaxis."""
    match node:
        case ast.Constant(value=None) | ast.Attribute(value=ast.Name(), attr="newaxis"):
            return True
    return False


def _is_ones(node: ast.expr) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=module), attr="ones")):
            return module in _MODULES
    return False
