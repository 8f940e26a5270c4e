"""A loss whose examples count by weights is the sum of those of single examples, times the weights."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians.errors import DomainError, ShapeError
from jacobians.layout import Layout
from jacobians.operations import LOSSES, CrossEntropy, SquaredError, Weighted

WEIGHTS = np.array([0.5, 2.0, 0.0, 1.25])


@pytest.mark.parametrize("batch", ["rows", "columns"])
@pytest.mark.parametrize("name", sorted(LOSSES))
def test_it_is_the_weighted_sum_of_single_examples(name: str, batch: str) -> None:
    layout, rng = Layout(batch=batch), np.random.default_rng(0)
    inner = LOSSES[name](reduction="sum", layout=layout).replace(factor=0.5)
    X = rng.normal(size=(4, 3) if batch == "rows" else (3, 4))
    Y = inner.sample_targets(X.shape, rng)
    axis, examples = layout.batch_axis, [np.arange(4) == n for n in range(4)]
    alone = [(X.compress(one, axis), Y.compress(one, axis if Y.ndim > 1 else 0)) for one in examples]
    value = sum(w * inner(x, y)[0] for w, (x, y) in zip(WEIGHTS, alone, strict=True))
    delta = np.concatenate([w * inner(x, y)[1].gradient for w, (x, y) in zip(WEIGHTS, alone, strict=True)], axis)
    for reduction, scale in (("sum", 1), ("mean", 1 / 4), ("mean-all", 1 / 12)):
        loss = Weighted(inner.replace(reduction=reduction), WEIGHTS)
        found, J = loss(X, Y)
        assert found == pytest.approx(scale * value, rel=1e-14)
        np.testing.assert_allclose(J.gradient, scale * delta, rtol=1e-13, atol=1e-15)
        assert loss.decide(X).tolist() == inner.decide(X).tolist()
        if name != "multiclass_hinge":
            dense = loss.hessian(X, Y).to_dense().reshape(*X.shape, *X.shape)
            expected = np.zeros_like(dense)
            for n, (x, y) in enumerate(alone):
                block = WEIGHTS[n] * scale * inner.hessian(x, y).to_dense().reshape(3, 3)
                expected[(n, slice(None), n) if batch == "rows" else (slice(None), n, slice(None), n)] = block
            np.testing.assert_allclose(dense, expected, rtol=1e-13, atol=1e-15)


def test_it_keeps_the_layout_and_the_factor_of_what_it_is_made_of() -> None:
    loss = Weighted(SquaredError(0.5, "sum"), [1.0, 2.0])
    assert (loss.factor, loss.reduction, loss.loss.factor) == (0.5, "sum", 1.0)
    turned = loss.replace(layout="ng-dlai", reduction="mean", factor=3.0)
    assert turned.layout == turned.loss.layout != loss.layout
    assert turned([[1.0, 1.0]], [[0.0, 0.0]])[0] == pytest.approx(3 * (1 + 2) / 2)
    assert repr(loss) == "Weighted(loss=SquaredError(reduction='sum'), weights=an array of shape (2,))"


@pytest.mark.parametrize(
    ("weights", "error", "text"),
    [
        ([[1.0, 2.0]], ShapeError, r"^weighted: weights have shape \(1, 2\); expected one for each example, \(N,\)$"),
        ([1.0, -2.0], DomainError, r"^weighted: the weight of example 1 is -2\.0; expected a finite number ≥ 0$"),
        ([np.nan, 1.0], DomainError, r"the weight of example 0 is nan"),
        (
            [1.0, 2.0, 3.0],
            ShapeError,
            r"^weighted: X \(2, 2\) holds 2 examples, the loss 3 weights .*; give one weight",
        ),
    ],
)
def test_weights_that_do_not_fit(weights: object, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        Weighted(CrossEntropy(), weights)([[1.0, 0.0], [0.0, 1.0]], [0, 1])  # type: ignore[arg-type]
