"""What a diagnosis says beside a cause: layouts, ambiguity, shapes, precision, lost entries, and its texts."""

from __future__ import annotations

import doctest
import importlib
import json
from html.parser import HTMLParser

import numpy as np
import pytest

from jacobians import Network, convention, translate_gradients, translate_packed
from jacobians.diagnosis import diagnose
from jacobians.diagnosis.slip import Setting
from jacobians.diagnosis.slips import FAMILIES, catalogue
from jacobians.errors import DomainError, DTypeError, ShapeError
from jacobians.linops import Diagonal
from jacobians.operations import Affine, CrossEntropy, Elementwise, Residual, Tanh, Unary
from tests.checking.wrong_backprop import backprop
from tests.diagnosis.cases import laid_out, make


@pytest.fixture
def case():
    return make("cs231n", (5, 4, 3), "sigmoid", seed=0)


# --- layouts -------------------------------------------------------------------------------------


@pytest.mark.parametrize("other", ["ng-ml-2011", "pytorch", "ng-dlai", "row-order", "cs231n-bias-trick"])
def test_another_presets_layout(case, other: str) -> None:
    network, params, X, Y, _ = case
    moved = translate_gradients(network.gradient(params, X, Y), "cs231n", other)
    found = diagnose(moved, network, params, X, Y)
    assert [c.name for c in found.causes] == ["other-layout"]
    assert "translate_gradients(gradient, '" in found.causes[0].mend
    negated = diagnose({n: -g for n, g in moved.items()}, network, params, X, Y)
    assert [c.name for c in negated.causes] == ["other-layout", "sign"]


@pytest.mark.parametrize("other", ["ng-ml-2011", "pytorch", "sklearn-mlp"])
def test_another_presets_packing(case, other: str) -> None:
    network, params, X, Y, _ = case
    packed = translate_packed(network.pack(network.gradient(params, X, Y)), (5, 4, 3), "cs231n", other)
    found = diagnose(packed, network, params, X, Y)
    assert found.causes[0].name == "other-layout"
    assert other in found.causes[0].title
    assert "translate_packed" in found.causes[0].mend


def test_the_table_says_of_a_transposed_gradient_that_it_is_wrong(case) -> None:
    network, params, X, Y, _ = case
    right = network.gradient(params, X, Y)
    found = diagnose({**right, "W1": right["W1"].T}, network, params, X, Y)
    assert found.headline == "The gradient with respect to W1 is transposed."
    assert "   W1  wrong  transposed, and right but for that\n   b1  right\n" in str(found)
    assert "<td>wrong: transposed</td>" in found._repr_html_()
    assert [p.right for p in found.parameters] == [False, True, True, True]
    found = diagnose({**right, "W1": -right["W1"].T}, network, params, X, Y)
    assert "   W1  wrong  error 2.00e+00" in str(found)
    moved = diagnose(translate_gradients(right, "cs231n", "pytorch"), network, params, X, Y)
    assert "   W1  wrong  in another layout, and right but for that\n   b1  right\n" in str(moved)


def test_vec_order_of_a_packed_vector() -> None:
    network, params, X, Y, _ = make("ng-ml-2011", (5, 4, 3), "sigmoid", seed=1)
    right = network.gradient(params, X, Y)
    rows = np.concatenate([right["Theta1"].ravel(), right["Theta2"].ravel()])
    names = [c.name for c in diagnose(rows, network, params, X, Y).causes]
    assert names[0] in ("other-layout", "packing-vec-order", "f-order-unpack")
    swapped = np.concatenate([right["Theta2"].ravel("F"), right["Theta1"].ravel("F")])
    assert diagnose(swapped, network, params, X, Y).causes[0].name == "block-order"


def test_a_transposed_gradient(case) -> None:
    network, params, X, Y, _ = case
    right = network.gradient(params, X, Y)
    found = diagnose({**right, "W1": right["W1"].T}, network, params, X, Y)
    assert found.headline == "The gradient with respect to W1 is transposed."
    wrong = diagnose({**right, "W1": right["W1"].T.reshape(5, 4)}, network, params, X, Y)
    assert wrong.causes[0].name == "reshape-for-transpose"


