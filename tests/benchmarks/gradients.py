"""W1: the gradient of a mini-batch, in both spellings and layouts, against NumPy by hand, the products, and peers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tests.benchmarks import floors, nets, ours
from tests.benchmarks.contest import Arrays, Case, Contender
from tests.benchmarks.hand_written import gradients as by_hand
from tests.benchmarks.nets import COLUMNS, ROWS, Net
from tests.benchmarks.peers.installed import contenders

TITLE = "W1: the gradient of a mini-batch"
BLOCK = 1024
"""Examples in a block, by hand, where the batch is much longer."""


def cases() -> Iterator[Case]:
    return (case(net) for net in nets.GRADIENTS)


def case(net: Net) -> Case:
    rows, columns = net.data(ROWS), net.data(COLUMNS)
    network, turned = net.network(ROWS), net.network(COLUMNS)

    gradient, chain = ours.gradient, ours.gradient_by_chain

    def in_rows(grads: Arrays) -> Arrays:
        return {n: g.T.reshape(rows[0][n].shape) for n, g in grads.items()}

    hand = [
        Contender("NumPy, batch rows", "by hand", by_hand.in_rows(net, *rows)),
        Contender("NumPy, fewest calls", "by hand", by_hand.in_fewest_calls(net, *rows)),
        Contender("NumPy, batch columns", "by hand", by_hand.in_columns(net, *columns), in_rows),
        Contender("NumPy, batch columns, kept", "by hand", by_hand.in_columns(net, *columns, kept=True), in_rows),
    ]
    if net.examples > 2 * BLOCK:
        blocks = by_hand.in_columns(net, *columns, block=BLOCK, kept=True)
        hand.append(Contender(f"NumPy, batch columns, blocks of {BLOCK}", "by hand", blocks, in_rows))
    return Case(
        net.name,
        (
            floors.products(floors.gradient_products(net), net.dtype),
            Contender("Network.gradient, batch rows", "ours", partial(gradient, network, *rows)),
            Contender("chain with @, batch rows", "ours", partial(chain, network, *rows)),
            Contender("Network.gradient, batch columns", "ours", partial(gradient, turned, *columns), in_rows),
            Contender("chain with @, batch columns", "ours", partial(chain, turned, *columns), in_rows),
            *hand,
            *contenders("gradient", net),
        ),
    )
