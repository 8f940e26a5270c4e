"""Statements, and the run of a whole program. What a statement that is not read would set is unknown."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

import numpy as np

from jacobians.programs import naming
from jacobians.programs.evaluator.calls import PYTHONS_OWN, ReturnError, only_shows, reserved
from jacobians.programs.evaluator.containers import listed, part_of
from jacobians.programs.evaluator.expressions import Expressions
from jacobians.programs.evaluator.machine import RAISED, construct_of
from jacobians.programs.evaluator.operators import METHODS, SHOWN, at_index, holds, operated, put_at, run_through
from jacobians.programs.evaluator.python_functions import PYTHON
from jacobians.programs.plan import key_of
from jacobians.programs.values import (
    Frame,
    Function,
    Instance,
    LimitError,
    Namespace,
    ProgramError,
    Unread,
    UnreadError,
    UserClass,
)


class _BreakError(Exception):
    """The loop ends."""


class _ContinueError(Exception):
    """The iteration ends."""


class Evaluator(Expressions):
    """One run of a program; its parameters are those of `Machine`."""

    def run(self, tree: ast.Module) -> None:
        """Run a module from its first line to its last."""
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.block(tree.body, self.module)

    def block(self, body: list[ast.stmt], frame: Frame) -> None:
        """Run statements. After one that is not read, the names that it sets are unknown."""
        for node in body:
            self._statement(node, frame)

    def _statement(self, node: ast.stmt, frame: Frame) -> None:
        self.line = node.lineno
        self.budget.step(node.lineno)
        how = self._STATEMENTS.get(type(node))
        try:
            if how is None:
                raise UnreadError(construct_of(node), node.lineno)
            how(self, node, frame)
        except UnreadError as error:
            self._not_read(node, frame, error)
        except LimitError as error:
            error.line = error.line or self.line
            raise
        except RecursionError:
            raise LimitError("calls or expressions are nested too deep", self.line) from None
        except (ProgramError, *RAISED) as error:
            failed = self._failed(error, node)
            failed.line, failed.function = failed.line or self.line, failed.function or frame.function
            raise failed from None
        except MemoryError:
            raise LimitError("more memory than there is", self.line) from None

    def _not_read(self, node: ast.stmt, frame: Frame, error: UnreadError) -> None:
        """Give every name that the statement would set the reason why it has no value."""
        line = error.line or node.lineno
        self.unread[line, error.construct] = None
        reason = Unread(error.construct, line)
        if self.depth and (isinstance(node, ast.Return) or error.construct == "yield"):
            raise ReturnError(reason)
        if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef, ast.Import, ast.ImportFrom)):
            for name in _names_made(node):
                self._bind(name, reason, frame)
            return
        data = error.construct.startswith("data that is loaded")
        for target in _targets(node):
            known = self.inputs(target.id) if data and isinstance(target, ast.Name) else None
            if known is not None and isinstance(target, ast.Name):
                known = self.recorder.stored("input", target.id, target.id, node.lineno, frame, known)
                self._bind(target.id, known, frame)
            else:
                self._lose(target, reason, frame)

    def _lose(self, target: ast.expr, reason: Unread, frame: Frame) -> None:
        """Say of what a statement would set, or change a part of, that it is not read."""
        whole: Any = None
        if isinstance(target, (ast.Attribute, ast.Subscript)):
            whole = self._if_read(target.value, frame)
            index = self._if_read(target.slice, frame) if isinstance(target, ast.Subscript) else None
            if isinstance(target, ast.Attribute) and isinstance(whole, Instance):
                whole.names[target.attr] = reason
            elif _has_place(whole, index):
                whole[index] = reason
            else:
                self._lose(target.value, reason, frame)
        elif isinstance(target, ast.Name):
            self._bind(target.id, reason, frame)
        if isinstance(target, ast.Name) or whole is not None:
            try:
                key, shown = self._key(target, frame)
            except (UnreadError, ProgramError):
                return
            self.recorder.lost(key, shown, target.lineno, frame, reason)

    def _if_read(self, node: ast.expr, frame: Frame) -> Any:
        """Return the value of an expression; None where it is not read or fails."""
        try:
            return self.evaluate(node, frame)
        except (UnreadError, ProgramError):
            return None

    def _assign(self, node: ast.Assign, frame: Frame) -> None:
        value = self.evaluate(node.value, frame)
        if self.recorder.keeps_old(node):
            value = self.evaluate(_held(node), frame)
        for target in node.targets:
            self._store(target, value, frame)

    def _annotated(self, node: ast.AnnAssign, frame: Frame) -> None:
        if node.value is not None:
            self._store(node.target, self.evaluate(node.value, frame), frame)

    def _augmented(self, node: ast.AugAssign, frame: Frame) -> None:
        target: Any = node.target
        held, receiver = None, None
        if isinstance(target, ast.Subscript):
            receiver, index = self.evaluate(target.value, frame), self.evaluate(target.slice, frame)
            held = at_index(self, receiver, index)
        else:
            held = self.evaluate(target, frame)
        value = self.evaluate(node.value, frame)
        keeps = self.recorder.keeps_old(node)
        self.operands = node, (target, node.value), (held, value)
        if isinstance(held, Unread):
            raise UnreadError(held.construct, held.line)
        if isinstance(receiver, np.ndarray):
            if not keeps:
                made = operated(self, node.op, held, value)
                self.put(receiver, index, made)
            self._written(target.value, frame, receiver, part_of(receiver, index))
            return
        if isinstance(held, np.ndarray):
            if not keeps:
                made = operated(self, node.op, held, value)
                # as NumPy does: into the same memory, so that every other name of it sees the change
                if np.shape(made) != held.shape:
                    raise ProgramError(
                        f"non-broadcastable output operand with shape {held.shape} doesn't match the broadcast shape "
                        f"{np.shape(made)}",
                        node.lineno,
                    )
                if np.asarray(made).dtype.kind == "f" and held.dtype.kind in "iub":
                    raise ProgramError("a whole-number array cannot take the result in place", node.lineno)
                self.overwrite(held, made)
            key, shown = self._key(target, frame)
            again = self.recorder.stored("write", key, shown, node.lineno, frame, held)
            if again is not held:
                held[...] = again
            return
        if isinstance(held, list) and isinstance(node.op, ast.Add):
            items = listed(self.budget, run_through(self, value))
            self.budget.size(len(held) + len(items))
            if not keeps:
                held.extend(items)
            made = held
        else:
            made = held if keeps else operated(self, node.op, held, value, in_place=True)
        if receiver is not None:
            made = self._told(target, made, frame)
            put_at(self, receiver, index, made)
        else:
            self._store(node.target, made, frame)

    def _expression(self, node: ast.Expr, frame: Frame) -> None:
        if isinstance(node.value, ast.Constant):
            return
        if isinstance(node.value, ast.Call) and only_shows(node.value):
            self._shown(node.value, frame)
            return
        self.evaluate(node.value, frame)

    def _shown(self, call: ast.Call, frame: Frame) -> None:
        """Evaluate what would be printed, for the losses within; what is not read there is no fault."""
        if not (isinstance(call.func, ast.Name) and call.func.id == "print"):
            return
        for arg in call.args:
            if any(isinstance(part, ast.Call) for part in ast.walk(arg)):
                try:
                    self.evaluate(arg, frame)
                except (UnreadError, ProgramError, *RAISED):
                    continue

    def _for(self, node: ast.For, frame: Frame) -> None:
        items = self.rows(run_through(self, self.evaluate(node.iter, frame)))
        last = self.recorder.enters_loop(node, len(items) if hasattr(items, "__len__") else None)
        for count, item in enumerate(items):
            if last is not None and count >= last:
                self.recorder.left_loop(node)
                return
            self.budget.step(node.lineno)
            self._store(node.target, item, frame)
            if not self._once(node.body, frame):
                return
        self.block(node.orelse, frame)

    def _while(self, node: ast.While, frame: Frame) -> None:
        last, count = self.recorder.enters_loop(node, None), 0
        while holds(self, self.evaluate(node.test, frame)):
            if last is not None and count >= last:
                self.recorder.left_loop(node)
                return
            count += 1
            self.budget.step(node.lineno)
            if not self._once(node.body, frame):
                return

    def _once(self, body: list[ast.stmt], frame: Frame) -> bool:
        """Run a loop's body once; False if it ends the loop."""
        self._loops += 1
        try:
            self.block(body, frame)
        except _BreakError:
            return False
        except _ContinueError:
            pass
        finally:
            self._loops -= 1
        return True

    def _if(self, node: ast.If, frame: Frame) -> None:
        self.block(node.body if holds(self, self.evaluate(node.test, frame)) else node.orelse, frame)

    def _define(self, node: ast.FunctionDef, frame: Frame, owner: UserClass | None = None) -> None:
        kind, around = "function", []
        for mark in node.decorator_list:
            name = _of_mark(mark)
            if name in ("staticmethod", "classmethod", "property"):
                kind = name
            elif name not in _NO_MATTER:
                around.append(mark)
        held: Any = self._function(node, node.name, frame, owner, kind)
        for mark in reversed(around):
            wrapper = self.evaluate(mark, frame)
            if not isinstance(wrapper, Function):
                raise UnreadError("a decorator", node.lineno)
            held = self.call(wrapper, [held], {})
        (owner.names if owner is not None else frame.names)[node.name] = held

    def _class(self, node: ast.ClassDef, frame: Frame) -> None:
        if node.keywords:
            raise UnreadError("a metaclass", node.lineno)
        if any(_of_mark(mark) != "dataclass" for mark in node.decorator_list):
            raise UnreadError("a decorator", node.lineno)
        bases = []
        for base in node.bases:
            if isinstance(base, ast.Name) and base.id in ("object", "ABC"):
                continue
            found = self.evaluate(base, frame)
            if not isinstance(found, UserClass):
                raise UnreadError("a base class of another file", node.lineno)
            bases.append(found)
        made = UserClass(node.name, {}, tuple(bases))
        inside = Frame(self._number(), node.name, made.names, frame)
        for statement in node.body:
            if isinstance(statement, ast.FunctionDef):
                self._define_method(statement, frame, made)
            else:
                self._statement(statement, inside)
        if node.decorator_list and not any(_named(part, "__init__") for part in node.body):
            made.fields = tuple(
                part.target.id
                for part in node.body
                if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)
            )
        frame.names[node.name] = made

    def _define_method(self, node: ast.FunctionDef, frame: Frame, owner: UserClass) -> None:
        if node.name in SHOWN:
            return
        if reserved(node.name) and node.name not in METHODS:
            raise UnreadError(f"the method {node.name}", node.lineno)
        try:
            self._define(node, frame, owner)
        except UnreadError as error:
            self.unread[error.line, error.construct] = None
            owner.names[node.name] = Unread(error.construct, error.line)

    def _return(self, node: ast.Return, frame: Frame) -> None:
        if not self.depth:
            raise ProgramError("return outside a function", node.lineno)
        value = None if node.value is None else self.evaluate(node.value, frame)
        if (
            isinstance(node.value, ast.Tuple)
            and isinstance(value, tuple)
            and 1 < len(value) == len(node.value.elts) < 4
        ):
            value = (value[0], *self._unnamed_of(node.value.elts[1:], value[1:], node, frame))
        self._listed(node, value, frame)
        parts = node.value.elts if isinstance(node.value, ast.Tuple) else ()
        names = ", ".join(part.id if isinstance(part, ast.Name) else "" for part in parts) or frame.function
        raise ReturnError(self.recorder.stored("return", frame.function, names, node.lineno, frame, value))

    def _listed(self, node: ast.Return, value: Any, frame: Frame) -> None:
        """Note the arrays of the lists that are returned: they may be gradients of the arrays of other lists."""
        parts = value if isinstance(value, tuple) else (value,)
        nodes = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
        for target, held in zip(nodes, parts, strict=False):
            if not isinstance(held, list) or len(held) > 60:
                continue
            within = target
            if isinstance(target, (ast.Subscript, ast.Call)):
                # the list turned round, ``grads[::-1]``
                own = [part for part in ast.walk(target) if isinstance(part, ast.Name) and part.id in frame.names]
                within = own[0] if len(own) == 1 else None
            if not isinstance(within, (ast.Name, ast.Attribute)):
                continue
            if not all(isinstance(part, (np.ndarray, float)) for part in held):
                continue
            key, shown = self._key(within, frame)
            for place, part in enumerate(held):
                name = f"[{place}]"
                held[place] = self.recorder.stored("assign", key + name, shown + name, node.lineno, frame, part)

    def _unnamed_of(self, parts: list[ast.expr], values: Any, node: ast.Return, frame: Frame) -> Iterator[Any]:
        for part, held in zip(parts, values, strict=True):
            if isinstance(part, (ast.Tuple, ast.List)) and len(part.elts) == len(held):
                yield type(held)(self._unnamed_of(part.elts, held, node, frame))
            else:
                yield self._unnamed(part, held, node, frame)

    def _unnamed(self, part: ast.expr, held: Any, node: ast.Return, frame: Frame) -> Any:
        """Note a number or an array that is returned after others and has no name: it may be a gradient."""
        plain = isinstance(part, (ast.Name, ast.Attribute, ast.Subscript, ast.Constant))
        if plain or not isinstance(held, (np.ndarray, float)):
            return held
        return self.recorder.stored("assign", "grad", f"{ast.unparse(part)[:40]}", node.lineno, frame, held)

    def _import(self, node: ast.Import, frame: Frame) -> None:
        for alias in node.names:
            name = alias.name if alias.asname else alias.name.split(".")[0]
            frame.names[alias.asname or name] = Namespace(name)

    def _import_from(self, node: ast.ImportFrom, frame: Frame) -> None:
        if node.module == "__future__":
            return
        for alias in node.names:
            if alias.name == "*":
                raise UnreadError("a star import", node.lineno)
            if node.module in PYTHONS_OWN and (alias.asname or alias.name) in PYTHON:
                continue
            full = f"{node.module}.{alias.name}"
            found = self._in_tables(full)
            name = alias.asname or alias.name
            if found is not None:
                frame.names[name] = found
            elif name in self.assumed:
                continue
            else:
                frame.names[name] = Namespace(full)

    def _global(self, node: Any, frame: Frame) -> None:
        (frame.globals if isinstance(node, ast.Global) else frame.nonlocals).update(node.names)

    def _pass(self, node: ast.stmt, frame: Frame) -> None:
        pass

    def _break(self, node: ast.stmt, frame: Frame) -> None:
        self._within(node)
        raise _BreakError

    def _continue(self, node: ast.stmt, frame: Frame) -> None:
        self._within(node)
        raise _ContinueError

    def _within(self, node: ast.stmt) -> None:
        if not self._loops:
            raise ProgramError("break or continue outside a loop", node.lineno)

    def _raise(self, node: ast.Raise, frame: Frame) -> None:
        error = ProgramError("the program raises an error of its own", node.lineno)
        made = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        error.raised = "" if made is None else key_of(made)
        raise error

    def _delete(self, node: ast.Delete, frame: Frame) -> None:
        for target in node.targets:
            if not isinstance(target, ast.Name):
                raise UnreadError("del of a part", node.lineno)
            frame.names.pop(target.id, None)

    def _with(self, node: ast.With, frame: Frame) -> None:
        """Run the lines of ``with``; what it opens is not opened, and has no value where it has a name."""
        for item in node.items:
            if item.optional_vars is None:
                continue
            try:
                held = self.evaluate(item.context_expr, frame)
            except UnreadError as error:
                self.unread[error.line or node.lineno, error.construct] = None
                held = Unread(error.construct, error.line or node.lineno)
            if isinstance(held, Unread) and isinstance(item.optional_vars, ast.Name):
                self._bind(item.optional_vars.id, held, frame)
            else:
                self._store(item.optional_vars, held, frame)
        self.block(node.body, frame)

    def _try(self, node: ast.Try, frame: Frame) -> None:
        """Run the lines of ``try``, and of an ``except`` that names the error or ``Exception`` where they fail."""
        try:
            self._tried(node, frame)
        except (ProgramError, ReturnError, _BreakError, _ContinueError):
            # at a limit the reading ends, and no line is run any more
            self.block(node.finalbody, frame)
            raise
        self.block(node.finalbody, frame)

    def _tried(self, node: ast.Try, frame: Frame) -> None:
        try:
            self.block(node.body, frame)
        except ProgramError as error:
            handler = next((h for h in node.handlers if _catches(h, error)), None)
            if handler is None:
                raise
            self.block(handler.body, frame)
        else:
            self.block(node.orelse, frame)

    _STATEMENTS: ClassVar[Mapping[type, Callable[..., Any]]] = {
        ast.Assign: _assign, ast.AugAssign: _augmented, ast.AnnAssign: _annotated, ast.Expr: _expression,
        ast.For: _for, ast.While: _while, ast.If: _if, ast.FunctionDef: _define, ast.ClassDef: _class,
        ast.Return: _return, ast.Import: _import, ast.ImportFrom: _import_from, ast.Global: _global,
        ast.Nonlocal: _global, ast.Pass: _pass, ast.Assert: _pass, ast.Break: _break, ast.Continue: _continue,
        ast.Raise: _raise, ast.With: _with, ast.Delete: _delete, ast.Try: _try,
    }  # fmt: skip


