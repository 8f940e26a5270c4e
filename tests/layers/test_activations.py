"""Activations at their kinks, at large entries, and what they refuse; their laws are in test_laws."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians import layers
from jacobians.errors import DomainError, ShapeError


@pytest.mark.parametrize(
    ("function", "at", "slopes"),
    [
        (layers.hard_tanh, [-1.0, 1.0], [0, 0]),
        (layers.hard_swish, [-3.0, 3.0], [0, 1]),
        (layers.absolute, [0.0], [0]),
        (layers.elu, [0.0], [1]),
        (lambda X: layers.clip(X, 0, 2), [0.0, 2.0], [0, 0]),
    ],
)
def test_slopes_at_kinks_are_documented_ones(function: Callable[..., Any], at: list[float], slopes: list[int]) -> None:
    assert function(at)[1].diagonal().tolist() == slopes


@pytest.mark.parametrize("name", ["elu", "selu", "mish", "soft_sign", "hard_swish"])
def test_large_entries(name: str) -> None:
    for dtype in (np.float32, np.float64):
        value, J = getattr(layers, name)(np.array([-1e4, 1e4], dtype))
        assert np.isfinite(value).all()
        assert np.isfinite(J.diagonal()).all()


def test_mish_in_40_digits() -> None:
    from decimal import Decimal, localcontext

    with localcontext() as context:
        context.prec = 40
        for z in (-30.0, -2.0, -1e-3, 0.5, 3.0, 40.0):
            grown = (1 + Decimal(z).exp()) ** 2
            expected = Decimal(z) * (grown - 1) / (grown + 1)
            np.testing.assert_allclose(layers.mish([z])[0][0], float(expected), rtol=1e-15)


def test_of_values() -> None:
    (X,) = jac.values(X=np.array([[-1.0, 2.0]]))
    L = layers.maximum(layers.selu(layers.elu(X)), layers.prelu(X, 0.5)).sum()
    assert L.gradients(X)[0].shape == (1, 2)


def refused(error: type[Exception], message: str) -> Any:
    return pytest.raises(error, match=f"^{re.escape(message)}$")


def test_refusals() -> None:
    with refused(DomainError, "sqrt: X has the entry 0; a derivative exists only between 0 and inf"):
        layers.sqrt([0.0, 1.0])
    with refused(DomainError, "clip: low=1 and high=0; low must be below high"):
        layers.clip([1.0], 1, 0)
    with refused(DomainError, "elu: alpha=inf is not finite; take a number such as 1"):
        layers.elu([1.0], np.inf)
    with refused(ShapeError, "prelu: a has shape (2,), X (4, 3); expected () or (3,)"):
        layers.prelu(np.ones((4, 3)), [0.1, 0.2])
