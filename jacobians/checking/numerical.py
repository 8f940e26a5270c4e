"""Reference derivatives by Richardson extrapolation over several bands of steps, with their estimated errors."""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jacobians.arrays import Array, as_array, leaves_of
from jacobians.checking.trees import Tree
from jacobians.errors import DTypeError


class CallFailedError(Exception):
    """A caller's function raised; the text names it, the error and the last line of the caller's own code."""


class Calls:
    """A caller's function that counts its calls and turns what it raises into `CallFailedError`.

    Parameters
    ----------
    function : callable
    name : str
        What it is called in reports, such as ``fun``.
    """

    def __init__(self, function: Callable[[Any], Any], name: str) -> None:
        self._function = function
        self.name = name
        self.count = 0

    def __call__(self, argument: Any) -> Any:
        """Return the function's value; floating-point warnings far from x are nobody's mistake and stay silent."""
        self.count += 1
        try:
            with np.errstate(all="ignore"):
                return self._function(argument)
        # that this machine is too small is no verdict on the function
        except MemoryError:
            raise
        # the caller's function may raise anything, and each error becomes part of the verdict
        except Exception as error:
            raise CallFailedError(_summary(self.name, error)) from error


def _summary(name: str, error: BaseException) -> str:
    message = " ".join(str(error).split())
    message = f": {message[:160]}" if message else ""
    package = Path(__file__).parents[1]
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if "site-packages" not in f.filename and package not in Path(f.filename).parents]
    own = [f for f in own if not f.filename.startswith("<frozen")]
    if not own:
        one = ""
        if isinstance(error, TypeError) and "required positional argument" in str(error):
            one = f". {name} is called with x alone; put several arrays into one dict, x={{'a': a, 'b': b}}"
        return f"{name} raised {type(error).__name__}{message}{one}"
    last = own[-1]
    return (
        f"{name} raised {type(error).__name__}{message} (in {last.name}, {Path(last.filename).name} line {last.lineno})"
    )


@dataclass(frozen=True, eq=False)
class Line:
    """A line through x: along one entry, or along a direction over all of them.

    Attributes
    ----------
    unit : float
        The length that counts as one along this line: steps are multiples of it.
    entry : int or None
        The entry of the packed vector, for a coordinate.
    direction : ndarray or None
        For a direction.
    """

    unit: float
    entry: int | None = None
    direction: Array | None = None


