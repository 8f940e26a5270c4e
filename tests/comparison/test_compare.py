"""The main job: every preset gives one gradient, what truly differs is said to differ, and rounding is not."""

import itertools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jacobians import (
    Convention,
    Layout,
    Network,
    Run,
    all_conventions,
    translate_batch,
    translate_gradients,
    translate_parameters,
)
from jacobians.array_roles import convention_of
from jacobians.comparison import compare
from jacobians.comparison.compare import rounding_allowance
from jacobians.data import load_digits
from jacobians.errors import DataError, LayoutError, ShapeError
from jacobians.operations import Elementwise, SquaredError

NAMES = [c.name for c in all_conventions()]


@pytest.fixture(scope="module")
def batch():
    digits = load_digits().batch(12, seed=1)
    return digits.X / 16, digits.y


def test_every_preset_gives_the_gradient_of_the_first(batch):
    result = compare(NAMES, *batch, sizes=(64, 5, 10))
    assert result.agree
    assert [side.convention.name for side in result.sides] == NAMES
    assert max(d.ulps for found in result.differences for d in found) < 20


@given(data=st.data())
@settings(max_examples=25)
def test_any_two_layouts_agree(data):
    def draw(name):
        choices = itertools.product(
            ("rows", "columns"), ("rows", "columns"), ("separate", "first", "last"), "CF", ("numerator", "denominator")
        )
        layout = Layout(*data.draw(st.sampled_from(list(choices))))
        reduction = data.draw(st.sampled_from(["sum", "mean", "mean-all"]))
        l2 = data.draw(st.sampled_from(["half-over-n", "half", "one"]))
        return Convention(name, layout, reduction=reduction, l2=l2)

    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    X, labels = rng.normal(size=(7, 4)), rng.integers(0, 3, 7)
    activation = data.draw(st.sampled_from(["sigmoid", "tanh", "softplus"]))
    loss = data.draw(st.sampled_from(["cross_entropy", "binary_cross_entropy"]))
    result = compare([draw("a"), draw("b")], X, labels, sizes=(4, 5, 3), activation=activation, loss=loss, l2=0.3)
    assert result.agree
    assert result.sides[1].run.value * result.ratios[1] == pytest.approx(result.sides[0].run.value, rel=1e-13)


def test_a_wrong_gradient_is_not_called_equal(batch, monkeypatch):
    """A comparison that cannot fail shows nothing: one entry off by 1e-9 of the scale is reported."""
    original = Run.gradient

    def off(self, *, inputs=False):
        found = original(self, inputs=inputs)
        if "W2" in found:
            found["W2"][0, 0] += 1e-9 * np.abs(found["W2"]).max()
        return found

    monkeypatch.setattr(Run, "gradient", off)
    result = compare(["ng-ml-2011", "cs231n"], *batch, sizes=(64, 5, 10))
    assert not result.agree
    assert [d.parameter for d in result.differences[0] if not d.agrees] == ["Theta2"]


def test_a_regularised_bias_is_a_difference(batch):
    result = compare(["cs231n", "cs231n-bias-trick"], *batch, sizes=(64, 5, 10), l2=1.0)
    assert not result.agree
    assert [d.parameter for d in result.differences[0] if not d.agrees] == ["b1", "b2"]
    assert all(side.check for side in result.sides)


def test_strengths_are_translated_so_that_the_objectives_are_equal(batch):
    result = compare(["ng-ml-2011", "cs231n", "cs231n-2018-toy", "sklearn-mlp"], *batch, sizes=(64, 5, 10), l2=3.0)
    assert [side.network.l2 for side in result.sides] == pytest.approx([3.0, 3.0 / 12, 3.0 / 24, 3.0])
    values = [side.run.value for side in result.sides]
    assert values == pytest.approx([values[0]] * 4, rel=1e-14)
    assert result.agree


def test_reductions_are_reported_as_a_ratio(batch):
    targets = np.eye(10)[batch[1]]
    result = compare(["pytorch-mse", "cs231n"], batch[0], targets, sizes=(64, 5, 10), loss="squared_error")
    assert result.ratios == (1.0, 0.1)
    assert result.agree


def test_given_weights_are_used_in_whatever_convention_they_are(batch):
    rng = np.random.default_rng(3)
    theta = {"Theta1": rng.normal(size=(5, 65)), "Theta2": rng.normal(size=(10, 6))}
    result = compare(["pytorch", "cs231n"], *batch, sizes=(64, 5, 10), weights=theta)
    moved = translate_parameters(theta, "ng-ml-2011", "cs231n")
    assert all(np.array_equal(result.sides[1].run.params[name], moved[name]) for name in moved)
    assert convention_of(theta, [result.sides[0].convention]).name == "ng-ml-2011"


def test_weights_of_no_convention_are_refused(batch):
    with pytest.raises(DataError, match=r"weights: A \(3, 2\): no convention has parameters of these names and shapes"):
        compare(["cs231n"], *batch, sizes=(64, 5, 10), weights={"A": np.ones((3, 2))})


