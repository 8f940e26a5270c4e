"""A real browser for the page: `find_chromium`, `open_browser`, and a `Tab` that collects what must not happen."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

INSTALL = "apt-get install --no-install-recommends chromium && pip install '.[browser]'"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--force-color-profile=srgb"]


def find_chromium() -> str | None:
    """The path of an installed Chromium or Chrome."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next((path for name in names if (path := shutil.which(name))), None)


def missing(what: str) -> None:
    """Skip with a reason, or fail where a browser is required."""
    reason = f"{what}; to run this test: {INSTALL}"
    if os.environ.get("JACOBIANS_REQUIRE_BROWSER"):
        pytest.fail(f"JACOBIANS_REQUIRE_BROWSER is set, and {reason}", pytrace=False)
    pytest.skip(reason)


@contextmanager
def open_browser() -> Iterator[Any]:
    """A headless Chromium with a fresh profile, driven by Playwright through a pipe."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("Playwright is not installed")
    path = find_chromium()
    if path is None:
        missing("no Chromium is installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


class Tab:
    """The explorer in a tab of its own, which must stay silent: no console message, no error, no request.

    Parameters
    ----------
    browser : Browser
    file : Path
        Of the page.
    fragment : str
        With its ``#``.
    **options
        Of Playwright's ``new_context``, such as ``color_scheme``.
    """

    def __init__(self, browser: Any, file: Path, fragment: str = "", width: int = 1600, **options: Any) -> None:
        self.context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.address = file.as_uri()
        self.page.goto(self.address + fragment)
        self.page.wait_for_selector("#stops li[aria-current]", state="attached")

    def strange_requests(self) -> list[str]:
        """Whatever was asked for beside the file itself and the empty icon within it."""
        asked = [url.partition("#")[0] for url in self.requests]
        return [url for url in asked if url != self.address and not url.startswith("data:")]

    def close(self) -> None:
        self.context.close()

    def go(self, fragment: str) -> None:
        """Put another view into the address, as a teacher's link does."""
        # a timer may come before the event, and there is none where the address stays the same
        self.page.evaluate(
            """fragment => new Promise((done) => {
                addEventListener("hashchange", done, { once: true });
                setTimeout(done, 500);
                location.hash = fragment;
            })""",
            fragment,
        )
        self.settle()

    def settle(self, milliseconds: int = 0) -> None:
        """Let events and a frame pass."""
        wait = "wait => new Promise((done) => setTimeout(() => requestAnimationFrame(done), wait))"
        self.page.evaluate(wait, milliseconds)

    @property
    def fragment(self) -> dict[str, str]:
        """The view in the address, field by field, after the page has had the time to write it."""
        self.settle(200)
        text = self.page.evaluate("() => location.hash.slice(1)")
        return dict(part.split("=", 1) for part in text.split("&"))

    def choose(self, pane: str, switch: str, value: str) -> None:
        """Click one choice of a switch."""
        self.page.locator(f'input[name="{pane}-{switch}"][value="{value}"]').check()
        self.settle()

    def grid(self, pane: str) -> dict[str, list[Any]]:
        """The open factor as it is shown: headers of columns and rows, and the cells' texts."""
        return self.page.evaluate(
            """pane => {
                const table = document.querySelector(`[data-pane="${pane}"] table.jacobian`);
                const texts = (cells) => [...cells].map((cell) => cell.textContent);
                return {
                    columns: texts(table.tHead.rows[0].cells).slice(1),
                    rows: [...table.tBodies[0].rows].map((row) => row.cells[0].textContent),
                    cells: [...table.tBodies[0].rows].map((row) => texts(row.cells).slice(1)),
                };
            }""",
            pane,
        )

    def lit(self, pane: str) -> dict[str, list[Any]]:
        """What is lit: [array, row, column] of the entries among the numbers, [row, column] of the grid's cell."""
        return self.page.evaluate(
            """pane => {
                const where = (cell) => [cell.parentNode.sectionRowIndex, cell.cellIndex];
                const entries = (name) => [...document.querySelectorAll(`#${pane}-arrays td.lit-${name}`)].map(
                    (cell) => [cell.closest("table").querySelector("caption b").textContent, ...where(cell)]);
                const cells = [...document.querySelectorAll(`#${pane}-chain td.lit`)].map((cell) => where(cell));
                return {
                    output: entries("output"),
                    input: entries("input"),
                    cells: cells.map(([r, c]) => [r, c - 1]),
                };
            }""",
            pane,
        )

    def cell(self, pane: str, row: int, column: int) -> Any:
        """The locator of a cell of the open factor."""
        rows = self.page.locator(f"#{pane}-chain table.jacobian tbody tr")
        return rows.nth(row).locator("td").nth(column)

    def text(self, selector: str) -> str:
        return self.page.locator(selector).text_content() or ""
