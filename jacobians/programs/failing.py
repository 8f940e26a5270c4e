"""Where a program itself fails: which shapes do not fit, what is not judged because of it, and what would mend it."""

from __future__ import annotations

import ast
import copy
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jacobians.programs import naming
from jacobians.programs.judge import Failed, studied
from jacobians.programs.plan import key_of, plan_of
from jacobians.programs.source import Source
from jacobians.programs.study import Settings, right_along
from jacobians.programs.subject import Subject
from jacobians.programs.values import ProgramError

Shape = tuple[int, ...]
_PRODUCTS = frozenset(["dot", "matmul", "octave product", "octave mtimes"])
_MOST_TRIED = 60
"""Repairs of one line that are tried."""


@dataclass(frozen=True, eq=False)
class Repair:
    """A change of the line at which a program fails, with which its gradients are right.

    Attributes
    ----------
    entry : str
        The entry that fails.
    line : int
    kind : str
        What fails: ``shapes-do-not-fit``, ``missing-key``, or ``fails``.
    words : str
    should_be : str
        The line, in the program's own names.
    before : int
        How many events there were before the failure.
    """

    entry: str
    line: int
    kind: str
    words: str
    should_be: str
    before: int


def is_own(failed: Failed) -> bool:
    """Return whether the program itself is at fault, and neither its random data nor a line that is not read."""
    run = failed.run
    return run is not None and isinstance(run.error, ProgramError) and not run.unsettled


def is_by_itself(failed: Failed) -> bool:
    """Return whether a backward pass on the program's own data, all of which is read, has shapes that do not fit."""
    run, subject = failed.run, failed.subject
    if run is None or subject is None or subject.given or run.unread or not is_own(failed):
        return False
    error = run.error
    held = [shape for _, shape in error.operands if shape is not None] if isinstance(error, ProgramError) else []
    backward = run.has_loss() or any(naming.is_gradient(e.key) for e in run.events)
    backward = backward or any(update.node.lineno == failed.line for update in subject.plan.updates.values())
    return backward and len(held) == 2 and isinstance(error, ProgramError) and _about_shapes(error.message)


def explained(source: Source, error: ProgramError) -> str:
    """Return why a program fails, with the shapes of what does not fit, in words."""
    held = [(source.written(node), shape) for node, shape in error.operands if shape is not None]
    named = " and ".join(f"{text} {_shape(shape)}" for text, shape in held[:2])
    if len(held) == 2 and _about_shapes(error.message):
        (_, left), (_, right) = held
        if _is_product(error.node):
            if not left or not right:
                return f"there is no product of {named}"
            columns, rows = left[-1], right[-2] if len(right) > 1 else right[0]
            return f"there is no product of {named}: {columns} columns on the left, {rows} rows on the right"
        if isinstance(error.node, ast.AugAssign):
            return f"the shapes of {named} do not fit: what is changed in place keeps its shape"
        if isinstance(error.node, (ast.BinOp, ast.Compare, ast.Call)):
            return f"the shapes of {named} do not fit: along an axis, sizes are equal or one of them is 1"
    if held and _about_shapes(error.message):
        arrays = ", ".join(f"{text} {shape}" for text, shape in held if shape)
        return f"{error.message.removeprefix('ValueError: ')}, of {arrays}" if arrays else error.message
    return error.message


def _about_shapes(message: str) -> bool:
    return re.search(r"shape|align|broadcast|mismatch|dimension|operator|entry by entry", message) is not None


def _shape(shape: Shape) -> str:
    return str(shape) if shape else "(a number)"


def _is_product(node: ast.AST | None) -> bool:
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.MatMult)
    return isinstance(node, ast.Call) and key_of(node.func) in _PRODUCTS


# --- what is not judged ------------------------------------------------------------------------------


