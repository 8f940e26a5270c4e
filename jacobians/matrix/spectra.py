"""Eigenvalues and eigenvectors of symmetric matrices, singular values and singular vectors."""

from __future__ import annotations

from typing import Any, Literal, final

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, Shape, as_array
from jacobians.errors import DomainError, ShapeError
from jacobians.graphs import Value
from jacobians.graphs.second_by_values import derivative_of_vjp
from jacobians.linops import Commutation, Diagonal, Identity, Jacobian, KhatriRao, Kronecker
from jacobians.matrix.matrix_operation import (
    OfOneMatrix,
    closest,
    is_tied,
    refuse_tie,
    square,
    symmetric,
    symmetriser,
)
from jacobians.operations.on_values import of_one
from jacobians.operations.record import Makers, Second
from jacobians.presets import AnyLayout

__all__ = [
    "Eigenvalues",
    "Eigenvectors",
    "SingularValues",
    "SingularVectors",
    "eigh",
    "eigvalsh",
    "svd",
    "svdvals",
]

Result = tuple[Array, Jacobian]


@final
class Eigenvalues(OfOneMatrix):
    r"""S ↦ its eigenvalues in ascending order: row i of the Jacobian is :math:`v_i \otimes v_i`.

    Examples
    --------
    >>> Eigenvalues()([[2.0, 0.0], [0.0, 3.0]])[0]
    array([2., 3.])
    """

    name = "eigvalsh"

    def _shape(self, *shapes: Shape) -> Shape:
        return (square("eigvalsh", shapes[0]),)

    def _of_one(self, *arrays: Array) -> tuple[Array, Makers]:
        w, V = np.linalg.eigh(symmetric("eigvalsh", arrays[0]))
        return w, {"A": lambda: KhatriRao(V.T, V.T)}

    def _second_of_one(self, cotangent: Array, *arrays: Array) -> Second:
        """That of the vjp, V diag(ḡ) Vᵀ."""
        V, makers = Eigenvectors()._of_one(*arrays)
        return {("A", "A"): derivative_of_vjp(lambda V: (V * cotangent) @ V.T, [V], [makers["A"]])}


@final
class Eigenvectors(OfOneMatrix):
    r"""S ↦ V with its eigenvectors in columns: :math:`dV = V (F \circ V^\top dS\, V)`, Fᵢⱼ = 1/(wⱼ − wᵢ) and 0.

    The largest entry of each column is positive.

    Examples
    --------
    >>> abs(Eigenvectors()([[2.0, 0.0], [0.0, 3.0]])[0])
    array([[1., 0.],
           [0., 1.]])
    """

    name = "eigh"

    def _shape(self, *shapes: Shape) -> Shape:
        n = square("eigh", shapes[0])
        return n, n

    def _of_one(self, *arrays: Array) -> tuple[Array, Makers]:
        w, V = np.linalg.eigh(symmetric("eigh", arrays[0]))
        V = as_array(V * _signs(V))
        n = len(w)

        def by_a() -> Jacobian:
            nearest = closest(w)
            if nearest is not None and is_tied(nearest[2], w):
                refuse_tie(
                    "eigh", "eigenvalues", w, *nearest[:2], "their eigenvectors are not determined",
                    "eigvalsh and spectral functions, such as expm, are exact there",
                )  # fmt: skip
            F = Diagonal(_reciprocals(w[None, :] - w[:, None]))
            return Kronecker(V, n) @ F @ Kronecker(V.T, V.T) @ symmetriser(n, V.dtype)

        return V, {"A": by_a}

    def _second_of_one(self, cotangent: Array, *arrays: Array) -> Second:
        """That of the vjp, V (F ∘ Vᵀ Ḡ) Vᵀ made symmetric."""
        (V, by_v), (w, by_w) = (
            (value, makers["A"]) for value, makers in (made._of_one(*arrays) for made in (self, Eigenvalues()))
        )
        eye = np.eye(len(w), dtype=w.dtype)

        def vjp(V: Value, w: Value) -> Value:
            n = len(eye)
            F = (1 - eye) / (w.reshape(1, n) - w.reshape(n, 1) + eye)
            found = V @ (F * (V.T @ cotangent)) @ V.T
            return (found + found.T) / 2

        return {("A", "A"): derivative_of_vjp(vjp, [V, w], [by_v, by_w])}


def _signs(columns: Array) -> Array:
    """The sign of the entry of largest size in each column."""
    if not columns.size:
        return np.ones(columns.shape[1], columns.dtype)
    largest = np.take_along_axis(columns, np.abs(columns).argmax(axis=0)[None], axis=0)[0]
    return np.where(largest < 0, -1, 1).astype(columns.dtype)


def _reciprocals(gaps: Array) -> Array:
    """1/gap, and 0 on the diagonal."""
    np.fill_diagonal(gaps, 1)
    found = as_array(1 / gaps)
    np.fill_diagonal(found, 0)
    return found


