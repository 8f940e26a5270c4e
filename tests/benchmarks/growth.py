"""W6: the gradient of longer and longer batches, and of wider and wider nets: time, and memory beside the data's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from tests.benchmarks import floors, ours
from tests.benchmarks.contest import Arrays, Case, Contender
from tests.benchmarks.hand_written import gradients as by_hand
from tests.benchmarks.memory import peak_bytes
from tests.benchmarks.nets import COLUMNS, ROWS, Net

TITLE = "W6: growth"
EXAMPLES = (512, 2048, 8192, 32768, 65536)
WIDTHS = (64, 256, 1024, 2048)
BLOCK = 1024


def cases() -> Iterator[Case]:
    for count in EXAMPLES:
        yield case(Net(f"{count} × 784-128-10 relu f32", count, (784, 128, 10), "relu", np.float32))
    for width in WIDTHS:
        widths = (784, width, width, 10)
        yield case(Net(f"512 × {'-'.join(map(str, widths))} relu f32", 512, widths, "relu", np.float32))


def case(net: Net) -> Case:
    network, rows, columns = net.network(ROWS), net.data(ROWS), net.data(COLUMNS)
    data_bytes = rows[1].nbytes + rows[2].nbytes + sum(a.nbytes for a in rows[0].values())

    def facts(call: Callable[[], object]) -> dict[str, float]:
        return {"peak ÷ data": peak_bytes(call) / data_bytes}

    def in_rows(grads: Arrays) -> Arrays:
        return {n: g.T.reshape(rows[0][n].shape) for n, g in grads.items()}

    own = partial(ours.gradient, network, *rows)
    in_blocks = partial(network.gradient, *rows, block=BLOCK)
    plain = by_hand.in_rows(net, *rows)
    blocks = by_hand.in_columns(net, *columns, block=BLOCK, kept=True)
    return Case(
        net.name,
        (
            floors.products(floors.gradient_products(net), net.dtype),
            Contender("Network.gradient", "ours", own, facts=facts(own)),
            Contender(f"Network.gradient, blocks of {BLOCK}", "ours", in_blocks, facts=facts(in_blocks)),
            Contender("NumPy, batch rows", "by hand", plain, facts=facts(plain)),
            Contender(f"NumPy, batch columns, blocks of {BLOCK}, kept", "by hand", blocks, in_rows, facts(blocks)),
        ),
        examples=net.examples,
    )