class Probe:
    """The caller's function of the packed argument, around one point.

    Parameters
    ----------
    fun : Calls
    tree : Tree
    x : ndarray, shape (n,)
        Packed, float64.

    Attributes
    ----------
    value : ndarray, shape (m,)
        The function's value at x, float64.
    eps : float
        The unit of rounding in which the function works: the coarsest of x's and of the value's dtype.
    scale : ndarray, shape (n,)
        What counts as a change of one for each entry: its own size, or its array's root mean square, or 1; of an array
        whose entries are of unlike scale, such as [900, 2.2e-6], its own size alone.
    flat : ndarray of bool, shape (m,)
        Whether it did not change at all where its noise was measured.
    noise : ndarray, shape (m,)
        The error with which the function is evaluated, see `measure_noise`.

    rough : bool
        Whether tiny steps see other slopes than the usual ones, see `measure_roughness`.

    Raises
    ------
    CallFailedError
        If the function raises at x, or what it returns there is no array of real numbers.
    """

    def __init__(self, fun: Calls, tree: Tree, x: Array) -> None:
        self._fun, self._tree, self.x = fun, tree, x
        self._sizes, self._narrow = np.abs(x), any(dtype != np.float64 for dtype in tree.dtypes)
        given = _real(fun(tree.unpack(x)), fun.name)
        self.eps = tree.resolution
        if given.dtype.kind == "f" and given.size:
            self.eps = max(self.eps, float(np.finfo(given.dtype).eps))
        self.shape = given.shape
        self.value = given.astype(np.float64).ravel()
        self.scale, self._spread = _scale(tree, x)
        self.flat = np.zeros(self.value.shape, bool)
        self.rough = False
        self.noise = np.maximum(self.eps * np.abs(self.value), np.finfo(np.float64).tiny)

    def at(self, flat: Array) -> Array:
        """Return the function's value at a packed point, NaN where it raises or changes its shape."""
        undefined = np.full(self.value.shape, np.nan)
        try:
            found = np.asarray(self._fun(self._tree.unpack(flat)))
            if found.size != self.value.size or found.dtype.kind == "c":
                return undefined
            return found.astype(np.float64).ravel()
        except (CallFailedError, TypeError, ValueError):
            return undefined

    def complex_at(self, flat: Array) -> Any:
        """Return the function's value at a complex packed point, as the function gives it."""
        parts = zip(self._tree.offsets[:-1], self._tree.offsets[1:], self._tree.shapes, strict=True)
        return self._fun(self._tree.rebuild([flat[a:b].reshape(shape).copy() for a, b, shape in parts]))

    def coordinate(self, entry: int) -> Line:
        """Return the line along one entry."""
        return Line(float(self.scale[entry]), entry=entry)

    def towards(self, direction: Array) -> Line:
        """Return the line along a direction that is already in each entry's scale."""
        return Line(1.0, direction=direction)

    def along(self, line: Line, t: float) -> tuple[Array, float]:
        """Return the value at x + t·line, and the step really taken after rounding to the entry's dtype.

        A step is rounded in the direction in which the entry grows; so the step back has exactly the same length.
        """
        if line.entry is None:
            assert line.direction is not None
            move = t * line.direction
            # in place, for there may be millions of entries
            moved = np.abs(move)
            moved += self._sizes
            if self._narrow:
                moved = self._tree.pack(self._tree.arrays(moved))
            moved -= self._sizes
            np.copysign(moved, move, out=moved)
            moved += self.x
            return self.at(moved), t
        flat, entry = self.x.copy(), line.entry
        kind, size = self._tree.dtypes[self._tree.leaf_of(entry)].type, abs(float(flat[entry]))
        step = math.copysign(float(kind(size + abs(t) * line.unit)) - size, t)
        flat[entry] += step
        return self.at(flat), step

    def finer(self, line: Line) -> list[float]:
        """Return the first steps of further bands, used where the usual ones do not confirm the given derivative.

        Three finer ones find out a function that repeats itself within the usual steps. Beside a far larger or smaller
        entry of the same array, the unit of change may be the entry's own size or the array's.
        """
        usual, small = bands(self.eps)[:2]
        firsts = [self.eps ** (k / 7) for k in (4, 5, 6)]
        if line.entry is not None:
            for unit in (abs(float(self.x[line.entry])), float(self._spread[line.entry])):
                ratio = unit / line.unit
                if ratio and not 1.0 / _ALIKE <= ratio <= _ALIKE:
                    firsts += [ratio * usual, ratio * small]
        return firsts

    def measure_roughness(self, rng: np.random.Generator) -> None:
        """Measure whether the slope at tiny steps differs from that at the usual steps, along two directions.

        If it differs, the function changes within the usual steps by more than kinks explain, as sin(10⁷x) does, and
        the result of the usual steps may be wrong. A kink or two change a slope only by a part of it.
        """
        usual, small, _, _ = bands(self.eps)
        coarse, slopes, noises = [], [], []
        for _ in range(2):
            line = self.towards(rng.normal(size=self.x.size) * self.scale)
            found = []
            for t in (usual, small, self.eps ** (4 / 7), self.eps ** (5 / 7)):
                (ahead, _), (behind, _) = self.along(line, t), self.along(line, -t)
                found.append((ahead - behind) / (2.0 * t))
                noises.append(self.noise / t)
            coarse += [found[0], found[1]]
            slopes += [found[2], found[3]]
        size = np.nan_to_num(np.abs([*coarse, *slopes]), posinf=0.0).max(axis=0)
        for k, (usual_slope, small_slope) in enumerate(zip(coarse[::2], coarse[1::2], strict=True)):
            for j in range(2):
                tiny, doubt = slopes[2 * k + j], SAFETY * noises[4 * k + 2 + j]
                for slope, share in ((usual_slope, 0.5), (small_slope, 0.1)):
                    self.rough |= bool((np.abs(slope - tiny) > share * size + doubt).any())

    def measure_noise(self, rng: np.random.Generator) -> None:
        r"""Raise `noise` to the function's noise along a random direction, if that is more than rounding.

        Differences of order k at equal, tiny steps of a smooth function vanish, and those of noise of variance σ² have
        variance :math:`\sigma^2 (2k)!/(k!)^2` (Hamming's table; Moré & Wild 2011, SIAM J. Sci. Comput. 33, ECNoise).
        This detects a function that computes in float32 inside, or that iterates to a solution. What falls with the
        step is a wave, and no noise.
        """
        direction = rng.normal(size=self.x.size) * self.scale

        def table(step: float) -> tuple[Array, Array]:
            points = np.stack([self.at(self.x + k * step * direction) for k in range(-3, 4)])
            return points, (np.diff(points, axis=0) == 0).sum(axis=0)

        step, open_ = 128.0 * self.eps, np.ones(self.value.shape, bool)
        while open_.any() and step < 1e-3:
            points, same = table(step)
            if not np.isfinite(points).all():
                return
            # a staircase is seen only at steps that leave it; an output that does not depend on x stays constant
            risen = open_ & (same <= 3)
            settled = risen if 256.0 * step < 1e-3 else open_
            noise, first = _noise_of(points), step == 128.0 * self.eps
            if (settled & ~(risen & first)).any():
                # where a step is a whole number of treads, a staircase looks like a slope without noise
                for share in _UNEVEN:
                    noise = np.fmax(noise, _noise_of(table(share * step)[0]))
            elif (noise > 64.0 * self.noise).any():
                finer, same = table(step / 16.0)
                if np.isfinite(finer).all():
                    noise = np.where(same == 0, np.minimum(noise, _noise_of(finer)), noise)
            self.flat = open_ & (points == points[0]).all(axis=0)
            self.noise = np.where(settled, np.maximum(self.noise, noise), self.noise)
            open_ &= ~settled
            step *= 256.0


