"""Random graphs of values: the Jacobians against dense twins, in several orders, by paths and by one sweep."""

from __future__ import annotations

from typing import Any

import numpy as np

import jacobians as jac
from jacobians.testing import assert_graph_laws
from jacobians.testing.jacobian_laws import numerator_matrix
from jacobians.testing.random_graphs import GraphCase, random_graph
from tests.figures.tables import table

_COUNT, _QUICK = 10_000, 200


def measure(*, quick: bool = False, seeds: range | None = None) -> dict[str, Any]:
    """Hold each graph to the laws, and count what was held."""
    kinds: dict[str, dict[str, Any]] = {}
    failures = []
    for seed in seeds or range(_QUICK if quick else _COUNT):
        case = random_graph(seed)
        twins = case.twins
        _count(case, twins, kinds.setdefault(next(iter(case.arrays.values())).dtype.name, {}))
        try:
            assert_graph_laws(case, case.arrays, np.random.default_rng(seed), twins=twins)
        except Exception as error:
            failures.append(f"seed {seed}: {type(error).__name__}: {error}\n{case}")
    return {"kinds": kinds, "failures": failures}


def _count(case: GraphCase, twins: dict[str, np.ndarray], row: dict[str, Any]) -> None:
    inputs = jac.values(**case.arrays)
    out = case(*inputs)
    paths = [out.path_count(v) for v in inputs]
    eps = np.finfo(out.dtype).eps
    row["graphs"] = row.get("graphs", 0) + 1
    row["steps"] = row.get("steps", 0) + len(case.steps)
    row["jacobians"] = row.get("jacobians", 0) + len(inputs)
    row["shared"] = row.get("shared", 0) + sum(count > 1 for count in paths)
    row["paths"] = max(row.get("paths", 0), *paths)
    for v in inputs:
        gap = np.abs(numerator_matrix(out.jacobian(v), "C") - twins[v.name]) / np.maximum(np.abs(twins[v.name]), 1)
        row["worst"] = max(row.get("worst", 0.0), float(gap.max(initial=0.0)) / float(eps))


def report(result: dict[str, Any]) -> str:
    """The table."""
    header = ("dtype", "graphs", "operations", "Jacobians", "along several paths", "most paths", "units of rounding")
    names = ("graphs", "steps", "jacobians", "shared", "paths", "worst")
    rows = [[kind, *(row[name] for name in names)] for kind, row in sorted(result["kinds"].items())]
    total = f"{sum(row[1] for row in rows)} graphs, {len(result['failures'])} failures"
    return "\n\n".join([table(header, rows), total, *result["failures"]])
