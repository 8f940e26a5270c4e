"""The slips of second derivatives, stated once for both the check and the diagnosis."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from jacobians.arrays import Array
from jacobians.operations.hessian import Hessian

__all__ = ["HessianSlip", "asymmetry", "slips_of_any", "slips_of_structure"]


@dataclass(frozen=True, slots=True, eq=False)
class HessianSlip:
    """One matrix that is taken for a Hessian.

    Attributes
    ----------
    name : str
        Stable and lower-case, such as ``gauss-newton``.
    family : str
        "scale", "second derivative", "regulariser" or "layout".
    title : str
        What the matrix is, such as "½ the Hessian".
    mend : str
        One sentence.
    matrix : ndarray, shape (P, P)
    """

    name: str
    family: str
    title: str
    mend: str
    matrix: Array


def asymmetry(given: Array, allowed: float) -> str:
    """Return where a matrix is least symmetric, or "". Entries that are not finite are left out."""
    gap = np.nan_to_num(np.abs(given - given.T), nan=0.0, posinf=0.0)
    if gap.max(initial=0.0) <= allowed:
        return ""
    i, j = np.unravel_index(int(np.argmax(gap)), gap.shape)
    return (
        f"it is not symmetric: at [{i}, {j}] it is {given[i, j]:.6g}, at [{j}, {i}] {given[j, i]:.6g}; a second "
        "derivative is"
    )


def slips_of_any(true: Array, factor: float = 1.0) -> Iterator[HessianSlip]:
    """Yield the slips of any Hessian, the most usual first, of its matrix alone.

    `factor` is the number that makes it nearest to what is given.
    """
    loss = "Look at the factor before the loss: of ½‖r‖² it is 1, of ‖r‖² it is 2."
    yield HessianSlip("half", "scale", "½ the Hessian", loss, true / 2)
    yield HessianSlip("twice", "scale", "twice the Hessian", loss, 2 * true)
    yield HessianSlip("sign", "scale", "minus the Hessian", "Turn the sign: the loss is minimised.", -true)
    for name, part in (("upper", np.triu), ("lower", np.tril)):
        mend = "Fill the other triangle: a second derivative is symmetric."
        title = f"not symmetric: it is the Hessian's {name} triangle alone"
        yield HessianSlip(f"{name}-triangle", "layout", title, mend, part(true))
    if factor and np.abs(factor - np.array([1, 0.5, 2, -1])).min() > 1e-6:
        mend = "Look for the factor: 1/N of a mean, 1/2 of a square, λ of a regulariser."
        yield HessianSlip("factor", "scale", f"{factor:.6g} times the Hessian", mend, factor * true)


def slips_of_structure(hessian: Hessian) -> Iterator[HessianSlip]:
    """Yield the slips that follow from a Hessian's parts, terms and blocks, the most usual first."""
    newton, residual, penalty = (part.to_dense() for part in (hessian.gauss_newton, hessian.residual, hessian.penalty))
    second, of_penalty = "second derivative", "regulariser"
    if residual.any():
        mend = "Add the second derivatives of the operations before the loss, or call it Gauss–Newton."
        name, missing = "gauss-newton", "the Gauss–Newton matrix"
        if penalty.any():
            title = f"{missing}, without the regulariser: the residual part is missing too"
            yield HessianSlip(f"{name}-without-regulariser", second, title, mend, newton)
        title = f"{missing}: the residual part, of the operations before the loss, is missing"
        yield HessianSlip(name, second, title, mend, newton + penalty)
    if penalty.any():
        mend = "Add λI for the parameters that are penalised: of ½λW² the second derivative is λ."
        for name, title, share in (
            ("missing", "the Hessian without the regulariser", 0.0),
            ("half", "the Hessian with half the regulariser: of ½λW² the second derivative is λ", 0.5),
            ("twice", "the Hessian with twice the regulariser", 2.0),
        ):
            yield HessianSlip(f"{name}-regulariser", of_penalty, title, mend, newton + residual + share * penalty)
    whole, terms = hessian.to_dense(), hessian.terms
    for term in terms:
        # of a part with one term it was said above what is missing
        if term.part != "loss" and sum(other.part == term.part for other in terms) == 1:
            continue
        title = f"the Hessian without the term of {term.operation} at {' and '.join(term.of)}"
        mend = f"Add what the second derivative of {term.operation} gives: {term}."
        yield HessianSlip("missing-term", second, title, mend, whole - term.jacobian.to_dense())
    other = hessian.in_other_order()
    if not np.array_equal(other, np.arange(len(whole))):
        title = "the Hessian of parameters that are unrolled in the other order"
        mend = f"Unroll every parameter in the order {hessian.vec!r}."
        yield HessianSlip("vec-order", "layout", title, mend, whole[np.ix_(other, other)])
    alone = np.zeros_like(whole)
    for _, at in hessian.places():
        alone[at, at] = whole[at, at]
    if not np.array_equal(alone, whole):
        title = "the Hessian without its cross blocks: the block of each parameter alone"
        mend = "Add the blocks of every two parameters, such as run.hessian('W1', 'W2'), or call it block-diagonal."
        yield HessianSlip("missing-cross-blocks", second, title, mend, alone)
    yield from _with_cross_blocks_transposed(hessian, whole)


def _with_cross_blocks_transposed(hessian: Hessian, whole: Array) -> Iterator[HessianSlip]:
    """The Hessian with one cross block transposed, or its entries read in the transpose's order.

    Where both parameters have the same size this may be symmetric still.
    """
    for (a, at), (b, to) in itertools.combinations(hessian.places(), 2):
        block = whole[at, to]
        turned = block.T.reshape(block.shape)
        if block.size == 1 or np.array_equal(turned, block):
            continue
        for title, upper, lower in (
            (f"the cross block of {a} and {b} transposed, and so that of {b} and {a}", True, True),
            (f"the cross block of {a} and {b} transposed", True, False),
            (f"the cross block of {b} and {a} transposed", False, True),
        ):
            matrix = whole.copy()
            if upper:
                matrix[at, to] = turned
            if lower:
                matrix[to, at] = turned.T
            mend = f"The rows of the block of {a} and {b} belong to {a}, its columns to {b}; transpose it."
            yield HessianSlip("transposed-block", "layout", f"the Hessian with {title}", mend, matrix)
