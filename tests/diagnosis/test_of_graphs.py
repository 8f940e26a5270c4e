"""The diagnosis of a gradient through a graph of values: slips of the sweep, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians.diagnosis import diagnose
from jacobians.errors import ArgumentError, DTypeError, GraphError, LayoutError, ShapeError
from jacobians.graphs import Value
from tests.diagnosis.graph_backprop import NETS, Net, recurrent, tied
from tests.figures import graph_diagnosis


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng((seed, *shape)).normal(size=shape)


def at(net: Net) -> Value:
    return net.loss(*jac.values(**net.arrays))


@pytest.mark.parametrize("name", NETS)
def test_the_gradient_by_hand_is_the_graphs(name: str) -> None:
    net = NETS[name](np.random.default_rng(5))
    found = at(net).gradients(*net.arrays)
    for (key, right), own in zip(net.by_hand("").items(), found, strict=True):
        np.testing.assert_allclose(own, right, rtol=1e-9, atol=1e-12, err_msg=key)
        assert all(not np.shares_memory(own, a) for a in net.arrays.values())


def test_every_slip_is_named_first_and_no_other() -> None:
    result = graph_diagnosis.measure(quick=True)
    assert not result["missed"]
    for count in result["counts"].values():
        assert count["right"] == count["nets"]
        assert count["unexplained"] == count["nets"]
        assert count["first"] == count["slips"] > 0
        assert not count["false"]
    assert "of" in graph_diagnosis.report(result)


# --- what is said --------------------------------------------------------------------------------------


def test_a_use_is_named_by_its_operation() -> None:
    net = tied(np.random.default_rng(0))
    assert diagnose(net.by_hand("decoder"), at(net)).headline == (
        "The gradient with respect to W lacks its use in transpose_6, or was written over (= for +=)."
    )
    found = diagnose(net.by_hand("encoder"), at(net))
    assert found.headline == "The gradient with respect to W lacks its use in matmul_3."
    assert found.cause is not None
    assert found.cause.mend.startswith("Add up what comes from every use")
    assert found.cause.evidence.startswith("W wrong, b, c right, as this cause has it; residual")


def test_both_readings_are_given_where_two_uses_have_the_same_term() -> None:
    A, v = jac.values(A=numbers(4, 3), v=numbers(3))
    loss = (v @ (A.T @ A).named("G") @ v).named("loss")
    half = numbers(4, 3) @ np.outer(numbers(3), numbers(3))
    found = diagnose({"A": half}, loss)
    assert found.verdict == "ambiguous"  # in AᵀA both uses have the same term
    assert [c.name for c in found.causes] == ["use-forgotten"] * 2


@pytest.mark.parametrize(
    ("slip", "headline"),
    [
        ("window 2", "Backpropagation through time stops after 2 of 5 steps."),
        ("stop 2", "The sweep is over after 2 of 5 steps."),
        ("last Wh", "The gradient with respect to Wh is of the last of its 5 steps alone."),
        ("dh =", "Nothing goes back from one step to the step before: it is forgotten, or written over (= for +=)."),
        ("detach 2", "The state is cut off from what made it at every 2 of 5 steps."),
        (
            "readout",
            "The cotangent of tanh_9, and of its like in every step, lacks that of its use in its own step.",
        ),
    ],
)
def test_what_is_said_of_a_recurrence(slip: str, headline: str) -> None:
    net = recurrent(np.random.default_rng(1), steps=5, every=True)
    assert diagnose(net.by_hand(slip), at(net)).headline == headline


@pytest.mark.parametrize("kept", [1, 2, 4])
def test_two_layers_that_are_cut_in_time(kept: int) -> None:
    """The wrong gradient is the right one of a graph in which both states are constants at one step."""
    X, Y, steps = numbers(5, 3, 2), numbers(3, 2), 5

    def loss(cut: int, Wx: Value, Wg: Value, Vg: Value, Vh: Value, b: Value) -> Value:
        g: Any = np.zeros((3, 2))
        h: Any = np.zeros((3, 2))
        for t, x in enumerate(X):
            if t == cut:
                g, h = g.array, h.array
            g = jac.tanh(x @ Wx + g @ Wg + b)
            h = jac.tanh(g @ Vg + h @ Vh)
        return jac.squared_error(h, Y)

    arrays = {n: numbers(2, 2, seed=i) for i, n in enumerate(("Wx", "Wg", "Vg", "Vh"))} | {"b": numbers(2)}
    wrong = dict(zip(arrays, loss(steps - kept, *jac.values(**arrays)).gradients(*arrays), strict=True))
    found = diagnose(wrong, loss(steps + 1, *jac.values(**arrays)))
    assert found.cause is not None
    assert found.cause.name == ("last-step-alone" if kept == 1 else "bptt-truncated")
    assert {c.name for c in found.causes} == {found.cause.name}


def test_of_some_values_alone() -> None:
    net = tied(np.random.default_rng(2))
    wrong = net.by_hand("encoder")
    assert diagnose({"W": wrong["W"]}, at(net)).headline == "The gradient with respect to W lacks its use in matmul_3."
    hidden = at(net)  # inner values count too, where they have a name
    assert diagnose({"c": wrong["c"]}, hidden).right


def test_a_value_that_nothing_depends_on() -> None:
    v, w = jac.values(v=numbers(3), w=numbers(2))
    loss = (v * v).sum()
    assert diagnose({"v": 2 * v.array, "w": np.zeros(w.shape)}, loss).right
    assert diagnose({"v": 2 * v.array, "w": np.ones(w.shape)}, loss).verdict == "unexplained"


def test_a_gradient_with_the_shape_reversed() -> None:
    net = tied(np.random.default_rng(3))
    right = net.by_hand("")
    found = diagnose({**right, "W": right["W"].T}, at(net))
    assert found.headline == "The gradient with respect to W is transposed."
    both = diagnose({**right, "W": net.by_hand("encoder")["W"].T}, at(net))
    assert [c.name for c in both.causes] == ["transposed", "use-forgotten"]


def test_float32_is_judged_by_its_rounding() -> None:
    net = tied(np.random.default_rng(4))
    narrow = {n: g.astype(np.float32) for n, g in net.by_hand("").items()}
    assert diagnose(narrow, at(net)).right
    single = net.loss(*jac.values(**{n: a.astype(np.float32) for n, a in net.arrays.items()}))
    assert diagnose(net.by_hand(""), single).right
    wrong = {n: g.astype(np.float32) for n, g in net.by_hand("encoder").items()}
    assert [c.name for c in diagnose(wrong, at(net)).causes] == ["use-forgotten"]


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda g: -g, "sign"),
        (lambda g: 2 * g, "doubled"),
        (lambda g: g / 2, "halved"),
        (lambda g: 0 * g, "zero"),
    ],
)
def test_slips_that_every_backward_pass_has(change: Callable[[np.ndarray], np.ndarray], name: str) -> None:
    net = NETS["residual"](np.random.default_rng(6))
    right = net.by_hand("")
    for wrong in ({n: change(g) for n, g in right.items()}, {**right, "W": change(right["W"])}):
        found = diagnose(wrong, at(net))
        assert found.cause is not None
        assert found.cause.name == name
    turned = diagnose({**right, "W": right["W"].T}, at(net))
    assert [c.name for c in turned.causes] == ["transposed"]


def test_a_network_of_a_function() -> None:
    X, Y = numbers(5, 4), numbers(5, 4, seed=1)
    net = jac.Network(
        lambda X, W, b: jac.tanh(X @ W + b) @ W.T, "squared_error", "cs231n", shapes={"W": (4, 3), "b": (3,)}, l2=0.2
    )
    params = net.init(0)
    right = net.gradient(params, X, Y)
    assert diagnose(right, net, params, X, Y).right
    assert diagnose(net.pack(right), net, params, X, Y).right
    H = np.tanh(X @ params["W"])
    wrong = {**right, "W": right["W"] - (2 * (H @ params["W"].T - Y) / 5).T @ H}
    headline = diagnose(wrong, net, params, X, Y).headline
    assert headline.startswith("The gradient with respect to W lacks its use in transpose_")
    everything = {name: 5 * g for name, g in right.items()}
    assert diagnose(everything, net, params, X, Y).headline == "Everything is 5 times too large: 1/N is missing."
    biased = {**right, "b": right["b"] / 5}
    text = "The gradient with respect to b is 5 times too small: 1/N is there twice."
    assert diagnose(biased, net, params, X, Y).headline == text
    with pytest.raises(ShapeError, match=r"diagnose: the gradient has W; Network\(.*\) has W, b"):
        diagnose({"W": right["W"]}, net, params, X, Y)


# --- what is refused -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        ({"V": np.ones(3)}, GraphError, r"no value is called 'V'; there are .*v"),
        ({"v": np.ones(4)}, ShapeError, r"diagnose: the gradient with respect to v has shape \(4,\), v has \(3,\)"),
        ({"v": np.ones(3) * 1j}, DTypeError, r"diagnose: v has dtype complex128"),
        (np.ones(3), ArgumentError, r"diagnose: the gradient is an array .*; of a value of a graph it is a dict of"),
        ({}, ArgumentError, r"diagnose: the gradient is a dict"),
    ],
)
def test_what_does_not_fit_the_graph(given: Any, error: type[Exception], text: str) -> None:
    (v,) = jac.values(v=numbers(3))
    with pytest.raises(error, match=text):
        diagnose(given, (v * v).sum())


def test_arguments_that_do_not_belong() -> None:
    (v,) = jac.values(v=numbers(3))
    with pytest.raises(LayoutError, match=r"is no scalar, and only a scalar has gradients"):
        diagnose({"v": np.ones(3)}, v * v)
    with pytest.raises(ArgumentError, match=r"a value of a graph knows its inputs; leave out params, X and Y"):
        diagnose({"v": np.ones(3)}, (v * v).sum(), {"v": np.ones(3)})
    network = jac.Network.dense((3, 2), convention="cs231n")
    with pytest.raises(ArgumentError, match=r"diagnose: a network's gradient needs params, X and Y too"):
        diagnose({"W1": np.ones((3, 2))}, network)
