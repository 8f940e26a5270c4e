"""Every preset pinned, cited and found by its name; and the tables in docs/conventions.md."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jacobians.conventions import Convention
from jacobians.errors import LayoutError
from jacobians.layout import Layout
from jacobians.presets import REFERENCES, all_conventions, convention, find_layout

DOCS = Path(__file__).parents[2] / "docs" / "conventions.md"

# batch, weights, bias, vec, derivative, reduction, l2, l2_bias, packing
EXPECTED = {
    "ng-ml-2011": ("rows", "rows", "first", "F", "numerator", "mean", "half-over-n", False, "layers"),
    "ng-ufldl": ("columns", "rows", "separate", "F", "numerator", "mean", "half", False, "weights-then-biases"),
    "ng-dlai": ("columns", "rows", "separate", "C", "numerator", "mean", "half-over-n", False, "layers"),
    "cs229": ("columns", "rows", "separate", "C", "numerator", "mean", None, False, None),
    "cs231n": ("rows", "columns", "separate", "C", "numerator", "mean", "half", False, None),
    "cs231n-2018-toy": ("rows", "columns", "separate", "C", "numerator", "mean", "one", False, None),
    "cs231n-bias-trick": ("rows", "columns", "last", "C", "numerator", "mean", "one", True, None),
    "cs231n-notes": ("columns", "rows", "separate", "C", "numerator", "mean", "one", False, None),
    "row-order": ("rows", "rows", "first", "C", "numerator", None, None, False, None),
    "vecderivs-columns": ("columns", "rows", "none", "C", "numerator", None, None, False, None),
    "vecderivs-rows": ("rows", "columns", "none", "C", "denominator", None, None, False, None),
    "cs224n-columns": ("columns", "rows", "separate", "C", "numerator", None, None, False, None),
    "cs224n-rows": ("rows", "columns", "separate", "C", "numerator", None, None, False, None),
    "nielsen": ("columns", "rows", "separate", "C", "numerator", "mean", "half-over-n", False, None),
    "mazur": ("columns", "rows", "separate", "C", "numerator", "sum", None, False, None),
    "pytorch": ("rows", "rows", "separate", "C", "numerator", "mean", None, False, "layers"),
    "pytorch-mse": ("rows", "rows", "separate", "C", "numerator", "mean-all", None, False, "layers"),
    "keras": ("rows", "columns", "separate", "C", "numerator", "mean", "one", False, None),
    "keras-mse": ("rows", "columns", "separate", "C", "numerator", "mean-all", "one", False, None),
    "flax": ("rows", "columns", "separate", "C", "numerator", None, None, False, None),
    "equinox": ("rows", "rows", "separate", "C", "numerator", None, None, False, None),
    "sklearn-mlp": (
        "rows",
        "columns",
        "separate",
        "C",
        "numerator",
        "mean",
        "half-over-n",
        False,
        "weights-then-biases",
    ),
    "matlab": ("columns", "rows", "separate", "F", "numerator", None, None, False, None),
}


# --- presets -------------------------------------------------------------------------------------


def test_presets_are_pinned() -> None:
    found = {
        p.name: (
            *(getattr(p.layout, field) for field in ("batch", "weights", "bias", "vec", "derivative")),
            *(p.reduction, p.l2, p.l2_bias, p.packing),
        )
        for p in all_conventions()
    }
    assert found == EXPECTED
    assert [p.name for p in all_conventions()] == list(EXPECTED)


@pytest.mark.parametrize("preset", all_conventions(), ids=lambda p: p.name)
def test_every_preset_is_cited(preset: Convention) -> None:
    assert re.search(r"\b(read|copies read)\b", preset.citation)
    assert len(preset.citation) > 40
    assert preset.title
    assert "\n" not in preset.title
    assert preset.notes
    assert preset.evidence in ("P", "S")  # nothing from memory
    assert preset.evidence == ("S" if "secondary" in preset.citation else "P")
    assert preset.names.weight == ("Theta{l}" if preset.name == "ng-ml-2011" else "W{l}")


def test_every_reference_is_cited_and_has_a_reason() -> None:
    assert [r.name for r in REFERENCES] == ["mml", "magnus-neudecker", "matrix-cookbook", "parr-howard"]
    for reference in REFERENCES:
        assert len(reference.citation) > 40
        assert reference.reason
        assert reference.fixes
        assert reference.evidence in ("P", "S")


def test_lookup() -> None:
    preset = convention("cs231n")
    assert convention(preset) is preset
    assert preset == convention("cs231n")
    assert hash(preset) == hash(convention("cs231n"))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("pytorhc", "convention: 'pytorhc' is unknown; did you mean 'pytorch'"),
        ("ng", "convention: 'ng' is unknown; did you mean 'ng-ml-2011' or 'ng-ufldl' or 'ng-dlai'?"),
        ("vecderivs", "did you mean 'vecderivs-columns' or 'vecderivs-rows'?"),
        ("xyzzy", "convention: 'xyzzy' is unknown; choose one of ng-ml-2011, ng-ufldl"),
        ("", "convention: '' is unknown; choose one of ng-ml-2011"),
        ("mml", "convention: 'mml' is a reference without a preset: it keeps to one column x"),
    ],
)
def test_unknown_names_suggest_the_nearest(name: str, message: str) -> None:
    with pytest.raises(LayoutError, match=re.escape(message)):
        convention(name)


# --- the document --------------------------------------------------------------------------------


def tables_of_document() -> dict[str, list[dict[str, str]]]:
    """Tables by their first heading, cells stripped of back-ticks."""
    tables: dict[str, list[dict[str, str]]] = {}
    for block in re.findall(r"(?:^\|.*\|\n)+", DOCS.read_text(encoding="utf-8"), re.MULTILINE):
        lines = [[cell.strip().strip("`") for cell in line[1:-1].split("|")] for line in block.splitlines()]
        tables.setdefault(lines[0][0], []).extend(dict(zip(lines[0], line, strict=True)) for line in lines[2:])
    return tables


def test_document_lists_the_presets() -> None:
    rows = [row for row in tables_of_document()["preset"] if "task" not in row]
    assert rows == [preset.describe() for preset in all_conventions()]


def test_document_lists_the_tasks() -> None:
    rows = [row for preset in all_conventions() for row in preset.describe_tasks()]
    assert [row for row in tables_of_document()["preset"] if "task" in row] == rows


def test_document_lists_the_references() -> None:
    rows = tables_of_document()["text"]
    assert [(r["text"], r["what it fixes"], r["why it has no preset"], r["evidence"]) for r in rows] == [
        (r.name, r.fixes, r.reason, r.evidence) for r in REFERENCES
    ]


def test_document_states_the_four_affine_forms() -> None:
    """Each printed gradient, evaluated, is the numerical derivative of the printed forward map."""
    rng = np.random.default_rng(0)
    rows = tables_of_document()["batch, weights"]
    assert [row["batch, weights"] for row in rows] == [
        f"{b}, {w}" for b in ("rows", "columns") for w in ("rows", "columns")
    ]
    for row in rows:
        batch, weights = row["batch, weights"].split(", ")
        layout = Layout(bias="none").replace(batch=batch, weights=weights)
        values = {
            "X": rng.normal(size=layout.batch_shape(5, 3)),
            "W": rng.normal(size=layout.weight_shape(3, 2)),
            "dZ": rng.normal(size=layout.batch_shape(5, 2)),
        }

        def evaluate(formula: str, values: dict[str, np.ndarray]) -> np.ndarray:
            left, right = (values[t.rstrip("ᵀ")].T if t.endswith("ᵀ") else values[t] for t in formula.split())
            return np.asarray(left @ right)

        forward = row["forward"].removeprefix("Z = ")
        for name in ("W", "X"):
            numeric = np.zeros_like(values[name])
            for index in np.ndindex(numeric.shape):
                step = np.zeros_like(numeric)
                step[index] = 1.0  # the map is linear: a step of one is exact but for rounding
                moved = evaluate(forward, values | {name: values[name] + step}) - evaluate(forward, values)
                numeric[index] = np.sum(values["dZ"] * moved)
            np.testing.assert_allclose(evaluate(row[f"gradient with respect to {name}"], values), numeric, atol=1e-12)


def test_a_layout_by_name() -> None:
    for preset in all_conventions():
        assert find_layout(preset.name) is find_layout(preset) is find_layout(preset.layout) is preset.layout
    assert find_layout() == Layout()


@pytest.mark.parametrize(
    ("find", "given", "message"),
    [
        (
            convention,
            Layout(),
            "convention: a Layout is no convention and no preset's name; give it a name",
        ),
        (convention, {"W1": 0}, "convention: a dict of W1 is no convention and no preset's name; are two arguments in"),
        (convention, None, "convention: None is no convention and no preset's name; are two arguments in each other's"),
        (
            find_layout,
            np.ones(3),
            "layout: an array of shape (3,) is no layout; pass Layout(batch='rows'",
        ),
        (find_layout, "F", "convention: 'F' is unknown; choose one of ng-ml-2011"),
        (
            lambda layout: Convention("mine", layout),
            "pytorch",
            "Convention: name is the text 'mine', layout is the",
        ),
        (
            lambda name: Convention(name, "mine"),
            Layout(),
            "Convention: name is a Layout, layout is the text 'mine'",
        ),
    ],
)
def test_what_is_no_convention_and_no_layout(find: Any, given: Any, message: str) -> None:
    with pytest.raises(LayoutError, match=re.escape(message)):
        find(given)
