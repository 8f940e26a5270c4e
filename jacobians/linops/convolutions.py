"""What convolutions are made of: the windows of an array, and a kernel that all windows of all examples share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, Shape, Symbolic, as_array, as_float, as_shape, show_shape, size_of
from jacobians.errors import ShapeError
from jacobians.linops.batched_kronecker import BatchedKronecker
from jacobians.linops.for_each_example import FEW_BYTES
from jacobians.linops.jacobian import Jacobian
from jacobians.linops.kernels import empty, matmul, matmul_into, written_out, zeros
from jacobians.linops.khatri_rao_sum import KhatriRaoSum
from jacobians.linops.kronecker import Kronecker
from jacobians.linops.nonzeros import Nonzeros
from jacobians.linops.permutations import MovedEntries, Reshape, Selection
from jacobians.linops.unrolling import slabs
from jacobians.linops.wrappers import Transposed

if TYPE_CHECKING:
    from scipy.sparse import csr_array


class Windows(MovedEntries):
    """V ↦ its windows: entry (…, k, p) of the output is entry stride·p + dilation·k of the last axes of V.

    This is im2col: of an image (C, H, W) the output is (C, *kernel, *places). It is a view, and no index is stored.
    Its transpose, col2im, adds each place of the kernel as one strided array.

    Parameters
    ----------
    kernel : tuple of int
        Lengths of a window, along as many last axes.
    domain : tuple of int
    stride, dilation : tuple of int, optional
        Steps between windows, and between the entries of one; 1 unless given.
    dtype : dtype, optional

    Raises
    ------
    ShapeError
        If no window fits, or a step is below 1.

    Examples
    --------
    >>> J = Windows((2,), (5,), stride=(2,))
    >>> J
    Windows(2 of 5, stride 2): 4×5 float64, (5,) → (2, 2), 0 B
    >>> J.jvp(np.arange(5.0)).T          # window by window
    array([[0., 1.],
           [2., 3.]])
    """

    __slots__ = ("dilation", "kernel", "stride")
    _rule = ("windows add up", "Each entry gets back what arrives at the windows that it is in")

    def __init__(
        self,
        kernel: Shape,
        domain: Shape,
        stride: Shape | None = None,
        dilation: Shape | None = None,
        dtype: npt.DTypeLike = np.float64,
    ) -> None:
        domain, self.kernel = (
            as_shape(shape, name, "Windows") for shape, name in ((domain, "domain"), (kernel, "kernel"))
        )
        n = len(self.kernel)
        self.stride, self.dilation = tuple(stride or (1,) * n), tuple(dilation or (1,) * n)
        lengths = domain[len(domain) - n :]
        places = window_counts(lengths, self.kernel, self.stride, self.dilation)
        super().__init__((*domain[: len(domain) - n], *self.kernel, *places), domain, np.dtype(dtype))

    def _places(self) -> Shape:
        return self.codomain[len(self.codomain) - len(self.kernel) :]

    def _entries(self, offset: tuple[int, ...]) -> tuple[Any, ...]:
        """The index of the entries that lie at one offset in all windows."""
        steps = zip(offset, self.dilation, self.stride, self._places(), strict=True)
        return (..., *(slice(k * d, k * d + s * (p - 1) + 1, s) for k, d, s, p in steps))

    def _jvp(self, tangent: Array) -> Array:
        n = len(self.kernel)
        reach = tuple(d * (k - 1) + 1 for d, k in zip(self.dilation, self.kernel, strict=True))
        first = tangent.ndim - n
        every = np.lib.stride_tricks.sliding_window_view(tangent, reach, axis=tuple(range(first, tangent.ndim)))
        steps = (slice(None, None, s) for s in (*self.stride, *self.dilation))
        key: Any = (..., *steps)
        kept = every[key]
        places = range(first, first + n)
        return kept.transpose((*range(first), *(a + n for a in places), *places))

    def _vjp(self, cotangent: Array) -> Array:
        n = len(self.kernel)
        lead = cotangent.shape[: cotangent.ndim - len(self.codomain)]
        out = zeros(lead + self.domain, cotangent)
        for offset in np.ndindex(self.kernel):
            out[self._entries(offset)] += cotangent[(..., *offset, *(slice(None),) * n)]
        return out

    def _transpose(self) -> Jacobian:
        return Transposed(self)

    def _source(self) -> Array:
        return self._jvp(np.arange(self.shape[1]).reshape(self.domain)).ravel()

    def _repeats(self) -> int:
        return size_of(self.kernel)

    def _keeps_examples(self, axis: int) -> bool:
        return axis == 0 and len(self.domain) > len(self.kernel)

    @property
    def structure(self) -> str:
        steps = [
            f", {name} {show_shape(step)}"
            for name, step in (("stride", self.stride), ("dilation", self.dilation))
            if set(step) > {1} or set(step) - {1}
        ]
        return f"Windows({show_shape(self.kernel)} of {show_shape(self.domain)}{''.join(steps)})"


class PickedFromWindows(MovedEntries):
    """V ↦ one entry of each of its windows; the place of that entry in the window is stored.

    Its transpose adds up the cotangents, one strided array for each place in the window.

    Parameters
    ----------
    windows : Windows
    which : ndarray of int
        Of each window, the place of the entry in C order; of any shape that ends with those of the windows' places.

    Examples
    --------
    >>> J = PickedFromWindows(Windows((2,), (4,)), np.array([0, 1, 0]))
    >>> J
    PickedFromWindows(2 of 4): 3×4 float64, (4,) → (3,), 24 B
    >>> J.jvp(np.array([5.0, 6.0, 7.0, 8.0]))
    array([5., 7., 7.])
    """

    __slots__ = ("which", "windows")
    _rule = ("one of each window", "What was not picked has no influence")

    def __init__(self, windows: Windows, which: Array) -> None:
        n = len(windows.kernel)
        shape = windows.codomain[: len(windows.domain) - n] + windows.codomain[len(windows.domain) :]
        if which.shape != shape:
            raise ShapeError(f"PickedFromWindows: the places have shape {which.shape}; the windows' is {shape}")
        self.windows, self.which = windows, which
        super().__init__(shape, windows.domain, windows.dtype)

    def _offsets(self) -> Iterator[tuple[Array, tuple[Any, ...]]]:
        """For each place in a window, which windows picked it, and the index of the entries there."""
        for place, offset in enumerate(np.ndindex(self.windows.kernel)):
            yield as_array(self.which == place), self.windows._entries(offset)

    def _jvp(self, tangent: Array) -> Array:
        stack = tangent.shape[: tangent.ndim - len(self.domain)]
        out = empty(stack + self.codomain, tangent.dtype, tangent, self.which)
        out.fill(0)
        for picked, entries in self._offsets():
            out += picked * tangent[entries]
        return out

    def _vjp(self, cotangent: Array) -> Array:
        stack = cotangent.shape[: cotangent.ndim - len(self.codomain)]
        out = empty(stack + self.domain, cotangent.dtype, cotangent, self.which)
        out.fill(0)
        for picked, entries in self._offsets():
            out[entries] += picked * cotangent
        return out

    def _transpose(self) -> Jacobian:
        return Transposed(self)

    def _source(self) -> Array:
        n = len(self.windows.kernel)
        every = self.windows._source().reshape(self.windows.codomain)
        first = every.ndim - 2 * n
        every = every.reshape(*every.shape[:first], size_of(self.windows.kernel), *every.shape[first + n :])
        return np.take_along_axis(every, np.expand_dims(self.which, first), first).ravel()

    def _repeats(self) -> int:
        return self.windows._repeats()

    def _keeps_examples(self, axis: int) -> bool:
        return self.windows._keeps_examples(axis)

    @property
    def structure(self) -> str:
        return f"PickedFromWindows({show_shape(self.windows.kernel)} of {show_shape(self.domain)})"

    @property
    def arrays(self) -> tuple[Array, ...]:
        return (self.which,)


def window_counts(lengths: Shape, kernel: Shape, stride: Shape, dilation: Shape, called: str = "Windows") -> Shape:
    """Return how many windows fit along each axis: ⌊(length − dilation·(kernel − 1) − 1) / stride⌋ + 1.

    Raises
    ------
    ShapeError
        If none fits along an axis, or kernel, stride or dilation is below 1 or of another number of axes.
    """
    alike = len(lengths) == len(kernel) == len(stride) == len(dilation)
    if not alike or min((1, *kernel, *stride, *dilation)) < 1:
        raise ShapeError(
            f"{called}: kernel {kernel}, stride {stride} and dilation {dilation} over axes of lengths {lengths}; each "
            "needs one number of at least 1 for each of these axes"
        )
    reach = tuple(d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True))
    if any(r > n for r, n in zip(reach, lengths, strict=True)):
        raise ShapeError(
            f"{called}: a window of {show_shape(kernel)}, dilation {show_shape(dilation)}, reaches over "
            f"{show_shape(reach)} entries, the array with its padding has {show_shape(lengths)}; pad more, or take a "
            "smaller kernel"
        )
    return tuple((n - r) // s + 1 for n, r, s in zip(lengths, reach, stride, strict=True))


class SharedKernel(Jacobian):
    r"""V ↦ (V xₙₚ) for every place p of every example n: a weight that all places of all examples share.

    The vjp is :math:`\sum_{n,p} \delta_{np} x_{np}^\top`, which the courses write as dout times x_cols transposed. The
    windows stay a view. The columns of a few examples at a time are written out, about a megabyte.

    Parameters
    ----------
    windows : ndarray, shape (N, *inner, *places)
        What the kernel meets, of any strides: for a convolution (N, G, C/G, *kernel, *places).
    inner : int
        How many axes V sums over.
    out : int
        How many outputs V has in each group.
    groups : bool
        Whether an axis of groups follows that of the examples: each group has its own V.

    Raises
    ------
    ShapeError
        If the windows have too few axes.

    Examples
    --------
    >>> X = np.arange(12.0).reshape(2, 3, 2)                  # two examples, three channels, two places
    >>> J = SharedKernel(X, inner=1, out=4)
    >>> J
    SharedKernel(2×3×2 to 4): 16×12 float64, (4, 3) → (2, 4, 2), 96 B
    >>> W = np.ones((4, 3))
    >>> bool((J.jvp(W) == W @ X).all())
    True
    """

    __slots__ = ("groups", "inner", "out", "windows")
    _rule = ("shared over places", "Every place of every example has the same kernel, whose gradients add up")

    def __init__(self, windows: Array, inner: int, out: int, *, groups: bool = False) -> None:
        self.windows = as_float(windows, "windows", "SharedKernel")
        self.inner, self.out, self.groups = inner, out, groups
        first = 1 + groups
        if inner < 0 or self.windows.ndim < first + inner:
            raise ShapeError(
                f"SharedKernel: the windows have shape {self.windows.shape}; expected (N, {'G, ' * groups}{inner} axes "
                "that the kernel sums over, places)"
            )
        lead, summed = self.windows.shape[:first], self.windows.shape[first : first + inner]
        places = self.windows.shape[first + inner :]
        super().__init__((*lead, out, *places), (*lead[1:], out, *summed), self.windows.dtype)

    def _sizes(self) -> tuple[Shape, int, int]:
        """Of one example: groups, entries that a place sums over, and places."""
        first = 1 + self.groups
        shape = self.windows.shape
        return shape[1:first], size_of(shape[first : first + self.inner]), size_of(shape[first + self.inner :])

    def _columns(self) -> Iterator[tuple[slice, Array]]:
        """The columns of a few examples at a time, (few, groups, K, P)."""
        groups, k, p = self._sizes()
        for step in slabs(len(self.windows), size_of(groups) * k * p * self.windows.itemsize, FEW_BYTES):
            few = written_out(self.windows[step])
            yield step, few.reshape(len(few), *groups, k, p)

    def _jvp(self, tangent: Array) -> Array:
        if isinstance(tangent, Symbolic):  # of one axis that the kernel sums over, and one of places
            return as_array(np.einsum("gok,ngkp->ngop" if self.groups else "ok,nkp->nop", tangent, self.windows))
        stack = tangent.shape[: tangent.ndim - len(self.domain)]
        groups, k, p = self._sizes()
        weights = tangent.reshape(*stack, 1, *groups, self.out, k)
        out = empty((*stack, len(self.windows), *groups, self.out, p), tangent.dtype, tangent, self.windows)
        key = (slice(None),) * len(stack)
        for step, columns in self._columns():
            matmul_into(weights, columns, out[(*key, step)])
        return out.reshape(stack + self.codomain)

    def _vjp(self, cotangent: Array) -> Array:
        if isinstance(cotangent, Symbolic):
            return as_array(np.einsum("ngop,ngkp->gok" if self.groups else "nop,nkp->ok", cotangent, self.windows))
        stack = cotangent.shape[: cotangent.ndim - len(self.codomain)]
        groups, k, p = self._sizes()
        deltas = cotangent.reshape(*stack, len(self.windows), *groups, self.out, p)
        sums = zeros((*stack, *groups, k, self.out), cotangent)
        key: tuple[Any, ...] = (slice(None),) * len(stack)
        for step, columns in self._columns():
            # X_col dZᵀ, the transpose of the gradient, takes two thirds of the time of dZ X_colᵀ
            products = matmul(columns, deltas[(*key, step)].swapaxes(-1, -2))
            sums += products[(*key, 0)] if len(columns) == 1 else products.sum(axis=len(stack))
        return sums.swapaxes(-1, -2).reshape(stack + self.domain)

    def _transpose(self) -> Jacobian:
        return Transposed(self)

    def rows(self, deltas: Array) -> KhatriRaoSum:
        """Return one number per example as a function of the kernel: the sum over places of what arrives there."""
        return KhatriRaoSum.of_windows(
            deltas.reshape(len(self.windows), self.out, self._sizes()[2]).swapaxes(1, 2), self.windows, self.inner
        )

    @property
    def structure(self) -> str:
        return f"SharedKernel({show_shape(self.windows.shape)} to {self.out})"

    @property
    def flops(self) -> int:
        return 2 * self.out * self.windows.size

    @property
    def nbytes(self) -> int:
        """Bytes of the windows; where they overlap, bytes of the memory under them."""
        spans = (max(n - 1, 0) * abs(s) for n, s in zip(self.windows.shape, self.windows.strides, strict=True))
        return min(sum(spans) + self.windows.itemsize, self.windows.nbytes)

    @property
    def arrays(self) -> tuple[Array, ...]:
        return (self.windows,)


class SlidingKernel(Jacobian):
    r"""V ↦ its correlation with a kernel, of one image: (C, \*lengths) ↦ (out, \*places).

    It equals a product of structures: a kernel times the windows of the image among its padding. The matrix is that
    product. The action writes out the columns of a few images at a time, about a megabyte. With stride 1 the vjp is
    another correlation, of the cotangent with the rotated kernel. With many channels, adding up the windows is cheaper.

    Parameters
    ----------
    weights : ndarray, shape (G, out/G, C/G, \*kernel)
    windows : Windows
        Of the padded image.
    pads : tuple of (int, int)
        Zeros before and after each axis of places.

    Examples
    --------
    >>> J = SlidingKernel(np.array([[[[1.0, -1.0]]]]), Windows((2,), (1, 4)), ((1, 0),))
    >>> J.to_dense()
    array([[-1.,  0.,  0.],
           [ 1., -1.,  0.],
           [ 0.,  1., -1.]])
    """

    __slots__ = ("chain", "pads", "weights", "windows")
    _rule = ("a kernel moves along", "Every place of an image meets the same kernel")

    def __init__(self, weights: Array, windows: Windows, pads: Sequence[tuple[int, int]]) -> None:
        self.weights, self.windows, self.pads = weights, windows, tuple(pads)
        groups, outputs, inputs, *_ = weights.shape
        n = len(self.pads)
        lengths = tuple(w - b - a for w, (b, a) in zip(windows.domain[1:], self.pads, strict=True))
        places = windows.codomain[1 + n :]
        matrices = weights.reshape(groups, outputs, size_of(weights.shape[2:]))
        p, dtype = size_of(places), windows.dtype
        by_columns: Jacobian = Kronecker(matrices[0], p) if groups == 1 else BatchedKronecker(matrices, p, (groups,))
        chain = by_columns @ Reshape(by_columns.domain, windows.codomain, dtype) @ windows
        if any(map(any, self.pads)):
            key = (slice(None), *(slice(b, b + m) for m, (b, _) in zip(lengths, self.pads, strict=True)))
            chain = chain @ Selection(key, windows.domain, dtype).T
        self.chain = Reshape((groups * outputs, *places), by_columns.codomain, dtype) @ chain
        super().__init__(self.chain.codomain, (groups * inputs, *lengths), dtype)

    def _jvp(self, tangent: Array) -> Array:
        stack = tangent.shape[: tangent.ndim - len(self.domain)]
        flat = tangent.reshape(size_of(stack), *self.domain)
        images = empty((len(flat), *self.codomain), tangent.dtype, tangent, self.weights)
        for step in slabs(len(flat), size_of(self.windows.codomain) * flat.itemsize, FEW_BYTES):
            images[step] = self.chain._jvp(flat[step])
        return images.reshape(stack + self.codomain)

    def _vjp(self, cotangent: Array) -> Array:
        stack = cotangent.shape[: cotangent.ndim - len(self.codomain)]
        flat = cotangent.reshape(size_of(stack), *self.codomain)
        images = empty((len(flat), *self.domain), cotangent.dtype, cotangent, self.weights)
        (self._by_correlation if self._turns() else self._by_windows)(flat, images)
        return images.reshape(stack + self.domain)

    def _by_correlation(self, flat: Array, images: Array) -> None:
        """The cotangents with the turned kernel: their columns are those of a convolution."""
        groups, outputs, inputs, *kernel = self.weights.shape
        n = len(self.pads)
        around = [(r - 1 - b, r - 1 - a) for r, (b, a) in zip(self._reach(), self.pads, strict=True)]
        wide = (groups * outputs, *(b + m + a for m, (b, a) in zip(self.codomain[1:], around, strict=True)))
        inside: Any = (..., *(slice(b, b + m) for m, (b, _) in zip(self.codomain[1:], around, strict=True)))
        met = Windows(tuple(kernel), wide, dilation=self.windows.dilation, dtype=self.dtype)
        sizes: Shape = (groups, outputs * size_of(tuple(kernel)), size_of(self.domain[1:]))
        turned = np.flip(self.weights, tuple(range(3, 3 + n))).transpose(0, 1, *range(3, 3 + n), 2)
        turned = turned.reshape(groups, sizes[1], inputs).swapaxes(1, 2)
        steps = [*slabs(len(flat), size_of(met.codomain) * flat.itemsize, FEW_BYTES)]
        padded = zeros((steps[0].stop if steps else 0, *wide), flat)
        for step in steps:
            few = padded[: step.stop - step.start]
            few[inside] = flat[step]
            columns = written_out(met._jvp(few)).reshape(len(few), *sizes)
            matmul_into(turned, columns, images[step].reshape(len(few), groups, inputs, sizes[2]))

    def _by_windows(self, flat: Array, images: Array) -> None:
        """The cotangents of each place in the windows, added with one strided array per place."""
        groups, outputs, inputs, *kernel = self.weights.shape
        n, offsets = len(self.pads), size_of(tuple(kernel))
        places = self.codomain[1:]
        first = self.weights.transpose(0, *range(3, 3 + n), 2, 1).reshape(groups, offsets * inputs, outputs)
        inside: Any = (..., *(slice(b, b + m) for m, (b, _) in zip(self.domain[1:], self.pads, strict=True)))
        steps = [*slabs(len(flat), size_of(self.windows.codomain) * flat.itemsize, FEW_BYTES)]
        padded = empty((steps[0].stop if steps else 0, groups, inputs, *self.windows.domain[1:]), flat.dtype, flat)
        for step in steps:
            few = padded[: step.stop - step.start]
            products = matmul(first, flat[step].reshape(len(few), groups, outputs, size_of(places)))
            products = products.reshape(len(few), groups, offsets, inputs, *places)
            few.fill(0)
            for place, offset in enumerate(np.ndindex(*kernel)):
                few[self.windows._entries(offset)] += products[:, :, place]
            images[step] = few[inside].reshape(len(few), *self.domain)

    def _reach(self) -> Shape:
        return tuple(d * (k - 1) + 1 for d, k in zip(self.windows.dilation, self.windows.kernel, strict=True))

    def _turns(self) -> bool:
        """Whether the vjp is a correlation: for up to 1½ times the channels, since adding is slower than copying."""
        fits = all(r > max(pair) for r, pair in zip(self._reach(), self.pads, strict=True))
        return fits and set(self.windows.stride) == {1} and 2 * self.codomain[0] <= 3 * self.domain[0]

    def _transpose(self) -> Jacobian:
        return Transposed(self)

    def _sparse(self) -> csr_array:
        return self.chain._sparse()

    def _nonzeros(self) -> Nonzeros:
        return self.chain._nonzeros()

    @property
    def structure(self) -> str:
        kernel = f"{self.codomain[0]} of {show_shape(self.weights.shape[2:])}"
        return f"SlidingKernel({kernel} over {show_shape(self.domain)})"

    @property
    def flops(self) -> int:
        return self.chain.flops

    @property
    def arrays(self) -> tuple[Array, ...]:
        return (self.weights,)
