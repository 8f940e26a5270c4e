"""What losses refuse, and the text that says how to mend it."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from jacobians import binary_cross_entropy, cross_entropy, logistic_loss, multiclass_hinge, squared_error
from jacobians.errors import DomainError, DTypeError, LayoutError, ShapeError
from jacobians.layout import Layout
from jacobians.operations import CrossEntropy, SquaredError

ROWS, COLUMNS = Layout(), Layout(batch="columns")
X = np.ones((4, 3))
NAN = np.nan
RANGE = "is not an integer in 0 … 2 (3 classes)"
ONE_CLASS = "cross_entropy: X has shape (4, 1), one class; a softmax needs two or more: use the binary loss"


def probabilities(P: Any, Y: Any) -> Any:
    return binary_cross_entropy(P, Y, from_logits=False)


LABELS: list[tuple[Any, type[Exception], str]] = [
    ([0, 1, 2, 3], DomainError, f"label 3 at position 3 {RANGE}"),
    ([1, 2, 3, 1], DomainError, f"label 3 at position 2 {RANGE}; labels 1 … K: subtract 1"),
    ([0, 1, 2, -1], DomainError, f"label -1 at position 3 {RANGE}"),
    (np.array([0, 1, 2, 255], dtype=np.uint8), DomainError, f"label 255 at position 3 {RANGE}"),
    ([0, 1, 2, 0.5], DomainError, f"label 0.5 at position 3 {RANGE}"),
    ([0, NAN, 2, 1], DomainError, f"label nan at position 1 {RANGE}"),
    ([0, 1, np.inf, 1], DomainError, f"label inf at position 2 {RANGE}"),
    ([1.0, 2.0, 3.0, 1.0], DomainError, f"label 3.0 at position 2 {RANGE}; labels 1 … K: subtract 1"),
    ([True, False, True, True], DTypeError, "labels have dtype bool; expected integers 0 … 2"),
    (["a", "b", "c", "d"], DTypeError, "labels have dtype <U1; expected integers 0 … 2"),
    ([0, 1j, 0, 0], DTypeError, "labels have dtype complex128; expected integers 0 … 2"),
    ([None, 0, 0, 0], DTypeError, "labels have dtype object; expected integers 0 … 2"),
    (
        [0, 1, 2],
        ShapeError,
        "labels have shape (3,), X holds 4 examples; expected (4,); X holds 3 classes: is the batch on the other axis?",
    ),
    ([0, 1], ShapeError, "labels have shape (2,), X holds 4 examples; expected (4,)"),
    (0, ShapeError, "labels have shape (), X holds 4 examples; expected (4,)"),
]


@pytest.mark.parametrize(("labels", "error", "message"), LABELS)
@pytest.mark.parametrize("loss", [cross_entropy, multiclass_hinge])
def test_labels(loss: Any, labels: Any, error: type[Exception], message: str) -> None:
    for batch, layout in ((X, ROWS), (X.T, COLUMNS)):
        with pytest.raises(error, match=f"^{loss.__name__}: {re.escape(message)}$"):
            loss(batch, labels, layout=layout)


@pytest.mark.parametrize("labels", [[0, 1, 2, 3], [1, 2, 3, 1], [0, 1, 0.5, 2], [0, 1, NAN, 2]])
def test_labels_of_the_binary_loss(labels: Any) -> None:
    with pytest.raises(DomainError, match=r"^binary_cross_entropy: label .* at position . is not an integer in 0 … 2"):
        binary_cross_entropy(X, labels)


@pytest.mark.parametrize(
    ("run", "error", "message"),
    [
        # shapes: nothing is ever broadcast
        (
            lambda: squared_error(np.ones((4, 1)), np.ones(4)),
            ShapeError,
            "squared_error: Y has shape (4,), X has (4, 1) (batch in rows); reshape it to (4, 1)",
        ),
        (
            lambda: squared_error(np.ones(4), np.ones((4, 1))),
            ShapeError,
            "squared_error: Y has shape (4, 1), X has (4,) (batch in rows); reshape it to (4,)",
        ),
        (
            lambda: squared_error(X, X.T),
            ShapeError,
            "squared_error: Y has shape (3, 4), X has (4, 3) (batch in rows); its transpose would fit: is the batch in "
            "columns?",
        ),
        (
            lambda: squared_error(X.T, X, layout=COLUMNS),
            ShapeError,
            "squared_error: Y has shape (4, 3), X has (3, 4) (batch in columns); its transpose would fit: is the batch "
            "in rows?",
        ),
        (
            lambda: squared_error(X, np.ones((4, 2))),
            ShapeError,
            "squared_error: Y has shape (4, 2), X has (4, 3) (batch in rows)",
        ),
        (
            lambda: squared_error(X, [0, 2, 1, 0]),
            ShapeError,
            "squared_error: Y has shape (4,), X has (4, 3) (batch in rows); labels 0 … 2 are one-hot here: "
            "np.eye(K)[labels]",
        ),
        (
            lambda: squared_error(X.T, [0, 2, 1, 0], layout=COLUMNS),
            ShapeError,
            "squared_error: Y has shape (4,), X has (3, 4) (batch in columns); labels 0 … 2 are one-hot here: "
            "np.eye(K)[labels].T",
        ),
        (lambda: squared_error(X, 1.0), ShapeError, "squared_error: Y has shape (), X has (4, 3) (batch in rows)"),
        (
            lambda: cross_entropy(X, X.T),
            ShapeError,
            "cross_entropy: Y has shape (3, 4), X has (4, 3) (batch in rows); its transpose would fit: is the batch in "
            "columns?",
        ),
        (
            lambda: cross_entropy(X, np.ones((4, 2))),
            ShapeError,
            "cross_entropy: labels have shape (4, 2), X holds 4 examples; expected (4,)",
        ),
        (
            lambda: multiclass_hinge(X, X),
            ShapeError,
            "multiclass_hinge: labels have shape (4, 3), X holds 4 examples; expected (4,)",
        ),
        (
            lambda: binary_cross_entropy(np.ones((4, 1)), [0, 1, 0, 1]),
            ShapeError,
            "binary_cross_entropy: Y has shape (4,), X has (4, 1) (batch in rows); reshape it to (4, 1)",
        ),
        (
            lambda: logistic_loss(np.ones((4, 1)), np.ones(4)),
            ShapeError,
            "logistic_loss: Y has shape (4,), X has (4, 1) (batch in rows); reshape it to (4, 1)",
        ),
        (
            lambda: squared_error(1.0, 2.0),
            ShapeError,
            f"squared_error: X is a scalar; expected a batch of examples ({ROWS})",
        ),
        (
            lambda: cross_entropy(np.ones(3), [1]),
            ShapeError,
            f"cross_entropy: X has shape (3,); expected a matrix of logits ({ROWS})",
        ),
        (
            lambda: cross_entropy(np.ones((4, 0)), [0] * 4),
            ShapeError,
            f"cross_entropy: X has shape (4, 0); expected a matrix of logits ({ROWS})",
        ),
        (
            lambda: multiclass_hinge(np.ones((0, 4)), [0] * 4, layout=COLUMNS),
            ShapeError,
            f"multiclass_hinge: X has shape (0, 4); expected a matrix of scores ({COLUMNS})",
        ),
        # one class, where two were meant
        (lambda: cross_entropy(np.ones((4, 1)), [0, 1, 1, 0]), DomainError, ONE_CLASS),
        (lambda: cross_entropy(np.ones((4, 1)), [[0], [1], [1], [0]]), DomainError, ONE_CLASS),
        # targets out of their range
        (
            lambda: cross_entropy(X, -0.5 * X),
            DomainError,
            "cross_entropy: a soft target is negative (-0.5); targets are weights ≥ 0",
        ),
        (
            lambda: cross_entropy(X, np.where(np.eye(4, 3), NAN, 1.0)),
            DomainError,
            "cross_entropy: Y holds nan at (0, 0); targets must be finite",
        ),
        (
            lambda: squared_error(X, [[0, 0, 0]] * 3 + [[0, np.inf, 0]]),
            DomainError,
            "squared_error: Y holds inf at (3, 1); targets must be finite",
        ),
        (
            lambda: binary_cross_entropy(X, 2 * X),
            DomainError,
            "binary_cross_entropy: targets must lie in [0, 1]; Y spans [2.0, 2.0]",
        ),
        (
            lambda: binary_cross_entropy(np.ones(4), [-1, 1, 1, -1]),
            DomainError,
            "binary_cross_entropy: targets must lie in [0, 1]; Y spans [-1.0, 1.0]; labels −1 and 1: use logistic_loss",
        ),
        (
            lambda: logistic_loss(np.ones(4), [0, 1, 1, 0]),
            DomainError,
            "logistic_loss: labels must be −1 or 1; for 0 and 1 use binary_cross_entropy",
        ),
        # probabilities that are none
        (
            lambda: probabilities(2 * X, X),
            DomainError,
            "binary_cross_entropy: probabilities must lie in [0, 1]; X spans [2.0, 2.0]: are they logits? then pass "
            "from_logits=True",
        ),
        (
            lambda: probabilities(NAN * X, X),
            DomainError,
            "probabilities must lie in [0, 1]; X spans [nan, nan]: are they ",
        ),
        (
            lambda: probabilities(X, 0 * X),
            DomainError,
            "binary_cross_entropy: a probability is exactly 0 or 1 against its target, so the loss is infinite; "
            "compute it from logits",
        ),
        (lambda: probabilities(0 * X, X), DomainError, "a probability is exactly 0 or 1 against its target"),
        (
            lambda: probabilities(X, 2 * X),
            DomainError,
            "binary_cross_entropy: targets must lie in [0, 1]; Y spans [2.0, ",
        ),
        # reductions
        (
            lambda: cross_entropy(X, [0] * 4, reduction="avg"),  # type: ignore[arg-type]
            LayoutError,
            "CrossEntropy: reduction='avg' is unknown; did you mean 'mean'?",
        ),
        (
            lambda: cross_entropy(np.ones((0, 3)), []),
            DomainError,
            "cross_entropy: X has shape (0, 3); the mean over no examples is undefined (a sum is 0)",
        ),
        (
            lambda: squared_error(np.ones((4, 0)), np.ones((4, 0)), reduction="mean-all"),
            DomainError,
            "squared_error: X has shape (4, 0); the mean over no examples is undefined (a sum is 0)",
        ),
        # factors
        *(
            (
                lambda factor=factor: SquaredError(factor),  # type: ignore[misc]
                DomainError,
                f"SquaredError: factor={factor!r} must be one positive number, such as 0.5 before (x − y)²",
            )
            for factor in (0, -0.5, NAN, np.inf, "half", [0.5], 1j, True)
        ),
        (
            lambda: CrossEntropy().replace(factor=0.0),
            DomainError,
            "CrossEntropy: factor=0.0 must be one positive number, such as 0.5 before (x − y)²",
        ),
        # what are no real numbers
        (
            lambda: cross_entropy(X * 1j, [0] * 4),
            DTypeError,
            "cross_entropy: X has dtype complex128; expected real numbers",
        ),
        (lambda: cross_entropy(X, X * 1j), DTypeError, "cross_entropy: Y has dtype complex128; expected real numbers"),
        (lambda: squared_error(X, X.astype(str)), DTypeError, "squared_error: Y has dtype <U32; expected real numbers"),
    ],
)
def test_refusals(run: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match="^.*" + re.escape(message)):
        run()


def test_every_refusal_is_a_value_error() -> None:
    for labels, *_ in LABELS:
        with pytest.raises(ValueError, match="cross_entropy"):
            CrossEntropy()(X, labels)
