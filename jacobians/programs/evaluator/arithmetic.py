"""Operators, indices, and the attributes and methods that numbers, arrays, lists, dicts and texts have here."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from jacobians.programs.evaluator.array_methods import METHODS
from jacobians.programs.evaluator.arrays import array, dtype_of
from jacobians.programs.values import (
    Budget,
    BuiltIn,
    Distinct,
    Instance,
    LimitError,
    ProgramError,
    Unread,
    UnreadError,
    is_number,
    simple,
)
from jacobians.programs.wanted import Wanted, WantedError, beside, called_with, product

_OPERATORS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.MatMult: operator.matmul,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
}
_COMPARISONS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def binary(op: ast.operator, left: Any, right: Any, budget: Budget, *, whole: bool) -> Any:
    """Return left op right, if its size is allowed; `whole` divides integers as Python 2 does."""
    how = _OPERATORS.get(type(op))
    if how is None:
        raise UnreadError(f"the operator {type(op).__name__}")
    if how in _PLAIN:
        # the usual cases without the questions that follow
        if type(left) is float and type(right) is float:
            return how(left, right)
        size = _of_one_shape(left, right)
        if size is not None:
            budget.size(size)
            return how(left, right)
    if isinstance(left, Wanted) or isinstance(right, Wanted):
        raise product(left, right) if how is operator.matmul else beside(left, right)
    arrays = isinstance(left, np.ndarray) or isinstance(right, np.ndarray)
    if arrays:
        left, right = _array_or_number(left, budget), _array_or_number(right, budget)
        if how is operator.matmul:
            _check_product(np.shape(left), np.shape(right), budget)
        else:
            shape = np.broadcast_shapes(np.shape(left), np.shape(right))
            budget.shape(shape)
        if whole and how is operator.truediv and _whole(left) and _whole(right):
            return left // right
        if how is operator.pow and _whole(left) and _whole(right) and np.min(right, initial=0) < 0:
            raise ProgramError("ValueError: integers to negative integer powers are not allowed")
        made = how(left, right)
        if made.dtype.kind not in "fiubc":
            raise UnreadError("an array of what are no numbers")
        return made
    if is_number(left) and is_number(right):
        if type(left) is int and type(right) is int:
            _check_whole(op, left, right, budget)
            if whole and how is operator.truediv:
                how = operator.floordiv
        if how is operator.matmul:
            raise ProgramError("ValueError: matmul of numbers; it takes arrays")
        return how(left, right)
    for kind in (list, tuple, str):
        if isinstance(left, kind) and isinstance(right, kind) and how is operator.add:
            budget.size(len(left) + len(right))
            return left + right  # type: ignore[operator]
        one, other = (left, right) if isinstance(left, kind) else (right, left)
        if isinstance(one, kind) and type(other) is int and how is operator.mul:
            budget.size(float(len(one)) * max(other, 0))
            return one * other
    if isinstance(left, Distinct) and isinstance(right, Distinct):
        return _sets(op, left, right, budget)
    if isinstance(left, (list, tuple)) and isinstance(right, np.generic):
        return binary(op, array(left, budget), right, budget, whole=whole)
    for side in (left, right):
        if isinstance(side, Unread):
            raise UnreadError(side.construct, side.line)
    raise ProgramError(f"TypeError: {_kind(left)} and {_kind(right)} have no {type(op).__name__}")


def _sets(op: ast.operator, left: Distinct, right: Distinct, budget: Budget) -> Distinct:
    """The union, the common part or the difference of two sets."""
    budget.size(len(left) + len(right))
    if isinstance(op, ast.BitOr):
        return Distinct([*left.held, *right.held])
    if isinstance(op, ast.BitAnd):
        return Distinct(item for item in left.held if item in right.held)
    if isinstance(op, ast.Sub):
        return Distinct(item for item in left.held if item not in right.held)
    raise ProgramError(f"TypeError: sets have no {type(op).__name__}")


_PLAIN = frozenset([operator.add, operator.sub, operator.mul, operator.truediv])


def _of_one_shape(left: Any, right: Any) -> int | None:
    """The size of two floating-point arrays of one shape, or of one beside a number; None for anything else."""
    one, other = (left, right) if type(left) is np.ndarray else (right, left)
    if type(one) is not np.ndarray or one.dtype != np.float64:
        return None
    if type(other) is float or (type(other) is np.ndarray and other.dtype == np.float64 and other.shape == one.shape):
        return max(one.size, 1)
    return None


def _array_or_number(value: Any, budget: Budget) -> Any:
    if isinstance(value, np.ndarray) or is_number(value):
        return value
    if isinstance(value, (list, tuple)):
        return array(value, budget)
    raise ProgramError(f"TypeError: an array and {_kind(value)} do not go together")


def _kind(value: Any) -> str:
    return "None" if value is None else f"a {type(value).__name__}"


def _whole(value: Any) -> bool:
    return bool(np.asarray(value).dtype.kind in "iub")


def _check_whole(op: ast.operator, left: int, right: int, budget: Budget) -> None:
    bits = budget.limits.bits
    if isinstance(op, ast.Pow) and right > 0 and abs(left) > 1 and right * (abs(left).bit_length()) > bits:
        raise LimitError(f"a whole number of more than {bits} bits")
    if isinstance(op, (ast.Mult, ast.Add, ast.Sub)) and left.bit_length() + right.bit_length() > 2 * bits:
        raise LimitError(f"a whole number of more than {bits} bits")


def _check_product(left: tuple[int, ...], right: tuple[int, ...], budget: Budget) -> None:
    rows = float(np.prod(left[:-1], dtype=float))
    columns = float(np.prod(right[:-2], dtype=float)) * (right[-1] if len(right) > 1 else 1)
    budget.shape((rows, columns))
    if left and rows * columns * left[-1] > 3e7:
        raise LimitError("a product of matrices that is too large")


def unary(op: ast.unaryop, value: Any) -> Any:
    """Return op value."""
    if isinstance(op, ast.Not):
        return not truth(value)
    if isinstance(value, Wanted):
        raise WantedError(value, "array")
    if not isinstance(value, np.ndarray) and not is_number(value):
        raise ProgramError(f"TypeError: {_kind(value)} has no sign")
    if isinstance(op, ast.USub):
        return -value
    if isinstance(op, ast.UAdd):
        return +value
    return ~value


def truth(value: Any) -> bool:
    """Return whether a condition holds."""
    if isinstance(value, np.ndarray):
        if value.size != 1:
            raise ProgramError("ValueError: the truth value of an array with several entries is ambiguous")
        return bool(value.item())
    if isinstance(value, (bool, int, float, str, list, tuple, dict, range, np.generic, Distinct)) or value is None:
        return bool(value)
    return True


def compare(op: ast.cmpop, left: Any, right: Any, budget: Budget) -> Any:
    """Return whether left op right, entry by entry for arrays."""
    if isinstance(op, (ast.Is, ast.IsNot)):
        return (left is right) == isinstance(op, ast.Is)
    if isinstance(op, (ast.In, ast.NotIn)):
        if isinstance(right, (dict, Distinct)):
            simple(left, "a key")
            found = left in (right.held if isinstance(right, Distinct) else right)
        elif isinstance(right, (list, tuple, range)):
            found = any(left is item or (_plain(left) and _plain(item) and left == item) for item in right[:100_000])
        elif isinstance(right, str) and isinstance(left, str):
            found = left in right
        else:
            raise UnreadError("in of what is no list or dict")
        return found == isinstance(op, ast.In)
    if isinstance(left, Wanted) or isinstance(right, Wanted):
        raise beside(left, right)
    if isinstance(left, np.ndarray) or isinstance(right, np.ndarray):
        if left is None or right is None or isinstance(left, str) or isinstance(right, str):
            return isinstance(op, ast.NotEq)
        left, right = _array_or_number(left, budget), _array_or_number(right, budget)
        budget.shape(np.broadcast_shapes(np.shape(left), np.shape(right)))
        return _COMPARISONS[type(op)](left, right)
    if isinstance(left, Instance) or isinstance(right, Instance):
        return (left is right) == isinstance(op, ast.Eq)
    if isinstance(left, Distinct) and isinstance(right, Distinct):
        left, right = set(left.held), set(right.held)
    simple(left, "a comparison")
    simple(right, "a comparison")
    return _COMPARISONS[type(op)](left, right)


def _plain(value: Any) -> bool:
    return is_number(value) or isinstance(value, str)


def as_index(index: Any, shape: tuple[int, ...], budget: Budget) -> Any:
    """Return an index of an array, if what it selects is small enough."""
    if type(index) is int or (type(index) is tuple and all(type(part) in _BASIC for part in index)):
        return index  # a part of the same memory
    parts = index if isinstance(index, tuple) else (index,)
    found = [_as_part(part, budget) for part in parts]
    budget.shape(_indexed_shape(found, shape))
    return tuple(found) if isinstance(index, tuple) else found[0]


_BASIC = frozenset([int, slice])


def _as_part(part: Any, budget: Budget) -> Any:
    if isinstance(part, (list, range, tuple)):
        part = array(part, budget) if len(part) else np.zeros(0, int)
    if isinstance(part, np.ndarray):
        if part.dtype.kind not in "iub":
            raise ProgramError("IndexError: arrays used as indices must be of integer (or boolean) type")
    elif not isinstance(part, (int, np.integer, slice, bool, np.bool_)) and part is not None and part is not Ellipsis:
        if isinstance(part, (float, np.floating)):
            raise ProgramError("IndexError: only integers and slices are indices, not a float")
        raise UnreadError("an index of this kind")
    return part


def _indexed_shape(parts: list[Any], shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of what an index gives, its axes in any order; index arrays stand together, broadcast."""
    taken = sum(1 if not isinstance(p, np.ndarray) or p.dtype.kind != "b" else p.ndim for p in parts if _takes(p))
    rest = list(shape)
    made: list[int] = []
    together: list[tuple[int, ...]] = []
    for part in parts:
        if part is Ellipsis:
            for _ in range(max(len(shape) - taken, 0)):
                made.append(rest.pop(0))
        elif isinstance(part, np.ndarray) and part.dtype.kind == "b":
            together.append((int(np.count_nonzero(part)),))
            del rest[: part.ndim]
        elif isinstance(part, np.ndarray):
            together.append(part.shape)
            del rest[:1]
        elif isinstance(part, slice):
            if rest:
                made.append(len(range(*part.indices(rest.pop(0)))))
        elif _takes(part):
            del rest[:1]
        else:
            made.append(1)
    return (*np.broadcast_shapes(*together), *made, *rest)


