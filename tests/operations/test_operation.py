"""How Jacobians are handed out, and how operations take their arrays."""

from __future__ import annotations

import copy
import operator
import re
from inspect import isabstract, signature
from types import FunctionType
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import jacobians as jac
from jacobians import affine, convention, operations, relu
from jacobians.errors import ArgumentError, DTypeError, LayoutError, ShapeError
from jacobians.layout import Layout
from jacobians.linops import Denominator, Dense, Diagonal, Jacobian
from jacobians.operations import Affine, Elementwise, Jacobians, Sigmoid, SquaredError
from jacobians.operations.operation import called

X, W, B = np.ones((4, 3)), np.ones((3, 2)), np.ones(2)


def test_by_attribute_by_item_and_in_the_order_of_the_inputs() -> None:
    _, J = affine(X, W, B)
    assert list(J) == ["X", "W", "b"]
    assert len(J) == 3
    assert np.array_equal(J.W.to_dense(), J["W"].to_dense())


def test_built_when_first_asked_for_and_once() -> None:
    built = []

    def make() -> Jacobian:
        built.append("X")
        return Dense(np.ones(3))

    J = Jacobians("mine", {"X": make})
    assert built == []
    assert J.X is J.X
    assert built == ["X"]


def test_an_unknown_input_is_named_with_those_that_there_are() -> None:
    _, J = affine(X, W, B)
    with pytest.raises(KeyError, match="affine has Jacobians with respect to X, W, b; not to 'Q'"):
        J["Q"]
    with pytest.raises(AttributeError, match="affine has Jacobians with respect to X, W, b; not to 'Q'"):
        _ = J.Q


RECORD = "the record J of affine's Jacobians with respect to X, W, b, not one of them: write J.X or J.W or J.b"


@pytest.mark.parametrize(
    ("use", "symbol", "side"),
    [
        (operator.matmul, "@", "left"),
        (operator.mul, "*", "left"),
        (operator.add, "+", "left"),
        (operator.sub, "-", "left"),
        (lambda J, other: other @ J, "@", "right"),
        (lambda J, other: other * J, "*", "right"),
        (lambda J, other: other + J, "+", "right"),
        (lambda J, other: other - J, "-", "right"),
    ],
)
@pytest.mark.parametrize("other", [np.ones(8), relu(np.ones((4, 2)))[1], affine(X, W, B)[1], relu(np.ones((4, 2)))])
def test_a_record_in_place_of_one_jacobian(use: Any, symbol: str, side: str, other: Any) -> None:
    """``J4 @ J1`` with ``.X`` forgotten."""
    _, J = affine(X, W, B)
    if isinstance(other, Jacobians):
        side = "left"
    with pytest.raises(ArgumentError, match=re.escape(f"{symbol}: the {side} operand is {RECORD}; the other is ")):
        use(J, other)


def test_a_record_is_no_array_and_has_no_gradient() -> None:
    _, J = affine(X, W, B)
    with pytest.raises(ArgumentError, match=re.escape(f"np.asarray: the argument is {RECORD}")):
        np.asarray(J)
    for name in ("gradient", "shape", "to_dense", "T"):
        with pytest.raises(AttributeError, match=re.escape(f".{name}: this is {RECORD}, then .{name}")):
            getattr(J, name)


def test_copies() -> None:
    _, J = affine(X, W, B)
    assert np.array_equal(copy.copy(J).W.to_dense(), J.W.to_dense())
    assert not hasattr(J, "__deepcopy__")


def test_text() -> None:
    _, J = affine(X, W, B, Layout(derivative="denominator"))
    assert repr(J).splitlines()[:2] == [
        "Jacobians of affine with respect to",
        "  X: Denominator[Kronecker(I₄, 2×3)]: 12×8 float64, (4, 3) → (4, 2), 48 B",
    ]


def test_handed_out_as_the_layout_writes_them() -> None:
    for derivative in ("numerator", "denominator"):
        _, J = affine(X, W, B, Layout(vec="F", derivative=derivative))
        assert isinstance(J.X, Denominator) == (derivative == "denominator")
        assert J.X.order == "F"
        assert J.numerator("X").order is None
        assert not isinstance(J.numerator("X"), Denominator)


def test_pull_may_leave_out_the_first() -> None:
    _, J = affine(X, W, B)
    row = Dense(np.ones((4, 2)))
    assert list(J.pull(row)) == ["X", "W", "b"]
    assert list(J.pull(row, ["W", "b"])) == ["W", "b"]
    assert np.array_equal(J.pull(row)["b"].gradient, [4.0, 4.0])