def _refuse_empty(operation: str, shape: Shape) -> None:
    if 0 in shape:
        raise ShapeError(f"{operation}: A has shape {shape}; a matrix without entries has no singular values")


@final
class SingularValues(OfOneMatrix):
    r"""A ↦ its singular values in descending order: row i of the Jacobian is :math:`u_i \otimes v_i`.

    Examples
    --------
    >>> SingularValues()([[3.0, 0.0], [0.0, -4.0]])[0]
    array([4., 3.])
    """

    name = "svdvals"

    def _shape(self, *shapes: Shape) -> Shape:
        _refuse_empty("svdvals", shapes[0])
        return (min(shapes[0]),)

    def _of_one(self, *arrays: Array) -> tuple[Array, Makers]:
        (A,) = arrays
        U, s, Vt = np.linalg.svd(A, full_matrices=False)

        def by_a() -> Jacobian:
            _refuse_zero("svdvals", s, A.shape, "a singular value has a kink at zero, as |x| has")
            return KhatriRao(U.T, Vt)

        return s, {"A": by_a}

    def _in_values(self, *inputs: Value) -> Value:
        """The roots of the eigenvalues of AᵀA, or AAᵀ."""
        (A,) = inputs
        return Eigenvalues()(A.T @ A if A.shape[0] >= A.shape[1] else A @ A.T)[::-1] ** 0.5


def _refuse_zero(operation: str, s: Array, shape: Shape, why: str) -> None:
    if not s[-1] > max(shape) * float(np.finfo(s.dtype).eps) * s[0]:
        raise DomainError(
            f"{operation}: singular value {s.size - 1} of A {shape} is {s[-1]:.2g}, zero up to rounding beside "
            f"{s[0]:.6g}: {why}; eigvalsh of AᵀA is smooth there"
        )


@final
class SingularVectors(OfOneMatrix):
    r"""A ↦ U or Vᵀ of the thin A = U diag(s) Vᵀ.

    With P = Uᵀ dA V and Fᵢⱼ = 1/(sⱼ² − sᵢ²): :math:`dU = U (F \circ (P S + S P^\top)) + (I - U U^\top)\, dA\, V S^{-1}`
    and :math:`dV = V (F \circ (S P + P^\top S)) + (I - V V^\top)\, dA^\top U S^{-1}`. The largest entry of each column
    of U is positive.

    Parameters
    ----------
    side : {"left", "right"}
        U, or Vᵀ.
    layout : Layout, Convention or str, optional

    Examples
    --------
    >>> abs(SingularVectors("left")([[3.0, 0.0], [0.0, 4.0]])[0])
    array([[0., 1.],
           [1., 0.]])
    """

    name = "svd"

    def __init__(self, side: Literal["left", "right"] = "left", layout: AnyLayout | None = None) -> None:
        self.side = side
        super().__init__(layout)

    def _shape(self, *shapes: Shape) -> Shape:
        _refuse_empty("svd", shapes[0])
        m, n = shapes[0]
        return (m, min(m, n)) if self.side == "left" else (min(m, n), n)

    def _of_one(self, *arrays: Array) -> tuple[Array, Makers]:
        (A,) = arrays
        U, s, Vt = np.linalg.svd(A, full_matrices=False)
        signs = _signs(U)
        U, Vt = as_array(U * signs), as_array(signs[:, None] * Vt)

        def by_a() -> Jacobian:
            nearest = closest(s)
            if nearest is not None and is_tied(nearest[2], s):
                refuse_tie(
                    "svd", "singular values", s, *nearest[:2], "their singular vectors are not determined",
                    "svdvals, pinv, norms and U Vᵀ (the gradient of nuclear_norm) are exact there",
                )  # fmt: skip
            _refuse_zero("svd", s, A.shape, "the signs of its two singular vectors are not tied to each other")
            found = self._by_matrix(U, s, Vt, A.shape)
            return found if self.side == "left" else Commutation(A.shape[1], len(s), A.dtype) @ found

        return U if self.side == "left" else Vt, {"A": by_a}

    def _in_values(self, *inputs: Value) -> Value:
        """The eigenvectors of AᵀA, or AAᵀ, and A or Aᵀ times these over the singular values."""
        (A,) = inputs
        tall, s = A.shape[0] >= A.shape[1], SingularValues()(A)
        V = Eigenvectors()(A.T @ A if tall else A @ A.T)[:, ::-1]
        U = (A @ V if tall else A.T @ V) / s
        found = (U if tall else V) if self.side == "left" else (V if tall else U).T
        right = self._of_one(A.array)[0]  # its signs are constant
        return found * np.sign((right * found.array).sum(axis=int(self.side == "right"), keepdims=True))

    def _by_matrix(self, U: Array, s: Array, Vt: Array, shape: Shape) -> Jacobian:
        """The Jacobian of U, or of V."""
        (m, n), k, dtype = shape, len(s), s.dtype
        F = Diagonal(_reciprocals(s[None, :] ** 2 - s[:, None] ** 2))
        both = Identity((k, k), dtype) + Commutation(k, k, dtype)
        if self.side == "left":
            found: Any = Kronecker(U, k) @ F @ both @ Kronecker(U.T, as_array(s[:, None] * Vt))
            return found if m == k else found + Kronecker(np.eye(m, dtype=dtype) - U @ U.T, as_array(Vt / s[:, None]))
        found = Kronecker(Vt.T, k) @ F @ both @ Kronecker(as_array(s[:, None] * U.T), Vt)
        if n == k:
            return found
        outside = Kronecker(np.eye(n, dtype=dtype) - Vt.T @ Vt, as_array(U.T / s[:, None]))
        return found + outside @ Commutation(m, n, dtype)


