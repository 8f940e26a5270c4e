"""Wrong graphs of values, each with what the laws say of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from jacobians import tanh
from jacobians.graphs import Edge, Path, Value
from jacobians.linops import BlockRow, Dense, Diagonal, Jacobian, Transposed
from jacobians.operations import Unary
from jacobians.testing import assert_graph_laws
from tests.testing import wrong_jacobians as bad

RNG = np.random.default_rng(4)
X = RNG.normal(size=(4, 3))
W = RNG.normal(size=(3, 2))
SQUARE = RNG.normal(size=(6, 6))


class Cube(Unary):
    """X ↦ X³, with the slope 2X²."""

    def _linearize(self, *arrays: np.ndarray) -> tuple[np.ndarray, Any]:
        (A,) = arrays
        return A**3, {"X": lambda: Diagonal(2 * A**2)}


class Through(Unary):
    """V ↦ M V, whose Jacobian is of a class that is wrong in one way."""

    def __init__(self, kind: type[bad.Plain]) -> None:
        self.kind = kind

    def _linearize(self, *arrays: np.ndarray) -> tuple[np.ndarray, Any]:
        (V,) = arrays
        M = SQUARE.astype(V.dtype)
        return M @ V, {"X": lambda: self.kind(M, (6,), (6,))}


def seen_as(kind: type[Value], value: Value) -> Value:
    """The same value, of a class that is wrong in one way."""
    return kind(value.array, value._origin, value.operation, value.operands, value._jacobians)


class FirstUseOnly(Value):
    """A value that was used twice by one operation has one edge."""

    __slots__ = ()

    def edges(self) -> Iterator[Edge]:
        yield next(super().edges())


class FirstPathOnly(Value):
    """The sweep writes a cotangent over another where it should add."""

    __slots__ = ()

    def gradients(self, *wrt: Any) -> tuple[np.ndarray, ...]:
        return tuple(next(self.paths(v)).jacobian.vjp(np.ones(())) for v in wrt)


class OneBuffer(Value):
    """Two gradients are one array."""

    __slots__ = ()

    def gradients(self, *wrt: Any) -> tuple[np.ndarray, ...]:
        first, *_ = super().gradients(*wrt)
        return (first,) * len(wrt)


class WideGradients(Value):
    __slots__ = ()

    def gradients(self, *wrt: Any) -> tuple[np.ndarray, ...]:
        return tuple(g.astype(np.float64) for g in super().gradients(*wrt))


class LosesAPath(Value):
    __slots__ = ()

    def paths(self, wrt: Any) -> Iterator[Path]:
        yield from list(super().paths(wrt))[1:]


class SwapsInputs(Value):
    __slots__ = ()

    def jacobian(self, *wrt: Any) -> Jacobian:
        found = super().jacobian(*wrt)
        return BlockRow(found.blocks[::-1], found.vec) if isinstance(found, BlockRow) else found


class AnotherStructure(Value):
    """Its Jacobian has lost all singular values but the largest."""

    __slots__ = ()

    def jacobian(self, *wrt: Any) -> Jacobian:
        found = super().jacobian(*wrt)
        U, s, Vt = np.linalg.svd(found.to_dense())
        return Dense(((s[0] * U[:, :1]) @ Vt[:1]).reshape(found.codomain + found.domain), found.codomain)


class DoubledBack(Transposed):
    __slots__ = ()

    def _vjp(self, cotangent: np.ndarray) -> np.ndarray:
        return 2 * super()._vjp(cotangent)


class DoublesBack(Value):
    """Its Jacobian's vjp is twice what its matrix says."""

    __slots__ = ()

    def jacobian(self, *wrt: Any) -> Jacobian:
        found = super().jacobian(*wrt)
        return found if isinstance(found, BlockRow) else DoubledBack(found.T)


def tied(X: Value, W: Value) -> Value:
    return tanh(X @ W) @ W.T


def held(program: Callable[..., Value], **options: Any) -> Callable[[], None]:
    return lambda: assert_graph_laws(program, {"X": X, "W": W}, **options)


def through(kind: type[bad.Plain], dtype: type = np.float64) -> Callable[[], None]:
    def program(v: Value) -> Value:
        return Through(kind)(tanh(v @ SQUARE.astype(dtype))) * v

    return lambda: assert_graph_laws(program, {"v": SQUARE[0].astype(dtype)})


SINGLE = {"a": X.astype(np.float32), "b": X.astype(np.float32)}

GRAPHS: dict[str, tuple[Callable[[], None], str]] = {
    "graph, an operation's slope": (
        held(lambda X, W: Cube()(X) @ W + X @ W),
        r"law reference: the program with respect to X, random direction 0",
    ),
    "graph, a use forgotten": (
        lambda: assert_graph_laws(lambda v: seen_as(FirstUseOnly, v * v), {"v": X}),
        r"law reference: the program with respect to v, random direction 0",
    ),
    "graph, a twin": (
        held(tied, twins={"X": np.zeros((12, 12)), "W": np.zeros((12, 6))}),
        r"law reference: tied with respect to X: .* expected 0",
    ),
    "graph, a structure that is not the graph's": (
        held(lambda X, W: seen_as(AnotherStructure, tied(X, W)), what="the tied one"),
        r"law reference: the tied one with respect to X",
    ),
    "graph, vjp": (
        held(lambda X, W: seen_as(DoublesBack, tied(X, W))),
        r"law (adjoint|one source): the program with respect to X",
    ),
    "graph, order of elimination": (
        through(bad.ForgetsScale),
        r"law association: program with respect to v, eliminated in the order .*: .* off by",
    ),
    "graph, dtype after elimination": (
        through(bad.DensifiesOnTheLeft, np.float32),
        r"law association: .* eliminated in the order .*: maps \(6,\) to \(6,\) in float64; the graph's .* in float32",
    ),
    "graph, paths": (
        held(lambda X, W: seen_as(LosesAPath, tied(X, W))),
        r"law one source: the program with respect to X, the sum over paths",
    ),
    "graph, with respect to all inputs": (
        lambda: assert_graph_laws(lambda a, b: seen_as(SwapsInputs, a * b), {"a": X, "b": X + 1.0}),
        r"law one source: the program with respect to all inputs: .* off by",
    ),
    "graph, a cotangent written over": (
        held(lambda X, W: seen_as(FirstPathOnly, tied(X, W))),
        r"law one source: the program, the gradient with respect to W from one sweep: .* off by",
    ),
    "graph, one buffer": (
        lambda: assert_graph_laws(lambda a, b: seen_as(OneBuffer, a + b), {"a": X, "b": X}),
        r"law purity: the program, the gradient with respect to a from one sweep: it shares memory",
    ),
    "graph, wide gradients": (
        lambda: assert_graph_laws(lambda a, b: seen_as(WideGradients, a + b), SINGLE),
        r"law dtype: the program, the gradient with respect to a from one sweep: float64, and the Jacobian is float32",
    ),
}
