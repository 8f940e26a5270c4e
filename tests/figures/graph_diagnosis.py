"""Slips that only graphs have, made by hand in NumPy in random nets: is the right cause named, and first?"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

import jacobians as jac
from jacobians.diagnosis import diagnose
from tests.diagnosis.graph_backprop import NETS, Arrays
from tests.figures.tables import table

_SEEDS, _QUICK = 40, 2


def measure(*, quick: bool = False) -> dict[str, Any]:
    """Diagnose every slip of every net; the right gradient, and one that is wrong in no known way, too."""
    counts: dict[str, Counter[str]] = {}
    missed = []
    for net_name, make in NETS.items():
        count = counts.setdefault(net_name, Counter())
        for seed in range(_QUICK if quick else _SEEDS):
            net = make(np.random.default_rng(seed))
            loss = net.loss(*jac.values(**net.arrays))
            right = net.by_hand("")
            count["nets"] += 1
            count["right"] += diagnose(right, loss).right
            count["unexplained"] += diagnose(_noisy(right, seed), loss).verdict == "unexplained"
            for slip, names in net.slips.items():
                wrong = net.by_hand(slip)
                if all(np.allclose(wrong[n], right[n], rtol=1e-9, atol=1e-12) for n in right):
                    count["equivalent"] += 1
                    continue
                named = [c.name for c in diagnose(wrong, loss).causes if c.exact]
                count["slips"] += 1
                count["first"] += named[:1] != [] and named[0] in names
                count["false"] += sum(name not in names for name in named)
                if len(named) != 1 or named[0] not in names:
                    missed.append(f"{net_name}, seed {seed}, {slip}: {named}")
    return {"counts": counts, "missed": missed}


def _noisy(right: Arrays, seed: int) -> Arrays:
    """The first parameter's gradient with every entry off by a factor of its own."""
    name = next(iter(right))
    factors = 1 + 0.1 * np.random.default_rng(seed).normal(size=right[name].shape)
    return {**right, name: right[name] * factors}


def report(result: dict[str, Any]) -> str:
    """The table."""
    keys = ("nets", "right", "unexplained", "slips", "first", "false", "equivalent")
    rows = [[name, *(count[key] for key in keys)] for name, count in result["counts"].items()]
    header = (
        "net",
        "nets",
        "right ones passed",
        "noise unexplained",
        "slips",
        "named first",
        "false causes",
        "slips that change nothing",
    )
    total = [sum(row[i] for row in rows) for i in range(1, len(header))]
    lines = [table(header, rows), f"{total[4]} of {total[3]} slips named first, {total[5]} false causes"]
    return "\n\n".join([*lines, *result["missed"]])
