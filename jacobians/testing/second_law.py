"""Law 11: an operation's second derivative is symmetric, and the numerical derivative of its vjp."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array
from jacobians.errors import DomainError
from jacobians.linops import Jacobian
from jacobians.operations import Jacobians, Operation
from jacobians.testing.compare import agree, as_arrays, called, draw, fail, generator
from jacobians.testing.reference import near_numerical, numerical_derivative

__all__ = ["assert_second"]


def assert_second(
    operation: Operation,
    arrays: Sequence[npt.ArrayLike],
    rng: np.random.Generator | None = None,
    *,
    directions: int = 1,
) -> None:
    r"""Law 11, second: :math:`M(\bar g) = \sum_k \bar g_k \nabla^2 f_k` is the derivative of the vjp, and symmetric.

    The vjp :math:`x \mapsto J(x)^\top \bar g` of a random cotangent is differentiated numerically with respect to one
    input after the other, along random directions; that shares no code with the second derivative. Allowed is what
    `assert_reference` allows. An input's block with itself must be its own transpose.

    Parameters
    ----------
    operation : Operation
        With any number of inputs; a loss is wrapped, see `jacobians.values`.
    arrays : sequence of array_like
        Its inputs, away from kinks; best small.
    rng : Generator, optional
    directions : int
        Random directions for each input.

    Raises
    ------
    AssertionError
        Names the pair of inputs and the numbers.

    Examples
    --------
    >>> from jacobians.operations import Affine, Softmax
    >>> assert_second(Softmax(), [[[1.0, 2.0, 3.0]]])
    >>> assert_second(Affine(), [np.ones((4, 3)), np.ones((3, 2)), np.ones(2)])
    """
    rng, given = generator(rng), as_arrays(arrays)
    value, record = operation.evaluate(*given)
    names = operation.names
    wide = [a.astype(np.float64) for a in given]
    cotangent = draw(rng, value.shape)
    second = record.second(cotangent.astype(value.dtype))
    cotangent = cotangent.astype(value.dtype).astype(np.float64)
    unknown = [pair for pair in second if not set(pair) <= set(names)]
    if unknown:
        fail("second", called(operation), f"a block is of the pair {unknown[0]}; its inputs are {', '.join(names)}")
    for i, b in enumerate(names):

        def pulled(moved: Array, i: int = i) -> Array:
            return _flat(operation.evaluate(*wide[:i], moved, *wide[i + 1 :])[1], cotangent)

        for k in range(directions):
            direction = draw(rng, wide[i].shape)
            what = f"{called(operation)}, the vjp with respect to {b}, random direction {k}"
            try:
                expected, error = numerical_derivative(pulled, wide[i], direction)
            except DomainError as problem:
                fail("second", what, str(problem))
            start = 0
            for a, array in zip(names, wide, strict=True):
                part = slice(start, start + array.size)
                start = part.stop
                actual = _along(second, a, b, direction, array.shape).ravel()
                size = float(np.abs(expected).max(initial=0.0))
                pair = f"{what}, the part of {a}"
                near_numerical(
                    "second", pair, "M·t", actual, expected[part], error[part], value.dtype.type, max(size, 1.0)
                )
            if (b, b) in second:
                M = second[b, b]
                agree("second", f"{what}, M and Mᵀ", M.jvp(direction), M.vjp(direction), dtype=M.dtype)


def _flat(record: Jacobians, cotangent: Array) -> Array:
    """The vjp's parts for all inputs, one after the other."""
    return np.concatenate([np.ravel(part) for part in record.pull(cotangent).values()])


def _along(second: dict[tuple[str, str], Jacobian], a: str, b: str, direction: Array, shape: tuple[int, ...]) -> Array:
    if (a, b) in second:
        return second[a, b].jvp(direction)
    return second[b, a].vjp(direction) if (b, a) in second else np.zeros(shape)
