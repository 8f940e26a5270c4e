"""A recurrent layer over a sequence as one operation: all states from one loop, and their Jacobians around it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from jacobians.arrays import Array, DType, Shape, as_array
from jacobians.layers.axes import given_back, moved
from jacobians.linops import Broadcast, Commutation, Diagonal, GatedRecurrence, Jacobian, Kronecker, Reshape
from jacobians.linops.kernels import empty, matmul
from jacobians.linops.recurrence import Start, StepSlopes, back_through_time

Back = tuple[Array, Array, Array]
"""What arrives at the gates' arguments of every step, at the first state and at the first cell."""


@dataclass(frozen=True, slots=True, eq=False)
class Around:
    """The linear recurrence around the states of a sequence.

    Attributes
    ----------
    recurrence : callable
        Makes it, when it is first asked for.
    back : callable, optional
        Its way back, where that is had without the slopes of all steps in memory.
    """

    recurrence: Callable[[], GatedRecurrence]
    back: Callable[[Array], Back] | None = None


class WholeSequence:
    """The Jacobians of all states of a sequence: the linear recurrence after what each input adds to the gates.

    Parameters
    ----------
    around : Around
        Of the gates' arguments.
    axes : tuple of int
        The order of axes that takes X to (N, T, D). It is an attribute too.
    shapes : dict
        By input's name, its shape in the layer's layout.
    inputs : ndarray, shape (N·T, D)
    Wx : ndarray, shape (D, G·H)
    before : callable
        Makes the state before each step, (N·T, H).
    in_rows, in_columns : bool
        Whether the layout has the batch in rows, and the weights in columns.
    """

    def __init__(
        self,
        around: Around,
        axes: tuple[int, ...],
        shapes: dict[str, Shape],
        inputs: Array,
        Wx: Array,
        before: Callable[[], Array],
        *,
        in_rows: bool,
        in_columns: bool,
    ) -> None:
        self._around, self.axes, self._shapes = around, axes, shapes
        self._inputs, self._Wx, self._before = inputs, Wx, before
        self._in_rows, self._in_columns = in_rows, in_columns

    @cached_property
    def recurrence(self) -> GatedRecurrence:
        return self._around.recurrence()

    def around(self, recurrence: GatedRecurrence) -> WholeSequence:
        """Return the same inputs, shapes and axes around another recurrence."""
        other = copy(self)
        other.recurrence, other._around = recurrence, Around(lambda: recurrence)
        return other

    def by(self, name: str) -> Jacobian:
        """Return the Jacobian of the states with respect to one input."""
        recurrence, tail = self.recurrence, self._tail(name)
        start = recurrence.by(_start(name))
        return given_back(self.axes, start if tail is None else start @ tail)

    def pull(self, row: Any, names: Collection[str]) -> dict[str, Any]:
        """Return what arrives at some inputs, of one way back through time for all of them."""
        if isinstance(row, Jacobian):
            return {name: row @ self.by(name) for name in names}
        row = row.astype(np.result_type(row, self._dtype), copy=False).transpose(self.axes)
        back = self._around.back
        return self.handed_on(self.recurrence.back(row) if back is None else back(row), names)

    @property
    def _dtype(self) -> DType:
        return self._Wx.dtype

    def handed_on(self, back: Back, names: Collection[str]) -> dict[str, Any]:
        """Return what arrives at some inputs, of what arrives at the gates' arguments and at the first states."""
        arrived, found = dict(zip(("inputs", "h", "c"), back, strict=True)), {}
        for name in names:
            part, tail = arrived[_start(name)], self._tail(name)
            found[name] = part if tail is None else tail._vjp(part)
        return found

    def _tail(self, name: str) -> Jacobian | None:
        """What an input adds to the arguments of the gates, or how a first state lies; None where it is that itself."""
        shape, dtype = self._shapes[name], self._dtype
        if _start(name) != "inputs":
            return None if self._in_rows else Commutation(shape[0], shape[1], dtype)
        count, width = len(self._inputs), self._Wx.shape[1]
        steps = self._shapes["X"][self.axes[1]]
        every = (self._shapes["X"][self.axes[0]], steps, width)
        in_rows = Reshape(every, (count, width), dtype)
        tail: Jacobian
        if name == "X":
            ordered = (*every[:2], self._inputs.shape[1])
            tail = in_rows @ Kronecker(count, self._Wx.T) @ Reshape(self._inputs.shape, ordered, dtype)
            return moved(self.axes, tail, shape)
        if name in ("Wx", "Wh"):
            met = self._inputs if name == "Wx" else self._before()
            tail = in_rows @ Kronecker(met, width)
            if not self._in_columns:
                tail = tail @ Commutation(shape[0], shape[1], dtype)
        else:
            tail = Broadcast(every, shape, dtype)
        if name in ("Wh", "bh") and self._around.back is None and self.recurrence.scales is not None:
            return Diagonal(self.recurrence.scales) @ tail
        return tail


