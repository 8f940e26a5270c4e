"""What lights up, by pointer and by keyboard, against entries counted by hand."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.explorer.browser import Tab

N, D, H = 6, 4, 3
"""The middle net's examples, inputs and hidden nodes."""

LAYOUTS = [
    "rows.columns.separate.C.numerator",
    "columns.rows.first.F.denominator",
    "rows.rows.last.F.numerator",
    "columns.columns.none.C.denominator",
]


class Count:
    """Where ∂z(example n, node i)/∂w(node i, input k) lies in a layout; input 0 is the bias."""

    def __init__(self, fragment: str) -> None:
        self.batch, self.weights, self.bias, self.vec, self.derivative = fragment.split(".")
        self.absorbed = self.bias in ("first", "last")

    def output(self, n: int, i: int) -> tuple[int, int]:
        return (n, i) if self.batch == "rows" else (i, n)

    def input(self, i: int, k: int) -> tuple[int, int] | None:
        if k == 0 and not self.absorbed:
            return None
        place = {"first": k, "last": D if k == 0 else k - 1}.get(self.bias, k - 1)
        return (i, place) if self.weights == "rows" else (place, i)

    def cell(self, n: int, i: int, j: int, k: int) -> list[int] | None:
        """Of z(n, i) by w(j, k), in the grid."""
        entry = self.input(j, k)
        if entry is None:
            return None
        outputs, width = ((N, H) if self.batch == "rows" else (H, N)), D + self.absorbed
        inputs = (H, width) if self.weights == "rows" else (width, H)
        row, column = (
            int(np.ravel_multi_index(index, shape, order=self.vec))  # type: ignore[call-overload]
            for index, shape in ((self.output(n, i), outputs), (entry, inputs))
        )
        return [row, column] if self.derivative == "numerator" else [column, row]


def check(tab: Tab, left: Count, right: Count, n: int, i: int, j: int, k: int) -> None:
    for pane, count in (("left", left), ("right", right)):
        lit = tab.lit(pane)
        assert lit["output"] == [["Z₁", *count.output(n, i)]]
        entry = count.input(j, k)
        if entry is not None:
            assert lit["input"] == [["W₁", *entry]]
            assert lit["cells"] == [count.cell(n, i, j, k)]
        else:
            assert lit["input"] == ([] if count.bias == "none" else [["b₁", 0, j]])
            assert lit["cells"] == []
            assert tab.text(f"#{pane}-readout") == "This pane's factor has no such entry."


@pytest.mark.parametrize(
    ("left", "right"), [(LAYOUTS[0], LAYOUTS[1]), (LAYOUTS[2], LAYOUTS[3]), (LAYOUTS[1], LAYOUTS[2])]
)
def test_pointing_lights_both_panes_at_their_own_places(tab: Tab, left: str, right: str) -> None:
    tab.go(f"#left={left}&right={right}")
    counts = Count(left), Count(right)
    for n, i, j, k in [(0, 0, 0, 1), (4, 2, 2, 3), (5, 1, 0, 4), (2, 0, 1, 0)]:
        for pane, count in zip(("left", "right"), counts, strict=True):
            cell = count.cell(n, i, j, k)
            if cell is None:
                continue
            tab.cell(pane, *cell).hover()
            check(tab, *counts, n, i, j, k)
    tab.page.mouse.move(0, 0)
    assert tab.lit("left") == {"output": [], "input": [], "cells": []}


def test_the_announcement_names_entry_and_value(tab: Tab) -> None:
    tab.go(f"#left={LAYOUTS[0]}&right={LAYOUTS[1]}")
    tab.cell("left", 4 * H + 2, 2 * H + 2).hover()
    value = tab.page.locator('#left-arrays table:has(b:text-is("X")) td').nth(4 * D + 2).text_content()
    said = tab.text("#live")
    assert f"Left: ∂z₅₃/∂w₃₃ = {value}, in row 15, column 9 of ∂Z₁/∂W₁." in said
    assert f"Right: ∂z₃₅/∂w₃₄ = {value}, in row 12, column 15 of ∂Z₁/∂W₁." in said


