"""Structures and operations on symbols: what they write is what they compute, and no formula depends on the numbers."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jacobians import Convention, Layout, Network, all_conventions
from jacobians.arrays import Array
from jacobians.derivation import derive, explain
from jacobians.linops import (
    BlockDiagonal,
    Commutation,
    Dense,
    Diagonal,
    DiagonalMinusOuter,
    Identity,
    Jacobian,
    KhatriRao,
    Kronecker,
    LowRank,
    Reshape,
    Selection,
    Zero,
)
from jacobians.network.made_up_inputs import sample_data
from jacobians.operations import Affine, MatMul, Mean, Softmax, SquaredError, Tanh, Total
from jacobians.symbols.evaluate import evaluate
from jacobians.symbols.expressions import Symbol
from jacobians.symbols.latex import LatexNotation
from jacobians.symbols.mathml import MathmlNotation
from jacobians.symbols.numpy import NumpyNotation
from jacobians.symbols.text import TextNotation
from tests.derivation.networks import LAYOUTS
from tests.symbols.test_notation import parsed

rng = np.random.default_rng(0)


def n(*shape: int) -> Array:
    return rng.normal(size=shape)


STRUCTURES: dict[str, Jacobian] = {
    "Kronecker": Kronecker(n(5, 2), n(3, 4)),
    "Kronecker beside an identity": Kronecker(4, n(3, 4)),
    "Diagonal": Diagonal(n(4, 3)),
    "DiagonalMinusOuter": DiagonalMinusOuter(n(4, 3), n(4, 3), n(4, 3), 1),
    "DiagonalMinusOuter of three axes": DiagonalMinusOuter(n(2, 3, 4), n(2, 3, 4), n(2, 3, 4), 1),
    "BlockDiagonal of rows": BlockDiagonal(n(5, 1, 3), (5,), (5, 3)),
    "BlockDiagonal of rows, batch in columns": BlockDiagonal(n(5, 1, 3), (5,), (3, 5), -1),
    "BlockDiagonal of numbers": BlockDiagonal(n(5, 1, 1), (5,), (5, 1)),
    "BlockDiagonal of matrices": BlockDiagonal(n(5, 2, 3), (5, 2), (5, 3)),
    "KhatriRao": KhatriRao(n(5, 3), n(5, 4)),
    "KhatriRao with more axes": KhatriRao(n(5, 2, 3), n(5, 1, 4)),
    "LowRank": LowRank(n(4, 2), n(6, 2)),
    "LowRank of more axes": LowRank(n(4, 2), n(2, 3, 2)),
    "Dense": Dense(n(4, 3, 2), (4,)),
    "a row": Dense(n(4, 3)),
    "Selection of slices": Selection((slice(None), slice(1, None)), (2, 3)),
    "Selection of places": Selection(np.array([[0, 2], [2, 5], [1, 1]]), (2, 3)),
    "placement": Selection((slice(None), slice(0, -1)), (2, 3)).T,
    "Commutation": Commutation(3, 4),
    "Reshape": Reshape((6,), (2, 3)),
    "Identity": Identity((2, 3)),
    "Zero": Zero((2,), (2, 3)),
    "Scaled": 2.5 * Kronecker(n(5, 2), n(3, 4)),
    "Sum": Kronecker(n(5, 5), 3) + Dense(n(5, 3, 5, 3), (5, 3)),
    "Sum of matrices": Kronecker(n(5, 5), 3) + Diagonal(n(5, 3)) @ Kronecker(5, n(3, 3)),
    "Product": Commutation(5, 3) @ Kronecker(n(5, 2), n(3, 4)),
}


def on_symbols(jacobian: Jacobian, arrays: dict[str, Array]) -> Jacobian:
    """The structure with a symbol for each of its arrays, whose values are noted."""

    def leaf(array: Array) -> Any:
        name = f"M{len(arrays)}"
        arrays[name] = array
        return Symbol(name, array.shape)

    def inner(part: Jacobian) -> Jacobian:
        return part._with_leaves(leaf, inner)

    return inner(jacobian)


@pytest.mark.parametrize("name", STRUCTURES)
def test_a_structures_own_actions_write_what_they_compute(name: str) -> None:
    jacobian, arrays = STRUCTURES[name], dict[str, Array]()
    symbolic = on_symbols(jacobian, arrays)
    cotangent, tangent = n(*jacobian.codomain), n(*jacobian.domain)
    arrays |= {"c": cotangent, "t": tangent}
    actions: Any = (
        (symbolic._vjp, Symbol("c", jacobian.codomain), jacobian.vjp(cotangent)),
        (symbolic._jvp, Symbol("t", jacobian.domain), jacobian.jvp(tangent)),
    )
    for action, symbol, expected in actions:
        formula = action(symbol)
        np.testing.assert_allclose(evaluate(formula, arrays), expected, rtol=1e-12, atol=1e-13)
        assert evaluate(formula, arrays).shape == expected.shape == formula.shape
        code = eval(NumpyNotation().expr(formula), {"np": np}, dict(arrays))
        np.testing.assert_allclose(code, expected, rtol=1e-12, atol=1e-13)
        assert parsed(LatexNotation().expr(formula))
        assert TextNotation().expr(formula)
        assert MathmlNotation().expr(formula)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("name", STRUCTURES)
def test_a_structures_own_matrix_is_its_matrix(name: str, order: Any) -> None:
    from jacobians.symbols.explicit_matrices import MATRICES

    jacobian, arrays = STRUCTURES[name], dict[str, Array]()
    symbolic = on_symbols(jacobian, arrays)
    text = symbolic._written(NumpyNotation(), order)
    if text is None:
        assert name not in ("Kronecker", "Diagonal", "placement", "Sum of matrices"), "these are known"
        return
    matrix = np.asarray(eval(text, {"np": np, **MATRICES}, dict(arrays)))
    np.testing.assert_allclose(matrix.reshape(jacobian.shape), jacobian.to_dense(order), rtol=1e-12, atol=1e-13)
    rule, reason = symbolic._step("vec(Δ)ᵀ", "vec(Γ)ᵀ", TextNotation(), order)
    assert rule
    assert reason.endswith(".")
    assert TextNotation().matrix(symbolic, order) in reason


# --- no formula depends on the numbers ------------------------------------------------------------------


PRESETS = [c.name for c in all_conventions()]


@pytest.mark.parametrize("preset", PRESETS)
def test_other_numbers_have_the_same_derivation(preset: str) -> None:
    for activation, loss in (("relu", "cross_entropy"), ("tanh", "squared_error"), ("sigmoid", "logistic_loss")):
        net = Network.dense((4, 3, 2), activation=activation, loss=loss, convention=preset)
        one, other = (derive(net.run(*sample_data(net, 5, seed))) for seed in (0, 7))
        assert str(one) == str(other)
        assert one.to_numpy() == other.to_numpy()
        assert one.to_latex() == other.to_latex()


def alike(which: str, net: Network) -> tuple[dict[str, Array], Array]:
    """Parameters and inputs among which a search for equal values would find the wrong name."""
    shapes = net.shapes()
    if which == "two weights are the same":
        drawn = {shape: n(*shape) for shape in shapes.values()}
        return {name: drawn[shape].copy() for name, shape in shapes.items()}, n(3, 3)
    if which == "inputs are a weight":
        params = {name: n(*shape) for name, shape in shapes.items()}
        return params, next(iter(params.values())).copy()[:3, :3]
    if which == "nothing is negative":  # relu then changes nothing
        return {name: np.abs(n(*shape)) for name, shape in shapes.items()}, np.abs(n(3, 3))
    number = {"zeros": 0.0, "ones": 1.0, "halves": 0.5}[which]
    return {name: np.full(shape, number) for name, shape in shapes.items()}, np.full((3, 3), number)


@pytest.mark.parametrize(
    "which", ["two weights are the same", "inputs are a weight", "nothing is negative", "zeros", "ones", "halves"]
)
@pytest.mark.parametrize("preset", ["cs231n", "pytorch", "ng-ml-2011", "ng-dlai", "cs231n-bias-trick"])
def test_numbers_that_coincide_have_the_same_derivation(preset: str, which: str) -> None:
    net = Network.dense((3, 3, 3, 3), activation="relu", convention=preset)
    params, X = alike(which, net)
    Y = np.array([0, 1, 2])
    generic, _, _ = sample_data(net, 3, 0)
    expected = derive(net.run(generic, n(3, 3), Y))
    found = derive(net.run(params, X, Y))
    assert str(found) == str(expected)
    assert found.to_numpy() == expected.to_numpy()


def test_an_operation_at_numbers_that_coincide() -> None:
    X, same = n(3, 3), np.ones((3, 3))
    assert str(explain(MatMul(), None, X, X)) == str(explain(MatMul(), None, n(3, 3), same))
    text = str(explain(Affine(Layout(bias="first")), None, np.ones((5, 3)), np.ones((4, 2))))
    assert text == str(explain(Affine(Layout(bias="first")), None, n(5, 3), n(4, 2)))


# --- what is printed ------------------------------------------------------------------------------------


TEXTS = Path(__file__).with_name("printed.txt")
PRINTED = {
    **{f"net-{name}": (name, (4, 3, 2), "sigmoid", "cross_entropy") for name in PRESETS},
    "net-deep": ("pytorch", (4, 3, 5, 2), "gelu", "squared_error"),
    "net-deep-ones": ("ng-ml-2011", (4, 3, 5, 2), "leaky_relu", "binary_cross_entropy"),
    "net-one-output": ("cs229", (4, 3, 1), "tanh", "binary_cross_entropy"),
    "net-hinge": ("cs231n-bias-trick", (4, 3, 2), "relu", "multiclass_hinge"),
    "net-logistic": ("ng-ufldl", (4, 3, 2), "silu", "logistic_loss"),
}
OPERATIONS: dict[str, Any] = {
    **{f"affine-{i}": (Affine(layout), layout) for i, layout in enumerate(LAYOUTS[::5])},
    "tanh": (Tanh(), Layout()),
    "softmax": (Softmax(), Layout(vec="F")),
    "matmul": (MatMul(), Layout(), np.ones((2, 3)), np.ones((3, 4))),
    "total": (Total(axis=0), Layout(), np.ones((2, 3))),
    "mean": (Mean(axis=1), Layout(), np.ones((2, 3))),
}


def written(name: str) -> str:
    if name in OPERATIONS:
        return str(explain(*OPERATIONS[name]))
    preset, sizes, activation, loss = PRINTED[name]
    net = Network.dense(sizes, convention=preset, activation=activation, loss=loss)
    return str(derive(net.run(*sample_data(net, 5, 1))))


@cache
def stored() -> dict[str, str]:
    """The texts by their names, which stand alone in a line between # and #."""
    _, *parts = re.split(r"^# (.*) #\n", TEXTS.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


@pytest.mark.parametrize("name", [*PRINTED, *OPERATIONS])
def test_the_text_is_what_it_was(name: str) -> None:
    """To take a new text on purpose: `python -m tests.derivation.test_on_symbols`."""
    assert written(name) + "\n" == stored()[name]


def test_every_stored_text_is_compared() -> None:
    assert list(stored()) == [*PRINTED, *OPERATIONS]


def test_outputs_are_named_before_they_are_passed_on() -> None:
    """Ten hidden softmax layers print formulas no longer than two do."""
    layout = Layout()
    mine = Convention("mine", layout, reduction="mean")

    def longest(layers: int) -> int:
        parts = [part for _ in range(layers) for part in (Affine(layout, (3, 3)), Softmax(layout))]
        net = Network([*parts, Affine(layout, (3, 2))], SquaredError(0.5, "mean", layout), mine)
        derivation = derive(net.run(*sample_data(net, 5, 0)))
        named = (*derivation.forward, *derivation.cotangents)
        assert derivation["W1"].formula.text == "dW₁ = Xᵀ dZ₁"
        return max(len(d.equation.text) for d in named)

    assert longest(9) == longest(2)


if __name__ == "__main__":
    every = "".join(f"# {each} #\n{written(each)}\n" for each in (*PRINTED, *OPERATIONS))
    TEXTS.write_text(every, encoding="utf-8")
