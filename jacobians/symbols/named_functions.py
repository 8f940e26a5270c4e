"""The functions that formulas name: how each is shown, what computes it, and the source that a program prints.

The source is that of the textbook form, as a reader would write it in NumPy. Where an operation states none, it is the
source of its own rule. Where Python finds no such source, a program takes the function as an argument.
"""

from __future__ import annotations

import ast
import builtins
import copy
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, is_dataclass
from functools import cached_property
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from jacobians.errors import LayoutError

FORMS = ("textbook", "textbook_prime", "textbook_second")
"""What an elementwise operation calls the textbook forms of f, f′ and f″."""


@dataclass(frozen=True)
class Function:
    """A function of arrays and numbers, as a formula calls it; its result has the first argument's shape.

    Attributes
    ----------
    name : str
        In a program: ``leaky_relu_prime``.
    shown : str
        In a formula, without primes: ``leaky relu``, ``σ``.
    run : callable
        A plain function, or a `Rule`.
    prime : int
        Which derivative it is: 0 for a function itself.
    """

    name: str
    shown: str
    run: Callable[..., Any]
    prime: int = 0

    @property
    def arrays(self) -> int:
        """How many of the arguments must be arrays of one shape: of a loss's own rule, the outputs and the targets."""
        return len(self.run._arrays) if isinstance(self.run, Rule) else 1

    @property
    def arguments(self) -> int:
        """How many arguments it takes, numbers included."""
        return len(self.run.arguments if isinstance(self.run, Rule) else inspect.signature(self.run).parameters)


@dataclass(frozen=True)
class Rule:
    """A function that an operation or a loss states in a method only.

    The method returns two, a value and a derivative, or the function's value alone.

    Attributes
    ----------
    owner : object
        The operation or loss.
    method : str
        The method's name.
    which : int or None
        0 for the first that the method returns, 1 for the second, None where it returns one; a function without
        arguments is called.
    """

    owner: Any
    method: str
    which: int | None

    def __call__(self, *arguments: Any) -> Any:
        count, own = len(self._arrays), numbers_of(self.owner)
        arrays = [np.asarray(a, dtype=np.result_type(a, np.float32)) for a in arguments[:count]]
        numbers = dict(zip(own, map(float, arguments[count:]), strict=True))
        owner = self.owner
        if numbers != own:
            owner = copy.copy(owner)
            owner.__dict__.update(numbers)
        found = getattr(owner, self.method)(*arrays)
        found = found if self.which is None else found[self.which]
        return found() if callable(found) else found

    @cached_property
    def _arrays(self) -> list[str]:
        return list(inspect.signature(getattr(self.owner, self.method)).parameters)

    @property
    def arguments(self) -> list[str]:
        """The names of the arrays, and of the owner's numbers, which a formula shows."""
        return [*self._arrays, *numbers_of(self.owner)]


def numbers_of(owner: Any) -> dict[str, float]:
    """Return the numbers that an operation or a loss was made with, by name.

    Examples
    --------
    >>> from jacobians.operations import LeakyReLU
    >>> numbers_of(LeakyReLU(0.1))
    {'slope': 0.1}
    """
    found = getattr(owner, "__dict__", {})
    return {n: float(v) for n, v in found.items() if type(v) in (int, float) and not n.startswith("_")}


def source_of(functions: Iterable[Function]) -> str:
    """Return the definitions of some functions, and of those that they call, as Python text.

    Raises
    ------
    LayoutError
        If two different functions have one name.

    Examples
    --------
    >>> from jacobians.operations import Softplus
    >>> print(source_of([Softplus().function(prime=True)]))
    def sigmoid(Z):
        return 1 / (1 + np.exp(-Z))
    <BLANKLINE>
    <BLANKLINE>
    def softplus_prime(Z):
        return sigmoid(Z)
    """
    found = _Program()
    for function in functions:
        found.define(function)
    before = ["\n".join(sorted(found.lines))] if found.lines else []
    return "\n\n\n".join([*before, *(text for _, text in sorted(found.texts.values()))])


class _NoSourceError(Exception):
    """Python has no source of a function, or one that does not stand alone."""