# --- what data cannot show -----------------------------------------------------------------------


def test_square_shapes_hide_a_transpose() -> None:
    network, params, X, Y, _ = make("cs231n", (4, 4, 4), "sigmoid", seed=2)
    right = network.gradient(params, X, Y)
    found = diagnose({**right, "W1": right["W1"].T}, network, params, X, Y)
    assert found.verdict == "ambiguous"
    assert {c.name for c in found.causes} == {"transposed", "reshape-for-transpose", "f-order-unpack"}
    assert found.causes[0].name == "transposed"
    assert found.separate == ("layers of different widths",)
    assert "To tell them apart: layers of different widths." in str(found)


def test_one_example_hides_its_number() -> None:
    network, params, X, Y, problem = make("cs231n", (5, 4, 3), "sigmoid", seed=3, count=1)
    right = diagnose(network.gradient(params, X, Y), network, params, X, Y)
    assert right.right
    assert any("1/N is missing" in text for text in right.hidden)
    assert any("averaged over the examples" in text for text in right.hidden)
    assert "On this data it could not be seen if" in str(right)
    halved = laid_out(network, [(dW, db * 0.5) for dW, db in backprop(problem)])
    found = diagnose(halved, network, params, X, Y)
    # N + 1 = 2: padding and a factor ½ are one on a single example
    assert found.verdict in ("ambiguous", "explained")


def test_two_examples_confuse_one_half_with_1_over_n() -> None:
    network, params, X, Y, problem = make("pytorch", (5, 4, 3), "sigmoid", seed=4, count=2, l2=0.0)
    found = diagnose(laid_out(network, backprop(problem, "1/N twice")), network, params, X, Y)
    assert found.verdict == "ambiguous"
    assert {"double-1/N", "factor-half"} <= {c.name for c in found.causes}
    assert found.separate == ("a batch of another size than 2",)


def test_zero_biases_hide_their_regulariser() -> None:
    network, params, X, Y, _ = make("cs231n", (5, 4, 3), "sigmoid", seed=5, zero_bias=True)
    assert "the bias is regularised" in diagnose(network.gradient(params, X, Y), network, params, X, Y).hidden


def test_accumulation_is_declared() -> None:
    network, params, X, Y, problem = make("pytorch", (5, 4, 3), "sigmoid", seed=6)
    found = diagnose(laid_out(network, backprop(problem, "twice")), network, params, X, Y)
    assert [c.name for c in found.causes] == ["factor-2", "accumulated"]
    assert "two calls on the same data" in found.separate[0]


# --- numbers that are no plain float64 -----------------------------------------------------------


def test_precision(case) -> None:
    network, params, X, Y, _ = case
    right = network.gradient(params, X, Y)
    for dtype in (np.float32, np.float16):
        found = diagnose({n: g.astype(dtype) for n, g in right.items()}, network, params, X, Y)
        assert [c.name for c in found.causes] == [f"result-{np.dtype(dtype).name}"]
    narrow = {n: p.astype(np.float32) for n, p in params.items()}
    gradient = network.gradient(narrow, X.astype(np.float32), Y)
    assert diagnose(gradient, network, narrow, X.astype(np.float32), Y).right
    wrong = {n: 12 * g for n, g in gradient.items()}
    assert diagnose(wrong, network, narrow, X.astype(np.float32), Y).causes[0].name == "missing-1/N"


def test_entries_that_are_not_finite(case) -> None:
    network, params, X, Y, _ = case
    right = network.gradient(params, X, Y)
    right["W1"][2, 1] = np.nan
    found = diagnose(right, network, params, X, Y)
    assert found.causes[0].family == "extremes"
    assert "W1[2, 1] (1 of 20)" in found.causes[0].evidence
    negated = diagnose({n: -g for n, g in right.items()}, network, params, X, Y)
    assert [c.name for c in negated.causes] == ["not-finite", "sign"]
    loud = {**params, "W2": params["W2"] * 2000}
    wrong = network.gradient(loud, X, Y)
    wrong["b2"][...] = np.inf
    found = diagnose(wrong, network, loud, X, Y)
    assert found.causes[0].name == "exp-overflow"
    assert "all of b2" in found.causes[0].evidence


