"""How long the Jacobian of inverse, solve and Cholesky takes: as an operator, and dense against torch and JAX."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

import jacobians as jac
from tests.figures.tables import table

_SIZES, _QUICK = (32, 64), (8,)


def measure(*, quick: bool = False) -> dict[str, Any]:
    """Time the dense Jacobians, and one product with each as operator, in milliseconds."""
    rows: list[dict[str, Any]] = []
    for n in _QUICK if quick else _SIZES:
        rng = np.random.default_rng(n)
        A, B = rng.normal(size=(n, n)) + n * np.eye(n), rng.normal(size=(n, n))
        own: dict[str, tuple[Callable[[], Any], np.ndarray]] = {
            "inverse": (lambda A=A: jac.matrix.inverse(A)[1], A),
            "solve": (lambda A=A, B=B: jac.matrix.solve(A, B)[1].A, A),
            "cholesky": (lambda S=A @ A.T: jac.matrix.cholesky(S)[1], A @ A.T),
        }
        for name, (ours, at) in own.items():
            row: dict[str, Any] = {"function": f"{name}, n = {n}"}
            J = ours()
            row["operator"] = _best(ours)
            row["vjp"] = _best(lambda J=J, B=B: J.vjp(B))
            row["dense"] = _best(lambda ours=ours: ours().to_dense("C"))
            for peer, theirs in _peers(name, at, B):
                truth = np.asarray(theirs()).reshape(n * n, n * n)
                # a peer's Cholesky takes its matrix as it stands; the derivative is that along symmetric matrices
                mine = J.to_dense("C")
                symmetric = rng.normal(size=(n, n))
                direction = (symmetric + symmetric.T).ravel()
                np.testing.assert_allclose(truth @ direction, mine @ direction, rtol=1e-6, atol=1e-9)
                row[peer] = _best(theirs)
            rows.append(row)
    return {"rows": rows}


def report(found: Mapping[str, Any]) -> str:
    """The times, as text."""
    names = list(found["rows"][0])
    return table(
        [names[0], *(f"{name}, ms" for name in names[1:])],
        [[row[names[0]], *(f"{row[name]:.3g}" for name in names[1:])] for row in found["rows"]],
    )


def _best(act: Callable[[], Any]) -> float:
    """The least of several times, in milliseconds."""
    act()
    times: list[float] = []
    until = time.perf_counter() + 0.5
    while len(times) < 3 or (time.perf_counter() < until and len(times) < 200):
        started = time.perf_counter()
        act()
        times.append(time.perf_counter() - started)
    return 1000 * min(times)


def _peers(name: str, at: np.ndarray, B: np.ndarray) -> Iterator[tuple[str, Callable[[], Any]]]:
    """The dense Jacobian by those that are installed, by the faster of forward and reverse mode."""
    try:
        import torch
        from torch.func import jacfwd, jacrev
    except ImportError:
        pass
    else:
        A, right = torch.tensor(at), torch.tensor(B)
        functions = {
            "inverse": torch.linalg.inv,
            "solve": lambda A: torch.linalg.solve(A, right),
            "cholesky": torch.linalg.cholesky,
        }
        yield "torch, dense", _faster([lambda mode=mode: mode(functions[name])(A) for mode in (jacfwd, jacrev)])
    try:
        import jax
        import jax.numpy as jnp
    except ImportError:
        return
    jax.config.update("jax_enable_x64", True)
    of_jax = {
        "inverse": jnp.linalg.inv,
        "solve": lambda A: jnp.linalg.solve(A, B),
        "cholesky": lambda S: jnp.linalg.cholesky(S, symmetrize_input=False),
    }
    compiled = [jax.jit(mode(of_jax[name])) for mode in (jax.jacfwd, jax.jacrev)]
    yield "JAX, dense, compiled", _faster([lambda f=f: jax.block_until_ready(f(at)) for f in compiled])


def _faster(ways: list[Callable[[], Any]]) -> Callable[[], Any]:
    def taken(act: Callable[[], Any]) -> float:
        act()
        started = time.perf_counter()
        act()
        return time.perf_counter() - started

    return min(ways, key=taken)
