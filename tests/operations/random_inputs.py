"""What the cases of operations are drawn from: arrays, pairwise distinct sizes, parameters in a layout."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from jacobians.layout import Layout
from jacobians.testing import every_layout

LAYOUTS = every_layout()
WRITTEN = [Layout(vec=v, derivative=d) for v in ("C", "F") for d in ("numerator", "denominator")]
"""How Jacobians are written, where the operation has no say in it."""


class Numbers:
    """Reproducible arrays, and sizes that differ from each other, so that no transpose goes unnoticed."""

    def __init__(self, seed: int, sizes: Sequence[int] = (3, 4, 2, 5)) -> None:
        self.rng = np.random.default_rng(seed)
        self.N, self.D, self.K, self.M = sizes

    def __call__(self, *shape: int) -> np.ndarray:
        return self.rng.normal(size=shape)

    def away(self, *shape: int) -> np.ndarray:
        """Nowhere near a kink at 0."""
        return self.rng.choice([-1.0, 1.0], size=shape) * self.rng.uniform(0.25, 2.0, size=shape)

    def within(self, low: float, high: float, *shape: int) -> np.ndarray:
        return self.rng.uniform(low, high, size=shape)

    def labels(self, count: int, classes: int) -> np.ndarray:
        return self.rng.integers(classes, size=count)


class Sample(NamedTuple):
    """An operation, its inputs, and the keywords of `assert_operation_laws`."""

    operation: Callable[..., Any]
    arrays: list[np.ndarray]
    axes: tuple[int | None, ...] | None = None
    out_axis: int | None = None
    reduction: str = "none"
    integers: bool = True

    @property
    def laws(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("axes", "out_axis", "reduction", "integers")}


Make = Callable[[Numbers], Sample]
Cases = dict[str, Make]


def short(layout: Layout) -> str:
    return "-".join((layout.batch, layout.weights, layout.bias, layout.vec, layout.derivative))


def parameters(g: Numbers, layout: Layout, n_in: int, n_out: int) -> list[np.ndarray]:
    """W and, where it is separate, b."""
    W = g(*layout.weight_shape(n_in, n_out))
    return [W, g(*layout.bias_shape(n_out))] if layout.bias == "separate" else [W]


def shared(layout: Layout, count: int) -> dict[str, Any]:
    """Where the examples lie, for a batch and `count` parameters."""
    return {"axes": (layout.batch_axis, *[None] * count), "out_axis": layout.batch_axis}