@of_one
def eigvalsh(A: npt.ArrayLike, layout: AnyLayout | None = None) -> tuple[Array, Jacobian]:
    r"""Return the eigenvalues of a symmetric matrix and their Jacobian, whose row i is :math:`v_i \otimes v_i`.

    Magnus & Neudecker 2019, ch. 8, theorem 7. Where eigenvalues are equal, each has a kink of its own, but every
    symmetric function of the equal ones, such as their sum, is smooth, and its derivative comes out exactly.

    Parameters
    ----------
    A : array_like, shape (…, n, n)
        Symmetric.
    layout : Layout, Convention or str, optional

    Raises
    ------
    DomainError
        If A is not symmetric, with the two entries.

    Examples
    --------
    >>> w, J = eigvalsh([[2.0, 0.0], [0.0, 2.0]])
    >>> w, (w @ J.to_dense()).reshape(2, 2)                    # half the gradient of Σ w² = tr A²
    (array([2., 2.]), array([[2., 0.],
           [0., 2.]]))
    """
    return Eigenvalues(layout)(A)


@of_one
def eigh(A: npt.ArrayLike, layout: AnyLayout | None = None) -> tuple[Result, Result]:
    r"""Return the eigenvalues w and the eigenvectors V of a symmetric matrix, each with its Jacobian.

    :math:`J_V = (V \otimes I) \operatorname{diag}(F) (V^\top \otimes V^\top) (I + K)/2`. Magnus 1985, *On
    differentiating eigenvalues and eigenvectors*, Econometric Theory 1. Of a value of a graph it returns two values.

    Raises
    ------
    DomainError
        If A is not symmetric; if two eigenvalues are equal up to rounding and the Jacobian of V is asked for, with the
        pair and the gap.

    Examples
    --------
    >>> (w, _), (V, J) = eigh([[1.0, 0.0], [0.0, 3.0]])
    >>> J.jvp(np.array([[0.0, 1.0], [1.0, 0.0]]))
    array([[ 0. ,  0.5],
           [-0.5,  0. ]])
    >>> eigh([[2.0, 0.0], [0.0, 2.0]])                          # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    jacobians.errors.DomainError: eigh: the eigenvalues 0 and 1, 2 and 2, are equal up to rounding (gap 0): ...
    """
    vectors = Eigenvectors(layout)(A)  # first, so that errors name eigh
    return Eigenvalues(layout)(A), vectors


@of_one
def svdvals(A: npt.ArrayLike, layout: AnyLayout | None = None) -> tuple[Array, Jacobian]:
    r"""Return the singular values and their Jacobian, whose row i is :math:`u_i \otimes v_i`; exact at ties too.

    Giles 2008, NA-08/01, section 3.2. As of eigenvalues, what is symmetric in equal ones is smooth.

    Raises
    ------
    DomainError
        If one is zero up to rounding: there it has a kink.

    Examples
    --------
    >>> s, J = svdvals([[3.0, 0.0], [0.0, -4.0]])
    >>> s, J.to_dense()[0].reshape(2, 2) + 0.0
    (array([4., 3.]), array([[ 0.,  0.],
           [ 0., -1.]]))
    """
    return SingularValues(layout)(A)


@of_one
def svd(A: npt.ArrayLike, layout: AnyLayout | None = None) -> tuple[Result, Result, Result]:
    r"""Return U, s and Vᵀ of the thin singular value decomposition, each with its Jacobian.

    Townsend 2016, *Differentiating the singular value decomposition*. Of a value of a graph it returns three values.

    Raises
    ------
    DomainError
        If two singular values are equal up to rounding, with the pair and the gap, or one is zero.

    Examples
    --------
    >>> (U, JU), (s, Js), (Vt, JVt) = svd([[3.0, 0.0], [0.0, 4.0], [0.0, 0.0]])
    >>> s, JU.shape, JVt.shape
    (array([4., 3.]), (6, 6), (4, 6))
    """
    return SingularVectors("left", layout)(A), SingularValues(layout)(A), SingularVectors("right", layout)(A)
