"""Octave's statements: assignments to names and to parts of arrays, blocks, functions, and lines that are skipped."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator

from jacobians.programs.octave.expressions import Expressions
from jacobians.programs.octave.reader import ENDS, Accessor, NotReadError, called
from jacobians.programs.octave.tokens import Token

_ASSIGNING = {
    "=": "", "+=": "+", "-=": "-", "*=": "*", "/=": "/", "^=": "^", ".*=": ".*", "./=": "./", ".^=": ".^",
    "|=": "|", "&=": "&", "++": "+", "--": "-",
}  # fmt: skip

SKIPPED = frozenset(
    [
        "fprintf", "printf", "disp", "display", "puts", "fputs", "fdisp", "figure", "plot", "plot3", "hold",
        "title", "xlabel", "ylabel", "zlabel", "legend", "axis", "grid", "drawnow", "pause", "fflush", "tic",
        "toc", "print", "subplot", "imagesc", "imshow", "colormap", "colorbar", "set", "text", "line", "surf",
        "contour", "mesh", "meshc", "semilogx", "semilogy", "loglog", "bar", "hist", "scatter", "errorbar",
        "patch", "rectangle", "view", "close", "clf", "cla", "clc", "clear", "clearvars", "more", "format",
        "warning", "save", "load", "addpath", "rmpath", "keyboard", "input", "assert", "pkg",
        "graphics_toolkit", "beep", "diary", "cd", "waitbar", "refresh", "who", "whos", "rng", "displayData",
        "checkNNGradients",
    ]
)  # fmt: skip
"""Statements that begin with these names, which the file does not define, print, draw or load, and are skipped."""

SEVERAL = frozenset(
    [
        "size", "max", "min", "sort", "find", "unique", "ind2sub", "sub2ind", "meshgrid", "ndgrid", "deal",
        "cellfun", "arrayfun", "feval",
    ]
)  # fmt: skip
"""Functions of the table that give several outputs where several are asked for."""


class Statements(Expressions):
    """The part of the reader of Octave that reads statements."""

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
            *ENDS,
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

    def _filled(self, body: list[ast.stmt], start: Token) -> list[ast.stmt]:
        return body or [self._at(ast.Pass(), start)]

    def _close(self, start: Token, what: str) -> None:
        if not self._accept(*ENDS, kind="keyword"):
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
        except NotReadError as error:
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

    def _not_read(self, first: int, error: NotReadError) -> list[ast.stmt]:
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
        except NotReadError as error:
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
        except NotReadError as error:
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
        if self.next.text not in _ASSIGNING:
            raise self._unread()
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
        if kind == "{" or (rest and rest[0][0] == "."):
            # an array of structs, ``net(2).W = W``, is held as a cell array of them
            inner = value
            if rest:
                inner = self._stored(self._call("old cell", [of, *detail], start), rest, value, start)
            return self._call("store cell", [old, inner, *copy.deepcopy(detail)], start)
        if rest:
            raise NotReadError("a part of a part", token)
        if isinstance(value, ast.Call) and called(value) == "matrix" and not value.args:
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
        if called(value) == "first" and isinstance(value, ast.Call):
            return self._call("outputs", [wanted, value.args[0]], start)
        if isinstance(value, ast.Call) and called(value) in SEVERAL:
            return self._call(f"{called(value)} outputs", [wanted, *value.args], start)
        if isinstance(value, ast.Call) and called(value) == "index":
            return self._call("index outputs", [wanted, *value.args], start)
        return self._call("outputs", [wanted, value], start)


def _height_of_ifs(found: list[ast.stmt]) -> int:
    height = 0
    while found and isinstance(found[-1], ast.If) and called(found[-1].test) == "case":
        height, found = height + 1, found[-1].orelse
    return height
