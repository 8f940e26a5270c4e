"""The stops of the stage: a row times a factor is the row that the derivation names, and the last is the gradient."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from jacobians.arrays import Array
from jacobians.conventions import Convention
from jacobians.explorer.example_nets import EXAMPLES
from jacobians.explorer.panes import layouts

CASES = [(i % len(EXAMPLES), i) for i in range(0, 64, 7)]


class Stops:
    """What the page holds of one net in one layout and manner."""

    def __init__(self, data: dict[str, Any], net: int, layout: int, manner: int) -> None:
        self.values, self.numbers = data["values"], np.array(data["numbers"])
        self.parameters = self.values[data["nets"][net]["sides"][layout]["stage"][manner]]

    def array(self, place: int) -> Array:
        return self.numbers[self.values[place]]

    def of(self, name: str) -> tuple[list[dict[str, Any]], float]:
        record = self.values[self.parameters[name]]
        weight = 1.0 if record["weight"] is None else record["weight"][1]
        return [self.values[place] for place in record["stops"]], weight

    def rows(self, name: str) -> list[Array]:
        """The row after every stop, by matrix products alone."""
        stops, weight = self.of(name)
        rows = [self.array(stops[0]["matrix"]) / weight]
        for stop in stops[1:]:
            if stop["at"][2] == "weight":
                rows.append(rows[-1] * weight)
            else:
                rows.append(rows[-1] @ self.array(stop["matrix"]).reshape(rows[-1].size, -1))
        return rows


@pytest.mark.parametrize("manner", [0, 1])
@pytest.mark.parametrize(("net", "layout"), CASES)
def test_the_row_becomes_the_gradient(page_data: dict[str, Any], net: int, layout: int, manner: int) -> None:
    example, found = EXAMPLES[net], Stops(page_data, net, layout, manner)
    gradients = example.run(Convention("", layouts()[layout], reduction="mean")).gradient()
    for name, gradient in gradients.items():
        stops, _ = found.of(name)
        rows = found.rows(name)
        for stop, row in zip(stops, rows, strict=True):
            if "numbers" in stop:
                np.testing.assert_allclose(row, found.array(stop["numbers"]), rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(rows[-1].reshape(stops[-1]["shape"]), gradient, rtol=1e-12, atol=1e-15)


def test_a_factor_left_out_is_found(page_data: dict[str, Any]) -> None:
    found = Stops(page_data, 1, 0, 0)
    stops, _ = found.of("W1")
    diagonal = next(stop for stop in stops if stop["at"] == ["A1", "Z1", ""])
    row = found.rows("W1")[stops.index(diagonal) - 1]
    assert np.abs(row - found.array(diagonal["numbers"])).max() > 1e-3


def test_the_same_roles_in_every_layout(page_data: dict[str, Any]) -> None:
    """But for what is dropped, turned, or weighted late."""
    expected = [["loss", "losses", ""], ["losses", "Z2", ""], ["Z2", "A1", ""], ["A1", "Z1", ""], ["Z1", "W1", ""]]
    for layout, own in enumerate(layouts()):
        for manner in (0, 1):
            at = [stop["at"] for stop in Stops(page_data, 1, layout, manner).of("W1")[0]]
            kinds = [kind for _, _, kind in at if kind]
            assert [each for each in at if not each[2]] == expected
            assert ("drop" in kinds) == own.absorbs_bias
            assert ("turn" in kinds) == (own.batch == own.weights)


def test_entries_keep_their_places(page_data: dict[str, Any]) -> None:
    """The same place has the same number in the row of every layout, ones included."""
    for role in (["Z2", "A1", ""], ["A1", "Z1", ""]):
        known: dict[int, float] = {}
        for layout in range(0, 64, 5):
            if layouts()[layout].bias == "none":
                continue
            found = Stops(page_data, 1, layout, 0)
            stops, _ = found.of("W1")
            position = next(i for i, stop in enumerate(stops) if stop["at"] == role)
            places = found.values[stops[position]["into"]]
            for place, number in zip(places, found.rows("W1")[position].ravel().tolist(), strict=True):
                assert known.setdefault(place, number) == pytest.approx(number, rel=1e-12)


def test_tables_of_operands_have_the_places_of_their_entries(page_data: dict[str, Any]) -> None:
    example = EXAMPLES[1]
    found = Stops(page_data, 1, 0, 0)
    stops, _ = found.of("W1")
    (_, weights) = (found.values[place] for place in stops[2]["parts"])
    assert found.array(weights["numbers"]).tolist() == example.params["W2"].T.ravel().tolist()
    places = sorted(found.values[weights["places"]])
    assert places == list(range(places[0], places[0] + 6))
