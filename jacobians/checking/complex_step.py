"""The complex step: a derivative without subtraction, for analytic code; used only after a trial."""

from __future__ import annotations

import warnings

import numpy as np

from jacobians.arrays import Array
from jacobians.checking.numerical import CallFailedError, Estimate, Line, Probe, band, bands, best_of

_STEP = 2.0**-66


class ComplexStep:
    r"""The derivative :math:`\operatorname{Im} f(x + i h u)/h` (Squire & Trapp 1998, SIAM Rev. 40), as an arbiter.

    It is silently wrong for abs, norm, sign, var and writes into real buffers. So it is used only where it agrees with
    the reference along a random direction, and no check depends on it.

    Parameters
    ----------
    probe : Probe
    rng : Generator
        For the direction of the trial.
    """

    def __init__(self, probe: Probe, rng: np.random.Generator) -> None:
        self._probe, self._rng = probe, rng
        self._admitted: bool | None = None

    def derivative(self, line: Line) -> Array | None:
        """Return every output's derivative along a line, or None where the complex step is not admitted."""
        if self._admitted is None:
            self._admitted = self._trial()
        return self._taken(line) if self._admitted else None

    def _trial(self) -> bool:
        probe = self._probe
        if probe.eps > 1e-15 or not probe.x.size:
            return False
        line = probe.towards(self._rng.normal(size=probe.x.size) * probe.scale)
        taken = self._taken(line)
        if taken is None:
            return False
        usual, small, _, _ = bands(probe.eps)
        reference: Estimate = best_of([band(probe, line, small), band(probe, line, usual)])
        size = float(np.abs(reference.value).max(initial=0.0))
        resolved = reference.error <= 1e-6 * size
        return bool((resolved & (np.abs(taken - reference.value) <= reference.tolerance)).all())

    def _taken(self, line: Line) -> Array | None:
        flat = self._probe.x.astype(np.complex128)
        if line.entry is None:
            flat = flat + 1j * _STEP * line.direction  # type: ignore[operator]
        else:
            flat[line.entry] += 1j * _STEP * line.unit
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # a discarded imaginary part is a warning, and a wrong result
                found = np.asarray(self._probe.complex_at(flat)).ravel()
        except CallFailedError:
            return None
        value = self._probe.value
        if found.dtype.kind != "c" or found.shape != value.shape or not np.isfinite(found).all():
            return None
        if (np.abs(found.real - value) > 64.0 * self._probe.noise).any():
            return None
        return found.imag.astype(np.float64) / (_STEP * (line.unit if line.entry is not None else 1.0))
