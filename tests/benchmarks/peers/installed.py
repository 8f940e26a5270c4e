"""Which peers can take part in which workload, and their contenders; nothing in the library depends on one of them."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from tests.benchmarks.contest import Contender, skipped

PEERS = {
    "torch": (
        "gradient",
        "jacobian_by_parameters",
        "jacobian_by_inputs",
        "blocks",
        "per_example",
        "norms",
        "gram",
        "gauss_newton_product",
        "hessian_product",
        "tied_gradient",
        "tied_norms",
        "layer_gradient",
        "layer_norms",
        "matrix_jacobian",
        "logdet_gradient",
    ),
    "jax": (
        "gradient",
        "jacobian_by_parameters",
        "jacobian_by_inputs",
        "blocks",
        "per_example",
        "norms",
        "gauss_newton_product",
        "gauss_newton_diagonal",
        "hessian_product",
        "hessian_matrix",
        "matrix_jacobian",
        "logdet_gradient",
    ),
    "autograd": ("gradient",),
    "sklearn": ("gradient",),
    "backpack": ("per_example", "norms", "gauss_newton_product", "gauss_newton_diagonal", "hessian_diagonal"),
    "curvlinops": ("gauss_newton_product", "hessian_product"),
}
"""By package: the questions that `tests.benchmarks.peers.PACKAGE_peer` answers, one function each."""


def missing(package: str) -> str:
    """Why a peer cannot take part, or nothing."""
    try:
        importlib.import_module(package)
    except ImportError as error:
        if error.name and error.name.partition(".")[0] != package:
            return f"{package} needs {error.name}, which is not installed"
        return f"{package} is not installed"
    return ""


def contenders(question: str, net: Any, *more: np.ndarray) -> list[Contender]:
    """Every peer's answers to a question about a net or a layer (and a vector), or its name and why it is skipped."""
    found: list[Contender] = []
    for package, questions in PEERS.items():
        if question not in questions:
            continue
        reason = missing(package)
        if reason:
            found.append(skipped(package, reason))
        else:
            module = importlib.import_module(f"tests.benchmarks.peers.{package}_peer")
            found += getattr(module, question)(net, *more)
    return found
