"""Single edits of a line: what a slip of each kind would have been before it slipped, in the program's own names."""

from __future__ import annotations

import ast
import copy
import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, eq=False)
class Edit:
    """A line with one thing changed.

    Attributes
    ----------
    cause : str
        The slip's name.
    words : str
        What slipped, in a clause.
    old, new : ast.AST
        The part of the tree, and what is put in its place.
    parent : ast.AST
    field : str
    place : int or None
        Where it stands in a list of the parent.
    natural : bool
        Whether one thing of the line is exchanged for another, and nothing is put around it.
    """

    cause: str
    words: str
    old: Any
    new: Any
    parent: Any
    field: str
    place: int | None = None
    natural: bool = True

    def put(self, node: Any) -> None:
        """Put a node where the part stands."""
        if self.place is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.place] = node


@dataclass(frozen=True, eq=False)
class Around:
    """What a line may use.

    Attributes
    ----------
    arrays : mapping of str to tuple of int
        Shapes of the arrays by how they are written.
    counts : mapping of str to int
        Whole numbers.
    result : tuple of int
        The shape that the line gives.
    functions : mapping of str to int
        The file's functions that may be derivatives, such as ``sigmoid_prime``, and how many arguments they take.
    strengths, factors : tuple of str
        Of the regulariser; and other numbers that may be factors.
    others : tuple of str
        What is neither an array nor a number, such as a cache.
    examples : int
    text : callable
        From an expression to how the program writes it.
    """

    arrays: Mapping[str, tuple[int, ...]]
    counts: Mapping[str, int]
    result: tuple[int, ...]
    functions: Mapping[str, int]
    strengths: tuple[str, ...]
    examples: int
    factors: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    text: Callable[[ast.expr], str] = field(default=ast.unparse)


Part = tuple[Any, str, "int | None", Any]


def roots_of(statement: ast.stmt) -> list[Part]:
    """Return the expressions of a statement that may have slipped: the value, where it is stored, a test, a range."""
    if isinstance(statement, (ast.If, ast.While)):
        return [(statement, "test", None, statement.test)]
    if isinstance(statement, ast.For):
        return [(statement, "iter", None, statement.iter)]
    value = getattr(statement, "value", None)
    found: list[Part] = [] if value is None else [(statement, "value", None, value)]
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    found += [(target, "slice", None, target.slice) for target in targets if isinstance(target, ast.Subscript)]
    return found


def edits_of(statement: ast.stmt, around: Around) -> Iterator[Edit]:
    """Yield single edits of a statement, the likeliest slips first."""
    roots = roots_of(statement)
    parts = [part for root in roots for part in _parts(root)]
    yield from _axes(parts, around)
    yield from _operators(parts)
    if roots and roots[0][1] == "value":
        yield from _whole_line(statement, roots[0], around)
    yield from _dropped(parts, around)
    if isinstance(statement, (ast.If, ast.For)):
        yield from _constants(parts)
    yield from _names(parts, around)
    yield from _constants(parts)
    yield from _exchanged(parts)
    yield from _transposed(parts, around)
    yield from _shifted(parts, around)
    yield from _slopes_within(parts, around)
    yield from _factors_within(parts, around)
    yield from _for_an_array(parts, around)


def _parts(root: Part) -> Iterator[Part]:
    """Every expression within one, outermost first: its parent, field, place, and itself."""
    left: list[Part] = [root]
    while left:
        part = left.pop(0)
        node = part[3]
        if not isinstance(node, (ast.expr, ast.keyword)):
            continue
        yield part
        for inner, value in ast.iter_fields(node):
            if isinstance(value, list):
                left += [(node, inner, i, item) for i, item in enumerate(value)]
            elif isinstance(value, (ast.expr, ast.keyword)):
                left.append((node, inner, None, value))


def _edit(cause: str, words: str, part: Part, new: Any, *, natural: bool = True) -> Edit:
    parent, name, place, node = part
    for inner in ast.walk(new):
        if not hasattr(inner, "lineno") and isinstance(inner, (ast.expr, ast.keyword)):
            ast.copy_location(inner, node)
    return Edit(cause, words, node, new, parent, name, place, natural)


