"""How many multiplications the best order of elimination takes, and how many forward and reverse mode do."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.figures.elimination_tasks import tasks
from tests.figures.tables import table


def measure(*, quick: bool = False) -> dict[str, Any]:
    """Plan the Jacobians of all tasks, and carry them out; the largest graphs are left out where it is to be quick."""
    found = {}
    for name, task in tasks().items():
        graph = task.graph()
        if quick and len(graph.nodes) > 40:
            continue
        plan = graph.plan()
        swept = np.vstack([of.jacobian(*graph.inputs).to_dense() for of in graph.outputs])  # type: ignore[attr-defined]
        found[name] = {
            "values": len(plan.names),
            "edges": len(plan.edges),
            "forward": plan.forward.multiplications,
            "reverse": plan.reverse.multiplications,
            "best": plan.multiplications,
            "exact": plan.exact,
            "off": float(abs(plan.dense() - swept).max() / abs(swept).max()),
        }
    return found


def report(result: dict[str, Any]) -> str:
    """One line a task, with the share that the plan saves of the better mode's multiplications."""
    rows = []
    for name, own in result.items():
        better = min(own["forward"], own["reverse"])
        rows.append(
            (
                name,
                own["values"],
                own["edges"],
                f"{own['forward']:,}",
                f"{own['reverse']:,}",
                f"{own['best']:,}",
                f"{100 * (1 - own['best'] / better):.1f} %",
            )
        )
    return table(("task", "inner values", "edges", "forward", "reverse", "plan", "fewer"), rows)
