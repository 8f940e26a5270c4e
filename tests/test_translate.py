"""Every pair of conventions: round trips, composition, and the same network, vector and Jacobian on both sides."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jacobians.array_names import ArrayNames
from jacobians.conventions import Convention
from jacobians.errors import DomainError, LayoutError, ShapeError
from jacobians.layout import Layout
from jacobians.presets import all_conventions
from jacobians.translate import (
    reduction_ratio,
    translate_batch,
    translate_gradients,
    translate_jacobian,
    translate_kernel,
    translate_packed,
    translate_parameters,
)

SIZES = (3, 4, 2)
PRESETS = all_conventions()
LAYOUTS = [
    Layout().replace(batch=batch, weights=weights, bias=bias, vec=order, derivative=derivative)
    for batch, weights, bias, order, derivative in itertools.product(
        ("rows", "columns"),
        ("rows", "columns"),
        ("separate", "first", "last", "none"),
        ("C", "F"),
        ("numerator", "denominator"),
    )
]

Parameters = dict[str, np.ndarray]


@st.composite
def any_convention(draw: st.DrawFn) -> Convention:
    return Convention(
        draw(st.sampled_from(["left", "right"])),
        draw(st.sampled_from(LAYOUTS)),
        packing=draw(st.sampled_from(["layers", "weights-then-biases", None])),
        names=draw(st.sampled_from([ArrayNames(), ArrayNames(weight="Theta{l}", bias="c{l}")])),
    )


def random_parameters(source: Convention, sizes: Sequence[int], *, zero_bias: bool, seed: int = 0) -> Parameters:
    rng = np.random.default_rng(seed)
    params = {name: rng.normal(size=shape) for name, shape in source.shapes(sizes).items()}
    for name, array in params.items() if zero_bias else ():
        if not source.names.is_weight(name):
            array[...] = 0
        elif source.layout.absorbs_bias:
            end = 0 if source.layout.bias == "first" else -1
            array[(slice(None), end) if source.layout.weights == "rows" else end] = 0
    return params


def loops(params: Parameters, X: np.ndarray, owner: Convention, sizes: Sequence[int]) -> np.ndarray:
    """A tanh network's outputs (N, K) by loops over examples, nodes and inputs, reading X and params in place."""
    layout = owner.layout
    count = X.shape[0] if layout.batch == "rows" else X.shape[1]
    outputs = np.zeros((count, sizes[-1]))
    for n in range(count):
        signal = [X[n, i] if layout.batch == "rows" else X[i, n] for i in range(sizes[0])]
        for layer in range(1, len(sizes)):
            W = params[owner.weight(layer)]
            entries = {"first": [1.0, *signal], "last": [*signal, 1.0]}.get(layout.bias, signal)
            signal = []
            for node in range(sizes[layer]):
                z = 0.0
                for i, entry in enumerate(entries):
                    z += (W[node, i] if layout.weights == "rows" else W[i, node]) * entry
                if layout.bias == "separate":
                    b = params[owner.bias(layer)]
                    z += b[node] if layout.batch == "rows" else b[node, 0]
                signal.append(np.tanh(z))
        outputs[n] = signal
    return outputs


def numerical_jacobian(f: Callable[[np.ndarray], np.ndarray], x: np.ndarray) -> np.ndarray:
    """Central differences, (outputs, inputs)."""
    columns = []
    for i in range(x.size):
        step = np.zeros_like(x)
        step[i] = 1e-5
        columns.append((f(x + step) - f(x - step)) / 2e-5)
    return np.stack(columns, axis=1)


def jacobian_in(owner: Convention, params: Parameters, X: np.ndarray) -> np.ndarray:
    """The Jacobian with respect to packed parameters, numerically, in the owner's layout, orders and packing."""

    def outputs(vector: np.ndarray) -> np.ndarray:
        value = loops(owner.unpack(vector, SIZES), X, owner, SIZES)  # (N, K)
        return (value if owner.layout.batch == "rows" else value.T).flatten(order=owner.layout.vec)

    J = numerical_jacobian(outputs, owner.pack(params))
    return J if owner.layout.derivative == "numerator" else J.T