# --- shapes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"W1": np.zeros((3, 4))}, r"W1 has shape \(3, 4\).*expects W1 \(5, 4\), b1 \(4,\)"),
        ({"W1": np.zeros((4, 5)), "W2": np.zeros((9, 9))}, "its transpose would fit"),
        ({"b1": np.zeros((12, 4))}, "one entry for each example: sum over the examples"),
        ({"b2": np.zeros((12, 12))}, r"N×N: was \(N, 1\) − \(N,\) broadcast"),
        ({"b1": np.float64(1.0)}, "one number: sum over the examples only"),
        ({"W3": np.zeros(2)}, "expects the gradients of W1, b1, W2, b2"),
    ],
)
def test_impossible_shapes(case, change, text: str) -> None:
    network, params, X, Y, _ = case
    with pytest.raises(ShapeError, match=text):
        diagnose({**network.gradient(params, X, Y), **change}, network, params, X, Y)


def test_a_node_too_many_is_delta_0() -> None:
    network, params, X, Y, _ = make("ng-ml-2011", (5, 4, 3), "sigmoid", seed=7)
    wrong = {**network.gradient(params, X, Y), "Theta1": np.zeros((5, 6))}
    with pytest.raises(ShapeError, match="one node more: is δ₀"):
        diagnose(wrong, network, params, X, Y)


def test_impossible_vectors(case) -> None:
    network, params, X, Y, _ = case
    with pytest.raises(ShapeError, match=r"packs 39 parameters .*expected \(39,\)"):
        diagnose(np.zeros(38), network, params, X, Y)
    with pytest.raises(ShapeError, match="as many as vecderivs-columns"):
        diagnose(np.zeros(32), network, params, X, Y)
    with pytest.raises(ShapeError, match="pass a dict"):
        diagnose(np.zeros((5, 4)), network, params, X, Y)
    with pytest.raises(DTypeError):
        diagnose(np.zeros(39, dtype=complex), network, params, X, Y)
    empty = Network.dense((5, 4, 3), convention=convention("cs231n").replace(reduction="sum"))
    with pytest.raises(DomainError, match="empty"):
        diagnose(np.zeros(39), empty, params, X[:0], Y[:0])


# --- other networks ------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", ["squared_error", "binary_cross_entropy", "multiclass_hinge", "logistic_loss"])
def test_other_losses(loss: str) -> None:
    rng = np.random.default_rng(0)
    outputs = 3 if loss == "multiclass_hinge" else 1
    network = Network.dense((4, 3, outputs), loss=loss, activation="tanh", convention="cs231n-bias-trick", l2=0.1)
    params, X = network.init(rng), rng.normal(size=(8, 4))
    Y = {
        "squared_error": rng.normal(size=(8, 1)),
        "binary_cross_entropy": rng.integers(0, 2, (8, 1)).astype(float),
        "multiclass_hinge": rng.integers(0, 3, 8),
        "logistic_loss": rng.choice([-1.0, 1.0], (8, 1)),
    }[loss]
    right = network.gradient(params, X, Y)
    assert diagnose(right, network, params, X, Y).right
    assert diagnose({n: -g for n, g in right.items()}, network, params, X, Y).causes[0].name == "sign"


