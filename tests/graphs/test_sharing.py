"""A value used in several places: gradients, per-example gradients, norms, Gram matrices and curvature stay right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians import Layout
from jacobians.graphs import GraphJacobian, Value
from jacobians.linops import KhatriRao, KhatriRaoSum, Product
from tests.counted_products import note_products

N, D, H = 6, 4, 3
COLUMNS = Layout(batch="columns", weights="rows")


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng((seed, *shape)).normal(size=shape)


X, TARGETS, LABELS = numbers(N, D), numbers(N, D, seed=1), np.array([0, 1, 2, 1, 0, 2])


# Each returns one number for each example, from the batch and the shared weight. The batch goes last, and may be cut.


def tied_autoencoder(W: Any, X: Any, y: Any) -> Any:
    return jac.squared_error(jac.tanh(X @ W) @ W.T, X, reduction="none")


def tied_in_columns(W: Any, X: Any, y: Any) -> Any:
    """The same net with the batch in columns: W is used as (out, in) and, transposed, as (in, out)."""
    back = COLUMNS.replace(bias="none")
    H = jac.tanh(jac.linear(X.T, W.T, back))
    return jac.squared_error(jac.linear(H, W, back), X.T, reduction="none", layout=COLUMNS)


def recurrence(W: Any, X: Any, y: Any) -> Any:
    h = np.zeros((len(X), H))
    for t in range(4):
        h = jac.tanh(X[:, :H] * (t + 1.0) + h @ W)
    return jac.cross_entropy(h, y, reduction="none")


def a_loss_at_every_step(W: Any, X: Any, y: Any) -> Any:
    h, losses = X[:, :H], []
    for _ in range(3):
        h = jac.tanh(h @ W)
        losses.append(jac.cross_entropy(h, y, reduction="none"))
    return sum(losses[1:], losses[0])


def with_a_residual(W: Any, X: Any, y: Any) -> Any:
    h = X[:, :H]
    for _ in range(3):
        h = h + jac.sigmoid(h @ W) * 0.5
    return jac.cross_entropy(h, y, reduction="none")


def shared_bias(b: Any, X: Any, y: Any) -> Any:
    h = X[:, :H]
    for _ in range(3):
        h = jac.tanh(h + b)
    return jac.cross_entropy(h, y, reduction="none")


def in_every_layout(weights: str, batch: str) -> Callable[[Any, Any, Any], Any]:
    layout = Layout(weights=weights, batch=batch, bias="first", vec="F")  # type: ignore[arg-type]

    def two_layers(W: Any, X: Any, y: Any) -> Any:
        h = X[:, :H] if batch == "rows" else X[:, :H].T
        for _ in range(2):
            h = jac.tanh(jac.affine(h, W, layout=layout))
        return jac.cross_entropy(h, y, reduction="none", layout=layout)

    return two_layers


def tokens(X: Any) -> np.ndarray:
    """Three tokens of each example, made of its features."""
    return np.stack([X, X**2 - 1.0, np.roll(X, 1, axis=1)], axis=1)


def attention_with_one_weight(W: Any, X: Any, y: Any) -> Any:
    """Queries, keys and values by one weight: it is used at every position, three times."""
    q, k, v = tokens(X) @ W, tokens(X) @ W * 0.5, tokens(X) @ W
    scores = np.exp(np.einsum("nqh,nkh->nqk", q, k) * 0.3)
    heads = np.einsum("nqk,nkh->nqh", scores / scores.sum(axis=-1, keepdims=True), v)
    return jac.cross_entropy(heads.mean(axis=1), y, reduction="none")


def one_use_at_every_position(W: Any, X: Any, y: Any) -> Any:
    return jac.cross_entropy((tokens(X) @ W).sum(axis=1), y, reduction="none")


def a_bias_at_every_position(b: Any, X: Any, y: Any) -> Any:
    return jac.cross_entropy(jac.tanh(tokens(X)[:, :, :H] + b).sum(axis=1), y, reduction="none")


def parts_of_one_weight(W: Any, X: Any, y: Any) -> Any:
    h = jac.tanh(X[:, :2] @ W[:2] + X[:, 2:] @ W[2:])
    return jac.cross_entropy(h @ W[1:, 1:], np.minimum(y, 1), reduction="none")


def weights_side_by_side(W: Any, X: Any, y: Any) -> Any:
    both = jac.tanh(X @ np.concatenate([W, 2.0 * W], axis=1))
    return jac.cross_entropy(both[:, :H] * both[:, H:], y, reduction="none")


def a_factor_of_the_weight(A: Any, X: Any, y: Any) -> Any:
    """A low-rank adaptation: the weight is a product, and its first factor is used twice."""
    return jac.squared_error(jac.tanh(X @ (A @ numbers(2, D))) @ (A @ numbers(2, D)), X, reduction="none")


CASES: dict[str, tuple[Callable[[Any, Any, Any], Any], np.ndarray]] = {
    "tied autoencoder": (tied_autoencoder, numbers(D, H)),
    "tied autoencoder in columns": (tied_in_columns, numbers(D, H)),
    "recurrence": (recurrence, numbers(H, H)),
    "a loss at every step": (a_loss_at_every_step, numbers(H, H)),
    "with a residual": (with_a_residual, numbers(H, H)),
    "shared bias": (shared_bias, numbers(H)),
    "attention with one weight": (attention_with_one_weight, numbers(D, H)),
    "one use at every position": (one_use_at_every_position, numbers(D, H)),
    "a bias at every position": (a_bias_at_every_position, numbers(H)),
    "parts of one weight": (parts_of_one_weight, numbers(D, H)),
    "weights side by side": (weights_side_by_side, numbers(D, H)),
    "a factor of the weight": (a_factor_of_the_weight, numbers(D, 2)),
    "weights in rows, batch in rows": (in_every_layout("rows", "rows"), numbers(H, H + 1)),
    "weights in rows, batch in columns": (in_every_layout("rows", "columns"), numbers(H, H + 1)),
    "weights in columns, batch in rows": (in_every_layout("columns", "rows"), numbers(H + 1, H)),
    "weights in columns, batch in columns": (in_every_layout("columns", "columns"), numbers(H + 1, H)),
}


def one_by_one(losses: Callable[..., Any], W: np.ndarray) -> np.ndarray:
    """Each example's gradient by central differences, from the example alone: (N, *W.shape)."""
    rows = np.zeros((N, *W.shape))
    for n in range(N):
        for place in np.ndindex(W.shape):
            move = np.zeros(W.shape)
            move[place] = 1e-5
            up, down = (float(losses(*jac.values(W=W + s * move), X[n : n + 1], LABELS[n : n + 1])[0]) for s in (1, -1))
            rows[(n, *place)] = (up - down) / 2e-5
    return rows


