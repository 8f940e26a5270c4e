"""The sentences: each appears when exactly its own choice is changed, and what it says is in the factors."""

import itertools

import numpy as np
import pytest

from jacobians import Convention, Layout, all_conventions
from jacobians.comparison import compare
from jacobians.comparison.facts import Facts
from jacobians.comparison.roles import Roles
from jacobians.derivation import derive

RNG = np.random.default_rng(6)
X, LABELS = RNG.normal(size=(6, 4)), np.array([0, 1, 2, 0, 1, 2])

LAYOUTS = [
    Layout(*choices)
    for choices in itertools.product(
        ("rows", "columns"),
        ("rows", "columns"),
        ("separate", "first", "last", "none"),
        "CF",
        ("numerator", "denominator"),
    )
]
CHOICES = {
    "batch": ("rows", "columns"),
    "weights": ("rows", "columns"),
    "bias": ("separate", "first", "last", "none"),
    "vec": ("C", "F"),
    "derivative": ("numerator", "denominator"),
}
FLIPS = [(field, a, b) for field, values in CHOICES.items() for a, b in itertools.combinations(values, 2)]


def convention(name, layout=None, **options):
    options = {"reduction": "mean", "l2": "half", **options}
    return Convention(name, Layout() if layout is None else layout, **options)


def formulas(*conventions, l2=0.0, **options):
    return compare(conventions, X, LABELS, sizes=(4, 5, 3), l2=l2, **options).formulas


def said(*conventions, **options):
    return {d.about: d.text for d in formulas(*conventions, **options).differences}


# --- exactly the right sentences -----------------------------------------------------------------------


@pytest.mark.parametrize(("field", "a", "b"), FLIPS)
def test_one_choice_of_the_layout_makes_exactly_its_sentence(field, a, b):
    """From every setting of the other four choices."""
    others = {name: values[:2] for name, values in CHOICES.items() if name != field}
    for values in itertools.product(*others.values()):
        rest = dict(zip(others, values, strict=True))
        pair = (convention(side, Layout(**{**rest, field: value})) for side, value in (("p", a), ("q", b)))
        assert list(said(*pair)) == [field], rest


@pytest.mark.parametrize(
    ("about", "change"),
    [
        ("reduction", {"reduction": "sum"}),
        ("reduction", {"reduction": "mean-all"}),
        ("l2", {"l2": "one"}),
        ("l2", {"l2": "half-over-n"}),
        ("l2_bias", {"l2_bias": True}),
        ("names", {"weight_name": "Theta"}),
    ],
)
@pytest.mark.parametrize("bias", ["separate", "last"])
def test_one_choice_beside_the_layout_makes_exactly_its_sentence(about, change, bias):
    layout = Layout(bias=bias)
    assert list(said(convention("p", layout), convention("q", layout, **change), l2=0.3)) == [about]


def test_equal_conventions_have_nothing_to_say():
    assert said(convention("p"), convention("q"), l2=0.3) == {}


@pytest.mark.parametrize("about", ["l2", "l2_bias"])
def test_without_a_regulariser_its_choices_do_not_show(about):
    change = {"l2": {"l2": "one"}, "l2_bias": {"l2_bias": True}}[about]
    assert said(convention("p"), convention("q", **change)) == {}


def test_where_the_weight_of_an_example_is_written_comes_from_the_source():
    """The name of the preset decides it, and nothing of the layout does."""
    late = convention("ng-ufldl", Layout(batch="columns", weights="rows"))
    own = convention("p", Layout(batch="columns", weights="rows"))
    assert list(said(late, own)) == ["place of 1/N", "names"]
    # no 1/N, no place for it, and no name of N
    assert list(said(late.replace(reduction="sum"), own.replace(reduction="sum"))) == ["names"]


def test_both_lines_at_once_are_one_sentence():
    found = said(convention("p", Layout()), convention("q", Layout(batch="columns", weights="rows")))
    assert found == {
        "batch and weights": "p keeps one example a row and one node a column, so Z₁ = X W₁ + 1 b₁ᵀ and dW₁ = Xᵀ dZ₁; "
        "q keeps one example a column and one node a row, so Z₁ = W₁ X + b₁ 1ᵀ and dW₁ = dZ₁ Xᵀ."
    }


# --- what they say -------------------------------------------------------------------------------------


