"""Octave's linear algebra: inverses, determinants, norms, and products other than A * B."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from jacobians.programs.octave import matrices as om
from jacobians.programs.octave.along_axes import reduced
from jacobians.programs.octave.matrices import Array, matrix, number
from jacobians.programs.octave.rules import Rule
from jacobians.programs.values import Budget, ProgramError, UnreadError


def _square(of: Any, name: str) -> Array:
    held = number(of)
    if held.ndim != 2 or held.shape[0] != held.shape[1]:
        raise ProgramError(f"{name}: a square matrix belongs here, not one of {om.dims(held.shape)}")
    return held


def _inverse(budget: Budget, of: Any) -> Array:
    held = _square(of, "inv")
    om.work(budget, 20.0 * held.shape[0] ** 3)
    try:
        return np.linalg.inv(held)
    except np.linalg.LinAlgError:
        return np.full(held.shape, np.inf)


def _pseudo_inverse(budget: Budget, of: Any) -> Array:
    held = number(of)
    om.work(budget, 60.0 * max(held.shape) * min(held.shape) ** 2)
    return np.linalg.pinv(held) if held.size else om.empty()


def _determinant(budget: Budget, of: Any) -> float:
    held = _square(of, "det")
    om.work(budget, 10.0 * held.shape[0] ** 3)
    return float(np.linalg.det(held))


def _trace(budget: Budget, of: Any) -> float:
    return float(np.trace(_square(of, "trace")))


def _norm(budget: Budget, of: Any, kind: Any = 2.0) -> float:
    held = number(of)
    if held.size == 0:
        return 0.0
    if isinstance(kind, str):
        if kind.lower() not in ("fro", "inf"):
            raise UnreadError("this norm")
        order: Any = "fro" if kind.lower() == "fro" else np.inf
    else:
        order = number(kind).item()
    if 1 in held.shape or order == "fro":
        return float(np.linalg.norm(om.entries(held), None if order == "fro" else order))
    if order not in (1, 2, np.inf) or held.ndim > 2:
        raise UnreadError("this norm of a matrix")
    om.work(budget, 40.0 * max(held.shape) * min(held.shape) ** 2)
    return float(np.linalg.norm(held, order))


def _kronecker(budget: Budget, left: Any, right: Any) -> Array:
    a, b = number(left), number(right)
    if a.ndim > 2 or b.ndim > 2:
        raise ProgramError("kron: matrices have two axes")
    om.room(budget, [float(m) * n for m, n in zip(a.shape, b.shape, strict=True)])
    return np.kron(a, b)


def _dot(budget: Budget, left: Any, right: Any, axis: Any = None) -> Array:
    a, b = number(left), number(right)
    if axis is None and om.is_vector(a.shape) and om.is_vector(b.shape) and a.size == b.size:
        return matrix(float(om.entries(a) @ om.entries(b)))
    if a.shape != b.shape:
        raise ProgramError(f"dot: matrices of {om.dims(a.shape)} and {om.dims(b.shape)}")
    return reduced(np.sum)(budget, a * b, axis)


def _convolved(budget: Budget, of: Any, kernel: Any, shape: Any = "full") -> Array:
    """conv2: the kernel is turned by half a turn."""
    a, k = number(of), number(kernel)
    if shape not in ("full", "same", "valid") or a.ndim > 2 or k.ndim > 2:
        raise UnreadError("conv2 of this shape")
    (m, n), (p, q) = a.shape, k.shape
    if 0 in (m, n, p, q):
        raise ProgramError("conv2 of an empty matrix")
    om.work(budget, 4.0 * k.size * (m + p) * (n + q))
    if k.size > 10_000:
        raise UnreadError("conv2 with a kernel this large")
    whole = np.zeros((m + p - 1, n + q - 1))
    for i in range(p):
        for j in range(q):
            whole[i : i + m, j : j + n] += k[i, j] * a
    if shape == "full":
        return whole
    if shape == "valid":
        return whole[p - 1 : m, q - 1 : n]
    i, j = p // 2, q // 2
    return whole[i : i + m, j : j + n]


LINEAR_ALGEBRA: Mapping[str, Rule] = {
    "mtimes": om.product, "mrdivide": om.right_divide, "mldivide": om.left_divide, "mpower": om.matrix_power,
    **dict.fromkeys(("inv", "inverse"), _inverse), "pinv": _pseudo_inverse, "det": _determinant, "trace": _trace,
    "norm": _norm, "kron": _kronecker, "dot": _dot, "conv2": _convolved,
}  # fmt: skip
"""By name."""
