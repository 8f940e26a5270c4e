"""Law 11 over every operation, layout and dtype: second derivatives against numbers, and what states none."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians.errors import DomainError, ShapeError
from jacobians.graphs.elementary import Arctan2, Elementary, Hypot, LogAddExp
from jacobians.graphs.rearranging import Extreme, Indexed, Joined, Moved, Permuted
from jacobians.graphs.targets import WithTargets
from jacobians.linops import Diagonal
from jacobians.operations import (
    Affine,
    Elementwise,
    Loss,
    MulticlassHinge,
    Operation,
    Power,
    Primitive,
    ReLU,
    Sigmoid,
    matmul,
)
from jacobians.operations.broadcasting import Choice, Divided, Minus, OfTwo, Plus, Raised, Times
from jacobians.testing import assert_second
from tests.operations.cases import CASES
from tests.operations.random_inputs import Numbers
from tests.operations.simple_cases import ELEMENTWISE


def sampled(name: str, seed: int) -> tuple[Operation, list[np.ndarray]]:
    sample = CASES[name](Numbers(seed))
    if isinstance(sample.operation, Loss):
        return WithTargets(sample.operation, sample.arrays[1]), sample.arrays[:1]
    return sample.operation, sample.arrays


def check(name: str, number: int, dtype: str) -> None:
    operation, arrays = sampled(name, number)
    if isinstance(operation, Operation):
        assert_second(operation, [a.astype(dtype) for a in arrays], np.random.default_rng(number))


def test_operations() -> None:
    """Every operation, each layout and each dtype often; all of their products are in the slow test."""
    for number, name in enumerate(CASES):
        if number % 4 == 0 or name in ELEMENTWISE:
            check(name, number, "float32" if (number // 4) % 3 == 0 else "float64")


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("seed", [0, 1000])
def test_every_operation_in_every_layout_and_dtype(dtype: str, seed: int) -> None:
    for number, name in enumerate(CASES):
        check(name, number + seed, dtype)


of_two = {
    "+": Plus(),
    "-": Minus(),
    "*": Times(),
    "/": Divided(),
    "**": Raised(),
    "where": Choice([True, False, True]),
    "logaddexp": LogAddExp(),
    "hypot": Hypot(),
    "arctan2": Arctan2(),
}


@pytest.mark.parametrize("shapes", [((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2, 3))])
@pytest.mark.parametrize("name", of_two)
def test_operations_of_two_broadcast(name: str, shapes: tuple[tuple[int, ...], ...]) -> None:
    g = Numbers(5)
    assert_second(of_two[name], [g.within(0.5, 2.0, *shape) for shape in shapes])


def every(kind: type) -> list[type]:
    return [own for child in kind.__subclasses__() for own in (child, *every(child))]


@pytest.mark.parametrize("kind", every(Elementary))
def test_elementary_functions(kind: type[Elementary]) -> None:
    low, high = np.clip(kind.domain, -1.5, 3.0)
    third = (high - low) / 3
    assert_second(kind(), [Numbers(7).within(low + third, high - third, 2, 3)])


@pytest.mark.parametrize(
    "operation",
    [Indexed((slice(None), 0)), Permuted((1, 0)), Moved(np.flipud, "flipud"), Extreme("max", 1), Joined(1)],
)
def test_what_moves_entries_has_none(operation: Operation) -> None:
    X = Numbers(1)(3, 4)
    assert operation.evaluate(X)[1].second(np.ones(operation.evaluate(X)[0].shape)) == {}
    assert_second(operation, [X])


def test_every_operation_of_networks_and_graphs_states_one_or_that_there_is_none() -> None:
    homes = ("jacobians.operations.", "jacobians.graphs.")
    shipped = {k for k in every(Primitive) if k.__module__.startswith(homes) and not k.__name__.startswith("_")}
    for kind in shipped - {Elementwise, OfTwo, Elementary, *(k for k in shipped if k.__abstractmethods__)}:
        stated = [
            owner.__name__
            for name in ("_second", "_curvature", "_curvatures")
            for owner in kind.__mro__
            if name in vars(owner) and owner not in (Primitive, Elementwise, OfTwo)
        ]
        assert stated or kind.piecewise_linear or issubclass(kind, Elementary), kind


def test_between_its_kinks_a_relu_has_none() -> None:
    assert ReLU().evaluate([-1.0, 2.0])[1].second([1.0, 1.0]) == {}


def test_a_product_with_itself() -> None:
    """(A, A) ↦ A A: both blocks are the same input's."""
    A = Numbers(2)(3, 3)
    G = Numbers(3)(3, 3)
    M = matmul(A, A)[1].second(G)["A", "B"]
    T = Numbers(4)(3, 3)
    np.testing.assert_allclose(M.jvp(T) + M.vjp(T), G @ T.T + T.T @ G, rtol=1e-13)


