"""The page in a browser: every switch, every preset's view, the address, and what the panes then show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jacobians import Convention, Layout
from jacobians.explorer import explorer_page
from jacobians.explorer.example_nets import EXAMPLES
from tests.explorer.browser import Tab
from tests.explorer.oracle import Choice, shown_jacobian

START = {"net": "4-3-2", "by": "W1", "left": "ng-ml-2011", "right": "cs231n", "of": "Z1"}


def written(number: float) -> str:
    """Three significant digits, as in the grid."""
    if number == 0:
        return "·"
    return f"{float(f'{number:.3g}'):.15g}".replace("-", "−")


def check_grid(tab: Tab, pane: str, net: int, of: str, wrt: str, choice: Choice) -> None:
    expected = shown_jacobian(EXAMPLES[net], of, wrt, choice)
    assert tab.grid(pane)["cells"] == [[written(number) for number in row] for row in expected]


def test_the_first_view(tab: Tab) -> None:
    assert tab.fragment == START
    assert tab.requests
    assert tab.text('[data-pane="left"] h3 >> nth=0') == "Left: ng-ml-2011"
    check_grid(tab, "left", 1, "Z1", "W1", Choice("rows", "rows", "first", "F", "numerator"))
    check_grid(tab, "right", 1, "Z1", "W1", Choice("rows", "columns", "separate", "C", "numerator"))
    assert "They are one gradient" in tab.text("#difference")


@pytest.mark.parametrize(
    ("switch", "value"),
    [
        ("batch", "columns"),
        ("weights", "rows"),
        ("bias", "first"),
        ("bias", "last"),
        ("bias", "none"),
        ("vec", "F"),
        ("derivative", "denominator"),
    ],
)
def test_every_switch(tab: Tab, switch: str, value: str) -> None:
    tab.choose("right", switch, value)
    layout = {"batch": "rows", "weights": "columns", "bias": "separate", "vec": "C", "derivative": "numerator"}
    choice = Choice(**{**layout, switch: value})
    assert tab.fragment["right"] == f"{choice.fragment}.cs231n"
    assert tab.page.locator("#right-preset").input_value() == ""
    check_grid(tab, "right", 1, "Z1", "W1", choice)
    check_grid(tab, "left", 1, "Z1", "W1", Choice("rows", "rows", "first", "F", "numerator"))
    assert tab.page.locator("#right-note").is_visible() == (value == "none")
    assert ("They are one gradient" in tab.text("#difference")) == (value != "none")


def test_a_switch_keeps_the_names_of_the_last_preset(tab: Tab) -> None:
    """Ng's A₂ holds its ones and his 1/m enters at the gradient, however his layout is changed."""
    for switch, value in (("vec", "C"), ("batch", "columns"), ("weights", "columns"), ("derivative", "denominator")):
        tab.choose("left", switch, value)
        assert tab.fragment["left"].endswith(".ng-ml-2011")
        assert "Names as in ng-ml-2011." in tab.text("#left-source")
        formulas = tab.text("#left-formulas")
        assert "δ3=A3−Y" in formulas
        assert "P=" not in formulas
        code = tab.text("#left-code")
        assert "Theta1_grad = " in code
        assert "W1" not in code
        assert "∂Z₂/∂Θ₁" in tab.text("#left-chain .product")
        assert tab.grid("left")["rows" if value != "denominator" else "columns"][0] == "z₁₁"
        assert tab.grid("left")["columns" if value != "denominator" else "rows"][0] == "θ₁₁"
    tab.choose("left", "bias", "separate")
    assert "A2=σ(Z2)" in tab.text("#left-formulas")
    tab.page.locator("#left-preset").select_option("cs224n-rows")
    tab.choose("left", "vec", "F")
    assert "H1=σ(Z1)" in tab.text("#left-formulas")
    tab.page.locator("#left-preset").select_option("")
    tab.choose("left", "vec", "C")
    assert "H1=σ(Z1)" in tab.text("#left-formulas")


def test_a_layout_of_its_own_has_the_library_s_names(tab: Tab) -> None:
    tab.go("#left=rows.rows.first.F.numerator&right=rows.rows.first.F.numerator.ng-ml-2011")
    assert tab.text("#left-source").endswith("numerator layout.")
    assert "P=σ(Z2)" in tab.text("#left-formulas")
    assert tab.text("#shapes-badge").startswith("≠")
    tab.go("#left=rows.rows.first.F.numerator.ng-ml-2011&right=ng-ml-2011")
    for badge in ("formulas", "shapes", "chain", "steps", "gradient", "code"):
        assert tab.text(f"#{badge}-badge") == "= same in both panes"


def test_a_preset_sets_the_switches(tab: Tab) -> None:
    tab.page.locator("#left-preset").select_option("vecderivs-rows")
    tab.settle()
    assert tab.fragment["left"] == "vecderivs-rows"
    checked = tab.page.locator('[data-pane="left"] input:checked')
    assert [checked.nth(i).get_attribute("value") for i in range(5)] == ["rows", "columns", "none", "C", "denominator"]
    assert "eq. 7" in tab.text("#left-source")


def test_a_shared_view_opens_as_it_was_left(tab: Tab, browser: Any, page_file: Path) -> None:
    tab.page.locator("#net").select_option("5-3-2-4")
    tab.page.locator("#wrt").select_option("W2")
    tab.page.locator("#right-preset").select_option("")
    tab.choose("right", "derivative", "denominator")
    tab.page.locator('#left-chain [data-key="A2"]').click()
    tab.cell("right", 3, 5).click()
    tab.settle()
    shared = tab.fragment
    assert shared["net"], shared["by"] == ("5-3-2-4", "W2")
    assert shared["of"] == "A2"
    other = Tab(browser, page_file, "#" + "&".join(f"{name}={value}" for name, value in shared.items()))
    other.settle()
    assert other.fragment == shared
    assert other.grid("right") == tab.grid("right")
    assert other.lit("left") == tab.lit("left")
    assert other.lit("right")["cells"] == [[3, 5]]
    assert other.page.locator("#wrt").input_value() == "W2"
    other.close()
    assert not other.complaints


