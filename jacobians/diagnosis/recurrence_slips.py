"""How backpropagation through time goes wrong, in a recurrent layer that is one operation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from jacobians.arrays import Array, as_array
from jacobians.diagnosis.gate_slips import orders_of_gates, wrong_steps
from jacobians.diagnosis.wrong_layer import WrongLayer
from jacobians.layers.recurrent import GRU, LSTM, RNN
from jacobians.layers.whole_sequences import Back
from jacobians.linops import GatedRecurrence
from jacobians.linops.kernels import matmul

_ORDER = "Go from the last step to the first, and take the last step's gradient first."


@dataclass(frozen=True, slots=True, eq=False)
class _Changed:
    """A recurrence whose parts are changed; what is not named is right."""

    right: GatedRecurrence

    def by(self, of_steps: Callable[[Array], Array] | None = None, /, **parts: Array | None) -> GatedRecurrence:
        own = {name: getattr(self.right, name) for name in ("slopes", "keep", "output", "scales", "hold")}
        if of_steps is not None:
            own = {name: None if part is None else of_steps(part) for name, part in own.items()}
        return GatedRecurrence(**{"weights": self.right.weights, **own, "read": self.right.read, **parts})


def wrong_recurrences(op: RNN | LSTM | GRU, given: Mapping[str, Array]) -> Iterator[WrongLayer]:
    """Return the slips of a sequence's backward pass at its inputs."""
    states, every = op.whole(*given.values())
    right = every.recurrence
    changed = _Changed(right)

    def slip(
        name: str,
        title: str,
        mend: str,
        back: Callable[[Array], Back],
        of: tuple[str, ...] = (),
        around: GatedRecurrence = right,
    ) -> WrongLayer:
        sequence = every.around(around)
        once = _once(lambda cotangent: back(cotangent.transpose(every.axes)))

        def pull(cotangent: Array, name: str) -> Array:
            return as_array(sequence.handed_on(once(cotangent), (name,))[name])

        return WrongLayer(name, title, mend, {n: partial(pull, name=n) for n in of or given})

    weights = tuple(n for n in given if n.startswith(("W", "b")))
    for title, mend, order in orders_of_gates(op):
        swap, back_again = (partial(_reordered, right, o) for o in (order, tuple(map(int, np.argsort(order)))))
        scales = None if right.scales is None else back_again(right.scales)
        in_steps = changed.by(weights=back_again(right.weights), scales=scales)
        for text, recurrence, of in (("", right, weights), (", in every step", in_steps, ())):
            yield slip("gates-swapped", title + text, mend, partial(_then, recurrence, swap), of)
    for wrong in wrong_steps(op, given, states, every):
        recurrence = changed.by(**wrong.parts)
        yield slip(wrong.name, wrong.title, wrong.mend, recurrence.back, around=recurrence)
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
    title = f"{op.name}'s steps meet what the forward pass kept in the reverse order"
    mixed = slip("bptt-order", title, _ORDER, partial(_then, turned, _turned))
    in_place = slip("bptt-order", title, _ORDER, turned.back)  # each step's own place in X is right
    yield replace(mixed, pulls={**mixed.pulls, "X": in_place.pulls["X"]})
    yield from _of_one_step(op.name, partial(slip, "step-alone"), right, weights)
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


def _of_one_step(
    name: str, slip: Callable[..., WrongLayer], right: GatedRecurrence, weights: tuple[str, ...]
) -> Iterator[WrongLayer]:
    """The weights' gradients written over at every step, so that the step that is visited last is left."""
    mend = "Every step adds to the weights' gradients: dW += …, with dW = 0 before the loop."
    for said, place in (("first", 0), ("last", -1)):

        def alone(arrived: Array, place: int = place) -> Array:
            left = np.zeros_like(arrived)
            left[:, place] = arrived[:, place]
            return left

        every = "the weights and biases" if len(weights) > 3 else "the weights and the bias"
        for of, names in ((f"gradients of {every}", weights), *((f"gradient of {n}", (n,)) for n in weights)):
            verb = "are" if len(names) > 1 else "is"
            title = f"the {of} in {name} {verb} that of the {said} step alone, or written over (= for +=)"
            yield slip(title.replace("are that", "are those"), mend, partial(_then, right, alone), names)


def _once(function: Callable[[Array], Back]) -> Callable[[Array], Back]:
    """The function, which for several inputs of one cotangent is called once."""
    last: list[tuple[Array, Back]] = []

    def remembered(cotangent: Array) -> Back:
        if not last or last[0][0] is not cotangent:
            last[:] = [(cotangent, function(cotangent))]
        return last[0][1]

    return remembered


def _turned(of_steps: Array) -> Array:
    """The last step first."""
    return as_array(of_steps[:, ::-1])


def _then(recurrence: GatedRecurrence, change: Callable[[Array], Array], cotangent: Array) -> Back:
    """Change what arrives at the gates' arguments."""
    arrived, h, c = recurrence.back(cotangent)
    return change(arrived), h, c


def _reordered(recurrence: GatedRecurrence, order: tuple[int, ...], array: Array) -> Array:
    """The gates in another order along the last axis."""
    gates, width = recurrence.slopes.shape[2:]
    return as_array(array.reshape(*array.shape[:-1], gates, width)[..., order, :].reshape(array.shape))


def _without_state(changed: _Changed, cotangent: Array) -> Back:
    """No step's gates hand anything back to the state before; the first step's hand it to the first state."""
    right = changed.right
    arrived, h, c = changed.by(weights=np.zeros_like(right.weights)).back(cotangent)
    first = arrived[:, 0] if right.scales is None else as_array(arrived[:, 0] * right.scales[:, 0])
    return arrived, as_array(h + matmul(first, right.weights.T)), c
