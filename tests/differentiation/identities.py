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
    "Cookbook 51": ("det(A X B)", "X", lambda A, X, B: det(A * X * B), ""),
    "Cookbook 53": ("det(X' A X)", "X", lambda X, A: det(X.T * A * X), ""),
    "Cookbook 55": ("log det(X' X)", "X", lambda X: log(det(X.T * X)), ""),
    "Cookbook 57": ("log det X", "X", lambda X: log(det(X)), "inv(X)ᵀ"),
    "Cookbook 58": ("det(X^3)", "X", lambda X: det(X * X * X), ""),
    "Cookbook 61": ("a' X^-1 b", "X", lambda a, X, b: (a.T * inverse(X) * b)[0], "−inv(X)ᵀ a bᵀ inv(X)ᵀ"),
    "Cookbook 63": ("tr(A X^-1 B)", "X", lambda A, X, B: tr(A * inverse(X) * B), "−inv(X)ᵀ Aᵀ Bᵀ inv(X)ᵀ"),
    "Cookbook 64": ("tr(inv(X + A))", "X", lambda X, A: tr(inverse(X + A)), "−inv(X + A)ᵀ inv(X + A)ᵀ"),
    "Cookbook 69": ("x' a", "x", lambda x, a: (x.T * a)[0], "a"),
    "Cookbook 70": ("a' X b", "X", lambda a, X, b: (a.T * X * b)[0], "a bᵀ"),
    "Cookbook 71": ("a' X' b", "X", lambda a, X, b: (a.T * X.T * b)[0], "b aᵀ"),
    "Cookbook 77": ("b' X' X c", "X", lambda b, X, c: (b.T * X.T * X * c)[0], "X c bᵀ + X b cᵀ"),
    "Cookbook 78": (
        "(B x + b)' C (D x + d)",
        "x",
        lambda B, x, b, C, D, d: ((B * x + b).T * C * (D * x + d))[0],
        "Bᵀ C (D x + d) + Dᵀ Cᵀ (B x + b)",
    ),
    "Cookbook 81": ("x' B x", "x", lambda x, B: (x.T * B * x)[0], "B x + Bᵀ x"),
    "Cookbook 82": ("b' X' D X c", "X", lambda b, X, D, c: (b.T * X.T * D * X * c)[0], "D X c bᵀ + Dᵀ X b cᵀ"),
    "Cookbook 84": ("(x - s)' W (x - s)", "x", lambda x, s, W: ((x - s).T * W * (x - s))[0], ""),
    "Cookbook 99": ("tr(X)", "X", lambda X: tr(X), "I₃"),
    "Cookbook 100": ("tr(X A)", "X", lambda X, A: tr(X * A), "Aᵀ"),
    "Cookbook 101": ("tr(A X B)", "X", lambda A, X, B: tr(A * X * B), "Aᵀ Bᵀ"),
    "Cookbook 102": ("tr(A X' B)", "X", lambda A, X, B: tr(A * X.T * B), "B A"),
    "Cookbook 106": ("tr(X^2)", "X", lambda X: tr(X * X), "2 Xᵀ"),
    "Cookbook 107": ("tr(X^2 B)", "X", lambda X, B: tr(X * X * B), ""),
    "Cookbook 108": ("tr(X' B X)", "X", lambda X, B: tr(X.T * B * X), "B X + Bᵀ X"),
    "Cookbook 111": ("tr(X B X')", "X", lambda X, B: tr(X * B * X.T), "X Bᵀ + X B"),
    "Cookbook 116": ("tr(B' X' C X B)", "X", lambda B, X, C: tr(B.T * X.T * C * X * B), ""),
    "Cookbook 118": ("tr(A X B X' C)", "X", lambda A, X, B, C: tr(A * X * B * X.T * C), ""),
    "Cookbook 119": (
        "tr((A X B + C) (A X B + C)')",
        "X",
        lambda A, X, B, C: tr((A * X * B + C) * (A * X * B + C).T),
        "",
    ),
    "Cookbook 121": ("tr(X^4)", "X", lambda X: tr(X * X * X * X), ""),
    "Cookbook 124": ("tr(A X^-1 B)", "A", lambda A, X, B: tr(A * inverse(X) * B), "Bᵀ inv(X)ᵀ"),
    "Cookbook 129": ("norm(x - a)", "x", lambda x, a: norm(x - a), "(x − a) / norm(x − a)"),
    "Cookbook 131": ("norm(x)^2", "x", lambda x: norm(x) ** 2, "2 x"),
    "Cookbook 132": ("norm(X)^2", "X", lambda X: norm(X) ** 2, "2 X"),
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
