"""Where a program is entered: its own top-level lines, a function of loss and gradients, a class, a chain, a pair."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from jacobians.programs.plan import key_of

Kind: TypeAlias = Literal["module", "function", "chain", "class", "pair"]

_FORWARD = re.compile(r"(?i).*(forward|feed|predict|hypothesis|model|propagat|fprop|compute_output|run|output).*")
_COST = re.compile(r"(?i).*(cost|loss|error|objective|entropy|mse|^J$).*")
_BACKWARD = re.compile(r"(?i).*(back|grad|bprop|deriv|train|update|delta|fit|sgd|step).*")
_NEVER = re.compile(
    r"(?i).*(numerical|check|test|plot|accuracy|display|visuali|print|load|read|save|one_?hot|normali[sz]e|shuffle|main$|"
    r"rel_error|eval_num|show|split).*"
)
_ELEMENTWISE = re.compile(
    r"(?i)_*(d_?)?(sigmoid|relu|tanh|softmax|leaky_?relu|elu|swish|gelu|softplus|logistic|step|act\w*|identity|linear)(_?(prime|derivative|grad(ient)?|d|deriv|der|backward))?$"
)


@dataclass(frozen=True, eq=False)
class Entry:
    """One way into a program.

    Attributes
    ----------
    kind : {"module", "function", "chain", "class", "pair"}
    name : str
    functions : tuple of ast.FunctionDef
        What is called, in order.
    owner : ast.ClassDef or None
        The class that is made first.
    """

    kind: Kind
    name: str
    functions: tuple[ast.FunctionDef, ...] = ()
    owner: ast.ClassDef | None = None


def computes_loss(function: ast.FunctionDef) -> bool:
    """Return whether a function is one of a loss by its name, and no backward pass."""
    return bool(_COST.match(function.name)) and not _BACKWARD.match(function.name)


def arguments_of(function: ast.FunctionDef) -> list[tuple[str, ast.expr | None]]:
    """Return the names of a function's arguments, each with its default's expression or None."""
    a = function.args
    names = [arg.arg for arg in (*a.posonlyargs, *a.args)]
    defaults: list[Any] = [None] * (len(names) - len(a.defaults)) + list(a.defaults)
    found = list(zip(names, defaults, strict=True))
    return found + [(arg.arg, d) for arg, d in zip(a.kwonlyargs, a.kw_defaults, strict=True)]


def entries_of(tree: ast.Module) -> list[Entry]:
    """Return the ways into a program in the order in which they are tried."""
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    found: list[Entry] = []
    if any(_acts(node) for node in tree.body):
        found.append(Entry("module", "the lines outside of functions"))
    called = _called(tree)
    roots = [f for f in functions if f.name not in called and not _NEVER.match(f.name)]
    useful = [f for f in roots if not _is_activation(f)]
    found += [Entry("function", f.name, (f,)) for f in sorted(useful, key=_likely) if not _of_a_pair(f, functions)]
    chain = _chain([f for f in functions if not _NEVER.match(f.name) and not _is_activation(f)], called)
    paired = {
        f for back in functions for f in (back, _partner(back, functions)) if _partner(back, functions) is not None
    }
    costs = [f for f in chain if _COST.match(f.name) and f not in paired]
    if len(chain) > 1 and (costs or not all(f in paired for f in chain)):
        found.append(Entry("chain", " → ".join(f.name for f in chain), tuple(chain)))
    for owner in classes:
        found += _of_class(owner)
    for back in functions:
        forth = _partner(back, functions)
        if forth is not None:
            found.append(Entry("pair", f"{forth.name} and {back.name}", (forth, back)))
    # what others call is entered by itself where they could not show it
    found += [Entry("function", f.name, (f,)) for f in functions if f.name in called and _gives_gradients(f)]
    return found


def _is_activation(function: ast.FunctionDef) -> bool:
    """Whether a function is an activation by its name; a step of training has more than one argument."""
    steps = "step" in function.name.lower() and len(arguments_of(function)) > 1
    return _ELEMENTWISE.fullmatch(function.name) is not None and not steps


def _gives_gradients(function: ast.FunctionDef) -> bool:
    """Whether a function returns something beside a loss, to judge by its name."""
    if not re.match(r"(?i).*(cost|loss|objective).*", function.name) or _NEVER.match(function.name):
        return False
    several = any(isinstance(n, ast.Return) and isinstance(n.value, ast.Tuple) for n in ast.walk(function))
    return several


def _acts(node: ast.stmt) -> bool:
    """Whether a statement at the top does more than to define."""
    if isinstance(node, (ast.For, ast.While, ast.AugAssign, ast.If)):
        return True
    return isinstance(node, ast.Assign) and not isinstance(node.value, (ast.Constant, ast.Lambda))


def _called(tree: ast.AST) -> set[str]:
    """Names of functions that other functions call or hand on."""
    found = set()
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.Call):
                    name = key_of(node.func)
                    if name != function.name and not _NEVER.match(function.name):
                        found.add(name)
    return found


def _likely(function: ast.FunctionDef) -> int:
    """Functions that return a loss and gradients come first, then those that train."""
    if re.match(r"(?i).*(cost|loss|objective|propagate).*", function.name):
        return 0
    if re.match(r"(?i).*(model|train|fit|descent|optimi|sgd|build|main|run).*", function.name):
        return 1
    return 2


def _chain(functions: list[ast.FunctionDef], called: set[str]) -> list[ast.FunctionDef]:
    """The functions of the forward pass, the loss and the backward pass, each the outermost."""

    def kind(f: ast.FunctionDef) -> int:
        if _BACKWARD.match(f.name) and not re.match(r"(?i).*(forward|cost|loss)", f.name):
            return 2
        if _COST.match(f.name):
            return 3 if re.search(r"(?i)deriv|prime|history|plot", f.name) else 1
        return 0 if _FORWARD.match(f.name) else 3

    chosen = []
    for wanted in (0, 1, 2):
        of_kind = [
            f
            for f in functions
            if kind(f) == wanted and not re.match(r"(?i).*(update|train|fit|sgd|optimi|init|predict)", f.name)
        ]
        if wanted == 0:
            backs = [f.name for f in functions if kind(f) == 2]
            of_kind = [f for f in of_kind if not any(_calls(f, back) for back in backs)]  # it trains
        if wanted == 0 and not of_kind:
            of_kind = [f for f in functions if kind(f) == 0 and "predict" in f.name]
        outer = [f for f in of_kind if not any(_calls(g, f.name) for g in of_kind if g is not f)]
        chosen += outer if wanted else outer[:1]
    manners = {_manner(f) for f in chosen if kind(f) == 2}
    return [f for f in chosen if kind(f) != 1 or not _manner(f) or _manner(f) in manners or manners <= {""}]


def _manner(function: ast.FunctionDef) -> str:
    """What a function is made for, by its name: ``dropout`` of ``backward_propagation_with_dropout``."""
    found = re.search(r"(?i)_with_(\w+)$", function.name)
    return found.group(1).lower() if found else ""


def _calls(function: ast.FunctionDef, name: str) -> bool:
    return any(isinstance(node, ast.Call) and key_of(node.func) == name for node in ast.walk(function))


def _of_class(owner: ast.ClassDef) -> list[Entry]:
    methods = [m for m in owner.body if isinstance(m, ast.FunctionDef) and not m.name.startswith("__")]
    called = _called(ast.Module(body=list(owner.body), type_ignores=[]))
    found = []
    for method in sorted(methods, key=_likely):
        if _likely(method) < 2 and method.name not in called and not _NEVER.match(method.name):
            found.append(Entry("class", f"{owner.name}.{method.name}", (method,), owner))
    chain = _chain([m for m in methods if not _NEVER.match(m.name) and not _is_activation(m)], called)
    if chain:
        found.append(Entry("class", f"{owner.name}: " + " → ".join(m.name for m in chain), tuple(chain), owner))
    cost = [m for m in chain if _COST.match(m.name) and not _BACKWARD.match(m.name)]
    for method in methods:
        if cost and re.match(r"(?i).*(train|fit|learn)", method.name) and method not in chain:
            found.append(Entry("class", f"{owner.name}: {method.name} → {cost[0].name}", (method, cost[0]), owner))
    train = [m for m in methods if re.match(r"(?i).*(train|fit|update|learn)", m.name)]
    found += [Entry("class", f"{owner.name}.{m.name}", (m,), owner) for m in train if m.name in called]
    return found


def _of_a_pair(function: ast.FunctionDef, functions: list[ast.FunctionDef]) -> bool:
    return _partner(function, functions) is not None or any(_partner(f, functions) is function for f in functions)


def _partner(back: ast.FunctionDef, functions: list[ast.FunctionDef]) -> ast.FunctionDef | None:
    """The forward function of a backward one: ``affine_forward`` of ``affine_backward``."""
    names = [name for name, _ in arguments_of(back)]
    if (
        not re.search(r"(?i)back|grad", back.name)
        or len(names) < 1
        or not re.match(r"d[a-zA-Z_]+|grad\w*|delta", names[0])
    ):
        return None
    stem = re.sub(r"(?i)_?(backward|backprop|bwd|back|grad(ient)?)_?(naive|fast)?", "", back.name)
    for function in functions:
        if function is not back and re.sub(r"(?i)_?(forward|fwd)_?(naive|fast)?", "", function.name) == stem:
            return function
    return None
