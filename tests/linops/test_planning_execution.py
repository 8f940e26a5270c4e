"""Chains multiplied out in every way that is allowed, and not only by the cheapest."""

from __future__ import annotations

import itertools
from typing import Any
from unittest import mock

import numpy as np

from jacobians import linops
from jacobians.linops import planning
from jacobians.linops.planning import fill
from tests.linops import makers
from tests.linops.comparing import same
from tests.linops.dense_twins import Numbers


def test_every_plan() -> None:
    """All brackets of a chain, carried out in all ways that are allowed, are the same matrix of the same dtype."""
    dense, turn = makers.dense, makers.reshape((5,), (5, 1))
    vectors = dense((2,), (5,)), turn, dense((5, 1), (3,)), dense((3,), (4,))
    scalars = dense((), (5,)), turn, dense((5, 1), (3,)), dense((3,), ())
    kinds = (["float64"] * 4, ["float32", "float32", "float64", "float32"])
    for makes, dtypes in itertools.product((vectors, scalars), kinds):
        made = [make(Numbers(dtype, seed=k)) for k, (make, dtype) in enumerate(zip(makes, dtypes, strict=True))]
        factors, twins = zip(*made, strict=True)
        for bracket in brackets(0, len(factors) - 1):
            same(carried_out(factors, bracket), np.linalg.multi_dot(twins), dtypes[0], what=str(bracket))


def carried_out(factors: Any, bracket: Any) -> np.ndarray:
    """The matrix by this bracket, written into an array of F order."""
    codomain, domain = factors[0].codomain, factors[-1].domain
    out = np.full(codomain + domain, np.nan, dtype=np.result_type(*(f.dtype for f in factors)), order="F")
    fill(factors, bracket, out)
    return out.reshape(factors[0].shape[0], factors[-1].shape[1])


def test_every_plan_by_blocks() -> None:
    """The same for factors that keep examples apart, in rows and in columns, and for a weight behind them."""
    for axis in (0, -1):

        def shape(width: int, axis: int = axis) -> tuple[int, int]:
            return (3, width) if axis == 0 else (width, 3)

        def layer(out: int, into: int, axis: int = axis) -> Any:
            return makers.kronecker(3, (out, into)) if axis == 0 else makers.kronecker((out, into), 3)

        place = (slice(None), slice(0, 2)) if axis == 0 else (slice(0, 2), slice(None))
        makes = [
            makers.minus_outer(shape(2), -1 - axis),
            layer(2, 5),
            makers.diagonal(*shape(5)),
            layer(5, 4),
            makers.blocks((3, 4, 2), shape(4), shape(2), axis),
        ]
        starts = [makes, makes[1:], [layer(2, 3), layer(3, 4), makers.diagonal(*shape(4))]]
        starts.append([makers.transposed(makers.slices(place, shape(3))), makers.diagonal(*shape(2)), layer(2, 4)])
        for start in starts:
            for kinds in (["float64"] * len(start), ["float32", *["float64"] * (len(start) - 1)]):
                made = [make(Numbers(kind, seed=k)) for k, (make, kind) in enumerate(zip(start, kinds, strict=True))]
                factors, twins = (list(part) for part in zip(*made, strict=True))
                width = factors[-1].domain[1 + axis] if axis == -1 else factors[-1].domain[1]
                end, twin = (makers.kronecker((3, 6), width) if axis == 0 else makers.kronecker(width, (3, 6)))(
                    Numbers(seed=9)
                )
                expected = np.linalg.multi_dot(twins)
                for bracket in brackets(0, len(factors) - 1):
                    by_blocks = (bracket, axis)
                    same(carried_out(factors, by_blocks), expected, kinds[0], what=str(by_blocks))
                    for action in ("outer", "rows", "gemm"):
                        by_rows = (by_blocks, len(factors), action)
                        same(carried_out([*factors, end], by_rows), expected @ twin, kinds[0], what=str(by_rows))
                first, before = makers.dense((), factors[0].codomain)(Numbers(seed=8))
                for bracket in brackets(1, len(factors))[::7]:
                    for action in ("columns", "gemm"):
                        by_columns = (0, (bracket, axis), action)
                        found = carried_out([first, *factors], by_columns)
                        same(found, before @ expected, kinds[0], what=str(by_columns))


def test_slabs_of_what_acts() -> None:
    """What acts is written in slabs of so many bytes, all of it, also where there are more rows than bytes in one."""
    for rows, between, columns in ((40, 2, 3), (100, 1, 1)):
        made = [
            make(Numbers(seed=k))
            for k, make in enumerate((makers.dense((rows,), (between,)), makers.dense((between,), (columns,))))
        ]
        factors, twins = zip(*made, strict=True)
        for action, count, each in (
            ("rows", rows, between + columns),
            ("gemm", rows, between + columns),
            ("columns", columns, between + rows),
        ):
            with mock.patch.object(planning, "slabs", side_effect=planning.slabs) as cut:
                same(carried_out(factors, (0, 1, action)), twins[0] @ twins[1], what=action)
            assert [call.args for call in cut.call_args_list] == [(count, 8 * each)], action


def test_what_is_carried_out_stays_within_the_limit() -> None:
    """What is carried out stays within the limit, whatever it costs."""
    makes = [makers.dense((m,), (n,)) for m, n in [(10, 80), (80, 10), (10, 80), (80, 5)]]
    chain = linops.Product(tuple(make(Numbers(seed=k))[0] for k, make in enumerate(makes)))
    done: list[Any] = []
    with mock.patch("jacobians.linops.products_and_sums.fill", lambda factors, bracket, out: done.append(bracket)):
        for limit in (4_000, 1_600):
            chain.to_dense(limit=limit)
    assert done == [chain.plan().bracket, chain.plan(limit=1_600).bracket], done


def test_what_reorders_at_either_end_is_a_view() -> None:
    """A commutation or a reshaping at either end is a view, and says so only where it is one."""
    dense = makers.dense
    for before, inner, after in [
        (makers.commutation(3, 2), dense((3, 2), (4, 5)), makers.commutation(5, 4)),
        (makers.reshape((1, 6), (6,)), dense((6,), (4, 1, 5)), makers.reshape((4, 1, 5), (4, 5))),
        (makers.reshape((6,), (1, 6, 1)), dense((1, 6, 1), (20,)), makers.reshape((20,), (1, 20))),
    ]:
        made = [make(Numbers(seed=k)) for k, make in enumerate((before, inner, after))]
        factors, twins = zip(*made, strict=True)
        expected = np.linalg.multi_dot(twins)
        for bracket in (((0, 1, "column view"), 2, "row view"), (0, (1, 2, "row view"), "column view")):
            same(carried_out(factors, bracket), expected, what=str(bracket))
        same(linops.Product(factors).to_dense(), expected)
        same(
            linops.Product(factors).to_dense("F"),
            linops.Dense(expected.reshape(factors[0].codomain + factors[-1].domain), factors[0].codomain).to_dense("F"),
        )


def brackets(first: int, last: int) -> list[Any]:
    """Every bracket of the factors first … last with every action that fits it."""
    if first == last:
        return [first]
    out: list[Any] = []
    for cut in range(first, last):
        for left, right in itertools.product(brackets(first, cut), brackets(cut + 1, last)):
            ways = ["gemm"] + ["columns"] * isinstance(left, int) + ["rows"] * isinstance(right, int)
            out += [(left, right, way) for way in ways]
    return out
