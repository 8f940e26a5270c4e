"""One sweep: what arrives at a node is the sum over all ways, each edge is passed once, and no row is written to."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pytest

from jacobians.linops import Dense, Jacobian
from jacobians.operations.sweep import Wiring

RNG = np.random.default_rng(0)
# a step's node, and by edge the node that it comes from; b is used twice by one step
LINKS = [("b", {"1": "a"}), ("c", {"1": "a", "2": "b"}), ("d", {"1": "b", "2": "b"}), ("e", {"1": "c", "2": "d"})]
SIZES = dict(zip("abcde", (3, 4, 2, 5, 3), strict=True))


class Matrices:
    """A step whose edges are matrices; it counts what is passed."""

    def __init__(self, node: str, inputs: dict[str, str]) -> None:
        self.matrices = {name: RNG.normal(size=(SIZES[node], SIZES[source])) for name, source in inputs.items()}
        self.passed: list[str] = []

    def pull(self, row: Any, names: Collection[str]) -> dict[str, Any]:
        self.passed += names
        if isinstance(row, Jacobian):
            return {name: row @ Dense(self.matrices[name], (len(self.matrices[name]),)) for name in names}
        return {name: row @ self.matrices[name] for name in names}


def by_ways(steps: dict[str, Matrices], start: str, end: str) -> np.ndarray:
    """The sum over all ways from one node back to another, written out."""
    if start == end:
        return np.eye(SIZES[start])
    found = np.zeros((SIZES[start], SIZES[end]))
    for name, source in dict(LINKS).get(start, {}).items():
        found += steps[start].matrices[name] @ by_ways(steps, source, end)
    return found


def steps() -> dict[str, Matrices]:
    return {node: Matrices(node, inputs) for node, inputs in LINKS}


@pytest.mark.parametrize("wanted", ["a", "b", "ab", "ca", "cbade"])
@pytest.mark.parametrize("starts", ["e", "c", "ec", "edb"])
def test_sums_over_all_ways(wanted: str, starts: str) -> None:
    operations = steps()
    given = {node: RNG.normal(size=SIZES[node]) for node in starts}
    before = {node: row.copy() for node, row in given.items()}
    found = Wiring(LINKS, wanted).sweep(list(operations.values()), given)
    expected = {end: sum(row @ by_ways(operations, start, end) for start, row in given.items()) for end in wanted}
    for end in wanted:
        if end in found:
            np.testing.assert_allclose(found[end], expected[end], rtol=1e-12, atol=1e-12)
        else:
            assert not np.any(expected[end])
    assert list(found) == [end for end in wanted if end in found]
    for node, row in given.items():
        np.testing.assert_array_equal(row, before[node])


def test_each_edge_that_leads_somewhere_is_passed_once_and_no_other() -> None:
    operations = steps()
    Wiring(LINKS, "b").sweep(list(operations.values()), {"e": np.ones(3)})
    assert {node: step.passed for node, step in operations.items()} == {
        "b": [],
        "c": ["2"],
        "d": ["1", "2"],
        "e": ["1", "2"],
    }


def test_rows_may_be_jacobians() -> None:
    operations = steps()
    row = Dense(RNG.normal(size=(2, 3)), (2,))
    found = Wiring(LINKS, "a").sweep(list(operations.values()), {"e": row})["a"]
    np.testing.assert_allclose(found.to_dense(), row.to_dense() @ by_ways(operations, "e", "a"), rtol=1e-12)


class Same:
    """A step that passes its row on along every edge."""

    def pull(self, row: np.ndarray, names: Collection[Any]) -> dict[Any, np.ndarray]:
        return dict.fromkeys(names, row)


def test_long_sums_of_float32_are_carried_in_float64() -> None:
    """A weight in a recurrence: 1 and many parts that are each less than half a unit of it."""
    count = 1 << 12
    tiny = np.float32(2.0**-25)
    links: list[tuple[Any, dict[Any, Any]]] = [(n, {"1": "weight"}) for n in range(count)]
    given = {n: np.array([tiny]) for n in range(count)} | {count - 1: np.ones(1, np.float32)}
    for wanted in (["weight"], ["weight", 0]):
        found = Wiring(links, wanted).sweep([Same()] * count, given)["weight"]
        assert found.dtype == np.float32
        assert found[0] == np.float32(1 + (count - 1) * float(tiny))