def gradients_after(source: Source, failed: Failed) -> Iterator[tuple[str, int]]:
    """Yield the gradients that a program does not reach because it fails: their texts and their lines."""
    error = failed.run.error if failed.run is not None else None
    if not isinstance(error, ProgramError) or failed.subject is None:
        return
    names = failed.subject.plan.names
    where = [f for f in ast.walk(source.tree) if isinstance(f, ast.FunctionDef) and f.name == error.function]
    inside = [node for f in where for node in f.body] or [n for n in source.tree.body if not _defines(n)]
    for node in itertools.chain.from_iterable(map(ast.walk, inside)):
        if not isinstance(node, (ast.Assign, ast.AugAssign)) or node.lineno < error.line:
            continue
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            for part in target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]:
                if is_gradient_name(key_of(part), source.written(part), names):
                    yield source.written(part), node.lineno


def _defines(node: ast.stmt) -> bool:
    return isinstance(node, (ast.FunctionDef, ast.ClassDef))


def is_gradient_name(key: str, shown: str, names: frozenset[str]) -> bool:
    """Return whether a name is that of a parameter's gradient: ``dW1``, ``grads['W1']``."""
    whole = shown.removeprefix("self.").split("[")[0].split(".")[0]
    if whole != key and naming.is_gradient(whole, names) and naming.is_parameter(key):
        return True
    return naming.is_gradient(key, names) and any(naming.is_parameter(n) for n in naming.parameters_of(key))


# --- what would mend it ------------------------------------------------------------------------------


def repaired(source: Source, failed: Failed, settings: Settings) -> Repair | None:
    """Change the line at which a program fails until its gradients are right; the tree keeps the change.

    A line of the backward pass alone is changed, and a program on its own data: elsewhere the random data may be at
    fault. What is put in the place of the part that fails is taken if gradients that come after it are right then.
    """
    error = failed.run.error if failed.run is not None else None
    subject = failed.subject
    if not isinstance(error, ProgramError) or subject is None or not is_own(failed):
        return None
    place = _place_of(source.tree, error.node)
    if place is None or not (_backward(source, failed, error) or not subject.given):
        return None
    statement, parent, name, index = place
    old = getattr(parent, name) if index is None else getattr(parent, name)[index]
    best: tuple[int, ast.expr] | None = None
    for new in itertools.islice(_repairs(source, old, error, _arrays(failed)), _MOST_TRIED):
        _put(parent, name, index, ast.fix_missing_locations(ast.copy_location(new, old)))
        right, every = _right_after(source, failed, settings)
        if right > (0 if best is None else best[0]):
            best = right, new
            if right == every:
                break
    if best is None:
        _put(parent, name, index, old)
        return None
    _put(parent, name, index, best[1])
    words = f"{explained(source, error)}. With {source.written(best[1])} in its place the gradients are right"
    assert failed.run is not None
    return Repair(failed.entry.name, error.line, _kind(error), words, source.written(statement), len(failed.run.events))


def _kind(error: ProgramError) -> str:
    if error.message.startswith("KeyError"):
        return "missing-key"
    return "shapes-do-not-fit" if _about_shapes(error.message) else "fails"


def _put(parent: Any, name: str, index: int | None, node: ast.AST) -> None:
    if index is None:
        setattr(parent, name, node)
    else:
        getattr(parent, name)[index] = node


def _place_of(tree: ast.Module, wanted: ast.AST | None) -> tuple[ast.stmt, ast.AST, str, int | None] | None:
    """The statement that holds an expression, and where in the tree it stands."""
    for statement in ast.walk(tree):
        if not isinstance(statement, (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr, ast.Return)):
            continue
        for node in ast.walk(statement):
            for name, value in ast.iter_fields(node):
                if value is wanted and isinstance(wanted, ast.expr):
                    return statement, node, name, None
                if isinstance(value, list):
                    for index, item in enumerate(value):
                        if item is wanted and isinstance(wanted, ast.expr):
                            return statement, node, name, index
        if statement is wanted and isinstance(statement, ast.AugAssign):
            return statement, statement, "value", None
    return None


_BACKWARD = re.compile(r"(?i)back|grad|bprop|delta|deriv")


