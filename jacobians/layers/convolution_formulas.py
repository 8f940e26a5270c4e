"""A convolution in formulas: one matrix of columns for each image, or one of rows for all, as the courses write it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import numpy as np

from jacobians.arrays import Array, Shape, inverse_axes, size_of
from jacobians.errors import ShapeError
from jacobians.layers.axes import as_pads, is_in_order
from jacobians.layers.columns import AxesMoved, FromColumns, TurnedKernel, Unfolding, written_numbers
from jacobians.layers.image_functions import IM2COL, IM2ROW, TURNED
from jacobians.layout import Layout
from jacobians.linops import Broadcast, Jacobian, Kronecker, Product, Reshape, SharedKernel
from jacobians.linops.convolutions import window_counts
from jacobians.operations.inside import Inside
from jacobians.operations.operation import Naming
from jacobians.operations.record import Makers
from jacobians.symbols.expressions import Call, Expr, Number, Ones

__all__ = ["ConvolutionInFormulas"]


@dataclass(frozen=True, eq=False)
class ConvolutionInFormulas:
    """What a formula must know of a convolution.

    Attributes
    ----------
    name : str
        In messages.
    layout : Layout
    places, stride, pad, dilation, groups, flipped
        As of `Convolution`.
    """

    name: str
    layout: Layout
    places: int
    stride: Shape
    pad: Any
    dilation: Shape
    groups: int
    flipped: bool

    def __call__(self, X: Expr, W: Expr, bias: Sequence[Expr], name: Naming) -> tuple[Expr, Makers]:
        """Return the value of the images' columns, or rows, and the makers of the Jacobians, as the courses have them.

        Channels last and a batch in rows, Z = X_row W + 1 bᵀ with one row for each place, dW = X_rowᵀ dZ and dX =
        row2im(dZ Wᵀ). Else Z = W X_col + b with X_col = im2col(X), dW = Σₙ dZₙ X_colₙᵀ and dX = col2im(Wᵀ dZ), where X
        and W are moved to (N, C, H, W) and (out, in, H, W) first.
        """
        rank = self.places + 2
        if self.places > 2 or X.ndim != rank or W.ndim != rank:
            raise ShapeError(f"{self.name}: a formula is written for images of one axis or two")
        own = self.layout
        axes, by_kernel = own.image_axes(self.places), own.kernel_axes(self.places)
        last = (own.batch, own.images, own.kernels, self.places, self.groups) == ("rows", "HWC", "HWIO", 2, 1)
        images = AxesMoved("nchw" if self.places == 2 else "ncl", axes, X.shape)
        kernels = AxesMoved("oihw" if self.places == 2 else "oil", by_kernel, W.shape)
        before: list[Jacobian] = [] if last or is_in_order(axes) else [images]
        after: list[Jacobian] = [] if last or is_in_order(by_kernel) else [kernels]
        kernel: Expr = W
        if self.flipped:
            where = (by_kernel[2],) if self.places == 2 else (by_kernel[2], 1)
            kernel = Call(TURNED, (W, *map(Number, where)))
            after = [*after, TurnedKernel(W.shape, where)]
        X = images.of(X) if images in before else X
        kernel = kernels.of(kernel) if kernels in after else kernel
        if self.places == 1:  # images of one row
            x, w = ((*e.shape[:2], 1, e.shape[2]) for e in (X, kernel))
            before, after = [Reshape(x, X.shape), *before], [Reshape(w, kernel.shape), *after]
            X, kernel = X.reshape(*x), kernel.reshape(*w)
        lengths, size = (X.shape[1:3], kernel.shape[:2]) if last else (X.shape[2:], kernel.shape[2:])
        one = (0,) * (2 - self.places)
        strides, dilations = ((*given[: len(one)], *given) for given in (self.stride, self.dilation))
        pads = as_pads(self.pad, lengths[-self.places :], size[-self.places :], self.stride, self.dilation, self.name)
        (top, bottom), (left, right) = pads = ((0, 0),) * len(one) + pads
        usual = (*size, strides[0], top, 1, strides[0], dilations[0], top, top, top)
        every = (*size, strides[0], top, dilations[0], strides[1], dilations[1], bottom, left, right)
        steps = written_numbers(every, usual, 4)
        wide = tuple(n + sum(p) for n, p in zip(lengths, pads, strict=True))
        places = window_counts(wide, size, strides, dilations, self.name)
        back: list[Jacobian] = []
        if last:
            value, makers = self._by_rows(X, kernel, bias, steps, (X.shape[0], *places, kernel.shape[3]), name)
        else:
            value, makers = self._by_columns(X, kernel, bias, steps, (X.shape[0], kernel.shape[0], *places), name)
        if self.places == 1:
            flat = (*value.shape[:2], value.shape[3])
            back, value = [Reshape(flat, value.shape)], value.reshape(*flat)
        if images in before:
            to_own = AxesMoved(images.here, inverse_axes(axes), value.shape)
            back, value = [to_own, *back], to_own.of(value)

        def whole(of: str, tail: Sequence[Jacobian]) -> Jacobian:
            return Product((*back, *makers[of]()._factors(), *tail))

        tails: dict[str, list[Jacobian]] = {"X": before, "W": after, "b": []}
        return value, {of: partial(whole, of, tails[of]) for of in makers}

    def _by_columns(
        self, X: Expr, W: Expr, bias: Sequence[Expr], steps: tuple[int, ...], own: Shape, name: Naming
    ) -> tuple[Expr, Makers]:
        """One matrix of columns for each image, and for each of several groups."""
        count, out, *places = own
        k, p = size_of(W.shape[1:]), size_of(tuple(places))
        groups = (self.groups,) if self.groups > 1 else ()
        flat = (count, self.groups * k, p)
        columns = name.inside("Xcol")(Call(IM2COL, (X, *map(Number, steps)), flat))
        unfolding: tuple[Jacobian, ...] = (Inside(columns), Unfolding(X.shape, flat, steps))
        if groups:
            grouped = (count, *groups, k, p)
            columns, unfolding = columns.reshape(*grouped), (Reshape(grouped, flat), *unfolding)
        shape = (*groups, out // self.groups, k)
        matrix = W.reshape(*shape)
        by_columns = SharedKernel(cast(Array, columns), 1, out // self.groups, groups=bool(groups))
        outer = Reshape(own, by_columns.codomain)
        value = by_columns._jvp(cast(Array, matrix))
        makers: Makers = {
            "X": lambda: Product((outer, FromColumns(matrix, columns.shape), *unfolding)),
            "W": lambda: Product((outer, by_columns, Reshape(shape, W.shape))),
        }
        value = value.reshape(count, out, p)
        if bias:
            spread = np.einsum("nop,o->nop", cast(Array, Ones((count, out, p))), cast(Array, bias[0]))
            value = value + spread
            rows = Broadcast((count, out, p), (out, 1)), Reshape((out, 1), (out,))
            makers["b"] = lambda: Product((Reshape(own, (count, out, p)), *rows))
        return cast(Expr, value.reshape(*own)), makers

    def _by_rows(
        self, X: Expr, W: Expr, bias: Sequence[Expr], steps: tuple[int, ...], own: Shape, name: Naming
    ) -> tuple[Expr, Makers]:
        """An affine layer of one row for each place of each image."""
        count, k, out = size_of(own[:-1]), size_of(W.shape[:-1]), own[-1]
        rows = name.inside("Xrow")(Call(IM2ROW, (X, *map(Number, steps)), (count, k)))
        outer, matrix = Reshape(own, (count, out)), W.reshape(k, out)
        by_kernel = Kronecker(cast(Array, rows), out)
        value = by_kernel._jvp(cast(Array, matrix))
        by_rows = Kronecker(count, cast(Array, matrix.T))
        makers: Makers = {
            "X": lambda: Product((outer, by_rows, Inside(rows), Unfolding(X.shape, (count, k), steps))),
            "W": lambda: Product((outer, by_kernel, Reshape((k, out), W.shape))),
        }
        if bias:
            by_bias = Product((Kronecker(cast(Array, Ones((count, 1))), out), Reshape((1, out), (out,))))
            value = value + by_bias._jvp(cast(Array, bias[0]))
            makers["b"] = lambda: Product((outer, by_bias))
        return cast(Expr, value.reshape(*own)), makers
