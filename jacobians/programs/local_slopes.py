"""How the result of one operation moves with its arrays: the loss's derivative, from what comes out to what goes in."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Back = Callable[[Any], list[Any]]
"""From the derivative with respect to a result to those with respect to the arrays and numbers that went in."""

_ENTRYWISE = frozenset(
    [
        "number", "exp", "log", "log2", "log10", "log1p", "expm1", "sqrt", "square", "abs", "absolute", "fabs", "sign",
        "tanh", "sinh", "cosh", "sin", "cos", "tan", "arctan", "atan", "sigmoid", "sigmoidGradient", "sigmoid_prime",
        "expit", "relu", "relu_prime", "erf", "float", "reciprocal", "negative", "positive", "uminus",
        "maximum", "minimum", "fmax", "fmin", "where", "clip", "add", "subtract", "multiply", "divide", "true_divide",
        "power", "plus", "minus", "times", "rdivide", "copy", "array", "asarray",
    ]
)  # fmt: skip
"""Functions of each entry for itself: all entries of an array in the result's shape are moved at once."""
_MOVERS = {"index": 1, "transpose": 1, "store": 2, "reshape": 1, "columns of": 9, "horzcat": 9, "vertcat": 9, "cat": 9}
"""Octave's functions that move entries and change none; how many of their arguments are moved."""
_LARGEST = 6000
"""Entries that are moved one by one for one operation."""


@dataclass(eq=False)
class Leaf:
    """An array or a number among the arguments of a function.

    Attributes
    ----------
    value : object
        Itself.
    holder : list or dict
        What holds its copy.
    key : int or str
    first : int
        In which argument it is.
    """

    value: Any
    holder: Any
    key: Any
    first: int


def is_smooth(value: Any) -> bool:
    """Return whether a value is one that a derivative goes through: an array of floating-point numbers, or one."""
    return isinstance(value, (float, np.floating)) or (isinstance(value, np.ndarray) and value.dtype == np.float64)


def held_in(values: Any) -> tuple[Any, list[Leaf]]:
    """Return arguments with copies of their arrays, and the arrays and numbers among them."""
    leaves: list[Leaf] = []

    def copied(value: Any, holder: Any, key: Any, first: int, depth: int) -> Any:
        if is_smooth(value):
            leaves.append(Leaf(value, holder, key, first))
            return np.array(value) if isinstance(value, np.ndarray) else value
        if depth < 3 and isinstance(value, (list, tuple)) and len(value) <= 200:
            made: list[Any] = []
            before = len(leaves)
            made.extend(copied(part, made, place, first, depth + 1) for place, part in enumerate(value))
            return made if len(leaves) > before else value
        return value

    if isinstance(values, dict):
        named: dict[str, Any] = {}
        for key, value in values.items():
            named[key] = copied(value, named, key, -1, 0)
        return named, leaves
    listed: list[Any] = []
    for place, value in enumerate(values):
        listed.append(copied(value, listed, place, place, 0))
    return listed, leaves


def of_operator(op: ast.operator, left: Any, right: Any) -> Back | None:
    """Return the way back through an operator; None where a derivative does not go through it."""
    a, b = np.array(left), np.array(right)
    if isinstance(op, ast.Add):
        return lambda g: [g, g]
    if isinstance(op, ast.Sub):
        return lambda g: [g, -g]
    if isinstance(op, ast.Mult):
        return lambda g: [g * b, g * a]
    if isinstance(op, ast.Div):
        return lambda g: [g / b, -g * a / (b * b)]
    if isinstance(op, ast.Pow):
        return lambda g: [g * b * a ** (b - 1.0), g * np.where(a > 0.0, a**b * np.log(np.where(a > 0.0, a, 1.0)), 0.0)]
    if isinstance(op, ast.MatMult):
        return of_product(a, b)
    return None


