"""Pooling, padding, flattening and embedding: what moves, picks or averages the entries of each example."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, final

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, as_array, inverse_axes, size_of
from jacobians.errors import ArgumentError, DomainError, ShapeError
from jacobians.first_tries import written
from jacobians.layers.axes import as_pads, as_steps, given_back, moved, moved_copy, padded_with, within_padding
from jacobians.layers.columns import Unpooling, written_numbers
from jacobians.layers.image_functions import POOLS
from jacobians.layout import DEFAULT_LAYOUT, Layout
from jacobians.linops import (
    Broadcast,
    ForEachExample,
    Jacobian,
    PickedFromWindows,
    Product,
    Reshape,
    Selection,
    Windows,
)
from jacobians.linops.convolutions import window_counts
from jacobians.operations import Operation, Unary
from jacobians.operations.on_values import of_one
from jacobians.operations.operation import UNNAMED, Naming
from jacobians.operations.record import Makers
from jacobians.operations.shaping import flat_examples
from jacobians.presets import AnyLayout, find_layout
from jacobians.symbols.expressions import Call, Expr, Number

__all__ = [
    "Embedding",
    "Flattened",
    "GlobalPool",
    "Padded",
    "Pool",
    "avg_pool",
    "embedding",
    "flatten",
    "global_avg_pool",
    "global_max_pool",
    "max_pool",
    "pad",
]

Steps = int | Sequence[int]


class _OfImages(Unary):
    """An operation of a batch of images, each by itself."""

    per_example = True
    piecewise_linear = True
    reads = ("images",)
    layout: Layout | None

    def moved_to(self, layout: AnyLayout) -> Operation:
        return moved_copy(self, layout)

    def _order(self, X: Array, least: int = 3) -> tuple[int, ...]:
        """The order of axes that takes X to (N, C, *places)."""
        if X.ndim < least:
            raise ShapeError(
                f"{self.name}: X has shape {X.shape}; expected a batch of images, with channels and one or more "
                "axes of places"
            )
        return (self.layout or DEFAULT_LAYOUT).image_axes(X.ndim - 2)


@final
class Pool(_OfImages):
    """X ↦ the largest entry, or the mean, of each window of each channel.

    Of equal entries the first in C order counts as the largest, as in torch. CS231n's max_pool_backward gives each of
    them the whole gradient, which is no derivative of the value.

    Parameters
    ----------
    which : {"max", "avg"}
    size : int or sequence of int
        Of the windows.
    stride : int or sequence of int, optional
        The size unless given.
    pad : int, sequence or "same"
        How many entries are put around X. A maximum never takes one; a mean counts them as zeros.
    layout : Layout, Convention or str, optional

    Examples
    --------
    >>> Pool("max", 2)([[[[1.0, 2.0], [4.0, 3.0]]]])[0]
    array([[[[4.]]]])
    """

    def __init__(
        self,
        which: Literal["max", "avg"],
        size: Steps,
        stride: Steps | None = None,
        pad: Any = 0,
        layout: AnyLayout | None = None,
    ) -> None:
        if which not in ("max", "avg"):
            raise ArgumentError(f"Pool: which={which!r} is unknown; choose 'max' or 'avg'")
        self.which, self.size, self.stride, self.pad = which, size, stride, pad
        self.layout = None if layout is None else find_layout(layout)

    @property
    def name(self) -> str:
        return f"{self.which}_pool"

    def _linearize(self, *arrays: Array) -> tuple[Array, Makers]:
        (X,) = arrays
        axes = self._order(X)
        x = X.transpose(axes)
        channels, *lengths = x.shape[1:]
        places = len(lengths)
        size = as_steps(self.size, places, "size", self.name)
        stride = as_steps(self.size if self.stride is None else self.stride, places, "stride", self.name)
        pads = as_pads(self.pad, tuple(lengths), size, stride, (1,) * places, self.name)
        if self.which == "max" and any(max(p) >= k for p, k in zip(pads, size, strict=True)):
            raise ShapeError(f"max_pool: pad={self.pad!r} is as wide as the windows {size}; some would hold no entry")
        wide = tuple(b + n + a for n, (b, a) in zip(lengths, pads, strict=True))
        window_counts(wide, size, stride, (1,) * places, self.name)
        windows = Windows(size, (channels, *wide), stride, dtype=X.dtype)
        value, makers = (self._largest if self.which == "max" else self._mean)(x, windows, pads)
        jacobian = makers["X"]
        return value.transpose(inverse_axes(axes)).copy(), {
            "X": lambda: given_back(axes, moved(axes, jacobian(), X.shape))
        }

    def in_symbols(self, *inputs: Expr, name: Naming = UNNAMED) -> tuple[Expr, Makers]:
        """Return the value as a function with a name, and the maker of the Jacobian, whose transpose is another."""
        (X,) = inputs
        own = self.layout or DEFAULT_LAYOUT
        if X.ndim not in (3, 4):
            raise ShapeError(f"{self.name}: a formula is written for images of one axis or two")
        if X.ndim == 3:
            return self._of_lines(X, name)
        axes = own.image_axes(2)
        lengths = tuple(X.shape[a] for a in axes[2:])
        size = as_steps(self.size, 2, "size", self.name)
        stride = as_steps(self.size if self.stride is None else self.stride, 2, "stride", self.name)
        (top, bottom), (left, right) = pads = as_pads(self.pad, lengths, size, stride, (1, 1), self.name)
        wide = tuple(n + sum(p) for n, p in zip(lengths, pads, strict=True))
        shape = list(X.shape)
        shape[axes[2] : axes[3] + 1] = window_counts(wide, size, stride, (1, 1), self.name)
        usual = (*size, stride[0], top, 2, stride[0], top, top, top)
        steps = written_numbers((*size, stride[0], top, axes[2], stride[1], bottom, left, right), usual, 4)
        value = name(Call(POOLS[self.which][0], (X, *map(Number, steps)), tuple(shape)))
        return value, {"X": lambda: Unpooling(self.which, X, steps, tuple(shape))}

    def _of_lines(self, X: Expr, name: Naming) -> tuple[Expr, Makers]:
        """Images of one axis as images of one row."""
        size, stride = self.size, self.size if self.stride is None else self.stride
        (k,), (s,) = as_steps(size, 1, "size", self.name), as_steps(stride, 1, "stride", self.name)
        axes = (self.layout or DEFAULT_LAYOUT).image_axes(1)
        ((before, after),) = as_pads(self.pad, (X.shape[axes[2]],), (k,), (s,), (1,), self.name)
        pads = ((0, 0), (before, after))
        shape = (*X.shape[: axes[2]], 1, *X.shape[axes[2] :])
        value, makers = Pool(self.which, (1, k), (s, s), pads, self.layout).in_symbols(X.reshape(*shape))
        flat = tuple(n for axis, n in enumerate(value.shape) if axis != axes[2])
        by_x = makers["X"]
        found = name(value.reshape(*flat))
        return found, {"X": lambda: Product((Reshape(flat, value.shape), by_x(), Reshape(shape, X.shape)))}

    def _largest(self, x: Array, windows: Windows, pads: Any) -> tuple[Array, Makers]:
        inside = within_padding(x.shape[:2], x.shape[2:], pads, x.dtype)
        entries = x if not any(map(any, pads)) else padded_with(x, inside, -np.inf)
        every = Windows(windows.kernel, entries.shape, windows.stride, dtype=x.dtype)
        value = entries[every._entries((0,) * len(windows.kernel))].copy()
        for offset in np.ndindex(windows.kernel):
            if any(offset):
                np.maximum(value, entries[every._entries(offset)], out=value)

        def by_x() -> Jacobian:
            offsets = [*np.ndindex(windows.kernel)]
            which = np.zeros_like(value, dtype=np.intp if len(offsets) > 128 else np.int8)
            for place in reversed(range(len(offsets))):  # of equal entries the first comes last
                largest = entries[every._entries(offsets[place])] == value
                which = np.where(largest, which.dtype.type(place), which)
            picked = PickedFromWindows(every, which)
            return picked @ inside.T if any(map(any, pads)) else picked

        return value, {"X": by_x}

    def _mean(self, x: Array, windows: Windows, pads: Any) -> tuple[Array, Makers]:
        n, size = len(windows.kernel), size_of(windows.kernel)
        places = windows.codomain[1 + n :]
        beside = (x.shape[1], *(1,) * n, *places)
        inner = (
            Reshape((x.shape[1], *places), beside, x.dtype) @ Broadcast(windows.codomain, beside, x.dtype).T @ windows
        )
        if any(map(any, pads)):
            inner = inner @ within_padding(x.shape[1:2], x.shape[2:], pads, x.dtype).T
        by_x = (1.0 / size) * ForEachExample(len(x), inner)
        return as_array(by_x._jvp(x)), {"X": lambda: by_x}


@final
class GlobalPool(_OfImages):
    """X ↦ the largest entry, or the mean, of each channel: (N, C), or (C, N) for a batch in columns.

    Parameters
    ----------
    which : {"max", "avg"}
    layout : Layout, Convention or str, optional

    Examples
    --------
    >>> GlobalPool("max")(np.arange(8.0).reshape(1, 2, 2, 2))[0]
    array([[3., 7.]])
    """

    def __init__(self, which: Literal["max", "avg"], layout: AnyLayout | None = None) -> None:
        self.which = which
        self.layout = None if layout is None else find_layout(layout)

    @property
    def name(self) -> str:
        return f"global_{self.which}_pool"

    def _linearize(self, *arrays: Array) -> tuple[Array, Makers]:
        (X,) = arrays
        axes = self._order(X)
        lengths = tuple(X.shape[a] for a in axes[2:])
        if 0 in lengths:
            raise DomainError(f"{self.name}: X has shape {X.shape}; an image without places has no entries")
        value, jacobians = Pool(self.which, lengths, layout=self.layout)._linearize(X)
        kept = tuple(value.shape[a] for a in sorted(axes[:2]))
        return value.reshape(kept), {"X": lambda: Reshape(kept, value.shape, X.dtype) @ jacobians["X"]()}

    def in_symbols(self, *inputs: Expr, name: Naming = UNNAMED) -> tuple[Expr, Makers]:
        """Return the value as one window's, and the maker of the Jacobian."""
        (X,) = inputs
        axes = (self.layout or DEFAULT_LAYOUT).image_axes(X.ndim - 2)
        lengths = tuple(X.shape[a] for a in axes[2:])
        pooled, makers = Pool(self.which, lengths, 1, layout=self.layout).in_symbols(X)
        kept = tuple(pooled.shape[a] for a in sorted(axes[:2]))
        value = name(pooled.reshape(*kept))
        return value, {"X": lambda: Product((Reshape(kept, pooled.shape), makers["X"]()))}


