"""How backpropagation through time goes wrong, in a recurrent layer that is one operation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import combinations

import numpy as np

from jacobians.arrays import Array, as_array
from jacobians.diagnosis.wrong_layer import WrongLayer
from jacobians.layers.recurrent import GRU, LSTM, RNN
from jacobians.linops import GatedRecurrence
from jacobians.linops.kernels import matmul

Back = tuple[Array, Array, Array]
"""What arrives at the gates' arguments of every step, at the first state and at the first cell."""

_ORDER = "Go from the last step to the first, and take the last step's gradient first."


@dataclass(frozen=True, slots=True, eq=False)
class _Changed:
    """A recurrence whose parts are changed; what is not named is right."""

    right: GatedRecurrence

    def by(self, of_steps: Callable[[Array], Array] | None = None, **parts: Array | None) -> GatedRecurrence:
        own = {name: getattr(self.right, name) for name in ("slopes", "keep", "output", "scales", "hold")}
        if of_steps is not None:
            own = {name: None if part is None else of_steps(part) for name, part in own.items()}
        return GatedRecurrence(**{"weights": self.right.weights, **own, "read": self.right.read, **parts})


def wrong_recurrences(op: RNN | LSTM | GRU, given: Mapping[str, Array]) -> Iterator[WrongLayer]:
    """Return the slips of a sequence's backward pass at its inputs."""
    states, every = op.whole(*given.values())
    right = every.recurrence
    changed = _Changed(right)

    def slip(name: str, title: str, mend: str, back: Callable[[Array], Back], of: tuple[str, ...] = ()) -> WrongLayer:
        def pull(cotangent: Array, name: str) -> Array:
            return as_array(every.handed_on(back(cotangent.transpose(every.axes)), (name,))[name])

        return WrongLayer(name, title, mend, {n: partial(pull, name=n) for n in of or given})

    for one, other in combinations(op.gates, 2) if len(op.gates) > 1 else ():
        swap = partial(_swapped, right, (op.gates.index(one), op.gates.index(other)))
        in_steps = changed.by(weights=swap(right.weights), scales=None if right.scales is None else swap(right.scales))
        title = f"the gradients of the gates {one} and {other} are in each other's place in {op.name}"
        mend = f"The gates lie in the order {op.gates!r}."
        weights = tuple(n for n in given if n.startswith(("W", "b")))
        for text, recurrence, of in (("", right, weights), (", in every step", in_steps, ())):
            yield slip("gates-swapped", title + text, mend, partial(_then, recurrence, swap), of)
    if states.shape[1] < 2:
        return
    turned = changed.by(_turned)
    for title, back in (
        ("steps meet the gradients in the reverse order", lambda c: right.back(_turned(c))),
        ("backward pass goes from the first step to the last", lambda c: _then(turned, _turned, _turned(c))),
        (
            "backward pass goes from the first step to the last, and takes the last step's gradient first",
            partial(_then, turned, _turned),
        ),
    ):
        yield slip("bptt-order", f"{op.name}'s {title}", _ORDER, back)
    mend = "What a step hands back to a state is added to what the loss gives it: dh = dH[:, t] + dh_before."
    title = "nothing goes back through its {} from one step to the step before in " + op.name
    yield slip("state-not-handed-back", title.format("state"), mend, partial(_without_state, changed))
    if right.keep is not None and right.output is not None:
        first_alone = right.keep * (np.arange(states.shape[1]) == 0)[:, None]
        cut = changed.by(keep=as_array(first_alone))
        yield slip("state-not-handed-back", title.format("cell"), mend, cut.back)
    if len(op.gates) == 1:
        title = f"Wh is not transposed in {op.name}'s backward pass"
        flat = changed.by(weights=as_array(right.weights.T))
        yield slip("weights-not-transposed", title, "h ↦ h Wh hands back dh = dz Whᵀ.", flat.back)

    def of_later(cotangent: Array) -> Array:
        arrived = right.back(cotangent.transpose(every.axes))[0]
        if right.scales is not None:
            arrived = as_array(arrived * right.scales)
        found = np.einsum("nth,ntg->hg", states, arrived)
        return found if found.shape == given["Wh"].shape and op._own_layout.weights == "columns" else found.T

    title = f"Wh's gradient in {op.name} is made of each step's own state, not of the state before"
    mend = "dWh = Σₜ hₜ₋₁ᵀ dzₜ: the state that entered the step."
    yield WrongLayer("state-after-for-before", title, mend, {"Wh": of_later})


def _turned(of_steps: Array) -> Array:
    """The last step first."""
    return as_array(of_steps[:, ::-1])


def _then(recurrence: GatedRecurrence, change: Callable[[Array], Array], cotangent: Array) -> Back:
    """Change what arrives at the gates' arguments."""
    arrived, h, c = recurrence.back(cotangent)
    return change(arrived), h, c


def _swapped(recurrence: GatedRecurrence, pair: tuple[int, int], array: Array) -> Array:
    """Two gates in each other's place along the last axis."""
    gates, width = recurrence.slopes.shape[2:]
    order = np.arange(gates)
    order[list(pair)] = pair[::-1]
    return as_array(array.reshape(*array.shape[:-1], gates, width)[..., order, :].reshape(array.shape))


def _without_state(changed: _Changed, cotangent: Array) -> Back:
    """No step's gates hand anything back to the state before; the first step's hand it to the first state."""
    right = changed.right
    arrived, h, c = changed.by(weights=np.zeros_like(right.weights)).back(cotangent)
    first = arrived[:, 0] if right.scales is None else as_array(arrived[:, 0] * right.scales[:, 0])
    return arrived, as_array(h + matmul(first, right.weights.T)), c
