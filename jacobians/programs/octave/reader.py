"""The place of the reader in a file's tokens, what it knows of names, and the nodes that it makes."""

from __future__ import annotations

import ast
import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from typing import Any, TypeAlias

from jacobians.errors import FormulaError
from jacobians.programs.octave.tokens import Token, tokens_of

DEEPEST = 40
"""How far brackets and blocks may be nested."""
LONGEST = 60
"""Operators of one kind in one expression."""
MOST_TOKENS = 40_000
"""Of one file, a word or a sign each."""

ENDS = frozenset(
    {"end", "endif", "endfor", "endwhile", "endswitch", "end_try_catch", "end_unwind_protect", "endparfor"}
)

Accessor: TypeAlias = tuple[str, Any, Token]
"""".", a field; "(" or "{", with the expressions in it; and where it begins."""


class NotReadError(Exception):
    """What stands here is outside the list."""

    def __init__(self, construct: str, token: Token) -> None:
        super().__init__(construct)
        self.construct, self.token = construct, token


@dataclass(eq=False)
class Scope:
    """The names of one function, or of the lines outside functions."""

    parameters: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    is_function: bool = False
    set_so_far: set[str] = dataclasses.field(default_factory=set)
    read_so_far: set[str] = dataclasses.field(default_factory=set)
    begun: dict[str, Token] = dataclasses.field(default_factory=dict)
    """What is made by storing a part of it, with the place of the first."""
    switches: int = 0


class Reader:
    """The part of the reader of Octave that takes tokens and makes nodes."""

    def __init__(self, text: str, name: str, functions: Set[str]) -> None:
        self.name, self.functions = name, functions
        self.tokens = list(itertools.islice(tokens_of(text), MOST_TOKENS + 1))
        if len(self.tokens) > MOST_TOKENS:
            raise self._error(f"more than {MOST_TOKENS} words and signs, which are not read", self.tokens[-1])
        self.place = 0
        self.depth = 0
        self.scope = Scope()
        self.ends: list[tuple[ast.expr, int, list[ast.Call]]] = []
        self.own = dict(self._own_functions())
        """The file's functions, each with how many outputs it has."""

    # --- tokens ------------------------------------------------------------------------------------

    @property
    def next(self) -> Token:
        return self.tokens[self.place]

    def _after(self) -> Token:
        """The token after the next; the last one where there is none."""
        return self.tokens[min(self.place + 1, len(self.tokens) - 1)]

    def _take(self) -> Token:
        token = self.next
        self.place += token.kind != "end"
        return token

    def _is(self, *texts: str, kind: str = "sign") -> bool:
        return self.next.kind == kind and self.next.text in texts

    def _accept(self, *texts: str, kind: str = "sign") -> Token | None:
        return self._take() if self._is(*texts, kind=kind) else None

    def _expect(self, text: str) -> Token:
        if not self._is(text):
            raise self._unread()
        return self._take()

    def _unread(self, construct: str = "") -> NotReadError:
        token = self.next
        shown = {"end": "the end of the text", "line": "the end of the line"}.get(token.kind, repr(token.text[:40]))
        return NotReadError(construct or f"{shown} here", token)

    def _error(self, message: str, token: Token) -> FormulaError:
        return FormulaError(f"{self.name}, line {token.line}: {message}")

    def _own_functions(self) -> Iterator[tuple[str, int]]:
        for place, token in enumerate(self.tokens):
            if token.kind == "keyword" and token.text == "function":
                self.place = place + 1
                try:
                    outputs, name, _ = self._signature()
                except NotReadError:
                    continue
                yield name, len(outputs)
        self.place = 0

    # --- nodes -------------------------------------------------------------------------------------

    def _at(self, node: Any, start: Token) -> Any:
        """Give a node the place from a token to the last that was taken."""
        last = self.tokens[max(self.place - 1, 0)]
        if (last.line, last.column) < (start.line, start.column):
            last = start
        node.lineno, node.col_offset = start.line, start.column
        node.end_lineno, node.end_col_offset = last.end_line, last.end_column
        return node

    def _call(self, name: str, arguments: Iterable[ast.expr], start: Token) -> ast.Call:
        function = self._at(ast.Name(f"octave {name}", ast.Load()), start)
        return self._at(ast.Call(function, list(arguments), []), start)

    def _constant(self, value: Any, start: Token) -> ast.Constant:
        return self._at(ast.Constant(value), start)

    def _load(self, name: str, start: Token) -> ast.Name:
        return self._at(ast.Name(name, ast.Load()), start)

    def _assign(self, name: str, value: ast.expr, start: Token) -> ast.Assign:
        return self._at(ast.Assign([self._at(ast.Name(name, ast.Store()), start)], value), start)

    def _number(self, node: ast.expr, start: Token) -> ast.expr:
        """What an operator of numbers takes: masks count as 0 and 1."""
        if isinstance(node, (ast.BinOp, ast.UnaryOp)) or called(node) in _NUMBERS:
            return node
        return self._call("number", [node], start)

    def _truth(self, node: ast.expr, start: Token) -> ast.expr:
        return node if isinstance(node, ast.BoolOp) else self._call("truth", [node], start)

    def _word(self) -> str:
        if self.next.kind != "name":
            raise self._unread()
        return self._take().text

    def _deeper(self, token: Token) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self._error(f"nested more than {DEEPEST} deep, which is not read", token)

    def _signature(self) -> tuple[list[str], str, list[str]]:
        outputs: list[str] = []
        if self._accept("["):
            while not self._accept("]"):
                outputs.append(self._word())
                self._accept(",")
            self._expect("=")
            name = self._word()
        else:
            name = self._word()
            if self._accept("="):
                outputs, name = [name], self._word()
        parameters: list[str] = []
        if self._accept("("):
            while not self._accept(")"):
                if self._accept("~", "!"):
                    parameters.append(f"octave ignored {len(parameters)}")
                else:
                    parameters.append(self._word())
                if self._is("="):
                    raise self._unread("a default value")
                if not self._is(")"):
                    self._expect(",")
        return outputs, name, parameters


_NUMBERS = frozenset(["number", "product", "power", "range"]) | {"matrix power", "right divide", "left divide"}
"""Calls whose results are numbers already."""


def called(node: ast.expr) -> str:
    """Return the name of the function of Octave that a node calls, "" for any other node."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id.startswith("octave "):
        return node.func.id.removeprefix("octave ")
    return ""
