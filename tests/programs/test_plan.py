"""Which loops train: those that are left after one iteration."""

from __future__ import annotations

import ast

import pytest

from jacobians.programs.plan import plan_of


@pytest.mark.parametrize(
    ("body", "trains"),
    [
        ("W = W - lr * dW\n    print(i, W)", True),
        ("W = W - lr * dW\n    if i % 10 == 0:\n        print('loss')", True),
        ("W[i] = W[i] - lr * dW[i]", False),
        ("dW = f(W, i)\n    W = W - lr * dW", False),
    ],
)
def test_a_loop_trains_where_each_iteration_does_the_same(body: str, trains: bool) -> None:
    tree = ast.parse(f"for i in range(9):\n    {body}\n")
    assert (id(tree.body[0]) in plan_of(tree).training) == trains
