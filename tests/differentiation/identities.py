"""Printed identities, each with its source, and the value of its left side by mpmath alone.

The Matrix Cookbook's numbers are of the version of November 15, 2012, from memory. What is in `values` is written by
hand with mpmath's own functions, so it shares no code with what is tested.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mpmath import cos, cosh, det, diag, exp, inverse, log, matrix, mp, sin, sinh, sqrt, tanh  # noqa: F401

Shapes = Mapping[str, tuple[int, ...]]


def tr(A: Any) -> Any:
    return sum(A[i, i] for i in range(A.rows))


def total(A: Any) -> Any:
    return sum(A[i, j] for i in range(A.rows) for j in range(A.cols))


def each(f: Callable[..., Any], *of: Any) -> Any:
    found = matrix(of[0].rows, of[0].cols)
    for i in range(found.rows):
        for j in range(found.cols):
            found[i, j] = f(*(A[i, j] for A in of))
    return found


def norm(A: Any) -> Any:
    return sqrt(total(each(lambda a: a * a, A)))


def sigmoid(z: Any) -> Any:
    return 1 / (1 + exp(-z))


IDENTITIES: dict[str, tuple[str, str, Callable[..., Any], str]] = {
    # by source: the expression, with respect to what, its value by mpmath, the printed gradient or differential
    "Cookbook 49": ("det(X)", "X", lambda X: det(X), "det(X) inv(X)ᵀ"),
    "Cookbook 61": ("a' X^-1 b", "X", lambda a, X, b: (a.T * inverse(X) * b)[0], "−inv(X)ᵀ a bᵀ inv(X)ᵀ"),
    "Cookbook 70": ("a' X b", "X", lambda a, X, b: (a.T * X * b)[0], "a bᵀ"),
    "Cookbook 77": ("b' X' X c", "X", lambda b, X, c: (b.T * X.T * X * c)[0], "X c bᵀ + X b cᵀ"),
    "Cookbook 82": ("b' X' D X c", "X", lambda b, X, D, c: (b.T * X.T * D * X * c)[0], "D X c bᵀ + Dᵀ X b cᵀ"),
    "Cookbook 107": ("tr(X^2 B)", "X", lambda X, B: tr(X * X * B), ""),
    "Cookbook 108": ("tr(X' B X)", "X", lambda X, B: tr(X.T * B * X), "B X + Bᵀ X"),
    "Cookbook 129": ("norm(x - a)", "x", lambda x, a: norm(x - a), "(x − a) / norm(x − a)"),
    "least squares": ("norm(A x - b)^2", "x", lambda A, x, b: norm(A * x - b) ** 2, "2 (Aᵀ (A x − b))"),
    "Rayleigh": ("x' A x / (x' x)", "A", lambda x, A: (x.T * A * x)[0] / (x.T * x)[0], "x xᵀ / (xᵀ x)"),
    "Rayleigh by x": ("x' A x / (x' x)", "x", lambda x, A: (x.T * A * x)[0] / (x.T * x)[0], ""),
    "logistic": ("sum(sigmoid(A X) .* B)", "X", lambda A, X, B: total(each(lambda p, q: sigmoid(p) * q, A * X, B)), ""),
    "log-sum-exp": ("log(sum(exp(A x)))", "x", lambda A, x: log(total(each(exp, A * x))), ""),
    "entries": (
        "sum(sin(X) .* cos(A) + tanh(X) ./ X - sqrt(X) + X.^3)",
        "X",
        lambda X, A: total(each(lambda x, a: sin(x) * cos(a) + tanh(x) / x - sqrt(x) + x**3, X, A)),
        "",
    ),
    "ridge by x": (
        "norm(A x - b)^2 + lambda (x' x)",
        "x",
        lambda A, x, b, L: norm(A * x - b) ** 2 + L * (x.T * x)[0],
        "",
    ),
    "ridge by λ": ("norm(A x - b)^2 + λ x' x", "λ", lambda A, x, b, L: norm(A * x - b) ** 2 + L * (x.T * x)[0], ""),
}
