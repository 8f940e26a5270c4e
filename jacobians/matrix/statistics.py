"""Covariance and correlation of a batch, the distance of Mahalanobis, and the log-likelihood of a Gaussian."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar, final

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, a_whole_number, as_array, counted
from jacobians.errors import DomainError, ShapeError
from jacobians.first_tries import written
from jacobians.graphs import Value
from jacobians.linops import (
    BlockDiagonal,
    Dense,
    Diagonal,
    Jacobian,
    KhatriRao,
    Kronecker,
    LowRank,
    Reshape,
    Selection,
)
from jacobians.matrix.factorisations import cholesky_factor, solved_lower, triangular_inverse
from jacobians.matrix.inverses import LogDeterminant, Solve
from jacobians.matrix.matrix_operation import OfVectors, square, symmetric, with_mirror
from jacobians.matrix.structured import diagonal_places
from jacobians.operations import log
from jacobians.operations.on_values import of_one
from jacobians.operations.operation import Unary
from jacobians.operations.record import Makers
from jacobians.presets import AnyLayout

__all__ = [
    "Correlation",
    "Covariance",
    "Gaussian",
    "GaussianByCholesky",
    "Mahalanobis",
    "correlation",
    "covariance",
    "gaussian",
    "gaussian_by_cholesky",
    "mahalanobis",
]


class _OfBatch(OfVectors, Unary):
    lapack = False

    def __init__(self, ddof: int = 1, layout: AnyLayout | None = None) -> None:
        self.ddof = a_whole_number(ddof, "ddof", self.name)
        super().__init__(layout)

    def _covariance(self, X: Array) -> tuple[Array, Callable[[], Jacobian]]:
        if X.ndim != 2:
            raise ShapeError(f"{self.name}: X has shape {X.shape}; expected a batch of vectors ({self._own_layout})")
        rows = self._rows(X, "X")
        N, D = rows.shape
        if self.ddof >= N:
            raise DomainError(
                f"{self.name}: X has shape {X.shape}, {counted(N, 'example')} ({self._own_layout}); with "
                f"ddof={self.ddof} there "
                f"must be more than {self.ddof}"
            )
        count = X.dtype.type(N - self.ddof)
        centred = as_array(rows - rows.mean(axis=0, dtype=np.float64).astype(X.dtype))
        value = as_array(centred.T @ centred / count)

        def by_x() -> Jacobian:
            # the mean's own derivative meets Σ centred = 0, so dC = (dXᵀ C + Cᵀ dX)/(N − ddof)
            W = as_array(centred.T / count)
            if self._own_layout.batch == "rows":
                return with_mirror(D, X.dtype) @ Kronecker(W, D)
            return with_mirror(D, X.dtype) @ Kronecker(D, W)

        return value, by_x

    def _centred(self, X: Value) -> Value:
        rows = self._rows_of(X)
        return rows - rows.mean(axis=0)


@final
class Covariance(_OfBatch):
    r"""X ↦ C = (X − 1 x̄ᵀ)ᵀ (X − 1 x̄ᵀ)/(N − ddof), for a batch in rows; the mean's own derivative cancels.

    Parameters
    ----------
    ddof : int
        What is subtracted from N: 1 estimates a variance without bias.
    layout : Layout, Convention or str, optional

    Examples
    --------
    >>> Covariance()([[0.0, 1.0], [2.0, 5.0]])[0]
    array([[2., 4.],
           [4., 8.]])
    """

    def _linearize(self, *arrays: Array) -> tuple[Array, Makers]:
        (X,) = self._accepted(arrays)
        value, by_x = self._covariance(X)
        return value.copy(), {"X": by_x}

    def _in_values(self, *inputs: Value) -> Value:
        centred = self._centred(*inputs)
        return centred.T @ centred / centred.dtype.type(centred.shape[0] - self.ddof)


@final
class Correlation(_OfBatch):
    r"""X ↦ R with Rᵢⱼ = Cᵢⱼ/√(Cᵢᵢ Cⱼⱼ): :math:`dR = S\, dC\, S - \tfrac12 R \circ (c_i + c_j)`, c = dCᵢᵢ/Cᵢᵢ.

    S is diag(1/√Cᵢᵢ). The number that is subtracted from N has no effect.

    Examples
    --------
    >>> Correlation()([[0.0, 1.0], [1.0, 3.0], [2.0, 2.0]])[0]
    array([[1. , 0.5],
           [0.5, 1. ]])
    """

    def __init__(self, layout: AnyLayout | None = None) -> None:
        super().__init__(0, layout)

    def _linearize(self, *arrays: Array) -> tuple[Array, Makers]:
        (X,) = self._accepted(arrays)
        C, by_x = self._covariance(X)
        variances = np.diagonal(C)
        if not (variances > 0).all() and not np.isnan(variances).any():
            i = int(np.argmin(variances))
            raise DomainError(f"correlation: feature {i} has no variance, so no correlation; leave it out")
        D, scale = len(C), as_array(1 / np.sqrt(variances))
        scales = np.multiply.outer(scale, scale)
        R = as_array(C * scales)
        np.fill_diagonal(R, 1)

        def by_batch() -> Jacobian:
            relative = Diagonal(as_array(1 / variances)) @ Selection(diagonal_places(D), (D, D), X.dtype)
            ones = np.ones((D, 1), X.dtype)
            down = Kronecker(D, ones) @ Reshape((D, 1), (D,), X.dtype)
            across = Kronecker(ones, D) @ Reshape((1, D), (D,), X.dtype)
            by_c = Diagonal(scales) + Diagonal(as_array(-R / 2)) @ (down + across) @ relative
            return by_c @ by_x()

        return R.copy(), {"X": by_batch}

    def _in_values(self, *inputs: Value) -> Value:
        centred = self._centred(*inputs)
        unit = centred * (centred * centred).sum(axis=0) ** -0.5
        return unit.T @ unit


class _AroundMean(OfVectors):
    """A number for each vector, by its difference from a mean and a matrix that all share."""

    def _differences(self, X: Array, mean: Array, S: Array) -> Array:
        """The differences from the mean, one a row."""
        matrix = self.names[2]
        n = square(self.name, S.shape, matrix)
        rows = self._rows(X, "X")
        if rows.shape[1] != n or mean.shape != (n,):
            raise ShapeError(
                f"{self.name}: X has shape {X.shape}, mean has {mean.shape}, {matrix} has {S.shape}; expected vectors "
                f"and a mean of {counted(n, 'entry', 'entries')} ({self._own_layout})"
            )
        return as_array(rows - mean)

    def _by_vectors(self, rows: Array, X: Array) -> Jacobian:
        if X.ndim == 1:
            return Dense(rows.reshape(X.shape))
        return BlockDiagonal(rows[:, None, :], (len(rows),), X.shape, self._own_layout.batch_axis)

    def _of_all(self, made: Jacobian, X: Array) -> Jacobian:
        """A Jacobian with a row for each vector; of one vector alone, a scalar's."""
        return made if X.ndim == 2 else Reshape((), (1,), X.dtype) @ made

    def _squares(self, X: Value, mean: Value, S: Value) -> Value:
        """(x − m)ᵀ S⁻¹ (x − m) of each x."""
        away = self._rows_of(X) - mean
        return (away * Solve()((S + S.T) / 2, away.T).T).sum(axis=1)

    def _given_back(self, values: Value, X: Value) -> Value:
        return values if X.ndim == 2 else values.reshape(())

    def _values(self, values: Array, X: Array) -> Array:
        return (values.reshape(()) if X.ndim == 1 else values).astype(X.dtype)


