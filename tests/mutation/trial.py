"""One mutant's trial: the wrong code put into the running package, in a process of its own."""

from __future__ import annotations

import ast
import importlib
import inspect
import os
import resource
import signal
import time
import types
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

from tests.mutation.checks import Check
from tests.mutation.mutators import Mutant
from tests.mutation.scope import full_name, tree

LIMIT = 4.0
"""Seconds of processor time that one check may take: a runaway is caught."""


MEMORY = 8 << 30
"""Bytes that a runaway may take."""


class Verdict(NamedTuple):
    """What became of a mutant: the law that caught it, or nothing."""

    mutant: str
    law: str
    text: str
    seconds: float

    @property
    def caught(self) -> bool:
        return bool(self.law)


def trial(mutant: Mutant, checks: Sequence[Check]) -> Verdict:
    """Run the checks on the package with the mutant in it, until one fails."""
    begun = time.perf_counter()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        try:
            signal.signal(signal.SIGPROF, signal.SIG_DFL)
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            os.write(write, _outcome(mutant, checks).encode()[:4000])
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        law, _, text = pipe.read().decode(errors="replace").partition("\n")
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        law, text = "time-out", f"killed by signal {os.WTERMSIG(status)}"
    return Verdict(mutant.name, law, text, time.perf_counter() - begun)


def _outcome(mutant: Mutant, checks: Sequence[Check]) -> str:
    warnings.simplefilter("error")
    try:
        install(mutant)
    except (SyntaxError, ValueError) as error:
        return f"syntax\n{error}"
    for check in checks:
        signal.setitimer(signal.ITIMER_PROF, LIMIT)  # others may keep the machine busy
        try:
            check.run()
        except AssertionError as error:
            law, _, text = str(error).partition(": ")
            if law.startswith("law "):
                return f"{law.removeprefix('law ')}\n{check.what}: {text}"
            return f"{check.law}\n{check.what}: {error}"
        except BaseException as error:
            return f"{check.law}, by an error\n{check.what}: {type(error).__name__}: {error}"
    return ""


def install(mutant: Mutant) -> None:
    """Give the live function the mutant's code: whoever imported it already calls the wrong one."""
    module = importlib.import_module(full_name(mutant.module))
    live = _function(module, mutant.function)
    whole = tree(mutant.module)
    mutant.swap()
    try:
        code = _code(compile(whole, str(module.__file__), "exec"), mutant.function)
        lost = set(live.__code__.co_freevars) - set(code.co_freevars)
        if lost:  # a method must go on naming __class__, which super() reads, or its code does not fit the function
            definition = _definition(whole, mutant.function)
            definition.body.append(ast.fix_missing_locations(ast.Expr(ast.Name("__class__", ast.Load()))))
            code = _code(compile(whole, str(module.__file__), "exec"), mutant.function)
    finally:
        mutant.swap()
    live.__code__ = code


def _function(module: types.ModuleType, name: str) -> types.FunctionType:
    found: Any = module
    for part in name.split("."):
        found = inspect.getattr_static(found, part)
    if isinstance(found, property):
        found = found.fget
    return inspect.unwrap(getattr(found, "__func__", found))


def _code(code: types.CodeType, name: str) -> types.CodeType:
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            if constant.co_qualname == name:
                return constant
            if name.startswith(f"{constant.co_qualname}."):
                return _code(constant, name)
    raise ValueError(f"no code of {name}")


def _definition(whole: ast.Module, name: str) -> ast.FunctionDef:
    body: list[ast.stmt] = whole.body
    for part in name.split("."):
        found = next(n for n in body if isinstance(n, (ast.FunctionDef, ast.ClassDef)) and n.name == part)
        body = found.body
    assert isinstance(found, ast.FunctionDef)
    return found
