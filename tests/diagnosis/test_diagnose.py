"""Slips in a hand-written backward pass are named, in several conventions, depths and activations."""

from __future__ import annotations

import collections
import itertools
import zlib

import numpy as np
import pytest

from jacobians.diagnosis import Diagnosis, diagnose
from tests.checking.wrong_backprop import backprop
from tests.diagnosis.cases import ACTIVATIONS, CONVENTIONS, EXPECTED, SIZES, laid_out, make

CONFIGURATIONS = list(itertools.product(CONVENTIONS, SIZES, ACTIVATIONS))
HIDDEN_LAYER = ("no slope", "slope", "delta clipped", "mask")


def diagnoses(slip: str, number: int) -> tuple[Diagnosis | None, tuple[str, tuple[int, ...], str]]:
    """Diagnose one slip in one configuration, which its name alone chooses; None where it changes nothing there."""
    drawn = zlib.crc32(slip.encode())
    configuration = CONFIGURATIONS[(drawn + 11 * number) % len(CONFIGURATIONS)]
    layers = len(configuration[1]) - 1
    in_hidden = slip.startswith(HIDDEN_LAYER) or "slope" in slip
    layer = 1 + number % (layers - 1 if in_hidden else layers)
    network, params, X, Y, problem = make(*configuration, seed=drawn + number, soft=slip == "soft as one-hot")
    right, wrong = laid_out(network, backprop(problem)), laid_out(network, backprop(problem, slip, layer))
    for name, gradient in network.gradient(params, X, Y).items():
        np.testing.assert_allclose(gradient, right[name], rtol=1e-9, atol=1e-13)
    if all(np.allclose(wrong[n], right[n], rtol=1e-9, atol=1e-12) for n in right):
        return None, configuration
    return diagnose(wrong, network, params, X, Y), configuration


def check_slips(numbers: range) -> None:
    scores: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    missed = []
    for (slip, (family, names)), number in itertools.product(EXPECTED.items(), numbers):
        found, configuration = diagnoses(slip, number)
        if found is None:
            continue
        rank = next((i for i, c in enumerate(found.causes) if c.name in names and c.exact), 99)
        scores[family].update(seen=1, first=rank == 0, third=rank < 3)
        if rank:
            missed.append((slip, configuration, [c.name for c in found.causes]))
    seen = sum(s["seen"] for s in scores.values())
    assert seen >= 45 * len(numbers)
    assert sum(s["first"] for s in scores.values()) >= 0.98 * seen, missed
    assert sum(s["third"] for s in scores.values()) == seen, missed
    assert all(s["first"] >= 0.9 * s["seen"] for s in scores.values()), missed
    assert {"scale", "activation", "loss", "layout", "bias", "regulariser", "data", "state"} <= scores.keys()


def test_slips_are_named_first() -> None:
    check_slips(range(1))


@pytest.mark.slow
def test_slips_are_named_first_in_other_networks() -> None:
    check_slips(range(1, 5))


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("sizes", SIZES)
def test_a_right_gradient_is_right(convention: str, sizes: tuple[int, ...]) -> None:
    network, params, X, Y, problem = make(convention, sizes, "tanh", seed=1)
    right = laid_out(network, backprop(problem))
    assert diagnose(right, network, params, X, Y).right
    assert diagnose(network.pack(right), network, params, X, Y).right
    assert diagnose(network.pack(right)[:, np.newaxis], network, params, X, Y).right


def test_the_layer_is_named() -> None:
    network, params, X, Y, problem = make("ng-dlai", (6, 5, 4, 3), "sigmoid", seed=2)
    for layer in (1, 2):
        found = diagnose(laid_out(network, backprop(problem, "no slope", layer)), network, params, X, Y)
        assert found.cause is not None
        assert (found.cause.name, found.cause.layer) == ("missing-activation-derivative", layer)


