"""A convolution as the courses write it: im2col and col2im, as functions that formulas and programs name."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from jacobians.arrays import Array, Shape, as_array, show_shape
from jacobians.layout import Order
from jacobians.linops import Jacobian
from jacobians.linops.wrappers import Transposed
from jacobians.symbols.expressions import Call, Expr, Number
from jacobians.symbols.named_functions import Function

__all__ = ["IM2COL", "FromColumns", "Unfolding"]


def im2col(X: Array, height: int, width: int, stride: int, pad: int) -> Array:
    height, width, stride, pad = int(height), int(width), int(stride), int(pad)
    P = np.pad(X, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    windows = np.lib.stride_tricks.sliding_window_view(P, (height, width), axis=(2, 3))[:, :, ::stride, ::stride]
    return windows.transpose(0, 1, 4, 5, 2, 3).reshape(len(X), X.shape[1] * height * width, -1)


def col2im(
    dXcol: Array, channels: int, rows: int, columns: int, height: int, width: int, stride: int, pad: int
) -> Array:
    channels, rows, columns, height = int(channels), int(rows), int(columns), int(height)
    width, stride, pad = int(width), int(stride), int(pad)
    dP = np.zeros((len(dXcol), channels, rows + 2 * pad, columns + 2 * pad), dXcol.dtype)
    down, across = (rows + 2 * pad - height) // stride + 1, (columns + 2 * pad - width) // stride + 1
    parts = dXcol.reshape(len(dXcol), channels, height, width, down, across)
    for y in range(height):
        for x in range(width):
            dP[:, :, y : y + stride * down : stride, x : x + stride * across : stride] += parts[:, :, y, x]
    return dP[:, :, pad : pad + rows, pad : pad + columns]


IM2COL, COL2IM = Function("im2col", "im2col", im2col), Function("col2im", "col2im", col2im)


class _OfFormulas(Jacobian):
    """A structure that is acted with on formulas alone."""

    __slots__ = ()

    def _jvp(self, tangent: Array) -> Array:
        raise TypeError(f"{self.structure}: no formula is known for this direction")

    def _transpose(self) -> Jacobian:
        return Transposed(self)

    def _written(self, write: Any, order: Order) -> str | None:
        return None

    @property
    def structure(self) -> str:
        return f"{type(self).__name__}({show_shape(self.domain)})"

    @property
    def flops(self) -> int:
        return 0

    @property
    def arrays(self) -> tuple[Array, ...]:
        return ()


class Unfolding(_OfFormulas):
    """X ↦ its columns; the transpose is col2im."""

    __slots__ = ("steps",)

    def __init__(self, images: Shape, columns: Shape, steps: tuple[int, ...]) -> None:
        self.steps = steps
        super().__init__(columns, images, np.dtype(np.float64))

    def _vjp(self, cotangent: Array) -> Array:
        numbers = map(Number, (*self.domain[1:], *self.steps))
        return cast(Array, Call(COL2IM, (cast(Expr, cotangent), *numbers), self.domain))


class FromColumns(_OfFormulas):
    """X_col ↦ W X_col, for each image."""

    __slots__ = ("weights",)

    def __init__(self, weights: Expr, columns: Shape) -> None:
        self.weights = weights
        count, k, p = columns
        super().__init__((count, weights.shape[0], p), (count, k, p), np.dtype(np.float64))

    def _vjp(self, cotangent: Array) -> Array:
        return as_array(np.einsum("ok,nop->nkp", cast(Array, self.weights), cotangent))
