"""JAX, always jitted."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import jax.numpy as jnp
import numpy as np

from tests.benchmarks.contest import Contender
from tests.benchmarks.matrices import MatrixProblem
from tests.benchmarks.nets import Net

jax.config.update("jax_enable_x64", True)  # or it would turn float64 into float32

ACTIVATIONS = {"sigmoid": jax.nn.sigmoid, "relu": jax.nn.relu}
Params = dict[str, jax.Array]


def data(net: Net) -> tuple[Params, jax.Array, jax.Array]:
    params, X, y = net.data()
    return {name: jnp.asarray(a) for name, a in params.items()}, jnp.asarray(X), jnp.asarray(y)


def output(net: Net, params: Params, X: jax.Array) -> jax.Array:
    for k in net.layers:
        X = X @ params[f"W{k}"] + params[f"b{k}"]
        X = ACTIVATIONS[net.activation](X) if k < len(net.layers) else X
    return X


def loss(net: Net, params: Params, X: jax.Array, y: jax.Array) -> jax.Array:
    """Of a batch the mean, of one example its own."""
    logs = jax.nn.log_softmax(output(net, params, X))
    return -jnp.take_along_axis(logs, y[..., None], -1).mean()


def _contender(name: str, function: Callable[..., Any], arguments: tuple[Any, ...], read: Callable[[Any], Any]):
    compiled = jax.jit(function)
    return [Contender(f"JAX jit {name}", "peer", lambda: jax.block_until_ready(compiled(*arguments)), read)]


def _packed(net: Net, parts: Params, lead: int) -> np.ndarray:
    names = [f"{letter}{k}" for k in net.layers for letter in "Wb"]
    arrays = (np.asarray(parts[name]) for name in names)
    return np.concatenate([a.reshape(*a.shape[:lead], -1) for a in arrays], axis=-1)


def gradient(net: Net) -> list[Contender]:
    run = jax.grad(partial(loss, net))
    return _contender("grad", run, data(net), lambda g: {name: np.asarray(a) for name, a in g.items()})


def jacobian_by_parameters(net: Net) -> list[Contender]:
    params, X, _ = data(net)
    run = jax.vmap(jax.jacrev(partial(output, net)), (None, 0))
    rows = net.examples * net.widths[-1]
    return _contender("vmap(jacrev)", run, (params, X), lambda J: {"matrix": _packed(net, J, 2).reshape(rows, -1)})


def blocks(net: Net) -> list[Contender]:
    params, X, _ = data(net)
    run = jax.vmap(jax.jacrev(partial(output, net), 1), (None, 0))
    return _contender("vmap(jacrev)", run, (params, X), lambda J: {"blocks": np.asarray(J)})


def jacobian_by_inputs(net: Net) -> list[Contender]:
    """The dense matrix: its blocks written among zeros."""
    params, X, _ = data(net)
    N, K, D = net.examples, net.widths[-1], net.widths[0]
    inner = jax.vmap(jax.jacrev(partial(output, net), 1), (None, 0))
    places = jnp.arange(N)

    def run(params: Params, X: jax.Array) -> jax.Array:
        matrix = jnp.zeros((N, K, N, D), X.dtype).at[places, :, places, :].set(inner(params, X))
        return matrix.reshape(N * K, N * D)

    return _contender("vmap(jacrev), placed", run, (params, X), lambda J: {"matrix": np.asarray(J)})


def per_example(net: Net) -> list[Contender]:
    run = jax.vmap(jax.grad(partial(loss, net)), (None, 0, 0))
    return _contender("vmap(grad)", run, data(net), lambda g: {"gradients": _packed(net, g, 1)})


def norms(net: Net) -> list[Contender]:
    grads = jax.vmap(jax.grad(partial(loss, net)), (None, 0, 0))

    def run(*arguments: Any) -> jax.Array:
        found = grads(*arguments).values()
        return sum((g.reshape(len(g), -1) ** 2).sum(1) for g in found)

    return _contender("vmap(grad), squared", run, data(net), lambda n: {"norms": np.asarray(n)})


def gauss_newton_product(net: Net, v: np.ndarray) -> list[Contender]:
    """With the linearisation kept from call to call, and computed anew."""
    params, X, _ = data(net)
    parts, start = {}, 0
    for name in (f"{letter}{k}" for k in net.layers for letter in "Wb"):
        p = params[name]
        parts[name] = jnp.asarray(v[start : start + p.size].reshape(p.shape))
        start += p.size

    def curvature(Z: jax.Array, T: jax.Array) -> jax.Array:
        P = jax.nn.softmax(Z)
        T = P * T
        return (T - P * T.sum(1, keepdims=True)) / len(X)

    def forward(p: Params) -> jax.Array:
        return output(net, p, X)

    Z, push = jax.linearize(forward, params)
    pull = jax.linear_transpose(push, params)

    def anew(params: Params, parts: Params) -> Params:
        Z, T = jax.jvp(forward, (params,), (parts,))
        return jax.vjp(forward, params)[1](curvature(Z, T))[0]

    def read(found: Params) -> dict[str, np.ndarray]:
        return {"product": _packed(net, found, 0)}

    return [
        *_contender("linearize, kept", lambda parts: pull(curvature(Z, push(parts)))[0], (parts,), read),
        *_contender("jvp, vjp", anew, (params, parts), read),
    ]


def _unpacked(net: Net, v: jax.Array) -> Params:
    params, _, _ = data(net)
    parts, start = {}, 0
    for name in (f"{letter}{k}" for k in net.layers for letter in "Wb"):
        p = params[name]
        parts[name] = v[start : start + p.size].reshape(p.shape)
        start += p.size
    return parts


def hessian_product(net: Net, v: np.ndarray) -> list[Contender]:
    """Forward over reverse, and with the linearisation of the gradient kept from call to call."""
    params, X, y = data(net)
    parts = _unpacked(net, jnp.asarray(v))
    grad = jax.grad(lambda p: loss(net, p, X, y))
    _, push = jax.linearize(grad, params)

    def read(found: Params) -> dict[str, np.ndarray]:
        return {"product": _packed(net, found, 0)}

    return [
        *_contender("linearize(grad), kept", push, (parts,), read),
        *_contender("jvp(grad)", lambda p, t: jax.jvp(grad, (p,), (t,))[1], (params, parts), read),
    ]


def hessian_matrix(net: Net) -> list[Contender]:
    """jax.hessian of the packed parameters."""
    params, X, y = data(net)
    theta = jnp.asarray(_packed(net, params, 0))
    run = jax.hessian(lambda theta, X, y: loss(net, _unpacked(net, theta), X, y))
    return _contender("hessian", run, (theta, X, y), lambda H: {"matrix": np.asarray(H)})


def gauss_newton_diagonal(net: Net) -> list[Contender]:
    """Σ over examples and columns of the squares of Jᵀ R, with R Rᵀ = diag p − p pᵀ; one example after another."""
    params, X, _ = data(net)

    def of_example(total: Params, x: jax.Array) -> tuple[Params, None]:
        Z, pull = jax.vjp(lambda p: output(net, p, x), params)
        P = jax.nn.softmax(Z)
        root = jnp.sqrt(P)
        R = jnp.diag(root) - jnp.outer(P, root)
        found = jax.vmap(pull, 1)(R)[0]
        return {name: total[name] + (g**2).sum(0) / len(X) for name, g in found.items()}, None

    def run(params: Params, X: jax.Array) -> Params:
        return jax.lax.scan(of_example, {name: jnp.zeros_like(p) for name, p in params.items()}, X)[0]

    return _contender("scan of vjp, squared", run, (params, X), lambda d: {"diagonal": _packed(net, d, 0)})


def matrix_jacobian(problem: MatrixProblem) -> list[Contender]:
    """By forward and by reverse mode, compiled."""
    A, B = map(jnp.asarray, problem.arrays())
    functions: dict[str, Callable[..., Any]] = {
        "inverse": jnp.linalg.inv,
        "solve": lambda A: jnp.linalg.solve(A, B),
        "cholesky": lambda S: jnp.linalg.cholesky(S, symmetrize_input=False),
    }
    found = []
    for mode in (jax.jacfwd, jax.jacrev):
        compiled = jax.jit(mode(functions[problem.function]))
        call = partial(lambda f: jax.block_until_ready(f(A)), compiled)
        found.append(Contender(f"JAX {mode.__name__}", "peer", call, problem.along))
    return found


def logdet_gradient(problem: MatrixProblem) -> list[Contender]:
    """Compiled."""
    A = jnp.asarray(problem.arrays()[0])
    compiled = jax.jit(jax.value_and_grad(lambda A: jnp.linalg.slogdet(A)[1]))

    def read(found: Any) -> dict[str, np.ndarray]:
        return {"value": np.asarray(found[0]), "gradient": np.asarray(found[1])}

    return [Contender("JAX", "peer", lambda: jax.block_until_ready(compiled(A)), read)]