def test_pointing_at_a_picture_lights_a_factor_that_is_not_open(tab: Tab) -> None:
    tab.go(f"#left={LAYOUTS[0]}&right={LAYOUTS[1]}")
    picture = tab.page.locator('#left-chain [data-key="A1"] svg')
    box = picture.bounding_box()
    size = N * H
    scale = box["width"] / (size + 1)
    row = column = 3 * H + 1
    picture.hover(position={"x": (column + 1) * scale, "y": (row + 1) * scale})
    assert tab.lit("left")["output"] == [["A₁", 3, 1]]
    assert tab.lit("right")["output"] == [["A₁", 1, 3]]
    assert tab.lit("right")["input"] == [["Z₁", 1, 3]]
    assert tab.lit("left")["cells"] == []
    assert tab.page.locator('#right-chain [data-key="A1"] .frame').get_attribute("visibility") == "visible"


def press(tab: Tab, *keys: str) -> None:
    for key in keys:
        tab.page.keyboard.press(key)


def tabbed(tab: Tab, wanted: str, most: int) -> None:
    """Press Tab until an element that matches has the focus."""
    for _ in range(most):
        press(tab, "Tab")
        if tab.page.evaluate("wanted => document.activeElement.matches(wanted)", wanted):
            return
    raise AssertionError(f"{wanted} is not reached with {most} tabs")


def test_everything_is_done_without_a_pointer(browser: Any, page_file: Path) -> None:
    tab = Tab(browser, page_file, f"#left={LAYOUTS[0]}&right={LAYOUTS[1]}")
    tabbed(tab, "#net", 1)
    tabbed(tab, "#left-preset", 4)
    tabbed(tab, '[name="left-batch"]', 1)
    press(tab, "ArrowRight")
    tab.settle()
    assert tab.fragment["left"] == "columns.columns.separate.C.numerator"
    press(tab, "ArrowLeft")
    tabbed(tab, '#left-chain [data-key="A1"]', 40)
    press(tab, "Enter")
    assert tab.page.evaluate("() => document.activeElement.dataset.key") == "A1"
    assert tab.grid("left")["columns"][:2] == ["z₁₁", "z₁₂"]
    tabbed(tab, '#left-chain [data-key="Z1"]', 3)
    press(tab, "Enter")
    tabbed(tab, "#left-chain table.jacobian td", 3)
    left, right = Count(LAYOUTS[0]), Count(LAYOUTS[1])
    check(tab, left, right, 0, 0, 0, 1)
    press(tab, "ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown", "ArrowRight", "ArrowRight", "ArrowRight")
    check(tab, left, right, 1, 1, 0, 2)
    press(tab, "Control+End")
    check(tab, left, right, N - 1, H - 1, H - 1, D)
    press(tab, "Home", "ArrowUp", "ArrowLeft")
    check(tab, left, right, N - 1, 1, 0, 1)
    assert tab.page.locator('#left-chain table.jacobian [tabindex="0"]').count() == 1
    tab.settle()
    assert tab.fragment["tie"].startswith("Z1-")
    press(tab, "Escape")
    tab.settle()
    assert tab.lit("left")["cells"] == []
    assert "tie" not in tab.fragment
    tabbed(tab, "#right-code .copy", 60)
    tab.close()
    assert not tab.complaints


def test_every_cell_of_a_pane_has_its_twin(tab: Tab) -> None:
    """All cells of one grid, through the page's own handler: each lights exactly its twin in the other pane."""
    tab.go(f"#left={LAYOUTS[0]}&right={LAYOUTS[2]}")
    found: list[Any] = tab.page.evaluate(
        """() => [...document.querySelectorAll('[data-pane="left"] .jacobian td')].map((cell) => {
            cell.dispatchEvent(new PointerEvent("pointerover", { bubbles: true }));
            const lit = document.querySelector("#right-chain td.lit");
            return [lit.parentNode.sectionRowIndex, lit.cellIndex - 1];
        })"""
    )
    right = Count(LAYOUTS[2])
    expected = [
        right.cell(n, i, j, k) for n, i, k, j in itertools.product(range(N), range(H), range(1, D + 1), range(H))
    ]
    assert found == expected
