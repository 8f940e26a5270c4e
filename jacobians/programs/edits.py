"""Single edits of a line: what a slip of each kind would have been before it slipped, in the program's own names."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
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
    """

    cause: str
    words: str
    old: Any
    new: Any
    parent: Any
    field: str
    place: int | None = None

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
    functions : tuple of str
        The file's functions of one array, such as ``sigmoid_prime``.
    strengths : tuple of str
        Of the regulariser.
    examples : int
    """

    arrays: Mapping[str, tuple[int, ...]]
    counts: Mapping[str, int]
    result: tuple[int, ...]
    functions: tuple[str, ...]
    strengths: tuple[str, ...]
    examples: int


def edits_of(statement: ast.stmt, around: Around) -> Iterator[Edit]:
    """Yield single edits of a statement, the commonest slips first."""
    if (
        not isinstance(statement, (ast.Assign, ast.AugAssign, ast.Return, ast.AnnAssign, ast.Expr))
        or statement.value is None
    ):
        return
    whole = statement.value
    parts = list(_parts(statement))
    yield from _axes(parts)
    yield from _operators(parts)
    yield from _whole_line(statement, whole, around)
    yield from _dropped(parts)
    yield from _names(parts, around)
    yield from _constants(parts)
    yield from _transposed(parts)
    yield from _wrapped_parts(parts, around)


Part = tuple[Any, str, "int | None", Any]


def _parts(statement: ast.stmt) -> Iterator[Part]:
    """Every expression of a statement's value, outermost first: its parent, field, place, and itself."""
    left: list[tuple[Any, str, int | None]] = [(statement, "value", None)]
    while left:
        parent, name, place = left.pop(0)
        node = getattr(parent, name) if place is None else getattr(parent, name)[place]
        if not isinstance(node, (ast.expr, ast.keyword)):
            continue
        yield parent, name, place, node
        for inner, value in ast.iter_fields(node):
            if isinstance(value, list):
                left += [(node, inner, i) for i, item in enumerate(value) if isinstance(item, (ast.expr, ast.keyword))]
            elif isinstance(value, (ast.expr, ast.keyword)):
                left.append((node, inner, None))


def _edit(cause: str, words: str, part: Part, new: Any) -> Edit:
    parent, name, place, node = part
    for inner in ast.walk(new):
        if not hasattr(inner, "lineno") and isinstance(inner, (ast.expr, ast.keyword)):
            ast.copy_location(inner, node)
    return Edit(cause, words, node, new, parent, name, place)


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


def _whole_line(statement: ast.stmt, whole: ast.expr, around: Around) -> Iterator[Edit]:
    part: Part = (statement, "value", None, whole)
    values = [part]
    if isinstance(whole, ast.Tuple):
        values = [(whole, "elts", i, item) for i, item in enumerate(whole.elts)]
    for one in values:
        node = one[3]
        inner = node.operand if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) else None
        yield _edit("sign", "the sign is wrong", one, inner or _made("-_0", _0=node))
        for name, count in around.counts.items():
            if count == around.examples:
                yield _edit("scale-n", f"1/{name} is missing", one, _made(f"_0 / {name}", _0=node))
                yield _edit("scale-n", f"it is divided by {name} once too often", one, _made(f"_0 * {name}", _0=node))
                break
        yield _edit("scale-half", "a factor of 2 is missing", one, _made("2 * _0", _0=node))
        yield _edit("scale-half", "a factor of 1/2 is missing", one, _made("_0 / 2", _0=node))
        for text, cause, words in _slopes(around):
            yield _edit(cause, f"the derivative {words} is missing", one, _made(f"_0 * {text}", _0=node))
        for strength in around.strengths:
            for name, shape in around.arrays.items():
                if shape == around.result and not name.startswith("d"):
                    for scale in ("", *(f" / {n}" for n, c in around.counts.items() if c == around.examples), " * 2"):
                        yield _edit(
                            "regulariser-missing-in-gradient",
                            "the regulariser is missing",
                            one,
                            _made(f"_0 + {strength}{scale} * {name}", _0=node),
                        )
        for name, count in around.counts.items():
            if count != around.examples and count > 1:
                yield _edit("scale-classes", f"it is divided by {name}", one, _made(f"_0 * {name}", _0=node))
                yield _edit("scale-classes", f"1/{name} is missing", one, _made(f"_0 / {name}", _0=node))
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        again = copy.deepcopy(statement.targets[0])
        for node in ast.walk(again):
            if hasattr(node, "ctx"):
                node.ctx = ast.Load()
        if isinstance(again, (ast.Name, ast.Subscript, ast.Attribute)):
            yield _edit(
                "not-accumulated",
                "it is overwritten where it is to be added up",
                part,
                _made("_1 + _0", _0=whole, _1=again),
            )


