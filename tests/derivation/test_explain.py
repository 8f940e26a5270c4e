"""What `explain` takes, makes up and refuses; and its reports."""

from __future__ import annotations

import itertools
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from jacobians import Convention, Layout, Network, convention
from jacobians.array_names import ArrayNames
from jacobians.derivation import derive, explain
from jacobians.errors import LayoutError
from jacobians.linops import Dense, Identity
from jacobians.operations import (
    Affine,
    Chain,
    CrossEntropy,
    Parallel,
    Residual,
    Sigmoid,
    SquaredError,
    Tanh,
    Unary,
)


def test_a_run_is_explained_as_it_is():
    net = Network.dense((4, 3, 2), convention="pytorch")
    rng = np.random.default_rng(0)
    run = net.run(net.init(rng), rng.normal(size=(7, 4)), rng.integers(0, 2, 7))
    assert explain(run).shapes["X"] == (7, 4)
    assert explain(run)["W1"].formula.text == derive(run)["W1"].formula.text


def test_the_callers_arrays_are_explained():
    net = Network.dense((2, 2))
    params = {"W1": np.eye(2), "b1": np.zeros(2)}
    X, Y = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), np.array([0, 1, 1])
    derivation = explain(net, params=params, X=X, Y=Y)
    np.testing.assert_array_equal(derivation.values["X"], X)
    expected = net.gradient(params, X, Y)["W1"]
    np.testing.assert_allclose(derivation.values["dW1"], expected, rtol=1e-12)


@pytest.mark.parametrize("which", ["zeros", "ones", "equal"])
def test_arrays_that_look_alike_are_told_apart_by_where_they_lie(which):
    """Weights of zeros, inputs of ones, and square arrays with the same entries still get their own names."""
    fill = {"zeros": 0.0, "ones": 1.0, "equal": 0.5}[which]
    net = Network.dense((3, 3, 3), activation="tanh", convention="pytorch")
    params = {name: np.full(shape, fill) for name, shape in net.shapes().items()}
    derivation = explain(net, params=params, X=np.full((3, 3), fill), Y=np.array([0, 1, 2]))
    assert derivation["W1"].formula.text == "dW₁ = dZ₁ᵀ X"
    assert derivation["X"].formula.text == "dX = dZ₁ W₁"
    assert [d.equation.text for d in derivation.cotangents][1] == "dA₁ = dZ₂ W₂"


def test_a_layout_alone_will_do():
    net = Network.dense((4, 3, 2), l2=0.1)
    assert explain(net, Layout(weights="rows"))["W1"].formula.text == "dW₁ = dZ₁ᵀ X + reg W₁"


def test_the_same_network_has_the_same_gradient_in_every_convention():
    net = Network.dense((4, 3, 2), activation="tanh")
    one, other = explain(net, "cs231n", seed=3), explain(net, "keras", seed=3)
    np.testing.assert_allclose(one.values["dW1"], other.values["dW1"], rtol=1e-13)


def test_what_a_residual_branch_passes_on_has_a_name():
    layout = Layout()
    mine = Convention("mine", layout, reduction="mean")
    net = Network(
        [Affine(layout, (3, 2)), Residual(Chain(Affine(layout, (2, 2)), Tanh()))],
        SquaredError(0.5, "mean", layout),
        mine,
    )
    rng = np.random.default_rng(0)
    params = {name: rng.normal(size=shape) for name, shape in net.shapes().items()}
    run = net.run(params, rng.normal(size=(4, 3)), rng.normal(size=(4, 2)))
    derivation = derive(run)
    scope = dict(derivation.values)
    exec(derivation.to_numpy(), scope)
    for name, gradient in run.gradient().items():
        np.testing.assert_allclose(scope[derivation[name].formula.left.name], gradient, rtol=1e-11, atol=1e-13)
    assert [d.equation.text for d in derivation.forward] == [
        "Z₁ = X W₁ + 1 b₁ᵀ",
        "H₁ = Z₁ p2_W₁ + 1 p2_b₁ᵀ",
        "H₂ = tanh(H₁)",
        "A₂ = H₂ + Z₁",
    ]
    assert derivation["X"].formula.text == "dX = dZ₁ W₁ᵀ"
    assert [d.equation.text for d in derivation.cotangents][1] == "dZ₁ = (dA₂ ∘ tanh′(H₁)) p2_W₁ᵀ + dA₂"


