"""Recurrences and attention: against loops, as values, what they refuse, and wrong ones that a law catches."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians import layers
from jacobians.arrays import Array
from jacobians.errors import ArgumentError, DomainError, ShapeError
from jacobians.graphs import Value
from jacobians.layers.recurrent import LSTM, RNN
from jacobians.layout import Layout
from jacobians.linops import BatchedKronecker, DiagonalMinusOuter, GatedRecurrence, PickedFromWindows, Windows
from jacobians.operations import Primitive, tanh
from jacobians.operations.record import Makers
from jacobians.testing import assert_reference

rng = np.random.default_rng(0)


def lstm_arrays(count: int, steps: int, features: int, width: int) -> list[np.ndarray]:
    shapes = [(count, steps, features), (count, width), (count, width), (features, 4 * width), (width, 4 * width)]
    return [rng.normal(size=shape) for shape in [*shapes, (4 * width,)]]


def test_a_sequence_is_its_steps() -> None:
    X, h, c, Wx, Wh, b = lstm_arrays(2, 3, 2, 2)
    states, _ = layers.lstm(X, h, c, Wx, Wh, b)
    for t in range(3):
        (h, _), (c, _) = layers.lstm_step(X[:, t], h, c, Wx, Wh, b)
        np.testing.assert_allclose(states[:, t], h, atol=1e-15)


def test_a_state_stays_where_the_mask_is_false() -> None:
    X, h, c, Wx, Wh, b = lstm_arrays(2, 3, 2, 2)
    states, J = layers.lstm(X, h, c, Wx, Wh, b, mask=[[True, True, False], [True, False, False]])
    whole, _ = layers.lstm(X, h, c, Wx, Wh, b)
    np.testing.assert_array_equal(states[0, 2], states[0, 1])
    np.testing.assert_array_equal(states[1], np.tile(states[1, 0], (3, 1)))
    np.testing.assert_array_equal(states[:, 0], whole[:, 0])
    by_x = J.X.vjp(np.ones(states.shape))
    assert not by_x[0, 2].any()
    assert not by_x[1, 1:].any()


def test_gates_in_another_order_and_weights_in_rows() -> None:
    X, h, c, Wx, Wh, b = lstm_arrays(2, 3, 2, 2)
    states, J = layers.lstm(X, h, c, Wx, Wh, b)
    moved = [2 * k + i for k in (0, 1, 3, 2) for i in range(2)]  # i f g o
    torch = Layout(weights="rows", sequences="time-first")
    there, K = layers.lstm(X.swapaxes(0, 1), h, c, Wx[:, moved].T, Wh[:, moved].T, b[moved], gates="ifgo", layout=torch)
    np.testing.assert_allclose(there.swapaxes(0, 1), states, atol=1e-14)
    cotangent = rng.normal(size=states.shape)
    by_w = K.Wh.vjp(np.ascontiguousarray(cotangent.swapaxes(0, 1)))
    np.testing.assert_allclose(by_w.T, J.Wh.vjp(cotangent)[:, moved], atol=1e-13)


def test_of_values_the_steps_are_values() -> None:
    X, h, c, Wx, Wh, b = lstm_arrays(2, 2, 2, 1)
    W, state = jac.values(Wh=Wh, h=h)
    states = layers.lstm(X, state, c, Wx, W, b, steps=True)
    assert states.path_count("Wh") > 1
    _, J = layers.lstm(X, h, c, Wx, Wh, b)
    np.testing.assert_allclose(states.jacobian("Wh").to_dense(), J.Wh.to_dense(), atol=1e-14)
    losses = jac.squared_error(states[:, -1], np.zeros((2, 1)), reduction="none")
    assert losses.jacobian("Wh").structure.startswith("KhatriRaoSum")


def test_attention_by_loops() -> None:
    Q, K, V = rng.normal(size=(2, 3, 2, 4)), rng.normal(size=(2, 3, 5, 4)), rng.normal(size=(2, 3, 5, 2))
    mask = rng.random((2, 1, 2, 5)) < 0.7
    mask[..., 0] = True
    O, _ = layers.attention(Q, K, V, mask=mask)
    for n, head, t in np.ndindex(2, 3, 2):
        seen = [s for s in range(5) if mask[n, 0, t, s]]
        weights = np.array([np.exp(Q[n, head, t] @ K[n, head, s] / 2) for s in seen])
        expected = weights @ V[n, head, seen] / weights.sum()
        np.testing.assert_allclose(O[n, head, t], expected, atol=1e-14)


def test_a_transformer_block_is_a_function_of_values() -> None:
    arrays = {name: rng.normal(size=(4, 4)) for name in ("Wq", "Wk", "Wv", "Wo")}
    X, Wq, Wk, Wv, Wo, W1, W2, g = jac.values(
        X=rng.normal(size=(2, 3, 4)), **arrays, W1=rng.normal(size=(4, 6)), W2=rng.normal(size=(6, 4)), g=np.ones(4)
    )
    zeros = np.zeros(4)
    H = X + layers.multi_head_attention(X, X, Wq, Wk, Wv, Wo, heads=2, causal=True)
    H = layers.layer_norm(H, g, zeros)
    Y = H + jac.relu(H @ W1) @ W2
    by_x = Y.jacobian(X).to_dense().reshape(2, 3, 4, 2, 3, 4)
    assert not by_x[0, ..., 1, :, :].any()  # examples stay apart
    assert not by_x[0, 0, :, 0, 1:].any()  # and no step sees a later one
    assert by_x[0, 2, :, 0, 0].any()


# --- refusals ------------------------------------------------------------------------------------------


def refused(error: type[Exception], message: str) -> Any:
    return pytest.raises(error, match=f"^{re.escape(message)}$")


def test_refusals() -> None:
    X, h, c, Wx, Wh, b = lstm_arrays(2, 3, 4, 5)
    where = "(batch in rows, weights in columns, bias separate, vec C, numerator layout, sequences batch-first)"
    with refused(ShapeError, f"lstm: Wx has shape (20, 4), expected (4, 20) beside X (2, 3, 4) {where}"):
        layers.lstm(X, h, c, Wx.T, Wh, b)
    with refused(
        ShapeError,
        "rnn: X has shape (2, 4) and h (2, 5); expected a batch of sequences, three axes, and a matrix of states "
        f"{where}",
    ):
        layers.rnn(X[:, 0], h, Wx[:, :5], Wh[:, :5], b[:5])
    with refused(ShapeError, "lstm: the mask has shape (3, 2); expected (N, T) = (2, 3)"):
        layers.lstm(X, h, c, Wx, Wh, b, mask=np.ones((3, 2), bool))
    with refused(ArgumentError, "lstm: gates='ifxo'; expected the letters of 'ifog' in some order"):
        layers.lstm(X, h, c, Wx, Wh, b, gates="ifxo")
    Q = np.ones((2, 3, 4))
    with refused(
        ShapeError,
        "attention: Q has shape (2, 3, 4), K (2, 3, 5), V (2, 3, 4); expected (…, queries, d), (…, keys, d) and (…, "
        "keys, features) with the same leading axes",
    ):
        layers.attention(Q, np.ones((2, 3, 5)), Q)
    with refused(
        DomainError,
        "attention: the query at (0, 1) of scores (2, 3, 3) may look at no key, and a softmax needs one or more; let "
        "it look at any key, and leave it out of the loss",
    ):
        layers.attention(Q, Q, Q, mask=[[True], [False], [True]])
    with refused(ShapeError, "attention: the mask has shape (2, 2), which does not broadcast to the scores (2, 3, 3)"):
        layers.attention(Q, Q, Q, mask=np.ones((2, 2), bool))
    with refused(
        ArgumentError,
        "attention: the mask has dtype float64; expected booleans, True where a query may look at a key: of a mask "
        "that is added to the scores, pass mask == 0",
    ):
        layers.attention(Q, Q, Q, mask=np.ones((3, 3)))
    W = np.ones((4, 4))
    with refused(ShapeError, "multi_head_attention: heads=3 of 4 and 4 outputs; expected a common divisor"):
        layers.multi_head_attention(Q, Q, W, W, W, W, heads=3)


# --- wrong ones ----------------------------------------------------------------------------------------


class GatesSwapped(LSTM):  # type: ignore[misc]
    """The derivative of an LSTM whose gates i and f are in each other's place."""

    def _evaluate(self, *arrays: Array) -> Any:
        value, _ = super()._evaluate(*arrays)
        return value, LSTM(gates="fiog")._evaluate(*arrays)[1]