@pytest.mark.parametrize(("losses", "array"), CASES.values(), ids=CASES)
def test_per_example_gradients(losses: Callable[..., Any], array: np.ndarray) -> None:
    (W,) = jac.values(W=array)
    J = losses(W, X, LABELS).jacobian(W)
    expected = one_by_one(losses, array)
    # one structure that stores activations and never a row: the gradients of all examples are 18 to 24 numbers each
    assert isinstance(J, (KhatriRaoSum, KhatriRao, Product))
    assert isinstance(J._factors()[0], (KhatriRaoSum, KhatriRao))
    close = {"atol": 1e-7}
    flat = expected.reshape(N, -1)
    np.testing.assert_allclose(J.to_dense("C"), flat, **close)
    np.testing.assert_allclose(J.row_norms(), np.linalg.norm(flat, axis=1), **close)
    np.testing.assert_allclose(J.gram(), flat @ flat.T, **close)
    # clipped and summed, as differentially private training does
    clip = np.minimum(1.0, 0.5 / J.row_norms())
    np.testing.assert_allclose(J.vjp(clip), np.tensordot(clip, expected, 1), **close)
    # the empirical Fisher matrix
    np.testing.assert_allclose((J.T @ J).to_dense("C"), flat.T @ flat, **close)
    (total,) = losses(W, X, LABELS).sum().gradients(W)
    np.testing.assert_allclose(total, expected.sum(0), **close)


