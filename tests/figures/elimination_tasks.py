"""Functions whose Jacobians are known to be cheap in an order that is neither forward nor reverse, written in values.

They are the tasks of AlphaGrad (Lohoff & Neftci 2024, arXiv 2406.05027) of first derivatives, from their own sources.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import jacobians as jac
from jacobians.graphs import Graph, Value
from jacobians.operations import Elementwise
from jacobians.operations.broadcasting import OfTwo

Array = np.ndarray


class Task(NamedTuple):
    """A function of values, its inputs' arrays, and which of them it is differentiated by, all unless given."""

    function: Callable[..., Any]
    inputs: dict[str, Any]
    wrt: tuple[str, ...] = ()

    def graph(self) -> Graph:
        """The graph between its outputs and its inputs."""
        values = jac.values(**self.inputs)
        found = self.function(*values)
        outputs = found if isinstance(found, tuple) else (found,)
        return Graph(outputs, [v for v in values if not self.wrt or v.name in self.wrt])


# --- functions that the library does not have ----------------------------------------------------------


class Sine(Elementwise):
    """z ↦ sin z."""

    def _rule(self, z: Array) -> tuple[Array, Callable[[], Array]]:
        return np.sin(z), lambda: np.cos(z)


class Cosine(Elementwise):
    """z ↦ cos z."""

    def _rule(self, z: Array) -> tuple[Array, Callable[[], Array]]:
        return np.cos(z), lambda: -np.sin(z)


class NormalDistribution(Elementwise):
    """z ↦ P(Z ≤ z) of a standard normal Z."""

    def _rule(self, z: Array) -> tuple[Array, Callable[[], Array]]:
        from scipy.special import ndtr

        return ndtr(z), lambda: np.exp(-z * z / 2) / np.sqrt(2 * np.pi)


class Angle(OfTwo):
    """(A, B) ↦ the angle of the point (B, A); the slopes are B and −A, over A² + B²."""

    name = "angle"

    def _of(self, A: Array, B: Array) -> tuple[Array, Any]:
        square = A * A + B * B
        return np.arctan2(A, B), (lambda: B / square, lambda: -A / square)


sin, cos, normal, angle = Sine(), Cosine(), NormalDistribution(), Angle()


# --- flow, robots, dipoles, combustion, options ----------------------------------------------------------


def roe_flux(rho_l: Value, m_l: Value, e_l: Value, rho_r: Value, m_r: Value, e_r: Value) -> tuple[Value, ...]:
    """Roe's flux between two states of a gas: density, momentum, energy (Roe 1981, J. Comput. Phys. 43)."""
    gamma = 0.5

    def state(rho: Value, m: Value, e: Value) -> tuple[Value, Value, Value, Value]:
        speed = m / rho
        pressure = (gamma - 1) * (e - 0.5 * m**2 / rho)
        return speed, pressure, (e + pressure) / rho, np.sqrt(rho)

    (v_l, p_l, h_l, root_l), (v_r, p_r, h_r, root_r) = state(rho_l, m_l, e_l), state(rho_r, m_r, e_r)
    weight, rho = root_l + root_r, np.sqrt(rho_l * rho_r)
    u = (root_l * v_l + root_r * v_r) / weight
    h = (root_l * h_l + root_r * h_r) / weight
    a2 = (gamma - 1) * (h - 0.5 * u**2)
    a = np.sqrt(a2)
    dp, dv, n = p_r - p_l, v_r - v_l, a * rho
    c0 = ((rho_r - rho_l) - dp / a2) * abs(u)
    c1 = (dv + dp / n) * abs(u + a) * (0.5 * rho / a)
    c2 = (dv - dp / n) * abs(u) * (0.5 * rho / a)
    flux_l = (m_l, p_l + m_l * v_l, v_l * (p_l + e_l))
    flux_r = (m_r, p_r + m_r * v_r, v_r * (p_r + e_r))
    waves = (
        c0 + c1 - c2,
        c0 * u + c1 * (u + a) - c2 * (u - a),
        c0 * 0.5 * u**2 + c1 * (h + u * a) - c2 * (h - u * a),
    )
    return tuple(0.5 * (left + right - wave) for left, right, wave in zip(flux_l, flux_r, waves, strict=True))


def robot_arm(t1: Value, t2: Value, t3: Value, t4: Value, t5: Value, t6: Value) -> tuple[Value, ...]:
    """Place and angles of the hand of an arm with six joints."""
    a1, a2, a3, d1, d4, d6 = 175.0, 890.0, 50.0, 575.0, 1035.0, 185.0
    (s1, s2, s3, s4, s5, s6), (c1, c2, c3, c4, c5, c6) = ([f(t) for t in (t1, t2, t3, t4, t5, t6)] for f in (sin, cos))
    s23, c23 = c2 * s3 + s2 * c3, c2 * c3 - s2 * s3
    ax = s5 * (c1 * c23 * c4 + s1 * s4) + c1 * s23 * c5
    ay = s5 * (s1 * c23 * c4 - c1 * s4) + s1 * s23 * c5
    az = s23 * c4 * s5 - c23 * c5
    turned = c23 * s5 + s23 * c4 * c5
    nz, oz = c6 * turned - s23 * s4 * s6, -(s6 * turned) - s23 * s4 * c6
    reach = a1 + a2 * c2 + a3 * c23 + d4 * s23
    return (
        d6 * ax + c1 * reach,
        d6 * ay + s1 * reach,
        a2 * s2 + d1 + a3 * s23 - d4 * c23 + d6 * az,
        angle(ay, ax),
        angle(np.sqrt(1.0 - az**2), az),
        angle(oz, -nz),
    )


