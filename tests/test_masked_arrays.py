"""A masked array is refused wherever an array enters: as a plain one it would show what its mask hides."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians.arrays import as_array, as_float
from jacobians.checking import check_gradient, check_jacobian
from jacobians.comparison import compare
from jacobians.data import Dataset
from jacobians.errors import DTypeError
from jacobians.linops import Dense, Diagonal, Kronecker, LowRank, Selection, Sparse
from jacobians.operations import ACTIVATIONS, LOSSES
from jacobians.testing import assert_layouts

X, Y = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), np.array([0, 1, 1])
W, b = np.array([[1.0, -1.0], [0.5, 2.0]]), np.zeros(2)
NET = jac.Network.dense((2, 2), convention="cs231n")
PARAMS = {"W1": W, "b1": b}


def masked(array: np.ndarray) -> Any:
    """With its first entry masked."""
    mask = np.zeros(array.shape, bool)
    mask.flat[0] = True
    return np.ma.array(array, mask=mask)


def squares(x: np.ndarray) -> float:
    return float((x**2).sum())


ENTRANCES: dict[str, Callable[[], object]] = {
    "X of an operation": lambda: jac.affine(masked(X), W, b),
    "a weight of an operation": lambda: jac.affine(X, masked(W), b),
    "a bias of an operation": lambda: jac.affine(X, W, masked(b)),
    "a list with one": lambda: jac.sigmoid([masked(X[0]), X[1]]),
    "both factors": lambda: jac.matmul(X, masked(W)),
    "the regulariser": lambda: jac.l2(masked(W), 0.5),
    "X of a network": lambda: NET.gradient(PARAMS, masked(X), Y),
    "labels of a network": lambda: NET.gradient(PARAMS, X, masked(Y)),
    "one-hot rows of a network": lambda: NET.value(PARAMS, X, masked(np.eye(2)[Y])),
    "a weight of a network": lambda: NET.gradient({**PARAMS, "W1": masked(W)}, X, Y),
    "a bias of a network": lambda: NET.run({**PARAMS, "b1": masked(b)}, X, Y),
    "a network's output": lambda: NET.output(PARAMS, masked(X)),
    "blocks": lambda: NET.gradient(PARAMS, X, masked(Y), block=2),
    "SciPy's function": lambda: NET.fun_and_grad(masked(X), Y),
    "labels of SciPy's function": lambda: NET.fun_and_grad(X, masked(Y)),
    "a packed vector": lambda: NET.unpack(masked(np.zeros(6))),
    "parameters to pack": lambda: NET.pack({**PARAMS, "W1": masked(W)}),
    "a tangent": lambda: jac.sigmoid(X)[1].jvp(masked(X)),
    "a cotangent": lambda: jac.sigmoid(X)[1].vjp(masked(X)),
    "a vector on the right": lambda: jac.sigmoid(X)[1] @ masked(np.ones(6)),
    "a vector on the left": lambda: masked(np.ones(6)) @ jac.sigmoid(X)[1],
    "parameters of a convention": lambda: jac.convention("cs231n").pack({**PARAMS, "W1": masked(W)}),
    "parameters to translate": lambda: jac.translate_parameters({**PARAMS, "W1": masked(W)}, "cs231n", "pytorch"),
    "gradients to translate": lambda: jac.translate_gradients({**PARAMS, "b1": masked(b)}, "cs231n", "pytorch"),
    "a batch to translate": lambda: jac.translate_batch(masked(X), "cs231n", "ng-dlai"),
    "a vector to translate": lambda: jac.translate_packed(masked(np.zeros(6)), (2, 2), "cs231n", "pytorch"),
    "vec": lambda: jac.vec(masked(X), "F"),
    "unvec": lambda: jac.unvec(masked(np.zeros(4)), (2, 2), "F"),
    "the gradient of a diagnosis": lambda: jac.diagnose({**PARAMS, "W1": masked(W)}, NET, PARAMS, X, Y),
    "X of a diagnosis": lambda: jac.diagnose(PARAMS, NET, PARAMS, masked(X), Y),
    "labels of a comparison": lambda: compare(["cs231n", "pytorch"], X, masked(Y), sizes=(2, 2)),
    "the point of a check": lambda: check_gradient(squares, lambda x: 2 * x, masked(X)),
    "a data set": lambda: Dataset(masked(X), Y, source="here"),
    "labels of a data set": lambda: Dataset(X, masked(Y), source="here"),
    "a function that is replayed": lambda: jac.replayed(lambda x: x * 2.0)(masked(X)),
    "inputs of a derivation": lambda: jac.explain(ACTIVATIONS["sigmoid"](), None, masked(X)),
    "Dense": lambda: Dense(masked(W), (2,)),
    "Diagonal": lambda: Diagonal(masked(W)),
    "Kronecker": lambda: Kronecker(masked(X), 2),
    "LowRank": lambda: LowRank(masked(W), W),
    "Sparse": lambda: Sparse(masked(W), (2,), (2,)),
    "Selection": lambda: Selection(masked(np.array([0, 1])), (3,)),
    "a value": lambda: jac.values(W=masked(W)),
    "beside a value": lambda: masked(X) @ jac.values(W=W)[0],
    "added to a value": lambda: jac.values(W=W)[0] + masked(W),
    "labels of a value": lambda: jac.cross_entropy(jac.values(X=X)[0], masked(Y)),
    "parameters to save": lambda: jac.save_parameters("w.npz", {**PARAMS, "W1": masked(W)}, "cs231n"),
    "the laws": lambda: assert_layouts(lambda layout: jac.operations.Affine(layout), masked(X), {"W": W, "b": b}),
}


@pytest.mark.parametrize("entrance", ENTRANCES)
def test_it_is_refused(entrance: str) -> None:
    with pytest.raises(DTypeError, match=r"is a masked array with 1 masked entry; its mask would be lost"):
        ENTRANCES[entrance]()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_by_every_activation(name: str) -> None:
    with pytest.raises(DTypeError, match=rf"^{name}: X \(3, 2\) is a masked array"):
        ACTIVATIONS[name]()(masked(X))


@pytest.mark.parametrize("name", LOSSES)
def test_by_every_loss(name: str) -> None:
    loss = LOSSES[name]()
    targets = loss.sample_targets(X.shape, np.random.default_rng(0))
    with pytest.raises(DTypeError, match=r"X \(3, 2\) is a masked array"):
        loss(masked(X), targets)
    for reduction in ("mean", "none"):
        with pytest.raises(DTypeError, match=r"Y \(3.*\) is a masked array"):
            LOSSES[name](reduction=reduction)(X, masked(targets))


def test_the_text_says_what_to_do() -> None:
    several = np.ma.masked_greater(X, 3.0)
    text = (
        "test: X (3, 2) is a masked array with 3 masked entries; its mask would be lost: leave those examples out, or "
        "fill them as in filled(0): no loss and no gradient skips entries"
    )
    with pytest.raises(DTypeError, match=f"^{re.escape(text)}$"):
        as_float(several, "X", "test")
    text = (
        "test: X (3, 2) is a masked array with no masked entry; its mask would be lost: pass its data, as in "
        "numpy.asarray(…)"
    )
    with pytest.raises(DTypeError, match=f"^{re.escape(text)}$"):
        as_array(np.ma.array(X), "X", "test")


def test_both_mends_work() -> None:
    several = np.ma.masked_greater(X, 3.0)
    assert as_float(several.filled(0), "X", "test").sum() == 6
    assert as_float(np.asarray(np.ma.array(X)), "X", "test").sum() == X.sum()


def test_a_masked_gradient_does_not_pass_a_check() -> None:
    found = check_gradient(squares, lambda x: np.ma.array(2 * x, mask=x > 4), X)
    assert not found
    assert "is a masked array with 2 masked entries" in str(found)
    found = check_jacobian(lambda x: x**2, lambda x: np.ma.array(np.diag(2 * x.ravel()), mask=False), X)
    assert not found
    assert "is a masked array with no masked entry" in str(found)


def test_a_replay_refuses_it_too() -> None:
    twice = jac.replayed(lambda x: x * 2.0)
    assert np.array_equal(twice(X), 2 * X)
    with pytest.raises(DTypeError, match="replayed: an argument"):
        twice(masked(X))


def test_nobody_loads_the_module_of_masks() -> None:
    code = (
        "import sys, numpy as np, jacobians as jac; net = jac.Network.dense((2, 2)); "
        "net.gradient(net.init(np.random.default_rng(0)), [[1.0, 2.0]], [1]); print('numpy.ma' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "False\n"
