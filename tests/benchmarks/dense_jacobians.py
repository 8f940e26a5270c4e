"""W2: outputs by all parameters and by the inputs: the structured object, the dense matrix, the blocks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tests.benchmarks import floors, nets, ours
from tests.benchmarks.contest import Case, Contender
from tests.benchmarks.hand_written.jacobians import ByHand
from tests.benchmarks.nets import Net
from tests.benchmarks.peers.installed import contenders

TITLE = "W2: dense and structured Jacobians of the outputs"


def cases() -> Iterator[Case]:
    for net in nets.DENSE:
        yield structured(net)
        yield by_parameters(net)
        yield by_inputs(net)
        yield blocks(net)


def structured(net: Net) -> Case:
    """Both objects without their matrices, beside one gradient of the loss."""
    network, data = net.network(), net.data()

    def both() -> tuple[object, object]:
        run = network.run(*data)
        return ours.by_parameters(run), ours.by_inputs(run)

    return Case(
        f"{net.name}: structured only",
        (
            Contender("our gradient", "floor", lambda: ours.gradient(network, *data)),
            Contender("structured, by θ and X", "ours", both, lambda _: {}),
        ),
    )


def by_parameters(net: Net) -> Case:
    network, data = net.network(), net.data()
    shape = (net.examples * net.widths[-1], sum((n + 1) * m for n, m in net.pairs()))
    given = np.full(shape, np.nan, net.dtype)

    def hand(name: str, by_example: bool) -> Contender:
        given = np.full(shape, np.nan, net.dtype)
        return Contender(name, "by hand", lambda: ByHand(net, *data).by_parameters(given, by_example), _matrix)

    return Case(
        f"{net.name}: by θ, dense {shape[0]}×{shape[1]}",
        (
            *floors.fill(shape, net.dtype),
            *ours.also_replayed(
                "to_dense, fresh", lambda *data: ours.dense(ours.by_parameters(network.run(*data))), *data, read=_matrix
            ),
            Contender(
                "to_dense into a given array",
                "ours",
                lambda: ours.dense(ours.by_parameters(network.run(*data)), given),
                _matrix,
            ),
            hand("einsum into a given array", by_example=False),
            hand("the same, example by example", by_example=True),
            *contenders("jacobian_by_parameters", net),
        ),
    )


def by_inputs(net: Net) -> Case:
    network, data = net.network(), net.data()
    shape = (net.examples * net.widths[-1], net.examples * net.widths[0])
    given, own = (np.full(shape, np.nan, net.dtype) for _ in range(2))
    return Case(
        f"{net.name}: by X, dense {shape[0]}×{shape[1]}",
        (
            *floors.fill(shape, net.dtype),
            *ours.also_replayed(
                "to_dense, fresh", lambda *data: ours.dense(ours.by_inputs(network.run(*data))), *data, read=_matrix
            ),
            Contender(
                "to_dense into a given array",
                "ours",
                lambda: ours.dense(ours.by_inputs(network.run(*data)), own),
                _matrix,
            ),
            Contender("blocks into a given array", "by hand", lambda: ByHand(net, *data).by_inputs(given), _matrix),
            *contenders("jacobian_by_inputs", net),
        ),
    )


def blocks(net: Net) -> Case:
    network, data = net.network(), net.data()
    shape = (net.examples, net.widths[-1], net.widths[0])
    return Case(
        f"{net.name}: by X, blocks {shape[0]}×{shape[1]}×{shape[2]}",
        (
            floors.products(floors.block_products(net), net.dtype),
            *ours.also_replayed(
                "blocks", lambda *data: ours.blocks(ours.by_inputs(network.run(*data))), *data, read=_blocks
            ),
            Contender("NumPy", "by hand", lambda: ByHand(net, *data).blocks(), _blocks),
            *contenders("blocks", net),
        ),
    )


def _matrix(found: np.ndarray) -> dict[str, np.ndarray]:
    return {"matrix": found}


def _blocks(found: np.ndarray) -> dict[str, np.ndarray]:
    return {"blocks": found}
