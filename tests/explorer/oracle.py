"""What the page must show, from NumPy alone: every Jacobian by `np.kron` and `np.diag`, every place by counting.

Nothing here uses the library's Jacobians, layouts or translations; an example's arrays are its only input.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jacobians.arrays import Array
from jacobians.explorer.example_nets import Example


@dataclass(frozen=True)
class Choice:
    """Five switches."""

    batch: str
    weights: str
    bias: str
    vec: str
    derivative: str

    @property
    def fragment(self) -> str:
        return f"{self.batch}.{self.weights}.{self.bias}.{self.vec}.{self.derivative}"


def forward(example: Example, bias: str) -> dict[str, Array]:
    """X, Z1, A1, …, and the probabilities P of the softmax or of sigmoids, one example a row."""
    arrays = {"X": example.X}
    A, layers = example.X, len(example.sizes) - 1
    for k in range(1, layers + 1):
        Z = A @ example.params[f"W{k}"]
        if bias != "none":
            Z = Z + example.params[f"b{k}"]
        arrays[f"Z{k}"] = Z
        if k < layers:
            A = 1 / (1 + np.exp(-Z)) if example.activation == "sigmoid" else np.where(Z > 0, Z, 0.0)
            arrays[f"A{k}"] = A
    if example.loss == "binary_cross_entropy":
        return arrays | {"P": 1 / (1 + np.exp(-Z))}
    E = np.exp(Z)
    return arrays | {"P": E / E.sum(axis=1, keepdims=True)}


def plain_jacobian(example: Example, of: str, wrt: str, bias: str) -> Array:
    """One factor with examples in rows, nodes in columns, rows stacked; an absorbed bias as a first row of W."""
    arrays, count = forward(example, bias), example.X.shape[0]
    ones = np.ones((count, 1))
    if of == "loss":
        return np.full((1, count), 1 / count)
    if of == "losses":
        rest = arrays["P"].copy()
        rest[np.arange(count), example.labels] -= 1
        return np.concatenate([np.kron(np.eye(count)[n], rest[n])[None] for n in range(count)])
    if of.startswith("A"):
        Z = arrays[wrt]
        slope = np.exp(-Z) / (1 + np.exp(-Z)) ** 2 if example.activation == "sigmoid" else (Z > 0) * 1.0
        return np.diag(slope.ravel())
    layer = int(of[1:])
    inputs = arrays["X" if layer == 1 else f"A{layer - 1}"]
    W = example.params[f"W{layer}"]
    nodes = np.eye(W.shape[1])
    match wrt[0]:
        case "W":
            return np.kron(inputs if bias in ("separate", "none") else np.hstack([ones, inputs]), nodes)
        case "b":
            return np.kron(ones, nodes)
        case _:
            return np.kron(np.eye(count), W.T)


def laid_out(name: str, shape: tuple[int, ...], choice: Choice) -> Array:
    """For each entry of an array in a layout, which entry of the plain array it is, counted row after row."""
    plain = np.arange(int(np.prod(shape))).reshape(shape)
    if name.startswith("W"):
        if choice.bias == "last":
            plain = np.vstack([plain[1:], plain[:1]])
        return plain if choice.weights == "columns" else plain.T
    if name.startswith("b"):
        return plain if choice.batch == "rows" else plain.reshape(-1, 1)
    return plain.T if len(shape) == 2 and choice.batch == "columns" else plain


def plain_shape(example: Example, name: str, bias: str) -> tuple[int, ...]:
    count, sizes = example.X.shape[0], example.sizes
    if name in ("loss", "losses"):
        return () if name == "loss" else (count,)
    if name == "X":
        return count, sizes[0]
    layer = int(name[1:])
    if name.startswith("W"):
        return sizes[layer - 1] + (bias in ("first", "last")), sizes[layer]
    return (sizes[layer],) if name.startswith("b") else (count, sizes[layer])


def shown_jacobian(example: Example, of: str, wrt: str, choice: Choice) -> Array:
    """The matrix that a pane shows in a layout."""
    order = {name: laid_out(name, plain_shape(example, name, choice.bias), choice) for name in (of, wrt)}
    rows, columns = (order[name].flatten(order=choice.vec) for name in (of, wrt))
    matrix = plain_jacobian(example, of, wrt, choice.bias)[np.ix_(rows, columns)]
    return matrix if choice.derivative == "numerator" else matrix.T
