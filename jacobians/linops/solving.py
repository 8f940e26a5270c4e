"""Systems with a structured Jacobian: its inverse, solutions and determinant, by structure and never by its matrix.

`inverse` has one rule per structure, with its identity in a comment. Where there is none, the error says what to write.
"""

from __future__ import annotations

import math
from typing import NoReturn

import numpy as np

from jacobians.arrays import Array, as_array, as_float, size_of
from jacobians.errors import DomainError, DTypeError, LayoutError, ShapeError
from jacobians.linops.algebra import compose_all
from jacobians.linops.batch import BlockDiagonal
from jacobians.linops.diagonal import Diagonal, DiagonalMinusOuter
from jacobians.linops.direct_sum import DirectSum
from jacobians.linops.jacobian import Jacobian
from jacobians.linops.kernels import matmul, on_rows
from jacobians.linops.kronecker import Kronecker
from jacobians.linops.kronecker_sums import CommonBasis, common_basis, kronecker_terms
from jacobians.linops.leaves import Dense, LowRank
from jacobians.linops.lu import factored, inverse_of, solved_triangular
from jacobians.linops.permutations import Commutation, Identity, MovedEntries, Reshape
from jacobians.linops.products_and_sums import Product, Sum
from jacobians.linops.shifted import folded
from jacobians.linops.spectral import eigh
from jacobians.linops.sylvester import SylvesterInverse
from jacobians.linops.wrappers import Denominator, Scaled, Transposed, Zero


def inverse(jacobian: Jacobian) -> Jacobian:
    r"""Return J⁻¹ as a structured Jacobian, by structure: :math:`(A \otimes B)^{-1} = A^{-1} \otimes B^{-1}` and more.

    There are rules for identities, diagonals, permutations, Kronecker products, blocks, dense matrices, diag(d) − u vᵀ,
    and products of these. Sums have rules where a diagonal meets a matrix of low rank (Woodbury), and where two
    Kronecker products share a basis: A ⊗ B + λI with symmetric A and B, or A ⊗ I + I ⊗ B. J + λI has one for diagonals,
    blocks and every J that `eigh` takes. A sum with a dense term is solved as one dense matrix.

    Raises
    ------
    ShapeError
        If the matrix is not square.
    DomainError
        If it is singular up to rounding, with the condition number or the entry; if no rule is known, with what to do.
    LayoutError
        If it is in denominator layout.

    Examples
    --------
    >>> from jacobians.linops import Kronecker
    >>> J = Kronecker(np.diag([1.0, 2.0]), np.diag([4.0, 5.0]))
    >>> (J + 0.5 * Identity((2, 2))).inverse().structure
    'Kronecker(2×2, 2×2) @ Diagonal(2×2) @ Kronecker(2×2, 2×2)'
    """
    _check(jacobian, "inverse")
    return _inverse(jacobian, "inverse")._with_order(jacobian.order)


def solve(jacobian: Jacobian, b: Array) -> Array:
    """Return the x with J x = b, for one b of shape `codomain` or a stack of them, by structure.

    A Kronecker product is solved with its factors, a dense matrix by LU; other structures by `inverse`.

    Parameters
    ----------
    b : ndarray, shape (*stack, *codomain)

    Returns
    -------
    ndarray, shape (*stack, *domain)

    Raises
    ------
    ShapeError
        If the matrix is not square, or b has another shape.
    DomainError
        If it is singular up to rounding; if no rule is known, with the iterative solver to take.

    Examples
    --------
    >>> from jacobians.linops import Diagonal
    >>> Diagonal(np.array([2.0, 4.0])).solve(np.array([2.0, 2.0]))
    array([1. , 0.5])
    """
    _check(jacobian, "solve")
    b = jacobian._stack(b, jacobian.codomain, "solve", "right-hand side", "codomain")
    match jacobian:
        case Scaled():
            return as_array(solve(jacobian.inner, b) / b.dtype.type(jacobian.factor))
        case Kronecker():
            found = _solved(jacobian.left, b, "A")
            return _solved(jacobian.right, found.swapaxes(-1, -2), "B").swapaxes(-1, -2).copy()
        case Sum() if not isinstance(whole := folded(jacobian), Sum):
            return solve(whole, b)
        case Dense():
            matrix = jacobian._dense()
            rows = on_rows(lambda r: _solved(matrix, r.T, "the matrix").T, b, jacobian.codomain, jacobian.domain)
            return rows.copy()
    return _inverse(jacobian, "solve").jvp(b)


