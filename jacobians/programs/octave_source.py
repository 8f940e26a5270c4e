"""`octave_tree`: an Octave or MATLAB file as a tree of Python's nodes; what is Octave's own calls built-in names.

The evaluator knows one language. A = B * c(2, end)' becomes the tree of

    A = (octave product)(B, (octave transpose)((octave index)(c, 2.0, (octave end)(c, 1, 2))))

whose names no Python file can write, since they hold a space. `octave_functions` defines them. Three rules do the rest:
a stored part is an assignment of the whole, A = (octave store)(A, value, index), so nothing is shared; what stands
between + - .* ./ and comparisons is made numbers first; and a name that no earlier line sets is a function where the
file or the table has one, and else data.
"""

from __future__ import annotations

import ast
import copy
import dataclasses
from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import dataclass
from typing import Any, TypeAlias

from jacobians.errors import FormulaError
from jacobians.programs.octave_tokens import Token, tokens_of

DEEPEST = 40
"""How far brackets and blocks may be nested."""
LONGEST = 60
"""Operators of one kind in one expression."""

_LEVELS: tuple[tuple[str, ...], ...] = (
    ("||",),
    ("&&",),
    ("|",),
    ("&",),
    ("<", "<=", "==", "!=", "~=", ">=", ">"),
    (":",),
    ("+", "-"),
    ("*", "/", "\\", ".*", "./", ".\\"),
)
_LEVEL = {sign: level for level, signs in enumerate(_LEVELS) for sign in signs}
_COLON, _CLOSEST = 5, len(_LEVELS)
_COMPARISONS: dict[str, type[ast.cmpop]] = {
    **{"<": ast.Lt, "<=": ast.LtE, "==": ast.Eq, "!=": ast.NotEq, "~=": ast.NotEq, ">=": ast.GtE, ">": ast.Gt}
}
_ARITHMETIC: dict[str, type[ast.operator]] = {"+": ast.Add, "-": ast.Sub, ".*": ast.Mult, "./": ast.Div}
_CALLS = {"*": "product", "/": "right divide", "\\": "left divide", "|": "or", "&": "and"}
_POWERS = {"^": "matrix power", "**": "matrix power", ".^": "power", ".**": "power"}
_ASSIGNING = {
    "=": "",
    "+=": "+",
    "-=": "-",
    "*=": "*",
    "/=": "/",
    "^=": "^",
    "|=": "|",
    "&=": "&",
    "++": "+",
    "--": "-",
}

SKIPPED = frozenset(
    [
        "fprintf",
        "printf",
        "disp",
        "display",
        "puts",
        "fputs",
        "fdisp",
        "figure",
        "plot",
        "plot3",
        "hold",
        "title",
        "xlabel",
        "ylabel",
        "zlabel",
        "legend",
        "axis",
        "grid",
        "drawnow",
        "pause",
        "fflush",
        "tic",
        "toc",
        "print",
        "subplot",
        "imagesc",
        "imshow",
        "colormap",
        "colorbar",
        "set",
        "text",
        "line",
        "surf",
        "contour",
        "mesh",
        "meshc",
        "semilogx",
        "semilogy",
        "loglog",
        "bar",
        "hist",
        "scatter",
        "errorbar",
        "patch",
        "rectangle",
        "view",
        "close",
        "clf",
        "cla",
        "clc",
        "clear",
        "clearvars",
        "more",
        "format",
        "warning",
        "save",
        "load",
        "addpath",
        "rmpath",
        "keyboard",
        "input",
        "assert",
        "pkg",
        "graphics_toolkit",
        "beep",
        "diary",
        "cd",
        "waitbar",
        "refresh",
        "who",
        "whos",
        "rng",
        "displayData",
        "checkNNGradients",
    ]
)
"""Statements that begin with these names, which the file does not define, print, draw or load, and are skipped."""

SEVERAL = frozenset(
    [
        "size",
        "max",
        "min",
        "sort",
        "find",
        "unique",
        "ind2sub",
        "sub2ind",
        "meshgrid",
        "ndgrid",
        "deal",
        "cellfun",
        "arrayfun",
        "feval",
    ]
)
"""Functions of the table that give several outputs where several are asked for."""

_END = frozenset(
    {"end", "endif", "endfor", "endwhile", "endswitch", "end_try_catch", "end_unwind_protect", "endparfor"}
)

Accessor: TypeAlias = tuple[str, Any, Token]
"""".", a field; "(" or "{", with the expressions in it; and where it begins."""


class _UnreadError(Exception):
    """What stands here is outside the list."""

    def __init__(self, construct: str, token: Token) -> None:
        super().__init__(construct)
        self.construct, self.token = construct, token


