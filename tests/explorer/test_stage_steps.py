"""The stops of the stage, as the page's scripts make them: their roles, and the places of their entries."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jacobians.explorer.example_nets import EXAMPLES
from jacobians.explorer.panes import layouts
from tests.explorer.in_node import in_node
from tests.explorer.random_nets import described

AT = range(64)


@pytest.fixture(scope="module")
def stages(page_data: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """By layout, in the library's names, the middle net's stops of W1."""
    jobs = [{"net": described(EXAMPLES[1]), "at": at, "spelled": 0} for at in AT]
    return [found["stops"]["W1"] for found in in_node(page_data, jobs, tmp_path_factory.mktemp("node"))]


def test_the_same_roles_in_every_layout(stages: list[Any]) -> None:
    """But for what is dropped, turned, or weighted late."""
    expected = [["loss", "losses", ""], ["losses", "Z2", ""], ["Z2", "A1", ""], ["A1", "Z1", ""], ["Z1", "W1", ""]]
    for layout, stops in zip(layouts(), stages, strict=True):
        kinds = [kind for _, _, kind in (stop["at"] for stop in stops) if kind]
        assert [stop["at"] for stop in stops if not stop["at"][2]] == expected
        assert ("drop" in kinds) == layout.absorbs_bias
        assert ("turn" in kinds) == (layout.batch == layout.weights)


def test_entries_keep_their_places(stages: list[Any]) -> None:
    """The same place has the same number in the row of every layout, ones included."""
    for role in (["Z2", "A1", ""], ["A1", "Z1", ""]):
        known: dict[int, float] = {}
        for layout, stops in zip(layouts(), stages, strict=True):
            if layout.bias == "none":
                continue
            stop = next(stop for stop in stops if stop["at"] == role)
            for place, number in zip(stop["into"], stop["after"], strict=True):
                assert known.setdefault(place, number) == pytest.approx(number, rel=1e-12)


def test_a_matrix_takes_the_row_before_to_the_row_after(stages: list[Any]) -> None:
    for stops in stages[::9]:
        for before, stop in itertools.pairwise(stops):
            if stop["at"][2] == "weight":
                continue
            matrix = np.array(list(stop["matrix"].values())).reshape(len(before["after"]), -1)
            np.testing.assert_allclose(before["after"] @ matrix, stop["after"], rtol=1e-12, atol=1e-15)


def test_tables_of_operands_have_the_places_of_their_entries(stages: list[Any]) -> None:
    (_, weights) = stages[0][2]["parts"]
    assert list(weights["numbers"].values()) == EXAMPLES[1].params["W2"].T.ravel().tolist()
    places = sorted(weights["places"])
    assert places == list(range(places[0], places[0] + 6))


def test_entries_of_ones_are_one_for_each_example(page_data: dict[str, Any], tmp_path: Path) -> None:
    """In [1 X]ᵀ as in [1 X], so that both light up together."""
    at = next(i for i, layout in enumerate(layouts()) if layout.bias == "first" and layout.batch == "rows")
    (found,) = in_node(page_data, [{"net": described(EXAMPLES[1]), "at": at, "spelled": 0}], tmp_path)
    stop = next(stop for stop in found["stops"]["W1"] if stop["at"] == ["Z1", "W1", ""])
    assert sorted(place for part in stop["parts"] for place in part["places"] if place < 0) == [*range(-6, 0)]
