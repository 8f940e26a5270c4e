"""`run`: an Octave program by the library's evaluator, for tests: what its names hold, and what was not read."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np

from jacobians.programs.evaluator import Evaluator
from jacobians.programs.octave.functions import FUNCTIONS, octave_functions
from jacobians.programs.octave.tree import octave_tree
from jacobians.programs.values import Budget, Frame, Limits, Unread


class Silent:
    """A recorder that changes nothing."""

    looked_at: frozenset[int] = frozenset()

    def stored(self, kind: str, key: str, shown: str, line: int, frame: Frame, value: Any) -> Any:
        return value

    def lost(self, key: str, shown: str, line: int, frame: Frame, reason: Unread) -> None:
        return None

    def in_update(self) -> bool:
        return False

    def keeps_old(self, node: ast.stmt) -> bool:
        return False

    def watched(self, node: ast.expr, frame: Frame, value: Any) -> Any:
        return value

    def enters_loop(self, node: ast.stmt, length: int | None) -> int | None:
        return None

    def left_loop(self, node: ast.stmt) -> None:
        return None


def run(
    text: str, inputs: dict[str, Any] | None = None, limits: Limits | None = None
) -> tuple[dict[str, Any], dict[tuple[int, str], None]]:
    """Return what the names of a program hold after its last line, and what was not read."""
    evaluator = Evaluator([], {}, Silent(), (inputs or {}).get, budget=Budget(limits or Limits()), language="Octave")
    evaluator.tables = (octave_functions(evaluator.budget, np.random.default_rng(0), evaluator.call),)
    evaluator.run(octave_tree(text, "program.m", FUNCTIONS))
    return evaluator.module.names, evaluator.unread
