"""Every formula that a derivation prints passes the audit, as NumPy code and as LaTeX; a changed one does not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jacobians import Convention, Network, all_conventions
from jacobians.auditing import audit
from jacobians.auditing.claims import claims
from jacobians.auditing.formula import Formula
from jacobians.auditing.names import Scope
from jacobians.auditing.random_batches import RandomBatches
from jacobians.auditing.readings import checked
from jacobians.auditing.search import Judge
from jacobians.auditing.slips import slips
from jacobians.auditing.terms import ClashError, build
from jacobians.operations import ACTIVATIONS
from tests.network.cases import DENSE_LOSSES, LAYOUTS, short

SIZES, EXAMPLES = (7, 5, 3), 9
LAYOUT_CONVENTIONS = [
    Convention(short(layout), layout, reduction=reduction, l2=l2, l2_bias=touched)
    for layout, reduction, l2, touched in zip(
        [layout for layout in LAYOUTS if layout.vec == "C"],
        ["mean", "sum", "mean-all"] * 11,
        ["half", "one", "half-over-n", "one"] * 8,
        [False, False, True] * 11,
        strict=False,
    )
]


def failures(convention: Convention, activation: str, loss: str) -> list[str]:
    """The printed formulas that are not called right."""
    l2 = 0.1 if convention.l2 else 0.0
    net = Network.dense(SIZES, convention=convention, activation=activation, loss=loss, l2=l2)
    setting = RandomBatches.of(net, EXAMPLES, 0, 2)
    found, scope = [], Scope.of(setting)
    for claim in claims(setting):
        for notation in ("numpy", "latex"):
            text = getattr(claim.nearest, notation)
            (read,) = checked(Formula.of(text, notation), scope.reading({}, None))
            judge = Judge(read.claim, read.scope, vectors=notation == "latex")
            if read.claim.name != claim.name or read.expr is None or not judge.right(read.expr):
                found.append(text)
    return found


@pytest.mark.parametrize(
    ("preset", "loss"),
    [
        # every day each preset with every other loss, and each loss with every other preset
        pytest.param(preset, loss, marks=[pytest.mark.slow] if (place + turn) % 2 else [], id=f"{preset.name}-{loss}")
        for place, preset in enumerate(all_conventions())
        for turn, loss in enumerate(DENSE_LOSSES)
    ],
)
def test_every_formula_of_every_preset_is_right(preset: Convention, loss: str) -> None:
    assert failures(preset, "sigmoid", loss) == []


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("name", ["cs231n", "ng-ml-2011", "ng-dlai", "cs231n-bias-trick"])
def test_every_formula_of_every_activation_is_right(name: str, activation: str) -> None:
    (preset,) = [c for c in all_conventions() if c.name == name]
    assert failures(preset, activation, "cross_entropy") == []


@pytest.mark.parametrize("convention", LAYOUT_CONVENTIONS, ids=lambda c: c.name)
def test_every_formula_of_every_layout_is_right(convention: Convention) -> None:
    assert failures(convention, "tanh", "squared_error") == []


def test_notations_are_told_apart() -> None:
    for preset in all_conventions():
        setting = RandomBatches.of(Network.dense(SIZES, convention=preset), EXAMPLES, 0, 1)
        for claim in claims(setting):
            assert Formula.of(claim.nearest.numpy).notation == "numpy"
            # X = dZ reads the same in both
            assert Formula.of(claim.nearest.latex).notation in ("latex", "numpy")


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_changed_formula_is_right_only_if_its_value_is(data: st.DataObject) -> None:
    """One random slip put into a right formula; the value is compared here without the audit's judge."""
    preset = data.draw(st.sampled_from(all_conventions()), label="convention")
    setting = RandomBatches.of(Network.dense(SIZES, convention=preset), EXAMPLES, 0, 3)
    claim = data.draw(st.sampled_from(list(claims(setting))), label="claim")
    (read,) = checked(Formula.of(claim.nearest.numpy, "numpy"), Scope.of(setting))
    changed = list(slips(read.term, read.scope, read.claim, claim.nearest.numpy))
    by, _ = changed[data.draw(st.integers(0, len(changed) - 1), label="slip")]
    try:
        expr = build(by, EXAMPLES, read.scope.known)
    except ClashError:
        return
    judge = Judge(read.claim, read.scope, vectors=False)
    values = [(judge.value(expr, draw), true) for draw, true in enumerate(read.claim.truths)]
    same = all(v.shape == t.shape and np.allclose(v, t, rtol=0, atol=1e-9 * np.abs(t).max()) for v, t in values)
    assert judge.right(expr) == same


def test_a_coincidence_of_one_draw_is_not_right() -> None:
    """The number of the first draw's first entry, printed in full, is right for that draw only."""
    net = Network.dense((1, 1), convention="vecderivs-columns", loss="squared_error")
    draws = RandomBatches.of(net, 1, 0, 3).draws
    first = draws[0].run.gradient()["W1"].item()
    assert draws[1].run.gradient()["W1"].item() != first
    assert not audit(f"dW1 = {first!r} * X / X", net, examples=1)
