"""`tokens_of`: where a quote is a transpose, a space ends an entry, and a word is a keyword."""

from __future__ import annotations

import pytest

from jacobians.programs.octave.tokens import tokens_of


def texts(source: str) -> list[str]:
    return [token.text for token in tokens_of(source) if token.kind != "end"]


def kinds(source: str) -> list[str]:
    return [token.kind for token in tokens_of(source)][:-1]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a'", ["a", "'"]),
        ("a '", ["a", "'"]),
        ("[a 'b']", ["[", "a", "b", "]"]),
        ("[a' b']", ["[", "a", "'", "b", "'", "]"]),
        ("x(1)'", ["x", "(", "1", ")", "'"]),
        ("'it''s'", ["it's"]),
        ('"a\\n""b"', ['a\n"b']),
        ("1.*x", ["1", ".*", "x"]),
        ("1./x", ["1", "./", "x"]),
        ("1.5e-3", ["1.5e-3"]),
        ("a(end)", ["a", "(", "end", ")"]),
        ("x = 1 % y = 2", ["x", "=", "1"]),
        ("x = 1 # y = 2", ["x", "=", "1"]),
        ("x = [1, ... two\n 2]", ["x", "=", "[", "1", ",", "2", "]"]),
        ("%{\nx = 1\n%{\n%}\n%}\ny", ["y"]),
        ("a ~= b != c", ["a", "~=", "b", "!=", "c"]),
    ],
)
def test_a_text_is_cut_into_tokens(source: str, expected: list[str]) -> None:
    assert texts(source) == expected


def test_end_is_a_keyword_outside_brackets_and_a_name_within() -> None:
    assert kinds("end")[0] == "keyword"
    assert kinds("a(end)")[2] == "name"


def test_a_line_ends_a_row_in_a_matrix_and_is_a_space_in_a_call() -> None:
    assert "line" in kinds("[1\n2]")
    assert "line" not in kinds("f(1,\n2)")


def test_what_is_in_no_list_is_not_read() -> None:
    assert kinds("3i") == ["unread"]
    assert kinds("0xFF") == ["unread"]
    assert kinds("$") == ["unread"]


def test_places_are_those_of_the_text_in_bytes() -> None:
    token = next(t for t in tokens_of("x = 'é' + y") if t.text == "y")
    assert (token.line, token.column, token.end_column) == (1, 11, 12)
