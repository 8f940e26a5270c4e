"""The Hessian in symbols: every block's program runs, in every preset and layout, and equals the structured Hessian."""

from __future__ import annotations

import itertools
from html.parser import HTMLParser

import numpy as np
import pytest

import jacobians as jac
from jacobians import Network, all_conventions, convention
from jacobians.derivation import SecondDerivation, derive_second, explain
from jacobians.errors import ArgumentError, LayoutError
from jacobians.network.made_up_inputs import sample_data
from jacobians.operations import (
    Affine,
    Chain,
    CrossEntropy,
    Elementwise,
    Huber,
    Logistic,
    LogSoftmax,
    MulticlassHinge,
    ProbabilityCrossEntropy,
    Residual,
    Sigmoid,
    Softmax,
    SquaredError,
    Tanh,
)
from tests.derivation.networks import LAYOUTS


def check(network: Network, wrt=()) -> SecondDerivation:
    """Every block that the printed program computes is the structured Hessian's own matrix."""
    run = network.run(*sample_data(network, 4, seed=0))
    found = derive_second(run, wrt)
    space = dict(found.values)
    exec(found.to_numpy(), space)
    for (rows, columns), block in found.blocks.items():
        expected = run.hessian(*dict.fromkeys((rows, columns))).to_dense()
        actual = space[block.formula.left.name]
        scale = max(1.0, np.abs(expected).max())
        np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-12 * scale, err_msg=block.formula.text)
    return found


def in_layout(layout, activation="tanh") -> Network:
    own = convention("cs231n").replace(name="own", layout=layout)
    return Network.dense((3, 2, 2), activation=activation, convention=own, l2=0.3)


@pytest.mark.parametrize("own", all_conventions(), ids=lambda own: own.name)
def test_the_program_of_every_preset(own):
    names = ["X", *list(Network.dense((3, 2, 2), convention=own).names)[:2]]
    check(Network.dense((3, 2, 2), activation="tanh", convention=own, l2=0.3 if own.l2 else 0.0), names)


@pytest.mark.parametrize("layout", LAYOUTS[::3], ids=str)
def test_the_program_in_layouts(layout):
    check(in_layout(layout))


@pytest.mark.slow
@pytest.mark.parametrize("activation", ["sigmoid", "gelu", "relu", "softplus", "silu", "elu"])
@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_the_program_in_every_layout(layout, activation):
    check(in_layout(layout, activation))


class Cube(Elementwise):
    """States no textbook form, so programs print its own methods."""

    def __init__(self, scale: float) -> None:
        self.scale = scale

    def _rule(self, z):
        return self.scale * z**3, lambda: 3 * self.scale * z**2

    def _curvature(self, z):
        return 6 * self.scale * z


KINDS = {
    "a class of one's own": ([Affine(), Cube(2.0), Affine()], (3, 2, 2), SquaredError(0.5)),
    "softmax": ([Affine(), Softmax()], (3, 2), SquaredError()),
    "log softmax": ([Affine(), LogSoftmax()], (3, 2), SquaredError()),
    "probabilities": ([Affine(), Sigmoid()], (3, 2), ProbabilityCrossEntropy()),
    "signs": ([Affine()], (3, 2), Logistic(factor=3.0)),
    "hinge": ([Affine(), Tanh(), Affine()], (3, 2, 3), MulticlassHinge()),
    "residual": ([Affine(), Residual(Chain(Affine(sizes=(2, 2)), Tanh())), Affine()], (3, 2, 2), CrossEntropy()),
}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_operations_and_losses(kind):
    parts, sizes, loss = KINDS[kind]
    pairs = itertools.pairwise(sizes)
    parts = [Affine(sizes=next(pairs)) if isinstance(part, Affine) else part for part in parts]
    found = check(Network(parts, loss, convention("cs231n")), ["X"])
    named = [name for name in found.values if "_second" in name]
    assert bool(named) == (kind == "residual"), "an operation made of others is one matrix, and no other is"


def test_a_loss_that_states_no_form_is_a_named_diagonal():
    network = Network([Affine(sizes=(3, 2))], Huber(), convention("cs231n"))
    assert "diag(vec d_Z1_second_X)" in text_of(network)


class WrongCube(Cube):
    """Its textbook form is not what it computes."""

    @staticmethod
    def textbook_second(Z, scale):
        return 3 * scale * Z


def test_a_formula_that_is_not_what_is_computed_is_not_printed():
    parts = [Affine(sizes=(3, 2)), WrongCube(2.0)]
    text = text_of(Network(parts, SquaredError(), convention("cs231n")))
    assert "diag(vec d_A1_second_X)" in text
    assert "″" not in text


def text_of(network: Network) -> str:
    run = network.run(*sample_data(network, 4, seed=0))
    return derive_second(run, ["W1"])["W1"].formula.text


# --- what is printed -------------------------------------------------------------------------------------


def formula(*sizes, wrt="W1", **options):
    return explain(Network.dense(sizes, **options), order=2)[wrt].formula


