"""Random nets and graphs: Hessians whole, by blocks and on the diagonal, against jax.hessian."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from jacobians import Convention, Layout, Network, Run, hessian
from jacobians.operations import Affine, Chain, Exp, Operation, Residual, Softmax, Square, find_activation
from tests.figures.tables import table

_SHAPES, _QUICK, _EACH = 100, 4, 50
"""Nets of different structure, and how many of each: jax compiles once for all of these."""

Drawn = tuple[
    str, Network, Callable[[np.random.Generator], tuple[np.ndarray, np.ndarray]], Callable[[Any, Any, Any], Any]
]
"""A kind, a net, what draws its data, and its objective of packed parameters and data in jax."""

_HIDDEN = ("sigmoid", "tanh", "softplus", "silu", "gelu", "relu", "leaky_relu", "exp", "square", "softmax")
_MORE: dict[str, Callable[[Layout], Operation]] = {
    "exp": lambda _: Exp(),
    "square": lambda _: Square(),
    "softmax": lambda layout: Softmax(layout),
}
_LOSSES = ("cross_entropy", "binary_cross_entropy", "squared_error", "logistic_loss")


def measure(*, quick: bool = False, shapes: range | None = None) -> dict[str, Any]:
    """Compare each net's Hessian; the error is relative to the largest entry of jax's."""
    import jax

    jax.config.update("jax_enable_x64", True)
    rows: dict[str, dict[str, float]] = {}
    failures: list[str] = []
    for number in shapes or range(_QUICK if quick else _SHAPES):
        rng = np.random.default_rng(number)
        kind, net, draw, objective = (chain if number % 4 else graph)(rng)
        reference = jax.jit(jax.hessian(objective))
        row = rows.setdefault(kind, {"nets": 0, **dict.fromkeys(_COMPARED, 0.0), "Gauss–Newton off by": 0.0})
        for k in range(_EACH):
            X, Y = draw(rng)
            run = net.run({name: 0.7 * rng.normal(size=shape) for name, shape in net.shapes().items()}, X, Y)
            expected = np.asarray(reference(net.pack(run.params), X, Y))
            failures += [f"net {number}, {k}: {text}" for text in _compare(run, expected, rng, row)]
    return {"kinds": rows, "failures": failures}


_COMPARED = ("whole", "products", "blocks", "diagonal")


def _compare(run: Run, expected: np.ndarray, rng: np.random.Generator, row: dict[str, float]) -> list[str]:
    """Add a net to its kind's row, and return what is off by more than 1e-12."""
    size = float(np.abs(expected).max()) or 1.0
    H = hessian(run)
    v = rng.normal(size=len(expected))
    blocks, start = 0.0, 0
    for name in run.network.convention.packing_order(run.params):
        part = slice(start, start + run.params[name].size)
        start = part.stop
        blocks = max(blocks, float(np.abs(H.block(name).to_dense() - expected[part, part]).max()))
    errors = {
        "whole": float(np.abs(H.to_dense() - expected).max()),
        "products": float(np.abs(H @ v - expected @ v).max()) / np.abs(v).sum(),
        "blocks": blocks,
        "diagonal": float(np.abs(H.diagonal() - np.diag(expected)).max()),
    }
    row["nets"] += 1
    for what, error in errors.items():
        row[what] = max(row[what], error / size)
    apart = float(np.abs((H.gauss_newton + H.penalty).to_dense() - expected).max()) / size
    row["Gauss–Newton off by"] = max(row["Gauss–Newton off by"], apart)
    wrong = {what: error / size for what, error in errors.items() if not error <= 1e-12 * size}
    return [f"{what} is off by {error:.2g}: {run.network!r}" for what, error in wrong.items()]


