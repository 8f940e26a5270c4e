"""What operations and losses say of themselves in symbols: it equals what they compute, and its printed source runs."""

from __future__ import annotations

import inspect
import math
from dataclasses import dataclass

import numpy as np
import pytest

from jacobians import Layout, Network, convention
from jacobians import operations as ops
from jacobians.auditing import audit
from jacobians.comparison import compare
from jacobians.derivation import explain
from jacobians.diagnosis import diagnose
from jacobians.errors import ArgumentError, LayoutError
from jacobians.operations import ACTIVATIONS, LOSSES, SHORT_NAMES, Elementwise, Loss
from jacobians.operations.losses import sum_over_example
from jacobians.operations.operation import UNNAMED
from jacobians.operations.targets import same_shape_targets
from jacobians.symbols.evaluate import evaluate
from jacobians.symbols.expressions import Hadamard, Number, Symbol
from jacobians.symbols.named_functions import source_of
from jacobians.testing import assert_textbook
from tests.operations.activation_and_power_cases import CASES
from tests.operations.loss_cases import LOSSES as LOSS_CASES
from tests.operations.loss_cases import made, scores
from tests.operations.random_inputs import Numbers
from tests.operations.simple_cases import ELEMENTWISE

Z = np.random.default_rng(5).normal(size=(4, 3))
ROWS, COLUMNS = Layout(), Layout(batch="columns", vec="F", derivative="denominator")


@pytest.mark.parametrize("name", CASES)
def test_the_textbook_form_of_an_elementwise_operation_is_what_it_computes(name: str) -> None:
    operation = CASES[name].operation
    z = CASES[name].domain(Z) if "power" not in name and name != "log" else np.abs(Z) + 0.1
    assert_textbook(operation, z)


def of_library(kind: type = Elementwise) -> list[type]:
    """Every operation of the library that derives from one, by its name; the explorer's Φ stands for any of them."""
    found = [kind, *(own for direct in kind.__subclasses__() for own in of_library(direct))]
    rooms = ("jacobians.operations.", "jacobians.layers.", "jacobians.matrix.")
    return sorted({own for own in found if own.__module__.startswith(rooms)}, key=lambda own: own.__name__)


@pytest.mark.parametrize("kind", [kind for kind in of_library() if kind.textbook_prime is not None])
def test_whatever_bends_has_a_textbook_form_of_its_second_derivative(kind: type) -> None:
    assert kind.piecewise_linear or kind.textbook_second is not None
    if not inspect.signature(kind).parameters:
        least = max(getattr(kind, "domain", (0.0,))[0], 0.0)
        assert_textbook(kind(), least + 0.1 + np.abs(Z[:2]) / 4)


@pytest.mark.parametrize("layout", [ROWS, COLUMNS])
@pytest.mark.parametrize("name", LOSS_CASES)
def test_the_textbook_form_of_a_loss_is_what_it_computes(name: str, layout: Layout) -> None:
    g = Numbers(7)
    X = scores(g, name, layout)
    loss, targets = LOSS_CASES[name]
    assert_textbook(made(loss, "mean", layout), X, targets(g, layout, X))


@pytest.mark.parametrize("layout", [ROWS, COLUMNS])
def test_the_textbook_form_of_a_softmax_is_what_it_computes(layout: Layout) -> None:
    assert_textbook(ops.Softmax(layout), Z)
    assert_textbook(ops.LogSoftmax(layout), Z)


# --- the law can fail ------------------------------------------------------------------------------


class ForgottenSquare(Elementwise):
    """tanh, whose derivative in print is not what is computed."""

    textbook = staticmethod(np.tanh)

    def _rule(self, z):
        return np.tanh(z), lambda: 1 / np.cosh(z) ** 2

    @staticmethod
    def textbook_prime(Z):
        return 1 / np.cosh(Z)


class Mish(Elementwise):
    """V ↦ V tanh(log(1 + exp V)), from its rule alone."""

    def _rule(self, z):
        t = np.tanh(np.logaddexp(0, z))

        def derivative():
            return t + z * (1 - t * t) / (1 + np.exp(-z))

        return z * t, derivative


class FactorAgain(ops.SquaredError):
    """Puts its factor into the formula, where the base does it already."""

    def in_symbols(self, X, Y, name=UNNAMED):
        return Hadamard(Number(self.factor), super().in_symbols(X, Y, name))


