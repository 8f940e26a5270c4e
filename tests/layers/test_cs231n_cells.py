"""The cells of Stanford CS231n's assignments that print numbers without their data, at the printed digits.

Inputs come from np.linspace, or from seed 231. Sources: assignment 2, FullyConnectedNets.ipynb,
BatchNormalization.ipynb, Dropout.ipynb and ConvolutionalNetworks.ipynb; assignment 3, RNN_Captioning.ipynb and
LSTM_Captioning.ipynb; 2017–2020, where layers.py and rnn_layers.py are checked to 1e-7. Some numbers were read in
public copies of the notebooks, others are from memory; all come out of the inputs. The update rules are in
`tests.training.test_rules`.

Missing: the cells that need CIFAR-10, MNIST or COCO; those that print only errors of numerical gradients; and
assignment 3's MultiHeadAttention of 2021 and later, whose numbers are printed with dropout at work, by a generator of
torch's own.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians import layers
from jacobians.layout import Layout


def along(low: float, high: float, *shape: int) -> np.ndarray:
    return np.linspace(low, high, num=math.prod(shape)).reshape(shape)


def same(found: np.ndarray, printed: Any) -> None:
    """As printed: eight decimals."""
    np.testing.assert_allclose(found, np.asarray(printed), rtol=0, atol=0.6e-8)


def test_conv_forward_naive() -> None:
    x, w, b = along(-0.1, 0.5, 2, 3, 4, 4), along(-0.2, 0.3, 3, 3, 4, 4), along(-0.1, 0.2, 3)
    out, _ = layers.conv2d(x, w, b, stride=2, pad=1)
    same(out, [[[[-0.08759809, -0.10987781], [-0.18387192, -0.2109216]],
                [[0.21027089, 0.21661097], [0.22847626, 0.23004637]],
                [[0.50813986, 0.54309974], [0.64082444, 0.67101435]]],
               [[[-0.98053589, -1.03143541], [-1.19128892, -1.24695841]],
                [[0.69108355, 0.66880383], [0.59480972, 0.56776003]],
                [[2.36270298, 2.36904306], [2.38090835, 2.38247847]]]])  # fmt: skip


def test_max_pool_forward_naive() -> None:
    out, _ = layers.max_pool(along(-0.3, 0.4, 2, 3, 4, 4), 2, 2)
    same(out, [[[[-0.26315789, -0.24842105], [-0.20421053, -0.18947368]],
                [[-0.14526316, -0.13052632], [-0.08631579, -0.07157895]],
                [[-0.02736842, -0.01263158], [0.03157895, 0.04631579]]],
               [[[0.09052632, 0.10526316], [0.14947368, 0.16421053]],
                [[0.20842105, 0.22315789], [0.26736842, 0.28210526]],
                [[0.32631579, 0.34105263], [0.38526316, 0.4]]]])  # fmt: skip


def test_affine_forward() -> None:
    x, w, b = along(-0.1, 0.5, 2, 4, 5, 6), along(-0.2, 0.3, 120, 3), along(-0.3, 0.1, 3)
    out, _ = jac.affine(layers.flatten(x)[0], w, b, Layout())
    same(out, [[1.49834967, 1.70660132, 1.91485297], [3.25553199, 3.5141327, 3.77273342]])


def test_relu_forward() -> None:
    out, _ = jac.relu(along(-0.5, 0.5, 3, 4))
    same(out, [[0, 0, 0, 0], [0, 0, 0.04545455, 0.13636364], [0.22727273, 0.31818182, 0.40909091, 0.5]])


def test_word_embedding_forward() -> None:
    out, _ = layers.embedding([[0, 3, 1, 2], [2, 1, 0, 3]], along(0, 1, 5, 3))
    same(out, [[[0.0, 0.07142857, 0.14285714], [0.64285714, 0.71428571, 0.78571429],
                [0.21428571, 0.28571429, 0.35714286], [0.42857143, 0.5, 0.57142857]],
               [[0.42857143, 0.5, 0.57142857], [0.21428571, 0.28571429, 0.35714286],
                [0.0, 0.07142857, 0.14285714], [0.64285714, 0.71428571, 0.78571429]]])  # fmt: skip


def test_rnn_step_forward() -> None:
    x, h = along(-0.4, 0.7, 3, 10), along(-0.2, 0.5, 3, 4)
    Wx, Wh, b = along(-0.1, 0.9, 10, 4), along(-0.3, 0.7, 4, 4), along(-0.2, 0.4, 4)
    state, _ = layers.rnn_step(x, h, Wx, Wh, b)
    same(state, [[-0.58172089, -0.50182032, -0.41232771, -0.31410098], [0.66854692, 0.79562378, 0.87755553, 0.92795967],
                 [0.97934501, 0.99144213, 0.99646691, 0.99854353]])  # fmt: skip


def test_rnn_forward() -> None:
    x, h = along(-0.1, 0.3, 2, 3, 4), along(-0.3, 0.1, 2, 5)
    Wx, Wh, b = along(-0.2, 0.4, 4, 5), along(-0.4, 0.1, 5, 5), along(-0.7, 0.1, 5)
    states, _ = layers.rnn(x, h, Wx, Wh, b)
    same(states, [[[-0.42070749, -0.27279261, -0.11074945, 0.05740409, 0.22236251],
                   [-0.39525808, -0.22554661, -0.0409454, 0.14649412, 0.32397316],
                   [-0.42305111, -0.24223728, -0.04287027, 0.15997045, 0.35014525]],
                  [[-0.55857474, -0.39065825, -0.19198182, 0.02378408, 0.23735671],
                   [-0.27150199, -0.07088804, 0.13562939, 0.33099728, 0.50158768],
                   [-0.51014825, -0.30524429, -0.06755202, 0.17806392, 0.40333043]]])  # fmt: skip


def test_lstm_step_forward() -> None:
    x, h, c = along(-0.4, 1.2, 3, 4), along(-0.3, 0.7, 3, 5), along(-0.4, 0.9, 3, 5)
    Wx, Wh, b = along(-2.1, 1.3, 4, 20), along(-0.7, 2.2, 5, 20), along(0.3, 0.7, 20)
    (state, _), (cell, _) = layers.lstm_step(x, h, c, Wx, Wh, b)
    same(state, [[0.24635157, 0.28610883, 0.32240467, 0.35525807, 0.38474904],
                 [0.49223563, 0.55611431, 0.61507696, 0.66844003, 0.7159181],
                 [0.56735664, 0.66310127, 0.74419266, 0.80889665, 0.858299]])  # fmt: skip
    same(cell, [[0.32986176, 0.39145139, 0.451556, 0.51014116, 0.56717407],
                [0.66382255, 0.76674007, 0.87195994, 0.97902709, 1.08751345],
                [0.74192008, 0.90592151, 1.07717006, 1.25120233, 1.42395676]])  # fmt: skip


def test_lstm_forward() -> None:
    x, h = along(-0.4, 0.6, 2, 3, 5), along(-0.4, 0.8, 2, 4)
    Wx, Wh, b = along(-0.2, 0.9, 5, 16), along(-0.3, 0.6, 4, 16), along(0.2, 0.7, 16)
    states, _ = layers.lstm(x, h, np.zeros((2, 4)), Wx, Wh, b)
    same(states, [[[0.01764008, 0.01823233, 0.01882671, 0.0194232], [0.11287491, 0.12146228, 0.13018446, 0.13902939],
                   [0.31358768, 0.33338627, 0.35304453, 0.37250975]],
                  [[0.45767879, 0.4761092, 0.4936887, 0.51041945], [0.6704845, 0.69350089, 0.71486014, 0.7346449],
                   [0.81733511, 0.83677871, 0.85403753, 0.86935314]]])  # fmt: skip


# --- nets and losses -----------------------------------------------------------------------------------


def test_two_layer_net() -> None:
    """FullyConnectedNets.ipynb, "Testing test-time forward pass" and "training loss": N, D, H, C = 3, 5, 50, 7."""
    net = jac.Network.dense((5, 50, 7))
    shapes = {"W1": (-0.7, 0.3, 5, 50), "b1": (-0.1, 0.9, 50), "W2": (-0.3, 0.4, 50, 7), "b2": (-0.9, 0.1, 7)}
    params = {name: along(low, high, *shape) for name, (low, high, *shape) in shapes.items()}
    X, y = along(-5.5, 4.5, 5, 3).T, [0, 5, 1]
    scores = net.run(params, X, y).output
    printed = [
        [11.53165108, 12.2917344, 13.05181771, 13.81190102, 14.57198434, 15.33206765, 16.09215096],
        [12.05769098, 12.74614105, 13.43459113, 14.1230412, 14.81149128, 15.49994135, 16.18839143],
        [12.58373087, 13.20054771, 13.81736455, 14.43418138, 15.05099822, 15.66781506, 16.2846319],
    ]
    same(scores, printed)
    assert abs(net.value(params, X, y) - 3.4702243556) < 1e-10
    assert abs(net.replace(l2=1.0).value(params, X, y) - 26.5948426952) < 1e-10


def test_svm_loss_and_softmax_loss() -> None:
    """FullyConnectedNets.ipynb, "Loss layers"."""
    drawn = np.random.RandomState(231)
    x, y = 0.001 * drawn.randn(50, 10), drawn.randint(10, size=50)
    assert abs(jac.multiclass_hinge(x, y)[0] - 8.999602749096233) < 1e-14
    assert abs(jac.cross_entropy(x, y)[0] - 2.302545844500738) < 1e-14


@pytest.mark.parametrize(
    ("cell", "gates", "features", "printed"),
    [("rnn", 1, (-1.5, 0.3), 9.83235591003), ("lstm", 4, (-0.5, 1.7), 9.82445935443)],
)
def test_captioning_rnn(cell: str, gates: int, features: tuple[float, float], printed: float) -> None:
    """RNN_Captioning.ipynb and LSTM_Captioning.ipynb, CaptioningRNN.loss: N, D, W, H, V, T = 10, 20, 30, 40, 3, 13."""
    captions = (np.arange(130) % 3).reshape(10, 13)
    words, targets = captions[:, :-1], captions[:, 1:]
    own = partial(along, -1.4, 1.3)
    h0 = along(*features, 10, 20) @ own(20, 40) + own(40)
    x, _ = layers.embedding(words, own(3, 30))
    weights = own(30, 40 * gates), own(40, 40 * gates), own(40 * gates)
    states = layers.rnn(x, h0, *weights)[0] if cell == "rnn" else layers.lstm(x, h0, 0 * h0, *weights)[0]
    scores, _ = jac.affine(states, own(40, 3), own(3), Layout(features="one-axis"))
    assert abs(jac.temporal_softmax(scores, targets, targets != 0)[0] - printed) < 1e-11


# --- means and standard deviations ---------------------------------------------------------------------


def spread(found: np.ndarray, axis: Any, means: Any, stds: Any) -> None:
    same(found.mean(axis=axis), means)
    same(found.std(axis=axis), stds)


def two_layers(count: int) -> np.ndarray:
    """The activations whose statistics the notebook prints first."""
    drawn = np.random.RandomState(231)
    X, W1, W2 = drawn.randn(count, 50), drawn.randn(50, 60), drawn.randn(60, 3)
    return np.maximum(0, X @ W1) @ W2


def test_batchnorm_forward() -> None:
    a = two_layers(200)
    spread(a, 0, [-2.3814598, -13.18038246, 1.91780462], [27.18502186, 34.21455511, 37.68611762])
    spread(layers.batch_norm(a, np.ones(3), np.zeros(3))[0], 0, [0, 0, 0], [0.99999999, 1, 1])
    out, _ = layers.batch_norm(a, [1.0, 2.0, 3.0], [11.0, 12.0, 13.0])
    spread(out, 0, [11, 12, 13], [0.99999999, 1.99999999, 2.99999999])


def test_batchnorm_forward_test_time() -> None:
    drawn = np.random.RandomState(231)
    W1, W2 = drawn.randn(50, 60), drawn.randn(60, 3)
    running = np.zeros(3), np.zeros(3)
    for _ in range(50):
        running = layers.running_statistics(np.maximum(0, drawn.randn(200, 50) @ W1) @ W2, running)
    a = np.maximum(0, drawn.randn(200, 50) @ W1) @ W2
    out, _ = layers.batch_norm(a, np.ones(3), np.zeros(3), statistics=running)
    spread(out, 0, [-0.03927354, -0.04349152, -0.10452688], [1.01531428, 1.01238373, 0.97819988])


def test_layernorm_forward() -> None:
    a = two_layers(4)
    stds = [10.07429373, 28.39478981, 35.28360729, 4.01831507]
    spread(a, 1, [-59.06673243, -47.60782686, -43.31137368, -26.40991744], stds)
    stds = [0.99999995, 0.99999999, 1, 0.99999969]
    spread(layers.layer_norm(a, np.ones(3), np.zeros(3))[0], 1, [0, 0, 0, 0], stds)
    stds = [2.99999985, 2.99999998, 2.99999999, 2.99999907]
    spread(layers.layer_norm(a, np.full(3, 3.0), np.full(3, 5.0))[0], 1, [5, 5, 5, 5], stds)


def test_spatial_batchnorm_forward() -> None:
    x, axes = 4 * np.random.RandomState(231).randn(2, 3, 4, 5) + 10, (0, 2, 3)
    spread(x, axes, [9.33463814, 8.90909116, 9.11056338], [3.61447857, 3.19347686, 3.5168142])
    out, _ = layers.batch_norm(x, np.ones(3), np.zeros(3))
    spread(out, axes, [0, 0, 0], [0.99999962, 0.99999951, 0.9999996])
    out, _ = layers.batch_norm(x, [3.0, 4.0, 5.0], [6.0, 7.0, 8.0])
    spread(out, axes, [6, 7, 8], [2.99999885, 3.99999804, 4.99999798])


def test_spatial_batchnorm_forward_test_time() -> None:
    drawn, running = np.random.RandomState(231), (np.zeros(4), np.zeros(4))
    for _ in range(50):
        running = layers.running_statistics(2.3 * drawn.randn(10, 4, 11, 12) + 13, running)
    x = 2.3 * drawn.randn(10, 4, 11, 12) + 13
    out, _ = layers.batch_norm(x, np.ones(4), np.zeros(4), statistics=running)
    means, stds = [-0.08034406, 0.07562881, 0.05716371, 0.04378383], [0.96718744, 1.0299714, 1.02887624, 1.00585577]
    spread(out, (0, 2, 3), means, stds)


def test_spatial_groupnorm_forward() -> None:
    x = 4 * np.random.RandomState(231).randn(2, 6, 4, 5) + 10
    means, stds = [9.72505327, 8.51114185, 8.9147544, 9.43448077], [3.67070958, 3.09892597, 4.27043622, 3.97521327]
    spread(x.reshape(4, -1), 1, means, stds)
    out, _ = layers.group_norm(x, np.ones(6), np.zeros(6), 2)
    spread(out.reshape(4, -1), 1, [0, 0, 0, 0], [0.99999963, 0.99999948, 0.99999973, 0.99999968])


def test_dropout_forward() -> None:
    """Dropout.ipynb, where p is the probability that an entry is kept, and is kept where np.random.rand is below it."""
    drawn = np.random.RandomState(231)
    x = drawn.randn(500, 500) + 10
    assert abs(x.mean() - 10.000207878477502) < 1e-12
    for p, mean, zeros in (
        (0.25, 10.014059116977283, 0.749784),
        (0.4, 9.977917658761159, 0.600796),
        (0.7, 9.987811912159426, 0.30074),
    ):
        out, _ = layers.dropout(x, 1 - p, mask=drawn.rand(500, 500) < p)
        assert abs(out.mean() - mean) < 1e-12
        assert (out == 0).mean() == zeros