@final
class Padded(_OfImages):
    """X ↦ X with zeros around its places. The transpose crops.

    Parameters
    ----------
    widths : int, sequence of int, or sequence of pairs
    layout : Layout, Convention or str, optional

    Examples
    --------
    >>> Padded(((0, 0), (1, 2)))(np.ones((1, 1, 1, 2)))[0]
    array([[[[0., 1., 1., 0., 0.]]]])
    """

    name = "pad"

    def __init__(self, widths: Any, layout: AnyLayout | None = None) -> None:
        self.widths = widths
        self.layout = None if layout is None else find_layout(layout)

    def _linearize(self, *arrays: Array) -> tuple[Array, Makers]:
        (X,) = arrays
        axes = self._order(X)
        n = X.ndim - 2
        pads = as_pads(self.widths, (1,) * n, (1,) * n, (1,) * n, (1,) * n, self.name, "widths")
        own = [(0, 0)] * X.ndim
        for axis, pair in zip(axes[2:], pads, strict=True):
            own[axis] = pair
        crop = within_padding((), X.shape, tuple(own), X.dtype)
        return crop._vjp(X), {"X": lambda: crop.T}


@final
class Flattened(Unary):
    """X ↦ the entries of each example as one row, or as one column for a batch in columns, in the layout's vec order.

    Parameters
    ----------
    layout : Layout, Convention or str, optional

    Examples
    --------
    >>> Flattened()(np.ones((2, 3, 4, 4)))[0].shape
    (2, 48)
    """

    name = "flatten"
    per_example = True
    reads = ("vec",)
    piecewise_linear = True

    def __init__(self, layout: AnyLayout | None = None) -> None:
        self.layout = None if layout is None else find_layout(layout)

    def moved_to(self, layout: AnyLayout) -> Operation:
        return moved_copy(self, layout)

    def _linearize(self, *arrays: Array) -> tuple[Array, Makers]:
        (X,) = arrays
        if not X.ndim:
            raise ShapeError("flatten: X has shape (); expected a batch")
        flat = flat_examples(X.shape, self.layout or DEFAULT_LAYOUT, X.dtype)
        return flat._jvp(X).copy(), {"X": lambda: flat}