class HalvedBend(Elementwise):
    """f″ as printed is half of what is computed."""

    textbook, textbook_prime = staticmethod(lambda Z: Z**3), staticmethod(lambda Z: 3 * Z**2)
    textbook_second = staticmethod(lambda Z: 3 * Z)

    def _rule(self, z):
        return z * z * z, lambda: 3 * z * z

    def _curvature(self, z):
        return 6 * z


class HalvedError(ops.SquaredError):
    """Computes half of what it prints."""

    def _examples(self, X, Y):
        losses, delta = super()._examples(X, Y)
        return losses, lambda: delta() / 2


def test_the_law_catches_a_wrong_form_and_one_that_is_the_rule_itself() -> None:
    with pytest.raises(AssertionError, match=r"law symbols: the derivative of forgottensquare: .* expected"):
        assert_textbook(ForgottenSquare(), Z)
    with pytest.raises(AssertionError, match=r"law symbols: the second derivative of halvedbend: .* expected"):
        assert_textbook(HalvedBend(), Z)
    with pytest.raises(AssertionError, match=r"law symbols: δ of squared_error: .* expected"):
        assert_textbook(HalvedError(), Z, Z + 1)
    with pytest.raises(AssertionError, match=r"law symbols: δ of squared_error: .* expected"):
        assert_textbook(FactorAgain(0.5), Z, Z + 1)
    with pytest.raises(AssertionError, match="law symbols: the value of mish: the class states no textbook form"):
        assert_textbook(Mish(), Z)


# --- an operation from its rule alone ----------------------------------------------------------------

GAIN = 1.5


def scaled(z):
    return GAIN * z


@dataclass(frozen=True, eq=False)
class Swish(Elementwise):
    """V ↦ V σ(βV): with a number of its own, an annotated rule, and names of its file."""

    beta: float = 2.0

    def _rule(self, z: np.ndarray) -> tuple:
        s = 1 / (1 + math.e ** (-self.beta * z))
        return scaled(z) * s, lambda: GAIN * (s + self.beta * z * s * (1 - s))


@dataclass(frozen=True, eq=False)
class Table(Elementwise):
    """From an array, which no program can print."""

    table: np.ndarray

    def _rule(self, z):
        return z * self.table[0], lambda: np.full_like(z, self.table[0])


class Helped(Elementwise):
    """From a method of its own."""

    def _square(self, z):
        return z * z

    def _rule(self, z):
        return self._square(z), lambda: 2 * z


def program_of(operation: Elementwise) -> str:
    return source_of([operation.function(), operation.function(prime=True)])


@pytest.mark.parametrize("operation", [*(c.operation for c in CASES.values()), Mish(), Swish(), Swish(0.5)])
def test_the_printed_source_runs_and_gives_the_numbers(operation: Elementwise) -> None:
    scope = {"np": np}
    exec(program_of(operation), scope)
    z = np.abs(Z) + 0.1
    value, J = operation(z)
    for prime, expected in ((False, value), (True, J.diagonal().reshape(z.shape))):
        call = (
            operation.in_symbols(Symbol("z", z.shape))[0]
            if not prime
            else operation.derivative_of(Symbol("z", z.shape))
        )
        numbers = [a.value for a in call.arguments[1:]]
        np.testing.assert_allclose(scope[call.function.name](z, *numbers), expected, rtol=1e-12)
        np.testing.assert_allclose(evaluate(call, {"z": z}), expected, rtol=1e-12)


def test_the_printed_source_of_a_rule() -> None:
    assert program_of(Swish()).splitlines() == [
        "GAIN = 1.5",
        "from types import SimpleNamespace",
        "import math",
        "",
        "",
        "def scaled(z):",
        "    return GAIN * z",
        "",
        "",
        "# Swish states no textbook form. This is the rule of the class; it returns",
        "# the value, and a function that returns the derivative.",
        "def swish_rule(self, z):",
        "    s = 1 / (1 + math.e ** (-self.beta * z))",
        "    return scaled(z) * s, lambda: GAIN * (s + self.beta * z * s * (1 - s))",
        "",
        "",
        "def swish(z, beta):",
        "    return swish_rule(SimpleNamespace(beta=beta), z)[0]",
        "",
        "",
        "def swish_prime(z, beta):",
        "    return swish_rule(SimpleNamespace(beta=beta), z)[1]()",
    ]


