"""`fit`: better parameters, step by step on mini-batches, or by one of SciPy's solvers on the whole batch."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import astuple, dataclass, field
from typing import Any

import numpy as np

from jacobians.arrays import Array, generator
from jacobians.batches.blocks import is_batches, positive, target_axis
from jacobians.batches.checkpoint import Checkpoint
from jacobians.block_by_block import BlockByBlock, count_right, penalty_times
from jacobians.curvature import gauss_newton
from jacobians.errors import ArgumentError, DomainError
from jacobians.first_tries import written
from jacobians.network import Network, Parameters
from jacobians.recording import replayed
from jacobians.training.history import Epoch, History
from jacobians.training.progress import Progress
from jacobians.training.rules import RULES, Rule, State

__all__ = ["SOLVERS", "Fitted", "fit"]

SOLVERS = ("L-BFGS-B", "trust-ncg")
"""Those of ``scipy.optimize.minimize`` that `fit` takes by name."""


@dataclass(frozen=True, eq=False)
class Fitted:
    """What `fit` found.

    Attributes
    ----------
    params : dict of ndarray
        The last ones; with `patience`, those of the epoch with the least loss on held-out data.
    history : History
    ended : str
        Why it ended: "all epochs", "converged", "no better on held-out data", or "interrupted".

    Examples
    --------
    >>> import numpy as np
    >>> from jacobians import Network
    >>> net = Network.dense((4, 3, 2))
    >>> fitted = fit(net, net.init(0), np.eye(4), [0, 1, 1, 0], epochs=3, batch=2)
    >>> fitted.ended, list(fitted.params), len(fitted.history)
    ('all epochs', ['W1', 'b1', 'W2', 'b2'], 3)
    """

    params: dict[str, Array]
    history: History
    ended: str

    def __repr__(self) -> str:
        last = f", objective {self.history[-1].objective:.6g}" if self.history else ""
        return f"Fitted({len(self.history)} epochs, {self.ended}{last})"


@written("fit(net, params, X, Y)")
def fit(
    net: Network,
    params: Parameters,
    X: Any,
    Y: Any = None,
    *,
    rule: Rule | str = "sgd",
    epochs: int = 10,
    batch: int = 32,
    rng: np.random.Generator | int = 0,
    held_out: tuple[Any, Any] | None = None,
    patience: int | None = None,
    progress: bool = False,
    checkpoint: str | os.PathLike[str] | None = None,
) -> Fitted:
    """Train: return better parameters and the history of the training. Nothing that is given is written to.

    Ctrl-C ends it with the parameters after the last whole step.

    Parameters
    ----------
    net : Network
    params : dict of array_like
        To begin with.
    X, Y : array_like, or Batches and nothing, or BlockByBlock and nothing
        Of arrays, mini-batches are drawn anew for each epoch. Of batches, each block is one, in an order drawn for each
        epoch. With `BlockByBlock` every step takes the whole batch.
    rule : Rule or str
        An update rule such as ``Adam(0.01)`` of `jacobians.training`, the name of one in `RULES`, or "L-BFGS-B" or
        "trust-ncg" of SciPy, which take the whole batch at every step; the second has the Gauss–Newton matrix for the
        Hessian.
    epochs : int
        Passes over the data; a solver's iterations.
    batch : int
        Examples in a mini-batch of arrays.
    rng : Generator or int
        What shuffles, or its seed.
    held_out : pair of array_like, optional
        X and Y that are looked at after every epoch.
    patience : int, optional
        Epochs without a lesser loss on held-out data, after which it ends.
    progress : bool
        Say on standard error how far it is.
    checkpoint : str or path, optional
        A ``.npz`` file, written after every epoch, from which an interrupted training goes on with the same bits. Rules
        only.

    Raises
    ------
    DomainError
        If the objective or a gradient stops being finite, with the epoch and the step.
    ArgumentError
        If the rule is unknown, or two arguments do not fit together.

    Examples
    --------
    >>> from jacobians import Network, load_digits
    >>> from jacobians.training import Adam
    >>> digits = load_digits()
    >>> net = Network.dense((64, 10), convention="cs231n")
    >>> fitted = fit(net, net.init(0), digits.X / 16, digits.y, rule=Adam(0.01), epochs=3)
    >>> fitted.history[2].objective < fitted.history[0].objective, fitted.ended
    (True, 'all epochs')
    """
    epochs = positive(epochs, "fit: epochs", "epochs")
    if patience is not None and held_out is None:
        raise ArgumentError("fit: patience needs held_out=(X, Y), on which it is judged")
    if Y is None and not (isinstance(X, BlockByBlock) or is_batches(X)):
        raise ArgumentError("fit: Y is missing; give X and Y, batches such as in_blocks(X, Y), or BlockByBlock")
    arrays = net._arrays(params)
    watch = _Watch(net, held_out, patience)
    if rule in SOLVERS:
        if checkpoint is not None:
            raise ArgumentError(f"fit: {rule} keeps its memory within SciPy, so there is no checkpoint of it")
        return _solved(net, arrays, X, Y, str(rule), epochs, watch, progress)
    return _stepped(
        net,
        arrays,
        _Source.of(net, X, Y, batch),
        _found(rule),
        epochs,
        generator(rng, "fit"),
        watch,
        progress,
        checkpoint,
    )


def _found(rule: Any) -> Rule:
    if isinstance(rule, Rule):
        return rule
    if isinstance(rule, str) and rule in RULES:
        return RULES[rule]()
    raise ArgumentError(f"fit: rule={rule!r} is unknown; choose {', '.join((*RULES, *SOLVERS))}, or a Rule")


@dataclass(eq=False)
class _Watch:
    """What held-out data says after every epoch, and when it says to stop."""

    net: Network
    held_out: tuple[Any, Any] | None
    patience: int | None
    best: tuple[float, dict[str, Array]] = (np.inf, {})
    worse: int = 0
    began: float = field(default_factory=time.monotonic)

    def epoch(self, number: int, objective: float, rate: float, params: dict[str, Array]) -> Epoch:
        loss = accuracy = np.nan
        if self.held_out is not None:
            run = self.net.run(params, *self.held_out)
            loss = run.loss
            if self.net._loss is not None and self.net._loss.takes != "reals":
                accuracy = count_right(self.net, run.output, self.held_out[1]) / run.losses.size
            if loss < self.best[0]:
                self.best, self.worse = (loss, params), 0
            else:
                self.worse += 1
        return Epoch(number, objective, loss, accuracy, rate, time.monotonic() - self.began)

    @property
    def enough(self) -> bool:
        return self.patience is not None and self.worse >= self.patience

    def chosen(self, params: dict[str, Array]) -> dict[str, Array]:
        return params if self.patience is None or not self.best[1] else self.best[1]


# --- rules -------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Source:
    """What an epoch's steps are made from."""

    count: int
    said: str
    steps: Callable[[np.random.Generator], Iterator[tuple[Any, ...]]]
    """The mini-batches of an epoch: what comes after the parameters as arguments of `value_and_grad`."""
    value_and_grad: Callable[..., tuple[float, dict[str, Array]]]

    @classmethod
    def of(cls, net: Network, X: Any, Y: Any, batch: int) -> _Source:
        if isinstance(X, BlockByBlock):
            return cls(X.batches.count, repr(X), lambda rng: iter([()]), X.value_and_grad)
        recorded = replayed(net.value_and_grad)
        if Y is None:
            return cls(X.count, repr(X), lambda rng: (_block(X, int(i)) for i in rng.permutation(len(X))), recorded)
        batch = positive(batch, "fit: batch")
        X, Y = net._data(X, Y)
        if net._chain is None:
            raise ArgumentError(
                f"fit: {net!r} is a function of values, whose examples may lie along any axis; give batches instead "
                "of X and Y: anything with count, len and batches[i] -> (X, Y)"
            )
        axis = net.layout.batch_axis
        count = X.shape[axis] if X.ndim else 0
        others = target_axis(Y.shape, count, axis)

        def steps(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
            order = rng.permutation(count)
            for start in range(0, count, batch):
                chosen = order[start : start + batch]
                yield X.take(chosen, axis), Y.take(chosen, others)

        return cls(count, f"{X.shape} {Y.shape} in batches of {batch}", steps, recorded)


def _block(batches: Any, index: int) -> tuple[Any, ...]:
    """X and Y of a block. Its examples must have equal weights: the step of a mini-batch is recorded once."""
    given = tuple(batches[index])
    if len(given) != 2:
        raise ArgumentError(
            "fit: the batches hold weights of examples, which steps on mini-batches do not take; give "
            "BlockByBlock(net, batches), whose steps take the whole batch, or batches without weights"
        )
    return given


def _weights(net: Network, arrays: Mapping[str, Array]) -> dict[str, Array | float]:
    """1 where an entry is a weight and 0 where it is a bias."""
    found: dict[str, Array | float] = {}
    for name, array in arrays.items():
        found[name] = float(net._is_weight(name))
        if net._is_weight(name) and net.layout.absorbs_bias:
            mask = np.zeros_like(array)
            net.layout.weights_of(mask)[...] = 1
            found[name] = mask
    return found


def _stepped(
    net: Network,
    params: dict[str, Array],
    source: _Source,
    rule: Rule,
    epochs: int,
    rng: np.random.Generator,
    watch: _Watch,
    progress: bool,
    checkpoint: str | os.PathLike[str] | None,
) -> Fitted:
    weights = _weights(net, params) if rule.weight_decay else None
    state, history, ended = rule.start(params), History(), "all epochs"
    kept = None if checkpoint is None else Checkpoint(checkpoint)
    work = _work(net, params, source, rule, rng) if kept else ""
    before = kept.load(work) if kept else None
    if before is not None:
        params, state, history = _restored(before, params, rule, rng, watch)
    value_and_grad = source.value_and_grad
    try:
        with Progress((epochs - len(history)) * source.count, wanted=progress) as shown:
            for number in range(len(history) + 1, epochs + 1):
                if watch.enough:
                    break
                total, seen = 0.0, 0
                for given in source.steps(rng):
                    try:
                        value, grads = value_and_grad(params, *given)
                    except DomainError as error:
                        raise DomainError(
                            f"fit: epoch {number}, step {state.steps + 1}: {error}"
                            + ("; is the learning rate too large?" if state.steps else "")
                        ) from None
                    examples = given[0].shape[net.layout.batch_axis] if given else source.count
                    params, state = rule.step(params, grads, state, weights)
                    total, seen = total + value * examples, seen + examples
                    if progress:
                        shown.step(examples, number, total / seen)
                rate = rule.rate_at(state.steps - 1)
                history += (watch.epoch(number, total / max(1, seen), rate, params),)
                if kept:
                    kept.save(work, _stored(params, state, rng, history, watch))
            if watch.enough:
                ended = "no better on held-out data"
    except KeyboardInterrupt:
        ended = "interrupted"
    return Fitted(watch.chosen(params), history, ended)


# --- a training's checkpoint ---------------------------------------------------------------------------


def _work(net: Network, params: Mapping[str, Array], source: _Source, rule: Rule, rng: np.random.Generator) -> str:
    """What tells a training from any other: its beginning, and how it goes on."""
    said = hashlib.sha256(repr((net, net.l2, net.convention, rule, source.said, _state_of(rng))).encode())
    for array in params.values():
        said.update(np.ascontiguousarray(array).tobytes())
    return said.hexdigest()


def _state_of(rng: np.random.Generator) -> str:
    return json.dumps(rng.bit_generator.state, default=lambda array: array.tolist())


def _stored(
    params: Mapping[str, Array], state: State, rng: np.random.Generator, history: History, watch: _Watch
) -> dict[str, Array]:
    arrays = {f"params/{name}": array for name, array in params.items()}
    for name, memory in state.memory.items():
        arrays |= {f"memory{i}/{name}": array for i, array in enumerate(memory)}
    arrays |= {f"best/{name}": array for name, array in watch.best[1].items()}
    numbers = {"steps": state.steps, "best": watch.best[0], "worse": watch.worse, "rng": _state_of(rng)}
    return {
        **arrays,
        **{name: np.array(value) for name, value in numbers.items()},
        "history": np.array([astuple(epoch) for epoch in history]),
    }


def _restored(
    stored: dict[str, Array], params: Mapping[str, Array], rule: Rule, rng: np.random.Generator, watch: _Watch
) -> tuple[dict[str, Array], State, History]:
    memory = {name: tuple(stored[f"memory{i}/{name}"] for i in range(rule.memories)) for name in params}
    rng.bit_generator.state = json.loads(str(stored["rng"]))
    best = {name: stored[f"best/{name}"] for name in params if f"best/{name}" in stored}
    watch.best, watch.worse = (float(stored["best"]), best), int(stored["worse"])
    history = History([Epoch(int(line[0]), *map(float, line[1:])) for line in stored["history"]])
    watch.began -= history[-1].seconds
    return {name: stored[f"params/{name}"] for name in params}, State(int(stored["steps"]), memory), history


# --- SciPy's solvers -----------------------------------------------------------------------------------


def _solved(
    net: Network, params: dict[str, Array], X: Any, Y: Any, solver: str, epochs: int, watch: _Watch, progress: bool
) -> Fitted:
    from scipy.optimize import minimize

    if Y is None:
        whole = X if isinstance(X, BlockByBlock) else BlockByBlock(net, X)
        fun, count = whole.fun_and_grad(), whole.batches.count
        curvature: Callable[[dict[str, Array]], Any] = whole.gauss_newton
    else:
        fun = net.fun_and_grad(X, Y)
        count = net.run(params, X, Y)._forward.count
        curvature = lambda params: gauss_newton(net.run(params, X, Y)).numerator  # noqa: E731
    theta, history = net.pack(params), History()
    options: dict[str, Any] = {}
    if solver == "trust-ncg":
        options["hessp"] = lambda at, v: curvature(net.unpack(at)) @ v + penalty_times(net, v, count)

    with Progress(epochs * count, wanted=progress) as shown:

        def after(intermediate_result: Any) -> None:
            nonlocal theta, history
            theta = np.array(intermediate_result.x)
            value = float(intermediate_result.fun)
            history += (watch.epoch(len(history) + 1, value, np.nan, net.unpack(theta)),)
            shown.step(count, len(history), value)
            if watch.enough:
                raise StopIteration

        try:
            found = minimize(
                fun, theta, jac=True, method=solver, callback=after, options={"maxiter": epochs}, **options
            )
        except KeyboardInterrupt:
            return Fitted(watch.chosen(net.unpack(theta)), history, "interrupted")
    if watch.enough:
        return Fitted(watch.chosen(net.unpack(theta)), history, "no better on held-out data")
    ended = "converged" if found.success else "all epochs" if len(history) >= epochs else str(found.message)
    return Fitted(watch.chosen(net.unpack(found.x)), history, ended)
