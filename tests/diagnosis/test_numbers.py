"""What the diagnosis reads off numbers: printed digits, factors of small batches, one ratio for all, float32 sums."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians import Network, convention
from jacobians.diagnosis import Diagnosis, diagnose
from jacobians.diagnosis.distances import Distances, findings, pattern
from jacobians.diagnosis.slip import Setting
from jacobians.diagnosis.slips import catalogue
from jacobians.diagnosis.slips.preset import _differences
from jacobians.diagnosis.telling_apart import _probes

Case = tuple[Network, dict[str, np.ndarray], np.ndarray, np.ndarray]


def net(
    sizes: tuple[int, ...] = (5, 4, 3), count: int = 12, *, convention: str = "pytorch", l2: float = 0.0, **more: str
) -> Case:
    rng = np.random.default_rng([3, count])
    network = Network.dense(sizes, activation=more.get("activation", "tanh"), convention=convention, l2=l2)
    params = {n: rng.normal(size=p.shape) for n, p in network.init(rng).items()}
    X = rng.normal(size=network.layout.batch_shape(count, sizes[0]))
    return network, params, X, np.arange(count) % sizes[-1]


def exact(found: Diagnosis) -> list[str]:
    return [cause.name for cause in found.causes if cause.exact]


# --- printed digits ------------------------------------------------------------------------------


def significant(g: np.ndarray, digits: int) -> np.ndarray:
    return np.array([float(f"{v:.{digits}g}") for v in g.ravel()]).reshape(g.shape)


@pytest.mark.parametrize(("digits", "right"), [(4, False), (5, True), (9, True), (10, True), (11, True), (12, True)])
def test_digits_that_are_enough(digits: int, right: bool) -> None:
    network, params, X, Y = net()
    gradient = network.gradient(params, X, Y)
    assert diagnose({n: significant(g, digits) for n, g in gradient.items()}, network, params, X, Y).right == right


@pytest.mark.parametrize(("decimals", "right"), [(5, True), (8, True)])
def test_decimals_that_are_enough(decimals: int, right: bool) -> None:
    network, params, X, Y = net()
    gradient = network.gradient(params, X, Y)
    assert 0.05 < min(np.sqrt(np.mean(g * g)) for g in gradient.values()) < 0.5
    assert diagnose({n: g.round(decimals) for n, g in gradient.items()}, network, params, X, Y).right == right


@pytest.mark.parametrize("units", [0.3, 0.7])
def test_half_a_unit_of_the_last_digit_and_no_more(units: float) -> None:
    network, params, X, Y = net((5, 4, 3), 12)
    wrong = {n: significant(g, 6) for n, g in network.gradient(params, X, Y).items()}
    wrong["W1"] = significant(wrong["W1"] * (1 + units * 1e-5), 6)
    found = diagnose(wrong, network, params, X, Y)
    assert found.right == (units < 0.5)


def test_a_slip_in_printed_numbers() -> None:
    network, params, X, Y = net()
    wrong = {n: significant(12 * g, 7) for n, g in network.gradient(params, X, Y).items()}
    found = diagnose(wrong, network, params, X, Y)
    assert exact(found)[0] == "missing-1/N"


# --- factors -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "factor", "names"),
    [
        (7, 7 / 6, {"N-1-for-N"}),
        (7, 7 / 8, {"N+1-for-N"}),
        (2, 2.0, {"missing-1/N", "N-1-for-N", "factor-2", "accumulated"}),
        (3, 1.5, {"N-1-for-N"}),
        (1, 0.5, {"N+1-for-N", "factor-half"}),
        (7, 6 / 7, {"constant-ratio"}),
        (7, 8 / 7, {"constant-ratio"}),
    ],
)
def test_a_count_that_is_one_off(count: int, factor: float, names: set[str]) -> None:
    network, params, X, Y = net((5, 4, 3), count)
    found = diagnose({n: factor * g for n, g in network.gradient(params, X, Y).items()}, network, params, X, Y)
    assert set(exact(found)) == names


def test_one_ratio_for_all_is_said_and_for_each_is_not() -> None:
    right = {"W": np.array([1.0, 2.0]), "b": np.array([3.0, -1.0]), "c": np.array([1.0])}

    def said(W: np.ndarray, b: np.ndarray) -> str:
        return pattern(Distances({"W": W, "b": b, "c": right["c"]}, right))

    assert said(2.5 * right["W"], right["b"]) == "W is 2.5 times the right one in every entry"
    assert said(2.5 * right["W"], 2.5 * right["b"]) == "W, b are 2.5 times the right one in every entry"
    uneven = "W, b wrong, c right, as this cause has it"
    assert said(2.5 * right["W"], 2.6 * right["b"]) == uneven
    assert said(2.5 * right["W"], 2.50001 * right["b"]) == uneven
    beside = np.array([2.0, -1.0]) * 2.5e-9
    assert said(2.5 * right["W"] + 0.9 * beside, right["b"]).startswith("W is 2.5")
    assert said(2.5 * right["W"] + 1.1 * beside, right["b"]).startswith("W wrong")


def test_a_ratio_to_what_is_zero_is_none() -> None:
    right = {"W": np.zeros(2), "b": np.array([1.0])}
    assert pattern(Distances({"W": np.ones(2), "b": right["b"]}, right)) == "W wrong, b right, as this cause has it"


# --- sums in float32 -----------------------------------------------------------------------------


def test_which_biases_a_float32_sum_explains() -> None:
    network, params, X, Y = net((5, 4, 3), 200)
    wrong = network.gradient(params, X, Y)
    setting = Setting(network, params, X, Y)
    spread = {n: np.abs(setting.right.cotangents()[p]).sum(axis=0) for n, p in (("b1", 0), ("b2", 2))}
    unit = float(np.finfo(np.float32).eps)
    for names, roots in ((("b1",), 0.9), (("b1", "b2"), 0.9), (("b1",), 1.3)):
        given = dict(wrong)
        for name in names:
            given[name] = (wrong[name] + roots * np.sqrt(200) * unit * spread[name]).astype(np.float32).astype(float)
        found = diagnose(given, network, params, X, Y)
        assert (exact(found) == ["float32-sum"]) == (roots < 1)
        if roots < 1:
            said = " and ".join(f"b of layer {name[1]}" for name in names)
            assert found.causes[0].evidence.startswith(f"{said} differ by no more than such a sum rounds")


# --- telling apart -------------------------------------------------------------------------------


def test_probes_differ_from_the_data_in_what_they_say() -> None:
    network, params, X, Y = net((4, 4, 4), 4, convention="cs231n", l2=0.3)
    for name in ("b1", "b2"):
        params[name][...] = 0
    setting = Setting(network, params, X, Y)
    probes = dict(_probes(setting))
    assert list(probes) == [
        "layers of different widths",
        "a batch of another size than 4",
        "biases that are not zero",
        "another λ",
        "another batch, with different weights, biases and widths",
    ]
    wide, batch, biases, strength, all_new = probes.values()
    for probe, count in ((wide, 4), (all_new, 5)):
        widths = network.convention.sizes(probe.params)
        assert probe.count == count
        assert len({*widths, count}) == len(widths) + 1 - (widths[-1] == count)
        assert widths[-1] == 4
    assert (batch.count, strength.count, biases.count) == (5, 4, 4)
    assert strength.network.l2 == 1.3
    assert not np.array_equal(batch.X[:4], X)
    for probe, moved in ((biases, True), (all_new, True), (wide, False), (batch, False)):
        assert all(probe.params[b].any() == moved for b in ("b1", "b2"))
    assert np.array_equal(biases.params["W1"], params["W1"])


# --- whose factor, and whose layer ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("preset", "said"),
    [("pytorch", "in layer 2's parameters only"), ("ng-ml-2011", "in Theta2 only")],
)
def test_a_factor_of_one_layer(preset: str, said: str) -> None:
    network, params, X, Y = net((5, 4, 6, 3), convention=preset)
    wrong = {n: 12 * g if n.endswith("2") else g for n, g in network.gradient(params, X, Y).items()}
    (cause,) = diagnose(wrong, network, params, X, Y).causes
    assert cause.title == f"1/N is missing: factor N = 12, {said}"


def test_a_factor_of_all_is_not_one_of_the_only_layer() -> None:
    network, params, X, Y = net((4, 3))
    found = diagnose({n: 12 * g for n, g in network.gradient(params, X, Y).items()}, network, params, X, Y)
    assert found.headline == "1/N is missing: factor N = 12."


def test_the_data_are_called_x_in_the_first_layer_alone() -> None:
    network, params, X, Y = net((5, 4, 3))
    setting = Setting(network, params, X, Y)
    titles = {s.layer: s.title for s in catalogue(setting) if s.name == "data-reshaped" and s.scope == "C"}
    assert {k: title.split(" is ")[0] for k, title in titles.items() if k} == {1: "X", 2: "layer 2's input"}


@pytest.mark.parametrize(
    ("other", "own", "said"),
    [
        ("ng-ml-2011", "pytorch", "bias first, F order"),
        ("cs231n", "pytorch", "weights in columns"),
        ("ng-ml-2011", "cs231n-bias-trick", "weights in rows, bias first, F order"),
        ("pytorch", "pytorch", "other shapes of the bias"),
    ],
)
def test_what_a_preset_has_otherwise(other: str, own: str, said: str) -> None:
    assert _differences(convention(other), convention(own)) == said


def test_an_angle_to_what_is_zero_is_none() -> None:
    right = {"W": np.zeros(2), "b": np.array([1.0]), "c": np.array([2.0])}
    W, b, c = findings(Distances({"W": np.ones(2), "b": np.zeros(1), "c": -right["c"]}, right))
    assert (W.cosine, W.ratio) == (None, None)
    assert (b.cosine, b.ratio) == (None, 0.0)
    assert (c.cosine, c.ratio) == (-1.0, 1.0)


# --- examples ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("c", "how"), [(0.0, "left out"), (1.7, "weighted wrongly")])
def test_half_of_the_examples_are_not_all_of_them(c: float, how: str) -> None:
    network, params, X, Y = net((8, 6, 3), 6)
    weights = np.array([1, c, 1, c, c, 1])
    delta = Setting(network, params, X, Y).right.delta * weights[:, None]
    (cause,) = diagnose(Setting(network, params, X, Y).right.with_delta(delta).gradient(), network, params, X, Y).causes
    assert cause.title == f"3 examples are {how}"
    assert cause.evidence.startswith(f"example 1 has weight {c:g}, example 3 has weight {c:g}, example 4 has")
    assert "-0" not in cause.evidence.split(";")[0]


@pytest.mark.parametrize("wrong", [[3], [2, 5], [1, 2, 5]])
def test_labels_of_one_output(wrong: list[int]) -> None:
    rng = np.random.default_rng(4)
    network = Network.dense((6, 5, 1), loss="binary_cross_entropy", convention="pytorch")
    params = {n: rng.normal(size=p.shape) for n, p in network.init(rng).items()}
    X, Y = rng.normal(size=(8, 6)), (np.arange(8) % 3 == 0).astype(float)[:, None]
    other = Y.copy()
    other[wrong] = 1 - other[wrong]
    (cause,) = diagnose(network.gradient(params, X, other), network, params, X, Y).causes
    own, now = int(Y[wrong[0], 0]), int(other[wrong[0], 0])
    if len(wrong) == 1:
        assert cause.title == f"example 3 has the label {now}, where {own} is right"
    else:
        assert cause.title == f"{len(wrong)} labels are wrong"
        assert cause.evidence.startswith(f"example {wrong[0]} has {now}, where {own} is right")


def test_weights_of_examples_in_columns() -> None:
    network, params, X, Y = net((8, 6, 3), 6, convention="ng-dlai")
    setting = Setting(network, params, X, Y)
    weights = np.array([1, 1, 0, 1, 0, 1])
    found = diagnose(setting.right.with_delta(setting.right.delta * weights).gradient(), network, params, X, Y)
    assert found.headline == "2 examples are left out."


def test_the_square_of_the_weights_leaves_the_bias_alone() -> None:
    network, params, X, Y = net((5, 4, 3), convention="ng-ml-2011", l2=0.3)
    setting = Setting(network, params, X, Y)
    (square,) = (s for s in catalogue(setting) if s.name == "regulariser-of-square")
    wrong = square.edit(setting.right).gradient()
    for layer in setting.layers:
        np.testing.assert_array_equal(layer.bias_of(wrong), layer.bias_of(setting.gradient))
        assert not np.allclose(layer.weights_of(wrong), layer.weights_of(setting.gradient))


def test_margins_for_indicators_are_a_usual_slip() -> None:
    rng = np.random.default_rng(0)
    network = Network.dense((4, 3, 3), loss="multiclass_hinge", convention="cs231n")
    setting = Setting(network, network.init(rng), rng.normal(size=(6, 4)), np.arange(6) % 3)
    ranks = {s.name: s.rank for s in catalogue(setting) if "margin" in s.name}
    assert ranks["margins-for-indicators"] == 0
