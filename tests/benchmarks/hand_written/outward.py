"""∂outputs/∂X of a ReLU net by example, grown outward from any of its layers, by hand in NumPy."""

from __future__ import annotations

import numpy as np

from tests.benchmarks.hand_written.jacobians import ByHand
from tests.benchmarks.nets import Net


class Outward:
    """From layer `start` forward to the outputs and back to the inputs, and the two blocks multiplied.

    From layer 0 it is forward mode, from the last reverse mode; from a narrow one between them both halves carry few
    columns or rows, and every diagonal is absorbed where its block is narrow.
    """

    def __init__(self, weights: list[np.ndarray], masks: list[np.ndarray], start: int) -> None:
        self.weights, self.masks, self.start = weights, masks, start
        self.count = len(masks[0])

    @staticmethod
    def parts(net: Net) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Weights and masks of one forward pass."""
        run = ByHand(net, *net.data())
        return run.weights, run.masks

    def __call__(self) -> np.ndarray:
        ahead, back = self._ahead(), self._back()
        if ahead is None or back is None:
            return back if ahead is None else np.ascontiguousarray(ahead.transpose(0, 2, 1))
        return np.matmul(ahead.transpose(0, 2, 1), back)

    def _ahead(self) -> np.ndarray | None:
        """∂outputs/∂(layer `start`), its columns as rows: (N, width of start, K)."""
        T = None
        for k in range(self.start, len(self.weights)):
            T = self._times(T, self.weights[k])
            if k < len(self.masks):
                T = T * self.masks[k][:, None, :]
        return T

    def _back(self) -> np.ndarray | None:
        """∂(layer `start`)/∂X, (N, width of start, D)."""
        S = None
        for k in reversed(range(self.start)):
            W = self.weights[k].T
            mask = self.masks[k] if k < len(self.masks) else None
            if S is None:
                S = self._times(None, W) if mask is None else mask[:, :, None] * W
            else:
                S = self._times(S * mask[:, None, :], W)
        return S

    def _times(self, T: np.ndarray | None, W: np.ndarray) -> np.ndarray:
        if T is None:
            return np.broadcast_to(W, (self.count, *W.shape))
        return T.reshape(-1, T.shape[2]).dot(W).reshape(self.count, T.shape[1], W.shape[1])

    @property
    def operations(self) -> int:
        """Multiplications and additions of the matrix products."""
        widths = [W.shape[0] for W in self.weights] + [self.weights[-1].shape[1]]
        start, last = self.start, len(self.weights)
        ahead = [2 * widths[start] * widths[k] * widths[k + 1] for k in range(start + 1, last)]
        back = [2 * widths[start] * widths[k] * widths[k + 1] for k in range(start - 1)]
        joined = 2 * widths[0] * widths[start] * widths[-1] if 0 < start < last else 0
        return self.count * (sum(ahead) + sum(back) + joined)