def test_targets_broadcast() -> None:
    # (N, 1) − (N,) is N×N; its mean over the second axis has a gradient's shape
    rng = np.random.default_rng(1)
    network = Network.dense((4, 3, 1), loss="squared_error", activation="tanh", convention="pytorch")
    params, X, Y = network.init(rng), rng.normal(size=(8, 4)), rng.normal(size=(8, 1))
    A1 = np.tanh(X @ params["W1"].T + params["b1"])
    out = A1 @ params["W2"].T + params["b2"]
    delta = 2 * (out - Y.ravel()).mean(axis=1, keepdims=True) / 8
    back = (delta @ params["W2"]) * (1 - A1**2)
    wrong = {"W1": back.T @ X, "b1": back.sum(axis=0), "W2": delta.T @ A1, "b2": delta.sum(axis=0)}
    assert diagnose(wrong, network, params, X, Y).causes[0].name == "broadcast-targets"


class ThreeSlopes(Unary):
    """Takes three columns only, and says so as NumPy does."""

    def _linearize(self, *arrays):
        slopes = np.array([1.0, 2.0, 3.0]) + 0 * arrays[0]
        return arrays[0] * slopes, {"X": lambda: Diagonal(slopes)}


def test_an_operation_of_ones_own_that_knows_one_width_only() -> None:
    rng = np.random.default_rng(2)
    owner = convention("cs231n")
    operations = [Affine(owner.layout, (4, 3)), ThreeSlopes(), Affine(owner.layout, (3, 2))]
    network = Network(operations, CrossEntropy(layout=owner.layout), owner)
    params, X, Y = network.init(rng), rng.normal(size=(5, 4)), [0, 1, 1, 0, 1]
    wrong = {name: 5 * array for name, array in network.gradient(params, X, Y).items()}
    assert "1/N is missing" in [
        cause.title.partition(":")[0] for cause in diagnose(wrong, network, params, X, Y).causes
    ]


def test_a_network_with_a_residual_branch() -> None:
    rng = np.random.default_rng(2)
    owner = convention("cs231n")
    layout = owner.layout
    parts = [Affine(layout, (4, 3)), Residual(Tanh()), Affine(layout, (3, 2))]
    network = Network(parts, CrossEntropy("mean", layout), owner)
    params, X, Y = network.init(rng), rng.normal(size=(6, 4)), np.array([0, 1, 0, 1, 1, 0])
    right = network.gradient(params, X, Y)
    assert diagnose(right, network, params, X, Y).right
    assert diagnose({n: 6 * g for n, g in right.items()}, network, params, X, Y).causes[0].name == "missing-1/N"


# --- the answer itself ---------------------------------------------------------------------------


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("slip", ["", "sign", "no slope", "db averaged", "one wrong label", "l2 odd", "X reversed"])
def test_texts(case, slip: str) -> None:
    network, params, X, Y, problem = case
    found = diagnose(laid_out(network, backprop(problem, slip, 1)), network, params, X, Y)
    assert max(map(len, str(found).splitlines())) <= 80
    assert str(found).splitlines()[0].startswith(found.headline[:40])
    assert json.loads(json.dumps(found.to_dict()))["verdict"] == found.verdict
    tags = _Tags()
    tags.feed(found._repr_html_())
    assert not tags.open
    for cause in found.causes:
        assert cause.mend.endswith((".", "?"))
        assert cause.mend in " ".join(str(found).split())


def test_nothing_is_written_and_the_answer_repeats(case) -> None:
    network, params, X, Y, problem = case
    wrong = laid_out(network, backprop(problem, "no slope", 1))
    for array in [*wrong.values(), *params.values(), X, Y]:
        array.setflags(write=False)
    assert diagnose(wrong, network, params, X, Y).to_dict() == diagnose(wrong, network, params, X, Y).to_dict()


def test_every_slip_is_complete_and_unlike_the_others(case) -> None:
    network, params, X, Y, _ = case
    found = catalogue(Setting(network, params, X, Y))
    assert len(found) > 250
    assert len({m.key for m in found}) == len(found)
    assert len(FAMILIES) == 11
    for slip in found:
        assert slip.mend.endswith((".", "?")), slip.name
        assert not slip.title.endswith("."), slip.name


