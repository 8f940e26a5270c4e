"""The laws of operations and Jacobians as functions that raise AssertionError; they need NumPy only.

=====  =============  =======================================================================================
1      dense twin     `assert_dense_twin`: the matrix equals one built independently
2      adjoint        `assert_adjoint`: ⟨c, J t⟩ = ⟨Jᵀ c, t⟩
3      reference      `assert_reference`, `assert_hessian`: J, or a loss's second derivative, equals a numerical
                      derivative that shares no code with it
4      one source     `assert_one_source`, `assert_pull`: all views and products agree
5      association    `assert_association`: every bracketing of a chain is the same in value, shape and dtype
6      layouts        `assert_layouts`: translate, differentiate, translate back: the same gradient
7      vec            `assert_vec`: F order is C order permuted, denominator layout is numerator layout transposed
8      batch          `assert_batch`: permuted examples permute the result, split batches make up the whole
9      purity         `assert_purity`: nothing is written, outputs alias nothing, the same bits twice
10     dtype          `assert_dtype`: float32 in, float32 out; integers up-cast; complex refused
12     symbols        `assert_textbook`: what formulas and programs print equals what is computed
=====  =============  =======================================================================================

`assert_operation_laws` runs those that apply to an operation.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jacobians.testing.batch_laws import assert_batch
    from jacobians.testing.border_laws import arranged, assert_dtype, assert_purity
    from jacobians.testing.chain_laws import assert_association
    from jacobians.testing.compare import JacobiansLike, OperationLike
    from jacobians.testing.hessian_law import assert_hessian
    from jacobians.testing.laws import assert_operation_laws, assert_pull
    from jacobians.testing.layout_laws import assert_layouts, every_layout
    from jacobians.testing.reference import assert_reference, numerical_derivative
    from jacobians.testing.structure_laws import assert_adjoint, assert_dense_twin, assert_one_source, assert_vec
    from jacobians.testing.textbook_law import assert_textbook

__all__ = [
    "JacobiansLike",
    "OperationLike",
    "arranged",
    "assert_adjoint",
    "assert_association",
    "assert_batch",
    "assert_dense_twin",
    "assert_dtype",
    "assert_hessian",
    "assert_layouts",
    "assert_one_source",
    "assert_operation_laws",
    "assert_pull",
    "assert_purity",
    "assert_reference",
    "assert_textbook",
    "assert_vec",
    "every_layout",
    "numerical_derivative",
]

_HOMES = {
    "jacobians.testing.batch_laws": ("assert_batch",),
    "jacobians.testing.border_laws": ("arranged", "assert_dtype", "assert_purity"),
    "jacobians.testing.chain_laws": ("assert_association",),
    "jacobians.testing.compare": ("JacobiansLike", "OperationLike"),
    "jacobians.testing.hessian_law": ("assert_hessian",),
    "jacobians.testing.laws": ("assert_operation_laws", "assert_pull"),
    "jacobians.testing.layout_laws": ("assert_layouts", "every_layout"),
    "jacobians.testing.reference": ("assert_reference", "numerical_derivative"),
    "jacobians.testing.structure_laws": ("assert_adjoint", "assert_dense_twin", "assert_one_source", "assert_vec"),
    "jacobians.testing.textbook_law": ("assert_textbook",),
}


def __getattr__(name: str) -> Any:
    """Load a law's module on first use: pytest imports this package for its plugin, in every project."""
    for home, names in _HOMES.items():
        if name in names:
            value = getattr(importlib.import_module(home), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module 'jacobians.testing' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
