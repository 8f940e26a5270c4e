"""The functions of images that formulas name: im2col, pools, and the ways back, as a program prints them."""

from __future__ import annotations

from typing import Literal

import numpy as np

from jacobians.arrays import Array
from jacobians.symbols.named_functions import Function

__all__ = ["COL2IM", "IM2COL", "IM2ROW", "MAXPICK", "POOLS", "ROW2IM", "TURNED"]


def both_axes(
    stride: int,
    pad: int,
    dilation: int = 1,
    across: int | None = None,
    apart: int | None = None,
    bottom: int | None = None,
    left: int | None = None,
    right: int | None = None,
) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int, int, int]]:
    stride, pad, dilation = int(stride), int(pad), int(dilation)
    across, apart = (int(one if two is None else two) for one, two in ((stride, across), (dilation, apart)))
    bottom, left, right = (int(pad if own is None else own) for own in (bottom, left, right))
    return (stride, across), (dilation, apart), (pad, bottom, left, right)


def im2col(
    X: Array,
    height: int,
    width: int,
    stride: int,
    pad: int,
    dilation: int = 1,
    across: int | None = None,
    apart: int | None = None,
    bottom: int | None = None,
    left: int | None = None,
    right: int | None = None,
) -> Array:
    height, width = int(height), int(width)
    (stride, across), (dilation, apart), margins = both_axes(stride, pad, dilation, across, apart, bottom, left, right)
    P = np.pad(X, ((0, 0), (0, 0), margins[:2], margins[2:]))
    reach = dilation * (height - 1) + 1, apart * (width - 1) + 1
    windows = np.lib.stride_tricks.sliding_window_view(P, reach, axis=(2, 3))[:, :, ::stride, ::across]
    windows = windows[..., ::dilation, ::apart]
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
    across: int | None = None,
    apart: int | None = None,
    bottom: int | None = None,
    left: int | None = None,
    right: int | None = None,
) -> Array:
    channels, rows, columns, height, width = int(channels), int(rows), int(columns), int(height), int(width)
    (stride, across), (dilation, apart), margins = both_axes(stride, pad, dilation, across, apart, bottom, left, right)
    top, bottom, left, right = margins
    dP = np.zeros((len(dXcol), channels, rows + top + bottom, columns + left + right), dXcol.dtype)
    down = (rows + top + bottom - dilation * (height - 1) - 1) // stride + 1
    over = (columns + left + right - apart * (width - 1) - 1) // across + 1
    parts = dXcol.reshape(len(dXcol), channels, height, width, down, over)
    for i in range(height):
        for j in range(width):
            y, x = dilation * i, apart * j
            dP[:, :, y : y + stride * down : stride, x : x + across * over : across] += parts[:, :, i, j]
    return dP[:, :, top : top + rows, left : left + columns]


def im2row(
    X: Array,
    height: int,
    width: int,
    stride: int,
    pad: int,
    dilation: int = 1,
    across: int | None = None,
    apart: int | None = None,
    bottom: int | None = None,
    left: int | None = None,
    right: int | None = None,
) -> Array:
    height, width = int(height), int(width)
    (stride, across), (dilation, apart), margins = both_axes(stride, pad, dilation, across, apart, bottom, left, right)
    P = np.pad(X, ((0, 0), margins[:2], margins[2:], (0, 0)))
    reach = dilation * (height - 1) + 1, apart * (width - 1) + 1
    windows = np.lib.stride_tricks.sliding_window_view(P, reach, axis=(1, 2))[:, ::stride, ::across]
    windows = windows[..., ::dilation, ::apart]
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
    across: int | None = None,
    apart: int | None = None,
    bottom: int | None = None,
    left: int | None = None,
    right: int | None = None,
) -> Array:
    channels, rows, columns, height, width = int(channels), int(rows), int(columns), int(height), int(width)
    (stride, across), (dilation, apart), margins = both_axes(stride, pad, dilation, across, apart, bottom, left, right)
    top, bottom, left, right = margins
    down = (rows + top + bottom - dilation * (height - 1) - 1) // stride + 1
    over = (columns + left + right - apart * (width - 1) - 1) // across + 1
    parts = dXrow.reshape(-1, down, over, height, width, channels)
    dP = np.zeros((len(parts), rows + top + bottom, columns + left + right, channels), dXrow.dtype)
    for i in range(height):
        for j in range(width):
            y, x = dilation * i, apart * j
            dP[:, y : y + stride * down : stride, x : x + across * over : across] += parts[:, :, :, i, j]
    return dP[:, top : top + rows, left : left + columns]


def turned(W: Array, axis: int, count: int = 2) -> Array:
    axis, count = int(axis), int(count)
    return np.flip(W, tuple(range(axis, axis + count)))


