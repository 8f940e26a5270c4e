"""The JavaScript programs of derivations in Chromium, against the library's own gradients."""

from __future__ import annotations

from typing import Any

from tests.derivation.test_javascript import TOLERANCE, distance, jobs, script


def test_gradients_are_the_librarys(browser: Any) -> None:
    made = jobs(28, seed=7)
    page = browser.new_page()
    results = page.evaluate(script(made))
    page.close()
    for (_, _, expected), found in zip(made, results, strict=True):
        assert distance(found, expected) <= TOLERANCE
