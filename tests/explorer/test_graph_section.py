"""The residual block on the page: its numbers are right, its formulas are run, and a switch changes what is shown."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import numpy as np

from jacobians import all_conventions
from jacobians.comparison.graphs import graph_side
from jacobians.explorer.graph_section import BLOCK, residual_block
from jacobians.explorer.panes import layouts
from tests.derivation.graphs import check
from tests.explorer.browser import Tab

LAYOUTS = layouts()


def gradients(data: dict[str, Any], side: int) -> dict[str, np.ndarray]:
    """By what it is in every convention, each gradient that a pane shows."""
    found = {}
    for role, _, record in data["values"][data["graph"]["sides"][side]]["gradients"]:
        numbers = [data["numbers"][place] for place in data["values"][record["numbers"]]]
        found[role] = np.array(numbers).reshape(record["shape"])
    return found


def by_hand() -> dict[str, np.ndarray]:
    """Backprop through the block, in NumPy, with examples in rows and weights in columns."""
    X, (W1, b1, W2, b2) = BLOCK.X, (BLOCK.params[name] for name in ("W1", "b1", "W2", "b2"))
    Z = X @ W1 + b1
    H = np.maximum(Z, 0)
    S = X + H @ W2 + b2
    P = np.exp(S) / np.exp(S).sum(axis=1, keepdims=True)
    dS = (P - np.eye(4)[BLOCK.labels]) / len(X)
    dZ = (dS @ W2.T) * (Z > 0)
    return {"W1": X.T @ dZ, "b1": dZ.sum(0), "W2": H.T @ dS, "b2": dS.sum(0), "X": dZ @ W1.T + dS}


def test_every_gradient_is_the_one_by_hand(page_data: dict[str, Any]) -> None:
    wanted, seen = by_hand(), 0
    for place, layout in enumerate(LAYOUTS):
        if layout.bias != "separate":
            continue
        found = gradients(page_data, place)
        for role, array in wanted.items():
            turned = {"W": layout.weights == "rows", "X": layout.batch == "columns", "b": False}[role[0]]
            shown = found[role].T if turned else found[role]
            np.testing.assert_allclose(shown.reshape(array.shape), array, atol=1e-15)
            seen += 1
    assert seen == 80


def test_every_formula_is_run() -> None:
    for convention in all_conventions():
        run = BLOCK.run(convention.replace(reduction="mean"))
        side = graph_side(residual_block, run.network, run.params, BLOCK.X, BLOCK.labels)
        check(side.derivation, side.loss)


def test_the_picture_and_the_formulas_are_shown_and_follow_a_switch(tab: Tab) -> None:
    tab.go("#left=cs231n&right=ng-dlai")
    section = tab.page.locator("#graph")
    assert section.locator("figure svg rect").count() == 10
    assert section.locator("figcaption").text_content().startswith("The graph of a residual block: X is used twice")

    def formulas(pane: str) -> list[str]:
        texts = section.locator(f'[data-pane="{pane}"] math').evaluate_all("all => all.map((m) => m.outerHTML)")
        return ["".join(ElementTree.fromstring(text).itertext()) for text in texts]

    assert "dX=dZ1W1⊤+dS" in formulas("left")
    assert "dX=W1⊤dZ1+dS" in formulas("right")
    tab.go("#left=cs231n&right=ng-ml-2011")
    assert any(text.endswith("=δ3⊤[1H]") for text in formulas("right"))
    tab.go("#left=cs231n&right=cs231n")
    assert tab.page.locator("#graph-badge").text_content() == "= same in both panes"
