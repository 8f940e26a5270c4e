"""Nets of a reader's own, drawn at random, as the page describes one, and the library's own run of each."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from jacobians.explorer.example_nets import Example
from jacobians.explorer.templates import LOSS_VALUES
from jacobians.operations import ACTIVATIONS


def random_example(rng: np.random.Generator, layers: int | None = None) -> Example:
    """A net of one to five layers."""
    depth = layers or int(rng.integers(1, 6))
    sizes = tuple(int(n) for n in rng.integers(2, 6, size=depth + 1))
    count = int(rng.integers(2, 7))
    params = {}
    for layer, (n_in, n_out) in enumerate(itertools.pairwise(sizes), start=1):
        params[f"W{layer}"] = rng.normal(size=(n_in, n_out))
        params[f"b{layer}"] = rng.normal(size=n_out)
    activation, loss = rng.choice(list(ACTIVATIONS)), rng.choice(list(LOSS_VALUES))
    X, labels = rng.normal(size=(count, sizes[0])), rng.integers(sizes[-1], size=count)
    return Example("", sizes, str(activation), str(loss), params, X, labels)


def described(example: Example) -> dict[str, Any]:
    """As the page has a net that a reader edited; numbers in full."""
    return {
        "sizes": list(example.sizes),
        "count": example.X.shape[0],
        "activation": example.activation,
        "loss": example.loss,
        "params": {name: array.ravel().tolist() for name, array in example.params.items()},
        "X": example.X.ravel().tolist(),
        "labels": example.labels.tolist(),
        "wrt": [[name, name] for name in example.wrt],
    }
