"""Maps that move entries: none, into another shape, the transpose (the commutation matrix), and selections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from jacobians.arrays import (
    Array,
    Shape,
    StandIn,
    Symbolic,
    as_array,
    as_shape,
    counted,
    inverse_axes,
    show_shape,
    size_of,
)
from jacobians.errors import ShapeError
from jacobians.layout import Order
from jacobians.linops.jacobian import Jacobian
from jacobians.linops.kernels import write_by, zeros
from jacobians.linops.nonzeros import Nonzeros
from jacobians.linops.unrolling import unravelled
from jacobians.linops.wrappers import Transposed

if TYPE_CHECKING:
    from scipy.sparse import csr_array


class MovedEntries(Jacobian):
    """V ↦ some entries of V in other places: each row of the matrix has one 1."""

    __slots__ = ()

    def _source(self) -> Array:
        """For each output entry, the input entry it is taken from: the one in its own place unless stated."""
        return np.arange(self.shape[0])

    def _fill(self, out: Array) -> None:
        out[...] = 0
        out[unravelled(np.arange(self.shape[0]), self.codomain) + unravelled(self._source(), self.domain)] = 1

    def _sparse(self) -> csr_array:
        from scipy.sparse import csr_array

        ones, starts = np.ones(self.shape[0], dtype=self.dtype), np.arange(self.shape[0] + 1)
        return csr_array((ones, self._source().copy(), starts), shape=self.shape)

    def _nonzeros(self) -> Nonzeros:
        return Nonzeros(self.shape[0], 1, self._repeats())

    def _repeats(self) -> int:
        """How often an entry is taken, at most."""
        return 1

    def _row_norms(self) -> Array:
        return np.ones(self.codomain, self.dtype)

    def _diagonal(self) -> Array:
        return (self._source() == np.arange(self.shape[0])).astype(self.dtype)

    @property
    def flops(self) -> int:
        """No arithmetic."""
        return 0

    @property
    def arrays(self) -> tuple[Array, ...]:
        """No arrays, unless the places are stored in one."""
        return ()


class Identity(MovedEntries):
    """V ↦ V.

    Parameters
    ----------
    domain : tuple of int
    dtype : dtype, optional

    Examples
    --------
    >>> Identity((2, 3))
    Identity(2×3): 6×6 float64, (2, 3) → (2, 3), 0 B
    """

    __slots__ = ()
    _rule = ("identity", "Nothing changes")

    def __init__(self, domain: Shape, dtype: npt.DTypeLike = np.float64) -> None:
        domain = as_shape(domain, "domain", "Identity")
        super().__init__(domain, domain, np.dtype(dtype))

    def _jvp(self, tangent: Array) -> Array:
        return tangent

    def _vjp(self, cotangent: Array) -> Array:
        return self._jvp(cotangent)

    def _transpose(self) -> Jacobian:
        return self

    def _written(self, write: Any, order: Order) -> str:
        return str(write.eye(self.shape[0]))

    def _is_symmetric(self) -> bool:
        return True

    def _keeps_examples(self, axis: int) -> bool:
        return bool(self.domain)

    @property
    def structure(self) -> str:
        return f"Identity({show_shape(self.domain)})"


class Reshape(MovedEntries):
    """The same entries, in C order, in another shape; in F order its matrix is a permutation.

    Parameters
    ----------
    codomain, domain : tuple of int
        Of equal size.
    dtype : dtype, optional

    Raises
    ------
    ShapeError
        If the sizes differ.

    Examples
    --------
    >>> Reshape((3, 2), (6,)).to_dense("F").argmax(axis=1)
    array([0, 2, 4, 1, 3, 5])
    """

    __slots__ = ()
    _rule = ("reshape", "The same entries in another shape")

    def __init__(self, codomain: Shape, domain: Shape, dtype: npt.DTypeLike = np.float64) -> None:
        codomain, domain = as_shape(codomain, "codomain", "Reshape"), as_shape(domain, "domain", "Reshape")
        if size_of(codomain) != size_of(domain):
            raise ShapeError(
                f"Reshape: {domain} has {counted(size_of(domain), 'entry', 'entries')}, {codomain} has "
                f"{size_of(codomain)}"
            )
        super().__init__(codomain, domain, np.dtype(dtype))

    def _jvp(self, tangent: Array) -> Array:
        return tangent.reshape(tangent.shape[: tangent.ndim - len(self.domain)] + self.codomain)

    def _vjp(self, cotangent: Array) -> Array:
        return cotangent.reshape(cotangent.shape[: cotangent.ndim - len(self.codomain)] + self.domain)

    def _transpose(self) -> Jacobian:
        return Reshape(self.domain, self.codomain, self.dtype)

    def _written(self, write: Any, order: Order) -> str:
        return str(write.reshaping(self.domain, self.codomain, order))

    def _squeezes(self) -> bool:
        return [n for n in self.domain if n != 1] == [n for n in self.codomain if n != 1]

    def _keeps_examples(self, axis: int) -> bool:
        return bool(self.domain and self.codomain) and self.codomain[axis] == self.domain[axis]

    @property
    def structure(self) -> str:
        return f"Reshape({show_shape(self.domain)} to {show_shape(self.codomain)})"


class Commutation(MovedEntries):
    r"""V ↦ Vᵀ; its matrix K satisfies K·vec(A) = vec(Aᵀ) (Magnus & Neudecker 2019, ch. 3).

    Parameters
    ----------
    rows, columns : int
        The shape of V.
    dtype : dtype, optional

    Examples
    --------
    >>> A = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    >>> Commutation(2, 3) @ A.ravel()
    array([1., 4., 2., 5., 3., 6.])
    >>> Commutation(3, 2) @ Commutation(2, 3)
    Identity(2×3): 6×6 float64, (2, 3) → (2, 3), 0 B
    """

    __slots__ = ()
    _rule = ("commutation", "K only transposes, vec(Δ)ᵀ K = vec(Δᵀ)ᵀ")

    def __init__(self, rows: int, columns: int, dtype: npt.DTypeLike = np.float64) -> None:
        rows, columns = as_shape((rows, columns), "domain", "Commutation")
        super().__init__((columns, rows), (rows, columns), np.dtype(dtype))

    def _jvp(self, tangent: Array) -> Array:
        return tangent.swapaxes(-1, -2)

    def _vjp(self, cotangent: Array) -> Array:
        return cotangent.swapaxes(-1, -2)

    def _transpose(self) -> Jacobian:
        return Commutation(self.codomain[0], self.codomain[1], self.dtype)

    def _written(self, write: Any, order: Order) -> str:
        return str(write.commutation(*self.domain, order))

    def _source(self) -> Array:
        rows, columns = self.domain
        return np.arange(rows * columns).reshape(rows, columns).T.ravel()

    @property
    def structure(self) -> str:
        return f"Commutation({self.domain[0]}, {self.domain[1]})"


class PermutedAxes(MovedEntries):
    """V ↦ V with its axes in another order, as `numpy.transpose` has it; only their order is stored.

    It takes images from channels first to channels last, or a batch from its first axis to its last one.

    Parameters
    ----------
    axes : tuple of int
        Place i of the output's shape is the input's axis ``axes[i]``.
    domain : tuple of int
    dtype : dtype, optional

    Raises
    ------
    ShapeError
        If the axes are not those of the domain, each once.

    Examples
    --------
    >>> J = PermutedAxes((0, 2, 3, 1), (5, 3, 8, 8))
    >>> J
    PermutedAxes(0 2 3 1 of 5×3×8×8): 960×960 float64, (5, 3, 8, 8) → (5, 8, 8, 3), 0 B
    >>> J.T @ J
    Identity(5×3×8×8): 960×960 float64, (5, 3, 8, 8) → (5, 3, 8, 8), 0 B
    """

    __slots__ = ("axes",)
    _rule = ("axes in another order", "Only the order of the axes changes")

    def __init__(self, axes: tuple[int, ...], domain: Shape, dtype: npt.DTypeLike = np.float64) -> None:
        domain = as_shape(domain, "domain", "PermutedAxes")
        self.axes = tuple(axes)
        if sorted(self.axes) != list(range(len(domain))):
            raise ShapeError(f"PermutedAxes: the axes {self.axes} are not those of {domain}, each once")
        super().__init__(tuple(domain[a] for a in self.axes), domain, np.dtype(dtype))

    def _jvp(self, tangent: Array) -> Array:
        return _transposed(tangent, self.axes)

    def _vjp(self, cotangent: Array) -> Array:
        return _transposed(cotangent, inverse_axes(self.axes))

    def _transpose(self) -> Jacobian:
        return PermutedAxes(inverse_axes(self.axes), self.codomain, self.dtype)

    def _source(self) -> Array:
        return np.arange(self.shape[1]).reshape(self.domain).transpose(self.axes).ravel()

    def _keeps_examples(self, axis: int) -> bool:
        return bool(self.axes) and self.axes[axis] == range(len(self.axes))[axis]

    @property
    def structure(self) -> str:
        return f"PermutedAxes({' '.join(map(str, self.axes))} of {show_shape(self.domain)})"


def _transposed(value: Array, axes: tuple[int, ...]) -> Array:
    """The value with its last axes in another order, those before them as they are."""
    lead = value.ndim - len(axes)
    return value.transpose((*range(lead), *(lead + a for a in axes)))


Key: TypeAlias = tuple[slice, ...] | Array


class Selection(MovedEntries):
    """V ↦ V[key]: the entries that are kept. Its transpose places them among zeros, adding repeats.

    Adding a column of ones to a batch is the transpose of a selection. So its VJP is the selection that drops the
    column: Ng's "remove δ₀".

    Parameters
    ----------
    key : tuple of slice, or ndarray of int
        One slice an axis, or for each entry of the output the input's flat index in C order, in an array of
        the output's shape.
    domain : tuple of int
    dtype : dtype, optional

    Raises
    ------
    ShapeError
        If the key does not fit the domain.

    Examples
    --------
    >>> drop_first = Selection((slice(None), slice(1, None)), (2, 3))
    >>> drop_first
    Selection([:, 1:] of 2×3): 4×6 float64, (2, 3) → (2, 2), 0 B
    >>> drop_first.T.jvp(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([[0., 1., 2.],
           [0., 3., 4.]])
    """

    __slots__ = ("key",)
    _rule = ("placement", "What was not selected has no influence")

    def __init__(self, key: Key, domain: Shape, dtype: npt.DTypeLike = np.float64) -> None:
        domain = as_shape(domain, "domain", "Selection")
        self.key: Key = key
        if isinstance(key, tuple):
            if len(key) != len(domain) or not {slice}.issuperset(map(type, key)):
                raise ShapeError(f"Selection: domain {domain} needs {len(domain)} slices; got {key!r}")
            codomain: Shape = tuple([len(range(*s.indices(n))) for s, n in zip(key, domain, strict=True)])
        else:
            index = as_array(key, "the index", "Selection")
            if index.dtype.kind not in "iu" or (index.size and not 0 <= index.min() <= index.max() < size_of(domain)):
                raise ShapeError(
                    f"Selection: the index must hold integers in [0, {size_of(domain)}), flat places in {domain}"
                )
            self.key = index.astype(np.intp)
            codomain = index.shape
        super().__init__(codomain, domain, np.dtype(dtype))

    def _jvp(self, tangent: Array) -> Array:
        if isinstance(self.key, tuple):
            kept: Any = (..., *self.key)
            return tangent[kept]
        stack = tangent.shape[: tangent.ndim - len(self.domain)]
        return tangent.reshape(*stack, self.shape[1])[..., self.key]

    def _vjp(self, cotangent: Array) -> Array:
        if isinstance(cotangent, Symbolic):
            return self._in_symbols(cotangent)
        stack = cotangent.shape[: cotangent.ndim - len(self.codomain)]
        out = zeros(stack + self.domain, cotangent)
        if isinstance(self.key, tuple):
            kept: Any = (..., *self.key)
            out[kept] = cotangent
            return out
        places = self.key.ravel()
        flat, sums = cotangent.reshape(*stack, places.size), out.reshape(*stack, self.shape[1])
        if self._repeats() <= 1:
            sums[..., places] = flat
        else:
            write_by(_add_by_segments, places, flat, sums)
        return out

    def _in_symbols(self, cotangent: Any) -> Array:
        """The cotangent among zeros, as an expression."""
        place = cotangent.placed if isinstance(self.key, tuple) else cotangent.scattered
        return as_array(place(self.key, self.domain))

    def _transpose(self) -> Jacobian:
        return Transposed(self)

    def _written(self, write: Any, order: Order) -> str | None:
        if not isinstance(self.key, tuple) or any(part.step not in (None, 1) for part in self.key):
            return None
        return str(write.selection(tuple((k.start, k.stop) for k in self.key), self.domain, order))

    def _step_back(self, row: str, image: str, write: Any, order: Order) -> tuple[str, str]:
        kept = ", ".join(map(_show, self.key))
        line = f"{row} {write.matrix(Transposed(self), order)} = {image}"
        return (
            "selection drops δ₀",
            f"The entry of ones is constant, so its cotangent is dropped, Sᵀ keeps [{kept}]: {line}.",
        )

    def _source(self) -> Array:
        if isinstance(self.key, tuple):
            return np.arange(self.shape[1]).reshape(self.domain)[self.key].ravel()
        return self.key.ravel()

    def _repeats(self) -> int:
        if isinstance(self.key, StandIn):
            return self.shape[0]
        return 1 if isinstance(self.key, tuple) else int(np.bincount(self.key.ravel()).max(initial=0))

    def _keeps_examples(self, axis: int) -> bool:
        if not self.domain or not self.codomain:
            return False
        count = self.domain[axis]
        if isinstance(self.key, tuple):
            return range(*self.key[axis].indices(count)) == range(count)
        if self.codomain[axis] != count:
            return False
        of_example = self.key // (self.shape[1] // count) if axis == 0 and count else self.key % max(count, 1)
        return bool((np.moveaxis(of_example, axis, -1) == np.arange(count)).all())

    @property
    def structure(self) -> str:
        of = show_shape(self.domain)
        if isinstance(self.key, tuple):
            return f"Selection([{', '.join(map(_show, self.key))}] of {of})"
        return f"Selection({self.shape[0]} of {of})"

    @property
    def arrays(self) -> tuple[Array, ...]:
        return () if isinstance(self.key, tuple) else (self.key,)


_LONG_SEGMENT = 1 << 12
"""Terms above which a float32 sum is carried in float64."""


def _add_by_segments(places: Array, terms: Array, sums: Array) -> None:
    """Write into `sums` at each place the sum of its terms. One sort by place serves the whole stack."""
    order = np.argsort(places, kind="stable")
    (starts,) = np.nonzero(np.diff(places[order], prepend=-1))
    longest = int(np.diff(starts, append=places.size).max())
    dtype = np.float64 if terms.dtype == np.float32 and longest > _LONG_SEGMENT else None
    sums[..., places[order[starts]]] = np.add.reduceat(terms[..., order], starts, axis=-1, dtype=dtype)


def _show(part: slice) -> str:
    text = f"{'' if part.start is None else part.start}:{'' if part.stop is None else part.stop}"
    return text if part.step is None else f"{text}:{part.step}"