class NoWayBackThroughTheState(RNN):  # type: ignore[misc]
    """A recurrence whose gradient is cut at every step."""

    def _step(self, into: Value, states: tuple[Value, ...], Wh: Value, biases: list[Value]) -> tuple[Value, ...]:
        return (tanh(into + states[0].array @ Wh),)


@pytest.mark.parametrize(
    "operation", [GatesSwapped(), NoWayBackThroughTheState(steps=True)], ids=["gates", "truncated"]
)
def test_a_wrong_recurrence_is_caught(operation: Any) -> None:
    arrays = lstm_arrays(2, 3, 2, 1)
    if isinstance(operation, RNN):
        arrays = [arrays[0], arrays[1], arrays[3][:, :1], arrays[4][:, :1], arrays[5][:1]]
    with pytest.raises(AssertionError, match="law reference"):
        assert_reference(operation, arrays)


class WrongAttention(Primitive):
    """Attention whose derivative by Q has one slip."""

    name = "attention"
    inputs = ("Q",)

    def __init__(self, slip: str) -> None:
        self.slip = slip
        self.K, self.V = np.random.default_rng(1).normal(size=(2, 1, 3, 2))

    def _linearize(self, *arrays: Array) -> tuple[Array, Makers]:
        (Q,) = arrays
        K, V, shown = self.K, self.V, np.tri(3, dtype=bool)
        value, _ = layers.attention(Q, K, V, mask=shown)
        S = Q @ K.swapaxes(1, 2) / np.sqrt(2)
        E = np.exp(S if self.slip == "mask applied after the softmax" else np.where(shown, S, -np.inf))
        P = E / E.sum(axis=-1, keepdims=True) * shown
        axis = -2 if self.slip == "softmax over the wrong axis" else -1
        scale = 1.0 if self.slip == "√d forgotten" else 1 / np.sqrt(2)
        chain = (
            BatchedKronecker(3, V.swapaxes(1, 2)) @ DiagonalMinusOuter(P, P, P, axis) @ BatchedKronecker(3, scale * K)
        )
        return value, {"Q": lambda: chain}


