"""Network: gradients in every layout and convention, packing, initial values, optimisers, penalties, errors."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from jacobians import (
    Convention,
    Layout,
    Network,
    all_conventions,
    replayed,
    translate_batch,
    translate_gradients,
    translate_parameters,
)
from jacobians.array_names import ArrayNames
from jacobians.errors import DomainError, DTypeError, LayoutError, ShapeError
from jacobians.operations import (
    ACTIVATIONS,
    Affine,
    CrossEntropy,
    Power,
    SquaredError,
    Tanh,
)
from tests.central_differences import central
from tests.network.cases import DENSE_LOSSES, LAYOUTS, assert_gradient, inputs, kink_distance, moved_from_zero, targets

PRESETS = all_conventions()
SIZES = (3, 4, 2)


# --- gradients against central differences ---------------------------------------------------------


@pytest.mark.parametrize("preset", PRESETS, ids=lambda p: p.name)
def test_gradient_in_every_preset(preset: Convention) -> None:
    net = Network.dense(SIZES, activation="tanh", convention=preset, l2=0.3 if preset.l2 else 0.0)
    params = moved_from_zero(net.init(np.random.default_rng(0)))
    X, Y = inputs(net, 5, 3), targets(net.loss.name, net.layout, 5, 2)
    assert_gradient(net, params, X, Y)
    gradient = net.gradient(params, X, Y, inputs=True)
    assert list(gradient) == [*net.shapes(), "X"]
    assert {name: g.shape for name, g in gradient.items() if name != "X"} == net.shapes()
    np.testing.assert_allclose(gradient["X"], central(lambda x: net.value(params, x, Y), X), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("loss", DENSE_LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradient_of_every_activation_and_loss(activation: str, loss: str) -> None:
    net = Network.dense(SIZES, activation=activation, loss=loss, convention="ng-ml-2011", l2=0.5)
    params = moved_from_zero(net.init(np.random.default_rng(3)))
    X, Y = inputs(net, 4, 3), targets(loss, net.layout, 4, 2)
    assert kink_distance(net.run(params, X, Y), activation, loss) > 1e-3
    assert_gradient(net, params, X, Y)


@settings(max_examples=max(150, settings().max_examples))
@given(
    layout=st.sampled_from(LAYOUTS),
    activation=st.sampled_from(list(ACTIVATIONS)),
    loss=st.sampled_from(list(DENSE_LOSSES)),
    reduction=st.sampled_from(["sum", "mean", "mean-all"]),
    penalty=st.sampled_from(["half-over-n", "half", "one"]),
    l2=st.sampled_from([0.0, 0.7]),
    l2_bias=st.booleans(),
    packing=st.sampled_from(["layers", "weights-then-biases"]),
    weight_name=st.sampled_from(["W", "Theta"]),
    sizes=st.lists(st.integers(1, 4), min_size=2, max_size=4),
    count=st.integers(1, 4),
    seed=st.integers(0, 2**16),
)
def test_gradient_in_any_convention(
    layout: Layout,
    activation: str,
    loss: str,
    reduction: str,
    penalty: str,
    l2: float,
    l2_bias: bool,
    packing: str,
    weight_name: str,
    sizes: list[int],
    count: int,
    seed: int,
) -> None:
    assume(loss != "cross_entropy" or sizes[-1] > 1)
    convention = Convention("any", layout, names=ArrayNames(weight=f"{weight_name}{{l}}")).replace(
        reduction=reduction, l2=penalty, l2_bias=l2_bias, packing=packing
    )
    net = Network.dense(sizes, activation=activation, loss=loss, convention=convention, l2=l2)
    params = moved_from_zero(net.init(np.random.default_rng(seed)), seed + 1)
    X, Y = inputs(net, count, sizes[0], seed), targets(loss, layout, count, sizes[-1], seed)
    assume(kink_distance(net.run(params, X, Y), activation, loss) > 1e-3)
    assert_gradient(net, params, X, Y)


def test_a_wrong_gradient_is_noticed() -> None:
    """What the checks above rest on can fail: a network that forgets its penalty in the gradient."""

    class Forgetful(Network):
        def is_penalised(self, name: str) -> bool:
            return False

    params = Network.dense(SIZES, l2=1.0).init(np.random.default_rng(0))
    right = Network.dense(SIZES, l2=1.0)
    X, Y = inputs(right, 4, 3), [0, 1, 1, 0]
    numeric = central(lambda t: right.value(right.unpack(t), X, Y), right.pack(params))
    wrong = right.pack(Forgetful.dense(SIZES, l2=1.0).gradient(params, X, Y))
    assert not np.allclose(wrong, numeric, rtol=1e-6, atol=1e-8)


# --- what does not change ------------------------------------------------------------------------------


def frozen_things() -> dict[str, tuple[object, str, object, str]]:
    net = Network.dense(SIZES, activation="leaky_relu", convention="ng-ml-2011", l2=0.3)
    run = net.run(net.init(np.random.default_rng(0)), inputs(net, 2, 3), [0, 1])
    affine, leaky = net.chain.parts[:2]
    return {
        "net.l2": (
            net,
            "l2",
            10,
            "Network.l2 does not change once it is set; net.replace(l2=10) returns a changed one",
        ),
        "net.convention": (net, "convention", "cs231n", "net.replace(convention='cs231n') returns a changed one"),
        "net.loss": (net, "loss", CrossEntropy(), "Network.loss does not change"),
        "net.chain": (net, "chain", None, "net.replace(…) returns a changed one"),
        "net.layout": (net, "layout", Layout(), "Network.layout does not change"),
        "net.names": (net, "names", {}, "Network.names does not change"),
        "loss.reduction": (net.loss, "reduction", "sum", "loss.replace(reduction='sum') returns a changed one"),
        "loss.layout": (net.loss, "layout", Layout(), "CrossEntropy.layout does not change"),
        "factor": (SquaredError(0.5), "factor", 1.0, "SquaredError.factor does not change"),
        "chain.parts": (net.chain, "parts", (), "Chain.parts does not change once it is set; make a new Chain"),
        "affine.layout": (affine, "layout", Layout(), "Affine.layout does not change"),
        "affine.sizes": (affine, "sizes", (1, 1), "Affine.sizes does not change"),
        "leaky.slope": (leaky, "slope", 0.5, "cannot assign to field 'slope'"),
        "power": (Power(3), "exponent", 2, "cannot assign to field 'exponent'"),
        "run.X": (run, "X", None, "Run.X does not change"),
        "run.params": (run, "params", {}, "Run.params does not change"),
        "layout.batch": (Layout(), "batch", "columns", "cannot assign to field 'batch'"),
        "convention.l2": (net.convention, "l2", "one", "cannot assign to field 'l2'"),
    }


@pytest.mark.parametrize("name", frozen_things())
def test_what_results_rest_on_does_not_change(name: str) -> None:
    """Or a recording, a run or a check of layouts would go on with what it was made from."""
    thing, attribute, value, message = frozen_things()[name]
    before = getattr(thing, attribute)
    with pytest.raises(AttributeError, match=re.escape(message)):
        setattr(thing, attribute, value)
    assert getattr(thing, attribute) is before


def test_a_changed_network_is_a_new_one() -> None:
    net = Network.dense(SIZES, convention="cs231n", l2=0.1)
    params, X, Y = moved_from_zero(net.init(np.random.default_rng(0))), inputs(net, 4, 3), np.array([0, 1, 1, 0])
    fast = replayed(net.gradient)
    before = fast(params, X, Y)
    strong = net.replace(l2=10)
    assert (net.l2, strong.l2) == (0.1, 10.0)
    for name, gradient in replayed(strong.gradient)(params, X, Y).items():
        penalty = 9.9 * params[name] if name.startswith("W") else 0
        np.testing.assert_allclose(gradient, before[name] + penalty, rtol=1e-13, atol=1e-15)
        np.testing.assert_array_equal(fast(params, X, Y)[name], before[name])
    summed = net.replace(convention=net.convention.replace(reduction="sum"))
    assert (summed.loss.reduction, net.loss.reduction, summed.l2) == ("sum", "mean", 0.1)
    halved = net.replace(loss=SquaredError(0.5, layout=net.layout))
    assert halved.loss.name == "squared_error"
    assert halved.chain.parts == net.chain.parts
    tanh = net.replace(operations=[Affine(net.layout, (3, 4)), Tanh(), Affine(net.layout, (4, 2))])
    assert "tanh" in repr(tanh)
    with pytest.raises(LayoutError, match=r"affine keeps batch in rows.*give it the convention's layout"):
        net.replace(convention="ng-dlai")
    with pytest.raises(LayoutError, match="the source of pytorch fixes no regulariser"):
        net.replace(operations=Network.dense(SIZES, convention="pytorch").chain.parts, convention="pytorch")


def test_a_changed_loss_is_a_new_one() -> None:
    loss = SquaredError(0.5, "sum")
    changed = loss.replace(reduction="mean", layout=Layout(batch="columns"))
    assert (changed.factor, changed.reduction, changed.layout.batch) == (0.5, "mean", "columns")
    assert (loss.reduction, loss.layout.batch) == ("sum", "rows")
    with pytest.raises(LayoutError, match="SquaredError: reduction='average' is unknown"):
        loss.replace(reduction="average")  # type: ignore[arg-type]


# --- the same network in every convention ------------------------------------------------------------


@pytest.mark.parametrize("preset", PRESETS, ids=lambda p: p.name)
def test_one_seed_is_one_network(preset: Convention) -> None:
    net, reference = (
        Network.dense(SIZES, activation="sigmoid", output="linear", convention=c) for c in (preset, "cs231n")
    )
    params, expected = (n.init(np.random.default_rng(7)) for n in (net, reference))
    assert {name: array.shape for name, array in params.items()} == net.shapes() == preset.shapes(SIZES)
    for name, array in translate_parameters(params, preset, "cs231n").items():
        np.testing.assert_array_equal(array, expected[name])
    X = inputs(reference, 6, 3)
    output = net.output(params, translate_batch(X, "cs231n", preset))
    np.testing.assert_allclose(translate_batch(output, preset, "cs231n"), reference.output(expected, X), atol=1e-14)


def test_initial_values() -> None:
    """Glorot & Bengio 2010, eq. 16: uniform in ±√(6/(in + out)), biases 0."""
    drawn = np.random.default_rng(0).uniform(-1, 1, size=6)
    small = Network.dense((3, 2), convention="cs231n").init(np.random.default_rng(0))
    np.testing.assert_allclose(small["W1"], np.sqrt(6 / 5) * np.column_stack([drawn[:3], drawn[3:]]))  # node by node
    params = Network.dense((300, 200, 10), convention="ng-ml-2011").init(np.random.default_rng(0))
    theta = params["Theta1"]
    bound = np.sqrt(6 / 500)
    assert not theta[:, 0].any()
    assert 0.99 * bound < np.abs(theta[:, 1:]).max() <= bound
    assert abs(theta[:, 1:].mean()) < bound / 50
    assert theta[:, 1:].std() == pytest.approx(bound / np.sqrt(3), rel=0.02)


@pytest.mark.parametrize("name", ["ng-dlai", "cs231n-bias-trick", "matlab", "sklearn-mlp"])
def test_gradients_translate(name: str) -> None:
    """Translate the inputs, differentiate, translate back: the same gradient."""
    reference, net = (
        Network.dense(SIZES, activation="sigmoid", loss="cross_entropy", convention=c) for c in ("cs231n", name)
    )
    params = moved_from_zero(reference.init(np.random.default_rng(0)))
    X, Y = inputs(reference, 5, 3), [0, 1, 1, 0, 1]
    expected = reference.gradient(params, X, Y)
    found = net.gradient(translate_parameters(params, "cs231n", name), translate_batch(X, "cs231n", name), Y)
    for key, array in translate_gradients(found, name, "cs231n").items():
        np.testing.assert_allclose(array, expected[key], rtol=1e-12, atol=1e-15)


# --- packing and optimisers ----------------------------------------------------------------------------


@pytest.mark.parametrize("preset", PRESETS, ids=lambda p: p.name)
def test_pack_is_the_conventions(preset: Convention) -> None:
    net = Network.dense((3, 5, 4, 2), convention=preset)
    params = moved_from_zero(net.init(np.random.default_rng(0)))
    theta = net.pack(params)
    np.testing.assert_array_equal(theta, preset.pack(params))
    back = net.unpack(theta)
    assert list(back) == list(net.shapes())
    for name, array in back.items():
        np.testing.assert_array_equal(array, params[name])
        assert not any(np.may_share_memory(array, other) for other in (theta, *params.values()))


@pytest.mark.parametrize("name", ["ng-ml-2011", "sklearn-mlp", "ng-ufldl"])
def test_fun_and_grad_serves_scipy(name: str) -> None:
    from scipy.optimize import check_grad, minimize

    net = Network.dense((2, 4, 2), activation="tanh", loss="cross_entropy", convention=name, l2=0.01)
    rng = np.random.default_rng(0)
    X, Y = inputs(net, 20, 2), np.arange(20) % 2
    X += np.expand_dims(4.0 * Y, net.layout.feature_axis)  # two clouds
    start = net.pack(moved_from_zero(net.init(rng)))
    fun = net.fun_and_grad(X, Y)
    assert check_grad(lambda t: fun(t)[0], lambda t: fun(t)[1], start) < 1e-6
    found = minimize(fun, start, jac=True, method="L-BFGS-B", options={"maxiter": 50})
    assert found.fun < 0.3 * fun(start)[0]
    predicted = net.output(net.unpack(found.x), X).argmax(axis=net.layout.feature_axis)
    assert (predicted == Y).mean() > 0.9


# --- penalties -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("bias", ["separate", "first", "last"])
@pytest.mark.parametrize("weights", ["rows", "columns"])
@pytest.mark.parametrize("derivative", ["numerator", "denominator"])
@pytest.mark.parametrize("l2_bias", [False, True])
def test_penalty_with_and_without_bias(bias: str, weights: str, derivative: str, l2_bias: bool) -> None:
    """½λΣW² over the entries that are penalised, and nothing else: counted one by one."""
    layout = Layout().replace(bias=bias, weights=weights, derivative=derivative)
    convention = Convention("c", layout, reduction="sum", l2="half", l2_bias=l2_bias)
    plain, net = (Network.dense((2, 3), convention=convention, l2=l2) for l2 in (0.0, 4.0))
    params = {name: np.full(shape, 2.0) for name, shape in net.shapes().items()}
    X, Y = inputs(net, 3, 2), [0, 1, 2]
    penalised = 6 + 3 * l2_bias  # of 2·3 weights and 3 biases, each of value 2
    assert net.value(params, X, Y) - plain.value(params, X, Y) == pytest.approx(0.5 * 4.0 * 4.0 * penalised)
    assert net.run(params, X, Y).loss == plain.value(params, X, Y)
    changes = {n: g - plain.gradient(params, X, Y)[n] for n, g in net.gradient(params, X, Y).items()}
    assert sum(np.count_nonzero(np.abs(c) > 1e-9) for c in changes.values()) == penalised
    for name in params:
        row = net.run(params, X, Y).penalty(name)
        assert row.shape == ((1, params[name].size) if derivative == "numerator" else (params[name].size, 1))
        np.testing.assert_allclose(changes[name], row.gradient, atol=1e-12)
    if bias == "separate":
        assert net.is_penalised("b1") == l2_bias


@pytest.mark.parametrize("name", ["sklearn-mlp", "ng-dlai"])  # the batch in rows, and in columns
def test_penalty_divides_by_the_batch_where_the_convention_does(name: str) -> None:
    net = Network.dense((2, 3), convention=name, l2=4.0)
    plain = Network.dense((2, 3), convention=name)
    params = {name: np.full(shape, 2.0) for name, shape in net.shapes().items()}
    for count in (1, 2, 8):
        X, Y = inputs(net, count, 2), np.zeros(count, dtype=int)
        assert net.value(params, X, Y) - plain.value(params, X, Y) == pytest.approx(4.0 / (2 * count) * 24)


# --- purity and dtypes -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ng-ml-2011", "cs231n-bias-trick", "ng-dlai", "vecderivs-rows"])
def test_gradient_is_pure(name: str) -> None:
    net = Network.dense(SIZES, convention=name, l2=0.0 if name == "vecderivs-rows" else 0.1)
    params = moved_from_zero(net.init(np.random.default_rng(0)))
    X, Y = inputs(net, 5, 3), np.array([0, 1, 1, 0, 1])
    for array in (*params.values(), X, Y):
        array.flags.writeable = False
    run = net.run(params, X, Y)
    first, second = run.gradient(inputs=True), run.gradient(inputs=True)
    again = net.gradient(params, X, Y, inputs=True)
    owned = [*params.values(), X, *run.values.values(), *first.values(), *second.values(), *again.values()]
    for i, array in enumerate(owned):
        for other in owned[max(i + 1, len(params) + 1 + len(run.values)) :]:
            assert not np.may_share_memory(array, other)
    for key, array in first.items():
        assert array.flags.writeable
        np.testing.assert_array_equal(array, second[key])
        np.testing.assert_array_equal(array, again[key])


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("loss", DENSE_LOSSES)
def test_float32_stays_float32(activation: str, loss: str) -> None:
    net = Network.dense(SIZES, activation=activation, loss=loss, convention="ng-ml-2011", l2=0.1)
    params = net.init(np.random.default_rng(0), dtype=np.float32)
    X, Y = inputs(net, 5, 3).astype(np.float32), targets(loss, net.layout, 5, 2)
    gradient = net.gradient(params, X, Y, inputs=True)
    assert {array.dtype for array in gradient.values()} == {np.dtype(np.float32)}
    assert net.output(params, X).dtype == net.pack(params).dtype == np.float32
    assert all(array.dtype == np.float32 for array in net.unpack(net.pack(params)).values())
    wide = net.gradient({name: array.astype(np.float64) for name, array in params.items()}, X.astype(np.float64), Y)
    for name, array in wide.items():
        np.testing.assert_allclose(gradient[name], array, rtol=1e-4, atol=1e-5)


def test_lists_and_integers_are_accepted() -> None:
    net = Network.dense((2, 2))
    params = {"W1": [[1, 2], [3, 4]], "b1": [0, 1]}
    value = net.value(params, [[1, 0], [0, 1]], [0, 1])
    arrays = {name: np.array(array, dtype=float) for name, array in params.items()}
    assert value == net.value(arrays, np.eye(2), np.array([0, 1]))
    assert net.gradient(params, [[1, 0], [0, 1]], [0, 1])["W1"].dtype == np.float64


def test_no_examples() -> None:
    net = Network.dense((2, 2), convention=Convention("sum", Layout(), reduction="sum"))
    params = net.init(np.random.default_rng(0))
    none = np.zeros((0, 2)), np.zeros(0, dtype=int)
    assert net.value(params, *none) == 0
    assert not any(g.any() for g in net.gradient(params, *none).values())
    with pytest.raises(DomainError, match="the mean over no examples is undefined"):
        Network.dense((2, 2)).value(params, *none)


# --- errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [(), (3,)])
def test_too_few_sizes(sizes: tuple[int, ...]) -> None:
    with pytest.raises(
        ShapeError, match=re.escape(f"Network.dense: sizes={sizes!r}; expected two or more widths of layers")
    ):
        Network.dense(sizes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"W2": None}, "network: cs231n expects the parameters W1, b1, W2, b2; found W1, b1, b2"),
        ({"W3": np.zeros((2, 2))}, "network: cs231n expects the parameters W1, b1, W2, b2; found W1, b1, W2, b2, W3"),
        (
            {"W1": np.zeros((4, 3))},
            "network: W1 has shape (4, 3), cs231n keeps one node a column, bias separate: expected (3, 4); its "
            "transpose would fit: are the weights in rows?",
        ),
        ({"W1": np.zeros((4, 4))}, "expected (3, 4); it has one row more: is the bias absorbed in it?"),
        (
            {"b1": np.zeros((4, 1))},
            "network: b1 has shape (4, 1), cs231n keeps examples in rows: expected (4,); reshape((4,)) would fit",
        ),
    ],
)
def test_parameters_that_do_not_fit(change: dict[str, np.ndarray | None], message: str) -> None:
    net = Network.dense(SIZES)
    params = {k: v for k, v in (net.init(np.random.default_rng(0)) | change).items() if v is not None}
    for call in (lambda: net.value(params, np.zeros((5, 3)), [0] * 5), lambda: net.pack(params)):
        with pytest.raises(ShapeError) as caught:
            call()
        assert message in str(caught.value)


def test_inputs_that_do_not_fit() -> None:
    net = Network.dense(SIZES)
    params = net.init(np.random.default_rng(0))
    with pytest.raises(ShapeError, match=r"affine: X has shape \(3, 5\).*its transpose would fit: is the batch in col"):
        net.value(params, np.zeros((3, 5)), [0] * 5)
    with pytest.raises(ShapeError, match=r"cross_entropy: labels have shape \(4,\), X holds 5 examples"):
        net.value(params, np.zeros((5, 3)), [0] * 4)
    with pytest.raises(DTypeError, match="network: X has dtype complex128"):
        net.value(params, np.zeros((5, 3), dtype=complex), [0] * 5)
    with pytest.raises(DTypeError, match="network: W1 has dtype complex128"):
        net.value(params | {"W1": np.zeros((3, 4), dtype=complex)}, np.zeros((5, 3)), [0] * 5)
    with pytest.raises(ShapeError, match=r"Network.unpack: theta has shape \(25,\); Network\(.*\) has \(26,\) param"):
        net.unpack(np.zeros(25))


def test_sizes_that_the_operations_do_not_fix() -> None:
    """Such a network runs, and packs, but cannot say its shapes."""
    net = Network([Affine(), Tanh(), Affine()], CrossEntropy(), "cs231n")
    fixed = Network.dense(SIZES, activation="tanh")
    params = fixed.init(np.random.default_rng(0))
    X, Y = inputs(net, 4, 3), [0, 1, 1, 0]
    for name, array in fixed.gradient(params, X, Y).items():
        np.testing.assert_array_equal(net.gradient(params, X, Y)[name], array)
    np.testing.assert_array_equal(net.pack(params), fixed.pack(params))
    message = "Network.shapes: W1, b1, W2, b2: the operations do not fix their sizes"
    for call in (net.shapes, lambda: net.init(np.random.default_rng(0)), lambda: net.unpack(np.zeros(26))):
        with pytest.raises(ShapeError, match=message):
            call()
    with pytest.raises(ShapeError, match=r"affine: X has shape \(4, 3\)"):
        net.value(params | {"W1": params["W1"].T}, X, Y)
    with pytest.raises(ShapeError, match="network: cs231n expects the parameters W1, b1, W2, b2; found W1"):
        net.value({"W1": params["W1"]}, X, Y)
