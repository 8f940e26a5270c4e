"""The tutorials run, and show what is stored in them."""

from __future__ import annotations

import json

import pytest

from tests.notebooks.execute import code_cells, notebooks, run, show


@pytest.mark.parametrize("path", notebooks(), ids=lambda path: path.stem)
def test_a_notebook_shows_what_is_stored_in_it(path):
    notebook, outputs = run(path)
    for cell, found in zip(code_cells(notebook), outputs, strict=True):
        stored = [{**output, "execution_count": None} if "data" in output else output for output in cell["outputs"]]
        assert [texts(o) for o in found] == [texts(o) for o in stored], "".join(cell["source"])


def texts(output):
    """What is compared: printed and plain text; of HTML and LaTeX, that they are there."""
    if "text" in output:
        return "".join(output["text"])
    return "".join(output["data"]["text/plain"]), sorted(output["data"])


def test_there_is_one_for_each_kind_of_user():
    assert [path.stem for path in notebooks()] == ["computing", "cs231n-layers", "exploring-conventions", "verifying"]


@pytest.mark.parametrize("path", notebooks(), ids=lambda path: path.stem)
def test_a_notebook_is_one_of_format_4(path):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["metadata"]["kernelspec"]["name"]) == (4, "python3")
    assert notebook["cells"][0]["cell_type"] == "markdown"
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
    for cell in code_cells(notebook):
        assert not [o for o in cell["outputs"] if o["output_type"] == "error"]


def test_a_cell_that_shows_something_else_would_be_seen():
    (shown,) = show({"source": ["x = 1\n", "x + 1"]}, {}, "cell")
    assert texts(shown) == ("2", ["text/plain"])
    assert texts(shown) != ("3", ["text/plain"])
