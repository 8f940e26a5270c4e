"""Networks to derive: every layout, several activations, losses, reductions and depths, with generic numbers."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from jacobians import Convention, Layout, Network
from jacobians.network import Run
from jacobians.operations import Affine

LAYOUTS = [
    Layout(*choice)
    for choice in itertools.product(
        ("rows", "columns"),
        ("rows", "columns"),
        ("separate", "first", "last", "none"),
        ("C", "F"),
        ("numerator", "denominator"),
    )
]

A_THIRD_EVERY_DAY = [
    pytest.param(layout, marks=pytest.mark.slow if number % 3 else ()) for number, layout in enumerate(LAYOUTS)
]

NETWORKS = [
    ("sigmoid", "cross_entropy", (4, 3, 2), "mean", 0.3),
    ("tanh", "squared_error", (3, 4, 5, 2), "sum", 0.0),
    ("relu", "multiclass_hinge", (2, 6, 3), "mean-all", 0.2),
    ("leaky_relu", "logistic_loss", (4, 3, 2), "mean", 0.0),
    ("softplus", "binary_cross_entropy", (3, 5, 4, 2), "sum", 0.1),
    ("gelu", "cross_entropy", (2, 3, 4), "mean-all", 0.0),
    ("silu", "squared_error", (6, 4, 3), "mean", 0.7),
    ("sigmoid", "binary_cross_entropy", (4, 1), "mean", 0.0),
    ("tanh", "cross_entropy", (3, 2), "sum", 0.4),
    ("relu", "logistic_loss", (5, 4, 3, 2), "mean-all", 0.5),
    ("sigmoid", "multiclass_hinge", (3, 2, 4, 3), "mean", 0.0),
    ("gelu", "binary_cross_entropy", (2, 4, 3), "mean", 0.1),
]
"""Activation, loss, sizes, reduction, λ: twelve of each layout."""


def make(layout: Layout, which: int, **convention: Any) -> Network:
    """Return one of the networks in a layout."""
    activation, loss, sizes, reduction, l2 = NETWORKS[which]
    penalty = ("half", "one", "half-over-n")[which % 3]
    mine = Convention("mine", layout, reduction=reduction, l2=penalty, l2_bias=which % 2 == 0)
    return Network.dense(sizes, activation=activation, loss=loss, convention=mine.replace(**convention), l2=l2)


def run_of(net: Network, seed: int, count: int = 5) -> Run:
    """Return a run at random parameters, inputs and targets."""
    rng = np.random.default_rng(seed)
    layers = [part for part in net.chain.parts if isinstance(part, Affine)]  # a sigmoid may follow the last
    first, last = layers[0].sizes, layers[-1].sizes
    params = {name: rng.normal(size=shape) for name, shape in net.shapes().items()}
    X = rng.normal(size=net.layout.batch_shape(count, first[0]))
    shape = net.layout.batch_shape(count, last[1])
    match net.loss.name:
        case "squared_error":
            Y = rng.normal(size=shape)
        case "logistic_loss":
            Y = rng.choice([-1.0, 1.0], size=shape)
        case "binary_cross_entropy":
            Y = rng.uniform(size=shape)
        case _:
            Y = rng.integers(0, last[1], count)
    return net.run(params, X, Y)


def every_run() -> Iterator[tuple[str, Run]]:
    """Yield every network in every layout."""
    for (i, layout), which in itertools.product(enumerate(LAYOUTS), range(len(NETWORKS))):
        yield f"{layout}, network {which}", run_of(make(layout, which), 100 * which + i)
