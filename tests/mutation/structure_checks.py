"""The laws over every structured Jacobian, their products, sums and multiples, against dense twins."""

from __future__ import annotations

import random
from collections.abc import Iterator
from unittest import mock

import numpy as np
from scipy.sparse import csr_array

import jacobians.linops as linops
from jacobians.linops import Denominator, kernels
from jacobians.testing import (
    assert_adjoint,
    assert_dense_twin,
    assert_one_source,
    assert_vec,
)
from tests.linops import cases
from tests.linops.cases import Case
from tests.linops.laws import LAWS
from tests.linops.making import Pair, Shape
from tests.linops.tools import draw, same
from tests.linops.twins import Numbers
from tests.mutation.algebra_checks import CLASSES, algebra_checks
from tests.mutation.checks import Check
from tests.mutation.sum_checks import sums_and_multiples

OWN_LAWS = {law.__name__: law for law in LAWS if law.__name__ not in ("storage", "display", "refuses_misfits")}
NAMES = {"dense_twin": "dense twin", "acts_as_twin": "dense twin", "adjoint": "adjoint", "vec_permutes": "vec",
         "transpose_is_transpose": "one source", "vectors": "one source", "sparse_view": "dense twin",
         "diagonal_view": "dense twin", "dtypes": "dtype", "purity": "purity", "byte_guard": "memory",
         "gradient_of_a_scalar": "one source"}  # fmt: skip


def structure_checks(module: str) -> Iterator[Check]:
    """First the module's own structures, then products, sums and multiples, then all other structures."""
    own = [c for c in cases.CASES if _belongs(c.name, module)]
    others = [c for c in [*cases.LEAVES, *cases.COMPOSITES, *cases.EMPTY[::4], *cases.DENOMINATORS] if c not in own]
    if module in ("algebra", "merge", "denominator", "orders", "product", "sum", "scaled", "transposed"):
        yield from case_checks(own)
        yield from algebra_checks(module)
        if module != "merge":
            yield from case_checks(others[::9])
        return
    yield from case_checks(own, variants=True)
    if module not in CLASSES:
        yield from case_checks(others[::3], variants=module == "base")
    yield Check("dtype", "lists, integers and two dtypes", constructors)
    if module == "base":
        yield Check("dense twin", "a structure without views of its own", plain)
        yield Check("dense twin", "sums and multiples", sums_and_multiples)
    if module == "kernels":
        yield Check("dtype", "long float32 sums", long_sums)
    if module in CLASSES:
        yield from algebra_checks(module)


def _belongs(name: str, module: str) -> bool:
    """By the class that a case's name begins with; a transpose belongs to its structure."""
    if module == "denominator":
        return name.startswith("Denominator")
    return any(name.startswith((c + " ", c + ",")) or name == c for c in CLASSES.get(module, ()))


def case_checks(chosen: list[Case], variants: bool = False) -> Iterator[Check]:
    """Every law of `jacobians.testing` and of the tests of structures, over these cases."""
    chosen = random.Random(1).sample(chosen, len(chosen))
    for kind in [("float64", "C"), *([("float32", "strided")] if variants else [])]:
        for case in chosen:
            what = f"{case.name}, {kind[0]}"
            yield Check("dense twin", what, lambda c=case, k=kind: _testing(c.make(Numbers(*k)), k[0]))
        for name, law in OWN_LAWS.items():
            for case in chosen:
                what = f"{case.name}, {kind[0]}"
                yield Check(
                    NAMES.get(name, name.replace("_", " ")), what, lambda c=case, k=kind, f=law: f(*c.make(Numbers(*k)))
                )


def _testing(pair: Pair, dtype: str) -> None:
    operator, twin = pair
    assert operator.dtype == dtype, f"law dtype: {operator.dtype}, stored {dtype}"
    if 0 in operator.shape:
        return
    assert_dense_twin(operator, twin.T if isinstance(operator, Denominator) else twin)
    assert_adjoint(operator)
    assert_one_source(operator)
    assert_vec(operator)


class Plain(linops.Jacobian):
    """A structure that states what it must and no more: V ↦ M V, for the views that the base class gives."""

    def __init__(self, matrix: np.ndarray, codomain: Shape, domain: Shape) -> None:
        super().__init__(codomain, domain, matrix.dtype)
        self.matrix = matrix

    def _jvp(self, tangent: np.ndarray) -> np.ndarray:
        stack = tangent.shape[: tangent.ndim - len(self.domain)]
        return (tangent.reshape(-1, self.shape[1]) @ self.matrix.T).reshape(stack + self.codomain)

    def _vjp(self, cotangent: np.ndarray) -> np.ndarray:
        stack = cotangent.shape[: cotangent.ndim - len(self.codomain)]
        return (cotangent.reshape(-1, self.shape[0]) @ self.matrix).reshape(stack + self.domain)

    def _transpose(self) -> linops.Jacobian:
        return linops.Transposed(self)

    def _sparse(self) -> csr_array:
        return csr_array(self.matrix)

    @property
    def structure(self) -> str:
        return "Plain"

    @property
    def flops(self) -> int:
        return 2 * self.matrix.size

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        return (self.matrix,)


