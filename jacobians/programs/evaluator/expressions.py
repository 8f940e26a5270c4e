"""Expressions: the value of each node of a list; comprehensions and texts with values in them are among them."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

import numpy as np

from jacobians.programs.evaluator.arithmetic import plain_text
from jacobians.programs.evaluator.arrays import array
from jacobians.programs.evaluator.calls import MOST_YIELDED, ReturnError
from jacobians.programs.evaluator.containers import listed
from jacobians.programs.evaluator.machine import RAISED, construct_of
from jacobians.programs.evaluator.operators import at_index, compared, holds, operated, run_through, signed
from jacobians.programs.evaluator.stores import Stores
from jacobians.programs.values import (
    Distinct,
    Frame,
    Function,
    Namespace,
    ProgramError,
    Unread,
    UnreadError,
    UserClass,
    is_number,
    simple,
)

_PLAIN = (ast.Name, ast.BinOp, ast.Constant, ast.Attribute, ast.Subscript)


def _counts(node: ast.expr) -> bool:
    """Whether it is a count or a text of something: ``len(layers)``, ``str(l)``."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("len", "str")


class Expressions(Stores):
    """The part of the evaluator that computes expressions."""

    def evaluate(self, node: ast.expr, frame: Frame) -> Any:
        """Return the value of an expression; a value that is not read ends it."""
        budget, kind = self.budget, type(node)
        budget.steps += 1
        if budget.steps > budget.limits.steps or not budget.steps & 63:
            budget.over(getattr(node, "lineno", self.line))
        if kind is ast.Name and node.id in frame.names and node.id not in frame.globals:  # type: ignore[attr-defined]
            value = frame.names[node.id]  # type: ignore[attr-defined]
        else:
            how = self._EXPRESSIONS.get(kind)
            if how is None:
                raise UnreadError(construct_of(node), getattr(node, "lineno", self.line))
            try:
                value = how(self, node, frame)
            except RecursionError:
                raise
            except (ProgramError, *RAISED) as error:
                raise self._failed(error, node) from None
        if isinstance(value, Unread):
            raise UnreadError(value.construct, value.line)
        return self.recorder.watched(node, frame, value) if id(node) in self.recorder.looked_at else value

    def _constant(self, node: ast.Constant, frame: Frame) -> Any:
        value = node.value
        # a float of its own, so that a parameter that starts from a literal is told from every other
        return value + 0.0 if type(value) is float else value

    def _binary(self, node: ast.BinOp, frame: Frame) -> Any:
        left, right = self.evaluate(node.left, frame), self.evaluate(node.right, frame)
        self.line = node.lineno
        self.operands = node, (node.left, node.right), (left, right)
        if isinstance(left, str) and isinstance(node.op, ast.Mod):
            return plain_text(left, right)
        return operated(self, node.op, left, right)

    def _unary(self, node: ast.UnaryOp, frame: Frame) -> Any:
        return signed(self, node.op, self.evaluate(node.operand, frame))

    def _compare(self, node: ast.Compare, frame: Frame) -> Any:
        left, found = self.evaluate(node.left, frame), None
        for op, right_node in zip(node.ops, node.comparators, strict=True):
            right = self.evaluate(right_node, frame)
            one = compared(self, op, left, right)
            found = one if found is None else (found if not holds(self, found) else one)
            left = right
        return found

    def _boolean(self, node: ast.BoolOp, frame: Frame) -> Any:
        value = None
        for part in node.values:
            value = self.evaluate(part, frame)
            if holds(self, value) == isinstance(node.op, ast.Or):
                return value
        return value

    def _subscript(self, node: ast.Subscript, frame: Frame) -> Any:
        receiver = self.evaluate(node.value, frame)
        if isinstance(receiver, Namespace) and receiver.name in ("numpy.r_", "numpy.c_"):
            return self._joined(receiver.name, self.evaluate(node.slice, frame))
        return at_index(self, receiver, self.evaluate(node.slice, frame))

    def _joined(self, name: str, index: Any) -> Any:
        parts = index if isinstance(index, tuple) else (index,)
        if any(isinstance(part, (slice, str)) for part in parts):
            raise UnreadError(f"{name} of slices", self.line)
        parts = tuple(part if is_number(part) else array(part, self.budget) for part in parts)
        self.budget.size(sum(np.size(part) for part in parts))
        return np.r_[parts] if name.endswith("r_") else np.c_[parts]

    def _tuple(self, node: ast.Tuple, frame: Frame) -> Any:
        return tuple(self._elements(node.elts, frame))

    def _list(self, node: ast.List, frame: Frame) -> Any:
        return list(self._elements(node.elts, frame))

    def _set(self, node: ast.Set, frame: Frame) -> Any:
        return Distinct(self._elements(node.elts, frame))

    def _elements(self, nodes: list[ast.expr], frame: Frame) -> Iterator[Any]:
        for node in nodes:
            if isinstance(node, ast.Starred):
                yield from listed(self.budget, run_through(self, self.evaluate(node.value, frame)))
            else:
                yield self.evaluate(node, frame)

    def _dict(self, node: ast.Dict, frame: Frame) -> Any:
        made: dict[Any, Any] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                more = self.evaluate(value, frame)
                if not isinstance(more, dict):
                    raise UnreadError("** of what is no dict", node.lineno)
                self.budget.size(len(more))
                made.update(more)
                continue
            name = self.evaluate(key, frame)
            if not isinstance(name, (str, int, float, tuple)):
                raise UnreadError("a key that is no text or number", node.lineno)
            simple(name, "a key")
            held = self.evaluate(value, frame)
            if isinstance(name, str):
                held = self.recorder.stored("assign", name, repr(name), value.lineno, frame, held)
            made[name] = held
        return made

    def _choice(self, node: ast.IfExp, frame: Frame) -> Any:
        return self.evaluate(node.body if holds(self, self.evaluate(node.test, frame)) else node.orelse, frame)

    def _lambda(self, node: ast.Lambda, frame: Frame) -> Any:
        return self._function(node, "lambda", frame)

    def _list_comprehension(self, node: Any, frame: Frame) -> Any:
        return [self.evaluate(node.elt, inside) for inside in self._generated(node.generators, frame)]

    def _set_comprehension(self, node: ast.SetComp, frame: Frame) -> Any:
        return Distinct(self._list_comprehension(node, frame))

    def _dict_comprehension(self, node: ast.DictComp, frame: Frame) -> Any:
        made = {}
        for inside in self._generated(node.generators, frame):
            key = self.evaluate(node.key, inside)
            if not isinstance(key, (str, int, float, tuple)):
                raise UnreadError("a key that is no text or number", node.lineno)
            simple(key, "a key")
            made[key] = self.evaluate(node.value, inside)
        return made

    def _generated(self, generators: list[ast.comprehension], frame: Frame) -> Iterator[Frame]:
        inside = Frame(self._number(), frame.function, {}, frame, comprehension=True)
        yield from self._nested(generators, inside)

    def _nested(self, generators: list[ast.comprehension], inside: Frame) -> Iterator[Frame]:
        if not generators:
            yield inside
            return
        first, *rest = generators
        for item in self.rows(run_through(self, self.evaluate(first.iter, inside))):
            self.budget.step(self.line)
            self._store(first.target, item, inside)
            if all(holds(self, self.evaluate(test, inside)) for test in first.ifs):
                yield from self._nested(rest, inside)

    def _slice(self, node: ast.Slice, frame: Frame) -> Any:
        return slice(self._bound(node.lower, frame), self._bound(node.upper, frame), self._bound(node.step, frame))

    def _bound(self, node: ast.expr | None, frame: Frame) -> int | None:
        value = None if node is None else self.evaluate(node, frame)
        return value if value is None or type(value) is int else operator.index(value)

    def _text(self, node: ast.JoinedStr, frame: Frame) -> Any:
        made = []
        for part in node.values:
            if isinstance(part, ast.Constant):
                made.append(str(part.value))
                continue
            held = None
            plain = isinstance(part, ast.FormattedValue) and part.conversion == -1 and part.format_spec is None
            inner = part.value if isinstance(part, ast.FormattedValue) and plain else None
            if inner is not None and (isinstance(inner, _PLAIN) or _counts(inner)):
                held = self.evaluate(inner, frame)
            if type(held) not in (str, int) and not isinstance(held, np.integer):
                return "text that is not read"
            made.append(str(held))
        return "".join(made)[:1000]

    def _named(self, node: ast.NamedExpr, frame: Frame) -> Any:
        value = self.evaluate(node.value, frame)
        outside = frame
        while outside.outer is not None and outside.comprehension:
            outside = outside.outer
        self._store(node.target, value, outside)
        return outside.names.get(node.target.id, value)

    def _yield(self, node: ast.Yield, frame: Frame) -> Any:
        place = self.yielded
        if place is None:
            raise UnreadError("yield", node.lineno)
        place.append(None if node.value is None else self.evaluate(node.value, frame))
        self.budget.size(len(place))
        if len(place) >= MOST_YIELDED:
            raise ReturnError(None)
        return None

    def _yield_from(self, node: ast.YieldFrom, frame: Frame) -> Any:
        place = self.yielded
        if place is None:
            raise UnreadError("yield", node.lineno)
        place.extend(listed(self.budget, run_through(self, self.evaluate(node.value, frame))))
        return None

    def _no_star(self, node: ast.Starred, frame: Frame) -> Any:
        raise UnreadError("a star here", node.lineno)

    def _function(
        self, node: Any, name: str, frame: Frame, owner: UserClass | None = None, kind: str = "function"
    ) -> Function:
        a = node.args
        return Function(
            name,
            node,
            frame,
            tuple(self.evaluate(d, frame) for d in a.defaults),
            tuple(None if d is None else self.evaluate(d, frame) for d in a.kw_defaults),
            owner,
            kind,
            _yields(node),
        )

    _EXPRESSIONS: ClassVar[Mapping[type, Callable[..., Any]]] = {
        ast.Constant: _constant, ast.Name: Stores._name, ast.Attribute: Stores._attribute, ast.Call: Stores._call,
        ast.BinOp: _binary, ast.UnaryOp: _unary, ast.Compare: _compare, ast.BoolOp: _boolean,
        ast.Subscript: _subscript, ast.Tuple: _tuple, ast.List: _list, ast.Dict: _dict, ast.IfExp: _choice,
        ast.Lambda: _lambda, ast.ListComp: _list_comprehension, ast.GeneratorExp: _list_comprehension,
        ast.DictComp: _dict_comprehension, ast.Slice: _slice, ast.JoinedStr: _text, ast.Starred: _no_star,
        ast.Set: _set, ast.NamedExpr: _named, ast.Yield: _yield, ast.YieldFrom: _yield_from,
        ast.SetComp: _set_comprehension,
    }  # fmt: skip


def _yields(node: Any) -> bool:
    """Whether a function's own lines hold a ``yield``: those of functions within it do not count."""
    found: bool | None = getattr(node, "yields", None)
    if found is not None:
        return found
    left, found = list(node.body) if isinstance(node.body, list) else [node.body], False
    while left and not found:
        part = left.pop()
        found = isinstance(part, (ast.Yield, ast.YieldFrom))
        if not isinstance(part, (ast.FunctionDef, ast.Lambda, ast.ClassDef)):
            left += ast.iter_child_nodes(part)
    node.yields = found  # asked for in each of many runs
    return found
