"""The sentences: each appears when exactly its own choice is changed, and what it says is in the factors."""

import itertools

import numpy as np
import pytest

from jacobians import Convention, Layout, all_conventions
from jacobians import convention as preset
from jacobians.array_names import ArrayNames
from jacobians.comparison import compare
from jacobians.derivation import derive
from jacobians.linops import Commutation, Kronecker, Selection
from jacobians.symbols.expressions import Add, Placed, SumOver, Transposed

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


def check_flip(field, a, b, settings=slice(None)):
    others = {name: values[:2] for name, values in CHOICES.items() if name != field}
    for values in list(itertools.product(*others.values()))[settings]:
        rest = dict(zip(others, values, strict=True))
        pair = (convention(side, Layout(**{**rest, field: value})) for side, value in (("p", a), ("q", b)))
        assert list(said(*pair)) == [field], rest


@pytest.mark.parametrize(("place", "flip"), [pytest.param(i, flip, id=str(flip)) for i, flip in enumerate(FLIPS)])
def test_one_choice_of_the_layout_makes_exactly_its_sentence(place, flip):
    """From every fifth setting of the other four choices: the next flip begins with the next one."""
    check_flip(*flip, slice(place % 5, None, 5))


@pytest.mark.slow
@pytest.mark.parametrize(("field", "a", "b"), FLIPS)
def test_it_does_so_from_every_setting_of_the_others(field, a, b):
    check_flip(field, a, b)


@pytest.mark.parametrize(
    ("about", "change"),
    [
        ("reduction", {"reduction": "sum"}),
        ("reduction", {"reduction": "mean-all"}),
        ("l2", {"l2": "one"}),
        ("l2", {"l2": "half-over-n"}),
        ("l2_bias", {"l2_bias": True}),
        ("names", {"names": ArrayNames(weight="Theta{l}")}),
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
    """The convention's names decide it, and nothing of the layout does."""
    late = convention("p", Layout(batch="columns", weights="rows"), names=preset("ng-ufldl").names)
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
        "ng-ml-2011 keeps one node a row, so Z₂ = A₁ Θ₁ᵀ, the commutation K₅,₅ transposes, and Θ₁_grad = δ₂ᵀ A₁ / m; "
        "cs231n keeps one node a column, so Z₁ = X W₁ + 1 b₁ᵀ, no commutation appears, and dW₁ = Xᵀ dZ₁.",
        "ng-ml-2011 absorbs the bias in Θ₁, beside a first column of ones, and on the way back a selection keeps "
        "[:, 1:], which drops the ones' entry of the cotangent; "
        "cs231n keeps the bias apart, so no selection appears, and db₁ = 1ᵀdZ₁, a sum over the examples.",
        "ng-ml-2011 stacks columns in vec, so V ↦ A V Bᵀ is B ⊗ A, here (I₅ ⊗ A₁); "
        "cs231n stacks rows in vec, so V ↦ A V Bᵀ is A ⊗ B, here (X ⊗ I₅).",
        "ng-ml-2011 writes 1 / m at the gradient, Θ₁_grad = δ₂ᵀ A₁ / m; "
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


# --- what the layout says is in the factors ------------------------------------------------------------


def derivation_of(own, l2=0.0):
    """A network's derivation in this convention, and the run's own Jacobians between the loss and the first weight."""
    from jacobians import Network

    net = Network.dense((4, 5, 3), convention=own, l2=l2)
    rng = np.random.default_rng(1)
    params = {name: rng.normal(size=a.shape) for name, a in net.init(rng).items()}
    run = net.run(params, rng.normal(size=own.layout.batch_shape(6, 4)), LABELS)
    return derive(run), [factor.jacobian.numerator.structure for factor in run.chain("W1")]


def first(kind, factors):
    return next((factor for factor in factors if isinstance(factor, kind)), None)


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_the_layout_made_the_factors_and_the_factors_say_it_again(layout):
    """The sentences read the layout; each of its choices can be read back from where things stand in the chain."""
    derivation, structures = derivation_of(convention("p", layout))
    to_weight, to_inputs = derivation["W1"].factors, derivation["X"].factors.jacobians
    assert (to_weight.order, to_weight.derivative) == (layout.vec, layout.derivative)
    # examples in rows are multiplied by weights from the right, so the identity of the examples is the left factor
    by_inputs = first(Kronecker, to_inputs)
    assert isinstance(by_inputs.left, int) == (layout.batch == "rows")
    assert isinstance(by_inputs.right, int) == (layout.batch == "columns")
    # the way back has W itself where one node is a row of it, and its transpose where it is a column
    weight = by_inputs.right if layout.batch == "rows" else by_inputs.left
    assert isinstance(weight, Transposed) == (layout.weights == "columns")
    # a commutation stands where examples and nodes lie along the same lines: X Wᵀ and Wᵀ X
    commutation = first(Commutation, to_weight.jacobians) is not None
    assert commutation == (layout.batch == layout.weights) == any("Commutation" in s for s in structures)
    # a selection drops the ones' cotangent, at their own end; without ones there is none
    selection = first(Selection, [factor.T for factor in to_inputs])
    assert (selection is not None) == layout.absorbs_bias == any("Selection" in s for s in structures)
    if selection is not None:
        features = range(selection.domain[layout.feature_axis])
        assert features[selection.key[layout.feature_axis % 2]] == features[layout.without_bias]
        assert selection.key[layout.batch_axis % 2] == slice(None)
    assert ("b1" in derivation.parameters) == (layout.bias == "separate")
    if layout.bias == "separate":
        inside = list(derivation["b1"].formula.inside)
        assert any(isinstance(part, SumOver) and part.axis == layout.batch_axis % 2 for part in inside)


@pytest.mark.parametrize("bias", ["separate", "first", "last"])
@pytest.mark.parametrize("touched", [False, True])
def test_the_convention_made_the_regulariser_and_the_formulas_say_it_again(bias, touched):
    derivation, _ = derivation_of(convention("p", Layout(bias=bias), l2_bias=touched), l2=0.3)
    formula = derivation["W1"].formula.right
    assert isinstance(formula, Add)
    assert isinstance(formula.right.right, Placed) == (bias != "separate" and not touched)
    assert (bias == "separate" and isinstance(derivation["b1"].formula.right, Add)) == (bias == "separate" and touched)


@pytest.mark.parametrize("name", ["cs231n", "ng-ufldl"])
def test_the_source_made_the_place_of_the_weight_and_the_steps_say_it_again(name):
    (derivation,) = formulas(name, loss="cross_entropy").derivations
    late = "the weight of each example" in [step.rule for step in derivation["W1"].steps]
    assert late == (name == "ng-ufldl")


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("batch", ["rows", "columns"])
def test_the_gradient_by_a_separate_bias_is_a_sum_over_any_number_of_examples(batch, count):
    pair = convention("p", Layout(batch=batch)), convention("q", Layout(batch=batch, bias="first"))
    found = compare(pair, X[:count], LABELS[:count], sizes=(4, 3)).formulas
    formula = "1ᵀdZ₁" if batch == "rows" else "dZ₁ 1"
    assert f"db₁ = {formula}, a sum over the examples" in str(found)
    inside = list(found.derivations[0]["b1"].formula.inside)
    assert any(isinstance(part, SumOver) for part in inside)
