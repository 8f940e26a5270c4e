"""KhatriRao."""

from __future__ import annotations

from unittest import mock

import numpy as np
import pytest

from jacobians.errors import DTypeError, ShapeError
from jacobians.linops import Dense, KhatriRao, batch, kernels
from tests.linops.tools import draw, same


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
