"""curvlinops: curvature matrices as linear operators."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from curvlinops import GGNLinearOperator, HessianLinearOperator

from tests.benchmarks.contest import Contender
from tests.benchmarks.nets import Net
from tests.benchmarks.peers.torch_net import data, module, packed, unpacked


def gauss_newton_product(net: Net, v: np.ndarray) -> list[Contender]:
    return _product("curvlinops GGN", GGNLinearOperator, net, v)


def hessian_product(net: Net, v: np.ndarray) -> list[Contender]:
    return _product("curvlinops Hessian", HessianLinearOperator, net, v)


def _product(name: str, kind: Any, net: Net, v: np.ndarray) -> list[Contender]:
    _, X, y = data(net)
    model, loss = module(net), torch.nn.CrossEntropyLoss()
    matrix = kind(model, loss, list(model.parameters()), [(X, y)], check_deterministic=False)
    parts = unpacked(v, model)

    def read(found: list[torch.Tensor]) -> dict[str, np.ndarray]:
        return {"product": packed(found, 0, turned=True)}

    return [Contender(name, "peer", lambda: matrix @ parts, read)]
