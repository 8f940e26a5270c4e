"""The evaluator: a syntax tree walked on concrete numbers. It knows a list of constructs, and executes no Python."""

from __future__ import annotations

import ast
import operator
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol

import numpy as np

from jacobians.programs import naming
from jacobians.programs.arithmetic import (
    as_index,
    attribute_of,
    binary,
    compare,
    method_of,
    plain_text,
    truth,
    unary,
)
from jacobians.programs.numpy_functions import array
from jacobians.programs.recording import key_of
from jacobians.programs.values import (
    Bound,
    Budget,
    BuiltIn,
    Frame,
    Function,
    Instance,
    LimitError,
    Limits,
    Namespace,
    ProgramError,
    Super,
    Unread,
    UnreadError,
    UserClass,
    is_number,
    len_of,
    simple,
)
from jacobians.programs.wanted import Wanted, WantedError, called_with, wanted_in


class Recorder(Protocol):
    """Who is told of every store, and may change what is stored."""

    def stored(self, kind: str, key: str, shown: str, line: int, frame: Frame, value: Any) -> Any:
        """Return what is to be stored: the value, unless something else is put in its place."""

    def keeps_old(self, node: ast.stmt) -> bool:
        """Return whether an update is to leave the old value where it is."""

    def in_update(self) -> bool:
        """Return whether the next store is that of an update."""

    def watched(self, node: ast.expr, frame: Frame, value: Any) -> Any:
        """Return the value of an expression that is looked at."""

    def enters_loop(self, node: ast.stmt, length: int | None) -> int | None:
        """Return after how many iterations a loop is left; None for a loop that is run to its end."""

    def left_loop(self, node: ast.stmt) -> None:
        """Hear that a loop was left early."""


class _BreakError(Exception):
    """The loop ends."""


class _ContinueError(Exception):
    """The iteration ends."""