def test_logistic_regression_is_the_textbooks():
    """Bishop 2006, eq. 4.97, in every place where the examples may lie."""
    binary = {"loss": "binary_cross_entropy", "reduction": "sum"}
    assert formula(3, 1, **binary).text == "∂²L/∂vec W₁ ∂(vec W₁)ᵀ = Xᵀ diag(P ∘ (1 − P)) X"
    assert formula(3, 1, **binary).numpy == 'H_W1_W1 = X.T @ np.diag(vec(P * (1 - P), "C")) @ X'
    assert formula(3, 1, **binary).latex.endswith(
        r" = X^{\top} \, \mathrm{diag}\left(P \circ \left(1 - P\right)\right) \, X"
    )
    mean = {"loss": "binary_cross_entropy"}
    ng = formula(3, 1, convention="ng-dlai", **mean).text
    assert ng.endswith(" = (1 / m) X diag(A₁ ∘ (1 − A₁)) Xᵀ")
    theta = formula(3, 1, convention="ng-ml-2011", wrt="Theta1", **mean).text
    assert theta.endswith(" = (1 / m) A₁ᵀ diag(A₂ ∘ (1 − A₂)) A₁")


def test_least_squares_is_the_textbooks():
    assert formula(3, 2, loss="squared_error").text.endswith(" = (2 / N) ((Xᵀ X) ⊗ I₂)")


def test_each_term_says_which_operation_it_comes_from():
    network = Network.dense((3, 2, 2), activation="tanh", l2=0.1)
    found = explain(network, order=2)
    terms = [(t.operation, t.part, t.of) for t in found["W1"].terms]
    assert terms == [("tanh", "inner", ("Z1",)), ("cross_entropy", "loss", ("Z2",)), ("l2", "penalty", ("W1",))]
    bend, curve, penalty = (term.chain.written(jac.symbols.text.TextNotation()) for term in found["W1"].terms)
    assert bend == "(Xᵀ ⊗ I₂) diag(vec (dA₁ ∘ tanh″(Z₁))) (X ⊗ I₂)"
    assert curve.startswith("(1 / N) (Xᵀ ⊗ I₂) diag(vec tanh′(Z₁)) (I₅ ⊗ W₂) ⊕ₙ(diag Pₙ − Pₙ Pₙᵀ) ")
    assert penalty == "reg I₆"
    assert found["W1", "W2"].terms[0].of == ("A1", "W2")
    assert "tanh at Z₁, residual part" in str(found)
    assert "affine at A₁ and W₂, residual part" in str(found)


def test_a_cross_block_is_turned_in_denominator_layout():
    layout = convention("cs231n").layout
    texts = [
        derive_second(network.run(*sample_data(network, 4, seed=0)), ["W1", "W2"])["W1", "W2"].formula.text
        for network in (in_layout(layout), in_layout(layout.replace(derivative="denominator")))
    ]
    assert [text.partition(" = ")[0] for text in texts] == ["∂²J/∂vec W₁ ∂(vec W₂)ᵀ", "∂²J/∂vec W₂ ∂(vec W₁)ᵀ"]


def test_a_block_without_terms_is_zero():
    run = Network.dense((3, 2), loss="multiclass_hinge")
    found = explain(run, order=2, wrt="W1")
    assert found["W1"].formula.text.endswith(" = 0")
    assert "no operation bends with both" in str(found)
    space = dict(found.values)
    exec(found.to_numpy(), space)
    np.testing.assert_array_equal(space["H_W1_W1"], np.zeros((6, 6)))


def test_every_part_shows_itself():
    found = explain(Network.dense((3, 2)), order=2, wrt="W1")
    (term,) = found["W1"].terms
    assert repr(term.chain) == "JacobianChain((1 / N) (Xᵀ ⊗ I₂) ⊕ₙ(diag Pₙ − Pₙ Pₙᵀ) (X ⊗ I₂))"
    assert repr(found["W1"].formula.right) == repr(term.chain).replace("JacobianChain", "SumOfChains")
    assert repr(term.chain) in repr(term)
    assert repr(found).startswith("SecondDerivation(W1")


def test_every_notation_has_the_whole():
    found = explain(Network.dense((3, 2, 2), activation="tanh"), "ng-dlai", order=2, wrt=["W1", "b1"])
    latex, page = found.to_latex(), found._repr_html_()
    assert latex.count(r"\frac{\partial^2 L}") == 3
    assert r"\mathrm{tanh}''" in latex
    parser = HTMLParser()
    parser.feed(page)
    assert page.count("<math") == len(found.equations)
    assert "″" in page


def test_what_is_refused():
    network = Network.dense((3, 2))
    with pytest.raises(LayoutError, match=r"'W9' is no parameter; choose from W1, b1, X"):
        explain(network, order=2, wrt="W9")
    with pytest.raises(ArgumentError, match=r"order=3 is unknown; choose 1, the gradient, or 2, the Hessian"):
        explain(network, order=3)
    with pytest.raises(
        ArgumentError, match=r"order=2 takes a Network, a Run or a scalar Value, not .*Tanh.*\* G\)\.sum"
    ):
        explain(Tanh(), order=2)
