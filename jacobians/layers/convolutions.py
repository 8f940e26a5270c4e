"""Convolutions of one and two axes and their transposes: windows, and a kernel that all of them share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, final

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, Shape, inverse_axes, size_of
from jacobians.errors import ShapeError
from jacobians.first_tries import written
from jacobians.layers.axes import (
    Pads,
    as_pads,
    as_steps,
    given_back,
    is_in_order,
    moved,
    moved_copy,
    padded,
    within_padding,
)
from jacobians.layers.convolution_formulas import ConvolutionInFormulas
from jacobians.layout import DEFAULT_LAYOUT, Layout
from jacobians.linops import (
    BatchedKronecker,
    Broadcast,
    Commutation,
    ForEachExample,
    Jacobian,
    Kronecker,
    Reshape,
    Selection,
    SharedKernel,
    SlidingKernel,
    Windows,
)
from jacobians.linops.convolutions import window_counts
from jacobians.operations import Jacobians, Operation, Primitive
from jacobians.operations.operation import UNNAMED, Naming
from jacobians.operations.record import Makers, Second
from jacobians.presets import AnyLayout, find_layout
from jacobians.symbols.expressions import Expr

__all__ = ["Convolution", "TransposedConvolution", "conv1d", "conv2d", "conv_transpose2d"]

Steps = int | Sequence[int]
"""One number for all axes of places, or one for each."""


class _WithKernel(Primitive):
    """What a convolution and its transpose are told, and where their arrays lie."""

    per_example = True
    reads = ("images", "kernels")

    def __init__(
        self,
        places: int = 2,
        stride: Steps = 1,
        pad: Any = 0,
        dilation: Steps = 1,
        groups: int = 1,
        *,
        bias: bool = True,
        flipped: bool = False,
        sizes: Sequence[int] | None = None,
        layout: AnyLayout | None = None,
    ) -> None:
        self.places, self.groups, self.bias, self.flipped = places, groups, bias, flipped
        self.sizes = None if sizes is None else as_steps(sizes, places + 2, "sizes", self.name)
        self.pad = pad
        self.stride = as_steps(stride, places, "stride", self.name)
        self.dilation = as_steps(dilation, places, "dilation", self.name)
        as_steps(groups, 1, "groups", self.name)
        self.layout = None if layout is None else find_layout(layout)

    @property
    def names(self) -> tuple[str, ...]:
        return ("X", "W", "b") if self.bias else ("X", "W")

    @property
    def _own_layout(self) -> Layout:
        return self.layout or DEFAULT_LAYOUT

    def parameter_shapes(self) -> Mapping[str, Shape]:
        """Shapes of W and b, where the sizes are known."""
        if self.sizes is None:
            return {}
        axes = inverse_axes(self._own_layout.kernel_axes(self.places))
        shapes: dict[str, Shape] = {"W": tuple(self.sizes[axis] for axis in axes)}
        if self.bias:
            shapes["b"] = (self._outputs(self.sizes),)
        return shapes

    def moved_to(self, layout: AnyLayout) -> Operation:
        return moved_copy(self, layout)

    def _outputs(self, sizes: Shape) -> int:
        return sizes[0]

    def _in_order(self, X: Array, W: Array) -> tuple[Array, Array]:
        """X as (N, C, *places) and W as (out, in, *places), views; the kernel turned where it is a true convolution."""
        layout, rank = self._own_layout, self.places + 2
        for name, array, what in (("X", X, f"images {layout.images}"), ("W", W, f"kernels {layout.kernels}")):
            if array.ndim != rank:
                raise ShapeError(
                    f"{self.name}: {name} has shape {array.shape}; expected {rank} axes (batch in {layout.batch}, "
                    f"{what})"
                )
        x, w = X.transpose(layout.image_axes(self.places)), W.transpose(layout.kernel_axes(self.places))
        return x, np.flip(w, tuple(range(2, rank))) if self.flipped else w

    def _refuse(self, X: Array, W: Array, channels: int, expected: int, outputs: int) -> None:
        layout = self._own_layout
        where = f"(batch in {layout.batch}, images {layout.images}, kernels {layout.kernels})"
        if outputs % self.groups:
            raise ShapeError(
                f"{self.name}: W has shape {W.shape}, {outputs} outputs, which groups={self.groups} does not divide "
                f"{where}"
            )
        if channels != expected:
            images = "HWC" if layout.images == "CHW" else "CHW"
            kernels = "HWIO" if layout.kernels == "OIHW" else "OIHW"
            there = W.shape[layout.replace(kernels=kernels).kernel_axes(self.places)[1]] * self.groups
            hint = ""
            if self.groups > 1 and expected == channels * self.groups:
                hint = f"; of {self.groups} groups the kernel has the inputs of one, {channels}/{self.groups}"
                hint = f"; {self.groups} groups do not divide {channels} channels" if channels % self.groups else hint
            elif type(self) is TransposedConvolution and W.shape[layout.kernel_axes(self.places)[1]] == channels:
                hint = "; the kernel of a transposed convolution begins with its inputs: exchange W's first axes"
            elif there == channels and type(self) is Convolution:
                hint = f"; another layout would fit: is the kernel {kernels}?"
            elif expected in (X.shape[1], X.shape[-1], X.shape[0]):
                hint = f"; another layout would fit: are the images {images}, or the batch on the other side?"
            raise ShapeError(
                f"{self.name}: X has shape {X.shape} with {channels} channels, W of shape {W.shape} with "
                f"groups={self.groups} takes {expected} {where}{hint}"
            )

    def _by_own_kernel(self, jacobian: Jacobian, shape: Shape) -> Jacobian:
        """From the Jacobian by the kernel in order, and turned, to that by the kernel as it is given."""
        axes = self._own_layout.kernel_axes(self.places)
        if self.flipped:
            key = (slice(None),) * 2 + (slice(None, None, -1),) * self.places
            jacobian = jacobian @ Selection(key, jacobian.domain, jacobian.dtype)
        return moved(axes, jacobian, shape)

    def _with_bias(self, value: Array, makers: Makers, arrays: tuple[Array, ...]) -> tuple[Array, Makers]:
        """The value (N, out, *places) with its bias, in the layout's order, and the bias's Jacobian."""
        axes = self._own_layout.image_axes(self.places)
        shape = value.shape
        if self.bias:
            b = arrays[2]
            if b.shape != (shape[1],):
                raise ShapeError(f"{self.name}: b has shape {b.shape}, {shape[1]} outputs expect ({shape[1]},)")
            beside = (shape[1], *(1,) * self.places)
            # in place, unless the bias alone is float64
            value = np.add(value, b.reshape(beside), out=value if b.itemsize <= value.itemsize else None)

            def by_bias() -> Jacobian:
                spread = Broadcast(shape, beside, value.dtype) @ Reshape(beside, b.shape, value.dtype)
                return given_back(axes, spread)

            makers["b"] = by_bias
        return value if is_in_order(axes) else value.transpose(inverse_axes(axes)).copy(), makers


@final
class Convolution(_WithKernel):
    r"""(X, W, b) ↦ Z, where :math:`z_{nop} = \sum_{c,k} w_{ock}\, x_{n,c,sp+dk} + b_o`.

    Parameters
    ----------
    places : {1, 2}
        How many axes the kernel moves along.
    stride, dilation : int or sequence of int
        Steps between places, and between the entries of a window.
    pad : int, sequence of int, sequence of pairs, or "same"
        Zeros around X.
    groups : int
        The channels and the outputs are cut into so many parts. Each output sees its own part of the channels.
    bias : bool
    sizes : sequence of int, optional
        Of the kernel, (out, in/groups, \*lengths) in this order. `Network.init` needs them before there is an X.
    flipped : bool
        Whether the kernel is turned by 180° first. This is the convolution of mathematics (scipy.signal.convolve;
        MATLAB's conv2; Ng's notes). The frameworks and MATLAB's dlconv do not turn it. Theirs is a cross-correlation
        (Goodfellow, Bengio & Courville 2016, *Deep Learning*, eq. 9.6).
    layout : Layout, Convention or str, optional

    Examples
    --------
    >>> Convolution()(np.ones((2, 3, 8, 8)), np.ones((4, 3, 3, 3)), np.zeros(4))[0].shape
    (2, 4, 6, 6)
    """

    @property
    def name(self) -> str:
        return f"conv{self.places}d"

    def _linearize(self, *arrays: Array) -> tuple[Array, Makers]:
        X, W = arrays[:2]
        x, w = self._in_order(X, W)
        (count, channels, *lengths), (outputs, inputs, *kernel) = x.shape, w.shape
        self._refuse(X, W, channels, inputs * self.groups, outputs)
        steps = tuple(kernel), self.stride, self.dilation
        pads = as_pads(self.pad, tuple(lengths), *steps, self.name)
        wide = tuple(b + n + a for n, (b, a) in zip(lengths, pads, strict=True))
        window_counts(wide, *steps, self.name)
        one = Windows(steps[0], (channels, *wide), self.stride, self.dilation, np.result_type(X, W))
        windows = one._jvp(padded(x, pads))
        places = windows.shape[2 + self.places :]
        if self.groups > 1:
            windows = windows.reshape(count, self.groups, inputs, *windows.shape[2:])
        shared = SharedKernel(windows, 1 + self.places, outputs // self.groups, groups=self.groups > 1)
        value = shared._jvp(w.reshape(shared.domain).astype(one.dtype, copy=False))
        makers: Makers = {
            "X": partial(self._by_images, x.shape, X.shape, w, one, pads),
            "W": partial(self._by_kernel, shared, w.shape, W.shape, (count, outputs, *places)),
        }
        return self._with_bias(value.reshape(count, outputs, *places), makers, arrays)

    def in_symbols(self, *inputs: Expr, name: Naming = UNNAMED) -> tuple[Expr, Makers]:
        """Return the value of the images' columns, or rows, and the makers; see `ConvolutionInFormulas`."""
        X, W, *bias = inputs
        own = self.places, self.stride, self.pad, self.dilation, self.groups, self.flipped
        return ConvolutionInFormulas(self.name, self._own_layout, *own)(X, W, bias, name)

    def _second(self, cotangent: Array, *arrays: Array) -> Second:
        """What arrives at the images is linear in the kernel: the transposed convolution of the cotangent."""
        X, W = arrays[:2]
        x, w = self._in_order(X, W)
        lengths, kernel = x.shape[2:], w.shape[2:]
        pads = as_pads(self.pad, lengths, kernel, self.stride, self.dilation, self.name)
        places = cotangent.transpose(self._own_layout.image_axes(self.places)).shape[2:]
        extra = tuple(
            n + sum(p) - (m - 1) * s - d * (k - 1) - 1
            for n, p, m, s, d, k in zip(lengths, pads, places, self.stride, self.dilation, kernel, strict=True)
        )
        back = TransposedConvolution(
            self.places,
            self.stride,
            pads,
            self.dilation,
            self.groups,
            bias=False,
            flipped=self.flipped,
            layout=self.layout,
            extra=extra,
        )
        return {("X", "W"): back._evaluate(cotangent, W)[1].numerator("W")}

    def _by_kernel(self, shared: Jacobian, ordered: Shape, own: Shape, out: Shape) -> Jacobian:
        """dZₙ = dW Xₙ, with Xₙ the columns of example n."""
        by_w = shared
        if self.groups > 1:
            by_w = Reshape(out, by_w.codomain, by_w.dtype) @ by_w @ Reshape(by_w.domain, ordered, by_w.dtype)
        return given_back(self._own_layout.image_axes(self.places), self._by_own_kernel(by_w, own))

    def _by_images(self, ordered: Shape, own: Shape, w: Array, one: Windows, pads: Pads) -> Jacobian:
        """dZₙ = W · the columns of dXₙ, for each example alike."""
        axes = self._own_layout.image_axes(self.places)
        parts = w.reshape(self.groups, w.shape[0] // self.groups, *w.shape[1:]).astype(one.dtype, copy=False)
        inner = SlidingKernel(parts, one, pads)
        return given_back(axes, moved(axes, ForEachExample(ordered[0], inner), own))


@final
class TransposedConvolution(_WithKernel):
    r"""(X, W, b) ↦ Jᵀ X + b, where J is the Jacobian of a `Convolution` with respect to its images.

    X has the channels that the convolution gives. W is (in, out, *places) as seen from here, as in torch. See Dumoulin
    & Visin (2016), *A guide to convolution arithmetic for deep learning*, arXiv:1603.07285, ch. 4.

    Parameters
    ----------
    places, stride, pad, dilation, groups, bias, flipped, sizes, layout
        Of the convolution; `pad` is cut off from the result.
    extra : int or sequence of int
        Places at the end that the convolution's stride skips (torch's output_padding).

    Examples
    --------
    >>> TransposedConvolution()(np.ones((1, 2, 3, 3)), np.ones((2, 1, 2, 2)), np.zeros(1))[0].shape
    (1, 1, 4, 4)
    """

    def __init__(self, *args: Any, extra: Steps = 0, **options: Any) -> None:
        super().__init__(*args, **options)
        self.extra = as_steps(extra, self.places, "extra", self.name, least=0)

    @property
    def name(self) -> str:
        return f"conv_transpose{self.places}d"

    def _outputs(self, sizes: Shape) -> int:
        return sizes[1] * self.groups

    def _linearize(self, *arrays: Array) -> tuple[Array, Makers]:
        X, W = arrays[:2]
        x, w = self._in_order(X, W)
        (count, channels, *places), (inputs, outputs, *kernel) = x.shape, w.shape
        self._refuse(X, W, channels, inputs, inputs)
        outputs *= self.groups
        if self.pad == "same":
            raise ShapeError(f"{self.name}: pad='same' does not fix the length; give the number of zeros")
        pads = as_pads(self.pad, tuple(places), tuple(kernel), self.stride, self.dilation, self.name)
        lengths = tuple(
            (n - 1) * s + d * (k - 1) + 1 + e - sum(p)
            for n, s, d, k, e, p in zip(places, self.stride, self.dilation, kernel, self.extra, pads, strict=True)
        )
        if min(lengths, default=1) < 1:
            raise ShapeError(f"{self.name}: X has shape {X.shape}; pad={self.pad!r} leaves nothing, lengths {lengths}")
        dtype = np.result_type(X, W)
        wide = tuple(n + sum(p) for n, p in zip(lengths, pads, strict=True))
        one = Windows(tuple(kernel), (outputs, *wide), self.stride, self.dilation, dtype)
        cut = (slice(None), *(slice(0, n) for n in places))  # with extra places one more window may fit
        kept = Selection((*(slice(None),) * (1 + self.places), *cut[1:]), one.codomain, dtype)
        fits = kept.codomain == one.codomain

        def by_images() -> Jacobian:
            return ForEachExample(count, self._of_one(w, one, None if fits else kept, pads, lengths).T)

        by_x = by_images()
        value = by_x._jvp(x.astype(dtype, copy=False))
        axes = self._own_layout.image_axes(self.places)
        makers: Makers = {
            "X": lambda: given_back(axes, moved(axes, by_x, X.shape)),
            "W": partial(self._by_kernel, x, w.shape, W.shape, one, None if fits else kept, pads, lengths),
        }
        return self._with_bias(value, makers, arrays)

    def _second(self, cotangent: Array, *arrays: Array) -> Second:
        """What arrives at X is linear in the kernel: the convolution of the cotangent."""
        X, W = arrays[:2]
        forward = Convolution(
            self.places,
            self.stride,
            self.pad,
            self.dilation,
            self.groups,
            bias=False,
            flipped=self.flipped,
            layout=self.layout,
        )
        by_kernel = forward._evaluate(cotangent, W)[1].numerator("W")
        if by_kernel.codomain != X.shape:  # with extra places one more window may fit
            key = tuple(slice(0, n) for n in X.shape)
            by_kernel = Selection(key, by_kernel.codomain, by_kernel.dtype) @ by_kernel
        return {("X", "W"): by_kernel}

    def _of_one(self, w: Array, one: Windows, kept: Selection | None, pads: Pads, lengths: Shape) -> Jacobian:
        """The convolution of one example that this is the transpose of."""
        inputs, k = w.shape[0], size_of(w.shape[1:])
        columns = self._columns(one, kept, pads, lengths)
        p, dtype = size_of(columns.codomain[1 + self.places :]), one.dtype
        if self.groups == 1:
            by_columns: Jacobian = Kronecker(w.reshape(inputs, k).astype(dtype, copy=False), p)
        else:
            parts = w.reshape(self.groups, inputs // self.groups, k).astype(dtype, copy=False)
            by_columns = BatchedKronecker(parts, p, (self.groups,))
        places = columns.codomain[1 + self.places :]
        out = Reshape((inputs, *places), by_columns.codomain, dtype)
        return out @ by_columns @ Reshape(by_columns.domain, columns.codomain, dtype) @ columns

    def _columns(self, one: Windows, kept: Selection | None, pads: Pads, lengths: Shape) -> Jacobian:
        columns: Jacobian = one if kept is None else kept @ one
        if any(map(any, pads)):
            columns = columns @ within_padding(one.domain[:1], lengths, pads, one.dtype).T
        return columns

    def _by_kernel(
        self, x: Array, ordered: Shape, own: Shape, one: Windows, kept: Selection | None, pads: Pads, lengths: Shape
    ) -> Jacobian:
        """dZₙ = the windows, added up, of dWᵀ Xₙ."""
        count, inputs = x.shape[:2]
        k, dtype = size_of(ordered[1:]), one.dtype
        g, per = self.groups, inputs // self.groups
        p = size_of(x.shape[2:])
        shared = SharedKernel(x.reshape(count, g, per, p).astype(dtype, copy=False), 1, k, groups=True)
        turned = ForEachExample(g, Commutation(per, k, dtype))
        columns = self._columns(one, kept, pads, lengths)
        back = ForEachExample(count, columns.T @ Reshape(columns.codomain, shared.codomain[1:], dtype))
        by_w = back @ shared @ turned @ Reshape((g, per, k), ordered, dtype)
        return given_back(self._own_layout.image_axes(self.places), self._by_own_kernel(by_w, own))


@written
def conv2d(
    X: npt.ArrayLike,
    W: npt.ArrayLike,
    b: npt.ArrayLike | None = None,
    *,
    stride: Steps = 1,
    pad: Any = 0,
    dilation: Steps = 1,
    groups: int = 1,
    flipped: bool = False,
    layout: AnyLayout | None = None,
) -> tuple[Array, Jacobians]:
    r"""Return the convolution of images and a kernel, and its Jacobians with respect to both and to the bias.

    X_col has the windows of an image as columns, and Z = W X_col for each image. So the gradients are
    :math:`dW = \sum_n dZ_n X_{col,n}^\top` and dX_col = Wᵀ dZ. Its entries are added up where windows overlap.

    Parameters
    ----------
    X : array_like, shape (N, C, H, W), or (N, H, W, C), (C, H, W, N) or (H, W, C, N) by the layout
    W : array_like, shape (out, C/groups, kh, kw), or (kh, kw, C/groups, out) by the layout
    b : array_like, shape (out,), optional
    stride, pad, dilation, groups, flipped
        See `Convolution`. The default is the frameworks' cross-correlation.
    layout : Layout, Convention or str, optional

    Returns
    -------
    Z : ndarray, shape (N, out, H', W') in the layout's order
        H' = ⌊(H + 2·pad − dilation·(kh − 1) − 1) / stride⌋ + 1.
    J : Jacobians
        ``J.X``, ``J.W`` and ``J.b``.

    Raises
    ------
    ShapeError
        If the arrays do not fit each other, or no window fits.

    References
    ----------
    Dumoulin & Visin (2016), *A guide to convolution arithmetic for deep learning*, arXiv:1603.07285; Stanford CS231n,
    assignment 2, ConvolutionalNetworks.ipynb.

    Examples
    --------
    >>> X, W = np.ones((2, 3, 5, 5)), np.ones((4, 3, 3, 3))
    >>> Z, J = conv2d(X, W, np.zeros(4), stride=2, pad=1)
    >>> Z.shape, J.W.structure
    ((2, 4, 3, 3), 'SharedKernel(2×3×3×3×3×3 to 4)')
    >>> conv2d(X.transpose(0, 2, 3, 1), W.transpose(2, 3, 1, 0), layout="keras")[0].shape
    (2, 3, 3, 4)
    """
    bias = b is not None
    operation = Convolution(2, stride, pad, dilation, groups, bias=bias, flipped=flipped, layout=layout)
    return _convolved(operation, X, W, b)


@written
def conv1d(
    X: npt.ArrayLike,
    W: npt.ArrayLike,
    b: npt.ArrayLike | None = None,
    *,
    stride: Steps = 1,
    pad: Any = 0,
    dilation: Steps = 1,
    groups: int = 1,
    flipped: bool = False,
    layout: AnyLayout | None = None,
) -> tuple[Array, Jacobians]:
    """Return the convolution along one axis, and its Jacobians. It is as `conv2d`, with images (N, C, L).

    Examples
    --------
    >>> Z, J = conv1d([[[1.0, 2.0, 3.0, 4.0]]], [[[1.0, 0.0, -1.0]]])
    >>> Z
    array([[[-2., -2.]]])
    >>> conv1d([[[1.0, 2.0, 3.0, 4.0]]], [[[1.0, 0.0, -1.0]]], flipped=True)[0]
    array([[[2., 2.]]])
    """
    bias = b is not None
    operation = Convolution(1, stride, pad, dilation, groups, bias=bias, flipped=flipped, layout=layout)
    return _convolved(operation, X, W, b)


def _convolved(operation: _WithKernel, X: Any, W: Any, b: Any) -> Any:
    return operation(X, W) if b is None else operation(X, W, b)


@written
def conv_transpose2d(
    X: npt.ArrayLike,
    W: npt.ArrayLike,
    b: npt.ArrayLike | None = None,
    *,
    stride: Steps = 1,
    pad: Any = 0,
    dilation: Steps = 1,
    groups: int = 1,
    extra: Steps = 0,
    flipped: bool = False,
    layout: AnyLayout | None = None,
) -> tuple[Array, Jacobians]:
    """Return the transposed convolution of images, and its Jacobians. See `TransposedConvolution`.

    Examples
    --------
    >>> X, W = np.ones((2, 4, 3, 3)), np.ones((4, 3, 2, 2))
    >>> Z, J = conv_transpose2d(X, W, stride=2)
    >>> Z.shape
    (2, 3, 6, 6)
    """
    operation = TransposedConvolution(
        2, stride, pad, dilation, groups, bias=b is not None, extra=extra, flipped=flipped, layout=layout
    )
    return _convolved(operation, X, W, b)