@pytest.mark.parametrize("name", ["tied autoencoder", "recurrence", "with a residual", "shared bias"])
def test_gauss_newton(name: str) -> None:
    """JᵀHJ through the outputs, where the shared weight is met along several paths."""
    array = CASES[name][1]
    (W,) = jac.values(W=array)

    def outputs(W: Any) -> Any:
        if name == "tied autoencoder":
            return jac.tanh(X @ W) @ W.T
        h = X[:, :H]
        for _ in range(3):
            h = {
                "recurrence": lambda h: jac.tanh(h @ W),
                "with a residual": lambda h: h + jac.sigmoid(h @ W),
                "shared bias": lambda h: jac.tanh(h + W),
            }[name](h)
        return h

    out = outputs(W)
    J = out.jacobian(W)
    loss = jac.operations.CrossEntropy()
    hessian = loss.hessian(out.array, np.zeros(N, int))
    columns = []
    for place in np.ndindex(array.shape):
        move = np.zeros(array.shape)
        move[place] = 1e-5
        up, down = (outputs(*jac.values(W=array + s * move)).array for s in (1, -1))
        columns.append(((up - down) / 2e-5).ravel())
    dense = np.stack(columns, axis=1)
    np.testing.assert_allclose(J.to_dense(), dense, atol=1e-8)
    np.testing.assert_allclose(J.row_norms().ravel(), np.linalg.norm(dense, axis=1), atol=1e-8)
    np.testing.assert_allclose(J.gram(), dense @ dense.T, atol=1e-8)
    G = J.T @ hessian @ J
    np.testing.assert_allclose(G.to_dense(), dense.T @ hessian.to_dense() @ dense, atol=1e-8)
    np.testing.assert_allclose(G.diagonal(), np.diagonal(dense.T @ hessian.to_dense() @ dense), atol=1e-8)


# --- twice in one operation ----------------------------------------------------------------------------


def test_twice_in_one_operation() -> None:
    A, v = jac.values(A=numbers(3, 3), v=numbers(3))
    for out, wrt, by_hand in [
        (A.T @ A, A, lambda T: T.T @ A.array + A.array.T @ T),
        (A @ A, A, lambda T: T @ A.array + A.array @ T),
        (A * A, A, lambda T: 2 * T * A.array),
        (A - A, A, lambda T: 0 * T),
        (A / A, A, lambda T: 0 * T),
        (jac.linear(A, A), A, lambda T: T @ A.array + A.array @ T),
        (jac.add(A, A), A, lambda T: 2 * T),
        (v @ A @ v, v, lambda t: v.array @ (A.array + A.array.T) @ t),
        (np.concatenate([v, v]), v, lambda t: np.concatenate([t, t])),
        (np.stack([A[0], A[0], A[1]]), A, lambda T: T[[0, 0, 1]]),
        (np.where(v > 0, v, v), v, lambda t: t),
    ]:
        tangent = numbers(*wrt.shape, seed=2)
        np.testing.assert_allclose(out.jacobian(wrt).jvp(tangent), by_hand(tangent), atol=1e-12)
        cotangent = numbers(*out.shape, seed=3)
        inner = (cotangent * by_hand(tangent)).sum()
        np.testing.assert_allclose((out.jacobian(wrt).vjp(cotangent) * tangent).sum(), inner, atol=1e-12)
        assert out.path_count(wrt) >= 2