def _start(name: str) -> Start:
    return "h" if name == "h" else "c" if name == "c" else "inputs"


def states_before(first: Array, states: Array) -> Array:
    """Return the state before each step, (N·T, H), of the first one and all states (N, T, H)."""
    before = empty(states.shape, states.dtype, states, first)
    if states.shape[1]:
        before[:, 0] = first
        before[:, 1:] = states[:, :-1]
    return before.reshape(-1, states.shape[2])


def _step_by_step(shape: Shape, like: Array) -> Array:
    """Return a new array (N, T, …) in which each step lies together."""
    return empty((shape[1], shape[0], *shape[2:]), like.dtype, like).swapaxes(0, 1)


def sigmoid_of(z: Array, out: Array) -> None:
    """Write σ(z) = 1/(1 + exp(−z)) into an array, which may be z."""
    with np.errstate(over="ignore", under="ignore"):
        # by −1: NumPy 2.4's negative is wrong in place where entries lie 64 bytes apart
        np.exp(np.multiply(z, -1, out=out), out=out)
    out += 1
    np.reciprocal(out, out=out)


def _runs(gates: str, letters: str) -> list[slice]:
    """The runs of gates of these letters, as they lie side by side."""
    runs: list[slice] = []
    for place, letter in enumerate(gates):
        if letter in letters:
            joins = bool(runs) and runs[-1].stop == place
            runs[-1:] = [slice(runs[-1].start, place + 1)] if joins else [*runs[-1:], slice(place, place + 1)]
    return runs


def _kept(mask: Array | None, dtype: Any) -> Array | None:
    return None if mask is None else mask[:, :, None].astype(dtype)


def run_rnn(into: Array, h: Array, Wh: Array, mask: Array | None, states: Array) -> Around:
    """Write the states tanh(zₜ), zₜ = what X gives + hₜ₋₁ Wh; return what makes the linear recurrence around them."""
    for t in range(states.shape[1]):
        z = matmul(h, Wh)
        z += into[:, t]
        with np.errstate(under="ignore"):
            np.tanh(z, out=z)
        states[:, t] = z if mask is None else np.where(mask[:, t, None], z, h)
        h = states[:, t]

    def around() -> GatedRecurrence:
        slopes = as_array(1 - states * states)
        kept = _kept(mask, states.dtype)
        if kept is None:
            return GatedRecurrence(Wh, slopes[:, :, None])
        stays = np.broadcast_to(1 - kept, states.shape)
        return GatedRecurrence(Wh, as_array(slopes * kept)[:, :, None], keep=stays)

    return Around(around)


