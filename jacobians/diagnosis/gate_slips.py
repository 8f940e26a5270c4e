"""How the step of a recurrent layer is differentiated wrongly: another function's slope, a state of another step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from jacobians.arrays import Array, as_array
from jacobians.layers.recurrent import GRU, LSTM, RNN
from jacobians.layers.whole_sequences import WholeSequence, sigmoid_of
from jacobians.linops import GatedRecurrence

Parts = Mapping[str, Array | None]
"""What is changed of the linear recurrence, by the names of its parts."""


@dataclass(frozen=True, slots=True, eq=False)
class WrongStep:
    """One slip of the step's derivative, the same in every step.

    Attributes
    ----------
    name, title, mend : str
        As for `Slip`.
    parts : dict
        Of the linear recurrence, what is changed.
    """

    name: str
    title: str
    mend: str
    parts: Parts


def wrong_steps(
    op: RNN | LSTM | GRU, given: Mapping[str, Array], states: Array, every: WholeSequence
) -> Iterator[WrongStep]:
    """Return the slips of a layer's step at its inputs; `states` (N, T, H) and `every` are what `op.whole` gives."""
    before = every._before().reshape(states.shape)
    match op:
        case RNN():
            yield from _of_rnn(op, _Step(op, every.recurrence), states, before)
        case LSTM():
            z = _arguments(op, given, every, states.shape)
            yield from _of_lstm(op, _Step(op, every.recurrence), z, given)
        case GRU():
            yield from _of_gru(op, given, every, before)


def orders_of_gates(op: RNN | LSTM | GRU) -> Iterator[tuple[str, str, tuple[int, ...]]]:
    """Return every wrong order of the gates, what is said of it, and where in the right order each one's gradient is.

    Those in which two gates change places come first.
    """
    places = range(len(op.gates))
    found = [order for order in permutations(places) if order != tuple(places)]
    for order in sorted(found, key=lambda order: sum(a != b for a, b in zip(order, places, strict=True))):
        moved = [op.gates[a] for a in places if order[a] != a]
        if len(moved) == 2:
            said = f"the gradients of the gates {moved[0]} and {moved[1]} are in each other's place in {op.name}"
        else:
            said = f"the gradients of the gates lie in the order {''.join(op.gates[a] for a in order)!r} in {op.name}"
        yield said, f"The gates lie in the order {op.gates!r}.", order


@dataclass(frozen=True, slots=True, eq=False)
class _Step:
    """The slopes of a layer's gates, of which some are changed."""

    op: RNN | LSTM | GRU
    right: GatedRecurrence

    def slopes(self, **by_letter: Array) -> Parts:
        """The slopes with those of some gates in place of the right ones; a masked step has none."""
        slopes = self.right.slopes.copy()
        for letter, slope in by_letter.items():
            slopes[:, :, self.op.gates.index(letter)] = self.masked(slope)
        return {"slopes": slopes}

    def masked(self, array: Array, otherwise: float = 0.0) -> Array:
        mask = self.op.mask
        return array if mask is None else as_array(np.where(mask[:, :, None], array, otherwise))


def _arguments(op: LSTM | GRU, given: Mapping[str, Array], every: WholeSequence, shape: Sequence[int]) -> Array:
    """What the inputs, the states and the first bias add up to at each gate, (N, T, G, H)."""
    z = every._inputs @ every._Wx + given["b"]
    if op.name == "lstm":
        z = z + every._before() @ every.recurrence.weights
    return as_array(z.reshape(*shape[:2], len(op.gates), shape[2]))


def _gate(op: LSTM | GRU, z: Array, letter: str) -> Array:
    own = z[:, :, op.gates.index(letter)]
    if letter in "gn":
        return as_array(np.tanh(own))
    found = np.empty_like(own)
    sigmoid_of(own, found)
    return found


_SIGMOID, _TANH = "σ′ = σ (1 − σ)", "tanh′ = 1 − tanh²"


def _wrong_slopes(step: _Step, met: Mapping[str, tuple[Array, Array]]) -> Iterator[WrongStep]:
    """Each gate's slope taken for the other function's, or left out; by letter the gate, and what its slope meets."""
    name = step.op.name
    squashing = {letter: letter in "gn" for letter in met}
    other = {n: by * (a * (1 - a) if squashing[n] else 1 - a * a) for n, (a, by) in met.items()}
    sigmoids = [n for n in met if not squashing[n]]
    for letters in [[n] for n in met] + [sigmoids] * (len(sigmoids) > 1):
        right, wrong = (_TANH, "σ") if squashing[letters[0]] else (_SIGMOID, "tanh")
        of = f"gate {letters[0]}" if len(letters) == 1 else f"gates {', '.join(letters)}"
        mend = f"{right}, of the gate's value."
        title = f"the slope of the {of} in {name} is that of {wrong}"
        yield WrongStep("slope-of-other-function", title, mend, step.slopes(**{n: other[n] for n in letters}))
    for letters in [[n] for n in met] + [[*met]]:
        of = f"gate {letters[0]}" if len(letters) == 1 else "gates"
        title = f"the slope{'s' * (len(letters) > 1)} of the {of} {'are' if len(letters) > 1 else 'is'} left out"
        mend = f"Multiply by the slopes: {_SIGMOID}, {_TANH}."
        yield WrongStep("slope-left-out", f"{title} in {name}", mend, step.slopes(**{n: met[n][1] for n in letters}))