def octave_tree(text: str, name: str, functions: Set[str]) -> ast.Module:
    """Return an Octave file as a tree; nothing of it is executed.

    Parameters
    ----------
    text : str
    name : str
        The file's name, for errors.
    functions : set of str
        The functions that the evaluator has for Octave, such as "sum".

    Returns
    -------
    ast.Module
        Functions first, then the lines outside them. Every node has the place of the user's own text. A statement that
        is outside the list is an assignment of a call of (octave unread), whose argument says what is not read.

    Raises
    ------
    FormulaError
        If a block has no end, or the text is nested too deep; the text names the line.

    Examples
    --------
    >>> import ast
    >>> from jacobians.programs.octave_source import octave_tree
    >>> tree = octave_tree("d = (A - Y)' * X;", "lines.m", frozenset())
    >>> tree.body[0].value.func.id
    'octave product'
    """
    return _Reader(text, name, functions).module()


@dataclass(eq=False)
class _Scope:
    """The names of one function, or of the lines outside functions."""

    parameters: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    is_function: bool = False
    set_so_far: set[str] = dataclasses.field(default_factory=set)
    read_so_far: set[str] = dataclasses.field(default_factory=set)
    begun: dict[str, Token] = dataclasses.field(default_factory=dict)
    """What is made by storing a part of it, with the place of the first."""
    switches: int = 0


