"""W10: layers: the gradients of convolutions, of an LSTM and of attention, and norms of per-example gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import jacobians as jac
from jacobians import layers
from jacobians.linops import BlockDiagonal
from tests.benchmarks.contest import Case, Contender
from tests.benchmarks.hand_written import layers as by_hand
from tests.benchmarks.peers.installed import contenders

TITLE = "W10: layers"
Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Layer:
    """One layer's arrays, and a cotangent of its value."""

    name: str
    kind: str
    shapes: dict[str, tuple[int, ...]]

    def arrays(self) -> Arrays:
        rng = np.random.default_rng(0)
        return {name: (0.1 * rng.normal(size=s)).astype(np.float32) for name, s in self.shapes.items()}


def convolution(count: int, channels: int, length: int, outputs: int) -> Layer:
    """A 3×3 kernel over square images, padded by 1."""
    images, kernel = (count, channels, length, length), (outputs, channels, 3, 3)
    shapes = {"X": images, "W": kernel, "b": (outputs,), "cotangent": (count, outputs, length, length)}
    return Layer(f"conv2d {count} × {channels}×{length}×{length} → {outputs} f32", "conv", shapes)


def lstm(count: int, steps: int, width: int) -> Layer:
    shapes = {"X": (count, steps, width), "h": (count, width), "c": (count, width)}
    shapes |= {
        "Wx": (width, 4 * width),
        "Wh": (width, 4 * width),
        "b": (4 * width,),
        "cotangent": (count, steps, width),
    }
    return Layer(f"LSTM {count} × {steps} steps × {width} f32", "lstm", shapes)


def attention(count: int, heads: int, steps: int, width: int) -> Layer:
    one = (count, heads, steps, width)
    shapes = dict.fromkeys(("Q", "K", "V", "cotangent"), one)
    return Layer(f"attention {count} × {heads} × {steps} × {width} f32", "attention", shapes)


LAYERS = (
    convolution(64, 3, 32, 32),
    convolution(64, 32, 32, 32),
    convolution(32, 64, 16, 128),
    lstm(64, 32, 128),
    attention(16, 8, 128, 64),
)


def cases(every: tuple[Layer, ...] = LAYERS) -> Iterator[Case]:
    for layer in every:
        yield gradient(layer)
        if layer.kind != "attention":
            yield norms(layer)


OPERATIONS: dict[str, Callable[..., Any]] = {
    "conv": lambda X, W, b: layers.conv2d(X, W, b, pad=1),
    "lstm": layers.lstm,
    "attention": layers.attention,
}


def all_gradients(layer: Layer) -> Callable[..., Arrays]:
    """The value, and what arrives at every array."""

    def found(*arrays: np.ndarray) -> Arrays:
        value, J = OPERATIONS[layer.kind](*arrays[:-1])
        return {"value": value, **J.pull(arrays[-1])}

    return found


def gradient(layer: Layer) -> Case:
    given = layer.arrays()
    arrays, ours = tuple(given.values()), all_gradients(layer)
    replayed = jac.replayed(ours)
    return Case(
        f"{layer.name}: gradient",
        (
            Contender("products alone", "floor", by_hand.products(layer.kind, given)),
            Contender("ours", "ours", lambda: ours(*arrays)),
            Contender("ours, replayed", "ours", lambda: replayed(*arrays)),
            Contender("NumPy", "by hand", lambda: by_hand.GRADIENTS[layer.kind](*arrays)),
            *contenders("layer_gradient", layer),
        ),
    )


def norms(layer: Layer) -> Case:
    given = layer.arrays()
    arrays, ours = tuple(given.values()), jac.replayed(all_gradients(layer))
    find = by_structure[layer.kind]
    replayed = jac.replayed(find)
    return Case(
        f"{layer.name}: norms of per-example gradients",
        (
            Contender("our gradient, replayed", "floor", lambda: ours(*arrays)),
            Contender("row_norms", "ours", lambda: {"norms": find(*arrays)}),
            Contender("row_norms, replayed", "ours", lambda: {"norms": replayed(*arrays)}),
            *contenders("layer_norms", layer),
        ),
    )


def kernel_norms(X: np.ndarray, W: np.ndarray, b: np.ndarray, cotangent: np.ndarray) -> np.ndarray:
    """Of each example's gradient by the kernel, without writing one out."""
    Z, J = layers.conv2d(X, W, b, pad=1)
    rows = BlockDiagonal(cotangent.reshape(len(X), 1, -1), (len(X),), Z.shape, 0)
    found: np.ndarray = (rows @ J.W).row_norms()
    return found


def lstm_norms(
    X: np.ndarray, h: np.ndarray, c: np.ndarray, Wx: np.ndarray, Wh: np.ndarray, b: np.ndarray, cotangent: np.ndarray
) -> np.ndarray:
    """Of each example's gradient by all weights."""
    weights = jac.values(Wx=Wx, Wh=Wh, b=b)
    losses = (layers.lstm(X, h, c, *weights) * cotangent).sum(axis=(1, 2))
    found: np.ndarray = losses.jacobian(*weights).row_norms()
    return found


by_structure: dict[str, Callable[..., np.ndarray]] = {"conv": kernel_norms, "lstm": lstm_norms}
