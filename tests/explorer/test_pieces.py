"""Any net that the page puts together is the library's: formulas, sentences, programs and numbers.

A few nets in every run; ``python -m tests.explorer.test_pieces 1000`` takes as many as are asked for.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jacobians.conventions import Convention
from jacobians.explorer.example_nets import EXAMPLES, Example
from jacobians.explorer.page import explorer_data
from jacobians.explorer.panes import layouts
from jacobians.presets import all_conventions
from tests.explorer.in_node import in_node
from tests.explorer.library_formulas import library_formulas
from tests.explorer.random_nets import described, random_example

TOLERANCE = 1e-13
Case = tuple[Example, int, Convention]


def cases(count: int, seed: int) -> list[Case]:
    """Nets of one to five layers, every preset in its own layout and in one that it was flipped to."""
    rng, presets = np.random.default_rng(seed), all_conventions()
    found = []
    for i in range(count):
        preset = presets[i % len(presets)]
        own = layouts().index(preset.layout.of_matrices)
        at = own if i % 2 == 0 else int(rng.integers(64))
        found.append((random_example(rng, 1 + i % 5), at, preset))
    return found


def jobs_of(data: dict[str, Any], made: list[Case]) -> list[dict[str, Any]]:
    words = {preset["name"]: preset["words"] for preset in data["presets"]}
    return [{"net": described(e), "at": at, "spelled": words[preset.name]} for e, at, preset in made]


def in_the_page(data: dict[str, Any], made: list[Case], folder: Path) -> list[dict[str, Any]]:
    return in_node(data, jobs_of(data, made), folder)


def distance(case: Case, found: dict[str, Any]) -> float:
    """The largest difference of a gradient's entry, relative to the largest of the gradient."""
    example, at, _ = case
    run = example.run(Convention("", layouts()[at], reduction="mean"))
    worst = abs(found["record"]["arrays"][-1]["numbers"]["0"] - run.loss) / max(1.0, abs(run.loss))
    gradients = run.gradient(inputs=True)
    assert set(gradients) == set(found["stops"]) == set(found["record"]["gradients"])
    for name, gradient in gradients.items():
        record = found["record"]["gradients"][name]
        assert record["shape"] == list(gradient.shape)
        scale = max(1.0, np.abs(gradient).max())
        for numbers in (list(record["numbers"].values()), found["stops"][name][-1]["after"]):
            worst = max(worst, np.abs(np.array(numbers) - gradient.ravel()).max() / scale)
    return float(worst)


@pytest.fixture(scope="module")
def made(page_data: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Case, dict[str, Any]]]:
    chosen = cases(46, seed=0)
    return [*zip(chosen, in_the_page(page_data, chosen, tmp_path_factory.mktemp("node")), strict=True)]


def test_formulas_sentences_and_programs_are_the_librarys(made: list[tuple[Case, dict[str, Any]]]) -> None:
    for (example, at, preset), found in made:
        check(library_formulas(example, layouts()[at], preset), found)


def check(expected: dict[str, Any], found: dict[str, Any]) -> None:
    for part in ("forward", "cotangents", "shapes", "code", "parameters"):
        assert found[part] == expected[part], part
    for name, text in expected["shown"].items():
        assert found["shown"][name] == text


def test_numbers_are_the_librarys(made: list[tuple[Case, dict[str, Any]]]) -> None:
    for case, found in made:
        assert distance(case, found) <= TOLERANCE


def test_an_array_has_one_name_for_comparing(made: list[tuple[Case, dict[str, Any]]]) -> None:
    """Layer 1's activation stands beside layer 1's, though Ng counts the input as a layer; no name is there twice."""
    for _, found in made:
        roles = [role for role, _, _ in found["shapes"]]
        assert len(set(roles)) == len(roles)
        named = [name for part in ("forward", "cotangents") for name, _ in found[part]]
        assert len(set(named)) == len(named)
        assert set(named) <= {*roles, "X"}


def test_a_wrong_formula_is_found(page_data: dict[str, Any], tmp_path: Path) -> None:
    """A δ with the targets added and not taken away, in the data alone."""
    case = cases(1, seed=1)[0]
    example = case[0]
    written = page_data["templates"]["losses"][example.loss]["written"]
    wrong = [{**each, "delta": ["multiply", 2, each["delta"]]} for each in written]
    losses = {**page_data["templates"]["losses"]}
    losses[example.loss] = {**losses[example.loss], "written": wrong}
    data = {**page_data, "templates": {**page_data["templates"], "losses": losses}}
    (found,) = in_the_page(data, [case], tmp_path)
    assert distance(case, found) > 1e-3


if __name__ == "__main__":
    wanted, worst, done = int(sys.argv[1]), 0.0, 0
    data = explorer_data(all_conventions(), EXAMPLES)
    with tempfile.TemporaryDirectory() as folder:
        while done < wanted:
            chosen = cases(min(100, wanted - done), seed=1000 + done)
            for case, found in zip(chosen, in_the_page(data, chosen, Path(folder)), strict=True):
                worst = max(worst, distance(case, found))
                check(library_formulas(case[0], layouts()[case[1]], case[2]), found)
            done += len(chosen)
    print(f"{wanted} random nets: formulas equal, largest relative difference of a number {worst:.1e}")
