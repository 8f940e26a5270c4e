"""Operations of one, two and three arrays: name → a function that draws the operation and its inputs."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from jacobians.layout import Layout
from jacobians.operations import (
    GELU,
    L2,
    Add,
    AddOnes,
    Affine,
    Exp,
    Hadamard,
    LeakyReLU,
    Log,
    LogSoftmax,
    MatMul,
    Mean,
    Operation,
    Power,
    ReLU,
    Reshaping,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Square,
    Tanh,
    Total,
    Transpose,
)
from tests.operations.random_inputs import LAYOUTS, WRITTEN, Cases, Make, Numbers, Sample, parameters, shared, short

SIMPLE: Cases = {}

# --- affine --------------------------------------------------------------------------------------


def affine_case(layout: Layout) -> Make:
    def make(g: Numbers) -> Sample:
        own = parameters(g, layout, g.D, g.K)
        return Sample(Affine(layout), [g(*layout.batch_shape(g.N, g.D)), *own], **shared(layout, len(own)))

    return make


def add_ones_case(layout: Layout) -> Make:
    return lambda g: Sample(AddOnes(layout), [g(*layout.batch_shape(g.N, g.D))], **shared(layout, 0))


def bias_matrix(g: Numbers) -> Sample:
    return Sample(Affine(), [g(g.N, g.D), g(g.D, g.K), g(1, g.K)], (0, None, None), 0)


SIMPLE |= {f"affine {short(layout)}": affine_case(layout) for layout in LAYOUTS}
SIMPLE |= {f"add_ones {short(t)}": add_ones_case(t) for t in LAYOUTS if t.absorbs_bias and t.weights == "rows"}
SIMPLE["affine with a bias (1, out)"] = bias_matrix

# --- one array -----------------------------------------------------------------------------------

ELEMENTWISE: dict[str, tuple[Operation, str]] = {
    "sigmoid": (Sigmoid(), "any"),
    "tanh": (Tanh(), "any"),
    "relu": (ReLU(), "away"),
    "leaky_relu": (LeakyReLU(), "away"),
    "leaky_relu -1.5": (LeakyReLU(-1.5), "away"),
    "softplus": (Softplus(), "any"),
    "silu": (SiLU(), "any"),
    "gelu": (GELU(), "any"),
    "exp": (Exp(), "any"),
    "log": (Log(), "positive"),
    "square": (Square(), "any"),
    "power 3": (Power(3), "any"),
    "power 0.5": (Power(0.5), "positive"),
    "power -1.5": (Power(-1.5), "positive"),
    "power 1": (Power(1), "any"),
    "power 0": (Power(0), "any"),
}


def elementwise_case(operation: Operation, where: str, rank: int) -> Make:
    def make(g: Numbers) -> Sample:
        shape = (g.N, g.D, 2)[:rank]
        values = {"any": g, "away": g.away, "positive": lambda *s: g.within(0.3, 3.0, *s)}[where]
        return Sample(operation, [values(*shape)], (0,), 0)

    return make


def unary_case(make_operation: Callable[[Numbers], Operation], rank: int = 2, **laws: Any) -> Make:
    return lambda g: Sample(make_operation(g), [g(*(g.N, g.D, g.K)[:rank])], **laws)


for name, (operation, where) in ELEMENTWISE.items():
    SIMPLE[name] = elementwise_case(operation, where, 2)
SIMPLE["sigmoid of a vector"] = elementwise_case(Sigmoid(), "any", 1)
SIMPLE["tanh of a 3-array"] = elementwise_case(Tanh(), "any", 3)
for layout in WRITTEN:
    suffix = f" {layout.vec}-{layout.derivative}"
    SIMPLE["transpose" + suffix] = unary_case(lambda g, t=layout: Transpose(t), axes=(0,), out_axis=1)
    SIMPLE["reshape" + suffix] = unary_case(lambda g, t=layout: Reshaping((g.D, 1, g.N), t))
    SIMPLE["reshape to a vector" + suffix] = unary_case(lambda g, t=layout: Reshaping((g.D * g.N,), t))
for operation, reduction in ((Total, "sum"), (Mean, "mean")):
    for rank in (1, 2, 3):
        several = ((0, 1), (0, 2), (1, 2), (-1, 0)) if rank == 3 else ()
        for number, axis in enumerate((None, *range(-rank, rank), *several)):
            over_batch = axis in (None, 0, -rank) or (isinstance(axis, tuple) and 0 in axis)
            place = {"reduction": reduction} if over_batch else {"out_axis": 0}
            written = WRITTEN[number % 4]
            SIMPLE[f"{operation.__name__.lower()} rank {rank} axis {axis}"] = unary_case(
                lambda g, op=operation, a=axis, t=written: op(a, t), rank, axes=(0,), **place
            )
for operation in (Softmax, LogSoftmax):
    for layout, rank in itertools.product([*WRITTEN, *[t.replace(batch="columns") for t in WRITTEN]], (1, 2, 3)):
        if rank > 1 or layout.batch == "rows":
            where = {"axes": (layout.batch_axis,), "out_axis": layout.batch_axis} if rank > 1 else {}
            SIMPLE[f"{operation.__name__.lower()} rank {rank} {layout.batch}-{layout.vec}-{layout.derivative}"] = (
                unary_case(lambda g, op=operation, t=layout: op(t), rank, **where)
            )

# --- two arrays ----------------------------------------------------------------------------------

for layout in WRITTEN:
    suffix = f" {layout.vec}-{layout.derivative}"
    SIMPLE["matmul" + suffix] = lambda g, t=layout: Sample(MatMul(t), [g(g.N, g.D), g(g.D, g.K)], (0, None), 0)
    SIMPLE["matmul, batch in columns" + suffix] = lambda g, t=layout: Sample(
        MatMul(t), [g(g.K, g.D), g(g.D, g.N)], (None, 1), 1
    )
    SIMPLE["hadamard" + suffix] = lambda g, t=layout: Sample(Hadamard(t), [g(g.N, g.D), g(g.N, g.D)], (0, 0), 0)
    SIMPLE["hadamard, a row" + suffix] = lambda g, t=layout: Sample(Hadamard(t), [g(g.N, g.D), g(1, g.D)], (0, None), 0)
    SIMPLE["add, a column" + suffix] = lambda g, t=layout: Sample(Add(t), [g(g.N, g.D), g(g.N, 1)], (0, 0), 0)
    SIMPLE["add" + suffix] = lambda g, t=layout: Sample(Add(t), [g(g.N, g.D), g(g.N, g.D)], (0, 0), 0)


SIMPLE["matmul of stacks"] = lambda g: Sample(MatMul(), [g(g.N, 2, g.D), g(g.N, g.D, g.K)], (0, 0), 0)
SIMPLE["matmul of a stack and a matrix F"] = lambda g: Sample(
    MatMul(Layout(vec="F")), [g(g.N, 2, g.D), g(g.D, g.K)], (0, None), 0
)

# --- regulariser ---------------------------------------------------------------------------------


def l2_case(layout: Layout, include_bias: bool) -> Make:
    return lambda g: Sample(
        L2(0.7, layout, include_bias=include_bias), [g(*layout.weight_shape(g.D, g.K))], integers=True
    )


for layout, include in itertools.product((t for t in LAYOUTS if t.batch == "rows"), (False, True)):
    if include == (layout.vec == "F"):
        SIMPLE[f"l2 {short(layout)} {'with' if include else 'without'} bias"] = l2_case(layout, include)
