"""Layers that are written once, in several conventions: images NCHW and NHWC, and MATLAB's HWCN."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

import jacobians as jac
from jacobians.cli import main
from jacobians.comparison.of_layers import LayersOnce, compare_layers
from jacobians.errors import LayoutError, ShapeError
from jacobians.layers import BatchNorm, Convolution, Flattened, Pool
from jacobians.operations import Affine

rng = np.random.default_rng(0)
X, LABELS = rng.normal(size=(4, 2, 4, 4)), np.array([0, 1, 2, 0])
NET = [
    Convolution(pad=1, sizes=(3, 2, 3, 3)),
    BatchNorm(features=3),
    "tanh",
    Pool("max", 2),
    Flattened(),
    Affine(sizes=(12, 4)),
    "relu",
    Affine(sizes=(4, 3)),
]


def test_one_net_in_every_layout_of_images() -> None:
    """The losses are equal, which no gradient is asked for; so are the gradients."""
    found = jac.compare(["cs231n", "keras", "matlab", "ng-ml-2011"], X, LABELS, operations=NET)
    assert found.agree
    first, *others = found.sides
    for side in others:
        np.testing.assert_allclose(side.loss.array, first.loss.array, rtol=1e-13)
    cs231n, keras, matlab, ng = (side.parameters for side in found.sides)
    np.testing.assert_array_equal(jac.translate_kernel(cs231n["W1"].array, "cs231n", "keras"), keras["W1"].array)
    assert matlab["W1"].shape == (3, 3, 2, 3)
    assert ng["Theta3"].shape == (4, 13)
    assert not np.array_equal(cs231n["W3"].array, keras["W3"].array)  # its rows lie as the flattened images do


def test_the_lines_stand_side_by_side() -> None:
    found = jac.compare(["pytorch", "keras"], X, LABELS, operations=NET)
    text = str(found)
    assert re.search(r"dW₁ = \(Σ_np .* Xcol₁_nkp\) as 3×2×3×3 +dW₁ = \(Xrow₁ᵀ \(dZ₁ as 64×3\)\) as 3×3×2×3", text)
    assert re.search(r"dW₃ = dZ₅ᵀ Z₄ +dW₃ = Z₄ᵀ dZ₅", text)


def test_a_wrong_order_of_the_features_is_seen() -> None:
    class Unmoved(LayersOnce):
        def orders(self, layout):  # type: ignore[no-untyped-def]
            return [None] * len(self.chain.parts)

    once = Unmoved.drawn(NET, X, 0)
    nets = [jac.Network.dense((1, 3), convention=c) for c in ("cs231n", "keras")]
    assert not compare_layers(once, nets, (1.0, 1.0), X, LABELS).agree


def test_refusals() -> None:
    with pytest.raises(ShapeError, match="compare: W1, b1: the operations do not fix their sizes"):
        jac.compare(["pytorch", "keras"], X, LABELS, operations=[Convolution(), *NET[4:]])
    with pytest.raises(LayoutError, match=re.escape("put Flattened() before it")):
        jac.compare(["pytorch", "keras"], X, LABELS, operations=[Affine(sizes=(32, 3))])
    with pytest.raises(ShapeError, match=re.escape("compare: the outputs have shape (4, 3, 4, 4); expected a matrix")):
        jac.compare(["pytorch", "keras"], X, LABELS, operations=NET[:2])
    with pytest.raises(LayoutError, match="compare: operations say all of the layers; leave out sizes"):
        jac.compare(["pytorch", "keras"], X, LABELS, operations=NET, sizes=(3, 2))  # type: ignore[call-overload]
    with pytest.raises(LayoutError, match="vecderivs-rows has no bias"):
        jac.compare(["pytorch", "vecderivs-rows"], X, LABELS, operations=NET, task=None)


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "pytorch", "keras", "--kernels", "1", "--batch", "3", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["agree"]
    assert ["Xcol₁ = im2col(X, 3, 3, 2, 1)", "Xrow₁ = im2row(X, 3, 3, 2, 1)"] in [
        row["texts"] for row in found["lines"]
    ]
    assert main(["compare", "pytorch", "keras", "--kernels", "0"]) == 2
    assert main(["compare", "pytorch", "keras", "--kernels", "1", "--hidden", "3"]) == 2