class Softsign(Elementwise):
    """V ↦ V / (1 + |V|)."""

    def _rule(self, z):
        scale = 1 / (1 + np.abs(z))
        return z * scale, lambda: scale * scale


def test_an_activation_and_a_loss_of_ones_own_are_compared_in_every_convention(batch):
    targets = np.eye(10)[batch[1]]
    result = compare(NAMES, batch[0], targets, sizes=(64, 5, 10), activation=Softsign(), loss=SquaredError())
    assert result.agree
    assert (result.activation, result.loss) == ("softsign", "squared_error")
    assert "network 64-5-10, softsign, squared_error; one gradient" in repr(result)
    first, *_, last = result.formulas.parameters["Theta1"].factors[4].cells
    assert (first.text, last.text) == ("diag(vec softsign′(Z₂))", "diag(vec softsign′(Z₁))")
    assert json.loads(json.dumps(result.to_dict()))["activation"] == "softsign"


def test_bad_requests_are_refused(batch):
    with pytest.raises(LayoutError, match="name at least one convention"):
        compare([], *batch, sizes=(64, 10))
    with pytest.raises(ShapeError, match=r"X has shape \(12, 64\), batch in rows expects \(N, 63\)"):
        compare(["cs231n"], *batch, sizes=(63, 10))


def test_the_chain_names_sizes_and_bytes(batch):
    side = compare(["ng-dlai"], *batch, sizes=(64, 5, 10)).sides[0]
    rows = side.chain("W1")
    assert [row.label for row in rows] == ["∂loss/∂losses", "∂losses/∂Z2", "∂Z2/∂A1", "∂A1/∂Z1", "∂Z1/∂W1"]
    assert [row.matrix for row in rows] == [(1, 12), (12, 120), (120, 60), (60, 60), (60, 320)]
    assert [row.stored for row in rows] == [96, 960, 400, 480, 12 * 64 * 8]
    assert [row.dense for row in rows] == [8 * m * n for m, n in (row.matrix for row in rows)]
    assert side.biases() == ["b1", "b2"]
    assert side.arrays()["b1"] == (5, 1)


def test_a_denominator_side_reads_the_other_way(batch):
    convention = Convention("d", Layout(derivative="denominator"), reduction="mean")
    rows = compare([convention], *batch, sizes=(64, 5, 10)).sides[0].chain("W2")
    assert [row.label for row in rows] == ["∂Z2/∂W2", "∂losses/∂Z2", "∂loss/∂losses"]
    assert [row.matrix for row in rows] == [(50, 120), (120, 12), (12, 1)]
    assert "Denominator" not in rows[0].structure


def test_to_dict_is_json(batch):
    found = json.loads(json.dumps(compare(["ng-ml-2011", "cs231n"], *batch, sizes=(64, 5, 10)).to_dict()))
    assert found["agree"] is True
    assert found["sides"][0]["arrays"]["Theta1"] == [5, 65]
    assert found["sides"][1]["chains"]["b1"][-1]["label"] == "∂Z1/∂b1"
    assert found["differences"][0]["between"] == ["ng-ml-2011", "cs231n"]
    assert found["sides"][0]["numerical_check"]["verdict"] == "pass"


def test_inputs_are_not_written(batch):
    X, labels = batch[0].copy(), batch[1].copy()
    X.setflags(write=False)
    labels.setflags(write=False)
    compare(["ng-dlai", "cs231n"], X, labels, sizes=(64, 5, 10))
    assert np.array_equal(X, batch[0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("convention", ["ng-ml-2011", "ng-dlai", "cs231n"])
def test_the_gradient_in_longer_precision_lies_within(convention, dtype):
    rng = np.random.default_rng(0)
    net = Network.dense((30, 20, 10), convention=convention, activation="tanh", loss="cross_entropy")
    params = net.init(rng, dtype)
    X = translate_batch(rng.normal(size=(50, 30)), "cs231n", convention).astype(dtype)
    labels = rng.integers(0, 10, 50)
    run = net.run(params, X, labels)
    # float64 stands in for exact where float32 is judged; for float64 another convention's order of sums does
    if dtype == np.float32:
        wide = {name: array.astype(np.float64) for name, array in params.items()}
        exact = net.gradient(wide, X.astype(np.float64), labels)
    else:
        other = Network.dense((30, 20, 10), convention="sklearn-mlp", activation="tanh")
        moved = translate_parameters(params, convention, "sklearn-mlp")
        found = other.gradient(moved, translate_batch(X, convention, "sklearn-mlp"), labels)
        exact = translate_gradients(found, "sklearn-mlp", convention)
    allowance = rounding_allowance(run)
    for name, gradient in run.gradient().items():
        difference = np.abs(gradient - exact[name]).max()
        assert difference <= allowance[name]
        assert allowance[name] < 1e-2 * (np.finfo(dtype).eps / 1e-7 + 1e-3) * max(np.abs(gradient).max(), 1)
