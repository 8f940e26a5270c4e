"""W11: the dense Jacobian of inverse, solve and Cholesky, and log det with its gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

import jacobians as jac
from tests.benchmarks.contest import Case, Contender
from tests.benchmarks.peers.installed import contenders

TITLE = "W11: functions of matrices"
SIZES, LARGE = (32, 64), 500


@dataclass(frozen=True)
class MatrixProblem:
    """A function of one matrix, at a matrix.

    Attributes
    ----------
    function : {"inverse", "solve", "cholesky", "logdet"}
    n : int
    """

    function: str
    n: int

    @property
    def name(self) -> str:
        return f"{self.function}, n = {self.n}"

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """The matrix, and the right-hand sides of solve."""
        rng, n = np.random.default_rng(self.n), self.n
        A, B = rng.normal(size=(n, n)) + n * np.eye(n), rng.normal(size=(n, n))
        if self.function == "logdet":
            return A / n, B
        return (A @ A.T if self.function == "cholesky" else A), B

    def along(self, jacobian: Any) -> Mapping[str, np.ndarray]:
        """What is compared: along symmetric matrices, for a peer's Cholesky reads its matrix as it stands."""
        matrix = np.asarray(jacobian).reshape(self.n**2, self.n**2)
        directions = np.random.default_rng(1).normal(size=(3, self.n, self.n))
        return {"J": matrix @ (directions + directions.swapaxes(1, 2)).reshape(3, -1).T}


def cases(sizes: tuple[int, ...] = SIZES, large: int = LARGE) -> Iterator[Case]:
    for n in sizes:
        for function in ("inverse", "solve", "cholesky"):
            yield dense(MatrixProblem(function, n))
    yield logdet(MatrixProblem("logdet", large))


def operator(problem: MatrixProblem) -> Callable[[], Any]:
    """What computes the structured Jacobian with respect to the matrix."""
    A, B = problem.arrays()
    if problem.function == "solve":
        return lambda: jac.matrix.solve(A, B)[1].A
    function = getattr(jac.matrix, problem.function)
    return lambda: function(A)[1]


def dense(problem: MatrixProblem) -> Case:
    """The n²×n² matrix; beside it the operator and one product with it, which no peer has."""
    structured, n = operator(problem), problem.n
    J, cotangent = structured(), problem.arrays()[1]
    out = np.empty((n * n, n * n))
    return Case(
        f"{problem.name}: dense {n * n}×{n * n}",
        (
            Contender("filling", "floor", lambda: out.fill(1.0)),
            Contender("the operator", "floor", structured),
            Contender("one vjp", "floor", lambda: J.vjp(cotangent)),
            Contender("to_dense", "ours", lambda: structured().to_dense("C"), problem.along),
            *contenders("matrix_jacobian", problem),
        ),
    )


def logdet(problem: MatrixProblem) -> Case:
    """The value with its gradient."""
    A, B = problem.arrays()

    def ours() -> dict[str, np.ndarray]:
        value, J = jac.matrix.logdet(A)
        return {"value": value, "gradient": J.gradient}

    def by_hand() -> dict[str, np.ndarray]:
        return {"value": np.asarray(np.linalg.slogdet(A)[1]), "gradient": np.linalg.inv(A).T.copy()}

    return Case(
        f"{problem.name}: value and gradient",
        (
            Contender("one product", "floor", lambda: A @ B),
            Contender("logdet", "ours", ours),
            Contender("NumPy", "by hand", by_hand),
            *contenders("logdet_gradient", problem),
        ),
    )