def _takes(part: Any) -> bool:
    """Whether a part of an index stands for an axis."""
    return part is not None and part is not Ellipsis and not isinstance(part, (bool, np.bool_))


_TEXT = re.compile(r"%[dis]")


def plain_text(pattern: str, values: Any) -> str:
    """Return ``'W%d' % l``, where everything in it is a text or a whole number."""
    values = values if isinstance(values, tuple) else (values,)
    marks = _TEXT.findall(pattern)
    if pattern.count("%") != len(marks) or len(marks) != len(values):
        return "text that is not read"
    if not all(type(v) in (int, str) or isinstance(v, np.integer) for v in values):
        return "text that is not read"
    pieces, made = _TEXT.split(pattern), ""
    for piece, value in zip(pieces, [*map(str, values), ""], strict=True):
        made += piece + value
    return made[:1000]


_ATTRIBUTES = {"T", "shape", "ndim", "size", "real", "dtype", "A1"}


def attribute_of(receiver: Any, name: str, budget: Budget) -> Any:
    """Return an attribute or a method from the list.

    Raises
    ------
    UnreadError
        If it is not on the list.
    """
    if isinstance(receiver, Wanted):
        return _of_wanted(receiver, name)
    if isinstance(receiver, (np.ndarray, np.generic)) and name in _ATTRIBUTES:
        if name == "dtype":
            return BuiltIn("dtype", lambda *_: None, dtype_of(receiver))
        return receiver.ravel() if name == "A1" else getattr(np.asarray(receiver), name)
    return method_of(receiver, name, budget)


