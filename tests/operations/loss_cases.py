"""Every loss, with every kind of target and reduction, and both batch layouts."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from jacobians.layout import Layout
from jacobians.operations import (
    BinaryCrossEntropy,
    CrossEntropy,
    Logistic,
    Loss,
    MulticlassHinge,
    ProbabilityCrossEntropy,
    SquaredError,
)
from tests.operations.random_inputs import WRITTEN, Cases, Make, Numbers, Sample

LOSS_CASES: Cases = {}

# --- losses --------------------------------------------------------------------------------------


def unit_targets(g: Numbers, layout: Layout, X: np.ndarray) -> np.ndarray:
    return g.within(0.0, 1.0, *X.shape)


def signs(g: Numbers, layout: Layout, X: np.ndarray) -> np.ndarray:
    return g.rng.choice([-1.0, 1.0], size=X.shape)


def real_targets(g: Numbers, layout: Layout, X: np.ndarray) -> np.ndarray:
    return g(*X.shape)


def label_targets(g: Numbers, layout: Layout, X: np.ndarray) -> np.ndarray:
    return g.labels(g.N, g.K)


def one_hot_targets(g: Numbers, layout: Layout, X: np.ndarray) -> np.ndarray:
    rows = np.eye(g.K)[g.labels(g.N, g.K)]
    return rows if layout.batch == "rows" else rows.T


LOSSES: dict[str, tuple[Callable[..., Loss], Callable[..., np.ndarray]]] = {
    "squared_error": (SquaredError, real_targets),
    "squared_error halved": (lambda *a: SquaredError(0.5, *a), real_targets),
    "cross_entropy labels": (CrossEntropy, label_targets),
    "cross_entropy one-hot": (CrossEntropy, one_hot_targets),
    "cross_entropy soft": (CrossEntropy, unit_targets),
    "binary_cross_entropy": (BinaryCrossEntropy, unit_targets),
    "binary_cross_entropy labels": (BinaryCrossEntropy, label_targets),
    "binary_cross_entropy of probabilities": (ProbabilityCrossEntropy, unit_targets),
    "logistic_loss": (Logistic, signs),
    "multiclass_hinge": (MulticlassHinge, label_targets),
    "multiclass_hinge margin 0.5": (lambda *a: MulticlassHinge(0.5, *a), label_targets),
    "cross_entropy soft, quartered": (lambda *a: CrossEntropy(*a, factor=0.25), unit_targets),
    "binary_cross_entropy, thrice": (lambda *a: BinaryCrossEntropy(*a, factor=3), unit_targets),
    "logistic_loss, halved": (lambda *a: Logistic(*a).replace(factor=0.5), signs),
}
REDUCTIONS = ("mean", "sum", "mean-all", "none")


def made(loss: Callable[..., Loss], reduction: str, layout: Layout) -> Loss:
    return loss(reduction=reduction, layout=layout) if isinstance(loss, type) else loss(reduction, layout)


def scores(g: Numbers, name: str, layout: Layout) -> np.ndarray:
    """A batch of what the loss takes; a hinge's arguments are odd multiples of ¼, so none is at its kink."""
    shape = layout.batch_shape(g.N, g.K)
    if "probabilities" in name:
        return g.within(0.1, 0.9, *shape)
    return g(*shape)


def loss_case(name: str, reduction: str, layout: Layout) -> Make:
    loss, targets = LOSSES[name]

    def make(g: Numbers) -> Sample:
        X = scores(g, name, layout)
        Y = targets(g, layout, X)
        if "hinge" in name:
            X = 0.5 * np.round(2 * X)
            rows = X if layout.batch == "rows" else X.T
            rows[np.arange(g.N), Y] += 0.25
        where: dict[str, Any] = {"axes": (layout.batch_axis, layout.batch_axis)}
        where |= {"out_axis": 0} if reduction == "none" else {"reduction": reduction.removesuffix("-all")}
        return Sample(made(loss, reduction, layout), [X, Y], integers="probabilities" not in name, **where)

    return make


for name, reduction, batch in itertools.product(LOSSES, REDUCTIONS, ("rows", "columns")):
    layout = WRITTEN[(len(LOSS_CASES) // 2 + len(LOSS_CASES)) % 4].replace(batch=batch)  # each way in rows and columns
    LOSS_CASES[f"{name} {reduction} {batch}-{layout.vec}-{layout.derivative}"] = loss_case(name, reduction, layout)


def vector_loss(loss: type[Loss], targets: Callable[..., np.ndarray], batch: str) -> Make:
    def make(g: Numbers) -> Sample:
        layout, X = Layout(batch=batch), g(g.N)
        return Sample(loss(layout=layout), [X, targets(g, layout, X)], (0, 0), reduction="mean")

    return make


for loss, targets in ((SquaredError, real_targets), (BinaryCrossEntropy, unit_targets), (Logistic, signs)):
    for batch in ("rows", "columns"):
        LOSS_CASES[f"{loss.__name__} of a vector {batch}"] = vector_loss(loss, targets, batch)
