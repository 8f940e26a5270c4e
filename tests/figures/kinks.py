"""Right gradients with kinks at known distances: ReLU networks, and piecewise functions of many coordinates."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from tests.figures.backprop import ACTIVATIONS, LOSSES, Problem, pack, unpack
from tests.figures.cases import CONVENTIONS, SCALES
from tests.figures.problems import make_problem
from tests.figures.stateful import hand_written

DISTANCES = (0.0, *(10.0**-k for k in range(12, 0, -1)))
FAR = 1.0
"""An entry whose kink is farther than this counts as free of kinks."""


Params = dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Correct:
    """A function of named arrays with its right gradient; `near` says for each array how near its kinks lie."""

    name: str
    fun: Callable[[Params], float]
    grad: Callable[[Params], Params]
    x: Params
    near: dict[str, float]

    def label(self, name: str) -> str:
        """The group an array is counted in."""
        distance = self.near[name]
        return "no kink near" if distance > FAR else f"at {distance:.0e}" if distance else "exactly there"


def near_kink(problem: Problem, distance: float, rng: np.random.Generator) -> Problem:
    """The problem with one unit's input, for the first example, that far from 0; 0 is met exactly.

    The weights of the first layer and the first example are rounded to a few bits, so that their products are exact
    in whatever order they are added.
    """
    d, params = problem.dialect, unpack(problem, problem.theta)
    X = problem.X.copy()
    first = X[0] if d.rows else X[:, 0]
    first[:] = np.round(first * 64) / 64
    W = params[f"{d.weight}1"]
    W[:] = np.round(W * 4096) / 4096
    nodes = W[:, 1:] if d.bias_in_weight else W if problem.convention in ("ng-dlai", "pytorch") else W.T
    unit = int(rng.integers(problem.sizes[1]))
    wanted = -float(nodes[unit] @ first) + distance * rng.choice([-1.0, 1.0])
    if d.bias_in_weight:
        W[unit, 0] = wanted
    else:
        params["b1"].flat[unit] = wanted
    return replace(problem, X=X, theta=pack(problem, params))


def _network(problem: Problem, name: str, distance: float) -> Correct:
    fun, grad = hand_written(problem)
    x = unpack(problem, problem.theta)
    return Correct(
        name,
        lambda params: fun(pack(problem, params)),
        lambda params: unpack(problem, grad(pack(problem, params))),
        x,
        dict.fromkeys(x, distance),
    )


def networks(count: int, seed: int) -> Iterator[Correct]:
    """Smooth networks, and ReLU networks with a kink at each distance, in turn."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        convention = CONVENTIONS[number % len(CONVENTIONS)]
        scale, layers = SCALES[number % 3], 2 + number // 3 % 2
        activation, loss = ACTIVATIONS[number // 2 % 3], LOSSES[number // 5 % 3]
        own = int(rng.integers(1_000_000))
        problem = make_problem(convention, layers, activation, loss, scale=scale, seed=own)
        label = f"{activation}, {convention}, {layers} layers, {loss}, loss × {scale:g}, seed {own}"
        if activation != "relu":
            yield _network(problem, label, np.inf)
            continue
        distance = DISTANCES[number // 6 % len(DISTANCES)]
        yield _network(near_kink(problem, distance, rng), f"kink at {distance:g}: {label}", distance)


def piecewise(size: int, seed: int) -> Iterator[Correct]:
    """|x|, max(x, 0) and a hinge, arrays of entries at each distance from their own kinks, beside a smooth part."""
    for number, (form, scale, offset) in enumerate(itertools.product(("abs", "relu", "hinge"), SCALES, (0.0, 1.0))):
        yield _piecewise(form, scale, offset, size, np.random.default_rng([seed, number]))


def _piecewise(form: str, scale: float, offset: float, size: int, rng: np.random.Generator) -> Correct:
    distances = (*DISTANCES, 1e3)
    count = max(1, size // len(distances))
    near = {f"x{k}": d for k, d in enumerate(distances)}
    x = {name: rng.normal(size=count) for name in near}
    place = {name: x[name] - d * rng.choice([-1.0, 1.0], size=count) for name, d in near.items()}
    weight, bend = ({name: rng.normal(size=count) for name in near} for _ in range(2))
    below = {"abs": -1.0, "relu": 0.0, "hinge": -1.0}[form]
    above = {"abs": 1.0, "relu": 1.0, "hinge": 0.0}[form]

    def fun(v: Params) -> float:
        total = offset * size
        for n in near:
            t = v[n] - place[n]
            total += weight[n] @ (np.minimum(t, 0) * below + np.maximum(t, 0) * above) + bend[n] @ np.sin(v[n])
        return float(scale * total)

    def grad(v: Params) -> Params:
        found = {}
        for n in near:
            t = v[n] - place[n]
            slope = np.where(t > 0, above, np.where(t < 0, below, 0.0))  # 0 at the kink lies between
            found[n] = scale * (weight[n] * slope + bend[n] * np.cos(v[n]))
        return found

    return Correct(f"{form}, {size} entries, loss × {scale:g}, offset {offset:g}", fun, grad, x, near)
