"""Mini-batch Jacobian matrix calculus: operations that state the structure of their Jacobians, once.

>>> import numpy as np
>>> import jacobians as jac
>>> rng = np.random.default_rng(0)
>>> X, W1, W2 = rng.normal(size=(5, 4)), rng.normal(size=(4, 3)), rng.normal(size=(3, 2))
>>> b1, b2 = np.zeros(3), np.zeros(2)
>>> Z1, J1 = jac.affine(X, W1, b1)
>>> A1, J2 = jac.sigmoid(Z1)
>>> Z2, J3 = jac.affine(A1, W2, b2)
>>> L, J4 = jac.cross_entropy(Z2, [0, 1, 1, 0, 1])
>>> dL_dW1 = J4 @ J3.X @ J2 @ J1.W
>>> dL_dW1.gradient.shape
(4, 3)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jacobians.checking import check_gradient, check_jacobian
    from jacobians.conventions import Convention
    from jacobians.curvature import empirical_fisher, gauss_newton, kronecker_factored
    from jacobians.diagnosis import diagnose
    from jacobians.errors import JacobiansError
    from jacobians.factors import Factor
    from jacobians.layout import Layout, unvec, vec
    from jacobians.linops import Jacobian
    from jacobians.network import Network, Run
    from jacobians.operations import (
        Jacobians,
        Operation,
        add,
        add_ones,
        affine,
        binary_cross_entropy,
        cross_entropy,
        exp,
        gelu,
        hadamard,
        l2,
        leaky_relu,
        linear,
        log,
        log_softmax,
        logistic_loss,
        matmul,
        mean,
        multiclass_hinge,
        power,
        relu,
        reshape,
        sigmoid,
        silu,
        softmax,
        softplus,
        square,
        squared_error,
        tanh,
        total,
        transpose,
    )
    from jacobians.presets import all_conventions, convention
    from jacobians.recording import replayed
    from jacobians.translate import (
        reduction_ratio,
        translate_batch,
        translate_gradients,
        translate_jacobian,
        translate_packed,
        translate_parameters,
    )

__version__ = "0.1.0"

__all__ = [
    "Convention",
    "Factor",
    "Jacobian",
    "Jacobians",
    "JacobiansError",
    "Layout",
    "Network",
    "Operation",
    "Run",
    "add",
    "add_ones",
    "affine",
    "all_conventions",
    "binary_cross_entropy",
    "check_gradient",
    "check_jacobian",
    "convention",
    "cross_entropy",
    "diagnose",
    "empirical_fisher",
    "exp",
    "gauss_newton",
    "gelu",
    "hadamard",
    "kronecker_factored",
    "l2",
    "leaky_relu",
    "linear",
    "log",
    "log_softmax",
    "logistic_loss",
    "matmul",
    "mean",
    "multiclass_hinge",
    "power",
    "reduction_ratio",
    "relu",
    "replayed",
    "reshape",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "square",
    "squared_error",
    "tanh",
    "total",
    "translate_batch",
    "translate_gradients",
    "translate_jacobian",
    "translate_packed",
    "translate_parameters",
    "transpose",
    "unvec",
    "vec",
]

_HOMES = {
    "jacobians.diagnosis": ("diagnose",),
    "jacobians.checking": ("check_gradient", "check_jacobian"),
    "jacobians.conventions": ("Convention",),
    "jacobians.curvature": ("empirical_fisher", "gauss_newton", "kronecker_factored"),
    "jacobians.errors": ("JacobiansError",),
    "jacobians.factors": ("Factor",),
    "jacobians.layout": ("Layout", "unvec", "vec"),
    "jacobians.linops": ("Jacobian",),
    "jacobians.network": ("Network", "Run"),
    "jacobians.operations": (
        "Jacobians",
        "Operation",
        "add",
        "add_ones",
        "affine",
        "binary_cross_entropy",
        "cross_entropy",
        "exp",
        "gelu",
        "hadamard",
        "l2",
        "leaky_relu",
        "linear",
        "log",
        "log_softmax",
        "logistic_loss",
        "matmul",
        "mean",
        "multiclass_hinge",
        "power",
        "relu",
        "reshape",
        "sigmoid",
        "silu",
        "softmax",
        "softplus",
        "square",
        "squared_error",
        "tanh",
        "total",
        "transpose",
    ),
    "jacobians.presets": ("convention", "all_conventions"),
    "jacobians.recording": ("replayed",),
    "jacobians.translate": (
        "reduction_ratio",
        "translate_batch",
        "translate_gradients",
        "translate_jacobian",
        "translate_packed",
        "translate_parameters",
    ),
}


def __getattr__(name: str) -> Any:
    """Load a public name's module on first use: importing the package alone costs less than a millisecond."""
    for home, names in _HOMES.items():
        if name in names:
            value = getattr(importlib.import_module(home), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module 'jacobians' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
