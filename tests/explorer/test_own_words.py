"""Names of one's own, and an activation of one's own, in what the page's scripts put together."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from jacobians import Convention
from jacobians.array_names import ArrayNames
from jacobians.explorer.example_nets import EXAMPLES
from jacobians.explorer.page import explorer_data
from jacobians.explorer.panes import layouts
from tests.explorer.in_node import in_node
from tests.explorer.library_formulas import library_formulas
from tests.explorer.random_nets import described
from tests.explorer.test_page import Softsign
from tests.explorer.test_pieces import check


def test_names_and_an_activation_of_ones_own(tmp_path: Path) -> None:
    """Names that change places with the library's are renamed once, not back."""
    names = ArrayNames(weight="Z{l}", pre="W{u}", post="H{u}", prediction="N", cotangent="delta{u}", count="P")
    mine = Convention("mine", layouts()[5], names=names)
    example = dataclasses.replace(EXAMPLES[1], activation=Softsign())
    data = explorer_data([mine], [example])
    net = {**described(example), "activation": data["nets"][0]["activation"]}
    (found,) = in_node(data, [{"net": net, "at": 5, "spelled": data["presets"][0]["words"]}], tmp_path)
    check(library_formulas(example, mine.layout, mine), found)
    assert "W1 = X_ones @ Z1.T" in found["code"]
    assert "softsign(W1)" in found["code"]