def test_where_no_source_stands_alone_the_function_is_given() -> None:
    for operation, why in (
        (Table(np.ones(2)), "it needs a value of type ndarray"),
        (Helped(), "it needs Helped._square"),
        (type("Unread", (Elementwise,), {"_rule": eval("lambda self, z: (z, lambda: z)")})(), "Python finds no source"),
    ):
        name = operation.name
        text = program_of(operation)
        assert f"# {name}_prime is given, as a function of arrays: {why}" in text
        exec(text, {})


def test_two_functions_of_one_name_are_refused() -> None:
    other = type("Tanh", (Elementwise,), {"_rule": Mish._rule})()
    with pytest.raises(LayoutError, match="two functions are called tanh; give one of their classes another `name`"):
        source_of([ops.Tanh().function(), other.function()])
    assert program_of(Swish()) == source_of([s.function(prime=p) for s in (Swish(), Swish(0.5)) for p in (False, True)])


# --- in a network ------------------------------------------------------------------------------------


class Poisson(Loss):
    """Σ exp(xₖ) − yₖ xₖ for each example, from its rule alone."""

    def _examples(self, X, Y):
        targets = same_shape_targets(Y, X, self.name, self.layout)
        rates = np.exp(X)
        return lambda: sum_over_example(rates - targets * X, self.layout), lambda: rates - targets


@pytest.mark.parametrize("preset", ["cs231n", "pytorch", "ng-ml-2011", "ng-dlai"])
@pytest.mark.parametrize("activation", [Mish(), Swish(), Table(np.array([3.0]))])
def test_an_activation_and_a_loss_of_ones_own_in_every_service(preset: str, activation: Elementwise) -> None:
    net = Network.dense((4, 3, 2), activation=activation, loss=Poisson().replace(factor=0.25), convention=preset)
    rng = np.random.default_rng(1)
    params = net.init(rng)
    X = rng.normal(size=net.layout.batch_shape(6, 4))
    Y = rng.normal(size=net.layout.batch_shape(6, 2))
    gradient = net.gradient(params, X, Y)
    derivation = explain(net, params=params, X=X, Y=Y)
    name = activation.name
    assert f"{name}′(" in derivation.to_text()
    assert "0.25 poisson′(" in derivation.to_text()
    scope = dict(derivation.values)
    if isinstance(activation, Table):
        scope |= {
            "table": lambda z: activation(z)[0],
            "table_prime": lambda z: activation(z)[1].diagonal().reshape(z.shape),
        }
    exec(derivation.to_numpy(), scope)
    for own, array in gradient.items():
        np.testing.assert_allclose(scope[derivation[own].formula.left.name], array, rtol=1e-11, atol=1e-13)
    wrong = {own: array.copy() for own, array in gradient.items()}
    weight = next(iter(wrong))
    wrong[weight] *= 2
    assert diagnose(wrong, net, params, X, Y).causes[0].name == "factor-2"


def test_an_audit_knows_the_derivative_of_an_activation_of_ones_own() -> None:
    options = {"sizes": (4, 3, 2), "activation": Mish()}
    assert audit("dZ1 = (dZ2 @ W2.T) * mish_prime(Z1)", "cs231n", **options)
    found = audit("dZ1 = (dZ2 @ W2.T) * mish(Z1)", "cs231n", **options)
    assert not found
    assert "mish" in str(found)


class Quartic(Loss):
    def __init__(self, strength=2.0, reduction="mean", layout=None):  # type: ignore[no-untyped-def]
        super().__init__(reduction, layout)
        self.strength = strength

    def _examples(self, X, Y):  # type: ignore[no-untyped-def]
        r = X - same_shape_targets(Y, X, self.name, self.layout)
        return lambda: sum_over_example(self.strength * r**4, self.layout), lambda: 4 * self.strength * r**3


@pytest.mark.parametrize("name", ["cs231n", "ng-ml-2011", "ng-dlai"])
def test_an_audit_knows_the_derivative_of_a_loss_of_ones_own(name: str) -> None:
    net = Network.dense((4, 3, 2), loss=Quartic(), convention=name)
    line = explain(net).cotangents[0].equation
    assert "quartic_prime(" in line.numpy
    assert audit(line.numpy, net)
    assert not audit(line.numpy.replace(", 2", ", 3"), net)
    assert not audit(line.numpy + " * 3", net)


# --- names ---------------------------------------------------------------------------------------------


