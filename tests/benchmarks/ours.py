"""The library's own contender of every workload, each as a user would call it; peers are compared with these."""

from __future__ import annotations

import numpy as np

from jacobians import Network, Run
from jacobians.linops import BlockDiagonal, BlockRow, DiagonalMinusOuter, Jacobian, KhatriRao, Product
from tests.benchmarks.nets import Arrays


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


def dense(J: Jacobian) -> np.ndarray:
    """Its matrix, in a fresh array."""
    return J.to_dense()


def blocks(J: Jacobian) -> np.ndarray:
    """∂outputs/∂X as one block for each example, (N, K, D): the k-th output's row of every example at once."""
    N, K = J.codomain
    rows = np.zeros((K, N, K), J.dtype)
    rows[np.arange(K), :, np.arange(K)] = 1
    return J.vjp(rows).transpose(1, 0, 2)


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
    return sum(np.einsum("ni,ni->n", a, a) * np.einsum("ni,ni->n", b, b) for a, b in factors(J))


def gram(J: Jacobian) -> np.ndarray:
    """J Jᵀ, the inner products of the per-example gradients, without them."""
    return sum((a @ a.T) * (b @ b.T) for a, b in factors(J))


def gauss_newton(run: Run) -> Jacobian:
    """Jᵀ H J of the mean softmax cross-entropy, a structured object."""
    J, P = by_parameters(run), _probabilities(run)
    return J.T @ (DiagonalMinusOuter(P, P, P, axis=1) / len(P)) @ J


def gauss_newton_diagonal(run: Run) -> np.ndarray:
    """Its exact diagonal: with H = Σ over columns r of r rᵀ, the squares of the rows rᵀ J, which are Khatri–Rao."""
    J, P = by_parameters(run), _probabilities(run)
    if not isinstance(J, BlockRow):
        raise TypeError(f"gauss_newton_diagonal: {J!r} is no BlockRow")
    parts = [np.zeros(block.shape[1], block.dtype) for block in J.blocks]
    for k in range(P.shape[1]):
        column = -P * np.sqrt(P[:, k : k + 1])
        column[:, k] += np.sqrt(P[:, k])
        rows = BlockDiagonal(column[:, None, :], (len(P),), P.shape)
        pairs = factors(BlockRow(tuple(rows @ block for block in J.blocks)))
        for part, (left, right) in zip(parts, pairs, strict=True):
            part += ((left**2).T @ (right**2)).reshape(-1)
    return np.concatenate(parts) / len(P)


def _probabilities(run: Run) -> np.ndarray:
    Z = run.values[run.outputs[-1]]
    P = np.exp(Z - Z.max(axis=1, keepdims=True))
    return P / P.sum(axis=1, keepdims=True)


def planned(J: Jacobian) -> np.ndarray:
    """The matrix of a chain of dense Jacobians, multiplied out in the planned order."""
    return J.to_dense()


def price(J: Jacobian) -> dict[str, float]:
    """What the plan says of it."""
    if not isinstance(J, Product):
        raise TypeError(f"price: {J!r} is no Product")
    plan = J.plan()
    return {"operations": plan.operations, "planned MiB": plan.peak_bytes / 2**20}
