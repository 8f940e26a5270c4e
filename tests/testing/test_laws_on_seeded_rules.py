"""A wrong rule seeded into the library itself is caught by the law that it breaks, and nothing of it is left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

from jacobians.linops import (
    BlockDiagonal,
    Dense,
    Diagonal,
    Jacobian,
    KhatriRao,
    Kronecker,
    LowRank,
    Reshape,
    algebra,
)
from jacobians.operations import Affine, Reshaping, Sigmoid, SquaredError, Total
from jacobians.testing import (
    assert_adjoint,
    assert_association,
    assert_batch,
    assert_blocks,
    assert_dense_twin,
    assert_dtype,
    assert_gram,
    assert_layouts,
    assert_limits,
    assert_one_source,
    assert_purity,
    assert_reference,
    assert_row_norms,
    assert_vec,
)

RNG = np.random.default_rng(1)
X, W = RNG.normal(size=(3, 2)), RNG.normal(size=(2, 2))
B = RNG.normal(size=(5, 4))
KRONECKER = Kronecker(RNG.normal(size=(2, 3)), B)
SQUARES = BlockDiagonal(RNG.normal(size=(3, 4, 4)), (3, 4), (3, 4))
LOW_RANK = LowRank(RNG.normal(size=(3, 2)), RNG.normal(size=(4, 2)))
ROWS = KhatriRao(X, RNG.normal(size=(3, 2)))

to_dense, affine_call, diagonal_block = Jacobian.to_dense, Affine.evaluate, algebra._diagonal_block


class Seed(NamedTuple):
    """What is replaced by what, and the law that fails then."""

    law: str
    owner: Any
    name: str
    wrong: Any
    run: Callable[[], None]


def loses_the_identity(self: Kronecker, out: np.ndarray) -> None:
    out[...] = 0
    out[0, :, 0, :] = self.right


def slope_at_the_value(self: Sigmoid, z: np.ndarray) -> Any:
    value = 1 / (1 + np.exp(-z))
    return value, lambda: value * (1 + value)


def twice_the_block(left: Jacobian, right: Jacobian) -> BlockDiagonal | None:
    """Wrong where two are merged, right where the product stays as it is."""
    merged = diagonal_block(left, right)
    return merged and BlockDiagonal(2 * merged.blocks, merged.codomain, merged.domain, merged.axis)


SEEDS = [
    Seed("dense twin", Kronecker, "_fill", loses_the_identity,
         lambda: assert_dense_twin(Kronecker(3, B), np.kron(np.eye(3), B))),
    Seed("adjoint", BlockDiagonal, "_vjp", BlockDiagonal._jvp, lambda: assert_adjoint(SQUARES)),
    Seed("reference", Sigmoid, "_rule", slope_at_the_value, lambda: assert_reference(Sigmoid(), [X])),
    Seed("dense twin", LowRank, "_sparse", lambda self: -Jacobian._sparse(self),
         lambda: assert_dense_twin(LOW_RANK, LOW_RANK.left @ LOW_RANK.right.T)),
    Seed("one source", Diagonal, "_diagonal", lambda self: self.values.ravel("F"),
         lambda: assert_one_source(Diagonal(X))),
    Seed("one source", Diagonal, "_blocks", lambda self, axis: np.zeros((3, 2, 2)), lambda: assert_blocks(Diagonal(X))),
    Seed("one source", KhatriRao, "_row_norms", lambda self: np.linalg.norm(self.left, axis=-1),
         lambda: assert_row_norms(ROWS)),
    Seed("one source", KhatriRao, "_gram", lambda self: self.left @ self.left.T, lambda: assert_gram(ROWS)),
    Seed("association", algebra, "_diagonal_block", twice_the_block,
         lambda: assert_association([SQUARES, Diagonal(B[:3]), SQUARES])),
    Seed("layouts", Affine, "evaluate", lambda self, *a: affine_call(Affine(self.layout.replace(vec="C")), *a),
         lambda: assert_layouts(Affine, X, {"W": W, "b": X[0]})),
    Seed("vec", Jacobian, "to_dense", lambda self, order=None, **how: to_dense(self, "C", **how),
         lambda: assert_vec(KRONECKER)),
    Seed("batch", SquaredError, "scale", lambda self, X, whole=None: 1.0,
         lambda: assert_batch(SquaredError(), [X, X[::-1]], axes=(0, 0), reduction="mean")),
    Seed("purity", Reshaping, "_linearize",
         lambda self, X: (X.reshape(self.shape), {"X": lambda: Reshape(self.shape, X.shape, X.dtype)}),
         lambda: assert_purity(Reshaping((6,)), [X])),
    Seed("dtype", Total, "_linearize",
         lambda self, X: (np.asarray(X.sum(dtype=float)), {"X": lambda: Dense(np.ones_like(X))}),
         lambda: assert_dtype(Total(), [X])),
    Seed("memory", Jacobian, "_refuse_over", lambda *_: None,
         lambda: assert_limits(KRONECKER)),
]  # fmt: skip


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: f"{seed.owner.__name__}.{seed.name}")
def test_a_seeded_rule_is_caught_by_its_law(seed: Seed) -> None:
    seed.run()  # the right rule passes
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seed.owner, seed.name, seed.wrong)
        with pytest.raises(AssertionError, match=f"^law {seed.law}: "):
            seed.run()
    seed.run()