def test_losses_and_activations_have_the_names_of_their_functions() -> None:
    between = {name for name in ELEMENTWISE if " " not in name} - {"exp", "log", "square"}
    assert set(ACTIVATIONS) == between
    assert next(iter(ACTIVATIONS)) == "sigmoid"
    for name, kind in {**ACTIVATIONS, **LOSSES}.items():
        assert getattr(ops, name)
        assert kind().name == name
    for short, name in SHORT_NAMES.items():
        with pytest.warns(DeprecationWarning, match=f"loss='{short}' is called loss='{name}'"):
            net = Network.dense((2, 2), loss=short)
        assert type(net.loss) is LOSSES[name]


def test_a_short_name_warns_at_the_line_that_used_it() -> None:
    X, Y, sizes = np.ones((3, 4)), np.ones((3, 2)), (4, 3, 2)
    for call in (
        lambda: Network.dense(sizes, loss="squared"),
        lambda: Network.dense(sizes).replace(loss="squared"),
        lambda: compare(["cs231n"], X, Y, sizes=sizes, loss="squared"),
    ):
        with pytest.warns(DeprecationWarning, match="loss='squared' is called loss='squared_error'") as told:
            call()
        assert [warning.filename for warning in told] == [__file__]


def test_a_network_takes_another_loss_by_name() -> None:
    net = Network.dense((4, 3, 2), convention="pytorch-mse").replace(loss="squared_error")
    for found in (net, Network(net.chain.parts, "squared_error", "pytorch-mse")):
        assert type(found.loss) is ops.SquaredError
        assert (found.loss.layout, found.loss.reduction) == (found.layout, "mean-all")
    with pytest.raises(LayoutError, match="loss is None, no name and no instance"):
        Network(net.chain.parts, None, "pytorch-mse")  # type: ignore[arg-type]


def test_a_comparison_calls_operations_of_ones_own_by_their_names() -> None:
    X, Y = np.random.default_rng(0).normal(size=(2, 5, 2))
    found = compare(["cs231n", "ng-dlai"], X, Y, sizes=(2, 3, 2), activation=Mish(), loss=ops.SquaredError(0.5))
    assert found.agree
    assert (found.activation, found.loss) == ("mish", "squared_error")
    assert "network 2-3-2, mish, squared_error" in str(found)


@pytest.mark.parametrize("name", ["np", "m"])
def test_a_program_refuses_a_function_that_is_called_like_an_array(name: str) -> None:
    derivation = explain(Network.dense((4, 3, 2), activation=type(name, (Mish,), {})(), convention="ng-ml-2011"))
    with pytest.raises(LayoutError, match=f"to_numpy: a function and an array are called {name}; give"):
        derivation.to_numpy()


@pytest.mark.parametrize("what", ["cs231n", None, 3])
def test_explain_says_what_it_takes(what: object) -> None:
    with pytest.raises(TypeError, match="explain: takes a Network, a Run, an Operation or a Value, not "):
        explain(what)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("what", "text"),
    [
        (ops.sigmoid, r"not the function sigmoid: a function evaluates at once; use Sigmoid\(\)"),
        (ops.leaky_relu, r"not the function leaky_relu: a function evaluates at once; use LeakyReLU\(\)"),
        (ops.Tanh, r"not the class Tanh: make one, Tanh\(…\)"),
        (lambda X, W: X @ W, r"not the function <lambda>: of a forward pass of values, explain its scalar, or a Net"),
    ],
)
def test_explain_says_what_to_pass_for_a_function(what: object, text: str) -> None:
    with pytest.raises(ArgumentError, match=f"explain: takes a Network, a Run, an Operation or a Value, {text}"):
        explain(what)  # type: ignore[arg-type]


def test_an_unknown_name_is_answered_by_the_nearest() -> None:
    with pytest.raises(LayoutError, match=r"loss 'square_error' is unknown; .*; did you mean squared_error\?"):
        Network.dense((2, 2), loss="square_error")
    with pytest.raises(LayoutError, match=r"activation 'sigmod' is unknown; .*; did you mean sigmoid\?"):
        Network.dense((2, 2, 2), activation="sigmod")
    with pytest.raises(
        LayoutError, match=r"activation is the class Mish, no name and no instance; pass an instance, Mish\(…\)"
    ):
        Network.dense((2, 2, 2), activation=Mish)


def test_an_instance_gets_the_layout_and_reduction_of_the_convention() -> None:
    found = convention("ng-dlai")
    net = Network.dense((4, 3, 2), activation=ops.Softmax(), loss=ops.SquaredError(0.5, "sum"), convention=found)
    assert net.loss.layout == found.layout
    assert net.loss.reduction == found.effective_reduction
    assert net.loss.factor == 0.5
    assert net.chain.parts[1].layout == found.layout