def test_numbers_are_read_off() -> None:
    network, params, X, Y, problem = make("cs231n", (5, 4, 3), "tanh", seed=3)

    def evidence(slip: str, layer: int = 1) -> str:
        return diagnose(laid_out(network, backprop(problem, slip, layer)), network, params, X, Y).causes[0].evidence

    assert "ratio 1.0001 " in evidence("ratio")
    assert "0.51·W, where 0.3·W is right" in evidence("l2 odd")
    assert "learning rate of 0.37 " in evidence("updated W")
    assert "example 3 has weight 0;" in evidence("one dropped")
    assert "class 2: 3" in evidence("class weights")
    assert "W1[1, 0] = 0" in evidence("one entry zero")
    assert evidence("rows swapped").startswith("2 columns moved: 1 to 0, 0 to 1")
    label = diagnose(laid_out(network, backprop(problem, "one wrong label", 5)), network, params, X, Y).causes[0].title
    assert label == f"example 5 has the label {(problem.labels[5] + 1) % 3}, where {problem.labels[5]} is right"


def test_delta_0_kept() -> None:
    # Ng's exercise 4 with the wrong column dropped: δ₂ = (δ₃·Θ₂)[:, :-1] ∘ σ′(z₂)
    network, params, X, Y, p = make("ng-ml-2011", (5, 4, 3), "sigmoid", seed=4, l2=0.0)
    Z1 = X @ p.weights[0].T + p.biases[0]
    A1 = 1 / (1 + np.exp(-Z1))
    Z2 = A1 @ p.weights[1].T + p.biases[1]
    delta3 = (np.exp(Z2) / np.exp(Z2).sum(axis=1, keepdims=True) - p.targets) / len(X)
    ones = np.ones((len(X), 1))
    wrong = network.gradient(params, X, Y)
    for slope, both in ((A1 * (1 - A1), False), (np.hstack([ones * 0, A1 * (1 - A1)]), True)):
        back = delta3 @ params["Theta2"]
        delta2 = (back * slope)[:, :-1] if both else back[:, :-1] * slope
        wrong["Theta1"] = delta2.T @ np.hstack([ones, X])
        found = diagnose(wrong, network, params, X, Y)
        assert [c.name for c in found.causes] == ["delta-0-kept"]


def test_ones_at_the_wrong_end() -> None:
    network, params, X, Y, problem = make("ng-ml-2011", (5, 4, 3), "sigmoid", seed=5, l2=0.0)
    layers = backprop(problem)
    wrong = {f"Theta{k}": np.hstack([W, b[:, np.newaxis]]) for k, (W, b) in enumerate(layers, start=1)}
    assert diagnose(wrong, network, params, X, Y).causes[0].name == "ones-at-wrong-end"


def test_kronecker_factors_in_the_other_order() -> None:
    # vec_C(X dW) = (X ⊗ I) vec_C(dW); with (I ⊗ X) the vector is another one
    network, params, X, Y, p = make("cs231n", (5, 4, 3), "tanh", seed=6, l2=0.0)
    A1 = np.tanh(X @ params["W1"] + params["b1"])
    Z2 = A1 @ params["W2"] + params["b2"]
    delta = (np.exp(Z2) / np.exp(Z2).sum(axis=1, keepdims=True) - p.targets) / len(X)
    wrong = network.gradient(params, X, Y)
    np.testing.assert_allclose((np.kron(A1, np.eye(3)).T @ delta.ravel()).reshape(4, 3), wrong["W2"], atol=1e-15)
    wrong["W2"] = (np.kron(np.eye(3), A1).T @ delta.ravel()).reshape(4, 3)
    found = diagnose(wrong, network, params, X, Y)
    assert found.causes[0].name == "kronecker-order"
    assert found.causes[0].layer == 2


def test_two_slips_together() -> None:
    network, params, X, Y, problem = make("pytorch", (5, 4, 3), "sigmoid", seed=7)
    wrong = laid_out(network, backprop(problem, "no slope", 1))
    wrong["b2"] = wrong["b2"] / len(problem.X)
    found = diagnose(wrong, network, params, X, Y)
    assert found.verdict == "explained"
    assert {c.name for c in found.causes} == {"missing-activation-derivative", "bias-averaged"}
    assert found.headline.startswith("2 causes together: ")


def test_what_was_not_seeded_is_not_explained() -> None:
    network, params, X, Y, _ = make("cs231n", (5, 4, 3), "sigmoid", seed=8)
    rng = np.random.default_rng(0)
    right = network.gradient(params, X, Y)
    wrong = {**right, "W1": right["W1"] * rng.normal(size=right["W1"].shape)}
    found = diagnose(wrong, network, params, X, Y)
    assert found.verdict == "unexplained"
    assert found.cause is None
    assert "No cause of the catalogue matches. Wrong: W1." in str(found)
    assert "cache of an earlier batch" in str(found)