_LAMBDA = re.compile(r"\blambda\b")


def _expression(text: str) -> ast.expr:
    """A text as a tree; in Octave's programs lambda is a name like any other."""
    made = ast.parse(_LAMBDA.sub("_lambda", text), mode="eval").body
    for node in ast.walk(made):
        if isinstance(node, ast.Name) and node.id == "_lambda":
            node.id = "lambda"
    return made


def _made(text: str, **parts: ast.expr) -> ast.expr:
    """An expression in which names such as ``_0`` stand for parts."""

    class Put(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> Any:
            return parts.get(node.id, node)

    made: ast.expr = Put().visit(_expression(text))
    return made


def name_of(node: ast.AST) -> str:
    """Return the last name of what is called, without Octave's mark: ``sum`` of ``np.sum(x)`` and of ``x.sum()``."""
    function = node.func if isinstance(node, ast.Call) else node
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id.removeprefix("octave ") if isinstance(function, ast.Name) else ""


def _is_octave(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id.startswith("octave ")


def _octave(name: str, *args: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(f"octave {name}", ast.Load()), list(args), [])


_KINDS = {
    "multiply": "product", "dot": "matrix product", "matmul": "matrix product", "divide": "quotient", "add": "sum",
    "subtract": "difference", "product": "matrix product", "right divide": "quotient", "times": "product",
    "outer": "outer product", "rdivide": "quotient", "plus": "sum", "minus": "difference",
}  # fmt: skip
_SIGNS: dict[type, str] = {
    ast.Mult: "product", ast.MatMult: "matrix product", ast.Div: "quotient", ast.Add: "sum", ast.Sub: "difference",
    ast.Pow: "power",
}  # fmt: skip


def operands(node: ast.AST) -> tuple[str, ast.expr, ast.expr] | None:
    """Return what an operation on two sides is, however it is written, and its sides; None for anything else.

    Examples
    --------
    >>> import ast
    >>> [operands(ast.parse(t, mode="eval").body)[0] for t in ("a * b", "np.multiply(a, b)", "a.dot(b)")]
    ['product', 'product', 'matrix product']
    """
    if isinstance(node, ast.BinOp) and type(node.op) in _SIGNS:
        return _SIGNS[type(node.op)], node.left, node.right
    if not isinstance(node, ast.Call) or node.keywords:
        return None
    name = name_of(node)
    if name == "bsxfun" and len(node.args) == 3 and name_of(node.args[0]) in _KINDS:
        return _KINDS[name_of(node.args[0])], node.args[1], node.args[2]
    if name not in _KINDS:
        return None
    if len(node.args) == 2:
        return _KINDS[name], node.args[0], node.args[1]
    if len(node.args) == 1 and name == "dot" and isinstance(node.func, ast.Attribute):
        return _KINDS[name], node.func.value, node.args[0]
    return None


# --- a whole line ------------------------------------------------------------------------------------


def _whole_line(statement: ast.stmt, root: Part, around: Around) -> Iterator[Edit]:
    whole = root[3]
    values = [root]
    if isinstance(whole, ast.Tuple):
        values = [(whole, "elts", i, item) for i, item in enumerate(whole.elts)]
    if name_of(whole) == "store" and _is_octave(whole):
        values = [(whole, "args", 1, whole.args[1])]
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        again = copy.deepcopy(statement.targets[0])
        for node in ast.walk(again):
            if hasattr(node, "ctx"):
                node.ctx = ast.Load()
        words = "it is overwritten where it is to be added up"
        if len(values) == 1 and values[0] is not root:
            before = _octave("index", again, *copy.deepcopy(whole.args[2:]))
            yield _edit("not-accumulated", words, values[0], _made("_1 + _0", _0=values[0][3], _1=before), natural=True)
        elif isinstance(again, (ast.Name, ast.Subscript, ast.Attribute)):
            yield _edit("not-accumulated", words, root, _made("_1 + _0", _0=whole, _1=again), natural=True)
    for one in values:
        yield from _of_a_value(one, around)
    if isinstance(statement, ast.AugAssign) and isinstance(statement.op, (ast.Add, ast.Sub)):
        other = ast.Sub() if isinstance(statement.op, ast.Add) else ast.Add()
        yield Edit("sign", "it is added where it is to be subtracted", statement.op, other, statement, "op")


def _of_a_value(one: Part, around: Around) -> Iterator[Edit]:
    node = one[3]
    inner = node.operand if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) else None
    yield _edit("sign", "the sign is wrong", one, inner or _made("-_0", _0=node), natural=inner is not None)
    for name, count in around.counts.items():
        if count == around.examples:
            yield _edit("scale-n", f"1/{name} is missing", one, _made(f"_0 / {name}", _0=node))
            words = f"it is divided by {name} once too often"
            yield _edit("scale-n", words, one, _made(f"_0 * {name}", _0=node), natural=False)
            break
    yield _edit("scale-half", "a factor of 2 is missing", one, _made("2 * _0", _0=node))
    yield _edit("scale-half", "a factor of 1/2 is missing", one, _made("_0 / 2", _0=node))
    for text, cause, words in _slopes(around):
        yield _edit(cause, f"the derivative {words} is missing", one, _made(f"_0 * {text}", _0=node), natural=False)
    for function, arguments in around.functions.items():
        called = [f"{function}(_0)"] if arguments == 1 else []
        if arguments == 2:
            called = [f"{function}(_0, {x})" for x in (*around.others, *_of_shape(around, around.result))]
        for text in called:
            words = f"the derivative {text.replace('_0', '…')} is missing"
            yield _edit("derivative-missing", words, one, _made(text, _0=node), natural=False)
    for strength in around.strengths:
        for name in _of_shape(around, around.result):
            if not name.startswith("d"):
                for scale in ("", *(f" / {n}" for n, c in around.counts.items() if c == around.examples), " * 2"):
                    yield _edit(
                        "regulariser-missing-in-gradient",
                        "the regulariser is missing",
                        one,
                        _made(f"_0 + {strength}{scale} * {name}", _0=node),
                        natural=False,
                    )
    for name, count in around.counts.items():
        if count != around.examples and count > 1:
            cause = "scale-n" if _OF_EXAMPLES.match(name) else "scale-classes"
            yield _edit(cause, f"it is divided by {name}", one, _made(f"_0 * {name}", _0=node), natural=False)
            yield _edit(cause, f"1/{name} is missing", one, _made(f"_0 / {name}", _0=node), natural=False)
    for name, shape in around.arrays.items():
        if shape and shape != around.result and _spreads(shape, around.result):
            words = f"the factor {name} is missing"
            yield _edit("factor-missing", words, one, _made(f"_0 * {name}", _0=node), natural=False)
    if around.result:
        for name in _of_shape(around, around.result):
            for sign in "+-":
                words = f"the term {sign} {name} is missing"
                yield _edit("term-missing", words, one, _made(f"_0 {sign} {name}", _0=node), natural=False)


_OF_EXAMPLES = re.compile(r"(m|N|m_\w+|n_?(samples|examples|train)\w*|num_?(samples|examples|train)\w*|\w*batch\w*)$")
"""Counts of examples: a batch may hold fewer than there are."""


def _spreads(shape: tuple[int, ...], result: tuple[int, ...]) -> bool:
    """Whether an array is repeated along an axis to have the result's shape, as gamma of a normalised layer is."""
    pairs = zip(reversed(shape), reversed(result), strict=False)
    return len(shape) <= len(result) and all(one in (1, other) for one, other in pairs)


def _of_shape(around: Around, shape: tuple[int, ...]) -> list[str]:
    return [name for name, own in around.arrays.items() if own == shape]


def _slopes(around: Around, *, every: bool = False) -> Iterator[tuple[str, str, str]]:
    """Derivatives of activations on the arrays of the result's shape, or on all: each with its slip and in words."""
    for name, shape in around.arrays.items():
        if shape != around.result and not (every and shape):
            continue
        yield f"({name} * (1 - {name}))", "derivative-missing", f"{name} * (1 - {name})"
        yield f"(1 - {name} ** 2)", "derivative-missing", f"1 - {name} ** 2"
        yield f"({name} > 0)", "mask-missing", f"{name} > 0"
        for function, arguments in around.functions.items():
            if arguments == 1:
                yield f"{function}({name})", "derivative-missing", f"{function}({name})"
        if re.search(r"(?i)mask", name):
            yield name, "mask-missing", name


# --- parts of a line ---------------------------------------------------------------------------------


def _axes(parts: Sequence[Part], around: Around) -> Iterator[Edit]:
    for part in parts:
        node = part[3]
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and type(node.slice.value) is int:
            if not isinstance(node.ctx, ast.Store):
                words = "it is taken of one example, where it is to be summed over all"
                for text in ("_0.sum(axis=0)", "_0.sum(axis=1)"):
                    yield _edit("bias-one-example", words, part, _made(text, _0=node.value))
            continue
        name = name_of(node) if isinstance(node, ast.Call) else ""
        if name not in ("sum", "mean", "nansum", "average"):
            continue
        yield from _axes_of_octave(part) if _is_octave(node) else _axes_of_numpy(part)
        other = {"sum": "mean", "mean": "sum"}.get(name)
        if other:
            new = copy.deepcopy(node)
            if isinstance(new.func, ast.Attribute):
                new.func.attr = other
            else:
                new.func.id = new.func.id.replace(name, other)
            averaged = name == "mean"
            words = "it is averaged where it is to be summed" if averaged else "it is summed where it is to be averaged"
            yield _edit("bias-averaged" if averaged else "scale-n", words, part, new)


_ALL = "it is summed over all entries, not over the examples alone"
_WRONG_AXIS = "it is summed along the wrong axis"


def _axes_of_octave(part: Part) -> Iterator[Edit]:
    node = part[3]
    of = node.args[0]
    everything = name_of(of) == "index" and len(of.args) == 2 and getattr(of.args[1], "value", None) == ":"
    nested = name_of(of) in ("sum", "mean") and _is_octave(of)
    for axis in (1, 2):
        new = copy.deepcopy(node)
        if everything or nested:
            new.args = [copy.deepcopy(of.args[0])]
        new.args = [new.args[0], ast.Constant(float(axis))]
        if ast.dump(new) != ast.dump(node):
            yield _edit("bias-summed-over-all" if everything or nested else "wrong-axis",
                        _ALL if everything or nested else _WRONG_AXIS, part, new)  # fmt: skip


def _axes_of_numpy(part: Part) -> Iterator[Edit]:
    node = part[3]
    axis = next((k for k in node.keywords if k.arg == "axis"), None)
    method = isinstance(node.func, ast.Attribute) and not (
        isinstance(node.func.value, ast.Name) and node.func.value.id in ("np", "numpy")
    )
    plain = node.args if method else node.args[1:]
    if axis is None and not plain:
        for text in ("axis=0", "axis=1", "axis=0, keepdims=True", "axis=1, keepdims=True"):
            new = copy.deepcopy(node)
            new.keywords = _expression(f"f({text})").keywords  # type: ignore[attr-defined]
            yield _edit("bias-summed-over-all", _ALL, part, new)
        return
    for value in (0, 1):
        new = copy.deepcopy(node)
        held = next((k for k in new.keywords if k.arg == "axis"), None)
        if held is not None:
            held.value = ast.Constant(value)
        else:
            new.args[-1] = ast.Constant(value)
        if ast.dump(new) != ast.dump(node):
            yield _edit("wrong-axis", _WRONG_AXIS, part, new)
        kept = copy.deepcopy(new)
        kept.keywords = [k for k in kept.keywords if k.arg != "keepdims"]
        if len(kept.keywords) == len(new.keywords):
            kept.keywords.append(ast.keyword("keepdims", ast.Constant(True)))
        yield _edit("wrong-axis", _WRONG_AXIS if ast.dump(new) != ast.dump(node) else "its shape is wrong", part, kept)


_OTHER: dict[type, tuple[type, ...]] = {
    ast.Add: (ast.Sub,), ast.Sub: (ast.Add,), ast.Mult: (ast.Div,), ast.Div: (ast.Mult,),
    ast.Gt: (ast.Lt, ast.LtE), ast.Lt: (ast.Gt, ast.GtE), ast.GtE: (ast.Lt,), ast.LtE: (ast.Gt,), ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
}  # fmt: skip


def _operators(parts: Sequence[Part]) -> Iterator[Edit]:
    for part in parts:
        node = part[3]
        if isinstance(node, ast.BinOp):
            if isinstance(node.op, (ast.Sub, ast.Div)):
                # b - a is -(a - b)
                name = "sign" if isinstance(node.op, ast.Sub) else "wrong-order"
                yield _edit(name, "the two sides are exchanged", part, ast.BinOp(node.right, node.op, node.left))
            for other in _OTHER.get(type(node.op), ()):
                cause = "sign" if isinstance(node.op, (ast.Add, ast.Sub)) else "factor"
                words = (
                    "a sign is wrong" if cause == "sign" else "it multiplies where it is to divide, or the other way"
                )
                yield _edit(cause, words, part, ast.BinOp(node.left, other(), node.right))
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            yield _edit("sign", "a sign is wrong", part, node.operand)
        elif isinstance(node, ast.Compare) and len(node.ops) == 1:
            for other in _OTHER.get(type(node.ops[0]), ()):
                words = "the mask is the opposite"
                yield _edit("mask-wrong", words, part, ast.Compare(node.left, [other()], node.comparators))
        elif isinstance(node, ast.Call) and operands(node) is not None:
            kind, left, right = operands(node) or ("", node, node)
            if kind == "quotient":
                yield _edit("wrong-order", "the two sides are exchanged", part, _made("_1 / _0", _0=left, _1=right))
                yield _edit("factor", "it divides where it is to multiply", part, _made("_0 * _1", _0=left, _1=right))
            elif kind == "difference":
                yield _edit("sign", "the two sides are exchanged", part, _made("_1 - _0", _0=left, _1=right))
                yield _edit("sign", "a sign is wrong", part, _made("_0 + _1", _0=left, _1=right))
            elif kind == "sum":
                yield _edit("sign", "a sign is wrong", part, _made("_0 - _1", _0=left, _1=right))


def _dropped(parts: Sequence[Part], around: Around) -> Iterator[Edit]:
    for part in parts:
        node = part[3]
        found = operands(node)
        if found is not None and (found[0] not in ("matrix product", "outer product") or _is_octave(node)):
            kind, left, right = found
            kind = "product" if kind == "matrix product" else kind
            named = "its second part" if kind in ("sum", "difference") else "a factor"
            words = f"{named}, {around.text(right)}, does not belong there"
            cause = "off-by-one" if _is_index(part) else _superfluous(kind, right)
            yield _edit(cause, words, part, left)
            if kind in ("product", "sum"):
                named = "its first part" if kind == "sum" else named
                words = f"{named}, {around.text(left)}, does not belong there"
                yield _edit(_superfluous(kind, left), words, part, right)
        elif (
            isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords and isinstance(node.func, ast.Name)
            and not _is_octave(node)
        ):  # fmt: skip
            yield _edit("function-superfluous", f"{node.func.id} does not belong there", part, node.args[0])
        elif (
            isinstance(node, ast.Call) and len(node.args) == 2 and not node.keywords
            and name_of(node) in around.functions
        ):  # fmt: skip
            words = f"{name_of(node)} does not belong there"
            yield _edit("derivative-superfluous", words, part, node.args[0])
            yield _edit("derivative-superfluous", words, part, node.args[1])
    for part in parts:
        for pair, rest in _pairs_of_factors(part):
            words = f"a factor, {around.text(pair)}, does not belong there"
            yield _edit("derivative-superfluous", words, part, rest)


def _is_index(part: Part) -> bool:
    """Whether an expression stands in an index."""
    parent, name, place, _ = part
    return (isinstance(parent, ast.Subscript) and name == "slice") or (
        name_of(parent) == "index" and _is_octave(parent) and bool(place)
    )


def _factors(node: ast.expr) -> list[ast.expr]:
    """The factors of a product entry by entry."""
    found = operands(node)
    # numbers are multiplied by Octave's matrix product too
    if found is None or (found[0] != "product" and not (found[0] == "matrix product" and _is_octave(node))):
        return [node]
    return _factors(found[1]) + _factors(found[2])


def _product(factors: Sequence[ast.expr]) -> ast.expr:
    made = factors[0]
    for factor in factors[1:]:
        made = ast.BinOp(made, ast.Mult(), factor)
    return made


def _pairs_of_factors(part: Part) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Two of three or more factors, and the product of the others: ``a * (1 - a)`` in ``d * a * (1 - a)``."""
    node = part[3]
    factors = _factors(node) if isinstance(node, ast.expr) else []
    parent = operands(part[0])
    if not 3 <= len(factors) <= 6 or (parent is not None and parent[0] == "product"):
        return
    for i, j in itertools.combinations(range(len(factors)), 2):
        rest = [f for k, f in enumerate(factors) if k not in (i, j)]
        yield _product([factors[i], factors[j]]), _product(rest)


def _superfluous(kind: str, dropped: ast.expr) -> str:
    if kind in ("sum", "difference"):
        return "term-superfluous"
    if kind == "quotient":
        return "scale-n"
    if isinstance(dropped, ast.Constant):
        return "scale-half"
    held = any(isinstance(p, (ast.BinOp, ast.Call, ast.Compare)) for p in ast.walk(dropped))
    return "derivative-superfluous" if held else "factor-superfluous"


def _names(parts: Sequence[Part], around: Around) -> Iterator[Edit]:
    texts = {text: _expression(text) for text in (*around.arrays, *around.others)}
    dumps = {text: ast.dump(node) for text, node in texts.items()}
    for part in parts:
        node = part[3]
        if isinstance(node, ast.Call):
            own = name_of(node)
            for function in around.functions:
                if own in around.functions and function != own:
                    new = ast.Call(_expression(function), node.args, node.keywords)
                    words = f"{own} stands where {function} belongs"
                    yield _edit("wrong-activation-derivative", words, part, new)
        if not isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)) or isinstance(
            getattr(node, "ctx", None), ast.Store
        ):
            continue
        if isinstance(part[0], ast.Call) and part[1] == "func":
            continue
        text = ast.unparse(node) if not _is_octave(node) else around.text(node)
        if text in around.arrays:
            shape = around.arrays[text]
            for alike in (True, False):
                for other, held in around.arrays.items():
                    fits = held == shape if alike else held != shape and len(held) == len(shape)
                    if fits and dumps[other] != ast.dump(node):
                        words = f"{text} stands where {other} belongs"
                        yield _edit("wrong-array", words, part, copy.deepcopy(texts[other]))
        elif text in around.others:
            for other in around.others:
                if other != text:
                    words = f"{text} stands where {other} belongs"
                    yield _edit("wrong-array", words, part, copy.deepcopy(texts[other]))
        elif text in around.counts or (isinstance(node, ast.Subscript) and ".shape[" in text):
            for other, count in around.counts.items():
                if other != text and count != around.counts.get(text):
                    yield _edit("wrong-count", f"{text} stands where {other} belongs", part, _expression(other))
    for part in parts:
        if isinstance(part[3], ast.Call) and name_of(part[3]) in ("len", "numel", "size", "length"):
            text = around.text(part[3])
            for other in around.counts:
                yield _edit("wrong-count", f"{text} stands where {other} belongs", part, _expression(other))


def _for_an_array(parts: Sequence[Part], around: Around) -> Iterator[Edit]:
    """An array in the place of an expression."""
    for part in parts:
        node = part[3]
        if isinstance(node, (ast.BinOp, ast.Call)) and part[1] != "func" and not isinstance(part[0], ast.stmt):
            for name, shape in around.arrays.items():
                if shape:
                    words = f"{around.text(node)} stands where {name} belongs"
                    yield _edit("wrong-array", words, part, _expression(name))


def _constants(parts: Sequence[Part]) -> Iterator[Edit]:
    for part in parts:
        node = part[3]
        if not isinstance(node, ast.Constant):
            continue
        if type(node.value) in (int, float):
            value: Any = node.value
            if isinstance(part[0], ast.keyword) and part[0].arg in ("axis", "keepdims"):
                continue
            whole = type(value) is int or float(value).is_integer()
            scaled: dict[Any, str] = {2 * value: "scale-half", value / 2: "scale-half"} if value else {}
            shifted: dict[Any, str] = {value + 1: "off-by-one", value - 1: "off-by-one"} if whole else {}
            inverse: dict[Any, str] = {-value: "sign"} if value else {}
            for new, cause in {**scaled, **shifted, **inverse}.items():
                shown = int(new) if new == int(new) and type(value) is int else new
                cause = "mask-wrong" if isinstance(part[0], ast.Compare) else cause
                cause = "wrong-count" if _of_sizes(part[0]) else cause
                yield _edit(cause, f"{value:g} stands where {shown:g} belongs", part, ast.Constant(shown))
        elif isinstance(node.value, str) and node.value in ("relu", "sigmoid", "tanh"):
            for other in ("relu", "sigmoid", "tanh"):
                if other != node.value:
                    words = f"{node.value!r} stands where {other!r} belongs"
                    yield _edit("wrong-activation-derivative", words, part, ast.Constant(other))


def _of_sizes(node: ast.AST) -> bool:
    """Whether it asks for one of an array's sizes: ``X.shape[0]``, ``size(X, 1)``."""
    if isinstance(node, ast.Subscript):
        return isinstance(node.value, ast.Attribute) and node.value.attr == "shape"
    return isinstance(node, ast.Call) and name_of(node) == "size"


def _exchanged(parts: Sequence[Part]) -> Iterator[Edit]:
    """Two neighbours of a list or among the arguments, the one in the other's place."""
    for part in parts:
        node = part[3]
        name = "elts" if isinstance(node, (ast.Tuple, ast.List)) else "args" if isinstance(node, ast.Call) else ""
        items = getattr(node, name, [])
        for i in range(len(items) - 1):
            turned = copy.copy(node)
            swapped = [*items[:i], items[i + 1], items[i], *items[i + 2 :]]
            setattr(turned, name, swapped)
            joined = name == "elts" or name_of(node) in ("vertcat", "horzcat")
            words = "two parts are exchanged" if joined else "two arguments are exchanged"
            yield _edit("blocks-exchanged" if joined else "wrong-order", words, part, turned)
        new: ast.expr | None = None
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
            new = _made("_1 @ _0", _0=node.left, _1=node.right)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and name_of(node) == "dot":
            new = _made("_0.dot(_1)", _0=items[0], _1=node.func.value) if len(items) == 1 else None
        if new is not None:
            yield _edit("wrong-order", "the two factors are exchanged", part, new)


_TURNED = ("matrix product", "outer product")


def _kind_of(node: ast.AST) -> str:
    """What an operation on two sides is; empty for anything else."""
    found = operands(node)
    return "" if found is None else found[0]


def _transposed(parts: Sequence[Part], around: Around) -> Iterator[Edit]:
    for part in parts:
        node = part[3]
        if isinstance(getattr(node, "ctx", None), ast.Store) or (part[1] == "func"):
            continue
        inner = node.value if isinstance(node, ast.Attribute) and node.attr == "T" else None
        if name_of(node) == "transpose" and isinstance(node, ast.Call) and len(node.args) == 1:
            inner = node.args[0]
        if inner is not None:
            words = f"{around.text(inner)} is transposed where it is not to be"
            yield _edit("transposed", words, part, inner)
        elif isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)) or _kind_of(node) in _TURNED:
            words = f"{around.text(node)} is to be transposed"
            yield _edit("transposed", words, part, ast.Attribute(node, "T", ast.Load()))


