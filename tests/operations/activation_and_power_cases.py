"""Every elementwise operation against mpmath: value and derivative as one would define them, and the error allowed."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import mpmath as mp
import numpy as np

from jacobians.operations import (
    GELU,
    Elementwise,
    Exp,
    LeakyReLU,
    Log,
    Power,
    ReLU,
    Sigmoid,
    SiLU,
    Softplus,
    Square,
    Tanh,
)

Real = Callable[[mp.mpf], mp.mpf]

CONTEXT = mp.mp.clone()
CONTEXT.prec = 160  # with 1 + exp(-|z|) in it: exact enough wherever float64 can tell


def everywhere(z: np.ndarray) -> np.ndarray:
    return z


class Case(NamedTuple):
    """An operation, its two references, and the errors allowed in units in the last place.

    `single` and `double` are for value and derivative. Where `terms` is given, the derivative is a sum of two terms
    that cancel near a root, and the unit is that of the larger term.
    """

    operation: Elementwise
    value: Real
    derivative: Real
    single: tuple[int, int]
    double: tuple[int, int]
    terms: tuple[Real, Real] | None = None
    domain: Callable[[np.ndarray], np.ndarray] = everywhere


def decay(x: mp.mpf) -> mp.mpf:
    return CONTEXT.exp(-abs(x))


def logistic(x: mp.mpf) -> mp.mpf:
    return (1 if x >= 0 else decay(x)) / (1 + decay(x))


def logistic_slope(x: mp.mpf) -> mp.mpf:
    return decay(x) / (1 + decay(x)) ** 2


def normal(x: mp.mpf) -> mp.mpf:
    """Φ(x), 0 or 1 where float64 knows nothing else."""
    return CONTEXT.ncdf(x) if abs(x) < 60 else CONTEXT.mpf(x > 0)


def density(x: mp.mpf) -> mp.mpf:
    return CONTEXT.npdf(x) if abs(x) < 60 else CONTEXT.mpf(0)


def positive(z: np.ndarray) -> np.ndarray:
    return np.abs(z[z != 0])


def nonzero(z: np.ndarray) -> np.ndarray:
    return z[z != 0]


def power(p: float, single: tuple[int, int], double: tuple[int, int], domain: Callable = positive) -> Case:
    exact = CONTEXT.mpf(p)
    return Case(
        Power(p),
        lambda x: x**exact,
        lambda x: exact * x ** (exact - 1) if p else CONTEXT.mpf(0),
        single,
        double,
        domain=domain,
    )


CASES = {
    "sigmoid": Case(Sigmoid(), logistic, logistic_slope, (4, 5), (3, 4)),
    "tanh": Case(Tanh(), CONTEXT.tanh, lambda x: 4 * logistic_slope(2 * x), (2, 5), (2, 4)),
    "relu": Case(ReLU(), lambda x: max(x, 0), lambda x: CONTEXT.mpf(x > 0), (0, 0), (0, 0)),
    "leaky_relu": Case(
        LeakyReLU(0.125),  # a power of two: the reference sees the slope that float32 sees
        lambda x: x if x > 0 else x / 8,
        lambda x: CONTEXT.mpf(1 if x > 0 else 0.125),
        (1, 0),
        (1, 0),
    ),
    "softplus": Case(Softplus(), lambda x: max(x, 0) + CONTEXT.log1p(decay(x)), logistic, (4, 4), (2, 3)),
    "silu": Case(
        SiLU(),
        lambda x: x * logistic(x),
        lambda x: logistic(x) + x * logistic_slope(x),
        (8, 8),
        (5, 6),
        terms=(logistic, lambda x: x * logistic_slope(x)),
    ),
    "gelu": Case(
        GELU(),
        lambda x: x * normal(x),
        lambda x: normal(x) + x * density(x),
        (8, 8),
        (7, 7),
        terms=(normal, lambda x: x * density(x)),
    ),
    "exp": Case(Exp(), CONTEXT.exp, CONTEXT.exp, (3, 3), (1, 1)),
    "log": Case(Log(), CONTEXT.log, lambda x: 1 / x, (4, 1), (1, 1), domain=positive),
    "square": Case(Square(), lambda x: x * x, lambda x: 2 * x, (1, 0), (1, 0)),
    "power 0": power(0, (0, 0), (0, 0), domain=nonzero),
    "power 1": power(1, (0, 0), (0, 0), domain=nonzero),
    "power 2": power(2, (1, 0), (1, 0), domain=nonzero),
    "power 3": power(3, (1, 3), (1, 3), domain=nonzero),
    "power -1": power(-1, (1, 2), (1, 2), domain=nonzero),
    "power -2": power(-2, (2, 3), (2, 3), domain=nonzero),
    "power 0.5": power(0.5, (1, 2), (1, 2)),
    "power 1.5": power(1.5, (2, 3), (2, 3)),
    "power 2.7": power(2.7, (1, 3), (1, 3)),
    "power 0.1": power(0.1, (1, 3), (1, 3)),
    "power -0.3": power(-0.3, (1, 3), (1, 3)),
}


def grid(dtype: type) -> np.ndarray:
    """Entries where something happens: saturation, underflow, roots, and every magnitude there is."""
    info = np.finfo(dtype)
    rng = np.random.default_rng(0)
    lowest = float(-np.log(info.smallest_subnormal))
    edges = np.array([0, 1, 37, 88, 103, 709, 745, 1e4, 1e30, 1e-30, float(info.max), float(info.tiny)])
    small = float(info.smallest_subnormal) * np.array([1, 3, 1000])
    spans = [(-3, 3), (-20, 20), (-39, 39), (-lowest, lowest), (-lowest, -0.8 * lowest), (-1.3, -1.26), (-0.77, -0.73)]
    magnitudes = 10 ** rng.uniform(np.log10(float(info.tiny)), np.log10(float(info.max)), 60)
    parts = [edges, -edges, small, -small, magnitudes, -magnitudes, *(rng.uniform(*span, 70) for span in spans)]
    return np.concatenate(parts).astype(dtype)


def units(got: np.ndarray, exact: list[mp.mpf], scale: list[mp.mpf] | None = None) -> np.ndarray:
    """|got - exact| in units in the last place of `scale`, the exact results themselves unless given."""
    info = np.finfo(got.dtype)
    errors = []
    for entry, truth, size in zip(got.tolist(), exact, scale or exact, strict=True):
        exponent = max(CONTEXT.frexp(abs(size))[1] - 1, int(info.minexp)) if size else int(info.minexp)
        errors.append(float(abs(CONTEXT.mpf(entry) - truth) / CONTEXT.ldexp(1, exponent - int(info.nmant))))
    return np.array(errors)


def check_accuracy(case: Case, dtype: type, flags: str = "raise") -> None:
    """Hold value and derivative to the case's bounds, on the part of the grid where both are finite.

    `flags` says what a floating-point flag does there: results are right, so none may leak.
    """
    z = case.domain(grid(dtype))
    points = [CONTEXT.mpf(entry) for entry in z.tolist()]
    values = [CONTEXT.mpf(case.value(x)) for x in points]
    derivatives = [CONTEXT.mpf(case.derivative(x)) for x in points]
    largest = float(np.finfo(dtype).max)
    inside = [max(abs(v), abs(d)) <= largest for v, d in zip(values, derivatives, strict=True)]
    z, points, values, derivatives = (
        [item for item, keep in zip(items, inside, strict=True) if keep] for items in (z, points, values, derivatives)
    )
    assert len(z) > 100
    with np.errstate(all=flags):
        value, derive = case.operation._rule(np.array(z))
        derivative = derive()
    scale = case.terms and [max(abs(term(x)) for term in case.terms) for x in points]
    bounds = case.single if dtype is np.float32 else case.double
    found = units(value, values), units(derivative, derivatives, scale)
    for what, errors, bound in zip(("value", "derivative"), found, bounds, strict=True):
        worst = int(errors.argmax())
        assert errors[worst] <= bound, f"{what} at {z[worst]!r}: {errors[worst]:.3g} ulp > {bound}"
