"""Chains, residual sums, parallel branches, and these within each other, with parameters."""

from __future__ import annotations

from jacobians.layout import Layout
from jacobians.operations import (
    Affine,
    Chain,
    Hadamard,
    LogSoftmax,
    MatMul,
    Parallel,
    Residual,
    Sigmoid,
    Softmax,
    Softplus,
    Square,
    Tanh,
)
from tests.operations.random_inputs import LAYOUTS, Cases, Make, Numbers, Sample, parameters, shared, short

COMBINED: Cases = {}

# --- combinators ---------------------------------------------------------------------------------


def chain_case(layout: Layout) -> Make:
    def make(g: Numbers) -> Sample:
        own = [*parameters(g, layout, g.D, g.K), *parameters(g, layout, g.K, g.M)]
        net = Chain(Affine(layout), Sigmoid(), Affine(layout), LogSoftmax(layout), layout=layout)
        return Sample(net, [g(*layout.batch_shape(g.N, g.D)), *own], **shared(layout, len(own)))

    return make


def residual_case(layout: Layout) -> Make:
    def make(g: Numbers) -> Sample:
        own = [*parameters(g, layout, g.D, g.K), *parameters(g, layout, g.K, g.D)]
        net = Residual(Chain(Affine(layout), Tanh(), Affine(layout)), layout)
        return Sample(net, [g(*layout.batch_shape(g.N, g.D)), *own], **shared(layout, len(own)))

    return make


def parallel_case(layout: Layout) -> Make:
    def make(g: Numbers) -> Sample:
        own = [*parameters(g, layout, g.D, g.K), *parameters(g, layout, g.D, g.M)]
        net = Parallel(Affine(layout), Softplus(), Chain(Affine(layout), Tanh()), layout=layout)
        return Sample(net, [g(*layout.batch_shape(g.N, g.D)), *own], **shared(layout, len(own)))

    return make


def nested_case(layout: Layout) -> Make:
    def make(g: Numbers) -> Sample:
        branches = Parallel(Residual(Chain(Affine(layout), Tanh()), layout), Affine(layout), layout=layout)
        net = Chain(Affine(layout), Parallel(branches, Sigmoid(), layout=layout), Softmax(layout), layout=layout)
        own = parameters(g, layout, g.D, g.K)
        own += [*parameters(g, layout, g.K, g.K), *parameters(g, layout, g.K, 2)]
        return Sample(net, [g(*layout.batch_shape(g.N, g.D)), *own], **shared(layout, len(own)))

    return make


COMBINATORS = {"chain": chain_case, "residual": residual_case, "parallel": parallel_case, "nested": nested_case}
for kind, build in COMBINATORS.items():
    for i, layout in enumerate(LAYOUTS):
        if i % 4 == (i // 16 + i // 4) % 4:  # each choice of batch, weights and bias, written in one of the four ways
            COMBINED[f"{kind} {short(layout)}"] = build(layout)
COMBINED["chain that begins with two arrays"] = lambda g: Sample(
    Chain(MatMul(), Tanh(), Hadamard()), [g(g.N, g.D), g(g.D, g.K), g(g.N, g.K)], (0, None, 0), 0
)
COMBINED["parallel of one branch"] = lambda g: Sample(Parallel(Square()), [g(g.N, g.D)], (0,), 0)
COMBINED["residual of an elementwise operation"] = lambda g: Sample(Residual(Tanh()), [g(g.N, g.D)], (0,), 0)