def det(jacobian: Jacobian) -> float:
    r"""Return the determinant, by structure: :math:`\det(A \otimes B) = \det(A)^n \det(B)^m`.

    Raises
    ------
    ShapeError
        If domain and codomain differ: the matrix would depend on the vec order, and so the sign.
    DomainError
        If no rule is known.

    Examples
    --------
    >>> from jacobians.linops import Kronecker
    >>> round(Kronecker(2 * np.eye(3), 2).det(), 9)
    64.0
    """
    sign, value = _signed_logdet(jacobian, "det")
    return sign * math.exp(value)


def logdet(jacobian: Jacobian) -> float:
    r"""Return log det J of a map with a positive determinant, by structure: it overflows later than `det`.

    Raises
    ------
    ShapeError
        If domain and codomain differ.
    DomainError
        If the determinant is not positive; if no rule is known.

    Examples
    --------
    >>> from jacobians.linops import Kronecker
    >>> round(Kronecker(2 * np.eye(300), 40).logdet(), 6)            # 12,000 log 2
    8317.766167
    """
    sign, value = _signed_logdet(jacobian, "logdet")
    if sign <= 0:
        raise DomainError(
            f"logdet: {jacobian.structure} has a {'zero' if sign == 0 else 'negative'} determinant, which has no real "
            "logarithm; take det()"
        )
    return value


# --- what is checked, and how it is said ---------------------------------------------------------------


def _check(jacobian: Jacobian, operation: str) -> None:
    if isinstance(jacobian, Denominator):
        raise LayoutError(
            f"{operation}: {jacobian.structure} is in denominator layout; take its numerator.{operation}()"
        )
    rows, columns = jacobian.shape
    if rows != columns:
        raise ShapeError(
            f"{operation}: {jacobian.structure} is {rows}×{columns}; only a square matrix has one: take "
            "scipy.sparse.linalg.lsqr(J, b) for least squares"
        )
    if jacobian.dtype.itemsize > 8:
        raise DTypeError(f"{operation}: {jacobian.structure} is {jacobian.dtype}; LAPACK knows float32 and float64")


def _unknown(operation: str, jacobian: Jacobian) -> NoReturn:
    size = jacobian.shape[0]
    raise DomainError(
        f"{operation}: no rule is known for {jacobian.structure} ({size}×{size}); solve by products alone, with "
        "scipy.sparse.linalg.cg(J, b) of a symmetric positive definite J or gmres(J, b) of any, or write it out: "
        f"Dense(J.tensor(), J.codomain).{operation}(…)"
    )


# --- the inverse -----------------------------------------------------------------------------------------


