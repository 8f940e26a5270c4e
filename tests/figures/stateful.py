"""The gradient as a function that is called again and again: what goes wrong between two calls, and in its result."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.figures.backprop import Problem, objective
from tests.figures.backward import gradient

Fun = Callable[[np.ndarray], float]
Grad = Callable[[np.ndarray], np.ndarray]

STATE_SLIPS = (
    "result-of-first-call",
    "stale-cache-of-first-call",
    "stale-cache-of-last-call",
    "accumulates",
    "shared-buffer",
    "overwrites-input",
    "not-deterministic",
    "result-float32",
    "result-float16",
)


def hand_written(problem: Problem, slip: str = "", layer: int = 0) -> tuple[Fun, Grad]:
    """The objective and the gradient as functions of the packed parameters, with one slip."""

    def fun(theta: np.ndarray) -> float:
        with np.errstate(all="ignore"):
            return objective(problem, theta)

    def right(theta: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            return gradient(problem, np.asarray(theta), "" if slip in STATE_SLIPS else slip, layer)

    return fun, _with_state(right, problem, slip)


def _with_state(right: Grad, problem: Problem, slip: str) -> Grad:
    if slip == "result-of-first-call":
        memo: list[np.ndarray] = []

        def memoised(theta: np.ndarray) -> np.ndarray:
            if not memo:
                memo.append(right(theta))
            return memo[0].copy()

        return memoised
    if slip.startswith("stale-cache"):
        return _StaleCache(problem, slip.endswith("last-call"))
    if slip == "accumulates":
        return _Accumulates(right)
    if slip == "shared-buffer":
        buffer = np.zeros_like(problem.theta)

        def shared(theta: np.ndarray) -> np.ndarray:
            buffer[:] = right(theta)
            return buffer

        return shared
    if slip == "overwrites-input":

        def overwrites(theta: np.ndarray) -> np.ndarray:
            g = right(theta)
            theta -= 0.1 / problem.scale * g  # trains while it is at it
            return g

        return overwrites
    if slip == "not-deterministic":
        rng = np.random.default_rng(0)

        def dropout(theta: np.ndarray) -> np.ndarray:  # left in training mode
            return right(theta) * (1 + 1e-3 * rng.normal(size=theta.shape))

        return dropout
    if slip in ("result-float32", "result-float16"):
        dtype = slip.removeprefix("result-")

        def narrow(theta: np.ndarray) -> np.ndarray:
            with np.errstate(all="ignore"):
                return right(theta).astype(dtype)

        return narrow
    return right


class _StaleCache:
    """Keeps the activations of an earlier call, the first or the last, and uses the weights of this one."""

    def __init__(self, problem: Problem, follow: bool) -> None:
        self.problem, self.follow = problem, follow
        self.cached: np.ndarray | None = None

    def __call__(self, theta: np.ndarray) -> np.ndarray:
        used = np.array(theta) if self.cached is None else self.cached
        if self.follow or self.cached is None:
            self.cached = np.array(theta)
        with np.errstate(all="ignore"):
            return gradient(self.problem, np.asarray(theta), cached=used)


class _Accumulates:
    """`grads += …` without the line that zeroes them."""

    def __init__(self, right: Grad) -> None:
        self.right = right
        self.total: np.ndarray | None = None

    def __call__(self, theta: np.ndarray) -> np.ndarray:
        g = self.right(theta)
        self.total = g if self.total is None else self.total + g
        return self.total.copy()
