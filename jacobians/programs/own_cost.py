"""The loss of a class of losses that a program asks for its slope alone: ``fn`` beside ``delta``."""

from __future__ import annotations

import ast
import re
from collections.abc import Container, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from jacobians.programs.loss import Loss
from jacobians.programs.naming import LABELS
from jacobians.programs.recording import Run, scalar
from jacobians.programs.subject import Subject
from jacobians.programs.values import Frame, Function, LimitError, ProgramError, Unread, UnreadError, UserClass

_VALUE = re.compile(
    r"(fn|f|cost|loss|forward|value|compute|calculate|calc|__call__|(compute|calculate|calc)_(cost|loss))$"
)
"""What the method of a loss's value is called."""
_SLOPE = re.compile(r"(?i)delta|deriv|prime|grad|back|slope")
"""What that of its slope is called."""
_DATA = re.compile(r"[xX]\w{0,6}|inputs?|data|features")


def own_costs(subject: Subject, run: Run, candidates: Sequence[tuple[Loss, Any]]) -> Iterator[tuple[Loss, Any]]:
    """Yield the losses that a program's own class computes, of outputs and labels that a usual loss may have.

    Parameters
    ----------
    subject : Subject
    run : Run
        In which a method of the class gives a slope; another one gives the loss.
    candidates : sequence of (Loss, ndarray)
        The usual losses, with their labels.
    """
    lines = {event.line for event in run.events if event.kind == "return" and _SLOPE.search(event.function)}
    method = _method(subject.source.tree, lines)
    if method is None:
        return
    owner, function = method
    names = [arg.arg for arg in function.args.args if arg.arg not in ("self", "cls")]
    (first,) = (place for place, name in enumerate(names) if LABELS.fullmatch(name))
    pairs = {(loss.index, np.shape(y)): (loss, y) for loss, y in reversed(candidates)}
    for loss, labels in reversed(pairs.values()):
        of = partial(_value, subject, owner.name, function.name, first, labels)
        if np.isfinite(of(np.linspace(0.2, 0.8, max(np.size(labels), 1)).reshape(np.shape(labels)))):
            name = f"{owner.name}.{function.name} of {loss.name.rpartition(' of ')[2]}"
            yield Loss(loss.index, name, loss.line, of), labels


def _method(tree: ast.Module, lines: Container[int]) -> tuple[ast.ClassDef, ast.FunctionDef] | None:
    """The class that computes a slope on one of the lines, and its method of the loss's value."""
    for owner in (node for node in tree.body if isinstance(node, ast.ClassDef)):
        methods = [node for node in owner.body if isinstance(node, ast.FunctionDef)]
        slopes = [m for m in methods if any(n in lines for n in range(m.lineno, (m.end_lineno or m.lineno) + 1))]
        for method in methods:
            names = [arg.arg for arg in method.args.args if arg.arg not in ("self", "cls")]
            labels = [name for name in names if LABELS.fullmatch(name)]
            if not (slopes and method not in slopes and _VALUE.match(method.name)):
                continue
            if len(names) == 2 and len(labels) == 1 and not any(_DATA.fullmatch(name) for name in names):
                return owner, method
    return None


def _value(subject: Subject, owner: str, name: str, place: int, labels: Any, outputs: Any) -> float:
    """What the method gives of outputs, by the evaluator that ran the program last; nan where it gives no number."""
    evaluator = subject.evaluator
    of = evaluator.module.names.get(owner)
    function = of.find(name) if isinstance(of, UserClass) else None
    if not isinstance(function, Function):
        return float("nan")
    args = [outputs, labels] if place else [labels, outputs]
    told, evaluator.recorder = evaluator.recorder, _Silent()
    evaluator.budget.restart()
    try:
        with np.errstate(all="ignore"):
            whole = [] if function.kind == "staticmethod" else [of]
            found = scalar(evaluator.call_function(function, [*whole, *args], {}))
    except (ProgramError, UnreadError, LimitError, ValueError, TypeError, ArithmeticError):
        return float("nan")
    finally:
        evaluator.recorder = told
    return float("nan") if found is None else found


class _Silent:
    """A recorder that notes nothing."""

    looked_at: Container[int] = frozenset()

    def stored(self, kind: str, key: str, shown: str, line: int, frame: Frame, value: Any) -> Any:
        return value

    def lost(self, key: str, shown: str, line: int, frame: Frame, reason: Unread) -> None:
        pass

    def keeps_old(self, node: ast.stmt) -> bool:
        return False

    def in_update(self) -> bool:
        return False

    def watched(self, node: ast.expr, frame: Frame, value: Any) -> Any:
        return value

    def enters_loop(self, node: ast.stmt, length: int | None) -> int | None:
        return None

    def left_loop(self, node: ast.stmt) -> None:
        pass
