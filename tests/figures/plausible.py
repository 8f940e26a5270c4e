"""Plausible slips that no published list names: wrong caches, parts of the gradient, other targets, two at once.

Each is made by hand in a backward pass of its own, which shares no code with the library. `SLIPS` says what a diagnosis
may call it: the seeded cause, or one that is the same computation on such a network.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from tests.figures.backprop import (
    ACTIVATIONS,
    LOSSES,
    Problem,
    activate,
    pack,
    penalty_factor,
    shaped_targets,
    slope,
    softmax,
    unpack,
)
from tests.figures.cases import CONVENTIONS
from tests.figures.dialects import Arrays
from tests.figures.problems import make_problem

KINDS = ("plain", "two-class", "one-hidden")


@dataclass(frozen=True)
class Plausible:
    """One slip: its family, its name, what a diagnosis may call it, and where it can be made."""

    family: str
    slip: str
    names: frozenset[str]
    square: bool = False
    losses: tuple[str, ...] = LOSSES
    first: int = 1
    hidden: bool = False

    def possible(self, problem: Problem) -> list[int]:
        """The layers in which it can be made."""
        return list(range(self.first, problem.layers + (not self.hidden)))


def _slips() -> tuple[Plausible, ...]:
    def one(family: str, slip: str, *names: str, **where: object) -> Plausible:
        return Plausible(family, slip, frozenset(names), **where)  # type: ignore[arg-type]

    softmaxes, hinges = ("cross_entropy",), ("multiclass_hinge",)
    orders = ("data-rolled", "data-reversed", "class-off-by-one", "classes-reversed")
    early = ("delta-before-derivative", "missing-activation-derivative")
    found = [
        one("Cache", "weight-from-z", "preactivation-for-input", first=2),
        one("Cache", "weight-from-twice", "activated-twice", first=2),
        one("Cache", "weight-from-other-input", "cache-for-input", square=True, first=2),
        one("Cache", "weight-before-slope", *early, hidden=True),
        one("Cache", "bias-before-slope", *early, hidden=True),
        one("Cache", "slope-of-other-layer", "derivative-of-another-layer", square=True, hidden=True),
        one("Cache", "other-weight-back", "weight-of-another-layer", "weight-not-transposed", square=True, first=2),
        one("Targets", "smoothed", "labels-smoothed", losses=softmaxes),
        one("Targets", "temperature", "temperature", losses=softmaxes),
        one("Targets", "temperature-divided", "temperature", losses=softmaxes),
        one("Targets", "hinge", "hinge-for-cross-entropy", losses=softmaxes),
        # of few labels, a permutation may be any of these
        one("Targets", "permuted", "labels-permuted", *orders, losses=softmaxes),
        one("Targets", "two-wrong-labels", "wrong-labels", "labels-permuted", losses=softmaxes),
        one("Targets", "margin-forgotten", "margin-forgotten", losses=hinges),
        one("Targets", "margins", "margins-for-indicators", losses=hinges),
        one("Finished", "sign-of-all", "sign-of-gradient"),
        one("Finished", "sign-of-one", "sign-of-gradient"),
        one("Finished", "absolute-of-all", "absolute-gradient"),
        one("Finished", "absolute-of-one", "absolute-gradient"),
        one("Finished", "square-of-all", "squared-gradient"),
        one("Finished", "square-of-one", "squared-gradient"),
        one("Finished", "parameter-for-one", "parameter-for-gradient"),
        one("Finished", "parameter-for-all", "parameters-for-gradient"),
    ]
    # the last example dropped is a loop's usual end; the first unit of all is the layer
    same = {
        "row": ("line-scaled", "lines-scaled", "unit-scaled", "entries-wrong", "entries-zero"),
        "column": ("line-scaled", "lines-scaled", "unit-scaled", "entries-wrong", "entries-zero"),
        "unit": ("unit-scaled", "line-scaled"),
        "unit-back": ("unit-scaled", "line-scaled"),
        "example": ("example-scaled", "examples-dropped", "example-dropped", "example-weights"),
        "example-in-layer": ("example-scaled", "examples-dropped", "example-dropped"),
    }
    for part, how in itertools.product(same, ("zero", "doubled", "negated")):
        found.append(one("Parts", f"{part}-{how}", *same[part]))
    return tuple(found)


_FACTORS = {"zero": 0.0, "doubled": 2.0, "negated": -1.0}
SLIPS = _slips()

PAIRS: tuple[tuple[str, str, frozenset[str], frozenset[str]], ...] = tuple(
    (a, b, frozenset(x), frozenset(y))
    for a, b, x, y in (
        ("twice-W1", "bias-averaged-last", {"factor-2"}, {"bias-averaged"}),
        ("mean-missing", "slope-missing", {"missing-1/N"}, {"missing-activation-derivative"}),
        ("sign", "slope-missing", {"sign"}, {"missing-activation-derivative"}),
        ("mean-missing", "softmax-diagonal", {"missing-1/N"}, {"softmax-diagonal"}),
        ("sign", "class-off-by-one", {"sign"}, {"class-off-by-one"}),
        ("zero-W1", "twice-last", {"zero"}, {"factor-2"}),
        ("row-doubled-W1", "bias-averaged-last", {"line-scaled", "entries-wrong"}, {"bias-averaged"}),
        ("negated-W1", "bias-of-one-last", {"sign"}, {"bias-of-one-example"}),
        ("odd-scale", "slope-missing", {"constant-ratio"}, {"missing-activation-derivative"}),
        ("odd-scale", "softmax-diagonal", {"constant-ratio"}, {"softmax-diagonal"}),
    )
)


def problem_of(kind: str, convention: str, layers: int, activation: str, loss: str, seed: int) -> Problem:
    """A problem of this kind, two classes or one hidden unit among them; without a regulariser half of the time."""
    l2 = 0.1 * (seed % 2)
    if loss == "multiclass_hinge":
        made = make_problem(convention, layers, activation, "cross_entropy", kind=kind, l2=l2, seed=seed)
        return replace(made, loss=loss)
    return make_problem(convention, layers, activation, loss, kind=kind, l2=l2, seed=seed)


# --- the backward pass by hand -------------------------------------------------------------------


def gradients(problem: Problem, slips: tuple[str, ...] = (), layer: int = 0) -> Arrays:
    """The gradients by name, with these slips in this layer."""
    d, p, s = problem.dialect, unpack(problem, problem.theta), set(slips)
    rng = np.random.default_rng(len(problem.theta) + 31 * layer)
    inputs, Zs = [np.array(problem.X, dtype=float)], []
    for k in range(1, problem.layers + 1):
        Zs.append(d.forward(inputs[-1], p, k, ""))
        inputs.append(activate(problem.activation, Zs[-1]))
    D = _delta(problem, Zs[-1], s, rng)
    part, factor = _part(s)
    unit, example = int(rng.integers(problem.sizes[layer])), int(rng.integers(problem.count))
    if part == "example":
        D = _times(D, example, 0 if d.rows else 1, factor)
    grads: Arrays = {}
    early = None
    for k in range(problem.layers, 0, -1):
        A, name, here = inputs[k - 1], f"{d.weight}{k}", k == layer
        if here and part in ("unit", "unit-back"):
            D, whole = _times(D, unit, 1 if d.rows else 0, factor), D
        if here and "weight-from-z" in s:
            A = Zs[k - 2]
        if here and "weight-from-twice" in s:
            A = activate(problem.activation, A)
        if here and "weight-from-other-input" in s:
            A = inputs[k - 2]
        used = _times(D, example, 0 if d.rows else 1, factor) if here and part == "example-in-layer" else D
        found, _ = d.backward(used, A, p, k, "")
        if here and early is not None and s & {"weight-before-slope", "bias-before-slope"}:
            own = name if "weight-before-slope" in s else f"b{k}"
            found[own] = d.backward(early, A, p, k, "")[0][own]
        grads |= found
        if here and part == "unit":
            D = whole
        back = dict(p)
        if here and "other-weight-back" in s:
            back[name] = p[f"{d.weight}{k - 1}"]
        dA = d.backward(D, inputs[k - 1], back, k, "")[1]
        if k > 1:
            early, at = dA, k - 2
            if "slope-of-other-layer" in s and k - 1 == layer:
                at = layer % (problem.layers - 1)
            S = slope(problem.activation, Zs[at], inputs[at + 1], "")
            if "slope-missing" in s and k - 1 == max(1, min(layer, problem.layers - 1)):
                S = np.ones_like(S)
            D = dA * S
    grads = {n: np.array(grads[n], dtype=float) for n in p}
    return _finished(problem, p, grads, s, layer, rng)


def _part(slips: set[str]) -> tuple[str, float]:
    for slip in slips:
        part, _, how = slip.rpartition("-")
        if how in _FACTORS and part in ("row", "column", "unit", "unit-back", "example", "example-in-layer"):
            return part, _FACTORS[how]
    return "", 1.0


def _times(array: np.ndarray, place: int, axis: int, factor: float) -> np.ndarray:
    out = array.copy()
    np.moveaxis(out, axis, 0)[place] *= factor
    return out


def _delta(problem: Problem, Z: np.ndarray, s: set[str], rng: np.random.Generator) -> np.ndarray:
    d, N, K = problem.dialect, problem.count, problem.sizes[-1]
    axis = 1 if d.rows else 0
    T = (
        shaped_targets(problem)
        if problem.loss != "multiclass_hinge"
        else shaped_targets(replace(problem, loss="cross_entropy"))
    )
    if s & {"permuted", "two-wrong-labels", "class-off-by-one", "smoothed"}:
        rows = T if d.rows else T.T
        rows = _other_targets(rows, s, rng)
        T = rows if d.rows else rows.T
    own = (Z * T).sum(axis=axis, keepdims=True)
    if problem.loss == "multiclass_hinge" or "hinge" in s:
        margins = np.maximum(Z - own + (0.0 if "margin-forgotten" in s else 1.0), 0) * (1 - T)
        over = margins if "margins" in s else (margins > 0) * 1.0
        D = over - T * over.sum(axis=axis, keepdims=True)
    elif problem.loss == "squared_error":
        D = 2 * (Z - T)
    elif problem.loss == "binary_cross_entropy":
        D = 1 / (1 + np.exp(-Z)) - T
    else:
        heat = 1.7 if s & {"temperature", "temperature-divided"} else 1.0
        P = softmax(Z / heat, axis)
        D = -T * (1 - P) if "softmax-diagonal" in s else (P - T) / (heat if "temperature-divided" in s else 1.0)
    if "sign" in s:
        D = -D
    if "odd-scale" in s:
        D = 1.37 * D
    assert K
    return D if "mean-missing" in s else D / N


def _other_targets(rows: np.ndarray, s: set[str], rng: np.random.Generator) -> np.ndarray:
    N, K = rows.shape
    if "smoothed" in s:
        return 0.9 * rows + 0.1 / K
    if "class-off-by-one" in s:
        return np.roll(rows, 1, axis=1)
    if "permuted" in s:
        while True:
            order = rng.permutation(N)
            if (rows[order] != rows).any(axis=1).sum() >= 3:
                return rows[order]
    out = rows.copy()
    for n in rng.choice(N, 2, replace=False):
        out[n] = np.roll(out[n], 1)
    return out


_OF_ENTRIES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "sign": np.sign,
    "absolute": np.abs,
    "square": np.square,
}


def _finished(problem: Problem, p: Arrays, grads: Arrays, s: set[str], layer: int, rng: np.random.Generator) -> Arrays:
    d, part = problem.dialect, _part(s)
    name, last = f"{d.weight}{layer or 1}", next(reversed(grads))
    first = next(iter(grads))
    for n, W in p.items():
        if n[0] != "b":
            term = penalty_factor(problem) * W
            if d.bias_in_weight:
                term[:, 0] = 0
            grads[n] = grads[n] + term
    if part[0] in ("row", "column"):
        axis = int(part[0] == "column")
        grads[name] = _times(grads[name], int(rng.integers(grads[name].shape[axis])), axis, part[1])
    for how, change in _OF_ENTRIES.items():
        if f"{how}-of-all" in s:
            grads = {n: change(g) for n, g in grads.items()}
        if f"{how}-of-one" in s:
            grads[name] = change(grads[name])
    if "parameter-for-one" in s:
        grads[name] = p[name].copy()
    if "parameter-for-all" in s:
        grads = {n: a.copy() for n, a in p.items()}
    grads[first] = grads[first] * {"twice-W1": 2, "zero-W1": 0, "negated-W1": -1}.get(next(iter(s & _FIRST), ""), 1)
    if "row-doubled-W1" in s:
        grads[first] = _times(grads[first], 0, 0, 2.0)
    if "twice-last" in s:
        grads[last] = 2 * grads[last]
    if s & {"bias-averaged-last", "bias-of-one-last"} and last[0] == "b":
        right = unpack(problem, problem.theta)
        assert right.keys() == grads.keys()
        grads[last] = grads[last] / problem.count if "bias-averaged-last" in s else _bias_of_one(problem, grads[last])
    return grads


_FIRST = {"twice-W1", "zero-W1", "negated-W1"}


def _bias_of_one(problem: Problem, like: np.ndarray) -> np.ndarray:
    """δ of the last example, in the last bias's shape."""
    d, p, A = problem.dialect, unpack(problem, problem.theta), np.array(problem.X, dtype=float)
    for k in range(1, problem.layers + 1):
        Z = d.forward(A, p, k, "")
        A = activate(problem.activation, Z)
    D = _delta(problem, Z, set(), np.random.default_rng(0))
    return (D[-1] if d.rows else D[:, -1]).reshape(like.shape)


