"""What differs between two conventions, in the library's sentences, and flips that move entries."""

from __future__ import annotations

from jacobians import convention
from jacobians.comparison.differences import differences
from jacobians.comparison.shared_names import SharedNames
from jacobians.derivation import derive
from jacobians.explorer.example_nets import EXAMPLES
from tests.explorer.browser import Tab

COUNT = "() => document.getAnimations().length"


def said(tab: Tab) -> list[str]:
    return tab.page.locator("#ways li").all_text_contents()


def test_the_sentences_are_those_of_the_comparison(tab: Tab) -> None:
    """Of the same net and batch, in the presets' own layouts and names, under one reduction."""
    tab.go("#net=4-3-2&left=ng-ml-2011&right=cs231n")
    runs = [EXAMPLES[1].run(convention(name).replace(reduction="mean")) for name in ("ng-ml-2011", "cs231n")]
    found = differences([SharedNames(run, derive(run)) for run in runs], [1.0, 1.0])
    expected = [each.text for each in found]
    for text in said(tab):
        own = text.replace("Left ", "ng-ml-2011 ").replace("; right ", "; cs231n ")
        assert own in expected
    assert len(said(tab)) == 4


def test_one_layout_twice_has_no_difference(tab: Tab) -> None:
    tab.go("#net=4-3-2&left=cs231n&right=rows.columns.separate.C.numerator.nielsen")
    assert said(tab) == []


def test_a_step_says_what_differs_there(tab: Tab) -> None:
    tab.go("#net=4-3-2&left=ng-ml-2011&right=cs231n&step=3")
    assert "≠ left absorbs the bias in Θ₁" in tab.text("#say")


def test_a_flip_moves_the_entries(tab: Tab) -> None:
    tab.go("#net=4-3-2&left=cs231n&right=pytorch&step=2")
    tab.choose("left", "vec", "F")
    assert tab.page.evaluate(COUNT) > 20
    tab.go("#net=4-3-2&left=cs231n&right=pytorch&step=3")
    tab.choose("left", "derivative", "denominator")
    assert tab.page.evaluate(COUNT) == 0


def test_nothing_moves_for_who_asks_for_less_motion(tab: Tab) -> None:
    tab.page.emulate_media(reduced_motion="reduce")
    tab.go("#net=4-3-2&left=cs231n&right=pytorch&step=2")
    tab.choose("left", "vec", "F")
    moving = tab.page.evaluate(COUNT)
    tab.page.emulate_media(reduced_motion="no-preference")
    assert moving == 0