class _ReturnError(Exception):
    """The function ends, with its value."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


_SKIPPED_MODULES = (
    "matplotlib", "pylab", "time", "sys", "os", "logging", "tqdm", "warnings", "seaborn", "datetime", "random.seed",
)  # fmt: skip
_SKIPPED_CALLS = frozenset(["print", "input", "raw_input", "help", "display", "exit", "quit", "assert_"])
_LOADERS = (
    "load",
    "read",
    "fetch",
    "loadmat",
    "genfromtxt",
    "open",
    "make_",
    "get_dataset",
    "get_data",
    "train_test_split",
)
_RAISED = (
    ValueError,
    TypeError,
    IndexError,
    KeyError,
    ZeroDivisionError,
    AttributeError,
    OverflowError,
    RuntimeError,
    np.linalg.LinAlgError,
)


class Evaluator:
    """One run of a program.

    Parameters
    ----------
    tables : sequence of mappings
        Functions by their full names, such as ``numpy.dot``; the first table that has a name is meant.
    assumed : mapping
        Functions with a built-in meaning where the file does not define them; each use is noted in `used_meanings`.
    recorder : Recorder
    inputs : callable
        The value of a name that is never assigned; None if nobody knows.
    """

    def __init__(
        self,
        tables: Iterable[Mapping[str, Callable[..., Any]]],
        assumed: Mapping[str, tuple[str, Callable[..., Any]]],
        recorder: Recorder,
        inputs: Callable[[str], Any],
        *,
        budget: Budget | None = None,
        whole_division: bool = False,
        language: str = "Python",
    ) -> None:
        self.tables, self.assumed = tuple(tables), assumed
        self.recorder, self.inputs = recorder, inputs
        self.budget = budget or Budget(Limits())
        self.whole_division, self.language = whole_division, language
        self.used_meanings: dict[str, str] = {}
        self.unread: dict[tuple[int, str], None] = {}
        self.module = Frame(0, "")
        self.depth, self._frames, self._loops = 0, 0, 0
        self.line = 0
        self._statements: dict[type, Any] = {
            ast.Assign: self._assign, ast.AugAssign: self._augmented, ast.AnnAssign: self._annotated,
            ast.Expr: self._expression, ast.For: self._for, ast.While: self._while, ast.If: self._if,
            ast.FunctionDef: self._define, ast.ClassDef: self._class, ast.Return: self._return,
            ast.Import: self._import, ast.ImportFrom: self._import_from, ast.Global: self._global,
            ast.Nonlocal: self._global, ast.Pass: self._pass, ast.Assert: self._pass, ast.Break: self._break,
            ast.Continue: self._continue, ast.Raise: self._raise, ast.With: self._with, ast.Delete: self._delete,
        }  # fmt: skip
        self._expressions: dict[type, Any] = {
            ast.Constant: self._constant, ast.Name: self._name, ast.Attribute: self._attribute, ast.Call: self._call,
            ast.BinOp: self._binary, ast.UnaryOp: self._unary, ast.Compare: self._compare, ast.BoolOp: self._boolean,
            ast.Subscript: self._subscript, ast.Tuple: self._tuple, ast.List: self._list, ast.Dict: self._dict,
            ast.IfExp: self._choice, ast.Lambda: self._lambda, ast.ListComp: self._list_comprehension,
            ast.GeneratorExp: self._list_comprehension, ast.DictComp: self._dict_comprehension,
            ast.Slice: self._slice, ast.JoinedStr: self._text, ast.Starred: self._no_star, ast.Set: self._set,
        }  # fmt: skip

    # --- statements ----------------------------------------------------------------------------------

    def run(self, tree: ast.Module) -> None:
        """Run a module from its first line to its last."""
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.block(tree.body, self.module)

    def block(self, body: list[ast.stmt], frame: Frame) -> None:
        """Run statements; one that is outside the list leaves names that are not read."""
        for node in body:
            self._statement(node, frame)

    def _statement(self, node: ast.stmt, frame: Frame) -> None:
        self.line = node.lineno
        self.budget.step(node.lineno)
        how = self._statements.get(type(node))
        try:
            if how is None:
                raise UnreadError(_construct(node), node.lineno)
            how(node, frame)
        except UnreadError as error:
            self._not_read(node, frame, error)
        except (ProgramError, LimitError) as error:
            error.line = error.line or self.line
            raise
        except RecursionError:
            raise LimitError("calls or expressions are nested too deep", self.line) from None
        except _RAISED as error:
            message = " ".join(str(error).split())[:200]
            raise ProgramError(f"{type(error).__name__}: {message}", self.line) from None
        except MemoryError:
            raise LimitError("more memory than there is", self.line) from None

    def _not_read(self, node: ast.stmt, frame: Frame, error: UnreadError) -> None:
        """Give every name that the statement would set the reason why it has no value."""
        line = error.line or node.lineno
        self.unread[line, error.construct] = None
        reason = Unread(error.construct, line)
        if self.depth and (isinstance(node, ast.Return) or error.construct == "yield"):
            raise _ReturnError(reason)
        data = error.construct.startswith("data that is loaded")
        for name in _set_names(node):
            known = self.inputs(name) if data else None
            if known is None:
                self._bind(name, reason, frame)
            else:
                self._bind(name, self.recorder.stored("input", name, name, node.lineno, frame, known), frame)

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
        target: Any = _loaded(node.target)
        held, receiver = None, None
        if isinstance(target, ast.Subscript):
            receiver, index = self.evaluate(target.value, frame), self.evaluate(target.slice, frame)
            held = self._item(receiver, index)
        else:
            held = self.evaluate(target, frame)
        value = self.evaluate(node.value, frame)
        keeps = self.recorder.keeps_old(node)
        if isinstance(held, Unread):
            raise UnreadError(held.construct, held.line)
        if isinstance(receiver, np.ndarray):
            if not keeps:
                made = binary(node.op, held, value, self.budget, whole=self.whole_division)
                self._set_item(receiver, index, made)
            self._written(target.value, frame, receiver, _part(receiver, index))
            return
        if isinstance(held, np.ndarray):
            if not keeps:
                made = binary(node.op, held, value, self.budget, whole=self.whole_division)
                # as NumPy does: into the same memory, so that every other name of it sees the change
                if np.shape(made) != held.shape:
                    raise ProgramError(
                        f"non-broadcastable output operand with shape {held.shape} doesn't match the broadcast shape "
                        f"{np.shape(made)}",
                        node.lineno,
                    )
                if np.asarray(made).dtype.kind == "f" and held.dtype.kind in "iub":
                    raise ProgramError("a whole-number array cannot take the result in place", node.lineno)
                held[...] = made
            key, shown = self._key(target, frame)
            again = self.recorder.stored("write", key, shown, node.lineno, frame, held)
            if again is not held:
                held[...] = again
            return
        if isinstance(held, list) and isinstance(node.op, ast.Add):
            items = self._listed(value)
            self.budget.size(len(held) + len(items))
            if not keeps:
                held.extend(items)
            made = held
        else:
            made = held if keeps else binary(node.op, held, value, self.budget, whole=self.whole_division)
        if receiver is not None:
            made = self._told(target, made, frame)
            self._set_item(receiver, index, made)
        else:
            self._store(node.target, made, frame)

    def _expression(self, node: ast.Expr, frame: Frame) -> None:
        if isinstance(node.value, ast.Constant):
            return
        if isinstance(node.value, ast.Call) and _skipped(node.value):
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
                except (UnreadError, ProgramError, *_RAISED):
                    continue

    def _for(self, node: ast.For, frame: Frame) -> None:
        items = self._iterate(self.evaluate(node.iter, frame))
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
        while truth(self.evaluate(node.test, frame)):
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
        self.block(node.body if truth(self.evaluate(node.test, frame)) else node.orelse, frame)

    def _define(self, node: ast.FunctionDef, frame: Frame, owner: UserClass | None = None) -> None:
        kind = "function"
        for mark in node.decorator_list:
            if not (isinstance(mark, ast.Name) and mark.id in ("staticmethod", "classmethod", "property")):
                raise UnreadError("a decorator", node.lineno)
            kind = mark.id
        function = self._function(node, node.name, frame, owner, kind)
        (owner.names if owner is not None else frame.names)[node.name] = function

    def _function(
        self, node: Any, name: str, frame: Frame, owner: UserClass | None = None, kind: str = "function"
    ) -> Function:
        a = node.args
        return Function(
            name,
            node,
            frame,
            tuple(self.evaluate(d, frame) for d in a.defaults),
            tuple(None if d is None else self.evaluate(d, frame) for d in a.kw_defaults),
            owner,
            kind,
        )

    def _class(self, node: ast.ClassDef, frame: Frame) -> None:
        if node.keywords:
            raise UnreadError("a metaclass", node.lineno)
        if node.decorator_list:
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
        frame.names[node.name] = made

    def _define_method(self, node: ast.FunctionDef, frame: Frame, owner: UserClass) -> None:
        if node.name.startswith("__") and node.name not in ("__init__", "__call__"):
            if node.name not in ("__str__", "__repr__", "__len__"):
                raise UnreadError(f"the method {node.name}", node.lineno)
            return
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
            value = tuple(
                self._unnamed(part, held, node, frame) for part, held in zip(node.value.elts, value, strict=True)
            )
        parts = node.value.elts if isinstance(node.value, ast.Tuple) else ()
        names = ", ".join(part.id if isinstance(part, ast.Name) else "" for part in parts) or frame.function
        raise _ReturnError(self.recorder.stored("return", frame.function, names, node.lineno, frame, value))

    def _unnamed(self, part: ast.expr, held: Any, node: ast.Return, frame: Frame) -> Any:
        """Note an array that is returned beside others and has no name: it may be a gradient."""
        if isinstance(part, (ast.Name, ast.Attribute, ast.Subscript)) or not isinstance(held, np.ndarray):
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
        raise ProgramError("the program raises an error of its own", node.lineno)

    def _delete(self, node: ast.Delete, frame: Frame) -> None:
        for target in node.targets:
            if not isinstance(target, ast.Name):
                raise UnreadError("del of a part", node.lineno)
            frame.names.pop(target.id, None)

    def _with(self, node: ast.With, frame: Frame) -> None:
        for item in node.items:
            call = item.context_expr
            if not (
                isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "errstate"
            ):
                raise UnreadError("with", node.lineno)
        self.block(node.body, frame)

    # --- stores --------------------------------------------------------------------------------------

    def _store(self, target: ast.expr, value: Any, frame: Frame) -> None:
        if isinstance(target, ast.Name):
            key = target.id
            value = self._told(target, value, frame)
            self._bind(key, value, frame)
        elif isinstance(target, (ast.Tuple, ast.List)):
            self._unpack(target, value, frame)
        elif isinstance(target, ast.Attribute):
            receiver = self.evaluate(target.value, frame)
            if not isinstance(receiver, (Instance, UserClass)):
                if isinstance(receiver, np.ndarray) and target.attr == "shape":
                    self._store(target.value, receiver.reshape(value), frame)
                    return
                raise UnreadError(f"an attribute that is set, .{target.attr}", target.lineno)
            _own(target.attr, target.lineno)
            receiver.names[target.attr] = self._told(target, value, frame)
        elif isinstance(target, ast.Subscript):
            receiver, index = self.evaluate(target.value, frame), self.evaluate(target.slice, frame)
            if isinstance(receiver, np.ndarray):
                self._set_item(receiver, index, value)
                self._written(target.value, frame, receiver)
            else:
                self._set_item(receiver, index, self._told(target, value, frame, index))
        else:
            raise UnreadError(_construct(target), target.lineno)

    def _unpack(self, target: ast.Tuple | ast.List, value: Any, frame: Frame) -> None:
        if isinstance(value, Unread):
            raise UnreadError(value.construct, value.line)
        items, parts = self._listed(value), target.elts
        star = next((i for i, part in enumerate(parts) if isinstance(part, ast.Starred)), None)
        if star is not None:
            after = len(parts) - star - 1
            middle = items[star : len(items) - after]
            items = [*items[:star], middle, *items[len(items) - after :]]
        if len(items) != len(parts):
            raise ProgramError(f"{len(items)} values are unpacked into {len(parts)} names", target.lineno)
        for part, item in zip(parts, items, strict=True):
            self._store(part.value if isinstance(part, ast.Starred) else part, item, frame)

    def _bind(self, name: str, value: Any, frame: Frame) -> None:
        if name in frame.globals:
            self.module.names[name] = value
        elif name in frame.nonlocals:
            outer = frame.outer
            while outer is not None and name not in outer.names:
                outer = outer.outer
            (outer or self.module).names[name] = value
        else:
            frame.names[name] = value

    def _told(self, target: ast.expr, value: Any, frame: Frame, index: Any = None) -> Any:
        key, shown = self._key(target, frame, index)
        return self.recorder.stored("assign", key, shown, target.lineno, frame, value)

    def _written(self, whole: ast.expr, frame: Frame, value: Any, part: Any = None) -> None:
        key, shown = self._key(_loaded(whole), frame)
        if part is not None and self.recorder.in_update():
            # an update moves its part of a parameter along the gradient of that part
            value = part
        again = self.recorder.stored("write", key, shown, whole.lineno, frame, value)
        if again is not value:
            value[...] = again

    def _key(self, target: ast.expr, frame: Frame, index: Any = None) -> tuple[str, str]:
        """The name of what is stored, and how it is written."""
        if isinstance(target, ast.Name):
            return target.id, target.id
        if isinstance(target, ast.Attribute):
            whole = self._key(target.value, frame)[1] if isinstance(target.value, (ast.Name, ast.Attribute)) else "…"
            return target.attr, f"{whole}.{target.attr}"
        if isinstance(target, ast.Subscript):
            key, shown = self._key(target.value, frame)
            index = self.evaluate(target.slice, frame) if index is None else index
            if isinstance(index, str):
                return index, f"{shown}[{index!r}]"
            if isinstance(index, (int, np.integer)) and not isinstance(index, bool):
                receiver = self.evaluate(target.value, frame)
                if index < 0 and isinstance(receiver, list):
                    index += len(receiver)
                return f"{key}[{index}]", f"{shown}[{index}]"
            return key, shown
        return "…", "…"

    # --- expressions ---------------------------------------------------------------------------------

    def evaluate(self, node: ast.expr, frame: Frame) -> Any:
        """Return the value of an expression; a value that is not read ends it."""
        self.budget.step(getattr(node, "lineno", self.line))
        how = self._expressions.get(type(node))
        if how is None:
            raise UnreadError(_construct(node), getattr(node, "lineno", self.line))
        value = how(node, frame)
        if isinstance(value, Unread):
            raise UnreadError(value.construct, value.line)
        return self.recorder.watched(node, frame, value)

    def _constant(self, node: ast.Constant, frame: Frame) -> Any:
        value = node.value
        # a float of its own, so that a parameter that starts from a literal is told from every other
        return value + 0.0 if type(value) is float else value

    def _name(self, node: ast.Name, frame: Frame) -> Any:
        name = node.id
        place: Frame | None = frame if name not in frame.globals else self.module
        while place is not None:
            if name in place.names:
                return place.names[name]
            place = place.outer
        python = self.language == "Python"
        if python and name in _PYTHON:
            return self._python(name)
        found = self._in_tables(name)
        if found is not None:
            return found
        if python and name in ("np", "numpy", "math"):
            # a cell or a page that leaves the imports out
            return Namespace("math" if name == "math" else "numpy")
        if python and name == "__name__":
            return "__main__"
        if name in self.assumed:
            meaning, call = self.assumed[name]
            self.used_meanings[name] = meaning
            return BuiltIn(name, call)
        if name.startswith("__"):
            raise UnreadError(f"the name {name}", node.lineno)
        value = self.inputs(name)
        if value is None:
            raise UnreadError(f"{name}, which is never assigned", node.lineno)
        value = self.recorder.stored("input", name, name, node.lineno, self.module, value)
        self.module.names[name] = value
        return value

    def _python(self, name: str) -> Any:
        if name in ("int", "float", "bool"):
            return BuiltIn(name, _PYTHON[name], {"int": int, "float": float, "bool": bool}[name])
        if name in _WITH_BUDGET:
            return BuiltIn(name, lambda *a, **k: _WITH_BUDGET[name](self, *a, **k))
        return BuiltIn(name, _PYTHON[name])

    def _in_tables(self, name: str) -> BuiltIn | Any:
        for table in self.tables:
            if name in table:
                held: Any = table[name]
                if isinstance(held, BuiltIn):
                    return held
                return BuiltIn(name, held) if callable(held) else held
        return None

    def _attribute(self, node: ast.Attribute, frame: Frame) -> Any:
        receiver, name = self.evaluate(node.value, frame), node.attr
        if name.startswith("__") and not isinstance(receiver, Super):
            raise UnreadError(f"the attribute {name}", node.lineno)
        if isinstance(receiver, Namespace):
            full = f"{receiver.name}.{name}"
            if full == "numpy.newaxis":
                return None
            found = self._in_tables(full)
            return Namespace(full) if found is None else found
        if isinstance(receiver, Instance):
            if receiver.names.get(name) is not None:
                return receiver.names[name]
            if naming.is_parameter(name) and receiver.of.find(name) is None:
                return self._never_set(receiver, name, node, frame)
            if name in receiver.names:
                return None
            return self._of_class(receiver.of, name, receiver, node)
        if isinstance(receiver, UserClass):
            found = receiver.find(name)
            if found is None:
                raise ProgramError(f"{receiver.name} has no attribute {name}", node.lineno)
            return found
        if isinstance(receiver, Super):
            for base in receiver.bases:
                if base.find(name) is not None:
                    return self._of_class(base, name, receiver.receiver, node)
            if name == "__init__":
                return BuiltIn("object.__init__", lambda *_a, **_k: None)
            raise ProgramError(f"no attribute {name}", node.lineno)
        return attribute_of(receiver, name, self.budget)

    def _never_set(self, receiver: Instance, name: str, node: ast.Attribute, frame: Frame) -> Any:
        """A parameter that is an attribute which nothing in the program has set: the caller is to set it."""
        value = self.inputs(name)
        if value is None:
            return Wanted(name)
        shown = f"{self._key(node.value, frame)[1]}.{name}"
        receiver.names[name] = self.recorder.stored("input", name, shown, node.lineno, self.module, value)
        return receiver.names[name]

    def _of_class(self, of: UserClass, name: str, receiver: Any, node: ast.Attribute) -> Any:
        found = of.find(name)
        if found is None and isinstance(receiver, Instance):
            # set by what is not in the file, or by a method that was not called
            value = self.inputs(name)
            if value is not None:
                value = self.recorder.stored("input", name, f"self.{name}", node.lineno, self.module, value)
                receiver.names[name] = value
                return value
        if found is None:
            raise ProgramError(f"AttributeError: {of.name} has no attribute {name}", node.lineno)
        if isinstance(found, Function):
            if found.kind == "property":
                return self.call_function(found, [receiver], {})
            if found.kind == "staticmethod":
                return found
            if found.owner is not None:
                return Bound(found, of if found.kind == "classmethod" else receiver)
        return found

    def _call(self, node: ast.Call, frame: Frame) -> Any:
        function = node.func
        if isinstance(function, ast.Name) and function.id == "super" and not self._known("super", frame):
            return self._super(frame, node)
        if _skipped(node) and not (isinstance(function, ast.Name) and self._known(function.id, frame)):
            return None
        called = self.evaluate(function, frame)
        args: list[Any] = []
        for arg in node.args:
            if isinstance(arg, ast.Starred):
                args += self._listed(self.evaluate(arg.value, frame))
            else:
                args.append(self.evaluate(arg, frame))
        keywords: dict[str, Any] = {}
        for keyword in node.keywords:
            if keyword.arg is None:
                more = self.evaluate(keyword.value, frame)
                if not isinstance(more, dict) or not all(isinstance(k, str) for k in more):
                    raise UnreadError("** of what is no dict", node.lineno)
                keywords.update(more)
            else:
                keywords[keyword.arg] = self.evaluate(keyword.value, frame)
        self.line = node.lineno
        return self.call(called, args, keywords, node)

    def call(self, called: Any, args: list[Any], keywords: dict[str, Any], node: ast.Call | None = None) -> Any:
        """Return what a function, class or method of the file or of a table gives."""
        line = self.line if node is None else node.lineno
        if isinstance(called, BuiltIn):
            self.budget.calls += 1
            # a method's receiver is asked for there
            known = None if called.name.startswith("numpy.ndarray.") else called_with(called.name, args)
            if known is not None:
                return known
            self.budget.look(line)
            try:
                return called.call(*args, **keywords)
            except (UnreadError, LimitError) as error:
                error.line = error.line or line
                raise
        if isinstance(called, Function):
            return self.call_function(called, args, keywords)
        if isinstance(called, Bound):
            return self.call_function(called.function, [called.receiver, *args], keywords)
        if isinstance(called, UserClass):
            made = Instance(called)
            start = called.find("__init__")
            if isinstance(start, Unread):
                raise UnreadError(start.construct, start.line)
            if start is not None:
                self.call_function(start, [made, *args], keywords)
            return made
        if isinstance(called, Instance) and isinstance(called.of.find("__call__"), Function):
            return self.call_function(called.of.find("__call__"), [called, *args], keywords)
        if isinstance(called, Namespace):
            last = called.name.rpartition(".")[2]
            if last.startswith(_LOADERS) or "dataset" in called.name:
                raise UnreadError(f"data that is loaded by {last}", line)
            raise UnreadError(f"the call of {called.name}", line)
        raise ProgramError("TypeError: what is called is no function", line)

    def call_function(self, function: Function, args: list[Any], keywords: dict[str, Any]) -> Any:
        """Return what a function of the file gives."""
        if self.depth >= self.budget.limits.depth:
            raise LimitError(f"functions call each other more than {self.budget.limits.depth} deep", self.line)
        node = function.node
        frame = Frame(self._number(), function.name, {}, function.frame, owner=function.owner)
        line = self.line
        self._arguments(function, args, keywords, frame)
        loops, self._loops = self._loops, 0
        self.depth += 1
        try:
            if isinstance(node, ast.Lambda):
                return self.evaluate(node.body, frame)
            try:
                self.block(node.body, frame)
            except _ReturnError as found:
                return found.value
            return None
        finally:
            self.depth -= 1
            self._loops = loops
            self.line = line

    def _arguments(self, function: Function, args: list[Any], keywords: dict[str, Any], frame: Frame) -> None:
        a = function.node.args
        names = [arg.arg for arg in (*a.posonlyargs, *a.args)]
        given = dict(zip(names, args, strict=False))
        if len(args) > len(names) and a.vararg is None:
            raise ProgramError(
                f"TypeError: {function.name} takes {len(names)} arguments, {len(args)} are given", self.line
            )
        rest = dict(keywords)
        only = [arg.arg for arg in a.kwonlyargs]
        for name in list(rest):
            if name in names or name in only:
                if name in given:
                    raise ProgramError(f"TypeError: {function.name} is given {name} twice", self.line)
                given[name] = rest.pop(name)
        if rest and a.kwarg is None:
            raise ProgramError(f"TypeError: {function.name} has no argument {next(iter(rest))}", self.line)
        for name, default in zip(names[len(names) - len(function.defaults) :], function.defaults, strict=True):
            given.setdefault(name, default)
        for name, default in zip(only, function.keyword_defaults, strict=True):
            given.setdefault(name, default)
        for name in (*names, *only):
            if name not in given:
                raise ProgramError(f"TypeError: {function.name} is not given {name}", self.line)
            value = given[name]
            frame.names[name] = self.recorder.stored("argument", name, name, function.node.lineno, frame, value)
        if a.vararg is not None:
            frame.names[a.vararg.arg] = tuple(args[len(names) :])
        if a.kwarg is not None:
            frame.names[a.kwarg.arg] = rest

    def _super(self, frame: Frame, node: ast.Call) -> Super:
        place: Frame | None = frame
        while place is not None and place.owner is None:
            place = place.outer
        if place is None or place.owner is None or not place.names:
            raise UnreadError("super outside of a method", node.lineno)
        return Super(place.owner.bases, next(iter(place.names.values())))

    def _known(self, name: str, frame: Frame) -> bool:
        place: Frame | None = frame
        while place is not None:
            if name in place.names:
                return True
            place = place.outer
        return False

    def _number(self) -> int:
        self._frames += 1
        return self._frames

    def _binary(self, node: ast.BinOp, frame: Frame) -> Any:
        left, right = self.evaluate(node.left, frame), self.evaluate(node.right, frame)
        self.line = node.lineno
        if isinstance(left, str) and isinstance(node.op, ast.Mod):
            return plain_text(left, right)
        return binary(node.op, left, right, self.budget, whole=self.whole_division)

    def _unary(self, node: ast.UnaryOp, frame: Frame) -> Any:
        return unary(node.op, self.evaluate(node.operand, frame))

    def _compare(self, node: ast.Compare, frame: Frame) -> Any:
        left, found = self.evaluate(node.left, frame), None
        for op, right_node in zip(node.ops, node.comparators, strict=True):
            right = self.evaluate(right_node, frame)
            one = compare(op, left, right, self.budget)
            found = one if found is None else (found if not truth(found) else one)
            left = right
        return found

    def _boolean(self, node: ast.BoolOp, frame: Frame) -> Any:
        value = None
        for part in node.values:
            value = self.evaluate(part, frame)
            if truth(value) == isinstance(node.op, ast.Or):
                return value
        return value

    def _subscript(self, node: ast.Subscript, frame: Frame) -> Any:
        receiver = self.evaluate(node.value, frame)
        if isinstance(receiver, Namespace) and receiver.name in ("numpy.r_", "numpy.c_"):
            return self._joined(receiver.name, self.evaluate(node.slice, frame))
        return self._item(receiver, self.evaluate(node.slice, frame))

    def _joined(self, name: str, index: Any) -> Any:
        parts = index if isinstance(index, tuple) else (index,)
        if any(isinstance(part, (slice, str)) for part in parts):
            raise UnreadError(f"{name} of slices", self.line)
        parts = tuple(part if is_number(part) else array(part, self.budget) for part in parts)
        self.budget.size(sum(np.size(part) for part in parts))
        return np.r_[parts] if name.endswith("r_") else np.c_[parts]

    def _item(self, receiver: Any, index: Any) -> Any:
        if isinstance(receiver, Wanted):
            raise _use_of(receiver, index)
        wanted = wanted_in((index,))
        if wanted is not None:
            raise WantedError(wanted, "index", np.shape(receiver) if isinstance(receiver, np.ndarray) else (3,))
        if isinstance(receiver, np.ndarray):
            return receiver[as_index(index, receiver.shape, self.budget)]
        if isinstance(receiver, dict):
            simple(index, "a key")
            return receiver[index]
        if isinstance(receiver, (list, tuple, str, range)):
            if isinstance(index, slice) and not isinstance(receiver, range):
                self.budget.size(len(receiver))
            return receiver[index if isinstance(index, slice) else operator.index(index)]
        if is_number(receiver):
            raise ProgramError("IndexError: a number has no entries", self.line)
        raise UnreadError("an index of what is no array, list or dict", self.line)

    def _set_item(self, receiver: Any, index: Any, value: Any) -> None:
        if isinstance(value, Unread):
            raise UnreadError(value.construct, value.line)
        wanted = wanted_in((receiver, value) if not isinstance(receiver, (dict, list)) else ())
        if wanted is not None:
            like = index if wanted is receiver else receiver
            raise WantedError(wanted, "beside" if isinstance(like, np.ndarray) else "array", np.shape(like))
        if isinstance(receiver, np.ndarray):
            if not isinstance(value, (np.ndarray, list, tuple)) and not is_number(value):
                raise UnreadError("an entry that is no number", self.line)
            value = value if is_number(value) else array(value, self.budget)
            receiver[as_index(index, receiver.shape, self.budget)] = value
        elif isinstance(receiver, dict):
            if not isinstance(index, (str, int, float, bool, tuple, np.integer)):
                raise UnreadError("a key that is no text or number", self.line)
            simple(index, "a key")
            receiver[index] = value
        elif isinstance(receiver, list):
            if isinstance(index, slice):
                receiver[index] = self._listed(value)
            else:
                receiver[operator.index(index)] = value
        else:
            raise UnreadError("an entry that is set of what is no array, list or dict", self.line)

    def _tuple(self, node: ast.Tuple, frame: Frame) -> Any:
        return tuple(self._elements(node.elts, frame))

    def _list(self, node: ast.List, frame: Frame) -> Any:
        return list(self._elements(node.elts, frame))

    def _set(self, node: ast.Set, frame: Frame) -> Any:
        elements = list(self._elements(node.elts, frame))
        simple(elements, "a set")
        return tuple(dict.fromkeys(elements))

    def _elements(self, nodes: list[ast.expr], frame: Frame) -> Iterator[Any]:
        for node in nodes:
            if isinstance(node, ast.Starred):
                yield from self._listed(self.evaluate(node.value, frame))
            else:
                yield self.evaluate(node, frame)

    def _dict(self, node: ast.Dict, frame: Frame) -> Any:
        made: dict[Any, Any] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                more = self.evaluate(value, frame)
                if not isinstance(more, dict):
                    raise UnreadError("** of what is no dict", node.lineno)
                self.budget.size(len(more))
                made.update(more)
                continue
            name = self.evaluate(key, frame)
            if not isinstance(name, (str, int, float, tuple)):
                raise UnreadError("a key that is no text or number", node.lineno)
            simple(name, "a key")
            held = self.evaluate(value, frame)
            if isinstance(name, str):
                held = self.recorder.stored("assign", name, repr(name), value.lineno, frame, held)
            made[name] = held
        return made

    def _choice(self, node: ast.IfExp, frame: Frame) -> Any:
        return self.evaluate(node.body if truth(self.evaluate(node.test, frame)) else node.orelse, frame)

    def _lambda(self, node: ast.Lambda, frame: Frame) -> Any:
        return self._function(node, "lambda", frame)

    def _list_comprehension(self, node: Any, frame: Frame) -> Any:
        return [self.evaluate(node.elt, inside) for inside in self._generated(node.generators, frame)]

    def _dict_comprehension(self, node: ast.DictComp, frame: Frame) -> Any:
        made = {}
        for inside in self._generated(node.generators, frame):
            key = self.evaluate(node.key, inside)
            if not isinstance(key, (str, int, float, tuple)):
                raise UnreadError("a key that is no text or number", node.lineno)
            simple(key, "a key")
            made[key] = self.evaluate(node.value, inside)
        return made

    def _generated(self, generators: list[ast.comprehension], frame: Frame) -> Iterator[Frame]:
        inside = Frame(self._number(), frame.function, {}, frame)
        yield from self._nested(generators, inside)

    def _nested(self, generators: list[ast.comprehension], inside: Frame) -> Iterator[Frame]:
        if not generators:
            yield inside
            return
        first, *rest = generators
        for item in self._iterate(self.evaluate(first.iter, inside)):
            self.budget.step(self.line)
            self._store(first.target, item, inside)
            if all(truth(self.evaluate(test, inside)) for test in first.ifs):
                yield from self._nested(rest, inside)

    def _slice(self, node: ast.Slice, frame: Frame) -> Any:
        parts = [None if p is None else self.evaluate(p, frame) for p in (node.lower, node.upper, node.step)]
        return slice(*(None if p is None else operator.index(p) for p in parts))

    def _text(self, node: ast.JoinedStr, frame: Frame) -> Any:
        made = []
        for part in node.values:
            if isinstance(part, ast.Constant):
                made.append(str(part.value))
                continue
            held = None
            plain = isinstance(part, ast.FormattedValue) and part.conversion == -1 and part.format_spec is None
            inner = part.value if isinstance(part, ast.FormattedValue) and plain else None
            if isinstance(inner, (ast.Name, ast.BinOp, ast.Constant)):
                held = self.evaluate(inner, frame)
            if type(held) not in (str, int):
                return "text that is not read"
            made.append(str(held))
        return "".join(made)[:1000]

    def _no_star(self, node: ast.Starred, frame: Frame) -> Any:
        raise UnreadError("a star here", node.lineno)

    def _listed(self, value: Any) -> list[Any]:
        """What a value holds, as a list of its own."""
        items = self._iterate(value)
        if isinstance(items, (range, np.ndarray)):
            self.budget.objects(len_of(items) if isinstance(items, range) else len(items))
        else:
            self.budget.size(len(items))
        return list(items)

    def _iterate(self, value: Any) -> Any:
        if isinstance(value, np.ndarray):
            if value.ndim == 0:
                raise ProgramError("TypeError: a number cannot be run through", self.line)
            return value
        if isinstance(value, (list, tuple, range, str)):
            return value
        if isinstance(value, dict):
            return list(value)
        if isinstance(value, Wanted):
            raise WantedError(value, "indices")
        if isinstance(value, Unread):
            raise UnreadError(value.construct, value.line)
        if is_number(value) or value is None:
            raise ProgramError("TypeError: a number cannot be run through", self.line)
        raise UnreadError("a loop over what is no array, list or dict", self.line)


def _use_of(wanted: Wanted, index: Any) -> WantedError:
    """What an index says of a value that is not known."""
    if isinstance(index, slice):
        return WantedError(wanted, "slice")
    if isinstance(index, tuple):
        return WantedError(wanted, "array")
    return WantedError(wanted, "vector" if index == -1 else "array")


def _held(node: ast.Assign) -> ast.expr:
    """What an update leaves where it is: the target, or ``b`` in ``new_b = b - …``."""
    target, value = node.targets[0], node.value
    if isinstance(value, ast.BinOp) and naming.stem(key_of(value.left)) == naming.stem(key_of(target)):
        return value.left
    return target


def _part(receiver: Any, index: Any) -> Any:
    """The part of an array that an index means, in the array's own memory; None where it is a copy."""
    if isinstance(index, (int, np.integer)) and receiver.ndim == 1:
        place = int(index) % max(receiver.size, 1)
        return receiver[place : place + 1]
    made = receiver[index] if isinstance(index, (slice, int, np.integer)) else None
    return made if isinstance(made, np.ndarray) else None