def _slopes(around: Around) -> Iterator[tuple[str, str, str]]:
    """Derivatives of activations on the arrays of the result's shape, each with its slip and in words."""
    for name, shape in around.arrays.items():
        if shape != around.result:
            continue
        yield f"({name} * (1 - {name}))", "derivative-missing", f"{name} * (1 - {name})"
        yield f"(1 - {name} ** 2)", "derivative-missing", f"1 - {name} ** 2"
        yield f"({name} > 0)", "mask-missing", f"{name} > 0"
        for function in around.functions:
            yield f"{function}({name})", "derivative-missing", f"{function}({name})"


def _axes(parts: Sequence[Part]) -> Iterator[Edit]:
    for part in parts:
        node = part[3]
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name not in ("sum", "mean", "nansum", "average"):
            continue
        axis = next((k for k in node.keywords if k.arg == "axis"), None)
        method = isinstance(node.func, ast.Attribute) and not (
            isinstance(node.func.value, ast.Name) and node.func.value.id in ("np", "numpy")
        )
        plain = node.args if method else node.args[1:]
        if axis is None and not plain:
            for text in ("axis=0", "axis=1", "axis=0, keepdims=True", "axis=1, keepdims=True"):
                new = copy.deepcopy(node)
                new.keywords += _expression(f"f({text})").keywords  # type: ignore[attr-defined]
                yield _edit(
                    "bias-summed-over-all", "it is summed over all entries, not over the examples alone", part, new
                )
        else:
            for value in (0, 1):
                new = copy.deepcopy(node)
                held = next((k for k in new.keywords if k.arg == "axis"), None)
                if held is not None:
                    held.value = ast.Constant(value)
                else:
                    new.args[-1] = ast.Constant(value)
                if ast.dump(new) != ast.dump(node):
                    yield _edit("wrong-axis", "it is summed along the wrong axis", part, new)
        new = copy.deepcopy(node)
        other = {"sum": "mean", "mean": "sum"}.get(name)
        if other:
            if isinstance(new.func, ast.Attribute):
                new.func.attr = other
            else:
                new.func.id = other  # type: ignore[attr-defined]
            words = (
                "it is averaged where it is to be summed"
                if name == "mean"
                else "it is summed where it is to be averaged"
            )
            yield _edit("bias-averaged" if name == "mean" else "scale-n", words, part, new)


_OTHER: dict[type, tuple[type, ...]] = {
    ast.Add: (ast.Sub,), ast.Sub: (ast.Add,), ast.Mult: (ast.Div,), ast.Div: (ast.Mult,),
    ast.Gt: (ast.Lt, ast.LtE), ast.Lt: (ast.Gt, ast.GtE), ast.GtE: (ast.Lt,), ast.LtE: (ast.Gt,), ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
}  # fmt: skip


def _operators(parts: Sequence[Part]) -> Iterator[Edit]:
    for part in parts:
        node = part[3]
        if isinstance(node, ast.BinOp):
            for other in _OTHER.get(type(node.op), ()):
                cause = "sign" if isinstance(node.op, (ast.Add, ast.Sub)) else "factor"
                words = (
                    "a sign is wrong" if cause == "sign" else "it multiplies where it is to divide, or the other way"
                )
                yield _edit(cause, words, part, ast.BinOp(node.left, other(), node.right))
            if isinstance(node.op, (ast.Sub, ast.Div)):
                yield _edit(
                    "wrong-order", "the two sides are exchanged", part, ast.BinOp(node.right, node.op, node.left)
                )
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            yield _edit("sign", "a sign is wrong", part, node.operand)
        elif isinstance(node, ast.Compare) and len(node.ops) == 1:
            for other in _OTHER.get(type(node.ops[0]), ()):
                yield _edit(
                    "mask-wrong", "the mask is the opposite", part, ast.Compare(node.left, [other()], node.comparators)
                )


def _dropped(parts: Sequence[Part]) -> Iterator[Edit]:
    for part in parts:
        node = part[3]
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.Div, ast.Add, ast.Sub, ast.Pow)):
            right = "its second part" if isinstance(node.op, (ast.Add, ast.Sub)) else "a factor"
            text = ast.unparse(node.right)
            yield _edit(_superfluous(node, node.right), f"{right}, {text}, does not belong there", part, node.left)
            if isinstance(node.op, (ast.Mult, ast.Add)):
                text = ast.unparse(node.left)
                yield _edit(_superfluous(node, node.left), f"{right}, {text}, does not belong there", part, node.right)
        elif isinstance(node, ast.Call) and len(node.args) == 2 and getattr(node.func, "attr", "") == "multiply":
            for one, other in ((0, 1), (1, 0)):
                text = ast.unparse(node.args[other])
                yield _edit("derivative-superfluous", f"a factor, {text}, does not belong there", part, node.args[one])
        elif (
            isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords and isinstance(node.func, ast.Name)
        ):
            yield _edit("function-superfluous", f"{node.func.id} does not belong there", part, node.args[0])


