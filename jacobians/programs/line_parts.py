"""The parts of a line, what an edit puts in their place, and what a line may use, in Python and in Octave."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
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
    unused : tuple of str
        Arrays that the function around sets and reads nowhere.
    loops : tuple of str
        Variables of the loops around.
    text : callable
        From an expression to how the program writes it.
    parts : mapping of str to (tuple of int, ast.expr)
        Parts of arrays, as the program writes them on other lines.
    """

    arrays: Mapping[str, tuple[int, ...]]
    counts: Mapping[str, int]
    result: tuple[int, ...]
    functions: Mapping[str, int]
    strengths: tuple[str, ...]
    examples: int
    factors: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    loops: tuple[str, ...] = ()
    text: Callable[[ast.expr], str] = field(default=ast.unparse)
    parts: Mapping[str, tuple[tuple[int, ...], ast.expr]] = field(default_factory=dict)

    @cached_property
    def stand_ins(self) -> Mapping[str, tuple[int, ...]]:
        """Shapes of all that may stand where an array stands: the arrays, and their parts."""
        return {**{text: shape for text, (shape, _) in self.parts.items()}, **self.arrays}

    def tree(self, text: str) -> ast.expr:
        """Return what stands for an array or a part of one, as a tree of its own."""
        return (
            expression_of(text) if text in self.arrays or text not in self.parts else copy.deepcopy(self.parts[text][1])
        )


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


def parts_within(root: Part) -> Iterator[Part]:
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


def edited(cause: str, words: str, part: Part, new: Any, *, natural: bool = True) -> Edit:
    """Return the edit that puts a node in a part's place."""
    parent, name, place, node = part
    for inner in ast.walk(new):
        if not hasattr(inner, "lineno") and isinstance(inner, (ast.expr, ast.keyword)):
            ast.copy_location(inner, node)
    return Edit(cause, words, node, new, parent, name, place, natural)


_LAMBDA = re.compile(r"\blambda\b")


def expression_of(text: str) -> ast.expr:
    """A text as a tree; in Octave's programs lambda is a name like any other."""
    made = ast.parse(_LAMBDA.sub("_lambda", text), mode="eval").body
    for node in ast.walk(made):
        if isinstance(node, ast.Name) and node.id == "_lambda":
            node.id = "lambda"
    return made


def made_of(text: str, **parts: ast.expr) -> ast.expr:
    """An expression in which names such as ``_0`` stand for parts."""

    class Put(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> Any:
            return parts.get(node.id, node)

    made: ast.expr = Put().visit(expression_of(text))
    return made


def name_of(node: ast.AST) -> str:
    """Return the last name of what is called, without Octave's mark: ``sum`` of ``np.sum(x)`` and of ``x.sum()``."""
    function = node.func if isinstance(node, ast.Call) else node
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id.removeprefix("octave ") if isinstance(function, ast.Name) else ""


def is_octave_call(node: ast.AST) -> bool:
    """Return whether a call stands for one of Octave's own operations."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id.startswith("octave ")


def octave_call(name: str, *args: ast.expr) -> ast.Call:
    """Return the call that stands for one of Octave's own operations."""
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
    """Return an operation on two sides, however it is written, and its two sides; None for anything else.

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


def factors_of(node: ast.expr) -> list[ast.expr]:
    """The factors of a product entry by entry."""
    found = operands(node)
    # numbers are multiplied by Octave's matrix product too
    if found is None or (found[0] != "product" and not (found[0] == "matrix product" and is_octave_call(node))):
        return [node]
    return factors_of(found[1]) + factors_of(found[2])


def product_of(factors: Sequence[ast.expr]) -> ast.expr:
    """Return the product of factors, entry by entry."""
    made = factors[0]
    for factor in factors[1:]:
        made = ast.BinOp(made, ast.Mult(), factor)
    return made
