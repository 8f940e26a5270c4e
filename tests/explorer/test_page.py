"""The file: its size, its policy, and that no name can become markup."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from typing import Any

import numpy as np
import pytest

from jacobians import Convention, Layout, all_conventions, convention
from jacobians.errors import ArgumentError, LayoutError
from jacobians.explorer import explorer_page
from jacobians.explorer.distinct_values import DistinctValues
from jacobians.explorer.example_nets import EXAMPLES
from jacobians.explorer.templates import templates_record
from jacobians.operations import Elementwise, Softmax
from tests.explorer.conftest import unpacked

NASTY = '</script><img src=x onerror="document.title=1"><!--'


def policy_of(page: str) -> dict[str, str]:
    found = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert found
    parts = html.unescape(found[1]).split("; ")
    return {name: value for name, _, value in (part.partition(" ") for part in parts)}


def test_the_page_is_under_one_megabyte(page_text: str) -> None:
    assert len(page_text.encode()) < 1_000_000


def test_the_policy_allows_the_pages_own_style_and_script_and_nothing_else(page_text: str) -> None:
    policy = policy_of(page_text)
    assert policy["default-src"] == "'none'"
    for directive, pattern in (("style-src", "<style>(.*?)</style>"), ("script-src", "<script>(.*?)</script>")):
        found = re.findall(pattern, page_text, re.DOTALL)
        assert len(found) == 1
        digest = base64.b64encode(hashlib.sha256(found[0].encode()).digest()).decode()
        assert policy[directive] == f"'sha256-{digest}'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert "unsafe" not in str(policy)
    assert "http:" not in str(policy)


def test_the_page_names_no_address_outside_itself(page_text: str) -> None:
    assert set(re.findall(r"https?://[^\"'\s<]+", page_text)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1998/Math/MathML",
    }
    assert not re.search(r"\bstyle=", page_text)
    assert not re.search(r"\bon[a-z]+=", page_text)
    assert "innerHTML" not in page_text


def test_a_name_cannot_leave_the_data() -> None:
    presets = [Convention(NASTY, Layout()), Convention("{{style}}", Layout(), title=NASTY, citation=NASTY)]
    page = explorer_page(presets, EXAMPLES[:1])
    assert "<img" not in page
    assert page.count("</script>") == 2
    assert page.count("<style>") == 1
    assert [preset["name"] for preset in unpacked(page)["presets"]] == [NASTY, "{{style}}"]


def test_every_preset_is_offered(page_data: dict[str, list[dict[str, str]]]) -> None:
    assert [preset["name"] for preset in page_data["presets"]] == [c.name for c in all_conventions()]
    assert len(page_data["layouts"]) == 64


def test_twice_the_same_page_by_preset_and_by_name() -> None:
    first, second = (explorer_page([preset], EXAMPLES[:1]) for preset in (convention("cs231n"), "cs231n"))
    assert first == second


def test_scripts_and_styles_stay_short() -> None:
    from importlib.resources import files

    found = [*files("jacobians.explorer").joinpath("static").iterdir()]
    assert {"page.html", "page.css", "dom.js", "main.js"} <= {file.name for file in found}
    for file in found:
        assert len(file.read_text(encoding="utf-8").splitlines()) <= 250, file.name


class Softsign(Elementwise):
    """V ↦ V / (1 + |V|)."""

    @staticmethod
    def textbook(Z: Any) -> Any:
        return Z / (1 + np.abs(Z))

    @staticmethod
    def textbook_prime(Z: Any) -> Any:
        return 1 / (1 + np.abs(Z)) ** 2

    def _rule(self, z: Any) -> Any:
        scale = 1 / (1 + np.abs(z))
        return z * scale, lambda: scale * scale


class WithoutTextbook(Softsign):
    textbook = textbook_prime = None


@pytest.mark.parametrize(
    ("activation", "text"),
    [
        (WithoutTextbook(), "withouttextbook states no textbook form, and the page computes with it; give its class"),
        (Softmax(), "softmax does not act entry by entry, as an activation of the page does"),
    ],
)
def test_an_activation_that_the_page_cannot_compute_is_refused(activation: Any, text: str) -> None:
    with pytest.raises(LayoutError, match=f"^explorer: {text}"):
        templates_record([], [], {"own": activation}, DistinctValues())


@pytest.mark.parametrize("one", ["cs231n", convention("cs231n")])
def test_one_convention_is_told_to_be_a_list(one: Any) -> None:
    with pytest.raises(
        ArgumentError, match=re.escape("presets is one convention; write a list: explorer_page(['cs231n'])")
    ):
        explorer_page(one)
