"""A backward pass whose parts can be replaced one by one: what a mutation of the right gradient alters.

The loss's row, one pullback for each factor of the chain, one for each parameter, and the regulariser's rows. Replace
one, and the error travels to the earlier layers by itself, as it does in the program that has the bug.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from jacobians.arrays import Array

__all__ = ["Backward", "Computed", "Gradients", "Pullback"]

Gradients: TypeAlias = dict[str, Array]
"""The gradient by every parameter's name."""

Pullback: TypeAlias = Callable[[Array], Array]
"""From the cotangent of an operation's output to that of one of its inputs."""


@dataclass(frozen=True, slots=True, eq=False)
class Backward:
    """One backward pass through a chain of operations.

    Attributes
    ----------
    delta : ndarray
        ∂loss/∂output, with the reduction's weight in it.
    flow : tuple of callable
        For each operation, the pullback to the input that flows through the chain.
    local : dict
        For each parameter, the pullback from its operation's output.
    owner : dict
        For each parameter, the position of its operation.
    penalty : dict
        For each parameter, the regulariser's gradient.
    after : tuple of callable
        What is done to the finished gradients, in order; each takes arrays that it may write to.
    before : tuple of callable
        The same, before the regulariser's rows are added.
    known : Computed, optional
        Another pass's results, taken over as far as the two passes are one.
    """

    delta: Array
    flow: tuple[Pullback, ...]
    local: Mapping[str, Pullback]
    owner: Mapping[str, int]
    penalty: Mapping[str, Array]
    after: tuple[Callable[[Gradients], Gradients], ...] = ()
    before: tuple[Callable[[Gradients], Gradients], ...] = ()
    known: Computed | None = None

    def gradient(self) -> Gradients:
        """Return the gradients by every parameter, as new arrays."""
        found = self._computed().data
        if self.before:
            found = {name: g.copy() for name, g in found.items()}
        for change in self.before:
            found = change(found)
        gradients = {name: found[name] + self.penalty[name] for name in self.owner}
        for change in self.after:
            gradients = change(gradients)
        return gradients

    def cotangents(self) -> list[Array]:
        """Return ∂loss/∂(output of each operation), in the operations' order."""
        return list(self._computed().cotangents)

    def remembered(self) -> Backward:
        """Return this pass with its results kept, so that passes made from it compute only what differs."""
        return replace(self, known=self._computed())

    def _computed(self) -> Computed:
        data: Gradients = {}
        cotangents = [self.delta]
        # the other pass's results, as long as the cotangent that arrives is its own
        known = self.known if self.known is not None and self.delta is self.known.origin.delta else None
        for position in reversed(range(len(self.flow))):
            for name, owner in self.owner.items():
                if owner != position:
                    continue
                if known is not None and self.local[name] is known.origin.local[name]:
                    data[name] = known.data[name]
                else:
                    data[name] = self.local[name](cotangents[-1])
            if position:
                pull = self.flow[position]
                known = known if known is not None and pull is known.origin.flow[position] else None
                cotangents.append(pull(cotangents[-1]) if known is None else known.cotangents[position - 1])
        return Computed(self, data, tuple(cotangents[::-1]))

    # --- one part replaced -----------------------------------------------------------------------

    def with_delta(self, delta: Array) -> Backward:
        """Return this pass with another derivative of the loss."""
        return replace(self, delta=delta)

    def with_flow(self, position: int, pull: Pullback) -> Backward:
        """Return this pass with one factor of the chain replaced."""
        return replace(self, flow=(*self.flow[:position], pull, *self.flow[position + 1 :]))

    def with_local(self, name: str, pull: Pullback) -> Backward:
        """Return this pass with one parameter's factor replaced."""
        return replace(self, local={**self.local, name: pull})

    def with_penalty(self, penalty: Mapping[str, Array]) -> Backward:
        """Return this pass with the regulariser's rows of some parameters replaced."""
        return replace(self, penalty={**self.penalty, **penalty})

    def then(self, change: Callable[[Gradients], Gradients], *, data: bool = False) -> Backward:
        """Return this pass with one more thing done to the finished gradients, or to the data's part of them."""
        if data:
            return replace(self, before=(*self.before, change))
        return replace(self, after=(*self.after, change))

    def then_to(self, names: tuple[str, ...], change: Callable[[Array], Array]) -> Backward:
        """Return this pass with the finished gradients of some parameters changed."""
        return self.then(lambda grads: {n: change(g) if n in names else g for n, g in grads.items()})


@dataclass(frozen=True, slots=True, eq=False)
class Computed:
    """A pass's results: the parameters' gradients without the regulariser, and the cotangents of all outputs.

    Attributes
    ----------
    origin : Backward
        Whose results they are.
    data : dict of ndarray
    cotangents : tuple of ndarray
        In the operations' order. Like `data`, not to be written to.
    """

    origin: Backward
    data: Gradients
    cotangents: tuple[Array, ...]