@final
class Mahalanobis(_AroundMean):
    r"""(X, mean, S) ↦ d = √((x − m)ᵀ S⁻¹ (x − m)) of each x: with z = S⁻¹(x − m), by x the row zᵀ/d, by S −z zᵀ/2d.

    Examples
    --------
    >>> Mahalanobis()([[3.0, 4.0]], [0.0, 0.0], np.eye(2))[0]
    array([5.])
    """

    inputs: ClassVar[tuple[str, ...]] = ("X", "mean", "S")

    def _linearize(self, *arrays: Array) -> tuple[Array, Makers]:
        X, mean, S = self._accepted(arrays)
        differences = self._differences(X, mean, S)
        L = cholesky_factor(self.name, symmetric(self.name, S, "S"), "S")
        whitened = solved_lower(L, differences)
        distances = as_array(np.sqrt((whitened * whitened).sum(axis=1)))

        def directions() -> Array:
            """z/d, one a row."""
            if np.count_nonzero(distances) < len(distances):
                raise DomainError(
                    f"mahalanobis: vector {int(np.argmin(distances))} is the mean, where the distance has a kink; take "
                    "the square, or gaussian"
                )
            return solved_lower(L, as_array(whitened / distances[:, None]), transposed=True)

        def by_s() -> Jacobian:
            rows = directions()
            return self._of_all(KhatriRao(as_array(rows * (distances / -2)[:, None]), rows), X)

        return self._values(distances, X), {
            "X": lambda: self._by_vectors(directions(), X),
            "mean": lambda: self._of_all(Dense(-directions(), (len(distances),)), X),
            "S": by_s,
        }

    def _in_values(self, *inputs: Value) -> Value:
        return self._given_back(self._squares(*inputs) ** 0.5, inputs[0])