def _backward(source: Source, failed: Failed, error: ProgramError) -> bool:
    """Whether a program fails after its loss has its value, or where its names say that it goes backward."""
    run = failed.run
    if run is not None and run.has_loss():
        return True
    line = next((n for n in ast.walk(source.tree) if isinstance(n, ast.Assign) and n.lineno == error.line), None)
    target = key_of(line.targets[0]) if line is not None else ""
    named = _BACKWARD.search(error.function) and not re.search(r"(?i)loss|cost|forward|train|fit", error.function)
    return bool(named) or naming.is_gradient(target)


def _right_after(source: Source, failed: Failed, settings: Settings) -> tuple[int, int]:
    """How many gradients are right in a tree that was changed, and how many there are; 0 if none of them is new."""
    old = failed.subject
    assert old is not None
    plan = plan_of(source.tree)
    subject = Subject(source, plan, old.uses, old.entry, old.guess, old.seed, limits=old.limits, tables=old.tables)
    run, _ = subject.run()
    study = None if run.error is not None and not run.trained else studied(subject, run, settings)
    if study is None or failed.run is None or set(run.unread) - set(failed.run.unread):
        return 0, 0
    if not any(claim.event.index >= len(failed.run.events) for claim in study.claims):
        return 0, 0
    right, every = right_along(study), len(study.claims)
    return (right if right == every or every > 2 else 0), every


def _arrays(failed: Failed) -> Mapping[str, Shape]:
    """The arrays that the failing function may name."""
    assert failed.run is not None
    events = failed.run.events
    frame = events[-1].frame if events else 0
    found: dict[str, Shape] = {}
    keys = {event.shown[1:-1] for event in events if event.shown.startswith("'")}
    if isinstance(failed.run.error, ProgramError) and isinstance(failed.run.error.node, ast.Subscript):
        whole = ast.unparse(failed.run.error.node.value)
        found |= {f"{whole}[{key!r}]": () for key in keys}
    for event in events:
        readable = re.fullmatch(r"[A-Za-z_][\w.]*(\['\w+'\])?", event.shown) is not None
        if readable and event.frame == frame and isinstance(event.copy, np.ndarray):
            found[event.shown] = event.copy.shape
    return found


def _repairs(source: Source, node: Any, error: ProgramError, arrays: Mapping[str, Shape]) -> Iterator[ast.expr]:
    """What may stand in the place of what fails, the likeliest first."""
    held = [part for part, _ in error.operands]
    if len(held) == 2 and all(isinstance(part, ast.expr) for part in held):
        left: Any = copy.deepcopy(held[0])
        right: Any = copy.deepcopy(held[1])
        for one, other in ((left, right), (right, left)):
            for shifted in _shifted(one):
                yield _with(node, shifted, other) if one is left else _with(node, other, shifted)
        if _is_product(node):
            yield from _other_products(node, left, right)
        else:
            yield from _fitted(source, node, left, right)
    yield from _other_arrays(source, node, arrays)


def _shifted(node: ast.expr) -> Iterator[ast.expr]:
    """An operand with an index within it that is one more or one less: ``zs[l] > 0`` and ``zs[l - 1] > 0``."""
    for part in ast.walk(node):
        if not isinstance(part, ast.Subscript) or not isinstance(part.slice, (ast.Name, ast.BinOp, ast.UnaryOp)):
            continue
        index = part.slice
        if isinstance(index, ast.BinOp) and isinstance(index.right, ast.Constant) and index.right.value == 1:
            yield _replaced(node, index, index.left)
        for sign in (ast.Sub(), ast.Add()):
            yield _replaced(node, index, ast.BinOp(index, sign, ast.Constant(1)))


def _other_products(node: Any, left: Any, right: Any) -> Iterator[ast.expr]:
    for first, second in ((left, right), (right, left)):
        for turned in ((False, True), (True, False), (False, False), (True, True)):
            a, b = (_turned(x) if turn else x for x, turn in zip((first, second), turned, strict=True))
            if (a, b) != (left, right):
                yield _with(node, a, b)
    yield ast.BinOp(left, ast.Mult(), right)