@pytest.mark.parametrize("start", range(4))
def test_slips_are_recognised_as_themselves(start: int) -> None:
    network, params, X, Y, _ = make("row-order", (5, 4, 3), "sigmoid", seed=8, count=9)
    setting = Setting(network, params, X, Y)
    for slip in catalogue(setting)[3 + start :: 37]:
        wrong = slip.edit(setting.right).gradient()
        found = diagnose(wrong, network, params, X, Y)
        assert slip.name in {c.name for c in found.causes} or found.right, slip.title


class _Mish(Elementwise):
    """An activation that the package does not have."""

    def _rule(self, z):
        t, s = np.tanh(np.logaddexp(0, z)), 1 / (1 + np.exp(-z))
        return z * t, lambda: t + z * s * (1 - t * t)


@pytest.mark.parametrize("name", ["ng-ml-2011", "cs231n"])
def test_an_activation_of_ones_own_has_the_slips_of_any_other(name: str) -> None:
    layout = convention(name).layout
    parts = [Affine(layout, (4, 5)), _Mish(), Affine(layout, (5, 3))]
    network = Network(parts, CrossEntropy("mean", layout), name)
    rng = np.random.default_rng(2)
    params = {n: rng.normal(size=p.shape) for n, p in network.init(rng).items()}
    X, Y = rng.normal(size=(7, 4)), np.array([0, 1, 2, 0, 1, 2, 0])
    setting = Setting(network, params, X, Y)
    found = [s for s in catalogue(setting) if s.family == "activation" or s.name == "delta-0-kept"]
    assert {s.name for s in found} >= {"missing-activation-derivative", "derivative-at-a", "other-derivative"}
    # δ₀ may be multiplied by 0, by 1 or by the activation's derivative at 1
    assert sum(s.name == "delta-0-kept" for s in found) == (4 if layout.absorbs_bias else 0)
    for slip in found:
        if slip.rank == 0 or slip.name == "delta-0-kept":
            answer = diagnose(slip.edit(setting.right).gradient(), network, params, X, Y)
            assert slip.name in {c.name for c in answer.causes}, slip.title


def test_the_other_slopes_at_a_kink() -> None:
    network = Network.dense((3, 4, 2), activation="leaky_relu", convention="cs231n")
    rng = np.random.default_rng(3)
    params, X, Y = network.init(rng), rng.normal(size=(5, 3)), np.array([0, 1, 1, 0, 1])
    params["b1"][:] = 0
    X[2] = 0
    setting = Setting(network, params, X, Y)
    kinks = {s.title: s.edit(setting.right).gradient() for s in catalogue(setting) if s.name == "kink"}
    assert list(kinks) == [f"leaky_relu′(0) is {slope}, and z = 0 occurs in layer 1" for slope in ("1", "0.505")]
    delta = setting.right.cotangents()[1]
    for slope, grads in zip((1.0, 0.505), kinks.values(), strict=True):
        Z = X @ params["W1"]
        expected = (delta * np.where(Z > 0, 1, np.where(Z < 0, 0.01, slope))).sum(axis=0)
        np.testing.assert_allclose(grads["b1"], expected, rtol=1e-12)


def test_a_batch_that_is_too_large_for_single_examples_is_said_to_be(case, monkeypatch: pytest.MonkeyPatch) -> None:
    network, params, X, Y, _ = case
    setting = Setting(network, params, X, Y)
    kept = setting.right.delta * (np.arange(12) % 5 > 0)[:, np.newaxis]
    wrong = setting.right.with_delta(kept).gradient()
    assert diagnose(wrong, network, params, X, Y).causes[0].name == "examples-dropped"
    monkeypatch.setattr("jacobians.diagnosis.fitting_examples.LARGEST_STACK", 100)
    found = diagnose(wrong, network, params, X, Y)
    assert found.verdict == "unexplained"
    assert "diagnose a gradient of a few hundred" in " ".join(str(found).split())


@pytest.mark.parametrize("module", ["jacobians.diagnosis.diagnose", "jacobians.diagnosis.slips"])
def test_examples_in_docstrings(module: str) -> None:
    result = doctest.testmod(importlib.import_module(module), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.attempted
    assert not result.failed
