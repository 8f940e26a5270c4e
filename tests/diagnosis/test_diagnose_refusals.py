"""What a diagnosis refuses: arguments in each other's place, and gradients that came without names."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from jacobians import Network, sigmoid
from jacobians.diagnosis import diagnose
from jacobians.errors import ArgumentError, DTypeError, ShapeError

NET = Network.dense((4, 3, 2))
PARAMS = NET.init(0)
X, Y = np.random.default_rng(1).normal(size=(5, 4)), np.array([0, 1, 1, 0, 1])
GRADIENT = NET.gradient(PARAMS, X, Y)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            (NET, GRADIENT, PARAMS, X, Y),
            r"diagnose: network is a dict of W1, b1, W2, b2; expected a Network: gradient and network are in each "
            r"other's place\. The order is gradient, network, params, X, Y$",
        ),
        ((GRADIENT, PARAMS, NET, X, Y), r"network is a dict of W1, .*; expected a Network\. The order is gradient, "),
        ((GRADIENT, NET, X, PARAMS, Y), r"params is an array of shape \(5, 4\); .* The order is params, X, Y$"),
        ((PARAMS, NET, GRADIENT, Y, X), r"X has shape \(5,\); .*; Y would fit: are X and Y in each other's place\?$"),
        ((PARAMS, NET, GRADIENT, X, Y), r"diagnose: gradient and params are in each other's place: params is the grad"),
        ((NET, NET, PARAMS, X, Y), r"diagnose: gradient is a Network; expected real numbers"),
        ((sigmoid(X)[1], NET, PARAMS, X, Y), r"diagnose: gradient is a Diagonal, a Jacobian; expected real numbers"),
        ((None, NET, PARAMS, X, Y), r"diagnose: gradient is None; expected real numbers$"),
    ],
)
def test_arguments_in_each_others_place(arguments: Any, message: str) -> None:
    with pytest.raises((ArgumentError, DTypeError, ShapeError), match=message):
        diagnose(*arguments)


@pytest.mark.parametrize(
    "gradient",
    [
        list(GRADIENT.values()),
        tuple(GRADIENT[name] for name in ("W1", "W2", "b1", "b2")),
        SimpleNamespace(coefs_=[GRADIENT["W1"], GRADIENT["W2"]], intercepts_=[GRADIENT["b1"], GRADIENT["b2"]]),
    ],
    ids=["layers", "weights first", "estimator"],
)
def test_a_gradient_without_names(gradient: Any) -> None:
    with pytest.raises(ArgumentError, match=r"^diagnose: gradient is a.*; cs231n expects a dict of W1, b1, ") as e:
        diagnose(gradient, NET, PARAMS, X, Y)
    code = str(e.value).split("W2, b2: ")[1].removesuffix(" is one")
    assert diagnose(eval(code, {"gradient": gradient}), NET, PARAMS, X, Y).verdict == "right"


def test_a_packed_gradient_may_be_a_list_of_numbers() -> None:
    assert diagnose(NET.pack(GRADIENT).tolist(), NET, PARAMS, X, Y).verdict == "right"
