"""A strategy of operations with inputs that suit them, away from kinks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from jacobians.arrays import Array
from jacobians.layout import Layout
from jacobians.operations import (
    GELU,
    L2,
    Add,
    AddOnes,
    Affine,
    BinaryCrossEntropy,
    Chain,
    CrossEntropy,
    Exp,
    Hadamard,
    LeakyReLU,
    Log,
    LogSoftmax,
    MatMul,
    Mean,
    Parallel,
    Power,
    ReLU,
    Residual,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Square,
    SquaredError,
    Tanh,
    Total,
    Transpose,
)
from jacobians.testing.compare import OperationLike
from jacobians.testing.strategies.arrays import distinct_sizes, generators
from jacobians.testing.strategies.layouts import layouts

__all__ = ["OperationCase", "operations"]


class OperationCase(NamedTuple):
    """An operation, or a loss, and arrays that it takes; inputs of a loss after the first are held constant."""

    operation: OperationLike | Callable[..., Any]
    arrays: list[Array]


_Make = Callable[[np.random.Generator, tuple[int, ...], Layout], OperationCase]


def operations(layout: st.SearchStrategy[Layout] | None = None) -> st.SearchStrategy[OperationCase]:
    """Return a strategy of the library's operations with matching inputs.

    Parameters
    ----------
    layout : strategy, optional
        All layouts unless given.

    Examples
    --------
    >>> from hypothesis import given, settings
    >>> from jacobians.testing import assert_operation_laws
    >>> @given(operations())
    ... @settings(max_examples=5, deadline=None)
    ... def test(case):
    ...     assert_operation_laws(*case)
    >>> test()
    """
    chosen = layouts() if layout is None else layout
    return st.builds(
        lambda make, *given: make(*given), st.sampled_from(_MAKERS), generators(), distinct_sizes(3, 2), chosen
    )


def _own(rng: np.random.Generator, layout: Layout, n_in: int, n_out: int) -> list[Array]:
    W = rng.normal(size=layout.weight_shape(n_in, n_out))
    return [W, rng.normal(size=layout.bias_shape(n_out))] if layout.bias == "separate" else [W]


def _affine(rng: np.random.Generator, sizes: tuple[int, ...], layout: Layout) -> OperationCase:
    count, n_in, n_out = sizes
    X = rng.normal(size=layout.batch_shape(count, n_in))
    return OperationCase(Affine(layout), [X, *_own(rng, layout, n_in, n_out)])


def _add_ones(rng: np.random.Generator, sizes: tuple[int, ...], layout: Layout) -> OperationCase:
    absorbing = layout if layout.absorbs_bias else layout.replace(bias="first")
    return OperationCase(AddOnes(absorbing), [rng.normal(size=layout.batch_shape(*sizes[:2]))])


def _elementwise(make: Callable[[], OperationLike], *, positive: bool = False) -> _Make:
    def draw(rng: np.random.Generator, sizes: tuple[int, ...], layout: Layout) -> OperationCase:
        sign = np.ones(sizes[:2]) if positive else rng.choice([-1.0, 1.0], size=sizes[:2])
        return OperationCase(make(), [sign * rng.uniform(0.25, 2.0, size=sizes[:2])])

    return draw


def _unary(make: Callable[[Layout], OperationLike]) -> _Make:
    return lambda rng, sizes, layout: OperationCase(make(layout), [rng.normal(size=sizes[:2])])


def _binary(make: Callable[[Layout], OperationLike], *, product: bool = False) -> _Make:
    def draw(rng: np.random.Generator, sizes: tuple[int, ...], layout: Layout) -> OperationCase:
        second = sizes[1:] if product else sizes[:2]
        return OperationCase(make(layout), [rng.normal(size=sizes[:2]), rng.normal(size=second)])

    return draw


def _loss(make: Callable[..., Callable[..., Any]], targets: str) -> _Make:
    def draw(rng: np.random.Generator, sizes: tuple[int, ...], layout: Layout) -> OperationCase:
        X = rng.normal(size=layout.batch_shape(*sizes[:2]))
        Y: Array
        if targets == "labels":
            Y = rng.integers(0, sizes[1], sizes[0])
        else:
            Y = rng.random(X.shape)
        reduction = rng.choice(["mean", "sum", "mean-all", "none"])
        return OperationCase(make(reduction=str(reduction), layout=layout), [X, Y])

    return draw


def _l2(rng: np.random.Generator, sizes: tuple[int, ...], layout: Layout) -> OperationCase:
    return OperationCase(L2(0.3, layout), [rng.normal(size=layout.weight_shape(*sizes[:2]))])


def _chain(rng: np.random.Generator, sizes: tuple[int, ...], layout: Layout) -> OperationCase:
    count, n_in, n_out = sizes
    net = Chain(Affine(layout), Tanh(), Residual(Chain(Affine(layout), Sigmoid()), layout), layout=layout)
    X = rng.normal(size=layout.batch_shape(count, n_in))
    return OperationCase(net, [X, *_own(rng, layout, n_in, n_out), *_own(rng, layout, n_out, n_out)])


def _parallel(rng: np.random.Generator, sizes: tuple[int, ...], layout: Layout) -> OperationCase:
    count, n_in, n_out = sizes
    net = Parallel(Affine(layout), Softplus(), layout=layout)
    return OperationCase(net, [rng.normal(size=layout.batch_shape(count, n_in)), *_own(rng, layout, n_in, n_out)])


_MAKERS: tuple[_Make, ...] = (
    _affine,
    _add_ones,
    *(_elementwise(make) for make in (Sigmoid, Tanh, ReLU, LeakyReLU, Softplus, GELU, SiLU, Exp, Square)),
    _elementwise(Log, positive=True),
    _elementwise(lambda: Power(1.5), positive=True),
    *(_unary(make) for make in (Softmax, LogSoftmax, Transpose)),
    _unary(lambda layout: Total(0, layout)),
    _unary(lambda layout: Mean(None, layout)),
    _binary(MatMul, product=True),
    _binary(Hadamard),
    _binary(Add),
    _loss(CrossEntropy, "labels"),
    _loss(BinaryCrossEntropy, "unit"),
    _loss(SquaredError, "unit"),
    _l2,
    _chain,
    _parallel,
)