class Doubled(Unary):
    """X ↦ 2 X, in a layout that it does not say how to change."""

    def __init__(self, layout: Layout):
        self.layout = layout

    def _linearize(self, *arrays):
        (X,) = arrays
        return 2 * X, {"X": lambda: 2 * Identity(X.shape)}


def test_what_cannot_be_moved_says_so():
    layout = Layout()
    mine = Convention("mine", layout, reduction="mean")
    net = Network([Affine(layout, (3, 2)), Doubled(layout)], SquaredError(0.5, "mean", layout), mine)
    with pytest.raises(LayoutError, match="explain: doubled keeps its own layout; build it in batch in columns"):
        explain(net, "ng-dlai")


def test_compositions_are_moved_with_their_parts():
    layout, rng = Layout(), np.random.default_rng(3)
    mine = Convention("mine", layout, reduction="mean")
    inner = Chain(Affine(layout, (2, 2)), Sigmoid(), layout=layout)
    parts = [Affine(layout, (3, 2)), Residual(inner), Parallel(Tanh(), Chain(Affine(layout, (2, 1))), layout=layout)]
    net = Network(parts, SquaredError(0.5, "mean", layout), mine)
    there = convention("ng-dlai").layout
    moved = [part.moved_to(there) for part in parts]
    assert [type(part) for part in moved] == [type(part) for part in parts]
    assert moved[1].parts[0].parts[0].layout == there
    X, params = rng.normal(size=(4, 3)), {name: rng.normal(size=s) for name, s in net.shapes().items()}
    columns = {name: p.T if p.ndim == 2 else p[:, None] for name, p in params.items()}
    value, J = Chain(*parts)(X, *params.values())
    turned, K = Chain(*moved)(X.T, *columns.values())
    np.testing.assert_allclose(turned, value.T, rtol=1e-13)
    row = rng.normal(size=value.shape)
    for name in params:
        np.testing.assert_allclose(K[name].vjp(row.T), J[name].vjp(row).T.reshape(columns[name].shape), rtol=1e-12)


def test_unknown_presets_are_refused():
    with pytest.raises(LayoutError, match="nowhere"):
        explain(Network.dense((2, 2)), "nowhere")


def test_the_text_shows_chain_sizes_steps_and_formula():
    text = explain(Network.dense((4, 3, 2)), "cs231n").to_text(96)
    lines = text.splitlines()
    assert lines[0] == "cs231n: batch in rows, weights in columns, bias separate, vec C, numerator layout"
    chain = next(i for i, line in enumerate(lines) if line.startswith("  = (1 / N) 1ᵀ"))
    assert lines[chain].split("  ")[1:] != []
    assert lines[chain + 1].split() == ["1×5", "5×10", "10×15", "15×15", "15×12"]
    assert lines[-6:] == [
        "In short",
        "  dW₁ = Xᵀ dZ₁",
        "  db₁ = 1ᵀdZ₁",
        "  dW₂ = A₁ᵀ dZ₂",
        "  db₂ = 1ᵀdZ₂",
        "  dX = dZ₁ W₁ᵀ",
    ]
    assert max(map(len, lines)) <= 96


