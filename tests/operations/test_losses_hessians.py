"""Second derivatives of losses: every loss, reduction and layout against numbers that share no code with them."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest

from jacobians.errors import DomainError, ShapeError
from jacobians.layout import Layout
from jacobians.linops import Denominator, Diagonal, DiagonalMinusOuter, Zero
from jacobians.operations import (
    BinaryCrossEntropy,
    CrossEntropy,
    Logistic,
    Loss,
    MulticlassHinge,
    ProbabilityCrossEntropy,
    SquaredError,
)
from jacobians.testing import assert_hessian, assert_vec
from tests.central_differences import central, matrix
from tests.operations.loss_cases import LOSSES, REDUCTIONS, loss_case, made
from tests.operations.random_inputs import WRITTEN, Numbers
from tests.operations.test_losses import DEFINITIONS, examples

KINDS = [*itertools.product(REDUCTIONS, ["rows", "columns"])]


@pytest.mark.parametrize("name", LOSSES)
def test_it_is_the_derivative_of_the_gradient(name: str) -> None:
    """Of every reduction and batch; the next one is written in the next of the four ways."""
    check_derivatives(name, [(*kind, WRITTEN[place % len(WRITTEN)]) for place, kind in enumerate(KINDS)])


@pytest.mark.slow
@pytest.mark.parametrize("name", LOSSES)
def test_it_is_so_however_it_is_written(name: str) -> None:
    check_derivatives(name, [(*kind, written) for kind in KINDS for written in WRITTEN])


def check_derivatives(name: str, kinds: list[tuple[str, str, Layout]]) -> None:
    for reduction, batch, written in kinds:
        layout = written.replace(batch=batch)
        loss, (X, Y), *_ = loss_case(name, reduction, layout)(Numbers(3))
        assert_hessian(loss, X, Y)
        H = loss.hessian(X, Y)
        assert_vec(H)
        assert isinstance(H, Denominator) == (layout.derivative == "denominator")
        numeric = central(lambda x, loss=loss, Y=Y: loss.reduced(x, Y)[1].gradient, X)
        expected = matrix(numeric, 2, layout.vec, layout.derivative)
        np.testing.assert_allclose(H.to_dense(), expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("batch", ["rows", "columns"])
@pytest.mark.parametrize("name", LOSSES)
def test_second_differences_of_the_definition(name: str, batch: str) -> None:
    """Of the loss's definition in plain Python, example by example: no code of the library."""
    _, (X, Y), *_ = loss_case(name, "sum", Layout(batch=batch))(Numbers(5))

    def total(x: np.ndarray) -> float:
        return sum(DEFINITIONS[name](*example) for example in examples(x, Y, batch))

    twice = central(lambda x: central(total, x, 1e-3), X, 1e-3)
    H = made(LOSSES[name][0], "sum", Layout(batch=batch)).hessian(X, Y)
    np.testing.assert_allclose(H.to_dense(), twice.reshape(H.shape), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_the_dtype_stays(name: str) -> None:
    _, (X, Y), *_ = loss_case(name, "mean", Layout())(Numbers(4))
    loss = made(LOSSES[name][0], "mean", Layout())
    narrow, wide = loss.hessian(X.astype(np.float32), Y), loss.hessian(X, Y)
    assert (narrow.dtype, wide.dtype) == (np.float32, np.float64)
    np.testing.assert_allclose(narrow.to_dense(), wide.to_dense(), rtol=1e-4, atol=1e-6)


def test_structures() -> None:
    """One number for each entry or one outer product for each example: nothing is N·K × N·K."""
    X, labels, signs = np.zeros((4, 3)), np.array([0, 1, 2, 0]), np.ones((4, 3))
    assert isinstance(CrossEntropy("sum").hessian(X, labels), DiagonalMinusOuter)
    assert isinstance(BinaryCrossEntropy("sum").hessian(X, labels), Diagonal)
    assert isinstance(ProbabilityCrossEntropy("sum").hessian(X + 0.5, signs), Diagonal)
    assert isinstance(Logistic("sum").hessian(X, signs), Diagonal)
    assert isinstance(MulticlassHinge(1.0, "sum").hessian(X, labels), Zero)
    assert SquaredError(0.5, "sum").hessian(X, signs).nbytes == 0


def test_far_out_it_is_small_and_not_nan() -> None:
    with np.errstate(invalid="raise", over="raise", divide="raise"):
        for loss, Y in ((BinaryCrossEntropy("sum"), [1.0, 1.0]), (Logistic("sum"), [1.0, -1.0])):
            far = loss.hessian(np.array([-40.0, 800.0]), np.array(Y)).diagonal()
            np.testing.assert_allclose(far, [np.exp(-40.0), 0.0], rtol=1e-12)
        sure = CrossEntropy("sum").hessian(np.array([[1000.0, 0.0]]), [1])
        assert not sure.to_dense().any()
        known = ProbabilityCrossEntropy("sum").hessian(np.array([0.0, 1.0, 0.25]), np.array([0.0, 1.0, 1.0]))
        np.testing.assert_allclose(known.diagonal(), [1.0, 1.0, 16.0])


# --- errors --------------------------------------------------------------------------------------------


class Cubed(Loss):
    def _examples(self, X, Y):  # type: ignore[no-untyped-def]
        return lambda: np.sum(X**3, axis=1), lambda: 3 * X**2


def test_a_loss_without_one_says_so() -> None:
    message = (
        "cubed: the loss states no second derivative, which Gauss–Newton and Fisher matrices need; define "
        "_hessian(X, Y). It returns the second derivative of the sum of the losses with respect to X, as a Jacobian"
    )
    with pytest.raises(DomainError, match=f"^{re.escape(message)}$"):
        Cubed().hessian(np.ones((2, 2)), [0, 1])


def test_it_refuses_what_the_loss_refuses() -> None:
    X = np.zeros((4, 3))
    with pytest.raises(ShapeError, match="Y has shape"):
        BinaryCrossEntropy().hessian(X, np.zeros((3, 4)))
    with pytest.raises(DomainError, match="labels must be −1 or 1"):
        Logistic().hessian(X, X)
    with pytest.raises(DomainError, match="probabilities must lie in"):
        ProbabilityCrossEntropy().hessian(X - 1, X)
    with pytest.raises(DomainError, match="the mean over no examples"):
        SquaredError().hessian(X[:0], X[:0])
    assert SquaredError(reduction="sum").hessian(X[:0], X[:0]).shape == (0, 0)