@final
class Embedding(Unary):
    """W ↦ W[tokens]: a row of the table for each token, whatever shape the tokens have.

    The index is stored once for all columns, and the gradient adds up, row by row, what arrives at equal tokens.

    Parameters
    ----------
    tokens : array_like of int
    layout : Layout, Convention or str, optional

    Examples
    --------
    >>> Embedding([1, 0, 1])([[1.0, 2.0], [3.0, 4.0]])[0]
    array([[3., 4.],
           [1., 2.],
           [3., 4.]])
    """

    name = "embedding"
    piecewise_linear = True
    inputs: ClassVar[tuple[str, ...]] = ("W",)

    def __init__(self, tokens: npt.ArrayLike, layout: AnyLayout | None = None) -> None:
        self.tokens = as_array(tokens, "the tokens", "embedding").copy()
        if self.tokens.dtype.kind not in "iu":
            order = "; the order is tokens, table" if self.tokens.ndim == 2 and self.tokens.dtype.kind == "f" else ""
            raise ShapeError(
                f"embedding: the tokens have dtype {self.tokens.dtype}; expected integers, the rows' numbers{order}"
            )
        self.layout = None if layout is None else find_layout(layout)

    def _linearize(self, *arrays: Array) -> tuple[Array, Makers]:
        (W,) = arrays
        if W.ndim != 2:
            raise ShapeError(
                f"embedding: W has shape {W.shape}; expected a table, one row for each token of the vocabulary"
            )
        if self.tokens.size and not 0 <= self.tokens.min() <= self.tokens.max() < len(W):
            mend = "is the first label 1?"
            if self.tokens.min() < 0:
                mend = "is a negative one padding? Give it a row of its own, and leave it out of the loss by ignore="
            raise DomainError(
                f"embedding: tokens lie in [{self.tokens.min()}, {self.tokens.max()}], W of shape {W.shape} has the "
                f"rows 0 to {len(W) - 1}; {mend}"
            )
        tokens, width = self.tokens, W.shape[1]
        return W[tokens], {"W": lambda: ForEachExample(width, Selection(tokens, W.shape[:1], W.dtype), -1)}


