"""The formulas of a change on its way to the loss, evaluated: they are the library's own products of Jacobians."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians.array_names import ArrayNames
from jacobians.conventions import Convention
from jacobians.derivation import Equation, derive
from jacobians.explorer.example_nets import EXAMPLES
from jacobians.explorer.forward_steps import forward_steps
from jacobians.explorer.panes import layouts
from jacobians.presets import convention
from jacobians.symbols.evaluate import evaluate
from jacobians.symbols.expressions import Expr, Symbol


@pytest.mark.parametrize("at", range(0, 64, 7))
@pytest.mark.parametrize("names", [ArrayNames(), ArrayNames(with_ones=True)], ids=["plain", "with ones"])
def test_a_change_is_pushed_as_the_jacobians_push_it(at: int, names: ArrayNames) -> None:
    layout, example = layouts()[at], EXAMPLES[1]
    run = example.run(Convention("", layout, reduction="mean", names=names))
    plain = example.run(Convention("", layout, reduction="mean"))
    found, chain = derive(run), plain.chain("W1")
    factors = chain if layout.derivative == "numerator" else chain[::-1]
    steps = forward_steps(found, "W1", [(factor.of, factor.wrt) for factor in factors])
    tangent = np.random.default_rng(at).normal(size=run.params["W1"].shape)
    values = {**found.values, "tW1": tangent}
    for step in reversed(steps):
        if isinstance(step.equation, Equation):
            assert isinstance(step.equation.right, Expr)
            assert isinstance(step.change, Symbol)
            values[step.change.name] = evaluate(step.equation.right, values).reshape(step.change.shape)
    expected = float(np.vdot(plain.gradient()["W1"], tangent))
    assert float(values["tL"].item()) == pytest.approx(expected, rel=1e-12)


def test_a_change_has_the_name_of_the_activation_without_its_ones() -> None:
    run = EXAMPLES[1].run(convention("ng-ml-2011"))
    chain = [("loss", "losses"), ("losses", "Z3"), ("Z3", "A2"), ("A2", "Z2"), ("Z2", "Theta1")]
    texts = [getattr(step.equation, "text", None) for step in forward_steps(derive(run), "Theta1", chain)]
    assert texts[2:5] == ["tZ₃ = tA₂ Θ₂ᵀ", "tA₂ = [0 tA₂′]", "tA₂′ = tZ₂ ∘ σ′(Z₂)"]