def _shifted(parts: Sequence[Part], around: Around) -> Iterator[Edit]:
    """An index or the end of a range that is off by one; a part that is taken where the whole is meant."""
    for part in parts:
        node = part[3]
        indices: list[Part] = []
        if isinstance(node, ast.Subscript):
            if isinstance(node.ctx, ast.Load) and isinstance(node.slice, (ast.Tuple, ast.Slice)):
                yield _edit(
                    "wrong-array", f"a part of {around.text(node.value)} is taken, not the whole", part, node.value
                )
            indices = [(node, "slice", None, node.slice)]
            if isinstance(node.slice, ast.Tuple):
                indices = [(node.slice, "elts", i, item) for i, item in enumerate(node.slice.elts)]
        elif isinstance(node, ast.Call) and name_of(node) in ("range", "xrange"):
            indices = [(node, "args", i, item) for i, item in enumerate(node.args)]
        elif isinstance(node, ast.Call) and name_of(node) == "index":
            indices = [(node, "args", i, item) for i, item in enumerate(node.args) if i]
        for index in indices:
            inner = index[3]
            if isinstance(inner, (ast.Name, ast.BinOp)):
                for sign in "+-":
                    yield _edit(
                        "off-by-one", f"{around.text(inner)} is off by one", index, _made(f"_0 {sign} 1", _0=inner)
                    )


