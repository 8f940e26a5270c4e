"""What the site needs beside its pages' own text: the reference lists every public name, and every page is reached."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path

import pytest

import jacobians
import jacobians as jac
from jacobians import errors, linops, matrix, testing

DOCS = Path(__file__).parents[2] / "docs"


def listed() -> dict[str, set[str]]:
    """By home, the names in the tables of the reference."""
    found: dict[str, set[str]] = {}
    for block in re.findall(
        r"^```{eval-rst}\n(.*?)^```", (DOCS / "api" / "index.md").read_text(), re.DOTALL | re.MULTILINE
    ):
        home = re.search(r"currentmodule:: (\S+)", block)[1]
        found.setdefault(home, set()).update(re.findall(r"^   (\w+)$", block, re.MULTILINE))
    return found


def test_the_reference_lists_every_public_name() -> None:
    names = listed()
    assert set(jacobians.__all__) <= set.union(*names.values())
    assert set(linops.__all__) - {"DENSE_LIMIT", "Jacobian"} <= names["jacobians.linops"]
    assert set(matrix.__all__) == names["jacobians.matrix"]
    assert {name for name in testing.__all__ if name.startswith("assert_")} <= names["jacobians.testing"]
    assert set(errors.__all__) <= names["jacobians.errors"]


WITHOUT_EXAMPLE = {
    # parts of a result, which the examples of the result show; and protocols, which are for type checkers
    *(
        "Edge",
        "Node",
        "DirectionsCheck",
        "GraphComparison",
        "EntryAudit",
        "Failure",
        "Fault",
        "IdentityAudit",
        "Batches",
        "Blocks",
        "Rule",
        "State",
    ),
    *errors.__all__,
}


def test_every_name_of_the_reference_has_an_example() -> None:
    """The examples are run by ``pytest --doctest-modules jacobians``."""
    without = set()
    for home, names in listed().items():
        without |= {n for n in names if ">>>" not in (inspect.getdoc(getattr(importlib.import_module(home), n)) or "")}
    assert without == WITHOUT_EXAMPLE


@pytest.mark.parametrize("of", [jac.Network, jac.Run, jac.Jacobian, jac.BlockByBlock], ids=lambda of: of.__name__)
def test_every_method_has_an_example(of: type) -> None:
    members = {name: value for name, value in vars(of).items() if not name.startswith("_")}
    without = {name for name, value in members.items() if ">>>" not in (value.__doc__ or "")}
    assert without <= set(getattr(of, "__annotations__", {})) | set(getattr(of, "__slots__", ()))


def test_every_page_is_in_one_list_of_contents() -> None:
    """Sphinx warns of a page in none; in two, its place in the side bar would depend on which is read first."""
    entries: list[str] = []
    for page in DOCS.rglob("*.md"):
        for block in re.findall(
            r"^```{toctree}\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
        ):
            entries += [line for line in block.splitlines() if line and not line.startswith(":")]
    pages = [p.relative_to(DOCS).with_suffix("").as_posix() for p in (*DOCS.rglob("*.md"), *DOCS.rglob("*.ipynb"))]
    assert sorted(entries) == sorted(set(pages) - {"index"})
