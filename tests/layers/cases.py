"""Every layer of `jacobians.layers`: the operation, inputs for it, and where the examples lie."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from jacobians.layers import activations, entrywise
from jacobians.layers.attentions import Attention, MultiHeadAttention
from jacobians.layers.convolutions import Convolution, TransposedConvolution
from jacobians.layers.dropouts import Dropout
from jacobians.layers.normalisation import BatchNorm, GroupNorm, LayerNorm, RMSNorm
from jacobians.layers.pooling import Embedding, Flattened, GlobalPool, Padded, Pool
from jacobians.layers.recurrent import GRU, LSTM, RNN
from jacobians.layout import Layout
from jacobians.operations import Operation


class Case(NamedTuple):
    """A layer: `axes` says where the examples lie in each input, `out_axis` where they lie in the value."""

    operation: Operation
    draw: Callable[[np.random.Generator], list[np.ndarray]]
    axes: tuple[int | None, ...] | None = None
    out_axis: int | None = None
    integers: bool = True


def normal(*shapes: tuple[int, ...]) -> Callable[[np.random.Generator], list[np.ndarray]]:
    return lambda rng: [rng.normal(size=shape) for shape in shapes]


def apart(*shape: int) -> Callable[[np.random.Generator], list[np.ndarray]]:
    """Entries of which no two are equal, nor near to each other."""
    size = int(np.prod(shape))
    return lambda rng: [(rng.permutation(size) * 0.3 - 1.0).reshape(shape)]


KERAS = Layout(images="HWC", kernels="HWIO")
WRITTEN = Layout(batch="columns", vec="F", derivative="denominator", images="HWC", kernels="HWIO")

IMAGES = {
    "conv1d": Case(Convolution(1, 2, 1), normal((2, 2, 5), (3, 2, 3), (3,)), (0, None, None), 0),
    "conv2d": Case(Convolution(2, 2, 1), normal((2, 2, 4, 3), (3, 2, 2, 3), (3,)), (0, None, None), 0),
    "conv2d, groups, dilation, same": Case(
        Convolution(2, 1, "same", (1, 2), groups=2, bias=False), normal((2, 4, 3, 4), (2, 2, 2, 2)), (0, None), 0
    ),
    "conv2d in MATLAB's layout, flipped": Case(
        Convolution(2, flipped=True, layout=WRITTEN), normal((3, 3, 2, 2), (2, 2, 2, 3), (3,))
    ),
    "conv_transpose2d": Case(
        TransposedConvolution(2, 2, 1, groups=2, extra=1), normal((2, 2, 3, 2), (2, 2, 3, 2), (4,)), (0, None, None), 0
    ),
    "max_pool": Case(Pool("max", 2, pad=1), apart(2, 2, 3, 4), (0,), 0, integers=False),
    "max_pool, overlapping": Case(Pool("max", 3, 1, layout=KERAS), apart(2, 4, 4, 2), (0,), 0, integers=False),
    "avg_pool": Case(Pool("avg", (2, 3), (1, 2), 1), normal((2, 2, 3, 4)), (0,), 0),
    "global_max_pool": Case(GlobalPool("max"), apart(2, 3, 2, 2), (0,), 0, integers=False),
    "global_avg_pool": Case(GlobalPool("avg", WRITTEN), normal((2, 2, 3, 2))),
    "pad": Case(Padded(((1, 0), (0, 2)), KERAS), normal((2, 2, 3, 2)), (0,), 0),
    "flatten": Case(Flattened(), normal((3, 2, 2)), (0,), 0),
    "embedding": Case(Embedding([[1, 3], [3, 0]]), normal((4, 3))),
}

NORMALISATION = {
    "batch_norm": Case(BatchNorm(), normal((4, 3), (3,), (3,))),
    "batch_norm in columns": Case(BatchNorm(0.1, layout=WRITTEN), normal((2, 4), (2,), (2, 1))),
    "batch_norm of images": Case(BatchNorm(), normal((2, 3, 2, 2), (3,), (3,))),
    "batch_norm of images, channels last": Case(BatchNorm(layout=KERAS), normal((2, 2, 1, 3), (3,), (3,))),
    "batch_norm, evaluation": Case(
        BatchNorm(statistics=([0.1, 0.2], [1.5, 0.5])), normal((3, 2), (2,), (2,)), (0, None, None), 0
    ),
    "layer_norm": Case(LayerNorm(), normal((3, 4), (4,), (4,)), (0, None, None), 0),
    "layer_norm of sequences": Case(LayerNorm(), normal((2, 2, 3), (3,), (3,)), (0, None, None), 0),
    "group_norm": Case(GroupNorm(2), normal((2, 4, 2, 1), (4,), (4,)), (0, None, None), 0),
    "group_norm in MATLAB's layout": Case(GroupNorm(2, layout=WRITTEN), normal((2, 1, 4, 2), (4,), (4,))),
    "rms_norm": Case(RMSNorm(), normal((3, 4), (4,)), (0, None), 0),
    "dropout": Case(Dropout([[True, False, True], [True, True, False]], 0.25), normal((2, 3))),
}

IN_COLUMNS = Layout(batch="columns", weights="rows", vec="F", derivative="denominator", sequences="time-first")
KEPT = [[True, True], [True, False]]

SEQUENCES = {
    "rnn_step": Case(RNN(sequence=False), normal((2, 3), (2, 2), (3, 2), (2, 2), (2,)), (0, 0, None, None, None), 0),
    "rnn": Case(RNN(), normal((2, 2, 2), (2, 2), (2, 2), (2, 2), (2,)), (0, 0, None, None, None), 0),
    "rnn in MATLAB's layout": Case(RNN(layout=IN_COLUMNS), normal((2, 1, 2), (2, 1), (2, 2), (2, 2), (2,))),
    "lstm_step, c": Case(
        LSTM(sequence=False, result="c"),
        normal((2, 2), (2, 1), (2, 1), (2, 4), (1, 4), (4,)),
        (0, 0, 0, *[None] * 3),
        0,
    ),
    "lstm, mask": Case(LSTM(mask=KEPT), normal((2, 2, 2), (2, 1), (2, 1), (2, 4), (1, 4), (4,))),
    "gru": Case(GRU(), normal((2, 2, 2), (2, 1), (2, 3), (1, 3), (3,), (3,)), (0, 0, *[None] * 4), 0),
    "attention": Case(Attention(), normal((2, 2, 2), (2, 3, 2), (2, 3, 1)), (0, 0, 0), 0),
    "attention, heads, causal, mask": Case(
        Attention([[True, False, True]], causal=True), normal((1, 2, 2, 2), (1, 2, 3, 2), (1, 2, 3, 2)), (0, 0, 0), 0
    ),
    "multi_head_attention": Case(
        MultiHeadAttention(2), normal((1, 2, 2), (1, 2, 3), (2, 2), (3, 2), (3, 2), (2, 2), (2,), (2,), (2,), (2,))
    ),
}


def entries(low: float, high: float, count: int = 8) -> Callable[[np.random.Generator], list[np.ndarray]]:
    """Entries on both sides of what lies between, none at a whole number or a half."""
    return lambda rng: [np.linspace(low, high, count).reshape(2, count // 2) + 0.01]


ENTRYWISE = {
    "elu": Case(activations.ELU(0.5), entries(-2.3, 2.2), (0,), 0),
    "selu": Case(activations.SELU(), entries(-2.3, 2.2)),
    "hard_tanh": Case(activations.HardTanh(), entries(-2.3, 2.2), integers=False),
    "soft_sign": Case(activations.SoftSign(), entries(-2.3, 2.2)),
    "hard_swish": Case(activations.HardSwish(), entries(-4.3, 4.2), integers=False),
    "mish": Case(activations.Mish(), entries(-4.3, 4.2)),
    "absolute": Case(entrywise.Absolute(), entries(-2.3, 2.2)),
    "sqrt": Case(entrywise.Sqrt(), entries(0.3, 2.2)),
    "clip": Case(entrywise.Clip(-0.25, 1.25), entries(-2.3, 2.2)),
    "maximum": Case(entrywise.Maximum(), normal((2, 3), (3,)), integers=False),
    "minimum": Case(entrywise.Minimum(), normal((2, 1), (2, 3)), integers=False),
    "prelu": Case(activations.PReLU(), normal((2, 3), (3,)), (0, None), 0),
    "prelu, one slope": Case(activations.PReLU(), normal((2, 3), ()), (0, None), 0),
}

CASES = {**IMAGES, **NORMALISATION, **SEQUENCES, **ENTRYWISE}

LONG = {"gru", "lstm, mask", "multi_head_attention", "rnn in MATLAB's layout", "rnn_step", "lstm_step, c"}
"""Graphs of many values, whose laws are run with the slow tests; every day their values and one reference are."""
