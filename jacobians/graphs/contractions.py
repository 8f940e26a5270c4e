"""Sums of products over shared axes, outer to einsum, of values and arrays, by transposes and products of matrices."""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import Any

import numpy as np

from jacobians.errors import ArgumentError, ShapeError
from jacobians.graphs.node import Node

Operand = Any
"""A value or an array."""


def _operand(given: Any) -> Operand:
    return given if isinstance(given, Node) else np.asarray(given)


def dot(a: Any, b: Any) -> Any:
    """Return the product as `numpy.dot` does: with a number, or summed over the last axis and the last but one."""
    a, b = map(_operand, (a, b))
    if 0 in (a.ndim, b.ndim):
        return a * b
    if b.ndim <= 2:
        return np.matmul(a, b)
    return tensordot(a, b, (-1, -2))


def inner(a: Any, b: Any) -> Any:
    """Return the product of numbers, or the sum over the last axes of both."""
    a, b = map(_operand, (a, b))
    return a * b if 0 in (a.ndim, b.ndim) else tensordot(a, b, (-1, -1))


def vdot(a: Any, b: Any) -> Any:
    """Return the sum of the products of all entries."""
    return np.matmul(_operand(a).reshape(-1), _operand(b).reshape(-1))


def outer(a: Any, b: Any) -> Any:
    """Return every product of an entry of one and an entry of the other."""
    return _operand(a).reshape(-1, 1) * _operand(b).reshape(1, -1)


def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """Return the sum of products over some axes of one and as many of the other."""
    a, b = map(_operand, (a, b))
    if isinstance(axes, int):
        axes = range(a.ndim - axes, a.ndim), range(axes)
    over_a, over_b = ((own,) if isinstance(own, int) else tuple(own) for own in axes)
    if len(over_a) != len(over_b) or not _among(over_a, a.ndim) or not _among(over_b, b.ndim):
        raise ShapeError(
            f"tensordot: A has shape {a.shape}, B has {b.shape}; the axes {over_a} of A and {over_b} of B are no pairs"
        )
    names = string.ascii_letters
    of_a, of_b = names[: a.ndim], list(names[a.ndim : a.ndim + b.ndim])
    for i, j in zip(over_a, over_b, strict=True):
        of_b[j] = of_a[i]
    left = [c for c in of_a if c not in of_b]
    right = [c for c in of_b if c not in of_a]
    return _contracted("tensordot", [of_a, "".join(of_b)], "".join(left + right), [a, b])


def _among(axes: Sequence[int], ndim: int) -> bool:
    return all(-ndim <= axis < ndim for axis in axes) and len({axis % ndim for axis in axes}) == len(axes)


def einsum(subscripts: Any, *operands: Any) -> Any:
    """Return the sum of products over the indices that the result lacks. Operands are multiplied from left to right.

    Where two operands share an index that stays, all products are formed before the sum. A stack of products (m×k)(k×n)
    takes m·k·n numbers for each member.

    Raises
    ------
    ArgumentError
        If the subscripts are no text of letters, or do not fit the operands.
    ShapeError
        If one index has several lengths.
    """
    arrays = [_operand(given) for given in operands]
    text = subscripts.replace(" ", "") if isinstance(subscripts, str) else "."
    left, arrow, output = text.partition("->")
    inputs = left.split(",")
    every = "".join(inputs)
    if not arrow:
        output = "".join(sorted(c for c in set(every) if every.count(c) == 1))
    letters = set(every)
    if not all(c in string.ascii_letters for c in letters) or set(output) - letters or len(set(output)) < len(output):
        raise ArgumentError(
            f"einsum: the subscripts are {subscripts!r}; expected one letter for each axis, as in 'nij,jk->nik', where "
            "the result's letters occur on the left, each once"
        )
    if [len(own) for own in inputs] != [array.ndim for array in arrays]:
        shapes = ", ".join(str(array.shape) for array in arrays)
        raise ArgumentError(
            f"einsum: the subscripts {subscripts!r} name {' and '.join(str(len(own)) for own in inputs)} axes, the "
            f"operands have shapes {shapes}"
        )
    return _contracted("einsum", inputs, output, arrays)


def _contracted(name: str, inputs: Sequence[str], output: str, operands: Sequence[Operand]) -> Any:
    """The sum of products; every index of the output is one of the inputs'."""
    lengths: dict[str, int] = {}
    for letters, operand in zip(inputs, operands, strict=True):
        for letter, length in zip(letters, operand.shape, strict=True):
            if lengths.setdefault(letter, length) != length:
                shapes = ", ".join(str(o.shape) for o in operands)
                raise ShapeError(
                    f"{name}: the operands have shapes {shapes}; axes that are summed together must be equally long, "
                    f"and one pair has {lengths[letter]} and {length}"
                )
    have, found = "", None
    for place, (letters, operand) in enumerate(zip(inputs, operands, strict=True)):
        later = set(output).union(*inputs[place + 1 :])
        own, array = _without_repeats(letters, operand)
        own, array = _summed(own, array, later | set(have))
        if found is None:
            have, found = _summed(own, array, later)
        else:
            have, found = _pair(have, found, own, array, later)
    return _arranged(have, found, output)


def _without_repeats(letters: str, operand: Operand) -> tuple[str, Operand]:
    """An index that stands twice takes the diagonal, which becomes the last axis."""
    for letter in sorted(set(letters)):
        while letters.count(letter) > 1:
            first, second = letters.index(letter), letters.rindex(letter)
            operand = np.diagonal(operand, axis1=first, axis2=second)
            letters = letters[:first] + letters[first + 1 : second] + letters[second + 1 :] + letter
    return letters, operand


def _summed(letters: str, operand: Operand, kept: set[str]) -> tuple[str, Operand]:
    gone = tuple(place for place, letter in enumerate(letters) if letter not in kept)
    return "".join(c for c in letters if c in kept), operand.sum(axis=gone) if gone else operand


def _arranged(letters: str, operand: Operand, wanted: str) -> Operand:
    order = tuple(letters.index(c) for c in wanted)
    return operand if order == tuple(range(len(order))) else np.transpose(operand, order)


def _pair(left: str, a: Operand, right: str, b: Operand, kept: set[str]) -> tuple[str, Operand]:
    """The sum of products of two operands over the shared indices that are not kept."""
    shared = [c for c in left if c in right]
    stays = "".join(c for c in shared if c in kept)
    gone = "".join(c for c in shared if c not in kept)
    of_a, of_b = ("".join(c for c in own if c not in shared) for own in (left, right))
    lengths = dict(zip(left + right, a.shape + b.shape, strict=True))

    def shape(*parts: str) -> tuple[int, ...]:
        return tuple(lengths[c] for part in parts for c in part)

    a, b = _arranged(left, a, stays + of_a + gone), _arranged(right, b, stays + gone + of_b)
    if not stays:
        rows, inner, columns = (int(np.prod(shape(part), dtype=int)) for part in (of_a, gone, of_b))
        product = np.matmul(a.reshape(rows, inner), b.reshape(inner, columns))
        return of_a + of_b, product.reshape(shape(of_a, of_b))
    a = a.reshape(shape(stays, of_a, gone) + (1,) * len(of_b))
    b = b.reshape(shape(stays) + (1,) * len(of_a) + shape(gone, of_b))
    first = len(stays + of_a)
    product = a * b
    return stays + of_a + of_b, product.sum(axis=tuple(range(first, first + len(gone)))) if gone else product
