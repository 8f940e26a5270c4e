"""Losses of layers: their laws, curvature, what the courses have of them, what they refuse, and a wrong one."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians import Layout
from jacobians.arrays import inverse_axes
from jacobians.errors import DomainError, DTypeError, ShapeError
from jacobians.operations import Huber, KLDivergence, Loss, Poisson, TemporalSoftmax
from jacobians.operations.losses import Examples
from jacobians.testing import assert_hessian, assert_operation_laws, assert_reference

rng = np.random.default_rng(0)
LABELS = np.array([[0, 2, 1], [1, 0, 2]])
WEIGHTED = TemporalSoftmax([[1, 1, 0], [0.5, 1, 1]], [1.0, 2.0, 0.5], ignore=1, smoothing=0.2, reduction="sum")

LOSSES: dict[str, tuple[Loss, np.ndarray, np.ndarray]] = {
    "huber": (Huber(0.7), rng.normal(size=(3, 2)), rng.normal(size=(3, 2))),
    "huber in columns": (Huber(layout="matlab", factor=0.5), rng.normal(size=(2, 3)), rng.normal(size=(2, 3))),
    "poisson": (Poisson("sum"), rng.normal(size=(3, 2)), rng.integers(0, 5, (3, 2))),
    "kl_divergence": (KLDivergence("mean-all"), np.log(rng.dirichlet(np.ones(3), 2)), rng.dirichlet(np.ones(3), 2)),
    "temporal_softmax": (TemporalSoftmax(), rng.normal(size=(2, 3, 3)), LABELS),
    "temporal_softmax, weighted": (WEIGHTED, rng.normal(size=(2, 3, 3)), LABELS),
    "temporal_softmax of images": (
        TemporalSoftmax(axis=1, reduction="none"), rng.normal(size=(2, 3, 2, 2)), rng.integers(0, 3, (2, 2, 2))
    ),
    "temporal_softmax in columns": (
        TemporalSoftmax(reduction="mean", layout=Layout(batch="columns")), rng.normal(size=(3, 2, 2)), LABELS[:, :2]
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LOSSES)
def test_laws(name: str) -> None:
    loss, X, Y = LOSSES[name]
    assert_operation_laws(lambda X: loss(X, Y), [X], directions=1, coordinates=0, integers=False)


@pytest.mark.parametrize("name", [name for name in LOSSES if name != "kl_divergence"])
def test_curvature(name: str) -> None:
    loss, X, Y = LOSSES[name]
    assert_hessian(loss, X, Y)


@pytest.mark.parametrize(("name", "Y"), [("huber", np.eye(3)), ("poisson", np.eye(3)), ("temporal_softmax", [0, 2, 1])])
def test_a_network_takes_it_by_name(name: str, Y: Any) -> None:
    net = jac.Network.dense((2, 3), loss=name)
    params, X = net.init(0), rng.normal(size=(3, 2))
    assert net.loss.name == name
    assert np.allclose(net.gradient(params, X, Y)["W1"], X.T @ net.loss(X @ params["W1"], Y)[1].gradient)


def test_temporal_softmax_as_cs231n_writes_it() -> None:
    """Assignment 3, rnn_layers.py, temporal_softmax_loss: the sum over places with a mask, divided by the examples."""
    N, T, V = 3, 4, 5
    x, y, mask = rng.normal(size=(N, T, V)), rng.integers(V, size=(N, T)), rng.random((N, T)) < 0.6
    flat, labels, kept = x.reshape(N * T, V), y.reshape(N * T), mask.reshape(N * T)
    probs = np.exp(flat - flat.max(axis=1, keepdims=True))
    probs /= probs.sum(axis=1, keepdims=True)
    loss = -np.sum(kept * np.log(probs[np.arange(N * T), labels])) / N
    dx = probs.copy()
    dx[np.arange(N * T), labels] -= 1
    dx = dx / N * kept[:, None]
    found, J = jac.temporal_softmax(x, y, mask)
    np.testing.assert_allclose(found, loss)
    np.testing.assert_allclose(J.gradient, dx.reshape(N, T, V), atol=1e-16)


def test_the_check_of_the_notebook() -> None:
    """RNN_Captioning.ipynb: with V classes of equal scores the loss is near T·log V, 2.3 for N, T, V = 100, 1, 10."""
    x, y = 0.001 * rng.normal(size=(100, 1, 10)), rng.integers(10, size=(100, 1))
    assert abs(jac.temporal_softmax(x, y)[0] - 2.3) < 0.01
    x, y = 0.001 * rng.normal(size=(100, 10, 10)), rng.integers(10, size=(100, 10))
    assert abs(jac.temporal_softmax(x, y)[0] - 23.0) < 0.05
    mask = rng.random((5000, 10)) < 0.1
    x, y = 0.001 * rng.normal(size=(5000, 10, 10)), rng.integers(10, size=(5000, 10))
    assert 2.2 < jac.temporal_softmax(x, y, mask)[0] < 2.4


def test_of_one_place_it_is_the_cross_entropy() -> None:
    X, y = rng.normal(size=(4, 3)), [0, 2, 1, 1]
    found, J = jac.temporal_softmax(X[:, None], np.array(y)[:, None])
    expected, K = jac.cross_entropy(X, y)
    np.testing.assert_allclose(found, expected)
    np.testing.assert_allclose(J.gradient[:, 0], K.gradient, atol=1e-16)


def test_huber_is_a_square_and_two_lines() -> None:
    losses, J = jac.huber([[0.5], [-3.0]], [[0.0], [0.0]], 2.0, "none")
    assert losses.tolist() == [0.125, 4.0]
    assert J.to_dense().tolist() == [[0.5, 0.0], [0.0, -2.0]]


@pytest.mark.parametrize("batch", ["rows", "columns"])
def test_time_first_sequences_are_counted_along_their_batch(batch: str) -> None:
    """The same numbers as of sequences that are batch-first, moved; also weighted, and of every example's own loss."""
    rng = np.random.default_rng(0)
    X, Y, mask = rng.normal(size=(3, 5, 4)), rng.integers(0, 4, size=(3, 5)), rng.random((3, 5)) < 0.7
    here = Layout(batch=batch, sequences="time-first")
    moved, labels, own = X.transpose(inverse_axes(here.sequence_axes())), Y, mask
    if batch == "rows":
        labels, own = Y.T, mask.T
    for reduction in ("mean", "none", "mean-all"):
        first, J = jac.temporal_softmax(X, Y, mask, reduction=reduction)
        then, K = jac.temporal_softmax(moved, labels, own, reduction=reduction, layout=here)
        np.testing.assert_allclose(then, first, rtol=1e-12)
        weights = rng.normal(size=J.codomain)
        back = K.vjp(weights).transpose(here.sequence_axes())
        np.testing.assert_allclose(back, J.vjp(weights), rtol=1e-12, atol=1e-15)
    weighted = jac.operations.Weighted(jac.operations.SquaredError(layout=here), [1.0, 2.0, 0.0])
    T = rng.normal(size=X.shape)
    expected = (((X - T) ** 2).sum(axis=(1, 2)) * [1, 2, 0]).mean()
    assert np.isclose(weighted(moved, T.transpose(inverse_axes(here.sequence_axes())))[0], expected)


