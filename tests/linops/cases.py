"""Every structure in every form, as (name, make)."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_array

from jacobians.linops import Duplication, Elimination, Transposed
from tests.linops.dense_twins import Numbers
from tests.linops.makers import (
    Make,
    Pair,
    block_row,
    blocks,
    bordered,
    broadcast,
    commutation,
    denominator,
    dense,
    diagonal,
    direct_sum,
    direct_sum_of_nothing,
    frechet,
    gather,
    half,
    identity,
    khatri_rao,
    khatri_rao_sum,
    kronecker,
    low_rank,
    minus_outer,
    ones_column,
    product,
    reshape,
    scaled,
    slices,
    sparse,
    sylvester,
    total,
    transposed,
    zero,
)


class Case(NamedTuple):
    name: str
    make: Make


VARIANTS = [("float64", "C"), ("float64", "F"), ("float64", "strided"), ("float32", "C")]
"""The dtypes and memory orders of the stored arrays; every one is read-only."""

EVERY = slice(None)

LEAVES = [
    Case("Identity of a scalar", identity()),
    Case("Identity 1-d", identity(5)),
    Case("Identity 2-d", identity(2, 3)),
    Case("Identity 3-d", identity(2, 3, 4)),
    Case("Reshape to a vector", reshape((6,), (2, 3))),
    Case("Reshape from a vector", reshape((2, 3), (6,))),
    Case("Reshape between ranks", reshape((4, 6), (2, 3, 4))),
    Case("Reshape drops an axis of one", reshape((), (1, 1))),
    Case("Zero", zero((2,), (3, 4))),
    Case("Zero square", zero((2, 3), (2, 3))),
    Case("Zero from a scalar", zero((2, 3), ())),
    Case("Diagonal 0-d", diagonal()),
    Case("Diagonal 1-d", diagonal(5)),
    Case("Diagonal 2-d", diagonal(3, 4)),
    Case("Diagonal 3-d", diagonal(2, 3, 4)),
    Case("Kronecker full, outer side cheaper", kronecker((2, 5), (4, 3))),
    Case("Kronecker full, inner side cheaper", kronecker((5, 2), (3, 4))),
    Case("Kronecker square", kronecker((3, 3), (4, 4))),
    Case("Kronecker square matrix of other factors", kronecker((3, 2), (2, 3))),
    Case("Kronecker left identity", kronecker(5, (3, 2))),
    Case("Kronecker right identity", kronecker((4, 2), 3)),
    Case("Kronecker both identities", kronecker(3, 2)),
    Case("Kronecker column of ones", ones_column(5, 3)),
    Case("Kronecker column of ones and a matrix", ones_column(4, (2, 3))),
    Case("Kronecker bordered, ones first", bordered((4, 3), 2, first=True)),
    Case("Kronecker bordered, ones last", bordered((4, 3), 2, first=False, before=False)),
    Case("Kronecker bordered, ones last, and a matrix", bordered((4, 3), (2, 5), first=False)),
    Case("Kronecker bordered square", bordered((3, 2), (2, 2), first=True, before=False)),
    Case("Transposed Kronecker bordered", transposed(bordered((2, 3), (5, 2), first=True))),
    Case("Commutation", commutation(2, 3)),
    Case("Commutation square", commutation(3, 3)),
    Case("Commutation of a row", commutation(1, 4)),
    Case("Selection by slices", slices((EVERY, slice(1, None)), (2, 4))),
    Case("Selection by strided slices", slices((slice(None, None, 2), slice(4, None, -3)), (3, 5))),
    Case("Selection by slices, 3-d", slices((slice(1), slice(1, 3), slice(0, 4, 2)), (2, 3, 4))),
    Case("Selection of nothing", slices((EVERY, slice(2, 2)), (2, 4))),
    Case("Selection of everything", slices((EVERY, EVERY), (2, 3))),
    Case("Selection by no slices of a scalar", slices((), ())),
    Case("Selection by index with repeats", gather([4, 0, 4, 1], (5,))),
    Case("Selection by index, one entry", gather(3, (2, 3))),
    Case("Selection by index, 2-d", gather([[5, 0], [0, 2], [5, 5]], (2, 3))),
    Case("Selection by index, 3-d", gather([[[0, 7], [3, 3]], [[1, 2], [7, 0]], [[4, 4], [4, 0]]], (2, 2, 2))),
    Case("Selection by index, within rows", gather([[2, 0, 2, 1], [3, 3, 5, 4]], (2, 3))),
    Case("Selection by index, a permutation", gather([[3, 1, 5], [0, 4, 2]], (2, 3))),
    Case("BlockDiagonal in rows", blocks((4, 2, 3), (4, 2), (4, 3))),
    Case("BlockDiagonal in columns", blocks((4, 2, 3), (2, 4), (3, 4), -1)),
    Case("BlockDiagonal square, in rows", blocks((4, 3, 3), (4, 3), (4, 3))),
    Case("BlockDiagonal square, in columns", blocks((4, 3, 3), (3, 4), (3, 4), -1)),
    Case("BlockDiagonal p = 1", blocks((4, 1, 3), (4, 1), (4, 3))),
    Case("BlockDiagonal q = 1", blocks((4, 3, 1), (4, 3), (4, 1))),
    Case("BlockDiagonal to one number an example", blocks((4, 1, 3), (4,), (4, 3))),
    Case("BlockDiagonal to one number an example, in columns", blocks((4, 1, 3), (4,), (3, 4), -1)),
    Case("BlockDiagonal from one number an example", blocks((4, 3, 1), (4, 3), (4,))),
    Case("BlockDiagonal of examples of any rank", blocks((3, 4, 10), (3, 2, 2), (3, 5, 2))),
    Case("BlockDiagonal of examples of any rank, in columns", blocks((3, 4, 6), (4, 3), (2, 3, 3), -1)),
    Case("BlockDiagonal square matrix of other shapes", blocks((3, 4, 4), (3, 2, 2), (3, 4))),
    Case("DiagonalMinusOuter on axis -1", minus_outer((3, 4), -1)),
    Case("DiagonalMinusOuter on axis 0", minus_outer((3, 4), 0)),
    Case("DiagonalMinusOuter 1-d", minus_outer((5,), 0)),
    Case("DiagonalMinusOuter 3-d, middle axis", minus_outer((2, 3, 4), 1)),
    Case("KhatriRao", khatri_rao((4, 2), (4, 3))),
    Case("KhatriRao square", khatri_rao((6, 2), (6, 3))),
    Case("KhatriRao codomain 2-d", khatri_rao((5, 2, 3), (5, 2, 4))),
    Case("KhatriRao left broadcast", khatri_rao((1, 2), (4, 3))),
    Case("KhatriRao right broadcast along nodes", khatri_rao((5, 2, 3), (5, 1, 4))),
    Case("KhatriRao both broadcast", khatri_rao((1, 2, 3), (5, 1, 4))),
    Case("KhatriRao of one row", khatri_rao((3,), (4,))),
    Case("KhatriRaoSum, fewer operations by rows", khatri_rao_sum((4, 5, 2), (4, 5, 3))),
    Case("KhatriRaoSum, fewer operations by inner products", khatri_rao_sum((4, 2, 6), (4, 2, 5))),
    Case("KhatriRaoSum square", khatri_rao_sum((6, 2, 2), (6, 2, 3))),
    Case("KhatriRaoSum codomain 2-d, right broadcast along nodes", khatri_rao_sum((5, 2, 3, 3), (5, 1, 3, 4))),
    Case("KhatriRaoSum, left the same in all terms", khatri_rao_sum((4, 1, 2), (4, 3, 3))),
    Case("KhatriRaoSum of one term", khatri_rao_sum((4, 1, 7), (4, 1, 3))),
    Case("KhatriRaoSum of one row", khatri_rao_sum((2, 3), (2, 4))),
    Case("Broadcast of a scalar", broadcast((2, 3), ())),
    Case("Broadcast of a vector", broadcast((4, 3), (3,))),
    Case("Broadcast in the middle", broadcast((2, 3, 4), (2, 1, 4))),
    Case("Broadcast at both ends", broadcast((2, 3, 2), (3, 1))),
    Case("Duplication", half(Duplication, 3, "C")),
    Case("Duplication, stacked by columns", half(Duplication, 3, "F")),
    Case("Elimination", half(Elimination, 3, "C")),
    Case("Elimination, stacked by columns", half(Elimination, 3, "F")),
    Case("SylvesterInverse", sylvester(3, 2)),
    Case("Frechet", frechet(3)),
    Case("LowRank", low_rank((2, 3), (5,), 2)),
    Case("LowRank square", low_rank((2, 3), (2, 3), 1)),
    Case("LowRank to a scalar", low_rank((), (3, 2), 2)),
    Case("LowRank of rank 0", low_rank((2,), (3,), 0)),
    Case("Dense", dense((2, 3), (4, 5))),
    Case("Dense square", dense((2, 3), (2, 3))),
    Case("Dense square matrix of other shapes", dense((4,), (2, 2))),
    Case("Dense row", dense((), (3, 4))),
    Case("Dense column", dense((3, 4), ())),
    Case("Dense number", dense((), ())),
    Case("Sparse", sparse((2, 3), (5,))),
    Case("Sparse square, from coordinates", sparse((2, 3), (2, 3), coo_array)),
    Case("Sparse to a scalar", sparse((), (2, 3))),
]

COMPOSITES = [
    Case("Scaled Kronecker", scaled(-2.5, kronecker((2, 5), 3))),
    Case("Scaled Identity of a scalar", scaled(0.5, identity())),
    Case("Scaled Product", scaled(0.25, product(diagonal(4, 3), kronecker(4, (3, 2))))),
    Case("Product", product(diagonal(4, 3), kronecker(4, (3, 2)))),
    Case("Product of views", product(reshape((6,), (3, 2)), commutation(2, 3), dense((2, 3), (4,)))),
    Case("Product wide, narrow, wide", product(dense((7,), (2,)), dense((2,), (6,)), sparse((6,), (5,)))),
    Case("Product to a scalar", product(low_rank((), (3,), 2), minus_outer((3,), 0))),
    Case("Product square", product(minus_outer((3, 4), -1), diagonal(3, 4))),
    Case("Product in columns", product(blocks((4, 2, 3), (2, 4), (3, 4), -1), kronecker((3, 5), 4))),
    Case("Sum", total(kronecker((2, 5), 3), dense((2, 3), (5, 3)), sparse((2, 3), (5, 3)))),
    Case("Sum square", total(diagonal(3, 4), product(commutation(4, 3), reshape((4, 3), (3, 4))))),
    Case("Sum of scalars", total(diagonal(), dense((), ()))),
    Case("DirectSum", direct_sum(3, kronecker((2, 3), (1, 2)))),
    Case("DirectSum square", direct_sum(2, product(diagonal(2, 2), kronecker((2, 2), (2, 2))))),
    Case("DirectSum of more leading axes", direct_sum(4, dense((2,), (3,)), (2, 2))),
    Case("DirectSum of rows", direct_sum(3, dense((), (2, 2)))),
    Case("BlockRow packed C", block_row("C", kronecker((2, 5), 3), dense((2, 3), (4,)), zero((2, 3), ()))),
    Case("BlockRow packed F", block_row("F", kronecker((2, 5), 3), dense((2, 3), (4,)), dense((2, 3), (2, 1, 3)))),
    Case("BlockRow of one", block_row("F", commutation(2, 3))),
    Case("BlockRow to a scalar", block_row("F", dense((), (2, 3)), dense((), (4,)))),
    Case("BlockRow square", block_row("F", dense((5,), (2, 1)), dense((5,), (3,)))),
    Case("Transposed Selection", transposed(gather([4, 0, 4, 1], (5,)), Transposed)),
    Case("Transposed Kronecker", transposed(kronecker((2, 5), (4, 3)), Transposed)),
    Case("Transposed square", transposed(minus_outer((3, 4), -1), Transposed)),
]

EMPTY = [
    Case("Identity, no examples", identity(0, 3)),
    Case("Reshape, no examples", reshape((0,), (0, 3))),
    Case("Zero, no examples", zero((0, 2), (3,))),
    Case("Diagonal, no examples", diagonal(0, 3)),
    Case("Kronecker, no examples", kronecker((0, 4), 3)),
    Case("Kronecker left identity, no examples", kronecker(0, (3, 2))),
    Case("Kronecker full, no inputs", kronecker((2, 0), (3, 4))),
    Case("Commutation, no examples", commutation(0, 3)),
    Case("Selection by slices, no examples", slices((EVERY, slice(1, None)), (0, 4))),
    Case("Selection by index, no examples", gather(np.zeros((0, 2)), (5,))),
    Case("Selection by index of nothing", gather(np.zeros((0, 2)), (0, 3))),
    Case("BlockDiagonal, no examples", blocks((0, 2, 3), (0, 2), (0, 3))),
    Case("BlockDiagonal in columns, no examples", blocks((0, 2, 3), (2, 0), (3, 0), -1)),
    Case("BlockDiagonal, no outputs", blocks((4, 0, 3), (4, 0), (4, 3))),
    Case("DiagonalMinusOuter, no examples", minus_outer((0, 3), -1)),
    Case("DiagonalMinusOuter, no classes", minus_outer((3, 0), -1)),
    Case("KhatriRao, no examples", khatri_rao((0, 2), (0, 3))),
    Case("KhatriRao broadcast, no examples", khatri_rao((0, 2, 3), (0, 1, 4))),
    Case("KhatriRaoSum, no examples", khatri_rao_sum((0, 2, 2), (0, 2, 3))),
    Case("KhatriRaoSum of no terms", khatri_rao_sum((4, 0, 2), (4, 0, 3))),
    Case("Broadcast, no examples", broadcast((0, 3), (3,))),
    Case("LowRank, no examples", low_rank((0, 2), (3,), 2)),
    Case("Dense, no examples", dense((0,), (0, 3))),
    Case("Dense row, no examples", dense((), (0, 3))),
    Case("Sparse, no examples", sparse((0,), (3,))),
    Case("Scaled, no examples", scaled(2.0, kronecker((0, 4), 3))),
    Case("Product, no examples", product(diagonal(0, 3), kronecker(0, (3, 2)))),
    Case("Product through nothing", product(kronecker((4, 0), 3), diagonal(0, 3), kronecker((0, 2), 3))),
    Case("Sum, no examples", total(diagonal(0, 3), dense((0, 3), (0, 3)))),
    Case("DirectSum, no examples", direct_sum_of_nothing((0, 2), (0, 3, 2))),
    Case("BlockRow, no examples", block_row("F", kronecker((0, 5), 3), dense((0, 3), (2, 2)))),
    Case("BlockRow with an empty part", block_row("F", dense((2,), (0, 3)), dense((2,), (2, 2)))),
]

NUMERATORS = [*LEAVES, *COMPOSITES, *EMPTY]
TRANSPOSES = [Case(f"{c.name}, .T", transposed(c.make)) for c in NUMERATORS]
DENOMINATORS = [
    Case(f"Denominator of {c.name}", denominator(c.make))
    for c in NUMERATORS
    if c.name in {"Diagonal 2-d", "Kronecker full, outer side cheaper", "Dense row", "Dense square", "Product",
                  "Kronecker square matrix of other factors", "BlockRow packed F", "Scaled Product",
                  "Kronecker, no examples", "Transposed Selection"}
]  # fmt: skip
CASES = [*NUMERATORS, *TRANSPOSES, *DENOMINATORS]
NAMED = {c.name: c.make for c in CASES}


@cache
def built(name: str, dtype: str = "float64", memory: str = "C") -> Pair:
    """The case's operator and twin, built once: no law writes to either."""
    return NAMED[name](Numbers(dtype, memory))
