"""`positive`: the same structures without a minus, which show where entries may be, and what rounding adds up."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.sparse import csr_array

from jacobians import Network
from jacobians.arrays import Array
from jacobians.comparison.compare import rounding_allowance
from jacobians.linops import (
    BlockDiagonal,
    BlockRow,
    Commutation,
    Dense,
    Diagonal,
    DiagonalMinusOuter,
    Identity,
    Jacobian,
    KhatriRao,
    Kronecker,
    LowRank,
    Product,
    Reshape,
    Selection,
    Sparse,
    Zero,
)
from jacobians.testing.compare import terms

rng = np.random.default_rng(3)


def n(*shape: int) -> Array:
    return rng.normal(size=shape)


P = n(5, 3)
CASES: dict[str, Jacobian] = {
    "Kronecker": Kronecker(n(3, 2), n(4, 3)),
    "Kronecker beside an identity": Kronecker(4, n(2, 3)),
    "Kronecker in float32": Kronecker(n(3, 2).astype(np.float32), n(4, 3).astype(np.float32)),
    "Diagonal": Diagonal(n(4, 3)),
    "DiagonalMinusOuter": DiagonalMinusOuter(P, n(5, 3), n(5, 3), 1),
    "BlockDiagonal": BlockDiagonal(n(5, 2, 3), (5, 2), (5, 3)),
    "KhatriRao": KhatriRao(n(5, 2), n(5, 3)),
    "LowRank": LowRank(n(4, 2), n(6, 2)),
    "Dense": Dense(n(3, 4, 2), (3,)),
    "Sparse": Sparse(csr_array(n(4, 6) * (rng.random((4, 6)) < 0.4)), (4,), (2, 3)),
    "Selection": Selection((slice(None), slice(1, None)), (3, 4)),
    "Selection, turned": Selection(np.array([0, 2, 2]), (4,)).T,
    "Scaled": -2.0 * Kronecker(n(3, 2), n(4, 3)),
    "Scaled, of two signs": -1.0 * DiagonalMinusOuter(P, P, P, 1),
    "difference": Identity((5, 3)) - DiagonalMinusOuter(P, P, P, 1),
    "Product": Product((Diagonal(n(5, 3)), Kronecker(n(5, 4), 3))),
    "Sum": Kronecker(n(3, 3), n(4, 4)) + Identity((3, 4)),
    "BlockRow": BlockRow((Dense(n(3, 4), (3,)), Dense(n(3, 2), (3,)))),
    "Zero": Zero((2,), (3,)),
    "Commutation": Commutation(3, 4),
    "Reshape": Reshape((6,), (2, 3)),
}


def by_hand(jacobian: Jacobian, leaf: Callable[[Array], Array]) -> Array:
    """The matrix in C order with every term under `leaf`, and added: written out for each class, from its factors."""
    match jacobian:
        case Product():
            return np.linalg.multi_dot([by_hand(f, leaf) for f in jacobian.factors])
        case DiagonalMinusOuter(d=d, u=u, v=v):
            found = np.diag(leaf(d).ravel())
            for row, (left, right) in enumerate(zip(leaf(u), leaf(v), strict=True)):
                k = slice(row * u.shape[1], (row + 1) * u.shape[1])
                found[k, k] += np.outer(left, right)
            return found
        case LowRank(left=left, right=right):
            return leaf(left) @ leaf(right).T
        case BlockRow(blocks=blocks):
            return np.hstack([by_hand(b, leaf) for b in blocks])
    inner = getattr(jacobian, "inner", None)
    if inner is not None and hasattr(jacobian, "factor"):
        return leaf(np.asarray(jacobian.factor)) * by_hand(inner, leaf)
    if hasattr(jacobian, "terms"):
        return sum(by_hand(t, leaf) for t in jacobian.terms)
    if leaf is np.abs:
        return np.abs(jacobian.to_dense("C"))
    # of the others each entry is one product of entries, which are not 0, or no entry of the structure at all
    return (jacobian.to_dense("C") != 0) * 1.0


def ones(array: Array) -> Array:
    return np.ones(array.shape)


@pytest.mark.parametrize("name", CASES)
def test_patterns_have_ones_in_every_leaf(name: str) -> None:
    np.testing.assert_array_equal(CASES[name].positive(ones).to_dense("C"), by_hand(CASES[name], ones))


@pytest.mark.parametrize("name", CASES)
def test_magnitudes_are_added_up(name: str) -> None:
    np.testing.assert_allclose(terms(CASES[name]), by_hand(CASES[name], np.abs), rtol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_nothing_is_lost_but_signs(name: str) -> None:
    jacobian = CASES[name]
    found = jacobian.ordered("F").positive(np.abs)
    assert (found.codomain, found.domain, found.dtype) == (jacobian.codomain, jacobian.domain, jacobian.dtype)
    assert found.order == jacobian.ordered("F").order
    assert (found.to_dense("C") >= np.abs(jacobian.to_dense("C")) * (1 - 1e-6)).all()


def test_softmax_keeps_its_diagonal() -> None:
    """Ones in every leaf without a sign would give 1 − 1·1 = 0 there."""
    p = np.full((2, 3), 1 / 3)
    assert (DiagonalMinusOuter(p, p, p, 1).positive(ones).diagonal() == 2).all()


def test_the_terms_of_two_thin_factors_do_not_cancel() -> None:
    left, right = np.array([[1.0, 1.0]]), np.array([[1.0, -1.0]])
    assert LowRank(left, right).to_dense().tolist() == [[0.0]]
    assert terms(LowRank(left, right)).tolist() == [[2.0]]


def test_a_border_of_ones_stays_a_border() -> None:
    net = Network.dense((4, 3, 2), convention="ng-ml-2011")
    run = net.run(net.init(rng), n(5, 4), np.array([0, 1, 1, 0, 1]))
    (factor,) = run.chain("Theta1", of="Z2")
    np.testing.assert_allclose(factor.jacobian.positive(np.abs).to_dense(), np.abs(factor.jacobian.to_dense()))


@pytest.mark.parametrize("preset", ["cs231n", "pytorch", "ng-ml-2011", "ng-dlai", "cs231n-bias-trick"])
def test_the_rounding_bound_is_that_of_the_layers_own_terms(preset: str) -> None:
    """No larger than by the largest input and the largest δ of every example, as it was."""
    net = Network.dense((6, 5, 3), convention=preset)
    run = net.run(net.init(rng), n(*net.layout.batch_shape(7, 6)), rng.integers(3, size=7))
    layout, values, names = net.layout, run.values, list(run.values)
    features = layout.feature_axis
    unit = np.finfo(float).eps / 2
    count = run.X.shape[layout.batch_axis] + sum(v.shape[features] for v in values.values())
    for name, bound in rounding_allowance(run).items():
        of = run.chain(name)[0 if layout.derivative == "denominator" else -1].of
        x = np.abs(values[names[names.index(of) - 1]]).max(axis=features, initial=1.0)
        d = np.abs(run.jacobian(of).gradient).max(axis=features, initial=0.0)
        assert 0 < bound <= 2 * count * unit * float(x @ d) * (1 + 1e-12)
