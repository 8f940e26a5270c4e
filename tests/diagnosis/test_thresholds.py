"""Where the diagnosis decides: each threshold, a little below and a little above it."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians import Network
from jacobians.diagnosis import Diagnosis, diagnose
from jacobians.diagnosis.distances import Distances, findings
from jacobians.diagnosis.fitting_examples import too_large
from jacobians.diagnosis.fitting_lines import listed, plain, said
from jacobians.diagnosis.search import Explanation, _usual, search
from jacobians.diagnosis.slip import Backward, Setting, Slip
from jacobians.diagnosis.slips import catalogue
from jacobians.diagnosis.telling_apart import _differ


def net(sizes=(5, 4, 3), count=12, *, seed=0, convention="pytorch", loss="cross_entropy", activation="tanh", l2=0.0):
    rng = np.random.default_rng([seed, count])
    network = Network.dense(sizes, activation=activation, loss=loss, convention=convention, l2=l2)
    params = {n: rng.normal(size=p.shape) for n, p in network.init(rng).items()}
    X = rng.normal(size=(count, sizes[0]))
    Y = rng.normal(size=(count, sizes[-1])) if loss == "squared_error" else np.arange(count) % sizes[-1]
    return network, params, X, Y


def told(change, *args, **kwargs) -> Diagnosis:
    """The diagnosis of the right gradient after a change in place."""
    network, params, X, Y = net(*args, **kwargs)
    wrong = network.gradient(params, X, Y)
    change(wrong)
    return diagnose(wrong, network, params, X, Y)


def exact(found: Diagnosis) -> list[str]:
    return [cause.name for cause in found.causes if cause.exact]


def slip(name="one", *, family="scale", rank=0, layer=None, scope="") -> Slip:
    return Slip(name, family, name, "Mend.", lambda right: right, layer, scope, rank)


def near(residual: float, *, exact=False, **of) -> Explanation:
    return Explanation((slip(**of),), {"W": residual}, residual, exact)


# --- distances -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("error", "right"), [(0.9e-10, True), (1.1e-10, False)])
def test_what_is_right(error: float, right: bool) -> None:
    one = {"W": np.array([3.0, 4.0]), "b": np.array([1.0])}
    off = {"W": one["W"] + [5 * error, 0.0], "b": one["b"]}
    found = Distances(off, one)
    assert (found.is_right("W"), found.is_right("b"), found.all_right) == (right, True, right)
    assert found.start["W"] == pytest.approx(error, rel=1e-4)


def test_a_gradient_that_is_nothing_has_a_scale_of_its_neighbours() -> None:
    right = {"W": np.array([1.0]), "b": np.array([0.0])}
    assert Distances({"W": right["W"], "b": np.array([0.9e-20])}, right).is_right("b")
    assert not Distances({"W": right["W"], "b": np.array([1.1e-20])}, right).is_right("b")
    nothing = {"W": np.zeros(2)}
    assert Distances({"W": np.array([0.9e-10, 0.0])}, nothing).all_right
    assert not Distances({"W": np.array([1.1e-10, 0.0])}, nothing).all_right


@pytest.mark.parametrize(("left", "explains"), [(0.9e-9, True), (1.1e-9, False)])
def test_what_explains(left: float, explains: bool) -> None:
    right, given = {"W": np.array([1.0, 0.0])}, {"W": np.array([-1.0, 0.0])}
    distances = Distances(given, right)
    assert distances.explains(distances.to({"W": given["W"] + [0.0, left]})) == explains


@pytest.mark.parametrize(("share", "explains"), [(0.9e-2, True), (1.1e-2, False)])
def test_a_small_error_is_explained_by_what_leaves_a_hundredth(share: float, explains: bool) -> None:
    right, given = {"W": np.array([1.0, 0.0])}, {"W": np.array([1.0, 5e-10])}
    distances = Distances(given, right)
    candidate = {"W": given["W"] + [0.0, share * 5e-10]}
    assert distances.residual(distances.to(candidate)) == pytest.approx(share, rel=1e-3)
    assert distances.explains(distances.to(candidate)) == explains


def test_findings_of_what_is_zero_or_came_otherwise() -> None:
    right = {"W": np.array([1.0, 0.0]), "b": np.array([0.0]), "c": np.array([2.0])}
    given = {"W": np.array([0.0, 2.0]), "b": np.array([0.0]), "c": np.array([2.0])}
    W, b, c = findings(Distances(given, right), {"c": "transposed"})
    assert (W.error, W.ratio, W.cosine, W.right, W.came) == (pytest.approx(5**0.5 / 2), 2.0, 0.0, False, "")
    assert (b.ratio, b.cosine, b.right, b.fits) == (None, None, True, True)
    assert (c.right, c.fits, c.came) == (False, True, "transposed")


def test_entries_that_are_not_finite_are_left_out() -> None:
    found = Distances({"W": np.array([np.nan, 1.0])}, {"W": np.array([5.0, 1.0])})
    assert found.all_right
    assert found.to({"W": np.array([9.0, np.inf])}) == {"W": np.inf}


# --- the order of causes -------------------------------------------------------------------------


def test_the_usual_ones_by_rank_and_fitted_ones_alone() -> None:
    by_rank = [near(0, exact=True, name=str(r), rank=r) for r in (2, 1, 0, 1)]
    assert [e.slips[0].name for e in _usual(by_rank)] == ["0", "1", "1"]
    fitted = [near(0, exact=True, name=str(r), rank=r) for r in (3, 2, 3)]
    assert [e.slips[0].name for e in _usual(fitted)] == ["2"]
    assert _usual([near(0.1)]) == []
    assert near(0, exact=True, rank=1).is_usual
    assert not near(0, exact=True, rank=2).is_usual


@pytest.mark.parametrize(("angle", "named"), [(0.69, True), (0.71, False)])
def test_the_nearest_cause_is_named_up_to_seven_tenths(angle: float, named: bool) -> None:
    # W2 is twice the right one, and so much more beside it
    def change(grads):
        g = grads["W2"]
        beside = np.random.default_rng(5).normal(size=g.shape)
        beside -= np.vdot(beside, g) / np.vdot(g, g) * g
        beside /= np.linalg.norm(beside)
        g += np.linalg.norm(g) * (np.sqrt(1 - angle**2) * g / np.linalg.norm(g) + angle * beside)

    found = told(change)
    assert found.verdict == "unexplained"
    nearest = [c for c in found.causes if c.name == "constant-ratio" and "W2" in c.title]
    assert bool(nearest) == named
    if named:
        assert nearest[0].residual == pytest.approx(angle, abs=1e-3)
        assert "it leaves" in found.headline
        assert " % of the difference." in found.headline
    assert len(found.causes) <= 3
    assert all("it is off by" in c.evidence or "ratio" in c.evidence for c in found.causes)
    assert sorted(found.causes, key=lambda c: c.residual) == list(found.causes)


def test_no_cause_near_is_said() -> None:
    def change(grads):
        rng = np.random.default_rng(1)
        for g in grads.values():
            g += 3 * np.abs(g).max() * rng.normal(size=g.shape)

    found = told(change)
    assert found.verdict == "unexplained"
    assert all(cause.residual < 0.7 for cause in found.causes)


def test_a_fit_of_many_numbers_is_not_named_as_near() -> None:
    def change(grads):
        rng = np.random.default_rng(2)
        for g in grads.values():
            g *= 1 + 0.05 * rng.normal(size=g.shape)

    names = {cause.name for cause in told(change, (5, 4, 3), 6).causes}
    assert not names & {"class-weights", "one-wrong-delta", "example-weights", "wrong-labels"}


def test_a_factor_beside_another_slip_is_named_by_its_own_name() -> None:
    network, params, X, Y = net()
    setting = Setting(network, params, X, Y)
    missing = next(m for m in catalogue(setting) if m.name == "missing-activation-derivative")
    wrong = missing.edit(setting.right).gradient()
    for c, name in ((12.0, "missing-1/N"), (-1.0, "sign"), (1.7, "constant-ratio")):
        found = diagnose({n: c * g for n, g in wrong.items()}, network, params, X, Y)
        assert exact(found) == [name, "missing-activation-derivative"]
        assert found.verdict == "explained"


def test_several_pairs_are_no_certainty() -> None:
    network, params, X, Y = net((4, 3, 3), 2)
    wrong = network.gradient(params, X, Y)
    wrong["b1"] = wrong["b1"] / 2  # of two examples, averaged and halved are one
    wrong["W2"] = -wrong["W2"]
    found = diagnose(wrong, network, params, X, Y)
    assert found.verdict == "ambiguous"
    assert found.pairs > 1
    assert f"{found.pairs} pairs of causes" in str(found)
    assert len(found.causes) == 2
    assert "tried tells them apart" not in str(found)
    assert found.to_dict()["pairs"] == found.pairs


def test_slips_that_change_nothing_are_counted_and_not_named() -> None:
    network, params, X, Y = net((5, 4, 3), 1)
    setting = Setting(network, params, X, Y)
    wrong = {n: 3 * g for n, g in setting.gradient.items()}
    found = search(setting, Distances(wrong, setting.gradient))
    assert found.tried > 250
    assert all(e.exact for e in found.explanations)


# --- telling apart -------------------------------------------------------------------------------


def test_what_tells_two_slips_apart() -> None:
    one = {"W": np.array([1.0, 0.0])}
    assert not _differ(None, None)
    assert _differ(one, None)
    assert _differ(None, one)
    assert not _differ(one, {"W": np.array([1 + 0.9e-6, 0.9e-9])})
    assert _differ(one, {"W": np.array([1 + 1.1e-6, 0.0])})
    assert _differ(one, {"W": np.array([1.0, 1.1e-9])})


# --- lines and entries ---------------------------------------------------------------------------


def test_plain_factors() -> None:
    assert [plain(c) for c in (0.9e-6, 1.1e-6, 2 - 0.9e-6, 2 + 1.1e-6, -1.0, 0.5)] == [
        0,
        1.1e-6,
        2,
        2 + 1.1e-6,
        -1,
        0.5,
    ]
    assert [said(c) for c in (0.0, 2.0, -1.0, 0.5, 1.25)] == [
        "zero",
        "doubled",
        "negated",
        "halved",
        "1.25 times what is right",
    ]
    assert listed("row", [3]) == "row 3"
    assert listed("row", [3, 5, 8]) == "rows 3, 5 and 8"
    assert listed("row", range(5)) == "rows 0, 1, 2, 3 and 4"
    assert listed("row", range(7)) == "rows 0, 1, 2, 3, 4, and 2 more"


@pytest.mark.parametrize(("c", "word"), [(0.0, "zero"), (2.0, "doubled"), (-1.0, "negated"), (0.5, "halved")])
@pytest.mark.parametrize("axis", [0, 1])
def test_a_row_or_a_column(axis: int, c: float, word: str) -> None:
    def change(grads):
        np.moveaxis(grads["W1"], axis, 0)[2] *= c

    found = told(change, (5, 6, 3))
    assert exact(found) == ["line-scaled"]
    assert found.headline == f"{('Row', 'Column')[axis]} 2 of the gradient with respect to W1 is {word}."


def test_half_of_the_rows_and_no_more() -> None:
    for rows, named in ((3, True), (4, False)):
        found = told(lambda grads, rows=rows: grads["W1"].__setitem__(slice(rows), 2 * grads["W1"][:rows]), (5, 6, 3))
        assert (exact(found) == ["line-scaled"]) == named


def test_another_factor_of_a_row_is_read_off_and_is_one_for_all() -> None:
    def change(grads, second=1.3):
        grads["W1"][1] *= 1.3
        grads["W1"][4] *= second

    found = told(change, (5, 6, 3))
    assert found.headline == "Rows 1 and 4 of the gradient with respect to W1 are 1.3 times what is right."
    assert exact(told(lambda grads: change(grads, 1.31), (5, 6, 3))) == []


def test_a_row_before_the_regulariser_was_added() -> None:
    network, params, X, Y = net((5, 6, 3), convention="cs231n", l2=0.3)
    wrong = network.gradient(params, X, Y)
    share = 0.3 * params["W1"][2]
    wrong["W1"][2] = 2 * (wrong["W1"][2] - share) + share
    found = diagnose(wrong, network, params, X, Y)
    assert exact(found) == ["line-scaled"]
    assert found.headline.endswith("is doubled, before the regulariser was added.")


@pytest.mark.parametrize("back", [False, True])
@pytest.mark.parametrize("c", [0.0, 2.0, -1.0])
def test_a_unit(c: float, back: bool) -> None:
    network, params, X, Y = net((5, 6, 4, 3))
    setting = Setting(network, params, X, Y)
    scale = np.ones(4)
    scale[1] = c
    wrong = setting.gradient
    if back:
        pull = setting.right.flow[3]
        wrong = setting.right.with_flow({3: lambda cotangent: pull(cotangent) * scale}).gradient()
    else:
        wrong = {**wrong, "W2": wrong["W2"] * scale[:, None], "b2": wrong["b2"] * scale}
    found = diagnose(wrong, network, params, X, Y)
    assert exact(found) == ["unit-scaled"]
    assert ("all that is before it" in found.headline) == back
    assert "unit 1 of layer 2" in found.headline


@pytest.mark.parametrize(("count", "named"), [(2, True), (3, False)])
def test_one_entry_of_fifty(count: int, named: bool) -> None:
    # 128 parameters: two entries are fewer than a fiftieth
    def change(grads):
        grads["W1"][[0, 1, 3][:count], [2, 0, 4][:count]] += [0.1, 0.2, 0.3][:count]

    found = told(change, (9, 9, 3))
    assert sum(p.size for p in net((9, 9, 3))[1].values()) // 50 == 2
    assert (exact(found) == ["entries-wrong"]) == named
    if named:
        assert found.headline == "2 entries are wrong, all others right."


def test_twenty_entries_and_no_more() -> None:
    for count in (20, 21):
        found = told(lambda grads, count=count: grads["W1"].flat.__setitem__(np.arange(count) * 37, 7.0), (40, 30, 3))
        assert (exact(found) == ["entries-wrong"]) == (count == 20)


@pytest.mark.parametrize(("c", "word"), [(0.0, "zero"), (2.0, "doubled"), (-1.0, "negated"), (1.3, "wrong")])
def test_an_entry_is_called_what_it_is(c: float, word: str) -> None:
    found = told(lambda grads: grads["W1"].__setitem__((1, 2), c * grads["W1"][1, 2]))
    assert found.headline == f"One entry is {word}, all others right."
    assert exact(found) == ["entries-zero" if c == 0 else "entries-wrong"]


def test_rows_in_another_order_up_to_four_hundred() -> None:
    for rows in (400, 401):
        found = told(lambda grads: grads["W1"].__setitem__([0, 7], grads["W1"][[7, 0]]), (3, rows, 2), 4)
        assert (exact(found) == ["lines-permuted"]) == (rows == 400)


# --- one number ----------------------------------------------------------------------------------


def test_one_number_explains_no_other() -> None:
    # a layer of one unit has a bias of one number
    assert exact(told(lambda grads: grads["b1"].__imul__(1.37), (5, 1, 3))) != ["constant-ratio"]
    assert exact(told(lambda grads: grads["b1"].__imul__(1.37), (5, 2, 3))) == ["constant-ratio"]


@pytest.mark.parametrize(("off", "named"), [(0.9e-9, True), (1.1e-9, False)])
def test_a_norm_of_two_digits(off: float, named: bool) -> None:
    def change(grads):
        norm = np.sqrt(sum(np.vdot(g, g) for g in grads.values()))
        for g in grads.values():
            g *= 0.25 * (1 + off) / norm

    assert exact(told(change))[0] == ("norm-clipped" if named else "constant-ratio")


def test_a_threshold_that_cuts_and_one_that_does_not() -> None:
    def change(grads, bound=0.02):
        for name in grads:
            grads[name] = np.clip(grads[name], -bound, bound)

    assert exact(told(change)) == ["clipped"]
    assert told(lambda grads: change(grads, 50.0)).right


def test_the_regulariser_needs_two_weights() -> None:
    network, params, X, Y = net((5, 4, 3), convention="pytorch")
    for names in (["W1", "W2"], ["W2"]):
        wrong = network.gradient(params, X, Y)
        for name in names:
            wrong[name] = wrong[name] + 0.37 * params[name]
        found = diagnose(wrong, network, params, X, Y)
        assert exact(found) == ["regulariser-coefficient"]
        assert "0.37·W, where 0·W is right" in found.causes[0].evidence
    params["W2"][...] = 0
    params["W2"][1, 2] = 1.5
    wrong = network.gradient(params, X, Y)
    wrong["W2"] = wrong["W2"] + 0.37 * params["W2"]
    assert "regulariser-coefficient" not in exact(diagnose(wrong, network, params, X, Y))


# --- examples ------------------------------------------------------------------------------------


def of_delta(change, *args, **kwargs):
    """The diagnosis of the gradient of another δ; rows are examples."""
    network, params, X, Y = net(*args, **kwargs)
    setting = Setting(network, params, X, Y)
    wrong = setting.right.with_delta(change(setting.right.delta.copy())).gradient()
    return diagnose(wrong, network, params, X, Y)


def weighted(weights):
    return lambda delta: delta * np.asarray(weights)[:, None]


def test_each_example_has_a_weight_of_its_own_only_where_weights_are_not_all_there_is() -> None:
    weights = np.linspace(0.5, 1.7, 12)
    found = of_delta(weighted(weights))
    assert exact(found) == ["example-weights"]
    assert found.headline == "The examples have weights of their own."
    # of two classes, weights of the examples make any δ
    assert of_delta(weighted(weights), (8, 6, 2)).verdict == "unexplained"


@pytest.mark.parametrize("sizes", [(8, 6, 2), (5, 4, 3)])
def test_a_weight_that_some_examples_share(sizes: tuple[int, ...]) -> None:
    weights = np.ones(12)
    weights[[1, 4, 5]] = 1.7
    found = of_delta(weighted(weights), sizes)
    assert exact(found) == ["example-weights"]
    assert found.headline == "3 examples are weighted wrongly."
    assert "example 1 has weight 1.7, example 4 has weight 1.7" in found.causes[0].evidence
    weights[[1, 4, 5]] = 0
    found = of_delta(weighted(weights), sizes)
    assert (exact(found), found.headline) == (["examples-dropped"], "3 examples are left out.")


def test_one_example_of_two_classes() -> None:
    for c, names in ((0.0, "examples-dropped"), (2.0, "example-scaled"), (-1.0, "example-scaled")):
        weights = np.ones(12)
        weights[3] = c
        assert exact(of_delta(weighted(weights), (8, 6, 2))) == [names]
    weights[3] = 1.7
    found = of_delta(weighted(weights), (8, 6, 2))
    assert exact(found) == ["one-wrong-delta"]
    assert found.headline == "The derivative of the loss of example 3 alone is wrong."


@pytest.mark.parametrize("outputs", [2, 3])
@pytest.mark.parametrize(("t", "named"), [(1.0, True), (1.5, False), (0.5, False), (-1.0, False)])
def test_a_wrong_label_moves_one_whole_count(outputs: int, t: float, named: bool) -> None:
    Y = np.arange(12) % outputs

    def change(delta):
        # y − y′ for another label, times t, with the mean's 1/N
        delta[4, Y[4]] += t / 12
        delta[4, (Y[4] + 1) % outputs] -= t / 12
        return delta

    found = of_delta(change, (8, 6, outputs))
    assert (exact(found) == ["one-wrong-label"]) == named
    assert exact(found)[0] in ("one-wrong-label", "one-wrong-delta")
    if named:
        assert found.headline == f"Example 4 has the label {(Y[4] + 1) % outputs}, where {Y[4]} is right."


def test_of_equal_examples_none_is_named() -> None:
    network, params, X, Y = net()
    for equal, verdict in ((False, "explained"), (True, "unexplained")):
        X[7] = X[3] if equal else X[7]
        setting = Setting(network, params, X, Y)
        delta = setting.right.delta.copy()
        delta[3] += [0.1, 0.2, -0.4]
        wrong = setting.right.with_delta(delta).gradient()
        found = diagnose(wrong, network, params, X, Y)
        assert found.verdict == verdict
        assert (exact(found) == ["one-wrong-delta"]) == (not equal)


def test_class_weights_say_whether_they_are_normalised() -> None:
    Y = np.arange(12) % 3
    counts = np.bincount(Y)
    for scale, said_so in ((1.0, False), (1.1, True)):
        weights = np.array([0.5, 1.2, 1.6])
        weights *= scale * 12 / (weights * counts).sum()
        found = of_delta(weighted(weights[Y]))
        assert exact(found) == ["class-weights"]
        assert ("not normalised: their mean over the batch is 1.1" in found.headline) == said_so


def test_a_class_of_one_example_is_that_example() -> None:
    network, params, X, _ = net((8, 6, 3), 9)
    Y = np.array([0, 0, 0, 0, 1, 1, 1, 1, 2])
    for labels, name in ((Y, "example-scaled"), (np.where(Y == 1, 2, Y), "class-weights")):
        setting = Setting(network, params, X, labels)
        weights = np.where(labels == 2, 2.0, 1.0)
        wrong = setting.right.with_delta(setting.right.delta * weights[:, None]).gradient()
        assert exact(diagnose(wrong, network, params, X, labels))[0] == name


@pytest.mark.parametrize("sizes", [(8, 6, 2), (8, 6, 3)])
@pytest.mark.parametrize("epsilon", [0.1, 0.3])
def test_smoothed_labels(sizes: tuple[int, ...], epsilon: float) -> None:
    network, params, X, Y = net(sizes)
    soft = (1 - epsilon) * np.eye(sizes[-1])[Y] + epsilon / sizes[-1]
    found = diagnose(network.gradient(params, X, soft), network, params, X, Y)
    assert exact(found) == ["labels-smoothed"]
    assert found.headline == f"The labels are smoothed (ε = {epsilon:g})."
    K = sizes[-1]
    shares = f"every target is {1 - epsilon:.8g} of itself and {epsilon / K:.8g} more"
    by_others = f"or {epsilon * (K - 1) / K:.6g} by the others; "
    assert found.causes[0].evidence.startswith(shares)
    assert by_others in found.causes[0].evidence


@pytest.mark.parametrize("divided", [False, True])
@pytest.mark.parametrize("heat", [0.25, 0.9, 4.0])
@pytest.mark.parametrize("sizes", [(8, 6, 2), (8, 6, 3)])
def test_a_temperature(sizes: tuple[int, ...], heat: float, divided: bool) -> None:
    network, params, X, Y = net(sizes)
    setting = Setting(network, params, X, Y)
    e = np.exp(setting.output / heat)
    delta = (e / e.sum(axis=1, keepdims=True) - np.eye(sizes[-1])[Y]) / 12 / (heat if divided else 1)
    found = diagnose(setting.right.with_delta(delta).gradient(), network, params, X, Y)
    assert exact(found) == ["temperature"]
    assert f"a temperature of {heat:g} before the softmax" in found.headline
    assert found.headline.endswith("and δ too.") == divided


@pytest.mark.parametrize("outputs", [2, 3])
def test_shuffled_labels(outputs: int) -> None:
    network, params, X, Y = net((8, 6, outputs))
    shuffled = Y[np.random.default_rng(3).permutation(12)]
    found = diagnose(network.gradient(params, X, shuffled), network, params, X, Y)
    assert exact(found) == ["labels-permuted"]
    other = Y.copy()
    other[[2, 7, 8]] = (other[[2, 7, 8]] + 1) % outputs
    found = diagnose(network.gradient(params, X, other), network, params, X, Y)
    assert found.headline in ("3 labels are wrong.", "The labels are in another order than the examples.")
    assert f"example 2 has {other[2]}, where {Y[2]} is right" in found.causes[0].evidence


def test_two_labels_where_the_gradient_has_fewer_numbers_than_labels() -> None:
    network, params, X, Y = net((3, 2, 6), 20)
    assert sum(p.size for p in params.values()) < 20 * 5
    other = Y.copy()
    other[[4, 9]] = (other[[4, 9]] + 2) % 6
    assert exact(diagnose(network.gradient(params, X, other), network, params, X, Y)) == ["wrong-labels"]
    other[[11]] = (other[[11]] + 2) % 6
    assert diagnose(network.gradient(params, X, other), network, params, X, Y).verdict == "unexplained"


@pytest.mark.parametrize("loss", ["focal", "noise", "clipped", "exponential"])
@pytest.mark.parametrize("sizes", [(8, 6, 2), (8, 6, 3), (8, 1, 2)])
def test_another_loss_is_unknown(sizes: tuple[int, ...], loss: str) -> None:
    def change(delta):
        network, params, X, Y = net(sizes)
        z = Setting(network, params, X, Y).output
        p = np.exp(z - z.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        own = p[np.arange(12), Y][:, None]
        rng = np.random.default_rng(0)
        return {
            "focal": delta * ((1 - own) ** 2 - 2 * own * (1 - own) * np.log(own)),
            "noise": delta * (1 + 0.1 * rng.normal(size=delta.shape)),
            "clipped": np.clip(delta, -0.4 / 12, 0.4 / 12),
            "exponential": np.sinh(3 * delta),
        }[loss]

    found = of_delta(change, sizes)
    assert exact(found) in ([], ["example-weights"]) if sizes[-1] > 2 else exact(found) == [], found.headline


def test_an_example_in_one_layer() -> None:
    network, params, X, Y = net((5, 6, 4, 3))
    setting = Setting(network, params, X, Y)
    delta, A = setting.right.cotangents()[2], setting.input_of(2)
    for c, word in ((0.0, "left out"), (2.0, "counted twice"), (-1.0, "negated")):
        wrong = dict(setting.gradient)
        wrong["W2"] = wrong["W2"] + (c - 1) * np.outer(delta[7], A[7])
        found = diagnose(wrong, network, params, X, Y)
        assert found.headline == f"Example 7 is {word} in the gradient with respect to W2."
        wrong["b2"] = wrong["b2"] + (c - 1) * delta[7]
        found = diagnose(wrong, network, params, X, Y)
        assert found.headline == f"Example 7 is {word} in the gradient with respect to W2 and b2."
    wrong["W2"] = setting.gradient["W2"] + 0.3 * np.outer(delta[7], A[7])
    wrong["b2"] = setting.gradient["b2"]
    assert "example-scaled" not in exact(diagnose(wrong, network, params, X, Y))


def test_how_large_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    network, params, X, Y = net()
    setting = Setting(network, params, X, Y)
    numbers = 12 * sum(p.size for p in params.values())
    for limit, large in ((numbers, False), (numbers - 1, True)):
        monkeypatch.setattr("jacobians.diagnosis.fitting_examples.LARGEST_STACK", limit)
        assert too_large(setting) == large


# --- the work ------------------------------------------------------------------------------------


def test_the_search_takes_as_many_products_as_there_are_slips(monkeypatch: pytest.MonkeyPatch) -> None:
    from jacobians.linops import kernels

    counted = []
    multiply = kernels._product

    def product(left, right, *rest, **named):
        counted.append(left.size * right.shape[-1])
        return multiply(left, right, *rest, **named)

    network, params, X, Y = net((80, 20, 10), 64, convention="ng-ml-2011")
    wrong = network.gradient(params, X, Y)
    wrong["Theta1"] = wrong["Theta1"] * np.random.default_rng(0).normal(size=wrong["Theta1"].shape)
    monkeypatch.setattr(kernels, "_product", product)
    monkeypatch.setattr(kernels, "_SMALL", 0)  # else small ones go another way
    assert diagnose(wrong, network, params, X, Y).verdict == "unexplained"
    # forward and back: three products a layer; one δ for every example and output goes through the last layer only
    once = 3 * 64 * (81 * 20 + 21 * 10)
    assert 20 * once < sum(counted) < 200 * once


def test_gradients_of_some_parameters_alone() -> None:
    network, params, X, Y = net((5, 6, 4, 3))
    setting = Setting(network, params, X, Y)
    right: Backward = setting.right
    assert list(right.data_of(["W3", "b3"])) == ["W3", "b3"]
    for names in (["W3"], ["W2", "b3"], ["W1"]):
        pulled: list[int] = []

        def watched(i: int, pulled: list[int] = pulled):
            return lambda cotangent: pulled.append(i) or setting.right.flow[i](cotangent)

        slow = right.with_flow({i: watched(i) for i in range(5)})
        found = slow.data_of(names)
        assert min(pulled, default=9) > min(right.owner[n] for n in names)
        for name in names:
            np.testing.assert_array_equal(found[name], setting.gradient[name])


# --- what is not finite, and what is narrow ------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "names", "said"),
    [
        (35.9, ["not-finite"], ""),
        (36.1, ["log-zero"], ""),
        (87.0, ["log-zero"], ""),
        (89.0, ["exp-overflow", "log-zero"], "overflows in float32"),
        (708.0, ["exp-overflow", "log-zero"], "overflows in float32"),
        (710.0, ["exp-overflow", "log-zero"], "overflows in float64"),
    ],
)
def test_outputs_that_can_have_overflowed(size: float, names: list[str], said: str) -> None:
    network, params, X, Y = net()
    params["W2"][...] = 0
    params["b2"][...] = [size, 0.0, 0.0]
    found = diagnose({n: np.full(p.shape, np.nan) for n, p in params.items()}, network, params, X, Y)
    assert [cause.name for cause in found.causes] == names
    assert said in found.causes[0].title


@pytest.mark.parametrize(("error", "right"), [(3.5e-6, True), (4.5e-6, False)])
def test_what_float32_can_tell(error: float, right: bool) -> None:
    network, params, X, Y = net()
    narrow = {n: p.astype(np.float32) for n, p in params.items()}
    wrong = {n: (g * (1 + error)).astype(np.float32) for n, g in network.gradient(narrow, X, Y).items()}
    assert diagnose(wrong, network, narrow, X, Y).right == right


def test_two_slips_are_sought_as_far_as_the_work_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    def change(grads):
        grads["W1"] *= -1
        grads["b2"] /= 12

    assert exact(told(change)) in (["bias-averaged", "sign"], ["sign", "bias-averaged"])
    monkeypatch.setattr("jacobians.diagnosis.search._PAIR_WORK", 0.0)
    assert told(change).verdict == "unexplained"
