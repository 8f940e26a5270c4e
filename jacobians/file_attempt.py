"""The gradient in a file beside the right one, where the file is read as one task of one convention."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from jacobians.array_roles import ArraysByRole
from jacobians.arrays import Array
from jacobians.checking import GradientCheck, check_gradient
from jacobians.checking.narrow_precision import ENOUGH, room_for_rounding
from jacobians.checking.printed_digits import Printed, printed
from jacobians.network import Network

__all__ = ["Attempt"]

_NEAR = 1e-2
"""Relative distance from the right gradient within which a numerical check decides."""


@dataclass(frozen=True, eq=False)
class Attempt:
    """The file read as one task of one convention."""

    task: str
    network: Network
    read: ArraysByRole
    X: Array
    Y: Array
    notes: tuple[str, ...] = ()

    @property
    def hides_a_penalised_bias(self) -> bool:
        """Whether every bias is 0, so that a regulariser which takes them in adds nothing."""
        network = self.network
        layout, is_weight = network.layout, network.convention.names.is_weight
        given = self.read.parameters
        if layout.absorbs_bias:
            biases = [layout.bias_of(array) for name, array in given.items() if is_weight(name) and array.ndim == 2]
        else:
            biases = [array for name, array in given.items() if not is_weight(name)]
        return bool(network.l2 and not network.convention.l2_bias and biases and not any(map(np.any, biases)))

    @cached_property
    def named(self) -> dict[str, Array] | None:
        """The given gradient per parameter; None if it has other shapes: then only a diagnosis can speak.

        What a narrow dtype leaves open, half a unit of it or a sum of such, is not held against it.
        """
        given, parameters = self.read.gradients, self.read.parameters
        if not isinstance(given, dict):
            assert given is not None
            if given.size != sum(p.size for p in parameters.values()):
                return None
            given = self.network.unpack(given)
        if any(given[name].shape != p.shape for name, p in parameters.items()):
            return None
        wide = {name: g.astype(np.float64) for name, g in given.items()}
        room = self.room
        return {
            name: np.where(np.abs(g - self.right[name]) <= room[name], self.right[name], g) if room else g
            for name, g in wide.items()
        }

    @cached_property
    def narrow(self) -> str | None:
        """The dtype of the given gradient's least precise array; None where it is float64."""
        given = self.read.gradients
        dtypes = {g.dtype for g in (given.values() if isinstance(given, dict) else [given]) if g is not None}
        return min((d.name for d in dtypes if d.itemsize < 8), key=lambda name: int(name[5:]), default=None)

    @cached_property
    def room(self) -> dict[str, Array] | None:
        """How far rounding in a narrow dtype may take each entry."""
        if self.narrow is None:
            return None
        return room_for_rounding(self.network, self.read.parameters, self.X, self.Y, self.narrow)

    @cached_property
    def blurred(self) -> str | None:
        """What a narrow dtype says nothing of: a parameter's gradient, or the regulariser; None if there is neither."""
        room, floor = self.room or {}, 1e-10 * float(np.linalg.norm(self.network.pack(self.right)))
        norms = {name: float(np.linalg.norm(self.right[name])) for name in room}
        wide = (n for n in room if np.linalg.norm(room[n]) > ENOUGH * norms[n] and norms[n] > floor)
        if (name := next(wide, None)) is not None:
            return f"the gradient with respect to {name}"
        if room and self.network.l2:
            plain = self.network.replace(l2=0.0).gradient(self.read.parameters, self.X, self.Y)
            if all((np.abs(self.right[n] - plain[n]) <= room[n]).all() for n in room):
                return "the regulariser's part"
        return None

    @cached_property
    def right(self) -> dict[str, Array]:
        """The gradient as the library computes it."""
        return self.network.gradient(self.read.parameters, self.X, self.Y)

    @property
    def is_near(self) -> bool:
        """Whether the given gradient is so near that a numerical check is worth its time."""
        if self.named is None:
            return False
        right, given = self.network.pack(self.right), self.network.pack(self.named)
        distance = float(np.linalg.norm(given - right))
        return distance <= _NEAR * float(np.linalg.norm(right)) + 1e-9 or self.printed is not None

    @cached_property
    def printed(self) -> Printed | None:
        """How the given gradient is the right one, printed with few digits; None if it is not."""
        if self.named is None:
            return None
        if isinstance(self.read.gradients, dict):
            pairs = [(given, self.right[name]) for name, given in self.named.items()]
        else:
            pairs = [(self.network.pack(self.named), self.network.pack(self.right))]
        found = [printed(given, right) for given, right in pairs]
        if any(piece is None for piece in found):
            return None
        pieces = [piece for piece in found if piece is not None and piece.half_unit]
        if not pieces:
            return None
        return Printed(min(p.digits for p in pieces), max(p.half_unit for p in pieces))

    def checked(self, given: Mapping[str, Array], directions: int | None, seed: int) -> GradientCheck:
        """The numerical check of a gradient."""
        return check_gradient(
            lambda p: self.network.value(p, self.X, self.Y),
            lambda p: {name: gradient.copy() for name, gradient in given.items()},
            self.read.parameters,
            directions=directions,
            protocol=False,
            seed=seed,
        )

    @property
    def holds_classes(self) -> bool:
        """Whether the targets of the file are labels, or 0 and 1 throughout."""
        Y = self.read.Y
        return Y is not None and (Y.size < self.Y.size or bool(np.isin(Y, (0, 1)).all()) or self.Y.ndim == 1)

    @property
    def text(self) -> str:
        """What the gradient is right or wrong as."""
        loss = self.network.loss
        factor = "" if loss.factor == 1 else f"{loss.factor:g} × "
        strength = f", λ = {self.network.l2:g}" if self.network.l2 else ""
        return f"{self.read.convention.name}'s {self.task} ({factor}{loss.name}{strength})"

    @property
    def option(self) -> str:
        """What to add to the command line for this task alone."""
        loss = self.network.loss
        return f"--task {self.task}" if self.read.convention.tasks else f"--loss {loss.name} --factor {loss.factor:g}"

    @property
    def key(self) -> tuple[Any, ...]:
        """What makes two objectives the same."""
        parts = tuple(part.name for part in self.network.chain.parts)
        return (*parts, self.network.loss.name, self.network.loss.factor, self.network.loss.reduction, self.Y.tobytes())