def refused(error: type[Exception], message: str) -> Any:
    return pytest.raises(error, match=f"^{re.escape(message)}$")


def test_refusals() -> None:
    X = np.zeros((2, 3, 4))
    labels = np.zeros((2, 3), int)
    with refused(
        ShapeError, "temporal_softmax: labels have shape (3, 2), X with its classes along axis -1 expects (2, 3)"
    ):
        jac.temporal_softmax(X, labels.T)
    with refused(
        DomainError,
        "temporal_softmax: labels lie in [-1, 0], X has 4 classes; is one the padding? Give it as ignore=",
    ):
        jac.temporal_softmax(X, [[0, 0, -1], [0, 0, 0]])
    for wrong in (labels + 0.5, labels == 0):
        with refused(
            DTypeError,
            f"temporal_softmax: labels have dtype {wrong.dtype}, and are not all whole; expected integers 0 … 3, the "
            "classes of the places",
        ):
            jac.temporal_softmax(X, wrong)
    with refused(ShapeError, "temporal_softmax: the mask has shape (2,), the labels (2, 3)"):
        jac.temporal_softmax(X, labels, [1, 1])
    with refused(ShapeError, "temporal_softmax: class_weights has shape (3,), X has 4 classes"):
        jac.temporal_softmax(X, labels, class_weights=np.ones(3))
    with refused(DomainError, "temporal_softmax: smoothing=1.0; expected a share of the target, 0 ≤ s < 1"):
        jac.temporal_softmax(X, labels, smoothing=1.0)
    with refused(
        ShapeError, "temporal_softmax: X has shape (2, 3, 4); expected examples along axis 0, and classes along axis 0"
    ):
        jac.temporal_softmax(X, labels, axis=0)
    assert jac.temporal_softmax(X, labels, layout="pytorch", reduction="sum")[0] == 6 * np.log(4)
    with refused(DomainError, "huber: delta=0; it must be a positive number, such as 1"):
        jac.huber([[1.0]], [[1.0]], 0)
    with refused(DomainError, "poisson: Y holds -1; counts are not negative"):
        jac.poisson([[1.0]], [[-1.0]])
    with refused(DomainError, "kl_divergence: Y holds -0.5; probabilities are not negative"):
        jac.kl_divergence([[1.0]], [[-0.5]])


class MaskForgottenOnTheWayBack(TemporalSoftmax):  # type: ignore[misc]
    """The loss leaves places out, its gradient does not."""

    def _examples(self, X: np.ndarray, Y: np.ndarray) -> Examples:
        losses, _ = super()._examples(X, Y)
        _, delta = TemporalSoftmax()._examples(X, Y)
        return losses, delta


def test_a_wrong_one_is_caught() -> None:
    loss = MaskForgottenOnTheWayBack([[1, 1, 0], [1, 0, 0]])
    with pytest.raises(AssertionError, match="law reference"):
        assert_reference(lambda X: loss(X, LABELS), [rng.normal(size=(2, 3, 3))])
