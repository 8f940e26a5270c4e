"""What convolutions are made of: the windows of an array, and a kernel that all windows of all examples share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, Shape, as_float, as_shape, show_shape, size_of
from jacobians.errors import ShapeError
from jacobians.linops.for_each_example import FEW_BYTES
from jacobians.linops.jacobian import Jacobian
from jacobians.linops.kernels import empty, matmul, zeros
from jacobians.linops.permutations import MovedEntries
from jacobians.linops.unrolling import slabs
from jacobians.linops.wrappers import Transposed


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
    windows stay a view: the columns of a few examples are written out at a time, about a megabyte of them.

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
            few = self.windows[step]
            yield step, few.reshape(len(few), *groups, k, p)

    def _jvp(self, tangent: Array) -> Array:
        stack = tangent.shape[: tangent.ndim - len(self.domain)]
        groups, k, p = self._sizes()
        weights = tangent.reshape(*stack, 1, *groups, self.out, k)
        out = empty((*stack, len(self.windows), *groups, self.out, p), tangent.dtype, tangent, self.windows)
        key = (slice(None),) * len(stack)
        for step, columns in self._columns():
            out[(*key, step)] = matmul(weights, columns)
        return out.reshape(stack + self.codomain)

    def _vjp(self, cotangent: Array) -> Array:
        stack = cotangent.shape[: cotangent.ndim - len(self.codomain)]
        groups, k, p = self._sizes()
        deltas = cotangent.reshape(*stack, len(self.windows), *groups, self.out, p)
        sums = zeros((*stack, *groups, self.out, k), cotangent)
        key = (slice(None),) * len(stack)
        for step, columns in self._columns():
            sums += matmul(deltas[(*key, step)], columns.swapaxes(-1, -2)).sum(axis=len(stack))
        return sums.reshape(stack + self.domain)

    def _transpose(self) -> Jacobian:
        return Transposed(self)

    def pairs(self, deltas: Array) -> tuple[Array, Array]:
        """Return what each place of each example multiplies, (N, P, out) and (N, P, K), all columns written out."""
        _, k, p = self._sizes()
        n = len(self.windows)
        return deltas.reshape(n, self.out, p).swapaxes(1, 2), self.windows.reshape(n, k, p).swapaxes(1, 2)

    @property
    def structure(self) -> str:
        return f"SharedKernel({show_shape(self.windows.shape)} to {self.out})"

    @property
    def flops(self) -> int:
        return 2 * self.out * self.windows.size

    @property
    def nbytes(self) -> int:
        """Bytes of the windows, or of the memory that they are a view of where they overlap."""
        spans = (max(n - 1, 0) * abs(s) for n, s in zip(self.windows.shape, self.windows.strides, strict=True))
        return min(sum(spans) + self.windows.itemsize, self.windows.nbytes)

    @property
    def arrays(self) -> tuple[Array, ...]:
        return (self.windows,)
