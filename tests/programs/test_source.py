"""Programs as one tree: notebooks, Python 2, and what is too deep or no Python at all."""

from __future__ import annotations

import json

import pytest

from jacobians.errors import FormulaError
from jacobians.programs.source import read_source


def notebook(*cells: str) -> str:
    held = [{"cell_type": "code", "source": cell.splitlines(keepends=True)} for cell in cells]
    return json.dumps({"cells": [{"cell_type": "markdown", "source": ["# not code ("]}, *held]})


def test_the_code_cells_of_a_notebook_are_one_program() -> None:
    source = read_source(notebook("%matplotlib inline\na = 1", "b = a\nc = b"), "x.ipynb")
    assert [source.line(n) for n in (1, 2, 3, 4)] == ["%matplotlib inline", "a = 1", "b = a", "c = b"]
    assert source.where(4) == "cell 3, line 2"
    assert [node.lineno for node in source.tree.body] == [2, 3, 4]


def test_print_statements_keep_their_lines() -> None:
    source = read_source("if 1:\n    print 'a', (1,\n      2)\nprint 'b'\nx = 1\n")
    assert source.whole_division
    assert source.tree.body[-1].lineno == 5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = (1", "line 1: not Python"),
        ("x = " + "(" * 400 + "1" + ")" * 400, "not Python|nested too deep"),
        ("x = " + "1 + " * 5000 + "1", "nested (too|more)"),
        ("x = " + "-" * 3000 + "1", "nested (too|more)"),
        ("a = 1\0", "is no program: it holds bytes that are no text"),
        ("\x89PNG\r\n\x1a\n\x01\x02\x03", "is no program: it holds bytes that are no text"),
        ("a" * 200_001, "200001 characters are over the limit of 200000"),
    ],
    ids=["half", "brackets", "sum", "signs", "null", "picture", "long"],
)
def test_what_cannot_be_parsed_says_why(text: str, message: str) -> None:
    with pytest.raises(FormulaError, match=message):
        read_source(text)


def test_a_notebook_without_cells_is_none() -> None:
    with pytest.raises(FormulaError, match="is no notebook: expected JSON with cells"):
        read_source("{}", "a.ipynb")
    with pytest.raises(FormulaError, match="is no notebook: it is empty"):
        read_source("\n", "a.ipynb")


def test_a_notebook_of_worksheets_is_read() -> None:
    old = {"worksheets": [{"cells": [{"cell_type": "code", "input": ["a = 1\n", "b = a"]}]}]}
    assert read_source(json.dumps(old), "a.ipynb").lines == ("a = 1", "b = a")


def test_a_notebook_is_as_long_as_its_code() -> None:
    cells = [{"cell_type": "code", "source": ["x = 1"], "outputs": [{"data": {"image/png": "a" * 300_000}}]}]
    assert read_source(json.dumps({"cells": cells}), "a.ipynb").lines == ("x = 1",)
    cells.append({"cell_type": "code", "source": ["a" * 200_001]})
    with pytest.raises(FormulaError, match="over the limit of 200000"):
        read_source(json.dumps({"cells": cells}), "a.ipynb")


def test_an_octave_file_of_too_many_words_is_not_read() -> None:
    with pytest.raises(FormulaError, match=r"^a\.m, line 1: more than 40000 words and signs"):
        read_source("z = " + "1, " * 20_001, "a.m")
