"""The JavaScript programs of derivations in Chromium, against the library's own gradients."""

from __future__ import annotations

import json
from typing import Any

from tests.derivation.test_javascript import TOLERANCE, distance, jobs, script
from tests.explorer import in_node, test_pieces


def test_gradients_are_the_librarys(browser: Any) -> None:
    made = jobs(28, seed=7)
    page = browser.new_page()
    results = page.evaluate(script(made))
    page.close()
    for (_, _, expected), found in zip(made, results, strict=True):
        assert distance(found, expected) <= TOLERANCE


def test_nets_of_the_readers_own_are_the_librarys(browser: Any, page_data: dict[str, Any]) -> None:
    made = test_pieces.cases(20, seed=11)
    text = in_node.script(page_data, test_pieces.jobs_of(page_data, made))
    page = browser.new_page()
    results = json.loads(page.evaluate(f"() => {{ {text}\nreturn JSON.stringify(done); }}"))
    page.close()
    for case, found in zip(made, results, strict=True):
        assert test_pieces.distance(case, found) <= TOLERANCE
