"""`octave_tree`: an Octave file as a tree, with the user's own places; what is not read is one statement."""

from __future__ import annotations

import ast

import numpy as np
import pytest

from jacobians.errors import FormulaError
from jacobians.programs.octave.functions import FUNCTIONS
from jacobians.programs.octave.text import octave_text
from jacobians.programs.octave.tree import octave_tree
from jacobians.programs.source import read_source
from tests.programs.octave_run import run


def value(text: str, name: str = "x") -> list[list[float]]:
    names, unread = run(text)
    assert not unread
    return np.atleast_2d(names[name]).astype(float).tolist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = -2^2;", [[-4]]),
        ("x = 2^-1;", [[0.5]]),
        ("a3 = 3; Y = [1 2]; x = a3.-Y;", [[2, 1]]),
        ("x = 2^3';", [[8]]),
        ("x = !1 == 0;", [[1]]),
        ("x = 1:2+1;", [[1, 2, 3]]),
        ("x = 3:-1:1;", [[3, 2, 1]]),
        ("x = [1 -2];", [[1, -2]]),
        ("x = [1 - 2];", [[-1]]),
        ("x = [1, 2\n3 4];", [[1, 2], [3, 4]]),
        ("x = [1 2]';", [[1], [2]]),
        ("x = eye(3)([2 1], :);", [[0, 1, 0], [1, 0, 0]]),
        ("a = [1 2 3]; x = a(end);", [[3]]),
        ("a = [1 2; 3 4]; x = a(end, 1);", [[3]]),
        ("x = (1:5)(end - 1);", [[4]]),
        ("x = []; x(3) = 1;", [[0, 0, 1]]),
        ("x(2, 2) = 5;", [[0, 0], [0, 5]]),
        ("x = 1:3; y = x; y(1) = 9;", [[1, 2, 3]]),
        ("x = ones(2); x(:, 2) *= 3;", [[1, 3], [1, 3]]),
        ("x = 1:4; x(2) = [];", [[1, 3, 4]]),
        ("x = 1; x += 2; x++; x ^= 2;", [[16]]),
        ("for i = 1:3, x(i) = i^2; end", [[1, 4, 9]]),
        ("x = 0; for v = [1 2; 3 4], x = x + v(1) * v(2); end", [[11]]),
        ("x = 9; do x -= 2; until x < 4", [[3]]),
        ("x = 0; while true, x++; if x > 4, break; end, end", [[5]]),
        ("switch 'b', case {'a', 'b'}, x = 1; otherwise, x = 2; end", [[1]]),
        ("if [], x = 1; elseif [1 0], x = 2; else, x = 3; end", [[3]]),
        ("k = 2; f = @(t) t * k; k = 100; x = f(3);", [[6]]),
        ("[x, i] = max([3 9 4]);", [[9]]),
        ("[~, x] = max([3 9 4]);", [[2]]),
        ("[a, b] = size(ones(2, 5)); x = [a b];", [[2, 5]]),
        ("[x(2), y] = size(ones(2, 5));", [[0, 2]]),
        ("s.a.b(2) = 3; x = s.a.b;", [[0, 3]]),
        ("c{3} = 4; x = numel(c) + c{3};", [[7]]),
        ("function [p, q] = f(a, b)\nif nargin < 2, b = 1; end\np = a; q = b;\nend\n[~, x] = f(5);", [[1]]),
        ("x = bsxfun(@plus, [1 2], [1; 2]);", [[2, 3], [3, 4]]),
        ("m = [1 0] > 0; x = m + m;", [[2, 0]]),
        ("x = 1; if (x == 1) x = 5; end", [[5]]),
        ("try, x = 1; catch, x = 2; end", [[1]]),
    ],
)  # fmt: skip
def test_octave_means_what_octave_means(text: str, expected: list[list[float]]) -> None:
    assert value(text) == expected


