"""Hypothesis strategies: layouts, conventions, arrays, structured Jacobians, operations and networks with data.

Shapes and choices are drawn, and shrink; numbers come from a drawn seed. Sizes are pairwise distinct unless told
otherwise, since square shapes hide transposes. Importing this module, which needs hypothesis, registers the strategies
of `Layout` and `Convention`, so ``st.from_type(Layout)`` works.
"""

from hypothesis import strategies as st

from jacobians.conventions import Convention
from jacobians.layout import Layout
from jacobians.testing.strategies.arrays import arrays, cotangents, distinct_sizes, tangents
from jacobians.testing.strategies.layouts import any_conventions, layouts
from jacobians.testing.strategies.networks import NetworkCase, networks
from jacobians.testing.strategies.operations import OperationCase, operations
from jacobians.testing.strategies.structures import StructureCase, structures

__all__ = [
    "NetworkCase",
    "OperationCase",
    "StructureCase",
    "any_conventions",
    "arrays",
    "cotangents",
    "distinct_sizes",
    "layouts",
    "networks",
    "operations",
    "structures",
    "tangents",
]

st.register_type_strategy(Layout, layouts())
st.register_type_strategy(Convention, any_conventions())