def _inverse(jacobian: Jacobian, operation: str) -> Jacobian:
    match jacobian:
        case Zero():
            raise DomainError(f"{operation}: {jacobian.structure} is zero")
        # a permutation's inverse is its transpose
        case Identity() | Commutation() | Reshape():
            return jacobian.T
        case MovedEntries() if _is_permutation(jacobian):
            return jacobian.T
        # (αJ)⁻¹ = J⁻¹/α,  (Jᵀ)⁻¹ = (J⁻¹)ᵀ
        case Scaled():
            if jacobian.factor == 0:
                raise DomainError(f"{operation}: {jacobian.structure} is zero")
            return _inverse(jacobian.inner, operation) / jacobian.factor
        case Transposed():
            return _inverse(jacobian.inner, operation).T
        case Diagonal():
            return Diagonal(_reciprocal(jacobian.values, operation, "the diagonal"))
        # (A ⊗ B)⁻¹ = A⁻¹ ⊗ B⁻¹
        case Kronecker() if jacobian.codomain == jacobian.domain:
            left, right = (
                f if isinstance(f, int) else inverse_of(operation, f, name)
                for f, name in ((jacobian.left, "the left factor"), (jacobian.right, "the right factor"))
            )
            return Kronecker(left, right, jacobian.dtype)
        case Kronecker():
            raise DomainError(_rank_deficient(operation, "on the left", as_array(jacobian.left)))
        case BlockDiagonal():
            return BlockDiagonal(
                _inverted_blocks(jacobian, operation), jacobian.domain, jacobian.codomain, jacobian.axis
            )
        case DirectSum():
            parts = (_inverse(part, operation) for part in jacobian.parts)
            return DirectSum(parts, jacobian.domain, jacobian.codomain, jacobian.dtype)
        case Dense():
            found = inverse_of(operation, jacobian._dense(), "the matrix")
            return Dense(found.reshape(jacobian.domain + jacobian.codomain), jacobian.domain)
        # (diag(d) − u vᵀ)⁻¹ = diag(1/d) + (u/d)(v/d)ᵀ/(1 − vᵀ(u/d))
        case DiagonalMinusOuter():
            return _inverse_minus_outer(jacobian, operation)
        case SylvesterInverse():
            m, n = jacobian.domain
            return Kronecker(jacobian.A, n) + Kronecker(m, jacobian.B.T)
        # (J₁J₂)⁻¹ = J₂⁻¹J₁⁻¹
        case Product() if all(f.shape[0] == f.shape[1] for f in jacobian.factors):
            return compose_all([_inverse(f, operation) for f in reversed(jacobian.factors)])
        case Sum():
            return _inverse_of_sum(jacobian, operation)
    _unknown(operation, jacobian)


def _rank_deficient(operation: str, name: str, factor: Array) -> str:
    return (
        f"{operation}: the factor {name} is {factor.shape[0]}×{factor.shape[1]}; a Kronecker product of factors that "
        "are not square is singular, and has no inverse"
    )


def _is_permutation(jacobian: MovedEntries) -> bool:
    return bool((np.bincount(jacobian._source(), minlength=jacobian.shape[1]) == 1).all())


def _reciprocal(values: Array, operation: str, name: str) -> Array:
    size = np.abs(values)
    if values.size and not size.min() > 0:
        place = tuple(int(i) for i in np.unravel_index(int(np.argmin(size)), values.shape))
        raise DomainError(
            f"{operation}: {name} is {values[place]:.3g} at {place}, so the matrix is singular; add a multiple of the "
            f"identity, J + 0.1 * Identity({values.shape})"
        )
    return as_array(1 / values)


def _inverted_blocks(jacobian: BlockDiagonal, operation: str) -> Array:
    count, p, q = jacobian.blocks.shape
    if p != q:
        _unknown(operation, jacobian)
    blocks = np.empty_like(jacobian.blocks)
    for n in range(count):
        blocks[n] = inverse_of(operation, jacobian.blocks[n], f"block {n}")
    return blocks


def _inverse_minus_outer(jacobian: DiagonalMinusOuter, operation: str) -> Jacobian:
    d = _reciprocal(jacobian.d, operation, "the diagonal")
    u, v = as_array(jacobian.u * d), as_array(jacobian.v * d)
    left = 1 - (jacobian.v * u).sum(axis=jacobian.axis, keepdims=True)
    if left.size and not np.abs(left).min() > 8 * jacobian.domain[jacobian.axis] * float(np.finfo(jacobian.dtype).eps):
        raise DomainError(
            f"{operation}: {jacobian.structure} is singular: 1 − vᵀ diag(d)⁻¹ u is {float(np.abs(left).min()):.2g}, as "
            "of a softmax, whose outputs always sum to 1; add a multiple of the identity"
        )
    return DiagonalMinusOuter(d, as_array(-u / left), v, jacobian.axis)


