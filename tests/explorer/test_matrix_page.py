"""The page of one matrix function: its data, its policy, and what it does in a browser."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jacobians import differentiate
from jacobians.errors import FormulaError
from jacobians.explorer.matrix_functions import FUNCTIONS, function_of
from jacobians.explorer.matrix_page import matrix_page
from tests.explorer.conftest import unpacked
from tests.explorer.test_page_accessibility import axe_of


@pytest.fixture(scope="module")
def page() -> str:
    return matrix_page()


@pytest.fixture(scope="module")
def file(page: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("matrix") / "matrix.html"
    path.write_text(page, encoding="utf-8")
    return path


# --- the data ----------------------------------------------------------------------------------------------


def multiplied_out(term: dict[str, Any], order: str, shape: tuple[int, int]) -> np.ndarray:
    """A term's matrix, by NumPy from the factors that the page shows."""
    found = np.eye(shape[0])
    for factor in term["factors"]:
        parts = [np.array(part["rows"]) for part in factor["parts"]]
        if factor["kind"] == "kronecker":
            found = found @ np.kron(*parts)
        elif factor["kind"] == "diagonal":
            found = found @ np.diag(parts[0].ravel(order))
        elif factor["kind"] == "outer":
            found = found @ np.outer(parts[0].ravel(order), parts[1].ravel(order))
        elif factor["kind"] == "commutation":
            rows, columns = (int(n) for n in re.findall(r"\d+", factor["name"].translate(SUBSCRIPTS)))
            places = np.arange(rows * columns).reshape((rows, columns), order="F")  # Magnus & Neudecker's Kₘₙ
            found = found @ np.eye(rows * columns)[places.T.ravel("F")]
        else:
            assert factor["kind"] == "identity", factor
    return np.asarray(term["scale"] * found)


SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")


def test_the_factors_multiply_out_to_the_jacobian_in_every_layout(page: str) -> None:
    data = unpacked(page)
    counted = 0
    for function in data["functions"]:
        codomain, domain = function["codomain"], function["domain"]
        tensor = np.array(function["entries"]).reshape(*codomain, *domain)
        for layout, terms in function["terms"].items():
            form, order = layout.split(".")
            axes = (0, 1, 2, 3) if order == "C" else (1, 0, 3, 2)
            matrix = tensor.transpose(axes).reshape(np.prod(codomain), np.prod(domain))
            matrix = matrix if form == "numerator" else matrix.T
            if not terms:
                assert function["number"], function["key"]
                continue
            total = sum(multiplied_out(term, order, matrix.shape) for term in terms)
            np.testing.assert_allclose(total, matrix, rtol=1e-7, atol=1e-7, err_msg=f"{function['key']}, {layout}")
            counted += 1
    assert counted == 4 * 15


def test_a_function_of_the_readers_own_comes_first() -> None:
    own = function_of("trace(A.T @ X @ B @ X.T)")
    data = unpacked(matrix_page(own, FUNCTIONS[:1]))
    assert [function["key"] for function in data["functions"]] == ["own", "inverse"]
    assert data["start"]["function"] == "own"
    assert function_of("logdet").expression == "log det X"
    with pytest.raises(FormulaError, match="'X' is not in 'A B'"):
        matrix_page(function_of("A B"), ())


def test_where_no_matrix_is_written_the_differential_is() -> None:
    page = matrix_page(function_of("expm(X)"), ())
    assert page.count("<mi>dexpm</mi>") >= 4


def test_nothing_is_styled_in_place() -> None:
    """No attribute asks for a style that the policy refuses."""
    text = matrix_page(functions=FUNCTIONS[:2])
    assert "style=" not in re.sub(r"<script.*", "", text, flags=re.DOTALL)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy
    assert "unsafe" not in policy[1]
    assert policy[1].startswith("default-src &#x27;none&#x27;; script-src &#x27;sha256-")


# --- in a browser ------------------------------------------------------------------------------------------


def opened(browser: Any, file: Path, fragment: str, width: int, scheme: str = "light") -> tuple[Any, list[str]]:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    tab, complaints = context.new_page(), []
    tab.on("console", lambda message: complaints.append(message.text))
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("request", lambda asked: complaints.append(asked.url) if not asked.url.startswith(file.as_uri()) else None)
    tab.goto(file.as_uri() + fragment)
    tab.wait_for_selector("#left table.jacobian")
    return tab, [each for each in complaints if not each.startswith("data:")]


@pytest.mark.parametrize(
    ("width", "scheme", "fragment"),
    [
        (400, "dark", "#function=congruence"),
        pytest.param(1600, "light", "#function=scaled", marks=pytest.mark.slow),
        pytest.param(1000, "dark", "#function=trace", marks=pytest.mark.slow),
    ],
)
def test_every_reader_can_use_it(browser: Any, file: Path, width: int, scheme: str, fragment: str) -> None:
    """Axe finds nothing serious, nothing scrolls the page sideways, and nothing complains or is loaded."""
    tab, complaints = opened(browser, file, fragment, width, scheme)
    tab.locator("#left table.jacobian tbody td").first.focus()
    tab.wait_for_timeout(250)  # boxes that scroll become reachable
    assert axe_of(tab) == []
    assert tab.evaluate("() => document.documentElement.scrollWidth") <= width
    tab.context.close()
    assert complaints == []


def test_a_cell_lights_up_in_both_layouts_and_in_the_factors(browser: Any, file: Path) -> None:
    tab, complaints = opened(browser, file, "#function=inverse&left=numerator.C&right=denominator.F", 1600)
    tab.locator("#left table.jacobian tbody td").first.focus()
    tab.keyboard.press("ArrowRight")
    assert tab.locator("#left-readout").text_content() == "∂Y₁₁/∂X₁₂ = −0.4 · 0.2 = −0.08"
    assert tab.locator("#right-readout").text_content() == "∂Y₁₁/∂X₁₂ = −0.2 · 0.4 = −0.08"
    assert tab.locator("#right table.jacobian td.lit").text_content() == "−0.08"
    assert tab.locator("#left .terms .lit-output").all_text_contents() == ["0.4", "0.2"]
    assert tab.locator("#arrays .lit-input").all_text_contents() == ["1"]
    tab.keyboard.press("Escape")
    assert tab.locator(".lit").count() == 0
    tab.locator("#function").select_option("det")
    tab.locator("#right-layout").select_option("numerator.C")
    assert "function=det" in tab.url
    assert "right=numerator.C" in tab.url
    assert tab.locator("#value-title").text_content() == "f = det(X)"
    assert tab.locator("#code").text_content() == differentiate("det(X)", "X", notation="octave").to_numpy()
    tab.context.close()
    assert complaints == []
