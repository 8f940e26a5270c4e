"""A strategy of structured Jacobians, each with a dense twin that is built without them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from jacobians.arrays import Array, Shape, size_of
from jacobians.linops import (
    BlockDiagonal,
    Commutation,
    Dense,
    Diagonal,
    DiagonalMinusOuter,
    Identity,
    Jacobian,
    KhatriRao,
    Kronecker,
    LowRank,
    Reshape,
    Selection,
    Sparse,
    Zero,
)
from jacobians.testing.strategies.arrays import distinct_sizes, generators

__all__ = ["StructureCase", "structures"]


class StructureCase(NamedTuple):
    """A structured Jacobian, and its matrix in C order from NumPy alone."""

    jacobian: Jacobian
    twin: Array


_Draw = Callable[[np.random.Generator, tuple[int, ...]], StructureCase]


def structures() -> st.SearchStrategy[StructureCase]:
    """Return a strategy of structured Jacobians with independent dense twins; composites are made by ``@`` and ``+``.

    Examples
    --------
    >>> from hypothesis import given
    >>> from jacobians.testing import assert_dense_twin
    >>> @given(structures())
    ... def test(case):
    ...     assert_dense_twin(case.jacobian, case.twin)
    >>> test()
    """
    leaves = st.builds(
        lambda make, rng, sizes: make(rng, sizes), st.sampled_from(_LEAVES), generators(), distinct_sizes(4)
    )
    return st.one_of(leaves, leaves.map(_gram), leaves.map(_doubled), leaves.map(_turned))


def _gram(case: StructureCase) -> StructureCase:
    return StructureCase(case.jacobian.T @ case.jacobian, case.twin.T @ case.twin)


def _doubled(case: StructureCase) -> StructureCase:
    return StructureCase(case.jacobian + 0.5 * case.jacobian, 1.5 * case.twin)


def _turned(case: StructureCase) -> StructureCase:
    return StructureCase(case.jacobian.T, case.twin.T)


def _identity(rng: np.random.Generator, sizes: tuple[int, ...]) -> StructureCase:
    shape = sizes[:2]
    return StructureCase(Identity(shape), np.eye(size_of(shape)))


def _zero(rng: np.random.Generator, sizes: tuple[int, ...]) -> StructureCase:
    return StructureCase(Zero(sizes[:1], sizes[1:3]), np.zeros((sizes[0], sizes[1] * sizes[2])))


def _reshape(rng: np.random.Generator, sizes: tuple[int, ...]) -> StructureCase:
    m, n = sizes[:2]
    return StructureCase(Reshape((m * n,), (m, n)), np.eye(m * n))


def _diagonal(rng: np.random.Generator, sizes: tuple[int, ...]) -> StructureCase:
    values = rng.normal(size=sizes[:2])
    return StructureCase(Diagonal(values), np.diag(values.ravel()))


def _kronecker(rng: np.random.Generator, sizes: tuple[int, ...]) -> StructureCase:
    p, n, r, q = sizes
    A, B = rng.normal(size=(p, n)), rng.normal(size=(r, q))
    return StructureCase(Kronecker(A, B), np.kron(A, B))


def _kronecker_right(rng: np.random.Generator, sizes: tuple[int, ...]) -> StructureCase:
    p, r, q, _ = sizes
    B = rng.normal(size=(r, q))
    return StructureCase(Kronecker(p, B), np.kron(np.eye(p), B))


def _kronecker_left(rng: np.random.Generator, sizes: tuple[int, ...]) -> StructureCase:
    p, n, r, _ = sizes
    A = rng.normal(size=(p, n))
    return StructureCase(Kronecker(A, r), np.kron(A, np.eye(r)))


def _commutation(rng: np.random.Generator, sizes: tuple[int, ...]) -> StructureCase:
    m, n = sizes[:2]
    places = np.arange(m * n).reshape(m, n)
    return StructureCase(Commutation(m, n), np.eye(m * n)[places.T.ravel()])


def _selection(rng: np.random.Generator, sizes: tuple[int, ...]) -> StructureCase:
    domain = sizes[:2]
    index = rng.integers(0, size_of(domain), size=(sizes[2], sizes[3]))
    return StructureCase(Selection(index, domain), np.eye(size_of(domain))[index.ravel()])


def _slices(rng: np.random.Generator, sizes: tuple[int, ...]) -> StructureCase:
    domain = sizes[:2]
    key = (slice(None), slice(1, None))
    kept = np.arange(size_of(domain)).reshape(domain)[key]
    return StructureCase(Selection(key, domain), np.eye(size_of(domain))[kept.ravel()])


def _blocks(rng: np.random.Generator, sizes: tuple[int, ...]) -> StructureCase:
    count, p, q, _ = sizes
    blocks = rng.normal(size=(count, p, q))
    twin = np.zeros((count * p, count * q))
    for n, block in enumerate(blocks):
        twin[n * p : (n + 1) * p, n * q : (n + 1) * q] = block
    return StructureCase(BlockDiagonal(blocks, (count, p), (count, q)), twin)


def _minus_outer(rng: np.random.Generator, sizes: tuple[int, ...]) -> StructureCase:
    shape: Shape = sizes[:2]
    d, u, v = rng.normal(size=(3, *shape))
    twin = np.zeros((d.size, d.size))
    for n in range(shape[0]):
        row = slice(n * shape[1], (n + 1) * shape[1])
        twin[row, row] = np.diag(d[n]) - np.outer(u[n], v[n])
    return StructureCase(DiagonalMinusOuter(d, u, v, axis=-1), twin)


def _khatri_rao(rng: np.random.Generator, sizes: tuple[int, ...]) -> StructureCase:
    count, a, b, _ = sizes
    left, right = rng.normal(size=(count, a)), rng.normal(size=(count, b))
    return StructureCase(KhatriRao(left, right), np.stack([np.kron(x, y) for x, y in zip(left, right, strict=True)]))


def _low_rank(rng: np.random.Generator, sizes: tuple[int, ...]) -> StructureCase:
    left, right = rng.normal(size=(sizes[0], 2)), rng.normal(size=(*sizes[1:3], 2))
    return StructureCase(LowRank(left, right), left @ right.reshape(-1, 2).T)


def _dense(rng: np.random.Generator, sizes: tuple[int, ...]) -> StructureCase:
    array = rng.normal(size=sizes)
    return StructureCase(Dense(array, sizes[:2]), array.reshape(sizes[0] * sizes[1], -1))


def _sparse(rng: np.random.Generator, sizes: tuple[int, ...]) -> StructureCase:
    from scipy.sparse import csr_array

    matrix = rng.normal(size=(sizes[0], sizes[1] * sizes[2]))
    matrix[rng.random(matrix.shape) < 0.5] = 0
    return StructureCase(Sparse(csr_array(matrix), sizes[:1], sizes[1:3]), matrix)


_LEAVES: tuple[_Draw, ...] = (
    _identity,
    _zero,
    _reshape,
    _diagonal,
    _kronecker,
    _kronecker_left,
    _kronecker_right,
    _commutation,
    _selection,
    _slices,
    _blocks,
    _minus_outer,
    _khatri_rao,
    _low_rank,
    _dense,
    _sparse,
)