def chain(rng: np.random.Generator) -> Drawn:
    """A net of operations in a row, some in a residual sum, in any affine form; and its objective in jax."""

    layout = Layout(
        batch=str(rng.choice(["rows", "columns"])),  # type: ignore[arg-type]
        weights=str(rng.choice(["rows", "columns"])),  # type: ignore[arg-type]
        bias=str(rng.choice(["separate", "first", "last", "none"])),  # type: ignore[arg-type]
    )
    loss = str(rng.choice(_LOSSES))
    reduction = str(rng.choice(["mean", "sum", "mean-all"]))
    convention = Convention("random", layout, reduction=reduction, l2="half")  # type: ignore[arg-type]
    depth, count = int(rng.integers(1, 4)), int(rng.integers(1, 7))
    widths = [int(n) for n in rng.integers(1, 6, size=depth + 1)]
    widths[-1] = max(2, widths[-1])
    parts: list[Operation] = []
    steps: list[tuple[str, str]] = []
    for n_in, n_out in itertools.pairwise(widths):
        parts.append(Affine(layout, (n_in, n_out)))
        steps.append(("affine", ""))
        if n_out != widths[-1] or rng.random() < 0.5:
            name = str(rng.choice(_HIDDEN))
            own: Operation = _MORE[name](layout) if name in _MORE else find_activation(name)
            if rng.random() < 0.3:
                parts.append(Residual(Chain(Affine(layout, (n_out, n_out)), own)))
                steps.append(("residual", name))
            else:
                parts.append(own)
                steps.append(("activation", name))
    strength = float(rng.choice([0.0, 0.3]))
    net = Network(parts, loss, convention, l2=strength)

    def draw(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        X = rng.normal(size=layout.batch_shape(count, widths[0]))
        return X, net.loss.sample_targets(layout.batch_shape(count, widths[-1]), rng)

    def objective(theta: Any, X: Any, Y: Any) -> Any:
        own = _unpacked(theta, net)
        order = iter(net.shapes())
        penalty = 0.0

        def affine(A: Any) -> Any:
            nonlocal penalty
            W = own[next(order)]
            W = W.T if layout.weights == "rows" else W
            bias: Any = 0.0
            if layout.bias == "separate":
                bias = own[next(order)].reshape(1, -1)
            elif layout.bias != "none":
                bias, W = (W[:1], W[1:]) if layout.bias == "first" else (W[-1:], W[:-1])
            penalty = penalty + strength / 2 * (W * W).sum()
            return A @ W + bias

        A = X if layout.batch == "rows" else X.T
        for kind, name in steps:
            if kind == "affine":
                A = affine(A)
            else:
                A = A + _activation(name, affine(A)) if kind == "residual" else _activation(name, A)
        targets = Y if layout.batch == "rows" or Y.ndim == 1 else Y.T
        each = _loss(loss, A, targets)
        total = each.sum() / {"sum": 1, "mean": len(A), "mean-all": A.size}[reduction]
        return total + penalty

    return "chains", net, draw, objective


def _unpacked(theta: Any, net: Network) -> dict[str, Any]:
    own, start = {}, 0
    shapes = net.shapes()
    for name in net.convention.packing_order(shapes):
        n = int(np.prod(shapes[name]))
        own[name] = theta[start : start + n].reshape(shapes[name])
        start += n
    return own


def _activation(name: str, Z: Any) -> Any:
    import jax
    import jax.numpy as jnp

    found = {
        "sigmoid": jax.nn.sigmoid,
        "tanh": jnp.tanh,
        "softplus": _softplus,
        "silu": jax.nn.silu,
        "gelu": lambda Z: jax.nn.gelu(Z, approximate=False),
        "relu": jax.nn.relu,
        "leaky_relu": jax.nn.leaky_relu,
        "exp": jnp.exp,
        "square": jnp.square,
        "softmax": lambda Z: jax.nn.softmax(Z, axis=1),
    }
    return found[name](Z)


def _loss(name: str, Z: Any, Y: Any) -> Any:
    import jax
    import jax.numpy as jnp

    match name:
        case "cross_entropy":
            return -jax.nn.log_softmax(Z)[jnp.arange(len(Z)), Y]
        case "binary_cross_entropy":
            return (_softplus(Z) - Y * Z).sum(axis=1)
        case "squared_error":
            return ((Z - Y) ** 2).sum(axis=1)
    return _softplus(-Y * Z).sum(axis=1)


def _softplus(Z: Any) -> Any:
    """log(1 + eᶻ) by e^−|z|: of jax.nn.softplus the second derivative cancels, by 2e-9 of its size at 15."""
    import jax.numpy as jnp

    return jnp.maximum(Z, 0) + jnp.log1p(jnp.exp(-abs(Z)))


def graph(rng: np.random.Generator) -> Drawn:
    """A function of values in which a weight is used several times; the same function runs in jax."""
    import jax.numpy as jnp

    n, k = int(rng.integers(2, 5)), int(rng.integers(1, 4))
    steps = int(rng.integers(1, 4))
    choice = rng.integers(4, size=steps)

    def forward(X: Any, W: Any, V: Any, b: Any, np_: Any) -> Any:
        H = X
        for one in choice:
            if one == 0:
                H = np_.tanh(H @ V + b) + H
            elif one == 1:
                H = H * np_.sin(H @ V) + b
            elif one == 2:
                H = (H @ W) @ W.T + np_.exp(-(H * H))
            else:
                H = np_.log1p(H * H) @ V / (1.0 + b * b)
        return H

    net = Network(
        lambda X, W, V, b: forward(X, W, V, b, np),
        "squared_error",
        "cs231n",
        shapes={"W": (n, k), "V": (n, n), "b": (n,)},
    )

    def draw(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        return rng.normal(size=(4, n)), rng.normal(size=(4, n))

    def objective(theta: Any, X: Any, Y: Any) -> Any:
        own = _unpacked(theta, net)
        found = forward(X, own["W"], own["V"], own["b"], jnp)
        return net.loss.factor / len(X) * ((found - Y) ** 2).sum()

    return "graphs", net, draw, objective


def report(result: dict[str, Any]) -> str:
    """The table."""
    columns = ("nets", "whole", "products", "blocks", "diagonal", "Gauss–Newton off by")
    rows = [[kind, *(row[name] for name in columns)] for kind, row in sorted(result["kinds"].items())]
    total = f"{sum(int(row[1]) for row in rows)} nets, {len(result['failures'])} failures above 1e-12"
    return "\n\n".join([table(("", *columns), rows), total, *result["failures"][:20]])