def _slopes_within(parts: Sequence[Part], around: Around) -> Iterator[Edit]:
    """A derivative in the place of a factor or of two, and around a part."""
    for part in parts:
        node = part[3]
        if not isinstance(node, ast.expr) or isinstance(node, ast.Constant) or part[1] == "func":
            continue
        parent = operands(part[0])
        inside = parent is not None and parent[0] in ("product", "quotient", "matrix product", "difference", "sum")
        factors = _factors(node)
        whole = len(factors) == 2 and (parent is None or parent[0] != "product")
        if inside or whole:
            for text, _, words in _slopes(around, every=True):
                told = f"{around.text(node)} stands where {words} belongs"
                if parent is not None and parent[0] == "product":
                    yield _edit("wrong-activation-derivative", told, part, _expression(text))
                elif inside and len(factors) == 1 and around.text(node) in around.arrays:
                    new = _made(f"_0 * {text}", _0=node)
                    yield _edit("derivative-missing", f"the derivative {words} is missing", part, new, natural=False)
    for part in parts:
        node = part[3]
        factors = _factors(node) if isinstance(node, ast.expr) else []
        parent = operands(part[0])
        if not 2 <= len(factors) <= 6 or (parent is not None and parent[0] == "product"):
            continue
        for i in range(len(factors) - 1):
            pair = _product(factors[i : i + 2])
            for text, _, words in _slopes(around, every=True):
                new = _product([*factors[:i], _expression(text), *factors[i + 2 :]])
                told = f"{around.text(pair)} stands where {words} belongs"
                yield _edit("wrong-activation-derivative", told, part, new)


def _factors_within(parts: Sequence[Part], around: Around) -> Iterator[Edit]:
    """A number by which a part is to be multiplied or divided."""
    for part in parts:
        node = part[3]
        if not isinstance(node, ast.expr) or part[1] == "func" or isinstance(getattr(node, "ctx", None), ast.Store):
            continue
        parent = operands(part[0])
        if parent is not None and parent[0] in ("sum", "difference"):
            text = around.text(node)
            yield _edit("scale-half", f"a factor of 2 is missing in {text}", part, _made("2 * _0", _0=node))
            yield _edit("scale-half", f"a factor of 1/2 is missing in {text}", part, _made("_0 / 2", _0=node))
            for name, count in around.counts.items():
                if count == around.examples:
                    yield _edit("scale-n", f"1/{name} is missing in {text}", part, _made(f"_0 / {name}", _0=node))
                    break
        if isinstance(node, ast.Constant):
            continue
        for factor in around.factors:
            words = f"the factor {factor} is missing"
            yield _edit("factor-missing", words, part, _made(f"{factor} * _0", _0=node), natural=False)