def test_the_gradient_by_a_value_that_others_come_from() -> None:
    """W is used itself, and W.T is asked for too: each gradient counts the paths from its own value."""
    (W,) = jac.values(W=numbers(D, H))
    back = W.T
    loss = jac.squared_error(jac.tanh(X @ W) @ back, X)
    by_w, by_back = loss.gradients(W, back)
    encoder = jac.squared_error(jac.tanh(X @ W) @ back.array, X).gradients(W)[0]
    np.testing.assert_allclose(by_w, encoder + by_back.T, atol=1e-12)


# --- what it costs -------------------------------------------------------------------------------------


def autoencoder(W: Value, back: Value, X: np.ndarray, reduction: Any) -> Value:
    return jac.squared_error(jac.tanh(X @ W) @ back, X, reduction=reduction)  # type: ignore[return-value]


def test_the_products_of_a_tied_autoencoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """784-128-784: its gradient takes the products of the untied one, per-example norms hardly more."""
    examples, wide, narrow = 64, 784, 128
    batch, array = numbers(examples, wide), numbers(wide, narrow) / wide
    (W,) = jac.values(W=array)
    V, U = jac.values(V=array, U=array.T.copy())
    tied, untied = (autoencoder(W, W.T, batch, "mean"), autoencoder(V, U, batch, "mean"))
    losses = autoencoder(W, W.T, batch, "none")
    counted: list[int] = []
    note_products(monkeypatch, counted.append)

    def products(function: Callable[[], Any]) -> int:
        counted.clear()
        function()
        return sum(counted)

    by_hand = 3 * examples * wide * narrow
    assert products(lambda: untied.gradients(V, U)) == by_hand
    assert products(lambda: tied.gradients(W)) == by_hand
    assert products(lambda: losses.jacobian(W).row_norms()) <= 0.5 * by_hand
    monkeypatch.undo()
    rows = losses.jacobian(W)
    assert rows.nbytes <= 3 * (batch.nbytes + examples * narrow * 8)
    np.testing.assert_allclose(rows.vjp(np.full(examples, 1 / examples)), tied.gradients(W)[0], atol=1e-10)


def test_one_sweep_serves_all_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Side by side, per-example gradients are those of each parameter alone, and take the products of one sweep."""
    inputs = {"W": numbers(D, H, seed=2), "b": numbers(H, seed=3), "h": numbers(N, H, seed=4), "V": numbers(2)}
    W, b, h, V = jac.values(**inputs)
    state = h
    for _ in range(3):
        state = jac.tanh(X @ W + state @ W[:H] + b)
    losses = jac.cross_entropy(state, LABELS, reduction="none")
    wanted = losses.jacobian(W), losses.jacobian(b), losses.jacobian(h), losses.jacobian(V)
    counted: list[int] = []
    note_products(monkeypatch, counted.append)
    losses.jacobian(W)
    alone = len(counted)
    losses.jacobian(W, b)
    assert len(counted) == 2 * alone > 0
    found: Any = losses.jacobian(W, b, h, V)
    for own, right in zip(found.blocks, wanted, strict=True):
        assert own.structure == right.structure
        np.testing.assert_array_equal(own.to_dense(), right.to_dense())


def test_two_uses_take_about_twice_the_norms_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """By inner products where they are fewer, S²(a + b), else by rows, S·a·b; never N·a·b of memory at once."""
    counted: list[int] = []
    note_products(monkeypatch, counted.append)
    for count, a, b in [(2, 300, 200), (40, 6, 5), (7, 20, 10), (6, 20, 10)]:
        counted.clear()
        J = KhatriRaoSum(numbers(9, count, a), numbers(9, count, b))
        norms = J.row_norms()
        assert sum(counted) == 9 * min(count**2 * (a + b), count * a * b)
        rows = np.einsum("nsa,nsb->nab", J.left, J.right).reshape(9, a * b)
        np.testing.assert_allclose(norms, np.linalg.norm(rows, axis=1), rtol=1e-12)


def test_norms_of_terms_that_cancel_keep_their_digits() -> None:
    left, right = numbers(5, 1, 40), numbers(5, 1, 30)
    rest = 1e-9 * numbers(5, 1, 30, seed=1)
    J = KhatriRaoSum(np.concatenate([left, left], 1), np.concatenate([right, rest - right], 1))
    expected = np.linalg.norm(left[:, 0], axis=1) * np.linalg.norm(rest[:, 0], axis=1)
    np.testing.assert_allclose(J.row_norms(), expected, rtol=1e-5)


def test_sums_of_row_wise_products_are_one_structure() -> None:
    first, second = KhatriRao(numbers(5, 2), numbers(5, 3)), KhatriRao(numbers(1, 2), numbers(5, 3, seed=1))
    total = first + second + first
    assert isinstance(total, KhatriRaoSum)
    np.testing.assert_allclose(total.to_dense(), 2 * first.to_dense() + second.to_dense())
    moved = total @ jac.linops.Commutation(3, 2)
    assert isinstance(moved, KhatriRaoSum)
    assert moved.domain == (3, 2)


def test_outputs_of_an_example_share_a_weight_too() -> None:
    """Several numbers an example: a graph's Jacobian, its norms and products by one sweep for each of them."""
    (W,) = jac.values(W=numbers(D, H))
    J = (jac.tanh(X @ W) @ W.T).jacobian(W)
    assert isinstance(J, GraphJacobian)
    dense = np.stack([J.jvp(t) for t in np.eye(D * H).reshape(-1, D, H)], axis=-1).reshape(N * D, D * H)
    np.testing.assert_allclose(J.to_dense(), dense, atol=1e-12)
    np.testing.assert_allclose(J.row_norms().ravel(), np.linalg.norm(dense, axis=1), atol=1e-12)
    np.testing.assert_allclose(J.gram(), dense @ dense.T, atol=1e-12)


