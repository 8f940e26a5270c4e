"""Whether a gradient passes that could not be seen, or fails though it is right: constants, scales, waves, treads.

Each function's gradient is checked times 0, 1, 2 and −1. False is a wrong one that passes, a right one that fails, and
a right one that passes where a wrong one passes too. A true zero that does not pass is false as well. Goal: none.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.figures.tables import table

FACTORS = (0, 1, 2, -1)
SHAPES: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "Σ x²": (lambda x: (x**2).sum(), lambda x: 2 * x),
    "Σ x sin x": (lambda x: (x * np.sin(x)).sum(), lambda x: np.sin(x) + x * np.cos(x)),
    "log Σ eˣ": (lambda x: np.log(np.exp(x).sum()), lambda x: np.exp(x) / np.exp(x).sum()),
}
CONSTANTS = {"float64": (0.0, 1.0, 1e4, 1e8, 1e12, 1e14, 1e16, 1e18), "float32": (0.0, 1.0, 1e3, 1e5, 1e7, 1e9)}


@dataclass(frozen=True, eq=False)
class Case:
    """A function, its gradient and a point; `zero`: the gradient is 0, and nothing else may be said of it."""

    group: str
    name: str
    fun: Callable[..., Any]
    grad: Callable[..., Any]
    x: np.ndarray
    zero: bool = False


def constants() -> Iterator[Case]:
    """Functions beside constants, in which a gradient may drown."""
    for dtype, offsets in CONSTANTS.items():
        kind = np.dtype(dtype).type
        for name, (fun, grad) in SHAPES.items():
            for size in (4, 120):
                x = np.linspace(0.4, 1.6, size).astype(dtype)
                for offset in offsets:
                    added = kind(offset)
                    yield Case(
                        f"beside constants, {dtype}",
                        f"{name} + {offset:g}, {size} entries",
                        lambda v, f=fun, c=added: f(v) + c,
                        grad,
                        x,
                    )


def scales() -> Iterator[Case]:
    """Entries of unlike scale in one array."""
    for spread in (2, 4, 8, 12):
        for size in (2, 20, 120):
            s = 10.0 ** np.random.default_rng([spread, size]).uniform(-spread, spread, size)
            yield Case(
                "entries of unlike scale",
                f"Σ sin(p/s), {size} entries over 1e±{spread}",
                lambda p, s=s: float(np.sin(p / s).sum()),
                lambda p, s=s: np.cos(p / s) / s,
                s.copy(),
            )


def waves() -> Iterator[Case]:
    """Waves shorter than the usual steps."""
    x = np.linspace(0.3, 2.0, 6)
    for frequency in (1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13):
        for share in (1.0, 1e-3, 1e-6):
            yield Case(
                "waves",
                f"Σ x + {share:g} sin({frequency:g} x)",
                lambda v, w=frequency, a=share: float((v + a * np.sin(w * v)).sum()),
                lambda v, w=frequency, a=share: 1 + a * w * np.cos(w * v),
                x,
            )


ROUNDED: dict[str, Callable[[Callable[..., Any], np.ndarray, float], float]] = {
    "float32": lambda f, v, c: float(f(v.astype(np.float32)) + np.float32(c)),
    "8 decimals": lambda f, v, c: round(float(f(v)) + c, 8),
    "4 decimals": lambda f, v, c: round(float(f(v)) + c, 4),
}


def treads() -> Iterator[Case]:
    """Functions that round their values by themselves."""
    for inside, rounded in ROUNDED.items():
        for (name, (fun, grad)), size, offset in itertools.product(SHAPES.items(), (4, 120), (0.0, 10.0, 1e3, 1e5)):
            x = np.random.default_rng([size, int(offset)]).uniform(0.4, 1.6, size)
            yield Case(
                "rounded inside",
                f"{name} + {offset:g} in {inside}, {size} entries",
                lambda v, f=fun, r=rounded, c=offset: r(f, v, c),
                grad,
                x,
            )


def one_wave() -> Iterator[Case]:
    """One entry whose wave is far shorter than the others'."""
    for power, size, seed in itertools.product(range(1, 13), (2, 120), range(3)):
        rng = np.random.default_rng([power, size, seed])
        w = np.where(np.arange(size) == rng.integers(size), 10.0**power, 1.0)
        yield Case(
            "one entry with a fast wave",
            f"Σ sin(w x), one w = 1e{power}, {size} entries",
            lambda v, w=w: float(np.sin(w * v).sum()),
            lambda v, w=w: w * np.cos(w * v),
            rng.uniform(0.3, 2.0, size),
        )


