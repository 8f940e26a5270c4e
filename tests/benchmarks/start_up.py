"""W7: fresh processes: what an import costs, and how long the first gradient takes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from tests.benchmarks.contest import Case, Contender, skipped
from tests.benchmarks.peers.installed import missing

TITLE = "W7: a fresh process"
ROOT = Path(__file__).parents[2]

DATA = """
import numpy as np
rng = np.random.default_rng(0)
W1, b1, W2, b2 = rng.normal(size=(20, 10)), np.zeros(10), rng.normal(size=(10, 3)), np.zeros(3)
X, y = rng.normal(size=(64, 20)), rng.integers(0, 3, 64)
"""

BY_HAND = """
A = np.maximum(X @ W1 + b1, 0)
D = A @ W2 + b2
D = np.exp(D - D.max(axis=1, keepdims=True))
D /= D.sum(axis=1, keepdims=True)
D[np.arange(64), y] -= 1
D /= 64
E = D @ W2.T * (A > 0)
grads = X.T @ E, E.sum(axis=0), A.T @ D, D.sum(axis=0)
"""

OURS = """
from jacobians import Network
net = Network.dense((20, 10, 3), activation="relu")
grads = net.gradient({"W1": W1, "b1": b1, "W2": W2, "b2": b2}, X, y).values()
"""

TORCH = """
import torch
params = [torch.tensor(a, requires_grad=True) for a in (W1, b1, W2, b2)]
Z = torch.relu(torch.tensor(X) @ params[0] + params[1]) @ params[2] + params[3]
torch.nn.functional.cross_entropy(Z, torch.tensor(y)).backward()
grads = [p.grad.numpy() for p in params]
"""

JAX = """
import jax
jax.config.update("jax_enable_x64", True)
def loss(params, X, y):
    W1, b1, W2, b2 = params
    Z = jax.nn.log_softmax(jax.nn.relu(X @ W1 + b1) @ W2 + b2)
    return -Z[np.arange(64), y].mean()
grads = jax.jit(jax.grad(loss))((W1, b1, W2, b2), X, y)
"""

AUTOGRAD = """
import autograd.numpy as anp
from autograd import grad
def loss(params, X, y):
    W1, b1, W2, b2 = params
    Z = anp.dot(anp.maximum(anp.dot(X, W1) + b1, 0), W2) + b2
    Z = Z - anp.max(Z, axis=1, keepdims=True)
    return -anp.mean((Z - anp.log(anp.sum(anp.exp(Z), axis=1, keepdims=True)))[np.arange(64), y])
grads = grad(loss)((W1, b1, W2, b2), X, y)
"""

PRINT = "\nprint(sum(float((np.asarray(g) ** 2).sum()) for g in grads))\n"
PEERS = {"torch": TORCH, "jax": JAX, "autograd": AUTOGRAD}


def cases() -> Iterator[Case]:
    # names are loaded at their first use, so the first of these loads next to nothing
    yield imports("import jacobians")
    yield imports("from jacobians import Network")
    yield first_gradient()


def imports(statement: str) -> Case:
    return Case(
        statement,
        (
            Contender("bare Python", "floor", _fresh("pass")),
            Contender("import numpy", "floor", _fresh("import numpy")),
            Contender(statement, "ours", _fresh(statement), _number),
            *_peers({name: f"import {name}" for name in PEERS}, "import {}"),
        ),
        beyond="import numpy",
    )


def first_gradient() -> Case:
    return Case(
        "first gradient",
        (
            Contender("import numpy", "floor", _fresh("import numpy")),
            Contender("jacobians", "ours", _fresh(DATA + OURS + PRINT), _number),
            Contender("NumPy", "by hand", _fresh(DATA + BY_HAND + PRINT), _number),
            *_peers({name: DATA + program + PRINT for name, program in PEERS.items()}, "{}"),
        ),
        beyond="import numpy",
    )


def _peers(programs: dict[str, str], label: str) -> list[Contender]:
    found = []
    for name, program in programs.items():
        reason = missing(name)
        contender = Contender(label.format(name), "peer", _fresh(program), _number)
        found.append(skipped(contender.name, reason) if reason else contender)
    return found


def _fresh(program: str) -> Callable[[], str]:
    command = [sys.executable, "-c", program]
    return lambda: subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def _number(printed: str) -> dict[str, np.ndarray]:
    return {"sum of squares": np.array([float(word) for word in printed.split()])}
