"""The check of a gradient against the function it should belong to."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from jacobians.checking.calls import CallFailedError, Calls
from jacobians.checking.compare_values import Options, compare_values
from jacobians.checking.derivatives import GivenGradient
from jacobians.checking.outcome import GradientCheck
from jacobians.checking.probe import Probe
from jacobians.checking.progress import Progress
from jacobians.checking.protocol import Protocol, check_protocol, returned_problems
from jacobians.checking.stale import stale_faults
from jacobians.checking.trees import Tree
from jacobians.checking.verdict import concluded, failed
from jacobians.containers import leaves_of

__all__ = ["check_gradient"]


def check_gradient(
    fun: Callable[[Any], Any],
    grad: Callable[[Any], Any] | bool | None,
    x: Any,
    *,
    directions: int | None = None,
    failure_probability: float = 1e-9,
    protocol: bool = True,
    complex_step: bool = True,
    seed: int = 0,
    progress: Progress = True,
) -> GradientCheck:
    r"""Return whether `grad` computes the gradient of `fun` at x, with the smallest error that would have been seen.

    First the protocol: neither function may write its input or the other's data, keep state, return a shared buffer,
    lose digits or shape, or depend on the memory order of its input; and what is right at x must be right at another
    point too, by two directions. Then the values, against Richardson-extrapolated central differences over several
    bands of steps; a difference counts above 8 × (estimated truncation + round-off), which is relative to what can be
    resolved, so a loss of size 10⁻⁶ is judged as sharply as one of size 1. At a kink every value between the one-sided
    derivatives is right. Float32 functions are judged by float32's resolution.

    Up to 5000 parameters every entry is compared, and above 100 also Gaussian directions. Above 5000, or with
    `directions`, only directions and a few entries are; an error then escapes with probability at most
    `failure_probability` unless its norm is below what the report states.

    Parameters
    ----------
    fun : callable
        From something like `x` to a scalar.
    grad : callable, None or True
        From something like `x` to the gradient in the same structure. None or True: `fun` returns both,
        ``(value, gradient)``.
    x : ndarray, or dict, tuple or list of arrays (nested as you like)
        Where to check; never written. Integers become float64.
    directions : int, optional
        Gaussian directions to use instead of all entries.
    failure_probability : float
        How likely an error of ten to twenty tolerances may be missed along directions.
    protocol : bool
        False leaves the protocol out, and calls `grad` once.
    complex_step : bool
        Whether doubtful entries are put to the complex step, where the code turns out to be analytic.
    seed : int
        Of the directions.
    progress : callable or bool
        Called with (entries done, entries in all). True: a line on a terminal's standard error after two seconds.

    Returns
    -------
    GradientCheck
        True only if the verdict is "pass". What `fun` or `grad` raise becomes part of the verdict.

    Raises
    ------
    DTypeError
        If `x` is not made of real arrays.
    DomainError
        If `directions` or `failure_probability` make no sense.

    Notes
    -----
    Source: Richardson 1911; Moré & Wild 2011 (noise); Squire & Trapp 1998 (complex step). SciPy's `check_grad` returns
    one number without saying what it should be, and `differentiate.derivative` needs functions of arrays of points.
    Where several kinks meet at x, the slopes' bounds are those along one entry: a value chosen for each kink by itself,
    such as relu′(0) = 0 with all weights zero, may lie outside and is then reported.

    Examples
    --------
    >>> def loss(p):
    ...     return float(np.sum(np.tanh(p["W"] @ np.ones(3) + p["b"])))
    >>> def gradient(p):
    ...     delta = 1 - np.tanh(p["W"] @ np.ones(3) + p["b"]) ** 2
    ...     return {"W": np.outer(delta, np.ones(3)), "b": delta}
    >>> x = {"W": np.full((2, 3), 0.1), "b": np.array([0.2, -0.3])}
    >>> bool(check_gradient(loss, gradient, x))
    True
    >>> check_gradient(loss, lambda p: {"W": gradient(p)["W"], "b": gradient(p)["b"] / 2}, x).reasons[0][:24]
    'b[1] is 0.5, the referen'
    """
    options = Options(directions, failure_probability, protocol, complex_step, seed, progress)
    start = time.perf_counter()
    tree = Tree.of(x, "check_gradient")
    flat = tree.pack([leaf for _, leaf in leaves_of(x)])
    value, gradient = _split(fun, grad)
    found = Protocol()

    def conclude(*arguments: Any) -> GradientCheck:
        return concluded(found, value, gradient, time.perf_counter() - start, *arguments)

    try:
        with np.errstate(all="ignore"):  # infinities and NaN far from x are judged, not warned of
            probe = Probe(value, tree, flat)
            if probe.value.size != 1:
                found.faults.append(f"fun returns shape {probe.shape}, expected a scalar; check_jacobian takes arrays")
                return conclude()
            if not np.isfinite(probe.value).all():
                return conclude([], None, [f"fun is {probe.value[0]} at x: nothing can be compared"])
            if protocol:
                found = check_protocol(value, gradient, tree, flat, probe.value, seed)
            given = gradient(tree.rebuild(tree.arrays(flat)))
            packed = _read(given, tree, found)
            if packed is None:
                return conclude()
            compared = compare_values(probe, packed, tree, options)
            if found.elsewhere is not None and not found.faults and not failed(*compared[:2]):
                there = _read(found.there, tree, Protocol())
                found.faults.extend(stale_faults(value, there, tree, found, seed))
            return conclude(*compared)
    except CallFailedError as problem:
        found.faults.append(str(problem))
        return conclude()


def _split(fun: Callable[[Any], Any], grad: Callable[[Any], Any] | bool | None) -> tuple[Calls, Calls]:
    if callable(grad):
        return Calls(fun, "fun"), Calls(grad, "grad")

    def part(place: int) -> Callable[[Any], Any]:
        def chosen(x: Any) -> Any:
            found = fun(x)
            if not isinstance(found, tuple) or len(found) != 2:
                raise TypeError(f"fun returned a {type(found).__name__}; without grad it returns (value, gradient)")
            return found[place]

        return chosen

    return Calls(part(0), "fun"), Calls(part(1), "the gradient")


def _read(given: Any, tree: Tree, found: Protocol) -> GivenGradient | None:
    """The packed gradient, or None with the faults noted if it cannot be compared."""
    what = "the gradient"
    if tree.single and isinstance(given, (list, tuple)):
        found.faults.extend(returned_problems(given, what, tree.dtypes[0]))
        try:
            given = np.asarray(given, dtype=np.float64)
        except (TypeError, ValueError):
            return None
    problem = tree.mismatch(given)
    if problem:
        found.faults.append(f"{what} {problem}")
        return None
    by_name = {name or "x": leaf for name, leaf in leaves_of(given)}
    leaves, usable, eps = [], True, float(np.finfo(np.float64).eps)
    for name, shape, dtype in zip(tree.names, tree.shapes, tree.dtypes, strict=True):
        leaf = by_name[name]
        label = what if tree.single else f"{what} of {name}"
        problems = returned_problems(leaf, label, dtype)
        array = np.asarray(leaf)
        if array.shape != shape:
            hint = ": it is transposed" if array.shape == shape[::-1] and len(shape) > 1 else ""
            problems.append(f"{label} has shape {array.shape}, {name} has {shape}{hint}")
        usable &= array.shape == shape and array.dtype.kind in "fiub" and bool(np.isfinite(array).all())
        if array.dtype.kind == "f":
            eps = max(eps, float(np.finfo(array.dtype).eps))
        found.faults.extend(problems)
        leaves.append(array)
    return GivenGradient(tree.pack(leaves), eps) if usable else None
