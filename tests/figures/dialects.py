"""Dense layers as five courses and libraries write them, by hand: forward, backward, packing.

Nothing here comes from the library under test. Every class is one convention's text, with the slips that are made
in that text. `slip` is the name of the slip that acts in this layer, or "".

Axes: n examples, i inputs of a layer, o its nodes.
"""

from __future__ import annotations

import itertools

import numpy as np

Arrays = dict[str, np.ndarray]


class Dialect:
    """One convention's dense layer. `rows`: one example is a row. `order`: how a parameter is unrolled."""

    name = ""
    rows = True
    order = "C"
    weight = "W"
    biases_last = False
    bias_in_weight = ""
    penalty = "half"

    def shapes(self, sizes: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        """The parameters' shapes, W1, b1, W2, …"""
        shapes: dict[str, tuple[int, ...]] = {}
        for k, (i, o) in enumerate(itertools.pairwise(sizes), start=1):
            shapes[f"{self.weight}{k}"] = self.weight_shape(i, o)
            if not self.bias_in_weight:
                shapes[f"b{k}"] = (o,) if self.rows else (o, 1)
        return shapes

    def packed_names(self, names: list[str]) -> list[str]:
        """The names in the order of a packed vector."""
        if not self.biases_last:
            return names
        return [n for n in names if n[0] != "b"] + [n for n in names if n[0] == "b"]

    def weight_shape(self, i: int, o: int) -> tuple[int, int]:
        raise NotImplementedError

    def forward(self, A: np.ndarray, p: Arrays, k: int, slip: str) -> np.ndarray:
        raise NotImplementedError

    def weight_gradient(self, D: np.ndarray, A: np.ndarray, slip: str) -> np.ndarray:
        raise NotImplementedError

    def input_gradient(self, D: np.ndarray, W: np.ndarray, slip: str) -> np.ndarray:
        raise NotImplementedError

    def bias_gradient(self, D: np.ndarray, slip: str) -> np.ndarray:
        """Column sums, in the rows' dialects."""
        if slip == "db-averaged":
            return D.mean(axis=0)
        if slip == "db-one-example":
            return D[-1]
        if slip == "db-all-axes":
            return np.full(D.shape[1], D.sum())
        if slip == "float32-sum-stalls":
            return np.cumsum(D.astype(np.float32), axis=0)[-1].astype(np.float64)
        if slip == "squeezed":  # one example becomes a vector, and the sum over examples a number
            return np.full(D.shape[1], np.squeeze(D).sum(axis=0))
        return D.sum(axis=0)

    def backward(self, D: np.ndarray, A: np.ndarray, p: Arrays, k: int, slip: str) -> tuple[Arrays, np.ndarray]:
        """The gradients of layer k, and by its input; D is ∂L/∂Z, A the layer's input."""
        W = p[f"{self.weight}{k}"]
        dW = self.weight_gradient(D, A, slip)
        if slip == "rows-swapped":
            dW[[0, 1]] = dW[[1, 0]]
        if slip == "reshape-for-transpose":
            dW = np.ascontiguousarray(dW.T).reshape(W.shape)
        grads = {f"{self.weight}{k}": dW}
        if not self.bias_in_weight:
            grads[f"b{k}"] = self.bias_gradient(D, slip)
        if slip == "weight-used-after-update":
            W = W - p["step"] * dW
        return grads, self.input_gradient(D, W, slip)


class RowsInOut(Dialect):
    """Z = X W + b, W (in, out): CS231n's nets."""

    name = "cs231n"

    def weight_shape(self, i: int, o: int) -> tuple[int, int]:
        return i, o

    def forward(self, A: np.ndarray, p: Arrays, k: int, slip: str) -> np.ndarray:
        W = p[f"W{k}"]
        return A.dot(W.T if slip == "square-hides-transpose" else W) + p[f"b{k}"]

    def weight_gradient(self, D: np.ndarray, A: np.ndarray, slip: str) -> np.ndarray:
        if slip == "kronecker-other-order":  # vec Z = (X ⊗ I) vec W when rows are stacked; written for columns
            J = np.kron(np.eye(D.shape[1]), A)
            return (D.ravel() @ J).reshape(A.shape[1], D.shape[1])
        return A.T.dot(D)

    def input_gradient(self, D: np.ndarray, W: np.ndarray, slip: str) -> np.ndarray:
        return D.dot(W if slip == "chain-order" else W.T)


class SklearnMLP(RowsInOut):
    """The same, with all weights packed before all biases, and λ/(2N): scikit-learn's MLPClassifier."""

    name = "sklearn-mlp"
    biases_last = True
    penalty = "half-over-n"


class RowsOutIn(Dialect):
    """Z = X Wᵀ + b, W (out, in): PyTorch's Linear. Its losses have no regulariser."""

    name = "pytorch"
    penalty = ""

    def weight_shape(self, i: int, o: int) -> tuple[int, int]:
        return o, i

    def forward(self, A: np.ndarray, p: Arrays, k: int, slip: str) -> np.ndarray:
        W = p[f"W{k}"]
        return A @ (W if slip == "square-hides-transpose" else W.T) + p[f"b{k}"]

    def weight_gradient(self, D: np.ndarray, A: np.ndarray, slip: str) -> np.ndarray:
        if slip == "kronecker-other-order":  # vec Z = (I ⊗ X) vec W in columns, against gradients in rows
            J = np.kron(np.eye(D.shape[1]), A)
            return (D.ravel() @ J).reshape(D.shape[1], A.shape[1])
        return D.T @ A

    def input_gradient(self, D: np.ndarray, W: np.ndarray, slip: str) -> np.ndarray:
        return D @ (W.T if slip == "chain-order" else W)


class ColumnsOutIn(Dialect):
    """Z = W X + b, one example a column, b (out, 1): deeplearning.ai."""

    name = "ng-dlai"
    rows = False
    penalty = "half-over-n"

    def weight_shape(self, i: int, o: int) -> tuple[int, int]:
        return o, i

    def forward(self, A: np.ndarray, p: Arrays, k: int, slip: str) -> np.ndarray:
        W = p[f"W{k}"]
        return np.dot(W.T if slip == "square-hides-transpose" else W, A) + p[f"b{k}"]

    def weight_gradient(self, D: np.ndarray, A: np.ndarray, slip: str) -> np.ndarray:
        if slip == "kronecker-other-order":  # vec Z = (I ⊗ Xᵀ) vec W when rows are stacked; written for columns
            J = np.kron(A.T, np.eye(D.shape[0]))
            return (D.ravel() @ J).reshape(D.shape[0], A.shape[0])
        return np.dot(D, A.T)

    def input_gradient(self, D: np.ndarray, W: np.ndarray, slip: str) -> np.ndarray:
        return np.dot(W if slip == "chain-order" else W.T, D)

    def bias_gradient(self, D: np.ndarray, slip: str) -> np.ndarray:
        return super().bias_gradient(D.T, slip)[:, None]


class OnesFirst(Dialect):
    """Z = [1 X] Θᵀ, Θ (out, 1 + in), unrolled by columns: Ng's exercise 4."""

    name = "ng-ml-2011"
    order = "F"
    weight = "Theta"
    bias_in_weight = "first"
    penalty = "half-over-n"

    def weight_shape(self, i: int, o: int) -> tuple[int, int]:
        return o, i + 1

    @staticmethod
    def ones(A: np.ndarray, slip: str) -> np.ndarray:
        ones = np.ones((len(A), 1))
        return np.hstack([A, ones] if slip == "ones-at-wrong-end" else [ones, A])

    def forward(self, A: np.ndarray, p: Arrays, k: int, slip: str) -> np.ndarray:
        T = p[f"Theta{k}"]
        if slip == "square-hides-transpose":
            return A @ T[:, 1:] + T[:, 0]
        return self.ones(A, slip) @ T.T

    def weight_gradient(self, D: np.ndarray, A: np.ndarray, slip: str) -> np.ndarray:
        ones = self.ones(A, slip)
        if slip == "kronecker-other-order":  # vec Z = ([1 X] ⊗ I) vec Θ by columns; written for rows
            J = np.kron(np.eye(D.shape[1]), ones)
            return (D.ravel("F") @ J).reshape((D.shape[1], ones.shape[1]), order="F")
        dT = D.T @ ones
        if slip.startswith("db-") or slip in ("float32-sum-stalls", "squeezed"):
            dT[:, 0] = self.bias_gradient(D, slip)
        return dT

    def input_gradient(self, D: np.ndarray, W: np.ndarray, slip: str) -> np.ndarray:
        if slip == "chain-order":
            return D @ W[:, 1:].T
        full = D @ W
        return full[:, :-1] if slip == "bias-row-kept" else full[:, 1:]  # δ₀ belongs to the ones


DIALECTS: dict[str, Dialect] = {
    d.name: d for d in (OnesFirst(), RowsInOut(), ColumnsOutIn(), RowsOutIn(), SklearnMLP())
}