def _inverse_of_sum(jacobian: Sum, operation: str) -> Jacobian:
    whole = folded(jacobian)
    if not isinstance(whole, Sum):
        return _inverse(whole, operation)
    jacobian = whole
    terms = kronecker_terms(jacobian)
    if terms is not None:
        if len(terms) == 1:
            ((alpha, left, right),) = terms
            return _inverse(alpha * Kronecker(left, right, jacobian.dtype), operation)
        one_sided = _one_sided(terms)
        basis = common_basis(terms)
        if basis is not None:
            return _from_basis(basis, operation, jacobian)
        if one_sided is not None:
            return SylvesterInverse(*one_sided)
    thin = _diagonal_and_thin(jacobian)
    if thin is None:
        return _from_eigenvectors(jacobian, operation)
    # Woodbury: (D + L Rᵀ)⁻¹ = D⁻¹ − D⁻¹ L (I + Rᵀ D⁻¹ L)⁻¹ Rᵀ D⁻¹
    d, L, R = thin
    inverse = _reciprocal(d, operation, "the diagonal part")
    scaled = as_array(L * inverse.reshape(-1, 1))
    core = inverse_of(operation, np.eye(L.shape[1], dtype=L.dtype) + matmul(R.T, scaled), "I + RᵀD⁻¹L")
    left, right = matmul(scaled, -core), as_array(R * inverse.reshape(-1, 1))
    shape = jacobian.domain
    return Diagonal(inverse) + LowRank(left.reshape(*shape, -1), right.reshape(*shape, -1))


def _from_eigenvectors(jacobian: Jacobian, operation: str) -> Jacobian:
    """(Q diag(w) Qᵀ)⁻¹ = Q diag(1/w) Qᵀ."""
    try:
        w, Q = eigh(jacobian)
    except DomainError:
        _unknown(operation, jacobian)
    size = np.abs(w)
    if w.size and not size.min() > size.max() * float(np.finfo(w.dtype).eps):
        raise DomainError(
            f"{operation}: {jacobian.structure} is singular: its eigenvalues go down to {size.min():.2g}, the largest "
            f"{size.max():.6g}; add a larger multiple of the identity"
        )
    return Q @ Diagonal(as_array(1 / w)) @ Q.T


def _one_sided(terms: list[tuple[float, Array | int, Array | int]]) -> tuple[Array, Array] | None:
    """A and Bᵀ of A ⊗ I + I ⊗ B, the sum that Sylvester's equation inverts."""
    for (alpha, A, n), (beta, m, B) in (terms, terms[::-1]):
        if isinstance(n, int) and isinstance(m, int) and not isinstance(A, int) and not isinstance(B, int):
            return as_array(alpha * A), as_array(beta * B).T
    return None


def _from_basis(basis: CommonBasis, operation: str, jacobian: Jacobian) -> Jacobian:
    values, size = basis.values, np.abs(basis.values)
    if values.size and not size.min() > size.max() * float(np.finfo(values.dtype).eps):
        place = tuple(int(i) for i in np.unravel_index(int(np.argmin(size)), values.shape))
        raise DomainError(
            f"{operation}: {jacobian.structure} is singular: in the basis of its factors entry {place} is "
            f"{values[place]:.2g}, the largest {size.max():.6g}; add a larger multiple of the identity"
        )
    U, V = basis.left, basis.right
    turned = [f if isinstance(f, int) else f.T for f in (U, V)]
    middle = Diagonal(as_array(1 / values).astype(jacobian.dtype))
    return Kronecker(U, V, jacobian.dtype) @ middle @ Kronecker(turned[0], turned[1], jacobian.dtype)