def run_lstm(into: Array, h: Array, c: Array, Wh: Array, mask: Array | None, states: Array, gates: str) -> Around:
    """Write the states of a long short-term memory, and the gates over what X gives; return what is around them."""
    count, steps, width = states.shape
    every = into.reshape(count, steps, 4, width)
    cells, squashed = (_step_by_step(states.shape, into) for _ in range(2))
    i, f, o, g = (gates.index(letter) for letter in "ifog")
    runs, first = _runs(gates, "ifo"), c
    for t in range(steps):
        z = matmul(h, Wh)
        own = every[:, t]
        own += z.reshape(count, 4, width)
        for run in runs:
            sigmoid_of(own[:, run], own[:, run])
        with np.errstate(under="ignore"):
            np.tanh(own[:, g], out=own[:, g])
            new = own[:, i] * own[:, g]
            new += own[:, f] * c
            cells[:, t] = new if mask is None else np.where(mask[:, t, None], new, c)
            c = cells[:, t]
            np.tanh(c, out=squashed[:, t])
            out = own[:, o] * squashed[:, t]
        states[:, t] = out if mask is None else np.where(mask[:, t, None], out, h)
        h = states[:, t]

    def slopes_of(t: int, slope: Array, output: Array) -> None:
        """Of the sigmoids a(1 − a) times what the gate multiplies; of g, 1 − g² times i. Of h by c, o(1 − tanh² c)."""
        own = every[:, t]
        np.subtract(1, own, out=slope)
        slope *= own
        slope[:, i] *= own[:, g]
        slope[:, f] *= cells[:, t - 1] if t else first
        slope[:, o] *= squashed[:, t]
        np.multiply(own[:, g], own[:, g], out=slope[:, g])
        np.subtract(1, slope[:, g], out=slope[:, g])
        slope[:, g] *= own[:, i]
        np.multiply(squashed[:, t], squashed[:, t], out=output)
        np.subtract(1, output, out=output)
        output *= own[:, o]

    def around() -> GatedRecurrence:
        slopes, output = _step_by_step(every.shape, every), _step_by_step(cells.shape, every)
        with np.errstate(under="ignore"):
            for t in range(steps):
                slopes_of(t, slopes[:, t], output[:, t])
        keep, hold = every[:, :, f], None
        kept = _kept(mask, states.dtype)
        if kept is not None and mask is not None:
            slopes *= kept[:, :, None]
            output, hold = output * kept, 1 - kept
            keep = np.where(mask[:, :, None], keep, states.dtype.type(1))
        return GatedRecurrence(Wh, slopes, as_array(keep), as_array(output), read=o, hold=hold)

    def back(cotangent: Array) -> Back:
        slope, output = empty((count, 4, width), every.dtype, every), empty((count, width), every.dtype, every)

        def at(t: int) -> StepSlopes:
            slopes_of(t, slope, output)
            return slope, output

        with np.errstate(under="ignore"):
            return back_through_time(cotangent, Wh, every.shape, at, every[:, :, f], o, None, None)

    return Around(around, back if mask is None else None)


def run_gru(into: Array, h: Array, Wh: Array, bias: Array, mask: Array | None, states: Array, gates: str) -> Around:
    """Write the states of a gated recurrent unit; return what makes the linear recurrence around them."""
    count, steps, width = states.shape
    every, before = (_step_by_step((count, steps, 3, width), into) for _ in range(2))
    r, z, n = (gates.index(letter) for letter in "rzn")
    runs, first = _runs(gates, "rz"), h
    for t in range(steps):
        through = matmul(h, Wh)
        through += bias
        own, given = every[:, t], into[:, t].reshape(count, 3, width)
        before[:, t] = through.reshape(count, 3, width)
        for run in runs:
            np.add(before[:, t, run], given[:, run], out=own[:, run])
            sigmoid_of(own[:, run], own[:, run])
        with np.errstate(under="ignore"):
            np.multiply(own[:, r], before[:, t, n], out=own[:, n])
            own[:, n] += given[:, n]
            np.tanh(own[:, n], out=own[:, n])
            new = h - own[:, n]
            new *= own[:, z]
            new += own[:, n]
        states[:, t] = new if mask is None else np.where(mask[:, t, None], new, h)
        h = states[:, t]

    def around() -> GatedRecurrence:
        with np.errstate(under="ignore"):
            reset, update, fresh = every[:, :, r], every[:, :, z], every[:, :, n]
            slopes, scales = (empty(every.shape, every.dtype, every) for _ in range(2))
            slopes[:, :, n] = (1 - update) * (1 - fresh * fresh)
            slopes[:, :, r] = slopes[:, :, n] * before[:, :, n] * (reset - reset * reset)
            old = states_before(first, states).reshape(states.shape)
            slopes[:, :, z] = (old - fresh) * (update - update * update)
        scales.fill(1)
        scales[:, :, n] = reset
        keep, kept = update, _kept(mask, states.dtype)
        if kept is not None and mask is not None:
            slopes *= kept[:, :, None]
            keep = np.where(mask[:, :, None], keep, states.dtype.type(1))
        return GatedRecurrence(Wh, slopes, as_array(keep), scales=scales.reshape(count, steps, 3 * width))

    return Around(around)


def in_common_dtype(arrays: Sequence[Array]) -> list[Array]:
    """Return the arrays in the dtype that holds all of them."""
    dtype = np.result_type(*arrays)
    return [array.astype(dtype, copy=False) for array in arrays]
