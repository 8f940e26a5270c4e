"""Second derivatives from an operation's value, or its vjp, written as a function of values."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import reduce
from operator import add

from jacobians.arrays import Array
from jacobians.graphs.between import jacobians_between
from jacobians.graphs.node import Origin
from jacobians.graphs.second_order import hessian_between
from jacobians.graphs.value import Value
from jacobians.linops import Jacobian
from jacobians.operations.record import Second

__all__ = ["derivative_of_vjp", "second_by_values"]


def second_by_values(
    formula: Callable[..., Value], names: Sequence[str], arrays: Sequence[Array], cotangent: Array
) -> Second:
    """Return an operation's second derivative from its value as a function of values.

    Each block is a Hessian of ⟨cotangent, value⟩ or a cross block of it. A product with it takes one sweep forward and
    one back through the formula. Linear terms of the formula may be left out.

    Parameters
    ----------
    formula : callable
        From a value of a graph for each input to the operation's value.
    names : sequence of str
        Of the inputs.
    arrays : sequence of ndarray
    cotangent : ndarray
    """
    origin = Origin()
    inputs = [Value(array, origin) for array in arrays]
    scalar = (formula(*inputs) * cotangent).sum()
    found: Second = {}
    for (a, row), (b, column) in itertools.combinations_with_replacement(zip(names, inputs, strict=True), 2):
        block = hessian_between(scalar, [row], [column], (False, False), "C")
        if any(step.bends for step in block.steps):
            found[a, b] = block
    return found


def derivative_of_vjp(
    vjp: Callable[..., Value], results: Sequence[Array], jacobians: Sequence[Callable[[], Jacobian]]
) -> Jacobian:
    """Return the derivative of an operation's vjp; the vjp is given as a function of values.

    Parameters
    ----------
    vjp : callable
        From a value of a graph for each result to what arrives at the operation's input.
    results : sequence of ndarray
    jacobians : sequence of callable
        The makers of the results' Jacobians with respect to the input.
    """
    origin = Origin()
    nodes = [Value(array, origin) for array in results]
    by_results = jacobians_between(vjp(*nodes), nodes)[0]
    return reduce(add, (outer @ made() for outer, made in zip(by_results, jacobians, strict=True)))
