"""A recurrence of gates: what is changed at every step ↦ the change of all states, whose vjp is backprop in time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from jacobians.arrays import Array, Shape, as_array
from jacobians.errors import DomainError, ShapeError
from jacobians.linops.jacobian import Jacobian
from jacobians.linops.kernels import empty, matmul, zeros
from jacobians.linops.leaves import Sparse
from jacobians.linops.nonzeros import Nonzeros
from jacobians.linops.wrappers import Transposed

Start = Literal["inputs", "h", "c"]
"""What is changed: what enters the gates at every step, the first state, or the first cell."""


StepSlopes = tuple[Array, Array | None]
"""The slopes of a step's gates, (N, G, H), and how much of its cell the state lets out, (N, H)."""


def back_through_time(
    cotangent: Array,
    weights: Array,
    shape: Shape,
    at: Callable[[int], StepSlopes],
    keep: Array | None,
    read: int | None,
    scales: Array | None,
    hold: Array | None,
) -> tuple[Array, Array, Array]:
    """Return what arrives at the gates' arguments of every step, at the first state and at the first cell.

    Parameters
    ----------
    cotangent : ndarray, shape (…, N, T, H)
    weights, keep, read, scales, hold
        As of `GatedRecurrence`.
    shape : tuple of int
        (N, T, G, H).
    at : callable
        Returns the slopes of a step. They are read before it is called for another.
    """
    count, steps, gates, width = shape
    stack = cotangent.shape[: cotangent.ndim - 3]
    deltas = empty((*stack, count, steps, gates, width), cotangent.dtype, cotangent, weights)
    turned = weights.T
    h = c = zeros((*stack, count, width), cotangent)
    lets_out = False
    for t in reversed(range(steps)):
        slopes, output = at(t)
        lets_out = output is not None
        at_state = as_array(cotangent[..., t, :] + h)
        at_cell = at_state
        if output is not None:
            at_cell = as_array(at_state * output)
            at_cell += c
        delta = deltas[..., t, :, :]
        np.multiply(at_cell[..., None, :], slopes, out=delta)
        if read is not None:
            np.multiply(at_state, slopes[:, read], out=delta[..., read, :])
        given = delta.reshape(*stack, count, gates * width)
        if scales is not None:
            given = as_array(given * scales[:, t])
        h = matmul(given, turned)
        if hold is not None:
            h = as_array(h + hold[:, t] * at_state)
        if keep is not None:
            c = as_array(at_cell * keep[:, t])
            if output is None:
                h += c
    return deltas.reshape(*stack, count, steps, gates * width), h, c if lets_out else h


