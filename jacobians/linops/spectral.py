"""The trace, norms and eigenvalues of a structured Jacobian, by structure and never by its matrix."""

from __future__ import annotations

from typing import Literal, NoReturn

import numpy as np

from jacobians.arrays import Array, as_array
from jacobians.errors import DomainError, DTypeError, LayoutError, ShapeError
from jacobians.linops.batch import BlockDiagonal
from jacobians.linops.by_example import split
from jacobians.linops.diagonal import Diagonal
from jacobians.linops.direct_sum import DirectSum
from jacobians.linops.jacobian import Jacobian
from jacobians.linops.kronecker import Kronecker
from jacobians.linops.kronecker_sums import common_basis, is_symmetric, kronecker_terms
from jacobians.linops.leaves import Dense, LowRank
from jacobians.linops.permutations import Identity, MovedEntries
from jacobians.linops.products_and_sums import Product, Sum
from jacobians.linops.shifted import folded, multiple_of_identity
from jacobians.linops.wrappers import Denominator, Scaled, Transposed, Zero


def trace(jacobian: Jacobian) -> float:
    """Return the trace, by structure: that of A ⊗ B is tr A · tr B.

    Raises
    ------
    ShapeError
        If domain and codomain differ.

    Examples
    --------
    >>> from jacobians.linops import Kronecker
    >>> Kronecker(np.eye(3), 2 * np.eye(4)).trace()
    24.0
    """
    if jacobian.codomain != jacobian.domain:
        raise ShapeError(
            f"trace: {jacobian.structure} maps {jacobian.domain} to {jacobian.codomain}; only a map from arrays of one "
            "shape to themselves has a trace"
        )
    return _trace(jacobian.numerator)


def _trace(jacobian: Jacobian) -> float:
    match jacobian:
        case Scaled():
            return jacobian.factor * _trace(jacobian.inner)
        case Sum():
            return sum(map(_trace, jacobian.terms))
        case Kronecker() if jacobian.codomain == jacobian.domain:
            left, right = (
                float(f) if isinstance(f, int) else float(np.trace(f, dtype=np.float64))
                for f in (jacobian.left, jacobian.right)
            )
            return left * right
        # tr(J₁ … Jₖ) = tr(Jₖ J₁ …): where the ends are one Kronecker product around a diagonal, Σ d·diag
        case Product() if len(jacobian.factors) == 3 and isinstance(jacobian.factors[1], Diagonal):
            first, middle, last = jacobian.factors
            ends = last @ first
            if isinstance(ends, Kronecker):
                return float((ends._diagonal() * middle._diagonal()).sum(dtype=np.float64))
    return float(jacobian._diagonal().sum(dtype=np.float64))


def norm(jacobian: Jacobian, kind: Literal["fro", 2] = "fro") -> float:
    r"""Return the Frobenius norm, or the largest singular value, by structure: of A ⊗ B the product of the factors'.

    Parameters
    ----------
    kind : {"fro", 2}

    Raises
    ------
    DomainError
        If the kind is neither; of the largest singular value, if no rule is known, with the iterative one to take.

    Examples
    --------
    >>> from jacobians.linops import Kronecker
    >>> J = Kronecker(np.diag([3.0, 4.0]), np.diag([2.0, 1.0]))
    >>> round(J.norm(), 9), round(J.norm(2), 9)
    (11.180339887, 8.0)
    """
    if kind not in ("fro", 2):
        raise DomainError(f"norm: {kind!r} is unknown; choose 'fro' (Frobenius) or 2 (the largest singular value)")
    jacobian = jacobian.numerator
    if kind == "fro":
        return float(np.linalg.norm(jacobian._row_norms().astype(np.float64, copy=False)))
    found = _largest(jacobian)
    if found is None:
        rows, columns = jacobian.shape
        raise DomainError(
            f"norm: no rule is known for the largest singular value of {jacobian.structure} ({rows}×{columns}); take "
            "scipy.sparse.linalg.svds(J, k=1, return_singular_vectors=False), which asks for products only"
        )
    return found


