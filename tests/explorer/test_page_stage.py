"""The stage in a browser: the row moves by keys, slider and buttons, and ends at the library's gradient."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest

from jacobians import convention
from jacobians.explorer.example_nets import EXAMPLES
from tests.explorer.browser import Tab


def shortly(number: float) -> str:
    """As the stage prints a number."""
    if abs(number) < 5e-13:
        return "0"
    size = abs(number)
    text = f"{size:.0f}" if size >= 9.95 else f"{size:.3f}" if size < 0.00995 else f"{size:.2f}"
    return ("−" if number < 0 else "") + (text[1:] if text.startswith("0.") else text)


def last_table(tab: Tab, pane: str) -> list[list[str]]:
    rows = tab.page.locator(f"#{pane}-step table").last.locator("tr")
    return [rows.nth(i).locator("td").all_text_contents() for i in range(rows.count())]


def stop(tab: Tab) -> str:
    return tab.text("#stops li[aria-current] span:first-child")


def test_it_opens_at_the_last_layers_weights(tab: Tab) -> None:
    assert stop(tab) == "∂Z₃/∂σ(Z₂)"
    assert tab.text("#stops li[aria-current] span:last-child") == "∂Z₂/∂A₁"
    assert tab.text("#say").startswith("The row passes ∂Z₃/∂σ(Z₂) (right: ∂Z₂/∂A₁).")
    assert tab.page.locator("#left-tiles [aria-current] .size").text_content() == "12 × 24"
    assert tab.page.locator("#right-tiles [aria-current] .size").text_content() == "12 × 18"
    assert tab.text("#right-step .op math").replace(" ", "") == "dA1=dZ2W2⊤"
    assert tab.text("#left-step .why").startswith("vec trick. ")


def test_keys_and_buttons_move_the_row(tab: Tab) -> None:
    tab.page.locator("#left-step svg").focus()
    tab.page.keyboard.press("Home")
    assert stop(tab) == "start"
    # Ng keeps 1 / m in front: the row's entries are those of 1, and its title says so
    assert tab.page.locator("#left-step caption math").text_content() == "1"
    assert last_table(tab, "left") == [["1.00"] * 6]
    assert "N" in (tab.page.locator("#right-step caption math").text_content() or "")
    assert last_table(tab, "right") == [[".17"] * 6]
    tab.page.evaluate("() => document.activeElement.blur()")
    for name in ("loss", "∂Z₃/∂σ(Z₂)", "drop the 1"):
        tab.page.keyboard.press("ArrowRight")
        assert stop(tab) == name
    assert "≠ Right has no such factor" in tab.text("#say")
    tab.page.keyboard.press("ArrowLeft")
    assert stop(tab) == "∂Z₃/∂σ(Z₂)"
    tab.page.locator("#forward").click()
    assert stop(tab) == "drop the 1"
    tab.page.locator("#stop").fill("1")
    assert stop(tab) == "loss"
    assert tab.fragment["step"] == "1"
    tab.page.locator("#stops button").first.click()
    assert stop(tab) == "start"


@pytest.mark.parametrize(("left", "right"), [("ng-ml-2011", "cs231n"), ("ng-dlai", "vecderivs-columns")])
def test_the_sum_over_the_examples_is_the_gradient(tab: Tab, left: str, right: str) -> None:
    tab.go(f"#left={left}&right={right}&step=99")
    assert stop(tab) == "+ example 6"
    for pane, name in (("left", left), ("right", right)):
        preset = convention(name)
        gradients = EXAMPLES[1].run(preset.replace(reduction="mean")).gradient()
        gradient = gradients[preset.names.of("weight", 1)]
        assert last_table(tab, pane) == [[shortly(number) for number in row] for row in gradient]


def test_one_example_is_followed(tab: Tab) -> None:
    tab.go("#left=cs231n&right=cs231n&step=1")
    tab.page.locator("#follow").select_option("2")
    table = last_table(tab, "right")
    assert [any(text != "0" for text in row) for row in table] == [False, True, False, False, False, False]
    assert tab.fragment["follow"] == "2"


def test_play_goes_on_and_pauses(tab: Tab) -> None:
    before = stop(tab)
    tab.page.locator("#play").click()
    assert stop(tab) != before
    assert "pause" in tab.text("#play")
    tab.page.locator("#play").click()
    assert "play" in tab.text("#play")


def test_an_entry_lights_on_both_sides(tab: Tab) -> None:
    cell = tab.page.locator("#left-step svg rect[data-r]").nth(7)
    cell.dispatch_event("pointerover", {"bubbles": True})
    key = cell.evaluate("cell => [cell.dataset.r, cell.dataset.c]")
    lit = tab.page.evaluate(
        """([r, c]) => ["left", "right"].map((pane) => [`[data-r="${r}"][data-c="${c}"]`, `[data-k="${r}"]`].map(
            (selector) => [...document.querySelectorAll(`#${pane}-step ${selector}`)].every(
                (element) => element.classList.contains("end"))))""",
        key,
    )
    assert lit == [[True, True], [True, True]]
    assert tab.page.locator("#right-step .end").count() > 0
    assert " = " in tab.text("#left-terms")


def test_the_entries_of_a_result_are_walked_by_keys(tab: Tab) -> None:
    tab.page.locator("#right-step svg").focus()
    said = []
    for _ in range(3):
        tab.page.keyboard.press("ArrowRight")
        said.append(tab.text("#live"))
    assert [text.partition(" ")[0] for text in said] == ["da₁₁", "da₁₂", "da₁₃"]
    assert stop(tab) == "∂Z₃/∂σ(Z₂)"


def test_a_convention_changes_and_the_row_stays(tab: Tab) -> None:
    tab.page.locator("#stop").fill("4")
    before = stop(tab)
    tab.choose("right", "derivative", "denominator")
    assert stop(tab) == before
    tab.choose("left", "bias", "separate")
    assert stop(tab).startswith("∂")
    assert tab.text("#stops").count("drop the 1") == 0


def test_a_terms_sum_is_the_entry(tab: Tab) -> None:
    """The entry that is written out, computed from what is written."""
    text = tab.text("#right-terms").replace("−", "-").replace("·", "*")
    _, terms, total = text.split(" = ")
    factors = [[float(f.strip("()")) for f in term.split("*")] for term in terms.split(" + ")]
    assert sum(a * b for a, b in factors) == pytest.approx(float(total), rel=0.02)


def test_on_one_screen(tab: Tab) -> None:
    box = tab.page.locator("#stage").bounding_box()
    assert box["y"] + box["height"] <= 900


def test_without_a_bias_there_is_no_row(tab: Tab) -> None:
    tab.go("#by=b1&left=rows.columns.none.C.numerator&right=cs231n")
    assert "no derivative" in tab.text("#left-tiles")
    assert tab.page.locator("#right-tiles svg").count() > 3


def test_the_strings_of_numbers_agree() -> None:
    assert [shortly(x) for x in np.array([0.5, -0.004, 12.4, 0.0])] == [".50", "−.004", "12", "0"]


def test_a_column_ends_at_one_entry_of_the_librarys_gradient(tab: Tab) -> None:
    """Forward mode, in numerator and in denominator layout, of an entry that both sides have."""
    tab.go("#net=4-3-2&mode=forward&step=99&left=cs231n&right=columns.columns.last.F.denominator&by=W1")
    gradient = EXAMPLES[1].run(convention("cs231n").replace(reduction="mean")).gradient()["W1"]
    select = tab.page.locator("#follow")
    values = select.locator("option").evaluate_all("options => options.map((o) => o.value)")
    assert len(values) == gradient.size
    for i in (0, 5, 11):
        select.select_option(values[i])
        tab.settle()
        for pane in ("left", "right"):
            text = tab.text(f"#{pane}-step .with .op").rpartition(" = ")[2].replace("−", "-")
            assert float(text) == pytest.approx(gradient.ravel()[i], rel=6e-3)
    assert tab.fragment["mode"] == "forward"
    tab.page.keyboard.press("Escape")
    tab.page.locator("#mode").select_option("back")
    assert "mode" not in tab.fragment


def test_a_column_passes_every_factor_once(tab: Tab) -> None:
    tab.go("#net=4-3-2&mode=forward&step=0&by=W1")
    assert stop(tab) == "start"
    seen = [stop(tab)]
    for _ in range(7):
        tab.page.locator("#forward").click()
        seen.append(stop(tab))
    assert seen == ["start", "turn", "∂Z₂/∂Θ₁", "∂σ(Z₂)/∂Z₂", "drop the 1", "∂Z₃/∂σ(Z₂)", "loss", "mean"]


def test_a_step_is_saved_as_a_picture_that_stands_alone(tab: Tab) -> None:
    tab.go("#net=4-3-2&step=2")
    with tab.page.expect_download() as waited:
        tab.page.locator("#save").click()
    root = ElementTree.parse(waited.value.path()).getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    texts = [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "(Θ₂ ⊗ I₆)" in texts
    assert any(text.startswith("dA₁ = dZ₂ W₂ᵀ") for text in texts)
    fills = {element.get("fill") for element in root.iter("{http://www.w3.org/2000/svg}rect")}
    assert len(fills) > 8
    assert not {"class", "style"} & {name for element in root.iter() for name in element.attrib}
