"""Dense Jacobians, per-example gradients and curvature of ReLU nets, by hand in NumPy, batch in rows.

A and M are a layer's inputs and the activation's derivative, S[n, k, h] = ∂output[n, k]/∂Z[n, h].
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np

from tests.benchmarks.nets import Arrays, Net, weights_and_biases


class ByHand:
    """One forward pass, and what is derived from it."""

    def __init__(self, net: Net, params: Arrays, X: np.ndarray, y: np.ndarray) -> None:
        self.net, self.X, self.y = net, X, y
        self.weights, self.biases = weights_and_biases(net, params)
        self.inputs, self.masks = [X], []
        for W, b in zip(self.weights, self.biases, strict=True):
            Z = self.inputs[-1].dot(W)
            Z += b
            if len(self.inputs) == len(self.weights):
                self.output = Z
                break
            self.masks.append((Z > 0).astype(Z.dtype))
            self.inputs.append(np.maximum(Z, 0, out=Z))

    @cached_property
    def probabilities(self) -> np.ndarray:
        P = self.output - self.output.max(axis=1, keepdims=True)
        np.exp(P, out=P)
        P /= P.sum(axis=1, keepdims=True)
        return P

    # --- outputs by everything (W2) -----------------------------------------------------------

    def sensitivities(self) -> list[np.ndarray]:
        """S of the hidden layers, of shape (N, K, width); the last layer's is the identity."""
        N, K = self.output.shape
        G = np.broadcast_to(self.weights[-1].T, (N, K, self.weights[-1].shape[0]))
        found: list[np.ndarray] = []
        for W, M in zip(reversed(self.weights[1:]), reversed(self.masks), strict=True):
            if found:
                G = found[-1].reshape(N * K, -1).dot(W.T).reshape(N, K, -1)
            found.append(G * M[:, None, :])
        return found[::-1]

    def blocks(self) -> np.ndarray:
        """∂outputs/∂X as one block for each example, (N, K, D)."""
        N, K = self.output.shape
        return self.sensitivities()[0].reshape(N * K, -1).dot(self.weights[0].T).reshape(N, K, -1)

    def by_inputs(self, out: np.ndarray) -> np.ndarray:
        """The dense (N·K, N·D) matrix, with its blocks on the diagonal, into a given array."""
        N, K = self.output.shape
        out.fill(0)
        out.reshape(N, K, N, -1)[np.arange(N), :, np.arange(N), :] = self.blocks()
        return out

    def by_parameters(self, out: np.ndarray, by_example: bool = False) -> np.ndarray:
        """The dense (N·K, parameters) matrix into a given array, W1, b1, W2, … side by side, each in C order."""
        N, K = self.output.shape
        view, start, S = out.reshape(N, K, -1), 0, self.sensitivities()
        for k, (A, W) in enumerate(zip(self.inputs, self.weights, strict=True)):
            n, m = W.shape
            block = view[:, :, start : start + n * m].reshape(N, K, n, m)
            bias = view[:, :, start + n * m : start + (n + 1) * m]
            if k < len(S):
                _outer(A, S[k], block, by_example)
                bias[...] = S[k]
            else:
                block[...] = 0
                bias[...] = 0
                for j in range(K):
                    block[:, j, :, j] = A
                    bias[:, j, j] = 1
            start += (n + 1) * m
        return out

    # --- per-example gradients (W3) --------------------------------------------------------------

    def deltas(self) -> list[np.ndarray]:
        """∂(loss of n)/∂Z[n] by layer."""
        D = self.probabilities.copy()
        D[np.arange(len(D)), self.y] -= 1
        found = [D]
        for W, M in zip(reversed(self.weights[1:]), reversed(self.masks), strict=True):
            D = D.dot(W.T)
            D *= M
            found.append(D)
        return found[::-1]

    def norms(self) -> np.ndarray:
        """The squared norms ‖∂(loss of n)/∂θ‖²: Σ over layers (‖a‖² + 1)·‖δ‖² (Goodfellow 2015)."""
        pairs = zip(self.inputs, self.deltas(), strict=True)
        return sum((np.einsum("ni,ni->n", A, A) + 1) * np.einsum("ni,ni->n", D, D) for A, D in pairs)

    def gram(self) -> np.ndarray:
        """The inner products of per-example gradients: Σ over layers (A Aᵀ + 1) ∘ (Δ Δᵀ)."""
        total = 0.0
        for A, D in zip(self.inputs, self.deltas(), strict=True):
            G = A.dot(A.T)
            G += 1
            G *= D.dot(D.T)
            total = G if isinstance(total, float) else np.add(total, G, out=total)
        return total

    def per_example(self, out: np.ndarray, by_example: bool = False) -> np.ndarray:
        """All per-example gradients, (N, parameters), into a given array."""
        start = 0
        for A, D in zip(self.inputs, self.deltas(), strict=True):
            n, m = A.shape[1], D.shape[1]
            _outer(A, D, out[:, start : start + n * m].reshape(-1, n, m), by_example)
            out[:, start + n * m : start + (n + 1) * m] = D
            start += (n + 1) * m
        return out

    # --- the Gauss–Newton matrix of the mean loss (W4) --------------------------------------------

    def gauss_newton_product(self, v: np.ndarray) -> Callable[[], np.ndarray]:
        """Jᵀ H J v with H = (diag p − p pᵀ)/N, from what the forward pass left; v and the result are packed."""
        P, N = self.probabilities, self.net.dtype(len(self.X))
        ones = np.ones(len(self.X), v.dtype)
        parts, start = [], 0
        for W in self.weights:
            n, m = W.shape
            parts.append((v[start : start + n * m].reshape(n, m), v[start + n * m : start + (n + 1) * m]))
            start += (n + 1) * m

        def run() -> np.ndarray:
            T = self.X.dot(parts[0][0])
            T += parts[0][1]
            for k in range(1, len(parts)):
                T *= self.masks[k - 1]
                T = T.dot(self.weights[k])
                T += self.inputs[k].dot(parts[k][0])
                T += parts[k][1]
            T *= P
            D = T - P * T.sum(axis=1, keepdims=True)
            D /= N
            out, stop = np.empty_like(v), v.size
            for k in reversed(range(len(parts))):
                n, m = self.weights[k].shape
                ones.dot(D, out=out[stop - m : stop])
                np.dot(self.inputs[k].T, D, out=out[stop - (n + 1) * m : stop - m].reshape(n, m))
                stop -= (n + 1) * m
                if k:
                    D = D.dot(self.weights[k].T)
                    D *= self.masks[k - 1]
            return out

        return run

    def gauss_newton_diagonal(self) -> np.ndarray:
        """Its exact diagonal: diag p − p pᵀ = R Rᵀ, R carried back by layers, its squares summed over R's columns."""
        P = self.probabilities
        N, K = P.shape
        root = np.sqrt(P)
        R = -P[:, :, None] * root[:, None, :]
        R[:, np.arange(K), np.arange(K)] += root
        R, parts = R.transpose(0, 2, 1).reshape(N * K, K), []
        for k in reversed(range(len(self.weights))):
            A = self.inputs[k]
            squares = np.einsum("nch,nch->nh", *(R.reshape(N, K, -1),) * 2)
            squares /= N
            parts += [squares.sum(axis=0), (A * A).T.dot(squares).reshape(-1)]
            if k:
                R = (R.dot(self.weights[k].T).reshape(N, K, -1) * self.masks[k - 1][:, None, :]).reshape(N * K, -1)
        return np.concatenate(parts[::-1])


def _outer(A: np.ndarray, S: np.ndarray, out: np.ndarray, by_example: bool) -> None:
    """A[n, i]·S[n, …, o] into out[n, …, i, o], in one call, or in one for each example, whose loops are shorter."""
    if not by_example:
        np.einsum("ni,n...o->n...io", A, S, out=out)
        return
    for a, s, block in zip(A, S, out, strict=True):
        np.einsum("i,...o->...io", a, s, out=block)
