"""A replayed function does what the function does, bit for bit, on any numbers of the recorded shapes."""

from __future__ import annotations

import gc
import re
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jacobians import (
    Layout,
    Network,
    affine,
    all_conventions,
    cross_entropy,
    hadamard,
    log_softmax,
    matmul,
    relu,
    replayed,
    sigmoid,
    softmax,
    squared_error,
)
from jacobians.errors import DomainError, RecordingError, ShapeError
from jacobians.operations import ACTIVATIONS
from tests.network.cases import DENSE_LOSSES, moved_from_zero, targets

SIZES = (4, 3, 2)


def same_bits(found: Any, expected: Any) -> None:
    if isinstance(expected, dict):
        assert list(found) == list(expected)
        for name in expected:
            same_bits(found[name], expected[name])
    elif isinstance(expected, (list, tuple)):
        assert type(found) is type(expected)
        for one, other in zip(found, expected, strict=True):
            same_bits(one, other)
    else:
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


@pytest.fixture(autouse=True, params=[0, 4096], ids=["bound", "copied"])
def small(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Arguments and results are copied, as small ones are, or put into the calls, as larger ones are."""
    monkeypatch.setattr("jacobians.recording.replay._SMALL", request.param)


# --- networks --------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", all_conventions(), ids=lambda p: p.name)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_gradient_in_every_preset(preset: Any, dtype: str) -> None:
    net = Network.dense(SIZES, convention=preset, l2=0.3 if preset.l2 else 0.0)
    fast = replayed(net.gradient)
    for seed in range(3):
        params = {n: a.astype(dtype) for n, a in moved_from_zero(net.init(np.random.default_rng(seed))).items()}
        X = numbers(*net.layout.batch_shape(5, 4), seed=seed).astype(dtype)
        Y = targets(net.loss.name, net.layout, 5, 2, seed)
        same_bits(fast(params, X, Y), net.gradient(params, X, Y))
    assert fast.runs == 1


@pytest.mark.parametrize("loss", DENSE_LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("layout", [Layout(), Layout(batch="columns", weights="rows", bias="first", vec="F")], ids=str)
def test_the_gradient_of_every_activation_and_loss(activation: str, loss: str, layout: Layout) -> None:
    from jacobians import Convention

    net = Network.dense(SIZES, activation=activation, loss=loss, convention=Convention("test", layout, reduction="sum"))
    fast = replayed(partial(net.gradient, inputs=True))
    Y = targets(loss, layout, 5, 2)
    for seed in range(3):
        params, X = net.init(np.random.default_rng(seed)), numbers(*layout.batch_shape(5, 4), seed=seed)
        same_bits(fast(params, X, Y), net.gradient(params, X, Y, inputs=True))
    assert fast.runs == 1


def test_long_float32_sums_are_carried_in_float64_again() -> None:
    net = Network.dense(SIZES)
    params = net.init(np.random.default_rng(0), np.float32)
    X, Y = numbers(5000, 4).astype(np.float32), np.arange(5000) % 2
    fast = replayed(net.gradient)
    for factor in (1, -1):
        same_bits(fast(params, factor * X, Y), net.gradient(params, factor * X, Y))
    assert fast.runs == 1


@pytest.mark.parametrize("preset", all_conventions(), ids=lambda p: p.name)
def test_packed_parameters_as_an_optimiser_has_them(preset: Any) -> None:
    net = Network.dense(SIZES, convention=preset)

    def gradient(theta: np.ndarray, X: np.ndarray, Y: np.ndarray) -> np.ndarray:
        return net.pack(net.gradient(net.unpack(theta), X, Y))

    fast = replayed(gradient)
    for seed in range(3):
        theta = net.pack(moved_from_zero(net.init(np.random.default_rng(seed))))
        X, Y = numbers(*net.layout.batch_shape(5, 4), seed=seed), targets(net.loss.name, net.layout, 5, 2, seed)
        same_bits(fast(theta, X, Y), gradient(theta, X, Y))
    assert fast.runs == 1


def chain(X: np.ndarray, W1: np.ndarray, b1: np.ndarray, W2: np.ndarray, b2: np.ndarray, Y: np.ndarray) -> tuple:
    Z1, J1 = affine(X, W1, b1)
    A1, J2 = relu(Z1)
    Z2, J3 = affine(A1, W2, b2)
    loss, J4 = cross_entropy(Z2, Y)
    row = J4 @ J3.X @ J2
    return loss, [(J4 @ J3.W).gradient, (row @ J1.W).gradient], {"b1": (row @ J1.b).gradient}


def chain_data(seed: int) -> list[np.ndarray]:
    arrays = [numbers(*s, seed=seed + i) for i, s in enumerate([(5, 4), (4, 3), (3,), (3, 2), (2,)])]
    return [*arrays, np.random.default_rng(seed).integers(0, 2, 5)]


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 1000))
def test_the_chain_as_it_is_written(seed: int) -> None:
    fast = replayed(chain)
    fast(*chain_data(seed + 1))
    same_bits(fast(*chain_data(seed)), chain(*chain_data(seed)))


def test_the_replay_makes_the_products_of_backprop_and_no_more() -> None:
    """Two layers: two products forward, two for weights, two for biases, one for what lies between; no loss."""
    net = Network.dense(SIZES)
    fast = replayed(net.gradient)
    fast(net.init(np.random.default_rng(0)), numbers(5, 4), np.zeros(5, dtype=int))
    (recording,) = fast._known
    called = [getattr(function, "__name__", "") for function, _ in recording._replay._code]
    assert called.count("dot") == 7
    assert "log" not in called
    assert len(called) <= 34


# --- what comes out, and what stays ----------------------------------------------------------------


def test_results_are_new_and_arguments_stay() -> None:
    fast = replayed(chain)
    data = chain_data(0)
    kept = [a.copy() for a in data]
    for array in data:
        array.flags.writeable = False
    first = fast(*data)
    saved = [first[0].copy(), *(a.copy() for a in first[1]), first[2]["b1"].copy()]
    second = fast(*chain_data(1))
    outputs = [first[0], *first[1], first[2]["b1"]]
    for array, was in zip(outputs, saved, strict=True):
        np.testing.assert_array_equal(array, was)
        assert array.flags.writeable
    for array in [second[0], *second[1], second[2]["b1"]]:
        assert not any(np.shares_memory(array, other) for other in [*outputs, *data])
    for array, was in zip(data, kept, strict=True):
        np.testing.assert_array_equal(array, was)


def test_arguments_that_lie_otherwise_in_memory() -> None:
    fast = replayed(chain)
    expected = chain(*chain_data(3))
    fast(*chain_data(0))
    for order in (np.asfortranarray, lambda a: np.repeat(a, 2, axis=0)[::2]):
        found = fast(*(order(a) for a in chain_data(3)))
        np.testing.assert_allclose(found[1][1], expected[1][1], rtol=1e-13, atol=1e-15)


def test_other_shapes_are_recorded_too() -> None:
    net = Network.dense(SIZES)
    fast, params = replayed(net.gradient), net.init(np.random.default_rng(0))
    for _ in range(2):
        for count in (5, 7, 1):
            X, Y = numbers(count, 4), np.zeros(count, dtype=int)
            same_bits(fast(params, X, Y), net.gradient(params, X, Y))
    assert fast.runs == 3
    single = {name: array.astype(np.float32) for name, array in params.items()}
    assert fast(single, numbers(5, 4).astype(np.float32), np.zeros(5, dtype=int))["W1"].dtype == np.float32
    assert fast.runs == 4
    named = fast(params=params, X=numbers(5, 4), Y=np.zeros(5, dtype=int))
    same_bits(named, net.gradient(params, numbers(5, 4), np.zeros(5, dtype=int)))
    assert fast.runs == 5


def test_the_last_four_recordings_are_kept() -> None:
    """One for each batch size would be 388 MiB after twelve sizes of 784-512-512-10."""
    net = Network.dense(SIZES)
    fast, params = replayed(net.gradient), net.init(np.random.default_rng(0))

    def call(count: int) -> int:
        X, Y = numbers(count, 4), np.zeros(count, dtype=int)
        same_bits(fast(params, X, Y), net.gradient(params, X, Y))
        return fast.runs

    assert [call(count) for count in range(1, 13)] == [*range(1, 13)]
    assert len(fast._known) == 4
    assert [call(count) for count in (9, 10, 11, 12)] == [12] * 4  # the last four are still there
    assert [call(9), call(1), call(9), call(10)] == [12, 13, 13, 14]  # 10 was used before the others
    recordings = [weakref.ref(recording) for recording in fast._known]
    for count in range(20, 24):
        call(count)
    gc.collect()
    assert [recording() for recording in recordings] == [None] * 4


# --- decisions -------------------------------------------------------------------------------------


def test_a_decision_that_comes_out_otherwise_is_taken() -> None:
    fast = replayed(lambda Z, Y: cross_entropy(Z, Y)[1].gradient)
    Z, Y = numbers(3, 2), np.array([0, 1, 0])
    fast(Z, Y)
    Z[0, 0] = np.inf
    same_bits(fast(Z, Y), cross_entropy(Z, Y)[1].gradient)
    assert fast.runs == 2
    Z[0, 0] = 1.0
    same_bits(fast(Z, Y), cross_entropy(Z, Y)[1].gradient)
    assert fast.runs == 2


def test_bad_numbers_get_the_function_s_own_error() -> None:
    fast = replayed(lambda Z, Y: cross_entropy(Z, Y)[1].gradient)
    fast(numbers(3, 2), np.array([0, 1, 0]))
    for labels in ([0, 1, 2], [0, 1, -1]):
        with pytest.raises(DomainError, match=r"label -?\d at position 2 is not an integer in 0 … 1"):
            fast(numbers(3, 2), np.array(labels))
    with pytest.raises(ShapeError, match="labels have shape"):
        fast(numbers(3, 2), np.array([0, 1]))
    with pytest.raises(DomainError, match="label"):
        replayed(lambda Z, Y: cross_entropy(Z, Y)[1].gradient)(numbers(3, 2), np.array([0, 1, 2]))


def test_ignored_floating_point_errors_stay_ignored() -> None:
    with np.errstate(all="raise"):
        fast = replayed(lambda Z: sigmoid(Z)[1].jvp(np.ones((2, 2))))
        fast(np.array([[0.0, 1.0], [2.0, 3.0]]))
        deep = np.array([[-745.0, 745.0], [-709.0, 800.0]])
        same_bits(fast(deep), sigmoid(deep)[1].jvp(np.ones((2, 2))))
    assert fast.runs == 1


# --- functions that are no networks ----------------------------------------------------------------


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "products": lambda A, B: matmul(A, B.T)[1].A.vjp(np.ones((3, 3))),
    "hadamard": lambda A, B: hadamard(A, B)[1].B.jvp(B),
    "softmax": lambda A, B: softmax(A)[1].vjp(B),
    "log-softmax": lambda A, B: log_softmax(A)[1].jvp(B),
    "squared error": lambda A, B: squared_error(A, B)[1].gradient,
    "views": lambda A, B: A.T.swapaxes(0, 1).reshape(-1)[2:] + B.ravel()[:-2],
    "an index array": lambda A, B: A[np.array([2, 0])] * B[(B[:, 0] > 0).astype(int)[:2]],
    "writing": lambda A, B: written(A, B),
    "writing masked": lambda A, B: np.subtract(A, B, out=np.zeros_like(A), where=A > B),
    "reductions": lambda A, B: [A.sum(), B.max(axis=0), np.min(A, axis=1, keepdims=True), np.add.reduce(B)],
    "whether": lambda A, B: (np.any(A > 9), (B < 9).all(axis=1)),
    "joined": lambda A, B: np.concatenate([A, np.ones((1, 2)), B]),
    "broadcast": lambda A, B: np.broadcast_to(A[0], (3, 2)) - B,
    "an argument": lambda A, B: (A, B.T, A.copy(), A.astype(np.float32)),
    "a constant": lambda A, B: (A + 1, np.arange(3), 7),
    "Python's numbers": lambda A, B: (1 - A, 2.0 * B, A**2, -B, abs(A), 3 / (B + 10)),
    "single precision": lambda A, B: A.astype(np.float32) * 0.1 + 1,
    "one by one": lambda A, B: sum(row * row for row in A) + len(B),
}


def written(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    out = np.empty_like(A)
    out[...] = B
    out[0] += A[1]
    out[np.array([1, 2]), np.array([0, 1])] = 5.0
    out.T[0] *= 2
    return out


@pytest.mark.parametrize("name", FUNCTIONS)
def test_any_function_of_arrays(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    function = FUNCTIONS[name]
    if name.startswith("writing"):
        with pytest.raises(RecordingError, match="the function writes into an array"):
            replayed(function)(numbers(3, 2), numbers(3, 2))
        monkeypatch.setattr("jacobians.recording.tape.by_library", lambda: True)
    fast = replayed(function)
    for seed in range(3):
        A, B = numbers(3, 2, seed=seed), numbers(3, 2, seed=seed + 10)
        found, expected = fast(A, B), function(A, B)
        if name == "a constant":
            assert found[2] == 7
            found, expected = found[:2], expected[:2]
        same_bits(found, expected)
        for array in found if isinstance(found, (list, tuple)) else [found]:
            assert not np.shares_memory(array, A)
            assert not np.shares_memory(array, B)
    assert fast.runs == 1


def into_new(A: np.ndarray) -> np.ndarray:
    out = np.zeros(A.shape)
    np.add(A, 1, out=out)
    return out


def into_argument(A: np.ndarray) -> np.ndarray:
    A += 1
    return A


REFUSED: dict[str, tuple[Callable[[np.ndarray], Any], str]] = {
    "asarray": (lambda A: np.asarray(A) + 1, r"shape \(3, 2\) into plain numbers, which would stay the same"),
    "float": (lambda A: float(A.sum()), r"shape \(\) into plain numbers"),
    "an array of its own": (into_new, r"writes into an array .*; make a new one.*line \d+: np.add\(A, 1, out=out\)"),
    "an argument": (into_argument, r"writes into an array .*; make a new one.*line \d+: A \+= 1"),
    "sort": (lambda A: np.sort(A), "numpy.sort of an array is not known here"),
    "outer": (lambda A: np.multiply.outer(A, A), r"numpy.multiply \(outer, \) is not known here"),
    "accumulate into": (lambda A: np.add.reduce(A, out=np.empty_like(A[0])), "numpy.add.reduce with out is not known"),
    "a method": (lambda A: A.cumsum(), "numpy.ndarray.cumsum is not known here"),
    "vectors": (lambda A: np.dot(A[0], A[1]), "dot is known for two matrices here; use @"),
    "a masked maximum": (lambda A: np.max(A, where=A > 0, initial=0), "maximum.reduce with .*where.* is not known"),
}


@pytest.mark.parametrize("function", [into_new, into_argument])
def test_the_library_too_writes_into_what_it_made_alone(function: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jacobians.recording.tape.by_library", lambda: True)
    A = numbers(3, 2)
    with pytest.raises(RecordingError, match=r"make it with np.zeros_like or np.empty_like"):
        replayed(function)(A)
    np.testing.assert_array_equal(A, numbers(3, 2))


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_not_be_followed_is_refused(name: str) -> None:
    function, message = REFUSED[name]
    with pytest.raises(RecordingError, match=message):
        replayed(function)(numbers(3, 2))


def test_the_function_s_own_error_comes_first() -> None:
    with pytest.raises(ZeroDivisionError):
        replayed(lambda A: A / (1 // 0))(numbers(3, 2))
    with pytest.raises(DomainError, match=r"a soft target is negative \(-1\.0\)"):
        replayed(lambda Z, Y: cross_entropy(Z, Y)[0])(numbers(3, 2), -np.ones((3, 2)))
    with pytest.raises(ValueError, match=re.escape("operands could not be broadcast")):
        replayed(lambda A, B: A + B)(numbers(3, 2), numbers(2, 3))


# --- memory ----------------------------------------------------------------------------------------


def kept_arrays(depth: int) -> int:
    """How many arrays of a layer's size the replay of a deep network keeps."""
    net = Network.dense((8,) * (depth + 1), activation="relu")
    fast = replayed(net.gradient)
    params, X, Y = net.init(np.random.default_rng(0)), numbers(6, 8), np.arange(6)
    fast(params, X, Y)
    same_bits(fast(params, -X, Y), net.gradient(params, -X, Y))
    (recording,) = fast._known
    operands = [o for _, given in recording._replay._code for o in given if isinstance(o, np.ndarray)]
    roots = {id(o if o.base is None else o.base) for o in operands if o.size == 6 * 8}
    return len(roots)


def test_what_is_read_no_more_lends_its_memory() -> None:
    """Two arrays a layer are needed until the sweep comes back, Z and A; the sweep itself takes four, however deep."""
    assert kept_arrays(12) - kept_arrays(4) == 2 * 8
    assert kept_arrays(4) <= 2 * 4 + 4


def test_memory_is_not_lent_while_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jacobians.recording.tape.by_library", lambda: True)

    def tangled(A: np.ndarray, B: np.ndarray) -> list[np.ndarray]:
        first = A + B
        view = first.T[1:]
        second = np.exp(B - A)
        third = second * 2.0
        view *= 3.0  # first is written through a view after what was made since
        fourth = third + first
        second -= fourth
        return [fourth * second, (first + third).T]

    fast = replayed(tangled)
    for seed in range(4):
        A, B = numbers(3, 2, seed=seed), numbers(3, 2, seed=seed + 10)
        same_bits(fast(A, B), tangled(A, B))
    assert fast.runs == 1
