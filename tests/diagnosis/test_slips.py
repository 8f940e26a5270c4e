"""Slips of layout, loss, precision and ones, each made by hand in a backward pass of its own and named."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians import Network
from jacobians.diagnosis import Diagnosis, diagnose
from jacobians.diagnosis.slip import Setting
from tests.diagnosis.cases import CONVENTIONS

SIZES = (5, 4, 6, 3)
PENALISED = ("cs231n", "cs231n-bias-trick", "ng-dlai", "ng-ml-2011", "sklearn-mlp")


def problem(name: str, sizes: tuple[int, ...] = SIZES, *, loss: str = "cross_entropy", count: int = 8, l2: float = 0.2):
    rng = np.random.default_rng(sum(sizes) + count)
    network = Network.dense(sizes, activation="tanh", loss=loss, convention=name, l2=l2 if name in PENALISED else 0.0)
    params = {n: rng.normal(size=p.shape) for n, p in network.init(rng).items()}
    X = rng.normal(size=network.layout.batch_shape(count, sizes[0]))
    return network, params, X, rng.permutation(np.resize(np.arange(sizes[-1]), count))


def plain(params, X, Y, *, forward=None, ones_last=(), end=0, T=None):
    """Ng's exercise 4 by hand, without the regulariser: Z = [1 A] Θᵀ; `forward` are the forward pass's parameters."""
    used = forward or params
    A, inputs = X, []
    for k in range(1, len(params) + 1):
        ones = np.ones((len(A), 1))
        inputs.append(np.hstack([A, ones] if k in ones_last else [ones, A]))
        Z = inputs[-1] @ used[f"Theta{k}"].T
        A = np.tanh(Z)
    if T is None:
        T = np.eye(Z.shape[1])[Y]
    e = np.exp(Z)
    D = (e / e.sum(axis=1, keepdims=True) - T) / len(X)
    grads = {}
    for k in range(len(params), 0, -1):
        grads[f"Theta{k}"] = D.T @ inputs[k - 1]
        back = D @ params[f"Theta{k}"]
        drop_last = k in ones_last and end == -1
        H = inputs[k - 1]
        H = H[:, :-1] if k in ones_last else H[:, 1:]
        D = (back[:, :-1] if drop_last else back[:, 1:]) * (1 - H**2)
    return {n: grads[n] for n in params}


def penalised(grads, params, l2: float, count: int):
    """The gradient with Ng's regulariser, λ/N·Θ but for the bias."""
    return {n: g + l2 / count * np.hstack([0 * g[:, :1], params[n][:, 1:]]) for n, g in grads.items()}


def named(found: Diagnosis) -> set[str]:
    assert found.verdict in ("explained", "ambiguous"), str(found)
    return {c.name for c in found.causes}


def test_the_hand_written_pass_is_right() -> None:
    network, params, X, Y = problem("ng-ml-2011")
    assert diagnose(penalised(plain(params, X, Y), params, 0.2, 8), network, params, X, Y).right


# --- layouts -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CONVENTIONS)
def test_parameters_unpacked_in_the_other_order(name: str) -> None:
    network, params, X, Y = problem(name)
    other = "C" if network.layout.vec == "F" else "F"
    own = network.layout.vec
    read = {n: p.ravel(own).reshape(p.shape, order=other) for n, p in params.items()}
    found = diagnose(network.pack(network.gradient(read, X, Y)), network, params, X, Y)
    assert found.causes[0].name == "unpack-vec-order"
    assert f"unpacked in {other} order" in found.headline