def test_a_part_of_a_weight_is_shared() -> None:
    """The rows of W that are used get the gradient, the others zeros; its norms need no row either."""
    (W,) = jac.values(W=numbers(D + 2, H))
    h = X[:, :H]
    for _ in range(3):
        h = jac.tanh(h @ W[1 : H + 1])
    J = jac.cross_entropy(h, LABELS, reduction="none").jacobian(W)
    assert isinstance(J, Product)
    assert isinstance(J.factors[0], KhatriRaoSum)
    rows = one_by_one(lambda W, X, y: _steps(X, W, y), W.array).reshape(N, -1)
    np.testing.assert_allclose(J.to_dense(), rows, atol=1e-7)
    np.testing.assert_allclose(J.row_norms(), np.linalg.norm(rows, axis=1), atol=1e-7)
    np.testing.assert_allclose(J.gram(), rows @ rows.T, atol=1e-7)


def _steps(X: np.ndarray, W: Any, y: np.ndarray) -> Any:
    h = X[:, :H]
    for _ in range(3):
        h = jac.tanh(h @ W[1 : H + 1])
    return jac.cross_entropy(h, y, reduction="none")


def test_examples_that_meet_have_no_rows_of_their_own() -> None:
    """Batch normalisation: each loss depends on all examples, and the views agree nevertheless."""
    W, gamma = jac.values(W=numbers(D, H), gamma=numbers(H))
    Z = X @ W
    centred = Z - Z.mean(0)
    normed = centred / np.sqrt((centred**2).mean(0) + 1e-5) * gamma
    for out in (jac.cross_entropy(normed, LABELS, reduction="none"), normed):
        for wrt in (W, gamma, Z):
            J = out.jacobian(wrt)
            dense = np.stack([J.jvp(t) for t in np.eye(wrt.size).reshape(-1, *wrt.shape)], -1).reshape(J.shape)
            np.testing.assert_allclose(J.to_dense(), dense, atol=1e-12)
            np.testing.assert_allclose(J.to_sparse().toarray(), dense, atol=1e-12)
            np.testing.assert_allclose(J.row_norms().ravel(), np.linalg.norm(dense, axis=1), atol=1e-12)
            np.testing.assert_allclose(J.gram(), dense @ dense.T, atol=1e-12)