@of_one
def max_pool(
    X: npt.ArrayLike, size: Steps, stride: Steps | None = None, pad: Any = 0, layout: AnyLayout | None = None
) -> tuple[Array, Jacobian]:
    """Return the largest entry of each window, and the Jacobian, a selection. See `Pool`.

    Parameters
    ----------
    X : array_like, shape (N, C, *places), or as the layout has images
    size, stride : int or sequence of int
        Of the windows, and between them: the size unless given.
    pad : int, sequence or "same"
    layout : Layout, Convention or str, optional

    Raises
    ------
    ShapeError
        If X is no batch of images, or no window fits.

    References
    ----------
    Stanford CS231n, assignment 2, max_pool_forward_naive; of equal entries the first counts, as in torch.

    Examples
    --------
    >>> Z, J = max_pool([[[[1.0, 2.0], [4.0, 3.0]]]], 2)
    >>> Z.item(), J.gradient if J.codomain == () else J.to_dense()
    (4.0, array([[0., 0., 1., 0.]]))
    """
    return Pool("max", size, stride, pad, layout)(X)


@of_one
def avg_pool(
    X: npt.ArrayLike, size: Steps, stride: Steps | None = None, pad: Any = 0, layout: AnyLayout | None = None
) -> tuple[Array, Jacobian]:
    """Return the mean of each window, and the Jacobian. It counts the padding's zeros. See `Pool`.

    Examples
    --------
    >>> Z, J = avg_pool([[[[1.0, 2.0], [4.0, 3.0]]]], 2)
    >>> Z.item(), J.to_dense()
    (2.5, array([[0.25, 0.25, 0.25, 0.25]]))
    """
    return Pool("avg", size, stride, pad, layout)(X)