@pytest.mark.parametrize("slip", ["√d forgotten", "softmax over the wrong axis", "mask applied after the softmax"])
def test_a_slip_of_attention_is_caught(slip: str) -> None:
    Q = [rng.normal(size=(1, 3, 2))]
    assert_reference(WrongAttention("none"), Q)
    with pytest.raises(AssertionError, match="law reference"):
        assert_reference(WrongAttention(slip), Q)


# --- one operation, or a graph of steps ----------------------------------------------------------------


@pytest.mark.parametrize("name", ["gru", "lstm", "rnn"])
@pytest.mark.parametrize("mask", [None, [[True, True, False], [True, False, True]]], ids=["all", "masked"])
def test_one_operation_and_a_graph_of_steps_agree(name: str, mask: Any) -> None:
    X, h, c, Wx, Wh, b = lstm_arrays(2, 3, 2, 2)
    given = {"rnn": [X, h, Wx[:, :2], Wh[:, :2], b[:2]], "lstm": [X, h, c, Wx, Wh, b]}
    given["gru"] = [X, h, Wx[:, :6], Wh[:, :6], b[:6], b[2:]]
    layer = getattr(layers, name)
    value, J = layer(*given[name], mask=mask)
    expected, K = layer(*given[name], mask=mask, steps=True)
    np.testing.assert_allclose(value, expected, atol=1e-15)
    cotangent = rng.normal(size=value.shape)
    together = J.pull(cotangent)
    for wrt, by in K.pull(cotangent).items():
        np.testing.assert_allclose(J[wrt].vjp(cotangent), by, atol=1e-14)
        np.testing.assert_allclose(together[wrt], by, atol=1e-14)
        tangent = rng.normal(size=J[wrt].domain)
        np.testing.assert_allclose(J[wrt].jvp(tangent), K[wrt].jvp(tangent), atol=1e-14)


