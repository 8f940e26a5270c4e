"""Every layout in every source's names: what the page renames is what the library writes in those names."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from typing import Any

import pytest

from jacobians import Convention, all_conventions, convention
from jacobians.array_names import ArrayNames
from jacobians.derivation import derive
from jacobians.explorer.distinct_values import DistinctValues
from jacobians.explorer.example_nets import EXAMPLES
from jacobians.explorer.formulas import keep_formulas
from jacobians.explorer.names import Spelling, letter
from jacobians.explorer.page import explorer_data
from jacobians.explorer.panes import layouts

SOURCES = {preset.names: preset.name for preset in reversed(all_conventions())}
"""One preset for each set of names."""


def renamed(text: str, names: Mapping[str, str], part: str = r"\w") -> str:
    """As the page's script does it."""
    if not names:
        return text
    longest = "|".join(sorted(names, key=len, reverse=True))
    return re.sub(rf"(?<!{part})(?:{longest})(?!{part})", lambda found: names[found[0]], text)


class Page:
    """One net in one layout and one source's names, read out of a page's data."""

    def __init__(self, data: dict[str, Any], net: int, layout: int, preset: str) -> None:
        self.values = data["values"]
        spelled = next(p["words"] for p in data["presets"] if p["name"] == preset)
        self.words = data["words"][spelled]["nets"][net]
        self.own = dict(self.words["math"])
        self.record = data["nets"][net]["sides"][layout]
        self.manner = data["words"][spelled]["manner"]
        self.formulas = self.values[self.record["formulas"][self.manner]]

    def sentence(self, text: str) -> str:
        return renamed(text, self.words["text"], "[A-Za-z_₀-₉]")

    def node(self, place: int) -> Any:
        own = self.own.get(place)
        return plain(self.values, place, self.node) if own is None else plain(self.values, own)

    def definitions(self, part: str) -> list[Any]:
        return [[name, self.node(place)] for name, place in self.values[self.formulas[part]]]

    def parameters(self) -> dict[str, Any]:
        found = {}
        for name, at in self.values[self.formulas["parameters"]].items():
            record = self.values[at]
            steps = [
                [*(self.sentence(self.values[text]) for text in step[:2]), self.node(step[2])]
                for step in map(self.values.__getitem__, record["steps"])
            ]
            own = renamed(name, self.words["code"])
            found[own] = [self.node(record["chain"]), steps, self.node(record["formula"])]
        return found

    def shapes(self) -> list[list[str]]:
        return [[role, self.sentence(s), size] for role, s, size in self.values[self.formulas["shapes"]]]

    def code(self) -> str:
        return renamed(self.values[self.formulas["code"]], self.words["code"])

    def shown(self) -> dict[str, str]:
        shown = self.values[self.record["shown"][self.manner]]
        return {name: self.sentence(text) for name, text in shown.items()}


def plain(values: list[Any], place: int, inner: Any = None) -> Any:
    tag, content, *attributes = values[place]
    inner = inner or (lambda child: plain(values, child))
    return [tag, content if isinstance(content, str) else [inner(child) for child in content], *attributes]


def check(data: dict[str, Any], net: int, layout: int, preset: str) -> None:
    """Against the library's own derivation in the source's names."""
    example, page = EXAMPLES[net], Page(data, net, layout, preset)
    own = Convention("", layouts()[layout], reduction="mean", names=convention(preset).names)
    run, distinct = example.run(own), DistinctValues()
    formulas = distinct.values[keep_formulas(run, derive(run), distinct)]
    for part in ("forward", "cotangents"):
        expected = [[name, plain(distinct.values, place)] for name, place in distinct.values[formulas[part]]]
        assert page.definitions(part) == expected
    found = page.parameters()
    expected_parameters = distinct.values[formulas["parameters"]]
    assert list(found) == list(expected_parameters)
    for name, at in expected_parameters.items():
        record = distinct.values[at]
        steps = [
            [*(distinct.values[text] for text in step[:2]), plain(distinct.values, step[2])]
            for step in map(distinct.values.__getitem__, record["steps"])
        ]
        chain, formula = (plain(distinct.values, record[key]) for key in ("chain", "formula"))
        assert found[name] == [chain, steps, formula]
    assert page.shapes() == distinct.values[formulas["shapes"]]
    assert page.code() == distinct.values[formulas["code"]]
    spelling = Spelling(run, example.activation)
    shown = page.shown()
    assert shown["Z1"] == spelling.array("Z1")
    assert shown["W1"] == spelling.array(own.names.of("weight", 1))
    if net:
        assert shown["A1"] == spelling.array("A1")
    for name in {"W1", "b1", "Z1", "A1"} & shown.keys():
        theirs = letter(renamed(name, page.words["code"]))
        assert page.words["letters"].get(letter(name), letter(name)) == theirs


# every source in four layouts or more, every layout once, every net
SAMPLE = [
    (net, layout, preset)
    for (layout, (net, preset)) in zip(
        range(64), itertools.cycle(itertools.product(range(3), SOURCES.values())), strict=False
    )
]


@pytest.mark.parametrize(("net", "layout", "preset"), SAMPLE)
def test_a_layout_in_a_sources_names_is_what_the_library_writes(
    page_data: dict[str, Any], net: int, layout: int, preset: str
) -> None:
    check(page_data, net, layout, preset)


@pytest.mark.slow
@pytest.mark.parametrize("preset", SOURCES.values())
def test_every_layout_in_every_sources_names(page_data: dict[str, Any], preset: str) -> None:
    for net, layout in itertools.product(range(len(EXAMPLES)), range(64)):
        check(page_data, net, layout, preset)


@pytest.mark.parametrize("preset", [preset.name for preset in all_conventions()])
def test_a_preset_is_its_layout_in_its_names(page_data: dict[str, Any], preset: str) -> None:
    found = next(p for p in page_data["presets"] if p["name"] == preset)
    assert layouts()[found["at"]] == convention(preset).layout.of_matrices
    check(page_data, 1, found["at"], preset)


def test_names_of_ones_own() -> None:
    """Names that change places with the library's are renamed once, not back."""
    names = ArrayNames(weight="Z{l}", pre="W{u}", post="H{u}", prediction="N", cotangent="delta{u}", count="P")
    mine = Convention("mine", layouts()[5], names=names)
    page = Page(explorer_data([mine], EXAMPLES[1:2]), 0, 5, "mine")
    run, distinct = EXAMPLES[1].run(mine.replace(reduction="mean")), DistinctValues()
    formulas = distinct.values[keep_formulas(run, derive(run), distinct)]
    assert page.code() == distinct.values[formulas["code"]]
    assert "W1 = X_ones @ Z1.T" in page.code()
    forward = [[name, plain(distinct.values, place)] for name, place in distinct.values[formulas["forward"]]]
    assert page.definitions("forward") == forward