def of_product(a: Any, b: Any) -> Back | None:
    """Return the way back through a product of matrices or vectors; None where there are more axes."""
    if a.ndim == b.ndim == 2:
        return lambda g: [g @ b.T, a.T @ g]
    if a.ndim == 2 and b.ndim == 1:
        return lambda g: [np.outer(g, b), a.T @ g]
    if a.ndim == 1 and b.ndim == 2:
        return lambda g: [b @ g, np.outer(a, g)]
    if a.ndim == b.ndim == 1:
        return lambda g: [g * b, g * a]
    return None


def of_function(name: str, call: Callable[..., Any], given: Sequence[Any], keywords: dict[str, Any]) -> Any:
    """Return the arrays and numbers that a function was given, and the way back through it.

    Products and functions that move entries have rules of their own; else each entry is moved to both sides.
    """
    args, leaves = held_in(given)
    named, more = held_in(keywords)
    leaves = [*leaves, *more]
    short = name.rpartition(".")[2]
    if short in ("dot", "matmul", "product") and len(args) == 2 and not keywords and len(leaves) == 2:
        back = of_product(np.asarray(args[0]), np.asarray(args[1]))
        if back is not None and all(np.ndim(arg) for arg in args):
            return leaves, back
    moved = [leaf for leaf in leaves if leaf.first < _MOVERS.get(short, 0)] if "numpy" not in name else []
    if moved and not keywords:
        return moved, _of_places(call, args, moved)

    def back_of(g: Any) -> list[Any]:
        found = []
        for leaf in leaves:
            held = leaf.holder[leaf.key]
            whole = short in _ENTRYWISE and np.shape(held) == np.shape(g)
            slopes = list(_along_entries(lambda: call(*args, **named), leaf, g, whole=whole))
            found.append(np.reshape(slopes[0] if whole else slopes, np.shape(held)) if slopes else 0.0)
        return found

    return leaves, back_of


def _of_places(call: Callable[..., Any], args: list[Any], leaves: list[Leaf]) -> Back:
    """The way back through a function that moves entries: it is given numbers that say where each comes from."""

    def back_of(g: Any) -> list[Any]:
        held = [leaf.holder[leaf.key] for leaf in leaves]
        count = 1
        for leaf, value in zip(leaves, held, strict=True):
            leaf.holder[leaf.key] = np.arange(count, count + np.size(value), dtype=float).reshape(np.shape(value))
            if not np.ndim(value):
                leaf.holder[leaf.key] = float(count)
            count += np.size(value)
        places = np.asarray(call(*args), dtype=float).ravel().astype(int)
        for leaf, value in zip(leaves, held, strict=True):
            leaf.holder[leaf.key] = value
        sums = np.bincount(places, np.broadcast_to(g, np.shape(g)).ravel(), minlength=count)[1:]
        found, start = [], 0
        for value in held:
            found.append(sums[start : start + np.size(value)].reshape(np.shape(value)))
            start += np.size(value)
        return found

    return back_of


def _along_entries(call: Callable[[], Any], leaf: Leaf, g: Any, *, whole: bool) -> Iterator[Any]:
    """Yield the derivative with respect to each entry, or once that of all entries at once."""
    start = leaf.holder[leaf.key]
    if np.size(start) > _LARGEST:
        return
    flat = np.ravel(start)
    for entry in [slice(None)] if whole else range(flat.size):
        step = 1e-5 * np.maximum(np.abs(flat[entry]), 0.05)
        ends = []
        for sign in (1.0, -1.0):
            moved = np.array(flat)
            moved[entry] += sign * step
            leaf.holder[leaf.key] = moved.reshape(np.shape(start)) if isinstance(start, np.ndarray) else float(moved[0])
            try:
                ends.append(np.array(call(), dtype=float))
            except Exception:  # what cannot be moved, as an index, has no derivative
                ends = []
            if not ends or ends[-1].shape != np.shape(g):
                ends = []
                break
        leaf.holder[leaf.key] = start
        slope = (ends[0] - ends[1]) * g / (2.0 * (step.reshape(np.shape(g)) if whole else step)) if ends else 0.0
        yield (slope if ends else np.zeros(np.shape(start))) if whole else float(np.sum(slope))
