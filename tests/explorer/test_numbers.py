"""Every number in the page's data against NumPy, and the ties between entries against counting."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from jacobians.explorer.example_nets import EXAMPLES, Example
from tests.explorer.oracle import Choice, forward, laid_out, plain_shape, shown_jacobian

CHOICES = [
    Choice(*values)
    for values in itertools.product(
        ("rows", "columns"),
        ("rows", "columns"),
        ("separate", "first", "last", "none"),
        ("C", "F"),
        ("numerator", "denominator"),
    )
]


class Reader:
    """Reads one side of one net out of the data, as the page's script does."""

    def __init__(self, data: dict[str, Any], net: int, choice: Choice) -> None:
        self.values, self.all_numbers, self.choice = data["values"], data["numbers"], choice
        layouts = [".".join(side["layout"].values()) for side in data["layouts"]]
        self.record = data["nets"][net]["sides"][layouts.index(choice.fragment)]
        self.arrays = {array["name"]: array for array in self.values[self.record["arrays"]]}

    def numbers(self, array: dict[str, Any]) -> np.ndarray:
        return np.array([self.all_numbers[i] for i in self.values[array["numbers"]]]).reshape(array["shape"])

    def order(self, name: str) -> list[int]:
        array = self.arrays[name]
        return self.values[array["stacked"]] if self.choice.vec == "F" else range(len(self.values[array["places"]]))

    def chain(self, wrt: str) -> list[dict[str, Any]]:
        own = self.values[self.record["own"]][wrt]
        return [] if own is None else [self.values[i] for i in self.values[self.record["chains"]][own]]

    def matrix(self, factor: dict[str, Any]) -> np.ndarray:
        rows, columns = self.order(factor["of"]), self.order(factor["wrt"])
        width = len(columns)
        indices = self.values[factor["matrix"]]
        matrix = np.array([[self.all_numbers[indices[r * width + c]] for c in columns] for r in rows])
        return matrix if self.choice.derivative == "numerator" else matrix.T


def close(found: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("net", range(len(EXAMPLES)))
@pytest.mark.parametrize("choice", CHOICES[::3], ids=lambda choice: choice.fragment)
def test_every_factor_of_every_chain_is_numpys(page_data: dict[str, Any], net: int, choice: Choice) -> None:
    example, reader = EXAMPLES[net], Reader(page_data, net, choice)
    for wrt in example.wrt:
        chain = reader.chain(wrt)
        assert bool(chain) == (choice.bias != "none" or not wrt.startswith("b"))
        for factor in chain:
            expected = shown_jacobian(example, factor["of"], factor["wrt"], choice)
            found = reader.matrix(factor)
            assert found.shape == expected.shape
            close(found, expected)
        if chain:
            ends = [factor["of"] for factor in chain]
            assert ends[0 if choice.derivative == "numerator" else -1] == "loss"


@pytest.mark.parametrize("net", range(len(EXAMPLES)))
@pytest.mark.parametrize("choice", CHOICES[1::5], ids=lambda choice: choice.fragment)
def test_every_array_is_numpys_where_its_layout_puts_it(page_data: dict[str, Any], net: int, choice: Choice) -> None:
    example, reader = EXAMPLES[net], Reader(page_data, net, choice)
    plain = {**forward(example, choice.bias), **_parameters(example, choice.bias)}
    for name, array in reader.arrays.items():
        if name not in plain:
            continue
        places = laid_out(name, plain_shape(example, name, choice.bias), choice)
        close(reader.numbers(array), plain[name].ravel()[places])
    P, own = plain["P"], np.eye(example.sizes[-1])[example.labels]
    losses = -(own * np.log(P)).sum(axis=1)
    if example.loss == "binary_cross_entropy":
        losses = losses - ((1 - own) * np.log(1 - P)).sum(axis=1)
    close(reader.numbers(reader.arrays["losses"]), losses)
    close(reader.numbers(reader.arrays["loss"]), losses.mean())


def _parameters(example: Example, bias: str) -> dict[str, np.ndarray]:
    if bias == "separate":
        return example.params
    weights = {name: array for name, array in example.params.items() if name.startswith("W")}
    if bias == "none":
        return weights
    return {name: np.vstack([example.params[f"b{name[1:]}"], W]) for name, W in weights.items()}


@pytest.mark.parametrize("net", range(len(EXAMPLES)))
@pytest.mark.parametrize("choice", CHOICES[2::7], ids=lambda choice: choice.fragment)
def test_the_gradient_is_the_product_of_the_chain(page_data: dict[str, Any], net: int, choice: Choice) -> None:
    example, reader = EXAMPLES[net], Reader(page_data, net, choice)
    for wrt in example.wrt:
        chain = reader.chain(wrt)
        if not chain:
            continue
        factors = [shown_jacobian(example, factor["of"], factor["wrt"], choice) for factor in chain]
        product = np.linalg.multi_dot(factors) if len(factors) > 1 else factors[0]
        own = reader.values[reader.record["own"]][wrt]
        gradient = reader.numbers(reader.values[reader.record["gradients"]][own])
        close(gradient.flatten(order=choice.vec), product.ravel())


def test_a_place_is_one_entry_in_every_side_that_has_it(page_data: dict[str, Any]) -> None:
    """The same place holds the same number, and no place is taken twice in one side."""
    values, numbers = page_data["values"], page_data["numbers"]
    for net in page_data["nets"]:
        known: dict[tuple[bool, int], float] = {}
        for side, record in zip(page_data["layouts"], net["sides"], strict=True):
            without = side["layout"]["bias"] == "none"
            taken = set()
            for array in values[record["arrays"]]:
                for place, number in zip(values[array["places"]], values[array["numbers"]], strict=True):
                    assert place not in taken
                    taken.add(place)
                    assert known.setdefault((without, place), numbers[number]) == pytest.approx(
                        numbers[number], rel=1e-12, abs=1e-15
                    )


def test_dimensions_of_a_net_are_told_apart_by_their_shapes() -> None:
    for example in EXAMPLES:
        dims = [*example.sizes, example.X.shape[0]]
        assert len(set(dims)) == len(dims)
