"""The laws of operations and Jacobians as functions that raise AssertionError; they need NumPy and SciPy only.

All that apply at once: of an operation `assert_operation_laws`, of a structured Jacobian `assert_jacobian_laws`, of a
graph of values `assert_graph_laws`, which eliminates its values in every order and adds up its paths.

=====  =============  =======================================================================================
1      dense twin     `assert_dense_twin`: the matrix equals one built independently
2      adjoint        `assert_adjoint`: ⟨c, J t⟩ = ⟨Jᵀ c, t⟩
3      reference      `assert_reference`, `assert_hessian`: J, or a loss's second derivative, equals a numerical
                      derivative that shares no code with it
4      one source     `assert_one_source`, `assert_pull`: all views and products agree; so do the matrix written
                      into a given array, `assert_out`, the examples' blocks, `assert_blocks`, the rows' norms and
                      inner products, `assert_row_norms` and `assert_gram`
5      association    `assert_association`: every bracketing of a chain is the same in value, shape and dtype
6      layouts        `assert_layouts`: translate, differentiate, translate back: the same gradient
7      vec            `assert_vec`: F order is C order permuted, denominator layout is numerator layout transposed
8      batch          `assert_batch`: permuted examples permute the result, split batches make up the whole
9      purity         `assert_purity`, `assert_jacobian_purity`: nothing is written, outputs alias nothing, the same
                      bits twice
10     dtype          `assert_dtype`, `assert_jacobian_dtype`: float32 in, float32 out, and right; integers up-cast;
                      complex refused
11     second         `assert_second`: the second derivative is symmetric, and the numerical derivative of the vjp
12     symbols        `assert_textbook`: what formulas and programs print equals what is computed
=====  =============  =======================================================================================

A Jacobian too large to be written out is held to laws 2, 4 and 7 by `assert_probed`. Three more hold a Jacobian to its
manners: `assert_limits` (nothing large unasked), `assert_refusals` (messages about wrong shapes) and `assert_display`
(text, HTML, bytes, operations).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jacobians.testing.batch_laws import assert_batch
    from jacobians.testing.chain_laws import assert_association
    from jacobians.testing.compare import JacobiansLike, OperationLike
    from jacobians.testing.graph_laws import assert_graph_laws
    from jacobians.testing.jacobian_laws import (
        assert_adjoint,
        assert_blocks,
        assert_dense_twin,
        assert_gram,
        assert_jacobian_laws,
        assert_one_source,
        assert_out,
        assert_probed,
        assert_row_norms,
        assert_vec,
    )
    from jacobians.testing.jacobian_manners import assert_display, assert_limits, assert_refusals
    from jacobians.testing.layout_laws import assert_layouts, every_layout
    from jacobians.testing.operation_laws import assert_operation_laws, assert_pull
    from jacobians.testing.purity_and_dtype import (
        arranged,
        assert_dtype,
        assert_jacobian_dtype,
        assert_jacobian_purity,
        assert_purity,
    )
    from jacobians.testing.reference import assert_hessian, assert_reference, numerical_derivative
    from jacobians.testing.second_law import assert_second
    from jacobians.testing.textbook_law import assert_textbook

__all__ = [
    "JacobiansLike",
    "OperationLike",
    "arranged",
    "assert_adjoint",
    "assert_association",
    "assert_batch",
    "assert_blocks",
    "assert_dense_twin",
    "assert_display",
    "assert_dtype",
    "assert_gram",
    "assert_graph_laws",
    "assert_hessian",
    "assert_jacobian_dtype",
    "assert_jacobian_laws",
    "assert_jacobian_purity",
    "assert_layouts",
    "assert_limits",
    "assert_one_source",
    "assert_operation_laws",
    "assert_out",
    "assert_probed",
    "assert_pull",
    "assert_purity",
    "assert_reference",
    "assert_refusals",
    "assert_row_norms",
    "assert_second",
    "assert_textbook",
    "assert_vec",
    "every_layout",
    "numerical_derivative",
]

_HOMES = (
    "batch_laws",
    "chain_laws",
    "compare",
    "graph_laws",
    "jacobian_laws",
    "jacobian_manners",
    "layout_laws",
    "operation_laws",
    "purity_and_dtype",
    "reference",
    "second_law",
    "textbook_law",
)


def __getattr__(name: str) -> Any:
    """Load the laws on first use: pytest imports this package for its plugin, in every project."""
    if name in __all__:
        for home in _HOMES:
            module = importlib.import_module(f"jacobians.testing.{home}")
            if name in module.__all__:
                globals()[name] = found = getattr(module, name)
                return found
    raise AttributeError(f"module 'jacobians.testing' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*(name for name in globals() if name.startswith("__")), *__all__})
