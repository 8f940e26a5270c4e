"""What a network refuses: arguments in each other's place, parameters without names, names of other libraries."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import jacobians.operations
from jacobians import Layout, Network, all_conventions, matmul, relu
from jacobians.errors import ArgumentError, DomainError, DTypeError, LayoutError, ShapeError
from jacobians.linops import Diagonal
from jacobians.network import Run
from jacobians.operations import (
    Affine,
    Chain,
    LeakyReLU,
    Loss,
    Parallel,
    ReLU,
    Residual,
    Sigmoid,
)

NET = Network.dense((4, 3, 2))
PARAMS = NET.init(0)
X, Y = np.random.default_rng(1).normal(size=(5, 4)), np.array([0, 1, 1, 0, 1])

CALLS: dict[str, Callable[..., Any]] = {
    "gradient": NET.gradient,
    "gradient in blocks": lambda *arguments: NET.gradient(*arguments, block=2),
    "run": NET.run,
    "value": NET.value,
}
EVERY_CALL = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


# --- arguments in each other's place ---------------------------------------------------------------------


@EVERY_CALL
def test_parameters_in_another_place(call: Callable[..., Any]) -> None:
    expected = re.escape(
        "network: params is an array of shape (5, 4); cs231n expects a dict of W1, b1, W2, b2: are two arguments in "
        "each other's place? The order is params, X, Y"
    )
    for arguments in ((X, PARAMS, Y), (X, Y, PARAMS)):
        with pytest.raises(ArgumentError, match=f"^{expected}$"):
            call(*arguments)
    with pytest.raises(ArgumentError, match=r"params is a Network; .* The order is params, X, Y$"):
        call(NET, X, Y)
    with pytest.raises(DTypeError, match=r"^network: X is a dict of W1, b1, W2, b2; .* in each other's place\?$"):
        call(PARAMS, PARAMS, Y)


@EVERY_CALL
def test_inputs_and_targets_in_each_others_place(call: Callable[..., Any]) -> None:
    with pytest.raises(ShapeError, match=r"affine: X has shape .*; Y would fit: are X and Y in each other's place\?$"):
        call(PARAMS, Y, X)
    with pytest.raises(ShapeError, match=r"affine: X has shape \(\d, 3\)") as caught:
        call(PARAMS, X[:, :3], Y)
    assert "each other's place" not in str(caught.value)


def test_inputs_and_targets_in_each_others_place_where_a_function_is_made() -> None:
    fun = NET.fun_and_grad(Y, X)
    with pytest.raises(ShapeError, match=r"are X and Y in each other's place\?$"):
        fun(NET.pack(PARAMS))
    with pytest.raises(DTypeError, match="X is a dict of W1, b1, W2, b2"):
        NET.fun_and_grad(PARAMS, X)  # type: ignore[arg-type]


# --- parameters without names ----------------------------------------------------------------------------


def named(message: str, params: Any) -> Any:
    """What the code that an error's text gives makes of the parameters."""
    code = re.search(r"b2: (.*?)(?: is one)?$", message)
    assert code, message
    return eval(code[1], {"params": params})  # the text is code that a reader pastes


@pytest.mark.parametrize(
    "params",
    [
        list(PARAMS.values()),
        tuple(PARAMS.values()),
        [PARAMS[name] for name in ("W1", "W2", "b1", "b2")],
        [(PARAMS["W1"], PARAMS["b1"]), (PARAMS["W2"], PARAMS["b2"])],
        ([PARAMS["W1"], PARAMS["W2"]], [PARAMS["b1"], PARAMS["b2"]]),
        {"coefs_": [PARAMS["W1"], PARAMS["W2"]], "intercepts_": [PARAMS["b1"], PARAMS["b2"]]},
        SimpleNamespace(coefs_=[PARAMS["W1"], PARAMS["W2"]], intercepts_=[PARAMS["b1"], PARAMS["b2"]]),
    ],
    ids=["list", "tuple", "weights first", "by layer", "two lists", "a dict of lists", "estimator"],
)
def test_the_fix_of_a_list_is_code_that_works(params: Any) -> None:
    for call in (*CALLS.values(), lambda params, *_: NET.pack(params), lambda params, X, _: NET.output(params, X)):
        with pytest.raises(
            ArgumentError, match=r"network: params is .*; cs231n expects a dict of W1, b1, W2, b2: "
        ) as e:
            call(params, X, Y)
        found = named(str(e.value), params)
        assert found.keys() == PARAMS.keys()
        assert all(np.array_equal(found[name], PARAMS[name]) for name in PARAMS)


