"""W1: the gradient of a mini-batch, in both spellings, against hand-written NumPy and the product floor."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from jacobians import Layout, Network
from tests.benchmarks import by_hand
from tests.benchmarks.nets import NETS, Arrays, Net, floor
from tests.benchmarks.timing import interleaved

LAYOUTS = {"batch rows": Layout(), "batch columns": Layout(batch="columns", weights="rows")}


def with_chain(net: Network, params: Arrays, X: np.ndarray, y: np.ndarray) -> Arrays:
    """The gradient as the visible chain: one row, multiplied from the left layer by layer."""
    steps = net.chain.run(X, {own: params[name] for name, own in net.names.items()})
    _, row = net.loss.reduced(steps[-1][0], y)
    grads = {}
    for position in reversed(range(len(steps))):
        jacobians = steps[position][1]
        for name, own in net.names.items():
            place, local = net.chain.owner(own)
            if place == position:
                grads[name] = (row @ jacobians.numerator(local)).gradient
        if position:
            row = row @ jacobians.numerator("X")
    return grads


def contenders(net: Net) -> dict[str, Callable[[], object]]:
    """By name; the first is the floor. All gradients are compared before they are timed."""
    params, X, y = net.data(LAYOUTS["batch rows"])
    hand = by_hand.gradient(net, params, X, y)
    found: dict[str, Callable[[], object]] = {"product floor": floor(net), "NumPy by hand": hand}
    expected = hand()
    for label, layout in LAYOUTS.items():
        network, (own, data, labels) = net.network(layout), net.data(layout)
        turned = {n: a if layout.batch == "rows" else a.T.reshape(own[n].shape) for n, a in params.items()}
        for spelling, call in (
            ("Network.gradient", partial(network.gradient, turned, data, labels)),
            ("chain with @", partial(with_chain, network, turned, data, labels)),
        ):
            for name, gradient in call().items():
                want = expected[name] if layout.batch == "rows" else expected[name].T.reshape(gradient.shape)
                scale = np.abs(want).max() * np.finfo(net.dtype).eps
                assert np.abs(gradient - want).max() <= 1e4 * scale, f"{net.name}, {label}, {spelling}: {name}"
            found[f"{spelling}, {label}"] = call
    return found


def measure(seconds: float) -> list[dict[str, Any]]:
    """One row for each net and contender."""
    rows = []
    for net in NETS:
        times = interleaved(contenders(net), seconds)
        hand = times["NumPy by hand"].median
        for name, timing in times.items():
            rows.append(
                {
                    "case": net.name,
                    "contender": name,
                    "ms": timing.median * 1e3,
                    "÷ floor": timing.ratio,
                    "÷ by hand": timing.median / hand,
                }
            )
    return rows