_UNEVEN = (0.76, 0.475, 0.373, 0.369)
"""Shares of a step: no step of 1 to 200 treads is at all of them within a seventh of a whole number of treads."""


def _noise_of(points: Array) -> Array:
    """Twice the standard deviation of a function's noise, from its values at equal, tiny steps."""
    differences = np.diff(points, axis=0)
    # squares of what is very large or small are infinite or 0
    largest = np.abs(differences).max(axis=0)
    differences /= np.where(largest > 0, largest, 1.0)
    variances, ratio = [], 0.5
    for k in range(2, 6):
        differences = np.diff(differences, axis=0)
        ratio *= k * k / ((2.0 * k) * (2.0 * k - 1.0))
        variances.append(ratio * np.mean(differences**2, axis=0))
    return np.asarray(2.0 * largest * np.sqrt(np.mean(variances, axis=0)))


_ALIKE = 1e3
"""Entries whose sizes differ by no more are measured by the same unit."""

_UNLIKE = 0.05
"""More than this share of entries below a thousandth of their array's root mean square: they are of unlike scale."""


def _scale(tree: Tree, x: Array) -> tuple[Array, Array]:
    """The unit of change for each entry, and the root mean square of its array, or 1."""
    scale, spread = np.abs(x), np.ones(x.size)
    for a, b in tree.spans:
        if a == b:
            continue
        # in parts, since squares of what is very large or small are infinite or 0
        largest = float(scale[a:b].max())
        mean = largest * float(np.sqrt(np.mean((scale[a:b] / largest) ** 2))) if largest else 0.0
        spread[a:b] = mean or 1.0
        present = scale[a:b][scale[a:b] > 0]
        unlike = np.count_nonzero(present < mean / _ALIKE) > _UNLIKE * present.size
        alone = unlike & (scale[a:b] > 0) & (scale[a:b] < mean / _ALIKE)
        scale[a:b] = np.where(alone, scale[a:b], np.maximum(scale[a:b], spread[a:b]))
    return scale, spread


