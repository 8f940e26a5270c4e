"""Formulas of graphs: every one that is printed is run and equals the gradient, those of alike steps at every step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import jacobians as jac
from jacobians.derivation import GraphDerivation, Recurrence
from jacobians.errors import GraphError, LayoutError
from jacobians.graphs import Value
from jacobians.testing.random_graphs import random_graph
from tests.derivation.graphs import check
from tests.symbols.test_notation import parsed

EVERYDAY, THOROUGH = 20, 2000

rng = np.random.default_rng(0)
N, D, H = 5, 4, 3
X, y, words = rng.normal(size=(N, D)), np.array([0, 1, 1, 0, 1]), rng.normal(size=(6, N, D))


START = rng.normal(size=(N, H))


def drawn(*shape: int) -> np.ndarray:
    return rng.normal(size=shape) / 2


def residual(X: Any, W1: Any, b1: Any, W2: Any, b2: Any) -> Any:
    hidden = jac.relu(X @ W1 + b1).named("H")
    return jac.cross_entropy(X + hidden @ W2 + b2, [0, 1, 2, 3, 0])


def fork(X: Any, W1: Any, W2: Any, W3: Any) -> Any:
    hidden = jac.relu(X @ W1).named("H")
    Z2, Z3 = (hidden @ W2).named("Z2"), (hidden @ W3).named("Z3")
    return jac.squared_error(jac.tanh(Z2) * jac.sigmoid(Z3), X[:, :2].array)


def autoencoder(W: Any, b: Any, c: Any) -> Any:
    return jac.squared_error(jac.tanh(X @ W + b) @ W.T + c, X)


def recurrence(Wx: Any, Wh: Any, b: Any, V: Any) -> Any:
    h = START
    for x in words:
        h = jac.tanh(x @ Wx + h @ Wh + b)
    return jac.cross_entropy(h @ V, y)


def named_states(Wx: Any, Wh: Any, V: Any, h0: Any) -> Any:
    h = h0
    for t, x in enumerate(words, 1):
        h = jac.tanh(x @ Wx + h @ Wh).named(f"h{t}")
    return jac.cross_entropy(h @ V, y)


def losses_at_every_step(Wx: Any, Wh: Any, V: Any) -> Any:
    h, loss = START, 0
    for t, x in enumerate(words):
        h = jac.tanh(x @ Wx + h @ Wh)
        loss = loss + jac.cross_entropy(h @ V, np.roll(y, t))
    return loss


def steps_of_a_value(words: Any, Wx: Any, Wh: Any, V: Any) -> Any:
    h = START
    for x in words:
        h = jac.tanh(x @ Wx + h @ Wh)
    return jac.cross_entropy(h @ V, y)


def two_layers(Wx: Any, Wh: Any, Vx: Any, Vh: Any, out: Any) -> Any:
    g, h = 2 * START, START
    for x in words:
        g = jac.tanh(x @ Wx + g @ Wh)
        h = jac.tanh(g @ Vx + h @ Vh)
    return jac.cross_entropy(h @ out, y)


def lstm(W: Any, b: Any, h: Any, c: Any) -> Any:
    for x in words:
        i, f, o, g = np.split(np.concatenate([x, h], axis=1) @ W + b, 4, axis=1)
        c = jac.sigmoid(f) * c + jac.sigmoid(i) * jac.tanh(g)
        h = jac.sigmoid(o) * jac.tanh(c)
    return jac.cross_entropy(h, [0, 1, 2, 1, 0])


def batch_norm(Z: Any, gamma: Any, beta: Any) -> Any:
    centred = Z - Z.mean(axis=0)
    variance = (centred**2).mean(axis=0)
    return jac.cross_entropy(gamma * centred / np.sqrt(variance + 1e-5) + beta, [0, 1, 2, 1, 0])


def attention(X: Any, Wq: Any, Wk: Any, Wv: Any) -> Any:
    scores = (X @ Wq) @ (X @ Wk).T / np.sqrt(H)
    return jac.cross_entropy(jac.softmax(scores) @ (X @ Wv), [0, 1, 2, 1, 0])


def quadratic(A: Any, v: Any) -> Any:
    return v @ (A.T @ A) @ v


def choices(A: Any, s: Any, v: Any) -> Any:
    M = np.where(A > 0, A * s, A / 2) - v
    return (np.maximum(M, 0.1) ** 2).mean() + 0.5 * (A * A).sum()


def more_axes(T: Any) -> Any:
    return (T.transpose(1, 0, 2).reshape(3, 8)[:, ::2] * 2.0).sum(axis=0).max() + T.mean(axis=1).sum()


def squares(W: Any, V: Any) -> Any:
    """The same term twice at every step, and a weight twice in each."""
    h = START
    for _ in range(5):
        Z = h @ W
        h = jac.tanh(Z * Z) * (Z @ W)
    return jac.squared_error(h @ V, X[:, :2])


PROGRAMS: dict[str, tuple[Callable[..., Any], dict[str, np.ndarray]]] = {
    "residual": (residual, {"X": X, "W1": drawn(D, H), "b1": drawn(H), "W2": drawn(H, D), "b2": drawn(D)}),
    "fork": (fork, {"X": X, "W1": drawn(D, H), "W2": drawn(H, 2), "W3": drawn(H, 2)}),
    "autoencoder": (autoencoder, {"W": drawn(D, H), "b": drawn(H), "c": drawn(D)}),
    "recurrence": (recurrence, {"Wx": drawn(D, H), "Wh": drawn(H, H), "b": drawn(H), "V": drawn(H, 2)}),
    "named states": (named_states, {"Wx": drawn(D, H), "Wh": drawn(H, H), "V": drawn(H, 2), "h0": drawn(N, H)}),
    "losses at every step": (losses_at_every_step, {"Wx": drawn(D, H), "Wh": drawn(H, H), "V": drawn(H, 2)}),
    "steps of a value": (steps_of_a_value, {"X": words, "Wx": drawn(D, H), "Wh": drawn(H, H), "V": drawn(H, 2)}),
    "two layers": (
        two_layers,
        {"Wx": drawn(D, H), "Wh": drawn(H, H), "Vx": drawn(H, H), "Vh": drawn(H, H), "out": drawn(H, 2)},
    ),
    "squares": (squares, {"W": drawn(H, H) / 4, "V": drawn(H, 2)}),
    "lstm": (lstm, {"W": drawn(D + H, 4 * H), "b": drawn(4 * H), "h": drawn(N, H), "c": drawn(N, H)}),
    "batch norm": (batch_norm, {"Z": drawn(N, H), "gamma": drawn(H), "beta": drawn(H)}),
    "attention": (attention, {"X": X, "Wq": drawn(D, H), "Wk": drawn(D, H), "Wv": drawn(D, H)}),
    "quadratic": (quadratic, {"A": drawn(D, H), "v": drawn(H)}),
    "choices": (choices, {"A": drawn(D, H), "s": drawn(), "v": drawn(H)}),
    "more axes": (more_axes, {"T": drawn(2, 3, 4)}),
}


def explained(name: str) -> tuple[GraphDerivation, Value]:
    program, arrays = PROGRAMS[name]
    loss = program(*jac.values(**arrays))
    found = jac.explain(loss)
    assert isinstance(found, GraphDerivation)
    return found, loss


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_formula_runs_and_equals_the_gradient(name: str) -> None:
    derivation, loss = explained(name)
    assert check(derivation, loss) >= len(derivation.lines)
    assert list(derivation.gradients) == list(PROGRAMS[name][1])
    for equation in derivation.equations:
        ElementTree.fromstring(equation.mathml)
    for equation in derivation.equations if name in ("recurrence", "choices", "more axes") else []:
        parsed(equation.latex)


@pytest.mark.parametrize("seed", range(EVERYDAY))
def test_formulas_of_random_graphs(seed: int) -> None:
    check_random(seed)


@pytest.mark.slow
def test_formulas_of_many_random_graphs() -> None:
    for seed in range(EVERYDAY, THOROUGH):
        check_random(seed)


def check_random(seed: int) -> None:
    case = random_graph(seed, dtype="float64")
    last = case(*jac.values(**case.arrays))
    loss = last if last.shape == () and last.operation is not None else (last * last).sum()
    derivation = jac.explain(loss)
    assert isinstance(derivation, GraphDerivation)
    check(derivation, loss)
    assert derivation.to_text().startswith(derivation.name)


# --- what is said --------------------------------------------------------------------------------------


def test_a_cotangent_is_the_sum_of_those_of_its_uses() -> None:
    derivation, _ = explained("fork")
    line = next(d for d in derivation.cotangents if d.equation.text.startswith("dH"))
    assert line.equation.text == "dH = dZ₂ W₂ᵀ + dZ₃ W₃ᵀ"
    assert "  dH = dZ₂ W₂ᵀ + dZ₃ W₃ᵀ\n      one term a use: in Z₂ and Z₃\n" in derivation.to_text()


def test_a_tied_weight_has_two_terms() -> None:
    derivation, _ = explained("autoencoder")
    assert derivation["W"].equation.text == "dW = C₁ᵀ dZ₁ + dZ₂ᵀ A₁"
    assert derivation["W"].equation.numpy == "dW = C1.T @ dZ1 + dZ2.T @ A1"


def test_a_recurrence_is_said_once_forward_and_back() -> None:
    derivation, _ = explained("recurrence")
    forward, back = (line for line in (*derivation.forward, *derivation.cotangents) if isinstance(line, Recurrence))
    assert [e.text for e in forward.equations] == ["Zₜ = Xₜ Wx + Hₜ₋₁ Wh + 1 bᵀ", "Hₜ = tanh(Zₜ)"]
    assert [e.text for e in back.equations] == ["dHₜ = dZₜ₊₁ Whᵀ", "dZₜ = dHₜ ∘ tanh′(Zₜ)"]
    assert (forward.first, forward.last, back.first, back.last) == (1, 6, 5, 1)
    assert derivation["Wh"].equation.text == "dWh = Σₜ₌₁⁶ Hₜ₋₁ᵀ dZₜ"
    assert derivation["Wh"].equation.numpy == "dWh = sum(H[t - 1].T @ dZ[t] for t in range(1, 7))"
    assert derivation["Wh"].equation.latex.endswith(r"\sum_{t=1}^{6} {H}_{t-1}^{\top} \, {\mathrm{d}Z}_{t}")


def test_names_of_states_are_kept() -> None:
    derivation, _ = explained("named states")
    assert derivation["Wh"].equation.text == "dWh = Σₜ₌₁⁶ hₜ₋₁ᵀ dZₜ"
    assert derivation["h0"].equation.text == "dh₀ = dZ₁ Whᵀ"


def test_a_loss_at_every_step_is_a_sum() -> None:
    derivation, _ = explained("losses at every step")
    assert derivation.forward[-1].equation.text == "L = Σₜ₌₁⁶ Lₜ"  # type: ignore[union-attr]
    (back,) = (line for line in derivation.cotangents if isinstance(line, Recurrence))
    assert [e.text for e in back.equations][1] == "dHₜ = dAₜ Vᵀ + dZₜ₊₁ Whᵀ"
    assert derivation["V"].equation.text == "dV = Σₜ₌₁⁶ Hₜᵀ dAₜ"


def test_the_first_steps_are_said_apart_where_they_differ() -> None:
    derivation, _ = explained("lstm")
    assert derivation.forward[0].equation.text == "Z₁ = [X₁ h]"  # type: ignore[union-attr]
    (forward,) = (line for line in derivation.forward if isinstance(line, Recurrence))
    assert (forward.first, forward.last) == (2, 6)
    assert derivation["W"].equation.text == "dW = Σₜ₌₁⁶ Zₜᵀ dAₜ"


def test_steps_that_are_not_alike_are_said_one_by_one() -> None:
    """The same formulas, but the weights of the third step are others: no t stands for all."""
    W, V = jac.values(W=drawn(H, H), V=drawn(H, H))
    h = drawn(N, H)
    for step in range(4):
        h = jac.tanh(h @ (V if step == 2 else W))
    loss = jac.squared_error(h, np.zeros((N, H)))
    derivation = jac.explain(loss)
    assert isinstance(derivation, GraphDerivation)
    assert not any(isinstance(line, Recurrence) for line in derivation.lines)
    assert derivation["W"].equation.text == "dW = C₁ᵀ dZ₁ + A₁ᵀ dZ₂ + A₃ᵀ dZ₄"
    check(derivation, loss)


def test_where_an_array_is_called_t_nothing_is_said_of_every_t() -> None:
    W, t = jac.values(W=drawn(H, H), t=drawn(H))
    h = drawn(N, H)
    for _ in range(4):
        h = jac.tanh(h @ W + t)
    loss = jac.squared_error(h, np.zeros((N, H)))
    derivation = jac.explain(loss)
    assert isinstance(derivation, GraphDerivation)
    assert not derivation.members
    check(derivation, loss)


def test_a_wrong_formula_does_not_pass_the_check() -> None:
    """One term of a sum forgotten, and one step."""
    derivation, loss = explained("recurrence")
    line = derivation.gradients["Wx"]
    short = type(line.value)(line.value.of, 2, 6)  # type: ignore[attr-defined]
    wrong = type(line)(line.name, type(line.equation)(line.equation.left, short))
    bad = GraphDerivation(**{**vars(derivation), "gradients": {**derivation.gradients, "Wx": wrong}})
    with pytest.raises(AssertionError):
        check(bad, loss)


# --- what is asked -------------------------------------------------------------------------------------


def test_only_what_is_asked_for_is_derived() -> None:
    program, arrays = PROGRAMS["residual"]
    inputs = jac.values(**arrays)
    loss = program(*inputs)
    derivation = jac.explain(loss, wrt=["W2", inputs[4]])
    assert isinstance(derivation, GraphDerivation)
    assert [*derivation.gradients] == ["W2", "b2"]
    assert [line.name for line in derivation.cotangents] == ["dZ2"]  # type: ignore[union-attr]
    check(derivation, loss)
    assert [*jac.explain(loss, wrt="H").gradients] == ["H"]  # type: ignore[union-attr]


def test_a_value_that_nothing_depends_on_has_zeros() -> None:
    A, B = jac.values(A=drawn(2), B=drawn(2))
    derivation = jac.explain((A * A).sum(), wrt=[A, B])
    assert isinstance(derivation, GraphDerivation)
    assert derivation["B"].equation.text == "dB = 0"


def test_gradients_have_the_names_of_a_convention() -> None:
    program, arrays = PROGRAMS["autoencoder"]
    derivation = jac.explain(program(*jac.values(**arrays)), "ng-ml-2011")
    assert isinstance(derivation, GraphDerivation)
    assert derivation["W"].equation.left == derivation["W"].symbol
    assert derivation["W"].symbol.name == "W_grad"


def test_what_has_no_formula_is_said() -> None:
    derivation, _ = explained("more axes")
    assert derivation.without == {"Z3": "max has no formula"}
    assert "Z₃: the numbers, max has no formula" in derivation.to_text()


def test_a_value_that_is_no_scalar_is_refused() -> None:
    A, B = jac.values(A=np.ones((2, 3)), B=np.ones(()))
    with pytest.raises(
        GraphError, match=r"explain: Value\(times_2: 2×3 float64\) has shape 2×3; a gradient is that of"
    ):
        jac.explain(A * A)
    with pytest.raises(GraphError, match=r"explain: Value\(B = 1: scalar float64\) is an input; a gradient"):
        jac.explain(B)
    with pytest.raises(GraphError, match="explain: no value is called 'C'"):
        jac.explain((A * A).sum(), wrt="C")


def test_it_shows_itself_in_a_notebook() -> None:
    derivation, _ = explained("recurrence")
    html = "".join(ElementTree.fromstring(derivation._repr_html_()).itertext())
    assert html.count("for t =") == 2
    assert "dWh=∑t=16Ht−1⊤dZt (one term for each of 6 uses)" in html
    assert derivation._repr_latex_().startswith("$")
    assert "For $t = 5, \\ldots, 1$:" in derivation.to_latex()


# --- networks of functions -----------------------------------------------------------------------------


def tied(X: Any, W: Any, b: Any) -> Any:
    return jac.tanh(X @ W + b).named("H") @ W.T


def test_a_network_of_a_function_is_explained_with_its_regulariser() -> None:
    for preset, last in (("cs231n", "0.1 W"), ("ng-ml-2011", "[0 0.02 W[:, 1:]]")):
        net = jac.Network(tied, "squared_error", preset, shapes={"W": (D, H), "b": (H,)}, l2=0.1)
        run = net.run(net.init(0), X, X)
        found = jac.explain(run)
        assert isinstance(found, GraphDerivation)
        check(found, run.objective)
        shown = found["W"].equation.text
        assert shown == f"{net.convention.names.gradient_of('W')} = Xᵀ dZ₁ + dZ₂ᵀ H + {last}"
        again = jac.explain(net, params=net.init(0), X=X, Y=X)
        assert str(again) == str(found)
        assert list(jac.explain(run, wrt=["H", "b"]).gradients) == ["H", "b"]


def test_a_network_of_a_function_needs_its_inputs_and_keeps_its_layout() -> None:
    net = jac.Network(tied, "squared_error", "cs231n", shapes={"W": (D, H), "b": (H,)})
    with pytest.raises(LayoutError, match=r"tied .* is a function of values, whose inputs have no known sizes; pass X"):
        jac.explain(net)
    with pytest.raises(LayoutError, match=r"explain: .* is written in the layout of cs231n, and no rule moves"):
        jac.explain(net, "pytorch", X=X, Y=X)
