"""A convolution as the courses write it: im2col, and im2row for channels last, as functions that formulas name."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from jacobians.arrays import Array, Shape, as_array, show_shape
from jacobians.layout import Order
from jacobians.linops import Jacobian
from jacobians.linops.wrappers import Transposed
from jacobians.symbols.expressions import Call, Expr, Number
from jacobians.symbols.named_functions import Function

__all__ = ["IM2COL", "IM2ROW", "FromColumns", "OfFormulas", "Unfolding"]


def im2col(X: Array, height: int, width: int, stride: int, pad: int, dilation: int = 1) -> Array:
    height, width, stride, pad, dilation = int(height), int(width), int(stride), int(pad), int(dilation)
    P = np.pad(X, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    reach = dilation * (height - 1) + 1, dilation * (width - 1) + 1
    windows = np.lib.stride_tricks.sliding_window_view(P, reach, axis=(2, 3))[:, :, ::stride, ::stride]
    windows = windows[..., ::dilation, ::dilation]
    return windows.transpose(0, 1, 4, 5, 2, 3).reshape(len(X), X.shape[1] * height * width, -1)


def col2im(
    dXcol: Array,
    channels: int,
    rows: int,
    columns: int,
    height: int,
    width: int,
    stride: int,
    pad: int,
    dilation: int = 1,
) -> Array:
    channels, rows, columns, height = int(channels), int(rows), int(columns), int(height)
    width, stride, pad, dilation = int(width), int(stride), int(pad), int(dilation)
    dP = np.zeros((len(dXcol), channels, rows + 2 * pad, columns + 2 * pad), dXcol.dtype)
    down = (rows + 2 * pad - dilation * (height - 1) - 1) // stride + 1
    across = (columns + 2 * pad - dilation * (width - 1) - 1) // stride + 1
    parts = dXcol.reshape(len(dXcol), channels, height, width, down, across)
    for i in range(height):
        for j in range(width):
            y, x = dilation * i, dilation * j
            dP[:, :, y : y + stride * down : stride, x : x + stride * across : stride] += parts[:, :, i, j]
    return dP[:, :, pad : pad + rows, pad : pad + columns]


def im2row(X: Array, height: int, width: int, stride: int, pad: int, dilation: int = 1) -> Array:
    height, width, stride, pad, dilation = int(height), int(width), int(stride), int(pad), int(dilation)
    P = np.pad(X, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    reach = dilation * (height - 1) + 1, dilation * (width - 1) + 1
    windows = np.lib.stride_tricks.sliding_window_view(P, reach, axis=(1, 2))[:, ::stride, ::stride]
    windows = windows[..., ::dilation, ::dilation]
    return windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, height * width * X.shape[3])


def row2im(
    dXrow: Array,
    rows: int,
    columns: int,
    channels: int,
    height: int,
    width: int,
    stride: int,
    pad: int,
    dilation: int = 1,
) -> Array:
    channels, rows, columns, height = int(channels), int(rows), int(columns), int(height)
    width, stride, pad, dilation = int(width), int(stride), int(pad), int(dilation)
    down = (rows + 2 * pad - dilation * (height - 1) - 1) // stride + 1
    across = (columns + 2 * pad - dilation * (width - 1) - 1) // stride + 1
    parts = dXrow.reshape(-1, down, across, height, width, channels)
    dP = np.zeros((len(parts), rows + 2 * pad, columns + 2 * pad, channels), dXrow.dtype)
    for i in range(height):
        for j in range(width):
            y, x = dilation * i, dilation * j
            dP[:, y : y + stride * down : stride, x : x + stride * across : stride] += parts[:, :, :, i, j]
    return dP[:, pad : pad + rows, pad : pad + columns]


IM2COL, COL2IM = Function("im2col", "im2col", im2col), Function("col2im", "col2im", col2im)
IM2ROW, ROW2IM = Function("im2row", "im2row", im2row), Function("row2im", "row2im", row2im)


class OfFormulas(Jacobian):
    """A structure that acts on formulas alone."""

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


class Unfolding(OfFormulas):
    """X ↦ its columns, or its rows where the channels come last; the transpose is col2im, or row2im."""

    __slots__ = ("steps",)
    _rule = ("windows overlap", "Each entry gets the sum over the windows that it is in")

    def __init__(self, images: Shape, columns: Shape, steps: tuple[int, ...]) -> None:
        self.steps = steps
        super().__init__(columns, images, np.dtype(np.float64))

    def _vjp(self, cotangent: Array) -> Array:
        numbers = map(Number, (*self.domain[1:], *self.steps))
        function = COL2IM if len(self.codomain) == 3 else ROW2IM
        return cast(Array, Call(function, (cast(Expr, cotangent), *numbers), self.domain))


class FromColumns(OfFormulas):
    """X_col ↦ W X_col, for each image, and for each of several groups."""

    __slots__ = ("weights",)
    _rule = ("one kernel for all places", "Each column of each image meets the same kernel")

    def __init__(self, weights: Expr, columns: Shape) -> None:
        self.weights = weights
        count, *groups, _, p = columns
        super().__init__((count, *groups, weights.shape[-2], p), columns, np.dtype(np.float64))

    def _vjp(self, cotangent: Array) -> Array:
        spec = "ok,nop->nkp" if len(self.domain) == 3 else "gok,ngop->ngkp"
        return as_array(np.einsum(spec, cast(Array, self.weights), cotangent))
