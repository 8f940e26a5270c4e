"""A strategy of networks with parameters and a batch, in any convention."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from jacobians.arrays import Array
from jacobians.conventions import Convention
from jacobians.network import Network
from jacobians.testing.strategies.arrays import distinct_sizes, generators
from jacobians.testing.strategies.layouts import any_conventions

__all__ = ["NetworkCase", "networks"]


class NetworkCase(NamedTuple):
    """A network, its parameters, and a batch with labels or targets."""

    network: Network
    params: dict[str, Array]
    X: Array
    Y: Array


@st.composite
def networks(
    draw: st.DrawFn,
    *,
    convention: st.SearchStrategy[Convention] | None = None,
    layers: int = 2,
    activation: str | None = None,
    loss: str | None = None,
) -> NetworkCase:
    """Draw a fully connected network with random parameters, biases among them, and data.

    Parameters
    ----------
    convention : strategy, optional
        Any, presets included, unless given.
    layers : int
        Affine layers.
    activation, loss : str, optional
        Any smooth activation, and cross-entropy, binary or squared error, unless given.

    Examples
    --------
    >>> from hypothesis import given, settings
    >>> @given(networks(activation="tanh"))
    ... @settings(max_examples=5)
    ... def test(case):
    ...     assert set(case.network.gradient(*case[1:])) == set(case.params)
    >>> test()
    """
    chosen = draw(any_conventions() if convention is None else convention)
    count, *sizes = draw(distinct_sizes(layers + 2, 2, layers + 5))
    kind = loss or draw(st.sampled_from(["cross_entropy", "binary_cross_entropy", "squared_error"]))
    function = activation or draw(st.sampled_from(["sigmoid", "tanh", "softplus", "gelu", "silu"]))
    strength = draw(st.sampled_from([0.0, 0.1])) if chosen.l2 else 0.0
    network = Network.dense(sizes, activation=function, loss=kind, convention=chosen, l2=strength)
    rng = draw(generators())
    params = {name: rng.normal(size=shape) / np.sqrt(shape[-1]) for name, shape in network.shapes().items()}
    shape = network.layout.batch_shape(count, sizes[0])
    Y: Array
    if kind in ("cross_entropy", "binary_cross_entropy", "multiclass_hinge"):
        Y = rng.integers(0, sizes[-1], count)
    else:
        Y = rng.normal(size=network.layout.batch_shape(count, sizes[-1]))
        Y = np.sign(Y) if kind == "logistic_loss" else Y
    return NetworkCase(network, params, rng.normal(size=shape), Y)