class _Likelihood(_AroundMean):
    def _from(self, X: Array, differences: Array, L: Array) -> tuple[Array, Array, Array]:
        """Log-likelihoods, L⁻¹ of the differences and S⁻¹ of them, one a row."""
        whitened = solved_lower(L, differences)
        n = len(L)
        constant = float(np.log(np.diagonal(L).astype(np.float64)).sum()) + n / 2 * math.log(2 * math.pi)
        values = as_array(-(whitened.astype(np.float64) ** 2).sum(axis=1) / 2 - constant)
        return self._values(values, X), whitened, solved_lower(L, whitened, transposed=True)

    def _makers(self, X: Array, z: Array) -> Makers:
        return {
            "X": lambda: self._by_vectors(-z, X),
            "mean": lambda: self._of_all(Dense(z, (len(z),)), X),
        }


@final
class Gaussian(_Likelihood):
    r"""(X, mean, S) ↦ log N(x | m, S) of each x: with z = S⁻¹(x − m), by m the row zᵀ, by S (z zᵀ − S⁻¹)/2.

    Examples
    --------
    >>> Gaussian()([[1.0, 0.0], [0.0, 2.0]], [0.0, 0.0], np.eye(2))[0].round(3)
    array([-2.338, -3.838])
    """

    inputs: ClassVar[tuple[str, ...]] = ("X", "mean", "S")

    def _linearize(self, *arrays: Array) -> tuple[Array, Makers]:
        X, mean, S = self._accepted(arrays)
        differences = self._differences(X, mean, S)
        L = cholesky_factor("gaussian", symmetric("gaussian", S, "S"), "S")
        value, _, z = self._from(X, differences, L)

        def by_s() -> Jacobian:
            inverse = triangular_inverse(L)
            same = as_array((inverse.T @ inverse) / -2)[..., None]
            rows = KhatriRao(as_array(z / 2), z) + LowRank(np.ones((len(z), 1), X.dtype), same)
            return self._of_all(rows, X)

        return value, {**self._makers(X, z), "S": by_s}

    def _in_values(self, *inputs: Value) -> Value:
        X, mean, S = inputs
        logarithm = LogDeterminant()((S + S.T) / 2)  # less a constant
        return self._given_back((self._squares(X, mean, S) + logarithm) / -2, X)


@final
class GaussianByCholesky(_Likelihood):
    r"""(X, mean, L) ↦ log N(x | m, L Lᵀ) of each x; entries of L above its diagonal are not read.

    With y = L⁻¹(x − m) and z = L⁻ᵀy, by L it is z yᵀ − diag(1/Lᵢᵢ) on and below the diagonal.

    Examples
    --------
    >>> GaussianByCholesky()([[1.0, 0.0]], [0.0, 0.0], np.eye(2))[0].round(3)
    array([-2.338])
    """

    inputs: ClassVar[tuple[str, ...]] = ("X", "mean", "L")
    name = "gaussian_by_cholesky"

    def _linearize(self, *arrays: Array) -> tuple[Array, Makers]:
        X, mean, given = self._accepted(arrays)
        differences = self._differences(X, mean, given)
        L = np.tril(given)
        diagonal = np.diagonal(L)
        if not (diagonal > 0).all():
            i = int(np.argmin(diagonal))
            raise DomainError(
                f"gaussian_by_cholesky: L[{i}, {i}] is {diagonal[i]:.3g}; the diagonal of a Cholesky factor is positive"
            )
        value, y, z = self._from(X, differences, L)

        def by_l() -> Jacobian:
            same = as_array(np.diag(-1 / diagonal))[..., None]
            rows = KhatriRao(z, y) + LowRank(np.ones((len(z), 1), X.dtype), same)
            return self._of_all(rows @ Diagonal(np.tril(np.ones_like(L))), X)

        return value, {**self._makers(X, z), "L": by_l}

    def _in_values(self, *inputs: Value) -> Value:
        X, mean, given = inputs
        L = given * np.tril(np.ones(given.shape, given.dtype))
        y = Solve()(L, (self._rows_of(X) - mean).T)
        diagonal = (given * np.eye(given.shape[0], dtype=given.dtype)).sum(axis=0)
        return self._given_back((y * y).sum(axis=0) / -2 - log(diagonal).sum(), X)


