"""Products of arrays and linear algebra. Each checks the size of its result and of its work first."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from jacobians.programs.evaluator.arrays import array
from jacobians.programs.values import Budget, LimitError, UnreadError, is_number

_MOST_WORK = 3e7
"""Multiplications of one call."""


def check_product(name: str, a: Any, b: Any, budget: Budget) -> None:
    """Check the size of a product before it is computed.

    Raises
    ------
    LimitError
        If it, or the work that it takes, is too large.
    """
    if name in ("outer", "kron"):
        budget.size(float(max(a.size, *a.shape, 1)) * max(b.size, *b.shape, 1))
        return
    if a.ndim == 0 or b.ndim == 0:
        budget.size(max(a.size, b.size))
        return
    shared = a.shape[-1]
    entries = (
        math.prod(map(float, a.shape[:-1])) * math.prod(map(float, b.shape[:-2])) * (b.shape[-1] if b.ndim > 1 else 1)
    )
    if name == "inner":
        entries = math.prod(map(float, a.shape[:-1])) * math.prod(map(float, b.shape[:-1]))
    budget.size(entries)
    if entries * shared > _MOST_WORK:
        raise LimitError("a product of matrices that is too large")


def only(keywords: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return keywords, all of which are on a list.

    Raises
    ------
    UnreadError
        If one is not.
    """
    for name in keywords:
        if name not in names:
            raise UnreadError(f"the argument {name}=")
    return keywords


def _product(name: str) -> Callable[..., Any]:
    call: Any = getattr(np, name)

    def of(budget: Budget, a: Any, b: Any, **keywords: Any) -> Any:
        a, b = array(a, budget), array(b, budget)
        check_product(name, a, b, budget)
        return call(a, b, **only(keywords, "axes"))

    return of


def _tensordot(budget: Budget, a: Any, b: Any, axes: Any = 2) -> Any:
    a, b = array(a, budget), array(b, budget)
    along = range(a.ndim - axes, a.ndim) if isinstance(axes, int) else np.atleast_1d(_axes_of(axes[0]))
    shared = math.prod(float(a.shape[k]) for k in along)
    if float(a.size) * b.size > _MOST_WORK * max(shared, 1.0):
        raise LimitError("a product of arrays that is too large")
    budget.size(float(a.size) * b.size / max(shared, 1.0) ** 2)
    return np.tensordot(a, b, axes if isinstance(axes, int) else (_axes_of(axes[0]), _axes_of(axes[1])))


def _axes_of(axes: Any) -> Any:
    return operator.index(axes) if is_number(axes) else [operator.index(k) for k in axes]


def _einsum(budget: Budget, pattern: Any, *operands: Any, **_k: Any) -> Any:
    if not isinstance(pattern, str):
        raise UnreadError("einsum without a pattern")
    arrays = [array(x, budget) for x in operands]
    sizes: dict[str, int] = {}
    for letters, x in zip(pattern.replace(" ", "").split("->")[0].split(","), arrays, strict=False):
        sizes.update(zip(letters.replace(".", ""), x.shape, strict=False))
    every = math.prod(float(max(n, 1)) for n in sizes.values())
    if every > _MOST_WORK:
        raise LimitError("an einsum that is too large")
    kept = set(pattern.partition("->")[2]) if "->" in pattern and "." not in pattern else set(sizes)
    budget.shape([float(n) for letter, n in sizes.items() if letter in kept])
    return np.einsum(pattern, *arrays)


def _linear(name: str) -> Callable[..., Any]:
    call: Any = getattr(np.linalg, name)

    def of(budget: Budget, x: Any, *args: Any, **keywords: Any) -> Any:
        x = array(x, budget)
        if x.size > 40_000 and (name != "norm" or (_other_norm(args, keywords) and x.ndim > 1)):
            raise LimitError(f"{name} of a matrix that is too large")
        rest = [array(a, budget) if name == "solve" else a for a in args]
        if name == "norm" and rest and not (rest[0] is None or is_number(rest[0]) or rest[0] in ("fro", "nuc")):
            raise UnreadError("this norm")
        return call(x, *rest, **only(keywords, "axis", "keepdims", "ord"))

    return of


def _other_norm(args: tuple[Any, ...], keywords: dict[str, Any]) -> bool:
    """Whether a norm of a matrix is another one than Frobenius' own."""
    order = args[0] if args else keywords.get("ord")
    return order is not None and order != "fro"


PRODUCTS: Mapping[str, Callable[..., Any]] = {
    **{f"numpy.{name}": _product(name) for name in ("dot", "matmul", "outer", "inner", "vdot", "kron")},
    "numpy.multiply.outer": _product("outer"),
    "numpy.tensordot": _tensordot,
    "numpy.einsum": _einsum,
    **{f"numpy.linalg.{name}": _linear(name) for name in ("inv", "pinv", "solve", "det", "norm", "matrix_rank")},
}
"""By full name; each takes the budget first."""


def products(budget: Budget) -> dict[str, Any]:
    """Return the products by their full names, such as ``numpy.dot``."""
    return {name: partial(rule, budget) for name, rule in PRODUCTS.items()}