# --- accuracy ------------------------------------------------------------------------------------------


def test_saturated_sigmoids_keep_their_digits() -> None:
    """σ″ = σ′ (1 − 2σ) is −e^−z where z is large: 1 − 2σ itself is right, and nothing overflows."""
    z = np.array([40.0, -40.0, 700.0, -700.0])
    expected = np.array([-np.exp(-40.0), np.exp(-40.0), -np.exp(-700.0), np.exp(-700.0)])
    np.testing.assert_allclose(Sigmoid()._curvature(z), expected, rtol=1e-14)


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "softplus", "silu", "gelu"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_nothing_overflows_far_out(name: str, dtype: str) -> None:
    operation, _ = sampled(name, 0)
    assert isinstance(operation, Elementwise)
    far = np.array([-np.inf, -1e30, -1e4, 1e4, 1e30, np.inf], dtype=dtype)
    bend = operation._curvature(far)
    assert bend.dtype == dtype
    assert np.abs(bend).max() == 0


# --- refusals ------------------------------------------------------------------------------------------


class Cube(Elementwise):
    def _rule(self, z: np.ndarray) -> tuple[np.ndarray, object]:
        return z**3, lambda: 3 * z**2


class Norm(Primitive):
    def _linearize(self, *arrays: np.ndarray) -> tuple[np.ndarray, dict]:
        return arrays[0] * arrays[0], {"X": lambda: Diagonal(2 * arrays[0])}


@pytest.mark.parametrize(("operation", "mend"), [(Cube(), r"_curvature\(z\)"), (Norm(), r"_second\(cotangent, \*arr")])
def test_what_states_none_says_so(operation: Operation, mend: str) -> None:
    with pytest.raises(DomainError, match=rf"states no second derivative, which a Hessian needs; define {mend}"):
        operation.evaluate([1.0])[1].second([1.0])


def test_an_operation_of_two_says_so() -> None:
    class Product(OfTwo):
        def _of(self, A: np.ndarray, B: np.ndarray) -> tuple:
            return A * B, (lambda: B, lambda: A)

    with pytest.raises(DomainError, match=r"product: the operation states no second derivatives.*_curvatures"):
        Product().evaluate([1.0], [2.0])[1].second([1.0])


def test_a_record_that_was_stored_says_so() -> None:
    import pickle

    record = pickle.loads(pickle.dumps(Affine().evaluate(np.ones((2, 3)), np.ones((3, 1)), np.ones(1))[1]))
    with pytest.raises(DomainError, match="affine: this record has first derivatives alone; evaluate"):
        record.second(np.ones((2, 1)))


def test_a_cotangent_of_another_shape() -> None:
    record = Sigmoid().evaluate(np.ones((2, 3)))[1]
    with pytest.raises(ShapeError, match=r"second: the cotangent has shape \(3, 2\); sigmoid's value has shape \(2, 3"):
        record.second(np.ones((3, 2)))


def test_a_corner_of_the_hinge_says_so() -> None:
    loss = MulticlassHinge()
    assert loss.hessian([[2.0, 0.5, 0.0]], [0]).structure.startswith("Zero")
    with pytest.raises(DomainError, match=r"score at \(1, 0\) is exactly met, a corner of the loss"):
        loss.hessian([[2.0, 0.5, 0.0], [0.0, 1.0, 0.0]], [0, 1])


def test_an_infinite_second_derivative_says_so() -> None:
    with pytest.raises(DomainError, match=r"entry 0.0 at index \(1,\) has an infinite second derivative at exponent 1"):
        Power(1.5).evaluate([1.0, 0.0])[1].second([1.0, 1.0])
    with pytest.raises(DomainError, match="whose exponent varies has second derivatives where A is above 0"):
        Raised().evaluate([0.0], [2.0])[1].second([1.0])