def test_a_list_that_is_too_short() -> None:
    with pytest.raises(
        ArgumentError, match=r"params is a list of 3 items; .*: it holds 3 arrays; give .*, 4 are expected"
    ):
        NET.run(list(PARAMS.values())[:3], X, Y)  # type: ignore[arg-type]


def test_a_packed_vector_is_to_be_unpacked() -> None:
    with pytest.raises(ArgumentError, match=r"array of shape \(23,\); .* it is as long as .*: net.unpack\(params\)$"):
        NET.run(NET.pack(PARAMS), X, Y)  # type: ignore[arg-type]
    with pytest.raises(DTypeError, match=r"Network.unpack: theta is a dict of W1, b1, W2, b2; expected real numbers"):
        NET.unpack(PARAMS)  # type: ignore[arg-type]


def test_an_estimator_in_a_convention_that_lies_otherwise() -> None:
    net = Network.dense((4, 3, 2), convention="ng-ml-2011")
    params = SimpleNamespace(coefs_=[PARAMS["W1"], PARAMS["W2"]], intercepts_=[PARAMS["b1"], PARAMS["b2"]])
    with pytest.raises(
        ArgumentError, match=r" is one in sklearn-mlp; translate_parameters\(…, 'sklearn-mlp', 'ng-ml-2"
    ):
        net.run(params, X, Y)  # type: ignore[arg-type]


def test_a_value_with_its_jacobian_as_a_parameter() -> None:
    with pytest.raises(ArgumentError, match="params is a pair of a value and its Jacobian"):
        NET.run(relu(PARAMS["W1"]), X, Y)  # type: ignore[arg-type]


# --- seeds ----------------------------------------------------------------------------------------------


def test_a_seed_is_a_generator() -> None:
    for convention in all_conventions():
        net = Network.dense((4, 3, 2), convention=convention)
        expected = net.init(np.random.default_rng(3))
        for seed in (3, np.int64(3), np.random.SeedSequence(3)):
            found = net.init(seed)  # type: ignore[arg-type]
            assert all(np.array_equal(found[name], expected[name]) for name in expected)
    with pytest.raises(
        ArgumentError, match=r"Network.init: rng is an array of shape .*; expected a seed, such as 0, or np"
    ):
        NET.init(X)  # type: ignore[arg-type]


# --- sizes, strengths, operations --------------------------------------------------------------------------


@pytest.mark.parametrize("l2", [-1, np.nan, np.inf, -0.5, [0.1, 0.2]])
def test_a_strength_that_is_none(l2: Any) -> None:
    for make in (lambda: Network.dense((4, 2), l2=l2), lambda: NET.replace(l2=l2)):
        with pytest.raises(
            DomainError, match=r"Network: l2=.*; expected the regulariser's strength, one finite number λ ≥"
        ):
            make()
    with pytest.raises(DTypeError, match="Network: l2 is the text 'much'; expected real numbers"):
        Network.dense((4, 2), l2="much")  # type: ignore[arg-type]


@pytest.mark.parametrize("sizes", [(4.5, 2), (4, 0), (4, -2), 4, "42", ("4", "2"), (), (3,), None])
def test_sizes_that_are_none(sizes: Any) -> None:
    with pytest.raises(
        ShapeError, match=r"Network.dense: sizes=.*; expected two or more widths of layers, such as \(64"
    ):
        Network.dense(sizes)


@pytest.mark.parametrize("sizes", [(4.5, 2), (4, 2, 1), (4, -2), 4, ("4", "2")])
def test_sizes_of_one_layer(sizes: Any) -> None:
    with pytest.raises(
        ShapeError, match=r"Affine: sizes=.*; expected the inputs and the outputs of one example, such as"
    ):
        Affine(sizes=sizes)


LAYER = Affine(sizes=(4, 4))


