"""Octave's expressions: operators by how closely they bind, indices with end, matrices, handles, and calls."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterable

from jacobians.programs.octave.reader import LONGEST, NotReadError, Reader, called
from jacobians.programs.octave.tokens import Token

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


class Expressions(Reader):
    """The part of the reader of Octave that reads expressions."""

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
            raise NotReadError("exist of what is no text", start)
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
                every = isinstance(value, ast.Call) and called(value) == "cell entry" and _is_colon(value.args[-1])
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
                raise NotReadError("end outside an index", token)
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
            every = isinstance(value, ast.Call) and called(value) == "cell entry" and _is_colon(value.args[-1])
            rows[-1].append(self._at(ast.Starred(value, ast.Load()), token) if every else value)
        rows = [row for row in rows if row]
        if closing == "}":
            if len(rows) > 1 and any(len(row) > 1 for row in rows):
                raise NotReadError("a cell array with rows and columns", start)
            entries = [entry for row in rows for entry in row]
            return self._at(ast.List(entries, ast.Load()), start)
        if not rows:
            return self._call("matrix", [], start)
        across = [row[0] if len(row) == 1 and len(rows) > 1 else self._call("horzcat", row, start) for row in rows]
        return across[0] if len(across) == 1 else self._call("vertcat", across, start)


def _is_plain(node: ast.expr) -> bool:
    """Whether a node is a name, or a field of one, which may be written twice."""
    while called(node) in ("field", "old field") and isinstance(node, ast.Call):
        node = node.args[0]
    return isinstance(node, ast.Name)


def _is_colon(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value == ":"