def _diagonal_and_thin(jacobian: Sum) -> tuple[Array, Array, Array] | None:
    """d, L and R of diag(d) + L Rᵀ, with fewer columns than rows; None where the sum is none."""
    if jacobian.codomain != jacobian.domain:
        return None
    size = size_of(jacobian.domain)
    d = np.zeros(jacobian.domain, jacobian.dtype)
    lefts, rights = [], []
    for term in jacobian.terms:
        alpha, inner = (term.factor, term.inner) if isinstance(term, Scaled) else (1.0, term)
        if isinstance(inner, Identity):
            d += d.dtype.type(alpha)
        elif isinstance(inner, Diagonal):
            d += d.dtype.type(alpha) * inner.values
        elif (pair := _thin(inner)) is not None:
            lefts.append(as_array(d.dtype.type(alpha) * pair[0]))
            rights.append(pair[1])
        else:
            return None
    width = sum(left.shape[1] for left in lefts)
    if not lefts or width >= size:
        return None
    return d, np.concatenate(lefts, axis=1), np.concatenate(rights, axis=1)


def _thin(jacobian: Jacobian) -> tuple[Array, Array] | None:
    """L and R of a map of low rank."""
    if isinstance(jacobian, LowRank):
        return jacobian._thin()
    if isinstance(jacobian, Product):
        factors = jacobian.factors
        waist = min(range(1, len(factors)), key=lambda i: factors[i].shape[0])
        if factors[waist].shape[0] < jacobian.shape[0]:
            left, right = compose_all(factors[:waist]), compose_all(factors[waist:])
            return left.to_dense("C"), right.to_dense("C").T
    return None


# --- one matrix ------------------------------------------------------------------------------------------


def _solved(A: Array | int, b: Array, name: str) -> Array:
    """A⁻¹ b over a stack of matrices b, by substitution where A is triangular."""
    if isinstance(A, int) or not A.size:
        return b
    if len(A) != A.shape[1]:
        raise DomainError(_rank_deficient("solve", name, A))
    columns = np.moveaxis(b, -2, 0)
    flat, A = columns.reshape(len(A), -1), A.astype(b.dtype, copy=False)
    lower, upper = not np.triu(A, 1).any(), not np.tril(A, -1).any()
    if lower or upper:
        found = solved_triangular("solve", A, flat, name, lower=lower)
    else:
        found = factored("solve", A, name).solve(flat)
    return np.moveaxis(found.reshape(columns.shape), 0, -2)


# --- the determinant -------------------------------------------------------------------------------------


def _signed_logdet(jacobian: Jacobian, operation: str) -> tuple[float, float]:
    _check(jacobian, operation)
    if jacobian.codomain != jacobian.domain:
        raise ShapeError(
            f"{operation}: {jacobian.structure} maps {jacobian.domain} to {jacobian.codomain}; between different "
            "shapes the sign depends on the vec order: take np.linalg.slogdet(J.to_dense(order))"
        )
    return _slogdet(jacobian, operation)


