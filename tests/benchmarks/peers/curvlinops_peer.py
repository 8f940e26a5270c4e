"""curvlinops: curvature matrices as linear operators."""

from __future__ import annotations

import numpy as np
import torch
from curvlinops import GGNLinearOperator

from tests.benchmarks.contest import Contender
from tests.benchmarks.nets import Net
from tests.benchmarks.peers.torch_net import data, module, packed, unpacked


def gauss_newton_product(net: Net, v: np.ndarray) -> list[Contender]:
    _, X, y = data(net)
    model, loss = module(net), torch.nn.CrossEntropyLoss()
    G = GGNLinearOperator(model, loss, list(model.parameters()), [(X, y)], check_deterministic=False)
    parts = unpacked(v, model)

    def read(found: list[torch.Tensor]) -> dict[str, np.ndarray]:
        return {"product": packed(found, 0, turned=True)}

    return [Contender("curvlinops GGN", "peer", lambda: G @ parts, read)]