def windows_of(
    X: Array,
    height: int,
    width: int,
    stride: int,
    pad: int,
    axis: int,
    across: int | None,
    bottom: int | None,
    left: int | None,
    right: int | None,
    fill: float = 0.0,
) -> Array:
    height, width, axis = int(height), int(width), int(axis)
    (stride, across), _, margins = both_axes(stride, pad, 1, across, None, bottom, left, right)
    P = np.moveaxis(X, (axis, axis + 1), (2, 3))
    P = np.pad(P, ((0, 0), (0, 0), margins[:2], margins[2:]), constant_values=fill)
    return np.lib.stride_tricks.sliding_window_view(P, (height, width), axis=(2, 3))[:, :, ::stride, ::across]


def from_windows(
    parts: Array,
    X: Array,
    stride: int,
    pad: int,
    axis: int,
    across: int | None,
    bottom: int | None,
    left: int | None,
    right: int | None,
) -> Array:
    axis = int(axis)
    (stride, across), _, margins = both_axes(stride, pad, 1, across, None, bottom, left, right)
    count, channels, rows, columns = np.moveaxis(X, (axis, axis + 1), (2, 3)).shape
    dP = np.zeros((count, channels, rows + sum(margins[:2]), columns + sum(margins[2:])), parts.dtype)
    down, over, height, width = parts.shape[2:]
    for i in range(height):
        for j in range(width):
            dP[:, :, i : i + stride * down : stride, j : j + across * over : across] += parts[..., i, j]
    dP = dP[:, :, margins[0] : margins[0] + rows, margins[2] : margins[2] + columns]
    return np.moveaxis(dP, (2, 3), (axis, axis + 1))


def maxpool(
    X: Array,
    height: int,
    width: int,
    stride: int,
    pad: int,
    axis: int = 2,
    across: int | None = None,
    bottom: int | None = None,
    left: int | None = None,
    right: int | None = None,
) -> Array:
    windows = windows_of(X, height, width, stride, pad, axis, across, bottom, left, right, -np.inf)
    return np.moveaxis(windows.max(axis=(4, 5)), (2, 3), (int(axis), int(axis) + 1))


def maxunpool(
    dA: Array,
    X: Array,
    height: int,
    width: int,
    stride: int,
    pad: int,
    axis: int = 2,
    across: int | None = None,
    bottom: int | None = None,
    left: int | None = None,
    right: int | None = None,
) -> Array:
    windows = windows_of(X, height, width, stride, pad, axis, across, bottom, left, right, -np.inf)
    which = windows.reshape(*windows.shape[:4], -1).argmax(axis=-1)[..., None, None]
    parts = np.moveaxis(dA, (int(axis), int(axis) + 1), (2, 3))[..., None, None] * (
        which == np.arange(int(height) * int(width)).reshape(int(height), int(width))
    )
    return from_windows(parts, X, stride, pad, axis, across, bottom, left, right)


def maxpick(
    tX: Array,
    X: Array,
    height: int,
    width: int,
    stride: int,
    pad: int,
    axis: int = 2,
    across: int | None = None,
    bottom: int | None = None,
    left: int | None = None,
    right: int | None = None,
) -> Array:
    windows = windows_of(X, height, width, stride, pad, axis, across, bottom, left, right, -np.inf)
    which = windows.reshape(*windows.shape[:4], -1).argmax(axis=-1)[..., None]
    moved = windows_of(tX, height, width, stride, pad, axis, across, bottom, left, right)
    moved = moved.reshape(*windows.shape[:4], -1)
    return np.moveaxis(np.take_along_axis(moved, which, axis=-1)[..., 0], (2, 3), (int(axis), int(axis) + 1))


def avgpool(
    X: Array,
    height: int,
    width: int,
    stride: int,
    pad: int,
    axis: int = 2,
    across: int | None = None,
    bottom: int | None = None,
    left: int | None = None,
    right: int | None = None,
) -> Array:
    windows = windows_of(X, height, width, stride, pad, axis, across, bottom, left, right)
    return np.moveaxis(windows.mean(axis=(4, 5)), (2, 3), (int(axis), int(axis) + 1))


def avgunpool(
    dA: Array,
    X: Array,
    height: int,
    width: int,
    stride: int,
    pad: int,
    axis: int = 2,
    across: int | None = None,
    bottom: int | None = None,
    left: int | None = None,
    right: int | None = None,
) -> Array:
    height, width, axis = int(height), int(width), int(axis)
    dA = np.moveaxis(dA, (axis, axis + 1), (2, 3)) / (height * width)
    parts = np.broadcast_to(dA[..., None, None], (*dA.shape, height, width))
    return from_windows(parts, X, stride, pad, axis, across, bottom, left, right)


IM2COL, COL2IM = Function("im2col", "im2col", im2col), Function("col2im", "col2im", col2im)
IM2ROW, ROW2IM = Function("im2row", "im2row", im2row), Function("row2im", "row2im", row2im)
TURNED = Function("turned", "turned", turned)
MAXPICK = Function("maxpick", "maxpick", maxpick)
POOLS: dict[Literal["max", "avg"], tuple[Function, Function]] = {
    "max": (Function("maxpool", "maxpool", maxpool), Function("maxunpool", "maxunpool", maxunpool)),
    "avg": (Function("avgpool", "avgpool", avgpool), Function("avgunpool", "avgunpool", avgunpool)),
}