def _slogdet(jacobian: Jacobian, operation: str) -> tuple[float, float]:
    """The sign of the determinant of the matrix in C order, and the logarithm of its size."""
    size = jacobian.shape[0]
    match jacobian:
        case Zero():
            return (1.0, 0.0) if size == 0 else (0.0, -math.inf)
        case MovedEntries():
            return (_parity(jacobian._source()), 0.0) if _is_permutation(jacobian) else (0.0, -math.inf)
        case Scaled():
            sign, value = _slogdet(jacobian.inner, operation)
            power = _of_numbers(np.asarray([jacobian.factor]))
            return sign * power[0] ** size, value + size * power[1] if size else value
        case Transposed():
            return _slogdet(jacobian.inner, operation)
        case Diagonal():
            return _of_numbers(jacobian.values)
        # det(A ⊗ B) = det(A)ⁿ det(B)ᵐ
        case Kronecker() if jacobian.codomain == jacobian.domain:
            m, n = jacobian.domain
            return _combined((_of_factor(jacobian.left), n), (_of_factor(jacobian.right), m))
        case BlockDiagonal() if jacobian.blocks.shape[1] == jacobian.blocks.shape[2]:
            signs, values = np.linalg.slogdet(jacobian.blocks.astype(np.float64, copy=False))
            return float(np.prod(signs)), float(values.sum())
        case DirectSum():
            return _combined(*((_slogdet(part, operation), 1) for part in jacobian.parts))
        case Dense():
            return _of_factor(jacobian._dense())
        case DiagonalMinusOuter():
            left = 1 - (jacobian.v * jacobian.u / jacobian.d).sum(axis=jacobian.axis)
            return _combined((_of_numbers(jacobian.d), 1), (_of_numbers(left), 1))
        case SylvesterInverse():
            sums = jacobian.eigenvalue_sums()
            # complex eigenvalues come in pairs, so the product of all sums is real
            angle = float(np.angle(sums).sum()) / math.pi
            return -1.0 if round(angle) % 2 else 1.0, -float(np.log(np.abs(sums)).sum())
        case Product() if all(f.shape[0] == f.shape[1] for f in jacobian.factors):
            return _combined(*((_slogdet(f, operation), 1) for f in jacobian.factors))
        case Sum():
            return _slogdet_of_sum(jacobian, operation)
    _unknown(operation, jacobian)


def _slogdet_of_sum(jacobian: Sum, operation: str) -> tuple[float, float]:
    whole = folded(jacobian)
    if not isinstance(whole, Sum):
        return _slogdet(whole, operation)
    jacobian = whole
    terms = kronecker_terms(jacobian)
    if terms is not None:
        if len(terms) == 1:
            ((alpha, left, right),) = terms
            return _slogdet(alpha * Kronecker(left, right, jacobian.dtype), operation)
        basis, one_sided = common_basis(terms), _one_sided(terms)
        if basis is not None:
            m, n = jacobian.domain
            across, along = _of_factor(basis.left), _of_factor(basis.right)
            return _combined((_of_numbers(basis.values), 1), (across, -2 * n), (along, -2 * m))
        if one_sided is not None:
            sign, value = _slogdet(SylvesterInverse(*one_sided), operation)
            return sign, -value
    thin = _diagonal_and_thin(jacobian)
    if thin is None:
        try:
            return _of_numbers(eigh(jacobian)[0])
        except DomainError:
            _unknown(operation, jacobian)
    # det(D + L Rᵀ) = det(D) det(I + Rᵀ D⁻¹ L)
    d, L, R = thin
    scaled = L * _reciprocal(d, operation, "the diagonal part").reshape(-1, 1)
    core = np.eye(L.shape[1], dtype=L.dtype) + matmul(R.T, as_array(scaled))
    return _combined((_of_numbers(d), 1), (_of_factor(core), 1))


def _combined(*parts: tuple[tuple[float, float], int]) -> tuple[float, float]:
    """Of a product of powers."""
    sign, value = 1.0, 0.0
    for (own_sign, own), power in parts:
        if power:
            sign, value = sign * own_sign ** (power % 2 or (0 if own_sign else 1)), value + power * own
    return sign, value


def _of_numbers(values: Array) -> tuple[float, float]:
    with np.errstate(divide="ignore"):
        logs = np.log(np.abs(values.astype(np.float64, copy=False)))
    return float(np.prod(np.sign(values))), float(logs.sum())


def _of_factor(factor: Array | int) -> tuple[float, float]:
    if isinstance(factor, int):
        return 1.0, 0.0
    sign, value = np.linalg.slogdet(as_float(factor, "factor", "det").astype(np.float64, copy=False))
    return float(sign), float(value)


def _parity(source: Array) -> float:
    """The sign of a permutation, by its cycles."""
    seen = np.zeros(len(source), bool)
    even = 0
    for start in range(len(source)):
        length, i = 0, start
        while not seen[i]:
            seen[i] = True
            i, length = int(source[i]), length + 1
        even += length > 0 and length % 2 == 0
    return -1.0 if even % 2 else 1.0
