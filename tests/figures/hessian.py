"""Random nets and graphs: Hessians whole, by blocks and on the diagonal, against jax.hessian."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from jacobians import Convention, Layout, Network, hessian
from jacobians.operations import Affine, Chain, Exp, Operation, Residual, Softmax, Square, find_activation
from tests.figures.tables import table

_COUNT, _QUICK = 5_000, 100

_HIDDEN = ("sigmoid", "tanh", "softplus", "silu", "gelu", "relu", "leaky_relu", "exp", "square", "softmax")
_MORE: dict[str, Callable[[Layout], Operation]] = {
    "exp": lambda _: Exp(),
    "square": lambda _: Square(),
    "softmax": lambda layout: Softmax(layout),
}
_LOSSES = ("cross_entropy", "binary_cross_entropy", "squared_error", "logistic_loss")


def measure(*, quick: bool = False, seeds: range | None = None) -> dict[str, Any]:
    """Compare each net's Hessian; the error is relative to the largest entry of jax's."""
    import jax

    jax.config.update("jax_enable_x64", True)
    rows: dict[str, dict[str, float]] = {}
    failures = []
    for seed in seeds or range(_QUICK if quick else _COUNT):
        kind, run, objective = (chain if seed % 4 else graph)(np.random.default_rng(seed))
        theta = run.network.pack(run.params)
        expected = np.asarray(jax.hessian(objective)(theta))
        size = float(np.abs(expected).max()) or 1.0
        H = hessian(run)
        dense = H.to_dense()
        v = np.random.default_rng(seed).normal(size=theta.size)
        blocks, start = 0.0, 0
        for name in run.network.convention.packing_order(run.params):
            part = slice(start, start + run.params[name].size)
            start = part.stop
            blocks = max(blocks, float(np.abs(H.block(name).to_dense() - expected[part, part]).max()))
        errors = {
            "whole": float(np.abs(dense - expected).max()),
            "products": float(np.abs(H @ v - expected @ v).max()) / np.abs(v).sum(),
            "blocks": blocks,
            "diagonal": float(np.abs(H.diagonal() - np.diag(expected)).max()),
        }
        row = rows.setdefault(kind, {"nets": 0, **dict.fromkeys(errors, 0.0), "Gauss–Newton off by": 0.0})
        row["nets"] += 1
        for what, error in errors.items():
            row[what] = max(row[what], error / size)
            if not error <= 1e-12 * size:
                failures.append(f"seed {seed}, {what}: off by {error / size:.2g}: {run.network!r}")
        apart = float(np.abs((H.gauss_newton + H.penalty).to_dense() - expected).max()) / size
        row["Gauss–Newton off by"] = max(row["Gauss–Newton off by"], apart)
    return {"kinds": rows, "failures": failures}


def chain(rng: np.random.Generator) -> tuple[str, Any, Callable[[Any], Any]]:
    """A net of operations in a row, some in a residual sum, in any affine form; and its objective in jax."""
    import jax.numpy as jnp

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
    scale = 0.7
    params = {name: scale * rng.normal(size=shape) for name, shape in net.shapes().items()}
    X = rng.normal(size=layout.batch_shape(count, widths[0]))
    Y = net.loss.sample_targets(layout.batch_shape(count, widths[-1]), rng)
    shapes = net.shapes()
    names = net.convention.packing_order(params)

    def objective(theta: Any) -> Any:
        own, start = {}, 0
        for name in names:
            n = int(np.prod(shapes[name]))
            own[name] = theta[start : start + n].reshape(shapes[name])
            start += n
        order = iter(shapes)
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

        A = jnp.asarray(X if layout.batch == "rows" else X.T)
        for kind, name in steps:
            if kind == "affine":
                A = affine(A)
            else:
                A = A + _activation(name, affine(A)) if kind == "residual" else _activation(name, A)
        targets = Y if layout.batch == "rows" or Y.ndim == 1 else Y.T
        each = _loss(loss, A, targets)
        total = each.sum() / {"sum": 1, "mean": len(A), "mean-all": A.size}[reduction]
        return total + penalty

    return "chains", net.run(params, X, Y), objective


def _activation(name: str, Z: Any) -> Any:
    import jax
    import jax.numpy as jnp

    found = {
        "sigmoid": jax.nn.sigmoid,
        "tanh": jnp.tanh,
        "softplus": jax.nn.softplus,
        "silu": jax.nn.silu,
        "gelu": lambda Z: jax.nn.gelu(Z, approximate=False),
        "relu": jax.nn.relu,
        "leaky_relu": jax.nn.leaky_relu,
        "exp": jnp.exp,
        "square": jnp.square,
        "softmax": lambda Z: jax.nn.softmax(Z, axis=1),
    }
    return found[name](Z)


def _loss(name: str, Z: Any, Y: np.ndarray) -> Any:
    import jax
    import jax.numpy as jnp

    match name:
        case "cross_entropy":
            return -jax.nn.log_softmax(Z)[jnp.arange(len(Z)), Y]
        case "binary_cross_entropy":
            return (jax.nn.softplus(Z) - Y * Z).sum(axis=1)
        case "squared_error":
            return ((Z - Y) ** 2).sum(axis=1)
    return jax.nn.softplus(-Y * Z).sum(axis=1)


def graph(rng: np.random.Generator) -> tuple[str, Any, Callable[[Any], Any]]:
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
    X, Y = rng.normal(size=(4, n)), rng.normal(size=(4, n))
    params = {name: 0.7 * rng.normal(size=shape) for name, shape in net.shapes().items()}
    run = net.run(params, X, Y)
    factor, count = net.loss.factor, net.loss.scale(run.results["output"])
    shapes, names = net.shapes(), net.convention.packing_order(params)

    def objective(theta: Any) -> Any:
        own, start = {}, 0
        for name in names:
            size = int(np.prod(shapes[name]))
            own[name] = theta[start : start + size].reshape(shapes[name])
            start += size
        return factor * count * ((forward(jnp.asarray(X), own["W"], own["V"], own["b"], jnp) - Y) ** 2).sum()

    return "graphs", run, objective


def report(result: dict[str, Any]) -> str:
    """The table."""
    columns = ("nets", "whole", "products", "blocks", "diagonal", "Gauss–Newton off by")
    rows = [[kind, *(row[name] for name in columns)] for kind, row in sorted(result["kinds"].items())]
    total = f"{sum(int(row[1]) for row in rows)} nets, {len(result['failures'])} failures above 1e-12"
    return "\n\n".join([table(("", *columns), rows), total, *result["failures"][:20]])