# --- cases ---------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class PlausibleCase:
    """A problem, the slips in it, and what a diagnosis may call each of them."""

    family: str
    problem: Problem
    slips: tuple[str, ...]
    layer: int
    names: tuple[frozenset[str], ...]
    seed: int

    def __str__(self) -> str:
        p = self.problem
        return (
            f"{' + '.join(self.slips)} in layer {self.layer}: {p.kind}, {p.convention}, sizes {p.sizes}, "
            f"{p.activation}, {p.loss}, λ = {p.l2:g}, seed {self.seed}"
        )

    def wrong(self) -> Arrays:
        return gradients(self.problem, self.slips, self.layer)

    def changes_nothing(self) -> bool:
        """Whether the slip, or one of the two, leaves the gradient as it is."""
        right = pack(self.problem, gradients(self.problem))
        alone = [pack(self.problem, gradients(self.problem, (slip,), self.layer)) for slip in self.slips]
        return any(bool(np.abs(right - wrong).max() <= 1e-13 * np.abs(right).max()) for wrong in alone)

    def accepts(self, place: int) -> frozenset[str]:
        """What the slip at a place may be called: where one line is all, a factor of all is the same computation."""
        part = self.slips[place].partition("-")[0]
        if part in ("row", "column", "unit") and 1 in self.problem.sizes[:-1]:
            return self.names[place] | {"factor-2", "sign", "zero", "derivative-sign", "bias-zero"}
        # where the bias is a column
        return self.names[place] | ({"bias-zero"} if part == "column" else set())


