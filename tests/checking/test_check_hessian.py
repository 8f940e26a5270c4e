"""`check_hessian`: right ones pass, wrong ones are refused and named, kinks and what cannot be seen are said."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from scipy.optimize import rosen, rosen_der, rosen_hess, rosen_hess_prod
from scipy.sparse import csr_array

import jacobians as jac
from jacobians import Network, check_hessian, gauss_newton, hessian
from jacobians.errors import ArgumentError, LayoutError
from jacobians.operations.hessian import Hessian

X = np.array([1.2, -0.7, 0.4, 2.0])
NET = Network.dense((2, 2, 2), activation="tanh", l2=0.3)
DATA = np.random.default_rng(0).normal(size=(5, 2)), [0, 1, 1, 0, 1]


def pair(x: np.ndarray) -> tuple[float, np.ndarray]:
    return float(rosen(x)), rosen_der(x)


@pytest.mark.parametrize("fun", [rosen_der, pair])
def test_scipys_rosenbrock(fun: Callable) -> None:
    assert check_hessian(fun, rosen_hess, X)
    assert check_hessian(fun, lambda x: csr_array(rosen_hess(x)), X)
    assert check_hessian(fun, hessp=rosen_hess_prod, x=X)


def test_own_hessians_of_networks() -> None:
    assert check_hessian(NET)
    assert check_hessian(NET, data=DATA)
    assert check_hessian(NET, hessp=NET.hess_vec(*DATA), data=DATA)


@pytest.mark.slow
def test_own_hessians_of_larger_networks() -> None:
    many = Network.dense((20, 12, 3), activation="sigmoid")  # above 100 parameters: along directions too
    assert check_hessian(many).along is not None
    wide = check_hessian(Network.dense((30, 12, 3), activation="tanh"), directions=9)
    assert wide.verdict == "pass"


def test_a_function_of_values() -> None:
    net = Network(lambda X, W: jac.tanh(X @ W) @ W.T, "squared_error", "cs231n", shapes={"W": (2, 2)})
    assert check_hessian(net, data=(DATA[0], DATA[0]))
    with pytest.raises(LayoutError, match=r"check_hessian: .* is a function of values"):
        check_hessian(net)


WRONG: dict[str, tuple[Callable[[np.ndarray], np.ndarray], str]] = {
    "half": (lambda x: rosen_hess(x) / 2, "it is ½ the Hessian"),
    "twice": (lambda x: rosen_hess(x) * 2, "it is twice the Hessian"),
    "minus": (lambda x: -rosen_hess(x), "it is minus the Hessian"),
    "upper triangle": (lambda x: np.triu(rosen_hess(x)), r"it is not symmetric: at \[\d, \d\] it is"),
    "one entry": (lambda x: rosen_hess(x) + 1e-5 * (np.eye(4)[:, :1] == 1) * (np.eye(4)[:1] == 1), "they differ by"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_ones_are_named(name: str) -> None:
    wrong, message = WRONG[name]
    found = check_hessian(rosen_der, wrong, X)
    assert found.verdict == "fail"
    assert any(re.search(message, reason) for reason in found.reasons)
    assert check_hessian(rosen_der, hessp=lambda x, v: wrong(x) @ v, x=X).verdict == "fail"


def test_gauss_newton_is_no_hessian() -> None:
    def newton(theta: np.ndarray) -> object:
        return gauss_newton(NET.run(NET.unpack(theta), *DATA), penalty=True)

    found = check_hessian(NET, newton, data=DATA)
    assert found.verdict == "fail"
    assert found.reasons[-1].startswith("it is the Gauss–Newton matrix: the residual part, of the operations before")
    convex = Network.dense((2, 2), l2=0.3)  # of a linear model it is
    assert check_hessian(convex, lambda t: gauss_newton(convex.run(convex.unpack(t), *DATA), penalty=True), data=DATA)


SLIPS: dict[str, Callable[[Hessian], object]] = {
    "the Gauss–Newton matrix, without the regulariser": lambda H: H.gauss_newton,
    "the Hessian without the regulariser": lambda H: H.gauss_newton + H.residual,
    "the Hessian with half the regulariser": lambda H: H - 0.5 * H.penalty,
    "the Hessian with twice the regulariser": lambda H: H + H.penalty,
    "the Hessian without the term of tanh at Z1": lambda H: H - H.terms[0].jacobian,
    "the Hessian without the term of affine at A1 and W2": lambda H: H - H.terms[1].jacobian,
    "½ the Hessian": lambda H: 0.5 * H,
    "the Hessian with the cross block of W1 and W2 transposed, and so that": lambda H: turned(H, "W1", "W2", both=True),
    "the Hessian with the cross block of W1 and b2 transposed": lambda H: turned(H, "W1", "b2"),
    "the Hessian with the cross block of W2 and W1 transposed": lambda H: turned(H, "W2", "W1"),
    "the Hessian of parameters that are unrolled in the other order": lambda H: replace_vec(H),
}


def replace_vec(H: Hessian) -> np.ndarray:
    """The matrix with rows and columns by columns of W1 and W2, one parameter after the other."""
    order = np.concatenate([[0, 2, 1, 3], [4, 5], [6, 8, 7, 9], [10, 11]])
    return H.to_dense()[np.ix_(order, order)]


def turned(H: Hessian, a: str, b: str, *, both: bool = False) -> np.ndarray:
    """The matrix with one cross block's entries in the transpose's order."""
    matrix, places = H.to_dense(), dict(H.places())
    block = matrix[places[a], places[b]].copy()
    matrix[places[a], places[b]] = block.T.reshape(block.shape)
    if both:
        matrix[places[b], places[a]] = matrix[places[a], places[b]].T
    return matrix


@pytest.mark.parametrize(
    "said", [pytest.param(own, marks=pytest.mark.slow if k % 4 else ()) for k, own in enumerate(SLIPS)]
)
def test_slips_of_a_networks_hessian_are_named(said: str) -> None:
    def slipped(theta: np.ndarray) -> object:
        return SLIPS[said](hessian(NET.run(NET.unpack(theta), *DATA)))  # type: ignore[arg-type]

    found = check_hessian(NET, slipped, data=DATA, protocol=False)
    assert found.verdict == "fail"
    assert found.reasons[-1].startswith(f"it is {said}"), found.reasons


def test_a_kink_of_the_gradient() -> None:
    """x|x|/2 has the gradient |x|, whose slopes at 0 are −1 and 1: all between them is right, and 2 is not."""
    at = np.array([0.0, 1.0])
    right = check_hessian(np.abs, lambda x: np.diag(np.sign(x)), at)
    assert right.verdict != "fail"
    assert any("kink" in note for note in right.notes)
    assert check_hessian(np.abs, lambda x: np.diag(np.where(x == 0, 2.0, np.sign(x))), at).verdict == "fail"


@pytest.mark.parametrize(("sizes", "seed"), [((2, 2, 2), 1), ((3, 2, 2), 0)])
def test_where_every_unit_lies_at_its_corner_no_right_one_fails(sizes: tuple[int, ...], seed: int) -> None:
    net = Network.dense(sizes, activation="relu", loss="squared_error")
    found = check_hessian(net, data=(np.zeros((1, sizes[0])), np.eye(1, 2)), seed=seed)
    assert found.verdict != "fail", found


def test_what_it_refuses() -> None:
    with pytest.raises(ArgumentError, match="neither hess nor hessp is given"):
        check_hessian(rosen_der, None, X)
    with pytest.raises(ArgumentError, match="both hess and hessp are given: leave one out"):
        check_hessian(rosen_der, rosen_hess, X, hessp=rosen_hess_prod)
    with pytest.raises(ArgumentError, match="x is missing: the order is fun, hess, x"):
        check_hessian(rosen_der, rosen_hess)
    with pytest.raises(ArgumentError, match=r"hess is an array .*; expected a function of x"):
        check_hessian(rosen_der, rosen_hess(X), X)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="data are of a network"):
        check_hessian(rosen_der, rosen_hess, X, data=DATA)
    found = check_hessian(rosen, rosen_hess, X)
    assert not found
    assert "fun returned a number alone: return (value, gradient), or the gradient" in "; ".join(found.reasons)
