"""Every run of the catalogue: a bug, in a layer, of a network, in a convention, at a scale of the loss."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from tests.figures.backprop import ACTIVATIONS, Problem
from tests.figures.bugs import BUGS, Bug
from tests.figures.dialects import DIALECTS
from tests.figures.equivalence import changes_nothing, reason
from tests.figures.problems import make_problem

SCALES = (1e-6, 1.0, 1e6)
CONVENTIONS = tuple(DIALECTS)


@dataclass(frozen=True)
class Case:
    """One run. `problem()` is made anew each time, since some bugs write into the data."""

    bug: Bug
    convention: str
    layers: int
    activation: str
    loss: str
    scale: float
    layer: int
    l2: float = 0.1
    seed: int = 0

    def problem(self) -> Problem:
        return make_problem(
            self.convention,
            self.layers,
            self.activation,
            self.loss,
            kind=self.bug.kind,
            scale=self.scale,
            l2=self.l2,
            seed=self.seed,
        )

    def __str__(self) -> str:
        at = f" in layer {self.layer}" if self.layer else ""
        return (
            f"{self.bug.name}{at}: {self.convention}, {self.layers} layers, {self.activation}, {self.loss}, "
            f"loss × {self.scale:g}, λ = {self.l2:g}, seed {self.seed}"
        )

    def why_equivalent(self) -> str:
        """Why the bug changes nothing here, "" where it changes something."""
        if self.bug.stateful:
            return ""
        claimed = reason(self.problem(), self.bug.slip, self.layer)
        if self.bug.slip == "relu-at-zero":
            return claimed
        if not changes_nothing(self.problem(), self.bug.slip, self.layer):
            return ""
        return claimed or "the same gradient, for no stated reason"


def cases(every: int = 1, seed: int = 0) -> Iterator[Case]:
    """All runs, or about one of `every`, chosen by a hash."""
    for bug in BUGS:
        for convention in CONVENTIONS:
            for layers in (2, 3):
                for activation in ACTIVATIONS:
                    if not bug.applies(convention, activation):
                        continue
                    for made in _of_network(bug, convention, layers, activation, seed):
                        if zlib.crc32(str(made).encode()) % every == 0:
                            yield made


def one_of_each(seed: int = 0) -> Iterator[Case]:
    """One run of each bug, its network and scale chosen by a hash."""
    runs: dict[str, list[Case]] = {}
    for case in cases(seed=seed):
        runs.setdefault(case.bug.name + case.bug.family, []).append(case)
    for name, found in runs.items():
        yield found[zlib.crc32(f"{name} {seed}".encode()) % len(found)]


def _of_network(bug: Bug, convention: str, layers: int, activation: str, seed: int) -> Iterator[Case]:
    turn = CONVENTIONS.index(convention) + ACTIVATIONS.index(activation) + layers
    loss = bug.losses[turn % len(bug.losses)]
    own = zlib.crc32(f"{bug.name} {convention} {layers} {activation} {seed}".encode()) % 10_000
    possible = bug.possible_layers(layers)
    # an activation's bug in every layer; any other in one layer, another one in the next network
    for layer in possible if bug.family == "Activation" else possible[turn % len(possible) :][:1]:
        for scale in SCALES:
            yield Case(bug, convention, layers, activation, loss, scale, layer, seed=own)
        if bug.family == "Regulariser":
            yield Case(bug, convention, layers, activation, loss, 1.0, layer, l2=1e-6, seed=own)
