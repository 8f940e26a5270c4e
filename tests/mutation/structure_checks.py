"""The laws over every structured Jacobian, their products, sums and multiples, against dense twins."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.linops import cases
from tests.linops.cases import Case
from tests.linops.twins import Numbers
from tests.mutation.algebra_checks import CLASSES, algebra_checks
from tests.mutation.beginning_checks import SHARING, beginning_checks
from tests.mutation.checks import Check
from tests.mutation.curvature_checks import CURVED, curvature_checks
from tests.mutation.kernel_checks import kernel_checks
from tests.mutation.price_checks import price_checks
from tests.mutation.view_checks import OWN_LAWS, VIEWS, constructors, operators, plain, slots, testing_laws

NAMES = {"dense_twin": "dense twin", "dense_into": "dense twin", "examples_apart": "one source",
         "acts_as_twin": "dense twin", "adjoint": "adjoint", "vec_permutes": "vec",
         "transpose_is_transpose": "one source", "vectors": "one source", "sparse_view": "dense twin",
         "diagonal_view": "dense twin", "dtypes": "dtype", "purity": "purity", "byte_guard": "memory",
         "gradient_of_a_scalar": "one source"}  # fmt: skip


def structure_checks(module: str) -> Iterator[Check]:
    """First the module's own structures, then products, sums and multiples, then all other structures."""
    if module in SHARING:
        yield from beginning_checks()
    if module in ("bracketing", "plan"):
        yield from price_checks()
        return
    own = [c for c in cases.CASES if _belongs(c.name, module)]
    others = [c for c in [*cases.LEAVES, *cases.COMPOSITES, *cases.EMPTY[::4], *cases.DENOMINATORS] if c not in own]
    late = module in ("merge", "product", "block_row")  # their own checks catch most, and sooner
    if module in CURVED and not late:
        yield from curvature_checks()
    if module in ("algebra", "merge", "denominator", "orders", "product", "sum", "scaled", "transposed"):
        yield from case_checks(own)
        yield from algebra_checks(module)
        if module != "merge":
            yield from case_checks(others[::9])
        if module in CURVED:
            yield from curvature_checks()
        return
    yield from kernel_checks(module)
    if module in VIEWS:
        yield Check("dense twin", "a structure without views of its own", plain)
        yield Check("dense twin", "sums and multiples", operators)
        yield Check("vec", "slots", slots)
    yield from case_checks(own, variants=True)
    if module not in CLASSES:
        yield from case_checks(others[::3], variants=module in VIEWS)
    yield Check("dtype", "lists, integers and two dtypes", constructors)
    if module in CLASSES:
        yield from algebra_checks(module)
    if module in CURVED and late:
        yield from curvature_checks()


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
