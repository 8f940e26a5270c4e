"""torch: eager, compiled, and `torch.func`; its bare matrix products, because its BLAS is not NumPy's."""

from __future__ import annotations

import warnings
from functools import partial

import numpy as np
import torch
from torch.func import grad, jacfwd, jacrev, jvp, vjp, vmap
from torch.nn.functional import cross_entropy

from tests.benchmarks import tied
from tests.benchmarks.contest import Contender, skipped
from tests.benchmarks.floors import gradient_products
from tests.benchmarks.layers import Layer
from tests.benchmarks.matrices import MatrixProblem
from tests.benchmarks.nets import Net
from tests.benchmarks.peers import torch_layers
from tests.benchmarks.peers.torch_net import Params, data, output, packed


def gradient(net: Net) -> list[Contender]:
    """Eager, torch.compile, and the products of the two passes alone."""
    params, X, y = data(net)
    for p in params.values():
        p.requires_grad_()
    names, leaves = list(params), list(params.values())

    def loss(params: Params, X: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return cross_entropy(output(net, params, X), y)

    def read(grads: tuple[torch.Tensor, ...]) -> dict[str, np.ndarray]:
        return dict(zip(names, (g.numpy() for g in grads), strict=True))

    eager = Contender("torch eager", "peer", lambda: torch.autograd.grad(loss(params, X, y), leaves), read)
    compiled = torch.compile(loss, dynamic=False)

    def run() -> tuple[torch.Tensor, ...]:
        return torch.autograd.grad(compiled(params, X, y), leaves)

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            run()
    except Exception as error:  # whatever its compiler or this Python lacks
        other = skipped("torch.compile", f"{type(error).__name__}: {str(error).strip().splitlines()[0][:120]}")
    else:
        other = Contender("torch.compile", "peer", run, read)
    return [eager, other, _bare_products(net)]


def _bare_products(net: Net) -> Contender:
    from tests.benchmarks.timing import fastest

    rng, chosen = np.random.default_rng(1), []
    for left, right in gradient_products(net):
        found = {}
        for k in range(8):
            a, b = (torch.tensor(rng.normal(size=s).astype(net.dtype)) for s in (left, right))
            a = a.T.contiguous().T if k & 1 else a
            b = b.T.contiguous().T if k & 2 else b
            a, b = (b.T, a.T) if k & 4 else (a, b)
            found[str(k)] = partial(torch.mm, a, b, out=torch.empty(a.shape[0], b.shape[1], dtype=a.dtype))
        chosen.append(found[fastest(found)])

    def run() -> None:
        for product in chosen:
            product()

    return Contender("torch.mm, the products alone", "products", run)


def jacobian_by_parameters(net: Net) -> list[Contender]:
    params, X, _ = data(net)
    run = vmap(jacrev(lambda p, x: output(net, p, x)), in_dims=(None, 0))
    rows = net.examples * net.widths[-1]

    def read(found: Params) -> dict[str, np.ndarray]:
        return {"matrix": packed(list(found.values()), 2).reshape(rows, -1)}

    return [Contender("torch vmap(jacrev)", "peer", partial(run, params, X), read)]


def blocks(net: Net) -> list[Contender]:
    params, X, _ = data(net)
    run = vmap(jacrev(lambda p, x: output(net, p, x), argnums=1), in_dims=(None, 0))
    return [Contender("torch vmap(jacrev)", "peer", partial(run, params, X), lambda J: {"blocks": J.numpy()})]


def jacobian_by_inputs(net: Net) -> list[Contender]:
    """The dense matrix: its blocks written among zeros."""
    (inner,) = blocks(net)
    N, K, D = net.examples, net.widths[-1], net.widths[0]
    places = torch.arange(N)

    def run() -> torch.Tensor:
        J = inner.call()
        matrix = torch.zeros(N, K, N, D, dtype=J.dtype)
        matrix[places, :, places, :] = J
        return matrix.view(N * K, N * D)

    return [Contender("torch vmap(jacrev), placed", "peer", run, lambda J: {"matrix": J.numpy()})]


def _per_example(net: Net):
    params, X, y = data(net)
    one = grad(lambda p, x, t: cross_entropy(output(net, p, x), t))
    return partial(vmap(one, in_dims=(None, 0, 0)), params, X, y)


def per_example(net: Net) -> list[Contender]:
    run = _per_example(net)
    return [Contender("torch vmap(grad)", "peer", run, lambda g: {"gradients": packed(list(g.values()), 1)})]


def norms(net: Net) -> list[Contender]:
    grads = _per_example(net)

    def run() -> torch.Tensor:
        return sum(g.flatten(1).square().sum(1) for g in grads().values())

    return [Contender("torch vmap(grad), squared", "peer", run, lambda n: {"norms": n.numpy()})]


def gram(net: Net) -> list[Contender]:
    grads = _per_example(net)

    def run() -> torch.Tensor:
        return sum(g.flatten(1) @ g.flatten(1).T for g in grads().values())

    return [Contender("torch vmap(grad), multiplied", "peer", run, lambda n: {"gram": n.numpy()})]


def gauss_newton_product(net: Net, v: np.ndarray) -> list[Contender]:
    params, X, _ = data(net)
    parts, start = {}, 0
    for name, p in params.items():
        parts[name] = torch.tensor(v[start : start + p.numel()]).view(p.shape)
        start += p.numel()

    def forward(p: Params) -> torch.Tensor:
        return output(net, p, X)

    def run() -> Params:
        Z, tangent = jvp(forward, (params,), (parts,))
        P = torch.softmax(Z, 1)
        T = P * tangent
        cotangent = (T - P * T.sum(1, keepdim=True)) / len(X)
        return vjp(forward, params)[1](cotangent)[0]

    return [Contender("torch jvp, vjp", "peer", run, lambda g: {"product": packed(list(g.values()), 0)})]


def hessian_product(net: Net, v: np.ndarray) -> list[Contender]:
    """Forward over reverse."""
    params, X, y = data(net)
    parts, start = {}, 0
    for name, p in params.items():
        parts[name] = torch.tensor(v[start : start + p.numel()]).view(p.shape)
        start += p.numel()
    gradient_of = grad(lambda p: cross_entropy(output(net, p, X), y))

    def run() -> Params:
        return jvp(gradient_of, (params,), (parts,))[1]

    return [Contender("torch jvp(grad)", "peer", run, lambda g: {"product": packed(list(g.values()), 0)})]


def _tied(params: Params, X: torch.Tensor) -> torch.Tensor:
    hidden = torch.sigmoid(X @ params["W"] + params["b"])
    return ((hidden @ params["W"].T + params["c"] - X) ** 2).sum(-1)


def _tied_data(net: Net) -> tuple[Params, torch.Tensor]:
    params = {name: torch.tensor(a) for name, a in tied.arrays(net).items()}
    return params, params.pop("X")


def tied_gradient(net: Net) -> list[Contender]:
    params, X = _tied_data(net)
    run = grad(lambda p: _tied(p, X).mean())

    def read(found: Params) -> dict[str, np.ndarray]:
        return {name: g.numpy() for name, g in found.items()}

    leaves = {name: p.clone().requires_grad_() for name, p in params.items()}

    def eager() -> Params:
        return dict(zip(leaves, torch.autograd.grad(_tied(leaves, X).mean(), list(leaves.values())), strict=True))

    return [
        Contender("torch.func.grad", "peer", partial(run, params), read),
        Contender("torch eager", "peer", eager, read),
    ]


def tied_norms(net: Net) -> list[Contender]:
    params, X = _tied_data(net)
    each = vmap(grad(_tied), in_dims=(None, 0))

    def run() -> torch.Tensor:
        return sum(g.flatten(1).square().sum(1) for g in each(params, X).values())

    return [Contender("torch vmap(grad), squared", "peer", run, lambda n: {"norms": n.numpy()})]


def layer_gradient(layer: Layer) -> list[Contender]:
    return torch_layers.gradient(layer)


def layer_norms(layer: Layer) -> list[Contender]:
    return torch_layers.norms(layer)


def matrix_jacobian(problem: MatrixProblem) -> list[Contender]:
    """By forward and by reverse mode."""
    A, B = map(torch.tensor, problem.arrays())
    functions = {
        "inverse": torch.linalg.inv,
        "solve": lambda A: torch.linalg.solve(A, B),
        "cholesky": torch.linalg.cholesky,
    }
    return [
        Contender(f"torch {mode.__name__}", "peer", partial(mode(functions[problem.function]), A), problem.along)
        for mode in (jacfwd, jacrev)
    ]


def logdet_gradient(problem: MatrixProblem) -> list[Contender]:
    """Eager."""
    A = torch.tensor(problem.arrays()[0], requires_grad=True)

    def run() -> tuple[torch.Tensor, torch.Tensor]:
        value = torch.linalg.slogdet(A)[1]
        return value.detach(), torch.autograd.grad(value, A)[0]

    return [Contender("torch", "peer", run, lambda f: {"value": f[0].numpy(), "gradient": f[1].numpy()})]