def _of_wanted(receiver: Wanted, name: str) -> Any:
    if name == "T":
        return Wanted(receiver.name, not receiver.flipped)
    if name in ("dot", "copy"):
        full = f"numpy.ndarray.{name}"
        return BuiltIn(full, lambda *a, **_k: called_with(full, (receiver, *a)))
    raise WantedError(receiver, "array")


def method_of(receiver: Any, name: str, budget: Budget) -> BuiltIn:
    """Return a method of an array, list, dict, tuple or text."""
    if isinstance(receiver, (np.ndarray, np.generic)) and name in METHODS:
        made = METHODS[name]
        full = f"numpy.ndarray.{name}"

        def of(*args: Any, **keywords: Any) -> Any:
            called_with(full, (receiver, *args))
            return made(budget, receiver, *args, **keywords)

        return BuiltIn(full, of, receiver=receiver, of=partial(made, budget))
    for kind, methods in _OF_CONTAINERS.items():
        if isinstance(receiver, kind) and name in methods:
            how = methods[name]
            return BuiltIn(name, partial(how, budget, receiver))
    known = is_number(receiver) or isinstance(receiver, (list, tuple, dict, str)) or receiver is None
    if known and name in ("T", "shape", "dot", "sum", "reshape", "copy", "flatten", "ravel"):
        raise ProgramError(f"AttributeError: {_kind(receiver)} has no attribute {name}")
    raise UnreadError(f"the attribute .{name}")


