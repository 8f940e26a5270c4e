"""The rounding allowance: above what rounding does, far below what a bug does."""

import numpy as np
import pytest

from jacobians import Network, translate_batch, translate_gradients, translate_parameters
from jacobians.comparison.compare import rounding_allowance


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("convention", ["ng-ml-2011", "ng-dlai", "cs231n"])
def test_the_gradient_in_longer_precision_lies_within(convention, dtype):
    rng = np.random.default_rng(0)
    net = Network.dense((30, 20, 10), convention=convention, activation="tanh")
    params = net.init(rng, dtype)
    X = translate_batch(rng.normal(size=(50, 30)), "cs231n", convention).astype(dtype)
    labels = rng.integers(0, 10, 50)
    run = net.run(params, X, labels)
    # float64 stands in for exact where float32 is judged; for float64 another convention's order of sums does
    if dtype == np.float32:
        wide = {name: array.astype(np.float64) for name, array in params.items()}
        exact = net.gradient(wide, X.astype(np.float64), labels)
    else:
        other = Network.dense((30, 20, 10), convention="sklearn-mlp", activation="tanh")
        moved = translate_parameters(params, convention, "sklearn-mlp")
        found = other.gradient(moved, translate_batch(X, convention, "sklearn-mlp"), labels)
        exact = translate_gradients(found, "sklearn-mlp", convention)
    allowance = rounding_allowance(run)
    for name, gradient in run.gradient().items():
        difference = np.abs(gradient - exact[name]).max()
        assert difference <= allowance[name]
        assert allowance[name] < 1e-2 * (np.finfo(dtype).eps / 1e-7 + 1e-3) * max(np.abs(gradient).max(), 1)