@pytest.mark.parametrize("name", ["sklearn-mlp", "ng-dlai", "ng-ml-2011"])
def test_blocks_packed_from_the_last_to_the_first(name: str) -> None:
    network, params, X, Y = problem(name)
    grads, order = network.gradient(params, X, Y), network.layout.vec
    blocks = network.convention.packing_order(list(params))[::-1]
    found = diagnose(np.concatenate([grads[n].ravel(order) for n in blocks]), network, params, X, Y)
    assert found.causes[0].name == "block-order"
    own = network.convention.packing_order(list(params))
    sizes = np.cumsum([params[n].size for n in blocks])[:-1]
    parts = dict(zip(blocks, np.split(network.pack(params), sizes), strict=True))
    read = {n: parts[n].reshape(params[n].shape, order=order) for n in own}
    found = diagnose(network.gradient({n: read[n] for n in params}, X, Y), network, params, X, Y)
    assert found.causes[0].name == "unpack-block-order"


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("layers", [(1,), (2,), (1, 2, 3)])
def test_a_square_weight_transposed_in_the_forward_pass(layers: tuple[int, ...], both: bool) -> None:
    network, params, X, Y = problem("ng-ml-2011", (4, 4, 4, 4))
    turned = dict(params)
    for k in layers:
        T = params[f"Theta{k}"]
        turned[f"Theta{k}"] = np.hstack([T[:, :1], T[:, 1:].T])
    wrong = penalised(plain(turned if both else params, X, Y, forward=turned), params, 0.2, 8)
    found = diagnose(wrong, network, params, X, Y)
    assert found.causes[0].name == "forward-weight-transposed"
    assert found.causes[0].layer == (layers[0] if len(layers) == 1 else None)
    assert "own forward pass" in found.headline or both


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda g: g[[1, 0, *range(2, len(g))]], "lines-permuted"),
        (lambda g: np.ascontiguousarray(g.T).reshape(g.shape), "reshape-for-transpose"),
        (lambda g: g.ravel().reshape(g.shape, order="F"), "f-order-unpack"),
        (lambda g: g[::-1], "rows-reversed"),
    ],
)
@pytest.mark.parametrize("convention", ["ng-dlai", "ng-ml-2011"])
def test_entries_moved_before_or_after_the_regulariser(change, name: str, convention: str) -> None:
    network, params, X, Y = problem(convention)
    right, weight = network.gradient(params, X, Y), next(iter(params))
    data = Network.dense(SIZES, activation="tanh", loss="cross_entropy", convention=convention).gradient(params, X, Y)[
        weight
    ]
    before = {**right, weight: change(data) + (right[weight] - data)}
    assert name in named(diagnose(before, network, params, X, Y))
    assert name in named(diagnose({**right, weight: change(right[weight])}, network, params, X, Y))


@pytest.mark.parametrize("layers", [(2,), (1, 2, 3)])
@pytest.mark.parametrize("name", ["cs231n", "ng-dlai", "sklearn-mlp", "cs231n-bias-trick"])
def test_kronecker_factors_exchanged(name: str, layers: tuple[int, ...]) -> None:
    network, params, X, Y = problem(name)
    setting = Setting(network, params, X, Y)
    wrong, deltas, rows = network.gradient(params, X, Y), setting.right.cotangents(), network.layout.batch == "rows"
    for layer in setting.layers:
        if layer.number not in layers:
            continue
        A, D = setting.input_of(layer.position), deltas[layer.position]
        A = np.hstack([A, np.ones((len(A), 1))]) if name == "cs231n-bias-trick" else A
        J = np.kron(np.eye(D.shape[1]), A) if rows else np.kron(A.T, np.eye(D.shape[0]))
        moved = (D.ravel() @ J).reshape(params[layer.weight].shape)
        wrong[layer.weight] += moved - (A.T @ D if rows else D @ A.T)
    found = diagnose(wrong, network, params, X, Y)
    assert "kronecker-order" in named(found)
    assert found.causes[0].layer == (2 if layers == (2,) else None)


# --- ones ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", [0, -1])
@pytest.mark.parametrize("layers", [(1,), (2,), (3,), (1, 2, 3)])
def test_ones_at_the_wrong_end_of_the_gradients_pass(layers: tuple[int, ...], end: int) -> None:
    network, params, X, Y = problem("ng-ml-2011")
    wrong = penalised(plain(params, X, Y, ones_last=layers, end=end), params, 0.2, 8)
    found = diagnose(wrong, network, params, X, Y)
    assert found.causes[0].name == "ones-at-wrong-end"
    assert found.causes[0].layer == (layers[0] if len(layers) == 1 else None)


# --- targets -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["cs231n", "ng-dlai"])
@pytest.mark.parametrize("loss", ["squared_error", "binary_cross_entropy"])
def test_uint8_targets_wrap(name: str, loss: str) -> None:
    network, params, X, Y = problem(name, loss=loss)
    T = np.eye(3)[Y] if network.layout.batch == "rows" else np.eye(3)[Y].T
    right = network.gradient(params, X, T)
    # the gradient is affine in the targets of p − y, and so is known where y is −255·y
    slope = {n: g - right[n] for n, g in network.gradient(params, X, np.zeros_like(T)).items()}
    wrong = {n: g + 256 * slope[n] for n, g in right.items()}
    found = diagnose(wrong, network, params, X, T)
    assert found.causes[0].name == "uint8-wraps"
    assert "uint8" in found.headline