@of_one
def global_max_pool(X: npt.ArrayLike, layout: AnyLayout | None = None) -> tuple[Array, Jacobian]:
    """Return the largest entry of each channel, (N, C) or (C, N), and the Jacobian, a selection.

    Raises
    ------
    DomainError
        If an image has no places.

    Examples
    --------
    >>> global_max_pool(np.arange(8.0).reshape(1, 2, 2, 2))[0]
    array([[3., 7.]])
    """
    return GlobalPool("max", layout)(X)


@of_one
def global_avg_pool(X: npt.ArrayLike, layout: AnyLayout | None = None) -> tuple[Array, Jacobian]:
    """Return the mean of each channel, (N, C) or (C, N), and the Jacobian (Lin, Chen & Yan 2014, arXiv:1312.4400).

    Raises
    ------
    DomainError
        If an image has no places.

    Examples
    --------
    >>> global_avg_pool(np.arange(8.0).reshape(1, 2, 2, 2))[0]
    array([[1.5, 5.5]])
    """
    return GlobalPool("avg", layout)(X)


@of_one
def pad(X: npt.ArrayLike, widths: Any, layout: AnyLayout | None = None) -> tuple[Array, Jacobian]:
    """Return images with zeros around them, and the Jacobian. Its transpose crops.

    Parameters
    ----------
    X : array_like, shape (N, C, *places), or as the layout has images
    widths : int, sequence of int, or sequence of pairs (before, after)
        By axis of places.
    layout : Layout, Convention or str, optional

    Examples
    --------
    >>> Z, J = pad(np.ones((1, 1, 1, 2)), ((0, 0), (1, 2)))
    >>> Z.ravel(), J.T.jvp(Z).ravel()
    (array([0., 1., 1., 0., 0.]), array([1., 1.]))
    """
    return Padded(widths, layout)(X)


@of_one
def flatten(X: npt.ArrayLike, layout: AnyLayout | None = None) -> tuple[Array, Jacobian]:
    """Return each example's entries as one row, or as one column for a batch in columns, and the Jacobian, a reshaping.

    An example's entries are read in the layout's vec order, as NumPy's reshape does with "C", and MATLAB's with "F".
    Images with channels last are flattened in another order than images with channels first.

    Examples
    --------
    >>> flatten(np.ones((2, 3, 4, 4)))[0].shape, flatten(np.ones((4, 4, 3, 2)), layout="matlab")[0].shape
    ((2, 48), (48, 2))
    """
    return Flattened(layout)(X)


@written
def embedding(tokens: npt.ArrayLike, W: Any) -> Any:
    """Return a table's row for each token, and the Jacobian with respect to the table.

    Parameters
    ----------
    tokens : array_like of int, any shape
    W : array_like, shape (vocabulary, D)

    Returns
    -------
    ndarray, shape (*tokens, D)
    Jacobian
        One index for all columns of the table. Its vjp writes a gradient as large as the table.

    Raises
    ------
    DomainError
        If a token is no row of the table.

    References
    ----------
    Stanford CS231n, assignment 3, word_embedding_forward.

    Examples
    --------
    >>> Z, J = embedding([1, 0, 1], [[1.0, 2.0], [3.0, 4.0]])
    >>> Z[0], J.vjp(np.ones((3, 2)))
    (array([3., 4.]), array([[1., 1.],
           [2., 2.]]))
    """
    return Embedding(tokens)(W)