def test_there_are_sixty_four_layouts() -> None:
    assert len(set(LAYOUTS)) == 64


# --- parameters ----------------------------------------------------------------------------------


def check_pair(source: Convention, target: Convention, sizes: Sequence[int] = SIZES) -> None:
    params = random_parameters(source, sizes, zero_bias="none" in (source.layout.bias, target.layout.bias))
    before = {name: array.copy() for name, array in params.items()}
    moved = translate_parameters(params, source, target)
    assert {name: array.shape for name, array in moved.items()} == target.shapes(sizes)
    assert list(moved) == list(target.shapes(sizes))

    back = translate_parameters(moved, target, source)
    for name, array in params.items():
        np.testing.assert_array_equal(back[name], array)
        np.testing.assert_array_equal(array, before[name])
        assert not any(np.may_share_memory(array, other) for other in (*moved.values(), *back.values()))

    X = np.random.default_rng(1).normal(size=source.layout.batch_shape(5, sizes[0]))
    moved_X = translate_batch(X, source, target)
    assert moved_X.shape == target.layout.batch_shape(5, sizes[0])
    assert not np.may_share_memory(X, moved_X)
    np.testing.assert_array_equal(translate_batch(moved_X, target, source), X)
    np.testing.assert_allclose(
        loops(moved, moved_X, target, sizes), loops(params, X, source, sizes), rtol=0, atol=1e-14
    )

    vector = source.pack(params, sizes)
    moved_vector = translate_packed(vector, sizes, source, target)
    np.testing.assert_array_equal(moved_vector, target.pack(moved, sizes))
    np.testing.assert_array_equal(translate_packed(moved_vector, sizes, target, source), vector)
    assert not np.may_share_memory(vector, moved_vector)


@pytest.mark.parametrize("source", PRESETS, ids=lambda c: c.name)
def test_every_ordered_pair_of_presets(source: Convention) -> None:
    for target in PRESETS:
        check_pair(source, target)


@given(source=any_convention(), target=any_convention(), sizes=st.lists(st.integers(1, 4), min_size=2, max_size=4))
def test_any_two_layouts(source: Convention, target: Convention, sizes: list[int]) -> None:
    check_pair(source, target, sizes)


@given(first=any_convention(), middle=any_convention(), last=any_convention())
def test_composition(first: Convention, middle: Convention, last: Convention) -> None:
    zero_bias = "none" in {c.layout.bias for c in (first, middle, last)}
    params = random_parameters(first, SIZES, zero_bias=zero_bias)
    direct = translate_parameters(params, first, last)
    around = translate_parameters(translate_parameters(params, first, middle), middle, last)
    assert direct.keys() == around.keys()
    for name, array in direct.items():
        np.testing.assert_array_equal(around[name], array)

    vector = first.pack(params)
    around_vector = translate_packed(translate_packed(vector, SIZES, first, middle), SIZES, middle, last)
    np.testing.assert_array_equal(around_vector, translate_packed(vector, SIZES, first, last))

    if {c.layout.bias == "none" for c in (first, middle, last)} != {True, False}:  # derivatives need both biases
        size = sum(array.size for array in params.values())
        J = np.random.default_rng(2).normal(size=(6, size))
        J = J if first.layout.derivative == "numerator" else J.T
        around_J = translate_jacobian(translate_jacobian(J, SIZES, first, middle, (3, 2)), SIZES, middle, last, (3, 2))
        np.testing.assert_array_equal(around_J, translate_jacobian(J, SIZES, first, last, (3, 2)))


def test_by_hand() -> None:
    theta = {"Theta1": np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])}
    moved = translate_parameters(theta, "ng-ml-2011", "cs231n")
    assert moved["W1"].tolist() == [[2, 5], [3, 6]]
    assert moved["b1"].tolist() == [1, 4]
    assert translate_parameters(theta, "ng-ml-2011", "cs231n-bias-trick")["W1"].tolist() == [[2, 5], [3, 6], [1, 4]]
    assert translate_parameters(theta, "ng-ml-2011", "ng-dlai")["b1"].tolist() == [[1], [4]]
    assert translate_packed(np.array([1.0, 4, 2, 5, 3, 6]), (2, 2), "ng-ml-2011", "cs231n").tolist() == [
        2,
        5,
        3,
        6,
        1,
        4,
    ]


