"""The value of an expression: one NumPy call a node, and nothing is ever compiled or evaluated as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from jacobians.arrays import Array, size_of
from jacobians.errors import LayoutError
from jacobians.symbols.expressions import (
    Add,
    AtStep,
    Call,
    Einsum,
    Entry,
    Expr,
    Eye,
    Gathered,
    Hadamard,
    Joined,
    MatMul,
    Number,
    Ones,
    Part,
    Placed,
    Power,
    Quotient,
    Repeated,
    Reshaped,
    Scattered,
    SumOver,
    SumOverSteps,
    Symbol,
    Transposed,
    WithOnes,
    Zeros,
    at_step,
)


def evaluate(expr: Expr, arrays: Mapping[str, Any]) -> Array:
    """Return the value of an expression.

    Parameters
    ----------
    expr : Expr
    arrays : mapping of str to array or float
        The values of its symbols.

    Raises
    ------
    LayoutError
        If a symbol has no value.
    """
    if isinstance(expr, SumOverSteps):
        terms = [evaluate(at_step(expr.of, step), arrays) for step in range(expr.first, expr.last + 1)]
        return np.asarray(np.sum(terms, axis=0))
    inner = [evaluate(part, arrays) for part in expr.parts]
    match expr:
        case Symbol(name):
            if name not in arrays:
                raise LayoutError(f"evaluate: {name!r} has no value; there are {', '.join(arrays)}")
            return np.asarray(arrays[name])
        case AtStep(name, dims, at, moving=False):
            return evaluate(Symbol(f"{name}{at}", dims), arrays)
        case Entry(at=at, moving=False):
            return np.asarray(inner[0][at])
        case Number(value):
            return np.asarray(value)
        case Eye(rows):
            return np.eye(rows)
        case Ones(dims):
            return np.ones(dims)
        case Zeros(dims):
            return np.zeros(dims)
        case Transposed():
            return inner[0].T
        case MatMul():
            return np.matmul(*inner)
        case Hadamard():
            return np.multiply(*inner)
        case Add(minus=minus):
            return np.subtract(*inner) if minus else np.add(*inner)
        case Quotient():
            return np.divide(*inner)
        case Power(exponent=exponent):
            return inner[0] ** exponent
        case Part(key=key):
            return inner[0][tuple(slice(*k) for k in key)]
        case Placed(key=key, dims=dims):
            out = np.zeros(dims, dtype=inner[0].dtype)
            out[tuple(slice(*k) for k in key)] = inner[0]
            return out
        case Gathered(index=index, dims=dims):
            return inner[0].ravel()[np.array(index, dtype=np.intp)].reshape(dims)
        case Scattered(index=index, dims=dims):
            return np.bincount(np.array(index, np.intp), inner[0].ravel(), size_of(dims)).reshape(dims)
        case Einsum(spec=spec):
            return np.asarray(np.einsum(spec, *inner))
        case WithOnes(axis=axis, first=first):
            shape = list(inner[0].shape)
            shape[axis] = 1
            ones = np.ones(shape, dtype=inner[0].dtype)
            return np.concatenate((ones, inner[0]) if first else (inner[0], ones), axis=axis)
        case Joined(axis=axis):
            return np.concatenate(inner, axis=axis)
        case Reshaped(dims=dims):
            return inner[0].reshape(dims)
        case Repeated(dims=dims):
            return np.broadcast_to(inner[0], dims)
        case SumOver(axis=axis, keep=keep):
            return inner[0].sum(axis=axis, keepdims=keep)
        case Call(function=function):
            return function.run(*inner)
    raise LayoutError(f"evaluate: {type(expr).__name__} is no expression that has a value")
