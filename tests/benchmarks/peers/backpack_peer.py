"""BackPACK: its extensions are computed beside the gradient, in one backward pass."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
from backpack import backpack, extend
from backpack.extensions import BatchGrad, BatchL2Grad, DiagGGNExact, DiagHessian
from backpack.hessianfree.ggnvp import ggn_vector_product

from tests.benchmarks.contest import Contender
from tests.benchmarks.nets import Net
from tests.benchmarks.peers.torch_net import data, module, packed, unpacked

# of a backward pass without inputs to differentiate by, which is what is wanted
warnings.filterwarnings("ignore", message="Full backward hook is firing")


def _run(net: Net, extension: Any, field: str, reduction: str = "mean"):
    """One backward pass with the extension; what it leaves on each parameter."""
    _, X, y = data(net)
    model, loss = extend(module(net)), extend(torch.nn.CrossEntropyLoss(reduction=reduction))

    def run() -> list[torch.Tensor]:
        model.zero_grad()
        with backpack(extension()):
            loss(model(X), y).backward()
        return [getattr(p, field) for p in model.parameters()]

    return run


def per_example(net: Net) -> list[Contender]:
    run = _run(net, BatchGrad, "grad_batch", "sum")
    return [Contender("BackPACK BatchGrad", "peer", run, lambda g: {"gradients": packed(g, 1, turned=True)})]


def norms(net: Net) -> list[Contender]:
    run = _run(net, BatchL2Grad, "batch_l2", "sum")
    return [Contender("BackPACK BatchL2Grad", "peer", lambda: sum(run()), lambda n: {"norms": n.numpy()})]


def gauss_newton_product(net: Net, v: np.ndarray) -> list[Contender]:
    """With the graph of the forward pass kept from call to call."""
    _, X, y = data(net)
    model = module(net)
    outputs, parts = model(X), unpacked(v, model)
    loss = torch.nn.functional.cross_entropy(outputs, y)

    def run() -> tuple[torch.Tensor, ...]:
        return ggn_vector_product(loss, outputs, model, parts)

    def read(found: tuple[torch.Tensor, ...]) -> dict[str, np.ndarray]:
        return {"product": packed(found, 0, turned=True)}

    return [Contender("BackPACK ggnvp", "peer", run, read)]


def gauss_newton_diagonal(net: Net) -> list[Contender]:
    run = _run(net, DiagGGNExact, "diag_ggn_exact")
    return [Contender("BackPACK DiagGGNExact", "peer", run, lambda d: {"diagonal": packed(d, 0, turned=True)})]


def hessian_diagonal(net: Net) -> list[Contender]:
    run = _run(net, DiagHessian, "diag_h")
    return [Contender("BackPACK DiagHessian", "peer", run, lambda d: {"diagonal": packed(d, 0, turned=True)})]