def _append(budget: Budget, held: list[Any], item: Any) -> None:
    budget.size(1)
    held.append(item)


def _extend(budget: Budget, held: list[Any], items: Any) -> None:
    if not isinstance(items, (list, tuple, range, str, dict, np.ndarray)):
        raise UnreadError("extend by this")
    budget.objects(len(items))
    held.extend(list(items))


def _insert(budget: Budget, held: list[Any], place: int, item: Any) -> None:
    budget.size(1)
    held.insert(place, item)


def _pop(budget: Budget, held: Any, *args: Any) -> Any:
    for arg in args:
        simple(arg, "a key")
    return held.pop(*args)


def _reverse(budget: Budget, held: list[Any]) -> None:
    held.reverse()


def _copied(budget: Budget, held: Any) -> Any:
    budget.size(len(held))
    return held.copy()


def _place(budget: Budget, held: Any, item: Any) -> int:
    return next(i for i, one in enumerate(held) if _plain(one) and _plain(item) and one == item)


def _items(budget: Budget, held: dict[Any, Any]) -> list[Any]:
    budget.size(len(held))
    return list(held.items())


def _keys(budget: Budget, held: dict[Any, Any]) -> list[Any]:
    budget.size(len(held))
    return list(held)


def _values(budget: Budget, held: dict[Any, Any]) -> list[Any]:
    budget.size(len(held))
    return list(held.values())


def _get(budget: Budget, held: dict[Any, Any], key: Any, default: Any = None) -> Any:
    simple(key, "a key")
    return held.get(key, default)


def _update(budget: Budget, held: dict[Any, Any], other: Any = None, **keywords: Any) -> None:
    other = other or {}
    if not isinstance(other, dict):
        raise UnreadError("update by what is no dict")
    budget.size(len(other))
    held.update(other)
    held.update(keywords)


def _setdefault(budget: Budget, held: dict[Any, Any], key: Any, default: Any = None) -> Any:
    budget.size(1)
    simple(key, "a key")
    return held.setdefault(key, default)


def _starts(budget: Budget, held: str, start: str) -> bool:
    return held.startswith(start)


