"""Wrong backward passes of layers, written by hand, are recognised; so is every slip of their catalogue."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians import layers
from jacobians.diagnosis.slip import Setting
from jacobians.diagnosis.slips.layers import layers as catalogue
from jacobians.layers import BatchNorm, Convolution, Dropout, Flattened, LayerNorm, Pool
from jacobians.operations import Affine, CrossEntropy, ReLU, Tanh
from tests.central_differences import central

rng = np.random.default_rng(0)


def small_net(
    *norms: Any, stride: int = 1, pool: Any = None
) -> tuple[Any, dict[str, np.ndarray], np.ndarray, list[int]]:
    operations = [Convolution(pad=1), ReLU(), Convolution(stride=stride, pad=1), *norms, Tanh()]
    operations += ([pool] if pool else []) + [Flattened(), Affine()]
    net = jac.Network(operations, CrossEntropy(), "cs231n")
    X, Y = rng.normal(size=(6, 1, 6, 6)), [0, 1, 2, 0, 1, 2]
    places = (6 // stride) // (2 if pool else 1)
    given = [rng.normal(size=s) for s in ((2, 1, 3, 3), (2,), (2, 2, 3, 3), (2,))]
    given += [rng.normal(size=2) for norm in norms if norm.name != "dropout" for _ in range(2)]
    given += [rng.normal(size=(2 * places**2, 3)), rng.normal(size=3)]
    return net, dict(zip(net.names, given, strict=True)), X, Y


NETS = {
    "stride": small_net(stride=2),
    "batch norm, max pool": small_net(BatchNorm(), pool=Pool("max", 2)),
    "dropout, avg pool": small_net(Dropout(rng.random((6, 2, 6, 6)) < 0.6, 0.4), pool=Pool("avg", 2)),
}


@pytest.mark.parametrize(
    ("name", "every"),
    [("stride", 8), *(pytest.param(n, 1, marks=pytest.mark.slow) for n in sorted(NETS))],
)
def test_every_slip_of_the_catalogue_is_named_first(name: str, every: int) -> None:
    net, params, X, Y = NETS[name]
    setting = Setting(net, params, X, Y)
    slips = [slip for slip in catalogue(setting) if slip.scope[0] not in "01"][::every]
    assert slips
    for slip in slips:
        wrong = slip.edit(setting.right).gradient()
        found = jac.diagnose(wrong, net, params, X, Y)
        assert found.cause is not None, slip.title
        assert found.cause.title == slip.title
    assert jac.diagnose(setting.gradient, net, params, X, Y).right


def by_hand(slip: str) -> tuple[dict[str, np.ndarray], Any]:
    """A convolution without padding, batch normalisation of its channels and a sum: its gradient with one slip."""
    X, W, C = rng.normal(size=(3, 2, 6, 6)), rng.normal(size=(4, 2, 3, 3)), rng.normal(size=(3, 4, 2, 2))
    stride, m = 2, 12
    padded = X
    Z = np.zeros((3, 4, 2, 2))
    for i in range(2):
        for j in range(2):
            window = padded[:, :, stride * i : stride * i + 3, stride * j : stride * j + 3]
            Z[:, :, i, j] = np.einsum("nckl,ockl->no", window, W)
    s = np.sqrt(Z.var(axis=(0, 2, 3), keepdims=True) + 1e-5)
    hat = (Z - Z.mean(axis=(0, 2, 3), keepdims=True)) / s
    dZ = C - ("mean" not in slip) * C.sum(axis=(0, 2, 3), keepdims=True) / m
    dZ = (dZ - ("variance" not in slip) * hat * (C * hat).sum(axis=(0, 2, 3), keepdims=True) / m) / s
    dX, dW = np.zeros(X.shape), np.zeros(W.shape)
    kernel = W[:, :, ::-1, ::-1] if "kernel" in slip else W
    step = 1 if "stride" in slip else stride
    for i in range(2):
        for j in range(2):
            key = (slice(None), slice(None), slice(step * i, step * i + 3), slice(step * j, step * j + 3))
            dX[key] += np.einsum("no,ockl->nckl", dZ[:, :, i, j], kernel)
            dW += np.einsum("no,nckl->ockl", dZ[:, :, i, j], padded[key])
    x, w = jac.values(X=X, W=W)
    normed = layers.batch_norm(layers.conv2d(x, w, stride=stride), np.ones(4), np.zeros(4))
    return {"X": dX, "W": dW}, (normed * C).sum()


@pytest.mark.parametrize(
    ("slip", "name", "said"),
    [
        ("kernel", "kernel-not-flipped", "The kernel is not turned on the way back to the images: conv2d_3."),
        ("stride", "stride-forgotten", "The stride is forgotten in the backward pass: conv2d_3."),
        ("mean", "statistics-constant", "The path through the mean is missing in batch_norm's gradient: batch_norm_4."),
        ("variance", "statistics-constant", "The path through the variance is missing in batch_norm's gradient"),
        ("mean and variance", "statistics-constant", "The path through the mean and the path through the variance are"),
    ],
)
def test_a_program_by_hand_is_recognised(slip: str, name: str, said: str) -> None:
    right, loss = by_hand("")
    assert jac.diagnose(right, loss).right
    found = jac.diagnose(*by_hand(slip))
    assert found.cause is not None
    assert found.cause.name == name
    assert found.headline.startswith(said[:40])


def test_a_gradient_through_the_running_statistics() -> None:
    """CS231n's batchnorm_backward after a forward pass in test mode; and autograd, which saw the statistics mixed."""
    x, gamma, C = 2 * rng.normal(size=(5, 3)) + 1, rng.normal(size=3), rng.normal(size=(5, 3))
    running = layers.running_statistics(x, (np.zeros(3), np.ones(3)), momentum=0.9)
    X, g = jac.values(X=x, gamma=gamma)
    loss = (layers.batch_norm(X, g, np.zeros(3), statistics=running) * C).sum()
    (mean, variance), N = running, len(x)
    s = np.sqrt(variance + 1e-5)
    hat, dhat = (x - mean) / s, C * gamma
    dgamma = (C * hat).sum(axis=0)
    training = (N * dhat - dhat.sum(axis=0) - hat * (dhat * hat).sum(axis=0)) / (N * s)
    found = jac.diagnose({"X": training, "gamma": dgamma}, loss)
    assert found.cause is not None
    assert found.cause.name == "through-running-statistics"
    assert found.headline.startswith("Batch_norm's gradient in evaluation is that of training, made of the running")

    def mixed(x: np.ndarray) -> float:
        mean, variance = layers.running_statistics(x, (np.zeros(3), np.ones(3)), momentum=0.9)
        return float((gamma * (x - mean) / np.sqrt(variance + 1e-5) * C).sum())

    found = jac.diagnose({"X": central(mixed, x), "gamma": dgamma}, loss)
    assert found.cause is not None
    assert found.cause.title.endswith("goes through the running statistics, by 1 − momentum = 0.1: batch_norm_2")
    assert jac.diagnose({"X": dhat / s, "gamma": dgamma}, loss).right


def test_layer_norm_too() -> None:
    x, g, b = jac.values(X=rng.normal(size=(3, 4)), gamma=rng.normal(size=4), beta=rng.normal(size=4))
    C = rng.normal(size=(3, 4))
    loss = (LayerNorm()(x, g, b) * C).sum()
    X, s = x.array, np.sqrt(x.array.var(axis=1, keepdims=True) + 1e-5)
    hat = (X - X.mean(axis=1, keepdims=True)) / s
    own = C * g.array / s
    wrong = {"X": own - own.mean(axis=1, keepdims=True), "gamma": (C * hat).sum(0), "beta": C.sum(0)}
    assert jac.diagnose(wrong, loss).headline.startswith("The path through the variance is missing")
