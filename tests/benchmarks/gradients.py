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
"""Examples in a block, where the batch is much longer."""


def cases() -> Iterator[Case]:
    return (case(net) for net in nets.GRADIENTS)


def case(net: Net) -> Case:
    rows, columns = net.data(ROWS), net.data(COLUMNS)

    def in_rows(grads: Arrays) -> Arrays:
        return {n: g.T.reshape(rows[0][n].shape) for n, g in grads.items()}

    own = []
    for where, layout, data, read in (("batch rows", ROWS, rows, dict), ("batch columns", COLUMNS, columns, in_rows)):
        network = net.network(layout)
        for spelling, gradient in (("Network.gradient", ours.gradient), ("chain with @", ours.gradient_by_chain)):
            own += ours.also_replayed(f"{spelling}, {where}", partial(gradient, network), *data, read=read)
        if net.examples > 2 * BLOCK:
            call = partial(network.gradient, *data, block=BLOCK)
            own.append(Contender(f"Network.gradient, {where}, blocks of {BLOCK}", "ours", call, read))
    ways = {
        "batch rows": (by_hand.in_rows(net, *rows), dict),
        "fewest calls": (by_hand.in_fewest_calls(net, *rows), dict),
        "batch columns": (by_hand.in_columns(net, *columns), in_rows),
        "batch columns, kept": (by_hand.in_columns(net, *columns, kept=True), in_rows),
    }
    if net.examples > 2 * BLOCK:
        in_blocks = by_hand.in_columns(net, *columns, block=BLOCK, kept=True)
        ways[f"batch columns, blocks of {BLOCK}"] = in_blocks, in_rows
    hand = [Contender(f"NumPy, {way}", "by hand", call, read) for way, (call, read) in ways.items()]
    floor = floors.products(floors.gradient_products(net), net.dtype)
    return Case(net.name, (floor, *own, *hand, *contenders("gradient", net)))