class GatedRecurrence(Jacobian):
    r"""U ↦ the change of the states of a recurrence, step by step: :math:`(I - \text{shift} \cdot \text{step})^{-1}`.

    With u what is added to the gates' arguments at step t, the linear recurrence is

    .. math::

        dz_t = u_t + \rho_t \circ (dh_{t-1} W), \quad
        dc_t = \sum_g a_{tg} \circ dz_{tg} + e_t \circ dc_{t-1}, \quad
        dh_t = q_t \circ dc_t + a_{to} \circ dz_{to} + k_t \circ dh_{t-1},

    which the jvp runs forward, and the vjp backward: back substitution, which is backpropagation through time. Without
    q the state is the cell, h = c.

    Parameters
    ----------
    weights : ndarray, shape (H, G·H)
        W, from a state to the arguments of G gates.
    slopes : ndarray, shape (N, T, G, H)
        a.
    keep : ndarray, shape (N, T, H), optional
        e, how much of a cell stays.
    output : ndarray, shape (N, T, H), optional
        q.
    read : int, optional
        The gate o, whose slope counts for h and not for c.
    scales : ndarray, shape (N, T, G·H), optional
        ρ; 1 unless given.
    hold : ndarray, shape (N, T, 1), optional
        k: 1 where a state stays as it is.
    start : {"inputs", "h", "c"}

    Raises
    ------
    ShapeError
        If the arrays do not fit each other.

    References
    ----------
    Werbos (1990), *Backpropagation through time*, Proc. IEEE 78; Edelman, Akyürek & Wang (2023), *Backpropagation
    through back substitution with a backslash*, arXiv:2303.15449.

    Examples
    --------
    >>> J = GatedRecurrence(np.array([[0.5]]), np.ones((1, 3, 1, 1)))       # hₜ = uₜ + ½ hₜ₋₁
    >>> J
    GatedRecurrence(3 steps, 1 gate of 1): 3×3 float64, (1, 3, 1) → (1, 3, 1), 32 B
    >>> J.to_dense()
    array([[1.  , 0.  , 0.  ],
           [0.5 , 1.  , 0.  ],
           [0.25, 0.5 , 1.  ]])
    """

    __slots__ = ("hold", "keep", "output", "read", "scales", "slopes", "start", "weights")
    _rule = ("back through time", "Each step hands back to the step before what arrives at its state")

    def __init__(
        self,
        weights: Array,
        slopes: Array,
        keep: Array | None = None,
        output: Array | None = None,
        read: int | None = None,
        scales: Array | None = None,
        hold: Array | None = None,
        start: Start = "inputs",
    ) -> None:
        width = weights.shape[0]
        if slopes.ndim != 4 or weights.shape != (slopes.shape[3], slopes.shape[2] * slopes.shape[3]):
            raise ShapeError(
                f"GatedRecurrence: the weights have shape {weights.shape}, the slopes {slopes.shape}; expected "
                "(H, G·H) and (N, T, G, H)"
            )
        count, steps, gates, _ = slopes.shape
        for name, array, expected in (
            ("keep", keep, (count, steps, width)),
            ("output", output, (count, steps, width)),
            ("scales", scales, (count, steps, gates * width)),
            ("hold", hold, (count, steps, 1)),
        ):
            if array is not None and array.shape != expected:
                raise ShapeError(f"GatedRecurrence: {name} has shape {array.shape}; expected {expected}")
        self.weights, self.slopes, self.keep, self.output, self.read = weights, slopes, keep, output, read
        self.scales, self.hold, self.start = scales, hold, start
        domain = (count, steps, gates * width) if start == "inputs" else (count, width)
        super().__init__((count, steps, width), domain, slopes.dtype)

    def by(self, start: Start) -> GatedRecurrence:
        """Return the Jacobian of the same states with respect to something else."""
        return GatedRecurrence(
            self.weights, self.slopes, self.keep, self.output, self.read, self.scales, self.hold, start
        )

    def system(self) -> Sparse:
        r"""Return :math:`I - \text{shift} \cdot \text{step}`, block bidiagonal, where the cell is the state.

        The recurrence solves this system: its matrix times the inverse of this one is the step alone.

        Raises
        ------
        DomainError
            If the state is not the cell, as in an LSTM.

        Examples
        --------
        >>> J = GatedRecurrence(np.array([[0.5]]), np.ones((1, 3, 1, 1)))
        >>> J.system().to_dense()
        array([[ 1. ,  0. ,  0. ],
               [-0.5,  1. ,  0. ],
               [ 0. , -0.5,  1. ]])
        """
        from scipy.sparse import csr_array

        if self.output is not None:
            raise DomainError("GatedRecurrence.system: the state is not the cell; it is written for an RNN and a GRU")
        count, steps, gates, width = self.slopes.shape
        slopes = self.slopes
        if self.scales is not None:
            slopes = as_array(slopes * self.scales.reshape(slopes.shape))
        step = np.einsum("ntgi,jgi->ntji", slopes, self.weights.reshape(width, gates, width))
        if self.keep is not None:
            step += self.keep[:, :, None, :] * np.eye(width, dtype=step.dtype)
        place = np.arange(count * steps * width).reshape(count, steps, width)
        later = np.broadcast_to(place[:, 1:, None, :], step[:, 1:].shape).ravel()
        earlier = np.broadcast_to(place[:, :-1, :, None], step[:, 1:].shape).ravel()
        rows, columns = (np.concatenate((place.ravel(), others)) for others in (later, earlier))
        entries = np.concatenate((np.ones(place.size, step.dtype), -step[:, 1:].ravel()))
        return Sparse(csr_array((entries, (rows, columns)), shape=(place.size,) * 2), self.codomain, self.codomain)

    def _jvp(self, tangent: Array) -> Array:
        stack = tangent.shape[: tangent.ndim - len(self.domain)]
        out = empty(stack + self.codomain, tangent.dtype, tangent, self.slopes)
        h = tangent if self.start == "h" else None
        c = tangent if self.start == ("h" if self.output is None else "c") else None
        for t in range(self.codomain[1]):
            z = tangent[..., t, :] if self.start == "inputs" else None
            if h is not None:
                through = matmul(h, self.weights)
                if self.scales is not None:
                    through = as_array(through * self.scales[:, t])
                z = through if z is None else as_array(z + through)
            h, c = self._forward(t, z, h, c)
            out[..., t, :] = h
        return out

    def _forward(self, t: int, z: Array | None, h: Array | None, c: Array | None) -> tuple[Array, Array]:
        """The change of state and cell at a step, from that of the gates' arguments and of what was before."""
        _, _, gates, width = self.slopes.shape
        new = None if c is None or self.keep is None else as_array(c * self.keep[:, t])
        read = None
        if z is not None:
            moved = z.reshape(*z.shape[:-1], gates, width) * self.slopes[:, t]
            if self.read is not None:
                read = moved[..., self.read, :]
            into = as_array(moved.sum(axis=-2) if read is None else moved.sum(axis=-2) - read)
            new = into if new is None else as_array(new + into)
        if new is None:
            assert c is not None
            new = zeros(c.shape, c)
        if self.output is None:
            return new, new
        out = new * self.output[:, t]
        if read is not None:
            out = out + read
        if self.hold is not None and h is not None:
            out = out + self.hold[:, t] * h
        return as_array(out), new

    def _vjp(self, cotangent: Array) -> Array:
        return self.back(cotangent)[("inputs", "h", "c").index(self.start)]

    def back(self, cotangent: Array) -> tuple[Array, Array, Array]:
        """Return what arrives at the gates' arguments of every step, at the first state and at the first cell."""
        slopes, output = self.slopes, self.output

        def at(t: int) -> StepSlopes:
            return slopes[:, t], None if output is None else output[:, t]

        parts = self.keep, self.read, self.scales, self.hold
        return back_through_time(cotangent, self.weights, slopes.shape, at, *parts)

    def _transpose(self) -> Jacobian:
        return Transposed(self)

    def _keeps_examples(self, axis: int) -> bool:
        return axis == 0

    def _nonzeros(self) -> Nonzeros:
        """Each step depends on itself and on the steps before it: a block triangle for each of N examples."""
        count, steps, _gates, width = self.slopes.shape
        return Nonzeros.of(count).kron(Nonzeros.full((steps * width, self.shape[1] // max(count, 1))))

    @property
    def structure(self) -> str:
        _, steps, gates, width = self.slopes.shape
        by = "" if self.start == "inputs" else f" by the first {self.start}"
        return f"GatedRecurrence({steps} step{'s' * (steps != 1)}, {gates} gate{'s' * (gates != 1)} of {width}{by})"

    @property
    def flops(self) -> int:
        count, steps, gates, width = self.slopes.shape
        return 2 * count * steps * gates * width * (width + 1)

    @property
    def arrays(self) -> tuple[Array, ...]:
        every = (self.weights, self.slopes, self.keep, self.output, self.scales, self.hold)
        return tuple(a for a in every if a is not None)