def test_uint8_targets_wrap_beside_a_softmax() -> None:
    network, params, X, Y = problem("ng-ml-2011")
    wrapped = -((-np.eye(3, dtype=np.uint8)[Y]).astype(float))
    wrong = penalised(plain(params, X, Y, T=wrapped), params, 0.2, 8)
    assert diagnose(wrong, network, params, X, Y).causes[0].name == "uint8-wraps"


@pytest.mark.parametrize(("rounded", "name"), [(False, "soft-labels-as-one-hot"), (True, "soft-labels-rounded")])
def test_soft_targets_of_a_binary_loss(rounded: bool, name: str) -> None:
    network, params, X, _ = problem("ng-dlai", loss="binary_cross_entropy")
    soft = np.random.default_rng(1).uniform(0.1, 0.9, size=(3, 8))
    hard = (soft > 0.5) * 1.0 if rounded else np.eye(3)[soft.argmax(axis=0)].T
    found = diagnose(network.gradient(params, X, hard), network, params, X, soft)
    assert found.causes[0].name == name


# --- numbers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("chunk", [1, 7])
def test_a_bias_added_up_in_float32(chunk: int) -> None:
    network, params, X, Y = problem("cs231n", (5, 4, 3), count=3000, l2=0.0)
    wrong = network.gradient(params, X, Y)
    e = np.exp(np.tanh(X @ params["W1"] + params["b1"]) @ params["W2"] + params["b2"])
    D = ((e / e.sum(axis=1, keepdims=True) - np.eye(3)[Y]) / len(X)) @ params["W2"].T
    D = (D * (1 - np.tanh(X @ params["W1"] + params["b1"]) ** 2)).astype(np.float32)
    total = np.zeros(4, dtype=np.float32)
    for start in range(0, len(D), chunk):
        total += D[start : start + chunk].sum(axis=0)
    assert 1e-10 < np.abs(total / wrong["b1"] - 1).max() < 1e-2
    found = diagnose({**wrong, "b1": total.astype(np.float64)}, network, params, X, Y)
    assert found.causes[0].name == "float32-sum"
    noise = np.random.default_rng(0).normal(size=4)
    off = {**wrong, "b1": (wrong["b1"] * (1 + 0.1 * noise)).astype(np.float32).astype(np.float64)}
    assert "float32-sum" not in {c.name for c in diagnose(off, network, params, X, Y).causes}


def test_overflow_and_log_of_zero() -> None:
    network, params, X, Y = problem("cs231n")
    lost = {n: np.full(p.shape, np.nan) for n, p in params.items()}
    for size, names in ((3.0, ["not-finite"]), (50.0, ["log-zero"]), (900.0, ["exp-overflow", "log-zero"])):
        loud = {**params, "W3": 0 * params["W3"], "b3": np.array([size, 0.0, 1.0])}
        found = diagnose(lost, network, loud, X, Y)
        assert [c.name for c in found.causes] == names
        assert found.verdict == ("ambiguous" if len(names) > 1 else "explained")
        assert len(found.separate) == (len(names) > 1)
        assert max(map(len, str(found).splitlines())) <= 80


def test_relu_at_its_kink() -> None:
    rng = np.random.default_rng(3)
    network = Network.dense((5, 4, 3), activation="relu", convention="cs231n")
    params, X, Y = network.init(rng), rng.normal(size=(6, 5)), [0, 1, 2, 0, 1, 2]
    X[0] = 0.0
    assert not params["b1"].any()
    H = X @ params["W1"]
    e = np.exp(np.maximum(H, 0) @ params["W2"] + params["b2"])
    D = (e / e.sum(axis=1, keepdims=True) - np.eye(3)[Y]) / 6
    wrong = network.gradient(params, X, Y)
    wrong["b1"] = ((D @ params["W2"].T) * (H >= 0)).sum(axis=0)
    found = diagnose(wrong, network, params, X, Y)
    assert found.causes[0].name == "kink"
    assert "z = 0 occurs" in found.headline