def _real(value: Any, name: str) -> Array:
    """The function's value as an array, or why it is not an array of real numbers, in words."""
    if value is None:
        raise CallFailedError(f"{name} returns None, expected a number: is its return missing?")
    try:
        given = as_array(value, f"the value of {name}", "check")
    except DTypeError as error:
        raise CallFailedError(str(error).removeprefix("check: ")) from error
    if given.dtype.kind == "c":
        shown = f"{complex(given.ravel()[0]):.6g}" if given.size else "none"
        raise CallFailedError(f"{name} returns complex numbers ({shown} at x), expected real ones; return their .real")
    if given.dtype.kind not in "fiub":
        raise CallFailedError(f"{name} returns dtype {given.dtype}, expected real numbers")
    return given


_FINE = 1e-10
"""Units of rounding below this leave bands of small steps."""

SAFETY = 8.0
"""A difference counts when it exceeds the estimated error so many times."""


@dataclass(frozen=True, eq=False)
class Estimate:
    """A derivative of every output along one line, and the estimated error; NaN and infinity where there is none.

    `reach` is the largest step that it rests on, in the line's units.
    """

    value: Array
    error: Array
    reach: Array

    @property
    def tolerance(self) -> Array:
        """The largest difference that the error may explain."""
        return SAFETY * self.error


def bands(eps: float) -> tuple[float, float, float, float]:
    """Return the first step of each band, from the usual one to smaller ones, and last a larger one.

    Examples
    --------
    >>> [f"{h:.0e}" for h in bands(2.2e-16)], [f"{h:.0e}" for h in bands(1.2e-7)]
    (['6e-03', '3e-05', '2e-07', '8e-02'], ['1e-01', '1e-02', '1e-03', '3e-01'])
    """
    return eps ** (1 / 7), eps ** (2 / 7), eps ** (3 / 7), eps ** (1 / 14)


def band(probe: Probe, line: Line, first: float) -> Estimate:
    """Return the extrapolation of three central differences at halved steps from `first` on."""
    slopes, size, step = [], np.zeros_like(probe.value), 1.0
    for k in range(3):
        (ahead, forth), (behind, back) = probe.along(line, first / 2**k), probe.along(line, -first / 2**k)
        step = forth - back
        slopes.append((ahead - behind) / step if step else np.full_like(ahead, np.nan))
        size = np.maximum(size, np.maximum(np.abs(ahead), np.abs(behind)))
    coarse, fine = (4.0 * slopes[1] - slopes[0]) / 3.0, (4.0 * slopes[2] - slopes[1]) / 3.0
    value = (16.0 * fine - coarse) / 15.0
    # who computes with x rounds as if x were off by a unit of itself
    rounding = np.maximum(size, line.unit * np.nan_to_num(np.abs(value), posinf=0.0))
    noise = np.maximum(probe.noise, probe.eps * rounding)
    # 3.4 noise/step bounds the extrapolated round-off of two ends; the slopes' own rounding comes on top
    doubt = 3.4 * noise / step + 4.0 * probe.eps * np.abs(value)
    error = np.abs(value - fine) + doubt
    # where the second derivative jumps, as of max(0, x)², slopes settle as h, not as h², and the extrapolation is off
    last = np.abs(slopes[2] - slopes[1])
    error = error + np.where((np.abs(slopes[1] - slopes[0]) < 3.0 * last) & (last > doubt), last, 0.0)
    if probe.eps > _FINE:
        # float32 leaves no band of small steps to look past kinks, where the extrapolations may agree by accident
        error = error + last
    good = np.isfinite(value) & np.isfinite(error)
    return Estimate(np.where(good, value, np.nan), np.where(good, error, np.inf), np.full(value.shape, first))


