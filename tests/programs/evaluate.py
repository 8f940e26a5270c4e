"""What the tests of programs share: a text evaluated from its first line, and the names that it leaves."""

from __future__ import annotations

from typing import Any

import numpy as np

from jacobians.programs.data import Guess
from jacobians.programs.entries import Entry
from jacobians.programs.evaluator import Evaluator
from jacobians.programs.evaluator.numpy_functions import numpy_table
from jacobians.programs.plan import plan_of
from jacobians.programs.recording import Recording, Run
from jacobians.programs.source import read_source
from jacobians.programs.subject import Subject
from jacobians.programs.uses import Uses
from jacobians.programs.values import Budget, Limits


def run_of(text: str) -> Run:
    """The run of a program's lines outside of functions."""
    source = read_source(text)
    return Subject(source, plan_of(source.tree), Uses(text=text), Entry("module", "lines"), Guess()).run()[0]


def names_of(text: str) -> dict[str, Any]:
    """The names that a program leaves; what it raises is raised."""
    source = read_source(text)
    budget = Budget(Limits(steps=30_000))
    table = numpy_table(budget, np.random.default_rng(0))
    recording = Recording(plan_of(source.tree))
    evaluator = Evaluator(
        (table,), {}, recording, lambda _name: None, budget=budget, whole_division=source.whole_division
    )
    evaluator.run(source.tree)
    return evaluator.module.names
