"""The ten laws of an operation, and one call that runs those that apply."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array
from jacobians.linops import Denominator, Dense, Diagonal, Jacobian
from jacobians.operations import Jacobians
from jacobians.testing.batch_laws import BatchReduction, assert_batch
from jacobians.testing.chain_laws import assert_association
from jacobians.testing.compare import (
    OperationLike,
    agree,
    as_arrays,
    called,
    draw,
    evaluate,
    generator,
    is_large,
    largest,
    outcome,
    term_size,
)
from jacobians.testing.jacobian_laws import (
    assert_adjoint,
    assert_dense_twin,
    assert_one_source,
    assert_probed,
    assert_vec,
)
from jacobians.testing.purity_and_dtype import assert_dtype, assert_purity
from jacobians.testing.reference import assert_reference

__all__ = ["assert_operation_laws", "assert_pull"]


def assert_operation_laws(
    operation: OperationLike,
    arrays: Sequence[npt.ArrayLike],
    rng: np.random.Generator | None = None,
    *,
    twins: Mapping[str, Array] | None = None,
    axes: Sequence[int | None] | None = None,
    out_axis: int | None = None,
    reduction: BatchReduction = "none",
    integers: bool = True,
    directions: int = 2,
    coordinates: int = 24,
) -> None:
    """Run all laws that apply to an operation at these inputs.

    A Jacobian of over two million entries, as of 15 × 100 inputs and as many outputs, is not written out: it is probed
    along a dozen tangents and cotangents (`assert_probed`), so time and memory grow as those of some hundred
    evaluations do. Law 6 needs the operation in other layouts, so it is called by itself: `assert_layouts`.

    Parameters
    ----------
    operation : callable
        ``operation(*arrays)`` returns the value and its Jacobians: an object that iterates over the names of the
        inputs in their order and gives the Jacobian by each, such as `Jacobians` or a dict; or one Jacobian, by the
        first input. Inputs after those are held constant.
    arrays : sequence of array_like
        The inputs, away from kinks; best small, since then dense matrices are compared.
    rng : Generator, optional
        For tangents, cotangents and directions; a fixed seed unless given.
    twins : mapping of ndarray, optional
        By input's name its Jacobian's matrix in C order, built independently: law 1.
    axes, out_axis, reduction
        Where the examples lie: law 8 is run if `axes` is given, see `assert_batch`.
    integers : bool
        Whether the operation is defined at the inputs rounded away from 0, see `assert_dtype`.
    directions, coordinates : int
        See `assert_reference`.

    Raises
    ------
    AssertionError
        Names the law, the input and the numbers.

    Examples
    --------
    >>> from jacobians import affine
    >>> rng = np.random.default_rng(1)
    >>> X, W, b = rng.normal(size=(4, 3)), rng.normal(size=(3, 2)), rng.normal(size=2)
    >>> assert_operation_laws(affine, [X, W, b], axes=(0, None, None), out_axis=0)

    An operation of one's own is a function that returns a value and a Jacobian:

    >>> def cube(X):
    ...     X = np.asarray(X, dtype=np.float64)
    ...     return X**3, Diagonal(2 * X**2)
    >>> assert_operation_laws(cube, [[1.0, 2.0]])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    AssertionError: law reference: cube with respect to X, random direction 0: J·t is ...
    """
    rng, given = generator(rng), as_arrays(arrays)
    assert_reference(operation, given, rng, directions=directions, coordinates=coordinates)
    assert_purity(operation, given, rng)
    assert_dtype(operation, given, rng, integers=integers)
    if axes is not None:
        assert_batch(operation, given, rng, axes=axes, out_axis=out_axis, reduction=reduction)
    _, jacobians = evaluate("one source", operation, given)
    for name, jacobian in jacobians.items():
        what = f"{called(operation)} with respect to {name}"
        if is_large(jacobian):
            assert_probed(jacobian, rng, what=what)
            continue
        assert_adjoint(jacobian, rng, what=what)
        assert_one_source(jacobian, rng, what=what)
        for factors in _chains_through(jacobian, rng):
            assert_association(factors, rng, what=f"a chain through {what}")
        assert_vec(jacobian, rng, what=what)
        if twins is not None and name in twins:
            assert_dense_twin(jacobian, twins[name], what=what)
    found = outcome(operation, given)[1]
    if isinstance(found, Jacobians):
        assert_pull(found, rng)


def assert_pull(jacobians: Jacobians, rng: np.random.Generator | None = None) -> None:
    """Law 4 for an operation that pulls cotangents back by its own sweep: the same as through each Jacobian.

    Examples
    --------
    >>> from jacobians.operations import Affine, Chain, Sigmoid
    >>> assert_pull(Chain(Affine(), Sigmoid())(np.ones((4, 3)), np.ones((3, 2)), np.ones(2))[1])
    """
    rng = generator(rng)
    numerators = {name: jacobians.numerator(name) for name in jacobians}
    names = list(numerators)
    row = Dense(draw(rng, numerators[names[0]].codomain))
    rows, some, arrays = jacobians.pull(row), jacobians.pull(row, names[1:]), jacobians.pull(row.array)
    for name, jacobian in numerators.items():
        what = f"{jacobians.operation} with respect to {name}, pull(row) and row @ J"
        size, expected = largest(row.array) * term_size(jacobian), (row @ jacobian).gradient
        for found in (rows[name].gradient, arrays[name], *(some[n].gradient for n in some if n == name)):
            agree("one source", what, found, expected, dtype=jacobian.dtype, scale=size)


def _chains_through(jacobian: Jacobian, rng: np.random.Generator) -> tuple[list[Jacobian], list[Jacobian]]:
    """The Jacobian between diagonals behind a row, and before a column, in the order of its derivative layout."""
    dtype = jacobian.dtype
    row: Jacobian = Dense(draw(rng, jacobian.codomain, dtype))
    column: Jacobian = Dense(draw(rng, jacobian.domain, dtype), jacobian.domain)
    outer, inner = (Diagonal(draw(rng, shape, dtype)) for shape in (jacobian.codomain, jacobian.domain))
    if isinstance(jacobian, Denominator):
        return [inner, jacobian, outer, Denominator(row)], [Denominator(column), inner, jacobian]
    return [row, outer, jacobian, inner], [jacobian, inner, column]
