"""Divided differences of a function of numbers, which are accurate where the numbers are near or equal too."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from jacobians.arrays import Array, as_array

__all__ = ["Divided", "Entrywise", "divided_differences", "second_divided_differences"]

Entrywise = Callable[[Array], Array]
Divided = Callable[[Array, Array], Array]
"""From a and b the divided difference (f(a) − f(b))/(a − b), and f′(a) where they are equal."""


def divided_differences(f: Entrywise, prime: Entrywise, a: Array, b: Array) -> Array:
    """Return (f(a) − f(b))/(a − b) entry by entry; where a and b are near or equal, f′ at their middle.

    The quotient loses ε/gap of its digits, the middle a part gap²/24 of f‴; where the gap is ∛ε both are equally small.
    """
    a, b = np.broadcast_arrays(a, b)
    gap = as_array(a - b)
    near = np.abs(gap) <= np.cbrt(np.finfo(a.dtype).eps) * np.maximum(np.abs(a), np.abs(b))
    slope = np.asarray(prime(as_array((a + b) / 2)))
    return np.where(near, slope, (np.asarray(f(a)) - np.asarray(f(b))) / np.where(near, 1, gap))


_CLOSE = 0.05
"""Gap, relative to the eigenvalues, up to which a second divided difference is an integral, and beyond a quotient."""

_NODES, _WEIGHTS = (part / 2 for part in np.polynomial.legendre.leggauss(10))


def second_divided_differences(f: Entrywise, prime: Entrywise, second: Entrywise, w: Array) -> Array:
    r"""Return f[wᵢ, wⱼ, wₖ], an array of shape (n, n, n): (f[b, c] − f[a, b])/(c − a) for a ≤ b ≤ c.

    Of near ones it is :math:`\int_0^1\int_0^1 u\, f''(a + u(b - a) + uv(c - b))\,dv\,du` by Gauss's rule, and f[a, b]
    the integral of f′ (Hermite and Genocchi; Higham 2008, *Functions of Matrices*, appendix B.16).
    """
    n = len(w)
    triples = np.broadcast_arrays(w[:, None, None], w[None, :, None], w[None, None, :])
    a, b, c = np.sort(np.stack(triples).reshape(3, n**3), axis=0)
    places = [(node + 0.5, weight) for node, weight in zip(_NODES, _WEIGHTS, strict=True)]

    def close(x: Array, y: Array) -> Array:
        return np.asarray(y - x <= _CLOSE * np.maximum(np.abs(x), np.abs(y)))

    def first(x: Array, y: Array) -> Array:
        near = close(x, y)
        found = (np.asarray(f(y)) - np.asarray(f(x))) / np.where(near, 1, y - x)
        x, y = x[near], y[near]
        found[near] = sum(weight * np.asarray(prime(x + u * (y - x))) for u, weight in places)
        return as_array(found)

    near = close(a, c)
    found = (first(b, c) - first(a, b)) / np.where(near, 1, c - a)
    a, b, c = a[near], b[near], c[near]
    found[near] = sum(
        one * other * u * np.asarray(second(a + u * (b - a) + u * v * (c - b)))
        for u, one in places
        for v, other in places
    )
    return found.reshape(n, n, n).astype(w.dtype, copy=False)