_PARTS = {
    "Python": ("{}[:, 1:]", "{}.sum(axis=0)", "{}.sum(axis=1)", "{}.sum(axis=0, keepdims=True)",
               "{}.sum(axis=1, keepdims=True)", "{}.sum()"),
    "Octave": ("{}(:, 2:end)", "{}(2:end, :)", "sum({})", "sum({}, 2)", "sum(sum({}))"),
}  # fmt: skip
"""What may be meant where a whole array stands: all but its first column, or a sum."""


def _fitted(source: Source, node: Any, left: Any, right: Any) -> Iterator[ast.expr]:
    """Operations entry by entry: one side turned, summed, or without its first column, or a product of matrices."""
    for a, b in ((left, _turned(right)), (_turned(left), right)):
        yield _with(node, a, b)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        for a, b in ((left, right), (left, _turned(right)), (_turned(left), right)):
            yield ast.BinOp(a, ast.MatMult(), b)
    for side, other in ((left, right), (right, left)):
        for text in _PARTS[source.language]:
            for part in _parts_of_product(source, side, text):
                yield _with(node, part, other) if side is left else _with(node, other, part)


def _parts_of_product(source: Source, side: Any, text: str) -> Iterator[ast.expr]:
    """A part of an operand; of a product, the product with that part of its right factor comes first."""
    factors = [side.left, side.right] if isinstance(side, ast.BinOp) else getattr(side, "args", [])
    if _is_product(side) and factors and not text.startswith("sum"):
        last = factors[-1]
        yield _replaced(side, last, source.expression(text.format(source.written(last))))
    whole = source.written(side)
    simple = isinstance(side, (ast.Name, ast.Attribute, ast.Subscript))
    yield source.expression(text.format(whole if simple else f"({whole})"))


def _with(node: Any, left: ast.expr, right: ast.expr) -> ast.expr:
    """The same operation on other operands."""
    made = copy.copy(node)
    if isinstance(node, ast.BinOp):
        made.left, made.right = left, right
    elif isinstance(node, ast.AugAssign):
        return right
    elif isinstance(node, ast.Compare):
        made.left, made.comparators = left, [right]
    elif isinstance(node.args[0], (ast.Tuple, ast.List)):
        # arrays that are joined: np.concatenate((a, b))
        joined = copy.copy(node.args[0])
        joined.elts = [left, right, *joined.elts[2:]]
        made.args = [joined, *node.args[1:]]
    elif len(node.args) == 1 and isinstance(node.func, ast.Attribute):
        made.func = ast.Attribute(left, node.func.attr, ast.Load())
        made.args = [right]
    else:
        made.args = [left, right, *node.args[2:]]
    return made


def _turned(node: Any) -> ast.expr:
    """The transpose, without a second one after the first."""
    if isinstance(node, ast.Attribute) and node.attr == "T":
        return node.value
    if isinstance(node, ast.Call) and key_of(node.func) == "octave transpose":
        return node.args[0]
    return ast.Attribute(node, "T", ast.Load())


def _other_arrays(source: Source, node: Any, arrays: Mapping[str, Shape]) -> Iterator[ast.expr]:
    """Another array of the same function, where one stands that does not fit or that is not there."""
    if isinstance(node, ast.Subscript):
        whole = source.written(node.value)
        for text in sorted(arrays, key=lambda text: not text.startswith(whole)):
            yield source.expression(text)
        return
    parts: Sequence[Any] = [p for p in ast.walk(node) if isinstance(p, (ast.Name, ast.Attribute, ast.Subscript))]
    for part in parts:
        own = source.written(part)
        if own not in arrays:
            continue
        for text in arrays:
            if text != own:
                yield _replaced(node, part, source.expression(text))


def _replaced(node: Any, old: Any, new: ast.expr) -> ast.expr:
    """A copy of an expression with one part exchanged."""
    memo = {id(old): new}
    made: ast.expr = copy.deepcopy(node, memo)
    return made