class _Program:
    """The definitions that a program needs.

    Attributes
    ----------
    texts : dict
        By the defined name, where it stands in its own file, and the text.
    lines : set of str
        Imports and numbers.
    """

    def __init__(self) -> None:
        self.texts: dict[str, tuple[tuple[str, int, int], str]] = {}
        self.lines: set[str] = set()
        self._functions: dict[str, Callable[..., Any]] = {}

    def define(self, function: Function) -> None:
        """Add a function and what it calls."""
        run = function.run
        known = self._functions.setdefault(function.name, run)
        if known != run and not (isinstance(run, Rule) and isinstance(known, Rule) and _same_rule(run, known)):
            raise LayoutError(
                f"to_numpy: two functions are called {function.name}; give one of their classes another `name`"
            )
        if function.name in self.texts:
            return
        self.texts[function.name] = (("", 0, 0), "")  # it may call itself
        try:
            if isinstance(run, Rule):
                self._rule(function.name, run)
            else:
                self._plain(function.name, run)
        except _NoSourceError as why:
            given = f"# {function.name} is given, as a function of arrays: {why}"
            self.texts[function.name] = (("~", 0, len(self.texts)), given)

    def _plain(self, name: str, function: Any) -> None:
        """A function that needs nothing but what it is given."""
        source = _Source(function)
        self._needs(source)
        self.texts[name] = (source.place, source.text(name))

    def _rule(self, name: str, rule: Rule) -> None:
        """A function taken from a method: the method as a function, and one that calls it."""
        kind = type(rule.owner)
        method = name.removesuffix("_prime").removesuffix("_second") + rule.method
        source = _Source(getattr(kind, rule.method))
        own = _own_attributes(source, rule.owner)
        self._needs(source)
        numbers = numbers_of(rule.owner)
        if set(numbers) & set(rule._arrays):
            raise _NoSourceError(f"a number of {kind.__name__} has the name of an array")
        attributes = [f"{n}={n if n in numbers else self._literal(getattr(rule.owner, n))}" for n in own]
        if attributes:
            self.lines.add("from types import SimpleNamespace")
        made = f"SimpleNamespace({', '.join(attributes)})" if attributes else "None"
        file, line, _ = source.place
        what = {
            "_rule": "the value, and a function that returns the derivative",
            "_curvature": "the second derivative",
        }.get(rule.method, "functions that return the losses of the examples, and δ")
        comment = f"# {kind.__name__} states no textbook form. This is the rule of the class; it returns\n# {what}.\n"
        self.texts[method] = ((file, line, 0), comment + source.text(method))
        which = "" if rule.which is None else f"[{rule.which}]"
        first = f"{method}({', '.join([made, *rule._arrays])}){which}"
        last = "" if rule.which is None or (rule.method == "_rule" and rule.which == 0) else "()"
        text = f"def {name}({', '.join(rule.arguments)}):\n    return {first}{last}"
        self.texts[name] = ((file, line, 1 + (rule.which or 0)), text)

    def _needs(self, source: _Source) -> None:
        """Add what a source names: modules, numbers, functions beside it, textbook forms of other operations."""
        for name, form in source.forms:
            self.define(source.value(name).textbook_function(prime=FORMS.index(form)))
        for name in source.free:
            value = source.value(name)
            if isinstance(value, ModuleType):
                own = value.__name__
                self.lines.add(f"import {own}" if own == name else f"import {own} as {name}")
            elif isinstance(value, FunctionType) and value.__module__ == source.function.__module__:
                if name not in self.texts:
                    self.texts[name] = (("", 0, 0), "")
                    self._plain(name, value)
            elif (found := _importable(value)) is not None:
                self.lines.add(f"from {found[0]} import {found[1]}" + f" as {name}" * (found[1] != name))
            else:
                self.lines.add(f"{name} = {self._literal(value)}")
        self.lines.discard("import numpy as np")  # every program begins with it

    def _literal(self, value: Any) -> str:
        """A number, a text or a frozen record as Python code."""
        if isinstance(value, (bool, int, float, str, type(None))):
            return repr(value)
        if is_dataclass(value) and (found := _importable(type(value))) is not None:
            self.lines.add(f"from {found[0]} import {found[1]}")
            return repr(value)
        raise _NoSourceError(f"it needs a value of type {type(value).__name__}")


