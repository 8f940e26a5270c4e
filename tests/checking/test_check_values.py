"""Checks of functions that return values of a graph: their derivatives need not be written by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians.graphs import Value
from jacobians.linops import Diagonal
from jacobians.operations import Unary

RNG = np.random.default_rng(0)
X = RNG.normal(size=(5, 4))
AT = {"W": RNG.normal(size=(4, 3)), "b": RNG.normal(size=3)}


def decoded(p: dict[str, Any]) -> Value:
    W, b = jac.values(**p)
    return jac.tanh(X @ W + b) @ W.T


def loss(p: dict[str, Any]) -> Value:
    return jac.squared_error(decoded(p), X)


def test_the_gradient_is_the_graphs() -> None:
    found = jac.check_gradient(loss, None, AT)
    assert found.verdict == "pass"
    assert [p.name for p in found.parameters] == ["W", "b"]
    assert jac.check_gradient(loss, None, AT, directions=5).verdict == "pass"


def test_a_gradient_by_hand_is_compared_with_the_values() -> None:
    def by_hand(p: dict[str, Any], *, encoder: bool = True) -> dict[str, Any]:
        A = np.tanh(X @ p["W"] + p["b"])
        E = 2 * (A @ p["W"].T - X) / len(X)
        dZ = (E @ p["W"]) * (1 - A**2)
        return {"W": encoder * (X.T @ dZ) + E.T @ A, "b": dZ.sum(axis=0)}

    assert jac.check_gradient(loss, by_hand, AT).verdict == "pass"
    found = jac.check_gradient(loss, lambda p: by_hand(p, encoder=False), AT)
    assert {p.name: p.verdict for p in found.parameters} == {"W": "fail", "b": "pass"}


@pytest.mark.parametrize("derivative", ["numerator", "denominator"])
@pytest.mark.parametrize("vec", ["C", "F"])
def test_the_jacobian_is_the_graphs_in_its_layout(vec: Any, derivative: Any) -> None:
    layout = jac.Layout(vec=vec, derivative=derivative)

    def output(p: dict[str, Any]) -> Value:
        W, b = jac.values(**p)
        return jac.sigmoid(jac.affine(X, W, b, layout=layout)) @ W.T

    assert jac.check_jacobian(output, None, AT).verdict == "pass"


class Cube(Unary):
    """V ↦ V³, with the slope 2V²."""

    def _linearize(self, *arrays: np.ndarray) -> tuple[np.ndarray, Any]:
        (V,) = arrays
        return V**3, {"X": lambda: Diagonal(2 * V**2)}


def test_an_operation_that_is_wrong_fails() -> None:
    def wrong(p: dict[str, Any]) -> Value:
        return Cube()(decoded(p))

    assert jac.check_jacobian(wrong, None, AT).verdict == "fail"
    assert jac.check_gradient(lambda p: wrong(p).sum(), None, AT).verdict == "fail"


def test_what_is_no_value_of_named_inputs() -> None:
    found = jac.check_jacobian(lambda p: decoded(p).array, None, AT)
    assert found.reasons == (
        "the Jacobian raised TypeError: fun returned a ndarray; without jac it returns a value of a graph",
    )
    found = jac.check_gradient(lambda v: (jac.values(v=v)[0] ** 2).sum(), None, AT["b"])
    assert "x must then be a dict of arrays by the names of its inputs, as in jac.values(**x)" in found.reasons[0]
    found = jac.check_gradient(decoded, None, AT)
    assert found.reasons == ("fun returns shape (5, 4), expected a scalar; check_jacobian takes arrays",)
    found = jac.check_gradient(lambda p: (jac.values(V=p["W"], b=p["b"])[0] ** 2).sum(), None, AT)
    assert "no value is called 'W'" in found.reasons[0]


def test_a_function_and_its_gradient_in_each_other_s_place_are_asked_about() -> None:
    found = jac.check_gradient(lambda x: 2 * x, lambda x: (x**2).sum(), np.ones((2, 3)))
    assert found.verdict == "inconclusive"
    assert found.reasons[0].endswith("are the function and its gradient in each other's place?")