def _superfluous(node: ast.BinOp, dropped: ast.expr) -> str:
    if isinstance(node.op, (ast.Add, ast.Sub)):
        return "term-superfluous"
    if isinstance(node.op, ast.Div):
        return "scale-n"
    if isinstance(dropped, ast.Constant):
        return "scale-half"
    return (
        "derivative-superfluous"
        if any(isinstance(p, (ast.BinOp, ast.Call)) for p in ast.walk(dropped))
        else "factor-superfluous"
    )


def _names(parts: Sequence[Part], around: Around) -> Iterator[Edit]:
    texts = {text: _expression(text) for text in around.arrays}
    dumps = {text: ast.dump(node) for text, node in texts.items()}
    for part in parts:
        node = part[3]
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            for function in around.functions:
                if node.func.id in around.functions and function != node.func.id:
                    new = ast.Call(ast.Name(function, ast.Load()), node.args, node.keywords)
                    words = f"{node.func.id} stands where {function} belongs"
                    yield _edit("wrong-activation-derivative", words, part, new)
        if not isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)) or isinstance(
            getattr(node, "ctx", None), ast.Store
        ):
            continue
        text = ast.unparse(node)
        own = around.arrays.get(text)
        if own is not None:
            for other, shape in around.arrays.items():
                if shape == own and dumps[other] != ast.dump(node):
                    yield _edit(
                        "wrong-array", f"{text} stands where {other} belongs", part, copy.deepcopy(texts[other])
                    )
            for other, shape in around.arrays.items():
                if shape != own and len(shape) == len(own):
                    yield _edit(
                        "wrong-array", f"{text} stands where {other} belongs", part, copy.deepcopy(texts[other])
                    )
        elif text in around.counts or (isinstance(node, ast.Subscript) and ".shape[" in text):
            for other, count in around.counts.items():
                if other != text and count != around.counts.get(text):
                    yield _edit("wrong-count", f"{text} stands where {other} belongs", part, _expression(other))


def _constants(parts: Sequence[Part]) -> Iterator[Edit]:
    for part in parts:
        node = part[3]
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            value: Any = node.value
            if isinstance(part[0], ast.keyword) and part[0].arg in ("axis", "keepdims"):
                continue
            scaled: dict[Any, str] = {2 * value: "scale-half", value / 2: "scale-half"} if value else {}
            shifted: dict[Any, str] = {value + 1: "off-by-one", value - 1: "off-by-one"} if type(value) is int else {}
            for new, cause in {**scaled, **shifted}.items():
                shown = int(new) if new == int(new) and type(value) is int else new
                yield _edit(cause, f"{value} stands where {shown} belongs", part, ast.Constant(shown))
        elif (
            isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in ("relu", "sigmoid", "tanh")
        ):
            for other in ("relu", "sigmoid", "tanh"):
                if other != node.value:
                    words = f"{node.value!r} stands where {other!r} belongs"
                    yield _edit("wrong-activation-derivative", words, part, ast.Constant(other))


def _transposed(parts: Sequence[Part]) -> Iterator[Edit]:
    for part in parts:
        node = part[3]
        if isinstance(node, ast.Attribute) and node.attr == "T":
            yield _edit(
                "transposed", f"{ast.unparse(node.value)} is transposed where it is not to be", part, node.value
            )
        elif isinstance(node, ast.Name) or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult)):
            yield _edit(
                "transposed", f"{ast.unparse(node)} is to be transposed", part, ast.Attribute(node, "T", ast.Load())
            )


def _wrapped_parts(parts: Sequence[Part], around: Around) -> Iterator[Edit]:
    """A derivative in the place of another factor, a count by which a term is divided."""
    for part in parts:
        node = part[3]
        if not isinstance(part[0], (ast.BinOp, ast.Call)) or isinstance(node, ast.Constant):
            continue
        if isinstance(part[0], ast.Call) and part[1] != "args":
            continue
        if isinstance(part[0], ast.BinOp) and isinstance(part[0].op, ast.MatMult):
            continue
        for text, _, words in _slopes(around):
            yield _edit(
                "wrong-activation-derivative",
                f"{ast.unparse(node)} stands where {words} belongs",
                part,
                _expression(text),
            )
    for part in parts:
        node = part[3]
        if isinstance(part[0], ast.BinOp) and isinstance(part[0].op, (ast.Add, ast.Sub)):
            yield _edit(
                "scale-half", f"a factor of 2 is missing in {ast.unparse(node)}", part, _made("2 * _0", _0=node)
            )
            yield _edit(
                "scale-half", f"a factor of 1/2 is missing in {ast.unparse(node)}", part, _made("_0 / 2", _0=node)
            )
            for name, count in around.counts.items():
                if count == around.examples:
                    yield _edit(
                        "scale-n", f"1/{name} is missing in {ast.unparse(node)}", part, _made(f"_0 / {name}", _0=node)
                    )
                    break
