"""Well-known gradient checks with their published defaults, as one question: does it accept this gradient?

Each takes (fun, grad, x) and returns "pass" or "fail"; an exception it raises about the gradient is a failure.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["CHECKERS", "available"]


def torch_slow(fun: Any, grad: Any, x: np.ndarray) -> str:
    """torch.autograd.gradcheck: eps 1e-6, atol 1e-5, rtol 1e-3."""
    return _torch(fun, grad, x, fast=False)


def torch_fast(fun: Any, grad: Any, x: np.ndarray) -> str:
    """The same with fast_mode=True."""
    return _torch(fun, grad, x, fast=True)


def _torch(fun: Any, grad: Any, x: np.ndarray, fast: bool) -> str:
    import torch

    class Objective(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, theta: Any) -> Any:
            ctx.save_for_backward(theta)
            return torch.tensor(fun(theta.detach().numpy()), dtype=torch.float64)

        @staticmethod
        def backward(ctx: Any, cotangent: Any) -> Any:
            (theta,) = ctx.saved_tensors
            return cotangent * torch.from_numpy(np.asarray(grad(theta.detach().numpy())))

    torch.manual_seed(0)
    theta = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    return (
        "pass" if torch.autograd.gradcheck(Objective.apply, (theta,), fast_mode=fast, raise_exception=False) else "fail"
    )


def jax_check_grads(fun: Any, grad: Any, x: np.ndarray) -> str:
    """jax.test_util.check_grads, order 1, reverse mode, in float64."""
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    import jax
    from jax.test_util import check_grads

    jax.config.update("jax_enable_x64", True)
    number, vector = jax.ShapeDtypeStruct((), np.float64), jax.ShapeDtypeStruct(x.shape, np.float64)

    @jax.custom_vjp
    def objective(theta: Any) -> Any:
        return jax.pure_callback(lambda t: np.float64(fun(np.array(t))), number, theta)

    def forward(theta: Any) -> Any:
        return objective(theta), theta

    def backward(theta: Any, cotangent: Any) -> Any:
        found = jax.pure_callback(lambda t: np.asarray(grad(np.array(t)), np.float64), vector, theta)
        return (cotangent * found,)

    objective.defvjp(forward, backward)
    try:
        check_grads(objective, (jax.numpy.asarray(x),), order=1, modes=["rev"])
    except AssertionError:
        return "fail"
    return "pass"


def scipy_check_grad(fun: Any, grad: Any, x: np.ndarray) -> str:
    """scipy.optimize.check_grad below 1e-6."""
    from scipy.optimize import check_grad

    return "pass" if check_grad(fun, grad, x) < 1e-6 else "fail"


def cs231n_relative_error(fun: Any, grad: Any, x: np.ndarray) -> str:
    """CS231n's eval_numerical_gradient with h = 1e-5; the largest relative error below 1e-4."""
    given = np.asarray(grad(x.copy()))
    numerical, moved = np.zeros(x.shape), x.copy()
    for i in range(x.size):
        old = moved[i]
        moved[i] = old + 1e-5
        ahead = fun(moved)
        moved[i] = old - 1e-5
        numerical[i] = (ahead - fun(moved)) / 2e-5
        moved[i] = old
    size = np.abs(given) + np.abs(numerical)
    # the assignments' rel_error: the sum of the sizes, no less than 1e-8
    return "pass" if (np.abs(given - numerical) / np.maximum(1e-8, size)).max() < 1e-4 else "fail"


CHECKERS: dict[str, tuple[str, Callable[[Any, Any, np.ndarray], str]]] = {
    "torch slow": ("torch", torch_slow),
    "torch fast": ("torch", torch_fast),
    "JAX": ("jax", jax_check_grads),
    "SciPy < 1e-6": ("scipy", scipy_check_grad),
    "CS231n 1e-4": ("numpy", cs231n_relative_error),
}


def available(package: str) -> bool:
    """Whether a checker's package is installed."""
    try:
        importlib.import_module(package)
    except ImportError:
        return False
    return True