def human_heart_dipole(*x: Value) -> tuple[Value, ...]:
    """Eight equations for the dipole of the heart (MINPACK-2; Nelson & Hodgkin 1981), all right-hand sides one."""
    a, b, c, d, t, u, v, w = x
    t2v2, u2w2 = t**2 - v**2, u**2 - w**2
    t3, v3 = t * (t**2 - 3.0 * v**2), v * (v**2 - 3.0 * t**2)
    u3, w3 = u * (u**2 - 3.0 * w**2), w * (w**2 - 3.0 * u**2)
    return (
        a + b - 1.0,
        c + d - 1.0,
        t * a + u * b - v * c - w * d - 1.0,
        v * a + w * b + t * c + u * d - 1.0,
        a * t2v2 - 2.0 * c * t * v + b * u2w2 - 2.0 * d * u * w - 1.0,
        c * t2v2 + 2.0 * a * t * v + d * u2w2 + 2.0 * b * u * w - 1.0,
        a * t3 + c * v3 + b * u3 + d * w3 - 1.0,
        c * t3 - a * v3 + d * u3 - b * w3 - 1.0,
    )


def propane_combustion(*x: Value) -> tuple[Value, ...]:
    """Eleven equations of the combustion of propane, the full formulation (MINPACK-2; Averick et al. 1992)."""
    p, R = 40.0, 10.0
    x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11 = x
    root = np.sqrt(p / x11)
    return (
        x1 + x4 - 3.0,
        2.0 * x1 + x2 + x4 + x7 + x8 + x9 + 2.0 * x10 - R,
        2.0 * x2 + 2.0 * x5 + x6 + x7 - 8.0,
        2.0 * x3 + x9 - 4.0 * R,
        x2 * x4 - x1 * x5,
        np.sqrt(x2 * x4) - np.sqrt(x1) * x6 * root,
        np.sqrt(x1 * x2) - np.sqrt(x4) * x7 * root,
        x1 - x4 * x8 * p / x11,
        x1 * np.sqrt(x3) - x4 * x9 * root,
        x1**2 - x4**2 * x10 * p / x11,
        x11 - x1 - x2 - x3 - x4 - x5 - x6 - x7 - x8 - x9 - x10,
    )


def black_scholes(S: Value, K: Value, r: Value, sigma: Value, T: Value) -> Value:
    """The price of a call (Black & Scholes 1973), by way of the forward price (Black 1976)."""
    F = np.exp(r * T) * S
    d1 = (np.log(F / K) + sigma**2 / 2.0 * T) / (sigma * np.sqrt(T))
    d2 = d1 - sigma * np.sqrt(T)
    return np.exp(-(r * T)) * (F * normal(d1) - K * normal(d2))


# --- nets ------------------------------------------------------------------------------------------------


def layer_norm(x: Value, gamma: Value, beta: Value) -> Value:
    """Layer normalisation (Ba, Kiros & Hinton 2016)."""
    away = x - x.mean(axis=1, keepdims=True)
    return away / np.sqrt((away**2).mean(axis=1, keepdims=True) + 1e-6) * gamma + beta


def mlp(X: Value, W1: Value, b1: Value, W2: Value, b2: Value, gamma: Value, beta: Value) -> Value:
    """A net of one hidden layer, normalised, and its squared error."""
    hidden = layer_norm(jac.tanh(X @ W1 + b1), gamma, beta)
    error = jac.tanh(hidden @ W2 + b2) - 0.5
    return 0.5 * (error**2).sum()


def encoder_block(X: Value, Wq: Value, Wk: Value, Wv: Value, W: Value, b: Value, gamma: Value, beta: Value) -> Value:
    """Attention of one head with a residual, normalised, and a layer (Vaswani et al. 2017)."""
    attended = X + jac.softmax((X @ Wq) @ (X @ Wk).T) @ (X @ Wv)
    return jac.silu(layer_norm(attended, gamma, beta) @ W + b)


def tasks() -> dict[str, Task]:
    """The tasks by name."""
    rng = np.random.default_rng(0)

    def drawn(**shapes: tuple[int, ...]) -> dict[str, Array]:
        return {name: rng.normal(size=shape) / 2 for name, shape in shapes.items()}

    def numbers(names: str, *given: float) -> dict[str, float]:
        return dict(zip(names.split(), given, strict=True))

    d = (16,)
    return {
        "RoeFlux 1d": Task(
            roe_flux, numbers("rho_l m_l e_l rho_r m_r e_r", 0.01, 0.02, 0.02, 0.01, 0.03, 0.03)
        ),
        "robot arm": Task(robot_arm, numbers("t1 t2 t3 t4 t5 t6", 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)),
        "Human heart dipole": Task(
            human_heart_dipole, numbers("a b c d t u v w", 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.1)
        ),
        "Propane combustion": Task(propane_combustion, {f"x{k}": 0.5 + k / 10 for k in range(1, 12)}),
        "Black–Scholes": Task(black_scholes, numbers("S K r sigma T", 1.1, 1.0, 0.02, 0.3, 1.5)),
        "MLP": Task(
            mlp, drawn(X=(8, 4), W1=(4, 16), b1=d, W2=(16, 3), b2=(3,), gamma=d, beta=d)
        ),
        "encoder block": Task(
            encoder_block,
            drawn(X=(6, 16), Wq=(16, 16), Wk=(16, 16), Wv=(16, 16), W=(16, 16), b=d, gamma=d, beta=d),
        ),
    }  # fmt: skip