def test_dtype_is_kept() -> None:
    params = {"W1": np.ones((2, 3), dtype=np.float32), "b1": np.zeros(3, dtype=np.float32)}
    for target in PRESETS:
        assert {a.dtype for a in translate_parameters(params, "cs231n", target).values()} == {np.dtype(np.float32)}
    bare = {"W1": np.ones((2, 3), dtype=np.float32)}
    assert translate_parameters(bare, "vecderivs-rows", "cs231n")["b1"].dtype == np.float32
    vector = np.zeros(9, dtype=np.float32)
    assert translate_packed(vector, (2, 3), "cs231n", "ng-ml-2011").dtype == np.float32
    row = np.zeros((1, 9), dtype=np.float32)
    assert translate_jacobian(row, (2, 3), "cs231n", "ng-ml-2011").dtype == np.float32
    assert translate_batch(np.zeros((2, 3), dtype=np.int8), "cs231n", "cs229").dtype == np.int8


def test_read_only_input() -> None:
    params = random_parameters(PRESETS[0], SIZES, zero_bias=False)
    for array in params.values():
        array.flags.writeable = False
    for array in translate_parameters(params, PRESETS[0], PRESETS[0]).values():
        assert array.flags.writeable


@pytest.mark.parametrize("bias", ["separate", "first", "last"])
@pytest.mark.parametrize("value", [0.5, -2.0, np.nan])
def test_a_bias_is_never_lost(bias: str, value: float) -> None:
    source = Convention("biased", Layout(weights="rows").replace(bias=bias))
    params = random_parameters(source, (2, 2, 1), zero_bias=True)
    assert translate_parameters(params, source, "vecderivs-rows").keys() == {"W1", "W2"}
    place = ("b2", 0) if bias == "separate" else ("W2", (0, 0 if bias == "first" else -1))
    params[place[0]][place[1]] = value
    message = (
        f"translate_parameters: vecderivs-rows has no bias, and the bias of layer 2 in biased is not zero "
        f"(largest {abs(value):.3g}); choose a target with a bias, or set it to zero first"
    )
    with pytest.raises(LayoutError, match=re.escape(message)):
        translate_parameters(params, source, "vecderivs-rows")
    with pytest.raises(LayoutError, match=r"^translate_packed: vecderivs-rows has no bias"):
        translate_packed(source.pack(params), (2, 2, 1), source, "vecderivs-rows")


def test_parameters_of_another_convention_are_refused() -> None:
    with pytest.raises(ShapeError, match="cs231n calls its first weight W1; found Theta1: rename or translate it"):
        translate_parameters({"Theta1": np.zeros((2, 3))}, "cs231n", "pytorch")
    with pytest.raises(ShapeError, match=r"translate_parameters: b1 has shape \(2,\), .* expected \(3,\)"):
        translate_parameters({"W1": np.zeros((2, 3)), "b1": np.zeros(2)}, "cs231n", "pytorch")
    with pytest.raises(LayoutError, match="'cs231' is unknown; did you mean"):
        translate_parameters({}, "cs231", "pytorch")


# --- batches -------------------------------------------------------------------------------------


def test_batch_needs_a_matrix() -> None:
    message = r"translate_batch: the batch has shape \(3,\); .* columns for cs229: reshape one example to \(3, 1\)"
    with pytest.raises(ShapeError, match=message):
        translate_batch(np.zeros(3), "cs229", "cs231n")
    with pytest.raises(ShapeError, match=r"the batch has shape \(2, 3, 4, 5, 6\); expected a matrix"):
        translate_batch(np.zeros((2, 3, 4, 5, 6)), "cs231n", "cs229")


# --- Jacobians and gradients ---------------------------------------------------------------------


