"""The page for every reader: axe's rules, narrow and wide, light and dark, on paper, and without a pointer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.explorer.browser import Tab, missing

SMALL = "#net=3-2&by=W1&left=vecderivs-rows&right=columns.columns.last.F.denominator"
BIG = "#net=5-3-2-4&by=W1&left=vecderivs-rows&right=columns.columns.last.F.denominator"


def axe_of(page: Any, within: str | None = None) -> list[str]:
    """What axe-core finds, of serious or critical impact, in a page or in a part of it."""
    try:
        from axe_playwright_python.sync_playwright import Axe
    except ImportError:
        missing("axe-playwright-python is not installed")
    violations = Axe().run(page, context=within).response["violations"]
    return [
        f"{found['id']}: {found['nodes'][0]['html'][:120]}"
        for found in violations
        if found["impact"] in ("serious", "critical")
    ]


def serious(tab: Tab, within: str | None = None) -> list[str]:
    """The same of the explorer in a tab."""
    return axe_of(tab.page, within)


EVERYWHERE = [(width, scheme) for width in (400, 1000, 1600) for scheme in ("light", "dark")]


@pytest.mark.parametrize(
    ("width", "scheme"),
    [
        pytest.param(*each, marks=[] if each in ((400, "light"), (1600, "dark")) else [pytest.mark.slow])
        for each in EVERYWHERE
    ],
)
def test_axe_finds_nothing_serious(browser: Any, page_file: Path, width: int, scheme: str) -> None:
    """On the way back in the light scheme, forward in the dark one, each with the editor open."""
    fragment = SMALL + ("&mode=forward&step=2" if scheme == "dark" else "")
    tab = Tab(browser, page_file, fragment, width=width, color_scheme=scheme)
    tab.page.evaluate("() => { document.getElementById('editor').open = true; }")
    tab.settle(300)
    tab.cell("left", 2, 3).focus()
    found = serious(tab)
    tab.close()
    assert not found


def test_axe_would_find_something(browser: Any, page_file: Path) -> None:
    tab = Tab(browser, page_file, SMALL)
    tab.settle(300)
    tab.page.evaluate("() => document.querySelector('label[for=net]').remove()")
    found = serious(tab, "#shared")
    tab.close()
    assert [text.partition(":")[0] for text in found] == ["select-name"]


@pytest.mark.parametrize("width", [400, 1600])
def test_nothing_makes_the_page_scroll_sideways(browser: Any, page_file: Path, width: int) -> None:
    tab = Tab(browser, page_file, BIG, width=width)
    tab.settle(300)
    assert tab.page.evaluate("() => document.documentElement.scrollWidth") <= width
    clipped = tab.page.locator(".pane").evaluate_all(
        "panes => panes.filter((p) => p.scrollWidth > p.clientWidth).length"
    )
    assert clipped == 0
    out_of_reach = tab.page.locator(".scroll").evaluate_all(
        """boxes => boxes.filter((box) => box.scrollWidth > box.clientWidth)
            .filter((box) => box.tabIndex !== 0 && !box.querySelector('[tabindex="0"]'))
            .map((box) => box.getAttribute("aria-label"))"""
    )
    assert out_of_reach == []
    tab.close()
    assert not tab.complaints


def test_panes_stand_side_by_side_only_where_there_is_room(browser: Any, page_file: Path) -> None:
    for width, beside in ((1600, True), (400, False)):
        tab = Tab(browser, page_file, width=width)
        left, right = (tab.page.locator(f'#formulas [data-pane="{pane}"]').bounding_box() for pane in ("left", "right"))
        tab.close()
        assert (left["y"] == right["y"]) == beside
        assert (left["x"] == right["x"]) == (not beside)


def test_a_wide_matrix_shows_the_twin_that_lies_outside(browser: Any, page_file: Path) -> None:
    tab = Tab(browser, page_file, BIG, width=400)
    tab.cell("left", 14, 20).focus()
    twin, box = tab.page.evaluate(
        """() => {
            const cell = document.querySelector('[data-pane="right"] .jacobian td.lit');
            return [cell, cell.closest(".scroll")].map((e) => e.getBoundingClientRect().right);
        }"""
    )
    tab.close()
    assert twin <= box + 1


def test_the_scheme_is_the_readers(browser: Any, page_file: Path) -> None:
    colours = {}
    for scheme in ("light", "dark"):
        tab = Tab(browser, page_file, color_scheme=scheme)
        colours[scheme] = tab.page.evaluate("() => getComputedStyle(document.body).backgroundColor")
        tab.close()
    assert colours == {"light": "rgb(255, 255, 255)", "dark": "rgb(21, 23, 27)"}


def test_on_paper(tab: Tab) -> None:
    tab.page.emulate_media(media="print", color_scheme="dark")
    assert tab.page.evaluate("() => getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    for selector in ("#shared", "#left-preset", "#left-code .copy", 'input[name="left-batch"] >> nth=0'):
        assert not tab.page.locator(selector).is_visible(), selector
    for selector in ("#left-source", "#left-code .line >> nth=0", "#left-steps li >> nth=0"):
        assert tab.page.locator(selector).is_visible(), selector
    overflows = tab.page.locator(".scroll").evaluate_all(
        "boxes => boxes.map((box) => getComputedStyle(box).overflowX).filter((value) => value !== 'visible')"
    )
    assert overflows == []
    tab.page.emulate_media(media="screen")


def test_every_section_is_a_heading_and_a_region(tab: Tab) -> None:
    assert tab.page.locator("main > section[aria-labelledby]").count() == 11
    assert tab.page.get_by_role("heading", level=1).count() == 1
    assert tab.page.get_by_role("heading", level=2).count() == 11
    assert tab.page.get_by_role("grid").count() == 2


def test_an_arrow_shows_where_a_chain_goes_on(browser: Any, page_file: Path) -> None:
    tab = Tab(browser, page_file, SMALL, width=1280)
    ends = """() => [...document.querySelectorAll(".reel")].map(reel => {
        const tiles = reel.firstElementChild;
        const rest = tiles.scrollWidth - tiles.clientWidth - tiles.scrollLeft;
        return [rest > 4, (reel.dataset.more ?? "").includes("after")];
    })"""
    for width, goes_on in ((1280, False), (250, True)):
        tab.page.set_viewport_size({"width": width, "height": 800})
        tab.settle(400)
        assert tab.page.evaluate(ends) == [[goes_on, goes_on]] * 2, width
    tab.close()
