"""W3: per-example gradients: their factors, norms and inner products, and all of them written out."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from jacobians.linops import Jacobian
from tests.benchmarks import floors, nets, ours
from tests.benchmarks.contest import Case, Contender
from tests.benchmarks.hand_written.jacobians import ByHand
from tests.benchmarks.nets import Net
from tests.benchmarks.peers.installed import contenders

TITLE = "W3: per-example gradients"


def cases(net: Net = nets.MNIST) -> Iterator[Case]:
    yield factors(net)
    yield norms(net)
    yield gram(net)
    yield materialised(net)


class _Ours:
    """The structured object of a new run, as every case begins, and the gradient that its time is held against."""

    def __init__(self, net: Net) -> None:
        self.network = net.network()
        self.floor = Contender("our gradient", "floor", partial(ours.gradient, self.network, *net.data()))

    def __call__(self, *data: Any) -> Jacobian:
        return ours.per_example(self.network.run(*data))


def factors(net: Net) -> Case:
    rows, data = _Ours(net), net.data()

    def by_hand() -> list[tuple[np.ndarray, np.ndarray]]:
        run = ByHand(net, *data)
        return list(zip(run.inputs, run.deltas(), strict=True))

    def read(pairs: list[tuple[np.ndarray, np.ndarray]]) -> dict[str, np.ndarray]:
        return {f"{letter}{k}": a for k, pair in enumerate(pairs) for letter, a in zip("Aδ", pair, strict=True)}

    return Case(
        f"{net.name}: factors",
        (
            rows.floor,
            # every other pair is a bias's: the same deltas against a column of ones
            Contender("factors", "ours", partial(rows, *data), lambda J: read(ours.factors(J)[::2])),
            Contender("NumPy", "by hand", by_hand, read),
        ),
    )


def norms(net: Net) -> Case:
    rows, data = _Ours(net), net.data()
    return Case(
        f"{net.name}: norms",
        (
            rows.floor,
            *ours.also_replayed(
                "norms by structure", lambda *data: ours.squared_norms(rows(*data)), *data, read=_named("norms")
            ),
            Contender("NumPy", "by hand", lambda: ByHand(net, *data).norms(), _named("norms")),
            *contenders("norms", net),
        ),
    )


def gram(net: Net) -> Case:
    rows, data = _Ours(net), net.data()
    return Case(
        f"{net.name}: Gram",
        (
            rows.floor,
            *ours.also_replayed("Gram by structure", lambda *data: ours.gram(rows(*data)), *data, read=_named("gram")),
            Contender("NumPy", "by hand", lambda: ByHand(net, *data).gram(), _named("gram")),
            *contenders("gram", net),
        ),
    )


def materialised(net: Net) -> Case:
    rows, data = _Ours(net), net.data()
    shape = (net.examples, sum((n + 1) * m for n, m in net.pairs()))
    read = _named("gradients")
    own = np.full(shape, np.nan, net.dtype)

    def hand(name: str, by_example: bool) -> Contender:
        given = np.full(shape, np.nan, net.dtype)
        return Contender(name, "by hand", lambda: ByHand(net, *data).per_example(given, by_example), read)

    return Case(
        f"{net.name}: written out {shape[0]}×{shape[1]}",
        (
            *floors.fill(shape, net.dtype),
            Contender("to_dense, fresh", "ours", lambda: ours.dense(rows(*data)), read),
            Contender("to_dense into a given array", "ours", lambda: ours.dense(rows(*data), own), read),
            hand("einsum into a given array", by_example=False),
            hand("the same, example by example", by_example=True),
            *contenders("per_example", net),
        ),
    )


def _named(name: str) -> Any:
    return lambda found: {name: found}