def plain() -> None:
    """The base class's own views: of wide, tall and square matrices, and of one that is done in two blocks."""
    for codomain, domain in (((2, 3), (4, 5)), ((4, 5), (2, 3)), ((2, 3), (3, 2)), ((2, 3), (2, 3)), ((), (3, 2))):
        for dtype in (np.float64, np.float32):
            matrix = draw(int(np.prod(codomain)), int(np.prod(domain)), dtype=dtype)
            operator = Plain(matrix, codomain, domain)
            _testing((operator, matrix), matrix.dtype.name)
            for law in OWN_LAWS.values():
                law(operator, matrix.astype(np.float64))
    band = Plain(np.diag(np.arange(1500.0)) + np.eye(1500, k=1), (1500,), (1500,))
    same(band.diagonal(), np.arange(1500.0), what="diagonal in blocks")
    for operator, order in ((linops.Diagonal(draw(3)), None), (linops.Diagonal(draw(3, 2)), "F")):
        assert operator.ordered("F").order == order, f"law vec: {operator.ordered('F').order}"
    assert linops.Identity((2,), np.int64).dtype == np.float64
    assert linops.Identity((2,), np.float16).dtype == np.float32


def constructors() -> None:
    """Shapes may be lists, entries integers, and factors of two dtypes."""
    wide, narrow = draw(2, 3), draw(2, 3).astype(np.float32)
    for made, *shapes in (
        (linops.Zero([2], [3], np.float32), (2,), (3,), narrow.dtype),
        (linops.Identity([2, 3]), (2, 3), (2, 3), wide.dtype),
        (linops.Reshape([6], [2, 3]), (6,), (2, 3), wide.dtype),
        (linops.Sparse(csr_array(np.eye(6, dtype=int)), [6], [2, 3]), (6,), (2, 3), wide.dtype),
        (linops.Dense(np.arange(6).reshape(2, 3), [2]), (2,), (3,), wide.dtype),
        (linops.BlockDiagonal(draw(2, 1, 3), [2], [2, 3]), (2,), (2, 3), wide.dtype),
        (linops.Selection((slice(1), slice(None)), [2, 3]), (1, 3), (2, 3), wide.dtype),
        (linops.DiagonalMinusOuter(narrow, wide, narrow, 1), (2, 3), (2, 3), wide.dtype),
        (linops.Selection([5, 0], [2, 3]), (2,), (2, 3), wide.dtype),
        (linops.Selection(np.array([5, 0], dtype=np.uint64), [2, 3]), (2,), (2, 3), wide.dtype),
        (linops.KhatriRao(wide, narrow), (2,), (3, 3), wide.dtype),
        (linops.KhatriRao(narrow, wide), (2,), (3, 3), wide.dtype),
        (linops.LowRank(narrow, wide), (2,), (2,), wide.dtype),
        (linops.LowRank(wide, narrow), (2,), (2,), wide.dtype),
        (linops.LowRank(draw(2, 5, 2), draw(3, 2)), (2, 5), (3,), wide.dtype),
        (linops.Kronecker(wide, narrow), (2, 2), (3, 3), wide.dtype),
        (linops.Kronecker(narrow, np.int64(3)), (2, 3), (3, 3), narrow.dtype),
        (linops.BlockRow([linops.Diagonal(wide), linops.Diagonal(narrow)]), (2, 3), (12,), wide.dtype),
    ):
        assert [made.codomain, made.domain, made.dtype] == shapes, repr(made)
        views = (made.to_dense(), made.to_sparse(), made.jvp(np.ones(made.domain, made.dtype)))
        assert {v.dtype for v in views} == {made.dtype}, repr(made)
        if made.shape[0] == made.shape[1]:
            assert made.diagonal().dtype == made.dtype, repr(made)
        assert_one_source(made)
    for factors in ((3, draw(4, 4)), (draw(4, 4), 3), (3, 4), (draw(3, 3), draw(4, 4))):
        full = [np.eye(f) if isinstance(f, int) else f for f in factors]
        same(linops.Kronecker(*factors).diagonal(), np.diagonal(np.kron(*full)), what="diagonal of a Kronecker product")


# --- long sums ---------------------------------------------------------------------------------------


def long_sums() -> None:
    """Long float32 sums are carried in float64: 2²⁴ and ones, in blocks of four."""
    with mock.patch.object(kernels, "_LONG", 4):
        _long_sums()


def _long_sums() -> None:
    for shape in ((1, 9), (3, 9), (2, 3, 9)):
        left = np.ones(shape, dtype=np.float32)
        left[..., 0] = 2**24
        right = np.ones((9, 2), dtype=np.float32)
        product = kernels.matmul(left, right)
        assert product.dtype == np.float32, f"{product.dtype}"
        assert product.shape == (*shape[:-1], 2), f"{product.shape}"
        assert (product >= 2**24 + 4).all(), f"{product}"
        stack = kernels.matmul(left, np.broadcast_to(right, (*shape[:-2], 9, 2)))
        assert np.array_equal(stack, product)
        for dtype in (np.float32, np.float64):
            a, b = draw(*shape, dtype=dtype), draw(9, 2, dtype=dtype)
            same(kernels.matmul(a, b), np.matmul(a.astype(float), b.astype(float)), dtype)
    values = np.ones((9, 3), dtype=np.float32)
    values[0] = 2**24
    assert (kernels.total(values, (0,)) == 2**24 + 8).all()
    assert kernels.total(values, (0,)).shape == (1, 3)
    summed = kernels.sparse_matmul(csr_array(values.T), np.ones((2, 9), dtype=np.float32))
    assert summed.dtype == np.float32
    assert (summed == 2**24 + 8).all()