def test_the_two_conventions_of_the_readme():
    assert [str(d) for d in formulas("ng-ml-2011", "cs231n", l2=0.12).differences] == [
        "ng-ml-2011 keeps one node a row, so Z₂ = A₁ Θ₁ᵀ, the commutation K₅,₅ transposes, and dΘ₁ = δ₂ᵀ A₁ / m; "
        "cs231n keeps one node a column, so Z₁ = X W₁ + 1 b₁ᵀ, no commutation appears, and dW₁ = Xᵀ dZ₁.",
        "ng-ml-2011 absorbs the bias in Θ₁, beside a first column of ones, and on the way back a selection keeps "
        "[:, 1:], which drops the ones' entry of the cotangent; "
        "cs231n keeps the bias apart, so no selection appears, and db₁ = 1ᵀdZ₁, a sum over the examples.",
        "ng-ml-2011 stacks columns in vec, so V ↦ A V Bᵀ is B ⊗ A, here (I₅ ⊗ A₁); "
        "cs231n stacks rows in vec, so V ↦ A V Bᵀ is A ⊗ B, here (X ⊗ I₅).",
        "ng-ml-2011 writes 1 / m at the gradient, dΘ₁ = δ₂ᵀ A₁ / m; "
        "cs231n writes 1 / N in the first cotangent, dZ₂ = (P − Y) / N.",
        "ng-ml-2011 adds (λ / m) [0 Θ₁[:, 1:]] for the regulariser, with λ = 0.12; "
        "cs231n adds reg W₁ for the regulariser, with reg = 0.02.",
        "ng-ml-2011 writes Θ₁, Z₂, A₂ (with its ones), A₃, δ₂, m, λ; cs231n writes W₁, Z₁, A₁, P, dZ₁, N, reg.",
    ]


def test_the_other_sentences():
    found = said("cs231n", "vecderivs-rows", "pytorch-mse", loss="binary_cross_entropy")
    assert found["derivative"] == (
        "cs231n and pytorch-mse write a Jacobian as outputs × inputs, so a chain reads from the loss to the parameter; "
        "vecderivs-rows writes a Jacobian as inputs × outputs, so a chain reads from the parameter to the loss, each "
        "factor transposed."
    )
    assert found["bias"].endswith("; vecderivs-rows has no bias, so there are no ones and no selection.")
    assert found["reduction"].endswith(
        "pytorch-mse weights each example's loss by 1 / (N K), so loss and gradient are 0.333333 times those of cs231n."
    )
    added = said(convention("p"), convention("q", reduction="sum"))["reduction"]
    assert added.endswith("; q adds the losses of the examples, so loss and gradient are 6 times those of p.")
    touched = said("cs231n-2018-toy", "cs231n-bias-trick", l2=0.1)["l2_bias"]
    assert touched == (
        "cs231n-2018-toy leaves the bias out of the regulariser; cs231n-bias-trick regularises the bias too, so the "
        "objectives are not the same."
    )


def test_the_ratio_that_is_said_is_that_of_the_gradients():
    result = compare([convention("p"), convention("q", reduction="sum")], X, LABELS, sizes=(4, 5, 3))
    first, second = (side.gradient["W1"] for side in result.sides)
    assert np.allclose(second, 6 * first, rtol=1e-13)


def test_many_conventions_make_as_few_sentences():
    found = formulas(*all_conventions())
    assert len(found.differences) == 7
    vec = next(d.text for d in found.differences if d.about == "vec")
    assert vec.startswith("ng-ml-2011, ng-ufldl and matlab stack columns in vec")
    assert "; the others stack rows in vec, " in vec
    assert vec.endswith("(as ng-dlai writes it).")


# --- the facts are read from the factors ---------------------------------------------------------------


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_what_is_read_from_the_factors_is_the_layout(layout):
    """The layout made the factors, and the factors say it again."""
    from jacobians import Network

    net = Network.dense((4, 5, 3), convention=convention("p", layout))
    rng = np.random.default_rng(1)
    params = {name: rng.normal(size=a.shape) for name, a in net.init(rng).items()}
    run = net.run(params, rng.normal(size=layout.batch_shape(6, 4)), LABELS)
    facts = Facts(Roles(run, derive(run)))
    assert (facts.batch, facts.weights, facts.bias_place) == (layout.batch, layout.weights, layout.bias)
    assert (facts.order, facts.derivative) == (layout.vec, layout.derivative)
    # a commutation stands where examples and nodes lie along the same lines: X Wᵀ and Wᵀ X
    assert (facts.commutation is not None) == (layout.batch == layout.weights)
    structures = [factor.structure for factor in compare_rows(run)]
    assert (facts.commutation is not None) == any("Commutation" in s for s in structures)
    assert (facts.selection is not None) == any("Selection" in s for s in structures)


def compare_rows(run):
    """The run's own Jacobians between the loss and the first weight, in numerator layout."""
    return [getattr(f.jacobian, "numerator", f.jacobian) for f in run.chain("W1")]
