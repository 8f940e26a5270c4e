"""scikit-learn's multilayer perceptrons: their gradients are the convention's, with no option but the task.

Skipped without scikit-learn. `_loss_grad_lbfgs` is the function that its optimiser calls.
"""

from __future__ import annotations

import numpy as np
import pytest

from jacobians import Network


@pytest.mark.filterwarnings("ignore")  # it does not converge in one step
@pytest.mark.parametrize(
    ("model", "task", "activation", "outputs"),
    [
        ("MLPRegressor", "regression", "relu", 2),
        ("MLPRegressor", "regression", "tanh", 1),
        ("MLPClassifier", "classification", "relu", 3),
        ("MLPClassifier", "yes/no", "logistic", 1),
    ],
)
@pytest.mark.parametrize("alpha", [0.0, 0.7])
def test_gradient(model: str, task: str, activation: str, outputs: int, alpha: float) -> None:
    neural_network = pytest.importorskip("sklearn.neural_network")
    rng = np.random.default_rng(0)
    X, count = rng.normal(size=(9, 3)), 9
    labels = np.arange(count) % max(outputs, 2)
    y = rng.normal(size=(count, outputs)) if task == "regression" else labels
    fitted = getattr(neural_network, model)(
        hidden_layer_sizes=(4,), solver="lbfgs", activation=activation, alpha=alpha, max_iter=1, random_state=0
    )
    fitted.fit(X, y.ravel() if outputs == 1 else y)
    if not hasattr(fitted, "_loss_grad_lbfgs"):
        pytest.skip("this scikit-learn computes its gradient elsewhere")
    arrays = [*fitted.coefs_, *fitted.intercepts_]
    params = {f"{'W' if i < 2 else 'b'}{i % 2 + 1}": a for i, a in enumerate(arrays)}
    targets = np.eye(outputs)[labels] if task == "classification" else np.reshape(y, (count, outputs))
    loss, theirs = _loss_and_gradient(fitted, arrays, X, targets)
    own = {"relu": None, "tanh": "tanh", "logistic": "sigmoid"}[activation]  # its default is the convention's
    net = Network.dense((3, 4, outputs), convention="sklearn-mlp", task=task, activation=own, l2=alpha)
    np.testing.assert_allclose(net.pack(net.gradient(params, X, targets)), theirs, rtol=1e-12, atol=1e-15)
    # issue #8349: the regressor's printed loss is divided by the number of outputs too
    data = net.run(params, X, targets).loss
    divided = data / outputs if task == "regression" else data
    assert loss == pytest.approx(net.value(params, X, targets) - data + divided, rel=1e-12)


def _loss_and_gradient(fitted: object, arrays: list[np.ndarray], X: np.ndarray, targets: np.ndarray):  # type: ignore[no-untyped-def]
    packed = np.concatenate([a.ravel() for a in arrays])
    activations: list[np.ndarray | None] = [X, None, None]
    deltas: list[np.ndarray | None] = [None, None]
    coefs = [np.empty_like(a) for a in arrays[:2]]
    intercepts = [np.empty_like(a) for a in arrays[2:]]
    arguments = [packed, X, targets, activations, deltas, coefs, intercepts]
    loss = fitted._loss_grad_lbfgs  # type: ignore[attr-defined]
    try:
        return loss(*arguments)
    except TypeError:  # newer versions take weights of the examples
        return loss(packed, X, targets, None, *arguments[3:])