def test_a_sequence_as_one_value() -> None:
    X, h, c, Wx, Wh, b = lstm_arrays(3, 4, 2, 2)
    W, state = jac.values(Wh=Wh, h=h)
    states = layers.lstm(X, state, c, Wx, W, b)
    assert states.path_count("Wh") == 1
    losses = jac.squared_error(states[:, -1], np.zeros((3, 2)), reduction="none")
    rows = losses.jacobian("Wh")
    assert rows.structure == "KhatriRaoSum(3×4×2, 3×4×8)"
    np.testing.assert_allclose(rows.row_norms(), np.linalg.norm(rows.to_dense(), axis=1), rtol=1e-12)
    by_steps = jac.squared_error(
        layers.lstm(X, state, c, Wx, W, b, steps=True)[:, -1], np.zeros((3, 2)), reduction="none"
    )
    v = rng.normal(size=Wh.shape)
    curvature = losses.sum().hessian("Wh").jvp(v)
    np.testing.assert_allclose(curvature, by_steps.sum().hessian("Wh").jvp(v), atol=1e-13)


def test_no_steps_and_no_examples() -> None:
    X, h, c, Wx, Wh, b = lstm_arrays(2, 0, 2, 2)
    states, J = layers.lstm(X, h, c, Wx, Wh, b)
    assert states.shape == (2, 0, 2)
    assert not J.Wh.vjp(states).any()
    assert not J.h.vjp(states).any()
    X, h, c, Wx, Wh, b = lstm_arrays(0, 3, 2, 2)
    states, J = layers.lstm(X, h, c, Wx, Wh, b)
    assert J.Wx.vjp(states).shape == (2, 8)


def test_refusals_of_structures() -> None:
    with refused(
        ShapeError,
        "GatedRecurrence: the weights have shape (2, 3), the slopes (1, 1, 1, 2); expected (H, G·H) and (N, T, G, H)",
    ):
        GatedRecurrence(np.ones((2, 3)), np.ones((1, 1, 1, 2)))
    with refused(ShapeError, "GatedRecurrence: keep has shape (1, 2); expected (1, 1, 2)"):
        GatedRecurrence(np.ones((2, 2)), np.ones((1, 1, 1, 2)), keep=np.ones((1, 2)))
    with refused(ShapeError, "PickedFromWindows: the places have shape (2,); the windows' is (3,)"):
        PickedFromWindows(Windows((2,), (4,)), np.zeros(2, int))


@pytest.mark.parametrize("gates", ["ifog", "ifgo", "oigf"])
@pytest.mark.parametrize("shape", [(4, 2, 3, 1), (3, 1, 2, 2), (5, 1, 1, 1)])
def test_gates_that_lie_64_bytes_apart(shape: tuple[int, ...], gates: str) -> None:
    """NumPy 2.4's negative is wrong there where it writes in place."""
    arrays = [a.astype(np.float32) if shape[1] == 1 else a for a in lstm_arrays(*shape)]
    value, _ = layers.lstm(*arrays, gates=gates)
    np.testing.assert_allclose(value, layers.lstm(*arrays, gates=gates, steps=True)[0], atol=1e-6)


@pytest.mark.parametrize("cell", ["rnn", "gru"])
def test_a_recurrence_is_the_inverse_of_a_block_bidiagonal_matrix(cell: str) -> None:
    """Edelman, Akyürek & Wang (2023), arXiv:2303.15449: backprop through time is back substitution with it."""
    gates, T, H = (1, 3, 2) if cell == "rnn" else (3, 3, 2)
    X, h, weights = rng.normal(size=(1, T, 2)), rng.normal(size=(1, H)), rng.normal(size=(2, H, gates * H))
    biases = rng.normal(size=(2, gates * H))[: 1 if cell == "rnn" else 2]
    _, J = (layers.rnn if cell == "rnn" else layers.gru)(X, h, *weights, *biases)
    (recurrence,) = [f for f in J.X._factors() if isinstance(f, GatedRecurrence)]
    system, whole = recurrence.system().to_dense(), recurrence.to_dense()
    blocks = system.reshape(T, H, T, H).transpose(0, 2, 1, 3)
    assert all((blocks[t, s] == (np.eye(H) if s == t else 0)).all() for t in range(T) for s in range(T) if s != t - 1)
    assert blocks[1, 0].any()
    each = (system @ whole).reshape(T, H, T, gates * H).transpose(0, 2, 1, 3)
    assert all(np.allclose(each[t, s], 0, atol=1e-14) for t in range(T) for s in range(T) if s != t)
    with pytest.raises(DomainError, match=re.escape("GatedRecurrence.system: the state is not the cell")):
        GatedRecurrence(np.ones((1, 1)), np.ones((1, 2, 1, 1)), output=np.ones((1, 2, 1))).system()
