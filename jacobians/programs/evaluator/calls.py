"""Names, attributes and calls: what each means, and what a function, class or method of the file gives."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np

from jacobians.arrays import counted
from jacobians.programs import naming
from jacobians.programs.evaluator.arithmetic import attribute_of
from jacobians.programs.evaluator.containers import listed
from jacobians.programs.evaluator.machine import Machine
from jacobians.programs.evaluator.operators import run_through
from jacobians.programs.evaluator.python_functions import PYTHON, python_function
from jacobians.programs.evaluator.standard_library import CLOCKS
from jacobians.programs.values import (
    Bound,
    BuiltIn,
    Field,
    Frame,
    Function,
    Generated,
    Instance,
    LimitError,
    Namespace,
    ProgramError,
    Super,
    Unread,
    UnreadError,
    UserClass,
)  # fmt: skip
from jacobians.programs.wanted import Wanted, called_with

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
    "initialize_param",
    "init_param",
)
IN_PLACE = frozenset(
    ["numpy.add.at", "numpy.subtract.at", "numpy.copyto", "numpy.fill_diagonal", "numpy.put_along_axis"]
)
"""Functions that change their first argument."""
_PARTS_SET = {"store field": 2, "store cell": 1}
"""Octave's stores in structs and cell arrays, and which argument is stored."""
PYTHONS_OWN = ("builtins", "past.builtins", "six.moves", "__builtin__")
"""Modules from which files take Python's own functions."""
_OCTAVE_LOADERS = ("load", "csvread", "dlmread", "importdata", "xlsread", "textread", "readmatrix")


MOST_YIELDED = 200
"""Values of a generator that are computed, all of them where it is called; one that goes on for ever ends there."""


