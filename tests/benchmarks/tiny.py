"""Every kind of case at a size that takes no time, for the tests."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.benchmarks import (
    bracketing,
    curvature,
    dense_jacobians,
    gradients,
    growth,
    hessians,
    layers,
    matrices,
    per_example,
    tied,
)
from tests.benchmarks.contest import Case
from tests.benchmarks.nets import Net

NETS = (
    Net("deep f32", 6, (5, 4, 3, 4, 3), "relu", np.float32),
    Net("shallow f64", 7, (5, 4, 3), "relu", np.float64),
)
TIED = Net("tied f64", 6, (5, 3, 5), "sigmoid", np.float64)
SIGMOID = Net("sigmoid f64", 7, (5, 4, 3), "sigmoid", np.float64)

BUILDERS: dict[str, Callable[[Net], Case]] = {
    "gradient": gradients.case,
    "structured": dense_jacobians.structured,
    "by parameters": dense_jacobians.by_parameters,
    "by inputs": dense_jacobians.by_inputs,
    "blocks": dense_jacobians.blocks,
    "factors": per_example.factors,
    "norms": per_example.norms,
    "gram": per_example.gram,
    "written out": per_example.materialised,
    "G v": curvature.product,
    "H v": hessians.product,
    "H V": hessians.block,
    "exact Hessian diagonal": hessians.diagonal,
    "Hessian": hessians.dense,
    "G V": curvature.block,
    "diagonal": curvature.diagonal,
    "bracketed by example": bracketing.by_example,
    "growth": growth.case,
}

CASES: dict[str, Callable[[], Case]] = {
    **{f"{name}, {net.name}": lambda b=build, n=net: b(n) for name, build in BUILDERS.items() for net in NETS},
    "gradient, sigmoid": lambda: gradients.case(SIGMOID),
    "tied gradient": lambda: tied.gradient(TIED),
    "tied norms": lambda: tied.norms(TIED),
    **{
        f"{build.__name__} of {layer.kind}": lambda b=build, own=layer: b(own)
        for build, kinds in ((layers.gradient, ("conv", "lstm", "attention")), (layers.norms, ("conv", "lstm")))
        for layer in (layers.convolution(2, 2, 4, 3), layers.lstm(2, 3, 2), layers.attention(2, 1, 3, 2))
        if layer.kind in kinds
    },
    **{
        f"Jacobian of {function}": lambda f=function: matrices.dense(matrices.MatrixProblem(f, 3))
        for function in ("inverse", "solve", "cholesky")
    },
    "log det": lambda: matrices.logdet(matrices.MatrixProblem("logdet", 4)),
    "gradient of conv, more channels out": lambda: layers.gradient(layers.convolution(2, 1, 4, 4)),
    "dense chain, waist": lambda: bracketing.dense((6, 5, 2, 7)),
    "dense chain, long": lambda: bracketing.dense((3, 9, 1, 8, 4, 6)),
}