def _of_mark(mark: ast.expr) -> str:
    """The name of a decorator."""
    return key_of(mark.func if isinstance(mark, ast.Call) else mark)


def _named(node: ast.stmt, name: str) -> bool:
    return isinstance(node, ast.FunctionDef) and node.name == name


def _catches(handler: ast.ExceptHandler, error: ProgramError) -> bool:
    """Whether an ``except`` names an error; shapes that do not fit may be the data's fault, and are not caught."""
    if error.operands or "shape" in error.message:
        return False
    if handler.type is None:
        return True
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    names = {key_of(kind) for kind in kinds}
    return bool(names & {"Exception", "BaseException", error.message.partition(":")[0], error.raised})


def _held(node: ast.Assign) -> ast.expr:
    """What an update leaves where it is: the target, or ``b`` in ``new_b = b - …``."""
    target, value = node.targets[0], node.value
    if isinstance(value, ast.BinOp) and naming.stem(key_of(value.left)) == naming.stem(key_of(target)):
        return value.left
    return target


def _has_place(whole: Any, index: Any) -> bool:
    """Whether something can be put at an index of a dict or a list."""
    if isinstance(whole, dict):
        return isinstance(index, (str, int))
    return isinstance(whole, list) and type(index) is int and -len(whole) <= index < len(whole)


_NO_MATTER = frozenset(["abstractmethod", "njit", "jit", "lru_cache", "cache", "wraps", "profile", "override"])
"""Decorators under which a function gives what it gives without them."""
_IN_PLACE = frozenset(["append", "extend", "insert", "update", "pop", "setdefault", "sort", "fill", "reverse"])
"""Methods that change what they belong to."""


def _targets(node: ast.stmt) -> Iterator[ast.expr]:
    """What a statement would set or change, in its blocks too."""
    for part in ast.walk(node):
        if isinstance(part, (ast.Name, ast.Attribute, ast.Subscript)) and isinstance(part.ctx, ast.Store):
            yield part
        elif isinstance(part, ast.Expr) and isinstance(part.value, ast.Call):
            function = part.value.func
            if isinstance(function, ast.Attribute) and function.attr in _IN_PLACE:
                yield function.value
            elif isinstance(function, ast.Attribute) and function.attr in ("at", "copyto", "put") and part.value.args:
                yield part.value.args[0]


def _names_made(node: ast.stmt) -> Iterator[str]:
    """The names that a definition or an import would set."""
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        yield from (alias.asname or alias.name.split(".")[0] for alias in node.names if alias.name != "*")
    elif isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)):
        yield node.name