@pytest.mark.parametrize(
    "operations",
    [
        [LAYER, Sigmoid(), LAYER],
        [LAYER, Residual(LAYER)],
        [Chain(LAYER, Sigmoid()), LAYER],
        [Parallel(Affine(Layout(), (4, 2)), Chain(LAYER, LAYER))],
    ],
)
def test_one_object_in_two_places(operations: Any) -> None:
    """It would silently have two weights."""
    message = (
        "Network: one object, Affine(sizes=(4, 4)), stands in two places; it would have its parameters W, b twice, "
        "since a list shares no weights. Make a second object. To share a weight, write a function of values: "
        "Network(lambda X, W: …, loss, convention, shapes={'W': …})"
    )
    with pytest.raises(ArgumentError, match=re.escape(message)):
        Network(operations, "squared_error", "cs231n")


def test_one_object_without_parameters_in_two_places() -> None:
    act = Sigmoid()
    net = Network([Affine(sizes=(4, 4)), act, Affine(sizes=(4, 2)), act], "squared_error", "cs231n")
    assert list(net.shapes()) == ["W1", "b1", "W2", "b2"]


def test_an_activation_with_parameters_has_them_once_for_each_layer() -> None:
    net = Network.dense((4, 4, 4, 2), activation=Chain(Affine(sizes=(4, 4)), Sigmoid()))
    assert len(net.shapes()) == 6 + 4
    assert len({id(part) for part in net.chain.parts}) == 5


@pytest.mark.parametrize(
    ("operations", "message"),
    [
        (Affine(), "Network: operations is one operation; expected a list: [Affine()]"),
        ([Affine(), Sigmoid], "a part is the class Sigmoid; expected an operation: make one, Sigmoid(…)"),
        ([Affine(), relu], "a part is the function relu; expected an operation: a function evaluates at once; its"),
    ],
)
def test_what_is_no_operation(operations: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=re.escape(message)):
        Network(operations, "squared_error", "cs231n")


# --- names of other libraries --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("ReLU", "relu"),
        ("RELU", "relu"),
        ("LeakyReLU", "leaky_relu"),
        ("leaky-relu", "leaky_relu"),
        ("Sigmoid", "sigmoid"),
        ("logistic", "sigmoid"),
        ("swish", "silu"),
        ("tansig", "tanh"),
    ],
)
def test_an_activation_by_another_name(given: str, meant: str) -> None:
    with pytest.raises(
        LayoutError, match=rf"^Network: activation '{given}' is unknown; choose .*; did you mean {meant}\?$"
    ):
        Network.dense((4, 3, 2), activation=given)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("mse", "squared_error"),
        ("MSELoss", "squared_error"),
        ("SquaredError", "squared_error"),
        ("mean_squared_error", "squared_error"),
        ("BCEWithLogitsLoss", "binary_cross_entropy"),
        ("bce", "binary_cross_entropy"),
        ("binary_crossentropy", "binary_cross_entropy"),
        ("CrossEntropyLoss", "cross_entropy"),
        ("cross-entropy", "cross_entropy"),
        ("sparse_categorical_crossentropy", "cross_entropy"),
        ("softmax", "cross_entropy"),
        ("svm", "multiclass_hinge"),
        ("hinge_loss", "multiclass_hinge"),
    ],
)
def test_a_loss_by_another_name(given: str, meant: str) -> None:
    with pytest.raises(LayoutError, match=rf"^Network: loss '{given}' is unknown; choose .*; did you mean {meant}\?$"):
        Network.dense((4, 3, 2), loss=given)


@pytest.mark.parametrize(("what", "given"), [("loss", "mae"), ("loss", "wasserstein"), ("activation", "identity")])
def test_what_there_is_nothing_like_is_not_guessed(what: str, given: str) -> None:
    with pytest.raises(LayoutError, match=f"Network: {what} '{given}' is unknown; choose one of") as caught:
        Network.dense((4, 3, 2), **{what: given})  # type: ignore[arg-type]
    assert "did you mean" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "said", "instance", "meant"),
    [
        (relu, "the function relu", "an instance", "relu"),
        (ReLU, "the class ReLU", r"an instance, ReLU\(…\)", "relu"),
        (LeakyReLU, "the class LeakyReLU", r"an instance, LeakyReLU\(…\)", "leaky_relu"),
    ],
)
def test_a_function_or_a_class_in_place_of_an_activation(given: Any, said: str, instance: str, meant: str) -> None:
    message = rf"activation is {said}, no name and no instance; pass {instance}, or .*; did you mean '{meant}'\?$"
    with pytest.raises(LayoutError, match=message):
        Network.dense((4, 3, 2), activation=given)


