"""The explicit matrices that a chain of Jacobians is written with; their source is printed with a chain's code."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["MATRICES", "source"]


def vec(A, order):
    return A.flatten(order=order)


def commutation(rows, columns, order):
    places = np.arange(rows * columns).reshape((rows, columns), order=order)
    return np.eye(rows * columns)[vec(places.T, order)]


def selection(shape, key, order):
    places = np.arange(np.prod(shape, dtype=int)).reshape(shape, order=order)
    return np.eye(places.size)[vec(places[key], order)]


def reshaping(before, after, order):
    places = np.arange(np.prod(before, dtype=int)).reshape(before, order=order)
    return np.eye(places.size)[vec(places.reshape(after), order)]


def per_example(delta, axis, order):
    rows = []
    for n in range(delta.shape[axis]):
        row = np.zeros(delta.shape)
        key = (n, slice(None)) if axis == 0 else (slice(None), n)
        row[key] = delta[key]
        rows.append(vec(row, order))
    return np.stack(rows)


def diagonal_minus_outer(d, u, v, axis, order):
    matrix = np.diag(vec(d, order))
    for n in range(d.shape[1 - axis]):
        one = np.zeros(d.shape)
        one[(n, slice(None)) if axis == 1 else (slice(None), n)] = 1
        matrix -= np.outer(vec(u * one, order), vec(v * one, order))
    return matrix


MATRICES: dict[str, Callable[..., Any]] = {
    f.__name__: f for f in (vec, commutation, selection, reshaping, per_example, diagonal_minus_outer)
}
"""By name."""


def source(lines: str | None = None) -> str:
    """Return the definitions that some lines of code call, and those that these call, as Python text; or all."""
    texts = {name: inspect.getsource(f) for name, f in MATRICES.items()}
    if lines is None:
        return "\n\n".join(texts.values()).rstrip("\n")
    found: list[str] = []
    for name, text in reversed(texts.items()):  # each calls earlier ones alone
        if re.search(rf"\b{name}\(", "\n".join([lines, *found])):
            found.insert(0, text)
    return "\n\n".join(found).rstrip("\n")
