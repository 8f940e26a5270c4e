"""One sweep through a graph: the sum at a node is passed on along its edges, each edge once.

Operations made of operations, networks and graphs of values are swept by this code alone. Backwards, an evaluated
operation pulls a row at its output to rows at its inputs. A graph's Jacobian is also swept forwards.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from jacobians.arrays import DType
from jacobians.linops import Jacobian
from jacobians.operations.record import Row

__all__ = ["Wiring"]

Key = TypeVar("Key", bound=Hashable)

_MANY = 1 << 8
"""Terms above which a float32 sum is carried in float64: a weight in a recurrence has one term a step."""


class Passes(Protocol):
    """What passes on what has arrived at a node; `Jacobians` do so backwards."""

    def pull(self, row: Any, names: Collection[Any]) -> Mapping[Any, Any]:
        """Return what goes on along the edges of these names, by name."""


class Wiring(Generic[Key]):
    """Which node's output is which node's input, for sweeps to some nodes.

    Parameters
    ----------
    links : sequence of (node, dict)
        For each operation, in the order of evaluation, the node of its output, and by the operation's own names of its
        inputs the nodes that these are.
    wanted : collection of nodes
        What no one of them comes of is not passed.

    Examples
    --------
    >>> from jacobians.operations import matmul
    >>> A = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> _, J = matmul(A, A)                               # A, used twice
    >>> Wiring([("AA", {"A": "A", "B": "A"})], ["A"]).sweep([J], {"AA": np.ones((2, 2))})
    {'A': array([[ 7., 11.],
           [ 9., 13.]])}
    """

    def __init__(self, links: Sequence[tuple[Key, Mapping[Any, Key]]], wanted: Collection[Key]) -> None:
        self._wanted = dict.fromkeys(wanted)
        leading = set(wanted)
        led: list[tuple[int, Key, dict[Any, Key]]] = []
        for place, (node, inputs) in enumerate(links):
            kept = {name: source for name, source in inputs.items() if source in leading}
            if kept:
                leading.add(node)
                led.append((place, node, kept))
        terms = Counter(source for *_, kept in led for source in kept.values())
        self._many = {node for node, count in terms.items() if count > _MANY}
        self._back = led[::-1]

    def sweep(self, operations: Sequence[Passes], given: Mapping[Key, Row]) -> dict[Key, Row]:
        """Return what arrives at the wanted nodes, of those at which anything does.

        Parameters
        ----------
        operations : sequence
            The `Jacobians` of the operations, as they were linked.
        given : mapping
            By node, what goes out from it; no array of it is written to, and a result may be one of them.
        """
        sums: dict[Key, Any] = dict(given)
        wide: dict[Key, DType] = {}
        wanted, many = self._wanted, self._many
        for place, node, inputs in self._back:
            if node not in sums:
                continue
            row = sums[node] if node in wanted else sums.pop(node)
            if wide and node in wide:
                row = row.astype(wide[node], copy=False)
            pulled = operations[place].pull(row, inputs)
            for name, source in inputs.items():
                part = pulled[name]
                if source in sums:
                    total = sums[source] + part
                    sums[source] = np.asarray(total) if isinstance(total, np.generic) else total
                    if source in wide:
                        wide[source] = np.result_type(wide[source], part.dtype)
                elif source in many and part.dtype == np.float32 and not isinstance(part, Jacobian):
                    wide[source] = part.dtype
                    sums[source] = part.astype(np.float64)
                else:
                    sums[source] = part
        found: dict[Key, Row] = {}
        for node in wanted:
            if node in sums:
                found[node] = sums[node].astype(wide[node], copy=False) if node in wide else sums[node]
        return found
