"""Operations of two variables: matrix product, entrywise product, sum."""

from __future__ import annotations

from typing import ClassVar

import numpy.typing as npt

from jacobians.arrays import Array
from jacobians.errors import ShapeError
from jacobians.linops import Commutation, Kronecker, Product
from jacobians.operations.broadcasting import Plus, Times
from jacobians.operations.on_values import of_two
from jacobians.operations.operation import Primitive
from jacobians.operations.record import Jacobians, Makers, Second
from jacobians.presets import AnyLayout, find_layout

__all__ = ["Add", "Hadamard", "MatMul", "add", "hadamard", "matmul"]


class MatMul(Primitive):
    """(A, B) ↦ A B, both variable; d(AB) = dA·B + A·dB.

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
        if A.ndim != 2 or B.ndim != 2 or A.shape[1] != B.shape[0]:
            raise ShapeError(f"matmul: A has shape {A.shape}, B has {B.shape}; {_misfit(A, B)}")
        return A @ B, {"A": lambda: Kronecker(A.shape[0], B.T), "B": lambda: Kronecker(A, B.shape[1])}

    def _second(self, cotangent: Array, *arrays: Array) -> Second:
        """Ā = Ḡ Bᵀ, so dB ↦ Ḡ dBᵀ."""
        inner, columns = arrays[1].shape
        return {("A", "B"): Product((Kronecker(cotangent, inner), Commutation(inner, columns, cotangent.dtype)))}


def _misfit(A: Array, B: Array) -> str:
    """What two arrays lack for a product of matrices, and what would make one where something simple would."""
    if A.ndim > 2 or B.ndim > 2:
        return "expected two matrices; stacks of matrices are multiplied one by one"
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

    Raises
    ------
    ShapeError
        If the inner sizes differ.

    Examples
    --------
    >>> import numpy as np
    >>> value, J = matmul(np.ones((2, 3)), np.ones((3, 4)))
    >>> J.A, J.B
    (Kronecker(I₂, 4×3): 8×6 float64, (2, 3) → (2, 4), 96 B, Kronecker(2×3, I₄): 8×12 float64, (3, 4) → (2, 4), 48 B)
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