# --- copies, pickles, texts -----------------------------------------------------------------------------------


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))])
@pytest.mark.parametrize("convention", ["cs231n", "ng-ml-2011"])
def test_copies_of_a_network_and_of_a_run(again: Callable[[Any], Any], convention: str) -> None:
    net = Network.dense((4, 3, 2), convention=convention, activation="gelu", l2=0.1)
    params = net.init(0)
    run = net.run(params, X, Y)
    other = again(run)
    assert isinstance(other, Run)
    assert other.value == again(net).value(params, X, Y) == run.value
    for name, array in run.gradient().items():
        assert np.array_equal(other.gradient()[name], array)
    assert np.array_equal(other.jacobian("A1").to_dense(), run.jacobian("A1").to_dense())


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))])
def test_copies_of_a_record_of_jacobians(again: Callable[[Any], Any]) -> None:
    for _, J in (ReLU().evaluate(X), matmul(X, X.T), Chain(Affine(), Sigmoid())(X, PARAMS["W1"], PARAMS["b1"])):
        other = again(J)
        assert repr(other) == repr(J)
        row = np.ones(J[next(iter(J))].codomain)
        for name, pulled in J.pull(row).items():
            assert np.array_equal(other[name].to_dense(), J[name].to_dense())
            assert np.allclose(other.pull(row)[name], pulled)


def test_texts_show_no_address() -> None:
    assert repr(NET.run(PARAMS, X, Y)) == f"Run({NET!r}, 5 examples)"
    assert repr(Network.dense((4, 2)).chain) == "Chain(Affine(sizes=(4, 2)))"


class Arrays(Loss):
    """A loss of one's own that returns arrays."""

    def _examples(self, X: np.ndarray, Y: np.ndarray) -> Any:
        return (X - Y).sum(axis=1), np.ones_like(X)


class OneFunction(Loss):
    def _examples(self, X: np.ndarray, Y: np.ndarray) -> Any:
        return lambda: (X - Y).sum(axis=1)


def test_a_loss_that_returns_arrays() -> None:
    Z = np.zeros((5, 2))
    expected = "expected two functions, one that returns the losses (N,) and one that returns δ: return lambda: losses"
    for loss, said in (
        (Arrays(), "an array of shape (5,) and an array of shape (5, 2)"),
        (OneFunction(), "the function"),
    ):
        for call in (loss, loss.per_example, loss.replace(reduction="none"), loss.total):
            with pytest.raises(ArgumentError, match=re.escape(expected)) as caught:
                call(Z, Z)  # type: ignore[operator]
            assert f"{loss.name}: _examples returned {said}" in str(caught.value)
    with pytest.raises(ArgumentError, match="arrays: _examples returned"):
        Network.dense((4, 2), loss=Arrays()).gradient({"W1": np.ones((4, 2)), "b1": np.ones(2)}, X, Z)


def test_a_jacobian_in_place_of_data() -> None:
    with pytest.raises(DTypeError, match="network: X is a Diagonal, a Jacobian; expected real numbers: take the value"):
        NET.run(PARAMS, Diagonal(np.ones(4)), Y)  # type: ignore[arg-type]
    with pytest.raises(DTypeError, match="network: X is a pair of a value and its Jacobian"):
        NET.run(PARAMS, relu(X), Y)  # type: ignore[arg-type]


NAMES = vars(jacobians.operations) | {"Layout": Layout}


def test_losses_and_operations_say_what_makes_them() -> None:
    for text in (
        "Sigmoid()",
        "LeakyReLU(slope=0.01)",
        "Affine()",
        "Affine(sizes=(4, 2))",
        "Affine(layout=Layout(batch='rows', weights='rows', bias='first', vec='F', derivative='numerator'))",
        "Chain(Affine(), Sigmoid(), Residual(Affine(sizes=(3, 3))))",
        "CrossEntropy()",
        "CrossEntropy(reduction='sum')",
        "SquaredError(factor=0.5, reduction='mean-all')",
    ):
        assert repr(eval(text, NAMES)) == text  # a text that makes the same object again
