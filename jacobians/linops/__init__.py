"""Structured Jacobians: linear maps between arrays that know their structure."""

from jacobians.linops.base import Jacobian
from jacobians.linops.block_diagonal import BlockDiagonal
from jacobians.linops.block_row import BlockRow
from jacobians.linops.commutation import Commutation
from jacobians.linops.denominator import Denominator
from jacobians.linops.dense_view import DENSE_LIMIT
from jacobians.linops.diagonal import Diagonal
from jacobians.linops.diagonal_minus_outer import DiagonalMinusOuter
from jacobians.linops.identity import Identity, Reshape, Zero
from jacobians.linops.khatri_rao import KhatriRao
from jacobians.linops.kronecker import Kronecker
from jacobians.linops.leaves import Dense, LowRank, Sparse
from jacobians.linops.plan import Plan
from jacobians.linops.product import Product
from jacobians.linops.scaled import Scaled
from jacobians.linops.selection import Selection
from jacobians.linops.sum import Sum
from jacobians.linops.transposed import Transposed

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
