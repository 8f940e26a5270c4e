"""The library's own contender of every workload, each as a user would call it; peers are compared with these."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import jacobians as jac
from jacobians import Network, Run, replayed
from jacobians.linops import BlockRow, Jacobian, KhatriRao, Product
from tests.benchmarks.contest import Contender, Read
from tests.benchmarks.nets import Arrays


def also_replayed(name: str, function: Callable[..., Any], *arguments: Any, read: Read) -> tuple[Contender, Contender]:
    """The function as it stands, and replayed."""
    plain = Contender(name, "ours", partial(function, *arguments), read)
    return plain, Contender(f"{name}, replayed", "ours", partial(replayed(function), *arguments), read)


def gradient(net: Network, params: Arrays, X: np.ndarray, y: np.ndarray) -> Arrays:
    """In one call."""
    return net.gradient(params, X, y)


def gradient_by_chain(net: Network, params: Arrays, X: np.ndarray, y: np.ndarray) -> Arrays:
    """As the visible chain: one row, multiplied from the left layer by layer."""
    steps = net.chain.run(X, {own: params[name] for name, own in net.names.items()})
    _, row = net.loss.reduced(steps[-1][0], y)
    grads = {}
    for position in reversed(range(len(steps))):
        jacobians = steps[position][1]
        for name, own in net.names.items():
            place, local = net.chain.owner(own)
            if place == position:
                grads[name] = (row @ jacobians.numerator(local)).gradient
        if position:
            row = row @ jacobians.numerator("X")
    return grads


def by_parameters(run: Run) -> Jacobian:
    """∂outputs/∂θ as a structured object."""
    return run.parameter_jacobian(of="output")


def by_inputs(run: Run) -> Jacobian:
    """∂outputs/∂X as a structured object."""
    return run.jacobian("X", of="output")


def dense(J: Jacobian, out: np.ndarray | None = None) -> np.ndarray:
    """Its matrix, in a fresh array or in the one given."""
    return J.to_dense(out=out)


def blocks(J: Jacobian) -> np.ndarray:
    """∂outputs/∂X as one block for each example, (N, K, D)."""
    return J.block_diagonal().blocks


def per_example(run: Run) -> Jacobian:
    """∂losses/∂θ as a structured object: the factors of every example's gradient."""
    return run.parameter_jacobian(of="losses")


def factors(J: Jacobian) -> list[tuple[np.ndarray, np.ndarray]]:
    """The two factors by parameter; for a bias the first is a column of ones."""
    if not isinstance(J, BlockRow):
        raise TypeError(f"factors: {J!r} is no BlockRow")
    inner = (block.factors[0] if isinstance(block, Product) else block for block in J.blocks)
    return [(block.left, block.right) for block in inner if isinstance(block, KhatriRao)]


def squared_norms(J: Jacobian) -> np.ndarray:
    """‖∂(loss of n)/∂θ‖² of every example, without the gradients."""
    return J.row_norms() ** 2


def gram(J: Jacobian) -> np.ndarray:
    """J Jᵀ, the inner products of the per-example gradients, without them."""
    return J.gram()


def gauss_newton(run: Run) -> Jacobian:
    """Jᵀ H J of the mean loss, a structured object."""
    return jac.gauss_newton(run)


def gauss_newton_diagonal(run: Run) -> np.ndarray:
    """Its exact diagonal."""
    return gauss_newton(run).diagonal()


def planned(J: Jacobian) -> np.ndarray:
    """The matrix of a chain of dense Jacobians, multiplied out in the planned order."""
    return J.to_dense()


def price(J: Jacobian) -> dict[str, float]:
    """What the plan says of it."""
    if not isinstance(J, Product):
        raise TypeError(f"price: {J!r} is no Product")
    plan = J.plan()
    return {"operations": plan.operations, "planned MiB": plan.peak_bytes / 2**20}
