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
