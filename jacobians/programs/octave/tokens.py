"""`tokens_of`: an Octave or MATLAB file cut into tokens; what a space, a line's end and ' mean depends on brackets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["number", "name", "keyword", "string", "sign", "line", "unread", "end"]

KEYWORDS = frozenset(
    [
        "function",
        "endfunction",
        "if",
        "elseif",
        "else",
        "endif",
        "for",
        "endfor",
        "while",
        "endwhile",
        "do",
        "until",
        "break",
        "continue",
        "return",
        "switch",
        "case",
        "otherwise",
        "endswitch",
        "end",
        "try",
        "catch",
        "end_try_catch",
        "unwind_protect",
        "unwind_protect_cleanup",
        "end_unwind_protect",
        "global",
        "persistent",
        "parfor",
        "endparfor",
    ]
)
"""Words that are no names. Within brackets, end is the last index."""

_TOKEN = re.compile(
    r"(?P<continued>\.\.\.[^\n]*(?:\n|\Z))"
    r"|(?P<space>[ \t\f\v\r]+)"
    r"|(?P<comment>[%#][^\n]*)"
    r"|(?P<line>\n)"
    r"|(?P<unread>(?:0[xXbB][0-9a-fA-F]+|(?:\d+(?:\.\d*)?|\.\d+)(?:[eEdD][-+]?\d+)?[ijIJ])(?!\w))"
    r"|(?P<number>(?:\d+(?:\.(?![*/\\^'])\d*)?|\.\d+)(?:[eEdD][-+]?\d+)?)"
    r"|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<string>\"(?:[^\"\\\n]|\\[^\n]|\"\")*\")"
    r"|(?P<sign>\.\*\*|\*\*|\.[*/^]=(?!=)|\.[-+*/\\^']|[-+*/^|&]=|\+\+|--|[=!~<>]=|&&|\|\||[-+*/\\^'()\[\]{},;:@<>=!~&|.])",
    re.ASCII,
)
_QUOTED = re.compile(r"'(?:[^'\n]|'')*'")
_BLOCK = re.compile(r"[ \t]*[%#]([{}])[ \t\r]*(?:\n|\Z)")
_CLOSING = {")": "(", "]": "[", "}": "{"}
_ESCAPES = {"n": "\n", "t": "\t"}


@dataclass(frozen=True, eq=False, slots=True)
class Token:
    """A piece of the text.

    Attributes
    ----------
    kind : str
        "line" is the end of a line, "unread" a piece that is in no list, "end" the end of the text.
    text : str
        As it stands, or a string's own text.
    line, column, end_line, end_column : int
        Its place as Python's syntax trees give it: lines from 1, columns in bytes of UTF-8 from 0.
    spaced : bool
        Whether a space stands before it.
    in_matrix : bool
        Whether it lies directly within [] or {}, where a space may begin another entry.
    """

    kind: Kind
    text: str
    line: int
    column: int
    end_line: int
    end_column: int
    spaced: bool
    in_matrix: bool


def tokens_of(text: str) -> Iterator[Token]:
    """Yield the tokens of a text without its comments and continued lines; the last has the kind "end".

    A line ends a statement, and within [] and {} a row; within () it is a space.

    Parameters
    ----------
    text : str

    Examples
    --------
    >>> from jacobians.programs.octave.tokens import tokens_of
    >>> [token.text for token in tokens_of("a = b'; % its transpose")]
    ['a', '=', 'b', "'", ';', '']
    """
    brackets: list[str] = []
    place, line, begin = 0, 1, 0
    spaced, value_before = False, False
    while place < len(text):
        if place == begin and (block := _BLOCK.match(text, place)) and block[1] == "{":
            end = _end_of_comment(text, place)
            line, place, begin = line + text.count("\n", place, end), end, end
            continue
        in_matrix = bool(brackets) and brackets[-1] in "[{"
        quoted = None
        if text[place] == "'" and not (value_before and not (spaced and in_matrix)):
            quoted = _QUOTED.match(text, place)
        found = quoted or _TOKEN.match(text, place)
        kind = "unread" if found is None else "string" if quoted else str(found.lastgroup)
        piece = text[place] if found is None else found.group()
        stop = place + len(piece)
        if kind in ("space", "comment", "continued") or (kind == "line" and brackets and not in_matrix):
            if "\n" in piece:
                line, begin = line + 1, stop
            spaced, place = True, stop
            continue
        if (
            kind == "name"
            and piece in KEYWORDS
            and not (brackets and piece == "end")
            and text[place - 1 : place] != "."
        ):
            kind = "keyword"
        column = _bytes(text[begin:place])
        # .+ and .- of old files are + and -
        shown = _unquoted(piece) if kind == "string" else piece[1:] if piece in (".+", ".-") else piece
        yield Token(kind, shown, line, column, line, column + _bytes(piece), spaced, in_matrix)  # type: ignore[arg-type]
        if kind == "sign" and piece in "([{":
            brackets.append(piece)
        elif piece in _CLOSING and brackets and brackets[-1] == _CLOSING[piece]:
            brackets.pop()
        elif kind == "keyword" and brackets:  # a bracket that was never closed ends with its statement
            brackets.clear()
        value_before = kind in ("number", "name", "string", "unread") or piece in (")", "]", "}", "'", ".'")
        spaced, place = False, stop
        if kind == "line":
            line, begin = line + 1, stop
    column = _bytes(text[begin:])
    yield Token("end", "", line, column, line, column, False, False)


def _end_of_comment(text: str, place: int) -> int:
    """Return where the text goes on after a block of comments, which may hold others."""
    depth = 0
    while place < len(text):
        stop = text.find("\n", place) + 1 or len(text)
        if mark := _BLOCK.match(text, place):
            depth += 1 if mark[1] == "{" else -1
        place = stop
        if depth == 0:
            break
    return place


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _unquoted(piece: str) -> str:
    if piece[0] == "'":
        return piece[1:-1].replace("''", "'")
    return re.sub(r"\\(.)|\"\"", lambda found: _ESCAPES.get(found[1], found[1]) if found[1] else '"', piece[1:-1])
