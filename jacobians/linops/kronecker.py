"""A matrix with a row or column of ones beside it, multiplied without being put together."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, final

import numpy as np

from jacobians.arrays import SUBSCRIPTS, Array, DType, Symbolic, a_whole_number, as_float, show_shape
from jacobians.errors import ShapeError
from jacobians.layout import Order
from jacobians.linops.jacobian import Jacobian, Leaf
from jacobians.linops.kernels import matmul, norms
from jacobians.linops.nonzeros import Nonzeros
from jacobians.linops.unrolling import diagonal_view

if TYPE_CHECKING:
    from scipy.sparse import csr_array


@final
class Bordered:
    """[1 X] or [X 1] (axis 1), or with the ones above or below (axis 0): what a bias absorbed in a weight meets.

    Putting it together copies the data in every call, and a batch is larger than its gradient: on 5000 × 400 float64
    the copy takes as long as the two products of the first layer's pass. So its products are those of X, with the
    bias's row or column beside them.

    Parameters
    ----------
    array : ndarray, shape (n, d)
    first : bool
        Whether the ones come before the array.
    axis : {0, 1}
        The axis along which they are joined.
    """

    __slots__ = ("array", "axis", "dtype", "first")

    def __init__(self, array: Array, *, first: bool, axis: int) -> None:
        self.array = array
        self.dtype: DType = array.dtype
        self.first = first
        self.axis = axis

    @property
    def shape(self) -> tuple[int, int]:
        n, d = self.array.shape
        return (n, d + 1) if self.axis else (n + 1, d)

    @property
    def T(self) -> Bordered:
        return Bordered(self.array.T, first=self.first, axis=1 - self.axis)

    def filled(self) -> Array:
        """Return the matrix itself, as a new array."""
        n, d = self.array.shape
        return self._joined(np.ones((n, 1) if self.axis else (1, d), self.dtype), self.array, self.axis)

    def times(self, right: Array) -> Array:
        """Return ``self @ right``, over a stack of matrices on the right."""
        if self.axis == 0:
            return self._joined(self._summed(right), matmul(self.array, right), -2)
        bias, rest = (right[..., :1, :], right[..., 1:, :]) if self.first else (right[..., -1:, :], right[..., :-1, :])
        return matmul(self.array, rest) + bias

    def after(self, left: Array) -> Array:
        """Return ``left @ self``, over a stack of matrices on the left."""
        return self.T.times(left.swapaxes(-1, -2)).swapaxes(-1, -2)

    def _summed(self, right: Array) -> Array:
        """The row of sums: 1ᵀ right."""
        return matmul(np.ones((1, self.array.shape[1]), self.dtype), right)

    def _joined(self, ones: Array, array: Array, axis: int) -> Array:
        return np.concatenate((ones, array) if self.first else (array, ones), axis=axis)


def bordered(array: Array, *, first: bool, axis: int) -> Array | Bordered:
    """Return [1 X] and its kin; in symbols where X is an expression."""
    if isinstance(array, Symbolic):
        return array.with_ones(first=first, axis=axis)  # type: ignore[attr-defined]
    return Bordered(array, first=first, axis=axis)


class Kronecker(Jacobian):
    r"""V ↦ A V Bᵀ; either factor may be an identity, given by its size.

    In C order the matrix is A ⊗ B, since :math:`\operatorname{vec}_C(A V B^\top) = (A \otimes B)
    \operatorname{vec}_C(V)`; in F order it is B ⊗ A (Magnus & Neudecker 2019, ch. 2, theorem 2).

    Parameters
    ----------
    left : ndarray, shape (p, n), or int
        A, or the size of an identity.
    right : ndarray, shape (r, q), or int
        B, or the size of an identity.
    dtype : dtype, optional
        Used where both factors are identities.

    Raises
    ------
    ShapeError
        If a factor is not a matrix.

    Examples
    --------
    >>> W = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    >>> J = Kronecker(4, W)
    >>> J
    Kronecker(I₄, 3×2): 12×8 float64, (4, 2) → (4, 3), 48 B
    >>> bool((J.to_dense() == np.kron(np.eye(4), W)).all())
    True
    """

    __slots__ = ("_left", "_right")
    _stores_blocks = _shares_block = True
    _joining = "mixed product"

    def __init__(self, left: Array | Bordered | int, right: Array | Bordered | int, dtype: Any = np.float64) -> None:
        self._left = left = left if type(left) is int and left >= 0 else _factor(left, "left")
        self._right = right = right if type(right) is int and right >= 0 else _factor(right, "right")
        p, n = (left, left) if isinstance(left, int) else left.shape
        r, q = (right, right) if isinstance(right, int) else right.shape
        if isinstance(left, int):
            found = np.dtype(dtype) if isinstance(right, int) else right.dtype
        else:
            found = left.dtype if isinstance(right, int) else np.result_type(left.dtype, right.dtype)
        super().__init__((p, r), (n, q), found)

    @property
    def left(self) -> Array | int:
        """A, or the size of an identity."""
        return self._left.filled() if isinstance(self._left, Bordered) else self._left

    @property
    def right(self) -> Array | int:
        """B, or the size of an identity."""
        return self._right.filled() if isinstance(self._right, Bordered) else self._right

    @property
    def single(self) -> Array:
        """The factor beside an identity.

        Raises
        ------
        ShapeError
            If none is an identity, or both are.
        """
        left, right = self.left, self.right
        if isinstance(left, int) == isinstance(right, int):
            raise ShapeError(f"single: {self.structure} has not one factor beside an identity")
        return right if isinstance(left, int) else left  # type: ignore[return-value]

    def _jvp(self, tangent: Array) -> Array:
        return _sandwich(self._left, tangent, self._right if isinstance(self._right, int) else self._right.T)

    def _vjp(self, cotangent: Array) -> Array:
        return _sandwich(self._left if isinstance(self._left, int) else self._left.T, cotangent, self._right)

    def _makes_new(self) -> bool:
        return not (isinstance(self._left, int) and isinstance(self._right, int))

    def _with_leaves(self, leaf: Leaf, inner: Callable[[Jacobian], Jacobian]) -> Jacobian:
        left, right = (
            bordered(leaf(f.array), first=f.first, axis=f.axis)
            if isinstance(f, Bordered)
            else f
            if isinstance(f, int)
            else leaf(f)
            for f in (self._left, self._right)
        )
        return Kronecker(left, right, self.dtype)

    def _written(self, write: Any, order: Order) -> str:
        """A ⊗ B; A ⊗ I₁ is A."""
        for alone, one in ((self._left, self._right), (self._right, self._left)):
            if isinstance(one, int) and one == 1 and not isinstance(alone, int):
                return str(write.operand(alone))
        left, right = write.operand(self._left), write.operand(self._right)
        return str(write.kron(left, right) if order == "C" else write.kron(right, left))

    def _step(self, row: str, image: str, write: Any, order: Order) -> tuple[str, str]:
        line = f"{row} {self._written(write, order)} = {image}"
        if write.is_ones(self._left) or write.is_ones(self._right):
            return "ones make the sum", f"The bias meets a vector of ones, which adds the examples: {line}."
        pair = "(A ⊗ B)" if order == "C" else "(B ⊗ A)"
        return "vec trick", f"vec(Δ)ᵀ {pair} = vec(AᵀΔB)ᵀ: {line}."

    def _row_norms(self) -> Array:
        """‖aᵢ ⊗ bⱼ‖ = ‖aᵢ‖ ‖bⱼ‖."""
        return self._of_both(norms)

    def _of_both(self, of: Callable[[Array], Array]) -> Array:
        """The products of one number per row of A and one per row of B; an identity has ones."""
        left, right = (np.ones(f, dtype=self.dtype) if isinstance(f, int) else of(f) for f in (self.left, self.right))
        return np.multiply.outer(left, right)

    def _gram(self) -> Array:
        """(A ⊗ B)(A ⊗ B)ᵀ = AAᵀ ⊗ BBᵀ."""
        left, right = (f if isinstance(f, int) else matmul(f, f.T) for f in (self.left, self.right))
        return Kronecker(left, right, self.dtype)._dense()

    def _transpose(self) -> Jacobian:
        left = self._left if isinstance(self._left, int) else self._left.T
        right = self._right if isinstance(self._right, int) else self._right.T
        return Kronecker(left, right, self.dtype)

    def _keeps_examples(self, axis: int) -> bool:
        return isinstance(self._left if axis == 0 else self._right, int)

    def _blocks(self, axis: int) -> Array:
        block = self.right if axis == 0 else self.left
        return (np.eye(block, dtype=self.dtype) if isinstance(block, int) else block)[None]

    def _times_blocks(self, blocks: Array, axis: int) -> Array:
        # one product each only where there is one in all; the action takes the columns of all together
        return matmul(self._blocks(axis), blocks) if len(blocks) == 1 else super()._times_blocks(blocks, axis)

    def _blocks_times(self, blocks: Array, axis: int) -> Array:
        return matmul(blocks, self._blocks(axis)[0])

    def _fill(self, out: Array) -> None:
        left, right = self.left, self.right
        if not isinstance(left, int) and not isinstance(right, int):
            np.multiply(left[:, None, :, None], right[None, :, None, :], out=out)
            return
        out[...] = 0
        if not isinstance(right, int):
            diagonal_view(out, [0, 1], [0, 2], [0, 1, 2])[...] = right
        elif not isinstance(left, int):
            diagonal_view(out, [0, 1], [2, 1], [1, 0, 2])[...] = left
        else:
            diagonal_view(out, [0, 1], [0, 1], [0, 1])[...] = 1

    def _sparse(self) -> csr_array:
        from scipy.sparse import csr_array, eye_array, kron

        left, right = (
            eye_array(f, dtype=self.dtype) if isinstance(f, int) else csr_array(f) for f in (self.left, self.right)
        )
        if left.nnz * right.nnz == self.shape[0] * self.shape[1]:
            return super()._sparse()
        return csr_array(kron(left, right))

    def _nonzeros(self) -> Nonzeros:
        return Nonzeros.of(self.left).kron(Nonzeros.of(self.right))

    def _diagonal(self) -> Array:
        if self.codomain != self.domain:
            return super()._diagonal()
        return self._of_both(np.diagonal).ravel()

    @property
    def structure(self) -> str:
        return f"Kronecker({_show(self._left)}, {_show(self._right)})"

    @property
    def flops(self) -> int:
        (p, r), (n, q) = self.codomain, self.domain
        left = 0 if isinstance(self._left, int) else 2 * p * n
        right = 0 if isinstance(self._right, int) else 2 * q * r
        return min(left * q + right * p, right * n + left * r)

    @property
    def arrays(self) -> tuple[Array, ...]:
        left, right = self._left, self._right
        if type(left) is np.ndarray and type(right) is np.ndarray:
            return left, right
        factors = (f.array if isinstance(f, Bordered) else f for f in (left, right))
        return tuple(a for a in factors if not isinstance(a, int))


def _factor(factor: Array | Bordered | int, name: str) -> Array | Bordered | int:
    if isinstance(factor, (int, np.integer)):
        return a_whole_number(factor, f"the {name} factor", "Kronecker", 0)
    if isinstance(factor, Bordered):
        return factor
    array = as_float(factor, name, "Kronecker")
    if array.ndim != 2:
        raise ShapeError(
            f"Kronecker: the {name} factor has shape {array.shape}; expected a matrix, or an identity's size"
        )
    return array


def _sandwich(left: Array | Bordered | int, middle: Array, right: Array | Bordered | int) -> Array:
    """Left · middle · right over a stack of middles, in the cheaper order."""
    if isinstance(left, int):
        if isinstance(right, int):
            return middle
        return right.after(middle) if isinstance(right, Bordered) else matmul(middle, right)
    if isinstance(right, int):
        return left.times(middle) if isinstance(left, Bordered) else matmul(left, middle)
    (p, n), (q, r) = left.shape, right.shape
    if p * q * (n + r) <= n * r * (p + q):
        image = left.times(middle) if isinstance(left, Bordered) else matmul(left, middle)
        return right.after(image) if isinstance(right, Bordered) else matmul(image, right)
    image = right.after(middle) if isinstance(right, Bordered) else matmul(middle, right)
    return left.times(image) if isinstance(left, Bordered) else matmul(left, image)


def _show(factor: Array | Bordered | int) -> str:
    if isinstance(factor, int):
        return "I" + str(factor).translate(SUBSCRIPTS)
    return show_shape(factor.shape)
