"""One forward pass in several conventions: each formula is run, and the gradients are one."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import jacobians as jac
from jacobians import all_conventions, compare
from jacobians.comparison import GraphComparison
from jacobians.comparison.graphs import Layer
from jacobians.errors import LayoutError
from tests.derivation.graphs import check

rng = np.random.default_rng(0)
X, labels = rng.normal(size=(6, 4)), np.array([0, 1, 2, 3, 1, 2])


def block(X: Any, layer: Layer) -> Any:
    hidden = jac.relu(layer(1, X)).named("H")  # type: ignore[union-attr]
    return X + layer(2, hidden)  # type: ignore[arg-type]


def recurrence(X: Any, layer: Layer) -> Any:
    for _ in range(4):
        X = jac.tanh(layer(1, X))
    return X


@pytest.mark.parametrize("name", [c.name for c in all_conventions()])
def test_a_residual_block_in_every_preset(name: str) -> None:
    found = compare(["cs231n", name], X, labels, sizes=(4, 3, 4), forward=block)
    assert found.agree
    for side in found.sides:
        check(side.derivation, side.loss)


def test_the_formulas_stand_side_by_side() -> None:
    found = compare(["cs231n", "ng-ml-2011"], X, labels, sizes=(4, 3, 4), forward=block)
    lines = str(found).splitlines()
    assert lines[0] == "cs231n against ng-ml-2011: a graph of 4 parameters; one gradient"
    assert "  dH = dZ₂ W₂ᵀ               dH = (δ₃ Θ₂)[:, 1:]" in lines
    assert "  dW₂ = Hᵀ dZ₂               Θ₂_grad = δ₃ᵀ [1 H]" in lines
    assert "  db₂ = 1ᵀdZ₂" in lines
    html = ElementTree.fromstring(f"<div>{found._repr_html_()}</div>")
    assert [head.text for head in html.iter("th")][:3] == ["cs231n", "ng-ml-2011", "Forward"]


def test_a_weight_in_every_step() -> None:
    found = compare(["cs231n", "ng-dlai"], X, labels, sizes=(4, 4), forward=recurrence)
    assert isinstance(found, GraphComparison)
    assert found.agree
    assert [side.derivation["W1"].equation.text for side in found.sides] == [
        "dW₁ = Xᵀ dZ₁ + Σₜ₌₂⁴ Hₜ₋₁ᵀ dZₜ",
        "dW₁ = dZ₁ Xᵀ + Σₜ₌₂⁴ dZₜ Hₜ₋₁ᵀ",
    ]


def test_gradients_that_differ_are_seen() -> None:
    found = compare(["cs231n", "ng-dlai"], X, labels, sizes=(4, 3, 4), forward=block)
    first, other = found.sides
    vars(other)["gradient"] = {**other.gradient, "W1": other.gradient["W1"] * (1 + 1e-9)}
    from jacobians.comparison.graphs import _differences

    assert not all(d.agrees for d in _differences(first, other, 1.0))


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(LayoutError, match="compare: there is no layer 3; sizes say how many there are"):
        compare(["cs231n"], X, labels, sizes=(4, 3, 4), forward=lambda X, layer: layer(3, X))
    with pytest.raises(LayoutError, match="compare: forward returned ndarray; it must return the outputs, a value"):
        compare(["cs231n"], X, labels, sizes=(4, 3, 4), forward=lambda X, layer: X.array)  # type: ignore[arg-type, return-value]
    with pytest.raises(LayoutError, match="compare: forward says which activations there are"):
        compare(["cs231n"], X, labels, sizes=(4, 3, 4), forward=block, l2=0.1)  # type: ignore[call-overload]