def test_the_number_of_arrays_is_checked() -> None:
    with pytest.raises(TypeError, match=re.escape("affine: 2 arrays are given, it takes X, W, b")):
        Affine()(X, W)
    with pytest.raises(TypeError, match=re.escape("linear: 3 arrays are given, it takes X, W")):
        Affine(Layout(bias="none"))(X, W, B)
    with pytest.raises(TypeError, match=re.escape("sigmoid: 2 arrays are given, it takes X")):
        Sigmoid()(X, W)


@pytest.mark.parametrize("bad", [X + 1j, X.astype(str), X.astype(object)])
def test_what_are_no_real_numbers_is_refused(bad: np.ndarray) -> None:
    with pytest.raises(DTypeError, match=r"affine: X has dtype .*; expected real numbers"):
        affine(bad, W, B)
    with pytest.raises(DTypeError, match=r"affine: W has dtype"):
        affine(X, bad[:3, :2], B)


def test_what_is_up_cast() -> None:
    for dtype, expected in ((bool, "f8"), (np.uint8, "f8"), (np.int64, "f8"), (np.float16, "f4"), (">f8", "f8")):
        value, J = relu(X.astype(dtype))
        assert value.dtype == J.dtype == np.dtype(expected)
    assert relu([[1, 2]])[0].dtype == np.float64


def test_an_operation_of_one_input_returns_the_jacobian_itself() -> None:
    value, J = Sigmoid()(X)
    assert isinstance(J, Diagonal)
    again, jacobians = Sigmoid().evaluate(X)
    assert np.array_equal(value, again)
    assert list(jacobians) == ["X"]
    with pytest.warns(DeprecationWarning, match="call the operation itself"):
        assert isinstance(Sigmoid().apply(X)[1], Diagonal)
    assert Sigmoid().parameter_shapes() == {}


@pytest.mark.parametrize("name", ["pull", "numerator", "operation"])
def test_an_input_must_not_hide_a_method_of_its_jacobians(name: str) -> None:
    with pytest.raises(TypeError, match=f"Mine: an input called '{name}' would hide Jacobians.{name}; rename it"):
        type("Mine", (Affine,), {"inputs": ("X", name)})


def test_an_input_is_reached_as_an_attribute() -> None:
    with pytest.raises(TypeError, match=r"Mine: an input called '_W' is not reached as J\._W; rename it"):
        type("Mine", (Affine,), {"inputs": ("X", "_W")})


class Cubed(Elementwise):
    def _rule(self, z):  # type: ignore[no-untyped-def]
        return z * z * z, lambda: 3 * z * z


def test_a_rule_may_return_the_scalar_that_numpy_makes_of_an_array_without_axes() -> None:
    value, J = Cubed()(2.0)
    assert isinstance(value, np.ndarray)
    assert value == 8
    assert J.to_dense() == 12


class Doubled(Elementwise):
    def __init__(self, value, slope):  # type: ignore[no-untyped-def]
        self.value, self.slope = value, slope

    def _rule(self, z):  # type: ignore[no-untyped-def]
        return self.value(z), lambda: self.slope(z)


def test_a_rule_gives_arrays_of_its_inputs_shape() -> None:
    Z = np.ones((2, 3))
    for value, slope, said in (
        (np.square, lambda z: 2.0, "derivative a float"),
        (np.square, lambda z: z[0], "derivative an array of shape (3,)"),
        (np.sum, np.square, "value an array of shape ()"),
        (np.ndarray.tolist, np.square, "value a list"),
    ):
        message = f"doubled: _rule gives as the {said} for z of shape (2, 3); it must be an array of z's shape"
        with pytest.raises(ShapeError, match=re.escape(message)):
            Doubled(value, slope)(Z)[1].vjp(Z)


def test_an_elementwise_operation_of_ones_own_is_replayed() -> None:
    again = jac.replayed(lambda Z: Cubed()(Z)[1].vjp(Z))
    for step in (1.0, 2.0, 3.0):
        Z = step * np.arange(6.0).reshape(2, 3)
        assert_array_equal(again(Z), 3 * Z * Z * Z)


