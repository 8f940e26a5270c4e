"""Pools as the courses write them: the largest entry or the mean of each window, and the way back, by name."""

from __future__ import annotations

from typing import Literal, cast

import numpy as np

from jacobians.arrays import Array, Shape
from jacobians.layers.columns import OfFormulas
from jacobians.symbols.expressions import Call, Expr, Number
from jacobians.symbols.named_functions import Function

__all__ = ["POOLS", "Unpooling"]


def maxpool(X: Array, height: int, width: int, stride: int, pad: int, axis: int = 2) -> Array:
    height, width, stride, pad, axis = int(height), int(width), int(stride), int(pad), int(axis)
    P = np.moveaxis(X, (axis, axis + 1), (2, 3))
    P = np.pad(P, ((0, 0), (0, 0), (pad, pad), (pad, pad)), constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(P, (height, width), axis=(2, 3))[:, :, ::stride, ::stride]
    return np.moveaxis(windows.max(axis=(4, 5)), (2, 3), (axis, axis + 1))


def maxunpool(dA: Array, X: Array, height: int, width: int, stride: int, pad: int, axis: int = 2) -> Array:
    height, width, stride, pad, axis = int(height), int(width), int(stride), int(pad), int(axis)
    P, dA = np.moveaxis(X, (axis, axis + 1), (2, 3)), np.moveaxis(dA, (axis, axis + 1), (2, 3))
    P = np.pad(P, ((0, 0), (0, 0), (pad, pad), (pad, pad)), constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(P, (height, width), axis=(2, 3))[:, :, ::stride, ::stride]
    which = windows.reshape(*windows.shape[:4], height * width).argmax(axis=-1)
    dP, (down, across) = np.zeros(P.shape, dA.dtype), dA.shape[2:]
    for i in range(height):
        for j in range(width):
            rows, columns = slice(i, i + stride * down, stride), slice(j, j + stride * across, stride)
            dP[:, :, rows, columns] += dA * (which == i * width + j)
    dP = dP[:, :, pad : P.shape[2] - pad, pad : P.shape[3] - pad]
    return np.moveaxis(dP, (2, 3), (axis, axis + 1))


def avgpool(X: Array, height: int, width: int, stride: int, pad: int, axis: int = 2) -> Array:
    height, width, stride, pad, axis = int(height), int(width), int(stride), int(pad), int(axis)
    P = np.moveaxis(X, (axis, axis + 1), (2, 3))
    P = np.pad(P, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    windows = np.lib.stride_tricks.sliding_window_view(P, (height, width), axis=(2, 3))[:, :, ::stride, ::stride]
    return np.moveaxis(windows.mean(axis=(4, 5)), (2, 3), (axis, axis + 1))


def avgunpool(dA: Array, X: Array, height: int, width: int, stride: int, pad: int, axis: int = 2) -> Array:
    height, width, stride, pad, axis = int(height), int(width), int(stride), int(pad), int(axis)
    P, dA = np.moveaxis(X, (axis, axis + 1), (2, 3)), np.moveaxis(dA, (axis, axis + 1), (2, 3))
    count, channels, high, wide = P.shape
    dP, (down, across) = np.zeros((count, channels, high + 2 * pad, wide + 2 * pad), dA.dtype), dA.shape[2:]
    for i in range(height):
        for j in range(width):
            dP[:, :, i : i + stride * down : stride, j : j + stride * across : stride] += dA / (height * width)
    return np.moveaxis(dP[:, :, pad : pad + high, pad : pad + wide], (2, 3), (axis, axis + 1))


POOLS: dict[Literal["max", "avg"], tuple[Function, Function]] = {
    "max": (Function("maxpool", "maxpool", maxpool), Function("maxunpool", "maxunpool", maxunpool)),
    "avg": (Function("avgpool", "avgpool", avgpool), Function("avgunpool", "avgunpool", avgunpool)),
}


class Unpooling(OfFormulas):
    """X ↦ its pooled windows; the transpose hands each back to its largest entry, or spreads it over its window."""

    __slots__ = ("back", "images", "steps")
    _rule = ("pool", "Each window hands back what arrives at it")

    def __init__(self, back: Function, images: Expr, pooled: Shape, steps: tuple[int, ...]) -> None:
        self.back, self.images, self.steps = back, images, steps
        super().__init__(pooled, images.shape, np.dtype(np.float64))

    def _vjp(self, cotangent: Array) -> Array:
        return cast(Array, Call(self.back, (cast(Expr, cotangent), self.images, *map(Number, self.steps)), self.domain))
