"""Affine maps against loops over entries, the textbook's formulas, and what comes out of them."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from jacobians import add_ones, affine, linear, sigmoid
from jacobians.errors import ShapeError
from jacobians.layout import Layout
from jacobians.linops import Kronecker
from jacobians.operations import AddOnes, Affine
from jacobians.testing import assert_dense_twin, assert_operation_laws
from tests.linops.dense_twins import by_basis
from tests.operations.random_inputs import LAYOUTS, Numbers, parameters, short

G = Numbers(7)
N, D, K = G.N, G.D, G.K


def entry(layout: Layout, W: np.ndarray, node: int, place: int) -> float:
    return float(W[node, place] if layout.weights == "rows" else W[place, node])


def by_loops(layout: Layout, X: np.ndarray, W: np.ndarray, b: np.ndarray | None) -> np.ndarray:
    """One example and one node at a time: no product of matrices, no layout but in the indices."""
    count, width = X.shape if layout.batch == "rows" else X.shape[::-1]
    nodes = W.shape[0] if layout.weights == "rows" else W.shape[1]
    Z = np.zeros(layout.batch_shape(count, nodes))
    for n in range(count):
        for k in range(nodes):
            z = 0.0 if b is None else float(b.reshape(-1)[k])
            if layout.absorbs_bias:
                z += entry(layout, W, k, 0 if layout.bias == "first" else width)
            for i in range(width):
                x = X[n, i] if layout.batch == "rows" else X[i, n]
                z += x * entry(layout, W, k, i + (layout.bias == "first"))
            Z[(n, k) if layout.batch == "rows" else (k, n)] = z
    return Z


@pytest.mark.parametrize("layout", LAYOUTS, ids=short)
def test_value_and_matrices_are_those_of_the_loops(layout: Layout) -> None:
    X, (W, *b) = G(*layout.batch_shape(N, D)), parameters(G, layout, D, K)
    bias = b[0] if b else None
    Z, J = affine(X, W, bias, layout)
    np.testing.assert_allclose(Z, by_loops(layout, X, W, bias), rtol=1e-13, atol=1e-13)
    # Z is affine in each input: what a basis changes is the matrix, without a derivative
    changes = {
        "X": lambda t: by_loops(layout, X + t, W, bias) - by_loops(layout, X, W, bias),
        "W": lambda t: by_loops(layout, X, W + t, bias) - by_loops(layout, X, W, bias),
        "b": lambda t: by_loops(layout, X, W, bias + t) - by_loops(layout, X, W, bias),
    }
    for name, array in zip(J, (X, W, *b), strict=True):
        twin = by_basis(Z.shape, array.shape, changes[name])
        assert_dense_twin(J[name], twin if layout.derivative == "numerator" else twin.T)


TEXTBOOK = {
    ("rows", "rows"): (lambda X, dZ: dZ.T @ X, lambda W, dZ: dZ @ W),
    ("rows", "columns"): (lambda X, dZ: X.T @ dZ, lambda W, dZ: dZ @ W.T),
    ("columns", "rows"): (lambda X, dZ: dZ @ X.T, lambda W, dZ: W.T @ dZ),
    ("columns", "columns"): (lambda X, dZ: X @ dZ.T, lambda W, dZ: W @ dZ),
}


@pytest.mark.parametrize(("batch", "weights"), TEXTBOOK)
def test_the_four_compact_formulas_come_out(batch: Any, weights: Any) -> None:
    layout = Layout(batch=batch, weights=weights)
    X, (W, b) = G(*layout.batch_shape(N, D)), parameters(G, layout, D, K)
    dZ = G(*layout.batch_shape(N, K))
    by_weights, by_input = TEXTBOOK[batch, weights]
    J = affine(X, W, b, layout)[1]
    np.testing.assert_allclose(J.W.vjp(dZ), by_weights(X, dZ), rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(J.X.vjp(dZ), by_input(W, dZ), rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(J.b.vjp(dZ), dZ.sum(axis=layout.batch_axis, keepdims=batch == "columns"), rtol=1e-13)


def test_vec_identities_of_the_textbook() -> None:
    """vec_F(X W) = (Wᵀ ⊗ I) vec_F X = (I ⊗ X) vec_F W; in C order the factors change places."""
    X, W = G(N, D), G(D, K)
    J = linear(X, W)[1]
    assert_dense_twin(J.X, np.kron(W.T, np.eye(N)), order="F")
    assert_dense_twin(J.W, np.kron(np.eye(K), X), order="F")
    assert_dense_twin(J.X, np.kron(np.eye(N), W.T), order="C")
    assert_dense_twin(J.W, np.kron(X, np.eye(K)), order="C")


def test_dropping_delta_0_comes_out_of_the_absorbed_bias() -> None:
    """Ng's exercise 4: δ⁽²⁾ = (δ⁽³⁾ Θ⁽²⁾) ∘ g′ with its first column removed."""
    layout = Layout(weights="rows", bias="first", vec="F")
    Z2, theta2, delta3 = G(N, D), G(K, D + 1), G(N, K)
    A2, activation = sigmoid(Z2)
    hidden = affine(A2, theta2, layout=layout)[1]
    with_ones = np.hstack([np.ones((N, 1)), Z2])
    slopes = np.exp(-with_ones) / (1 + np.exp(-with_ones)) ** 2
    delta2 = ((delta3 @ theta2) * slopes)[:, 1:]
    np.testing.assert_allclose((hidden.X @ activation).vjp(delta3), delta2, rtol=1e-12)
    # and by itself: the ones are placed by the transpose of the selection that drops them
    value, J = add_ones(A2, layout)
    assert np.array_equal(value, np.hstack([np.ones((N, 1)), A2]))
    assert np.array_equal(J.vjp(delta3 @ theta2), (delta3 @ theta2)[:, 1:])