def zeros() -> Iterator[Case]:
    """Gradients that are 0."""
    for dtype in CONSTANTS:
        for size in (4, 120):
            x = np.linspace(0.4, 1.6, size).astype(dtype)
            kind = x.dtype.type
            slopes = lambda v, x=x: 2 * (v - x)  # noqa: E731
            for name, fun, grad in (
                ("a constant", lambda v, k=kind: k(3), np.zeros_like),
                ("a large constant", lambda v, k=kind: k(1e16), np.zeros_like),
                ("a minimum", lambda v, x=x: ((v - x) ** 2).sum(), slopes),
                ("a minimum beside 1", lambda v, x=x, k=kind: ((v - x) ** 2).sum() + k(1), slopes),
                ("dead units", lambda v: np.maximum(-v, 0).sum(), np.zeros_like),
                ("dead units beside 1", lambda v, k=kind: np.maximum(-v, 0).sum() + k(1), np.zeros_like),
            ):
                yield Case("true zeros", f"{name}, {size} entries, {dtype}", fun, grad, x, zero=True)


def false_verdicts(case: Case) -> tuple[list[str], int]:
    """The verdict on each multiple of the gradient, and how many of them are false."""
    from jacobians.checking import check_gradient

    kind = case.x.dtype.type
    factors = (1,) if case.zero else FACTORS
    with np.errstate(all="ignore"):
        found = [check_gradient(case.fun, lambda v, k=k: kind(k) * case.grad(v), case.x).verdict for k in factors]
    if case.zero:
        return list(found), found.count("fail") + found.count("inconclusive")
    right, wrong = found[1], [found[0], *found[2:]]
    false = wrong.count("pass") + (right == "fail") + (right == "pass" and "pass" in wrong)
    return list(found), false


def measure(quick: bool = False) -> dict[str, Any]:
    """Verdicts on right and on wrong gradients, by kind of function."""
    counts: dict[str, Counter[str]] = {}
    notable: list[str] = []
    cases = [*constants(), *scales(), *waves(), *one_wave(), *treads(), *zeros()]
    for case in cases[:: 15 if quick else 1]:
        found, false = false_verdicts(case)
        count = counts.setdefault(case.group, Counter())
        right = found[0] if case.zero else found[1]
        count["functions"] += 1
        count["verdicts"] += len(found)
        count[f"right: {right}"] += 1
        for verdict in [] if case.zero else [found[0], *found[2:]]:
            count[f"wrong: {verdict}"] += 1
        count["false"] += false
        if false:
            notable.append(f"{case.group}: {case.name}: {', '.join(found)}")
    return {"counts": counts, "false": sum(c["false"] for c in counts.values()), "notable": notable}


_COLUMNS = (
    "functions",
    "right: pass",
    "right: inconclusive",
    "right: fail",
    "wrong: fail",
    "wrong: inconclusive",
    "wrong: pass",
    "false",
)


def report(result: dict[str, Any]) -> str:
    """The table."""
    rows = [[group, *(count[column] for column in _COLUMNS)] for group, count in result["counts"].items()]
    verdicts = sum(count["verdicts"] for count in result["counts"].values())
    total = f"{verdicts} verdicts, {result['false']} of them false"
    return "\n\n".join([table(("kind", *_COLUMNS), rows), total, *result["notable"]])
