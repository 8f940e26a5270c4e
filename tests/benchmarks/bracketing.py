"""W5: the order in which a chain of Jacobians is multiplied out: forward, reverse, planned; dense, and by example."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial, reduce
from itertools import pairwise
from operator import matmul

import numpy as np

from jacobians.linops import Dense
from tests.benchmarks import floors, ours
from tests.benchmarks.contest import Case, Contender
from tests.benchmarks.hand_written.outward import Outward
from tests.benchmarks.memory import peak_bytes
from tests.benchmarks.nets import Net
from tests.benchmarks.peers.installed import contenders

TITLE = "W5: bracketing a chain"

CHAINS = (
    (784, 512, 512, 10),
    (784, 256, 32, 256, 784),
    (1024, 512, 8, 512, 1024),
    (500, 20, 500, 20, 500, 20, 500),
    (16, 128, 512, 784),
)
"""Widths of chains of dense Jacobians, from the inputs to the outputs."""

BATCHES = (
    Net("16 × 784-256-32-256-784", 16, (784, 256, 32, 256, 784), "relu", np.float32),
    Net("16 × 1024-512-8-512-1024", 16, (1024, 512, 8, 512, 1024), "relu", np.float32),
    Net("16 × 500-20-500-20-500-20-500", 16, (500, 20, 500, 20, 500, 20, 500), "relu", np.float32),
    Net("256 × 3-128-128-128-128-3", 256, (3, 128, 128, 128, 128, 3), "relu", np.float32),
)

Bracket = int | tuple["Bracket", "Bracket"]


def cases() -> Iterator[Case]:
    for widths in CHAINS:
        yield dense(widths)
    for net in BATCHES:
        yield by_example(net)


def optimum(widths: Sequence[int]) -> tuple[int, Bracket]:
    """The fewest operations and the bracketing that has them, for dense factors that map widths[i] to widths[i + 1]."""

    @lru_cache
    def best(first: int, last: int) -> tuple[int, Bracket]:
        if first == last:
            return 0, first
        options = []
        for k in range(first, last):
            (right, inner), (left, outer) = best(first, k), best(k + 1, last)
            options.append((left + right + _operations(widths, first, k + 1, last + 1), (outer, inner)))
        return min(options, key=lambda option: option[0])

    return best(0, len(widths) - 2)


def _operations(widths: Sequence[int], start: int, middle: int, end: int) -> int:
    """A multiplication and an addition for each pair of entries, and one for each entry that is written."""
    return widths[end] * widths[start] * (2 * widths[middle] + 1)


def _shapes(widths: Sequence[int], bracket: Bracket) -> tuple[int, int, list[floors.Product]]:
    """First and last width of a bracket, and the shapes of all its products."""
    if isinstance(bracket, int):
        return bracket, bracket + 1, []
    (middle, end, left), (start, _, right) = (_shapes(widths, side) for side in bracket)
    product = ((widths[end], widths[middle]), (widths[middle], widths[start]))
    return start, end, [*left, *right, product]


def dense(widths: Sequence[int]) -> Case:
    rng, count = np.random.default_rng(0), len(widths) - 1
    matrices = [rng.normal(size=(m, n)) for n, m in pairwise(widths)][::-1]
    J = reduce(matmul, (Dense(A, (A.shape[0],)) for A in matrices))
    fewest, bracket = optimum(widths)
    planned = partial(ours.planned, J)
    forward = sum(_operations(widths, 0, k, k + 1) for k in range(1, count))
    reverse = sum(_operations(widths, k - 1, k, count) for k in range(1, count))
    hand: dict[str, tuple[Callable[[], np.ndarray], int]] = {
        "NumPy, forward": (lambda: reduce(lambda right, left: left.dot(right), matrices[::-1]), forward),
        "NumPy, reverse": (lambda: reduce(np.dot, matrices), reverse),
        "numpy.linalg.multi_dot": (lambda: np.linalg.multi_dot(matrices), fewest),
    }
    return Case(
        f"dense {'-'.join(map(str, widths))}",
        (
            floors.products(_shapes(widths, bracket)[2], np.float64, "the optimum's products"),
            Contender("to_dense, planned", "ours", planned, _matrix, ours.price(J) | _peak(planned)),
            *(
                Contender(name, "by hand", call, _matrix, {"operations": operations} | _peak(call))
                for name, (call, operations) in hand.items()
            ),
        ),
    )


def by_example(net: Net) -> Case:
    """With batch structure: shared weights, and a diagonal for each example."""
    J = ours.by_inputs(net.network().run(*net.data()))
    weights, masks = Outward.parts(net)
    waist = min(range(len(net.widths)), key=lambda k: net.widths[k])
    ways = {"from the narrowest": waist, "forward": 0, "reverse": len(weights)}
    hand = {f"NumPy, {name}": Outward(weights, masks, start) for name, start in ways.items()}
    call = partial(ours.blocks, J)
    return Case(
        f"by example {net.name}",
        (
            floors.fill((net.examples, net.widths[-1], net.widths[0]), net.dtype)[0],
            Contender("blocks", "ours", call, _blocks, _peak(call)),
            *(
                Contender(name, "by hand", way, _blocks, {"operations": way.operations} | _peak(way))
                for name, way in hand.items()
            ),
            *contenders("blocks", net),
        ),
    )


def _peak(call: Callable[[], object]) -> dict[str, float]:
    return {"peak MiB": peak_bytes(call) / 2**20}


def _matrix(found: np.ndarray) -> dict[str, np.ndarray]:
    return {"matrix": found}


def _blocks(found: np.ndarray) -> dict[str, np.ndarray]:
    return {"blocks": found}
