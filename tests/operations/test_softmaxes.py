"""Softmax and its logarithm against loops over examples, at extreme logits, and what they refuse."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest

from jacobians import log_softmax, softmax
from jacobians.errors import ShapeError
from jacobians.layout import Layout
from jacobians.operations import LogSoftmax, Softmax
from jacobians.testing import assert_dense_twin
from tests.linops.dense_twins import by_entries
from tests.operations.random_inputs import WRITTEN, Numbers

G = Numbers(17)
INF, NAN = math.inf, math.nan
COLUMNS = Layout(batch="columns")
both = pytest.mark.parametrize("operation", [softmax, log_softmax])


def probabilities(logits: list[float]) -> list[float]:
    """As defined, and exactly summed; for logits of moderate size."""
    weights = [math.exp(z) for z in logits]
    return [w / math.fsum(weights) for w in weights]


@pytest.mark.parametrize("batch", ["rows", "columns"])
@pytest.mark.parametrize("shape", [(3,), (4, 3), (2, 4, 3)])
def test_one_example_at_a_time(batch: Any, shape: tuple[int, ...]) -> None:
    for layout in (t.replace(batch=batch) for t in WRITTEN):
        Z = G(*shape) if batch == "rows" else G(*shape[::-1])
        axis = layout.feature_axis % Z.ndim
        p = np.zeros_like(Z)
        for index in np.ndindex(Z.shape[:axis] + Z.shape[axis + 1 :]):
            place = (*index[:axis], slice(None), *index[axis:])
            p[place] = probabilities(Z[place].tolist())

        def same_example(i: tuple[int, ...], j: tuple[int, ...], axis: int = axis) -> bool:
            return i[:axis] + i[axis + 1 :] == j[:axis] + j[axis + 1 :]

        def by_softmax(i: tuple[int, ...], j: tuple[int, ...], p: Any = p, same: Any = same_example) -> float:
            return p[i] * ((i == j) - p[j]) if same(i, j) else 0.0

        def by_logarithm(i: tuple[int, ...], j: tuple[int, ...], p: Any = p, same: Any = same_example) -> float:
            return (i == j) - p[j] if same(i, j) else 0.0

        for operation, expected, entry in ((softmax, p, by_softmax), (log_softmax, np.log(p), by_logarithm)):
            value, J = operation(Z, layout)
            np.testing.assert_allclose(value, expected, rtol=1e-13, atol=1e-13)
            twin = by_entries(Z.shape, Z.shape, entry)
            assert_dense_twin(J, twin if layout.derivative == "numerator" else twin.T)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extreme_logits(dtype: type) -> None:
    Z = np.array([[1e4, -1e4, 0], [-1e4, -1e4, -1e4], [1e4, 1e4, 1e4 - 1]], dtype=dtype)
    with np.errstate(all="raise"):  # underflow too
        p, J = softmax(Z)
        log_p, log_J = log_softmax(Z)
    e = math.exp(-1)
    expected = [[1, 0, 0], [1 / 3] * 3, [1 / (2 + e), 1 / (2 + e), e / (2 + e)]]
    np.testing.assert_allclose(p, expected, rtol=4 * np.finfo(dtype).eps)
    np.testing.assert_allclose(log_p[0], [0, -2e4, -1e4], rtol=1e-6)
    for matrix in (J.to_dense(), log_J.to_dense()):
        assert np.isfinite(matrix).all()


def test_infinite_logits_count_as_the_limit_of_equal_ones() -> None:
    Z = [[INF, 0, 1], [INF, INF, 1], [-INF, 0, 0], [-INF, -INF, -INF]]
    p, J = softmax(Z)
    assert np.array_equal(p[:3], [[1, 0, 0], [0.5, 0.5, 0], [0, 0.5, 0.5]])
    np.testing.assert_allclose(p[3], [1 / 3] * 3)
    assert np.isfinite(J.to_dense()).all()
    log_p, log_J = log_softmax(Z)
    half = math.log(0.5)
    np.testing.assert_allclose(log_p[:3], [[0, -INF, -INF], [half, half, -INF], [-INF, half, half]])
    assert np.isfinite(log_J.to_dense()).all()
    assert np.array_equal(softmax(np.transpose(Z), COLUMNS)[0], p.T)


@both
def test_nan_stays_in_its_example(operation: Any) -> None:
    value, _ = operation([[NAN, 1.0], [0.0, 0.0]])
    assert np.isnan(value[0]).all()
    assert np.isfinite(value[1]).all()


@both
def test_the_value_may_be_overwritten(operation: Any) -> None:
    Z, c = G(4, 3), G(4, 3)
    value, J = operation(Z)
    before = J.vjp(c)
    value[...] = NAN
    assert np.array_equal(J.vjp(c), before)


def test_a_shift_changes_nothing_and_has_no_derivative() -> None:
    Z = G(4, 3)
    p, J = softmax(Z)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-14)
    np.testing.assert_allclose(softmax(Z + 3.0)[0], p, rtol=1e-13)
    np.testing.assert_allclose(J.jvp(np.ones_like(Z)), 0, atol=1e-15)
    np.testing.assert_allclose(J.vjp(np.ones_like(Z)), 0, atol=1e-15)
    np.testing.assert_allclose(log_softmax(Z)[1].jvp(np.ones_like(Z)), 0, atol=1e-15)


@both
def test_one_class_one_example_and_none(operation: Any) -> None:
    assert np.array_equal(operation(np.ones((2, 1)))[1].to_dense(), np.zeros((2, 2)))
    assert operation(np.ones((1, 3)))[1].shape == (3, 3)
    for layout, shape in ((Layout(), (0, 3)), (COLUMNS, (3, 0))):
        value, J = operation(np.ones(shape), layout)
        assert value.shape == shape
        assert J.shape == (0, 0)


@both
@pytest.mark.parametrize(("shape", "layout"), [((), Layout()), ((3, 0), Layout()), ((0, 3), COLUMNS)])
def test_without_classes_there_is_no_softmax(operation: Any, shape: tuple[int, ...], layout: Layout) -> None:
    message = f"{operation.__name__}: Z has shape {shape}; expected at least one class for each example ({layout})"
    with pytest.raises(ShapeError, match=re.escape(message) + "$"):
        operation(np.ones(shape), layout)


def test_names() -> None:
    assert (Softmax().name, LogSoftmax().name) == ("softmax", "log_softmax")