@given(source=any_convention(), target=any_convention(), seed=st.integers(0, 99))
def test_jacobian_times_parameters(source: Convention, target: Convention, seed: int) -> None:
    """J·θ is the same batch of outputs on both sides, and a change of layout loses no entry."""
    if source.layout.bias == "none":
        target = target.replace(layout=target.layout.replace(bias="none"))
    count, outputs = 3, SIZES[-1]
    params = random_parameters(source, SIZES, zero_bias=target.layout.bias == "none", seed=seed)
    theta = source.pack(params)
    J = np.random.default_rng(seed).normal(size=(count * outputs, theta.size))
    given_ = J if source.layout.derivative == "numerator" else np.asfortranarray(J.T)
    before = given_.copy()
    moved = translate_jacobian(given_, SIZES, source, target, (count, outputs))
    np.testing.assert_array_equal(given_, before)
    assert not np.may_share_memory(moved, given_)

    def batch(product: np.ndarray, owner: Convention) -> np.ndarray:
        value = product.reshape(owner.layout.batch_shape(count, outputs), order=owner.layout.vec)
        return value if owner.layout.batch == "rows" else value.T

    numerator = moved if target.layout.derivative == "numerator" else moved.T
    product = numerator @ translate_packed(theta, SIZES, source, target)
    np.testing.assert_allclose(batch(product, target), batch(J @ theta, source), atol=1e-12)
    if (source.layout.bias == "none") == (target.layout.bias == "none"):
        np.testing.assert_array_equal(translate_jacobian(moved, SIZES, target, source, (count, outputs)), given_)


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("ng-ml-2011", "sklearn-mlp"),
        ("sklearn-mlp", "ng-ufldl"),
        ("cs231n-bias-trick", "ng-dlai"),
        ("matlab", "row-order"),
        ("ng-ml-2011", "vecderivs-rows"),
        ("vecderivs-rows", "vecderivs-columns"),
    ],
)
def test_jacobian_against_finite_differences(source: str, target: str) -> None:
    one, other = (next(p for p in PRESETS if p.name == name) for name in (source, target))
    params = random_parameters(one, SIZES, zero_bias=other.layout.bias == "none")
    X = np.random.default_rng(3).normal(size=one.layout.batch_shape(3, SIZES[0]))
    moved = translate_jacobian(jacobian_in(one, params, X), SIZES, one, other, (3, SIZES[-1]))
    expected = jacobian_in(other, translate_parameters(params, one, other), translate_batch(X, one, other))
    np.testing.assert_allclose(moved, expected, atol=1e-9)


@given(source=any_convention(), target=any_convention())
def test_jacobian_of_a_scalar_is_the_packed_gradient(source: Convention, target: Convention) -> None:
    if source.layout.bias == "none":
        target = target.replace(layout=target.layout.replace(bias="none"))
    gradients = random_parameters(source, SIZES, zero_bias=False)
    row = source.pack(gradients)[np.newaxis]
    moved = translate_jacobian(row if source.layout.derivative == "numerator" else row.T, SIZES, source, target)
    assert moved.shape[0 if target.layout.derivative == "numerator" else 1] == 1
    np.testing.assert_array_equal(moved.ravel(), target.pack(translate_gradients(gradients, source, target)))


def test_gradients_and_an_absent_bias() -> None:
    gradients = {"W1": np.ones((2, 3)), "b1": np.full(3, 7.0)}
    assert translate_gradients(gradients, "cs231n", "vecderivs-rows").keys() == {"W1"}
    message = (
        "translate_gradients: vecderivs-rows has no bias, so the derivative with respect to the bias of cs231n is not "
        "known; translate the parameters first, and differentiate in cs231n"
    )
    with pytest.raises(LayoutError, match=re.escape(message)):
        translate_gradients({"W1": np.ones((2, 3))}, "vecderivs-rows", "cs231n")
    with pytest.raises(LayoutError, match=r"^translate_jacobian: vecderivs-rows has no bias"):
        translate_jacobian(np.ones((6, 1)), (2, 3), "vecderivs-rows", "cs231n")


