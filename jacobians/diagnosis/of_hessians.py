"""Why a Hessian is wrong: each slip is applied to the right one, and the results are compared block by block."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from jacobians.arrays import Array, Shape, as_float, kind_of, size_of
from jacobians.checking.hessian_slips import HessianSlip, asymmetry, slips_of_any, slips_of_structure
from jacobians.diagnosis.distances import Distances, findings, pattern, remainder
from jacobians.diagnosis.report import Cause, Diagnosis, Verdict
from jacobians.diagnosis.slip import Gradients, multiple
from jacobians.errors import ArgumentError, ShapeError
from jacobians.linops import Jacobian
from jacobians.linops.unrolling import c_index_of_f
from jacobians.operations.hessian import Hessian

_FLOOR = 1e-5
"""The scale of a block, relative to the largest one, below which its entries may be what cancelled."""

_NEAR = 0.7
"""The residual from which on a cause is not worth naming."""


def blocks_of(given: Any, hessian: Hessian, *, turned: bool = False) -> Gradients:
    """Return a given Hessian by blocks: matrices by "W1" or, for a cross block, "(W1, W2)".

    Parameters
    ----------
    given : mapping, Jacobian or array_like
        The whole matrix; or a dict of blocks by a name, by a pair of names, or by one name within another.
    hessian : Hessian
        The right one.
    turned : bool
        Whether the matrix of a cross block has the first name's entries in its columns, as in denominator layout.

    Raises
    ------
    ArgumentError
        If a block has an unknown name, or there is none.
    ShapeError
        If a matrix does not fit.
    """
    shapes, places = {one.name: one.shape for one in hessian.inputs}, dict(hessian.places())
    if not isinstance(given, Mapping):
        shape = next(iter(shapes.values())) if len(shapes) == 1 else (hessian.shape[0],)
        whole = _matrix(given, "the Hessian", shape, shape, hessian)
        return {_label(a, b): whole[places[a], places[b]] for a, b in itertools.product(shapes, repeat=2)}
    found: Gradients = {}
    for pair, block in _pairs(given):
        if len(pair) != 2 or not set(pair) <= set(shapes):
            raise ArgumentError(
                f"diagnose: the block {pair!r} is unknown; a block's key is a name, or a pair of names, of "
                f"{', '.join(shapes)}"
            )
        a, b = pair
        swapped = turned and a != b and (isinstance(block, Jacobian) or np.ndim(block) == 2)
        rows, columns = (b, a) if swapped else (a, b)
        matrix = _matrix(block, f"the block {_label(a, b)}", shapes[rows], shapes[columns], hessian)
        found[_label(a, b)] = matrix.T if swapped else matrix
    if not found:
        raise ArgumentError("diagnose: the Hessian is an empty dict; give the whole matrix, or a block by its name")
    return found


def _pairs(given: Mapping[Any, Any]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    for key, block in given.items():
        if isinstance(block, Mapping):
            yield from (((key, column), inner) for column, inner in block.items())
        else:
            yield (key if isinstance(key, tuple) else (key, key)), block


def _label(a: str, b: str) -> str:
    return a if a == b else f"({a}, {b})"


def _matrix(given: Any, what: str, rows: Shape, columns: Shape, hessian: Hessian) -> Array:
    """A block as its matrix, in the order of the right Hessian."""
    if isinstance(given, Jacobian):
        given = given.ordered(hessian.vec).to_dense()
    array = as_float(given.toarray() if hasattr(given, "toarray") else given, what, "diagnose").astype(np.float64)
    sizes = size_of(rows), size_of(columns)
    if array.shape == sizes:
        return array
    if array.shape != rows + columns:
        both = f" or {rows + columns}" if rows + columns != sizes else ""
        raise ShapeError(f"diagnose: {what} has shape {array.shape}; expected {sizes}{both}")
    array = array.reshape(sizes)
    return array[np.ix_(c_index_of_f(rows), c_index_of_f(columns))] if hessian.vec == "F" else array


def hessian_diagnosis(blocks: Gradients, hessian: Hessian, tolerances: Sequence[float]) -> Diagnosis:
    """Return why a Hessian is wrong; see `diagnose`.

    Parameters
    ----------
    blocks : dict of ndarray
        As `blocks_of` returns them.
    hessian : Hessian
        The right one.
    tolerances : sequence of float
        What rounding may do, relative to a block's norm; each counts where nothing fits by those before it.
    """
    true, places = hessian.to_dense().astype(np.float64), dict(hessian.places())
    keys = {_label(a, b): (places[a], places[b]) for a, b in itertools.product(places, repeat=2)}

    def of(matrix: Array) -> Gradients:
        return {label: matrix[keys[label]] for label in blocks}

    right = of(true)
    lost = _not_finite(blocks)
    whole = np.full_like(true, np.nan)
    for label, block in blocks.items():
        whole[keys[label]] = block
    tried: list[tuple[HessianSlip, Gradients]] = []
    for tolerance in tolerances:
        distances = Distances(blocks, right, tolerance, _FLOOR)
        if distances.all_right:
            return Diagnosis("explained" if lost else "right", lost, findings(distances), subject="Hessian")
        if not tried:
            known = np.isfinite(whole)
            slips = itertools.chain(
                slips_of_any(true, multiple(whole[known], true[known])), slips_of_structure(hessian)
            )
            tried = [(slip, of(slip.matrix)) for slip in slips]
        causes, verdict = _causes(distances, tried)
        if verdict != "unexplained":
            break
    if verdict == "unexplained":
        size = float(np.abs(true).max(initial=0.0))
        words = asymmetry(whole, 10 * tolerances[-1] * size)
        if words:
            left = distances.to(of(np.where(np.isfinite(whole.T), true + (whole - whole.T) / 2, true)))
            fits, residual = distances.explains(left), distances.residual(left)
            title, mend = "what is given is not symmetric", "A second derivative is symmetric; ½(H + Hᵀ) is."
            named = Cause("not-symmetric", "layout", title, None, f"{words}", mend, residual, exact=fits)
            causes, verdict = ((named,), "explained") if fits else ((named, *causes), verdict)
    return Diagnosis(verdict, (*lost, *causes), findings(distances), tried=len(tried), subject="Hessian")


def _causes(distances: Distances, tried: Sequence[tuple[HessianSlip, Gradients]]) -> tuple[tuple[Cause, ...], Verdict]:
    """The slips that give this very Hessian; else the nearest."""
    ranked = []
    for slip, wrong in tried:
        left = distances.to(wrong)
        ranked.append((distances.explains(left), distances.residual(left), slip))
    exact = [r for r in ranked if r[0]]
    # of one cross block alone it cannot be seen whether the other one is transposed too: that is one cause
    exact = [r for i, r in enumerate(exact) if r[2].name != "transposed-block" or i == 0]
    chosen = exact or sorted((r for r in ranked if r[1] < _NEAR), key=lambda r: r[1])[:3]
    verdict: Verdict = "unexplained" if not exact else "explained" if len(exact) == 1 else "ambiguous"
    causes = []
    for fits, residual, slip in chosen:
        evidence = f"{pattern(distances)}; {remainder(residual)}"
        title = f"what is given is {slip.title}"
        causes.append(Cause(slip.name, slip.family, title, None, evidence, slip.mend, residual, exact=fits))
    return tuple(causes), verdict


def _not_finite(blocks: Gradients) -> tuple[Cause, ...]:
    counts = {label: int((~np.isfinite(block)).sum()) for label, block in blocks.items()}
    bad = [f"{label} ({count} of {blocks[label].size})" for label, count in counts.items() if count]
    if not bad:
        return ()
    mend = "Look for 0/0, log(0) and an eᶻ that overflows, first in the gradient."
    return (Cause("not-finite", "extremes", "entries are not finite", None, ", ".join(bad), mend, 0.0, exact=True),)


def names_of(given: Any) -> list[str]:
    """Return the names that a dict of blocks has, each once.

    Raises
    ------
    ArgumentError
        If it is no dict, or empty.
    """
    if not isinstance(given, Mapping) or not given:
        raise ArgumentError(
            f"diagnose: the Hessian is {kind_of(given)}; of a value of a graph it is a dict of blocks by the names of "
            "its inputs, such as {'W': H} or {('W', 'b'): H}"
        )
    return list(dict.fromkeys(name for pair, _ in _pairs(given) for name in pair))
