"""Operations made of operations run on symbols: every line is what is computed, and no text depends on the numbers."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from jacobians import Convention, Layout, Network, convention
from jacobians.array_names import ArrayNames
from jacobians.arrays import Array
from jacobians.derivation import Derivation, derive, explain
from jacobians.network import Run
from jacobians.operations import (
    Affine,
    Chain,
    Elementwise,
    Operation,
    Parallel,
    Residual,
    Sigmoid,
    Softmax,
    SquaredError,
    Tanh,
    Unary,
)
from tests.derivation.networks import A_THIRD_EVERY_DAY, LAYOUTS
from tests.derivation.test_derive_network import check_every_line
from tests.derivation.test_derive_operation import check


def parts_of(layout: Layout) -> list[Operation]:
    """A residual chain with a softmax, branches of two kinds, a chain in a chain, and a residual of branches."""
    residual = Residual(Chain(Affine(layout, (3, 3)), Tanh(), Softmax(layout), layout=layout), layout)
    branches = Parallel(Sigmoid(), Chain(Affine(layout, (3, 1)), Tanh(), layout=layout), layout=layout)
    nested = Chain(Affine(layout, (4, 2)), Chain(Tanh(), Affine(layout, (2, 4)), layout=layout), layout=layout)
    halves = Parallel(*(Affine(layout, (4, 2)) for _ in range(2)), layout=layout)
    return [Affine(layout, (2, 3)), residual, branches, nested, Residual(Chain(Tanh(), halves, layout=layout), layout)]


def network(layout: Layout, name: str = "mine") -> Network:
    mine = Convention(name, layout, reduction="mean", l2="half")
    return Network(parts_of(layout), SquaredError(0.5, "mean", layout), mine, l2=0.3)


def run_of(net: Network, seed: int, fill: float | None = None) -> Run:
    """A run at random numbers, or one where all are the same."""
    rng = np.random.default_rng(seed)

    def array(*shape: int) -> Array:
        return rng.normal(size=shape) if fill is None else np.full(shape, fill)

    params = {name: array(*shape) for name, shape in net.shapes().items()}
    return net.run(params, array(*net.layout.batch_shape(4, 2)), array(*net.layout.batch_shape(4, 4)))


def everything(derivation: Derivation) -> tuple[str, ...]:
    return str(derivation), derivation.to_numpy()


@pytest.mark.parametrize("layout", A_THIRD_EVERY_DAY, ids=str)
def test_every_line_in_every_layout(layout: Layout) -> None:
    net = network(layout)
    run = run_of(net, 0)
    derivation = derive(run)
    assert not [n for n in derivation.values if n.startswith(("J_", "d_"))], "nothing is opaque"
    check_every_line(run, derivation)
    expected = everything(derivation)
    for fill in (None, 0.0, 1.0, 0.5):
        assert everything(derive(run_of(net, 1, fill))) == expected


@pytest.mark.parametrize("preset", ["ng-ml-2011", "cs231n-bias-trick", "cs224n-columns", "sklearn-mlp"])
def test_every_line_in_a_sources_own_names(preset: str) -> None:
    net = network(convention(preset).layout, preset)
    run = run_of(net, 2)
    check_every_line(run, derive(run))


def test_equal_weights_have_the_same_derivation() -> None:
    net = network(Layout())
    run = run_of(net, 0)
    by_shape = {array.shape: array for array in run.params.values()}
    equal = net.run({name: by_shape[array.shape].copy() for name, array in run.params.items()}, run.X, run.Y)
    one, other = derive(equal), derive(run)
    assert everything(one) == everything(other)
    assert (one.to_latex(), one.to_mathml()) == (other.to_latex(), other.to_mathml())


def test_what_is_passed_on_inside_is_named_and_never_like_another_array() -> None:
    layout = Layout()
    mine = Convention("mine", layout, reduction="mean", names=ArrayNames(weight="H{l}"))
    net = Network([Residual(Chain(Affine(layout, (2, 2)), Tanh())), Affine(layout, (2, 2))], SquaredError(), mine)
    run = net.run({n: np.ones(s) for n, s in net.shapes().items()}, np.ones((3, 2)), np.zeros((3, 2)))
    derivation = derive(run)
    shown = [definition.symbol.name for definition in derivation.forward]
    assert len(set(shown) | set(run.params)) == len(shown) + len(run.params)
    check_every_line(run, derivation)


def test_joined_branches_share_the_cotangent() -> None:
    derivation = derive(run_of(network(Layout()), 0))
    steps = {step.rule: step.reason for name in derivation.parameters for step in derivation[name].steps}
    assert steps["a branch's share"].startswith("A branch's outputs are a part of the joined array, Sᵀ keeps their")
    assert "selection drops δ₀" not in steps
    (joined,) = [d for d in derivation.forward if d.name == "A3"]
    assert joined.equation.text == "A₃ = [H₄ H₆]"
    assert joined.equation.latex == r"A_{3} = \left[H_{4} \; H_{6}\right]"
    assert joined.equation.numpy == "A3 = np.concatenate([H4, H6], axis=1)"


@pytest.mark.parametrize("layout", LAYOUTS[::7], ids=str)
@pytest.mark.parametrize("which", range(1, 5))
def test_an_operation_of_operations_by_itself(layout: Layout, which: int) -> None:
    operation = parts_of(layout)[which]
    rng = np.random.default_rng(which)
    shapes = operation.parameter_shapes()
    arrays = [rng.normal(size=layout.batch_shape(4, 3 if which < 3 else 4))]
    arrays += [rng.normal(size=shapes[name]) for name in operation.names[1:]]
    derivation = explain(operation, layout, *arrays)
    scope = dict(derivation.values)
    exec(derivation.to_numpy(), scope)
    value, jacobians = operation.evaluate(*arrays)
    assert derivation.value is not None
    np.testing.assert_allclose(scope[derivation.value.left.name], value, rtol=1e-12, atol=1e-13)
    for wrt, found in derivation.inputs.items():
        for equation, computed in (
            (found.jacobian, jacobians.numerator(wrt).to_dense(layout.vec)),
            (found.pullback, jacobians.numerator(wrt).vjp(scope[f"d{derivation.value.left.name}"])),
        ):
            name = equation.numpy.partition(" = ")[0]
            expected = computed.T if equation is found.jacobian and layout.derivative == "denominator" else computed
            np.testing.assert_allclose(scope[name], expected, rtol=1e-12, atol=1e-13, err_msg=equation.text)


# --- a user's operation inside that cannot be written ------------------------------------------------------


class NoSymbols(Unary):
    """A user's own, whose code asks for what only numbers have."""

    per_example = True

    def _linearize(self, *arrays):
        from jacobians.linops import Diagonal

        (X,) = arrays
        return np.multiply(X, X), {"X": lambda: Diagonal(np.multiply(2.0, X))}


