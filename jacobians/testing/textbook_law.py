"""Law 12: what an operation or a loss says of itself in symbols equals what it computes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, as_float
from jacobians.operations import Elementwise, Loss, Operation
from jacobians.symbols.evaluate import evaluate
from jacobians.symbols.expressions import Call, Expr, Symbol
from jacobians.symbols.named_functions import Rule
from jacobians.testing.compare import agree, fail

__all__ = ["assert_textbook"]


def assert_textbook(what: Operation | Loss, *arrays: npt.ArrayLike) -> None:
    """Law 12, symbols: the textbook form of an operation's value and derivatives, or a loss's δ, is what it computes.

    Of the second derivative it is asked where the class states `textbook_second`.

    The textbook form must be another than the rule itself, or the law would compare a thing with itself.

    Parameters
    ----------
    what : Operation or Loss
    *arrays : array_like
        The inputs; of a loss, X and Y. Moderate numbers: a textbook form loses digits where the rule does not.

    Raises
    ------
    AssertionError
        If the numbers differ, or the class states no textbook form.

    Examples
    --------
    >>> from jacobians.operations import CrossEntropy, Tanh
    >>> assert_textbook(Tanh(), [0.5, -1.0])
    >>> assert_textbook(CrossEntropy(), [[1.0, 2.0], [0.0, 3.0]], [0, 1])
    """
    for name, formula, values, computed in _statements(what, [as_float(a, "X", what.name) for a in arrays]):
        if any(isinstance(expr.function.run, Rule) for expr in _calls(formula)):
            fail("symbols", name, "the class states no textbook form, so programs print the rule itself")
        agree("symbols", name, evaluate(formula, values), computed, dtype=np.asarray(computed).dtype)


def _statements(
    what: Operation | Loss, arrays: list[Array]
) -> Iterator[tuple[str, Expr, dict[str, Array], npt.ArrayLike]]:
    """Each formula with its name, the values of its symbols, and the numbers that it must equal."""
    if isinstance(what, Loss):
        X, Y = arrays
        targets = what.in_shape(Y, X)
        delta = what.declared_for(Y, X).delta_in_symbols(Symbol("X", X.shape), Symbol("Y", X.shape))
        losses, rows = what.per_example(X, Y)
        yield f"δ of {what.name}", delta, {"X": X, "Y": targets}, rows.vjp(np.ones_like(losses))
        return
    values = dict(zip(what.names, arrays, strict=True))
    symbols = [Symbol(name, array.shape) for name, array in values.items()]
    value, jacobians = what.evaluate(*arrays)
    yield f"the value of {what.name}", what.in_symbols(*symbols)[0], values, value
    if isinstance(what, Elementwise):
        derivative = jacobians.numerator("X").diagonal().reshape(value.shape)
        yield f"the derivative of {what.name}", what.derivative_of(symbols[0]), values, derivative
        if what.textbook_second is not None:
            formula = what.derivative_of(symbols[0], prime=2)
            yield f"the second derivative of {what.name}", formula, values, what._curvature(arrays[0])


def _calls(expr: Expr) -> Iterator[Call]:
    if isinstance(expr, Call):
        yield expr
    for part in expr.parts:
        yield from _calls(part)
