"""Normalisation: what the courses print of it, its statistics, what it refuses, and wrong ones that a law catches."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians import layers
from jacobians.arrays import Array
from jacobians.errors import ArgumentError, DomainError, ShapeError
from jacobians.layers.normalisation import BatchNorm
from jacobians.linops import Diagonal, DiagonalMinusOuter, Jacobian
from jacobians.testing import assert_operation_laws, assert_reference

rng = np.random.default_rng(0)


def test_the_one_line_of_cs231n() -> None:
    """Assignment 2, batchnorm_backward_alt, as its solutions print it."""
    X, gamma, beta, dout = rng.normal(size=(5, 3)), rng.normal(size=3), rng.normal(size=3), rng.normal(size=(5, 3))
    _, J = layers.batch_norm(X, gamma, beta)
    m, s = len(X), np.sqrt(X.var(axis=0) + 1e-5)
    hat = (X - X.mean(axis=0)) / s
    dx = gamma / (m * s) * (m * dout - dout.sum(axis=0) - hat * (dout * hat).sum(axis=0))
    np.testing.assert_allclose(J.X.vjp(dout), dx, atol=1e-13)
    np.testing.assert_allclose(J.gamma.vjp(dout), (dout * hat).sum(axis=0), atol=1e-13)
    np.testing.assert_allclose(J.beta.vjp(dout), dout.sum(axis=0), atol=1e-13)


@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_each_group_has_mean_0_and_variance_1(offset: float) -> None:
    """Assignment 2's cells print means near 0 and deviations near 1: so they are, far from 0 too."""
    X = 5 * rng.normal(size=(4, 6, 3, 2)) + offset
    ones, zeros = np.ones(6), np.zeros(6)
    for Z, axes, shape in (
        (layers.batch_norm(X, ones, zeros)[0], (0, 2, 3), X.shape),
        (layers.group_norm(X, ones, zeros, 2)[0], (2, 3, 4), (4, 2, 3, 3, 2)),
        (layers.layer_norm(X.swapaxes(1, 3), ones, zeros)[0], (3,), (4, 2, 3, 6)),
    ):
        np.testing.assert_allclose(Z.reshape(shape).mean(axis=axes), 0, atol=1e-9)
        np.testing.assert_allclose(Z.reshape(shape).std(axis=axes), 1, rtol=1e-4)


def test_group_norm_at_its_ends() -> None:
    X = rng.normal(size=(2, 4, 3, 2))
    ones, zeros = np.ones(4), np.zeros(4)
    one = (X - X.mean(axis=(1, 2, 3), keepdims=True)) / np.sqrt(X.var(axis=(1, 2, 3), keepdims=True) + 1e-5)
    np.testing.assert_allclose(layers.group_norm(X, ones, zeros, 1)[0], one, atol=1e-13)
    instance = (X - X.mean(axis=(2, 3), keepdims=True)) / np.sqrt(X.var(axis=(2, 3), keepdims=True) + 1e-5)
    np.testing.assert_allclose(layers.group_norm(X, ones, zeros, 4)[0], instance, atol=1e-13)


def test_evaluation_by_the_batchs_own_statistics_is_the_same_value_and_another_derivative() -> None:
    X, gamma, beta = rng.normal(size=(5, 3)), rng.normal(size=3), rng.normal(size=3)
    trained, J = layers.batch_norm(X, gamma, beta)
    fixed, K = layers.batch_norm(X, gamma, beta, statistics=layers.running_statistics(X))
    np.testing.assert_allclose(fixed, trained, atol=1e-14)
    assert isinstance(K.X, Diagonal)
    assert not np.allclose(J.X.to_dense(), K.X.to_dense())


def test_running_statistics() -> None:
    X = rng.normal(size=(4, 2, 3))
    mean, variance = layers.running_statistics(X, (np.ones(2), np.zeros(2)), momentum=0.75, unbiased=True)
    by_channel = X.swapaxes(0, 1).reshape(2, -1)
    np.testing.assert_allclose(mean, 0.75 + 0.25 * by_channel.mean(axis=1))
    np.testing.assert_allclose(variance, 0.25 * by_channel.var(axis=1, ddof=1))


def test_dropout() -> None:
    X = np.ones((200, 50))
    value, J = layers.dropout(X, 0.3, np.random.default_rng(1))
    assert set(np.unique(value)) == {0.0, 1 / 0.7}
    assert abs(value.mean() - 1) < 0.02  # CS231n, assignment 2: the mean stays
    np.testing.assert_array_equal(J.vjp(X), value)
    np.testing.assert_array_equal(layers.dropout(X, 0.3, np.random.default_rng(1))[0], value)
    np.testing.assert_array_equal(layers.dropout(X, 0.0)[0], X)
    (V,) = jac.values(X=X)
    np.testing.assert_array_equal(layers.dropout(V, 0.3, np.random.default_rng(1)).array, value)


