"""Operations of two variables: matrix product, entrywise product, sum."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, Shape
from jacobians.errors import ShapeError
from jacobians.linops import BatchedKronecker, Commutation, Jacobian, Kronecker, PermutedAxes, Product
from jacobians.linops.broadcast import spread
from jacobians.operations.broadcasting import Plus, Times
from jacobians.operations.on_values import of_two
from jacobians.operations.operation import Primitive
from jacobians.operations.record import Jacobians, Makers, Second
from jacobians.presets import AnyLayout, find_layout

__all__ = ["Add", "Hadamard", "MatMul", "add", "hadamard", "matmul"]


class MatMul(Primitive):
    """(A, B) ↦ A B, both variable; d(AB) = dA·B + A·dB. Stacks of matrices are multiplied member by member.

    Examples
    --------
    >>> MatMul()([[1.0, 2.0]], [[3.0], [4.0]])[0]
    array([[11.]])
    """

    inputs: ClassVar[tuple[str, ...]] = ("A", "B")

    def __init__(self, layout: AnyLayout | None = None) -> None:
        self.layout = None if layout is None else find_layout(layout)

    def _linearize(self, *arrays: Array) -> tuple[Array, Makers]:
        A, B = arrays
        if A.ndim < 2 or B.ndim < 2 or A.shape[-1] != B.shape[-2]:
            raise ShapeError(f"matmul: A has shape {A.shape}, B has {B.shape}; {_misfit(A, B)}")
        if A.ndim == B.ndim == 2:
            return A @ B, {"A": lambda: Kronecker(A.shape[0], B.T), "B": lambda: Kronecker(A, B.shape[1])}
        lead, (to_a, to_b) = _of_stacks(A, B)
        rows, columns = A.shape[-2], B.shape[-1]
        return A @ B, {
            "A": lambda: BatchedKronecker(rows, B.swapaxes(-1, -2), lead) @ to_a(),
            "B": lambda: BatchedKronecker(A, columns, lead) @ to_b(),
        }

    def _second(self, cotangent: Array, *arrays: Array) -> Second:
        """Ā = Ḡ Bᵀ, so dB ↦ Ḡ dBᵀ."""
        A, B = arrays
        inner, columns = B.shape[-2:]
        if A.ndim == B.ndim == 2:
            return {("A", "B"): Product((Kronecker(cotangent, inner), Commutation(inner, columns, cotangent.dtype)))}
        lead, (to_a, to_b) = _of_stacks(A, B)
        last = len(lead)
        turned = PermutedAxes((*range(last), last + 1, last), (*lead, inner, columns), cotangent.dtype)
        return {("A", "B"): to_a().T @ BatchedKronecker(cotangent, inner, lead) @ turned @ to_b()}


def _of_stacks(A: Array, B: Array) -> tuple[Shape, list[Callable[[], Jacobian]]]:
    """The leading axes of a product of stacks, and what repeats either stack along them."""
    try:
        lead = np.broadcast_shapes(A.shape[:-2], B.shape[:-2])
    except ValueError:
        raise ShapeError(
            f"matmul: A has shape {A.shape}, B has {B.shape}; the axes before the last two must be equal, or 1"
        ) from None
    return lead, [partial(spread, own.shape, lead + own.shape[-2:], own) for own in (A, B)]


def _misfit(A: Array, B: Array) -> str:
    """Why two arrays have no matrix product, and the simple change that would give them one, if any."""
    if min(A.ndim, B.ndim) >= 2 and max(A.ndim, B.ndim) > 2:
        return "A's last axis must be as long as B's last but one"
    if A.ndim > 2 or B.ndim > 2:
        return "expected two matrices, or stacks of them"
    if not A.ndim or not B.ndim:
        return "expected two matrices"
    if A.ndim == B.ndim == 2:
        if A.shape[1] == B.shape[1]:
            return "the inner sizes must agree; B's transpose would fit"
        if A.shape[0] == B.shape[0]:
            return "the inner sizes must agree; A's transpose would fit"
        swapped = "; B times A would fit" if B.shape[1] == A.shape[0] else ""
        return f"the inner sizes must agree{swapped}"
    row = f"A.reshape(1, {A.size})" if A.ndim == 1 and (B.ndim == 1 or A.size == B.shape[0]) else ""
    column = f"B.reshape({B.size}, 1)" if B.ndim == 1 and (A.ndim == 1 or B.size == A.shape[-1]) else ""
    meant = " and ".join(filter(None, (row, column)))
    return f"expected two matrices{meant and f'; {meant} would fit'}"


class Hadamard(Times):
    """(A, B) ↦ A∘B, entry by entry, both broadcast to one shape.

    Examples
    --------
    >>> Hadamard()([1.0, 2.0], [3.0, 4.0])[0]
    array([3., 8.])
    """

    name = "hadamard"

    def __init__(self, layout: AnyLayout | None = None) -> None:
        self.layout = None if layout is None else find_layout(layout)


class Add(Plus):
    """(A, B) ↦ A + B, both broadcast to one shape.

    Examples
    --------
    >>> Add()([1.0, 2.0], [3.0, 4.0])[0]
    array([4., 6.])
    """

    name = "add"

    def __init__(self, layout: AnyLayout | None = None) -> None:
        self.layout = None if layout is None else find_layout(layout)


@of_two
def matmul(A: npt.ArrayLike, B: npt.ArrayLike, layout: AnyLayout | None = None) -> tuple[Array, Jacobians]:
    r"""Return A B and its Jacobians with respect to both: :math:`I \otimes B^\top` and :math:`A \otimes I` in C order.

    Stacks of matrices, of shape (…, n, k) and (…, k, m), are multiplied member by member. Leading axes broadcast, as
    NumPy's do.

    Raises
    ------
    ShapeError
        If the inner sizes differ, or leading axes do not broadcast.

    Examples
    --------
    >>> import numpy as np
    >>> value, J = matmul(np.ones((2, 3)), np.ones((3, 4)))
    >>> J.A, J.B
    (Kronecker(I₂, 4×3): 8×6 float64, (2, 3) → (2, 4), 96 B, Kronecker(2×3, I₄): 8×12 float64, (3, 4) → (2, 4), 48 B)
    >>> value, J = matmul(np.ones((5, 2, 3)), np.ones((5, 3, 4)))
    >>> value.shape, J.A
    ((5, 2, 4), BatchedKronecker(5 of I₂, 5×4×3): 40×30 float64, (5, 2, 3) → (5, 2, 4), 480 B)
    """
    return MatMul(layout)(A, B)


@of_two
def hadamard(A: npt.ArrayLike, B: npt.ArrayLike, layout: AnyLayout | None = None) -> tuple[Array, Jacobians]:
    """Return A∘B and its Jacobians, diag(B) and diag(A); both are broadcast to one shape, as NumPy does.

    The Jacobian with respect to a factor that is repeated is diag(the other) S, where S repeats its entries.

    Raises
    ------
    ShapeError
        If the shapes do not broadcast to one shape.

    Examples
    --------
    >>> import numpy as np
    >>> value, J = hadamard([1.0, 2.0], [3.0, 4.0])
    >>> J.A.to_dense()
    array([[3., 0.],
           [0., 4.]])
    >>> value, J = hadamard([[1.0, 2.0], [3.0, 4.0]], [5.0, 6.0])
    >>> J.B.vjp(np.ones((2, 2)))                     # summed over the rows
    array([4., 6.])
    """
    return Hadamard(layout)(A, B)


@of_two
def add(A: npt.ArrayLike, B: npt.ArrayLike, layout: AnyLayout | None = None) -> tuple[Array, Jacobians]:
    """Return A + B and its Jacobians, two identities; both are broadcast to one shape, as NumPy does.

    The Jacobian with respect to a term that is repeated repeats its entries; its vjp sums over the repeats.

    Raises
    ------
    ShapeError
        If the shapes do not broadcast to one shape.

    Examples
    --------
    >>> import numpy as np
    >>> value, J = add([1.0, 2.0], [3.0, 4.0])
    >>> value, J.A
    (array([4., 6.]), Identity(2): 2×2 float64, (2,) → (2,), 0 B)
    >>> add(np.zeros((3, 2)), [1.0, 2.0])[1].B
    Kronecker(3×1, I₂) @ Reshape(2 to 1×2): 6×2 float64, (2,) → (3, 2), 24 B
    """
    return Add(layout)(A, B)
