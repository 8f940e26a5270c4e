"""Update rules: what a step makes of parameters and their gradient. Each acts on every entry alone.

So a rule does the same in every convention: a transpose of the parameters is a transpose of every step.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import sqrt
from typing import ClassVar, TypeAlias

import numpy as np

from jacobians.arrays import Array
from jacobians.errors import DomainError

__all__ = ["RULES", "SGD", "Adam", "Momentum", "Nesterov", "RMSProp", "Rule", "State"]

Memory: TypeAlias = tuple[Array, ...]


@dataclass(frozen=True, eq=False)
class State:
    """What a rule remembers: how many steps were taken, and arrays like each parameter."""

    steps: int
    memory: Mapping[str, Memory]


@dataclass(frozen=True, eq=False)
class Rule(ABC):
    """An update rule; a subclass states `_moved` of one array.

    Parameters
    ----------
    rate : float
        The learning rate η.
    schedule : callable, optional
        From the number of steps taken before, the factor of η at this step; 1 unless given, as in
        ``lambda step: 0.95 ** (step // 1000)`` or ``lambda step: 1 / (1 + step / 1000)``.
    weight_decay : float
        What is taken of every weight, but of no bias, at a step: η·decay·w, beside the rule (Loshchilov & Hutter 2019,
        arXiv:1711.05101). For `SGD` it is the same as a regulariser ½·decay·Σw². For the others it is not: they divide
        or delay a regulariser's gradient as they do the loss's.

    Raises
    ------
    DomainError
        If a rate is no positive number, or another number out of its range.
    """

    rate: float = 0.01
    schedule: Callable[[int], float] | None = None
    weight_decay: float = 0.0

    memories: ClassVar[int] = 0
    """How many arrays it remembers for each parameter."""

    def __post_init__(self) -> None:
        self._check("rate", 0 < self.rate < np.inf, "a positive number")
        self._check("weight_decay", 0 <= self.weight_decay < np.inf, "a number that is not negative")

    def _check(self, name: str, fits: bool, wanted: str) -> None:
        if not fits:
            raise DomainError(f"{type(self).__name__}: {name}={getattr(self, name)!r}; expected {wanted}")

    def start(self, params: Mapping[str, Array]) -> State:
        """Return the state before the first step."""
        return State(0, {name: (np.zeros_like(array),) * self.memories for name, array in params.items()})

    def rate_at(self, steps: int) -> float:
        """Return η at the step after so many."""
        return self.rate if self.schedule is None else self.rate * self.schedule(steps)

    def step(
        self,
        params: Mapping[str, Array],
        grads: Mapping[str, Array],
        state: State,
        weights: Mapping[str, Array | float] | None = None,
    ) -> tuple[dict[str, Array], State]:
        """Return the parameters and the state after one step; the arguments are not written to.

        Parameters
        ----------
        params, grads : dict of ndarray
        state : State
        weights : dict of float or ndarray, optional
            By name, 1 where an entry is a weight and decays, and 0 where it is a bias; every entry decays unless given.

        Examples
        --------
        >>> rule, params = Momentum(0.1), {"w": np.array([1.0])}
        >>> state = rule.start(params)
        >>> for _ in range(2):
        ...     params, state = rule.step(params, {"w": np.array([1.0])}, state)
        >>> float(params["w"][0].round(3)), state.steps                     # 1 − 0.1 − (0.09 + 0.1)
        (0.71, 2)
        """
        rate, moved, memory = self.rate_at(state.steps), {}, {}
        for name, array in params.items():
            new, memory[name] = self._moved(array, grads[name], state.memory[name], rate, state.steps + 1)
            if self.weight_decay:
                new = new - rate * self.weight_decay * (1.0 if weights is None else weights[name]) * array
            moved[name] = new
        return moved, State(state.steps + 1, memory)

    @abstractmethod
    def _moved(self, w: Array, g: Array, memory: Memory, rate: float, step: int) -> tuple[Array, Memory]:
        """An array and what is remembered of it after a step; steps count from 1."""


@dataclass(frozen=True, eq=False)
class SGD(Rule):
    """w ← w − η g.

    Examples
    --------
    >>> rule, params = SGD(0.5), {"w": np.array([1.0])}
    >>> rule.step(params, {"w": np.array([2.0])}, rule.start(params))[0]["w"].round(3)
    array([0.])
    """

    def _moved(self, w: Array, g: Array, memory: Memory, rate: float, step: int) -> tuple[Array, Memory]:
        return w - rate * g, memory


@dataclass(frozen=True, eq=False)
class Momentum(Rule):
    """v ← μ v − η g, w ← w + v (CS231n, assignment 2, ``sgd_momentum``; Polyak 1964).

    Examples
    --------
    >>> rule, params = Momentum(0.1), {"w": np.array([1.0])}
    >>> rule.step(params, {"w": np.array([2.0])}, rule.start(params))[0]["w"].round(3)
    array([0.8])
    """

    momentum: float = 0.9
    memories = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check("momentum", 0 <= self.momentum < 1, "0 ≤ μ < 1")

    def _moved(self, w: Array, g: Array, memory: Memory, rate: float, step: int) -> tuple[Array, Memory]:
        v = self.momentum * memory[0] - rate * g
        return w + v, (v,)


@dataclass(frozen=True, eq=False)
class Nesterov(Momentum):
    """v′ ← μ v − η g, w ← w − μ v + (1 + μ) v′ (CS231n, course notes on neural networks 3; Sutskever et al. 2013).

    Examples
    --------
    >>> rule, params = Nesterov(0.1), {"w": np.array([1.0])}
    >>> rule.step(params, {"w": np.array([2.0])}, rule.start(params))[0]["w"].round(3)
    array([0.62])
    """

    def _moved(self, w: Array, g: Array, memory: Memory, rate: float, step: int) -> tuple[Array, Memory]:
        v = self.momentum * memory[0] - rate * g
        return w - self.momentum * memory[0] + (1 + self.momentum) * v, (v,)


@dataclass(frozen=True, eq=False)
class RMSProp(Rule):
    """c ← d c + (1 − d) g², w ← w − η g / (√c + ε) (CS231n, assignment 2, ``rmsprop``; Hinton's lecture 6e).

    Examples
    --------
    >>> rule, params = RMSProp(0.01), {"w": np.array([1.0])}
    >>> rule.step(params, {"w": np.array([2.0])}, rule.start(params))[0]["w"].round(3)
    array([0.9])
    """

    decay: float = 0.99
    epsilon: float = 1e-8
    memories = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check("decay", 0 <= self.decay < 1, "0 ≤ d < 1")

    def _moved(self, w: Array, g: Array, memory: Memory, rate: float, step: int) -> tuple[Array, Memory]:
        c = self.decay * memory[0] + (1 - self.decay) * g * g
        return w - rate * g / (np.sqrt(c) + self.epsilon), (c,)


@dataclass(frozen=True, eq=False)
class Adam(Rule):
    """m and v are running means of g and g²; w ← w − η m̂ / (√v̂ + ε), with m̂ = m/(1 − β₁ᵗ), v̂ = v/(1 − β₂ᵗ).

    Kingma & Ba (2015), arXiv:1412.6980, algorithm 1; CS231n, assignment 2, ``adam``.

    Examples
    --------
    >>> rule, params = Adam(0.01), {"w": np.array([1.0])}
    >>> rule.step(params, {"w": np.array([2.0])}, rule.start(params))[0]["w"].round(3)
    array([0.99])
    """

    rate: float = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    memories = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("beta1", "beta2"):
            self._check(name, 0 <= getattr(self, name) < 1, "0 ≤ β < 1")

    def _moved(self, w: Array, g: Array, memory: Memory, rate: float, step: int) -> tuple[Array, Memory]:
        m = self.beta1 * memory[0] + (1 - self.beta1) * g
        v = self.beta2 * memory[1] + (1 - self.beta2) * g * g
        m_hat, root = m / (1 - self.beta1**step), np.sqrt(v) / sqrt(1 - self.beta2**step)
        return w - rate * m_hat / (root + self.epsilon), (m, v)


RULES: dict[str, type[Rule]] = {
    "sgd": SGD,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "rmsprop": RMSProp,
    "adam": Adam,
}
"""By the names that `fit` and the command line take."""
