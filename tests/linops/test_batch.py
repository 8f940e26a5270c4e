"""BlockDiagonal and KhatriRao."""

from __future__ import annotations

from unittest import mock

import numpy as np
import pytest

from jacobians.errors import DTypeError, ShapeError
from jacobians.linops import BlockDiagonal, Dense, KhatriRao, batch, kernels
from tests.linops.comparing import draw, same


@pytest.mark.parametrize(
    ("blocks", "codomain", "domain", "axis"),
    [
        ((4, 2, 3), (4, 3), (4, 2), 0),
        ((4, 2, 3), (4, 2), (4, 3), -1),
        ((4, 2, 3), (2, 4), (3, 4), 0),
        ((4, 2, 3), (4, 2), (4, 3), 1),
        ((4, 2, 3), (), (4, 3), 0),
        ((2, 3), (2,), (2, 3), 0),
        ((4, 2, 3), (5, 2), (4, 3), 0),
    ],
)
def test_blocks_and_shapes_must_fit(
    blocks: tuple[int, ...], codomain: tuple[int, ...], domain: tuple[int, ...], axis: int
) -> None:
    message = (
        r"^BlockDiagonal: blocks \(.*\) do not map \(.*\) to \(.*\) with examples along axis -?\d; expected \(N, out"
    )
    with pytest.raises(ShapeError, match=message):
        BlockDiagonal(np.ones(blocks), codomain, domain, axis)


@pytest.mark.parametrize("axis", [0, -1])
def test_permuting_examples_permutes_rows(axis: int) -> None:
    turn = [2, 0, 3, 1]
    blocks, x = draw(4, 2, 3), draw(4, 3)
    given = x if axis == 0 else x.T
    shapes = ((4, 2), (4, 3)) if axis == 0 else ((2, 4), (3, 4))
    image = BlockDiagonal(blocks, *shapes, axis).jvp(given)
    turned = BlockDiagonal(blocks[turn], *shapes, axis).jvp(np.take(given, turn, axis))
    same(turned, np.take(image, turn, axis))


def test_a_batch_splits() -> None:
    blocks, x = draw(4, 2, 3), draw(4, 3)
    parts = [BlockDiagonal(blocks[s], (2, 2), (2, 3)).jvp(x[s]) for s in (slice(2), slice(2, 4))]
    same(np.concatenate(parts), BlockDiagonal(blocks, (4, 2), (4, 3)).jvp(x))


def test_repr() -> None:
    assert repr(BlockDiagonal(np.ones((4, 2, 3)), (2, 4), (3, 4), -1)) == (
        "BlockDiagonal(4 of 2×3): 8×12 float64, (3, 4) → (2, 4), 192 B"
    )


@pytest.mark.parametrize(("left", "right"), [((4, 2), (3,)), ((), ())])
def test_ranks_must_agree(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=r"^KhatriRao: factors \(.*\) and \(.*\) must be of equal rank ≥ 1$"):
        KhatriRao(np.ones(left), np.ones(right))


def test_rows_must_agree() -> None:
    with pytest.raises(
        ShapeError, match=r"^KhatriRao: factors \(4, 2\) and \(5, 3\) must agree in all axes but the last$"
    ):
        KhatriRao(np.ones((4, 2)), np.ones((5, 3)))


@pytest.mark.parametrize("name", ["left", "right"])
def test_factors_are_real(name: str) -> None:
    factors = {"left": np.ones((4, 2)), "right": np.ones((4, 3))}
    factors[name] = factors[name].astype(complex)
    with pytest.raises(DTypeError, match=f"^KhatriRao: {name} has dtype complex128"):
        KhatriRao(**factors)


def test_per_example_gradients_sum_to_the_gradient() -> None:
    delta, X = draw(6, 2), draw(6, 3, seed=2)
    J = KhatriRao(delta, X)
    rows = J.vjp(np.eye(6))
    assert rows.shape == (6, 2, 3)
    same(rows, np.stack([np.outer(d, x) for d, x in zip(delta, X, strict=True)]))
    same((Dense(np.ones(6)) @ J).gradient, delta.T @ X)


@pytest.mark.parametrize(
    ("left", "right"), [((5, 2, 3), (5, 1, 4)), ((5, 1, 3), (5, 2, 4)), ((1, 2, 3), (5, 1, 4)), ((1, 1, 3), (5, 2, 4))]
)
def test_broadcast_factors_store_and_cost_less(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    a, b = draw(*left), draw(*right)
    J = KhatriRao(a, b)
    full = KhatriRao(np.array(np.broadcast_to(a, (5, 2, 3))), np.array(np.broadcast_to(b, (5, 2, 4))))
    same(J.to_dense(), full.to_dense())
    assert J.nbytes < full.nbytes
    assert J.flops <= full.flops


def test_sums_come_before_products() -> None:
    """Where one factor is the same along an axis, the other is summed along it before they are multiplied."""
    for left, right, axes in (
        ((5, 2, 3), (5, 1, 4), [(1,)]),
        ((5, 2, 3), (1, 1, 4), [(0, 1)]),
        ((1, 2, 3), (1, 1, 4), [(1,)]),
        ((5, 2, 3), (1, 2, 4), [(0,)]),
        ((5, 3), (5, 4), []),
        ((1, 3), (1, 4), []),
        ((1, 3), (5, 4), []),
        ((5, 3), (5, 1), []),
    ):
        a, b, c = draw(*left), draw(*right, seed=2), draw(*np.broadcast_shapes(left[:-1], right[:-1]), seed=3)
        with mock.patch.object(batch, "total", side_effect=kernels.total) as sums:
            found = KhatriRao(a, b).vjp(c)
        terms = c[..., None, None] * a[..., :, None] * b[..., None, :]
        same(found, terms.reshape(c.size, *terms.shape[-2:]).sum(0))
        assert [call.args[1] for call in sums.call_args_list] == axes, f"{left} and {right}: {sums.call_args_list}"
