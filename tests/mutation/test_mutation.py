"""One wrong rule for each law, seeded into the library itself, and caught by that law alone."""

from __future__ import annotations

import os
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import pytest

from jacobians.layout import Layout
from jacobians.linops import KhatriRao
from jacobians.operations import Affine, Mean, Reshaping, Sigmoid, SquaredError, Total
from jacobians.testing import (
    assert_adjoint,
    assert_association,
    assert_batch,
    assert_dense_twin,
    assert_dtype,
    assert_layouts,
    assert_one_source,
    assert_purity,
    assert_reference,
    assert_vec,
)
from tests.linops import making
from tests.linops.laws import LAWS
from tests.linops.twins import Numbers
from tests.mutation.algebra_checks import merging_limits
from tests.mutation.checks import Check
from tests.mutation.equivalents import EQUIVALENTS, reason
from tests.mutation.expressions import replacements
from tests.mutation.limit_checks import sums_that_would_stall
from tests.mutation.mutators import Mutant, functions
from tests.mutation.operation_checks import value
from tests.mutation.scope import LEFT_OUT, MODULES, mutants_of, tree
from tests.mutation.trial import trial
from tests.mutation.view_checks import OWN_LAWS

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="a mutant is tried in a fork")

KRONECKER, BLOCKS = making.kronecker((2, 3), (5, 4)), making.blocks((3, 4, 4), (3, 4), (3, 4))
X = np.arange(1.0, 7.0).reshape(3, 2)


def chain() -> None:
    khatri_rao, commutation = (m(Numbers())[0] for m in (making.khatri_rao((5, 3), (5, 3)), making.commutation(3, 3)))
    assert isinstance(khatri_rao, KhatriRao)
    assert_association([khatri_rao, commutation, making.dense((3, 3), (2,))(Numbers())[0]])


def layouts() -> None:
    square = {"W": X[:2], "b": X[0]}
    assert_layouts(Affine, X, square, targets=[Layout(), Layout(weights="rows")])


SAMPLE: list[tuple[str, str, str, Callable[[], Any]]] = [
    ("dense twin", "linops.kronecker: Kronecker._fill", "without diagonal_view(out, [0, 1], [0, 2], [0, 1, 2])*",
     lambda: assert_dense_twin(*making.kronecker(3, (5, 4))(Numbers()))),
    ("adjoint", "linops.block_diagonal: BlockDiagonal._vjp", "*→ self._act(self.blocks, cotangent,*",
     lambda: assert_adjoint(BLOCKS(Numbers())[0])),
    ("reference", "operations.sigmoidal: Sigmoid._rule", "np.subtract(1, w, *→ np.add(1, w, *",
     lambda: assert_reference(Sigmoid(), [X])),
    ("one source", "linops.kronecker: Kronecker._sparse", "csr_array(kron(left, right)) → *(right, left))*",
     lambda: assert_one_source(making.kronecker(3, (5, 4))(Numbers())[0])),
    ("one source", "linops.matrix_views: MatrixViews._diagonal", "without out[start:stop] = *",
     lambda: assert_one_source(making.product(KRONECKER, making.dense((3, 4), (2, 5)))(Numbers())[0])),
    ("association", "linops.algebra: _merge", "KhatriRao(left.right, left.left) → *(left.left, left.left)", chain),
    ("layouts", "operations.affine: Affine._by_weights", "if self.layout.weights == natural:*→ if True:*", layouts),
    ("vec", "linops.orders: unroll", "if order == 'F' and *→ if False:*",
     lambda: assert_vec(KRONECKER(Numbers())[0])),
    ("batch", "operations.loss_base: Loss.weight", "1.0 / count → 1.0",
     lambda: assert_batch(SquaredError(), [X, X[::-1]], axes=(0, 0), reduction="mean")),
    ("purity", "operations.structure: Reshaping._linearize", "X.reshape(self.shape).copy() → X.reshape(self.shape)",
     lambda: assert_purity(Reshaping((6,)), [X])),
    ("dtype", "operations.structure: Total._linearize", "*.astype(X.dtype) → *",
     lambda: assert_dtype(Total(), [X])),
    ("sums", "operations.structure: Total._linearize", "*→ X.sum(axis=self.axis) * weight", sums_that_would_stall),
    ("value", "operations.structure: Mean._weight", "1.0 / count → 1.0", lambda: value("mean rank 2 axis 1")),
    ("merging", "linops.merge: _factor_product", "*> a.size + b.size → *>= a.size + b.size", merging_limits),
]  # fmt: skip


def find(where: str, change: str) -> Mutant:
    module, function = where.split(": ")
    found = [
        m for m in mutants_of(module) if m.function == function and fnmatchcase(m.change, change.replace("[", "[[]"))
    ]
    assert found, f"the package has changed: no mutant {where}: {change}; take another"
    return found[0]


@pytest.mark.parametrize(("law", "where", "change", "run"), SAMPLE, ids=[f"{s[0]} {s[1]}" for s in SAMPLE])
def test_each_law_catches_a_wrong_rule(law: str, where: str, change: str, run: Callable[[], Any]) -> None:
    run()  # the right rule passes
    verdict = trial(find(where, change), [Check(law, where, run)])
    assert verdict.law == law, verdict
    run()  # and nothing is left of the wrong one


def test_a_runaway_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def forever() -> None:
        while True:
            pass

    monkeypatch.setattr("tests.mutation.trial.LIMIT", 0.2)
    assert trial(find(*SAMPLE[0][1:3]), [Check("none", "a loop", forever)]).law == "time-out"


def test_a_survivor_is_told() -> None:
    verdict = trial(find(*SAMPLE[0][1:3]), [])
    assert not verdict.caught
    assert verdict.mutant.startswith("linops.kronecker: Kronecker._fill: without ")


def test_every_module_has_mutants_with_names_of_their_own() -> None:
    for module in MODULES:
        names = [m.name for m in mutants_of(module)]
        assert names or module == "linops.dataless", module  # what stores no arrays says only that
        assert len(names) == len(set(names)), module


def test_every_law_of_structures_is_in_the_battery() -> None:
    """By its name, which two of them had in common once: one was never run."""
    told = {"storage", "display", "refuses_misfits"}
    assert sorted([*OWN_LAWS, *told]) == sorted(law.__name__ for law in LAWS)


def test_every_exclusion_leaves_a_function_out() -> None:
    every = [f"{module}: {name}" for module in MODULES for name, _ in functions(tree(module))]
    assert not [pattern for pattern in LEFT_OUT if not any(fnmatchcase(where, pattern) for where in every)]


def test_a_reason_is_found_by_function_and_change() -> None:
    where, table = next(iter(EQUIVALENTS.items()))
    change, why = table[0]
    assert reason(f"{where}: {change}") == why
    assert not reason(f"{where}: another change")


def test_no_mutant_is_the_right_program() -> None:
    import ast

    for text in ("a + b", "x.T", "a > 0", "f(a, b)", "x[1:]", "x if c else y", "{1: a, 2: b}", "x[:, 0]", "-x", "0.5"):
        node = ast.parse(text, mode="eval").body
        wrong = [ast.unparse(r) for r in replacements(node)]
        assert text not in wrong
        assert wrong or text == "x[1:]", text
    assert Mean().name == "mean"
