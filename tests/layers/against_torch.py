"""Random layers in random layouts, values and gradients against torch: python -m tests.layers.against_torch [N NAME …].

It needs torch (2.13.0 was used), which no test installs. For each layer it prints how many were tried, and the largest
difference, relative to the largest entry of what torch gives.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812

import jacobians as jac
from jacobians import layers
from jacobians.arrays import inverse_axes
from jacobians.layout import Layout

Pair = tuple[np.ndarray, np.ndarray]
"""What this library gives, and what torch gives."""


def some(rng: np.random.Generator, low: int, high: int, count: int) -> list[int]:
    return [int(n) for n in rng.integers(low, high, count)]


def layout(rng: np.random.Generator) -> Layout:
    return Layout(
        batch=rng.choice(["rows", "columns"]),
        weights=rng.choice(["rows", "columns"]),
        images=rng.choice(["CHW", "HWC"]),
        sequences=rng.choice(["batch-first", "time-first"]),
        kernels=rng.choice(["OIHW", "HWIO"]),
    )


def variables(*arrays: np.ndarray) -> list[torch.Tensor]:
    return [torch.tensor(array, requires_grad=True) for array in arrays]


def moved(array: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """From the order that torch has to the layout's own."""
    return np.ascontiguousarray(array.transpose(inverse_axes(axes)))


def pulled(rng: np.random.Generator, y: torch.Tensor) -> np.ndarray:
    """A random cotangent, with which torch has filled its gradients."""
    cotangent = rng.normal(size=tuple(y.shape))
    (y * torch.tensor(cotangent)).sum().backward()
    return cotangent


def together(gradients: list[np.ndarray]) -> np.ndarray:
    """All as one vector: by the scores of one key a derivative is 0, and what is found is rounding."""
    return np.concatenate([gradient.ravel() for gradient in gradients])