class WrongFormula(Elementwise):
    """A user's own, whose textbook form is another function."""

    textbook = staticmethod(lambda z: z + 1)
    textbook_prime = staticmethod(lambda z: np.ones_like(z))

    def _rule(self, z):
        return z * z, lambda: 2 * z


@pytest.mark.parametrize("own", [NoSymbols, WrongFormula])
def test_what_no_formula_is_known_for_gets_names(own: type[Unary]) -> None:
    """Its Jacobians are those of the numbers, each array by a name of its own; no value inside is left over."""
    layout = Layout()
    mine = Convention("mine", layout, reduction="mean")
    parts = [Affine(layout, (2, 3)), Residual(Chain(Affine(layout, (3, 3)), own(), Tanh())), own()]
    net = Network(parts, SquaredError(0.5, "mean", layout), mine)
    rng = np.random.default_rng(0)
    params = {name: rng.normal(size=shape) for name, shape in net.shapes().items()}
    run = net.run(params, rng.normal(size=(4, 2)), rng.normal(size=(4, 3)))
    derivation = derive(run)
    assert [d.symbol.name for d in derivation.forward] == ["Z1"]
    assert not [name for name in derivation.values if name.startswith("H")]
    assert [name for name in derivation.values if name.startswith("d_A2p_A2")]
    check_every_line(run, derivation)


def test_a_users_operation_alone_in_both_orders() -> None:
    X = np.arange(6.0).reshape(2, 3)
    for vec, kind in itertools.product(("C", "F"), (NoSymbols, WrongFormula)):
        check(kind(), Layout(vec=vec), X)


# --- many paths --------------------------------------------------------------------------------------------


def test_a_cotangent_that_several_paths_share_is_written_once() -> None:
    """Residuals in a chain: every formula is as long as its own block asks for, not twice as long a block."""
    layout = Layout()
    mine = Convention("mine", layout, reduction="mean")

    def derived(count: int) -> Derivation:
        blocks = [Residual(Chain(Affine(layout, (2, 2)), Tanh())) for _ in range(count)]
        net = Network([Affine(layout, (3, 2)), Chain(*blocks)], SquaredError(0.5, "mean", layout), mine)
        rng = np.random.default_rng(0)
        params = {name: rng.normal(size=shape) for name, shape in net.shapes().items()}
        run = net.run(params, rng.normal(size=(4, 3)), rng.normal(size=(4, 2)))
        derivation = derive(run)
        check_every_line(run, derivation)
        return derivation

    three, nine = derived(3), derived(9)
    assert [d.equation.text for d in three.cotangents] == [
        "dA₂ = (A₂ − Y) / N",
        "G₁ = (dA₂ ∘ tanh′(H₇)) p2_3_W₁ᵀ + dA₂",
        "G₂ = (G₁ ∘ tanh′(H₄)) p2_2_W₁ᵀ + G₁",
        "dZ₁ = (G₂ ∘ tanh′(H₁)) p2_1_W₁ᵀ + G₂",
    ]
    longest = [max(len(d.equation.text) for d in derivation.cotangents) for derivation in (three, nine)]
    assert longest[1] <= longest[0] + 6, "longer numbers only"