class _Reader:
    def __init__(self, text: str, name: str, functions: Set[str]) -> None:
        self.name, self.functions = name, functions
        self.tokens = list(tokens_of(text))
        self.place = 0
        self.depth = 0
        self.scope = _Scope()
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

    def _unread(self, construct: str = "") -> _UnreadError:
        token = self.next
        shown = {"end": "the end of the text", "line": "the end of the line"}.get(token.kind, repr(token.text[:40]))
        return _UnreadError(construct or f"{shown} here", token)

    def _error(self, message: str, token: Token) -> FormulaError:
        return FormulaError(f"{self.name}, line {token.line}: {message}")

    def _own_functions(self) -> Iterator[tuple[str, int]]:
        for place, token in enumerate(self.tokens):
            if token.kind == "keyword" and token.text == "function":
                self.place = place + 1
                try:
                    outputs, name, _ = self._signature()
                except _UnreadError:
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
        if isinstance(node, (ast.BinOp, ast.UnaryOp)) or _called(node) in _NUMBERS:
            return node
        return self._call("number", [node], start)

    def _truth(self, node: ast.expr, start: Token) -> ast.expr:
        return node if isinstance(node, ast.BoolOp) else self._call("truth", [node], start)

    # --- the file ----------------------------------------------------------------------------------

    def module(self) -> ast.Module:
        """Return the whole file."""
        functions: list[ast.stmt] = []
        lines: list[ast.stmt] = []
        while self.next.kind != "end":
            if self._is("function", kind="keyword"):
                outside, self.scope = self.scope, _Scope(is_function=True)
                functions += self._function()
                self.scope = outside
            elif self._is(*_END, "endfunction", "else", "elseif", "until", "case", "otherwise", kind="keyword"):
                raise self._error(f"{self.next.text!r} ends no block", self.next)
            else:
                lines += self._statement()
        return _placed(ast.Module([*functions, *self._beginnings(), *lines], []))

    def _beginnings(self) -> list[ast.stmt]:
        """What is made by storing its parts is nothing before."""
        return [
            self._assign(name, self._constant(None, token), token)
            for name, token in self.scope.begun.items()
            if name not in self.scope.parameters
        ]

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

    def _word(self) -> str:
        if self.next.kind != "name":
            raise self._unread()
        return self._take().text

    def _function(self) -> list[ast.stmt]:
        start = self._take()
        try:
            outputs, name, parameters = self._signature()
        except _UnreadError as error:
            raise self._error(f"the head of a function is not read: {error.construct}", start) from None
        scope = self.scope
        scope.parameters, scope.outputs = tuple(parameters), tuple(outputs)
        scope.set_so_far.update(parameters)
        body = self._block(start, "function")
        if not self._accept("end", "endfunction", kind="keyword") and not (
            self.next.kind == "end" or self._is("function", kind="keyword")
        ):
            raise self._error(f"{self.next.text!r} ends no block", self.next)
        last = self.tokens[max(self.place - 1, 0)]
        sure = {target.id for line in body for target in _names_set(line)}
        for output in outputs:
            if output not in sure and output not in parameters:
                scope.begun.setdefault(output, start)
        body = [*self._beginnings(), *body, self._return(last)]
        rest = parameters.pop() if parameters and parameters[-1] == "varargin" else None
        arguments = ast.arguments(
            posonlyargs=[],
            args=[self._at(ast.arg(p), start) for p in parameters],
            vararg=self._at(ast.arg(rest), start) if rest else None,
            kwonlyargs=[],
            kw_defaults=[],
            kwarg=None,
            defaults=[self._constant(None, start) for _ in parameters],
        )
        return [self._at(ast.FunctionDef(name, arguments, body, []), start)]

    def _return(self, start: Token) -> ast.stmt:
        outputs = [self._load(name, start) for name in self.scope.outputs]
        value: ast.expr | None = None
        if outputs:
            value = outputs[0] if len(outputs) == 1 else self._at(ast.Tuple(list(outputs), ast.Load()), start)
        return self._at(ast.Return(value), start)

    # --- statements --------------------------------------------------------------------------------

    def _block(self, start: Token, what: str) -> list[ast.stmt]:
        """Read statements up to a word that ends or divides a block."""
        self._deeper(start)
        found: list[ast.stmt] = []
        stops = (
            *_END,
            "endfunction",
            "else",
            "elseif",
            "until",
            "case",
            "otherwise",
            "catch",
            "unwind_protect_cleanup",
        )
        while not self._is(*stops, "function", kind="keyword"):
            if self.next.kind == "end":
                if what != "function":
                    raise self._error(f"{what!r} has no end", start)
                break
            found += self._statement()
        self.depth -= 1
        return found

    def _deeper(self, token: Token) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self._error(f"nested more than {DEEPEST} deep, which is not read", token)

    def _filled(self, body: list[ast.stmt], start: Token) -> list[ast.stmt]:
        return body or [self._at(ast.Pass(), start)]

    def _close(self, start: Token, what: str) -> None:
        if not self._accept(*_END, kind="keyword"):
            raise self._error(f"{what!r} has no end", start)

    def _statement(self) -> list[ast.stmt]:
        token = self.next
        if token.kind == "line" or self._is(";", ","):
            self._take()
            return []
        if token.kind == "keyword":
            block = self._blocks().get(token.text)
            if block is not None:
                self._take()
                return block(token)
        first, depth, ends = self.place, self.depth, list(self.ends)
        try:
            found = self._simple()
            if not (self.next.kind in ("line", "end") or self._is(";", ",") or self.next.kind == "keyword"):
                raise self._unread()
        except _UnreadError as error:
            self.depth, self.ends = depth, ends
            found = self._not_read(first, error)
        return found

    def _blocks(self) -> dict[str, Callable[[Token], list[ast.stmt]]]:
        return {
            "if": self._if,
            "for": self._for,
            "parfor": self._for,
            "while": self._while,
            "do": self._do,
            "switch": self._switch,
            "try": self._try,
            "unwind_protect": self._try,
            "break": lambda token: [self._at(ast.Break(), token)],
            "continue": lambda token: [self._at(ast.Continue(), token)],
            "return": self._returned,
        }

    def _not_read(self, first: int, error: _UnreadError) -> list[ast.stmt]:
        """Skip a statement that is not read, and say so for each name that it sets."""
        start = self.tokens[first]
        self.place = first
        names = list(dict.fromkeys(self._sets()))
        self.place = max(self.place, first)
        self._skip()
        value = self._call("unread", [self._constant(error.construct, error.token)], error.token)
        if not names:
            return [self._at(ast.Expr(value), start)]
        self.scope.set_so_far.update(names)
        return [self._assign(name, copy.deepcopy(value), start) for name in names]

    def _sets(self) -> Iterator[str]:
        """The names that the statement at hand sets, whatever its right side is."""
        if self._is("["):
            stop = self._assigned_list()
            while self.place < stop:
                token = self._take()
                if token.kind == "name" and (token.spaced or self.tokens[self.place - 2].text in ("[", ",")):
                    yield token.text
        elif self.next.kind == "name" and self._assigning():
            yield self.next.text

    def _skip(self) -> None:
        """Go on to the end of the statement."""
        depth, first = 0, self.place
        while self.next.kind not in ("line", "end"):
            token = self.next
            if depth <= 0 and self.place > first and (self._is(";", ",") or token.kind == "keyword"):
                return
            depth += token.kind == "sign" and token.text in "([{"
            depth -= token.kind == "sign" and token.text in ")]}"
            self._take()

    def _header(self, start: Token) -> ast.expr:
        """Read the expression of if, while or switch; one that is not read ends what depends on it."""
        first, depth, ends = self.place, self.depth, list(self.ends)
        try:
            found = self._expression()
            if self._is("="):
                raise self._unread("an assignment within an expression")
            return found
        except _UnreadError as error:
            self.depth, self.ends = depth, ends
            self.place = first
            self._skip()
            return self._call("unread", [self._constant(error.construct, start)], start)

    def _if(self, start: Token) -> list[ast.stmt]:
        test = self._truth(self._header(start), start)
        body = self._filled(self._block(start, "if"), start)
        other: list[ast.stmt] = []
        if branch := self._accept("elseif", kind="keyword"):
            self._deeper(branch)
            other = self._if(branch)
            self.depth -= 1
            return [self._at(ast.If(test, body, other), start)]
        if self._accept("else", kind="keyword"):
            other = self._block(start, "if")
        self._close(start, "if")
        return [self._at(ast.If(test, body, other), start)]

    def _for(self, start: Token) -> list[ast.stmt]:
        first = self.place
        bracket = self._accept("(")
        try:
            target = self._take()
            if target.kind != "name":
                raise self._unread()
            self._expect("=")
            over = self._expression()
            if bracket:
                while self._accept(","):  # parfor (i = 1:n, workers)
                    self._expression()
                self._expect(")")
        except _UnreadError as error:
            target, self.place = self.tokens[first + bool(bracket)], first
            self._skip()
            over = self._call("unread", [self._constant(error.construct, start)], start)
        self.scope.set_so_far.add(target.text)
        name = self._at(ast.Name(target.text, ast.Store()), target)
        columns = self._call("columns of", [over], start)
        body = self._filled(self._block(start, "for"), start)
        self._close(start, "for")
        return [self._at(ast.For(name, columns, body, []), start)]

    def _while(self, start: Token) -> list[ast.stmt]:
        test = self._truth(self._header(start), start)
        body = self._filled(self._block(start, "while"), start)
        self._close(start, "while")
        return [self._at(ast.While(test, body, []), start)]

    def _do(self, start: Token) -> list[ast.stmt]:
        body = self._block(start, "do")
        if not (until := self._accept("until", kind="keyword")):
            raise self._error("'do' has no until", start)
        test = self._truth(self._header(until), until)
        if any(isinstance(node, ast.Continue) for line in body for node in ast.walk(line)):
            body = []
            test = self._call("unread", [self._constant("continue in a loop do ... until", start)], start)
        leave = self._at(ast.If(test, [self._at(ast.Break(), until)], []), until)
        return [self._at(ast.While(self._constant(True, start), [*body, leave], []), start)]

    def _switch(self, start: Token) -> list[ast.stmt]:
        self.scope.switches += 1
        name = f"octave switch {self.scope.switches}"
        value = self._header(start)
        found: list[ast.stmt] = [self._assign(name, value, start)]
        while self.next.kind == "line" or self._is(";", ","):
            self._take()
        orelse = found
        while case := self._accept("case", kind="keyword"):
            self._deeper(case)
            test = self._call("case", [self._load(name, case), self._header(case)], case)
            branch = self._at(ast.If(test, self._filled(self._block(case, "switch"), case), []), case)
            orelse.append(branch)
            orelse = branch.orelse
        if self._accept("otherwise", kind="keyword"):
            orelse += self._block(start, "switch")
        self.depth -= _height_of_ifs(found)
        self._close(start, "switch")
        return found

    def _try(self, start: Token) -> list[ast.stmt]:
        """Read the lines that are tried; what is done where they fail is left out."""
        body = self._block(start, start.text)
        if self._accept("catch", kind="keyword"):
            self._block(start, start.text)
        elif self._accept("unwind_protect_cleanup", kind="keyword"):
            body += self._block(start, start.text)
        self._close(start, start.text)
        return self._filled(body, start)

    def _returned(self, start: Token) -> list[ast.stmt]:
        if self.scope.is_function:
            return [self._return(start)]
        value = self._call("unread", [self._constant("return outside a function", start)], start)
        return [self._at(ast.Expr(value), start)]

    def _simple(self) -> list[ast.stmt]:
        """Read an assignment, or an expression alone."""
        start = self.next
        if start.kind == "keyword":
            raise self._unread(f"{start.text}")
        if start.kind == "name":
            known = start.text in self.scope.set_so_far or start.text in self.own
            if self._assigning():
                return self._assignment()
            if start.text in SKIPPED and not known:
                self._skip()
                return [self._at(ast.Pass(), start)]
            if start.text in ("error", "print_usage") and not known:
                self._skip()
                raised = self._call("error", [], start)
                return [self._at(ast.Expr(raised), start)]
            after = self._after()
            if after.kind in ("name", "number") and not known:
                raise self._unread(f"the command {start.text}")
        elif self._is("["):
            if self._assigned_list():
                return self._assignments()
        elif sign := self._accept("++", "--"):
            name = self._word()
            return [self._assign(name, self._changed(self._load(name, start), sign.text, None, start), start)]
        return [self._at(ast.Expr(self._expression()), start)]

    def _assigning(self) -> bool:
        """Whether a name, with its indices and fields, is followed by an assignment."""
        place, depth = self.place + 1, 0
        while True:
            token = self.tokens[place]
            if token.kind == "end" or (token.kind == "line" and depth == 0):
                return False
            if token.kind == "sign" and token.text in ("(", "{", "["):
                depth += 1
            elif token.kind == "sign" and token.text in (")", "}", "]"):
                depth -= 1
            elif depth == 0 and token.kind == "sign" and token.text in _ASSIGNING:
                after = self.tokens[place + 1]
                alone = after.kind in ("line", "end") or after.text in (";", ",")
                return alone if token.text in ("++", "--") else True
            elif depth == 0 and token.text != "." and self.tokens[place - 1].text != ".":
                return False
            place += 1

    def _assigned_list(self) -> int:
        """Where the brackets at hand close if they stand left of an equals sign; else 0."""
        depth, place = 0, self.place
        while self.tokens[place].kind not in ("end", "line"):
            token = self.tokens[place]
            depth += token.kind == "sign" and token.text in ("(", "{", "[")
            depth -= token.kind == "sign" and token.text in (")", "}", "]")
            if depth == 0:
                after = self.tokens[place + 1]
                return place if after.kind == "sign" and after.text == "=" else 0
            place += 1
        return 0

    def _assignment(self) -> list[ast.stmt]:
        start = self._take()
        name = start.text
        accessors = self._accessors(name, start)
        sign = self._take()
        old: ast.expr = self._load(name, start)
        for accessor in accessors:
            old = self._accessed(old, accessor, start)
        if sign.text == "=":
            if self.next.kind == "name" and self._assigning():
                raise self._unread("an assignment within an expression")
            value = self._expression()
        else:
            value = self._changed(old, sign.text, sign, start)
        return [self._set(name, accessors, value, start)]

    def _changed(self, old: ast.expr, sign: str, token: Token | None, start: Token) -> ast.expr:
        """Return the value of x += y, x++ and the like."""
        if sign in ("++", "--"):
            right: ast.expr = self._constant(1.0, start)
        else:
            right = self._expression()
        operator = _ASSIGNING[sign]
        if operator == "^":
            return self._call("matrix power", [old, right], start)
        return self._binary(operator, old, right, start)

    def _set(self, name: str, accessors: list[Accessor], value: ast.expr, start: Token) -> ast.stmt:
        """Return the assignment of a name or, with all that it does not change, of a part of it."""
        known = name in self.scope.set_so_far or (not self.scope.is_function and name in self.scope.read_so_far)
        if accessors and not known:
            self.scope.begun.setdefault(name, start)
        self.scope.set_so_far.add(name)
        whole = self._stored(self._load(name, start), accessors, value, start) if accessors else value
        return self._assign(name, whole, start)

    def _stored(self, old: ast.expr, accessors: list[Accessor], value: ast.expr, start: Token) -> ast.expr:
        (kind, detail, token), rest = accessors[0], accessors[1:]
        of = copy.deepcopy(old)
        if kind == ".":
            key = self._constant(detail, token)
            inner = value if not rest else self._stored(self._call("old field", [of, key], start), rest, value, start)
            return self._call("store field", [old, key, inner], start)
        if kind == "{":
            inner = value
            if rest:
                inner = self._stored(self._call("old cell", [of, *detail], start), rest, value, start)
            return self._call("store cell", [old, inner, *copy.deepcopy(detail)], start)
        if rest:
            raise _UnreadError("a part of a part, or an array of structs", token)
        if isinstance(value, ast.Call) and _called(value) == "matrix" and not value.args:
            return self._call("delete", [old, *detail], start)
        return self._call("store", [old, value, *detail], start)

    def _accessors(self, name: str, start: Token) -> list[Accessor]:
        """Read the indices and fields after the name that a part is stored in."""
        found: list[Accessor] = []
        of: ast.expr = self._at(ast.Name(name, ast.Load()), start)
        while True:
            token = self.next
            if self._is("(", "{"):
                found.append((token.text, self._arguments(of), token))
            elif self._is("."):
                found.append((".", self._field(), token))
            else:
                return found
            if len(found) > 4:
                raise self._unread("more than four indices and fields")
            of = self._accessed(of, found[-1], start, "old field")

    def _accessed(self, of: ast.expr, accessor: Accessor, start: Token, field: str = "field") -> ast.expr:
        kind, detail, _ = accessor
        if kind == ".":
            return self._call(field, [of, self._constant(detail, start)], start)
        return self._call("index" if kind == "(" else "cell entry", [of, *copy.deepcopy(detail)], start)

    def _assignments(self) -> list[ast.stmt]:
        """Read [a, b(2)] = f(x): what is not a name alone is stored after all outputs are known."""
        start = self._take()
        targets: list[tuple[str, list[Accessor], Token]] = []
        while not self._accept("]"):
            token = self.next
            if self._accept("~", "!"):
                targets.append((f"octave ignored {len(targets)}", [], token))
            else:
                name = self._word()
                targets.append((name, self._accessors(name, token), token))
            self._accept(",")
        self._expect("=")
        value = self._outputs(len(targets))
        if len(targets) == 1:
            return [self._set(targets[0][0], targets[0][1], value, start)]
        names: list[ast.expr] = []
        after: list[ast.stmt] = []
        for k, (name, accessors, token) in enumerate(targets):
            if accessors:
                held = f"octave output {k}"
                after.append(self._set(name, accessors, self._load(held, token), token))
                name = held
            elif not name.startswith("octave "):
                self.scope.set_so_far.add(name)
            names.append(self._at(ast.Name(name, ast.Store()), token))
        both = self._at(ast.Tuple(names, ast.Store()), start)
        return [self._at(ast.Assign([both], value), start), *after]

    def _outputs(self, count: int) -> ast.expr:
        """Read what gives several outputs."""
        start = self.next
        value = self._expression()
        if count == 1:
            return value
        wanted = self._constant(count, start)
        if _called(value) == "first" and isinstance(value, ast.Call):
            return self._call("outputs", [wanted, value.args[0]], start)
        if isinstance(value, ast.Call) and _called(value) in SEVERAL:
            return self._call(f"{_called(value)} outputs", [wanted, *value.args], start)
        if isinstance(value, ast.Call) and _called(value) == "index":
            return self._call("index outputs", [wanted, *value.args], start)
        return self._call("outputs", [wanted, value], start)

    # --- expressions -------------------------------------------------------------------------------

    def _expression(self, level: int = 0) -> ast.expr:
        start = self.next
        self._deeper(start)
        found = self._operators(level)
        self.depth -= 1
        return found

    def _operators(self, level: int) -> ast.expr:
        """Read operators of a level and of those that bind closer."""
        start = self.next
        found = self._signed()
        count = 0
        while (own := self._operator(level)) is not None:
            count += 1
            if count > LONGEST:
                raise self._error(f"more than {LONGEST} operators in one expression, which is not read", start)
            if own == _COLON:
                found = self._range(found, start)
                continue
            sign = self._take()
            found = self._binary(sign.text, found, self._operators_closer(own), start)
        return found

    def _operators_closer(self, level: int) -> ast.expr:
        self._deeper(self.next)
        found = self._operators(level + 1)
        self.depth -= 1
        return found

    def _operator(self, level: int) -> int | None:
        """The level of the operator that is next, if it is at least a given one."""
        token = self.next
        own = _LEVEL.get(token.text) if token.kind == "sign" else None
        if own is None or own < level:
            return None
        after = self._after()
        if token.in_matrix and token.spaced and not after.spaced and token.text in ("+", "-"):
            return None  # [a -b] has two entries
        return own

    def _range(self, first: ast.expr, start: Token) -> ast.expr:
        parts = [first]
        while len(parts) < 3 and self._operator(_COLON) == _COLON:
            self._take()
            parts.append(self._operators_closer(_COLON))
        return self._call("range", [parts[0], parts[-1], *parts[1:-1]], start)

    def _binary(self, sign: str, left: ast.expr, right: ast.expr, start: Token) -> ast.expr:
        if sign in ("||", "&&"):
            both = [self._truth(left, start), self._truth(right, start)]
            return self._at(ast.BoolOp(ast.Or() if sign == "||" else ast.And(), both), start)
        if sign in _CALLS:
            return self._call(_CALLS[sign], [left, right], start)
        if sign == ".\\":
            sign, left, right = "./", right, left
        constant = isinstance(left, ast.Constant) and not isinstance(left.value, str)
        if not constant or isinstance(right, ast.Constant):
            left = self._number(left, start)
        if not isinstance(right, ast.Constant) or isinstance(right.value, str):
            right = self._number(right, start)
        if sign in _COMPARISONS:
            return self._at(ast.Compare(left, [_COMPARISONS[sign]()], [right]), start)
        return self._at(ast.BinOp(left, _ARITHMETIC[sign](), right), start)

    def _signed(self) -> ast.expr:
        """Read what -, + and ! stand before."""
        token = self.next
        if not self._is("-", "+", "!", "~"):
            return self._powers()
        self._take()
        self._deeper(token)
        of = self._signed()
        self.depth -= 1
        return self._with_sign(token, of)

    def _with_sign(self, token: Token, of: ast.expr) -> ast.expr:
        if token.text in ("!", "~"):
            return self._call("not", [of], token)
        if token.text == "+":
            return self._number(of, token)
        if isinstance(of, ast.Constant) and isinstance(of.value, float):
            return self._constant(-of.value, token)
        return self._at(ast.UnaryOp(ast.USub(), self._number(of, token)), token)

    def _powers(self) -> ast.expr:
        """Read powers and transposes, from left to right."""
        start = self.next
        found = self._part()
        count = 0
        while True:
            count += 1
            if count > LONGEST:
                raise self._error(f"more than {LONGEST} operators in one expression, which is not read", start)
            if self._accept("'", ".'"):
                found = self._parts_of(self._call("transpose", [found], start), False, start)
            elif sign := self._accept(*_POWERS):
                found = self._call(_POWERS[sign.text], [found, self._exponent()], start)
            else:
                return found

    def _exponent(self) -> ast.expr:
        token = self.next
        if self._accept("-", "+", "!", "~"):
            self._deeper(token)
            of = self._exponent()
            self.depth -= 1
            return self._with_sign(token, of)
        return self._part()

    def _part(self) -> ast.expr:
        """Read an atom with the indices and fields that follow it."""
        start = self.next
        found, is_function = self._atom()
        return self._parts_of(found, is_function, start)

    def _parts_of(self, found: ast.expr, is_function: bool, start: Token) -> ast.expr:
        count = 0
        while True:
            token = self.next
            count += 1
            if count > 8:
                raise self._unread("more than eight indices")
            if self._is("(", "{", ".") and token.in_matrix and token.spaced:
                return found  # [a (b)] has two entries
            if self._is("("):
                found = self._applied(found, is_function, start)
            elif self._is("{"):
                found = self._called_nothing(found, is_function, start)
                found = self._indexed("cell entry", found, start)
            elif self._is(".") and self._after().kind in ("name", "keyword"):
                found = self._called_nothing(found, is_function, start)
                found = self._call("field", [found, self._constant(self._field(), token)], start)
            else:
                return self._called_nothing(found, is_function, start)
            is_function = False

    def _called_nothing(self, found: ast.expr, is_function: bool, start: Token) -> ast.expr:
        """A function's name alone calls it."""
        return self._result(self._at(ast.Call(found, [], []), start), start) if is_function else found

    def _result(self, call: ast.Call, start: Token) -> ast.expr:
        """The first of the outputs of a function of the file."""
        name = call.func.id if isinstance(call.func, ast.Name) else ""
        return self._call("first", [call], start) if self.own.get(name, 0) > 1 else call

    def _applied(self, found: ast.expr, is_function: bool, start: Token) -> ast.expr:
        if not is_function:
            return self._indexed("index", found, start)
        name = found.id if isinstance(found, ast.Name) else ""
        if name == "octave exist":
            return self._exists(start)
        arguments = self._arguments(None)
        return self._result(self._at(ast.Call(found, arguments, []), start), start)

    def _exists(self, start: Token) -> ast.expr:
        """Read exist('lambda', 'var')."""
        arguments = self._arguments(None)
        name = arguments[0].value if arguments and isinstance(arguments[0], ast.Constant) else None
        if not isinstance(name, str):
            raise _UnreadError("exist of what is no text", start)
        if name in self.scope.set_so_far or name in self.scope.read_so_far:
            return self._call("is given", [self._load(name, start)], start)
        return self._constant(0.0, start)

    def _indexed(self, how: str, of: ast.expr, start: Token) -> ast.expr:
        """Read an index, in which end is the last; what is no name is held in one while the index is read."""
        if _is_plain(of):
            return self._call(how, [of, *self._arguments(of)], start)
        name = f"octave held {len(self.ends)}"
        held = self._at(ast.Name(name, ast.Load()), start)
        arguments = self._arguments(held)
        if not any(isinstance(node, ast.Name) and node.id == name for a in arguments for node in ast.walk(a)):
            return self._call(how, [of, *arguments], start)
        body = self._call(how, [self._load(name, start), *arguments], start)
        return self._at(ast.Call(self._lambda([name], body, start), [of], []), start)

    def _lambda(self, parameters: list[str], body: ast.expr, start: Token, kept: Iterable[str] = ()) -> ast.Lambda:
        kept = list(kept)
        arguments = ast.arguments(
            posonlyargs=[],
            args=[self._at(ast.arg(name), start) for name in parameters],
            vararg=None,
            kwonlyargs=[self._at(ast.arg(name), start) for name in kept],
            kw_defaults=[self._load(name, start) for name in kept],
            kwarg=None,
            defaults=[],
        )
        return self._at(ast.Lambda(arguments, body), start)

    def _arguments(self, of: ast.expr | None) -> list[ast.expr]:
        """Read what stands in brackets; of is what end belongs to, None within a call of a function."""
        opening = self._take()
        closing = ")" if opening.text == "(" else "}"
        found: list[ast.expr] = []
        asked: list[ast.Call] = []
        while not self._is(closing):
            if of is not None:
                self.ends.append((of, len(found), asked))
            token = self.next
            after = self._after()
            if self._is(":") and after.kind == "sign" and after.text in (",", closing):
                self._take()
                found.append(self._constant(":", token))
            else:
                value = self._expression()
                if self._is("="):
                    raise self._unread("an assignment within an expression")
                every = isinstance(value, ast.Call) and _called(value) == "cell entry" and _is_colon(value.args[-1])
                found.append(self._at(ast.Starred(value, ast.Load()), token) if every else value)
            if of is not None:
                self.ends.pop()
            if not self._accept(","):
                break
        self._expect(closing)
        for call in asked:
            call.args.append(self._constant(len(found), opening))
        return found

    def _field(self) -> str:
        self._expect(".")
        if self.next.kind not in ("name", "keyword"):
            raise self._unread("a field whose name is computed")
        return self._take().text

    def _atom(self) -> tuple[ast.expr, bool]:
        """Read an atom, and say whether it is a function that is yet to be called."""
        token = self.next
        if token.kind == "number":
            self._take()
            return self._constant(float(token.text.lower().replace("d", "e")), token), False
        if token.kind == "string":
            self._take()
            return self._constant(token.text, token), False
        if token.kind == "name":
            return self._named()
        if self._accept("("):
            found = self._expression()
            if self._is("="):
                raise self._unread("an assignment within an expression")
            self._expect(")")
            return found, False
        if self._is("[", "{"):
            return self._matrix(), False
        if self._accept("@"):
            return self._handle(token), False
        raise self._unread(f"the number {token.text}" if token.kind == "unread" and token.text[:1].isdigit() else "")

    def _named(self) -> tuple[ast.expr, bool]:
        token = self._take()
        name, scope = token.text, self.scope
        if name == "end":
            if not self.ends:
                raise _UnreadError("end outside an index", token)
            of, place, asked = self.ends[-1]
            call = self._call("end", [copy.deepcopy(of), self._constant(place, token)], token)
            asked.append(call)
            return call, False
        if name in scope.set_so_far:
            return self._load(name, token), False
        if scope.is_function and name == "nargin":
            given = [self._load(p, token) for p in scope.parameters if p != "varargin"]
            return self._call("count given", given, token), False
        if scope.is_function and name == "nargout":
            return self._constant(float(len(scope.outputs)), token), False
        if name in self.own:
            return self._load(name, token), True
        if name in self.functions or name == "exist":
            return self._load(f"octave {name}", token), True
        scope.read_so_far.add(name)
        return self._load(name, token), False

    def _handle(self, start: Token) -> ast.expr:
        """Read @name or @(x) ...; a function keeps the values that names have where it is written."""
        if self.next.kind == "name":
            token = self._take()
            own = token.text in self.own or token.text in self.scope.set_so_far
            name = f"octave {token.text}" if token.text in self.functions and not own else token.text
            return self._load(name, start)
        self._expect("(")
        parameters: list[str] = []
        while not self._accept(")"):
            ignored = self._accept("~", "!")
            parameters.append(f"octave ignored {len(parameters)}" if ignored else self._word())
            if not self._is(")"):
                self._expect(",")
        if "varargin" in parameters:
            raise self._unread("varargin in a function without a name")
        outside, ends, self.ends = self.scope.set_so_far, self.ends, []
        self.scope.set_so_far = outside | set(parameters)
        body = self._expression()
        self.scope.set_so_far, self.ends = outside, ends
        used = {node.id: None for node in ast.walk(body) if isinstance(node, ast.Name)}
        return self._lambda(parameters, body, start, [n for n in used if n in outside and n not in parameters])

    def _matrix(self) -> ast.expr:
        """Read [a b; c d] or {a, b}: a space or a comma between entries, a semicolon or a line between rows."""
        start = self._take()
        closing = "]" if start.text == "[" else "}"
        rows: list[list[ast.expr]] = [[]]
        while not self._accept(closing):
            if self.next.kind == "end":
                raise self._unread()
            if self._accept(","):
                continue
            if self.next.kind == "line" or self._is(";"):
                self._take()
                rows.append([])
                continue
            token = self.next
            value = self._expression()
            every = isinstance(value, ast.Call) and _called(value) == "cell entry" and _is_colon(value.args[-1])
            rows[-1].append(self._at(ast.Starred(value, ast.Load()), token) if every else value)
        rows = [row for row in rows if row]
        if closing == "}":
            if len(rows) > 1 and any(len(row) > 1 for row in rows):
                raise _UnreadError("a cell array with rows and columns", start)
            entries = [entry for row in rows for entry in row]
            return self._at(ast.List(entries, ast.Load()), start)
        if not rows:
            return self._call("matrix", [], start)
        across = [row[0] if len(row) == 1 and len(rows) > 1 else self._call("horzcat", row, start) for row in rows]
        return across[0] if len(across) == 1 else self._call("vertcat", across, start)