@of_one
def covariance(X: npt.ArrayLike, ddof: int = 1, layout: AnyLayout | None = None) -> tuple[Array, Jacobian]:
    r"""Return the covariance matrix of a batch and its Jacobian.

    Of a batch in rows it is :math:`(C^\top \otimes I + (I \otimes C^\top) K)/(N - 1)`, with C the centred batch.

    Parameters
    ----------
    X : array_like, shape (N, D), or (D, N) with the batch in columns
    ddof : int
        What is subtracted from N.
    layout : Layout, Convention or str, optional

    Raises
    ------
    DomainError
        If there are no more than `ddof` examples.

    Examples
    --------
    >>> C, J = covariance([[0.0, 1.0], [2.0, 5.0]])
    >>> C, J.shape
    (array([[2., 4.],
           [4., 8.]]), (4, 4))
    """
    return Covariance(ddof, layout)(X)


@of_one
def correlation(X: npt.ArrayLike, layout: AnyLayout | None = None) -> tuple[Array, Jacobian]:
    """Return the correlation matrix of a batch and its Jacobian; see `Correlation`.

    Parameters
    ----------
    X : array_like, shape (N, D), or (D, N) with the batch in columns
    layout : Layout, Convention or str, optional

    Raises
    ------
    DomainError
        If a feature has no variance.

    Examples
    --------
    >>> R, J = correlation([[0.0, 1.0], [1.0, 3.0], [2.0, 2.0]])
    >>> R
    array([[1. , 0.5],
           [0.5, 1. ]])
    """
    return Correlation(layout)(X)


@written
def mahalanobis(X: Any, mean: Any, S: Any, layout: AnyLayout | None = None) -> Any:
    r"""Return √((x − m)ᵀ S⁻¹ (x − m)) of each x and its Jacobians by the vectors, the mean and the covariance.

    Parameters
    ----------
    X : array_like, shape (D,), or (N, D) or (D, N) by the layout
    mean : array_like, shape (D,)
    S : array_like, shape (D, D)
        Symmetric and positive definite.
    layout : Layout, Convention or str, optional

    Raises
    ------
    DomainError
        If S is not symmetric or not positive definite; if a vector is the mean and a Jacobian is asked for.

    Examples
    --------
    >>> d, J = mahalanobis([[3.0, 4.0]], [0.0, 0.0], np.eye(2))
    >>> d, J.mean.to_dense(), J.S
    (array([5.]), array([[-0.6, -0.8]]), KhatriRao(1×2, 1×2): 1×4 float64, (2, 2) → (1,), 32 B)
    """
    return Mahalanobis(layout)(X, mean, S)


@written
def gaussian(X: Any, mean: Any, S: Any, layout: AnyLayout | None = None) -> Any:
    r"""Return log N(x | m, S) of each x and its Jacobians by the vectors, the mean and the covariance.

    With z = S⁻¹(x − m), by the mean it is zᵀ and by the covariance (z zᵀ − S⁻¹)/2. Magnus & Neudecker 2019, ch. 15.

    Parameters
    ----------
    X : array_like, shape (D,), or (N, D) or (D, N) by the layout
    mean : array_like, shape (D,)
    S : array_like, shape (D, D)
        Symmetric and positive definite.
    layout : Layout, Convention or str, optional

    Raises
    ------
    DomainError
        If S is not symmetric, with the two entries, or not positive definite, with the pivot.

    Examples
    --------
    >>> value, J = gaussian([[1.0, 0.0], [0.0, 2.0]], [0.0, 0.0], np.eye(2))
    >>> value.round(4), J.mean.to_dense()
    (array([-2.3379, -3.8379]), array([[1., 0.],
           [0., 2.]]))
    """
    return Gaussian(layout)(X, mean, S)


@written
def gaussian_by_cholesky(X: Any, mean: Any, L: Any, layout: AnyLayout | None = None) -> Any:
    r"""Return log N(x | m, L Lᵀ) of each x and its Jacobians by the vectors, the mean and the Cholesky factor.

    Murray 2016, *Differentiation of the Cholesky decomposition*, arXiv:1602.07527.

    Parameters
    ----------
    X : array_like, shape (D,), or (N, D) or (D, N) by the layout
    mean : array_like, shape (D,)
    L : array_like, shape (D, D)
        Its entries above the diagonal are not read.
    layout : Layout, Convention or str, optional

    Raises
    ------
    DomainError
        If an entry on the diagonal of L is not positive.

    Examples
    --------
    >>> value, J = gaussian_by_cholesky([[1.0, 0.0]], [0.0, 0.0], np.eye(2))
    >>> J.L.to_dense().reshape(2, 2)
    array([[ 0.,  0.],
           [ 0., -1.]])
    """
    return GaussianByCholesky(layout)(X, mean, L)