def convolution(rng: np.random.Generator) -> Iterator[Pair]:
    n, transposed = int(rng.integers(1, 3)), bool(rng.integers(0, 2))
    groups, count = some(rng, 1, 4, 2)
    channels, outputs = groups * int(rng.integers(1, 3)), groups * int(rng.integers(1, 3))
    kernel, stride, pad = some(rng, 1, 4, n), some(rng, 1, 4, n), some(rng, 0, 3, n)
    dilation = some(rng, 1, 3, n)
    own = layout(rng)
    lengths = [d * (k - 1) + 1 + int(rng.integers(0, 5)) for d, k in zip(dilation, kernel, strict=True)]
    options: dict[str, Any] = {"stride": stride, "dilation": dilation, "groups": groups}
    transposed = transposed and n == 2
    x, b = rng.normal(size=(count, channels, *lengths)), rng.normal(size=outputs)
    w = rng.normal(
        size=(channels, outputs // groups, *kernel) if transposed else (outputs, channels // groups, *kernel)
    )
    X, W = moved(x, own.image_axes(n)), moved(w, own.kernel_axes(n))
    tx, tw, tb = variables(x, w, b)
    if transposed:
        pad = [min(p, (k - 1) * d) for p, k, d in zip(pad, kernel, dilation, strict=True)]
        if (
            min(
                (m - 1) * s - 2 * p + d * (k - 1)
                for m, s, p, d, k in zip(lengths, stride, pad, dilation, kernel, strict=True)
            )
            < 0
        ):
            return
        y = F.conv_transpose2d(tx, tw, tb, padding=pad, **options)
        Z, J = layers.conv_transpose2d(X, W, b, pad=pad, layout=own, **options)
    else:
        y = (F.conv2d if n == 2 else F.conv1d)(tx, tw, tb, padding=pad, **options)
        Z, J = (layers.conv2d if n == 2 else layers.conv1d)(X, W, b, pad=pad, layout=own, **options)
    c = moved(pulled(rng, y), own.image_axes(n))
    yield Z.transpose(own.image_axes(n)), y.detach().numpy()
    yield J.X.vjp(c).transpose(own.image_axes(n)), tx.grad.numpy()
    yield J.W.vjp(c).transpose(own.kernel_axes(n)), tw.grad.numpy()
    yield J.b.vjp(c), tb.grad.numpy()


def pooling(rng: np.random.Generator) -> Iterator[Pair]:
    count, channels = some(rng, 1, 4, 2)
    size, stride = some(rng, 1, 4, 2), some(rng, 1, 4, 2)
    pad = [int(rng.integers(0, k // 2 + 1)) for k in size]
    own, which = layout(rng), rng.choice(["max", "avg"])
    x = rng.normal(size=(count, channels, *(k + int(rng.integers(0, 5)) for k in size)))
    (tx,) = variables(x)
    y = (F.max_pool2d if which == "max" else F.avg_pool2d)(tx, size, stride, pad)
    pool = layers.max_pool if which == "max" else layers.avg_pool
    Z, J = pool(moved(x, own.image_axes()), size, stride, pad, own)
    c = moved(pulled(rng, y), own.image_axes())
    yield Z.transpose(own.image_axes()), y.detach().numpy()
    yield J.vjp(c).transpose(own.image_axes()), tx.grad.numpy()


def normalisation(rng: np.random.Generator) -> Iterator[Pair]:
    kind = rng.choice(["batch", "evaluation", "group", "layer", "rms"])
    count, height, width, groups = some(rng, 2, 6, 4)
    channels, own, eps = groups * 3, layout(rng), float(rng.choice([1e-5, 1e-3]))
    image = kind in ("batch", "evaluation", "group")
    axes = own.image_axes() if image else (0, 1) if own.batch == "rows" else (1, 0)
    x = 3 * rng.normal(size=(count, channels, height, width) if image else (count, channels)) + 2
    gamma, beta = rng.normal(size=(2, channels))
    X = moved(x, axes)
    tx, tg, tb = variables(x, gamma, beta)
    if kind == "batch":
        y = F.batch_norm(tx, None, None, tg, tb, True, 0, eps)
        Z, J = layers.batch_norm(X, gamma, beta, eps=eps, layout=own)
    elif kind == "evaluation":
        mean, variance = rng.normal(size=channels), rng.random(channels) + 0.1
        y = F.batch_norm(tx, torch.tensor(mean), torch.tensor(variance), tg, tb, False, 0, eps)
        Z, J = layers.batch_norm(X, gamma, beta, eps=eps, statistics=(mean, variance), layout=own)
    elif kind == "group":
        y = F.group_norm(tx, groups, tg, tb, eps)
        Z, J = layers.group_norm(X, gamma, beta, groups, eps=eps, layout=own)
    elif kind == "layer":
        y = F.layer_norm(tx, (channels,), tg, tb, eps)
        Z, J = layers.layer_norm(X, gamma, beta, eps=eps, layout=own)
    else:
        y = F.rms_norm(tx, (channels,), tg, eps)
        Z, J = layers.rms_norm(X, gamma, eps=eps, layout=own)
    c = moved(pulled(rng, y), axes)
    yield Z.transpose(axes), y.detach().numpy()
    yield J.X.vjp(c).transpose(axes), tx.grad.numpy()
    yield J.gamma.vjp(c), tg.grad.numpy()
    if kind != "rms":
        yield J.beta.vjp(c), tb.grad.numpy()


def recurrence(rng: np.random.Generator) -> Iterator[Pair]:
    count, steps, features, width = some(rng, 1, 5, 4)
    kind = rng.choice(["rnn", "lstm", "gru"])
    gates = {"rnn": 1, "lstm": 4, "gru": 3}[kind] * width
    own = Layout(weights="rows", sequences="time-first")
    X, h, c = (rng.normal(size=s) for s in ((steps, count, features), (count, width), (count, width)))
    Wx, Wh, b, bh = (rng.normal(size=s) for s in ((gates, features), (gates, width), (gates,), (gates,)))
    module = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[kind](features, width).double()
    for parameter, array in zip(module.parameters(), (Wx, Wh, b, bh), strict=True):
        parameter.data = torch.tensor(array)
    tx, th, tc = variables(X, h[None], c[None])
    y = module(tx, (th, tc) if kind == "lstm" else th)[0]
    if kind == "rnn":
        Z, J = layers.rnn(X, h, Wx, Wh, b + bh, layout=own)
    elif kind == "lstm":
        Z, J = layers.lstm(X, h, c, Wx, Wh, b + bh, gates="ifgo", layout=own)
        tc.requires_grad_()
    else:
        Z, J = layers.gru(X, h, Wx, Wh, b, bh, layout=own)
    cotangent = pulled(rng, y)
    yield Z, y.detach().numpy()
    for jacobian, gradient in (
        (J.X, tx.grad),
        (J.h, th.grad[0]),
        (J.Wx, module.weight_ih_l0.grad),
        (J.Wh, module.weight_hh_l0.grad),
        (J.b, module.bias_ih_l0.grad),
    ):
        yield jacobian.vjp(cotangent), gradient.numpy()


def attention(rng: np.random.Generator) -> Iterator[Pair]:
    count, heads, queries, keys, d, features = some(rng, 1, 5, 6)
    Q, K, V = (rng.normal(size=(count, heads, *s)) for s in ((queries, d), (keys, d), (keys, features)))
    causal, mask = bool(rng.integers(0, 2)), None
    if not causal and rng.integers(0, 2):
        mask = rng.random((count, 1, queries, keys)) < 0.6
        mask[..., 0] = True
    tensors = variables(Q, K, V)
    shown = None if mask is None else torch.tensor(mask)
    y = F.scaled_dot_product_attention(*tensors, attn_mask=shown, is_causal=causal)
    Z, J = layers.attention(Q, K, V, mask=mask, causal=causal)
    c = pulled(rng, y)
    yield Z, y.detach().numpy()
    yield together([J[name].vjp(c) for name in J]), together([t.grad.numpy() for t in tensors])


def multi_head(rng: np.random.Generator) -> Iterator[Pair]:
    count, heads, queries, keys, each = some(rng, 1, 4, 5)
    d, causal = heads * each, bool(rng.integers(0, 2))
    X, Y = rng.normal(size=(count, queries, d)), rng.normal(size=(count, keys, d))
    weights, biases = rng.normal(size=(4, d, d)), rng.normal(size=(4, d))
    mask = np.tril(np.ones((queries, keys), bool)) if causal else rng.random((queries, keys)) < 0.6
    mask[:, 0] = True
    tx, ty, *tensors = variables(X, Y, *weights, *biases)
    own_weights, own_biases = tensors[:4], tensors[4:]
    y, _ = F.multi_head_attention_forward(
        tx.transpose(0, 1),
        ty.transpose(0, 1),
        ty.transpose(0, 1),
        d,
        heads,
        None,
        torch.cat(own_biases[:3]),
        None,
        None,
        False,
        0.0,
        own_weights[3],
        own_biases[3],
        attn_mask=torch.tensor(~mask),
        need_weights=False,
        use_separate_proj_weight=True,
        q_proj_weight=own_weights[0],
        k_proj_weight=own_weights[1],
        v_proj_weight=own_weights[2],
    )
    y = y.transpose(0, 1)
    Z, J = layers.multi_head_attention(
        X, Y, *(w.T for w in weights), *biases, heads=heads, **({"causal": True} if causal else {"mask": mask})
    )
    c = pulled(rng, y)
    yield Z, y.detach().numpy()
    gradients = [tx.grad, ty.grad, *(w.grad.T for w in own_weights), *(b.grad for b in own_biases)]
    yield together([J[name].vjp(c) for name in J]), together([g.numpy() for g in gradients])


def affine(rng: np.random.Generator) -> Iterator[Pair]:
    """Images flattened, or mapped along the last axis; in columns, the first."""
    own, flat, outputs = layout(rng), bool(rng.integers(0, 2)), int(rng.integers(1, 5))
    own = own.replace(features="all-axes" if flat else "one-axis")
    x = rng.normal(size=some(rng, 1, 4, int(rng.integers(2, 5))))
    rows = own.batch == "rows"
    axes = tuple(range(x.ndim)) if rows else (*range(1, x.ndim), 0) if flat else (x.ndim - 1, *range(x.ndim - 1))
    w, b = rng.normal(size=(outputs, int(np.prod(x.shape[1:])) if flat else x.shape[-1])), rng.normal(size=outputs)
    tx, tw, tb = variables(x, w, b)
    y = F.linear(tx.flatten(1) if flat else tx, tw, tb)
    Z, J = jac.affine(x.transpose(axes), w if own.weights == "rows" else w.T, b, own)
    out = axes if not flat else (0, 1) if rows else (1, 0)
    c = pulled(rng, y).transpose(out)
    yield Z, y.detach().numpy().transpose(out)
    yield J.X.vjp(c), tx.grad.numpy().transpose(axes)
    yield J.W.vjp(c), tw.grad.numpy() if own.weights == "rows" else tw.grad.numpy().T
    yield J.b.vjp(c), tb.grad.numpy()


def embedding(rng: np.random.Generator) -> Iterator[Pair]:
    rows, width = some(rng, 1, 6, 2)
    tokens, table = rng.integers(rows, size=some(rng, 1, 5, 2)), rng.normal(size=(rows, width))
    (tw,) = variables(table)
    y = F.embedding(torch.tensor(tokens), tw)
    Z, J = layers.embedding(tokens, table)
    c = pulled(rng, y)
    yield Z, y.detach().numpy()
    yield J.vjp(c), tw.grad.numpy()


ACTIVATIONS = {
    "elu": F.elu,
    "selu": F.selu,
    "hard_tanh": F.hardtanh,
    "soft_sign": F.softsign,
    "mish": F.mish,
    "hard_swish": F.hardswish,
}


def activation(rng: np.random.Generator) -> Iterator[Pair]:
    name = str(rng.choice([*ACTIVATIONS]))
    x = rng.normal(size=some(rng, 1, 6, 2)) * 10 ** float(rng.uniform(-3, 2))
    (tx,) = variables(x)
    y = ACTIVATIONS[name](tx)
    Z, J = getattr(layers, name)(x)
    c = pulled(rng, y)
    yield Z, y.detach().numpy()
    yield J.vjp(c), tx.grad.numpy()


def loss(rng: np.random.Generator) -> Iterator[Pair]:
    count, steps, classes = some(rng, 1, 6, 3)
    kind, reduction = rng.choice(["huber", "poisson", "kl", "temporal"]), str(rng.choice(["sum", "mean"]))
    x = rng.normal(size=(count, steps, classes))
    (tx,) = variables(x)
    scale = 1.0 if reduction == "sum" else 1 / count
    if kind == "temporal":
        labels, weights = rng.integers(-1, classes, size=(count, steps)), rng.random(classes) + 0.1
        smoothing = 0.0 if rng.integers(0, 2) else 0.3
        scores, own = tx.reshape(-1, classes), None if smoothing else weights
        options = {"ignore_index": -1, "reduction": "none", "label_smoothing": smoothing}
        weight = None if own is None else torch.tensor(own)
        y = F.cross_entropy(scores, torch.tensor(labels).reshape(-1), weight=weight, **options)
        L, J = jac.temporal_softmax(x, labels, class_weights=own, ignore=-1, smoothing=smoothing, reduction=reduction)
    elif kind == "huber":
        targets, delta = rng.normal(size=x.shape), float(rng.uniform(0.3, 2))
        y = F.huber_loss(tx, torch.tensor(targets), reduction="none", delta=delta)
        L, J = jac.huber(x, targets, delta, reduction)
    elif kind == "poisson":
        targets = rng.integers(0, 5, size=x.shape).astype(float)
        y = F.poisson_nll_loss(tx, torch.tensor(targets), reduction="none")
        L, J = jac.poisson(x, targets, reduction)
    else:
        targets = rng.dirichlet(np.ones(classes), size=(count, steps))
        y = F.kl_div(tx, torch.tensor(targets), reduction="none")
        L, J = jac.kl_divergence(x, targets, reduction)
    total = y.sum() * scale
    total.backward()
    yield np.asarray(L), total.detach().numpy()
    yield J.gradient, tx.grad.numpy()


LAYERS: dict[str, Callable[[np.random.Generator], Iterator[Pair]]] = {
    made.__name__: made
    for made in (
        convolution,
        pooling,
        normalisation,
        recurrence,
        attention,
        multi_head,
        affine,
        embedding,
        activation,
        loss,
    )
}


def main(tries: int = 2000, *names: str) -> int:
    worst_of_all = 0.0
    for name, made in LAYERS.items():
        if names and name not in names:
            continue
        rng, worst = np.random.default_rng(0), 0.0
        for _ in range(tries):
            for found, expected in made(rng):
                scale = max(float(np.abs(expected).max(initial=0)), 1e-3)
                worst = max(worst, float(np.abs(found - expected).max(initial=0)) / scale)
        print(f"{name:14} {tries} tried, largest relative difference {worst:.1e}")
        worst_of_all = max(worst_of_all, worst)
    return int(worst_of_all > 1e-12)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:2]), *sys.argv[2:]))
