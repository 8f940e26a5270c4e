"""Recurrent layers, one step and a sequence: their Jacobians are sums over the steps, and the vjp is BPTT."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar, final

import numpy as np
import numpy.typing as npt

from jacobians.arrays import Array, Shape, inverse_axes, of_graph
from jacobians.errors import ArgumentError, ShapeError
from jacobians.first_tries import written
from jacobians.graphs import Value
from jacobians.graphs.second_by_values import second_by_values
from jacobians.layers.axes import as_mask
from jacobians.layers.composed import Composed
from jacobians.layers.whole_sequences import (
    Around,
    WholeSequence,
    in_common_dtype,
    run_gru,
    run_lstm,
    run_rnn,
    states_before,
)
from jacobians.linops.kernels import empty, matmul
from jacobians.operations import Jacobians, sigmoid, tanh
from jacobians.operations.record import Makers
from jacobians.presets import AnyLayout, find_layout

__all__ = ["GRU", "LSTM", "RNN", "gru", "gru_step", "lstm", "lstm_step", "rnn", "rnn_step"]


class _Recurrent(Composed):
    """What RNN, LSTM and GRU share: where arrays lie, and the loop over the steps.

    Parameters
    ----------
    sequence : bool
        Whether X is a batch of sequences, and the value all states; else X is one step's batch, the value one state.
    mask : array_like of bool, shape (N, T), optional
        Which steps belong to an example; in the others its state stays as it is.
    gates : str
        The order in which the gates lie along the weights' outputs.
    steps : bool
        Whether a sequence of values becomes a graph of its steps, in which every state is a value, as an explanation or
        a diagnosis wants it; else it is one operation, which is several times faster.
    layout : Layout, Convention or str, optional
    """

    per_example = True
    reads = ("sequences", "weights")
    no_formula = "is one operation; with steps=True every step has its formulas"
    letters: ClassVar[str] = "h"
    states: ClassVar[int] = 1

    def __init__(
        self,
        *,
        sequence: bool = True,
        mask: npt.ArrayLike | None = None,
        gates: str = "",
        steps: bool = False,
        layout: AnyLayout | None = None,
    ) -> None:
        self.sequence, self.steps = sequence, steps
        self.mask = None if mask is None else as_mask(mask, self.name)
        self.gates = gates or self.letters
        if sorted(self.gates) != sorted(self.letters):
            raise ArgumentError(f"{self.name}: gates={gates!r}; expected the letters of {self.letters!r} in some order")
        self.layout = None if layout is None else find_layout(layout)

    @property
    def time_first(self) -> bool:
        """Whether X is a batch of sequences, and the layout has them time-first."""
        return self.sequence and self._own_layout.sequences == "time-first"

    # --- where arrays lie ------------------------------------------------------------------------

    def _shapes(self, *given: Shape) -> Mapping[str, Shape]:
        X, h = given[0], given[1]
        rank = 3 if self.sequence else 2
        if len(X) != rank or len(h) != 2:
            what = "a batch of sequences, three axes" if self.sequence else "one step's batch, a matrix"
            of_torch = "; torch's first state has an axis of layers: pass h[0]" if len(h) == 3 and h[0] == 1 else ""
            raise ShapeError(
                f"{self.name}: X has shape {X} and h {h}; expected {what}, and a matrix of states "
                f"({self._own_layout}, sequences {self._own_layout.sequences}){of_torch}"
            )
        layout = self._own_layout
        ordered = tuple(X[a] for a in layout.sequence_axes()) if self.sequence else self._as_rows(X)
        count, features, width = ordered[0], ordered[-1], self._as_rows(h)[1]
        outputs = width * len(self.letters)
        if self.mask is not None and self.mask.shape != ordered[:2]:
            raise ShapeError(f"{self.name}: the mask has shape {self.mask.shape}; expected (N, T) = {ordered[:2]}")
        state = layout.batch_shape(count, width)
        weights = {
            name: (rows, outputs) if layout.weights == "columns" else (outputs, rows)
            for name, rows in (("Wx", features), ("Wh", width))
        }
        biases = {name: (outputs,) for name in self.names if name.startswith("b")}
        return {"h": state} | ({"c": state} if self.states == 2 else {}) | weights | biases

    def _as_rows(self, shape: Shape) -> Shape:
        return shape if self._own_layout.batch == "rows" else shape[::-1]

    def _rows(self, value: Value) -> Value:
        """One example a row."""
        return value if self._own_layout.batch == "rows" else value.T

    def _by_outputs(self, W: Value) -> Value:
        """The weights as (in, out)."""
        return W if self._own_layout.weights == "columns" else W.T

    # --- as one operation ------------------------------------------------------------------------

    def __call__(self, *operands: Any) -> Any:
        """Return the value and its `Jacobians`; of values of a graph, see `jacobians.values`, a value."""
        value: Any = of_graph(operands)
        if value is None or self.steps or not self.sequence:
            return super().__call__(*operands)
        return value._apply(self, operands)

    def _evaluate(self, *arrays: Array) -> tuple[Array, Jacobians]:
        if self.steps or not self.sequence:
            return super()._evaluate(*arrays)
        states, every = self.whole(*arrays)
        makers: Makers = {name: partial(every.by, name) for name in self.names}
        value = states.transpose(inverse_axes(every.axes)).copy()
        second = partial(second_by_values, self._formula, self.names, arrays)
        return value, Jacobians(self.name, makers, self.layout, every.pull, second)

    def whole(self, *arrays: Array) -> tuple[Array, WholeSequence]:
        """Return the states of a sequence, (N, T, H), and their Jacobians as one operation."""
        shapes = {name: array.shape for name, array in zip(self.names, arrays, strict=True)}
        self._refuse_shapes([*shapes.values()])
        own = self._own_layout
        axes, in_rows = own.sequence_axes(), own.batch == "rows"
        X, *rest = in_common_dtype(arrays)
        starts = [state if in_rows else state.T for state in rest[: self.states]]
        Wx, Wh = (W if own.weights == "columns" else W.T for W in rest[self.states : self.states + 2])
        x = X.transpose(axes)
        inputs = x.reshape(x.shape[0] * x.shape[1], x.shape[2])
        # each step lies together, so that its gates can be written where what X gives was
        into = matmul(x.swapaxes(0, 1).reshape(inputs.shape), Wx)
        into = np.add(into, rest[self.states + 2], out=into)
        into = into.reshape(x.shape[1], x.shape[0], Wx.shape[1]).swapaxes(0, 1)
        states = empty((*x.shape[:2], Wh.shape[0]), into.dtype, into, starts[0])
        around = self._run(into, starts, Wh, rest[self.states + 3 :], states)
        return states, WholeSequence(
            around,
            axes,
            shapes,
            inputs,
            Wx,
            partial(states_before, starts[0], states),
            in_rows=in_rows,
            in_columns=own.weights == "columns",
        )

    @abstractmethod
    def _run(self, into: Array, starts: list[Array], Wh: Array, biases: list[Array], states: Array) -> Around:
        """Write the states, and return what makes the linear recurrence around them."""

    # --- as a graph of steps ---------------------------------------------------------------------

    def _formula(self, *inputs: Value) -> Value:
        X, *rest = inputs
        states = tuple(map(self._rows, rest[: self.states]))
        Wx, Wh, *biases = rest[self.states :]
        Wx, Wh = self._by_outputs(Wx), self._by_outputs(Wh)
        if not self.sequence:
            into = self._rows(X) @ Wx + biases[0]
            return self._rows(self._result(self._step(into, states, Wh, biases)))
        axes = self._own_layout.sequence_axes()
        into = X.transpose(axes) @ Wx + biases[0]  # of all steps in one product
        found = []
        for t in range(into.shape[1]):
            new = self._step(into[:, t], states, Wh, biases)
            if self.mask is not None:
                kept = self.mask[:, t, None]
                new = tuple(_where(kept, own, old) for own, old in zip(new, states, strict=True))
            states = new
            found.append(states[0])
        every: Value = _stack(found)
        return every.transpose(inverse_axes(axes))

    def _step(self, into: Value, states: tuple[Value, ...], Wh: Value, biases: list[Value]) -> tuple[Value, ...]:
        """The next states, from what X gives to every gate."""
        raise NotImplementedError

    def _result(self, states: tuple[Value, ...]) -> Value:
        return states[0]

    def _gate(self, all_gates: Value, letter: str) -> Value:
        width = all_gates.shape[1] // len(self.gates)
        place = self.gates.index(letter)
        return all_gates[:, place * width : (place + 1) * width]


def _where(kept: Array, own: Value, old: Value) -> Value:
    found: Any = np.where(kept, own, old)
    return found


def _stack(states: list[Value]) -> Value:
    found: Any = np.stack(states, axis=1)
    return found


@final
class RNN(_Recurrent):
    """(X, h, Wx, Wh, b) ↦ the states hₜ = tanh(xₜ Wx + hₜ₋₁ Wh + b).

    Examples
    --------
    >>> RNN(sequence=False)(np.ones((2, 3)), np.zeros((2, 2)), np.ones((3, 2)), np.ones((2, 2)), np.zeros(2))[0].shape
    (2, 2)
    """

    name = "rnn"
    inputs: ClassVar[tuple[str, ...]] = ("X", "h", "Wx", "Wh", "b")

    def _run(self, into: Array, starts: list[Array], Wh: Array, biases: list[Array], states: Array) -> Around:
        return run_rnn(into, starts[0], Wh, self.mask, states)

    def _step(self, into: Value, states: tuple[Value, ...], Wh: Value, biases: list[Value]) -> tuple[Value, ...]:
        return (tanh(into + states[0] @ Wh),)


@final
class LSTM(_Recurrent):
    """(X, h, c, Wx, Wh, b) ↦ the states of a long short-term memory.

    The gates are i, f, o = σ(…) and g = tanh(…) of xₜ Wx + hₜ₋₁ Wh + b. The cell is cₜ = f ∘ cₜ₋₁ + i ∘ g, and the
    state is hₜ = o ∘ tanh cₜ.

    Parameters
    ----------
    result : {"h", "c"}
        Of one step, which state is the value.
    sequence, mask, gates, layout
        The gates lie in the order "ifog" as in CS231n unless given; torch's and Keras' are "ifgo".

    Examples
    --------
    >>> state = np.zeros((2, 1))
    >>> LSTM()(np.ones((2, 4, 3)), state, state, np.ones((3, 4)), np.ones((1, 4)), np.zeros(4))[0].shape
    (2, 4, 1)
    """

    name = "lstm"
    inputs: ClassVar[tuple[str, ...]] = ("X", "h", "c", "Wx", "Wh", "b")
    letters = "ifog"
    states = 2

    def __init__(self, *, result: str = "h", **options: Any) -> None:
        super().__init__(**options)
        self.result = result

    def _run(self, into: Array, starts: list[Array], Wh: Array, biases: list[Array], states: Array) -> Around:
        return run_lstm(into, starts[0], starts[1], Wh, self.mask, states, self.gates)

    def _step(self, into: Value, states: tuple[Value, ...], Wh: Value, biases: list[Value]) -> tuple[Value, ...]:
        h, c = states
        gates = into + h @ Wh
        i, f, o = (sigmoid(self._gate(gates, letter)) for letter in "ifo")
        c = f * c + i * tanh(self._gate(gates, "g"))
        return o * tanh(c), c

    def _result(self, states: tuple[Value, ...]) -> Value:
        return states["hc".index(self.result)]


@final
class GRU(_Recurrent):
    """(X, h, Wx, Wh, b, bh) ↦ the states of a gated recurrent unit.

    The gates are r, z = σ(xₜ Wx + b + hₜ₋₁ Wh + bh). The state is hₜ = (1 − z) ∘ n + z ∘ hₜ₋₁ with
    n = tanh(xₜ Wx + b + r ∘ (hₜ₋₁ Wh + bh)). The reset gate r comes after the product, as in torch and in Keras
    (reset_after). The gates lie in torch's order "rzn" unless given; Keras' is "zrn".

    Examples
    --------
    >>> X, h, Wx, Wh, b = np.ones((2, 3)), np.zeros((2, 1)), np.ones((3, 3)), np.ones((1, 3)), np.zeros(3)
    >>> GRU(sequence=False)(X, h, Wx, Wh, b, b)[0].shape
    (2, 1)
    """

    name = "gru"
    inputs: ClassVar[tuple[str, ...]] = ("X", "h", "Wx", "Wh", "b", "bh")
    letters = "rzn"

    def _run(self, into: Array, starts: list[Array], Wh: Array, biases: list[Array], states: Array) -> Around:
        return run_gru(into, starts[0], Wh, biases[0], self.mask, states, self.gates)

    def _step(self, into: Value, states: tuple[Value, ...], Wh: Value, biases: list[Value]) -> tuple[Value, ...]:
        (h,) = states
        before = h @ Wh + biases[1]
        r, z = (sigmoid(self._gate(into, letter) + self._gate(before, letter)) for letter in "rz")
        n = tanh(self._gate(into, "n") + r * self._gate(before, "n"))
        return ((1 - z) * n + z * h,)


@written
def rnn_step(X: Any, h: Any, Wx: Any, Wh: Any, b: Any, *, layout: AnyLayout | None = None) -> Any:
    """Return the next state of a recurrent net, and its Jacobians.

    Parameters
    ----------
    X : array_like, shape (N, D), or (D, N) by the layout
    h : array_like, shape (N, H)
    Wx, Wh : array_like, shape (D, H) and (H, H); the transposes with the weights in rows
    b : array_like, shape (H,)
    layout : Layout, Convention or str, optional

    References
    ----------
    Stanford CS231n, assignment 3, rnn_step_forward.

    Examples
    --------
    >>> h, J = rnn_step(np.ones((2, 3)), np.zeros((2, 2)), np.ones((3, 2)), np.ones((2, 2)), np.zeros(2))
    >>> h.shape, J.Wx.shape
    ((2, 2), (4, 6))
    """
    return RNN(sequence=False, layout=layout)(X, h, Wx, Wh, b)


@written
def rnn(
    X: Any,
    h: Any,
    Wx: Any,
    Wh: Any,
    b: Any,
    *,
    mask: npt.ArrayLike | None = None,
    steps: bool = False,
    layout: AnyLayout | None = None,
) -> Any:
    """Return all states of a recurrent net over sequences, and their Jacobians, whose vjp is BPTT.

    Parameters
    ----------
    X : array_like, shape (N, T, D), or (T, N, D), (D, T, N) or (D, N, T) by the layout
    h : array_like, shape (N, H)
        The first state.
    Wx, Wh, b
        As in `rnn_step`.
    mask : array_like of bool, shape (N, T), optional
        Which steps belong to an example; in the others its state stays.
    steps : bool
        Whether each step of values of a graph is values of its own, whose formulas `explain` writes. Without it
        the sequence is one operation, which is several times faster.
    layout : Layout, Convention or str, optional

    References
    ----------
    Stanford CS231n, assignment 3, rnn_forward; Werbos (1990), *Backpropagation through time*, Proc. IEEE 78.

    Examples
    --------
    >>> X, h = np.ones((2, 4, 3)), np.zeros((2, 2))
    >>> states, J = rnn(X, h, np.ones((3, 2)), np.ones((2, 2)), np.zeros(2))
    >>> states.shape, J.h.shape
    ((2, 4, 2), (16, 4))
    """
    return RNN(mask=mask, steps=steps, layout=layout)(X, h, Wx, Wh, b)


@written
def lstm_step(
    X: Any, h: Any, c: Any, Wx: Any, Wh: Any, b: Any, *, gates: str = "ifog", layout: AnyLayout | None = None
) -> Any:
    """Return the next state h of an LSTM with its Jacobians, and the next cell c with its own.

    Parameters
    ----------
    X : array_like, shape (N, D), or (D, N) by the layout
    h, c : array_like, shape (N, H)
    Wx, Wh : array_like, shape (D, 4H) and (H, 4H); the transposes with the weights in rows
    b : array_like, shape (4H,)
    gates : str
        Their order along the 4H outputs.
    layout : Layout, Convention or str, optional

    References
    ----------
    Hochreiter & Schmidhuber (1997), *Long short-term memory*; Stanford CS231n, assignment 3, lstm_step_forward.

    Examples
    --------
    >>> state = np.zeros((2, 1))
    >>> (h, J), (c, K) = lstm_step(np.ones((2, 3)), state, state, np.ones((3, 4)), np.ones((1, 4)), np.zeros(4))
    >>> h.shape, J.c.shape
    ((2, 1), (2, 2))
    """
    found = [
        LSTM(sequence=False, result=result, gates=gates, layout=layout)(X, h, c, Wx, Wh, b) for result in ("h", "c")
    ]
    return tuple(found)


@written
def lstm(
    X: Any,
    h: Any,
    c: Any,
    Wx: Any,
    Wh: Any,
    b: Any,
    *,
    mask: npt.ArrayLike | None = None,
    gates: str = "ifog",
    steps: bool = False,
    layout: AnyLayout | None = None,
) -> Any:
    """Return all states h of an LSTM over sequences, and their Jacobians, whose vjp is BPTT. See `rnn`.

    Examples
    --------
    >>> state = np.zeros((2, 1))
    >>> h, J = lstm(np.ones((2, 4, 3)), state, state, np.ones((3, 4)), np.ones((1, 4)), np.zeros(4))
    >>> h.shape, J.c.shape
    ((2, 4, 1), (8, 2))
    """
    return LSTM(mask=mask, gates=gates, steps=steps, layout=layout)(X, h, c, Wx, Wh, b)


@written
def gru_step(
    X: Any, h: Any, Wx: Any, Wh: Any, b: Any, bh: Any, *, gates: str = "rzn", layout: AnyLayout | None = None
) -> Any:
    """Return the next state of a GRU and its Jacobians. See `GRU` (Cho et al. 2014, arXiv:1406.1078).

    Parameters
    ----------
    X : array_like, shape (N, D), or (D, N) by the layout
    h : array_like, shape (N, H)
    Wx, Wh : array_like, shape (D, 3H) and (H, 3H); the transposes with the weights in rows
    b, bh : array_like, shape (3H,)
        Beside X's product, and beside the state's.
    gates : str
        Their order along the 3H outputs.
    layout : Layout, Convention or str, optional

    Examples
    --------
    >>> h, J = gru_step(np.ones((2, 3)), np.zeros((2, 1)), np.ones((3, 3)), np.ones((1, 3)), np.zeros(3), np.zeros(3))
    >>> h.shape
    (2, 1)
    """
    return GRU(sequence=False, gates=gates, layout=layout)(X, h, Wx, Wh, b, bh)


@written
def gru(
    X: Any,
    h: Any,
    Wx: Any,
    Wh: Any,
    b: Any,
    bh: Any,
    *,
    mask: npt.ArrayLike | None = None,
    gates: str = "rzn",
    steps: bool = False,
    layout: AnyLayout | None = None,
) -> Any:
    """Return all states of a GRU over sequences, and their Jacobians, whose vjp is BPTT. See `rnn` and `gru_step`.

    Examples
    --------
    >>> X, h = np.ones((2, 4, 3)), np.zeros((2, 1))
    >>> gru(X, h, np.ones((3, 3)), np.ones((1, 3)), np.zeros(3), np.zeros(3))[0].shape
    (2, 4, 1)
    """
    return GRU(mask=mask, gates=gates, steps=steps, layout=layout)(X, h, Wx, Wh, b, bh)
