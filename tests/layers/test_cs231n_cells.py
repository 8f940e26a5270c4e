"""The cells of Stanford CS231n's assignments that print their outputs: inputs from np.linspace, at the printed digits.

Sources: assignment 2, FullyConnectedNets.ipynb and ConvolutionalNetworks.ipynb; assignment 3, RNN_Captioning.ipynb and
LSTM_Captioning.ipynb; 2017–2020, where layers.py and rnn_layers.py are checked to 1e-7.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

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