def test_jacobian_shapes_are_checked() -> None:
    message = (
        "translate_jacobian: the matrix has shape (9, 12); cs231n packs sizes (2, 3) into 9 parameters, and 12 outputs "
        "in numerator layout need (12, 9); its transpose would fit: is it in the other layout?"
    )
    with pytest.raises(ShapeError, match=re.escape(message)):
        translate_jacobian(np.zeros((9, 12)), (2, 3), "cs231n", "pytorch", (4, 3))
    with pytest.raises(
        ShapeError, match=re.escape("has shape (9,); cs231n packs sizes (2, 3) into 9 parameters, and 1 output in")
    ):
        translate_jacobian(np.zeros(9), (2, 3), "cs231n", "pytorch")
    assert translate_jacobian(np.zeros((0, 9)), (2, 3), "cs231n", "pytorch", (0, 3)).shape == (0, 9)


# --- reductions ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("source", "target"), list(itertools.product(["sum", "mean", "mean-all"], repeat=2)))
def test_reduction_ratio_turns_one_loss_into_the_other(source: str, target: str) -> None:
    losses = np.random.default_rng(0).random((6, 4))  # a loss for every output
    reduce = {"sum": losses.sum(), "mean": losses.sum(axis=1).mean(), "mean-all": losses.mean()}
    one, other = (Convention(r, Layout()).replace(reduction=r) for r in (source, target))
    ratio = reduction_ratio(one, other, count=6, outputs=4)
    assert ratio * reduce[source] == pytest.approx(reduce[target], rel=1e-14)


def test_reduction_ratio_errors() -> None:
    unreduced = Convention("each", Layout(), reduction="none")
    pairs: list[tuple[str | Convention, str | Convention]] = [(unreduced, "pytorch"), ("pytorch", unreduced)]
    for source, target in pairs:
        with pytest.raises(LayoutError, match="each does not reduce its losses to one number"):
            reduction_ratio(source, target, count=3, outputs=2)
    with pytest.raises(DomainError, match="a mean needs at least one"):
        reduction_ratio("pytorch", "pytorch-mse", count=0, outputs=2)
    assert reduction_ratio("flax", "cs231n", count=3, outputs=2) == 1.0  # flax leaves it open: read as a mean


# --- images, sequences and kernels ---------------------------------------------------------------

LIBRARIES = ["pytorch", "keras", "flax", "matlab", "cs231n"]


@pytest.mark.parametrize("source", LIBRARIES)
@pytest.mark.parametrize("target", LIBRARIES)
def test_images_sequences_and_kernels_come_back(source: str, target: str) -> None:
    rng = np.random.default_rng(0)
    for shape in ((2, 3, 4), (2, 3, 4, 5)):
        array = rng.normal(size=shape)
        there = translate_batch(array, source, target)
        np.testing.assert_array_equal(translate_batch(there, target, source), array)
        kernel = translate_kernel(array, source, target)
        np.testing.assert_array_equal(translate_kernel(kernel, target, source), array)
        assert not np.may_share_memory(kernel, array)


def test_one_pixel_one_step_and_one_weight() -> None:
    """As the libraries' reference pages index them."""
    image, steps, kernel = np.zeros((2, 3, 4, 5)), np.zeros((6, 2, 3)), np.zeros((8, 3, 4, 5))
    image[1, 2, 3, 4] = steps[5, 1, 2] = kernel[7, 2, 3, 4] = 1
    assert translate_batch(image, "pytorch", "keras")[1, 3, 4, 2] == 1
    assert translate_batch(image, "pytorch", "matlab")[3, 4, 2, 1] == 1
    assert translate_batch(steps, "pytorch", "keras")[1, 5, 2] == 1
    assert translate_batch(steps, "pytorch", "matlab")[2, 1, 5] == 1
    assert translate_kernel(kernel, "pytorch", "keras")[3, 4, 2, 7] == 1


def test_a_kernel_of_another_rank_is_refused() -> None:
    message = re.escape(
        "translate_kernel: the kernel has shape (3, 3); expected its outputs, inputs and one or two axes of places, in "
        "the order OIHW for pytorch"
    )
    with pytest.raises(ShapeError, match=f"^{message}$"):
        translate_kernel(np.zeros((3, 3)), "pytorch", "keras")