def best_of(found: list[Estimate]) -> Estimate:
    """Return, from bands of rising steps, the most precise one that agrees with all bands of smaller steps.

    A kink between two bands makes the larger one precise and wrong, so the smaller steps have the first word.
    """
    best = found[0]
    value, error, reach, open_ = best.value, best.error, best.reach, np.ones(best.value.shape, bool)
    for other in found[1:]:
        near = np.abs(other.value - value) <= SAFETY * (other.error + error)
        open_ &= near | ~np.isfinite(error) | ~np.isfinite(other.error)
        better = open_ & (other.error < error)
        value, error = np.where(better, other.value, value), np.where(better, other.error, error)
        reach = np.where(better, other.reach, reach)
    return Estimate(value, error, reach)


def directional_derivative(fun: Callable[[Array], float], x: Array, direction: Array) -> tuple[float, float]:
    """Return the derivative of `fun` at x along a direction, and an estimate of its error.

    Parameters
    ----------
    fun : callable
    x, direction : ndarray, of one shape
        Never written; the direction need not have unit length.

    Examples
    --------
    >>> slope, error = directional_derivative(lambda x: float(np.sin(x[0])), np.zeros(1), np.ones(1))
    >>> bool(abs(slope - 1) < 1e-9), bool(error < 1e-9)
    (True, True)
    """
    tree = Tree.of(x, "directional_derivative")
    probe = Probe(Calls(fun, "fun"), tree, tree.pack([x]))
    flat = np.asarray(direction, dtype=np.float64).ravel()
    reach = float(np.abs(flat / probe.scale).max(initial=0.0))
    if reach == 0.0:
        return 0.0, 0.0
    probe.measure_noise(np.random.default_rng(0))
    found = _derivative(probe, probe.towards(flat / reach))
    return float(found.value[0] * reach), float(found.error[0] * reach)


def numerical_jacobian(fun: Callable[[Any], Any], x: Any) -> tuple[Array, Array]:
    """Return the derivatives of a function with respect to every entry of its argument, and the estimated errors.

    Parameters
    ----------
    fun : callable
    x : ndarray, or a dict, tuple or list of arrays
        Never written.

    Returns
    -------
    jacobian, errors : ndarray, shape (*codomain, n)
        n counts the entries of x, one array after another, each in C order. NaN and infinity where there is none.

    Examples
    --------
    >>> jacobian, errors = numerical_jacobian(np.sin, np.zeros(2))
    >>> bool(np.abs(jacobian - np.eye(2)).max() < 1e-9), bool(errors.max() < 1e-9)
    (True, True)
    """
    tree = Tree.of(x, "numerical_jacobian")
    leaves = [x] if tree.single else [leaf for _, leaf in leaves_of(x)]
    probe = Probe(Calls(fun, "fun"), tree, tree.pack(leaves))
    probe.measure_noise(np.random.default_rng(0))
    found = [_derivative(probe, probe.coordinate(entry)) for entry in range(tree.size)]
    values = [estimate.value for estimate in found]
    errors = [estimate.error for estimate in found]
    shape = (*probe.shape, tree.size)
    if not found:
        return np.zeros(shape), np.zeros(shape)
    return np.stack(values, axis=-1).reshape(shape), np.stack(errors, axis=-1).reshape(shape)


def _derivative(probe: Probe, line: Line) -> Estimate:
    """The best of all bands along a line."""
    usual, small, smaller, large = bands(probe.eps)
    return best_of([band(probe, line, first) for first in (smaller, small, usual, large)])
