"""`fit` is the loop that one would write, in any convention; interrupted, it goes on with the same bits."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jacobians import BlockByBlock, Network, fit, in_blocks, translate_parameters
from jacobians.arrays import Array
from jacobians.errors import ArgumentError, DomainError, MissingExtraError, ShapeError
from jacobians.training import SGD, Adam, Fitted, History, Momentum
from jacobians.training.progress import Progress

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))
Y = (X[:, 0] + X[:, 1] > 0).astype(int) + (X[:, 2] > 1)
NET = Network.dense((4, 5, 3), activation="tanh", l2=0.01)


def same(a: dict[str, Array], b: dict[str, Array]) -> bool:
    return all(np.array_equal(a[name], b[name]) for name in a)


def test_it_is_the_loop_that_one_would_write() -> None:
    params, rng = NET.init(0), np.random.default_rng(5)
    start = {name: array.copy() for name, array in params.items()}
    fitted = fit(NET, params, X, Y, rule=SGD(0.5), epochs=3, batch=16, rng=5)
    assert same(params, start)
    objectives = []
    for _ in range(3):
        order, total = rng.permutation(60), 0.0
        for first in range(0, 60, 16):
            part = order[first : first + 16]
            total += NET.value(params, X[part], Y[part]) * len(part)
            grads = NET.gradient(params, X[part], Y[part])
            params = {name: params[name] - 0.5 * grads[name] for name in params}
        objectives.append(total / 60)
    assert same(fitted.params, params)
    assert [epoch.objective for epoch in fitted.history] == objectives
    assert fitted.ended == "all epochs"
    assert repr(fitted) == f"Fitted(3 epochs, all epochs, objective {objectives[-1]:.6g})"


@pytest.mark.parametrize("rule", ["sgd", "momentum", "nesterov", "rmsprop", "adam", "L-BFGS-B", "trust-ncg"])
@pytest.mark.parametrize("other", ["ng-ml-2011", "ng-dlai"])
def test_two_conventions_have_one_curve(rule: str, other: str) -> None:
    options: dict[str, Any] = {"loss": "cross_entropy", "activation": "tanh", "reduction": "mean"}
    nets = [Network.dense((4, 5, 3), convention=name, **options) for name in ("cs231n", other)]
    found = []
    for net in nets:
        chosen: Any = {"adam": Adam(0.01, weight_decay=0.1)}.get(rule, rule)
        given = X.T if net.layout.batch == "columns" else X
        found.append(fit(net, net.init(3), given, Y, rule=chosen, epochs=4, batch=20, held_out=(given, Y)))
    first, second = found
    for a, b in zip(first.history, second.history, strict=True):
        assert b.objective == pytest.approx(a.objective, rel=1e-9)
        assert b.held_out == pytest.approx(a.held_out, rel=1e-9)
        assert b.accuracy == a.accuracy
    translated = translate_parameters(second.params, other, "cs231n")
    for name, array in first.params.items():
        np.testing.assert_allclose(translated[name], array, rtol=1e-7, atol=1e-9)
    assert first.history[-1].objective < first.history[0].objective


def test_batches_are_mini_batches_and_block_by_block_is_the_whole() -> None:
    blocks, params = in_blocks(X, Y, 16), NET.init(0)
    by_blocks = fit(NET, params, blocks, rule=SGD(0.5), epochs=1, rng=5)
    expected = params
    for i in np.random.default_rng(5).permutation(4):
        grads = NET.gradient(expected, *blocks[int(i)])
        expected = {name: expected[name] - 0.5 * grads[name] for name in expected}
    assert same(by_blocks.params, expected)
    whole = BlockByBlock(NET, blocks)
    once = fit(NET, params, whole, rule=SGD(0.5), epochs=1)
    grads = whole.gradient(params)
    assert same(once.params, {name: params[name] - 0.5 * grads[name] for name in params})


@pytest.mark.parametrize("solver", ["L-BFGS-B", "trust-ncg"])
def test_solvers_take_the_same_steps_by_blocks(solver: str) -> None:
    params = NET.init(0)
    whole = fit(NET, params, X, Y, rule=solver, epochs=6)
    blocks = fit(NET, params, in_blocks(X, Y, 16), rule=solver, epochs=6)
    assert len(whole.history) == 6
    for a, b in zip(whole.history, blocks.history, strict=True):
        assert b.objective == pytest.approx(a.objective, rel=1e-12)
    for name, array in whole.params.items():
        np.testing.assert_allclose(blocks.params[name], array, rtol=1e-9, atol=1e-12)


def test_a_solver_that_converges_says_so() -> None:
    net = Network.dense((4, 3), l2=0.1)
    assert fit(net, net.init(0), X, Y, rule="trust-ncg", epochs=50).ended == "converged"


def test_early_stopping_returns_the_best() -> None:
    held = (X[:20], RNG.integers(0, 3, 20))
    fitted = fit(NET, NET.init(0), X[20:], Y[20:], rule=Momentum(0.3), epochs=60, held_out=held, patience=3)
    assert fitted.ended == "no better on held-out data"
    losses = [epoch.held_out for epoch in fitted.history]
    assert len(losses) < 60
    assert int(np.argmin(losses)) == len(losses) - 4
    assert NET.run(fitted.params, *held).loss == min(losses)
    assert fitted.history[-1].accuracy == np.mean(NET.predict(fit_last(held), held[0]) == held[1])


def fit_last(held: tuple[Array, Array]) -> dict[str, Array]:
    """The last parameters of the run above, without early stopping."""
    count = len(fit(NET, NET.init(0), X[20:], Y[20:], rule=Momentum(0.3), epochs=60, held_out=held, patience=3).history)
    return fit(NET, NET.init(0), X[20:], Y[20:], rule=Momentum(0.3), epochs=count).params


class Interrupting:
    """Batches of which one is interrupted, as by Ctrl-C."""

    def __init__(self, at: int) -> None:
        self.at, self.inner, self.count = at, in_blocks(X, Y, 16), 60

    def __len__(self) -> int:
        return len(self.inner)

    def __getitem__(self, index: int) -> tuple[Array, Array]:
        self.at -= 1
        if self.at < 0:
            raise KeyboardInterrupt
        return self.inner[index]

    def __repr__(self) -> str:
        return "batches"


def interrupted(at: int, epochs: int, **options: Any) -> Fitted:
    return fit(NET, NET.init(0), Interrupting(at), rule=Adam(0.02), epochs=epochs, held_out=(X, Y), **options)


def test_ctrl_c_returns_the_last_whole_step() -> None:
    fitted = interrupted(10, 5)
    assert fitted.ended == "interrupted"
    assert len(fitted.history) == 2
    whole = interrupted(8, 2)
    assert whole.ended == "all epochs"
    assert not same(fitted.params, whole.params)
    solver = fit(NET, NET.init(0), Interrupting(30), rule="L-BFGS-B", epochs=50)
    assert solver.ended == "interrupted"
    assert NET.value(solver.params, X, Y) == pytest.approx(solver.history[-1].objective, rel=1e-12)


def test_an_interrupted_training_goes_on_with_the_same_bits(tmp_path: Path) -> None:
    expected = interrupted(10**6, 6)
    file = tmp_path / "run.npz"
    assert interrupted(14, 6, checkpoint=file).ended == "interrupted"
    resumed = interrupted(10**6, 6, checkpoint=file)
    assert same(resumed.params, expected.params)
    assert [e.objective for e in resumed.history] == [e.objective for e in expected.history]
    assert [e.held_out for e in resumed.history] == [e.held_out for e in expected.history]
    file.write_bytes(file.read_bytes()[:-50])  # truncated: the one before serves
    with pytest.warns(RuntimeWarning, match="not whole"):
        again = interrupted(10**6, 6, checkpoint=file)
    assert same(again.params, expected.params)
    other = fit(NET, NET.init(1), Interrupting(10**6), rule=Adam(0.02), epochs=6, checkpoint=file)
    assert len(other.history) == 6
    assert not same(other.params, expected.params)


def test_a_training_that_diverges_says_where() -> None:
    net = Network.dense((4, 1), loss="squared_error")
    with (
        np.errstate(all="ignore"),
        pytest.raises(DomainError, match=r"fit: epoch \d+, step \d+: .* is the learning rate too large\?"),
    ):
        fit(net, net.init(0), X, X[:, :1], rule=SGD(1e200), epochs=9, batch=30)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"rule": "adamw"}, "rule='adamw' is unknown; choose sgd, momentum, nesterov, rmsprop, adam, L-BFGS-B"),
        ({"patience": 3}, "patience needs held_out"),
        ({"rule": "L-BFGS-B", "checkpoint": "a.npz"}, "no checkpoint of it"),
    ],
)
def test_arguments_that_do_not_fit(options: dict[str, Any], text: str) -> None:
    with pytest.raises(ArgumentError, match=re.escape(text)):
        fit(NET, NET.init(0), X, Y, **options)


def test_targets_that_are_missing() -> None:
    with pytest.raises(ShapeError, match="fit: epochs=0; expected a positive number of epochs"):
        fit(NET, NET.init(0), X, Y, epochs=0)
    with pytest.raises(ArgumentError, match="Y is missing"):
        fit(NET, NET.init(0), [X, Y])
    with pytest.raises(ArgumentError, match=r"the batches hold weights of examples, .*; give BlockByBlock"):
        fit(NET, NET.init(0), in_blocks(X, Y, 8, weights=np.ones(len(X))))


# --- what one sees -----------------------------------------------------------------------------------


def test_silent_unless_asked(capsys: pytest.CaptureFixture[str]) -> None:
    fit(NET, NET.init(0), X, Y, epochs=2)
    assert capsys.readouterr() == ("", "")
    fit(NET, NET.init(0), X, Y, epochs=2, progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(r"epoch 2  loss [\d.]+  [\d,]+ examples/s  0 s left\n", err)


def test_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("rich")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    with Progress(10, wanted=True) as shown:
        shown.step(10, 3, 0.25)
    assert "epoch 3  loss 0.25" in capsys.readouterr().err


def test_a_history_prints_and_plots(monkeypatch: pytest.MonkeyPatch) -> None:
    history = fit(NET, NET.init(0), X, Y, epochs=3, held_out=(X, Y)).history
    lines = str(history).splitlines()
    assert lines[0].split() == ["epoch", "objective", "held", "out", "accuracy", "rate", "seconds"]
    assert len(lines) == 4
    assert len({len(line) for line in lines}) == 1
    (axes,) = history.plot().axes
    assert [line.get_label() for line in axes.lines] == ["objective", "loss, held out"]
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), [epoch.objective for epoch in history])
    assert history.to_dict()["epochs"][0]["epoch"] == 1
    assert repr(History()) == "History(0 epochs)"
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match="pip install matplotlib"):
        history.plot()
