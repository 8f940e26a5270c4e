"""Losses at large and infinite logits, of many entries, of no examples and of one."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest

from jacobians import binary_cross_entropy, cross_entropy, logistic_loss, multiclass_hinge, squared_error
from jacobians.errors import DomainError
from jacobians.layout import Layout
from jacobians.operations.losses import sum_over_example
from tests.operations.loss_cases import LOSSES, loss_case, made
from tests.operations.random_inputs import Numbers

INF = math.inf
COLUMNS = Layout(batch="columns")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_logits_neither_overflow_nor_lose_the_gradient(dtype: type) -> None:
    X = np.array([[1e4, -1e4, 0.0]], dtype=dtype)
    with np.errstate(all="raise"):  # underflow too
        for run, value, gradient in (
            (lambda: cross_entropy(X, [0]), 0.0, [[0.0, 0.0, 0.0]]),
            (lambda: cross_entropy(X, [1]), 2e4, [[1.0, -1.0, 0.0]]),
            (lambda: binary_cross_entropy(X, [[1.0, 0.0, 0.0]]), math.log(2), [[0.0, 0.0, 0.5]]),
            (lambda: binary_cross_entropy(X, [[0.0, 1.0, 1.0]]), 2e4, [[1.0, -1.0, -0.5]]),
            (lambda: logistic_loss(X, [[1.0, -1.0, 1.0]]), math.log(2), [[0.0, 0.0, -0.5]]),
            (lambda: logistic_loss(X, [[-1.0, 1.0, 1.0]]), 2e4, [[1.0, -1.0, -0.5]]),
            (lambda: multiclass_hinge(X, [1]), 3e4 + 2, [[1.0, -2.0, 1.0]]),
        ):
            found, J = run()
            np.testing.assert_allclose(found, value, rtol=1e-4)
            assert np.array_equal(J.gradient, np.array(gradient, dtype=dtype))


def test_infinite_logits_give_the_limit() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for (value, J), expected, gradient in (
            (cross_entropy([[INF, 0.0]], [0]), 0.0, [[0.0, 0.0]]),
            (cross_entropy([[INF, 0.0]], [1]), INF, [[1.0, -1.0]]),
            (cross_entropy([[0.0, -INF]], [0]), 0.0, [[0.0, 0.0]]),
            (cross_entropy([[0.0, -INF]], [[0.5, 0.0]]), 0.0, [[0.0, 0.0]]),
            (cross_entropy([[INF, INF]], [0]), math.log(2), [[-0.5, 0.5]]),
            (binary_cross_entropy([[INF, -INF]], [[1.0, 0.0]]), 0.0, [[0.0, 0.0]]),
            (binary_cross_entropy([[INF, -INF]], [[0.0, 0.5]]), INF, [[1.0, -0.5]]),
            (logistic_loss([[INF, -INF]], [[1.0, -1.0]]), 0.0, [[0.0, 0.0]]),
            (logistic_loss([[INF, -INF]], [[-1.0, -1.0]]), INF, [[1.0, 0.0]]),
            (multiclass_hinge([[INF, 0.0, 0.0]], [0]), 0.0, [[0.0, 0.0, 0.0]]),
            (multiclass_hinge([[INF, 0.0, -INF]], [1]), INF, [[1.0, -1.0, 0.0]]),
            (multiclass_hinge([[-INF, 0.0, 0.0]], [0]), INF, [[-2.0, 1.0, 1.0]]),
            (multiclass_hinge([[INF, INF, 0.0]], [0]), 1.0, [[-1.0, 1.0, 0.0]]),
        ):
            assert value == pytest.approx(expected)
            assert np.array_equal(J.gradient, gradient)


def test_probabilities_of_0_and_1_that_agree_with_their_target() -> None:
    value, J = binary_cross_entropy([[0.0, 1.0, 0.5]], [[0.0, 1.0, 1.0]], from_logits=False)
    assert value == pytest.approx(math.log(2))
    assert np.array_equal(J.gradient, [[1.0, -1.0, -2.0]])  # one-sided at the ends


def test_nan_in_one_example_leaves_the_others_alone() -> None:
    X = np.array([[math.nan, 1.0, 0.0], [2.0, 1.0, 0.0]])
    for value, _ in (
        cross_entropy(X, [0, 0], reduction="none"),
        binary_cross_entropy(X, np.zeros((2, 3)), reduction="none"),
        logistic_loss(X, np.ones((2, 3)), reduction="none"),
        multiclass_hinge(X, [1, 0], reduction="none"),
        squared_error(X, np.zeros((2, 3)), reduction="none"),
    ):
        assert math.isnan(value[0])
        assert math.isfinite(value[1])


def test_long_float32_examples_in_columns_do_not_stall() -> None:
    ones = np.ones((17_000_000, 2), dtype=np.float32)
    sums = sum_over_example(ones, COLUMNS)
    assert sums.dtype == np.float32
    assert sums.tolist() == [17_000_000.0] * 2


# --- no examples, and one ------------------------------------------------------------------------


def empty(name: str, layout: Layout) -> tuple[np.ndarray, np.ndarray]:
    X = np.zeros(layout.batch_shape(0, 3))
    return X, np.zeros(0, dtype=int) if "labels" in name or "hinge" in name else np.zeros_like(X)


@pytest.mark.parametrize("batch", ["rows", "columns"])
@pytest.mark.parametrize("name", LOSSES)
def test_no_examples(name: str, batch: Any) -> None:
    layout = Layout(batch=batch)
    X, Y = empty(name, layout)
    loss = LOSSES[name][0]
    value, J = made(loss, "sum", layout)(X, Y)
    assert value == 0.0
    assert J.gradient.shape == X.shape
    value, J = made(loss, "none", layout)(X, Y)
    assert value.shape == (0,)
    assert J.shape == (0, 0)
    for reduction in ("mean", "mean-all"):
        with pytest.raises(DomainError, match=r"the mean over no examples is undefined \(a sum is 0\)"):
            made(loss, reduction, layout)(X, Y)


@pytest.mark.parametrize("name", LOSSES)
def test_one_example(name: str) -> None:
    X, Y = loss_case(name, "mean", Layout())(Numbers(3, (1, 4, 3, 5))).arrays
    loss = LOSSES[name][0]
    value, J = made(loss, "mean", Layout())(X, Y)
    alone, row = made(loss, "none", Layout())(X, Y)
    assert value.shape == ()
    assert alone.shape == (1,)
    assert value == alone[0]
    assert np.array_equal(J.to_dense(), row.to_dense())