def _replace(budget: Budget, held: str, old: Any, new: Any) -> str:
    if not (isinstance(old, str) and old and isinstance(new, str)):
        raise UnreadError("replace of this")
    budget.size(len(held) * (1 + len(new)))
    return held.replace(old, new)


_FIELD = re.compile(r"\{(\d*|[A-Za-z_]\w*)\}")


def _formatted(budget: Budget, held: str, *args: Any, **keywords: Any) -> str:
    """Return ``'W{}'.format(l)``, where everything in it is a text or a whole number."""
    named = {**keywords, **{str(place): value for place, value in enumerate(args)}}
    made, end = "", 0
    for count, field in enumerate(_FIELD.finditer(held)):
        value = named.get(field.group(1) or str(count))
        if type(value) not in (int, str) and not isinstance(value, np.integer):
            raise UnreadError("format of a text")
        made += held[end : field.start()] + str(value)
        end = field.end()
    made += held[end:]
    if "{" in _FIELD.sub("", held):
        raise UnreadError("format of a text")
    return made[:1000]


def _join(budget: Budget, held: str, parts: Any) -> str:
    if not isinstance(parts, (list, tuple)) or not all(isinstance(part, str) for part in parts):
        raise UnreadError("join of what are no texts")
    budget.size(sum(len(part) + len(held) for part in parts))
    return held.join(parts)


def _split_text(budget: Budget, held: str, at: Any = None) -> list[str]:
    if at is not None and not (isinstance(at, str) and at):
        raise UnreadError("split of this")
    budget.objects(len(held))
    return held.split(at)


def _cut(how: Callable[[str], str]) -> Callable[..., str]:
    return lambda budget, held: how(held)


def _add(budget: Budget, held: Distinct, item: Any) -> None:
    budget.size(1)
    simple(item, "a set")
    held.held[item] = None


def _add_all(budget: Budget, held: Distinct, *others: Any) -> None:
    held.held.update(_united(budget, held, *others).held)


def _united(budget: Budget, held: Distinct, *others: Any) -> Distinct:
    made = held
    for other in others:
        if not isinstance(other, (list, tuple, range, Distinct)):
            raise UnreadError("a set of this")
        budget.objects(len(other))
        made = _sets(ast.BitOr(), made, other if isinstance(other, Distinct) else Distinct(other), budget)
    return made


def _discard(budget: Budget, held: Distinct, item: Any) -> None:
    simple(item, "a set")
    held.held.pop(item, None)


def _remove(budget: Budget, held: Distinct, item: Any) -> None:
    simple(item, "a set")
    held.held.pop(item)


def _of_sets(op: ast.operator) -> Callable[..., Distinct]:
    def of(budget: Budget, held: Distinct, other: Any) -> Distinct:
        return _sets(op, held, _united(budget, Distinct(), other), budget)

    return of


_OF_CONTAINERS: dict[type, dict[str, Callable[..., Any]]] = {
    list: {
        "append": _append, "extend": _extend, "insert": _insert, "pop": _pop, "reverse": _reverse, "copy": _copied,
        "index": _place,
    },
    tuple: {"index": _place},
    dict: {
        "items": _items, "keys": _keys, "values": _values, "get": _get, "update": _update, "copy": _copied,
        "pop": _pop, "setdefault": _setdefault, "iteritems": _items, "has_key": lambda _b, held, key: key in held,
    },
    Distinct: {
        "add": _add, "discard": _discard, "remove": _remove, "update": _add_all, "union": _united,
        "intersection": _of_sets(ast.BitAnd()), "difference": _of_sets(ast.Sub()),
        "copy": lambda budget, held: _united(budget, Distinct(), held),
    },
    str: {
        "lower": _cut(str.lower), "upper": _cut(str.upper), "strip": _cut(str.strip), "startswith": _starts,
        "format": _formatted, "replace": _replace, "join": _join, "split": _split_text,
    },
}  # fmt: skip
