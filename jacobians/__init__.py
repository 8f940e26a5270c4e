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

_HOMES = {
    "batches": "in_blocks",
    "block_by_block": "BlockByBlock",
    "checking": "check_gradient check_hessian check_jacobian",
    "comparison": "compare",
    "conventions": "Convention",
    "curvature": "empirical_fisher gauss_newton hessian kronecker_factored",
    "data": "load_digits",
    "derivation": "explain",
    "diagnosis": "diagnose",
    "differentiation": "audit differentiate",
    "errors": "JacobiansError",
    "factors": "Factor",
    "graphs": "values",
    "layout": "Layout unvec vec",
    "linops": "Jacobian",
    "moved_networks": "translate_network",
    "network": "Network Run",
    "of_functions": "grad jacobian",
    "operations": "Jacobians Operation add add_ones affine binary_cross_entropy cross_entropy exp gelu hadamard huber "
    "kl_divergence l2 leaky_relu linear log log_softmax logistic_loss matmul mean multiclass_hinge poisson power relu "
    "reshape sigmoid silu softmax softplus square squared_error tanh temporal_softmax total transpose",
    "parameter_files": "load_parameters save_parameters",
    "presets": "all_conventions convention",
    "programs": "audit_program",
    "recording": "replayed",
    "training": "fit",
    "translate": "reduction_ratio translate_batch translate_gradients translate_jacobian translate_kernel "
    "translate_packed translate_parameters",
}
"""By module, the public names that it is home to: a name is loaded from there on first use.

The classes of operations and losses, such as ``jac.Affine`` and ``jac.Sigmoid``, are found here too. They are listed by
`jacobians.operations` alone."""

_ROOMS = ("layers", "matrix")
"""Modules whose names are reached through them: ``jac.layers.conv2d``, ``jac.matrix.inverse``."""

_HOME_OF = {name: f"jacobians.{home}" for home, names in _HOMES.items() for name in names.split()}

if TYPE_CHECKING:  # type checkers do not run the table; every name in it is listed by its home
    import jacobians.layers as layers  # noqa: F401
    import jacobians.matrix as matrix  # noqa: F401
    from jacobians.batches import *
    from jacobians.block_by_block import *
    from jacobians.checking import *
    from jacobians.comparison import *
    from jacobians.conventions import *
    from jacobians.curvature import *
    from jacobians.data import *
    from jacobians.derivation import *
    from jacobians.diagnosis import *
    from jacobians.differentiation import *
    from jacobians.errors import *
    from jacobians.factors import *
    from jacobians.graphs import *
    from jacobians.layout import *
    from jacobians.linops import *
    from jacobians.moved_networks import *
    from jacobians.network import *
    from jacobians.of_functions import *
    from jacobians.operations import *
    from jacobians.parameter_files import *
    from jacobians.presets import *
    from jacobians.programs import *
    from jacobians.recording import *
    from jacobians.training import *
    from jacobians.translate import *

__version__ = "0.2.0"

__all__ = sorted(_HOME_OF)


def __getattr__(name: str) -> Any:
    """Load a public name's module on first use: importing the package alone costs less than a millisecond."""
    if name in _ROOMS:
        return importlib.import_module(f"jacobians.{name}")
    home = _HOME_OF.get(name)
    if home is None and name[:1].isupper():  # the classes of operations and losses, which are not listed
        operations = importlib.import_module("jacobians.operations")
        home = "jacobians.operations" if name in operations.__all__ else None
    if home is None:
        meant = ""
        if not name.startswith("_"):
            meant = importlib.import_module("jacobians.other_names").instead_of(name, __all__, _ROOMS)
        raise AttributeError(f"module 'jacobians' has no attribute {name!r}{meant}")
    value = globals()[name] = getattr(importlib.import_module(home), name)
    return value


def __dir__() -> list[str]:
    return sorted({*__all__, *_ROOMS, *(name for name in globals() if name.startswith("__"))})