def _largest(jacobian: Jacobian) -> float | None:
    """The largest singular value; None where no rule is known."""
    if 0 in jacobian.shape:
        return 0.0
    match jacobian:
        case Zero():
            return 0.0
        case MovedEntries():
            # a column that is taken k times has length √k, and columns are orthogonal
            return float(np.sqrt(np.bincount(jacobian._source()).max()))
        case Diagonal():
            return float(np.abs(jacobian.values).max())
        case Scaled():
            inner = _largest(jacobian.inner)
            return None if inner is None else abs(jacobian.factor) * inner
        case Transposed():
            return _largest(jacobian.inner)
        case Kronecker():
            left, right = (1.0 if isinstance(f, int) else _spectral(f) for f in (jacobian.left, jacobian.right))
            return left * right
        case BlockDiagonal():
            return float(np.linalg.norm(jacobian.blocks, 2, axis=(1, 2)).max())
        case DirectSum():
            each = [_largest(part) for part in jacobian.parts]
            return None if None in each else max(e for e in each if e is not None)
        case Dense():
            return _spectral(jacobian._dense())
        case Sum() if not isinstance(whole := folded(jacobian), Sum):
            return _largest(whole)
        case LowRank():
            thin = [as_array(np.linalg.qr(factor, mode="r")) for factor in jacobian._thin()]
            return _spectral(thin[0] @ thin[1].T)
    try:
        values, _ = eigh(jacobian)
    except (DomainError, ShapeError):
        return None
    return float(np.abs(values).max())


def _spectral(matrix: Array) -> float:
    return float(np.linalg.norm(matrix, 2)) if matrix.size else 0.0


def eigh(jacobian: Jacobian) -> tuple[Array, Jacobian]:
    r"""Return the eigenvalues w of a symmetric map and an orthogonal Q with J = Q diag(w) Qᵀ, by structure.

    Of A ⊗ B they are the products of the factors' eigenvalues, and Q is the Kronecker product of their eigenvectors. So
    w has the shape of the domain, and the order of the structure; `numpy.sort` sorts it.

    Returns
    -------
    w : ndarray, shape of `domain`
    Q : Jacobian

    Raises
    ------
    ShapeError
        If domain and codomain differ.
    DomainError
        If the map is not symmetric, or no rule is known, with the iterative one to take.
    LayoutError
        If it is in denominator layout.

    Examples
    --------
    >>> from jacobians.linops import Kronecker
    >>> J = Kronecker(np.diag([1.0, 2.0]), np.diag([4.0, 5.0])) + 0.5 * Identity((2, 2))
    >>> w, Q = J.eigh()
    >>> w
    array([[ 4.5,  5.5],
           [ 8.5, 10.5]])
    """
    if isinstance(jacobian, Denominator):
        raise LayoutError(f"eigh: {jacobian.structure} is in denominator layout; take its numerator.eigh()")
    if jacobian.codomain != jacobian.domain:
        raise ShapeError(
            f"eigh: {jacobian.structure} maps {jacobian.domain} to {jacobian.codomain}; only a symmetric map of "
            "arrays of one shape has them"
        )
    if jacobian.dtype.itemsize > 8:
        raise DTypeError(f"eigh: {jacobian.structure} is {jacobian.dtype}; LAPACK knows float32 and float64")
    w, Q = _eigh(jacobian)
    return w.astype(jacobian.dtype), Q._with_order(jacobian.order)