@pytest.mark.parametrize("layout", [t for t in LAYOUTS if t.absorbs_bias], ids=short)
def test_add_ones_and_a_map_without_bias_are_the_absorbed_bias(layout: Layout) -> None:
    X, (W,) = G(*layout.batch_shape(N, D)), parameters(G, layout, D, K)
    Z, J = affine(X, W, layout=layout)
    extended, placing = add_ones(X, layout)
    plain, inner = linear(extended, W, layout)
    np.testing.assert_allclose(Z, plain, rtol=1e-13, atol=1e-14)
    chain = inner.X @ placing if layout.derivative == "numerator" else placing @ inner.X
    np.testing.assert_allclose(J.X.to_dense(), chain.to_dense(), rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(J.W.to_dense(), inner.W.to_dense(), rtol=1e-13, atol=1e-14)
    ones = by_basis(extended.shape, X.shape, lambda t: add_ones(t, layout)[0] - add_ones(0 * t, layout)[0])
    assert_dense_twin(placing, ones if layout.derivative == "numerator" else ones.T)


MORE_AXES = [
    (Layout(features="one-axis"), (2, 3, 2)),
    (Layout(batch="columns", weights="rows", bias="first", features="one-axis"), (2, 3, 2)),
    (Layout(bias="last"), (2, 1, 2, 2)),
    (Layout(batch="columns", weights="rows", vec="F"), (2, 2, 3)),
]


@pytest.mark.parametrize(("layout", "shape"), MORE_AXES)
def test_more_axes(layout: Layout, shape: tuple[int, ...]) -> None:
    """Each vector along the feature axis by itself, or all entries of an example: by the map of matrices."""
    rows, flat = layout.batch == "rows", layout.features == "all-axes"
    axis = layout.batch_axis if flat else layout.feature_axis
    others = tuple(n for i, n in enumerate(shape) if i != axis % len(shape))
    n_in = int(np.prod(others)) if flat else shape[axis]
    X, own = G(*shape), parameters(G, layout, n_in, K)
    assert_operation_laws(Affine(layout), [X, *own])
    Z, J = affine(X, *own, layout=layout)
    vectors = X.reshape(layout.batch_shape(X.size // n_in, n_in), order=layout.vec if flat else "C")
    expected, by_matrix = affine(vectors, *own, layout=layout)
    lead = (shape[axis],) if flat else others
    assert Z.shape == ((*lead, K) if rows else (K, *lead))
    assert np.array_equal(Z.reshape(expected.shape), expected)
    assert np.allclose(J.W.vjp(Z), by_matrix.W.vjp(expected))
    assert np.allclose(J.X.vjp(Z), by_matrix.X.vjp(expected).reshape(shape, order=layout.vec if flat else "C"))


def test_presets_say_what_the_features_are() -> None:
    """CS231n's layers.py, affine_forward: (N, d_1, …, d_k) is reshaped to (N, D). torch.nn.Linear takes (∗, in)."""
    images, W, b = G(2, 3, 2, 2), G(12, K), G(K)
    assert np.array_equal(affine(images, W, b, "cs231n")[0], images.reshape(2, -1) @ W + b)
    steps, W = G(4, 2, D), G(K, D)
    assert np.allclose(affine(steps, W, b, "pytorch")[0], steps @ W.T + b)
    assert np.allclose(affine(steps, W.T, b, "keras")[0], steps @ W.T + b)
    message = (
        "affine: X has shape (2, 3, 2, 2), and the layout takes the entries along axis -1 as features, 2 (batch in "
        "rows, features='one-axis'); W of shape (12, 2) (weights in columns, bias separate) expects 12; with "
        "features='all-axes' it would fit"
    )
    with pytest.raises(ShapeError, match=re.escape(message) + "$"):
        affine(images, G(12, 2), G(2), "keras")
    message = "takes all entries of an example as features, 8 (batch in rows, features='all-axes'); W of shape (4, 2)"
    with pytest.raises(ShapeError, match=re.escape(message) + ".*with features='one-axis' it would fit$"):
        affine(G(3, 2, 4), G(4, 2), G(2), "cs231n")


def test_a_bias_may_be_a_vector_or_a_matrix() -> None:
    for layout in (Layout(), Layout(batch="columns")):
        X, (W, b) = G(*layout.batch_shape(N, D)), parameters(G, layout, D, K)
        for shape in ((K,), (1, K) if layout.batch == "rows" else (K, 1)):
            Z, J = affine(X, W, b.reshape(shape), layout)
            assert np.array_equal(Z, affine(X, W, b, layout)[0])
            assert J.b.vjp(Z).shape == shape


def test_a_wider_dtype_anywhere_widens_the_value() -> None:
    arrays = [G(N, D), G(D, K), G(K)]
    for i in range(3):
        mixed = [a.astype(np.float64 if i == j else np.float32) for j, a in enumerate(arrays)]
        Z, J = affine(*mixed)
        assert Z.dtype == np.float64
        exact = mixed[0].astype(float) @ mixed[1].astype(float) + mixed[2]
        np.testing.assert_allclose(Z, exact, rtol=1e-6, atol=1e-6)
        assert J.b.vjp(Z).dtype == np.float64


def test_one_example_and_none() -> None:
    W, b = G(D, K), G(K)
    for count in (1, 0):
        Z, J = affine(np.ones((count, D)), W, b)
        assert Z.shape == (count, K)
        assert np.array_equal(J.W.vjp(np.ones((count, K))), np.full((D, K), float(count)))
        assert np.array_equal(J.b.vjp(np.ones((count, K))), np.full(K, float(count)))
        assert J.X.shape == (count * K, count * D)


def test_names_and_shapes_of_the_parameters() -> None:
    assert Affine().names == ("X", "W", "b")
    assert Affine(Layout(bias="last")).names == ("X", "W")
    assert (Affine().name, Affine(Layout(bias="none")).name) == ("affine", "linear")
    assert Affine(Layout(batch="columns"), (D, K)).parameter_shapes() == {"W": (D, K), "b": (K, 1)}
    assert Affine(Layout(weights="rows", bias="first"), (D, K)).parameter_shapes() == {"W": (K, D + 1)}
    assert Affine().parameter_shapes() == {}
    assert AddOnes(Layout(bias="last")).name == "add_ones"


def test_no_column_of_ones_is_built_for_what_does_not_need_it() -> None:
    layout = Layout(bias="first")
    J = affine(G(N, D), G(D + 1, K), layout=layout)[1]
    assert J.X.nbytes <= 8 * (D + 1) * K
    assert isinstance(linear(G(N, D), G(D, K))[1].W, Kronecker)
