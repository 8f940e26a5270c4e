"""Every formula that a derivation shows is run, and equals the gradient."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from jacobians import Network, all_conventions
from jacobians.derivation import Derivation, derive, explain
from jacobians.network import Run
from tests.derivation.networks import A_THIRD_EVERY_DAY, LAYOUTS, NETWORKS, make, run_of


def check_every_line(run: Run, derivation: Derivation) -> None:
    """The program, each compact formula, each chain and each step give the library's gradient to 1e-12."""
    gradients = run.gradient(inputs=True)
    program: dict[str, object] = dict(derivation.values)
    for name in derivation.parameters:
        program.pop(derivation[name].formula.left.name)
    lines = dict(program)
    exec(derivation.to_numpy(), program)
    exec(derivation.preamble(), lines)
    for name, parameter in derivation.parameters.items():
        scale = np.abs(gradients[name]).max()
        found = program[parameter.formula.left.name]
        assert found.shape == gradients[name].shape
        np.testing.assert_allclose(found, gradients[name], rtol=0, atol=1e-12 * scale)
        data = gradients[name] - (0 if name == "X" else run.penalty(name).gradient)
        for equation in (parameter.chain, *(step.equation for step in parameter.steps)):
            exec(equation.numpy, lines)
            whole = gradients[name] if equation.text.startswith("∂J") else data
            expected = whole.flatten(order=run.network.layout.vec)
            got = lines[equation.numpy.partition(" = ")[0]]
            np.testing.assert_allclose(got, expected, rtol=0, atol=1e-12 * scale, err_msg=equation.text)


@pytest.mark.parametrize("layout", A_THIRD_EVERY_DAY, ids=str)
def test_every_line_in_every_layout(layout):
    for which in range(len(NETWORKS)):
        run = run_of(make(layout, which), which)
        derivation = derive(run)
        assert not [n for n in derivation.values if n.startswith(("J_", "d_")) or n == "D"], "nothing is opaque"
        check_every_line(run, derivation)


@pytest.mark.parametrize("convention", all_conventions(), ids=lambda c: c.name)
def test_every_line_in_every_preset(convention):
    losses = ("cross_entropy", "binary_cross_entropy", "squared_error")
    for loss, sizes in itertools.product(losses, [(4, 3, 2), (3, 5, 4, 2)]):
        net = Network.dense(sizes, loss=loss, convention=convention, l2=0.3 if convention.l2 else 0.0)
        run = run_of(net, 7)
        check_every_line(run, derive(run))


def test_a_wrong_formula_would_be_seen():
    run = run_of(make(LAYOUTS[0], 0), 0)
    derivation = derive(run)
    wrong = derive(run_of(make(LAYOUTS[0].replace(weights="columns"), 0), 0))
    mixed = Derivation(
        derivation.convention, derivation.forward, derivation.cotangents, wrong.parameters, derivation.values
    )
    with pytest.raises((AssertionError, ValueError)):
        check_every_line(run, mixed)


def test_ng_2011_is_printed_as_in_the_exercise():
    net = Network.dense((4, 3, 2), loss="binary_cross_entropy", convention="ng-ml-2011", l2=0.1)
    derivation = explain(net)
    assert [d.equation.text for d in derivation.forward] == [
        "A₁ = [1 X]",
        "Z₂ = A₁ Θ₁ᵀ",
        "A₂ = [1 σ(Z₂)]",
        "Z₃ = A₂ Θ₂ᵀ",
        "A₃ = σ(Z₃)",
    ]
    assert [d.equation.text for d in derivation.cotangents] == ["δ₃ = A₃ − Y", "δ₂ = (δ₃ Θ₂)[:, 1:] ∘ σ′(Z₂)"]
    assert derivation["Theta2"].formula.text == "Θ₂_grad = δ₃ᵀ A₂ / m + (λ / m) [0 Θ₂[:, 1:]]"
    assert [step.rule for step in derivation["Theta1"].steps] == [
        "where 1 / m enters",
        "one loss per example",
        "vec trick",
        "selection drops δ₀",
        "diagonal",
        "vec trick",
        "commutation",
        "the weight of each example",
        "regulariser",
    ]


@pytest.mark.parametrize(
    ("convention", "formula"),
    [
        ("cs231n", "dW₁ = Xᵀ dZ₁"),
        ("pytorch", "dW₁ = dZ₁ᵀ X"),
        ("ng-dlai", "dW₁ = dZ₁ Xᵀ / m"),
        ("cs231n-bias-trick", "dW₁ = [X 1]ᵀ dZ₁"),
        ("row-order", "dW₁ = dZ₁ᵀ [1 X]"),
        ("sklearn-mlp", "dW₁ = Xᵀ dZ₁ / n"),
        ("cs229", "dW₁ = δ₁ Xᵀ"),
    ],
)
def test_the_published_compact_formulas(convention, formula):
    assert explain(Network.dense((4, 3, 2)), convention)["W1"].formula.text == formula


def test_the_bias_is_a_column_sum_over_ones():
    derivation = explain(Network.dense((4, 3, 2)), "cs231n")
    assert derivation["b1"].steps[-1].rule == "ones make the sum"
    assert derivation["b1"].formula.numpy == "db1 = dZ1.sum(axis=0)"


def test_denominator_layout_reads_the_other_way():
    net = Network.dense((4, 3, 2), activation="sigmoid")
    numerator = explain(net, net.layout)["W1"].chain
    denominator = explain(net, net.layout.replace(derivative="denominator"))["W1"].chain
    assert [size for _, size in numerator.right.factors] == [size[::-1] for _, size in denominator.right.factors][::-1]
    assert denominator.text == "∂L/∂vec W₁ = (Xᵀ ⊗ I₃) diag(vec σ′(Z₁)) (I₅ ⊗ W₂) ⊕ₙ(P − Y)ₙ (1 / N) 1"


def test_the_order_of_the_vec_turns_the_kronecker_factors():
    net = Network.dense((4, 3, 2))
    assert "(X ⊗ I₃)" in explain(net, net.layout)["W1"].chain.text
    assert "(I₃ ⊗ X)" in explain(net, net.layout.replace(vec="F"))["W1"].chain.text
