"""The laws over every structured Jacobian, their products, sums and multiples, against dense twins."""

from __future__ import annotations

import random
from collections.abc import Iterator
from unittest import mock

import numpy as np
from scipy.sparse import csr_array

from jacobians.linops import entries, kernels
from tests.linops import cases
from tests.linops.cases import Case
from tests.linops.test_kernels import OUTERS, outers_agree
from tests.linops.tools import draw, same
from tests.linops.twins import Numbers
from tests.mutation.algebra_checks import CLASSES, algebra_checks
from tests.mutation.checks import Check
from tests.mutation.curvature_checks import CURVED, curvature_checks
from tests.mutation.view_checks import OWN_LAWS, VIEWS, constructors, operators, plain, testing_laws

NAMES = {"dense_twin": "dense twin", "dense_into": "dense twin", "examples_apart": "one source",
         "acts_as_twin": "dense twin", "adjoint": "adjoint", "vec_permutes": "vec",
         "transpose_is_transpose": "one source", "vectors": "one source", "sparse_view": "dense twin",
         "diagonal_view": "dense twin", "dtypes": "dtype", "purity": "purity", "byte_guard": "memory",
         "gradient_of_a_scalar": "one source"}  # fmt: skip


def structure_checks(module: str) -> Iterator[Check]:
    """First the module's own structures, then products, sums and multiples, then all other structures."""
    own = [c for c in cases.CASES if _belongs(c.name, module)]
    others = [c for c in [*cases.LEAVES, *cases.COMPOSITES, *cases.EMPTY[::4], *cases.DENOMINATORS] if c not in own]
    if module in CURVED:
        yield from curvature_checks()
    if module in ("algebra", "merge", "denominator", "orders", "product", "sum", "scaled", "transposed"):
        yield from case_checks(own)
        yield from algebra_checks(module)
        if module != "merge":
            yield from case_checks(others[::9])
        return
    if module in VIEWS:
        yield Check("dense twin", "a structure without views of its own", plain)
        yield Check("dense twin", "sums and multiples", operators)
    yield from case_checks(own, variants=True)
    if module not in CLASSES:
        yield from case_checks(others[::3], variants=module in VIEWS)
    yield Check("dtype", "lists, integers and two dtypes", constructors)
    if module == "kernels":
        yield Check("dtype", "long float32 sums", long_sums)
        yield Check("dense twin", "outer products", outers)
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
            yield Check("dense twin", what, lambda c=case, k=kind: testing_laws(c.make(Numbers(*k)), k[0]))
        for name, law in OWN_LAWS.items():
            for case in chosen:
                what = f"{case.name}, {kind[0]}"
                yield Check(
                    NAMES.get(name, name.replace("_", " ")), what, lambda c=case, k=kind, f=law: f(*c.make(Numbers(*k)))
                )


# --- long sums ---------------------------------------------------------------------------------------


def long_sums() -> None:
    """Long float32 sums are carried in float64: 2²⁴ and ones, in blocks of four."""
    with mock.patch.object(kernels, "_LONG", 4):
        _long_sums()


def outers() -> None:
    """Outer products into arrays of any strides, all examples at a time and one by one."""
    for left, right in OUTERS:
        for slab in (1, 1 << 21):
            with mock.patch.object(entries, "_SLAB", slab):
                for dtype in (np.float32, np.float64):
                    outers_agree(draw(*left, dtype=dtype), draw(*right, dtype=dtype, seed=2))


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
    assert kernels.matmul(draw(3, 9, dtype=np.float32), draw(9, 2)).dtype == np.float64
    assert kernels.matmul(draw(3, 9), draw(9, 2, dtype=np.float32)).dtype == np.float64
    for left_shape, right_shape in (((3, 9), (2, 9, 4)), ((2, 3, 9), (2, 9, 4)), ((5, 1, 3, 9), (2, 9, 4))):
        a, b = draw(*left_shape, dtype=np.float32), draw(*right_shape, dtype=np.float32)
        same(kernels.matmul(a, b), np.matmul(a.astype(float), b.astype(float)), np.float32)
    values = np.ones((9, 3), dtype=np.float32)
    values[0] = 2**24
    assert (kernels.total(values, (0,)) == 2**24 + 8).all()
    assert kernels.total(values, (0,)).shape == (1, 3)
    assert kernels.total(values, (0,)).dtype == np.float32
    summed = kernels.sparse_matmul(csr_array(values.T), np.ones((2, 9), dtype=np.float32))
    assert summed.dtype == np.float32
    assert (summed == 2**24 + 8).all()