def _of_rnn(op: RNN, step: _Step, states: Array, before: Array) -> Iterator[WrongStep]:
    mend = "h = tanh z: dz = dh ∘ (1 − h²), with the state h that the step gave."
    for name, title, slope in (
        ("state-before-for-after", "is made of the state before the step, not after it", 1 - before * before),
        ("tanh-twice", "is that of tanh at h, not at z: 1 − tanh² h", 1 - np.tanh(states) ** 2),
        ("slope-left-out", "is left out", np.ones_like(states)),
        ("slope-of-other-function", "is that of σ: h (1 − h)", states * (1 - states)),
    ):
        parts = {"slopes": step.masked(as_array(slope))[:, :, None]}
        yield WrongStep(name, f"the slope of tanh {title}, in {op.name}", mend, parts)


def _of_lstm(op: LSTM, step: _Step, z: Array, given: Mapping[str, Array]) -> Iterator[WrongStep]:
    i, f, o, g = (_gate(op, z, letter) for letter in "ifog")
    first = given["c"] if op._own_layout.batch == "rows" else given["c"].T
    cells, old = np.empty_like(i), np.empty_like(i)
    c = first
    for t in range(i.shape[1]):
        old[:, t] = c
        c = as_array(f[:, t] * c + i[:, t] * g[:, t])
        cells[:, t] = c = c if op.mask is None else as_array(np.where(op.mask[:, t, None], c, old[:, t]))
    squashed = np.tanh(cells)
    yield from _wrong_slopes(step, {"i": (i, g), "f": (f, old), "o": (o, squashed), "g": (g, i)})
    mend = "c = f ∘ c_before + i ∘ g hands back dc_before = dc ∘ f."
    for said, keep in (("dc ∘ i, not dc ∘ f", i), ("dc ∘ o, not dc ∘ f", o), ("dc, not dc ∘ f", np.ones_like(f))):
        parts: Parts = {"keep": step.masked(keep, 1.0)}
        yield WrongStep("cell-by-wrong-gate", f"the cell before gets {said}, in {op.name}", mend, parts)
    mend = "h = o ∘ tanh c: the cell gets dh ∘ o ∘ (1 − tanh² c) beside what the step after hands it."
    for name, said, output in (
        ("tanh-forgotten", "1 − c², without its tanh", o * (1 - cells * cells)),
        ("slope-left-out", "1: the slope of tanh is left out", o),
        ("state-before-for-after", "1 − tanh² of the cell before the step", o * (1 - np.tanh(old) ** 2)),
        ("cell-lacks-state", "0: it gets nothing from the state", np.zeros_like(o)),
    ):
        title = f"what the cell gets from the state is dh ∘ o times {said}, in {op.name}"
        yield WrongStep(name, title, mend, {"output": step.masked(as_array(output))})
    title, mend = f"the forget gate meets the cell after the step, not before it, in {op.name}", "df = dc ∘ c_before."
    yield WrongStep("state-after-for-before", title, mend, step.slopes(f=as_array(cells * f * (1 - f))))
    title, mend = f"the output gate meets the cell, not its tanh, in {op.name}", "do = dh ∘ tanh c."
    yield WrongStep("tanh-forgotten", title, mend, step.slopes(o=as_array(cells * o * (1 - o))))


def _of_gru(op: GRU, given: Mapping[str, Array], every: WholeSequence, before: Array) -> Iterator[WrongStep]:
    step = _Step(op, every.recurrence)
    scales = every.recurrence.scales
    assert scales is not None
    through = (every._before() @ every.recurrence.weights + given["bh"]).reshape(*before.shape[:2], 3, -1)
    z = _arguments(op, given, every, before.shape)
    reset, at_new = op.gates.index("r"), op.gates.index("n")
    summed = as_array(z + through)
    r, u = (_gate(op, summed, letter) for letter in "rz")
    summed[:, :, at_new] = z[:, :, at_new] + r * through[:, :, at_new]
    n = _gate(op, summed, "n")
    from_state = through[:, :, at_new]
    at_n = (1 - u) * (1 - n * n)
    yield from _wrong_slopes(step, {"r": (r, as_array(at_n * from_state)), "z": (u, as_array(before - n))})
    mend = "h = (1 − z) ∘ n + z ∘ h_before: dn = dh ∘ (1 − z), dz = dh ∘ (h_before − n), and h_before gets dh ∘ z."

    def of_new(slope: Array) -> Parts:
        return step.slopes(n=slope, r=as_array(slope * from_state * r * (1 - r)))

    swapped = of_new(as_array(u * (1 - n * n)))
    keep: Parts = {"keep": step.masked(as_array(1 - u), 1.0)}
    for name, said, parts in (
        ("update-gate-turned", "the state before gets dh ∘ (1 − z), not dh ∘ z", keep),
        ("update-gate-turned", "the new state gets dh ∘ z, not dh ∘ (1 − z)", swapped),
        ("update-gate-turned", "z and 1 − z are in each other's place", {**swapped, **keep}),
        ("update-gate-turned", "z meets n − h_before, not h_before − n", step.slopes(z=(n - before) * u * (1 - u))),
        ("slope-of-other-function", "the slope of the new state is that of σ", of_new((1 - u) * n * (1 - n))),
        ("slope-left-out", "the slope of the new state is left out", of_new(as_array(1 - u))),
    ):
        yield WrongStep(name, f"{said}, in {op.name}", mend, parts)
    without = np.ones_like(scales)
    mend = "n = tanh(x Wx + b + r ∘ (h Wh + bh)): what goes back to h Wh + bh is multiplied by r."
    title = f"the reset gate is forgotten on the way back to the state and its weights, in {op.name}"
    yield WrongStep("reset-gate-forgotten", title, mend, {"scales": without})
    title, mend = f"the reset gate meets the state, not h Wh + bh, in {op.name}", "dr = dn ∘ (h Wh + bh)."
    slope = step.slopes(r=as_array(at_n * before * r * (1 - r)))
    yield WrongStep("reset-gate-by-state", title, mend, slope)
    assert reset != at_new
