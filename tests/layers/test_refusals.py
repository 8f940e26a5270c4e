"""What layers refuse of what is no shape: numbers that are not whole, masks that are weights, statistics of no pair."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians import layers
from jacobians.errors import ArgumentError, DomainError, ShapeError

rng = np.random.default_rng(0)
X, W, S = rng.normal(size=(2, 4, 6, 6)), rng.normal(size=(3, 4, 3, 3)), rng.normal(size=(2, 5, 4))
STATE, SQUARE = np.zeros((2, 4)), rng.normal(size=(4, 4))


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: layers.conv2d(X, W, stride=True), ShapeError, "stride=True; expected a whole number of at least 1"),
        (
            lambda: layers.conv_transpose2d(X, W),
            ShapeError,
            "the kernel of a transposed convolution begins with its inputs: exchange W's first axes",
        ),
        (
            lambda: layers.conv2d(X, rng.normal(size=(6, 4, 3, 3)), groups=3),
            ShapeError,
            "with groups=3 takes 12 (batch in rows, images CHW, kernels OIHW); 3 groups do not divide 4 channels",
        ),
        (
            lambda: layers.conv2d(X, rng.normal(size=(6, 4, 3, 3)), groups=2),
            ShapeError,
            "; of 2 groups the kernel has the inputs of one, 4/2",
        ),
        (
            lambda: layers.embedding([-1, 0], SQUARE),
            DomainError,
            "is a negative one padding? Give it a row of its own",
        ),
        (
            lambda: layers.attention(S, S[:, :0], S[:, :0]),
            DomainError,
            "attention: the scores have shape (2, 5, 0); a softmax over the keys needs one or more",
        ),
        (lambda: layers.pad(X, -1), ShapeError, "pad: widths=-1; expected a whole number of at least 0"),
        (lambda: layers.embedding(SQUARE, [0, 1]), ShapeError, "the rows' numbers; the order is tokens, table"),
        (
            lambda: layers.batch_norm(S[0], np.ones(4), np.zeros(4), statistics=np.zeros(4)),  # type: ignore[arg-type]
            ArgumentError,
            "the statistics are an array of shape (4,); expected a pair (mean, variance)",
        ),
        (
            lambda: layers.running_statistics(S[0], momentum=2),
            DomainError,
            "momentum=2; expected the share of the old statistics, from 0 to 1",
        ),
        (
            lambda: layers.running_statistics(S[0], (np.zeros(1), np.ones(1))),
            ShapeError,
            "those from before have shapes (1,) and (1,), the batch's (4,)",
        ),
        (
            lambda: layers.running_statistics(S[0, :1], unbiased=True),
            DomainError,
            "X has shape (1, 4), one entry of each feature; an unbiased variance needs two",
        ),
        (lambda: layers.group_norm(X, np.ones(4), np.zeros(4), 2.0), ShapeError, "groups=2.0; expected a divisor of 4"),
        (
            lambda: layers.dropout(SQUARE, 0.5, mask=np.abs(SQUARE)),
            ArgumentError,
            "dropout: the mask has the entries",
        ),
        (
            lambda: layers.rnn(S, STATE, SQUARE, SQUARE, np.zeros(4), mask=[[1, 2, 0, 0, 0]] * 2),
            ArgumentError,
            "rnn: the mask has the entries 1 to 2 beside 0; expected booleans, or zeros and one other number",
        ),
        (
            lambda: layers.rnn(S, STATE[None], SQUARE, SQUARE, np.zeros(4)),
            ShapeError,
            "X has shape (2, 5, 4) and h (1, 2, 4); expected a batch of sequences, three axes, and a matrix of states",
        ),
        (
            lambda: layers.multi_head_attention(S, S, *[SQUARE] * 4, heads=2.0),  # type: ignore[arg-type]
            ShapeError,
            "heads=2.0 of 4 and 4 outputs; expected a common divisor",
        ),
        (
            lambda: jac.temporal_softmax(S, np.zeros((2, 5), int), class_weights=[1, -1, 1, 1]),
            DomainError,
            "temporal_softmax: class_weights has the entry -1; expected finite numbers ≥ 0",
        ),
        (
            lambda: jac.temporal_softmax(S, np.zeros((2, 5), int), np.full((2, 5), np.nan)),
            DomainError,
            "temporal_softmax: mask has the entry nan; expected finite numbers ≥ 0",
        ),
    ],
)
def test_refusals(call: Callable[[], Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=re.escape(said)):
        call()


def test_a_mask_of_zeros_and_one_other_number() -> None:
    """CS231n's dropout mask holds 1/p where an entry is kept."""
    kept = rng.random(SQUARE.shape) < 0.5
    np.testing.assert_array_equal(
        layers.dropout(SQUARE, 0.5, mask=kept / 0.5)[0], layers.dropout(SQUARE, 0.5, mask=kept)[0]
    )