class _Source:
    """A function's text, and the names in it that are defined elsewhere."""

    def __init__(self, function: Any) -> None:
        self.function = function
        code = getattr(function, "__code__", None)
        if code is not None and code.co_filename == "<string>":  # of eval or exec; Python 3.13 shows what -c was given
            raise _NoSourceError("Python finds no source of it")
        try:
            text = textwrap.dedent(inspect.getsource(function))
            found = ast.parse(text).body[0]
        except (OSError, TypeError, SyntaxError):
            raise _NoSourceError("Python finds no source of it") from None
        if not isinstance(found, ast.FunctionDef):
            raise _NoSourceError("its source is no def statement")
        self._lines, self.tree = text.splitlines(), found
        self.place = (function.__module__ or "", function.__code__.co_firstlineno, 0)
        _drop_annotations(found)
        bound = set(_bound(found))
        used = [n.id for n in ast.walk(found) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]
        unknown = [n for n in dict.fromkeys(used) if n not in bound]
        self.forms = list(dict.fromkeys(self._forms()))
        classes = {name for name, _ in self.forms}
        self.free = [n for n in unknown if n not in classes and not self._is_builtin(n)]

    def text(self, name: str) -> str:
        """The definition under a name, without annotations; textbook forms of others by their own names."""
        tree, lines = self.tree, self._lines
        for form, attribute in self.forms:
            called = self.value(form).textbook_function(prime=FORMS.index(attribute)).name
            lines = [line.replace(f"{form}.{attribute}(", f"{called}(") for line in lines]
        first = tree.body[0].lineno - 1
        inside = any(isinstance(n, ast.FunctionDef) for n in ast.walk(tree) if n is not tree)
        if inside or first < tree.args.args[-1].lineno:  # nested functions may be annotated; a body may be on one line
            tree.name, tree.decorator_list = name, []
            return ast.unparse(tree)
        return "\n".join([f"def {name}({ast.unparse(tree.args)}):", *lines[first:]]).rstrip()

    def value(self, name: str) -> Any:
        """What a name stands for where the function was defined."""
        closed = inspect.getclosurevars(self.function).nonlocals
        if name in closed:
            return closed[name]
        if name not in self.function.__globals__:
            raise _NoSourceError(f"{name} is not defined")
        return self.function.__globals__[name]

    def _is_builtin(self, name: str) -> bool:
        if name == "super":
            raise _NoSourceError("it calls super()")
        return hasattr(builtins, name) and name not in self.function.__globals__

    def _forms(self) -> Iterator[tuple[str, str]]:
        """The textbook forms of other operations that are called, as class and attribute."""
        for node in ast.walk(self.tree):
            match node:
                case ast.Attribute(value=ast.Name(id=name), attr=attribute) if attribute in FORMS:
                    yield name, attribute


def _own_attributes(source: _Source, owner: Any) -> list[str]:
    """The attributes of itself that a method reads; none may be a method."""
    own = source.tree.args.args[0].arg
    read = [n for n in ast.walk(source.tree) if isinstance(n, ast.Attribute)]
    names = [n.attr for n in read if isinstance(n.value, ast.Name) and n.value.id == own]
    if len(names) < sum(isinstance(n, ast.Name) and n.id == own for n in ast.walk(source.tree)):
        raise _NoSourceError(f"it needs the whole {type(owner).__name__}")
    for name in names:
        if callable(getattr(owner, name, None)):
            raise _NoSourceError(f"it needs {type(owner).__name__}.{name}")
    return list(dict.fromkeys(names))


def _bound(tree: ast.FunctionDef) -> Iterator[str]:
    """The names that a function defines itself."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                yield name
            case ast.FunctionDef(name=name) if node is not tree:
                yield name
            case ast.alias(name=name, asname=asname):
                yield asname or name.partition(".")[0]
            case ast.ExceptHandler(name=str(name)):
                yield name


def _drop_annotations(tree: ast.FunctionDef) -> None:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.returns = None
        elif isinstance(node, ast.arg):
            node.annotation = None


def _importable(value: Any) -> tuple[str, str] | None:
    """The module and name under which another program can import a function or class, or None."""
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", getattr(value, "__name__", None))
    if not isinstance(module, str) or not isinstance(name, str) or module == "__main__":
        return None
    found = sys.modules.get(module)
    return (module, name) if found is not None and getattr(found, name, None) is value else None


def _same_rule(one: Rule, other: Rule) -> bool:
    """Whether two rules are one method of one class, whose instances differ in nothing but numbers."""
    if type(one.owner) is not type(other.owner) or (one.method, one.which) != (other.method, other.which):
        return False
    own, others = vars(one.owner), vars(other.owner)
    return {n: v for n, v in own.items() if n not in numbers_of(one.owner)} == {
        n: v for n, v in others.items() if n not in numbers_of(other.owner)
    }