class Tags(HTMLParser):
    """Whether every element is closed, and no name became one."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        if tag != "mspace":
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_a_weight_may_have_any_name():
    mine = convention("pytorch").replace(names=ArrayNames(weight="kernel{l}"), name="mine")
    derivation = explain(Network.dense((4, 3, 2)), mine)
    assert derivation["kernel1"].formula.text == "dkernel₁ = dZ₁ᵀ X"
    exec(derivation.to_numpy(), dict(derivation.values))


def test_what_only_the_library_knows_has_a_name_that_code_may_use():
    """An opaque matrix is called after its weight, whatever that is called."""

    class Opaque(Affine):
        def _by_weights(self, X, W):
            return Dense(super()._by_weights(X, W).to_dense().reshape(len(X), -1, *W.shape), (len(X), W.shape[1]))

    mine = convention("cs231n").replace(names=ArrayNames(weight="kernel{l}"), name="mine")
    net = Network([Opaque(mine.layout, (3, 2))], SquaredError(0.5, "mean", mine.layout), mine)
    rng = np.random.default_rng(0)
    params = {name: rng.normal(size=shape) for name, shape in net.shapes().items()}
    derivation = derive(net.run(params, rng.normal(size=(5, 3)), rng.normal(size=(5, 2))))
    assert "J_Z1_kernel1" in derivation.values
    scope = dict(derivation.values)
    exec(derivation.to_numpy(), scope)
    np.testing.assert_allclose(scope["dkernel1"], derivation.values["dkernel1"], rtol=1e-12)


@pytest.mark.parametrize("what", ["network", "operation"])
def test_html_is_well_formed_and_escapes_names(what):
    mine = convention("cs231n").replace(name="<b>x</b>")
    html = explain(Network.dense((4, 3, 2)), mine)._repr_html_() if what == "network" else explain(Tanh())._repr_html_()
    tags = Tags()
    tags.feed(html)
    assert tags.open == []
    assert "<b>x" not in html


def test_the_program_stands_alone():
    derivation = explain(Network.dense((4, 3, 2), l2=0.5), "ng-ml-2011")
    program = derivation.to_numpy()
    assert program.startswith("import numpy as np\n")
    assert "# Theta1: (3, 5)\n# Theta2: (2, 4)\n" in program
    names = {"X", "Theta1", "Theta2", "Y", "m", "lam"}
    scope = {name: derivation.values[name] for name in names}
    exec(program, scope)
    np.testing.assert_allclose(scope["Theta1_grad"], derivation.values["Theta1_grad"], rtol=1e-12)


# --- what the targets sum to ----------------------------------------------------------------------------


def _cotangent_of(Y, targets_sum_to_one=None):
    """The first cotangent of a network with a cross-entropy, as text, held against the numbers."""
    loss = CrossEntropy(targets_sum_to_one=targets_sum_to_one)
    run = _cross_entropy_run(Y, loss)
    derivation = derive(run)
    scope = dict(derivation.values)
    exec(derivation.to_numpy(), scope)
    np.testing.assert_allclose(scope["dW1"], run.gradient()["W1"], rtol=1e-11, atol=1e-13)
    return derivation.cotangents[0].equation.text


def _cross_entropy_run(Y, loss):
    net = Network.dense((4, 3), loss=loss, convention="cs231n")
    return net.run(net.init(np.random.default_rng(0)), np.random.default_rng(1).normal(size=(5, 4)), Y)


ONE_HOT = np.eye(3)[[0, 2, 1, 0, 1]]


def test_labels_sum_to_one_and_of_a_matrix_nothing_is_known():
    """The formula is that of the kind of the targets; whatever the numbers are, it is right."""
    for labels in ([0, 2, 1, 0, 1], [[0], [0], [0], [0], [0]]):
        assert _cotangent_of(labels) == "dZ₁ = (P − Y) / N"
    for matrix in (ONE_HOT, np.full((5, 3), 1 / 3), 2 * ONE_HOT, np.zeros((5, 3)), ONE_HOT.astype(int)):
        assert _cotangent_of(matrix) == "dZ₁ = ((Y 1) ∘ P − Y) / N"


def test_a_loss_may_declare_that_its_targets_sum_to_one():
    assert _cotangent_of(ONE_HOT, targets_sum_to_one=True) == "dZ₁ = (P − Y) / N"
    assert _cotangent_of([0, 2, 1, 0, 1], targets_sum_to_one=False) == "dZ₁ = ((Y 1) ∘ P − Y) / N"
    assert CrossEntropy(targets_sum_to_one=True).replace(reduction="sum").targets_sum_to_one
    # what is declared and is not so is no formula, and changes no number
    assert _cotangent_of(2 * ONE_HOT, targets_sum_to_one=True) == "dZ₁ = D / N"
    net = _cross_entropy_run(2 * ONE_HOT, CrossEntropy())
    declared = _cross_entropy_run(2 * ONE_HOT, CrossEntropy(targets_sum_to_one=True))
    np.testing.assert_array_equal(net.gradient()["W1"], declared.gradient()["W1"])


@pytest.mark.parametrize("width", [40, 60, 80, 100])
def test_sizes_stand_under_their_factors_at_any_width(width: int) -> None:
    """Each size is centred in the columns of its factor, and no line is wider than what was asked for."""
    lines = explain(Network.dense((40, 30, 20, 10), convention="ng-ml-2011")).to_text(width).splitlines()
    assert max(map(len, lines)) <= width
    pairs = [(above, below) for above, below in itertools.pairwise(lines) if re.fullmatch(r"(\s+\d+×\d+)+", below)]
    assert len(pairs) >= 3
    for above, below in pairs:
        factors = [m.span() for m in re.finditer(r"\S+( \S+)*", above.replace("  = ", "    ", 1))]
        sizes = [m.span() for m in re.finditer(r"\S+", below)]
        assert len(factors) == len(sizes)
        for (left, right), (first, last) in zip(factors, sizes, strict=True):
            assert abs((left + right) - (first + last)) <= 1, (above, below)