def test_functions_may_end_with_the_next_or_with_the_file() -> None:
    tree = octave_tree("function a = f(x)\n a = g(x);\nfunction b = g(x)\n b = x;\n", "two.m", FUNCTIONS)
    assert [node.name for node in tree.body if isinstance(node, ast.FunctionDef)] == ["f", "g"]


def test_every_node_has_the_place_of_the_users_own_text() -> None:
    tree = octave_tree("% a comment\na = 1;\n\nb = a ...\n  + 2;\n", "places.m", FUNCTIONS)
    lines = [(node.lineno, node.end_lineno) for node in tree.body]
    assert lines == [(2, 2), (4, 5)]
    assert all(hasattr(node, "lineno") for node in ast.walk(tree) if "lineno" in node._attributes)


def test_a_statement_that_is_not_read_ends_what_depends_on_it_alone() -> None:
    names, unread = run("a = 3i;\nb = 2;\nc = a + 1;\nd = b + 1;")
    assert names["b"] == 2
    assert names["d"] == 3
    assert list(unread) == [(1, "the number 3i")]


def test_what_prints_and_draws_is_skipped() -> None:
    names, unread = run("fprintf('%d', 3); figure; hold on; close all\nplot(1, 2), x = 1;")
    assert not unread
    assert names["x"] == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1;\nfor i = 1:3\n", "lines.m, line 2: 'for' has no end"),
        ("x = 1;\nend", "lines.m, line 2: 'end' ends no block"),
        ("do\nx = 1;\nend", "lines.m, line 1: 'do' has no until"),
        ("x = " + "(" * 90 + "1" + ")" * 90, "nested more than 40 deep"),
        ("x = 1" + " + 1" * 90, "more than 60 operators in one expression"),
    ],
)
def test_a_file_that_is_no_octave_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(FormulaError, match=message.replace("(", r"\(")):
        octave_tree(text, "lines.m", FUNCTIONS)


def test_no_name_of_python_can_be_reached() -> None:
    for text in ("x = open('a');", "x = __import__('os');", "x = eval('1');", "x = getattr(1, 'a');", "x = np.pi;"):
        names, unread = run(text)
        assert unread, text
        assert not isinstance(names["x"], float)


@pytest.mark.parametrize(
    "line",
    [
        "W = W + bsxfun(@times, xi, transpose(d2));",
        "d2 = (d3 * T2)(:, 2:end) .* (a2 .* (1 - a2));",
        "c{end} = [ones(m, 1), X; 1, 2]' * -x^2;",
        "x = a - (b - c) / 2.^d';",
        "s.a = !x && y(1, :) > 3;",
        "[m, n] = size(X);",
        "v(end + 1) = a' * b';",
    ],
)
def test_a_tree_is_written_as_the_line_that_it_was(line: str) -> None:
    assert octave_text(octave_tree(line, "line.m", FUNCTIONS).body[-1]) == line.replace("transpose(d2)", "d2'")


STOPS = ["x = a{", "x = a(", "x = a.", "x = [1 ", "x = 'a", "f(@(x", "a(1,", "[a, b", "x = {1,", "@", "a{#b"]


@pytest.mark.parametrize("text", STOPS)
def test_a_text_that_stops_in_the_middle_is_a_statement_that_is_not_read(text: str) -> None:
    assert read_source(text, "a.m").language == "Octave"


def test_a_block_that_has_no_end_is_refused() -> None:
    with pytest.raises(FormulaError, match=r"^a\.m, line 1: 'if' has no end"):
        read_source("if a{", "a.m")


def test_what_stands_between_a_call_and_an_equals_sign_is_not_read() -> None:
    (line,) = octave_tree("f('x') [a, b] = size(1);", "line.m", FUNCTIONS).body[-1:]
    assert "octave unread" in ast.dump(line)


def test_a_class_is_refused_with_what_to_do() -> None:
    text = "% a net\nclassdef Net < handle\n  methods\n    function obj = Net()\n    end\n  end\nend\n"
    with pytest.raises(FormulaError, match=r"line 2: a class \(classdef\) is not read: put its method"):
        octave_tree(text, "net.m", FUNCTIONS)