@pytest.mark.parametrize(
    "fragment",
    [
        "#net=9-9&by=Q&left=<img src=x>&right=rows.columns",
        "#left=constructor&right=__proto__&of=toString",
        "#tie=Z1-99999-99999&by=b1&right=rows.columns.none.C.numerator&left=vecderivs-rows",
        "#tie=Z1-3-4&of=Z1",
        "#left=rows.rows.first.F.numerator.no-such-preset&right=cs231n.",
        "#%E0%A4%A&&&===",
    ],
)
def test_a_broken_address_falls_back(tab: Tab, fragment: str) -> None:
    tab.go(fragment)
    assert tab.page.locator("#sections h2").count() == 11
    assert tab.fragment["net"] == "4-3-2"
    assert "tie" not in tab.fragment


def test_a_link_is_followed_though_the_view_before_is_written_meanwhile(tab: Tab) -> None:
    """The page writes its address late: the write of the view before may come between a link and its event."""
    tab.page.evaluate(
        """fragment => new Promise((done) => {
            const before = location.href;
            addEventListener("hashchange", done, { once: true });
            location.hash = fragment;
            history.replaceState(null, "", before);
        })""",
        "#left=keras&right=matlab",
    )
    tab.settle()
    assert (tab.fragment["left"], tab.fragment["right"]) == ("keras", "matlab")
    assert tab.lit("left") == {"output": [], "input": [], "cells": []}


def test_without_a_bias_there_is_no_derivative_by_it(tab: Tab) -> None:
    tab.go("#by=b1&left=rows.columns.none.C.numerator&right=cs231n")
    assert "no derivative" in tab.text("#left-gradient")
    assert tab.text("#difference") == "Only one of the panes has this derivative."
    check_grid(tab, "right", 1, "Z1", "b1", Choice("rows", "columns", "separate", "C", "numerator"))


def test_marks_say_what_differs(tab: Tab) -> None:
    tab.go("#left=cs231n&right=cs231n")
    assert {badge.text_content() for badge in tab.page.locator(".badge").all()} == {"= same in both panes"}
    tab.go("#left=rows.columns.separate.C.numerator&right=rows.rows.separate.C.numerator")
    assert tab.text("#conventions-badge") == "≠ 1 of 5 differ"
    marks = tab.page.locator("#right-arrays caption").all_text_contents()
    assert [mark.partition(":")[0] for mark in marks] == [
        "=same in both panes",
        "≠differs between the panes",
        *["=same in both panes"] * 3,
        "≠differs between the panes",
        *["=same in both panes"] * 4,
    ]


def test_the_code_is_copied_whole(browser: Any, page_file: Path) -> None:
    tab = Tab(browser, page_file, permissions=["clipboard-read", "clipboard-write"])
    tab.page.locator("#right-code .copy").click()
    tab.settle()
    code = tab.page.evaluate("() => navigator.clipboard.readText()")
    tab.close()
    assert code.startswith("import numpy as np\n")
    example = EXAMPLES[1]
    names: dict[str, Any] = {"X": example.X, **example.params, "N": 6, "Y": [[1.0 - y, y] for y in example.labels]}
    exec(code, names)
    assert names["dW1"].shape == (4, 3)
    assert abs(names["dW1"] - example.run(Convention("rows", Layout())).gradient()["W1"]).max() < 1e-15


def test_where_copying_is_refused_the_code_is_selected(browser: Any, page_file: Path) -> None:
    tab = Tab(browser, page_file)
    tab.page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')); }")
    tab.page.locator("#left-code .copy").click()
    assert tab.text("#left-code .copy") == "Selected: press Ctrl+C"
    assert "import numpy as np" in tab.page.evaluate("() => String(getSelection())")
    tab.close()


def test_a_name_is_shown_and_never_run(browser: Any, tmp_path: Path) -> None:
    nasty = "<img src=x onerror=alert(1)>"
    file = tmp_path / "nasty.html"
    presets = [Convention(nasty, Layout(), title=nasty, citation=nasty), Convention("other", Layout(vec="F"))]
    file.write_text(explorer_page(presets, EXAMPLES[:1]), encoding="utf-8")
    tab = Tab(browser, file)
    tab.page.on("dialog", lambda dialog: tab.complaints.append(dialog.message))
    tab.settle()
    assert tab.text('[data-pane="left"] h3 >> nth=0') == f"Left: {nasty}"
    assert tab.page.locator("img").count() == 0
    assert tab.complaints == []
    tab.close()


def test_the_policy_stops_what_was_slipped_in(browser: Any, page_text: str, tmp_path: Path) -> None:
    file = tmp_path / "slipped.html"
    slip = (
        "<script>document.title = 'run'</script><p style='color:red' onclick='1'>x</p><img src='https://a.invalid/x'>"
    )
    file.write_text(page_text.replace("<footer>", slip + "<footer>"), encoding="utf-8")
    tab = Tab(browser, file)
    tab.settle()
    assert tab.page.title() == "Jacobians explorer"
    assert sum("Content Security Policy" in text for text in tab.complaints) >= 3
    with pytest.raises(Exception, match="TrustedHTML"):
        tab.page.evaluate("() => { document.body.innerHTML = '<b>x</b>'; }")
    tab.close()
