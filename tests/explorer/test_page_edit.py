"""A net of the reader's own in a browser: sizes, activation, loss, batch and entries, and its address."""

from __future__ import annotations

import numpy as np

from jacobians import Convention, convention
from jacobians.explorer.example_nets import EXAMPLES, Example
from tests.explorer.browser import Tab
from tests.explorer.test_page_stage import shortly

OPEN = "() => { document.getElementById('editor').open = true; }"


def opened(tab: Tab) -> None:
    tab.page.evaluate(OPEN)
    tab.settle(50)


def shown_gradient(tab: Tab, pane: str) -> list[str]:
    return tab.page.locator(f"#{pane}-gradient table.array td").all_text_contents()


def rounded(number: float) -> str:
    """As the page rounds to three digits."""
    return f"{number:.3g}" if abs(number) >= 1e-4 else f"{number:.2e}"


def test_an_entry_is_edited_and_everything_follows(tab: Tab) -> None:
    opened(tab)
    field = tab.page.locator('input[data-entry="W2.0.1"]')
    field.fill("1.25")
    tab.settle()
    example = EXAMPLES[1]
    params = {**example.params, "W2": example.params["W2"].copy()}
    params["W2"][0, 1] = 1.25
    mine = Example("", example.sizes, example.activation, example.loss, params, example.X, example.labels)
    gradient = mine.run(Convention("", convention("cs231n").layout, reduction="mean")).gradient()["W1"]
    found = [float(text.replace("−", "-")) for text in shown_gradient(tab, "right")]
    np.testing.assert_allclose(found, [float(rounded(number)) for number in gradient.ravel()], rtol=1e-2, atol=1e-6)
    assert tab.fragment["set"] == "W2.0.1_1.25"
    assert "They are one gradient" in tab.text("#difference")
    assert "computed in this page" in tab.text("#batch")
    tab.page.locator("#restore").click()
    assert "set" not in tab.fragment


def test_what_is_no_number_or_no_class_changes_nothing(tab: Tab) -> None:
    opened(tab)
    before = shown_gradient(tab, "left")
    for entry, text in (("X.0.0", "x"), ("X.0.0", ""), ("y.0.0", "3"), ("y.0.0", "1.5"), ("X.0.0", "1e9")):
        field = tab.page.locator(f'input[data-entry="{entry}"]')
        field.fill(text)
        assert field.get_attribute("aria-invalid") == "true"
        assert shown_gradient(tab, "left") == before


def test_five_layers_in_the_address_are_the_librarys(tab: Tab) -> None:
    """The last row of the stage is the library's gradient of the net that the address describes."""
    tab.go("#net=3-2&sizes=3-2-3-2-3-2&count=3&act=gelu&loss=multiclass_hinge&left=cs231n&right=pytorch&step=99&by=W1")
    opened(tab)
    numbers = tab.page.evaluate(
        "() => [...document.querySelectorAll('#entries input')].map((i) => [i.dataset.entry, Number(i.value)])"
    )
    arrays: dict[str, dict[tuple[int, int], float]] = {}
    for entry, number in numbers:
        name, r, c = entry.split(".")
        arrays.setdefault(name, {})[int(r), int(c)] = number
    whole = {
        name: np.array([cells[key] for key in sorted(cells)]).reshape(tuple(np.max(list(cells), axis=0) + 1))
        for name, cells in arrays.items()
    }
    labels = whole.pop("y").ravel().astype(int) - 1
    params = {name: array.ravel() if name.startswith("b") else array for name, array in whole.items() if name != "X"}
    mine = Example("", (3, 2, 3, 2, 3, 2), "gelu", "multiclass_hinge", params, whole["X"], labels)
    gradient = mine.run(Convention("", convention("cs231n").layout, reduction="mean")).gradient()["W1"]
    table = tab.page.locator("#left-step table").last.locator("td").all_text_contents()
    assert table == [shortly(number) for number in gradient.ravel()]
    assert tab.fragment["sizes"] == "3-2-3-2-3-2"


def test_the_net_is_edited_by_keyboard(tab: Tab) -> None:
    tab.page.evaluate(OPEN.replace("true", "false"))
    tab.page.locator("#editor summary").focus()
    tab.page.keyboard.press("Enter")
    tab.settle(50)
    tab.page.locator("#layers").select_option("3")
    tab.settle()
    assert tab.fragment["sizes"] == "4-3-3-2"
    tab.page.locator('input[data-entry="X.0.0"]').focus()
    for key in ("ArrowDown", "ArrowRight"):
        tab.page.keyboard.press(key)
    assert tab.page.evaluate("() => document.activeElement.dataset.entry") == "X.1.1"
    assert tab.page.locator('#entries table:has([data-entry="X.0.0"]) input[tabindex="0"]').count() == 1
    tab.page.keyboard.type("7")
    assert tab.fragment["set"] == "X.1.1_7"


def test_a_wrong_address_leaves_the_net(tab: Tab) -> None:
    tab.go("#sizes=4-3-99&count=1&act=__proto__&loss=x&set=W1.0.0_x*Q.0.0_1*W1.0_3")
    assert not {"sizes", "count", "act", "loss", "set"} & tab.fragment.keys()
