"""The nets in torch, for the peers that are built on it."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
import torch

from tests.benchmarks.nets import Net

# whoever runs the benchmarks has fixed OpenMP's threads; without that, torch would take all cores beside NumPy's one
if "OMP_NUM_THREADS" in os.environ:
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))

ACTIVATIONS = {"sigmoid": torch.sigmoid, "relu": torch.relu}
Params = dict[str, torch.Tensor]


def data(net: Net) -> tuple[Params, torch.Tensor, torch.Tensor]:
    params, X, y = net.data()
    return {name: torch.tensor(a) for name, a in params.items()}, torch.tensor(X), torch.tensor(y)


def output(net: Net, params: Params, X: torch.Tensor) -> torch.Tensor:
    for k in net.layers:
        X = torch.addmm(params[f"b{k}"], X, params[f"W{k}"]) if X.ndim == 2 else X @ params[f"W{k}"] + params[f"b{k}"]
        X = ACTIVATIONS[net.activation](X) if k < len(net.layers) else X
    return X


def module(net: Net) -> torch.nn.Sequential:
    """The same as a module; its weights are (out, in)."""
    params, _, _ = data(net)
    layers: list[torch.nn.Module] = []
    for k, (n, m) in enumerate(net.pairs(), start=1):
        linear = torch.nn.Linear(n, m, dtype=params["W1"].dtype)
        linear.weight.data, linear.bias.data = params[f"W{k}"].T.contiguous(), params[f"b{k}"]
        layers += [linear, torch.nn.ReLU() if net.activation == "relu" else torch.nn.Sigmoid()]
    return torch.nn.Sequential(*layers[:-1])


def packed(parts: Sequence[torch.Tensor], lead: int, turned: bool = False) -> np.ndarray:
    """W1, b1, W2, … with `lead` leading axes as one array, each unrolled in C order of (in, out)."""
    flat = []
    for part in parts:
        array = part.detach().numpy()
        if turned and array.ndim == lead + 2:
            array = array.swapaxes(-1, -2)
        flat.append(array.reshape(*array.shape[:lead], -1))
    return np.concatenate(flat, axis=-1)


def unpacked(v: np.ndarray, model: torch.nn.Module) -> list[torch.Tensor]:
    """Return a packed vector as parts like a module's parameters, whose weights are (out, in)."""
    parts, start = [], 0
    for p in model.parameters():
        part = torch.tensor(v[start : start + p.numel()])
        parts.append(part.view(p.T.shape).T.contiguous() if p.ndim == 2 else part)
        start += p.numel()
    return parts