@pytest.mark.parametrize(
    ("name", "in_programs", "in_formulas"),
    [
        ("lambda", "lambda_", "lambda"),
        ("leaky_relu", "leaky_relu", "leaky relu"),
        ("_odd__name", "_odd__name", "odd name"),
        ("2nd", "_2nd", "2nd"),
        ("a-b", "a_b", "a-b"),
    ],
)
def test_any_name_is_one_in_programs(name: str, in_programs: str, in_formulas: str) -> None:
    assert called(name, prime=False) == (in_programs, in_formulas)
    assert called(name, prime=True)[0] == f"{in_programs}_prime"


# --- a layout by name ------------------------------------------------------------------------------------

SQUARE = np.random.default_rng(0).uniform(0.1, 0.9, size=(2, 2))
NAMED = ("ng-ml-2011", convention("ng-ml-2011"), convention("ng-ml-2011").layout)
BATCH_IN_COLUMNS = ("ng-dlai", convention("ng-dlai"), convention("ng-dlai").layout)

FUNCTIONS: dict[str, Any] = {
    "add": (SQUARE, SQUARE),
    "add_ones": (SQUARE,),
    "affine": (SQUARE, np.ones((2, 3))),
    "binary_cross_entropy": (SQUARE, SQUARE),
    "cross_entropy": (SQUARE, [0, 1]),
    "hadamard": (SQUARE, SQUARE),
    "huber": (SQUARE, 0 * SQUARE),
    "kl_divergence": (SQUARE, np.abs(SQUARE)),
    "l2": (np.ones((2, 3)), 0.5),
    "linear": (SQUARE, SQUARE),
    "log_softmax": (SQUARE,),
    "logistic_loss": (SQUARE, np.sign(SQUARE)),
    "matmul": (SQUARE, SQUARE),
    "mean": (SQUARE,),
    "multiclass_hinge": (SQUARE, [0, 1]),
    "poisson": (SQUARE, np.abs(SQUARE)),
    "reshape": (SQUARE, (4, 1)),
    "softmax": (SQUARE,),
    "squared_error": (SQUARE, SQUARE),
    "temporal_softmax": (np.stack([SQUARE, SQUARE], axis=1), [[0, 1], [1, 0]]),
    "total": (SQUARE,),
    "transpose": (SQUARE,),
}
CLASSES: dict[str, Any] = {
    "AddOnes": (),
    "Chain": (Affine(),),
    "L2": (0.5,),
    "Parallel": (Affine(),),
    "Residual": (Affine(),),
    "Reshaping": ((4, 1),),
}


def taking_a_layout() -> list[str]:
    """The public functions and classes of the operations that take a layout."""
    found = [name for name in operations.__all__ if isinstance(getattr(operations, name), (type, FunctionType))]
    able = [name for name in found if "layout" in signature(getattr(operations, name)).parameters]
    return [name for name in able if name != "Jacobians" and not isabstract(getattr(operations, name))]


def same_map(one: Any, other: Any) -> bool:
    """Whether two values with their Jacobians are equal, in what they are and in how they are written."""
    pairs = [(one[1], other[1])] if isinstance(one[1], Jacobian) else [(one[1][n], other[1][n]) for n in one[1]]
    alike = all(a.order == b.order and np.array_equal(a.to_dense(), b.to_dense()) for a, b in pairs)
    return alike and np.array_equal(one[0], other[0])


@pytest.mark.parametrize("name", taking_a_layout())
def test_a_layout_is_taken_by_a_presets_name(name: str) -> None:
    made = getattr(operations, name)
    for given in (NAMED, BATCH_IN_COLUMNS):
        if isinstance(made, type):
            if name == "AddOnes" and given is BATCH_IN_COLUMNS:
                continue
            by_name, by_convention, plain = (made(*CLASSES.get(name, ()), layout=layout) for layout in given)
            assert by_name.layout == by_convention.layout == plain.layout == given[2]
            continue
        arguments = FUNCTIONS[name]
        if given is BATCH_IN_COLUMNS and name in ("add_ones", "affine", "l2"):
            continue
        by_name, by_convention, plain = (made(*arguments, layout=layout) for layout in given)
        assert same_map(by_name, plain)
        assert same_map(by_convention, plain)


def test_what_is_no_layout() -> None:
    for made in (lambda layout: affine(X, W, B, layout=layout), Affine, lambda layout: SquaredError(layout=layout)):
        with pytest.raises(LayoutError, match=r"convention: 'pytorhc' is unknown; did you mean 'pytorch'"):
            made("pytorhc")
        with pytest.raises(
            LayoutError, match=r"layout: an array of shape \(4, 3\) is no layout; pass Layout\(batch='rows', …"
        ):
            made(X + 1)