_NUMBERS = frozenset(["number", "product", "power", "range"]) | {"matrix power", "right divide", "left divide"}
"""Calls whose results are numbers already."""


def _called(node: ast.expr) -> str:
    """Return the name of the function of Octave that a node calls, "" for any other node."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id.startswith("octave "):
        return node.func.id.removeprefix("octave ")
    return ""


def _is_plain(node: ast.expr) -> bool:
    """Whether a node is a name, or a field of one, which may be written twice."""
    while _called(node) in ("field", "old field") and isinstance(node, ast.Call):
        node = node.args[0]
    return isinstance(node, ast.Name)


def _is_colon(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value == ":"


def _height_of_ifs(found: list[ast.stmt]) -> int:
    height = 0
    while found and isinstance(found[-1], ast.If) and _called(found[-1].test) == "case":
        height, found = height + 1, found[-1].orelse
    return height


def _names_set(line: ast.stmt) -> Iterator[ast.Name]:
    """The names that an assignment sets."""
    if isinstance(line, ast.Assign):
        for target in line.targets:
            parts = target.elts if isinstance(target, ast.Tuple) else [target]
            yield from (part for part in parts if isinstance(part, ast.Name))


def _placed(tree: ast.Module) -> ast.Module:
    """Give nodes without a place that of the node around them, without recursion."""
    left: list[tuple[ast.AST, tuple[int, int, int, int]]] = [(tree, (1, 0, 1, 0))]
    while left:
        node, place = left.pop()
        if "lineno" in node._attributes:
            if not hasattr(node, "lineno"):
                node.lineno, node.col_offset, node.end_lineno, node.end_col_offset = place  # type: ignore[attr-defined]
            place = (node.lineno, node.col_offset, node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]
        left += [(child, place) for child in ast.iter_child_nodes(node)]
    return tree