# --- refusals ------------------------------------------------------------------------------------------


def refused(error: type[Exception], message: str) -> Any:
    return pytest.raises(error, match=f"^{re.escape(message)}$")


def test_refusals() -> None:
    X, two, three = np.ones((4, 3)), np.ones(2), np.ones(3)
    with refused(ShapeError, "batch_norm: gamma has shape (2,), X (4, 3) with its features along axis -1 expects (3,)"):
        layers.batch_norm(X, two, three)
    with refused(DomainError, "batch_norm: X has shape (0, 3); a mean needs one or more entries"):
        layers.batch_norm(X[:0], three, three)
    with refused(DomainError, "batch_norm: the entries of a group are all equal, and eps is 0; take a small eps > 0"):
        layers.batch_norm(X, three, three, eps=0)
    with refused(DomainError, "layer_norm: eps=-1.0; it is added to a variance, so it is a small number ≥ 0"):
        layers.layer_norm(X, three, three, eps=-1.0)
    with refused(
        DomainError,
        "batch_norm: the statistics hold the variance -1; a variance is not negative. They are (mean, variance), in "
        "this order",
    ):
        layers.batch_norm(np.ones((2, 1)), [1.0], [0.0], statistics=([0.0], [-1.0]))
    assert np.array_equal(layers.dropout(np.ones(9), 0.5, 3)[0], layers.dropout(np.ones(9), 0.5, rng=3)[0])
    with refused(ShapeError, "batch_norm: the statistics are of 2 and 2 features, X has 3"):
        layers.batch_norm(X, three, three, statistics=(two, two))
    with refused(ShapeError, "group_norm: X has shape (4, 3, 2) with 3 channels, groups=2; expected a divisor of 3"):
        layers.group_norm(np.ones((4, 3, 2)), three, three, 2)
    with refused(
        DomainError,
        "dropout: drop=1.0; expected the probability that an entry is dropped, 0 ≤ drop < 1. CS231n's p is the "
        "probability that it is kept: pass 1 − p",
    ):
        layers.dropout(X, 1.0)
    with refused(
        ArgumentError,
        "dropout: give rng, such as np.random.default_rng(0), or the mask; nothing is drawn from a hidden state",
    ):
        layers.dropout(X, 0.5)
    with refused(ShapeError, "dropout: the mask has shape (3,), X (4, 3); they must be equal"):
        layers.dropout(X, 0.5, mask=[True, True, False])


# --- wrong ones ----------------------------------------------------------------------------------------


class Wrong(BatchNorm):  # type: ignore[misc]
    """Batch normalisation with a part of its derivative missing."""

    def __init__(self, missing: str) -> None:
        super().__init__()
        self.missing = missing

    def _by_input(self, shape: Any, axes: Any, hat: Array, scale: Array, gamma: Array) -> Jacobian:
        m = hat.shape[1]
        d, ones = np.broadcast_to(scale, hat.shape).T, np.ones(hat.shape[::-1])
        by_variance = DiagonalMinusOuter(d, (scale * hat).T, hat.T / m, 0)
        inner: Jacobian = Diagonal(d) if self.missing == "variance" else by_variance
        if self.missing != "mean":
            inner = inner @ DiagonalMinusOuter(ones, ones, ones / m, 0)
        return inner if self.missing == "gamma" else Diagonal(gamma * ones) @ inner


@pytest.mark.parametrize("missing", ["variance", "gamma", "mean"])
def test_a_missing_path_is_caught(missing: str) -> None:
    arrays = [rng.normal(size=(4, 3)), rng.normal(size=3) + 2, rng.normal(size=3)]
    assert_reference(Wrong("nothing"), arrays)
    with pytest.raises(AssertionError, match="law reference: batch_norm with respect to X"):
        assert_reference(Wrong(missing), arrays)


def test_a_mask_that_is_scaled_twice_is_caught() -> None:
    class Twice(layers.Dropout):  # type: ignore[misc]
        def _linearize(self, *arrays: Array) -> Any:
            value, makers = super()._linearize(*arrays)
            return value, {"X": lambda: makers["X"]() / (1 - self.drop)}

    with pytest.raises(AssertionError, match="law reference"):
        assert_operation_laws(Twice([True, False, True], 0.5), [np.ones(3)])
