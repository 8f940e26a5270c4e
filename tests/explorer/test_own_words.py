"""Names of one's own, and an activation of one's own, in what the page's scripts put together."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from jacobians import Convention, all_conventions
from jacobians.array_names import ArrayNames
from jacobians.explorer.example_nets import EXAMPLES
from jacobians.explorer.page import explorer_data
from jacobians.explorer.panes import layouts
from tests.explorer.in_node import in_node
from tests.explorer.library_formulas import library_formulas
from tests.explorer.random_nets import described
from tests.explorer.test_page import Softsign
from tests.explorer.test_pieces import check


def test_names_of_ones_own(tmp_path: Path) -> None:
    """Names that change places with the library's are renamed once, not back."""
    names = ArrayNames(weight="Z{l}", pre="W{u}", post="H{u}", prediction="N", cotangent="delta{u}", count="P")
    mine, example = Convention("mine", layouts()[5], names=names), EXAMPLES[1]
    data = explorer_data([mine], EXAMPLES[1:2])
    (found,) = in_node(data, [{"net": described(example), "at": 5, "spelled": data["presets"][0]["words"]}], tmp_path)
    check(library_formulas(example, mine.layout, mine), found)
    assert "W1 = X_ones @ Z1.T" in found["code"]


def test_an_activation_of_ones_own(tmp_path: Path) -> None:
    example, preset = dataclasses.replace(EXAMPLES[1], activation=Softsign()), all_conventions()[0]
    data = explorer_data([preset], [example])
    net = {**described(example), "activation": data["nets"][0]["activation"]}
    at = data["presets"][0]["at"]
    (found,) = in_node(data, [{"net": net, "at": at, "spelled": data["presets"][0]["words"]}], tmp_path)
    check(library_formulas(example, layouts()[at], preset), found)
    assert "softsign(" in found["code"]