def plausible(repeats: int, seed: int, kinds: tuple[str, ...] = KINDS) -> Iterator[PlausibleCase]:
    """Each slip and each pair in networks drawn at random, `repeats` of each kind."""
    rng = np.random.default_rng(seed)
    for kind, _ in itertools.product(kinds, range(repeats)):
        for slip in SLIPS:
            if slip.square and kind != "plain":
                continue
            loss = str(rng.choice(slip.losses))
            if kind == "two-class" and "cross_entropy" in slip.losses:
                loss = "cross_entropy"
            made = _drawn(rng, "square" if slip.square else kind, loss, 3 if slip.square else 0)
            absorbed = bool(made[0].dialect.bias_in_weight)
            layers = slip.possible(made[0])
            if slip.slip == "bias-before-slope" and absorbed:
                continue
            yield PlausibleCase(slip.family, made[0], (slip.slip,), int(rng.choice(layers)), (slip.names,), made[1])
        for a, b, first, second in PAIRS:
            softmaxes = b in ("softmax-diagonal", "class-off-by-one")
            loss = "cross_entropy" if softmaxes or kind == "two-class" else str(rng.choice(LOSSES))
            made = _drawn(rng, kind, loss, 0)
            if b.startswith("bias-") and made[0].dialect.bias_in_weight:
                continue
            yield PlausibleCase("Two at once", made[0], (a, b), 1, (first, second), made[1])


def _drawn(rng: np.random.Generator, kind: str, loss: str, layers: int) -> tuple[Problem, int]:
    own, activation, convention = int(rng.integers(1 << 30)), str(rng.choice(ACTIVATIONS)), str(rng.choice(CONVENTIONS))
    return problem_of(kind, convention, layers or int(rng.integers(2, 4)), activation, loss, own), own
