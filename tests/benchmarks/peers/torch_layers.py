"""torch's layers: its fused kernels for gradients; for norms of per-example gradients `torch.func` and an unfold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.func import grad, vmap
from torch.nn.functional import conv2d, scaled_dot_product_attention, unfold

from tests.benchmarks.contest import Contender
from tests.benchmarks.layers import Layer

Tensors = dict[str, torch.Tensor]


def gradient(layer: Layer) -> list[Contender]:
    given = {name: torch.tensor(array) for name, array in layer.arrays().items()}
    cotangent = given.pop("cotangent")
    leaves = {name: tensor.requires_grad_() for name, tensor in given.items()}
    call, params = _lstm(leaves) if layer.kind == "lstm" else (_CALLS[layer.kind], leaves)

    def run() -> Tensors:
        value = call(*leaves.values())
        found = torch.autograd.grad(value, list(params.values()), cotangent)
        return {"value": value, **dict(zip(params, found, strict=True))}

    def read(found: Tensors) -> dict[str, Any]:
        ordered = {n: t.detach() for n, t in found.items()}
        if layer.kind == "lstm":
            ordered |= {"Wx": _gates(ordered["Wx"]).T, "Wh": _gates(ordered["Wh"]).T, "b": _gates(ordered["b"])}
        return {name: tensor.numpy() for name, tensor in ordered.items()}

    return [Contender("torch", "peer", run, read)]


_CALLS: dict[str, Callable[..., torch.Tensor]] = {
    "conv": lambda X, W, b: conv2d(X, W, b, padding=1),
    "attention": scaled_dot_product_attention,
}


def _gates(tensor: torch.Tensor) -> torch.Tensor:
    """Between the gates in torch's order, i f g o, and in ours, i f o g, along the first axis: it undoes itself."""
    i, f, g, o = tensor.chunk(4)
    return torch.cat([i, f, o, g])


def _lstm(leaves: Tensors) -> tuple[Callable[..., torch.Tensor], Tensors]:
    features, width = leaves["X"].shape[2], leaves["h"].shape[1]
    module = torch.nn.LSTM(features, width, batch_first=True)
    with torch.no_grad():
        module.weight_ih_l0.copy_(_gates(leaves["Wx"].T))
        module.weight_hh_l0.copy_(_gates(leaves["Wh"].T))
        module.bias_ih_l0.copy_(_gates(leaves["b"]))
        module.bias_hh_l0.zero_()
    params = {name: leaves[name] for name in ("X", "h", "c")}
    params |= {"Wx": module.weight_ih_l0, "Wh": module.weight_hh_l0, "b": module.bias_ih_l0}

    def call(X: torch.Tensor, h: torch.Tensor, c: torch.Tensor, *_: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = module(X, (h[None], c[None]))[0]
        return found

    return call, params


def norms(layer: Layer) -> list[Contender]:
    given = {name: torch.tensor(array) for name, array in layer.arrays().items()}
    if layer.kind == "lstm":
        params, data = ({n: given[n] for n in names} for names in (("Wx", "Wh", "b"), ("X", "h", "c", "cotangent")))
        return [_each("torch vmap(grad)", _lstm_loss(given), params, [*data.values()])]
    X, W, b, cotangent = (given[n] for n in ("X", "W", "b", "cotangent"))

    def loss(params: Tensors, x: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
        return (conv2d(x[None], params["W"], b, padding=1)[0] * c).sum()

    def unfolded() -> torch.Tensor:
        """As Opacus has it: all columns, and one product an example."""
        columns = unfold(X, (3, 3), padding=1)
        return torch.einsum("nop,nkp->nok", cotangent.flatten(2), columns).square().sum((1, 2)).sqrt()

    return [
        _each("torch vmap(grad)", loss, {"W": W}, [X, cotangent]),
        Contender("torch, unfold", "peer", unfolded, lambda n: {"norms": n.numpy()}),
    ]


def _lstm_loss(given: Tensors) -> Callable[..., torch.Tensor]:
    """One example's: the steps written out, for `vmap` takes no fused kernel."""
    width = given["h"].shape[1]

    def loss(params: Tensors, x: torch.Tensor, h: torch.Tensor, c: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        total = torch.zeros(())
        for t in range(len(x)):
            z = x[t] @ params["Wx"] + h @ params["Wh"] + params["b"]
            i, f, o = torch.sigmoid(z[: 3 * width]).chunk(3)
            c = f * c + i * torch.tanh(z[3 * width :])
            h = o * torch.tanh(c)
            total = total + (h * weight[t]).sum()
        return total

    return loss


def _each(name: str, loss: Callable[..., torch.Tensor], params: Tensors, data: list[torch.Tensor]) -> Contender:
    each = vmap(grad(loss), in_dims=(None, *[0] * len(data)))

    def run() -> torch.Tensor:
        return sum(g.flatten(1).square().sum(1) for g in each(params, *data).values()).sqrt()

    return Contender(name, "peer", run, lambda n: {"norms": n.numpy()})
