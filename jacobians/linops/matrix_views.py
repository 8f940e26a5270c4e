"""The matrix of a linear map between arrays, on request: dense, sparse, its diagonal, its rows' norms and products."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, Derivative, DType, Shape, as_array, as_float, format_bytes, size_of
from jacobians.errors import DTypeError, ShapeError, TooLargeError
from jacobians.layout import Order
from jacobians.linops.by_example import (
    example_axes,
    example_row_norms,
    example_size,
    example_steps,
    for_each,
    joined,
    probed,
    split,
)
from jacobians.linops.kernels import empty, may_alias, norms
from jacobians.linops.nonzeros import Nonzeros
from jacobians.linops.unrolling import as_arrays, c_index_of_f, exchanged, known_order, roll, rows_of, slabs, unroll

if TYPE_CHECKING:
    from scipy.sparse import csr_array


DENSE_LIMIT = 1 << 30
"""Bytes above which a view of the matrix is refused unless the caller raises the limit."""


class MatrixViews(Derivative):
    """A linear map between arrays by its two actions, and every view of its matrix that follows from them."""

    __slots__ = ()

    codomain: Shape
    domain: Shape
    dtype: DType
    order: Order | None

    _slots: ClassVar[tuple[str, ...]]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        # slots may be named by one string
        named = (vars(c).get("__slots__", ()) for c in cls.__mro__)
        cls._slots = tuple(s for slots in named for s in ((slots,) if isinstance(slots, str) else slots))
        # what ABC does, without its metaclass: that one answers every isinstance in four times the time, and the
        # algebra asks many
        left = (name for name in dir(cls) if getattr(getattr(cls, name, None), "__isabstractmethod__", False))
        cls.__abstractmethods__ = frozenset(left)  # type: ignore[attr-defined]

    # --- what every structure states ---------------------------------------------------------------

    @abstractmethod
    def _jvp(self, tangent: Array) -> Array:
        """J·t for a tangent of shape (*stack, *domain); may return a view of `tangent`."""

    @abstractmethod
    def _vjp(self, cotangent: Array) -> Array:
        """Jᵀ·c for a cotangent of shape (*stack, *codomain); may return a view of `cotangent`."""

    @abstractmethod
    def _in_one_dtype(self) -> Self:
        """The same map with every stored array in the matrix's dtype, so that sums are rounded in that dtype."""

    @property
    @abstractmethod
    def structure(self) -> str:
        """The structure and its sizes in one line, such as ``Kronecker(I₅, 3×4)``."""

    @property
    @abstractmethod
    def flops(self) -> int:
        """Arithmetic operations of one `jvp` (an addition and a multiplication count as two)."""

    @property
    @abstractmethod
    def arrays(self) -> tuple[Array, ...]:
        """The arrays that the operator stores."""

    # --- what a structure may know better ----------------------------------------------------------

    _stores_matrix: ClassVar[bool] = False
    """Whether `_dense` is what is stored, and so costs nothing."""
    _stores_blocks: ClassVar[bool] = False
    """Whether `_blocks` are."""
    _shares_block: ClassVar[bool] = False
    """Whether all examples have one block."""

    def _fill(self, out: Array) -> None:
        """Write the matrix, zeros included, into an array of shape (*codomain, *domain) and any strides.

        Here the map is applied to a basis, from its shorter side, a slab at a time.
        """
        forward = self.shape[0] > self.shape[1]
        shape = self.domain if forward else self.codomain
        side = exchanged(out, len(self.codomain)) if forward else out
        for part in slabs(size_of(shape), sum(self.shape) * self.dtype.itemsize):
            basis = self._basis(shape, part.start, part.stop)
            side[rows_of(part, shape)] = self._jvp(basis) if forward else self._vjp(basis)

    def _fill_within(self, out: Array, limit: int) -> None:
        """`_fill`, for a structure that has several ways; `limit` counts `out` and is not below `_refuse_over`'s."""
        self._fill(out)

    def _dense(self) -> Array:
        """The matrix in C order; may be a view of what is stored."""
        out = empty(self.codomain + self.domain, self.dtype, *self.arrays)
        self._fill(out)
        return out.reshape(self.shape)

    def _dense_bytes(self) -> int:
        """Bytes of the arrays, the matrix included, that `_fill` needs at one time."""
        rows, columns = self.shape
        return rows * columns * self.dtype.itemsize

    def _dense_flops(self) -> int:
        """The number of operations to write the matrix; an entry that is only written counts as one."""
        return 0 if self._stores_matrix else self.shape[0] * self.shape[1]

    def _least_bytes(self) -> int:
        """Bytes that `_fill_within` needs at the least."""
        return self._dense_bytes()

    def _sparse(self) -> csr_array:
        """The matrix in C order as a sparse array; made from the dense matrix unless the structure has zeros."""
        from scipy.sparse import csr_array

        return csr_array(self._dense())

    def _nonzeros(self) -> Nonzeros:
        """How many entries of the matrix are not zero, at most."""
        return Nonzeros.full(self.shape)

    def _sparse_bytes(self) -> int:
        """Bytes of the arrays, the result among them, that `_sparse` needs at one time, at most."""
        found = self._nonzeros()
        entries = size_of(self.shape)
        return found.nbytes(self.shape[0], self.dtype.itemsize) + (self._dense_bytes() if found.total >= entries else 0)

    def _keeps_examples(self, axis: int) -> bool:
        """Whether place n of the output, along axis 0 or -1, depends on place n of the input alone."""
        return False

    def _blocks(self, axis: int) -> Array:
        """The examples' blocks, (N, p, q), or (1, p, q) where all are equal. May be a view of a stored array."""
        return probed(self, axis)

    def _blocks_bytes(self, axis: int) -> int:
        """Bytes of the blocks of all examples, and of the basis vectors whose images they are."""
        count, p, q = self.domain[axis], example_size(self.codomain, axis), example_size(self.domain, axis)
        return count * q * (p if self._stores_blocks else p + q) * self.dtype.itemsize

    def _times_blocks(self, blocks: Array, axis: int) -> Array:
        """Jₙ Bₙ for blocks Bₙ, or one B for all examples, by the action on their columns."""
        columns = for_each(blocks, self.domain[axis]).transpose(2, 0, 1)
        return split(self._jvp(joined(columns, self.domain, axis)), self.codomain, axis).transpose(1, 2, 0)

    def _blocks_times(self, blocks: Array, axis: int) -> Array:
        """Bₙ Jₙ, by the action on their rows."""
        rows = for_each(blocks, self.codomain[axis]).transpose(1, 0, 2)
        return split(self._vjp(joined(rows, self.codomain, axis)), self.domain, axis).transpose(1, 0, 2)

    def _diagonal(self) -> Array:
        """The matrix's diagonal in C order, in steps."""
        size = self.shape[0]
        out = np.empty(size, dtype=self.dtype)
        for start, stop in example_steps(size, size, self.dtype):
            image = self._jvp(self._basis(self.domain, start, stop)).reshape(stop - start, size)
            out[start:stop] = image.diagonal(start)
        return out

    def _row_norms(self) -> Array:
        """The norms, in the codomain's shape. Where examples stay apart, one row of every example is made at once."""
        axis = min(example_axes((self,)), default=None)
        return self._norms_in_steps() if axis is None else example_row_norms((self,), axis)

    def _norms_in_steps(self) -> Array:
        out = np.empty(size_of(self.codomain), dtype=self.dtype)
        for start, stop in self._steps():
            rows = self._vjp(self._basis(self.codomain, start, stop))
            out[start:stop] = norms(rows.reshape(stop - start, size_of(self.domain)))
        return out.reshape(self.codomain)

    def _gram(self) -> Array:
        """J (Jᵀ eᵢ) for every basis vector, in steps."""
        size = size_of(self.codomain)
        out = np.empty((size, size), dtype=self.dtype)
        for start, stop in self._steps():
            rows = self._vjp(self._basis(self.codomain, start, stop))
            out[start:stop] = self._jvp(rows).reshape(stop - start, size)
        return out

    def _steps(self) -> list[tuple[int, int]]:
        size = size_of(self.codomain)
        return list(example_steps(size, size + size_of(self.domain), self.dtype))

    def _basis(self, shape: Shape, start: int, stop: int) -> Array:
        """Vectors start … stop of the standard basis of arrays of this shape, as a stack."""
        return np.eye(stop - start, size_of(shape), start, dtype=self.dtype).reshape(stop - start, *shape)

    # --- views -----------------------------------------------------------------------------------

    ndim: ClassVar[int] = 2
    """Axes of the matrix, as an array and SciPy's operators have them."""

    @property
    def shape(self) -> tuple[int, int]:
        """The matrix's shape in numerator layout: (size of codomain, size of domain)."""
        return size_of(self.codomain), size_of(self.domain)

    def to_dense(self, order: Order | None = None, *, limit: int = DENSE_LIMIT, out: Array | None = None) -> Array:
        """Return the matrix as an array of shape `shape`: a new one, or `out`.

        Parameters
        ----------
        order : {"C", "F"}, optional
            How domain and codomain are unrolled; the operator's own `order` unless given.
        limit : int
            Bytes above which nothing is allocated. The matrix counts, also where it is written into `out`.
        out : ndarray, optional
            An array of this shape and dtype, of any strides, into which the matrix is written. Above some 32 MiB
            filling a new array takes several times as long as filling one that was used before.

        Raises
        ------
        TooLargeError
            If the matrix, with the arrays on the way to it, would take more than `limit` bytes.
        ShapeError
            If `out` has another shape, is read-only, or shares memory with what the Jacobian stores.
        DTypeError
            If `out` has another dtype.

        Examples
        --------
        >>> from jacobians.linops import Diagonal
        >>> room = np.empty((2, 5))
        >>> _ = Diagonal(np.array([3.0, 4.0])).to_dense(out=room[:, ::3])
        >>> room[:, ::3]
        array([[3., 0.],
               [0., 4.]])
        """
        order = self._order(order, "to_dense")
        self._refuse_dense_over(limit)
        found = self._in_one_dtype()
        if found is not self:
            found._refuse_dense_over(limit)
        matrix = empty(self.shape, self.dtype, *self.arrays) if out is None else self._writable(out)
        found._fill_within(found._as_arrays(matrix, order), limit)
        return matrix

    def _refuse_dense_over(self, limit: int) -> None:
        rows, columns = self.shape
        dense, needed = rows * columns * self.dtype.itemsize, self._dense_bytes()
        if needed > limit:
            needed = self._least_bytes()
        on_the_way = f" and {format_bytes(needed)} on the way" if needed > dense else ""
        self._refuse_over(limit, needed, "to_dense", f"{format_bytes(dense)} dense{on_the_way}", "to_sparse(), ")

    def tensor(self, *, limit: int = DENSE_LIMIT) -> Array:
        """Return all partial derivatives as a new array of shape (*codomain, *domain): ∂y[i]/∂x[j] at [*i, *j].

        It is the same in every vec order, and in both derivative layouts.

        Parameters
        ----------
        limit : int
            Bytes above which nothing is allocated.

        Raises
        ------
        TooLargeError
            If it would take more than `limit` bytes.

        Examples
        --------
        >>> from jacobians.linops import Commutation
        >>> T = Commutation(2, 3).tensor()
        >>> T.shape, T[2, 1, 1, 2]
        ((3, 2, 2, 3), np.float64(1.0))
        """
        return np.asarray(self._as_arrays(self.to_dense("C", limit=limit), "C"), order="C")

    def toarray(self) -> Array:
        """Return `to_dense()`, by the name that SciPy's sparse arrays give it."""
        return self.to_dense()

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> Array:
        """Return `to_dense()`, for NumPy's and SciPy's functions that take matrices: it asks the same guard.

        Raises
        ------
        TooLargeError
            If the matrix would take more than `DENSE_LIMIT` bytes.
        ValueError
            If ``copy=False``: the matrix is written out, so it is a new array.
        """
        if copy is False:
            raise ValueError(f"{self.structure} is no array yet, and cannot become one without a copy: leave copy out")
        matrix = self.to_dense()
        return matrix if dtype is None else matrix.astype(dtype, copy=False)

    def to_sparse(self, order: Order | None = None, *, limit: int = DENSE_LIMIT) -> csr_array:
        """Return the matrix as a SciPy sparse array (CSR), unrolled as in `to_dense`.

        Parameters
        ----------
        order : {"C", "F"}, optional
            As in `to_dense`.
        limit : int
            Bytes above which nothing is allocated. They are bounded by structure: entries, and two numbers of eight
            bytes for the place of each.

        Raises
        ------
        TooLargeError
            If the entries that may not be zero would take more.
        """
        order = self._order(order, "to_sparse")
        needed = self._sparse_bytes()
        self._refuse_over(limit, needed, "to_sparse", f"up to {format_bytes(needed)} as a sparse array")
        matrix = self._in_one_dtype()._sparse()
        if order == "F":
            matrix = matrix[c_index_of_f(self.codomain)][:, c_index_of_f(self.domain)]
        return matrix

    def diagonal(self, order: Order | None = None, *, limit: int = DENSE_LIMIT) -> Array:
        """Return the diagonal of a square matrix as a new vector, unrolled as in `to_dense`.

        Raises
        ------
        ShapeError
            If the matrix is not square.
        TooLargeError
            If the diagonal would take more than `limit` bytes.
        """
        rows, columns = self.shape
        if rows != columns:
            raise ShapeError(f"diagonal: {self.structure} is {rows}×{columns}; only a square matrix has one")
        order = self._order(order, "diagonal")
        if order == "F" and self.codomain != self.domain:
            raise ShapeError(
                f"diagonal: codomain {self.codomain} and domain {self.domain} differ, so the F-order diagonal "
                "pairs other entries than the structure does; take to_dense('F').diagonal()"
            )
        self._refuse_vector_over(limit, "diagonal")
        found = self._in_one_dtype()._diagonal()
        return found[c_index_of_f(self.domain)] if order == "F" else as_array(found).copy()

    def row_norms(self, *, limit: int = DENSE_LIMIT) -> Array:
        r"""Return the Euclidean norm of each output's gradient: :math:`\lVert J_{i,:} \rVert_2`, by structure.

        In numerator layout a gradient is a row of the matrix, in denominator layout a column; the result is the same.

        Parameters
        ----------
        limit : int
            Bytes above which nothing is allocated.

        Returns
        -------
        ndarray, shape `codomain`
            A new array.

        Raises
        ------
        TooLargeError
            If it would take more than `limit` bytes.

        References
        ----------
        Goodfellow (2015), *Efficient per-example gradient computations*, arXiv:1510.01799.

        Examples
        --------
        >>> from jacobians import affine, cross_entropy
        >>> X, W, b = np.array([[3.0, 4.0], [0.0, 1.0]]), np.zeros((2, 2)), np.zeros(2)
        >>> Z, J1 = affine(X, W, b)
        >>> losses, J2 = cross_entropy(Z, [0, 1], reduction="none")
        >>> np.allclose((J2 @ J1.W).row_norms(), [5 * np.sqrt(0.5), np.sqrt(0.5)])
        True
        """
        self._refuse_vector_over(limit, "row_norms")
        return as_array(self._in_one_dtype()._row_norms()).copy()

    def gram(self, order: Order | None = None, *, limit: int = DENSE_LIMIT) -> Array:
        r"""Return the inner products of the outputs' gradients, :math:`J J^\top`, by structure.

        In denominator layout, where J is inputs × outputs, the same matrix is JᵀJ. For per-example losses it is the
        Gram matrix of per-example gradients, for a network's outputs its empirical neural tangent kernel.

        Parameters
        ----------
        order : {"C", "F"}, optional
            How the codomain is unrolled; the operator's own `order` unless given.
        limit : int
            Bytes above which nothing is allocated.

        Returns
        -------
        ndarray, shape (m, m), m the size of `codomain`
            A new symmetric array.

        Raises
        ------
        TooLargeError
            If it would take more than `limit` bytes.

        References
        ----------
        Jacot, Gabriel & Hongler (2018), *Neural tangent kernel*, arXiv:1806.07572.

        Examples
        --------
        >>> from jacobians.linops import Kronecker
        >>> Kronecker(np.array([[1.0, 2.0]]), 2).gram()
        array([[5., 0.],
               [0., 5.]])
        """
        order = self._order(order, "gram")
        size = size_of(self.codomain)
        needed = size * size * self.dtype.itemsize
        takes = f"and of its {size} outputs J Jᵀ takes {format_bytes(needed)}"
        self._refuse_over(limit, needed, "gram", takes, "(J @ J.T).matvec, fewer outputs, ")
        products = self._in_one_dtype()._gram()
        if order == "F":
            index = c_index_of_f(self.codomain)
            products = products[np.ix_(index, index)]
        return products

    # --- products with vectors and matrices -------------------------------------------------------

    def matvec(self, x: Array) -> Array:
        """Return the matrix times a vector (n,) or a column (n, 1), unrolled in the operator's order."""
        return self._vector_action(x, "matvec", transposed=False)

    def rmatvec(self, x: Array) -> Array:
        """Return the transposed matrix times a vector (m,) or a column (m, 1)."""
        return self._vector_action(x, "rmatvec", transposed=True)

    def matmat(self, x: Array) -> Array:
        """Return the matrix times a matrix (n, k)."""
        return self._matrix_action(self._operand(x, "matmat", transposed=False), transposed=False)

    def rmatmat(self, x: Array) -> Array:
        """Return the transposed matrix times a matrix (m, k)."""
        return self._matrix_action(self._operand(x, "rmatmat", transposed=True), transposed=True)

    def _operand(self, x: Array, operation: str, *, transposed: bool) -> Array:
        array = as_float(x, "operand", operation)
        rows, columns = self.shape
        size = rows if transposed else columns
        fits = array.ndim == 2 and array.shape[0] == size
        if operation.endswith("matvec"):
            fits = array.shape in ((size,), (size, 1))
        if not fits:
            raise ShapeError(
                f"{operation}: the matrix is {rows}×{columns} ({self.structure}), the operand has shape {array.shape}; "
                f"expected ({size},) or ({size}, k). jvp and vjp take arrays of natural shape"
            )
        return array.astype(np.result_type(array.dtype, self.dtype), copy=False)

    def _vector_action(self, x: Array, operation: str, *, transposed: bool) -> Array:
        array = self._operand(x, operation, transposed=transposed)
        image = self._matrix_action(array.reshape(array.shape[0], 1), transposed=transposed)
        return image.reshape(image.shape[0], *array.shape[1:])

    def _matrix_action(self, x: Array, *, transposed: bool) -> Array:
        into, out = (self.codomain, self.domain) if transposed else (self.domain, self.codomain)
        stack = unroll(x.T, into, self.order)
        act = self._vjp if transposed else self._jvp
        # one vector goes without a stack: the products of matrices are then free in their memory order
        image = act(stack[0])[np.newaxis] if len(stack) == 1 else act(stack)
        return roll(image, out, self.order).T.copy()

    # --- what the views ask first ------------------------------------------------------------------

    def _order(self, order: Order | None, operation: str) -> Order:
        return self.order or "C" if order is None else known_order(order, operation)

    def _as_arrays(self, matrix: Array, order: Order) -> Array:
        return as_arrays(matrix, self.codomain, self.domain, order)

    def _writable(self, out: Array) -> Array:
        if np.shape(out) != self.shape:
            raise ShapeError(
                f"to_dense: out has shape {np.shape(out)}, the matrix of {self.structure} has {self.shape}; "
                f"make it with np.empty({self.shape}, np.{self.dtype})"
            )
        if out.dtype != self.dtype:
            raise DTypeError(
                f"to_dense: out has dtype {out.dtype}, the matrix of {self.structure} has {self.dtype}; "
                f"make it with np.empty({self.shape}, np.{self.dtype})"
            )
        if may_alias(out, self.arrays):
            raise ShapeError(
                f"to_dense: out is read-only, or shares memory with what {self.structure} stores; give an array of "
                "its own"
            )
        return out

    def _refuse_vector_over(self, limit: int, view: str) -> None:
        needed = size_of(self.codomain) * self.dtype.itemsize
        self._refuse_over(limit, needed, view, f"so that the vector takes {format_bytes(needed)}")

    def _refuse_over(self, limit: int, needed: int, view: str, takes: str, instead: str = "") -> None:
        """Raise before allocating where a view needs more bytes than its limit. Every view asks here."""
        if needed > limit:
            rows, columns = self.shape
            raise TooLargeError(
                f"{view}: {self.structure} is {rows}×{columns}, {takes}, over the limit of {format_bytes(limit)}; use "
                f"jvp, vjp, {instead}or pass limit={needed}"
            )
