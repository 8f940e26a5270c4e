"""`diagnose(..., order=2)`: every slip of second derivatives is named, in the whole matrix and in its blocks."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

import jacobians as jac
from jacobians import Convention, Network, diagnose
from jacobians.checking import hessian_slips, hessians
from jacobians.diagnosis import of_hessians
from jacobians.errors import ArgumentError, DomainError, ShapeError
from jacobians.layout import Layout
from jacobians.operations.hessian import Hessian

NET = Network.dense((2, 2, 2), activation="tanh", l2=0.3)
PARAMS, X, Y = NET.init(0), np.random.default_rng(0).normal(size=(5, 2)), [0, 1, 1, 0, 1]
RUN = NET.run(PARAMS, X, Y)


def right() -> Hessian:
    found = RUN.hessian()
    assert isinstance(found, Hessian)
    return found


def said(given: Any, net: Network = NET) -> jac.diagnosis.Diagnosis:
    return diagnose(given, net, PARAMS, X, Y, order=2)


def turned(H: Hessian) -> np.ndarray:
    matrix, places = H.to_dense(), dict(H.places())
    matrix[places["W1"], places["W2"]] = matrix[places["W1"], places["W2"]].T
    return matrix


SLIPS: dict[str, tuple[str, Callable[[Hessian], Any]]] = {
    "half": ("what is given is ½ the Hessian", lambda H: 0.5 * H),
    "twice": ("what is given is twice the Hessian", lambda H: 2.0 * H),
    "sign": ("what is given is minus the Hessian", lambda H: -1.0 * H),
    "factor": ("what is given is 5 times the Hessian", lambda H: 5.0 * H),
    "upper-triangle": ("what is given is not symmetric: it is", lambda H: np.triu(H.to_dense())),
    "lower-triangle": ("what is given is not symmetric: it is", lambda H: np.tril(H.to_dense())),
    "gauss-newton": ("what is given is the Gauss–Newton matrix: the res", lambda H: H.gauss_newton + H.penalty),
    "gauss-newton-without-regulariser": ("what is given is the Gauss–Newton matrix, wit", lambda H: H.gauss_newton),
    "missing-regulariser": ("what is given is the Hessian without the reg", lambda H: H.gauss_newton + H.residual),
    "half-regulariser": ("what is given is the Hessian with half the reg", lambda H: H - 0.5 * H.penalty),
    "twice-regulariser": ("what is given is the Hessian with twice the reg", lambda H: H + H.penalty),
    "missing-term": ("what is given is the Hessian without the term of tanh at Z1", lambda H: H - H.terms[0].jacobian),
    "vec-order": (
        "what is given is the Hessian of parameters",
        lambda H: H.to_dense()[np.ix_(*2 * [H.in_other_order()])],
    ),
    "missing-cross-blocks": ("what is given is the Hessian without its cross blocks", lambda H: H.block_diagonal()),
    "transposed-block": ("what is given is the Hessian with the cross block of W1 and W2 transposed", turned),
    "not-symmetric": (
        "what is given is not symmetric",
        lambda H: H.to_dense() + np.triu(np.ones(H.shape)) - np.tril(np.ones(H.shape)),
    ),
}


@pytest.mark.parametrize("name", sorted(SLIPS))
def test_every_slip_is_the_first_cause(name: str) -> None:
    title, slip = SLIPS[name]
    found = said(slip(right()))
    assert found.verdict == "explained", str(found)
    assert (found.causes[0].name, found.causes[0].exact) == (name, True)
    assert found.causes[0].title.startswith(title)
    assert not found.right


def test_each_slip_of_the_shared_list_is_tried_here() -> None:
    H = right()
    shared = [*hessian_slips.slips_of_any(H.to_dense(), 5.0), *hessian_slips.slips_of_structure(H)]
    assert {slip.name for slip in shared} == set(SLIPS) - {"not-symmetric"}
    for of in (hessians, of_hessians):  # neither states one of its own
        assert "HessianSlip(" not in inspect.getsource(of)


def test_right_ones_in_every_form() -> None:
    H, dense = right(), right().to_dense()
    whole = [H, dense, csr_array(dense), dense.astype(np.float32), np.round(dense, 9)]
    blocks = [{"W1": H.block("W1")}, {("W1", "b2"): RUN.hessian("W1", "b2")}, {"W1": {"W1": H.block("W1").to_dense()}}]
    for given in (*whole, *blocks):
        assert said(given).headline == "The Hessian is right."


def test_blocks_by_name_in_their_own_shapes_and_layouts() -> None:
    mine = Convention("mine", Layout().replace(vec="F", derivative="denominator"))
    net = Network.dense((2, 3, 2), activation="tanh", convention=mine)
    params, data = net.init(1), (X, Y)
    run = net.run(params, *data)
    cross = run.hessian("W1", "W2")
    plain = cross.to_dense()
    shaped = np.empty((*params["W1"].shape, *params["W2"].shape))
    for place in np.ndindex(params["W2"].shape):
        unit = np.zeros(params["W2"].shape)
        unit[place] = 1
        shaped[..., *place] = cross.numerator.jvp(unit)
    for given in (cross, plain, shaped):
        assert diagnose({("W1", "W2"): given}, net, params, *data, order=2).right
    found = diagnose({("W1", "W2"): 2 * plain}, net, params, *data, order=2)
    assert [cause.name for cause in found.causes] == ["twice"]
    with pytest.raises(
        ShapeError, match=r"the block \(W1, W2\) has shape \(6, 7\); expected \(6, 6\) or \(3, 2, 2, 3\)"
    ):
        diagnose({("W1", "W2"): np.ones((6, 7))}, net, params, *data, order=2)


def test_a_block_alone_a_graph_and_a_function_of_values() -> None:
    H = right()
    found = said({"W1": H.gauss_newton.block("W1").to_dense() + 0.3 * np.eye(4)})  # type: ignore[attr-defined]
    assert found.causes[0].name == "gauss-newton"
    x, W = jac.values(x=X, W=PARAMS["W1"])
    loss = jac.squared_error(jac.tanh(x @ W), X)
    own = loss.hessian(W)
    assert diagnose({"W": own}, loss, order=2).right
    assert diagnose({"W": own.gauss_newton}, loss, order=2).causes[0].name == "gauss-newton"
    net = Network(lambda X, W: jac.tanh(X @ W) @ W.T, "squared_error", "cs231n", shapes={"W": (2, 2)})
    params = {"W": PARAMS["W1"]}
    assert diagnose(net.run(params, X, X).hessian(), net, params, X, X, order=2).right


def test_what_no_slip_gives_and_what_is_not_finite() -> None:
    dense = right().to_dense()
    noisy = dense + np.eye(len(dense))[::-1]
    found = said(noisy)
    assert found.verdict == "unexplained"
    assert "Wrong:" in found.headline
    dense[0, 0] = np.nan
    found = said(dense)
    assert (found.verdict, found.causes[0].name, found.causes[0].evidence) == (
        "explained",
        "not-finite",
        "W1 (1 of 16)",
    )


def test_what_it_refuses() -> None:
    with pytest.raises(ArgumentError, match="order=3 is unknown; choose 1, a gradient, or 2, a Hessian"):
        diagnose(right(), NET, PARAMS, X, Y, order=3)
    with pytest.raises(ShapeError, match="a Hessian is diagnosed with order=2"):
        diagnose(right().to_dense(), NET, PARAMS, X, Y)
    with pytest.raises(ShapeError, match=r"the Hessian has shape \(3, 3\); expected \(12, 12\)"):
        said(np.eye(3))
    with pytest.raises(ArgumentError, match=r"the block \('W1', 'V'\) is unknown; .* of W1, b1, W2, b2"):
        said({("W1", "V"): np.eye(4)})
    with pytest.raises(ArgumentError, match="the Hessian is an empty dict"):
        said({})
    with pytest.raises(ArgumentError, match="it is a dict of blocks by the names of its inputs"):
        diagnose(np.eye(2), jac.values(x=1.0)[0] * 2, order=2)
    with pytest.raises(DomainError, match="the batch is empty; a Hessian of no examples"):
        diagnose(right(), NET, PARAMS, np.ones((0, 2)), [], order=2)
