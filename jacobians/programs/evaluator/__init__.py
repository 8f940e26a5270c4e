"""The evaluator: a syntax tree walked on concrete numbers. It knows a list of constructs, and executes no Python."""

from __future__ import annotations

from jacobians.programs.evaluator.machine import Recorder
from jacobians.programs.evaluator.statements import Evaluator

__all__ = ["Evaluator", "Recorder"]