def _eigh(jacobian: Jacobian) -> tuple[Array, Jacobian]:
    shape, dtype = jacobian.domain, jacobian.dtype
    match jacobian:
        case Zero():
            return np.zeros(shape, dtype), Identity(shape, dtype)
        case Identity():
            return np.ones(shape, dtype), Identity(shape, dtype)
        case Diagonal():
            return jacobian.values.copy(), Identity(shape, dtype)
        case Scaled():
            w, Q = _eigh(jacobian.inner)
            return as_array(jacobian.factor * w), Q
        case Transposed():
            return _eigh(jacobian.inner)
        case Kronecker():
            (a, U), (b, V) = (_eigh_of_factor(f, jacobian) for f in (jacobian.left, jacobian.right))
            return np.multiply.outer(a, b), Kronecker(U, V, dtype)
        case BlockDiagonal():
            for block in jacobian.blocks:
                _refuse_asymmetric(block, jacobian)
            w, V = np.linalg.eigh(jacobian.blocks)
            values = np.empty(shape, dtype)
            split(values[None], shape, jacobian.axis)[0][...] = w
            return values, BlockDiagonal(V, shape, shape, jacobian.axis)
        case DirectSum() if jacobian.parts:
            pairs = [_eigh(part) for part in jacobian.parts]
            values = np.stack([w for w, _ in pairs]).reshape(shape)
            return values, DirectSum((Q for _, Q in pairs), shape, shape)
        case Dense():
            matrix = jacobian._dense()
            _refuse_asymmetric(matrix, jacobian)
            w, V = np.linalg.eigh(matrix)
            return w.reshape(shape), Dense(V.reshape(shape + shape), shape)
        case Sum() if not isinstance(whole := folded(jacobian), Sum):
            return _eigh(whole)
        case Sum(terms=(inner, multiple)) if (c := multiple_of_identity(multiple)) is not None and not isinstance(
            inner, Kronecker
        ):
            w, Q = _eigh(inner)
            return as_array(w + c), Q
        case Sum():
            terms = kronecker_terms(jacobian)
            if terms is not None and len(terms) == 1:
                ((alpha, left, right),) = terms
                return _eigh(alpha * Kronecker(left, right, dtype))
            basis = None if terms is None else common_basis(terms)
            if basis is not None and basis.orthonormal:
                return basis.values, Kronecker(basis.left, basis.right, dtype)
        # Q diag(w) Qᵀ with Q = A ⊗ B of orthogonal factors
        case Product(factors=(Kronecker() as left, Diagonal() as middle, Kronecker() as right)):
            if _are_inverse(left, right):
                return middle.values.copy(), left
    _unknown(jacobian)


def _eigh_of_factor(factor: Array | int, jacobian: Jacobian) -> tuple[Array, Array | int]:
    if isinstance(factor, int):
        return np.ones(factor, jacobian.dtype), factor
    _refuse_asymmetric(factor, jacobian)
    w, V = np.linalg.eigh(factor)
    return w, V


def _refuse_asymmetric(matrix: Array, jacobian: Jacobian) -> None:
    if matrix.shape[0] != matrix.shape[1] or not is_symmetric(matrix):
        raise DomainError(
            f"eigh: {jacobian.structure} is not symmetric: a matrix {matrix.shape} of it differs from its transpose; "
            "take np.linalg.eigvals(J.to_dense())"
        )


def _are_inverse(left: Kronecker, right: Kronecker) -> bool:
    """Whether one is the other's transpose and both are orthogonal."""
    for one, other in ((left.left, right.left), (left.right, right.right)):
        if isinstance(one, int) or isinstance(other, int):
            if not isinstance(one, int) or not isinstance(other, int):
                return False
        elif (
            one.shape != other.T.shape
            or not np.array_equal(one, other.T)
            or np.abs(other @ one - np.eye(len(one))).max(initial=0) > 64 * len(one) * np.finfo(one.dtype).eps
        ):
            return False
    return True


def _unknown(jacobian: Jacobian) -> NoReturn:
    size = jacobian.shape[0]
    raise DomainError(
        f"eigh: no rule is known for {jacobian.structure} ({size}×{size}); take scipy.sparse.linalg.eigsh(J, k=3) for "
        "a few eigenvalues, which asks for products only, or np.linalg.eigh(J.to_dense())"
    )
