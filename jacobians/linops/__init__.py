"""Structured Jacobians: linear maps between arrays that know their structure."""

from jacobians.linops.batch import BlockDiagonal, KhatriRao
from jacobians.linops.block_row import BlockRow
from jacobians.linops.denominator import Denominator
from jacobians.linops.diagonal import Diagonal, DiagonalMinusOuter
from jacobians.linops.jacobian import Jacobian
from jacobians.linops.kronecker import Kronecker
from jacobians.linops.leaves import Dense, LowRank, Sparse
from jacobians.linops.matrix_views import DENSE_LIMIT
from jacobians.linops.permutations import Commutation, Selection
from jacobians.linops.planning import Plan
from jacobians.linops.product import Product
from jacobians.linops.sum import Sum
from jacobians.linops.wrappers import Identity, Reshape, Scaled, Transposed, Zero

__all__ = [
    "DENSE_LIMIT",
    "BlockDiagonal",
    "BlockRow",
    "Commutation",
    "Denominator",
    "Dense",
    "Diagonal",
    "DiagonalMinusOuter",
    "Identity",
    "Jacobian",
    "KhatriRao",
    "Kronecker",
    "LowRank",
    "Plan",
    "Product",
    "Reshape",
    "Scaled",
    "Selection",
    "Sparse",
    "Sum",
    "Transposed",
    "Zero",
]