class ReturnError(Exception):
    """The function ends, with its value."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


def _of_named_values(node: ast.Call) -> bool:
    """Whether it is ``dict(W=…, b=…)``, which means what a display of a dict means."""
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    return name == "dict" and bool(node.keywords) and not node.args and all(k.arg for k in node.keywords)


def _of_call(node: ast.Call) -> tuple[bool, bool]:
    """Whether a call only shows something, and whether it is ``dict(W=…)``: asked for in each of many runs."""
    found: tuple[bool, bool] | None = getattr(node, "asked", None)
    if found is None:
        found = node.asked = only_shows(node), _of_named_values(node)  # type: ignore[attr-defined]
    return found


class Calls(Machine):
    """The part of the evaluator that finds what a name means, and calls it."""

    def _name(self, node: ast.Name, frame: Frame) -> Any:
        name = node.id
        place: Frame | None = frame if name not in frame.globals else self.module
        while place is not None:
            if name in place.names:
                return place.names[name]
            place = place.outer
        python = self.language == "Python"
        if python and name in PYTHON:
            return python_function(self, name)
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
        if not python and name in _OCTAVE_LOADERS:
            raise UnreadError(f"data that is loaded by {name}", node.lineno)
        value = self.inputs(name)
        if value is None:
            raise UnreadError(f"{name}, which is never assigned", node.lineno)
        value = self.recorder.stored("input", name, name, node.lineno, self.module, value)
        self.module.names[name] = value
        return value

    def _attribute(self, node: ast.Attribute, frame: Frame) -> Any:
        receiver, name = self.evaluate(node.value, frame), node.attr
        self.receiver = receiver
        if isinstance(receiver, BuiltIn) and f"{receiver.name}.{name}" in IN_PLACE:
            return self._in_tables(f"{receiver.name}.{name}")  # np.add.at
        own = isinstance(receiver, Instance) and name == "__call__" and isinstance(receiver.of.find(name), Function)
        starts = isinstance(receiver, UserClass) and name == "__init__"
        if reserved(name) and not (isinstance(receiver, Super) or own or starts):
            raise UnreadError(f"the attribute {name}", node.lineno)
        if name.startswith("__") and not isinstance(receiver, (Instance, UserClass, Super)):
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
        if type(function) is ast.Name and function.id == "octave number":
            value = self.evaluate(node.args[0], frame)
            if type(value) is np.ndarray and value.dtype == np.float64 and value.ndim > 1:
                return value  # it is the matrix of numbers that is asked for
            return self.call(self.evaluate(function, frame), [value], {}, node)
        if isinstance(function, ast.Name) and function.id == "super" and not self._known("super", frame):
            return self._super(frame, node)
        shows, displays = _of_call(node)
        if shows and not (isinstance(function, ast.Name) and self._known(function.id, frame)):
            return None
        if displays and not self._known("dict", frame):
            keys: list[Any] = [ast.copy_location(ast.Constant(k.arg), node) for k in node.keywords]
            return self.evaluate(ast.copy_location(ast.Dict(keys, [k.value for k in node.keywords]), node), frame)
        called = self.evaluate(function, frame)
        receiver = self.receiver
        args: list[Any] = []
        for arg in node.args:
            if isinstance(arg, ast.Starred):
                args += listed(self.budget, run_through(self, self.evaluate(arg.value, frame)))
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
        if isinstance(called, BuiltIn) and called.name in _PARTS_SET:
            self._part_set(node, called.name, args, frame)
        if isinstance(called, BuiltIn) and len(args) == len(node.args):
            parts: list[ast.expr] = node.args
            if called.name.startswith("numpy.ndarray.") and isinstance(function, ast.Attribute):
                self.operands = node, (function.value, *parts), (receiver, *args)
            else:
                self.operands = node, tuple(parts), tuple(args)
        made = self.call(called, args, keywords, node)
        if isinstance(called, BuiltIn) and (keywords or called.name in IN_PLACE):
            self._told_of_change(node, called, args, keywords, frame)
        return made

    def _part_set(self, node: ast.Call, called: str, args: list[Any], frame: Frame) -> None:
        """Tell the recorder what Octave puts into a struct's field or a cell array's entry."""
        place = _PARTS_SET[called]
        inner = node.args[place]
        if not isinstance(args[place], (np.ndarray, float)):
            return
        if (
            isinstance(inner, ast.Call)
            and isinstance(inner.func, ast.Name)
            and inner.func.id.removeprefix("octave ") in _PARTS_SET
        ):
            return
        whole, last = self._held_in(node.args[0], frame), args[2 if place == 1 else 1]
        if place == 2:
            key, shown = str(last), f"{whole}.{last}"
        else:
            if np.size(last) != 1 or not isinstance(last, (np.ndarray, float, int)):
                return
            number = int(np.asarray(last).item())
            key, shown = f"{whole.rpartition('.')[2]}[{number - 1}]", f"{whole}{{{number}}}"
        args[place] = self.recorder.stored("assign", key, shown, node.lineno, frame, args[place])

    def _held_in(self, node: ast.expr, frame: Frame) -> str:
        """How a program of Octave writes what a part is put into: ``stack{2}`` of ``stack{2}.w``."""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == 2:
            place = self.evaluate(node.args[1], frame)
            whole = self._held_in(node.args[0], frame)
            if node.func.id == "octave old field":
                return f"{whole}.{place}"
            if node.func.id == "octave old cell" and np.size(place) == 1:
                return f"{whole}{{{int(np.asarray(place).item())}}}"
        return node.id if isinstance(node, ast.Name) else "…"

    def _told_of_change(
        self, node: ast.Call, called: BuiltIn, args: list[Any], keywords: dict[str, Any], frame: Frame
    ) -> None:
        """Tell the recorder where a function changes an array in place: ``out=``, ``np.add.at``."""
        changed: ast.expr | None = next((k.value for k in node.keywords if k.arg == "out"), None)
        value = keywords.get("out")
        if called.name in IN_PLACE and node.args:
            changed, value = node.args[0], args[0]
        if changed is not None and isinstance(value, np.ndarray):
            key, shown = self._key(changed, frame)
            again = self.recorder.stored("write", key, shown, node.lineno, frame, value)
            if again is not value:
                value[...] = again

    def call(self, called: Any, args: list[Any], keywords: dict[str, Any], node: ast.Call | None = None) -> Any:
        """Return what a function, class or method of the file or of a table gives."""
        line = self.line if node is None else node.lineno
        if isinstance(called, BuiltIn):
            self.budget.calls += 1
            # a method's receiver is asked for there
            known = None if called.name.startswith("numpy.ndarray.") else called_with(called.name, args)
            if known is not None:
                return known
            if not self.budget.calls & 7:
                self.budget.look(line)
            out = keywords.get("out") if keywords and called.name.startswith("numpy.") else None
            if out is not None:
                keywords = {key: held for key, held in keywords.items() if key != "out"}
            try:
                made = self.built_in(called, args, keywords)
                return made if out is None else _put_into(out, made)
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
            elif called.fields:
                self._fields(called, made, args, keywords, line)
            return made
        if isinstance(called, Instance) and isinstance(called.of.find("__call__"), Function):
            return self.call_function(called.of.find("__call__"), [called, *args], keywords)
        if isinstance(called, Namespace):
            last = called.name.rpartition(".")[2]
            if last.startswith(_LOADERS) or "dataset" in called.name:
                raise UnreadError(f"data that is loaded by {last}", line)
            raise UnreadError(f"the call of {called.name}", line)
        raise ProgramError("TypeError: what is called is no function", line)

    def _fields(self, of: UserClass, made: Instance, args: list[Any], keywords: dict[str, Any], line: int) -> None:
        """Give an object of a dataclass its fields: what it is made with, or their defaults."""
        if len(args) > len(of.fields) or not keywords.keys() <= set(of.fields):
            raise ProgramError(f"TypeError: {of.name} has no such field", line)
        given = {**dict(zip(of.fields, args, strict=False)), **keywords}
        for name in of.fields:
            held = given.get(name, of.names.get(name))
            if isinstance(held, Field):
                held = self.call(held.factory, [], {})
            if isinstance(held, Unread):
                made.names[name] = held
                continue
            if held is None and name not in given and name not in of.names:
                raise ProgramError(f"TypeError: {of.name} is not given {name}", line)
            made.names[name] = self.recorder.stored("argument", name, f"self.{name}", line, self.module, held)
        after = of.find("__post_init__")
        if isinstance(after, Function):
            self.call_function(after, [made], {})

    def call_function(self, function: Function, args: list[Any], keywords: dict[str, Any]) -> Any:
        """Return what a function of the file gives."""
        if self.depth >= self.budget.limits.depth:
            raise LimitError(f"functions call each other more than {self.budget.limits.depth} deep", self.line)
        node = function.node
        frame = Frame(self._number(), function.name, {}, function.frame, owner=function.owner)
        line = self.line
        self._arguments(function, args, keywords, frame)
        loops, self._loops = self._loops, 0
        before, self.yielded = self.yielded, [] if function.yields else None
        made = self.yielded
        self.depth += 1
        try:
            if isinstance(node, ast.Lambda):
                value = self.evaluate(node.body, frame)
                return value if made is None else Generated(made)
            try:
                self.block(node.body, frame)
            except ReturnError as found:
                return found.value if made is None or isinstance(found.value, Unread) else Generated(made)
            return None if made is None else Generated(made)
        finally:
            self.yielded = before
            self.depth -= 1
            self._loops = loops
            self.line = line

    def _arguments(self, function: Function, args: list[Any], keywords: dict[str, Any], frame: Frame) -> None:
        a = function.node.args
        names = [arg.arg for arg in (*a.posonlyargs, *a.args)]
        given = dict(zip(names, args, strict=False))
        if len(args) > len(names) and a.vararg is None:
            raise ProgramError(
                f"TypeError: {function.name} takes {counted(len(names), 'argument')}, {len(args)} are given", self.line
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


def _put_into(out: Any, made: Any) -> Any:
    """What a function does with ``out=``: its result goes into an array of the same shape."""
    if not isinstance(out, np.ndarray) or np.shape(made) != out.shape:
        raise ProgramError(f"ValueError: out has the wrong shape; the result has {np.shape(made)}")
    out[...] = made
    return out


def reserved(name: str) -> bool:
    """Return whether a name is one of Python's own, such as ``__init__``. A class's private ``__loss`` is not."""
    return name.startswith("__") and name.endswith("__")


def only_shows(call: ast.Call) -> bool:
    """Return whether a call only shows something."""
    function = call.func
    if isinstance(function, ast.Name):
        return function.id in _SKIPPED_CALLS
    while isinstance(function, ast.Attribute):
        if function.attr == "seed":
            return True
        if function.attr in CLOCKS:
            return False
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
