"""How long a gradient check takes: every entry of a 64-25-10 network, and 10⁶ parameters in random directions."""

from __future__ import annotations

import inspect
import itertools
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.figures.backprop import Problem
from tests.figures.stateful import hand_written
from tests.figures.tables import table

LIMITS = {"64-25-10, every entry": 2.0, "1000-990-10, random directions": 60.0}


def hand_made(sizes: tuple[int, ...], count: int, seed: int = 0) -> Problem:
    """A sigmoid network in CS231n's convention, for a batch of random examples."""
    rng = np.random.default_rng(seed)
    parts = []
    for i, o in itertools.pairwise(sizes):
        parts += [rng.normal(size=i * o) / np.sqrt(i), 0.1 * rng.normal(size=o)]
    X, Y = rng.normal(size=(count, sizes[0])), rng.integers(sizes[-1], size=count)
    return Problem("cs231n", sizes, "sigmoid", "cross_entropy", X, Y, np.concatenate(parts), l2=0.1)


def library(problem: Problem) -> tuple[Callable[[np.ndarray], float], Callable[[np.ndarray], np.ndarray]]:
    """The same objective and gradient by the library's network."""
    from jacobians import Network

    net = Network.dense(problem.sizes, activation="sigmoid", loss=problem.loss, convention="cs231n", l2=problem.l2)
    X, Y = problem.X, problem.Y
    return (
        lambda theta: net.value(net.unpack(theta), X, Y),
        lambda theta: net.pack(net.gradient(net.unpack(theta), X, Y)),
    )


def measure(quick: bool = False) -> dict[str, Any]:
    """Seconds and verdicts."""
    small, large = hand_made((64, 25, 10), 32), hand_made((100, 98, 10) if quick else (1000, 990, 10), 8)
    rows = []
    for label, problem, options in (
        ("64-25-10, every entry", small, {"mode": "coordinates"}),
        ("1000-990-10, random directions", large, {"mode": "random"}),
    ):
        for writer, (fun, grad) in (("by hand", hand_written(problem)), ("by the library", library(problem))):
            seconds, verdict = timed(fun, grad, problem.theta, options)
            rows.append([label, writer, problem.theta.size, round(seconds, 3), LIMITS[label], verdict])
    return {"rows": rows}


def timed(fun: Any, grad: Any, x: np.ndarray, options: dict[str, Any]) -> tuple[float, str]:
    """Seconds of one check, and its verdict."""
    from jacobians.checking import check_gradient

    known = inspect.signature(check_gradient).parameters
    started = time.perf_counter()
    found = check_gradient(fun, grad, x, **{k: v for k, v in options.items() if k in known})
    return time.perf_counter() - started, str(found.verdict)


def report(result: dict[str, Any]) -> str:
    """The table."""
    return table(("check", "objective and gradient", "parameters", "seconds", "limit", "verdict"), result["rows"])