def _loaded(node: ast.expr) -> ast.expr:
    """A target as an expression that is read."""
    return node


def _own(name: str, line: int) -> None:
    if name.startswith("__"):
        raise UnreadError(f"the attribute {name}", line)


def _construct(node: ast.AST) -> str:
    words = {
        "Try": "try", "TryStar": "try", "Yield": "yield", "YieldFrom": "yield", "Await": "await", "NamedExpr": ":=",
        "AsyncFunctionDef": "async", "AsyncFor": "async", "AsyncWith": "async", "Match": "match", "SetComp": "a set",
        "TypeAlias": "type",
    }  # fmt: skip
    return words.get(type(node).__name__, type(node).__name__)


def _skipped(call: ast.Call) -> bool:
    """Whether a call only shows something."""
    function = call.func
    if isinstance(function, ast.Name):
        return function.id in _SKIPPED_CALLS
    while isinstance(function, ast.Attribute):
        if function.attr == "seed":
            return True
        function = function.value
    return isinstance(function, ast.Name) and function.id in (
        "plt",
        "pylab",
        "ax",
        "fig",
        "sns",
        "time",
        "sys",
        "logging",
    )


def _set_names(node: ast.AST) -> Iterator[str]:
    """The names that a statement would set, those in its blocks included."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)):
        yield node.name
        return
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        yield from (alias.asname or alias.name.split(".")[0] for alias in node.names if alias.name != "*")
        return
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            yield part.id


def _range(evaluator: Evaluator, *bounds: Any) -> range:
    return range(*(operator.index(b) for b in bounds))


def _listed(evaluator: Evaluator, value: Any = ()) -> list[Any]:
    return evaluator._listed(value)


def _distinct(evaluator: Evaluator, value: Any = ()) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(_listed(evaluator, value)))


def _all_of(name: str) -> Callable[..., Any]:
    call: Any = {"sum": sum, "min": min, "max": max, "any": any, "all": all, "sorted": sorted, "tuple": tuple}[name]

    def of(evaluator: Evaluator, *args: Any, **keywords: Any) -> Any:
        if "key" in keywords:
            raise UnreadError(f"{name} with a key", evaluator.line)
        if len(args) == 1 or name in ("sum", "sorted", "tuple"):
            args = (_listed(evaluator, *args[:1]), *args[1:])
        if name == "sum":
            return _sum(evaluator, *args, **keywords)
        if name in ("min", "max", "sorted"):
            simple(list(args), name)
        return call(*args, **keywords)

    return of


def _sum(evaluator: Evaluator, items: list[Any], start: Any = 0) -> Any:
    for item in items:
        evaluator.budget.step(evaluator.line)
        start = binary(ast.Add(), start, item, evaluator.budget, whole=False)
    return start


def _zip(evaluator: Evaluator, *args: Any) -> list[Any]:
    columns = [_listed(evaluator, a) for a in args]
    evaluator.budget.objects(2 * min(map(len, columns), default=0))
    return list(zip(*columns, strict=False))


def _enumerate(evaluator: Evaluator, of: Any, start: int = 0) -> list[Any]:
    items = _listed(evaluator, of)
    evaluator.budget.objects(2 * len(items))
    return list(enumerate(items, start))


def _reversed(evaluator: Evaluator, of: Any) -> list[Any]:
    return _listed(evaluator, of)[::-1]


def _map(evaluator: Evaluator, function: Any, *args: Any) -> list[Any]:
    rows = _zip(evaluator, *args)
    return [evaluator.call(function, list(row), {}) for row in rows]


def _pow(evaluator: Evaluator, base: Any, exponent: Any) -> Any:
    return binary(ast.Pow(), base, exponent, evaluator.budget, whole=False)


def _len(evaluator: Evaluator, value: Any) -> int:
    if isinstance(value, (np.ndarray, list, tuple, dict, str, range)):
        return len(value)
    raise ProgramError("TypeError: what has no length is asked for its length", evaluator.line)


def _dict_of(evaluator: Evaluator, *args: Any, **keywords: Any) -> dict[Any, Any]:
    made: dict[Any, Any] = {}
    if args:
        of = args[0]
        pairs = of.items() if isinstance(of, dict) else [tuple(evaluator._iterate(p)) for p in evaluator._iterate(of)]
        evaluator.budget.objects(2 * len(pairs))
        for pair in pairs:
            simple(pair[0], "a key")
        made.update(pairs)
    made.update(keywords)
    if not all(isinstance(k, (str, int, float, tuple)) for k in made):
        raise UnreadError("a key that is no text or number", evaluator.line)
    return made


def _str(value: Any) -> str:
    if type(value) in (str, int, float, bool) or isinstance(value, (np.integer, np.floating)):
        return str(value)[:100]
    return "text that is not read"


def _isinstance(evaluator: Evaluator, value: Any, kind: Any) -> bool:
    kinds = {
        "int": (int, np.integer),
        "float": (float, np.floating),
        "list": list,
        "dict": dict,
        "tuple": tuple,
        "str": str,
    }
    if isinstance(kind, UserClass):
        return isinstance(value, Instance) and value.of is kind
    if isinstance(kind, BuiltIn) and kind.name in kinds:
        return isinstance(value, kinds[kind.name])  # type: ignore[arg-type]
    if isinstance(kind, BuiltIn) and kind.name == "numpy.ndarray":
        return isinstance(value, np.ndarray)
    raise UnreadError("isinstance of this", evaluator.line)


_WITH_BUDGET: dict[str, Callable[..., Any]] = {
    "range": _range, "xrange": _range, "list": _listed, "zip": _zip, "enumerate": _enumerate, "reversed": _reversed,
    "set": _distinct, "map": _map, "pow": _pow, "len": _len, "dict": _dict_of, "isinstance": _isinstance,
    **{name: _all_of(name) for name in ("sum", "min", "max", "any", "all", "sorted", "tuple")},
}  # fmt: skip


def _int(value: Any = 0) -> int:
    if isinstance(value, str):
        if len(value) > 20:
            raise UnreadError("a number as a text")
    elif not is_number(value) and not (isinstance(value, np.ndarray) and value.size == 1):
        raise TypeError("int of what is no number")
    return int(value.item() if isinstance(value, np.ndarray) else value)


def _float(value: Any = 0.0) -> float:
    if isinstance(value, np.ndarray):
        return float(value.item())
    if not is_number(value) and not (isinstance(value, str) and len(value) < 30):
        raise TypeError("float of what is no number")
    return float(value)


def _abs(value: Any) -> Any:
    return np.abs(value) if isinstance(value, np.ndarray) else abs(value)


def _round(value: Any, digits: int | None = None) -> Any:
    if digits is not None and abs(operator.index(digits)) > 400:
        raise UnreadError("round to this many digits")
    return np.round(value, digits or 0) if isinstance(value, np.ndarray) else round(value, digits)


_PYTHON: dict[str, Callable[..., Any]] = {
    **_WITH_BUDGET, "int": _int, "float": _float, "bool": truth, "abs": _abs, "round": _round, "str": _str,
}  # fmt: skip

__all__ = ["Evaluator", "Recorder", "method_of"]
